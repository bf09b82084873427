//! How the user wants a run to be reported.

use super::colour::Colour;
use super::files::Files;
use crate::files::Destination;
use crate::settings::Secret;

/// How to report a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    /// What standard output is for.
    pub format: Format,
    /// What standard error is for.
    pub log: LogFormat,
    /// Whether to colour the log.
    pub colour: Colour,
    /// Whether to show only results, warnings and errors.
    pub quiet: bool,
    /// Whether to show everything.
    pub verbose: bool,
    /// Whose words the log uses.
    pub wording: Wording,
    /// The path of the JUnit report; absent: none is written.
    pub junit: Option<Destination>,
    /// The files for results that the user names.
    pub files: Files,
    /// The comment on the pull request; absent: none is written.
    pub comment: Option<Wish>,
}

/// What the user wants of a comment.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// The token that the user gave; absent: that of the CI.
    pub token: Option<Secret>,
    /// The configuration file, or else the folder, from the root of the checkout.
    pub file: String,
}

/// Whose words the log uses where dpl has its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Wording {
    /// The words of this tool.
    #[default]
    Own,
    /// The words of dpl, which logs of Travis have.
    Dpl,
}

/// What standard error is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Text for people.
    #[default]
    Text,
    /// A line of JSON for each event, and nothing else.
    Json,
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
