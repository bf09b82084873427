//! The table of runtimes: their system and their last days.
//!
//! Source: "Lambda runtimes" in the AWS Lambda guide. AWS sometimes moves a date, but only to a later day.

use std::time::Duration;

use time::{Date, Month, OffsetDateTime};

use super::language::{Language, split};
use super::rule::{Existence, Facts, Rule};
use crate::place::{Problem, Weight};

/// The number of days before a runtime's deprecation when the warnings begin. AWS sends its mails at the same time.
const NOTICE: i64 = 180;

/// The day of a moment, given as the time since 1970-01-01 in UTC.
pub(crate) fn day_of(since_1970: Duration) -> Date {
    let moment =
        time::Duration::try_from(since_1970).ok().and_then(|since| OffsetDateTime::UNIX_EPOCH.checked_add(since));
    moment.map_or(Date::MAX, OffsetDateTime::date)
}

/// The operating system of a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// The first Amazon Linux. All its runtimes are blocked.
    Al1,
    /// Amazon Linux 2.
    Al2,
    /// Amazon Linux 2023.
    Al2023,
}

impl System {
    /// The version of its glibc.
    pub(super) fn glibc(self) -> (u32, u32) {
        match self {
            Self::Al1 => (2, 17),
            Self::Al2 => (2, 26),
            Self::Al2023 => (2, 34),
        }
    }

    /// The name for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Al1 => "Amazon Linux",
            Self::Al2 => "Amazon Linux 2",
            Self::Al2023 => "Amazon Linux 2023",
        }
    }
}

/// One runtime.
struct Row {
    name: &'static str,
    /// The operating system; absent when unknown.
    system: Option<System>,
    /// The days of deprecation, of the block of new functions, and of the block of updates; absent if AWS has set none.
    ends: Option<[Date; 3]>,
}

/// A day in the table: year, month, day.
type Day = (i32, u8, u8);

/// A runtime that is in AWS' API but not in the guide.
const fn new(name: &'static str) -> Row {
    Row { name, system: None, ends: None }
}

/// A runtime without an end date.
const fn open(name: &'static str, system: System) -> Row {
    Row { name, system: Some(system), ends: None }
}

/// A day of the table. No day that does not exist gets through the compiler.
const fn date((year, month, day): Day) -> Date {
    match Date::from_calendar_date(year, Month::January.nth_next(month - 1), day) {
        Ok(date) => date,
        Err(_) => panic!("there is no such day"),
    }
}

const fn ends(name: &'static str, system: System, deprecated: Day, create: Day, update: Day) -> Row {
    Row { name, system: Some(system), ends: Some([date(deprecated), date(create), date(update)]) }
}

/// A runtime that AWS blocked in every way, long ago.
const fn gone(name: &'static str, system: System, day: Day) -> Row {
    ends(name, system, day, day, day)
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    new("nodejs26.x"),
    open("nodejs24.x", System::Al2023),
    ends("nodejs22.x", System::Al2023, (2027, 4, 30), (2027, 6, 1), (2027, 7, 1)),
    ends("nodejs20.x", System::Al2023, (2026, 4, 30), (2026, 6, 1), (2026, 7, 1)),
    ends("nodejs18.x", System::Al2, (2025, 9, 1), (2025, 10, 1), (2025, 11, 1)),
    ends("nodejs16.x", System::Al2, (2024, 6, 12), (2025, 10, 1), (2025, 11, 1)),
    ends("nodejs14.x", System::Al2, (2023, 12, 4), (2024, 1, 9), (2025, 11, 1)),
    gone("nodejs12.x", System::Al2, (2023, 3, 31)),
    gone("nodejs10.x", System::Al2, (2021, 7, 30)),
    gone("nodejs8.10", System::Al1, (2020, 3, 6)),
    gone("nodejs6.10", System::Al1, (2019, 8, 12)),
    gone("nodejs4.3", System::Al1, (2020, 3, 5)),
    gone("nodejs4.3-edge", System::Al1, (2019, 4, 30)),
    gone("nodejs", System::Al1, (2016, 10, 31)),
    new("python3.15"),
    open("python3.14", System::Al2023),
    ends("python3.13", System::Al2023, (2029, 6, 30), (2029, 7, 31), (2029, 8, 31)),
    ends("python3.12", System::Al2023, (2028, 10, 31), (2028, 11, 30), (2029, 1, 10)),
    ends("python3.11", System::Al2, (2026, 6, 30), (2026, 7, 31), (2026, 8, 31)),
    ends("python3.10", System::Al2, (2026, 6, 30), (2026, 7, 31), (2026, 8, 31)),
    ends("python3.9", System::Al2, (2025, 11, 3), (2025, 12, 8), (2026, 1, 8)),
    ends("python3.8", System::Al2, (2024, 10, 14), (2025, 10, 1), (2025, 11, 1)),
    ends("python3.7", System::Al1, (2023, 12, 4), (2024, 1, 9), (2025, 11, 1)),
    gone("python3.6", System::Al1, (2022, 7, 18)),
    gone("python2.7", System::Al1, (2021, 7, 15)),
    new("java17.al2023"),
    new("java11.al2023"),
    new("java8.al2023"),
    open("java25", System::Al2023),
    ends("java21", System::Al2023, (2029, 6, 30), (2029, 7, 31), (2029, 8, 31)),
    ends("java17", System::Al2, (2026, 6, 30), (2026, 7, 31), (2026, 8, 31)),
    ends("java11", System::Al2, (2026, 6, 30), (2026, 7, 31), (2026, 8, 31)),
    ends("java8.al2", System::Al2, (2026, 6, 30), (2026, 7, 31), (2026, 8, 31)),
    ends("java8", System::Al1, (2024, 1, 8), (2024, 2, 8), (2025, 11, 1)),
    open("dotnet10", System::Al2023),
    ends("dotnet8", System::Al2023, (2026, 11, 10), (2026, 12, 10), (2027, 1, 11)),
    ends("dotnet6", System::Al2, (2024, 12, 20), (2025, 10, 1), (2025, 11, 1)),
    gone("dotnetcore3.1", System::Al2, (2023, 4, 3)),
    gone("dotnetcore2.1", System::Al1, (2022, 1, 5)),
    gone("dotnetcore2.0", System::Al1, (2019, 5, 30)),
    gone("dotnetcore1.0", System::Al1, (2019, 6, 27)),
    new("ruby4.0"),
    open("ruby3.4", System::Al2023),
    ends("ruby3.3", System::Al2023, (2027, 3, 31), (2027, 4, 30), (2027, 5, 31)),
    ends("ruby3.2", System::Al2, (2026, 3, 31), (2026, 4, 30), (2026, 5, 31)),
    ends("ruby2.7", System::Al2, (2023, 12, 7), (2024, 1, 9), (2025, 11, 1)),
    gone("ruby2.5", System::Al1, (2021, 7, 30)),
    ends("go1.x", System::Al1, (2024, 1, 8), (2024, 2, 8), (2025, 11, 1)),
    ends("provided.al2023", System::Al2023, (2029, 6, 30), (2029, 7, 31), (2029, 8, 31)),
    ends("provided.al2", System::Al2, (2026, 6, 30), (2026, 7, 31), (2026, 8, 31)),
    ends("provided", System::Al1, (2024, 1, 8), (2024, 2, 8), (2025, 11, 1)),
];

/// The operating system of a runtime; `None` when unknown.
pub(super) fn system(runtime: &str) -> Option<System> {
    TABLE.iter().find(|row| row.name == runtime)?.system
}

/// A runtime that AWS no longer supports, or soon will not, or that is unknown.
pub(super) fn rules(facts: &Facts<'_>) -> Vec<Problem> {
    let Some(runtime) = facts.runtime.map(|runtime| runtime.0.as_str()) else { return Vec::new() };
    let finding = match TABLE.iter().find(|row| row.name == runtime) {
        Some(row) => row.ends.and_then(|ends| deprecated(runtime, ends, facts)),
        None => unknown_name(runtime),
    };
    finding.into_iter().collect()
}

fn deprecated(runtime: &str, [deprecated, create, update]: [Date; 3], facts: &Facts<'_>) -> Option<Problem> {
    let today = facts.today;
    let is_refused = facts.existence == Existence::New && create <= today;
    let message = if is_refused {
        format!("AWS has blocked new functions with `{runtime}` since {create}, and this function does not exist yet")
    } else if update <= today {
        format!(
            "AWS has blocked updates of functions with `{runtime}` since {update}, and will probably refuse this one"
        )
    } else if create <= today {
        format!("AWS has blocked new functions with `{runtime}` since {create}, and will block updates from {update}")
    } else if deprecated <= today {
        format!("`{runtime}` has been deprecated since {deprecated}; AWS will block updates from {update}")
    } else if (deprecated - today).whole_days() <= NOTICE {
        format!("`{runtime}` will be deprecated on {deprecated}; AWS will block updates from {update}")
    } else {
        return None;
    };
    let next = successor(runtime, today).map(|next| format!("move to `{next}`; ")).unwrap_or_default();
    let help = format!(
        "{next}AWS may have moved these dates, see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"
    );
    let rule = Rule::RuntimeDeprecated;
    let (weight, help) = if is_refused {
        (Weight::Error, format!("{help}; `ignore: {}` leaves the decision to AWS", rule.name()))
    } else {
        (Weight::Warning, help)
    };
    Some(rule.finds(weight, "runtime", message, help))
}

/// The runtime of the same language with the latest end.
fn successor(runtime: &str, today: Date) -> Option<&'static str> {
    let language = Language::of(runtime)?;
    let of_language = |row: &&Row| {
        Language::of(row.name).is_some_and(|other| std::mem::discriminant(&other) == std::mem::discriminant(&language))
    };
    let rows: Vec<_> = TABLE.iter().filter(of_language).collect();
    let safe = |row: &&&Row| row.ends.is_some_and(|ends| (ends[0] - today).whole_days() > NOTICE);
    // Of the runtimes without an end date this takes the oldest: the newest may not be available yet.
    let next = rows.iter().find(safe).or_else(|| rows.iter().rfind(|row| row.ends.is_none()));
    if language == Language::Go { Some("provided.al2023") } else { next.map(|row| row.name) }
}

/// A warning about a name that is not in the table.
pub(super) fn unknown_name(runtime: &str) -> Option<Problem> {
    TABLE.iter().all(|row| row.name != runtime).then(|| unknown(runtime))
}

fn unknown(runtime: &str) -> Problem {
    let (family, version) = split(runtime);
    let newest = TABLE.iter().map(|row| split(row.name)).filter(|(other, _)| *other == family).map(|(_, v)| v).max();
    if newest.is_some_and(|newest| version > newest) {
        let message =
            format!("`{runtime}` is newer than this release of dpl-lambda, which cannot check the package for it");
        let help = "no action is needed; a newer release may know this runtime";
        return Rule::RuntimeUnknown.finds(Weight::Warning, "runtime", message, help);
    }
    let written = runtime.to_ascii_lowercase();
    // A name with only its end missing is preferred to a similar spelling.
    let nearness = |row: &Row| (!row.name.starts_with(&written), strsim::osa_distance(&written, row.name), row.name);
    let nearest = TABLE.iter().map(nearness).min().filter(|(other, distance, _)| !other || *distance <= 2);
    let help = match nearest {
        Some((.., name)) => format!("did you mean `{name}`? AWS decides whether `{runtime}` exists"),
        None => "see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html for the identifiers of runtimes"
            .to_owned(),
    };
    let message = format!("this release of dpl-lambda does not know the runtime `{runtime}`");
    Rule::RuntimeUnknown.finds(Weight::Warning, "runtime", message, help)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::rule::{OtherCode, Subject};
    use super::*;
    use crate::settings::Runtime;

    fn found(runtime: &str, day: Day, existence: Existence) -> Option<Problem> {
        let (runtime, ignore) = (Runtime(runtime.to_owned()), BTreeSet::new());
        let facts = Facts {
            runtime: Some(&runtime),
            handler: None,
            architecture: None,
            subject: Subject::Function,
            other_code: OtherCode::No,
            variables: BTreeMap::new(),
            existence,
            today: date(day),
            ignore: &ignore,
        };
        rules(&facts).pop()
    }

    #[test]
    fn a_new_function_with_a_blocked_runtime_is_an_error() {
        for (runtime, day, existence, stops) in [
            ("nodejs4.3", (2026, 7, 1), Existence::New, Some(true)),
            ("nodejs4.3", (2026, 7, 1), Existence::Existing, Some(false)),
            ("nodejs4.3", (2026, 7, 1), Existence::Unknown, Some(false)),
            ("nodejs20.x", (2026, 5, 31), Existence::New, Some(false)),
            ("nodejs20.x", (2026, 6, 1), Existence::New, Some(true)),
            ("nodejs20.x", (2026, 6, 1), Existence::Existing, Some(false)),
            ("nodejs24.x", (2036, 6, 1), Existence::New, None),
        ] {
            let stopped = found(runtime, day, existence).map(|problem| problem.stops());
            assert_eq!(stopped, stops, "{runtime} {day:?} {existence:?}");
        }
    }

    #[test]
    fn a_moment_is_converted_to_its_day() {
        assert_eq!(day_of(Duration::MAX), Date::MAX);
        for (seconds, day) in [(0, (1970, 1, 1)), (1_795_219_200, (2026, 11, 21)), (4_102_444_799, (2099, 12, 31))] {
            assert_eq!(day_of(Duration::from_secs(seconds)), date(day), "{seconds}");
        }
    }

    #[test]
    fn a_runtime_is_warned_about_from_half_a_year_before_its_end() {
        let warning = |runtime: &str, day| found(runtime, day, Existence::Existing).map(|found| found.message);
        for (runtime, day, message) in [
            ("nodejs20.x", (2025, 10, 31), None),
            ("nodejs20.x", (2025, 11, 1), Some("will be deprecated on 2026-04-30")),
            ("nodejs20.x", (2026, 4, 30), Some("deprecated since 2026-04-30")),
            ("nodejs20.x", (2026, 6, 1), Some("blocked new functions")),
            ("nodejs20.x", (2026, 7, 1), Some("blocked updates of functions")),
            ("nodejs24.x", (2036, 7, 1), None),
            ("python2.7", (2026, 7, 1), Some("since 2021-07-15")),
        ] {
            let warning = warning(runtime, day);
            assert_eq!(warning.is_some(), message.is_some(), "{runtime} {day:?} {warning:?}");
            assert!(warning.unwrap_or_default().contains(message.unwrap_or_default()), "{runtime} {day:?}");
        }
    }

    #[test]
    fn a_successor_is_supported_for_long() {
        let today = date((2026, 11, 21));
        for (runtime, next) in [
            ("nodejs18.x", "nodejs24.x"),
            ("python3.9", "python3.13"),
            ("go1.x", "provided.al2023"),
            ("provided.al2", "provided.al2023"),
            ("dotnetcore3.1", "dotnet10"),
            ("java8", "java21"),
        ] {
            assert_eq!(successor(runtime, today), Some(next), "{runtime}");
        }
    }

    #[test]
    fn an_unknown_runtime_is_newer_or_mistyped() {
        for (runtime, message, help) in [
            ("python3.19", "newer than this release", "no action"),
            ("nodejs30.x", "newer than this release", ""),
            ("java29", "newer than this release", ""),
            ("nodejs22", "does not know", "`nodejs22.x`?"),
            ("Python3.12", "does not know", "`python3.12`?"),
            ("provided.al203", "does not know", "`provided.al2023`?"),
            ("rust1", "does not know", "identifiers"),
        ] {
            let found = unknown(runtime);
            assert!(
                found.message.contains(message) && found.help.as_deref().unwrap().contains(help),
                "{runtime}: {found:?}"
            );
        }
    }

    #[test]
    fn the_language_is_read_from_the_name() {
        for (runtime, language) in [
            ("nodejs22.x", Some(Language::Node(22))),
            ("nodejs", Some(Language::Node(0))),
            ("python3.12", Some(Language::Python(3, 12))),
            ("java8.al2", Some(Language::Java)),
            ("dotnetcore3.1", Some(Language::Dotnet)),
            ("provided", Some(Language::Provided)),
            ("provided.al2023", Some(Language::Provided)),
            ("go1.x", Some(Language::Go)),
            ("python", None),
            ("rust", None),
        ] {
            assert_eq!(Language::of(runtime), language, "{runtime}");
        }
    }
}
