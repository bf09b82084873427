//! Reads the data of `status` and `list`, also while a change is in progress.
//!
//! Only `GetFunction` must be allowed. All other denied reads leave their values unknown.

use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{
    AliasConfiguration, AliasRoutingConfiguration, Architecture, Concurrency, EventSourceMappingConfiguration,
    FunctionConfiguration, FunctionUrlConfig, LastUpdateStatus, LastUpdateStatusReasonCode, PackageType,
    ProvisionedConcurrencyConfigListItem, ProvisionedConcurrencyStatusEnum, Runtime, State, StateReasonCode,
};

use super::Session;
use super::fault::{Call, Failed};
use super::hide::Hidden;
use super::package::Reported;
use super::quotes;
use super::refusals::Meaning;
use crate::arn::Arn;
use crate::fault::{Fault, FaultKind};
use crate::remote::{Alias, Condition, Known, LiveCode, Provisioned, Published, Status, Summary, Url};

impl Session<'_> {
    /// Reads the function with everything around it; `None` if it does not exist.
    pub(crate) async fn status(&self, name: &str, region: &str) -> Result<Option<Status>, Fault> {
        let looked = async {
            let Some(answer) = self.get_function(None).await? else { return Ok(None) };
            let around = tokio::join!(self.all_published(), self.aliases(), self.urls(), self.provisioned());
            let mut status = status(&answer, name, region)?;
            status.versions = known(around.0)?;
            status.aliases = known(around.1)?;
            status.urls = known(around.2)?;
            status.provisioned = known(around.3)?;
            Ok(Some(status))
        };
        looked.await.map_err(|failed: Failed| failed.fault)
    }

    /// All functions of the Region, sorted by name.
    pub(crate) async fn functions(&self) -> Result<Vec<Summary>, Fault> {
        let call = Call { action: "lambda:ListFunctions", resource: "*" };
        let mut pages = self.lambda.list_functions().into_paginator().items().send();
        let found = self.all(&call, async || pages.next().await).await.map_err(|failed| failed.fault)?;
        let mut functions: Vec<_> = found.iter().map(summary).collect();
        functions.sort_by(|a, b| a.function.cmp(&b.function));
        Ok(functions)
    }

    /// The event source mappings of the function and its aliases, each as source and id.
    pub(crate) async fn mappings(&self) -> Result<Known<Vec<String>>, Fault> {
        let call = Call { action: "lambda:ListEventSourceMappings", resource: &self.function };
        let request = self.lambda.list_event_source_mappings().function_name(&self.function);
        let mut pages = request.into_paginator().items().send();
        let found = self.all(&call, async || pages.next().await).await;
        known(found.map(|found| found.iter().map(mapping).collect())).map_err(|failed| failed.fault)
    }

    /// Reads the function, or a version of it, in its present state; `None` if it does not exist.
    pub(super) async fn get_function(&self, qualifier: Option<&str>) -> Result<Option<GetFunctionOutput>, Failed> {
        let resource = qualifier.map_or_else(|| self.function.clone(), |name| format!("{}:{name}", self.function));
        let call = Call { action: "lambda:GetFunction", resource: &resource };
        let request = self.lambda.get_function().function_name(&self.function);
        let request = request.set_qualifier(qualifier.map(str::to_owned));
        let found = self.read_optional(&call, request.send()).await?;
        if qualifier.is_none() {
            self.package_at.set(found.as_ref().and_then(Reported::of));
        }
        let variables = found.iter().filter_map(|answer| answer.configuration()?.environment()?.variables());
        for (name, value) in variables.flatten() {
            (self.hide)(Hidden::Variable { name, value });
        }
        Ok(found)
    }

    /// Reads an alias; `None` if the alias or the function does not exist.
    pub(super) async fn get_alias(&self, name: &str) -> Result<Option<Alias>, Failed> {
        let call = Call { action: "lambda:GetAlias", resource: &format!("{}:{name}", self.function) };
        let request = self.lambda.get_alias().function_name(&self.function).name(name);
        let found = self.read_optional(&call, request.send()).await?;
        Ok(found.map(|alias| {
            let (name, version) = (alias.name(), alias.function_version());
            alias_of(name, version, alias.routing_config(), alias.description(), alias.revision_id())
        }))
    }

    /// The published versions, newest first.
    pub(super) async fn all_published(&self) -> Result<Vec<Published>, Failed> {
        let call = Call { action: "lambda:ListVersionsByFunction", resource: &self.function };
        let request = self.lambda.list_versions_by_function().function_name(&self.function);
        let mut pages = request.into_paginator().items().send();
        let found = self.all(&call, async || pages.next().await).await?;
        let mut versions: Vec<_> = found.iter().filter_map(published).collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.number));
        Ok(versions)
    }

    /// The aliases by name.
    pub(super) async fn aliases(&self) -> Result<Vec<Alias>, Failed> {
        let call = Call { action: "lambda:ListAliases", resource: &self.function };
        let request = self.lambda.list_aliases().function_name(&self.function);
        let mut pages = request.into_paginator().items().send();
        let found = self.all(&call, async || pages.next().await).await?;
        let mut aliases: Vec<_> = found.iter().map(alias).collect();
        aliases.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(aliases)
    }

    async fn urls(&self) -> Result<Vec<Url>, Failed> {
        let call = Call { action: "lambda:ListFunctionUrlConfigs", resource: &self.function };
        let request = self.lambda.list_function_url_configs().function_name(&self.function);
        let mut pages = request.into_paginator().items().send();
        let found = self.all(&call, async || pages.next().await).await?;
        let mut urls: Vec<_> = found.iter().map(url).collect();
        urls.sort_by(|a, b| a.alias.cmp(&b.alias));
        Ok(urls)
    }

    pub(super) async fn provisioned(&self) -> Result<Vec<Provisioned>, Failed> {
        let call = Call { action: "lambda:ListProvisionedConcurrencyConfigs", resource: &self.function };
        let request = self.lambda.list_provisioned_concurrency_configs().function_name(&self.function);
        let mut pages = request.into_paginator().items().send();
        match self.all(&call, async || pages.next().await).await {
            Ok(found) => Ok(found.iter().map(provisioned).collect()),
            // Some services that imitate AWS answer so for a function without provisioned concurrency.
            Err(Failed { meaning: Meaning::NotFound, .. }) => Ok(Vec::new()),
            Err(failed) => Err(failed),
        }
    }
}

/// Turns a failed read into an unknown value. A passed deadline and an interruption stay errors.
fn known<T>(read: Result<T, Failed>) -> Result<Known<T>, Failed> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(failed) if matches!(failed.fault.kind, FaultKind::TimedOut | FaultKind::Interrupted(_)) => Err(failed),
        Err(failed) => Ok(Err(failed.fault.message)),
    }
}

fn status(answer: &GetFunctionOutput, name: &str, region: &str) -> Result<Status, Failed> {
    let silent = || Fault::new(FaultKind::Failed, "`lambda:GetFunction` answered without a configuration");
    let config = answer.configuration().ok_or_else(silent)?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let architectures: Vec<_> = config.architectures().iter().map(Architecture::as_str).collect();
    let code = config.state_reason_code().map(StateReasonCode::as_str);
    let update_code = config.last_update_status_reason_code().map(LastUpdateStatusReasonCode::as_str);
    let image = answer.code().and_then(|code| code.image_uri()).map(str::to_owned);
    let log_group = config.logging_config().and_then(|logging| logging.log_group()).map(str::to_owned);
    Ok(Status {
        function: name.to_owned(),
        region: region.to_owned(),
        arn: text(config.function_arn()),
        description: text(config.description()),
        state: condition(config.state().map(State::as_str), config.state_reason(), code),
        last_update: condition(
            config.last_update_status().map(LastUpdateStatus::as_str),
            config.last_update_status_reason(),
            update_code,
        ),
        code: live_code(config, image),
        architecture: if architectures.is_empty() { "x86_64".to_owned() } else { architectures.join(", ") },
        memory_size: config.memory_size().unwrap_or_default(),
        timeout: config.timeout().unwrap_or_default(),
        last_modified: text(config.last_modified()),
        code_sha256: text(config.code_sha256()),
        code_size: u64::try_from(config.code_size()).unwrap_or_default(),
        log_group: log_group.unwrap_or_else(|| format!("/aws/lambda/{name}")),
        reserved_concurrency: answer.concurrency().and_then(Concurrency::reserved_concurrent_executions),
        versions: Ok(Vec::new()),
        aliases: Ok(Vec::new()),
        urls: Ok(Vec::new()),
        provisioned: Ok(Vec::new()),
    })
}

/// A state with its reason, and with the code of the reason.
fn condition(word: Option<&str>, reason: Option<&str>, code: Option<&str>) -> Condition {
    let there = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let reason = match (there(reason), there(code)) {
        (Some(reason), Some(code)) => Some(format!("{} ({code})", quotes::cut(&reason))),
        (reason, code) => reason.map(|reason| quotes::cut(&reason)).or(code),
    };
    Condition { word: word.unwrap_or_default().to_owned(), reason }
}

fn live_code(config: &FunctionConfiguration, image: Option<String>) -> LiveCode {
    match config.package_type() {
        Some(PackageType::Image) => LiveCode::Image(image),
        _ => LiveCode::Runtime(config.runtime().map(Runtime::as_str).unwrap_or_default().to_owned()),
    }
}

fn summary(config: &FunctionConfiguration) -> Summary {
    Summary {
        function: config.function_name().unwrap_or_default().to_owned(),
        code: live_code(config, None),
        memory_size: config.memory_size().unwrap_or_default(),
        timeout: config.timeout().unwrap_or_default(),
        last_modified: config.last_modified().unwrap_or_default().to_owned(),
    }
}

/// A published version; `None` for `$LATEST`.
fn published(config: &FunctionConfiguration) -> Option<Published> {
    Some(Published {
        number: config.version()?.parse().ok()?,
        description: config.description().unwrap_or_default().to_owned(),
        last_modified: config.last_modified().unwrap_or_default().to_owned(),
        code_sha256: config.code_sha256().unwrap_or_default().to_owned(),
    })
}

fn alias(config: &AliasConfiguration) -> Alias {
    alias_of(
        config.name(),
        config.function_version(),
        config.routing_config(),
        config.description(),
        config.revision_id(),
    )
}

/// An alias from the fields that two types of the SDK share.
/// An alias as AWS returns it.
pub(super) fn alias_of(
    name: Option<&str>,
    version: Option<&str>,
    routing: Option<&AliasRoutingConfiguration>,
    description: Option<&str>,
    revision_id: Option<&str>,
) -> Alias {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let weights = routing.and_then(|routing| routing.additional_version_weights());
    Alias {
        name: text(name),
        version: text(version),
        weights: weights.into_iter().flatten().map(|(version, share)| (version.clone(), *share)).collect(),
        moving_from: None,
        description: text(description),
        revision_id: text(revision_id),
    }
}

fn url(config: &FunctionUrlConfig) -> Url {
    Url {
        alias: qualifier(config.function_arn()).map(str::to_owned),
        url: config.function_url().to_owned(),
        auth_type: config.auth_type().as_str().to_owned(),
    }
}

fn provisioned(config: &ProvisionedConcurrencyConfigListItem) -> Provisioned {
    Provisioned {
        qualifier: config.function_arn().and_then(qualifier).unwrap_or_default().to_owned(),
        requested: config.requested_provisioned_concurrent_executions().unwrap_or_default(),
        available: config.available_provisioned_concurrent_executions().unwrap_or_default(),
        status: condition(config.status().map(ProvisionedConcurrencyStatusEnum::as_str), config.status_reason(), None),
    }
}

fn mapping(config: &EventSourceMappingConfiguration) -> String {
    let uuid = config.uuid().unwrap_or_default();
    config.event_source_arn().map_or_else(|| uuid.to_owned(), |source| format!("{source} ({uuid})"))
}

/// The qualifier in a function's ARN: a version or an alias; `None` without one.
fn qualifier(arn: &str) -> Option<&str> {
    Arn::of(arn)?.function()?.1.filter(|qualifier| !qualifier.is_empty())
}
