//! Region, credentials, endpoint: one configuration for every client.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, ConfigLoader, Region, SdkConfig,
    imds::region::ImdsRegionProvider,
    meta::region::RegionProviderChain,
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider},
    provider_config::ProviderConfig,
    retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider;
use aws_sdk_lambda::{
    Client,
    config::{Credentials as Keys, ProvideCredentials, SharedCredentialsProvider, SharedHttpClient},
};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use tokio::sync::Mutex;

use super::fault::{self, Call};
use crate::apply::{Fault, FaultKind};
use crate::deployment::{Credentials, Target};
use crate::remote::Caller;
use crate::settings::{Partition, Secret};

/// A way to AWS, as somebody, in a Region.
pub struct Connection {
    pub(super) lambda: Client,
    pub(super) s3: aws_sdk_s3::Client,
    config: SdkConfig,
    /// The Region and its partition; the account once it was asked for.
    pub caller: Caller,
    /// The id of the key in use.
    pub access_key_id: String,
    /// What must never be shown of the credentials in use.
    pub secrets: Vec<Secret>,
}

/// Finds Region and credentials. Asks no service of AWS beyond what the credentials themselves need.
///
/// `hide` is told every secret of the credentials, also of those that replace expired ones later.
pub async fn connect(target: &Target, hide: impl Fn(&str) + Send + Sync + 'static) -> Result<Connection, Fault> {
    let http_client = http_client(target);
    let surroundings = ProviderConfig::default().with_http_client(http_client.clone());
    let region = region_chain(target, &surroundings).region().await.ok_or_else(|| {
        Fault::new(FaultKind::Misconfigured, "no Region is set")
            .help("set `region` in the block, `--region`, or the variable `AWS_REGION`")
    })?;
    let why = if target.region.is_some() { "the configuration names it" } else { "the profile or the machine has it" };
    tracing::debug!("calling {region} because {why}");
    let retries = RetryConfig::standard()
        .with_max_attempts(6)
        .with_initial_backoff(Duration::from_millis(250))
        .with_max_backoff(Duration::from_secs(5));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        .retry_config(retries)
        .timeout_config(TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).build())
        .region(region.clone());
    loader = with_credentials(loader, target, &surroundings.with_region(Some(region.clone())));
    if let Some(endpoint) = &target.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    let config = loader.load().await;

    let inner = config.credentials_provider().ok_or_else(|| no_credentials("nothing provides any"))?;
    let remembered = Remembered { inner, current: Mutex::default(), hide: Box::new(hide) };
    let keys = remembered.keys().await.map_err(|error| match &target.credentials {
        Credentials::Profile(name) => {
            let message = format!("the profile `{name}` gives no credentials: {}", fault::chain(&error));
            Fault::new(FaultKind::Denied, message)
                .help("look at `profile` or `AWS_PROFILE`, and at the files `~/.aws/config` and `~/.aws/credentials`")
        }
        Credentials::Chain | Credentials::Keys { .. } => no_credentials(&fault::chain(&error)),
    })?;
    let config = config.into_builder().credentials_provider(SharedCredentialsProvider::new(remembered)).build();
    let secrets = [Some(keys.secret_access_key()), keys.session_token(), Some(keys.access_key_id())];
    Ok(Connection {
        lambda: Client::new(&config),
        s3: s3(&config, target),
        caller: Caller { account: None, partition: partition(region.as_ref()), region: region.to_string() },
        access_key_id: keys.access_key_id().to_owned(),
        secrets: secrets.into_iter().flatten().map(Secret::new).collect(),
        config,
    })
}

/// A client for packages, whose checksums are made here: those that it would add are more than every store knows.
fn s3(config: &SdkConfig, target: &Target) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config)
        .force_path_style(target.path_style)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// The Region named, else that of the profile, dpl's default, or the machine's. Variables have been read by then.
fn region_chain(target: &Target, surroundings: &ProviderConfig) -> RegionProviderChain {
    let mut profile = ProfileFileRegionProvider::builder().configure(surroundings);
    if let Some(name) = profile_name(&target.credentials) {
        profile = profile.profile_name(name);
    }
    let named = |region: &Option<String>| region.clone().map(Region::new);
    RegionProviderChain::first_try(named(&target.region))
        .or_else(profile.build())
        .or_else(named(&target.fallback_region))
        .or_else(ImdsRegionProvider::builder().configure(surroundings).build())
}

/// The profile to read. Without one it is named too, since the SDK takes an empty `AWS_PROFILE` for a name.
fn profile_name(credentials: &Credentials) -> Option<&str> {
    match credentials {
        Credentials::Chain => Some("default"),
        Credentials::Profile(name) => Some(name),
        Credentials::Keys { .. } => None,
    }
}

/// Credentials that are asked for once and then kept until shortly before they expire, so that those which are hidden
/// are those in use.
struct Remembered {
    inner: SharedCredentialsProvider,
    current: Mutex<Option<Keys>>,
    hide: Box<dyn Fn(&str) + Send + Sync>,
}

impl Remembered {
    async fn keys(&self) -> provider::Result {
        const SPARE: Duration = Duration::from_mins(1);
        let mut current = self.current.lock().await;
        if let Some(keys) = &*current
            && keys.expiry().is_none_or(|expiry| expiry.elapsed().is_err_and(|left| left.duration() > SPARE))
        {
            return Ok(keys.clone());
        }
        let keys = self.inner.provide_credentials().await?;
        [Some(keys.secret_access_key()), keys.session_token(), Some(keys.access_key_id())]
            .into_iter()
            .flatten()
            .for_each(&self.hide);
        *current = Some(keys.clone());
        Ok(keys)
    }
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Remembered")
    }
}

impl ProvideCredentials for Remembered {
    fn provide_credentials<'a>(&'a self) -> provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        provider::future::ProvideCredentials::new(self.keys())
    }
}

impl Connection {
    /// Asks STS whose credentials these are, once.
    pub async fn identify(&mut self) -> Result<(), Fault> {
        if self.caller.account.is_some() {
            return Ok(());
        }
        let sts = aws_sdk_sts::Client::new(&self.config);
        let answer = sts.get_caller_identity().send().await;
        let answer = answer
            .map_err(|error| fault::of(&error, &Call { action: "sts:GetCallerIdentity", resource: "*" }).fault)?;
        self.caller.account = answer.account().map(str::to_owned);
        // A Region whose partition is known says more than an emulator's STS does.
        let told = answer.arn().and_then(Partition::of_arn).filter(|_| self.caller.partition.0 == "aws");
        if let Some(told) = told {
            self.caller.partition = told;
        }
        Ok(())
    }
}

fn with_credentials(loader: ConfigLoader, target: &Target, surroundings: &ProviderConfig) -> ConfigLoader {
    match &target.credentials {
        Credentials::Chain => loader.profile_name("default"),
        // A profile that was asked for is used even where the environment has keys.
        Credentials::Profile(name) => {
            let provider = ProfileFileCredentialsProvider::builder().profile_name(name).configure(surroundings);
            loader.profile_name(name).credentials_provider(provider.build())
        }
        Credentials::Keys { access_key_id, secret_access_key, session_token } => {
            let token = session_token.as_ref().map(|token| token.expose().to_owned());
            let keys =
                Keys::new(access_key_id.expose(), secret_access_key.expose(), token, None, env!("CARGO_PKG_NAME"));
            loader.credentials_provider(keys)
        }
    }
}

fn no_credentials(reason: &str) -> Fault {
    Fault::new(FaultKind::Denied, format!("there are no usable AWS credentials: {reason}")).help(
        "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (and `AWS_SESSION_TOKEN`), or give the job a role or a profile",
    )
}

/// TLS by rustls with the system's certificates, through the proxy that the environment names; an emulator on this
/// machine is never behind one.
fn http_client(target: &Target) -> SharedHttpClient {
    let host = target.endpoint_url.as_deref().and_then(|url| url.split("://").nth(1)).unwrap_or_default();
    let local = ["localhost", "127.", "[::1]"].iter().any(|name| host.starts_with(name));
    Builder::new().build_with_connector_fn(move |settings, components| {
        let proxy = if local { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
        let mut connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).proxy_config(proxy);
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(aws_sdk_lambda::config::RuntimeComponents::sleep_impl));
        connector.build()
    })
}

/// The partition of a Region, by the prefixes of the SDK's own partition table.
fn partition(region: &str) -> Partition {
    const PREFIXES: &[(&str, &str)] = &[
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-iso-", "aws-iso"),
        ("eusc-", "aws-eusc"),
    ];
    let found = PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix));
    Partition(found.map_or("aws", |(_, partition)| partition).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_know_their_partition() {
        for (region, expected) in [
            ("eu-west-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(partition(region).0, expected);
        }
    }
}
