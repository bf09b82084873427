//! Steps in order through one narrow trait: an event for each, and an honest account of what is left undone.

use std::fmt;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::place::Problem;
use crate::plan::{Plan, Step};
use crate::report::Event;

/// Brings steps about. Implemented where AWS is known.
#[expect(async_fn_in_trait, reason = "one implementation and one thread: nothing needs the future to be Send")]
pub trait Control {
    /// Does what the step says and waits until the function has settled.
    async fn perform(&mut self, step: &Step) -> Result<Done, Fault>;
}

/// What doing a step told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// The unqualified ARN, where the step told it.
    pub arn: Option<String>,
    /// The number of the version that stands for this deployment.
    pub version: Option<String>,
    /// The function's own address, where the step told it.
    pub url: Option<String>,
    /// Numbers of versions that could not be deleted.
    pub kept: Vec<String>,
    /// What AWS accepted but did not take over.
    pub warnings: Vec<String>,
}

/// How a deployment ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was done, each with how long it took to settle.
    pub done: Vec<(&'static str, Duration)>,
    /// The unqualified ARN, where a step told it.
    pub arn: Option<String>,
    /// The number of the version published.
    pub version: Option<String>,
    /// The function's own address, where a step told it.
    pub url: Option<String>,
    /// Numbers of versions that could not be deleted.
    pub kept: Vec<String>,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Which step, counted from 1, and of how many.
    pub at: (usize, usize),
    /// What it would have done.
    pub title: String,
    /// What was done before it.
    pub done: Vec<&'static str>,
    /// What AWS may have taken or did take, without having settled since.
    pub begun: Vec<&'static str>,
    /// What was not done.
    pub not_done: Vec<&'static str>,
    /// Why.
    pub fault: Fault,
}

/// Why something failed on AWS' side, or on the way there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of failure it is; it decides the exit code.
    pub kind: FaultKind,
    /// What went wrong, with the service's own words where there are any.
    pub message: String,
    /// What to do about it; absent where the message says it.
    pub help: Option<String>,
    /// How far what failed had come.
    pub progress: Progress,
}

/// How far a step had come when it failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Progress {
    /// AWS was not asked, or refused.
    #[default]
    Nothing,
    /// AWS took it, or may have.
    Begun,
}

/// Kinds of failure, as a user has to tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// AWS refused or failed to do it.
    Failed,
    /// No credentials, wrong credentials, or not permitted.
    Denied,
    /// Somebody else changed the function meanwhile.
    Conflict,
    /// The deadline passed.
    TimedOut,
    /// What was configured cannot be used, as a Region that is missing.
    Misconfigured,
    /// The process was asked to stop.
    Interrupted(Signal),
}

/// What goes on while a step takes its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meanwhile {
    /// AWS is still busy.
    Waiting {
        /// What is waited for.
        what: String,
        /// How long so far.
        so_far: Duration,
    },
    /// A package is on its way from S3.
    Fetching {
        /// Bytes that have arrived.
        done: u64,
        /// All bytes.
        all: u64,
        /// How long so far.
        so_far: Duration,
    },
    /// A package is on its way.
    Sending {
        /// Bytes that have arrived.
        done: u64,
        /// All bytes.
        all: u64,
        /// How long so far.
        so_far: Duration,
    },
}

/// How a process is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: ctrl-C.
    Interrupt,
    /// SIGTERM: what a CI sends first.
    Terminate,
}

impl Signal {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "ctrl-C",
            Self::Terminate => "SIGTERM",
        }
    }

    /// The signal, once there is one; forever where there is none.
    pub async fn sent(interrupt: &watch::Receiver<Option<Self>>) -> Self {
        let mut interrupt = interrupt.clone();
        let sent = interrupt.wait_for(Option::is_some).await.map(|signal| *signal);
        match sent {
            Ok(Some(signal)) => signal,
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

impl Fault {
    /// A fault without a word of help.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None, progress: Progress::Nothing }
    }

    /// The same fault, with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// Does the plan, and nothing but the plan.
pub async fn apply(plan: &Plan, control: &mut impl Control, tell: &mut dyn FnMut(Event)) -> Result<Outcome, Stopped> {
    let mut outcome = Outcome::default();
    for (index, step) in plan.steps.iter().enumerate() {
        tell(Event::StepStarted { function: plan.function.clone(), step: step.clone() });
        let begun = Instant::now();
        match control.perform(step).await {
            Ok(Done { arn, version, url, kept, warnings }) => {
                for warning in warnings {
                    tell(Event::Warning(Problem::new(warning)));
                }
                tell(Event::StepDone { step: step.clone(), version: version.clone() });
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
