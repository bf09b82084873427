//! Warns of files that are probably secrets. A message has the name of the file, never its contents.

use super::rule::{Facts, Rule, count, few};
use super::survey::Survey;
use crate::place::{Problem, Weight};

/// Files with secrets in the package.
pub(super) fn rules(survey: &Survey, _: &Facts<'_>) -> Vec<Problem> {
    let message = match &survey.secrets[..] {
        [] => return Vec::new(),
        [(name, why)] => format!("`{name}` {why}, and everyone who may read the function's code can read it"),
        all => format!(
            "{} seem to hold secrets, and everyone who may read the function's code can read them: {}",
            count(all.len(), "file"),
            few(all.iter().map(|(name, _)| name.as_str()))
        ),
    };
    let help = "leave it out with `exclude`, and keep the secret in Secrets Manager or in the function's environment; replace a secret that was deployed before".to_owned();
    vec![Rule::SecretFile.finds(Weight::Warning, "zip", message, help).on(&survey.secrets[0].0)]
}
