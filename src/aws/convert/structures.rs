//! Declares the structures of Lambda's API, with one row for each member.

use aws_sdk_lambda::types::{
    EventSourceMappingMetricsConfig, Filter, FilterCriteria, FunctionConfiguration, LoggingConfig, OnFailure,
    OnSuccess, SnapStart,
};
use serde_json::Value;

use super::members::{FromJson, ToJson, member, members, put, structures, to_json};
use crate::settings::Structure;

structures! {
    FileSystemConfig {
        "Arn": arn, set_arn;
        "LocalMountPath": local_mount_path, set_local_mount_path;
        "S3FilesConfig": s3_files_config, set_s3_files_config;
    }
    S3FilesConfig {
        "DirectS3Read": direct_s3_read, set_direct_s3_read;
    }
    CapacityProviderConfig {
        "LambdaManagedInstancesCapacityProviderConfig": lambda_managed_instances_capacity_provider_config, set_lambda_managed_instances_capacity_provider_config;
    }
    LambdaManagedInstancesCapacityProviderConfig {
        "CapacityProviderArn": capacity_provider_arn, set_capacity_provider_arn;
        "PerExecutionEnvironmentMaxConcurrency": per_execution_environment_max_concurrency, set_per_execution_environment_max_concurrency;
        "ExecutionEnvironmentMemoryGiBPerVCpu": execution_environment_memory_gib_per_v_cpu, set_execution_environment_memory_gib_per_v_cpu;
    }
    ImageConfig {
        "EntryPoint": entry_point, set_entry_point;
        "Command": command, set_command;
        "WorkingDirectory": working_directory, set_working_directory;
    }
    LoggingConfig {
        "LogFormat": log_format, set_log_format or "Text";
        "ApplicationLogLevel": application_log_level, set_application_log_level;
        "SystemLogLevel": system_log_level, set_system_log_level;
        "LogGroup": log_group, set_log_group;
    }
    DurableConfig {
        "ExecutionTimeout": execution_timeout, set_execution_timeout;
        "RetentionPeriodInDays": retention_period_in_days, set_retention_period_in_days;
        "KMSKeyArn": kms_key_arn, set_kms_key_arn;
    }
    TenancyConfig {
        "TenantIsolationMode": tenant_isolation_mode, set_tenant_isolation_mode;
    }
    Cors {
        "AllowCredentials": allow_credentials, set_allow_credentials;
        "AllowHeaders": allow_headers, set_allow_headers;
        "AllowMethods": allow_methods, set_allow_methods;
        "AllowOrigins": allow_origins, set_allow_origins;
        "ExposeHeaders": expose_headers, set_expose_headers;
        "MaxAge": max_age, set_max_age;
    }
    Filter {
        "Pattern": pattern, set_pattern;
    }
    ScalingConfig {
        "MaximumConcurrency": maximum_concurrency, set_maximum_concurrency;
    }
    ProvisionedPollerConfig {
        "MinimumPollers": minimum_pollers, set_minimum_pollers;
        "MaximumPollers": maximum_pollers, set_maximum_pollers;
        "PollerGroupName": poller_group_name, set_poller_group_name;
    }
    SourceAccessConfiguration {
        "Type": r#type, set_type;
        "URI": uri, set_uri;
    }
    SelfManagedEventSource {
        "Endpoints": endpoints, set_endpoints;
    }
    AmazonManagedKafkaEventSourceConfig {
        "ConsumerGroupId": consumer_group_id, set_consumer_group_id;
        "SchemaRegistryConfig": schema_registry_config, set_schema_registry_config;
    }
    SelfManagedKafkaEventSourceConfig {
        "ConsumerGroupId": consumer_group_id, set_consumer_group_id;
        "SchemaRegistryConfig": schema_registry_config, set_schema_registry_config;
        "ConsumptionMode": consumption_mode, set_consumption_mode or "Stream";
    }
    KafkaSchemaRegistryConfig {
        "SchemaRegistryURI": schema_registry_uri, set_schema_registry_uri;
        "EventRecordFormat": event_record_format, set_event_record_format;
        "AccessConfigs": access_configs, set_access_configs;
        "SchemaValidationConfigs": schema_validation_configs, set_schema_validation_configs;
    }
    KafkaSchemaRegistryAccessConfig {
        "Type": r#type, set_type;
        "URI": uri, set_uri;
    }
    KafkaSchemaValidationConfig {
        "Attribute": attribute, set_attribute;
    }
    DocumentDbEventSourceConfig {
        "DatabaseName": database_name, set_database_name;
        "CollectionName": collection_name, set_collection_name;
        "FullDocument": full_document, set_full_document or "Default";
    }
    EventSourceMappingLoggingConfig {
        "SystemLogLevel": system_log_level, set_system_log_level;
    }
    DestinationConfig {
        "OnSuccess": on_success, set_on_success;
        "OnFailure": on_failure, set_on_failure;
    }
}

/// The member of `SnapStart`. The SDK has one type for requests and another one for answers.
macro_rules! snap_start {
    ($do:ident!($($head:tt)*)) => { $do!($($head)*; "ApplyOn": apply_on, set_apply_on or "None";) };
}

impl FromJson for SnapStart {
    fn from_json(value: &Value) -> Option<Self> {
        Some(snap_start!(put!(Self::builder(), value)).build())
    }
}

/// Implements both conversions for destinations. A destination without an ARN is left out.
macro_rules! destinations {
    ($( $type:ident )*) => { $(
        impl ToJson for &$type {
            fn to_json(self) -> Value {
                members([("Destination", self.destination().to_json())])
            }
        }

        impl FromJson for $type {
            fn from_json(value: &Value) -> Option<Self> {
                Some(Self::builder().destination(member::<String>(value, "Destination")?).build())
            }
        }
    )* };
}

destinations! { OnSuccess OnFailure }

impl ToJson for &FilterCriteria {
    fn to_json(self) -> Value {
        members([("Filters", self.filters().to_json())])
    }
}

impl FromJson for FilterCriteria {
    /// Leaves out an empty list of filters: AWS removes the live filters only if the list is missing.
    fn from_json(value: &Value) -> Option<Self> {
        let filters = member::<Vec<Filter>>(value, "Filters").filter(|filters| !filters.is_empty());
        Some(Self::builder().set_filters(filters).build())
    }
}

impl ToJson for &EventSourceMappingMetricsConfig {
    fn to_json(self) -> Value {
        members([("Metrics", self.metrics().to_json())])
    }
}

impl FromJson for EventSourceMappingMetricsConfig {
    /// Sends an empty list for no metrics: AWS then removes the live ones.
    fn from_json(value: &Value) -> Option<Self> {
        Some(Self::builder().set_metrics(Some(member(value, "Metrics").unwrap_or_default())).build())
    }
}

/// A setting as a type of the SDK; `None` if it does not fit.
pub(in crate::aws) fn from_setting<T: FromJson>(setting: &Structure) -> Option<T> {
    T::from_json(&setting.0)
}

/// The settings that are structures.
pub(super) struct Structures {
    pub file_system_configs: Structure,
    pub image_config: Structure,
    pub snap_start: Structure,
    pub logging_config: Structure,
    pub durable_config: Structure,
    pub tenancy_config: Structure,
    pub capacity_provider_config: Structure,
}

/// The structures that AWS returned, with AWS' defaults for missing members.
pub(super) fn structures(config: &FunctionConfiguration) -> Structures {
    let no_snapshots = aws_sdk_lambda::types::SnapStartResponse::builder().build();
    let no_logging = LoggingConfig::builder().build();
    let group = format!("/aws/lambda/{}", config.function_name().unwrap_or_default());
    let mut logging_config = Structure(config.logging_config().unwrap_or(&no_logging).to_json());
    logging_config.default_member("LogGroup", group);
    let snap_start = config.snap_start().unwrap_or(&no_snapshots);
    Structures {
        file_system_configs: Structure(config.file_system_configs().to_json()),
        image_config: Structure(config.image_config_response().and_then(|response| response.image_config()).to_json()),
        snap_start: Structure(snap_start!(to_json!(snap_start))),
        logging_config,
        durable_config: Structure(config.durable_config().to_json()),
        tenancy_config: Structure(config.tenancy_config().to_json()),
        capacity_provider_config: Structure(config.capacity_provider_config().to_json()),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_lambda::types::{self as sdk, SnapStartResponse};
    use serde_json::{Map, json};

    use super::*;
    use crate::aws::attachments::tests::{async_config, event_source, function_url, runtime_management};
    use crate::settings::{Shape, shapes};

    /// A value that has every member of its shape.
    fn full(shape: &Shape) -> Value {
        match shape {
            Shape::Text(_) => "text".into(),
            Shape::Word(words) => words.last().copied().into(),
            Shape::Number { most, .. } => json!((*most).min(i64::from(i32::MAX))),
            Shape::OneOf { numbers, .. } => numbers[0].into(),
            Shape::Flag => true.into(),
            Shape::Any | Shape::Json { .. } => "{}".into(),
            Shape::List { of, .. } => Value::Array(vec![full(of)]),
            Shape::Members { members, .. } => {
                let members = members.iter().map(|member| (member.name.to_owned(), full(&member.shape)));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    fn there_and_back<T: FromJson>(value: &Value) -> Value
    where
        for<'a> &'a T: ToJson,
    {
        T::from_json(value).as_ref().to_json()
    }

    fn list_there_and_back<T: FromJson>(value: &Value) -> Value
    where
        for<'a> &'a T: ToJson,
    {
        Vec::<T>::from_json(value).as_deref().to_json()
    }

    /// Sends a value and reads it back.
    type Trip<'a> = &'a dyn Fn(&Value) -> Value;

    #[test]
    fn every_member_of_every_structure_is_sent_and_read() {
        let snap_start = |value: &Value| {
            let sent: SnapStart = FromJson::from_json(value).unwrap();
            let answer = SnapStartResponse::builder().set_apply_on(sent.apply_on).build();
            snap_start!(to_json!(answer))
        };
        let trips: [(Shape, Trip<'_>); 11] = [
            (shapes::LOGGING_CONFIG, &there_and_back::<LoggingConfig>),
            (shapes::SNAP_START, &snap_start),
            (shapes::IMAGE_CONFIG, &there_and_back::<sdk::ImageConfig>),
            (shapes::FILE_SYSTEM_CONFIGS, &list_there_and_back::<sdk::FileSystemConfig>),
            (shapes::DURABLE_CONFIG, &there_and_back::<sdk::DurableConfig>),
            (shapes::TENANCY_CONFIG, &there_and_back::<sdk::TenancyConfig>),
            (shapes::CAPACITY_PROVIDER_CONFIG, &there_and_back::<sdk::CapacityProviderConfig>),
            (shapes::RUNTIME_MANAGEMENT, &runtime_management),
            (shapes::FUNCTION_URL, &function_url),
            (shapes::ASYNC_CONFIG, &async_config),
            (shapes::EVENT_SOURCES, &|list| Value::Array(vec![event_source(&list[0])])),
        ];
        for (shape, trip) in trips {
            let sent = full(&shape);
            let read = trip(&sent);
            assert!(Structure(sent.clone()).is_same_as(&Structure(read.clone())), "{sent:#}\n{read:#}");
        }
    }

    #[test]
    fn an_emptied_structure_is_sent_empty() {
        let nothing = Structure::default();
        assert_eq!(from_setting::<sdk::ImageConfig>(&nothing), Some(sdk::ImageConfig::builder().build()));
        assert_eq!(from_setting::<Vec<sdk::FileSystemConfig>>(&nothing), Some(Vec::new()));
        let written = |value: Value| FilterCriteria::from_json(&value).and_then(|criteria| criteria.filters);
        assert_eq!(written(json!({ "Filters": [] })), None);
        let destinations = sdk::DestinationConfig::from_json(&json!({ "OnFailure": {} })).unwrap();
        assert_eq!(destinations.on_failure, None);
        let metrics = EventSourceMappingMetricsConfig::from_json(&json!({})).unwrap();
        assert_eq!(metrics.metrics, Some(Vec::new()));
    }
}
