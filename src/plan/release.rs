//! The steps after publishing: move the alias, delete old versions.

use std::collections::BTreeSet;

use super::Plan;
use super::step::{AliasChange, Step, VersionRef};
use crate::deployment::Deployment;
use crate::remote::{Alias, Live};

impl Plan {
    /// Points the alias at the version of this deployment, with all of the traffic.
    pub(super) fn point_alias(&mut self, deployment: &Deployment, live: Option<&Alias>) {
        let Some(name) = deployment.release.alias.clone() else { return };
        let to = self.published.clone().map_or(VersionRef::Published, VersionRef::Number);
        let is_current =
            live.is_some_and(|alias| to == VersionRef::Number(alias.version.clone()) && alias.weights.is_empty());
        if let Some(Alias { name, version, moving_from: Some(before), .. }) = live {
            self.notes.push(format!(
                "AWS still gives all traffic of the alias {name} to version {before}, until the provisioned environments of version {version} are ready"
            ));
        }
        if !is_current {
            self.steps.push(Step::PointAlias(AliasChange { name, from: live.cloned(), to }));
        }
    }

    /// Deletes old versions, but keeps the newest ones and those that something points at.
    pub(super) fn prune(&mut self, deployment: &Deployment, live: &Live) {
        let Some(keep) = deployment.release.keep_versions else { return };
        let is_new = self.steps.iter().any(|step| matches!(step, Step::PublishVersion { .. }));
        let mut newest_first = live.versions.clone();
        newest_first.sort_unstable_by(|a, b| b.cmp(a));
        let keep = keep.saturating_sub(usize::from(is_new));
        let moved = self.steps.iter().find_map(|step| match step {
            Step::PointAlias(AliasChange { from: Some(from), to, .. })
                if *to != VersionRef::Number(from.version.clone()) =>
            {
                Some(from.name.as_str())
            }
            _ => None,
        });
        let held = held(live, moved);
        let old = newest_first.into_iter().skip(keep).map(|number| number.to_string());
        let mut old: Vec<_> = old.filter(|number| !held.contains(number)).collect();
        old.reverse();
        if !old.is_empty() {
            self.steps.push(Step::DeleteVersions(old));
        }
    }
}

/// Versions that something points at, and those that an alias could roll back to. A moved alias rolls back to the
/// version that it has now.
fn held(live: &Live, moved: Option<&str>) -> BTreeSet<String> {
    let mut held = live.provisioned.clone();
    for alias in &live.aliases {
        held.insert(alias.version.clone());
        held.extend(alias.weights.keys().cloned());
        if moved != Some(alias.name.as_str()) {
            held.extend(alias.previous().map(str::to_owned));
        }
    }
    held
}
