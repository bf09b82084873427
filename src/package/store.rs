//! Keeps the bytes of archives: a few in memory, all others in one file without a name.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::Engine;
use sha2::{Digest, Sha256};

/// The most bytes of archives that are kept in memory.
const IN_MEMORY: usize = 8 << 20;

/// The bytes of the archives in memory so far.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// The file for all other archives, one after the other: a process may have more archives than it can open files. It has
/// no name, so it is gone when the process ends, however that ends.
static SPOOL: Mutex<Option<File>> = Mutex::new(None);

/// An archive.
#[derive(Debug)]
pub struct Archive {
    at: At,
    size: u64,
}

#[derive(Debug)]
enum At {
    Memory(Vec<u8>),
    /// From this offset of [`SPOOL`] on.
    Spool(u64),
    /// Only at AWS: it was not packed, because it is the live package.
    Live,
}

impl Archive {
    /// The size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether it was packed. Otherwise its bytes are only at AWS.
    pub(crate) fn is_packed(&self) -> bool {
        !matches!(self.at, At::Live)
    }

    /// A part of the bytes. It is shorter than `length` if the archive ends before.
    pub fn part(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut part = Vec::new();
        self.read(offset, length, &mut part)?;
        Ok(part)
    }

    /// Writes all bytes.
    pub fn copy_to(&self, mut out: impl Write) -> io::Result<()> {
        self.read(0, self.size, &mut out)
    }

    fn read(&self, offset: u64, length: u64, out: &mut impl Write) -> io::Result<()> {
        let (begin, end) = (offset.min(self.size), offset.saturating_add(length).min(self.size));
        match &self.at {
            At::Memory(bytes) => {
                let index = |at: u64| usize::try_from(at).unwrap_or(bytes.len());
                out.write_all(&bytes[index(begin)..index(end)])
            }
            At::Spool(start) => {
                let mut spool = spool();
                let file = spool.as_mut().ok_or(io::ErrorKind::NotFound)?;
                file.seek(SeekFrom::Start(start + begin))?;
                io::copy(&mut file.take(end - begin), out).map(drop)
            }
            At::Live => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Keeps the bytes of a file, and returns them with their hash.
    pub(super) fn of_file(mut file: File) -> io::Result<(Self, String)> {
        let mut store = Store::new();
        file.rewind()?;
        io::copy(&mut file, &mut store)?;
        store.finish()
    }

    /// The live package, which was not packed.
    pub(super) fn live(size: u64) -> Self {
        Self { size, at: At::Live }
    }

    /// An archive in memory.
    pub fn in_memory(bytes: Vec<u8>) -> Self {
        Self { size: bytes.len() as u64, at: At::Memory(bytes) }
    }
}

fn spool() -> MutexGuard<'static, Option<File>> {
    SPOOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the bytes of an archive as they are written, and hashes them on the way.
pub(super) struct Store {
    out: BufWriter<Hashing>,
}

struct Hashing {
    hash: Sha256,
    size: u64,
    to: To,
}

/// Where the bytes go. An archive that outgrew the memory holds the spool until it is complete.
enum To {
    Memory(Vec<u8>),
    Spool { spool: MutexGuard<'static, Option<File>>, start: u64 },
}

impl Store {
    pub(super) fn new() -> Self {
        let hashing = Hashing { hash: Sha256::new(), size: 0, to: To::Memory(Vec::new()) };
        Self { out: BufWriter::with_capacity(1 << 18, hashing) }
    }

    /// The archive, with its hash.
    pub(super) fn finish(self) -> io::Result<(Archive, String)> {
        let Hashing { hash, size, to } = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        let at = match to {
            To::Memory(bytes) => {
                KEPT.fetch_add(bytes.len(), Ordering::Relaxed);
                At::Memory(bytes)
            }
            To::Spool { start, .. } => At::Spool(start),
        };
        Ok((Archive { at, size }, base64(hash)))
    }
}

impl Write for Store {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Hashing {
    /// Moves what is in memory to the end of the spool.
    fn spill(&mut self) -> io::Result<()> {
        let To::Memory(bytes) = &self.to else { return Ok(()) };
        let mut spool = spool();
        let file = match &mut *spool {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        let start = file.seek(SeekFrom::End(0))?;
        file.write_all(bytes)?;
        self.to = To::Spool { spool, start };
        Ok(())
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = IN_MEMORY.saturating_sub(KEPT.load(Ordering::Relaxed));
        if matches!(&self.to, To::Memory(kept) if kept.len() + bytes.len() > room) {
            self.spill()?;
        }
        let written = match &mut self.to {
            To::Memory(kept) => {
                kept.extend_from_slice(bytes);
                bytes.len()
            }
            To::Spool { spool, .. } => spool.as_mut().ok_or(io::ErrorKind::NotFound)?.write(bytes)?,
        };
        self.hash.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Memory(_) => Ok(()),
            To::Spool { spool, .. } => spool.as_mut().map_or(Ok(()), Write::flush),
        }
    }
}

/// A copy of at most `most` bytes of a file. Nobody else can change it, since it has no name.
pub(super) fn snapshot(file: &File, most: u64) -> io::Result<File> {
    let mut copy = tempfile::tempfile()?;
    io::copy(&mut file.take(most), &mut copy)?;
    copy.rewind()?;
    Ok(copy)
}

/// The SHA-256 of a file's bytes, in the form of [`code_sha256`].
pub(super) fn hash_of(file: &mut File) -> io::Result<String> {
    file.rewind()?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            file.rewind()?;
            return Ok(base64(hash));
        }
        hash.update(&piece[..read]);
    }
}

/// SHA-256 of bytes, in the form that AWS has for checksums and Lambda calls `CodeSha256`.
pub(crate) fn code_sha256(bytes: &[u8]) -> String {
    base64(Sha256::new_with_prefix(bytes))
}

fn base64(hash: Sha256) -> String {
    base64::engine::general_purpose::STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_beyond_the_memory_share_one_file_and_keep_their_bytes() {
        let bytes = |seed: usize, size: usize| {
            (0..size).map(|at| u8::try_from((at / 7 + seed) % 251).unwrap()).collect::<Vec<_>>()
        };
        let contents = [
            bytes(1, 3),
            bytes(2, IN_MEMORY + 1),
            bytes(3, IN_MEMORY / 2),
            bytes(4, IN_MEMORY / 2),
            bytes(5, IN_MEMORY * 2 + 5),
        ];
        let kept: Vec<_> = contents
            .iter()
            .map(|bytes| {
                let mut store = Store::new();
                bytes.chunks(100_003).for_each(|piece| store.write_all(piece).unwrap());
                store.finish().unwrap()
            })
            .collect();
        let in_memory = |(archive, _): &&(Archive, String)| matches!(archive.at, At::Memory(_));
        assert!(kept.iter().filter(in_memory).map(|(archive, _)| archive.size()).sum::<u64>() <= IN_MEMORY as u64);
        for (content, (archive, hash)) in contents.iter().zip(&kept) {
            assert_eq!((archive.size(), hash), (content.len() as u64, &code_sha256(content)));
            let mut copy = Vec::new();
            archive.copy_to(&mut copy).unwrap();
            assert!(copy == *content);
            let middle = content.len() / 2;
            assert!(archive.part(middle as u64, 9).unwrap() == content[middle..content.len().min(middle + 9)]);
            assert_eq!(archive.part(content.len() as u64 + 1, 9).unwrap(), Vec::<u8>::new());
        }
    }
}
