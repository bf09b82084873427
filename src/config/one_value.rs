//! A map where one value belongs: the API's own form of the value, or values by branch.

use super::{
    by_branch::{ByBranch, matches},
    layer::{Given, Value},
    options::same_key,
    options::{Kind, Opt},
};
use crate::host::Host;
use crate::place::Problem;
use crate::settings::Shape;

/// Names that are taken for branches even if nobody else names them.
const USUAL_BRANCHES: [&str; 20] = [
    "main",
    "master",
    "trunk",
    "develop",
    "development",
    "dev",
    "staging",
    "stage",
    "production",
    "prod",
    "release",
    "releases",
    "test",
    "testing",
    "qa",
    "uat",
    "preview",
    "beta",
    "next",
    "live",
];

/// The value in the API's own map, such as the `1024` of `{Size: 1024}`. Any other value stays as it is.
pub(super) fn unwrapped(option: &Opt, given: Given) -> Result<Given, Problem> {
    let (Some(member), Value::Map(entries)) = (option.member, &given.value) else { return Ok(given) };
    let is_the_value = |given: &Given| !matches!(option.kind, Kind::Map) || holds_pairs(given);
    // An option that also has the name of the API's map takes its member in any spelling, as structures do.
    let has_name_of_map = option.aliases.iter().any(|alias| alias.ends_with("_config"));
    let is_member = |key: &str| key == member || (has_name_of_map && same_key(key, member));
    let Some(inner) = entries.iter().find(|entry| is_member(&entry.key) && is_the_value(&entry.given)) else {
        return Ok(given);
    };
    match entries.iter().find(|entry| !is_member(&entry.key)) {
        None => Ok(inner.given.clone()),
        Some(other) => {
            let problem = Problem::new(format!("has `{}` beside `{member}`, where it has no meaning", other.key));
            Err(problem.of(option.name).at(&other.place))
        }
    }
}

/// Whether a value is a map of `KEY: VALUE`, and not a reference such as `{from_env: NAME}`.
fn holds_pairs(given: &Given) -> bool {
    matches!(&given.value, Value::Map(entries) if !entries.iter().any(|entry| entry.key.starts_with("from_")))
}

/// Whether a map can only have branches as keys, because the option does not take maps.
pub(super) fn is_by_branch(option: &Opt) -> bool {
    match option.kind {
        Kind::Map | Kind::Files => false,
        Kind::Structure(shape) => {
            !matches!(shape, Shape::Members { .. } | Shape::List { .. } | Shape::Json { .. } | Shape::Any)
        }
        _ => true,
    }
}

/// The error about a map whose keys are no branches.
pub(super) fn not_branches(option: &Opt, written: &ByBranch) -> Problem {
    let keys: Vec<_> = written.branches.iter().map(|key| format!("`{key}`")).collect();
    let message = match &keys[..] {
        [] => "takes one value, and this map is empty".to_owned(),
        [only] => format!("takes one value; the key {only} of this map is not a branch that anything names"),
        several => {
            format!("takes one value; no key of this map is a branch that anything names: {}", several.join(", "))
        }
    };
    let value = written.only_value.as_deref().filter(|_| !matches!(option.kind, Kind::Secret));
    let value = value.unwrap_or(if option.example.is_empty() { "VALUE" } else { option.example });
    let map = option.member.map(|member| format!(" or `{}: {{{member}: {value}}}`", option.name));
    let first = written.branches.first().map_or("main", String::as_str);
    let help = format!(
        "write `{}: {value}`{}; for values by branch, name the branches too: `on: {{branch: [{first}]}}`",
        option.name,
        map.unwrap_or_default()
    );
    Problem::new(message).of(option.name).at(&written.place).help(help)
}

/// Whether a key of a map by branch is a branch for certain. `named` are the branches and patterns that something else
/// names.
pub(super) fn is_branch<'n>(key: &str, mut named: impl Iterator<Item = &'n str>, host: &Host) -> bool {
    let looks_like_one = key.contains(['/', '.', '*', '?', '[']) || USUAL_BRANCHES.contains(&key);
    looks_like_one || named.any(|name| matches(name, key)) || host.has_branch(key)
}
