//! Creates and moves aliases, and deletes versions that no alias points at.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_lambda::types::AliasRoutingConfiguration;

use super::Session;
use super::fault::{Answer, Call, Failed};
use super::settle::Pace;
use crate::apply::Done;
use crate::fault::{Fault, FaultKind};
use crate::plan::{AliasChange, VersionRef};
use crate::remote::Alias;

impl Session<'_> {
    /// The versions and aliases with provisioned concurrency.
    pub(super) async fn provisioned_qualifiers(&self) -> Result<BTreeSet<String>, Failed> {
        Ok(self.provisioned().await?.into_iter().map(|provisioned| provisioned.qualifier).collect())
    }

    /// Points an alias at the version of a deployment. The alias' description gets a mark of the previous version.
    pub(super) async fn point_alias(&self, change: &AliasChange) -> Result<Done, Failed> {
        let unpublished = || Fault::new(FaultKind::Failed, "no version was published for the alias to point at");
        let version = match &change.to {
            VersionRef::Number(number) => number.clone(),
            VersionRef::Published => self.published.clone().ok_or_else(unpublished)?,
        };
        // An alias that only loses its weights does not move, so it has no previous version.
        let moved = change.from.as_ref().filter(|from| from.version != version);
        let description = moved.map(Alias::description_once_moved);
        self.move_alias(&change.name.0, change.from.as_ref(), &version, description.as_deref()).await?;
        Ok(Done::default())
    }

    /// Points an alias at a version, with all of its traffic. `from` is the live alias, whose revision AWS must still have;
    /// `None` creates the alias.
    pub(super) async fn move_alias(
        &self,
        name: &str,
        from: Option<&Alias>,
        version: &str,
        description: Option<&str>,
    ) -> Result<(), Failed> {
        let resource = format!("{}:{name}", self.function);
        let mut pace = Pace::new();
        loop {
            let written = if let Some(from) = from {
                let call = Call { action: "lambda:UpdateAlias", resource: &resource };
                let no_shares =
                    AliasRoutingConfiguration::builder().set_additional_version_weights(Some(HashMap::new()));
                let request = self.lambda.update_alias().function_name(&self.function).name(name);
                let request = request.function_version(version).routing_config(no_shares.build());
                let request = request.set_description(description.map(str::to_owned)).revision_id(&from.revision_id);
                self.write(&call, request.send()).await.map(drop)
            } else {
                let call = Call { action: "lambda:CreateAlias", resource: &resource };
                let request = self.lambda.create_alias().function_name(&self.function).name(name);
                self.write(&call, request.function_version(version).send()).await.map(drop)
            };
            let Err(failed) = written else { return Ok(()) };
            if !matches!(failed.fault.kind, FaultKind::Failed) {
                return Err(failed);
            }
            // The answer to an earlier attempt may have been lost.
            let now = self.get_alias(name).await?;
            let as_wanted = |now: &Alias| {
                now.version == version
                    && now.weights.is_empty()
                    && description.is_none_or(|text| now.description == text)
            };
            let untouched = now.as_ref().map(|now| &now.revision_id) == from.map(|from| &from.revision_id);
            match failed.answer {
                _ if now.as_ref().is_some_and(as_wanted) => return Ok(()),
                Answer::Busy if untouched => {
                    self.pause(&mut pace, &format!("another operation on the alias `{name}`")).await?;
                }
                Answer::Busy | Answer::Stale => {
                    let found = now.map_or_else(
                        || "it is gone".to_owned(),
                        |now| format!("it points at version {} now", now.version),
                    );
                    let message = format!("another program changed the alias `{name}` in the meantime: {found}");
                    return Err(Fault::new(FaultKind::Conflict, message).help("run again to see what differs").into());
                }
                Answer::NotFound | Answer::Other => return Err(failed),
            }
        }
    }

    /// Deletes versions. If AWS refuses to delete one, the result lists it: this is not an error.
    pub(super) async fn delete_versions(&self, numbers: &[String]) -> Result<Done, Failed> {
        let mut done = Done::default();
        for number in numbers {
            let resource = format!("{}:{number}", self.function);
            let call = Call { action: "lambda:DeleteFunction", resource: &resource };
            let request = self.lambda.delete_function().function_name(&self.function).qualifier(number);
            match self.write(&call, request.send()).await {
                Ok(_) | Err(Failed { answer: Answer::NotFound, .. }) => {}
                Err(failed) if matches!(failed.fault.kind, FaultKind::Failed | FaultKind::Denied) => {
                    done.kept.push(number.clone());
                    done.warnings.push(format!("version {number} could not be deleted: {}", failed.fault.message));
                }
                Err(failed) => return Err(failed),
            }
        }
        Ok(done)
    }
}
