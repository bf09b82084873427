//! The verbs that only read AWS, and what all verbs on live functions share.

use std::collections::BTreeSet;
use std::io;

use super::{Interrupt, Run, before_deadline, secrets};
use crate::aws::{self, Connection, Session};
use crate::config::{Loaded, Reach, Subject, imported};
use crate::error::{Error, ExitCode};
use crate::event::{Answer, Event};
use crate::fault::{Fault, Signal};
use crate::place::Problem;
use crate::report;

impl Run<'_> {
    /// Shows the status of each function. After an error it goes on with the next function.
    pub(super) async fn status(&self, subjects: &[Subject], interrupt: &Interrupt) -> Result<ExitCode, Error> {
        let mut code = ExitCode::Success;
        for subject in subjects {
            match self.status_of(subject, interrupt).await {
                Err(error) if interrupt.borrow().is_none() => code = self.fail(&error),
                shown => shown?,
            }
        }
        Ok(code)
    }

    async fn status_of(&self, subject: &Subject, interrupt: &Interrupt) -> Result<(), Error> {
        let Subject { function, reach, .. } = subject;
        let name = &function.name;
        let tell = |event| self.tell(&event);
        let connection = self.connect(reach, interrupt).await.map_err(|fault| Error::read(fault, name))?;
        let region = &connection.caller.region;
        let session = session(&connection, &function.written, reach, interrupt, &tell);
        let status = session.status(name, region).await.map_err(|fault| Error::read(fault, name))?;
        let mut status = status.ok_or_else(|| Error::absent(name, region))?;
        status.reasons().for_each(|reason| *reason = self.console.redact_foreign(reason));
        self.warn_of_unknown(&status.unknown());
        self.tell(&Event::Status(Box::new(status)));
        Ok(())
    }

    /// Shows the block that describes a function.
    pub(super) async fn init(&self, subject: &Subject, interrupt: &Interrupt) -> Result<ExitCode, Error> {
        let Subject { function, alias, reach, .. } = subject;
        let name = &function.name;
        let tell = |event| self.tell(&event);
        let unread = |fault| Error::read(fault, name);
        let connection = self.connect(reach, interrupt).await.map_err(unread)?;
        let region = &connection.caller.region;
        let mut session = session(&connection, &function.written, reach, interrupt, &tell);
        let found = session.read_everything(alias.as_ref()).await.map_err(unread)?;
        let (live, defaults) = found.ok_or_else(|| Error::absent(name, region))?;
        self.warn_of_unknown(&live.warnings);
        if live.alias.is_none() && !live.aliases.is_empty() {
            let names: Vec<_> = live.aliases.iter().map(|alias| alias.name.as_str()).collect();
            let told =
                format!("settings of aliases are left out; choose an alias with `--alias`: {}", names.join(", "));
            self.tell(&Event::Warning(Problem::new(told).of("alias")));
        }
        let rendered = imported(function, region, &live, &defaults);
        let code = if live.image.is_none() { "# zip: where the code is\n" } else { "" };
        let text = rendered.yaml() + code;
        self.tell(&Event::Answer(Answer { name: "configuration", text, json: rendered.json() }));
        Ok(ExitCode::Success)
    }

    /// Shows the functions of each Region, as each identity sees it.
    pub(super) async fn list(&self, regions: &[Reach], interrupt: &Interrupt) -> Result<ExitCode, Error> {
        let tell = |event| self.tell(&event);
        let mut seen = BTreeSet::new();
        for reach in regions {
            let connection = self.connect(reach, interrupt).await.map_err(Error::Listing)?;
            let region = connection.caller.region.clone();
            if !seen.insert((region.clone(), connection.access_key_id.clone())) {
                continue;
            }
            let session = session(&connection, "*", reach, interrupt, &tell);
            let functions = session.functions().await.map_err(Error::Listing)?;
            self.tell(&Event::Listed { region, functions });
        }
        Ok(ExitCode::Success)
    }

    /// The only function that a verb may act on.
    pub(super) fn only<'s>(&self, loaded: &'s Loaded) -> Result<&'s Subject, Error> {
        match &loaded.subjects[..] {
            [only] => Ok(only),
            [] if !loaded.skipped.is_empty() => {
                let problem = Problem::new("all blocks are skipped in this build");
                Err(Error::Usage(problem.help("name the function with `--function_name`")))
            }
            [] => Err(Error::Usage(Problem::new("no function is named").help("name one with `--function_name`"))),
            several => {
                let names: Vec<_> = several.iter().map(|one| format!("`{}`", one.function.name)).collect();
                let problem = Problem::new(format!(
                    "`{}` acts on one function, and the configuration has several",
                    self.task.verb().name()
                ));
                Err(Error::Usage(problem.help(format!("choose one with `--function_name`: {}", names.join(", ")))))
            }
        }
    }

    /// Connects to AWS. A verb that changes something calls [`Run::only_in`] next, to check the account.
    pub(super) async fn connect(&self, reach: &Reach, interrupt: &Interrupt) -> Result<Connection, Fault> {
        let connection = aws::connect(&reach.target, secrets::hiding(&self.console));
        let connection = before_deadline("credentials", reach.wait_timeout, interrupt, connection).await?;
        secrets::keep_names_of(&connection.caller, &self.console);
        self.tell(&Event::Identity(report::mask(&connection.access_key_id)));
        Ok(connection)
    }

    /// Refuses any account but the expected one.
    pub(super) async fn only_in(
        &self,
        reach: &Reach,
        name: &str,
        connection: &mut Connection,
        interrupt: &Interrupt,
    ) -> Result<(), Error> {
        let Some(expected) = &reach.target.expect_account else { return Ok(()) };
        let asked =
            before_deadline("`sts:GetCallerIdentity`", reach.wait_timeout, interrupt, connection.identify()).await;
        asked.map_err(|fault| Error::read(fault, name))?;
        let account = connection.caller.account.as_deref().unwrap_or_default();
        if account == expected {
            return Ok(());
        }
        let problem = Problem::new(format!("the credentials belong to account {account}, not to {expected}"));
        let place = reach.places.of("expect_account").cloned();
        let problem = problem.of("expect_account").help("use credentials of the expected account");
        Err(Error::Configuration(vec![Problem { place, ..problem }]))
    }

    /// Warns about values that could not be read.
    pub(super) fn warn_of_unknown(&self, reasons: &[impl AsRef<str>]) {
        for reason in reasons {
            self.tell(&Event::Warning(Problem::new(self.console.redact_foreign(reason.as_ref()))));
        }
    }

    /// Reads standard input in another thread, so that an interrupt still works.
    pub(super) async fn input<T: Send + 'static>(
        &self,
        what: &str,
        read: impl FnOnce() -> io::Result<T> + Send + 'static,
        interrupt: &Interrupt,
    ) -> Result<T, Error> {
        let unreadable = |error: &dyn std::fmt::Display| Error::Refused(format!("{what} cannot be read: {error}"));
        tokio::select! {
            read = tokio::task::spawn_blocking(read) => match read {
                Ok(read) => read.map_err(|error| unreadable(&error)),
                Err(error) => Err(unreadable(&error)),
            },
            signal = Signal::sent(interrupt) => {
                Err(Error::Interrupted { signal, during: format!("reading {what}") })
            }
        }
    }
}

/// A session without a package.
pub(super) fn session<'a>(
    connection: &Connection,
    function: &str,
    reach: &Reach,
    interrupt: &Interrupt,
    tell: &'a dyn Fn(Event),
) -> Session<'a> {
    Session::new(connection, function, None, reach.wait_timeout, interrupt.clone(), tell)
}
