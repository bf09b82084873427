//! What a step is about, for whoever tells of it.

use std::borrow::Cow;

use super::step::{Action, CodeChange, Object};
use crate::settings::{AliasName, Difference};

/// A step as it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct View<'a> {
    /// What happens.
    pub action: Action,
    /// What it happens to, in a word or two.
    pub subject: &'static str,
    /// Its name in documents, which never changes.
    pub id: Cow<'static, str>,
    /// What it does, as the rest of a sentence: "stopped at: …".
    pub title: String,
    /// What the log says when it begins: the beginning of a sentence; absent where it says nothing.
    pub begins: Option<String>,
    /// Whose step it is.
    pub whose: Whose,
    /// The step in one line.
    pub line: Line<'a>,
    /// Both ends of all that changes.
    pub changes: Vec<Difference>,
}

/// Whose step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The function's, which does not exist yet.
    NewFunction,
    /// The function's, which exists.
    Function,
    /// That of something the function needs, or of a layer.
    Other,
}

/// A step in one line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line<'a> {
    /// The words that it begins with; may be empty.
    pub words: String,
    /// How many of the changes it tells, from the first on. The others stand below it.
    pub told: usize,
    /// Whether both ends of the first change follow the words.
    pub ends: bool,
    /// Whether it tells the setting of the changes below it, and their key where they have members: what is left of
    /// their names says enough.
    pub tells_setting: bool,
    /// The alias that it belongs to; absent for the function itself.
    pub alias: Option<&'a AliasName>,
    /// What is sent; absent for nothing.
    pub sent: Option<Sent<'a>>,
}

/// What is sent with a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sent<'a> {
    /// A package into a bucket.
    Object(&'a Object),
    /// What something new is made of.
    New(&'a CodeChange),
    /// What something that exists is made of from then on.
    Replacement(&'a CodeChange),
}

impl Line<'_> {
    pub(super) fn of(words: impl Into<String>) -> Self {
        Self { words: words.into(), ..Self::default() }
    }
}

impl<'a> View<'a> {
    pub(super) fn of(
        action: Action,
        subject: &'static str,
        title: &str,
        line: Line<'a>,
        changes: Vec<Difference>,
    ) -> Self {
        let id = Cow::Owned(format!("{}_{subject}", verb(action)));
        let (title, whose) = (title.to_owned(), Whose::Function);
        Self { action, subject, id, title, begins: None, whose, line, changes }
    }

    pub(super) fn begins(self, begins: impl Into<String>) -> Self {
        Self { begins: Some(begins.into()), ..self }
    }

    pub(super) fn known_as(self, id: &'static str) -> Self {
        Self { id: Cow::Borrowed(id), ..self }
    }

    pub(super) fn belonging_to(self, whose: Whose) -> Self {
        Self { whose, ..self }
    }
}

pub(super) const fn verb(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Remove => "remove",
    }
}
