//! The only part that speaks: events in, text in the CI's dialect out.
//!
//! Everything said goes through one sanitiser for text of others and one redactor for secrets. Must not know how steps
//! are executed.

mod colour;
mod event;
mod github;
mod json;
mod junit;
mod plain;
mod plan;
mod progress;
mod redact;
mod sanitise;
mod summary;
mod travis;

use std::path::PathBuf;

pub use colour::Colour;
pub use event::{Deployed, Doing, Event, Failure, Packaged, Stage};
pub use plan::size;
pub use redact::{Console, mask};

use crate::host::{Build, Ci, Host};
use crate::place::Problem;
use crate::plan::Plan;
use crate::settings::Secret;

/// How a CI wants to be spoken to. Every method has a form that is right for plain text.
trait Dialect {
    /// The lines that open a group, if there is such a thing.
    fn open(&mut self, stage: Stage) -> Option<String> {
        let _ = stage;
        None
    }

    /// The lines that close the group opened last.
    fn close(&mut self) -> Option<String> {
        None
    }

    /// A problem as an annotation; nothing where problems are only text.
    fn annotate(&mut self, level: Level, problem: &Problem) -> Option<String> {
        let _ = (level, problem);
        None
    }

    /// What writes the CI's own command to hide a value in its log, where that has one.
    fn mask(&self) -> Option<fn(&str) -> String> {
        None
    }

    /// Hands results over to the steps after this one.
    fn outputs(&mut self, outputs: &[(&'static str, String)], console: &Console) -> Result<(), String> {
        let _ = (outputs, console);
        Ok(())
    }

    /// Shows a page on the run, in Markdown.
    fn summary(&mut self, markdown: &str, console: &Console) -> Result<(), String> {
        let _ = (markdown, console);
        Ok(())
    }

    /// Where the final error goes.
    fn error_stream(&self) -> Stream {
        Stream::Error
    }
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
}

/// How a run is told.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// What standard output is for.
    pub format: Format,
    /// Whether the log is coloured.
    pub colour: Colour,
    /// Whether only results and mistakes are told.
    pub quiet: bool,
    /// Where a JUnit report is written; absent for nowhere.
    pub junit: Option<PathBuf>,
}

/// What standard output is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Text for people and the CI.
    #[default]
    Text,
    /// One JSON document; everything else goes to standard error.
    Json,
}

/// Whose command prints a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The user's own, who may command the CI's log.
    User,
    /// git's.
    Git,
}

/// One of the two streams of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Output,
    Error,
}

/// What is told also when only results and mistakes are.
fn is_result(event: &Event) -> bool {
    matches!(
        event,
        Event::Warning(_) | Event::Failed(_) | Event::Deployed(_) | Event::Checked { .. } | Event::Packaged(_)
    )
}

/// The dialect of a CI. A further one is a file beside this and a line here.
fn dialect(ci: Ci, host: &Host) -> Box<dyn Dialect> {
    match ci {
        Ci::GitHub | Ci::Gitea => Box::new(github::GitHub::new(host)),
        Ci::Travis => Box::new(travis::Travis::default()),
        _ => Box::new(plain::Plain),
    }
}

/// Turns events into text, annotations, outputs, a summary and a document.
pub struct Reporter {
    host: Host,
    ci: Ci,
    dialect: Box<dyn Dialect>,
    progress: progress::Progress,
    console: Console,
    document: json::Document,
    junit: junit::Junit,
    manner: Manner,
    /// Whether standard output and standard error are coloured.
    coloured: [bool; 2],
    open_group: Option<Stage>,
    said_updating: Option<String>,
    summary: String,
    /// Plans that were told and not done, so far.
    planned: Vec<Plan>,
    outputs: Vec<(&'static str, String)>,
    changed: bool,
    has_failed: bool,
    /// Whether this is a run that has results.
    deploys: bool,
}

impl Reporter {
    /// A reporter in the dialect of a CI.
    pub fn new(ci: Ci, host: &Host, manner: Manner, command: &'static str, console: Console) -> Self {
        let dialect = dialect(ci, host);
        console.keep_output_free(manner.format == Format::Json);
        console.mask_with(dialect.mask().filter(|_| manner.format == Format::Text));
        let coloured = |terminal| manner.colour.for_stream(host, ci, terminal);
        let [output, error] = [host.terminal, host.error_terminal].map(coloured);
        Self {
            host: host.clone(),
            ci,
            dialect,
            progress: progress::Progress::new(host.terminal && ci == Ci::None),
            console,
            document: json::Document::new(command),
            junit: junit::Junit::default(),
            coloured: [if manner.format == Format::Json { error } else { output }, error],
            manner,
            open_group: None,
            said_updating: None,
            summary: String::new(),
            planned: Vec::new(),
            outputs: Vec::new(),
            changed: false,
            has_failed: false,
            deploys: matches!(command, "deploy" | "plan"),
        }
    }

    /// Hides a value from here on, also in the CI's own log.
    pub fn hide(&mut self, secret: &Secret) {
        self.console.hide_everywhere(secret.expose());
    }

    /// Hides a value in what others say, where it would be noise in our own words.
    pub fn hide_in_foreign(&mut self, secret: &Secret) {
        self.console.hide_in_foreign(secret.expose());
    }

    /// Says what happened.
    pub fn tell(&mut self, event: &Event) {
        if let Event::Progress { doing, done, all, so_far } = event {
            if self.manner.quiet {
                return;
            }
            if let Some(line) = self.progress.tell(*doing, *done, *all, *so_far) {
                self.line(&line);
            }
            return;
        }
        self.progress.clear();
        self.document.note(event);
        self.junit.note(event);
        let told = !self.manner.quiet || is_result(event);
        match event {
            Event::Stage(stage) if told => self.stage(*stage),
            Event::StageDone => self.close_group(),
            Event::Warning(problem) => self.problem(Level::Warning, problem),
            Event::Failed(failure) => self.failed(failure),
            Event::StepStarted { function, step } if told => {
                for line in plain::started(function, step, &mut self.said_updating) {
                    self.line(&line);
                }
            }
            Event::Planned(plan) => {
                for line in plain::lines(event).iter().filter(|_| told) {
                    self.line(line);
                }
                self.planned.push(plan.clone());
            }
            Event::Deployed(deployed) => {
                self.close_group();
                if let Some(line) = plain::deployed(deployed) {
                    self.line(&line);
                }
                self.planned.retain(|plan| plan.function != deployed.function || plan.region != deployed.region);
                self.summary.push_str(&summary::of_deployed(deployed));
                self.changed |= deployed.changed();
                self.outputs = deployed.outputs();
            }
            event if told => plain::lines(event).iter().for_each(|line| self.line(line)),
            _ => {}
        }
    }

    /// Says the last word: closes what is open, writes the summary and the document.
    pub fn finish(&mut self, exit_code: u8) {
        self.close_group();
        for plan in std::mem::take(&mut self.planned) {
            self.changed |= plan.changes() && !self.has_failed;
            self.summary.push_str(&summary::of_planned(&plan));
            if self.outputs.is_empty() {
                self.outputs = vec![("plan", json::plan_text(&plan))];
            }
        }
        if self.deploys {
            self.outputs.push(("changed", self.changed.to_string()));
            let outputs = std::mem::take(&mut self.outputs);
            let result = self.dialect.outputs(&outputs, &self.console);
            self.warn_if(result);
        }
        if let Some(file) = self.manner.junit.take() {
            let written = self.junit.text(&|text| self.console.redact(text).into_owned());
            let written = written.map_err(std::io::Error::other);
            let written = written.and_then(|text| std::fs::write(self.host.directory.join(&file), text));
            let message = |error| format!("the JUnit report `{}` could not be written: {error}", file.display());
            self.warn_if(written.map_err(message));
        }
        let summary = std::mem::take(&mut self.summary);
        if !summary.is_empty() {
            let summary = summary + &summary::footer(&Build::of(&self.host, self.ci));
            let result = self.dialect.summary(&summary, &self.console);
            self.warn_if(result);
        }
        if self.manner.format == Format::Json {
            let console = self.console.clone();
            Console::document(&self.document.finished(exit_code, &|text| console.redact(text).into_owned()));
        }
    }

    /// A line of a command. Those of the user are only redacted; what git says may hold names of files.
    pub fn relay(&self, line: &str, speaker: Speaker) {
        match speaker {
            Speaker::User => self.console.print(Stream::Output, line),
            Speaker::Git => self.line(line),
        }
    }

    fn warn_if(&mut self, result: Result<(), String>) {
        if let Err(message) = result {
            self.problem(Level::Warning, &Problem::new(message));
        }
    }

    fn stage(&mut self, stage: Stage) {
        self.close_group();
        if let Some(text) = self.dialect.open(stage).filter(|_| self.manner.format == Format::Text) {
            self.console.print(Stream::Output, &text);
            self.open_group = Some(stage);
        }
    }

    fn close_group(&mut self) {
        if self.open_group.take().is_some()
            && let Some(text) = self.dialect.close()
        {
            self.console.print(Stream::Output, &text);
        }
    }

    fn line(&self, line: &str) {
        self.lines_to(Stream::Output, line);
    }

    /// Prints text that is harmless, in its colours.
    fn lines_to(&self, stream: Stream, text: &str) {
        let text = sanitise::inert(text);
        if self.coloured[usize::from(stream == Stream::Error)] {
            let painted: Vec<_> = text.lines().map(colour::paint).collect();
            self.console.print(stream, &painted.join("\n"));
        } else {
            self.console.print(stream, &text);
        }
    }

    fn problem(&mut self, level: Level, problem: &Problem) {
        if let Some(annotation) = self.dialect.annotate(level, problem).filter(|_| self.manner.format == Format::Text) {
            return self.console.print(Stream::Output, &annotation);
        }
        let word = if level == Level::Error { "error" } else { "warning" };
        self.line(&format!("{word}: {problem}"));
        if let Some(help) = &problem.help {
            self.line(&format!("help: {help}"));
        }
    }

    fn failed(&mut self, failure: &Failure) {
        self.close_group();
        self.changed |= failure.changed();
        self.has_failed = true;
        self.planned.retain(|plan| Some(&plan.function) != failure.function.as_ref());
        self.summary.push_str(&summary::of_failure(failure));
        let annotations: Vec<_> =
            failure.annotations().iter().filter_map(|problem| self.dialect.annotate(Level::Error, problem)).collect();
        if annotations.is_empty() || self.manner.format == Format::Json {
            let stream = self.dialect.error_stream();
            for line in plain::failed(failure) {
                self.lines_to(stream, &line);
            }
            return;
        }
        for annotation in annotations {
            self.console.print(Stream::Output, &annotation);
        }
        for line in plain::aftermath(failure) {
            self.line(&line);
        }
    }
}
