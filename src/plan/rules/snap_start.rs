//! `SnapStart`: what it excludes, and what it needs.

use super::Named::{Around, Setting};
use super::{Facts, Row, error, is_set, warning};
use crate::deployment::Publish;
use crate::place::Problem;
use crate::settings::{Attachment, Runtime, SettingName};

pub(super) const RULES: &[Row] = &[
    (
        &[Setting(SettingName::SnapStart), Around(Attachment::ProvisionedConcurrency)],
        snap_start_and_provisioned_concurrency,
    ),
    (&[Setting(SettingName::SnapStart), Setting(SettingName::FileSystemConfigs)], snap_start_and_file_systems),
    (&[Setting(SettingName::SnapStart), Setting(SettingName::EphemeralStorage)], snap_start_and_storage),
    (&[Setting(SettingName::SnapStart), Setting(SettingName::Runtime)], snap_start_and_runtime),
    (&[Setting(SettingName::SnapStart)], snap_start_without_versions),
];

/// <https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html>, "Supported features and limitations".
fn snap_start_and_provisioned_concurrency(facts: &Facts<'_>) -> Option<Problem> {
    (facts.has_snap_start() && facts.attached(Attachment::ProvisionedConcurrency).is_some()).then(|| {
        error("SnapStart and provisioned concurrency cannot be used together", "choose one, and clear the other")
    })
}

/// The same page.
fn snap_start_and_file_systems(facts: &Facts<'_>) -> Option<Problem> {
    (facts.has_snap_start() && is_set(facts.settings.file_system_configs.as_ref()))
        .then(|| error("SnapStart and a file system cannot be used together", "choose one, and clear the other"))
}

/// The same page: at most 512 MB.
fn snap_start_and_storage(facts: &Facts<'_>) -> Option<Problem> {
    let size = facts.settings.ephemeral_storage.map(|size| size.0).filter(|size| *size > 512)?;
    facts.has_snap_start().then(|| {
        let message = format!("SnapStart supports at most 512 MB of ephemeral storage, got {size} MB");
        error(message, "set `ephemeral_storage: 512`, or leave SnapStart off")
    })
}

/// The same page: Java 11, Python 3.12, .NET 8, and what is newer.
fn snap_start_and_runtime(facts: &Facts<'_>) -> Option<Problem> {
    let runtime = facts.settings.runtime.as_ref().filter(|_| !facts.is_image())?;
    (facts.has_snap_start() && !may_snap_start(runtime)).then(|| {
        let message =
            format!("SnapStart does not support {}: it needs Java 11, Python 3.12, .NET 8 or newer", runtime.0);
        error(message, "move to a newer runtime, or leave SnapStart off")
    })
}

/// Accepts unknown runtimes: AWS decides about them.
pub(super) fn may_snap_start(Runtime(runtime): &Runtime) -> bool {
    let version = |prefix: &str| -> Option<u32> {
        let rest = runtime.strip_prefix(prefix)?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(digits.parse().unwrap_or_default())
    };
    let never = ["nodejs", "ruby", "go", "provided"].iter().any(|family| runtime.starts_with(family));
    let least = [("java", 11), ("python3.", 12), ("dotnet", 8)];
    !never && least.iter().all(|(family, least)| version(family).is_none_or(|version| version >= *least))
}

/// The same page: it is for published versions and aliases that point at them.
fn snap_start_without_versions(facts: &Facts<'_>) -> Option<Problem> {
    (facts.has_snap_start() && !facts.is_image() && facts.deployment.release.publish == Publish::No).then(|| {
        warning("has no effect here: only published versions start from a snapshot", "set `publish` or `alias`")
    })
}
