//! Compares wanted values with live ones as AWS would.

use serde_json::{Map, Value};

use super::snake;

/// Lists whose order matters. AWS ignores the order of all other lists.
const ORDERED: [&str; 2] = ["Command", "EntryPoint"];

/// Receives the path of a member, its live value and its wanted value.
pub(super) type Found<'a> = &'a mut dyn FnMut(&str, Option<&Value>, &Value);

/// Whether the wanted and the live value at a path are equal to AWS.
pub(super) type Same = fn(&str, &Value, &Value) -> bool;

pub(super) fn compare(path: &str, wanted: &Value, live: &Value, same: Same, found: Found<'_>) {
    match wanted {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                let path = if path.is_empty() { snake(name) } else { format!("{path}.{}", snake(name)) };
                compare(&path, value, live.get(name).unwrap_or(&Value::Null), same, found);
            }
        }
        wanted if same(path, wanted, live) => {}
        wanted => {
            found(path, (!is_empty(live)).then_some(live), wanted);
        }
    }
}

/// Whether two values are equal to AWS.
pub(super) fn same(path: &str, wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (wanted, live) if is_empty(wanted) && is_empty(live) => true,
        (Value::Bool(false), Value::Null) => true,
        (Value::Array(wanted), Value::Array(live)) if wanted.len() == live.len() => {
            let last = path.rsplit('.').next().unwrap_or_default();
            if ORDERED.iter().any(|name| snake(name) == last) {
                return wanted.iter().zip(live).all(|(wanted, live)| canonical(wanted) == canonical(live));
            }
            let mut rest: Vec<_> = live.iter().collect();
            wanted.iter().all(|item| {
                let found = rest.iter().position(|live| is_item(item, live));
                found.map(|index| rest.swap_remove(index)).is_some()
            })
        }
        (wanted, live) => canonical(wanted) == canonical(live),
    }
}

/// Whether a live item of a list has every member that was written.
fn is_item(wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (Value::Object(members), Value::Object(_)) => {
            let mut met = true;
            for (name, value) in members {
                compare(name, value, live.get(name).unwrap_or(&Value::Null), same, &mut |_, _, _| met = false);
            }
            met
        }
        (wanted, live) => canonical(wanted) == canonical(live),
    }
}

/// A value in normal form: members sorted, and JSON texts parsed.
fn canonical(value: &Value) -> Value {
    match value {
        Value::String(text) if text.trim_start().starts_with('{') => {
            serde_json::from_str(text).map_or_else(|_| value.clone(), |inner: Value| canonical(&inner))
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(name, value)| (name.clone(), canonical(value))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// Whether AWS treats the value as absent.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
