//! Detects the build of a pull or merge request, and which one it is.
//!
//! Reads the signs of every CI, whichever CI was detected: a pull request mistaken for a push would be deployed.
//! If a CI sets no sign and only checks out a branch, the pull request stays unknown.

mod github;
mod signs;
mod teamcity;
#[cfg(test)]
mod tests;

use std::{fs, io::Read, path::Path};

use self::signs::{BRANCHES, OF_A_PUSH, REFERENCES, SIGNS};
use super::Host;

/// The largest file with an event or build parameters that is read. GitHub's events have at most 25 MB.
const MOST_BYTES: u64 = 25 << 20;

/// A pull or merge request, or its entry in a merge queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PullRequest {
    /// Its number; absent if the CI does not set it.
    pub number: Option<String>,
    /// Its base branch; absent if the CI does not set it.
    pub base: Option<String>,
    /// Its base repository; absent if it is the repository of the build, or unknown.
    pub repository: Option<String>,
    /// Whether its head is known to be in another repository.
    pub is_from_fork: bool,
    /// The variable that shows that this is the build of a pull request.
    pub sign: &'static str,
}

impl PullRequest {
    /// The pull request of a build; absent: the build is of none. `branch` is the branch that git reports.
    pub(super) fn of(host: &Host, branch: Option<&str>) -> Option<Self> {
        let by_signs = SIGNS.iter().filter_map(|sign| sign.read(host));
        let named = REFERENCES.iter().filter_map(|name| Some((*name, host.variable(name)?)));
        let by_name = named.filter_map(|(name, reference)| Self::by_reference(name, reference));
        let branches = BRANCHES.iter().filter_map(|name| Some((*name, host.variable(name)?)));
        let by_name = by_name.chain(branches.filter_map(|(name, branch)| Self::by_branch(name, branch)));
        let by_branch = branch.and_then(|branch| Self::by_reference("git's HEAD", branch));
        let found =
            by_signs.chain(github::of_event(host)).chain(by_name).chain(teamcity::of_parameters(host)).chain(by_branch);
        let mut found = found.reduce(|first, other| Self {
            number: first.number.or(other.number),
            base: first.base.or(other.base),
            ..first
        })?;
        found.is_from_fork = github::is_from_fork(host) || is_from_fork_of_gitlab(host) || is_from_fork_of_azure(host);
        found.repository = host.variable("CI_MERGE_REQUEST_PROJECT_PATH").map(str::to_owned);
        Some(found)
    }

    fn new(sign: &'static str, number: Option<String>, base: Option<&str>) -> Self {
        Self { number, base: base.map(branch), repository: None, is_from_fork: false, sign }
    }

    /// The pull request of a branch of a merge queue.
    fn by_branch(sign: &'static str, branch: &str) -> Option<Self> {
        Self::by_reference(sign, &format!("refs/heads/{branch}"))
    }

    /// The pull request of a reference or a name like one: `pull/7/merge`, `merge-requests/7/head`, `changes/07/7/1`,
    /// `gh-readonly-queue/main/pr-7-…`.
    fn by_reference(sign: &'static str, reference: &str) -> Option<Self> {
        let is_branch = reference.starts_with("refs/heads/");
        let short = ["refs/heads/", "refs/remotes/", "refs/", "origin/"]
            .iter()
            .fold(reference, |name, prefix| name.strip_prefix(prefix).unwrap_or(name));
        if let Some(queued) = short.strip_prefix("gh-readonly-queue/") {
            let (base, entry) = queued.rsplit_once("/pr-")?;
            return Some(Self::new(sign, number(entry.split('-').next()?), Some(base)));
        }
        let parts: Vec<_> = short.split('/').collect();
        let found = match parts[..] {
            // Anyone can give a branch such a name, but not another kind of reference.
            _ if is_branch => None,
            ["pull" | "pr" | "merge-requests" | "pull-requests" | "mr", number, ..] | ["changes", _, number, ..] => {
                Some(number)
            }
            [one] => one.strip_prefix("PR-").or_else(|| one.strip_prefix("MR-")),
            _ => None,
        };
        let number = number(found?)?;
        Some(Self::new(sign, Some(number), None))
    }
}

/// The environment that the build of a push to `base` would have, limited to the variables that conditions read.
pub(super) fn as_pushed(host: &Host, base: &str) -> Host {
    let mut pushed = host.clone();
    let is_sign = |name: &str| SIGNS.iter().any(|sign| sign.variable == name);
    pushed.variables.retain(|name, _| !is_sign(name) && !name.starts_with("CI_MERGE_REQUEST_"));
    let of_this_ci = OF_A_PUSH.iter().filter(|(ci, ..)| host.variable(ci).is_some());
    pushed.variables.extend(of_this_ci.map(|(_, name, value)| ((*name).to_owned(), value.replace("{}", base))));
    pushed
}

/// Whether the merge request of GitLab comes from another project.
fn is_from_fork_of_gitlab(host: &Host) -> bool {
    let source = host.variable("CI_MERGE_REQUEST_SOURCE_PROJECT_ID");
    source.is_some_and(|source| host.variable("CI_MERGE_REQUEST_PROJECT_ID").is_some_and(|target| source != target))
}

/// Whether the pull request of Azure DevOps comes from a fork.
fn is_from_fork_of_azure(host: &Host) -> bool {
    host.variable("SYSTEM_PULLREQUEST_ISFORK").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The name of a branch, without `refs/heads/`.
fn branch(reference: &str) -> String {
    reference.strip_prefix("refs/heads/").unwrap_or(reference).to_owned()
}

/// The number, if the text is one. `CodeBuild` can append `^` and the commit.
fn number(text: &str) -> Option<String> {
    let text = text.split('^').next().unwrap_or_default();
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.to_owned())
}

/// The text of a regular file of at most `MOST_BYTES`.
fn text(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return None;
    }
    let mut text = String::new();
    fs::File::open(path).ok()?.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}
