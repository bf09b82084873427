//! The log, which people read during the run, with the CI's groups and annotations.

use std::collections::BTreeSet;
use std::time::Duration;

use super::console::Console;
use super::delivery::{Delivery, Stream};
use super::dialect::{Level, Voice};
use super::manner::{Format, LogFormat, Manner, Wording};
use super::observer::{Observer, Surroundings, redacted};
use super::outcome::Verdict;
use super::overview::Extent;
use super::progress::Progress;
use super::{colour, live, logged, plain, release, sanitise};
use crate::event::{Author, Block, Event, Failure, Happened, Moment, Stage};
use crate::host::Ci;
use crate::place::Problem;

/// The state of the log.
pub(super) struct Log {
    voice: Box<dyn Voice>,
    console: Console,
    format: Format,
    loudness: Loudness,
    wording: Wording,
    /// The rows of the overview.
    extent: Extent,
    /// Whether to colour standard output, and standard error.
    coloured: [bool; 2],
    clock: fn() -> Duration,
    progress: Progress,
    /// The time of the last line.
    spoke: Duration,
    group: Group,
    /// Whether the run has several functions or layers.
    has_several: bool,
    /// The function in the last line of dpl's "Updating existing function".
    said_updating: Option<String>,
    /// The accounts that it has named.
    said_accounts: BTreeSet<String>,
    /// The number of annotations so far, by level.
    annotated: [usize; 3],
    /// Problems over the CI's limit, by level. They share the last annotation.
    held: [Vec<Problem>; 3],
    out: Vec<Delivery>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Loudness {
    Everything,
    /// Only results, warnings and errors.
    Results,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Open,
    None,
}

impl Log {
    /// A log in the voice of a CI.
    pub(super) fn new(
        voice: Box<dyn Voice>,
        manner: &Manner,
        surroundings: &Surroundings<'_>,
        console: &Console,
    ) -> Self {
        let Surroundings { host, ci, clock, .. } = *surroundings;
        let coloured = |terminal| manner.colour.for_stream(host, ci, terminal);
        let [output, error] = [host.terminal, host.error_terminal].map(coloured);
        Self {
            voice,
            console: console.clone(),
            format: manner.format,
            loudness: if manner.quiet { Loudness::Results } else { Loudness::Everything },
            wording: if ci == Ci::Travis { Wording::Dpl } else { manner.wording },
            extent: if manner.verbose { Extent::All } else { Extent::News },
            coloured: [if manner.format == Format::Json { error } else { output }, error],
            clock,
            progress: Progress::new(host.terminal && ci == Ci::None && manner.log == LogFormat::Text),
            spoke: clock(),
            group: Group::None,
            has_several: false,
            said_updating: None,
            said_accounts: BTreeSet::new(),
            annotated: [0; 3],
            held: Default::default(),
            out: Vec::new(),
        }
    }

    fn event(&mut self, event: &Event) {
        let is_shown = self.loudness == Loudness::Everything || is_result(event);
        match event {
            Event::Progress { doing, done, all, so_far } if is_shown => {
                if let Some(line) = self.progress.tell(*doing, *done, *all, *so_far) {
                    self.line(&line);
                }
                return;
            }
            Event::Overall { word, done, all, doing } if is_shown => {
                let now = (self.clock)();
                if let Some(line) = self.progress.overall(word, (*done, *all), doing, now.saturating_sub(self.spoke)) {
                    self.line(&line);
                }
                return;
            }
            Event::Progress { .. } | Event::Overall { .. } => return,
            _ => self.progress.clear(),
        }
        match event {
            Event::Blocks(blocks) => self.has_several = blocks.len() > 1,
            Event::Moment(moment) if is_shown => self.lines(release::moment(moment, self.has_several)),
            Event::Stage(stage) if is_shown => self.stage(*stage),
            Event::StageDone => self.close_group(),
            Event::Identity(_) if self.wording == Wording::Own => {}
            Event::Account(caller) if is_shown && self.wording == Wording::Own => {
                let line = plain::account(caller);
                if self.said_accounts.insert(line.clone()) {
                    self.line(&line);
                }
            }
            Event::Warning(problem) => self.problem(Level::Warning, &redacted(problem, &self.console)),
            Event::Notice(notice) => self.problem(Level::Notice, &redacted(notice, &self.console)),
            Event::Failed(failure) => self.failed(failure),
            Event::StepStarted { function, step } if is_shown => {
                let lines = plain::started(function, step, &mut self.said_updating);
                self.lines(lines);
            }
            Event::Deployed(deployed) => {
                self.close_group();
                self.lines(plain::deployed(deployed));
                let link = deployed.link().and_then(|(label, url)| self.voice.link(&label, &url));
                self.command(link);
            }
            Event::Held(held) => {
                self.close_group();
                self.lines(release::held(held));
            }
            Event::LayerDeployed(layer) => {
                self.close_group();
                self.lines(plain::layer_deployed(layer));
            }
            Event::Answer(answer) if self.format == Format::Text => {
                let text = self.console.redact(&sanitise::inert(&answer.text)).trim_end().to_owned();
                self.out.push(Delivery::Document(text));
            }
            Event::Logged(event) => {
                let text = match self.format {
                    Format::Text => logged::text(event, &self.console),
                    Format::Json => logged::document(event, &self.console),
                };
                self.out.push(Delivery::Document(text));
            }
            Event::Invoked(invocation) => {
                if is_shown || invocation.function_error.is_some() {
                    self.lines(plain::lines(event));
                }
                // `quiet` does not hide the result of a verb.
                self.lines(live::payload(invocation));
            }
            Event::CommandOutput { line, author: Author::User } => {
                self.out.push(Delivery::Line(Stream::Output, line.clone()));
            }
            Event::CommandOutput { line, author: Author::Git } => self.line(line),
            event if is_shown => self.lines(plain::lines(event)),
            _ => {}
        }
    }

    fn stage(&mut self, stage: Stage) {
        self.close_group();
        if let Some(text) = self.voice.open(stage, (self.clock)()).filter(|_| self.format == Format::Text) {
            self.group = Group::Open;
            self.command(Some(text));
        }
    }

    fn close_group(&mut self) {
        if std::mem::replace(&mut self.group, Group::None) == Group::Open {
            let text = self.voice.close((self.clock)());
            self.command(text);
        }
    }

    fn failed(&mut self, failure: &Failure) {
        self.close_group();
        let problems = failure.annotations();
        let problems: Vec<_> = problems.iter().map(|problem| redacted(problem, &self.console)).collect();
        if self.annotates() {
            for problem in &problems {
                self.problem(Level::Error, problem);
            }
            return self.lines(plain::aftermath(failure));
        }
        let stream = self.voice.error_stream();
        let problems = failure.problems.iter().map(|problem| redacted(problem, &self.console)).collect();
        for line in plain::failed(&Failure { problems, ..failure.clone() }) {
            self.line_to(stream, &line);
        }
    }

    /// Writes a problem as an annotation, or else as text.
    fn problem(&mut self, level: Level, problem: &Problem) {
        if let Some(annotation) = self.annotation(level, problem) {
            return self.command(Some(annotation));
        }
        self.line(&format!("{}: {problem}", level.word()));
        self.lines(problem.help.as_ref().map(|help| format!("help: {help}")));
    }

    fn annotates(&self) -> bool {
        self.voice.most_annotations() > 0 && self.format == Format::Text
    }

    /// The annotation of a problem; absent: the CI has none, or the problem is over the limit and held back.
    fn annotation(&mut self, level: Level, problem: &Problem) -> Option<String> {
        if !self.annotates() {
            return None;
        }
        let index = level as usize;
        if self.annotated[index] + 1 >= self.voice.most_annotations() {
            self.held[index].push(problem.clone());
            return None;
        }
        self.annotated[index] += 1;
        self.voice.annotate(level, problem)
    }

    /// Writes the last annotation of each level, with all problems that were held back.
    fn annotate_held(&mut self) {
        for (level, held) in
            [Level::Error, Level::Warning, Level::Notice].into_iter().zip(std::mem::take(&mut self.held))
        {
            let merged = match &held[..] {
                [] => continue,
                [only] => only.clone(),
                [first, ..] => {
                    let all: Vec<_> = held.iter().map(ToString::to_string).collect();
                    let message = format!("{} more {}s:\n{}", held.len(), level.word(), all.join("\n"));
                    Problem { place: first.place.clone(), file: first.file.clone(), ..Problem::new(message) }
                }
            };
            let annotation = self.voice.annotate(level, &merged);
            self.command(annotation);
        }
    }

    /// Writes commands for the CI.
    fn command(&mut self, commands: Option<String>) {
        self.out.extend(commands.map(Delivery::Command));
    }

    fn lines(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            self.line(&line);
        }
    }

    fn line(&mut self, line: &str) {
        self.line_to(Stream::Output, line);
    }

    /// Writes a line, sanitised and coloured.
    fn line_to(&mut self, stream: Stream, text: &str) {
        let mut text = sanitise::inert(text);
        if self.coloured[usize::from(stream == Stream::Error)] {
            text = text.lines().map(colour::paint).collect::<Vec<_>>().join("\n");
        }
        self.out.push(Delivery::Line(stream, text));
    }
}

impl Observer for Log {
    fn receive(&mut self, event: &Event, _: Option<&Block>) -> Vec<Delivery> {
        self.event(event);
        if !self.out.is_empty() {
            self.spoke = (self.clock)();
        }
        std::mem::take(&mut self.out)
    }

    fn finish(&mut self, verdict: &Verdict) -> Vec<Delivery> {
        self.lines(verdict.overview.lines(self.extent));
        self.annotate_held();
        let last = self.voice.end(verdict.ending());
        self.command(last);
        std::mem::take(&mut self.out)
    }
}

/// Whether `quiet` shows an event.
fn is_result(event: &Event) -> bool {
    matches!(
        event,
        Event::Warning(_)
            | Event::Failed(_)
            | Event::Skipped(_)
            | Event::Deployed(_)
            | Event::Held(_)
            | Event::LayerDeployed(_)
            | Event::LayerChecked { .. }
            | Event::Checked { .. }
            | Event::Packaged(_)
            | Event::Status(_)
            | Event::Listed { .. }
            | Event::Question(_)
            | Event::Moment(Moment {
                what: Happened::Tested { again: false, .. } | Happened::Shifted { .. } | Happened::TakenBack { .. },
                ..
            })
            | Event::Removed { .. }
            | Event::RolledBack { .. }
    )
}
