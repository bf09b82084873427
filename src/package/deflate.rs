//! From files to deflated bytes: on all cores, in bounded memory, delivered in order.
//!
//! A file is one piece, deflated by `libdeflate`; only one too large for memory is cut into several, deflated by zlib,
//! which can go on where another piece ended. What a piece becomes depends on its bytes alone.

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

/// Files up to this size are deflated as a whole.
const WHOLE: u64 = 32 << 20;

/// The size of the pieces of a larger file. What follows a cut cannot refer to what precedes it, which costs one part
/// in a thousand.
const PIECE: u64 = 4 << 20;

/// Bytes in memory at most, on any number of cores: read, deflated, and waiting for their turn to be written.
const BUDGET: u64 = 176 << 20;

/// What a piece costs besides its bytes.
const OVERHEAD: u64 = 512;

/// The level of both libraries. Info-ZIP's own default is the same.
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

/// Where a piece lies in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// It is all of it.
    Only,
    First,
    Middle,
    Last,
}

/// A piece, ready to be written.
pub(super) struct Deflated {
    /// The index of the entry.
    pub(super) entry: usize,
    /// Where it lies in its file.
    pub(super) position: Position,
    /// Whether `bytes` are deflated, or as they were: those of a single piece that deflating does not make smaller.
    pub(super) method: Method,
    /// What is written.
    pub(super) bytes: Vec<u8>,
    /// The checksum of the bytes as they were, to be combined with those of the other pieces.
    pub(super) crc: crc32fast::Hasher,
    /// How many bytes there were.
    pub(super) size: u64,
    /// Whether the bytes begin like a program or a script.
    pub(super) runs: bool,
}

/// How the bytes of an entry are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// Deflates the entries and hands the pieces over in their order. Ends at the first error.
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
            // One is enough; a machine that gives no more is no reason to fail.
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

/// The pieces of one entry, which are a matter of its size.
fn pieces(entry: usize, of: &Entry) -> Vec<Piece> {
    let size = match of.kind {
        Kind::File { size, .. } if size > WHOLE => size,
        Kind::File { size: length, .. } => return vec![Piece { entry, offset: 0, length, position: Position::Only }],
        Kind::Link { .. } => return vec![Piece { entry, offset: 0, length: 0, position: Position::Only }],
    };
    let starts = (0..size).step_by(usize::try_from(PIECE).unwrap_or(usize::MAX));
    let piece = |offset| {
        let length = PIECE.min(size - offset);
        let position = match offset {
            0 => Position::First,
            _ if offset + length == size => Position::Last,
            _ => Position::Middle,
        };
        Piece { entry, offset, length, position }
    };
    starts.map(piece).collect()
}

/// Pieces that wait for a worker, and for memory. They are handed out in order, so the piece that is to be written next
/// always has its memory already.
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

/// What a piece needs while it is in work: its bytes, and at most as many again.
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
    let (size, runs) = (bytes.len() as u64, begins_like_a_program(&bytes));
    let shrinks = shrinks(&bytes, sampler);
    let (method, bytes) = match piece.position {
        Position::Only if shrinks => smaller(bytes, compressor),
        Position::Only => (Method::Stored, bytes),
        _ => (Method::Deflated, continued(&bytes, shrinks, piece.position)?),
    };
    Ok(Deflated { entry: piece.entry, position: piece.position, method, bytes, crc, size, runs })
}

/// Reads a piece, and looks whether the file is still the one that was selected.
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

/// The bytes as they go in: those of the file, but for the one kind that tells what else was there.
fn as_packaged(bytes: Vec<u8>, entry: &Entry, names: &BTreeSet<&str>) -> Vec<u8> {
    if !installed::is_record(&entry.name) {
        return bytes;
    }
    match String::from_utf8(bytes) {
        Ok(text) => installed::record_of_present(&entry.name, &text, names).into_bytes(),
        Err(binary) => binary.into_bytes(),
    }
}

/// An ELF file, or a script that names its interpreter.
fn begins_like_a_program(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF") || bytes.starts_with(b"#!")
}

/// Whether deflating is worth a try: samples of bytes that are compressed already do not shrink.
fn shrinks(bytes: &[u8], sampler: &mut Compressor) -> bool {
    const SAMPLE: usize = 4 << 10;
    const SAMPLES: usize = 4;
    if bytes.len() < 4 * SAMPLE * SAMPLES {
        return true;
    }
    let sample: Vec<u8> =
        (0..SAMPLES).flat_map(|nth| &bytes[bytes.len() / SAMPLES * nth..][..SAMPLE]).copied().collect();
    // Output that does not fit is an error of the library's: it did not shrink by the fiftieth part.
    sampler.deflate_compress(&sample, &mut vec![0; sample.len() - sample.len() / 50]).is_ok()
}

/// Deflates, or leaves as it is what would not get smaller.
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

/// Deflates a piece so that the next one can go on behind it.
fn continued(bytes: &[u8], shrinks: bool, position: Position) -> Result<Vec<u8>, Error> {
    let level = if shrinks { Compression::new(LEVEL.unsigned_abs()) } else { Compression::none() };
    let flush = if position == Position::Last { FlushCompress::Finish } else { FlushCompress::Sync };
    let mut compressor = Compress::new(level, false);
    let mut room = Vec::with_capacity(bytes.len() / 2 + 1024);
    loop {
        let done = usize::try_from(compressor.total_in()).unwrap_or(usize::MAX);
        let status = compressor.compress_vec(&bytes[done..], &mut room, flush);
        let status = status.map_err(|error| Error::Temporary(io::Error::other(error)))?;
        // Room that is left says that nothing waits in the deflater any more.
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

    /// An entry for a file as it was when somebody looked.
    fn seen(path: &std::path::Path, change: impl FnOnce(&mut u64, &mut Option<Duration>)) -> Entry {
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
    fn a_file_that_changed_since_it_was_selected_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "content").unwrap();
        assert_eq!(packed(seen(&path, |_, _| ())).unwrap(), [7]);
        for entry in [
            seen(&path, |size, _| *size += 1),
            seen(&path, |size, _| *size -= 1),
            seen(&path, |_, modified| *modified = modified.map(|time| time + Duration::from_millis(1))),
        ] {
            assert!(matches!(packed(entry), Err(Error::Changed(changed)) if changed == path));
        }
        let entry = seen(&path, |_, _| ());
        fs::remove_file(&path).unwrap();
        assert!(matches!(packed(entry), Err(Error::Unreadable(..))));
    }

    #[test]
    fn pieces_arrive_in_their_order_and_never_take_more_than_the_budget() {
        let folder = tempfile::tempdir().unwrap();
        let entry = |number: u64| {
            let path = folder.path().join(number.to_string());
            // The first is the slowest, so the others wait for it.
            File::create(&path).unwrap().set_len(if number == 0 { WHOLE + 3 * PIECE + 1 } else { number }).unwrap();
            seen(&path, |_, _| ())
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
