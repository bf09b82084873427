//! The errors and warnings of blocks. What several deployments of one block have in common is reported once.

use std::collections::BTreeMap;

use super::{blocks::Block, loaded::Loaded};
use crate::place::{Place, Problem};

/// The most deployments that a message names.
const MOST_NAMED: usize = 3;

/// The errors and warnings of blocks, each with the deployments that it is about.
#[derive(Debug, Default)]
pub(super) struct Reports {
    problems: BTreeMap<(Place, Problem), Vec<String>>,
    warnings: BTreeMap<(Place, Problem), Vec<String>>,
    /// The deployments of each block so far.
    deployments: BTreeMap<Place, Vec<String>>,
}

impl Reports {
    /// Takes what is reported while this block is read.
    pub(super) fn of_block(&mut self, block: &Block, loaded: &mut Loaded, read: impl FnOnce(&mut Loaded)) {
        let (problems, warnings) = (loaded.problems.len(), loaded.warnings.len());
        read(loaded);
        let add = |all: &mut Vec<String>| {
            if !all.contains(&block.which) {
                all.push(block.which.clone());
            }
        };
        add(self.deployments.entry(block.place.clone()).or_default());
        // An error about a text that could not be filled in is only a consequence.
        let of_unfilled =
            |problem: &Problem| problem.option.as_deref().is_some_and(|option| block.unfilled.contains(option));
        for problem in loaded.problems.split_off(problems).into_iter().filter(|problem| !of_unfilled(problem)) {
            add(self.problems.entry((block.place.clone(), problem)).or_default());
        }
        for warning in loaded.warnings.split_off(warnings) {
            add(self.warnings.entry((block.place.clone(), warning)).or_default());
        }
    }

    /// Reports each error and warning once. One that is not about all deployments of its block names them.
    pub(super) fn report(self, loaded: &mut Loaded) {
        let Self { problems, warnings, deployments } = self;
        let named = |((block, problem), which): ((Place, Problem), Vec<String>)| {
            let is_about_all = deployments.get(&block).is_none_or(|all| all.len() == which.len());
            if is_about_all {
                return problem;
            }
            let named = which[..which.len().min(MOST_NAMED)].join("; ");
            let more = which.len().saturating_sub(MOST_NAMED);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            Problem { message: format!("{} [{named}{more}]", problem.message), ..problem }
        };
        loaded.problems.extend(problems.into_iter().map(named));
        loaded.warnings.extend(warnings.into_iter().map(named));
    }
}
