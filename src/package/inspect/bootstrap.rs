//! Checks `bootstrap`, the program that a custom runtime starts. A missing `bootstrap` is found by `handler`.

use super::rule::{Facts, Rule};
use super::runtimes::Language;
use super::survey::Survey;
use crate::place::{Problem, Weight};

/// Reasons why Linux could not start `bootstrap`.
pub(super) fn rules(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    let provided = facts.runtime.and_then(|runtime| Language::of(&runtime.0)) == Some(Language::Provided);
    let (true, Some(head), Some(file)) = (provided, &survey.bootstrap, survey.file("bootstrap")) else {
        return Vec::new();
    };
    let error = |rule: Rule, message: &str, help: &str| rule.finds(Weight::Error, "zip", message, help).on(&file.name);
    let mut findings = Vec::new();
    // Lambda runs it as a user who does not own the file, so the execute bit for others counts.
    if file.mode & 0o001 == 0 {
        findings.push(error(
            Rule::BootstrapNotExecutable,
            "`bootstrap` in the archive has no execute permission, so the function could not start (`Runtime.InvalidEntrypoint`)",
            "run `chmod 755 bootstrap` on Linux or macOS before you make the archive, or set `zip` to the folder",
        ));
    }
    let native = survey.binaries.iter().any(|binary| binary.name == "bootstrap");
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if head.starts_with(b"#!") && line.ends_with(b"\r") {
        findings.push(error(
            Rule::BootstrapCrlf,
            "the first line of `bootstrap` ends with a carriage return, as on Windows, so Linux would not find its interpreter",
            "use Unix line endings: run `dos2unix bootstrap`, and add `bootstrap text eol=lf` to `.gitattributes`",
        ));
    } else if !native && !head.starts_with(b"#!") && !head.starts_with(b"\x7fELF") {
        let message = if head.starts_with(b"\xef\xbb\xbf#!") {
            "`bootstrap` has a byte order mark before its `#!`, so Linux could not start it"
        } else {
            "`bootstrap` is neither a program for Linux nor a script that begins with `#!`, so Linux could not start it"
        };
        findings.push(error(
            Rule::BootstrapNoShebang,
            message,
            "begin the script with its interpreter, such as `#!/bin/sh`",
        ));
    }
    findings
}
