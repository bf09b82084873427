//! From files to an archive whose bytes depend on nothing but the files.
//!
//! `select` decides which entries, in which order: a list, no bytes; `installed` knows what installers leave. `deflate` turns files into bytes, `archive` lays
//! them out as a zip, `store` keeps the result; `ready` looks into an archive that was made elsewhere; `inspect` looks at
//! what is in a package before anything is sent; `image` stands for what is in a registry instead. Must not know Lambda's API.

mod archive;
mod deflate;
pub mod glob;
#[cfg(test)]
mod hostile;
mod image;
pub mod inspect;
mod installed;
mod links;
mod ready;
mod select;
mod store;

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use base64::Engine;
pub use image::Image;
use inspect::{Contents, ReadSeek};
pub use store::{Archive, code_sha256};

use crate::deployment::Rules;
use crate::files::Unreadable;

/// Bytes that fit into a call of Lambda's API: 50 MB, which the account's limits give as 52,428,800.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const DIRECT_LIMIT: u64 = 50 << 20;

/// Bytes that a function may have unpacked, together with its layers and extensions: 250 MB.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const UNPACKED_LIMIT: u64 = 250 << 20;

/// What a function is made of.
#[derive(Debug)]
pub enum Package {
    /// An archive, ready to be sent.
    Archive(Box<Artifact>),
    /// An image in a registry.
    Image(Image),
}

impl Package {
    /// The archive; nothing where it is an image.
    pub fn archive(&self) -> Option<&Artifact> {
        match self {
            Self::Archive(artifact) => Some(artifact),
            Self::Image(_) => None,
        }
    }

    /// What tells it from any other code, as AWS has it; absent where only AWS will know.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Archive(artifact) => Some(&artifact.code_sha256),
            Self::Image(image) => image.digest.as_deref(),
        }
    }
}

/// A package, ready to be sent.
#[derive(Debug)]
pub struct Artifact {
    /// The archive.
    pub archive: Archive,
    /// Base64 SHA-256 of the archive, as Lambda's `CodeSha256` has it.
    pub code_sha256: String,
    /// Its entries by name. Those of a ready archive are as they were found.
    pub entries: Vec<Listed>,
    /// How many names a rule that the user did not write left out.
    pub left_out: usize,
    /// The version of the object in S3 that it was read from; absent where it was not, or the bucket keeps none.
    pub version_id: Option<String>,
    /// What the rules of inspection need to know of it.
    pub survey: inspect::Survey,
    /// What deserves a word: lowercase fragments.
    pub warnings: Vec<String>,
}

impl Artifact {
    /// The hash in the form that suits file names.
    pub fn hex_sha256(&self) -> String {
        let hash = base64::engine::general_purpose::STANDARD.decode(&self.code_sha256).unwrap_or_default();
        hash.iter().fold(String::new(), |mut digits, byte| {
            // Writing into a text cannot fail.
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
    /// Bytes when unpacked.
    pub size: u64,
    /// Bytes in the archive.
    pub packed: u64,
}

/// Bytes of all entries when unpacked.
pub fn unpacked(entries: &[Listed]) -> u64 {
    entries.iter().map(|entry| entry.size).fold(0, u64::saturating_add)
}

/// The largest folders down to the second level, each with all bytes below it; at most so many.
pub fn largest_folders(entries: &[Listed], most: usize) -> Vec<(String, u64)> {
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

/// How far packing has come, in bytes of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// Bytes so far.
    pub done: u64,
    /// All bytes.
    pub all: u64,
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
    #[error(
        "`{path}` is by a link `{real}`, outside of the checkout; set `symlinks: follow` to package what is there, or name that itself", path = path.display(), real = real.display()
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
    #[error("`include` brings files from `{0}`, which does not exist")]
    NothingToBring(PathBuf),
    #[error("there is nothing to package in `{0}`{hint}", hint = if *.1 == 0 { String::new() } else { format!(": all {} files are left out by default (hidden names need `dot_match`)", .1) })]
    Empty(PathBuf, usize),
    #[error("`{0}` is not a zip archive: {1}")]
    NotAnArchive(PathBuf, String),
    #[error("`{0}` cannot be deployed: {1}; make the archive anew, or name the folder instead")]
    Dubious(PathBuf, String),
    #[error("`{name}` would be both `{first}` and `{second}`; exclude one, or bring it to another place")]
    Twice { name: String, first: PathBuf, second: PathBuf },
    #[error("the files have {0} bytes, and AWS takes at most 262144000; leave files out with `exclude`")]
    TooLarge(u64),
    #[error("the archive could not be written to the folder for temporary files, which `TMPDIR` names")]
    Temporary(#[source] io::Error),
    #[error("a package must not have the name `{0}`: it is longer than Linux takes, or holds what no name can hold")]
    BadName(String),
    #[error(
        "`{name}` would be both a file and a folder, which has `{inside}`; exclude one, or bring it to another place"
    )]
    Nested { name: String, inside: String },
    #[error("the machine gives no thread to pack with")]
    Thread(#[source] io::Error),
    #[error("`{0}` changed while it was being packaged; run again when nothing writes to it")]
    Changed(PathBuf),
}

impl Error {
    /// The item at fault of the option's list, as it was written.
    pub fn item(&self) -> Option<String> {
        match self {
            Self::Unmatched(_, Some(from)) | Self::NothingToBring(from) => Some(from.display().to_string()),
            Self::Unmatched(glob, None) | Self::Glob { glob, .. } => Some(glob.clone()),
            Self::Leaves { path, .. } => Some(path.display().to_string()),
            _ => None,
        }
    }

    /// The option at fault.
    pub fn option(&self) -> &'static str {
        match self {
            Self::Unmatched(..)
            | Self::NothingToBring(_)
            | Self::Twice { .. }
            | Self::Nested { .. }
            | Self::BadName(_) => "include",
            Self::Glob { option, .. } | Self::Leaves { option, .. } => option,
            Self::TooLarge(_) => "exclude",
            Self::Escapes { .. } | Self::Dangles { .. } | Self::Cycle(_) | Self::TooManyLinks { .. } => "symlinks",
            _ => "zip",
        }
    }

    /// The file or link at fault; absent where it is none in particular, or not there.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Unreadable(path, _)
            | Self::Special(path)
            | Self::Cycle(path)
            | Self::Ignored(path, _)
            | Self::NotAnArchive(path, _)
            | Self::Dubious(path, _)
            | Self::Changed(path)
            | Self::Escapes { link: path, .. }
            | Self::Dangles { link: path, .. } => Some(path),
            _ => None,
        }
    }
}

/// Builds the package of a directory or single file, or reads a ready archive.
///
/// Paths are relative to `directory`. `progress` is told now and then how far it has come.
pub fn build(
    source: &Path,
    rules: &Rules,
    directory: &Path,
    mut progress: impl FnMut(Packed),
) -> Result<Artifact, Error> {
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
        // What is looked into here is what is sent, also when somebody makes the archive anew meanwhile.
        return ready(source, store::snapshot(&file, UNPACKED_LIMIT).map_err(Error::Temporary)?);
    } else {
        select::single(&path, &rules.single)?
    };
    selection.move_into(&rules.into);
    let all = selection.entries.iter().map(select::Entry::size).sum();
    let mut store = store::Store::new();
    let entries = archive::write(&selection.entries, &mut store, |done| progress(Packed { done, all }))?;
    let (archive, code_sha256) = store.finish().map_err(Error::Temporary)?;
    let survey = inspect::survey(&Files { entries: &entries, sources: &selection.entries })?;
    let warnings = colliding(&entries);
    Ok(Artifact { archive, code_sha256, entries, left_out: selection.left_out, version_id: None, survey, warnings })
}

/// A package as the files that it was made of.
struct Files<'a> {
    entries: &'a [Listed],
    /// As many, in the same order.
    sources: &'a [select::Entry],
}

impl Contents for Files<'_> {
    fn entries(&self) -> &[Listed] {
        self.entries
    }

    fn open(&self, entry: &Listed) -> io::Result<Box<dyn ReadSeek + '_>> {
        let index = self.sources.binary_search_by(|source| source.name.cmp(&entry.name));
        let source = index.map_err(|_| io::ErrorKind::NotFound)?;
        Ok(Box::new(File::open(&self.sources[source].source)?))
    }
}

/// A ready archive is told by its extension, in any case.
pub fn is_archive(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("zip") || extension.eq_ignore_ascii_case("jar"))
}

/// Reads a ready archive, which is sent as it is, and looks whether it is one.
///
/// The file is one that nobody else can change.
pub fn ready(shown: &Path, file: File) -> Result<Artifact, Error> {
    let unreadable = |error| Error::Unreadable(shown.to_owned(), error);
    let ready = ready::Ready::open(shown, file.try_clone().map_err(unreadable)?)?;
    if ready.entries().iter().all(|entry| entry.name.ends_with('/')) {
        return Err(Error::Empty(shown.to_owned(), 0));
    }
    let survey = inspect::survey(&ready)?;
    let entries = ready.entries().to_vec();
    let (archive, code_sha256) = Archive::of_file(file).map_err(unreadable)?;
    let warnings = colliding(&entries);
    Ok(Artifact { archive, code_sha256, entries, left_out: 0, version_id: None, survey, warnings })
}

/// Names that are one on file systems that do not tell capitals apart, as those of Windows and macOS.
fn colliding(entries: &[Listed]) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let mut warnings = Vec::new();
    for entry in entries {
        if let Some(other) = seen.insert(entry.name.to_lowercase(), &entry.name) {
            warnings.push(format!(
                "`{other}` and `{}` differ only in case: a Windows or macOS checkout has only one of them",
                entry.name
            ));
        }
    }
    warnings
}
