//! Deletes a function or one of its versions, and shows first what is deleted.

use super::Run;
use crate::aws;
use crate::config::{DryRun, Subject};
use crate::error::{Error, ExitCode};
use crate::event::{Effect, Event};
use crate::host::{Ci, Host};
use crate::place::Problem;
use crate::remote::Removal;
use crate::report::Format;

impl Run<'_> {
    /// Deletes the function, or only a version. A function or version that does not exist is a success.
    pub(super) async fn delete(&self, subject: &Subject, version: Option<&str>, yes: bool) -> Result<ExitCode, Error> {
        let Subject { function, dry_run, access, .. } = subject;
        let name = &function.name;
        let asks = !yes && *dry_run == DryRun::No;
        if asks && !self.is_attended() {
            let problem = Problem::new("cannot ask here whether to delete");
            return Err(Error::Usage(
                problem.help("pass `--yes` to delete without a question; `--dry_run` shows what would be deleted"),
            ));
        }
        let login = self.connect_to_change(access, function).await?;
        let region = login.connection.region.clone();
        let mut session = self.session(&login, &function.written, None, access.wait_timeout);
        let unread = |fault| Error::read(fault, function);
        let removed = |effect| {
            let (function, version) = (name.clone(), version.map(str::to_owned));
            Event::Removed { function, region: region.clone(), version, effect }
        };
        let status = session.status(name, &region).await.map_err(unread)?;
        let is_there = match version {
            Some(number) if status.is_some() => session.has_version(number).await.map_err(unread)?,
            _ => true,
        };
        let Some(status) = status.filter(|_| is_there) else {
            self.report(&removed(Effect::NothingToDo));
            return Ok(ExitCode::Success);
        };
        let mappings = match version {
            Some(_) => Ok(Vec::new()),
            None => session.mappings().await.map_err(unread)?,
        };
        let version_of = version.map(str::to_owned);
        let removal = Removal { function: name.clone(), region: region.clone(), version: version_of, status, mappings };
        if version.is_none() {
            self.warn_of_unknown(removal.unknown());
        }
        self.report(&Event::Removing(Box::new(removal.clone())));
        if let Some(number) = version {
            let holding = removal.held_by(number);
            if !holding.is_empty() {
                return Err(Error::delete(aws::held_by(number, &holding), function, version));
            }
        }
        if *dry_run != DryRun::No {
            return Ok(ExitCode::Success);
        }
        if asks {
            self.confirm(name, version).await?;
        }
        session.restart_deadline();
        session.delete(version, &removal.status).await.map_err(|fault| Error::delete(fault, function, version))?;
        self.report(&removed(Effect::Done));
        Ok(ExitCode::Success)
    }

    /// Whether the run can ask a question: at a terminal, not in a CI job, with text output.
    fn is_attended(&self) -> bool {
        let by_people = self.host.terminal && self.host.input_terminal && Ci::detect(self.host) == Ci::None;
        by_people && self.reporter.borrow().format() == Format::Text
    }

    /// Asks the user to type the name of the function, because the deletion is final.
    async fn confirm(&self, name: &str, version: Option<&str>) -> Result<(), Error> {
        let what = version.map_or_else(|| format!("`{name}`"), |number| format!("version {number} of `{name}`"));
        self.report(&Event::Question(format!("This cannot be undone. Type `{name}` to delete {what}:")));
        let typed = self.input("the answer", Host::line).await?;
        if typed.trim() == name {
            return Ok(());
        }
        Err(Error::Refused(format!("`{name}` was not typed, so nothing is deleted")))
    }
}
