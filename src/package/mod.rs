//! Packs files into an archive. The bytes of the archive depend on the files alone.
//!
//! `select` lists the entries in their order and reads no contents. `installed` knows the files that installers leave.
//! `tree` packs them, unless they are live
//! already: `deflate` reads, hashes and compresses files, `archive` writes them as a zip, `digest` is its comment, and
//! `store` keeps the result. `ready` reads an archive that
//! another tool made, `repack` unpacks it, and `nature` says what a file is that is no archive. `directory` lists the files of an archive from its end alone, and `changes` compares two lists. `inspect` checks a package before it is sent. `image` describes a container image in a registry.
//! Must not know Lambda's API.

mod archive;
mod changes;
mod deflate;
mod digest;
mod directory;
pub(crate) mod glob;
#[cfg(test)]
mod hostile;
mod image;
pub(crate) mod inspect;
mod installed;
mod links;
mod nature;
mod ready;
mod repack;
mod select;
mod store;
mod tree;

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::Engine;
pub(crate) use changes::{FileChange, FileChanges, changes};
pub(crate) use directory::{Directory, LONGEST_END, Reading, Tail, directory};
pub(crate) use image::Image;
use inspect::Contents;
pub(crate) use store::{Archive, code_sha256};
pub(crate) use tree::Tree;

use crate::deployment::{Archives, Rules};
use crate::files::Unreadable;
use crate::settings::Architecture;

/// The largest package, in bytes, that a call of Lambda's API can carry: 50 MB, documented as 52,428,800.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(crate) const DIRECT_LIMIT: u64 = 50 << 20;

/// The largest unpacked size of a function with its layers and extensions, in bytes: 250 MB.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(crate) const UNPACKED_LIMIT: u64 = 250 << 20;

/// The code of a function.
#[derive(Debug, Clone)]
pub(crate) enum Package {
    /// An archive, ready to be sent.
    Archive(Arc<Artifact>),
    /// An image in a registry.
    Image(Image),
    /// The code of the live function, which stays. Holds the hash that it must have; absent for any.
    Live(Option<String>),
}

impl Package {
    /// The archive; `None` for an image, and if no code is sent.
    pub(crate) fn archive(&self) -> Option<&Artifact> {
        match self {
            Self::Archive(artifact) => Some(artifact),
            Self::Image(_) | Self::Live(_) => None,
        }
    }

    /// AWS' package type for this code; `None` if no code is sent.
    pub(crate) fn package_type(&self) -> Option<&'static str> {
        match self {
            Self::Archive(_) => Some("Zip"),
            Self::Image(_) => Some("Image"),
            Self::Live(_) => None,
        }
    }

    /// Whether it can be sent: an archive may not be packed, if it is live.
    pub(crate) fn is_packed(&self) -> bool {
        self.archive().is_none_or(|artifact| artifact.archive.is_packed())
    }

    /// The hash that identifies the code, in AWS' form; absent for an image whose digest is not known, and if no code is
    /// sent.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Archive(artifact) => Some(&artifact.code_sha256),
            Self::Image(image) => image.digest.as_deref(),
            Self::Live(_) => None,
        }
    }
}

/// A package, ready to be sent.
#[derive(Debug)]
pub struct Artifact {
    /// The archive.
    pub archive: Archive,
    /// Base64 SHA-256 of the archive, in the form of Lambda's `CodeSha256`.
    pub code_sha256: String,
    /// The entries, sorted by name. Those of a ready archive keep their names and modes.
    pub entries: Vec<Listed>,
    /// The names that the default rules left out. A folder ends in `/` and stands for all that is in it.
    pub left_out: Vec<String>,
    /// The version of the S3 object that the package was read from; absent for a local package and in a bucket without
    /// versions.
    pub version_id: Option<String>,
    /// The instruction set of the function that the package was read from; absent for other packages.
    pub architecture: Option<Architecture>,
    /// The facts that the inspection rules need.
    pub survey: inspect::Survey,
    /// Warnings: lowercase fragments.
    pub warnings: Vec<String>,
}

impl Artifact {
    /// The instruction set that the function needs: that of the binaries, or else the live one, or that of the function
    /// that the package was read from.
    pub(crate) fn built_for(&self, live: Option<Architecture>) -> Option<Architecture> {
        self.survey.architecture(live).or(self.architecture)
    }

    /// The hash in hexadecimal, as file names need it.
    pub fn hex_sha256(&self) -> String {
        let hash = base64::engine::general_purpose::STANDARD.decode(&self.code_sha256).unwrap_or_default();
        hash.iter().fold(String::new(), |mut digits, byte| {
            // Writing to a `String` cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }
}

/// One line of an archive's listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The path in the archive, with `/` between its parts.
    pub name: String,
    /// The Unix mode, with the type bits.
    pub mode: u32,
    /// CRC-32 of the contents.
    pub crc32: u32,
    /// Bytes when unpacked.
    pub size: u64,
    /// Bytes in the archive.
    pub packed: u64,
}

/// The unpacked size of all entries, in bytes.
pub(crate) fn unpacked(entries: &[Listed]) -> u64 {
    entries.iter().map(|entry| entry.size).fold(0, u64::saturating_add)
}

/// The largest folders of the first two levels, each with the unpacked size of its files. Returns at most `most` folders.
pub(crate) fn largest_folders(entries: &[Listed], most: usize) -> Vec<(String, u64)> {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    for Listed { name, size, .. } in entries {
        for (end, _) in name.match_indices('/').take(2) {
            let sum = sizes.entry(&name[..end]).or_default();
            *sum = sum.saturating_add(*size);
        }
    }
    let mut folders: Vec<_> = sizes.into_iter().map(|(name, size)| (name.to_owned(), size)).collect();
    folders.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    folders.truncate(most);
    folders
}

/// The progress of packing, in bytes of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// Bytes packed so far.
    pub done: u64,
    /// Bytes of all files.
    pub all: u64,
}

/// The reason why no package could be built.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it is")]
pub enum Error {
    #[error("`{0}` does not exist")]
    Missing(PathBuf),
    #[error("cannot read `{0}`")]
    Unreadable(PathBuf, #[source] io::Error),
    #[error("`{0}` is neither a file, a directory nor a link, so it cannot be packaged")]
    Special(PathBuf),
    #[error("the name `{0}` is not UTF-8, so an archive cannot hold it")]
    Name(PathBuf),
    #[error(
        "the link `{link}` points to `{target}`, which is outside of the package; set `symlinks: follow` to package what it points to, or exclude the link"
    )]
    Escapes { link: PathBuf, target: PathBuf },
    #[error(
        "the link `{link}` points to `{target}`, which is not in the package; exclude the link, or package what it points to"
    )]
    Dangles { link: PathBuf, target: PathBuf },
    #[error(
        "`{path}` leads by a link to `{real}`, outside of the checkout; set `symlinks: follow` to package the target of the link, or set the target itself", path = path.display(), real = real.display()
    )]
    Leaves { option: &'static str, path: PathBuf, real: PathBuf },
    #[error(
        "`symlinks: follow` follows more than {links} links or finds more than {names} names behind them; exclude links that lead to the same files again and again"
    )]
    TooManyLinks { links: usize, names: usize },
    #[error("`{path}` {1}", path = .0.display())]
    Ignored(PathBuf, Unreadable),
    #[error("the link `{0}` leads back to a folder that contains it")]
    Cycle(PathBuf),
    #[error("`{glob}` is not a glob: {reason}")]
    Glob { option: &'static str, glob: String, reason: String },
    #[error("`include` has `{0}`{from}, which matches no file", from = .1.as_ref().map(|from| format!(" from `{}`", from.display())).unwrap_or_default())]
    Unmatched(String, Option<PathBuf>),
    #[error("`include` adds files from `{0}`, which does not exist")]
    NoSource(PathBuf),
    #[error("there is nothing to package in `{0}`{hint}", hint = if *.1 == 0 { String::new() } else { format!(": all {} files are left out by default (hidden names need `dot_match`)", .1) })]
    Empty(PathBuf, usize),
    #[error("`{0}` is not a zip archive: {1}")]
    NotAnArchive(PathBuf, String),
    #[error("`{0}` cannot be deployed: {1}; build the archive again, or name the folder instead")]
    Dubious(PathBuf, String),
    #[error(
        "`{archive}` is signed by `{signature}`, and files that are packed again would not have this signature; remove `repack`", archive = archive.display()
    )]
    Signed { archive: PathBuf, signature: String },
    #[error("`{first}` and `{second}` would both become `{name}`; exclude one, or give it another `to`")]
    Twice { name: String, first: PathBuf, second: PathBuf },
    #[error("the files have {0} bytes, but AWS accepts at most 262144000; leave files out with `exclude`")]
    TooLarge(u64),
    #[error("cannot write the archive to the folder for temporary files; `TMPDIR` sets this folder")]
    Temporary(#[source] io::Error),
    #[error("a package cannot hold the name `{0}`: it is too long for Linux, or it contains a null character")]
    BadName(String),
    #[error("`{name}` would be both a file and the folder of `{inside}`; exclude one, or give it another `to`")]
    Nested { name: String, inside: String },
    #[error("cannot start a thread to pack the files")]
    Thread(#[source] io::Error),
    #[error(
        "the downloaded package of {path} does not have the hash that AWS has for it; run again", path = .0.display()
    )]
    Damaged(PathBuf),
    #[error("`{0}` changed while it was being packaged; run again when no other program writes to it")]
    Changed(PathBuf),
}

impl Error {
    /// The item of the option's list that is at fault, as the user wrote it.
    pub fn item(&self) -> Option<String> {
        match self {
            Self::Unmatched(_, Some(from)) | Self::NoSource(from) => Some(from.display().to_string()),
            Self::Unmatched(glob, None) | Self::Glob { glob, .. } => Some(glob.clone()),
            Self::Leaves { path, .. } => Some(path.display().to_string()),
            _ => None,
        }
    }

    /// The option at fault.
    pub fn option(&self) -> &'static str {
        match self {
            Self::Unmatched(..) | Self::NoSource(_) | Self::Twice { .. } | Self::Nested { .. } | Self::BadName(_) => {
                "include"
            }
            Self::Glob { option, .. } | Self::Leaves { option, .. } => option,
            Self::TooLarge(_) => "exclude",
            Self::Signed { .. } => "repack",
            Self::Escapes { .. } | Self::Dangles { .. } | Self::Cycle(_) | Self::TooManyLinks { .. } => "symlinks",
            _ => "zip",
        }
    }

    /// The file or link at fault; absent when no single file is at fault, or it does not exist.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Unreadable(path, _)
            | Self::Special(path)
            | Self::Cycle(path)
            | Self::Ignored(path, _)
            | Self::NotAnArchive(path, _)
            | Self::Dubious(path, _)
            | Self::Signed { archive: path, .. }
            | Self::Changed(path)
            | Self::Escapes { link: path, .. }
            | Self::Dangles { link: path, .. } => Some(path),
            _ => None,
        }
    }
}

/// The source of a package, as far as it is known without packing.
pub(crate) enum Source {
    /// Files that were selected.
    Tree(Tree),
    /// A ready archive.
    Ready(Artifact),
}

/// Packs a directory or a single file, or reads a ready archive.
///
/// Paths are relative to `directory`. Calls `progress` after each packed piece.
pub fn build(source: &Path, rules: &Rules, directory: &Path, progress: impl FnMut(Packed)) -> Result<Artifact, Error> {
    match open(source, rules, directory)? {
        Source::Tree(tree) => tree.pack(progress),
        Source::Ready(artifact) => Ok(artifact),
    }
}

/// Selects the files of a package, or reads a ready archive. Paths are relative to `directory`.
pub(crate) fn open(source: &Path, rules: &Rules, directory: &Path) -> Result<Source, Error> {
    let path = directory.join(source);
    let unreadable = |error| Error::Unreadable(source.to_owned(), error);
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::Missing(source.to_owned())),
        Err(error) => return Err(unreadable(error)),
    };
    let real = fs::canonicalize(&path).map_err(unreadable)?;
    select::stays(source, directory, &real, rules, "zip")?;
    let mut selection = if metadata.is_dir() {
        select::directory(source, directory, rules)?
    } else if !metadata.is_file() {
        return Err(Error::Special(source.to_owned()));
    } else if is_archive(&path) {
        if metadata.len() > UNPACKED_LIMIT {
            return Err(Error::TooLarge(metadata.len()));
        }
        let file = File::open(&path).map_err(unreadable)?;
        // The snapshot is inspected and sent, so a later change of the file has no effect.
        let snapshot = store::snapshot(&file, UNPACKED_LIMIT).map_err(Error::Temporary)?;
        return match rules.archives {
            Archives::Keep => ready(source, snapshot, rules).map(Source::Ready),
            Archives::Repack => {
                let (selection, folder) = repack::unpack(source, &ready_archive(source, snapshot, rules)?)?;
                Ok(Source::Tree(Tree::unpacked(selection, rules.compression, folder)))
            }
        };
    } else {
        select::single(&path, &rules.single)?
    };
    selection.move_into(&rules.into);
    Ok(Source::Tree(Tree::new(selection, rules.compression)))
}

/// Whether the extension, in upper or lower case, is that of a ready archive.
pub(crate) fn is_archive(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("zip") || extension.eq_ignore_ascii_case("jar"))
}

/// Reads and checks a ready archive, which is sent without changes.
///
/// No other process may change `file`. Messages name it as `shown`.
pub fn ready(shown: &Path, file: File, rules: &Rules) -> Result<Artifact, Error> {
    let unreadable = |error| Error::Unreadable(shown.to_owned(), error);
    let ready = ready_archive(shown, file.try_clone().map_err(unreadable)?, rules)?;
    let survey = inspect::survey(&ready)?;
    let entries = ready.entries().to_vec();
    let (archive, code_sha256) = Archive::of_file(file).map_err(Error::Temporary)?;
    let warnings = colliding(entries.iter().map(|entry| entry.name.as_str()));
    Ok(Artifact {
        archive,
        code_sha256,
        entries,
        left_out: Vec::new(),
        version_id: None,
        architecture: None,
        survey,
        warnings,
    })
}

/// Reads and checks the package of another function, which has this hash.
pub(crate) fn copied(shown: &Path, mut file: File, rules: &Rules, code_sha256: &str) -> Result<Artifact, Error> {
    let unreadable = |error| Error::Unreadable(shown.to_owned(), error);
    if store::hash_of(&mut file).map_err(unreadable)? != code_sha256 {
        return Err(Error::Damaged(shown.to_owned()));
    }
    ready(shown, file, rules)
}

/// Opens a ready archive, which must have files.
fn ready_archive(shown: &Path, file: File, rules: &Rules) -> Result<ready::Ready, Error> {
    let ready = ready::Ready::open(shown, file, links::Places { mounts: &rules.mounts })?;
    if ready.entries().iter().all(|entry| entry.name.ends_with('/')) {
        return Err(Error::Empty(shown.to_owned(), 0));
    }
    Ok(ready)
}

/// Warnings about names that differ only in case: the file systems of Windows and macOS treat them as one name.
fn colliding<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let mut warnings = Vec::new();
    for name in names {
        if let Some(other) = seen.insert(name.to_lowercase(), name) {
            warnings.push(format!(
                "`{other}` and `{name}` differ only in case: a Windows or macOS checkout has only one of them"
            ));
        }
    }
    warnings
}
