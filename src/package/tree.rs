//! The selected files of a package: packs them, or finds that the live package has the same.

use std::fs::File;
use std::io;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use super::deflate::{Manner, Records};
use super::digest::{self, Digest};
use super::inspect::{self, Contents, Origin, ReadSeek, Survey};
use super::select::{Entry, Kind, Selection};
use super::{Archive, Artifact, Directory, Error, Listed, Packed, archive, colliding, deflate, installed, store};
use crate::deployment::Compression;

/// The files of a package. They are on disk; only their names, sizes and times have been read.
pub(crate) struct Tree {
    entries: Vec<Entry>,
    left_out: Vec<String>,
    warnings: Vec<String>,
    manner: Manner,
    /// The folder that the files of an archive were unpacked into, for as long as they are needed.
    _folder: Option<TempDir>,
    /// The facts about the contents, once all have been read; a live package may be another for each function.
    hashed: Mutex<Option<Hashed>>,
}

/// The facts about the contents of a tree.
#[derive(Clone)]
struct Hashed {
    /// The comment of its archive.
    comment: String,
    /// The entries of its archive. Their packed sizes are unknown.
    entries: Vec<Listed>,
    survey: Survey,
}

/// The reason why hashing ends early.
enum Stop {
    /// A file differs from the live one.
    Differs,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Tree {
    pub(super) fn new(selection: Selection, compression: Compression) -> Self {
        Self::made(selection, Manner { compression, records: Records::OfPresent }, None)
    }

    /// The files of an archive, which were unpacked into a folder.
    pub(super) fn unpacked(selection: Selection, compression: Compression, folder: TempDir) -> Self {
        Self::made(selection, Manner { compression, records: Records::AsTheyAre }, Some(folder))
    }

    fn made(selection: Selection, manner: Manner, folder: Option<TempDir>) -> Self {
        let Selection { entries, left_out } = selection;
        let warnings = colliding(entries.iter().map(|entry| entry.name.as_str()));
        Self { entries, left_out, warnings, manner, _folder: folder, hashed: Mutex::default() }
    }

    /// The unpacked size of all files, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.entries.iter().map(Entry::size).sum()
    }

    /// Warnings about the names: lowercase fragments.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Packs the files. Calls `progress` after each packed piece.
    pub(crate) fn pack(&self, mut progress: impl FnMut(Packed)) -> Result<Artifact, Error> {
        let all = self.size();
        let mut store = store::Store::new();
        let entries = archive::write(&self.entries, self.manner, &mut store, |done| progress(Packed { done, all }))?;
        let (archive, code_sha256) = store.finish().map_err(Error::Temporary)?;
        let survey = self.survey(&entries)?;
        Ok(self.artifact(archive, code_sha256, entries, survey))
    }

    /// The package without its bytes, if it would be the live one, whose hash is `code_sha256`. Reads the files, but does
    /// not pack them.
    ///
    /// The digest in the live archive's comment decides. Since an archive can be changed and keep its comment, its
    /// directory must agree as well.
    pub(crate) fn is_live(
        &self,
        live: &Directory,
        code_sha256: &str,
        progress: impl FnMut(Packed),
    ) -> Result<Option<Artifact>, Error> {
        if !digest::is_ours(&live.comment) || !self.may_be(live) {
            return Ok(None);
        }
        let known = self.hashed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(hashed) = known.map_or_else(|| self.hash(live, progress), |known| Ok(Some(known)))? else {
            return Ok(None);
        };
        let Hashed { comment, entries, survey } = hashed;
        let is_same = |(ours, live): (&Listed, &Listed)| is_same(ours, live);
        if comment.as_bytes() != live.comment || !entries.iter().zip(&live.files).all(is_same) {
            return Ok(None);
        }
        let artifact = self.artifact(Archive::live(live.size), code_sha256.to_owned(), live.files.clone(), survey);
        Ok(Some(artifact))
    }

    /// Whether the live package can have the same files, as far as it shows without reading them.
    fn may_be(&self, live: &Directory) -> bool {
        let can_be = |(entry, live): (&Entry, &Listed)| {
            entry.name == live.name && (entry.size() == live.size || installed::is_record(&entry.name))
        };
        live.folders == 0 && live.files.len() == self.entries.len() && self.entries.iter().zip(&live.files).all(can_be)
    }

    /// Reads all files; `None` as soon as one differs from the live one. The newest come first: they are the likeliest to
    /// differ.
    fn hash(&self, live: &Directory, mut progress: impl FnMut(Packed)) -> Result<Option<Hashed>, Error> {
        let mut order: Vec<_> = (0..self.entries.len()).collect();
        order.sort_by_key(|index| match self.entries[*index].kind {
            Kind::File { modified, .. } => std::cmp::Reverse(modified),
            Kind::Link { .. } => std::cmp::Reverse(None),
        });
        let (mut done, all) = (0, self.size());
        let mut pieces: Vec<Vec<deflate::Hashed>> = self.entries.iter().map(|_| Vec::new()).collect();
        let read = deflate::hash(&self.entries, self.manner, order, |piece| {
            done += piece.size;
            progress(Packed { done, all });
            let (index, is_last) = (piece.entry, piece.position.is_last());
            pieces[index].push(piece);
            if is_last && !is_same(&listed(&self.entries[index], &pieces[index]), &live.files[index]) {
                return Err(Stop::Differs);
            }
            Ok(())
        });
        match read {
            Ok(()) => {}
            Err(Stop::Differs) => return Ok(None),
            Err(Stop::Failed(error)) => return Err(error),
        }
        let mut digest = Digest::new(self.manner.compression);
        let mut entries = Vec::with_capacity(self.entries.len());
        for (entry, pieces) in self.entries.iter().zip(&pieces) {
            let listed = listed(entry, pieces);
            digest.entry(&entry.name, listed.mode);
            for piece in pieces {
                digest.piece(&piece.sha256, piece.position.is_last());
            }
            entries.push(listed);
        }
        let survey = self.survey(&entries)?;
        let hashed = Hashed { comment: digest.comment(), entries, survey };
        *self.hashed.lock().unwrap_or_else(PoisonError::into_inner) = Some(hashed.clone());
        Ok(Some(hashed))
    }

    fn survey(&self, entries: &[Listed]) -> Result<Survey, Error> {
        inspect::survey(&Files { entries, sources: &self.entries, left_out: &self.left_out })
    }

    fn artifact(&self, archive: Archive, code_sha256: String, entries: Vec<Listed>, survey: Survey) -> Artifact {
        let (left_out, warnings) = (self.left_out.clone(), self.warnings.clone());
        Artifact { archive, code_sha256, entries, left_out, version_id: None, architecture: None, survey, warnings }
    }
}

/// The entry of the archive for a file with these pieces.
fn listed(entry: &Entry, pieces: &[deflate::Hashed]) -> Listed {
    let mut crc = crc32fast::Hasher::new();
    for piece in pieces {
        crc.combine(&piece.crc);
    }
    let is_program = pieces.first().is_some_and(|piece| piece.is_program);
    Listed {
        name: entry.name.clone(),
        mode: archive::mode(entry, is_program),
        crc32: crc.finalize(),
        size: pieces.iter().map(|piece| piece.size).sum(),
        packed: 0,
    }
}

/// Whether the live archive lists the entry as it would be packed.
fn is_same(ours: &Listed, live: &Listed) -> bool {
    let Listed { name, mode, crc32, size, packed: _ } = ours;
    (name, mode, crc32, size) == (&live.name, &live.mode, &live.crc32, &live.size)
}

/// The source files of a package.
struct Files<'a> {
    entries: &'a [Listed],
    /// The source of each entry, in the same order.
    sources: &'a [Entry],
    left_out: &'a [String],
}

impl Contents for Files<'_> {
    fn entries(&self) -> &[Listed] {
        self.entries
    }

    fn left_out(&self) -> &[String] {
        self.left_out
    }

    fn origin(&self) -> Origin {
        Origin::Files
    }

    fn open(&self, entry: &Listed) -> io::Result<Box<dyn ReadSeek + '_>> {
        let index = self.sources.binary_search_by(|source| source.name.cmp(&entry.name));
        let source = index.map_err(|_| io::ErrorKind::NotFound)?;
        Ok(Box::new(File::open(&self.sources[source].source)?))
    }
}
