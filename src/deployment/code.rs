//! The code of a function or a layer, and where it comes from.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{AssumedRole, Proof, Rules, Target};
use crate::reference::Reference;
use crate::settings::{Architecture, FunctionName, ImageUri, Role};

/// The code of a function or layer, and its packaging.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    /// The source.
    pub source: CodeSource,
    /// The command that builds a missing source, for the message; absent when unknown.
    pub how_to_build: Option<String>,
    /// The files to package.
    pub rules: Rules,
    /// The instruction set that the user named; absent for that of the package's binaries or of the live function.
    pub architecture: Option<Architecture>,
    /// The place in S3 to upload the package to; absent to send it in the call of Lambda.
    pub upload: Option<Upload>,
    /// The key that encrypts the package at rest; absent to keep the live one.
    pub source_kms_key_arn: Option<String>,
    /// The names of the inspection rules that the user turned off.
    pub ignore: BTreeSet<String>,
}

/// The source of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CodeSource {
    /// A directory, a single file, or a ready archive.
    Path(PathBuf),
    /// A ready archive in S3.
    Object {
        /// The bucket, in the function's Region.
        bucket: String,
        /// The object's key.
        key: String,
        /// Its version; absent for the newest.
        version_id: Option<String>,
        /// The account that the bucket must belong to; absent for any.
        expected_owner: Option<String>,
    },
    /// A container image.
    Image(ImageUri),
    /// The code of another function.
    Function(Box<SourceFunction>),
    /// The live function: its code stays.
    Live,
    /// An image or an archive in S3 whose name is elsewhere and was not read.
    Unread {
        /// The option.
        option: &'static str,
        /// Where the name is.
        reference: Reference,
    },
}

/// A function whose code another one gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceFunction {
    /// The function.
    pub function: FunctionName,
    /// Its version or alias; absent for `$LATEST`.
    pub qualifier: Option<String>,
    /// Its Region; absent for that of the deployment.
    pub region: Option<String>,
    /// The role that reads it; absent for that of the deployment.
    pub role: Option<Role>,
    /// The external id that the trust policy of its own role requires; absent for none.
    pub external_id: Option<String>,
    /// The name of the session of its own role in AWS' logs.
    pub session_name: String,
}

impl SourceFunction {
    /// The function as messages name it.
    fn shown(&self) -> String {
        let qualifier = self.qualifier.as_ref().map(|name| format!(":{name}")).unwrap_or_default();
        format!("the function {}{qualifier}", self.function.written)
    }

    /// How AWS is called to read it. Its own role is assumed with the same proof as that of the deployment.
    pub(crate) fn target(&self, deployment: &Target) -> Target {
        let own = self.role.clone().map(|role| AssumedRole {
            role,
            account: self.function.account.clone(),
            session_name: self.session_name.clone(),
            duration: None,
            proof: match deployment.role.as_ref().map(|assumed| &assumed.proof) {
                Some(token @ (Proof::Token(_) | Proof::RequestedToken { .. })) => token.clone(),
                Some(Proof::Credentials { .. }) | None => {
                    Proof::Credentials { external_id: self.external_id.clone(), no_token: None }
                }
            },
        });
        Target {
            region: self.region.clone().or_else(|| deployment.region.clone()),
            role: own.or_else(|| deployment.role.clone()),
            // Only the deployed function is changed.
            expect_account: None,
            ..deployment.clone()
        }
    }
}

impl CodeSource {
    /// The source in the form that users write.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Object { bucket, key, .. } => format!("s3://{bucket}/{key}"),
            Self::Image(uri) => uri.to_string(),
            Self::Function(source) => source.shown(),
            Self::Live => "the live code".to_owned(),
            Self::Unread { reference, .. } => reference.to_string(),
        }
    }

    /// AWS' package type for a function from this source, which AWS cannot change later; `None` if it is not known yet, or
    /// no code is sent.
    pub(crate) fn package_type(&self) -> Option<&'static str> {
        match self {
            Self::Unread { option: "image_uri", .. } | Self::Image(_) => Some("Image"),
            Self::Path(_) | Self::Object { .. } | Self::Unread { .. } => Some("Zip"),
            Self::Function(_) | Self::Live => None,
        }
    }

    /// The option that sets the source.
    pub(crate) fn option(&self) -> &'static str {
        match self {
            Self::Path(_) => "zip",
            Self::Object { .. } => "s3_key",
            Self::Image(_) => "image_uri",
            Self::Function(_) => "code_from",
            Self::Live => "only",
            Self::Unread { option, .. } => option,
        }
    }
}

/// A place in S3 from which Lambda takes a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    /// The bucket, in the function's Region.
    pub bucket: String,
    /// The object's key.
    pub key: ObjectKey,
    /// The account that the bucket must belong to; absent for any.
    pub expected_owner: Option<String>,
    /// The key that encrypts the object; absent for the bucket's default.
    pub kms_key_arn: Option<String>,
}

/// The key of an object in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ObjectKey {
    /// This prefix and the hash of the package. An object with this key need not be sent again.
    ByHash(String),
    /// This key. The package is always sent and replaces an existing object.
    Given(String),
}
