//! Problems as JSON: warnings, errors and skipped blocks, each with its place.

use serde::Serialize;

use crate::event::{Block, Failure};
use crate::place::{FilePlace, Place, Problem, Skip};
use crate::plan::Subject;

/// A warning, a notice, or one of the problems of an error.
#[derive(Serialize)]
pub(super) struct Complaint {
    message: String,
    #[serde(flatten)]
    about: About,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Where>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl Complaint {
    /// A problem, and the function or layer that it is about.
    pub(super) fn of(problem: &Problem, about: Option<&Block>) -> Self {
        Self {
            message: problem.text(),
            about: About::of(about),
            option: problem.option.clone(),
            place: problem.place.as_ref().map(Where::of),
            help: problem.help.clone(),
        }
    }
}

/// The function or layer that something is about.
#[derive(Serialize, Default)]
pub(super) struct About {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

impl About {
    fn of(block: Option<&Block>) -> Self {
        let Some(Block { number: _, subject, name, region }) = block.cloned() else { return Self::default() };
        match subject {
            Subject::Function => Self { function_name: Some(name), layer_name: None, region },
            Subject::Layer => Self { function_name: None, layer_name: Some(name), region },
        }
    }
}

/// A place of the configuration.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Where {
    File { path: String, line: u32, column: u32 },
    Variable(String),
    Flag(String),
}

impl Where {
    /// A place.
    pub(super) fn of(place: &Place) -> Self {
        match place {
            Place::File(FilePlace { path, line, column }) => {
                Self::File { path: path.to_string(), line: *line, column: *column }
            }
            Place::Variable(name) => Self::Variable(name.clone()),
            Place::Flag(flag) => Self::Flag(flag.clone()),
        }
    }
}

/// A skipped block.
#[derive(Serialize)]
pub(super) struct Skipped {
    message: String,
    #[serde(flatten)]
    about: About,
    option: String,
    wanted: Vec<String>,
    found: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Where>,
}

impl Skipped {
    /// A block that is skipped, and the condition that is not met.
    pub(super) fn of(skip: &Skip) -> Self {
        let about =
            About { function_name: skip.function.clone(), layer_name: skip.layer.clone(), region: skip.region.clone() };
        Self {
            message: skip.to_string(),
            about,
            option: skip.option.clone(),
            wanted: skip.wanted.clone(),
            found: skip.found.clone(),
            place: skip.place.as_ref().map(Where::of),
        }
    }
}

/// An error, with its problems and what was done before it.
#[derive(Serialize)]
pub(super) struct Failed {
    message: String,
    #[serde(flatten)]
    pub about: About,
    problems: Vec<Complaint>,
    done: Vec<&'static str>,
    begun: Vec<&'static str>,
    not_done: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    exit_code: u8,
}

impl Failed {
    /// A failure, and the function or layer that it is about. Without one, the failure says it.
    pub(super) fn of(failure: &Failure, about: Option<&Block>) -> Self {
        let about = match about {
            Some(_) => About::of(about),
            None => About { function_name: failure.function.clone(), layer_name: failure.layer.clone(), region: None },
        };
        Self {
            message: failure.headline.clone(),
            about,
            problems: failure.problems.iter().map(|problem| Complaint::of(problem, None)).collect(),
            done: failure.done.clone(),
            begun: failure.begun.clone(),
            not_done: failure.not_done.clone(),
            help: failure.help.clone(),
            exit_code: failure.exit_code,
        }
    }
}
