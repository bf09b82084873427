//! Plans the function or layer of a block: reads its live state, and shows the plan. Writes nothing.

use std::sync::Arc;
use std::time::Duration;

use super::Run;
use super::build::Built;
use super::connect::Login;
use super::layers::{RunLayer, RunLayers};
use crate::aws::Session;
use crate::config::Entry;
use crate::deployment::{Code, CodeSource, Deployment, Item, LayerDeployment, MissingRole};
use crate::error::Error;
use crate::event::Event;
use crate::fault::Fault;
use crate::host::Host;
use crate::package::inspect::day_of;
use crate::package::{Artifact, Package};
use crate::place::{Places, Problem};
use crate::plan::{self, Plan};
use crate::remote::{Failure, FoundRole, KnownLayers, LayerSnapshot, LayerVersion, Live, Remote, Snapshot, Stored};
use crate::settings::{LayerRef, Layers, Role};

/// How long a comment waits for the number of the account, which tells it from that of another account.
const TO_NAME_ACCOUNT: Duration = Duration::from_secs(10);

/// A function or layer with its plan, ready to be deployed.
pub(super) struct Planned<'a> {
    pub(super) built: &'a Built<'a>,
    pub(super) session: Session<'a>,
    pub(super) found: Found<'a>,
    pub(super) plan: Plan,
}

/// The live state before the run, beside the package that may replace it.
pub(super) enum Found<'a> {
    Function { deployment: &'a Deployment, package: Package, remote: Remote },
    Layer { artifact: Arc<Artifact>, newest: Option<LayerVersion> },
}

impl Run<'_> {
    /// Reads the live state, plans, and shows the plan.
    pub(super) async fn plan<'s>(&'s self, built: &'s Built<'_>, layers: &RunLayers) -> Result<Planned<'s>, Error> {
        let entry = built.entry;
        let (item, limit) = (&entry.item, entry.item.wait_timeout());
        let unread = |fault| Error::read(fault, item);
        let login = self.connect(item.target(), limit).await.map_err(unread)?;
        if item.target().expect_account.is_some() {
            self.identify(&login, limit).await.map_err(unread)?;
        } else if self.comments
            && let Err(fault) = self.identify(&login, limit.min(TO_NAME_ACCOUNT)).await
        {
            tracing::debug!("the comment does not know its account: {}", fault.message);
        }
        let name = item.function().map_or_else(|| item.name(), |deployment| &deployment.function.written);
        let mut session = self.session(&login, name, None, limit);
        let (found, plan) = match item {
            Item::Function(deployment) => self.plan_function(deployment, built, layers, &login, &mut session).await?,
            Item::Layer(layer) => self.plan_layer(layer, built, layers, &login, &mut session).await?,
        };
        self.report_problems(entry, &plan.problems)?;
        self.report(&Event::Planned(plan.clone()));
        Ok(Planned { built, session, found, plan })
    }

    /// Plans once more, after an earlier block has changed the same function.
    pub(super) async fn plan_again<'s>(
        &'s self,
        built: &'s Built<'_>,
        layers: &RunLayers,
    ) -> Result<Planned<'s>, Error> {
        self.logins.borrow().iter().for_each(|login| login.lookups.clear());
        self.plan(built, layers).await
    }

    async fn plan_function<'s>(
        &self,
        deployment: &'s Deployment,
        built: &Built<'_>,
        layers: &RunLayers,
        login: &Login,
        session: &mut Session<'_>,
    ) -> Result<(Found<'s>, Plan), Error> {
        let entry = built.entry;
        let unread = |fault| Error::read(fault, &entry.item);
        let mut remote = session.read(deployment).await.map_err(unread)?;
        match &mut remote {
            Remote::Present(live) => {
                // It may quote values of the environment.
                if let Some(reason) = live.failure.as_mut().map(Failure::reason) {
                    *reason = self.console.redact_foreign(reason);
                }
                self.warn_of_unread(deployment, live);
            }
            Remote::Absent if names_role(deployment) => {
                self.identify(login, deployment.wait_timeout).await.map_err(unread)?;
            }
            Remote::Absent => {}
        }
        let live = remote.live().and_then(|live| live.settings.layers.as_ref());
        let known = self.known_layers(deployment, live, self.only_plans(entry), layers, login, session);
        let known = known.await.map_err(unread)?;
        let caller = login.connection.caller();
        let mut snapshot = Snapshot { function: remote, caller, layers: known, stored: None, role: None };
        let today = day_of(Host::now());
        if let (true, Remote::Present(live)) = (built.may_be_live(), &mut snapshot.function) {
            live.files = session.live_files().await;
        }
        let live = snapshot.function.live();
        let live = live.and_then(|live| Some((live.files.as_ref()?, live.code_sha256.as_str())));
        let mut package = self.package_beside(live, built).await?;
        let mut draft = plan::plan(deployment, &package, &snapshot, today);
        if draft.replacement().is_some() && !package.is_packed() {
            package = self.package_beside(None, built).await?;
            draft = plan::plan(deployment, &package, &snapshot, today);
        }
        if let Package::Archive(artifact) = &package {
            session.carry(Arc::clone(artifact));
        }
        snapshot.stored = find_object(&draft, entry, login, session).await?;
        snapshot.role = find_role(&draft, entry, login, session).await?;
        if let (Some(_), Remote::Present(live)) = (draft.replacement(), &mut snapshot.function)
            && live.files.is_none()
        {
            live.files = session.live_files().await;
        }
        let plan = plan::plan(deployment, &package, &snapshot, today);
        Ok((Found::Function { deployment, package, remote: snapshot.function }, plan))
    }

    async fn plan_layer(
        &self,
        layer: &LayerDeployment,
        built: &Built<'_>,
        layers: &RunLayers,
        login: &Login,
        session: &mut Session<'_>,
    ) -> Result<(Found<'static>, Plan), Error> {
        let entry = built.entry;
        let caller = login.connection.caller();
        if layers.find(&layer.name, &layer.target, &caller.region).is_some() {
            let message = format!("another block of this run publishes `{}` too", layer.name);
            let help = "give one of them another name, or leave one out";
            let problem = Problem::new(message).of("layer").help(help);
            return Err(Error::refused(&entry.item, [problem], &entry.places));
        }
        let newest = session.newest_layer().await.map_err(|fault| Error::read(fault, &entry.item))?;
        let mut files = if built.may_be_live() && newest.is_some() { session.live_files().await } else { None };
        let live = newest.as_ref().and_then(|newest| Some((files.as_ref()?, newest.code_sha256.as_str())));
        let mut artifact = self.contents_beside(live, built).await?;
        let mut snapshot = LayerSnapshot { newest, caller, stored: None, files: None };
        let today = day_of(Host::now());
        let mut draft = plan::plan_layer(layer, &artifact, &snapshot, today);
        if draft.changes() && !artifact.archive.is_packed() {
            artifact = self.contents_beside(None, built).await?;
            draft = plan::plan_layer(layer, &artifact, &snapshot, today);
        }
        session.carry(Arc::clone(&artifact));
        snapshot.stored = find_object(&draft, entry, login, session).await?;
        if draft.changes() && snapshot.newest.is_some() && files.is_none() {
            files = session.live_files().await;
        }
        snapshot.files = files;
        let plan = plan::plan_layer(layer, &artifact, &snapshot, today);
        Ok((Found::Layer { artifact, newest: snapshot.newest }, plan))
    }

    /// Finds the version of each layer that a function names without one, and the versions that do not exist. Those of
    /// the live function exist.
    async fn known_layers(
        &self,
        deployment: &Deployment,
        live: Option<&Layers>,
        only_plans: bool,
        layers: &RunLayers,
        login: &Login,
        session: &Session<'_>,
    ) -> Result<KnownLayers, Fault> {
        let mut known = KnownLayers::new();
        let region = &login.connection.region;
        for layer in deployment.settings.layers.iter().flat_map(|layers| &layers.0) {
            let name = match layer {
                LayerRef::Newest(name) => name,
                LayerRef::Version(arn) if live.is_none_or(|live| !live.0.contains(layer)) => {
                    let exists = has_layer_version(arn, login, session).await?;
                    known.extend((!exists).then(|| (layer.clone(), None)));
                    continue;
                }
                LayerRef::Version(_) | LayerRef::Coming(_) => continue,
            };
            let of_run = layers.find(name, &deployment.target, region).filter(|known| known.is_usable(only_plans));
            let version = match of_run {
                Some(of_run) => Some(of_run.version()),
                None => newest_layer_arn(name, login, session).await?.map(LayerRef::Version).or_else(|| {
                    let new = layers.find_new(name, region).filter(|known| known.is_usable(only_plans));
                    new.map(RunLayer::version)
                }),
            };
            known.insert(layer.clone(), version);
        }
        Ok(known)
    }

    /// Reports the warnings about a function or layer, and returns its errors. Adds place and file to each problem.
    pub(super) fn report_problems(&self, entry: &Entry, problems: &[Problem]) -> Result<(), Error> {
        let Entry { item, places, .. } = entry;
        let (errors, warnings): (Vec<_>, Vec<_>) = problems.iter().cloned().partition(Problem::stops);
        for warning in warnings {
            self.report(&Event::Warning(self.located(warning, item.code(), places)));
        }
        if errors.is_empty() {
            return Ok(());
        }
        let errors = errors.into_iter().map(|error| self.located(error, item.code(), places));
        Err(Error::refused(item, errors, places))
    }

    /// A problem with its place, and with the local file in the place of an entry of the package.
    fn located(&self, problem: Problem, code: &Code, places: &Places) -> Problem {
        let file = problem.file.as_deref().and_then(|entry| self.file_of(code, entry));
        places.locate(Problem { file, ..problem })
    }

    /// The local file of an entry in the package: the file in the folder, or else the archive or the single file.
    fn file_of(&self, code: &Code, entry: &str) -> Option<String> {
        let CodeSource::Path(source) = &code.source else { return None };
        let inside = entry.strip_prefix(&code.rules.into).unwrap_or(entry).trim_start_matches('/');
        let mut candidates = [source.clone(), source.join(inside)].into_iter();
        let file = candidates.find(|path| self.host.directory.join(path).is_file())?;
        Some(file.to_string_lossy().into_owned())
    }

    /// Warns about values that could not be read; about tags only if the deployment manages them.
    fn warn_of_unread(&self, deployment: &Deployment, live: &Live) {
        let tags = live.tags_unread.as_slice().iter().filter(|_| deployment.tags.is_some());
        self.warn_of_unknown(live.warnings.iter().chain(tags));
    }
}

/// Whether a new function needs the account, for the ARN of its role.
fn names_role(deployment: &Deployment) -> bool {
    match deployment.settings.role {
        Some(Role::Name(_)) => true,
        Some(Role::Arn(_)) => false,
        None => deployment.missing_role == MissingRole::Create,
    }
}

/// The ARN of the newest version of a layer, looked up once a run; `None` if there is none.
async fn newest_layer_arn(layer: &str, login: &Login, session: &Session<'_>) -> Result<Option<String>, Fault> {
    let key = (login.connection.region.clone(), layer.to_owned());
    login.lookups.layers.get_or(key, session.newest_layer_arn(layer)).await
}

/// Whether a layer version exists, looked up once a run.
async fn has_layer_version(arn: &str, login: &Login, session: &Session<'_>) -> Result<bool, Fault> {
    let key = (login.connection.region.clone(), arn.to_owned());
    let look = async { Ok(session.has_layer_version(arn).await?.then(|| arn.to_owned())) };
    login.lookups.layers.get_or(key, look).await.map(|found| found.is_some())
}

/// Looks up the object that the draft of a plan uploads, once a run; `None` if it uploads nothing.
async fn find_object(
    draft: &Plan,
    entry: &Entry,
    login: &Login,
    session: &Session<'_>,
) -> Result<Option<Stored>, Error> {
    let Some(object) = draft.object().filter(|_| !draft.is_refused()) else { return Ok(None) };
    let key = (object.url(), object.expected_owner.clone());
    let stored = login.lookups.objects.get_or(key, session.find(object)).await;
    stored.map(Some).map_err(|fault| Error::look(fault, &entry.item, &object.url()))
}

/// Looks up the role that the draft of a plan creates, once a run; `None` if it creates none.
async fn find_role(
    draft: &Plan,
    entry: &Entry,
    login: &Login,
    session: &Session<'_>,
) -> Result<Option<FoundRole>, Error> {
    let Some(role) = draft.role().filter(|_| !draft.is_refused()) else { return Ok(None) };
    let found = login.lookups.roles.get_or(role.arn.clone(), session.find_role(role)).await;
    found.map(Some).map_err(|fault| Error::role(fault, &entry.item, &role.name))
}
