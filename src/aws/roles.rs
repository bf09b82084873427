//! Reads and creates the execution role of a new function.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html>.

use std::collections::BTreeSet;

use aws_sdk_iam::operation::create_role::CreateRoleError;
use aws_sdk_iam::operation::get_role::GetRoleError;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::Session;
use super::fault::{self, Call, Failed};
use super::refusals::Meaning;
use crate::apply::Done;
use crate::fault::{Fault, FaultKind};
use crate::plan::{Action, RoleChange};
use crate::remote::{FoundRole, Trust};

/// The service that assumes an execution role.
const LAMBDA: &str = "lambda.amazonaws.com";

impl Session<'_> {
    /// Reads the role that the plan would create. Writes nothing.
    pub(crate) async fn find_role(&self, role: &RoleChange) -> Result<FoundRole, Fault> {
        self.get_role(role).await.map_err(|failed| failed.fault)
    }

    async fn get_role(&self, role: &RoleChange) -> Result<FoundRole, Failed> {
        let call = Call { action: "iam:GetRole", resource: &role.arn };
        let request = self.iam.get_role().role_name(&role.name);
        let found = match self.bounded(call.action, request.send()).await? {
            Ok(answer) => answer.role,
            Err(error) if error.as_service_error().is_some_and(GetRoleError::is_no_such_entity_exception) => None,
            Err(error) => return Err(denied(fault::of(&error, &call), role)),
        };
        let Some(found) = found else { return Ok(FoundRole::Absent) };
        let document = found.assume_role_policy_document().unwrap_or_default();
        let trust = if trusts_lambda(document) { Trust::Lambda } else { Trust::Others };
        Ok(FoundRole::Present { arn: found.arn, trust, policies: self.policies_of(role).await? })
    }

    async fn policies_of(&self, role: &RoleChange) -> Result<BTreeSet<String>, Failed> {
        let call = Call { action: "iam:ListAttachedRolePolicies", resource: &role.arn };
        let request = self.iam.list_attached_role_policies().role_name(&role.name);
        let mut pages = request.into_paginator().items().send();
        let found = self.all(&call, async || pages.next().await).await.map_err(|failed| denied(failed, role))?;
        Ok(found.into_iter().filter_map(|policy| policy.policy_arn).collect())
    }

    /// Creates the role if it does not exist, and attaches the missing policies.
    pub(super) async fn ensure_role(&mut self, role: &RoleChange) -> Result<Done, Failed> {
        if role.action == Action::Create {
            self.create_role(role).await?;
        }
        for policy in &role.policies {
            let call = Call { action: "iam:AttachRolePolicy", resource: &role.arn };
            let request = self.iam.attach_role_policy().role_name(&role.name).policy_arn(policy);
            let Err(error) = self.await_write(&call, request.send()).await? else { continue };
            let look = async { Ok(self.policies_of(role).await?.contains(policy)) };
            self.unless_done(denied(self.refusal(&error, &call), role), look).await?;
        }
        Ok(Done::default())
    }

    async fn create_role(&self, role: &RoleChange) -> Result<(), Failed> {
        let call = Call { action: "iam:CreateRole", resource: &role.arn };
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Principal": { "Service": LAMBDA }, "Action": "sts:AssumeRole" }],
        });
        let request = self.iam.create_role().role_name(&role.name).assume_role_policy_document(trust.to_string());
        let request = request.description(format!("Execution role of the function {}", role.function));
        let Err(error) = self.await_write(&call, request.send()).await? else { return Ok(()) };
        let failed = denied(self.refusal(&error, &call), role);
        let exists = error.as_service_error().is_some_and(CreateRoleError::is_entity_already_exists_exception);
        if !exists && failed.meaning != Meaning::Lost {
            return Err(failed);
        }
        // Either the answer to our first attempt was lost, or another program created the role first.
        match self.get_role(role).await {
            Ok(FoundRole::Present { trust: Trust::Lambda, .. }) => Ok(()),
            Ok(FoundRole::Absent) if !exists => Err(self.not_done(failed)),
            Err(_) if !exists => Err(failed),
            Err(unread) => Err(unread),
            Ok(FoundRole::Present { .. } | FoundRole::Absent) => {
                let message = format!("another program created the role `{}` in the meantime", role.name);
                Err(Fault::new(FaultKind::Conflict, message).help("run again to plan with this role").into())
            }
        }
    }
}

/// Adds help with all permissions that the role needs, if the identity lacks one. AWS would report them one by one.
fn denied(failed: Failed, role: &RoleChange) -> Failed {
    if failed.meaning != Meaning::Forbidden {
        return failed;
    }
    let help = format!(
        "allow `iam:GetRole`, `iam:ListAttachedRolePolicies`, `iam:CreateRole`, `iam:AttachRolePolicy` and `iam:PassRole` on `{}` in the policy of the identity that deploys, or set `role` to an existing role",
        role.arn
    );
    Failed { fault: failed.fault.help(help), ..failed }
}

/// Whether a trust policy lets Lambda assume its role. IAM returns the policy percent-encoded.
fn trusts_lambda(document: &str) -> bool {
    let document = percent_decode_str(document).decode_utf8_lossy();
    let policy: Value = serde_json::from_str(&document).unwrap_or_default();
    let has = |value: &Value, wanted: &[&str]| match value {
        Value::String(text) => wanted.contains(&text.as_str()),
        Value::Array(items) => items.iter().any(|item| item.as_str().is_some_and(|text| wanted.contains(&text))),
        _ => false,
    };
    let allows = |statement: &Value| {
        statement["Effect"] == "Allow"
            && statement.get("Condition").is_none()
            && has(&statement["Principal"]["Service"], &[LAMBDA])
            && has(&statement["Action"], &["sts:AssumeRole", "sts:*", "*"])
    };
    match &policy["Statement"] {
        Value::Array(statements) => statements.iter().any(allows),
        statement => allows(statement),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_policy_is_read_in_the_form_that_iam_returns() {
        let trust = |principal: &str, action: &str| {
            format!(r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":{action}}}]}}"#)
        };
        let ours = trust(r#"{"Service":"lambda.amazonaws.com"}"#, r#""sts:AssumeRole""#);
        let encoded = ours.replace('"', "%22").replace('{', "%7B").replace('}', "%7D").replace(':', "%3A");
        let several =
            trust(r#"{"Service":["edgelambda.amazonaws.com","lambda.amazonaws.com"]}"#, r#"["sts:AssumeRole"]"#);
        let alone = ours.replace(['[', ']'], "");
        for document in [&ours, &encoded, &several, &alone] {
            assert!(trusts_lambda(document), "{document}");
        }
        for document in [
            "",
            "{}",
            &ours.replace("lambda", "ec2"),
            &ours.replace("Allow", "Deny"),
            &ours.replace("AssumeRole", "TagSession"),
            &trust(r#"{"AWS":"123456789012"}"#, r#""sts:AssumeRole""#),
        ] {
            assert!(!trusts_lambda(document), "{document}");
        }
    }
}
