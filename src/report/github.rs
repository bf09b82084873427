//! GitHub Actions, and Gitea and Forgejo which read the same commands.
//!
//! Grammar and limits are those of the runner's source (`ActionCommand.cs`, `FileCommandManager.cs`).

use std::{
    fs::OpenOptions,
    hash::{BuildHasher, RandomState},
    io::{Read, Seek, SeekFrom, Write},
};

use super::{Console, Dialect, Level, Stream, event::Stage, sanitise};
use crate::host::Host;
use crate::place::Problem;

/// The runner keeps this many annotations of a level and step; the last one says how many more there are.
const MOST_ANNOTATIONS: usize = 10;

/// The largest summary that is shown, in bytes.
const MOST_SUMMARY: usize = 1 << 20;

pub(super) struct GitHub {
    output_file: Option<String>,
    summary_file: Option<String>,
    directory_in_workspace: String,
    annotated: [usize; 2],
    /// Whether a runner hides what it is told to mask, instead of printing it.
    reads_commands: bool,
}

impl GitHub {
    pub(super) fn new(host: &Host) -> Self {
        let workspace = host.variable("GITHUB_WORKSPACE").unwrap_or_default();
        let inside = host.directory.strip_prefix(workspace).ok().filter(|_| !workspace.is_empty());
        Self {
            output_file: host.variable("GITHUB_OUTPUT").map(str::to_owned),
            summary_file: host.variable("GITHUB_STEP_SUMMARY").map(str::to_owned),
            directory_in_workspace: inside.map(|path| path.to_string_lossy().replace('\\', "/")).unwrap_or_default(),
            annotated: [0, 0],
            reads_commands: host.flag("GITHUB_ACTIONS"),
        }
    }

    /// The path from the root of the checkout, where annotations are looked up.
    fn file(&self, path: &str) -> String {
        if path.starts_with('/') {
            return path.to_owned();
        }
        let mut parts: Vec<_> = self.directory_in_workspace.split('/').filter(|part| !part.is_empty()).collect();
        for part in path.split('/') {
            match part {
                "." | "" => {}
                ".." if !parts.is_empty() => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        parts.join("/")
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
        // The plan is what people look for, so nothing before it is folded away but what is really long.
        matches!(stage, Stage::Prepare | Stage::Deploy).then(|| format!("::group::{}", data(stage.title())))
    }

    fn close(&mut self) -> Option<String> {
        Some("::endgroup::".to_owned())
    }

    fn annotate(&mut self, level: Level, problem: &Problem) -> Option<String> {
        let (word, kind) = match level {
            Level::Error => ("error", "error"),
            Level::Warning => ("warning", "warning"),
        };
        let annotated = &mut self.annotated[usize::from(level == Level::Warning)];
        *annotated += 1;
        let mut text = sanitise::inert(&problem.message);
        if let Some(place) = problem.place.as_ref().filter(|place| place.in_file().is_none()) {
            text = format!("{text} ({})", sanitise::one_line(&place.to_string()));
        }
        if let Some(help) = &problem.help {
            text = format!("{text}\nhelp: {}", sanitise::inert(help));
        }
        // What is over the limit still stands in the log.
        if *annotated > MOST_ANNOTATIONS {
            let option = problem.option.as_ref().map(|option| format!("{option}: ")).unwrap_or_default();
            return Some(sanitise::inert(&format!("{word}: {option}{text}")));
        }
        let title = match &problem.option {
            Some(option) => format!("dpl-lambda: {option}"),
            None => "dpl-lambda".to_owned(),
        };
        let mut properties = vec![format!("title={}", property(&sanitise::one_line(&title)))];
        if let Some(place) = problem.place.as_ref().and_then(crate::place::Place::in_file) {
            properties.push(format!("file={}", property(&self.file(&sanitise::one_line(&place.path)))));
            properties.push(format!("line={},col={}", place.line, place.column));
        }
        Some(format!("::{kind} {}::{}", properties.join(","), data(&text)))
    }

    fn mask(&self) -> Option<fn(&str) -> String> {
        self.reads_commands.then_some(|secret| format!("::add-mask::{}", data(secret)))
    }

    fn outputs(&mut self, outputs: &[(&'static str, String)], console: &Console) -> Result<(), String> {
        let Some(file) = &self.output_file else { return Ok(()) };
        let block = |(name, value): &(&str, String)| {
            let delimiter = format!("dpl-lambda_{}", random());
            format!("{name}<<{delimiter}\n{}\n{delimiter}\n", console.redact(value))
        };
        let text: String = outputs.iter().map(block).collect();
        append(file, &text).map_err(|error| format!("the outputs could not be written to GITHUB_OUTPUT: {error}"))
    }

    fn summary(&mut self, markdown: &str, console: &Console) -> Result<(), String> {
        let Some(file) = &self.summary_file else { return Ok(()) };
        let text = console.redact(markdown);
        if text.len() > MOST_SUMMARY {
            return Err("the summary is too long for GitHub, so it is left out".to_owned());
        }
        append(file, &text).map_err(|error| format!("the summary could not be written to GITHUB_STEP_SUMMARY: {error}"))
    }

    fn error_stream(&self) -> Stream {
        Stream::Output
    }
}

/// Appends to a file that others append to as well; someone may have left its last line open.
fn append(path: &str, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.is_file() && file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let break_line = if last == [b'\n'] { "" } else { "\n" };
    file.write_all(format!("{break_line}{text}").as_bytes())
}

/// 128 bits that nobody can foresee, so that no value can end its own block.
fn random() -> String {
    let half = |salt: u8| RandomState::new().hash_one(salt);
    format!("{:016x}{:016x}", half(0), half(1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::place::Place;

    /// The runner's reader of one line, after `ActionCommand.TryParseV2`.
    fn parse(line: &str) -> Option<(String, BTreeMap<String, String>, String)> {
        let rest = line.trim_start().strip_prefix("::")?;
        let (head, text) = rest.split_once("::")?;
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let unescape = |text: &str, pairs: &[(&str, &str)]| {
            pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
        };
        let in_property = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
        let in_data = [("%0D", "\r"), ("%0A", "\n"), ("%25", "%")];
        let pairs = properties.trim().split(',').filter_map(|pair| pair.split_once('='));
        let properties = pairs.map(|(key, value)| (key.to_owned(), unescape(value, &in_property))).collect();
        Some((name.to_owned(), properties, unescape(text, &in_data)))
    }

    fn host(directory: &str, workspace: &str) -> Host {
        let mut host = Host::of_process();
        host.variables = [("GITHUB_WORKSPACE".to_owned(), workspace.to_owned())].into();
        host.directory = directory.into();
        host
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
        let mut github = GitHub::new(&host("/github/workspace/api", "/github/workspace"));
        let place = Place::file(&"dpl.yml".into(), 7, 12);
        let problem = Problem::new("must be between 128 and 10240 MB, got 64").of("memory_size").at(&place);
        assert_eq!(
            github.annotate(Level::Error, &problem).unwrap(),
            "::error title=dpl-lambda%3A memory_size,file=api/dpl.yml,line=7,col=12::must be between 128 and 10240 MB, got 64"
        );
    }

    #[test]
    fn annotations_over_the_limit_become_text() {
        let mut github = GitHub::new(&host("/", ""));
        let all: Vec<_> = (0..12).filter_map(|_| github.annotate(Level::Error, &Problem::new("x"))).collect();
        assert_eq!(all.iter().filter(|line| parse(line).is_some()).count(), 10);
        assert_eq!(all[11], "error: x");
    }

    #[test]
    fn a_value_cannot_end_its_own_block() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("output");
        std::fs::write(&path, "before=1").unwrap();
        let mut github = GitHub::new(&host("/", ""));
        github.output_file = Some(path.to_string_lossy().into_owned());
        github.outputs(&[("plan", "a\nEOF\nb=c".to_owned())], &Console::default()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let delimiter = lines[1].strip_prefix("plan<<").unwrap();
        assert_eq!(lines[0], "before=1");
        assert_eq!(lines[2..], ["a", "EOF", "b=c", delimiter]);
        assert!(delimiter.len() > 32);
    }

    proptest! {
        #[test]
        fn what_is_annotated_is_what_the_runner_reads(message in "[ -~\n%:,é]{0,60}", path in "[a-z:,%]{1,20}") {
            let mut github = GitHub::new(&host("/", ""));
            let problem = Problem::new(message.clone()).at(&Place::file(&path.as_str().into(), 3, 4));
            let (name, properties, text) = parse(&github.annotate(Level::Warning, &problem).unwrap()).unwrap();
            prop_assert_eq!(name, "warning");
            prop_assert_eq!(&properties["file"], &path);
            prop_assert_eq!(&properties["line"], "3");
            prop_assert_eq!(text, sanitise::inert(&message));
        }
    }
}
