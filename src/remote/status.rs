//! Data of `status`, one function with everything around it, and of `list`, the functions of a Region.

use super::Alias;

/// A value that was read, or the reason why it could not be.
pub(crate) type Known<T> = Result<T, String>;

/// A function with everything around it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Status {
    /// The bare name.
    pub function: String,
    /// The Region.
    pub region: String,
    /// The unqualified ARN.
    pub arn: String,
    /// The description; empty for none.
    pub description: String,
    /// The state: whether it can be called.
    pub state: Condition,
    /// The state of the last update.
    pub last_update: Condition,
    /// The form of its code.
    pub code: LiveCode,
    /// The instruction set of its code.
    pub architecture: String,
    /// The memory, in megabytes.
    pub memory_size: i32,
    /// The longest invocation, in seconds.
    pub timeout: i32,
    /// The time of the last change, in AWS' form.
    pub last_modified: String,
    /// Base64 SHA-256 of its package, or the hash of its image.
    pub code_sha256: String,
    /// The size of its package, in bytes; 0 for an image.
    pub code_size: u64,
    /// The log group.
    pub log_group: String,
    /// The reserved concurrency; absent for none.
    pub reserved_concurrency: Option<i32>,
    /// Its published versions, newest first.
    pub versions: Known<Vec<Published>>,
    /// Its aliases by name.
    pub aliases: Known<Vec<Alias>>,
    /// Its URLs; the URL of `$LATEST` comes first.
    pub urls: Known<Vec<Url>>,
    /// The provisioned concurrency of its versions and aliases.
    pub provisioned: Known<Vec<Provisioned>>,
}

/// What an account uses and may use in a Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    /// The bytes of code that are stored.
    pub code: u64,
    /// The bytes of code that may be stored.
    pub most_code: u64,
    /// The concurrent executions that no function has reserved.
    pub unreserved: i32,
    /// The concurrent executions of all functions.
    pub concurrent: i32,
}

/// A state in AWS' own word, with AWS' reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    /// The word, such as `Active`; empty if AWS does not report it.
    pub word: String,
    /// The reason; absent if AWS gives none.
    pub reason: Option<String>,
}

/// The form of a function's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LiveCode {
    /// A package for this runtime.
    Runtime(String),
    /// A container image, with its address if AWS reports it.
    Image(Option<String>),
}

/// A published version of a function, in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    /// Its number.
    pub number: u64,
    /// The description; empty for none.
    pub description: String,
    /// The time of publishing, in AWS' form.
    pub last_modified: String,
    /// Base64 SHA-256 of its package.
    pub code_sha256: String,
}

/// A function URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    /// The alias that it calls; absent for `$LATEST`.
    pub alias: Option<String>,
    /// The address.
    pub url: String,
    /// `AWS_IAM`, or `NONE` for public access.
    pub auth_type: String,
}

/// The provisioned concurrency of a version or an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Provisioned {
    /// The alias or version.
    pub qualifier: String,
    /// The number of environments requested.
    pub requested: i32,
    /// The number of environments available.
    pub available: i32,
    /// The state, with the reason for a failure.
    pub status: Condition,
}

/// A function in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The bare name.
    pub function: String,
    /// The form of its code.
    pub code: LiveCode,
    /// The memory, in megabytes.
    pub memory_size: i32,
    /// The longest invocation, in seconds.
    pub timeout: i32,
    /// The time of the last change, in AWS' form.
    pub last_modified: String,
}

impl Status {
    /// The newest version, and whether the function was changed after that was published; `None` if no version is known.
    pub(crate) fn last_release(&self) -> Option<(&Published, bool)> {
        let newest = self.versions.as_ref().ok()?.first()?;
        let (now, then) = (second(&self.last_modified), second(&newest.last_modified));
        let is_later = now.zip(then).is_some_and(|(now, then)| now > then);
        Some((newest, is_later || self.code_sha256 != newest.code_sha256))
    }

    /// AWS' reasons, which can quote values of the function's environment.
    pub(crate) fn reasons(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { state, last_update, provisioned, .. } = self;
        let provisioned = provisioned.iter_mut().flatten().map(|provisioned| &mut provisioned.status);
        [state, last_update].into_iter().chain(provisioned).filter_map(|condition| condition.reason.as_mut())
    }

    /// The reasons why parts could not be read.
    pub(crate) fn unknown(&self) -> Vec<&str> {
        let Self { versions, aliases, urls, provisioned, .. } = self;
        let reasons =
            [versions.as_ref().err(), aliases.as_ref().err(), urls.as_ref().err(), provisioned.as_ref().err()];
        reasons.into_iter().flatten().map(String::as_str).collect()
    }
}

/// A time of AWS to the second, which compares as text; `None` if it is not in UTC.
fn second(time: &str) -> Option<&str> {
    (time.ends_with("+0000") || time.ends_with('Z')).then(|| time.get(..19))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_compare_to_the_second_and_in_utc_alone() {
        assert_eq!(second("2026-11-21T12:00:31.123+0000"), Some("2026-11-21T12:00:31"));
        assert_eq!(second("2026-11-21T12:00:31Z"), Some("2026-11-21T12:00:31"));
        for other in ["2026-11-21T12:00:31+02:00", "Z", "", "yesterday"] {
            assert_eq!(second(other), None, "{other}");
        }
    }
}
