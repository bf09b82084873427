//! Writes the zip format: entries in a given order, one fixed time, and sizes before the bytes where they are known.
//!
//! Follows APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16. Programs that read a zip as a stream need the sizes before the
//! bytes. No library writes them so for bytes that are already deflated.

use std::io::{self, Write};

use super::deflate::{self, Deflated, Manner, Method, Position};
use super::digest::Digest;
use super::select::{Entry, Kind};
use super::{Error, Listed};

/// The largest archive that this module can write, in bytes: offsets have four bytes. AWS accepts only 250 MB.
const MAX_BYTES: u64 = u32::MAX as u64;

/// An archive with more entries needs the zip64 end record.
const MAX_ENTRIES: usize = u16::MAX as usize - 1;

/// The flag for a name in UTF-8.
const UTF8: u16 = 1 << 11;

/// The flag for sizes that follow the bytes.
const DESCRIPTOR: u16 = 1 << 3;

/// 1980-01-01, the first day that the format knows. The time of day is zero.
const DATE: u16 = 1 << 5 | 1;

/// Version 2.0 of the format, the first with deflate.
const NEEDED: u16 = 20;

/// Version 4.5 of the format, the first with zip64.
const NEEDED_FOR_ZIP64: u16 = 45;

/// Made on Unix, so that readers use the mode.
const MADE_BY: u16 = 3 << 8 | NEEDED;

/// Writes the entries in the given order and returns their listing.
///
/// Calls `progress` with the number of bytes packed so far.
pub(super) fn write(
    entries: &[Entry],
    manner: Manner,
    out: impl Write,
    mut progress: impl FnMut(u64),
) -> Result<Vec<Listed>, Error> {
    let unpacked: u64 = entries.iter().map(Entry::size).sum();
    if unpacked > MAX_BYTES - (1 << 30) {
        return Err(Error::TooLarge(unpacked));
    }
    let mut out = Counted { out, count: 0 };
    let mut records: Vec<Record> = Vec::with_capacity(entries.len());
    let (mut packed, mut digest) = (0, Digest::new(manner.compression));
    deflate::in_order(entries, manner, |piece| {
        packed += piece.read.size;
        let entry = &entries[piece.read.entry];
        if piece.read.position.is_first() {
            let record = Record::new(entry, &piece, out.count);
            digest.entry(&entry.name, record.mode);
            records.push(record);
        }
        let Some(record) = records.last_mut() else { return Ok(()) };
        digest.piece(&piece.read.sha256, piece.read.position.is_last());
        record.add(entry, &piece, &mut out).map_err(Error::Temporary)?;
        progress(packed);
        Ok(())
    })?;
    finish(entries, &records, &digest.comment(), &mut out).map_err(Error::Temporary)?;
    let listed = |(entry, record): (&Entry, &Record)| Listed {
        name: entry.name.clone(),
        mode: record.mode,
        crc32: record.crc.clone().finalize(),
        size: record.size,
        packed: record.packed,
    };
    Ok(entries.iter().zip(&records).map(listed).collect())
}

/// An entry of the central directory.
struct Record {
    offset: u64,
    flags: u16,
    method: Method,
    crc: crc32fast::Hasher,
    packed: u64,
    size: u64,
    mode: u32,
}

impl Record {
    fn new(entry: &Entry, first: &Deflated, offset: u64) -> Self {
        let utf8 = if entry.name.is_ascii() { 0 } else { UTF8 };
        let descriptor = if first.read.position == Position::Only { 0 } else { DESCRIPTOR };
        Self {
            offset,
            flags: utf8 | descriptor,
            method: first.method,
            crc: crc32fast::Hasher::new(),
            packed: 0,
            size: 0,
            mode: mode(entry, first.read.is_program),
        }
    }

    fn add(&mut self, entry: &Entry, piece: &Deflated, out: &mut impl Write) -> io::Result<()> {
        self.crc.combine(&piece.read.crc);
        self.packed += piece.bytes.len() as u64;
        self.size += piece.read.size;
        match piece.read.position {
            Position::Only => self.local_header(entry, Some(self.sizes()), out)?,
            Position::First => self.local_header(entry, None, out)?,
            Position::Middle | Position::Last => {}
        }
        out.write_all(&piece.bytes)?;
        if piece.read.position == Position::Last {
            out.write_all(b"PK\x07\x08")?;
            out.write_all(&self.sizes())?;
        }
        Ok(())
    }

    fn local_header(&self, entry: &Entry, sizes: Option<[u8; 12]>, out: &mut impl Write) -> io::Result<()> {
        out.write_all(b"PK\x03\x04")?;
        out.write_all(&self.common())?;
        out.write_all(&sizes.unwrap_or_default())?;
        out.write_all(&two_bytes(entry.name.len() as u64))?;
        out.write_all(&[0; 2])?;
        out.write_all(entry.name.as_bytes())
    }

    fn central_header(&self, entry: &Entry, out: &mut impl Write) -> io::Result<()> {
        out.write_all(b"PK\x01\x02")?;
        out.write_all(&MADE_BY.to_le_bytes())?;
        out.write_all(&self.common())?;
        out.write_all(&self.sizes())?;
        out.write_all(&two_bytes(entry.name.len() as u64))?;
        // No extra field, no comment, the first disk, no internal attributes.
        out.write_all(&[0; 8])?;
        out.write_all(&(self.mode << 16).to_le_bytes())?;
        out.write_all(&four_bytes(self.offset))?;
        out.write_all(entry.name.as_bytes())
    }

    /// The fields that begin both the local and the central header.
    fn common(&self) -> [u8; 10] {
        let method: u16 = match self.method {
            Method::Stored => 0,
            Method::Deflated => 8,
        };
        let mut bytes = [0; 10];
        for (at, value) in [NEEDED, self.flags, method, 0, DATE].into_iter().enumerate() {
            bytes[2 * at..2 * at + 2].copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// The checksum, the packed and the unpacked size.
    fn sizes(&self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.crc.clone().finalize().to_le_bytes());
        bytes[4..8].copy_from_slice(&four_bytes(self.packed));
        bytes[8..].copy_from_slice(&four_bytes(self.size));
        bytes
    }
}

/// The Unix mode with its type bits: one of three.
///
/// A file is 0755 if it has an execute bit, begins like a program, is the root `bootstrap`, or is an extension. Else it
/// is 0644. A link is 0777.
pub(super) fn mode(entry: &Entry, is_program: bool) -> u32 {
    match entry.kind {
        Kind::Link { .. } => 0o120_777,
        Kind::File { executable, .. }
            if executable || is_program || entry.name == "bootstrap" || entry.name.starts_with("extensions/") =>
        {
            0o100_755
        }
        Kind::File { .. } => 0o100_644,
    }
}

fn finish(entries: &[Entry], records: &[Record], comment: &str, out: &mut Counted<impl Write>) -> io::Result<()> {
    let start = out.count;
    for (entry, record) in entries.iter().zip(records) {
        record.central_header(entry, out)?;
    }
    let (size, count) = (out.count - start, entries.len() as u64);
    let zip64 = entries.len() > MAX_ENTRIES;
    if zip64 {
        let end = out.count;
        out.write_all(b"PK\x06\x06")?;
        out.write_all(&44_u64.to_le_bytes())?;
        out.write_all(&MADE_BY.to_le_bytes())?;
        out.write_all(&NEEDED_FOR_ZIP64.to_le_bytes())?;
        out.write_all(&[0; 8])?;
        for value in [count, count, size, start] {
            out.write_all(&value.to_le_bytes())?;
        }
        out.write_all(b"PK\x06\x07")?;
        out.write_all(&[0; 4])?;
        out.write_all(&end.to_le_bytes())?;
        out.write_all(&1_u32.to_le_bytes())?;
    }
    let short_count = two_bytes(if zip64 { u64::from(u16::MAX) } else { count });
    out.write_all(b"PK\x05\x06\0\0\0\0")?;
    out.write_all(&short_count)?;
    out.write_all(&short_count)?;
    out.write_all(&four_bytes(size))?;
    out.write_all(&four_bytes(start))?;
    out.write_all(&two_bytes(comment.len() as u64))?;
    out.write_all(comment.as_bytes())?;
    out.flush()
}

/// The number in four bytes. It fits, because no archive is larger than [`MAX_BYTES`].
fn four_bytes(value: u64) -> [u8; 4] {
    u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes()
}

/// The number in two bytes. It fits: names are shorter, and more entries need zip64.
fn two_bytes(value: u64) -> [u8; 2] {
    u16::try_from(value).unwrap_or(u16::MAX).to_le_bytes()
}

/// Counts the bytes written.
struct Counted<W> {
    out: W,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
