//! Files that another user may have made: read within limits, and written without following foreign links.
//!
//! Must not know the use of a file.

mod read;
mod write;

use std::path::{Component, Path, PathBuf};

pub(crate) use read::Unreadable;
pub(crate) use read::{bytes, names_a_stream, text};
pub(crate) use write::{Destination, inside, is_own_output, put};

/// A path without `.` and `..`. Follows no links.
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
