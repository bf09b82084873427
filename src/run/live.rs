//! What the verbs have in common that look at what is live or act on it; and those that only look.

use std::collections::BTreeSet;
use std::future::Future;

use super::{Interrupt, Run, event};
use crate::apply::{Fault, FaultKind, Meanwhile, Signal};
use crate::aws::{self, Connection, Session};
use crate::config::{Reach, Subject};
use crate::error::{Error, ExitCode};
use crate::place::Problem;
use crate::report::{self, Event};

impl Run<'_> {
    /// Shows how each function is. One that cannot be shown keeps no other from it.
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
        let tell = |meanwhile| self.tell(&event(meanwhile));
        let connection = self.connect(reach, interrupt).await.map_err(|fault| Error::read(fault, name))?;
        let region = &connection.caller.region;
        let session = session(&connection, &function.written, reach, interrupt, &tell);
        let status = session.status(name, region).await.map_err(|fault| Error::read(fault, name))?;
        let status = status.ok_or_else(|| Error::absent(name, region))?;
        self.warn_of_unknown(&status.unknown());
        self.tell(&Event::Status(Box::new(status)));
        Ok(())
    }

    /// Shows the functions of each Region, as each identity sees it.
    pub(super) async fn list(&self, regions: &[Reach], interrupt: &Interrupt) -> Result<ExitCode, Error> {
        let tell = |meanwhile| self.tell(&event(meanwhile));
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

    /// The way to AWS.
    pub(super) async fn connect(&self, reach: &Reach, interrupt: &Interrupt) -> Result<Connection, Fault> {
        let console = self.console.clone();
        let connection = aws::connect(&reach.target, move |secret| console.hide_everywhere(secret));
        let connection = within(reach, "credentials", interrupt, connection).await?;
        self.tell(&Event::Identity(report::mask(&connection.access_key_id)));
        Ok(connection)
    }

    /// What could not be read deserves a word.
    pub(super) fn warn_of_unknown(&self, reasons: &[&str]) {
        for reason in reasons {
            self.tell(&Event::Warning(Problem::new(self.console.redact_foreign(reason))));
        }
    }
}

/// A session that needs no package.
pub(super) fn session<'a>(
    connection: &Connection,
    function: &str,
    reach: &Reach,
    interrupt: &Interrupt,
    tell: &'a dyn Fn(Meanwhile),
) -> Session<'a> {
    Session::new(connection, function, None, reach.wait_timeout, interrupt.clone(), tell)
}

/// Awaits what comes before a session: it can be interrupted, and has the function's time.
async fn within<T>(
    reach: &Reach,
    what: &str,
    interrupt: &Interrupt,
    future: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let limit = reach.wait_timeout;
    tokio::select! {
        result = tokio::time::timeout(limit, future) => result.unwrap_or_else(|_| {
            Err(Fault::new(FaultKind::TimedOut, format!("gave up after {} s waiting for {what}", limit.as_secs())))
        }),
        signal = Signal::sent(interrupt) => {
            Err(Fault::new(FaultKind::Interrupted(signal), format!("interrupted by {}", signal.name())))
        }
    }
}
