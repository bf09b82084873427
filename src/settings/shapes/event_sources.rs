//! The shape of an event source mapping.

use super::super::structure::Shape;
use super::{ANY_NUMBER, ARN, DESTINATION, at_most, list, may, members, must, number, of_characters, topic};
use Shape::{Flag, Json, Members, Text, Word};

/// A secret, subnet, security group or consumer group of an event source.
const URI: Shape = Text(|text| of_characters(text, " -/*:_+=.@", 200, "an ARN or name that a source takes"));

fn database(text: &str) -> Result<(), String> {
    at_most::<63>(text)?;
    match text.chars().find(|c| " /.$\"".contains(*c)) {
        Some(odd) => Err(format!("`{text}` is not the name of a database: it has `{odd}`")),
        None => Ok(()),
    }
}

fn collection(text: &str) -> Result<(), String> {
    at_most::<57>(text)?;
    let begins = text.starts_with(|c: char| c == '_' || c.is_ascii_alphanumeric());
    if !begins || text.starts_with("system.") || text.contains('$') {
        return Err(format!(
            "`{text}` is not the name of a collection: it begins with a letter, a digit or `_`, but not with `system.`, and has no `$`"
        ));
    }
    Ok(())
}

/// The schema registry of a Kafka source, and the parts of a record that it validates.
const SCHEMA_REGISTRY: Shape = members(&[
    may("SchemaRegistryURI", Text(|text| of_characters(text, "-/*:_+=.@", 10_000, "the address of a registry"))),
    may("EventRecordFormat", Word(&["JSON", "SOURCE"])),
    may(
        "AccessConfigs",
        list(
            &members(&[
                must(
                    "Type",
                    Word(&[
                        "BASIC_AUTH",
                        "CLIENT_CERTIFICATE_TLS_AUTH",
                        "SERVER_ROOT_CA_CERTIFICATE",
                        "OAUTHBEARER_AUTH",
                    ]),
                ),
                must("URI", URI),
            ]),
            ANY_NUMBER,
        ),
    ),
    may(
        "SchemaValidationConfigs",
        list(&Members { short: "Attribute", members: &[must("Attribute", Word(&["KEY", "VALUE"]))] }, ANY_NUMBER),
    ),
]);

/// Queues and streams that Lambda reads for the function.
pub(crate) const EVENT_SOURCES: Shape = list(
    &members(&[
        may("EventSourceArn", ARN),
        may("Enabled", Flag),
        may("BatchSize", number("", 1, 10_000)),
        may("MaximumBatchingWindowInSeconds", number("s", 0, 300)),
        may("ParallelizationFactor", number("", 1, 10)),
        may("StartingPosition", Word(&["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"])),
        may("StartingPositionTimestamp", number("s since 1970", 0, i64::MAX)),
        may("MaximumRecordAgeInSeconds", number("s", -1, 604_800)),
        may("MaximumRetryAttempts", number("", -1, 10_000)),
        may("BisectBatchOnFunctionError", Flag),
        may("TumblingWindowInSeconds", number("s", 0, 900)),
        may("FunctionResponseTypes", list(&Word(&["ReportBatchItemFailures"]), 1)),
        may(
            "FilterCriteria",
            members(&[may(
                "Filters",
                list(&Members { short: "Pattern", members: &[must("Pattern", Json { most: 4096 })] }, ANY_NUMBER),
            )]),
        ),
        may(
            "ScalingConfig",
            Members { short: "MaximumConcurrency", members: &[may("MaximumConcurrency", number("", 2, 1_000))] },
        ),
        may(
            "ProvisionedPollerConfig",
            members(&[
                may("MinimumPollers", number("", 1, 200)),
                may("MaximumPollers", number("", 1, 10_000)),
                may("PollerGroupName", Text(|text| of_characters(text, "-_", 128, "the name of a poller group"))),
            ]),
        ),
        may("DestinationConfig", members(&[may("OnFailure", DESTINATION)])),
        may("Topics", list(&Text(topic), ANY_NUMBER)),
        may("Queues", list(&Text(at_most::<1000>), ANY_NUMBER)),
        may(
            "SourceAccessConfigurations",
            list(
                &members(&[
                    must(
                        "Type",
                        Word(&[
                            "BASIC_AUTH",
                            "VPC_SUBNET",
                            "VPC_SECURITY_GROUP",
                            "SASL_SCRAM_512_AUTH",
                            "SASL_SCRAM_256_AUTH",
                            "VIRTUAL_HOST",
                            "CLIENT_CERTIFICATE_TLS_AUTH",
                            "SERVER_ROOT_CA_CERTIFICATE",
                            "OAUTHBEARER_AUTH",
                            "OAUTHBEARER_SCOPE",
                            "OAUTHBEARER_AUDIENCE",
                            "OAUTHBEARER_LOGICAL_CLUSTER",
                            "OAUTHBEARER_IDENTITY_POOL",
                            "IAM_AUTH",
                            "IAM_OAUTHBEARER_AUTH",
                        ]),
                    ),
                    must("URI", URI),
                ]),
                23,
            ),
        ),
        may(
            "SelfManagedEventSource",
            members(&[must("Endpoints", members(&[must("KAFKA_BOOTSTRAP_SERVERS", list(&Text(broker), 10))]))]),
        ),
        may(
            "AmazonManagedKafkaEventSourceConfig",
            members(&[may("ConsumerGroupId", URI), may("SchemaRegistryConfig", SCHEMA_REGISTRY)]),
        ),
        may(
            "SelfManagedKafkaEventSourceConfig",
            members(&[
                may("ConsumerGroupId", URI),
                may("SchemaRegistryConfig", SCHEMA_REGISTRY),
                may("ConsumptionMode", Word(&["Stream", "Queue"])),
            ]),
        ),
        may(
            "DocumentDBEventSourceConfig",
            members(&[
                may("DatabaseName", Text(database)),
                may("CollectionName", Text(collection)),
                may("FullDocument", Word(&["UpdateLookup", "Default"])),
            ]),
        ),
        may("KMSKeyArn", ARN),
        may("MetricsConfig", members(&[may("Metrics", list(&Word(&["EventCount", "ErrorCount", "KafkaMetrics"]), 3))])),
        may("LoggingConfig", members(&[may("SystemLogLevel", Word(&["DEBUG", "INFO", "WARN"]))])),
    ]),
    ANY_NUMBER,
);

/// A broker of Kafka with its port.
fn broker(text: &str) -> Result<(), String> {
    let port = |port: &str| (1..=5).contains(&port.len()) && port.chars().all(|c| c.is_ascii_digit());
    let label = |label: &str| {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(inside)
    };
    match text.rsplit_once(':') {
        Some((host, number)) if text.len() <= 300 && port(number) && host.split('.').all(label) => Ok(()),
        _ => Err(format!("`{text}` is not a broker; one looks like `b-1.example.com:9092`")),
    }
}
