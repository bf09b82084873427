//! What is to stand around the function, each kind by the keys of its things.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::blocks::truth;
use super::layer::Given;
use super::read::Reader;
use super::resolve::others;
use crate::arn::account_of_root;
use crate::deployment::{Keyed, WantedAttachments};
use crate::place::Problem;
use crate::settings::{Attachment, Count, Source as _, Structure, snake};
use crate::sources::{self, Source};

/// Everything that is wanted around the function. What was not named is not in it.
pub(super) fn attachments(reader: &mut Reader) -> WantedAttachments {
    let mut wishes = WantedAttachments::new();
    for attachment in Attachment::ALL {
        let wish = match attachment {
            Attachment::FunctionUrl => function_url(reader),
            Attachment::Permissions => many(reader, attachment, "permissions_mode", permission),
            Attachment::EventSources => many(reader, attachment, "event_sources_mode", event_source),
            Attachment::RuntimeManagement => runtime_management(reader),
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

/// Only a build that is held by hand has a name, and it needs one.
fn runtime_management(reader: &mut Reader) -> Option<Keyed<Option<Structure>>> {
    let wanted: Structure = reader.setting("runtime_management")?;
    let by_hand = wanted.text("UpdateRuntimeOn").as_deref() == Some("Manual");
    match (by_hand, wanted.get("RuntimeVersionArn").is_some()) {
        (true, false) => drop(reader.wrong("runtime_management", "`Manual` needs a `runtime_version_arn`")),
        (false, true) => {
            reader.wrong(
                "runtime_management",
                "has a `runtime_version_arn`, which counts only with `update_runtime_on: Manual`",
            );
        }
        _ => {}
    }
    Some(one(Some(wanted)))
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
            Ok((key, item)) => {
                reader.items.extend(place.map(|place| (option.to_owned(), key.clone(), place)));
                entries.insert(key, Some(item));
            }
            Err(message) => wrong(message),
        }
    }
    Some(Keyed { entries, others })
}

/// Members of a statement that narrow down whom it lets in.
const CONDITIONS: [&str; 6] = [
    "SourceArn",
    "SourceAccount",
    "EventSourceToken",
    "PrincipalOrgID",
    "FunctionUrlAuthType",
    "InvokedViaFunctionUrl",
];

/// A service is known by its first name too, an account by the ARN of its root.
fn permission(mut item: Structure) -> Result<(String, Structure), String> {
    let id = item.text("StatementId").unwrap_or_default();
    if id.starts_with("dpl-lambda-url") {
        return Err(format!("`{id}` is what the statements of a public URL are called; take another `statement_id`"));
    }
    let principal = item.text("Principal").unwrap_or_default();
    let service = principal.starts_with(|c: char| c.is_ascii_lowercase())
        && principal.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let account = account_of_root(&principal);
    let full = if service { Some(format!("{principal}.amazonaws.com")) } else { account.map(str::to_owned) };
    if principal == "*" && CONDITIONS.iter().all(|condition| item.get(condition).is_none()) {
        return Err(format!(
            "`{id}` lets everybody invoke the function; name an account, a service, or a `principal_org_id`"
        ));
    }
    if let Json::Object(members) = &mut item.0 {
        members.extend(full.map(|full| ("Principal".to_owned(), full.into())));
        members.shift_remove("StatementId");
    }
    Ok((id, item))
}

/// What AWS would refuse in the provisioned mode of a source.
fn pollers(source: Source, item: &Structure) -> Option<String> {
    let (config, (least, most)) = (item.inner("ProvisionedPollerConfig")?, source.pollers()?);
    let number = |member: &str| config.number(member);
    let (minimum, maximum) = (number("MinimumPollers"), number("MaximumPollers"));
    let outside = [minimum, maximum].into_iter().flatten().any(|number| !(least..=most).contains(&number));
    match () {
        () if outside => Some(format!("is {}, which has {least} to {most} pollers", source.name())),
        () if minimum > maximum && maximum.is_some() => {
            Some("has more `minimum_pollers` than `maximum_pollers`".to_owned())
        }
        () if source == Source::Sqs && config.get("PollerGroupName").is_some() => {
            Some(format!("is {}, which has no `poller_group_name`", source.name()))
        }
        () if item.get("ScalingConfig").is_some() => {
            Some("has a `scaling_config` and a `provisioned_poller_config`, of which AWS accepts one".to_owned())
        }
        () => None,
    }
}

/// A mapping is known by what it reads: the source, and where that has several, its topic or queue.
fn event_source(item: Structure) -> Result<(String, Structure), String> {
    let Some(key) = sources::key(&item) else {
        return Err("has an item with neither `event_source_arn` nor `self_managed_event_source`".to_owned());
    };
    let has = |member: &str| item.get(member).is_some();
    let arn = item.text("EventSourceArn").unwrap_or_default();
    let source = Source::of_key(&arn);
    if let Some(source) = source
        && let Some(member) = source.foreign().find(|member| has(member))
    {
        return Err(format!("`{key}` is {}, which has no `{}`", source.name(), snake(member)));
    }
    if source == Some(Source::DynamoDb) && !arn.contains("/stream/") {
        return Err(format!("`{key}` is a table; Lambda reads its stream, whose ARN ends in `/stream/` and a time"));
    }
    let fifo = arn.rsplit_once('.').is_some_and(|(_, end)| end == "fifo");
    if source == Some(Source::Sqs) && fifo && item.number("BatchSize").is_some_and(|size| size > 10) {
        return Err(format!("`{key}` is a FIFO queue, whose `batch_size` is 10 at most"));
    }
    if let Some(wrong) = source.and_then(|source| pollers(source, &item)) {
        return Err(format!("`{key}` {wrong}"));
    }
    for member in ["Topics", "Queues"] {
        let needed = source.is_some_and(|source| source.has(member));
        if needed && item.texts(member).is_none_or(|names| names.len() != 1) {
            return Err(format!("`{key}` needs one name in `{}`, no more and no less", snake(member)));
        }
    }
    let at = item.text("StartingPosition").as_deref() == Some("AT_TIMESTAMP");
    match (at, has("StartingPositionTimestamp")) {
        (true, false) => Err("`starting_position: AT_TIMESTAMP` needs `starting_position_timestamp`".to_owned()),
        (false, true) => Err("`starting_position_timestamp` needs `starting_position: AT_TIMESTAMP`".to_owned()),
        _ => Ok((key, item)),
    }
}
