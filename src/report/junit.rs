//! The JUnit report, which GitLab, Azure, CircleCI, Jenkins, Bitbucket and Buildkite show beside the job.
//!
//! A suite for each function, a case for each step of its plan. An error in the configuration is a case of its own.

use std::path::Path;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::console::Console;
use super::delivery::{Delivery, Written};
use super::observer::Observer;
use super::outcome::Verdict;
use super::sanitise;
use crate::event::{Block, Event, Failure};
use crate::files::Destination;
use crate::place::Problem;
use crate::plan::{Step, Subject};

/// Collects a report.
pub(super) struct Junit {
    /// The path of the report.
    file: Destination,
    /// The beginning of the warning if the report cannot be written.
    failed: String,
    console: Console,
    suites: Vec<Suite>,
}

struct Suite {
    name: String,
    /// The number of its block; absent: it is of none.
    number: Option<usize>,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    result: Result<(), Reason>,
    took: Option<Duration>,
    /// The file at fault.
    file: Option<String>,
}

/// Why a case did not succeed.
enum Reason {
    /// The step was not reached.
    NotDone,
    /// Nothing was done, for this reason.
    NotBegun(String),
    Failed(String),
}

impl Case {
    fn new(name: &str, result: Result<(), Reason>) -> Self {
        Self { name: name.to_owned(), result, took: None, file: None }
    }
}

impl Junit {
    /// A report in a file. A relative path starts at `directory`.
    pub(super) fn new(file: &Destination, directory: &Path, console: &Console) -> Self {
        let failed = format!("the JUnit report `{}` could not be written", file.path.display());
        let (file, console) = (file.under(directory), console.clone());
        Self { file, failed, console, suites: Vec::new() }
    }

    /// Adds an event to the report.
    fn note(&mut self, event: &Event, about: Option<&Block>) {
        match event {
            Event::Planned(plan) => {
                let step = |step: &Step| Case::new(&step.view().title, Err(Reason::NotDone));
                let cases = match plan.steps.as_slice() {
                    [] => vec![Case::new("unchanged", Ok(()))],
                    steps => steps.iter().map(step).collect(),
                };
                let name = titled(plan.subject, &plan.name, Some(&plan.region));
                let number = about.map(|block| block.number);
                // After an earlier block has changed the same function, it is planned again.
                self.forget(about);
                self.suites.push(Suite { name, number, cases });
            }
            Event::StepDone { took, .. } => {
                if let Some(case) = self.next(about) {
                    (case.result, case.took) = (Ok(()), Some(*took));
                }
            }
            Event::Checked { .. } | Event::LayerChecked { .. } => self.add(about, Case::new("check", Ok(()))),
            Event::NotBegun { because } => {
                self.forget(about);
                self.add(about, Case::new("not begun", Err(Reason::NotBegun(because.clone()))));
            }
            Event::Invoked(invocation) if invocation.function_error.is_none() => {
                self.alone(Some(&invocation.function), Case::new("invoke", Ok(())));
            }
            Event::Status(status) => self.alone(Some(&status.function), Case::new("status", Ok(()))),
            Event::Removed { function, .. } => self.alone(Some(function), Case::new("delete", Ok(()))),
            Event::RolledBack { function, .. } => self.alone(Some(function), Case::new("rollback", Ok(()))),
            Event::Packaged(_) => self.alone(None, Case::new("package", Ok(()))),
            Event::Skipped(skip) => {
                self.alone(None, Case::new(&sanitise::one_line(&skip.to_string()), Err(Reason::NotDone)));
            }
            Event::Failed(failure) => self.fail(failure, about),
            _ => {}
        }
    }

    /// Removes the suites of a function or layer of the run.
    fn forget(&mut self, about: Option<&Block>) {
        let number = about.map(|block| block.number);
        self.suites.retain(|suite| number.is_none() || suite.number != number);
    }

    /// The first case of a function or layer that was not reached yet.
    fn next(&mut self, about: Option<&Block>) -> Option<&mut Case> {
        let number = Some(about?.number);
        let open = |case: &&mut Case| matches!(case.result, Err(Reason::NotDone));
        let suites = self.suites.iter_mut().filter(|suite| suite.number == number);
        suites.flat_map(|suite| suite.cases.iter_mut()).find(open)
    }

    /// Adds a suite of one case for a function or layer of the run.
    fn add(&mut self, about: Option<&Block>, case: Case) {
        let Some(Block { number, subject, name, region }) = about else { return self.alone(None, case) };
        let name = titled(*subject, name, region.as_deref());
        self.suites.push(Suite { name, number: Some(*number), cases: vec![case] });
    }

    fn alone(&mut self, function: Option<&String>, case: Case) {
        let name = function.cloned().unwrap_or_else(|| "dpl-lambda".to_owned());
        self.suites.push(Suite { name, number: None, cases: vec![case] });
    }

    fn fail(&mut self, failure: &Failure, about: Option<&Block>) {
        if let Some(case) = self.next(about) {
            let problems: Vec<_> = failure.problems.iter().map(text_of).collect();
            case.result = Err(Reason::Failed(format!("{}\n{}", failure.headline, problems.join("\n"))));
            return;
        }
        for problem in failure.annotations() {
            let name = problem.option.clone().unwrap_or_else(|| failure.headline.clone());
            let file = problem.place.as_ref().and_then(|place| place.in_file()).map(|file| file.path.to_string());
            let case = Case { file, ..Case::new(&name, Err(Reason::Failed(text_of(&problem)))) };
            match about {
                Some(_) => self.add(about, case),
                None => self.alone(failure.function.as_ref(), case),
            }
        }
    }

    fn text(&self) -> Result<String, SerializeError> {
        let redact = |text: &str| self.console.redact(&sanitise::inert(text)).into_owned();
        let mut report = Report::new(env!("CARGO_PKG_NAME"));
        for suite in &self.suites {
            let mut junit_suite = TestSuite::new(redact(&suite.name));
            junit_suite.add_test_cases(suite.cases.iter().map(|case| test_case(case, &suite.name, &redact)));
            report.add_test_suite(junit_suite);
        }
        report.to_string()
    }
}

impl Observer for Junit {
    fn receive(&mut self, event: &Event, about: Option<&Block>) -> Vec<Delivery> {
        self.note(event, about);
        Vec::new()
    }

    fn finish(&mut self, _: &Verdict) -> Vec<Delivery> {
        let failed = self.failed.clone();
        vec![match self.text() {
            Ok(text) => Delivery::Replace(Written { file: self.file.clone(), text, failed }),
            Err(error) => Delivery::Warn(format!("{failed}: {error}")),
        }]
    }
}

/// The name of a suite.
fn titled(subject: Subject, name: &str, region: Option<&str>) -> String {
    let the = if subject == Subject::Layer { "layer " } else { "" };
    let region = region.map(|region| format!(" in {region}")).unwrap_or_default();
    format!("{the}{name}{region}")
}

fn text_of(problem: &Problem) -> String {
    let help = problem.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    format!("{problem}{help}")
}

fn test_case(case: &Case, suite: &str, redact: &dyn Fn(&str) -> String) -> TestCase {
    let status = match &case.result {
        Ok(()) => TestCaseStatus::success(),
        Err(Reason::NotDone) => TestCaseStatus::skipped(),
        Err(Reason::NotBegun(because)) => {
            let mut status = TestCaseStatus::skipped();
            if !because.is_empty() {
                status.set_message(redact(because));
            }
            status
        }
        Err(Reason::Failed(reason)) => {
            let reason = redact(reason);
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(reason.lines().next().unwrap_or_default().to_owned());
            status.set_description(reason);
            status
        }
    };
    let mut junit_case = TestCase::new(redact(&case.name), status);
    junit_case.set_classname(redact(suite));
    if let Some(took) = case.took {
        junit_case.set_time(took);
    }
    if let Some(file) = &case.file {
        junit_case.extra.insert("file".into(), redact(file).into());
    }
    junit_case
}
