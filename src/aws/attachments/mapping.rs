//! A mapping of an event source as data: from what AWS tells, and to what it takes.

use aws_sdk_lambda::primitives::DateTime;
use aws_sdk_lambda::types::{self as sdk, EventSourceMappingConfiguration as Mapping};
use serde_json::{Map, Value, json};

use crate::settings::Structure;
use crate::sources::Source;

/// A mapping as it could be written, with AWS' defaults.
pub(super) fn document(mapping: &Mapping, filters: Option<&sdk::FilterCriteria>) -> Structure {
    let filters = filters.map(|filters| {
        let filters = filters.filters().iter().map(|filter| json!({ "Pattern": filter.pattern() }));
        json!({ "Filters": filters.collect::<Vec<_>>() })
    });
    let source = Source::of_key(mapping.event_source_arn().unwrap_or_default());
    let number = |member: &'static str, told: Option<i32>| (member, json!(told.or_else(|| source?.default(member))));
    let enabled = match mapping.state() {
        Some("Enabled" | "Enabling" | "Creating" | "Updating") => Some(true),
        Some("Disabled" | "Disabling") => Some(false),
        _ => None,
    };
    let types = mapping.function_response_types().iter().map(sdk::FunctionResponseType::as_str);
    let failure = mapping.destination_config().and_then(|to| to.on_failure()).and_then(|to| to.destination());
    let scaling =
        mapping.scaling_config().map(|scaling| members([("MaximumConcurrency", json!(scaling.maximum_concurrency()))]));
    let metrics =
        mapping.metrics_config().map(|config| config.metrics().iter().map(sdk::EventSourceMappingMetric::as_str));
    let level = mapping
        .logging_config()
        .map(|config| config.system_log_level().map(sdk::EventSourceMappingSystemLogLevel::as_str));
    Structure::of([
        ("EventSourceArn", json!(mapping.event_source_arn())),
        ("SelfManagedEventSource", json!(self_managed(mapping))),
        ("Topics", list(mapping.topics().iter().map(String::as_str))),
        ("Queues", list(mapping.queues().iter().map(String::as_str))),
        ("Enabled", json!(enabled)),
        number("BatchSize", mapping.batch_size()),
        number("MaximumBatchingWindowInSeconds", mapping.maximum_batching_window_in_seconds()),
        number("ParallelizationFactor", mapping.parallelization_factor()),
        ("StartingPosition", json!(mapping.starting_position().map(sdk::EventSourcePosition::as_str))),
        ("StartingPositionTimestamp", json!(mapping.starting_position_timestamp().map(DateTime::secs))),
        number("MaximumRecordAgeInSeconds", mapping.maximum_record_age_in_seconds()),
        number("MaximumRetryAttempts", mapping.maximum_retry_attempts()),
        ("BisectBatchOnFunctionError", json!(mapping.bisect_batch_on_function_error())),
        number("TumblingWindowInSeconds", mapping.tumbling_window_in_seconds()),
        ("FunctionResponseTypes", list(types)),
        ("FilterCriteria", json!(filters)),
        ("ScalingConfig", json!(scaling)),
        ("ProvisionedPollerConfig", json!(pollers(mapping))),
        ("DestinationConfig", json!(failure.map(|arn| json!({ "OnFailure": { "Destination": arn } })))),
        ("SourceAccessConfigurations", access(mapping)),
        ("AmazonManagedKafkaEventSourceConfig", json!(managed_kafka(mapping))),
        ("SelfManagedKafkaEventSourceConfig", json!(self_managed_kafka(mapping))),
        ("DocumentDBEventSourceConfig", json!(documents(mapping))),
        ("KMSKeyArn", json!(mapping.kms_key_arn())),
        ("MetricsConfig", json!(metrics.map(|metrics| members([("Metrics", list(metrics))])))),
        ("LoggingConfig", json!(level.map(|level| members([("SystemLogLevel", json!(level))])))),
    ])
}

fn members<const N: usize>(members: [(&str, Value); N]) -> Value {
    Structure::of(members).0
}

/// The words of a list; nothing where there are none.
fn list<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    let words: Vec<_> = words.collect();
    if words.is_empty() { Value::Null } else { json!(words) }
}

fn pollers(mapping: &Mapping) -> Option<Value> {
    let pollers = mapping.provisioned_poller_config()?;
    Some(members([
        ("MinimumPollers", json!(pollers.minimum_pollers())),
        ("MaximumPollers", json!(pollers.maximum_pollers())),
        ("PollerGroupName", json!(pollers.poller_group_name())),
    ]))
}

fn access(mapping: &Mapping) -> Value {
    let all = mapping.source_access_configurations();
    let all = all.iter().map(|access| {
        members([("Type", json!(access.r#type().map(sdk::SourceAccessType::as_str))), ("URI", json!(access.uri()))])
    });
    let all: Vec<_> = all.collect();
    if all.is_empty() { Value::Null } else { json!(all) }
}

fn self_managed(mapping: &Mapping) -> Option<Value> {
    let endpoints = mapping.self_managed_event_source()?.endpoints()?;
    let endpoints = endpoints.iter().map(|(kind, servers)| (kind.as_str().to_owned(), json!(servers)));
    Some(json!({ "Endpoints": endpoints.collect::<Map<_, _>>() }))
}

fn managed_kafka(mapping: &Mapping) -> Option<Value> {
    let config = mapping.amazon_managed_kafka_event_source_config()?;
    Some(members([
        ("ConsumerGroupId", json!(config.consumer_group_id())),
        ("SchemaRegistryConfig", json!(config.schema_registry_config().map(registry))),
    ]))
}

fn self_managed_kafka(mapping: &Mapping) -> Option<Value> {
    let config = mapping.self_managed_kafka_event_source_config()?;
    Some(members([
        ("ConsumerGroupId", json!(config.consumer_group_id())),
        ("SchemaRegistryConfig", json!(config.schema_registry_config().map(registry))),
        ("ConsumptionMode", json!(config.consumption_mode().map_or("Stream", |mode| mode.as_str()))),
    ]))
}

fn documents(mapping: &Mapping) -> Option<Value> {
    let config = mapping.document_db_event_source_config()?;
    Some(members([
        ("DatabaseName", json!(config.database_name())),
        ("CollectionName", json!(config.collection_name())),
        ("FullDocument", json!(config.full_document().map_or("Default", |full| full.as_str()))),
    ]))
}

/// A schema registry as it could be written.
fn registry(config: &sdk::KafkaSchemaRegistryConfig) -> Value {
    let access = config.access_configs().iter().map(
        |access| json!({ "Type": access.r#type().map(sdk::KafkaSchemaRegistryAuthType::as_str), "URI": access.uri() }),
    );
    let validation = config.schema_validation_configs().iter().map(
        |validation| json!({ "Attribute": validation.attribute().map(sdk::KafkaSchemaValidationAttribute::as_str) }),
    );
    let format = config.event_record_format().map(sdk::SchemaRegistryEventRecordFormat::as_str);
    Structure::of([
        ("SchemaRegistryURI", json!(config.schema_registry_uri())),
        ("EventRecordFormat", json!(format)),
        ("AccessConfigs", access.collect()),
        ("SchemaValidationConfigs", validation.collect()),
    ])
    .0
}

/// The members that both operations take; used where `sdk`, `mapping` and `destination_config` are known.
macro_rules! put_members {
    ($request:expr, $document:expr) => {
        $request
            .set_enabled($document.flag("Enabled"))
            .set_batch_size($document.number("BatchSize"))
            .set_maximum_batching_window_in_seconds($document.number("MaximumBatchingWindowInSeconds"))
            .set_parallelization_factor($document.number("ParallelizationFactor"))
            .set_maximum_record_age_in_seconds($document.number("MaximumRecordAgeInSeconds"))
            .set_maximum_retry_attempts($document.number("MaximumRetryAttempts"))
            .set_bisect_batch_on_function_error($document.flag("BisectBatchOnFunctionError"))
            .set_tumbling_window_in_seconds($document.number("TumblingWindowInSeconds"))
            .set_function_response_types($document.texts("FunctionResponseTypes").map(|words| mapping::typed(&words)))
            .set_filter_criteria($document.inner("FilterCriteria").map(|filters| mapping::filter_criteria(&filters)))
            .set_scaling_config($document.inner("ScalingConfig").map(|scaling| {
                let most = scaling.number("MaximumConcurrency");
                sdk::ScalingConfig::builder().set_maximum_concurrency(most).build()
            }))
            .set_provisioned_poller_config($document.inner("ProvisionedPollerConfig").map(|pollers| {
                sdk::ProvisionedPollerConfig::builder()
                    .set_minimum_pollers(pollers.number("MinimumPollers"))
                    .set_maximum_pollers(pollers.number("MaximumPollers"))
                    .set_poller_group_name(pollers.text("PollerGroupName"))
                    .build()
            }))
            .set_destination_config($document.inner("DestinationConfig").map(|to| destination_config(&to)))
            .set_source_access_configurations($document.items("SourceAccessConfigurations").map(|items| {
                let access = items.iter().map(|access| {
                    let kind = access.text("Type").map(|kind| kind.as_str().into());
                    sdk::SourceAccessConfiguration::builder().set_type(kind).set_uri(access.text("URI")).build()
                });
                access.collect()
            }))
            .set_amazon_managed_kafka_event_source_config($document.inner("AmazonManagedKafkaEventSourceConfig").map(
                |config| {
                    sdk::AmazonManagedKafkaEventSourceConfig::builder()
                        .set_consumer_group_id(config.text("ConsumerGroupId"))
                        .set_schema_registry_config(
                            config.inner("SchemaRegistryConfig").map(|to| mapping::registry_config(&to)),
                        )
                        .build()
                },
            ))
            .set_self_managed_kafka_event_source_config($document.inner("SelfManagedKafkaEventSourceConfig").map(
                |config| {
                    sdk::SelfManagedKafkaEventSourceConfig::builder()
                        .set_consumer_group_id(config.text("ConsumerGroupId"))
                        .set_schema_registry_config(
                            config.inner("SchemaRegistryConfig").map(|to| mapping::registry_config(&to)),
                        )
                        .set_consumption_mode(config.text("ConsumptionMode").map(|word| word.as_str().into()))
                        .build()
                },
            ))
            .set_document_db_event_source_config($document.inner("DocumentDBEventSourceConfig").map(|config| {
                sdk::DocumentDbEventSourceConfig::builder()
                    .set_database_name(config.text("DatabaseName"))
                    .set_collection_name(config.text("CollectionName"))
                    .set_full_document(config.text("FullDocument").map(|word| word.as_str().into()))
                    .build()
            }))
            .set_kms_key_arn($document.text("KMSKeyArn"))
            .set_metrics_config($document.inner("MetricsConfig").map(|config| {
                let metrics = config.texts("Metrics").unwrap_or_default();
                sdk::EventSourceMappingMetricsConfig::builder().set_metrics(Some(mapping::typed(&metrics))).build()
            }))
            .set_logging_config($document.inner("LoggingConfig").map(|config| {
                let level = config.text("SystemLogLevel").map(|word| word.as_str().into());
                sdk::EventSourceMappingLoggingConfig::builder().set_system_log_level(level).build()
            }))
    };
}

pub(super) fn typed<T: for<'a> From<&'a str>>(words: &[String]) -> Vec<T> {
    words.iter().map(|word| T::from(word)).collect()
}

/// Filters; none at all takes away those that are there.
pub(super) fn filter_criteria(document: &Structure) -> sdk::FilterCriteria {
    let items = document.items("Filters").unwrap_or_default();
    let filters = items.iter().map(|filter| sdk::Filter::builder().set_pattern(filter.text("Pattern")).build());
    sdk::FilterCriteria::builder().set_filters((!items.is_empty()).then(|| filters.collect())).build()
}

pub(super) fn registry_config(document: &Structure) -> sdk::KafkaSchemaRegistryConfig {
    let access = document.items("AccessConfigs").map(|items| {
        let access = items.iter().map(|access| {
            let kind = access.text("Type").map(|kind| kind.as_str().into());
            sdk::KafkaSchemaRegistryAccessConfig::builder().set_type(kind).set_uri(access.text("URI")).build()
        });
        access.collect()
    });
    let validation = document.items("SchemaValidationConfigs").map(|items| {
        let validation = items.iter().map(|item| {
            let attribute = item.text("Attribute").map(|word| word.as_str().into());
            sdk::KafkaSchemaValidationConfig::builder().set_attribute(attribute).build()
        });
        validation.collect()
    });
    sdk::KafkaSchemaRegistryConfig::builder()
        .set_schema_registry_uri(document.text("SchemaRegistryURI"))
        .set_event_record_format(document.text("EventRecordFormat").map(|word| word.as_str().into()))
        .set_access_configs(access)
        .set_schema_validation_configs(validation)
        .build()
}

pub(super) use put_members;
