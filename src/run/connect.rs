//! Connections to AWS: one for each identity and Region, which all blocks of the run share.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::once::Once;
use super::{Run, secrets};
use crate::aws::{self, Connection, Session};
use crate::cli::Task;
use crate::config::Access;
use crate::deployment::Target;
use crate::error::Error;
use crate::event::{Event, Stage};
use crate::fault::{Fault, FaultKind, Signal};
use crate::package::Artifact;
use crate::place::{Place, Problem};
use crate::reference::{Found, FunctionOutput};
use crate::remote::{FoundRole, Stored};
use crate::report;
use crate::settings::FunctionName;

/// A connection, with the values that were looked up through it.
pub(super) struct Login {
    /// The target of the block that logged in.
    target: Target,
    pub(super) connection: Connection,
    /// Logins with the same identity share them.
    pub(super) lookups: Rc<Lookups>,
}

/// Values that several blocks of a run need, so that each is looked up once.
#[derive(Default)]
pub(super) struct Lookups {
    /// The ARN of the newest version of a layer, by Region and by the layer's name or ARN; `None`: there is no layer.
    pub(super) layers: Once<(String, String), Option<String>>,
    /// Execution roles by their ARN.
    pub(super) roles: Once<String, FoundRole>,
    /// Objects in buckets, by address and expected owner.
    pub(super) objects: Once<(String, Option<String>), Stored>,
    /// Values of functions, by Region, function, qualifier and kind.
    pub(super) outputs: Once<(String, String, Option<String>, FunctionOutput), Found>,
}

impl Lookups {
    /// Forgets all values, because a deployment may have changed them.
    pub(super) fn clear(&self) {
        let Self { layers, roles, objects, outputs } = self;
        layers.clear();
        roles.clear();
        objects.clear();
        outputs.clear();
    }
}

impl Run<'_> {
    /// The connection for a target. Logs in if no earlier block of the run has done so with the same credentials.
    pub(super) async fn connect(&self, target: &Target, limit: Duration) -> Result<Rc<Login>, Fault> {
        let _others_wait = self.shared.login.lock().await;
        if let Some(login) = self.login(|known| known == target) {
            return Ok(login);
        }
        let (connection, lookups) = match self.login(|known| known.is_same_identity(target)) {
            Some(login) => {
                let connection = self.within(limit, "the Region", login.connection.elsewhere(target)).await?;
                (connection, Rc::clone(&login.lookups))
            }
            None => (self.log_in(target, limit).await?, Rc::default()),
        };
        secrets::keep_names_of(&connection.caller(), &self.console);
        let login = Rc::new(Login { target: target.clone(), connection, lookups });
        self.logins.borrow_mut().push(Rc::clone(&login));
        Ok(login)
    }

    /// The first login of the run whose target fits.
    fn login(&self, fits: impl Fn(&Target) -> bool) -> Option<Rc<Login>> {
        self.logins.borrow().iter().find(|login| fits(&login.target)).cloned()
    }

    async fn log_in(&self, target: &Target, limit: Duration) -> Result<Connection, Fault> {
        let has_stages = matches!(self.task, Task::Deploy | Task::Plan { .. });
        if has_stages {
            self.report(&Event::Stage(Stage::Login));
        }
        let connection = aws::connect(target, secrets::hiding(&self.console));
        let connection = self.within(limit, "credentials", connection).await?;
        let is_known = |login: &Rc<Login>| login.connection.access_key_id == connection.access_key_id;
        if !self.logins.borrow().iter().any(is_known) {
            self.report(&Event::Identity(report::mask(&connection.access_key_id)));
        }
        if has_stages {
            self.report(&Event::Stage(Stage::Setup));
            self.report(&Event::StageDone);
        }
        Ok(connection)
    }

    /// Looks up the account of the credentials, if no earlier block has.
    pub(super) async fn identify(&self, login: &Login, limit: Duration) -> Result<(), Fault> {
        self.within(limit, "`sts:GetCallerIdentity`", login.connection.identify()).await?;
        let caller = login.connection.caller();
        secrets::keep_names_of(&caller, &self.console);
        self.report(&Event::Account(caller));
        Ok(())
    }

    /// Connects for a verb that changes a function outside of a deployment. Refuses any account but the expected one.
    pub(super) async fn connect_to_change(&self, access: &Access, function: &FunctionName) -> Result<Rc<Login>, Error> {
        let unread = |fault| Error::read(fault, function);
        let login = self.connect(&access.target, access.wait_timeout).await.map_err(unread)?;
        let place = access.places.of("expect_account");
        self.expect_account(&login, &access.target, access.wait_timeout, place, unread).await?;
        Ok(login)
    }

    /// Refuses any account but the expected one. `place` is that of `expect_account`.
    pub(super) async fn expect_account(
        &self,
        login: &Login,
        target: &Target,
        limit: Duration,
        place: Option<&Place>,
        unread: impl Fn(Fault) -> Error,
    ) -> Result<(), Error> {
        let Some(expected) = &target.expect_account else { return Ok(()) };
        self.identify(login, limit).await.map_err(unread)?;
        let account = login.connection.caller().account.unwrap_or_default();
        if account == *expected {
            return Ok(());
        }
        let problem = Problem::new(format!("the credentials belong to account {account}, not to {expected}"));
        let problem = problem.of("expect_account").help("use credentials of the expected account");
        Err(Error::Configuration(vec![Problem { place: place.cloned(), ..problem }]))
    }

    /// A session for a function as the user wrote it, or for a layer. Without `artifact`, it sends no package.
    pub(super) fn session<'s>(
        &'s self,
        login: &Login,
        name: &str,
        artifact: Option<Arc<Artifact>>,
        wait_timeout: Duration,
    ) -> Session<'s> {
        let report = |event| self.report(&event);
        Session::new(&login.connection, name, artifact, wait_timeout, self.interrupt.clone(), report)
    }

    /// Awaits a call before there is a session, and reports a long wait for `what`. The limit and a signal end it.
    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        what: &str,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let report = |event| self.report(&event);
        tokio::select! {
            result = tokio::time::timeout(limit, aws::patiently(what, &report, call)) => result.unwrap_or_else(|_| {
                let message = format!("gave up after {} s waiting for {what}", limit.as_secs());
                Err(Fault::new(FaultKind::TimedOut, message))
            }),
            signal = Signal::sent(&self.interrupt) => {
                Err(Fault::new(FaultKind::Interrupted(signal), format!("interrupted by {}", signal.name())))
            }
        }
    }
}
