//! Smoke tests: calls and commands that a version must pass.

use std::time::Duration;

use serde_json::Value;

use super::Script;

/// A test of a version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SmokeTest {
    /// Its number in the configuration, counted from 1.
    pub number: usize,
    /// When it runs.
    pub when: When,
    /// What it does.
    pub check: Check,
    /// How often a failed test is repeated.
    pub retries: u32,
}

/// When a test runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum When {
    /// On the version, before the alias points at it.
    #[default]
    BeforeTraffic,
    /// Through the alias, when the version gets all traffic.
    AfterTraffic,
}

/// What a test does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Check {
    /// Calls the function.
    Call(Box<Call>),
    /// Runs a command, which must end with exit code 0.
    Command(Script),
}

/// A call of the function, and the answer that it expects. An absent expectation is not checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// The payload, as JSON.
    pub payload: Vec<u8>,
    /// The answer must have these members and items, with these values.
    pub expect: Option<Value>,
    /// The answer must match this regular expression.
    pub matches: Option<String>,
    /// The answer must have this `statusCode`.
    pub status_code: Option<u16>,
    /// The longest duration, without the start of the environment.
    pub max_duration: Option<Duration>,
}

impl SmokeTest {
    /// The test in a few words, for the plan.
    pub(crate) fn words(&self) -> String {
        match &self.check {
            Check::Call(call) => {
                let expected = [
                    call.expect.is_some().then(|| "the expected members".to_owned()),
                    call.matches.as_ref().map(|pattern| format!("a match of `{pattern}`")),
                    call.status_code.map(|code| format!("status code {code}")),
                    call.max_duration.map(|limit| format!("at most {} s", limit.as_secs_f64())),
                ];
                let expected: Vec<_> = expected.into_iter().flatten().collect();
                let expected = if expected.is_empty() { "no error".to_owned() } else { expected.join(", ") };
                format!("a call that must give {expected}")
            }
            Check::Command(script) => format!("$ {}", script.written),
        }
    }
}
