//! Travis CI: folds with timers, byte for byte like dpl's. Travis has no annotations, outputs or summary.

use std::time::Duration;

use crate::event::Stage;
use crate::report::delivery::Stream;
use crate::report::dialect;

/// The folds of one run.
#[derive(Default)]
pub(super) struct Voice {
    folds: u32,
    timer: String,
    started: Duration,
}

impl dialect::Voice for Voice {
    fn open(&mut self, stage: Stage, now: Duration) -> Option<String> {
        self.folds += 1;
        self.started = now;
        self.timer = format!("{:08x}", self.started.as_nanos() & 0xffff_ffff);
        let (number, timer, title) = (self.folds, &self.timer, stage.title());
        let said = if stage == Stage::Setup { "\nSetting the build environment up for the deployment" } else { "" };
        Some(format!(
            "travis_fold:start:dpl.{number}\r\x1b[Ktravis_time:start:{timer}\r\x1b[K\x1b[33m{title}\x1b[0m{said}"
        ))
    }

    fn close(&mut self, now: Duration) -> Option<String> {
        let nanoseconds = |time: Duration| u128::from(time.as_secs()) * 1_000_000_000;
        let (start, finish) = (nanoseconds(self.started), nanoseconds(now));
        let (number, timer) = (self.folds, &self.timer);
        let duration = finish.saturating_sub(start);
        Some(format!(
            "\ntravis_time:end:{timer}:start={start},finish={finish},duration={duration}\r\x1b[K\ntravis_fold:end:dpl.{number}\r\x1b[K"
        ))
    }

    /// dpl writes errors to this stream.
    fn error_stream(&self) -> Stream {
        Stream::Error
    }
}
