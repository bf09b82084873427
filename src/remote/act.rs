//! Data of `invoke` and `delete`, which act on a function outside of a deployment.

use std::time::Duration;

use super::status::Status;
use super::{Alias, Known};

/// The result of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invocation {
    /// The bare name.
    pub function: String,
    /// The version or alias that was called; absent for `$LATEST`.
    pub qualifier: Option<String>,
    /// AWS' status: 200 with an answer, 202 for an asynchronous call, 204 for a check of permissions only.
    pub status: u16,
    /// The version that ran; absent if AWS does not report it.
    pub executed_version: Option<String>,
    /// The function's answer; absent if it is empty.
    pub payload: Option<String>,
    /// `Handled` or `Unhandled`; absent if the function succeeded.
    pub function_error: Option<String>,
    /// The last lines of its log.
    pub log: Vec<String>,
    /// The duration of the call.
    pub took: Duration,
}

/// The effects of deleting a function or one of its versions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Removal {
    /// The bare name.
    pub function: String,
    /// The Region.
    pub region: String,
    /// The version to delete; absent for the whole function.
    pub version: Option<String>,
    /// The function with everything around it.
    pub status: Status,
    /// The event source mappings, which are not deleted: each as source and id.
    pub mappings: Known<Vec<String>>,
}

impl Removal {
    /// The reasons why parts could not be read.
    pub(crate) fn unknown(&self) -> Vec<&str> {
        let Status { versions, aliases, urls, .. } = &self.status;
        let reasons =
            [versions.as_ref().err(), aliases.as_ref().err(), urls.as_ref().err(), self.mappings.as_ref().err()];
        reasons.into_iter().flatten().map(String::as_str).collect()
    }

    /// The aliases that send all or a share of their traffic to the version. AWS then refuses to delete it.
    pub(crate) fn held_by(&self, version: &str) -> Vec<&str> {
        let aliases = self.status.aliases.as_deref().unwrap_or_default();
        let holds = |alias: &&Alias| alias.version == version || alias.weights.contains_key(version);
        aliases.iter().filter(holds).map(|alias| alias.name.as_str()).collect()
    }
}
