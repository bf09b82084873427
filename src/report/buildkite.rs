//! Buildkite: headers in the log; all else through the program `buildkite-agent`, where it is there.
//!
//! A header has no end; the next one closes it
//! (<https://buildkite.com/docs/pipelines/configure/managing-log-output>).

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::agent::Agent;
use super::dialect::{Dialect, Handed, Level, Mask, Output};
use super::{event::Stage, sanitise, summary};
use crate::host::Host;
use crate::place::Problem;

/// The longest value of meta-data, in bytes.
const MOST_META_DATA: usize = 100 << 10;

/// The longest annotation, in bytes.
const MOST_ANNOTATION: usize = 1 << 20;

pub(super) struct Buildkite {
    agent: Arc<Mutex<Agent>>,
    /// An annotation belongs to the build, so each job has one of its own.
    job: String,
    has_errors: bool,
    warnings: String,
    notices: String,
}

impl Buildkite {
    pub(super) fn new(host: &Host) -> Self {
        let known = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let job = host.variable("BUILDKITE_JOB_ID").unwrap_or_default().chars().filter(known).take(64).collect();
        Self {
            agent: Arc::new(Mutex::new(Agent::new("buildkite-agent", host))),
            job,
            has_errors: false,
            warnings: String::new(),
            notices: String::new(),
        }
    }

    /// Appends to an annotation of the job: it may run this tool twice.
    fn annotation(&mut self, style: &str, markdown: &str) {
        let context = format!("dpl-lambda-{style}-{}", self.job);
        let arguments = ["annotate", "--append", "--style", style, "--context", context.trim_end_matches('-')];
        if markdown.len() < MOST_ANNOTATION {
            called(&self.agent, &arguments, markdown);
        }
    }
}

fn called(agent: &Mutex<Agent>, arguments: &[&str], input: &str) {
    agent.lock().unwrap_or_else(PoisonError::into_inner).call(arguments, input);
}

impl Dialect for Buildkite {
    fn open(&mut self, stage: Stage) -> Option<String> {
        let title = stage.title();
        match stage {
            Stage::Prepare => Some(format!("--- {title}")),
            Stage::Login | Stage::Deploy => Some(format!("+++ {title}")),
            Stage::Setup => None,
        }
    }

    fn note(&mut self, level: Level, problem: &Problem) {
        let list = match level {
            Level::Error => return self.has_errors = true,
            Level::Warning => &mut self.warnings,
            Level::Notice => &mut self.notices,
        };
        list.extend(["- ", &summary::text(&problem.to_string()), "\n"]);
        list.extend(problem.help.iter().map(|help| format!("  - {}\n", summary::text(help))));
    }

    fn mask(&self) -> Option<Mask> {
        let agent = Arc::clone(&self.agent);
        Some(Arc::new(move |secret| {
            called(&agent, &["redactor", "add", "-"], secret);
            None
        }))
    }

    fn outputs(&mut self, outputs: &[Output]) -> Handed {
        for (name, value) in outputs.iter().filter(|(_, value)| !value.is_empty() && value.len() <= MOST_META_DATA) {
            called(&self.agent, &["meta-data", "set", &format!("dpl-lambda:{name}")], value);
        }
        Ok(None)
    }

    fn summary(&mut self, markdown: &str, _: Option<&Path>) -> Handed {
        let style = if self.has_errors { "error" } else { "success" };
        self.annotation(style, markdown);
        Ok(None)
    }

    fn link(&mut self, label: &str, url: &str) -> Option<String> {
        let plain = |text: &str| sanitise::one_line(text).replace('\'', "");
        Some(format!("\x1b]1339;url='{}';content='{}'\x07", plain(url), plain(label)))
    }

    /// A failure opens the group that it happened in.
    fn end(&mut self, ending: Result<&str, &str>) -> Handed {
        for (style, list) in
            [("warning", std::mem::take(&mut self.warnings)), ("info", std::mem::take(&mut self.notices))]
        {
            if !list.is_empty() {
                self.annotation(style, &list);
            }
        }
        if let Some(why) = self.agent.lock().unwrap_or_else(PoisonError::into_inner).gone() {
            tracing::debug!("annotations, meta-data and redactor of Buildkite are left out: {why}");
        }
        Ok(ending.is_err().then(|| "^^^ +++".to_owned()))
    }
}
