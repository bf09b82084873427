//! `run`: commands for the shell. What fills a `%{…}` in reaches the shell as a variable, and is never part of what the
//! shell reads as code: whoever writes a commit or names a branch could command it otherwise.

mod code;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::interpolate::Reference;

/// Bytes of a command with its values. Linux takes 128 KB in one argument or variable.
const MOST_BYTES: usize = 128 * 1024 - 256;

/// A command as it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    /// As the user wrote it, for the log.
    pub written: String,
    /// What the shell reads: each `%{…}` is a reference to a variable.
    pub code: String,
    /// The variables that it refers to.
    pub variables: BTreeMap<String, String>,
}

/// Why a value cannot be filled in safely, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub message: String,
    pub help: String,
}

impl Refusal {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

impl Script {
    /// Reads a command. `value` says what stands for a reference.
    pub(super) fn of(written: &str, value: impl Fn(Reference<'_>) -> String) -> Result<Self, Refusal> {
        if written.contains('\0') {
            return Err(Refusal::new("has a NUL character, which no command can hold", "remove it"));
        }
        let too_long = || {
            let message = format!("has more than {MOST_BYTES} bytes with its values, which no shell can be given");
            Refusal::new(message, "shorten it, or put it into a script")
        };
        if written.len() > MOST_BYTES {
            return Err(too_long());
        }
        let (code, references) = scan::scan(written)?;
        let mut variables = BTreeMap::new();
        for reference in references {
            let value = value(reference);
            if value.contains('\0') {
                let message = format!("`{reference}` has a NUL character, which no variable can hold");
                return Err(Refusal::new(message, "leave it out of the command"));
            }
            variables.insert(variable(reference), value);
        }
        if code.len() + variables.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MOST_BYTES {
            return Err(too_long());
        }
        Ok(Self { written: written.to_owned(), code, variables })
    }
}

/// The name of the variable that holds a value. It begins with nothing that this tool or a CI reads.
fn variable(reference: Reference<'_>) -> String {
    match reference {
        Reference::Known(name) => format!("DPL_VALUE_{name}"),
        Reference::Variable(name) => format!("DPL_VARIABLE_{name}"),
    }
}
