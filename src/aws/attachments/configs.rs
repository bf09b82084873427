//! Single settings with operations of their own: code signing, runtime management, recursive loops, asynchronous
//! invocation.

use aws_sdk_lambda::types::{self as sdk, DestinationConfig, OnFailure, OnSuccess};
use serde_json::json;

use super::{Known, one};
use crate::aws::Session;
use crate::aws::fault::{Call, Failed};
use crate::plan::{Action, AttachmentChange};
use crate::settings::Structure;

pub(super) async fn code_signing(session: &Session<'_>) -> Result<Known, Failed> {
    let call = Call { action: "lambda:GetFunctionCodeSigningConfig", resource: &session.function };
    let request = session.lambda.get_function_code_signing_config().function_name(&session.function);
    let answer = session.looked_up(&call, request.send()).await?;
    let arn = answer.map(|answer| answer.code_signing_config_arn().to_owned()).filter(|arn| !arn.is_empty());
    Ok(arn.map(|arn| one(Structure(json!(arn)), None, None)).unwrap_or_default())
}

pub(super) async fn write_code_signing(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    if change.action == Action::Remove {
        let call = Call { action: "lambda:DeleteFunctionCodeSigningConfig", resource: &session.function };
        let request = session.lambda.delete_function_code_signing_config().function_name(&session.function);
        return session.wrote(&call, request.send()).await.map(drop);
    }
    let call = Call { action: "lambda:PutFunctionCodeSigningConfig", resource: &session.function };
    let request = session.lambda.put_function_code_signing_config().function_name(&session.function);
    let request = request.set_code_signing_config_arn(change.document.0.as_str().map(str::to_owned));
    session.wrote(&call, request.send()).await.map(drop)
}

pub(super) async fn runtime_management(session: &Session<'_>) -> Result<Known, Failed> {
    let call = Call { action: "lambda:GetRuntimeManagementConfig", resource: &session.function };
    let request = session.lambda.get_runtime_management_config().function_name(&session.function);
    let answer = session.looked_up(&call, request.send()).await?;
    let mode = answer.as_ref().and_then(|answer| answer.update_runtime_on()).map_or("Auto", |mode| mode.as_str());
    let arn = answer.as_ref().and_then(|answer| answer.runtime_version_arn());
    let document = Structure::of([("UpdateRuntimeOn", json!(mode)), ("RuntimeVersionArn", json!(arn))]);
    Ok(one(document, None, None))
}

pub(super) async fn write_runtime_management(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let call = Call { action: "lambda:PutRuntimeManagementConfig", resource: &session.function };
    let mode = change.document.text("UpdateRuntimeOn");
    // Only a build that is held by hand has a name.
    let arn = change.document.text("RuntimeVersionArn").filter(|_| mode.as_deref() == Some("Manual"));
    let request = session.lambda.put_runtime_management_config().function_name(&session.function);
    let request = request.set_update_runtime_on(mode.map(|mode| mode.as_str().into())).set_runtime_version_arn(arn);
    session.wrote(&call, request.send()).await.map(drop)
}

pub(super) async fn recursive_loop(session: &Session<'_>) -> Result<Known, Failed> {
    let call = Call { action: "lambda:GetFunctionRecursionConfig", resource: &session.function };
    let request = session.lambda.get_function_recursion_config().function_name(&session.function);
    let answer = session.looked_up(&call, request.send()).await?;
    let mode = answer.as_ref().and_then(|answer| answer.recursive_loop()).map_or("Terminate", |mode| mode.as_str());
    Ok(one(Structure(json!(mode)), None, None))
}

pub(super) async fn write_recursive_loop(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let call = Call { action: "lambda:PutFunctionRecursionConfig", resource: &session.function };
    let request = session.lambda.put_function_recursion_config().function_name(&session.function);
    let request = request.set_recursive_loop(change.document.0.as_str().map(sdk::RecursiveLoop::from));
    session.wrote(&call, request.send()).await.map(drop)
}

pub(super) async fn async_config(session: &Session<'_>, alias: Option<&str>) -> Result<Known, Failed> {
    let call = Call { action: "lambda:GetFunctionEventInvokeConfig", resource: &session.function };
    let request = session.lambda.get_function_event_invoke_config().function_name(&session.function);
    let answer = session.looked_up(&call, request.set_qualifier(alias.map(str::to_owned)).send()).await?;
    let Some(answer) = answer else { return Ok(Known::new()) };
    let destinations = answer.destination_config();
    let to = |arn: Option<&str>| arn.map(|arn| json!({ "Destination": arn }));
    let success = to(destinations.and_then(|to| to.on_success()).and_then(|to| to.destination()));
    let failure = to(destinations.and_then(|to| to.on_failure()).and_then(|to| to.destination()));
    let document = Structure::of([
        ("MaximumRetryAttempts", json!(answer.maximum_retry_attempts().unwrap_or(2))),
        ("MaximumEventAgeInSeconds", json!(answer.maximum_event_age_in_seconds().unwrap_or(21_600))),
        ("DestinationConfig", Structure::of([("OnSuccess", json!(success)), ("OnFailure", json!(failure))]).0),
    ]);
    Ok(one(document, None, alias))
}

/// Puts all of it, since what is not put is lost.
pub(super) async fn write_async_config(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let alias = change.alias.as_ref().map(|alias| alias.0.clone());
    if change.action == Action::Remove {
        let call = Call { action: "lambda:DeleteFunctionEventInvokeConfig", resource: &session.function };
        let request = session.lambda.delete_function_event_invoke_config().function_name(&session.function);
        return session.wrote(&call, request.set_qualifier(alias).send()).await.map(drop);
    }
    let call = Call { action: "lambda:PutFunctionEventInvokeConfig", resource: &session.function };
    let document = &change.document;
    let destinations = document.inner("DestinationConfig").map(|destinations| destination_config(&destinations));
    let request = session.lambda.put_function_event_invoke_config().function_name(&session.function);
    let request = request
        .set_qualifier(alias)
        .set_maximum_retry_attempts(document.number("MaximumRetryAttempts"))
        .set_maximum_event_age_in_seconds(document.number("MaximumEventAgeInSeconds"))
        .set_destination_config(destinations);
    session.wrote(&call, request.send()).await.map(drop)
}

/// Where records of invocations go.
pub(super) fn destination_config(document: &Structure) -> DestinationConfig {
    let to = |member: &str| document.inner(member)?.text("Destination");
    DestinationConfig::builder()
        .set_on_success(to("OnSuccess").map(|arn| OnSuccess::builder().destination(arn).build()))
        .set_on_failure(to("OnFailure").map(|arn| OnFailure::builder().destination(arn).build()))
        .build()
}
