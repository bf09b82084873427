//! Inspects a package before it is sent: finds what would break the function, and what is probably a mistake.
//!
//! [`survey`] reads a package once and keeps what the rules need. [`inspect`] applies the rules to it and to what is known
//! about the function. An error blocks a deploy, so a rule gives an error only if the function could not run.

mod binary;
mod bootstrap;
mod contents;
mod handler;
mod layout;
mod libc;
mod native;
mod path;
mod python;
mod rule;
mod runtimes;
mod secret;
mod survey;
mod suspect;
mod weight;

#[cfg(test)]
mod tests;

use std::fs::File;

pub use contents::{Contents, ReadSeek};
pub(crate) use layout::layer_layout;
pub use rule::Rule;
pub(crate) use rule::{Date, Existence, Facts};
pub(crate) use runtimes::day_of;
pub(crate) use survey::Survey;
pub(super) use survey::is_link;
pub use survey::survey;

use crate::place::Problem;

/// Whether a file is a program or a library of Linux, Windows or macOS.
pub(super) fn is_native(file: File) -> bool {
    binary::read(Box::new(file)).is_some()
}

/// Applies the rules that need no package.
pub(crate) fn inspect_settings(facts: &Facts<'_>) -> Vec<Problem> {
    let mut problems = runtimes::rules(facts);
    problems.retain(|problem| !problem.rule.is_some_and(|rule| facts.ignore.contains(rule)));
    problems
}

/// Applies all rules. Returns errors first.
pub(crate) fn inspect(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for rules in
        [handler::rules, bootstrap::rules, native::rules, libc::rules, python::rules, weight::rules, secret::rules]
    {
        problems.extend(rules(survey, facts));
    }
    problems.extend(inspect_settings(facts));
    problems.retain(|problem| !problem.rule.is_some_and(|rule| facts.ignore.contains(rule)));
    problems.sort_by_key(|problem| problem.weight);
    problems
}
