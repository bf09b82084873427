//! Warns of hidden names at the root that stay out although the function may need them.

use super::path::extension;
use super::rule::{Facts, Rule, few};
use super::survey::Survey;
use crate::place::{Problem, Weight};

/// Hidden folders of tools, which no function reads. `.env` and `.venv` count with any ending.
const OF_TOOLS: &[&str] = &[
    ".aider",
    ".angular",
    ".aws",
    ".aws-sam",
    ".azure",
    ".buildkite",
    ".bzr",
    ".cache",
    ".cargo",
    ".changeset",
    ".chalice",
    ".circleci",
    ".claude",
    ".cursor",
    ".devcontainer",
    ".direnv",
    ".docker",
    ".eggs",
    ".eslintcache",
    ".fleet",
    ".gcloud",
    ".git",
    ".gitea",
    ".github",
    ".gitlab",
    ".gradle",
    ".hg",
    ".history",
    ".husky",
    ".hypothesis",
    ".idea",
    ".ipynb_checkpoints",
    ".jj",
    ".jest",
    ".metals",
    ".mvn",
    ".mypy_cache",
    ".nox",
    ".npm",
    ".nyc_output",
    ".parcel-cache",
    ".pnpm-store",
    ".pytest_cache",
    ".ropeproject",
    ".ruff_cache",
    ".sass-cache",
    ".serverless",
    ".settings",
    ".ssh",
    ".sst",
    ".storybook",
    ".svn",
    ".temp",
    ".terraform",
    ".tmp",
    ".tox",
    ".Trash",
    ".travis",
    ".turbo",
    ".vs",
    ".vscode",
    ".webpack",
    ".woodpecker",
    ".yarn",
    ".zed",
];

/// Whether a name that stayed out is no loss: it is not a hidden folder of the package's own, and not code.
pub(in crate::package) fn is_usual(name: &str) -> bool {
    if !name.starts_with('.') {
        return true;
    }
    match name.strip_suffix('/') {
        Some(folder) => OF_TOOLS.contains(&folder) || folder.starts_with(".env") || folder.starts_with(".venv"),
        None => !is_code(name),
    }
}

/// Whether a hidden file is a library, or the loader of Yarn's Plug'n'Play.
fn is_code(name: &str) -> bool {
    matches!(name, ".pnp.cjs" | ".pnp.js" | ".pnp.loader.mjs")
        || name.contains(".so.")
        || matches!(extension(name), "so" | "node" | "jar" | "dll" | "dylib" | "pyd")
}

/// Hidden folders and libraries that the package lacks.
pub(super) fn rules(survey: &Survey, _: &Facts<'_>) -> Vec<Problem> {
    let lost: Vec<_> = survey.left_out.iter().map(String::as_str).filter(|name| !is_usual(name)).collect();
    let Some(first) = lost.first() else { return Vec::new() };
    let (are, they) = if lost.len() == 1 { ("is", "it is") } else { ("are", "they are") };
    let message =
        format!("{} {are} not in the package: hidden names at the root stay out by default", few(lost.iter().copied()));
    let glob = first.trim_end_matches('/');
    let help = format!(
        "if the function needs them, add `{glob}` to `include`, or set `dot_match: true` for all hidden names; if {they} not needed, name them in `exclude`"
    );
    vec![Rule::HiddenLeftOut.finds(Weight::Warning, "zip", message, help).on(*first)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_tools_are_no_loss_but_others_and_libraries_are() {
        for (name, usual) in [
            (".git/", true),
            (".venv/", true),
            (".venv3/", true),
            (".env", true),
            (".env.d/", true),
            (".gitignore", true),
            (".eslintrc.cjs", true),
            ("lib/.git/", true),
            ("__pycache__/", true),
            (".libs_cffi/", false),
            (".next/", false),
            (".output/", false),
            (".x.so", false),
            (".x.so.1", false),
            (".pnp.cjs", false),
        ] {
            assert_eq!(is_usual(name), usual, "{name}");
        }
    }
}
