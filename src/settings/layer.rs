//! The names of layers.

use crate::arn::Arn;

/// The suffix of a layer whose version is not published yet.
const COMING: &str = " (new version)";

/// A layer in the list of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LayerRef<'a> {
    /// A version, by its ARN.
    Version(&'a str),
    /// The newest version of a layer, by its name in the function's account, or by its ARN.
    Newest(&'a str),
    /// The version of this layer that the run publishes.
    Coming(&'a str),
}

impl<'a> LayerRef<'a> {
    /// Reads the name or ARN of a layer; `None` for any other text.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        if let Some(name) = text.strip_suffix(COMING) {
            return Some(Self::Coming(name));
        }
        if is_layer_name(text) {
            return Some(Self::Newest(text));
        }
        let arn =
            Arn::of(text).filter(|arn| arn.service == "lambda" && !arn.region.is_empty() && !arn.account.is_empty())?;
        let layer = arn.resource.strip_prefix("layer:")?;
        match layer.split_once(':') {
            None if is_layer_name(layer) => Some(Self::Newest(text)),
            Some((name, number)) if is_layer_name(name) && number.parse::<u64>().is_ok() => Some(Self::Version(text)),
            _ => None,
        }
    }

    /// The list entry for a version that this run publishes, until its number is known.
    pub(crate) fn coming(name: &str) -> String {
        format!("{name}{COMING}")
    }
}

/// Whether the text is a valid layer name: up to 140 letters, digits, `-` and `_`.
pub(crate) fn is_layer_name(text: &str) -> bool {
    (1..=140).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_in_three_ways() {
        const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:layer:deps";
        let version = format!("{ARN}:3");
        for (text, expected) in [
            ("deps", Some(LayerRef::Newest("deps"))),
            (ARN, Some(LayerRef::Newest(ARN))),
            (&version, Some(LayerRef::Version(&version))),
            (&LayerRef::coming("deps"), Some(LayerRef::Coming("deps"))),
            ("deps:3", None),
            ("arn:aws:lambda:eu-west-1:123456789012:layer:deps:live", None),
            ("arn:aws:lambda:eu-west-1:123456789012:function:f", None),
            ("", None),
        ] {
            assert_eq!(LayerRef::of(text), expected, "{text}");
        }
    }
}
