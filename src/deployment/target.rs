//! Which account and Region a deployment calls, and with which credentials.

use std::sync::Arc;
use std::time::Duration;

use crate::settings::{Jwt, Role, Secret};

/// The Region, endpoint and credentials for calls of AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// The Region; absent to let the SDK's chain find it.
    pub region: Option<String>,
    /// The Region if the chain finds none; absent when that is an error.
    pub fallback_region: Option<String>,
    /// An endpoint instead of the Region's own; absent for `AWS_ENDPOINT_URL` or the Region's.
    pub endpoint_url: Option<String>,
    /// Whether S3 URLs have the bucket in the path and not in the host name, as emulators need it.
    pub path_style: bool,
    /// The certificates to trust, as PEM; absent for those of the system.
    pub certificates: Option<Arc<[u8]>>,
    /// The credentials.
    pub credentials: Credentials,
    /// The role to assume before all other calls; absent to call with the credentials themselves.
    pub role: Option<AssumedRole>,
    /// The only account that may be changed; absent for any.
    pub expect_account: Option<String>,
}

/// The source of the credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// The SDK's chain.
    #[default]
    Chain,
    /// A profile of the shared configuration files.
    Profile(String),
    /// Keys from one source.
    Keys {
        /// The access key id.
        access_key_id: Secret,
        /// The secret access key.
        secret_access_key: Secret,
        /// The token of temporary credentials.
        session_token: Option<Secret>,
    },
}

/// A role that is assumed for the calls of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssumedRole {
    /// The role.
    pub role: Role,
    /// The account that completes a bare role name; absent for the account of the credentials.
    pub account: Option<String>,
    /// The name of the session in AWS' logs.
    pub session_name: String,
    /// The lifetime of the session's keys; absent for the default of STS, one hour.
    pub duration: Option<Duration>,
    /// The proof that allows to assume the role.
    pub proof: Proof,
}

/// The proof that allows to assume a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The credentials of the target may assume it.
    Credentials {
        /// The external id that the role's trust policy requires; absent for none.
        external_id: Option<String>,
        /// How a job of this CI gets a token: help for a job without credentials; absent if the CI has no tokens.
        no_token: Option<&'static str>,
    },
    /// A token that the CI gave to the job. The target's credentials are not used.
    Token(Jwt),
    /// A token that is requested from the CI before each use. The target's credentials are not used.
    RequestedToken {
        /// The URL of the request, without the audience.
        url: String,
        /// The token that authorises the request.
        bearer: Secret,
    },
}

impl Target {
    /// Whether both log in with the same credentials, at the same endpoint and for the same role. The Region may differ.
    pub(crate) fn is_same_identity(&self, other: &Self) -> bool {
        self.endpoint_url == other.endpoint_url && self.credentials == other.credentials && self.role == other.role
    }

    /// Whether both surely use the same account: they have the same credentials and the same endpoint.
    pub(crate) fn is_same_account(&self, other: &Self) -> bool {
        self.endpoint_url == other.endpoint_url
            && self.credentials == other.credentials
            && match (&self.role, &other.role) {
                (None, None) => true,
                (Some(one), Some(other)) => one.role == other.role && one.account == other.account,
                _ => false,
            }
    }
}
