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
    };
    [format!("{:.1} s", moment.at.as_secs_f64()), words]
}

/// A time in seconds, to the millisecond.
pub(super) fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}
