//! Reads and writes code signing, runtime management, recursive loop detection, and the configuration of asynchronous
//! invocations.

use aws_sdk_lambda::operation::get_runtime_management_config::GetRuntimeManagementConfigOutput;
use aws_sdk_lambda::types as sdk;
use serde_json::json;

use super::{ByKey, single};
use crate::aws::Session;
use crate::aws::convert::members::{put, to_json};
use crate::aws::fault::{Call, Failed};
use crate::plan::{Action, AttachmentChange};
use crate::settings::Structure;

/// The members of runtime management.
macro_rules! runtime_management_rows {
    ($do:ident!($($head:tt)*)) => { $do!($($head)*;
        "UpdateRuntimeOn": update_runtime_on, set_update_runtime_on or "Auto";
        "RuntimeVersionArn": runtime_version_arn, set_runtime_version_arn;
    ) };
}

/// The members of the configuration of asynchronous invocations.
macro_rules! async_config_rows {
    ($do:ident!($($head:tt)*)) => { $do!($($head)*;
        "MaximumRetryAttempts": maximum_retry_attempts, set_maximum_retry_attempts or 2;
        "MaximumEventAgeInSeconds": maximum_event_age_in_seconds, set_maximum_event_age_in_seconds or 21_600;
        "DestinationConfig": destination_config, set_destination_config;
    ) };
}
#[cfg(test)]
pub(super) use {async_config_rows, runtime_management_rows};

pub(super) async fn code_signing(session: &Session<'_>) -> Result<ByKey, Failed> {
    let call = Call { action: "lambda:GetFunctionCodeSigningConfig", resource: &session.function };
    let request = session.lambda.get_function_code_signing_config().function_name(&session.function);
    let answer = session.read_optional(&call, request.send()).await?;
    let arn = answer.map(|answer| answer.code_signing_config_arn().to_owned()).filter(|arn| !arn.is_empty());
    Ok(arn.map(|arn| single(Structure(json!(arn)), None, None)).unwrap_or_default())
}

pub(super) async fn write_code_signing(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    if change.action == Action::Remove {
        let call = Call { action: "lambda:DeleteFunctionCodeSigningConfig", resource: &session.function };
        let request = session.lambda.delete_function_code_signing_config().function_name(&session.function);
        return session.write(&call, request.send()).await.map(drop);
    }
    let call = Call { action: "lambda:PutFunctionCodeSigningConfig", resource: &session.function };
    let request = session.lambda.put_function_code_signing_config().function_name(&session.function);
    let request = request.set_code_signing_config_arn(change.document.0.as_str().map(str::to_owned));
    session.write(&call, request.send()).await.map(drop)
}

pub(super) async fn runtime_management(session: &Session<'_>) -> Result<ByKey, Failed> {
    let call = Call { action: "lambda:GetRuntimeManagementConfig", resource: &session.function };
    let request = session.lambda.get_runtime_management_config().function_name(&session.function);
    let answer = session.read_optional(&call, request.send()).await?;
    let answer = answer.unwrap_or_else(|| GetRuntimeManagementConfigOutput::builder().build());
    Ok(single(Structure(runtime_management_rows!(to_json!(answer))), None, None))
}

pub(super) async fn write_runtime_management(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let call = Call { action: "lambda:PutRuntimeManagementConfig", resource: &session.function };
    let document = &change.document.0;
    let request = session.lambda.put_runtime_management_config().function_name(&session.function);
    let request = runtime_management_rows!(put!(request, document));
    // Only a build that is held by hand has a name.
    let manual = change.document.text("UpdateRuntimeOn").as_deref() == Some("Manual");
    let request = if manual { request } else { request.set_runtime_version_arn(None) };
    session.write(&call, request.send()).await.map(drop)
}

pub(super) async fn recursive_loop(session: &Session<'_>) -> Result<ByKey, Failed> {
    let call = Call { action: "lambda:GetFunctionRecursionConfig", resource: &session.function };
    let request = session.lambda.get_function_recursion_config().function_name(&session.function);
    let answer = session.read_optional(&call, request.send()).await?;
    let mode = answer.as_ref().and_then(|answer| answer.recursive_loop()).map_or("Terminate", |mode| mode.as_str());
    Ok(single(Structure(json!(mode)), None, None))
}

pub(super) async fn write_recursive_loop(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let call = Call { action: "lambda:PutFunctionRecursionConfig", resource: &session.function };
    let request = session.lambda.put_function_recursion_config().function_name(&session.function);
    let request = request.set_recursive_loop(change.document.0.as_str().map(sdk::RecursiveLoop::from));
    session.write(&call, request.send()).await.map(drop)
}

pub(super) async fn async_config(session: &Session<'_>, alias: Option<&str>) -> Result<ByKey, Failed> {
    let call = Call { action: "lambda:GetFunctionEventInvokeConfig", resource: &session.function };
    let request = session.lambda.get_function_event_invoke_config().function_name(&session.function);
    let answer = session.read_optional(&call, request.set_qualifier(alias.map(str::to_owned)).send()).await?;
    let Some(answer) = answer else { return Ok(ByKey::new()) };
    Ok(single(Structure(async_config_rows!(to_json!(answer))), None, alias))
}

/// Sends all members, since AWS resets a missing member.
pub(super) async fn write_async_config(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let alias = change.alias.as_ref().map(|alias| alias.0.clone());
    if change.action == Action::Remove {
        let call = Call { action: "lambda:DeleteFunctionEventInvokeConfig", resource: &session.function };
        let request = session.lambda.delete_function_event_invoke_config().function_name(&session.function);
        return session.write(&call, request.set_qualifier(alias).send()).await.map(drop);
    }
    let call = Call { action: "lambda:PutFunctionEventInvokeConfig", resource: &session.function };
    let document = &change.document.0;
    let request = session.lambda.put_function_event_invoke_config().function_name(&session.function);
    let request = async_config_rows!(put!(request, document)).set_qualifier(alias);
    session.write(&call, request.send()).await.map(drop)
}
