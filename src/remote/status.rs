//! What is live, as people want to see it: one function with all that stands around it, or all of a Region.

use super::Alias;

/// What was asked for, or why it is not known.
pub type Told<T> = Result<T, String>;

/// A function with what stands around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The bare name.
    pub function: String,
    /// Where it is.
    pub region: String,
    /// The unqualified ARN.
    pub arn: String,
    /// What people read about it; empty for nothing.
    pub description: String,
    /// Whether it can be called.
    pub state: Condition,
    /// How the last change of it went.
    pub last_update: Condition,
    /// What it is made of.
    pub made_of: MadeOf,
    /// The instruction set of its code.
    pub architecture: String,
    /// Megabytes.
    pub memory_size: i32,
    /// Seconds that one invocation may take.
    pub timeout: i32,
    /// When it was changed last, as AWS writes it.
    pub last_modified: String,
    /// Base64 SHA-256 of its package, or the hash of its image.
    pub code_sha256: String,
    /// Bytes of its package; 0 for an image.
    pub code_size: u64,
    /// Where it logs.
    pub log_group: String,
    /// How many invocations are kept for it; absent where none are.
    pub reserved_concurrency: Option<i32>,
    /// Its published versions, newest first.
    pub versions: Told<Vec<Published>>,
    /// Its aliases by name.
    pub aliases: Told<Vec<Alias>>,
    /// Its URLs: that of `$LATEST` first.
    pub urls: Told<Vec<Url>>,
    /// What is kept warm of it.
    pub provisioned: Told<Vec<Provisioned>>,
}

/// A state in AWS' word, with AWS' reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// The word; empty where AWS does not say.
    pub word: String,
    /// Why; absent where there is nothing to say.
    pub reason: Option<String>,
}

/// What a function is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MadeOf {
    /// A package for this runtime.
    Runtime(String),
    /// A container image; its address where AWS told it.
    Image(Option<String>),
}

/// A published version, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its number.
    pub number: u64,
    /// What people read about it; empty for nothing.
    pub description: String,
    /// When it was published, as AWS writes it.
    pub last_modified: String,
    /// Base64 SHA-256 of its package.
    pub code_sha256: String,
}

/// An address at which a function is called by HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// The alias that it calls; absent for `$LATEST`.
    pub alias: Option<String>,
    /// The address.
    pub url: String,
    /// `AWS_IAM`, or `NONE` for everybody.
    pub auth_type: String,
}

/// What is kept warm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioned {
    /// The alias or version.
    pub qualifier: String,
    /// How many are wanted.
    pub requested: i32,
    /// How many there are.
    pub available: i32,
    /// AWS' word for how far that is, with the reason where it failed.
    pub status: Condition,
}

/// A function of a Region, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The bare name.
    pub function: String,
    /// What it is made of.
    pub made_of: MadeOf,
    /// Megabytes.
    pub memory_size: i32,
    /// Seconds that one invocation may take.
    pub timeout: i32,
    /// When it was changed last, as AWS writes it.
    pub last_modified: String,
}

impl Status {
    /// AWS' reasons, which may quote what the function was given.
    pub fn reasons(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { state, last_update, provisioned, .. } = self;
        let provisioned = provisioned.iter_mut().flatten().map(|provisioned| &mut provisioned.status);
        [state, last_update].into_iter().chain(provisioned).filter_map(|condition| condition.reason.as_mut())
    }

    /// Why parts of it are not known.
    pub fn unknown(&self) -> Vec<&str> {
        let Self { versions, aliases, urls, provisioned, .. } = self;
        let reasons =
            [versions.as_ref().err(), aliases.as_ref().err(), urls.as_ref().err(), provisioned.as_ref().err()];
        reasons.into_iter().flatten().map(String::as_str).collect()
    }
}
