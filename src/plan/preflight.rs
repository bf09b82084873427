//! What a package must be like for its function, asked before the first write.

use super::{Plan, rules, too_large, wanted};
use crate::deployment::Deployment;
use crate::package::Artifact;
use crate::package::inspect::{Date, Facts, inspect};
use crate::place::Problem;
use crate::settings::{Architecture, Settings};

/// Variables by which a runtime finds code outside of the package.
const SEARCH_PATHS: &[&str] = &["AWS_LAMBDA_EXEC_WRAPPER", "GEM_PATH", "NODE_PATH", "PYTHONPATH", "RUBYLIB"];

/// What is wrong or doubtful about a deployment, as far as it can be known without a look at what is live. What is not on
/// this machine is not looked into.
pub fn check(deployment: &Deployment, artifact: Option<&Artifact>, today: Date) -> Vec<Problem> {
    let mut problems = look(deployment, artifact, &wanted::named(deployment), None, today);
    problems.extend(rules::of_named(deployment));
    problems
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
        self.problems.extend(look(deployment, artifact, settings, live, today));
    }
}

fn look(
    deployment: &Deployment,
    artifact: Option<&Artifact>,
    settings: &Settings,
    live: Option<Architecture>,
    today: Date,
) -> Vec<Problem> {
    let Some(artifact) = artifact else { return Vec::new() };
    let variables = settings.environment.iter().flat_map(|environment| environment.0.keys());
    let named = deployment.environment.iter().flat_map(|environment| environment.entries.keys());
    let facts = Facts {
        runtime: settings.runtime.as_ref(),
        handler: settings.handler.as_ref(),
        architecture: deployment.code.architecture.or_else(|| artifact.survey.architecture(live)),
        has_other_code: settings.layers.as_ref().is_some_and(|layers| !layers.0.is_empty())
            || variables.chain(named).any(|name| SEARCH_PATHS.contains(&name.as_str())),
        today,
        ignore: &deployment.code.ignore,
    };
    too_large(&deployment.code, artifact).into_iter().chain(inspect(&artifact.survey, &facts)).collect()
}
