//! Random texts that nobody can guess.

use std::hash::{BuildHasher, RandomState};

/// 128 random bits, as text.
pub(super) fn nonce() -> String {
    let half = |salt: u8| RandomState::new().hash_one(salt);
    format!("{:016x}{:016x}", half(0), half(1))
}
