//! `on:`: when a block is deployed.
//!
//! Keys and order are those of Travis, so that a block means the same in every CI; so are the messages about a
//! `.travis.yml`.

use std::borrow::Cow;

use super::{
    blocks::{Dialect, truth},
    condition::{Condition, Variables},
    layer::{Given, Value},
    options,
};
use crate::host::{Build, Host};
use crate::package::glob::{self, Stars};
use crate::place::{Place, Problem, Skip};

/// Runtime keys, and the variable that Travis sets for each.
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

/// Keys that are no runtimes.
const KEYS: [&str; 7] = ["repo", "branch", "condition", "all_branches", "tags", "pull_request", "os"];

/// Branches that a `.travis.yml` deploys when it does not say which (FX16 in docs/coming-from/dpl.md).
const DEFAULT_BRANCHES: [&str; 2] = ["master", "main"];

/// Everything that must hold; an empty list and absent fields hold always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conditions {
    dialect: Dialect,
    /// Whether the block says itself when it is deployed.
    own: bool,
    repository: Option<Wanted>,
    /// Shell patterns of which one must match; absent for any branch.
    branches: Option<Wanted>,
    runtimes: Vec<(&'static str, &'static str, Wanted)>,
    /// Expressions of `condition`, and where each was written.
    expressions: Vec<Expression>,
    tags: Option<(bool, Place)>,
    pull_requests: PullRequests,
    /// The options of this block that are given by branch.
    by_branch: Vec<ByBranch>,
}

/// An expression of `condition`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expression {
    /// As it was written.
    text: String,
    condition: Condition,
    place: Place,
}

/// Values of which one must be found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    texts: Vec<String>,
    /// Where they stand; absent for what holds by default.
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

/// An option whose value depends on the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ByBranch {
    pub option: &'static str,
    pub branches: Vec<String>,
    pub place: Place,
}

/// Whether a build of a pull request deploys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PullRequests {
    Deploy,
    Skip,
}

impl Conditions {
    /// What holds always.
    pub(super) fn always(dialect: Dialect) -> Self {
        Self {
            dialect,
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

    /// Reads `on:`, which is absent where the block has none.
    pub(super) fn read(on: Option<&Given>, dialect: Dialect, by_branch: Vec<ByBranch>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let own = on.is_some() || !by_branch.is_empty() || dialect == Dialect::Travis;
        let mut conditions = Self { own, by_branch, pull_requests: PullRequests::Skip, ..Self::always(dialect) };
        let mut any_branch = false;
        let mut wrong = |message: &str, place: &Place| problems.push(Problem::new(message).of("on").at(place));
        match on.map(|on| (&on.value, &on.place)) {
            None | Some((Value::Null, _)) => {}
            Some((Value::Text(branch), place)) => {
                conditions.branches = Some(Wanted::at(place, vec![branch.clone()]));
            }
            Some((Value::List(_), place)) => wrong("must be a map of conditions, or one branch", place),
            Some((Value::Map(entries), _)) => {
                for entry in entries {
                    let (given, place) = (&entry.given, &entry.given.place);
                    let flag = given.as_text().and_then(truth);
                    match entry.key.as_str() {
                        "repo" => match given.as_text() {
                            Some(name) => conditions.repository = Some(Wanted::at(place, vec![name.to_owned()])),
                            None => wrong("`repo` must be one `OWNER/NAME`", place),
                        },
                        "branch" => match texts(given) {
                            Some(branches) => conditions.branches = Some(Wanted::at(place, branches)),
                            None => wrong("`branch` must be a name, a pattern, or a list of them", place),
                        },
                        "condition" => {
                            for (written, place) in expressions(given) {
                                let read = written.ok_or("must be an expression or a list of them".to_owned());
                                match read.and_then(|text| Ok((text, Condition::parse(text)?))) {
                                    Ok((text, condition)) => {
                                        let (text, place) = (text.to_owned(), place.clone());
                                        conditions.expressions.push(Expression { text, condition, place });
                                    }
                                    Err(message) => wrong(&format!("`condition` {message}"), place),
                                }
                            }
                        }
                        "all_branches" if flag.is_some() => any_branch |= flag == Some(true),
                        "tags" if flag.is_some() => {
                            conditions.tags = flag.map(|flag| (flag, place.clone()));
                            any_branch |= flag == Some(true);
                        }
                        "pull_request" if flag.is_some() => {
                            if dialect == Dialect::Own && flag == Some(true) {
                                conditions.pull_requests = PullRequests::Deploy;
                            }
                        }
                        "all_branches" | "tags" | "pull_request" => {
                            wrong(&format!("`{}` must be true or false", entry.key), place);
                        }
                        "os" => {}
                        key => match (RUNTIMES.iter().find(|(name, _)| *name == key), texts(given)) {
                            (Some((key, variable)), Some(versions)) => {
                                conditions.runtimes.push((key, variable, Wanted::at(place, versions)));
                            }
                            (Some(_), None) => wrong(&format!("`{key}` must be a version or a list of them"), place),
                            (None, _) => {
                                let near = options::nearest_of(key, KEYS.iter().copied());
                                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                                wrong(&format!("`{key}` is not a condition{near}"), &entry.place);
                            }
                        },
                    }
                }
            }
        }
        if any_branch {
            conditions.branches = None;
        } else if conditions.branches.is_none() && conditions.by_branch.is_empty() && dialect == Dialect::Travis {
            let texts = DEFAULT_BRANCHES.map(str::to_owned).to_vec();
            conditions.branches = Some(Wanted { texts, place: None });
        } else if conditions.branches.is_none()
            && let Some(first) = conditions.by_branch.first()
        {
            let mut texts: Vec<_> = conditions.by_branch.iter().flat_map(|option| option.branches.clone()).collect();
            texts.sort();
            texts.dedup();
            conditions.branches = Some(Wanted::at(&first.place, texts));
        }
        if problems.is_empty() { Ok(conditions) } else { Err(problems) }
    }

    /// Whether the block says itself when it is deployed.
    pub(super) fn are_own(&self) -> bool {
        self.own
    }

    /// Whether builds of pull requests deploy the block.
    pub(super) fn take_pull_requests(&self) -> bool {
        self.pull_requests == PullRequests::Deploy
    }

    /// Whether an option is given by branch.
    pub(super) fn gives_by_branch(&self, option: &str) -> bool {
        self.by_branch.iter().any(|given| given.option == option)
    }

    /// Why the block is not deployed in this build; nothing where it is.
    ///
    /// The error is about an expression that compares what cannot be compared.
    pub(super) fn reason_to_skip(&self, build: &Build, host: &Host) -> Result<Option<Skip>, Problem> {
        if let Some(pull_request) = build.pull_request.as_ref().filter(|_| !self.take_pull_requests()) {
            let number = pull_request.number.as_ref();
            let which = number.map_or("a pull request".to_owned(), |number| format!("pull request {number}"));
            let missing = match self.dialect {
                Dialect::Own => "is not set to true",
                Dialect::Travis => "does not count in a `.travis.yml`",
            };
            let message = format!("{missing}, and this is a build of {which} ({})", pull_request.sign);
            let wanted = Wanted { texts: vec!["true".to_owned()], place: None };
            let found = Some(which);
            let words = "the current build is a pull request.";
            return Ok(Some(self.skip("on.pull_request", &wanted, found, message, words)));
        }
        self.reason_to_skip_after_merge(build, host)
    }

    /// Why the block is not deployed, apart from this being the build of a pull request.
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

    /// Why there is nothing to look at in this build: options are given by branch, and none for this one.
    pub(super) fn reason_to_have_no_value(&self, build: &Build) -> Option<Skip> {
        let branch = build.branch.as_deref();
        let given = |option: &ByBranch| option.branches.iter().any(|known| Some(known.as_str()) == branch);
        let first = self.by_branch.first().filter(|_| !self.by_branch.iter().any(given))?;
        let branches = self.by_branch.iter().flat_map(|option| option.branches.clone());
        let mut wanted = Wanted::at(&first.place, branches.collect());
        wanted.texts.sort();
        wanted.texts.dedup();
        Some(Skip { in_travis_words: None, ..self.not_for_branch(&wanted, build) })
    }

    fn not_for_branch(&self, wanted: &Wanted, build: &Build) -> Skip {
        let this = match (&build.branch, &build.tag, &build.pull_request) {
            (Some(branch), None, None) => format!("this branch is `{branch}`"),
            (_, Some(tag), _) => format!("this is a build of the tag `{tag}`; `tags: true` takes every tag"),
            (Some(branch), _, Some(_)) => format!("the pull request goes to `{branch}`"),
            (None, None, Some(_)) => "the CI does not say which branch the pull request goes to".to_owned(),
            (None, None, None) => "nothing says which branch this is".to_owned(),
        };
        let by_branch = self.by_branch.first().filter(|option| wanted.place.as_ref() == Some(&option.place));
        let (option, message) = match by_branch {
            Some(given) => {
                (given.option, format!("is given by branch, for {}, and {this}", wanted.shown().replace(" or ", ", ")))
            }
            None => ("on.branch", format!("wants {}, and {this}", wanted.shown())),
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
            option: option.to_owned(),
            wanted: wanted.texts.clone(),
            found,
            message,
            place: wanted.place.clone(),
            in_travis_words: (self.dialect == Dialect::Travis).then_some(words),
        }
    }

    /// The first expression that does not hold. As in bash, those behind it are not looked at.
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

/// The variables of the process. Where Travis does not run, what it says about a build comes from the CI that does.
struct OfBuild<'a> {
    build: &'a Build,
    host: &'a Host,
}

impl Variables for OfBuild<'_> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let Build { branch, tag, commit, repository, pull_request, number, url } = self.build;
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

/// The expressions of `condition`, each with its place; nothing for what is none.
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

/// A shell pattern: `*` crosses `/`, braces mean nothing.
fn matches(pattern: &str, branch: &str) -> bool {
    let escaped = pattern.replace('{', "[{]").replace('}', "[}]");
    pattern == branch || glob::compile(&escaped, Stars::InAll).is_ok_and(|glob| glob.is_match(branch))
}
