//! Files that somebody else may have made: read within limits, and written without following anybody's links.
//!
//! Must not know what a file is for.

mod read;
mod write;

use std::path::{Component, Path, PathBuf};

pub(crate) use read::Unreadable;
pub(crate) use read::{bytes, text};
pub(crate) use write::{Destination, inside, put};

/// Whether a path says by itself that it is a stream, as `/dev/stdout` does and the `/dev/fd/63` of a shell's `<(…)`.
fn names_a_stream(path: &Path) -> bool {
    path.starts_with("/dev") || path.starts_with("/proc/self/fd")
}

/// A path without `.` and `..`, as it reads: no link is looked at.
pub(crate) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}
