//! What takes the room when the account's storage for code is full.

use aws_sdk_lambda::types::{AccountLimit, AccountUsage};

use super::Session;
use super::fault::{self, Call, Failed};
use crate::fault::{Fault, FaultKind};
use crate::plan::Step;

/// One fact, or the action that the identity lacks to read it; `Err(None)` if it could not be read for another reason.
type Fact = Result<String, Option<&'static str>>;

impl Session<'_> {
    /// Adds to a refusal what takes the room, and how to make some.
    pub(super) async fn with_storage(&self, step: &Step, failed: Failed) -> Failed {
        let name = &self.function;
        let of_layer = matches!(step, Step::PublishLayer(_));
        let own = async { if of_layer { self.storage_of_layer().await } else { self.storage_of_versions().await } };
        let (account, own) = tokio::join!(self.storage_of_account(), own);
        let facts = [&account, &own].into_iter().flatten().map(String::as_str);
        let message = std::iter::once(failed.fault.message.as_str()).chain(facts).collect::<Vec<_>>().join("; ");
        let way_out = if of_layer {
            format!(
                "delete old versions of layers, which needs `lambda:DeleteLayerVersion`: `aws lambda \
                 delete-layer-version --layer-name {name} --version-number N`; or old versions of functions, with \
                 `keep_versions` in their blocks"
            )
        } else {
            format!(
                "delete old versions, which needs `lambda:DeleteFunction`: `dpl-lambda delete --function_name {name} \
                 --qualifier N` now, and `keep_versions: 5` after each deployment; or old versions of layers"
            )
        };
        let lacking = |fact: &Fact| fact.as_ref().err().copied().flatten();
        let lacking: Vec<_> = [&account, &own].into_iter().filter_map(lacking).collect();
        let to_see = if lacking.is_empty() {
            String::new()
        } else {
            let actions: Vec<_> = lacking.iter().map(|action| format!("`{action}`")).collect();
            format!("; to see what takes the room, allow {}", actions.join(" and "))
        };
        let help = format!("{way_out}; AWS raises the quota \"Function and layer storage\" on request{to_see}");
        Failed { fault: Fault { message, ..failed.fault }.help(help), ..failed }
    }

    /// The storage of the account in this Region.
    async fn storage_of_account(&self) -> Fact {
        const ACTION: &str = "lambda:GetAccountSettings";
        let call = Call { action: ACTION, resource: "*" };
        let sent = self.bounded(ACTION, self.lambda.get_account_settings().send()).await;
        let answer = sent.and_then(|answer| answer.map_err(|error| fault::of(&error, &call)));
        let answer = answer.map_err(|failed| unread(&failed, ACTION))?;
        let used = answer.account_usage().map(AccountUsage::total_code_size);
        let limit = answer.account_limit().map(AccountLimit::total_code_size);
        let (used, limit) = used.zip(limit).ok_or(None)?;
        Ok(format!("the account uses {} of {} MB in {}", megabytes(used), megabytes(limit), self.caller.region))
    }

    /// The versions of the function.
    async fn storage_of_versions(&self) -> Fact {
        const ACTION: &str = "lambda:ListVersionsByFunction";
        let call = Call { action: ACTION, resource: &self.function };
        let request = self.lambda.list_versions_by_function().function_name(&self.function);
        let mut pages = request.into_paginator().items().send();
        let found = self.all(&call, async || pages.next().await).await.map_err(|failed| unread(&failed, ACTION))?;
        let versions: Vec<_> = found.iter().filter(|config| config.version() != Some("$LATEST")).collect();
        let size = versions.iter().map(|config| config.code_size()).fold(0, i64::saturating_add);
        Ok(format!("`{}` has {} published versions with {} MB", self.function, versions.len(), megabytes(size)))
    }

    /// The versions of the layer. AWS lists them without their sizes.
    async fn storage_of_layer(&self) -> Fact {
        let numbers = self.layer_numbers(1..i64::MAX).await;
        let numbers = numbers.map_err(|failed| unread(&failed, "lambda:ListLayerVersions"))?;
        Ok(format!("the layer `{}` has {} versions", self.function, numbers.len()))
    }
}

fn unread(failed: &Failed, action: &'static str) -> Option<&'static str> {
    (failed.fault.kind == FaultKind::Denied).then_some(action)
}

fn megabytes(bytes: i64) -> i64 {
    bytes >> 20
}
