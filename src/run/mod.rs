//! One run of the tool: connects the modules, one file for each part of a run.
//!
//! `build`, `plan` and `deploy` are the stages of a deployment; `layers` has the layers that functions wait for,
//! `order` the order in which they are applied, `outputs` the values that they take from each other.
//! `connect` has the connections, and `elsewhere` the values that are read before
//! a plan. The other files are verbs, and what surrounds a run.

mod around;
mod build;
mod check;
mod connect;
mod delete;
mod deploy;
mod doctor;
mod elsewhere;
mod invoke;
mod lanes;
mod layers;
mod live;
mod logs;
mod once;
mod order;
mod outputs;
mod package;
mod plan;
mod promote;
mod prove;
mod rollback;
mod secrets;
mod together;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use tokio::runtime::Runtime;
use tokio::sync::{Mutex, Semaphore, watch};

use crate::cli::{self, CommandLine, Stop, Task};
use crate::config::{self, AfterFailure, Entry, IfSkipped, Loaded, Preview, Request, RunOptions, Syntax};
use crate::error::{Error, ExitCode};
use crate::event::{Event, Packaged};
use crate::fault::Signal;
use crate::host::{Build, Ci, Host};
use crate::package::Artifact;
use crate::place::Problem;
use crate::report::{self, Colour, Console, Format, LogFormat, Manner, Printed, Reporter, Wording};

/// The signal that asks the process to stop; `None` until it arrives.
type Interrupt = watch::Receiver<Option<Signal>>;

/// Runs the command line and returns the exit code.
pub fn run(host: &Host) -> ExitCode {
    let console = Console::default();
    secrets::hide_surroundings(host, &console);
    let detected = Ci::detect(host);
    let line = cli::read(&host.called_as, &host.arguments, &host.variables);
    secrets::hide_given(&line, &console);
    let CommandLine { task, flags, syntax, .. } = line;
    let ready = match task {
        Ok(task) => Host::event_loop().map(|event_loop| (task, event_loop)).map_err(|lack| Error::lack(&lack)),
        Err(Stop::Text(text)) => return if console.answer(&text) { ExitCode::Success } else { ExitCode::Failed },
        Err(Stop::Wrong(problem)) => Err(Error::Usage(problem)),
    };
    let (task, event_loop) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            let options = RunOptions::of_wrong_line(&flags, host, detected);
            let build = Build::of(host, options.ci);
            let manner = manner(&options, syntax);
            let mut reporter = Reporter::new(options.ci, host, build, &manner, None, console.clone());
            return end(&mut reporter, &console, Err(&error));
        }
    };
    let request = Request { flags, purpose: task.purpose(), syntax };
    let loaded = config::load(&request, host, detected, None);
    let reporter = {
        let (build, manner) = (loaded.build.clone(), manner(&loaded.run, syntax));
        Reporter::new(loaded.run.ci, host, build, &manner, Some(task.verb()), console.clone())
    };
    secrets::hide_configured(&loaded, &console);
    around::log_decisions(&loaded, &console);
    let (sender, interrupt) = watch::channel(None);
    let (reporter, logins, opened) = (RefCell::new(reporter), RefCell::default(), RefCell::default());
    let shared = Shared::default();
    let (lanes, failed, stopped) = (RefCell::default(), Cell::default(), RefCell::default());
    let (left, lost) = (RefCell::default(), RefCell::default());
    let (parallel, after_failure) = (loaded.run.parallel.unwrap_or_else(lanes::at_once), loaded.run.after_failure);
    let comments = loaded.run.comment.is_some() && loaded.build.pull_request.is_some();
    let run = Run {
        host,
        task,
        request,
        detected,
        comments,
        reporter,
        console,
        interrupt,
        stop: sender.clone(),
        logins,
        opened,
        lanes,
        parallel,
        after_failure,
        work: Cell::new(None),
        failed,
        stopped,
        left,
        lost,
        outputs: outputs::Outputs::default(),
        shared,
    };
    let result = run.carry_out(&loaded, sender, event_loop);
    let Run { reporter, console, .. } = run;
    end(&mut reporter.into_inner(), &console, result.as_ref().copied())
}

/// Reports the end of the run.
fn end(reporter: &mut Reporter, console: &Console, result: Result<ExitCode, &Error>) -> ExitCode {
    let code = result.unwrap_or_else(|error| {
        reporter.report(&Event::Failed(error.failure(console)), None);
        error.exit_code()
    });
    let printed = reporter.finish(code as u8);
    if printed == Printed::Lost && matches!(code, ExitCode::Success | ExitCode::Changes) {
        ExitCode::Failed
    } else {
        code
    }
}

/// The output that the user wants.
fn manner(options: &RunOptions, syntax: Syntax) -> Manner {
    Manner {
        format: if options.json { Format::Json } else { Format::Text },
        log: if options.log == "json" { LogFormat::Json } else { LogFormat::Text },
        colour: match options.color {
            "always" => Colour::Always,
            "never" => Colour::Never,
            _ => Colour::Auto,
        },
        quiet: options.quiet,
        verbose: options.verbose,
        wording: match syntax {
            Syntax::Own => Wording::Own,
            Syntax::DplArguments | Syntax::DplProgram => Wording::Dpl,
        },
        junit: options.junit.clone(),
        files: report::Files {
            output: options.output_file.clone(),
            summary: options.summary_file.clone(),
            gitlab_annotations: options.gitlab_annotations_file.clone(),
            gitlab_codequality: options.gitlab_codequality_file.clone(),
        },
        comment: options
            .comment
            .as_ref()
            .map(|comment| report::Wish { token: comment.token.clone(), file: comment.file.clone() }),
    }
}

/// One run of the tool.
struct Run<'a> {
    host: &'a Host,
    task: Task,
    request: Request,
    /// The CI that was detected.
    detected: Ci,
    /// Whether the plans become a comment on a pull request.
    comments: bool,
    reporter: RefCell<Reporter>,
    console: Console,
    interrupt: Interrupt,
    /// Stops the work that is going on, as a signal does.
    stop: watch::Sender<Option<Signal>>,
    /// The connections so far. Blocks share them.
    logins: RefCell<Vec<Rc<connect::Login>>>,
    /// The local files so far. Blocks with the same files and rules share them.
    opened: RefCell<Vec<Rc<build::Local>>>,
    /// The events of the blocks that are worked on at once.
    lanes: RefCell<lanes::Lanes>,
    /// How many blocks are worked on at once.
    parallel: usize,
    after_failure: AfterFailure,
    /// What is done with the functions in progress: the end of "12 of 200 functions …"; absent: nothing that takes long.
    work: Cell<Option<&'static str>>,
    /// The highest exit code of the blocks that failed; absent: none failed.
    failed: Cell<Option<ExitCode>>,
    /// Why no further block begins: the rest of a sentence; absent: none had to stop.
    stopped: RefCell<Option<String>>,
    /// The blocks that did not begin.
    left: RefCell<Vec<lanes::Left>>,
    /// The names of the blocks that are not deployed, by their numbers.
    lost: RefCell<BTreeMap<usize, String>>,
    /// The values that blocks take from functions of the run.
    outputs: outputs::Outputs,
    shared: Shared,
}

/// What blocks that are worked on at once share.
struct Shared {
    /// Held while one of them logs in.
    login: Mutex<()>,
    /// Held while one of them reads or packs local files, which uses all processors.
    packing: Mutex<()>,
    /// Held while the commands of one of them run.
    commands: Mutex<()>,
    /// The megabytes of packages that may be in memory to be sent.
    room: Semaphore,
    /// The objects that this run puts into buckets, by address.
    sent: RefCell<BTreeMap<String, Rc<Mutex<Option<prove::Sent>>>>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            login: Mutex::default(),
            packing: Mutex::default(),
            commands: Mutex::default(),
            room: Semaphore::new(prove::ROOM as usize),
            sent: RefCell::default(),
        }
    }
}

impl Run<'_> {
    /// Reports an event of AWS. Redacts its text, which may quote values of the function.
    fn report_of_aws(&self, event: Event) {
        self.report(&match event {
            Event::Warning(problem) => {
                Event::Warning(Problem { message: self.console.redact_foreign(&problem.message), ..problem })
            }
            event => event,
        });
    }

    /// Reports an error about a block, and returns its exit code.
    fn fail_of(&self, entry: &Entry, error: &Error) -> ExitCode {
        let mut failure = error.failure(&self.console);
        failure.headline.extend(entry.region_of_twin().into_iter().flat_map(|region| [" in ", region]));
        self.report(&Event::Failed(failure));
        error.exit_code()
    }

    /// Reports an error, and returns its exit code.
    fn fail(&self, error: &Error) -> ExitCode {
        self.report(&Event::Failed(error.failure(&self.console)));
        error.exit_code()
    }

    fn carry_out(
        &self,
        loaded: &Loaded,
        signals: watch::Sender<Option<Signal>>,
        event_loop: Runtime,
    ) -> Result<ExitCode, Error> {
        if let Task::Init { from: Some(path) } = &self.task {
            return self.convert(path, loaded.run.ci);
        }
        loaded.warnings.iter().for_each(|warning| self.report(&Event::Warning(warning.clone())));
        if !loaded.problems.is_empty() {
            return Err(Error::Configuration(loaded.problems.clone()));
        }
        if let Some(stage) = loaded.stage.clone() {
            self.report(&Event::Chosen(stage));
        }
        if let Some(Preview { number, base }) = loaded.preview.clone() {
            self.report(&Event::Preview { number, base });
        }
        loaded.skipped.iter().for_each(|skip| self.report(&Event::Skipped(skip.clone())));
        let result = event_loop.block_on(async {
            around::listen(signals);
            self.do_task(loaded).await
        });
        // Does not wait for packing that was interrupted.
        event_loop.shutdown_background();
        let code = result?;
        if loaded.is_skipped() { self.skipped(loaded, code) } else { Ok(code) }
    }

    async fn do_task(&self, loaded: &Loaded) -> Result<ExitCode, Error> {
        match &self.task {
            Task::Package { output, list } => self.package(loaded, output.as_deref(), *list).await,
            Task::Render => Ok(self.render(loaded)),
            Task::Policy { verbs, like } => self.policy(loaded, verbs, like.as_deref()),
            Task::Check => self.check(&loaded.entries).await,
            Task::Doctor => self.doctor(&loaded.entries, loaded.run.ci).await,
            Task::Invoke(invoke) => self.invoke(self.only(loaded)?, invoke).await,
            Task::Init { .. } => self.init(self.only(loaded)?).await,
            Task::Status => self.status(&loaded.subjects).await,
            Task::Logs(logs) => self.logs(self.only(loaded)?, logs).await,
            Task::List => self.list(&loaded.regions).await,
            Task::Delete { version, yes } => self.delete(self.only(loaded)?, version.as_deref(), *yes).await,
            Task::Rollback { to, of } => {
                let build = loaded.build.id.as_deref();
                self.roll_back(self.only(loaded)?, to.as_deref(), *of, build).await
            }
            Task::Deploy | Task::Plan { .. } => {
                let complete = self.with_values(loaded).await.inspect_err(|_| {
                    self.leave_all(&loaded.entries, "values from elsewhere could not be read");
                })?;
                self.deploy(&complete.as_ref().unwrap_or(loaded).entries).await
            }
        }
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
            IfSkipped::Ok => self.report(&Event::Notice(Problem::new(message))),
            IfSkipped::Warning => self.report(&Event::Warning(Problem::new(message).of("if_skipped"))),
            IfSkipped::Error => return Err(Error::Skipped(message)),
        }
        Ok(code)
    }
}

/// A package, to show.
fn packaged(artifact: &Artifact, path: Option<&Path>, list: bool) -> Packaged {
    Packaged {
        heading: None,
        path: path.map(|path| path.display().to_string()),
        size: artifact.archive.size(),
        code_sha256: artifact.code_sha256.clone(),
        entries: artifact.entries.clone(),
        list,
        left_out: artifact.left_out.clone(),
    }
}
