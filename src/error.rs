//! Why a run fails: one variant a stage, with its exit code and its messages.

use crate::apply::Stopped;
use crate::event::Failure;
use crate::fault::{Fault, FaultKind, Signal};
use crate::package;
use crate::place::{Place, Places, Problem, Weight};
use crate::report::Console;

/// Exit codes. Their meaning does not change within a major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Success, also if there was nothing to do.
    Success = 0,
    /// The deployment failed.
    Failed = 1,
    /// `plan --exit-code` found changes.
    Changes = 2,
    /// The command line, configuration or package is wrong, or the plan was refused.
    Refused = 3,
    /// Credentials or a permission are missing.
    Denied = 4,
    /// Somebody else changed the function during the run.
    Conflict = 5,
    /// The deadline passed.
    TimedOut = 6,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

/// Why a run, or one function of it, failed.
#[derive(Debug)]
pub(crate) enum Error {
    /// The command line is wrong.
    Usage(Problem),
    /// The configuration is wrong. Holds all its errors.
    Configuration(Vec<Problem>),
    /// The package could not be built.
    Package {
        /// The error.
        error: package::Error,
        /// The place of the option at fault.
        place: Option<Place>,
        /// The function.
        function: Option<String>,
        /// How to fix it; absent: the error says it.
        help: Option<String>,
    },
    /// A call to AWS failed outside of a plan's steps.
    Asked {
        /// What failed, as in "cannot read …".
        headline: String,
        /// Why.
        fault: Fault,
        /// The function.
        function: String,
    },
    /// The functions of a Region could not be listed.
    Listing(Fault),
    /// The plan was refused.
    Plan {
        /// The reasons, each with its place.
        problems: Vec<Problem>,
        /// The function.
        function: String,
    },
    /// Every block was skipped, and `if_skipped` makes that an error.
    Skipped(String),
    /// A step failed.
    Apply {
        /// The step, and why it failed.
        stopped: Stopped,
        /// The function.
        function: String,
    },
    /// An error about a layer. The inner error has the layer's name in place of the function's.
    Layer(Box<Self>),
    /// A command of the user failed.
    Command(String),
    /// A file that the user named could not be written.
    Refused(String),
    /// This machine lacks something that the run needs.
    Output(String),
    /// A signal stopped the process while a command ran.
    Interrupted {
        /// The signal.
        signal: Signal,
        /// The command.
        during: String,
    },
}

impl Error {
    /// The package could not be built. `places` gives the place of the option at fault, `how_to_build` the help for a
    /// missing file.
    pub(crate) fn package(
        error: package::Error,
        places: &Places,
        function: Option<&str>,
        how_to_build: Option<&str>,
    ) -> Self {
        let help = how_to_build.filter(|_| matches!(error, package::Error::Missing(_))).map(str::to_owned);
        let of_item = error.item().and_then(|item| places.of_item(error.option(), &item));
        let place = of_item.or_else(|| places.of(error.option())).or_else(|| places.of("zip")).cloned();
        Self::Package { place, error, function: function.map(str::to_owned), help }
    }

    /// The live function could not be read.
    pub(crate) fn read(fault: Fault, function: &str) -> Self {
        let headline = format!("cannot read the live function `{function}`");
        Self::Asked { headline, fault, function: function.to_owned() }
    }

    /// The bucket of a package, or the registry of an image, could not be read.
    pub(crate) fn look(fault: Fault, function: &str, url: &str) -> Self {
        let headline = format!("cannot read the code of `{function}` at {url}");
        Self::Asked { headline, fault, function: function.to_owned() }
    }

    /// The execution role of a function could not be read.
    pub(crate) fn role(fault: Fault, function: &str, name: &str) -> Self {
        let headline = format!("cannot read the role `{name}` of `{function}`");
        Self::Asked { headline, fault, function: function.to_owned() }
    }

    /// AWS' own dry run of a code update failed.
    pub(crate) fn rehearsal(fault: Fault, function: &str) -> Self {
        let headline = format!("AWS' dry run of the code update of `{function}` failed");
        Self::Asked { headline, fault, function: function.to_owned() }
    }

    /// The function does not exist.
    pub(crate) fn absent(function: &str, region: &str) -> Self {
        let message = format!("AWS has no function of this name in {region}, for these credentials");
        let fault = Fault::new(FaultKind::Failed, message)
            .help("check `function_name`, `region` and the credentials; `dpl-lambda list` lists the functions");
        Self::Asked { headline: format!("there is no function `{function}`"), fault, function: function.to_owned() }
    }

    /// A function could not be invoked.
    pub(crate) fn invoke(fault: Fault, function: &str, qualifier: Option<&str>) -> Self {
        let which = qualifier.map(|name| format!(":{name}")).unwrap_or_default();
        Self::Asked { headline: format!("cannot invoke `{function}{which}`"), fault, function: function.to_owned() }
    }

    /// The invoked function failed. `kind` is AWS' name for the kind of error, `reason` the function's own message.
    pub(crate) fn failed_itself(function: &str, kind: &str, reason: &str) -> Self {
        let headline = format!("`{function}` failed when it was invoked ({kind})");
        Self::Asked { headline, fault: Fault::new(FaultKind::Failed, reason), function: function.to_owned() }
    }

    /// A function or a version of it could not be deleted.
    pub(crate) fn delete(fault: Fault, function: &str, version: Option<&str>) -> Self {
        let what = version.map(|number| format!("version {number} of ")).unwrap_or_default();
        Self::Asked { headline: format!("cannot delete {what}`{function}`"), fault, function: function.to_owned() }
    }

    /// An alias could not be moved back.
    pub(crate) fn rollback(fault: Fault, function: &str, alias: &str) -> Self {
        let headline = format!("cannot roll back the alias `{alias}` of `{function}`");
        Self::Asked { headline, fault, function: function.to_owned() }
    }

    /// A plan was refused for these problems. A problem without a place gets the place of `function_name`.
    pub(crate) fn refused(function: &str, problems: impl IntoIterator<Item = Problem>, places: &Places) -> Self {
        let located = problems.into_iter().filter(Problem::stops).map(|problem| {
            let problem = places.locate(problem);
            let place = problem.place.clone().or_else(|| places.of("function_name").cloned());
            Problem { place, ..problem }
        });
        Self::Plan { problems: located.collect(), function: function.to_owned() }
    }

    /// The exit code of this error.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Configuration(_) | Self::Package { .. } | Self::Skipped(_) | Self::Refused(_) => {
                ExitCode::Refused
            }
            Self::Asked { fault, .. } | Self::Listing(fault) => code_of(fault.kind),
            Self::Plan { problems, .. } => {
                let refused = problems.iter().any(|problem| problem.weight == Weight::Error);
                if refused { ExitCode::Refused } else { ExitCode::Conflict }
            }
            Self::Apply { stopped, .. } => code_of(stopped.fault.kind),
            Self::Layer(error) => error.exit_code(),
            Self::Command(_) | Self::Output(_) => ExitCode::Failed,
            Self::Interrupted { signal, .. } => code_of(FaultKind::Interrupted(*signal)),
        }
    }

    /// The failure as data for the report. `console` removes secrets from text that AWS wrote.
    pub(crate) fn failure(&self, console: &Console) -> Failure {
        let mut failure = Failure {
            headline: String::new(),
            problems: Vec::new(),
            done: Vec::new(),
            begun: Vec::new(),
            not_done: Vec::new(),
            help: None,
            function: None,
            layer: None,
            exit_code: self.exit_code() as u8,
        };
        let fault_problem = |fault: &Fault| Problem::new(console.redact_foreign(&fault.message));
        match self {
            Self::Usage(problem) => {
                "the command line is not right".clone_into(&mut failure.headline);
                failure.problems = vec![problem.clone()];
            }
            Self::Configuration(problems) => {
                "the configuration is not right".clone_into(&mut failure.headline);
                failure.problems.clone_from(problems);
            }
            Self::Package { error, place, function, help } => {
                failure.headline = match function {
                    Some(function) => format!("cannot package `{function}`"),
                    None => "cannot package".to_owned(),
                };
                let file = error.file().map(|file| file.to_string_lossy().into_owned());
                failure.problems =
                    vec![Problem { place: place.clone(), file, help: help.clone(), ..Problem::new(causes(error)) }];
                failure.function.clone_from(function);
            }
            Self::Asked { headline, fault, function } => {
                failure.headline.clone_from(headline);
                failure.problems = vec![fault_problem(fault)];
                failure.help.clone_from(&fault.help);
                failure.function = Some(function.clone());
            }
            Self::Listing(fault) => {
                "cannot list the functions".clone_into(&mut failure.headline);
                failure.problems = vec![fault_problem(fault)];
                failure.help.clone_from(&fault.help);
            }
            Self::Plan { problems, function } => {
                failure.headline = format!("`{function}` is not deployed");
                failure.function = Some(function.clone());
                failure.problems.clone_from(problems);
            }
            Self::Apply { stopped, function } => {
                let (at, of) = stopped.at;
                failure.headline = format!("stopped at step {at} of {of}: {} of `{function}`", stopped.title);
                failure.problems = vec![fault_problem(&stopped.fault)];
                failure.done.clone_from(&stopped.done);
                failure.begun.clone_from(&stopped.begun);
                failure.not_done.clone_from(&stopped.not_done);
                failure.help.clone_from(&stopped.fault.help);
                failure.function = Some(function.clone());
            }
            Self::Layer(error) => {
                failure = error.failure(console);
                failure.layer = failure.function.take();
            }
            Self::Skipped(message) => {
                failure.headline.clone_from(message);
                failure.help = Some("the lines above give the reason for each skip".to_owned());
            }
            Self::Command(command) => failure.headline.clone_from(command),
            Self::Output(message) | Self::Refused(message) => failure.headline.clone_from(message),
            Self::Interrupted { signal, during } => {
                failure.headline = format!("interrupted by {} during {during}", signal.name());
            }
        }
        failure
    }
}

fn code_of(kind: FaultKind) -> ExitCode {
    match kind {
        FaultKind::Failed => ExitCode::Failed,
        FaultKind::Denied => ExitCode::Denied,
        FaultKind::Conflict => ExitCode::Conflict,
        FaultKind::TimedOut => ExitCode::TimedOut,
        FaultKind::Misconfigured => ExitCode::Refused,
        FaultKind::Interrupted(Signal::Interrupt) => ExitCode::Interrupted,
        FaultKind::Interrupted(Signal::Terminate) => ExitCode::Terminated,
    }
}

/// An error with its causes on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
