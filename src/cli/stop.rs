//! Why a command line has no task.

use crate::place::Problem;

/// Why a command line has no task.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// The user asked for this text: the help or the version.
    Text(String),
    /// The command line is wrong.
    Wrong(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Wrong(problem)
    }
}
