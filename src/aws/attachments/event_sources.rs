//! Event source mappings: queues and streams that Lambda reads for the function.

use std::error::Error;

use aws_sdk_lambda::config::{Builder, retry::RetryConfig};
use aws_sdk_lambda::error::SdkError;
use aws_sdk_lambda::primitives::DateTime;
use aws_sdk_lambda::types::{self as sdk, EventSourceMappingConfiguration as Mapping};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::{Value, json};

use super::configs::destination_config;
use super::{Known, Whose};
use crate::apply::{Fault, FaultKind};
use crate::aws::Session;
use crate::aws::fault::{self, Answer, Call, Failed};
use crate::aws::settle::Pace;
use crate::plan::{Action, AttachmentChange};
use crate::remote::Attached;
use crate::settings::{Structure, event_source_key};

/// How often a mapping is asked for whose answer is lost or that is throttled.
const ATTEMPTS: usize = 9;

/// How long a mapping that was just made may still be unknown to listings.
const UNTIL_KNOWN: std::time::Duration = std::time::Duration::from_secs(20);

/// Sources by the service in their ARN, what Lambda reads them with, and the policy of AWS that allows it.
const RIGHTS: [(&str, &str, &str); 4] = [
    (":sqs:", "sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes", "AWSLambdaSQSQueueExecutionRole"),
    (
        ":kinesis:",
        "kinesis:GetRecords, kinesis:GetShardIterator, kinesis:DescribeStream, kinesis:DescribeStreamSummary, kinesis:ListShards and kinesis:ListStreams",
        "AWSLambdaKinesisExecutionRole",
    ),
    (
        ":dynamodb:",
        "dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:DescribeStream and dynamodb:ListStreams",
        "AWSLambdaDynamoDBExecutionRole",
    ),
    (":kafka:", "kafka:DescribeCluster, kafka:GetBootstrapBrokers and what VPCs need", "AWSLambdaMSKExecutionRole"),
];

/// The mappings of the function, or of the alias where one is managed; those of the function are told then too.
pub(super) async fn read(session: &Session<'_>, whose: Whose<'_>) -> Result<Known, Failed> {
    let mut known = Known::new();
    for (mapping, alias) in mappings(session, whose).await? {
        if mapping.state() == Some("Deleting") {
            continue;
        }
        let document = document(session, &mapping).await?;
        let uuid = mapping.uuid().unwrap_or_default().to_owned();
        let key = event_source_key(&document).unwrap_or_else(|| uuid.clone());
        // The alias has its mappings first, so what is taken is a second mapping of the same source.
        let key = if known.contains_key(&key) { format!("{key}, mapping {uuid}") } else { key };
        known.insert(key, Attached { document, handle: Some(uuid), alias });
    }
    Ok(known)
}

/// All mappings of the alias, then those of the function itself, each with its alias.
async fn mappings(session: &Session<'_>, whose: Whose<'_>) -> Result<Vec<(Mapping, Option<String>)>, Failed> {
    let call = Call { action: "lambda:ListEventSourceMappings", resource: &session.function };
    let qualified = whose.alias.map(|alias| format!("{}:{alias}", session.function));
    let mut found: Vec<(Mapping, Option<String>)> = Vec::new();
    for function in qualified.into_iter().chain([session.function.clone()]) {
        let mut marker = None;
        loop {
            let request = session.lambda.list_event_source_mappings().function_name(&function).set_marker(marker);
            let Some(page) = session.looked_up(&call, request.send()).await? else { break };
            for mapping in page.event_source_mappings() {
                let Some(alias) = mapping.function_arn().and_then(|arn| whose.qualifier(arn)) else { continue };
                let ours = alias.is_none() || alias == whose.alias;
                if ours && !found.iter().any(|(other, _)| other.uuid() == mapping.uuid()) {
                    found.push((mapping.clone(), alias.map(str::to_owned)));
                }
            }
            marker = page.next_marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
            if marker.is_none() {
                break;
            }
        }
    }
    found.sort_by_key(|(_, alias)| alias.is_none());
    Ok(found)
}

/// A mapping as it could be written, with AWS' defaults.
async fn document(session: &Session<'_>, mapping: &Mapping) -> Result<Structure, Failed> {
    let filters = match (mapping.filter_criteria(), mapping.kms_key_arn(), mapping.uuid()) {
        // A listing does not tell filters that are encrypted.
        (None, Some(_), Some(uuid)) => {
            let call = Call { action: "lambda:GetEventSourceMapping", resource: uuid };
            let request = session.lambda.get_event_source_mapping().uuid(uuid);
            let answer = session.looked_up(&call, request.send()).await?;
            answer.and_then(|answer| answer.filter_criteria().cloned())
        }
        (filters, ..) => filters.cloned(),
    };
    let filters = filters.map(|filters| {
        let filters = filters.filters().iter().map(|filter| json!({ "Pattern": filter.pattern() }));
        json!({ "Filters": filters.collect::<Vec<_>>() })
    });
    let service = mapping.event_source_arn().unwrap_or_default();
    let queue = service.contains(":sqs:");
    let stream = [":kinesis:", ":dynamodb:"].iter().any(|name| service.contains(name));
    let number = |told: Option<i32>, default: Option<i32>| json!(told.or(default));
    let enabled = match mapping.state() {
        Some("Enabled" | "Enabling" | "Creating" | "Updating") => Some(true),
        Some("Disabled" | "Disabling") => Some(false),
        _ => None,
    };
    let words = |words: Vec<&str>| if words.is_empty() { Value::Null } else { json!(words) };
    let failure = mapping.destination_config().and_then(|to| to.on_failure()).and_then(|to| to.destination());
    let access: Vec<_> = mapping
        .source_access_configurations()
        .iter()
        .map(|access| json!({ "Type": access.r#type().map(sdk::SourceAccessType::as_str), "URI": access.uri() }))
        .collect();
    Ok(Structure::of([
        ("EventSourceArn", json!(mapping.event_source_arn())),
        ("Enabled", json!(enabled)),
        ("BatchSize", number(mapping.batch_size(), Some(if queue { 10 } else { 100 }))),
        (
            "MaximumBatchingWindowInSeconds",
            // Of other sources it is half a second, which nobody can write.
            number(mapping.maximum_batching_window_in_seconds(), (queue || stream).then_some(0)),
        ),
        ("ParallelizationFactor", number(mapping.parallelization_factor(), stream.then_some(1))),
        ("StartingPosition", json!(mapping.starting_position().map(sdk::EventSourcePosition::as_str))),
        ("StartingPositionTimestamp", json!(mapping.starting_position_timestamp().map(DateTime::secs))),
        ("MaximumRecordAgeInSeconds", number(mapping.maximum_record_age_in_seconds(), (!queue).then_some(-1))),
        ("MaximumRetryAttempts", number(mapping.maximum_retry_attempts(), (!queue).then_some(-1))),
        ("BisectBatchOnFunctionError", json!(mapping.bisect_batch_on_function_error())),
        ("TumblingWindowInSeconds", number(mapping.tumbling_window_in_seconds(), stream.then_some(0))),
        (
            "FunctionResponseTypes",
            words(mapping.function_response_types().iter().map(sdk::FunctionResponseType::as_str).collect()),
        ),
        ("FilterCriteria", json!(filters)),
        (
            "ScalingConfig",
            json!(mapping.scaling_config().map(|scaling| {
                Structure::of([("MaximumConcurrency", json!(scaling.maximum_concurrency()))]).0
            })),
        ),
        (
            "ProvisionedPollerConfig",
            json!(mapping.provisioned_poller_config().map(|pollers| {
                Structure::of([
                    ("MinimumPollers", json!(pollers.minimum_pollers())),
                    ("MaximumPollers", json!(pollers.maximum_pollers())),
                    ("PollerGroupName", json!(pollers.poller_group_name())),
                ])
                .0
            })),
        ),
        ("DestinationConfig", json!(failure.map(|arn| json!({ "OnFailure": { "Destination": arn } })))),
        ("Topics", words(mapping.topics().iter().map(String::as_str).collect())),
        ("Queues", words(mapping.queues().iter().map(String::as_str).collect())),
        ("SourceAccessConfigurations", if access.is_empty() { Value::Null } else { json!(access) }),
        (
            "SelfManagedEventSource",
            json!(mapping.self_managed_event_source().and_then(|source| source.endpoints()).map(|endpoints| {
                let endpoints = endpoints.iter().map(|(kind, servers)| (kind.as_str().to_owned(), json!(servers)));
                json!({ "Endpoints": endpoints.collect::<serde_json::Map<_, _>>() })
            })),
        ),
        (
            "AmazonManagedKafkaEventSourceConfig",
            json!(mapping.amazon_managed_kafka_event_source_config().map(|config| {
                Structure::of([
                    ("ConsumerGroupId", json!(config.consumer_group_id())),
                    ("SchemaRegistryConfig", json!(config.schema_registry_config().map(registry))),
                ])
                .0
            })),
        ),
        (
            "SelfManagedKafkaEventSourceConfig",
            json!(mapping.self_managed_kafka_event_source_config().map(|config| {
                Structure::of([
                    ("ConsumerGroupId", json!(config.consumer_group_id())),
                    ("SchemaRegistryConfig", json!(config.schema_registry_config().map(registry))),
                    ("ConsumptionMode", json!(config.consumption_mode().map_or("Stream", |mode| mode.as_str()))),
                ])
                .0
            })),
        ),
        (
            "DocumentDBEventSourceConfig",
            json!(mapping.document_db_event_source_config().map(|config| {
                Structure::of([
                    ("DatabaseName", json!(config.database_name())),
                    ("CollectionName", json!(config.collection_name())),
                    ("FullDocument", json!(config.full_document().map_or("Default", |full| full.as_str()))),
                ])
                .0
            })),
        ),
        ("KMSKeyArn", json!(mapping.kms_key_arn())),
        (
            "MetricsConfig",
            json!(mapping.metrics_config().map(|config| {
                json!({ "Metrics": config.metrics().iter().map(sdk::EventSourceMappingMetric::as_str).collect::<Vec<_>>() })
            })),
        ),
        (
            "LoggingConfig",
            json!(mapping.logging_config().map(|config| {
                let level = config.system_log_level().map(sdk::EventSourceMappingSystemLogLevel::as_str);
                Structure::of([("SystemLogLevel", json!(level))]).0
            })),
        ),
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

/// The members that both operations take.
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
            .set_function_response_types($document.texts("FunctionResponseTypes").map(|words| typed(&words)))
            .set_filter_criteria($document.inner("FilterCriteria").map(|filters| self::filters(&filters)))
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
                        .set_schema_registry_config(config.inner("SchemaRegistryConfig").map(|to| registry_config(&to)))
                        .build()
                },
            ))
            .set_self_managed_kafka_event_source_config($document.inner("SelfManagedKafkaEventSourceConfig").map(
                |config| {
                    sdk::SelfManagedKafkaEventSourceConfig::builder()
                        .set_consumer_group_id(config.text("ConsumerGroupId"))
                        .set_schema_registry_config(config.inner("SchemaRegistryConfig").map(|to| registry_config(&to)))
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
                sdk::EventSourceMappingMetricsConfig::builder().set_metrics(Some(typed(&metrics))).build()
            }))
            .set_logging_config($document.inner("LoggingConfig").map(|config| {
                let level = config.text("SystemLogLevel").map(|word| word.as_str().into());
                sdk::EventSourceMappingLoggingConfig::builder().set_system_log_level(level).build()
            }))
    };
}

fn typed<T: for<'a> From<&'a str>>(words: &[String]) -> Vec<T> {
    words.iter().map(|word| T::from(word)).collect()
}

/// Filters; none at all takes away those that are there.
fn filters(document: &Structure) -> sdk::FilterCriteria {
    let items = document.items("Filters").unwrap_or_default();
    let filters = items.iter().map(|filter| sdk::Filter::builder().set_pattern(filter.text("Pattern")).build());
    sdk::FilterCriteria::builder().set_filters((!items.is_empty()).then(|| filters.collect())).build()
}

fn registry_config(document: &Structure) -> sdk::KafkaSchemaRegistryConfig {
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

pub(super) async fn write(session: &Session<'_>, whose: Whose<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let uuid = change.handle.as_deref().unwrap_or_default();
    match change.action {
        Action::Create => create(session, whose, change).await,
        Action::Update => {
            let call = Call { action: "lambda:UpdateEventSourceMapping", resource: &change.key };
            let request =
                session.lambda.update_event_source_mapping().uuid(uuid).function_name(target(session, change));
            let written = session.wrote(&call, put_members!(request, change.document).send()).await;
            written.map(drop).map_err(|failed| explained(failed, &change.key))
        }
        Action::Remove => {
            let call = Call { action: "lambda:DeleteEventSourceMapping", resource: &change.key };
            let request = session.lambda.delete_event_source_mapping().uuid(uuid);
            session.wrote(&call, request.send()).await.map(drop)
        }
    }
}

/// What the mapping invokes: the alias, or the function.
fn target(session: &Session<'_>, change: &AttachmentChange) -> String {
    let alias = change.alias.as_ref().map(|alias| format!(":{}", alias.0));
    format!("{}{}", session.function, alias.unwrap_or_default())
}

/// Creates a mapping, and no second one where the answer to the first call is lost: so each call is sent once.
async fn create(session: &Session<'_>, whose: Whose<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let call = Call { action: "lambda:CreateEventSourceMapping", resource: &change.key };
    let document = &change.document;
    let endpoints = document.inner("SelfManagedEventSource").and_then(|source| source.inner("Endpoints"));
    let servers = endpoints.and_then(|endpoints| endpoints.texts("KAFKA_BOOTSTRAP_SERVERS"));
    let self_managed = servers.map(|servers| {
        sdk::SelfManagedEventSource::builder().endpoints(sdk::EndPointType::KafkaBootstrapServers, servers).build()
    });
    let since = document.get("StartingPositionTimestamp").and_then(Value::as_i64);
    let request = session.lambda.create_event_source_mapping().function_name(target(session, change));
    let request = put_members!(request, document)
        .set_event_source_arn(document.text("EventSourceArn"))
        .set_starting_position(document.text("StartingPosition").map(|word| word.as_str().into()))
        .set_starting_position_timestamp(since.map(DateTime::from_secs))
        .set_topics(document.texts("Topics"))
        .set_queues(document.texts("Queues"))
        .set_self_managed_event_source(self_managed);
    let mut pace = Pace::new();
    let mut unheard = 0;
    loop {
        match found(session, whose, change).await? {
            Some(mapping) if mapping.state() == Some("Deleting") => {
                session.pause(&mut pace, &format!("the old mapping of `{}` to be deleted", change.key)).await?;
                continue;
            }
            Some(_) => {
                let message = format!("there is a mapping of `{}` already", change.key);
                return Err(Failed { fault: Fault::new(FaultKind::Conflict, message), answer: Answer::Busy });
            }
            None => {}
        }
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let sent = session.written(&call, request.clone().customize().config_override(once).send()).await?;
        let Err(error) = sent else { return Ok(()) };
        unheard += 1;
        if unheard == ATTEMPTS || !is_worth_another_try(&error) {
            return Err(explained(fault::of(&error, &call), &change.key));
        }
        session.pause(&mut pace, &format!("an answer about the mapping of `{}`", change.key)).await?;
    }
}

/// Whether the call may succeed another time: it was not heard, or came too often.
fn is_worth_another_try<E: Error>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::ServiceError(service) => matches!(service.raw().status().as_u16(), 429 | 500..),
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        _ => false,
    }
}

/// The mapping that a change is about, in whatever state.
async fn found(session: &Session<'_>, whose: Whose<'_>, change: &AttachmentChange) -> Result<Option<Mapping>, Failed> {
    for (mapping, alias) in mappings(session, whose).await? {
        let same = match change.handle.as_deref() {
            Some(uuid) => mapping.uuid() == Some(uuid),
            None if alias.as_deref() != whose.alias => false,
            None => event_source_key(&document(session, &mapping).await?).as_deref() == Some(&change.key),
        };
        if same {
            return Ok(Some(mapping));
        }
    }
    Ok(None)
}

/// Waits until the mapping does what it is to do, or is gone; says what is wrong with its source.
pub(super) async fn settled(
    session: &Session<'_>,
    whose: Whose<'_>,
    change: &AttachmentChange,
) -> Result<Vec<String>, Failed> {
    let what = format!("the event source `{}`", change.key);
    let mut pace = Pace::new();
    loop {
        let mapping = found(session, whose, change).await?;
        match (&mapping, change.action) {
            (None, Action::Remove) => return Ok(Vec::new()),
            (None, _) if pace.so_far() < UNTIL_KNOWN => {}
            (None, _) => {
                let message = format!("{what} is gone: somebody deleted it meanwhile");
                return Err(Fault::new(FaultKind::Conflict, message).into());
            }
            (Some(_), Action::Remove) => {}
            (Some(mapping), _) => match mapping.state() {
                Some("Creating" | "Enabling" | "Disabling" | "Updating") => {}
                state => return verdict(&what, state.unwrap_or("without a state"), mapping, change),
            },
        }
        session.pause(&mut pace, &what).await?;
    }
}

/// What a mapping that no longer changes is like.
fn verdict(what: &str, state: &str, mapping: &Mapping, change: &AttachmentChange) -> Result<Vec<String>, Failed> {
    let created = change.action == Action::Create;
    let wanted = change.document.flag("Enabled").or(created.then_some(true));
    let good = match wanted {
        Some(true) => state == "Enabled",
        Some(false) => state == "Disabled",
        None => ["Enabled", "Disabled"].contains(&state),
    };
    let said = [mapping.state_transition_reason(), mapping.last_processing_result()];
    let said: Vec<_> = said.into_iter().flatten().filter(|text| !text.is_empty()).collect();
    if !good {
        let reason = if said.is_empty() { "AWS gives no reason".to_owned() } else { said.join("; ") };
        return Err(Fault::new(FaultKind::Failed, format!("{what} is {state}: {reason}")).into());
    }
    let problem = mapping.last_processing_result().filter(|result| result.starts_with("PROBLEM"));
    Ok(problem.map(|problem| format!("{what} says: {problem}")).into_iter().collect())
}

/// Says what the role needs where AWS says that it lacks something.
fn explained(mut failed: Failed, source: &str) -> Failed {
    let said = failed.fault.message.to_ascii_lowercase();
    let lacks = said.contains("permission") || said.contains("ensure the role can");
    if !(said.contains("role") && lacks) {
        return failed;
    }
    let help = match RIGHTS.iter().find(|(service, ..)| source.contains(service)) {
        Some((_, rights, policy)) => format!(
            "the function's role has to allow {rights}, as the policy `{policy}` does; a right that was just given takes some seconds to be known"
        ),
        None => "the function's role has to allow reading the source, the secret that it is opened with, and network interfaces in its VPC".to_owned(),
    };
    failed.fault.help = Some(help);
    failed
}
