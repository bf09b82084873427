//! The progress of long work: a bar on a terminal, a line from time to time in a log.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::plan::size;
use super::sanitise;
use crate::event::Doing;

/// The time between two lines in a log.
const TELL_EVERY: Duration = Duration::from_secs(15);

/// The longest time without a line while several functions are in progress.
const SILENCE: Duration = Duration::from_mins(1);

/// How many of the functions in progress to show.
const SHOWN: usize = 3;

/// Shows progress.
pub(super) struct Progress {
    at_terminal: bool,
    /// The bar, with its work; absent: it is about several functions.
    bar: Option<(Option<Doing>, ProgressBar)>,
    shown: Duration,
    /// How far the run is with several functions.
    overall: String,
}

impl Progress {
    /// Progress for a terminal or for a log.
    pub(super) fn new(at_terminal: bool) -> Self {
        Self { at_terminal, bar: None, shown: Duration::ZERO, overall: String::new() }
    }

    /// Moves the bar, or returns a line for the log if it is time for one.
    pub(super) fn tell(&mut self, doing: Doing, done: u64, all: u64, so_far: Duration) -> Option<String> {
        if self.at_terminal {
            if self.bar.as_ref().is_none_or(|(of, _)| *of != Some(doing)) {
                self.clear();
                let message = if self.overall.is_empty() { String::new() } else { format!("{}: ", self.overall) };
                self.bar = Some((Some(doing), bar(message + doing.word(), all)));
            }
            self.bar.iter().for_each(|(_, bar)| bar.set_position(done));
            return None;
        }
        if so_far < self.shown {
            self.shown = Duration::ZERO;
        }
        if so_far < self.shown + TELL_EVERY {
            return None;
        }
        self.shown = so_far;
        Some(format!("{}: {} of {} ({} s).", doing.word(), size(done), size(all), so_far.as_secs()))
    }

    /// Shows how many of several functions are done, or returns a line for a log that was silent for so long.
    pub(super) fn overall(
        &mut self,
        word: &str,
        (done, all): (usize, usize),
        doing: &[String],
        silent: Duration,
    ) -> Option<String> {
        let numbers = format!("{done} of {all} functions {word}");
        let first: Vec<_> = doing.iter().take(SHOWN).map(String::as_str).collect();
        let more = doing.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let line = sanitise::one_line(&format!("{numbers}, waiting for {}{more}", first.join(", ")));
        if !self.at_terminal {
            return (silent >= SILENCE).then(|| format!("{line}."));
        }
        self.overall = numbers;
        if !matches!(self.bar, Some((Some(_), _))) {
            let (_, bar) = self.bar.get_or_insert_with(|| (None, spinner()));
            bar.set_message(line);
        }
        None
    }

    /// Removes the bar. Must happen before other output.
    pub(super) fn clear(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// A line on standard error. Draws nothing if that is not a terminal.
fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_msg}");
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// A bar on standard error. Draws nothing if that is not a terminal.
fn bar(message: String, all: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes}");
    let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_log_says_every_minute_how_far_the_run_is() {
        let mut progress = Progress::new(false);
        let doing: Vec<_> = (0..5).map(|number| format!("`f{number}`")).collect();
        let mut overall =
            |doing: &[String], silent| progress.overall("done", (12, 200), doing, Duration::from_secs(silent));
        assert_eq!(overall(&doing, 59), None);
        let line = "12 of 200 functions done, waiting for `f0`, `f1`, `f2` and 2 more.";
        assert_eq!(overall(&doing, 60).as_deref(), Some(line));
        assert_eq!(overall(&doing[..1], 61).as_deref(), Some("12 of 200 functions done, waiting for `f0`."));
    }

    #[test]
    fn a_log_hears_of_long_work_every_quarter_of_a_minute() {
        let mut progress = Progress::new(false);
        let mut tell = |doing, seconds| progress.tell(doing, 1 << 20, 4 << 20, Duration::from_secs(seconds));
        assert_eq!(tell(Doing::Packing, 14), None);
        assert_eq!(tell(Doing::Packing, 16), Some("Packing: 1.0 MB of 4.0 MB (16 s).".to_owned()));
        assert_eq!(tell(Doing::Packing, 20), None);
        assert_eq!(tell(Doing::Sending, 3), None);
        assert!(tell(Doing::Sending, 15).is_some());
    }
}
