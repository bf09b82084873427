//! The budget of calls: AWS takes only so many in a second, for each Region, and all functions of an account share them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use tokio::time::{Instant, sleep_until};

/// The time in which the calls are counted. AWS counts those of a second; calls can arrive closer together than they were
/// sent.
const WINDOW: Duration = Duration::from_millis(1100);

/// The time without a refusal after which the budget grows again.
const QUIET: Duration = Duration::from_secs(3);

/// The budgets that Lambda keeps apart. Invocations have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Share {
    /// `GetFunction`.
    GetFunction,
    /// `GetPolicy`.
    GetPolicy,
    /// All other operations together, except for invocations.
    Control,
}

impl Share {
    /// The calls in a second, as AWS' page of quotas has them.
    fn most(self) -> usize {
        match self {
            Self::GetFunction => 100,
            Self::GetPolicy | Self::Control => 15,
        }
    }

    /// The share of a call of Lambda; `None` for other services and for invocations.
    fn of(method: &str, path: &str) -> Option<Self> {
        let mut parts = path.trim_start_matches('/').split('/');
        let is_version = |part: &str| part.len() == 10 && part.starts_with("20") && part.matches('-').count() == 2;
        parts.next().filter(|part| is_version(part))?;
        match (method, &parts.collect::<Vec<_>>()[..]) {
            (_, ["functions", _, "invocations"]) => None,
            ("GET", ["functions", name]) if !name.is_empty() => Some(Self::GetFunction),
            ("GET", ["functions", _, "policy"]) => Some(Self::GetPolicy),
            _ => Some(Self::Control),
        }
    }
}

/// The budget of a call: a host of AWS, and a share there.
pub(super) type Purse = (String, Share);

/// The budget that a request counts to; `None` if nothing limits it.
pub(super) fn purse(request: &HttpRequest) -> Option<Purse> {
    let (_, rest) = request.uri().split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let path = path.split('?').next().unwrap_or_default();
    Some((host.to_owned(), Share::of(request.method(), path)?))
}

/// The budgets of all hosts that a client calls.
#[derive(Debug, Clone, Default)]
pub(super) struct Budgets(Arc<Mutex<BTreeMap<Purse, Budget>>>);

impl Budgets {
    /// Waits until the call may begin. Calls begin in the order in which they came.
    pub(super) async fn turn(&self, purse: &Purse) {
        let queue = self.with(purse, |budget| Arc::clone(&budget.queue));
        let _others_wait = queue.lock().await;
        loop {
            match self.with(purse, |budget| budget.begin(Instant::now())) {
                Ok(()) => return,
                Err(later) => sleep_until(later).await,
            }
        }
    }

    /// Takes in that AWS refused a call because there were too many.
    pub(super) fn refused(&self, purse: &Purse) {
        self.with(purse, |budget| budget.refuse(Instant::now()));
    }

    fn with<T>(&self, purse: &Purse, change: impl FnOnce(&mut Budget) -> T) -> T {
        let mut budgets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(budgets.entry(purse.clone()).or_insert_with(|| Budget::new(purse.1.most())))
    }
}

/// The calls of one share.
#[derive(Debug)]
struct Budget {
    /// The most calls in a window, as AWS has it.
    full: usize,
    /// The most calls in a window at present.
    most: usize,
    /// When the last calls began.
    begun: VecDeque<Instant>,
    /// When `most` changed last.
    changed: Option<Instant>,
    /// Held by the call that begins next.
    queue: Arc<tokio::sync::Mutex<()>>,
}

impl Budget {
    fn new(full: usize) -> Self {
        Self { full, most: full, begun: VecDeque::new(), changed: None, queue: Arc::default() }
    }

    /// Begins a call, or returns the time to try again.
    fn begin(&mut self, now: Instant) -> Result<(), Instant> {
        if self.most < self.full && self.changed.is_none_or(|changed| now >= changed + QUIET) {
            self.most = (self.most * 2).min(self.full);
            self.changed = Some(now);
        }
        let before = self.begun.len().checked_sub(self.most).and_then(|index| self.begun.get(index));
        if let Some(later) = before.map(|begun| *begun + WINDOW).filter(|later| *later > now) {
            return Err(later);
        }
        self.begun.push_back(now);
        if self.begun.len() > self.full {
            self.begun.pop_front();
        }
        Ok(())
    }

    /// Halves the budget. Several refusals within a window count as one.
    fn refuse(&mut self, now: Instant) {
        if self.changed.is_none_or(|changed| now >= changed + WINDOW) || self.most == self.full {
            self.most = (self.most / 2).max(1);
            self.changed = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times at which so many calls begin.
    fn begin(budget: &mut Budget, calls: usize, mut now: Instant) -> Vec<Instant> {
        let mut times = Vec::new();
        while times.len() < calls {
            match budget.begin(now) {
                Ok(()) => times.push(now),
                Err(later) => now = later,
            }
        }
        times
    }

    #[test]
    fn no_second_has_more_calls_than_aws_takes() {
        let now = Instant::now();
        let times = begin(&mut Budget::new(15), 60, now);
        assert_eq!(times[14], now, "the first calls do not wait");
        for (index, time) in times.iter().enumerate() {
            let within = times[index..].iter().filter(|other| **other < *time + Duration::from_secs(1)).count();
            assert!(within <= 15, "{within} from {index}");
        }
        assert!(times[59] <= now + WINDOW * 3, "it is used to the full");
    }

    #[test]
    fn a_refusal_halves_the_budget_for_some_seconds() {
        let (mut budget, now) = (Budget::new(15), Instant::now());
        (0..30).for_each(|_| budget.refuse(now));
        assert_eq!(budget.most, 7);
        let times = begin(&mut budget, 14, now);
        assert_eq!((times[6], times[7]), (now, now + WINDOW));
        budget.refuse(now + WINDOW);
        assert_eq!(budget.most, 3);
        for (after, most) in [(4, 3), (6, 6), (10, 12), (14, 15)] {
            assert!(budget.begin(now + Duration::from_secs(after)).is_ok());
            assert_eq!(budget.most, most, "after {after} s");
        }
    }

    #[test]
    fn each_operation_counts_to_its_share() {
        for (method, path, share) in [
            ("GET", "/2015-03-31/functions/a", Some(Share::GetFunction)),
            ("GET", "/2015-03-31/functions/arn%3Aaws%3Alambda/policy", Some(Share::GetPolicy)),
            ("GET", "/2015-03-31/functions/", Some(Share::Control)),
            ("GET", "/2015-03-31/functions/a/versions", Some(Share::Control)),
            ("POST", "/2015-03-31/functions", Some(Share::Control)),
            ("PUT", "/2015-03-31/functions/a/code", Some(Share::Control)),
            ("POST", "/2015-03-31/functions/a/invocations", None),
            ("GET", "/2018-10-31/layers/a/versions", Some(Share::Control)),
            ("PUT", "/bucket/key", None),
            ("POST", "/", None),
        ] {
            assert_eq!(Share::of(method, path.trim_start_matches('/')), share, "{method} {path}");
        }
    }
}
