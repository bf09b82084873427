//! Secrets in texts that everybody with access to the account can read.

use crate::place::Problem;

/// Options whose texts AWS shows to everybody who can look at the function or layer.
pub(super) const SEEN_IN_AWS: [&str; 4] = ["description", "version_description", "function_tags", "layer"];

/// The error about a secret in such a text. `what` names the secret, and never repeats it.
pub(super) fn error(option: &str, what: &str) -> Problem {
    let problem = Problem::new(format!("would show {what} to everybody who can look at it in AWS")).of(option);
    problem.help(
        "leave it out; a function gets a secret through `environment`, with `{from_env: NAME}`; if the variable holds no secret, rename it",
    )
}
