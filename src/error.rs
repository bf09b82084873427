//! Every way in which a run ends badly: one variant a stage, with its exit code and its words for people.

use crate::apply::{Fault, FaultKind, Signal, Stopped};
use crate::package;
use crate::place::{Place, Places, Problem, Weight};
use crate::report::{Console, Failure};

/// Exit codes. Their meaning does not change within a major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Done, or nothing to do.
    Success = 0,
    /// The deployment failed.
    Failed = 1,
    /// `plan --exit-code` found changes.
    Changes = 2,
    /// Usage, configuration or package refused.
    Refused = 3,
    /// Credentials or permission.
    Denied = 4,
    /// Another change came in between.
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
pub enum Error {
    /// The command line cannot be understood.
    Usage(Problem),
    /// The configuration is wrong; all of it at once.
    Configuration(Vec<Problem>),
    /// There is no package.
    Package {
        /// What is wrong.
        error: package::Error,
        /// Where the option at fault was written.
        place: Option<Place>,
        /// The function.
        function: Option<String>,
        /// What to do about it; absent where the error says it.
        help: Option<String>,
    },
    /// AWS could not be asked before anything was done.
    Asked {
        /// What could not be done.
        headline: String,
        /// Why.
        fault: Fault,
        /// The function.
        function: String,
    },
    /// The functions of a Region could not be listed.
    Listing(Fault),
    /// The plan must not be done.
    Plan {
        /// Why, each with its place.
        problems: Vec<Problem>,
        /// The function.
        function: String,
    },
    /// Every block was skipped, and that is not what was wanted.
    Skipped(String),
    /// A step failed.
    Apply {
        /// Where and why.
        stopped: Stopped,
        /// The function.
        function: String,
    },
    /// It is about a layer, which is named where a function would be.
    Layer(Box<Self>),
    /// A command of the user's failed.
    Command(String),
    /// A file that the user named could not be written.
    Refused(String),
    /// The machine cannot do what is needed.
    Output(String),
    /// The process was asked to stop while a command ran.
    Interrupted {
        /// How it was asked.
        signal: Signal,
        /// The command.
        during: String,
    },
}

impl Error {
    /// A package that could not be built, with the place of the option at fault. What is missing may have to be built first.
    pub fn package(error: package::Error, places: &Places, function: Option<&str>, how_to_build: Option<&str>) -> Self {
        let help = how_to_build.filter(|_| matches!(error, package::Error::Missing(_))).map(str::to_owned);
        let of_item = error.item().and_then(|item| places.of_item(error.option(), &item));
        let place = of_item.or_else(|| places.of(error.option())).or_else(|| places.of("zip")).cloned();
        Self::Package { place, error, function: function.map(str::to_owned), help }
    }

    /// What is live could not be read.
    pub fn read(fault: Fault, function: &str) -> Self {
        let headline = format!("cannot read what is live of `{function}`");
        Self::Asked { headline, fault, function: function.to_owned() }
    }

    /// The bucket of a package, or the registry of an image, could not be asked.
    pub fn look(fault: Fault, function: &str, url: &str) -> Self {
        let headline = format!("cannot look for the code of `{function}` at {url}");
        Self::Asked { headline, fault, function: function.to_owned() }
    }

    /// Whether the role of a function is there could not be asked.
    pub fn role(fault: Fault, function: &str, name: &str) -> Self {
        let headline = format!("cannot look for the role `{name}` of `{function}`");
        Self::Asked { headline, fault, function: function.to_owned() }
    }

    /// AWS' own dry run of a code update failed.
    pub fn rehearsal(fault: Fault, function: &str) -> Self {
        let headline = format!("AWS' dry run of the code update of `{function}` failed");
        Self::Asked { headline, fault, function: function.to_owned() }
    }

    /// There is no such function.
    pub fn absent(function: &str, region: &str) -> Self {
        let message = format!("AWS has no function of this name in {region}, for these credentials");
        let fault = Fault::new(FaultKind::Failed, message)
            .help("look at `function_name`, `region` and the credentials; `dpl-lambda list` shows which there are");
        Self::Asked { headline: format!("there is no function `{function}`"), fault, function: function.to_owned() }
    }

    /// A function could not be called.
    pub fn invoke(fault: Fault, function: &str, qualifier: Option<&str>) -> Self {
        let which = qualifier.map(|name| format!(":{name}")).unwrap_or_default();
        Self::Asked { headline: format!("cannot invoke `{function}{which}`"), fault, function: function.to_owned() }
    }

    /// A function was called, and failed. `kind` is AWS' word for how, `reason` the function's own.
    pub fn failed_itself(function: &str, kind: &str, reason: &str) -> Self {
        let headline = format!("`{function}` failed when it was invoked ({kind})");
        Self::Asked { headline, fault: Fault::new(FaultKind::Failed, reason), function: function.to_owned() }
    }

    /// A function or a version of it could not be deleted.
    pub fn delete(fault: Fault, function: &str, version: Option<&str>) -> Self {
        let what = version.map(|number| format!("version {number} of ")).unwrap_or_default();
        Self::Asked { headline: format!("cannot delete {what}`{function}`"), fault, function: function.to_owned() }
    }

    /// An alias could not be moved back.
    pub fn rollback(fault: Fault, function: &str, alias: &str) -> Self {
        let headline = format!("cannot roll back the alias `{alias}` of `{function}`");
        Self::Asked { headline, fault, function: function.to_owned() }
    }

    /// What stands in the way of a plan. What has no place of its own stands at the function's name.
    pub fn refused(function: &str, problems: impl IntoIterator<Item = Problem>, places: &Places) -> Self {
        let located = problems.into_iter().filter(Problem::stops).map(|problem| {
            let problem = places.locate(problem);
            let place = problem.place.clone().or_else(|| places.of("function_name").cloned());
            Problem { place, ..problem }
        });
        Self::Plan { problems: located.collect(), function: function.to_owned() }
    }

    /// The exit code that this leads to.
    pub fn exit_code(&self) -> ExitCode {
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

    /// The failure for people. Text of others is cleaned of what only the console knows.
    pub fn failure(&self, console: &Console) -> Failure {
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
                failure.help = Some("each line about a skip above says what was wanted and what was found".to_owned());
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
