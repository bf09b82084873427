//! Structures of the API: every member of each is one row.

use aws_sdk_lambda::types::{
    EventSourceMappingMetricsConfig, Filter, FilterCriteria, FunctionConfiguration, LoggingConfig, OnFailure,
    OnSuccess, SnapStart,
};
use serde_json::Value;

use super::members::{Taken, Told, member, members, put, structures, told};
use crate::settings::Structure;

structures! {
    FileSystemConfig {
        "Arn": arn, set_arn;
        "LocalMountPath": local_mount_path, set_local_mount_path;
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

/// Rows of snapshots, which the SDK has two types for.
macro_rules! snap_start {
    ($do:ident!($($head:tt)*)) => { $do!($($head)*; "ApplyOn": apply_on, set_apply_on or "None";) };
}

impl Taken for SnapStart {
    fn taken(value: &Value) -> Option<Self> {
        Some(snap_start!(put!(Self::builder(), value)).build())
    }
}

/// A destination that names nothing is none at all.
macro_rules! destinations {
    ($( $type:ident )*) => { $(
        impl Told for &$type {
            fn told(self) -> Value {
                members([("Destination", self.destination().told())])
            }
        }

        impl Taken for $type {
            fn taken(value: &Value) -> Option<Self> {
                Some(Self::builder().destination(member::<String>(value, "Destination")?).build())
            }
        }
    )* };
}

destinations! { OnSuccess OnFailure }

impl Told for &FilterCriteria {
    fn told(self) -> Value {
        members([("Filters", self.filters().told())])
    }
}

impl Taken for FilterCriteria {
    /// No filters at all, not even a list of none, take away those that are there.
    fn taken(value: &Value) -> Option<Self> {
        let filters = member::<Vec<Filter>>(value, "Filters").filter(|filters| !filters.is_empty());
        Some(Self::builder().set_filters(filters).build())
    }
}

impl Told for &EventSourceMappingMetricsConfig {
    fn told(self) -> Value {
        members([("Metrics", self.metrics().told())])
    }
}

impl Taken for EventSourceMappingMetricsConfig {
    /// A list of none takes away the metrics that are there.
    fn taken(value: &Value) -> Option<Self> {
        Some(Self::builder().set_metrics(Some(member(value, "Metrics").unwrap_or_default())).build())
    }
}

/// A setting as the SDK takes it.
pub(in crate::aws) fn taken<T: Taken>(setting: &Structure) -> Option<T> {
    T::taken(&setting.0)
}

/// What AWS told about the settings that are structures.
pub(super) struct Structures {
    pub file_system_configs: Structure,
    pub image_config: Structure,
    pub snap_start: Structure,
    pub logging_config: Structure,
    pub durable_config: Structure,
    pub tenancy_config: Structure,
}

/// What AWS told, with its defaults where it told nothing.
pub(super) fn structures(config: &FunctionConfiguration) -> Structures {
    let no_snapshots = aws_sdk_lambda::types::SnapStartResponse::builder().build();
    let no_logging = LoggingConfig::builder().build();
    let group = format!("/aws/lambda/{}", config.function_name().unwrap_or_default());
    let mut logging_config = Structure(config.logging_config().unwrap_or(&no_logging).told());
    logging_config.default_member("LogGroup", group);
    let snap_start = config.snap_start().unwrap_or(&no_snapshots);
    Structures {
        file_system_configs: Structure(config.file_system_configs().told()),
        image_config: Structure(config.image_config_response().and_then(|response| response.image_config()).told()),
        snap_start: Structure(snap_start!(told!(snap_start))),
        logging_config,
        durable_config: Structure(config.durable_config().told()),
        tenancy_config: Structure(config.tenancy_config().told()),
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
            Shape::Json => "{}".into(),
            Shape::List(item) => Value::Array(vec![full(item)]),
            Shape::Members { members, .. } => {
                let members = members.iter().map(|member| (member.name.to_owned(), full(&member.shape)));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    fn there_and_back<T: Taken>(value: &Value) -> Value
    where
        for<'a> &'a T: Told,
    {
        T::taken(value).as_ref().told()
    }

    fn list_there_and_back<T: Taken>(value: &Value) -> Value
    where
        for<'a> &'a T: Told,
    {
        Vec::<T>::taken(value).as_deref().told()
    }

    /// What AWS tells of a value that it was sent.
    type Trip<'a> = &'a dyn Fn(&Value) -> Value;

    #[test]
    fn every_member_of_every_structure_is_sent_and_read() {
        let snap_start = |value: &Value| {
            let sent: SnapStart = Taken::taken(value).unwrap();
            let answer = SnapStartResponse::builder().set_apply_on(sent.apply_on).build();
            snap_start!(told!(answer))
        };
        let trips: [(Shape, Trip<'_>); 10] = [
            (shapes::LOGGING_CONFIG, &there_and_back::<LoggingConfig>),
            (shapes::SNAP_START, &snap_start),
            (shapes::IMAGE_CONFIG, &there_and_back::<sdk::ImageConfig>),
            (shapes::FILE_SYSTEM_CONFIGS, &list_there_and_back::<sdk::FileSystemConfig>),
            (shapes::DURABLE_CONFIG, &there_and_back::<sdk::DurableConfig>),
            (shapes::TENANCY_CONFIG, &there_and_back::<sdk::TenancyConfig>),
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
    fn what_is_emptied_is_sent_empty() {
        let nothing = Structure::default();
        assert_eq!(taken::<sdk::ImageConfig>(&nothing), Some(sdk::ImageConfig::builder().build()));
        assert_eq!(taken::<Vec<sdk::FileSystemConfig>>(&nothing), Some(Vec::new()));
        let written = |value: Value| FilterCriteria::taken(&value).and_then(|criteria| criteria.filters);
        assert_eq!(written(json!({ "Filters": [] })), None);
        let destinations = sdk::DestinationConfig::taken(&json!({ "OnFailure": {} })).unwrap();
        assert_eq!(destinations.on_failure, None);
        let metrics = EventSourceMappingMetricsConfig::taken(&json!({})).unwrap();
        assert_eq!(metrics.metrics, Some(Vec::new()));
    }
}
