//! A release as it goes: what was tested, with its time.

use std::time::Duration;

use serde_json::{Value, json};

use crate::event::{Happened, Held, Moment, Traffic};

/// The subjects of steps that change `$LATEST`.
const LATEST: [&str; 3] = ["function", "configuration", "code"];

/// The lines of the log about a moment. In a run of several functions, they name the function.
pub(super) fn moment(moment: &Moment, is_one_of_several: bool) -> Vec<String> {
    let of = if is_one_of_several { format!(" of {}", moment.function) } else { String::new() };
    match &moment.what {
        Happened::Tested { number, version, problems, log, again } => {
            let version = version.as_ref().map_or_else(|| "$LATEST".to_owned(), |version| format!("version {version}"));
            let log = log.iter().map(|line| format!("  {line}"));
            let test = format!("Smoke test {number} of {version}{of}");
            let line = match (problems.is_empty(), again) {
                (true, _) => format!("{test} passed."),
                (false, true) => format!("{test} failed, and runs again: {}", problems.join("; ")),
                (false, false) => format!("{test} failed."),
            };
            log.chain([line]).collect()
        }
        Happened::Shifted { alias, version, percent } => {
            vec![format!("Version {version}{of} gets {percent} % of the traffic of {alias}.")]
        }
        Happened::TakenBack { alias, version, problem: None } => {
            vec![format!("Version {version}{of} gets all traffic of {alias} again.")]
        }
        Happened::TakenBack { alias, problem: Some(problem), .. } => {
            vec![format!("The traffic of {alias}{of} could not be taken back: {problem}")]
        }
    }
}

/// The lines about a function that has no traffic, because another one failed.
pub(super) fn held(held: &Held) -> Vec<String> {
    let state = format!("{} {}: {}.", state(&held.traffic), held.function, held_in_short(held));
    vec![state, progress(&held.done, &held.begun, &held.not_done)]
}

/// What was done, was begun and was not done.
pub(super) fn progress(done: &[&str], begun: &[&str], not_done: &[&str]) -> String {
    let words = |words: &[&str]| if words.is_empty() { "nothing".to_owned() } else { words.join(", ") };
    let begun = if begun.is_empty() { String::new() } else { format!("  begun: {}.", words(begun)) };
    format!("done: {}.{begun}  not done: {}", words(done), words(not_done))
}

/// What happened to a function after the failure of another one.
pub(super) fn state(traffic: &Traffic) -> &'static str {
    match traffic {
        Traffic::Back(_) => "Took back",
        Traffic::Stayed(_) | Traffic::New => "Held back",
    }
}

/// Where the alias, the version and `$LATEST` of a function are, after the failure of another one.
pub(super) fn held_in_short(held: &Held) -> String {
    let Held { alias, version, traffic, done, .. } = held;
    let (place, current) = match traffic {
        Traffic::Stayed(Some(current)) => (format!("{alias} stays at version {current}"), Some(current)),
        Traffic::Stayed(None) => (format!("{alias} is not created"), None),
        Traffic::Back(current) => (format!("{alias} is at version {current} again"), Some(current)),
        Traffic::New => (format!("{alias} is new, so it has no version to go back to, and stays"), version.as_ref()),
    };
    let version = version.as_ref().filter(|version| Some(*version) != current);
    let version = version.map(|version| format!("version {version} is published and gets no traffic"));
    let sent: Vec<_> = done.iter().copied().filter(|done| LATEST.contains(done)).collect();
    let latest = (!sent.is_empty()).then(|| format!("$LATEST has the new {}", sent.join(" and ")));
    [Some(place), version, latest].into_iter().flatten().collect::<Vec<_>>().join("; ")
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
