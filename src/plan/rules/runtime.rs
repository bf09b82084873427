//! The log format, and the version of the runtime.

use super::Named::{Around, Setting};
use super::{Facts, Row, error, text};
use crate::place::Problem;
use crate::settings::{Attachment, SettingName};

pub(super) const RULES: &[Row] = &[
    (&[Setting(SettingName::LoggingConfig)], levels_of_text),
    (&[Around(Attachment::RuntimeManagement)], runtime_version),
];

/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>: levels need the format
/// JSON.
fn levels_of_text(facts: &Facts<'_>) -> Option<Problem> {
    let named = facts.deployment.settings.logging_config.as_ref();
    let levels = ["ApplicationLogLevel", "SystemLogLevel"].iter().any(|level| text(named, level).is_some());
    let format = text(facts.settings.logging_config.as_ref(), "LogFormat");
    let of_text = format.map_or(facts.whole, |format| format != "JSON");
    (levels && of_text).then(|| error("log levels need the log format JSON", "set `log_format: JSON` as well"))
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_PutRuntimeManagementConfig.html>: only `Manual` has an ARN.
fn runtime_version(facts: &Facts<'_>) -> Option<Problem> {
    let wanted = facts.attached(Attachment::RuntimeManagement)?;
    let manual = wanted.text("UpdateRuntimeOn").as_deref() == Some("Manual");
    match (manual, wanted.text("RuntimeVersionArn").is_some()) {
        (true, false) => Some(error("`Manual` needs a runtime version", "set `runtime_version_arn`")),
        (false, true) => {
            Some(error("a runtime version is for `Manual` only", "set `update_runtime_on: Manual`, or leave it out"))
        }
        _ => None,
    }
}
