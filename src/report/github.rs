//! GitHub Actions, and Gitea and Forgejo which read the same commands.
//!
//! Grammar and limits are those of the runner's source (`ActionCommand.cs`, `FileCommandManager.cs`).

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use super::checkout::{Checkout, Spot};
use super::dialect::{self, Dialect, Handed, Level, Mask, Output};
use super::{event::Stage, sanitise, variables};
use crate::host::Host;
use crate::place::Problem;

/// The runner keeps this many annotations of a level and step (`_maxCountPerIssueType`).
const MOST_ANNOTATIONS: usize = 10;

/// The runner cuts a message after as many UTF-16 units.
const MOST_MESSAGE: usize = 4096;

/// The largest summary that is shown, in bytes.
const MOST_SUMMARY: usize = 1 << 20;

pub(super) struct GitHub {
    output_file: Option<String>,
    summary_file: Option<String>,
    checkout: Checkout,
    /// Whether a runner hides what it is told to mask, instead of printing it.
    reads_commands: bool,
}

impl GitHub {
    pub(super) fn new(host: &Host, checkout: Checkout) -> Self {
        Self {
            output_file: host.variable("GITHUB_OUTPUT").map(str::to_owned),
            summary_file: host.variable("GITHUB_STEP_SUMMARY").map(str::to_owned),
            checkout,
            reads_commands: host.flag("GITHUB_ACTIONS"),
        }
    }
}

/// Escapes the text of a command.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a command's property.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

impl Dialect for GitHub {
    fn open(&mut self, stage: Stage) -> Option<String> {
        stage.is_long().then(|| format!("::group::{}", data(stage.title())))
    }

    fn close(&mut self) -> Option<String> {
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
        let text = sanitise::cut(&dialect::told(problem), MOST_MESSAGE);
        Some(format!("::{} {}::{}", level.word(), properties.join(","), data(&text)))
    }

    fn mask(&self) -> Option<Mask> {
        self.reads_commands.then(|| -> Mask { Arc::new(|secret| Some(format!("::add-mask::{}", data(secret)))) })
    }

    fn outputs(&mut self, outputs: &[Output]) -> Handed {
        let Some(file) = &self.output_file else { return Ok(None) };
        let block = |(name, value): &Output| {
            let delimiter = format!("dpl-lambda_{}", random());
            format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
        };
        let text: String = outputs.iter().map(block).collect();
        let written = variables::append(file, &text);
        written.map(|()| None).map_err(|error| format!("the outputs could not be written to GITHUB_OUTPUT: {error}"))
    }

    fn summary(&mut self, markdown: &str, _: Option<&Path>) -> Handed {
        let Some(file) = &self.summary_file else { return Ok(None) };
        if markdown.len() > MOST_SUMMARY {
            return Err("the summary is too long for GitHub, so it is left out".to_owned());
        }
        let written = variables::append(file, markdown);
        let failed = |error| format!("the summary could not be written to GITHUB_STEP_SUMMARY: {error}");
        written.map(|()| None).map_err(failed)
    }
}

/// 128 bits that nobody can foresee, so that no value can end its own block.
fn random() -> String {
    let half = |salt: u8| RandomState::new().hash_one(salt);
    format!("{:016x}{:016x}", half(0), half(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::host::Ci;
    use crate::place::Place;
    use crate::report::oracles;

    fn github(directory: &str, workspace: &str) -> GitHub {
        let mut host = Host::of_process();
        host.variables = [("GITHUB_WORKSPACE".to_owned(), workspace.to_owned())].into();
        host.directory = directory.into();
        GitHub::new(&host, Checkout::of(Ci::GitHub, &host))
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
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("output");
        std::fs::write(&path, "before=1").unwrap();
        let mut github = github("/", "");
        github.output_file = Some(path.to_string_lossy().into_owned());
        github.outputs(&[("plan", "a\nEOF\nb=c".to_owned())]).unwrap();
        let (found, fails) = oracles::github_outputs(&std::fs::read_to_string(&path).unwrap());
        assert!(!fails && found["before"] == "1" && found["plan"] == "a\nEOF\nb=c" && found.len() == 2, "{found:?}");
    }

    proptest! {
        #[test]
        fn what_is_annotated_is_what_the_runner_reads(message in "[ -~\n%:,é]{0,60}", path in "[a-z:,%]{1,20}") {
            let mut github = github("/", "");
            let problem = Problem::new(message.clone()).at(&Place::file(&path.as_str().into(), 3, 4));
            let read = oracles::github(&github.annotate(Level::Warning, &problem).unwrap()).unwrap();
            prop_assert_eq!(read.name, "warning");
            prop_assert_eq!(&read.properties["file"], &path);
            prop_assert_eq!(&read.properties["line"], "3");
            prop_assert_eq!(read.data, sanitise::inert(&message));
        }

        #[test]
        fn outputs_are_read_as_they_were_meant(values in proptest::collection::vec("[ -~\r\n=<é]{0,40}", 1..4), before in "(a=1\n?)?") {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &before).unwrap();
            let mut github = github("/", "");
            github.output_file = Some(file.path().to_string_lossy().into_owned());
            let names = ["plan", "version", "changed"];
            let outputs: Vec<_> = names.into_iter().zip(values.clone()).collect();
            github.outputs(&outputs).unwrap();
            let (found, fails) = oracles::github_outputs(&std::fs::read_to_string(file.path()).unwrap());
            prop_assert!(!fails);
            prop_assert_eq!(found.contains_key("a"), !before.is_empty());
            prop_assert!(outputs.iter().all(|(name, value)| found[*name] == *value), "{:?}", found);
        }
    }
}
