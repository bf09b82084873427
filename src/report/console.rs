//! The console: standard output and standard error, through which all output goes without secrets.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    io::{self, ErrorKind, Write},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::delivery::Stream;
use super::dialect::Level;
use super::line::line;
use super::redactor::{Redactor, Role, SHORTEST, Whose};
use super::{response, sanitise};
use crate::host::Host;

/// The time between two attempts to write to a stream whose reader is slow.
const TICK: Duration = Duration::from_millis(5);

/// What to do if standard output cannot be written.
pub(super) const OUTPUT_HELP: &str = "free some space, or send standard output elsewhere";

/// Tells a CI to hide a value in its log. Returns the command, if one has to be printed.
pub(super) type Mask = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Standard output and standard error. Removes secrets from what is printed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Console(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    redactor: Redactor,
    output: Output,
    output_is_free: bool,
    /// The clock for lines of JSON; absent: standard error takes text.
    events: Option<fn() -> Duration>,
    /// Tells the CI to hide a value.
    mask: Option<Mask>,
    /// The values that the CI masks already.
    masked: BTreeSet<String>,
}

/// Whether standard output takes text.
#[derive(Default, PartialEq, Eq)]
enum Output {
    /// It does.
    #[default]
    Open,
    /// Its reader has gone, as `head` does when it has enough. Not an error.
    Closed,
    /// It cannot be written, for this reason.
    Failed(String),
}

impl std::fmt::Debug for State {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("State").finish_non_exhaustive()
    }
}

impl Console {
    fn state<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hides a secret from now on, everywhere and in every form of escaping.
    pub(crate) fn hide(&self, secret: &str) {
        self.state(|state| state.redactor.add(secret, Role::Secret));
    }

    /// Hides a secret from now on, also in the CI's log. A short secret is not sent to the CI, because the CI would then
    /// hide ordinary words too.
    pub(crate) fn hide_everywhere(&self, secret: &str) {
        self.hide(secret);
        for line in secret.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST) {
            let mask = self.state(|state| state.mask.clone().filter(|_| state.masked.insert(line.to_owned())));
            if let Some(command) = mask.and_then(|mask| mask(line)) {
                self.unredacted(&command);
            }
        }
    }

    /// Hides a value from now on, except inside a public name.
    pub(crate) fn hide_outside_names(&self, value: &str) {
        self.state(|state| state.redactor.add(value, Role::Value));
    }

    /// Hides a value in text from elsewhere only. Our own messages may contain it as an ordinary word.
    pub(crate) fn hide_in_foreign(&self, value: &str) {
        self.state(|state| state.redactor.add(value, Role::Foreign));
    }

    /// Keeps a public name, even if it contains a hidden value. ARNs are always kept.
    pub(crate) fn keep(&self, name: &str) {
        self.state(|state| state.redactor.add(name, Role::Name));
    }

    /// Sets the function that tells the CI to hide a value.
    pub(super) fn mask_with(&self, mask: Option<Mask>) {
        self.state(|state| state.mask = mask);
    }

    /// Reserves standard output for one document. All else goes to standard error.
    pub(super) fn keep_output_free(&self, free: bool) {
        self.state(|state| state.output_is_free = free);
    }

    /// Reserves standard error for lines of JSON, with the times of this clock.
    pub(super) fn send_events(&self, clock: Option<fn() -> Duration>) {
        self.state(|state| state.events = clock);
    }

    /// One of our own texts, without secrets.
    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.state(|state| state.redactor.replaced(text, Whose::Ours))
    }

    /// A text from elsewhere, without secrets and without the values that are hidden in such text only.
    pub(crate) fn redact_foreign(&self, text: &str) -> String {
        self.state(|state| state.redactor.replaced(text, Whose::Foreign).into_owned())
    }

    /// The response of a function, without what `redact_foreign` hides. JSON stays JSON.
    pub(crate) fn redact_response(&self, response: &str) -> String {
        response::hidden(response, |text| self.redact_foreign(text))
    }

    /// Removes secrets from the values of JSON. Keys are never changed.
    pub(super) fn redact_values(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.redact(text).into_owned(),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_values(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.redact_values(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// JSON on one line, as it can be printed.
    pub(super) fn json(&self, mut value: Value) -> String {
        self.redact_values(&mut value);
        sanitise::json(&value.to_string())
    }

    /// Prints one or more lines. A stream that cannot be written does not stop the run.
    pub(super) fn print(&self, stream: Stream, text: &str) {
        let text = self.redact(text).into_owned();
        let (free, events) = self.state(|state| (state.output_is_free, state.events));
        let line = format!("{text}\n");
        match stream {
            Stream::Output if !free => self.write_output(&line),
            // A line of JSON says the same.
            _ if events.is_some() => {}
            _ => drop(write_all(io::stderr().lock(), &line)),
        }
    }

    /// Prints a text that is all of the output, such as the help. Returns whether it could be written.
    pub(crate) fn answer(&self, text: &str) -> bool {
        self.print(Stream::Output, text.trim_end_matches('\n'));
        let lost = self.output_error();
        if let Some(error) = &lost {
            self.print_error(Level::Error, error, OUTPUT_HELP);
        }
        lost.is_none()
    }

    /// Prints an error or warning on standard error, with its help.
    pub(super) fn print_error(&self, level: Level, message: &str, help: &str) {
        self.message(level.word(), message, Some(help));
        self.print(Stream::Error, &format!("{}: {}\nhelp: {help}", level.word(), sanitise::inert(message)));
    }

    /// Prints a message as a line of JSON, if standard error takes those.
    fn message(&self, event: &str, message: &str, help: Option<&str>) {
        if let Some(clock) = self.state(|state| state.events) {
            let members = [("message", Some(message)), ("help", help)];
            let members = members.into_iter().map(|(name, text)| (name.to_owned(), text.into()));
            Self::event(&self.json(line(event, members.collect(), clock())));
        }
    }

    /// Prints a line of JSON on standard error. Its values are already redacted.
    pub(super) fn event(line: &str) {
        let _ = write_all(io::stderr().lock(), &format!("{line}\n"));
    }

    /// Writes to standard output, until it fails for the first time.
    fn write_output(&self, text: &str) {
        if self.state(|state| state.output == Output::Open)
            && let Err(error) = write_all(io::stdout().lock(), text)
        {
            let is_closed = error.kind() == ErrorKind::BrokenPipe;
            let output = if is_closed { Output::Closed } else { Output::Failed(error.to_string()) };
            self.state(|state| state.output = output);
        }
    }

    /// Why standard output could not be written; absent: it could, or nobody reads it.
    pub(super) fn output_error(&self) -> Option<String> {
        self.state(|state| match &state.output {
            Output::Open | Output::Closed => None,
            Output::Failed(error) => Some(format!("standard output cannot be written: {error}")),
        })
    }

    /// Whether somebody may still read standard output.
    pub(crate) fn is_read(&self) -> bool {
        self.state(|state| state.output == Output::Open)
    }

    /// Whether the log goes to standard output.
    pub(super) fn logs_to_output(&self) -> bool {
        self.state(|state| !state.output_is_free)
    }

    /// Prints the CI's mask command. Only this prints a secret, and only for a CI that hides it.
    ///
    /// People store and pass on standard output. So the command goes to standard error, which the runner reads too. It
    /// is left out if standard error may go elsewhere too, or if standard output is a document for another program.
    fn unredacted(&self, command: &str) {
        let is_text = self.state(|state| !state.output_is_free && state.events.is_none());
        if Host::errors_go_alone() && is_text {
            let _ = write_all(io::stderr().lock(), &format!("{command}\n"));
        }
    }

    /// Prints the document on standard output. Its values are already redacted.
    pub(super) fn document(&self, text: &str) {
        self.write_output(&format!("{text}\n"));
    }
}

/// Writes all of a text. A stream in non-blocking mode returns `WouldBlock` if its reader is slow. Then it tries again.
fn write_all(mut stream: impl Write, text: &str) -> io::Result<()> {
    let mut rest = text.as_bytes();
    loop {
        let written = if rest.is_empty() { stream.flush().map(|()| 0) } else { stream.write(rest) };
        match written {
            Ok(0) if rest.is_empty() => return Ok(()),
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(TICK),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Passes the lines of `tracing` to the console.
impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches('\n');
        if self.state(|state| state.output_is_free) {
            self.message("debug", text, None);
        }
        self.print(Stream::Output, &sanitise::inert(text));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Masks a key id as dpl does: the first characters, then stars, twenty characters in all.
pub(crate) fn mask(text: &str) -> String {
    let length = text.chars().count();
    let keep = (length / (4 + length / 5)).max(1);
    text.chars().take(keep).chain(std::iter::repeat_n('*', 20_usize.saturating_sub(keep))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_those_of_dpl() {
        assert_eq!(mask("id"), "i*******************");
        assert_eq!(mask("access_key_id"), "ac******************");
        for (length, kept) in [
            (1, 1),
            (11, 1),
            (12, 2),
            (20, 2),
            (23, 2),
            (24, 3),
            (25, 2),
            (26, 2),
            (27, 3),
            (40, 3),
            (63, 3),
            (64, 4),
            (65, 3),
            (68, 4),
            (70, 3),
            (72, 4),
            (75, 3),
            (76, 4),
        ] {
            let masked = mask(&"x".repeat(length));
            assert_eq!(masked.matches('x').count(), kept, "length {length}");
            assert_eq!(masked.chars().count(), 20);
        }
    }
}
