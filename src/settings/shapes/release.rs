//! The shapes of options about a release. They are not AWS' own.

use super::{ANY, UNLIMITED, list, may, number};
use crate::settings::structure::Shape;
use Shape::{Any, Members, Text, Word};

/// Tests that a version must pass.
pub(crate) const SMOKE_TESTS: Shape = list(
    &Members {
        short: "Run",
        members: &[
            may("Payload", Any),
            may("PayloadFile", ANY),
            may("Expect", Any),
            may("Matches", ANY),
            may("StatusCode", number("", 100, 599)),
            may("MaxDuration", Text(seconds)),
            may("Retries", number("attempts", 0, 20)),
            may("Run", UNLIMITED),
            may("When", Word(&["before_traffic", "after_traffic"])),
        ],
    },
    50,
);

fn seconds(text: &str) -> Result<(), String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.001..=900.0).contains(&seconds) => Ok(()),
        _ => Err(format!("must be a number of seconds from 0.001 to 900, got `{text}`")),
    }
}
