//! The progress of long work: a bar on a terminal, a line from time to time in a log.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::plan::size;
use crate::event::Doing;

/// The time between two lines in a log.
const TELL_EVERY: Duration = Duration::from_secs(15);

/// Shows progress.
pub(super) struct Progress {
    at_terminal: bool,
    bar: Option<(Doing, ProgressBar)>,
    shown: Duration,
}

impl Progress {
    /// Progress for a terminal or for a log.
    pub(super) fn new(at_terminal: bool) -> Self {
        Self { at_terminal, bar: None, shown: Duration::ZERO }
    }

    /// Moves the bar, or returns a line for the log if it is time for one.
    pub(super) fn tell(&mut self, doing: Doing, done: u64, all: u64, so_far: Duration) -> Option<String> {
        if self.at_terminal {
            if self.bar.as_ref().is_none_or(|(of, _)| *of != doing) {
                self.clear();
                self.bar = Some((doing, bar(doing, all)));
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

    /// Removes the bar. Must happen before other output.
    pub(super) fn clear(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// A bar on standard error. Draws nothing if that is not a terminal.
fn bar(doing: Doing, all: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes}");
    let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(doing.word())
}

#[cfg(test)]
mod tests {
    use super::*;

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
