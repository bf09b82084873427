//! Turns failed calls into our kinds of failure: who is at fault, and what to do.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

pub(super) use super::call::Call;
use super::denial::Denial;
use super::refusals::{self, Meaning};
use super::wire::{self, Silence};
use super::{clock, quotes};
use crate::fault::{Fault, FaultKind};

/// What to look at if no answer of AWS arrives.
const NETWORK: &str = "look at `region`, `endpoint_url`, and the network and proxy of this machine";

/// What to look at if a certificate is not trusted.
const CERTIFICATES: &str = "set `AWS_CA_BUNDLE` to a PEM file with the certificates to trust for AWS; without it, `SSL_CERT_FILE` or the system's certificates count";

/// A failed call: the failure, and its meaning for the step that made the call.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub fault: Fault,
    pub meaning: Meaning,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self { fault, meaning: Meaning::Other }
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
    if let Some(silence) = wire::silence(error) {
        let fault = match silence {
            Silence::Late(_) => format!("AWS did not answer `{action}` on `{resource}`: {silence}"),
            Silence::TooLarge(_) | Silence::WebPage => return unusable(call, &silence.to_string()),
        };
        return lost(Fault::new(FaultKind::Failed, fault).help(NETWORK));
    }
    let fault = match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            if service.raw().status().is_success() {
                return unreadable(call, &chain(error));
            }
            let (code, words) = (service.err().code().unwrap_or_default(), service.err().message());
            let failed = answered(status, code, words, call);
            if clock::is_suspected(code, words.unwrap_or_default())
                && let Some(help) = clock::difference(service.raw().headers())
            {
                return Failed { fault: failed.fault.help(help), ..failed };
            }
            return failed;
        }
        _ if causes(error).any(<dyn Error>::is::<CredentialsError>) => {
            // The SDK fetches credentials when it signs a request, so their errors arrive as errors of the request.
            Fault::new(FaultKind::Denied, format!("the credentials could not be used for `{action}`: {}", chain(error)))
        }
        SdkError::ResponseError(_) => return unreadable(call, &chain(error)),
        _ => {
            let why = chain(error);
            let help = if why.contains("certificate") { CERTIFICATES } else { NETWORK };
            let fault = Fault::new(FaultKind::Failed, format!("AWS could not be reached for `{action}`: {why}"));
            let fault = fault.help(help);
            let sent = matches!(error, SdkError::DispatchFailure(failure) if failure.as_connector_error().is_some_and(wire::was_sent));
            return if sent { lost(fault) } else { fault.into() };
        }
    };
    fault.into()
}

fn lost(fault: Fault) -> Failed {
    Failed { fault, meaning: Meaning::Lost }
}

/// The failure of a call whose answer is a success but cannot be one of AWS.
pub(super) fn unusable(Call { action, resource }: &Call<'_>, why: &str) -> Failed {
    let message = format!("the answer to `{action}` on `{resource}` cannot be used: {why}");
    lost(Fault::new(FaultKind::Failed, message).help(NETWORK))
}

/// The failure of a call whose answer cannot be read. AWS may have done what the call asked for.
fn unreadable(Call { action, resource }: &Call<'_>, why: &str) -> Failed {
    let message = format!("the answer to `{action}` on `{resource}` cannot be read: {}", quotes::cut(why));
    lost(Fault::new(FaultKind::Failed, message).help(NETWORK))
}

fn answered(status: u16, code: &str, words: Option<&str>, call: &Call<'_>) -> Failed {
    let Call { action, resource } = call;
    let words = words.filter(|words| !words.trim().is_empty());
    let said = &words.map_or_else(|| without_words(status, code), quotes::cut);
    if let Some(row) = refusals::known(status, code, said) {
        let fault = Fault { kind: row.kind, ..refused(call, said) };
        let fault = if row.help.is_empty() { fault } else { fault.help(row.help) };
        return Failed { fault, meaning: row.meaning };
    }
    let fault = match (status, code) {
        (
            _,
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "MissingAuthenticationTokenException"
            | "InvalidToken"
            | "RequestTimeTooSkewed",
        ) => Fault::new(FaultKind::Denied, format!("AWS does not accept the credentials: {said}"))
            .help("look at the access key, the secret and the session token, which belong together"),
        (_, "ExpiredTokenException" | "ExpiredToken" | "RequestExpired") => {
            Fault::new(FaultKind::Denied, format!("the credentials have expired: {said}"))
                .help("get new ones and run again")
        }
        (_, "OptInRequired" | "SubscriptionRequiredException") => {
            Fault::new(FaultKind::Denied, format!("the account may not use the service: {said}"))
                .help("enable the service, or the Region, for the account")
        }
        (403, _) | (_, "AccessDeniedException" | "AccessDenied") => {
            let denial = Denial::read(call, said);
            let (action, resource) = (denial.action, denial.resource.as_ref());
            let message = format!("AWS denied `{action}` on `{resource}`: {said}");
            let meaning = if denial.is_of_identity() { Meaning::Forbidden } else { Meaning::Other };
            return Failed { fault: Fault::new(FaultKind::Denied, message).help(denial.help()), meaning };
        }
        (429, _) | (_, "TooManyRequestsException" | "ThrottlingException") => {
            Fault::new(FaultKind::Failed, format!("AWS throttled `{action}` on `{resource}` for too long: {said}"))
                .help("run again later")
        }
        (500.., _) => Fault::new(FaultKind::Failed, format!("AWS failed at `{action}` on `{resource}`: {said}"))
            .help("run again later"),
        _ => refused(call, said),
    };
    Failed { fault, meaning: refusals::unknown(status, code, words) }
}

fn refused(Call { action, resource }: &Call<'_>, said: &str) -> Fault {
    Fault::new(FaultKind::Failed, format!("AWS refused `{action}` on `{resource}`: {said}"))
}

/// The words for a refusal that has none.
fn without_words(status: u16, code: &str) -> String {
    let code = if code.is_empty() { String::new() } else { format!(" {code}") };
    format!("the service answered {status}{code} without a message")
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
