//! Checks whether the dependencies that the package declares are in it.

use std::collections::BTreeSet;

use super::handler;
use super::language::Language;
use super::manifest::{Manifest, Tool, normal};
use super::path::{base, extension};
use super::rule::{Facts, OtherCode, Rule, Subject, few};
use super::survey::Survey;
use crate::place::{Problem, Weight};

/// Python distributions that the runtimes have, and those without code for functions.
const OF_PYTHON: &[&str] = &[
    "awslambdaric",
    "boto3",
    "botocore",
    "jmespath",
    "pip",
    "python_dateutil",
    "s3transfer",
    "setuptools",
    "six",
    "urllib3",
    "wheel",
];

/// Declared dependencies without a trace in the package.
pub(super) fn rules(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    if facts.other_code == OtherCode::Yes && facts.subject == Subject::Function {
        return Vec::new();
    }
    survey.manifests.iter().filter_map(|manifest| missing(survey, facts, manifest)).collect()
}

fn missing(survey: &Survey, facts: &Facts<'_>, manifest: &Manifest) -> Option<Problem> {
    let folder = manifest.file.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    if facts.subject == Subject::Function {
        let fits = match facts.language()? {
            Language::Python(..) => manifest.tool != Tool::Npm,
            Language::Node(_) => manifest.tool == Tool::Npm,
            _ => false,
        };
        if !fits || !folder.is_empty() {
            return None;
        }
    }
    let needed: Vec<_> =
        manifest.needed.iter().map(String::as_str).filter(|name| !is_there_already(manifest.tool, name)).collect();
    if needed.is_empty() {
        return None;
    }
    let is_npm = manifest.tool == Tool::Npm;
    let installed = if is_npm { has_node_modules(survey) } else { has_distributions(survey, &manifest.needed) };
    if installed || (is_npm && facts.subject == Subject::Function && is_bundled(survey, facts, &needed)) {
        return None;
    }
    let file = &manifest.file;
    let message = format!("`{file}` declares {}, but nothing is installed in the package", few(needed));
    let help = format!("run `{}` in its folder before you deploy", command(survey, manifest, &folder));
    Some(Rule::DependenciesMissing.finds(Weight::Warning, "zip", message, help).on(file))
}

/// Whether every runtime has a dependency, or no function needs it when it runs.
fn is_there_already(tool: Tool, name: &str) -> bool {
    match tool {
        Tool::Npm => {
            name == "aws-sdk"
                || name == "aws-lambda"
                || ["@aws-sdk/", "@smithy/", "@types/"].iter().any(|scope| name.starts_with(scope))
        }
        _ => {
            OF_PYTHON.contains(&name)
                || name.ends_with("_stubs")
                || name.starts_with("types_")
                || name.starts_with("mypy_boto3")
        }
    }
}

fn has_node_modules(survey: &Survey) -> bool {
    // Yarn's Plug'n'Play has archives instead of folders.
    survey.files.iter().any(|file| file.name.contains("node_modules/") || base(&file.name).starts_with(".pnp."))
        || survey.left_out.iter().any(|name| name.starts_with(".pnp."))
        || survey.files.iter().any(|file| file.name == "node_modules")
}

/// Whether a Python distribution is installed, or one of the declared ones is there by its name.
fn has_distributions(survey: &Survey, declared: &BTreeSet<String>) -> bool {
    survey.files.iter().any(|file| {
        let is_archive = matches!(extension(&file.name), "whl" | "zip" | "pex" | "pyz" | "egg" | "gz");
        let trace = |part: &str| {
            part.ends_with(".dist-info")
                || part.ends_with(".egg-info")
                || part == "site-packages"
                || declared.contains(&normal(part.split('.').next().unwrap_or(part)))
        };
        is_archive || file.name.split('/').any(trace)
    })
}

/// Whether the handler's file, if it is known, contains its dependencies or needs none of these.
fn is_bundled(survey: &Survey, facts: &Facts<'_>, needed: &[&str]) -> bool {
    let files = handler::files(survey, facts);
    let sources: Vec<_> = files.iter().filter_map(|file| survey.sources.get(file)).collect();
    let of_package = |import: &String, name: &str| {
        import.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let loads = sources.iter().flat_map(|source| &source.imports);
    let loads = loads.into_iter().any(|import| needed.iter().any(|name| of_package(import, name)));
    !loads && (sources.is_empty() || sources.iter().any(|source| source.bundled))
}

/// The command that installs the dependencies of a manifest.
fn command(survey: &Survey, manifest: &Manifest, folder: &str) -> &'static str {
    let has = |name: &str| survey.has(&format!("{folder}{name}"));
    match manifest.tool {
        Tool::Pip => "pip install --target . -r requirements.txt",
        Tool::Project => "uv pip install --target . -r pyproject.toml",
        Tool::Poetry => "poetry export -o requirements.txt && pip install --target . -r requirements.txt",
        Tool::Pipenv => "pipenv requirements > requirements.txt && pip install --target . -r requirements.txt",
        Tool::Npm if has("pnpm-lock.yaml") => "pnpm install --prod --frozen-lockfile",
        Tool::Npm if has("yarn.lock") => "yarn install --production --frozen-lockfile",
        Tool::Npm if has("package-lock.json") => "npm ci --omit=dev",
        Tool::Npm => "npm install --omit=dev",
    }
}
