//! Converts event source mappings between data and the SDK's types.

use aws_sdk_lambda::types::EventSourceMappingConfiguration as Mapping;
use serde_json::{Map, Value};

use crate::aws::convert::members::to_json;
use crate::settings::Structure;
use crate::sources::Source;

/// The members that only a new mapping can have.
macro_rules! fixed {
    ($do:ident!($($head:tt)*)) => { $do!($($head)*;
        "EventSourceArn": event_source_arn, set_event_source_arn;
        "SelfManagedEventSource": self_managed_event_source, set_self_managed_event_source;
        "Topics": topics, set_topics;
        "Queues": queues, set_queues;
        "StartingPosition": starting_position, set_starting_position;
        "StartingPositionTimestamp": starting_position_timestamp, set_starting_position_timestamp;
    ) };
}
pub(super) use fixed;

/// The members that can change, except for `Enabled`, which AWS returns as a state.
macro_rules! changeable {
    ($do:ident!($($head:tt)*)) => { $do!($($head)*;
        "BatchSize": batch_size, set_batch_size;
        "MaximumBatchingWindowInSeconds": maximum_batching_window_in_seconds, set_maximum_batching_window_in_seconds;
        "ParallelizationFactor": parallelization_factor, set_parallelization_factor;
        "MaximumRecordAgeInSeconds": maximum_record_age_in_seconds, set_maximum_record_age_in_seconds;
        "MaximumRetryAttempts": maximum_retry_attempts, set_maximum_retry_attempts;
        "BisectBatchOnFunctionError": bisect_batch_on_function_error, set_bisect_batch_on_function_error;
        "TumblingWindowInSeconds": tumbling_window_in_seconds, set_tumbling_window_in_seconds;
        "FunctionResponseTypes": function_response_types, set_function_response_types;
        "FilterCriteria": filter_criteria, set_filter_criteria;
        "ScalingConfig": scaling_config, set_scaling_config;
        "ProvisionedPollerConfig": provisioned_poller_config, set_provisioned_poller_config;
        "DestinationConfig": destination_config, set_destination_config;
        "SourceAccessConfigurations": source_access_configurations, set_source_access_configurations;
        "AmazonManagedKafkaEventSourceConfig": amazon_managed_kafka_event_source_config, set_amazon_managed_kafka_event_source_config;
        "SelfManagedKafkaEventSourceConfig": self_managed_kafka_event_source_config, set_self_managed_kafka_event_source_config;
        "DocumentDBEventSourceConfig": document_db_event_source_config, set_document_db_event_source_config;
        "KMSKeyArn": kms_key_arn, set_kms_key_arn;
        "MetricsConfig": metrics_config, set_metrics_config;
        "LoggingConfig": logging_config, set_logging_config;
    ) };
}
pub(super) use changeable;

/// A live mapping in the form of the configuration, with AWS' defaults.
pub(super) fn document(mapping: &Mapping) -> Structure {
    let mut members = Map::new();
    for part in [fixed!(to_json!(mapping)), changeable!(to_json!(mapping))] {
        if let Value::Object(part) = part {
            members.extend(part);
        }
    }
    let enabled = match mapping.state() {
        Some("Enabled" | "Enabling" | "Creating" | "Updating") => Some(true),
        Some("Disabled" | "Disabling") => Some(false),
        _ => None,
    };
    members.extend(enabled.map(|enabled| ("Enabled".to_owned(), enabled.into())));
    let mut document = Structure(Value::Object(members));
    let source = Source::of_key(mapping.event_source_arn().unwrap_or_default());
    for (member, value) in source.map(Source::defaults).unwrap_or_default() {
        document.default_member(member, *value);
    }
    document
}
