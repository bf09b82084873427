//! Reads files on all cores, in bounded memory, and delivers them in order: deflated, or only hashed.
//!
//! `libdeflate` deflates a file as one piece. Only a file too large for memory is cut into several pieces, which zlib
//! deflates, because zlib can continue a stream. The result of a piece depends on its bytes alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    mem,
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use flate2::{Compress, FlushCompress, Status};
use libdeflater::{CompressionLvl, Compressor};

use super::{
    Error,
    digest::{self, PieceHash},
    installed,
    select::{Entry, Kind, modified as modified_at},
};
use crate::deployment::Compression;

/// How often the first worker is started until it does start.
const TRIES: u32 = 20;

/// The time between two tries.
const MOMENT: Duration = Duration::from_millis(10);

/// The largest file that is deflated as one piece, in bytes.
const WHOLE: u64 = 32 << 20;

/// The size of the pieces of a larger file, in bytes. A piece cannot refer to the piece before it; this makes the result
/// about a thousandth larger.
const PIECE: u64 = 4 << 20;

/// The most bytes in memory, on any number of cores: read, deflated, or waiting to be written.
const BUDGET: u64 = 176 << 20;

/// The memory that a piece needs besides its bytes.
const OVERHEAD: u64 = 512;

/// The most bytes of small files that one thread takes at once.
const JOB: u64 = 256 << 10;

/// The largest memory that a thread keeps for the next file, in bytes.
const KEPT: usize = 1 << 20;

/// How a package is made of files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) compression: Compression,
    pub(super) records: Records,
}

/// The treatment of a Python distribution's file list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Records {
    /// It names only files that are in the package.
    OfPresent,
    /// It stays as it is.
    AsTheyAre,
}

/// The levels of `libdeflate` and of zlib. Info-ZIP's default is 6, too.
fn levels(compression: Compression) -> (i32, u32) {
    match compression {
        Compression::Fast => (2, 2),
        Compression::Default => (6, 6),
        Compression::Best => (12, 9),
    }
}

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

impl Position {
    /// Whether the file begins with the piece.
    pub(super) fn is_first(self) -> bool {
        matches!(self, Self::Only | Self::First)
    }

    /// Whether the file ends with the piece.
    pub(super) fn is_last(self) -> bool {
        matches!(self, Self::Only | Self::Last)
    }
}

/// The facts about a piece that was read.
pub(super) struct Hashed {
    /// The index of the entry.
    pub(super) entry: usize,
    /// The position of the piece in its file.
    pub(super) position: Position,
    /// The checksum of the original bytes. The checksums of all pieces are combined.
    pub(super) crc: crc32fast::Hasher,
    /// The hash of the original bytes.
    pub(super) sha256: PieceHash,
    /// The number of original bytes.
    pub(super) size: u64,
    /// Whether the bytes begin like a program or a script.
    pub(super) is_program: bool,
}

/// A piece, ready to be written.
pub(super) struct Deflated {
    pub(super) read: Hashed,
    /// The form of `bytes`. Only a whole file that deflating does not shrink is stored.
    pub(super) method: Method,
    /// The bytes to write.
    pub(super) bytes: Vec<u8>,
}

/// The form in which the bytes of an entry are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// Deflates the entries and passes the pieces to `take`, in the order of the entries. Stops at the first error.
pub(super) fn in_order(
    entries: &[Entry],
    manner: Manner,
    take: impl FnMut(Deflated) -> Result<(), Error>,
) -> Result<(), Error> {
    work(entries, manner, 0..entries.len(), take)
}

/// Hashes the entries and passes the pieces to `take`, in the given order of their indices. Stops at the first error.
pub(super) fn hash<E: From<Error>>(
    entries: &[Entry],
    manner: Manner,
    order: impl IntoIterator<Item = usize>,
    take: impl FnMut(Hashed) -> Result<(), E>,
) -> Result<(), E> {
    work(entries, manner, order, take)
}

/// Makes something of each piece on all cores, and passes it to `take` in the given order of the entries.
fn work<T: Product, E: From<Error>>(
    entries: &[Entry],
    manner: Manner,
    order: impl IntoIterator<Item = usize>,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let pieces: Vec<_> = order.into_iter().flat_map(|index| pieces(index, &entries[index])).collect();
    let jobs: Vec<_> = pieces.chunk_by(together()).collect();
    let names = entries.iter().map(|entry| entry.name.as_str()).collect();
    let queue = Queue {
        entries,
        manner,
        jobs: &jobs,
        names: &names,
        state: Mutex::new(State { next: 0, free: BUDGET }),
        changed: Condvar::new(),
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for number in 0..workers {
            let start = || {
                let (queue, sender) = (&queue, sender.clone());
                thread::Builder::new().spawn_scoped(scope, move || queue.work(&sender))
            };
            // One worker is enough, so only the first must start. A thread that has ended counts for a moment longer.
            let mut left = if number == 0 { TRIES } else { 1 };
            while let Err(error) = start() {
                left -= 1;
                match left {
                    0 if number == 0 => return Err(Error::Thread(error).into()),
                    0 => break,
                    _ => thread::sleep(MOMENT),
                }
            }
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut turn = 0;
        let mut deliver = || {
            for (job, made) in &receiver {
                early.insert(job, made);
                while let Some(made) = early.remove(&turn) {
                    let made: Vec<T> = made?;
                    let kept = made.iter().map(kept).sum();
                    made.into_iter().try_for_each(&mut take)?;
                    queue.give_back(kept);
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

/// Decides which pieces make one job: small ones share it, so that the threads seldom wait for each other.
fn together() -> impl FnMut(&Piece, &Piece) -> bool {
    let mut bytes = 0;
    move |piece, next| {
        bytes += piece.length + OVERHEAD;
        let fits = bytes + next.length <= JOB;
        if !fits {
            bytes = 0;
        }
        fits
    }
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

/// Jobs that wait for a worker and for memory. Workers take them in order, so the job to be written next always has its
/// memory already.
struct Queue<'a> {
    entries: &'a [Entry],
    manner: Manner,
    jobs: &'a [&'a [Piece]],
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
    fn work<T: Product>(&self, sender: &mpsc::Sender<(usize, Result<Vec<T>, Error>)>) {
        let mut worker = Worker::new(self.manner);
        while let Some((index, job)) = self.next::<T>() {
            let product = |piece: &Piece| worker.make::<T>(*piece, &self.entries[piece.entry], self.names);
            let made: Result<Vec<T>, _> = job.iter().map(product).collect();
            let kept = made.iter().flatten().map(kept).sum();
            self.give_back(cost::<T>(job).saturating_sub(kept));
            if sender.send((index, made)).is_err() {
                return;
            }
        }
    }

    fn next<T: Product>(&self) -> Option<(usize, &[Piece])> {
        let short = |state: &mut State| self.jobs.get(state.next).is_some_and(|job| cost::<T>(job) > state.free);
        let mut state = self.changed.wait_while(self.lock(), short).unwrap_or_else(PoisonError::into_inner);
        let (index, job) = (state.next, *self.jobs.get(state.next)?);
        state.next += 1;
        state.free -= cost::<T>(job);
        Some((index, job))
    }

    fn give_back(&self, bytes: u64) {
        self.lock().free += bytes;
        self.changed.notify_all();
    }

    fn stop(&self) {
        self.lock().next = self.jobs.len();
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The memory that a job needs while a worker has it.
fn cost<T: Product>(job: &[Piece]) -> u64 {
    job.iter().map(|piece| T::COPIES * piece.length + OVERHEAD).sum()
}

/// The memory that a product needs until it is taken.
fn kept<T: Product>(product: &T) -> u64 {
    product.bytes() + OVERHEAD
}

/// The product of a piece.
trait Product: Send + Sized {
    /// How many times the bytes of a piece are in memory at once.
    const COPIES: u64;

    /// Makes it of the bytes, which it may take away.
    fn of(bytes: &mut Vec<u8>, read: Hashed, worker: &mut Worker) -> Result<Self, Error>;

    /// The bytes in it.
    fn bytes(&self) -> u64;
}

impl Product for Hashed {
    const COPIES: u64 = 1;

    fn of(_: &mut Vec<u8>, read: Hashed, _: &mut Worker) -> Result<Self, Error> {
        Ok(read)
    }

    fn bytes(&self) -> u64 {
        0
    }
}

impl Product for Deflated {
    const COPIES: u64 = 2;

    fn of(bytes: &mut Vec<u8>, read: Hashed, worker: &mut Worker) -> Result<Self, Error> {
        let shrinks = shrinks(bytes, &mut worker.sampler);
        let (method, bytes) = match read.position {
            Position::Only => match shrinks.then(|| worker.smaller(bytes)).flatten() {
                Some(smaller) => (Method::Deflated, smaller),
                None => (Method::Stored, mem::take(bytes)),
            },
            _ => (Method::Deflated, continued(bytes, shrinks, read.position, worker.manner.compression)?),
        };
        Ok(Self { read, method, bytes })
    }

    fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// A thread's own tools. Small files share its memory, because to get it anew for each takes time.
struct Worker {
    manner: Manner,
    compressor: Compressor,
    sampler: Compressor,
    /// The bytes of the file in hand.
    bytes: Vec<u8>,
    /// The deflated bytes of it.
    room: Vec<u8>,
}

impl Worker {
    fn new(manner: Manner) -> Self {
        let compressor = |level| Compressor::new(CompressionLvl::new(level).unwrap_or_default());
        let (level, _) = levels(manner.compression);
        Self { manner, compressor: compressor(level), sampler: compressor(1), bytes: Vec::new(), room: Vec::new() }
    }

    fn make<T: Product>(&mut self, piece: Piece, entry: &Entry, names: &BTreeSet<&str>) -> Result<T, Error> {
        let mut bytes = mem::take(&mut self.bytes);
        match &entry.kind {
            Kind::Link { target } => target.as_bytes().clone_into(&mut bytes),
            Kind::File { size, modified, .. } => {
                let was = (*size, *modified);
                match read(piece, &entry.source, &mut bytes) {
                    Ok(now) if now == was => {}
                    Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                        return Err(Error::Unreadable(entry.source.clone(), error));
                    }
                    Ok(_) | Err(_) => return Err(Error::Changed(entry.source.clone())),
                }
                if self.manner.records == Records::OfPresent {
                    as_packaged(&mut bytes, entry, names);
                }
            }
        }
        let mut crc = crc32fast::Hasher::new();
        crc.update(&bytes);
        let (size, is_program) = (bytes.len() as u64, begins_like_a_program(&bytes));
        let sha256 = digest::of_piece(&bytes);
        let Piece { entry, position, .. } = piece;
        let made = T::of(&mut bytes, Hashed { entry, position, crc, sha256, size, is_program }, self);
        self.bytes = reusable(bytes);
        made
    }

    /// Deflates the bytes; `None` if they would not get smaller.
    fn smaller(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut room = mem::take(&mut self.room);
        let most = bytes.len().saturating_sub(1);
        if room.len() < most {
            room = vec![0; most];
        }
        // The only error is that the room is too small.
        let length = self.compressor.deflate_compress(bytes, &mut room[..most]).ok();
        if length.is_some() && room.capacity() > KEPT {
            room.truncate(length?);
            room.shrink_to_fit();
            return Some(room);
        }
        let smaller = length.map(|length| room[..length].to_vec());
        self.room = reusable(room);
        smaller
    }
}

/// The memory for the next file; nothing if it is large.
fn reusable(memory: Vec<u8>) -> Vec<u8> {
    if memory.capacity() > KEPT { Vec::new() } else { memory }
}

/// Reads a piece of a file into `bytes`. Returns the size of the file, and the time of its last change.
fn read(piece: Piece, source: &Path, bytes: &mut Vec<u8>) -> io::Result<(u64, Option<Duration>)> {
    let mut file = File::open(source)?;
    if piece.offset > 0 {
        file.seek(SeekFrom::Start(piece.offset))?;
    }
    let length = usize::try_from(piece.length).unwrap_or_default();
    if bytes.capacity() < length {
        // The system has zeros at hand, and does not write them into the memory.
        *bytes = vec![0; length];
    } else {
        bytes.resize(length, 0);
    }
    file.read_exact(bytes)?;
    let now = file.metadata()?;
    Ok((now.len(), modified_at(&now)))
}

/// Rewrites a Python `RECORD`, so that it names only files that are in the package. Other files stay as they are.
fn as_packaged(bytes: &mut Vec<u8>, entry: &Entry, names: &BTreeSet<&str>) {
    if installed::is_record(&entry.name)
        && let Ok(text) = str::from_utf8(bytes)
    {
        *bytes = installed::record_of_present(&entry.name, text, names).into_bytes();
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

/// Deflates a piece so that the stream can continue with the next piece.
fn continued(bytes: &[u8], shrinks: bool, position: Position, compression: Compression) -> Result<Vec<u8>, Error> {
    let (_, level) = levels(compression);
    let level = flate2::Compression::new(if shrinks { level } else { 0 });
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

    const MANNER: Manner = Manner { compression: Compression::Default, records: Records::OfPresent };

    /// An entry for a file, with a size and a time that may differ from the file's.
    fn selected(path: &Path, change: impl FnOnce(&mut u64, &mut Option<Duration>)) -> Entry {
        let metadata = fs::metadata(path).unwrap();
        let (mut size, mut modified) = (metadata.len(), modified_at(&metadata));
        change(&mut size, &mut modified);
        let kind = Kind::File { size, modified, executable: false };
        Entry { name: "file".to_owned(), source: path.to_owned(), kind }
    }

    fn packed(entry: Entry) -> Result<Vec<u64>, Error> {
        let mut sizes = Vec::new();
        in_order(&[entry], MANNER, |piece| {
            sizes.push(piece.read.size);
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
        in_order(&entries, MANNER, |piece| {
            order.push((piece.read.entry, piece.read.size));
            Ok(())
        })
        .unwrap();
        assert_eq!(order[..12].iter().map(|(_, size)| size).sum::<u64>(), WHOLE + 3 * PIECE + 1);
        assert_eq!(order[12..], (1..50).map(|number| (number, number as u64)).collect::<Vec<_>>());
    }
}
