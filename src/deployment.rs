//! The wanted state of one function or layer: settings, code, release, attachments, and access to AWS.
//!
//! All values are resolved: no later stage asks whether an option was set. Must not know where a value came from.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use crate::reference::{Borrowed, Reference};
use crate::release::{OnFailure, Schedule, SmokeTest};
use crate::settings::{
    AliasName, Architecture, Attachment, FunctionName, Handler, ImageUri, Jwt, Role, Secret, Settings, Structure,
};

/// A function or a layer, as a block describes it.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// A function.
    Function(Box<Deployment>),
    /// A layer.
    Layer(Box<LayerDeployment>),
}

impl Item {
    /// The function; `None` for a layer.
    pub(crate) fn function(&self) -> Option<&Deployment> {
        match self {
            Self::Function(deployment) => Some(deployment),
            Self::Layer(_) => None,
        }
    }

    /// The layer; `None` for a function.
    pub(crate) fn layer(&self) -> Option<&LayerDeployment> {
        match self {
            Self::Function(_) => None,
            Self::Layer(layer) => Some(layer),
        }
    }

    /// The bare name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Function(deployment) => &deployment.function.name,
            Self::Layer(layer) => &layer.name,
        }
    }

    /// The Region, endpoint and credentials.
    pub(crate) fn target(&self) -> &Target {
        match self {
            Self::Function(deployment) => &deployment.target,
            Self::Layer(layer) => &layer.target,
        }
    }

    /// The code and its packaging.
    pub(crate) fn code(&self) -> &Code {
        match self {
            Self::Function(deployment) => &deployment.code,
            Self::Layer(layer) => &layer.code,
        }
    }

    /// The limit for all waits together.
    pub(crate) fn wait_timeout(&self) -> Duration {
        match self {
            Self::Function(deployment) => deployment.wait_timeout,
            Self::Layer(layer) => layer.wait_timeout,
        }
    }
}

/// The wanted state of one function.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    /// The function.
    pub function: FunctionName,
    /// The half that is deployed; absent for both.
    pub only: Option<Only>,
    /// The Region, endpoint and credentials.
    pub target: Target,
    /// The wanted settings; an absent one is not managed.
    pub settings: Settings,
    /// The parts of a handler, which are joined when the runtime is known; absent when `settings.handler` has it or none is
    /// managed.
    pub handler_parts: Option<HandlerParts>,
    /// The handler for a new function if the user named none; absent when a missing handler is an error.
    pub first_handler: Option<Handler>,
    /// What happens if a new function has no role.
    pub missing_role: MissingRole,
    /// Variables to set (a value) or unset (`None`); absent when the environment is not managed.
    pub environment: Option<WantedMap<Option<Secret>>>,
    /// Tags to set; absent when tags are not managed.
    pub tags: Option<WantedMap<String>>,
    /// The code and its packaging.
    pub code: Code,
    /// The version and the alias.
    pub release: Release,
    /// The wanted attachments; an absent kind is not managed.
    pub attachments: WantedAttachments,
    /// The values that come from elsewhere, also those that were not read.
    pub borrowed: Vec<Borrowed>,
    /// The limit for all waits of this function together.
    pub wait_timeout: Duration,
}

/// One half of a function, which a deployment changes alone. It never creates the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Only {
    /// The half.
    pub half: Half,
    /// The options of the other half that the user named. They have no effect.
    pub left: Vec<&'static str>,
}

/// A half of a function. The version and the alias belong to both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// The package or image.
    Code,
    /// The settings, tags and attachments.
    Settings,
}

impl Half {
    /// The word of the option.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Settings => "settings",
        }
    }

    /// The half in messages.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Code => "only its code",
            Self::Settings => "only its settings",
        }
    }
}

/// The wanted newest version of a layer.
#[derive(Debug, Clone)]
pub(crate) struct LayerDeployment {
    /// Its name, in the account of the target.
    pub name: String,
    /// The Region, endpoint and credentials.
    pub target: Target,
    /// The code and its packaging.
    pub code: Code,
    /// The kind of the layer.
    pub kind: LayerKind,
    /// The description of the version; absent for none.
    pub description: Option<String>,
    /// The compatible runtimes; absent to keep those of the newest version.
    pub compatible_runtimes: Option<BTreeSet<String>>,
    /// The compatible instruction sets; absent to keep those of the newest version.
    pub compatible_architectures: Option<BTreeSet<Architecture>>,
    /// The licence, as an identifier, a URL or its text; absent to keep that of the newest version.
    pub license_info: Option<String>,
    /// The values that come from elsewhere, also those that were not read.
    pub borrowed: Vec<Borrowed>,
    /// The limit for all waits of this layer together.
    pub wait_timeout: Duration,
}

/// The kind of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LayerKind {
    /// Files for runtimes, such as libraries.
    Files,
    /// A Lambda extension: a program that runs beside the function or in its process.
    Extension,
}

/// What happens if a new function has no role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum MissingRole {
    /// The deployment stops with an error.
    #[default]
    Error,
    /// A role is created for the function.
    Create,
}

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

/// A handler in the two parts of dpl's options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HandlerParts {
    /// The file, package or class; the runtime decides which.
    pub module_name: String,
    /// The method in it.
    pub handler_name: String,
}

/// The wanted entries of a map. The live map can have other entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WantedMap<T> {
    /// The entries that the user named.
    pub entries: BTreeMap<String, T>,
    /// What happens to the other live entries; absent when the user did not say it.
    pub mode: Option<MapMode>,
}

/// The wanted attachments of a function by kind and key; `None` for one that is to be removed.
pub(crate) type WantedAttachments = BTreeMap<Attachment, WantedMap<Option<Structure>>>;

/// What happens to live entries of a map that the user did not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MapMode {
    /// They are removed.
    Replace,
    /// They stay.
    Merge,
}

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

impl Deployment {
    /// The values that are elsewhere and were not read: an option or a part of it is unknown.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &Borrowed> {
        self.borrowed.iter().filter(|borrowed| borrowed.value.is_none())
    }

    /// Whether an option or a part of it is unknown.
    pub(crate) fn is_unread(&self, option: &str) -> bool {
        self.unread().any(|borrowed| borrowed.option == option)
    }

    /// The keys in the map of an option whose values are unknown.
    pub(crate) fn unread_keys(&self, option: &str) -> impl Iterator<Item = &str> {
        self.unread().filter(move |borrowed| borrowed.option == option).filter_map(|borrowed| borrowed.key.as_deref())
    }
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

/// Rules that select the files of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Globs of the files to include; empty for all.
    pub include: Vec<String>,
    /// Files from other folders that are added.
    pub include_from: Vec<IncludeFrom>,
    /// Patterns in gitignore syntax of the files to exclude.
    pub exclude: Vec<String>,
    /// The treatment of hidden names at the root.
    pub hidden: Hidden,
    /// The treatment of symbolic links.
    pub links: Links,
    /// The treatment of a ready archive.
    pub archives: Archives,
    /// The effort to make the package small.
    pub compression: Compression,
    /// Files that no rule can include: the configuration files of this run.
    pub never: BTreeSet<PathBuf>,
    /// The name of a single file in its package.
    pub single: Single,
    /// The folder of the package for all files; empty for the root.
    pub into: String,
    /// The paths at which the function mounts file systems. A link to them stays a link.
    pub mounts: Vec<String>,
    /// The folder of the checkout, as a real path: a link out of it is an error unless links are followed; empty for no
    /// check.
    pub checkout: PathBuf,
}

/// The name of a single file in its package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Single {
    /// Its own name.
    #[default]
    Itself,
    /// This name.
    Called(String),
    /// `bootstrap` if the file is a program, else its own name. Runtimes for compiled languages start `bootstrap`.
    Program {
        /// Whether a script counts as a program.
        script: bool,
    },
}

/// Files from another folder that are added to the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncludeFrom {
    /// The directory of the files, or a single file.
    pub from: PathBuf,
    /// The glob that selects files, relative to the directory.
    pub glob: String,
    /// The folder of the package for the files, with `/` between its parts; empty for the root.
    pub to: String,
}

/// The treatment of names at the package root that begin with a dot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hidden {
    /// Leave them out.
    #[default]
    Skip,
    /// Include them.
    Take,
}

/// The treatment of a ready archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Archives {
    /// Send it as it is.
    #[default]
    Keep,
    /// Pack its files again, so that the same contents give the same bytes.
    Repack,
}

/// The effort to make a package small.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// The least time.
    Fast,
    /// Some time.
    #[default]
    Default,
    /// The smallest package.
    Best,
}

/// The treatment of symbolic links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Links {
    /// Package links as links. A link out of the package root is an error.
    #[default]
    Keep,
    /// Package the target of a link, also outside of the package root.
    Follow,
}

/// The wanted version and alias.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Release {
    /// Whether a version with this code and these settings is published.
    pub publish: Publish,
    /// The alias to point at this version; absent if none is managed.
    pub alias: Option<AliasName>,
    /// The old versions to keep; absent for all.
    pub keep_versions: Option<Keep>,
    /// Whether a version that was rolled back may be made live again.
    pub rolled_back: RolledBack,
    /// The id of the build that deploys; absent outside of a CI.
    pub build: Option<String>,
    /// The version's description; absent for none.
    pub version_description: Option<String>,
    /// The revision id that the live function must have before the first write; absent for any.
    pub revision_id: Option<String>,
    /// The tests that a new version must pass.
    pub tests: Vec<SmokeTest>,
    /// The schedule by which a new version gets the traffic of the alias; absent: it gets all at once.
    pub shifting: Option<Schedule>,
    /// What happens to the alias if the new version fails.
    pub on_failure: OnFailure,
    /// The number of commands that run after the deployment.
    pub commands: usize,
}

/// The old versions to keep. All others are deleted, except those that something needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keep {
    /// This many of the newest versions are kept.
    pub count: usize,
    /// Versions that are not older than this many days are kept; absent: the age does not count.
    pub days: Option<u32>,
}

/// Whether a version that was rolled back may be made live again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RolledBack {
    /// It stays rolled back: deploying the same code and settings is an error.
    #[default]
    Held,
    /// It is deployed again.
    Redeployed,
}

/// Whether a version is published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Publish {
    /// Only `$LATEST` is deployed.
    #[default]
    No,
    /// The newest version must have this code and these settings, else one is published.
    Version,
    /// Each deployment publishes a version.
    Always,
}
