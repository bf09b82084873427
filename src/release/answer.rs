//! Compares the answer of a function with what a test expects.

use std::time::Duration;

use regex_lite::Regex;
use serde_json::Value;

use super::Call;

/// The most problems of one answer that are listed.
const MOST_PROBLEMS: usize = 5;

/// The most characters of a value that are shown.
const SHOWN: usize = 200;

/// The answer of a function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    /// The payload; empty if there is none.
    pub payload: &'a str,
    /// `Handled` or `Unhandled`; absent if the function succeeded.
    pub function_error: Option<&'a str>,
    /// The duration of the invocation, without the start of the environment.
    pub took: Duration,
}

impl Answer<'_> {
    /// What differs from the expected answer; empty if nothing does. `hide` removes secrets from a value before it is
    /// cut.
    pub(crate) fn problems(&self, call: &Call, hide: &dyn Fn(&str) -> String) -> Vec<String> {
        let json: Option<Value> = serde_json::from_str(self.payload).ok();
        let mut comparison = Comparison { problems: Vec::new(), hide };
        let shown = || comparison.shown(self.payload);
        if let Some(kind) = self.function_error {
            return vec![format!("the function failed ({kind}): {}", shown())];
        }
        let mut found = Vec::new();
        if let Some(expected) = call.status_code {
            let code = json.as_ref().and_then(|json| json.get("statusCode"));
            if !code.is_some_and(|code| same_number(code, &expected.into())) {
                let came = code.map_or_else(
                    || "the answer has none".to_owned(),
                    |code| format!("got {}", comparison.shown(&code.to_string())),
                );
                found.push(format!("expected `statusCode` {expected}, {came}"));
            }
        }
        if let Some(pattern) = &call.matches
            && !Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(self.payload))
        {
            found.push(format!("expected a match of `{pattern}`, got {}", comparison.shown(self.payload)));
        }
        if let Some(expected) = &call.expect {
            comparison.compare("", expected, json.as_ref().unwrap_or(&Value::String(self.payload.to_owned())));
        }
        if let Some(limit) = call.max_duration
            && self.took > limit
        {
            let (took, limit) = (self.took.as_secs_f64(), limit.as_secs_f64());
            found.push(format!("expected an answer within {limit} s, got it after {took:.1} s"));
        }
        found.append(&mut comparison.problems);
        let more = found.len().saturating_sub(MOST_PROBLEMS);
        found.truncate(MOST_PROBLEMS);
        found.extend((more > 0).then(|| format!("{more} more differences")));
        found
    }
}

struct Comparison<'a> {
    problems: Vec<String>,
    hide: &'a dyn Fn(&str) -> String,
}

impl Comparison<'_> {
    fn shown(&self, text: &str) -> String {
        let hidden = (self.hide)(text);
        match hidden.chars().count() {
            0 => "an empty answer".to_owned(),
            length if length > SHOWN => format!("{}…", hidden.chars().take(SHOWN).collect::<String>()),
            _ => hidden,
        }
    }

    /// Adds a problem for each expected value that the answer does not have.
    fn compare(&mut self, path: &str, expected: &Value, found: &Value) {
        let unpacked: Option<Value> = match (expected, found) {
            // An answer for HTTP has its body as text.
            (Value::Object(_) | Value::Array(_), Value::String(text)) => serde_json::from_str(text).ok(),
            _ => None,
        };
        let found = unpacked.as_ref().unwrap_or(found);
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match (expected, found) {
            (Value::Object(expected), Value::Object(found)) => {
                for (name, value) in expected {
                    if let Some(found) = found.get(name) {
                        self.compare(&below(name), value, found);
                    } else {
                        let value = self.shown(&value.to_string());
                        self.problems.push(format!("expected `{}` {value}, the answer has none", below(name)));
                    }
                }
            }
            (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
                for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                    self.compare(&below(&index.to_string()), expected, found);
                }
            }
            _ if expected == found || same_number(expected, found) => {}
            _ => {
                let what = if path.is_empty() { String::new() } else { format!("`{path}` ") };
                let (expected, found) = (self.shown(&expected.to_string()), self.shown(&found.to_string()));
                self.problems.push(format!("expected {what}{expected}, got {found}"));
            }
        }
    }
}

/// Whether two values are the same number, such as 1 and 1.0.
fn same_number(one: &Value, other: &Value) -> bool {
    #[expect(clippy::float_cmp, reason = "only the two spellings of one number are equal")]
    let same = |one: f64, other: f64| one == other;
    matches!((one.as_f64(), other.as_f64()), (Some(one), Some(other)) if same(one, other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(call: &Call, payload: &str) -> Vec<String> {
        let answer = Answer { payload, function_error: None, took: Duration::from_millis(1500) };
        answer.problems(call, &|text| text.replace("secret", "[hidden]"))
    }

    fn call() -> Call {
        Call { payload: Vec::new(), expect: None, matches: None, status_code: None, max_duration: None }
    }

    #[test]
    fn an_answer_has_every_expected_member_and_may_have_more() {
        for (expected, answer) in [
            (json!({}), r#"{"a": 1}"#),
            (json!({"a": 1}), r#"{"a": 1.0, "b": 2}"#),
            (json!({"a": {"b": [1, {"c": "x"}]}}), r#"{"a": {"b": [1, {"c": "x", "d": null}], "e": 1}}"#),
            (json!({"body": {"ok": true}}), r#"{"statusCode": 200, "body": "{\"ok\": true}"}"#),
            (json!("fine"), r#""fine""#),
            (json!("not json"), "not json"),
            (json!(null), "null"),
            (json!({"a": null}), r#"{"a": null}"#),
        ] {
            let call = Call { expect: Some(expected.clone()), ..call() };
            assert_eq!(problems(&call, answer), Vec::<String>::new(), "{expected} {answer}");
        }
        for (expected, answer) in [
            (json!({"a": 1}), r#"{"a": 2}"#),
            (json!({"a": 1}), r#"{"a": "1"}"#),
            (json!({"a": 1}), "{}"),
            (json!({"a": null}), "{}"),
            (json!({"a": 1}), "[]"),
            (json!({"a": 1}), ""),
            (json!([1, 2]), "[1]"),
            (json!([1]), "[1, 2]"),
            (json!({"body": {"ok": true}}), r#"{"body": "not json"}"#),
            (json!("1"), "1"),
            (json!(true), "1"),
        ] {
            let call = Call { expect: Some(expected.clone()), ..call() };
            assert_eq!(problems(&call, answer).len(), 1, "{expected} {answer}");
        }
    }

    #[test]
    fn each_expectation_counts() {
        let all = Call {
            expect: Some(json!({"a": 1})),
            matches: Some("^ok".to_owned()),
            status_code: Some(200),
            max_duration: Some(Duration::from_secs(1)),
            ..call()
        };
        assert_eq!(problems(&all, r#"{"statusCode": 500}"#).len(), 4);
        let fine = Call { matches: Some("\"n\": \\d+".to_owned()), status_code: Some(204), ..call() };
        assert_eq!(problems(&fine, r#"{"statusCode": 204, "n": 12}"#), Vec::<String>::new());
    }

    #[test]
    fn values_are_hidden_before_they_are_cut() {
        let long = format!("{}secret", "x".repeat(SHOWN - 3));
        let call = Call { expect: Some(json!({"key": "value"})), ..call() };
        let found = problems(&call, &json!({ "key": long }).to_string());
        assert!(!found[0].contains("se"), "{found:?}");
        let failed = Answer { payload: "the secret", function_error: Some("Unhandled"), took: Duration::ZERO };
        assert_eq!(
            failed.problems(&call, &|text| text.replace("secret", "…")),
            ["the function failed (Unhandled): the …"]
        );
    }

    #[test]
    fn many_differences_are_counted() {
        let members: serde_json::Map<_, _> = (0..9).map(|number| (number.to_string(), json!(1))).collect();
        let call = Call { expect: Some(Value::Object(members)), ..call() };
        let found = problems(&call, "{}");
        assert_eq!((found.len(), found[5].as_str()), (6, "4 more differences"));
    }
}
