//! The refusal of a value in a command.

/// Why a value cannot be filled in safely, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Refusal {
    pub message: String,
    pub help: String,
}

impl Refusal {
    /// A refusal.
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}
