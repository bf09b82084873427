//! `run`: commands for the shell. The value of a `%{…}` reaches the shell in a variable, and never as code. Otherwise the
//! author of a commit message or of a branch name could run commands.

mod code;
mod refusal;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub(super) use refusal::Refusal;

use super::interpolate::Reference;
use crate::release::Script;

/// The most bytes of a command with its values. Linux allows 128 KB for one argument or variable.
const MOST_BYTES: usize = 128 * 1024 - 256;

impl Script {
    /// Reads a command. `value` returns the value of a reference.
    pub(in crate::config) fn of(written: &str, value: impl Fn(Reference<'_>) -> String) -> Result<Self, Refusal> {
        if written.contains('\0') {
            return Err(Refusal::new("has a NUL character, which a command cannot contain", "remove it"));
        }
        let too_long = || {
            let message = format!("has more than {MOST_BYTES} bytes with its values, which is too long for a shell");
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
                let message = format!("`{reference}` has a NUL character, which a variable cannot contain");
                return Err(Refusal::new(message, "leave it out of the command"));
            }
            variables.insert(reference.variable(), value);
        }
        if code.len() + variables.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MOST_BYTES {
            return Err(too_long());
        }
        Ok(Self { written: written.to_owned(), code, variables })
    }
}
