//! The types of settings: which values are valid, and how each is shown.
//!
//! Limits are those of the `CreateFunction` page of the AWS Lambda API reference, unless a line says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::runtime::misspelt;
use super::{Aspect, Difference, End, Secret, Setting, Written, secret::looks_plain};
use crate::arn::Arn;

/// The single value that was written; an error for a list.
pub(super) fn text(written: &Written) -> Result<&str, String> {
    match written {
        Written::Text(text) => Ok(text.trim()),
        Written::List(_) | Written::Structure(_) => Err("must be one value, not a list".to_owned()),
    }
}

/// The values that were written, one or several.
pub(super) fn items(written: &Written) -> Vec<&str> {
    match written {
        Written::Text(text) => vec![text.trim()],
        Written::List(items) => items.iter().map(|item| item.trim()).collect(),
        Written::Structure(_) => Vec::new(),
    }
}

/// Reads a whole number within AWS' limits; messages name the `usual` ones. Blanks, `_` and the unit are allowed beside
/// the digits.
fn number(written: &Written, unit: &str, least: u32, most: u32, usual: u32) -> Result<u32, String> {
    let text = text(written)?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end().replace('_', "");
    let suffix = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_').trim();
    let number = digits.parse::<u32>().ok().filter(|_| suffix.is_empty() || suffix.eq_ignore_ascii_case(unit));
    match number {
        Some(number) if (least..=most).contains(&number) => Ok(number),
        Some(_) => Err(outside(unit, least, usual, text)),
        None => {
            let meant = in_unit(digits.parse().ok(), suffix, unit);
            let meant = meant.map(|meant| format!("; write `{meant}`")).unwrap_or_default();
            Err(format!("must be a whole number between {least} and {usual} {unit}, got `{text}`{meant}"))
        }
    }
}

/// A number of another unit in this one; `None` for an unknown unit.
fn in_unit(number: Option<u32>, suffix: &str, unit: &str) -> Option<u32> {
    let factor = match (unit, suffix.to_ascii_lowercase().as_str()) {
        ("MB", "m" | "mi" | "mib" | "megabytes") | ("s", "sec" | "secs" | "second" | "seconds") => 1,
        ("MB", "g" | "gb" | "gi" | "gib") => 1024,
        ("s", "m" | "min" | "mins" | "minute" | "minutes") => 60,
        ("s", "h" | "hour" | "hours") => 3600,
        _ => return None,
    };
    number?.checked_mul(factor)
}

/// The error for a number outside of the limits.
fn outside(unit: &str, least: u32, most: u32, got: &str) -> String {
    format!("must be between {least} and {most} {unit}, got {got}")
}

/// A number with a unit and limits: those of Managed Instances, and a lower one for all other functions.
macro_rules! measured {
    ($( $(#[$doc:meta])* $name:ident: $unit:literal, $least:literal ..= $most:literal, $usual:literal elsewhere; )*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) struct $name(pub u32);

        impl $name {
            /// The smallest value.
            pub(crate) const LEAST: u32 = $least;

            /// The largest value, on Managed Instances.
            pub(crate) const MOST: u32 = $most;

            /// The error for a value that only functions on Managed Instances may have; `None` for any smaller one.
            pub(crate) fn beyond_usual(self) -> Option<String> {
                (self.0 > $usual).then(|| outside($unit, $least, $usual, &self.0.to_string()))
            }

            /// The largest value on Managed Instances, with its unit.
            pub(crate) fn most() -> String {
                format!("{} {}", Self::MOST, $unit)
            }
        }

        impl Setting for $name {
            fn parse(written: &Written) -> Result<Self, String> {
                number(written, $unit, $least, $most, $usual).map(Self)
            }

            fn data(&self) -> Value {
                self.0.into()
            }

            fn unit() -> Option<&'static str> {
                Some($unit)
            }
        }
    )* };
}

measured! {
    /// Seconds that one invocation may take.
    Timeout: "s", 1..=5_400, 900 elsewhere;
    /// Memory in MB.
    MemorySize: "MB", 128..=32_768, 10_240 elsewhere;
    /// Size of `/tmp` in MB.
    EphemeralStorage: "MB", 512..=32_768, 10_240 elsewhere;
}

/// A text with a rule. `or none` marks a setting that can be cleared.
macro_rules! worded {
    ($( $(#[$doc:meta])* $name:ident $(or $none:ident)?: $rule:expr; )*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) struct $name(pub String);

        impl Setting for $name {
            fn parse(written: &Written) -> Result<Self, String> {
                let text = text(written)?;
                let rule: fn(&str) -> Result<(), String> = $rule;
                rule(text).map(|()| Self(text.to_owned()))
            }

            fn data(&self) -> Value {
                self.0.as_str().into()
            }

            $( fn emptied() -> Option<Self> {
                let $none = Self(String::new());
                Some($none)
            } )?
        }
    )* };
}

worded! {
    /// A runtime identifier. Unknown ones are valid, because AWS adds runtimes after this release.
    Runtime: |text| {
        let odd = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')));
        let odd = odd.map(|odd| format!("`{text}` is not a runtime identifier: it has `{odd}`; one looks like `nodejs22.x`"));
        misspelt(text).or(odd).map_or(Ok(()), Err)
    };
    /// The method that Lambda calls: up to 128 characters without a blank.
    Handler: |text| {
        if text.chars().count() > 128 {
            Err(format!("is {} characters long, AWS accepts at most 128", text.chars().count()))
        } else if text.chars().any(char::is_whitespace) {
            Err(format!("`{text}` has a blank; a handler looks like `index.handler`"))
        } else {
            Ok(())
        }
    };
    /// A description of up to 256 characters; empty for none.
    Description or none: |text| match text.chars().count() {
        0..=256 => Ok(()),
        length => Err(format!("is {length} characters long, AWS accepts at most 256")),
    };
    /// An ARN of any service and partition; empty if the setting is cleared.
    ArnOrNone or none: |text| Arn::parse(text).map(drop);
}

impl Runtime {
    /// Whether it is an operating system only, which starts the package's own `bootstrap`.
    pub(crate) fn starts_bootstrap(&self) -> bool {
        self.0.starts_with("provided")
    }
}

/// Whether X-Ray samples invocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TracingMode {
    /// Lambda samples invocations.
    Active,
    /// Lambda follows the caller's decision; AWS' default.
    PassThrough,
}

impl Setting for TracingMode {
    fn parse(written: &Written) -> Result<Self, String> {
        let text = text(written)?;
        [Self::Active, Self::PassThrough]
            .into_iter()
            .find(|mode| mode.shown().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("must be Active or PassThrough, got `{text}`"))
    }

    fn data(&self) -> Value {
        match self {
            Self::Active => "Active",
            Self::PassThrough => "PassThrough",
        }
        .into()
    }
}

/// A setting that is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Switch(pub bool);

impl Setting for Switch {
    fn parse(written: &Written) -> Result<Self, String> {
        match text(written)?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Ok(Self(true)),
            "false" | "no" | "off" => Ok(Self(false)),
            other => Err(format!("must be true or false (or yes, no, on, off), got `{other}`")),
        }
    }

    fn data(&self) -> Value {
        self.0.into()
    }
}

/// The instruction set that the code is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Architecture {
    /// 64-bit Intel and AMD; AWS' default.
    X86_64,
    /// 64-bit ARM (Graviton).
    Arm64,
}

impl Setting for Architecture {
    fn parse(written: &Written) -> Result<Self, String> {
        match items(written)[..] {
            ["x86_64" | "x86-64" | "amd64"] => Ok(Self::X86_64),
            ["arm64" | "aarch64"] => Ok(Self::Arm64),
            ref other => Err(format!("must be x86_64 or arm64, got `{}`", other.join(", "))),
        }
    }

    fn data(&self) -> Value {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
        .into()
    }
}

/// A set of identifiers whose order AWS ignores.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ids(pub BTreeSet<String>);

impl Setting for Ids {
    fn parse(written: &Written) -> Result<Self, String> {
        let ids = items(written);
        let good = |id: &&str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match ids.iter().find(|id| !good(id)) {
            Some(odd) => Err(format!("`{odd}` is not an identifier such as `subnet-0a1b2c3d` or `sg-0a1b2c3d`")),
            None => Ok(Self(ids.into_iter().map(str::to_owned).collect())),
        }
    }

    fn data(&self) -> Value {
        self.0.iter().map(String::as_str).collect()
    }

    fn emptied() -> Option<Self> {
        Some(Self::default())
    }
}

/// All variables of a function. Values are secrets, so only names are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Environment(pub BTreeMap<String, Secret>);

impl Environment {
    /// The largest size that AWS accepts, in bytes.
    pub(crate) const MOST: usize = 4096;

    /// The size that AWS measures: the bytes of all variables as one JSON object without blanks.
    pub(crate) fn size(&self) -> usize {
        let variables: BTreeMap<&str, &str> =
            self.0.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        serde_json::to_string(&variables).map_or(usize::MAX, |json| json.len())
    }
}

impl Setting for Environment {
    fn parse(_: &Written) -> Result<Self, String> {
        Err("is read by key".to_owned())
    }

    fn data(&self) -> Value {
        self.0.keys().map(String::as_str).collect()
    }

    fn differences(&self, about: Aspect, live: Option<&Self>) -> Vec<Difference> {
        let empty = Self::default();
        if live.is_none() && self.0.is_empty() {
            // The live variables are unknown, so clearing them may change something.
            return vec![Difference::whole(about, None, Some(self.data()))];
        }
        let live = live.unwrap_or(&empty);
        let value = |text: &str| End::Value(text.into());
        let hidden = |known: &Secret| End::Hidden(known.clone());
        // A live value is shown only beside a new one that may be shown.
        let before = |name: &str, live: &Secret, wanted: Option<&Secret>| {
            let shown = wanted.is_some_and(|wanted| wanted.public().is_some()) && looks_plain(name, live.expose());
            if shown { value(live.expose()) } else { hidden(live) }
        };
        let after = |wanted: &Secret| wanted.public().map_or_else(|| hidden(wanted), value);
        let names: BTreeSet<_> = live.0.keys().chain(self.0.keys()).collect();
        let ends = names.into_iter().map(|name| (name, live.0.get(name), self.0.get(name)));
        let differing = ends.filter(|(_, from, to)| from != to).map(|(name, from, to)| {
            let ends = (from.map(|from| before(name, from, to)), to.map(after));
            Difference::between(about, ends.0, ends.1).of_key(name)
        });
        differing.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingName;

    fn read<T: Setting>(value: &str) -> Result<String, String> {
        T::parse(&Written::Text(value.to_owned())).map(|value| value.shown())
    }

    #[test]
    fn numbers_keep_to_the_limits_of_aws() {
        for (written, read_as) in
            [("128", "128 MB"), ("1_024", "1024 MB"), (" 256 ", "256 MB"), ("512 MB", "512 MB"), ("10240", "10240 MB")]
        {
            assert_eq!(read::<MemorySize>(written).as_deref(), Ok(read_as));
        }
        for written in ["64", "32769", "3.7", "0x80", "", "-1", "512 GB", "99999999999"] {
            assert!(read::<MemorySize>(written).is_err(), "{written}");
        }
        assert_eq!(read::<MemorySize>("64").unwrap_err(), "must be between 128 and 10240 MB, got 64");
        assert_eq!(read::<Timeout>("5401").unwrap_err(), "must be between 1 and 900 s, got 5401");
        assert_eq!(read::<EphemeralStorage>("512").as_deref(), Ok("512 MB"));
    }

    #[test]
    fn an_environment_is_as_large_as_its_json() {
        let size = |pairs: &[(&str, String)]| {
            Environment(pairs.iter().map(|(key, value)| ((*key).to_owned(), Secret::new(value.as_str()))).collect())
                .size()
        };
        assert_eq!(size(&[("LARGE", "x".repeat(4084))]), Environment::MOST);
        assert_eq!(size(&[("AB", "1".to_owned()), ("CD", "2".to_owned())]), r#"{"AB":"1","CD":"2"}"#.len());
        assert_eq!(size(&[("AB", "\"\\\n\u{1}é".to_owned())]), r#"{"AB":"\"\\\n\u0001"}"#.len() + 2);
    }

    #[test]
    fn an_environment_shows_names_and_never_values() {
        let environment = |pairs: &[(&str, &str)]| {
            Environment(pairs.iter().map(|(key, value)| ((*key).to_owned(), Secret::new(*value))).collect())
        };
        let wanted = environment(&[("KEPT", "1"), ("NEW", "s3cret"), ("CHANGED", "s3cret")]);
        let live = environment(&[("KEPT", "1"), ("GONE", "s3cret"), ("CHANGED", "old")]);
        let found = wanted.differences(Aspect::Setting(SettingName::Environment), Some(&live));
        let found: Vec<_> = found.into_iter().map(|d| (d.key.unwrap(), d.from, d.to)).collect();
        let hidden = |value: &str| Some(End::Hidden(Secret::new(value)));
        let named = |name: &str, from, to| (name.to_owned(), from, to);
        let expected = [
            named("CHANGED", hidden("old"), hidden("s3cret")),
            named("GONE", hidden("s3cret"), None),
            named("NEW", None, hidden("s3cret")),
        ];
        assert_eq!(found, expected);
        assert!(!format!("{wanted:?}{}{found:?}", wanted.shown()).contains("s3cret"));
    }

    #[test]
    fn a_live_value_is_shown_only_beside_one_that_may_be_shown() {
        let clear = |text: &str| Secret::in_clear("STAGE", text);
        let differing = |wanted: Secret, live: &str| {
            let of = |value| Environment([("STAGE".to_owned(), value)].into());
            let found = of(wanted).differences(Aspect::Architecture, Some(&of(Secret::new(live))));
            (found[0].from.clone().unwrap(), found[0].to.clone().unwrap())
        };
        let (shown, hidden) = (|text: &str| End::Value(text.into()), |text: &str| End::Hidden(Secret::new(text)));
        assert_eq!(differing(clear("prod"), "dev"), (shown("dev"), shown("prod")));
        assert_eq!(differing(clear("prod"), "hunter2"), (hidden("hunter2"), shown("prod")));
        assert_eq!(differing(Secret::new("prod"), "dev"), (hidden("dev"), hidden("prod")));
        assert_eq!(differing(clear("ghp_16C7e42F292c69"), "dev"), (hidden("dev"), hidden("ghp_16C7e42F292c69")));
    }
}
