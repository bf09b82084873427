//! References to values that are elsewhere, such as `{from_ssm: /path}`: how they are written, and where they may be.

use super::{
    from_env,
    layer::{Form, Given, MapEntry, Value},
    options::{Group, Kind, Opt, canonical, nearest_of, same_key},
};
use crate::place::{Place, Problem};

/// The keys that begin a reference, with its other members.
pub(super) const SOURCES: [(&str, &[&str]); 5] = [
    ("from_ssm", &["default"]),
    ("from_secret", &["key", "version_stage", "default"]),
    ("from_stack", &["output", "default"]),
    ("from_terraform", &["output", "default"]),
    ("from_function", &["output", "qualifier", "default"]),
];

/// Options that name what is deployed. The run needs these names before it can read anything.
const NAMES: [&str; 4] = ["function_name", "alias", "layer", "code_from"];

/// Whether a value is written as a reference. `from_env` is not one of these: its value is known at once.
pub(super) fn is_reference(given: &Given) -> bool {
    match &given.value {
        Value::Map(entries) => entries.iter().any(begins),
        Value::Null | Value::Text(_) | Value::List(_) => false,
    }
}

/// Whether an entry of a map makes the map a reference.
fn begins(entry: &MapEntry) -> bool {
    SOURCES.iter().any(|(source, _)| *source == canonical(&entry.key))
}

/// The error about a map that looks like a reference but is none; `None` for any other value.
pub(super) fn misspelt(given: &Given) -> Option<Problem> {
    let Value::Map(entries) = &given.value else { return None };
    if is_reference(given) || from_env::is_one(given) {
        return None;
    }
    let wrong = entries.iter().find(|entry| canonical(&entry.key).starts_with("from_"))?;
    let problem = Problem::new(format!("`{}` is not a place that values come from", wrong.key)).at(&wrong.place);
    let names = || std::iter::once(from_env::FROM_ENV).chain(SOURCES.iter().map(|(source, _)| *source));
    let all: Vec<_> = names().map(|source| format!("`{source}`")).collect();
    let near = nearest_of(&wrong.key, names());
    Some(
        problem.help(
            near.map_or_else(|| format!("these are: {}", all.join(", ")), |near| format!("did you mean `{near}`?")),
        ),
    )
}

/// The error about a reference that names two sources; `None` for any other value.
pub(super) fn of_two_sources(given: &Given) -> Option<Problem> {
    let Value::Map(entries) = &given.value else { return None };
    let mut sources = entries.iter().filter(|entry| begins(entry) || from_env::begins(entry));
    let (first, second) = (sources.next()?, sources.next()?);
    // A map from names to values can have any keys.
    first.given.as_text().and(second.given.as_text())?;
    let problem = Problem::new(format!("comes from two sources: `{}` and `{}`", first.key, second.key));
    Some(problem.at(&second.place).help("keep one of them"))
}

/// Whether a value itself is not known yet: it is a reference, or a text with the account in it.
pub(super) fn is_unknown(given: &Given) -> bool {
    is_reference(given) || from_env::is_one(given) || given.form == Form::Open
}

/// Whether a value, or a part of it, is not known yet.
pub(super) fn is_open(given: &Given) -> bool {
    is_unknown(given)
        || match &given.value {
            Value::List(items) => items.iter().any(is_open),
            Value::Map(entries) => entries.iter().any(|entry| is_open(&entry.given)),
            Value::Null | Value::Text(_) => false,
        }
}

/// The place of the first part of a value that is known only after the log-in.
pub(super) fn first(given: &Given) -> Option<&Place> {
    if is_reference(given) || given.form == Form::Open {
        return Some(&given.place);
    }
    match &given.value {
        Value::List(items) => items.iter().find_map(first),
        Value::Map(entries) => entries.iter().find_map(|entry| first(&entry.given)),
        Value::Null | Value::Text(_) => None,
    }
}

/// Whether the value of an option is a map of texts, which has its references below its keys.
pub(super) fn has_keys(option: &Opt) -> bool {
    matches!(option.kind, Kind::Map) && option.name != "layer"
}

/// Shows each unknown part of the value of an option, with the key of its map.
pub(super) fn each(option: &Opt, given: &mut Given, see: &mut dyn FnMut(Option<&str>, &mut Given)) {
    match &mut given.value {
        Value::Map(entries) if has_keys(option) => {
            for MapEntry { key, given, .. } in entries {
                each_within(Some(key), given, see);
            }
        }
        Value::List(items) if has_keys(option) => items.iter_mut().for_each(|item| each(option, item, see)),
        _ => each_within(None, given, see),
    }
}

fn each_within(key: Option<&str>, given: &mut Given, see: &mut dyn FnMut(Option<&str>, &mut Given)) {
    if is_unknown(given) {
        return see(key, given);
    }
    match &mut given.value {
        Value::List(items) => items.iter_mut().for_each(|item| each_within(key, item, see)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| each_within(key, &mut entry.given, see)),
        Value::Null | Value::Text(_) => {}
    }
}

/// The error about a reference where none may be; `None` if there is none.
pub(super) fn misplaced(option: &Opt, given: &Given) -> Option<Problem> {
    let is_any = |given: &Given| is_reference(given) || from_env::is_one(given);
    let is_command = |given: &Given| {
        let problem = Problem::new("is a command, and commands are written in the configuration").at(&given.place);
        problem.help("write the command, with variables as `$NAME` in it")
    };
    if option.name == "run" && is_any(given) {
        return Some(is_command(given));
    }
    match &given.value {
        Value::List(items) => items.iter().find_map(|item| misplaced(option, item)),
        Value::Map(entries) if has_keys(option) => {
            let entry = entries.iter().find(|entry| begins(entry) || from_env::begins(entry))?;
            let message = format!("`{}` is not below a key, but each key needs a reference of its own", entry.key);
            let help = format!("write `{}: {{KEY: {{{}: …}}}}`", option.name, entry.key);
            Some(Problem::new(message).at(&entry.place).help(help))
        }
        Value::Map(entries) if option.name == "smoke_test" => {
            let run = entries.iter().find(|entry| same_key(&entry.key, "Run") && is_any(&entry.given))?;
            Some(is_command(&run.given))
        }
        Value::Null | Value::Text(_) | Value::Map(_) => None,
    }
}

/// Whether the value of an option may be elsewhere.
pub(super) fn may_be_elsewhere(option: &Opt) -> Result<(), Problem> {
    let why = match (option.group, option.kind) {
        _ if NAMES.contains(&option.name) => "names what is deployed, and is needed before anything can be read",
        (Group::Target, _) => "is needed to log in, before anything can be read",
        (Group::Run, _) => "decides how the run works, and is needed before anything can be read",
        (_, Kind::Choice(_) | Kind::Flag | Kind::FlagOr(_)) => {
            "is one of a few words, and these are written in the configuration"
        }
        (_, Kind::List | Kind::Files) => "is about files of the checkout, and these are named in the configuration",
        _ if option.name == "zip" => "is a file of the checkout, and is named in the configuration",
        (_, Kind::Text | Kind::Number { .. } | Kind::Ids | Kind::Map | Kind::Structure(_) | Kind::Secret) => {
            return Ok(());
        }
    };
    let help = format!("write the value itself, or set the variable `DPL_LAMBDA_{}`", option.name.to_ascii_uppercase());
    Err(Problem::new(why).help(help))
}
