//! The digest of the files of a package, which our archives have in their comment.
//!
//! Two packages with one digest have the same bytes: those depend on the files and on how they are packed, and the digest
//! covers both. So a package need not be packed to see that it is the live one.

use std::fmt::Write;

use sha2::{Digest as _, Sha256};

use crate::deployment::Compression;

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
    pub(super) fn new(compression: Compression) -> Self {
        let mut hash = Sha256::new_with_prefix(PACKER);
        hash.update([compression as u8]);
        Self(hash)
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::build;
    use super::*;
    use crate::deployment::Rules;

    /// If this test fails, the same files give other bytes than in the last release: number `PACKER` anew, and put the new
    /// hashes here. Otherwise, functions that are live would count as unchanged although their packages differ.
    #[test]
    fn other_bytes_need_another_packer() {
        let folder = tempfile::tempdir().unwrap();
        let word = |n: u32| format!("{} ", n.wrapping_mul(2_654_435_761) % 5_000).into_bytes();
        let words = |count| (0..count).flat_map(word).collect::<Vec<_>>();
        fs::write(folder.path().join("small.txt"), words(50)).unwrap();
        fs::write(folder.path().join("words.txt"), words(100_000)).unwrap();
        fs::write(folder.path().join("in-pieces.txt"), words(40).repeat(200_000)).unwrap();
        let hash = |compression| {
            let rules = Rules { compression, ..Rules::default() };
            build(Path::new("."), &rules, folder.path(), |_| {}).unwrap().code_sha256
        };
        let hashes = [Compression::Fast, Compression::Default, Compression::Best].map(hash).join("\n");
        insta::assert_snapshot!(format!("{PACKER}\n{hashes}"), @"
        dpl-lambda 1
        9abpy8Qr9UmSyrymfRzkDkRCEj0FKHv0KWdmfI5dmPo=
        vZjps+xNRH76Izmjx1Ji+SFvXW5BCDHfAi6Cu7OfSn8=
        X1qjpRm7wp72Yb8LXHUgwbeDKYMG3iRaNv0rI3EZleQ=
        ");
    }
}
