//! Buildkite: headers in the log, and calls of the program `buildkite-agent` if it is installed.
//!
//! A group has no end marker; the next header closes it
//! (<https://buildkite.com/docs/pipelines/configure/managing-log-output>).

use std::path::Path;
use std::time::Duration;

use crate::event::Stage;
use crate::host::Host;
use crate::place::Problem;
use crate::report::delivery::Delivery;
use crate::report::dialect::{self, Ending, Level, Output};
use crate::report::{markdown, sanitise};

/// Buildkite's own program.
const AGENT: &str = "buildkite-agent";

/// The longest value of meta-data, in bytes.
const MOST_META_DATA: usize = 100 << 10;

/// The longest annotation, in bytes.
const MOST_ANNOTATION: usize = 1 << 20;

pub(super) struct Voice;

pub(super) struct Board {
    /// The job's id. It keeps the annotations of jobs apart, because an annotation belongs to the whole build.
    job: String,
    has_errors: bool,
    warnings: String,
    notices: String,
}

impl Board {
    pub(super) fn new(host: &Host) -> Self {
        let known = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let job = host.variable("BUILDKITE_JOB_ID").unwrap_or_default().chars().filter(known).take(64).collect();
        Self { job, has_errors: false, warnings: String::new(), notices: String::new() }
    }

    /// Appends to an annotation of the job. A job may run this tool twice, so this must not replace it.
    fn annotation(&self, style: &str, markdown: &str) -> Vec<Delivery> {
        let context = format!("dpl-lambda-{style}-{}", self.job);
        let arguments = ["annotate", "--append", "--style", style, "--context", context.trim_end_matches('-')];
        let fits = !markdown.is_empty() && markdown.len() < MOST_ANNOTATION;
        fits.then(|| call(&arguments, markdown)).into_iter().collect()
    }
}

fn call(arguments: &[&str], input: &str) -> Delivery {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    Delivery::Run { program: AGENT, arguments, input: input.to_owned() }
}

/// Makes the agent hide a value in the log.
pub(super) fn mask(secret: &str) -> Delivery {
    call(&["redactor", "add", "-"], secret)
}

impl dialect::Voice for Voice {
    fn open(&mut self, stage: Stage, _: Duration) -> Option<String> {
        let title = stage.title();
        match stage {
            Stage::Prepare => Some(format!("--- {title}")),
            Stage::Login | Stage::Deploy => Some(format!("+++ {title}")),
            Stage::Setup => None,
        }
    }

    fn link(&self, label: &str, url: &str) -> Option<String> {
        let plain = |text: &str| sanitise::one_line(text).replace('\'', "");
        Some(format!("\x1b]1339;url='{}';content='{}'\x07", plain(url), plain(label)))
    }

    /// A failure expands the group that it happened in.
    fn end(&mut self, ending: Ending<'_>) -> Option<String> {
        ending.is_err().then(|| "^^^ +++".to_owned())
    }
}

impl dialect::Board for Board {
    fn note(&mut self, level: Level, problem: &Problem) -> Vec<Delivery> {
        let list = match level {
            Level::Error => {
                self.has_errors = true;
                return Vec::new();
            }
            Level::Warning => &mut self.warnings,
            Level::Notice => &mut self.notices,
        };
        list.extend(["- ", &markdown::text(&problem.to_string()), "\n"]);
        list.extend(problem.help.iter().map(|help| format!("  - {}\n", markdown::text(help))));
        Vec::new()
    }

    fn outputs(&self, outputs: &[Output]) -> Vec<Delivery> {
        let fits = |(_, value): &&Output| !value.is_empty() && value.len() <= MOST_META_DATA;
        let set = |(name, value): &Output| call(&["meta-data", "set", &format!("dpl-lambda:{name}")], value);
        outputs.iter().filter(fits).map(set).collect()
    }

    fn summary(&self, markdown: &str, _: Option<&Path>) -> Vec<Delivery> {
        self.annotation(if self.has_errors { "error" } else { "success" }, markdown)
    }

    fn end(&self, _: Ending<'_>) -> Vec<Delivery> {
        [self.annotation("warning", &self.warnings), self.annotation("info", &self.notices)].concat()
    }
}
