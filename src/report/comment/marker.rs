//! The marker: the hidden first line of a comment. It shows which functions of which file the comment is for.

use std::collections::BTreeSet;
use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::markup::Markup;

/// The beginning of the hidden text.
const BEGIN: &str = "dpl-lambda plan ";

/// The bytes of a hash: enough to tell the functions of one pull request apart.
const BYTES: usize = 6;

/// What a comment is for, as hashes: names could end the line, and secrets could be part of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    file: String,
    subjects: BTreeSet<String>,
}

impl Marker {
    /// The marker of a comment for a file that has no functions yet.
    pub(super) fn of(file: &str) -> Self {
        Self { file: hash(file), subjects: BTreeSet::new() }
    }

    /// Adds a function or layer, by the parts of its name.
    pub(super) fn add(&mut self, parts: &[&str]) {
        self.subjects.insert(hash(&parts.join("\n")));
    }

    /// The marker of a comment; `None` if it has none.
    pub(super) fn read(comment: &str) -> Option<Self> {
        let line = Markup::of_hidden(comment.lines().next()?.trim_end())?.strip_prefix(BEGIN)?;
        let (file, subjects) = line.split_once(':')?;
        Some(Self { file: file.to_owned(), subjects: subjects.split_whitespace().map(str::to_owned).collect() })
    }

    /// Whether both are for the same job: the same file, and at least one function in common. So a comment is renewed
    /// when the file gets another function, and the jobs of other functions or accounts have comments of their own.
    pub(super) fn is_of_same_job(&self, other: &Self) -> bool {
        self.file == other.file && !self.subjects.is_disjoint(&other.subjects)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{BEGIN}{}:", self.file)?;
        self.subjects.iter().try_for_each(|subject| write!(out, " {subject}"))
    }
}

fn hash(text: &str) -> String {
    STANDARD.encode(&Sha256::digest(text)[..BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(file: &str, functions: &[&str]) -> Marker {
        let mut marker = Marker::of(file);
        for function in functions {
            marker.add(&[function, "eu-west-1"]);
        }
        marker
    }

    #[test]
    fn a_marker_is_read_as_it_was_written() {
        let marker = marker("a --> b.yml", &["f", "g"]);
        for markup in [Markup::Html, Markup::Plain] {
            let line = markup.hidden(&marker.to_string());
            assert_eq!(Marker::read(&format!("{line}\r\n### Plan")), Some(marker.clone()), "{line}");
        }
        for other in
            ["", "### Plan", "<!-- dpl-lambda plan -->", "x <!-- dpl-lambda plan 0: 1 -->", "dpl-lambda plan 0: 1"]
        {
            assert_eq!(Marker::read(other), None, "{other}");
        }
    }

    #[test]
    fn a_job_keeps_its_comment_when_its_functions_change() {
        let known = marker("dpl.yml", &["f", "g"]);
        assert!(known.is_of_same_job(&marker("dpl.yml", &["g", "h"])));
        assert!(!known.is_of_same_job(&marker("dpl.yml", &["h"])));
        assert!(!known.is_of_same_job(&marker("other.yml", &["f", "g"])));
    }
}
