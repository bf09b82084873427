//! Layers as a function names them.

use std::fmt;

use serde_json::Value;

use super::values::items;
use super::{Setting, Written};
use crate::arn::Arn;

/// A layer in the list of a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LayerRef {
    /// A version, by its ARN.
    Version(String),
    /// The newest version of a layer, by its name in the function's account, or by its ARN.
    Newest(String),
    /// The version that this run publishes of the layer with this name.
    Coming(String),
}

impl LayerRef {
    /// Reads the name or ARN of a layer; `None` for any other text.
    fn of(text: &str) -> Option<Self> {
        if is_layer_name(text) {
            return Some(Self::Newest(text.to_owned()));
        }
        let arn = Arn::of(text).filter(|arn| arn.service == "lambda")?;
        // A layer of AWS itself has no version of its own.
        if arn.resource.strip_prefix("awslayer:").is_some_and(is_layer_name) {
            return Some(Self::Version(text.to_owned()));
        }
        let layer =
            arn.resource.strip_prefix("layer:").filter(|_| !arn.region.is_empty() && !arn.account.is_empty())?;
        match layer.split_once(':') {
            None if is_layer_name(layer) => Some(Self::Newest(text.to_owned())),
            Some((name, number)) if is_layer_name(name) && number.parse::<u64>().is_ok() => {
                Some(Self::Version(text.to_owned()))
            }
            _ => None,
        }
    }

    /// The layer without its version: what two versions of one layer have in common.
    pub(crate) fn layer(&self) -> &str {
        match self {
            Self::Version(arn) => without_version(arn),
            Self::Newest(layer) | Self::Coming(layer) => layer,
        }
    }

    /// The Region in its ARN; `None` for a layer that is given by its name.
    pub(crate) fn region(&self) -> Option<&str> {
        match self {
            Self::Version(text) | Self::Newest(text) => {
                Arn::of(text).map(|arn| arn.region).filter(|region| !region.is_empty())
            }
            Self::Coming(_) => None,
        }
    }
}

/// The ARN of a layer, from the ARN of one of its versions.
pub(crate) fn without_version(arn: &str) -> &str {
    arn.rsplit_once(':').filter(|(_, number)| number.parse::<u64>().is_ok()).map_or(arn, |(layer, _)| layer)
}

impl fmt::Display for LayerRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(text) | Self::Newest(text) => out.write_str(text),
            Self::Coming(name) => write!(out, "{name} (new version)"),
        }
    }
}

/// Whether the text is a valid layer name: up to 140 letters, digits, `-` and `_`.
pub(crate) fn is_layer_name(text: &str) -> bool {
    (1..=140).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// Layers, in the order in which AWS merges them. Live layers always have a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layers(pub Vec<LayerRef>);

impl Setting for Layers {
    fn parse(written: &Written) -> Result<Self, String> {
        let read = |text: &str| {
            if text.starts_with("arn:") {
                Arn::parse(text)?;
            }
            LayerRef::of(text).ok_or_else(|| {
                format!(
                    "`{text}` is neither a layer's name nor its ARN; one looks like `arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION`, and `:VERSION` is optional"
                )
            })
        };
        let layers: Vec<_> = items(written).into_iter().map(read).collect::<Result<_, _>>()?;
        match layers.len() {
            0..=5 => Ok(Self(layers)),
            count => Err(format!("has {count} layers, AWS accepts at most 5")),
        }
    }

    fn data(&self) -> Value {
        self.0.iter().map(LayerRef::to_string).collect()
    }

    fn emptied() -> Option<Self> {
        Some(Self::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:layer:deps";

    fn owned(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn a_layer_is_named_by_its_name_its_arn_or_the_arn_of_a_version() {
        let version = format!("{ARN}:3");
        let of_aws = "arn:aws:lambda:::awslayer:AmazonLinux1803";
        for (text, expected) in [
            ("deps", Some(LayerRef::Newest(owned("deps")))),
            (ARN, Some(LayerRef::Newest(owned(ARN)))),
            (&version, Some(LayerRef::Version(version.clone()))),
            (of_aws, Some(LayerRef::Version(owned(of_aws)))),
            ("deps:3", None),
            ("deps (new version)", None),
            ("arn:aws:lambda:eu-west-1:123456789012:layer:deps:live", None),
            ("arn:aws:lambda:eu-west-1:123456789012:function:f", None),
            ("", None),
        ] {
            assert_eq!(LayerRef::of(text), expected, "{text}");
        }
    }

    #[test]
    fn two_versions_of_a_layer_have_the_layer_in_common() {
        let of = |text: &str| LayerRef::of(text).unwrap();
        assert_eq!(of(&format!("{ARN}:3")).layer(), ARN);
        assert_eq!(of(ARN).layer(), ARN);
        assert_eq!(of(ARN).region(), Some("eu-west-1"));
        assert_eq!((of("deps").layer(), of("deps").region()), ("deps", None));
        assert_eq!(of("arn:aws:lambda:::awslayer:AmazonLinux1803").region(), None);
    }

    #[test]
    fn layers_keep_their_order() {
        let version = format!("{ARN}:3");
        let both = Written::List(vec![version.clone(), owned("deps")]);
        let layers = Layers(vec![LayerRef::Version(version.clone()), LayerRef::Newest(owned("deps"))]);
        assert_eq!(Layers::parse(&both), Ok(layers));
        assert!(Layers::parse(&Written::List(vec![version; 6])).is_err());
    }
}
