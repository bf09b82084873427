//! Reads a package once and keeps what the rules need.
//!
//! Reads the names of all entries. Opens only entries that may be native, may be started, may be a secret, hold Java
//! classes or declare dependencies, and some of the package's own source files.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{ErrorKind, Read},
    path::PathBuf,
};

use zip::ZipArchive;

use super::super::{Error, Listed};
use super::binary::{self, Format};
use super::contents::{Contents, Origin, ReadSeek};
use super::manifest::{self, Manifest};
use super::path::{base, extension};
use super::source::{self, Source};
use super::suspect;

/// How many bytes of a program are kept: as many as Linux reads to find `#!`.
const HEAD: u64 = 256;

/// The largest file that is read in full, in bytes.
const SMALL: u64 = 64 << 10;

/// The largest archived file that is unpacked to see how it begins, if its name does not say that it is started.
const MAX_HEAD: u64 = 1 << 20;

/// The largest list of npm's installed packages that is read, in bytes.
const MAX_LOCK: u64 = 16 << 20;

/// The largest source file that is read, in bytes; the most of them, and their most bytes together.
const MAX_SOURCE: u64 = 1 << 20;
const MOST_SOURCES: usize = 200;
const MOST_OF_SOURCES: u64 = 4 << 20;

/// The largest Java library whose classes are listed, in bytes.
const LIBRARY: u64 = 64 << 20;

/// The facts about a package that the rules need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Files and links by name, without a `./` before it; no folders.
    pub(super) files: Vec<Listed>,
    /// The native files, sorted by name.
    pub(super) binaries: Vec<Binary>,
    /// The first bytes of files that may be started, by name.
    pub(super) heads: BTreeMap<String, Vec<u8>>,
    /// Folders of an archive that only their owner may search, without `/` at the end, with their modes.
    pub(super) closed: Vec<(String, u32)>,
    /// The package's own source files, by name; not all of them if there are many.
    pub(super) sources: BTreeMap<String, Source>,
    /// The files that declare dependencies.
    pub(super) manifests: Vec<Manifest>,
    /// The folders of packages that npm installed for development alone, by its own list.
    pub(super) development: BTreeSet<String>,
    /// The names that default rules left out of the package.
    pub(super) left_out: Vec<String>,
    /// Who made the package.
    pub(super) origin: Origin,
    /// Whether only the files that one runtime finds in a layer are listed.
    pub(super) is_layer: bool,
    /// Files that are probably secrets, each with the reason.
    pub(super) secrets: Vec<(String, &'static str)>,
    /// The classes in a Java package's libraries, as paths; absent when a library could not be read.
    pub(super) classes: Option<BTreeSet<String>>,
}

/// A native file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binary {
    pub(super) name: String,
    pub(super) format: Format,
}

impl Survey {
    /// Whether the package has a `bootstrap`, as that of a compiled program does.
    pub fn has_bootstrap(&self) -> bool {
        self.has("bootstrap")
    }

    /// The same facts about an archive that another tool made.
    #[cfg(test)]
    pub(in crate::package) fn into_archive(self) -> Self {
        Self { left_out: Vec::new(), origin: Origin::Archive, ..self }
    }

    /// Whether the package has a file. A path through a link counts, since its target is not read.
    pub(super) fn has(&self, name: &str) -> bool {
        let file = |name: &str| self.file(name).is_some();
        let ends = name.match_indices('/').map(|(end, _)| &name[..end]);
        file(name) || ends.into_iter().any(|folder| self.file(folder).is_some_and(is_link))
    }

    /// A file by its name.
    pub(super) fn file(&self, name: &str) -> Option<&Listed> {
        let index = self.files.binary_search_by(|file| file.name.as_str().cmp(name)).ok()?;
        self.files.get(index)
    }

    /// The files whose names begin with `prefix`.
    pub(super) fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Listed> {
        let from = self.files.partition_point(|file| file.name.as_str() < prefix);
        self.files[from..].iter().take_while(move |file| file.name.starts_with(prefix))
    }
}

/// Whether an entry is a link.
pub(in crate::package) fn is_link(file: &Listed) -> bool {
    file.mode & 0o170_000 == 0o120_000
}

/// Reads a package.
///
/// A file that cannot be unpacked or parsed stays unknown. A file that cannot be read is an error that names it.
pub fn survey(contents: &dyn Contents) -> Result<Survey, Error> {
    let mut survey = Survey {
        classes: Some(BTreeSet::new()),
        left_out: contents.left_out().to_vec(),
        origin: contents.origin(),
        ..Survey::default()
    };
    for entry in contents.entries() {
        let name = entry.name.strip_prefix("./").unwrap_or(&entry.name);
        if let Some(folder) = name.strip_suffix('/').filter(|_| entry.mode != 0 && entry.mode & 0o005 != 0o005) {
            survey.closed.push((folder.to_owned(), entry.mode));
        }
        if name.is_empty() || name.ends_with('/') {
            continue;
        }
        let file = Listed {
            name: name.to_owned(),
            mode: entry.mode,
            crc32: entry.crc32,
            size: entry.size,
            packed: entry.packed,
        };
        if !is_link(&file) && entry.size > 0 {
            survey.look_into(contents, entry, &file)?;
        } else if may_be_started(&file) && !is_link(&file) {
            survey.heads.insert(name.to_owned(), Vec::new());
        }
        survey.files.push(file);
    }
    survey.files.sort_by(|a, b| a.name.cmp(&b.name));
    survey.binaries.sort_by(|a, b| a.name.cmp(&b.name));
    let installed = installed(&survey.files);
    let is_installed = |name: &str| name.split_once('/').is_some_and(|(folder, _)| installed.contains(folder));
    survey.secrets.retain(|(name, _)| !is_installed(name));
    survey.read_sources(contents, is_installed)?;
    Ok(survey)
}

/// The folders at the root that pip installed: they have a `NAME-VERSION.dist-info` beside them. Their files are public.
fn installed(files: &[Listed]) -> BTreeSet<String> {
    let folders = files.iter().filter_map(|file| file.name.split_once(".dist-info/"));
    folders.filter_map(|(folder, _)| Some(folder.split_once('-')?.0.to_owned())).collect()
}

impl Survey {
    fn look_into(&mut self, contents: &dyn Contents, entry: &Listed, file: &Listed) -> Result<(), Error> {
        let name = file.name.as_str();
        if may_be_started(file)
            && let Some(head) = bytes(contents, entry, HEAD)?
        {
            self.heads.insert(name.to_owned(), head);
        }
        if manifest::is_manifest(name)
            && file.size <= MAX_SOURCE
            && let Some(bytes) = bytes(contents, entry, MAX_SOURCE)?
        {
            self.manifests.extend(manifest::read(name, &String::from_utf8_lossy(&bytes)));
        }
        if manifest::is_lock(name)
            && file.size <= MAX_LOCK
            && let Some(bytes) = bytes(contents, entry, MAX_LOCK)?
        {
            self.development.extend(manifest::development(&bytes));
        }
        if binary::is_candidate(file)
            && let Some(opened) = open(contents, entry)?
            && let Some(format) = binary::read(opened)
        {
            self.binaries.push(Binary { name: name.to_owned(), format });
        }
        if let Some(check) = suspect::suspicion(name)
            && file.size <= SMALL
            && let Some(bytes) = bytes(contents, entry, SMALL)?
            && let Some(why) = check(&String::from_utf8_lossy(&bytes))
        {
            self.secrets.push((name.to_owned(), why));
        }
        if extension(name) == "jar" && name.rsplit_once('/').is_some_and(|(folder, _)| folder == "lib") {
            let known = if file.size > LIBRARY { None } else { open(contents, entry)?.and_then(classes) };
            match (&mut self.classes, known) {
                (Some(all), Some(more)) => all.extend(more),
                (all, _) => *all = None,
            }
        }
        Ok(())
    }
}

impl Survey {
    /// Reads source files of the package itself, those nearest to the root first.
    fn read_sources(&mut self, contents: &dyn Contents, is_installed: impl Fn(&str) -> bool) -> Result<(), Error> {
        const OF_OTHERS: [&str; 3] = ["node_modules", "site-packages", "dist-packages"];
        let own = |name: &str| !is_installed(name) && !name.split('/').any(|part| OF_OTHERS.contains(&part));
        let is_candidate = |entry: &&Listed| {
            source::is_source(&entry.name) && !is_link(entry) && entry.size <= MAX_SOURCE && own(&entry.name)
        };
        let mut entries: Vec<_> = contents.entries().iter().filter(is_candidate).collect();
        entries.sort_by_key(|entry| entry.name.matches('/').count());
        let mut room = MOST_OF_SOURCES;
        for entry in entries.into_iter().take(MOST_SOURCES) {
            let Some(left) = room.checked_sub(entry.size) else { continue };
            room = left;
            let Some(bytes) = bytes(contents, entry, MAX_SOURCE)? else { continue };
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let name = entry.name.strip_prefix("./").unwrap_or(&entry.name);
            self.sources.insert(name.to_owned(), source::read(name, &text));
        }
        Ok(())
    }
}

/// Whether Lambda or a program may start a file, judged by its name and size.
fn may_be_started(file: &Listed) -> bool {
    let name = file.name.as_str();
    if name == "bootstrap" || name.starts_with("extensions/") {
        return true;
    }
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let named = extension(name) == "sh" && !name.contains("node_modules/") && !name.contains("site-packages/");
    (named || folder.is_empty() || (folder == "bin" && !base(name).contains('.'))) && file.size <= MAX_HEAD
}

/// Opens an entry; `None` if its compression or encoding is not supported.
fn open<'a>(contents: &'a dyn Contents, entry: &Listed) -> Result<Option<Box<dyn ReadSeek + 'a>>, Error> {
    match contents.open(entry) {
        Ok(file) => Ok(Some(file)),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::Unsupported) => Ok(None),
        Err(error) => Err(Error::Unreadable(PathBuf::from(&entry.name), error)),
    }
}

/// The first bytes of an entry, at most `most`; `None` as for [`open`].
fn bytes(contents: &dyn Contents, entry: &Listed, most: u64) -> Result<Option<Vec<u8>>, Error> {
    let Some(file) = open(contents, entry)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(|error| Error::Unreadable(PathBuf::from(&entry.name), error))?;
    Ok(Some(bytes))
}

/// The classes of a Java library, as paths without their extension; `None` if it cannot be read.
fn classes(library: Box<dyn ReadSeek + '_>) -> Option<Vec<String>> {
    let library = ZipArchive::new(library).ok()?;
    let class = |name: &str| name.strip_suffix(".class").map(str::to_owned);
    Some(library.file_names().filter_map(|name| class(&name.ok()?)).collect())
}
