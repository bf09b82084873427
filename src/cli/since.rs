//! A time in the past: so long ago, or a date.

use std::time::Duration;

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use crate::place::Problem;

/// A time in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// So long ago.
    Ago(Duration),
    /// This moment.
    At(OffsetDateTime),
}

impl Since {
    /// The time that counts without a flag.
    pub(super) const DEFAULT: Self = Self::Ago(Duration::from_hours(1));

    /// Reads `10m`, `2026-11-26`, `2026-11-26T17:42:30Z` and the like. A date without an offset is in UTC.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let problem = || {
            let problem = Problem::new("is neither a duration nor a date").of("--since");
            problem.help("write `30s`, `10m`, `2h`, `3d`, or a date in UTC: `2026-11-26`, `2026-11-26T17:42:30`")
        };
        ago(text).map(Self::Ago).or_else(|| at(text).map(Self::At)).ok_or_else(problem)
    }

    /// The moment, in milliseconds since 1970, if it is now `now` since 1970.
    pub(crate) fn moment(self, now: Duration) -> i64 {
        match self {
            Self::Ago(ago) => i64::try_from(now.saturating_sub(ago).as_millis()).unwrap_or(i64::MAX),
            Self::At(at) => i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default().max(0),
        }
    }
}

/// A number with a unit.
fn ago(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let number: u32 = digits(text.strip_suffix(unit)?)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(u64::from(number) * seconds))
}

/// A date, with or without a time of day.
fn at(text: &str) -> Option<OffsetDateTime> {
    let (day, rest) = text.split_once(['T', 't', ' ']).map_or((text, None), |(day, rest)| (day, Some(rest)));
    let mut parts = day.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if [year.len(), month.len(), day.len()] != [4, 2, 2] {
        return None;
    }
    let month = Month::try_from(digits::<u8>(month)?).ok()?;
    let date = Date::from_calendar_date(digits(year)?, month, digits(day)?).ok()?;
    let Some(rest) = rest else { return Some(date.midnight().assume_utc()) };
    let (time, offset) = zoned(rest)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    digits::<u64>(fraction)?;
    let mut parts = time.splitn(3, ':');
    let (hour, minute, second) = (digits(parts.next()?)?, digits(parts.next()?)?, parts.next().map(digits));
    let second = match second {
        Some(second) => second?,
        None => 0,
    };
    let milliseconds: u16 = digits(&format!("{fraction:0<3}")[..3])?;
    let time = Time::from_hms_milli(hour, minute, second, milliseconds).ok()?;
    Some(date.with_time(time).assume_offset(offset))
}

/// A time of day without its offset, and that offset.
fn zoned(text: &str) -> Option<(&str, UtcOffset)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, UtcOffset::UTC));
    }
    let Some(sign) = text.rfind(['+', '-']) else { return Some((text, UtcOffset::UTC)) };
    let (time, offset) = text.split_at(sign);
    let (hours, minutes) = match offset[1..].split_once(':') {
        Some((hours, minutes)) => (digits::<i8>(hours)?, digits::<i8>(minutes)?),
        None => (digits::<i8>(offset.get(1..3)?)?, digits::<i8>(offset.get(3..)?)?),
    };
    let side = if offset.starts_with('-') { -1 } else { 1 };
    Some((time, UtcOffset::from_hms(side * hours, side * minutes, 0).ok()?))
}

/// A number without a sign.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.chars().all(|c| c.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_795_714_950);

    #[test]
    fn a_time_is_so_long_ago_or_a_date() {
        for (text, seconds) in [
            ("30s", NOW.as_secs() - 30),
            ("10m", NOW.as_secs() - 600),
            ("2h", NOW.as_secs() - 7200),
            (" 3d ", NOW.as_secs() - 3 * 86_400),
            ("1w", NOW.as_secs() - 7 * 86_400),
            ("0s", NOW.as_secs()),
            ("4294967295w", 0),
            ("1970-01-02", 86_400),
            ("2026-11-26T17:42:30Z", 1_795_714_950),
            ("2026-11-26 17:42:30", 1_795_714_950),
            ("2026-11-26t17:42", 1_795_714_920),
            ("2026-11-26T19:42:30+02:00", 1_795_714_950),
            ("2026-11-26T12:12:30-0530", 1_795_714_950),
            ("1960-01-01", 0),
        ] {
            let since = Since::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
            assert_eq!(since.moment(NOW), i64::try_from(seconds).unwrap() * 1000, "{text}");
        }
        let exact = Since::parse("2026-11-26T17:42:30.1234567Z").unwrap();
        assert_eq!(exact.moment(NOW), 1_795_714_950_123);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "m",
            "10",
            "-5m",
            "+5m",
            "1.5h",
            "10 m",
            "10M",
            "2h30m",
            "4294967296s",
            "yesterday",
            "2026-13-01",
            "2026-02-30",
            "26-11-26",
            "2026-1-1",
            "2026-11-26T",
            "2026-11-26T25:00",
            "2026-11-26T17",
            "2026-11-26T17:42:",
            "2026-11-26T17:42:30.",
            "2026-11-26T17:42+99:00",
            "2026-11-26T17:42+é",
            "2026-11-26T17:42:30Zz",
            "é",
            "5é",
        ] {
            assert!(Since::parse(text).is_err(), "{text}");
        }
    }
}
