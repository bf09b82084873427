//! `dpl-lambda` deploys AWS Lambda functions from any CI.
//!
//! # How the data flows
//!
//! ```text
//! flags ┐
//! step inputs ├─► config ─► Deployment ─► package ─► Artifact ┐
//! YAML block │                                                ├─► plan ─► Plan ─► apply ─► Outcome
//! environment ┘                          aws::read ─► Remote ─┘                    │
//!                                                 every step ─► Event ─► report ─► the CI's dialect
//! ```
//!
//! # Invariants
//!
//! - [`plan`] is a function of its arguments: it cannot fail, wait, print or ask the time. What must not be done is an
//!   obstacle in the plan, naming its option; here it is joined with its place and refused.
//! - Only [`aws`] names the SDK; no type of the SDK crosses its border.
//! - Only what stands in a [`plan::Plan`] is ever done, and every done thing is a [`report::Event`].
//! - Nothing is written to AWS before the whole configuration and the package have been checked.
//! - Nothing about a function changes unless the user named it.
//! - A value shown to anyone was escaped for where it is shown; a secret has no `Display` and no `Debug` of its value.
//! - The same files give the same bytes on every machine.
//! - The meaning of an exit code, a JSON field or a YAML key does not change within a major version.

// The surroundings.
pub mod host;
pub mod place;

// What is wanted.
pub mod cli;
pub mod config;
pub mod deployment;
pub mod package;
pub mod settings;

// What is live.
pub mod remote;

// What is done about it.
pub mod apply;
pub mod aws;
pub mod plan;

// What is said about it.
pub mod error;
pub mod report;

mod surround;

use std::{cell::RefCell, collections::BTreeMap, fs, path::Path, time::Duration};

use tokio::sync::watch;

use crate::apply::Signal;
use crate::aws::Session;
use crate::cli::{Stop, Verb};
use crate::config::{DryRun, Entry, Loaded, RunOptions};
use crate::error::{Error, ExitCode};
use crate::host::{Ci, Host};
use crate::package::Artifact;
use crate::place::Place;
use crate::plan::{Plan, Step};
use crate::remote::{Caller, Remote};
use crate::report::{Console, Deployed, Event, Format, Packaged, Reporter, Stage};
use crate::settings::{Role, Secret};

/// Does what the command line says and returns the exit code.
pub fn run(host: &Host) -> ExitCode {
    let console = Console::default();
    surround::hide_credentials(host, &console);
    let detected = Ci::detect(host);
    let invocation = match cli::parse(&host.called_as, &host.arguments) {
        Ok(invocation) => invocation,
        Err(Stop::Text(text)) => {
            console.say(&text);
            return ExitCode::Success;
        }
        Err(Stop::Wrong(problem)) => {
            let mut reporter = Reporter::new(detected, host, Format::Text, "usage", console.clone());
            let error = Error::Usage(problem);
            reporter.tell(&Event::Failed(error.failure(&console)));
            reporter.finish(error.exit_code() as u8);
            return error.exit_code();
        }
    };
    let loaded = config::load(&invocation.request, host, detected);
    surround::log_decisions(&loaded, &console);
    let format = if loaded.run.json { Format::Json } else { Format::Text };
    let mut reporter = Reporter::new(loaded.run.ci, host, format, invocation.verb.name(), console.clone());
    hide_secrets(&loaded, &mut reporter);
    let run = Run { host, console, reporter: RefCell::new(reporter), verb: invocation.verb };
    let exit_code = match run.carry_out(&loaded) {
        Ok(code) => code,
        Err(error) => run.fail(&error),
    };
    run.reporter.into_inner().finish(exit_code as u8);
    exit_code
}

/// Keys and likely secrets are hidden everywhere, other variables where others quote them.
fn hide_secrets(loaded: &Loaded, reporter: &mut Reporter) {
    loaded.secrets.iter().for_each(|secret| reporter.hide(secret));
    let environments = loaded.entries.iter().filter_map(|entry| entry.deployment.environment.as_ref());
    for (name, value) in environments.flat_map(|environment| &environment.entries) {
        let Some(value) = value else { continue };
        if surround::looks_secret(name) {
            reporter.hide(value);
        }
        reporter.hide_in_foreign(value);
    }
}

/// One run of the tool.
struct Run<'a> {
    host: &'a Host,
    console: Console,
    reporter: RefCell<Reporter>,
    verb: Verb,
}

impl Run<'_> {
    fn tell(&self, event: &Event) {
        self.reporter.borrow_mut().tell(event);
    }

    fn fail(&self, error: &Error) -> ExitCode {
        self.tell(&Event::Failed(error.failure(&self.console)));
        error.exit_code()
    }

    fn carry_out(&self, loaded: &Loaded) -> Result<ExitCode, Error> {
        loaded.warnings.iter().for_each(|warning| self.tell(&Event::Warning(warning.clone())));
        if !loaded.problems.is_empty() {
            return Err(Error::Configuration(loaded.problems.clone()));
        }
        loaded.skipped.iter().for_each(|reason| self.tell(&Event::Skipped(reason.clone())));
        match &self.verb {
            Verb::Package { output, list } => self.package(loaded, output.as_deref(), *list),
            Verb::Check => self.check(&loaded.entries),
            Verb::Deploy | Verb::Plan { .. } if loaded.entries.is_empty() => Ok(ExitCode::Success),
            Verb::Deploy | Verb::Plan { .. } => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime
                    .map_err(|error| Error::Output(format!("the process cannot start its event loop: {error}")))?;
                runtime.block_on(self.deploy_all(loaded))
            }
        }
    }

    fn package(&self, loaded: &Loaded, output: Option<&Path>, list: bool) -> Result<ExitCode, Error> {
        if loaded.packages.len() > 1 && output.is_some() {
            return Err(Error::Output("there are several blocks; choose one with `--function_name`".to_owned()));
        }
        for (code, places) in &loaded.packages {
            let mut code = code.clone();
            code.rules.never.extend(output.map(|output| self.host.directory.join(output)));
            let artifact = self.build(&code, places, None)?;
            if let Some(output) = output {
                let written = fs::write(self.host.directory.join(output), &artifact.bytes);
                written.map_err(|error| Error::Output(format!("`{}` cannot be written: {error}", output.display())))?;
            }
            self.tell(&Event::Packaged(packaged(&artifact, output, list)));
        }
        Ok(ExitCode::Success)
    }

    fn check(&self, entries: &[Entry]) -> Result<ExitCode, Error> {
        for (entry, artifact) in entries.iter().zip(self.build_all(entries)?) {
            let function = entry.deployment.function.name.clone();
            self.tell(&Event::Checked { function, package: packaged(&artifact, None, false) });
        }
        Ok(ExitCode::Success)
    }

    fn build_all(&self, entries: &[Entry]) -> Result<Vec<Artifact>, Error> {
        entries
            .iter()
            .map(|entry| self.build(&entry.deployment.code, &entry.places, Some(&entry.deployment.function.name)))
            .collect()
    }

    fn build(
        &self,
        code: &deployment::Code,
        places: &BTreeMap<&'static str, Place>,
        function: Option<&str>,
    ) -> Result<Artifact, Error> {
        package::build(code, &self.host.directory).map_err(|error| Error::Package {
            place: places.get(error.option()).cloned(),
            error,
            function: function.map(str::to_owned),
        })
    }

    async fn deploy_all(&self, loaded: &Loaded) -> Result<ExitCode, Error> {
        let interrupt = surround::interrupts();
        let RunOptions { cleanup, commands, dry_run, .. } = &loaded.run;
        let only_plan = *dry_run != DryRun::No || self.verb != Verb::Deploy;
        let stashed = *cleanup
            && !only_plan
            && surround::stash(self.host, &mut |event| self.tell(&event), &|line| self.relay(line))?;
        let mut result = self.deploy_each(loaded, only_plan, &interrupt).await;
        if result.is_ok() && !only_plan {
            let ran =
                surround::run_commands(commands, self.host, &mut |event| self.tell(&event), &|line| self.relay(line));
            result = ran.and(result);
        }
        if stashed {
            surround::unstash(self.host, &mut |event| self.tell(&event), &|line| self.relay(line));
        }
        result
    }

    fn relay(&self, line: &str) {
        self.reporter.borrow().relay(line);
    }

    async fn deploy_each(
        &self,
        loaded: &Loaded,
        only_plan: bool,
        interrupt: &watch::Receiver<Option<Signal>>,
    ) -> Result<ExitCode, Error> {
        let artifacts = self.build_all(&loaded.entries)?;
        let mut code = ExitCode::Success;
        for (entry, artifact) in loaded.entries.iter().zip(&artifacts) {
            let begun = Host::now();
            let result = async {
                let waiting =
                    |what: &str, so_far: Duration| self.tell(&Event::Waiting { what: what.to_owned(), so_far });
                let (mut session, remote, plan) = self.plan(entry, artifact, interrupt, &waiting).await?;
                if only_plan {
                    self.rehearse(&session, &plan, &remote, loaded.run.dry_run).await?;
                    return Ok(plan.changes());
                }
                self.apply(&mut session, plan, &remote, artifact, begun).await
            }
            .await;
            match result {
                Ok(true) if self.verb == (Verb::Plan { exit_code: true }) => code = ExitCode::Changes,
                Ok(_) => {}
                Err(error) if entry.allow_failure && interrupt.borrow().is_none() => {
                    self.fail(&error);
                    self.tell(&Event::Warning(
                        place::Problem::new("this failure is allowed, so the run goes on").of("allow_failure"),
                    ));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(code)
    }

    /// Reads what is live, thinks, tells. Nothing is written.
    async fn plan<'s>(
        &self,
        entry: &Entry,
        artifact: &'s Artifact,
        interrupt: &watch::Receiver<Option<Signal>>,
        waiting: &'s dyn Fn(&str, Duration),
    ) -> Result<(Session<'s>, Remote, Plan), Error> {
        let deployment = &entry.deployment;
        let function = deployment.function.name.clone();
        let unread = |fault| Error::Read { fault, function: function.clone() };
        self.tell(&Event::Stage(Stage::Login));
        let mut connection = tokio::select! {
            connection = aws::connect(&deployment.target) => connection.map_err(unread)?,
            signal = surround::signal(interrupt) => return Err(Error::Interrupted(signal)),
        };
        connection.secrets.iter().for_each(|secret: &Secret| self.reporter.borrow_mut().hide(secret));
        self.tell(&Event::Identity(report::mask(&connection.access_key_id)));
        self.tell(&Event::Stage(Stage::Setup));
        self.tell(&Event::StageDone);
        if deployment.target.expect_account.is_some() {
            connection.identify().await.map_err(unread)?;
        }
        let mut session = Session::new(
            &connection,
            &deployment.function.written,
            artifact,
            deployment.wait_timeout,
            interrupt.clone(),
            waiting,
        );
        let remote = session.read(deployment.release.publish).await.map_err(unread)?;
        if remote == Remote::Absent && matches!(deployment.settings.role, Some(Role::Name(_))) {
            connection.identify().await.map_err(unread)?;
        }
        let plan = self.think(entry, artifact, &remote, &connection.caller)?;
        Ok((session, remote, plan))
    }

    /// Tells the plan, and refuses it where something stands in its way.
    fn think(&self, entry: &Entry, artifact: &Artifact, remote: &Remote, caller: &Caller) -> Result<Plan, Error> {
        if let Remote::Present(live) = remote {
            live.warnings.iter().for_each(|warning| self.tell(&Event::Warning(place::Problem::new(warning.clone()))));
        }
        let plan = plan::plan(&entry.deployment, artifact, remote, caller);
        if !plan.obstacles.is_empty() {
            let placed =
                plan.obstacles.iter().map(|obstacle| (obstacle.clone(), entry.places.get(obstacle.option).cloned()));
            return Err(Error::Plan { obstacles: placed.collect(), function: plan.function.clone() });
        }
        self.tell(&Event::Planned(plan.clone()));
        Ok(plan)
    }

    /// Lets AWS check a code update by its own dry run, where that was asked for.
    async fn rehearse(
        &self,
        session: &Session<'_>,
        plan: &Plan,
        remote: &Remote,
        dry_run: DryRun,
    ) -> Result<(), Error> {
        let code = plan.steps.iter().find_map(|step| match step {
            Step::UpdateCode(code) => Some(code),
            _ => None,
        });
        if let (DryRun::Aws, Some(code), Remote::Present(_)) = (dry_run, code, remote) {
            let refused = |fault| Error::Read { fault, function: plan.function.clone() };
            session.rehearse(code).await.map_err(refused)?;
            self.tell(&Event::Rehearsed);
        }
        Ok(())
    }

    /// Does the plan that was told.
    async fn apply(
        &self,
        session: &mut Session<'_>,
        plan: Plan,
        remote: &Remote,
        artifact: &Artifact,
        begun: Duration,
    ) -> Result<bool, Error> {
        if plan.changes() {
            self.tell(&Event::Stage(Stage::Deploy));
        }
        let outcome = apply::apply(&plan, session, &mut |event| self.tell(&event)).await;
        let outcome = outcome.map_err(|stopped| Error::Apply { stopped, function: plan.function.clone() })?;
        let arn = match remote {
            Remote::Absent => None,
            Remote::Present(live) => Some(live.arn.clone()),
        };
        let changed = plan.changes();
        self.tell(&Event::Deployed(Deployed {
            function: plan.function.clone(),
            region: plan.region.clone(),
            arn: outcome.arn.or(arn).unwrap_or_default(),
            version: outcome.version.or(plan.published.clone()),
            code_sha256: artifact.code_sha256.clone(),
            package_size: artifact.bytes.len() as u64,
            plan,
            took: Host::now().saturating_sub(begun),
        }));
        Ok(changed)
    }
}

fn packaged(artifact: &Artifact, path: Option<&Path>, list: bool) -> Packaged {
    Packaged {
        path: path.map(|path| path.display().to_string()),
        size: artifact.bytes.len() as u64,
        code_sha256: artifact.code_sha256.clone(),
        entries: artifact.entries.clone(),
        list,
        left_out: artifact.left_out,
    }
}
