//! The steps after publishing: test the version, move the alias, delete old versions.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::Plan;
use super::step::{AliasChange, Step, Tested, Trial, VersionRef};
use crate::deployment::{Deployment, Keep, Publish, RolledBack};
use crate::package::inspect::Date;
use crate::release::{OnFailure, When};
use crate::remote::{Alias, Live, Version};
use crate::settings::{SettingName, Settings};

/// The option for the schedule of a shift.
const OPTION: &str = "traffic_shifting";

/// The parts of a plan, at whose ends the functions of a run can wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The steps that no caller of the alias notices.
    BeforeTraffic,
    /// The alias, the attachments, and the tests through the alias.
    Traffic,
    /// Also the deletion of old versions.
    All,
}

impl Plan {
    /// Refuses to make a version live again that was rolled back, unless the user wants it. `is_same` says whether a version
    /// is this deployment.
    pub(super) fn hold(&mut self, deployment: &Deployment, live: &Live, is_same: impl Fn(&Version) -> bool) {
        let Some(alias) = &live.alias else { return };
        if deployment.release.rolled_back == RolledBack::Redeployed {
            return;
        }
        let is_held = |version: &&Version| alias.has_rolled_back(version.position()) && is_same(version);
        let Some(found) = live.versions.iter().find(is_held) else { return };
        let message = format!(
            "this code and these settings are version {}, which was rolled back to version {}",
            found.number, alias.version
        );
        let help = "deploy other code or settings, or add `--redeploy` to make this version live again";
        self.refuse("alias", message, help);
    }

    /// Tests the version of this deployment, moves the alias to it, changes what is around the function, and tests again.
    pub(super) fn release(&mut self, deployment: &Deployment, live: Option<&Live>) {
        let before_alias = self.steps.len();
        self.point_alias(deployment, live.and_then(|live| live.alias.as_ref()));
        let moved = self.steps.split_off(before_alias);
        // Only a version that gets new traffic, or new code or settings, is tested.
        let is_new = !moved.is_empty() || deployment.release.alias.is_none() && self.replaces();
        if is_new {
            self.test(deployment, When::BeforeTraffic);
        }
        self.steps.extend(moved);
        self.attach(deployment, live);
        if is_new {
            self.test(deployment, When::AfterTraffic);
            self.note_way_back(deployment);
        }
    }

    /// Whether a step changes code or settings, or publishes them.
    fn replaces(&self) -> bool {
        let begins = |step: &Step| matches!(step, Step::CreateFunction { .. } | Step::PublishVersion { .. });
        self.steps.iter().any(|step| begins(step) || step.changes_version())
    }

    /// Adds the tests that run at this time.
    fn test(&mut self, deployment: &Deployment, when: When) {
        let release = &deployment.release;
        let version = self.version();
        let on = match (&release.alias, when, release.publish) {
            (Some(alias), When::BeforeTraffic, _) => Tested::Candidate(alias.clone(), version),
            (Some(alias), When::AfterTraffic, _) => Tested::Alias(alias.clone(), version),
            (None, _, Publish::Version | Publish::Always) => Tested::Version(version),
            (None, _, Publish::No) => Tested::Latest,
        };
        let tests: Vec<_> = release.tests.iter().filter(|test| test.when == when).cloned().collect();
        if !tests.is_empty() && release.alias.is_none() {
            let note = "without `alias`, callers get the new code before it is tested: a smoke test can only report";
            self.notes.push(note.to_owned());
        }
        self.steps.extend(tests.into_iter().map(|test| Step::SmokeTest(Box::new(Trial { test, on: on.clone() }))));
    }

    /// The alias to which a failure of the new version leads back; `None` if there is no way back.
    pub(crate) fn way_back(&self) -> Option<&Alias> {
        self.steps.iter().find_map(|step| match step {
            Step::PointAlias(AliasChange { from, on_failure, .. }) if *on_failure != OnFailure::Stay => from.as_ref(),
            _ => None,
        })
    }

    /// Whether any failure of this step takes the alias back, because all functions of the run get traffic or none.
    pub(crate) fn takes_back(&self, step: usize) -> bool {
        self.is_together() && step < self.end_of(Part::Traffic)
    }

    /// Whether the alias that the plan moves goes back after a failure of another function too.
    fn is_together(&self) -> bool {
        let is_so =
            |step: &Step| matches!(step, Step::PointAlias(change) if change.on_failure == OnFailure::GoBackTogether);
        self.steps.iter().any(is_so)
    }

    /// The number of steps in the first parts of the plan, up to this one.
    pub(crate) fn end_of(&self, part: Part) -> usize {
        let is_later = |step: &Step| match part {
            Part::BeforeTraffic => step.reaches_callers() || matches!(step, Step::DeleteVersions(_)),
            Part::Traffic => matches!(step, Step::DeleteVersions(_)),
            Part::All => false,
        };
        self.steps.iter().position(is_later).unwrap_or(self.steps.len())
    }

    /// Says what happens if the new version fails after it got traffic.
    fn note_way_back(&mut self, deployment: &Deployment) {
        let release = &deployment.release;
        if self.is_together() {
            let name = release.alias.as_ref().map_or("the alias", |alias| &alias.0);
            let (does, back) = match self.way_back() {
                Some(before) => ("moves", format!(", and goes back to version {} if one fails", before.version)),
                None => ("is created", String::new()),
            };
            self.notes.push(format!("all_or_nothing: {name} {does} when every function of the run is ready{back}"));
            return;
        }
        let shifts =
            self.steps.iter().any(|step| matches!(step, Step::PointAlias(change) if change.schedule.is_some()));
        let tested = release.tests.iter().any(|test| test.when == When::AfterTraffic);
        let parts = [(shifts, "the shift"), (tested, "a smoke test"), (release.commands > 0, "a command of `run`")];
        let parts: Vec<_> = parts.into_iter().filter(|(is_there, _)| *is_there).map(|(_, what)| what).collect();
        if let (Some(before), false) = (self.way_back(), parts.is_empty()) {
            let note = format!(
                "if {} fails, {} gives all traffic back to version {}",
                parts.join(" or "),
                before.name,
                before.version
            );
            self.notes.push(note);
        }
    }

    /// Checks what AWS requires of two versions that share the traffic of an alias.
    pub(super) fn check_shift(&mut self, deployment: &Deployment, effective: &Settings, live: &Live) {
        let (Some(_), Some(alias), Some(ground)) = (&deployment.release.shifting, &live.alias, &live.shift) else {
            return;
        };
        let name = &alias.name;
        if alias.version == "$LATEST" {
            let message = format!("the alias `{name}` points at $LATEST, whose traffic AWS does not shift");
            self.refuse(OPTION, message, "point the alias at a version, or leave `traffic_shifting` out once");
        }
        if ground.is_provisioned {
            let message = format!("the alias `{name}` has provisioned concurrency, so AWS does not shift its traffic");
            self.refuse(OPTION, message, "remove the provisioned concurrency, or `traffic_shifting`");
        }
        let differing = ground.served.as_ref().map_or_else(Vec::new, |served| effective.differing(&served.settings));
        for (setting, what) in
            [(SettingName::Role, "execution role"), (SettingName::DeadLetterArn, "dead letter queue")]
        {
            if differing.contains(&setting) {
                let message = format!(
                    "version {} has another {what}, and AWS shifts traffic only between versions that have the same",
                    alias.version
                );
                self.refuse(OPTION, message, "deploy this change once with `traffic_shifting: AllAtOnce`");
            }
        }
        for alarm in &ground.missing_alarms {
            self.refuse_item(
                OPTION,
                alarm,
                format!("there is no alarm `{alarm}` in {}", self.region.clone()),
                "create it, or correct its name",
            );
        }
    }

    /// The alias before the plan moves it; `None` if the plan creates it or leaves it alone.
    pub(crate) fn alias_before(&self) -> Option<&Alias> {
        self.steps.iter().find_map(|step| match step {
            Step::PointAlias(change) => change.from.as_ref(),
            _ => None,
        })
    }

    /// The version of this deployment.
    fn version(&self) -> VersionRef {
        self.published.clone().map_or(VersionRef::Published, VersionRef::Number)
    }

    /// Points the alias at the version of this deployment, with all of the traffic.
    pub(super) fn point_alias(&mut self, deployment: &Deployment, live: Option<&Alias>) {
        let Some(name) = deployment.release.alias.clone() else { return };
        let to = self.version();
        let is_current =
            live.is_some_and(|alias| to == VersionRef::Number(alias.version.clone()) && alias.weights.is_empty());
        if let Some(Alias { name, version, moving_from: Some(before), .. }) = live {
            self.notes.push(format!(
                "AWS still gives all traffic of the alias {name} to version {before}, until the provisioned environments of version {version} are ready"
            ));
        }
        if !is_current {
            let build = deployment.release.build.clone();
            let (on_failure, mut schedule) = (deployment.release.on_failure, deployment.release.shifting.clone());
            if live.is_none() && schedule.take().is_some() {
                self.notes.push(format!("the alias {} is new, so its version gets all traffic at once", name.0));
            }
            if let (Some(Alias { weights, .. }), Some(_), VersionRef::Number(number)) = (live, &schedule, &to)
                && let Some(share) = weights.get(number)
            {
                let percent = (share * 100.0).round();
                let note = "of the traffic already: the shift goes on from there";
                self.notes.push(format!("version {number} has {percent} % {note}"));
            }
            self.steps.push(Step::PointAlias(AliasChange {
                name,
                from: live.cloned(),
                to,
                build,
                schedule,
                on_failure,
            }));
        }
    }

    /// Deletes old versions, but keeps the newest and younger ones, and those that something points at.
    pub(super) fn prune(&mut self, deployment: &Deployment, live: &Live, today: Date) {
        let Some(Keep { count, days }) = deployment.release.keep_versions else { return };
        let is_new = self.steps.iter().any(|step| matches!(step, Step::PublishVersion { .. }));
        let mut newest_first: Vec<_> = live.versions.iter().collect();
        newest_first.sort_unstable_by_key(|version| Reverse(version.position()));
        let keep = count.saturating_sub(usize::from(is_new));
        // A version of unknown age counts as young.
        let is_old = |version: &&Version| {
            days.is_none_or(|days| version.published.is_some_and(|day| (today - day).whole_days() > i64::from(days)))
        };
        let moved = self.steps.iter().find_map(|step| match step {
            Step::PointAlias(AliasChange { from: Some(from), to, .. })
                if *to != VersionRef::Number(from.version.clone()) =>
            {
                Some(from.name.as_str())
            }
            _ => None,
        });
        let held = held(live, moved);
        let old = newest_first.into_iter().skip(keep).filter(is_old).map(|version| version.number.clone());
        let mut old: Vec<_> = old.filter(|number| !held.contains(number)).collect();
        old.reverse();
        if !old.is_empty() {
            self.steps.push(Step::DeleteVersions(old));
        }
    }
}

/// Versions that something points at, those that an alias could roll back to, and those that it has rolled back: without
/// them, nobody would know that their code was rolled back. A moved alias rolls back to the version that it has now.
fn held(live: &Live, moved: Option<&str>) -> BTreeSet<String> {
    let mut held = live.provisioned.clone();
    for alias in &live.aliases {
        held.insert(alias.version.clone());
        held.extend(alias.weights.keys().cloned());
        if moved != Some(alias.name.as_str()) {
            held.extend(alias.previous().map(str::to_owned));
            let rolled_back = live.versions.iter().filter(|version| alias.has_rolled_back(version.position()));
            held.extend(rolled_back.map(|version| version.number.clone()));
        }
    }
    held
}
