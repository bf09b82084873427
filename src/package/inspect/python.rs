//! Checks whether Python's extension modules are for the runtime's version. A module is for one version, unless its name
//! has the tag `abi3` or none.

use std::collections::BTreeMap;

use super::language::Language;
use super::native::{group, is_python_module};
use super::path::{base, extension};
use super::rule::{Facts, Rule, count, few};
use super::survey::Survey;
use crate::place::{Problem, Weight};

/// The version of a Python runtime.
pub(super) fn version(runtime: &str) -> Option<(u32, u32)> {
    match Language::of(runtime)? {
        Language::Python(major, minor) => Some((major, minor)),
        _ => None,
    }
}

/// The Python version in a module's name, after PEP 3149: `x.cpython-312-x86_64-linux-gnu.so` is for 3.12.
///
/// `None` for a name without a version and for `abi3`. A free-threaded build (`313t`) fits no runtime of Lambda, so its
/// minor version is `u32::MAX`.
fn tagged(name: &str) -> Option<(u32, u32)> {
    let (_, tag) = base(name).rsplit_once(".cpython-")?;
    let tag = tag.split(['-', '.']).next()?;
    let digits = tag.trim_end_matches(['m', 'd', 'u']);
    let (major, minor) = digits.split_at_checked(1)?;
    Some((major.parse().ok()?, minor.parse().unwrap_or(u32::MAX)))
}

/// Whether a version of Python can load a file, judged by its name.
pub(super) fn fits(name: &str, version: (u32, u32)) -> bool {
    tagged(name).is_none_or(|tagged| tagged == version)
}

/// Dependencies without a module for the runtime's version of Python.
pub(super) fn rules(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    let Some(version) = facts.runtime.and_then(|runtime| version(&runtime.0)) else { return Vec::new() };
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for file in survey.files.iter().filter(|file| extension(&file.name) == "so") {
        if is_python_module(survey, &file.name) {
            groups.entry(group(survey, &file.name)).or_default().push(file.name.as_str());
        }
    }
    let wrong: Vec<_> =
        groups.into_values().filter(|names| !names.iter().any(|name| fits(name, version))).flatten().collect();
    let Some(first) = wrong.first() else { return Vec::new() };
    let (major, minor) = version;
    let found =
        tagged(first).filter(|found| found.1 != u32::MAX && wrong.iter().all(|name| tagged(name) == Some(*found)));
    let built = found.map_or_else(|| "another Python".to_owned(), |(major, minor)| format!("Python {major}.{minor}"));
    let message = match wrong[..] {
        [one] => format!("`{one}` is built for {built}, but the runtime is python{major}.{minor}"),
        _ => format!(
            "{} are built for {built}, but the runtime is python{major}.{minor}: {}",
            count(wrong.len(), "extension module"),
            few(wrong.iter().copied())
        ),
    };
    let or = found.map(|(major, minor)| format!(", or set `runtime: python{major}.{minor}`")).unwrap_or_default();
    let help =
        format!("install for this version (`pip install --python-version {major}.{minor} --only-binary=:all:`){or}");
    vec![Rule::PythonVersion.finds(Weight::Error, "runtime", message, help).on(*first)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_tag() {
        for (name, version) in [
            ("a/_x.cpython-312-x86_64-linux-gnu.so", Some((3, 12))),
            ("a/_x.cpython-39-aarch64-linux-gnu.so", Some((3, 9))),
            ("_x.cpython-36m-x86_64-linux-gnu.so", Some((3, 6))),
            ("_x.cpython-313t-x86_64-linux-gnu.so", Some((3, u32::MAX))),
            ("_x.cpython-311.so", Some((3, 11))),
            ("_x.abi3.so", None),
            ("_x.so", None),
            ("a.cpython-312/x.so", None),
            ("_x.cpython-.so", None),
        ] {
            assert_eq!(tagged(name), version, "{name}");
        }
    }
}
