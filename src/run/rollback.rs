//! Points the alias of a function at its previous version.

use super::Run;
use crate::aws::Session;
use crate::config::{DryRun, Subject};
use crate::error::{Error, ExitCode};
use crate::event::Event;
use crate::fault::{Fault, FaultKind};
use crate::place::Problem;
use crate::plan::Rollback;
use crate::remote::Published;

/// The number of versions that a help text lists.
const NAMED_VERSIONS: usize = 10;

impl Run<'_> {
    /// Moves the alias to its previous version, or to the version `to`.
    pub(super) async fn roll_back(&self, subject: &Subject, to: Option<&str>) -> Result<ExitCode, Error> {
        let Subject { function, alias, dry_run, access } = subject;
        let alias = alias.as_ref().ok_or_else(|| {
            let problem = Problem::new("no alias is set, so there is nothing to roll back").of("alias");
            Error::Configuration(vec![problem.help("name it with `--alias`, or set `alias` in the block")])
        })?;
        let login = self.connect_to_change(access, function).await?;
        let region = login.connection.region.clone();
        let mut session = self.session(&login, &function.written, None, access.wait_timeout);
        let refused = |fault| Error::rollback(fault, function, &alias.0);
        let found = session.alias(&alias.0).await.map_err(|fault| Error::read(fault, function))?;
        let Some(found) = found else {
            let names = session.alias_names().await.map_err(refused)?;
            let names = names.ok_or_else(|| Error::absent(function, &region))?;
            return Err(refused(no_alias(&alias.0, &names)));
        };
        let Some(rollback) = Rollback::of(&found, to) else {
            let versions = session.all_versions().await.map_err(refused)?;
            let message = format!("the alias has no record of the version before {}", found.version);
            return Err(refused(choose(message, &versions)));
        };
        if rollback.changes() {
            self.look_at_target(&session, &rollback).await.map_err(refused)?;
        }
        let function = function.name.clone();
        self.report(&Event::Rollback {
            function: function.clone(),
            region: region.clone(),
            rollback: rollback.clone(),
        });
        if *dry_run != DryRun::No || !rollback.changes() {
            return Ok(ExitCode::Success);
        }
        session.restart_deadline();
        session.move_back(&rollback).await.map_err(refused)?;
        self.report(&Event::RolledBack { function, region, rollback });
        Ok(ExitCode::Success)
    }

    /// Checks that the version exists and is ready, before the alias moves.
    async fn look_at_target(&self, session: &Session<'_>, rollback: &Rollback) -> Result<(), Fault> {
        if session.is_ready(&rollback.to).await? {
            return Ok(());
        }
        let versions = session.all_versions().await?;
        Err(choose(format!("there is no version {}", rollback.to), &versions))
    }
}

fn no_alias(alias: &str, names: &[String]) -> Fault {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let fault = Fault::new(FaultKind::Misconfigured, format!("there is no alias `{alias}`"));
    match &names[..] {
        [] => fault.help("a deployment with `alias` creates one"),
        names => fault.help(format!("the function has {}", names.join(", "))),
    }
}

/// An error that lists the existing versions.
fn choose(message: String, versions: &[Published]) -> Fault {
    let named: Vec<_> = versions.iter().take(NAMED_VERSIONS).map(|version| version.number.to_string()).collect();
    let more = versions.len().saturating_sub(NAMED_VERSIONS);
    let more = if more == 0 { String::new() } else { format!(" and {more} older") };
    let fault = Fault::new(FaultKind::Misconfigured, message);
    match &named[..] {
        [] => fault.help("the function has no published versions"),
        named => fault.help(format!("name one with `--to`; the versions are {}{more}", named.join(", "))),
    }
}
