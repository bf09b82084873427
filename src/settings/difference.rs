//! Differences: what is another than it should be, with both ends as typed values.
//!
//! Must not know how they are shown.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::{Attachment, SettingName};

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aspect {
    /// A setting of the function.
    Setting(SettingName),
    /// Something around the function.
    Attachment(Attachment),
    /// The instruction set.
    Architecture,
    /// Runtimes that a layer is for.
    CompatibleRuntimes,
    /// Instruction sets that a layer is for.
    CompatibleArchitectures,
    /// The licence of a layer.
    LicenseInfo,
    /// What a function or layer is made of.
    Code,
    /// A package in a bucket.
    Object,
    /// An execution role.
    Role,
    /// A policy that is attached to the role.
    Policy,
    /// A tag, by its key.
    Tag,
    /// A version.
    Version,
    /// What people read about a version.
    VersionDescription,
    /// An alias, by its name.
    Alias,
}

impl Aspect {
    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Setting(setting) => setting.name(),
            Self::Attachment(attachment) => attachment.option(),
            Self::Architecture => "architecture",
            Self::CompatibleRuntimes => "compatible_runtimes",
            Self::CompatibleArchitectures => "compatible_architectures",
            Self::LicenseInfo => "license_info",
            Self::Code => "code",
            Self::Object => "object",
            Self::Role => "role",
            Self::Policy => "policy",
            Self::Tag => "function_tags",
            Self::Version => "version",
            Self::VersionDescription => "version_description",
            Self::Alias => "alias",
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// One end of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// This value. A number counts the difference's unit; an empty value is one that was emptied.
    Value(Value),
    /// A value that must not be shown.
    Hidden,
    /// A package.
    Package {
        /// Base64 SHA-256.
        sha256: String,
    },
    /// A container image.
    Image {
        /// Its digest; absent where only AWS will know it.
        digest: Option<String>,
        /// Its address; absent where it is known by its digest alone.
        address: Option<String>,
    },
    /// A version that exists.
    Version {
        /// Its number.
        number: String,
        /// Shares of the traffic that go to other versions, by their numbers, in hundredths of a percent.
        shares: BTreeMap<String, u32>,
    },
    /// The version that this plan publishes.
    NewVersion,
}

impl End {
    /// A version with all of the traffic.
    pub fn version(number: &str) -> Self {
        Self::Version { number: number.to_owned(), shares: BTreeMap::new() }
    }
}

/// One thing with both of its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub about: Aspect,
    /// Which of those, where there are several: the name of a variable, the key of a thing around the function.
    pub key: Option<String>,
    /// The member of it, as users write it, with dots between members of members; absent for all of it.
    pub member: Option<String>,
    /// What is live; absent where there was nothing.
    pub from: Option<End>,
    /// What is wanted; absent where it goes away.
    pub to: Option<End>,
    /// What numbers count; absent where they say it all.
    pub unit: Option<&'static str>,
}

impl Difference {
    /// A difference of all of something.
    pub fn whole(about: Aspect, from: Option<Value>, to: Option<Value>) -> Self {
        Self::between(about, from.map(End::Value), to.map(End::Value))
    }

    /// A difference between two ends.
    pub fn between(about: Aspect, from: Option<End>, to: Option<End>) -> Self {
        Self { about, key: None, member: None, from, to, unit: None }
    }

    /// The same, of the entry of this key; an empty one is that of a thing of which there is one.
    #[must_use]
    pub fn of_key(self, key: &str) -> Self {
        Self { key: (!key.is_empty()).then(|| key.to_owned()), ..self }
    }

    /// The same, of this member.
    #[must_use]
    pub fn of_member(self, member: &str) -> Self {
        Self { member: (!member.is_empty()).then(|| member.to_owned()), ..self }
    }
}
