//! Turns the deployments of a `.travis.yml` into a `dpl.yml`, which means the same in every CI.
//!
//! Whatever cannot be carried over becomes a comment and a warning. No secret is written: its value comes from a variable.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{
    blocks::{is_lambda, names_lambda},
    conditions::{DEFAULT_BRANCHES, is_runtime},
    layer::{Given, MapEntry, Value, yes_or_no},
    one_value::{is_by_branch, unwrapped},
    options::{self, Kind, Opt},
    render::{Rendered, nowhere},
    shell, yaml,
};
use crate::files;
use crate::host::{Ci, Host};
use crate::place::Problem;
use crate::settings::{holds_secret, sounds_secret};

/// The converted deployments.
pub(crate) struct Converted {
    /// The content of the `dpl.yml`.
    pub text: String,
    /// The same as JSON.
    pub json: Json,
    /// What could not be carried over.
    pub warnings: Vec<Problem>,
}

/// Keys of a block that have no meaning outside of Travis and dpl.
const WITHOUT_MEANING: [&str; 6] = ["provider", "dpl_version", "edge", "fold", "backtrace", "strategy"];

/// Converts the file at `path`.
pub(crate) fn converted(path: &Path, host: &Host, ci: Ci) -> Result<Converted, Vec<Problem>> {
    let shown: Arc<str> = Arc::from(path.to_string_lossy());
    let text = files::text(&host.directory.join(path))
        .map_err(|error| vec![Problem::new(format!("`{}` {error}", path.display())).of("--from")])?;
    let document = yaml::parse(&text, &shown).map_err(|problem| vec![problem])?;
    let mut converter = Converter::default();
    converter.hooks(&document);
    let mut blocks: Vec<_> = items(document.get("deploy")).filter_map(|block| converter.block(block)).collect();
    for jobs in ["jobs", "matrix"] {
        let jobs = document.get(jobs).and_then(|jobs| jobs.get("include"));
        for job in items(jobs) {
            converter.hooks(job);
            blocks.extend(items(job.get("deploy")).filter_map(|block| converter.block(block)));
        }
    }
    if blocks.is_empty() {
        let problem = Problem::new(format!("`{}` has no deployment with `provider: lambda`", path.display()));
        return Err(vec![problem.of("--from")]);
    }
    let Converter { comments, warnings, variables } = converter;
    let mut text = format!("# From {}. Check it with `dpl-lambda check`.\n", path.display());
    text.extend(comments.iter().map(|comment| format!("# {}\n", comment.replace(['\n', '\r'], " "))));
    match &blocks[..] {
        [only] => text.push_str(&only.yaml()),
        several => {
            text.push_str("deploy:\n");
            for block in several {
                for (at, line) in block.yaml().lines().enumerate() {
                    text.push_str(if at == 0 { "  - " } else { "    " });
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    text.push_str(&job(ci, host, &variables));
    Ok(Converted { text, json: blocks.iter().map(Rendered::json).collect(), warnings })
}

/// The items of a list; a single value counts as a list of one.
fn items(given: Option<&Given>) -> impl Iterator<Item = &Given> {
    let items: &[Given] = match given.map(|given| &given.value) {
        Some(Value::List(items)) => items,
        None | Some(Value::Null) => &[],
        Some(Value::Text(_) | Value::Map(_)) => given.map(std::slice::from_ref).unwrap_or_default(),
    };
    items.iter()
}

#[derive(Default)]
struct Converter {
    comments: Vec<String>,
    warnings: Vec<Problem>,
    /// The variables that the job has to set.
    variables: BTreeSet<String>,
}

impl Converter {
    fn lost(&mut self, what: &str, why: &str, given: &Given) {
        self.comments.push(format!("{what}: {why} ({})", given.place));
        self.warnings.push(Problem::new(why).of(what).at(&given.place));
    }

    fn hooks(&mut self, given: &Given) {
        for name in ["before_deploy", "after_deploy"] {
            if let Some(hook) = given.get(name) {
                self.lost(name, "is not carried over; make its commands steps of the CI", hook);
            }
        }
    }

    /// The block; `None` if it is for another provider.
    fn block(&mut self, given: &Given) -> Option<Rendered> {
        let entries = match &given.value {
            Value::Map(entries) if names_lambda(given) => entries.as_slice(),
            Value::Text(provider) if is_lambda(provider) => &[],
            _ => return None,
        };
        self.hooks(given);
        let (mut converted, mut conditions, mut branches) = (Vec::<(&str, Given)>::new(), None, BTreeSet::new());
        for entry in entries {
            match entry.key.as_str() {
                "on" | "true" | "if" => conditions = Some(&entry.given),
                "before_deploy" | "after_deploy" => {}
                "allow_failure" => converted.push(("allow_failure", unplaced(&entry.given))),
                "skip_cleanup" => {
                    let cleans = entry.given.as_text().and_then(yes_or_no) == Some(false);
                    converted.extend(cleans.then(|| ("cleanup", text("true"))));
                }
                key if WITHOUT_MEANING.contains(&key) => {}
                key => match options::find(key) {
                    None => self.lost(key, "is not an option, so it is left out", &entry.given),
                    Some(option) if converted.iter().any(|(name, _)| *name == option.name) => {
                        self.lost(
                            key,
                            &format!("`{}` is given twice; this one is left out", option.name),
                            &entry.given,
                        );
                    }
                    Some(option) => match unwrapped(option, entry.given.clone()) {
                        Err(problem) => self.lost(key, &problem.message, &entry.given),
                        Ok(given) => {
                            if let Value::Map(by_branch) = &given.value
                                && is_by_branch(option)
                                && given.get("secure").is_none()
                            {
                                branches.extend(by_branch.iter().map(|branch| branch.key.clone()));
                            }
                            converted.extend(self.value(option, &given).map(|value| (option.name, value)));
                        }
                    },
                },
            }
        }
        let conditions = self.conditions(conditions, &branches);
        converted.push(("on", conditions));
        Some(Rendered::unsourced(converted))
    }

    /// The conditions. Those that Travis takes for granted are written down: the branches that options have values for, or
    /// else the default ones.
    fn conditions(&mut self, on: Option<&Given>, branches: &BTreeSet<String>) -> Given {
        let mut kept = Vec::new();
        let mut any_branch = false;
        match on.map(|on| &on.value) {
            Some(Value::Text(branch)) => {
                kept.push(entry("branch", text(branch)));
                any_branch = true;
            }
            Some(Value::Map(entries)) => {
                for MapEntry { key, given, .. } in entries {
                    match (key.as_str(), &given.value) {
                        // A map of branches with options was never applied by Travis.
                        ("branch", Value::Map(branches)) => {
                            self.lost(
                                "on.branch",
                                "its options by branch are left out; only the names are kept",
                                given,
                            );
                            let names = branches.iter().map(|branch| text(&branch.key)).collect();
                            kept.push(entry("branch", value(Value::List(names))));
                            any_branch = true;
                        }
                        ("all_branches" | "tags", _) => {
                            any_branch |= given.as_text().and_then(yes_or_no) == Some(true);
                            kept.push(entry(key, unplaced(given)));
                        }
                        ("branch", _) => {
                            any_branch = true;
                            kept.push(entry(key, unplaced(given)));
                        }
                        ("repo", _) => kept.push(entry(key, unplaced(given))),
                        ("condition", _) => {
                            if items(Some(given))
                                .any(|item| item.as_text().is_some_and(|text| text.contains("TRAVIS_")))
                            {
                                self.lost("on.condition", "uses a variable that only Travis sets; replace it", given);
                            }
                            kept.push(entry(key, unplaced(given)));
                        }
                        ("pull_request" | "os", _) => {}
                        (runtime, _) if is_runtime(runtime) => {
                            let what = format!("on.{runtime}");
                            self.lost(&what, "is left out; only Travis sets the version; choose it in the CI", given);
                        }
                        (key, _) => self.lost(&format!("on.{key}"), "is not a condition, so it is left out", given),
                    }
                }
            }
            Some(Value::List(_)) => {
                if let Some(on) = on {
                    self.lost("on", "is a list, which Travis refuses; it is left out", on);
                }
            }
            None | Some(Value::Null) => {}
        }
        if !any_branch {
            let default = DEFAULT_BRANCHES.iter().rev().copied().filter(|_| branches.is_empty());
            let branches = branches.iter().map(String::as_str).chain(default).map(text).collect();
            kept.insert(0, entry("branch", value(Value::List(branches))));
        }
        value(Value::Map(kept))
    }

    /// The value of an option; `None` if it cannot be carried over.
    fn value(&mut self, option: &Opt, given: &Given) -> Option<Given> {
        if given.is_absent() {
            return None;
        }
        if given.get("secure").is_some() || matches!(option.kind, Kind::Secret) {
            self.secret(option, given);
            return None;
        }
        if option.name == "environment" {
            return self.environment(given);
        }
        match &given.value {
            Value::Null => None,
            Value::Text(written) => self.text(option, written, given),
            Value::List(items) => {
                let kept: Vec<_> = items.iter().filter_map(|item| self.value(option, item)).collect();
                (!kept.is_empty() || items.is_empty()).then(|| value(Value::List(kept)))
            }
            Value::Map(entries) => {
                let kept: Vec<_> =
                    entries.iter().filter_map(|old| Some(entry(&old.key, self.value(option, &old.given)?))).collect();
                (!kept.is_empty() || entries.is_empty()).then(|| value(Value::Map(kept)))
            }
        }
    }

    /// A text, which Travis' shell reads.
    fn text(&mut self, option: &Opt, written: &str, given: &Given) -> Option<Given> {
        // The commands of `run` have a shell here too.
        if option.name == "run" || !shell::is_read_by_shell(written) {
            return Some(text(written));
        }
        match shell::names(written) {
            Some(names) if matches!(option.name, "description" | "version_description") => {
                self.variables.extend(names.iter().map(|name| (*name).to_owned()));
                Some(text(&shell::with_references(written)))
            }
            _ => {
                let variable = format!("DPL_LAMBDA_{}", option.name.to_ascii_uppercase());
                let why =
                    format!("has a variable or a command; write it out, or set `{variable}` in the CI for all blocks");
                self.lost(option.name, &why, given);
                self.variables.insert(variable);
                None
            }
        }
    }

    fn secret(&mut self, option: &Opt, given: &Given) {
        let variable = match option.name {
            "access_key_id" | "secret_access_key" | "session_token" => {
                format!("AWS_{}", option.name.to_ascii_uppercase())
            }
            name => format!("DPL_LAMBDA_{}", name.to_ascii_uppercase()),
        };
        let why = format!("is a secret, so it is left out; set `{variable}` in the CI");
        self.lost(option.name, &why, given);
        self.variables.insert(variable);
    }

    /// The variables of the function. A secret is taken from a variable of the job.
    fn environment(&mut self, given: &Given) -> Option<Given> {
        let mut kept: Vec<MapEntry> = Vec::new();
        for item in items(Some(given)) {
            match &item.value {
                Value::Map(_) if item.get("secure").is_some() => {
                    let why = "is encrypted with its name; write `NAME: {from_env: NAME}`, and set NAME in the CI";
                    self.lost("environment", why, item);
                }
                Value::Map(entries) => {
                    for old in entries {
                        let new = self.variable(&old.key, &old.given);
                        put(&mut kept, entry(&old.key, new));
                    }
                }
                Value::Text(text) => {
                    for line in text.lines().filter(|line| !line.trim().is_empty()) {
                        match line.split_once('=') {
                            Some((name, value)) => {
                                let value = Given::text(value, item.place.clone());
                                let new = self.variable(name.trim(), &value);
                                put(&mut kept, entry(name.trim(), new));
                            }
                            None => self.lost("environment", "is not `KEY=value`, so it is left out", item),
                        }
                    }
                }
                Value::Null | Value::List(_) => {}
            }
        }
        (!kept.is_empty()).then(|| value(Value::Map(kept)))
    }

    fn variable(&mut self, name: &str, given: &Given) -> Given {
        let written = given.as_text().unwrap_or_default();
        if given.get("from_env").is_some() {
            return unplaced(given);
        }
        let is_secret = holds_secret(name, written) || written.contains("-----BEGIN");
        let from = match shell::only_name(written) {
            Some(variable) => variable,
            None if given.as_text().is_some() && !is_secret && !shell::is_read_by_shell(written) => {
                return text(written);
            }
            None if given.value == Value::Null => return value(Value::Null),
            None => name,
        };
        if !self.variables.contains(from) {
            let why = if given.get("secure").is_some() || is_secret || sounds_secret(name) {
                "holds a secret"
            } else {
                "has a value that is not written in clear"
            };
            let why = format!("{why}; set `{from}` in the CI");
            self.lost(&format!("environment.{name}"), &why, given);
        }
        self.variables.insert(from.to_owned());
        value(Value::Map(vec![entry("from_env", text(from))]))
    }
}

/// Adds an entry; the later one of two with the same key wins.
fn put(entries: &mut Vec<MapEntry>, new: MapEntry) {
    entries.retain(|old| old.key != new.key);
    entries.push(new);
}

fn value(value: Value) -> Given {
    Given { value, ..text("") }
}

fn text(text: &str) -> Given {
    Given::text(text, nowhere())
}

fn entry(key: &str, given: Given) -> MapEntry {
    MapEntry { key: key.to_owned(), place: nowhere(), given }
}

/// The same value without its places.
fn unplaced(given: &Given) -> Given {
    value(match &given.value {
        Value::Null => Value::Null,
        Value::Text(text) => Value::Text(text.clone()),
        Value::List(items) => Value::List(items.iter().map(unplaced).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|old| entry(&old.key, unplaced(&old.given))).collect()),
    })
}

/// The lines of a job that deploys, as comments: for the CI at hand, or else for that whose files the checkout has.
fn job(ci: Ci, host: &Host, variables: &BTreeSet<String>) -> String {
    let has = |name: &str| host.directory.join(name).exists();
    let (github, gitlab) = match ci {
        Ci::GitHub => (true, false),
        Ci::GitLab => (false, true),
        _ if has(".gitlab-ci.yml") => (has(".github/workflows"), true),
        _ => (true, false),
    };
    let mut lines = Vec::new();
    if github {
        lines.extend([
            "A job of GitHub Actions, .github/workflows/deploy.yml:".to_owned(),
            "  on: {push: {branches: [main]}}".to_owned(),
            "  jobs:".to_owned(),
            "    deploy:".to_owned(),
            "      runs-on: ubuntu-latest".to_owned(),
            "      steps:".to_owned(),
            "        - uses: actions/checkout@v5".to_owned(),
            "        - uses: dpl-lambda/dpl-lambda@v0".to_owned(),
        ]);
        if !variables.is_empty() {
            lines.push("          env:".to_owned());
        }
        let secret = |name: &String| format!("            {name}: ${{{{ secrets.{name} }}}}");
        lines.extend(variables.iter().map(secret));
    }
    if gitlab {
        lines.extend([
            "A job of GitLab, in .gitlab-ci.yml:".to_owned(),
            "  deploy:".to_owned(),
            "    image: {name: \"ghcr.io/dpl-lambda/dpl-lambda:0\", entrypoint: [\"\"]}".to_owned(),
            "    script: [dpl-lambda]".to_owned(),
        ]);
        let names: Vec<_> = variables.iter().map(String::as_str).collect();
        if !names.is_empty() {
            lines.push(format!("  Masked variables of the project: {}", names.join(", ")));
        }
    }
    std::iter::once(String::from("#\n")).chain(lines.into_iter().map(|line| format!("# {line}\n"))).collect()
}
