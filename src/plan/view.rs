//! How a step is shown, as data for every report.

use std::borrow::Cow;

use serde_json::Value;

use super::action::Action;
use super::code::{CodeChange, Object};
use crate::package::FileChanges;
use crate::reference::Borrowed;
use crate::settings::{AliasName, Aspect, Difference, End, SettingName};

/// The length of the shortest value that is found inside of the words of a line. A shorter one may be an ordinary word.
const LEAST_IN_WORDS: usize = 8;

/// A step, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View<'a> {
    /// The kind of change.
    pub action: Action,
    /// The thing that changes, in one or two words.
    pub subject: &'static str,
    /// Its id in machine-readable output, such as `update_code`. It is stable.
    pub id: Cow<'static, str>,
    /// The step as the rest of a sentence: "stopped at: …".
    pub title: String,
    /// The log line for the start of the step; absent if the log has none.
    pub begins: Option<String>,
    /// The thing that the step belongs to.
    pub whose: Whose,
    /// The step in one line.
    pub line: Line<'a>,
    /// Every change, with its old and new value.
    pub changes: Vec<Difference>,
}

/// The thing that the step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A function that does not exist yet.
    NewFunction,
    /// A function that exists.
    Function,
    /// A layer, or something that the function needs, such as its role.
    Other,
}

/// A step in one line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Line<'a> {
    /// The first words of the line; may be empty.
    pub words: String,
    /// The number of changes that the line itself shows, from the first on. The others are listed below it.
    pub shown: usize,
    /// Whether the old and new value of the first change follow the words.
    pub ends: bool,
    /// Whether the line already shows the setting and the key of the changes below it, so that these need only their
    /// members.
    pub shows_setting: bool,
    /// The alias that the change belongs to; absent for the function itself.
    pub alias: Option<&'a AliasName>,
    /// The code that is sent; absent if the step sends none.
    pub sent: Option<Sent<'a>>,
}

/// The code that a step sends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sent<'a> {
    /// A package for a bucket.
    Object(&'a Object),
    /// The code of a new function or layer.
    New(&'a CodeChange),
    /// The new code of an existing function.
    Replacement(&'a CodeChange),
}

impl Line<'_> {
    pub(super) fn of(words: impl Into<String>) -> Self {
        Self { words: words.into(), ..Self::default() }
    }
}

impl<'a> View<'a> {
    /// The files that the step changes in the live package; `None` if it changes none, or they are unknown.
    pub(crate) fn files(&self) -> Option<&'a FileChanges> {
        match self.line.sent {
            Some(Sent::New(code) | Sent::Replacement(code)) => code.changes.as_ref(),
            Some(Sent::Object(_)) | None => None,
        }
    }

    /// The names that built-in rules left out of the package that the step sends.
    pub(crate) fn left_out(&self) -> &'a [String] {
        match self.line.sent {
            Some(Sent::New(code) | Sent::Replacement(code)) => &code.left_out,
            Some(Sent::Object(_)) | None => &[],
        }
    }

    /// The view with references in the place of the values that come from elsewhere.
    pub(super) fn with_references(mut self, borrowed: &[Borrowed]) -> Self {
        for borrowed in borrowed {
            let Some(value) = borrowed.value.as_ref().map(|value| value.expose().trim()) else { continue };
            if self.line.words == value || value.len() >= LEAST_IN_WORDS {
                self.line.words = self.line.words.replace(value, &borrowed.shown());
            }
        }
        for change in &mut self.changes {
            for borrowed in borrowed {
                if !is_about(change, borrowed) {
                    continue;
                }
                for end in [&mut change.from, &mut change.to].into_iter().flatten() {
                    show_reference(end, borrowed);
                }
                if change.about == Aspect::Setting(SettingName::Environment)
                    && matches!(change.to, Some(End::Hidden(_)))
                {
                    change.to = Some(End::Value(borrowed.shown().into()));
                }
            }
        }
        self
    }

    pub(super) fn of(
        action: Action,
        subject: &'static str,
        title: &str,
        line: Line<'a>,
        changes: Vec<Difference>,
    ) -> Self {
        let id = Cow::Owned(format!("{}_{subject}", action.verb()));
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

/// Whether a change is about the option, and the key, of a value from elsewhere.
fn is_about(change: &Difference, borrowed: &Borrowed) -> bool {
    let is_of_option = match (change.about, borrowed.option) {
        (Aspect::Code, option) => option == "image_uri",
        (Aspect::Object, option) => option.starts_with("s3_"),
        (Aspect::Setting(SettingName::Handler), "module_name" | "handler_name")
        | (Aspect::Setting(SettingName::SubnetIds | SettingName::SecurityGroupIds), "vpc_config") => true,
        (about, option) => about.name() == option,
    };
    is_of_option && (borrowed.key.is_none() || borrowed.key == change.key)
}

/// Replaces the value of a reference by the reference.
fn show_reference(end: &mut End, borrowed: &Borrowed) {
    let Some(value) = borrowed.value.as_ref().map(|value| value.expose().trim()).filter(|value| !value.is_empty())
    else {
        return;
    };
    match end {
        End::Value(shown) => replace(shown, value, &borrowed.shown()),
        End::Image { address: Some(address), .. } if is_image(address, value) => {
            *address = borrowed.shown();
        }
        End::Hidden(_) | End::Package { .. } | End::Image { .. } | End::Version { .. } | End::NewVersion => {}
    }
}

/// Replaces a value, or the items of a list that is written with commas.
fn replace(shown: &mut Value, value: &str, reference: &str) {
    let is_item = |text: &str| text == value || value.split(',').any(|item| item.trim() == text);
    // A name becomes a part of an ARN, of an address or of a handler.
    let is_value = |text: &str| is_item(text) || text.split([':', '/', '.']).any(is_item);
    match shown {
        Value::String(text) if is_value(text) => reference.clone_into(text),
        Value::Number(number) if number.to_string() == value => *shown = reference.into(),
        Value::Bool(yes) if yes.to_string() == value => *shown = reference.into(),
        Value::Array(items) => {
            for item in items.iter_mut() {
                replace(item, value, reference);
            }
            items.dedup();
        }
        Value::Object(members) => {
            for member in members.values_mut() {
                replace(member, value, reference);
            }
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// Whether an address is that of the image that a value names, by tag or digest.
fn is_image(address: &str, value: &str) -> bool {
    let repository = |text: &str| text.split('@').next().unwrap_or_default().split(':').next().map(str::to_owned);
    repository(address) == repository(value)
}
