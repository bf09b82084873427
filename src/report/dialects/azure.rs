//! Azure Pipelines.
//!
//! Grammar and escaping follow the agent's source (`Command.cs`, `CommandStringConvertor.cs`): the agent finds a
//! command anywhere in a line, and unescapes values and text alike.
//!
//! `task.setsecret` is not used: standard output must not hold a secret, and on standard error it would fail a step
//! with `failOnStderr`. Our own output has no secrets anyway, and the agent masks the secrets that it knows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::event::Stage;
use crate::host::Host;
use crate::place::Problem;
use crate::report::checkout::{Checkout, Spot};
use crate::report::delivery::{Delivery, Written};
use crate::report::dialect::{self, Level, Output};
use crate::report::{sanitise, variables};

/// The agent keeps this many issues of a level and step.
const MOST_ISSUES: usize = 10;

/// The longest text of an issue that the page of the run shows.
const MOST_MESSAGE: usize = 4096;

pub(super) struct Voice {
    pub checkout: Checkout,
}

pub(super) struct Board {
    /// The file of the summary, if the user names none. The agent reads it from disk.
    page: Option<PathBuf>,
}

impl Board {
    pub(super) fn new(host: &Host, nonce: &str) -> Self {
        let folder = host.variable("AGENT_TEMPDIRECTORY").map(PathBuf::from);
        Self { page: folder.map(|folder| folder.join(format!("dpl-lambda-{nonce}.md"))) }
    }
}

/// Escapes a value or a text. `%` must be escaped first, and to `%AZP25`, not to `%25`.
pub(in crate::report) fn escaped(text: &str) -> String {
    text.replace('%', "%AZP25").replace(';', "%3B").replace('\r', "%0D").replace('\n', "%0A").replace(']', "%5D")
}

impl dialect::Voice for Voice {
    fn open(&mut self, stage: Stage, _: Duration) -> Option<String> {
        stage.is_long().then(|| format!("##[group]{}", stage.title()))
    }

    fn close(&mut self, _: Duration) -> Option<String> {
        Some("##[endgroup]".to_owned())
    }

    fn most_annotations(&self) -> usize {
        MOST_ISSUES
    }

    fn annotate(&mut self, level: Level, problem: &Problem) -> Option<String> {
        // Azure has two types of issues only.
        if level == Level::Notice {
            return None;
        }
        let mut properties = vec![format!("type={}", level.word())];
        if let Some(Spot { file, at }) = self.checkout.spot(problem) {
            properties.push(format!("sourcepath={}", escaped(&file)));
            properties.extend(at.map(|(line, column)| format!("linenumber={line};columnnumber={column}")));
        }
        let mut text = dialect::annotation_text(problem);
        if let Some(option) = &problem.option {
            text = format!("{}: {text}", sanitise::one_line(option));
        }
        let text = escaped(&sanitise::cut(&text, MOST_MESSAGE));
        Some(format!("##vso[task.logissue {}]{text}", properties.join(";")))
    }
}

impl dialect::Board for Board {
    fn outputs(&self, outputs: &[Output]) -> Vec<Delivery> {
        let set = |(name, value): &Output| {
            let name = variables::name(name);
            format!("##vso[task.setvariable variable={name};isoutput=true]{}", escaped(value))
        };
        vec![Delivery::Command(variables::fitting(outputs).map(set).collect::<Vec<_>>().join("\n"))]
    }

    fn summary(&self, markdown: &str, file: Option<&Path>) -> Vec<Delivery> {
        let Some(page) = file.or(self.page.as_deref()) else { return Vec::new() };
        let failed = "the summary could not be written to AGENT_TEMPDIRECTORY".to_owned();
        let written = Written { file: page.into(), text: markdown.to_owned(), failed };
        let show = Delivery::Command(format!("##vso[task.uploadsummary]{}", escaped(&page.to_string_lossy())));
        let write = file.is_none().then_some(Delivery::Replace(written));
        vec![Delivery::InOrder(write.into_iter().chain([show]).collect())]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::dialect::{Board as _, Voice as _};
    use super::*;
    use crate::host::Ci;
    use crate::place::Place;
    use crate::report::oracles;

    fn azure() -> Voice {
        Voice { checkout: Checkout::of(Ci::Azure, &Host::default()) }
    }

    #[test]
    fn escaping_follows_the_agent() {
        for (text, expected) in [
            ("a%b", "a%AZP25b"),
            ("100%\nok", "100%AZP25%0Aok"),
            ("x: y, z", "x: y, z"),
            ("%0A", "%AZP250A"),
            ("%250A", "%AZP25250A"),
            ("a;b]c[d|e'f", "a%3Bb%5Dc[d|e'f"),
            ("é\u{2028}😀", "é\u{2028}😀"),
            ("1\r\n2", "1%0D%0A2"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn an_issue_names_its_place() {
        let problem = Problem::new("50% done\nnext").at(&Place::file(&"a;b.yml".into(), 3, 4));
        let expected =
            "##vso[task.logissue type=error;sourcepath=a%3Bb.yml;linenumber=3;columnnumber=4]50%AZP25 done%0Anext";
        assert_eq!(azure().annotate(Level::Error, &problem).unwrap(), expected);
        let problem = Problem::new("x").of("timeout").at(&Place::Flag("--timeout".to_owned()));
        let expected = "##vso[task.logissue type=warning]timeout: x (--timeout)";
        assert_eq!(azure().annotate(Level::Warning, &problem).unwrap(), expected);
    }

    #[test]
    fn a_summary_without_a_place_is_left_out() {
        assert_eq!(Board { page: None }.summary("x", None), []);
    }

    proptest! {
        #[test]
        fn the_agent_reads_back_what_was_written(message in "[ -~\n%;\\]é]{0,60}", path in "[a-z;%\\]]{1,20}", value in "[ -~\r\n%;\\]]{0,40}") {
            let problem = Problem::new(message.clone()).at(&Place::file(&path.as_str().into(), 3, 4));
            let line = azure().annotate(Level::Warning, &problem).unwrap();
            prop_assert!(!line.contains('\n'));
            let issue = oracles::azure(&line).unwrap();
            prop_assert_eq!(issue.name, "task.logissue");
            prop_assert_eq!(&issue.properties["sourcepath"], &path);
            prop_assert_eq!(issue.data, sanitise::inert(&message));
            let delivered = Board { page: None }.outputs(&[("function-arn", value.clone())]);
            let [Delivery::Command(line)] = &delivered[..] else { panic!("{delivered:?}") };
            let set = oracles::azure(line).unwrap();
            prop_assert_eq!((set.name.as_str(), set.properties["variable"].as_str()), ("task.setvariable", "DPL_LAMBDA_FUNCTION_ARN"));
            prop_assert_eq!(set.data, value);
        }
    }
}
