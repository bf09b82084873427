//! The overview of a run of several functions and layers: the result of each in a table, and their numbers.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::console::Console;
use super::plan::count;
use super::{markdown, release, sanitise};
use crate::event::{Block, Event, Failure, Happened};
use crate::plan::{Plan, Step, Subject, Whose};
use crate::settings::Aspect;

/// The longest line of the table in a log.
const WIDTH: usize = 80;

/// The longest name in the table of a log, and the longest one beside a Region. A longer one is cut in its middle.
const NAME: usize = 40;
const NAME_BESIDE_REGION: usize = 30;

/// The number of functions that did not begin, which a table shows. They have the same reason.
const SHOWN_NOT_BEGUN: usize = 10;

/// What became of each function and layer, so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Overview {
    rows: Vec<Row>,
    skipped: usize,
    /// Seconds from the beginning to the end of the run.
    seconds: f64,
}

/// A function or layer with its result.
#[derive(Debug, Clone)]
struct Row {
    subject: Subject,
    name: String,
    /// Absent: not known yet.
    region: Option<String>,
    state: State,
    /// Why it is in this state; empty: the state says it.
    because: String,
    /// The names of what changes in an existing function.
    changes: Vec<&'static str>,
    version: Option<String>,
    alias: Option<String>,
    took: Option<Duration>,
    /// Where the alias is after its traffic was taken back; empty: it was not.
    back: String,
}

/// The result for a function or layer, in the order of the closing line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
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
    const ALL: [Self; 11] = [
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

    fn word(self) -> &'static str {
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
    fn is_news(self) -> bool {
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

/// The numbers of functions and layers with each result, for the JSON document.
#[derive(Serialize)]
pub(super) struct Totals {
    created: usize,
    updated: usize,
    unchanged: usize,
    checked: usize,
    layers_published: usize,
    layers_unchanged: usize,
    held: usize,
    failed: usize,
    not_begun: usize,
    skipped: usize,
    to_create: usize,
    to_update: usize,
    layers_to_publish: usize,
    seconds: f64,
}

impl Overview {
    /// Receives an event and the function or layer that it is about.
    pub(super) fn receive(&mut self, event: &Event, about: Option<&Block>, console: &Console) {
        match event {
            Event::Blocks(blocks) => self.rows = blocks.iter().map(Row::new).collect(),
            Event::Skipped(_) => self.skipped += 1,
            _ => {
                if let Some(row) = about.and_then(|block| self.rows.get_mut(block.number)) {
                    row.receive(event, console);
                }
            }
        }
    }

    /// The overview at the end of the run.
    pub(super) fn at_end(&self, took: Duration) -> Self {
        Self { seconds: (took.as_secs_f64() * 10.0).round() / 10.0, ..self.clone() }
    }

    /// Whether the run has several functions and layers.
    pub(super) fn has_several(&self) -> bool {
        !self.rows.is_empty() && self.rows.len() + self.skipped > 1
    }

    fn number(&self, state: State, subject: Subject) -> usize {
        self.rows.iter().filter(|row| row.state == state && row.subject == subject).count()
    }

    /// The numbers; `None` for a run of one block, or of none that was deployed.
    pub(super) fn totals(&self) -> Option<Totals> {
        let functions = |state| self.number(state, Subject::Function);
        let layers = |state| self.number(state, Subject::Layer);
        let both = |state| functions(state) + layers(state);
        self.has_several().then(|| Totals {
            created: functions(State::Created),
            updated: functions(State::Updated),
            unchanged: functions(State::Unchanged),
            checked: both(State::Checked),
            layers_published: layers(State::Published),
            layers_unchanged: layers(State::Unchanged),
            held: functions(State::Held),
            failed: both(State::Failed),
            not_begun: both(State::NotBegun),
            skipped: self.skipped,
            to_create: functions(State::ToCreate),
            to_update: functions(State::ToUpdate),
            layers_to_publish: layers(State::ToPublish),
            seconds: self.seconds,
        })
    }

    /// The numbers in one line; `None` for a run of one block, or of none that was deployed.
    pub(super) fn line(&self) -> Option<String> {
        let of = |state: State| {
            let (functions, layers) = (self.number(state, Subject::Function), self.number(state, Subject::Layer));
            let functions = (functions > 0).then(|| format!("{functions} {}", state.word()));
            let layers = (layers > 0).then(|| format!("{} {}", count(layers, "layer"), state.word()));
            functions.into_iter().chain(layers)
        };
        let skipped = (self.skipped > 0).then(|| format!("{} skipped", self.skipped));
        let parts: Vec<_> = State::ALL.into_iter().flat_map(of).chain(skipped).collect();
        self.has_several().then(|| format!("{} in {:.1} s", parts.join(", "), self.seconds))
    }

    /// The rows to show, and the number of the others that did not begin.
    fn shown(&self, extent: Extent) -> (Vec<&Row>, usize) {
        let mut not_begun = 0;
        let rows = self.rows.iter().filter(|row| {
            not_begun += usize::from(row.state == State::NotBegun);
            let is_first = row.state != State::NotBegun || not_begun <= SHOWN_NOT_BEGUN;
            extent == Extent::All || row.state.is_news() && is_first
        });
        let rows: Vec<_> = rows.collect();
        let more = not_begun.saturating_sub(SHOWN_NOT_BEGUN);
        (rows, if extent == Extent::All { 0 } else { more })
    }

    /// Whether the rows are of several Regions.
    fn has_regions(&self) -> bool {
        self.rows.iter().filter_map(|row| row.region.as_ref()).collect::<BTreeSet<_>>().len() > 1
    }

    /// The table and the closing line for a log; empty for a run of one block.
    pub(super) fn lines(&self, extent: Extent) -> Vec<String> {
        let Some(line) = self.line() else { return Vec::new() };
        let (rows, more) = self.shown(extent);
        let has_regions = self.has_regions();
        let longest = if has_regions { NAME_BESIDE_REGION } else { NAME };
        let cells = |row: &&Row| {
            let region = row.region.as_deref().filter(|_| has_regions).unwrap_or_default();
            [row.state.word().to_owned(), cut_inside(&row.title(), longest), sanitise::one_line(region), row.detail()]
        };
        let mut cells: Vec<_> = rows.iter().map(cells).collect();
        let rest = format!("… and {}", count(more, "other"));
        cells.extend((more > 0).then(|| [State::NotBegun.word().to_owned(), rest, String::new(), String::new()]));
        let widths = [0, 1, 2].map(|at| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or_default());
        let line_of = |[state, name, region, detail]: &[String; 4]| {
            let [first, second, third] = widths;
            let region = if has_regions { format!("{region:<third$}  ") } else { String::new() };
            let text = format!("{state:<first$}  {name:<second$}  {region}{detail}");
            cut_end(text.trim_end(), WIDTH)
        };
        cells.iter().map(line_of).chain([format!("{line}.")]).collect()
    }

    /// The table in Markdown: its head, then a line for each row.
    pub(super) fn markdown(&self) -> Vec<String> {
        let (rows, more) = self.shown(Extent::News);
        let has_regions = self.has_regions();
        let region = |text: &str| if has_regions { format!(" {text} |") } else { String::new() };
        if rows.is_empty() {
            return Vec::new();
        }
        let line = |row: &Row| {
            let (state, name) = (row.mark(), markdown::text(&row.title()));
            let of = row.region.as_deref().map(markdown::text).unwrap_or_default();
            let time = row.took.map(seconds).unwrap_or_default();
            let (version, about) = (markdown::text(&row.release().unwrap_or_default()), markdown::text(&row.about()));
            format!("| {state} | {name} |{} {version} | {time} | {about} |", region(&of))
        };
        let head = [
            format!("| result | name |{} version | time | |", region("Region")),
            format!("| --- | --- |{} --- | --: | --- |", region("---")),
        ];
        let rest = (more > 0).then(|| format!("| – not begun | … and {} |{} | | |", count(more, "other"), region("")));
        head.into_iter().chain(rows.into_iter().map(line)).chain(rest).collect()
    }

    /// The names of the unchanged functions and layers.
    pub(super) fn unchanged(&self) -> Vec<String> {
        let has_regions = self.has_regions();
        let name = |row: &Row| match row.region.as_ref().filter(|_| has_regions) {
            Some(region) => format!("{} in {region}", row.title()),
            None => row.title(),
        };
        self.rows.iter().filter(|row| row.state == State::Unchanged).map(name).collect()
    }
}

/// The rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Those of functions that are not as they were.
    News,
    /// All.
    All,
}

impl Row {
    fn new(block: &Block) -> Self {
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
            back: String::new(),
        }
    }

    fn receive(&mut self, event: &Event, console: &Console) {
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
            Event::Moment(moment) => match &moment.what {
                Happened::TakenBack { alias, version, problem: None } => {
                    self.back = format!("; {alias} is at version {version} again");
                }
                Happened::TakenBack { alias, problem: Some(_), .. } => {
                    self.back = format!("; the traffic of {alias} could not be taken back");
                }
                Happened::Tested { .. } | Happened::Shifted { .. } => {}
            },
            Event::Failed(failure) => {
                let reason = console.redact(&reason(failure)).into_owned();
                self.enter(State::Failed, reason + &self.back);
            }
            Event::Held(held) => self.enter(State::Held, release::held_in_short(held)),
            Event::NotBegun { because } => self.enter(State::NotBegun, because.clone()),
            _ => {}
        }
    }

    fn enter(&mut self, state: State, because: String) {
        (self.state, self.because) = (state, because);
    }

    fn title(&self) -> String {
        let layer = if self.subject == Subject::Layer { "layer " } else { "" };
        format!("{layer}{}", sanitise::one_line(&self.name))
    }

    /// The state with a mark, in Markdown.
    fn mark(&self) -> String {
        let word = self.state.word();
        match self.state {
            State::Failed => format!("✘ **{word}**"),
            State::Held | State::NotBegun => format!("– {word}"),
            _ => format!("✔ {word}"),
        }
    }

    /// The version that is live now, and the alias that points at it.
    fn release(&self) -> Option<String> {
        let is_done = matches!(self.state, State::Created | State::Updated | State::Published | State::Unchanged);
        let alias = self.alias.as_ref().map(|alias| format!(", alias {alias}")).unwrap_or_default();
        self.version.as_ref().filter(|_| is_done).map(|version| format!("{version}{alias}"))
    }

    /// What changed, or why nothing did.
    fn about(&self) -> String {
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
    fn detail(&self) -> String {
        let is_done = !matches!(self.state, State::Failed | State::NotBegun);
        let time = self.took.filter(|_| is_done).map(|took| format!("in {}", seconds(took)));
        let version = self.release().map(|version| format!("version {version}"));
        let head: Vec<_> = time.into_iter().chain(version).collect();
        let parts = [head.join(", "), self.about()];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        sanitise::one_line(&parts.join(": "))
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

/// Why something failed, in some words.
fn reason(failure: &Failure) -> String {
    match failure.problems.first() {
        Some(problem) => match &problem.option {
            Some(option) => format!("{option}: {}", problem.text()),
            None => problem.text(),
        },
        None => failure.headline.clone(),
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

/// Cuts the end of a text.
fn cut_end(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// Cuts the middle of a text: names that differ often differ at their ends.
fn cut_inside(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let tail = most / 2;
    text.chars().take(most - 1 - tail).chain(['…']).chain(text.chars().skip(length - tail)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Held, Moment, Traffic};
    use crate::place::Problem;

    fn failure(reason: &str) -> Event {
        Event::Failed(Failure {
            headline: "cannot read the live function `f`".to_owned(),
            problems: vec![Problem::new(reason)],
            done: Vec::new(),
            begun: Vec::new(),
            not_done: Vec::new(),
            help: None,
            function: Some("f".to_owned()),
            layer: None,
            exit_code: 1,
        })
    }

    fn block(number: usize, name: &str, region: &str) -> Block {
        Block { number, subject: Subject::Function, name: name.to_owned(), region: Some(region.to_owned()) }
    }

    /// The overview of these functions after these events.
    fn overview(blocks: &[Block], events: &[(usize, Event)], console: &Console) -> Overview {
        let mut overview = Overview::default();
        overview.receive(&Event::Blocks(blocks.to_vec()), None, console);
        for (number, event) in events {
            overview.receive(event, Some(&blocks[*number]), console);
        }
        overview.at_end(Duration::from_millis(1234))
    }

    #[test]
    fn a_secret_is_hidden_before_a_row_is_cut() {
        let (console, secret) = (Console::default(), "correct-horse-battery-staple");
        console.hide(secret);
        let blocks = [block(0, "f", "eu-west-1"), block(1, "g", "eu-west-1")];
        for before in 0..80 {
            let events = [(0, failure(&format!("{}{secret}", "x".repeat(before))))];
            let overview = overview(&blocks, &events, &console);
            let all = [overview.lines(Extent::All), overview.markdown()].concat().join("\n");
            assert!(!all.contains("cor"), "{all}");
        }
    }

    #[test]
    fn rows_fit_into_a_log_and_have_no_line_breaks_or_commands() {
        let long = "a-long-name-as-some-teams-have-it-for-a-function-in-production-1";
        let blocks = [block(0, long, "ap-southeast-1"), block(1, &long.replace('1', "2"), "eu-west-1")];
        let hostile = "no\n::error::x ##vso[task.complete result=Failed] \u{1b}[31mred";
        let events =
            [(0, failure(hostile)), (1, Event::NotBegun { because: "after the failure of ".to_owned() + long })];
        let overview = overview(&blocks, &events, &Console::default());
        insta::assert_snapshot!(overview.lines(Extent::News).join("\n"), @"
        failed     a-long-name-as…in-production-1  ap-southeast-1  no ::error::x # #vso…
        not begun  a-long-name-as…in-production-2  eu-west-1       after the failure of…
        1 failed, 1 not begun in 1.2 s.
        ");
        insta::assert_snapshot!(overview.markdown().join("\n"), @r"
        | result | name | Region | version | time | |
        | --- | --- | --- | --- | --: | --- |
        | ✘ **failed** | a-long-name-as-some-teams-have-it-for-a-function-in-production-1 | ap-southeast-1 |  |  | no ::error::x \# \#vso\[task.complete result=Failed\] red |
        | – not begun | a-long-name-as-some-teams-have-it-for-a-function-in-production-2 | eu-west-1 |  |  | after the failure of a-long-name-as-some-teams-have-it-for-a-function-in-production-1 |
        ");
    }

    #[test]
    fn many_that_did_not_begin_are_counted() {
        let blocks: Vec<_> = (0..200).map(|number| block(number, &format!("fn-{number}"), "eu-west-1")).collect();
        let events = [(0, failure("denied"))];
        let overview = overview(&blocks, &events, &Console::default());
        let lines = overview.lines(Extent::News);
        assert_eq!(lines.len(), 1 + SHOWN_NOT_BEGUN + 2);
        assert_eq!(lines[11], "not begun  … and 189 others");
        assert_eq!(lines[12], "1 failed, 199 not begun in 1.2 s.");
        assert_eq!(overview.lines(Extent::All).len(), 201);
    }

    #[test]
    fn a_row_says_where_the_alias_is_after_a_failure() {
        let blocks = [block(0, "f", "eu-west-1"), block(1, "g", "eu-west-1")];
        let back = |problem: Option<&str>| {
            let problem = problem.map(str::to_owned);
            let what = Happened::TakenBack { alias: "live".to_owned(), version: "12".to_owned(), problem };
            let (function, region) = ("f".to_owned(), "eu-west-1".to_owned());
            Event::Moment(Moment { function, region, at: Duration::ZERO, what })
        };
        let held = Event::Held(Held {
            function: "f".to_owned(),
            region: "eu-west-1".to_owned(),
            version: Some("13".to_owned()),
            alias: "live".to_owned(),
            traffic: Traffic::Back("12".to_owned()),
            done: Vec::new(),
            begun: Vec::new(),
            not_done: Vec::new(),
        });
        let row = |events: &[Event]| {
            let events: Vec<_> = events.iter().map(|event| (0, event.clone())).collect();
            overview(&blocks, &events, &Console::default()).lines(Extent::News).remove(0)
        };
        let rest = "live is at version 12 again";
        assert_eq!(row(&[back(None), failure("an alarm")]), format!("failed     f  an alarm; {rest}"));
        let stuck = "failed     f  an alarm; the traffic of live could not be taken back";
        assert_eq!(row(&[back(Some("denied")), failure("an alarm")]), stuck);
        assert!(row(&[back(None), held]).starts_with(&format!("held       f  {rest}; version 13 ")));
    }
}
