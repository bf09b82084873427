//! What every observer is: it receives events and returns deliveries.

use std::time::Duration;

use super::console::Console;
use super::delivery::Delivery;
use super::outcome::Verdict;
use crate::event::{Block, Event};
use crate::host::{Build, Ci, Host};
use crate::place::Problem;

/// The most characters of a value that an error or warning shows whole: an ARN is shorter.
const MOST_OF_VALUE: usize = 200;

/// The characters that it shows of a longer value.
const SHOWN_OF_VALUE: usize = 60;

/// Turns events into deliveries.
pub(super) trait Observer {
    /// Receives an event, and the function or layer that it is about; `None`: it is about the run.
    fn receive(&mut self, event: &Event, about: Option<&Block>) -> Vec<Delivery>;

    /// Receives the end of the run.
    fn finish(&mut self, verdict: &Verdict) -> Vec<Delivery>;
}

/// The environment of the observers.
pub(super) struct Surroundings<'a> {
    pub ci: Ci,
    pub host: &'a Host,
    pub build: Build,
    /// An unpredictable text.
    pub nonce: String,
    /// The time since the Unix epoch.
    pub clock: fn() -> Duration,
}

/// A problem without secrets. Must happen before its text is escaped.
pub(super) fn redacted(problem: &Problem, console: &Console) -> Problem {
    let redacted = |text: &str| console.redact(text).into_owned();
    // After the search for secrets: it does not find one that was cut.
    let (message, help) = (shortened(&redacted(&problem.message)), problem.help.as_deref().map(redacted));
    Problem { message, help, ..problem.clone() }
}

/// The text, with only the begin of each long value between backticks.
fn shortened(text: &str) -> String {
    let short = |part: &str| match part.char_indices().nth(MOST_OF_VALUE) {
        Some(_) => part.chars().take(SHOWN_OF_VALUE).chain(['…']).collect(),
        None => part.to_owned(),
    };
    let part = |(index, part): (usize, &str)| if index % 2 == 0 { part.to_owned() } else { short(part) };
    text.split('`').enumerate().map(part).collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_values_are_shortened() {
        let (long, arn) = ("x".repeat(5000), "a".repeat(MOST_OF_VALUE));
        let short = format!("{}…", "x".repeat(SHOWN_OF_VALUE));
        for (text, expected) in [
            (format!("`{long}` and `{arn}`"), format!("`{short}` and `{arn}`")),
            (format!("`a`{long}`{long}"), format!("`a`{long}`{short}")),
            (long.clone(), long.clone()),
            (String::new(), String::new()),
        ] {
            assert_eq!(shortened(&text), expected);
        }
    }
}
