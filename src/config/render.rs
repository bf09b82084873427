//! The resolved configuration: every option with its value and its place. Secrets are hidden.

use std::fmt::Write;

use serde_json::{Map, Value as Json, json};

use super::context::Context;
use super::interpolate;
use super::layer::{Given, MapEntry, Value};
use super::options::{Kind, OPTIONS};
use super::overlay::Origins;
use super::read::Reader;
use super::references;
use crate::place::Place;

/// Shown instead of a secret.
const HIDDEN: &str = "(hidden)";

/// The options whose `%{…}` are filled in where they are read.
const FILLED: [&str; 2] = ["description", "version_description"];

/// A resolved block.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    /// Its options in the order of the manual, without secrets.
    options: Vec<(&'static str, Given)>,
    /// The parts of the file that values come from.
    origins: Origins,
}

impl Rendered {
    /// The options of a reader.
    pub(super) fn of(reader: &Reader, origins: Origins, context: &Context<'_>) -> Self {
        let layer = reader.layer();
        let fill = |text: &str| interpolate::fill(text, |name| reader.named(name), context.build, context.host);
        let options = OPTIONS.iter().filter_map(|option| {
            let given = layer.get(option.name)?.clone();
            let given = match option.kind {
                Kind::Secret => Given::text(HIDDEN, given.place),
                _ if option.name == "environment" => variables(given),
                _ if FILLED.contains(&option.name) => with_texts(given, &|text| fill(text)),
                _ => given,
            };
            Some((option.name, given))
        });
        Self { options: options.collect(), origins }
    }

    /// Options without places, because nobody wrote them yet.
    pub(super) fn unsourced(options: Vec<(&'static str, Given)>) -> Self {
        Self { options, origins: Origins::new() }
    }

    /// The block as YAML, with the place of each value in a comment.
    pub(crate) fn yaml(&self) -> String {
        let mut lines = Vec::new();
        for (name, given) in &self.options {
            emit(&mut lines, 0, &format!("{name}:"), given, None, &self.origins);
        }
        let widest = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or_default().min(60);
        let mut out = String::new();
        for (line, source) in lines {
            match source {
                Some(source) => {
                    let _ = writeln!(out, "{line:<widest$}  # {source}");
                }
                None => {
                    let _ = writeln!(out, "{line}");
                }
            }
        }
        out
    }

    /// The block as JSON: the value and place of each option.
    pub(crate) fn json(&self) -> Json {
        let option = |(name, given): &(&str, Given)| {
            let value = plain(given);
            let sourced = || {
                let mut sourced = json!({ "value": plain(given), "source": given.place.to_string() });
                if let Some(part) = self.origins.get(&given.place) {
                    sourced["part"] = (&**part).into();
                }
                sourced
            };
            ((*name).to_owned(), if given.place == nowhere() { value } else { sourced() })
        };
        Json::Object(self.options.iter().map(option).collect::<Map<_, _>>())
    }
}

/// The place of options that nobody wrote yet.
pub(super) fn nowhere() -> Place {
    Place::Flag(String::new())
}

/// Variables with hidden values.
fn variables(given: Given) -> Given {
    let hide = |given: Given| match &given.value {
        Value::Null => given,
        // A reference does not contain the value, but its default may be one.
        Value::Map(entries) if given.get("from_env").is_some() || references::is_reference(&given) => {
            let shown = |entry: &MapEntry| match entry.key.as_str() {
                "default" => MapEntry { given: Given::text(HIDDEN, entry.given.place.clone()), ..entry.clone() },
                _ => entry.clone(),
            };
            Given { value: Value::Map(entries.iter().map(shown).collect()), ..given.clone() }
        }
        _ => Given::text(HIDDEN, given.place),
    };
    let value = match given.value {
        Value::Map(entries) => {
            Value::Map(entries.into_iter().map(|entry| MapEntry { given: hide(entry.given), ..entry }).collect())
        }
        // A text in a list is one pair, also with line breaks.
        Value::List(items) => {
            Value::List(items.into_iter().map(|item| pair(&item).unwrap_or_else(|| variables(item))).collect())
        }
        Value::Text(text) => {
            let names = text.lines().filter_map(|line| line.split_once('='));
            Value::Text(names.map(|(name, _)| format!("{name}={HIDDEN}")).collect::<Vec<_>>().join("\n"))
        }
        Value::Null => Value::Null,
    };
    Given { value, place: given.place, form: given.form }
}

fn with_texts(given: Given, change: &dyn Fn(&str) -> String) -> Given {
    let value = match given.value {
        Value::Text(text) => Value::Text(change(&text)),
        Value::List(items) => Value::List(items.into_iter().map(|item| with_texts(item, change)).collect()),
        other => other,
    };
    Given { value, place: given.place, form: given.form }
}

/// A text of `KEY=VALUE` with a hidden value; `None` for anything else.
fn pair(given: &Given) -> Option<Given> {
    let (name, _) = given.as_text()?.split_once('=')?;
    Some(Given::text(format!("{name}={HIDDEN}"), given.place.clone()))
}

/// Adds the lines of a value, each with its place. The place of the whole is not repeated for its parts.
fn emit(
    lines: &mut Vec<(String, Option<String>)>,
    indent: usize,
    head: &str,
    given: &Given,
    above: Option<&Place>,
    origins: &Origins,
) {
    let blanks = " ".repeat(indent);
    let source = || match origins.get(&given.place) {
        Some(part) => format!("{} ({part})", given.place),
        None => given.place.to_string(),
    };
    let source = (above != Some(&given.place) && given.place != nowhere()).then(source);
    match &given.value {
        Value::Null => lines.push((format!("{blanks}{head} null"), source)),
        Value::Text(text) => lines.push((format!("{blanks}{head} {}", scalar(text)), source)),
        Value::List(items) if items.is_empty() => lines.push((format!("{blanks}{head} []"), source)),
        Value::Map(entries) if entries.is_empty() => lines.push((format!("{blanks}{head} {{}}"), source)),
        Value::List(items) => {
            lines.push((format!("{blanks}{head}"), source));
            for item in items {
                emit(lines, indent + 2, "-", item, Some(&given.place), origins);
            }
        }
        Value::Map(entries) => {
            lines.push((format!("{blanks}{head}"), source));
            for entry in entries {
                let head = format!("{}:", scalar(&entry.key));
                emit(lines, indent + 2, &head, &entry.given, Some(&given.place), origins);
            }
        }
    }
}

/// A text as a plain scalar if every YAML reader reads the same text, else in quotes.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._/@%+-() ".contains(c);
    let begins = text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '/' | '.' | '('));
    let word = ["true", "false", "yes", "no", "on", "off", "null"].iter().any(|word| text.eq_ignore_ascii_case(word));
    let number = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) && !text.starts_with('0');
    let arn = text.starts_with("arn:") && text.chars().all(|c| plain(c) || c == ':' || c == '*');
    if number || word || arn || (begins && text.chars().all(plain) && !text.ends_with(' ')) {
        text.to_owned()
    } else {
        json!(text).to_string()
    }
}

fn plain(given: &Given) -> Json {
    match &given.value {
        Value::Null => Json::Null,
        Value::Text(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.clone(), plain(&entry.given))).collect())
        }
    }
}
