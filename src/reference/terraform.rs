//! The state of Terraform and `OpenTofu`: JSON of version 4.
//!
//! Source: `internal/states/statefile/version4.go` in hashicorp/terraform.

use serde_json::Value;

use super::Found;
use crate::fault::{Fault, FaultKind};
use crate::settings::Secret;

/// The version of the format.
const VERSION: u64 = 4;

/// The largest state that is read, in bytes.
pub(crate) const MOST_STATE: u64 = 16 << 20;

/// The most outputs that a message lists.
const MOST_NAMED: usize = 12;

/// The value of an output in a state. `shown` is the file or object that has the state.
pub(crate) fn of_state(state: &[u8], shown: &str, name: &str) -> Result<Found, Fault> {
    let wrong = |message: &str, help: &str| {
        Err(Fault::new(FaultKind::Misconfigured, format!("`{shown}` {message}")).help(help))
    };
    // The error of the parser could quote a value.
    let Ok(Value::Object(state)) = serde_json::from_slice(state) else {
        return wrong("is not a state of Terraform", "name the file that `terraform state pull` prints");
    };
    if state.contains_key("encrypted_data") {
        return wrong("is encrypted", "name a state that is not, as `tofu state pull` prints it");
    }
    match state.get("version").and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(version) if version > VERSION => {
            let message = format!("has version {version} of the format, and only version {VERSION} is known");
            return wrong(&message, "update `dpl-lambda`");
        }
        Some(version) => {
            let message = format!("has version {version} of the format, and only version {VERSION} is known");
            return wrong(&message, "run `terraform apply` with a version of Terraform since 0.12");
        }
        None => return wrong("is not a state of Terraform", "name the file that `terraform state pull` prints"),
    }
    let outputs = state.get("outputs").and_then(Value::as_object);
    let Some(output) = outputs.and_then(|outputs| outputs.get(name)) else {
        let names = outputs.into_iter().flatten().map(|(name, _)| name.as_str());
        return Ok(Found::Nothing {
            message: format!("`{shown}` has no output `{name}`"),
            help: named("the root module", names),
        });
    };
    let text = match output.get("value") {
        Some(Value::Array(items)) => {
            items.iter().map(scalar).collect::<Option<Vec<_>>>().and_then(|items| joined(&items))
        }
        Some(value) => scalar(value),
        None => None,
    };
    let Some(text) = text else {
        let message =
            format!("has no text in the output `{name}`: only texts, numbers, booleans and lists of them can be taken");
        return wrong(&message, "add an output with the one value, or with `jsonencode(…)`");
    };
    let is_secret = output.get("sensitive").is_some_and(|sensitive| *sensitive != Value::Bool(false));
    Ok(if is_secret { Found::Secret(Secret::new(text)) } else { Found::Plain(Secret::new(text)) })
}

/// The help for a missing output of something that has these.
pub(crate) fn named<'n>(owner: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => format!("{owner} has no outputs"),
        count if count > MOST_NAMED => {
            format!("its outputs are {} and {} more", names[..MOST_NAMED].join(", "), count - MOST_NAMED)
        }
        _ => format!("its outputs are {}", names.join(", ")),
    }
}

/// The text of a JSON value; `None` for null, a list and an object.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A list as one text. An item with a comma cannot be told from two.
fn joined(items: &[String]) -> Option<String> {
    (!items.iter().any(|item| item.contains(','))).then(|| items.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(state: &Value, name: &str) -> Result<Found, Fault> {
        of_state(state.to_string().as_bytes(), "state.json", name)
    }

    #[test]
    fn outputs_become_texts_and_sensitive_ones_are_secrets() {
        let state = json!({ "version": 4, "outputs": {
            "text": { "value": "a", "type": "string" },
            "number": { "value": 7 },
            "list": { "value": ["a", "b"], "sensitive": false },
            "secret": { "value": "s", "sensitive": true },
            "odd": { "value": "s", "sensitive": "yes" },
        }});
        for (name, text) in [("text", "a"), ("number", "7"), ("list", "a,b")] {
            assert_eq!(read(&state, name), Ok(Found::Plain(Secret::new(text))), "{name}");
        }
        for name in ["secret", "odd"] {
            assert_eq!(read(&state, name), Ok(Found::Secret(Secret::new("s"))), "{name}");
        }
        assert!(matches!(read(&state, "gone"), Ok(Found::Nothing { .. })));
    }

    #[test]
    fn a_state_that_is_none_is_refused_without_a_word_of_it() {
        let secret = "hunter2-hunter2";
        for state in [
            "",
            "[]",
            "4",
            "{}",
            r#"{"version": "4"}"#,
            r#"{"version": 3, "modules": []}"#,
            r#"{"version": 5}"#,
            r#"{"version": 4, "outputs": {"x": {"value": null}}}"#,
            r#"{"version": 4, "outputs": {"x": {"value": {"a": 1}}}}"#,
            r#"{"version": 4, "outputs": {"x": {"value": [["a"]]}}}"#,
            r#"{"version": 4, "outputs": {"x": {"value": ["a,b"]}}}"#,
            r#"{"version": 4, "outputs": {"x": {}}}"#,
            r#"{"version": 4, "outputs": {"x": "hunter2-hunter2"}}"#,
            r#"{"version": 4, "outputs": {"x": {"value": "hunter2-hunter2}"#,
            r#"{"encrypted_data": "hunter2-hunter2", "meta": {}}"#,
        ] {
            let fault = of_state(state.as_bytes(), "state.json", "x").unwrap_err();
            assert!(!fault.message.contains(secret) && fault.help.is_some(), "{state}: {fault}");
        }
        for state in [r#"{"version": 4}"#, r#"{"version": 4, "outputs": []}"#, r#"{"version": 4, "outputs": {}}"#] {
            assert!(matches!(of_state(state.as_bytes(), "state.json", "x"), Ok(Found::Nothing { .. })), "{state}");
        }
    }
}
