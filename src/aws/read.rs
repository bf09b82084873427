//! The snapshot: what is live once nothing is in progress.
//!
//! Live state and waiting use `GetFunction` alone, which is all that the policy Travis documents allows.

use std::collections::BTreeSet;

use super::{
    Session, convert,
    fault::{Call, Failed},
    settle::{Pace, is_settled},
};
use crate::apply::{Fault, FaultKind};
use crate::deployment::{Deployment, Publish, Release};
use crate::remote::{Live, Remote, Version};
use crate::settings::{AliasName, Settings};

impl Session<'_> {
    /// Reads the function when nothing is in progress, and of what stands around it all that is managed.
    ///
    /// A failed creation or update is no error here: the next deployment may mend it.
    pub async fn read(&mut self, deployment: &Deployment) -> Result<Remote, Fault> {
        self.read_settled(deployment).await.map_err(|failed| failed.fault)
    }

    /// Reads the function alone when nothing is in progress.
    pub async fn read_alone(&mut self) -> Result<Remote, Fault> {
        let live = self.settled("what is in progress already").await.map_err(|failed| failed.fault)?;
        self.live.clone_from(&live);
        Ok(live.map_or(Remote::Absent, Remote::Present))
    }

    /// Reads the function and everything around it, with the alias that is named, or the only one. Beside it what a function is
    /// like about which nothing was said.
    pub async fn read_everything(&mut self, alias: Option<&AliasName>) -> Result<Option<(Box<Live>, Settings)>, Fault> {
        let read = async {
            let Some(mut live) = self.settled("what is in progress already").await? else { return Ok(None) };
            live.aliases = self.aliases().await?;
            live.alias = match (alias, &live.aliases[..]) {
                (Some(named), all) => all.iter().find(|alias| alias.name == named.0).cloned(),
                (None, [only]) => Some(only.clone()),
                (None, _) => None,
            };
            let unread;
            let name = live.alias.as_ref().map(|alias| alias.name.clone());
            (live.attachments, unread) = self.everything(&live, name.as_deref()).await;
            live.warnings.extend(unread);
            let defaults = convert::default_settings(live.name());
            Ok(Some((live, defaults)))
        };
        read.await.map_err(|failed: Failed| failed.fault)
    }

    async fn read_settled(&mut self, deployment: &Deployment) -> Result<Remote, Failed> {
        let Some(mut live) = self.settled("what is in progress already").await? else { return Ok(Remote::Absent) };
        let Release { publish, alias, keep_versions, .. } = &deployment.release;
        let versions = async {
            let wanted = *publish == Publish::Version || keep_versions.is_some();
            if wanted { self.versions().await } else { Ok(Default::default()) }
        };
        let managed = async {
            match alias {
                Some(alias) => self.look_at_alias(&alias.0).await,
                None => Ok(None),
            }
        };
        let aliases = async { if keep_versions.is_some() { self.aliases().await } else { Ok(Vec::new()) } };
        let provisioned = async { if keep_versions.is_some() { self.kept_ready().await } else { Ok(BTreeSet::new()) } };
        let around = self.surroundings(deployment, &live);
        let (versions, alias, aliases, provisioned, attachments) =
            tokio::try_join!(versions, managed, aliases, provisioned, around)?;
        (live.versions, live.newest_version) = versions;
        (live.alias, live.aliases, live.provisioned, live.attachments) = (alias, aliases, provisioned, attachments);
        self.live = Some(live.clone());
        Ok(Remote::Present(live))
    }

    /// Looks until nothing is in progress; nothing where there is no function.
    pub(super) async fn settled(&self, what: &str) -> Result<Option<Box<Live>>, Failed> {
        let mut pace = Pace::new();
        loop {
            let Some(answer) = self.look_at(None).await? else { return Ok(None) };
            if answer.configuration().is_some_and(is_settled) {
                return Ok(convert::live(&answer).map(Box::new));
            }
            if answer.configuration().is_none() {
                return Err(
                    Fault::new(FaultKind::Failed, "`lambda:GetFunction` answered without a configuration").into()
                );
            }
            self.pause(&mut pace, what).await?;
        }
    }

    /// The version with the highest number.
    pub(super) async fn newest_version(&self) -> Result<Option<Version>, Failed> {
        self.versions().await.map(|(_, newest)| newest)
    }

    /// The numbers of all versions, and the one with the highest.
    async fn versions(&self) -> Result<(Vec<u64>, Option<Version>), Failed> {
        let call = Call { action: "lambda:ListVersionsByFunction", resource: &self.function };
        let request = self.lambda.list_versions_by_function().function_name(&self.function);
        let mut pages = request.into_paginator().items().send();
        let found = self.all(&call, async || pages.next().await).await?;
        let versions: Vec<_> = found.iter().filter_map(convert::version).collect();
        let numbers = versions.iter().map(|(number, _)| *number).collect();
        let newest = versions.into_iter().max_by_key(|(number, _)| *number);
        Ok((numbers, newest.map(|(_, version)| version)))
    }
}
