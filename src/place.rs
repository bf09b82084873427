//! Where a value came from, and what is wrong there or why it does not count.
//!
//! Knows flags, variables and files as places. Must not know what any option means.

use std::collections::BTreeMap;
use std::{fmt, sync::Arc};

/// Where the options of one deployment were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    options: BTreeMap<String, Place>,
    /// Items of lists, by option and item.
    items: BTreeMap<(String, String), Place>,
}

impl Places {
    /// Notes where an option was written.
    pub fn note(&mut self, option: impl Into<String>, place: Place) {
        self.options.insert(option.into(), place);
    }

    /// Notes where an item of a list was written.
    pub fn note_item(&mut self, option: impl Into<String>, item: impl Into<String>, place: Place) {
        self.items.insert((option.into(), item.into()), place);
    }

    /// Adds the places of `other`, which win.
    pub fn extend(&mut self, other: Self) {
        let Self { options, items } = other;
        self.options.extend(options);
        self.items.extend(items);
    }

    /// Where an option was written; absent where nobody wrote it.
    pub fn of(&self, option: &str) -> Option<&Place> {
        self.options.get(option)
    }

    /// Where an item of a list was written; absent where it was not written by itself.
    pub fn of_item(&self, option: &str, item: &str) -> Option<&Place> {
        self.items.get(&(option.to_owned(), item.to_owned()))
    }

    /// Every option with its place.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.options.iter().map(|(option, place)| (option.as_str(), place))
    }

    /// The problem with the place of its item, or else of its option.
    #[must_use]
    pub fn locate(&self, mut problem: Problem) -> Problem {
        if let (None, Some(option)) = (&problem.place, &problem.option) {
            let of_item = problem.item.as_ref().and_then(|item| self.of_item(option, item));
            // The members of `vpc_config` are options of their own, too.
            let of_vpc = matches!(&**option, "subnet_ids" | "security_group_ids" | "ipv6_allowed_for_dual_stack");
            let within = self.of("vpc_config").filter(|_| of_vpc);
            problem.place = of_item.or_else(|| self.of(option)).or(within).cloned();
        }
        problem
    }
}

/// Where a value was written by the user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A position in a file; the only place an annotation can point at.
    File(FilePlace),
    /// An environment variable, by its full name.
    Variable(String),
    /// A command-line flag, as the user would write it.
    Flag(String),
}

/// A position in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilePlace {
    /// The path as it was given or found, relative to the working directory where possible.
    pub path: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
}

impl Place {
    /// A place in a file.
    pub fn file(path: &Arc<str>, line: u32, column: u32) -> Self {
        Self::File(FilePlace { path: Arc::clone(path), line, column })
    }

    /// The position in a file, where this is one.
    pub fn in_file(&self) -> Option<&FilePlace> {
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

/// How much a problem weighs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It stops the run: what was asked for cannot or must not be done.
    #[default]
    Error,
    /// It stops the run: somebody else changed the function.
    Conflict,
    /// It is probably a mistake, and stops nothing.
    Warning,
}

/// One thing that is wrong or doubtful: where, what, and what to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Whether it stops the run.
    pub weight: Weight,
    /// Where it is; absent when nothing was written, as for a missing option.
    pub place: Option<Place>,
    /// The option it concerns, by its canonical name.
    pub option: Option<String>,
    /// The item of the option's list that it concerns; absent where it concerns the whole option.
    pub item: Option<String>,
    /// The file it is about, for an annotation to point at instead; absent where the place says it. About a package, the
    /// name of an entry.
    pub file: Option<String>,
    /// What is wrong: a lowercase fragment without a full stop.
    pub message: String,
    /// The rule that found it, by the name under which `ignore` takes it; absent where no rule did.
    pub rule: Option<&'static str>,
    /// What to do about it; absent when the message says it already.
    pub help: Option<String>,
}

impl Problem {
    /// An error that belongs to no option and no place yet.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Something doubtful that belongs to no option and no place yet.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, ..Self::new(message) }
    }

    /// Whether it stops the run.
    pub fn stops(&self) -> bool {
        self.weight != Weight::Warning
    }

    /// What is wrong, with the name of the rule that found it.
    pub fn text(&self) -> String {
        match self.rule {
            Some(rule) => format!("{} [{rule}]", self.message),
            None => self.message.clone(),
        }
    }

    /// The same problem, with another weight.
    #[must_use]
    pub fn weighing(mut self, weight: Weight) -> Self {
        self.weight = weight;
        self
    }

    /// The same problem, about an item of the option's list.
    #[must_use]
    pub fn about(mut self, item: impl Into<String>) -> Self {
        self.item = Some(item.into());
        self
    }

    /// The same problem, about a file, or an entry of a package.
    #[must_use]
    pub fn on(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// The same problem, at a place.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// The same problem, about an option.
    #[must_use]
    pub fn of(mut self, option: impl Into<String>) -> Self {
        self.option = Some(option.into());
        self
    }

    /// The same problem, with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
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

/// A block that is left out of a run, and the condition that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// The function of the block; absent where it has none, or none in this build.
    pub function: Option<String>,
    /// The layer of the block; absent where that is not what it is for.
    pub layer: Option<String>,
    /// The option or condition that decided it, as `on.branch`.
    pub option: String,
    /// What it wants; any of these would do.
    pub wanted: Vec<String>,
    /// What was found instead; absent where there is nothing.
    pub found: Option<String>,
    /// Both in words.
    pub message: String,
    /// Where it was written.
    pub place: Option<Place>,
    /// The words that Travis has for it; absent for a block of another file than Travis'.
    pub in_travis_words: Option<String>,
}

impl fmt::Display for Skip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.function, &self.layer) {
            (Some(function), _) => write!(out, "`{function}`: ")?,
            (None, Some(layer)) => write!(out, "the layer `{layer}`: ")?,
            (None, None) => out.write_str("a block: ")?,
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
    fn a_problem_stands_at_its_item_or_else_at_its_option() {
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
