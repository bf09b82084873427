//! Writes the block of a live function.

use serde_json::Value as Json;

use super::layer::{Form, Given, MapEntry, Value};
use super::render::{self, Rendered};
use crate::place::Place;
use crate::remote::Live;
use crate::settings::{Attachment, Count, FunctionName, SettingName, Settings, Structure, Written, snake};

/// The block of a live function. Settings with AWS' defaults are left out. The function's variables get their values from
/// variables of the same names, because they can be secrets.
pub(crate) fn imported(function: &FunctionName, region: &str, live: &Live, defaults: &Settings) -> Rendered {
    let text = |text: &str| value(Value::Text(text.to_owned()));
    let mut options = vec![("function_name", text(&function.name))];
    options.push(("region", text(region)));
    let differs = live.settings.differing(defaults);
    let written = live.settings.only(&differs).written();
    let settings = written.into_iter().filter(|(name, _)| *name != SettingName::Environment);
    options.extend(settings.map(|(name, written)| (name.name(), given(written))));
    let variables = live.settings.environment.iter().flat_map(|environment| environment.0.keys());
    let from_env = |name: &String| entry(name, value(Value::Map(vec![entry("from_env", text(name))])));
    options.extend(map("environment", variables.map(from_env).collect()));
    options.extend(
        live.architecture.map(|architecture| ("architecture", given(crate::settings::Setting::written(&architecture)))),
    );
    let tags = live.tags.iter().flatten().filter(|(key, _)| !key.starts_with("aws:"));
    options.extend(map("function_tags", tags.map(|(key, tag)| entry(key, text(tag))).collect()));
    options.extend(live.source_kms_key_arn.as_deref().map(|arn| ("source_kms_key_arn", text(arn))));
    options.extend(live.alias.as_ref().map(|alias| ("alias", text(&alias.name))));
    options.extend(live.image.as_deref().map(|image| ("image_uri", text(image))));
    options.extend(Attachment::ALL.into_iter().filter_map(|attachment| attached(attachment, live)));
    Rendered::unsourced(options)
}

/// The attachments of one kind; `None` if there are none.
fn attached(attachment: Attachment, live: &Live) -> Option<(&'static str, Given)> {
    let known = live.attachments.get(&attachment)?;
    // The statements of a public URL belong to the URL.
    let own =
        |key: &str| key == "$LATEST" || (attachment == Attachment::Permissions && key.starts_with("dpl-lambda-url"));
    let known = || known.iter().filter(|(key, known)| !own(key) && !is_usual(attachment, &known.document));
    let given = match attachment.count() {
        Count::One => json(&known().next()?.1.document.0),
        Count::Many => {
            let item = |(key, known): (&String, &crate::remote::LiveAttachment)| match attachment {
                Attachment::Permissions => {
                    let id = Structure::of([("StatementId", key.as_str().into())]);
                    json(&known.document.over(&id).0)
                }
                _ => json(&known.document.0),
            };
            let items: Vec<_> = known().map(item).collect();
            if items.is_empty() {
                return None;
            }
            value(Value::List(items))
        }
    };
    Some((attachment.option(), given))
}

/// Whether an attachment is the one that AWS creates for every function.
fn is_usual(attachment: Attachment, document: &Structure) -> bool {
    match attachment {
        Attachment::RuntimeManagement => document.text("UpdateRuntimeOn").as_deref() == Some("Auto"),
        Attachment::RecursiveLoop => document.0 == "Terminate",
        _ => false,
    }
}

fn map(name: &'static str, entries: Vec<MapEntry>) -> Option<(&'static str, Given)> {
    (!entries.is_empty()).then(|| (name, value(Value::Map(entries))))
}

fn entry(key: &str, given: Given) -> MapEntry {
    MapEntry { key: key.to_owned(), place: nowhere(), given }
}

fn given(written: Written) -> Given {
    match written {
        Written::Text(text) => value(Value::Text(text)),
        Written::List(items) => value(Value::List(items.into_iter().map(|item| value(Value::Text(item))).collect())),
        Written::Structure(structure) => json(&structure),
    }
}

/// JSON of the API in the form that users write.
fn json(json: &Json) -> Given {
    value(match json {
        Json::Null => Value::Null,
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(self::json).collect()),
        Json::Object(members) => {
            Value::Map(members.iter().map(|(name, value)| entry(&snake(name), self::json(value))).collect())
        }
        other => Value::Text(other.to_string()),
    })
}

fn value(value: Value) -> Given {
    Given { value, place: nowhere(), form: Form::Text }
}

fn nowhere() -> Place {
    render::nowhere()
}
