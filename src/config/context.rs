//! The circumstances of a run: what resolving needs besides the options.

use std::{collections::BTreeSet, path::PathBuf};

use super::{
    after_failure::AfterFailure, layer::Layer, network::Certificates, read::Reader, sought::Values, trust::Trust,
};
use crate::host::{Build, Ci, Host};
use crate::verb::Purpose;

/// The circumstances of a run.
pub(super) struct Context<'a> {
    /// The environment, directory and terminal of the process.
    pub host: &'a Host,
    /// The CI that runs this process.
    pub ci: Ci,
    /// What the CI builds.
    pub build: &'a Build,
    /// What the verb needs of the configuration.
    pub purpose: Purpose,
    /// The folder that holds the blocks, from the working directory; empty if that is the folder.
    pub folder: PathBuf,
    /// Configuration files of this run, which never go into a package.
    pub never: BTreeSet<PathBuf>,
    /// What the configuration file may set.
    pub trust: Trust,
    /// The values from elsewhere; absent until they were read.
    pub values: Option<&'a Values>,
    /// The Region if no other source has one.
    pub fallback_region: Option<String>,
    /// The certificates to trust, which all blocks share.
    pub certificates: Certificates,
    /// What happens to the other functions of the run after a failure.
    pub after_failure: AfterFailure,
}

impl Context<'_> {
    /// The folder that holds the blocks, as an absolute path.
    pub(super) fn project(&self) -> PathBuf {
        self.host.directory.join(&self.folder)
    }

    /// A reader of these options, without those that the configuration file may not set.
    pub(super) fn reader(&self, mut options: Layer) -> Reader {
        let problems = self.trust.screen(&mut options);
        let mut reader = Reader::new(options);
        reader.problems = problems;
        reader
    }

    /// Whether the verb reads the values from elsewhere.
    pub(super) fn reads_values(&self) -> bool {
        match self.purpose {
            Purpose::Deploy | Purpose::Plan => true,
            Purpose::Check | Purpose::Render | Purpose::Package | Purpose::Live | Purpose::Region => false,
        }
    }

    /// The account of the identity that these options decide about, if it was looked up.
    pub(super) fn account(&self, options: &Layer) -> Option<String> {
        self.values?.account(options).map(str::to_owned)
    }
}
