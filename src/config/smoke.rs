//! `smoke_test`: the tests that a version must pass.

use std::time::Duration;

use regex_lite::Regex;
use serde::de::IgnoredAny;
use serde_json::Value as Json;

use super::{
    context::Context,
    interpolate,
    layer::{Given, Value},
    options::same_key,
    paths,
    read::Reader,
    script::Refusal,
};
use crate::files;
use crate::place::{Place, Problem};
use crate::release::{Call, Check, LARGEST_PAYLOAD, Script, SmokeTest, When};
use crate::settings::{Source as _, Structure, snake};

/// The option.
const OPTION: &str = "smoke_test";

/// The members for a call.
const OF_CALL: [&str; 6] = ["Payload", "PayloadFile", "Expect", "Matches", "StatusCode", "MaxDuration"];

/// The tests, in their order.
pub(super) fn tests(reader: &mut Reader, context: &Context<'_>) -> Vec<SmokeTest> {
    let Some(items) = reader.setting::<Structure>(OPTION) else { return Vec::new() };
    let written = reader.mixed(OPTION).unwrap_or_default();
    let mut tests = Vec::new();
    for (index, item) in items.0.as_array().into_iter().flatten().enumerate() {
        let item = Structure(item.clone());
        let given = written.get(index);
        let check = check(&item, given, reader, context).map_err(|problem| {
            let place = problem.place.clone().or_else(|| given.map(|given| given.place.clone()));
            reader.problems.push(Problem { place: place.or_else(|| reader.place(OPTION)), ..problem.of(OPTION) });
        });
        let when = match item.text("When").as_deref() {
            Some("after_traffic") => When::AfterTraffic,
            _ => When::BeforeTraffic,
        };
        let retries = item.number("Retries").and_then(|number| number.try_into().ok()).unwrap_or_default();
        tests.extend(check.ok().map(|check| SmokeTest { number: index + 1, when, check, retries }));
    }
    tests
}

/// Why a test cannot be used. Without a place, it is about the whole item.
type Checked<T> = Result<T, Problem>;

fn check(item: &Structure, given: Option<&Given>, reader: &Reader, context: &Context<'_>) -> Checked<Check> {
    let Some(run) = item.text("Run") else { return call(item, given, context).map(Box::new).map(Check::Call) };
    if let Some(member) = OF_CALL.into_iter().find(|member| item.get(member).is_some()) {
        let message = format!("has `run` and `{}`, which is for a call of the function", snake(member));
        return Err(Problem::new(message).help("write two items: one for the command, one for the call"));
    }
    let named = |name: &str| reader.named(name);
    let script = Script::of(&run, |name| interpolate::value(name, &named, context.build, context.host));
    script.map(Check::Command).map_err(|Refusal { message, help }| Problem::new(message).help(help))
}

fn call(item: &Structure, given: Option<&Given>, context: &Context<'_>) -> Checked<Call> {
    let payload = match (item.get("Payload"), item.text("PayloadFile")) {
        (Some(_), Some(_)) => return Err(Problem::new("has `payload` and `payload_file`, of which one is possible")),
        (Some(payload), None) => unpacked(payload).to_string().into_bytes(),
        (None, Some(file)) => {
            let place = given.and_then(|given| place_of(given, "PayloadFile"));
            payload_file(&file, place.as_ref(), context).map_err(|problem| Problem { place, ..problem })?
        }
        (None, None) => b"{}".to_vec(),
    };
    if payload.len() as u64 > LARGEST_PAYLOAD {
        let message = format!("has a payload of {} bytes, AWS accepts at most {LARGEST_PAYLOAD}", payload.len());
        return Err(Problem::new(message));
    }
    let matches = item.text("Matches");
    if let Some(error) = matches.as_ref().and_then(|pattern| Regex::new(pattern).err()) {
        return Err(Problem::new(format!("`matches` is not a regular expression: {error}")));
    }
    Ok(Call {
        payload,
        expect: item.get("Expect").map(unpacked),
        matches,
        status_code: item.number("StatusCode").and_then(|code| code.try_into().ok()),
        max_duration: item.text("MaxDuration").and_then(|text| text.parse().ok()).map(Duration::from_secs_f64),
    })
}

/// A value. A text that holds a JSON map or list counts as that.
fn unpacked(value: &Json) -> Json {
    let inner = value.as_str().and_then(|text| serde_json::from_str::<Json>(text).ok());
    inner.filter(|inner| inner.is_object() || inner.is_array()).unwrap_or_else(|| value.clone())
}

/// The bytes of a file with the payload. Anything but JSON is an error.
fn payload_file(file: &str, place: Option<&Place>, context: &Context<'_>) -> Checked<Vec<u8>> {
    let is_in_file = place.is_some_and(|place| place.in_file().is_some());
    let file = &if is_in_file { paths::joined(&context.folder, file) } else { file.to_owned() };
    if let Some(problem) = place.and_then(|place| context.trust.refusal(OPTION, file, place)) {
        return Err(problem);
    }
    let bytes = files::bytes(&context.host.directory.join(file), LARGEST_PAYLOAD);
    let bytes = bytes.map_err(|error| Problem::new(format!("`{file}` {error}")))?;
    match serde_json::from_slice::<IgnoredAny>(&bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Problem::new(format!("`{file}` is not JSON: {error}"))),
    }
}

fn place_of(given: &Given, member: &str) -> Option<Place> {
    let Value::Map(entries) = &given.value else { return Some(given.place.clone()) };
    entries.iter().find(|entry| same_key(&entry.key, member)).map(|entry| entry.given.place.clone())
}
