//! Checks ready archives, which are sent without changes.
//!
//! An archive may come from anyone, so this module trusts none of its headers without a check.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Cursor, Read},
    path::Path,
    sync::Mutex,
};

use zip::{ZipArchive, read::ZipFile};

use super::links::{self, Ends, Places, Step};
use super::{
    Error, Listed, UNPACKED_LIMIT,
    inspect::{Contents, ReadSeek, is_link},
    nature, unpacked,
};

/// The type bits of a mode, and those of a link.
const TYPE: u32 = 0o170_000;
const LINK: u32 = 0o120_000;

/// The longest path on Linux, in bytes, which is also the longest target of a link.
const LONGEST: u64 = 4095;

/// The most entries of an archive, and the most links among them.
const MOST_ENTRIES: usize = 200_000;
const MOST_LINKS: usize = 10_000;

/// An open archive.
pub(super) struct Ready {
    archive: Mutex<ZipArchive<File>>,
    /// The entries, sorted by name.
    entries: Vec<Listed>,
    /// The index of each entry in the archive, by name.
    indices: BTreeMap<String, usize>,
    /// The declared unpacked size of all entries, in bytes.
    unpacked: u64,
}

impl Ready {
    /// Opens an archive and lists its entries by name.
    ///
    /// An archive that AWS could not unpack, or would unpack to other files than it lists, is an error.
    pub(super) fn open(shown: &Path, file: File, places: Places<'_>) -> Result<Self, Error> {
        let refused = |reason: String| Error::NotAnArchive(shown.to_owned(), reason);
        let whole = file.try_clone().map_err(|error| refused(error.to_string()))?;
        let mut archive = ZipArchive::new(file)
            .map_err(|error| refused(nature::of(&whole).map_or_else(|| error.to_string(), str::to_owned)))?;
        let dubious = |reason: String| Error::Dubious(shown.to_owned(), reason);
        if archive.len() > MOST_ENTRIES {
            return Err(dubious(format!(
                "it has {} entries, more than the {MOST_ENTRIES} that dpl-lambda reads",
                archive.len()
            )));
        }
        if archive.has_duplicate_names() {
            return Err(dubious("it has two entries of the same name".to_owned()));
        }
        if archive.has_overlapping_entries().map_err(|error| refused(error.to_string()))? {
            return Err(dubious("its entries overlap, as those of a bomb do".to_owned()));
        }
        archive.validate_header_consistency().map_err(|error| dubious(error.to_string()))?;
        let (mut entries, mut indices) = (Vec::with_capacity(archive.len()), BTreeMap::new());
        let mut targets = BTreeMap::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|error| refused(error.to_string()))?;
            let listed = listed(&entry).map_err(dubious)?;
            drop(entry);
            if is_link(&listed) {
                targets.insert(plain(&listed.name), target(&mut archive, index, &listed).map_err(dubious)?);
            }
            if indices.insert(listed.name.clone(), index).is_some() {
                return Err(dubious(format!("it has two entries `{}`", listed.name)));
            }
            entries.push(listed);
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = twice(&entries) {
            return Err(dubious(twice));
        }
        if targets.len() > MOST_LINKS {
            return Err(dubious(format!(
                "it has {} links, more than the {MOST_LINKS} that dpl-lambda reads",
                targets.len()
            )));
        }
        let look = |name: &str| targets.get(name).map_or(Step::Folder, |target: &String| Step::Link(target.clone()));
        let leaves = |(name, target): &(&String, &String)| {
            matches!(links::follow(name, target, places, look), Ends::Outside | Ends::Endless)
        };
        if let Some((name, target)) = targets.iter().find(leaves) {
            return Err(dubious(format!("its link `{name}` leads to `{target}`, out of the package")));
        }
        let unpacked = unpacked(&entries);
        Ok(Self { archive: Mutex::new(archive), entries, indices, unpacked })
    }
}

impl Contents for Ready {
    fn entries(&self) -> &[Listed] {
        &self.entries
    }

    fn open(&self, entry: &Listed) -> io::Result<Box<dyn ReadSeek + '_>> {
        // AWS may be able to unpack an entry that this program cannot. An entry larger than a function is refused later.
        // Neither is opened.
        let unknown = |_| io::ErrorKind::InvalidData;
        let index = *self.indices.get(&entry.name).ok_or(io::ErrorKind::InvalidData)?;
        if entry.size > UNPACKED_LIMIT || self.unpacked > UNPACKED_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut archive = self.archive.lock().map_err(|_| io::ErrorKind::InvalidData)?;
        let mut bytes = Vec::new();
        let unpacked = archive.by_index(index).map_err(|_| io::ErrorKind::InvalidData)?;
        unpacked.take(entry.size).read_to_end(&mut bytes).map_err(unknown)?;
        Ok(Box::new(Cursor::new(bytes)))
    }
}

/// The name of a file after unpacking.
pub(super) fn plain(name: &str) -> String {
    name.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
}

/// The error for two entries that become one file after unpacking, or a file and a folder of one name.
fn twice(entries: &[Listed]) -> Option<String> {
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

/// The listing of an entry. The error says why a package must not have it.
fn listed(entry: &ZipFile<'_, File>) -> Result<Listed, String> {
    let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
    if entry.encrypted() {
        return Err(format!("its entry `{name}` is encrypted"));
    }
    let mode = entry.unix_mode().unwrap_or_default();
    if let Some(wrong) = wrong_name(&name) {
        return Err(format!("its entry `{name}` {wrong}"));
    }
    if !matches!(mode & TYPE, 0 | 0o100_000 | 0o040_000 | LINK) {
        return Err(format!("its entry `{name}` is neither a file, a folder nor a link"));
    }
    Ok(Listed { name, mode, crc32: entry.crc32(), size: entry.size(), packed: entry.compressed_size() })
}

/// The reason why no file of a package can have this name.
fn wrong_name(name: &str) -> Option<&'static str> {
    let drive = name.as_bytes().get(1) == Some(&b':') && name.starts_with(|c: char| c.is_ascii_alphabetic());
    match () {
        () if name.len() as u64 > LONGEST => Some("has a longer name than Linux takes"),
        () if name.split(['/', '\\']).any(|part| part == "..") => Some("leads out of the package"),
        () if name.contains('\\') => Some(
            "has a `\\` in its name, which is no folder on Linux; write `/` instead, as 7-Zip, PowerShell 7 and `tar -a` do",
        ),
        () if name.chars().any(char::is_control) => Some("has a control character in its name"),
        () if name.is_empty() || name.starts_with('/') || drive => Some("leads out of the package"),
        () => None,
    }
}

/// The target of a link, as it is written.
fn target(archive: &mut ZipArchive<File>, index: usize, link: &Listed) -> Result<String, String> {
    let mut target = Vec::new();
    let read = archive.by_index(index).ok().and_then(|entry| entry.take(LONGEST + 1).read_to_end(&mut target).ok());
    let is_path = |target: &String| {
        let foreign = |c: char| c == '\\' || c.is_control();
        read.is_some() && !target.is_empty() && target.len() as u64 <= LONGEST && !target.contains(foreign)
    };
    let target = String::from_utf8(target).ok().filter(is_path);
    target.ok_or_else(|| format!("its link `{}` leads to something that is no path of a package", link.name))
}
