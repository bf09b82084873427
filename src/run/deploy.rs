//! The verbs `deploy` and `plan`: build, plan and show everything, then apply each plan.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::Run;
use super::build::Built;
use super::lanes::blocks;
use super::layers::{RunLayer, RunLayers};
use super::order::{Order, Turn};
use super::outputs::{Arena, Renewed, kept_url};
use super::plan::{Found, Planned};
use super::prove::Performer;
use crate::apply::{self, Back, Outcome};
use crate::aws::Session;
use crate::cli::Task;
use crate::config::{AfterFailure, DryRun, Entry};
use crate::deployment::Deployment;
use crate::error::{Error, ExitCode};
use crate::event::{Deployed, DeployedCode, Event, LayerDeployed, Stage};
use crate::fault::Fault;
use crate::host::Host;
use crate::package::{self, Artifact, Package};
use crate::place::Problem;
use crate::plan::{Part, Plan, Subject, Through};
use crate::remote::{LayerVersion, Live, Remote};
use crate::settings::without_version;
use crate::verb::May;

/// The number of folders of a package that a report shows.
const SHOWN_FOLDERS: usize = 5;

/// Whether a block of a function was applied.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Turns {
    #[default]
    First,
    Later,
}

impl Run<'_> {
    /// Deploys all blocks. With `cleanup`, stashes uncommitted files first and restores them afterwards.
    pub(super) async fn deploy(&self, entries: &[Entry]) -> Result<ExitCode, Error> {
        self.report(&blocks(entries));
        let (plans, deploys): (Vec<_>, Vec<_>) =
            entries.iter().filter(|entry| entry.cleanup).partition(|entry| self.only_plans(entry));
        if !plans.is_empty() {
            let message = "a plan does not stash files, so its package may have files that a deploy leaves out";
            self.report(&Event::Warning(Problem::new(message).of("cleanup")));
        }
        if deploys.is_empty() {
            return self.deploy_all(entries).await;
        }
        let stashed = self.stash().await?;
        let result = self.deploy_all(entries).await;
        if stashed {
            self.unstash().await;
        }
        result
    }

    /// Builds and plans all, then applies each plan. Nothing is written before everything has been checked.
    async fn deploy_all(&self, entries: &[Entry]) -> Result<ExitCode, Error> {
        let built = self.side_by_side(entries.iter().map(|entry| (entry, self.build(entry)))).await;
        let mut layers = RunLayers::default();
        let (of_layers, of_functions): (Vec<_>, Vec<_>) =
            built.iter().partition(|built| built.entry.item.layer().is_some());
        let again = Arena::default();
        let renewed = Renewed::new(&again);
        let mut planned = Vec::new();
        for built in of_layers {
            let of_layer = self.side_by_side([(built.entry, Box::pin(self.plan(built, &layers)))]).await;
            layers.extend(of_layer.first().and_then(|planned| self.layer_of(planned)));
            planned.extend(of_layer);
        }
        self.work.set(Some("planned"));
        let order = Order::of(entries, of_functions.iter().map(|built| built.entry));
        let functions = of_functions.into_iter().map(|built| {
            let turn = order.turn(built.entry);
            (built.entry, Box::pin(self.plan_in_turn(built, &layers, turn, &renewed)))
        });
        planned.extend(self.side_by_side(functions).await.into_iter().flatten());
        let changes = planned.iter().any(|planned| planned.plan.changes());
        self.work.set(Some("done"));
        if self.may_begin() {
            let order = Order::of(entries, planned.iter().map(|planned| planned.built.entry));
            self.apply_all(planned, &layers, &order, &renewed).await;
        } else {
            let entries = planned.iter().map(|planned| planned.built.entry);
            self.leave_planned(entries.filter(|entry| !self.only_plans(entry)));
        }
        self.warn_of_left();
        let is_asked = self.task == (Task::Plan { exit_code: true });
        Ok(self.code(if changes && is_asked { ExitCode::Changes } else { ExitCode::Success }))
    }

    /// Applies all plans, those of layers first. Several of one function are applied one after another, and each after
    /// those that it comes after.
    async fn apply_all(&self, planned: Vec<Planned<'_>>, layers: &RunLayers, order: &Order, renewed: &Renewed<'_>) {
        let mut turns: BTreeMap<_, Rc<Mutex<Turns>>> = BTreeMap::new();
        let keys = shared_keys(&planned);
        let deploy = async |planned, in_order: Turn<'_>, turn: Rc<Mutex<Turns>>| {
            let planned: Planned<'_> = planned;
            let may_come = self.only_plans(planned.built.entry) || in_order.come().await;
            let mut turn = turn.lock().await;
            if !(may_come && self.may_begin()) {
                self.leave(planned.built.entry);
                return Ok(None);
            }
            let is_first =
                self.only_plans(planned.built.entry) || std::mem::replace(&mut *turn, Turns::Later) == Turns::First;
            let key = planned.plan.object().and_then(|object| keys.get(&object.url()));
            let _others_wait = match key {
                Some(key) => Some(key.lock().await),
                None => None,
            };
            let waiting = self.deploy_one(planned, is_first, layers, renewed).await?;
            in_order.end();
            Ok(waiting)
        };
        let (of_layers, of_functions): (Vec<_>, Vec<_>) =
            planned.into_iter().partition(|planned| planned.plan.subject == Subject::Layer);
        for planned in of_layers {
            let in_order = order.turn(planned.built.entry);
            self.side_by_side([(planned.built.entry, Box::pin(deploy(planned, in_order, Rc::default())))]).await;
        }
        let functions = of_functions.into_iter().map(|planned| {
            let turn = turns.entry((planned.plan.region.clone(), planned.plan.name.clone())).or_default();
            let in_order = order.turn(planned.built.entry);
            (planned.built.entry, Box::pin(deploy(planned, in_order, Rc::clone(turn))))
        });
        let waiting = self.side_by_side(functions).await;
        self.move_together(waiting.into_iter().flatten().collect(), layers, order).await;
    }

    /// Applies a plan and runs the commands of its block. Returns a function that waits for the others before it gets
    /// traffic. Only rehearses a plan that is only to be shown.
    async fn deploy_one<'s>(
        &'s self,
        planned: Planned<'s>,
        is_first: bool,
        layers: &RunLayers,
        renewed: &'s Renewed<'_>,
    ) -> Result<Option<Applying<'s>>, Error> {
        let entry = planned.built.entry;
        if self.only_plans(entry) {
            return self.rehearse(&planned).await.map(|()| None);
        }
        let planned = Box::pin(self.current(planned, is_first, layers, renewed)).await?;
        let Planned { built: Built { entry, .. }, mut session, found, plan } = planned;
        session.know_layers(layers.awaited(&plan, entry)?);
        session.restart_deadline();
        let performer = Performer::new(self, &plan, entry.item.wait_timeout(), session);
        let mut applying =
            Applying { entry, found, plan, performer, outcome: Outcome::default(), took: Duration::ZERO };
        if self.after_failure == AfterFailure::GoBack && applying.plan.subject == Subject::Function {
            self.prepare(&mut applying, layers).await?;
            return Ok(Some(applying));
        }
        self.advance(&mut applying, Part::All).await?;
        self.verify(&mut applying).await?;
        self.report_deployed(&applying, layers);
        match self.run_commands(&applying.entry.commands).await {
            Ok(()) => Ok(None),
            Err(cause) => Err(undone(cause, &mut applying).await),
        }
    }

    /// Does the steps of a plan up to the end of a part.
    pub(super) async fn advance(&self, applying: &mut Applying<'_>, part: Part) -> Result<(), Error> {
        let Applying { entry, plan, performer, outcome, took, .. } = applying;
        let (begun, end) = (Host::now(), plan.end_of(part));
        // The time that other functions took does not count.
        performer.session.extend_deadline();
        if outcome.done.len() < end {
            self.report(&Event::Stage(Stage::Deploy));
        }
        let applied = apply::apply(plan, end, outcome, performer, &mut |event| self.report_of_aws(event)).await;
        *took += Host::now().saturating_sub(begun);
        applied.map_err(|stopped| Error::Apply { stopped, about: (&entry.item).into() })
    }

    /// Waits until AWS has finished, and checks that what is live is what this run deployed.
    pub(super) async fn verify(&self, applying: &mut Applying<'_>) -> Result<(), Error> {
        let Applying { entry, found, plan, performer, outcome, took } = applying;
        let begun = Host::now();
        let session = &mut performer.session;
        session.finish_move().await.map_err(|fault| Error::read(fault, &entry.item))?;
        if let (true, Found::Function { deployment, package, .. }) = (plan.changes(), &*found) {
            let confirmed = session.confirm(plan, deployment, package).await;
            confirmed.map_err(|fault| contested(fault, outcome, entry))?;
        }
        *took += Host::now().saturating_sub(begun);
        Ok(())
    }

    /// Checks that the alias is still as this run left it.
    pub(super) async fn verify_alias(&self, applying: &Applying<'_>) -> Result<(), Error> {
        let Applying { entry, performer, outcome, .. } = applying;
        performer.session.confirm_alias().await.map_err(|fault| contested(fault, outcome, entry))
    }

    /// Reports a function or layer that is up to date.
    pub(super) fn report_deployed(&self, applying: &Applying<'_>, layers: &RunLayers) {
        let Applying { entry, found, plan, performer, outcome, took } = applying;
        let (plan, outcome) = (plan.clone(), outcome.clone());
        self.report(&match found {
            Found::Function { deployment, package, remote } => {
                let code = deployed_code(package, remote, &performer.session);
                let deployed = deployed(deployment, code, remote, plan, outcome, *took);
                self.outputs.know(entry, &deployed);
                Event::Deployed(deployed)
            }
            Found::Layer { artifact, newest } => {
                let layer = layer_deployed(artifact, newest.as_ref(), plan, outcome, *took);
                layers.publish(&layer.layer, entry.item.target(), &layer.region, &layer.arn);
                Event::LayerDeployed(layer)
            }
        });
    }

    /// Whether the run only shows the plan of a block.
    pub(super) fn only_plans(&self, entry: &Entry) -> bool {
        self.task.verb().row().may == May::OnlyRead || entry.dry_run != DryRun::No
    }

    /// The facts about a planned layer for the functions of the run; `None` for a function.
    fn layer_of(&self, planned: &Planned<'_>) -> Option<RunLayer> {
        let Found::Layer { newest, .. } = &planned.found else { return None };
        let (entry, plan) = (planned.built.entry, &planned.plan);
        let arn = newest.as_ref().map(|newest| newest.arn.clone());
        Some(RunLayer {
            name: plan.name.clone(),
            region: plan.region.clone(),
            target: entry.item.target().clone(),
            arn: arn.as_deref().map(|arn| without_version(arn).to_owned()),
            version: RefCell::new(arn.filter(|_| !plan.changes())),
            only_plans: self.only_plans(entry),
        })
    }

    /// Checks the code update with AWS' own dry run, if the user wants it.
    async fn rehearse(&self, planned: &Planned<'_>) -> Result<(), Error> {
        let Planned { built: Built { entry, .. }, session, found, plan } = planned;
        if let (DryRun::Aws, Some(code), Found::Function { remote: Remote::Present(_), .. }) =
            (entry.dry_run, plan.replacement(), found)
        {
            if matches!(code.through, Through::Upload(_)) {
                let message =
                    "AWS' own dry run is skipped: the package is not in the bucket, and a plan does not upload it";
                self.report(&Event::Warning(Problem::new(message).of("dry_run")));
                return Ok(());
            }
            session.rehearse(code).await.map_err(|fault| Error::rehearsal(fault, &entry.item))?;
            self.report(&Event::Rehearsed);
        }
        Ok(())
    }
}

/// A function or layer whose plan is being applied.
pub(super) struct Applying<'s> {
    pub(super) entry: &'s Entry,
    pub(super) found: Found<'s>,
    pub(super) plan: Plan,
    pub(super) performer: Performer<'s>,
    /// The results of the steps so far.
    pub(super) outcome: Outcome,
    /// The time of these steps.
    took: Duration,
}

/// The error of a deployment that is not live as this run left it, or not known to be.
fn contested(fault: Fault, outcome: &Outcome, entry: &Entry) -> Error {
    let done = outcome.done.iter().map(|(subject, _)| *subject).collect();
    Error::Contested { fault, done, about: (&entry.item).into() }
}

/// The error of a failure after the steps of a plan. The traffic of the alias goes back, if the plan says so.
pub(super) async fn undone(cause: Error, applying: &mut Applying<'_>) -> Error {
    let Some(back) = Back::take(&mut applying.performer, &applying.plan).await else { return cause };
    Error::Undone { cause: Box::new(cause), back: Box::new(back), about: (&applying.entry.item).into() }
}

/// The addresses to which several packages are sent. Each must stay there until AWS has taken it.
fn shared_keys(planned: &[Planned<'_>]) -> BTreeMap<String, Mutex<()>> {
    let mut sent: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for object in planned.iter().filter_map(|planned| planned.plan.object()) {
        sent.entry(object.url()).or_default().insert(&object.code_sha256);
    }
    let shared = sent.into_iter().filter(|(_, packages)| packages.len() > 1);
    shared.map(|(url, _)| (url, Mutex::default())).collect()
}

/// The result for a function.
fn deployed(
    deployment: &Deployment,
    code: DeployedCode,
    before: &Remote,
    plan: Plan,
    outcome: Outcome,
    took: Duration,
) -> Deployed {
    let (known_arn, version_before, url) = match before {
        Remote::Absent => (None, None, None),
        Remote::Present(live) => {
            let url = kept_url(live, &plan);
            (Some(live.arn.clone()), live.newest_version.as_ref().map(|version| version.number.clone()), url)
        }
    };
    Deployed {
        function: plan.name.clone(),
        region: plan.region.clone(),
        arn: outcome.arn.or(known_arn).unwrap_or_default(),
        version: outcome.version.or(plan.published.clone()),
        alias: deployment.release.alias.as_ref().map(|alias| alias.0.clone()),
        url: outcome.url.or(url),
        kept: outcome.kept,
        code,
        plan,
        took,
        steps: outcome.done,
        version_before,
    }
}

/// The code of a deployed function. For an image whose digest was unknown, AWS has reported it by now.
fn deployed_code(package: &Package, before: &Remote, session: &Session<'_>) -> DeployedCode {
    match package {
        Package::Archive(artifact) => DeployedCode::Archive {
            code_sha256: artifact.code_sha256.clone(),
            size: artifact.archive.size(),
            unpacked: package::unpacked(&artifact.entries),
            largest_folders: package::largest_folders(&artifact.entries, SHOWN_FOLDERS),
        },
        Package::Image(image) => {
            let live = session.image().filter(|_| image.digest.is_none());
            DeployedCode::Image { address: live.map_or_else(|| image.address(), str::to_owned) }
        }
        Package::Live(_) => match before.live() {
            Some(Live { image: Some(address), .. }) => DeployedCode::Image { address: address.clone() },
            live => DeployedCode::Kept { code_sha256: live.map(|live| live.code_sha256.clone()).unwrap_or_default() },
        },
    }
}

/// The result for a layer.
fn layer_deployed(
    artifact: &Artifact,
    before: Option<&LayerVersion>,
    plan: Plan,
    outcome: Outcome,
    took: Duration,
) -> LayerDeployed {
    LayerDeployed {
        layer: plan.name.clone(),
        region: plan.region.clone(),
        arn: outcome.arn.or(before.map(|before| before.arn.clone())).unwrap_or_default(),
        version: outcome.version.or(plan.published.clone()).unwrap_or_default(),
        code_sha256: artifact.code_sha256.clone(),
        package_size: artifact.archive.size(),
        plan,
        took,
    }
}
