//! A failure of a run, or of one function or layer of it.

use crate::place::Problem;
use crate::plan::{Plan, Subject};

/// Why a run, or one function of it, failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What failed, for which function: a lowercase fragment of a sentence.
    pub headline: String,
    /// Whether the headline is the cause. Then the problems only say what followed.
    pub headline_is_cause: bool,
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

    /// The reason in one line, with the headline.
    pub(crate) fn cause(&self) -> String {
        self.first_problem().map_or_else(|| self.headline.clone(), |problem| self.below_headline(&problem))
    }

    /// The reason in one line, without a headline that only says what failed.
    pub(crate) fn bare_cause(&self) -> String {
        self.first_problem().filter(|_| !self.headline_is_cause).unwrap_or_else(|| self.cause())
    }

    fn first_problem(&self) -> Option<String> {
        let problem = self.problems.first()?;
        Some(match &problem.option {
            Some(option) => format!("{option}: {}", problem.text()),
            None => problem.text(),
        })
    }

    /// The headline, and after it this problem.
    fn below_headline(&self, problem: &str) -> String {
        format!("{}{} {problem}", self.headline, if self.headline_is_cause { ';' } else { ':' })
    }

    /// The problems to annotate: each cause, or else the failure itself.
    pub(crate) fn annotations(&self) -> Vec<Problem> {
        if self.problems.is_empty() {
            return vec![Problem { help: self.help.clone(), ..Problem::new(self.headline.clone()) }];
        }
        let with_context = |problem: &Problem| {
            let stated = match problem.option {
                Some(_) => problem.message.clone(),
                None => self.below_headline(&problem.message),
            };
            Problem { message: stated, help: problem.help.clone().or_else(|| self.help.clone()), ..problem.clone() }
        };
        self.problems.iter().map(with_context).collect()
    }
}
