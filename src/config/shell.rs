//! Values in `.travis.yml`, as the shell of Travis reads them.

use std::collections::BTreeMap;

/// Replaces `$NAME` and `${NAME}`; an unset variable is empty, as in the shell.
///
/// Commands are errors, because a value never runs a command. Other forms of `${…}` are errors too.
pub(super) fn expand(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    refuse_commands(text)?;
    if text.matches('`').count() >= 2 {
        return Err(
            "a command between backticks is not run; put the value into a variable of the CI and use the variable"
                .to_owned(),
        );
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(braced) = rest.strip_prefix('{') {
            let (name, after) = braced.split_once('}').ok_or_else(|| format!("`${rest}` has no closing brace"))?;
            if name.is_empty() || name_length(name) != name.len() {
                return Err(format!("`${{{name}}}` is not supported: only `$NAME` and `${{NAME}}` are"));
            }
            out.push_str(variables.get(name).map_or("", String::as_str));
            rest = after;
        } else if let length @ 1.. = name_length(rest) {
            out.push_str(variables.get(&rest[..length]).map_or("", String::as_str));
            rest = &rest[length..];
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Checks that a value has no command.
fn refuse_commands(text: &str) -> Result<(), String> {
    if text.contains("$(") {
        return Err("`$(…)` is not run; put the value into a variable of the CI and use the variable".to_owned());
    }
    Ok(())
}

/// The length of the variable's name at the beginning, in bytes.
fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_as_in_double_quotes() {
        let variables = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("B_C".to_owned(), "$A".to_owned())]);
        for (text, expanded) in [
            ("$A", "1"),
            ("${A}2", "12"),
            ("x$A.y", "x1.y"),
            ("$UNSET|", "|"),
            ("$B_C", "$A"),
            ("100$", "100$"),
            ("$1", "$1"),
            ("a$ b", "a$ b"),
            ("no", "no"),
        ] {
            assert_eq!(expand(text, &variables).as_deref(), Ok(expanded), "{text}");
        }
        for text in ["$(id)", "`id`", "${A:-x}", "${A", "${}"] {
            assert!(expand(text, &variables).is_err(), "{text}");
        }
    }
}
