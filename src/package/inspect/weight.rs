//! Checks the size of a package, and finds files that it does not need.

use std::collections::{BTreeMap, BTreeSet};

use super::super::UNPACKED_LIMIT;
use super::path::base;
use super::rule::{Facts, Rule, count, few};
use super::survey::Survey;
use crate::place::{Problem, Weight};

/// The smallest amount of waste that gives a warning, in bytes.
const MIN_WASTE: u64 = 1 << 20;

/// The smallest total that is listed, in bytes.
const MIN_LISTED: u64 = 100_000;

/// The most folders or patterns that are listed.
const MAX_LISTED: usize = 10;

/// Ends of the names of files that a function seldom reads. With a `*` before it, each is a pattern for `exclude`.
const WASTE: &[&str] = &[
    ".map",
    ".d.ts",
    ".d.mts",
    ".d.cts",
    ".tsbuildinfo",
    ".pyi",
    ".pyx",
    ".pxd",
    ".a",
    ".o",
    ".c",
    ".cc",
    ".cpp",
    ".h",
    ".hpp",
    ".pdb",
];

/// Folders with files that a function seldom reads. Folders of documentation are not listed: they can contain code, as
/// `boto3/docs` does.
const WASTE_FOLDERS: &[&str] = &[
    "node_modules/typescript/",
    "node_modules/@types/",
    "node_modules/aws-cdk-lib/",
    "node_modules/aws-cdk/",
    "node_modules/serverless/",
    "node_modules/webpack/",
    "node_modules/eslint/",
    "node_modules/prettier/",
    "/tests/",
    "/test/",
    "/__tests__/",
];

/// Folders that hold caches of tools.
const CACHES: &[&str] = &[
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".tox",
    ".nox",
    ".cache",
    ".parcel-cache",
    ".turbo",
    ".nyc_output",
    ".gradle",
];

/// A package that is too large, and files that could be left out.
pub(super) fn rules(survey: &Survey, _: &Facts<'_>) -> Vec<Problem> {
    let total: u64 = survey.files.iter().map(|file| file.size).fold(0, u64::saturating_add);
    let development = development(survey);
    let dev = dev_dependencies(&development);
    [too_large(survey, total), dev, waste(survey, total, &development), cache(survey)].into_iter().flatten().collect()
}

fn too_large(survey: &Survey, total: u64) -> Option<Problem> {
    if total <= UNPACKED_LIMIT {
        return None;
    }
    let message = format!(
        "the package is {} unpacked, but AWS accepts at most {}, layers included",
        megabytes(total),
        megabytes(UNPACKED_LIMIT)
    );
    let folders = largest(survey.files.iter().map(|file| (folder(&file.name), file.size)));
    let help =
        format!("leave out files that the function does not need with `exclude`; the largest folders are {folders}");
    Some(Rule::TooLargeUnzipped.finds(Weight::Error, "zip", message, help))
}

/// The folder under which a file's size is counted: that of a Node.js dependency, or the first of its path.
fn folder(name: &str) -> &str {
    let ends: Vec<_> = name.match_indices('/').map(|(end, _)| end).collect();
    let depth = match name.strip_prefix("node_modules/") {
        Some(rest) if rest.starts_with('@') => 3,
        Some(_) => 2,
        None => 1,
    };
    ends.get(depth - 1).map_or(name, |end| &name[..*end])
}

/// The files of packages that only building and testing need, each with the folder of its package and its size.
fn development<'a>(survey: &'a Survey) -> BTreeMap<&'a str, (&'a str, u64)> {
    let declared = survey.manifests.iter().flat_map(|manifest| &manifest.development);
    let declared: BTreeSet<_> = declared.map(|name| format!("node_modules/{name}")).collect();
    let package = |name: &'a str| {
        let at = name.find("node_modules/")?;
        let package = &name[..at + folder(&name[at..]).len()];
        let is_dev = declared.contains(&package[at..]) || survey.development.contains(&package[at..]);
        is_dev.then_some(package)
    };
    let of_development = survey.files.iter().filter_map(|file| Some((&*file.name, (package(&file.name)?, file.size))));
    of_development.collect()
}

fn dev_dependencies(development: &BTreeMap<&str, (&str, u64)>) -> Option<Problem> {
    let sum: u64 = development.values().map(|(_, size)| *size).fold(0, u64::saturating_add);
    if sum <= MIN_WASTE {
        return None;
    }
    let names = largest(
        development
            .values()
            .map(|(package, size)| (package.rsplit_once("node_modules/").map_or(*package, |(_, name)| name), *size)),
    );
    let message = format!("{} of the package are dependencies for development: {names}", megabytes(sum));
    let help = "install without them before you deploy: `npm ci --omit=dev`, `pnpm install --prod` or `yarn install --production`";
    Some(Rule::DevDependencies.finds(Weight::Warning, "zip", message, help))
}

fn waste(survey: &Survey, total: u64, development: &BTreeMap<&str, (&str, u64)>) -> Option<Problem> {
    let others = || survey.files.iter().filter(|file| !development.contains_key(file.name.as_str()));
    let wasted = || others().filter_map(|file| Some((waste_pattern(&file.name)?, file.size)));
    let sum: u64 = wasted().map(|(_, size)| size).fold(0, u64::saturating_add);
    if sum <= MIN_WASTE || sum <= total / 20 {
        return None;
    }
    let message = format!("{} of {} are files that a function seldom reads", megabytes(sum), megabytes(total));
    let tools = wasted().any(|(pattern, _)| pattern.starts_with("node_modules/"));
    let omit = if tools { "; `npm ci --omit=dev` installs without the tools for development" } else { "" };
    let help =
        format!("leave them out with `exclude`, so that the function starts faster: {}{omit}", largest(wasted()));
    Some(Rule::Waste.finds(Weight::Warning, "zip", message, help))
}

/// The entry of [`WASTE_FOLDERS`] or [`WASTE`] that a file matches.
fn waste_pattern(name: &str) -> Option<&'static str> {
    let by_folder = WASTE_FOLDERS.iter().find(|folder| name.contains(*folder));
    by_folder.or_else(|| WASTE.iter().find(|ending| base(name).ends_with(*ending))).copied()
}

fn cache(survey: &Survey) -> Option<Problem> {
    let cache = |name: &str| {
        let mut folders = name.rsplit('/').skip(1);
        folders.find_map(|folder| CACHES.iter().find(|cache| **cache == folder)).copied()
    };
    let files: Vec<_> = survey.files.iter().filter_map(|file| Some((&file.name, cache(&file.name)?))).collect();
    let (first, _) = files.first()?;
    let folders: BTreeSet<_> = files.iter().map(|(_, folder)| *folder).collect();
    let message = format!("the package has {} in cache folders: {}", count(files.len(), "file"), few(folders));
    let help = "leave them out with `exclude`: only the machine that made them uses them".to_owned();
    Some(Rule::InterpreterCache.finds(Weight::Warning, "zip", message, help).on((*first).clone()))
}

/// Adds up the sizes by name, and lists the largest sums.
fn largest<'a>(sizes: impl Iterator<Item = (&'a str, u64)>) -> String {
    let mut sums = BTreeMap::<_, u64>::new();
    for (name, size) in sizes {
        let sum = sums.entry(name).or_default();
        *sum = sum.saturating_add(size);
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.retain(|(_, size)| *size >= MIN_LISTED);
    sums.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let shown: Vec<_> = sums
        .iter()
        .take(MAX_LISTED)
        .map(|(name, size)| {
            let any = match name.as_bytes().first() {
                Some(b'.') => "*",
                Some(b'/') => "**",
                _ => "",
            };
            format!("`{any}{name}` {}", megabytes(*size))
        })
        .collect();
    shown.join(", ")
}

/// A size in MB with one decimal. As at AWS, 1 MB is 2^20 bytes.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes / 1024 * 10 / 1024;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}
