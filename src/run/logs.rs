//! Shows the log of a function, and follows it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use super::Run;
use crate::aws::{LogGroup, Session};
use crate::cli::{Logs, Sought, Until};
use crate::config::Subject;
use crate::error::{Error, ExitCode};
use crate::event::Event;
use crate::fault::{Fault, FaultKind, Signal};
use crate::host::Host;
use crate::place::Problem;
use crate::remote::{Invoked, Tail, utc};

/// The pause between two reads of a log that is followed.
const PAUSE: Duration = Duration::from_secs(2);

impl Run<'_> {
    /// Shows the log. If it is followed, ctrl-C is the usual end.
    pub(super) async fn logs(&self, subject: &Subject, logs: &Logs) -> Result<ExitCode, Error> {
        let Subject { function, access, log_group, .. } = subject;
        let from = logs.since.moment(Host::now());
        if Duration::from_millis(from.unsigned_abs()) > Host::now() {
            let problem = Problem::new("is in the future; a date without an offset is in UTC").of("--since");
            return Err(Error::Usage(problem));
        }
        let login = self.connect(&access.target, access.wait_timeout).await;
        let login = login.map_err(|fault| Error::log(fault, function))?;
        let session = self.session(&login, &function.written, None, access.wait_timeout);
        let group = match session.log_group(&function.name).await {
            Ok(Some(group)) => group,
            Ok(None) => return Err(Error::absent(function, &login.connection.region)),
            // The right to read a log does not include the right to read the function.
            Err(fault) if fault.kind == FaultKind::Denied => {
                tracing::debug!("the log group is not known from AWS: {}", fault.message);
                log_group.clone().unwrap_or_else(|| format!("/aws/lambda/{}", function.name))
            }
            Err(fault) => return Err(Error::log(fault, function)),
        };
        match self.show_log(&session, &group, from, subject, logs).await {
            Err(Fault { kind: FaultKind::Interrupted(Signal::Interrupt), .. }) if logs.until == Until::Interrupted => {
                Ok(ExitCode::Success)
            }
            Err(fault) => Err(Error::log(fault, function)),
            Ok(()) => Ok(ExitCode::Success),
        }
    }

    async fn show_log(
        &self,
        session: &Session<'_>,
        group: &str,
        from: i64,
        Subject { function, .. }: &Subject,
        logs: &Logs,
    ) -> Result<(), Fault> {
        let (pattern, mut invoked) = match &logs.sought {
            Sought::All => (None, None),
            Sought::Pattern(pattern) => (Some(pattern.as_str()), None),
            Sought::Request(id) => (None, Some(Invoked::new(id))),
        };
        let (mut tail, mut shown, mut said_absent) = (Tail::new(from), 0_usize, false);
        let mut versions: Option<BTreeSet<String>> = None;
        loop {
            // An alias can move while its log is followed. The version before still ends its work.
            if let Some(qualifier) = &logs.qualifier {
                let now = if is_version(qualifier) {
                    BTreeSet::from([qualifier.clone()])
                } else {
                    session.versions_of(qualifier).await?
                };
                versions.get_or_insert_default().extend(now);
            }
            let begin = tail.begin();
            let see = |events: Vec<_>| {
                for event in events {
                    let is_sought = tail.is_new(&event)
                        && event.is_of(&function.name, versions.as_ref())
                        && invoked.as_mut().is_none_or(|invoked| invoked.has(&event));
                    if is_sought {
                        shown += 1;
                        self.report(&Event::Logged(event));
                    }
                }
                if self.console.is_read() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let read = session.log_events(group, begin, pattern, see).await?;
            tail.forget();
            if read == LogGroup::Absent && !std::mem::replace(&mut said_absent, true) {
                let message = format!("the log group `{group}` does not exist");
                let help = "Lambda creates it when the function runs for the first time";
                self.report(&Event::Notice(Problem::new(message).help(help)));
            }
            if logs.until == Until::Newest {
                if shown == 0 && !said_absent {
                    let problem = Problem::new(format!("`{group}` has no such events since {}", utc(from)));
                    self.report(&Event::Notice(problem.help("`--since 1d` looks further back")));
                }
                return Ok(());
            }
            if !self.console.is_read() {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                signal = Signal::sent(&self.interrupt) => {
                    let message = format!("interrupted by {}", signal.name());
                    return Err(Fault::new(FaultKind::Interrupted(signal), message));
                }
            }
        }
    }
}

/// Whether a qualifier is a version. The name of an alias is never a number.
fn is_version(qualifier: &str) -> bool {
    qualifier == "$LATEST" || qualifier.chars().all(|c| c.is_ascii_digit())
}
