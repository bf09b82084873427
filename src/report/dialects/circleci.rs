//! `CircleCI`: outputs for later steps of the job. `CircleCI` has no groups, annotations or summary.
//!
//! Every later bash step reads the file that `BASH_ENV` names (<https://circleci.com/docs/env-vars/>).

use crate::host::Host;
use crate::report::delivery::{Delivery, Written};
use crate::report::dialect::{self, Output};
use crate::report::variables;

pub(super) struct Board {
    bash_env: Option<String>,
}

impl Board {
    pub(super) fn new(host: &Host) -> Self {
        Self { bash_env: host.variable("BASH_ENV").map(str::to_owned) }
    }
}

/// Quotes a text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Lines of `export` for a shell.
fn exports(outputs: &[Output]) -> String {
    let line = |(name, value): &Output| format!("export {}={}\n", variables::name(name), quoted(value));
    variables::fitting(outputs).map(line).collect()
}

impl dialect::Board for Board {
    fn outputs(&self, outputs: &[Output]) -> Vec<Delivery> {
        let Some(file) = &self.bash_env else { return Vec::new() };
        let failed = "the outputs could not be written to BASH_ENV".to_owned();
        vec![Delivery::Append(Written { file: file.as_str().into(), text: exports(outputs), failed })]
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_shell_reads_what_was_meant(value in "[ -~\n'\"$`\\\\é]{0,40}") {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), exports(&[("version", "0".to_owned()), ("plan", value.clone())])).unwrap();
            let script = format!(". {}; printf %s \"$DPL_LAMBDA_PLAN\"", file.path().display());
            let output = Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), value);
        }
    }
}
