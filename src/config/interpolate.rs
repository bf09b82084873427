//! `%{…}` in descriptions and commands.
//!
//! Syntax and names are those that dpl documents; unlike dpl, a name outside the list never does more than say so (FX7).

use crate::host::{Build, Host};

/// Options whose value may stand in a text.
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

/// Fills in what stands between `%{` and `}`.
///
/// `option` gives the value of an option as it was written. A name that is not known becomes `[unknown variable: NAME]`.
pub(super) fn fill(text: &str, option: impl Fn(&str) -> Option<String>, build: &Build, host: &Host) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut filled = false;
    while let Some(at) = rest.find("%{") {
        out.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        // Only the characters of a name are looked through: a text may begin to be one again and again.
        let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$'))).unwrap_or(inner.len());
        let name = &inner[..end];
        let bare = name.strip_prefix('$').unwrap_or(name);
        if !inner[end..].starts_with('}') || bare.is_empty() || bare.contains('$') {
            out.push_str("%{");
            rest = inner;
            continue;
        }
        out.push_str(&value(name, &option, build, host));
        filled = true;
        rest = &inner[name.len() + 1..];
    }
    out.push_str(rest);
    // An empty variable in the middle of a line leaves two blanks behind.
    if filled && !out.contains('\n') { out.replace("  ", " ") } else { out }
}

fn value(name: &str, option: &impl Fn(&str) -> Option<String>, build: &Build, host: &Host) -> String {
    if let Some(variable) = name.strip_prefix('$') {
        return host.variable(variable).unwrap_or_default().to_owned();
    }
    let of_commit = |format: &str| {
        let commit = build.commit.as_deref().unwrap_or("HEAD");
        host.git(&["log", "-n1", &format!("--format={format}"), commit, "--"]).unwrap_or_default()
    };
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
