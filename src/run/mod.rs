//! One run: load, build, read, plan, show, apply; or one of the verbs that need no package. Connects the modules and
//! has no knowledge of its own.

mod around;
mod delete;
mod invoke;
mod layers;
mod live;
mod packing;
mod rollback;
mod secrets;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;

use layers::{LayerOfRun, PlannedLayer};

use crate::apply;
use crate::aws::{self, Connection, Session};
use crate::cli::{self, CommandLine, Stop, Task};
use crate::config::{self, DryRun, Entry, IfSkipped, Loaded, Preview, Rendered, Request, RunOptions};
use crate::deployment::{Code, CodeSource, FirstRole, Target};
use crate::error::{Error, ExitCode};
use crate::event::{Answer, Deployed, Event, MadeOf, Packaged, Speaker, Stage};
use crate::fault::{Fault, FaultKind, Signal};
use crate::host::{Build, Ci, Host};
use crate::package::inspect::Date;
use crate::package::{self, Artifact, Package};
use crate::place::{Places, Problem};
use crate::plan::{self, Plan, Through};
use crate::remote::{Live, Remote, Snapshot, Stored};
use crate::report::{self, Colour, Console, Format, Manner, Reporter};
use crate::settings::{Attachment, Role};
use crate::verb::May;

/// The number of folders that a report shows of a package.
const SHOWN_FOLDERS: usize = 5;

/// The signal that asks the process to stop; `None` until it arrives.
type Interrupt = watch::Receiver<Option<Signal>>;

/// Runs the command line and returns the exit code.
pub fn run(host: &Host) -> ExitCode {
    let console = Console::default();
    secrets::hide_surroundings(host, &console);
    let detected = Ci::detect(host);
    let line = cli::parse(&host.called_as, &host.arguments);
    secrets::hide_given(&line, &console);
    let CommandLine { task, flags, speaks, .. } = line;
    let task = match task {
        Ok(task) => task,
        Err(Stop::Text(text)) => {
            console.say(&text);
            return ExitCode::Success;
        }
        Err(Stop::Wrong(problem)) => {
            let options = RunOptions::of_wrong_line(&flags, host, detected);
            let build = Build::of(host, options.ci);
            let mut reporter = Reporter::new(options.ci, host, build, &manner(&options), None, console.clone());
            return end(&mut reporter, &console, Err(&Error::Usage(problem)));
        }
    };
    let request = Request { flags, purpose: task.verb().row().purpose, speaks };
    let loaded = config::load(&request, host, detected);
    let reporter = {
        let (build, manner) = (loaded.build.clone(), manner(&loaded.run));
        Reporter::new(loaded.run.ci, host, build, &manner, Some(task.verb()), console.clone())
    };
    secrets::hide_configured(&loaded, &console);
    around::log_decisions(&loaded, &console);
    let run = Run { host, task, reporter: RefCell::new(reporter), console };
    let result = run.carry_out(&loaded);
    let Run { reporter, console, .. } = run;
    end(&mut reporter.into_inner(), &console, result.as_ref().copied())
}

/// Reports the end of the run.
fn end(reporter: &mut Reporter, console: &Console, result: Result<ExitCode, &Error>) -> ExitCode {
    let code = result.unwrap_or_else(|error| {
        reporter.tell(&Event::Failed(error.failure(console)));
        error.exit_code()
    });
    reporter.finish(code as u8);
    code
}

/// The output that the user wants.
fn manner(options: &RunOptions) -> Manner {
    Manner {
        format: if options.json { Format::Json } else { Format::Text },
        colour: match options.color {
            "always" => Colour::Always,
            "never" => Colour::Never,
            _ => Colour::Auto,
        },
        quiet: options.quiet,
        junit: options.junit.clone(),
        files: report::Files {
            output: options.output_file.clone(),
            summary: options.summary_file.clone(),
            gitlab_annotations: options.gitlab_annotations_file.clone(),
            gitlab_codequality: options.gitlab_codequality_file.clone(),
        },
    }
}

/// One run of the tool.
struct Run<'a> {
    host: &'a Host,
    task: Task,
    reporter: RefCell<Reporter>,
    console: Console,
}

/// A function with its plan, ready to be deployed.
struct Planned<'a> {
    entry: &'a Entry,
    package: &'a Package,
    session: Session<'a>,
    remote: Remote,
    plan: Plan,
}

impl Run<'_> {
    fn tell(&self, event: &Event) {
        self.reporter.borrow_mut().tell(event);
    }

    /// Reports an event of AWS. Redacts its text, which may quote values of the function.
    fn tell_of_aws(&self, event: Event) {
        self.tell(&match event {
            Event::Warning(problem) => {
                Event::Warning(Problem { message: self.console.redact_foreign(&problem.message), ..problem })
            }
            event => event,
        });
    }

    fn relay(&self, line: &str, speaker: Speaker) {
        self.tell(&Event::Relayed { line: line.to_owned(), speaker });
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
        if let Some(Preview { number, base }) = loaded.preview.clone() {
            self.tell(&Event::Preview { number, base });
        }
        loaded.skipped.iter().for_each(|skip| self.tell(&Event::Skipped(skip.clone())));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let started = |error| Error::Output(format!("the process cannot start its event loop: {error}"));
        let runtime = runtime.map_err(started)?;
        let result = runtime.block_on(async {
            let interrupt = around::interrupts();
            match &self.task {
                Task::Package { output, list } => self.package(loaded, output.as_deref(), *list, &interrupt).await,
                Task::Render => Ok(self.render(loaded)),
                Task::Policy => Ok(self.policy(loaded)),
                Task::Check => self.check(loaded, &interrupt).await,
                Task::Invoke(invoke) => self.invoke(self.only(loaded)?, invoke, &interrupt).await,
                Task::Init => self.init(self.only(loaded)?, &interrupt).await,
                Task::Status => self.status(&loaded.subjects, &interrupt).await,
                Task::List => self.list(&loaded.regions, &interrupt).await,
                Task::Delete { version, yes } => {
                    self.delete(self.only(loaded)?, version.as_deref(), *yes, &interrupt).await
                }
                Task::Rollback { to } => self.roll_back(self.only(loaded)?, to.as_deref(), &interrupt).await,
                Task::Deploy | Task::Plan { .. } if loaded.entries.is_empty() && loaded.layers.is_empty() => {
                    Ok(ExitCode::Success)
                }
                Task::Deploy | Task::Plan { .. } => self.deploy_tidily(loaded, &interrupt).await,
            }
        });
        // Does not wait for packing that was interrupted.
        runtime.shutdown_background();
        let code = result?;
        if loaded.is_skipped() { self.skipped(loaded, code) } else { Ok(code) }
    }

    /// Reports at the end that every block was skipped.
    fn skipped(&self, loaded: &Loaded, code: ExitCode) -> Result<ExitCode, Error> {
        let blocks = match loaded.skipped.len() {
            1 => "the only block was skipped".to_owned(),
            several => format!("all {several} blocks were skipped"),
        };
        let (what, if_skipped) = match self.task {
            Task::Deploy => ("nothing was deployed", loaded.run.if_skipped),
            Task::Plan { .. } => ("nothing would be deployed", loaded.run.if_skipped),
            _ => ("nothing was done", IfSkipped::Ok),
        };
        let message = format!("{what}: {blocks}");
        match if_skipped {
            IfSkipped::Ok => self.tell(&Event::Notice(Problem::new(message))),
            IfSkipped::Warning => self.tell(&Event::Warning(Problem::new(message).of("if_skipped"))),
            IfSkipped::Error => return Err(Error::Skipped(message)),
        }
        Ok(code)
    }

    /// Shows each block after resolving it.
    fn render(&self, loaded: &Loaded) -> ExitCode {
        let blocks: Vec<_> = loaded.rendered.iter().map(Rendered::yaml).collect();
        let json = loaded.rendered.iter().map(Rendered::json).collect();
        self.tell(&Event::Answer(Answer { name: "configuration", text: blocks.join("---\n"), json }));
        ExitCode::Success
    }

    /// Shows the smallest policy for all blocks together.
    fn policy(&self, loaded: &Loaded) -> ExitCode {
        let layers = loaded.layers.iter().map(|entry| &entry.deployment);
        let json = crate::policy::policy(layers, loaded.entries.iter().map(|entry| &entry.deployment));
        let text = format!("{json:#}\n");
        self.tell(&Event::Answer(Answer { name: "policy", text, json }));
        ExitCode::Success
    }

    async fn check(&self, loaded: &Loaded, interrupt: &Interrupt) -> Result<ExitCode, Error> {
        self.check_layers(&loaded.layers, interrupt).await?;
        for entry in &loaded.entries {
            let function = entry.deployment.function.name.clone();
            // `check` works without AWS, so it cannot read a package in S3 or in a registry.
            let package = match &entry.deployment.code.source {
                CodeSource::Path(_) => Some(self.build(entry, interrupt).await?),
                CodeSource::Object { .. } | CodeSource::Image(_) => None,
            };
            let artifact = package.as_ref().and_then(Package::archive);
            let problems = plan::check(&entry.deployment, artifact, Date::of(Host::now()));
            self.weigh(&entry.deployment.function.name, &entry.deployment.code, &entry.places, &problems)?;
            let package = artifact.map(|artifact| packaged(artifact, None, false));
            self.tell(&Event::Checked { function, package });
        }
        Ok(ExitCode::Success)
    }

    /// Deploys. With `cleanup`, stashes uncommitted files first and restores them afterwards.
    async fn deploy_tidily(&self, loaded: &Loaded, interrupt: &Interrupt) -> Result<ExitCode, Error> {
        let functions = loaded.entries.iter().filter(|entry| entry.cleanup).map(|entry| self.only_plans(entry));
        let layers = loaded.layers.iter().filter(|entry| entry.cleanup).map(|entry| self.only_plans(entry));
        let only_plans: Vec<_> = functions.chain(layers).collect();
        let tidy = only_plans.contains(&false);
        if only_plans.contains(&true) {
            let told = "a plan does not stash files, so its package may have files that a deploy leaves out";
            self.tell(&Event::Warning(Problem::new(told).of("cleanup")));
        }
        let stashed = tidy && around::stash(self, interrupt).await?;
        let result = self.deploy(loaded, interrupt).await;
        if stashed {
            around::unstash(self).await;
        }
        result
    }

    /// Builds all, plans all, then applies each plan, layers first. Nothing is written before everything has been
    /// checked.
    async fn deploy(&self, loaded: &Loaded, interrupt: &Interrupt) -> Result<ExitCode, Error> {
        let meanwhile = |event| self.tell(&event);
        let (mut built, mut planned, mut done) = (Vec::new(), Vec::new(), BTreeSet::new());
        let layers = self.build_layers(&loaded.layers, interrupt).await?;
        for entry in &loaded.entries {
            built.extend(
                self.unless_allowed(entry, interrupt, self.build(entry, interrupt).await)?
                    .map(|package| (entry, package)),
            );
        }
        let layers = self.plan_layers(&layers, interrupt, &meanwhile).await?;
        let mut of_run: Vec<_> = layers.iter().map(PlannedLayer::known).collect();
        for (entry, package) in &built {
            let plan = self.plan(entry, package, &of_run, interrupt, &meanwhile).await;
            planned.extend(self.unless_allowed(entry, interrupt, plan)?);
        }
        let mut changes = layers.iter().any(PlannedLayer::changes);
        self.publish_layers(layers, &mut of_run, interrupt).await?;
        for mut planned in planned {
            let entry = planned.entry;
            changes |= planned.plan.changes();
            if self.only_plans(entry) {
                self.unless_allowed(entry, interrupt, self.rehearse(&planned).await)?;
                continue;
            }
            // An earlier block may have changed the same function since this plan was made.
            if !done.insert((planned.plan.region.clone(), planned.plan.function.clone())) {
                planned = self.plan(entry, planned.package, &of_run, interrupt, &meanwhile).await?;
            }
            let result = match self.apply(planned, &of_run).await {
                Ok(()) => around::run_commands(self, &entry.commands, interrupt).await,
                Err(error) => Err(error),
            };
            self.unless_allowed(entry, interrupt, result)?;
        }
        let told_by_code = self.task == (Task::Plan { exit_code: true });
        Ok(if changes && told_by_code { ExitCode::Changes } else { ExitCode::Success })
    }

    fn only_plans<D>(&self, entry: &Entry<D>) -> bool {
        self.task.verb().row().may == May::OnlyLook || entry.dry_run != DryRun::No
    }

    /// Reports an allowed failure, and goes on without a result.
    fn unless_allowed<T, D>(
        &self,
        entry: &Entry<D>,
        interrupt: &Interrupt,
        result: Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if entry.allow_failure && interrupt.borrow().is_none() => {
                self.fail(&error);
                let told = Problem::new("this failure is allowed, so the run goes on").of("allow_failure");
                self.tell(&Event::Warning(told));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Connects to AWS with the credentials of the target. Looks up the account if one is expected.
    async fn log_in(&self, target: &Target, limit: Duration, interrupt: &Interrupt) -> Result<Connection, Fault> {
        self.tell(&Event::Stage(Stage::Login));
        let connection = aws::connect(target, secrets::hiding(&self.console));
        let mut connection = before_deadline("credentials", limit, interrupt, connection).await?;
        self.tell(&Event::Identity(report::mask(&connection.access_key_id)));
        self.tell(&Event::Stage(Stage::Setup));
        self.tell(&Event::StageDone);
        if target.expect_account.is_some() {
            before_deadline("`sts:GetCallerIdentity`", limit, interrupt, connection.identify()).await?;
        }
        secrets::keep_names_of(&connection.caller, &self.console);
        Ok(connection)
    }

    /// Reads the live state, plans, and shows the plan. Writes nothing.
    async fn plan<'s>(
        &self,
        entry: &'s Entry,
        package: &'s Package,
        of_run: &[LayerOfRun],
        interrupt: &Interrupt,
        meanwhile: &'s dyn Fn(Event),
    ) -> Result<Planned<'s>, Error> {
        let deployment = &entry.deployment;
        let function = &deployment.function;
        let unread = |fault| Error::read(fault, &function.name);
        let wait = deployment.wait_timeout;
        let mut connection = self.log_in(&deployment.target, wait, interrupt).await.map_err(unread)?;
        let archive = package.archive().map(|artifact| &artifact.archive);
        let mut session = Session::new(&connection, &function.written, archive, wait, interrupt.clone(), meanwhile);
        let remote = session.read(deployment).await.map_err(unread)?;
        let needs_account = match deployment.settings.role {
            Some(Role::Name(_)) => true,
            Some(Role::Arn(_)) => false,
            None => deployment.first_role == FirstRole::Made,
        };
        if remote == Remote::Absent && needs_account {
            before_deadline("`sts:GetCallerIdentity`", wait, interrupt, connection.identify()).await.map_err(unread)?;
        }
        if let Remote::Present(live) = &remote {
            self.warn_of_unread(entry, live);
        }
        let layers = self.known_layers(entry, of_run, &connection, &session).await.map_err(unread)?;
        let caller = connection.caller.clone();
        let mut snapshot = Snapshot { function: remote, caller, layers, stored: None, role: None };
        let today = Date::of(Host::now());
        let draft = plan::plan(deployment, package, &snapshot, today);
        snapshot.stored = look_in_bucket(&draft, &session).await?;
        if let Some(role) = draft.role().filter(|_| !draft.is_refused()) {
            let found = session.find_role(role).await;
            snapshot.role = Some(found.map_err(|fault| Error::role(fault, &function.name, &role.name))?);
        }
        let plan = plan::plan(deployment, package, &snapshot, today);
        self.weigh(&function.name, &deployment.code, &entry.places, &plan.problems)?;
        self.tell(&Event::Planned(plan.clone()));
        Ok(Planned { entry, package, session, remote: snapshot.function, plan })
    }

    /// Reports the warnings about a function or layer, and returns its errors. Adds place and file to each problem.
    fn weigh(&self, name: &str, code: &Code, places: &Places, problems: &[Problem]) -> Result<(), Error> {
        let located = problems.iter().map(|problem| {
            let file = problem.file.as_deref().and_then(|entry| self.file_of(code, entry));
            places.locate(Problem { file, ..problem.clone() })
        });
        let (stopping, doubtful): (Vec<_>, Vec<_>) = located.partition(Problem::stops);
        for warning in doubtful {
            self.tell(&Event::Warning(warning));
        }
        if stopping.is_empty() { Ok(()) } else { Err(Error::refused(name, stopping, places)) }
    }

    /// The local file of an entry in the package: the file in the folder, or else the archive or the single file.
    fn file_of(&self, code: &Code, entry: &str) -> Option<String> {
        let CodeSource::Path(source) = &code.source else { return None };
        let inside = entry.strip_prefix(&code.rules.into).unwrap_or(entry).trim_start_matches('/');
        let is_file = |path: &PathBuf| self.host.directory.join(path).is_file();
        let file = [source.clone(), source.join(inside)].into_iter().find(is_file)?;
        Some(file.to_string_lossy().into_owned())
    }

    /// Warns about values that could not be read; about tags only if the deployment manages them.
    fn warn_of_unread(&self, entry: &Entry, live: &Live) {
        let tags = live.tags_unread.iter().filter(|_| entry.deployment.tags.is_some());
        for warning in live.warnings.iter().chain(tags) {
            self.tell(&Event::Warning(Problem::new(self.console.redact_foreign(warning))));
        }
    }

    /// Checks the code update with AWS' own dry run, if the user wants it.
    async fn rehearse(&self, planned: &Planned<'_>) -> Result<(), Error> {
        let Planned { entry, session, remote, plan, .. } = planned;
        if let (DryRun::Aws, Some(code), Remote::Present(_)) = (entry.dry_run, plan.replacement(), remote) {
            if matches!(code.through, Through::Upload(_)) {
                let told =
                    "AWS' own dry run is skipped: the package is not in the bucket, and a plan does not upload it";
                self.tell(&Event::Warning(Problem::new(told).of("dry_run")));
                return Ok(());
            }
            let refused = |fault| Error::rehearsal(fault, &plan.function);
            session.rehearse(code).await.map_err(refused)?;
            self.tell(&Event::Rehearsed);
        }
        Ok(())
    }

    /// Applies the plan that was shown.
    async fn apply(&self, planned: Planned<'_>, of_run: &[LayerOfRun]) -> Result<(), Error> {
        let Planned { entry, package, mut session, remote, plan } = planned;
        session.know_layers(layers::published(&plan, entry, of_run)?);
        let begun = Host::now();
        session.restart_deadline();
        if plan.changes() {
            self.tell(&Event::Stage(Stage::Deploy));
        }
        let outcome = apply::apply(&plan, &mut session, &mut |event| self.tell_of_aws(event)).await;
        let outcome = outcome.map_err(|stopped| Error::Apply { stopped, function: plan.function.clone() })?;
        let removed = plan.removed(Attachment::FunctionUrl).is_some();
        let (known_arn, version_before, url) = match remote {
            Remote::Absent => (None, None, None),
            Remote::Present(live) => {
                let urls = live.attachments.get(&Attachment::FunctionUrl);
                let url = urls.and_then(|urls| urls.get("")?.handle.clone()).filter(|_| !removed);
                (Some(live.arn), live.newest_version.map(|version| version.number), url)
            }
        };
        self.tell(&Event::Deployed(Deployed {
            function: plan.function.clone(),
            region: plan.region.clone(),
            arn: outcome.arn.or(known_arn).unwrap_or_default(),
            version: outcome.version.or(plan.published.clone()),
            alias: entry.deployment.release.alias.as_ref().map(|alias| alias.0.clone()),
            url: outcome.url.or(url),
            kept: outcome.kept,
            made_of: made_of(package, &session),
            plan,
            took: Host::now().saturating_sub(begun),
            steps: outcome.done,
            version_before,
        }));
        Ok(())
    }
}

/// Looks up the object that this plan would upload; `None` if it uploads nothing.
async fn look_in_bucket(draft: &Plan, session: &Session<'_>) -> Result<Option<Stored>, Error> {
    let Some(object) = draft.object().filter(|_| !draft.is_refused()) else { return Ok(None) };
    let stored = session.find(object).await;
    stored.map(Some).map_err(|fault| Error::look(fault, &draft.function, &object.url()))
}

/// Awaits a call that comes before the session, with the deadline of the function and an eye on interrupts.
async fn before_deadline<T>(
    what: &str,
    limit: Duration,
    interrupt: &Interrupt,
    future: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    tokio::select! {
        result = tokio::time::timeout(limit, future) => result.unwrap_or_else(|_| {
            Err(Fault::new(FaultKind::TimedOut, format!("gave up after {} s waiting for {what}", limit.as_secs())))
        }),
        signal = Signal::sent(interrupt) => {
            Err(Fault::new(FaultKind::Interrupted(signal), format!("interrupted by {}", signal.name())))
        }
    }
}

/// The deployed code. For an image whose digest was unknown, AWS has reported it by now.
fn made_of(package: &Package, session: &Session<'_>) -> MadeOf {
    match package {
        Package::Archive(artifact) => MadeOf::Archive {
            code_sha256: artifact.code_sha256.clone(),
            size: artifact.archive.size(),
            unpacked: package::unpacked(&artifact.entries),
            largest_folders: package::largest_folders(&artifact.entries, SHOWN_FOLDERS),
        },
        Package::Image(image) => {
            let live = session.image().filter(|_| image.digest.is_none());
            MadeOf::Image { address: live.map_or_else(|| image.address(), str::to_owned) }
        }
    }
}

fn packaged(artifact: &Artifact, path: Option<&Path>, list: bool) -> Packaged {
    Packaged {
        path: path.map(|path| path.display().to_string()),
        size: artifact.archive.size(),
        code_sha256: artifact.code_sha256.clone(),
        entries: artifact.entries.clone(),
        list,
        left_out: artifact.left_out,
    }
}
