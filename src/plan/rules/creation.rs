//! Settings that are decided when the function is created: tenants and durable executions.

use super::Named::{Around, Setting};
use super::{Facts, Row, error, is_set, text};
use crate::place::Problem;
use crate::settings::{Attachment, SettingName, Settings};

pub(super) const RULES: &[Row] = &[
    (&[Setting(SettingName::TenancyConfig)], tenancy_changes),
    (
        &[
            Setting(SettingName::TenancyConfig),
            Setting(SettingName::SnapStart),
            Around(Attachment::ProvisionedConcurrency),
            Around(Attachment::FunctionUrl),
            Around(Attachment::EventSources),
        ],
        tenancy_excludes,
    ),
    (&[Setting(SettingName::DurableConfig)], durable_from_the_beginning),
];

/// <https://docs.aws.amazon.com/lambda/latest/api/API_TenancyConfig.html>: it cannot be modified after creation.
fn tenancy_changes(facts: &Facts<'_>) -> Option<Problem> {
    let mode = |settings: &Settings| text(settings.tenancy_config.as_ref(), "TenantIsolationMode");
    let live = mode(&facts.live?.settings);
    (mode(&facts.deployment.settings) != live).then(|| {
        let what = live.unwrap_or_else(|| "none".to_owned());
        error(
            format!("cannot change after creation, and the function has {what}"),
            "deploy under another function name",
        )
    })
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html>, "Considerations and limitations".
fn tenancy_excludes(facts: &Facts<'_>) -> Option<Problem> {
    if !facts.is_tenanted() {
        return None;
    }
    let attached = [Attachment::ProvisionedConcurrency, Attachment::FunctionUrl, Attachment::EventSources];
    let attached = attached.into_iter().find(|attachment| facts.attached(*attachment).is_some());
    let other = if facts.has_snap_start() { Some("SnapStart") } else { attached.map(Attachment::name) }?;
    Some(error(format!("isolated tenants and {other} cannot be used together"), "choose one, and clear the other"))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/durable-configuration.html>: only at creation, and with a time limit.
fn durable_from_the_beginning(facts: &Facts<'_>) -> Option<Problem> {
    if facts.live.is_some_and(|live| !is_set(live.settings.durable_config.as_ref())) {
        let message = "must be set when the function is created, and this function exists without it";
        return Some(error(message, "deploy under another function name"));
    }
    let limit = facts.settings.durable_config.as_ref()?.number("ExecutionTimeout");
    (facts.whole && limit.is_none())
        .then(|| error("needs a time limit for an execution", "set `execution_timeout`, in seconds"))
}
