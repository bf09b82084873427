//! What a package must be like for its function, asked before the first write.

use super::{Doubt, Obstacle, Plan, rules, too_large, wanted};
use crate::deployment::Deployment;
use crate::package::Artifact;
use crate::package::inspect::{Date, Facts, Finding, Severity, inspect};
use crate::settings::{Architecture, Settings};

/// Variables by which a runtime finds code outside of the package.
const SEARCH_PATHS: &[&str] = &["AWS_LAMBDA_EXEC_WRAPPER", "GEM_PATH", "NODE_PATH", "PYTHONPATH", "RUBYLIB"];

/// Looks at a package when nothing is known about what is live: what stands in its way, and what is probably a mistake.
/// What is not on this machine is not looked into.
pub fn check(deployment: &Deployment, artifact: Option<&Artifact>, today: Date) -> Checked {
    let (mut obstacles, doubts) = rules::of_named(deployment);
    let (found, warnings) = look(deployment, artifact, &wanted::named(deployment), None, today);
    obstacles.extend(found);
    Checked { obstacles, warnings, doubts }
}

/// What can be said without a look at what is live.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What would stand in the way of a deploy.
    pub obstacles: Vec<Obstacle>,
    /// What is probably a mistake in the package.
    pub warnings: Vec<Finding>,
    /// What is probably a mistake in the settings.
    pub doubts: Vec<Doubt>,
}

impl Plan {
    /// Looks at the package with all that will be true of the function.
    pub(super) fn inspect(
        &mut self,
        deployment: &Deployment,
        artifact: Option<&Artifact>,
        settings: &Settings,
        live: Option<Architecture>,
        today: Date,
    ) {
        let (obstacles, warnings) = look(deployment, artifact, settings, live, today);
        self.obstacles.extend(obstacles);
        self.warnings = warnings;
    }
}

fn look(
    deployment: &Deployment,
    artifact: Option<&Artifact>,
    settings: &Settings,
    live: Option<Architecture>,
    today: Date,
) -> (Vec<Obstacle>, Vec<Finding>) {
    let Some(artifact) = artifact else { return Default::default() };
    let variables = settings.environment.iter().flat_map(|environment| environment.0.keys());
    let named = deployment.environment.iter().flat_map(|environment| environment.entries.keys());
    let facts = Facts {
        runtime: settings.runtime.as_ref(),
        handler: settings.handler.as_ref(),
        architecture: deployment.code.architecture.or_else(|| artifact.survey.architecture(live)),
        elsewhere: settings.layers.as_ref().is_some_and(|layers| !layers.0.is_empty())
            || variables.chain(named).any(|name| SEARCH_PATHS.contains(&name.as_str())),
        today,
        ignore: &deployment.code.ignore,
    };
    let findings = inspect(&artifact.survey, &facts);
    let (errors, warnings): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.severity == Severity::Error);
    let obstacles = errors.into_iter().map(Obstacle::from);
    (too_large(&deployment.code, artifact).into_iter().chain(obstacles).collect(), warnings)
}
