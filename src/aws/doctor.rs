//! Reads what `doctor` shows: the rights of the identity, and what is left in the account.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};
use aws_sdk_lambda::types::{AccountLimit, AccountUsage};

use super::Connection;
use super::fault::{self, Call};
use crate::fault::Fault;
use crate::remote::Quota;

/// The largest number of actions in a simulation.
const ACTIONS: usize = 100;

impl Connection {
    /// The actions that the policies of the identity do not allow on a resource; `None` if IAM has no policies of this kind
    /// of identity.
    pub(crate) async fn lacking(&self, actions: &[String], resource: &str) -> Result<Option<Vec<String>>, Fault> {
        let Some(principal) = self.principal() else { return Ok(None) };
        let call = Call { action: "iam:SimulatePrincipalPolicy", resource: principal };
        let to_lambda = ContextEntry::builder()
            .context_key_name("iam:PassedToService")
            .context_key_type(ContextKeyTypeEnum::String)
            .context_key_values("lambda.amazonaws.com")
            .build();
        let mut lacking = Vec::new();
        for actions in actions.chunks(ACTIONS) {
            let request = self.iam.simulate_principal_policy().policy_source_arn(principal);
            let request = request.set_action_names(Some(actions.to_vec())).resource_arns(resource);
            let answer = request.context_entries(to_lambda.clone()).send().await;
            let answer = answer.map_err(|error| fault::of(&error, &call).fault)?;
            let denied = answer.evaluation_results().iter();
            let denied = denied.filter(|found| *found.eval_decision() != PolicyEvaluationDecisionType::Allowed);
            lacking.extend(denied.map(|found| found.eval_action_name().to_owned()));
        }
        Ok(Some(lacking))
    }

    /// What the account uses and may use in this Region.
    pub(crate) async fn account_settings(&self) -> Result<Quota, Fault> {
        let call = Call { action: "lambda:GetAccountSettings", resource: "*" };
        let answer = self.lambda.get_account_settings().send().await;
        let answer = answer.map_err(|error| fault::of(&error, &call).fault)?;
        let (limit, usage) = (answer.account_limit(), answer.account_usage());
        let bytes = |bytes: Option<i64>| bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default();
        Ok(Quota {
            code: bytes(usage.map(AccountUsage::total_code_size)),
            most_code: bytes(limit.map(AccountLimit::total_code_size)),
            unreserved: limit.and_then(AccountLimit::unreserved_concurrent_executions).unwrap_or_default(),
            concurrent: limit.map(AccountLimit::concurrent_executions).unwrap_or_default(),
        })
    }
}
