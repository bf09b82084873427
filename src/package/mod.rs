//! From files to an archive whose bytes depend on nothing but the files.
//!
//! `select` decides which entries, in which order: a list, no bytes. `archive` turns the list into bytes.
//! Must not know Lambda's API.

mod archive;
mod select;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use base64::Engine;
use sha2::{Digest, Sha256};

pub use select::{Entry, Kind, Selection};

use crate::deployment::{Code, Rules};

/// A package, ready to be sent.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The archive.
    pub bytes: Vec<u8>,
    /// Base64 SHA-256 of the archive, as Lambda's `CodeSha256` has it.
    pub code_sha256: String,
    /// Its entries by name, with mode and size in bytes. Those of a ready archive are as they were found.
    pub entries: Vec<Listed>,
    /// How many names a rule that the user did not write left out.
    pub left_out: usize,
}

/// One line of an archive's listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The path in the archive, with `/` between its parts.
    pub name: String,
    /// The Unix mode, with the type bits.
    pub mode: u32,
    /// Bytes when unpacked.
    pub size: u64,
}

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it is")]
pub enum Error {
    #[error("`{0}` does not exist")]
    Missing(PathBuf),
    #[error("cannot read `{0}`")]
    Unreadable(PathBuf, #[source] io::Error),
    #[error("`{0}` is neither a file, a directory nor a link, so it cannot be packaged")]
    Special(PathBuf),
    #[error("the name `{0}` is not UTF-8, so it cannot stand in an archive")]
    Name(PathBuf),
    #[error(
        "the link `{link}` points to `{target}`, which is outside of the package; set `symlinks: follow` to package what it points to, or exclude the link"
    )]
    Escapes { link: PathBuf, target: PathBuf },
    #[error(
        "the link `{link}` points to `{target}`, which is not in the package; exclude the link, or package what it points to"
    )]
    Dangles { link: PathBuf, target: PathBuf },
    #[error("the link `{0}` leads back to a folder that contains it")]
    Cycle(PathBuf),
    #[error("`{glob}` is not a glob: {reason}")]
    Glob { option: &'static str, glob: String, reason: String },
    #[error("`include` has `{0}`, which matches no file")]
    Unmatched(String),
    #[error("there is nothing to package in `{0}`{hint}", hint = if *.1 == 0 { String::new() } else { format!(": all {} files are left out by default (hidden names need `dot_match`)", .1) })]
    Empty(PathBuf, usize),
    #[error("`{0}` is not a zip archive: {1}")]
    NotAnArchive(PathBuf, String),
    #[error("the archive could not be written")]
    Write(#[source] io::Error),
    #[error("`{0}` changed while it was being packaged; run again when nothing writes to it")]
    Changed(PathBuf),
}

impl Error {
    /// The option at fault.
    pub fn option(&self) -> &'static str {
        match self {
            Self::Unmatched(_) => "include",
            Self::Glob { option, .. } => option,
            Self::Escapes { .. } | Self::Dangles { .. } | Self::Cycle(_) => "symlinks",
            _ => "zip",
        }
    }
}

/// Builds the package of a directory or single file, or reads a ready archive.
///
/// Paths are relative to `directory`.
pub fn build(code: &Code, directory: &Path) -> Result<Artifact, Error> {
    let source = directory.join(&code.source);
    let metadata = match fs::metadata(&source) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::Missing(code.source.clone())),
        Err(error) => return Err(Error::Unreadable(code.source.clone(), error)),
    };
    if metadata.is_file() && is_archive(&source) {
        return ready(&code.source, &source);
    }
    let selection = select_from(&code.source, &source, &metadata, &code.rules)?;
    let bytes = archive::write(&selection.entries)?;
    let entries = selection.entries.iter().map(Entry::listed).collect();
    Ok(Artifact { code_sha256: code_sha256(&bytes), bytes, entries, left_out: selection.left_out })
}

fn select_from(shown: &Path, source: &Path, metadata: &fs::Metadata, rules: &Rules) -> Result<Selection, Error> {
    if metadata.is_dir() {
        select::directory(shown, source, rules)
    } else if metadata.is_file() {
        select::single(source)
    } else {
        Err(Error::Special(shown.to_owned()))
    }
}

/// A ready archive is told by its extension, in any case.
fn is_archive(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("zip") || extension.eq_ignore_ascii_case("jar"))
}

/// Reads a ready archive, which is sent as it is, and looks whether it is one.
fn ready(shown: &Path, source: &Path) -> Result<Artifact, Error> {
    let bytes = fs::read(source).map_err(|error| Error::Unreadable(shown.to_owned(), error))?;
    let entries = archive::list(&bytes).map_err(|reason| Error::NotAnArchive(shown.to_owned(), reason))?;
    if entries.is_empty() {
        return Err(Error::Empty(shown.to_owned(), 0));
    }
    Ok(Artifact { code_sha256: code_sha256(&bytes), bytes, entries, left_out: 0 })
}

/// The hash that Lambda calls `CodeSha256`.
pub fn code_sha256(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(bytes))
}
