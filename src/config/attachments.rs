//! The wanted attachments of the function, by kind and key.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::layer::{Given, yes_or_no};
use super::read::Reader;
use crate::arn::account_of_root;
use crate::deployment::{WantedAttachments, WantedMap};
use crate::place::Problem;
use crate::settings::{Attachment, Count, Source as _, Structure, snake};
use crate::sources::{self, Source};

/// The wanted attachments. A kind that the user did not name is absent.
pub(super) fn attachments(reader: &mut Reader) -> WantedAttachments {
    let mut wanted = WantedAttachments::new();
    for attachment in Attachment::ALL {
        let map = match attachment {
            Attachment::FunctionUrl => function_url(reader),
            Attachment::Permissions => many(reader, attachment, "permissions_mode", permission),
            Attachment::EventSources => many(reader, attachment, "event_sources_mode", event_source),
            Attachment::RuntimeManagement => runtime_management(reader),
            _ => {
                debug_assert_eq!(attachment.count(), Count::One);
                reader.setting(attachment.option()).map(|wanted: Structure| one(Some(wanted)))
            }
        };
        wanted.extend(map.map(|map| (attachment, map)));
    }
    wanted
}

/// The map for a kind with at most one attachment. `None` removes it.
pub(super) fn one(wanted: Option<Structure>) -> WantedMap<Option<Structure>> {
    WantedMap { entries: BTreeMap::from([(String::new(), wanted)]), mode: None }
}

/// The wanted URL. `true` stands for one with the defaults, `false` for none.
fn function_url(reader: &mut Reader) -> Option<WantedMap<Option<Structure>>> {
    match reader.raw("function_url").as_deref().and_then(yes_or_no) {
        Some(true) => Some(one(Some(Structure(json!({}))))),
        Some(false) => Some(one(None)),
        None => reader.setting("function_url").map(|wanted| one(Some(wanted))),
    }
}

/// The wanted runtime management. Only `Manual` has the ARN of a runtime version, and needs it.
fn runtime_management(reader: &mut Reader) -> Option<WantedMap<Option<Structure>>> {
    let wanted: Structure = reader.setting("runtime_management")?;
    let by_hand = wanted.text("UpdateRuntimeOn").as_deref() == Some("Manual");
    match (by_hand, wanted.get("RuntimeVersionArn").is_some()) {
        (true, false) => drop(reader.wrong("runtime_management", "`Manual` needs a `runtime_version_arn`")),
        (false, true) => {
            reader.wrong(
                "runtime_management",
                "has a `runtime_version_arn`, which has an effect only with `update_runtime_on: Manual`",
            );
        }
        _ => {}
    }
    Some(one(Some(wanted)))
}

/// Reads an attachment and its key. The error is a fragment that says what is wrong.
type Read = fn(Structure) -> Result<(String, Structure), String>;

/// The map for a kind with any number of attachments.
fn many(
    reader: &mut Reader,
    attachment: Attachment,
    mode_option: &'static str,
    read: Read,
) -> Option<WantedMap<Option<Structure>>> {
    let mode = reader.map_mode(mode_option);
    let option = attachment.option();
    let Some(items) = reader.setting::<Structure>(option) else {
        if mode.is_some() && !reader.has(option) {
            reader.wrong(mode_option, format!("is given without `{option}`"));
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
            Ok((key, _)) if entries.contains_key(&key) => wrong(format!("`{key}` is given twice")),
            Ok((key, item)) => {
                reader.items.extend(place.map(|place| (option.to_owned(), key.clone(), place)));
                entries.insert(key, Some(item));
            }
            Err(message) => wrong(message),
        }
    }
    Some(WantedMap { entries, mode })
}

/// Members of a statement that restrict who may invoke.
const CONDITIONS: [&str; 6] = [
    "SourceArn",
    "SourceAccount",
    "EventSourceToken",
    "PrincipalOrgID",
    "FunctionUrlAuthType",
    "InvokedViaFunctionUrl",
];

/// A statement, by its id. The principal can be the short name of a service, or the ARN of an account's root.
fn permission(mut item: Structure) -> Result<(String, Structure), String> {
    let id = item.text("StatementId").unwrap_or_default();
    if id.starts_with("dpl-lambda-url") {
        return Err(format!("`{id}` is a reserved id, for the statements of a public URL; use another `statement_id`"));
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

/// A mapping, by its source; for a source with several topics or queues, also by the topic or queue.
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
        return Err(format!(
            "`{key}` is a table, but Lambda reads its stream; the ARN of a stream ends in `/stream/` and a time"
        ));
    }
    let fifo = arn.rsplit_once('.').is_some_and(|(_, end)| end == "fifo");
    if source == Some(Source::Sqs) && fifo && item.number("BatchSize").is_some_and(|size| size > 10) {
        return Err(format!("`{key}` is a FIFO queue, whose `batch_size` is at most 10"));
    }
    if let Some(wrong) = source.and_then(|source| pollers(source, &item)) {
        return Err(format!("`{key}` {wrong}"));
    }
    for member in ["Topics", "Queues"] {
        let needed = source.is_some_and(|source| source.has(member));
        if needed && item.texts(member).is_none_or(|names| names.len() != 1) {
            return Err(format!("`{key}` needs exactly one name in `{}`", snake(member)));
        }
    }
    let at = item.text("StartingPosition").as_deref() == Some("AT_TIMESTAMP");
    match (at, has("StartingPositionTimestamp")) {
        (true, false) => Err("`starting_position: AT_TIMESTAMP` needs `starting_position_timestamp`".to_owned()),
        (false, true) => Err("`starting_position_timestamp` needs `starting_position: AT_TIMESTAMP`".to_owned()),
        _ => Ok((key, item)),
    }
}
