//! The stages of a file, and the one that this run deploys.

use super::{
    by_branch::matches,
    layer::{Given, MapEntry, Value},
    options::nearest_of,
};
use crate::place::{ChosenBy, Place, Problem};

/// The key of a stage for the branches that choose it.
pub(super) const BRANCH: &str = "branch";

/// The stages of a file.
#[derive(Debug)]
pub(super) struct Stages<'g> {
    place: Place,
    stages: Vec<Stage<'g>>,
}

#[derive(Debug)]
struct Stage<'g> {
    name: &'g str,
    place: &'g Place,
    /// Names and patterns of the branches that choose the stage.
    branches: Vec<&'g str>,
    /// What it says; absent if it says nothing.
    given: Option<&'g Given>,
}

impl<'g> Stages<'g> {
    /// Reads the names and branches of the stages. `entry` is the key `stages` of the file.
    pub(super) fn read(entry: &'g MapEntry, problems: &mut Vec<Problem>) -> Self {
        let mut stages = Self { place: entry.place.clone(), stages: Vec::new() };
        let Value::Map(entries) = &entry.given.value else {
            let problem = Problem::new("must be a map from the name of a stage to its options");
            problems.push(problem.of("stages").at(&entry.given.place));
            return stages;
        };
        if entries.is_empty() {
            problems.push(Problem::new("has no stage").of("stages").at(&entry.given.place));
        }
        for MapEntry { key, place, given } in entries {
            if key.trim().is_empty() {
                problems.push(Problem::new("has a stage without a name").of("stages").at(place));
            }
            let mut branches = Vec::new();
            if let Some(written) = given.get(BRANCH) {
                match texts(written) {
                    Some(texts) => branches = texts,
                    None => problems.push(
                        Problem::new("`branch` must be a name, a pattern, or a list of them")
                            .of("stages")
                            .at(&written.place),
                    ),
                }
            }
            let is_map = matches!(given.value, Value::Map(_));
            if !is_map && given.value != Value::Null {
                problems.push(Problem::new(format!("`{key}` must be a map of options")).of("stages").at(&given.place));
            }
            stages.stages.push(Stage { name: key, place, branches, given: is_map.then_some(given) });
        }
        stages
    }

    /// What each stage says, by its name.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'g str, &'g Given)> {
        self.stages.iter().filter_map(|stage| Some((stage.name, stage.given?)))
    }

    /// The error about a stage that the file does not have; `None` if it has it.
    pub(super) fn unknown(&self, name: &str) -> Option<Problem> {
        let names = || self.stages.iter().map(|stage| stage.name);
        if names().any(|known| known == name) {
            return None;
        }
        let near = nearest_of(name, names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let problem = Problem::new(format!("`{name}` is not a stage of the file{near}"));
        Some(problem.help(format!("the stages are {}", self.shown())))
    }

    /// The stage that `stage` names, or else the one whose `branch` fits the build.
    pub(super) fn choose(&self, asked: Option<&Given>, branch: Option<&str>) -> Result<(&'g str, ChosenBy), Problem> {
        if let Some(asked) = asked {
            let name = asked.as_text().unwrap_or_default().trim();
            return match self.stages.iter().find(|stage| stage.name == name) {
                Some(stage) => Ok((stage.name, ChosenBy::Place(asked.place.clone()))),
                None => Err(self.unknown(name).unwrap_or_default().of("stage").at(&asked.place)),
            };
        }
        let with = |fits: &dyn Fn(&str) -> bool| -> Vec<&Stage<'g>> {
            self.stages.iter().filter(|stage| stage.branches.iter().any(|pattern| fits(pattern))).collect()
        };
        let by_name = with(&|pattern| Some(pattern) == branch);
        let fitting = if by_name.is_empty() {
            with(&|pattern| branch.is_some_and(|branch| matches(pattern, branch)))
        } else {
            by_name
        };
        match &fitting[..] {
            [only] => Ok((only.name, ChosenBy::Branch(branch.unwrap_or_default().to_owned()))),
            [] => Err(self.none_fits(branch)),
            [first, second, ..] => {
                let branch = branch.unwrap_or_default();
                let message =
                    format!("the stages `{}` and `{}` both fit the branch `{branch}`", first.name, second.name);
                Err(Problem::new(message).of("stages").at(second.place).help(self.how_to_choose()))
            }
        }
    }

    fn none_fits(&self, branch: Option<&str>) -> Problem {
        let why = match branch {
            _ if self.stages.iter().all(|stage| stage.branches.is_empty()) => "none of them has a `branch`".to_owned(),
            Some(branch) => format!("no `branch` fits `{branch}`"),
            None => "nothing says which branch this is".to_owned(),
        };
        let message = format!("the file has stages, and this run chooses none: {why}");
        Problem::new(message).of("stage").at(&self.place).help(self.how_to_choose())
    }

    fn how_to_choose(&self) -> String {
        format!("choose one with `--stage` or the variable `DPL_LAMBDA_STAGE`: {}", self.shown())
    }

    /// The stages with their branches, for a message.
    fn shown(&self) -> String {
        let stage = |stage: &Stage<'_>| match &stage.branches[..] {
            [] => format!("`{}`", stage.name),
            branches => format!("`{}` (branch {})", stage.name, branches.join(", ")),
        };
        self.stages.iter().map(stage).collect::<Vec<_>>().join(", ")
    }
}

/// One text, or a list of texts that is not empty.
fn texts(given: &Given) -> Option<Vec<&str>> {
    match &given.value {
        Value::Text(text) => Some(vec![text]),
        Value::List(items) if !items.is_empty() => items.iter().map(Given::as_text).collect(),
        Value::List(_) | Value::Null | Value::Map(_) => None,
    }
}
