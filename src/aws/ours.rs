//! Looks whether another program changed what this run deployed: before each write that AWS does not guard with a
//! revision, and once at the end.

use std::collections::BTreeMap;

use super::Session;
use super::expected::{Expected, UNTIL_SHOWN};
use super::fault::Failed;
use super::settle::Pace;
use super::write::deleted_meanwhile;
use crate::deployment::Deployment;
use crate::fault::{Fault, FaultKind};
use crate::package::Package;
use crate::plan::{AliasChange, Foreign, Plan};
use crate::remote::{Alias, Live};

/// The managed alias as this run read or moved it last.
pub(super) struct Pointed {
    name: String,
    version: String,
    /// The shares of other versions, from 0 to 1, by version number.
    weights: BTreeMap<String, f64>,
    /// The state before this run moved it; absent if it did not.
    before: Option<Before>,
}

/// The state of an alias before it was moved.
enum Before {
    Absent,
    /// With the id of its revision.
    At(String),
}

impl Pointed {
    /// The alias as it was read.
    pub(super) fn read(alias: &Alias) -> Self {
        let Alias { name, version, weights, .. } = alias.clone();
        Self { name, version, weights, before: None }
    }

    /// The alias after a change that gave this version all of its traffic.
    pub(super) fn moved(change: &AliasChange, version: String) -> Self {
        let before = change.from.as_ref().map_or(Before::Absent, |from| Before::At(from.revision_id.clone()));
        Self { name: change.name.0.clone(), version, weights: BTreeMap::new(), before: Some(before) }
    }

    /// Whether a read shows the alias as this run left it.
    fn is_as(&self, now: &Alias) -> bool {
        now.version == self.version && now.weights == self.weights
    }

    /// Whether a read shows the state before this run moved it.
    fn is_outdated(&self, now: Option<&Alias>) -> bool {
        match (&self.before, now) {
            (Some(Before::Absent), None) => true,
            (Some(Before::At(revision)), Some(now)) => now.revision_id == *revision,
            _ => false,
        }
    }
}

impl Session<'_> {
    /// Looks whether the managed alias, or without one the function, is as this run left it. A change by another program is
    /// an error.
    pub(super) async fn still_ours(&mut self) -> Result<(), Failed> {
        match &self.pointed {
            Some(pointed) => self.still_points(pointed).await,
            None if self.is_fresh => Ok(()),
            None => self.still_has_its_state().await,
        }
    }

    /// Looks whether the managed alias is as this run left it, after a time in which other functions got their traffic.
    pub(crate) async fn confirm_alias(&self) -> Result<(), Fault> {
        let Some(pointed) = &self.pointed else { return Ok(()) };
        self.extend_deadline();
        self.still_points(pointed).await.map_err(|failed| failed.fault)
    }

    async fn still_points(&self, pointed: &Pointed) -> Result<(), Failed> {
        let Pointed { name, version, .. } = pointed;
        let mut pace = Pace::new();
        let now = loop {
            let now = self.managed_alias(name).await?;
            if now.as_ref().is_some_and(|now| pointed.is_as(now)) {
                return Ok(());
            }
            if pace.so_far() > UNTIL_SHOWN || !pointed.is_outdated(now.as_ref()) {
                break now;
            }
            self.pause(&mut pace, &format!("the new version of the alias `{name}` to be shown")).await?;
        };
        let message = match now {
            Some(now) if now.version == *version => {
                format!("another program changed the shares of the traffic of the alias `{name}` in the meantime")
            }
            Some(now) => format!("another program moved the alias `{name}` to version {} in the meantime", now.version),
            None => format!("another program deleted the alias `{name}` in the meantime"),
        };
        Err(self.contested(&message).into())
    }

    async fn still_has_its_state(&mut self) -> Result<(), Failed> {
        let base = self.base()?;
        let now = self.settled("another operation on the function").await?.ok_or_else(deleted_meanwhile)?;
        let foreign = Expected::of(&base).unlike(&now);
        if foreign.is_empty() {
            self.live = Some(now);
            return Ok(());
        }
        let message = format!("another program changed the function in the meantime: {}", foreign.join(", "));
        Err(self.contested(&message).into())
    }

    /// The error for a change by another program, with what this run has changed around the function before.
    pub(super) fn contested(&self, message: &str) -> Fault {
        let mixed = if self.attached.is_empty() {
            String::new()
        } else {
            format!("; what this run changed stays: {}", self.attached.join(", "))
        };
        Fault::new(FaultKind::Conflict, format!("{message}{mixed}"))
            .help("deploy again what should be live, with `dpl-lambda deploy`; `dpl-lambda plan` shows what differs")
    }

    /// Checks after the last step that everything that the deployment manages is as this run left it.
    ///
    /// A read may show an old state for some seconds. A value that this run has replaced is therefore read again.
    pub(crate) async fn confirm(
        &mut self,
        plan: &Plan,
        deployment: &Deployment,
        package: &Package,
    ) -> Result<(), Fault> {
        let version = self.published.clone().or_else(|| plan.published.clone());
        let mut pace = Pace::new();
        loop {
            let left = self.base().map_err(|failed| failed.fault)?;
            let now = self.read_back(deployment).await.map_err(|failed| failed.fault)?;
            let foreign = plan.foreign(deployment, package, &self.caller, &left, &now, version.as_deref());
            if foreign.is_empty() {
                return Ok(());
            }
            let is_certain = foreign.iter().any(|foreign| foreign.is_certain);
            if is_certain || pace.so_far() > UNTIL_SHOWN {
                let names: Vec<_> = foreign.into_iter().map(|Foreign { what, .. }| what).collect();
                let names = names.join(", ");
                return Err(self.contested(&if is_certain {
                    format!("another program changed this during the run: {names}")
                } else {
                    format!("AWS shows the values from before the run, so another program restored them, or AWS did not take the new ones: {names}")
                }));
            }
            self.is_fresh = false;
            self.pause(&mut pace, "the new state to be shown").await.map_err(|failed| failed.fault)?;
        }
    }

    /// Reads the function, and its alias and attachments that the deployment manages.
    async fn read_back(&self, deployment: &Deployment) -> Result<Live, Failed> {
        let mut live = if self.is_fresh {
            self.base()?
        } else {
            *self.settled("another operation on the function").await?.ok_or_else(deleted_meanwhile)?
        };
        let alias = async {
            match &deployment.release.alias {
                Some(alias) => self.managed_alias(&alias.0).await,
                None => Ok(None),
            }
        };
        (live.alias, live.attachments) = tokio::try_join!(alias, self.managed_attachments(deployment, &live))?;
        Ok(live)
    }
}
