//! Why a run fails: one variant a stage, with its exit code and its messages.

use crate::apply::{Back, Stopped};
use crate::deployment::Item;
use crate::event::Failure;
use crate::fault::{Fault, FaultKind, Signal};
use crate::host::{self, Lack};
use crate::package;
use crate::place::{Place, Places, Problem, Weight};
use crate::report::Console;
use crate::settings::FunctionName;

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
    /// The new version failed a test. The alias stays at the version before, or is back there.
    Unhealthy = 7,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

/// The function or layer that an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// The bare name of a function.
    Function(String),
    /// The name of a layer.
    Layer(String),
}

impl From<&FunctionName> for About {
    fn from(function: &FunctionName) -> Self {
        Self::Function(function.name.clone())
    }
}

impl From<&Item> for About {
    fn from(item: &Item) -> Self {
        match item {
            Item::Function(deployment) => Self::from(&deployment.function),
            Item::Layer(layer) => Self::Layer(layer.name.clone()),
        }
    }
}

impl About {
    fn name(&self) -> &str {
        match self {
            Self::Function(name) | Self::Layer(name) => name,
        }
    }
}

/// Why a run, or one block of it, failed.
#[derive(Debug)]
pub(crate) enum Error {
    /// The command line is wrong.
    Usage(Problem),
    /// The configuration is wrong. Holds all its errors.
    Configuration(Vec<Problem>),
    /// Values that the configuration keeps elsewhere could not be read. Holds all errors.
    Values {
        /// The errors.
        problems: Vec<Problem>,
        /// The kind of failure.
        kind: FaultKind,
    },
    /// The package could not be built.
    Package {
        /// The error.
        error: package::Error,
        /// The place of the option at fault.
        place: Option<Place>,
        /// The function or layer; absent in the verb `package`.
        about: Option<About>,
        /// How to fix it; absent: the error says it.
        help: Option<String>,
    },
    /// A call to AWS failed outside of a plan's steps.
    Call {
        /// What failed, as in "cannot read …".
        headline: String,
        /// Why.
        fault: Fault,
        /// The function or layer.
        about: About,
    },
    /// The functions of a Region could not be listed.
    Listing(Fault),
    /// The plan was refused.
    Plan {
        /// The reasons, each with its place.
        problems: Vec<Problem>,
        /// The function or layer.
        about: About,
    },
    /// Every block was skipped, and `if_skipped` makes that an error.
    Skipped(String),
    /// A step failed.
    Apply {
        /// The step, and why it failed.
        stopped: Stopped,
        /// The function or layer.
        about: About,
    },
    /// All steps were done, but what is live differs from them or is unknown.
    Contested {
        /// Why.
        fault: Fault,
        /// The subjects of the steps.
        done: Vec<&'static str>,
        /// The function or layer.
        about: About,
    },
    /// A command of the user failed.
    Command(String),
    /// The run failed after the steps of a function, so the traffic of its alias was taken back.
    Undone {
        /// The failure.
        cause: Box<Self>,
        /// Whether the traffic is back.
        back: Box<Back>,
        /// The function.
        about: About,
    },
    /// Another function failed, and the traffic of this one could not be taken back.
    NotBack {
        /// Why not.
        back: Box<Back>,
        /// The function.
        about: About,
    },
    /// Standard input, or a file that the user named, is of no use; or the user did not confirm.
    Refused(String),
    /// This machine lacks something that the run needs.
    Machine(Problem),
    /// A signal stopped the run outside of a plan's steps.
    Interrupted {
        /// The signal.
        signal: Signal,
        /// The work that it stopped.
        during: String,
    },
}

impl Error {
    /// The package could not be built. `places` gives the place of the option at fault, `how_to_build` the help for a
    /// missing file.
    pub(crate) fn package(
        error: package::Error,
        places: &Places,
        about: Option<About>,
        how_to_build: Option<&str>,
    ) -> Self {
        let help = match &error {
            package::Error::Missing(_) => how_to_build,
            error => host::is_limit_on_files(error).then_some(host::MORE_FILES),
        };
        let help = help.map(str::to_owned);
        let of_item = error.item().and_then(|item| places.of_item(error.option(), &item));
        let place = of_item
            .or_else(|| places.of(error.option()))
            .or_else(|| places.of("zip"))
            .or_else(|| places.of("code_from"))
            .cloned();
        Self::Package { error, place, about, help }
    }

    fn call(fault: Fault, about: impl Into<About>, headline: impl FnOnce(&About) -> String) -> Self {
        let about = about.into();
        Self::Call { headline: headline(&about), fault, about }
    }

    /// The live function or layer could not be read.
    pub(crate) fn read(fault: Fault, about: impl Into<About>) -> Self {
        Self::call(fault, about, |about| match about {
            About::Function(name) => format!("cannot read the live function `{name}`"),
            About::Layer(name) => format!("cannot read the layer `{name}`"),
        })
    }

    /// The bucket of a package, or the registry of an image, could not be read.
    pub(crate) fn look(fault: Fault, item: &Item, url: &str) -> Self {
        Self::call(fault, item, |about| format!("cannot read the code of `{}` at {url}", about.name()))
    }

    /// The execution role of a function could not be read.
    pub(crate) fn role(fault: Fault, item: &Item, role: &str) -> Self {
        Self::call(fault, item, |about| format!("cannot read the role `{role}` of `{}`", about.name()))
    }

    /// AWS' own dry run of a code update failed.
    pub(crate) fn rehearsal(fault: Fault, item: &Item) -> Self {
        Self::call(fault, item, |about| format!("AWS' dry run of the code update of `{}` failed", about.name()))
    }

    /// The function does not exist.
    pub(crate) fn absent(function: &FunctionName, region: &str) -> Self {
        let message = format!("AWS has no function of this name in {region}, for these credentials");
        let fault = Fault::new(FaultKind::Failed, message)
            .help("check `function_name`, `region` and the credentials; `dpl-lambda list` lists the functions");
        Self::call(fault, function, |about| format!("there is no function `{}`", about.name()))
    }

    /// The log of a function could not be read.
    pub(crate) fn log(fault: Fault, function: &FunctionName) -> Self {
        Self::call(fault, function, |about| format!("cannot read the log of `{}`", about.name()))
    }

    /// A function could not be invoked.
    pub(crate) fn invoke(fault: Fault, function: &FunctionName, qualifier: Option<&str>) -> Self {
        let which = qualifier.map(|name| format!(":{name}")).unwrap_or_default();
        Self::call(fault, function, |about| format!("cannot invoke `{}{which}`", about.name()))
    }

    /// The invoked function failed. `kind` is AWS' name for the kind of error, `reason` the function's own message.
    pub(crate) fn failed_itself(function: &FunctionName, kind: &str, reason: &str) -> Self {
        let fault = Fault::new(FaultKind::Failed, reason);
        Self::call(fault, function, |about| format!("`{}` failed when it was invoked ({kind})", about.name()))
    }

    /// A function or a version of it could not be deleted.
    pub(crate) fn delete(fault: Fault, function: &FunctionName, version: Option<&str>) -> Self {
        let what = version.map(|number| format!("version {number} of ")).unwrap_or_default();
        Self::call(fault, function, |about| format!("cannot delete {what}`{}`", about.name()))
    }

    /// An alias could not be moved back.
    pub(crate) fn rollback(fault: Fault, function: &FunctionName, alias: &str) -> Self {
        Self::call(fault, function, |about| format!("cannot roll back the alias `{alias}` of `{}`", about.name()))
    }

    /// A plan was refused for these problems. A problem without a place gets the place of `function_name`.
    pub(crate) fn refused(item: &Item, problems: impl IntoIterator<Item = Problem>, places: &Places) -> Self {
        let located = problems.into_iter().map(|problem| {
            let problem = places.locate(problem);
            let place = problem.place.clone().or_else(|| places.of("function_name").cloned());
            Problem { place, ..problem }
        });
        Self::Plan { problems: located.collect(), about: item.into() }
    }

    /// The event loop could not start.
    pub(crate) fn lack(lack: &Lack) -> Self {
        Self::Machine(Problem::new(lack.to_string()).help(lack.help()))
    }

    /// The exit code of this error.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Package { error, .. } if is_of_machine(error) => ExitCode::Failed,
            Self::Usage(_) | Self::Configuration(_) | Self::Package { .. } | Self::Skipped(_) | Self::Refused(_) => {
                ExitCode::Refused
            }
            Self::Call { fault, .. } | Self::Contested { fault, .. } | Self::Listing(fault) => code_of(fault.kind),
            Self::Values { kind, .. } => code_of(*kind),
            Self::Plan { problems, .. } => {
                let refused = problems.iter().any(|problem| problem.weight == Weight::Error);
                if refused { ExitCode::Refused } else { ExitCode::Conflict }
            }
            Self::Apply { stopped, .. } => code_of(stopped.fault.kind),
            Self::Command(_) | Self::Machine(_) => ExitCode::Failed,
            Self::Undone { cause, .. } if matches!(**cause, Self::Command(_)) => ExitCode::Unhealthy,
            Self::Undone { cause, .. } => cause.exit_code(),
            Self::NotBack { back, .. } => {
                code_of(back.result.as_ref().map_or_else(|fault| fault.kind, |()| FaultKind::Failed))
            }
            Self::Interrupted { signal, .. } => code_of(FaultKind::Interrupted(*signal)),
        }
    }

    /// The failure as data for the report. `console` removes secrets from text that AWS wrote.
    pub(crate) fn failure(&self, console: &Console) -> Failure {
        let mut failure = Failure {
            headline: self.headline(),
            headline_is_cause: false,
            problems: Vec::new(),
            done: Vec::new(),
            begun: Vec::new(),
            not_done: Vec::new(),
            help: None,
            function: None,
            layer: None,
            exit_code: self.exit_code() as u8,
        };
        match self.about() {
            Some(About::Function(name)) => failure.function = Some(name.clone()),
            Some(About::Layer(name)) => failure.layer = Some(name.clone()),
            None => {}
        }
        match self {
            Self::Usage(problem) | Self::Machine(problem) => {
                failure.problems = vec![problem.clone()];
            }
            Self::Configuration(problems) | Self::Plan { problems, .. } => failure.problems.clone_from(problems),
            Self::Values { problems, .. } => {
                let redacted = |problem: &Problem| Problem {
                    message: console.redact_foreign(&problem.message),
                    ..problem.clone()
                };
                failure.problems = problems.iter().map(redacted).collect();
            }
            Self::Package { error, place, help, .. } => {
                let (place, help) = (place.clone(), help.clone());
                let file = error.file().map(|file| file.to_string_lossy().into_owned());
                failure.problems = vec![Problem { place, file, help, ..Problem::new(causes(error)) }];
            }
            Self::Call { fault, .. } | Self::Contested { fault, .. } | Self::Listing(fault) => {
                failure.problems = vec![Problem::new(console.redact_foreign(&fault.message))];
                failure.help.clone_from(&fault.help);
            }
            Self::Apply { stopped: Stopped { fault, back, .. }, .. } => {
                let back_there = back.as_deref().map(|back| format!("; {}", after(back)));
                let message = format!("{}{}", fault.message, back_there.unwrap_or_default());
                failure.problems = vec![Problem::new(console.redact_foreign(&message))];
                failure.help = back.as_deref().and_then(way_out).or_else(|| fault.help.clone());
            }
            Self::Undone { cause, back, .. } => {
                let Failure { problems, help, mut done, .. } = cause.failure(console);
                back.correct([&mut done, &mut failure.begun], &mut failure.not_done);
                failure.headline_is_cause = problems.is_empty();
                let causes = problems.iter().map(Problem::to_string);
                let message: Vec<_> = causes.chain([after(back)]).collect();
                failure.problems = vec![Problem::new(console.redact_foreign(&message.join("; ")))];
                failure.help = way_out(back).or(help);
                failure.done = done;
            }
            Self::NotBack { back, .. } => {
                failure.problems = vec![Problem::new(console.redact_foreign(&after(back)))];
                failure.help = way_out(back);
            }
            Self::Skipped(_) => failure.help = Some("the lines above give the reason for each skip".to_owned()),
            Self::Command(_) | Self::Refused(_) | Self::Interrupted { .. } => {}
        }
        match self {
            Self::Apply { stopped, .. } => {
                failure.done.clone_from(&stopped.done);
                failure.begun.clone_from(&stopped.begun);
                failure.not_done.clone_from(&stopped.not_done);
            }
            Self::Contested { done, .. } => failure.done.clone_from(done),
            _ => {}
        }
        failure
    }

    /// Whether the failure of another function stopped this one.
    pub(crate) fn is_of_another(&self) -> bool {
        let is_so = |fault: &Fault| fault.kind == FaultKind::Interrupted(Signal::Failure);
        match self {
            Self::Call { fault, .. } | Self::Contested { fault, .. } => is_so(fault),
            Self::Apply { stopped, .. } => is_so(&stopped.fault),
            Self::Undone { cause, .. } => cause.is_of_another(),
            Self::Interrupted { signal, .. } => *signal == Signal::Failure,
            _ => false,
        }
    }

    /// The attempt to take the traffic back, and the subjects of the steps that were begun.
    pub(crate) fn into_rest(self) -> (Option<Back>, Vec<&'static str>) {
        match self {
            Self::Apply { stopped: Stopped { back, begun, .. }, .. } => (back.map(|back| *back), begun),
            Self::Undone { back, .. } => (Some(*back), Vec::new()),
            _ => (None, Vec::new()),
        }
    }

    /// The function or layer; `None` if the error is about the whole run.
    fn about(&self) -> Option<&About> {
        match self {
            Self::Call { about, .. }
            | Self::Plan { about, .. }
            | Self::Apply { about, .. }
            | Self::Undone { about, .. }
            | Self::NotBack { about, .. }
            | Self::Contested { about, .. } => Some(about),
            Self::Package { about, .. } => about.as_ref(),
            Self::Usage(_)
            | Self::Configuration(_)
            | Self::Values { .. }
            | Self::Listing(_)
            | Self::Skipped(_)
            | Self::Command(_)
            | Self::Refused(_)
            | Self::Machine(_)
            | Self::Interrupted { .. } => None,
        }
    }

    /// What failed: a lowercase fragment.
    pub(crate) fn headline(&self) -> String {
        match self {
            Self::Usage(_) => "the command line is not right".to_owned(),
            Self::Configuration(_) => "the configuration is not right".to_owned(),
            Self::Values { .. } => "cannot read the values from elsewhere".to_owned(),
            Self::Package { about: Some(about), .. } => format!("cannot package `{}`", about.name()),
            Self::Package { about: None, .. } => "cannot package".to_owned(),
            Self::Listing(_) => "cannot list the functions".to_owned(),
            Self::Machine(_) => "this machine lacks what a run needs".to_owned(),
            Self::Plan { about: About::Function(name), .. } => format!("`{name}` is not deployed"),
            Self::Plan { about: About::Layer(name), .. } => format!("the layer `{name}` is not published"),
            Self::Apply { stopped: Stopped { at: (at, of), title, .. }, about } => {
                format!("stopped at step {at} of {of}: {title} of `{}`", about.name())
            }
            Self::Contested { fault, about, .. } => match fault.kind {
                FaultKind::Conflict => format!("what is live of `{}` is not what this run deployed", about.name()),
                _ => format!("`{}` is deployed, but it is not known whether another program changed it", about.name()),
            },
            Self::Interrupted { signal, during } => format!("interrupted by {} during {during}", signal.name()),
            Self::Undone { cause, .. } => cause.headline(),
            Self::NotBack { about, .. } => {
                format!("`{}` does not go back, after the failure of another function", about.name())
            }
            Self::Call { headline: message, .. }
            | Self::Skipped(message)
            | Self::Command(message)
            | Self::Refused(message) => message.clone(),
        }
    }
}

/// Who gets the traffic after a failure.
fn after(back: &Back) -> String {
    let Back { alias, version, result, .. } = back;
    match result {
        Ok(()) => format!("callers of `{alias}` get version {version} again"),
        Err(fault) => format!("the traffic of `{alias}` could not be taken back: {}", fault.message),
    }
}

/// How to take the traffic back by hand; `None` if it is back.
fn way_out(back: &Back) -> Option<String> {
    let Back { function, region, alias, version, result } = back;
    result.is_err().then(|| {
        format!("run `dpl-lambda rollback --function_name {function} --region {region} --alias {alias} --to {version}`")
    })
}

/// Whether a package could not be built or read for a reason that is not in its files.
fn is_of_machine(error: &package::Error) -> bool {
    matches!(error, package::Error::Thread(_) | package::Error::Temporary(_) | package::Error::Damaged(_))
        || host::is_limit_on_files(error)
}

fn code_of(kind: FaultKind) -> ExitCode {
    match kind {
        FaultKind::Failed | FaultKind::Interrupted(Signal::Failure) => ExitCode::Failed,
        FaultKind::Denied => ExitCode::Denied,
        FaultKind::Conflict => ExitCode::Conflict,
        FaultKind::TimedOut => ExitCode::TimedOut,
        FaultKind::Misconfigured => ExitCode::Refused,
        FaultKind::Unhealthy => ExitCode::Unhealthy,
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
