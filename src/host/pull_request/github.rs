//! The pull request in the event file of GitHub.

use serde_json::Value;

use super::PullRequest;
use crate::host::Host;

/// Events of GitHub that may be about a pull request. Only the event's file shows it.
const EVENTS_WITH_FILE: &[&str] = &["workflow_run", "issue_comment", "check_run", "check_suite"];

/// Prefixes of other events of GitHub that may be about a pull request. The event's file has the details.
const EVENTS_WITH_MORE: &[&str] = &["pull_request", "merge_group", "repository_dispatch", "deployment"];

/// The variable with the path of the event's file.
const FILE: &str = "GITHUB_EVENT_PATH";

/// The file of the event; `None` if it cannot be read.
fn event_file(host: &Host) -> Option<Value> {
    let text = super::text(&host.directory.join(host.variable(FILE)?))?;
    serde_json::from_str(&text).ok()
}

/// Whether the event is about a pull request from another repository.
pub(super) fn is_from_fork(host: &Host) -> bool {
    if !host.variable("GITHUB_EVENT_NAME").is_some_and(|event| event.starts_with("pull_request")) {
        return false;
    }
    let repository = |file: &Value, end: &str| file.pointer(&format!("/pull_request/{end}/repo/full_name")).cloned();
    event_file(host).is_some_and(|file| repository(&file, "head") != repository(&file, "base"))
}

/// The pull request from GitHub's event file, for events whose variables do not show it.
pub(super) fn of_event(host: &Host) -> Option<PullRequest> {
    const SIGN: &str = FILE;
    let event = host.variable("GITHUB_EVENT_NAME")?;
    let asked = EVENTS_WITH_FILE.contains(&event) || EVENTS_WITH_MORE.iter().any(|begin| event.starts_with(begin));
    if !asked {
        return None;
    }
    let Some(file) = event_file(host) else {
        // An unknown event counts as a pull request, so that it is not deployed.
        return EVENTS_WITH_FILE.contains(&event).then(|| PullRequest::new(SIGN, None, None));
    };
    let at = |pointer: &str| file.pointer(pointer).filter(|value| !value.is_null());
    let text_at = |pointer: &str| at(pointer).and_then(Value::as_str);
    let pull_request = |of: &str| {
        PullRequest::new(SIGN, at(&format!("{of}/number")).map(Value::to_string), text_at(&format!("{of}/base/ref")))
    };
    let first = |of: &str| at(&format!("{of}/pull_requests/0")).map(|_| pull_request(&format!("{of}/pull_requests/0")));
    match event {
        "workflow_run" => {
            let run = "/workflow_run";
            let cause = text_at("/workflow_run/event").unwrap_or_default();
            let by_pull_request =
                ["pull_request", "merge_group", "issue_comment"].iter().any(|begin| cause.starts_with(begin));
            let (head, own) = (at("/workflow_run/head_repository/full_name"), at("/repository/full_name"));
            let from_fork = head.is_some() && head != own;
            let queued = text_at("/workflow_run/head_branch").and_then(|head| PullRequest::by_branch(SIGN, head));
            let chained = EVENTS_WITH_FILE.contains(&cause).then(|| first(run)).flatten();
            let of_run = || first(run).unwrap_or_else(|| PullRequest::new(SIGN, None, None));
            queued.or(chained).or_else(|| (by_pull_request || from_fork).then(of_run))
        }
        "issue_comment" => at("/issue/pull_request").map(|_| pull_request("/issue")),
        "check_run" => first("/check_run").or_else(|| first("/check_run/check_suite")),
        "check_suite" => first("/check_suite"),
        "repository_dispatch" => {
            at("/client_payload/pull_request").map(|_| pull_request("/client_payload/pull_request"))
        }
        "deployment" | "deployment_status" => {
            text_at("/deployment/ref").and_then(|name| PullRequest::by_reference(SIGN, name))
        }
        "merge_group" => Some(PullRequest::new(SIGN, None, text_at("/merge_group/base_ref"))),
        name if name.starts_with("pull_request") => Some(pull_request("/pull_request")),
        _ => None,
    }
}
