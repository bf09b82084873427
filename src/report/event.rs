//! What happens, as data. Everything said about a run is one of these.

use std::time::Duration;

use crate::package::Listed;
use crate::place::{Problem, Skip};
use crate::plan::{Plan, Rollback, Step, Subject};
use crate::remote::{Invocation, Removal, Status, Summary};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A stage of the run begins; the one before it ends.
    Stage(Stage),
    /// The stage ends, and the next has not begun.
    StageDone,
    /// Something deserves a word but does not stop the run.
    Warning(Problem),
    /// A block is left out in this build, and why.
    Skipped(Skip),
    /// The plans are of what a merge would start, in the build of the pull request.
    Preview {
        /// The number of the pull request; absent where nobody says it.
        number: Option<String>,
        /// The branch that it goes to; absent where nobody says it.
        base: Option<String>,
    },
    /// Something that people look for, also where little else is said.
    Notice(Problem),
    /// As whom AWS is called: the key id, masked.
    Identity(String),
    /// A command that is run for the user.
    Command(String),
    /// A command said a line.
    Relayed {
        /// The line.
        line: String,
        /// Whose command.
        speaker: Speaker,
    },
    /// A plan was made.
    Planned(Plan),
    /// AWS tried the code update without doing it.
    Rehearsed,
    /// A step begins.
    StepStarted {
        /// The function.
        function: String,
        /// The step.
        step: Step,
    },
    /// AWS is still busy with what was asked.
    Waiting {
        /// What is waited for.
        what: String,
        /// How long so far.
        so_far: Duration,
    },
    /// How far a long piece of work has come; told several times a second.
    Progress {
        /// What is being done.
        doing: Doing,
        /// Bytes so far.
        done: u64,
        /// All bytes.
        all: u64,
        /// How long so far.
        so_far: Duration,
    },
    /// A step is done and has settled.
    StepDone {
        /// The step.
        step: Step,
        /// The number of the version it published.
        version: Option<String>,
    },
    /// A function is as it should be.
    Deployed(Deployed),
    /// A configuration and its package are right.
    Checked {
        /// The function.
        function: String,
        /// Its package; absent where that is in S3 or a registry, where nobody looks without AWS.
        package: Option<Packaged>,
    },
    /// A layer and its package are right.
    LayerChecked {
        /// The layer.
        layer: String,
        /// Its package.
        package: Packaged,
    },
    /// The newest version of a layer is as it should be.
    LayerDeployed(LayerDeployed),
    /// A package was written or listed.
    Packaged(Packaged),
    /// What was asked for.
    Answer(Answer),
    /// A function is being called.
    Invoking {
        /// The function.
        function: String,
        /// The version or alias; absent for `$LATEST`.
        qualifier: Option<String>,
    },
    /// A function was called.
    Invoked(Invocation),
    /// How a function is.
    Status(Box<Status>),
    /// Which functions there are.
    Listed {
        /// Where.
        region: String,
        /// Each of them, by name.
        functions: Vec<Summary>,
    },
    /// A function, or a version of it, is going to be deleted.
    Removing(Box<Removal>),
    /// Somebody is asked something, and answers on standard input.
    Question(String),
    /// A function, or a version of it, is no longer there.
    Removed {
        /// The function.
        function: String,
        /// Where.
        region: String,
        /// The only version that is gone; absent for the whole function.
        version: Option<String>,
        /// Whether it was there.
        ending: Ending,
    },
    /// Where an alias goes back to.
    Rollback {
        /// The function.
        function: String,
        /// Where.
        region: String,
        /// Both ends.
        rollback: Rollback,
    },
    /// An alias went back.
    RolledBack {
        /// The function.
        function: String,
        /// Where.
        region: String,
        /// Both ends.
        rollback: Rollback,
    },
    /// The run, or one function of it, failed.
    Failed(Failure),
}

/// Something that was asked for as such: it has standard output for itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its member of the document of `--format json`.
    pub name: &'static str,
    /// It as text, for people and other programs.
    pub text: String,
    /// It as JSON.
    pub json: serde_json::Value,
}

/// Whose command says a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The user's own, who may command the CI's log.
    User,
    /// git's, whose lines may hold names of files.
    Git,
}

/// Whether something had to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was done.
    Done,
    /// It was so already.
    NothingToDo,
}

/// Work on a package that may take long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Files are being deflated.
    Packing,
    /// An archive is being read from S3.
    Fetching,
    /// The archive is being sent.
    Sending,
}

impl Doing {
    /// The beginning of a sentence.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Packing => "Packing",
            Self::Fetching => "Reading",
            Self::Sending => "Sending",
        }
    }
}

/// A part of the run, in dpl's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Which credentials.
    Login,
    /// Nothing that this tool does; dpl's log has it.
    Setup,
    /// Stashing uncommitted files.
    Prepare,
    /// The deployment itself.
    Deploy,
}

impl Stage {
    /// The title of the fold.
    pub fn title(self) -> &'static str {
        match self {
            Self::Login => "Authenticate deployment",
            Self::Setup => "Setup deployment",
            Self::Prepare => "Prepare deployment",
            Self::Deploy => "Run deployment",
        }
    }

    /// Whether it says so much that it is folded away: the plan, before the deployment, is what people look for.
    pub(super) fn is_long(self) -> bool {
        matches!(self, Self::Prepare | Self::Deploy)
    }
}

/// A package, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packaged {
    /// Where it was written; absent when it was only built.
    pub path: Option<String>,
    /// Bytes of the archive.
    pub size: u64,
    /// Base64 SHA-256 of the archive.
    pub code_sha256: String,
    /// Its entries.
    pub entries: Vec<Listed>,
    /// Whether the entries are wanted on the screen.
    pub list: bool,
    /// How many names a rule that the user did not write left out.
    pub left_out: usize,
}

/// A function that is as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// The bare name.
    pub function: String,
    /// Where it is.
    pub region: String,
    /// The unqualified ARN.
    pub arn: String,
    /// The version that stands for this deployment; absent when none is published.
    pub version: Option<String>,
    /// The alias that points at that version; absent where none is managed.
    pub alias: Option<String>,
    /// The function's own address; absent where none is managed.
    pub url: Option<String>,
    /// What its code is.
    pub made_of: MadeOf,
    /// What was done.
    pub plan: Plan,
    /// How long it took.
    pub took: Duration,
    /// Numbers of old versions that could not be deleted.
    pub kept: Vec<String>,
    /// What was done, each with how long it took to settle.
    pub steps: Vec<(&'static str, Duration)>,
    /// The newest version before; absent where there was none, or nobody asked.
    pub version_before: Option<String>,
}

/// What the code of a function is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MadeOf {
    /// A package.
    Archive {
        /// Base64 SHA-256.
        code_sha256: String,
        /// Bytes.
        size: u64,
        /// Bytes when unpacked.
        unpacked: u64,
        /// The largest folders with their bytes.
        largest_folders: Vec<(String, u64)>,
    },
    /// A container image.
    Image {
        /// Its address, with its digest as far as that is known.
        address: String,
    },
}

impl Deployed {
    /// Whether anything was changed.
    pub fn changed(&self) -> bool {
        self.plan.changes()
    }

    /// Its page in the console of AWS: the link's text and where it leads. Nothing where there is no such page.
    pub(super) fn link(&self) -> Option<(String, String)> {
        let Self { function, region, .. } = self;
        let page = super::summary::console(region, function)?;
        Some(match &self.version {
            Some(version) => {
                (format!("{function} in {region}, version {version}"), format!("{page}/versions/{version}"))
            }
            None => (format!("{function} in {region}"), page),
        })
    }

    /// Results by the names that every CI gets them under.
    pub fn outputs(&self) -> Vec<(&'static str, String)> {
        let mut outputs = vec![("function-arn", self.arn.clone())];
        match &self.made_of {
            MadeOf::Archive { code_sha256, size, .. } => {
                outputs.push(("code-sha256", code_sha256.clone()));
                outputs.push(("package-size", size.to_string()));
            }
            MadeOf::Image { address } => {
                outputs.extend(address.rsplit_once('@').map(|(_, digest)| ("image-digest", digest.to_owned())));
            }
        }
        outputs.push(("plan", super::json::plan_text(&self.plan)));
        outputs.extend(self.version.clone().map(|version| ("version", version)));
        outputs.extend(self.alias.clone().map(|alias| ("alias", alias)));
        outputs.extend(self.url.clone().map(|url| ("function-url", url)));
        outputs
    }
}

/// A layer whose newest version is as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerDeployed {
    /// The layer's name.
    pub layer: String,
    /// Where it is.
    pub region: String,
    /// The ARN of the version.
    pub arn: String,
    /// The version's number.
    pub version: String,
    /// Base64 SHA-256 of the package.
    pub code_sha256: String,
    /// Bytes of the package.
    pub package_size: u64,
    /// What was done.
    pub plan: Plan,
    /// How long it took.
    pub took: Duration,
}

impl LayerDeployed {
    /// Whether a version was published.
    pub fn changed(&self) -> bool {
        self.plan.changes()
    }
}

/// Why a run, or one function of it, failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The stage and its object: a lowercase fragment.
    pub headline: String,
    /// Each cause, with its place.
    pub problems: Vec<Problem>,
    /// What was done before; empty where nothing was begun.
    pub done: Vec<&'static str>,
    /// What AWS took, or may have taken, without having settled since.
    pub begun: Vec<&'static str>,
    /// What was not done; empty where nothing was to be done.
    pub not_done: Vec<&'static str>,
    /// What to do next.
    pub help: Option<String>,
    /// The function concerned; absent where it is the whole run, or a layer.
    pub function: Option<String>,
    /// The layer concerned; absent where it is none.
    pub layer: Option<String>,
    /// The exit code that it leads to.
    pub exit_code: u8,
}

impl Failure {
    /// Whether it is about what a plan is about.
    pub(super) fn is_of(&self, plan: &Plan) -> bool {
        let name = match plan.subject {
            Subject::Function => &self.function,
            Subject::Layer => &self.layer,
        };
        name.as_ref() == Some(&plan.function)
    }

    /// Whether anything was, or may have been, changed.
    pub fn changed(&self) -> bool {
        !(self.done.is_empty() && self.begun.is_empty())
    }

    /// Why, in one line.
    pub(super) fn cause(&self) -> String {
        match self.problems.first() {
            Some(problem) => match &problem.option {
                Some(option) => format!("{}: {option}: {}", self.headline, problem.text()),
                None => format!("{}: {}", self.headline, problem.text()),
            },
            None => self.headline.clone(),
        }
    }

    /// What to annotate: each problem where it is, or the failure as such.
    pub fn annotations(&self) -> Vec<Problem> {
        if self.problems.is_empty() {
            return vec![Problem { help: self.help.clone(), ..Problem::new(self.headline.clone()) }];
        }
        let told = |problem: &Problem| {
            let stated = match problem.option {
                Some(_) => problem.message.clone(),
                None => format!("{}: {}", self.headline, problem.message),
            };
            Problem { message: stated, help: problem.help.clone().or_else(|| self.help.clone()), ..problem.clone() }
        };
        self.problems.iter().map(told).collect()
    }
}
