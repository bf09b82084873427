//! Where a value came from, and what is wrong there or why it does not count.
//!
//! Knows flags, variables and files as places. Must not know what any option means.

use std::collections::BTreeMap;
use std::{fmt, sync::Arc};

/// Where each option was written, by its name; an item of a list also by `NAME: ITEM`.
pub type Places = BTreeMap<String, Place>;

/// Where a value was written by the user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A position in a file; the only place an annotation can point at.
    File(FilePlace),
    /// An environment variable, by its full name.
    Variable(String),
    /// A command-line flag, as the user would write it.
    Flag(String),
}

/// A position in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilePlace {
    /// The path as it was given or found, relative to the working directory where possible.
    pub path: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
}

impl Place {
    /// A place in a file.
    pub fn file(path: &Arc<str>, line: u32, column: u32) -> Self {
        Self::File(FilePlace { path: Arc::clone(path), line, column })
    }

    /// The position in a file, where this is one.
    pub fn in_file(&self) -> Option<&FilePlace> {
        match self {
            Self::File(place) => Some(place),
            Self::Variable(_) | Self::Flag(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(FilePlace { path, line, column }) => write!(out, "{path}:{line}:{column}"),
            Self::Variable(name) | Self::Flag(name) => out.write_str(name),
        }
    }
}

/// One thing that is wrong, or worth a warning: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it is; absent when nothing was written, as for a missing option.
    pub place: Option<Place>,
    /// The option it concerns, by its canonical name.
    pub option: Option<String>,
    /// The file it is about, for an annotation to point at instead; absent where the place says it.
    pub file: Option<String>,
    /// What is wrong: a lowercase fragment without a full stop.
    pub message: String,
    /// What to do about it; absent when the message says it already.
    pub help: Option<String>,
}

impl Problem {
    /// A problem that belongs to no option and no place yet.
    pub fn new(message: impl Into<String>) -> Self {
        Self { place: None, option: None, file: None, message: message.into(), help: None }
    }

    /// The same problem, at a place.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// The same problem, about an option.
    #[must_use]
    pub fn of(mut self, option: impl Into<String>) -> Self {
        self.option = Some(option.into());
        self
    }

    /// The same problem, with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(option) = &self.option {
            write!(out, "{option}: ")?;
        }
        out.write_str(&self.message)?;
        if let Some(place) = &self.place {
            write!(out, " ({place})")?;
        }
        Ok(())
    }
}

/// A block that is left out of a run, and the condition that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// The function of the block; absent where it has none, or none in this build.
    pub function: Option<String>,
    /// The layer of the block; absent where that is not what it is for.
    pub layer: Option<String>,
    /// The option or condition that decided it, as `on.branch`.
    pub option: String,
    /// What it wants; any of these would do.
    pub wanted: Vec<String>,
    /// What was found instead; absent where there is nothing.
    pub found: Option<String>,
    /// Both in words.
    pub message: String,
    /// Where it was written.
    pub place: Option<Place>,
    /// The words that Travis has for it; absent for a block of another file than Travis'.
    pub in_travis_words: Option<String>,
}

impl fmt::Display for Skip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.function, &self.layer) {
            (Some(function), _) => write!(out, "`{function}`: ")?,
            (None, Some(layer)) => write!(out, "the layer `{layer}`: ")?,
            (None, None) => out.write_str("a block: ")?,
        }
        write!(out, "`{}` {}", self.option, self.message)?;
        match &self.place {
            Some(place) => write!(out, " ({place})"),
            None => Ok(()),
        }
    }
}
