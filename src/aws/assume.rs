//! Assumes roles: with credentials, or with the OIDC token of a CI. For a token, STS requires no credentials.

use std::fmt;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::provider::{self, error::CredentialsError};
use aws_sdk_lambda::config::{Credentials as Keys, ProvideCredentials};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sts::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::types;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::Request;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::account::account;
use super::fault::{self, Call};
use super::hide::{Hidden, Hide};
use super::wire::{self, Silence, client_of};
use crate::arn::{Partition, is_region};
use crate::deployment::{AssumedRole, Proof};
use crate::fault::{Fault, FaultKind};
use crate::settings::{Address, Jwt, Role, Secret};

/// The most requests for a token of the CI.
const TRIES: u32 = 10;

/// The longest pause between two of them.
const MOST_WAIT: Duration = Duration::from_secs(5);

/// The pauses before STS is called again: it may not know a new role or trust policy yet.
const UNKNOWN_YET: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// Provides the keys of an assumed role. Each request assumes the role again.
pub(super) struct Assumed {
    role: AssumedRole,
    /// Signs with the credentials that assume the role. For a token, it does not sign.
    sts: aws_sdk_sts::Client,
    partition: Partition,
    hide: Hide,
}

/// Whether another attempt may succeed.
enum Hope {
    Some,
    None,
}

impl Assumed {
    /// The keys of this role. `config` has the credentials that assume it.
    pub(super) fn new(role: &AssumedRole, config: &SdkConfig, partition: Partition, hide: Hide) -> Self {
        Self { role: role.clone(), sts: client_of!(aws_sdk_sts, config), partition, hide }
    }

    async fn keys(&self) -> Result<Keys, Fault> {
        let arn = self.arn().await?;
        match &self.role.proof {
            Proof::Credentials { external_id, no_token } => {
                patiently(|| self.by_credentials(&arn, external_id.as_deref(), *no_token)).await
            }
            Proof::Token(token) => patiently(|| self.by_token(&arn, token)).await,
            Proof::RequestedToken { url, bearer } => {
                let token = fetch(url, bearer, &audience(&arn)).await?;
                (self.hide)(Hidden::Credential(token.expose()));
                patiently(|| self.by_token(&arn, &token)).await
            }
        }
    }

    /// The ARN of the role. A bare name gets the account and partition.
    async fn arn(&self) -> Result<String, Fault> {
        match (&self.role.role, &self.role.account) {
            (Role::Arn(arn), _) => Ok(arn.clone()),
            (Role::Name(name), Some(account)) => Ok(self.partition.role(account, name)),
            (Role::Name(name), None) => {
                let account = account(&self.sts).await?;
                Ok(account.partition(&self.partition).role(&account.id, name))
            }
        }
    }

    async fn by_credentials(
        &self,
        arn: &str,
        external_id: Option<&str>,
        no_token: Option<&str>,
    ) -> Result<Keys, (Fault, Hope)> {
        tracing::debug!("assuming `{arn}` with the credentials, because there is no OIDC token or they were given");
        let call = self.sts.assume_role().role_arn(arn).role_session_name(&self.role.session_name);
        let answer =
            call.set_duration_seconds(self.seconds()).set_external_id(external_id.map(str::to_owned)).send().await;
        let help = "the role's trust policy must allow `sts:AssumeRole` to the identity of the credentials, and so must the policy of that identity";
        let help = no_token.map_or_else(|| help.to_owned(), |no_token| format!("{help}; {no_token}"));
        let answer = answer.map_err(|error| refused(&error, "sts:AssumeRole", arn, &help))?;
        keys(answer.credentials(), arn)
    }

    async fn by_token(&self, arn: &str, token: &Jwt) -> Result<Keys, (Fault, Hope)> {
        tracing::debug!("assuming `{arn}` with the OIDC token of the CI, because no keys and no profile were given");
        let call = self.sts.assume_role_with_web_identity().role_arn(arn).role_session_name(&self.role.session_name);
        let call = call.set_duration_seconds(self.seconds()).web_identity_token(token.expose());
        let answer = call.customize().interceptor(OnlyToSts).send().await;
        let claims = claims(token).map(|claims| format!(", as this token says: {claims}")).unwrap_or_default();
        let help = format!(
            "the account needs the CI as its identity provider, and the role a trust policy that allows `sts:AssumeRoleWithWebIdentity` to it for the right `aud` and `sub`{claims}"
        );
        let answer = answer.map_err(|error| refused(&error, "sts:AssumeRoleWithWebIdentity", arn, &help))?;
        keys(answer.credentials(), arn)
    }

    fn seconds(&self) -> Option<i32> {
        self.role.duration.and_then(|duration| i32::try_from(duration.as_secs()).ok())
    }
}

impl fmt::Debug for Assumed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Assumed")
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let keys = async { self.keys().await.map_err(|fault| CredentialsError::provider_error(fault::Carried(fault))) };
        provider::future::ProvideCredentials::new(keys)
    }
}

/// Assumes a role, and tries again for some seconds if that may succeed.
async fn patiently<F>(assume: impl Fn() -> F) -> Result<Keys, Fault>
where
    F: Future<Output = Result<Keys, (Fault, Hope)>>,
{
    for wait in UNKNOWN_YET {
        match assume().await {
            Err((_, Hope::Some)) => tokio::time::sleep(wait).await,
            ended => return ended.map_err(|(fault, _)| fault),
        }
    }
    assume().await.map_err(|(fault, _)| fault)
}

fn keys(answer: Option<&types::Credentials>, arn: &str) -> Result<Keys, (Fault, Hope)> {
    let missing = || (Fault::new(FaultKind::Failed, format!("STS answered without keys for `{arn}`")), Hope::None);
    let answer = answer.ok_or_else(missing)?;
    let expires = (*answer.expiration()).try_into().ok();
    let token = Some(answer.session_token().to_owned());
    Ok(Keys::new(answer.access_key_id(), answer.secret_access_key(), token, expires, env!("CARGO_PKG_NAME")))
}

/// The error of STS for a role that cannot be assumed, with help for the trust policy.
fn refused<E>(error: &SdkError<E, HttpResponse>, action: &str, arn: &str, help: &str) -> (Fault, Hope)
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    let fault = fault::of(error, &Call { action, resource: arn }).fault;
    match code {
        "AccessDenied" | "InvalidIdentityToken" => (Fault { kind: FaultKind::Denied, ..fault.help(help) }, Hope::Some),
        "IDPRejectedClaim" => (Fault { kind: FaultKind::Denied, ..fault.help(help) }, Hope::None),
        _ => (fault, Hope::None),
    }
}

/// The audience of a token: the name of STS in the partition of the role.
fn audience(arn: &str) -> String {
    let partition = Partition::of_arn(arn).unwrap_or_else(|| Partition::of_region(""));
    format!("sts.{}", partition.dns_suffix())
}

/// Refuses to send a token to any other service than STS: whoever has the token can act as the job.
#[derive(Debug)]
struct OnlyToSts;

impl Intercept for OnlyToSts {
    fn name(&self) -> &'static str {
        "OnlyToSts"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let uri = context.request().uri();
        if Address::parse(uri).is_some_and(|address| address.is_here() || is_sts(&address)) {
            return Ok(());
        }
        let host = Address::parse(uri).map(|address| address.host()).unwrap_or_default();
        let message = format!(
            "the OIDC token of the job would be sent to `{host}`, which is neither STS of AWS nor this machine"
        );
        let fault = Fault::new(FaultKind::Misconfigured, message);
        Err(fault::Carried(fault.help("look at `endpoint_url`, `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_STS`")).into())
    }
}

/// Whether an address belongs to STS: global, of a Region, with FIPS or both IP versions, or in a VPC.
///
/// Source: <https://docs.aws.amazon.com/general/latest/gr/sts.html>, and the endpoint rules of the SDK for the domains of
/// the partitions.
fn is_sts(address: &Address) -> bool {
    const DOMAINS: [&str; 10] = [
        "amazonaws.com",
        "amazonaws.com.cn",
        "amazonaws.eu",
        "c2s.ic.gov",
        "sc2s.sgov.gov",
        "cloud.adc-e.uk",
        "csp.hci.ic.gov",
        "api.aws",
        "api.amazonwebservices.com.cn",
        "api.amazonwebservices.eu",
    ];
    let host = address.host();
    let parts: Vec<_> = host.split('.').collect();
    let rest = match parts[..] {
        [endpoint, "sts", ..] if endpoint.starts_with("vpce-") => &parts[2..],
        ["sts" | "sts-fips", ..] => &parts[1..],
        _ => return false,
    };
    let in_vpc = parts[0].starts_with("vpce-");
    let domain = |parts: &[&str]| parts.join(".");
    let known = match rest {
        [region, domain_parts @ ..] if is_region(region) => {
            let name = domain(domain_parts);
            let of_vpc = name.strip_prefix("vpce.").unwrap_or(&name);
            DOMAINS.contains(&of_vpc) && (name != of_vpc) == in_vpc
        }
        global => !in_vpc && domain(global) == "amazonaws.com",
    };
    known && address.is_encrypted() && matches!(address.port(), None | Some(443))
}

/// The claims of a token that trust policies check, for a message. They are not secret. `None` if they cannot be read.
fn claims(token: &Jwt) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.expose().split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let told = |name: &&str| {
        let claim = claims.get(name)?;
        Some(format!("`{name}` is `{}`", claim.as_str().map_or_else(|| claim.to_string(), str::to_owned)))
    };
    let told: Vec<_> = ["iss", "aud", "sub"].iter().filter_map(told).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// Requests a token from the CI, as GitHub's `@actions/core` does: `GET URL&audience=…` with a bearer token.
async fn fetch(url: &str, bearer: &Secret, audience: &str) -> Result<Jwt, Fault> {
    let connector = wire::connector(url);
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joint}audience={audience}");
    let (mut tries, mut wait) = (1, Duration::from_millis(100));
    loop {
        match ask(&connector, &url, bearer).await {
            Err((_, Hope::Some)) if tries < TRIES => tokio::time::sleep(wait).await,
            Err((fault, _)) => return Err(fault),
            Ok(token) => return Ok(token),
        }
        tries += 1;
        wait = MOST_WAIT.min(wait * 2);
    }
}

async fn ask(connector: &SharedHttpConnector, url: &str, bearer: &Secret) -> Result<Jwt, (Fault, Hope)> {
    let unusable = || {
        let fault = Fault::new(FaultKind::Denied, "the CI's request for an OIDC token cannot be made")
            .help("look at `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, which the CI sets");
        (fault, Hope::None)
    };
    let mut request = Request::get(url).map_err(|_| unusable())?;
    let headers = [("authorization", format!("bearer {}", bearer.expose())), ("accept", "application/json".to_owned())];
    for (name, value) in headers {
        request.headers_mut().try_insert(name, value).map_err(|_| unusable())?;
    }
    let answer = connector.call(request).await;
    let answer = answer.map_err(|error| match wire::silence(&error) {
        Some(page @ Silence::WebPage) => (no_answer(&page.to_string()), Hope::None),
        Some(silence) => (no_answer(&silence.to_string()), Hope::Some),
        None => (no_answer(&fault::chain(&error)), Hope::Some),
    })?;
    let status = answer.status().as_u16();
    if status != 200 {
        let told = no_answer(&format!("it answered {status}"));
        return Err(match status {
            429 | 500.. => (told, Hope::Some),
            _ => (
                Fault {
                    kind: FaultKind::Denied,
                    ..told.help("look whether the job still runs and has `permissions: {id-token: write}`")
                },
                Hope::None,
            ),
        });
    }
    let body = ByteStream::new(answer.into_body()).collect().await;
    let body = body.map_err(|error| (no_answer(&fault::chain(&error)), Hope::Some))?.into_bytes();
    // An error of the parser could quote the token.
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = answer.get("value").and_then(Value::as_str).and_then(Jwt::parse);
    token.ok_or_else(|| (no_answer("there is none in its answer"), Hope::None))
}

fn no_answer(why: &str) -> Fault {
    Fault::new(FaultKind::Failed, format!("the CI's service for OIDC tokens gives none: {why}"))
        .help("run again later; a proxy on the way must let this service pass")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_what_a_trust_policy_checks() {
        let payload = r#"{"iss":"https://i","aud":["a","b"],"sub":"repo:o/r:environment:prod","jti":"x"}"#;
        let token = Jwt::parse(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))).unwrap();
        let expected = r#"`iss` is `https://i`, `aud` is `["a","b"]`, `sub` is `repo:o/r:environment:prod`"#;
        assert_eq!(claims(&token).as_deref(), Some(expected));
        assert_eq!(claims(&Jwt::parse("e30.e30.c2ln").unwrap()), None);
    }

    #[test]
    fn tokens_go_to_sts_and_nowhere_else() {
        let is_sts = |url: &str| is_sts(&Address::parse(url).unwrap());
        for sts in [
            "https://sts.amazonaws.com/",
            "https://STS.eu-west-1.amazonaws.com/",
            "https://sts.eu-west-1.amazonaws.com:443/",
            "https://sts-fips.us-east-1.amazonaws.com/",
            "https://sts.us-gov-west-1.amazonaws.com/",
            "https://sts.cn-north-1.amazonaws.com.cn/",
            "https://sts.us-iso-east-1.c2s.ic.gov/",
            "https://sts.us-isob-east-1.sc2s.sgov.gov/",
            "https://sts.eusc-de-east-1.amazonaws.eu/",
            "https://sts.eu-west-1.api.aws/",
            "https://vpce-0a1b-c2d3.sts.eu-west-1.vpce.amazonaws.com/",
            "https://vpce-0a1b-c2d3-eu-west-1a.sts.eu-west-1.vpce.amazonaws.com/",
            "https://vpce-0a1b.sts.cn-north-1.vpce.amazonaws.com.cn/",
        ] {
            assert!(is_sts(sts), "{sts}");
        }
        for other in [
            "http://sts.amazonaws.com/",
            "https://sts.amazonaws.com:8443/",
            "https://sts.amazonaws.com.evil.com/",
            "https://sts.amazonaws.com@evil.com/",
            "https://evil.com/sts.amazonaws.com",
            "https://sts.evil.com/",
            "https://xsts.amazonaws.com/",
            "https://sts.s3.amazonaws.com/",
            "https://sts.s3.eu-west-1.amazonaws.com/",
            "https://sts.eu-west-1.s3.amazonaws.com/",
            "https://sts.eu-west-1.elb.amazonaws.com/",
            "https://sts.execute-api.eu-west-1.amazonaws.com/",
            "https://sts.eu-west-1.on.aws/",
            "https://vpce-1.vpce-svc-2.eu-west-1.vpce.amazonaws.com/",
            "https://vpce-1.sts.eu-west-1.amazonaws.com/",
            "https://sts.eu-west-1.vpce.amazonaws.com/",
            "https://vpce-1.sts.amazonaws.com/",
            "https://sts.api.aws/",
            "https://amazonaws.com/",
        ] {
            assert!(!is_sts(other), "{other}");
        }
    }

    #[test]
    fn the_audience_is_that_of_the_partition() {
        assert_eq!(audience("arn:aws-cn:iam::123456789012:role/ci"), "sts.amazonaws.com.cn");
        assert_eq!(audience("arn:aws:iam::123456789012:role/ci"), "sts.amazonaws.com");
    }
}
