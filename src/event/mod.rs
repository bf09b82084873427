//! Events: what happens in a run, as data. The report shows nothing else.

mod failure;
mod moment;
mod outcome;

use std::time::Duration;

pub(crate) use self::failure::Failure;
pub(crate) use self::moment::{Happened, Moment};
pub(crate) use self::outcome::{Deployed, DeployedCode, Held, LayerDeployed, Traffic};
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
    /// The functions and layers that the run deploys, plans or checks, in the order of the file.
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
    /// Its number, in the order of the file.
    pub number: usize,
    /// Whether it is a function or a layer.
    pub subject: Subject,
    /// Its bare name.
    pub name: String,
    /// Its Region; absent: the configuration does not say it.
    pub region: Option<String>,
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
