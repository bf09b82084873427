//! The variables of each CI in builds of pull requests and in others: tables with one row a build.

use super::*;

type Variables = &'static [(&'static str, &'static str)];

fn of(variables: Variables) -> Option<(Option<String>, Option<String>)> {
    PullRequest::of(&Host::with_variables(variables), None).map(|found| (found.number, found.base))
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
