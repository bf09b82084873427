//! Region, credentials, endpoint: one configuration for every client.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{
    BehaviorVersion, ConfigLoader, Region, SdkConfig,
    identity::IdentityCache,
    imds::region::ImdsRegionProvider,
    meta::region::RegionProviderChain,
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider},
    provider_config::ProviderConfig,
    retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::{self, error::CredentialsError};
use aws_sdk_lambda::{
    Client,
    config::{Credentials as Keys, ProvideCredentials, SharedCredentialsProvider},
};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use tokio::sync::{Mutex, OnceCell};

use super::account::{Account, account};
use super::assume::Assumed;
use super::fault;
use super::hide::{Hidden, Hide};
use super::wire::{self, client_of};
use crate::arn::Partition;
use crate::deployment::{Credentials, Proof, Target};
use crate::fault::{Fault, FaultKind};
use crate::remote::Caller;
use crate::settings::Address;

/// The profile if none is named: the SDK would read an empty `AWS_PROFILE` as a name.
const NO_PROFILE: &str = "default";

/// The clients for one Region and one identity. All blocks with this identity share its connection pool.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(super) lambda: Client,
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) hide: Hide,
    /// The certificates to trust, as PEM; absent for those of the system.
    pub(super) certificates: Option<Arc<[u8]>>,
    config: SdkConfig,
    /// The Region in use.
    pub region: String,
    partition: Partition,
    /// The account of the identity, once it was looked up. Connections to other Regions share it.
    account: Arc<OnceCell<Account>>,
    /// The id of the key in use.
    pub access_key_id: String,
}

/// Finds Region and credentials. Calls no service, except those that the credentials come from.
///
/// `hide` receives every secret of the credentials, also of later ones that replace expired ones, and every value in the
/// environment of a function that is read.
pub(crate) async fn connect(
    target: &Target,
    hide: impl Fn(Hidden<'_>) + Send + Sync + 'static,
) -> Result<Connection, Fault> {
    let http_client = wire::client(target.endpoint_url.as_deref(), target.certificates.clone());
    let surroundings = ProviderConfig::default().with_http_client(http_client.clone());
    let region = region(target, &surroundings).await?;
    let retries = RetryConfig::standard()
        .with_max_attempts(6)
        .with_initial_backoff(Duration::from_millis(250))
        .with_max_backoff(Duration::from_secs(5));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        .retry_config(retries)
        .timeout_config(TimeoutConfig::builder().connect_timeout(wire::CONNECT).build())
        // `Remembered` keeps the credentials. The SDK's own cache would give up before a role is assumed.
        .identity_cache(IdentityCache::no_cache())
        .region(region.clone());
    if let Some(endpoint) = &target.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    let surroundings = surroundings.with_region(Some(region.clone()));
    let partition = Partition::of_region(region.as_ref());
    let hide: Hide = Arc::new(hide);

    let (config, keys) = match &target.role {
        None => with_credentials(loader, target, &surroundings, &hide).await?,
        Some(role) => {
            let config = match role.proof {
                Proof::Credentials { .. } => with_credentials(loader, target, &surroundings, &hide).await?.0,
                Proof::Token(_) | Proof::RequestedToken { .. } => {
                    loader.profile_name(NO_PROFILE).no_credentials().load().await
                }
            };
            let assumed = Assumed::new(role, &config, partition.clone(), Arc::clone(&hide));
            let remembered = Remembered::begin(SharedCredentialsProvider::new(assumed), config, &hide).await;
            remembered.map_err(|error| {
                fault::carried(&error).cloned().unwrap_or_else(|| no_credentials(&fault::chain(&error)))
            })?
        }
    };
    Ok(Connection::new(config, target, &region, keys.access_key_id(), hide, Arc::default()))
}

/// The client for packages. It adds no checksums of its own, because not every store knows them.
fn s3(config: &SdkConfig, target: &Target) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config)
        .force_path_style(target.path_style)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_classifier(wire::Unreadable);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// The Region to call.
async fn region(target: &Target, surroundings: &ProviderConfig) -> Result<Region, Fault> {
    let region = region_chain(target, surroundings).region().await.ok_or_else(|| {
        Fault::new(FaultKind::Misconfigured, "no Region is set")
            .help("set `region` in the block, `--region`, or the variable `AWS_REGION`")
    })?;
    let why = if target.region.is_some() { "the configuration names it" } else { "the profile or the machine has it" };
    tracing::debug!("calling {region} because {why}");
    Ok(region)
}

/// Finds the Region: the named one, or else that of the profile, dpl's default, or the machine's. The configuration has
/// already read the variables.
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

/// The profile to read.
fn profile_name(credentials: &Credentials) -> Option<&str> {
    match credentials {
        Credentials::Chain => Some(NO_PROFILE),
        Credentials::Profile(name) => Some(name),
        Credentials::Keys { .. } => None,
    }
}

/// Credentials that are fetched once and kept until shortly before they expire. So the hidden ones are those in use.
struct Remembered {
    inner: SharedCredentialsProvider,
    current: Mutex<Option<Keys>>,
    hide: Hide,
}

impl Remembered {
    /// Fetches the credentials for the first time. Returns a configuration that uses them.
    async fn begin(
        inner: SharedCredentialsProvider,
        config: SdkConfig,
        hide: &Hide,
    ) -> Result<(SdkConfig, Keys), CredentialsError> {
        let remembered = Self { inner, current: Mutex::default(), hide: Arc::clone(hide) };
        let keys = remembered.keys().await?;
        let config = config.into_builder().credentials_provider(SharedCredentialsProvider::new(remembered));
        Ok((config.build(), keys))
    }

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
            .for_each(|secret| (self.hide)(Hidden::Credential(secret)));
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
    fn new(
        config: SdkConfig,
        target: &Target,
        region: &Region,
        access_key_id: &str,
        hide: Hide,
        account: Arc<OnceCell<Account>>,
    ) -> Self {
        Self {
            lambda: client_of!(aws_sdk_lambda, &config),
            s3: s3(&config, target),
            logs: client_of!(aws_sdk_cloudwatchlogs, &config),
            iam: client_of!(aws_sdk_iam, &config),
            region: region.to_string(),
            partition: Partition::of_region(region.as_ref()),
            access_key_id: access_key_id.to_owned(),
            hide,
            account,
            certificates: target.certificates.clone(),
            config,
        }
    }

    /// A connection for a target with the same identity and perhaps another Region. Does not log in again.
    pub(crate) async fn elsewhere(&self, target: &Target) -> Result<Self, Fault> {
        let surroundings = ProviderConfig::default()
            .with_http_client(wire::client(target.endpoint_url.as_deref(), target.certificates.clone()));
        let region = region(target, &surroundings).await?;
        let config = self.config.clone().into_builder().region(region.clone()).build();
        let (hide, account) = (Arc::clone(&self.hide), Arc::clone(&self.account));
        Ok(Self::new(config, target, &region, &self.access_key_id, hide, account))
    }

    /// Whether the endpoint is this machine, as that of an emulator is.
    pub(super) fn is_here(&self) -> bool {
        self.config.endpoint_url().and_then(Address::parse).is_some_and(|address| address.is_here())
    }

    /// The configuration of every client.
    pub(super) fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Looks up the account of the credentials, once for each identity.
    pub(crate) async fn identify(&self) -> Result<(), Fault> {
        let look_up = || async { account(&client_of!(aws_sdk_sts, &self.config)).await };
        self.account.get_or_try_init(look_up).await.map(drop)
    }

    /// The user or role whose policies count, if the account was looked up and the identity has one.
    pub(super) fn principal(&self) -> Option<&str> {
        self.account.get()?.principal.as_deref()
    }

    /// What to do about the clock of this machine; absent if it agrees with that of AWS, or if the account was not looked
    /// up.
    pub(crate) fn clock(&self) -> Option<&str> {
        self.account.get()?.clock.as_deref()
    }

    /// The account, if it was looked up, and the Region.
    pub(crate) fn caller(&self) -> Caller {
        let account = self.account.get();
        let partition = account.map_or_else(|| self.partition.clone(), |account| account.partition(&self.partition));
        let identity = account.and_then(|account| account.identity.clone());
        Caller { account: account.map(|account| account.id.clone()), identity, partition, region: self.region.clone() }
    }
}

/// A configuration that calls with the credentials of the target, and their keys.
async fn with_credentials(
    loader: ConfigLoader,
    target: &Target,
    surroundings: &ProviderConfig,
    hide: &Hide,
) -> Result<(SdkConfig, Keys), Fault> {
    let loader = match &target.credentials {
        Credentials::Chain => loader.profile_name(NO_PROFILE),
        // A named profile counts more than keys in the environment.
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
    };
    let config = loader.load().await;
    let provider = config.credentials_provider().ok_or_else(|| no_credentials("nothing provides any"))?;
    Remembered::begin(provider, config, hide).await.map_err(|error| match &target.credentials {
        Credentials::Profile(name) => {
            let message = format!("the profile `{name}` gives no credentials: {}", fault::chain(&error));
            Fault::new(FaultKind::Denied, message)
                .help("look at `profile` or `AWS_PROFILE`, and at the files `~/.aws/config` and `~/.aws/credentials`")
        }
        Credentials::Chain | Credentials::Keys { .. } => {
            let fault = no_credentials(&fault::chain(&error));
            match target.role.as_ref().map(|role| &role.proof) {
                Some(Proof::Credentials { no_token: Some(help), .. }) => fault.help(*help),
                _ => fault,
            }
        }
    })
}

fn no_credentials(reason: &str) -> Fault {
    Fault::new(FaultKind::Denied, format!("there are no usable AWS credentials: {reason}")).help(
        "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (and `AWS_SESSION_TOKEN`), or give the job a role or a profile",
    )
}
