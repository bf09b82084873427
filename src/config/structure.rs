//! Reads maps and lists as values in the API's shape. Each error has its line.

use serde_json::{Map, Value as Json, json};

use super::json::unpack;
use super::layer::{Form, Given, MapEntry, Value, yes_or_no};
use super::options::{self, same_key};
use super::references;
use crate::place::{Place, Problem};
use crate::settings::{Member, Need, Shape, snake};

/// Reads a value of this shape; `None` for an absent one. After an error, the value lacks the wrong parts.
pub(super) fn read(option: &str, given: &Given, shape: &Shape, problems: &mut Vec<Problem>) -> Option<Json> {
    Structures { option, problems }.value(given, shape, "")
}

struct Structures<'a> {
    option: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Structures<'_> {
    /// Adds the error about the value at a path inside the option.
    fn wrong(&mut self, path: &str, message: impl Into<String>, place: &Place) -> &mut Problem {
        let message = message.into();
        let message = if path.is_empty() { message } else { format!("`{path}` {message}") };
        self.problems.push(Problem::new(message).of(self.option).at(place));
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    fn value(&mut self, given: &Given, shape: &Shape, path: &str) -> Option<Json> {
        let unpacked;
        let given = match (shape, &given.value) {
            (Shape::Members { .. } | Shape::List { .. }, Value::Text(text)) if is_packed(text, shape) => {
                unpacked = self.unpacked(text, &given.place)?;
                &unpacked
            }
            _ => given,
        };
        match (shape, &given.value) {
            (_, Value::Null) => None,
            // Its value is not known yet.
            _ if references::is_unknown(given) => None,
            (Shape::Any, _) => Some(plain(given)),
            (Shape::Members { members, .. }, Value::Map(entries)) => {
                Some(self.members(entries, members, path, &given.place))
            }
            (Shape::Members { members, short }, Value::Text(text)) => self.short(given, text, members, short, path),
            (Shape::Members { .. }, Value::List(_)) => {
                self.wrong(path, "must be a map, not a list", &given.place);
                None
            }
            (Shape::List { most, .. }, Value::List(items)) if items.len() > *most => {
                self.wrong(path, format!("has {} items, AWS accepts at most {most}", items.len()), &given.place);
                None
            }
            (Shape::List { of: item, .. }, Value::List(items)) => self.items(items, item, path),
            (Shape::List { of: item, .. }, Value::Text(text))
                if !matches!(item, Shape::Members { .. } | Shape::Json { .. }) =>
            {
                let parts = text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty());
                let parts = parts.map(|part| Given::text(part, given.place.clone())).collect();
                self.value(&Given { value: Value::List(parts), ..given.clone() }, shape, path)
            }
            // A value alone is a list of one.
            (Shape::List { of: item, .. }, _) => Some(Json::Array(self.value(given, item, path).into_iter().collect())),
            (Shape::Json { most }, Value::Map(_)) => self.document(plain(given).to_string(), *most, path, &given.place),
            (Shape::Json { most }, Value::Text(text)) => {
                if serde_json::from_str::<Map<String, Json>>(text).is_err() {
                    self.wrong(path, "must be a map, or a JSON object as text", &given.place);
                    return None;
                }
                self.document(text.trim().to_owned(), *most, path, &given.place)
            }
            (shape, Value::Text(text)) => match scalar(shape, text.trim()) {
                Ok(value) => Some(value),
                Err(message) => {
                    self.wrong(path, message, &given.place);
                    None
                }
            },
            (_, Value::List(_) | Value::Map(_)) => {
                self.wrong(path, "must be one value, not a list or a map", &given.place);
                None
            }
        }
    }

    /// A JSON document that is sent as text.
    fn document(&mut self, text: String, most: usize, path: &str, place: &Place) -> Option<Json> {
        match text.chars().count() {
            length if length > most => {
                self.wrong(path, format!("is {length} characters long, AWS accepts at most {most}"), place);
                None
            }
            _ => Some(text.into()),
        }
    }

    /// The map that a text stands for, because the text is short for its most important member.
    fn short(&mut self, given: &Given, text: &str, members: &[Member], short: &str, path: &str) -> Option<Json> {
        let Some(member) = members.iter().find(|member| member.name == short) else {
            self.wrong(path, format!("must be a map, got `{text}`"), &given.place);
            return None;
        };
        let value = self.value(given, &member.shape, path)?;
        let rest = members.iter().filter_map(|member| Some((member.name.to_owned(), default(member)?)));
        Some(Json::Object(rest.chain([(short.to_owned(), value)]).collect()))
    }

    fn items(&mut self, items: &[Given], shape: &Shape, path: &str) -> Option<Json> {
        if let Some(empty) = items.iter().find(|item| item.is_absent()) {
            self.wrong(path, "has an empty item", &empty.place);
            return None;
        }
        let values = items.iter().enumerate().filter_map(|(index, given)| {
            let path = if path.is_empty() { (index + 1).to_string() } else { path.to_owned() };
            self.value(given, shape, &path)
        });
        Some(Json::Array(values.collect()))
    }

    /// The map or list in a JSON text.
    fn unpacked(&mut self, text: &str, place: &Place) -> Option<Given> {
        let option = options::find(self.option)?;
        let unpacked = unpack(option, text.to_owned(), place);
        unpacked.map_err(|problem| self.problems.push(problem)).ok()
    }

    fn members(&mut self, entries: &[MapEntry], members: &[Member], path: &str, place: &Place) -> Json {
        let mut object = Map::new();
        let below = |name: &str| if path.is_empty() { snake(name) } else { format!("{path}.{}", snake(name)) };
        for entry in entries {
            let Some(member) = members.iter().find(|member| same_key(&entry.key, member.name)) else {
                let names: Vec<&'static str> = members.iter().map(|member| member.name).collect();
                let key = snake(&entry.key);
                let near = nearest(&key, &names);
                let problem = self.wrong(path, format!("has no member `{}`", entry.key), &entry.place);
                let all = || names.iter().map(|name| snake(name)).collect::<Vec<_>>().join(", ");
                problem.help = Some(near.map_or_else(
                    || format!("its members are {}", all()),
                    |near| format!("did you mean `{}`?", snake(near)),
                ));
                continue;
            };
            if object.contains_key(member.name) {
                self.wrong(&below(member.name), "is given twice", &entry.place);
            }
            if let Some(value) = self.value(&entry.given, &member.shape, &below(member.name)) {
                if member.need == Need::Required && value == json!([]) {
                    self.wrong(&below(member.name), "is an empty list", &entry.place);
                }
                object.insert(member.name.to_owned(), value);
            }
        }
        for member in members {
            if object.contains_key(member.name) {
                continue;
            }
            let written = entries.iter().any(|entry| same_key(&entry.key, member.name) && !entry.given.is_absent());
            match member.need {
                Need::Optional => {}
                Need::Required if written => {}
                Need::Required => drop(self.wrong(&below(member.name), "is missing", place)),
                Need::Default(_) => object.extend(default(member).map(|value| (member.name.to_owned(), value))),
            }
        }
        // The order is that of the API.
        let rank = |name: &str| members.iter().position(|member| member.name == name);
        let mut members: Vec<_> = object.into_iter().collect();
        members.sort_by_key(|(name, _)| rank(name));
        Json::Object(members.into_iter().collect())
    }
}

/// Whether a text is JSON for a map or a list. A shape that contains a JSON document can have that document as its text.
fn is_packed(text: &str, shape: &Shape) -> bool {
    fn holds_a_document(shape: &Shape) -> bool {
        match shape {
            Shape::List { of, .. } => holds_a_document(of),
            Shape::Members { members, short } => {
                members.iter().any(|member| member.name == *short && matches!(member.shape, Shape::Json { .. }))
            }
            _ => false,
        }
    }
    let text = text.trim_start();
    text.starts_with('[') || text.starts_with('{') && !holds_a_document(shape)
}

/// The name that is most similar to a key; `None` if none is similar.
fn nearest(key: &str, names: &[&'static str]) -> Option<&'static str> {
    let likeness = |name: &str| strsim::jaro_winkler(key, &snake(name));
    let near = names.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(near) > 0.8).then_some(near)
}

fn default(member: &Member) -> Option<Json> {
    match member.need {
        Need::Default(text) => scalar(&member.shape, text).ok(),
        Need::Optional | Need::Required => None,
    }
}

fn scalar(shape: &Shape, text: &str) -> Result<Json, String> {
    match shape {
        Shape::Text(rule) => rule(text).map(|()| text.into()),
        Shape::Word(words) => {
            let word = words.iter().find(|word| word.eq_ignore_ascii_case(text));
            word.map(|word| json!(word)).ok_or_else(|| format!("must be {}, got `{text}`", either(words)))
        }
        Shape::Number { unit, least, most } => {
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            let open = *most >= i64::from(i32::MAX);
            let range = if open { format!("at least {least}{unit}") } else { format!("{least} to {most}{unit}") };
            match text.replace('_', "").parse::<i64>() {
                Ok(number) if (*least..=*most).contains(&number) => Ok(number.into()),
                _ => Err(format!("must be a whole number of {range}, got `{text}`")),
            }
        }
        Shape::OneOf { what, numbers } => match text.parse::<i64>() {
            Ok(number) if numbers.contains(&number) => Ok(number.into()),
            _ => Err(format!("must be {what}, got `{text}`")),
        },
        Shape::Flag => yes_or_no(text).map(Json::Bool).ok_or_else(|| format!("must be true or false, got `{text}`")),
        Shape::Any | Shape::Json { .. } | Shape::List { .. } | Shape::Members { .. } => {
            Err("must be a map or a list".to_owned())
        }
    }
}

fn either(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A value as JSON. Scalars without quotes get the type that YAML gives them: in `{numeric: [">", 0]}`, the `0` is a
/// number, but in `["1"]` the item is a text.
fn plain(given: &Given) -> Json {
    match &given.value {
        Value::Null => Json::Null,
        Value::Text(text) => match serde_json::from_str(text) {
            Ok(scalar @ (Json::Number(_) | Json::Bool(_))) if given.form == Form::Typed => scalar,
            _ => text.as_str().into(),
        },
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.clone(), plain(&entry.given))).collect())
        }
    }
}
