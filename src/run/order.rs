//! The order in which the blocks of a run are applied: a block waits for those that it comes after.

use tokio::sync::watch;

use crate::config::{After, Entry};

/// How far a block is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has not ended.
    Open,
    /// It was applied, or its plan was shown.
    Done,
    /// It failed, or did not begin.
    Failed,
}

/// The blocks of a run, each with its state.
pub(super) struct Order {
    states: Vec<watch::Sender<State>>,
}

impl Order {
    /// These blocks are open. All others have failed.
    pub(super) fn of<'o>(all: &[Entry], open: impl Iterator<Item = &'o Entry>) -> Self {
        Self::with(all.len(), State::Failed, open)
    }

    /// The same order once more, for these blocks. All others are done.
    pub(super) fn again<'o>(&self, open: impl Iterator<Item = &'o Entry>) -> Self {
        Self::with(self.states.len(), State::Done, open)
    }

    fn with<'o>(all: usize, others: State, open: impl Iterator<Item = &'o Entry>) -> Self {
        let states: Vec<_> = (0..all).map(|_| watch::Sender::new(others)).collect();
        for state in open.filter_map(|entry| states.get(entry.number)) {
            state.send_replace(State::Open);
        }
        Self { states }
    }

    /// The turn of a block.
    pub(super) fn turn<'o>(&'o self, entry: &'o Entry) -> Turn<'o> {
        Turn { order: self, entry }
    }
}

/// The turn of a block, which the blocks after it wait for. If it is dropped before its end, the block has failed.
pub(super) struct Turn<'o> {
    order: &'o Order,
    entry: &'o Entry,
}

impl Turn<'_> {
    /// Waits until all blocks that this one comes after have ended. Whether they were deployed.
    pub(super) async fn come(&self) -> bool {
        self.wait(|_| true).await
    }

    /// Waits in the same way, but only for those of which the block takes values.
    pub(super) async fn come_for_values(&self) -> bool {
        self.wait(After::is_value).await
    }

    async fn wait(&self, counts: impl Fn(&After) -> bool) -> bool {
        let before = self.entry.after.iter().filter(|after| counts(after)).flat_map(|after| &after.entries);
        for state in before.filter_map(|before| self.order.states.get(*before)) {
            let mut state = state.subscribe();
            if !state.wait_for(|state| *state != State::Open).await.is_ok_and(|state| *state == State::Done) {
                return false;
            }
        }
        true
    }

    /// The block was applied, or its plan was shown.
    pub(super) fn end(self) {
        self.becomes(State::Done);
    }

    fn becomes(&self, end: State) {
        let set = |state: &mut State| *state == State::Open && std::mem::replace(state, end) == State::Open;
        if let Some(state) = self.order.states.get(self.entry.number) {
            state.send_if_modified(set);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.becomes(State::Failed);
    }
}
