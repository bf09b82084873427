//! Outputs as variables, and the files that hold them.

use super::delivery::{Delivery, Written};
use super::dialect::Output;
use super::redactor::REDACTED;

/// A file must have fewer bytes than this for GitLab (`DOTENV_MAX`, 5 KB). No other CI has a lower limit.
const MOST_DOTENV: usize = 5 * 1024 - 1;

/// The largest value. Linux limits a variable to 128 KB, and a larger one would break every later step.
const MOST_VALUE: usize = 64 * 1024;

/// Outputs that have the name of an option. `DPL_LAMBDA_<NAME>` would set that option in the next run.
const OPTIONS_TOO: [&str; 2] = ["alias", "function-url"];

/// The variable of an output: `DPL_LAMBDA_FUNCTION_ARN` for `function-arn`.
pub(super) fn name(output: &str) -> String {
    let deployed = if OPTIONS_TOO.contains(&output) { "DEPLOYED_" } else { "" };
    format!("DPL_LAMBDA_{deployed}{}", output.replace('-', "_").to_ascii_uppercase())
}

/// Whether an output is a JSON document.
pub(super) fn is_json(output: &str) -> bool {
    matches!(output, "plan" | "functions")
}

/// Whether an output has only characters of names, numbers, ARNs, hashes and URLs.
///
/// A later step may put it into a script (`${{ … }}`), and values of variables are searched for `%name%` (`TeamCity`) and
/// `$(name)` (Azure), so a text of AWS that has more must not get there.
pub(super) fn is_plain(value: &str) -> bool {
    value.replace(REDACTED, "").chars().all(|c| c.is_ascii_alphanumeric() || "-_:/.+=@".contains(c))
}

/// The outputs that fit into variables.
pub(super) fn fitting(outputs: &[Output]) -> impl Iterator<Item = &Output> {
    outputs.iter().filter(|(_, value)| value.len() <= MOST_VALUE)
}

/// Lines of `KEY=value` that every reader accepts, and the names of the outputs that do not fit.
///
/// GitLab's reader (`Ci::ParseDotenvArtifactService`) has no quotes or comments, refuses the whole file for an empty
/// line, and replaces `$NAME` when a value is used. Documents of JSON are always left out, because they are long.
pub(super) fn dotenv(outputs: &[Output]) -> (String, Vec<&'static str>) {
    let (mut text, mut left_out) = (String::new(), Vec::new());
    for (output, value) in outputs.iter().filter(|(name, _)| !is_json(name)) {
        let line = format!("{}={value}\n", name(output));
        let plain = !value.contains('$') && !value.chars().any(char::is_control) && value.trim() == value;
        if plain && text.len() + line.len() <= MOST_DOTENV {
            text.push_str(&line);
        } else {
            left_out.push(*output);
        }
    }
    (text, left_out)
}

/// Appends the outputs as lines of `KEY=value` to the CI's file. `variable` holds its path.
pub(super) fn append_dotenv(path: Option<&str>, variable: &str, outputs: &[Output]) -> Vec<Delivery> {
    let Some(path) = path else { return Vec::new() };
    let (text, left_out) = dotenv(outputs);
    let failed = format!("the outputs could not be written to {variable}");
    let append = Delivery::Append(Written { file: path.into(), text, failed });
    vec![Delivery::InOrder(std::iter::once(append).chain(complaint(&left_out, variable)).collect())]
}

/// The warning about outputs that do not fit into a file.
pub(super) fn complaint(left_out: &[&str], file: &str) -> Option<Delivery> {
    let message = || format!("{} cannot be written as a line of {file}, so it is left out", left_out.join(", "));
    (!left_out.is_empty()).then(|| Delivery::Warn(message()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::oracles;

    #[test]
    fn values_that_no_line_can_carry_are_left_out() {
        let outputs = ["a=b", "$HOME", "two\nlines", " blank", "", "cr\r"].map(|value| ("version", value.to_owned()));
        let (text, left_out) = dotenv(&outputs);
        assert_eq!(text, "DPL_LAMBDA_VERSION=a=b\nDPL_LAMBDA_VERSION=\n");
        assert_eq!(left_out.len(), 4);
        let (text, left_out) = dotenv(&[("plan", "[]".to_owned()), ("version", "1".repeat(6000))]);
        assert_eq!((text.as_str(), left_out), ("", vec!["version"]));
    }

    #[test]
    fn what_is_too_large_for_an_environment_is_left_out() {
        let outputs = [("plan", "x".repeat(MOST_VALUE + 1)), ("version", "1".to_owned())];
        assert_eq!(fitting(&outputs).map(|(name, _)| *name).collect::<Vec<_>>(), ["version"]);
    }

    proptest! {
        #[test]
        fn every_line_is_read_as_it_was_meant(values in proptest::collection::vec("[ -~\n\r\t=é\u{2028}]{0,30}", 0..5)) {
            let outputs: Vec<_> = values.iter().map(|value| ("function-arn", value.clone())).collect();
            let (text, left_out) = dotenv(&outputs);
            let (text, left_out) = (text.as_str(), left_out.len());
            if left_out == values.len() {
                prop_assert_eq!(text, "");
                return Ok(());
            }
            let pairs = oracles::gitlab_dotenv(text);
            prop_assert!(pairs.as_ref().is_some_and(|pairs| values.contains(&pairs["DPL_LAMBDA_FUNCTION_ARN"])), "{:?}", text);
            prop_assert_eq!(text.lines().count() + left_out, values.len());
        }
    }
}
