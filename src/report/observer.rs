//! What every observer is: it receives events and returns deliveries.

use std::time::Duration;

use super::console::Console;
use super::delivery::Delivery;
use super::outcome::Verdict;
use crate::event::{Block, Event};
use crate::host::{Build, Ci, Host};
use crate::place::Problem;

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
    let (message, help) = (redacted(&problem.message), problem.help.as_deref().map(redacted));
    Problem { message, help, ..problem.clone() }
}
