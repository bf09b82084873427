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

/// The schedule by which a new version gets traffic.
pub(crate) const TRAFFIC_SHIFTING: Shape = Members {
    short: "Type",
    members: &[
        may("Type", ANY),
        may("Steps", list(&number("percent", 1, 99), 99)),
        may("Interval", number("seconds", 0, 172_800)),
        may("Alarms", list(&Text(alarm), 100)),
        may("MaxErrorRate", Text(rate)),
        may("MinInvocations", number("invocations", 1, 1_000_000_000)),
    ],
};

fn alarm(text: &str) -> Result<(), String> {
    match text.chars().count() {
        1..=255 => Ok(()),
        length => Err(format!("is {length} characters long, and the name of an alarm has 1 to 255")),
    }
}

fn rate(text: &str) -> Result<(), String> {
    match text.trim_end_matches([' ', '%']).parse::<f64>() {
        Ok(rate) if (0.0..100.0).contains(&rate) => Ok(()),
        _ => Err(format!("must be a number of percent from 0 to below 100, got `{text}`")),
    }
}

fn seconds(text: &str) -> Result<(), String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.001..=900.0).contains(&seconds) => Ok(()),
        _ => Err(format!("must be a number of seconds from 0.001 to 900, got `{text}`")),
    }
}
