//! The contents of a package, however it is stored.

use std::io::{self, Read, Seek};

use super::super::Listed;

/// The contents of a package, independent of how it is stored.
pub trait Contents {
    /// All entries, sorted by name.
    fn entries(&self) -> &[Listed];

    /// Opens an entry.
    ///
    /// A ready archive may unpack an entry into memory, but at most as many bytes as the entry declares.
    fn open(&self, entry: &Listed) -> io::Result<Box<dyn ReadSeek + '_>>;

    /// The names that default rules left out of the package. A folder ends in `/`.
    fn left_out(&self) -> &[String] {
        &[]
    }

    /// Who made the package.
    fn origin(&self) -> Origin {
        Origin::Archive
    }
}

/// Who made the package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Origin {
    /// This program, from files. It sets the modes.
    Files,
    /// Another tool. The package is sent as it is.
    #[default]
    Archive,
}

/// Bytes that can be read at any position.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}
