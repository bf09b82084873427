//! All output of the tool: turns events into text in the CI's dialect.
//!
//! Five observers receive every event, each with its own state: the log, the results, the JUnit report, the document of
//! `--format json`, and the outcome. They return deliveries, and only [`deliver`] has effects. All output goes through
//! one sanitiser, for text from elsewhere, and one redactor, for secrets. Must not know how steps are executed.

mod checkout;
mod colour;
mod console;
mod deliver;
mod delivery;
mod dialect;
mod dialects;
mod ends;
mod files;
mod json;
mod junit;
mod live;
mod log;
mod members;
mod outcome;
mod plain;
mod plan;
mod progress;
mod redactor;
mod results;
mod sanitise;
mod summary;
#[cfg(test)]
mod tests;
mod variables;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use colour::Colour;
pub(crate) use console::{Console, mask};
pub(crate) use files::Files;

use self::deliver::Courier;
use self::delivery::Delivery;
use self::dialect::Dialect;
use self::outcome::{Outcome, Verdict};
use crate::event::Event;
use crate::files::Destination;
use crate::host::{Build, Ci, Host};
use crate::place::Problem;
use crate::verb::{Owner, Verb};

/// How to report a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    /// What standard output is for.
    pub format: Format,
    /// Whether to colour the log.
    pub colour: Colour,
    /// Whether to show only results, warnings and errors.
    pub quiet: bool,
    /// The path of the JUnit report; absent: none is written.
    pub junit: Option<Destination>,
    /// The files for results that the user names.
    pub files: Files,
}

/// What standard output is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text for people and the CI.
    #[default]
    Text,
    /// One JSON document; everything else goes to standard error.
    Json,
}

/// Turns events into deliveries.
trait Observer {
    /// Receives an event.
    fn see(&mut self, event: &Event) -> Vec<Delivery>;

    /// Receives the end of the run.
    fn finish(&mut self, verdict: &Verdict) -> Vec<Delivery>;
}

/// The environment of the observers.
struct Surroundings<'a> {
    ci: Ci,
    host: &'a Host,
    build: Build,
    /// An unpredictable text.
    nonce: String,
    /// The time since the Unix epoch.
    clock: fn() -> Duration,
}

/// Passes every event to every observer, and delivers what they return.
pub(crate) struct Reporter {
    format: Format,
    outcome: Outcome,
    /// In the order in which they finish. The log is last, because it shows the failed deliveries of the others.
    observers: Vec<Box<dyn Observer>>,
    courier: Courier,
    console: Console,
}

impl Reporter {
    /// A reporter in the dialect of a CI. `verb` is absent if the command line is wrong.
    pub(crate) fn new(
        ci: Ci,
        host: &Host,
        build: Build,
        manner: &Manner,
        verb: Option<Verb>,
        console: Console,
    ) -> Self {
        let surroundings = Surroundings { ci, host, build, nonce: deliver::nonce(), clock: Host::now };
        let dialect = dialects::of(ci, host, &surroundings.nonce);
        let courier = Courier::new(manner.format, host);
        let answers = verb.is_some_and(|verb| verb.row().output == Owner::Answer);
        console.keep_output_free(manner.format == Format::Json || answers);
        console.mask_with(dialect.mask.map(|mask| -> console::Mask {
            let courier = courier.clone();
            Arc::new(move |secret| courier.hide(mask(secret)))
        }));
        let (format, outcome) = (manner.format, Outcome::new(verb, &console));
        let observers = observers(dialect, manner, verb, &surroundings, &console);
        Self { format, outcome, observers, courier, console }
    }

    /// What standard output is for.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Reports an event.
    pub(crate) fn report(&mut self, event: &Event) {
        self.outcome.see(event);
        for index in 0..self.observers.len() {
            let deliveries = self.observers[index].see(event);
            self.deliver(deliveries);
        }
    }

    /// Ends the report.
    pub(crate) fn finish(&mut self, exit_code: u8) {
        self.report(&Event::StageDone);
        let verdict = self.outcome.verdict(exit_code);
        for index in 0..self.observers.len() {
            let deliveries = self.observers[index].finish(&verdict);
            self.deliver(deliveries);
        }
    }

    /// Makes deliveries, and warns about those that failed.
    fn deliver(&mut self, deliveries: Vec<Delivery>) {
        for warning in self.courier.deliver(deliveries, &self.console) {
            self.report(&Event::Warning(Problem::warning(warning)));
        }
    }
}

/// The observers of a run, except its outcome.
fn observers(
    Dialect { voice, board, .. }: Dialect,
    manner: &Manner,
    verb: Option<Verb>,
    surroundings: &Surroundings<'_>,
    console: &Console,
) -> Vec<Box<dyn Observer>> {
    let results = results::Results::new(board, manner, verb, surroundings, console);
    let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(results)];
    if let Some(file) = &manner.junit {
        observers.push(Box::new(junit::Junit::new(file, &surroundings.host.directory, console)));
    }
    observers.push(Box::new(log::Log::new(voice, manner, surroundings, console)));
    if manner.format == Format::Json {
        observers.push(Box::new(json::Document::new(verb.map_or("usage", Verb::name), console)));
    }
    observers
}

/// A problem without secrets. Must happen before its text is escaped.
fn redacted(problem: &Problem, console: &Console) -> Problem {
    let redacted = |text: &str| console.redact(text).into_owned();
    let (message, help) = (redacted(&problem.message), problem.help.as_deref().map(redacted));
    Problem { message, help, ..problem.clone() }
}

#[cfg(test)]
#[path = "../../tests/suite/harness/oracles.rs"]
mod oracles;
