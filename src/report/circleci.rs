//! `CircleCI`: results for the later steps of the job. It has no groups, annotations or summary.
//!
//! Every later bash step reads the file that `BASH_ENV` names (<https://circleci.com/docs/env-vars/>).

use super::dialect::{Dialect, Handed, Output};
use super::variables;
use crate::host::Host;

pub(super) struct CircleCi {
    bash_env: Option<String>,
}

impl CircleCi {
    pub(super) fn new(host: &Host) -> Self {
        Self { bash_env: host.variable("BASH_ENV").map(str::to_owned) }
    }
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

impl Dialect for CircleCi {
    fn outputs(&mut self, outputs: &[Output]) -> Handed {
        let Some(file) = &self.bash_env else { return Ok(None) };
        let line = |(name, value): &Output| format!("export {}={}\n", variables::name(name), quoted(value));
        let text: String = variables::fitting(outputs).map(line).collect();
        let written = variables::append(file, &text);
        written.map(|()| None).map_err(|error| format!("the outputs could not be written to BASH_ENV: {error}"))
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
            let mut circle = CircleCi { bash_env: Some(file.path().to_string_lossy().into_owned()) };
            circle.outputs(&[("version", "0".to_owned()), ("plan", value.clone())]).unwrap();
            let script = format!(". {}; printf %s \"$DPL_LAMBDA_PLAN\"", file.path().display());
            let output = Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), value);
        }
    }
}
