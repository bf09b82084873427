//! A function or layer of the overview, with what became of it so far.

use std::time::Duration;

use crate::event::{Block, Event};
use crate::plan::{Plan, Step, Subject, Whose};
use crate::report::console::Console;
use crate::report::{release, sanitise};
use crate::settings::Aspect;

/// A function or layer with its result.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub subject: Subject,
    name: String,
    /// Absent: not known yet.
    pub region: Option<String>,
    pub state: State,
    /// Why it is in this state; empty: the state says it.
    because: String,
    /// The names of what changes in an existing function.
    changes: Vec<&'static str>,
    version: Option<String>,
    alias: Option<String>,
    took: Option<Duration>,
}

impl Row {
    /// The row of a block that has not begun.
    pub(super) fn new(block: &Block) -> Self {
        let Block { number: _, subject, name, region } = block.clone();
        Self {
            subject,
            name,
            region,
            state: State::NotBegun,
            because: String::new(),
            changes: Vec::new(),
            version: None,
            alias: None,
            took: None,
        }
    }

    /// Receives an event about it.
    pub(super) fn receive(&mut self, event: &Event, console: &Console) {
        match event {
            Event::Planned(plan) => {
                self.region = Some(plan.region.clone());
                self.version.clone_from(&plan.published);
                self.changes = changes(plan);
                self.enter(State::planned(plan), String::new());
            }
            Event::Checked { .. } | Event::LayerChecked { .. } => self.enter(State::Checked, String::new()),
            Event::Deployed(deployed) => {
                self.version.clone_from(&deployed.version);
                self.alias.clone_from(&deployed.alias);
                self.took = Some(deployed.took);
                self.enter(State::done(&deployed.plan), String::new());
            }
            Event::LayerDeployed(layer) => {
                self.version = Some(layer.version.clone());
                self.took = Some(layer.took);
                self.enter(State::done(&layer.plan), String::new());
            }
            Event::Failed(failure) => {
                self.enter(State::Failed, console.redact(&failure.bare_cause()).into_owned());
            }
            Event::Held(held) => self.enter(State::Held, release::held_in_short(held)),
            Event::NotBegun { because } => self.enter(State::NotBegun, because.clone()),
            _ => {}
        }
    }

    fn enter(&mut self, state: State, because: String) {
        (self.state, self.because) = (state, because);
    }

    /// Its name. The name of a layer comes after the word "layer".
    pub(super) fn title(&self) -> String {
        let layer = if self.subject == Subject::Layer { "layer " } else { "" };
        format!("{layer}{}", sanitise::one_line(&self.name))
    }

    /// The state with a mark, in Markdown.
    pub(super) fn mark(&self) -> String {
        let word = self.state.word();
        match self.state {
            State::Failed => format!("✘ **{word}**"),
            State::Held | State::NotBegun => format!("– {word}"),
            _ => format!("✔ {word}"),
        }
    }

    /// The time that it took; absent: it is not done.
    pub(super) fn time(&self) -> Option<String> {
        self.took.map(|took| format!("{:.1} s", took.as_secs_f64()))
    }

    /// The version that is live now, and the alias that points at it.
    pub(super) fn release(&self) -> Option<String> {
        let is_done = matches!(self.state, State::Created | State::Updated | State::Published | State::Unchanged);
        let alias = self.alias.as_ref().map(|alias| format!(", alias {alias}")).unwrap_or_default();
        self.version.as_ref().filter(|_| is_done).map(|version| format!("{version}{alias}"))
    }

    /// What changed, or why nothing did.
    pub(super) fn about(&self) -> String {
        let is_shown = |name: &&&str| match self.state {
            State::ToUpdate => true,
            // Its version is shown anyway.
            State::Updated => !matches!(**name, "version" | "version_description" | "alias"),
            _ => false,
        };
        let changes: Vec<_> = self.changes.iter().filter(is_shown).copied().collect();
        sanitise::one_line(&if changes.is_empty() { self.because.clone() } else { changes.join(", ") })
    }

    /// All about it in one line: time, version and changes, or the reason.
    pub(super) fn detail(&self) -> String {
        let is_done = !matches!(self.state, State::Failed | State::NotBegun);
        let time = self.time().filter(|_| is_done).map(|time| format!("in {time}"));
        let version = self.release().map(|version| format!("version {version}"));
        let head: Vec<_> = time.into_iter().chain(version).collect();
        let parts = [head.join(", "), self.about()];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        sanitise::one_line(&parts.join(": "))
    }
}

/// The names of what a plan changes, each once.
fn changes(plan: &Plan) -> Vec<&'static str> {
    let mut names = Vec::new();
    for view in plan.views() {
        for difference in &view.changes {
            let name = difference.about.name();
            if !matches!(difference.about, Aspect::Object | Aspect::SmokeTest) && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The result for a function or layer, in the order of the closing line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Created,
    Updated,
    Published,
    ToCreate,
    ToUpdate,
    ToPublish,
    Unchanged,
    Checked,
    /// It has no new traffic, because another one failed.
    Held,
    Failed,
    NotBegun,
}

impl State {
    /// All of them, in the order of the closing line.
    pub(super) const ALL: [Self; 11] = [
        Self::Created,
        Self::Updated,
        Self::Published,
        Self::ToCreate,
        Self::ToUpdate,
        Self::ToPublish,
        Self::Unchanged,
        Self::Checked,
        Self::Held,
        Self::Failed,
        Self::NotBegun,
    ];

    /// The name in the table and in the closing line.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Published => "published",
            Self::ToCreate => "to create",
            Self::ToUpdate => "to update",
            Self::ToPublish => "to publish",
            Self::Unchanged => "unchanged",
            Self::Checked => "checked",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::NotBegun => "not begun",
        }
    }

    /// Whether the table has a row for it. The closing line counts the others.
    pub(super) fn is_news(self) -> bool {
        !matches!(self, Self::Unchanged | Self::Checked)
    }

    fn planned(plan: &Plan) -> Self {
        match plan.subject {
            _ if !plan.changes() => Self::Unchanged,
            Subject::Layer => Self::ToPublish,
            Subject::Function if creates(plan) => Self::ToCreate,
            Subject::Function => Self::ToUpdate,
        }
    }

    fn done(plan: &Plan) -> Self {
        match Self::planned(plan) {
            Self::ToCreate => Self::Created,
            Self::ToUpdate => Self::Updated,
            Self::ToPublish => Self::Published,
            other => other,
        }
    }
}

/// Whether a plan creates its function.
fn creates(plan: &Plan) -> bool {
    plan.steps.iter().map(Step::view).any(|view| view.whose == Whose::NewFunction)
}
