//! Reads and writes the statements of the function's resource policy.

use serde_json::{Map, Value, json};

use super::{ByKey, LATEST, Scope};
use crate::arn::account_of_root;
use crate::aws::Session;
use crate::aws::convert::members::put;
use crate::aws::fault::{Call, Failed};
use crate::aws::refusals::Meaning;
use crate::plan::{Action, AttachmentChange};
use crate::remote::LiveAttachment;
use crate::settings::Structure;

/// The conditions of a statement, each with the member of `AddPermission` that sets it.
const CONDITIONS: [(&str, &str); 6] = [
    ("aws:sourcearn", "SourceArn"),
    ("aws:sourceaccount", "SourceAccount"),
    ("lambda:eventsourcetoken", "EventSourceToken"),
    ("aws:principalorgid", "PrincipalOrgID"),
    ("lambda:functionurlauthtype", "FunctionUrlAuthType"),
    ("lambda:invokedviafunctionurl", "InvokedViaFunctionUrl"),
];

/// The members of `AddPermission` besides the id.
macro_rules! rows {
    ($do:ident!($($head:tt)*)) => { $do!($($head)*;
        "Action": action, set_action;
        "Principal": principal, set_principal;
        "SourceArn": source_arn, set_source_arn;
        "SourceAccount": source_account, set_source_account;
        "EventSourceToken": event_source_token, set_event_source_token;
        "PrincipalOrgID": principal_org_id, set_principal_org_id;
        "FunctionUrlAuthType": function_url_auth_type, set_function_url_auth_type;
        "InvokedViaFunctionUrl": invoked_via_function_url, set_invoked_via_function_url;
    ) };
}

pub(super) async fn read(session: &Session<'_>, scope: Scope<'_>) -> Result<ByKey, Failed> {
    let alias = scope.alias;
    let call = Call { action: "lambda:GetPolicy", resource: &session.function };
    let request = session.lambda.get_policy().function_name(&session.function);
    let answer = session.read_optional(&call, request.set_qualifier(alias.map(str::to_owned)).send()).await?;
    let policy = answer.and_then(|answer| answer.policy().map(str::to_owned)).unwrap_or_default();
    let policy: Value = serde_json::from_str(&policy).unwrap_or_default();
    let statements = policy.get("Statement").and_then(Value::as_array).into_iter().flatten();
    let known = |statement: &Value| {
        let resource = statement.get("Resource").and_then(Value::as_str).and_then(|arn| scope.qualifier(arn));
        if resource.is_some_and(|qualifier| qualifier != alias.unwrap_or(LATEST)) {
            return None;
        }
        let id = statement.get("Sid")?.as_str()?.to_owned();
        Some((id, LiveAttachment { document: document(statement), handle: None, alias: alias.map(str::to_owned) }))
    };
    Ok(statements.filter_map(known).collect())
}

/// A statement in the form of `AddPermission`. A part that `AddPermission` cannot set keeps its own name, so that the
/// statement equals no wanted one.
fn document(statement: &Value) -> Structure {
    let principal = match statement.get("Principal") {
        Some(Value::Object(kinds)) => kinds.values().next().and_then(Value::as_str),
        Some(Value::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let effect = statement.get("Effect").filter(|effect| *effect != "Allow");
    let mut members = Map::new();
    members.insert("Action".to_owned(), statement.get("Action").cloned().unwrap_or_default());
    members.insert("Principal".to_owned(), json!(principal.map(account)));
    members.extend(effect.map(|effect| ("Effect".to_owned(), effect.clone())));
    let conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    let conditions = conditions.filter_map(|(_, pairs)| pairs.as_object()).flatten();
    for (name, value) in conditions {
        let member = CONDITIONS.iter().find(|(condition, _)| name.eq_ignore_ascii_case(condition));
        let member = member.map_or(name.as_str(), |(_, member)| member);
        let value = match (member, value.as_str()) {
            ("InvokedViaFunctionUrl", Some(text)) => json!(text == "true"),
            _ => value.clone(),
        };
        members.insert(member.to_owned(), value);
    }
    Structure(Value::Object(members))
}

/// The account id of a principal, if it is the ARN of an account's root: AWS stores accounts in this form.
fn account(principal: &str) -> &str {
    account_of_root(principal).unwrap_or(principal)
}

pub(super) async fn write(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    // AWS cannot change a statement, so it is removed and added again.
    if change.action != Action::Create {
        let call = Call { action: "lambda:RemovePermission", resource: &session.function };
        let request = session.lambda.remove_permission().function_name(&session.function).statement_id(&change.key);
        let request = request.set_qualifier(change.alias.as_ref().map(|alias| alias.0.clone()));
        match session.write(&call, request.send()).await {
            removed if change.action == Action::Remove => return removed.map(drop),
            // Not found: an earlier attempt removed it, and its answer was lost.
            Ok(_) | Err(Failed { meaning: Meaning::NotFound, .. }) => {}
            Err(failed) => return Err(failed),
        }
    }
    let call = Call { action: "lambda:AddPermission", resource: &session.function };
    let document = &change.document.0;
    let request = session.lambda.add_permission().function_name(&session.function).statement_id(&change.key);
    let request = rows!(put!(request, document)).set_qualifier(change.alias.as_ref().map(|alias| alias.0.clone()));
    session.write(&call, request.send()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use aws_sdk_lambda::operation::add_permission::AddPermissionInput;

    use super::*;
    use crate::aws::convert::members::to_json;
    use crate::settings::{Need, Shape, shapes};

    #[test]
    fn every_member_of_a_statement_is_sent_and_read() {
        let Shape::List { of: Shape::Members { members, .. }, .. } = shapes::PERMISSIONS else {
            panic!("statements are maps")
        };
        let mut sent = Map::new();
        let mut conditions = Map::new();
        for member in members.iter().filter(|member| member.name != "StatementId") {
            let value = if matches!(member.shape, Shape::Flag) { json!(true) } else { json!(member.name) };
            if member.need == Need::Optional {
                let (condition, _) = CONDITIONS.iter().find(|(_, name)| *name == member.name).unwrap();
                let said = if member.name == "InvokedViaFunctionUrl" { json!("true") } else { value.clone() };
                conditions.insert((*condition).to_owned(), said);
            }
            sent.insert(member.name.to_owned(), value);
        }
        let sent = Value::Object(sent);
        let request = rows!(put!(AddPermissionInput::builder(), &sent)).build().unwrap();
        let taken = Structure(rows!(to_json!(request)));
        let statement = json!({ "Action": "Action", "Principal": "Principal", "Effect": "Allow", "Condition": { "x": conditions } });
        for read in [taken, document(&statement)] {
            assert!(read.is_same_as(&Structure(sent.clone())), "{sent:#}\n{:#}", read.0);
        }
    }

    #[test]
    fn a_statement_is_read_in_the_form_in_which_it_is_written() {
        for (statement, document) in [
            (
                json!({ "Action": "lambda:InvokeFunction", "Principal": { "Service": "s3.amazonaws.com" }, "Effect": "Allow",
                    "Condition": { "ArnLike": { "AWS:SourceArn": "arn:aws:s3:::b" }, "StringEquals": { "AWS:SourceAccount": "123456789012" } } }),
                json!({ "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
                    "SourceArn": "arn:aws:s3:::b", "SourceAccount": "123456789012" }),
            ),
            (
                json!({ "Action": "a", "Principal": { "AWS": "arn:aws:iam::123456789012:root" } }),
                json!({ "Action": "a", "Principal": "123456789012" }),
            ),
            (
                json!({ "Action": "a", "Principal": { "AWS": "arn:aws:iam::123456789012:role/root" } }),
                json!({ "Action": "a", "Principal": "arn:aws:iam::123456789012:role/root" }),
            ),
            (
                json!({ "Action": "a", "Principal": "*", "Condition": { "Bool": { "lambda:InvokedViaFunctionUrl": "true" } } }),
                json!({ "Action": "a", "Principal": "*", "InvokedViaFunctionUrl": true }),
            ),
            (
                json!({ "Action": "a", "Principal": "*", "Effect": "Deny", "Condition": { "StringEquals": { "aws:SourceVpc": "v" } } }),
                json!({ "Action": "a", "Principal": "*", "Effect": "Deny", "aws:SourceVpc": "v" }),
            ),
        ] {
            assert_eq!(super::document(&statement).0, document);
        }
    }
}
