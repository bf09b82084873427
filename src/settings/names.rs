//! Names of functions, aliases, roles and variables.

use serde_json::Value;

use super::values::text;
use super::{Setting, Written};
use crate::arn::{Arn, check_account, is_account};

/// A function, by name or ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionName {
    /// The bare name.
    pub name: String,
    /// The account; absent if it was not written.
    pub account: Option<String>,
    /// The Region; absent if it was not written.
    pub region: Option<String>,
    /// The name as it was written, which is sent to AWS.
    pub written: String,
}

impl Setting for FunctionName {
    /// Accepts a name, `ACCOUNT:function:NAME` and a full ARN, without a qualifier.
    fn parse(written: &Written) -> Result<Self, String> {
        let text = text(written)?;
        let neither = || format!("`{text}` is neither a function's name nor its ARN");
        let (region, account, name, qualifier) = if text.starts_with("arn:") {
            let arn = Arn::parse(text)?;
            let (name, qualifier) = arn.function().ok_or_else(neither)?;
            if arn.region.is_empty() || !is_account(arn.account) {
                return Err(neither());
            }
            (Some(arn.region), Some(arn.account), name, qualifier)
        } else if let Some((account, function)) = text.split_once(":function:") {
            check_account(account).map_err(|why| format!("`{text}`: the account {why}"))?;
            let (name, qualifier) =
                function.split_once(':').map_or((function, None), |(name, rest)| (name, Some(rest)));
            (None, Some(account), name, qualifier)
        } else if let Some((name, qualifier)) = text.split_once(':') {
            if qualifier.contains(':') || name.is_empty() {
                return Err(neither());
            }
            (None, None, name, Some(qualifier))
        } else {
            (None, None, text, None)
        };
        if let Some(qualifier) = qualifier {
            let bare = text.strip_suffix(&format!(":{qualifier}")).unwrap_or(name);
            let is_alias = AliasName::parse(&Written::Text(qualifier.to_owned())).is_ok();
            return Err(match qualifier {
                _ if is_alias => format!(
                    "`{text}` has the name of an alias at its end; write `function_name: {bare}` and `alias: {qualifier}`"
                ),
                _ => format!(
                    "`{text}` has a version at its end; write `function_name: {bare}`, because only the function itself is deployed"
                ),
            });
        }
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            return Err(format!("`{name}` is not a function's name: letters, digits, `-` and `_` only"));
        }
        if name.len() > 64 {
            return Err(format!("`{name}` is {} characters long, AWS accepts at most 64", name.len()));
        }
        Ok(Self {
            name: name.to_owned(),
            account: account.map(str::to_owned),
            region: region.map(str::to_owned),
            written: text.to_owned(),
        })
    }

    fn data(&self) -> Value {
        self.name.as_str().into()
    }
}

/// The name of an alias. It is never a number, because AWS reads a number as a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AliasName(pub String);

impl Setting for AliasName {
    fn parse(written: &Written) -> Result<Self, String> {
        let text = text(written)?;
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if text.is_empty() || text.len() > 128 || !text.chars().all(good) {
            return Err(format!("`{text}` is not the name of an alias: up to 128 letters, digits, `-` and `_`"));
        }
        if text.chars().all(|c| c.is_ascii_digit()) {
            return Err(format!("`{text}` is a number, which AWS reads as a version; use at least one letter"));
        }
        Ok(Self(text.to_owned()))
    }

    fn data(&self) -> Value {
        self.0.as_str().into()
    }
}

/// The execution role: an ARN, or a name that the plan completes with the account and partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// A full ARN.
    Arn(String),
    /// A role's name, with its path if it has one.
    Name(String),
}

impl Setting for Role {
    fn parse(written: &Written) -> Result<Self, String> {
        let text = text(written)?;
        let good = |c: char| c.is_ascii_alphanumeric() || "+=,.@-_/".contains(c);
        if text.starts_with("arn:") {
            let arn = Arn::parse(text)?;
            let of_iam = arn.service == "iam" && is_account(arn.account);
            return match arn.resource.strip_prefix("role/") {
                Some(name) if of_iam && !name.is_empty() && name.chars().all(good) => Ok(Self::Arn(text.to_owned())),
                _ => Err(format!(
                    "`{text}` is not the ARN of a role; one looks like `arn:aws:iam::123456789012:role/NAME`"
                )),
            };
        }
        if text.is_empty() || !text.chars().all(good) {
            return Err(format!("`{text}` is neither a role's name nor its ARN"));
        }
        Ok(Self::Name(text.trim_start_matches('/').to_owned()))
    }

    fn data(&self) -> Value {
        match self {
            Self::Arn(text) | Self::Name(text) => text.as_str().into(),
        }
    }
}

/// Checks the name of an environment variable: AWS' pattern, and none of the names that Lambda reserves.
///
/// Source: "Defined runtime environment variables" in the Lambda guide.
pub(crate) fn check_variable_name(name: &str) -> Result<(), String> {
    const RESERVED: &[&str] = &[
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    ];
    if RESERVED.contains(&name) {
        return Err(format!("`{name}` is reserved by Lambda and cannot be set"));
    }
    let letters = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.len() >= 2;
    if letters && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    // The text may be part of a secret value, so it is repeated only if it looks like a name.
    let like_a_name =
        name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let shown = if like_a_name { format!("`{name}`") } else { "the key of an entry".to_owned() };
    Err(format!(
        "{shown} is not a variable's name: it must begin with a letter and have at least two letters, digits or `_`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Setting>(value: &str) -> Result<String, String> {
        T::parse(&Written::Text(value.to_owned())).map(|value| value.shown())
    }

    #[test]
    fn function_names_come_in_three_forms() {
        for good in [
            "f",
            "my-func_1",
            "123456789012:function:f",
            "arn:aws:lambda:eu-west-1:123456789012:function:f",
            "arn:aws-cn:lambda:cn-north-1:123456789012:function:f",
        ] {
            assert!(read::<FunctionName>(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "f:live",
            "arn:aws:lambda:eu-west-1:123456789012:function:f:live",
            "arn:aws:s3:::f",
            "arn:aws:lambda:eu-west-1:0123456789012:function:f",
            "arn:aws:lambda::123456789012:function:f",
            "0123456789012:function:f",
            "123456789012:function:f:live",
            "f:function",
            "a/b",
            &"x".repeat(65),
        ] {
            assert!(read::<FunctionName>(bad).is_err(), "{bad}");
        }
        assert_eq!(read::<FunctionName>(&"x".repeat(64)), Ok("x".repeat(64)));
    }

    #[test]
    fn aliases_are_not_numbers() {
        for good in ["live", "v2", "blue_green-1"] {
            assert!(read::<AliasName>(good).is_ok(), "{good}");
        }
        for bad in ["", "42", "$LATEST", "a b", "live:1", &"x".repeat(129)] {
            assert!(read::<AliasName>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn roles_are_names_or_arns_of_any_partition() {
        for good in [
            "deploy",
            "service-role/deploy",
            "arn:aws:iam::123456789012:role/deploy",
            "arn:aws-us-gov:iam::123456789012:role/a/b",
        ] {
            assert!(read::<Role>(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "arn:aws:iam::12:role/deploy",
            "arn:aws:iam::0123456789012:role/deploy",
            "arn:aws:iam::aws:role/deploy",
            "arn:aws:iam::123456789012:user/deploy",
            "arn:aws:iam::123456789012:role/",
            "arn:x",
        ] {
            assert!(read::<Role>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_that_lambda_sets_itself_are_refused() {
        for good in ["AB", "PATH", "LD_LIBRARY_PATH", "TZ", "AWS_LAMBDA_EXEC_WRAPPER", "a1"] {
            assert_eq!(check_variable_name(good), Ok(()), "{good}");
        }
        for bad in ["AWS_REGION", "LAMBDA_TASK_ROOT", "_X", "1A", "A", "", "A-B", "Ä1"] {
            assert!(check_variable_name(bad).is_err(), "{bad}");
        }
    }
}
