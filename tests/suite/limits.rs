//! The limits that `check` enforces: each option at the edges that AWS' own model has for its member.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Universe, model::Place};

/// An option, the operation and the member that it sets, and a sample where that is a text. `@` stands for the value.
const OPTIONS: &[(&str, &str, &str, &str)] = &[
    ("description: @", "CreateFunction", "Description", "text"),
    ("timeout: @", "CreateFunction", "Timeout", ""),
    ("memory_size: @", "CreateFunction", "MemorySize", ""),
    ("ephemeral_storage: @", "CreateFunction", "EphemeralStorage.Size", ""),
    ("handler: @", "CreateFunction", "Handler", "index.handler"),
    ("{runtime: @, ignore: handler-missing}", "CreateFunction", "Runtime", ""),
    ("role: @", "CreateFunction", "Role", "arn:aws:iam::123456789012:role/r"),
    ("environment: {@: v}", "CreateFunction", "Environment.Variables.key", "NAME"),
    ("function_tags: {@: v}", "CreateFunction", "Tags.key", "team"),
    ("function_tags: {a: @}", "CreateFunction", "Tags.value", "media"),
    ("layers: [@]", "CreateFunction", "Layers.member", "arn:aws:lambda:us-east-1:123456789012:layer:deps:3"),
    ("{subnet_ids: [@], security_group_ids: [sg-1]}", "CreateFunction", "VpcConfig.SubnetIds.member", "subnet-0a1b"),
    (
        "{subnet_ids: [subnet-1], security_group_ids: [@]}",
        "CreateFunction",
        "VpcConfig.SecurityGroupIds.member",
        "sg-0a1b",
    ),
    ("dead_letter_arn: @", "CreateFunction", "DeadLetterConfig.TargetArn", "arn:aws:sqs:us-east-1:123456789012:failed"),
    ("kms_key_arn: @", "CreateFunction", "KMSKeyArn", "arn:aws:kms:us-east-1:123456789012:key/k"),
    ("source_kms_key_arn: @", "CreateFunction", "Code.SourceKMSKeyArn", "arn:aws:kms:us-east-1:123456789012:key/k"),
    ("tracing_mode: @", "CreateFunction", "TracingConfig.Mode", ""),
    ("architecture: @", "CreateFunction", "Architectures.member", ""),
    ("logging_config: {log_format: @}", "CreateFunction", "LoggingConfig.LogFormat", ""),
    (
        "logging_config: {log_format: JSON, application_log_level: @}",
        "CreateFunction",
        "LoggingConfig.ApplicationLogLevel",
        "",
    ),
    ("logging_config: {log_format: JSON, system_log_level: @}", "CreateFunction", "LoggingConfig.SystemLogLevel", ""),
    ("logging_config: {log_group: @}", "CreateFunction", "LoggingConfig.LogGroup", "/team/media"),
    ("snap_start: @", "CreateFunction", "SnapStart.ApplyOn", ""),
    ("durable_config: {execution_timeout: @}", "CreateFunction", "DurableConfig.ExecutionTimeout", ""),
    ("durable_config: {retention_period_in_days: @}", "CreateFunction", "DurableConfig.RetentionPeriodInDays", ""),
    ("tenancy_config: @", "CreateFunction", "TenancyConfig.TenantIsolationMode", ""),
    ("image_config: {working_directory: @}", "CreateFunction", "ImageConfig.WorkingDirectory", "/work"),
    (
        "file_system_configs: {arn: @, local_mount_path: /mnt/a}",
        "CreateFunction",
        "FileSystemConfigs.member.Arn",
        "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0",
    ),
    (
        "file_system_configs: {arn: 'arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0', local_mount_path: @}",
        "CreateFunction",
        "FileSystemConfigs.member.LocalMountPath",
        "/mnt/data",
    ),
    ("alias: @", "CreateAlias", "Name", "live"),
    ("{publish: true, version_description: @}", "PublishVersion", "Description", "text"),
    ("recursive_loop: @", "PutFunctionRecursionConfig", "RecursiveLoop", ""),
    ("runtime_management: @", "PutRuntimeManagementConfig", "UpdateRuntimeOn", ""),
    (
        "runtime_management: {update_runtime_on: Manual, runtime_version_arn: @}",
        "PutRuntimeManagementConfig",
        "RuntimeVersionArn",
        "arn:aws:lambda:us-east-1::runtime:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a",
    ),
    (
        "code_signing_config_arn: @",
        "PutFunctionCodeSigningConfig",
        "CodeSigningConfigArn",
        "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789abcdef0",
    ),
    ("reserved_concurrency: @", "PutFunctionConcurrency", "ReservedConcurrentExecutions", ""),
    (
        "{alias: a, provisioned_concurrency: @}",
        "PutProvisionedConcurrencyConfig",
        "ProvisionedConcurrentExecutions",
        "",
    ),
    ("async_config: {maximum_retry_attempts: @}", "PutFunctionEventInvokeConfig", "MaximumRetryAttempts", ""),
    ("async_config: {maximum_event_age_in_seconds: @}", "PutFunctionEventInvokeConfig", "MaximumEventAgeInSeconds", ""),
    (
        "async_config: {destination_config: {on_failure: @}}",
        "PutFunctionEventInvokeConfig",
        "DestinationConfig.OnFailure.Destination",
        "arn:aws:sqs:us-east-1:123456789012:failed",
    ),
    ("function_url: @", "CreateFunctionUrlConfig", "AuthType", ""),
    ("function_url: {invoke_mode: @}", "CreateFunctionUrlConfig", "InvokeMode", ""),
    ("function_url: {cors: {max_age: @}}", "CreateFunctionUrlConfig", "Cors.MaxAge", ""),
    (
        "function_url: {cors: {allow_origins: [@]}}",
        "CreateFunctionUrlConfig",
        "Cors.AllowOrigins.member",
        "https://example.com",
    ),
    ("function_url: {cors: {allow_methods: [@]}}", "CreateFunctionUrlConfig", "Cors.AllowMethods.member", "GET"),
    ("function_url: {cors: {allow_headers: [@]}}", "CreateFunctionUrlConfig", "Cors.AllowHeaders.member", "x-a"),
    ("function_url: {cors: {expose_headers: [@]}}", "CreateFunctionUrlConfig", "Cors.ExposeHeaders.member", "x-a"),
    ("permissions: {statement_id: @, principal: s3.amazonaws.com}", "AddPermission", "StatementId", "from-s3"),
    ("permissions: {statement_id: a, principal: @}", "AddPermission", "Principal", "s3.amazonaws.com"),
    (
        "permissions: {statement_id: a, principal: s3.amazonaws.com, action: @}",
        "AddPermission",
        "Action",
        "lambda:InvokeFunction",
    ),
    (
        "permissions: {statement_id: a, principal: s3.amazonaws.com, source_arn: @}",
        "AddPermission",
        "SourceArn",
        "arn:aws:s3:::uploads",
    ),
    (
        "permissions: {statement_id: a, principal: s3.amazonaws.com, source_account: @}",
        "AddPermission",
        "SourceAccount",
        "123456789012",
    ),
    (
        "permissions: {statement_id: a, principal: alexa-appkit.amazon.com, event_source_token: @}",
        "AddPermission",
        "EventSourceToken",
        "token",
    ),
    (
        "permissions: {statement_id: a, principal: '*', principal_org_id: @}",
        "AddPermission",
        "PrincipalOrgID",
        "o-a1b2c3d4e5",
    ),
    (
        "permissions: {statement_id: a, principal: '*', action: 'lambda:InvokeFunctionUrl', function_url_auth_type: @}",
        "AddPermission",
        "FunctionUrlAuthType",
        "",
    ),
    (
        "event_sources: {event_source_arn: @}",
        "CreateEventSourceMapping",
        "EventSourceArn",
        "arn:aws:sqs:us-east-1:123456789012:q",
    ),
    ("$QUEUE batch_size: @, maximum_batching_window_in_seconds: 1}", "CreateEventSourceMapping", "BatchSize", ""),
    ("$QUEUE maximum_batching_window_in_seconds: @}", "CreateEventSourceMapping", "MaximumBatchingWindowInSeconds", ""),
    ("$QUEUE scaling_config: @}", "CreateEventSourceMapping", "ScalingConfig.MaximumConcurrency", ""),
    ("$QUEUE kms_key_arn: @}", "CreateEventSourceMapping", "KMSKeyArn", "arn:aws:kms:us-east-1:123456789012:key/k"),
    ("$QUEUE metrics_config: {metrics: [@]}}", "CreateEventSourceMapping", "MetricsConfig.Metrics.member", ""),
    ("$QUEUE function_response_types: [@]}", "CreateEventSourceMapping", "FunctionResponseTypes.member", ""),
    ("$STREAM starting_position: @}", "CreateEventSourceMapping", "StartingPosition", ""),
    (
        "$STREAM starting_position: LATEST, parallelization_factor: @}",
        "CreateEventSourceMapping",
        "ParallelizationFactor",
        "",
    ),
    (
        "$STREAM starting_position: LATEST, maximum_record_age_in_seconds: @}",
        "CreateEventSourceMapping",
        "MaximumRecordAgeInSeconds",
        "",
    ),
    (
        "$STREAM starting_position: LATEST, maximum_retry_attempts: @}",
        "CreateEventSourceMapping",
        "MaximumRetryAttempts",
        "",
    ),
    (
        "$STREAM starting_position: LATEST, tumbling_window_in_seconds: @}",
        "CreateEventSourceMapping",
        "TumblingWindowInSeconds",
        "",
    ),
    ("$KAFKA topics: [@]}", "CreateEventSourceMapping", "Topics.member", "orders"),
    (
        "$KAFKA topics: [orders], amazon_managed_kafka_event_source_config: {consumer_group_id: @}}",
        "CreateEventSourceMapping",
        "AmazonManagedKafkaEventSourceConfig.ConsumerGroupId",
        "group",
    ),
    (
        "$KAFKA topics: [orders], amazon_managed_kafka_event_source_config: {schema_registry_config: {schema_registry_uri: @, event_record_format: JSON, schema_validation_configs: [KEY]}}}",
        "CreateEventSourceMapping",
        "AmazonManagedKafkaEventSourceConfig.SchemaRegistryConfig.SchemaRegistryURI",
        "https://r.example.com",
    ),
    (
        "$KAFKA topics: [orders], provisioned_poller_config: {minimum_pollers: @}}",
        "CreateEventSourceMapping",
        "ProvisionedPollerConfig.MinimumPollers",
        "",
    ),
    (
        "$KAFKA topics: [orders], provisioned_poller_config: {maximum_pollers: @}}",
        "CreateEventSourceMapping",
        "ProvisionedPollerConfig.MaximumPollers",
        "",
    ),
    (
        "$KAFKA topics: [orders], provisioned_poller_config: {maximum_pollers: 4, poller_group_name: @}}",
        "CreateEventSourceMapping",
        "ProvisionedPollerConfig.PollerGroupName",
        "pollers",
    ),
    (
        "$KAFKA topics: [orders], source_access_configurations: {type: @, uri: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:s'}}",
        "CreateEventSourceMapping",
        "SourceAccessConfigurations.member.Type",
        "",
    ),
    (
        "$KAFKA topics: [orders], source_access_configurations: {type: BASIC_AUTH, uri: @}}",
        "CreateEventSourceMapping",
        "SourceAccessConfigurations.member.URI",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:s",
    ),
    ("$MQ queues: [@], $SECRET}", "CreateEventSourceMapping", "Queues.member", "jobs"),
    (
        "$DOCUMENTS document_db_event_source_config: {database_name: @, collection_name: c}, $SECRET}",
        "CreateEventSourceMapping",
        "DocumentDBEventSourceConfig.DatabaseName",
        "shop",
    ),
    (
        "$DOCUMENTS document_db_event_source_config: {database_name: d, collection_name: @}, $SECRET}",
        "CreateEventSourceMapping",
        "DocumentDBEventSourceConfig.CollectionName",
        "orders",
    ),
    (
        "$DOCUMENTS document_db_event_source_config: {database_name: d, full_document: @}, $SECRET}",
        "CreateEventSourceMapping",
        "DocumentDBEventSourceConfig.FullDocument",
        "",
    ),
    ("layer: {name: @, zip: dist}", "PublishLayerVersion", "LayerName", "deps"),
    ("layer: {name: l, zip: dist, description: @}", "PublishLayerVersion", "Description", "text"),
    ("layer: {name: l, zip: dist, license_info: @}", "PublishLayerVersion", "LicenseInfo", "MIT"),
    (
        "layer: {name: l, zip: dist, compatible_architectures: @}",
        "PublishLayerVersion",
        "CompatibleArchitectures.member",
        "",
    ),
    ("layer: {name: l, zip: dist, compatible_runtimes: @}", "PublishLayerVersion", "CompatibleRuntimes.member", ""),
    (
        "{role_to_assume: 'arn:aws:iam::123456789012:role/r', role_session_name: @}",
        "AssumeRole",
        "RoleSessionName",
        "deploy",
    ),
    ("{role_to_assume: 'arn:aws:iam::123456789012:role/r', external_id: @}", "AssumeRole", "ExternalId", "partner"),
    ("{role_to_assume: 'arn:aws:iam::123456789012:role/r', role_duration: @}", "AssumeRole", "DurationSeconds", ""),
    ("{subnet_ids: @, security_group_ids: [sg-1]}", "CreateFunction", "VpcConfig.SubnetIds", "subnet-#"),
    ("{subnet_ids: [subnet-1], security_group_ids: @}", "CreateFunction", "VpcConfig.SecurityGroupIds", "sg-#"),
    ("{image_config: {command: @}}", "CreateFunction", "ImageConfig.Command", "c#"),
    ("layer: {name: l, zip: dist, compatible_runtimes: @}", "PublishLayerVersion", "CompatibleRuntimes", "python3.12"),
    ("function_url: {cors: {allow_origins: @}}", "CreateFunctionUrlConfig", "Cors.AllowOrigins", "x#"),
    ("function_url: {cors: {allow_methods: @}}", "CreateFunctionUrlConfig", "Cors.AllowMethods", "x#"),
    ("function_url: {cors: {allow_headers: @}}", "CreateFunctionUrlConfig", "Cors.AllowHeaders", "x#"),
    ("function_url: {cors: {expose_headers: @}}", "CreateFunctionUrlConfig", "Cors.ExposeHeaders", "x#"),
    ("$KAFKA topics: @}", "CreateEventSourceMapping", "Topics", "t#"),
    ("$MQ queues: @, $SECRET}", "CreateEventSourceMapping", "Queues", "q#"),
    (
        "event_sources: {self_managed_event_source: {endpoints: {KAFKA_BOOTSTRAP_SERVERS: @}}, topics: [orders], starting_position: LATEST}",
        "CreateEventSourceMapping",
        "SelfManagedEventSource.Endpoints.value",
        "b-#.example:9092",
    ),
    (
        "event_sources: {self_managed_event_source: {endpoints: {KAFKA_BOOTSTRAP_SERVERS: [@]}}, topics: [orders], starting_position: LATEST}",
        "CreateEventSourceMapping",
        "SelfManagedEventSource.Endpoints.value.member",
        "b-1.example.com:9092",
    ),
    (
        "async_config: {destination_config: {on_failure: @}}",
        "PutFunctionEventInvokeConfig",
        "DestinationConfig.OnFailure.Destination",
        "kafka://orders",
    ),
];

/// What a `$` stands for in an option.
const SHORT: [(&str, &str); 6] = [
    ("$QUEUE ", "event_sources: {event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q', "),
    ("$STREAM ", "event_sources: {event_source_arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/s', "),
    (
        "$KAFKA ",
        "event_sources: {event_source_arn: 'arn:aws:kafka:us-east-1:123456789012:cluster/c/1', starting_position: LATEST, ",
    ),
    ("$MQ ", "event_sources: {event_source_arn: 'arn:aws:mq:us-east-1:123456789012:broker:b:b-1', "),
    (
        "$DOCUMENTS ",
        "event_sources: {event_source_arn: 'arn:aws:rds:us-east-1:123456789012:cluster:c', starting_position: LATEST, ",
    ),
    ("$SECRET", "source_access_configurations: {type: BASIC_AUTH, uri: s}"),
];

/// Members for which `check` accepts more than the model, and why.
const WIDER: &[(&str, &str)] = &[
    ("Runtime", "AWS adds runtimes after a release"),
    ("CompatibleRuntimes.member", "the same"),
    ("CompatibleRuntimes", "the same"),
    ("Role", "a name becomes an ARN"),
    ("Layers.member", "a name becomes an ARN"),
];

/// Members for which `check` accepts less than the model, and why.
const STRICTER: &[(&str, &str)] = &[
    ("VpcConfig.SubnetIds", "an empty list needs the other empty too"),
    ("VpcConfig.SecurityGroupIds", "an empty list needs the other empty too"),
    ("Cors.AllowMethods", "only methods of HTTP"),
    ("Cors.AllowMethods.member", "only methods of HTTP"),
    ("ProvisionedPollerConfig.MaximumPollers", "each kind of source has a limit of its own"),
    ("Timeout", "more is for Managed Instances"),
    ("MemorySize", "more is for Managed Instances"),
    ("EphemeralStorage.Size", "more is for Managed Instances"),
    ("DeadLetterConfig.TargetArn", "no ARN has a blank"),
    ("KMSKeyArn", "no ARN has a blank"),
    ("Code.SourceKMSKeyArn", "no ARN has a blank"),
    ("RuntimeVersionArn", "no ARN has a blank"),
    ("SourceArn", "no ARN has a blank"),
    ("EventSourceArn", "no ARN has a blank"),
    ("UpdateRuntimeOn", "`Manual` needs another member"),
    ("StartingPosition", "`AT_TIMESTAMP` needs another member"),
    ("DestinationConfig.OnFailure.Destination", "no topic has a slash"),
];

#[test]
fn a_check_of_a_function_refuses_what_aws_refuses() {
    hold(|operation| operation == "CreateFunction");
}

#[test]
fn a_check_of_all_around_a_function_refuses_what_aws_refuses() {
    hold(|operation| operation != "CreateFunction");
}

/// Expects that a check accepts the same values as the operations' model.
fn hold(chosen: fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for (option, operation, member, sample) in OPTIONS.iter().filter(|(_, operation, ..)| chosen(operation)) {
        let place = Place::of(operation, member);
        let edges = place.edges(sample);
        let blocks = edges.iter().enumerate().map(|(number, value)| format!("- {}\n", block(number, option, value)));
        let text = format!("deploy:\n{}", blocks.collect::<String>());
        let outcome = Universe::empty().file("dist/index.py", "").file("dpl.yml", text).run("check");
        let refused: BTreeSet<usize> = outcome
            .stderr
            .split("dpl.yml:")
            .skip(1)
            .filter_map(|place| place.split(':').next()?.parse().ok())
            .collect();
        assert_eq!(outcome.code == 0, refused.is_empty(), "{}", outcome.all());
        let found = |accepted: bool| -> Vec<&Value> {
            let differs = |(line, value): &(usize, &Value)| {
                place.accepts(value) == accepted && refused.contains(line) == accepted
            };
            (2..).zip(&edges).filter(differs).map(|(_, value)| value).collect()
        };
        for (accepted, verb, members) in [(true, "accepts", STRICTER), (false, "refuses", WIDER)] {
            let values = found(accepted);
            if !values.is_empty() && !members.iter().any(|(name, _)| name == member) {
                wrong.push(format!("{option}: AWS {verb} {values:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A block on one line with this value of an option, for a function of its own.
fn block(number: usize, option: &str, value: &Value) -> String {
    let name = format!("function_name: f-{number}");
    let option = SHORT.iter().fold(option.to_owned(), |option, (short, long)| option.replace(short, long));
    let several = option.strip_prefix('{').and_then(|option| option.strip_suffix('}'));
    let own = several.unwrap_or(&option).replace('@', &value.to_string());
    let needed: &[&str] = match own.split(':').next() {
        Some("layer") => &[],
        Some("image_config") => &[&name, "role: r", "image_uri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/f:v1"],
        _ => &[&name, "zip: dist", "role: r", "runtime: python3.12", "handler: index.handler"],
    };
    let given = |line: &&&str| !own.starts_with(line.split(' ').next().unwrap());
    let lines: Vec<_> = needed.iter().filter(given).copied().chain([own.as_str()]).collect();
    format!("{{{}}}", lines.join(", "))
}
