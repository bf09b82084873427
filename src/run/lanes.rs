//! Work on several blocks at once. The events of each block are reported together, in the order of the blocks.

use std::collections::BTreeMap;
use std::future::Future;
use std::num::NonZero;
use std::rc::Rc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior};

use super::Run;
use crate::config::{AfterFailure, Entry};
use crate::error::{Error, ExitCode};
use crate::event::{Block, Doing, Event};
use crate::place::Problem;
use crate::plan::Subject;
use crate::verb::Verb;

tokio::task_local! {
    /// The work that is going on.
    static WORK: Work;
}

/// Work on a block.
#[derive(Clone)]
struct Work {
    block: Rc<Block>,
    /// Its lane; absent: nothing else is worked on.
    lane: Option<usize>,
}

/// The time between two reports of how far the run is.
const TICK: Duration = Duration::from_secs(1);

/// The number of names in a warning.
const SHOWN_NAMES: usize = 10;

/// The number of blocks at once where nothing else is said: so many for each processor, within these limits.
const AT_ONCE: (usize, usize, usize) = (4, 4, 16);

/// The number of blocks at once for this machine.
pub(super) fn at_once() -> usize {
    let (each, least, most) = AT_ONCE;
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    (processors * each).clamp(least, most)
}

/// A block that did not begin.
pub(super) struct Left {
    /// Its name in messages.
    name: String,
    /// Whether it needs a block that is not deployed. Else it could begin with `keep_going`.
    is_hindered: bool,
}

/// The events of work that goes on at once. Each block has a lane.
#[derive(Default)]
pub(super) struct Lanes {
    /// The first lane that has not ended: its events are reported at once.
    first: usize,
    /// The lanes behind it, with events that wait for their turn.
    behind: BTreeMap<usize, Lane>,
    /// The lanes in progress, each with its name and what it waits for.
    doing: BTreeMap<usize, (String, Option<String>)>,
}

#[derive(Default)]
struct Lane {
    events: Vec<(Event, Rc<Block>)>,
    has_ended: bool,
}

impl Lanes {
    /// Keeps an event until its lane's turn. Whether it has to wait for that.
    fn keeps(&mut self, lane: usize, event: &Event, block: &Rc<Block>) -> bool {
        if lane <= self.first {
            return false;
        }
        match event {
            // Only one tree is packed at a time, and the others may wait for it.
            Event::Progress { doing: Doing::Packing, .. } => return false,
            // It is of no use later.
            Event::Progress { .. } | Event::Waiting { .. } => {}
            event => self.behind.entry(lane).or_default().events.push((event.clone(), Rc::clone(block))),
        }
        true
    }

    /// Notes what a lane waits for.
    fn note(&mut self, lane: usize, event: &Event) {
        let Some((_, waits_for)) = self.doing.get_mut(&lane) else { return };
        *waits_for = match event {
            Event::Waiting { what, .. } => Some(what.clone()),
            Event::Progress { .. } => return,
            _ => None,
        };
    }

    /// The lanes in progress, in words.
    fn doing(&self) -> Vec<String> {
        let shown = |(name, waits_for): &(String, Option<String>)| match waits_for {
            Some(what) => format!("{name} ({what})"),
            None => name.clone(),
        };
        self.doing.values().map(shown).collect()
    }

    /// Ends a lane, and returns the events whose turn it is now.
    fn end(&mut self, lane: usize) -> Vec<(Event, Rc<Block>)> {
        let mut ready = Vec::new();
        self.doing.remove(&lane);
        self.behind.entry(lane).or_default().has_ended = true;
        while self.behind.get(&self.first).is_some_and(|lane| lane.has_ended) {
            ready.extend(self.behind.remove(&self.first).unwrap_or_default().events);
            self.first += 1;
            let next = self.behind.get_mut(&self.first);
            ready.extend(next.map(|next| std::mem::take(&mut next.events)).unwrap_or_default());
        }
        ready
    }
}

/// The function or layer of a block.
pub(super) fn block(entry: &Entry) -> Block {
    let subject = if entry.item.layer().is_some() { Subject::Layer } else { Subject::Function };
    let region = entry.item.target().region.clone();
    Block { number: entry.in_file, subject, name: entry.item.name().to_owned(), region }
}

/// The event of the functions and layers of a run, in the order of the file.
pub(super) fn blocks(entries: &[Entry]) -> Event {
    let mut blocks: Vec<_> = entries.iter().map(block).collect();
    blocks.sort_by_key(|block| block.number);
    Event::Blocks(blocks)
}

impl Run<'_> {
    /// Reports an event. One of a later block waits until those before it have ended.
    pub(super) fn report(&self, event: &Event) {
        let work = WORK.try_with(Work::clone).ok();
        let about = work.as_ref().map(|work| &*work.block);
        self.reporter.borrow_mut().feed(event, about);
        if let Some(lane) = work.as_ref().and_then(|work| work.lane) {
            self.lanes.borrow_mut().note(lane, event);
        }
        if let Some(Work { block, lane: Some(lane) }) = &work
            && self.lanes.borrow_mut().keeps(*lane, event, block)
        {
            return;
        }
        self.reporter.borrow_mut().show(event, about);
    }

    /// Does the work for a block. The events of the work are about the block.
    pub(super) async fn about<T>(&self, block: Block, work: impl Future<Output = T>) -> T {
        WORK.scope(Work { block: Rc::new(block), lane: None }, work).await
    }

    /// Does the work for several blocks at once, and returns the results in the order of the blocks. Work that failed
    /// has none; its failure is reported. After one, no other work begins, unless the user wants that.
    pub(super) async fn side_by_side<'e, T, F>(&self, work: impl IntoIterator<Item = (&'e Entry, F)>) -> Vec<T>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let work = work.into_iter().map(|(entry, work)| {
            let work = Box::pin(work);
            let unless_failed = async move {
                if self.may_begin() {
                    return self.unless_failed(entry, work.await);
                }
                self.leave(entry);
                None
            };
            (entry, unless_failed)
        });
        self.in_lanes(self.parallel, work).await.into_iter().flatten().collect()
    }

    /// Does work, so much of it at once, and returns the results in its order. The events of each are reported together.
    pub(super) async fn in_lanes<'e, F: Future>(
        &self,
        limit: usize,
        work: impl IntoIterator<Item = (&'e Entry, F)>,
    ) -> Vec<F::Output> {
        *self.lanes.borrow_mut() = Lanes::default();
        let lanes = work.into_iter().enumerate();
        let lanes = lanes.map(|(lane, (entry, work))| {
            let this = Work { block: Rc::new(block(entry)), lane: Some(lane) };
            WORK.scope(this, async move {
                self.lanes.borrow_mut().doing.insert(lane, (entry.shown(), None));
                (lane, work.await)
            })
        });
        let lanes: Vec<_> = lanes.collect();
        let all = lanes.len();
        let mut running = stream::iter(lanes).buffer_unordered(limit);
        let mut results = BTreeMap::new();
        let mut ticks = tokio::time::interval_at(Instant::now() + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                biased;
                next = running.next() => next,
                _ = ticks.tick() => {
                    self.report_overall(results.len(), all);
                    continue;
                }
            };
            let Some((lane, result)) = next else { break };
            let ready = self.lanes.borrow_mut().end(lane);
            for (event, block) in &ready {
                self.reporter.borrow_mut().show(event, Some(block));
            }
            results.insert(lane, result);
        }
        results.into_values().collect()
    }

    /// Reports how far the run is with several functions.
    fn report_overall(&self, done: usize, all: usize) {
        if let (Some(word), true) = (self.work.get(), all > 1) {
            let doing = self.lanes.borrow().doing();
            self.report(&Event::Overall { word, done, all, doing });
        }
    }

    /// The result of a block. Reports a failure instead, and after one that is not allowed no further block begins.
    pub(super) fn unless_failed<T>(&self, entry: &Entry, result: Result<T, Error>) -> Option<T> {
        let error = match result {
            Ok(result) => return Some(result),
            Err(error) => error,
        };
        let code = self.fail_of(entry, &error);
        self.lost.borrow_mut().insert(entry.number, entry.shown());
        if entry.allow_failure && self.interrupt.borrow().is_none() {
            let warning = Problem::new("this failure is allowed, so the run goes on").of("allow_failure");
            self.report(&Event::Warning(warning));
        } else {
            self.stop_after(code, || format!("after the failure of {}", entry.shown()));
        }
        None
    }

    /// Ends the run with this exit code, or a higher one. The first reason is that of the blocks that do not begin.
    fn stop_after(&self, code: ExitCode, because: impl FnOnce() -> String) {
        self.stopped.borrow_mut().get_or_insert_with(because);
        self.raise(code);
    }

    /// Ends the run with this exit code, or a higher one.
    pub(super) fn raise(&self, code: ExitCode) {
        let worst = self.failed.get().map_or(code, |known| if known as u8 > code as u8 { known } else { code });
        self.failed.set(Some(worst));
    }

    /// Whether work on a further block may begin.
    pub(super) fn may_begin(&self) -> bool {
        self.failed.get().is_none() || self.after_failure == AfterFailure::GoOn && self.interrupt.borrow().is_none()
    }

    /// Reports that a block does not begin, because one that it comes after is not deployed, or an earlier one failed.
    pub(super) fn leave(&self, entry: &Entry) {
        let hindrance = self.hindrance(entry);
        self.left.borrow_mut().push(Left { name: entry.shown(), is_hindered: hindrance.is_some() });
        let signal = *self.interrupt.borrow();
        let because = match (signal, hindrance) {
            (Some(signal), _) => format!("after {}", signal.name()),
            (None, Some(hindrance)) => hindrance,
            (None, None) => self.stopped.borrow().clone().unwrap_or_default(),
        };
        self.report(&Event::NotBegun { because });
        self.lose(entry);
    }

    /// Notes that a block is not deployed. If that is not allowed, no further block begins.
    pub(super) fn lose(&self, entry: &Entry) {
        self.lost.borrow_mut().insert(entry.number, entry.shown());
        if !entry.allow_failure {
            self.stop_after(ExitCode::Failed, || format!("because {} is not deployed", entry.shown()));
        }
    }

    /// Why a block cannot begin: it needs one that is not deployed. A plan needs only those of which it takes values.
    fn hindrance(&self, entry: &Entry) -> Option<String> {
        let lost = self.lost.borrow();
        let needed = entry.after.iter().filter(|after| after.is_value() || !self.only_plans(entry));
        needed.flat_map(|after| after.entries.iter().map(move |before| (after, before))).find_map(|(after, before)| {
            let what = if after.is_value() { "takes a value of" } else { "comes after" };
            lost.get(before).map(|name| format!("{what} {name}, which is not deployed"))
        })
    }

    /// Reports that no block begins, for this reason.
    pub(super) fn leave_all(&self, entries: &[Entry], because: &str) {
        self.report(&blocks(entries));
        for entry in entries {
            let work = Work { block: Rc::new(block(entry)), lane: None };
            WORK.sync_scope(work, || self.report(&Event::NotBegun { because: because.to_owned() }));
        }
    }

    /// Leaves the blocks whose plans are not applied, because an earlier one failed.
    pub(super) fn leave_planned<'e>(&self, entries: impl IntoIterator<Item = &'e Entry>) {
        for entry in entries {
            let work = Work { block: Rc::new(block(entry)), lane: None };
            WORK.sync_scope(work, || self.leave(entry));
        }
    }

    /// Warns about blocks that did not begin, because an earlier one failed.
    pub(super) fn warn_of_left(&self) {
        let left = self.left.take();
        if left.is_empty() {
            return;
        }
        let names: Vec<_> = left.iter().take(SHOWN_NAMES).map(|left| left.name.as_str()).collect();
        let more = left.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let what = if self.task.verb() == Verb::Plan { "planned" } else { "deployed" };
        let warning = Problem::new(format!("not {what} after the failure: {}{more}", names.join(", ")));
        let could_begin = left.iter().any(|left| !left.is_hindered);
        let may_go_on = could_begin && self.after_failure == AfterFailure::Stop && self.interrupt.borrow().is_none();
        let help = "to deploy the others after a failure, set `keep_going: true`";
        self.report(&Event::Warning(if may_go_on { warning.help(help) } else { warning }));
    }

    /// The exit code: the highest one of the failures, if there was one.
    pub(super) fn code(&self, otherwise: ExitCode) -> ExitCode {
        self.failed.get().unwrap_or(otherwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> Event {
        Event::Command(name.to_owned())
    }

    fn names(events: &[(Event, Rc<Block>)]) -> Vec<&str> {
        let name = |(event, _): &'_ (Event, Rc<Block>)| {
            if let Event::Command(name) = event { name.clone() } else { String::new() }
        };
        events.iter().map(name).map(|name| &*name.leak()).collect()
    }

    #[test]
    fn each_lane_waits_for_those_before_it() {
        let mut lanes = Lanes::default();
        let block = Rc::new(Block { number: 0, subject: Subject::Function, name: "f".to_owned(), region: None });
        assert!(!lanes.keeps(0, &event("a"), &block));
        assert!(lanes.keeps(1, &event("b"), &block) && lanes.keeps(3, &event("d"), &block));
        assert!(lanes.end(3).is_empty());
        assert_eq!(names(&lanes.end(0)), ["b"]);
        assert!(!lanes.keeps(1, &event("b2"), &block) && lanes.keeps(2, &event("c"), &block));
        assert_eq!(names(&lanes.end(1)), ["c"]);
        assert_eq!(names(&lanes.end(2)), ["d"]);
    }
}
