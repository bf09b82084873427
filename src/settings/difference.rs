//! Differences between wanted and live values.
//!
//! Holds typed values. Must not know how they are shown.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::{Attachment, Secret, SettingName};

/// The thing that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// A setting of the function.
    Setting(SettingName),
    /// An attachment of the function.
    Attachment(Attachment),
    /// The architecture.
    Architecture,
    /// Compatible runtimes of a layer.
    CompatibleRuntimes,
    /// Compatible architectures of a layer.
    CompatibleArchitectures,
    /// The licence of a layer.
    LicenseInfo,
    /// The code of a function or layer.
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
    /// The description of a version.
    VersionDescription,
    /// An alias, by its name.
    Alias,
    /// A smoke test, by its number.
    SmokeTest,
}

impl Aspect {
    /// Its name in the configuration.
    pub(crate) const fn name(self) -> &'static str {
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
            Self::SmokeTest => "smoke_test",
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// The old or the new value of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// A plain value. A number has the unit of the difference. An empty value means that it is cleared.
    Value(Value),
    /// A value that must not be shown.
    Hidden(Secret),
    /// A package.
    Package {
        /// Base64 SHA-256.
        sha256: String,
    },
    /// A container image.
    Image {
        /// Its digest; absent if it is unknown before the update.
        digest: Option<String>,
        /// Its address; absent if only the digest is known.
        address: Option<String>,
    },
    /// A version that exists.
    Version {
        /// Its number.
        number: String,
        /// The traffic shares of other versions, by version number, in hundredths of a percent.
        shares: BTreeMap<String, u32>,
    },
    /// The version that this plan publishes.
    NewVersion,
}

impl End {
    /// The version with this number, with all of the traffic.
    pub(crate) fn version(number: &str) -> Self {
        Self::Version { number: number.to_owned(), shares: BTreeMap::new() }
    }
}

/// One difference, with its old and new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The thing that differs.
    pub about: Aspect,
    /// The key, if there are several of that thing: the name of a variable, the key of a tag or an attachment.
    pub key: Option<String>,
    /// The path of the member in YAML names, joined by dots; absent for the whole value.
    pub member: Option<String>,
    /// The live value; absent if there is none.
    pub from: Option<End>,
    /// The wanted value; absent for a removal.
    pub to: Option<End>,
    /// The unit of numbers; absent for plain numbers.
    pub unit: Option<&'static str>,
}

impl Difference {
    /// A difference between two plain values.
    pub(crate) fn whole(about: Aspect, from: Option<Value>, to: Option<Value>) -> Self {
        Self::between(about, from.map(End::Value), to.map(End::Value))
    }

    /// A difference between two values.
    pub(crate) fn between(about: Aspect, from: Option<End>, to: Option<End>) -> Self {
        Self { about, key: None, member: None, from, to, unit: None }
    }

    /// The same difference with a key; an empty key counts as none.
    #[must_use]
    pub(crate) fn of_key(self, key: &str) -> Self {
        Self { key: (!key.is_empty()).then(|| key.to_owned()), ..self }
    }

    /// The same difference with a member; an empty member counts as none.
    #[must_use]
    pub(crate) fn of_member(self, member: &str) -> Self {
        Self { member: (!member.is_empty()).then(|| member.to_owned()), ..self }
    }
}
