//! How a CI wants to be spoken to, and which dialect a CI has.
//!
//! A dialect is two things: a voice for the log, and a board for what the CI shows beside it and hands to later steps.
//! Both are functions from what happened to deliveries: they know the surroundings as a value and have no effect. Every
//! method has a form that is right for plain text, so a CI that has nothing needs no file. Everything given has been
//! redacted, nothing has been sanitised.

use std::path::Path;
use std::time::Duration;

use super::checkout::Checkout;
use super::deliver::{Delivery, Stream};
use super::event::Stage;
use super::{
    appveyor, azure, bitbucket, buildkite, circleci, drone, github, gitlab, plain, sanitise, teamcity, travis,
};
use crate::host::{Ci, Host};
use crate::place::{Place, Problem};

/// A result by its name.
pub(super) type Output = (&'static str, String);

/// How the run ended: what was done in a few words, or why it failed.
pub(super) type Ending<'a> = Result<&'a str, &'a str>;

/// What hides a value in the CI's own log.
pub(super) type Mask = fn(&str) -> Delivery;

/// The dialect of a CI.
pub(super) struct Dialect {
    pub voice: Box<dyn Voice>,
    pub board: Box<dyn Board>,
    /// Absent where the CI cannot hide a value.
    pub mask: Option<Mask>,
}

/// What a CI reads in its log. The texts are its commands.
pub(super) trait Voice {
    /// Opens a group, if there is such a thing. `now` is the time since the Unix epoch.
    fn open(&mut self, stage: Stage, now: Duration) -> Option<String> {
        let _ = (stage, now);
        None
    }

    /// Closes the group that was opened last.
    fn close(&mut self, now: Duration) -> Option<String> {
        let _ = now;
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

    /// A link that people can follow.
    fn link(&self, label: &str, url: &str) -> Option<String> {
        let _ = (label, url);
        None
    }

    /// The last word.
    fn end(&mut self, ending: Ending<'_>) -> Option<String> {
        let _ = ending;
        None
    }

    /// Where the final error goes. A log has its order only in one stream (`failOnStderr` of Azure, `TeamCity`'s
    /// warnings), so it is standard output wherever a CI reads it.
    fn error_stream(&self) -> Stream {
        Stream::Output
    }
}

/// What a CI shows beside its log and hands to later steps.
pub(super) trait Board {
    /// Takes in a problem.
    fn note(&mut self, level: Level, problem: &Problem) -> Vec<Delivery> {
        let _ = (level, problem);
        Vec::new()
    }

    /// Hands results to the steps after this one.
    fn outputs(&self, outputs: &[Output]) -> Vec<Delivery> {
        let _ = outputs;
        Vec::new()
    }

    /// Shows a page on the run, in Markdown; `file` is where it has been written already, if it has.
    fn summary(&self, markdown: &str, file: Option<&Path>) -> Vec<Delivery> {
        let _ = (markdown, file);
        Vec::new()
    }

    /// What is shown once everything is known.
    fn end(&self, ending: Ending<'_>) -> Vec<Delivery> {
        let _ = ending;
        Vec::new()
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

/// The dialect of a CI. A further one is a file beside this and a line here. `nonce` is a text that nobody can foresee.
pub(super) fn of(ci: Ci, host: &Host, nonce: &str) -> Dialect {
    let checkout = Checkout::of(ci, host);
    match ci {
        Ci::GitHub | Ci::Gitea => Dialect {
            voice: Box::new(github::Voice { checkout }),
            board: Box::new(github::Board::new(host, nonce)),
            mask: github::mask(host),
        },
        Ci::GitLab => Dialect::of_voice(gitlab::Voice::default()),
        Ci::Travis => Dialect::of_voice(travis::Voice::default()),
        Ci::Azure => Dialect {
            voice: Box::new(azure::Voice { checkout }),
            board: Box::new(azure::Board::new(host, nonce)),
            mask: None,
        },
        Ci::Buildkite => Dialect {
            voice: Box::new(buildkite::Voice),
            board: Box::new(buildkite::Board::new(host)),
            mask: Some(buildkite::mask),
        },
        Ci::TeamCity => {
            Dialect { voice: Box::new(teamcity::Voice::new(checkout)), board: Box::new(teamcity::Board), mask: None }
        }
        Ci::CircleCi => Dialect::of_board(circleci::Board::new(host)),
        Ci::Bitbucket => Dialect::of_board(bitbucket::Board::new(host, checkout)),
        Ci::Drone => Dialect::of_board(drone::Board::new(host)),
        Ci::AppVeyor => Dialect::of_board(appveyor::Board::new(host, checkout)),
        Ci::Woodpecker | Ci::CodeBuild | Ci::Jenkins | Ci::Generic => Dialect::of_voice(plain::Voice::InCi),
        Ci::None => Dialect::of_voice(plain::Voice::Alone),
    }
}

impl Dialect {
    fn of_voice(voice: impl Voice + 'static) -> Self {
        Self { voice: Box::new(voice), board: Box::new(Nothing), mask: None }
    }

    fn of_board(board: impl Board + 'static) -> Self {
        Self { voice: Box::new(plain::Voice::InCi), board: Box::new(board), mask: None }
    }
}

/// No board.
struct Nothing;

impl Board for Nothing {}

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
