//! Invokes a function.
//!
//! A call that reached AWS may have run the function, so such a call is never repeated.

use std::time::Duration;

use aws_sdk_lambda::config::Config;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::invoke::{InvokeError, InvokeOutput};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvocationType, LogType};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use base64::Engine;
use tokio::time::Instant;

use super::Session;
use super::fault::{self, Call, Failed};
use super::refusals::Meaning;
use super::settle::{Deadline, Pace};
use super::wire;
use crate::fault::{Fault, FaultKind};
use crate::remote::Invocation;

/// The most attempts of a throttled call.
const ATTEMPTS: usize = 10;

/// The extra wait for an answer, beyond the function's own timeout.
const SPARE: Duration = Duration::from_mins(1);

/// The number of bytes of the log that AWS returns with an answer.
const LOG_TAIL: usize = 4096;

/// The kind of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvocationMode {
    /// Waits for the function's answer, which AWS returns with the end of the log.
    Synchronous,
    /// Only queues the call; AWS runs the function later.
    Asynchronous,
    /// Does not run the function; AWS only checks whether the call is allowed.
    DryRun,
}

impl Session<'_> {
    /// Sets a new deadline for the following calls. An invocation may take as long as the function's own timeout.
    pub(crate) fn allow(&mut self, time: Duration) {
        self.deadline.set(Deadline::after(time));
    }

    /// Invokes a version, an alias or `$LATEST` in a test. The other steps get their whole time again after it.
    pub(crate) async fn call_in_test(
        &mut self,
        name: &str,
        qualifier: Option<&str>,
        payload: Vec<u8>,
    ) -> Result<Invocation, Fault> {
        let timeout = self.live.as_ref().and_then(|live| live.settings.timeout);
        let longest = timeout.map(|timeout| Duration::from_secs(timeout.0.into()) + SPARE).unwrap_or_default();
        let allowed = self.deadline.get();
        self.deadline.set(allowed.restarted().or_longer(longest));
        let invocation = self.invoke(name, qualifier, payload, InvocationMode::Synchronous).await;
        self.deadline.set(allowed.restarted());
        self.forget();
        invocation
    }

    /// Reads the variables of a version, so that they are hidden.
    pub(crate) async fn know_variables_of(&self, version: &str) -> Result<(), Fault> {
        self.get_function(Some(version)).await.map(drop).map_err(|failed| failed.fault)
    }

    /// Invokes the function, or a version or alias of it. Waits until the function is ready.
    pub(crate) async fn invoke(
        &mut self,
        name: &str,
        qualifier: Option<&str>,
        payload: Vec<u8>,
        mode: InvocationMode,
    ) -> Result<Invocation, Fault> {
        let called = self.call(qualifier, payload, mode).await;
        let (answer, begun) = called.map_err(|failed| failed.fault)?;
        Ok(Invocation {
            function: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
            status: u16::try_from(answer.status_code()).unwrap_or_default(),
            executed_version: answer.executed_version().map(str::to_owned),
            payload: answer.payload().map(Blob::as_ref).filter(|bytes| !bytes.is_empty()).map(text),
            function_error: answer.function_error().map(str::to_owned),
            log: answer.log_result().map(log).unwrap_or_default(),
            took: begun.elapsed(),
        })
    }

    async fn call(
        &self,
        qualifier: Option<&str>,
        payload: Vec<u8>,
        mode: InvocationMode,
    ) -> Result<(InvokeOutput, Instant), Failed> {
        let resource = qualifier.map_or_else(|| self.function.clone(), |name| format!("{}:{name}", self.function));
        let call = Call { action: "lambda:InvokeFunction", resource: &resource };
        let (kind, log) = match mode {
            InvocationMode::Synchronous => (InvocationType::RequestResponse, Some(LogType::Tail)),
            InvocationMode::Asynchronous => (InvocationType::Event, None),
            InvocationMode::DryRun => (InvocationType::DryRun, None),
        };
        let request = self.lambda.invoke().function_name(&self.function).payload(Blob::new(payload));
        let request = request.set_qualifier(qualifier.map(str::to_owned)).invocation_type(kind).set_log_type(log);
        let (mut pace, mut attempts) = (Pace::new(), 1);
        loop {
            let begun = Instant::now();
            // The function may take all the time that is left. Then the deadline ends the call.
            let all = TimeoutConfig::builder().read_timeout(self.deadline.get().left() + wire::ATTEMPT).build();
            let once = Config::builder().retry_config(RetryConfig::disabled()).timeout_config(all);
            let sent = request.clone().customize().config_override(once).send();
            let error = match self.bounded("the answer of the function", sent).await.map_err(may_have_run)? {
                Ok(answer) => return Ok((answer, begun)),
                Err(error) => error,
            };
            let failed = fault::of(&error, &call);
            let what = match (status(&error), error.code()) {
                (Some(429), _) if attempts < ATTEMPTS => "room for another invocation",
                (_, Some("ResourceNotReadyException")) => "the network of the function",
                _ if failed.meaning == Meaning::InProgress => "the function to be ready",
                _ if failed.meaning == Meaning::NotFound && qualifier.is_some() => {
                    let help = "`dpl-lambda status` shows the versions and aliases";
                    return Err(failed.fault.help(help).into());
                }
                _ => return Err(if maybe_sent(&error) { may_have_run(failed) } else { failed }),
            };
            attempts += 1;
            self.hear(failed.fault.message);
            self.pause(&mut pace, what).await?;
        }
    }
}

/// Whether AWS may have received a call that failed.
fn maybe_sent(error: &SdkError<InvokeError, HttpResponse>) -> bool {
    match error {
        SdkError::DispatchFailure(failure) => !failure.is_user() && fault::carried(error).is_none(),
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        // AWS answers 502 if it could not call the function.
        SdkError::ServiceError(_) => matches!(status(error), Some(500 | 503 | 504)),
        _ => false,
    }
}

fn status(error: &SdkError<InvokeError, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// Adds to an error that the function may have run.
fn may_have_run(failed: Failed) -> Failed {
    let help = match failed.fault.kind {
        FaultKind::TimedOut => "`wait_timeout` allows more time; `--asynchronous` does not wait for an answer",
        _ => "look at the log of the function before you call it again",
    };
    let message = format!("{}; the function may or may not have run", failed.fault.message);
    Failed { fault: Fault { message, ..failed.fault }.help(help), ..failed }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The lines of a log in base64. If AWS cut the log, this drops the first line: it can hold the rest of a secret, which could
/// not be recognised and hidden.
fn log(encoded: &str) -> Vec<String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap_or_default();
    let cut = usize::from(bytes.len() >= LOG_TAIL);
    text(&bytes).lines().skip(cut).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_line_of_the_log_is_left_out() {
        let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let cut = format!("of-a-secret\n{}\nREPORT", "x".repeat(LOG_TAIL));
        assert_eq!(log(&encoded(&cut)).len(), 2);
        assert_eq!(log(&encoded("START\nof-a-secret")), ["START", "of-a-secret"]);
    }
}
