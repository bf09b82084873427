//! Events: what happens in a run, as data. The report shows nothing else.

use std::time::Duration;

use crate::package::Listed;
use crate::place::{ChosenStage, Problem, Skip};
use crate::plan::{Half, Plan, Rollback, Step, Subject};
use crate::remote::{Caller, Invocation, LogEvent, Removal, Status, Summary};

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A stage of the run begins. The stage before it ends.
    Stage(Stage),
    /// The stage ends.
    StageDone,
    /// A warning: a problem that does not stop the run.
    Warning(Problem),
    /// A block is skipped in this build. Holds the reason.
    Skipped(Skip),
    /// The functions and layers that the run deploys, plans or checks, in order.
    Blocks(Vec<Block>),
    /// The function or layer that this event is about is not deployed, because of something else.
    NotBegun {
        /// The rest of a sentence: "not begun: …".
        because: String,
    },
    /// In the build of a pull request, the plans show what its merge would deploy.
    Preview {
        /// The number of the pull request; absent: unknown.
        number: Option<String>,
        /// The base branch; absent: unknown.
        base: Option<String>,
    },
    /// The stage of the run.
    Chosen(ChosenStage),
    /// A notice, which is shown with `quiet` too.
    Notice(Problem),
    /// The access key id in use, masked.
    Identity(String),
    /// The account of the credentials is known.
    Account(Caller),
    /// A command of the user starts.
    Command(String),
    /// A command printed a line.
    CommandOutput {
        /// The line.
        line: String,
        /// The author of the command.
        author: Author,
    },
    /// A plan was made.
    Planned(Plan),
    /// AWS' own dry run of the code update succeeded.
    Rehearsed,
    /// A step begins.
    StepStarted {
        /// The function.
        function: String,
        /// The step.
        step: Step,
    },
    /// AWS is still busy.
    Waiting {
        /// What the run waits for.
        what: String,
        /// Time since the work or the wait began.
        so_far: Duration,
    },
    /// Progress of long work. Sent several times a second.
    Progress {
        /// The work.
        doing: Doing,
        /// Bytes done.
        done: u64,
        /// Bytes in all.
        all: u64,
        /// Time since the work or the wait began.
        so_far: Duration,
    },
    /// How far the run is with several functions. Sent every second.
    Overall {
        /// What the run does with each: the end of "12 of 200 functions …".
        word: &'static str,
        /// The number of functions with which it has been done.
        done: usize,
        /// The number of all functions.
        all: usize,
        /// The functions in progress, each with what the run waits for if that is known.
        doing: Vec<String>,
    },
    /// A step is done and has settled.
    StepDone {
        /// Time that it took.
        took: Duration,
        /// The number of the version that it published; absent: none.
        version: Option<String>,
    },
    /// A function is up to date, after changes or without.
    Deployed(Deployed),
    /// A function has no traffic, or no traffic any more, because another function of the run failed.
    Held(Held),
    /// The configuration and package of a function passed the check.
    Checked {
        /// The function.
        function: String,
        /// Its Region, if the run has the same function in another one.
        region: Option<String>,
        /// Its package; absent: it is in S3 or a registry, and a check does not call AWS; or no code is deployed.
        package: Option<Packaged>,
        /// The half that is deployed; absent: both.
        only: Option<Half>,
    },
    /// The configuration and package of a layer passed the check.
    LayerChecked {
        /// The layer.
        layer: String,
        /// Its Region, if the run has the same layer in another one.
        region: Option<String>,
        /// Its package.
        package: Packaged,
    },
    /// A layer is up to date, after changes or without.
    LayerDeployed(LayerDeployed),
    /// A package was written or listed.
    Packaged(Packaged),
    /// The result of a verb whose standard output is for its result.
    Answer(Answer),
    /// A function is invoked.
    Invoking {
        /// The function.
        function: String,
        /// The version or alias; absent for `$LATEST`.
        qualifier: Option<String>,
    },
    /// A function responded.
    Invoked(Invocation),
    /// An event of a function's log.
    Logged(LogEvent),
    /// The state of a live function.
    Status(Box<Status>),
    /// The functions of a Region.
    Listed {
        /// The Region.
        region: String,
        /// The functions, sorted by name.
        functions: Vec<Summary>,
    },
    /// A function, or a version of it, is about to be deleted.
    Removing(Box<Removal>),
    /// A question, which the user answers on standard input.
    Question(String),
    /// A function, or a version of it, no longer exists.
    Removed {
        /// The function.
        function: String,
        /// The Region.
        region: String,
        /// The number of the version; absent: the whole function.
        version: Option<String>,
        /// Whether this run deleted it.
        effect: Effect,
    },
    /// Something that a release shows with its time.
    Moment(Moment),
    /// An alias is about to be rolled back.
    Rollback {
        /// The function.
        function: String,
        /// The Region.
        region: String,
        /// The versions before and after.
        rollback: Rollback,
    },
    /// An alias was rolled back.
    RolledBack {
        /// The function.
        function: String,
        /// The Region.
        region: String,
        /// The versions before and after.
        rollback: Rollback,
    },
    /// The run, or one function of it, failed.
    Failed(Failure),
}

/// A function or layer of the run. An event can be about one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// Its number, in the order of the run.
    pub number: usize,
    /// Whether it is a function or a layer.
    pub subject: Subject,
    /// Its bare name.
    pub name: String,
    /// Its Region; absent: the configuration does not say it.
    pub region: Option<String>,
}

/// A moment of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The function.
    pub function: String,
    /// The Region.
    pub region: String,
    /// Time since the steps began.
    pub at: Duration,
    /// What happened.
    pub what: Happened,
}

/// What happened in a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Happened {
    /// A smoke test ended.
    Tested {
        /// The number of the test.
        number: usize,
        /// The version; absent for `$LATEST`.
        version: Option<String>,
        /// Why the test failed; empty: it passed.
        problems: Vec<String>,
        /// The end of the function's log, if the test failed.
        log: Vec<String>,
        /// Whether the test is repeated.
        again: bool,
    },
    /// A version got a share of the traffic of an alias.
    Shifted {
        /// The alias.
        alias: String,
        /// The version.
        version: String,
        /// Its share, in percent.
        percent: u8,
    },
    /// The traffic of an alias was taken back.
    TakenBack {
        /// The alias.
        alias: String,
        /// The version that had the traffic before.
        version: String,
        /// Why it could not be taken back; absent: it was.
        problem: Option<String>,
    },
}

/// The result of a verb. Standard output holds nothing else.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// Its key in the document of `--format json`.
    pub name: &'static str,
    /// The text, for people and other programs.
    pub text: String,
    /// The same as JSON.
    pub json: serde_json::Value,
}

/// The author of a command that printed a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    /// The user. Such a line may hold commands for the CI's log.
    User,
    /// This tool, which runs git. Such a line may hold names of files.
    Git,
}

/// Whether anything had to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Something was done.
    Done,
    /// Nothing had to be done.
    NothingToDo,
}

/// Long work on a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Files are being deflated.
    Packing,
    /// An archive is being read from S3.
    Fetching,
    /// The archive is being sent.
    Sending,
}

impl Doing {
    /// The beginning of the progress line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Packing => "Packing",
            Self::Fetching => "Reading",
            Self::Sending => "Sending",
        }
    }
}

/// A stage of the run, with dpl's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Reads the credentials.
    Login,
    /// Does nothing; dpl's log has this stage.
    Setup,
    /// Stashes uncommitted files.
    Prepare,
    /// Deploys.
    Deploy,
}

impl Stage {
    /// The title of the fold.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Login => "Authenticate deployment",
            Self::Setup => "Setup deployment",
            Self::Prepare => "Prepare deployment",
            Self::Deploy => "Run deployment",
        }
    }

    /// Whether the CI's log folds this stage. People look for the plan, so the stages before it are folded.
    pub(crate) fn is_long(self) -> bool {
        matches!(self, Self::Prepare | Self::Deploy)
    }
}

/// A package, to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packaged {
    /// The function or layer, if the run shows the packages of several.
    pub heading: Option<String>,
    /// The file it was written to; absent: it was only built.
    pub path: Option<String>,
    /// Size of the archive in bytes.
    pub size: u64,
    /// SHA-256 of the archive, in base64.
    pub code_sha256: String,
    /// Its entries.
    pub entries: Vec<Listed>,
    /// Whether to show the entries.
    pub list: bool,
    /// The names that a built-in rule left out; a folder ends in `/`.
    pub left_out: Vec<String>,
}

/// A function that is up to date.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deployed {
    /// The bare name.
    pub function: String,
    /// The Region.
    pub region: String,
    /// The unqualified ARN.
    pub arn: String,
    /// The version of this deployment; absent: none is published.
    pub version: Option<String>,
    /// The alias that points at that version; absent: no alias is managed.
    pub alias: Option<String>,
    /// The function's URL; absent: no URL is managed.
    pub url: Option<String>,
    /// The code of the function.
    pub code: DeployedCode,
    /// What was done.
    pub plan: Plan,
    /// Time that it took.
    pub took: Duration,
    /// The numbers of old versions that could not be deleted.
    pub kept: Vec<String>,
    /// What was done, each with the time until it settled.
    pub steps: Vec<(&'static str, Duration)>,
    /// The newest version before the run; absent: there was none, or it was not read.
    pub version_before: Option<String>,
}

/// The code of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeployedCode {
    /// A package.
    Archive {
        /// SHA-256, in base64.
        code_sha256: String,
        /// Size in bytes.
        size: u64,
        /// Unpacked size in bytes.
        unpacked: u64,
        /// The largest folders, with their sizes in bytes.
        largest_folders: Vec<(String, u64)>,
    },
    /// A container image.
    Image {
        /// Its URI, with the digest if that is known.
        address: String,
    },
    /// The package that the function had before.
    Kept {
        /// SHA-256, in base64.
        code_sha256: String,
    },
}

impl Deployed {
    /// Whether anything was changed.
    pub(crate) fn changed(&self) -> bool {
        self.plan.changes()
    }
}

/// A function that has no traffic, or no traffic any more, because another function of the run failed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    /// The bare name.
    pub function: String,
    /// The Region.
    pub region: String,
    /// The version of this deployment; absent: it was not published.
    pub version: Option<String>,
    /// The alias.
    pub alias: String,
    /// Where the alias is.
    pub traffic: Traffic,
    /// What was done and stays so.
    pub done: Vec<&'static str>,
    /// What AWS accepted, or may have accepted.
    pub begun: Vec<&'static str>,
    /// What was not done, or was taken back.
    pub not_done: Vec<&'static str>,
}

impl Held {
    /// Whether the run changed anything.
    pub(crate) fn changed(&self) -> bool {
        !(self.done.is_empty() && self.begun.is_empty())
    }
}

/// Where the alias of a function is, after another function failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// It was not moved from this version. Absent: the alias does not exist.
    Stayed(Option<String>),
    /// It is back at this version.
    Back(String),
    /// It is new and stays, because no version was there before.
    New,
}

/// A layer that is up to date.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LayerDeployed {
    /// The layer's name.
    pub layer: String,
    /// The Region.
    pub region: String,
    /// The ARN of the version.
    pub arn: String,
    /// The version's number.
    pub version: String,
    /// SHA-256 of the package, in base64.
    pub code_sha256: String,
    /// Size of the package in bytes.
    pub package_size: u64,
    /// What was done.
    pub plan: Plan,
    /// Time that it took.
    pub took: Duration,
}

impl LayerDeployed {
    /// Whether a version was published.
    pub(crate) fn changed(&self) -> bool {
        self.plan.changes()
    }
}

/// Why a run, or one function of it, failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What failed, for which function: a lowercase fragment of a sentence.
    pub headline: String,
    /// The causes, each with its place.
    pub problems: Vec<Problem>,
    /// What was done; empty: nothing.
    pub done: Vec<&'static str>,
    /// What AWS accepted, or may have accepted, but did not settle in time.
    pub begun: Vec<&'static str>,
    /// What was not done; empty: nothing was planned.
    pub not_done: Vec<&'static str>,
    /// What the user can do.
    pub help: Option<String>,
    /// The function; absent: the failure is of a layer or the whole run.
    pub function: Option<String>,
    /// The layer; absent: the failure is of a function or the whole run.
    pub layer: Option<String>,
    /// The exit code.
    pub exit_code: u8,
}

impl Failure {
    /// Whether this failure and the plan are about the same function or layer.
    pub(crate) fn is_of(&self, plan: &Plan) -> bool {
        let name = match plan.subject {
            Subject::Function => &self.function,
            Subject::Layer => &self.layer,
        };
        name.as_ref() == Some(&plan.name)
    }

    /// Whether the run changed anything, or may have.
    pub(crate) fn changed(&self) -> bool {
        !(self.done.is_empty() && self.begun.is_empty())
    }

    /// The reason in one line.
    pub(crate) fn cause(&self) -> String {
        match self.problems.first() {
            Some(problem) => match &problem.option {
                Some(option) => format!("{}: {option}: {}", self.headline, problem.text()),
                None => format!("{}: {}", self.headline, problem.text()),
            },
            None => self.headline.clone(),
        }
    }

    /// The problems to annotate: each cause, or else the failure itself.
    pub(crate) fn annotations(&self) -> Vec<Problem> {
        if self.problems.is_empty() {
            return vec![Problem { help: self.help.clone(), ..Problem::new(self.headline.clone()) }];
        }
        let with_context = |problem: &Problem| {
            let stated = match problem.option {
                Some(_) => problem.message.clone(),
                None => format!("{}: {}", self.headline, problem.message),
            };
            Problem { message: stated, help: problem.help.clone().or_else(|| self.help.clone()), ..problem.clone() }
        };
        self.problems.iter().map(with_context).collect()
    }
}
