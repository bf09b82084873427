//! One look at a package: everything that the rules need, and nothing more.
//!
//! Names are looked at for all entries; only what is native by its name or mode, or suspicious, is opened.

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind, Read, Seek},
    path::PathBuf,
};

use zip::ZipArchive;

use super::super::{Error, Listed};
use super::binary::{self, Format};
use super::path::extension;
use super::{native, secret};
use crate::settings::Architecture;

/// What a package holds, however it is kept.
pub trait Contents {
    /// All entries, sorted by name.
    fn entries(&self) -> &[Listed];

    /// Opens an entry's bytes.
    ///
    /// An entry of a ready archive may be unpacked into memory, but never more of it than it claims to have.
    fn open(&self, entry: &Listed) -> io::Result<Box<dyn ReadSeek + '_>>;
}

/// Bytes that can be read at any place.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// How much of `bootstrap` is kept: what the kernel looks at for `#!`.
const HEAD: u64 = 256;

/// The largest file that is read as a whole.
const SMALL: u64 = 64 << 10;

/// The largest library whose classes are listed.
const LIBRARY: u64 = 64 << 20;

/// What the rules need to know about a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Files and links by name, without a `./` before it; no folders.
    pub(super) files: Vec<Listed>,
    /// What is native.
    pub(super) binaries: Vec<Binary>,
    /// How `bootstrap` begins; absent where there is none, or it is a link.
    pub(super) bootstrap: Option<Vec<u8>>,
    /// What is probably a secret, and why.
    pub(super) secrets: Vec<(String, &'static str)>,
    /// The classes in the libraries of a Java package, as paths; absent when one of them could not be read.
    pub(super) classes: Option<BTreeSet<String>>,
}

/// A native file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binary {
    pub(super) name: String,
    pub(super) format: Format,
}

impl Survey {
    /// What the function is to run on where nobody named it: what the package is built for, where all that must run
    /// agrees, else what is live.
    ///
    /// A live function keeps its processor unless `bootstrap` or modules of Python, which surely run, are for another:
    /// the native files of Node.js packages may belong to tools that only built the package.
    pub fn architecture(&self, live: Option<Architecture>) -> Option<Architecture> {
        let surely = |name: &str| live.is_none() || name == "bootstrap" || native::is_python_module(self, name);
        native::architecture(self, surely).or(live)
    }

    /// Whether the package starts by itself, as one of a compiled program does.
    pub fn has_bootstrap(&self) -> bool {
        self.has("bootstrap")
    }

    /// Whether a file is there. One behind a link to a folder counts, since it may be.
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

    /// The files whose names begin so.
    pub(super) fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Listed> {
        let from = self.files.partition_point(|file| file.name.as_str() < prefix);
        self.files[from..].iter().take_while(move |file| file.name.starts_with(prefix))
    }
}

/// Whether an entry is a link.
pub(in crate::package) fn is_link(file: &Listed) -> bool {
    file.mode & 0o170_000 == 0o120_000
}

/// Looks at a package.
///
/// What cannot be unpacked or understood is left unknown; what cannot be read is an error that names it.
pub fn survey(contents: &dyn Contents) -> Result<Survey, Error> {
    let mut survey = Survey { classes: Some(BTreeSet::new()), ..Survey::default() };
    for entry in contents.entries() {
        let name = entry.name.strip_prefix("./").unwrap_or(&entry.name);
        if name.is_empty() || name.ends_with('/') {
            continue;
        }
        let file = Listed { name: name.to_owned(), mode: entry.mode, size: entry.size, packed: entry.packed };
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

/// The folders that pip made at the root, told by the `NAME-VERSION.dist-info` beside them. What is in them is published.
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
        if native::is_candidate(file)
            && let Some(opened) = open(contents, entry)?
            && let Some(format) = binary::read(opened)
        {
            self.binaries.push(Binary { name: name.to_owned(), format });
        }
        if let Some(check) = secret::suspicion(name)
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

/// Opens an entry; absent for one that is kept in a way that is not known here.
fn open<'a>(contents: &'a dyn Contents, entry: &Listed) -> Result<Option<Box<dyn ReadSeek + 'a>>, Error> {
    match contents.open(entry) {
        Ok(file) => Ok(Some(file)),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::Unsupported) => Ok(None),
        Err(error) => Err(Error::Unreadable(PathBuf::from(&entry.name), error)),
    }
}

/// The first bytes of an entry.
fn bytes(contents: &dyn Contents, entry: &Listed, most: u64) -> Result<Option<Vec<u8>>, Error> {
    let Some(file) = open(contents, entry)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(|error| Error::Unreadable(PathBuf::from(&entry.name), error))?;
    Ok(Some(bytes))
}

/// The classes of a Java library, as paths without their extension.
fn classes(library: Box<dyn ReadSeek + '_>) -> Option<Vec<String>> {
    let library = ZipArchive::new(library).ok()?;
    let class = |name: &str| name.strip_suffix(".class").map(str::to_owned);
    Some(library.file_names().filter_map(|name| class(&name.ok()?)).collect())
}
