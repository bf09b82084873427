//! A layer: options as they were written, each value with its source.
//!
//! YAML, variables and flags all yield this type; merging them is one loop.

use std::collections::BTreeMap;

use super::options::Opt;
use crate::place::Place;

/// Options by canonical name, each as it was written.
pub(crate) type Layer = BTreeMap<&'static str, Given>;

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    /// The value.
    pub value: Value,
    /// Where it was written.
    pub place: Place,
    /// How a scalar was written.
    pub form: Form,
}

/// How a scalar was written, for the few places where JSON is made of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a text, or it is no scalar.
    #[default]
    Text,
    /// Without quotes, so that YAML reads a number or a boolean.
    Typed,
}

/// A value as it was written: nothing has been made of it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Written as nothing.
    Null,
    /// A scalar, with the text it was written with.
    Text(String),
    /// A sequence.
    List(Vec<Given>),
    /// A map, in the order it was written.
    Map(Vec<Entry>),
}

/// An entry of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key.
    pub key: String,
    /// Where the key was written.
    pub place: Place,
    /// What stands under it.
    pub given: Given,
}

impl Given {
    /// A scalar at a place.
    pub(crate) fn text(text: impl Into<String>, place: Place) -> Self {
        Self { value: Value::Text(text.into()), place, form: Form::Text }
    }

    /// The scalar, where it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The value under a key, where this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| same(&entry.key, key)).map(|entry| &entry.given),
            Value::Null | Value::Text(_) | Value::List(_) => None,
        }
    }

    /// Whether the value counts as not given: null, or a blank text.
    pub(crate) fn is_absent(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Text(text) => text.trim().is_empty(),
            Value::List(_) | Value::Map(_) => false,
        }
    }
}

/// Whether two keys are the same; the API's own `TargetArn` may be written `target_arn`.
fn same(written: &str, key: &str) -> bool {
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    written == key || (key.starts_with(|c: char| c.is_ascii_uppercase()) && plain(written) == plain(key))
}

/// Lays layers over each other, the strongest first. A value that counts as not given leaves the next one visible.
///
/// The credentials are the exception: all three come from the strongest layer that has any of them.
pub(super) fn merge(layers: &[Layer]) -> Layer {
    const KEYS: [&str; 3] = ["access_key_id", "secret_access_key", "session_token"];
    let mut merged = Layer::new();
    for layer in layers.iter().rev() {
        if KEYS.iter().any(|key| layer.contains_key(key)) {
            merged.retain(|name, _| !KEYS.contains(name));
        }
        // A profile that stands above keys is meant instead of them, and the other way round.
        if layer.contains_key("profile") {
            merged.retain(|name, _| !KEYS.contains(name) || layer.contains_key(name));
        }
        merged.extend(layer.iter().map(|(name, given)| (*name, given.clone())));
    }
    merged
}

/// Puts a value into a layer unless it counts as not given. An alias may stand for one member of a map.
pub(crate) fn insert(layer: &mut Layer, option: &'static Opt, member: Option<&str>, given: Given) {
    let inner = member.and_then(|member| given.get(member)).map(|inner| inner.value.clone());
    let given = Given { value: inner.unwrap_or(given.value), ..given };
    if !given.is_absent() {
        layer.insert(option.name, given);
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
