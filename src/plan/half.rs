//! One half of a function alone: `only: code` and `only: settings`.

use super::Plan;
use crate::deployment::{Deployment, Half, Only};

impl Plan {
    /// Says which half the plan is about, and which options have no effect for that reason.
    pub(super) fn narrow(&mut self, deployment: &Deployment) {
        let Some(Only { half, left }) = &deployment.only else { return };
        self.only = Some(*half);
        let (deployed, kept) = match half {
            Half::Code => ("the code", "settings, tags and attachments stay as they are"),
            Half::Settings => ("the settings", "the code stays as it is"),
        };
        let left = if left.is_empty() { String::new() } else { format!("; no effect here: {}", left.join(", ")) };
        self.notes.push(format!("`only: {}`: {deployed} alone; {kept}{left}", half.word()));
    }

    /// Refuses to create a function from one half.
    pub(super) fn refuse_half(&mut self, half: Half) {
        let name = &self.name;
        let message = format!("`{name}` does not exist yet, and `only: {}` creates no function", half.word());
        let help = "create it first: deploy it once without `only`, or with the program that keeps its other half; \
                    or correct `function_name`, `region` or the account";
        self.refuse("only", message, help);
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::deployment::{CodeSource, Publish};
    use crate::plan::tests::{live, planned, version, wanted};
    use crate::remote::{Failure, Remote};
    use crate::settings::MemorySize;

    fn half(half: Half, change: impl FnOnce(&mut Deployment)) -> Deployment {
        wanted(|deployment| {
            deployment.only = Some(Only { half, left: vec!["zip"] });
            if half == Half::Settings {
                deployment.code.source = CodeSource::Live;
            }
            change(deployment);
        })
    }

    #[test]
    fn the_other_half_stays() {
        let code = half(Half::Code, |_| ());
        assert_snapshot!(planned(&code, "new", &live(|_| ())), @r#"
        code Some("old") → new as Some(Arm64)
        note `only: code`: the code alone; settings, tags and attachments stay as they are; no effect here: zip
        "#);
        let settings = half(Half::Settings, |deployment| deployment.settings.memory_size = Some(MemorySize(512)));
        assert_snapshot!(planned(&settings, "new", &live(|_| ())), @r"
        configure memory_size: 128 MB → 512 MB; sends memory_size: - → 512 MB
        note `only: settings`: the settings alone; the code stays as it is; no effect here: zip
        ");
    }

    #[test]
    fn new_settings_are_published_with_the_live_code() {
        let publish = half(Half::Settings, |deployment| {
            deployment.settings.memory_size = Some(MemorySize(512));
            deployment.release.publish = Publish::Version;
        });
        let remote = live(|_| ());
        let with = |number: &str, sha256: &str| {
            live(|live| {
                let mut newest = version(number, sha256, &remote);
                newest.settings.memory_size = Some(MemorySize(512));
                live.settings.memory_size = Some(MemorySize(512));
                live.newest_version = Some(newest);
            })
        };
        assert_snapshot!(planned(&publish, "new", &remote), @r"
        configure memory_size: 128 MB → 512 MB; sends memory_size: - → 512 MB
        publish old
        note `only: settings`: the settings alone; the code stays as it is; no effect here: zip
        ");
        assert_snapshot!(planned(&publish, "new", &with("7", "old")), @r"
        note `only: settings`: the settings alone; the code stays as it is; no effect here: zip
        is version 7
        ");
        assert_snapshot!(planned(&publish, "new", &with("7", "older")), @r"
        publish old
        note `only: settings`: the settings alone; the code stays as it is; no effect here: zip
        ");
    }

    #[test]
    fn one_half_creates_no_function() {
        for part in [Half::Code, Half::Settings] {
            let plan = planned(&half(part, |_| ()), "new", &Remote::Absent);
            assert!(plan.starts_with("Error only: `f` does not exist yet"), "{plan}");
            assert!(!plan.contains("create new"), "{plan}");
        }
    }

    #[test]
    fn a_function_whose_update_failed_gets_its_half_again() {
        let failed = live(|live| live.failure = Some(Failure::Update("no network".to_owned())));
        assert_snapshot!(planned(&half(Half::Settings, |_| ()), "new", &failed), @r"
        resend description: - → by hand
        note `only: settings`: the settings alone; the code stays as it is; no effect here: zip
        note nothing differs, but the update failed: no network; so the description is sent again
        ");
    }

    #[test]
    fn every_deployment_publishes_if_it_always_does() {
        let always = wanted(|deployment| deployment.release.publish = Publish::Always);
        let remote = live(|_| ());
        let same = live(|live| live.newest_version = Some(version("7", "old", &remote)));
        assert_snapshot!(planned(&always, "old", &same), @r"
        resend description: - → by hand
        publish old after 7
        note version 7 has this code and these settings already; so the description is sent again as it is: AWS then publishes another version
        ");
        assert_snapshot!(planned(&always, "new", &same), @r#"
        code Some("old") → new as Some(Arm64)
        publish new after 7
        "#);
        assert_snapshot!(planned(&always, "old", &remote), @"publish old");
    }
}
