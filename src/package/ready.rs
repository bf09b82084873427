//! Ready archives: sent as they are, after a look at what they hold.
//!
//! They may come from anywhere, so nothing that they say of themselves is believed beyond what is checked here.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
    sync::Mutex,
};

use zip::{ZipArchive, read::ZipFile};

use super::{Error, Listed};

/// The largest entry that is looked into, in bytes: as much as a whole function may have.
const LARGEST: u64 = 250 << 20;

/// An archive that was opened, by the names of its entries.
#[derive(Debug)]
pub(super) struct Ready {
    path: PathBuf,
    archive: Mutex<ZipArchive<File>>,
    indices: BTreeMap<String, usize>,
}

impl Ready {
    /// Opens an archive and lists its entries by name.
    ///
    /// What AWS could not unpack, or would unpack to something else than it seems, is an error.
    pub(super) fn open(shown: &Path, file: File) -> Result<(Self, Vec<Listed>), Error> {
        let refused = |reason: String| Error::NotAnArchive(shown.to_owned(), reason);
        let mut archive = ZipArchive::new(file).map_err(|error| refused(error.to_string()))?;
        let dubious = |reason: String| Error::Dubious(shown.to_owned(), reason);
        if archive.has_duplicate_names() {
            return Err(dubious("it has two entries of the same name".to_owned()));
        }
        if archive.has_overlapping_entries().map_err(|error| refused(error.to_string()))? {
            return Err(dubious("its entries overlap, as those of a bomb do".to_owned()));
        }
        archive.validate_header_consistency().map_err(|error| dubious(error.to_string()))?;
        let (mut entries, mut indices) = (Vec::with_capacity(archive.len()), BTreeMap::new());
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|error| refused(error.to_string()))?;
            let listed = listed(&entry).map_err(dubious)?;
            if indices.insert(listed.name.clone(), index).is_some() {
                return Err(dubious(format!("it has two entries `{}`", listed.name)));
            }
            entries.push(listed);
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((Self { path: shown.to_owned(), archive: Mutex::new(archive), indices }, entries))
    }

    /// The bytes of an entry, never more than it claims to have.
    pub(super) fn read(&self, entry: &Listed) -> io::Result<Cursor<Vec<u8>>> {
        let missing = || io::Error::other(format!("`{}` has no entry `{}`", self.path.display(), entry.name));
        let index = *self.indices.get(&entry.name).ok_or_else(missing)?;
        if entry.size > LARGEST {
            return Err(io::Error::other(format!("`{}` is too large to be looked into", entry.name)));
        }
        let mut archive = self.archive.lock().map_err(|_| missing())?;
        let mut bytes = Vec::new();
        archive.by_index(index).map_err(io::Error::other)?.take(entry.size).read_to_end(&mut bytes)?;
        Ok(Cursor::new(bytes))
    }
}

/// How an entry is listed, or why it must not be in a package.
fn listed(entry: &ZipFile<'_, File>) -> Result<Listed, String> {
    let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
    if entry.encrypted() {
        return Err(format!("its entry `{name}` is encrypted"));
    }
    if name.starts_with('/') || name.split(['/', '\\']).any(|part| part == "..") || name.contains('\0') {
        return Err(format!("its entry `{name}` leads out of the package"));
    }
    let mode = entry.unix_mode().unwrap_or_default();
    Ok(Listed { name, mode, size: entry.size(), packed: entry.compressed_size() })
}
