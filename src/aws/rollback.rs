//! Moves an alias back. Before that, checks whether the version it is to point at is ready, and reads what differs there.

use aws_sdk_lambda::operation::get_function::GetFunctionOutput;

use super::fault::Failed;
use super::package::Reported;
use super::refusals::Meaning;
use super::settle::{Pace, failure, is_settled, state};
use super::{Session, convert};
use crate::fault::{Fault, FaultKind};
use crate::plan::Rollback;
use crate::remote::{Alias, Live, Published};

impl Session<'_> {
    /// The alias of this name; `None` if the alias or the function does not exist.
    pub(crate) async fn alias(&self, name: &str) -> Result<Option<Alias>, Fault> {
        self.get_alias(name).await.map_err(|failed| failed.fault)
    }

    /// The names of all aliases; `None` if the function does not exist, an empty list if the read was denied.
    pub(crate) async fn alias_names(&self) -> Result<Option<Vec<String>>, Fault> {
        match self.aliases().await {
            Ok(aliases) => Ok(Some(aliases.into_iter().map(|alias| alias.name).collect())),
            Err(Failed { meaning: Meaning::NotFound, .. }) => Ok(None),
            Err(Failed { fault, .. }) if fault.kind == FaultKind::Denied => Ok(Some(Vec::new())),
            Err(failed) => Err(failed.fault),
        }
    }

    /// The published versions, newest first.
    pub(crate) async fn all_versions(&self) -> Result<Vec<Published>, Fault> {
        self.all_published().await.map_err(|failed| failed.fault)
    }

    /// Waits until the version of the rollback is ready, and reads what differs there. A failed version is an error. `None`
    /// if the version does not exist.
    pub(crate) async fn compared(&self, rollback: Rollback) -> Result<Option<Rollback>, Fault> {
        let compared = async {
            let Some(to) = self.ready(Some(&rollback.to), &format!("version {}", rollback.to)).await? else {
                return Ok(None);
            };
            let Some(mut to) = convert::live(&to).map(|live| (live, Reported::of(&to))) else {
                return Ok(Some(rollback));
            };
            let Some(mut from) = self.current(rollback.from()).await? else { return Ok(Some(rollback)) };
            // Some emulators return the address of the newest code for every version.
            if from.0.code() != to.0.code() && from.1 != to.1 {
                from.0.files = self.files_at(from.1.take()).await;
                to.0.files = self.files_at(to.1.take()).await;
            }
            Ok(Some(rollback.between(&from.0, &to.0)))
        };
        compared.await.map_err(|failed: Failed| failed.fault)
    }

    /// The version that loses its traffic, with the address of its package; `None` if it cannot be read: it only serves to
    /// show what differs.
    async fn current(&self, version: &str) -> Result<Option<(Live, Option<Reported>)>, Failed> {
        match self.get_function(Some(version)).await {
            Ok(answer) => Ok(answer.and_then(|answer| Some((convert::live(&answer)?, Reported::of(&answer))))),
            Err(failed) if matches!(failed.fault.kind, FaultKind::TimedOut | FaultKind::Interrupted(_)) => Err(failed),
            Err(failed) => {
                tracing::debug!("what differs is unknown because {}", failed.fault.message);
                Ok(None)
            }
        }
    }

    /// Points the alias at the version of the rollback.
    pub(crate) async fn move_back(&self, rollback: &Rollback) -> Result<(), Fault> {
        let Rollback { alias, to, description, differences: _, files: _ } = rollback;
        self.move_alias(&alias.name, Some(alias), to, Some(description)).await.map_err(|failed| self.ended(failed))
    }

    /// Waits until the function, or a version or alias of it, is ready; `None` if it does not exist. `what` names it in
    /// messages.
    pub(super) async fn ready(&self, qualifier: Option<&str>, what: &str) -> Result<Option<GetFunctionOutput>, Failed> {
        let mut pace = Pace::new();
        loop {
            let Some(answer) = self.get_function(qualifier).await? else { return Ok(None) };
            match answer.configuration() {
                Some(config) if !is_settled(config) => {
                    self.hear(state(config));
                    self.pause(&mut pace, what).await?;
                }
                Some(config) => {
                    let Some(failure) = failure(config) else { return Ok(Some(answer)) };
                    return Err(Fault::new(FaultKind::Failed, format!("{what}: {failure}")).into());
                }
                None => return Ok(Some(answer)),
            }
        }
    }
}
