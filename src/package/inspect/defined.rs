//! Checks whether the handler's file defines its function.

use super::handler;
use super::path::{extension, stem};
use super::rule::{Facts, Rule, few};
use super::survey::Survey;
use crate::place::{Problem, Weight};

/// A handler whose file certainly has no such name.
pub(super) fn rules(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    undefined(survey, facts).into_iter().collect()
}

fn undefined(survey: &Survey, facts: &Facts<'_>) -> Option<Problem> {
    let (function, handler, option) = handler::function(survey, facts)?;
    // Of several files, the runtime and the version decide which one is loaded.
    let [file] = &handler::files(survey, facts)[..] else { return None };
    let source = survey.sources.get(file)?;
    if source.names.as_ref()?.contains(function) {
        return None;
    }
    let exports = if extension(file) == "py" { "defines" } else { "exports" };
    let message = format!("`{file}` {exports} no `{function}`, so `{handler}` cannot be called");
    let module = handler.strip_suffix(function).unwrap_or(stem(file)).trim_end_matches('.');
    let help = match &source.functions[..] {
        [] => format!("let the file {} it, or correct `{option}`", exports.trim_end_matches('s')),
        [one] => format!("set `{option}` to `{module}.{one}`, or rename the function"),
        several => format!("it {exports} {}: correct `{option}`", few(several.iter().map(String::as_str))),
    };
    Some(Rule::HandlerUndefined.finds(Weight::Warning, option, message, help).on(file))
}
