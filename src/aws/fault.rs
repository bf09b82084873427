//! What AWS answers, in our kinds: who is at fault and what to do.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::quotes;
use crate::fault::{Fault, FaultKind};

/// An action of AWS, by the name that policies use, and what it was called on.
pub(super) struct Call<'a> {
    pub action: &'a str,
    pub resource: &'a str,
}

/// A failed call: what it means for us, and what the caller of it may be able to mend.
#[derive(Debug)]
pub(super) struct Failed {
    pub fault: Fault,
    pub answer: Answer,
}

/// Answers that a step can do something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// There is no such thing (404).
    NotFound,
    /// Something else is going on, or the thing exists already (409; 400 for mappings and log groups).
    Busy,
    /// The revision is not the one expected (412).
    Stale,
    /// Anything else.
    Other,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self { fault, answer: Answer::Other }
    }
}

/// A fault of ours on its way through the SDK, which asks for credentials itself.
#[derive(Debug)]
pub(super) struct Carried(pub Fault);

impl fmt::Display for Carried {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.message)
    }
}

impl Error for Carried {}

/// The fault that an error of the SDK carries.
pub(super) fn carried<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Fault> {
    causes(error).find_map(|error| error.downcast_ref()).map(|Carried(fault)| fault)
}

/// An error and what caused it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Reads an error of the SDK.
pub(super) fn of<E>(error: &SdkError<E, HttpResponse>, call: &Call<'_>) -> Failed
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Call { action, resource } = call;
    if let Some(fault) = carried(error) {
        return fault.clone().into();
    }
    let fault = match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let code = service.err().code().unwrap_or_default();
            let said = service.err().message().map_or_else(|| said_nothing(status, code), quotes::cut);
            return answered(status, code, &said, call);
        }
        _ if causes(error).any(<dyn Error>::is::<CredentialsError>) => {
            // They are only fetched when a request is signed, so their errors arrive as those of the request.
            Fault::new(FaultKind::Denied, format!("the credentials could not be used for `{action}`: {}", chain(error)))
        }
        SdkError::ResponseError(_) => Fault::new(
            FaultKind::Failed,
            format!("the answer to `{action}` on `{resource}` could not be read: {}", chain(error)),
        ),
        _ => Fault::new(FaultKind::Failed, format!("AWS could not be reached for `{action}`: {}", chain(error)))
            .help("look at `region`, `endpoint_url`, and the network and proxy of this machine"),
    };
    fault.into()
}

fn said_nothing(status: u16, code: &str) -> String {
    let code = if code.is_empty() { String::new() } else { format!(" {code}") };
    format!("the service answered {status}{code} without a message")
}

fn answered(status: u16, code: &str, said: &str, call: &Call<'_>) -> Failed {
    let Call { action, resource } = call;
    let fault = match (status, code) {
        (_, "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" | "InvalidSignatureException" | "SignatureDoesNotMatch" | "IncompleteSignature" | "MissingAuthenticationTokenException") => {
            Fault::new(FaultKind::Denied, format!("AWS does not accept the credentials: {said}"))
                .help("look at the access key, the secret and the session token, which belong together")
        }
        (_, "ExpiredTokenException" | "ExpiredToken" | "RequestExpired") => {
            Fault::new(FaultKind::Denied, format!("the credentials have expired: {said}")).help("get new ones and run again")
        }
        (403, _) | (_, "AccessDeniedException" | "AccessDenied") => {
            let (action, resource) = denied(said).unwrap_or((action, resource));
            Fault::new(FaultKind::Denied, format!("AWS denied `{action}` on `{resource}`: {said}"))
                .help(format!("allow `{action}` in the policy of the identity that deploys, and run again; `dpl-lambda policy` shows all that a deployment needs"))
        }
        (429, _) | (_, "TooManyRequestsException" | "ThrottlingException") => {
            Fault::new(FaultKind::Failed, format!("AWS throttled `{action}` on `{resource}` for too long: {said}")).help("run again later")
        }
        (_, "InvalidParameterValueException") if said.contains("cannot be assumed by Lambda") => Fault::new(FaultKind::Failed, said.to_owned())
            .help("the role's trust policy must allow `sts:AssumeRole` to `lambda.amazonaws.com`; a new role takes some seconds to be known"),
        (_, "CodeVerificationFailedException" | "InvalidCodeSignatureException") => {
            Fault::new(FaultKind::Failed, format!("AWS does not accept the signature of the package: {said}"))
                .help("sign the package with AWS Signer under a profile that the function's code signing config allows, and deploy what Signer wrote with `s3_bucket` and `s3_key`; what is signed and altered after that, expired or revoked is refused too")
        }
        (_, "CodeSigningConfigNotFoundException") => {
            Fault::new(FaultKind::Failed, format!("there is no such code signing config: {said}"))
                .help("look at `code_signing_config_arn`: it must be of the function's Region and account")
        }
        (500.., _) => Fault::new(FaultKind::Failed, format!("AWS failed at `{action}` on `{resource}`: {said}")).help("run again later"),
        _ => Fault::new(FaultKind::Failed, format!("AWS refused `{action}` on `{resource}`: {said}")),
    };
    let answer = match (status, code) {
        (404, _) | (_, "ResourceNotFoundException") => Answer::NotFound,
        (409, _)
        | (
            _,
            "ResourceConflictException"
            | "ResourceInUseException"
            | "ResourceAlreadyExistsException"
            | "OperationAbortedException",
        ) => Answer::Busy,
        (412, _) | (_, "PreconditionFailedException") => Answer::Stale,
        _ => Answer::Other,
    };
    Failed { fault, answer }
}

/// The action and resource that AWS names itself, as `iam:PassRole` when the call was another.
fn denied(said: &str) -> Option<(&str, &str)> {
    let (_, rest) = said.split_once("not authorized to perform: ")?;
    let (action, rest) = rest.split_once(" on resource: ")?;
    Some((action, rest.split_whitespace().next()?))
}

/// An error and its causes on one line, each said once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for error in causes(error) {
        let text = error.to_string();
        if !said.iter().any(|known| known.contains(&text)) {
            said.push(text);
        }
    }
    said.join(": ")
}
