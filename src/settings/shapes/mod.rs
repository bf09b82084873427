//! The shapes of the API's structures: members, limits and defaults.
//!
//! Source: the pages of the operations in the AWS Lambda API reference that take them.

mod event_sources;
mod release;

pub(crate) use event_sources::EVENT_SOURCES;
pub(crate) use release::{SMOKE_TESTS, TRAFFIC_SHIFTING};

use super::structure::{Member, Need, Shape};
use super::{QualifiedFunction, Role, Runtime, Setting, Written, is_layer_name};
use crate::arn::{Arn, check_account, is_account, is_region};
use Need::{Default, Optional, Required};
use Shape::{Any, Flag, List, Members, Number, OneOf, Text, Word};

/// The most items of a list that AWS does not limit.
const ANY_NUMBER: usize = usize::MAX;

const fn may(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, need: Optional }
}

const fn must(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, need: Required }
}

const fn or(name: &'static str, default: &'static str, shape: Shape) -> Member {
    Member { name, shape, need: Default(default) }
}

const fn number(unit: &'static str, least: i64, most: i64) -> Shape {
    Number { unit, least, most }
}

const fn members(members: &'static [Member]) -> Shape {
    Members { members, short: "" }
}

const fn list(of: &'static Shape, most: usize) -> Shape {
    List { of, most }
}

/// Any text of at most so many characters.
fn at_most<const MOST: usize>(text: &str) -> Result<(), String> {
    match text.chars().count() {
        0 => Err("must not be empty".to_owned()),
        length if length > MOST => Err(format!("is {length} characters long, AWS accepts at most {MOST}")),
        _ => Ok(()),
    }
}

/// A text of letters, digits and some other characters.
fn of_characters(text: &str, others: &str, most: usize, what: &str) -> Result<(), String> {
    let good = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    if (1..=most).contains(&text.len()) && text.chars().all(good) {
        Ok(())
    } else {
        Err(format!("`{text}` is not {what}: up to {most} letters, digits and `{others}`"))
    }
}

const ANY: Shape = Text(at_most::<10_000>);
/// A text that AWS does not get as it is written, so its length has no limit here.
const UNLIMITED: Shape = Text(at_most::<{ usize::MAX }>);
const ARN: Shape = Text(|text| Arn::parse(text).map(drop));
const TEXTS: Shape = list(&ANY, 1500);
/// The log group, format and levels of a function.
pub(crate) const LOGGING_CONFIG: Shape = Members {
    short: "LogFormat",
    members: &[
        may("LogFormat", Word(&["JSON", "Text"])),
        may("ApplicationLogLevel", Word(&["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"])),
        may("SystemLogLevel", Word(&["DEBUG", "INFO", "WARN"])),
        may("LogGroup", Text(log_group)),
    ],
};

fn log_group(text: &str) -> Result<(), String> {
    of_characters(text, "._-/#", 512, "the name of a log group")
}

/// Whether published versions start from a snapshot.
pub(crate) const SNAP_START: Shape =
    Members { short: "ApplyOn", members: &[must("ApplyOn", Word(&["PublishedVersions", "None"]))] };

/// Overrides of the settings of a container image.
pub(crate) const IMAGE_CONFIG: Shape =
    members(&[may("EntryPoint", TEXTS), may("Command", TEXTS), may("WorkingDirectory", Text(at_most::<1000>))]);

/// Access points of file systems, with their mount paths.
pub(crate) const FILE_SYSTEM_CONFIGS: Shape = list(
    &members(&[
        must("Arn", Text(access_point)),
        must("LocalMountPath", Text(local_mount_path)),
        may(
            "S3FilesConfig",
            Members { short: "DirectS3Read", members: &[may("DirectS3Read", Word(&["AUTO", "ENABLED", "DISABLED"]))] },
        ),
    ]),
    1,
);

/// The Managed Instances that run the function.
pub(crate) const CAPACITY_PROVIDER_CONFIG: Shape = members(&[must(
    "LambdaManagedInstancesCapacityProviderConfig",
    Members {
        short: "CapacityProviderArn",
        members: &[
            must("CapacityProviderArn", Text(capacity_provider)),
            may("PerExecutionEnvironmentMaxConcurrency", number("", 1, 1600)),
            may("ExecutionEnvironmentMemoryGiBPerVCpu", number("GiB", 2, 8)),
        ],
    },
)]);

fn capacity_provider(text: &str) -> Result<(), String> {
    of_lambda(text, "capacity-provider:", "a capacity provider")
}

/// The ARN of a resource of Lambda.
fn of_lambda(text: &str, kind: &str, what: &str) -> Result<(), String> {
    let arn = Arn::parse(text)?;
    if arn.service == "lambda" && arn.resource.starts_with(kind) {
        Ok(())
    } else {
        Err(format!("`{text}` is not the ARN of {what}; one looks like `arn:aws:lambda:REGION:ACCOUNT:{kind}…`"))
    }
}

/// Whether an id is a prefix and hexadecimal digits, so many of them.
fn is_id(id: &str, prefix: &str, digits: std::ops::RangeInclusive<usize>) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    id.strip_prefix(prefix).is_some_and(|id| digits.contains(&id.len()) && id.chars().all(hex))
}

fn access_point(text: &str) -> Result<(), String> {
    let arn = Arn::parse(text)?;
    let known = match (arn.service, arn.resource.split('/').collect::<Vec<_>>().as_slice()) {
        _ if arn.region.is_empty() || !is_account(arn.account) => false,
        ("elasticfilesystem", ["access-point", id]) => is_id(id, "fsap-", 17..=17),
        ("s3files", ["file-system", system, "access-point", id]) => {
            is_id(system, "fs-", 17..=40) && is_id(id, "fsap-", 17..=40)
        }
        _ => false,
    };
    if known {
        return Ok(());
    }
    Err(format!(
        "`{text}` is not an access point of a file system; one looks like `arn:aws:elasticfilesystem:REGION:ACCOUNT:access-point/fsap-…`"
    ))
}

fn local_mount_path(text: &str) -> Result<(), String> {
    let name = text.strip_prefix("/mnt/").unwrap_or_default();
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !name.is_empty() && text.len() <= 160 && name.chars().all(good) {
        Ok(())
    } else {
        Err(format!("`{text}` is not a mount path; one looks like `/mnt/data`"))
    }
}

/// Subnets and security groups in one structure, as in the API.
pub(crate) const VPC_CONFIG: Shape =
    members(&[may("SubnetIds", TEXTS), may("SecurityGroupIds", TEXTS), may("Ipv6AllowedForDualStack", Flag)]);

/// The time limit and retention of durable executions.
pub(crate) const DURABLE_CONFIG: Shape = members(&[
    may("ExecutionTimeout", number("s", 1, 31_622_400)),
    may("RetentionPeriodInDays", number("days", 1, 90)),
    may("KMSKeyArn", ARN),
]);

/// Whether each tenant has its own execution environments. Cannot change after creation.
pub(crate) const TENANCY_CONFIG: Shape =
    Members { short: "TenantIsolationMode", members: &[must("TenantIsolationMode", Word(&["PER_TENANT"]))] };

/// When AWS updates the runtime of the function.
pub(crate) const RUNTIME_MANAGEMENT: Shape = Members {
    short: "UpdateRuntimeOn",
    members: &[
        must("UpdateRuntimeOn", Word(&["Auto", "FunctionUpdate", "Manual"])),
        may("RuntimeVersionArn", Text(runtime_version)),
    ],
};

fn runtime_version(text: &str) -> Result<(), String> {
    let arn = Arn::parse(text)?;
    let id = arn.resource.strip_prefix("runtime:").unwrap_or_default();
    if arn.service == "lambda" && !arn.region.is_empty() && arn.account.is_empty() && !id.is_empty() {
        Ok(())
    } else {
        Err(format!("`{text}` is not the ARN of a runtime version; one looks like `arn:aws:lambda:REGION::runtime:ID`"))
    }
}

/// The ARN of a code signing configuration.
pub(crate) const CODE_SIGNING_CONFIG: Shape = Text(|text| {
    let arn = Arn::parse(text)?;
    let id = arn.resource.strip_prefix("code-signing-config:").and_then(|id| id.strip_prefix("csc-"));
    let good = |id: &str| id.len() == 17 && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if arn.service == "lambda" && !arn.region.is_empty() && is_account(arn.account) && id.is_some_and(good) {
        Ok(())
    } else {
        Err(format!(
            "`{text}` is not the ARN of a code signing config; one looks like `arn:aws:lambda:REGION:ACCOUNT:code-signing-config:csc-…`"
        ))
    }
});

/// What Lambda does when a function calls itself in a loop.
pub(crate) const RECURSIVE_LOOP: Shape = Word(&["Allow", "Terminate"]);

/// The number of concurrent executions reserved for the function, which is also its limit.
pub(crate) const RESERVED_CONCURRENCY: Shape = number("", 0, i32::MAX as i64);

/// The number of execution environments that are kept ready.
pub(crate) const PROVISIONED_CONCURRENCY: Shape = number("", 1, i32::MAX as i64);

/// The retention periods of `CloudWatch` Logs, in days.
///
/// Source: `PutRetentionPolicy`.
pub(crate) const LOG_RETENTION: Shape = OneOf {
    what: "a number of days that CloudWatch Logs allows, such as 1, 7, 14, 30, 90 or 365",
    numbers: &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
};

/// The URL of the function.
pub(crate) const FUNCTION_URL: Shape = Members {
    short: "AuthType",
    members: &[
        may("AuthType", Word(&["AWS_IAM", "NONE"])),
        may(
            "Cors",
            members(&[
                may("AllowCredentials", Flag),
                may("AllowHeaders", list(&Text(at_most::<1024>), 100)),
                may("AllowMethods", list(&Text(method), 6)),
                may("AllowOrigins", list(&Text(at_most::<253>), 100)),
                may("ExposeHeaders", list(&Text(at_most::<1024>), 100)),
                may("MaxAge", number("s", 0, 86_400)),
            ]),
        ),
        may("InvokeMode", Word(&["BUFFERED", "RESPONSE_STREAM"])),
    ],
};

/// AWS accepts no method with more than six letters; it answers `OPTIONS` itself.
fn method(text: &str) -> Result<(), String> {
    let known = ["GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"];
    if known.contains(&text) { Ok(()) } else { Err(format!("`{text}` is not one of {}", known.join(", "))) }
}

/// The destination of invocation records; without one, no record is sent.
const DESTINATION: Shape = Members { short: "Destination", members: &[may("Destination", Text(destination))] };
const DESTINATIONS: Shape = members(&[may("OnSuccess", DESTINATION), may("OnFailure", DESTINATION)]);

fn destination(text: &str) -> Result<(), String> {
    match text.strip_prefix("kafka://") {
        Some(name) => topic(name),
        None => at_most::<350>(text).and_then(|()| Arn::parse(text).map(drop)),
    }
}

fn topic(text: &str) -> Result<(), String> {
    of_characters(text, "-_.", 249, "the name of a topic")?;
    if text.len() < 2 || text.starts_with('.') {
        return Err(format!(
            "`{text}` is not a topic that AWS accepts: it has two characters or more, and no `.` first"
        ));
    }
    Ok(())
}

/// Retries and destinations of asynchronous invocations.
pub(crate) const ASYNC_CONFIG: Shape = members(&[
    may("MaximumRetryAttempts", number("", 0, 2)),
    may("MaximumEventAgeInSeconds", number("s", 60, 21_600)),
    may("DestinationConfig", DESTINATIONS),
]);

/// Statements of the resource policy.
pub(crate) const PERMISSIONS: Shape = list(
    &members(&[
        must("StatementId", Text(statement_id)),
        or("Action", "lambda:InvokeFunction", Text(action)),
        must("Principal", Text(principal)),
        may("SourceArn", ARN),
        may("SourceAccount", Text(check_account)),
        may("EventSourceToken", Text(token)),
        may("PrincipalOrgID", Text(organisation)),
        may("FunctionUrlAuthType", Word(&["AWS_IAM", "NONE"])),
        may("InvokedViaFunctionUrl", Flag),
    ]),
    ANY_NUMBER,
);

fn statement_id(text: &str) -> Result<(), String> {
    of_characters(text, "-_", 100, "the id of a statement")
}

fn principal(text: &str) -> Result<(), String> {
    if text.chars().any(char::is_whitespace) {
        return Err(format!("`{text}` has a blank; a principal looks like `s3.amazonaws.com` or `123456789012`"));
    }
    at_most::<2048>(text)
}

/// Its value is a secret, so no message repeats it.
fn token(text: &str) -> Result<(), String> {
    of_characters(text, "._-", 256, "").map_err(|_| "must have up to 256 letters, digits and `._-`".to_owned())
}

fn action(text: &str) -> Result<(), String> {
    let name = text.strip_prefix("lambda:").unwrap_or_default();
    if text == "*" || name == "*" || (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic())) {
        Ok(())
    } else {
        Err(format!("`{text}` is not an action of Lambda; one looks like `lambda:InvokeFunction`"))
    }
}

fn organisation(text: &str) -> Result<(), String> {
    let id = text.strip_prefix("o-").unwrap_or_default();
    if (10..=32).contains(&id.len()) && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        Ok(())
    } else {
        Err(format!("`{text}` is not the id of an organisation; one looks like `o-a1b2c3d4e5`"))
    }
}

/// The layer that a block publishes. The code of the options with the same names reads the members of any value.
pub(crate) const LAYER: Shape = Members {
    short: "Name",
    members: &[
        may("Name", Text(layer_name)),
        may("Description", UNLIMITED),
        may("CompatibleRuntimes", list(&Text(runtime), 15)),
        may("CompatibleArchitectures", list(&Word(&["x86_64", "arm64"]), 2)),
        may("LicenseInfo", Text(at_most::<512>)),
        may("Zip", Any),
        may("Include", Any),
        may("Exclude", Any),
        may("Symlinks", Any),
        may("DotMatch", Any),
        may("Repack", Any),
        may("Compression", Any),
    ],
};

fn layer_name(text: &str) -> Result<(), String> {
    if is_layer_name(text) {
        Ok(())
    } else {
        Err(format!("`{text}` is not the name of a layer: up to 140 letters, digits, `-` and `_`"))
    }
}

fn runtime(text: &str) -> Result<(), String> {
    Runtime::parse(&Written::Text(text.to_owned())).map(drop)
}

/// The function whose code another one gets.
pub(crate) const CODE_FROM: Shape = Members {
    short: "Function",
    members: &[
        must("Function", Text(|text| QualifiedFunction::parse(&Written::Text(text.to_owned())).map(drop))),
        may("Region", Text(region)),
        may("RoleToAssume", Text(role_arn)),
        may("ExternalId", Text(external_id)),
    ],
};

fn region(text: &str) -> Result<(), String> {
    if is_region(text) { Ok(()) } else { Err(format!("`{text}` is not a Region; one looks like `eu-west-1`")) }
}

fn role_arn(text: &str) -> Result<(), String> {
    match Role::parse(&Written::Text(text.to_owned()))? {
        Role::Arn(_) => Ok(()),
        Role::Name(name) => Err(format!("must be the ARN of a role, `arn:aws:iam::ACCOUNT:role/{name}`")),
    }
}

/// Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>.
fn external_id(text: &str) -> Result<(), String> {
    if text.len() < 2 {
        return Err("must have at least 2 characters".to_owned());
    }
    of_characters(text, "_+=,.@:/-", 1224, "an external id")
}

/// The old versions that are kept.
pub(crate) const KEEP_VERSIONS: Shape = Members {
    short: "Count",
    members: &[may("Count", number("", 1, 100_000)), may("Days", number("days", 1, 36_500))],
};

/// Files from another folder that are added to a package.
pub(crate) const ADDED_FILES: Shape =
    members(&[must("From", UNLIMITED), or("Glob", "**", UNLIMITED), may("To", Text(folder_of_package))]);

fn folder_of_package(text: &str) -> Result<(), String> {
    if text.starts_with('/') || text.split('/').any(|part| part == "..") {
        Err(format!("`{text}` is not a folder of the package"))
    } else {
        Ok(())
    }
}
