//! The values that the AWS side finds and nobody may see.

use std::sync::Arc;

/// A value that must never be shown.
#[derive(Clone, Copy)]
pub(crate) enum Hidden<'a> {
    /// A part of credentials.
    Credential(&'a str),
    /// A variable of a function, which AWS may quote.
    Variable {
        /// Its name.
        name: &'a str,
        /// Its value.
        value: &'a str,
    },
}

/// Receives each value that must never be shown, before anything can show it.
pub(super) type Hide = Arc<dyn Fn(Hidden<'_>) + Send + Sync>;
