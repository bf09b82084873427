//! The globs of the option `include`.

use globset::GlobSet;

use super::super::Error;
use super::super::glob::{self, Stars};
use crate::deployment::Hidden;

/// The globs of the files to package.
pub(super) struct Include {
    pub(super) globs: Vec<Glob>,
}

/// A glob, and one for each of its parts between slashes.
pub(super) struct Glob {
    whole: GlobSet,
    parts: Vec<(String, GlobSet)>,
    hidden: Hidden,
}

impl Include {
    pub(super) fn new(globs: &[String], option: &'static str, hidden: Hidden) -> Result<Self, Error> {
        let compile = |glob: &String| {
            let pattern = match glob.trim_start_matches("./").trim_end_matches('/') {
                "" | "." => "**",
                pattern => pattern,
            };
            let matcher = |pattern: &str| {
                let wrong = |reason| Error::Glob { option, glob: glob.clone(), reason };
                glob::compile(pattern, Stars::InNames).map_err(wrong)
            };
            // A slash in braces or in a class does not separate parts. Such a glob is compared with whole names only.
            let whole = matcher(pattern)?;
            let parts = pattern.split('/').map(|part| Ok((part.to_owned(), matcher(part)?)));
            let parts: Result<Vec<_>, Error> = parts.collect();
            let parts = parts.unwrap_or_else(|_| vec![("**".to_owned(), whole.clone())]);
            Ok(Glob { whole, parts, hidden })
        };
        Ok(Self { globs: globs.iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// Whether a glob matches a file or a folder above it. Without globs, every file matches.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.globs.is_empty() || self.globs.iter().any(|glob| glob.takes(name))
    }

    /// Marks the globs that match a file.
    pub(super) fn note(&self, name: &str, matched: &mut [bool]) {
        for (glob, matched) in self.globs.iter().zip(matched) {
            *matched = *matched || glob.takes(name);
        }
    }

    /// Whether a file in a folder may match.
    pub(super) fn may_take_below(&self, folder: &str) -> bool {
        self.globs.is_empty() || self.globs.iter().any(|glob| glob.may_take_below(folder))
    }

    /// Whether a glob has the leading dot of this name at the root, and so asks for it.
    pub(super) fn spells_dot(&self, name: &str) -> bool {
        self.globs.iter().any(|glob| glob.spells_dot(name))
    }
}

impl Glob {
    /// Whether it matches a file or a folder above it. A hidden name at the root needs a glob with a dot.
    fn takes(&self, name: &str) -> bool {
        let mut ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
        ends.any(|end| self.whole.is_match(&name[..end])) && self.reaches(name)
    }

    fn may_take_below(&self, folder: &str) -> bool {
        let mut parts = self.parts.iter();
        for name in folder.split('/') {
            match parts.next() {
                // It matched a folder above, or it matches at any depth.
                None => return self.reaches(folder),
                Some((part, _)) if part.contains("**") => return self.reaches(folder),
                Some((_, part)) if part.is_match(name) => {}
                Some(_) => return false,
            }
        }
        self.reaches(folder)
    }

    /// Whether it may match below the first folder of a name. A hidden folder needs a glob with a dot.
    fn reaches(&self, name: &str) -> bool {
        let first = name.split('/').next().unwrap_or_default();
        !first.starts_with('.') || self.hidden == Hidden::Take || self.spells_dot(first)
    }

    fn spells_dot(&self, root_name: &str) -> bool {
        self.parts.first().is_some_and(|(first, matcher)| first.starts_with('.') && matcher.is_match(root_name))
    }
}
