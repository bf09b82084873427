//! How long the log is kept.

use std::ops::ControlFlow;

use serde_json::json;

use super::{Known, Whose, one};
use crate::aws::Session;
use crate::aws::fault::{Answer, Call, Failed};
use crate::aws::settle::Pace;
use crate::plan::{Action, AttachmentChange};
use crate::settings::Structure;

/// The days; nothing where there is no such group, or where it keeps its log for ever.
pub(super) async fn read(session: &Session<'_>, whose: Whose<'_>) -> Result<Known, Failed> {
    let call = Call { action: "logs:DescribeLogGroups", resource: whose.log_group };
    let request = session.logs.describe_log_groups().log_group_name_prefix(whose.log_group);
    let mut pages = request.into_paginator().items().send();
    let mut days = None;
    let looked = session.each(
        &call,
        async || pages.next().await,
        |group| {
            if group.log_group_name() != Some(whose.log_group) {
                return ControlFlow::Continue(());
            }
            days = group.retention_in_days();
            ControlFlow::Break(())
        },
    );
    match looked.await {
        Err(Failed { answer: Answer::NotFound, .. }) => {}
        looked => looked?,
    }
    Ok(days.map(|days| one(Structure(json!(days)), None, None)).unwrap_or_default())
}

/// Makes the group where there is none, as Lambda does at the first invocation.
pub(super) async fn write(session: &Session<'_>, whose: Whose<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let group = whose.log_group;
    if change.action == Action::Remove {
        let call = Call { action: "logs:DeleteRetentionPolicy", resource: group };
        let request = session.logs.delete_retention_policy().log_group_name(group);
        return session.wrote(&call, request.send()).await.map(drop);
    }
    let days = change.document.0.as_i64().and_then(|days| days.try_into().ok());
    let mut pace = Pace::new();
    loop {
        let call = Call { action: "logs:PutRetentionPolicy", resource: group };
        let request = session.logs.put_retention_policy().log_group_name(group).set_retention_in_days(days);
        match session.wrote(&call, request.send()).await {
            Err(Failed { answer: Answer::NotFound, .. }) => {}
            written => return written.map(drop),
        }
        let call = Call { action: "logs:CreateLogGroup", resource: group };
        match session.wrote(&call, session.logs.create_log_group().log_group_name(group).send()).await {
            Ok(_) => {}
            // It exists by now, or is being made.
            Err(Failed { answer: Answer::Busy, .. }) => {
                session.pause(&mut pace, &format!("the log group `{group}`")).await?;
            }
            Err(failed) => return Err(failed),
        }
    }
}
