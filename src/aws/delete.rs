//! Deletes a function, or one version of it.

use super::Session;
use super::fault::{Call, Failed};
use super::refusals::Meaning;
use super::settle::Pace;
use crate::fault::{Fault, FaultKind};
use crate::remote::{Alias, Status};

impl Session<'_> {
    /// Deletes the function, or one version of it. A missing function or version counts as deleted. A function that has
    /// changed since it was `shown` is a conflict.
    pub(crate) async fn delete(&self, version: Option<&str>, shown: &Status) -> Result<(), Fault> {
        let delete = async {
            if version.is_none() {
                self.is_as_shown(shown).await?;
            }
            self.delete_with_retries(version).await
        };
        delete.await.map_err(|failed: Failed| self.ended(failed))
    }

    async fn is_as_shown(&self, shown: &Status) -> Result<(), Failed> {
        let now = self.get_function(None).await?;
        let Some(config) = now.as_ref().and_then(|now| now.configuration()) else { return Ok(()) };
        let same =
            config.code_sha256() == Some(&shown.code_sha256) && config.last_modified() == Some(&shown.last_modified);
        if same {
            return Ok(());
        }
        let message = "another program changed the function after it was shown, so it is not deleted";
        Err(Fault::new(FaultKind::Conflict, message).help("run again to see what would be deleted now").into())
    }

    /// Whether the version exists.
    pub(crate) async fn has_version(&self, version: &str) -> Result<bool, Fault> {
        self.get_function(Some(version)).await.map(|answer| answer.is_some()).map_err(|failed| failed.fault)
    }

    async fn delete_with_retries(&self, version: Option<&str>) -> Result<(), Failed> {
        let resource = version.map_or_else(|| self.function.clone(), |number| format!("{}:{number}", self.function));
        let call = Call { action: "lambda:DeleteFunction", resource: &resource };
        let mut pace = Pace::new();
        loop {
            let request = self.lambda.delete_function().function_name(&self.function);
            let request = request.set_qualifier(version.map(str::to_owned));
            let Err(error) = self.await_write(&call, request.send()).await? else { return Ok(()) };
            let failed = self.refusal(&error, &call);
            match (failed.meaning, version) {
                (Meaning::NotFound, _) => return Ok(()),
                (Meaning::InProgress, _) => self.hear(failed.fault.message),
                (Meaning::Conflict, Some(number)) => return Err(self.held(number, failed).await),
                (Meaning::Lost, _) => {
                    let look = async { Ok(self.get_function(version).await?.is_none()) };
                    return self.unless_done(failed, look).await;
                }
                _ => return Err(failed),
            }
            self.pause(&mut pace, "another operation on the function").await?;
        }
    }

    /// The reason why AWS does not delete the version: the alias that points at it, or else AWS' words.
    async fn held(&self, number: &str, failed: Failed) -> Failed {
        let held = |alias: &Alias| alias.version == number || alias.weights.contains_key(number);
        match self.aliases().await.ok().and_then(|aliases| aliases.into_iter().find(held)) {
            Some(alias) => held_by(number, &[&alias.name]).into(),
            None => failed,
        }
    }
}

/// The error for a version that cannot be deleted because aliases point at it.
pub(crate) fn held_by(version: &str, aliases: &[&str]) -> Fault {
    let names: Vec<_> = aliases.iter().map(|name| format!("`{name}`")).collect();
    let (noun, verb) = if aliases.len() == 1 { ("the alias", "points") } else { ("the aliases", "point") };
    Fault::new(FaultKind::Misconfigured, format!("{noun} {} {verb} at version {version}", names.join(", ")))
        .help("point the alias at another version first, for example with `dpl-lambda rollback`")
}
