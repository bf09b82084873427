//! Lets an alias point elsewhere, with its own revision; and looks whether what it is to point at can be called.

use super::Session;
use super::fault::{Answer, Failed};
use super::settle::{Pace, failure, is_settled};
use crate::apply::{Fault, FaultKind};
use crate::plan::Rollback;
use crate::remote::{Alias, Published};

impl Session<'_> {
    /// The alias of this name; nothing where there is none, or no function.
    pub async fn alias(&self, name: &str) -> Result<Option<Alias>, Fault> {
        self.look_at_alias(name).await.map_err(|failed| failed.fault)
    }

    /// The names of all aliases; nothing where there is no function, none where they may not be read.
    pub async fn alias_names(&self) -> Result<Option<Vec<String>>, Fault> {
        match self.aliases().await {
            Ok(aliases) => Ok(Some(aliases.into_iter().map(|alias| alias.name).collect())),
            Err(Failed { answer: Answer::NotFound, .. }) => Ok(None),
            Err(Failed { fault, .. }) if fault.kind == FaultKind::Denied => Ok(Some(Vec::new())),
            Err(failed) => Err(failed.fault),
        }
    }

    /// The published versions, newest first.
    pub async fn all_versions(&self) -> Result<Vec<Published>, Fault> {
        self.all_published().await.map_err(|failed| failed.fault)
    }

    /// Whether there is such a version. Waits until it is ready; one that failed is an error.
    pub async fn is_ready(&self, number: &str) -> Result<bool, Fault> {
        self.ready(number).await.map_err(|failed| failed.fault)
    }

    /// Moves the alias back.
    pub async fn move_back(&self, rollback: &Rollback) -> Result<(), Fault> {
        let Rollback { alias, to, description } = rollback;
        self.point(&alias.name, Some(alias), to, Some(description)).await.map_err(|failed| failed.fault)
    }

    async fn ready(&self, number: &str) -> Result<bool, Failed> {
        let what = format!("version {number}");
        let mut pace = Pace::new();
        loop {
            let Some(answer) = self.look_at(Some(number)).await? else { return Ok(false) };
            match answer.configuration() {
                Some(config) if !is_settled(config) => self.pause(&mut pace, &what).await?,
                Some(config) => {
                    let failure = failure(config);
                    let told =
                        |fault: Fault| Fault { message: format!("version {number}: {}", fault.message), ..fault };
                    return failure.map_or(Ok(true), |fault| Err(told(fault).into()));
                }
                None => return Ok(true),
            }
        }
    }
}
