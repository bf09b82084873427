//! The outcome: what changed, what was done, and why the run failed.

use super::dialect::Ending;
use super::event::{self, Event};
use super::plain;
use super::redact::Console;
use crate::plan::{Plan, Subject};
use crate::verb::{Results, Verb};

/// The outcome so far.
pub(super) struct Outcome {
    console: Console,
    /// Whether later steps get results.
    results: Results,
    changed: bool,
    /// Plans that were told and not done, so far.
    planned: Vec<Plan>,
    /// What was done, in a few words each.
    done: Vec<String>,
    /// Why the run, or one function of it, failed last.
    failed: Option<String>,
}

/// How the run ended.
pub(super) struct Verdict {
    /// The code that the process ends with.
    pub exit_code: u8,
    /// Whether anything was changed, or would be.
    pub changed: bool,
    /// Plans that were told and not done.
    pub planned: Vec<Plan>,
    /// What was done, in a few words.
    done: String,
    /// Why the run failed; absent where it did not.
    failed: Option<String>,
}

impl Verdict {
    /// What was done in a few words, or why the run failed.
    pub(super) fn ending(&self) -> Ending<'_> {
        self.failed.as_deref().map_or(Ok(&self.done), Err)
    }
}

impl Outcome {
    /// The outcome of a verb; of none where the command line is wrong.
    pub(super) fn new(verb: Option<Verb>, console: &Console) -> Self {
        let results = verb.map_or(Results::None, |verb| verb.row().results);
        let (planned, done) = (Vec::new(), Vec::new());
        Self { console: console.clone(), results, changed: false, planned, done, failed: None }
    }

    /// Takes in what happened.
    pub(super) fn see(&mut self, event: &Event) {
        match event {
            Event::Planned(plan) => self.planned.push(plan.clone()),
            Event::Deployed(deployed) => {
                self.forget(Subject::Function, &deployed.function, &deployed.region);
                self.changed |= deployed.changed();
                self.done.push(plain::done(deployed));
            }
            Event::LayerDeployed(layer) => {
                self.forget(Subject::Layer, &layer.layer, &layer.region);
                self.changed |= layer.changed();
                self.done.push(plain::layer_done(layer));
            }
            Event::Removed { ending, .. } => self.changed |= *ending == event::Ending::Done,
            Event::RolledBack { function, rollback, .. } => {
                self.changed = true;
                self.done.push(format!("{function} rolled back, version {}", rollback.to));
            }
            Event::Notice(notice) if self.results == Results::Handed => self.done.push(notice.message.clone()),
            Event::Failed(failure) => {
                self.changed |= failure.changed();
                self.planned.retain(|plan| !failure.is_of(plan));
                self.failed = Some(self.console.redact(&failure.cause()).into_owned());
            }
            _ => {}
        }
    }

    /// How the run ended.
    pub(super) fn verdict(&self, exit_code: u8) -> Verdict {
        let would_change = self.failed.is_none() && self.planned.iter().any(Plan::changes);
        // 2 is the answer of `plan --exit-code`; a failure that is allowed ends with 0.
        let failed = self.failed.clone().filter(|_| !matches!(exit_code, 0 | 2));
        let done = self.console.redact(&self.done.join(", ")).into_owned();
        let (changed, planned) = (self.changed || would_change, self.planned.clone());
        Verdict { exit_code, changed, planned, done, failed }
    }

    /// A plan that was done is told by its outcome.
    fn forget(&mut self, subject: Subject, name: &str, region: &str) {
        self.planned.retain(|plan| plan.subject != subject || plan.function != name || plan.region != region);
    }
}
