//! The verbs that only read AWS, and what all verbs on live functions share.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::{Run, around};
use crate::config::{Access, Converted, Loaded, Subject, converted, imported};
use crate::error::{Error, ExitCode};
use crate::event::{Answer, Event};
use crate::fault::Signal;
use crate::host::Ci;
use crate::place::Problem;

impl Run<'_> {
    /// Shows the status of each function. After an error it goes on with the next function.
    pub(super) async fn status(&self, subjects: &[Subject]) -> Result<ExitCode, Error> {
        let mut code = ExitCode::Success;
        for subject in subjects {
            match self.status_of(subject).await {
                Err(error) if self.interrupt.borrow().is_none() => code = self.fail(&error),
                shown => shown?,
            }
        }
        Ok(code)
    }

    async fn status_of(&self, subject: &Subject) -> Result<(), Error> {
        let Subject { function, access, .. } = subject;
        let unread = |fault| Error::read(fault, function);
        let login = self.connect(&access.target, access.wait_timeout).await.map_err(unread)?;
        let region = &login.connection.region;
        let session = self.session(&login, &function.written, None, access.wait_timeout);
        let status = session.status(&function.name, region).await.map_err(unread)?;
        let mut status = status.ok_or_else(|| Error::absent(function, region))?;
        status.reasons().for_each(|reason| *reason = self.console.redact_foreign(reason));
        self.warn_of_unknown(status.unknown());
        self.report(&Event::Status(Box::new(status)));
        Ok(())
    }

    /// Shows the blocks of a `.travis.yml` as a `dpl.yml`.
    pub(super) fn convert(&self, path: &Path, ci: Ci) -> Result<ExitCode, Error> {
        let Converted { text, json, warnings } = converted(path, self.host, ci).map_err(Error::Configuration)?;
        for warning in warnings {
            self.report(&Event::Warning(warning));
        }
        self.report(&Event::Answer(Answer { name: "configuration", text, json }));
        Ok(ExitCode::Success)
    }

    /// Shows the block that describes a function.
    pub(super) async fn init(&self, subject: &Subject) -> Result<ExitCode, Error> {
        let Subject { function, alias, access, .. } = subject;
        let unread = |fault| Error::read(fault, function);
        let login = self.connect(&access.target, access.wait_timeout).await.map_err(unread)?;
        let region = &login.connection.region;
        let mut session = self.session(&login, &function.written, None, access.wait_timeout);
        let found = session.read_everything(alias.as_ref()).await.map_err(unread)?;
        let (live, defaults) = found.ok_or_else(|| Error::absent(function, region))?;
        self.warn_of_unknown(&live.warnings);
        if live.alias.is_none() && !live.aliases.is_empty() {
            let names: Vec<_> = live.aliases.iter().map(|alias| alias.name.as_str()).collect();
            let message =
                format!("settings of aliases are left out; choose an alias with `--alias`: {}", names.join(", "));
            self.report(&Event::Warning(Problem::new(message).of("alias")));
        }
        let rendered = imported(function, region, &live, &defaults);
        let code = if live.image.is_none() { "# zip: where the code is\n" } else { "" };
        let text = rendered.yaml() + code;
        self.report(&Event::Answer(Answer { name: "configuration", text, json: rendered.json() }));
        Ok(ExitCode::Success)
    }

    /// Shows the functions of each Region, as each identity sees it.
    pub(super) async fn list(&self, regions: &[Access]) -> Result<ExitCode, Error> {
        let mut seen = BTreeSet::new();
        for Access { target, wait_timeout, .. } in regions {
            let login = self.connect(target, *wait_timeout).await.map_err(Error::Listing)?;
            let region = login.connection.region.clone();
            if !seen.insert((region.clone(), login.connection.access_key_id.clone())) {
                continue;
            }
            let session = self.session(&login, "*", None, *wait_timeout);
            let functions = session.functions().await.map_err(Error::Listing)?;
            self.report(&Event::Listed { region, functions });
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
                let name = |one: &Subject| one.function.name.clone();
                let is_only_one = |name: &str| several.iter().filter(|other| other.function.name == name).count() == 1;
                let shown = |one: &Subject| match &one.access.target.region {
                    Some(region) if !is_only_one(&name(one)) => format!("`{}` with `--region {region}`", name(one)),
                    _ => format!("`{}`", name(one)),
                };
                let names: Vec<_> = several.iter().map(shown).collect();
                let problem = Problem::new(format!(
                    "`{}` acts on one function, and the configuration has several",
                    self.task.verb().name()
                ));
                Err(Error::Usage(problem.help(format!("choose one with `--function_name`: {}", names.join(", ")))))
            }
        }
    }

    /// Warns about values that could not be read.
    pub(super) fn warn_of_unknown(&self, reasons: impl IntoIterator<Item = impl AsRef<str>>) {
        for reason in reasons {
            self.report(&Event::Warning(Problem::new(self.console.redact_foreign(reason.as_ref()))));
        }
    }

    /// Reads standard input in another thread, so that an interrupt still works.
    pub(super) async fn input<T: Send + 'static>(
        &self,
        what: &str,
        read: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let unreadable = |error| Error::Refused(format!("{what} cannot be read: {error}"));
        tokio::select! {
            read = tokio::task::spawn_blocking(read) => around::joined(read)?.map_err(unreadable),
            signal = Signal::sent(&self.interrupt) => {
                Err(Error::Interrupted { signal, during: format!("reading {what}") })
            }
        }
    }
}
