//! Rules between settings: combinations that AWS refuses, or accepts without effect.
//!
//! Each rule is one short function with the AWS page that it comes from. A rule applies only if the user named one of
//! its options: live settings that the configuration does not name are never an error.

use serde_json::Value;

use super::{Plan, wanted};
use crate::arn::Arn;
use crate::deployment::{CodeSource, Deployment, Publish};
use crate::place::Problem;
use crate::remote::Live;
use crate::settings::{Attachment, Ids, Runtime, SettingName, Settings, Structure};

/// The function as it will be after the deployment.
struct Facts<'a> {
    deployment: &'a Deployment,
    /// The named settings, over the live ones.
    settings: &'a Settings,
    /// The live function; absent if it does not exist, or was not read.
    live: Option<&'a Live>,
    /// Whether an absent setting has AWS' default. Otherwise it is unknown.
    whole: bool,
}

fn error(message: impl Into<String>, help: &'static str) -> Problem {
    Problem::new(message).help(help)
}

fn warning(message: impl Into<String>, help: &'static str) -> Problem {
    Problem::warning(message).help(help)
}

type Rule = fn(&Facts<'_>) -> Option<Problem>;

/// An option that a rule is about.
#[derive(Clone, Copy)]
enum Named {
    Setting(SettingName),
    Around(Attachment),
    ImageUri,
    /// The key that encrypts the package inside Lambda.
    PackageKey,
    /// The key that encrypts the package in its bucket.
    ObjectKey,
}

use Named::{Around, Setting};

impl Named {
    const fn option(self) -> &'static str {
        match self {
            Setting(setting) => setting.name(),
            Around(attachment) => attachment.option(),
            Self::ImageUri => "image_uri",
            Self::PackageKey => "source_kms_key_arn",
            Self::ObjectKey => "s3_kms_key_arn",
        }
    }
}

/// Every rule with its options. A problem belongs to the first of them that the user named.
const RULES: &[(&[Named], Rule)] = &[
    (&[Named::ImageUri], image_without_architecture),
    (&[Setting(SettingName::Handler)], image_has_handler),
    (&[Setting(SettingName::Runtime)], image_has_runtime),
    (&[Setting(SettingName::Layers)], image_has_layers),
    (&[Setting(SettingName::SnapStart)], image_has_snap_start),
    (&[Around(Attachment::CodeSigning)], image_is_signed),
    (&[Setting(SettingName::ImageConfig)], package_has_image_config),
    (
        &[Setting(SettingName::SnapStart), Around(Attachment::ProvisionedConcurrency)],
        snap_start_and_provisioned_concurrency,
    ),
    (&[Setting(SettingName::SnapStart), Setting(SettingName::FileSystemConfigs)], snap_start_and_file_systems),
    (&[Setting(SettingName::SnapStart), Setting(SettingName::EphemeralStorage)], snap_start_and_storage),
    (&[Setting(SettingName::SnapStart), Setting(SettingName::Runtime)], snap_start_and_runtime),
    (&[Setting(SettingName::SnapStart)], snap_start_without_versions),
    (
        &[
            Setting(SettingName::FileSystemConfigs),
            Setting(SettingName::SubnetIds),
            Setting(SettingName::SecurityGroupIds),
        ],
        file_systems_without_vpc,
    ),
    (&[Setting(SettingName::FileSystemConfigs)], file_system_is_an_access_point),
    (&[Setting(SettingName::SubnetIds), Setting(SettingName::SecurityGroupIds)], half_of_a_vpc),
    (&[Setting(SettingName::Ipv6AllowedForDualStack)], ipv6_without_vpc),
    (&[Setting(SettingName::LoggingConfig)], levels_of_text),
    (&[Around(Attachment::ProvisionedConcurrency)], provisioned_concurrency_of_nothing),
    (
        &[Around(Attachment::ProvisionedConcurrency), Around(Attachment::ReservedConcurrency)],
        more_provisioned_than_reserved,
    ),
    (&[Around(Attachment::RuntimeManagement)], runtime_version),
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
    (&[Setting(SettingName::DeadLetterArn)], dead_letters_go_to_a_queue),
    (&[Setting(SettingName::KmsKeyArn)], environment_key),
    (&[Named::PackageKey], package_key),
    (&[Named::ObjectKey], object_key),
];

/// The problems that are certain without the live function.
pub(super) fn check_named(deployment: &Deployment) -> Vec<Problem> {
    let settings = wanted::named(deployment);
    check(&Facts { deployment, settings: &settings, live: None, whole: false })
}

impl Plan {
    /// Checks the rules against the settings that the function will have.
    pub(super) fn check_rules(&mut self, deployment: &Deployment, settings: &Settings, live: Option<&Live>) {
        self.problems.extend(check(&Facts { deployment, settings, live, whole: true }));
    }
}

fn check(facts: &Facts<'_>) -> Vec<Problem> {
    let found = |(options, rule): &(&[Named], Rule)| {
        let option = options.iter().find(|option| facts.names(**option))?;
        Some(rule(facts)?.of(option.option()))
    };
    RULES.iter().filter_map(found).collect()
}

impl Facts<'_> {
    /// Whether the user named this option, and not only to clear it.
    fn names(&self, option: Named) -> bool {
        let Deployment { settings, attachments, code, .. } = self.deployment;
        match option {
            Setting(setting) => settings.has(setting),
            Around(attachment) => {
                attachments.get(&attachment).is_some_and(|managed| managed.entries.values().any(Option::is_some))
            }
            Named::ImageUri => self.is_image(),
            Named::PackageKey => code.source_kms_key_arn.is_some(),
            Named::ObjectKey => code.upload.as_ref().is_some_and(|upload| upload.kms_key_arn.is_some()),
        }
    }

    fn is_image(&self) -> bool {
        matches!(self.deployment.code.source, CodeSource::Image(_))
    }

    /// The only attachment of a kind: the wanted one, or else the live one if it was read.
    fn attached(&self, attachment: Attachment) -> Option<&Structure> {
        match self.deployment.attachments.get(&attachment) {
            Some(managed) => managed.entries.values().flatten().next(),
            None => Some(&self.live?.attachments.get(&attachment)?.values().next()?.document),
        }
    }

    fn has_snap_start(&self) -> bool {
        text(self.settings.snap_start.as_ref(), "ApplyOn").as_deref() == Some("PublishedVersions")
    }

    fn is_tenanted(&self) -> bool {
        text(self.settings.tenancy_config.as_ref(), "TenantIsolationMode").is_some()
    }

    /// Whether the list is certainly empty.
    fn lacks(&self, ids: Option<&Ids>) -> bool {
        ids.map_or(self.whole, |ids| ids.0.is_empty())
    }
}

fn text(structure: Option<&Structure>, member: &str) -> Option<String> {
    structure?.text(member)
}

fn is_set(structure: Option<&Structure>) -> bool {
    structure.is_some_and(|structure| !structure.is_empty())
}

fn has_ids(ids: Option<&Ids>) -> bool {
    ids.is_some_and(|ids| !ids.0.is_empty())
}

/// The service that an ARN belongs to.
fn service(arn: &str) -> &str {
    Arn::of(arn).map_or("", |arn| arn.service)
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html>: the default is `x86_64`, whatever the image is
/// for.
fn image_without_architecture(facts: &Facts<'_>) -> Option<Problem> {
    let new = facts.whole && facts.live.is_none();
    (new && facts.deployment.code.architecture.is_none()).then(|| {
        warning(
            "the architecture of the image is not set, so AWS assumes x86_64",
            "set `architecture` to `x86_64` or `arm64`",
        )
    })
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>: the handler and the runtime are for
/// archives.
fn image_has_handler(facts: &Facts<'_>) -> Option<Problem> {
    facts.is_image().then(|| error("is for a package: an image has its own command", OF_IMAGES))
}

const OF_IMAGES: &str = "leave it out; `image_config` overrides the image's own command";

/// The same page.
fn image_has_runtime(facts: &Facts<'_>) -> Option<Problem> {
    facts.is_image().then(|| error("is for a package: an image has its own runtime", OF_IMAGES))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html>: layers are for archives.
fn image_has_layers(facts: &Facts<'_>) -> Option<Problem> {
    let layers = facts.settings.layers.as_ref().is_some_and(|layers| !layers.0.is_empty());
    (facts.is_image() && layers)
        .then(|| error("are for a package: an image cannot have layers", "copy their files into the image"))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html>: not for container images.
fn image_has_snap_start(facts: &Facts<'_>) -> Option<Problem> {
    (facts.is_image() && facts.has_snap_start())
        .then(|| error("is for a package: SnapStart does not support images", "leave it out"))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html>: not for container images.
fn image_is_signed(facts: &Facts<'_>) -> Option<Problem> {
    facts.is_image().then(|| error("is for a package: Lambda does not check signatures of images", "leave it out"))
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_ImageConfig.html>: values that override those of an image.
fn package_has_image_config(facts: &Facts<'_>) -> Option<Problem> {
    (!facts.is_image() && is_set(facts.settings.image_config.as_ref()))
        .then(|| error("is for an image, and this deploys a package", "name an image with `image_uri`"))
}

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
fn may_snap_start(Runtime(runtime): &Runtime) -> bool {
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

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-filesystem.html>: the function must be in a VPC.
fn file_systems_without_vpc(facts: &Facts<'_>) -> Option<Problem> {
    let Settings { file_system_configs, subnet_ids, security_group_ids, .. } = facts.settings;
    let outside = facts.lacks(subnet_ids.as_ref()) || facts.lacks(security_group_ids.as_ref());
    (is_set(file_system_configs.as_ref()) && outside)
        .then(|| error("a file system needs a VPC", "set `subnet_ids` and `security_group_ids` as well"))
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_FileSystemConfig.html>: one access point, of EFS or S3 Files.
fn file_system_is_an_access_point(facts: &Facts<'_>) -> Option<Problem> {
    let Value::Array(items) = &facts.settings.file_system_configs.as_ref()?.0 else { return None };
    if items.len() > 1 {
        return Some(error(format!("has {} file systems, AWS takes one", items.len()), "name one"));
    }
    let arn = items.first()?.get("Arn")?.as_str()?;
    let known = matches!(service(arn), "elasticfilesystem" | "s3files") && arn.contains("access-point/fsap-");
    (!known).then(|| {
        let help = "an access point looks like `arn:aws:elasticfilesystem:REGION:ACCOUNT:access-point/fsap-…`";
        error(format!("`{arn}` is not an access point of a file system"), help)
    })
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html>; AWS: "`SubnetIds` and `SecurityIds` must coexist
/// or
/// be both empty list."
fn half_of_a_vpc(facts: &Facts<'_>) -> Option<Problem> {
    let (subnets, groups) = (facts.settings.subnet_ids.as_ref(), facts.settings.security_group_ids.as_ref());
    if has_ids(subnets) && facts.lacks(groups) {
        return Some(error("subnets need security groups", "set `security_group_ids`, or empty both to leave the VPC"));
    }
    (has_ids(groups) && facts.lacks(subnets))
        .then(|| error("security groups need subnets", "set `subnet_ids`, or empty both to leave the VPC"))
}

/// The same page: it is a setting of the VPC.
fn ipv6_without_vpc(facts: &Facts<'_>) -> Option<Problem> {
    let wanted = facts.settings.ipv6_allowed_for_dual_stack.is_some_and(|switch| switch.0);
    (wanted && facts.lacks(facts.settings.subnet_ids.as_ref()))
        .then(|| error("needs a VPC", "set `subnet_ids` and `security_group_ids` as well"))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>: levels need the format
/// JSON.
fn levels_of_text(facts: &Facts<'_>) -> Option<Problem> {
    let named = facts.deployment.settings.logging_config.as_ref();
    let levels = ["ApplicationLogLevel", "SystemLogLevel"].iter().any(|level| text(named, level).is_some());
    let format = text(facts.settings.logging_config.as_ref(), "LogFormat");
    let of_text = format.map_or(facts.whole, |format| format != "JSON");
    (levels && of_text).then(|| error("log levels need the log format JSON", "set `log_format: JSON` as well"))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html>: not for `$LATEST`.
fn provisioned_concurrency_of_nothing(facts: &Facts<'_>) -> Option<Problem> {
    facts
        .deployment
        .release
        .alias
        .is_none()
        .then(|| error("needs an alias: $LATEST cannot have provisioned concurrency", "set `alias`"))
}

/// The same page: it counts against what is reserved.
fn more_provisioned_than_reserved(facts: &Facts<'_>) -> Option<Problem> {
    let number = |attachment| facts.attached(attachment)?.0.as_i64();
    let provisioned = number(Attachment::ProvisionedConcurrency)?;
    let reserved = number(Attachment::ReservedConcurrency)?;
    if provisioned > reserved {
        let message = format!("provisioned concurrency is {provisioned}, but only {reserved} is reserved");
        return Some(error(message, "raise `reserved_concurrency`, or lower `provisioned_concurrency`"));
    }
    (provisioned == reserved).then(|| {
        let message = format!("the alias uses all of the reserved concurrency ({reserved}), so $LATEST cannot run");
        warning(message, "raise `reserved_concurrency`, or lower `provisioned_concurrency`")
    })
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

/// <https://docs.aws.amazon.com/lambda/latest/api/API_DeadLetterConfig.html>. Destinations may be set as well: AWS
/// sends to both.
fn dead_letters_go_to_a_queue(facts: &Facts<'_>) -> Option<Problem> {
    let arn = &facts.settings.dead_letter_arn.as_ref()?.0;
    let fits = arn.is_empty() || matches!(service(arn), "sqs" | "sns");
    (!fits).then(|| error(format!("`{arn}` is neither a queue of SQS nor a topic of SNS"), "name a queue or a topic"))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html>.
fn environment_key(facts: &Facts<'_>) -> Option<Problem> {
    of_kms(facts.settings.kms_key_arn.as_ref().map(|arn| arn.0.as_str()))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/encrypt-zip-package.html>.
fn package_key(facts: &Facts<'_>) -> Option<Problem> {
    of_kms(facts.deployment.code.source_kms_key_arn.as_deref())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-kms-encryption.html>.
fn object_key(facts: &Facts<'_>) -> Option<Problem> {
    of_kms(facts.deployment.code.upload.as_ref()?.kms_key_arn.as_deref())
}

fn of_kms(arn: Option<&str>) -> Option<Problem> {
    let arn = arn.filter(|arn| !arn.is_empty() && service(arn) != "kms")?;
    Some(error(format!("`{arn}` is not a key of KMS"), "a key looks like `arn:aws:kms:REGION:ACCOUNT:key/…`"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::tests::{ids, live, of_image, planned, wanted};
    use super::*;
    use crate::deployment::{Keyed, Release, Upload};
    use crate::remote::Remote;
    use crate::settings::{AliasName, Architecture, ArnOrNone, EphemeralStorage, Handler, Layers, Switch};

    fn attach(deployment: &mut Deployment, attachment: Attachment, document: Value) {
        let entries = BTreeMap::from([(String::new(), Some(Structure(document)))]);
        deployment.attachments.insert(attachment, Keyed { entries, others: None });
    }

    fn publish(deployment: &mut Deployment) {
        let alias = Some(AliasName("live".to_owned()));
        deployment.release = Release { publish: Publish::Version, alias, ..Release::default() };
    }

    fn snap_start(deployment: &mut Deployment) {
        publish(deployment);
        deployment.settings.snap_start = Some(Structure(json!({ "ApplyOn": "PublishedVersions" })));
        deployment.settings.runtime = Some(Runtime("python3.13".to_owned()));
    }

    fn file_system(deployment: &mut Deployment, arn: &str) {
        let mounted = json!([{ "Arn": arn, "LocalMountPath": "/mnt/data" }]);
        deployment.settings.file_system_configs = Some(Structure(mounted));
    }

    const ACCESS_POINT: &str = "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0123456789abcdef0";

    /// The problems of a deployment to the live function of the other tests.
    fn problems(change: impl FnOnce(&mut Deployment)) -> Vec<String> {
        problems_of(&wanted(change), &live(|_| ()))
    }

    fn problems_of(deployment: &Deployment, remote: &Remote) -> Vec<String> {
        let lines = planned(deployment, "old", remote);
        let problems = lines.lines().filter(|line| line.starts_with("Error") || line.starts_with("warning"));
        problems.filter(|line| !line.contains("AWS needs a ")).map(str::to_owned).collect()
    }

    /// The number of problems that are certain without the live function.
    fn certain(change: impl FnOnce(&mut Deployment)) -> usize {
        check_named(&wanted(change)).len()
    }

    type Change = fn(&mut Deployment);

    #[test]
    fn combinations_that_aws_refuses_are_errors_of_their_option() {
        let table: &[(&str, Change)] = &[
            ("snap_start: SnapStart and provisioned", |d| {
                snap_start(d);
                attach(d, Attachment::ProvisionedConcurrency, json!(2));
            }),
            ("snap_start: SnapStart and a file system", |d| {
                snap_start(d);
                file_system(d, ACCESS_POINT);
            }),
            ("snap_start: SnapStart supports at most 512 MB", |d| {
                snap_start(d);
                d.settings.ephemeral_storage = Some(EphemeralStorage(1024));
            }),
            ("snap_start: SnapStart does not support nodejs22.x", |d| {
                snap_start(d);
                d.settings.runtime = None;
            }),
            ("file_system_configs: `arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1` is not", |d| {
                file_system(d, "arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1");
            }),
            ("file_system_configs: a file system needs a VPC", |d| {
                file_system(d, ACCESS_POINT);
                (d.settings.subnet_ids, d.settings.security_group_ids) = (Some(ids(&[])), Some(ids(&[])));
            }),
            ("security_group_ids: subnets need", |d| d.settings.security_group_ids = Some(ids(&[]))),
            ("subnet_ids: security groups need", |d| d.settings.subnet_ids = Some(ids(&[]))),
            ("ipv6_allowed_for_dual_stack: needs a VPC", |d| {
                d.settings.ipv6_allowed_for_dual_stack = Some(Switch(true));
                (d.settings.subnet_ids, d.settings.security_group_ids) = (Some(ids(&[])), Some(ids(&[])));
            }),
            ("logging_config: log levels need", |d| {
                d.settings.logging_config = Some(Structure(json!({ "SystemLogLevel": "WARN" })));
            }),
            ("provisioned_concurrency: needs an alias", |d| {
                attach(d, Attachment::ProvisionedConcurrency, json!(2));
            }),
            ("provisioned_concurrency: provisioned concurrency is 3", |d| {
                publish(d);
                attach(d, Attachment::ProvisionedConcurrency, json!(3));
                attach(d, Attachment::ReservedConcurrency, json!(2));
            }),
            ("runtime_management: `Manual` needs", |d| {
                attach(d, Attachment::RuntimeManagement, json!({ "UpdateRuntimeOn": "Manual" }));
            }),
            ("runtime_management: a runtime version is for", |d| {
                let version =
                    json!({ "UpdateRuntimeOn": "Auto", "RuntimeVersionArn": "arn:aws:lambda:eu-west-1::runtime:1" });
                attach(d, Attachment::RuntimeManagement, version);
            }),
            ("tenancy_config: cannot change after creation, and the function has none", |d| {
                d.settings.tenancy_config = Some(Structure(json!({ "TenantIsolationMode": "PER_TENANT" })));
            }),
            ("durable_config: must be set when the function is created", |d| {
                d.settings.durable_config = Some(Structure(json!({ "ExecutionTimeout": 60 })));
            }),
            ("dead_letter_arn: `arn:aws:lambda:", |d| {
                d.settings.dead_letter_arn = Some(ArnOrNone("arn:aws:lambda:eu-west-1:1:function:f".to_owned()));
            }),
            ("kms_key_arn: `arn:aws:sqs:", |d| {
                d.settings.kms_key_arn = Some(ArnOrNone("arn:aws:sqs:eu-west-1:1:q".to_owned()));
            }),
            ("source_kms_key_arn: `arn:aws:sqs:", |d| {
                d.code.source_kms_key_arn = Some("arn:aws:sqs:eu-west-1:1:q".to_owned());
            }),
            ("s3_kms_key_arn: `arn:aws:sqs:", |d| {
                let key = crate::deployment::ObjectKey::Given("k".to_owned());
                let kms_key_arn = Some("arn:aws:sqs:eu-west-1:1:q".to_owned());
                d.code.upload = Some(Upload { bucket: "b-b".to_owned(), key, expected_owner: None, kms_key_arn });
            }),
            ("image_config: is for an image", |d| {
                d.settings.image_config = Some(Structure(json!({ "Command": ["a"] })));
            }),
        ];
        for (expected, change) in table {
            let found = problems(change);
            assert!(found.len() == 1 && found[0].starts_with(&format!("Error {expected}")), "{expected}: {found:?}");
        }
    }

    #[test]
    fn combinations_that_aws_accepts_are_no_errors() {
        let table: &[Change] = &[
            snap_start,
            |d| file_system(d, ACCESS_POINT),
            |d| file_system(d, "arn:aws:s3files:eu-west-1:1:file-system/fs-1/access-point/fsap-1"),
            |d| d.settings.subnet_ids = Some(ids(&["subnet-9"])),
            |d| (d.settings.subnet_ids, d.settings.security_group_ids) = (Some(ids(&[])), Some(ids(&[]))),
            |d| d.settings.ipv6_allowed_for_dual_stack = Some(Switch(true)),
            |d| d.settings.logging_config = Some(Structure(json!({ "LogFormat": "JSON", "SystemLogLevel": "WARN" }))),
            |d| d.settings.dead_letter_arn = Some(ArnOrNone(String::new())),
            |d| d.settings.dead_letter_arn = Some(ArnOrNone("arn:aws-cn:sns:cn-north-1:1:t".to_owned())),
            |d| d.settings.kms_key_arn = Some(ArnOrNone("arn:aws:kms:eu-west-1:1:key/k".to_owned())),
            |d| d.settings.snap_start = Some(Structure(json!({ "ApplyOn": "None" }))),
            |d| attach(d, Attachment::FunctionUrl, json!({ "InvokeMode": "RESPONSE_STREAM" })),
            |d| attach(d, Attachment::RuntimeManagement, json!({ "UpdateRuntimeOn": "Auto" })),
            |d| d.settings.image_config = Some(Structure::default()),
        ];
        for change in table {
            assert_eq!(problems(change), [""; 0]);
        }
    }

    #[test]
    fn live_settings_that_are_not_named_are_no_errors() {
        let odd = live(|live| {
            live.settings.snap_start = Some(Structure(json!({ "ApplyOn": "PublishedVersions" })));
            live.settings.ephemeral_storage = Some(EphemeralStorage(2048));
            live.settings.subnet_ids = Some(ids(&[]));
        });
        assert_eq!(problems_of(&wanted(|_| ()), &odd), [""; 0]);
        let named = wanted(|d| d.settings.ephemeral_storage = Some(EphemeralStorage(1024)));
        assert!(problems_of(&named, &odd)[0].starts_with("Error ephemeral_storage"));
    }

    #[test]
    fn settings_without_effect_are_warnings() {
        let lonely = problems(|d| {
            snap_start(d);
            d.release = Release::default();
        });
        assert_eq!(lonely, ["warning snap_start: has no effect here: only published versions start from a snapshot"]);
        let all = problems(|d| {
            publish(d);
            attach(d, Attachment::ProvisionedConcurrency, json!(2));
            attach(d, Attachment::ReservedConcurrency, json!(2));
        });
        assert!(all.len() == 1 && all[0].starts_with("warning provisioned_concurrency: the alias uses all"), "{all:?}");
    }

    #[test]
    fn tenants_and_durability_are_decided_at_creation() {
        let tenants = |d: &mut Deployment| {
            d.settings.tenancy_config = Some(Structure(json!({ "TenantIsolationMode": "PER_TENANT" })));
        };
        assert_eq!(problems_of(&wanted(tenants), &Remote::Absent), [""; 0]);
        let tenanted = live(|live| {
            live.settings.tenancy_config = Some(Structure(json!({ "TenantIsolationMode": "PER_TENANT" })));
            live.settings.durable_config = Some(Structure(json!({ "ExecutionTimeout": 60 })));
        });
        assert_eq!(problems_of(&wanted(tenants), &tenanted), [""; 0]);
        let excluded = wanted(|d| attach(d, Attachment::FunctionUrl, json!({})));
        assert_eq!(
            problems_of(&excluded, &tenanted),
            ["Error function_url: isolated tenants and function URL cannot be used together"]
        );
        let durable = |document: Value| wanted(|d| d.settings.durable_config = Some(Structure(document)));
        assert_eq!(problems_of(&durable(json!({ "RetentionPeriodInDays": 3 })), &tenanted), [""; 0]);
        assert_eq!(problems_of(&durable(json!({ "ExecutionTimeout": 3 })), &Remote::Absent), [""; 0]);
        let limitless = problems_of(&durable(json!({ "RetentionPeriodInDays": 3 })), &Remote::Absent);
        assert!(limitless[0].starts_with("Error durable_config: needs a time limit"));
    }

    #[test]
    fn an_image_has_its_own_handler_runtime_and_libraries() {
        let mut image = of_image(Some("a"));
        let found = problems_of(&image, &Remote::Absent);
        assert_eq!(found, ["warning image_uri: the architecture of the image is not set, so AWS assumes x86_64"]);
        image.settings.image_config = Some(Structure(json!({ "Command": ["a"] })));
        image.code.architecture = Some(Architecture::Arm64);
        assert_eq!(problems_of(&image, &Remote::Absent), [""; 0]);
        image.settings.handler = Some(Handler("a.b".to_owned()));
        image.settings.runtime = Some(Runtime("python3.13".to_owned()));
        image.settings.layers = Some(Layers(vec!["layer".to_owned()]));
        image.settings.snap_start = Some(Structure(json!({ "ApplyOn": "PublishedVersions" })));
        attach(&mut image, Attachment::CodeSigning, json!("arn"));
        let found = problems_of(&image, &Remote::Absent);
        for option in ["handler", "runtime", "layers", "snap_start", "code_signing_config_arn"] {
            let here = |line: &&String| line.starts_with(&format!("Error {option}"));
            assert_eq!(found.iter().filter(here).count(), 1, "{option}: {found:?}");
        }
        assert_eq!(found.len(), 5, "{found:?}");
    }

    #[test]
    fn without_the_live_function_only_certain_problems_are_found() {
        assert_eq!(certain(|d| file_system(d, ACCESS_POINT)), 0, "the live function may be in a VPC");
        assert_eq!(certain(|d| d.settings.subnet_ids = Some(ids(&["subnet-1"]))), 0);
        assert_eq!(certain(|d| d.settings.logging_config = Some(Structure(json!({ "SystemLogLevel": "WARN" })))), 0);
        assert_eq!(certain(|d| d.settings.durable_config = Some(Structure(json!({ "RetentionPeriodInDays": 1 })))), 0);
        assert_eq!(certain(|d| d.settings.dead_letter_arn = Some(ArnOrNone("arn:aws:s3:::b".to_owned()))), 1);
        let text = json!({ "LogFormat": "Text", "SystemLogLevel": "WARN" });
        assert_eq!(certain(|d| d.settings.logging_config = Some(Structure(text))), 1);
        assert_eq!(certain(|d| attach(d, Attachment::ProvisionedConcurrency, json!(1))), 1);
    }

    #[test]
    fn newer_runtimes_support_snap_start() {
        for (runtime, may) in [
            ("java8.al2", false),
            ("java11", true),
            ("java99", true),
            ("python3.9", false),
            ("python3.12", true),
            ("python3.15", true),
            ("dotnetcore3.1", false),
            ("dotnet6", false),
            ("dotnet8", true),
            ("dotnet10", true),
            ("nodejs24.x", false),
            ("ruby3.4", false),
            ("provided.al2023", false),
            ("cobol1", true),
        ] {
            assert_eq!(may_snap_start(&Runtime(runtime.to_owned())), may, "{runtime}");
        }
    }
}
