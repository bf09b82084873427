//! Reads a package once and keeps what the rules need.
//!
//! Reads the names of all entries. Opens only entries that may be native, may be a secret, or hold Java classes.

use std::{
    collections::BTreeSet,
    io::{ErrorKind, Read},
    path::PathBuf,
};

use zip::ZipArchive;

use super::super::{Error, Listed};
use super::binary::{self, Format};
use super::contents::{Contents, ReadSeek};
use super::path::extension;
use super::suspect;

/// How many bytes of `bootstrap` are kept: as many as Linux reads to find `#!`.
const HEAD: u64 = 256;

/// The largest file that is read in full, in bytes.
const SMALL: u64 = 64 << 10;

/// The largest Java library whose classes are listed, in bytes.
const LIBRARY: u64 = 64 << 20;

/// The facts about a package that the rules need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Files and links by name, without a `./` before it; no folders.
    pub(super) files: Vec<Listed>,
    /// The native files, sorted by name.
    pub(super) binaries: Vec<Binary>,
    /// The first bytes of `bootstrap`; absent if it is missing or a link.
    pub(super) bootstrap: Option<Vec<u8>>,
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
    let mut survey = Survey { classes: Some(BTreeSet::new()), ..Survey::default() };
    for entry in contents.entries() {
        let name = entry.name.strip_prefix("./").unwrap_or(&entry.name);
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
        } else if name == "bootstrap" && !is_link(&file) {
            survey.bootstrap = Some(Vec::new());
        }
        survey.files.push(file);
    }
    survey.files.sort_by(|a, b| a.name.cmp(&b.name));
    survey.binaries.sort_by(|a, b| a.name.cmp(&b.name));
    let installed = installed(&survey.files);
    survey.secrets.retain(|(name, _)| !name.split_once('/').is_some_and(|(folder, _)| installed.contains(folder)));
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
        if name == "bootstrap" {
            self.bootstrap = bytes(contents, entry, HEAD)?;
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
