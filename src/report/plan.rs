//! The text of a plan: a line for each step, and a line for each change with its values before and after.

use super::ends::{self, Digits};
use super::sanitise;
use crate::package::{FileChange, FileChanges};
use crate::plan::{Action, CodeChange, Line, Plan, Sent, Subject, Through, View};
use crate::settings::{Aspect, Difference, End};

/// The number of changed files that are shown.
pub(super) const SHOWN_FILES: usize = 10;

/// The lines of a plan.
pub(super) fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let Plan { name, region, .. } = plan;
    let the = if plan.subject == Subject::Layer { "the layer " } else { "" };
    if plan.changes() {
        lines.push(format!("plan for {the}`{name}` in {region}"));
    } else {
        let version = plan.published.as_ref().map(|version| format!(" and is version {version}")).unwrap_or_default();
        lines.push(format!("{the}`{name}` in {region} is unchanged{version}: nothing to do."));
    }
    let views: Vec<_> = plan.views().collect();
    let widest = views.iter().map(|view| view.subject.len()).max().unwrap_or_default().max(15);
    for view in &views {
        let sign = match view.action {
            Action::Create => '+',
            Action::Update => '~',
            Action::Remove => '-',
        };
        lines.push(format!("  {sign} {:<widest$} {}", view.subject, head(view)).trim_end().to_owned());
        lines.extend(columns(&below(view)));
        lines.extend(view.files().into_iter().flat_map(files));
    }
    lines.extend(plan.notes.iter().map(|left| format!("  = {left}")));
    lines
}

/// Changes and their names, in two columns.
fn columns(changes: &[(String, String)]) -> Vec<String> {
    let width = changes.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    changes.iter().map(|(name, change)| format!("      {name:<width$}  {change}")).collect()
}

/// A line for each difference, with the name that `name` gives it.
pub(super) fn changes(differences: &[Difference], name: impl Fn(&Difference) -> String) -> Vec<String> {
    let line = |difference: &Difference| (name(difference), ends::both(difference, Digits::Short));
    columns(&differences.iter().map(line).collect::<Vec<_>>())
}

/// The files that differ: how many, and the first of them.
pub(super) fn files(changes: &FileChanges) -> Vec<String> {
    let first = &changes.0[..changes.0.len().min(SHOWN_FILES)];
    let width = first.iter().map(|change| change.name.chars().count()).max().unwrap_or_default();
    let line = |change: &FileChange| {
        let (sign, sizes) = file(change);
        format!("        {sign} {:<width$}  {sizes}", sanitise::one_line(&change.name))
    };
    let mut lines = vec![format!("      files    {}", files_in_short(changes))];
    lines.extend(first.iter().map(line));
    lines.extend(more_files(changes).map(|more| format!("        … {more}")));
    lines
}

/// The numbers of files that are added, changed and removed.
pub(super) fn files_in_short(changes: &FileChanges) -> String {
    let words = changes.counts().into_iter().zip(["added", "changed", "removed"]);
    let parts: Vec<_> =
        words.filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    if parts.is_empty() { "all the same: only times, order or packing differ".to_owned() } else { parts.join(", ") }
}

/// The number of changed files beyond the shown ones; `None` if all are shown.
pub(super) fn more_files(changes: &FileChanges) -> Option<String> {
    let more = changes.0.len().saturating_sub(SHOWN_FILES);
    (more > 0).then(|| count(more, "more file"))
}

/// The sign of a changed file, and its sizes.
fn file(change: &FileChange) -> (char, String) {
    match (change.from, change.to) {
        (None, to) => ('+', size(to.unwrap_or_default())),
        (Some(from), None) => ('-', size(from)),
        (Some(_), Some(_)) if change.only_mode => ('~', "another mode".to_owned()),
        (Some(from), Some(to)) if from == to => ('~', format!("{}, other contents", size(to))),
        (Some(from), Some(to)) => ('~', format!("{} → {}", size(from), size(to))),
    }
}

/// The text after the subject of a step.
fn head(view: &View<'_>) -> String {
    let Line { words, ends, alias, sent, .. } = &view.line;
    let ends = view.changes.first().filter(|_| *ends).map(|first| match (&first.from, &first.to) {
        (Some(from), Some(to)) if from == to => {
            format!("{} sent again", ends::text(from, first.unit, Digits::Short))
        }
        _ => ends::both(first, Digits::Short),
    });
    let alias = alias.map(|alias| format!("of {}", alias.0));
    let sent = sent.map(|sent| match sent {
        Sent::Object(object) => format!("({})", size(object.size)),
        Sent::New(code) => format!("with {}", contents(code)),
        Sent::Replacement(code) => format!("({})", contents(code)),
    });
    let words = Some(words.clone()).filter(|words| !words.is_empty());
    let parts: Vec<_> = [words, ends, alias, sent].into_iter().flatten().collect();
    sanitise::one_line(&parts.join(" "))
}

/// The changes of a step, by name.
fn below(view: &View<'_>) -> Vec<(String, String)> {
    let name = |difference: &Difference| match difference {
        Difference { about: Aspect::Code, to: Some(End::Image { .. }), .. } => "image_uri".to_owned(),
        Difference { about: Aspect::Code, .. } => "content".to_owned(),
        Difference { member, key, .. } if view.line.shows_setting => {
            member.as_ref().or(key.as_ref()).cloned().unwrap_or_else(|| difference.about.name().to_owned())
        }
        _ => ends::name(difference, "."),
    };
    let line = |difference: &Difference| {
        let digits = match difference.to {
            Some(End::Package { .. }) => Digits::Short,
            _ => Digits::All,
        };
        (name(difference), ends::both(difference, digits))
    };
    let mut changes: Vec<_> = view.changes.iter().skip(view.line.shown).map(line).collect();
    if let Some(Sent::Replacement(CodeChange { through: Through::Found { object, .. }, .. })) = view.line.sent {
        changes.push(("from".to_owned(), format!("{}, which exists already", object.url())));
    }
    changes
}

fn contents(code: &CodeChange) -> String {
    if let Through::Image(image) = &code.through {
        return image.uri.name();
    }
    let left_out = left_out(&code.left_out).map(|left_out| format!(", left out by default: {left_out}"));
    format!("{}, {}{}", size(code.size), count(code.files, "file"), left_out.unwrap_or_default())
}

/// The first names that were left out, and the number of the others; `None` without any.
pub(super) fn left_out(names: &[String]) -> Option<String> {
    let first: Vec<_> = names.iter().take(SHOWN_FILES).map(|name| format!("`{}`", sanitise::one_line(name))).collect();
    let more = names.len().saturating_sub(SHOWN_FILES);
    let more = if more > 0 { format!(" and {}", count(more, "more name")) } else { String::new() };
    (!first.is_empty()).then(|| format!("{}{more}", first.join(", ")))
}

/// A number of bytes with its unit.
pub(super) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let bytes_f = bytes as f64;
    match bytes {
        0..=1023 => count(usize::try_from(bytes).unwrap_or_default(), "byte"),
        1024..=1_048_575 => format!("{:.1} KB", bytes_f / 1024.0),
        _ => format!("{:.1} MB", bytes_f / 1_048_576.0),
    }
}

/// A number and its noun.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
