//! What a configuration says: the result of loading it.

use super::after::After;
use super::dry_run::DryRun;
use super::render::Rendered;
use super::run_options::RunOptions;
use super::sought::Sought;
use super::subject::{Access, Subject};
use crate::deployment::{Code, Item};
use crate::host::Build;
use crate::place::{ChosenStage, Places, Problem, Skip};
use crate::release::Script;
use crate::settings::Secret;

/// What a configuration says.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// The layers and functions to deploy: first the layers, because functions of the run can use them. A function is
    /// behind those that it comes after. Only for [`Purpose::Deploy`], [`Purpose::Plan`] and [`Purpose::Check`].
    ///
    /// [`Purpose::Deploy`]: crate::verb::Purpose::Deploy
    /// [`Purpose::Plan`]: crate::verb::Purpose::Plan
    /// [`Purpose::Check`]: crate::verb::Purpose::Check
    pub entries: Vec<Entry>,
    /// The values from elsewhere that are still unknown. Their deployments are incomplete without them. Only for
    /// [`Purpose::Deploy`] and [`Purpose::Plan`].
    pub sought: Vec<Sought>,
    /// The packages to build, each with the name of its function or layer. Only for [`Purpose::Package`](crate::verb::Purpose::Package).
    pub packages: Vec<(Option<Title>, Code, Places)>,
    /// The functions to show or to act on, in order. Only for [`Purpose::Live`](crate::verb::Purpose::Live).
    pub subjects: Vec<Subject>,
    /// The Regions to show, in order. Only for [`Purpose::Region`](crate::verb::Purpose::Region).
    pub regions: Vec<Access>,
    /// The skipped blocks, and why this build skips them.
    pub skipped: Vec<Skip>,
    /// The merge that the plans preview; absent if they are for this build.
    pub preview: Option<Preview>,
    /// The resolved blocks. Only for [`Purpose::Render`](crate::verb::Purpose::Render).
    pub rendered: Vec<Rendered>,
    /// The stage; absent: the file has none, or none was chosen.
    pub stage: Option<ChosenStage>,
    /// What the CI builds.
    pub build: Build,
    /// The options of the run, as far as they could be read.
    pub run: RunOptions,
    /// The errors. If there are any, the run does nothing.
    pub problems: Vec<Problem>,
    /// The warnings.
    pub warnings: Vec<Problem>,
    /// Secrets, which are never shown.
    pub secrets: Vec<Secret>,
    /// Values of `from_env` whose names do not look like secrets. They are never shown, except as part of a name.
    pub taken: Vec<Secret>,
    /// The variables of all functions with their values, also from blocks with errors.
    pub values: Vec<(String, Secret)>,
}

impl Loaded {
    /// Whether every block was skipped.
    pub(crate) fn is_skipped(&self) -> bool {
        let left = [self.entries.len(), self.packages.len(), self.subjects.len()];
        let rest = [self.regions.len(), self.rendered.len()];
        !self.skipped.is_empty() && left.iter().chain(&rest).all(|count| *count == 0)
    }
}

/// The function or layer of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Title {
    /// Its name.
    pub name: String,
    /// Its Region; absent: the configuration does not say it.
    pub region: Option<String>,
}

/// A function or a layer to deploy, and how the run treats it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The function or layer.
    pub item: Item,
    /// Its position in [`Loaded::entries`].
    pub number: usize,
    /// Its position among them in the order of the file.
    pub in_file: usize,
    /// Whether another entry has the same name in another Region, so that messages name the Region.
    pub has_twin: bool,
    /// The functions that must be deployed before.
    pub after: Vec<After>,
    /// Where each option was written.
    pub places: Places,
    /// Whether the run succeeds even if this deployment fails.
    pub allow_failure: bool,
    /// Whether the plan is applied or only shown.
    pub dry_run: DryRun,
    /// Whether uncommitted files are stashed while the package is built.
    pub cleanup: bool,
    /// The commands to run after the deployment succeeds.
    pub commands: Vec<Script>,
}

impl Entry {
    /// The Region, if another entry has the same name in another one.
    pub(crate) fn region_of_twin(&self) -> Option<&str> {
        self.item.target().region.as_deref().filter(|_| self.has_twin)
    }

    /// The name in messages, with the Region if it needs one.
    pub(crate) fn shown(&self) -> String {
        let region = self.region_of_twin().map(|region| format!(" in {region}")).unwrap_or_default();
        format!("`{}`{region}", self.item.name())
    }
}

/// The merge whose deployment a build of a pull request shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preview {
    /// The number of the pull request; absent if the CI does not say it.
    pub number: Option<String>,
    /// The branch that the pull request goes to; absent if it is unknown.
    pub base: Option<String>,
}
