//! Settings in the API's shape, to the SDK's types and back.

use aws_sdk_lambda::types::{
    self as sdk, DurableConfig, FileSystemConfig, FunctionConfiguration, ImageConfig, LoggingConfig, SnapStart,
    TenancyConfig,
};
use serde_json::{Value, json};

use crate::settings::Structure;

pub(in crate::aws) fn file_systems(wanted: &Structure) -> Vec<FileSystemConfig> {
    let items = wanted.0.as_array().into_iter().flatten().cloned().map(Structure);
    let config = |item: Structure| {
        let builder = FileSystemConfig::builder().set_arn(item.text("Arn"));
        builder.set_local_mount_path(item.text("LocalMountPath")).build().ok()
    };
    items.filter_map(config).collect()
}

pub(in crate::aws) fn image_config(wanted: &Structure) -> ImageConfig {
    ImageConfig::builder()
        .set_entry_point(wanted.texts("EntryPoint"))
        .set_command(wanted.texts("Command"))
        .set_working_directory(wanted.text("WorkingDirectory"))
        .build()
}

pub(in crate::aws) fn snap_start(wanted: &Structure) -> SnapStart {
    SnapStart::builder().set_apply_on(wanted.text("ApplyOn").map(|word| word.as_str().into())).build()
}

pub(in crate::aws) fn logging(wanted: &Structure) -> LoggingConfig {
    LoggingConfig::builder()
        .set_log_format(wanted.text("LogFormat").map(|word| word.as_str().into()))
        .set_application_log_level(wanted.text("ApplicationLogLevel").map(|word| word.as_str().into()))
        .set_system_log_level(wanted.text("SystemLogLevel").map(|word| word.as_str().into()))
        .set_log_group(wanted.text("LogGroup"))
        .build()
}

pub(in crate::aws) fn durable(wanted: &Structure) -> DurableConfig {
    DurableConfig::builder()
        .set_execution_timeout(wanted.number("ExecutionTimeout"))
        .set_retention_period_in_days(wanted.number("RetentionPeriodInDays"))
        .set_kms_key_arn(wanted.text("KMSKeyArn"))
        .build()
}

pub(in crate::aws) fn tenancy(wanted: &Structure) -> Option<TenancyConfig> {
    let mode = wanted.text("TenantIsolationMode").map(|word| word.as_str().into());
    TenancyConfig::builder().set_tenant_isolation_mode(mode).build().ok()
}

/// What AWS told about the settings that are structures.
pub(super) struct Told {
    pub file_system_configs: Structure,
    pub image_config: Structure,
    pub snap_start: Structure,
    pub logging_config: Structure,
    pub durable_config: Structure,
    pub tenancy_config: Structure,
}

/// What AWS told, with its defaults where it told nothing.
pub(super) fn told(config: &FunctionConfiguration) -> Told {
    let file_systems = config.file_system_configs().iter();
    let file_systems = file_systems
        .map(|file_system| json!({ "Arn": file_system.arn(), "LocalMountPath": file_system.local_mount_path() }));
    let image = config.image_config_response().and_then(|response| response.image_config());
    let image = image.map(|image| {
        let texts = |texts: &[String]| if texts.is_empty() { Value::Null } else { json!(texts) };
        Structure::of([
            ("EntryPoint", texts(image.entry_point())),
            ("Command", texts(image.command())),
            ("WorkingDirectory", json!(image.working_directory())),
        ])
    });
    let snap_start = config.snap_start().and_then(|snap_start| snap_start.apply_on()).map_or("None", |on| on.as_str());
    let logging = config.logging_config();
    let group = || format!("/aws/lambda/{}", config.function_name().unwrap_or_default());
    let durable = config.durable_config();
    let tenancy = config.tenancy_config().map(|tenancy| tenancy.tenant_isolation_mode().as_str());
    Told {
        file_system_configs: Structure(file_systems.collect()),
        image_config: image.unwrap_or_default(),
        snap_start: Structure::of([("ApplyOn", json!(snap_start))]),
        logging_config: Structure::of([
            (
                "LogFormat",
                json!(logging.and_then(|logging| logging.log_format()).map_or("Text", sdk::LogFormat::as_str)),
            ),
            (
                "ApplicationLogLevel",
                json!(
                    logging.and_then(|logging| logging.application_log_level()).map(sdk::ApplicationLogLevel::as_str)
                ),
            ),
            (
                "SystemLogLevel",
                json!(logging.and_then(|logging| logging.system_log_level()).map(sdk::SystemLogLevel::as_str)),
            ),
            ("LogGroup", json!(logging.and_then(|logging| logging.log_group()).map_or_else(group, str::to_owned))),
        ]),
        durable_config: Structure::of([
            ("ExecutionTimeout", json!(durable.and_then(DurableConfig::execution_timeout))),
            ("RetentionPeriodInDays", json!(durable.and_then(DurableConfig::retention_period_in_days))),
            ("KMSKeyArn", json!(durable.and_then(|durable| durable.kms_key_arn()))),
        ]),
        tenancy_config: Structure::of([("TenantIsolationMode", json!(tenancy))]),
    }
}
