//! What a dialect is, and which one a CI has.
//!
//! Every method has a form that is right for plain text, so a CI that has nothing needs no file.

use std::path::Path;
use std::sync::Arc;

use super::checkout::Checkout;
use super::event::Stage;
use super::{
    appveyor, azure, bitbucket, buildkite, circleci, drone, github, gitlab, plain, sanitise, teamcity, travis,
};
use crate::host::{Ci, Host};
use crate::place::{Place, Problem};

/// Lines for the log, or what could not be done.
pub(super) type Handed = Result<Option<String>, String>;

/// Tells a CI to hide a value in its log; the command for that comes back where one has to be printed.
pub(super) type Mask = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// A result by its name.
pub(super) type Output = (&'static str, String);

/// How a CI wants to be spoken to. What returns a text returns commands for its log; they are only printed where the
/// log is what standard output is for. Everything given has been redacted, nothing has been sanitised.
pub(super) trait Dialect {
    /// The lines that open a group, if there is such a thing.
    fn open(&mut self, stage: Stage) -> Option<String> {
        let _ = stage;
        None
    }

    /// The lines that close the group opened last.
    fn close(&mut self) -> Option<String> {
        None
    }

    /// How many annotations of a level the CI keeps; none where problems are only text.
    fn most_annotations(&self) -> usize {
        0
    }

    /// A problem as an annotation.
    fn annotate(&mut self, level: Level, problem: &Problem) -> Option<String> {
        let _ = (level, problem);
        None
    }

    /// Takes in every problem, for what the CI shows beside its log.
    fn note(&mut self, level: Level, problem: &Problem) {
        let _ = (level, problem);
    }

    /// What tells the CI to hide a value in its log, where it can be told.
    fn mask(&self) -> Option<Mask> {
        None
    }

    /// Hands results over to the steps after this one.
    fn outputs(&mut self, outputs: &[Output]) -> Handed {
        let _ = outputs;
        Ok(None)
    }

    /// Shows a page on the run, in Markdown; `file` is where it has been written already, if it has.
    fn summary(&mut self, markdown: &str, file: Option<&Path>) -> Handed {
        let _ = (markdown, file);
        Ok(None)
    }

    /// A link that people can follow.
    fn link(&mut self, label: &str, url: &str) -> Option<String> {
        let _ = (label, url);
        None
    }

    /// The last word: what was done in a few words, or why the run failed.
    fn end(&mut self, ending: Result<&str, &str>) -> Handed {
        let _ = ending;
        Ok(None)
    }

    /// Where the final error goes. A log has its order only in one stream (`failOnStderr` of Azure, `TeamCity`'s
    /// warnings), so it is standard output wherever a CI reads it.
    fn error_stream(&self) -> Stream {
        Stream::Output
    }
}

/// How bad a problem is; a notice is about none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    /// The word before a problem.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// One of the two streams of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Output,
    Error,
}

/// The dialect of a CI. A further one is a file beside this and a line here.
pub(super) fn of(ci: Ci, host: &Host) -> Box<dyn Dialect> {
    let checkout = Checkout::of(ci, host);
    match ci {
        Ci::GitHub | Ci::Gitea => Box::new(github::GitHub::new(host, checkout)),
        Ci::GitLab => Box::new(gitlab::GitLab::default()),
        Ci::Travis => Box::new(travis::Travis::default()),
        Ci::Azure => Box::new(azure::Azure::new(host, checkout)),
        Ci::Buildkite => Box::new(buildkite::Buildkite::new(host)),
        Ci::CircleCi => Box::new(circleci::CircleCi::new(host)),
        Ci::TeamCity => Box::new(teamcity::TeamCity::new(checkout)),
        Ci::Bitbucket => Box::new(bitbucket::Bitbucket::new(host, checkout)),
        Ci::Drone => Box::new(drone::Drone::new(host)),
        Ci::AppVeyor => Box::new(appveyor::AppVeyor::new(host, checkout)),
        Ci::Woodpecker | Ci::CodeBuild | Ci::Jenkins | Ci::Generic => Box::new(plain::Plain::InCi),
        Ci::None => Box::new(plain::Plain::Alone),
    }
}

/// What an annotation says: the problem, where it was written unless the annotation stands there, and what to do.
pub(super) fn told(problem: &Problem) -> String {
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
