//! One entry of a package: a file or a link, as it is on disk.

use std::fs::{self, Metadata};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use walkdir::DirEntry;

use super::super::Error;

/// An entry of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::package) struct Entry {
    /// The path in the archive, with `/` between its parts.
    pub(in crate::package) name: String,
    /// The file to read.
    pub(in crate::package) source: PathBuf,
    /// Its kind.
    pub(in crate::package) kind: Kind,
}

/// The kind of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::package) enum Kind {
    /// A file.
    File {
        /// Its size in bytes.
        size: u64,
        /// The time of its last change, since 1970; absent if the file system does not know it.
        modified: Option<Duration>,
        /// Whether it has an execute bit.
        executable: bool,
    },
    /// A link, with its relative target; `/` stands between the parts.
    Link { target: String },
}

impl Entry {
    /// The size in bytes when unpacked.
    pub(in crate::package) fn size(&self) -> u64 {
        match &self.kind {
            Kind::File { size, .. } => *size,
            Kind::Link { target } => target.len() as u64,
        }
    }
}

/// The path below the root, with `/` between its parts.
pub(super) fn name_in(root: &Path, path: &Path) -> Result<String, Error> {
    let parts: Option<Vec<_>> = path
        .strip_prefix(root)
        .ok()
        .into_iter()
        .flat_map(Path::components)
        .map(|part| part.as_os_str().to_str())
        .collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| Error::Name(path.to_owned()))
}

pub(super) fn walk_error(root: &Path, error: walkdir::Error) -> Error {
    let path = error.path().unwrap_or(root).to_owned();
    if error.loop_ancestor().is_some() {
        return Error::Cycle(path);
    }
    // `walkdir` reports a link without a target as an unreadable file.
    if let Ok(target) = fs::read_link(&path) {
        return Error::Dangles { link: path, target };
    }
    Error::Unreadable(path, error.into())
}

pub(super) fn kind(root: &Path, found: &DirEntry) -> Result<Kind, Error> {
    let path = found.path();
    if found.path_is_symlink() && found.file_type().is_symlink() {
        return link(root, path);
    }
    if !found.file_type().is_file() {
        return Err(Error::Special(path.to_owned()));
    }
    found.metadata().map(|metadata| file(&metadata)).map_err(|error| walk_error(root, error))
}

pub(super) fn file(metadata: &Metadata) -> Kind {
    Kind::File { size: metadata.len(), modified: modified(metadata), executable: has_execute_bit(metadata) }
}

/// The time of the last change of a file, since 1970.
pub(in crate::package) fn modified(metadata: &Metadata) -> Option<Duration> {
    metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()
}

/// Keeps the target of a link, unless its path leaves the package on the way. Then the target becomes the shortest path
/// to the same file, so that it works wherever the archive is unpacked.
fn link(root: &Path, path: &Path) -> Result<Kind, Error> {
    let target = fs::read_link(path).map_err(|error| Error::Unreadable(path.to_owned(), error))?;
    let folder = path.parent().unwrap_or(root);
    let Ok(real) = fs::canonicalize(path) else {
        return Err(Error::Dangles { link: path.to_owned(), target });
    };
    if !real.starts_with(root) {
        return Err(Error::Escapes { link: path.to_owned(), target });
    }
    let depth = folder.strip_prefix(root).map_or(0, |inside| inside.components().count());
    let kept = if stays_inside(depth, &target) { target.clone() } else { way(folder, &real) };
    let parts: Option<Vec<_>> = kept.components().map(|part| part.as_os_str().to_str()).collect();
    let target = parts.ok_or(Error::Name(target))?.join("/");
    Ok(Kind::Link { target: if target.is_empty() { ".".to_owned() } else { target } })
}

/// Whether a relative path stays below the root. It begins `depth` folders below it.
fn stays_inside(depth: usize, target: &Path) -> bool {
    let step = |depth: Option<usize>, part: Component<'_>| match part {
        Component::ParentDir => depth?.checked_sub(1),
        Component::Normal(_) => Some(depth? + 1),
        Component::CurDir => depth,
        Component::RootDir | Component::Prefix(_) => None,
    };
    target.components().fold(Some(depth), step).is_some()
}

/// The relative path from a folder to a file; both are absolute and without links.
fn way(folder: &Path, to: &Path) -> PathBuf {
    let (from, to): (Vec<_>, Vec<_>) = (folder.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[shared..].iter().map(|_| Component::ParentDir);
    up.chain(to[shared..].iter().copied()).collect()
}

#[cfg(unix)]
fn has_execute_bit(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn has_execute_bit(_: &Metadata) -> bool {
    false
}

pub(super) fn base_name(path: &Path) -> Result<String, Error> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| Error::Name(path.to_owned()))
}
