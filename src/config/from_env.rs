//! References to variables of this process: `{from_env: NAME, default: TEXT}`. Their values are known at once.

use super::{
    layer::{Given, MapEntry, Value},
    options::canonical,
};
use crate::place::Problem;

/// The key that begins such a reference.
pub(super) const FROM_ENV: &str = "from_env";

/// A reference to a variable of this process.
pub(super) struct FromEnv<'g> {
    /// The name of the variable.
    pub name: &'g str,
    /// The value if the variable is not set or empty; absent for none.
    pub default: Option<&'g str>,
}

/// Whether a value is written as such a reference, perhaps with mistakes.
pub(super) fn is_one(given: &Given) -> bool {
    match &given.value {
        Value::Map(entries) => entries.iter().any(begins),
        Value::Null | Value::Text(_) | Value::List(_) => false,
    }
}

/// Whether an entry of a map makes the map such a reference.
pub(super) fn begins(entry: &MapEntry) -> bool {
    canonical(&entry.key) == FROM_ENV
}

impl<'g> FromEnv<'g> {
    /// Reads a value that must be such a reference.
    pub(super) fn read(given: &'g Given) -> Result<Self, Problem> {
        let other = || Problem::new("must be a text or `{from_env: NAME}`").at(&given.place);
        let Value::Map(entries) = &given.value else { return Err(other()) };
        let (mut name, mut default) = (None, None);
        for entry in entries {
            let member = match canonical(&entry.key).as_str() {
                FROM_ENV => &mut name,
                "default" => &mut default,
                _ => {
                    let message = format!("must be a text or `{{from_env: NAME}}`, and has the member `{}`", entry.key);
                    let problem = Problem::new(message).at(&entry.place);
                    return Err(problem.help("its members are `from_env` and `default`"));
                }
            };
            let missing = || Problem::new(format!("needs a text as its `{}`", entry.key)).at(&entry.place);
            *member = Some(entry.given.as_text().ok_or_else(missing)?);
        }
        let name = name.ok_or_else(other)?.trim();
        if name.is_empty() || name.contains(['$', '{', '}', '%', '=']) || name.contains(char::is_whitespace) {
            let problem = Problem::new("reads a variable, and its `from_env` is not the name of one").at(&given.place);
            return Err(problem.help("write the name alone: `{from_env: NAME}`"));
        }
        Ok(Self { name, default })
    }
}
