//! Region, credentials, endpoint: one configuration for every client.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_lambda::{
    Client,
    config::{Credentials as Keys, ProvideCredentials, SharedCredentialsProvider, SharedHttpClient},
};
use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};

use super::fault::{self, Call};
use crate::apply::{Fault, FaultKind};
use crate::deployment::{Credentials, Target};
use crate::remote::Caller;
use crate::settings::{Partition, Secret};

/// A way to AWS, as somebody, in a Region.
pub struct Connection {
    pub(super) lambda: Client,
    config: SdkConfig,
    /// The Region and its partition; the account once it was asked for.
    pub caller: Caller,
    /// The id of the key in use.
    pub access_key_id: String,
    /// What must never be shown of the credentials in use.
    pub secrets: Vec<Secret>,
}

/// Finds Region and credentials. Asks no service of AWS beyond what the credentials themselves need.
pub async fn connect(target: &Target) -> Result<Connection, Fault> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(8)
                .with_initial_backoff(Duration::from_millis(250))
                .with_max_backoff(Duration::from_secs(10)),
        )
        .timeout_config(TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).build());
    loader = with_credentials(loader, &target.credentials);
    if let Some(region) = &target.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &target.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    let mut config = loader.load().await;
    let found = config.region().map(ToString::to_string).filter(|region| !region.is_empty());
    let found_by_chain = found.is_some();
    let region = found.or_else(|| target.fallback_region.clone()).ok_or_else(|| {
        Fault::new(FaultKind::Misconfigured, "no Region is set")
            .help("set `region` in the block, `--region`, or the variable `AWS_REGION`")
    })?;
    tracing::debug!(
        "calling {region} because {}",
        match (&target.region, found_by_chain) {
            (Some(_), _) => "the configuration names it",
            (None, true) => "the SDK's chain found it",
            (None, false) => "it is dpl's default",
        }
    );
    config = config.into_builder().region(Region::new(region.clone())).build();

    let provider = config.credentials_provider().ok_or_else(|| no_credentials("nothing provides any"))?;
    let keys = provider.provide_credentials().await.map_err(|error| no_credentials(&fault::chain(&error)))?;
    let secrets = [Some(keys.secret_access_key()), keys.session_token(), Some(keys.access_key_id())];
    Ok(Connection {
        lambda: Client::new(&config),
        caller: Caller { account: None, partition: partition(&region), region },
        access_key_id: keys.access_key_id().to_owned(),
        secrets: secrets.into_iter().flatten().map(Secret::new).collect(),
        config,
    })
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
        self.caller.partition =
            answer.arn().and_then(Partition::of_arn).unwrap_or_else(|| partition(&self.caller.region));
        Ok(())
    }
}

fn with_credentials(loader: ConfigLoader, credentials: &Credentials) -> ConfigLoader {
    match credentials {
        Credentials::Chain => loader,
        Credentials::Profile(name) => loader.profile_name(name),
        Credentials::Keys { access_key_id, secret_access_key, session_token } => {
            let token = session_token.as_ref().map(|token| token.expose().to_owned());
            let keys =
                Keys::new(access_key_id.expose(), secret_access_key.expose(), token, None, env!("CARGO_PKG_NAME"));
            loader.credentials_provider(SharedCredentialsProvider::new(keys))
        }
    }
}

fn no_credentials(reason: &str) -> Fault {
    Fault::new(FaultKind::Denied, format!("there are no usable AWS credentials: {reason}")).help(
        "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (and `AWS_SESSION_TOKEN`), or give the job a role or a profile",
    )
}

/// TLS by rustls with the system's certificates, through the proxy that the environment names.
fn http_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector =
            Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).proxy_config(ProxyConfig::from_env());
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
