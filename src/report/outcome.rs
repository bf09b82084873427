//! The outcome: what changed, what was done, and why the run failed.

use std::time::Duration;

use super::console::Console;
use super::dialect::Ending;
use super::overview::Overview;
use super::plain;
use crate::event::{Block, Effect, Event};
use crate::plan::{Plan, Subject};
use crate::verb::{Outputs, Verb};

/// The outcome of the run so far.
pub(super) struct Outcome {
    console: Console,
    /// Whether the verb has outputs for later steps.
    results: Outputs,
    changed: bool,
    /// Plans that were shown and not applied, so far.
    planned: Vec<Plan>,
    /// What was done; each entry is a few words.
    done: Vec<String>,
    overview: Overview,
    /// The time since the Unix epoch.
    clock: fn() -> Duration,
    /// The time at the beginning of the run.
    begun: Duration,
    /// The last failure of the run or of a function.
    failed: Option<String>,
}

/// How the run ended.
pub(super) struct Verdict {
    /// The exit code of the process.
    pub exit_code: u8,
    /// Whether the run changed anything, or the shown plans would.
    pub changed: bool,
    /// Plans that were shown and not applied.
    pub planned: Vec<Plan>,
    /// What became of each function and layer.
    pub overview: Overview,
    /// What was done, in a few words.
    done: String,
    /// Why the run failed; absent: it succeeded.
    failed: Option<String>,
}

impl Verdict {
    /// What was done in a few words, or why the run failed.
    pub(super) fn ending(&self) -> Ending<'_> {
        self.failed.as_deref().map_or(Ok(&self.done), Err)
    }
}

impl Outcome {
    /// The outcome of a verb. `verb` is absent if the command line is wrong.
    pub(super) fn new(verb: Option<Verb>, console: &Console, clock: fn() -> Duration) -> Self {
        let results = verb.map_or(Outputs::None, |verb| verb.row().outputs);
        let (planned, done, overview) = (Vec::new(), Vec::new(), Overview::default());
        Self {
            console: console.clone(),
            results,
            changed: false,
            planned,
            done,
            overview,
            clock,
            begun: clock(),
            failed: None,
        }
    }

    /// Receives an event, and the function or layer that it is about.
    pub(super) fn receive(&mut self, event: &Event, about: Option<&Block>) {
        self.overview.receive(event, about, &self.console);
        match event {
            Event::Planned(plan) => self.planned.push(plan.clone()),
            Event::Deployed(deployed) => {
                self.forget(Subject::Function, &deployed.function, &deployed.region);
                self.changed |= deployed.changed();
                self.done.push(plain::done(deployed));
            }
            Event::Held(held) => {
                self.forget(Subject::Function, &held.function, &held.region);
                self.changed |= held.changed();
            }
            Event::LayerDeployed(layer) => {
                self.forget(Subject::Layer, &layer.layer, &layer.region);
                self.changed |= layer.changed();
                self.done.push(plain::layer_done(layer));
            }
            Event::Removed { effect, .. } => self.changed |= *effect == Effect::Done,
            Event::RolledBack { function, rollback, .. } => {
                self.changed = true;
                self.done.push(format!("{function} rolled back, version {}", rollback.to));
            }
            Event::Notice(notice) if self.results == Outputs::Written => self.done.push(notice.message.clone()),
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
        // 2 is the exit code of `plan --exit-code`. An allowed failure ends with 0.
        let failed = self.failed.clone().filter(|_| !matches!(exit_code, 0 | 2));
        let overview = self.overview.at_end((self.clock)().saturating_sub(self.begun));
        let done = match overview.line().filter(|_| !self.done.is_empty()) {
            Some(line) => line,
            None => self.console.redact(&self.done.join(", ")).into_owned(),
        };
        let (changed, planned) = (self.changed || would_change, self.planned.clone());
        Verdict { exit_code, changed, planned, overview, done, failed }
    }

    /// Removes a plan that was applied: its outcome is reported instead.
    fn forget(&mut self, subject: Subject, name: &str, region: &str) {
        self.planned.retain(|plan| plan.subject != subject || plan.name != name || plan.region != region);
    }
}
