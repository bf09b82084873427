//! The variables that show that a build is of a pull request, in tables.

use super::{PullRequest, number};
use crate::host::Host;

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
pub(super) struct Sign {
    pub variable: &'static str,
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
pub(super) const SIGNS: &[Sign] = &[
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
pub(super) const REFERENCES: &[&str] = &[
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
pub(super) const BRANCHES: &[&str] = &["TRAVIS_BRANCH", "APPVEYOR_REPO_BRANCH", "BITBUCKET_BRANCH", "CI_COMMIT_BRANCH"];

/// The variables that conditions read: a variable that the CI always sets, another variable, and the value of the other
/// in the build of a push. `{}` is the name of the branch.
#[rustfmt::skip]
pub(super) const OF_A_PUSH: &[(&str, &str, &str)] = &[
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

impl Sign {
    /// The pull request that this variable shows; absent: it shows none.
    pub(super) fn read(&self, host: &Host) -> Option<PullRequest> {
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
