//! Performs the steps of a plan in order, through a trait, and emits an event for each. A failure lists the steps that were
//! done, begun and not done.

use std::time::{Duration, Instant};

use crate::event::Event;
use crate::fault::{Fault, Progress};
use crate::place::Problem;
use crate::plan::{Plan, Step};

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

/// Performs the steps of the plan and nothing else. Stops at the first failure.
pub(crate) async fn apply(
    plan: &Plan,
    executor: &mut impl Executor,
    emit: &mut dyn FnMut(Event),
) -> Result<Outcome, Stopped> {
    let mut outcome = Outcome::default();
    for (index, step) in plan.steps.iter().enumerate() {
        emit(Event::StepStarted { function: plan.name.clone(), step: step.clone() });
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
