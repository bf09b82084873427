//! A line of JSON about an event, for programs that follow the run.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::remote::utc;

/// The version of the lines. It grows when a member changes its meaning, not when one is added.
const SCHEMA_VERSION: u32 = 1;

/// A line, without members that are null. `now` is the time since the Unix epoch.
pub(super) fn line(event: &str, own: Map<String, Value>, now: Duration) -> Value {
    let time = utc(i64::try_from(now.as_millis()).unwrap_or_default());
    let mut line = Map::new();
    line.insert("schema_version".to_owned(), SCHEMA_VERSION.into());
    line.insert("time".to_owned(), time.into());
    line.insert("event".to_owned(), event.into());
    line.extend(own.into_iter().filter(|(_, value)| !value.is_null()));
    Value::Object(line)
}
