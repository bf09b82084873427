//! The id of the build that runs this process. All jobs of a pipeline have the same.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::{Ci, Host};

/// The bytes of an id: enough to tell the builds of one function apart.
const BYTES: usize = 6;

/// The id of the build: a hash of the variables that name it, or of the commit if the CI does not name its builds; `None`
/// outside of a CI.
pub(super) fn build_id(host: &Host, ci: Ci, commit: Option<&str>) -> Option<String> {
    let (_, name) = Ci::NAMES.iter().map(|(name, ci)| (*ci, *name)).find(|(known, _)| *known == ci)?;
    let (number, others) = variables(ci)?;
    let values = match number.and_then(|number| host.variable(number)) {
        Some(number) => {
            let others = others.iter().map(|name| host.variable(name).unwrap_or_default());
            std::iter::once(number).chain(others).collect()
        }
        None => vec![commit?],
    };
    let hash = Sha256::digest(format!("{name}\n{}", values.join("\n")));
    Some(hash.iter().take(BYTES).fold(String::new(), |mut digits, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    }))
}

/// The variable that names a build of this CI, and those that it needs to be unique; `None` outside of a CI.
type Variables = (Option<&'static str>, &'static [&'static str]);

fn variables(ci: Ci) -> Option<Variables> {
    Some(match ci {
        Ci::GitHub | Ci::Gitea => (Some("GITHUB_RUN_ID"), &["GITHUB_REPOSITORY"]),
        Ci::GitLab => (Some("CI_PIPELINE_ID"), &["CI_SERVER_URL"]),
        Ci::Woodpecker => (Some("CI_PIPELINE_NUMBER"), &["CI_REPO"]),
        Ci::Travis => (Some("TRAVIS_BUILD_ID"), &["TRAVIS_REPO_SLUG"]),
        Ci::Azure => (Some("BUILD_BUILDID"), &["SYSTEM_COLLECTIONURI"]),
        Ci::Buildkite => (Some("BUILDKITE_BUILD_ID"), &[]),
        Ci::CircleCi => (Some("CIRCLE_WORKFLOW_ID"), &[]),
        Ci::Bitbucket => (Some("BITBUCKET_BUILD_NUMBER"), &["BITBUCKET_REPO_FULL_NAME"]),
        Ci::Drone => (Some("DRONE_BUILD_NUMBER"), &["DRONE_REPO"]),
        Ci::AppVeyor => (Some("APPVEYOR_BUILD_ID"), &["APPVEYOR_PROJECT_ID"]),
        Ci::CodeBuild => (Some("CODEBUILD_BUILD_ID"), &[]),
        Ci::Jenkins => (Some("BUILD_NUMBER"), &["JOB_NAME", "JENKINS_URL"]),
        Ci::TeamCity => (Some("BUILD_NUMBER"), &["TEAMCITY_PROJECT_NAME", "TEAMCITY_BUILDCONF_NAME"]),
        Ci::Generic => (None, &[]),
        Ci::None => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_of_one_pipeline_have_one_id_and_other_builds_another() {
        for (_, ci) in Ci::NAMES {
            let Some((Some(number), others)) = variables(*ci) else { continue };
            let id = |value: &str, other: &str| {
                let names = others.iter().map(|name| (*name, other));
                let given: Vec<_> = names.chain([(number, value)]).collect();
                build_id(&Host::with_variables(&given), *ci, Some("c0ffee")).unwrap()
            };
            assert_eq!(id("1", "a"), id("1", "a"), "{number}");
            assert_eq!(id("1", "a").len(), 2 * BYTES);
            assert_ne!(id("1", "a"), id("2", "a"), "{number}");
            assert!(others.is_empty() || id("1", "a") != id("1", "b"), "{number}");
        }
    }

    #[test]
    fn where_builds_have_no_name_the_commit_stands_for_them() {
        let bare = Host::with_variables(&[]);
        for ci in [Ci::Generic, Ci::GitHub] {
            assert_ne!(build_id(&bare, ci, Some("a")), build_id(&bare, ci, Some("b")));
            assert_eq!(build_id(&bare, ci, None), None);
        }
        assert_eq!(build_id(&bare, Ci::None, Some("a")), None);
    }
}
