//! JSON in texts. Flags and variables have lists and maps in this form.

use std::sync::Arc;

use serde::de::IgnoredAny;

use super::layer::{Given, MapEntry, Value};
use super::one_value::unwrapped;
use super::options::{Kind, Opt};
use super::yaml;
use crate::place::{Place, Problem};

/// The value that a text stands for. If the option takes a list or a map, JSON becomes one. Its scalars keep their text.
///
/// A text that only begins like JSON is an error: read line by line it would make no sense, and could show a secret.
pub(crate) fn unpack(option: &Opt, text: String, place: &Place) -> Result<Given, Problem> {
    let takes_json = option.member.is_some()
        || matches!(option.kind, Kind::List | Kind::Files | Kind::Ids | Kind::Map | Kind::Structure(_));
    if !takes_json || !text.trim_start().starts_with(['[', '{']) {
        return Ok(Given::text(text, place.clone()));
    }
    let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
    match yaml::parse(&text, &Arc::from("")) {
        // YAML is accepted too: the manual has its examples in it.
        Ok(given) if is_json || matches!(option.kind, Kind::Structure(_)) => unwrapped(option, moved(given, place)),
        // A glob can begin with a bracket or a brace.
        _ if matches!(option.kind, Kind::List | Kind::Files) => Ok(Given::text(text, place.clone())),
        _ => Err(Problem::new("begins like JSON but is not valid JSON").of(option.name).at(place)),
    }
}

/// The same value, with this place for all its parts.
fn moved(given: Given, place: &Place) -> Given {
    let value = match given.value {
        Value::List(items) => Value::List(items.into_iter().map(|item| moved(item, place)).collect()),
        Value::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|entry| MapEntry { place: place.clone(), given: moved(entry.given, place), key: entry.key })
                .collect(),
        ),
        scalar => scalar,
    };
    Given { value, place: place.clone(), form: given.form }
}
