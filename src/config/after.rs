//! A name after which a block is applied.

use crate::place::Place;

/// The option of a block.
pub(super) const AFTER: &str = "after";

/// A name or pattern of functions, after which a block is applied.
#[derive(Debug, Clone)]
pub(crate) struct After {
    /// The name or pattern as it is written.
    pub name: String,
    /// The option in which it is written.
    pub option: &'static str,
    /// Where it is written.
    pub place: Option<Place>,
    /// The positions in [`Loaded::entries`](super::Loaded::entries) of the blocks for these functions. Blocks that this run does not deploy are not
    /// among them.
    pub entries: Vec<usize>,
}

impl After {
    /// Whether the block takes a value of the function.
    pub(crate) fn is_value(&self) -> bool {
        self.option != AFTER
    }
}
