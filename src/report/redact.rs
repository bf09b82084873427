//! The redactor, and the console behind which everything leaves the process.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use super::deliver::Stream;
use super::{github, sanitise, summary};

/// What stands in place of a secret.
const REDACTED: &str = "***";

/// Shorter secrets would turn ordinary words into noise, as dpl's do (FX8).
const SHORTEST: usize = 8;

/// Tells a CI to hide a value in its log; the command for that comes back where one has to be printed.
pub(super) type Mask = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Where text leaves the process: the two streams, without the secrets.
#[derive(Debug, Clone, Default)]
pub struct Console(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    secrets: Vec<String>,
    foreign: Vec<String>,
    output_is_free: bool,
    /// What tells the CI to hide a value.
    mask: Option<Mask>,
    /// What the CI has been told to mask.
    masked: BTreeSet<String>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("State").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

impl Console {
    fn state<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hides a text from here on, in each form in which it may come by.
    pub fn hide(&self, secret: &str) {
        self.state(|state| add(&mut state.secrets, secret, SHORTEST));
    }

    /// Hides a text from here on, also in the CI's own log. Short ones would hide ordinary words with them.
    pub fn hide_everywhere(&self, secret: &str) {
        self.hide(secret);
        for line in secret.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST) {
            let mask = self.state(|state| state.mask.clone().filter(|_| state.masked.insert(line.to_owned())));
            // Nobody reads commands beside a document.
            if let Some(command) =
                mask.and_then(|mask| mask(line)).filter(|_| self.state(|state| !state.output_is_free))
            {
                Self::unredacted(&command);
            }
        }
    }

    /// Sets what tells the CI to hide a value, where it can be told.
    pub(super) fn mask_with(&self, mask: Option<Mask>) {
        self.state(|state| state.mask = mask);
    }

    /// Hides a text in what others say.
    pub(super) fn hide_in_foreign(&self, secret: &str) {
        self.state(|state| add(&mut state.foreign, secret, 4));
    }

    /// Leaves standard output to one document; everything else goes to standard error.
    pub(super) fn keep_output_free(&self, free: bool) {
        self.state(|state| state.output_is_free = free);
    }

    /// The text without secrets.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.state(|state| replaced(&state.secrets, text))
    }

    /// A text that others wrote, without secrets and without values that would be noise in our own words.
    pub fn redact_foreign(&self, text: &str) -> String {
        let ours = self.redact(text).into_owned();
        self.state(|state| replaced(&state.foreign, &ours).into_owned())
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
    fn unredacted(command: &str) {
        let _ = write_all(io::stdout().lock(), &format!("{command}\n"));
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
        self.print(Stream::Output, String::from_utf8_lossy(bytes).trim_end_matches('\n'));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A secret comes by as it is, a line at a time, or escaped for where it is shown. Longest first, so that no part is
/// left over.
fn add(secrets: &mut Vec<String>, secret: &str, shortest: usize) {
    let json = serde_json::to_string(secret).unwrap_or_default();
    let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or_default().to_owned();
    let plain = std::iter::once(secret.to_owned()).chain(secret.lines().map(str::to_owned));
    let escaped = |text: String| {
        [github::data(&text), github::property(&text), summary::text(&text), sanitise::one_line(&text), text]
    };
    let forms = plain.flat_map(escaped).chain([json]).map(|form| form.trim().to_owned());
    secrets.extend(forms.filter(|form| form.chars().count() >= shortest));
    secrets.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    secrets.dedup();
}

fn replaced<'a>(secrets: &[String], text: &'a str) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets {
        if text.contains(secret.as_str()) {
            text = Cow::Owned(text.replace(secret.as_str(), REDACTED));
        }
    }
    text
}

/// dpl's mask of a key id: its first characters, and stars up to twenty.
pub fn mask(text: &str) -> String {
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

    #[test]
    fn secrets_are_replaced_in_every_form() {
        let console = Console::default();
        console.hide("two words\nand \"quotes\"");
        console.hide("short");
        assert_eq!(console.redact("x two words y and \"quotes\""), "x *** y ***");
        assert_eq!(console.redact(r#"{"a":"two words\nand \"quotes\""}"#), r#"{"a":"***"}"#);
        assert_eq!(console.redact("short"), "short");
    }

    #[test]
    fn the_longer_of_two_secrets_goes_first() {
        let console = Console::default();
        console.hide("password1");
        console.hide("password12345");
        assert_eq!(console.redact("password12345 password1"), "*** ***");
    }
}
