//! The parts of a file that describe one deployment, laid over each other: the narrower part wins.
//!
//! From the weakest: `defaults`, the stage of the file, the block, the block's stage, the item of `for_each`, its stage.
//! Maps of keys are merged by key. All else is replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    by_branch::ByBranch,
    layer::{self, Given, Layer, MapEntry, Value},
    options::{self, Kind},
    references,
};
use crate::place::Place;

/// The names of the parts in which values are written, by the values' places. A place in the block itself has no name.
pub(super) type Origins = BTreeMap<Place, Arc<str>>;

/// What one part of a file says, or several parts together.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// The options, with the values for the current branch.
    pub layer: Layer,
    /// Options that only `defaults` or a stage of the file sets: they are for every block that can have them.
    pub shared: BTreeSet<&'static str>,
    /// Options that are written without a value: no weaker part sets them.
    pub emptied: BTreeSet<&'static str>,
    /// The conditions.
    pub on: Option<Given>,
    /// Whether the run succeeds even if the deployment fails.
    pub allow_failure: Option<bool>,
    /// The options with values by branch.
    pub by_branch: Vec<ByBranch>,
    /// All texts in `layers`, of all branches.
    pub layers: Vec<String>,
    /// Whether a variable of the function is encrypted for Travis.
    pub has_secure_variables: bool,
    /// Where the values are written.
    pub origins: Origins,
}

impl Part {
    /// The part with the name of its place in the file.
    pub(super) fn named(mut self, name: &str) -> Self {
        let name: Arc<str> = name.into();
        self.layer.values().for_each(|given| note(given, &name, &mut self.origins));
        self
    }

    /// The part as one for every block.
    pub(super) fn shared(mut self) -> Self {
        self.shared.extend(self.layer.keys());
        self
    }

    /// This part over a weaker one.
    pub(super) fn over(mut self, mut weaker: Self) -> Self {
        let Self { layer, shared, emptied, on, allow_failure, by_branch, layers, has_secure_variables, origins } =
            &mut weaker;
        layer.retain(|name, _| !self.emptied.contains(name));
        let is_given = |part: &Self, name: &str| {
            part.layer.contains_key(name) || part.by_branch.iter().any(|by| by.option == name)
        };
        by_branch.retain(|by| !self.emptied.contains(by.option) && !is_given(&self, by.option));
        let replaces_layers = is_given(&self, "layers") || self.emptied.contains("layers");
        for (name, given) in &mut self.layer {
            let merges = options::find(name).is_some_and(|option| matches!(option.kind, Kind::Map));
            if let Some(below) = layer.get(name).filter(|_| merges) {
                *given = merged(below, given);
            }
        }
        shared.retain(|name| !self.layer.contains_key(name));
        self.shared.append(shared);
        self.layer = layer::merge(&[self.layer, std::mem::take(layer)]);
        self.emptied.append(emptied);
        self.on = self.on.or(on.take());
        self.allow_failure = self.allow_failure.or(*allow_failure);
        self.by_branch.append(by_branch);
        if !replaces_layers {
            self.layers.append(layers);
        }
        self.has_secure_variables |= *has_secure_variables;
        self.origins.append(origins);
        self
    }
}

fn note(given: &Given, name: &Arc<str>, origins: &mut Origins) {
    origins.insert(given.place.clone(), Arc::clone(name));
    match &given.value {
        Value::Null | Value::Text(_) => {}
        Value::List(items) => items.iter().for_each(|item| note(item, name, origins)),
        Value::Map(entries) => entries.iter().for_each(|entry| note(&entry.given, name, origins)),
    }
}

/// The pairs of both maps. A key of the stronger one replaces the same key of the weaker one.
fn merged(weaker: &Given, stronger: &Given) -> Given {
    if [weaker, stronger].into_iter().any(references::is_unknown) {
        return stronger.clone();
    }
    let (Some(mut all), Some(above)) = (pairs(weaker), pairs(stronger)) else { return stronger.clone() };
    all.retain(|(key, _)| !above.iter().any(|(known, _)| known == key));
    all.extend(above);
    let is_map = |given: &Given| matches!(given.value, Value::Map(_));
    let value = if all.iter().all(|(_, pair)| is_map(pair)) {
        let entries = all.into_iter().flat_map(|(_, pair)| match pair.value {
            Value::Map(entries) => entries,
            Value::Null | Value::Text(_) | Value::List(_) => Vec::new(),
        });
        Value::Map(entries.collect())
    } else {
        Value::List(all.into_iter().map(|(_, pair)| pair).collect())
    };
    Given { value, place: stronger.place.clone(), form: stronger.form }
}

/// The pairs of a map of keys, each with its key; `None` if a text is not `KEY=VALUE`.
fn pairs(given: &Given) -> Option<Vec<(String, Given)>> {
    let text = |text: &str, given: &Given| {
        let key = text.split_once('=')?.0.trim().to_owned();
        Some((key, Given::text(text, given.place.clone())))
    };
    let entry = |entry: &MapEntry| {
        let pair = Value::Map(vec![entry.clone()]);
        (entry.key.trim().to_owned(), Given { value: pair, place: entry.place.clone(), form: given.form })
    };
    match &given.value {
        Value::Null => Some(Vec::new()),
        Value::Text(lines) => {
            lines.lines().filter(|line| !line.trim().is_empty()).map(|line| text(line, given)).collect()
        }
        Value::Map(entries) => Some(entries.iter().map(entry).collect()),
        Value::List(items) => {
            let mut found = Vec::new();
            for item in items {
                match &item.value {
                    Value::Text(pair) => found.push(text(pair, item)?),
                    _ => found.extend(pairs(item)?),
                }
            }
            Some(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::layer::Form;

    /// Options of every way of merging.
    const NAMES: [&str; 5] = ["memory_size", "environment", "function_tags", "layers", "zip"];

    fn part() -> impl Strategy<Value = Part> {
        let value = prop_oneof![
            "[a-c]".prop_map(Value::Text),
            "[A-C]=[x-z](\n[A-C]=[x-z])?".prop_map(Value::Text),
            prop::collection::btree_map("[A-C]", "[x-z]", 0..3).prop_map(|map| Value::Map(
                map.into_iter()
                    .map(|(key, value)| MapEntry { key, place: place(), given: Given::text(value, place()) })
                    .collect()
            )),
            prop::collection::vec("[A-C]=[x-z]", 0..3)
                .prop_map(|items| Value::List(items.into_iter().map(|item| Given::text(item, place())).collect())),
        ];
        let layer = prop::collection::btree_map(prop::sample::select(&NAMES), value, 0..4);
        let emptied = prop::collection::btree_set(prop::sample::select(&NAMES), 0..2);
        (layer, emptied, any::<Option<bool>>()).prop_map(|(layer, emptied, allow_failure)| {
            let given = |value| Given { value, place: place(), form: Form::Text };
            let layer = layer.into_iter().map(|(name, value)| (name, given(value)));
            // A key stands once in a part: with a value, or without. A map that is wrong has no keys to merge.
            let is_good = |name: &str, given: &Given| {
                let is_map = matches!(options::find(name).unwrap().kind, Kind::Map);
                !is_map || pairs(given).is_some()
            };
            let layer = layer.filter(|(name, given)| !emptied.contains(name) && is_good(name, given)).collect();
            Part { layer, emptied, allow_failure, ..Part::default() }
        })
    }

    fn place() -> Place {
        Place::file(&"dpl.yml".into(), 1, 1)
    }

    /// What a part says, without the way in which it is written.
    fn meaning(part: &Part) -> impl PartialEq + std::fmt::Debug + use<> {
        let value = |(name, given): (&&'static str, &Given)| {
            let is_map = options::find(name).is_some_and(|option| matches!(option.kind, Kind::Map));
            let by_key = pairs(given).filter(|_| is_map).map(|pairs| {
                let value = |(key, pair): (String, Given)| {
                    let text = pair.as_text().and_then(|text| Some(text.split_once('=')?.1.to_owned()));
                    let text = text.or_else(|| pair.get(&key)?.as_text().map(str::to_owned));
                    (key, text)
                };
                pairs.into_iter().map(value).collect::<BTreeMap<_, _>>()
            });
            (*name, by_key.ok_or_else(|| given.clone()).map_err(|given| given.value))
        };
        (part.layer.iter().map(value).collect::<Vec<_>>(), part.emptied.clone(), part.allow_failure)
    }

    proptest! {
        /// It does not matter in which order neighbours are laid over each other.
        #[test]
        fn laying_over_is_associative(a in part(), b in part(), c in part()) {
            let left = a.clone().over(b.clone()).over(c.clone());
            let right = a.over(b.over(c));
            prop_assert_eq!(meaning(&left), meaning(&right));
        }

        #[test]
        fn nothing_is_neutral(a in part()) {
            prop_assert_eq!(meaning(&Part::default().over(a.clone())), meaning(&a));
            prop_assert_eq!(meaning(&a.clone().over(Part::default())), meaning(&a));
        }
    }
}
