//! Calls a function and shows its answer.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::Run;
use crate::aws::InvocationMode;
use crate::cli::{Invoke, Payload, Response};
use crate::config::{DryRun, Subject};
use crate::error::{Error, ExitCode};
use crate::event::Event;
use crate::fault::FaultKind;
use crate::files;
use crate::host::Host;
use crate::place::Problem;
use crate::release::LARGEST_PAYLOAD;
use crate::remote::Remote;
use crate::settings::AliasName;

/// The shown characters of an error answer that has no `errorType` and no `errorMessage`.
const SHOWN_ANSWER: usize = 200;

/// The extra wait for an answer, beyond the function's own timeout.
const SPARE: Duration = Duration::from_mins(1);

impl Run<'_> {
    /// Waits until the function is ready, and calls it.
    pub(super) async fn invoke(&self, subject: &Subject, invoke: &Invoke) -> Result<ExitCode, Error> {
        let Subject { function, alias, log_group: _, dry_run, access } = subject;
        let payload = self.payload(&invoke.payload).await?;
        let mode = match (dry_run, invoke.response) {
            (DryRun::No, Response::Awaited) => InvocationMode::Synchronous,
            (DryRun::No, Response::NotAwaited) => InvocationMode::Asynchronous,
            (DryRun::Plan | DryRun::Aws, _) => InvocationMode::DryRun,
        };
        let qualifier = invoke.qualifier.clone().or_else(|| alias.clone().map(|AliasName(alias)| alias));
        let login = self.connect_to_change(access, function).await?;
        let mut session = self.session(&login, &function.written, None, access.wait_timeout);
        let mut time = access.wait_timeout;
        match session.read_alone().await {
            Ok(Remote::Absent) => return Err(Error::absent(function, &login.connection.region)),
            Ok(Remote::Present(live)) => {
                let longest = live.settings.timeout.map(|timeout| Duration::from_secs(timeout.0.into()) + SPARE);
                time = time.max(longest.filter(|_| access.places.of("wait_timeout").is_none()).unwrap_or_default());
            }
            // The right to call a function does not include the right to read it.
            Err(fault) if fault.kind == FaultKind::Denied => tracing::debug!("not waiting: {}", fault.message),
            Err(fault) => return Err(Error::read(fault, function)),
        }
        self.report(&Event::Invoking { function: function.name.clone(), qualifier: qualifier.clone() });
        session.allow(time);
        let invocation = session.invoke(&function.name, qualifier.as_deref(), payload, mode).await;
        let mut invocation = invocation.map_err(|fault| Error::invoke(fault, function, qualifier.as_deref()))?;
        // The variables of a version may have had other values. It has run, so its answer is shown in any case.
        if let Some(version) = invocation.executed_version.as_deref().filter(|version| *version != "$LATEST")
            && let Err(fault) = session.know_variables_of(version).await
        {
            tracing::debug!("the variables of version {version} are not known: {}", fault.message);
        }
        // Redacts before cutting, because a part of a secret is not recognised.
        invocation.payload = invocation.payload.map(|payload| self.console.redact_response(&payload));
        invocation.log = invocation.log.iter().map(|line| self.console.redact_foreign(line)).collect();
        self.report(&Event::Invoked(invocation.clone()));
        match &invocation.function_error {
            None => Ok(ExitCode::Success),
            Some(kind) => {
                Err(Error::failed_itself(function, kind, &reason(invocation.payload.as_deref().unwrap_or_default())))
            }
        }
    }

    /// Reads the payload. Anything but JSON is an error.
    async fn payload(&self, payload: &Payload) -> Result<Vec<u8>, Error> {
        let bytes = match payload {
            Payload::Empty => b"{}".to_vec(),
            Payload::Text(text) => text.clone().into_bytes(),
            Payload::StandardInput => self.input("standard input", Host::input).await?,
            Payload::File(file) => files::bytes(&self.host.directory.join(file), LARGEST_PAYLOAD).map_err(|error| {
                let problem = Problem::new(format!("`{}` {error}", file.display()));
                Error::Usage(problem.of("--payload"))
            })?,
        };
        match serde_json::from_slice::<IgnoredAny>(&bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => {
                let problem = Problem::new(format!("is not JSON: {error}")).of("--payload");
                let help = "put a text into double quotes: `--payload '\"text\"'`; `@FILE` reads a file";
                Err(Error::Usage(problem.help(help)))
            }
        }
    }
}

/// The reason of the failure, from the function's answer.
fn reason(payload: &str) -> String {
    let answer: Value = serde_json::from_str(payload).unwrap_or_default();
    let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (text("errorType"), text("errorMessage")) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) if payload.is_empty() => "it does not say why".to_owned(),
        (None, None) => payload.chars().take(SHOWN_ANSWER).collect(),
    }
}
