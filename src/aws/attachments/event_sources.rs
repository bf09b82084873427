//! Reads and writes event source mappings: queues and streams that Lambda reads for the function.

use std::error::Error;

use aws_sdk_lambda::config::{Builder, retry::RetryConfig};
use aws_sdk_lambda::error::SdkError;
use aws_sdk_lambda::types::{self as sdk, EventSourceMappingConfiguration as Mapping};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::mapping;
use super::{ByKey, LATEST, Scope};
use crate::aws::Session;
use crate::aws::convert::members::put;
use crate::aws::fault::{Call, Failed};
use crate::aws::quotes;
use crate::aws::refusals::Meaning;
use crate::aws::settle::Pace;
use crate::fault::{Fault, FaultKind};
use crate::plan::{Action, AttachmentChange};
use crate::remote::LiveAttachment;
use crate::sources::{self, Source};

/// The most attempts to create a mapping, if answers are lost or the call is throttled.
const ATTEMPTS: usize = 9;

/// The time after a creation during which a listing may not have the mapping.
const UNTIL_KNOWN: std::time::Duration = std::time::Duration::from_secs(20);

/// The mappings of the function itself and, if an alias is managed, of the alias.
pub(super) async fn read(session: &Session<'_>, scope: Scope<'_>) -> Result<ByKey, Failed> {
    let mut known = ByKey::new();
    for (mut mapping, alias) in mappings(session, scope).await? {
        if mapping.state() == Some("Deleting") {
            continue;
        }
        mapping.filter_criteria = filters(session, &mapping).await?;
        let document = mapping::document(&mapping);
        let uuid = mapping.uuid().unwrap_or_default().to_owned();
        let key = sources::key(&document).unwrap_or_else(|| uuid.clone());
        // The mappings of the alias come first, so a key that exists already belongs to a second mapping of the same source.
        let key = if known.contains_key(&key) { format!("{key}, mapping {uuid}") } else { key };
        known.insert(key, LiveAttachment { document, handle: Some(uuid), alias });
    }
    Ok(known)
}

/// The mappings of the alias, then those of the function itself, each with its alias.
async fn mappings(session: &Session<'_>, scope: Scope<'_>) -> Result<Vec<(Mapping, Option<String>)>, Failed> {
    let call = Call { action: "lambda:ListEventSourceMappings", resource: &session.function };
    let of_alias = scope.alias.map(|alias| format!("{}:{alias}", session.function));
    let mut found: Vec<(Mapping, Option<String>)> = Vec::new();
    for function in of_alias.into_iter().chain([session.function.clone()]) {
        let request = session.lambda.list_event_source_mappings().function_name(&function);
        let mut pages = request.into_paginator().items().send();
        let listed = match session.all(&call, async || pages.next().await).await {
            Err(Failed { meaning: Meaning::NotFound, .. }) => Vec::new(),
            listed => listed?,
        };
        for mapping in listed {
            let Some(qualifier) = mapping.function_arn().and_then(|arn| scope.qualifier(arn)) else { continue };
            let alias = (qualifier != LATEST).then_some(qualifier);
            let ours = alias.is_none() || alias == scope.alias;
            if ours && !found.iter().any(|(other, _)| other.uuid() == mapping.uuid()) {
                let alias = alias.map(str::to_owned);
                found.push((mapping, alias));
            }
        }
    }
    found.sort_by_key(|(_, alias)| alias.is_none());
    Ok(found)
}

/// The filters of a mapping. A listing does not have encrypted filters, so they need a request of their own.
async fn filters(session: &Session<'_>, mapping: &Mapping) -> Result<Option<sdk::FilterCriteria>, Failed> {
    let (None, Some(_), Some(uuid)) = (mapping.filter_criteria(), mapping.kms_key_arn(), mapping.uuid()) else {
        return Ok(mapping.filter_criteria().cloned());
    };
    let call = Call { action: "lambda:GetEventSourceMapping", resource: uuid };
    let answer = session.read_optional(&call, session.lambda.get_event_source_mapping().uuid(uuid).send()).await?;
    Ok(answer.and_then(|answer| answer.filter_criteria().cloned()))
}

pub(super) async fn write(session: &Session<'_>, scope: Scope<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let uuid = change.handle.as_deref().unwrap_or_default();
    match change.action {
        Action::Create => create(session, scope, change).await,
        Action::Update => {
            let call = Call { action: "lambda:UpdateEventSourceMapping", resource: &change.key };
            let request =
                session.lambda.update_event_source_mapping().uuid(uuid).function_name(target(session, change));
            let document = &change.document.0;
            let request = mapping::changeable!(put!(request, document)).set_enabled(change.document.flag("Enabled"));
            let written = session.write(&call, request.send()).await;
            written.map(drop).map_err(|failed| explained(failed, &change.key))
        }
        Action::Remove => {
            let call = Call { action: "lambda:DeleteEventSourceMapping", resource: &change.key };
            let request = session.lambda.delete_event_source_mapping().uuid(uuid);
            session.write(&call, request.send()).await.map(drop)
        }
    }
}

/// The alias or function that the mapping invokes.
fn target(session: &Session<'_>, change: &AttachmentChange) -> String {
    let alias = change.alias.as_ref().map(|alias| format!(":{}", alias.0));
    format!("{}{}", session.function, alias.unwrap_or_default())
}

/// Creates a mapping. The SDK must not repeat the call: if an answer is lost, a repetition could create a second mapping. So
/// this reads the mappings before each attempt.
async fn create(session: &Session<'_>, scope: Scope<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let call = Call { action: "lambda:CreateEventSourceMapping", resource: &change.key };
    let document = &change.document.0;
    let request = session.lambda.create_event_source_mapping().function_name(target(session, change));
    let request = mapping::fixed!(put!(request, document)).set_enabled(change.document.flag("Enabled"));
    let request = mapping::changeable!(put!(request, document));
    let mut pace = Pace::new();
    let mut attempts = 0;
    loop {
        match found(session, scope, change).await? {
            Some(mapping) if mapping.state() == Some("Deleting") => {
                session.pause(&mut pace, &format!("the old mapping of `{}` to be deleted", change.key)).await?;
                continue;
            }
            Some(_) => return Err(exists_already(change)),
            None => {}
        }
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let sent = session.await_write(&call, request.clone().customize().config_override(once).send()).await?;
        let error = match sent {
            Ok(answer) => return without_double(session, scope, change, answer.uuid().unwrap_or_default()).await,
            Err(error) => error,
        };
        attempts += 1;
        if attempts == ATTEMPTS || !is_worth_another_try(&error) {
            return Err(explained(session.refusal(&error, &call), &change.key));
        }
        session.pause(&mut pace, &format!("an answer about the mapping of `{}`", change.key)).await?;
    }
}

fn exists_already(change: &AttachmentChange) -> Failed {
    let message = format!("a mapping of `{}` exists already", change.key);
    Failed { fault: Fault::new(FaultKind::Conflict, message), meaning: Meaning::Exists }
}

/// Looks whether another run has created a mapping of the same source in the meantime. Then the mapping with this `uuid` is
/// deleted, and the result is an error. AWS itself refuses most second mappings.
async fn without_double(
    session: &Session<'_>,
    scope: Scope<'_>,
    change: &AttachmentChange,
    uuid: &str,
) -> Result<(), Failed> {
    let is_other = |(mapping, alias): &(Mapping, Option<String>)| {
        let same = is_of(change, scope, mapping, alias.as_deref()) && mapping.state() != Some("Deleting");
        same && mapping.uuid() != Some(uuid)
    };
    let all = mappings(session, scope).await?;
    let is_listed = all.iter().any(|(mapping, _)| mapping.uuid() == Some(uuid));
    if !is_listed || !all.iter().any(is_other) {
        return Ok(());
    }
    let call = Call { action: "lambda:DeleteEventSourceMapping", resource: &change.key };
    let mut pace = Pace::new();
    loop {
        let request = session.lambda.delete_event_source_mapping().uuid(uuid);
        match session.write(&call, request.send()).await {
            Ok(_) | Err(Failed { meaning: Meaning::NotFound, .. }) => return Err(exists_already(change)),
            Err(Failed { meaning: Meaning::InProgress, .. }) => {
                session.pause(&mut pace, &format!("the second mapping of `{}` to be deleted", change.key)).await?;
            }
            Err(failed) => return Err(failed),
        }
    }
}

/// Whether another attempt may succeed: the answer was lost, AWS failed, or the call was throttled.
fn is_worth_another_try<E: Error>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::ServiceError(service) => {
            matches!(service.raw().status().as_u16(), 200..300 | 429 | 500..)
        }
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        _ => false,
    }
}

/// The mapping that a change refers to, in any state.
async fn found(session: &Session<'_>, scope: Scope<'_>, change: &AttachmentChange) -> Result<Option<Mapping>, Failed> {
    for (mapping, alias) in mappings(session, scope).await? {
        if is_of(change, scope, &mapping, alias.as_deref()) {
            return Ok(Some(mapping));
        }
    }
    Ok(None)
}

fn is_of(change: &AttachmentChange, scope: Scope<'_>, mapping: &Mapping, alias: Option<&str>) -> bool {
    match change.handle.as_deref() {
        Some(uuid) => mapping.uuid() == Some(uuid),
        None if alias != scope.alias => false,
        None => sources::key(&mapping::document(mapping)).as_deref() == Some(&change.key),
    }
}

/// Waits until the mapping has settled or is deleted. Returns AWS' problems with its source as warnings.
pub(super) async fn settled(
    session: &Session<'_>,
    scope: Scope<'_>,
    change: &AttachmentChange,
) -> Result<Vec<String>, Failed> {
    let what = format!("the event source `{}`", change.key);
    let mut pace = Pace::new();
    loop {
        let mapping = found(session, scope, change).await?;
        match (&mapping, change.action) {
            (None, Action::Remove) => return Ok(Vec::new()),
            (None, _) if pace.so_far() < UNTIL_KNOWN => {}
            (None, _) => {
                let message = format!("another program deleted {what} in the meantime");
                return Err(Fault::new(FaultKind::Conflict, message).into());
            }
            (Some(_), Action::Remove) => {}
            (Some(mapping), _) => match mapping.state() {
                Some(state @ ("Creating" | "Enabling" | "Disabling" | "Updating")) => {
                    let reason = mapping.state_transition_reason().map(quotes::cut).unwrap_or_default();
                    session.hear(format!("its state is {state}: {reason}"));
                }
                state => return verdict(&what, state.unwrap_or("without a state"), mapping, change),
            },
        }
        session.pause(&mut pace, &what).await?;
    }
}

/// An error if a settled mapping has not the wanted state; else AWS' problems with its source as warnings.
fn verdict(what: &str, state: &str, mapping: &Mapping, change: &AttachmentChange) -> Result<Vec<String>, Failed> {
    let created = change.action == Action::Create;
    let wanted = change.document.flag("Enabled").or(created.then_some(true));
    let good = match wanted {
        Some(true) => state == "Enabled",
        Some(false) => state == "Disabled",
        None => ["Enabled", "Disabled"].contains(&state),
    };
    let reasons = [mapping.state_transition_reason(), mapping.last_processing_result()];
    let reasons: Vec<_> = reasons.into_iter().flatten().filter(|text| !text.is_empty()).collect();
    if !good {
        let reason =
            if reasons.is_empty() { "AWS gives no reason".to_owned() } else { quotes::cut(&reasons.join("; ")) };
        return Err(Fault::new(FaultKind::Failed, format!("{what} is {state}: {reason}")).into());
    }
    let problem = mapping.last_processing_result().filter(|result| result.starts_with("PROBLEM"));
    Ok(problem
        .map(|problem| format!("AWS reports a problem with {what}: {}", quotes::cut(problem)))
        .into_iter()
        .collect())
}

/// Adds help with the permissions of the function's role, if AWS reports that some are missing.
fn explained(mut failed: Failed, source: &str) -> Failed {
    let message = failed.fault.message.to_ascii_lowercase();
    let lacks = message.contains("permission") || message.contains("ensure the role can");
    if !(message.contains("role") && lacks) {
        return failed;
    }
    let help = match Source::of_key(source) {
        Some(kind) => {
            let policy = kind.policy().map(|policy| format!(", as the policy `{policy}` does")).unwrap_or_default();
            let rights = kind.rights();
            format!("the function's role must allow {rights}{policy}; a new permission takes effect after some seconds")
        }
        None => "the function's role must allow reading the source".to_owned(),
    };
    failed.fault.help = Some(help);
    failed
}
