//! Waits for AWS: with one deadline for all waits, short first pauses, and a way to interrupt.

use std::{error::Error, future::Future, ops::ControlFlow, pin::Pin, time::Duration};

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
    wire,
};
use crate::event::Event;
use crate::fault::{Fault, FaultKind, Progress, Signal};
use crate::remote::Failure;

/// The first pause between two reads. Each next pause is half as long again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two reads.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// The time until the first report of a wait.
const FIRST_REPORT: Duration = Duration::from_secs(5);

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

    /// This deadline, or one that allows so much time.
    pub(super) fn or_longer(self, time: Duration) -> Self {
        if time > self.allowed { Self::after(time) } else { self }
    }

    pub(super) fn restarted(self) -> Self {
        Self::after(self.allowed)
    }

    /// The time that is left.
    pub(super) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
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
    next_report: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { pause: FIRST_PAUSE, begun: Instant::now(), next_report: Instant::now() + FIRST_REPORT }
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

/// Awaits a future, and reports the wait for it: soon, and then again and again.
pub(crate) async fn patiently<T>(what: &str, report: &dyn Fn(Event), future: impl Future<Output = T>) -> T {
    tokio::pin!(future);
    let begun = Instant::now();
    let mut next = begun + FIRST_REPORT;
    loop {
        match timeout_at(next, &mut future).await {
            Ok(result) => return result,
            Err(_) => report(Event::Waiting { what: what.to_owned(), so_far: begun.elapsed() }),
        }
        next += REPORT_EVERY;
    }
}

impl Session<'_> {
    /// Awaits a read or a pause. The deadline and a signal end it at once.
    pub(super) fn bounded<T>(
        &self,
        what: &str,
        future: impl Future<Output = T>,
    ) -> impl Future<Output = Result<T, Failed>> {
        let future = Box::pin(future);
        async move {
            let deadline = self.deadline.get();
            tokio::select! {
                result = timeout_at(deadline.at, patiently(what, &self.report, future)) => {
                    result.map_err(|_| self.with_last_words(deadline.passed(what)).into())
                }
                signal = Signal::sent(&self.interrupt) => Err(self.with_last_words(interrupted(signal, what)).into()),
            }
        }
    }

    /// Awaits a write. After a signal, a write in progress still gets [`GRACE`], so that its result is known.
    ///
    /// [`Session::refusal`] reads the error that this returns.
    pub(super) fn await_write<T, E>(
        &self,
        call: &Call<'_>,
        future: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<Result<T, E>, Failed>> {
        // The futures of the SDK are large, and each layer around one would hold a copy.
        self.await_boxed(call, Box::pin(future))
    }

    async fn await_boxed<T, E>(
        &self,
        call: &Call<'_>,
        future: Pin<Box<impl Future<Output = Result<T, E>>>>,
    ) -> Result<Result<T, E>, Failed> {
        self.lost.set(None);
        if let Some(signal) = *self.interrupt.borrow() {
            return Err(interrupted(signal, &format!("the start of `{}`", call.action)).into());
        }
        let what = format!("the answer to `{}`", call.action);
        let begun = async {
            let sent = patiently(&what, &self.report, wire::watched(future));
            tokio::pin!(sent);
            tokio::select! {
                result = &mut sent => Ok(result),
                signal = Signal::sent(&self.interrupt) => match tokio::time::timeout(GRACE, sent).await {
                    Ok(result) => Ok(result),
                    Err(_) => Err(interrupted(signal, call.action)),
                },
            }
        };
        let deadline = self.deadline.get();
        let passed = || self.with_last_words(deadline.passed(&what));
        let ended = timeout_at(deadline.at, begun).await.unwrap_or_else(|_| Err(passed()));
        let before = self.progress.replace(Progress::Begun);
        match ended {
            Ok((Ok(answer), _)) => Ok(Ok(answer)),
            Ok((Err(error), true)) => {
                self.lost.set(Some(before));
                Ok(Err(error))
            }
            Ok((Err(error), false)) => {
                self.progress.set(before);
                Ok(Err(error))
            }
            Err(fault) => Err(unknown(fault).into()),
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

    /// Reads the error of the last write. An answer that was lost before counts too.
    pub(super) fn refusal<E>(&self, error: &SdkError<E, HttpResponse>, call: &Call<'_>) -> Failed
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let failed = fault::of(error, call);
        if failed.meaning == Meaning::Lost && self.lost.get().is_none() {
            self.lost.set(Some(self.progress.replace(Progress::Begun)));
        }
        match failed.meaning {
            Meaning::Conflict | Meaning::Forbidden | Meaning::StorageFull | Meaning::Other
                if self.lost.get().is_some() =>
            {
                Failed { meaning: Meaning::Lost, ..failed }
            }
            _ => failed,
        }
    }

    /// The failure of a write whose answer is a success but cannot be one of AWS.
    pub(super) fn unusable(&self, call: &Call<'_>, why: &str) -> Failed {
        self.lost.set(Some(Progress::Nothing));
        fault::unusable(call, why)
    }

    /// Notes that AWS has done the last write, even if its answer was lost.
    pub(super) fn taken(&self) {
        self.progress.set(Progress::Begun);
        self.lost.set(None);
    }

    /// Decides about a failed write by a look: whether AWS has done it. Without an answer and without a successful look, the
    /// step counts as begun.
    pub(super) async fn unless_done(
        &self,
        failed: Failed,
        look: impl Future<Output = Result<bool, Failed>>,
    ) -> Result<(), Failed> {
        if failed.meaning != Meaning::Lost {
            return Err(failed);
        }
        match look.await {
            Ok(true) => {
                self.taken();
                Ok(())
            }
            Ok(false) => Err(self.not_done(failed)),
            Err(_) => Err(failed),
        }
    }

    /// Takes a write whose answer was lost for not done, because a look has shown that.
    pub(super) fn not_done(&self, failed: Failed) -> Failed {
        if let Some(before) = self.lost.take() {
            self.progress.set(before);
        }
        failed
    }

    /// The error of a step or verb. Adds that AWS may have done it, if that is not known.
    pub(super) fn ended(&self, failed: Failed) -> Fault {
        let fault = Fault { progress: self.progress.get(), ..failed.fault };
        if failed.meaning == Meaning::Lost && self.lost.get().is_some() { unknown(fault) } else { fault }
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
    pub(super) fn write<T, E>(
        &self,
        call: &Call<'_>,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> impl Future<Output = Result<T, Failed>>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let written = self.await_write(call, send);
        async move { written.await?.map_err(|error| self.refusal(&error, call)) }
    }

    /// Pauses, longer each time. Reports the wait every [`REPORT_EVERY`].
    pub(super) async fn pause(&self, pace: &mut Pace, what: &str) -> Result<(), Failed> {
        let pause = pace.pause;
        tracing::debug!("looking again in {pause:.1?} because of {what}");
        self.bounded(what, sleep(pause)).await?;
        pace.pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        if Instant::now() >= pace.next_report {
            (self.report)(Event::Waiting { what: what.to_owned(), so_far: pace.begun.elapsed() });
            pace.next_report = Instant::now() + REPORT_EVERY;
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
