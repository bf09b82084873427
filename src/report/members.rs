//! The members that verbs other than `deploy` add to the document of `--format json`. A member without an event is
//! absent.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::ends;
use super::problems::Where;
use super::steps::Files;
use crate::event::{Effect, Event};
use crate::place::{ChosenBy, ChosenStage};
use crate::plan::Rollback;
use crate::remote::{self, LiveCode};

/// Members at the top level of the document.
#[derive(Serialize, Default)]
pub(super) struct Members {
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<Preview>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation: Option<Invocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    status: Vec<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regions: Vec<Region>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion: Option<Deletion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rollback: Option<Back>,
}

#[derive(Serialize)]
pub(super) struct Stage {
    name: String,
    /// The flag or variable that chose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Where>,
    /// The branch that chose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
}

/// An unknown value is null.
#[derive(Serialize)]
struct Preview {
    pull_request: Option<String>,
    base: Option<String>,
}

#[derive(Serialize)]
struct Invocation {
    function_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    qualifier: Option<String>,
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    executed_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<String>,
    /// The response; a string if it is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Value>,
    log: Vec<String>,
    seconds: f64,
}

/// An unknown value is null.
#[derive(Serialize)]
struct Status {
    function_name: String,
    region: String,
    function_arn: String,
    description: String,
    state: String,
    state_reason: Option<String>,
    last_update_status: String,
    last_update_status_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_uri: Option<String>,
    architecture: String,
    memory_size: i32,
    timeout: i32,
    last_modified: String,
    changed_since_release: Option<bool>,
    code_sha256: String,
    code_size: u64,
    log_group: String,
    reserved_concurrency: Option<i32>,
    provisioned_concurrency: Option<Vec<Provisioned>>,
    function_urls: Option<Vec<Url>>,
    aliases: Option<Vec<Alias>>,
    versions: Option<Vec<Version>>,
}

#[derive(Serialize)]
struct Provisioned {
    qualifier: String,
    requested: i32,
    available: i32,
    status: String,
    status_reason: Option<String>,
}

#[derive(Serialize)]
struct Url {
    qualifier: String,
    url: String,
    auth_type: String,
}

#[derive(Serialize)]
struct Alias {
    name: String,
    version: String,
    weights: BTreeMap<String, f64>,
    previous_version: Option<String>,
    rolled_back_version: Option<String>,
    build: Option<String>,
    description: String,
}

#[derive(Serialize)]
struct Version {
    version: String,
    description: String,
    last_modified: String,
    code_sha256: String,
}

#[derive(Serialize)]
struct Region {
    region: String,
    functions: Vec<Summary>,
}

#[derive(Serialize)]
struct Summary {
    function_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<String>,
    package_type: &'static str,
    memory_size: i32,
    timeout: i32,
    last_modified: String,
}

/// An unknown value is null.
#[derive(Serialize)]
struct Deletion {
    function_name: String,
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    goes: Option<Goes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stays: Option<Stays>,
}

#[derive(Serialize)]
struct Goes {
    function_arn: String,
    versions: Option<Vec<String>>,
    aliases: Option<Vec<String>>,
    function_urls: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Stays {
    log_group: String,
    event_source_mappings: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Back {
    function_name: String,
    region: String,
    alias: String,
    from: String,
    to: String,
    weights_before: BTreeMap<String, f64>,
    changes: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Files>,
    outcome: &'static str,
}

impl Members {
    /// Receives an event.
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::Chosen(chosen) => self.stage = Some(stage(chosen)),
            Event::Preview { number, base } => {
                self.preview = Some(Preview { pull_request: number.clone(), base: base.clone() });
            }
            Event::Invoked(invocation) => self.invocation = Some(invoked(invocation)),
            Event::Status(found) => self.status.push(status(found)),
            Event::Listed { region, functions } => {
                let functions = functions.iter().map(summary).collect();
                self.regions.push(Region { region: region.clone(), functions });
            }
            Event::Removing(removal) => self.deletion = Some(deletion(removal)),
            Event::Removed { function, region, version, effect } => {
                let outcome = match effect {
                    Effect::Done => "deleted",
                    Effect::NothingToDo => "absent",
                };
                let deletion = self.deletion.get_or_insert_with(|| Deletion {
                    function_name: function.clone(),
                    region: region.clone(),
                    version: version.clone(),
                    outcome,
                    goes: None,
                    stays: None,
                });
                deletion.outcome = outcome;
            }
            Event::Rollback { function, region, rollback } => self.rollback = Some(back(function, region, rollback)),
            Event::RolledBack { .. } => {
                self.rollback.iter_mut().for_each(|rollback| rollback.outcome = "rolled_back");
            }
            Event::Failed(_) => {
                let outcomes = self.deletion.iter_mut().map(|deletion| &mut deletion.outcome);
                let outcomes = outcomes.chain(self.rollback.iter_mut().map(|rollback| &mut rollback.outcome));
                outcomes.for_each(|outcome| *outcome = "failed");
            }
            _ => {}
        }
    }

    /// Whether anything was changed.
    pub(super) fn changed(&self) -> bool {
        self.deletion.as_ref().is_some_and(|deletion| deletion.outcome == "deleted")
            || self.rollback.as_ref().is_some_and(|rollback| rollback.outcome == "rolled_back")
    }
}

pub(super) fn stage(chosen: &ChosenStage) -> Stage {
    let name = chosen.name.clone();
    match &chosen.by {
        ChosenBy::Place(place) => Stage { name, place: Some(Where::of(place)), branch: None },
        ChosenBy::Branch(branch) => Stage { name, place: None, branch: Some(branch.clone()) },
    }
}

fn invoked(invocation: &remote::Invocation) -> Invocation {
    let remote::Invocation { function, qualifier, status, executed_version, payload, function_error, log, took } =
        invocation.clone();
    Invocation {
        function_name: function,
        qualifier,
        status_code: status,
        executed_version,
        function_error,
        payload: payload.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
        log,
        seconds: (took.as_secs_f64() * 1000.0).round() / 1000.0,
    }
}

fn status(status: &remote::Status) -> Status {
    let changed_since_release = status.last_release().map(|(_, changed)| changed);
    let remote::Status {
        function,
        region,
        arn,
        description,
        state,
        last_update,
        code,
        architecture,
        memory_size,
        timeout,
        last_modified,
        code_sha256,
        code_size,
        log_group,
        reserved_concurrency,
        versions,
        aliases,
        urls,
        provisioned,
    } = status.clone();
    let (runtime, image_uri) = match code {
        LiveCode::Runtime(runtime) => (Some(runtime), None),
        LiveCode::Image(uri) => (None, uri),
    };
    Status {
        function_name: function,
        region,
        function_arn: arn,
        description,
        state: state.word,
        state_reason: state.reason,
        last_update_status: last_update.word,
        last_update_status_reason: last_update.reason,
        runtime,
        image_uri,
        architecture,
        memory_size,
        timeout,
        last_modified,
        changed_since_release,
        code_sha256,
        code_size,
        log_group,
        reserved_concurrency,
        provisioned_concurrency: provisioned.ok().map(|found| found.into_iter().map(provisioned_of).collect()),
        function_urls: urls.ok().map(|urls| urls.into_iter().map(url).collect()),
        aliases: aliases.ok().map(|aliases| aliases.into_iter().map(alias).collect()),
        versions: versions.ok().map(|versions| versions.into_iter().map(version).collect()),
    }
}

fn provisioned_of(provisioned: remote::Provisioned) -> Provisioned {
    let remote::Provisioned { qualifier, requested, available, status } = provisioned;
    Provisioned { qualifier, requested, available, status: status.word, status_reason: status.reason }
}

fn url(url: remote::Url) -> Url {
    let remote::Url { alias, url, auth_type } = url;
    Url { qualifier: alias.unwrap_or_else(|| "$LATEST".to_owned()), url, auth_type }
}

fn alias(alias: remote::Alias) -> Alias {
    let remote::Record { before, rolled_back, build } = alias.record();
    let [previous_version, rolled_back_version, build] =
        [before, rolled_back, build].map(|part| part.map(str::to_owned));
    let remote::Alias { name, version, weights, moving_from: _, description, revision_id: _ } = alias;
    Alias { name, version, weights, previous_version, rolled_back_version, build, description }
}

fn version(version: remote::Published) -> Version {
    let remote::Published { number, description, last_modified, code_sha256 } = version;
    Version { version: number.to_string(), description, last_modified, code_sha256 }
}

fn summary(summary: &remote::Summary) -> Summary {
    let remote::Summary { function, code, memory_size, timeout, last_modified } = summary.clone();
    let (runtime, package_type) = match code {
        LiveCode::Runtime(runtime) => (Some(runtime), "Zip"),
        LiveCode::Image(_) => (None, "Image"),
    };
    Summary { function_name: function, runtime, package_type, memory_size, timeout, last_modified }
}

fn deletion(removal: &remote::Removal) -> Deletion {
    let remote::Removal { function, region, version, status, mappings } = removal.clone();
    let whole = version.is_none();
    let numbers =
        |versions: Vec<remote::Published>| versions.iter().map(|version| version.number.to_string()).collect();
    let goes = Goes {
        function_arn: status.arn,
        versions: status.versions.ok().map(numbers),
        aliases: status.aliases.ok().map(|aliases| aliases.into_iter().map(|alias| alias.name).collect()),
        function_urls: status.urls.ok().map(|urls| urls.into_iter().map(|url| url.url).collect()),
    };
    let stays = Stays { log_group: status.log_group, event_source_mappings: mappings.ok() };
    Deletion {
        function_name: function,
        region,
        version,
        outcome: "planned",
        goes: whole.then_some(goes),
        stays: whole.then_some(stays),
    }
}

fn back(function: &str, region: &str, rollback: &Rollback) -> Back {
    let Rollback { alias, to, description: _, differences, files } = rollback.clone();
    Back {
        function_name: function.to_owned(),
        region: region.to_owned(),
        alias: alias.name,
        from: alias.version,
        to,
        weights_before: alias.weights,
        changes: differences.iter().map(ends::document).collect(),
        files: files.as_ref().map(Files::of),
        outcome: if rollback.changes() { "planned" } else { "unchanged" },
    }
}
