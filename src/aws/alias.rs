//! Creates and moves aliases, and deletes versions that no alias points at.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_lambda::types::{AliasRoutingConfiguration, ProvisionedConcurrencyStatusEnum as Status};

use super::Session;
use super::fault::{Call, Failed};
use super::look::alias_of;
use super::ours::Pointed;
use super::quotes;
use super::refusals::Meaning;
use super::settle::Pace;
use crate::apply::Done;
use crate::fault::{Fault, FaultKind, Progress};
use crate::plan::{AliasChange, VersionRef};
use crate::remote::Alias;

impl Session<'_> {
    /// The versions and aliases with provisioned concurrency.
    pub(super) async fn provisioned_qualifiers(&self) -> Result<BTreeSet<String>, Failed> {
        Ok(self.provisioned().await?.into_iter().map(|provisioned| provisioned.qualifier).collect())
    }

    /// Reads an alias; `None` if it does not exist. The weights that AWS itself set are not among the weights.
    pub(super) async fn managed_alias(&self, name: &str) -> Result<Option<Alias>, Failed> {
        match self.get_alias(name).await? {
            Some(alias) => self.without_own_weights(alias).await.map(Some),
            None => Ok(None),
        }
    }

    /// Sets the weights of AWS apart from those of people.
    ///
    /// While AWS provisions environments for the version that an alias has moved to, it gives all traffic to the version
    /// before. A person's weight of 1 is the same to see, but AWS allows no weights of people on an alias with provisioned
    /// concurrency.
    pub(super) async fn without_own_weights(&self, alias: Alias) -> Result<Alias, Failed> {
        let Some(before) = alias.all_traffic_elsewhere().map(str::to_owned) else { return Ok(alias) };
        Ok(match self.provisioning_of(&alias.name).await? {
            Provisioning::None => alias,
            Provisioning::Unfinished(_) | Provisioning::Failed(_) => {
                Alias { weights: BTreeMap::new(), moving_from: Some(before), ..alias }
            }
        })
    }

    async fn provisioning_of(&self, alias: &str) -> Result<Provisioning, Failed> {
        let resource = format!("{}:{alias}", self.function);
        let call = Call { action: "lambda:GetProvisionedConcurrencyConfig", resource: &resource };
        let request = self.lambda.get_provisioned_concurrency_config().function_name(&self.function).qualifier(alias);
        let answer = match self.read_optional(&call, request.send()).await {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(Provisioning::None),
            // Without this permission, a weight of 1 is taken for AWS' own: hardly anybody sets one.
            Err(Failed { fault, .. }) if fault.kind == FaultKind::Denied => {
                return Ok(Provisioning::Unfinished(fault.message));
            }
            Err(failed) => return Err(failed),
        };
        let available = answer.available_provisioned_concurrent_executions().unwrap_or_default();
        let requested = answer.requested_provisioned_concurrent_executions().unwrap_or_default();
        let reason = quotes::cut(answer.status_reason().unwrap_or("AWS gives no reason"));
        Ok(match answer.status() {
            Some(Status::Failed) => Provisioning::Failed(reason),
            _ => Provisioning::Unfinished(format!("{available} of {requested} environments are ready")),
        })
    }

    /// Waits until AWS gives the traffic of an alias to its version. Returns the alias then; `None` if it is gone.
    pub(super) async fn moved(&self, name: &str) -> Result<Option<Alias>, Failed> {
        let mut pace = Pace::new();
        loop {
            let Some(alias) = self.get_alias(name).await? else { return Ok(None) };
            let Some(before) = alias.all_traffic_elsewhere() else { return Ok(Some(alias)) };
            let what = format!("the alias `{name}` to move from version {before} to {}", alias.version);
            match self.provisioning_of(name).await? {
                Provisioning::None => return Ok(Some(alias)),
                Provisioning::Unfinished(state) => self.hear(state),
                Provisioning::Failed(reason) => {
                    let message = format!(
                        "version {before} still gets all traffic of the alias `{name}`: AWS could not provision environments for version {}: {reason}",
                        alias.version
                    );
                    let help =
                        "change or remove `provisioned_concurrency`, or ask AWS for more concurrency, and run again";
                    return Err(Fault::new(FaultKind::Failed, message).help(help).into());
                }
            }
            self.pause_and_report(&mut pace, &what).await?;
        }
    }

    /// Waits until AWS has finished the move of the alias that was in progress when the function was read.
    pub(crate) async fn finish_move(&self) -> Result<(), Fault> {
        let Some(name) = &self.moving else { return Ok(()) };
        self.moved(name).await.map(drop).map_err(|failed| failed.fault)
    }

    /// The number of a version.
    pub(crate) fn number(&self, version: &VersionRef) -> Result<String, Fault> {
        let unpublished = || Fault::new(FaultKind::Failed, "no version was published");
        match version {
            VersionRef::Number(number) => Ok(number.clone()),
            VersionRef::Published => self.published.clone().ok_or_else(unpublished),
        }
    }

    /// Points an alias at the version of a deployment. The alias' description gets a record of the move.
    pub(super) async fn point_alias(&mut self, change: &AliasChange) -> Result<Done, Failed> {
        let version = self.number(&change.to)?;
        let mut from = change.from.clone();
        if let Some(known) = from.as_mut().filter(|alias| alias.moving_from.is_some()) {
            // The end of an earlier move changes the revision.
            match self.moved(&known.name).await? {
                Some(alias) if alias.version == known.version => *known = alias,
                other => return Err(changed_meanwhile(&change.name.0, other.as_ref())),
            }
        }
        if let (Some(schedule), Some(known)) = (&change.schedule, &from) {
            from = Some(self.shift(schedule, known.clone(), &version).await?);
        }
        // An alias that only loses its weights does not move, so it has no previous version.
        let moves = from.as_ref().filter(|from| from.version != version);
        let description = moves.map(|from| from.description_once_moved(&version, change.build.as_deref()));
        let (name, route) = (&change.name.0, Route::all(&version));
        match from {
            Some(from) => {
                self.reroute(from, &version, &route, description.as_deref()).await?;
                self.moved(name).await?;
            }
            None => drop(self.route(name, None, &route, description.as_deref()).await?),
        }
        self.pointed = Some(Pointed::moved(change, version));
        Ok(Done::default())
    }

    /// Writes the versions that get the traffic of the managed alias, and remembers how to take it back from `version`.
    pub(super) async fn reroute(
        &mut self,
        from: Alias,
        version: &str,
        route: &Route<'_>,
        description: Option<&str>,
    ) -> Result<Alias, Failed> {
        let earlier = self.progress.replace(Progress::Nothing);
        let routed = self.route(&from.name, Some(&from), route, description).await;
        let may_be_done = self.progress.get() == Progress::Begun || self.lost.get().is_some();
        if earlier == Progress::Begun {
            self.progress.set(earlier);
        }
        let (alias, version) = (routed.as_ref().ok().cloned().unwrap_or(from), version.to_owned());
        if may_be_done {
            self.routed = Some(Routed { alias, version, description: description.map(str::to_owned) });
        }
        routed
    }

    /// Points an alias at a version, and waits until that version gets all of its traffic. `from` is the live alias, whose
    /// revision AWS must still have; `None` creates the alias.
    pub(super) async fn move_alias(
        &self,
        name: &str,
        from: Option<&Alias>,
        version: &str,
        description: Option<&str>,
    ) -> Result<(), Failed> {
        self.route(name, from, &Route::all(version), description).await?;
        if from.is_some() {
            self.moved(name).await?;
        }
        Ok(())
    }

    /// Writes the versions that get the traffic of an alias, and returns the alias as it is then.
    pub(super) async fn route(
        &self,
        name: &str,
        from: Option<&Alias>,
        route: &Route<'_>,
        description: Option<&str>,
    ) -> Result<Alias, Failed> {
        let Route { version, weights } = route;
        let resource = format!("{}:{name}", self.function);
        let mut pace = Pace::new();
        loop {
            let written = if let Some(from) = from {
                let call = Call { action: "lambda:UpdateAlias", resource: &resource };
                let request = self.lambda.update_alias().function_name(&self.function).name(name);
                let request = request.function_version(*version).set_routing_config(route.sent(from));
                let request = request.set_description(description.map(str::to_owned)).revision_id(&from.revision_id);
                self.write(&call, request.send()).await.map(|now| {
                    let (name, version) = (now.name(), now.function_version());
                    alias_of(name, version, now.routing_config(), now.description(), now.revision_id())
                })
            } else {
                let call = Call { action: "lambda:CreateAlias", resource: &resource };
                let request = self.lambda.create_alias().function_name(&self.function).name(name);
                self.write(&call, request.function_version(*version).send()).await.map(|now| {
                    let (name, version) = (now.name(), now.function_version());
                    alias_of(name, version, now.routing_config(), now.description(), now.revision_id())
                })
            };
            let failed = match written {
                Ok(now) => return Ok(now),
                Err(failed) => failed,
            };
            if failed.meaning != Meaning::Lost && failed.fault.kind != FaultKind::Failed {
                return Err(failed);
            }
            // The answer to an earlier attempt may have been lost.
            let now = match self.managed_alias(name).await {
                Err(_) if failed.meaning == Meaning::Lost => return Err(failed),
                now => now?,
            };
            let as_wanted = |now: &Alias| {
                now.version == *version
                    && now.weights == *weights
                    && description.is_none_or(|text| now.description == text)
            };
            if let Some(now) = now.as_ref().filter(|now| as_wanted(now)) {
                self.taken();
                return Ok(now.clone());
            }
            let untouched = now.as_ref().map(|now| &now.revision_id) == from.map(|from| &from.revision_id);
            match failed.meaning {
                Meaning::InProgress if untouched => {
                    self.hear(failed.fault.message);
                    self.pause(&mut pace, &format!("another operation on the alias `{name}`")).await?;
                }
                // The version that this run published may not be known yet.
                Meaning::NotFound if untouched && self.published.as_deref() == Some(version) => {
                    self.hear(failed.fault.message);
                    self.pause_and_report(&mut pace, &format!("version {version} to be known")).await?;
                }
                Meaning::InProgress | Meaning::Exists | Meaning::Stale => {
                    return Err(changed_meanwhile(name, now.as_ref()));
                }
                Meaning::Lost if untouched => return Err(self.not_done(failed)),
                _ => return Err(failed),
            }
        }
    }

    /// Deletes versions. If AWS refuses to delete one, the result lists it: this is not an error.
    pub(super) async fn delete_versions(&mut self, numbers: &[String]) -> Result<Done, Failed> {
        let mut done = Done::default();
        for number in numbers {
            self.still_ours().await?;
            let resource = format!("{}:{number}", self.function);
            let call = Call { action: "lambda:DeleteFunction", resource: &resource };
            let request = self.lambda.delete_function().function_name(&self.function).qualifier(number);
            let deleted = match self.write(&call, request.send()).await {
                Err(failed) if failed.meaning == Meaning::Lost => {
                    let look = async { Ok(self.get_function(Some(number)).await?.is_none()) };
                    self.unless_done(failed, look).await
                }
                deleted => deleted.map(drop),
            };
            match deleted {
                Ok(()) | Err(Failed { meaning: Meaning::NotFound, .. }) => {}
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

/// The state of an alias' provisioned concurrency.
enum Provisioning {
    /// It has none.
    None,
    /// AWS has not finished, as the text says.
    Unfinished(String),
    /// AWS could not provision the environments, for this reason.
    Failed(String),
}

/// The managed alias, once this run has begun to move it.
pub(super) struct Routed {
    /// The alias as it was before the last write, or after it if AWS answered.
    pub alias: Alias,
    /// The version that it moves to.
    pub version: String,
    /// The description that was sent; absent: none.
    pub description: Option<String>,
}

/// The versions that get the traffic of an alias.
pub(super) struct Route<'a> {
    /// The version that the alias points at.
    pub version: &'a str,
    /// The shares of other versions, from 0 to 1, by version number.
    pub weights: BTreeMap<String, f64>,
}

impl<'a> Route<'a> {
    /// All traffic for one version.
    pub(super) fn all(version: &'a str) -> Self {
        Self { version, weights: BTreeMap::new() }
    }

    /// The weights to send; absent if the live alias has none and gets none. Without weights, AWS moves the traffic
    /// itself, once the provisioned environments of the new version are ready.
    fn sent(&self, live: &Alias) -> Option<AliasRoutingConfiguration> {
        let weights: HashMap<_, _> = self.weights.clone().into_iter().collect();
        let stays_without = weights.is_empty() && live.weights.is_empty();
        let sent = || AliasRoutingConfiguration::builder().set_additional_version_weights(Some(weights)).build();
        (!stays_without).then(sent)
    }
}

fn changed_meanwhile(name: &str, now: Option<&Alias>) -> Failed {
    let found = now.map_or_else(|| "it is gone".to_owned(), |now| format!("it points at version {} now", now.version));
    let message = format!("another program changed the alias `{name}` in the meantime: {found}");
    Fault::new(FaultKind::Conflict, message).help("run again to see what differs").into()
}
