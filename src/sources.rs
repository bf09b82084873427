//! The table of event source kinds.
//!
//! Must not know where a mapping is written, nor how it is sent.

use crate::arn::Arn;
use crate::settings::Structure;

/// A kind of event source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A queue of SQS.
    Sqs,
    /// A stream of Kinesis, or a consumer of one.
    Kinesis,
    /// The stream of a `DynamoDB` table.
    DynamoDb,
    /// A topic of Amazon MSK.
    Msk,
    /// A topic of self-managed Kafka, identified by its servers.
    Kafka,
    /// A queue of Amazon MQ.
    Mq,
    /// The change stream of a cluster of `DocumentDB`.
    DocumentDb,
}

/// The facts about one kind of source.
struct Row {
    /// Its name in messages, with the article.
    name: &'static str,
    /// The services in its ARN; empty if the source has no ARN.
    services: &'static [&'static str],
    /// The rights that the function's role needs, as a list in words.
    rights: &'static str,
    /// The managed policy with these rights; absent if AWS has none.
    policy: Option<&'static str>,
    /// The members of a mapping that this kind has but some other kind does not.
    members: &'static [&'static str],
    /// AWS' defaults for members that were left out, if a configuration can express them.
    defaults: &'static [(&'static str, i32)],
    /// The least and the most pollers of the provisioned mode; absent if the source has no such mode.
    pollers: Option<(i32, i32)>,
}

impl Source {
    /// All kinds.
    pub(crate) const ALL: [Self; 7] =
        [Self::Sqs, Self::Kinesis, Self::DynamoDb, Self::Msk, Self::Kafka, Self::Mq, Self::DocumentDb];

    const fn row(self) -> Row {
        match self {
            Self::Sqs => SQS,
            Self::Kinesis => KINESIS,
            Self::DynamoDb => DYNAMO_DB,
            Self::Msk => MSK,
            Self::Kafka => KAFKA,
            Self::Mq => MQ,
            Self::DocumentDb => DOCUMENT_DB,
        }
    }

    /// The kind of a source, from the key of a mapping or an ARN; `None` for an unknown service.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let Some(arn) = Arn::of(key) else { return Some(Self::Kafka) };
        Self::ALL.into_iter().find(|source| source.row().services.contains(&arn.service))
    }

    /// Its name in messages, with the article.
    pub(crate) const fn name(self) -> &'static str {
        self.row().name
    }

    /// The rights that the function's role needs, as a list in words.
    pub(crate) const fn rights(self) -> &'static str {
        self.row().rights
    }

    /// The managed policy with these rights; absent if AWS has none.
    pub(crate) const fn policy(self) -> Option<&'static str> {
        self.row().policy
    }

    /// Whether a mapping of it has this member.
    pub(crate) fn has(self, member: &str) -> bool {
        self.row().members.contains(&member) || !Self::ALL.iter().any(|other| other.row().members.contains(&member))
    }

    /// AWS' defaults for members that were left out, if a configuration can express them.
    pub(crate) const fn defaults(self) -> &'static [(&'static str, i32)] {
        self.row().defaults
    }

    /// The least and the most pollers of the provisioned mode; absent if the source has no such mode.
    pub(crate) const fn pollers(self) -> Option<(i32, i32)> {
        self.row().pollers
    }

    /// The members that other kinds have and this kind does not.
    pub(crate) fn foreign(self) -> impl Iterator<Item = &'static str> {
        let all = Self::ALL.into_iter().flat_map(|other| other.row().members);
        all.copied().filter(move |member| !self.has(member))
    }
}

// The rows. Source: the page of `CreateEventSourceMapping` in the AWS Lambda API reference, for each member; the chapter of
// the Lambda guide about each source, for rights and policies.

const SQS: Row = Row {
    name: "a queue of SQS",
    services: &["sqs"],
    rights: "sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes",
    policy: Some("AWSLambdaSQSQueueExecutionRole"),
    members: &["ScalingConfig", "ProvisionedPollerConfig"],
    defaults: &[("BatchSize", 10), ("MaximumBatchingWindowInSeconds", 0)],
    pollers: Some((2, 10_000)),
};

const KINESIS: Row = Row {
    name: "a stream of Kinesis",
    services: &["kinesis"],
    rights: "kinesis:GetRecords, kinesis:GetShardIterator, kinesis:DescribeStream, kinesis:DescribeStreamSummary, kinesis:ListShards and kinesis:ListStreams",
    policy: Some("AWSLambdaKinesisExecutionRole"),
    members: &[
        "StartingPosition",
        "StartingPositionTimestamp",
        "ParallelizationFactor",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "BisectBatchOnFunctionError",
        "TumblingWindowInSeconds",
    ],
    defaults: OF_STREAMS,
    pollers: None,
};

const DYNAMO_DB: Row = Row {
    name: "a stream of DynamoDB",
    services: &["dynamodb"],
    rights: "dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:DescribeStream and dynamodb:ListStreams",
    policy: Some("AWSLambdaDynamoDBExecutionRole"),
    members: &[
        "StartingPosition",
        "ParallelizationFactor",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "BisectBatchOnFunctionError",
        "TumblingWindowInSeconds",
    ],
    defaults: OF_STREAMS,
    pollers: None,
};

const MSK: Row = Row {
    name: "a topic of MSK",
    services: &["kafka"],
    rights: "kafka:DescribeClusterV2, kafka:GetBootstrapBrokers and what VPCs need",
    policy: Some("AWSLambdaMSKExecutionRole"),
    members: &[
        "StartingPosition",
        "StartingPositionTimestamp",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "BisectBatchOnFunctionError",
        "Topics",
        "AmazonManagedKafkaEventSourceConfig",
        "ProvisionedPollerConfig",
    ],
    defaults: OF_KAFKA,
    pollers: Some((1, 2000)),
};

const KAFKA: Row = Row {
    name: "a topic of Kafka",
    services: &[],
    rights: "secretsmanager:GetSecretValue for the secret that the servers are opened with, and what VPCs need",
    policy: None,
    members: &[
        "StartingPosition",
        "StartingPositionTimestamp",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "BisectBatchOnFunctionError",
        "Topics",
        "SelfManagedEventSource",
        "SelfManagedKafkaEventSourceConfig",
        "ProvisionedPollerConfig",
    ],
    defaults: OF_KAFKA,
    pollers: Some((1, 2000)),
};

const MQ: Row = Row {
    name: "a queue of Amazon MQ",
    services: &["mq"],
    rights: "mq:DescribeBroker, secretsmanager:GetSecretValue and what VPCs need",
    policy: None,
    members: &["Queues"],
    defaults: &[("BatchSize", 100)],
    pollers: None,
};

const DOCUMENT_DB: Row = Row {
    name: "a cluster of DocumentDB",
    services: &["rds", "docdb", "docdb-elastic"],
    rights: "rds:DescribeDBClusters, rds:DescribeDBClusterParameters, rds:DescribeDBSubnetGroups, secretsmanager:GetSecretValue and what VPCs need",
    policy: None,
    members: &["StartingPosition", "StartingPositionTimestamp", "DocumentDBEventSourceConfig"],
    defaults: &[("BatchSize", 100)],
    pollers: None,
};

const OF_STREAMS: &[(&str, i32)] = &[
    ("BatchSize", 100),
    ("MaximumBatchingWindowInSeconds", 0),
    ("ParallelizationFactor", 1),
    ("MaximumRecordAgeInSeconds", -1),
    ("MaximumRetryAttempts", -1),
    ("TumblingWindowInSeconds", 0),
];

/// Without the batching window: its default is half a second, which a configuration cannot express.
const OF_KAFKA: &[(&str, i32)] = &[("BatchSize", 100), ("MaximumRecordAgeInSeconds", -1), ("MaximumRetryAttempts", -1)];

/// The key of an event source mapping: its source, and the topic, queue or collection if the source has several. `None`
/// if the mapping names no source.
pub(crate) fn key(mapping: &Structure) -> Option<String> {
    let servers = || mapping.inner("SelfManagedEventSource")?.inner("Endpoints")?.texts("KAFKA_BOOTSTRAP_SERVERS");
    let source = mapping.text("EventSourceArn").or_else(|| {
        let mut servers = servers()?;
        servers.sort();
        Some(servers.join(","))
    })?;
    let lists = ["Topics", "Queues"].into_iter().filter_map(|list| mapping.texts(list)).flatten();
    let database = mapping.inner("DocumentDBEventSourceConfig");
    let names = ["DatabaseName", "CollectionName"].into_iter().filter_map(|name| database.as_ref()?.text(name));
    let within: Vec<_> = lists.chain(names).collect();
    Some(if within.is_empty() { source } else { format!("{source} {}", within.join(",")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Member, Shape, shapes};

    /// The members of a mapping by their names in the API.
    fn members() -> &'static [Member] {
        match shapes::EVENT_SOURCES {
            Shape::List { of: Shape::Members { members, .. }, .. } => members,
            _ => panic!("event sources are a list of maps"),
        }
    }

    #[test]
    fn every_row_names_members_that_a_mapping_has() {
        for source in Source::ALL {
            let row = source.row();
            for name in row.members.iter().chain(row.defaults.iter().map(|(name, _)| name)) {
                assert!(members().iter().any(|member| member.name == *name), "{name}");
                assert!(source.has(name), "{} {name}", row.name);
            }
        }
    }

    #[test]
    fn a_source_is_known_by_its_key() {
        for (key, source) in [
            ("arn:aws:sqs:eu-west-1:123456789012:jobs", Some(Source::Sqs)),
            ("arn:aws-cn:kinesis:cn-north-1:123456789012:stream/s/consumer/c:1", Some(Source::Kinesis)),
            ("arn:aws:kafka:eu-west-1:123456789012:cluster/c/1 sqs:orders", Some(Source::Msk)),
            ("arn:aws:rds:eu-west-1:123456789012:cluster:c shop,orders", Some(Source::DocumentDb)),
            ("b-1.example:9092,b-2.example:9092 orders", Some(Source::Kafka)),
            ("arn:aws:newest:eu-west-1:123456789012:thing", None),
        ] {
            assert_eq!(Source::of_key(key), source, "{key}");
        }
    }

    #[test]
    fn members_belong_to_their_kinds() {
        assert!(Source::Sqs.has("BatchSize") && Source::Mq.has("FilterCriteria"));
        assert!(!Source::Sqs.has("StartingPosition") && !Source::Kinesis.has("ScalingConfig"));
        assert_eq!(Source::Mq.foreign().filter(|member| *member == "Queues").count(), 0);
        assert!(Source::Sqs.defaults().contains(&("BatchSize", 10)));
    }
}
