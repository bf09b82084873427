//! Differences as text and as JSON, for every renderer. A difference has two ends: before and after.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::nonce::nonce;
use super::sanitise;
use crate::settings::{Aspect, Difference, End, Secret, shown, snake};

/// Replaces a value that must not be shown.
const HIDDEN: &str = "(hidden)";

/// How much of a hash or digest to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digits {
    /// The first digits, enough to tell two hashes apart.
    Short,
    /// All digits; for an image, its URI.
    All,
}

/// One end as text.
pub(super) fn text(end: &End, unit: Option<&str>, digits: Digits) -> String {
    match (end, digits) {
        (End::Value(value), _) => shown(value, unit),
        (End::Hidden(value), _) => format!("(hidden, {})", mark(value)),
        (End::Package { sha256: hash } | End::Image { digest: Some(hash), .. }, Digits::Short) => short(hash),
        (End::Package { sha256 }, Digits::All) => sha256.clone(),
        (End::Image { digest: None, .. }, Digits::Short) => "the image of its tag".to_owned(),
        (End::Image { digest, address }, Digits::All) => address.clone().or_else(|| digest.clone()).unwrap_or_default(),
        (End::Version { number, shares }, _) => {
            let shares = shares.iter().map(|(version, share)| format!(", {} version {version}", percent(*share)));
            format!("version {number}{}", shares.collect::<String>())
        }
        (End::NewVersion, _) => "the new version".to_owned(),
    }
}

/// Both ends in one line. For hidden values, only whether they are added or changed.
pub(super) fn both(difference: &Difference, digits: Digits) -> String {
    let text = |end: &End| text(end, difference.unit, digits);
    let line = match (&difference.from, &difference.to) {
        (Some(End::Hidden(from)), Some(End::Hidden(to))) => {
            format!("changed (values hidden, {} → {})", mark(from), mark(to))
        }
        (None, Some(End::Hidden(_))) => "added (value hidden)".to_owned(),
        (_, None) => "removed".to_owned(),
        (Some(from), Some(to)) => format!("{} → {}", text(from), text(to)),
        (None, Some(to)) => text(to),
    };
    sanitise::one_line(&line)
}

/// The name of a difference: its setting, key and member.
pub(super) fn name(difference: &Difference, joint: &str) -> String {
    let parts = [Some(difference.about.name()), difference.key.as_deref(), difference.member.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(joint)
}

/// A share, given in hundredths of a percent, without trailing zeros.
pub(super) fn percent(hundredths: u32) -> String {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The first digits of a hash or digest, enough to tell two apart.
pub(super) fn short(sha256: &str) -> String {
    let (kind, digits) = sha256.split_once(':').map_or(("", sha256), |(kind, digits)| (&sha256[..=kind.len()], digits));
    format!("{kind}{}…", digits.chars().take(10).collect::<String>())
}

/// Tells hidden values of one run apart. The key is random and never leaves the process, so that nobody can try values.
fn mark(value: &Secret) -> String {
    static KEY: LazyLock<[String; 2]> = LazyLock::new(|| [nonce(), nonce()]);
    let inner = Sha256::digest(format!("{}{}", KEY[0], value.expose()));
    let outer = Sha256::new().chain_update(KEY[1].as_bytes()).chain_update(inner).finalize();
    outer.iter().take(4).fold("#".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// A difference as JSON.
pub(super) fn document(difference: &Difference) -> Value {
    let Difference { about, key, member, from, to, unit } = difference;
    let mut members = Map::new();
    members.insert("setting".to_owned(), setting(*about, from.as_ref().or(to.as_ref())).into());
    members.extend(key.as_ref().map(|key| ("key".to_owned(), key.as_str().into())));
    members.extend(member.as_ref().map(|member| ("member".to_owned(), member.as_str().into())));
    members.insert("from".to_owned(), from.as_ref().map_or(Value::Null, data));
    members.insert("to".to_owned(), to.as_ref().map_or(Value::Null, data));
    for (name, end) in [("from_mark", from), ("to_mark", to)] {
        if let (Some(End::Hidden(value)), Some(_)) = (end, from) {
            members.insert(name.to_owned(), mark(value).into());
        }
    }
    members.extend(unit.map(|unit| ("unit".to_owned(), unit.into())));
    Value::Object(members)
}

/// Hashes and digests have keys that name them.
fn setting(about: Aspect, end: Option<&End>) -> &'static str {
    match end {
        Some(End::Package { .. }) => "code_sha256",
        Some(End::Image { .. }) => "image_uri",
        _ => about.name(),
    }
}

fn data(end: &End) -> Value {
    match end {
        End::Value(value) => written(value),
        End::Hidden(_) => HIDDEN.into(),
        End::Package { sha256 } => sha256.as_str().into(),
        End::Image { digest, address } => json!(address.as_ref().or(digest.as_ref())),
        End::Version { number, shares } if shares.is_empty() => number.as_str().into(),
        End::Version { number, shares } => {
            let shares = shares.iter().map(|(version, share)| (version.as_str(), f64::from(*share) / 10_000.0));
            json!({ "version": number, "weights": shares.collect::<BTreeMap<_, _>>() })
        }
        End::NewVersion => "new".into(),
    }
}

/// A value whose members have the names that users write.
fn written(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (snake(name), written(value))).collect(),
        Value::Array(items) => items.iter().map(written).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Attachment, MemorySize, Secret, Setting, SettingName};

    #[test]
    fn numbers_and_their_units_are_apart_in_documents_and_together_in_text() {
        let memory = MemorySize(256).differences(Aspect::Setting(SettingName::MemorySize), Some(&MemorySize(128)));
        assert_eq!(document(&memory[0]), json!({ "setting": "memory_size", "from": 128, "to": 256, "unit": "MB" }));
        assert_eq!(both(&memory[0], Digits::Short), "128 MB → 256 MB");
    }

    #[test]
    fn setting_key_and_member_are_apart() {
        let about = Aspect::Attachment(Attachment::Permissions);
        let arn = Difference::whole(about, Some("arn:aws:s3:::b".into()), None).of_key("s3").of_member("source_arn");
        let expected = json!({ "setting": "permissions", "key": "s3", "member": "source_arn", "from": "arn:aws:s3:::b", "to": null });
        assert_eq!((document(&arn), name(&arn, ".")), (expected, "permissions.s3.source_arn".to_owned()));
        let whole = Difference::whole(about, Some(json!({ "SourceArn": "a" })), None).of_key("s3");
        assert_eq!(document(&whole)["from"], json!({ "source_arn": "a" }));
    }

    #[test]
    fn what_is_hidden_stays_hidden() {
        let about = Aspect::Setting(SettingName::Environment);
        let end = |value: &str| Some(End::Hidden(Secret::new(value)));
        let hidden = Difference::between(about, end("s3cret-old"), end("s3cret-new")).of_key("TOKEN");
        let (old, new) = (mark(&Secret::new("s3cret-old")), mark(&Secret::new("s3cret-new")));
        assert_ne!(old, new);
        assert_eq!(both(&hidden, Digits::All), format!("changed (values hidden, {old} → {new})"));
        let document = document(&hidden);
        assert_eq!((&document["to"], &document["to_mark"]), (&json!(HIDDEN), &json!(new)));
        assert!(!document.to_string().contains("s3cret"));
        // Nobody can look the mark up: it is not the hash of the value.
        let plain = Sha256::digest("s3cret-old").iter().fold("#".to_owned(), |text, byte| format!("{text}{byte:02x}"));
        assert!(!plain.starts_with(&old));
    }

    #[test]
    fn shares_are_percents() {
        for (share, shown) in [(1000, "10 %"), (1250, "12.5 %"), (10_000, "100 %"), (10, "0.1 %"), (1, "0.01 %")] {
            assert_eq!(percent(share), shown);
        }
        let shares = BTreeMap::from([("8".to_owned(), 1250)]);
        let end = End::Version { number: "7".to_owned(), shares };
        assert_eq!(text(&end, None, Digits::All), "version 7, 12.5 % version 8");
        assert_eq!(data(&end), json!({ "version": "7", "weights": { "8": 0.125 } }));
        assert_eq!(data(&End::version("7")), "7");
    }
}
