//! The overview of a run of several functions and layers: the result of each in a table, and their numbers.

mod row;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use self::row::{Row, State};
use super::console::Console;
use super::plan::count;
use super::{markdown, sanitise};
use crate::event::{Block, Event};
use crate::plan::Subject;

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
            let time = row.time().unwrap_or_default();
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
    use crate::event::{Failure, Held, Traffic};
    use crate::place::Problem;

    fn failure(reason: &str) -> Event {
        Event::Failed(Failure {
            headline: "cannot read the live function `f`".to_owned(),
            headline_is_cause: false,
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
    fn a_row_says_the_cause_and_where_the_alias_is() {
        let blocks = [block(0, "f", "eu-west-1"), block(1, "g", "eu-west-1")];
        let row = |event: Event| overview(&blocks, &[(0, event)], &Console::default()).lines(Extent::News).remove(0);
        let back = "callers of `live` get version 12 again";
        let Event::Failed(failure) = failure(back) else { unreachable!() };
        let failed = |headline_is_cause| {
            let headline = "the command failed".to_owned();
            row(Event::Failed(Failure { headline, headline_is_cause, ..failure.clone() }))
        };
        assert_eq!(failed(false), format!("failed     f  {back}"));
        assert_eq!(failed(true), format!("failed     f  the command failed; {back}"));
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
        assert!(row(held).starts_with("held       f  live is at version 12 again; version 13 "));
    }
}
