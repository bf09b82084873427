//! Ready archives: sent as they are, after a look at what they hold.
//!
//! They may come from anywhere, so nothing that they say of themselves is believed beyond what is checked here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Cursor, Read},
    path::Path,
    sync::Mutex,
};

use zip::{ZipArchive, read::ZipFile};

use super::{
    Error, Listed, UNPACKED_LIMIT,
    inspect::{Contents, ReadSeek},
};

/// An archive that was opened.
pub(super) struct Ready {
    archive: Mutex<ZipArchive<File>>,
    /// Sorted by name.
    entries: Vec<Listed>,
    /// Where each stands in the archive, by name.
    indices: BTreeMap<String, usize>,
}

impl Ready {
    /// Opens an archive and lists its entries by name.
    ///
    /// What AWS could not unpack, or would unpack to something else than it seems, is an error.
    pub(super) fn open(shown: &Path, file: File) -> Result<Self, Error> {
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
        if let Some(twice) = twice(&entries) {
            return Err(dubious(twice));
        }
        Ok(Self { archive: Mutex::new(archive), entries, indices })
    }
}

impl Contents for Ready {
    fn entries(&self) -> &[Listed] {
        &self.entries
    }

    fn open(&self, entry: &Listed) -> io::Result<Box<dyn ReadSeek + '_>> {
        // What cannot be unpacked here may be well for AWS, and what is larger than a function is not: neither is
        // looked into.
        let unknown = |_| io::ErrorKind::InvalidData;
        let index = *self.indices.get(&entry.name).ok_or(io::ErrorKind::InvalidData)?;
        if entry.size > UNPACKED_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut archive = self.archive.lock().map_err(|_| io::ErrorKind::InvalidData)?;
        let mut bytes = Vec::new();
        let unpacked = archive.by_index(index).map_err(|_| io::ErrorKind::InvalidData)?;
        unpacked.take(entry.size).read_to_end(&mut bytes).map_err(unknown)?;
        Ok(Box::new(Cursor::new(bytes)))
    }
}

/// Two entries that become one when they are unpacked, or of which one is a folder and the other a file.
fn twice(entries: &[Listed]) -> Option<String> {
    let plain =
        |name: &str| name.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/");
    let mut files = BTreeSet::new();
    for entry in entries.iter().filter(|entry| !entry.name.ends_with('/')) {
        if !files.insert(plain(&entry.name)) {
            return Some(format!("it has two entries `{}`", plain(&entry.name)));
        }
    }
    let folders = entries.iter().flat_map(|entry| {
        let name = plain(&entry.name);
        let own = entry.name.ends_with('/').then(|| name.clone());
        let above: Vec<_> = name.match_indices('/').map(|(end, _)| name[..end].to_owned()).collect();
        above.into_iter().chain(own)
    });
    let both = folders.into_iter().find(|folder| files.contains(folder))?;
    Some(format!("its entry `{both}` is both a file and a folder"))
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
