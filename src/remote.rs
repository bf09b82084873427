//! The observed state: what is live, or that nothing is.
//!
//! A snapshot, taken when nothing was in progress. Must not know the SDK, nor what is wanted.

use std::collections::BTreeMap;

use crate::settings::{Architecture, Partition, Settings};

/// What was found under a function's name.
#[derive(Debug, Clone, PartialEq)]
pub enum Remote {
    /// There is no such function.
    Absent,
    /// There is one.
    Present(Box<Live>),
}

/// A live function.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// The unqualified ARN.
    pub arn: String,
    /// Every setting that AWS told. An absent environment could not be read.
    pub settings: Settings,
    /// Base64 SHA-256 of the deployed package.
    pub code_sha256: String,
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
    /// The customer managed key of the deployed package; absent for a key that AWS owns.
    pub source_kms_key_arn: Option<String>,
    /// Why creating or the last update failed; absent when it did not.
    pub failure: Option<String>,
    /// Why tags could not be read; absent when they could.
    pub tags_unread: Option<String>,
    /// What AWS said about other parts that it could not tell, for people.
    pub warnings: Vec<String>,
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
