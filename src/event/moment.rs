//! What happens in a release, with its time.

use std::time::Duration;

/// A moment of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The function.
    pub function: String,
    /// The Region.
    pub region: String,
    /// Time since the steps began.
    pub at: Duration,
    /// What happened.
    pub what: Happened,
}

/// What happened in a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Happened {
    /// A smoke test ended.
    Tested {
        /// The number of the test.
        number: usize,
        /// The version; absent for `$LATEST`.
        version: Option<String>,
        /// Why the test failed; empty: it passed.
        problems: Vec<String>,
        /// The end of the function's log, if the test failed.
        log: Vec<String>,
        /// Whether the test is repeated.
        again: bool,
    },
    /// A version got a share of the traffic of an alias.
    Shifted {
        /// The alias.
        alias: String,
        /// The version.
        version: String,
        /// Its share, in percent.
        percent: u8,
    },
    /// The traffic of an alias was taken back.
    TakenBack {
        /// The alias.
        alias: String,
        /// The version that had the traffic before.
        version: String,
        /// Why it could not be taken back; absent: it was.
        problem: Option<String>,
    },
}
