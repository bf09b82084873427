//! `%{…}` in texts: its syntax, its names, and how it is filled in where dpl fills it in too.
//!
//! The syntax and most names are those in dpl's documentation. In descriptions and commands, an unknown name is only
//! reported, while dpl would call a method of that name (FX7 in docs/coming-from/dpl.md).

use std::fmt;

use super::options::{Kind, OPTIONS, Opt};
use crate::host::{Build, Host};

/// What the names of a deployment stand for, besides its options.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// The stage; absent in a file without stages.
    pub stage: Option<String>,
    /// The name of `for_each`; absent in a block without it.
    pub each: Option<String>,
    /// The folder that the glob of `for_each` found; absent for a written name.
    pub each_path: Option<String>,
    /// The account, as far as it is known before somebody logs in.
    pub account: Option<String>,
}

impl Names {
    /// The names.
    pub(super) const ALL: [&str; 4] = ["stage", "each", "each_path", "account"];

    /// The value of a name; `None` for another name, or if there is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = match name {
            "stage" => &self.stage,
            "each" => &self.each,
            "each_path" => &self.each_path,
            "account" => &self.account,
            _ => &None,
        };
        value.as_deref()
    }
}

/// The options with texts that dpl fills in too. They are filled in where they are read.
pub(super) const IN_DPL: [&str; 5] = ["description", "version_description", "run", "layer", "smoke_test"];

/// The name of the account in `%{…}`.
pub(super) const ACCOUNT: &str = "account";

/// The names of dpl for what the CI builds.
pub(super) const OF_BUILD: [&str; 8] = [
    "build_number",
    "git_branch",
    "git_sha",
    "git_tag",
    "git_commit_msg",
    "git_commit_author",
    "git_author_name",
    "git_author_email",
];

/// Whether a name stands for the value of an option.
pub(super) fn is_option(name: &str) -> bool {
    let is_one_value = |option: &&Opt| match option.kind {
        Kind::Text | Kind::Number { .. } | Kind::Choice(_) | Kind::Flag | Kind::FlagOr(_) => true,
        Kind::List | Kind::Files | Kind::Ids | Kind::Map | Kind::Structure(_) | Kind::Secret => false,
    };
    OPTIONS.iter().filter(is_one_value).any(|option| option.name == name)
}

/// What stands between `%{` and `}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reference<'t> {
    /// A name that is filled in, or an unknown one.
    Known(&'t str),
    /// `$NAME`, a variable of the process; with `$NAME:-TEXT`, the text if the variable is not set or empty.
    Variable(&'t str, Option<&'t str>),
}

impl Reference<'_> {
    /// The name of the variable that holds the value for a command. No CI reads a variable of such a name, and neither
    /// does this tool.
    pub(super) fn variable(self) -> String {
        match self {
            Self::Known(name) => format!("DPL_VALUE_{name}"),
            Self::Variable(name, None) => format!("DPL_VARIABLE_{name}"),
            // Two defaults of one variable are two values.
            Self::Variable(name, Some(default)) => {
                let digits = default.bytes().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
                format!("DPL_VARIABLE_{name}_OR_{digits}")
            }
        }
    }
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(name) => write!(out, "%{{{name}}}"),
            Self::Variable(name, None) => write!(out, "%{{${name}}}"),
            Self::Variable(name, Some(default)) => write!(out, "%{{${name}:-{default}}}"),
        }
    }
}

/// The reference at the beginning of a text, and its length; `None` if there is none.
pub(super) fn reference(text: &str) -> Option<(Reference<'_>, usize)> {
    /// The longest default.
    const MOST: usize = 200;
    let inner = text.strip_prefix("%{")?;
    // The search stops at the first character that cannot be in a name. Otherwise many `%{` would take quadratic time.
    let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$')))?;
    let (inner, rest) = inner.split_at(end);
    let name = inner.strip_prefix('$').unwrap_or(inner);
    if name.is_empty() || name.contains('$') {
        return None;
    }
    if rest.starts_with('}') {
        let reference = if name == inner { Reference::Known(name) } else { Reference::Variable(name, None) };
        return Some((reference, inner.len() + 3));
    }
    let default = rest.strip_prefix(":-").filter(|_| name != inner)?;
    let length = default.find(['{', '}', '\n']).filter(|length| *length <= MOST)?;
    let reference = Reference::Variable(name, Some(&default[..length]));
    default[length..].starts_with('}').then_some((reference, inner.len() + length + 5))
}

/// The literal `%{` that a `%%{` at the beginning of a text stands for.
pub(super) const ESCAPED: &str = "%%{";

/// Replaces each reference by its value, and `%%{` by `%{`. `value` returns `None` to leave a reference as it is. Says
/// whether something was replaced.
pub(super) fn replace<'t>(text: &'t str, mut value: impl FnMut(Reference<'t>) -> Option<String>) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut filled = false;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with(ESCAPED) {
            out.push_str("%{");
            rest = &rest[ESCAPED.len()..];
        } else if let Some((reference, length)) = reference(rest) {
            match value(reference) {
                Some(value) => {
                    out.push_str(&value);
                    filled = true;
                }
                None => out.push_str(&rest[..length]),
            }
            rest = &rest[length..];
        } else {
            out.push('%');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    (out, filled)
}

/// Replaces each reference by its value, for a text that dpl fills in too.
///
/// `named` returns the value of an option or of one of [`Names`]. An unknown name becomes `[unknown variable: NAME]`.
pub(super) fn fill(text: &str, named: impl Fn(&str) -> Option<String>, build: &Build, host: &Host) -> String {
    let (out, filled) = replace(text, |reference| Some(value(reference, &named, build, host)));
    // An empty value in the middle of a line leaves two blanks.
    if filled && !out.contains('\n') { out.replace("  ", " ") } else { out }
}

/// The environment variables in a text, from references like `%{$NAME}`.
pub(super) fn variables(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    replace(text, |reference| {
        found.extend(match reference {
            Reference::Variable(name, _) => Some(name),
            Reference::Known(_) => None,
        });
        None
    });
    found
}

/// Whether a text has a `%{account}`.
pub(super) fn has_account(text: &str) -> bool {
    let mut found = false;
    replace(text, |reference| {
        found |= reference == Reference::Known(ACCOUNT);
        None
    });
    found
}

/// A text that is the value of an option as it is: nothing in it is filled in.
pub(super) fn as_it_is(option: &str, text: &str) -> String {
    if matches!(option, "description" | "version_description") { text.replace("%{", ESCAPED) } else { text.to_owned() }
}

/// The value of a variable, or its default.
pub(super) fn of_variable(name: &str, default: Option<&str>, host: &Host) -> Option<String> {
    // As with a shell's `:-`, an empty variable counts as not set if there is a default.
    let found = host.variables.get(name).map(String::as_str).filter(|value| default.is_none() || !value.is_empty());
    found.or(default).map(str::to_owned)
}

/// What a name of [`OF_BUILD`] stands for; `None` for another name, or if the build has no such value.
pub(super) fn of_build(name: &str, build: &Build, host: &Host) -> Option<String> {
    let of_commit = |format: &str| host.git_commit(build.commit.as_deref()?, format);
    match name {
        "build_number" => build.number.clone(),
        "git_branch" => build.branch.clone(),
        "git_sha" => build.commit.clone(),
        "git_tag" => build.tag.clone().or_else(|| host.git(&["describe", "--tags", "--exact-match"])),
        "git_commit_msg" => of_commit("%B"),
        "git_author_name" | "git_commit_author" => of_commit("%an"),
        "git_author_email" => of_commit("%ae"),
        _ => None,
    }
}

/// The value of a reference.
pub(super) fn value(
    reference: Reference<'_>,
    named: &impl Fn(&str) -> Option<String>,
    build: &Build,
    host: &Host,
) -> String {
    match reference {
        Reference::Variable(name, default) => of_variable(name, default, host).unwrap_or_default(),
        Reference::Known(name) if OF_BUILD.contains(&name) => of_build(name, build, host).unwrap_or_default(),
        Reference::Known(name) if is_option(name) || Names::ALL.contains(&name) => named(name).unwrap_or_default(),
        Reference::Known(name) => format!("[unknown variable: {name}]"),
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
            ("%{$STAGE:-x}|%{$UNSET:-a b}|%{$UNSET:-}|%{$UNSET:-{}}", "prod|a b||%{$UNSET:-{}}"),
            ("%%{git_sha} %%%{git_sha} 5%%", "%{git_sha} %%{git_sha} 5%%"),
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
