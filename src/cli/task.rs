//! The task that a command line asks for: the verb with its flags.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap_complete::Shell;

use super::shells;
use super::since::Since;
use super::stop::Stop;
use super::words::{Said, Words};
use crate::config::schema;
use crate::place::Problem;
use crate::verb::{Purpose, Verb};

/// A verb with the values of its flags.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::missing_docs_in_private_items, reason = "the help of each verb says what it does")]
pub(crate) enum Task {
    Deploy,
    Plan {
        /// Whether changes lead to exit code 2.
        exit_code: bool,
    },
    Check,
    Doctor,
    Render,
    Policy {
        /// The verbs that the policy allows.
        verbs: BTreeSet<Verb>,
        /// Patterns that stand for names, with commas between them; absent for none.
        like: Option<String>,
    },
    Package {
        /// The file for the package; absent: the package is only listed.
        output: Option<PathBuf>,
        /// Whether its entries are shown.
        list: bool,
    },
    Invoke(Invoke),
    Status,
    Logs(Logs),
    Init {
        /// The `.travis.yml` to convert; absent: the live function is described.
        from: Option<PathBuf>,
    },
    List,
    Delete {
        /// The number of the version to delete; absent: the whole function is deleted.
        version: Option<String>,
        /// Whether to delete without asking.
        yes: bool,
    },
    Rollback {
        /// The number of the version; absent: the version before the last deployment.
        to: Option<String>,
        /// The builds whose deployment it may undo.
        of: Builds,
    },
}

/// The builds whose deployment a rollback may undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builds {
    /// In a CI only the build that runs, elsewhere all.
    ThisOne,
    /// All.
    All,
}

/// How a function is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invoke {
    /// The payload of the call.
    pub payload: Payload,
    /// The version or alias; absent: the configured alias, or else `$LATEST`.
    pub qualifier: Option<String>,
    /// Whether to wait for the response.
    pub response: Response,
}

/// The payload of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    /// An empty object.
    Empty,
    /// This text.
    Text(String),
    /// The content of this file.
    File(PathBuf),
    /// All of standard input.
    StandardInput,
}

/// Whether the tool waits for the response of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Response {
    /// It waits.
    Awaited,
    /// It hands the call over and does not wait.
    NotAwaited,
}

/// The part of a log to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logs {
    /// The version or alias; absent: all versions.
    pub qualifier: Option<String>,
    /// Where to begin.
    pub since: Since,
    /// Where to end.
    pub until: Until,
    /// The events to show.
    pub sought: Sought,
}

/// Where a shown log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// At the newest event.
    Newest,
    /// At ctrl-C.
    Interrupted,
}

/// The events of a log to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sought {
    /// All.
    All,
    /// Those that fit a pattern of `CloudWatch`.
    Pattern(String),
    /// Those of the invocation with this id.
    Request(String),
}

impl Task {
    /// The task of a verb, with the values of its flags. A verb that only prints a text has that text instead.
    pub(super) fn of(verb: Verb, words: &Words) -> Result<Self, Stop> {
        let given = |name: &str| {
            words.said.iter().rev().find_map(|said| match said {
                Said::Flag { flag, value } if flag.name == name => Some(value.clone()),
                _ => None,
            })
        };
        let is_set = |name: &str| given(name).is_some();
        let text = |name: &str| given(name).flatten();
        Ok(match verb {
            Verb::Deploy => Self::Deploy,
            Verb::Plan => Self::Plan { exit_code: is_set("exit_code") },
            Verb::Schema => return Err(Stop::Text(if is_set("travis") { schema::travis() } else { schema::own() })),
            Verb::Completions => return Err(Stop::Text(shells::completions(shell(words)?))),
            Verb::Man => return Err(Stop::Text(shells::man_page())),
            Verb::Check => Self::Check,
            Verb::Doctor => Self::Doctor,
            Verb::Init => Self::Init { from: text("from").map(PathBuf::from) },
            Verb::Render => Self::Render,
            Verb::Policy => Self::Policy {
                verbs: text("for").map_or(Ok(BTreeSet::from([Verb::Deploy])), |text| verbs(&text))?,
                like: text("like"),
            },
            Verb::Status => Self::Status,
            Verb::List => Self::List,
            Verb::Logs => Self::Logs(Logs {
                qualifier: text("qualifier").map(qualifier).transpose()?,
                since: text("since").map_or(Ok(Since::DEFAULT), |text| Since::parse(&text))?,
                until: if is_set("follow") { Until::Interrupted } else { Until::Newest },
                sought: sought(text("filter"), text("request_id"))?,
            }),
            Verb::Package => {
                let (output, list) = (text("output").map(PathBuf::from), is_set("list"));
                if output.is_none() && !list {
                    let problem = Problem::new("`package` has no file to write to");
                    let help = "add `--output FILE` to write the archive, or `--list` to show its entries";
                    return Err(problem.help(help).into());
                }
                Self::Package { output, list }
            }
            Verb::Invoke => Self::Invoke(Invoke {
                payload: match text("payload") {
                    None => Payload::Empty,
                    Some(text) if text == "-" => Payload::StandardInput,
                    Some(text) => match text.strip_prefix('@') {
                        Some(file) => Payload::File(file.into()),
                        None => Payload::Text(text),
                    },
                },
                qualifier: text("qualifier").map(qualifier).transpose()?,
                response: if is_set("asynchronous") { Response::NotAwaited } else { Response::Awaited },
            }),
            Verb::Delete => {
                let help = "`--qualifier` deletes one version; leave it out to delete the whole function";
                let version = text("qualifier").map(|text| version(text, "--qualifier", help)).transpose()?;
                Self::Delete { version, yes: is_set("yes") }
            }
            Verb::Rollback => {
                let help = "an alias can go back to a published version; `dpl-lambda status` lists them";
                let of = if is_set("any_build") { Builds::All } else { Builds::ThisOne };
                Self::Rollback { to: text("to").map(|text| version(text, "--to", help)).transpose()?, of }
            }
        })
    }

    /// How the configuration is read. A policy needs what its verbs need.
    pub(crate) fn purpose(&self) -> Purpose {
        let verbs = match self {
            Self::Policy { verbs, .. } => verbs,
            // The file is only converted.
            Self::Init { from: Some(_) } => return Purpose::Region,
            task => return task.verb().row().purpose,
        };
        let of = |purpose| verbs.iter().any(|verb| verb.row().purpose == purpose);
        match (of(Purpose::Deploy) || of(Purpose::Plan) || of(Purpose::Check), of(Purpose::Live)) {
            (true, _) => Purpose::Check,
            (false, true) => Purpose::Live,
            (false, false) => Purpose::Region,
        }
    }

    /// The verb of the task.
    pub(crate) fn verb(&self) -> Verb {
        match self {
            Self::Deploy => Verb::Deploy,
            Self::Plan { .. } => Verb::Plan,
            Self::Check => Verb::Check,
            Self::Doctor => Verb::Doctor,
            Self::Render => Verb::Render,
            Self::Policy { .. } => Verb::Policy,
            Self::Package { .. } => Verb::Package,
            Self::Invoke(_) => Verb::Invoke,
            Self::Status => Verb::Status,
            Self::Logs(_) => Verb::Logs,
            Self::Init { .. } => Verb::Init,
            Self::List => Verb::List,
            Self::Delete { .. } => Verb::Delete,
            Self::Rollback { .. } => Verb::Rollback,
        }
    }
}

/// The verbs of a policy: those that call AWS.
fn verbs(text: &str) -> Result<BTreeSet<Verb>, Problem> {
    let calls_aws = |verb: &Verb| {
        let by_purpose =
            matches!(verb.row().purpose, Purpose::Deploy | Purpose::Plan | Purpose::Live | Purpose::Region);
        by_purpose || *verb == Verb::Doctor
    };
    let names: Vec<_> = Verb::ALL.into_iter().filter(calls_aws).map(|verb| format!("`{}`", verb.name())).collect();
    let words = text.split(',').map(str::trim);
    words
        .map(|word| match Verb::of(word) {
            Some(verb) if calls_aws(&verb) => Ok(verb),
            Some(verb) => Err(format!("`{}` needs no rights, because it does not call AWS", verb.name())),
            None => Err(format!("`{word}` is not a verb")),
        })
        .collect::<Result<_, _>>()
        .map_err(|message| Problem::new(message).of("--for").help(format!("the verbs are {}", names.join(", "))))
}

/// The shell that a command line names.
fn shell(words: &Words) -> Result<Shell, Problem> {
    let named = words.said.iter().find_map(|said| match said {
        Said::Word(word) => word.parse().ok(),
        _ => None,
    });
    let problem = || Problem::new("`completions` names no shell");
    named.ok_or_else(|| problem().help(format!("name one of {}", Verb::Completions.words().join(", "))))
}

/// The name of an alias, the number of a version, or `$LATEST`.
fn qualifier(text: String) -> Result<String, Problem> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if text == "$LATEST" || (!text.is_empty() && text.len() <= 128 && text.chars().all(good)) {
        return Ok(text);
    }
    let problem = Problem::new("is neither a version, nor an alias, nor `$LATEST`").of("--qualifier");
    Err(problem.help("in a shell, put `$LATEST` in single quotes"))
}

/// The events to show. A pattern cannot be combined with an invocation, because the lines that a function prints do not
/// name it, and lines that the pattern leaves out do.
fn sought(pattern: Option<String>, request: Option<String>) -> Result<Sought, Problem> {
    let given = |text: &String| !text.trim().is_empty();
    match (pattern.filter(given), request) {
        (Some(_), Some(_)) => {
            let problem = Problem::new("cannot be combined with `--filter`").of("--request-id");
            Err(problem.help("leave one of them out"))
        }
        (None, Some(id)) if id.trim().is_empty() => Err(Problem::new("is empty").of("--request-id")),
        (None, Some(id)) => Ok(Sought::Request(id.trim().to_owned())),
        (Some(pattern), None) => Ok(Sought::Pattern(pattern)),
        (None, None) => Ok(Sought::All),
    }
}

/// The number of a published version.
fn version(text: String, flag: &str, help: &str) -> Result<String, Problem> {
    let number = text.parse::<u64>().ok().filter(|number| *number > 0);
    if number.is_some_and(|number| number.to_string() == text) {
        return Ok(text);
    }
    let what =
        if text == "$LATEST" { "`$LATEST` is not a published version" } else { "must be the number of a version" };
    Err(Problem::new(what).of(flag).help(help))
}
