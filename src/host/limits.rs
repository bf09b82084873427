//! The limits of the process on open files and threads, and the event loop, which needs both.
//!
//! A small container may allow few of both. Some libraries then panic instead of returning an error. So the event loop
//! starts only if the process can have enough, and it keeps a thread.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::Host;

/// How many more files a run must be able to open, whatever the number of its blocks.
const DESCRIPTORS: usize = 24;

/// How many more threads a run must be able to start: one of the event loop, and one that packs.
const THREADS: usize = 2;

/// How long the event loop keeps a thread without work: longer than any run.
const KEPT: Duration = Duration::from_secs(1 << 20);

/// What to do about the limit on open files.
pub(crate) const MORE_FILES: &str = "raise the limit on open files (`ulimit -n`)";

/// What to do about the limit on threads.
const MORE_THREADS: &str = "raise the limit on processes and threads (`ulimit -u`, or that of the container)";

/// Why the event loop cannot start.
#[derive(Debug)]
pub(crate) enum Lack {
    /// The process cannot open enough files.
    Descriptors(io::Error),
    /// The process cannot start enough threads.
    Threads(io::Error),
}

impl Lack {
    /// What to do.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Descriptors(_) => MORE_FILES,
            Self::Threads(_) => MORE_THREADS,
        }
    }
}

/// Whether an error, or one of its causes, is that the process may not open another file.
pub(crate) fn is_limit_on_files(error: &(dyn Error + 'static)) -> bool {
    // ENFILE and EMFILE, which have no kind of their own in the standard library.
    let is_limit = |error: &io::Error| cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24));
    error.downcast_ref().is_some_and(is_limit) || error.source().is_some_and(is_limit_on_files)
}

impl fmt::Display for Lack {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Descriptors(error) => write!(out, "the process cannot open {DESCRIPTORS} more files: {error}"),
            Self::Threads(error) => write!(out, "the process cannot start {THREADS} more threads: {error}"),
        }
    }
}

impl Host {
    /// An event loop on this thread.
    pub(crate) fn event_loop() -> Result<Runtime, Lack> {
        try_descriptors().map_err(Lack::Descriptors)?;
        try_threads().map_err(Lack::Threads)?;
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_all().thread_keep_alive(KEPT).build().map_err(Lack::Descriptors)?;
        // Starts a thread now, and keeps it. Where no further one can start, work waits for it instead of a panic.
        drop(runtime.spawn_blocking(|| ()));
        Ok(runtime)
    }
}

/// Opens as many files as a run needs, and closes them. A pipe is two files, and needs no name.
fn try_descriptors() -> io::Result<()> {
    (0..DESCRIPTORS.div_ceil(2)).map(|_| io::pipe()).collect::<io::Result<Vec<_>>>().map(drop)
}

/// Starts as many threads as a run needs, all at once, and ends them.
fn try_threads() -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        let closed = gate.lock();
        let wait = || drop(gate.lock());
        let started = (0..THREADS).try_for_each(|_| thread::Builder::new().spawn_scoped(scope, wait).map(drop));
        drop(closed);
        started
    })
}
