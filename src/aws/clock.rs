//! Compares the clock of this machine with that of AWS: AWS refuses requests whose time is wrong.

use std::time::{Duration, SystemTime};

use aws_sdk_lambda::primitives::{DateTime, DateTimeFormat};
use aws_smithy_runtime_api::http::Headers;

/// The smallest difference to report. AWS tolerates five minutes.
const WORTH_A_REPORT: Duration = Duration::from_mins(2);

/// The time since the Unix epoch.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Whether AWS refused a request because of its time, or may have done so.
pub(super) fn is_suspected(code: &str, said: &str) -> bool {
    let codes = [
        "RequestTimeTooSkewed",
        "RequestExpired",
        "RequestInTheFuture",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "AuthFailure",
    ];
    codes.contains(&code) || said.contains("Signature expired") || said.contains("Signature not yet current")
}

/// Says by how much the clock of this machine is wrong, by the date of an answer of AWS; `None` if it is right.
pub(super) fn difference(headers: &Headers) -> Option<String> {
    describe(ahead(headers)?)
}

/// How many seconds this machine's clock is ahead of AWS', by the date of an answer.
pub(super) fn ahead(headers: &Headers) -> Option<i64> {
    let of_aws = DateTime::from_str(headers.get("date")?, DateTimeFormat::HttpDate).ok()?;
    Some(DateTime::from(SystemTime::now()).secs() - of_aws.secs())
}

/// Describes how many seconds this machine's clock is ahead of AWS'.
pub(super) fn describe(ahead: i64) -> Option<String> {
    let amount = Duration::from_secs(ahead.unsigned_abs());
    if amount < WORTH_A_REPORT {
        return None;
    }
    let (count, unit) = match amount.as_secs() {
        seconds if seconds < 2 * 3600 => (seconds / 60, "minutes"),
        seconds if seconds < 2 * 86_400 => (seconds / 3600, "hours"),
        seconds => (seconds / 86_400, "days"),
    };
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    Some(format!("set the clock of this machine: it is {count} {unit} {side} the clock of AWS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_described_in_a_fitting_unit() {
        let described = |ahead| describe(ahead).map(|text| text.split(": ").nth(1).unwrap_or_default().to_owned());
        assert_eq!(described(60), None);
        assert_eq!(described(-600).as_deref(), Some("it is 10 minutes behind the clock of AWS"));
        assert_eq!(described(3 * 3600).as_deref(), Some("it is 3 hours ahead of the clock of AWS"));
        assert_eq!(described(-365 * 86_400).as_deref(), Some("it is 365 days behind the clock of AWS"));
    }
}
