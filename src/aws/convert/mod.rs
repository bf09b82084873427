//! Converts between the settings and the SDK's types.
//!
//! AWS leaves out empty values and defaults. This module fills them in, so that a comparison has values on both sides.

pub(super) mod members;
pub(super) mod structures;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{
    self as sdk, DeadLetterConfig, Environment as SdkEnvironment, EphemeralStorage as SdkStorage,
    FunctionConfiguration, TracingConfig, VpcConfig,
};
use time::{Date, Month};

use super::quotes;
use super::settle::failure;
use crate::remote::{Live, Storage, Version};
use crate::settings::{
    Architecture, ArnOrNone, Description, Environment, EphemeralStorage, Handler, Ids, LayerRef, Layers, MemorySize,
    Role, Runtime, Secret, Settings, Switch, Timeout, TracingMode,
};
use structures::Structures;

/// Sets every present setting in the builder of a create or update request. The caller sets the tenancy, which only the
/// create request has.
macro_rules! put_settings {
    ($request:expr, $settings:expr) => {{
        let Settings {
            role,
            handler,
            description,
            environment,
            runtime,
            timeout,
            memory_size,
            ephemeral_storage,
            layers,
            subnet_ids,
            security_group_ids,
            ipv6_allowed_for_dual_stack,
            dead_letter_arn,
            kms_key_arn,
            tracing_mode,
            file_system_configs,
            image_config,
            snap_start,
            logging_config,
            durable_config,
            tenancy_config: _,
            capacity_provider_config,
        } = $settings;
        $request
            .set_role(role.as_ref().map($crate::settings::Setting::shown))
            .set_handler(handler.as_ref().map(|handler| handler.0.clone()))
            .set_description(description.as_ref().map(|description| description.0.clone()))
            .set_environment(environment.as_ref().map($crate::aws::convert::environment))
            .set_runtime(runtime.as_ref().map(|runtime| runtime.0.as_str().into()))
            .set_timeout(timeout.map(|timeout| timeout.0.cast_signed()))
            .set_memory_size(memory_size.map(|size| size.0.cast_signed()))
            .set_ephemeral_storage(ephemeral_storage.and_then($crate::aws::convert::storage))
            .set_layers(layers.as_ref().map(|layers| layers.0.iter().map(ToString::to_string).collect()))
            .set_vpc_config($crate::aws::convert::vpc(
                subnet_ids.as_ref(),
                security_group_ids.as_ref(),
                *ipv6_allowed_for_dual_stack,
            ))
            .set_dead_letter_config(dead_letter_arn.as_ref().map($crate::aws::convert::dead_letter))
            .set_kms_key_arn(kms_key_arn.as_ref().map(|arn| arn.0.clone()))
            .set_tracing_config(tracing_mode.map($crate::aws::convert::tracing))
            .set_file_system_configs(
                file_system_configs.as_ref().and_then($crate::aws::convert::structures::from_setting),
            )
            .set_image_config(image_config.as_ref().and_then($crate::aws::convert::structures::from_setting))
            .set_snap_start(snap_start.as_ref().and_then($crate::aws::convert::structures::from_setting))
            .set_logging_config(logging_config.as_ref().and_then($crate::aws::convert::structures::from_setting))
            .set_durable_config(durable_config.as_ref().and_then($crate::aws::convert::structures::from_setting))
            .set_capacity_provider_config(
                capacity_provider_config.as_ref().and_then($crate::aws::convert::structures::from_setting),
            )
    }};
}
pub(super) use put_settings;

pub(super) fn environment(environment: &Environment) -> SdkEnvironment {
    let variables: HashMap<_, _> =
        environment.0.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect();
    SdkEnvironment::builder().set_variables(Some(variables)).build()
}

pub(super) fn storage(size: EphemeralStorage) -> Option<SdkStorage> {
    SdkStorage::builder().size(size.0.cast_signed()).build().ok()
}

pub(super) fn vpc(subnets: Option<&Ids>, groups: Option<&Ids>, dual_stack: Option<Switch>) -> Option<VpcConfig> {
    let ids = |ids: Option<&Ids>| ids.map(|ids| ids.0.iter().cloned().collect());
    // AWS detaches a function from its VPC only if dual stack is turned off in the same request.
    let empty = |ids: Option<&Ids>| ids.is_some_and(|ids| ids.0.is_empty());
    let detached = (empty(subnets) && empty(groups)).then_some(false);
    let dual_stack = detached.or(dual_stack.map(|switch| switch.0));
    (subnets.is_some() || groups.is_some() || dual_stack.is_some()).then(|| {
        VpcConfig::builder()
            .set_subnet_ids(ids(subnets))
            .set_security_group_ids(ids(groups))
            .set_ipv6_allowed_for_dual_stack(dual_stack)
            .build()
    })
}

pub(super) fn dead_letter(arn: &ArnOrNone) -> DeadLetterConfig {
    DeadLetterConfig::builder().target_arn(&arn.0).build()
}

pub(super) fn tracing(mode: TracingMode) -> TracingConfig {
    let mode = match mode {
        TracingMode::Active => sdk::TracingMode::Active,
        TracingMode::PassThrough => sdk::TracingMode::PassThrough,
    };
    TracingConfig::builder().mode(mode).build()
}

pub(super) fn architecture(architecture: Architecture) -> sdk::Architecture {
    match architecture {
        Architecture::X86_64 => sdk::Architecture::X8664,
        Architecture::Arm64 => sdk::Architecture::Arm64,
    }
}

/// The settings that AWS returned, with AWS' defaults for missing ones. An environment that AWS could not read is absent.
fn settings(config: &FunctionConfiguration) -> Settings {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let number =
        |number: Option<i32>, default: u32| number.and_then(|number| u32::try_from(number).ok()).unwrap_or(default);
    let vpc = config.vpc_config();
    let ids = |ids: Option<&[String]>| Ids(ids.unwrap_or_default().iter().cloned().collect());
    let environment = config.environment();
    let variables = environment.and_then(|environment| environment.variables()).into_iter().flatten();
    let variables: BTreeMap<_, _> = variables.map(|(key, value)| (key.clone(), Secret::new(value.as_str()))).collect();
    let mode = config.tracing_config().and_then(|tracing| tracing.mode());
    let version = |arn: &str| Some(LayerRef::Version(arn.to_owned()));
    let Structures {
        file_system_configs,
        image_config,
        snap_start,
        logging_config,
        durable_config,
        tenancy_config,
        capacity_provider_config,
    } = structures::structures(config);
    Settings {
        role: config.role().map(|role| Role::Arn(role.to_owned())),
        handler: Some(Handler(text(config.handler()))),
        description: Some(Description(text(config.description()))),
        environment: environment
            .and_then(|environment| environment.error())
            .is_none()
            .then_some(Environment(variables)),
        runtime: Some(Runtime(text(config.runtime().map(sdk::Runtime::as_str)))),
        timeout: Some(Timeout(number(config.timeout(), 3))),
        memory_size: Some(MemorySize(number(config.memory_size(), 128))),
        ephemeral_storage: Some(EphemeralStorage(number(config.ephemeral_storage().map(SdkStorage::size), 512))),
        layers: Some(Layers(config.layers().iter().filter_map(|layer| version(layer.arn()?)).collect())),
        subnet_ids: Some(ids(vpc.map(aws_sdk_lambda::types::VpcConfigResponse::subnet_ids))),
        security_group_ids: Some(ids(vpc.map(aws_sdk_lambda::types::VpcConfigResponse::security_group_ids))),
        ipv6_allowed_for_dual_stack: Some(Switch(
            vpc.and_then(aws_sdk_lambda::types::VpcConfigResponse::ipv6_allowed_for_dual_stack).unwrap_or_default(),
        )),
        dead_letter_arn: Some(ArnOrNone(text(config.dead_letter_config().and_then(|letter| letter.target_arn())))),
        kms_key_arn: Some(ArnOrNone(text(config.kms_key_arn()))),
        tracing_mode: Some(match mode {
            Some(sdk::TracingMode::Active) => TracingMode::Active,
            _ => TracingMode::PassThrough,
        }),
        file_system_configs: Some(file_system_configs),
        image_config: Some(image_config),
        snap_start: Some(snap_start),
        logging_config: Some(logging_config),
        durable_config: Some(durable_config),
        tenancy_config: Some(tenancy_config),
        capacity_provider_config: Some(capacity_provider_config),
    }
}

/// The default settings of a function of this name.
pub(super) fn default_settings(name: &str) -> Settings {
    settings(&FunctionConfiguration::builder().function_name(name).build())
}

/// The instruction set: `x86_64` if AWS returns none, `None` for a value that this version does not know.
fn known_architecture(config: &FunctionConfiguration) -> Option<Architecture> {
    match config.architectures() {
        [] | [sdk::Architecture::X8664] => Some(Architecture::X86_64),
        [sdk::Architecture::Arm64] => Some(Architecture::Arm64),
        _ => None,
    }
}

/// A live function; `None` if the answer has no configuration.
pub(super) fn live(answer: &GetFunctionOutput) -> Option<Live> {
    let config = answer.configuration()?;
    let tags_unread =
        answer.tags_error().map(|error| format!("AWS could not read the tags: {}", quotes::cut(error.message())));
    let known = answer.tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
    Some(Live {
        arn: config.function_arn().unwrap_or_default().to_owned(),
        settings: settings(config),
        code_sha256: config.code_sha256().unwrap_or_default().to_owned(),
        image: answer.code().and_then(|code| code.resolved_image_uri().or(code.image_uri())).map(str::to_owned),
        architecture: known_architecture(config),
        package_type: config.package_type().map_or("Zip", sdk::PackageType::as_str).to_owned(),
        tags: tags_unread.is_none().then(|| known.collect()),
        revision_id: config.revision_id().unwrap_or_default().to_owned(),
        newest_version: None,
        versions: Vec::new(),
        alias: None,
        shift: None,
        aliases: Vec::new(),
        provisioned: std::collections::BTreeSet::new(),
        attachments: BTreeMap::new(),
        source_kms_key_arn: answer.code().and_then(|code| code.source_kms_key_arn()).map(str::to_owned),
        files: None,
        storage: answer.code().and_then(|code| code.resolved_s3_object()).map_or(Storage::Copy, |_| Storage::Reference),
        failure: failure(config),
        tags_unread,
        warnings: errors_within(config).into_iter().map(|error| format!("AWS could not read {error}")).collect(),
    })
}

/// A published version; `None` for `$LATEST`.
pub(super) fn version(config: &FunctionConfiguration) -> Option<Version> {
    let number: u64 = config.version()?.parse().ok()?;
    Some(Version {
        number: number.to_string(),
        code_sha256: config.code_sha256().unwrap_or_default().to_owned(),
        settings: settings(config),
        architecture: known_architecture(config),
        published: config.last_modified().and_then(day),
    })
}

/// The day of a time such as `2026-01-02T03:04:05.678+0000`.
fn day(time: &str) -> Option<Date> {
    let mut parts = time.split_once('T')?.0.splitn(3, '-');
    let (year, month, day) =
        (parts.next()?.parse().ok()?, parts.next()?.parse::<u8>().ok()?, parts.next()?.parse().ok()?);
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

/// The errors that AWS reports inside of a successful answer.
fn errors_within(config: &FunctionConfiguration) -> Vec<String> {
    let environment = config.environment().and_then(|environment| environment.error());
    let runtime = config.runtime_version_config().and_then(|runtime| runtime.error());
    let described = |what: &str, code: Option<&str>, message: Option<&str>| {
        format!("{what}: {} {}", code.unwrap_or_default(), quotes::cut(message.unwrap_or_default()))
            .trim_end()
            .to_owned()
    };
    let environment = environment.map(|error| described("the environment", error.error_code(), error.message()));
    let runtime = runtime.map(|error| described("the runtime version", error.error_code(), error.message()));
    environment.into_iter().chain(runtime).collect()
}
