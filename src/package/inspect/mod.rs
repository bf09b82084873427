//! Inspects a package before it is sent: finds what would break the function, and what is probably a mistake.
//!
//! [`survey`] reads a package once and keeps what the rules need. [`inspect`] applies the rules to it and to what is known
//! about the function. An error blocks a deploy, so a rule gives an error only if the function could not run.

mod access;
mod binary;
mod contents;
mod defined;
mod dependencies;
mod handler;
mod hidden;
mod language;
mod layer;
mod libc;
mod manifest;
mod native;
mod nested;
mod path;
mod program;
mod python;
mod rule;
mod runtimes;
mod secret;
mod source;
mod survey;
mod suspect;
mod weight;
mod wrapper;

#[cfg(test)]
mod tests;

use std::fs::File;

pub(crate) use contents::Origin;
pub use contents::{Contents, ReadSeek};
pub(super) use hidden::is_usual;
pub(crate) use layer::{inspect_layer, layer_layout};
pub use rule::Rule;
pub(crate) use rule::{Date, Existence, Facts, OtherCode, Subject};
pub(crate) use runtimes::day_of;
pub(crate) use survey::Survey;
pub(super) use survey::is_link;
pub use survey::survey;
pub(crate) use wrapper::variables;

use crate::place::Problem;

/// Whether a file is a program or a library of Linux, Windows or macOS.
pub(super) fn is_native(file: File) -> bool {
    binary::read(Box::new(file)).is_some()
}

/// Applies the rules that need no package.
pub(crate) fn inspect_settings(facts: &Facts<'_>) -> Vec<Problem> {
    sorted(runtimes::rules(facts), facts)
}

/// Applies all rules to the package of a function. Returns errors first.
pub(crate) fn inspect(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    let mut problems = runtimes::rules(facts);
    for rules in [
        nested::rules,
        handler::rules,
        defined::rules,
        program::rules,
        access::rules,
        native::rules,
        libc::rules,
        python::rules,
        weight::rules,
        secret::rules,
        hidden::rules,
        dependencies::rules,
    ] {
        problems.extend(rules(survey, facts));
    }
    sorted(problems, facts)
}

/// The problems without those of the rules that the user turned off, errors first.
fn sorted(mut problems: Vec<Problem>, facts: &Facts<'_>) -> Vec<Problem> {
    problems.retain(|problem| !problem.rule.is_some_and(|rule| facts.ignore.contains(rule)));
    problems.sort_by_key(|problem| problem.weight);
    problems
}
