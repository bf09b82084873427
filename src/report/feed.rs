//! The events of a run as lines of JSON on standard error, for programs that follow it: `log: json`.
//!
//! Each event is reported when it happens, not in the order of the blocks. So each line names its function or layer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::console::Console;
use super::delivery::Delivery;
use super::line::line;
use super::members;
use super::observer::Observer;
use super::outcome::Verdict;
use super::problems::{Complaint, Failed, Skipped};
use super::release::{self, seconds};
use super::steps::steps;
use crate::event::{Block, Effect, Event, Held, Traffic};
use crate::plan::{Plan, Step, Subject};

/// The time between two lines about the progress of the same work.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Turns events into lines of JSON.
pub(super) struct Feed {
    console: Console,
    /// The time since the Unix epoch.
    clock: fn() -> Duration,
    /// The Regions of blocks that the configuration does not say, by the number of the block.
    regions: BTreeMap<usize, String>,
    /// The time at which the progress of a block was last shown.
    progress: BTreeMap<Option<usize>, Duration>,
}

impl Feed {
    /// The lines of a run. The first one says which command it is.
    pub(super) fn new(console: &Console, clock: fn() -> Duration) -> Self {
        Self { console: console.clone(), clock, regions: BTreeMap::new(), progress: BTreeMap::new() }
    }

    /// The first line.
    pub(super) fn begin(&self, command: &str) -> Delivery {
        let tool = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
        self.line("run_start", None, json!({ "command": command, "tool": tool }))
    }

    fn line(&self, event: &str, about: Option<&Block>, own: Value) -> Delivery {
        let mut members = Map::new();
        if let Some(Block { number, subject, name, region }) = about {
            let kind = if *subject == Subject::Layer { "layer" } else { "function" };
            members.insert(kind.to_owned(), name.as_str().into());
            let region = region.as_ref().or_else(|| self.regions.get(number));
            members.extend(region.map(|region| ("region".to_owned(), region.as_str().into())));
        }
        if let Value::Object(own) = own {
            members.extend(own);
        }
        Delivery::Event(self.console.json(line(event, members, (self.clock)())))
    }

    /// Whether it is time for a line about progress.
    fn shows_progress(&mut self, about: Option<&Block>) -> bool {
        let (now, number) = ((self.clock)(), about.map(|block| block.number));
        let last = self.progress.insert(number, now);
        let is_due = last.is_none_or(|last| now.saturating_sub(last) >= PROGRESS_EVERY);
        if let (false, Some(last)) = (is_due, last) {
            self.progress.insert(number, last);
        }
        is_due
    }
}

impl Observer for Feed {
    fn receive(&mut self, event: &Event, about: Option<&Block>) -> Vec<Delivery> {
        if let (Event::Planned(plan), Some(block)) = (event, about) {
            self.regions.insert(block.number, plan.region.clone());
        }
        if matches!(event, Event::Progress { .. }) && !self.shows_progress(about) {
            return Vec::new();
        }
        described(event).map(|(name, own)| self.line(name, about, own)).into_iter().collect()
    }

    fn finish(&mut self, verdict: &Verdict) -> Vec<Delivery> {
        let Verdict { exit_code, changed, overview, .. } = verdict;
        let totals = value(&overview.totals());
        vec![self.line("run_end", None, json!({ "exit_code": exit_code, "changed": changed, "totals": totals }))]
    }
}

fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

/// The name of an event and its own members; `None`: it is not for programs.
#[expect(clippy::too_many_lines, reason = "a table, one row an event")]
fn described(event: &Event) -> Option<(&'static str, Value)> {
    Some(match event {
        Event::Chosen(chosen) => ("stage", json!({ "stage": members::stage(chosen) })),
        Event::Preview { number, base } => ("preview", json!({ "pull_request": number, "base": base })),
        Event::Account(caller) => ("account", json!({ "account": caller.account, "identity": caller.identity })),
        Event::Blocks(blocks) => {
            let number = |subject| blocks.iter().filter(|block| block.subject == subject).count();
            ("blocks", json!({ "functions": number(Subject::Function), "layers": number(Subject::Layer) }))
        }
        Event::Warning(problem) => ("warning", value(&Complaint::of(problem, None))),
        Event::Notice(problem) => ("notice", value(&Complaint::of(problem, None))),
        Event::Failed(failure) => ("error", renamed(value(&Failed::of(failure, None)))),
        Event::Skipped(skip) => ("skipped", renamed(value(&Skipped::of(skip)))),
        Event::NotBegun { because } => ("not_begun", json!({ "reason": because })),
        Event::Planned(plan) => ("planned", planned(plan)),
        Event::Rehearsed => ("dry_run_succeeded", json!({})),
        Event::StepStarted { step, .. } => ("step_start", json!({ "step": step_id(step) })),
        Event::StepDone { took, version } => {
            ("step_complete", json!({ "seconds": seconds(*took), "version": version }))
        }
        Event::Waiting { what, so_far } => ("waiting", json!({ "for": what, "seconds": seconds(*so_far) })),
        Event::Progress { doing, done, all, so_far } => {
            let doing = doing.word().to_ascii_lowercase();
            ("progress", json!({ "doing": doing, "bytes": done, "of": all, "seconds": seconds(*so_far) }))
        }
        // Its own member `event` is the name.
        Event::Moment(moment) => ("", release::document(moment)),
        Event::Deployed(deployed) => {
            let own = json!({
                "changed": deployed.changed(),
                "region": deployed.region,
                "function_arn": deployed.arn,
                "version": deployed.version,
                "alias": deployed.alias,
                "function_url": deployed.url,
                "seconds": seconds(deployed.took),
            });
            ("deployed", own)
        }
        Event::LayerDeployed(layer) => {
            let own = json!({
                "changed": layer.changed(),
                "region": layer.region,
                "layer_version_arn": layer.arn,
                "version": layer.version,
                "seconds": seconds(layer.took),
            });
            ("deployed", own)
        }
        Event::Held(held) => ("held", held_members(held)),
        Event::Checked { .. } | Event::LayerChecked { .. } => ("checked", json!({})),
        Event::Packaged(packaged) => {
            let own = json!({
                "name": packaged.heading,
                "path": packaged.path,
                "size": packaged.size,
                "code_sha256": packaged.code_sha256,
                "files": packaged.entries.len(),
            });
            ("packaged", own)
        }
        Event::Command(command) => ("command", json!({ "command": command })),
        Event::CommandOutput { line, .. } => ("command_output", json!({ "line": line })),
        Event::Invoking { function, qualifier } => {
            ("invoking", json!({ "function": function, "qualifier": qualifier }))
        }
        Event::Invoked(invocation) => {
            let own = json!({
                "function": invocation.function,
                "qualifier": invocation.qualifier,
                "status_code": invocation.status,
                "executed_version": invocation.executed_version,
                "function_error": invocation.function_error,
                "seconds": seconds(invocation.took),
            });
            ("invoked", own)
        }
        Event::Removed { function, region, version, effect } => {
            let outcome = if *effect == Effect::Done { "deleted" } else { "absent" };
            let own = json!({ "function": function, "region": region, "version": version, "outcome": outcome });
            ("removed", own)
        }
        Event::RolledBack { function, region, rollback } => {
            let own = json!({
                "function": function,
                "region": region,
                "alias": rollback.alias.name,
                "from": rollback.alias.version,
                "to": rollback.to,
            });
            ("rolled_back", own)
        }
        // Standard output has these results, and people answer questions.
        Event::Answer(_)
        | Event::Logged(_)
        | Event::Status(_)
        | Event::Listed { .. }
        | Event::Removing(_)
        | Event::Rollback { .. }
        | Event::Question(_)
        // These only arrange the text of a log.
        | Event::Stage(_)
        | Event::StageDone
        | Event::Overall { .. }
        | Event::Identity(_) => return None,
    })
}

fn planned(plan: &Plan) -> Value {
    json!({
        "changed": plan.changes(),
        "region": plan.region,
        "plan": steps(plan),
        "notes": plan.notes,
    })
}

fn step_id(step: &Step) -> String {
    step.view().id.into_owned()
}

/// Members of the document with the names that lines have for functions and layers.
fn renamed(mut own: Value) -> Value {
    if let Value::Object(members) = &mut own {
        for (from, to) in [("function_name", "function"), ("layer_name", "layer")] {
            let name = members.shift_remove(from);
            members.extend(name.map(|name| (to.to_owned(), name)));
        }
    }
    own
}

fn held_members(held: &Held) -> Value {
    let state = match held.traffic {
        Traffic::Stayed(_) => "stayed",
        Traffic::Back(_) => "back",
        Traffic::New => "moved",
    };
    json!({ "region": held.region, "version": held.version, "alias": held.alias, "alias_state": state })
}
