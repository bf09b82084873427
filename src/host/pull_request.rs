//! Detects the build of a pull or merge request, and which one it is.
//!
//! Reads the signs of every CI, whichever CI was detected: a pull request mistaken for a push would be deployed.
//! If a CI sets no sign and only checks out a branch, the pull request stays unknown.

use std::{collections::BTreeMap, fs, io::Read, path::Path};

use serde_json::Value;

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
    /// The variable that shows that this is the build of a pull request.
    pub sign: &'static str,
}

/// What the value of a variable means.
#[derive(Clone, Copy)]
enum Says {
    /// The number or URL of the pull request, or whether there is one.
    Which,
    /// The event. One of these prefixes means a pull request.
    Event(&'static [&'static str]),
    /// Any value means a pull request: no other build sets the variable.
    Anything,
}

/// A variable that shows that a build is of a pull request.
#[derive(Clone, Copy)]
struct Sign {
    variable: &'static str,
    says: Says,
    /// Variables with the base branch. The first one that is set counts.
    base: &'static [&'static str],
    /// Other variables, for a name that other programs use too: one of them must be set. Empty: no other is needed.
    beside: &'static [&'static str],
}

const fn which(variable: &'static str, base: &'static [&'static str]) -> Sign {
    Sign { variable, says: Says::Which, base, beside: &[] }
}

const fn event(variable: &'static str, begins: &'static [&'static str], base: &'static [&'static str]) -> Sign {
    Sign { variable, says: Says::Event(begins), base, beside: &[] }
}

const fn only(variable: &'static str, base: &'static [&'static str]) -> Sign {
    Sign { variable, says: Says::Anything, base, beside: &[] }
}

const fn beside(sign: Sign, beside: &'static [&'static str]) -> Sign {
    Sign { beside, ..sign }
}

const AZURE: &[&str] = &["SYSTEM_PULLREQUEST_TARGETBRANCH", "SYSTEM_PULLREQUEST_TARGETBRANCHNAME"];
const BITBUCKET: &[&str] = &["BITBUCKET_PR_DESTINATION_BRANCH"];
const CODEBUILD: &[&str] = &["CODEBUILD_WEBHOOK_BASE_REF"];
const DRONE: &[&str] = &["DRONE_TARGET_BRANCH", "DRONE_BRANCH"];
const GITLAB: &[&str] = &["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"];
const GITLAB_EXTERNAL: &[&str] = &["CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME"];
const OF_GITLAB_PLUGIN: &[&str] = &["gitlabTargetBranch"];
const TRAVIS: &[&str] = &["TRAVIS_BRANCH"];
const WOODPECKER: &[&str] = &["CI_COMMIT_TARGET_BRANCH", "CI_COMMIT_BRANCH"];

/// Every variable that shows that a build is of a pull request.
#[rustfmt::skip]
const SIGNS: &[Sign] = &[
    event("GITHUB_EVENT_NAME", &["pull_request", "merge_group"], &["GITHUB_BASE_REF"]),
    only("GITHUB_HEAD_REF", &["GITHUB_BASE_REF"]),
    only("GITHUB_BASE_REF", &["GITHUB_BASE_REF"]),
    which("CI_MERGE_REQUEST_IID", GITLAB),
    which("CI_EXTERNAL_PULL_REQUEST_IID", GITLAB_EXTERNAL),
    only("CI_MERGE_REQUEST_ID", GITLAB),
    only("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", GITLAB),
    event("CI_PIPELINE_SOURCE", &["merge_request_event"], GITLAB),
    event("CI_PIPELINE_SOURCE", &["external_pull_request_event"], GITLAB_EXTERNAL),
    which("CI_COMMIT_PULL_REQUEST", WOODPECKER),
    event("CI_PIPELINE_EVENT", &["pull_request"], WOODPECKER),
    event("CI_BUILD_EVENT", &["pull_request"], WOODPECKER),
    which("TRAVIS_PULL_REQUEST", TRAVIS),
    only("TRAVIS_PULL_REQUEST_BRANCH", TRAVIS),
    event("TRAVIS_EVENT_TYPE", &["pull_request"], TRAVIS),
    which("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", AZURE),
    which("SYSTEM_PULLREQUEST_PULLREQUESTID", AZURE),
    only("SYSTEM_PULLREQUEST_TARGETBRANCH", AZURE),
    event("BUILD_REASON", &["PullRequest"], AZURE),
    which("BUILDKITE_PULL_REQUEST", &["BUILDKITE_PULL_REQUEST_BASE_BRANCH"]),
    only("BUILDKITE_MERGE_QUEUE_BASE_BRANCH", &["BUILDKITE_MERGE_QUEUE_BASE_BRANCH"]),
    which("CIRCLE_PR_NUMBER", &[]),
    which("CIRCLE_PULL_REQUEST", &[]),
    which("CIRCLE_PULL_REQUESTS", &[]),
    which("BITBUCKET_PR_ID", BITBUCKET),
    only("BITBUCKET_PR_DESTINATION_BRANCH", BITBUCKET),
    which("DRONE_PULL_REQUEST", DRONE),
    event("DRONE_BUILD_EVENT", &["pull_request"], DRONE),
    which("APPVEYOR_PULL_REQUEST_NUMBER", &["APPVEYOR_REPO_BRANCH"]),
    event("CODEBUILD_WEBHOOK_EVENT", &["PULL_REQUEST"], CODEBUILD),
    // Jenkins: multibranch pipelines, and the plugins that build pull requests in other jobs.
    beside(which("CHANGE_ID", &["CHANGE_TARGET"]), &["JENKINS_URL", "CHANGE_TARGET", "CHANGE_URL"]),
    only("CHANGE_TARGET", &["CHANGE_TARGET"]),
    which("ghprbPullId", &["ghprbTargetBranch"]),
    which("GITHUB_PR_NUMBER", &["GITHUB_PR_TARGET_BRANCH"]),
    which("gitlabMergeRequestIid", OF_GITLAB_PLUGIN),
    which("gitlabMergeRequestId", OF_GITLAB_PLUGIN),
    event("gitlabActionType", &["MERGE", "NOTE"], OF_GITLAB_PLUGIN),
    which("giteePullRequestIid", &["giteeTargetBranch"]),
    which("BITBUCKET_PULL_REQUEST_ID", &["BITBUCKET_TARGET_BRANCH"]),
    beside(which("pullRequestId", &["targetBranch"]), &["JENKINS_URL"]),
    event("GERRIT_EVENT_TYPE", &["patchset-", "comment-", "draft-", "wip-", "private-", "reviewer-", "topic-"], &["GERRIT_BRANCH"]),
    // TeamCity's parameters, if a build passes them to the environment.
    which("teamcity.pullRequest.number", &["teamcity.pullRequest.target.branch"]),
    which("TEAMCITY_PULL_REQUEST_NUMBER", &["TEAMCITY_PULL_REQUEST_TARGET_BRANCH"]),
    // CIs that have no dialect of their own here.
    which("CIRRUS_PR", &["CIRRUS_BASE_BRANCH"]),
    which("SEMAPHORE_GIT_PR_NUMBER", &["SEMAPHORE_GIT_BRANCH"]),
    event("SEMAPHORE_GIT_REF_TYPE", &["pull-request"], &["SEMAPHORE_GIT_BRANCH"]),
    which("BITRISE_PULL_REQUEST", &["BITRISEIO_GIT_BRANCH_DEST"]),
    which("CF_PULL_REQUEST_NUMBER", &["CF_PULL_REQUEST_TARGET"]),
    which("CM_PULL_REQUEST_NUMBER", &["CM_PULL_REQUEST_DEST"]),
    which("CM_PULL_REQUEST", &["CM_PULL_REQUEST_DEST"]),
    which("CI_PULL_REQUEST_NUMBER", &["CI_PULL_REQUEST_TARGET_BRANCH"]),
    which("CI_PR_NUMBER", &[]),
    which("CI_PULL_REQUEST", &[]),
    beside(which("PULL_REQUEST_NUMBER", &[]), &["SEMAPHORE"]),
    which("CF_PULL_REQUEST_ID", &["CF_PULL_REQUEST_TARGET"]),
    which("VELA_PULL_REQUEST", &["VELA_PULL_REQUEST_TARGET"]),
    event("VELA_BUILD_EVENT", &["pull_request"], &["VELA_PULL_REQUEST_TARGET"]),
    which("SD_PULL_REQUEST", &["PR_BASE_BRANCH_NAME"]),
    which("BUDDY_EXECUTION_PULL_REQUEST_NO", &["BUDDY_EXECUTION_PULL_REQUEST_BASE_BRANCH"]),
    only("BUDDY_EXECUTION_PULL_REQUEST_ID", &["BUDDY_EXECUTION_PULL_REQUEST_BASE_BRANCH"]),
    which("BUDDY_RUN_PR_NO", &["BUDDY_RUN_PR_BASE_BRANCH"]),
    only("BUDDY_RUN_PR_ID", &["BUDDY_RUN_PR_BASE_BRANCH"]),
    which("AC_PULL_NUMBER", &["AC_GIT_TARGET_BRANCH"]),
    which("AC_GIT_PR", &["AC_GIT_TARGET_BRANCH"]),
    which("LAYERCI_PULL_REQUEST", &[]),
    which("NEVERCODE_PULL_REQUEST", &[]),
    which("SAIL_PULL_REQUEST_NUMBER", &[]),
    which("bamboo_repository_pr_key", &["bamboo_repository_pr_targetBranch"]),
    which("ZUUL_CHANGE", &["ZUUL_BRANCH"]),
    event("BUILD_REASON", &["patchset", "github-pr"], &[]),
    which("AWS_PULL_REQUEST_ID", &["AWS_PULL_REQUEST_DESTINATION_BRANCH"]),
    which("VERCEL_GIT_PULL_REQUEST_ID", &[]),
    which("IS_PULL_REQUEST", &[]),
    beside(which("PULL_REQUEST", &[]), &["NETLIFY"]),
    beside(which("REVIEW_ID", &[]), &["NETLIFY"]),
    event("JOB_TYPE", &["presubmit"], &["PULL_BASE_REF"]),
    beside(event("JOB_TYPE", &["batch"], &["PULL_BASE_REF"]), &["PROW_JOB_ID"]),
    beside(which("PULL_NUM", &["BASE_BRANCH_NAME"]), &["BASE_BRANCH_NAME"]),
];

/// Variables with the name of the checked out reference. That name can be one of a pull request.
const REFERENCES: &[&str] = &[
    "GITHUB_REF",
    "CI_MERGE_REQUEST_REF_PATH",
    "CI_COMMIT_REF",
    "CI_COMMIT_REF_NAME",
    "DRONE_COMMIT_REF",
    "BUILD_SOURCEBRANCH",
    "CODEBUILD_SOURCE_VERSION",
    "CODEBUILD_WEBHOOK_TRIGGER",
    "CODEBUILD_WEBHOOK_HEAD_REF",
    "BUILDKITE_BRANCH",
    "CIRCLE_BRANCH",
    "GERRIT_REFSPEC",
    "GIT_BRANCH",
    "BRANCH_NAME",
    "CIRRUS_BRANCH",
    "SEMAPHORE_GIT_REF",
];

/// Variables with the name of a branch. Only the branch of a merge queue is about a pull request.
const BRANCHES: &[&str] = &["TRAVIS_BRANCH", "APPVEYOR_REPO_BRANCH", "BITBUCKET_BRANCH", "CI_COMMIT_BRANCH"];

/// The variables that conditions read: a variable that the CI always sets, another variable, and the value of the other
/// in the build of a push. `{}` is the name of the branch.
#[rustfmt::skip]
const OF_A_PUSH: &[(&str, &str, &str)] = &[
    ("TRAVIS", "TRAVIS_PULL_REQUEST", "false"),
    ("TRAVIS", "TRAVIS_EVENT_TYPE", "push"),
    ("TRAVIS", "TRAVIS_BRANCH", "{}"),
    ("GITHUB_ACTIONS", "GITHUB_EVENT_NAME", "push"),
    ("GITHUB_ACTIONS", "GITHUB_REF", "refs/heads/{}"),
    ("GITHUB_ACTIONS", "GITHUB_REF_NAME", "{}"),
    ("GITLAB_CI", "CI_PIPELINE_SOURCE", "push"),
    ("GITLAB_CI", "CI_COMMIT_BRANCH", "{}"),
    ("GITLAB_CI", "CI_COMMIT_REF_NAME", "{}"),
    ("TF_BUILD", "BUILD_REASON", "IndividualCI"),
    ("TF_BUILD", "BUILD_SOURCEBRANCH", "refs/heads/{}"),
    ("TF_BUILD", "BUILD_SOURCEBRANCHNAME", "{}"),
    ("BUILDKITE", "BUILDKITE_PULL_REQUEST", "false"),
    ("BUILDKITE", "BUILDKITE_BRANCH", "{}"),
    ("CIRCLECI", "CIRCLE_BRANCH", "{}"),
    ("BITBUCKET_COMMIT", "BITBUCKET_BRANCH", "{}"),
    ("DRONE", "DRONE_BUILD_EVENT", "push"),
    ("DRONE", "DRONE_BRANCH", "{}"),
    ("CI_PIPELINE_EVENT", "CI_PIPELINE_EVENT", "push"),
    ("JENKINS_URL", "BRANCH_NAME", "{}"),
];

/// Events of GitHub that may be about a pull request. Only the event's file shows it.
const EVENTS_WITH_FILE: &[&str] = &["workflow_run", "issue_comment", "check_run", "check_suite"];

/// Prefixes of other events of GitHub that may be about a pull request. The event's file has the details.
const EVENTS_WITH_MORE: &[&str] = &["pull_request", "merge_group", "repository_dispatch", "deployment"];

impl PullRequest {
    /// The pull request of a build; absent: the build is of none. `branch` is the branch that git reports.
    pub(super) fn of(host: &Host, branch: Option<&str>) -> Option<Self> {
        let by_signs = SIGNS.iter().filter_map(|sign| sign.read(host));
        let named = REFERENCES.iter().filter_map(|name| Some((*name, host.variable(name)?)));
        let by_name = named.filter_map(|(name, reference)| Self::by_reference(name, reference));
        let branches = BRANCHES.iter().filter_map(|name| Some((*name, host.variable(name)?)));
        let by_name = by_name.chain(branches.filter_map(|(name, branch)| Self::by_branch(name, branch)));
        let by_branch = branch.and_then(|branch| Self::by_reference("git's HEAD", branch));
        let found = by_signs.chain(of_github(host)).chain(by_name).chain(of_teamcity(host)).chain(by_branch);
        let mut found = found.reduce(|first, other| Self {
            number: first.number.or(other.number),
            base: first.base.or(other.base),
            ..first
        })?;
        found.repository = host.variable("CI_MERGE_REQUEST_PROJECT_PATH").map(str::to_owned);
        Some(found)
    }

    fn new(sign: &'static str, number: Option<String>, base: Option<&str>) -> Self {
        Self { number, base: base.map(branch), repository: None, sign }
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

impl Sign {
    fn read(&self, host: &Host) -> Option<PullRequest> {
        let value = host.variable(self.variable)?;
        let known = self.beside.is_empty() || self.beside.iter().any(|name| host.variable(name).is_some());
        let number = match self.says {
            Says::Event(begins) if begins.iter().any(|begin| value.starts_with(begin)) => None,
            Says::Which if !matches!(value.to_ascii_lowercase().as_str(), "false" | "no" | "0") => {
                number(value.rsplit('/').next().unwrap_or_default())
            }
            Says::Anything => None,
            Says::Event(_) | Says::Which => return None,
        };
        let base = self.base.iter().find_map(|name| host.variable(name));
        known.then(|| PullRequest::new(self.variable, number, base))
    }
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

/// The pull request from GitHub's event file, for events whose variables do not show it.
fn of_github(host: &Host) -> Option<PullRequest> {
    const SIGN: &str = "GITHUB_EVENT_PATH";
    let event = host.variable("GITHUB_EVENT_NAME")?;
    let asked = EVENTS_WITH_FILE.contains(&event) || EVENTS_WITH_MORE.iter().any(|begin| event.starts_with(begin));
    if !asked {
        return None;
    }
    let file = host.variable(SIGN).and_then(|path| text(&host.directory.join(path)));
    let Some(file) = file.and_then(|text| serde_json::from_str::<Value>(&text).ok()) else {
        // An unknown event counts as a pull request, so that it is not deployed.
        return EVENTS_WITH_FILE.contains(&event).then(|| PullRequest::new(SIGN, None, None));
    };
    let at = |pointer: &str| file.pointer(pointer).filter(|value| !value.is_null());
    let text_at = |pointer: &str| at(pointer).and_then(Value::as_str);
    let pull_request = |of: &str| {
        PullRequest::new(SIGN, at(&format!("{of}/number")).map(Value::to_string), text_at(&format!("{of}/base/ref")))
    };
    let first = |of: &str| at(&format!("{of}/pull_requests/0")).map(|_| pull_request(&format!("{of}/pull_requests/0")));
    match event {
        "workflow_run" => {
            let run = "/workflow_run";
            let cause = text_at("/workflow_run/event").unwrap_or_default();
            let by_pull_request =
                ["pull_request", "merge_group", "issue_comment"].iter().any(|begin| cause.starts_with(begin));
            let (head, own) = (at("/workflow_run/head_repository/full_name"), at("/repository/full_name"));
            let from_fork = head.is_some() && head != own;
            let queued = text_at("/workflow_run/head_branch").and_then(|head| PullRequest::by_branch(SIGN, head));
            let chained = EVENTS_WITH_FILE.contains(&cause).then(|| first(run)).flatten();
            let of_run = || first(run).unwrap_or_else(|| PullRequest::new(SIGN, None, None));
            queued.or(chained).or_else(|| (by_pull_request || from_fork).then(of_run))
        }
        "issue_comment" => at("/issue/pull_request").map(|_| pull_request("/issue")),
        "check_run" => first("/check_run").or_else(|| first("/check_run/check_suite")),
        "check_suite" => first("/check_suite"),
        "repository_dispatch" => {
            at("/client_payload/pull_request").map(|_| pull_request("/client_payload/pull_request"))
        }
        "deployment" | "deployment_status" => {
            text_at("/deployment/ref").and_then(|name| PullRequest::by_reference(SIGN, name))
        }
        "merge_group" => Some(PullRequest::new(SIGN, None, text_at("/merge_group/base_ref"))),
        name if name.starts_with("pull_request") => Some(pull_request("/pull_request")),
        _ => None,
    }
}

/// The pull request from `TeamCity`'s parameters: its pull request feature sets them, or else the branch has the name
/// of a pull request.
fn of_teamcity(host: &Host) -> Option<PullRequest> {
    const SIGN: &str = "TEAMCITY_BUILD_PROPERTIES_FILE";
    let read = |path: &str| text(&host.directory.join(path)).map(|text| properties(&text));
    let mut parameters = read(host.variable(SIGN)?)?;
    // The build's file names a second file, with the parameters of the build configuration.
    let further = parameters.get("teamcity.configuration.properties.file").and_then(|path| read(path));
    parameters.extend(further.unwrap_or_default());
    let get = |name: &str| parameters.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let by_feature = get("teamcity.pullRequest.number")
        .map(|found| PullRequest::new(SIGN, number(found), get("teamcity.pullRequest.target.branch")));
    let names = ["teamcity.build.branch", "vcsroot.branch"];
    by_feature.or_else(|| names.iter().find_map(|name| PullRequest::by_reference(SIGN, get(name)?)))
}

/// Parses a Java properties file: lines of `name=value`, with backslashes as escapes.
fn properties(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with(['#', '!'])) {
        let Some((name, value)) = line.split_once('=') else { continue };
        let plain = |text: &str| {
            let mut chars = text.chars();
            let mut plain = String::with_capacity(text.len());
            while let Some(c) = chars.next() {
                plain.extend(if c == '\\' { chars.next() } else { Some(c) });
            }
            plain
        };
        found.insert(plain(name.trim()), plain(value.trim_start()));
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    type Variables = &'static [(&'static str, &'static str)];

    fn of(variables: Variables) -> Option<(Option<String>, Option<String>)> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let host = Host { variables, directory: "/".into(), ..Host::default() };
        PullRequest::of(&host, None).map(|found| (found.number, found.base))
    }

    #[test]
    fn the_variables_of_each_ci_show_a_pull_request() {
        let (seven, main) = (Some("7"), Some("main"));
        #[rustfmt::skip]
        let table: &[(Variables, Option<&str>, Option<&str>)] = &[
            (&[("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_REF", "refs/pull/7/merge"), ("GITHUB_BASE_REF", "main")], seven, main),
            (&[("GITHUB_EVENT_NAME", "pull_request_target"), ("GITHUB_REF", "refs/heads/main"), ("GITHUB_BASE_REF", "main")], None, main),
            (&[("GITHUB_EVENT_NAME", "pull_request_sync")], None, None),
            (&[("GITHUB_HEAD_REF", "fix"), ("GITHUB_BASE_REF", "main")], None, main),
            (&[("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")], None, main),
            (&[("TRAVIS_PULL_REQUEST_BRANCH", "fix"), ("TRAVIS_BRANCH", "main")], None, main),
            (&[("CHANGE_TARGET", "main")], None, main),
            (&[("GITHUB_EVENT_NAME", "workflow_dispatch"), ("GITHUB_REF", "refs/pull/7/merge")], seven, None),
            (&[("GITHUB_EVENT_NAME", "merge_group"), ("GITHUB_REF", "refs/heads/gh-readonly-queue/main/pr-7-abc")], seven, main),
            (&[("CI_MERGE_REQUEST_IID", "7"), ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")], seven, main),
            (&[("CI_PIPELINE_SOURCE", "merge_request_event")], None, None),
            (&[("CI_EXTERNAL_PULL_REQUEST_IID", "7"), ("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME", "main")], seven, main),
            (&[("CI_PIPELINE_SOURCE", "external_pull_request_event"), ("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME", "main")], None, main),
            (&[("CI_COMMIT_PULL_REQUEST", "7"), ("CI_COMMIT_TARGET_BRANCH", "main")], seven, main),
            (&[("CI_PIPELINE_EVENT", "pull_request_closed"), ("CI_COMMIT_REF", "refs/pull/7/head")], seven, None),
            (&[("TRAVIS_PULL_REQUEST", "7"), ("TRAVIS_BRANCH", "main")], seven, main),
            (&[("TRAVIS_EVENT_TYPE", "pull_request"), ("TRAVIS_BRANCH", "main")], None, main),
            (&[("BUILD_REASON", "PullRequest"), ("SYSTEM_PULLREQUEST_PULLREQUESTID", "7"), ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main")], seven, main),
            (&[("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "7"), ("SYSTEM_PULLREQUEST_PULLREQUESTID", "99"), ("SYSTEM_PULLREQUEST_TARGETBRANCH", "main")], seven, main),
            (&[("BUILD_REASON", "Manual"), ("BUILD_SOURCEBRANCH", "refs/pull/7/merge")], seven, None),
            (&[("BUILDKITE_PULL_REQUEST", "7"), ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main")], seven, main),
            (&[("BUILDKITE_BRANCH", "gh-readonly-queue/release/1/pr-7-a"), ("BUILDKITE_MERGE_QUEUE_BASE_BRANCH", "release/1")], seven, Some("release/1")),
            (&[("CIRCLE_PULL_REQUEST", "https://github.com/o/r/pull/7")], seven, None),
            (&[("CIRCLE_PULL_REQUESTS", "https://github.com/o/r/pull/8,https://github.com/o/r/pull/7")], seven, None),
            (&[("CIRCLE_PR_NUMBER", "7")], seven, None),
            (&[("CIRCLE_BRANCH", "pull/7")], seven, None),
            (&[("BITBUCKET_PR_ID", "7"), ("BITBUCKET_PR_DESTINATION_BRANCH", "main")], seven, main),
            (&[("DRONE_PULL_REQUEST", "7"), ("DRONE_BRANCH", "main")], seven, main),
            (&[("DRONE_BUILD_EVENT", "pull_request"), ("DRONE_COMMIT_REF", "refs/merge-requests/7/head"), ("DRONE_TARGET_BRANCH", "main")], seven, main),
            (&[("APPVEYOR_PULL_REQUEST_NUMBER", "7"), ("APPVEYOR_REPO_BRANCH", "main")], seven, main),
            (&[("CODEBUILD_SOURCE_VERSION", "pr/7")], seven, None),
            (&[("CODEBUILD_SOURCE_VERSION", "refs/pull/7/head^{abc}")], seven, None),
            (&[("CODEBUILD_WEBHOOK_TRIGGER", "pr/7")], seven, None),
            (&[("CODEBUILD_WEBHOOK_EVENT", "PULL_REQUEST_CREATED"), ("CODEBUILD_WEBHOOK_BASE_REF", "refs/heads/main")], None, main),
            (&[("JENKINS_URL", "http://x/"), ("CHANGE_ID", "7")], seven, None),
            (&[("CHANGE_ID", "7"), ("CHANGE_TARGET", "main")], seven, main),
            (&[("ghprbPullId", "7"), ("ghprbTargetBranch", "main")], seven, main),
            (&[("GIT_BRANCH", "origin/pr/7/merge")], seven, None),
            (&[("BRANCH_NAME", "PR-7")], seven, None),
            (&[("BRANCH_NAME", "MR-7")], seven, None),
            (&[("gitlabMergeRequestIid", "7"), ("gitlabTargetBranch", "main")], seven, main),
            (&[("gitlabActionType", "MERGE"), ("gitlabTargetBranch", "main")], None, main),
            (&[("BITBUCKET_PULL_REQUEST_ID", "7")], seven, None),
            (&[("JENKINS_URL", "http://x/"), ("pullRequestId", "7"), ("targetBranch", "main")], seven, main),
            (&[("GERRIT_EVENT_TYPE", "patchset-created"), ("GERRIT_REFSPEC", "refs/changes/07/7/1"), ("GERRIT_BRANCH", "main")], seven, main),
            (&[("teamcity.pullRequest.number", "7"), ("teamcity.pullRequest.target.branch", "main")], seven, main),
            (&[("CIRRUS_PR", "7"), ("CIRRUS_BASE_BRANCH", "main")], seven, main),
            (&[("SEMAPHORE_GIT_REF_TYPE", "pull-request"), ("SEMAPHORE_GIT_PR_NUMBER", "7"), ("SEMAPHORE_GIT_BRANCH", "main")], seven, main),
            (&[("BITRISE_PULL_REQUEST", "7"), ("BITRISEIO_GIT_BRANCH_DEST", "main")], seven, main),
            (&[("CM_PULL_REQUEST", "true"), ("CM_PULL_REQUEST_NUMBER", "7")], seven, None),
            (&[("NETLIFY", "true"), ("PULL_REQUEST", "true"), ("REVIEW_ID", "7")], seven, None),
            (&[("JOB_TYPE", "presubmit"), ("PULL_BASE_REF", "main")], None, main),
            (&[("PROW_JOB_ID", "x"), ("JOB_TYPE", "batch"), ("PULL_BASE_REF", "main")], None, main),
            (&[("CI_PR_NUMBER", "7")], seven, None),
            (&[("CI_PULL_REQUEST", "https://github.com/o/r/pull/7")], seven, None),
            (&[("SEMAPHORE", "true"), ("PULL_REQUEST_NUMBER", "7")], seven, None),
            (&[("CF_PULL_REQUEST_ID", "99"), ("CF_PULL_REQUEST_NUMBER", "7"), ("CF_PULL_REQUEST_TARGET", "main")], seven, main),
            (&[("VELA_PULL_REQUEST", "7"), ("VELA_PULL_REQUEST_TARGET", "main")], seven, main),
            (&[("VELA_BUILD_EVENT", "pull_request")], None, None),
            (&[("SD_PULL_REQUEST", "7"), ("PR_BASE_BRANCH_NAME", "main")], seven, main),
            (&[("BUDDY_EXECUTION_PULL_REQUEST_ID", "pr/99"), ("BUDDY_EXECUTION_PULL_REQUEST_NO", "7")], seven, None),
            (&[("BUDDY_RUN_PR_ID", "99"), ("BUDDY_RUN_PR_NO", "7"), ("BUDDY_RUN_PR_BASE_BRANCH", "main")], seven, main),
            (&[("AC_GIT_PR", "true"), ("AC_PULL_NUMBER", "7"), ("AC_GIT_TARGET_BRANCH", "main")], seven, main),
            (&[("LAYERCI_PULL_REQUEST", "https://github.com/o/r/pull/7")], seven, None),
            (&[("NEVERCODE_PULL_REQUEST", "true")], None, None),
            (&[("SAIL_PULL_REQUEST_NUMBER", "7")], seven, None),
            (&[("bamboo_repository_pr_key", "7"), ("bamboo_repository_pr_targetBranch", "main")], seven, main),
            (&[("ZUUL_CHANGE", "7"), ("ZUUL_BRANCH", "main")], seven, main),
            (&[("BUILD_REASON", "patchset")], None, None),
            (&[("PULL_NUM", "7"), ("BASE_BRANCH_NAME", "main")], seven, main),
        ];
        for (variables, number, base) in table {
            assert_eq!(of(variables), Some((number.map(str::to_owned), base.map(str::to_owned))), "{variables:?}");
        }
    }

    #[test]
    fn other_builds_are_not_of_a_pull_request() {
        #[rustfmt::skip]
        let table: &[Variables] = &[
            &[],
            &[("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/heads/main"), ("GITHUB_BASE_REF", "")],
            // A pushed branch can have such a name.
            &[("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/heads/pr/7")],
            &[("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/tags/pr/7")],
            &[("TRAVIS_PULL_REQUEST", "false"), ("TRAVIS_EVENT_TYPE", "push"), ("TRAVIS_BRANCH", "pull/7")],
            &[("CI_PIPELINE_SOURCE", "push"), ("CI_OPEN_MERGE_REQUESTS", "o/r!7")],
            &[("CI_PIPELINE_EVENT", "push"), ("CI_COMMIT_PULL_REQUEST", "")],
            &[("BUILD_REASON", "IndividualCI"), ("BUILD_SOURCEBRANCH", "refs/heads/main")],
            &[("BUILDKITE_PULL_REQUEST", "false"), ("BUILDKITE_BRANCH", "main")],
            &[("CIRCLE_BRANCH", "pull/request-forms")],
            &[("CODEBUILD_WEBHOOK_EVENT", "PUSH"), ("CODEBUILD_SOURCE_VERSION", "main")],
            &[("GIT_BRANCH", "origin/main"), ("BRANCH_NAME", "PR-forms")],
            &[("gitlabActionType", "PUSH"), ("gitlabTargetBranch", "main")],
            &[("GERRIT_EVENT_TYPE", "change-merged"), ("GERRIT_BRANCH", "main")],
            // Other programs use these names too.
            &[("CHANGE_ID", "CHG0031")],
            &[("PULL_REQUEST", "true")],
            &[("PULL_NUM", "7")],
            &[("pullRequestId", "7")],
            &[("IS_PULL_REQUEST", "false")],
            &[("AC_GIT_PR", "false")],
            &[("CI_PULL_REQUEST", "false")],
            &[("JOB_TYPE", "batch")],
            &[("PULL_REQUEST_NUMBER", "7")],
            &[("CM_PULL_REQUEST", "false")],
        ];
        for variables in table {
            assert_eq!(of(variables), None, "{variables:?}");
        }
    }

    #[test]
    fn java_properties_are_unescaped() {
        let found = properties("#a=b\na\\:b=c\\:\\\\d\\=e\n x = \\ y\nno line\n");
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("a:b", "c:\\d=e"), ("x", " y")].map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }
}
