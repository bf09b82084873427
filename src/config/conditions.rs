//! `on:`: when a block is deployed.
//!
//! The keys, and the order in which they are checked, are those of Travis. So a block means the same in every CI.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    by_branch::{ByBranch, matches},
    condition::{Condition, Variables},
    layer::{Given, MapEntry, Value, yes_or_no},
    options,
};
use crate::host::{Build, Host};
use crate::place::{Place, Problem, Skip};

/// The keys for runtimes, each with the name in Travis' variable for its version.
const RUNTIMES: &[(&str, &str)] = &[
    ("d", "D"),
    ("dart", "DART"),
    ("elm", "ELM"),
    ("elixir", "ELIXIR"),
    ("ghc", "GHC"),
    ("go", "GO"),
    ("haxe", "HAXE"),
    ("jdk", "JDK"),
    ("julia", "JULIA"),
    ("mono", "MONO"),
    ("node", "NODE"),
    ("node_js", "NODE"),
    ("otp_release", "OTP_RELEASE"),
    ("perl", "PERL"),
    ("php", "PHP"),
    ("python", "PYTHON"),
    ("r", "R"),
    ("ruby", "RUBY"),
    ("rvm", "RUBY"),
    ("rust", "RUST"),
    ("scala", "SCALA"),
    ("smalltalk", "SMALLTALK"),
];

/// The other keys.
const KEYS: [&str; 7] = ["repo", "branch", "condition", "all_branches", "tags", "pull_request", "os"];

/// The keys of all conditions.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.into_iter().chain(RUNTIMES.iter().map(|(key, _)| *key))
}

/// The default of `branch` in a `.travis.yml` (FX16 in docs/coming-from/dpl.md).
pub(super) const DEFAULT_BRANCHES: [&str; 2] = ["master", "main"];

/// Whether a condition is about the version of a runtime.
pub(super) fn is_runtime(key: &str) -> bool {
    RUNTIMES.iter().any(|(name, _)| *name == key)
}

/// The rules of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileFormat {
    /// `.travis.yml`: the rules of Travis. Unknown keys are allowed.
    Travis,
    /// Any other file: the rules of this tool. Unknown keys are errors.
    Own,
}

/// The conditions of a block. All of them must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conditions {
    format: FileFormat,
    /// Whether the block has conditions, or options by branch.
    own: bool,
    repository: Option<Wanted>,
    /// Shell patterns, of which one must match; absent for any branch.
    branches: Option<Wanted>,
    runtimes: Vec<(&'static str, &'static str, Wanted)>,
    /// The expressions of `condition`.
    expressions: Vec<Expression>,
    tags: Option<(bool, Place)>,
    pull_requests: PullRequests,
    /// The options with values by branch.
    by_branch: Vec<ByBranch>,
}

/// An expression of `condition`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expression {
    /// Its text.
    text: String,
    condition: Condition,
    place: Place,
}

/// The accepted values. One of them is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    texts: Vec<String>,
    /// Where they are written; absent for a default.
    place: Option<Place>,
}

impl Wanted {
    fn at(place: &Place, texts: Vec<String>) -> Self {
        Self { texts, place: Some(place.clone()) }
    }

    fn shown(&self) -> String {
        let quoted: Vec<_> = self.texts.iter().map(|text| format!("`{text}`")).collect();
        quoted.join(" or ")
    }
}

/// Whether two blocks can be deployed in one build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Both {
    /// In every build: neither has conditions.
    Always,
    /// In some builds.
    Perhaps,
    /// In no build, as far as the conditions say.
    Never,
}

/// Whether a build of a pull request deploys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PullRequests {
    Deploy,
    Skip,
}

impl Conditions {
    /// Conditions that always hold.
    pub(super) fn always(format: FileFormat) -> Self {
        Self {
            format,
            own: false,
            repository: None,
            branches: None,
            runtimes: Vec::new(),
            expressions: Vec::new(),
            tags: None,
            pull_requests: PullRequests::Deploy,
            by_branch: Vec::new(),
        }
    }

    /// Reads the conditions of a block. `on` is absent if the block has none.
    pub(super) fn read(on: Option<&Given>, format: FileFormat, by_branch: Vec<ByBranch>) -> Result<Self, Vec<Problem>> {
        let own = on.is_some() || !by_branch.is_empty() || format == FileFormat::Travis;
        let mut conditions = Self { own, by_branch, pull_requests: PullRequests::Skip, ..Self::always(format) };
        let mut problems = Vec::new();
        match on.map(|on| (&on.value, &on.place)) {
            None | Some((Value::Null, _)) => {}
            Some((Value::Text(branch), place)) => conditions.branches = Some(Wanted::at(place, vec![branch.clone()])),
            Some((Value::List(_), place)) => {
                problems.push(Problem::new("must be a map of conditions, or one branch").of("on").at(place));
            }
            Some((Value::Map(entries), _)) => {
                for entry in entries {
                    problems.extend(conditions.add(entry));
                }
            }
        }
        let is_on = |key: &str| on.and_then(|on| on.get(key)?.as_text()).and_then(yes_or_no) == Some(true);
        if is_on("all_branches") || is_on("tags") {
            conditions.branches = None;
        } else if conditions.branches.is_none() {
            conditions.branches = conditions.default_branches();
        }
        if problems.is_empty() { Ok(conditions) } else { Err(problems) }
    }

    /// Adds the condition of one key. Returns its errors.
    fn add(&mut self, entry: &MapEntry) -> Vec<Problem> {
        let (given, place) = (&entry.given, &entry.given.place);
        let wrong = |message: &str, place: &Place| vec![Problem::new(message).of("on").at(place)];
        let flag = given.as_text().and_then(yes_or_no);
        match entry.key.as_str() {
            "repo" => match given.as_text() {
                Some(name) => self.repository = Some(Wanted::at(place, vec![name.to_owned()])),
                None => return wrong("`repo` must be one `OWNER/NAME`", place),
            },
            "branch" => match texts(given) {
                Some(branches) => self.branches = Some(Wanted::at(place, branches)),
                None => return wrong("`branch` must be a name, a pattern, or a list of them", place),
            },
            "condition" => return self.add_expressions(given),
            "tags" if flag.is_some() => self.tags = flag.map(|flag| (flag, place.clone())),
            "pull_request" if flag.is_some() => {
                if self.format == FileFormat::Own && flag == Some(true) {
                    self.pull_requests = PullRequests::Deploy;
                }
            }
            "all_branches" if flag.is_some() => {}
            "all_branches" | "tags" | "pull_request" => {
                return wrong(&format!("`{}` must be true or false", entry.key), place);
            }
            "os" => {}
            key => match (RUNTIMES.iter().find(|(name, _)| *name == key), texts(given)) {
                (Some((key, variable)), Some(versions)) => {
                    self.runtimes.push((key, variable, Wanted::at(place, versions)));
                }
                (Some(_), None) => return wrong(&format!("`{key}` must be a version or a list of them"), place),
                (None, _) => {
                    let near = options::nearest_of(key, KEYS.iter().copied());
                    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    return wrong(&format!("`{key}` is not a condition{near}"), &entry.place);
                }
            },
        }
        Vec::new()
    }

    fn add_expressions(&mut self, given: &Given) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (written, place) in expressions(given) {
            let written = written.ok_or("must be an expression or a list of them".to_owned());
            match written.and_then(|text| Ok((text, Condition::parse(text)?))) {
                Ok((text, condition)) => {
                    self.expressions.push(Expression { text: text.to_owned(), condition, place: place.clone() });
                }
                Err(message) => problems.push(Problem::new(format!("`condition` {message}")).of("on").at(place)),
            }
        }
        problems
    }

    /// The branches without `branch`: those of the options by branch, else the default of Travis.
    fn default_branches(&self) -> Option<Wanted> {
        if let Some(first) = self.by_branch.first() {
            let branches = self.by_branch.iter().flat_map(|option| option.branches.clone());
            let branches: BTreeSet<_> = branches.collect();
            return Some(Wanted::at(&first.place, branches.into_iter().collect()));
        }
        let texts = DEFAULT_BRANCHES.map(str::to_owned).to_vec();
        (self.format == FileFormat::Travis).then_some(Wanted { texts, place: None })
    }

    /// Whether two blocks can be deployed in one build. Two different expressions are taken to exclude each other, as one
    /// does not know their variables.
    pub(super) fn both(one: &Self, other: &Self) -> Both {
        if !one.own && !other.own {
            return Both::Always;
        }
        let is_tag = |conditions: &Self| conditions.tags.as_ref().map(|(is_tag, _)| *is_tag);
        let is_for = |wanted: &Wanted, other: &Wanted| {
            wanted.texts.iter().any(|pattern| other.texts.iter().any(|name| matches(pattern, name)))
        };
        let exclude_by_branch = match (&one.branches, &other.branches) {
            (Some(one), Some(other)) => !is_for(one, other) && !is_for(other, one),
            // A build of a tag has no branch.
            (Some(_), None) => is_tag(other) == Some(true),
            (None, Some(_)) => is_tag(one) == Some(true),
            (None, None) => false,
        };
        let exclude_by_tag = is_tag(one).zip(is_tag(other)).is_some_and(|(one, other)| one != other);
        let texts = |wanted: &Option<Wanted>| wanted.as_ref().map(|wanted| wanted.texts.clone());
        let exclude_by_repository = texts(&one.repository).zip(texts(&other.repository)).is_some_and(|(a, b)| a != b);
        let expressions = |conditions: &Self| -> Vec<String> {
            conditions.expressions.iter().map(|expression| expression.text.clone()).collect()
        };
        let runtimes = |conditions: &Self| -> Vec<_> {
            conditions.runtimes.iter().map(|(key, _, wanted)| (*key, wanted.texts.clone())).collect()
        };
        let differ = expressions(one) != expressions(other) || runtimes(one) != runtimes(other);
        if exclude_by_branch || exclude_by_tag || exclude_by_repository || differ { Both::Never } else { Both::Perhaps }
    }

    /// Whether the rules are those of a `.travis.yml`.
    pub(super) fn are_of_travis(&self) -> bool {
        self.format == FileFormat::Travis
    }

    /// Whether the block has conditions, or options by branch.
    pub(super) fn are_own(&self) -> bool {
        self.own
    }

    /// Whether the build of a pull request deploys the block.
    pub(super) fn include_pull_requests(&self) -> bool {
        self.pull_requests == PullRequests::Deploy
    }

    /// The branches and patterns of `branch`, and of the options by branch except for the map at this place.
    pub(super) fn named_branches<'c>(&'c self, except: &'c Place) -> impl Iterator<Item = &'c str> {
        let maps = self.by_branch.iter().filter(move |map| map.place != *except);
        let branches = self.branches.iter().filter(move |wanted| wanted.place.as_ref() != Some(except));
        branches.flat_map(|wanted| &wanted.texts).chain(maps.flat_map(|map| &map.branches)).map(String::as_str)
    }

    /// The options with values by branch.
    pub(super) fn by_branch(&self) -> &[ByBranch] {
        &self.by_branch
    }

    /// Warnings about the options that have no value in this build, because their maps lack its branch. `is_given` says
    /// whether an option has a value from elsewhere.
    pub(super) fn without_value(&self, build: &Build, is_given: impl Fn(&str) -> bool) -> Vec<Problem> {
        let lacking = self.by_branch.iter().filter(|map| !map.has_value_for(build) && !is_given(map.option));
        let warning = |map: &ByBranch| {
            let wanted = Wanted::at(&map.place, map.branches.clone());
            let message = format!("has no value in this build: it {}", given_by_branch(&wanted, build));
            Problem::new(message).of(map.option).at(&map.place).help("add a value for this branch, or remove the map")
        };
        lacking.map(warning).collect()
    }

    /// Whether an option has values by branch.
    pub(super) fn has_by_branch(&self, option: &str) -> bool {
        self.by_branch.iter().any(|given| given.option == option)
    }

    /// Why this build skips the block; `None` if it does not.
    ///
    /// The error is about an expression whose values cannot be compared.
    pub(super) fn reason_to_skip(&self, build: &Build, host: &Host) -> Result<Option<Skip>, Problem> {
        if let Some(pull_request) = build.pull_request.as_ref().filter(|_| !self.include_pull_requests()) {
            let number = pull_request.number.as_ref();
            let which = number.map_or("a pull request".to_owned(), |number| format!("pull request {number}"));
            let missing = match self.format {
                FileFormat::Own => "is not set to true",
                FileFormat::Travis => "does not count in a `.travis.yml`",
            };
            let message = format!("{missing}, and this is a build of {which} ({})", pull_request.sign);
            let wanted = Wanted { texts: vec!["true".to_owned()], place: None };
            let found = Some(which);
            let words = "the current build is a pull request.";
            return Ok(Some(self.skip("on.pull_request", &wanted, found, message, words)));
        }
        self.reason_to_skip_after_merge(build, host)
    }

    /// Why the build after the merge of its pull request would skip the block; `None` if it would not.
    pub(super) fn reason_to_skip_after_merge(&self, build: &Build, host: &Host) -> Result<Option<Skip>, Problem> {
        if let Some(wanted) = &self.repository
            && build.repository.as_ref() != wanted.texts.first()
        {
            let found = build.repository.clone();
            let this = found.as_ref().map_or("is not known".to_owned(), |name| format!("is `{name}`"));
            let message = format!("wants {}, and this repository {this}", wanted.shown());
            let words = "this repo's name does not match one specified in .travis.yml's deploy.on.repo:";
            let words = format!("{words} {}", wanted.texts.concat());
            return Ok(Some(self.skip("on.repo", wanted, found, message, &words)));
        }
        if let Some(wanted) = &self.branches
            && !wanted.texts.iter().any(|pattern| matches(pattern, build.branch.as_deref().unwrap_or_default()))
        {
            return Ok(Some(self.not_for_branch(wanted, build)));
        }
        let version = |name: &str| host.variable(&format!("TRAVIS_{name}_VERSION"));
        for (key, variable, wanted) in &self.runtimes {
            let found = version(variable).map(str::to_owned);
            if !found.as_ref().is_some_and(|found| wanted.texts.contains(found)) {
                let this = found.as_ref().map_or("is not set".to_owned(), |found| format!("is `{found}`"));
                let message = format!("wants {}, and TRAVIS_{variable}_VERSION {this}", wanted.shown());
                let words = "this is not on the required runtime";
                return Ok(Some(self.skip(&format!("on.{key}"), wanted, found, message, words)));
            }
        }
        if let Some(Expression { text, place, .. }) = self.unmet(build, host)? {
            let wanted = Wanted::at(place, vec![text.clone()]);
            let message = format!("wants `{text}`, which does not hold");
            return Ok(Some(self.skip("on.condition", &wanted, None, message, "a custom condition was not met")));
        }
        if let Some((wanted, place)) = self.tags.as_ref().filter(|(wanted, _)| *wanted != build.tag.is_some()) {
            let message = match &build.tag {
                Some(tag) => format!("wants no tag, and this is a build of the tag `{tag}`"),
                None => "wants a tag, and this build has none".to_owned(),
            };
            let wanted = Wanted::at(place, vec![wanted.to_string()]);
            return Ok(Some(self.skip("on.tags", &wanted, build.tag.clone(), message, "this is not a tagged commit")));
        }
        Ok(None)
    }

    /// Why the block has no values in this build: its options have values by branch, and none for this branch.
    pub(super) fn reason_to_have_no_value(&self, build: &Build) -> Option<Skip> {
        let given = |option: &ByBranch| option.has_value_for(build);
        let first = self.by_branch.first().filter(|_| !self.by_branch.iter().any(given))?;
        let branches = self.by_branch.iter().flat_map(|option| option.branches.clone());
        let mut wanted = Wanted::at(&first.place, branches.collect());
        wanted.texts.sort();
        wanted.texts.dedup();
        Some(Skip { in_travis_words: None, ..self.not_for_branch(&wanted, build) })
    }

    fn not_for_branch(&self, wanted: &Wanted, build: &Build) -> Skip {
        let by_branch = self.by_branch.first().filter(|option| wanted.place.as_ref() == Some(&option.place));
        let (option, message) = if let Some(given) = by_branch {
            (given.option, given_by_branch(wanted, build))
        } else {
            let hint = if build.tag.is_some() { "; `tags: true` takes every tag" } else { "" };
            ("on.branch", format!("wants {}, and {}{hint}", wanted.shown(), this_branch(build)))
        };
        let name = build.branch.as_deref().unwrap_or("(unknown)");
        let words = format!("this branch is not permitted: {name}");
        self.skip(option, wanted, build.branch.clone(), message, &words)
    }

    fn skip(&self, option: &str, wanted: &Wanted, found: Option<String>, message: String, words: &str) -> Skip {
        let words = format!("Skipping a deployment with the lambda provider because {words}");
        Skip {
            function: None,
            layer: None,
            region: None,
            option: option.to_owned(),
            wanted: wanted.texts.clone(),
            found,
            message,
            place: wanted.place.clone(),
            in_travis_words: (self.format == FileFormat::Travis).then_some(words),
        }
    }

    /// The first expression that does not hold. As in bash, the later ones are not evaluated.
    fn unmet(&self, build: &Build, host: &Host) -> Result<Option<&Expression>, Problem> {
        for expression in &self.expressions {
            let holds = expression.condition.holds(&OfBuild { build, host });
            let problem = |message| Problem::new(format!("`condition`: {message}")).of("on").at(&expression.place);
            if !holds.map_err(problem)? {
                return Ok(Some(expression));
            }
        }
        Ok(None)
    }
}

/// The variables of the process. In other CIs, Travis' variables about the build have the values of that CI.
struct OfBuild<'a> {
    build: &'a Build,
    host: &'a Host,
}

impl Variables for OfBuild<'_> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let Build { branch, tag, commit, repository, pull_request, number, url, id: _ } = self.build;
        let of_build = || match name {
            "TRAVIS_BRANCH" => branch.as_deref(),
            "TRAVIS_TAG" => tag.as_deref(),
            "TRAVIS_COMMIT" => commit.as_deref(),
            "TRAVIS_REPO_SLUG" => repository.as_deref(),
            "TRAVIS_PULL_REQUEST" => {
                Some(pull_request.as_ref().map_or("false", |known| known.number.as_deref().unwrap_or("true")))
            }
            "TRAVIS_BUILD_NUMBER" => number.as_deref(),
            "TRAVIS_BUILD_WEB_URL" => url.as_deref(),
            _ => None,
        };
        self.host.variables.get(name).map(String::as_str).or_else(of_build).map(Cow::Borrowed)
    }
}

/// The branch of the build, in words.
fn this_branch(build: &Build) -> String {
    match (&build.branch, &build.tag, &build.pull_request) {
        (Some(branch), None, None) => format!("this branch is `{branch}`"),
        (_, Some(tag), _) => format!("this is a build of the tag `{tag}`"),
        (Some(branch), _, Some(_)) => format!("the pull request goes to `{branch}`"),
        (None, None, Some(_)) => "the CI does not say which branch the pull request goes to".to_owned(),
        (None, None, None) => "nothing says which branch this is".to_owned(),
    }
}

fn given_by_branch(wanted: &Wanted, build: &Build) -> String {
    format!("is given by branch, for {}, and {}", wanted.shown().replace(" or ", ", "), this_branch(build))
}

/// The expressions of `condition`, each with its place; `None` for a value that is not a text.
fn expressions(given: &Given) -> Vec<(Option<&str>, &Place)> {
    match &given.value {
        Value::List(items) => items.iter().map(|item| (item.as_text(), &item.place)).collect(),
        Value::Null | Value::Text(_) | Value::Map(_) => vec![(given.as_text(), &given.place)],
    }
}

/// One text or a list of texts.
fn texts(given: &Given) -> Option<Vec<String>> {
    match &given.value {
        Value::Text(text) => Some(vec![text.clone()]),
        Value::List(items) => items.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
        Value::Null | Value::Map(_) => None,
    }
}
