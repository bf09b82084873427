//! Performs the steps of a plan in order, through a trait, and emits an event for each. A failure lists the steps that were
//! done, begun and not done.

use std::fmt;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::place::Problem;
use crate::plan::{Plan, Step};
use crate::report::Event;

/// Performs steps. `aws` implements it.
pub(crate) trait Executor {
    /// Performs the step and waits until the function has settled.
    async fn perform(&mut self, step: &Step) -> Result<Done, Fault>;
}

/// The results of one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// The unqualified ARN; absent if the step did not return it.
    pub arn: Option<String>,
    /// The number of the version with this deployment; absent if the step published or found none.
    pub version: Option<String>,
    /// The function URL; absent if the step did not return it.
    pub url: Option<String>,
    /// Numbers of versions that could not be deleted.
    pub kept: Vec<String>,
    /// Warnings about values that AWS accepted but did not apply.
    pub warnings: Vec<String>,
}

/// The results of all steps of a deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The subjects of the steps, each with its duration.
    pub done: Vec<(&'static str, Duration)>,
    /// The unqualified ARN; absent if no step returned it.
    pub arn: Option<String>,
    /// The number of the published version; absent if none was published.
    pub version: Option<String>,
    /// The function URL; absent if no step returned it.
    pub url: Option<String>,
    /// Numbers of versions that could not be deleted.
    pub kept: Vec<String>,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// The number of the step, counted from 1, and the number of all steps.
    pub at: (usize, usize),
    /// The title of the step.
    pub title: String,
    /// The subjects of the steps that were done.
    pub done: Vec<&'static str>,
    /// The subjects of steps that AWS accepted or may have accepted, but that have not settled.
    pub begun: Vec<&'static str>,
    /// The subjects of the steps that were not done.
    pub not_done: Vec<&'static str>,
    /// The reason.
    pub fault: Fault,
}

/// A failure of AWS, or of the connection to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The kind of failure, which decides the exit code.
    pub kind: FaultKind,
    /// What went wrong, with the message of the service if there is one.
    pub message: String,
    /// What to do about it; absent if the message says it.
    pub help: Option<String>,
    /// Whether AWS may have accepted the failed call.
    pub progress: Progress,
}

/// Whether AWS may have accepted a failed call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The call was not sent, or AWS refused it.
    #[default]
    Nothing,
    /// AWS accepted the call, or may have accepted it.
    Begun,
}

/// The kinds of failure. Each has its own exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// AWS refused the call, or failed.
    Failed,
    /// Credentials are missing or wrong, or lack a permission.
    Denied,
    /// Another program changed the function in the meantime.
    Conflict,
    /// The deadline passed.
    TimedOut,
    /// The configuration cannot be used: a Region is missing, for example.
    Misconfigured,
    /// The process was asked to stop.
    Interrupted(Signal),
}

/// The progress of a step that takes long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// AWS is not ready yet.
    Waiting {
        /// The awaited state.
        what: String,
        /// The time waited so far.
        so_far: Duration,
    },
    /// A package is read from S3.
    Fetching {
        /// Bytes received so far.
        done: u64,
        /// Bytes of the package.
        all: u64,
        /// The time so far.
        so_far: Duration,
    },
    /// A package is sent to AWS.
    Sending {
        /// Bytes sent so far.
        done: u64,
        /// Bytes of the package.
        all: u64,
        /// The time so far.
        so_far: Duration,
    },
}

/// A signal that asks the process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT: ctrl-C.
    Interrupt,
    /// SIGTERM, which a CI sends first.
    Terminate,
}

impl Signal {
    /// The name for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "ctrl-C",
            Self::Terminate => "SIGTERM",
        }
    }

    /// Waits for the signal; waits forever if none is sent.
    pub(crate) async fn sent(interrupt: &watch::Receiver<Option<Self>>) -> Self {
        let mut interrupt = interrupt.clone();
        let sent = interrupt.wait_for(Option::is_some).await.map(|signal| *signal);
        match sent {
            Ok(Some(signal)) => signal,
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

impl Fault {
    /// A fault without help. AWS did not accept the call.
    pub(crate) fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None, progress: Progress::Nothing }
    }

    /// Adds help to the fault.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// Performs the steps of the plan and nothing else. Stops at the first failure.
pub(crate) async fn apply(
    plan: &Plan,
    executor: &mut impl Executor,
    emit: &mut dyn FnMut(Event),
) -> Result<Outcome, Stopped> {
    let mut outcome = Outcome::default();
    for (index, step) in plan.steps.iter().enumerate() {
        emit(Event::StepStarted { function: plan.function.clone(), step: step.clone() });
        let begun = Instant::now();
        match executor.perform(step).await {
            Ok(Done { arn, version, url, kept, warnings }) => {
                for warning in warnings {
                    emit(Event::Warning(Problem::new(warning)));
                }
                emit(Event::StepDone { version: version.clone() });
                outcome.done.push((step.view().subject, begun.elapsed()));
                outcome.arn = arn.or(outcome.arn);
                outcome.version = version.or(outcome.version);
                outcome.url = url.or(outcome.url);
                outcome.kept.extend(kept);
            }
            Err(fault) => {
                let mut not_done: Vec<_> = plan.steps[index..].iter().map(|step| step.view().subject).collect();
                let begun = match fault.progress {
                    Progress::Nothing => Vec::new(),
                    Progress::Begun => vec![not_done.remove(0)],
                };
                let (at, done) = ((index + 1, plan.steps.len()), outcome.done.iter().map(|(done, _)| *done).collect());
                return Err(Stopped { at, title: step.view().title, done, begun, not_done, fault });
            }
        }
    }
    Ok(outcome)
}
