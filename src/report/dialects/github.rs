//! GitHub Actions, and Gitea and Forgejo, which read the same commands.
//!
//! Grammar and limits follow the runner's source (`ActionCommand.cs`, `FileCommandManager.cs`).

use std::path::Path;
use std::time::Duration;

use crate::event::Stage;
use crate::host::Host;
use crate::place::Problem;
use crate::report::checkout::{Checkout, Spot};
use crate::report::delivery::{Delivery, Written};
use crate::report::dialect::{self, Level, Mask, Output};
use crate::report::sanitise;

/// The runner keeps this many annotations of a level and step (`_maxCountPerIssueType`).
const MOST_ANNOTATIONS: usize = 10;

/// The runner cuts a message after this many UTF-16 units.
const MOST_MESSAGE: usize = 4096;

/// The largest summary that GitHub shows, in bytes.
const MOST_SUMMARY: usize = 1 << 20;

pub(super) struct Voice {
    pub checkout: Checkout,
}

pub(super) struct Board {
    output_file: Option<String>,
    summary_file: Option<String>,
    /// An unpredictable part of each delimiter, so that no value can contain its delimiter.
    nonce: String,
}

impl Board {
    pub(super) fn new(host: &Host, nonce: &str) -> Self {
        Self {
            output_file: host.variable("GITHUB_OUTPUT").map(str::to_owned),
            summary_file: host.variable("GITHUB_STEP_SUMMARY").map(str::to_owned),
            nonce: nonce.to_owned(),
        }
    }

    /// The lines for the file of outputs.
    fn blocks(&self, outputs: &[Output]) -> String {
        let nonce = &self.nonce;
        let block = |(name, value): &Output| format!("{name}<<dpl-lambda_{nonce}\n{value}\ndpl-lambda_{nonce}\n");
        outputs.iter().map(block).collect()
    }
}

/// The mask command. Only for runners that do not print the command itself.
pub(super) fn mask(host: &Host) -> Option<Mask> {
    host.flag("GITHUB_ACTIONS").then_some(|secret| Delivery::Command(format!("::add-mask::{}", data(secret))))
}

/// Escapes the text of a command.
pub(in crate::report) fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a command's property.
pub(in crate::report) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

impl dialect::Voice for Voice {
    fn open(&mut self, stage: Stage, _: Duration) -> Option<String> {
        stage.is_long().then(|| format!("::group::{}", data(stage.title())))
    }

    fn close(&mut self, _: Duration) -> Option<String> {
        Some("::endgroup::".to_owned())
    }

    fn most_annotations(&self) -> usize {
        MOST_ANNOTATIONS
    }

    fn annotate(&mut self, level: Level, problem: &Problem) -> Option<String> {
        let title = match &problem.option {
            Some(option) => format!("dpl-lambda: {option}"),
            None => "dpl-lambda".to_owned(),
        };
        let mut properties = vec![format!("title={}", property(&sanitise::one_line(&title)))];
        if let Some(Spot { file, at }) = self.checkout.spot(problem) {
            properties.push(format!("file={}", property(&file)));
            properties.extend(at.map(|(line, column)| format!("line={line},col={column}")));
        }
        let text = sanitise::cut(&dialect::annotation_text(problem), MOST_MESSAGE);
        Some(format!("::{} {}::{}", level.word(), properties.join(","), data(&text)))
    }
}

impl dialect::Board for Board {
    fn outputs(&self, outputs: &[Output]) -> Vec<Delivery> {
        let Some(file) = &self.output_file else { return Vec::new() };
        let failed = "the outputs could not be written to GITHUB_OUTPUT".to_owned();
        vec![Delivery::Append(Written { file: file.as_str().into(), text: self.blocks(outputs), failed })]
    }

    fn summary(&self, markdown: &str, _: Option<&Path>) -> Vec<Delivery> {
        let Some(file) = &self.summary_file else { return Vec::new() };
        if markdown.len() > MOST_SUMMARY {
            return vec![Delivery::Warn("the summary is too long for GitHub, so it is not shown".to_owned())];
        }
        let failed = "the summary could not be written to GITHUB_STEP_SUMMARY".to_owned();
        vec![Delivery::Append(Written { file: file.as_str().into(), text: markdown.to_owned(), failed })]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::dialect::Voice as _;
    use super::*;
    use crate::host::Ci;
    use crate::place::Place;
    use crate::report::oracles;

    fn github(directory: &str, workspace: &str) -> Voice {
        let variables = [("GITHUB_WORKSPACE".to_owned(), workspace.to_owned())].into();
        let host = Host { variables, directory: directory.into(), ..Host::default() };
        Voice { checkout: Checkout::of(Ci::GitHub, &host) }
    }

    fn blocks(outputs: &[Output]) -> String {
        Board::new(&Host::default(), "0123456789abcdef").blocks(outputs)
    }

    #[test]
    fn escaping_follows_the_runner() {
        for (text, as_data, as_property) in [
            ("a%b", "a%25b", "a%25b"),
            ("100%\nok", "100%25%0Aok", "100%25%0Aok"),
            ("x: y, z", "x: y, z", "x%3A y%2C z"),
            ("%0A", "%250A", "%250A"),
            ("%250A", "%25250A", "%25250A"),
            ("1\r\n2", "1%0D%0A2", "1%0D%0A2"),
        ] {
            assert_eq!((data(text).as_str(), property(text).as_str()), (as_data, as_property));
        }
    }

    #[test]
    fn a_problem_is_annotated_on_its_line_of_the_checkout() {
        let mut github = github("/github/workspace/api", "/github/workspace");
        let place = Place::file(&"dpl.yml".into(), 7, 12);
        let problem = Problem::new("must be between 128 and 10240 MB, got 64").of("memory_size").at(&place);
        assert_eq!(
            github.annotate(Level::Error, &problem).unwrap(),
            "::error title=dpl-lambda%3A memory_size,file=api/dpl.yml,line=7,col=12::must be between 128 and 10240 MB, got 64"
        );
    }

    #[test]
    fn a_problem_of_a_file_is_annotated_there_and_names_its_option() {
        let problem = Problem::new("x").of("zip").at(&Place::file(&"dpl.yml".into(), 7, 3));
        let problem = Problem { file: Some("dist/.env".to_owned()), ..problem };
        let line = github("/", "").annotate(Level::Warning, &problem).unwrap();
        assert_eq!(line, "::warning title=dpl-lambda%3A zip,file=dist/.env::x (dpl.yml:7:3)");
    }

    #[test]
    fn a_message_is_no_longer_than_the_runner_takes() {
        let line = github("/", "").annotate(Level::Error, &Problem::new("é".repeat(5000))).unwrap();
        assert_eq!(oracles::github(&line).unwrap().data.encode_utf16().count(), MOST_MESSAGE);
    }

    #[test]
    fn a_value_cannot_end_its_own_block() {
        let (found, fails) = oracles::github_outputs(&blocks(&[("plan", "a\nEOF\nb=c".to_owned())]));
        assert!(!fails && found["plan"] == "a\nEOF\nb=c" && found.len() == 1, "{found:?}");
    }

    proptest! {
        #[test]
        fn the_runner_reads_back_what_was_annotated(message in "[ -~\n%:,é]{0,60}", path in "[a-z:,%]{1,20}") {
            let mut github = github("/", "");
            let problem = Problem::new(message.clone()).at(&Place::file(&path.as_str().into(), 3, 4));
            let read = oracles::github(&github.annotate(Level::Warning, &problem).unwrap()).unwrap();
            prop_assert_eq!(read.name, "warning");
            prop_assert_eq!(&read.properties["file"], &path);
            prop_assert_eq!(&read.properties["line"], "3");
            prop_assert_eq!(read.data, sanitise::inert(&message));
        }

        #[test]
        fn outputs_are_read_as_they_were_meant(values in proptest::collection::vec("[ -~\r\n=<é]{0,40}", 1..4)) {
            let names = ["plan", "version", "changed"];
            let outputs: Vec<_> = names.into_iter().zip(values.clone()).collect();
            let (found, fails) = oracles::github_outputs(&blocks(&outputs));
            prop_assert!(!fails);
            prop_assert!(outputs.iter().all(|(name, value)| found[*name] == *value), "{:?}", found);
        }
    }
}
