//! Lets an alias point elsewhere, with its own revision; and looks whether what it is to point at can be called.

use std::collections::HashMap;

use aws_sdk_lambda::types::AliasRoutingConfiguration;

use super::Session;
use super::fault::{self, Answer, Call, Failed};
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
        self.versions().await.map_err(|failed| failed.fault)
    }

    /// Whether there is such a version. Waits until it is ready; one that failed is an error.
    pub async fn is_ready(&self, number: &str) -> Result<bool, Fault> {
        self.ready(number).await.map_err(|failed| failed.fault)
    }

    /// Moves the alias back.
    pub async fn move_back(&self, rollback: &Rollback) -> Result<(), Fault> {
        self.point(rollback).await.map_err(|failed| failed.fault)
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

    async fn point(&self, rollback: &Rollback) -> Result<(), Failed> {
        let Rollback { alias, to, description } = rollback;
        let resource = format!("{}:{}", self.function, alias.name);
        let call = Call { action: "lambda:UpdateAlias", resource: &resource };
        let mut pace = Pace::new();
        loop {
            let no_shares = AliasRoutingConfiguration::builder().set_additional_version_weights(Some(HashMap::new()));
            let request = self.lambda.update_alias().function_name(&self.function).name(&alias.name);
            let request = request.function_version(to).description(description).routing_config(no_shares.build());
            let sent = request.revision_id(&alias.revision_id).send();
            let Err(error) = self.written(&call, sent).await? else { return Ok(()) };
            let failed = fault::of(&error, &call);
            if failed.fault.kind == FaultKind::Denied {
                return Err(failed);
            }
            // The answer to an attempt of ours may have been lost.
            let Some(found) = self.look_at_alias(&alias.name).await? else {
                let message = format!("the alias `{}` is gone: somebody deleted it meanwhile", alias.name);
                return Err(Fault::new(FaultKind::Conflict, message).into());
            };
            let as_wanted = found.version == *to && found.weights.is_empty() && found.description == *description;
            match failed.answer {
                _ if as_wanted => return Ok(()),
                Answer::Busy if found.revision_id == alias.revision_id => {
                    self.pause(&mut pace, "another operation on the function").await?;
                }
                Answer::Busy | Answer::Stale => {
                    let message = format!(
                        "somebody else changed the alias `{}` meanwhile: it points at version {} now",
                        alias.name, found.version
                    );
                    return Err(Fault::new(FaultKind::Conflict, message).help("run again to see where it goes").into());
                }
                Answer::NotFound | Answer::Other => return Err(failed),
            }
        }
    }
}
