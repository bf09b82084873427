//! What became of a function or layer that did not fail.

use std::time::Duration;

use crate::plan::Plan;

/// A function that is up to date.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deployed {
    /// The bare name.
    pub function: String,
    /// The Region.
    pub region: String,
    /// The unqualified ARN.
    pub arn: String,
    /// The version of this deployment; absent: none is published.
    pub version: Option<String>,
    /// The alias that points at that version; absent: no alias is managed.
    pub alias: Option<String>,
    /// The function's URL; absent: no URL is managed.
    pub url: Option<String>,
    /// The code of the function.
    pub code: DeployedCode,
    /// What was done.
    pub plan: Plan,
    /// Time that it took.
    pub took: Duration,
    /// The numbers of old versions that could not be deleted.
    pub kept: Vec<String>,
    /// What was done, each with the time until it settled.
    pub steps: Vec<(&'static str, Duration)>,
    /// The newest version before the run; absent: there was none, or it was not read.
    pub version_before: Option<String>,
}

/// The code of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeployedCode {
    /// A package.
    Archive {
        /// SHA-256, in base64.
        code_sha256: String,
        /// Size in bytes.
        size: u64,
        /// Unpacked size in bytes.
        unpacked: u64,
        /// The largest folders, with their sizes in bytes.
        largest_folders: Vec<(String, u64)>,
    },
    /// A container image.
    Image {
        /// Its URI, with the digest if that is known.
        address: String,
    },
    /// The package that the function had before.
    Kept {
        /// SHA-256, in base64.
        code_sha256: String,
    },
}

impl Deployed {
    /// Whether anything was changed.
    pub(crate) fn changed(&self) -> bool {
        self.plan.changes()
    }
}

/// A function that has no traffic, or no traffic any more, because another function of the run failed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    /// The bare name.
    pub function: String,
    /// The Region.
    pub region: String,
    /// The version of this deployment; absent: it was not published.
    pub version: Option<String>,
    /// The alias.
    pub alias: String,
    /// Where the alias is.
    pub traffic: Traffic,
    /// What was done and stays so.
    pub done: Vec<&'static str>,
    /// What AWS accepted, or may have accepted.
    pub begun: Vec<&'static str>,
    /// What was not done, or was taken back.
    pub not_done: Vec<&'static str>,
}

impl Held {
    /// Whether the run changed anything.
    pub(crate) fn changed(&self) -> bool {
        !(self.done.is_empty() && self.begun.is_empty())
    }
}

/// Where the alias of a function is, after another function failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// It was not moved from this version. Absent: the alias does not exist.
    Stayed(Option<String>),
    /// It is back at this version.
    Back(String),
    /// It is new and stays, because no version was there before.
    New,
}

/// A layer that is up to date.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LayerDeployed {
    /// The layer's name.
    pub layer: String,
    /// The Region.
    pub region: String,
    /// The ARN of the version.
    pub arn: String,
    /// The version's number.
    pub version: String,
    /// SHA-256 of the package, in base64.
    pub code_sha256: String,
    /// Size of the package in bytes.
    pub package_size: u64,
    /// What was done.
    pub plan: Plan,
    /// Time that it took.
    pub took: Duration,
}

impl LayerDeployed {
    /// Whether a version was published.
    pub(crate) fn changed(&self) -> bool {
        self.plan.changes()
    }
}
