//! Azure Pipelines.
//!
//! Grammar and escaping are those of the agent's source (`Command.cs`, `CommandStringConvertor.cs`): a command is found
//! anywhere in a line, and values and text are escaped alike.
//!
//! Nothing is masked with `task.setsecret`: standard output must hold no secret, and on standard error a step with
//! `failOnStderr` would fail. What is printed here holds no secret anyway, and the agent masks its own.

use std::path::{Path, PathBuf};

use super::checkout::{Checkout, Spot};
use super::dialect::{self, Dialect, Handed, Level, Output};
use super::{event::Stage, sanitise, variables};
use crate::host::Host;
use crate::place::Problem;

/// The agent records this many issues of a level and step.
const MOST_ISSUES: usize = 10;

/// The longest text of an issue; the page of the run shows no more.
const MOST_MESSAGE: usize = 4096;

pub(super) struct Azure {
    checkout: Checkout,
    /// Where the summary goes when no file is named for it: the agent reads it from its own disk.
    temporary: Option<PathBuf>,
}

impl Azure {
    pub(super) fn new(host: &Host, checkout: Checkout) -> Self {
        Self { checkout, temporary: host.variable("AGENT_TEMPDIRECTORY").map(PathBuf::from) }
    }
}

/// Escapes a value or a text. `%` goes first, and not as `%25`.
pub(super) fn escaped(text: &str) -> String {
    text.replace('%', "%AZP25").replace(';', "%3B").replace('\r', "%0D").replace('\n', "%0A").replace(']', "%5D")
}

impl Dialect for Azure {
    fn open(&mut self, stage: Stage) -> Option<String> {
        stage.is_long().then(|| format!("##[group]{}", stage.title()))
    }

    fn close(&mut self) -> Option<String> {
        Some("##[endgroup]".to_owned())
    }

    fn most_annotations(&self) -> usize {
        MOST_ISSUES
    }

    fn annotate(&mut self, level: Level, problem: &Problem) -> Option<String> {
        // There are issues of two types only.
        if level == Level::Notice {
            return None;
        }
        let mut properties = vec![format!("type={}", level.word())];
        if let Some(Spot { file, at }) = self.checkout.spot(problem) {
            properties.push(format!("sourcepath={}", escaped(&file)));
            properties.extend(at.map(|(line, column)| format!("linenumber={line};columnnumber={column}")));
        }
        let mut text = dialect::told(problem);
        if let Some(option) = &problem.option {
            text = format!("{}: {text}", sanitise::one_line(option));
        }
        let text = escaped(&sanitise::cut(&text, MOST_MESSAGE));
        Some(format!("##vso[task.logissue {}]{text}", properties.join(";")))
    }

    fn outputs(&mut self, outputs: &[Output]) -> Handed {
        let set = |(name, value): &Output| {
            let name = variables::name(name);
            format!("##vso[task.setvariable variable={name};isoutput=true]{}", escaped(value))
        };
        Ok(Some(variables::fitting(outputs).map(set).collect::<Vec<_>>().join("\n")))
    }

    fn summary(&mut self, markdown: &str, file: Option<&Path>) -> Handed {
        let path = match (file, &self.temporary) {
            (Some(file), _) => file.to_owned(),
            (None, None) => return Ok(None),
            (None, Some(folder)) => {
                let path = folder.join(format!("dpl-lambda-{:x}.md", Host::now().as_nanos()));
                let written = std::fs::write(&path, markdown).map(|()| path);
                written.map_err(|error| format!("the summary could not be written to AGENT_TEMPDIRECTORY: {error}"))?
            }
        };
        Ok(Some(format!("##vso[task.uploadsummary]{}", escaped(&path.to_string_lossy()))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::host::Ci;
    use crate::place::Place;
    use crate::report::oracles;

    fn azure() -> Azure {
        let mut host = Host::of_process();
        host.variables = [("TF_BUILD".to_owned(), "True".to_owned())].into();
        Azure::new(&host, Checkout::of(Ci::Azure, &host))
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
        assert_eq!(azure().summary("x", None), Ok(None));
    }

    proptest! {
        #[test]
        fn the_agent_reads_what_was_meant(message in "[ -~\n%;\\]é]{0,60}", path in "[a-z;%\\]]{1,20}", value in "[ -~\r\n%;\\]]{0,40}") {
            let problem = Problem::new(message.clone()).at(&Place::file(&path.as_str().into(), 3, 4));
            let line = azure().annotate(Level::Warning, &problem).unwrap();
            prop_assert!(!line.contains('\n'));
            let issue = oracles::azure(&line).unwrap();
            prop_assert_eq!(issue.name, "task.logissue");
            prop_assert_eq!(&issue.properties["sourcepath"], &path);
            prop_assert_eq!(issue.data, sanitise::inert(&message));
            let line = azure().outputs(&[("function-arn", value.clone())]).unwrap().unwrap();
            let set = oracles::azure(&line).unwrap();
            prop_assert_eq!((set.name.as_str(), set.properties["variable"].as_str()), ("task.setvariable", "DPL_LAMBDA_FUNCTION_ARN"));
            prop_assert_eq!(set.data, value);
        }
    }
}
