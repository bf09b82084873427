//! Plain text, for a CI without features and for a terminal.

use crate::report::delivery::Stream;
use crate::report::dialect;

/// The voice without a dialect.
pub(super) enum Voice {
    /// In the log of an unknown CI.
    InCi,
    /// At a terminal, as dpl does it.
    Alone,
}

impl dialect::Voice for Voice {
    fn error_stream(&self) -> Stream {
        match self {
            Self::InCi => Stream::Output,
            Self::Alone => Stream::Error,
        }
    }
}

/// A board without features.
pub(super) struct Board;

impl dialect::Board for Board {}
