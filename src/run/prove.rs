//! Performs the steps of a plan. The smoke tests among them are calls and commands; all other steps are calls of AWS.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Run;
use crate::apply::{Done, Executor};
use crate::aws::Session;
use crate::error::Error;
use crate::event::Happened;
use crate::fault::{Fault, FaultKind, Signal};
use crate::plan::{Object, Plan, Step, Tested, Trial};
use crate::release::{Answer, Call, Check, Script, SmokeTest};
use crate::remote::{Alias, Invocation};

/// The pause before the first repetition of a test. Each next pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two repetitions.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The megabytes of packages that may be in memory to be sent. Each is there in several forms.
pub(super) const ROOM: u32 = 32;

/// The time during which an alias may still call the version before.
const UNTIL_ROUTED: Duration = Duration::from_secs(10);

/// A package that this run has put into a bucket.
pub(super) struct Sent {
    code_sha256: String,
    /// Its version there; absent: the bucket keeps none.
    version: Option<String>,
}

/// Performs the steps of a plan.
pub(super) struct Performer<'r> {
    run: &'r Run<'r>,
    /// The bare name of the function.
    name: String,
    region: String,
    /// The version that the alias has before; absent if the alias is new.
    before: Option<String>,
    /// The time that a command has.
    limit: Duration,
    pub(super) session: Session<'r>,
}

impl<'r> Performer<'r> {
    pub(super) fn new(run: &'r Run<'r>, plan: &Plan, limit: Duration, session: Session<'r>) -> Self {
        let before = plan.alias_before().map(|alias| alias.version.clone());
        Self { run, name: plan.name.clone(), region: plan.region.clone(), before, limit, session }
    }
}

impl Executor for Performer<'_> {
    async fn perform(&mut self, step: &Step) -> Result<Done, Fault> {
        let _room = match step {
            Step::UploadPackage(_) | Step::CreateFunction { .. } | Step::UpdateCode(_) | Step::PublishLayer(_) => {
                let megabytes = u32::try_from(self.session.package_size() >> 20).unwrap_or(ROOM);
                self.run.shared.room.acquire_many((megabytes + 1).min(ROOM)).await.ok()
            }
            _ => None,
        };
        match step {
            Step::UploadPackage(object) => self.upload_once(object, step).await,
            Step::SmokeTest(trial) => self.test(trial).await.map(|()| Done::default()),
            step => Box::pin(self.session.perform(step)).await,
        }
    }

    async fn take_back(&mut self, before: &Alias) -> Option<Result<(), Fault>> {
        self.session.take_back(before).await
    }
}

/// The result of one attempt of a test.
#[derive(Default)]
struct Attempt {
    problems: Vec<String>,
    log: Vec<String>,
}

impl Attempt {
    fn failed(problem: String) -> Self {
        Self { problems: vec![problem], log: Vec::new() }
    }
}

impl Performer<'_> {
    /// Puts the package into its bucket, unless another block of this run has done so.
    async fn upload_once(&mut self, object: &Object, step: &Step) -> Result<Done, Fault> {
        let sent = Rc::clone(self.run.shared.sent.borrow_mut().entry(object.url()).or_default());
        let mut sent = sent.lock().await;
        match &*sent {
            Some(sent) if sent.code_sha256 == object.code_sha256 => self.session.know_upload(sent.version.clone()),
            _ => {
                Box::pin(self.session.perform(step)).await?;
                let version = self.session.uploaded().map(str::to_owned);
                *sent = Some(Sent { code_sha256: object.code_sha256.clone(), version });
            }
        }
        Ok(Done::default())
    }

    /// Tests until an attempt passes, or no repetition is left.
    async fn test(&mut self, trial: &Trial) -> Result<(), Fault> {
        let Trial { test, on } = trial;
        let SmokeTest { number, check, retries, .. } = test;
        let version = on.version().map(|version| self.session.number(version)).transpose()?;
        let (mut left, mut pause) = (*retries, FIRST_PAUSE);
        loop {
            let attempt = match check {
                Check::Call(call) => self.call(call, on, version.as_deref()).await?,
                Check::Command(script) => self.command(script, version.as_deref()).await?,
            };
            let Attempt { problems, log } = attempt;
            let again = !problems.is_empty() && left > 0;
            self.session.happened(Happened::Tested {
                number: *number,
                version: version.clone(),
                problems: problems.clone(),
                log,
                again,
            });
            if problems.is_empty() {
                return Ok(());
            }
            if !again {
                let fault = Fault::new(FaultKind::Unhealthy, problems.join("; "));
                return Err(fault.help(self.help(on)));
            }
            left -= 1;
            self.pause(pause).await?;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// What callers get after a failed test.
    fn help(&self, on: &Tested) -> String {
        match on {
            Tested::Candidate(alias, _) => match &self.before {
                Some(before) => format!("callers of `{}` still get version {before}", alias.0),
                None => format!("the alias `{}` was not created", alias.0),
            },
            Tested::Alias(..) => "mend the function, or the test, and deploy again".to_owned(),
            Tested::Version(_) | Tested::Latest => {
                "callers get the new code; set `alias` so that they get it only after the tests".to_owned()
            }
        }
    }

    async fn pause(&self, pause: Duration) -> Result<(), Fault> {
        tokio::select! {
            () = sleep(pause) => Ok(()),
            signal = Signal::sent(&self.run.interrupt) => Err(interrupted(signal)),
        }
    }

    /// Calls the function, and compares its answer.
    async fn call(&mut self, call: &Call, on: &Tested, version: Option<&str>) -> Result<Attempt, Fault> {
        let qualifier = match on {
            Tested::Alias(alias, _) => Some(alias.0.as_str()),
            Tested::Latest | Tested::Version(_) | Tested::Candidate(..) => version,
        };
        let begun = self.session.so_far();
        let invocation = loop {
            let invocation = self.session.call_in_test(&self.name, qualifier, call.payload.clone()).await?;
            let executed = invocation.executed_version.as_deref();
            if version.is_none() || executed.is_none() || executed == version {
                break invocation;
            }
            if self.session.so_far().saturating_sub(begun) > UNTIL_ROUTED {
                let executed = executed.unwrap_or_default();
                return Ok(Attempt::failed(format!("version {executed} answered")));
            }
            self.pause(FIRST_PAUSE).await?;
        };
        let Invocation { payload, function_error, log, took, .. } = &invocation;
        let hide = |text: &str| self.run.console.redact_foreign(text);
        let took = duration(log).unwrap_or(*took);
        let answer =
            Answer { payload: payload.as_deref().unwrap_or_default(), function_error: function_error.as_deref(), took };
        let problems = answer.problems(call, &hide);
        let log = if problems.is_empty() { Vec::new() } else { log.iter().map(|line| hide(line)).collect() };
        Ok(Attempt { problems, log })
    }

    /// Runs a command, which finds what it tests in its variables.
    async fn command(&self, script: &Script, version: Option<&str>) -> Result<Attempt, Fault> {
        let arn = self.session.arn();
        let version_arn = version.map_or_else(|| arn.to_owned(), |version| format!("{arn}:{version}"));
        let variables = [
            ("LAMBDA_FUNCTION_NAME", self.name.as_str()),
            ("LAMBDA_VERSION", version.unwrap_or("$LATEST")),
            ("LAMBDA_VERSION_ARN", &version_arn),
            ("LAMBDA_REGION", &self.region),
        ];
        match timeout(self.limit, self.run.run_command(script, variables)).await {
            Ok(Ok(())) => Ok(Attempt::default()),
            Ok(Err(Error::Interrupted { signal, .. })) => Err(interrupted(signal)),
            Ok(Err(error)) => Ok(Attempt::failed(error.headline())),
            Err(_) => {
                Ok(Attempt::failed(format!("`{}` did not end within {} s", script.written, self.limit.as_secs())))
            }
        }
    }
}

fn interrupted(signal: Signal) -> Fault {
    let message = format!("interrupted by {} during a smoke test", signal.name());
    Fault::new(FaultKind::Interrupted(signal), message)
}

/// The duration of an invocation in its log, without the start of the environment; `None` if the log does not say it.
fn duration(log: &[String]) -> Option<Duration> {
    log.iter().rev().find_map(|line| {
        let after = |mark: &str| line.split_once(mark).map(|(_, rest)| rest);
        let text =
            line.strip_prefix("REPORT ").and_then(|_| after("\tDuration: ")).or_else(|| after("\"durationMs\":"))?;
        let text = text.trim_start();
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let milliseconds: f64 = text[..end].parse().ok()?;
        Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_the_duration_without_the_start() {
        for (line, expected) in [
            (
                "REPORT RequestId: 1\tDuration: 12.50 ms\tBilled Duration: 13 ms\tInit Duration: 900.00 ms\t",
                Some(12_500),
            ),
            (
                r#"{"type":"platform.report","record":{"metrics":{"durationMs":7.25,"billedDurationMs":8}}}"#,
                Some(7_250),
            ),
            ("Duration: 3 ms", None),
            ("REPORT \tDuration: many ms", None),
        ] {
            let found = duration(&["START".to_owned(), line.to_owned(), "END".to_owned()]);
            assert_eq!(found, expected.map(Duration::from_micros), "{line}");
        }
    }
}
