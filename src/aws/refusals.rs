//! The refusals of AWS that mean something: which of them pass by themselves, which are final, and what helps.
//!
//! AWS tells them apart by code and words, so this is one table of both. Where Terraform's provider tries again, its rule is
//! the source: `internal/service/lambda` in hashicorp/terraform-provider-aws.

use crate::fault::FaultKind;

/// What a failed call means for the step that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// There is no such thing.
    NotFound,
    /// The thing exists already.
    Exists,
    /// Another change is in progress. The call can be made again once it has ended.
    InProgress,
    /// The state of the thing does not allow the call, and does not change by itself.
    Conflict,
    /// The revision is not the expected one.
    Stale,
    /// The policies of the identity do not allow the call.
    Forbidden,
    /// Another part of AWS does not know a recent change yet, or is busy.
    Passing(Cause),
    /// No answer has arrived that can be read, or AWS failed: AWS may have done what the call asked for. Also if a later
    /// attempt was refused.
    Lost,
    /// The account's storage for code is full.
    StorageFull,
    /// Anything else. A repetition does not help.
    Other,
}

/// What a refusal waits for that passes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A role is not known to Lambda yet.
    Role,
    /// A permission of the function's role is not known yet.
    Permission,
    /// A destination is not known to Lambda yet.
    Destination,
    /// An image is not known to Lambda yet.
    Image,
    /// EC2 throttles the requests of Lambda.
    Throttle,
}

impl Cause {
    /// The awaited state, for messages.
    pub(super) fn awaited(self) -> &'static str {
        match self {
            Self::Role => "the role to be known to Lambda",
            Self::Permission => "the permissions of the function's role to take effect",
            Self::Destination => "the destination to be known to Lambda",
            Self::Image => "the image to be known to Lambda",
            Self::Throttle => "EC2 to stop throttling Lambda",
        }
    }
}

/// The refusals that a row is about, by status and code.
#[derive(Debug, Clone, Copy)]
enum Of {
    /// Any refusal.
    All,
    /// Those with the status 400.
    Invalid,
    /// Those with the status 409, or the code that goes with it.
    Conflicts,
    /// Those with one of these codes.
    Codes(&'static [&'static str]),
}

impl Of {
    fn has(self, status: u16, code: &str) -> bool {
        match self {
            Self::All => true,
            Self::Invalid => status == 400,
            Self::Conflicts => status == 409 || code == "ResourceConflictException",
            Self::Codes(codes) => codes.contains(&code),
        }
    }
}

/// A known refusal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Its status and code.
    of: Of,
    /// Words that are all in its message, in small letters.
    says: &'static [&'static str],
    /// Its meaning for the step.
    pub meaning: Meaning,
    /// The kind of failure if it is final.
    pub kind: FaultKind,
    /// What to do about it; empty if AWS' words say it.
    pub help: &'static str,
}

const fn row(of: Of, says: &'static [&'static str], meaning: Meaning, help: &'static str) -> Row {
    Row { of, says, meaning, kind: FaultKind::Failed, help }
}

const fn passing(says: &'static [&'static str], cause: Cause, help: &'static str) -> Row {
    row(Of::Invalid, says, Meaning::Passing(cause), help)
}

const fn in_progress(of: Of, says: &'static [&'static str]) -> Row {
    row(of, says, Meaning::InProgress, "")
}

const fn last(of: Of, says: &'static [&'static str], help: &'static str) -> Row {
    row(of, says, Meaning::Other, help)
}

const ROLE_OF_FUNCTION: &str =
    "the function's role must allow the action that AWS names; a new permission takes effect after some seconds";
const STATE_FAILED: &str =
    "delete the function with `dpl-lambda delete` and deploy again: AWS updates no function whose creation failed";
const PROVISIONED: &str = "AWS provisions a version for one qualifier only: remove the provisioned concurrency of the other alias or version first";
const FILE_SYSTEM: &str = "look at the mount targets and the policy of the file system, at the function's subnets and security groups (NFS uses port 2049), and at what its role may do with the file system";
const KEY: &str = "the function's role must be allowed to use the key, and the key must be enabled";
const NETWORK: &str =
    "look at the function's subnets and security groups, and at what its role may do with network interfaces";

/// All known refusals. The first row that fits counts.
const ROWS: &[Row] = &[
    // Terraform: `retryFunctionOp` (create and update of a function), `retryEventSourceMapping`.
    passing(
        &["cannot be assumed by lambda"],
        Cause::Role,
        "the role's trust policy must allow `sts:AssumeRole` to `lambda.amazonaws.com`; a new role takes some seconds to be known",
    ),
    // Terraform: `retryFunctionOp`, `retryEventSourceMapping`, `function_event_invoke_config.go`: "The provided execution role
    // does not have permissions to call CreateNetworkInterface on EC2", and the same for queues, streams and destinations.
    passing(&["does not have permissions to call"], Cause::Permission, ROLE_OF_FUNCTION),
    // Terraform: `retryEventSourceMapping`.
    passing(&["ensure the role can perform"], Cause::Permission, ROLE_OF_FUNCTION),
    // Terraform: `retryFunctionOp`.
    passing(&["kms key is invalid for creategrant"], Cause::Permission, KEY),
    // Terraform: `retryFunctionOp`.
    passing(
        &["throttled by ec2"],
        Cause::Throttle,
        "other programs use up the account's rate of EC2 requests: run again later",
    ),
    // Terraform: creation and update in `function_event_invoke_config.go`.
    passing(
        &["destination arn", "is invalid"],
        Cause::Destination,
        "look at the destinations in `async_config`: they must exist in the function's Region",
    ),
    // aws-controllers-k8s: `function/hooks.go`, soon after the push of an image.
    passing(
        &["provide a valid source image"],
        Cause::Image,
        "push the image before it is deployed, or correct `image_uri`",
    ),
    // Terraform: the alias' weights are awaited before `PutProvisionedConcurrencyConfig`.
    in_progress(Of::Invalid, &["alias with weights can not be used with provisioned concurrency"]),
    // The states: "Lambda function states" in the Lambda guide. A function whose creation failed stays so.
    row(Of::Conflicts, &["following state", "failed"], Meaning::Conflict, STATE_FAILED),
    // LocalStack's records of AWS: `test_lambda_concurrent_*`: "The operation cannot be performed at this time. An update is
    // in progress for resource: …", or "The function is currently in the following state: Pending".
    in_progress(Of::Conflicts, &["at this time"]),
    in_progress(Of::Conflicts, &["in progress"]),
    in_progress(Of::Conflicts, &["following state", "pending"]),
    // "The function could not be updated due to a concurrent update operation. Please try again later."
    in_progress(Of::Conflicts, &["concurrent update"]),
    in_progress(Of::Conflicts, &["try again"]),
    // Event source mappings: Terraform's deletion; log groups: the API reference of CloudWatch Logs.
    in_progress(Of::Codes(&["ResourceInUseException", "OperationAbortedException"]), &[]),
    // Invocations: the API reference of `Invoke`.
    in_progress(
        Of::Codes(&[
            "CodeArtifactUserPendingException",
            "SnapStartNotReadyException",
            "ResourceNotReadyException",
            "EC2ThrottledException",
        ]),
        &[],
    ),
    // "Unable to delete version because the following aliases reference it: [live]".
    row(
        Of::Conflicts,
        &["aliases reference it"],
        Meaning::Conflict,
        "point the aliases at another version first, for example with `dpl-lambda rollback`",
    ),
    // LocalStack's records: `test_lambda_provisioned_lifecycle`.
    row(Of::Conflicts, &["already provisioned version"], Meaning::Conflict, PROVISIONED),
    row(Of::Conflicts, &["pointed by a provisioned concurrency alias"], Meaning::Conflict, PROVISIONED),
    // LocalStack's records: functions, aliases, URLs, statements, mappings; log groups have a code for it.
    row(Of::Conflicts, &["exist"], Meaning::Exists, ""),
    row(Of::Codes(&["ResourceAlreadyExistsException"]), &[], Meaning::Exists, ""),
    // Terraform's deletion: the replicas of Lambda@Edge.
    last(
        Of::All,
        &["replicated function"],
        "CloudFront still has replicas of it: take it out of every distribution, wait until CloudFront has deleted the replicas (this can take hours), and run again",
    ),
    // 403s that are not about the rights of the caller. aws-samples/bedrock-access-gateway#127, ACK#1886.
    Row {
        kind: FaultKind::Denied,
        ..last(
            Of::All,
            &["does not have permission to access the ecr image"],
            "the policy of the image's repository must allow `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer` to `lambda.amazonaws.com`; Lambda adds that itself where the identity that deploys may `ecr:GetRepositoryPolicy` and `ecr:SetRepositoryPolicy` on it",
        )
    },
    // The API reference of `Invoke`: errors of the function's own network, storage and key.
    last(
        Of::Codes(&[
            "EFSMountFailureException",
            "EFSMountConnectivityException",
            "EFSMountTimeoutException",
            "EFSIOException",
            "S3FilesMountFailureException",
            "S3FilesMountConnectivityException",
            "S3FilesMountTimeoutException",
        ]),
        &[],
        FILE_SYSTEM,
    ),
    last(
        Of::Codes(&[
            "EC2AccessDeniedException",
            "ENILimitReachedException",
            "SubnetIPAddressLimitReachedException",
            "InvalidSecurityGroupIDException",
            "InvalidSubnetIDException",
        ]),
        &[],
        NETWORK,
    ),
    last(
        Of::Codes(&[
            "KMSAccessDeniedException",
            "KMSDisabledException",
            "KMSInvalidStateException",
            "KMSNotFoundException",
        ]),
        &[],
        KEY,
    ),
    // The API references of the functions' operations.
    last(
        Of::Codes(&["CodeVerificationFailedException", "InvalidCodeSignatureException"]),
        &[],
        "sign the package with AWS Signer under a profile that the function's code signing config allows, and deploy what Signer wrote with `s3_bucket` and `s3_key`; what is signed and altered after that, expired or revoked is refused too",
    ),
    last(
        Of::Codes(&["CodeSigningConfigNotFoundException"]),
        &[],
        "look at `code_signing_config_arn`: it must be of the function's Region and account",
    ),
    row(Of::Codes(&["CodeStorageExceededException"]), &[], Meaning::StorageFull, ""),
    last(
        Of::Codes(&["PolicyLengthExceededException"]),
        &[],
        "the resource policy has no room left: remove statements, for example with `permissions_mode: replace`",
    ),
];

/// The row of a refusal; `None` if it is not in the table. `said` are AWS' words.
pub(super) fn known(status: u16, code: &str, said: &str) -> Option<&'static Row> {
    let said = said.to_ascii_lowercase();
    ROWS.iter().find(|row| row.of.has(status, code) && row.says.iter().all(|words| said.contains(words)))
}

/// The meaning of a refusal that is not in the table. `said` is `None` for one without words.
pub(super) fn unknown(status: u16, code: &str, said: Option<&str>) -> Meaning {
    match (status, code) {
        (404, _) | (_, "ResourceNotFoundException") => Meaning::NotFound,
        // Without words, nothing tells that it is final.
        (409, _) if said.is_none() => Meaning::InProgress,
        (409, _) | (_, "ResourceConflictException") => Meaning::Conflict,
        (412, _) | (_, "PreconditionFailedException") => Meaning::Stale,
        (500.., _) => Meaning::Lost,
        _ => Meaning::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The meaning of a refusal with these words.
    fn meaning(status: u16, code: &str, said: &str) -> Meaning {
        let words = (!said.is_empty()).then_some(said);
        known(status, code, said).map_or_else(|| unknown(status, code, words), |row| row.meaning)
    }

    #[test]
    fn invalid_parameters_pass_by_themselves_only_with_known_words() {
        for (said, cause) in [
            ("The role defined for the function cannot be assumed by Lambda.", Some(Cause::Role)),
            (
                "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
                Some(Cause::Permission),
            ),
            (
                "The provided execution role does not have permissions to call SendMessage on SQS",
                Some(Cause::Permission),
            ),
            (
                "The function execution role does not have permissions to call ReceiveMessage on SQS",
                Some(Cause::Permission),
            ),
            (
                "Cannot access stream arn. Please ensure the role can perform the GetRecords Actions on your stream in IAM.",
                Some(Cause::Permission),
            ),
            (
                "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant.",
                Some(Cause::Permission),
            ),
            (
                "Your request has been throttled by EC2, please make sure you have enough API rate limit.",
                Some(Cause::Throttle),
            ),
            ("The destination ARN arn:aws:sqs:eu-west-1:123456789012:q is invalid.", Some(Cause::Destination)),
            (
                "Source image 1.dkr.ecr.eu-west-1.amazonaws.com/f:v1 does not exist. Provide a valid source image.",
                Some(Cause::Image),
            ),
            ("Unzipped size must be smaller than 262144000 bytes", None),
            (
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value",
                None,
            ),
            ("Stream not found: arn", None),
            (
                "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
                None,
            ),
            ("Uploaded file must be a non-empty zip", None),
        ] {
            let expected = cause.map_or(Meaning::Other, Meaning::Passing);
            assert_eq!(meaning(400, "InvalidParameterValueException", said), expected, "{said}");
            // The same words of another kind of refusal do not pass.
            assert_eq!(meaning(403, "AccessDeniedException", said), Meaning::Other, "{said}");
        }
        let weights = "Alias with weights can not be used with Provisioned Concurrency";
        assert_eq!(meaning(400, "InvalidParameterValueException", weights), Meaning::InProgress);
    }

    #[test]
    fn conflicts_are_in_progress_or_exist_already_or_are_final() {
        use Meaning::{Conflict, Exists, InProgress};
        for (said, expected) in [
            ("The operation cannot be performed at this time. An update is in progress for resource: arn", InProgress),
            (
                "The operation cannot be performed at this time. The function is currently in the following state: Pending",
                InProgress,
            ),
            ("The resource is currently in the following state: 'Pending'", InProgress),
            (
                "The operation cannot be performed at this time. The function is currently in the following state: Failed",
                Conflict,
            ),
            (
                "The function could not be updated due to a concurrent update operation. Please try again later.",
                InProgress,
            ),
            ("", InProgress),
            ("Function already exist: f", Exists),
            ("Alias already exists: arn", Exists),
            ("FunctionUrlConfig exists for this Lambda function", Exists),
            (
                "The statement id (s) provided already exists. Please provide a new statement id, or remove the existing statement.",
                Exists,
            ),
            (
                "The event source arn (\" arn \") and function (\" f \") provided mapping already exists. Please update or delete the existing mapping with UUID u",
                Exists,
            ),
            (
                "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
                Conflict,
            ),
            ("Version is pointed by a Provisioned Concurrency alias", Conflict),
            ("Unable to delete version because the following aliases reference it: [live]", Conflict),
            ("Something that nobody has heard of", Conflict),
        ] {
            assert_eq!(meaning(409, "ResourceConflictException", said), expected, "{said}");
        }
        for (status, code, expected) in [
            (409, "CodeArtifactUserPendingException", InProgress),
            (409, "SnapStartNotReadyException", InProgress),
            (502, "EC2ThrottledException", InProgress),
            (400, "ResourceInUseException", InProgress),
            (400, "OperationAbortedException", InProgress),
            (400, "ResourceAlreadyExistsException", Exists),
            (409, "CodeArtifactUserFailedException", Conflict),
            (409, "SnapStartRegenerationFailureException", Conflict),
            (409, "DurableExecutionAlreadyStartedException", Conflict),
        ] {
            assert_eq!(meaning(status, code, "words"), expected, "{code}");
        }
    }
}
