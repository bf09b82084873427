//! GitLab CI: collapsible sections. Outputs, links and problems go to report files that the job names (`files`).
//!
//! The log viewer reads `section_(start|end):\d+:[a-zA-Z0-9_.-]+(\[\w+=\w+…\])?\r\e\[0K`
//! (<https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections>).

use std::time::Duration;

use crate::event::Stage;
use crate::report::dialect;

/// The sections of one run.
#[derive(Default)]
pub(super) struct Voice {
    sections: u32,
    open: String,
}

impl dialect::Voice for Voice {
    fn open(&mut self, stage: Stage, now: Duration) -> Option<String> {
        if !stage.is_long() {
            return None;
        }
        self.sections += 1;
        // A section's name must be unique in the job, and a job may run this tool twice.
        let title = stage.title().to_ascii_lowercase().replace(' ', "_");
        self.open = format!("{title}_{:08x}_{}", now.as_nanos() & 0xffff_ffff, self.sections);
        let folded = if stage == Stage::Prepare { "[collapsed=true]" } else { "" };
        let (seconds, name, title) = (now.as_secs(), &self.open, stage.title());
        Some(format!("\x1b[0Ksection_start:{seconds}:{name}{folded}\r\x1b[0K{title}"))
    }

    fn close(&mut self, now: Duration) -> Option<String> {
        Some(format!("\x1b[0Ksection_end:{}:{}\r\x1b[0K", now.as_secs(), self.open))
    }
}

#[cfg(test)]
mod tests {
    use super::dialect::Voice as _;
    use super::*;
    use crate::report::oracles::gitlab_sections;

    #[test]
    fn every_section_that_opens_closes_under_a_name_of_its_own() {
        let mut gitlab = Voice::default();
        let mut log = String::new();
        for stage in [Stage::Prepare, Stage::Login, Stage::Deploy, Stage::Deploy] {
            if let Some(open) = gitlab.open(stage, Duration::from_secs(1_700_000_000)) {
                log = [
                    log,
                    open,
                    "\nx\n".to_owned(),
                    gitlab.close(Duration::from_secs(1_700_000_001)).unwrap(),
                    "\n".to_owned(),
                ]
                .concat();
            }
        }
        let sections = gitlab_sections(&log);
        let names: std::collections::BTreeSet<_> = sections.iter().map(|section| &section.name).collect();
        assert_eq!((sections.len(), names.len()), (6, 3), "{sections:?}");
        assert!(sections.chunks(2).all(|pair| pair[0].starts && !pair[1].starts && pair[0].name == pair[1].name));
        assert_eq!((sections[0].options.as_str(), sections[2].options.as_str()), ("collapsed=true", ""));
        assert!(log.starts_with("\u{1b}[0Ksection_start:") && log.contains("\r\u{1b}[0KPrepare deployment\n"));
    }
}
