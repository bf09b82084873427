//! Reads and writes the reserved concurrency of the function and the provisioned concurrency of an alias.

use aws_sdk_lambda::types::ProvisionedConcurrencyStatusEnum as Status;
use serde_json::json;

use super::{ByKey, single};
use crate::aws::Session;
use crate::aws::fault::{Call, Failed};
use crate::aws::quotes;
use crate::aws::settle::Pace;
use crate::fault::{Fault, FaultKind};
use crate::plan::{Action, AttachmentChange};
use crate::settings::Structure;

fn number(document: &Structure) -> Option<i32> {
    document.0.as_i64()?.try_into().ok()
}

pub(super) async fn reserved(session: &Session<'_>) -> Result<ByKey, Failed> {
    let call = Call { action: "lambda:GetFunctionConcurrency", resource: &session.function };
    let request = session.lambda.get_function_concurrency().function_name(&session.function);
    let answer = session.read_optional(&call, request.send()).await?;
    let number = answer.and_then(|answer| answer.reserved_concurrent_executions());
    Ok(number.map(|number| single(Structure(json!(number)), None, None)).unwrap_or_default())
}

pub(super) async fn write_reserved(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    if change.action == Action::Remove {
        let call = Call { action: "lambda:DeleteFunctionConcurrency", resource: &session.function };
        let request = session.lambda.delete_function_concurrency().function_name(&session.function);
        return session.write(&call, request.send()).await.map(drop);
    }
    let call = Call { action: "lambda:PutFunctionConcurrency", resource: &session.function };
    let request = session.lambda.put_function_concurrency().function_name(&session.function);
    let request = request.set_reserved_concurrent_executions(number(&change.document));
    session.write(&call, request.send()).await.map(drop)
}

pub(super) async fn provisioned(session: &Session<'_>, alias: Option<&str>) -> Result<ByKey, Failed> {
    let Some(alias) = alias else { return Ok(ByKey::new()) };
    let call = Call { action: "lambda:GetProvisionedConcurrencyConfig", resource: &session.function };
    let request = session.lambda.get_provisioned_concurrency_config().function_name(&session.function).qualifier(alias);
    let answer = session.read_optional(&call, request.send()).await?;
    // A failed configuration counts as missing, so that the plan requests it again.
    let answer = answer.filter(|answer| answer.status() != Some(&Status::Failed));
    let number = answer.and_then(|answer| answer.requested_provisioned_concurrent_executions());
    Ok(number.map(|number| single(Structure(json!(number)), None, Some(alias))).unwrap_or_default())
}

pub(super) async fn write_provisioned(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let alias = change.alias.as_ref().map(|alias| alias.0.clone());
    if change.action == Action::Remove {
        let call = Call { action: "lambda:DeleteProvisionedConcurrencyConfig", resource: &session.function };
        let request = session.lambda.delete_provisioned_concurrency_config().function_name(&session.function);
        return session.write(&call, request.set_qualifier(alias).send()).await.map(drop);
    }
    let call = Call { action: "lambda:PutProvisionedConcurrencyConfig", resource: &session.function };
    let request = session.lambda.put_provisioned_concurrency_config().function_name(&session.function);
    let request = request.set_qualifier(alias).set_provisioned_concurrent_executions(number(&change.document));
    session.write(&call, request.send()).await.map(drop)
}

/// Waits until the environments are ready, which takes one or two minutes.
pub(super) async fn settled(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let what = "the provisioned concurrency";
    let (Some(alias), false) = (&change.alias, change.action == Action::Remove) else { return Ok(()) };
    let call = Call { action: "lambda:GetProvisionedConcurrencyConfig", resource: &session.function };
    let mut pace = Pace::new();
    loop {
        let request = session.lambda.get_provisioned_concurrency_config();
        let request = request.function_name(&session.function).qualifier(&alias.0);
        let answer = session.read_optional(&call, request.send()).await?;
        let Some(answer) = answer else {
            session.hear("there is none yet");
            session.pause(&mut pace, what).await?;
            continue;
        };
        match answer.status() {
            Some(Status::InProgress) => {
                let available = answer.available_provisioned_concurrent_executions().unwrap_or_default();
                session.hear(format!("{available} environments are ready"));
                session.pause(&mut pace, what).await?;
            }
            Some(Status::Failed) => {
                let reason = quotes::cut(answer.status_reason().unwrap_or("AWS gives no reason"));
                return Err(Fault::new(FaultKind::Failed, format!("{what} failed: {reason}")).into());
            }
            _ => return Ok(()),
        }
    }
}
