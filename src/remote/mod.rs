//! The observed state: what is live, or that nothing is.
//!
//! A snapshot, taken when nothing was in progress. Must not know the SDK, nor what is wanted.

mod act;
mod status;

use std::collections::{BTreeMap, BTreeSet};

pub use act::{Invocation, Removal};
pub use status::{Condition, MadeOf, Provisioned, Published, Status, Summary, Told, Url};

use crate::arn::Partition;
use crate::settings::{Architecture, Attachment, Settings, Structure};

/// What was found under a function's name.
#[derive(Debug, Clone, PartialEq)]
pub enum Remote {
    /// There is no such function.
    Absent,
    /// There is one.
    Present(Box<Live>),
}

impl Remote {
    /// The function, where there is one.
    pub fn live(&self) -> Option<&Live> {
        match self {
            Self::Absent => None,
            Self::Present(live) => Some(live),
        }
    }
}

/// A live function.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// The unqualified ARN.
    pub arn: String,
    /// Every setting that AWS told. An absent environment could not be read.
    pub settings: Settings,
    /// Base64 SHA-256 of the deployed package; what AWS has instead for an image.
    pub code_sha256: String,
    /// The address of the deployed image, with its digest; absent for a package.
    pub image: Option<String>,
    /// The instruction set; absent for a value this version does not know.
    pub architecture: Option<Architecture>,
    /// `Zip` or `Image`.
    pub package_type: String,
    /// Tags; absent when they could not be read.
    pub tags: Option<BTreeMap<String, String>>,
    /// Changes with every write and when a function settles.
    pub revision_id: String,
    /// The newest published version; absent where there is none, or where nobody asked.
    pub newest_version: Option<Version>,
    /// The numbers of all published versions; empty where nobody asked.
    pub versions: Vec<u64>,
    /// The alias that is managed; absent where there is none yet, or none is managed.
    pub alias: Option<Alias>,
    /// All aliases; empty where nobody asked.
    pub aliases: Vec<Alias>,
    /// Versions whose environments are kept ready; empty where nobody asked.
    pub provisioned: BTreeSet<String>,
    /// What stands around the function, as far as anybody asked.
    pub attachments: Surroundings,
    /// The customer managed key of the deployed package; absent for a key that AWS owns.
    pub source_kms_key_arn: Option<String>,
    /// Why creating or the last update failed; absent when it did not.
    pub failure: Option<String>,
    /// Why tags could not be read; absent when they could.
    pub tags_unread: Option<String>,
    /// What AWS said about other parts that it could not tell, for people.
    pub warnings: Vec<String>,
}

impl Live {
    /// The bare name.
    pub fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }

    /// What tells the code from any other: the hash of a package, the digest of an image.
    pub fn code(&self) -> &str {
        match &self.image {
            Some(image) => image.rsplit_once('@').map_or(image, |(_, digest)| digest),
            None => &self.code_sha256,
        }
    }

    /// Where the function's log goes.
    pub fn log_group(&self) -> String {
        let named = self.settings.logging_config.as_ref().and_then(|config| config.text("LogGroup"));
        named.unwrap_or_else(|| format!("/aws/lambda/{}", self.name()))
    }
}

/// Things around a function by kind and key.
pub type Surroundings = BTreeMap<Attachment, BTreeMap<String, Attached>>;

/// One thing around a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// What it is like, with AWS' defaults.
    pub document: Structure,
    /// What AWS calls it where that is more than its key: the address of a URL, the UUID of a mapping.
    pub handle: Option<String>,
    /// The alias it belongs to; absent for the function itself.
    pub alias: Option<String>,
}

/// A published version.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number.
    pub number: String,
    /// Base64 SHA-256 of its package.
    pub code_sha256: String,
    /// Its settings; its description is the version's own.
    pub settings: Settings,
    /// The instruction set of its code.
    pub architecture: Option<Architecture>,
}

/// A layer version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerVersion {
    /// Its ARN.
    pub arn: String,
    /// Its number.
    pub number: i64,
    /// Base64 SHA-256 of its contents.
    pub code_sha256: String,
    /// Runtimes that it is for.
    pub compatible_runtimes: BTreeSet<String>,
    /// Instruction sets that it is for, as AWS calls them.
    pub compatible_architectures: BTreeSet<String>,
    /// The licence; empty for none.
    pub license_info: String,
}

/// What layers without a version stand for, by how they are named: an ARN with a version, or [`LayerRef::Coming`];
/// nothing where there is no such layer.
///
/// [`LayerRef::Coming`]: crate::settings::LayerRef::Coming
pub type KnownLayers = BTreeMap<String, Option<String>>;

/// Everything that is known of AWS when a function is planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The function.
    pub function: Remote,
    /// Who calls AWS, and where.
    pub caller: Caller,
    /// Which version each layer means that is named without one.
    pub layers: KnownLayers,
    /// The object that the package would become; absent until somebody looked.
    pub stored: Option<Stored>,
    /// The role that would be made; absent until somebody looked.
    pub role: Option<FoundRole>,
}

/// Everything that is known of AWS when a layer is planned.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSnapshot {
    /// The newest version; absent where there is none.
    pub newest: Option<LayerVersion>,
    /// Who calls AWS, and where.
    pub caller: Caller,
    /// The object that the package would become; absent until somebody looked.
    pub stored: Option<Stored>,
}

/// What is in S3 where a package is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// An object.
    Object {
        /// Bytes.
        size: u64,
        /// Base64 SHA-256 that it was sent with; absent where others sent it.
        code_sha256: Option<String>,
        /// Its version; absent where the bucket has none.
        version_id: Option<String>,
    },
    /// Nothing, or we may not look.
    Nothing,
    /// There is no such bucket.
    NoBucket,
    /// The bucket is in this other Region, from which Lambda takes nothing.
    InRegion(String),
}

/// What was found under the name of a role that would be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundRole {
    /// There is no such role.
    Absent,
    /// There is one.
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
pub enum Trust {
    /// Lambda, without a condition.
    Lambda,
    /// Surely not Lambda, or only under conditions.
    Others,
}

/// Who we are and where, so that short names can be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account of the credentials in use; absent when nothing needed it.
    pub account: Option<String>,
    /// The partition of the Region in use.
    pub partition: Partition,
    /// The Region in use.
    pub region: String,
}

/// An alias as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// Its name.
    pub name: String,
    /// The number of the version that it points at.
    pub version: String,
    /// Shares of the traffic that go to other versions, by their numbers.
    pub weights: BTreeMap<String, f64>,
    /// What people read about it, with the version that it pointed at before.
    pub description: String,
    /// Changes with every write.
    pub revision_id: String,
}

/// What stands before the number of the version that an alias pointed at before.
const BEFORE: &str = "[before: ";

/// The longest description of an alias, in characters.
const MOST_DESCRIPTION: usize = 256;

impl Alias {
    /// Shares of the traffic that go to other versions, in hundredths of a percent.
    pub fn shares(&self) -> BTreeMap<String, u32> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a weight is between 0 and 1")]
        let hundredths = |share: f64| (share * 10_000.0).round() as u32;
        self.weights.iter().map(|(version, share)| (version.clone(), hundredths(*share))).collect()
    }

    /// The version that it pointed at before, as its description remembers it where no machine of a CI needs to.
    pub fn previous(&self) -> Option<&str> {
        let (_, rest) = self.description.rsplit_once(BEFORE)?;
        rest.strip_suffix(']').filter(|number| number.parse::<u64>().is_ok())
    }

    /// The description that remembers where it points now, for when it is moved. The user's own words stay.
    pub fn description_once_moved(&self) -> String {
        let own = self
            .previous()
            .map_or(self.description.as_str(), |_| self.description.rsplit_once(BEFORE).map_or("", |(own, _)| own));
        let mark = format!("{BEFORE}{}]", self.version);
        let own: String = own.trim_end().chars().take(MOST_DESCRIPTION - mark.len() - 1).collect();
        if own.is_empty() { mark } else { format!("{own} {mark}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alias(version: &str, description: &str) -> Alias {
        Alias {
            name: "live".to_owned(),
            version: version.to_owned(),
            weights: BTreeMap::new(),
            description: description.to_owned(),
            revision_id: String::new(),
        }
    }

    #[test]
    fn an_alias_remembers_where_it_pointed_beside_the_words_of_its_user() {
        for (version, description, moved) in [
            ("7", "", "[before: 7]"),
            ("7", "[before: 3]", "[before: 7]"),
            ("12", "what customers call [before: 7]", "what customers call [before: 12]"),
            ("7", "[before: noon] is when we deploy", "[before: noon] is when we deploy [before: 7]"),
        ] {
            assert_eq!(alias(version, description).description_once_moved(), moved, "{description}");
            assert_eq!(alias("99", moved).previous(), Some(version));
        }
        assert_eq!(alias("7", "").previous(), None);
        assert_eq!(alias("7", &"é".repeat(256)).description_once_moved().chars().count(), 256);
    }
}
