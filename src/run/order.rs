//! The order in which the blocks of a run are applied: a block waits for those that it comes after.

use tokio::sync::watch;

use crate::config::{After, Entry};
use crate::error::Error;
use crate::place::Problem;

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
pub(super) struct Order<'e> {
    entries: &'e [Entry],
    states: Vec<watch::Sender<State>>,
}

impl<'e> Order<'e> {
    /// These blocks are open. All others have failed.
    pub(super) fn of<'o>(entries: &'e [Entry], open: impl Iterator<Item = &'o Entry>) -> Self {
        let states: Vec<_> = entries.iter().map(|_| watch::Sender::new(State::Failed)).collect();
        for state in open.filter_map(|entry| states.get(entry.number)) {
            state.send_replace(State::Open);
        }
        Self { entries, states }
    }

    /// The same order once more, for these blocks. All others are done.
    pub(super) fn again<'a>(&self, open: impl IntoIterator<Item = &'a Entry>) -> Self {
        let states: Vec<_> = self.entries.iter().map(|_| watch::Sender::new(State::Done)).collect();
        for state in open.into_iter().filter_map(|entry| states.get(entry.number)) {
            state.send_replace(State::Open);
        }
        Self { entries: self.entries, states }
    }

    /// The turn of a block.
    pub(super) fn turn(&self, entry: &'e Entry) -> Turn<'_, 'e> {
        Turn { order: self, entry }
    }
}

/// The turn of a block, which the blocks after it wait for. If it is dropped before its end, the block has failed.
pub(super) struct Turn<'o, 'e> {
    order: &'o Order<'e>,
    entry: &'e Entry,
}

impl Turn<'_, '_> {
    /// Waits until all blocks that this one comes after have ended. The error names the first one that was not deployed.
    pub(super) async fn come(&self) -> Result<(), Error> {
        self.wait(|_| true).await
    }

    /// Waits in the same way, but only for those of which the block takes values.
    pub(super) async fn come_for_values(&self) -> Result<(), Error> {
        self.wait(After::is_value).await
    }

    async fn wait(&self, counts: impl Fn(&After) -> bool) -> Result<(), Error> {
        for after in self.entry.after.iter().filter(|after| counts(after)) {
            for before in &after.entries {
                let (Some(entry), Some(state)) = (self.order.entries.get(*before), self.order.states.get(*before))
                else {
                    continue;
                };
                let is_done = state
                    .subscribe()
                    .wait_for(|state| *state != State::Open)
                    .await
                    .is_ok_and(|state| *state == State::Done);
                if !is_done {
                    return Err(self.hindered(after, entry));
                }
            }
        }
        Ok(())
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

    fn hindered(&self, after: &After, before: &Entry) -> Error {
        let what = if after.is_value() { "takes a value of" } else { "comes after" };
        let message = format!("{what} {}, which is not deployed", before.shown());
        let problem = Problem::new(message).of(after.option).help("see the error about that function");
        let problem = Problem { place: after.place.clone(), ..problem };
        Error::After { problem, about: (&self.entry.item).into() }
    }
}

impl Drop for Turn<'_, '_> {
    fn drop(&mut self) {
        self.becomes(State::Failed);
    }
}
