//! All output of the tool: turns events into text in the CI's dialect.
//!
//! Seven observers receive every event, each with its own state: the log, the results, the JUnit report, the comment on the
//! pull request, the document of `--format json`, and the outcome. They return deliveries, and only [`deliver`] has effects. All output goes through
//! one sanitiser, for text from elsewhere, and one redactor, for secrets. Must not know how steps are executed.

mod checkout;
mod colour;
mod comment;
mod console;
mod deliver;
mod delivery;
mod dialect;
mod dialects;
mod ends;
mod feed;
mod files;
mod json;
mod junit;
mod line;
mod live;
mod log;
mod logged;
mod manner;
mod markdown;
mod members;
mod nonce;
mod observer;
mod outcome;
mod outputs;
mod overview;
mod page;
mod plain;
mod plan;
mod problems;
mod progress;
mod redactor;
mod release;
mod response;
mod results;
mod sanitise;
mod steps;
mod summary;
#[cfg(test)]
mod tests;
mod variables;

use std::sync::Arc;

pub(crate) use colour::Colour;
pub(crate) use console::{Console, mask};
pub(crate) use files::Files;
pub(crate) use manner::{Format, LogFormat, Manner, Wish, Wording};

use self::deliver::Courier;
use self::delivery::{Delivery, Stream};
use self::dialect::{Dialect, Level};
use self::feed::Feed;
use self::observer::{Observer, Surroundings};
use self::outcome::{Outcome, Verdict};
use crate::event::{Block, Event};
use crate::host::{Build, Ci, Host};
use crate::place::Problem;
use crate::verb::{StandardOutput, Verb};

/// What became of a run's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Printed {
    /// It was printed, or is a log that the run does not depend on.
    All,
    /// It was all that the run was for, and could not be printed.
    Lost,
}

/// Passes every event to every observer, and delivers what they return.
pub(crate) struct Reporter {
    format: Format,
    verb: Option<Verb>,
    /// The stream of the final error.
    error_stream: Stream,
    outcome: Outcome,
    /// In the order in which they finish. The log is last, because it shows the failed deliveries of the others.
    observers: Vec<Box<dyn Observer>>,
    /// Receives each event when it happens; absent: standard error takes text.
    feed: Option<Feed>,
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
        let surroundings = Surroundings { ci, host, build, nonce: nonce::nonce(), clock: Host::now };
        let dialect = dialects::of(ci, host, &surroundings.nonce);
        let courier = Courier::new(manner.format, host);
        let answers = verb.is_some_and(|verb| verb.row().output == StandardOutput::Result);
        console.keep_output_free(manner.format == Format::Json || answers);
        console.mask_with(dialect.mask.map(|mask| -> console::Mask {
            let courier = courier.clone();
            Arc::new(move |secret| courier.hide(mask(secret)))
        }));
        let (format, error_stream) = (manner.format, dialect.voice.error_stream());
        let outcome = Outcome::new(verb, &console, surroundings.clock);
        let feed = (manner.log == LogFormat::Json).then(|| Feed::new(&console, surroundings.clock));
        console.send_events(feed.is_some().then_some(surroundings.clock));
        let observers = observers(dialect, manner, verb, &surroundings, &console);
        let begin: Vec<_> = feed.iter().map(|feed| feed.begin(verb.map_or("usage", Verb::name))).collect();
        let mut reporter = Self { format, verb, error_stream, outcome, observers, feed, courier, console };
        reporter.deliver(begin);
        reporter
    }

    /// What standard output is for.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Reports an event, and the function or layer that it is about; `None`: it is about the run.
    pub(crate) fn report(&mut self, event: &Event, about: Option<&Block>) {
        self.feed(event, about);
        self.show(event, about);
    }

    /// Reports an event to programs that follow the run.
    pub(crate) fn feed(&mut self, event: &Event, about: Option<&Block>) {
        let lines = self.feed.as_mut().map(|feed| feed.receive(event, about));
        self.deliver(lines.unwrap_or_default());
    }

    /// Shows an event that was fed before.
    pub(crate) fn show(&mut self, event: &Event, about: Option<&Block>) {
        self.outcome.receive(event, about);
        for index in 0..self.observers.len() {
            let deliveries = self.observers[index].receive(event, about);
            self.deliver(deliveries);
        }
    }

    /// Ends the report. Returns whether the output reached standard output.
    pub(crate) fn finish(&mut self, exit_code: u8) -> Printed {
        self.report(&Event::StageDone, None);
        let verdict = self.outcome.verdict(exit_code);
        for index in 0..self.observers.len() {
            let deliveries = self.observers[index].finish(&verdict);
            self.deliver(deliveries);
        }
        let last = self.feed.as_mut().map(|feed| feed.finish(&verdict));
        self.deliver(last.unwrap_or_default());
        match self.console.output_error() {
            None => Printed::All,
            Some(error) => self.lost(&error, &verdict),
        }
    }

    /// Reports on standard error that standard output could not be written: an error if the output was all that the run
    /// was for, else a warning.
    fn lost(&self, error: &str, verdict: &Verdict) -> Printed {
        let exit_code = verdict.exit_code;
        if let (Err(cause), Stream::Output, true) = (verdict.ending(), self.error_stream, self.console.logs_to_output())
        {
            self.console.print(Stream::Error, &format!("error: {}", sanitise::inert(cause)));
        }
        let changes = matches!(self.verb, Some(Verb::Deploy | Verb::Delete | Verb::Rollback));
        let is_log = changes && self.format == Format::Text && verdict.planned.is_empty();
        if is_log || verdict.ending().is_err() {
            let message = format!("the log is not complete: {error}");
            self.console.print_error(
                Level::Warning,
                &message,
                &format!("the exit code {exit_code} is that of the run itself"),
            );
            Printed::All
        } else {
            self.console.print_error(Level::Error, error, console::OUTPUT_HELP);
            Printed::Lost
        }
    }

    /// Makes deliveries, and warns about those that failed.
    fn deliver(&mut self, deliveries: Vec<Delivery>) {
        for warning in self.courier.deliver(deliveries, &self.console) {
            self.report(&Event::Warning(Problem::warning(warning)), None);
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
    let mut observers: Vec<Box<dyn Observer>> = Vec::new();
    if let Some(comment) = manner.comment.as_ref().and_then(|wish| comment::Comment::of(wish, surroundings, console)) {
        observers.push(Box::new(comment));
    }
    observers.push(Box::new(results));
    if let Some(file) = &manner.junit {
        observers.push(Box::new(junit::Junit::new(file, &surroundings.host.directory, console)));
    }
    observers.push(Box::new(log::Log::new(voice, manner, surroundings, console)));
    // A log is one document for each event.
    if manner.format == Format::Json && verb != Some(Verb::Logs) {
        observers.push(Box::new(json::Document::new(verb.map_or("usage", Verb::name), console)));
    }
    observers
}

#[cfg(test)]
#[path = "../../tests/suite/harness/oracles.rs"]
mod oracles;
