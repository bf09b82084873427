//! Placeholders of shells, CIs and other tools. In a file of this tool nothing replaces them.

use super::interpolate;
use super::options::{InFile, Kind, Opt};
use crate::place::{Place, Problem, Weight};

/// Options whose texts are commands for a shell.
pub(super) const SHELL: [&str; 2] = ["run", "smoke_test"];

/// The error or warning about a placeholder in a text; `None` if the text has none. It never repeats the text, which may
/// be a password with a `$`.
pub(super) fn found(option: &Opt, text: &str, place: &Place) -> Option<Problem> {
    if SHELL.contains(&option.name) {
        return None;
    }
    let can_contain = can_contain_one(option);
    let form = form(option, &without_own(text), !can_contain)?;
    let what = if form == COMMAND { "is not run" } else { "is not replaced here" };
    let problem = Problem::new(format!("has a value with {form}, which {what}")).of(option.name).at(place);
    let problem = problem.help(what_works(option));
    let is_refused = !can_contain || (form == COMMAND && !matches!(option.kind, Kind::Map));
    Some(if is_refused { problem } else { problem.weighing(Weight::Warning) })
}

/// The error about a placeholder in the key of a map; `None` if the key has none.
pub(super) fn found_in_key(option: &Opt, key: &str, place: &Place) -> Option<Problem> {
    let form = form(option, &without_own(key), true)?;
    let problem = Problem::new(format!("has a key with {form}, which is not replaced here"));
    Some(problem.of(option.name).at(place).help(what_works(option)))
}

/// What to write instead.
pub(super) fn what_works(option: &Opt) -> String {
    let name = option.name.to_ascii_uppercase();
    match option.kind {
        Kind::Secret => format!("set the variable `DPL_LAMBDA_{name}`"),
        Kind::Map => "write `%{$NAME}` or `{from_env: NAME}`".to_owned(),
        _ => format!("write `%{{$NAME}}` or `{{from_env: NAME}}`, or set the variable `DPL_LAMBDA_{name}`"),
    }
}

/// A text without the `%{…}` that are filled in.
fn without_own(text: &str) -> String {
    interpolate::replace(text, |_| Some(String::new())).0
}

const COMMAND: &str = "`$(…)`";

/// Whether the value of an option can rightly contain what looks like a placeholder.
fn can_contain_one(option: &Opt) -> bool {
    let is_path = matches!(option.in_file, InFile::Reads | InFile::Packs | InFile::Writes(_));
    let of_any_text = ["description", "version_description", "environment", "layer", "exclude", "s3_key", "s3_prefix"];
    is_path || of_any_text.contains(&option.name) || matches!(option.kind, Kind::Structure(_))
}

/// The form of the first placeholder. `anywhere` says whether `$NAME` counts in the middle of a text too.
fn form(option: &Opt, text: &str, anywhere: bool) -> Option<&'static str> {
    let is_glob = matches!(option.name, "include" | "exclude" | "zip");
    // The name of a class can have a `$`: `Outer$Inner::handle`.
    let anywhere = anywhere && !matches!(option.name, "handler" | "handler_name" | "module_name");
    let encloses = |open: &str, close: &str| {
        text.split_once(open).is_some_and(|(_, rest)| rest.find(close).is_some_and(|length| length > 0))
    };
    match () {
        () if encloses("${{", "}}") => Some("`${{ … }}`"),
        () if encloses("{{", "}}") && !is_glob => Some("`{{ … }}`"),
        () if encloses("${", "}") => Some("`${…}`"),
        () if text.contains("$(") => Some(COMMAND),
        () if is_variable(text.trim()) || (anywhere && has_variable(text)) => Some("`$NAME`"),
        () => None,
    }
}

/// Whether a text is `$NAME` and nothing else.
fn is_variable(text: &str) -> bool {
    text.strip_prefix('$').is_some_and(|name| begins_name(name) && name.chars().all(in_name))
}

fn has_variable(text: &str) -> bool {
    text.split('$').skip(1).any(begins_name)
}

fn begins_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
