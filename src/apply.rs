//! Performs the steps of a plan in order, through a trait, and emits an event for each. A failure lists the steps that were
//! done, begun and not done.

use std::time::{Duration, Instant};

use crate::event::Event;
use crate::fault::{Fault, FaultKind, Progress};
use crate::place::Problem;
use crate::plan::{ALIAS, Plan, Step};
use crate::remote::Alias;

/// Performs steps. `aws` implements it.
pub(crate) trait Executor {
    /// Performs the step and waits until the function has settled.
    async fn perform(&mut self, step: &Step) -> Result<Done, Fault>;

    /// Takes the traffic of an alias back to where it was; `None` if it has not been moved.
    async fn take_back(&mut self, before: &Alias) -> Option<Result<(), Fault>>;
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
    /// Whether the traffic of the alias is back where it was; absent if it was not to be taken back.
    pub back: Option<Box<Back>>,
}

/// The end of an attempt to take the traffic of an alias back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Back {
    /// The bare name of the function.
    pub function: String,
    /// The Region.
    pub region: String,
    /// The alias.
    pub alias: String,
    /// The version that it had before.
    pub version: String,
    /// Why the traffic could not be taken back.
    pub result: Result<(), Fault>,
}

impl Back {
    /// Takes the traffic of the plan's alias back; `None` if it has not been moved, or stays in any case.
    pub(crate) async fn take(executor: &mut impl Executor, plan: &Plan) -> Option<Self> {
        let before = plan.way_back()?;
        let result = executor.take_back(before).await?;
        let (function, region) = (plan.name.clone(), plan.region.clone());
        Some(Self { function, region, alias: before.name.clone(), version: before.version.clone(), result })
    }

    /// Moves the alias from the subjects of what was done or begun to those of what was not done, if it is as before.
    pub(crate) fn correct(&self, ends: [&mut Vec<&'static str>; 2], not_done: &mut Vec<&'static str>) {
        if self.result.is_ok() {
            for subjects in ends {
                let at = subjects.iter().position(|subject| *subject == ALIAS);
                not_done.splice(0..0, at.map(|at| subjects.remove(at)));
            }
        }
    }
}

/// Performs the steps of the plan that come before `end` and are not done yet. Stops at the first failure.
pub(crate) async fn apply(
    plan: &Plan,
    end: usize,
    outcome: &mut Outcome,
    executor: &mut impl Executor,
    emit: &mut dyn FnMut(Event),
) -> Result<(), Stopped> {
    for (index, step) in plan.steps.iter().enumerate().take(end).skip(outcome.done.len()) {
        emit(Event::StepStarted { function: plan.name.clone(), step: step.clone() });
        let begun = Instant::now();
        match executor.perform(step).await {
            Ok(Done { arn, version, url, kept, warnings }) => {
                for warning in warnings {
                    emit(Event::Warning(Problem::new(warning)));
                }
                let took = begun.elapsed();
                emit(Event::StepDone { took, version: version.clone() });
                outcome.done.push((step.view().subject, took));
                outcome.arn = arn.or(outcome.arn.take());
                outcome.version = version.or(outcome.version.take());
                outcome.url = url.or(outcome.url.take());
                outcome.kept.extend(kept);
            }
            Err(fault) => {
                let is_bad = step.proves() && fault.kind != FaultKind::Conflict;
                let back = if is_bad || plan.takes_back(index) { Back::take(executor, plan).await } else { None };
                let mut not_done: Vec<_> = plan.steps[index..].iter().map(|step| step.view().subject).collect();
                let mut begun = match fault.progress {
                    Progress::Nothing => Vec::new(),
                    Progress::Begun => vec![not_done.remove(0)],
                };
                let (at, mut done) =
                    ((index + 1, plan.steps.len()), outcome.done.iter().map(|(done, _)| *done).collect::<Vec<_>>());
                if let Some(back) = &back {
                    back.correct([&mut done, &mut begun], &mut not_done);
                }
                return Err(Stopped {
                    at,
                    title: step.view().title,
                    done,
                    begun,
                    not_done,
                    fault,
                    back: back.map(Box::new),
                });
            }
        }
    }
    Ok(())
}
