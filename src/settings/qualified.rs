//! A function with a version or an alias, as AWS accepts it.

use serde_json::Value;

use super::values::text;
use super::{FunctionName, Setting, Written};
use crate::arn::is_account;

/// A function, or a version or an alias of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QualifiedFunction {
    /// The function.
    pub function: FunctionName,
    /// The number of a version, the name of an alias, or `$LATEST`; absent if none was written.
    pub qualifier: Option<String>,
}

impl QualifiedFunction {
    /// The function as the user wrote it, with its qualifier.
    pub(crate) fn written(&self) -> String {
        let qualifier = self.qualifier.as_ref().map(|name| format!(":{name}")).unwrap_or_default();
        format!("{}{qualifier}", self.function.written)
    }
}

impl Setting for QualifiedFunction {
    /// Accepts a name, `ACCOUNT:function:NAME` and a full ARN, each also with `:QUALIFIER`.
    fn parse(written: &Written) -> Result<Self, String> {
        let text = text(written)?;
        // A part of an account and `function`, or the parts of an ARN, come before the name.
        let before = text.find(":function:").map_or(0, |at| at + ":function:".len());
        let end = text[before..].find(':').map_or(text.len(), |at| before + at);
        if text.starts_with("arn:") && before == 0 {
            return Err(format!("`{text}` is not the ARN of a function"));
        }
        let function = FunctionName::parse(&Written::Text(text[..end].to_owned()))?;
        let qualifier = text[end..].strip_prefix(':');
        // AWS reads an account and a name in it.
        if let (true, Some(name)) = (is_account(&text[..end]), qualifier) {
            return Err(format!("`{text}` has an account at its begin; write `{}:function:{name}`", &text[..end]));
        }
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let is_good = |name: &&str| *name == "$LATEST" || (1..=128).contains(&name.len()) && name.chars().all(good);
        if let Some(wrong) = qualifier.filter(|name| !is_good(name)) {
            return Err(format!("`{wrong}` is neither a version, nor an alias, nor `$LATEST`"));
        }
        Ok(Self { function, qualifier: qualifier.map(str::to_owned) })
    }

    fn data(&self) -> Value {
        self.written().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_with_or_without_a_version_or_an_alias() {
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f";
        for (function, qualifier) in [
            ("f", None),
            ("f", Some("live")),
            ("f", Some("7")),
            ("f", Some("$LATEST")),
            ("123456789012:function:f", None),
            ("123456789012:function:f", Some("live")),
            (arn, None),
            (arn, Some("live")),
            (arn, Some("$LATEST")),
        ] {
            let text = qualifier.map_or_else(|| function.to_owned(), |qualifier| format!("{function}:{qualifier}"));
            let parsed = QualifiedFunction::parse(&Written::Text(text.clone())).unwrap();
            assert_eq!((parsed.function.name.as_str(), parsed.function.written.as_str()), ("f", function), "{text}");
            assert_eq!((parsed.qualifier.as_deref(), parsed.written()), (qualifier, text));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f";
        for bad in [
            "",
            ":",
            "f:",
            ":live",
            "a b",
            "f:live:7",
            "f:$latest",
            "f:ümlaut",
            "123456789012:function:",
            "123456789012:f",
            "arn:aws:s3:::f",
            "arn:aws:lambda:eu-west-1:123456789012:layer:f:3",
            &format!("{arn}:"),
            &format!("{arn}:live:7"),
        ] {
            assert!(QualifiedFunction::parse(&Written::Text(bad.to_owned())).is_err(), "{bad}");
        }
    }
}
