//! The only part that speaks: events in, text in the CI's dialect out.
//!
//! Everything said goes through one sanitiser for text of others and one redactor for secrets. Must not know how steps
//! are executed.

mod agent;
mod appveyor;
mod azure;
mod bitbucket;
mod buildkite;
mod checkout;
mod circleci;
mod colour;
mod dialect;
mod drone;
mod ends;
mod event;
mod files;
mod forms;
mod github;
mod gitlab;
mod http;
mod json;
mod junit;
mod live;
mod members;
mod needles;
mod plain;
mod plan;
mod progress;
mod redact;
mod sanitise;
mod summary;
mod teamcity;
mod travis;
mod variables;

use std::path::PathBuf;

pub use colour::Colour;
pub use event::{Answer, Deployed, Doing, Ending, Event, Failure, LayerDeployed, MadeOf, Packaged, Stage};
pub use files::Files;
pub use plan::size;
pub use redact::{Console, mask};

use self::dialect::{Dialect, Handed, Level, Output, Stream};
use crate::host::{Build, Ci, Host};
use crate::place::Problem;
use crate::plan::{Plan, Subject};

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
    /// Where results are written, besides where the CI wants them.
    pub files: Files,
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

/// What is told also when only results and mistakes are.
fn is_result(event: &Event) -> bool {
    matches!(
        event,
        Event::Warning(_)
            | Event::Failed(_)
            | Event::Deployed(_)
            | Event::LayerDeployed(_)
            | Event::LayerChecked { .. }
            | Event::Checked { .. }
            | Event::Packaged(_)
            | Event::Status(_)
            | Event::Listed { .. }
            | Event::Question(_)
            | Event::Removed { .. }
            | Event::RolledBack { .. }
    )
}

/// Turns events into text, annotations, outputs, a summary and a document.
pub struct Reporter {
    host: Host,
    ci: Ci,
    dialect: Box<dyn Dialect>,
    files: files::Gathered,
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
    outputs: Vec<Output>,
    /// The ARN of the version of the last layer.
    layer_arn: Option<String>,
    changed: bool,
    /// What was done, in a few words each.
    done: Vec<String>,
    /// Why the run, or one function of it, failed last.
    failed: Option<String>,
    /// Annotations so far, of each level.
    annotated: [usize; 3],
    /// Problems over the limit of annotations, which share the last one.
    held: [Vec<Problem>; 3],
    /// Whether this is a run that has results.
    deploys: bool,
}

impl Reporter {
    /// A reporter in the dialect of a CI.
    pub fn new(ci: Ci, host: &Host, manner: Manner, command: &'static str, console: Console) -> Self {
        let dialect = dialect::of(ci, host);
        // What was asked for is often meant for another program.
        let answers = matches!(command, "init" | "render" | "policy");
        console.keep_output_free(manner.format == Format::Json || answers);
        console.mask_with(dialect.mask());
        let coloured = |terminal| manner.colour.for_stream(host, ci, terminal);
        let [output, error] = [host.terminal, host.error_terminal].map(coloured);
        let checkout = checkout::Checkout::of(ci, host);
        Self {
            host: host.clone(),
            ci,
            dialect,
            files: files::Gathered::new(manner.files.clone(), &host.directory, checkout),
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
            layer_arn: None,
            changed: false,
            done: Vec::new(),
            failed: None,
            annotated: [0; 3],
            held: Default::default(),
            deploys: matches!(command, "deploy" | "plan" | "rollback"),
        }
    }

    /// What standard output is for.
    pub fn format(&self) -> Format {
        self.manner.format
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
            Event::Notice(notice) => self.notice(notice),
            Event::Preview { number, base } => {
                if told {
                    self.told(event);
                }
                self.summary.push_str(&summary::of_notice(&plain::preview(number.as_deref(), base.as_deref())));
            }
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
                self.forget_plan(Subject::Function, &deployed.function, &deployed.region);
                self.summary.push_str(&summary::of_deployed(deployed));
                self.changed |= deployed.changed();
                self.outputs = deployed.outputs();
                self.done.push(plain::done(deployed));
                if let Some((label, url)) = deployed.link() {
                    self.files.link(&label, &url);
                    let link = self.dialect.link(&label, &url);
                    self.command(link);
                }
            }
            Event::Answer(answer) if self.manner.format == Format::Text => {
                Console::document(self.console.redact(&sanitise::inert(&answer.text)).trim_end());
            }
            Event::LayerDeployed(layer) => {
                self.close_group();
                if let Some(line) = plain::layer_deployed(layer) {
                    self.line(&line);
                }
                self.forget_plan(Subject::Layer, &layer.layer, &layer.region);
                self.summary.push_str(&summary::of_layer(layer));
                self.changed |= layer.changed();
                self.layer_arn = Some(layer.arn.clone());
                self.done.push(plain::layer_done(layer));
            }
            Event::Invoked(invocation) => {
                if told || invocation.function_error.is_some() {
                    self.told(event);
                }
                // The answer is what the run is for, also where little else is said.
                if let Some(payload) = live::payload(invocation) {
                    self.line(&payload);
                }
            }
            Event::Removed { function, region, version, ending } => {
                self.told(event);
                self.changed |= *ending == Ending::Done;
                self.summary.push_str(&summary::of_removed(function, region, version.as_deref(), *ending));
            }
            Event::Rollback { rollback, .. } => {
                if told {
                    self.told(event);
                }
                if !rollback.changes() {
                    self.outputs = vec![("version", rollback.to.clone())];
                }
            }
            Event::RolledBack { function, region, rollback } => {
                self.told(event);
                self.changed = true;
                self.outputs = vec![("version", rollback.to.clone())];
                self.done.push(format!("{function} rolled back, version {}", rollback.to));
                self.summary.push_str(&summary::of_rollback(function, region, rollback));
            }
            event if told => self.told(event),
            _ => {}
        }
    }

    /// Says the last word: closes what is open, writes the summary and the document.
    pub fn finish(&mut self, exit_code: u8) {
        self.close_group();
        for plan in std::mem::take(&mut self.planned) {
            self.changed |= plan.changes() && self.failed.is_none();
            self.summary.push_str(&summary::of_planned(&plan));
            if self.outputs.is_empty() {
                self.outputs = vec![("plan", json::plan_text(&plan))];
            }
        }
        if self.deploys {
            self.outputs.extend(self.layer_arn.take().map(|arn| ("layer-version-arn", arn)));
            self.outputs.push(("changed", self.changed.to_string()));
            let redacted = |(name, value): &Output| match (*name, self.console.redact(value)) {
                ("plan", value) => ("plan", json::unspliceable(&value)),
                (name, value) => (name, sanitise::one_line(&value)),
            };
            let outputs: Vec<_> = self.outputs.iter().map(redacted).collect();
            let written = self.files.outputs(&outputs);
            self.handed(written.map(|()| None));
            let handed = self.dialect.outputs(&outputs);
            self.handed(handed);
        }
        if let Some(file) = self.manner.junit.take() {
            let written = self.junit.text(&|text| self.console.redact(&sanitise::inert(text)).into_owned());
            let written = written.map_err(std::io::Error::other);
            let written = written.and_then(|text| files::put(&self.host.directory.join(&file), &text));
            let message = |error| format!("the JUnit report `{}` could not be written: {error}", file.display());
            self.handed(written.map(|()| None).map_err(message));
        }
        if !self.summary.is_empty() {
            self.summary.push_str(&summary::footer(&Build::of(&self.host, self.ci)));
        }
        let summary = self.console.redact(&self.summary).into_owned();
        let written = self.files.summary(&summary);
        self.handed(written.map(|()| None));
        if !summary.is_empty() {
            let handed = self.dialect.summary(&summary, self.files.summary_file());
            self.handed(handed);
        }
        self.annotate_held();
        let written = self.files.reports(&|text| self.console.redact(text).into_owned());
        self.handed(written.map(|()| None));
        // 2 is the answer of `plan --exit-code`; a failure that is allowed ends with 0.
        let failed = self.failed.take().filter(|_| !matches!(exit_code, 0 | 2));
        let done = self.console.redact(&self.done.join(", ")).into_owned();
        let ending = failed.as_deref().map_or(Ok(done.as_str()), Err);
        let handed = self.dialect.end(ending);
        self.handed(handed);
        if self.manner.format == Format::Json {
            let console = self.console.clone();
            Console::document(&self.document.finished(exit_code, &|text| console.redact(text).into_owned()));
        }
    }

    /// A plan that was done is told by its outcome.
    fn forget_plan(&mut self, subject: Subject, name: &str, region: &str) {
        self.planned.retain(|plan| plan.subject != subject || plan.function != name || plan.region != region);
    }

    /// A line of a command. Those of the user are only redacted; what git says may hold names of files.
    pub fn relay(&self, line: &str, speaker: Speaker) {
        match speaker {
            Speaker::User => self.console.print(Stream::Output, line),
            Speaker::Git => self.line(line),
        }
    }

    /// Says what a dialect handed back, or could not do.
    fn handed(&mut self, handed: Handed) {
        match handed {
            Ok(commands) => self.command(commands),
            Err(message) => self.problem(Level::Warning, &Problem::new(message)),
        }
    }

    /// Prints commands of the dialect, where somebody reads them.
    fn command(&self, commands: Option<String>) {
        if let Some(commands) = commands.filter(|text| !text.is_empty() && self.manner.format == Format::Text) {
            self.console.print(Stream::Output, &commands);
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

    /// Says what an event is in plain lines.
    fn told(&self, event: &Event) {
        for line in plain::lines(event) {
            self.line(&line);
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

    fn notice(&mut self, notice: &Problem) {
        self.problem(Level::Notice, notice);
        if self.deploys {
            self.summary.push_str(&summary::of_notice(&notice.message));
            self.done.push(notice.message.clone());
        }
    }

    fn problem(&mut self, level: Level, problem: &Problem) {
        if let Some(annotation) = self.annotation(level, problem) {
            return self.console.print(Stream::Output, &annotation);
        }
        self.line(&format!("{}: {problem}", level.word()));
        if let Some(help) = &problem.help {
            self.line(&format!("help: {help}"));
        }
    }

    /// The annotation of a problem, without secrets before anything is escaped. What is over the limit is held back
    /// and told as text.
    fn annotation(&mut self, level: Level, problem: &Problem) -> Option<String> {
        let redacted = |text: &str| self.console.redact(text).into_owned();
        let (message, help) = (redacted(&problem.message), problem.help.as_deref().map(redacted));
        let problem = Problem { message, help, ..problem.clone() };
        self.files.note(level, &problem);
        self.dialect.note(level, &problem);
        let most = self.dialect.most_annotations();
        if self.manner.format == Format::Json || most == 0 {
            return None;
        }
        let index = level as usize;
        if self.annotated[index] + 1 >= most {
            self.held[index].push(problem);
            return None;
        }
        self.annotated[index] += 1;
        self.dialect.annotate(level, &problem)
    }

    /// The last annotation of each level stands for all that were held back.
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
            let annotation = self.dialect.annotate(level, &merged);
            self.command(annotation);
        }
    }

    fn failed(&mut self, failure: &Failure) {
        self.close_group();
        self.changed |= failure.changed();
        self.planned.retain(|plan| !failure.is_of(plan));
        self.summary.push_str(&summary::of_failure(failure));
        let annotations = failure.annotations();
        let cause = failure.problems.first().map(|problem| match &problem.option {
            Some(option) => format!("{}: {option}: {}", failure.headline, problem.text()),
            None => format!("{}: {}", failure.headline, problem.text()),
        });
        let cause = cause.unwrap_or_else(|| failure.headline.clone());
        self.failed = Some(self.console.redact(&cause).into_owned());
        if self.dialect.most_annotations() > 0 && self.manner.format == Format::Text {
            for problem in &annotations {
                self.problem(Level::Error, problem);
            }
            return plain::aftermath(failure).iter().for_each(|line| self.line(line));
        }
        for problem in &annotations {
            self.annotation(Level::Error, problem);
        }
        let stream = self.dialect.error_stream();
        for line in plain::failed(failure) {
            self.lines_to(stream, &line);
        }
    }
}

#[cfg(test)]
#[path = "../../tests/suite/harness/oracles.rs"]
mod oracles;
