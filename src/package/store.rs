//! Where the bytes of an archive are kept: small ones in memory, others in a file that is gone when the process is.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
};

use base64::Engine;
use sha2::{Digest, Sha256};
use tempfile::SpooledTempFile;

/// Archives up to this size are not worth a file, in bytes.
const IN_MEMORY: usize = 8 << 20;

/// An archive. A large one is in a file that has no name, so it is gone when the process is, however that ends.
#[derive(Debug)]
pub struct Archive {
    at: At,
    size: u64,
}

#[derive(Debug)]
enum At {
    Memory(Vec<u8>),
    File(File),
}

impl Archive {
    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// A part of the bytes; all of them that there are, where the archive ends before.
    pub fn part(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut part = Vec::new();
        match &self.at {
            At::Memory(bytes) => {
                let index = |at: u64| usize::try_from(at.min(self.size)).unwrap_or(bytes.len());
                part.extend_from_slice(&bytes[index(offset)..index(offset.saturating_add(length))]);
            }
            At::File(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(offset))?;
                file.take(length).read_to_end(&mut part)?;
            }
        }
        Ok(part)
    }

    /// Writes all bytes.
    pub fn copy_to(&self, mut out: impl Write) -> io::Result<()> {
        match &self.at {
            At::Memory(bytes) => out.write_all(bytes),
            At::File(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(0))?;
                io::copy(&mut file, &mut out).map(drop)
            }
        }
    }

    /// The bytes of an archive in a file, and their hash. The file is one that nobody else can change.
    pub(super) fn of_file(mut file: File) -> io::Result<(Self, String)> {
        let mut hashing = Hashing { hash: Sha256::new(), out: io::sink() };
        file.rewind()?;
        let size = io::copy(&mut file, &mut hashing)?;
        Ok((Self { at: At::File(file), size }, base64(hashing.hash)))
    }

    /// An archive in memory.
    pub fn in_memory(bytes: Vec<u8>) -> Self {
        Self { size: bytes.len() as u64, at: At::Memory(bytes) }
    }
}

/// Takes the bytes of an archive as they are written, and hashes them on the way.
pub(super) struct Store {
    out: BufWriter<Hashing<SpooledTempFile>>,
}

impl Store {
    pub(super) fn new() -> Self {
        let spooled = tempfile::spooled_tempfile(IN_MEMORY);
        Self { out: BufWriter::with_capacity(1 << 18, Hashing { hash: Sha256::new(), out: spooled }) }
    }

    /// The archive, with its hash.
    pub(super) fn finish(self) -> io::Result<(Archive, String)> {
        let Hashing { hash, mut out } = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        let size = out.stream_position()?;
        let at = match out.into_inner() {
            tempfile::SpooledData::InMemory(bytes) => At::Memory(bytes.into_inner()),
            tempfile::SpooledData::OnDisk(file) => At::File(file),
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

struct Hashing<W> {
    hash: Sha256,
    out: W,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A copy of a file that nobody else can change, in a file without a name; of at most so many bytes.
pub(super) fn snapshot(file: &File, most: u64) -> io::Result<File> {
    let mut copy = tempfile::tempfile()?;
    io::copy(&mut file.take(most), &mut copy)?;
    copy.rewind()?;
    Ok(copy)
}

/// SHA-256 of bytes, in the form that AWS has for checksums and Lambda calls `CodeSha256`.
pub(crate) fn code_sha256(bytes: &[u8]) -> String {
    base64(Sha256::new_with_prefix(bytes))
}

fn base64(hash: Sha256) -> String {
    base64::engine::general_purpose::STANDARD.encode(hash.finalize())
}
