//! `bootstrap`, the program that a custom runtime starts. That it is there at all is the handler's business.

use super::runtimes::Language;
use super::{Facts, Rule, Survey};
use crate::place::{Problem, Weight};

/// Whether the kernel will start it.
pub(super) fn rules(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    let provided = facts.runtime.and_then(|runtime| Language::of(&runtime.0)) == Some(Language::Provided);
    let (true, Some(head), Some(file)) = (provided, &survey.bootstrap, survey.file("bootstrap")) else {
        return Vec::new();
    };
    let error = |rule: Rule, message: &str, help: &str| rule.finds(Weight::Error, "zip", message, help).on(&file.name);
    let mut findings = Vec::new();
    // Lambda runs it as a user who owns nothing, so the bit of others counts.
    if file.mode & 0o001 == 0 {
        findings.push(error(
            Rule::BootstrapNotExecutable,
            "`bootstrap` in the archive may not be executed, so the function could not start (`Runtime.InvalidEntrypoint`)",
            "run `chmod 755 bootstrap` before it is zipped, on Linux or macOS, or let `zip` name the folder",
        ));
    }
    let native = survey.binaries.iter().any(|binary| binary.name == "bootstrap");
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if head.starts_with(b"#!") && line.ends_with(b"\r") {
        findings.push(error(
            Rule::BootstrapCrlf,
            "the first line of `bootstrap` ends with a carriage return, as on Windows, so its interpreter would not be found",
            "store it with line ends as on Unix: `dos2unix bootstrap`, and `bootstrap text eol=lf` in `.gitattributes`",
        ));
    } else if !native && !head.starts_with(b"#!") && !head.starts_with(b"\x7fELF") {
        let message = if head.starts_with(b"\xef\xbb\xbf#!") {
            "`bootstrap` has a byte order mark before its `#!`, so it could not be started"
        } else {
            "`bootstrap` is neither a program for Linux nor a script that begins with `#!`, so it could not be started"
        };
        findings.push(error(
            Rule::BootstrapNoShebang,
            message,
            "let the file begin with its interpreter, such as `#!/bin/sh`",
        ));
    }
    findings
}
