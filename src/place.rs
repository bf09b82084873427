//! Places where values are written, problems, and skipped blocks.
//!
//! A place is a flag, a variable or a position in a file. Must not know what any option means.

use std::collections::BTreeMap;
use std::{fmt, sync::Arc};

/// Where the options of one deployment were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places {
    options: BTreeMap<String, Place>,
    /// Items of lists, by option and item.
    items: BTreeMap<(String, String), Place>,
}

impl Places {
    /// Records where an option was written.
    pub(crate) fn note(&mut self, option: impl Into<String>, place: Place) {
        self.options.insert(option.into(), place);
    }

    /// Records where an item of a list was written.
    pub(crate) fn note_item(&mut self, option: impl Into<String>, item: impl Into<String>, place: Place) {
        self.items.insert((option.into(), item.into()), place);
    }

    /// Adds the places of `other`, which replace those that are here already.
    pub(crate) fn extend(&mut self, other: Self) {
        let Self { options, items } = other;
        self.options.extend(options);
        self.items.extend(items);
    }

    /// Where an option was written; `None` if it was not written.
    pub(crate) fn of(&self, option: &str) -> Option<&Place> {
        self.options.get(option)
    }

    /// Where an item of a list was written; `None` if it has no place of its own.
    pub(crate) fn of_item(&self, option: &str, item: &str) -> Option<&Place> {
        self.items.get(&(option.to_owned(), item.to_owned()))
    }

    /// Every option with its place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.options.iter().map(|(option, place)| (option.as_str(), place))
    }

    /// Sets the place of a problem: that of its item, or else that of its option.
    #[must_use]
    pub(crate) fn locate(&self, mut problem: Problem) -> Problem {
        if let (None, Some(option)) = (&problem.place, &problem.option) {
            let of_item = problem.item.as_ref().and_then(|item| self.of_item(option, item));
            // The members of `vpc_config` are also options of their own.
            let of_vpc = matches!(&**option, "subnet_ids" | "security_group_ids" | "ipv6_allowed_for_dual_stack");
            let within = self.of("vpc_config").filter(|_| of_vpc);
            problem.place = of_item.or_else(|| self.of(option)).or(within).cloned();
        }
        problem
    }
}

/// A place where the user wrote a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A position in a file; the only place an annotation can point at.
    File(FilePlace),
    /// An environment variable, by its full name.
    Variable(String),
    /// A command-line flag, as the user would write it.
    Flag(String),
}

/// A position in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FilePlace {
    /// The path, relative to the working directory if possible.
    pub path: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
}

impl Place {
    /// A place in a file.
    pub(crate) fn file(path: &Arc<str>, line: u32, column: u32) -> Self {
        Self::File(FilePlace { path: Arc::clone(path), line, column })
    }

    /// The position in a file; `None` for a variable or a flag.
    pub(crate) fn in_file(&self) -> Option<&FilePlace> {
        match self {
            Self::File(place) => Some(place),
            Self::Variable(_) | Self::Flag(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(FilePlace { path, line, column }) => write!(out, "{path}:{line}:{column}"),
            Self::Variable(name) | Self::Flag(name) => out.write_str(name),
        }
    }
}

/// The severity of a problem.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// An error: it stops the run.
    #[default]
    Error,
    /// A conflict: it stops the run because the function is not at the expected revision.
    Conflict,
    /// A warning: the run goes on.
    Warning,
}

/// An error or warning: where it is, what is wrong, and what to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// Its severity.
    pub weight: Weight,
    /// The place; absent if nothing was written, as for a missing option.
    pub place: Option<Place>,
    /// The option, by its canonical name; absent if it is about no option.
    pub option: Option<String>,
    /// The item in the list of the option; absent if it is about the whole option.
    pub item: Option<String>,
    /// The file for an annotation; absent if the annotation belongs to `place`. For a problem of a package, the name of
    /// an entry.
    pub file: Option<String>,
    /// What is wrong: a lowercase fragment without a full stop.
    pub message: String,
    /// The name of the rule that found it, as `ignore` takes it; absent for all other problems.
    pub rule: Option<&'static str>,
    /// What to do; absent if the message already says it.
    pub help: Option<String>,
}

impl Problem {
    /// An error without an option and a place.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// A warning without an option and a place.
    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, ..Self::new(message) }
    }

    /// Whether it stops the run.
    pub(crate) fn stops(&self) -> bool {
        self.weight != Weight::Warning
    }

    /// The message, with the name of the rule that found it.
    pub(crate) fn text(&self) -> String {
        match self.rule {
            Some(rule) => format!("{} [{rule}]", self.message),
            None => self.message.clone(),
        }
    }

    /// The same problem with this severity.
    #[must_use]
    pub(crate) fn weighing(mut self, weight: Weight) -> Self {
        self.weight = weight;
        self
    }

    /// The same problem, about an item in the list of the option.
    #[must_use]
    pub(crate) fn about(mut self, item: impl Into<String>) -> Self {
        self.item = Some(item.into());
        self
    }

    /// The same problem, about a file or an entry of a package.
    #[must_use]
    pub(crate) fn on(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// The same problem, at a place.
    #[must_use]
    pub(crate) fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// The same problem, about an option.
    #[must_use]
    pub(crate) fn of(mut self, option: impl Into<String>) -> Self {
        self.option = Some(option.into());
        self
    }

    /// The same problem with advice on what to do.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(option) = &self.option {
            write!(out, "{option}: ")?;
        }
        out.write_str(&self.text())?;
        if let Some(place) = &self.place {
            write!(out, " ({place})")?;
        }
        Ok(())
    }
}

/// The stage of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChosenStage {
    /// Its name.
    pub name: String,
    /// What chose it.
    pub by: ChosenBy,
}

/// What chose a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChosenBy {
    /// The flag or variable at this place.
    Place(Place),
    /// The branch of the build.
    Branch(String),
}

impl fmt::Display for ChosenBy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => place.fmt(out),
            Self::Branch(branch) => write!(out, "branch {branch}"),
        }
    }
}

/// A skipped block, and the condition that skips it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skip {
    /// The function of the block; absent if the block has none, or has none in this build.
    pub function: Option<String>,
    /// The layer of the block; absent for a block of a function.
    pub layer: Option<String>,
    /// The Region, if another skipped block has the same name in another one.
    pub region: Option<String>,
    /// The option or condition that skips the block, such as `on.branch`.
    pub option: String,
    /// The accepted values; one of them is enough.
    pub wanted: Vec<String>,
    /// The actual value; absent if there is none.
    pub found: Option<String>,
    /// Wanted and actual value in words.
    pub message: String,
    /// The place of the condition.
    pub place: Option<Place>,
    /// The message that Travis CI prints for this skip; absent for a block outside of `.travis.yml`.
    pub in_travis_words: Option<String>,
}

impl fmt::Display for Skip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.function, &self.layer) {
            (Some(function), _) => write!(out, "`{function}`")?,
            (None, Some(layer)) => write!(out, "the layer `{layer}`")?,
            (None, None) => out.write_str("a block")?,
        }
        match &self.region {
            Some(region) => write!(out, " in {region}: ")?,
            None => out.write_str(": ")?,
        }
        write!(out, "`{}` {}", self.option, self.message)?;
        match &self.place {
            Some(place) => write!(out, " ({place})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_place_of_its_item_or_else_of_its_option() {
        let at = |line| Place::file(&"dpl.yml".into(), line, 1);
        let mut places = Places::default();
        places.note("layers", at(2));
        places.note("vpc_config", at(9));
        places.note_item("layers", "fonts", at(4));
        for (problem, place) in [
            (Problem::new("x").of("layers").about("fonts"), Some(at(4))),
            (Problem::new("x").of("layers").about("colours"), Some(at(2))),
            (Problem::new("x").of("layers"), Some(at(2))),
            (Problem::new("x").of("subnet_ids"), Some(at(9))),
            (Problem::new("x").of("role"), None),
            (Problem::new("x").of("role").at(&at(7)), Some(at(7))),
        ] {
            assert_eq!(places.locate(problem.clone()).place, place, "{problem}");
        }
    }
}
