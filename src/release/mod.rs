//! How a new version proves itself: tests of the version, and the schedule by which it gets traffic.
//!
//! Must not know AWS, or where a value was written.

mod answer;
mod schedule;
mod test;

use std::collections::BTreeMap;

pub(crate) use answer::Answer;
pub(crate) use schedule::{Counted, ErrorLimit, Next, Percent, Schedule, Shift};
pub(crate) use test::{Call, Check, SmokeTest, When};

/// The most bytes of a payload that Lambda accepts.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(crate) const LARGEST_PAYLOAD: u64 = 6 << 20;

/// What happens to the alias if the new version fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// It goes back to where it was.
    #[default]
    GoBack,
    /// It goes back to where it was, also after a failure of another function of the run.
    GoBackTogether,
    /// It stays where it is.
    Stay,
}

/// A command for the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    /// The written text, for the log.
    pub written: String,
    /// The text for the shell, in which each `%{…}` is a reference to a variable.
    pub code: String,
    /// The variables of these references.
    pub variables: BTreeMap<String, String>,
}
