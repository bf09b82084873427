//! The parts of the step summary and of the comment, in GitHub-flavoured Markdown.

use std::time::Duration;

use super::{
    ends::{self, Digits},
    live,
    markdown::{link, text},
    page::Part,
    plan, release,
};
use crate::arn::Partition;
use crate::event::{Deployed, DeployedCode, Effect, Failure, Held, LayerDeployed, Moment};
use crate::package::FileChange;
use crate::plan::{CodeChange, Plan, Rollback, Sent, Subject, Through, View};
use crate::settings::{Aspect, Difference, End};

/// A deployed function, with its changes.
pub(super) fn of_deployed(deployed: &Deployed) -> Part {
    let Deployed { function, region, version, plan, .. } = deployed;
    let console = console(region, function);
    if !deployed.changed() {
        let version = version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
        return Part::Unchanged(format!(
            "✔ {} in {} is unchanged{version}.\n\n",
            link(function, console.as_deref().unwrap_or_default()),
            text(region)
        ));
    }
    let title = format!("✔ {function} deployed{}", half(plan));
    let table = table(plan, deployed);
    let page = console.map(|page| link("Open in the console", &page));
    let address = deployed.url.as_ref().map(|url| link(url, url));
    let last: Vec<_> = page.into_iter().chain([text(&deployed.arn)]).chain(address).collect();
    let body = [table, weight(deployed), time(deployed), last.join(" · ")].join("\n\n");
    Part::Fold { title, body }
}

/// A layer, with its changes.
pub(super) fn of_layer(layer: &LayerDeployed) -> Part {
    let LayerDeployed { layer: name, region, arn, version, plan, took, package_size, .. } = layer;
    if !layer.changed() {
        let (name, region, version) = (text(name), text(region), text(version));
        return Part::Unchanged(format!("✔ Layer **{name}** in {region} is unchanged, version {version}.\n\n"));
    }
    let title = format!("✔ Layer {name} version {version} published");
    let table = rows_as_table(plan.views().flat_map(|view| rows(&view)));
    let weight = format!("**Package** {} · {:.1} s · {}", plan::size(*package_size), took.as_secs_f64(), text(arn));
    Part::Fold { title, body: [table, weight].join("\n\n") }
}

/// The half of the function that a plan changes, for its title.
fn half(plan: &Plan) -> String {
    plan.only.map(|half| format!(" ({})", half.shown())).unwrap_or_default()
}

/// The size of the package, with its largest folders; or the image.
fn weight(deployed: &Deployed) -> String {
    let (package_size, unpacked, largest_folders, code_sha256) = match &deployed.code {
        DeployedCode::Archive { size, unpacked, largest_folders, code_sha256 } => {
            (size, unpacked, largest_folders, code_sha256)
        }
        DeployedCode::Image { address } => return format!("**Image** {}", text(address)),
        DeployedCode::Kept { code_sha256 } => {
            return format!("**Package** as before, CodeSha256 {}", text(code_sha256));
        }
    };
    let folder = |(name, bytes): &(String, u64)| format!("{} {}", text(name), plan::size(*bytes));
    let folders: Vec<_> = largest_folders.iter().map(folder).collect();
    let largest = if folders.is_empty() { String::new() } else { format!(" Largest: {}.", folders.join(", ")) };
    let (packed, unpacked) = (plan::size(*package_size), plan::size(*unpacked));
    format!("**Package** {packed}, {unpacked} unpacked, CodeSha256 {}.{largest}", text(code_sha256))
}

/// The time of each step.
fn time(deployed: &Deployed) -> String {
    let step = |(subject, took): &(&str, Duration)| format!("{subject} {:.1} s", took.as_secs_f64());
    let steps: Vec<_> = deployed.steps.iter().map(step).collect();
    format!("**Time** {:.1} s: {}.", deployed.took.as_secs_f64(), steps.join(", "))
}

/// A plan that was shown and not applied.
pub(super) fn of_planned(plan: &Plan) -> String {
    if !plan.changes() {
        return format!("✔ **{}** in {} is unchanged.\n\n", planned(plan), text(&plan.region));
    }
    format!("{}\n\n{}\n\n", title_of_plan(plan), table_of_plan(plan))
}

/// A plan as a part of the page.
pub(super) fn part_of_plan(plan: &Plan) -> Part {
    if !plan.changes() {
        return Part::Unchanged(of_planned(plan));
    }
    let the = if plan.subject == Subject::Layer { "layer " } else { "" };
    let title = format!("Plan for {the}{} in {}{}", plan.name, plan.region, half(plan));
    Part::Fold { title, body: table_of_plan(plan) }
}

/// The title of a plan that changes something.
pub(super) fn title_of_plan(plan: &Plan) -> String {
    format!("### Plan for {} in {}{}", planned(plan), text(&plan.region), half(plan))
}

/// The table of a plan: a line for each row, after two lines of its head.
pub(super) fn table_of_plan(plan: &Plan) -> String {
    rows_as_table(plan.views().flat_map(|view| rows(&view)))
}

/// The function or layer of a plan.
fn planned(plan: &Plan) -> String {
    let name = text(&plan.name);
    if plan.subject == Subject::Layer { format!("layer {name}") } else { name }
}

/// The moments of a release.
pub(super) fn of_moments(moments: &[Moment]) -> String {
    let row = |moment: &Moment| {
        let [time, words] = release::row(moment);
        format!("| {} | {} |", text(&time), text(&words))
    };
    let head = ["| time | release |".to_owned(), "| --: | --- |".to_owned()];
    head.into_iter().chain(moments.iter().map(row)).collect::<Vec<_>>().join("\n") + "\n\n"
}

/// A function that has no traffic, because another one failed.
pub(super) fn of_held(held: &Held) -> Part {
    let Held { function, region, traffic, .. } = held;
    let (state, place) = (release::state(traffic), release::held_in_short(held));
    Part::Fold { title: format!("↩ {state} {function} in {region}"), body: format!("{}.", text(&place)) }
}

/// A deleted function or version.
pub(super) fn of_removed(function: &str, region: &str, version: Option<&str>, effect: Effect) -> String {
    let what = version.map(|number| format!("version {} of ", text(number))).unwrap_or_default();
    let (function, region) = (text(function), text(region));
    match effect {
        Effect::Done => format!("### ✔ {what}{function} in {region} deleted\n\n"),
        Effect::NothingToDo => format!("✔ {what}{function} does not exist in {region}.\n\n"),
    }
}

/// An alias that was rolled back.
pub(super) fn of_rollback(function: &str, region: &str, rollback: &Rollback) -> String {
    let title = format!("### ✔ {} rolled back", text(function));
    let row = [format!("alias {}", rollback.alias.name), live::shares(&rollback.alias), rollback.to.clone()];
    let table = rows_as_table(std::iter::once(row));
    let link = console(region, function).map(|page| link("Open in the console", &page));
    [Some(title), Some(table), link].into_iter().flatten().collect::<Vec<_>>().join("\n\n") + "\n\n"
}

/// The URL of a function in the AWS console; absent: the partition has no public console.
fn console(region: &str, function: &str) -> Option<String> {
    let host = Partition::of_region(region).console()?;
    Some(format!("https://{region}.{host}/lambda/home?region={region}#/functions/{function}"))
}

/// The table of changes, with the values before and after.
fn table(plan: &Plan, deployed: &Deployed) -> String {
    let now = |difference: &Difference| {
        let mut difference = difference.clone();
        if let (Some(End::NewVersion), Some(version)) = (&difference.to, &deployed.version) {
            difference.to = Some(End::version(version));
            if difference.about == Aspect::Version {
                difference.from = deployed.version_before.as_deref().map(End::version);
            }
        }
        difference
    };
    let kept = |difference: &Difference| match (difference.about, &difference.from, &difference.to) {
        (Aspect::Version, Some(End::Version { number, .. }), None) => deployed.kept.contains(number),
        _ => false,
    };
    let rows = plan.views().flat_map(|view| {
        let rows = view.changes.iter().map(|difference| {
            let [what, before, after] = row(&view, &now(difference));
            [what, before, if kept(difference) { "could not be deleted".to_owned() } else { after }]
        });
        rows.chain(file_rows(&view)).collect::<Vec<_>>()
    });
    rows_as_table(rows)
}

fn rows_as_table(rows: impl Iterator<Item = [String; 3]>) -> String {
    let cell = |end: &String| if end.is_empty() { "–".to_owned() } else { text(end) };
    let row =
        |[what, before, after]: [String; 3]| format!("| {} | {} | {} |", text(&what), cell(&before), cell(&after));
    let head = ["| | before | after |".to_owned(), "| --- | --- | --- |".to_owned()];
    head.into_iter().chain(rows.map(row)).collect::<Vec<_>>().join("\n")
}

/// The rows of a step: the name of each change, and the values before and after.
fn rows(view: &View<'_>) -> Vec<[String; 3]> {
    view.changes.iter().map(|difference| row(view, difference)).chain(file_rows(view)).collect()
}

/// The rows of the files that a step changes: how many, and the first of them.
fn file_rows(view: &View<'_>) -> Vec<[String; 3]> {
    let Some(changes) = view.files() else { return Vec::new() };
    let size = |size: Option<u64>| size.map(plan::size);
    let row = |change: &FileChange| {
        let after = if change.only_mode { Some("another mode".to_owned()) } else { size(change.to) };
        [change.name.clone(), size(change.from).unwrap_or_default(), after.unwrap_or_else(removed)]
    };
    let head = ["files".to_owned(), String::new(), plan::files_in_short(changes)];
    let rest = plan::more_files(changes).map(|more| [format!("… {more}"), String::new(), String::new()]);
    std::iter::once(head).chain(changes.0.iter().take(plan::SHOWN_FILES).map(row)).chain(rest).collect()
}

/// The values before and after a change; empty: there is none.
fn row(view: &View<'_>, difference: &Difference) -> [String; 3] {
    let Difference { about, key, from, to, unit, .. } = difference;
    let end = |end: &End| match end {
        End::Hidden(_) if from.is_none() => "hidden".to_owned(),
        end => ends::text(end, *unit, Digits::Short),
    };
    let (before, after) = (from.as_ref().map(end).unwrap_or_default(), to.as_ref().map(end));
    let of_key = |what: &str| key.as_ref().map_or_else(|| what.to_owned(), |key| format!("{what} {key}"));
    match (about, from, after) {
        (Aspect::Version, Some(End::Version { number, .. }), None) => {
            [format!("version {number}"), "there".to_owned(), "deleted".to_owned()]
        }
        (Aspect::Version, _, Some(_)) if *to == Some(End::NewVersion) => {
            ["version".to_owned(), before, "published".to_owned()]
        }
        (Aspect::Code, _, after) => {
            let sent = match view.line.sent {
                Some(Sent::New(code) | Sent::Replacement(code)) => format!(" ({})", contents(code)),
                Some(Sent::Object(_)) | None => String::new(),
            };
            ["code".to_owned(), before, format!("{}{sent}", after.unwrap_or_default())]
        }
        (Aspect::Object, _, after) => ["package".to_owned(), before, after.unwrap_or_default()],
        (Aspect::Tag, _, after) => [of_key("tag"), before, after.unwrap_or_else(removed)],
        (_, _, after) => [ends::name(difference, " "), before, after.unwrap_or_else(removed)],
    }
}

fn removed() -> String {
    "removed".to_owned()
}

fn contents(code: &CodeChange) -> String {
    match &code.through {
        Through::Image(image) => image.uri.name(),
        Through::Call | Through::Upload(_) | Through::Found { .. } => plan::count(code.files, "file"),
    }
}

/// A failure: headline, causes and help.
pub(super) fn of_failure(failure: &Failure) -> String {
    let mut lines = vec![format!("### ✘ {}\n", text(&failure.headline))];
    for problem in &failure.problems {
        lines.push(format!("- {}", text(&problem.to_string())));
        lines.extend(problem.help.iter().map(|help| format!("  - {}", text(help))));
    }
    if !failure.not_done.is_empty() {
        let done = if failure.done.is_empty() { "nothing".to_owned() } else { failure.done.join(", ") };
        let begun =
            if failure.begun.is_empty() { String::new() } else { format!(" Begun: {}.", failure.begun.join(", ")) };
        lines.push(format!("\nDone: {done}.{begun} Not done: {}.", failure.not_done.join(", ")));
    }
    lines.extend(failure.help.iter().map(|help| format!("\n{}", text(help))));
    lines.push("\n".to_owned());
    lines.join("\n")
}

impl Deployed {
    /// The link to its page in the AWS console: text and URL; absent: the Region has no public console.
    pub(super) fn link(&self) -> Option<(String, String)> {
        let Self { function, region, .. } = self;
        let page = console(region, function)?;
        Some(match &self.version {
            Some(version) => {
                (format!("{function} in {region}, version {version}"), format!("{page}/versions/{version}"))
            }
            None => (format!("{function} in {region}"), page),
        })
    }
}
