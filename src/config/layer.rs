//! A layer of options: the values of one source, as they are written, each with its place.
//!
//! YAML, variables and flags yield the same type, so one loop merges them.

use std::collections::BTreeMap;

use super::options::Opt;
use crate::place::Place;

/// Options by canonical name, with their values as they are written.
pub(crate) type Layer = BTreeMap<&'static str, Given>;

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    /// The value.
    pub value: Value,
    /// Where it was written.
    pub place: Place,
    /// How a scalar was written.
    pub form: Form,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a text; also for a list or a map.
    #[default]
    Text,
    /// Without quotes, and YAML reads it as a number or a boolean. This decides about values that become JSON.
    Typed,
    /// With a `%{account}` that is known only after the log-in.
    Open,
}

/// A value as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Null, or nothing at all.
    Null,
    /// The text of a scalar.
    Text(String),
    /// A sequence.
    List(Vec<Given>),
    /// A map, in its written order.
    Map(Vec<MapEntry>),
}

/// An entry of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MapEntry {
    /// The key.
    pub key: String,
    /// Where the key was written.
    pub place: Place,
    /// The value.
    pub given: Given,
}

impl Given {
    /// A scalar at a place.
    pub(crate) fn text(text: impl Into<String>, place: Place) -> Self {
        Self { value: Value::Text(text.into()), place, form: Form::Text }
    }

    /// The text of a scalar; `None` for a list or a map.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The value of a key; `None` if there is no such key, or this is not a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| same(&entry.key, key)).map(|entry| &entry.given),
            Value::Null | Value::Text(_) | Value::List(_) => None,
        }
    }

    /// Whether the value counts as absent: it is null, or a blank text.
    pub(crate) fn is_absent(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Text(text) => text.trim().is_empty(),
            Value::List(_) | Value::Map(_) => false,
        }
    }
}

/// Whether two keys are the same. A name of the API, such as `TargetArn`, can be written `target_arn`.
fn same(written: &str, key: &str) -> bool {
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    written == key || (key.starts_with(|c: char| c.is_ascii_uppercase()) && plain(written) == plain(key))
}

/// Merges layers, the strongest first.
///
/// The three parts of an access key stay together: all come from the strongest layer that has one of them.
pub(super) fn merge(layers: &[Layer]) -> Layer {
    const KEYS: [&str; 3] = ["access_key_id", "secret_access_key", "session_token"];
    let mut merged = Layer::new();
    for layer in layers.iter().rev() {
        if KEYS.iter().any(|key| layer.contains_key(key)) {
            merged.retain(|name, _| !KEYS.contains(name));
        }
        // A stronger profile replaces the keys, and stronger keys replace the profile.
        if layer.contains_key("profile") {
            merged.retain(|name, _| !KEYS.contains(name) || layer.contains_key(name));
        }
        merged.extend(layer.iter().map(|(name, given)| (*name, given.clone())));
    }
    merged
}

/// Adds a value to a layer, unless it counts as absent.
pub(crate) fn insert(layer: &mut Layer, option: &'static Opt, given: Given) {
    if !given.is_absent() {
        layer.insert(option.name, given);
    }
}

/// Reads a word for yes or no, in any case; `None` for any other text.
pub(crate) fn yes_or_no(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::options::OPTIONS;

    fn layer(options: &[&'static str], from: &str) -> Layer {
        let given =
            |name: &&'static str| (*name, Given::text(format!("{from} {name}"), Place::Variable(from.to_owned())));
        options.iter().map(given).collect()
    }

    #[test]
    fn the_three_parts_of_a_key_come_from_one_layer_together() {
        let strong = layer(&["access_key_id", "secret_access_key"], "strong");
        let weak = layer(&["access_key_id", "secret_access_key", "session_token"], "weak");
        let merged = merge(&[strong, weak]);
        assert!(!merged.contains_key("session_token"));
        assert_eq!(merged["access_key_id"].as_text(), Some("strong access_key_id"));
    }

    #[test]
    fn a_profile_above_keys_is_meant_instead_of_them() {
        let keys = layer(&["access_key_id", "secret_access_key"], "weak");
        let profile = layer(&["profile"], "strong");
        assert!(!merge(&[profile.clone(), keys.clone()]).contains_key("access_key_id"));
        assert!(merge(&[keys, profile]).contains_key("access_key_id"));
    }

    proptest! {
        #[test]
        fn the_strongest_layer_that_has_an_option_wins(sets in proptest::collection::vec(proptest::collection::btree_set(0..OPTIONS.len(), 0..12), 1..5)) {
            let plain = |index: &&usize| !matches!(OPTIONS[**index].kind, crate::config::options::Kind::Secret) && OPTIONS[**index].name != "profile";
            let layers: Vec<_> = sets.iter().enumerate().map(|(depth, set)| {
                layer(&set.iter().filter(plain).map(|index| OPTIONS[*index].name).collect::<Vec<_>>(), &depth.to_string())
            }).collect();
            let merged = merge(&layers);
            for option in OPTIONS {
                let expected = layers.iter().find_map(|layer| layer.get(option.name));
                prop_assert_eq!(merged.get(option.name), expected);
            }
        }
    }
}
