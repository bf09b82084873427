//! `condition`: an expression in the language of bash's `[[ … ]]`.
//!
//! This module evaluates it. No shell does, so it cannot run a command. A text that bash would read differently is an
//! error.

mod expression;
mod parse;
mod pattern;
#[cfg(test)]
mod tests;

pub(super) use expression::Variables;

use expression::Term;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition(Term);

impl Condition {
    /// Reads an expression. The message says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        parse::expression(text).map(Self)
    }

    /// Whether it holds. The error is about a value that cannot be compared. It does not repeat the value.
    pub(super) fn holds(&self, variables: &dyn Variables) -> Result<bool, String> {
        self.0.holds(variables)
    }
}
