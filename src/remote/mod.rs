//! The live state of a function, read from AWS when no change was in progress.
//!
//! Must not know the SDK or the wanted state.

mod act;
mod log;
mod record;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub(crate) use act::{Invocation, Removal};
pub(crate) use log::{Invoked, LogEvent, Tail, utc};
pub(crate) use record::Record;
pub(crate) use status::{Condition, Known, LiveCode, Provisioned, Published, Quota, Status, Summary, Url};

use crate::arn::Partition;
use crate::package::Directory;
use crate::package::inspect::Date;
use crate::settings::{Architecture, Attachment, LayerRef, Settings, Structure};

/// The live state of a function, if it exists.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Remote {
    /// The function does not exist.
    Absent,
    /// The function exists.
    Present(Box<Live>),
}

impl Remote {
    /// The function; `None` if it does not exist.
    pub(crate) fn live(&self) -> Option<&Live> {
        match self {
            Self::Absent => None,
            Self::Present(live) => Some(live),
        }
    }
}

/// A live function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Live {
    /// The unqualified ARN.
    pub arn: String,
    /// Every setting that AWS returned. An absent environment could not be read.
    pub settings: Settings,
    /// Base64 SHA-256 of the deployed package; for an image, the hash that AWS returns.
    pub code_sha256: String,
    /// The address of the deployed image, with its digest; absent for a package.
    pub image: Option<String>,
    /// The instruction set; absent for a value that this version does not know.
    pub architecture: Option<Architecture>,
    /// `Zip` or `Image`.
    pub package_type: String,
    /// Tags; absent when they could not be read.
    pub tags: Option<BTreeMap<String, String>>,
    /// The id of this revision. AWS changes it with every write and when the function settles.
    pub revision_id: String,
    /// The newest published version; absent if there is none or it was not read.
    pub newest_version: Option<Version>,
    /// All published versions; empty if they were not read.
    pub versions: Vec<Version>,
    /// The managed alias; absent if it does not exist or none is managed.
    pub alias: Option<Alias>,
    /// What matters for a shift of the managed alias' traffic; absent if it was not read.
    pub shift: Option<ShiftGround>,
    /// All aliases; empty if they were not read.
    pub aliases: Vec<Alias>,
    /// The versions and aliases with provisioned concurrency; empty if they were not read.
    pub provisioned: BTreeSet<String>,
    /// The attachments of the function; a kind is absent if it was not read.
    pub attachments: LiveAttachments,
    /// The customer managed key that encrypts the deployed package; absent for a key that AWS owns.
    pub source_kms_key_arn: Option<String>,
    /// The files of the deployed package; absent if they were not read.
    pub files: Option<Directory>,
    /// Where Lambda keeps the deployed package.
    pub storage: Storage,
    /// The failed creation or last update; absent if neither failed.
    pub failure: Option<Failure>,
    /// The reason why tags could not be read; absent if they were read.
    pub tags_unread: Option<String>,
    /// Warnings about other parts that AWS could not return.
    pub warnings: Vec<String>,
}

/// What matters for a shift of the traffic of an alias.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShiftGround {
    /// The version that the alias points at; absent if it is `$LATEST` or was not found.
    pub served: Option<Version>,
    /// Whether the alias has provisioned concurrency.
    pub is_provisioned: bool,
    /// The alarms that do not exist.
    pub missing_alarms: Vec<String>,
}

/// Where Lambda keeps a package that it got from S3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Storage {
    /// Lambda has its own copy; AWS' default.
    #[default]
    Copy,
    /// Lambda reads the object in its bucket.
    Reference,
}

impl Live {
    /// The bare name.
    pub(crate) fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }

    /// The hash that identifies the code: of a package its SHA-256, of an image its digest.
    pub(crate) fn code(&self) -> &str {
        match &self.image {
            Some(image) => image.rsplit_once('@').map_or(image, |(_, digest)| digest),
            None => &self.code_sha256,
        }
    }

    /// The name of the function's log group.
    pub(crate) fn log_group(&self) -> String {
        let named = self.settings.logging_config.as_ref().and_then(|config| config.text("LogGroup"));
        named.unwrap_or_else(|| format!("/aws/lambda/{}", self.name()))
    }
}

/// A failed change of a function, with AWS' reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// AWS could not create the function, and takes no update of it.
    Creation(String),
    /// AWS could not update the function. Another update may succeed.
    Update(String),
}

impl Failure {
    /// AWS' reason.
    pub(crate) fn reason(&mut self) -> &mut String {
        match self {
            Self::Creation(reason) | Self::Update(reason) => reason,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Creation(reason) => write!(out, "the creation failed: {reason}"),
            Self::Update(reason) => write!(out, "the update failed: {reason}"),
        }
    }
}

/// The live attachments of a function by kind and key.
pub(crate) type LiveAttachments = BTreeMap<Attachment, BTreeMap<String, LiveAttachment>>;

/// One live attachment of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiveAttachment {
    /// Its members, with AWS' defaults.
    pub document: Structure,
    /// AWS' identifier, if it is not the key: the address of a URL, the UUID of a mapping.
    pub handle: Option<String>,
    /// The alias it belongs to; absent for the function itself.
    pub alias: Option<String>,
}

/// A published version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    /// Its number.
    pub number: String,
    /// Base64 SHA-256 of its package.
    pub code_sha256: String,
    /// Its settings. The description is that of the version.
    pub settings: Settings,
    /// The instruction set of its code.
    pub architecture: Option<Architecture>,
    /// The day on which it was published, in UTC; absent if AWS did not return it.
    pub published: Option<Date>,
}

impl Version {
    /// Its number, to compare it with others.
    pub(crate) fn position(&self) -> u64 {
        self.number.parse().unwrap_or_default()
    }
}

/// A layer version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LayerVersion {
    /// Its ARN.
    pub arn: String,
    /// Its number.
    pub number: i64,
    /// Base64 SHA-256 of its contents.
    pub code_sha256: String,
    /// The compatible runtimes.
    pub compatible_runtimes: BTreeSet<String>,
    /// The compatible instruction sets, by AWS' names.
    pub compatible_architectures: BTreeSet<String>,
    /// The licence; empty for none.
    pub license_info: String,
}

/// The version of each layer that was looked up, by the layer as the user wrote it; `None` if it does not exist.
pub(crate) type KnownLayers = BTreeMap<LayerRef, Option<LayerRef>>;

/// Everything that was read from AWS to plan a function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Snapshot {
    /// The function.
    pub function: Remote,
    /// The account and the Region in use.
    pub caller: Caller,
    /// The layers of the function that were looked up.
    pub layers: KnownLayers,
    /// The S3 object at the place for the package; absent if it was not read.
    pub stored: Option<Stored>,
    /// The role with the name of the role to create; absent if it was not read.
    pub role: Option<FoundRole>,
}

/// Everything that was read from AWS to plan a layer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LayerSnapshot {
    /// The newest version; absent if there is none.
    pub newest: Option<LayerVersion>,
    /// The account and the Region in use.
    pub caller: Caller,
    /// The S3 object at the place for the package; absent if it was not read.
    pub stored: Option<Stored>,
    /// The files of the newest version; absent if they were not read.
    pub files: Option<Directory>,
}

/// The state of the place in S3 for a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stored {
    /// There is an object.
    Object {
        /// The size in bytes.
        size: u64,
        /// Base64 SHA-256 from the object's metadata; absent if another program sent the object.
        code_sha256: Option<String>,
        /// Its version; absent if the bucket keeps no versions.
        version_id: Option<String>,
    },
    /// There is no object, or the read was denied.
    Nothing,
    /// The bucket does not exist.
    NoBucket,
    /// The bucket is in this other Region, so Lambda cannot take a package from it.
    InRegion(String),
}

/// The state of a role that is to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundRole {
    /// The role does not exist.
    Absent,
    /// The role exists.
    Present {
        /// Its ARN.
        arn: String,
        /// Who may assume it.
        trust: Trust,
        /// ARNs of the policies attached to it.
        policies: BTreeSet<String>,
    },
}

/// Who may assume a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Lambda, without a condition.
    Lambda,
    /// Others, or Lambda under a condition.
    Others,
}

/// The account and the Region in use. They complete short names to ARNs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The account of the credentials in use; absent if nothing needed it.
    pub account: Option<String>,
    /// The kind and the name of the identity, as in `role ci`; absent if it was not looked up, or has none.
    pub identity: Option<String>,
    /// The partition of the Region in use.
    pub partition: Partition,
    /// The Region in use.
    pub region: String,
}

/// A live alias.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alias {
    /// Its name.
    pub name: String,
    /// The number of the version that it points at.
    pub version: String,
    /// The shares of traffic to other versions, from 0 to 1, by version number. Without those that AWS itself set.
    pub weights: BTreeMap<String, f64>,
    /// The version that still gets all traffic, until AWS has provisioned environments for `version`; absent if AWS is not
    /// moving the alias.
    pub moving_from: Option<String>,
    /// The description. It can end with a record of the last move.
    pub description: String,
    /// The id of this revision. AWS changes it with every write.
    pub revision_id: String,
}

impl Alias {
    /// The shares of traffic to other versions, in hundredths of a percent, by version number.
    pub(crate) fn shares(&self) -> BTreeMap<String, u32> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a weight is between 0 and 1")]
        let hundredths = |share: f64| (share * 10_000.0).round() as u32;
        self.weights.iter().map(|(version, share)| (version.clone(), hundredths(*share))).collect()
    }

    /// The other version that gets all of the traffic; `None` if this version gets any.
    pub(crate) fn all_traffic_elsewhere(&self) -> Option<&str> {
        self.weights.iter().find(|(_, share)| **share >= 1.0).map(|(version, _)| version.as_str())
    }
}
