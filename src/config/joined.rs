//! Pairs that are joined with commas, as other tools take them: `A=1,B=2`. Here that is one pair.

use crate::place::{Place, Problem};

/// The warning about a value that probably has more pairs; `None` if it has none.
pub(super) fn warning(option: &str, key: &str, value: &str, place: &Place) -> Option<Problem> {
    // Drone and Woodpecker join the items of a list themselves, which has a warning of its own.
    if matches!(place, Place::Variable(name) if name.starts_with("PLUGIN_")) {
        return None;
    }
    let inner = value.trim().strip_prefix('{').and_then(|value| value.strip_suffix('}'));
    let of_aws_cli = inner.filter(|_| key == "Variables").map(|pairs| pairs.split(',').filter_map(key_of).collect());
    let keys: Vec<&str> = of_aws_cli.or_else(|| keys_behind(key, value)).filter(|keys: &Vec<_>| !keys.is_empty())?;
    let shown: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
    let message = format!("`{key}` gets one value, with the commas and {} in it", shown.join(", "));
    Some(Problem::new(message).of(option).at(place).help(right_form(option, &keys, place)))
}

/// How to write several pairs at a place.
fn right_form(option: &str, keys: &[&str], place: &Place) -> String {
    let of_each = |form: &dyn Fn(&str) -> String, between: &str| {
        keys.iter().map(|key| form(key)).collect::<Vec<_>>().join(between)
    };
    match place {
        Place::Flag(_) => {
            let flags = of_each(&|key| format!("--{option} {key}=…"), " ");
            format!("give each pair a flag of its own, such as `{flags}`")
        }
        Place::Variable(_) => "write one pair a line, or a JSON object".to_owned(),
        Place::File(_) => {
            let entries = of_each(&|key| format!("{key}: …"), ", ");
            format!("write one pair a line, or a map: `{option}: {{{entries}}}`")
        }
    }
}

/// The keys after the commas of a value, if every comma is followed by a pair in the style of the first key. A value that
/// has a `=` before its first comma is a list of pairs itself, such as the query of a URL.
pub(super) fn keys_behind<'v>(key: &str, value: &'v str) -> Option<Vec<&'v str>> {
    let mut parts = value.split(',');
    if parts.next()?.contains('=') {
        return None;
    }
    let is_loud = |key: &str| !key.contains(|c: char| c.is_ascii_lowercase());
    let keys: Vec<_> = parts.map(key_of).collect::<Option<_>>()?;
    keys.iter().all(|later| is_loud(later) == is_loud(key)).then_some(keys)
}

/// The key of a pair, if it looks like the name of a variable or tag.
fn key_of(pair: &str) -> Option<&str> {
    let (key, _) = pair.split_once('=')?;
    let key = key.trim();
    let is_name = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
    is_name.then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certain_pairs_are_found() {
        for (key, value, keys) in [
            ("A", "1,B=2", &["B"][..]),
            ("STAGE", "prod, LOG=info,PORT=80", &["LOG", "PORT"]),
            ("team", "media,cost-centre=7", &["cost-centre"]),
        ] {
            assert_eq!(keys_behind(key, value).as_deref(), Some(keys), "{key}={value}");
        }
        for (key, value) in [
            ("URL", "postgres://h/db?a=1,b=2"),
            ("URL", "https://h/?A=1,B=2"),
            ("RUST_LOG", "info,hyper=warn"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service=a,STAGE=b"),
            ("HOSTS", "a,b,c"),
            ("MIXED", "a,B=1,c"),
            ("JAVA_OPTS", "-Da=1,B=2"),
            ("BASE64", "aGVsbG8=,QUJD="),
            ("EMPTY", ""),
        ] {
            assert!(keys_behind(key, value).is_none_or(|keys| keys.is_empty()), "{key}={value}");
        }
    }
}
