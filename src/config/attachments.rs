//! What is to stand around the function, each kind by the keys of its things.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::blocks::truth;
use super::layer::Given;
use super::read::Reader;
use super::resolve::others;
use crate::deployment::{Keyed, Wishes};
use crate::place::Problem;
use crate::settings::{Attachment, Count, Source, Structure};

/// Everything that is wanted around the function. What was not named is not in it.
pub(super) fn attachments(reader: &mut Reader) -> Wishes {
    let mut wishes = Wishes::new();
    for attachment in Attachment::ALL {
        let wish = match attachment {
            Attachment::FunctionUrl => function_url(reader),
            Attachment::Permissions => many(reader, attachment, "permissions_mode", permission),
            Attachment::EventSources => many(reader, attachment, "event_sources_mode", event_source),
            _ => {
                debug_assert_eq!(attachment.count(), Count::One);
                reader.setting(attachment.option()).map(|wanted: Structure| one(Some(wanted)))
            }
        };
        wishes.extend(wish.map(|wish| (attachment, wish)));
    }
    wishes
}

/// The wish for a thing of which there is one at most; nothing to have none.
pub(super) fn one(wanted: Option<Structure>) -> Keyed<Option<Structure>> {
    Keyed { entries: BTreeMap::from([(String::new(), wanted)]), others: None }
}

/// Yes and no are words for one with the defaults, and for none.
fn function_url(reader: &mut Reader) -> Option<Keyed<Option<Structure>>> {
    match reader.raw("function_url").as_deref().and_then(truth) {
        Some(true) => Some(one(Some(Structure(json!({}))))),
        Some(false) => Some(one(None)),
        None => reader.setting("function_url").map(|wanted| one(Some(wanted))),
    }
}

/// The key of a thing, and the thing; the error is a fragment that says what is wrong with it.
type Read = fn(Structure) -> Result<(String, Structure), String>;

/// Things of which there may be many, by their keys.
fn many(
    reader: &mut Reader,
    attachment: Attachment,
    mode: &'static str,
    read: Read,
) -> Option<Keyed<Option<Structure>>> {
    let others = others(reader, mode);
    let option = attachment.option();
    let Some(items) = reader.setting::<Structure>(option) else {
        if others.is_some() && !reader.has(option) {
            reader.wrong(mode, format!("is given without `{option}`"));
        }
        return None;
    };
    let written = reader.mixed(option).unwrap_or_default();
    let mut entries = BTreeMap::new();
    for (index, item) in items.0.as_array().into_iter().flatten().enumerate() {
        let place = written.get(index).map(|given: &Given| given.place.clone());
        let mut wrong = |message: String| {
            reader.problems.push(Problem { place: place.clone(), ..Problem::new(message).of(option) });
        };
        match read(Structure(item.clone())) {
            Ok((key, _)) if entries.contains_key(&key) => wrong(format!("`{key}` stands twice")),
            Ok((key, item)) => drop(entries.insert(key, Some(item))),
            Err(message) => wrong(message),
        }
    }
    Some(Keyed { entries, others })
}

/// A service is known by its first name too.
fn permission(mut item: Structure) -> Result<(String, Structure), String> {
    let id = item.text("StatementId").unwrap_or_default();
    let principal = item.text("Principal").unwrap_or_default();
    let service = principal.starts_with(|c: char| c.is_ascii_lowercase())
        && principal.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if service && let Json::Object(members) = &mut item.0 {
        members.insert("Principal".to_owned(), format!("{principal}.amazonaws.com").into());
    }
    if principal == "*" && item.text("FunctionUrlAuthType").is_none() && item.text("PrincipalOrgID").is_none() {
        return Err(format!(
            "`{id}` lets everybody invoke the function; name an account, a service, or a `principal_org_id`"
        ));
    }
    if let Json::Object(members) = &mut item.0 {
        members.remove("StatementId");
    }
    Ok((id, item))
}

/// A mapping is known by what it reads: the source, and where that has several, its topic or queue.
fn event_source(item: Structure) -> Result<(String, Structure), String> {
    if item.get("StartingPosition") == Some(&json!("AT_TIMESTAMP")) && item.get("StartingPositionTimestamp").is_none() {
        return Err("`starting_position: AT_TIMESTAMP` needs `starting_position_timestamp`".to_owned());
    }
    match crate::settings::event_source_key(&item) {
        Some(key) => Ok((key, item)),
        None => Err("has an item with neither `event_source_arn` nor `self_managed_event_source`".to_owned()),
    }
}
