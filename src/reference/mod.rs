//! Values that the configuration names but does not contain: the references to them, and what they turned out to be.
//!
//! Must not know how a value is read.

mod terraform;

use std::fmt;
use std::path::PathBuf;

pub(crate) use terraform::{MOST_STATE, named, of_state, scalar};

use crate::settings::Secret;

/// A reference to a value that is elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reference {
    /// A parameter of Systems Manager.
    Parameter {
        /// Its name or ARN.
        name: String,
        /// Its version or label; absent for the newest version.
        selector: Option<String>,
    },
    /// A secret of Secrets Manager.
    Secret {
        /// Its name or ARN.
        id: String,
        /// The member of the secret's JSON that holds the value; absent for the whole secret.
        key: Option<String>,
        /// The staging label of the version; absent for the current version.
        stage: Option<String>,
    },
    /// An output of a stack of `CloudFormation`.
    Output {
        /// The name or ARN of the stack.
        stack: String,
        /// The key of the output.
        output: String,
    },
    /// An output of Terraform.
    State {
        /// Where the state is.
        state: State,
        /// The name of the output.
        output: String,
    },
    /// A text with the account of the credentials in it.
    Account {
        /// The text, with `%{account}` for the account.
        text: String,
    },
    /// A value of a function.
    Function {
        /// Its name or ARN, without a qualifier.
        function: String,
        /// The alias or version; absent for that of the function's block, or for the function itself.
        qualifier: Option<String>,
        /// Which value.
        output: FunctionOutput,
    },
}

/// A value of a function that others can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FunctionOutput {
    /// The ARN of the function itself.
    Arn,
    /// The number of a version.
    Version,
    /// The ARN of an alias or version.
    QualifiedArn,
    /// The function URL.
    Url,
}

impl FunctionOutput {
    /// Every value with its name.
    pub(crate) const ALL: [(&str, Self); 4] = [
        ("function-arn", Self::Arn),
        ("version", Self::Version),
        ("qualified-arn", Self::QualifiedArn),
        ("function-url", Self::Url),
    ];
}

impl fmt::Display for FunctionOutput {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, output)| output == self).map_or("", |(name, _)| name);
        out.write_str(name)
    }
}

/// Where the state of Terraform is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// In a file.
    File {
        /// The path as the user wrote it.
        written: String,
        /// The path from the working directory.
        path: PathBuf,
    },
    /// In a bucket.
    Object {
        /// The bucket.
        bucket: String,
        /// The key of the object.
        key: String,
    },
}

impl Reference {
    /// Whether its value is a secret, whatever it is.
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self, Self::Secret { .. })
    }

    /// Whether AWS has to be called to read it.
    pub(crate) fn is_in_aws(&self) -> bool {
        !matches!(self, Self::State { state: State::File { .. }, .. })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter { name, selector } => {
                write!(out, "{{from_ssm: {name}")?;
                if let Some(selector) = selector {
                    write!(out, ":{selector}")?;
                }
                out.write_str("}")
            }
            Self::Secret { id, key, stage } => {
                write!(out, "{{from_secret: {id}")?;
                if let Some(key) = key {
                    write!(out, ", key: {key}")?;
                }
                if let Some(stage) = stage {
                    write!(out, ", version_stage: {stage}")?;
                }
                out.write_str("}")
            }
            Self::Output { stack, output } => write!(out, "{{from_stack: {stack}, output: {output}}}"),
            Self::State { state, output } => write!(out, "{{from_terraform: {state}, output: {output}}}"),
            Self::Account { text } => out.write_str(text),
            Self::Function { function, qualifier, output } => {
                write!(out, "{{from_function: {function}")?;
                if let Some(qualifier) = qualifier {
                    write!(out, ", qualifier: {qualifier}")?;
                }
                write!(out, ", output: {output}}}")
            }
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { written, .. } => out.write_str(written),
            Self::Object { bucket, key } => write!(out, "s3://{bucket}/{key}"),
        }
    }
}

/// What a reference turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// A value that everybody may know who may read the configuration of the function. It is not shown either.
    Plain(Secret),
    /// A secret.
    Secret(Secret),
    /// A value that a function has after this run deployed it.
    Coming {
        /// A text of the same form, for the plan.
        stand_in: Secret,
        /// The function.
        function: String,
    },
    /// There is no such value.
    Nothing {
        /// Which part of it does not exist: a lowercase fragment.
        message: String,
        /// What to do about it.
        help: String,
    },
}

/// A value of a deployment that comes from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Borrowed {
    /// The option.
    pub option: &'static str,
    /// The key in the option's map; absent for an option that is no map.
    pub key: Option<String>,
    /// The reference.
    pub reference: Reference,
    /// The value, or a text of the same form until it is known; absent if it was not read.
    pub value: Option<Secret>,
    /// The function that has to be deployed before the value is known; absent if it is known.
    pub after: Option<String>,
}

impl Borrowed {
    /// What is shown instead of the value.
    pub(crate) fn shown(&self) -> String {
        match &self.after {
            Some(function) => format!("{} (known after `{function}`)", self.reference),
            None => self.reference.to_string(),
        }
    }
}
