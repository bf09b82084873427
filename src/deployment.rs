//! The desired state of one function: settings, code, release, what stands around the function, and how to reach it.
//!
//! Everything known, as meant: nothing after this asks "was this set?". Must not know where a value came from.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use crate::settings::{
    AliasName, Architecture, Attachment, FunctionName, Handler, ImageUri, Jwt, Role, Secret, Settings, Structure,
};

/// One function as it should be.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The function.
    pub function: FunctionName,
    /// How AWS is reached, and as whom.
    pub target: Target,
    /// Settings to bring about; an absent one is not managed.
    pub settings: Settings,
    /// A handler in parts, composed once the runtime is known; absent when `settings.handler` says it all or none is managed.
    pub handler_parts: Option<HandlerParts>,
    /// The handler of a function that is created without one being named; absent where that is an error.
    pub first_handler: Option<Handler>,
    /// What becomes of a function that is created without a role being named.
    pub first_role: FirstRole,
    /// Variables to set and unset; absent when the environment is not managed.
    pub environment: Option<Keyed<Option<Secret>>>,
    /// Tags to set; absent when tags are not managed.
    pub tags: Option<Keyed<String>>,
    /// What the function is made of.
    pub code: Code,
    /// What is published of it.
    pub release: Release,
    /// What stands around it; a kind that is absent is not managed.
    pub attachments: Wishes,
    /// The longest that all waiting for this function may take.
    pub wait_timeout: Duration,
}

/// A layer whose newest version is to be like this.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Its name, in the account of the target.
    pub name: String,
    /// How AWS is reached, and as whom.
    pub target: Target,
    /// What it is made of.
    pub code: Code,
    /// What kind of layer it is.
    pub kind: LayerKind,
    /// What people read about the version; absent for nothing.
    pub description: Option<String>,
    /// Runtimes that it is for; absent for those of the newest version.
    pub compatible_runtimes: Option<BTreeSet<String>>,
    /// Instruction sets that it is for; absent for those of the newest version.
    pub compatible_architectures: Option<BTreeSet<Architecture>>,
    /// The licence, as an identifier, a URL or its text; absent for that of the newest version.
    pub license_info: Option<String>,
    /// The longest that all waiting for it may take.
    pub wait_timeout: Duration,
}

/// What kind of layer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerKind {
    /// Files that runtimes look for.
    Files,
    /// A program beside the function, or in the function's own process.
    Extension,
}

/// What becomes of a function that is created without a role being named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FirstRole {
    /// It is an error.
    #[default]
    None,
    /// One is made for it.
    Made,
}

/// How AWS is reached, and as whom.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The Region; absent for the one that the SDK's chain finds.
    pub region: Option<String>,
    /// The Region where the chain finds none; absent for an error.
    pub fallback_region: Option<String>,
    /// An endpoint instead of the Region's own; absent for `AWS_ENDPOINT_URL` or the Region's.
    pub endpoint_url: Option<String>,
    /// Whether buckets are named in the path and not in the host name, as emulators have it.
    pub path_style: bool,
    /// As whom.
    pub credentials: Credentials,
    /// The role that is assumed first; absent for calling with the credentials themselves.
    pub role: Option<AssumedRole>,
    /// The only account that may be written to; absent for any.
    pub expect_account: Option<String>,
}

/// As whom AWS is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Whatever the SDK's chain finds.
    #[default]
    Chain,
    /// A profile of the shared configuration files.
    Profile(String),
    /// Keys that came from one place together.
    Keys {
        /// The access key id.
        access_key_id: Secret,
        /// The secret access key.
        secret_access_key: Secret,
        /// The token of temporary credentials.
        session_token: Option<Secret>,
    },
}

/// A role in whose name AWS is called.
#[derive(Debug, Clone)]
pub struct AssumedRole {
    /// Which.
    pub role: Role,
    /// The account that completes a bare name; absent for that of the credentials.
    pub account: Option<String>,
    /// What the session is called in AWS' logs.
    pub session_name: String,
    /// How long its keys hold; absent for what STS gives, an hour.
    pub duration: Option<Duration>,
    /// On what grounds.
    pub grounds: Grounds,
}

/// On what grounds a role is assumed.
#[derive(Debug, Clone)]
pub enum Grounds {
    /// The credentials of the target may assume it.
    Credentials {
        /// What the role's trust policy wants to hear; absent for nothing.
        external_id: Option<String>,
        /// What gives a job of this CI a token, as help for one that has nothing else either; absent where the CI has none.
        no_token: Option<&'static str>,
    },
    /// A token of the CI that the job was given. The credentials of the target are not asked for.
    Token(Jwt),
    /// A token of the CI that is fetched, each time anew. The credentials of the target are not asked for.
    Fetched {
        /// Where, without the audience.
        url: String,
        /// What the request is authorised by.
        bearer: Secret,
    },
}

/// A handler as dpl takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerParts {
    /// File, package or class, by runtime.
    pub module_name: String,
    /// The method in it.
    pub handler_name: String,
}

/// Wanted entries of a map that may have others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed<T> {
    /// The entries named.
    pub entries: BTreeMap<String, T>,
    /// What happens to entries that were not named; absent when the user did not say.
    pub others: Option<Others>,
}

/// Things around a function by kind and key: what each is to be, or nothing where it is to be none.
pub type Wishes = BTreeMap<Attachment, Keyed<Option<Structure>>>;

/// What happens to entries of a map that exist only on the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They go.
    Replace,
    /// They stay.
    Merge,
}

/// What the function is made of.
#[derive(Debug, Clone)]
pub struct Code {
    /// Where it comes from.
    pub source: CodeSource,
    /// What builds the source where it is missing, for people; absent where nobody knows.
    pub how_to_build: Option<String>,
    /// Which of its files.
    pub rules: Rules,
    /// The instruction set the user named; absent for that of the package's binaries, or the live one.
    pub architecture: Option<Architecture>,
    /// Where in S3 the package goes first; absent for sending it in the call.
    pub upload: Option<Upload>,
    /// The key that encrypts the package at rest; absent for the live one.
    pub source_kms_key_arn: Option<String>,
    /// Names of the rules of inspection that do not count.
    pub ignore: BTreeSet<String>,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeSource {
    /// A directory, a single file, or a ready archive.
    Path(PathBuf),
    /// A ready archive that is in S3 already.
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
}

impl Target {
    /// Whether both surely are the same account: the same credentials for the same endpoint.
    pub fn is_same_account(&self, other: &Self) -> bool {
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
    /// How people write it.
    pub fn shown(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Object { bucket, key, .. } => format!("s3://{bucket}/{key}"),
            Self::Image(uri) => uri.to_string(),
        }
    }

    /// What AWS calls a function that is made of it: what it never changes.
    pub fn package_type(&self) -> &'static str {
        match self {
            Self::Path(_) | Self::Object { .. } => "Zip",
            Self::Image(_) => "Image",
        }
    }

    /// The option that names it.
    pub fn option(&self) -> &'static str {
        match self {
            Self::Path(_) => "zip",
            Self::Object { .. } => "s3_key",
            Self::Image(_) => "image_uri",
        }
    }
}

/// A place in S3 from which Lambda takes a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The bucket, in the function's Region.
    pub bucket: String,
    /// The object's key.
    pub key: ObjectKey,
    /// The account that the bucket must belong to; absent for any.
    pub expected_owner: Option<String>,
    /// The key that encrypts the object; absent for the bucket's default.
    pub kms_key_arn: Option<String>,
}

/// How an object is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectKey {
    /// By what it holds, behind this prefix: an object of that name need not be sent again.
    ByHash(String),
    /// As the user says. It is always sent, whatever stands there.
    Given(String),
}

/// Which files of a directory are packaged.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Globs of what goes in; empty for everything.
    pub include: Vec<String>,
    /// What comes from elsewhere, besides the directory's own files.
    pub bring: Vec<Bring>,
    /// gitignore lines of what stays out.
    pub exclude: Vec<String>,
    /// Whether hidden names at the root go in.
    pub hidden: Hidden,
    /// What happens to links.
    pub links: Links,
    /// Files that never go in, whatever the other rules say: configuration that was read.
    pub never: BTreeSet<PathBuf>,
    /// What a package of a single file calls it.
    pub single: Single,
    /// The folder of the package that everything goes into; empty for its root.
    pub into: String,
    /// The folder that links do not lead out of unnoticed, as a real path; empty for none.
    pub checkout: PathBuf,
}

/// What a single file is called in a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Single {
    /// As it is.
    #[default]
    Itself,
    /// This.
    Called(String),
    /// `bootstrap`, where it is a program, which is what a runtime for compiled languages starts.
    Program {
        /// Whether a script is one too.
        script: bool,
    },
}

/// Files from elsewhere that go into the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bring {
    /// The directory that has them, or one file.
    pub from: PathBuf,
    /// Which of the directory's files, relative to it.
    pub glob: String,
    /// The folder of the package that they go into, with `/` between its parts; empty for its root.
    pub to: String,
}

/// Names that begin with a dot, at the package root.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hidden {
    /// They stay out.
    #[default]
    Skip,
    /// They go in.
    Take,
}

/// Symbolic links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Links {
    /// A link inside the root stays a link; one that leaves it is an error.
    #[default]
    Keep,
    /// What a link points at goes in, wherever it is.
    Follow,
}

/// What is published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// Whether a version stands for this code and these settings.
    pub publish: Publish,
    /// The alias that is to point at that version; absent where none is managed.
    pub alias: Option<AliasName>,
    /// How many of the newest versions are kept; absent for all.
    pub keep_versions: Option<usize>,
    /// The version's description; absent for none.
    pub version_description: Option<String>,
    /// The revision that the live function must have before the first write; absent for any.
    pub revision_id: Option<String>,
}

/// Whether a version is published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Publish {
    /// Only `$LATEST` is deployed.
    #[default]
    No,
    /// The newest version is made to be this code and these settings.
    Version,
}
