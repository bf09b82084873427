//! What happens with the versions and the alias of a function.

use crate::release::{OnFailure, Schedule, SmokeTest};
use crate::settings::AliasName;

/// The wanted version and alias.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Release {
    /// Whether a version with this code and these settings is published.
    pub publish: Publish,
    /// The alias to point at this version; absent if none is managed.
    pub alias: Option<AliasName>,
    /// The old versions to keep; absent for all.
    pub keep_versions: Option<Keep>,
    /// Whether a version that was rolled back may be made live again.
    pub rolled_back: RolledBack,
    /// The id of the build that deploys; absent outside of a CI.
    pub build: Option<String>,
    /// The version's description; absent for none.
    pub version_description: Option<String>,
    /// The revision id that the live function must have before the first write; absent for any.
    pub revision_id: Option<String>,
    /// The tests that a new version must pass.
    pub tests: Vec<SmokeTest>,
    /// The schedule by which a new version gets the traffic of the alias; absent: it gets all at once.
    pub shifting: Option<Schedule>,
    /// What happens to the alias if the new version fails.
    pub on_failure: OnFailure,
    /// The number of commands that run after the deployment.
    pub commands: usize,
}

/// The old versions to keep. All others are deleted, except those that something needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keep {
    /// This many of the newest versions are kept.
    pub count: usize,
    /// Versions that are not older than this many days are kept; absent: the age does not count.
    pub days: Option<u32>,
}

/// Whether a version that was rolled back may be made live again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RolledBack {
    /// It stays rolled back: deploying the same code and settings is an error.
    #[default]
    Held,
    /// It is deployed again.
    Redeployed,
}

/// Whether a version is published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Publish {
    /// Only `$LATEST` is deployed.
    #[default]
    No,
    /// The newest version must have this code and these settings, else one is published.
    Version,
    /// Each deployment publishes a version.
    Always,
}
