//! The build that runs this process, as its CI describes it.

use super::build_id::build_id;
use super::{Ci, Host, PullRequest};

/// The build as the CI describes it. A field is absent if the CI does not set it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Build {
    /// The branch. As on Travis, it is the tag on a tag build, and the base branch on the build of a pull request.
    pub branch: Option<String>,
    /// The tag, on a tag build.
    pub tag: Option<String>,
    /// The commit's full hash.
    pub commit: Option<String>,
    /// `OWNER/NAME` of the repository.
    pub repository: Option<String>,
    /// The pull or merge request; absent: this is not the build of one.
    pub pull_request: Option<PullRequest>,
    /// The build number that the CI shows.
    pub number: Option<String>,
    /// The URL of this run's page.
    pub url: Option<String>,
    /// The id of the build, which all its jobs have; absent outside of a CI.
    pub id: Option<String>,
}

impl Build {
    /// Reads the build from the variables of this CI. Git has what the CI does not set.
    pub(crate) fn of(host: &Host, ci: Ci) -> Self {
        let mut build = Self::of_variables(host, ci);
        if build.commit.is_none() {
            build.commit = host.git(&["rev-parse", "HEAD"]);
        }
        if build.branch.is_none() && build.tag.is_none() && matches!(ci, Ci::None | Ci::Generic | Ci::TeamCity) {
            build.branch = host.git(&["symbolic-ref", "--short", "HEAD"]);
            build.tag = host.git(&["describe", "--tags", "--exact-match"]).filter(|_| build.branch.is_none());
        }
        if build.repository.is_none() {
            build.repository = host.git(&["remote", "get-url", "origin"]).and_then(|url| slug(&url));
        }
        build.id = build_id(host, ci, build.commit.as_deref());
        build.pull_request = PullRequest::of(host, build.branch.as_deref());
        if let Some(pull_request) = &build.pull_request {
            (build.branch, build.tag) = (pull_request.base.clone(), None);
        }
        build.branch = build.branch.or_else(|| build.tag.clone());
        build
    }

    /// The build in the variables of a CI: a table with one entry a CI.
    #[expect(clippy::too_many_lines, reason = "a table reads best in one piece")]
    fn of_variables(host: &Host, ci: Ci) -> Self {
        let get = |name: &str| host.variable(name).map(str::to_owned);
        let reference = |name: &str, kind: &str| get(name).and_then(|full| full.strip_prefix(kind).map(str::to_owned));
        match ci {
            Ci::GitHub | Ci::Gitea => Self {
                branch: reference("GITHUB_REF", "refs/heads/"),
                tag: reference("GITHUB_REF", "refs/tags/"),
                commit: get("GITHUB_SHA"),
                repository: get("GITHUB_REPOSITORY"),
                number: get("GITHUB_RUN_NUMBER"),
                url: match (get("GITHUB_SERVER_URL"), get("GITHUB_REPOSITORY"), get("GITHUB_RUN_ID")) {
                    (Some(server), Some(repository), Some(run)) => {
                        Some(format!("{server}/{repository}/actions/runs/{run}"))
                    }
                    _ => None,
                },
                ..Self::default()
            },
            Ci::GitLab => Self {
                branch: get("CI_COMMIT_BRANCH"),
                tag: get("CI_COMMIT_TAG"),
                commit: get("CI_COMMIT_SHA"),
                repository: get("CI_PROJECT_PATH"),
                number: get("CI_PIPELINE_IID"),
                url: get("CI_JOB_URL"),
                ..Self::default()
            },
            Ci::Woodpecker => Self {
                branch: get("CI_COMMIT_BRANCH"),
                tag: get("CI_COMMIT_TAG"),
                commit: get("CI_COMMIT_SHA"),
                repository: get("CI_REPO"),
                number: get("CI_PIPELINE_NUMBER"),
                url: get("CI_PIPELINE_URL"),
                ..Self::default()
            },
            Ci::Travis => Self {
                branch: get("TRAVIS_BRANCH"),
                tag: get("TRAVIS_TAG"),
                commit: get("TRAVIS_COMMIT"),
                repository: get("TRAVIS_REPO_SLUG"),
                number: get("TRAVIS_BUILD_NUMBER"),
                url: get("TRAVIS_BUILD_WEB_URL"),
                ..Self::default()
            },
            Ci::Azure => Self {
                branch: reference("BUILD_SOURCEBRANCH", "refs/heads/"),
                tag: reference("BUILD_SOURCEBRANCH", "refs/tags/"),
                commit: get("BUILD_SOURCEVERSION"),
                repository: get("BUILD_REPOSITORY_NAME"),
                number: get("BUILD_BUILDNUMBER"),
                url: match (get("SYSTEM_COLLECTIONURI"), get("SYSTEM_TEAMPROJECT"), get("BUILD_BUILDID")) {
                    (Some(server), Some(project), Some(id)) => {
                        let project = project.replace('%', "%25").replace(' ', "%20");
                        Some(format!("{server}{project}/_build/results?buildId={id}"))
                    }
                    _ => None,
                },
                ..Self::default()
            },
            Ci::Buildkite => Self {
                branch: get("BUILDKITE_BRANCH"),
                tag: get("BUILDKITE_TAG"),
                commit: get("BUILDKITE_COMMIT").filter(|commit| commit != "HEAD"),
                repository: get("BUILDKITE_REPO").and_then(|url| slug(&url)),
                number: get("BUILDKITE_BUILD_NUMBER"),
                url: get("BUILDKITE_BUILD_URL"),
                ..Self::default()
            },
            Ci::CircleCi => Self {
                branch: get("CIRCLE_BRANCH"),
                tag: get("CIRCLE_TAG"),
                commit: get("CIRCLE_SHA1"),
                repository: get("CIRCLE_PROJECT_USERNAME")
                    .zip(get("CIRCLE_PROJECT_REPONAME"))
                    .map(|(owner, name)| format!("{owner}/{name}")),
                number: get("CIRCLE_BUILD_NUM"),
                url: get("CIRCLE_BUILD_URL"),
                ..Self::default()
            },
            Ci::Bitbucket => Self {
                branch: get("BITBUCKET_BRANCH"),
                tag: get("BITBUCKET_TAG"),
                commit: get("BITBUCKET_COMMIT"),
                repository: get("BITBUCKET_REPO_FULL_NAME"),
                number: get("BITBUCKET_BUILD_NUMBER"),
                url: get("BITBUCKET_REPO_FULL_NAME").zip(get("BITBUCKET_BUILD_NUMBER")).map(|(repository, number)| {
                    format!("https://bitbucket.org/{repository}/pipelines/results/{number}")
                }),
                ..Self::default()
            },
            Ci::Drone => Self {
                branch: get("DRONE_BRANCH"),
                tag: get("DRONE_TAG"),
                commit: get("DRONE_COMMIT_SHA").or_else(|| get("DRONE_COMMIT")),
                repository: get("DRONE_REPO"),
                number: get("DRONE_BUILD_NUMBER"),
                url: get("DRONE_BUILD_LINK"),
                ..Self::default()
            },
            Ci::AppVeyor => Self {
                branch: get("APPVEYOR_REPO_BRANCH"),
                tag: get("APPVEYOR_REPO_TAG_NAME"),
                commit: get("APPVEYOR_REPO_COMMIT"),
                repository: get("APPVEYOR_REPO_NAME"),
                number: get("APPVEYOR_BUILD_NUMBER"),
                url: None,
                ..Self::default()
            },
            Ci::CodeBuild => Self {
                branch: reference("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/"),
                tag: reference("CODEBUILD_WEBHOOK_HEAD_REF", "refs/tags/"),
                commit: get("CODEBUILD_RESOLVED_SOURCE_VERSION"),
                repository: get("CODEBUILD_SOURCE_REPO_URL").and_then(|url| slug(&url)),
                number: get("CODEBUILD_BUILD_NUMBER"),
                url: get("CODEBUILD_BUILD_URL"),
                ..Self::default()
            },
            Ci::Jenkins => Self {
                branch: get("BRANCH_NAME").or_else(|| {
                    get("GIT_BRANCH").map(|branch| branch.strip_prefix("origin/").unwrap_or(&branch).to_owned())
                }),
                tag: get("TAG_NAME"),
                commit: get("GIT_COMMIT"),
                repository: get("GIT_URL").and_then(|url| slug(&url)),
                number: get("BUILD_NUMBER"),
                url: get("BUILD_URL"),
                ..Self::default()
            },
            Ci::TeamCity => Self {
                commit: get("BUILD_VCS_NUMBER"),
                number: get("BUILD_NUMBER"),
                url: get("BUILD_URL"),
                ..Self::default()
            },
            Ci::Generic | Ci::None => Self::default(),
        }
    }

    /// The build that the merge of this pull request would start: a push to the base branch.
    #[must_use]
    pub(crate) fn after_merge(&self, base: Option<String>) -> Self {
        let repository = self.pull_request.as_ref().and_then(|pull_request| pull_request.repository.clone());
        let repository = repository.or_else(|| self.repository.clone());
        Self { branch: base, tag: None, repository, ..self.clone() }
    }
}

/// `OWNER/NAME` from a clone URL, with HTTPS or SSH.
fn slug(url: &str) -> Option<String> {
    let path = url.trim_end_matches('/').trim_end_matches(".git");
    let mut parts = path.rsplit(['/', ':']);
    let (name, owner) = (parts.next()?, parts.next()?);
    (!name.is_empty() && !owner.is_empty()).then(|| format!("{owner}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branch_tag_and_pull_request_come_from_the_variables_of_each_ci() {
        let github = Host::with_variables(&[
            ("GITHUB_REF", "refs/tags/v1"),
            ("GITHUB_SHA", "abc"),
            ("GITHUB_REPOSITORY", "o/r"),
        ]);
        let build = Build::of(&github, Ci::GitHub);
        assert_eq!((build.branch.as_deref(), build.tag.as_deref()), (Some("v1"), Some("v1")));

        let pull = Host::with_variables(&[
            ("GITHUB_REF", "refs/pull/1/merge"),
            ("GITHUB_HEAD_REF", "fix"),
            ("GITHUB_BASE_REF", "main"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_SHA", "abc"),
            ("GITHUB_REPOSITORY", "o/r"),
        ]);
        let build = Build::of(&pull, Ci::GitHub);
        assert!(build.pull_request.is_some());
        assert_eq!(build.branch.as_deref(), Some("main"), "the head of a fork could have any name");

        let travis = Host::with_variables(&[
            ("TRAVIS_BRANCH", "main"),
            ("TRAVIS_PULL_REQUEST", "false"),
            ("TRAVIS_COMMIT", "abc"),
            ("TRAVIS_REPO_SLUG", "o/r"),
        ]);
        let build = Build::of(&travis, Ci::Travis);
        assert_eq!(build.pull_request, None);
        assert_eq!(build.repository.as_deref(), Some("o/r"));

        let jenkins = Host::with_variables(&[
            ("GIT_BRANCH", "origin/main"),
            ("GIT_URL", "git@example.com:o/r.git"),
            ("GIT_COMMIT", "abc"),
        ]);
        let build = Build::of(&jenkins, Ci::Jenkins);
        assert_eq!((build.branch.as_deref(), build.repository.as_deref()), (Some("main"), Some("o/r")));
    }
}
