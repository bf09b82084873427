//! Aliases: read, created, moved; and the versions that nothing points at any more.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_lambda::types::AliasRoutingConfiguration;

use super::Session;
use super::fault::{Answer, Call, Failed};
use super::settle::Pace;
use crate::apply::{Done, Fault, FaultKind};
use crate::plan::{AliasChange, VersionRef};
use crate::remote::Alias;

impl Session<'_> {
    /// The alias of this name; nothing where there is none.
    pub(super) async fn alias(&self, name: &str) -> Result<Option<Alias>, Failed> {
        let call = Call { action: "lambda:GetAlias", resource: &self.function };
        let request = self.lambda.get_alias().function_name(&self.function).name(name);
        let Some(answer) = self.looked_up(&call, request.send()).await? else { return Ok(None) };
        Ok(Some(Alias {
            name: name.to_owned(),
            version: answer.function_version().unwrap_or_default().to_owned(),
            weights: weights(answer.routing_config()),
            description: answer.description().unwrap_or_default().to_owned(),
            revision_id: answer.revision_id().unwrap_or_default().to_owned(),
        }))
    }

    /// All aliases of the function.
    pub(super) async fn aliases(&self) -> Result<Vec<Alias>, Failed> {
        let call = Call { action: "lambda:ListAliases", resource: &self.function };
        let (mut aliases, mut marker) = (Vec::new(), None);
        loop {
            let request = self.lambda.list_aliases().function_name(&self.function).set_marker(marker);
            let Some(page) = self.looked_up(&call, request.send()).await? else { return Ok(aliases) };
            aliases.extend(page.aliases().iter().map(|alias| Alias {
                name: alias.name().unwrap_or_default().to_owned(),
                version: alias.function_version().unwrap_or_default().to_owned(),
                weights: weights(alias.routing_config()),
                description: alias.description().unwrap_or_default().to_owned(),
                revision_id: alias.revision_id().unwrap_or_default().to_owned(),
            }));
            marker = page.next_marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
            if marker.is_none() {
                return Ok(aliases);
            }
        }
    }

    /// Versions and aliases whose environments are kept ready.
    pub(super) async fn provisioned(&self) -> Result<BTreeSet<String>, Failed> {
        let call = Call { action: "lambda:ListProvisionedConcurrencyConfigs", resource: &self.function };
        let (mut found, mut marker) = (BTreeSet::new(), None);
        loop {
            let request =
                self.lambda.list_provisioned_concurrency_configs().function_name(&self.function).set_marker(marker);
            let Some(page) = self.looked_up(&call, request.send()).await? else { return Ok(found) };
            let qualifiers = page.provisioned_concurrency_configs().iter().filter_map(|config| config.function_arn());
            found.extend(qualifiers.filter_map(|arn| arn.rsplit(':').next().map(str::to_owned)));
            marker = page.next_marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
            if marker.is_none() {
                return Ok(found);
            }
        }
    }

    /// Lets an alias point at a version with all of its traffic. Where it pointed before stands in its description.
    pub(super) async fn point_alias(&self, change: &AliasChange) -> Result<Done, Failed> {
        let version = match &change.to {
            VersionRef::Number(number) => number.clone(),
            VersionRef::Published => self
                .published
                .clone()
                .ok_or_else(|| Fault::new(FaultKind::Failed, "no version was published for the alias to point at"))?,
        };
        let name = &change.name.0;
        let resource = format!("{}:{name}", self.function);
        let mut pace = Pace::new();
        loop {
            let written = match &change.from {
                None => {
                    let call = Call { action: "lambda:CreateAlias", resource: &resource };
                    let request = self.lambda.create_alias().function_name(&self.function).name(name);
                    self.wrote(&call, request.function_version(&version).send()).await.map(drop)
                }
                Some(from) => {
                    let call = Call { action: "lambda:UpdateAlias", resource: &resource };
                    // An alias that only loses its weights was nowhere else before.
                    let description = (from.version != version).then(|| from.description_once_moved());
                    let none =
                        AliasRoutingConfiguration::builder().set_additional_version_weights(Some(Default::default()));
                    let request = self.lambda.update_alias().function_name(&self.function).name(name);
                    let request = request.function_version(&version).revision_id(&from.revision_id);
                    let request = request.set_description(description).routing_config(none.build());
                    self.wrote(&call, request.send()).await.map(drop)
                }
            };
            let Err(failed) = written else { break };
            if !matches!(failed.answer, Answer::Busy | Answer::Stale) {
                return Err(failed);
            }
            // Our own write whose answer was lost, somebody else's, or something that goes on.
            let now = self.alias(name).await?;
            if now.as_ref().is_some_and(|now| now.version == version && now.weights.is_empty()) {
                break;
            }
            if failed.answer == Answer::Stale || now.as_ref() != change.from.as_ref() {
                let message = format!("somebody else changed the alias `{name}` meanwhile: {}", failed.fault.message);
                return Err(Fault::new(FaultKind::Conflict, message).help("run again to see what differs").into());
            }
            self.pause(&mut pace, &format!("another operation on the alias `{name}`")).await?;
        }
        Ok(Done::default())
    }

    /// Deletes versions. One that AWS does not let go stays: that is told, and is no failure of a deployment.
    pub(super) async fn delete_versions(&self, numbers: &[String]) -> Result<Done, Failed> {
        let mut done = Done::default();
        for number in numbers {
            let resource = format!("{}:{number}", self.function);
            let call = Call { action: "lambda:DeleteFunction", resource: &resource };
            let request = self.lambda.delete_function().function_name(&self.function).qualifier(number);
            match self.wrote(&call, request.send()).await {
                Ok(_) | Err(Failed { answer: Answer::NotFound, .. }) => {}
                Err(failed) if matches!(failed.fault.kind, FaultKind::Failed | FaultKind::Denied) => {
                    done.warnings.push(format!("version {number} could not be deleted: {}", failed.fault.message));
                }
                Err(failed) => return Err(failed),
            }
        }
        Ok(done)
    }
}

fn weights(routing: Option<&AliasRoutingConfiguration>) -> BTreeMap<String, f64> {
    let weights = routing.and_then(|routing| routing.additional_version_weights()).into_iter().flatten();
    weights.map(|(version, weight)| (version.clone(), *weight)).collect()
}
