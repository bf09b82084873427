//! The results: outputs, summary and reports, in the files that the user names and in those of the CI.

use super::checkout::Checkout;
use super::console::Console;
use super::delivery::Delivery;
use super::dialect::{Board, Level, Output};
use super::files::Gathered;
use super::manner::Manner;
use super::observer::{Observer, Surroundings, redacted};
use super::outcome::Verdict;
use super::page::{self, Part};
use super::{markdown, outputs, plain, summary, variables};
use crate::event::{Block, Deployed, Event, Moment};
use crate::host::Build;
use crate::place::Problem;
use crate::verb::{self, Verb};

/// The results so far.
pub(super) struct Results {
    board: Box<dyn Board>,
    console: Console,
    files: Gathered,
    build: Build,
    /// Whether later steps get outputs.
    outputs_are: verb::Outputs,
    outputs: Vec<Output>,
    /// The deployed functions.
    functions: Vec<Deployed>,
    /// The ARN of the version of the last layer.
    layer_arn: Option<String>,
    /// The parts of the summary.
    parts: Vec<Part>,
    /// The moments of the releases in progress, each with the number of its block.
    moments: Vec<(Option<usize>, Moment)>,
}

impl Results {
    /// The results of a verb. `verb` is absent if the command line is wrong.
    pub(super) fn new(
        board: Box<dyn Board>,
        manner: &Manner,
        verb: Option<Verb>,
        surroundings: &Surroundings<'_>,
        console: &Console,
    ) -> Self {
        let Surroundings { host, ci, build, .. } = surroundings;
        Self {
            board,
            console: console.clone(),
            files: Gathered::new(manner.files.clone(), &host.directory, Checkout::of(*ci, host)),
            build: build.clone(),
            outputs_are: verb.map_or(verb::Outputs::None, |verb| verb.row().outputs),
            outputs: Vec::new(),
            functions: Vec::new(),
            layer_arn: None,
            parts: Vec::new(),
            moments: Vec::new(),
        }
    }

    fn note(&mut self, level: Level, problem: &Problem) -> Vec<Delivery> {
        let problem = redacted(problem, &self.console);
        self.files.note(level, &problem);
        self.board.note(level, &problem)
    }

    /// Delivers the outputs.
    fn hand_over(&mut self, verdict: &Verdict) -> Vec<Delivery> {
        if self.outputs_are == verb::Outputs::None {
            return Vec::new();
        }
        self.outputs.extend(self.layer_arn.take().map(|arn| ("layer-version-arn", arn)));
        self.outputs.push(("changed", verdict.changed.to_string()));
        if self.functions.len() > 1 {
            self.outputs.push(("functions", outputs::functions(&self.functions)));
        }
        let redacted = |(name, value): &Output| match self.console.redact(value) {
            value if variables::is_json(name) => (*name, outputs::unspliceable(&value)),
            value => (*name, value.into_owned()),
        };
        let outputs = self.outputs.iter().map(redacted);
        let (outputs, odd): (Vec<_>, Vec<_>) =
            outputs.partition(|(name, value)| variables::is_json(name) || variables::is_plain(value));
        let left_out = |(name, _): &Output| {
            let message =
                format!("AWS answered with characters that the output `{name}` cannot hold, so it is left out");
            Delivery::Warn(message)
        };
        let warnings = odd.iter().map(left_out).collect();
        [warnings, self.files.outputs(&outputs), self.board.outputs(&outputs)].concat()
    }

    /// Adds a part about a block to the summary, with the moments of its release, which has ended.
    fn show(&mut self, mut part: Part, about: Option<&Block>) {
        let number = about.map(|block| block.number);
        let of_block = self.moments.extract_if(.., |(of, _)| *of == number);
        let moments: Vec<_> = of_block.map(|(_, moment)| moment).collect();
        if !moments.is_empty() {
            let moments = summary::of_moments(&moments);
            match &mut part {
                Part::Line(text) | Part::Unchanged(text) | Part::Open(text) => text.push_str(&moments),
                Part::Fold { body, .. } => *body = [body.as_str(), moments.trim_end()].join("\n\n"),
            }
        }
        self.parts.push(part);
    }

    /// Delivers the summary.
    fn show_page(&mut self, verdict: &Verdict) -> Vec<Delivery> {
        let page = page::page(&self.parts, &verdict.overview, &page::footer(&self.build));
        let page = self.console.redact(&page);
        let written = self.files.summary(&page).into_iter();
        let shown =
            if page.is_empty() { Vec::new() } else { self.board.summary(&page, self.files.summary_file().as_deref()) };
        written.chain(shown).collect()
    }
}

impl Observer for Results {
    fn receive(&mut self, event: &Event, about: Option<&Block>) -> Vec<Delivery> {
        match event {
            Event::Warning(problem) => return self.note(Level::Warning, problem),
            Event::Notice(notice) => {
                if self.outputs_are == verb::Outputs::Written {
                    self.parts.push(Part::Line(markdown::paragraph(&notice.message)));
                }
                return self.note(Level::Notice, notice);
            }
            Event::Chosen(chosen) if self.outputs_are == verb::Outputs::Written => {
                self.parts.push(Part::Line(markdown::paragraph(&plain::stage(chosen))));
            }
            Event::Preview { number, base } => {
                let preview = plain::preview(number.as_deref(), base.as_deref());
                self.parts.push(Part::Line(markdown::paragraph(&preview)));
            }
            Event::Failed(failure) => {
                self.show(Part::Open(summary::of_failure(failure)), about);
                return failure.annotations().iter().flat_map(|problem| self.note(Level::Error, problem)).collect();
            }
            Event::Deployed(deployed) => {
                self.show(summary::of_deployed(deployed), about);
                self.outputs = deployed.outputs();
                self.functions.push(deployed.clone());
                if let Some((label, url)) = deployed.link() {
                    self.files.link(&label, &url);
                }
            }
            Event::Held(held) => self.show(summary::of_held(held), about),
            Event::LayerDeployed(layer) => {
                self.parts.push(summary::of_layer(layer));
                self.layer_arn = Some(layer.arn.clone());
            }
            Event::Moment(moment) => self.moments.push((about.map(|block| block.number), moment.clone())),
            Event::Removed { function, region, version, effect } => {
                let removed = summary::of_removed(function, region, version.as_deref(), *effect);
                self.parts.push(Part::Open(removed));
            }
            Event::Rollback { rollback, .. } if !rollback.changes() => {
                self.outputs = vec![("version", rollback.to.clone())];
            }
            Event::RolledBack { function, region, rollback } => {
                self.outputs = vec![("version", rollback.to.clone())];
                self.parts.push(Part::Open(summary::of_rollback(function, region, rollback)));
            }
            _ => {}
        }
        Vec::new()
    }

    fn finish(&mut self, verdict: &Verdict) -> Vec<Delivery> {
        for plan in &verdict.planned {
            self.parts.push(summary::part_of_plan(plan));
            if self.outputs.is_empty() {
                self.outputs = vec![("plan", outputs::plan(plan))];
            }
        }
        let outputs = self.hand_over(verdict);
        let page = self.show_page(verdict);
        [outputs, page, self.files.reports(&self.console), self.board.end(verdict.ending())].concat()
    }
}
