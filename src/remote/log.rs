//! Events of a function's log.

use std::collections::BTreeSet;

use time::OffsetDateTime;

/// The time by which an event may arrive after a newer one, in milliseconds.
const LATE: i64 = 15_000;

/// An event of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogEvent {
    /// The time, in milliseconds since 1970.
    pub time: i64,
    /// The log stream: Lambda has one for each execution environment.
    pub stream: String,
    /// The id of the event, or what else tells it from others.
    pub id: String,
    /// What was logged.
    pub message: String,
}

impl LogEvent {
    /// The version that logged it; absent if the stream is not one of Lambda.
    pub(crate) fn version(&self) -> Option<&str> {
        self.origin().map(|(_, version)| version)
    }

    /// Whether it is of a function, and of one of these versions; absent: of any.
    pub(crate) fn is_of(&self, function: &str, versions: Option<&BTreeSet<String>>) -> bool {
        match self.origin() {
            Some((of, version)) => {
                (of.is_empty() || of == function) && versions.is_none_or(|versions| versions.contains(version))
            }
            None => versions.is_none(),
        }
    }

    /// The function and the version: `2026/11/26/[7]0123…`, in a group for several functions `2026/11/26/NAME[7]0123…`.
    fn origin(&self) -> Option<(&str, &str)> {
        let (of, rest) = self.stream.split_once('[')?;
        let (version, _) = rest.split_once(']')?;
        Some((of.rsplit('/').next().unwrap_or_default(), version))
    }
}

/// A moment in UTC, as `2026-11-26T17:42:30.123Z`.
pub(crate) fn utc(milliseconds: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000);
    let moment = moment.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (moment.date(), moment.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

/// A log that is read again and again, each event once.
#[derive(Debug)]
pub(crate) struct Tail {
    from: i64,
    newest: i64,
    seen: BTreeSet<(i64, String)>,
}

impl Tail {
    /// A log from this moment on.
    pub(crate) fn new(from: i64) -> Self {
        Self { from, newest: from, seen: BTreeSet::new() }
    }

    /// Where the next read begins.
    pub(crate) fn begin(&self) -> i64 {
        self.from.max(self.newest.saturating_sub(LATE))
    }

    /// Whether an event is new.
    pub(crate) fn is_new(&mut self, event: &LogEvent) -> bool {
        self.newest = self.newest.max(event.time);
        self.seen.insert((event.time, event.id.clone()))
    }

    /// Forgets the events that no further read returns.
    pub(crate) fn forget(&mut self) {
        self.seen = self.seen.split_off(&(self.begin(), String::new()));
    }
}

/// Finds the events of one invocation.
#[derive(Debug)]
pub(crate) struct Invoked {
    id: String,
    /// The streams in which it runs.
    running: BTreeSet<String>,
}

impl Invoked {
    /// Finds the invocation with this id.
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), running: BTreeSet::new() }
    }

    /// Whether it logged an event. What a function prints does not name the invocation, but stands between its start and
    /// its report.
    pub(crate) fn has(&mut self, event: &LogEvent) -> bool {
        let LogEvent { stream, message, .. } = event;
        let marks = |text: &str, json: &str| message.starts_with(text) || message.contains(json);
        let names = message.contains(&self.id);
        if marks("START RequestId: ", "\"platform.start\"") {
            self.running.remove(stream);
            if names {
                self.running.insert(stream.clone());
            }
        }
        let has = names || self.running.contains(stream);
        if marks("REPORT RequestId: ", "\"platform.report\"") {
            self.running.remove(stream);
        }
        has
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time: i64, stream: &str, message: &str) -> LogEvent {
        LogEvent { time, stream: stream.to_owned(), id: format!("{time}"), message: message.to_owned() }
    }

    #[test]
    fn a_stream_tells_function_and_version() {
        let two = BTreeSet::from(["2".to_owned()]);
        for (stream, version, of_f, of_f_2) in [
            ("2026/11/26/[2]0af", Some("2"), true, true),
            ("2026/11/26/[$LATEST]0af", Some("$LATEST"), true, false),
            ("2026/11/26/f[2]0af", Some("2"), true, true),
            ("2026/11/26/ff[2]0af", Some("2"), false, false),
            ("2026/11/26/f[12]0af", Some("12"), true, false),
            ("my-stream", None, true, false),
            ("[", None, true, false),
            ("", None, true, false),
        ] {
            let event = event(0, stream, "");
            assert_eq!(event.version(), version, "{stream}");
            assert_eq!((event.is_of("f", None), event.is_of("f", Some(&two))), (of_f, of_f_2), "{stream}");
        }
    }

    #[test]
    fn moments_are_in_utc() {
        assert_eq!(utc(1_795_714_950_123), "2026-11-26T17:42:30.123Z");
        assert_eq!(utc(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(utc(i64::MAX), utc(0));
    }

    #[test]
    fn each_event_is_new_once_and_late_ones_are_found() {
        let mut tail = Tail::new(1000);
        assert_eq!(tail.begin(), 1000);
        assert!(tail.is_new(&event(50_000, "a", "")) && !tail.is_new(&event(50_000, "a", "")));
        tail.forget();
        assert_eq!(tail.begin(), 50_000 - LATE);
        assert!(tail.is_new(&event(40_000, "b", "")) && !tail.is_new(&event(50_000, "a", "")));
        assert!(tail.is_new(&event(90_000, "a", "")));
        tail.forget();
        assert_eq!(tail.seen.len(), 1);
    }

    #[test]
    fn the_lines_between_start_and_report_are_of_the_invocation() {
        let mut invoked = Invoked::new("id-1");
        let mut has = |stream: &str, message: &str| invoked.has(&event(0, stream, message));
        assert!(!has("a", "before"));
        assert!(has("a", "START RequestId: id-1 Version: 2"));
        assert!(has("a", "printed") && !has("b", "printed elsewhere"));
        assert!(has("b", "a retry names id-1") && !has("b", "next"));
        assert!(has("a", "END RequestId: id-1") && has("a", "REPORT RequestId: id-1\tDuration: 1 ms"));
        assert!(!has("a", "after"));
        assert!(has("a", r#"{"type":"platform.start","record":{"requestId":"id-1"}}"#) && has("a", "{}"));
        assert!(!has("a", "START RequestId: id-2 Version: 2") && !has("a", "of another"));
    }
}
