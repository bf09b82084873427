//! Values by branch: the keys of such a map are branches, or patterns of them.

use crate::host::Build;
use crate::package::glob::{self, Stars};
use crate::place::Place;

/// An option whose value depends on the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ByBranch {
    /// The option.
    pub option: &'static str,
    /// The branches, which can be patterns.
    pub branches: Vec<String>,
    /// The value, if the map has only one and that is a text.
    pub only_value: Option<String>,
    /// The place of the map.
    pub place: Place,
}

impl ByBranch {
    /// Whether the map has a value for the branch of this build.
    pub(super) fn has_value_for(&self, build: &Build) -> bool {
        key_for(build.branch.as_deref(), self.branches.iter().map(String::as_str)).is_some()
    }
}

/// The key of a map by branch that is for this branch: its name, else the first pattern that fits.
pub(super) fn key_for<'k>(branch: Option<&str>, mut keys: impl Iterator<Item = &'k str> + Clone) -> Option<&'k str> {
    let branch = branch?;
    keys.clone().find(|key| *key == branch).or_else(|| keys.find(|key| matches(key, branch)))
}

/// Whether a shell pattern matches. `*` matches `/` too, and braces have no meaning.
pub(super) fn matches(pattern: &str, branch: &str) -> bool {
    let escaped = pattern.replace('{', "[{]").replace('}', "[}]");
    pattern == branch || glob::compile(&escaped, Stars::InAll).is_ok_and(|glob| glob.is_match(branch))
}
