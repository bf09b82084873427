//! What came of acting on a function outside of a deployment: an invocation, what goes with a deletion.

use std::time::Duration;

use super::status::Status;
use super::{Alias, Told};

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

/// What goes, and what stays, when a function or a version of it is deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct Removal {
    /// The bare name.
    pub function: String,
    /// Where it is.
    pub region: String,
    /// The only version that goes; absent for the whole function.
    pub version: Option<String>,
    /// The function with what stands around it.
    pub status: Status,
    /// What feeds it and stays; by source, with its id.
    pub mappings: Told<Vec<String>>,
}

impl Removal {
    /// Why parts of it are not known.
    pub fn unknown(&self) -> Vec<&str> {
        let Status { versions, aliases, urls, .. } = &self.status;
        let reasons =
            [versions.as_ref().err(), aliases.as_ref().err(), urls.as_ref().err(), self.mappings.as_ref().err()];
        reasons.into_iter().flatten().map(String::as_str).collect()
    }

    /// The aliases that point at the version, also with a share; they keep it from going.
    pub fn held_by(&self, version: &str) -> Vec<&str> {
        let aliases = self.status.aliases.as_deref().unwrap_or_default();
        let holds = |alias: &&Alias| alias.version == version || alias.weights.contains_key(version);
        aliases.iter().filter(holds).map(|alias| alias.name.as_str()).collect()
    }
}
