//! Patterns that stand for the names of several functions and layers.

use globset::GlobSet;

use crate::package::glob::{self, Stars};

/// What an ARN has before the name of a function or layer, or of the log group of a function.
const BEFORE_NAMES: [&str; 3] = [":function:", ":layer:", ":log-group:/aws/lambda/"];

/// Patterns for names.
#[derive(Debug, Default)]
pub(crate) struct Patterns(Vec<(String, GlobSet)>);

impl Patterns {
    /// Reads patterns with commas between them.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let pattern = |pattern: &str| {
            let pattern = pattern.trim();
            let may_have = |c: char| c.is_ascii_alphanumeric() || "-_*?".contains(c);
            if pattern.is_empty() || !pattern.chars().all(may_have) {
                return Err(format!("`{pattern}` is not a pattern for names: letters, digits, `-`, `_`, `*` and `?`"));
            }
            Ok((pattern.to_owned(), glob::compile(pattern, Stars::InAll)?))
        };
        text.split(',').map(pattern).collect::<Result<_, _>>().map(Self)
    }

    /// The first pattern that fits none of these names.
    pub(crate) fn unused(&self, names: &[&str]) -> Option<&str> {
        let fits_none = |(_, glob): &&(String, GlobSet)| !names.iter().any(|name| glob.is_match(name));
        self.0.iter().find(fits_none).map(|(pattern, _)| pattern.as_str())
    }

    /// An ARN with the pattern that fits its name, if there is one.
    pub(super) fn shortened(&self, arn: &str) -> String {
        let parts = BEFORE_NAMES.iter().find_map(|before| {
            let end = arn.find(before)? + before.len();
            Some(arn.split_at(end))
        });
        let Some((before, rest)) = parts else { return arn.to_owned() };
        let (name, qualifier) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
        match self.0.iter().find(|(_, glob)| glob.is_match(name)) {
            // The star at the end stands for versions and aliases too.
            Some((pattern, _)) if pattern.ends_with('*') && qualifier == ":*" => format!("{before}{pattern}"),
            Some((pattern, _)) => format!("{before}{pattern}{qualifier}"),
            None => arn.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_gets_the_pattern_for_its_name() {
        let patterns = Patterns::parse("shop-*, *-prod,?").unwrap();
        for (arn, expected) in [
            ("arn:aws:lambda:eu-west-1:1:function:shop-a", "arn:aws:lambda:eu-west-1:1:function:shop-*"),
            ("arn:aws:lambda:eu-west-1:1:function:shop-a:*", "arn:aws:lambda:eu-west-1:1:function:shop-*"),
            ("arn:aws:lambda:eu-west-1:1:function:shop-a:live", "arn:aws:lambda:eu-west-1:1:function:shop-*:live"),
            ("arn:aws:lambda:eu-west-1:1:function:a-prod:*", "arn:aws:lambda:eu-west-1:1:function:*-prod:*"),
            ("arn:aws:lambda:*:*:layer:a", "arn:aws:lambda:*:*:layer:?"),
            ("arn:aws:logs:*:*:log-group:/aws/lambda/shop-a:*", "arn:aws:logs:*:*:log-group:/aws/lambda/shop-*"),
            ("arn:aws:iam::1:role/shop-a", "arn:aws:iam::1:role/shop-a"),
            ("*", "*"),
        ] {
            assert_eq!(patterns.shortened(arn), expected);
        }
        for wrong in ["", "a,,b", "a b", "a:*", "[a]", "{a,b}", "a/*"] {
            assert!(Patterns::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(patterns.unused(&["shop-x", "b"]), Some("*-prod"));
        assert_eq!(Patterns::default().unused(&[]), None);
    }
}
