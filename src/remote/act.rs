//! What came of acting on a function outside of a deployment: an invocation.

use std::time::Duration;

/// What a function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The bare name.
    pub function: String,
    /// Which version or alias was called; absent for `$LATEST`.
    pub qualifier: Option<String>,
    /// AWS' status: 200 for an answer, 202 for one that nobody waits for, 204 where only permission was looked at.
    pub status: u16,
    /// The version that ran; absent where AWS does not say.
    pub executed_version: Option<String>,
    /// What it answered; absent where nothing came back.
    pub payload: Option<String>,
    /// `Handled` or `Unhandled`; absent where the function succeeded.
    pub function_error: Option<String>,
    /// The end of its log, by lines.
    pub log: Vec<String>,
    /// How long the call took.
    pub took: Duration,
}
