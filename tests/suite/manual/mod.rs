//! The manual is true: its tables are those of the source, its files are read, its sessions are run, its links lead
//! somewhere. The manual is README.md and the pages of `docs/`.
//!
//! `UPDATE=1 cargo test --test suite manual` rewrites what is made: tables, contents, sessions and the picture.

mod examples;
mod marks;
mod pages;
mod picture;
mod sessions;
mod tables;

pub use marks::{Mark, blocks};

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// A page of the manual.
pub struct Page {
    pub path: PathBuf,
    pub text: String,
}

impl Page {
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }
}

/// README.md and every page under `docs/`, by name.
pub fn manual() -> Vec<Page> {
    let mut paths = vec![PathBuf::from("README.md")];
    below(Path::new("docs"), &mut paths);
    paths.sort();
    paths.into_iter().map(Page::at).collect()
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// Compares a part of a file with what it should be; rewrites it where `UPDATE` is set.
#[track_caller]
pub fn must_be(path: &Path, shown: &str, wanted: &str) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    if shown == wanted {
        return;
    }
    if std::env::var_os("UPDATE").is_none() {
        let help = "is out of date; `UPDATE=1 cargo test --test suite manual` rewrites it";
        panic!("{} {help}\n--- is\n{shown}\n--- should be\n{wanted}", path.display());
    }
    let _guard = ONE_AT_A_TIME.lock().unwrap();
    let text = fs::read_to_string(path).unwrap_or_default();
    let text = if shown.is_empty() { wanted.to_owned() } else { text.replacen(shown, wanted, 1) };
    fs::write(path, text).unwrap();
}
