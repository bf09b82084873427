//! Waits for AWS: with one deadline for all waits, short first pauses, and a way to interrupt.

use std::{error::Error, future::Future, ops::ControlFlow, time::Duration};

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::types::{
    FunctionConfiguration, LastUpdateStatus, LastUpdateStatusReasonCode, State, StateReasonCode,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    Session,
    fault::{self, Call, Failed},
    quotes,
    refusals::{Cause, Meaning},
};
use crate::event::Event;
use crate::fault::{Fault, FaultKind, Progress, Signal};
use crate::remote::Failure;

/// The first pause between two reads. Each next pause is half as long again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two reads.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// The time between two reports of a long wait. Travis ends a job without output for ten minutes.
const REPORT_EVERY: Duration = Duration::from_secs(15);

/// The time during which a passing refusal is waited out, if this run did not make the thing that AWS does not know yet.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// The time that a write in progress still gets when the process is asked to stop.
pub(super) const GRACE: Duration = Duration::from_secs(3);

/// The time when all waits for a function end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    allowed: Duration,
}

impl Deadline {
    pub(super) fn after(allowed: Duration) -> Self {
        Self { at: Instant::now() + allowed, allowed }
    }

    pub(super) fn restarted(self) -> Self {
        Self::after(self.allowed)
    }

    fn passed(self, what: &str) -> Fault {
        let seconds = self.allowed.as_secs();
        Fault::new(FaultKind::TimedOut, format!("gave up after {seconds} s waiting for {what}"))
            .help("run again: the next run keeps the finished steps; set `wait_timeout` to allow more time")
    }
}

/// The pauses between reads, and the time of the last report.
pub(super) struct Pace {
    pause: Duration,
    begun: Instant,
    reported: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { pause: FIRST_PAUSE, begun: Instant::now(), reported: Instant::now() }
    }

    pub(super) fn so_far(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// The error for a signal that arrived during a wait.
pub(super) fn interrupted(signal: Signal, what: &str) -> Fault {
    let name = signal.name();
    Fault::new(FaultKind::Interrupted(signal), format!("interrupted by {name} while waiting for {what}"))
        .help("run again: the next run keeps the finished steps")
}

impl Session<'_> {
    /// Awaits a read or a pause. The deadline and a signal end it at once.
    pub(super) async fn bounded<T>(&self, what: &str, future: impl Future<Output = T>) -> Result<T, Failed> {
        tokio::select! {
            result = timeout_at(self.deadline.at, future) => result.map_err(|_| self.with_last_words(self.deadline.passed(what)).into()),
            signal = Signal::sent(&self.interrupt) => Err(self.with_last_words(interrupted(signal, what)).into()),
        }
    }

    /// Awaits a write. After a signal, a write in progress still gets [`GRACE`], so that its result is known.
    pub(super) async fn await_write<T, E>(
        &self,
        call: &Call<'_>,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, E>, Failed> {
        let begun = async {
            tokio::pin!(future);
            tokio::select! {
                result = &mut future => Ok(result),
                signal = Signal::sent(&self.interrupt) => match tokio::time::timeout(GRACE, future).await {
                    Ok(result) => Ok(result),
                    Err(_) => Err(unknown(interrupted(signal, call.action))),
                },
            }
        };
        if let Some(signal) = *self.interrupt.borrow() {
            return Err(interrupted(signal, &format!("the start of `{}`", call.action)).into());
        }
        match timeout_at(self.deadline.at, begun).await {
            Ok(Ok(Err(refused))) => Ok(Err(refused)),
            Ok(result) => {
                self.progress.set(Progress::Begun);
                result.map_err(Failed::from)
            }
            Err(_) => {
                self.progress.set(Progress::Begun);
                let passed = self.deadline.passed(&format!("the answer to `{}`", call.action));
                Err(unknown(self.with_last_words(passed)).into())
            }
        }
    }

    /// Remembers what AWS said about the state that is waited for. If the wait ends without it, the error shows these words.
    pub(super) fn hear(&self, words: impl Into<String>) {
        self.last_words.replace(Some(words.into()));
    }

    /// Forgets what AWS said, once the wait is over.
    pub(super) fn forget(&self) {
        self.last_words.replace(None);
    }

    fn with_last_words(&self, fault: Fault) -> Fault {
        match &*self.last_words.borrow() {
            Some(words) => Fault { message: format!("{}; AWS' last answer: {words}", fault.message), ..fault },
            None => fault,
        }
    }

    /// Pauses before the next attempt of a call that AWS refuses for the present. Any other refusal is returned.
    ///
    /// A thing that this run made is waited for until the deadline. A thing of the user is waited for only a minute: most
    /// likely it is wrong.
    pub(super) async fn wait_out(&self, failed: Failed, pace: &mut Pace) -> Result<(), Failed> {
        let Meaning::Passing(cause) = failed.meaning else { return Err(failed) };
        let made = matches!(cause, Cause::Role | Cause::Permission) && self.made.role;
        if !made && pace.so_far() >= PATIENCE {
            let message = format!("{}; AWS has answered so for {} s", failed.fault.message, pace.so_far().as_secs());
            return Err(Failed { fault: Fault { message, ..failed.fault }, ..failed });
        }
        self.hear(failed.fault.message);
        self.pause_and_report(pace, cause.awaited()).await.map_err(|ended| match failed.fault.help {
            Some(help) if !made && ended.fault.kind == FaultKind::TimedOut => {
                Failed { fault: ended.fault.help(help), ..ended }
            }
            _ => ended,
        })
    }

    /// Pauses, and reports the first pause at once. For waits that the user does not expect.
    pub(super) async fn pause_and_report(&self, pace: &mut Pace, what: &str) -> Result<(), Failed> {
        if pace.pause == FIRST_PAUSE {
            (self.report)(Event::Waiting { what: what.to_owned(), so_far: pace.so_far() });
        }
        self.pause(pace, what).await
    }

    /// Reads a thing that may not exist: `None` for AWS' "not found".
    pub(super) async fn read_optional<T, E>(
        &self,
        call: &Call<'_>,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<Option<T>, Failed>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match self.bounded(&format!("`{}`", call.action), send).await? {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => match fault::of(&error, call) {
                Failed { meaning: Meaning::NotFound, .. } => Ok(None),
                failed => Err(failed),
            },
        }
    }

    /// Reads a whole listing: all items, or all pages, that `next` returns.
    pub(super) async fn all<T, E>(
        &self,
        call: &Call<'_>,
        next: impl AsyncFnMut() -> Option<Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<Vec<T>, Failed>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let mut found = Vec::new();
        let taken = self.each(call, next, |item| {
            found.push(item);
            ControlFlow::Continue(())
        });
        taken.await?;
        Ok(found)
    }

    /// Reads a listing and passes each item to `see`, until `see` breaks.
    pub(super) async fn each<T, E>(
        &self,
        call: &Call<'_>,
        mut next: impl AsyncFnMut() -> Option<Result<T, SdkError<E, HttpResponse>>>,
        mut see: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<(), Failed>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let what = format!("`{}`", call.action);
        while let Some(item) = self.bounded(&what, next()).await? {
            if see(item.map_err(|error| fault::of(&error, call))?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Awaits a write, and turns AWS' refusal into an error.
    pub(super) async fn write<T, E>(
        &self,
        call: &Call<'_>,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Failed>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        self.await_write(call, send).await?.map_err(|error| self.refusal(&error, call))
    }

    /// Reads the error of a write. If the answer cannot be read, AWS may have done the write.
    pub(super) fn refusal<E>(&self, error: &SdkError<E, HttpResponse>, call: &Call<'_>) -> Failed
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let failed = fault::of(error, call);
        if failed.meaning == Meaning::Lost {
            self.progress.set(Progress::Begun);
        }
        failed
    }

    /// Pauses, longer each time. Reports the wait every [`REPORT_EVERY`].
    pub(super) async fn pause(&self, pace: &mut Pace, what: &str) -> Result<(), Failed> {
        let pause = pace.pause;
        tracing::debug!("looking again in {pause:.1?} because of {what}");
        self.bounded(what, sleep(pause)).await?;
        pace.pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        if pace.reported.elapsed() >= REPORT_EVERY {
            (self.report)(Event::Waiting { what: what.to_owned(), so_far: pace.begun.elapsed() });
            pace.reported = Instant::now();
        }
        Ok(())
    }
}

/// Adds to an error that the write may have been done.
fn unknown(fault: Fault) -> Fault {
    Fault { message: format!("{}; AWS may or may not have done it", fault.message), ..fault }
}

/// Whether no change is in progress. A state that this version does not know counts as settled.
pub(super) fn is_settled(config: &FunctionConfiguration) -> bool {
    let going_on = matches!(config.state(), Some(State::Pending | State::Deactivating | State::Deleting));
    !going_on && config.last_update_status() != Some(&LastUpdateStatus::InProgress)
}

/// What AWS says about a function's state while a change is in progress.
pub(super) fn state(config: &FunctionConfiguration) -> String {
    let updates = config.last_update_status() == Some(&LastUpdateStatus::InProgress);
    let (what, state, reason, code) = if updates {
        let code = config.last_update_status_reason_code().map(LastUpdateStatusReasonCode::as_str);
        ("its last update is", "InProgress", config.last_update_status_reason(), code)
    } else {
        let code = config.state_reason_code().map(StateReasonCode::as_str);
        ("its state is", config.state().map_or("unknown", State::as_str), config.state_reason(), code)
    };
    match reason_of(reason, code) {
        Some(reason) => format!("{what} {state}: {reason}"),
        None => format!("{what} {state}"),
    }
}

/// The failed creation or last update, with AWS' reason; `None` if it did not fail.
pub(super) fn failure(config: &FunctionConfiguration) -> Option<Failure> {
    let without = || "AWS gives no reason".to_owned();
    if config.state() == Some(&State::Failed) {
        let code = config.state_reason_code().map(StateReasonCode::as_str);
        return Some(Failure::Creation(reason_of(config.state_reason(), code).unwrap_or_else(without)));
    }
    let failed = config.last_update_status() == Some(&LastUpdateStatus::Failed);
    let code = config.last_update_status_reason_code().map(LastUpdateStatusReasonCode::as_str);
    failed.then(|| Failure::Update(reason_of(config.last_update_status_reason(), code).unwrap_or_else(without)))
}

/// AWS' reason with its code; `None` if AWS gives neither.
fn reason_of(reason: Option<&str>, code: Option<&str>) -> Option<String> {
    let given = |text: &&str| !text.is_empty();
    match (reason.filter(given).map(quotes::cut), code.filter(given)) {
        (Some(reason), Some(code)) => Some(format!("{reason} ({code})")),
        (Some(reason), None) => Some(reason),
        (None, Some(code)) => Some(format!("AWS gives no reason ({code})")),
        (None, None) => None,
    }
}
