//! The redactor, and the console behind which everything leaves the process.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use super::deliver::Stream;
use super::needles::{Needles, Role, SHORTEST, Whose};
use super::sanitise;
use crate::host::Host;

/// Tells a CI to hide a value in its log; the command for that comes back where one has to be printed.
pub(super) type Mask = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Where text leaves the process: the two streams, without the secrets.
#[derive(Debug, Clone, Default)]
pub struct Console(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    needles: Needles,
    output_is_free: bool,
    /// What tells the CI to hide a value.
    mask: Option<Mask>,
    /// What the CI has been told to mask.
    masked: BTreeSet<String>,
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

    /// Hides a secret from here on, wherever it stands and in each form in which it may come by.
    pub fn hide(&self, secret: &str) {
        self.state(|state| state.needles.add(secret, Role::Secret));
    }

    /// Hides a secret from here on, also in the CI's own log. Short ones would hide ordinary words with them.
    pub fn hide_everywhere(&self, secret: &str) {
        self.hide(secret);
        for line in secret.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST) {
            let mask = self.state(|state| state.mask.clone().filter(|_| state.masked.insert(line.to_owned())));
            if let Some(command) = mask.and_then(|mask| mask(line)) {
                self.unredacted(&command);
            }
        }
    }

    /// Hides a value from here on, but not as a part of a name that everybody sees.
    pub fn hide_outside_names(&self, value: &str) {
        self.state(|state| state.needles.add(value, Role::Value));
    }

    /// Hides a text in what others say, where it would be noise in our own words.
    pub fn hide_in_foreign(&self, value: &str) {
        self.state(|state| state.needles.add(value, Role::Foreign));
    }

    /// Leaves a name whole that everybody sees, whatever value it has in it. ARNs need not be told.
    pub fn keep(&self, name: &str) {
        self.state(|state| state.needles.add(name, Role::Name));
    }

    /// Sets what tells the CI to hide a value, where it can be told.
    pub(super) fn mask_with(&self, mask: Option<Mask>) {
        self.state(|state| state.mask = mask);
    }

    /// Leaves standard output to one document; everything else goes to standard error.
    pub(super) fn keep_output_free(&self, free: bool) {
        self.state(|state| state.output_is_free = free);
    }

    /// The text without secrets.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.state(|state| state.needles.replaced(text, Whose::Ours))
    }

    /// A text that others wrote, without secrets and without values that would be noise in our own words.
    pub fn redact_foreign(&self, text: &str) -> String {
        self.state(|state| state.needles.replaced(text, Whose::Foreign).into_owned())
    }

    /// Prints one line or more. A reader that went away is no reason to stop.
    pub(super) fn print(&self, stream: Stream, text: &str) {
        let text = self.redact(text).into_owned();
        let free = self.state(|state| state.output_is_free);
        let line = format!("{text}\n");
        let _ = match stream {
            Stream::Output if !free => write_all(io::stdout().lock(), &line),
            _ => write_all(io::stderr().lock(), &line),
        };
    }

    /// Prints a text that was asked for.
    pub fn say(&self, text: &str) {
        self.print(Stream::Output, text.trim_end_matches('\n'));
    }

    /// Prints a CI's own mask command: the one place where a secret is written out, and only where the CI hides it.
    ///
    /// Standard output is what people keep and pass on, so it goes to standard error, which the runner reads too. It is left
    /// out where standard error surely is not the runner's alone, or a document is made for another program.
    fn unredacted(&self, command: &str) {
        if Host::errors_go_alone() && !self.state(|state| state.output_is_free) {
            let _ = write_all(io::stderr().lock(), &format!("{command}\n"));
        }
    }

    /// Prints the one document of standard output, whose values have been redacted.
    pub(super) fn document(text: &str) {
        let _ = write_all(io::stdout().lock(), &format!("{text}\n"));
    }
}

fn write_all(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Log lines leave like everything else.
impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = sanitise::inert(String::from_utf8_lossy(bytes).trim_end_matches('\n'));
        self.print(Stream::Output, &text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// dpl's mask of a key id: its first characters, and stars up to twenty.
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
