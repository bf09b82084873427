//! A plan as people read it: one line a step, one line a change, both ends of each.

use super::sanitise;
use crate::plan::{
    Action, AliasChange, AttachmentChange, CodeChange, LayerChange, Plan, RoleChange, Step, Subject, TagChange, Through,
};
use crate::remote::Alias;
use crate::settings::{Difference, Setting};

/// The plan as text.
pub(super) fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let Plan { function, region, .. } = plan;
    let the = if plan.subject == Subject::Layer { "the layer " } else { "" };
    if plan.changes() {
        lines.push(format!("plan for {the}`{function}` in {region}"));
    } else {
        let version = plan.published.as_ref().map(|version| format!(" and is version {version}")).unwrap_or_default();
        lines.push(format!("{the}`{function}` in {region} is unchanged{version}: nothing to do."));
    }
    let widest = plan.steps.iter().map(|step| step.subject().len()).max().unwrap_or_default().max(15);
    for step in &plan.steps {
        let (sign, head, changes) = described(step);
        lines.push(format!("  {sign} {:<widest$} {head}", step.subject()).trim_end().to_owned());
        let width = changes.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        lines.extend(changes.iter().map(|(name, change)| format!("      {name:<width$}  {change}")));
    }
    lines.extend(plan.notes.iter().map(|left| format!("  = {left}")));
    lines
}

/// The sign, the rest of the line, and the changes below it.
fn described(step: &Step) -> (char, String, Vec<(String, String)>) {
    match step {
        Step::UploadPackage(object) => ('+', format!("sent to {} ({})", object.url(), size(object.size)), Vec::new()),
        Step::CreateRole(RoleChange { name, action, policies, .. }) => {
            let policies = policies.iter().map(|arn| ("policy".to_owned(), arn.clone())).collect();
            match action {
                Action::Create => ('+', format!("{name} created"), policies),
                Action::Update | Action::Remove => ('~', format!("{name} gets what it lacks"), policies),
            }
        }
        Step::CreateFunction { tags, code, differences, .. } => {
            let mut changes: Vec<_> = differences.iter().map(change).collect();
            if let Through::Image(image) = &code.through {
                changes.push(("image_uri".to_owned(), image.address()));
            }
            changes.extend(code.architecture.map(|architecture| ("architecture".to_owned(), architecture.shown())));
            changes.extend(tags.iter().map(|(key, value)| (format!("function_tags.{key}"), value.clone())));
            ('+', format!("created with {}", contents(code)), changes)
        }
        Step::UpdateConfiguration { differences, .. } => ('~', String::new(), differences.iter().map(change).collect()),
        Step::UpdateTags(tags) => ('~', String::new(), tag_changes(tags)),
        Step::UpdateCode(code) => {
            let from = code.from.as_deref().map_or_else(|| "nothing".to_owned(), short);
            let same = code.from == code.to;
            let head = if same { format!("{from} sent again") } else { format!("{from} → {}", identity(code)) };
            let mut changes = Vec::new();
            if let (Some(from), Some(to)) = (code.from_architecture, code.architecture)
                && from != to
            {
                changes.push(("architecture".to_owned(), format!("{} → {}", from.shown(), to.shown())));
            }
            if let Through::Found { object, .. } = &code.through {
                changes.push(("from".to_owned(), format!("{}, which is there already", object.url())));
            }
            ('~', format!("{head} ({})", contents(code)), changes)
        }
        Step::PublishLayer(change) => {
            let LayerChange { before, code, differences, .. } = &**change;
            let head = match before {
                Some(before) => format!("new version after {before}, with {}", contents(code)),
                None => format!("first version, with {}", contents(code)),
            };
            let ends = code.from.as_deref().zip(code.to.as_deref()).filter(|(from, to)| from != to);
            let content = ends.map(|(from, to)| ("content".to_owned(), format!("{} → {}", short(from), short(to))));
            ('+', head, content.into_iter().chain(differences.iter().map(self::change)).collect())
        }
        Step::PublishVersion { .. } => ('+', "published from this code and these settings".to_owned(), Vec::new()),
        Step::PointAlias(AliasChange { name, from, to }) => {
            let to = to.shown();
            let head = match from {
                None => format!("{} created for {to}", name.0),
                Some(from) => format!("{} {} → {to}", name.0, pointed(from)),
            };
            (if from.is_some() { '~' } else { '+' }, head, Vec::new())
        }
        Step::Attach(change) => {
            let sign = match change.action {
                Action::Create => '+',
                Action::Update => '~',
                Action::Remove => '-',
            };
            let of = change.alias.as_ref().map(|alias| format!(" of {}", alias.0)).unwrap_or_default();
            match &change.differences[..] {
                // A value without members says it in the line itself.
                [only] if only.key.is_none() => {
                    let (_, value) = attached(change, only);
                    (sign, format!("{} {value}{of}", change.key).trim_start().to_owned(), Vec::new())
                }
                differences => {
                    let head = format!("{}{of}", change.key);
                    let changes = differences.iter().map(|difference| attached(change, difference)).collect();
                    (sign, sanitise::one_line(head.trim_start()), changes)
                }
            }
        }
        Step::DeleteVersions(numbers) => ('-', numbers.join(", "), Vec::new()),
    }
}

/// A change of something around the function; its key stands above.
fn attached(change: &AttachmentChange, difference: &Difference) -> (String, String) {
    let member = difference.key.as_deref().map(|key| key.strip_prefix(&change.key).unwrap_or(key).trim());
    let name = member.filter(|member| !member.is_empty()).unwrap_or(difference.setting);
    let to = difference.to.as_deref().unwrap_or("removed");
    let text = difference.from.as_deref().map_or_else(|| to.to_owned(), |from| format!("{from} → {to}"));
    (name.to_owned(), sanitise::one_line(&text))
}

/// Where an alias points, with the shares of others.
fn pointed(alias: &Alias) -> String {
    let shares = alias.weights.iter().map(|(version, share)| format!(", {:.0} % version {version}", share * 100.0));
    format!("version {}{}", alias.version, shares.collect::<String>())
}

/// What tells the new code from any other, cut short.
pub(super) fn identity(code: &CodeChange) -> String {
    code.to.as_deref().map_or_else(|| "what its tag names".to_owned(), short)
}

fn contents(code: &CodeChange) -> String {
    if let Through::Image(image) = &code.through {
        return image.uri.name();
    }
    let left_out = match code.left_out {
        0 => String::new(),
        names => format!(", {} left out by default", count(names, "name")),
    };
    format!("{}, {}{left_out}", size(code.size), count(code.files, "file"))
}

/// A change by its name and both ends. What is hidden says only what happens to it.
pub(super) fn change(difference: &Difference) -> (String, String) {
    let name = match &difference.key {
        Some(key) => format!("{}.{key}", difference.setting),
        None => difference.setting.to_owned(),
    };
    let text = match (&difference.from, &difference.to, difference.is_hidden()) {
        (Some(_), Some(_), true) => "changed (values hidden)".to_owned(),
        (None, Some(_), true) => "added (value hidden)".to_owned(),
        (_, None, _) => "removed".to_owned(),
        (Some(from), Some(to), false) => format!("{from} → {to}"),
        (None, Some(to), false) => to.clone(),
    };
    (name, sanitise::one_line(&text))
}

fn tag_changes(tags: &TagChange) -> Vec<(String, String)> {
    let set = tags.set.iter().map(|(key, value)| match tags.before.get(key) {
        Some(before) => (key.clone(), format!("{before} → {value}")),
        None => (key.clone(), value.clone()),
    });
    set.chain(tags.remove.iter().map(|key| (key.clone(), "removed".to_owned()))).collect()
}

/// The beginning of a hash or digest, enough to tell two apart.
pub(super) fn short(sha256: &str) -> String {
    let (kind, digits) = sha256.split_once(':').map_or(("", sha256), |(kind, digits)| (&sha256[..=kind.len()], digits));
    format!("{kind}{}…", digits.chars().take(10).collect::<String>())
}

/// Bytes in the unit that people use.
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
