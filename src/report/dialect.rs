//! The dialect of a CI: how to write to its log, and how to use its features.
//!
//! A dialect has two parts: a voice writes the log; a board uses what the CI shows beside the log or passes to later
//! steps. Both turn events into deliveries and have no effects of their own. The default of each method is plain text,
//! so a CI without features needs no file. The arguments are already redacted, but not sanitised.

use std::path::Path;
use std::time::Duration;

use super::delivery::{Delivery, Stream};
use super::sanitise;
use crate::event::Stage;
use crate::place::{Place, Problem};

/// An output: name and value.
pub(super) type Output = (&'static str, String);

/// How the run ended: what was done, or why it failed. Both in a few words.
pub(super) type Ending<'a> = Result<&'a str, &'a str>;

/// Makes the delivery that tells the CI to hide a value in its log.
pub(super) type Mask = fn(&str) -> Delivery;

/// The dialect of a CI.
pub(super) struct Dialect {
    pub voice: Box<dyn Voice>,
    pub board: Box<dyn Board>,
    /// Absent: the CI cannot hide a value.
    pub mask: Option<Mask>,
}

/// Writes what a CI reads in its log. The texts are commands of the CI.
pub(super) trait Voice {
    /// Opens a group, if the CI has groups. `now` is the time since the Unix epoch.
    fn open(&mut self, stage: Stage, now: Duration) -> Option<String> {
        let _ = (stage, now);
        None
    }

    /// Closes the group opened last.
    fn close(&mut self, now: Duration) -> Option<String> {
        let _ = now;
        None
    }

    /// How many annotations of a level the CI keeps; 0: the CI has no annotations.
    fn most_annotations(&self) -> usize {
        0
    }

    /// The annotation of a problem.
    fn annotate(&mut self, level: Level, problem: &Problem) -> Option<String> {
        let _ = (level, problem);
        None
    }

    /// A link that people can click.
    fn link(&self, label: &str, url: &str) -> Option<String> {
        let _ = (label, url);
        None
    }

    /// The end of the run.
    fn end(&mut self, ending: Ending<'_>) -> Option<String> {
        let _ = ending;
        None
    }

    /// The stream of the final error. In a CI it is standard output: two streams would lose their order, Azure has
    /// `failOnStderr`, and `TeamCity` shows standard error as warnings.
    fn error_stream(&self) -> Stream {
        Stream::Output
    }
}

/// Writes what a CI shows beside its log or passes to later steps.
pub(super) trait Board {
    /// Receives a problem.
    fn note(&mut self, level: Level, problem: &Problem) -> Vec<Delivery> {
        let _ = (level, problem);
        Vec::new()
    }

    /// Passes outputs to later steps.
    fn outputs(&self, outputs: &[Output]) -> Vec<Delivery> {
        let _ = outputs;
        Vec::new()
    }

    /// Shows the summary, in Markdown. `file` is its file, if it has been written to one.
    fn summary(&self, markdown: &str, file: Option<&Path>) -> Vec<Delivery> {
        let _ = (markdown, file);
        Vec::new()
    }

    /// Deliveries at the end of the run.
    fn end(&self, ending: Ending<'_>) -> Vec<Delivery> {
        let _ = ending;
        Vec::new()
    }
}

/// The level of a message. A notice is not about a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    /// The name of the level.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// The text of an annotation: the problem, its place unless the annotation points there, and the help.
pub(super) fn annotation_text(problem: &Problem) -> String {
    let mut text = sanitise::inert(&problem.text());
    let there = problem.file.is_none() && problem.place.as_ref().is_some_and(|place| place.in_file().is_some());
    if let Some(place) = problem.place.as_ref().filter(|_| !there) {
        text = format!("{text} ({})", sanitise::one_line(&Place::to_string(place)));
    }
    match &problem.help {
        Some(help) => format!("{text}\nhelp: {}", sanitise::inert(help)),
        None => text,
    }
}
