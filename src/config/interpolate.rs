//! `%{…}` in descriptions and commands.
//!
//! The syntax and the names are those in dpl's documentation. An unknown name is only reported, while dpl would call a
//! method of that name (FX7 in docs/coming-from/dpl.md).

use std::fmt;

use crate::host::{Build, Host};

/// The options whose values can be filled in.
const OPTIONS: &[&str] = &[
    "dead_letter_arn",
    "function_name",
    "handler_name",
    "kms_key_arn",
    "memory_size",
    "module_name",
    "region",
    "role",
    "runtime",
    "timeout",
    "tracing_mode",
    "zip",
];

/// The name between `%{` and `}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reference<'t> {
    /// A name from dpl's documentation, or an unknown one.
    Known(&'t str),
    /// `$NAME`, a variable of the process.
    Variable(&'t str),
}

impl Reference<'_> {
    /// The name of the variable that holds the value for a command. No CI reads a variable of such a name, and neither
    /// does this tool.
    pub(super) fn variable(self) -> String {
        match self {
            Self::Known(name) => format!("DPL_VALUE_{name}"),
            Self::Variable(name) => format!("DPL_VARIABLE_{name}"),
        }
    }
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(name) => write!(out, "%{{{name}}}"),
            Self::Variable(name) => write!(out, "%{{${name}}}"),
        }
    }
}

/// The reference at the beginning of a text, and its length; `None` if there is none.
pub(super) fn reference(text: &str) -> Option<(Reference<'_>, usize)> {
    let inner = text.strip_prefix("%{")?;
    // The search stops at the first character that cannot be in a name. Otherwise many `%{` would take quadratic time.
    let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$')))?;
    let (inner, rest) = inner.split_at(end);
    let name = inner.strip_prefix('$').unwrap_or(inner);
    let is_name = !name.is_empty() && !name.contains('$') && rest.starts_with('}');
    let reference = if name == inner { Reference::Known(name) } else { Reference::Variable(name) };
    is_name.then_some((reference, inner.len() + 3))
}

/// Replaces each reference by its value.
///
/// `option` returns the written value of an option. An unknown name becomes `[unknown variable: NAME]`.
pub(super) fn fill(text: &str, option: impl Fn(&str) -> Option<String>, build: &Build, host: &Host) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut filled = false;
    while let Some(at) = rest.find("%{") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((reference, length)) = reference(rest) {
            out.push_str(&value(reference, &option, build, host));
            filled = true;
            rest = &rest[length..];
        } else {
            out.push_str("%{");
            rest = &rest[2..];
        }
    }
    out.push_str(rest);
    // An empty value in the middle of a line leaves two blanks.
    if filled && !out.contains('\n') { out.replace("  ", " ") } else { out }
}

/// The environment variables in a text, from references like `%{$NAME}`.
pub(super) fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split("%{$").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
}

/// The value of a reference.
pub(super) fn value(
    reference: Reference<'_>,
    option: &impl Fn(&str) -> Option<String>,
    build: &Build,
    host: &Host,
) -> String {
    let name = match reference {
        Reference::Known(name) => name,
        Reference::Variable(name) => return host.variable(name).unwrap_or_default().to_owned(),
    };
    let of_commit =
        |format: &str| build.commit.as_deref().and_then(|commit| host.git_commit(commit, format)).unwrap_or_default();
    match name {
        "build_number" => build.number.clone().unwrap_or_default(),
        "git_branch" => build.branch.clone().unwrap_or_default(),
        "git_sha" => build.commit.clone().unwrap_or_default(),
        "git_tag" => {
            build.tag.clone().or_else(|| host.git(&["describe", "--tags", "--exact-match"])).unwrap_or_default()
        }
        "git_commit_msg" => of_commit("%B"),
        "git_author_name" | "git_commit_author" => of_commit("%an"),
        "git_author_email" => of_commit("%ae"),
        name if OPTIONS.contains(&name) => option(name).unwrap_or_default(),
        name => format!("[unknown variable: {name}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_documented_names_are_filled_in() {
        let mut host = Host::of_process();
        host.variables = [("STAGE".to_owned(), "prod".to_owned())].into();
        let build = Build {
            number: Some("7".to_owned()),
            commit: Some("abc".to_owned()),
            branch: Some("main".to_owned()),
            ..Build::default()
        };
        let option = |name: &str| (name == "function_name").then(|| "f".to_owned());
        for (text, filled) in [
            ("Build %{build_number} of %{function_name}", "Build 7 of f"),
            ("%{git_sha} on %{git_branch}", "abc on main"),
            ("%{$STAGE}|%{$UNSET}|", "prod||"),
            ("100% %s %{} %{ x } %{a-b} %{open", "100% %s %{} %{ x } %{a-b} %{open"),
            ("%{exit}%{client}", "[unknown variable: exit][unknown variable: client]"),
            ("%{secret_access_key}", "[unknown variable: secret_access_key]"),
            ("a %{runtime} b", "a b"),
            ("a  b", "a  b"),
        ] {
            assert_eq!(fill(text, option, &build, &host), filled);
        }
    }
}
