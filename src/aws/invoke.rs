//! Calls a function.
//!
//! A call that is sent may have run, so nothing that may have been sent is sent again by itself.

use std::time::Duration;

use aws_sdk_lambda::config::Config;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::invoke::{InvokeError, InvokeOutput};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvocationType, LogType};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use base64::Engine;
use tokio::time::Instant;

use super::Session;
use super::fault::{self, Answer, Call, Failed};
use super::settle::{Deadline, Pace};
use crate::apply::{Fault, FaultKind};
use crate::remote::Invocation;

/// How often a call that was throttled is sent.
const ATTEMPTS: usize = 10;

/// How many bytes of the end of a log come with an answer.
const LOG_TAIL: usize = 4096;

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Its answer is waited for, and the end of its log comes with it.
    Awaited,
    /// It is called some time soon.
    NotAwaited,
    /// It is not called: AWS looks whether it could be.
    Rehearsed,
}

impl Session<'_> {
    /// Gives what comes next as long as a function may run.
    pub fn allow(&mut self, time: Duration) {
        self.deadline = Deadline::after(time);
    }

    /// Calls the function, or a version or alias of it, once it can be called.
    pub async fn invoke(
        &mut self,
        name: &str,
        qualifier: Option<&str>,
        payload: Vec<u8>,
        manner: Manner,
    ) -> Result<Invocation, Fault> {
        let called = self.call(qualifier, payload, manner).await;
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
        manner: Manner,
    ) -> Result<(InvokeOutput, Instant), Failed> {
        let resource = qualifier.map_or_else(|| self.function.clone(), |name| format!("{}:{name}", self.function));
        let call = Call { action: "lambda:InvokeFunction", resource: &resource };
        let (kind, log) = match manner {
            Manner::Awaited => (InvocationType::RequestResponse, Some(LogType::Tail)),
            Manner::NotAwaited => (InvocationType::Event, None),
            Manner::Rehearsed => (InvocationType::DryRun, None),
        };
        let request = self.lambda.invoke().function_name(&self.function).payload(Blob::new(payload));
        let request = request.set_qualifier(qualifier.map(str::to_owned)).invocation_type(kind).set_log_type(log);
        let (mut pace, mut attempts) = (Pace::new(), 1);
        loop {
            let begun = Instant::now();
            let once = Config::builder().retry_config(RetryConfig::disabled());
            let sent = request.clone().customize().config_override(once).send();
            let error = match self.bounded("the answer of the function", sent).await.map_err(perhaps_run)? {
                Ok(answer) => return Ok((answer, begun)),
                Err(error) => error,
            };
            let failed = fault::of(&error, &call);
            let what = match (status(&error), error.code()) {
                (Some(429), _) if attempts < ATTEMPTS => "room for another invocation",
                (_, Some("ResourceNotReadyException")) => "the network of the function",
                _ if failed.answer == Answer::Busy => "the function to be ready",
                _ if failed.answer == Answer::NotFound && qualifier.is_some() => {
                    let help = "`dpl-lambda status` shows which versions and aliases there are";
                    return Err(failed.fault.help(help).into());
                }
                _ => return Err(if maybe_sent(&error) { perhaps_run(failed) } else { failed }),
            };
            attempts += 1;
            self.pause(&mut pace, what).await?;
        }
    }
}

/// Whether AWS may have got a call that has no answer.
fn maybe_sent(error: &SdkError<InvokeError, HttpResponse>) -> bool {
    match error {
        SdkError::DispatchFailure(failure) => !failure.is_user() && fault::carried(error).is_none(),
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        // With 502 AWS says what kept it from calling the function.
        SdkError::ServiceError(_) => matches!(status(error), Some(500 | 503 | 504)),
        _ => false,
    }
}

fn status(error: &SdkError<InvokeError, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// A call whose answer was not heard.
fn perhaps_run(failed: Failed) -> Failed {
    let help = match failed.fault.kind {
        FaultKind::TimedOut => "`wait_timeout` allows more time; `--asynchronous` does not wait for an answer",
        _ => "look at the log of the function before you call it again",
    };
    let message = format!("{}; whether the function ran is not known", failed.fault.message);
    Failed { fault: Fault { message, ..failed.fault }.help(help), ..failed }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The lines of a log that comes as base64. Where AWS cut its beginning off, the line that it cut goes too: a part of a
/// secret is not known as one.
fn log(encoded: &str) -> Vec<String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap_or_default();
    let cut = usize::from(bytes.len() >= LOG_TAIL);
    text(&bytes).lines().skip(cut).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_that_was_cut_is_left_out() {
        let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let cut = format!("of-a-secret\n{}\nREPORT", "x".repeat(LOG_TAIL));
        assert_eq!(log(&encoded(&cut)).len(), 2);
        assert_eq!(log(&encoded("START\nof-a-secret")), ["START", "of-a-secret"]);
    }
}
