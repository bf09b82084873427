//! Text about events of a function's log.

use serde_json::{Map, Value, json};

use super::console::Console;
use super::sanitise;
use crate::remote::{LogEvent, utc};

/// The members of a JSON log that hold the message, in the order of preference.
const MESSAGE: [&str; 2] = ["message", "msg"];

/// The members of a JSON log that hold the level.
const LEVEL: [&str; 3] = ["level", "severity", "levelname"];

/// The members of a JSON log that hold the time. The event has its own.
const TIME: [&str; 2] = ["timestamp", "time"];

/// An event for people: its time, its version and its message. Further lines of the message are indented.
pub(super) fn text(event: &LogEvent, console: &Console) -> String {
    let time = utc(event.time).replace('T', " ");
    let version = event.version().map(|version| format!(" [{}]", sanitise::one_line(version))).unwrap_or_default();
    let message = console.redact_foreign(&event.message);
    // A value may be written with escapes, which only reading the JSON undoes.
    let message = console.redact_foreign(&readable(message.trim_end()));
    let text = format!("{}{version} {message}", time.trim_end_matches('Z'));
    sanitise::inert(text.trim_end()).replace('\n', "\n  ")
}

/// An event on one line of JSON, with its message as it is.
pub(super) fn document(event: &LogEvent, console: &Console) -> String {
    let document = json!({
        "timestamp": utc(event.time),
        "version": event.version(),
        "log_stream": event.stream,
        "message": console.redact_foreign(&event.message),
    });
    sanitise::json(&document.to_string())
}

/// A message. One in JSON becomes its level, its text and its other members.
fn readable(message: &str) -> String {
    let Ok(Value::Object(mut members)) = serde_json::from_str(message) else { return message.to_owned() };
    for name in TIME {
        if members.get(name).is_some_and(Value::is_string) {
            members.shift_remove(name);
        }
    }
    let level = take(&mut members, &LEVEL);
    // The events of Lambda itself have a type instead of a message.
    let said = take(&mut members, &MESSAGE).or_else(|| take(&mut members, &["type"]));
    let mut rest = Vec::new();
    for (name, value) in &members {
        flat(name, value, &mut rest);
    }
    level.into_iter().chain(said).chain(rest).collect::<Vec<_>>().join(" ")
}

/// Takes the first of these members that is a text.
fn take(members: &mut Map<String, Value>, names: &[&str]) -> Option<String> {
    let name = names.iter().find(|name| members.get(**name).is_some_and(Value::is_string))?;
    match members.shift_remove(*name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Adds `name=value`, for an object one for each of its members.
fn flat(name: &str, value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(member, value)| flat(&format!("{name}.{member}"), value, into));
        }
        Value::String(text) if !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "\"=".contains(c)) => {
            into.push(format!("{name}={text}"));
        }
        value => into.push(format!("{name}={value}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_log_is_readable_and_loses_nothing() {
        for (message, shown) in [
            ("plain {text}", "plain {text}"),
            ("[1]", "[1]"),
            (
                r#"{"timestamp":"2026-11-26T17:42:30Z","level":"INFO","requestId":"a-1","message":"paid","amount":1.5,"by":{"name":"Ada L","id":7},"tags":["x"],"none":null,"empty":"","object":{}}"#,
                r#"INFO paid requestId=a-1 amount=1.5 by.name="Ada L" by.id=7 tags=["x"] none=null empty="" object={}"#,
            ),
            (
                r#"{"time":"2026-11-26T17:42:30Z","type":"platform.start","record":{"requestId":"a-1"}}"#,
                "platform.start record.requestId=a-1",
            ),
            (r#"{"level":30,"time":1795714950,"msg":"pino"}"#, "pino level=30 time=1795714950"),
            (r#"{"message":{"nested":true}}"#, "message.nested=true"),
            (r#"{"type":"order","message":"m"}"#, "m type=order"),
            ("{}", ""),
        ] {
            assert_eq!(readable(message), shown);
        }
    }

    #[test]
    fn an_event_is_harmless_and_without_secrets_in_both_forms() {
        let console = Console::default();
        console.hide("hunter2hunter2");
        console.hide_in_foreign("first line\nsecond line");
        let event = |message: &str| LogEvent {
            time: 1_795_714_950_123,
            stream: "2026/11/26/[7]0af".to_owned(),
            id: String::new(),
            message: message.to_owned(),
        };
        assert_eq!(
            text(&event("Traceback\n::error::x\n  ##[y]\u{1b}[31m\n"), &console),
            "2026-11-26 17:42:30.123 [7] Traceback\n  | ::error::x\n    # #[y]"
        );
        for message in [
            "hunter2hunter2",
            r#"{"message":"\u0068unter2hunter2"}"#,
            "first line\nsecond line",
            r#"{"message":"first line\nsecond line"}"#,
        ] {
            for shown in [text(&event(message), &console), document(&event(message), &console)] {
                assert!(!shown.contains("hunter2hunter2") && !shown.contains("second"), "{shown}");
            }
        }
        let line = document(&event("::error::\n##[x]"), &console);
        assert!(!line.contains('\n') && !line.contains("##["), "{line}");
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&read["message"], &read["version"]), (&json!("::error::\n##[x]"), &json!("7")));
    }
}
