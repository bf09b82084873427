//! Gives a version the traffic of an alias in steps, and takes it back if the version fails.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::alias::{Route, Routed};
use super::clock;
use super::fault::{Call, Failed};
use super::settle::{Deadline, interrupted};
use super::{Session, convert};
use crate::event::{Event, Happened, Moment};
use crate::fault::{Fault, FaultKind, Signal};
use crate::release::{Next, Schedule, Shift};
use crate::remote::{Alias, ShiftGround};

/// The time between two reports of a shift. Some CIs end a job without output after some minutes.
const REPORT_EVERY: Duration = Duration::from_mins(1);

/// How long a shift goes on while alarms and errors cannot be read.
const BLIND: Duration = Duration::from_mins(2);

/// The time to take the traffic back.
const BACK: Duration = Duration::from_secs(30);

/// The most attempts to take the traffic back.
const ATTEMPTS: usize = 5;

/// What a shift knows about the new version.
struct Watched<'a> {
    schedule: &'a Schedule,
    alias: &'a str,
    version: &'a str,
    /// The time of the start, since the Unix epoch.
    since: Duration,
    /// Since when alarms and errors cannot be read; absent if they could be read last.
    blind: Option<Instant>,
}

impl Session<'_> {
    /// Reports a moment of the release.
    pub(crate) fn happened(&self, what: Happened) {
        let function = self.live.as_ref().map_or(&*self.function, |live| live.name()).to_owned();
        (self.report)(Event::Moment(Moment { function, region: self.caller.region.clone(), at: self.so_far(), what }));
    }

    /// Reads what matters for a shift of an alias' traffic.
    pub(super) async fn shift_ground(&self, schedule: &Schedule, alias: &Alias) -> Result<ShiftGround, Failed> {
        let served = async {
            if alias.version.parse::<u64>().is_err() {
                return Ok(None);
            }
            let found = self.get_function(Some(&alias.version)).await?;
            Ok(found.and_then(|found| convert::version(found.configuration()?)))
        };
        let missing = async {
            if schedule.alarms.is_empty() {
                return Ok(Vec::new());
            }
            let known = self.alarms(&schedule.alarms).await?;
            Ok(schedule.alarms.iter().filter(|name| !known.contains_key(*name)).cloned().collect())
        };
        let (served, is_provisioned, missing_alarms) =
            tokio::try_join!(served, self.is_provisioned(&alias.name), missing)?;
        Ok(ShiftGround { served, is_provisioned, missing_alarms })
    }

    /// Whether an alias has provisioned concurrency; not if that cannot be read.
    async fn is_provisioned(&self, alias: &str) -> Result<bool, Failed> {
        let resource = format!("{}:{alias}", self.function);
        let call = Call { action: "lambda:GetProvisionedConcurrencyConfig", resource: &resource };
        let request = self.lambda.get_provisioned_concurrency_config().function_name(&self.function).qualifier(alias);
        match self.read_optional(&call, request.send()).await {
            Ok(found) => Ok(found.is_some()),
            Err(Failed { fault, .. }) if fault.kind == FaultKind::Denied => Ok(false),
            Err(failed) => Err(failed),
        }
    }

    /// Gives the version the shares of the schedule, and watches it. Returns the alias as it is then.
    pub(super) async fn shift(&mut self, schedule: &Schedule, from: Alias, version: &str) -> Result<Alias, Failed> {
        let begun = Instant::now();
        let (name, mut alias) = (from.name.clone(), from);
        let mut share = alias.weights.get(version).copied().unwrap_or_default();
        let mut watched = Watched { schedule, alias: &name, version, since: clock::now(), blind: None };
        let mut shift = Shift::begin(schedule, share, begun.elapsed());
        let mut next_report = begun + REPORT_EVERY;
        loop {
            self.extend_deadline();
            self.look(&mut watched).await?;
            match shift.next(begun.elapsed()) {
                Next::Give(percent) => {
                    share = f64::from(percent) / 100.0;
                    let weights = BTreeMap::from([(version.to_owned(), share)]);
                    let serving = alias.version.clone();
                    alias = self.reroute(alias, version, &Route { version: &serving, weights }, None).await?;
                    shift.given(begun.elapsed());
                    self.happened(Happened::Shifted { alias: name.clone(), version: version.to_owned(), percent });
                }
                Next::Wait(time) => {
                    tokio::select! {
                        () = sleep(time) => {}
                        signal = Signal::sent(&self.interrupt) => {
                            return Err(interrupted(signal, &format!("version {version} to prove itself")).into());
                        }
                    }
                    if Instant::now() >= next_report {
                        next_report = Instant::now() + REPORT_EVERY;
                        let what = format!(
                            "version {version} to prove itself with {} % of the traffic of `{name}`",
                            (share * 100.0).round()
                        );
                        (self.report)(Event::Waiting { what, so_far: begun.elapsed() });
                    }
                }
                Next::Finish => return Ok(alias),
            }
        }
    }

    /// Looks at the alarms and errors of a shift. An alarm, or too many errors, is an error.
    async fn look(&self, watched: &mut Watched<'_>) -> Result<(), Failed> {
        match self.problem(watched).await {
            Ok(None) => {
                watched.blind = None;
                self.forget();
                Ok(())
            }
            Ok(Some(problem)) => Err(Fault::new(FaultKind::Unhealthy, problem).into()),
            Err(failed) if matches!(failed.fault.kind, FaultKind::Failed | FaultKind::TimedOut) => {
                let since = *watched.blind.get_or_insert_with(Instant::now);
                if since.elapsed() >= BLIND {
                    return Err(failed);
                }
                tracing::debug!("not watching: {}", failed.fault.message);
                Ok(())
            }
            Err(failed) => Err(failed),
        }
    }

    /// Why a shift must end; `None` if it may go on.
    async fn problem(&self, watched: &Watched<'_>) -> Result<Option<String>, Failed> {
        let Watched { schedule, alias, version, since, .. } = watched;
        if !schedule.alarms.is_empty() {
            let states = self.alarms(&schedule.alarms).await?;
            let state = |name: &String| states.get(name).map(String::as_str);
            if let Some(alarm) = schedule.alarms.iter().find(|name| state(name) == Some("ALARM")) {
                return Ok(Some(format!("the alarm `{alarm}` is in the state ALARM")));
            }
            if let Some(alarm) = schedule.alarms.iter().find(|name| state(name).is_none()) {
                return Ok(Some(format!("the alarm `{alarm}` does not exist any more")));
            }
        }
        let Some(limit) = schedule.errors else { return Ok(None) };
        let counted = self.counted(alias, version, *since).await?;
        Ok(limit.problem(counted).map(|problem| format!("version {version}: {problem}")))
    }

    /// Gives the traffic of the managed alias back, whatever has happened; `None` if this run has not begun to move it.
    ///
    /// A signal does not stop this: it may be the reason.
    pub(crate) async fn take_back(&mut self, before: &Alias) -> Option<Result<(), Fault>> {
        let routed = self.routed.take()?;
        self.interrupt = watch::channel(None).1;
        self.deadline.set(Deadline::after(BACK));
        self.forget();
        let result = self.give_back(routed, before).await.map_err(|failed| failed.fault);
        let problem = result.as_ref().err().map(|fault| fault.message.clone());
        self.happened(Happened::TakenBack { alias: before.name.clone(), version: before.version.clone(), problem });
        Some(result)
    }

    async fn give_back(&self, routed: Routed, before: &Alias) -> Result<(), Failed> {
        let Routed { mut alias, version, description } = routed;
        let weights = before.weights.iter().filter(|(other, _)| **other != version);
        let weights: BTreeMap<_, _> = weights.map(|(other, share)| (other.clone(), *share)).collect();
        let route = Route { version: &before.version, weights };
        let is_ours = |found: &Alias| {
            let known = |number: &String| {
                *number == version || *number == before.version || before.weights.contains_key(number)
            };
            let is_described =
                found.description == before.description || Some(&found.description) == description.as_ref();
            known(&found.version) && found.weights.keys().all(known) && is_described
        };
        let mut attempts = 1;
        loop {
            let written = self.route(&before.name, Some(&alias), &route, Some(&before.description)).await;
            let Err(failed) = written else { return Ok(()) };
            // The answer to an earlier write may have been lost. Then the alias has another revision than this run knows.
            match self.get_alias(&before.name).await? {
                Some(found) if attempts < ATTEMPTS && found.revision_id != alias.revision_id && is_ours(&found) => {
                    alias = found;
                }
                _ => return Err(failed),
            }
            attempts += 1;
        }
    }
}
