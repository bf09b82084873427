//! Finds an archive in an archive, as some CIs hand artifacts on.

use super::path::extension;
use super::rule::{Facts, OtherCode, Rule, Subject};
use super::survey::Survey;
use crate::place::{Problem, Weight};

/// A package whose only file is an archive: AWS unpacks the outer one alone.
pub(super) fn rules(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    let Some(name) = inner(survey) else { return Vec::new() };
    let is_function = facts.subject == Subject::Function;
    let weight = if is_function && facts.other_code != OtherCode::Yes { Weight::Error } else { Weight::Warning };
    let message = format!("the only file of the package is the archive `{name}`, which AWS does not unpack");
    let help = format!("set `zip` to `{name}` itself; unpack the outer archive first");
    vec![Rule::NestedArchive.finds(weight, "zip", message, help).on(name)]
}

/// The archive that is the only file of the package.
pub(super) fn inner(survey: &Survey) -> Option<&str> {
    let mut files = survey.files.iter().filter(|file| !file.name.starts_with("__MACOSX/"));
    let (file, None) = (files.next()?, files.next()) else { return None };
    extension(&file.name).eq_ignore_ascii_case("zip").then_some(file.name.as_str())
}
