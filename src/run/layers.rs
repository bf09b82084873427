//! Layers of a run: built and planned together with the functions, and published before them.

use std::collections::BTreeMap;

use super::{Interrupt, Run, around, look_in_bucket, packaged};
use crate::apply;
use crate::aws::{Connection, Session};
use crate::config::Entry;
use crate::deployment::{CodeSource, LayerDeployment, Target};
use crate::error::Error;
use crate::event::{Event, LayerDeployed, Stage};
use crate::fault::Fault;
use crate::host::Host;
use crate::package::Artifact;
use crate::package::inspect::Date;
use crate::place::Problem;
use crate::plan::{self, Plan};
use crate::remote::{KnownLayers, LayerSnapshot, LayerVersion};
use crate::settings::LayerRef;

/// A layer with its plan, ready to be published.
pub(super) struct PlannedLayer<'a> {
    entry: &'a Entry<LayerDeployment>,
    artifact: &'a Artifact,
    session: Session<'a>,
    newest: Option<LayerVersion>,
    only_plans: bool,
    plan: Plan,
}

/// The facts about a layer that functions of the run need.
pub(super) struct LayerOfRun {
    name: String,
    region: String,
    target: Target,
    /// The ARN without a version; absent for a new layer.
    arn: Option<String>,
    /// The ARN of the version to use; absent until it is published.
    version: Option<String>,
    only_plans: bool,
}

impl PlannedLayer<'_> {
    pub(super) fn changes(&self) -> bool {
        self.plan.changes()
    }

    pub(super) fn known(&self) -> LayerOfRun {
        let newest = self.newest.as_ref().map(|newest| newest.arn.clone());
        LayerOfRun {
            name: self.entry.deployment.name.clone(),
            region: self.plan.region.clone(),
            target: self.entry.deployment.target.clone(),
            arn: newest.as_ref().and_then(|arn| Some(arn.rsplit_once(':')?.0.to_owned())),
            version: newest.filter(|_| !self.plan.changes()),
            only_plans: self.only_plans,
        }
    }
}

impl LayerOfRun {
    /// Whether a name, or an ARN without a version, in the list of a function refers to this layer.
    fn is_meant(&self, layer: &str, target: &Target, region: &str) -> bool {
        let by_name = self.name == layer && self.region == region && self.target.is_same_account(target);
        by_name || self.arn.as_deref() == Some(layer)
    }
}

/// Marks an error as one of a layer.
fn of_layer(error: Error) -> Error {
    Error::Layer(Box::new(error))
}

impl Run<'_> {
    pub(super) async fn check_layers(
        &self,
        entries: &[Entry<LayerDeployment>],
        interrupt: &Interrupt,
    ) -> Result<(), Error> {
        for entry in entries {
            let artifact = self.build_layer(entry, interrupt).await?;
            let problems = plan::check_layer(&entry.deployment, &artifact, Date::of(Host::now()));
            self.weigh_layer(entry, &problems)?;
            let (layer, package) = (entry.deployment.name.clone(), packaged(&artifact, None, false));
            self.tell(&Event::LayerChecked { layer, package });
        }
        Ok(())
    }

    /// Builds the packages of all layers. Leaves out layers that failed with `allow_failure`.
    pub(super) async fn build_layers<'a>(
        &self,
        entries: &'a [Entry<LayerDeployment>],
        interrupt: &Interrupt,
    ) -> Result<Vec<(&'a Entry<LayerDeployment>, Artifact)>, Error> {
        let mut built = Vec::new();
        for entry in entries {
            let artifact = self.build_layer(entry, interrupt).await;
            built.extend(self.unless_allowed(entry, interrupt, artifact)?.map(|artifact| (entry, artifact)));
        }
        Ok(built)
    }

    async fn build_layer(&self, entry: &Entry<LayerDeployment>, interrupt: &Interrupt) -> Result<Artifact, Error> {
        let LayerDeployment { code, name, .. } = &entry.deployment;
        let CodeSource::Path(source) = &code.source else {
            let message = format!("{} is not a local package", code.source.shown());
            let problem = Problem::new(message).of("layer").help("set `zip` to the files of the layer");
            return Err(of_layer(Error::refused(name, [problem], &entry.places)));
        };
        let artifact = self.pack(source.clone(), code.rules.clone(), interrupt).await?;
        let how_to_build = code.how_to_build.as_deref();
        let artifact = artifact.map_err(|error| Error::package(error, &entry.places, Some(name), how_to_build));
        let artifact = artifact.map_err(of_layer)?;
        self.warn_of_names(&artifact, &entry.places);
        Ok(artifact)
    }

    /// Plans all layers and shows the plans. Leaves out layers that failed with `allow_failure`.
    pub(super) async fn plan_layers<'s>(
        &self,
        built: &'s [(&'s Entry<LayerDeployment>, Artifact)],
        interrupt: &Interrupt,
        meanwhile: &'s dyn Fn(Event),
    ) -> Result<Vec<PlannedLayer<'s>>, Error> {
        let mut planned: Vec<PlannedLayer<'_>> = Vec::new();
        for (entry, artifact) in built {
            let plan = self.plan_layer(entry, artifact, &planned, interrupt, meanwhile).await;
            planned.extend(self.unless_allowed(entry, interrupt, plan)?);
        }
        Ok(planned)
    }

    async fn plan_layer<'s>(
        &self,
        entry: &'s Entry<LayerDeployment>,
        artifact: &'s Artifact,
        before: &[PlannedLayer<'_>],
        interrupt: &Interrupt,
        meanwhile: &'s dyn Fn(Event),
    ) -> Result<PlannedLayer<'s>, Error> {
        let layer = &entry.deployment;
        let unread = |fault| of_layer(Error::read(fault, &layer.name));
        let connection = self.log_in(&layer.target, layer.wait_timeout, interrupt).await.map_err(unread)?;
        let (name, wait) = (layer.name.as_str(), layer.wait_timeout);
        let session = Session::new(&connection, name, Some(&artifact.archive), wait, interrupt.clone(), meanwhile);
        let newest = session.newest_layer().await.map_err(unread)?;
        let today = Date::of(Host::now());
        let mut snapshot = LayerSnapshot { newest, caller: connection.caller.clone(), stored: None };
        let draft = plan::plan_layer(layer, artifact, &snapshot, today);
        snapshot.stored = look_in_bucket(&draft, &session).await.map_err(of_layer)?;
        let mut plan = plan::plan_layer(layer, artifact, &snapshot, today);
        if before.iter().any(|other| other.known().is_meant(name, &layer.target, &plan.region)) {
            let message = format!("another block of this run publishes `{name}` too");
            let help = "give one of them another name, or leave one out";
            plan.problems.push(Problem::new(message).of("layer").help(help));
        }
        self.weigh_layer(entry, &plan.problems)?;
        self.tell(&Event::Planned(plan.clone()));
        Ok(PlannedLayer { entry, artifact, session, newest: snapshot.newest, only_plans: self.only_plans(entry), plan })
    }

    fn weigh_layer(&self, entry: &Entry<LayerDeployment>, problems: &[Problem]) -> Result<(), Error> {
        let LayerDeployment { name, code, .. } = &entry.deployment;
        self.weigh(name, code, &entry.places, problems).map_err(of_layer)
    }

    /// Publishes layers that have changed, and records the version of each layer in `of_run`.
    pub(super) async fn publish_layers(
        &self,
        planned: Vec<PlannedLayer<'_>>,
        of_run: &mut [LayerOfRun],
        interrupt: &Interrupt,
    ) -> Result<(), Error> {
        for (planned, known) in planned.into_iter().zip(of_run) {
            let entry = planned.entry;
            if planned.only_plans {
                continue;
            }
            let result = match self.publish_layer(planned).await {
                Ok(arn) => {
                    known.version = Some(arn);
                    around::run_commands(self, &entry.commands, interrupt).await
                }
                Err(error) => Err(error),
            };
            self.unless_allowed(entry, interrupt, result)?;
        }
        Ok(())
    }

    /// Applies the plan that was shown. Returns the ARN of the version to use.
    async fn publish_layer(&self, planned: PlannedLayer<'_>) -> Result<String, Error> {
        let PlannedLayer { artifact, mut session, newest, plan, .. } = planned;
        let begun = Host::now();
        session.restart_deadline();
        if plan.changes() {
            self.tell(&Event::Stage(Stage::Deploy));
        }
        let outcome = apply::apply(&plan, &mut session, &mut |event| self.tell_of_aws(event)).await;
        let stopped = |stopped| of_layer(Error::Apply { stopped, function: plan.function.clone() });
        let outcome = outcome.map_err(stopped)?;
        let arn = outcome.arn.or(newest.map(|newest| newest.arn)).unwrap_or_default();
        self.tell(&Event::LayerDeployed(LayerDeployed {
            layer: plan.function.clone(),
            region: plan.region.clone(),
            arn: arn.clone(),
            version: outcome.version.or(plan.published.clone()).unwrap_or_default(),
            code_sha256: artifact.code_sha256.clone(),
            package_size: artifact.archive.size(),
            plan,
            took: Host::now().saturating_sub(begun),
        }));
        Ok(arn)
    }

    /// Finds the version of each layer that a function names without one.
    pub(super) async fn known_layers(
        &self,
        entry: &Entry,
        of_run: &[LayerOfRun],
        connection: &Connection,
        session: &Session<'_>,
    ) -> Result<KnownLayers, Fault> {
        let mut known = KnownLayers::new();
        let (target, region) = (&entry.deployment.target, &connection.caller.region);
        for layer in entry.deployment.settings.layers.iter().flat_map(|layers| &layers.0) {
            let Some(LayerRef::Newest(name)) = LayerRef::of(layer) else { continue };
            // A layer that is only planned does not exist for a function that is deployed.
            let mut coming =
                of_run.iter().filter(|other| other.version.is_some() || !other.only_plans || self.only_plans(entry));
            let version = match coming.clone().find(|other| other.is_meant(name, target, region)) {
                Some(layer) => Some(layer.version.clone().unwrap_or_else(|| LayerRef::coming(&layer.name))),
                // The account may be unknown, so an ARN is compared by Region and name.
                None => session.newest_layer_arn(name).await?.or_else(|| {
                    let region = format!(":{region}:");
                    let own = |other: &&LayerOfRun| {
                        name.contains(&region) && name.ends_with(&format!(":layer:{}", other.name))
                    };
                    coming.find(own).map(|layer| LayerRef::coming(&layer.name))
                }),
            };
            known.insert(layer.clone(), version);
        }
        Ok(known)
    }
}

/// The published versions of the layers that the plan of a function waits for, by the name of the layer.
pub(super) fn published(plan: &Plan, entry: &Entry, of_run: &[LayerOfRun]) -> Result<BTreeMap<String, String>, Error> {
    let target = &entry.deployment.target;
    let meant = |name: &str| of_run.iter().find(|layer| layer.is_meant(name, target, &plan.region));
    // A layer that was named by its ARN may belong to another account.
    let named = |name: &str| meant(name).or_else(|| of_run.iter().find(|layer| layer.name == name));
    let version = |name: &str| {
        let version = named(name).and_then(|layer| layer.version.clone());
        version.map(|version| (name.to_owned(), version)).ok_or_else(|| {
            let message = format!("the layer `{name}` was not published");
            let help = "see the error above; the function was not changed";
            let problem = Problem::new(message).of("layers").about(name).help(help);
            Error::refused(&entry.deployment.function.name, [problem], &entry.places)
        })
    };
    plan.awaited_layers().into_iter().map(version).collect()
}
