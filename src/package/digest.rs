//! The digest of the files of a package, which our archives have in their comment.
//!
//! Two packages with one digest have the same bytes: those depend on the files and on how they are packed, and the digest
//! covers both. So a package need not be packed to see that it is the live one.

use std::fmt::Write;

use sha2::{Digest as _, Sha256};

/// The manner of packing. Changes whenever the same files begin to give other bytes: with another compressor or level.
const PACKER: &str = "dpl-lambda 1";

/// The hash of a piece of a file.
pub(super) type PieceHash = [u8; 32];

/// The hash of a piece.
pub(super) fn of_piece(bytes: &[u8]) -> PieceHash {
    Sha256::digest(bytes).into()
}

/// Takes the entries of a package in their order, each with its pieces.
pub(super) struct Digest(Sha256);

impl Digest {
    pub(super) fn new() -> Self {
        Self(Sha256::new_with_prefix(PACKER))
    }

    /// Adds an entry. Its pieces follow.
    pub(super) fn entry(&mut self, name: &str, mode: u32) {
        self.0.update((name.len() as u64).to_le_bytes());
        self.0.update(name);
        self.0.update(mode.to_le_bytes());
    }

    /// Adds a piece of the last entry.
    pub(super) fn piece(&mut self, hash: &PieceHash, is_last: bool) {
        self.0.update(hash);
        self.0.update([u8::from(is_last)]);
    }

    /// The comment of the archive.
    pub(super) fn comment(self) -> String {
        let mut comment = format!("{PACKER} sha256:");
        for byte in self.0.finalize() {
            // Writing to a `String` cannot fail.
            let _ = write!(comment, "{byte:02x}");
        }
        comment
    }
}

/// Whether a comment is that of an archive which this manner of packing made.
pub(super) fn is_ours(comment: &[u8]) -> bool {
    comment.strip_prefix(PACKER.as_bytes()).is_some_and(|rest| rest.starts_with(b" sha256:"))
}
