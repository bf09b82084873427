//! A release as it goes: what was tested, with its time.

use std::time::Duration;

use serde_json::{Value, json};

use crate::event::{Happened, Moment};

/// The lines of the log about a moment.
pub(super) fn moment(moment: &Moment) -> Vec<String> {
    match &moment.what {
        Happened::Tested { number, version, problems, log, again } => {
            let of = version.as_ref().map_or_else(|| "$LATEST".to_owned(), |version| format!("version {version}"));
            let log = log.iter().map(|line| format!("  {line}"));
            let line = match (problems.is_empty(), again) {
                (true, _) => format!("Smoke test {number} of {of} passed."),
                (false, true) => format!("Smoke test {number} of {of} failed, and runs again: {}", problems.join("; ")),
                (false, false) => format!("Smoke test {number} of {of} failed."),
            };
            log.chain([line]).collect()
        }
        Happened::Shifted { alias, version, percent } => {
            vec![format!("Version {version} gets {percent} % of the traffic of {alias}.")]
        }
        Happened::TakenBack { alias, version, problem: None } => {
            vec![format!("Version {version} gets all traffic of {alias} again.")]
        }
        Happened::TakenBack { alias, problem: Some(problem), .. } => {
            vec![format!("The traffic of {alias} could not be taken back: {problem}")]
        }
    }
}

/// A moment as JSON.
pub(super) fn document(moment: &Moment) -> Value {
    let seconds = seconds(moment.at);
    match &moment.what {
        Happened::Tested { number, version, problems, log: _, again: _ } => json!({
            "seconds": seconds,
            "event": if problems.is_empty() { "test_passed" } else { "test_failed" },
            "test": number,
            "version": version,
            "problems": problems,
        }),
        Happened::Shifted { alias, version, percent } => {
            json!({ "seconds": seconds, "event": "traffic", "alias": alias, "version": version, "percent": percent })
        }
        Happened::TakenBack { alias, version, problem } => {
            let event = if problem.is_none() { "traffic_back" } else { "traffic_not_back" };
            let problems: Vec<_> = problem.iter().collect();
            json!({ "seconds": seconds, "event": event, "alias": alias, "version": version, "problems": problems })
        }
    }
}

/// A moment as a row of a table: time and words.
pub(super) fn row(moment: &Moment) -> [String; 2] {
    let words = match &moment.what {
        Happened::Tested { number, version, problems, .. } => {
            let of = version.as_ref().map_or_else(|| "$LATEST".to_owned(), |version| format!("version {version}"));
            let end =
                if problems.is_empty() { "passed".to_owned() } else { format!("failed: {}", problems.join("; ")) };
            format!("smoke test {number} of {of} {end}")
        }
        Happened::Shifted { alias, version, percent } => format!("{percent} % of {alias} to version {version}"),
        Happened::TakenBack { alias, version, problem: None } => format!("all of {alias} back to version {version}"),
        Happened::TakenBack { alias, problem: Some(problem), .. } => format!("{alias} not taken back: {problem}"),
    };
    [format!("{:.1} s", moment.at.as_secs_f64()), words]
}

/// A time in seconds, to the millisecond.
pub(super) fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}
