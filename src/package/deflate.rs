//! Deflates files on all cores, in bounded memory, and delivers them in order.
//!
//! `libdeflate` deflates a file as one piece. Only a file too large for memory is cut into several pieces, which zlib
//! deflates, because zlib can continue a stream. The result of a piece depends on its bytes alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
};

use flate2::{Compress, Compression, FlushCompress, Status};
use libdeflater::{CompressionError, CompressionLvl, Compressor};

use super::{
    Error, installed,
    select::{Entry, Kind, modified as modified_at},
};

/// The largest file that is deflated as one piece, in bytes.
const WHOLE: u64 = 32 << 20;

/// The size of the pieces of a larger file, in bytes. A piece cannot refer to the piece before it; this makes the result
/// about a thousandth larger.
const PIECE: u64 = 4 << 20;

/// The most bytes in memory, on any number of cores: read, deflated, or waiting to be written.
const BUDGET: u64 = 176 << 20;

/// The memory that a piece needs besides its bytes.
const OVERHEAD: u64 = 512;

/// The level of both libraries. Info-ZIP has the same default.
const LEVEL: i32 = 6;

/// A part of an entry's bytes, or all of them.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// The index of the entry.
    entry: usize,
    offset: u64,
    length: u64,
    position: Position,
}

/// The position of a piece in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// The piece is the whole file.
    Only,
    First,
    Middle,
    Last,
}

/// A piece, ready to be written.
pub(super) struct Deflated {
    /// The index of the entry.
    pub(super) entry: usize,
    /// The position of the piece in its file.
    pub(super) position: Position,
    /// The form of `bytes`. Only a whole file that deflating does not shrink is stored.
    pub(super) method: Method,
    /// The bytes to write.
    pub(super) bytes: Vec<u8>,
    /// The checksum of the original bytes. The checksums of all pieces are combined.
    pub(super) crc: crc32fast::Hasher,
    /// The number of original bytes.
    pub(super) size: u64,
    /// Whether the bytes begin like a program or a script.
    pub(super) is_program: bool,
}

/// The form in which the bytes of an entry are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// Deflates the entries and passes the pieces to `take`, in the order of the entries. Stops at the first error.
pub(super) fn in_order(entries: &[Entry], mut take: impl FnMut(Deflated) -> Result<(), Error>) -> Result<(), Error> {
    let pieces: Vec<_> = entries.iter().enumerate().flat_map(|(index, entry)| pieces(index, entry)).collect();
    let names = entries.iter().map(|entry| entry.name.as_str()).collect();
    let queue = Queue {
        pieces: &pieces,
        names: &names,
        state: Mutex::new(State { next: 0, free: BUDGET }),
        changed: Condvar::new(),
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(pieces.len());
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for number in 0..workers {
            let (queue, sender) = (&queue, sender.clone());
            let worker = thread::Builder::new().spawn_scoped(scope, move || queue.work(entries, &sender));
            // One worker is enough, so only the first must start.
            if let Err(error) = worker
                && number == 0
            {
                return Err(Error::Thread(error));
            }
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut turn = 0;
        let mut deliver = || {
            for (index, deflated) in &receiver {
                early.insert(index, deflated);
                while let Some(deflated) = early.remove(&turn) {
                    let deflated: Deflated = deflated?;
                    let kept = deflated.bytes.len() as u64;
                    take(deflated)?;
                    queue.give_back(kept + OVERHEAD);
                    turn += 1;
                }
            }
            Ok(())
        };
        let result = deliver();
        queue.stop();
        result
    })
}

/// Cuts an entry into pieces by its size. `index` is the index of the entry.
fn pieces(index: usize, entry: &Entry) -> Vec<Piece> {
    let whole = |length| vec![Piece { entry: index, offset: 0, length, position: Position::Only }];
    let size = match entry.kind {
        Kind::File { size, .. } if size > WHOLE => size,
        Kind::File { size, .. } => return whole(size),
        Kind::Link { .. } => return whole(0),
    };
    let starts = (0..size).step_by(usize::try_from(PIECE).unwrap_or(usize::MAX));
    let piece = |offset| {
        let length = PIECE.min(size - offset);
        let position = match offset {
            0 => Position::First,
            _ if offset + length == size => Position::Last,
            _ => Position::Middle,
        };
        Piece { entry: index, offset, length, position }
    };
    starts.map(piece).collect()
}

/// Pieces that wait for a worker and for memory. Workers take them in order, so the piece to be written next always has
/// its memory already.
struct Queue<'a> {
    pieces: &'a [Piece],
    /// The names of all entries.
    names: &'a BTreeSet<&'a str>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    next: usize,
    free: u64,
}

impl Queue<'_> {
    fn work(&self, entries: &[Entry], sender: &mpsc::Sender<(usize, Result<Deflated, Error>)>) {
        let compressor = |level| Compressor::new(CompressionLvl::new(level).unwrap_or_default());
        let (mut compressor, mut sampler) = (compressor(LEVEL), compressor(1));
        while let Some((index, piece)) = self.next() {
            let deflated = deflate(piece, &entries[piece.entry], self.names, &mut compressor, &mut sampler);
            let kept = deflated.as_ref().map_or(0, |deflated| deflated.bytes.len() as u64 + OVERHEAD);
            self.give_back(cost(piece).saturating_sub(kept));
            if sender.send((index, deflated)).is_err() {
                return;
            }
        }
    }

    fn next(&self) -> Option<(usize, Piece)> {
        let short = |state: &mut State| self.pieces.get(state.next).is_some_and(|piece| cost(*piece) > state.free);
        let mut state = self.changed.wait_while(self.lock(), short).unwrap_or_else(PoisonError::into_inner);
        let (index, piece) = (state.next, *self.pieces.get(state.next)?);
        state.next += 1;
        state.free -= cost(piece);
        Some((index, piece))
    }

    fn give_back(&self, bytes: u64) {
        self.lock().free += bytes;
        self.changed.notify_all();
    }

    fn stop(&self) {
        self.lock().next = self.pieces.len();
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The memory that a piece needs while a worker deflates it: its bytes, and at most as many deflated bytes.
fn cost(piece: Piece) -> u64 {
    2 * piece.length + OVERHEAD
}

fn deflate(
    piece: Piece,
    entry: &Entry,
    names: &BTreeSet<&str>,
    compressor: &mut Compressor,
    sampler: &mut Compressor,
) -> Result<Deflated, Error> {
    let bytes = match &entry.kind {
        Kind::Link { target } => target.clone().into_bytes(),
        Kind::File { .. } => as_packaged(read(piece, entry)?, entry, names),
    };
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes);
    let (size, is_program) = (bytes.len() as u64, begins_like_a_program(&bytes));
    let shrinks = shrinks(&bytes, sampler);
    let (method, bytes) = match piece.position {
        Position::Only if shrinks => smaller(bytes, compressor),
        Position::Only => (Method::Stored, bytes),
        _ => (Method::Deflated, continued(&bytes, shrinks, piece.position)?),
    };
    Ok(Deflated { entry: piece.entry, position: piece.position, method, bytes, crc, size, is_program })
}

/// Reads a piece. A file that changed since it was selected is an error.
fn read(piece: Piece, entry: &Entry) -> Result<Vec<u8>, Error> {
    let unreadable = |error| Error::Unreadable(entry.source.clone(), error);
    let mut file = File::open(&entry.source).map_err(unreadable)?;
    if piece.offset > 0 {
        file.seek(SeekFrom::Start(piece.offset)).map_err(unreadable)?;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(piece.length).unwrap_or_default());
    file.by_ref().take(piece.length).read_to_end(&mut bytes).map_err(unreadable)?;
    let now = file.metadata().map_err(unreadable)?;
    let Kind::File { size, modified, .. } = entry.kind else { return Ok(bytes) };
    if bytes.len() as u64 != piece.length || now.len() != size || modified_at(&now) != modified {
        return Err(Error::Changed(entry.source.clone()));
    }
    Ok(bytes)
}

/// The bytes for the package. Only a Python `RECORD` differs from its file: it keeps the files that are in the package.
fn as_packaged(bytes: Vec<u8>, entry: &Entry, names: &BTreeSet<&str>) -> Vec<u8> {
    if !installed::is_record(&entry.name) {
        return bytes;
    }
    match String::from_utf8(bytes) {
        Ok(text) => installed::record_of_present(&entry.name, &text, names).into_bytes(),
        Err(binary) => binary.into_bytes(),
    }
}

/// Whether the bytes begin an ELF file, or a script with `#!`.
fn begins_like_a_program(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF") || bytes.starts_with(b"#!")
}

/// Whether deflating probably makes the bytes smaller. It deflates samples: compressed data does not shrink.
fn shrinks(bytes: &[u8], sampler: &mut Compressor) -> bool {
    const SAMPLE: usize = 4 << 10;
    const SAMPLES: usize = 4;
    if bytes.len() < 4 * SAMPLE * SAMPLES {
        return true;
    }
    let sample: Vec<u8> =
        (0..SAMPLES).flat_map(|nth| &bytes[bytes.len() / SAMPLES * nth..][..SAMPLE]).copied().collect();
    // The library reports an error when the output does not fit: the samples did not shrink by a fiftieth.
    sampler.deflate_compress(&sample, &mut vec![0; sample.len() - sample.len() / 50]).is_ok()
}

/// Deflates the bytes, or returns them unchanged if they would not get smaller.
fn smaller(bytes: Vec<u8>, compressor: &mut Compressor) -> (Method, Vec<u8>) {
    let mut room = vec![0; bytes.len().saturating_sub(1)];
    match compressor.deflate_compress(&bytes, &mut room) {
        Ok(length) => {
            room.truncate(length);
            room.shrink_to_fit();
            (Method::Deflated, room)
        }
        Err(CompressionError::InsufficientSpace) => (Method::Stored, bytes),
    }
}

/// Deflates a piece so that the stream can continue with the next piece.
fn continued(bytes: &[u8], shrinks: bool, position: Position) -> Result<Vec<u8>, Error> {
    let level = if shrinks { Compression::new(LEVEL.unsigned_abs()) } else { Compression::none() };
    let flush = if position == Position::Last { FlushCompress::Finish } else { FlushCompress::Sync };
    let mut compressor = Compress::new(level, false);
    let mut room = Vec::with_capacity(bytes.len() / 2 + 1024);
    loop {
        let done = usize::try_from(compressor.total_in()).unwrap_or(usize::MAX);
        let status = compressor.compress_vec(&bytes[done..], &mut room, flush);
        let status = status.map_err(|error| Error::Temporary(io::Error::other(error)))?;
        // Free space in the buffer means that the deflater holds back no more output.
        let all = compressor.total_in() == bytes.len() as u64;
        if status == Status::StreamEnd || (all && flush == FlushCompress::Sync && room.len() < room.capacity()) {
            return Ok(room);
        }
        room.reserve(bytes.len() / 4 + 1024);
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    /// An entry for a file, with a size and a time that may differ from the file's.
    fn selected(path: &std::path::Path, change: impl FnOnce(&mut u64, &mut Option<Duration>)) -> Entry {
        let metadata = fs::metadata(path).unwrap();
        let (mut size, mut modified) = (metadata.len(), modified_at(&metadata));
        change(&mut size, &mut modified);
        let kind = Kind::File { size, modified, executable: false };
        Entry { name: "file".to_owned(), source: path.to_owned(), kind }
    }

    fn packed(entry: Entry) -> Result<Vec<u64>, Error> {
        let mut sizes = Vec::new();
        in_order(&[entry], |piece| {
            sizes.push(piece.size);
            Ok(())
        })?;
        Ok(sizes)
    }

    #[test]
    fn a_file_that_changed_since_it_was_selected_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "content").unwrap();
        assert_eq!(packed(selected(&path, |_, _| ())).unwrap(), [7]);
        for entry in [
            selected(&path, |size, _| *size += 1),
            selected(&path, |size, _| *size -= 1),
            selected(&path, |_, modified| *modified = modified.map(|time| time + Duration::from_millis(1))),
        ] {
            assert!(matches!(packed(entry), Err(Error::Changed(changed)) if changed == path));
        }
        let entry = selected(&path, |_, _| ());
        fs::remove_file(&path).unwrap();
        assert!(matches!(packed(entry), Err(Error::Unreadable(..))));
    }

    #[test]
    fn pieces_arrive_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let entry = |number: u64| {
            let path = folder.path().join(number.to_string());
            // The first is the slowest, so the others wait for it.
            File::create(&path).unwrap().set_len(if number == 0 { WHOLE + 3 * PIECE + 1 } else { number }).unwrap();
            selected(&path, |_, _| ())
        };
        let entries: Vec<_> = (0..50).map(entry).collect();
        let mut order = Vec::new();
        in_order(&entries, |piece| {
            order.push((piece.entry, piece.size));
            Ok(())
        })
        .unwrap();
        assert_eq!(order[..12].iter().map(|(_, size)| size).sum::<u64>(), WHOLE + 3 * PIECE + 1);
        assert_eq!(order[12..], (1..50).map(|number| (number, number as u64)).collect::<Vec<_>>());
    }
}
