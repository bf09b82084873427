//! Reads and writes the retention of the function's log group.

use std::ops::ControlFlow;

use serde_json::json;

use super::{ByKey, Scope, single};
use crate::aws::Session;
use crate::aws::fault::{Call, Failed};
use crate::aws::refusals::Meaning;
use crate::aws::settle::Pace;
use crate::plan::{Action, AttachmentChange};
use crate::settings::Structure;

/// The retention in days; empty if the log group does not exist or keeps its events for ever.
pub(super) async fn read(session: &Session<'_>, scope: Scope<'_>) -> Result<ByKey, Failed> {
    let call = Call { action: "logs:DescribeLogGroups", resource: scope.log_group };
    let request = session.logs.describe_log_groups().log_group_name_prefix(scope.log_group);
    let mut pages = request.into_paginator().items().send();
    let mut days = None;
    let looked = session.each(
        &call,
        async || pages.next().await,
        |group| {
            if group.log_group_name() != Some(scope.log_group) {
                return ControlFlow::Continue(());
            }
            days = group.retention_in_days();
            ControlFlow::Break(())
        },
    );
    match looked.await {
        Err(Failed { meaning: Meaning::NotFound, .. }) => {}
        looked => looked?,
    }
    Ok(days.map(|days| single(Structure(json!(days)), None, None)).unwrap_or_default())
}

/// Writes the retention. Creates the log group if it does not exist: Lambda would create it at the first invocation.
pub(super) async fn write(session: &Session<'_>, scope: Scope<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let group = scope.log_group;
    if change.action == Action::Remove {
        let call = Call { action: "logs:DeleteRetentionPolicy", resource: group };
        let request = session.logs.delete_retention_policy().log_group_name(group);
        return session.write(&call, request.send()).await.map(drop);
    }
    let days = change.document.0.as_i64().and_then(|days| days.try_into().ok());
    let mut pace = Pace::new();
    loop {
        let call = Call { action: "logs:PutRetentionPolicy", resource: group };
        let request = session.logs.put_retention_policy().log_group_name(group).set_retention_in_days(days);
        match session.write(&call, request.send()).await {
            Err(Failed { meaning: Meaning::NotFound, .. }) => {}
            written => return written.map(drop),
        }
        let call = Call { action: "logs:CreateLogGroup", resource: group };
        match session.write(&call, session.logs.create_log_group().log_group_name(group).send()).await {
            Ok(_) => {}
            // The group exists now, or another program is creating it.
            Err(Failed { meaning: Meaning::Exists | Meaning::InProgress, fault }) => {
                session.hear(fault.message);
                session.pause(&mut pace, &format!("the log group `{group}`")).await?;
            }
            Err(failed) => return Err(failed),
        }
    }
}
