//! Checks of a package against its function, before the first write.

use std::collections::BTreeMap;

use super::code::too_large;
use super::{Plan, rules, wanted};
use crate::deployment::Deployment;
use crate::package::Artifact;
use crate::package::inspect::{self, Date, Existence, Facts, OtherCode, inspect, inspect_settings};
use crate::place::Problem;
use crate::remote::Live;
use crate::settings::{Architecture, Settings};

/// Variables that let a runtime find code outside the package.
const SEARCH_PATHS: &[&str] = &["AWS_LAMBDA_EXEC_WRAPPER", "GEM_PATH", "NODE_PATH", "PYTHONPATH", "RUBYLIB"];

/// The errors and warnings that can be found without AWS. Checks no package that is in S3 or in a registry.
pub(crate) fn check(deployment: &Deployment, artifact: Option<&Artifact>, today: Date) -> Vec<Problem> {
    let mut problems =
        package_problems(deployment, artifact, &wanted::named(deployment), None, Existence::Unknown, today);
    problems.extend(rules::check_named(deployment));
    problems
}

impl Plan {
    /// Checks the package against the settings that the function will have.
    pub(super) fn inspect(
        &mut self,
        deployment: &Deployment,
        artifact: Option<&Artifact>,
        settings: &Settings,
        live: Option<&Live>,
        today: Date,
    ) {
        let existence = if live.is_some() { Existence::Existing } else { Existence::New };
        let architecture = live.and_then(|live| live.architecture);
        self.problems.extend(package_problems(deployment, artifact, settings, architecture, existence, today));
    }
}

fn package_problems(
    deployment: &Deployment,
    artifact: Option<&Artifact>,
    settings: &Settings,
    live: Option<Architecture>,
    existence: Existence,
    today: Date,
) -> Vec<Problem> {
    let variables = variables(deployment, settings);
    let has_layers = settings.layers.as_ref().is_some_and(|layers| !layers.0.is_empty());
    let other_code = match existence {
        _ if has_layers || SEARCH_PATHS.iter().any(|name| variables.contains_key(name)) => OtherCode::Yes,
        // Nobody asked AWS for the layers of a live function.
        Existence::Unknown if settings.layers.is_none() => OtherCode::Unknown,
        Existence::Unknown | Existence::New | Existence::Existing => OtherCode::No,
    };
    let facts = Facts {
        runtime: settings.runtime.as_ref(),
        handler: settings.handler.as_ref(),
        architecture: deployment.code.architecture.or_else(|| artifact?.built_for(live)),
        subject: inspect::Subject::Function,
        other_code,
        variables: inspect::variables().filter_map(|name| Some((name, *variables.get(name)?))).collect(),
        existence,
        today,
        ignore: &deployment.code.ignore,
    };
    let Some(artifact) = artifact else { return inspect_settings(&facts) };
    // The bucket may be elsewhere.
    let too_large = too_large(&deployment.code, artifact).filter(|_| !deployment.is_unread("s3_bucket"));
    too_large.into_iter().chain(inspect(&artifact.survey, &facts)).collect()
}

/// The variables of the function, as far as they are known.
fn variables<'a>(deployment: &'a Deployment, settings: &'a Settings) -> BTreeMap<&'a str, &'a str> {
    let named = deployment.environment.iter().flat_map(|environment| &environment.entries);
    let named = named.filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?.expose())));
    let all = settings.environment.iter().flat_map(|environment| &environment.0);
    named.chain(all.map(|(name, value)| (name.as_str(), value.expose()))).collect()
}
