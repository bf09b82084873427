//! Merge keys (`<<`) are shallow: a map that a block has itself hides the merged map of the same name as a whole.

use std::sync::Arc;

use super::{
    layer::{Given, MapEntry, Value},
    options, yaml,
};
use crate::place::Problem;

/// The key that stands for `<<` here. It has the same length, so that all places stay.
const MERGE: &str = "<_";

/// The warnings about merged maps of which a block drops entries. `text` is valid YAML.
pub(super) fn warnings(text: &str, file: &Arc<str>) -> Vec<Problem> {
    let mut found = Vec::new();
    if text.contains("<<") {
        // The parser merges by itself, so it gets a text without merge keys.
        let unmerged = text.replace("<<:", &format!("{MERGE}:")).replace("<< :", &format!("{MERGE} :"));
        if let Ok(document) = yaml::parse(&unmerged, file) {
            visit(&document, &mut found);
        }
    }
    found
}

fn visit(given: &Given, found: &mut Vec<Problem>) {
    match &given.value {
        Value::List(items) => items.iter().for_each(|item| visit(item, found)),
        Value::Map(entries) => {
            let merged: Vec<_> = entries.iter().filter(|entry| entry.key == MERGE).flat_map(maps).collect();
            let own = entries.iter().filter(|entry| entry.key != MERGE);
            for entry in own {
                found.extend(dropped(entry, &merged));
                visit(&entry.given, found);
            }
        }
        Value::Null | Value::Text(_) => {}
    }
}

/// The maps that a merge key names: one, or a list of them.
fn maps(merge: &MapEntry) -> Vec<&Given> {
    match &merge.given.value {
        Value::List(items) => items.iter().collect(),
        Value::Map(_) => vec![&merge.given],
        Value::Null | Value::Text(_) => Vec::new(),
    }
}

/// The warning about the entries of merged maps that a block's own map of this name hides.
fn dropped(own: &MapEntry, merged: &[&Given]) -> Option<Problem> {
    let option = options::find(&own.key).map_or(own.key.as_str(), |option| option.name);
    let Value::Map(entries) = &own.given.value else { return None };
    let hidden = keys(merged.iter().find_map(|map| map.get(&own.key))?);
    // What the map merges itself is not dropped.
    let of_own = entries.iter().filter(|entry| entry.key == MERGE).flat_map(maps).flat_map(keys);
    let kept: Vec<_> = entries.iter().map(|entry| entry.key.as_str()).chain(of_own).collect();
    let lost: Vec<_> = hidden.into_iter().filter(|key| !kept.contains(key)).map(|key| format!("`{key}`")).collect();
    if lost.is_empty() {
        return None;
    }
    let message = format!("replaces the whole `{}` that `<<` brings, without its {}", own.key, lost.join(", "));
    let help = format!(
        "give the shared `{0}` an anchor of its own (`{0}: &NAME`), and begin this one with `<<: *NAME`",
        own.key
    );
    Some(Problem::new(message).of(option).at(&own.place).help(help))
}

/// The keys of a map, without those that a merge key brings.
fn keys(given: &Given) -> Vec<&str> {
    match &given.value {
        Value::Map(entries) => {
            let own = entries.iter().filter(|entry| entry.key != MERGE).map(|entry| entry.key.as_str());
            let merged = entries.iter().filter(|entry| entry.key == MERGE).flat_map(maps).flat_map(keys);
            own.chain(merged).collect()
        }
        Value::Null | Value::Text(_) | Value::List(_) => Vec::new(),
    }
}
