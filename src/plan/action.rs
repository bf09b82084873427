//! The kinds of changes.

/// The kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The thing is new.
    Create,
    /// The thing changes.
    Update,
    /// The thing is removed.
    Remove,
}

impl Action {
    /// The verb in ids and titles.
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Remove => "remove",
        }
    }

    /// The verb as the first word of a log line.
    pub(super) const fn doing(self) -> &'static str {
        match self {
            Self::Create => "Creating",
            Self::Update => "Updating",
            Self::Remove => "Removing",
        }
    }
}
