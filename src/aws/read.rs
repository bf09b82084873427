//! Reads the live state of a function when no change is in progress.
//!
//! Reading the function and waiting for it use `GetFunction` alone: the policy in Travis' documentation allows no more.

use std::collections::BTreeSet;

use super::{
    Session, convert,
    fault::{Call, Failed},
    ours::Pointed,
    settle::{Pace, is_settled, state},
};
use crate::deployment::{Deployment, Publish, Release};
use crate::fault::{Fault, FaultKind};
use crate::remote::{Live, Remote, Version};
use crate::settings::{AliasName, Settings};

impl Session<'_> {
    /// Waits until no change is in progress, then reads the function, and its versions, aliases and attachments that the
    /// deployment manages.
    ///
    /// A failed creation or update is not an error here: this deployment may repair it.
    pub(crate) async fn read(&mut self, deployment: &Deployment) -> Result<Remote, Fault> {
        self.read_settled(deployment).await.map_err(|failed| failed.fault)
    }

    /// Waits until no change is in progress, then reads the function alone.
    pub(crate) async fn read_alone(&mut self) -> Result<Remote, Fault> {
        let live = self.settled("an earlier change of the function").await.map_err(|failed| failed.fault)?;
        self.live.clone_from(&live);
        Ok(live.map_or(Remote::Absent, Remote::Present))
    }

    /// Waits until no change is in progress, then reads the function with all its attachments, and the default settings of a
    /// function of this name. It reads the attachments of `alias`, or of the only alias; `None` if the function does not exist.
    pub(crate) async fn read_everything(
        &mut self,
        alias: Option<&AliasName>,
    ) -> Result<Option<(Box<Live>, Settings)>, Fault> {
        let read = async {
            let Some(mut live) = self.settled("an earlier change of the function").await? else { return Ok(None) };
            live.aliases = self.aliases().await?;
            let chosen = match (alias, &live.aliases[..]) {
                (Some(named), all) => all.iter().find(|alias| alias.name == named.0).cloned(),
                (None, [only]) => Some(only.clone()),
                (None, _) => None,
            };
            live.alias = match chosen {
                Some(alias) => Some(self.without_own_weights(alias).await?),
                None => None,
            };
            let unread;
            let name = live.alias.as_ref().map(|alias| alias.name.clone());
            (live.attachments, unread) = self.all_attachments(&live, name.as_deref()).await?;
            live.warnings.extend(unread);
            let defaults = convert::default_settings(live.name());
            Ok(Some((live, defaults)))
        };
        read.await.map_err(|failed: Failed| failed.fault)
    }

    async fn read_settled(&mut self, deployment: &Deployment) -> Result<Remote, Failed> {
        let Some(mut live) = self.settled("an earlier change of the function").await? else {
            return Ok(Remote::Absent);
        };
        let Release { publish, alias, keep_versions, shifting, .. } = &deployment.release;
        let versions = async {
            let wanted = *publish != Publish::No || keep_versions.is_some();
            if wanted { self.versions().await } else { Ok(Vec::new()) }
        };
        let managed = async {
            match alias {
                Some(alias) => self.managed_alias(&alias.0).await,
                None => Ok(None),
            }
        };
        let aliases = async { if keep_versions.is_some() { self.aliases().await } else { Ok(Vec::new()) } };
        let provisioned =
            async { if keep_versions.is_some() { self.provisioned_qualifiers().await } else { Ok(BTreeSet::new()) } };
        let around = self.managed_attachments(deployment, &live);
        let (versions, alias, aliases, provisioned, attachments) =
            tokio::try_join!(versions, managed, aliases, provisioned, around)?;
        live.newest_version = newest(&versions).cloned();
        live.versions = versions;
        (live.alias, live.aliases, live.provisioned, live.attachments) = (alias, aliases, provisioned, attachments);
        let moving = live.alias.iter().find(|alias| alias.moving_from.is_some());
        self.moving = moving.map(|alias| alias.name.clone());
        if let (Some(schedule), Some(alias)) = (shifting, &live.alias) {
            live.shift = Some(self.shift_ground(schedule, alias).await?);
        }
        self.planned.clone_from(&live.attachments);
        self.pointed = live.alias.as_ref().map(Pointed::read);
        self.live = Some(live.clone());
        Ok(Remote::Present(live))
    }

    /// Reads the function until no change is in progress; `None` if it does not exist. `what` names the awaited state.
    pub(super) async fn settled(&self, what: &str) -> Result<Option<Box<Live>>, Failed> {
        let mut pace = Pace::new();
        loop {
            let Some(answer) = self.get_function(None).await? else { return Ok(None) };
            let Some(config) = answer.configuration() else {
                return Err(
                    Fault::new(FaultKind::Failed, "`lambda:GetFunction` answered without a configuration").into()
                );
            };
            if is_settled(config) {
                self.forget();
                return Ok(convert::live(&answer).map(Box::new));
            }
            self.hear(state(config));
            self.pause(&mut pace, what).await?;
        }
    }

    /// The version with the highest number.
    pub(super) async fn newest_version(&self) -> Result<Option<Version>, Failed> {
        self.versions().await.map(|versions| newest(&versions).cloned())
    }

    /// All published versions.
    async fn versions(&self) -> Result<Vec<Version>, Failed> {
        let call = Call { action: "lambda:ListVersionsByFunction", resource: &self.function };
        let request = self.lambda.list_versions_by_function().function_name(&self.function);
        let mut pages = request.into_paginator().items().send();
        let found = self.all(&call, async || pages.next().await).await?;
        Ok(found.iter().filter_map(convert::version).collect())
    }
}

/// The version with the highest number.
fn newest(versions: &[Version]) -> Option<&Version> {
    versions.iter().max_by_key(|version| version.position())
}
