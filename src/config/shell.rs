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

/// The name, if a value is only a variable.
pub(super) fn only_name(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix('$')?;
    let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    (!name.is_empty() && name_length(name) == name.len()).then_some(name)
}

/// Whether the shell of Travis replaces a part of a value.
pub(super) fn is_read_by_shell(text: &str) -> bool {
    expand(text, &BTreeMap::new()).as_deref() != Ok(text)
}

/// The variables in a value; `None` if it has a command or another form of `${…}`.
pub(super) fn names(text: &str) -> Option<Vec<&str>> {
    expand(text, &BTreeMap::new()).ok()?;
    let name = |rest: &'_ str| name_length(rest.strip_prefix('{').unwrap_or(rest));
    let found = text.split('$').skip(1).map(|rest| {
        let length = name(rest);
        &rest.strip_prefix('{').unwrap_or(rest)[..length]
    });
    Some(found.filter(|name| !name.is_empty()).collect())
}

/// The value with `%{$NAME}` for each of its variables.
pub(super) fn with_references(text: &str) -> String {
    let mut parts = text.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let bare = part.strip_prefix('{').unwrap_or(part);
        let length = name_length(bare);
        if length == 0 {
            out.push('$');
            out.push_str(part);
            continue;
        }
        out.push_str("%{$");
        out.push_str(&bare[..length]);
        out.push('}');
        out.push_str(if bare.len() < part.len() { &bare[length + 1..] } else { &bare[length..] });
    }
    out
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
        for (text, with) in [("v$A", "v%{$A}"), ("${A}b", "%{$A}b"), ("5$ $B.", "5$ %{$B}."), ("no", "no")] {
            assert_eq!(with_references(text), with, "{text}");
        }
        assert_eq!(names("$A-${B_C}$ x"), Some(vec!["A", "B_C"]));
        assert_eq!((names("$(id)"), only_name("${A}"), only_name("a$A")), (None, Some("A"), None));
        for text in ["$(id)", "`id`", "${A:-x}", "${A", "${}"] {
            assert!(expand(text, &variables).is_err(), "{text}");
        }
    }
}
