//! The plain text of the log, the same in every CI. The dialects add to it.

use super::{live, plan, release, sanitise};
use crate::event::{Deployed, Effect, Event, Failure, LayerDeployed, Packaged};
use crate::package::{self, DIRECT_LIMIT, Listed, UNPACKED_LIMIT};
use crate::place::ChosenStage;
use crate::plan::{Half, Step, View, Whose};
use crate::remote::Caller;

/// How many of the largest folders to show.
const FOLDERS: usize = 10;

/// The lines of an event, the same in every dialect.
pub(super) fn lines(event: &Event) -> Vec<String> {
    match event {
        Event::Skipped(skip) => match &skip.in_travis_words {
            Some(words) => vec![sanitise::one_line(words), format!("  {}", sanitise::one_line(&skip.to_string()))],
            None => vec![format!("Skipped {}", sanitise::one_line(&skip.to_string()))],
        },
        Event::Preview { number, base } => vec![preview(number.as_deref(), base.as_deref())],
        Event::Chosen(chosen) => vec![stage(chosen)],
        Event::Identity(masked) => vec![format!("Using Access Key: {masked}")],
        Event::Command(command) => vec![format!("$ {command}")],
        Event::Planned(planned) => plan::lines(planned),
        Event::Rehearsed => vec!["AWS' own dry run of the code update succeeded.".to_owned()],
        Event::Waiting { what, so_far } => vec![format!("Still waiting for {what} ({} s).", so_far.as_secs())],
        Event::StepDone { version: Some(version), .. } => vec![format!("Published version {version}.")],
        Event::Checked { function, region, package, only } => {
            let state = match (package, only) {
                (Some(package), _) => format!("has {}", summary(package)),
                (None, Some(Half::Settings)) => "stays as it is".to_owned(),
                (None, _) => "is not on this machine, so it was not checked".to_owned(),
            };
            let half = only.map(|half| format!(" ({})", half.shown())).unwrap_or_default();
            vec![format!(
                "`{function}`{} is configured correctly{half}; its package {state}.",
                within(region.as_deref())
            )]
        }
        Event::LayerChecked { layer, region, package } => {
            let region = within(region.as_deref());
            vec![format!("the layer `{layer}`{region} is configured correctly; its package has {}.", summary(package))]
        }
        Event::Packaged(package) => packaged(package),
        Event::Invoking { function, qualifier } => {
            let which = qualifier.as_ref().map(|name| format!(":{name}")).unwrap_or_default();
            vec![format!("Invoking {function}{which}.")]
        }
        Event::Invoked(invocation) => live::invoked(invocation),
        Event::Status(status) => live::status(status),
        Event::Listed { region, functions } => live::list(region, functions),
        Event::Removing(removal) => live::removal(removal),
        Event::Question(question) => vec![question.clone()],
        Event::Removed { function, region, version, effect } => {
            let what = version.as_ref().map(|number| format!("version {number} of ")).unwrap_or_default();
            vec![match effect {
                Effect::Done => format!("Deleted {what}{function} in {region}."),
                Effect::NothingToDo => format!("{what}{function} does not exist in {region}: nothing to delete."),
            }]
        }
        Event::Rollback { function, region, rollback } => live::rollback(function, region, rollback),
        Event::RolledBack { function, rollback, .. } => {
            vec![format!("Rolled back {} of {function} to version {}.", rollback.alias.name, rollback.to)]
        }
        Event::StepDone { .. }
        | Event::Moment(_)
        | Event::Account(_)
        | Event::CommandOutput { .. }
        | Event::Progress { .. }
        | Event::Overall { .. }
        | Event::Blocks(_)
        | Event::NotBegun { .. }
        | Event::Stage(_)
        | Event::StageDone
        | Event::Warning(_)
        | Event::Notice(_)
        | Event::StepStarted { .. }
        | Event::Answer(_)
        | Event::Logged(_)
        | Event::Deployed(_)
        | Event::Held(_)
        | Event::LayerDeployed(_)
        | Event::Failed(_) => Vec::new(),
    }
}

/// The Region as the end of a name; empty: the name needs none.
fn within(region: Option<&str>) -> String {
    region.map(|region| format!(" in {region}")).unwrap_or_default()
}

/// The line about the stage.
pub(super) fn stage(ChosenStage { name, by }: &ChosenStage) -> String {
    sanitise::one_line(&format!("Stage {name} ({by})."))
}

/// The line about the account and the identity that calls AWS.
pub(super) fn account(Caller { account, identity, .. }: &Caller) -> String {
    let account = account.as_deref().unwrap_or("unknown");
    let identity = identity.as_ref().map(|identity| format!(" as {identity}")).unwrap_or_default();
    sanitise::one_line(&format!("Logged in to account {account}{identity}."))
}

/// The line before the plans of a pull request.
pub(super) fn preview(number: Option<&str>, base: Option<&str>) -> String {
    let which = number.map_or("the pull request".to_owned(), |number| format!("pull request {number}"));
    let base = base.map(|base| format!(" into `{base}`")).unwrap_or_default();
    sanitise::one_line(&format!("Preview: what the merge of {which}{base} would deploy."))
}

/// dpl's line at the beginning of a step.
pub(super) fn started(function: &str, step: &Step, said_updating: &mut Option<String>) -> Vec<String> {
    let View { whose, begins, .. } = step.view();
    let first = match whose {
        Whose::Other => None,
        Whose::NewFunction => Some(format!("Creating function {function}.")),
        Whose::Function if said_updating.as_deref() == Some(function) => None,
        Whose::Function => Some(format!("Updating existing function {function}.")),
    };
    if whose != Whose::Other {
        *said_updating = Some(function.to_owned());
    }
    first.into_iter().chain(begins.map(|begins| format!("{begins}."))).collect()
}

/// The outcome of a function, in a few words.
pub(super) fn done(deployed: &Deployed) -> String {
    let version = deployed.version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
    let what = if deployed.changed() { "deployed" } else { "is unchanged" };
    format!("{} {what}{version}", deployed.function)
}

/// The last line about a changed function. For an unchanged one, the plan has already said so.
pub(super) fn deployed(deployed: &Deployed) -> Option<String> {
    let Deployed { arn, version, alias, url, took, plan, .. } = deployed;
    let part =
        |what: &str, value: &Option<String>| value.as_ref().map(|value| format!(", {what}{value}")).unwrap_or_default();
    let version = part("version ", version) + &part("alias ", alias) + &part("", url);
    let done: Vec<_> = plan.steps.iter().map(|step| step.view().subject).collect();
    deployed.changed().then(|| format!("Deployed {arn}{version}: {} in {:.1} s.", done.join(", "), took.as_secs_f64()))
}

/// The last line about a layer with a new version.
pub(super) fn layer_deployed(layer: &LayerDeployed) -> Option<String> {
    let LayerDeployed { arn, took, .. } = layer;
    layer.changed().then(|| format!("Published {arn} in {:.1} s.", took.as_secs_f64()))
}

/// The outcome of a layer, in a few words.
pub(super) fn layer_done(layer: &LayerDeployed) -> String {
    let what = if layer.changed() { "published" } else { "is unchanged" };
    format!("layer {} {what}, version {}", layer.layer, layer.version)
}

fn summary(package: &Packaged) -> String {
    format!("{} and {}", plan::count(package.entries.len(), "file"), plan::size(package.size))
}

fn packaged(package: &Packaged) -> Vec<String> {
    let mut lines: Vec<_> = package.heading.iter().map(|heading| format!("{}:", sanitise::one_line(heading))).collect();
    if package.list {
        let name = |name: &str| sanitise::one_line(name);
        let entry = |entry: &Listed| format!("{:06o} {:>12} {}", entry.mode, entry.size, name(&entry.name));
        lines.extend(package.entries.iter().map(entry));
        let folders = package::largest_folders(&package.entries, FOLDERS);
        if !folders.is_empty() {
            lines.push("largest folders:".to_owned());
        }
        lines.extend(folders.iter().map(|(folder, bytes)| format!("  {:>12} {}", plan::size(*bytes), name(folder))));
        lines.push(limits(package));
    }
    if package.list && !package.left_out.is_empty() {
        lines.push("left out by default:".to_owned());
        lines.extend(package.left_out.iter().map(|name| format!("  {}", sanitise::one_line(name))));
    } else if let Some(names) = plan::left_out(&package.left_out) {
        lines.push(format!("left out by default: {names}."));
    }
    let place = package.path.as_ref().map(|path| format!("Packaged {path}: ")).unwrap_or_default();
    lines.push(format!("{place}{}, CodeSha256 {}", summary(package), package.code_sha256));
    lines
}

/// The size of a package against AWS' limits.
fn limits(package: &Packaged) -> String {
    let of = |bytes: u64, limit: u64| format!("{} of {}", plan::size(bytes), plan::size(limit));
    format!(
        "{} that a function may have unpacked, with its layers; {} that fit into a call without S3.",
        of(package::unpacked(&package.entries), UNPACKED_LIMIT),
        of(package.size, DIRECT_LIMIT)
    )
}

/// The lines of a failure: headline, causes and help.
pub(super) fn failed(failure: &Failure) -> Vec<String> {
    let mut lines = vec![format!("error: {}", failure.headline)];
    for alike in failure.problems.chunk_by(|one, next| one.help == next.help) {
        lines.extend(alike.iter().map(|problem| format!("  {problem}")));
        let help = alike.first().and_then(|problem| problem.help.as_ref());
        lines.extend(help.map(|help| format!("    help: {help}")));
    }
    lines.extend(aftermath(failure));
    lines.extend(failure.help.iter().map(|help| format!("help: {help}")));
    lines
}

/// The line about the steps that were done and those that were not.
pub(super) fn aftermath(failure: &Failure) -> Vec<String> {
    if !failure.changed() && failure.not_done.is_empty() {
        return Vec::new();
    }
    vec![release::progress(&failure.done, &failure.begun, &failure.not_done)]
}
