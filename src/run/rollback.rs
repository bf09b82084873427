//! Undoes the last deployment of a function's alias, or points the alias at another version.

use super::Run;
use crate::aws::Session;
use crate::cli::Builds;
use crate::config::{DryRun, Subject};
use crate::error::{Error, ExitCode};
use crate::event::Event;
use crate::fault::{Fault, FaultKind};
use crate::place::Problem;
use crate::plan::{Nothing, Rollback};
use crate::remote::{Alias, Published};

/// The number of versions that a help text lists.
const NAMED_VERSIONS: usize = 10;

impl Run<'_> {
    /// Undoes the last deployment of the alias, or moves it to the version `to`. `build` is the build that runs; absent
    /// outside of a CI.
    pub(super) async fn roll_back(
        &self,
        subject: &Subject,
        to: Option<&str>,
        of: Builds,
        build: Option<&str>,
    ) -> Result<ExitCode, Error> {
        let Subject { function, alias, log_group: _, dry_run, access } = subject;
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
        let only = build.filter(|_| of == Builds::ThisOne);
        let rollback = match Rollback::of(&found, to, only, build) {
            Ok(rollback) if rollback.changes() => compared(&session, rollback).await.map_err(refused)?,
            Ok(rollback) => rollback,
            Err(nothing) => return Err(refused(nothing_to_undo(nothing, &found, &session).await.map_err(refused)?)),
        };
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
}

/// The rollback with what differs. Its version exists and is ready.
async fn compared(session: &Session<'_>, rollback: Rollback) -> Result<Rollback, Fault> {
    let message = format!("there is no version {}", rollback.to);
    if let Some(rollback) = session.compared(rollback).await? {
        return Ok(rollback);
    }
    Err(choose(message, &session.all_versions().await?))
}

/// The error of a rollback that has nothing to undo.
async fn nothing_to_undo(nothing: Nothing<'_>, alias: &Alias, session: &Session<'_>) -> Result<Fault, Fault> {
    let refused = |message| Fault::new(FaultKind::Misconfigured, message);
    Ok(match nothing {
        Nothing::NoRecord => {
            let message = format!("the alias has no record of the version before {}", alias.version);
            choose(message, &session.all_versions().await?)
        }
        Nothing::Done(version) => {
            refused(format!("version {version} is rolled back already, and nothing was deployed since then"))
                .help(format!("to make it live again, add `--to {version}`; or name an older version with `--to`"))
        }
        Nothing::OfAnother(before) => refused(format!(
            "this build did not move the alias: version {} was deployed by another build or outside of a CI",
            alias.version
        ))
        .help(format!("to undo that deployment, add `--any-build` or `--to {before}`")),
    })
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
