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
}

/// Bytes that can be read at any position.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}
