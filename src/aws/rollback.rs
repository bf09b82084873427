//! Moves an alias back, and checks whether the version it is to point at is ready.

use super::Session;
use super::fault::Failed;
use super::refusals::Meaning;
use super::settle::{Pace, failure, is_settled, state};
use crate::fault::{Fault, FaultKind};
use crate::plan::Rollback;
use crate::remote::{Alias, Published};

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

    /// Whether the version exists. Waits until it is ready. A failed version is an error.
    pub(crate) async fn is_ready(&self, number: &str) -> Result<bool, Fault> {
        self.ready(number).await.map_err(|failed| failed.fault)
    }

    /// Points the alias at the version of the rollback.
    pub(crate) async fn move_back(&self, rollback: &Rollback) -> Result<(), Fault> {
        let Rollback { alias, to, description } = rollback;
        self.move_alias(&alias.name, Some(alias), to, Some(description)).await.map_err(|failed| self.ended(failed))
    }

    async fn ready(&self, number: &str) -> Result<bool, Failed> {
        let what = format!("version {number}");
        let mut pace = Pace::new();
        loop {
            let Some(answer) = self.get_function(Some(number)).await? else { return Ok(false) };
            match answer.configuration() {
                Some(config) if !is_settled(config) => {
                    self.hear(state(config));
                    self.pause(&mut pace, &what).await?;
                }
                Some(config) => {
                    let Some(failure) = failure(config) else { return Ok(true) };
                    return Err(Fault::new(FaultKind::Failed, format!("version {number}: {failure}")).into());
                }
                None => return Ok(true),
            }
        }
    }
}
