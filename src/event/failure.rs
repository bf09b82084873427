//! A failure of a run, or of one function or layer of it.

use crate::place::Problem;
use crate::plan::{Plan, Subject};

/// Why a run, or one function of it, failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What failed, for which function: a lowercase fragment of a sentence.
    pub headline: String,
    /// The causes, each with its place.
    pub problems: Vec<Problem>,
    /// What was done; empty: nothing.
    pub done: Vec<&'static str>,
    /// What AWS accepted, or may have accepted, but did not settle in time.
    pub begun: Vec<&'static str>,
    /// What was not done; empty: nothing was planned.
    pub not_done: Vec<&'static str>,
    /// What the user can do.
    pub help: Option<String>,
    /// The function; absent: the failure is of a layer or the whole run.
    pub function: Option<String>,
    /// The layer; absent: the failure is of a function or the whole run.
    pub layer: Option<String>,
    /// The exit code.
    pub exit_code: u8,
}

impl Failure {
    /// Whether this failure and the plan are about the same function or layer.
    pub(crate) fn is_of(&self, plan: &Plan) -> bool {
        let name = match plan.subject {
            Subject::Function => &self.function,
            Subject::Layer => &self.layer,
        };
        name.as_ref() == Some(&plan.name)
    }

    /// Whether the run changed anything, or may have.
    pub(crate) fn changed(&self) -> bool {
        !(self.done.is_empty() && self.begun.is_empty())
    }

    /// The reason in one line.
    pub(crate) fn cause(&self) -> String {
        match self.problems.first() {
            Some(problem) => match &problem.option {
                Some(option) => format!("{}: {option}: {}", self.headline, problem.text()),
                None => format!("{}: {}", self.headline, problem.text()),
            },
            None => self.headline.clone(),
        }
    }

    /// The problems to annotate: each cause, or else the failure itself.
    pub(crate) fn annotations(&self) -> Vec<Problem> {
        if self.problems.is_empty() {
            return vec![Problem { help: self.help.clone(), ..Problem::new(self.headline.clone()) }];
        }
        let with_context = |problem: &Problem| {
            let stated = match problem.option {
                Some(_) => problem.message.clone(),
                None => format!("{}: {}", self.headline, problem.message),
            };
            Problem { message: stated, help: problem.help.clone().or_else(|| self.help.clone()), ..problem.clone() }
        };
        self.problems.iter().map(with_context).collect()
    }
}
