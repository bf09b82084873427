//! The verbs of a plan. Each names what is sent and carries both ends of every change.

use std::collections::{BTreeMap, BTreeSet};

use crate::package::Image;
use crate::remote::Alias;
use crate::settings::{AliasName, Architecture, Attachment, Difference, Settings, Structure};

/// One thing to do. After it the function has settled.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Put the package into a bucket.
    UploadPackage(Object),
    /// Make an execution role, or attach to it what it lacks.
    CreateRole(RoleChange),
    /// Create the function, unpublished.
    CreateFunction {
        /// Where its role comes from.
        role: Origin,
        /// What is sent.
        settings: Box<Settings>,
        /// Tags from the beginning.
        tags: BTreeMap<String, String>,
        /// The package.
        code: CodeChange,
        /// Whose signatures the package must have; absent for nobody's.
        code_signing_config_arn: Option<String>,
        /// What is sent, for people.
        differences: Vec<Difference>,
    },
    /// Change settings of `$LATEST`.
    UpdateConfiguration {
        /// What is sent: what differs, and what AWS wants together with it.
        settings: Box<Settings>,
        /// Both ends of each change.
        differences: Vec<Difference>,
    },
    /// Add, overwrite and remove tags.
    UpdateTags(TagChange),
    /// Replace the package of `$LATEST`, and its instruction set with it.
    UpdateCode(CodeChange),
    /// Publish a version of a layer, whose number AWS chooses.
    PublishLayer(Box<LayerChange>),
    /// Publish `$LATEST`, which has this package by then, as a version whose number AWS chooses.
    PublishVersion {
        /// The version's description; absent for none.
        description: Option<String>,
        /// The package that `$LATEST` must have; absent for an image, which the revision tells.
        code_sha256: Option<String>,
    },
    /// Create an alias, or let it point at another version.
    PointAlias(AliasChange),
    /// Create, change or remove something around the function.
    Attach(AttachmentChange),
    /// Delete versions that nothing points at, by their numbers.
    DeleteVersions(Vec<String>),
}

/// Where a role comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The user named it.
    Named,
    /// A deployment made it, perhaps a moment ago.
    Made,
}

/// An execution role, made for a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleChange {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The function that it is for.
    pub function: String,
    /// Whether it is made, or is there already.
    pub action: Action,
    /// ARNs of the policies that are attached to it.
    pub policies: Vec<String>,
}

/// An alias that points at a version.
#[derive(Debug, Clone, PartialEq)]
pub struct AliasChange {
    /// Its name.
    pub name: AliasName,
    /// What it is now; absent where it is created.
    pub from: Option<Alias>,
    /// Where all of its traffic goes.
    pub to: VersionRef,
}

/// A version, known by its number or about to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionRef {
    /// This one.
    Number(String),
    /// The one that a step before publishes.
    Published,
}

/// A change of something around the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentChange {
    /// Of which kind it is.
    pub attachment: Attachment,
    /// Its key among those of its kind; empty where there is only one.
    pub key: String,
    /// The alias that it belongs to; absent for the function itself.
    pub alias: Option<AliasName>,
    /// What happens to it.
    pub action: Action,
    /// All that it is going to be; what it was where it is removed.
    pub document: Structure,
    /// What AWS calls it; absent where it is created or its key says it.
    pub handle: Option<String>,
    /// Both ends of each change.
    pub differences: Vec<Difference>,
}

/// What happens to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It goes.
    Remove,
}

/// A layer version that is going to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerChange {
    /// The layer.
    pub name: String,
    /// The number of the newest version; absent where there is none.
    pub before: Option<i64>,
    /// Its contents.
    pub code: CodeChange,
    /// What people read about it; absent for nothing.
    pub description: Option<String>,
    /// Runtimes that it is for.
    pub compatible_runtimes: BTreeSet<String>,
    /// Instruction sets that it is for, as AWS calls them.
    pub compatible_architectures: BTreeSet<String>,
    /// The licence; empty for none.
    pub license_info: String,
    /// Both ends of each change besides the contents.
    pub differences: Vec<Difference>,
}

/// A change of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChange {
    /// Tags to add or overwrite.
    pub set: BTreeMap<String, String>,
    /// Keys to remove.
    pub remove: Vec<String>,
    /// What tags that are overwritten or removed have now.
    pub before: BTreeMap<String, String>,
}

/// A change of the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChange {
    /// Base64 SHA-256 of the live package, or the digest of the live image; absent for a function that does not exist yet.
    pub from: Option<String>,
    /// The same of what is sent; absent for an image whose digest only AWS will know.
    pub to: Option<String>,
    /// Bytes of the package; none for an image.
    pub size: u64,
    /// How many files it has.
    pub files: usize,
    /// How many names a rule that the user did not write left out of it.
    pub left_out: usize,
    /// The instruction set sent with it; absent for AWS' default.
    pub architecture: Option<Architecture>,
    /// The live instruction set.
    pub from_architecture: Option<Architecture>,
    /// The key that encrypts it at rest; absent for one that AWS owns.
    pub source_kms_key_arn: Option<String>,
    /// How AWS gets it.
    pub through: Through,
}

/// How AWS gets a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Through {
    /// In the call itself.
    Call,
    /// From the object that the step before puts into a bucket.
    Upload(Object),
    /// From an object that is there already.
    Found {
        /// The object.
        object: Object,
        /// Its version; absent where the bucket has none.
        version_id: Option<String>,
    },
    /// From the registry that has it.
    Image(Image),
}

/// A package in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The bucket.
    pub bucket: String,
    /// The key in it.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Base64 SHA-256 of it.
    pub code_sha256: String,
    /// Whether the key follows from the contents.
    pub by_hash: bool,
    /// The account that the bucket must belong to; absent for any.
    pub expected_owner: Option<String>,
    /// The key that encrypts the object; absent for the bucket's default.
    pub kms_key_arn: Option<String>,
}

impl Object {
    /// Its address, as people write it.
    pub fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}
