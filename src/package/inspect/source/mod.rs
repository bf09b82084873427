//! Reads source files as text: the names that a module certainly lets others use, and the packages that it imports.
//!
//! Nothing is run. Whatever cannot be read for certain stays unknown.

mod javascript;
mod python;

use std::collections::BTreeSet;

use super::path::extension;

/// A source file, as far as its text tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Source {
    /// All names that the module may define or export; absent if it may have others.
    pub(super) names: Option<BTreeSet<String>>,
    /// The functions among them that a handler may mean, in their order.
    pub(super) functions: Vec<String>,
    /// The texts after `import` and in `require`; empty for Python.
    pub(super) imports: BTreeSet<String>,
    /// Whether a bundler seems to have written it, so that it contains its dependencies.
    pub(super) bundled: bool,
}

/// Whether files of this name are read.
pub(super) fn is_source(name: &str) -> bool {
    matches!(extension(name), "py" | "js" | "mjs" | "cjs")
}

/// Reads a source file.
pub(super) fn read(name: &str, text: &str) -> Source {
    if extension(name) == "py" { python::read(text) } else { javascript::read(text) }
}
