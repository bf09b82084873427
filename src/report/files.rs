//! The files for results that a user names, in any CI: outputs, summary, and GitLab's two reports.

use std::path::{Path, PathBuf};

use base64::Engine;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::checkout::{Checkout, Spot};
use super::console::Console;
use super::delivery::{Delivery, Written};
use super::dialect::{Level, Output};
use super::{sanitise, variables};
use crate::files::Destination;
use crate::place::Problem;

/// The paths of the files; absent: the file is not written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Files {
    /// The outputs: JSON if the name ends in `.json`, else lines of `KEY=value`.
    pub output: Option<Destination>,
    /// The summary, in Markdown.
    pub summary: Option<Destination>,
    /// Links for GitLab's `artifacts:reports:annotations`.
    pub gitlab_annotations: Option<Destination>,
    /// Problems for GitLab's `artifacts:reports:codequality`.
    pub gitlab_codequality: Option<Destination>,
}

/// The content of the files so far.
pub(super) struct Gathered {
    files: Files,
    directory: PathBuf,
    checkout: Checkout,
    links: Vec<Value>,
    problems: Vec<Value>,
}

impl Gathered {
    pub(super) fn new(files: Files, directory: &Path, checkout: Checkout) -> Self {
        Self { files, directory: directory.to_owned(), checkout, links: Vec::new(), problems: Vec::new() }
    }

    /// The path of the summary.
    pub(super) fn summary_file(&self) -> Option<PathBuf> {
        self.files.summary.as_ref().map(|file| self.directory.join(&file.path))
    }

    /// Adds a link (<https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsannotations>).
    pub(super) fn link(&mut self, label: &str, url: &str) {
        self.links.push(json!({"external_link": {"label": label, "url": url}}));
    }

    /// Adds a problem that has a file (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).
    pub(super) fn note(&mut self, level: Level, problem: &Problem) {
        let Some(Spot { file, at }) = self.checkout.spot(problem) else { return };
        let check = problem.option.as_deref().unwrap_or("configuration");
        let description = match &problem.option {
            Some(option) => format!("{option}: {}", problem.text()),
            None => problem.text(),
        };
        let description = sanitise::one_line(&description);
        let severity = if level == Level::Error { "major" } else { "minor" };
        let line = at.map_or(1, |(line, _)| line);
        // GitLab merges entries with the same fingerprint.
        let whole = format!("{check}\n{file}\n{line}\n{description}\n{}", self.problems.len());
        let fingerprint = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(whole));
        self.problems.push(json!({
            "description": description,
            "check_name": check,
            "fingerprint": fingerprint,
            "severity": severity,
            "location": {"path": file, "lines": {"begin": line}},
        }));
    }

    /// The file of the outputs.
    pub(super) fn outputs(&self, outputs: &[Output]) -> Vec<Delivery> {
        let Some(file) = &self.files.output else { return Vec::new() };
        let is_json = file.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let (text, left_out) = if is_json { (object(outputs), Vec::new()) } else { variables::dotenv(outputs) };
        let complaint = variables::complaint(&left_out, "`output_file`");
        vec![Delivery::InOrder(std::iter::once(self.written("output_file", file, text)).chain(complaint).collect())]
    }

    /// The file of the summary.
    pub(super) fn summary(&self, markdown: &str) -> Option<Delivery> {
        self.files.summary.as_ref().map(|file| self.written("summary_file", file, markdown.to_owned()))
    }

    /// The files of links and problems, without secrets.
    pub(super) fn reports(&self, console: &Console) -> Vec<Delivery> {
        let Files { output: _, summary: _, gitlab_annotations, gitlab_codequality } = &self.files;
        let lists = || if self.links.is_empty() { json!({}) } else { json!({"Lambda": self.links}) };
        let links = gitlab_annotations
            .as_ref()
            .map(|file| self.written("gitlab_annotations_file", file, console.json(lists())));
        let problems = gitlab_codequality.as_ref().map(|file| {
            self.written("gitlab_codequality_file", file, console.json(Value::Array(self.problems.clone())))
        });
        links.into_iter().chain(problems).collect()
    }

    fn written(&self, option: &str, file: &Destination, text: String) -> Delivery {
        let shown = file.path.strip_prefix(&self.directory).unwrap_or(&file.path).display();
        let failed = format!("`{shown}`, the `{option}`, could not be written");
        Delivery::Replace(Written { file: file.under(&self.directory), text, failed })
    }
}

/// The outputs as one JSON object. Numbers, booleans and lists have their JSON type.
fn object(outputs: &[Output]) -> String {
    let value = |(name, text): &Output| {
        let typed = matches!(*name, "changed" | "package-size") || variables::is_json(name);
        let value = if typed { serde_json::from_str(text).ok() } else { None };
        ((*name).to_owned(), value.unwrap_or_else(|| Value::String(text.clone())))
    };
    let object: Map<_, _> = outputs.iter().map(value).collect();
    sanitise::json(&format!("{:#}\n", Value::Object(object)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Ci, Host};
    use crate::place::Place;

    fn gathered(files: Files, directory: &Path) -> Gathered {
        Gathered::new(files, directory, Checkout::of(Ci::None, &Host::default()))
    }

    fn anywhere(path: &str) -> Destination {
        PathBuf::from(path).into()
    }

    #[test]
    fn outputs_are_json_where_the_name_says_so() {
        let outputs = [("version", "7".to_owned()), ("changed", "true".to_owned()), ("plan", "[]".to_owned())];
        let object: Value = serde_json::from_str(&object(&outputs)).unwrap();
        assert_eq!(object, json!({"version": "7", "changed": true, "plan": []}));
        for (name, begins) in [("new/a.JSON", "{"), ("a.env", "DPL_LAMBDA_VERSION=7\n")] {
            let files = Files { output: Some(anywhere(name)), ..Files::default() };
            let delivered = gathered(files, Path::new("/checkout")).outputs(&outputs);
            let [Delivery::InOrder(in_order)] = &delivered[..] else { panic!("{delivered:?}") };
            let [Delivery::Replace(written)] = &in_order[..] else { panic!("{delivered:?}") };
            let at = Path::new("/checkout").join(name);
            assert!(written.file.path == at && written.text.starts_with(begins), "{written:?}");
            assert_eq!(written.failed, format!("`{name}`, the `output_file`, could not be written"));
        }
    }

    #[test]
    fn entries_of_the_code_quality_report_have_what_gitlab_needs() {
        let mut gathered = gathered(Files::default(), Path::new("/"));
        let place = Place::file(&"./dpl.yml".into(), 7, 12);
        for _ in 0..2 {
            gathered.note(Level::Error, &Problem::new("must be \"x\"").of("memory_size").at(&place));
        }
        gathered.note(Level::Warning, &Problem::new("no place"));
        let [first, second] = &gathered.problems[..] else { panic!("{:?}", gathered.problems) };
        assert_eq!(first["location"], json!({"path": "dpl.yml", "lines": {"begin": 7}}));
        assert_eq!((first["severity"].as_str(), first["check_name"].as_str()), (Some("major"), Some("memory_size")));
        assert_ne!(first["fingerprint"], second["fingerprint"]);
    }
}
