//! The tally of a run of several blocks: how many functions and layers were created, changed and left alone.

use std::time::Duration;

use serde::Serialize;

use super::plan::count;
use crate::event::Event;
use crate::plan::{Plan, Step, Subject, Whose};

/// How many functions and layers had each outcome, so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Tally {
    created: usize,
    updated: usize,
    unchanged: usize,
    layers_published: usize,
    layers_unchanged: usize,
    failed: usize,
    skipped: usize,
    /// Plans that were shown and not applied.
    to_create: usize,
    to_update: usize,
    layers_to_publish: usize,
    /// Seconds from the beginning to the end of the run.
    seconds: f64,
}

impl Tally {
    /// Counts an event.
    pub(super) fn receive(&mut self, event: &Event) {
        match event {
            Event::Deployed(deployed) if !deployed.changed() => self.unchanged += 1,
            Event::Deployed(deployed) if creates(&deployed.plan) => self.created += 1,
            Event::Deployed(_) => self.updated += 1,
            Event::LayerDeployed(layer) if layer.changed() => self.layers_published += 1,
            Event::LayerDeployed(_) => self.layers_unchanged += 1,
            Event::Failed(failure) if failure.function.is_some() || failure.layer.is_some() => self.failed += 1,
            Event::Skipped(_) => self.skipped += 1,
            _ => {}
        }
    }

    /// The tally at the end, with the plans that were not applied.
    pub(super) fn with(mut self, planned: &[Plan], took: Duration) -> Self {
        for plan in planned {
            match (plan.subject, plan.changes()) {
                (Subject::Function, false) => self.unchanged += 1,
                (Subject::Function, true) if creates(plan) => self.to_create += 1,
                (Subject::Function, true) => self.to_update += 1,
                (Subject::Layer, false) => self.layers_unchanged += 1,
                (Subject::Layer, true) => self.layers_to_publish += 1,
            }
        }
        Self { seconds: (took.as_secs_f64() * 10.0).round() / 10.0, ..self }
    }

    /// The tally in one line; `None` for a run of one block, or of none that was deployed.
    pub(super) fn line(&self) -> Option<String> {
        let layer = |number: usize, what: &str| (number > 0).then(|| format!("{} {what}", count(number, "layer")));
        let function = |number: usize, what: &str| (number > 0).then(|| format!("{number} {what}"));
        let Self { created, updated, unchanged, layers_published, layers_unchanged, failed, skipped, .. } = *self;
        let seen = [created, updated, unchanged, layers_published, layers_unchanged, failed];
        let planned = [self.to_create, self.to_update, self.layers_to_publish];
        let blocks: usize = seen.iter().chain(&planned).sum();
        if blocks == 0 || blocks + skipped < 2 {
            return None;
        }
        let parts = [
            function(created, "created"),
            function(updated, "updated"),
            function(self.to_create, "to create"),
            function(self.to_update, "to update"),
            function(unchanged, "unchanged"),
            layer(layers_published, "published"),
            layer(self.layers_to_publish, "to publish"),
            layer(layers_unchanged, "unchanged"),
            function(failed, "failed"),
            function(skipped, "skipped"),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        Some(format!("{} in {:.1} s", parts.join(", "), self.seconds))
    }
}

/// Whether a plan creates its function.
fn creates(plan: &Plan) -> bool {
    plan.steps.iter().map(Step::view).any(|view| view.whose == Whose::NewFunction)
}
