//! `on:`: when a block is deployed.
//!
//! Keys, order and messages are those of Travis, so that a block means the same in every CI.

use std::process::Command;

use super::{
    blocks::{Dialect, truth},
    layer::{Given, Value},
    options,
};
use crate::host::{Build, Host};
use crate::package::glob::{self, Stars};
use crate::place::{Place, Problem};

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

/// Branches that a `.travis.yml` deploys when it does not say which (FX16).
const DEFAULT_BRANCHES: [&str; 2] = ["master", "main"];

/// Everything that must hold; an empty list and absent fields hold always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    repository: Option<String>,
    /// Shell patterns of which one must match; absent for any branch.
    branches: Option<Vec<String>>,
    runtimes: Vec<(&'static str, Vec<String>)>,
    expressions: Vec<String>,
    tags: Option<bool>,
    pull_requests: PullRequests,
    /// Branches that options of this block are given by; empty where none is.
    by_branch: Vec<String>,
}

/// Whether a build of a pull request deploys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum PullRequests {
    #[default]
    Deploy,
    Skip,
}

impl Conditions {
    /// Reads `on:`, which is absent where the block has none. `per_branch` are the keys of options given by branch.
    pub(super) fn read(on: Option<&Given>, dialect: Dialect, per_branch: Vec<String>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut conditions = Self::default();
        if on.is_some() || dialect == Dialect::Travis {
            conditions.pull_requests = PullRequests::Skip;
        }
        let mut any_branch = false;
        let mut wrong = |message: &str, place: &Place| problems.push(Problem::new(message).of("on").at(place));
        match on.map(|on| (&on.value, &on.place)) {
            None | Some((Value::Null, _)) => {}
            Some((Value::Text(branch), _)) => conditions.branches = Some(vec![branch.clone()]),
            Some((Value::List(_), place)) => wrong("must be a map of conditions, or one branch", place),
            Some((Value::Map(entries), _)) => {
                for entry in entries {
                    let (given, place) = (&entry.given, &entry.given.place);
                    let flag = given.as_text().and_then(truth);
                    match entry.key.as_str() {
                        "repo" => match given.as_text() {
                            Some(repository) => conditions.repository = Some(repository.to_owned()),
                            None => wrong("`repo` must be one `OWNER/NAME`", place),
                        },
                        "branch" => match texts(given) {
                            Some(branches) => conditions.branches = Some(branches),
                            None => wrong("`branch` must be a name, a pattern, or a list of them", place),
                        },
                        "condition" => match texts(given) {
                            Some(expressions) => conditions.expressions = expressions,
                            None => wrong("`condition` must be an expression or a list of them", place),
                        },
                        "all_branches" if flag.is_some() => any_branch |= flag == Some(true),
                        "tags" if flag.is_some() => {
                            conditions.tags = flag;
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
                            (Some((_, variable)), Some(versions)) => conditions.runtimes.push((variable, versions)),
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
        conditions.by_branch.clone_from(&per_branch);
        if any_branch {
            conditions.branches = None;
        } else if conditions.branches.is_none() && !per_branch.is_empty() {
            conditions.branches = Some(per_branch);
        } else if conditions.branches.is_none() && dialect == Dialect::Travis {
            conditions.branches = Some(DEFAULT_BRANCHES.map(str::to_owned).to_vec());
        }
        if problems.is_empty() { Ok(conditions) } else { Err(problems) }
    }

    /// Why the block is not deployed in this build, in Travis' words; nothing where it is.
    ///
    /// The error is about an expression that the shell cannot read.
    pub(super) fn reason_to_skip(&self, build: &Build, host: &Host) -> Result<Option<String>, Problem> {
        let reason =
            |because: String| Ok(Some(format!("Skipping a deployment with the lambda provider because {because}")));
        if self.pull_requests == PullRequests::Skip && build.pull_request {
            return reason("the current build is a pull request.".to_owned());
        }
        if let Some(repository) = &self.repository
            && build.repository.as_ref() != Some(repository)
        {
            return reason(format!(
                "this repo's name does not match one specified in .travis.yml's deploy.on.repo: {repository}"
            ));
        }
        if let Some(branches) = &self.branches {
            let branch = build.branch.as_deref().unwrap_or_default();
            if !branches.iter().any(|pattern| matches(pattern, branch)) {
                let by_branch = match self.by_branch.as_slice() {
                    [] => String::new(),
                    keys => format!(" (options are given by branch, for {})", keys.join(", ")),
                };
                let branch = if branch.is_empty() { "(unknown)" } else { branch };
                return reason(format!("this branch is not permitted: {branch}{by_branch}"));
            }
        }
        let version = |name: &str| host.variable(&format!("TRAVIS_{name}_VERSION"));
        let runs = |(name, wanted): &(&str, Vec<String>)| wanted.iter().any(|wanted| version(name) == Some(wanted));
        if !self.runtimes.iter().all(runs) {
            return reason("this is not on the required runtime".to_owned());
        }
        if !self.expressions.is_empty() && !self.holds(host)? {
            return reason("a custom condition was not met".to_owned());
        }
        if self.tags.is_some_and(|wanted| wanted != build.tag.is_some()) {
            return reason("this is not a tagged commit".to_owned());
        }
        Ok(None)
    }

    /// Why there is nothing to check in this build: options are given by branch, and none for this one.
    pub(super) fn reason_to_have_no_value(&self, build: &Build) -> Option<String> {
        let branch = build.branch.as_deref().unwrap_or_default();
        let without = !self.by_branch.is_empty() && !self.by_branch.iter().any(|known| known == branch);
        without.then(|| format!("Nothing to check: the block is given by branch, and not for `{branch}`"))
    }

    /// Asks bash, whose language the expressions are in.
    fn holds(&self, host: &Host) -> Result<bool, Problem> {
        let expression =
            self.expressions.iter().map(|expression| format!("({expression})")).collect::<Vec<_>>().join(" && ");
        // bash ends with 0 where it cannot read what stands in the brackets, so both answers have codes of their own.
        let script = format!("if [[ {expression} ]]; then exit 10; else exit 11; fi");
        let problem = |message: String| {
            Problem::new(message).of("on").help("`condition` is what stands between bash's `[[` and `]]`")
        };
        let mut bash = Command::new("bash");
        let bash = bash.args(["-c", &script]).current_dir(&host.directory).env_clear().envs(&host.variables);
        let output = bash
            .output()
            .map_err(|error| problem(format!("`condition` needs bash, which cannot be started: {error}")))?;
        match output.status.code() {
            Some(10) => Ok(true),
            Some(11) => Ok(false),
            _ => Err(problem(format!("bash cannot read the condition `{}`", self.expressions.join("`, `")))),
        }
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
