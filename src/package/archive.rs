//! The zip format: entries in their order, one fixed time, sizes known before the bytes wherever they are.
//!
//! Written after APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16. No library takes bytes that were deflated elsewhere and
//! writes their sizes in front of them, which readers of streams need.

use std::io::{self, Write};

use super::deflate::{self, Deflated, Method, Position};
use super::select::{Entry, Kind};
use super::{Error, Listed};

/// Bytes that no part of an archive may exceed here. AWS takes a quarter of a gigabyte.
const MOST: u64 = u32::MAX as u64;

/// More entries than this need the larger end record.
const ENTRIES: usize = u16::MAX as usize - 1;

/// UTF-8 names.
const UTF8: u16 = 1 << 11;

/// The sizes stand behind the bytes.
const DESCRIPTOR: u16 = 1 << 3;

/// 1980-01-01, the first day that the format knows. The time of day is zero.
const DATE: u16 = 1 << 5 | 1;

/// Version 2.0 of the format, for deflate.
const NEEDED: u16 = 20;

/// Version 4.5 of the format, for more entries.
const NEEDED_FOR_MANY: u16 = 45;

/// Made on Unix, so that the mode counts.
const MADE_BY: u16 = 3 << 8 | NEEDED;

/// Writes the entries, in their order, and returns how each is listed.
///
/// `progress` is told how many bytes have been packed so far.
pub(super) fn write(entries: &[Entry], out: impl Write, mut progress: impl FnMut(u64)) -> Result<Vec<Listed>, Error> {
    let unpacked: u64 = entries.iter().map(Entry::size).sum();
    if unpacked > MOST - (1 << 30) {
        return Err(Error::TooLarge(unpacked));
    }
    let mut out = Counted { out, count: 0 };
    let mut records: Vec<Record> = Vec::with_capacity(entries.len());
    let mut packed = 0;
    deflate::in_order(entries, |piece| {
        packed += piece.size;
        let entry = &entries[piece.entry];
        if matches!(piece.position, Position::Only | Position::First) {
            records.push(Record::new(entry, &piece, out.count));
        }
        let Some(record) = records.last_mut() else { return Ok(()) };
        record.add(entry, &piece, &mut out).map_err(Error::Temporary)?;
        progress(packed);
        Ok(())
    })?;
    finish(entries, &records, &mut out).map_err(Error::Temporary)?;
    let listed = |(entry, record): (&Entry, &Record)| Listed {
        name: entry.name.clone(),
        mode: record.mode,
        size: record.size,
        packed: record.packed,
    };
    Ok(entries.iter().zip(&records).map(listed).collect())
}

/// What the central directory tells of an entry.
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
        let descriptor = if first.position == Position::Only { 0 } else { DESCRIPTOR };
        Self {
            offset,
            flags: utf8 | descriptor,
            method: first.method,
            crc: crc32fast::Hasher::new(),
            packed: 0,
            size: 0,
            mode: mode(entry, first.runs),
        }
    }

    fn add(&mut self, entry: &Entry, piece: &Deflated, out: &mut impl Write) -> io::Result<()> {
        self.crc.combine(&piece.crc);
        self.packed += piece.bytes.len() as u64;
        self.size += piece.size;
        match piece.position {
            Position::Only => self.local_header(entry, Some(self.sizes()), out)?,
            Position::First => self.local_header(entry, None, out)?,
            Position::Middle | Position::Last => {}
        }
        out.write_all(&piece.bytes)?;
        if piece.position == Position::Last {
            out.write_all(b"PK\x07\x08")?;
            out.write_all(&self.sizes())?;
        }
        Ok(())
    }

    fn local_header(&self, entry: &Entry, sizes: Option<[u8; 12]>, out: &mut impl Write) -> io::Result<()> {
        out.write_all(b"PK\x03\x04")?;
        out.write_all(&self.common())?;
        out.write_all(&sizes.unwrap_or_default())?;
        out.write_all(&low(entry.name.len() as u64))?;
        out.write_all(&[0; 2])?;
        out.write_all(entry.name.as_bytes())
    }

    fn central_header(&self, entry: &Entry, out: &mut impl Write) -> io::Result<()> {
        out.write_all(b"PK\x01\x02")?;
        out.write_all(&MADE_BY.to_le_bytes())?;
        out.write_all(&self.common())?;
        out.write_all(&self.sizes())?;
        out.write_all(&low(entry.name.len() as u64))?;
        // No extra field, no comment, the first disk, nothing said about text.
        out.write_all(&[0; 8])?;
        out.write_all(&(self.mode << 16).to_le_bytes())?;
        out.write_all(&wide(self.offset))?;
        out.write_all(entry.name.as_bytes())
    }

    /// What both headers begin with.
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

    /// Checksum, packed and unpacked size.
    fn sizes(&self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.crc.clone().finalize().to_le_bytes());
        bytes[4..8].copy_from_slice(&wide(self.packed));
        bytes[8..].copy_from_slice(&wide(self.size));
        bytes
    }
}

/// The Unix mode with its type bits: the only three there are.
///
/// A file is 0755 when it has an execute bit, begins like a program, is the root `bootstrap`, or is an extension.
fn mode(entry: &Entry, runs: bool) -> u32 {
    match entry.kind {
        Kind::Link { .. } => 0o120_777,
        Kind::File { executable, .. }
            if executable || runs || entry.name == "bootstrap" || entry.name.starts_with("extensions/") =>
        {
            0o100_755
        }
        Kind::File { .. } => 0o100_644,
    }
}

fn finish(entries: &[Entry], records: &[Record], out: &mut Counted<impl Write>) -> io::Result<()> {
    let start = out.count;
    for (entry, record) in entries.iter().zip(records) {
        record.central_header(entry, out)?;
    }
    let (size, count) = (out.count - start, entries.len() as u64);
    if entries.len() > ENTRIES {
        let end = out.count;
        out.write_all(b"PK\x06\x06")?;
        out.write_all(&44_u64.to_le_bytes())?;
        out.write_all(&MADE_BY.to_le_bytes())?;
        out.write_all(&NEEDED_FOR_MANY.to_le_bytes())?;
        out.write_all(&[0; 8])?;
        for value in [count, count, size, start] {
            out.write_all(&value.to_le_bytes())?;
        }
        out.write_all(b"PK\x06\x07")?;
        out.write_all(&[0; 4])?;
        out.write_all(&end.to_le_bytes())?;
        out.write_all(&1_u32.to_le_bytes())?;
    }
    let told = low(if entries.len() > ENTRIES { u64::from(u16::MAX) } else { count });
    out.write_all(b"PK\x05\x06\0\0\0\0")?;
    out.write_all(&told)?;
    out.write_all(&told)?;
    out.write_all(&wide(size))?;
    out.write_all(&wide(start))?;
    out.write_all(&[0; 2])?;
    out.flush()
}

/// A number that is known to fit four bytes, since no archive here is larger.
fn wide(value: u64) -> [u8; 4] {
    u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes()
}

/// A number that is known to fit two bytes.
fn low(value: u64) -> [u8; 2] {
    u16::try_from(value).unwrap_or(u16::MAX).to_le_bytes()
}

/// Counts what is written.
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
