//! The CI that runs this process, and its checkout.
//!
//! A CI is detected by the variables that it documents. The order matters: some CIs set the variables of others too.

use std::fs;
use std::path::{Path, PathBuf};

use super::Host;

/// A CI system whose variables and log this tool knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ci {
    /// Woodpecker; sets GitLab's names too.
    Woodpecker,
    /// Gitea and Forgejo; set GitHub's names too.
    Gitea,
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// Travis CI.
    Travis,
    /// Azure Pipelines.
    Azure,
    /// Buildkite.
    Buildkite,
    /// `CircleCI`.
    CircleCi,
    /// `TeamCity`.
    TeamCity,
    /// Bitbucket Pipelines.
    Bitbucket,
    /// Drone and Harness CI.
    Drone,
    /// `AppVeyor`.
    AppVeyor,
    /// AWS `CodeBuild`.
    CodeBuild,
    /// Jenkins.
    Jenkins,
    /// An unknown CI: only `CI=true` is set.
    Generic,
    /// No CI, as on a developer's machine.
    #[default]
    None,
}

impl Ci {
    /// Every CI with its value of the option `ci`.
    pub const NAMES: &[(&str, Self)] = &[
        ("woodpecker", Self::Woodpecker),
        ("gitea", Self::Gitea),
        ("github", Self::GitHub),
        ("gitlab", Self::GitLab),
        ("travis", Self::Travis),
        ("azure", Self::Azure),
        ("buildkite", Self::Buildkite),
        ("circleci", Self::CircleCi),
        ("teamcity", Self::TeamCity),
        ("bitbucket", Self::Bitbucket),
        ("drone", Self::Drone),
        ("appveyor", Self::AppVeyor),
        ("codebuild", Self::CodeBuild),
        ("jenkins", Self::Jenkins),
        ("generic", Self::Generic),
        ("none", Self::None),
    ];

    /// The CI's value of the option `ci`.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, ci)| *ci == self).map_or("none", |(name, _)| name)
    }

    /// The folder of the checkout as the CI sets it; absent if it sets none, or one that does not hold the working
    /// directory.
    pub fn folder(self, host: &Host) -> Option<PathBuf> {
        let variable = match self {
            Self::GitHub | Self::Gitea => "GITHUB_WORKSPACE",
            Self::GitLab => "CI_PROJECT_DIR",
            Self::Woodpecker => "CI_WORKSPACE",
            Self::Travis => "TRAVIS_BUILD_DIR",
            Self::Azure => "BUILD_SOURCESDIRECTORY",
            Self::Buildkite => "BUILDKITE_BUILD_CHECKOUT_PATH",
            Self::Bitbucket => "BITBUCKET_CLONE_DIR",
            Self::Drone => "DRONE_WORKSPACE",
            Self::AppVeyor => "APPVEYOR_BUILD_FOLDER",
            Self::CodeBuild => "CODEBUILD_SRC_DIR",
            Self::Jenkins => "WORKSPACE",
            Self::CircleCi | Self::TeamCity | Self::Generic | Self::None => return None,
        };
        let folder = host.variable(variable).map(PathBuf::from)?;
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        real(&host.directory).starts_with(real(&folder)).then_some(folder)
    }

    /// The folder of the checkout: the one that the CI sets, else that of the repository, else the working directory.
    pub fn checkout(self, host: &Host) -> PathBuf {
        let of_repository = || host.directory.ancestors().find(|folder| folder.join(".git").exists());
        self.folder(host).or_else(|| of_repository().map(Path::to_owned)).unwrap_or_else(|| host.directory.clone())
    }

    /// Detects the CI from the environment.
    pub fn detect(host: &Host) -> Self {
        let says = |name: &str, value: &str| host.variable(name).is_some_and(|found| found.eq_ignore_ascii_case(value));
        let has = |name: &str| host.variable(name).is_some();
        if host.variables.get("CI").is_some_and(|ci| matches!(ci.to_ascii_lowercase().as_str(), "" | "0" | "false")) {
            return Self::None;
        }
        let signs = [
            (says("CI", "woodpecker") || says("CI_SYSTEM_NAME", "woodpecker"), Self::Woodpecker),
            (has("GITEA_ACTIONS") || has("FORGEJO_ACTIONS"), Self::Gitea),
            (says("GITHUB_ACTIONS", "true"), Self::GitHub),
            (has("GITLAB_CI"), Self::GitLab),
            (says("TRAVIS", "true"), Self::Travis),
            (says("TF_BUILD", "true"), Self::Azure),
            (says("BUILDKITE", "true"), Self::Buildkite),
            (says("CIRCLECI", "true"), Self::CircleCi),
            (has("TEAMCITY_VERSION"), Self::TeamCity),
            (has("BITBUCKET_COMMIT") || has("BITBUCKET_BUILD_NUMBER"), Self::Bitbucket),
            (says("DRONE", "true"), Self::Drone),
            (says("APPVEYOR", "true"), Self::AppVeyor),
            (has("CODEBUILD_BUILD_ARN"), Self::CodeBuild),
            (has("JENKINS_URL") && has("BUILD_ID"), Self::Jenkins),
            (has("CI"), Self::Generic),
        ];
        signs.into_iter().find(|(sign, _)| *sign).map_or(Self::None, |(_, ci)| ci)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ci_is_detected_beside_the_variables_of_others() {
        for (variables, ci) in [
            (&[][..], Ci::None),
            (&[("CI", "false"), ("GITHUB_ACTIONS", "true")], Ci::None),
            (&[("CI", "")], Ci::None),
            (&[("CI", "true")], Ci::Generic),
            (&[("CI", "woodpecker"), ("CI_COMMIT_SHA", "1")], Ci::Woodpecker),
            (&[("CI", "true"), ("GITHUB_ACTIONS", "true"), ("GITEA_ACTIONS", "true")], Ci::Gitea),
            (&[("CI", "true"), ("GITHUB_ACTIONS", "true")], Ci::GitHub),
            (&[("CI", "true"), ("GITLAB_CI", "false")], Ci::GitLab),
            (&[("CI", "true"), ("TRAVIS", "true")], Ci::Travis),
            (&[("TF_BUILD", "True")], Ci::Azure),
            (&[("CI", "true"), ("BUILDKITE", "true")], Ci::Buildkite),
            (&[("CI", "true"), ("CIRCLECI", "true")], Ci::CircleCi),
            (&[("TEAMCITY_VERSION", "2026.1"), ("BUILD_NUMBER", "1")], Ci::TeamCity),
            (&[("CI", "true"), ("BITBUCKET_BUILD_NUMBER", "1")], Ci::Bitbucket),
            (&[("CI", "true"), ("DRONE", "true"), ("CI_SYSTEM_NAME", "woodpecker")], Ci::Woodpecker),
            (&[("CI", "true"), ("DRONE", "true")], Ci::Drone),
            (&[("CI", "True"), ("APPVEYOR", "True")], Ci::AppVeyor),
            (&[("CODEBUILD_BUILD_ARN", "arn:x"), ("BUILD_ID", "1")], Ci::CodeBuild),
            (&[("JENKINS_URL", "http://x/")], Ci::None),
            (&[("JENKINS_URL", "http://x/"), ("BUILD_ID", "1")], Ci::Jenkins),
        ] {
            assert_eq!(Ci::detect(&Host::with_variables(variables)), ci, "{variables:?}");
        }
    }
}
