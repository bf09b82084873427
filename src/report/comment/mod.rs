//! The comment on the pull request: the plan, renewed in place, and deleted once nothing would change.
//!
//! The service shows a comment to everybody who can read the pull request, and notifies whoever it names. So the text is
//! redacted and escaped like a summary, and names nobody.

mod marker;
mod markup;
pub(super) mod renewal;
mod service;
pub(super) mod thread;

use self::marker::Marker;
use self::markup::Markup;
use self::renewal::Renewal;
use self::service::Service;
use self::thread::Thread;
use super::console::Console;
use super::delivery::Delivery;
use super::manner::Wish;
use super::observer::{Observer, Surroundings};
use super::outcome::Verdict;
use super::{markdown, page, plain, plan, summary};
use crate::event::{Block, Event};
use crate::plan::{Plan, Subject};

/// The most rows of a table that is not collapsed.
const OPEN_ROWS: usize = 20;

/// The most tables that are not collapsed.
const OPEN_TABLES: usize = 3;

/// The bytes that a part of the comment needs besides its title and its rows.
const FRAME: usize = 300;

/// The comment so far.
pub(super) struct Comment {
    /// The pull request, or why there is none to write to.
    thread: Result<Thread, String>,
    marker: Marker,
    /// The account of the plans that follow; absent: unknown.
    account: Option<String>,
    /// What stands above the plans: for which merge they are, and allowed failures.
    head: String,
    has_failed: bool,
    footer: String,
    console: Console,
}

impl Comment {
    /// The comment on the pull request of the build; `None`: the build is of none.
    pub(super) fn of(wish: &Wish, surroundings: &Surroundings<'_>, console: &Console) -> Option<Self> {
        let Surroundings { ci, host, build, .. } = surroundings;
        let pull_request = build.pull_request.as_ref()?;
        Some(Self {
            thread: Thread::of(*ci, host, build, pull_request, wish.token.as_ref()),
            marker: Marker::of(&wish.file),
            account: None,
            head: String::new(),
            has_failed: false,
            footer: page::footer(build),
            console: console.clone(),
        })
    }

    /// The text without secrets, and so that it notifies nobody.
    fn shown(&self, text: &str, markup: Markup) -> String {
        markup.quiet(&self.console.redact(text))
    }

    /// The text of the comment for a service.
    fn text(&self, verdict: &Verdict, service: &Service) -> String {
        let Service { longest, markup, .. } = *service;
        let planned = &verdict.planned;
        let changed = planned.iter().filter(|plan| plan.changes()).count();
        let tally = verdict.overview.line().map(|line| markdown::paragraph(&line)).unwrap_or_default();
        let end = self.shown(&(tally + &self.footer), markup);
        let mut text = format!("{}\n{}", markup.hidden(&self.marker.to_string()), self.shown(&self.head, markup));
        let longest = longest.saturating_sub(end.len() + FRAME);
        let mut left_out = 0;
        for plan in planned {
            let part = self.part(plan, changed > OPEN_TABLES, longest.saturating_sub(text.len()), markup);
            left_out += usize::from(part.is_none());
            text.push_str(&part.unwrap_or_default());
        }
        let more =
            (left_out > 0).then(|| format!("… {} in the log of the run.\n\n", plan::count(left_out, "more plan")));
        text + &more.unwrap_or_default() + &end
    }

    /// A plan in at most this many bytes; `None` if even its title is longer.
    fn part(&self, plan: &Plan, is_long: bool, room: usize, markup: Markup) -> Option<String> {
        let shown = |text: &str| self.shown(text, markup);
        if !plan.changes() {
            return Some(shown(&summary::of_planned(plan))).filter(|text| text.len() <= room);
        }
        let (title, table) = (shown(&summary::title_of_plan(plan)), shown(&summary::table_of_plan(plan)));
        let mut room = room.checked_sub(title.len() + FRAME)?;
        let fits = |line: &&str| room.checked_sub(line.len() + 1).map(|left| room = left).is_some();
        let mut lines: Vec<_> = table.lines().take_while(fits).collect();
        // The first two lines are the head of the table.
        let rows = table.lines().count().saturating_sub(2);
        let more = (rows + 2).saturating_sub(lines.len());
        let rest = format!("| … {} in the log of the run | | |", plan::count(more.min(rows), "more row"));
        lines.extend((more > 0).then_some(&*rest).filter(|_| lines.len() > 1));
        let table = lines.join("\n");
        Some(if markup.collapses() && (is_long || rows > OPEN_ROWS) {
            let rows = plan::count(rows, "row");
            format!("{title}\n\n<details><summary>{rows}</summary>\n\n{table}\n\n</details>\n\n")
        } else {
            format!("{title}\n\n{table}\n\n")
        })
    }
}

impl Observer for Comment {
    fn receive(&mut self, event: &Event, _: Option<&Block>) -> Vec<Delivery> {
        match event {
            Event::Account(caller) => self.account.clone_from(&caller.account),
            Event::Preview { number, base } => {
                let preview = plain::preview(number.as_deref(), base.as_deref());
                self.head.push_str(&markdown::paragraph(&preview));
            }
            Event::Planned(plan) => {
                let kind = if plan.subject == Subject::Layer { "layer" } else { "function" };
                self.marker.add(&[self.account.as_deref().unwrap_or_default(), &plan.region, kind, &plan.name]);
            }
            Event::Failed(failure) => {
                self.has_failed = true;
                self.head.push_str(&summary::of_failure(failure));
            }
            _ => {}
        }
        Vec::new()
    }

    fn finish(&mut self, verdict: &Verdict) -> Vec<Delivery> {
        // After a failure nobody knows what would change.
        if verdict.planned.is_empty() || verdict.ending().is_err() {
            return Vec::new();
        }
        match &self.thread {
            Ok(thread) => {
                let has_news = self.has_failed || verdict.planned.iter().any(Plan::changes);
                let text = has_news.then(|| self.text(verdict, thread.service));
                vec![Delivery::Comment(Renewal { thread: thread.clone(), marker: self.marker.clone(), text })]
            }
            Err(why) => vec![Delivery::Warn(format!("the plan is not in a comment on the pull request: {why}"))],
        }
    }
}
