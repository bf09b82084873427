//! Inspects the package of a layer: for each runtime that it is for, the files that this runtime finds.
//!
//! Source: the guide's "Packaging your layer content", the paths of each runtime.

use std::collections::{BTreeMap, BTreeSet};

use super::language::Language;
use super::rule::{Facts, Rule};
use super::runtimes;
use super::survey::Survey;
use super::{access, dependencies, hidden, libc, native, nested, program, python, secret, sorted, weight};
use crate::place::{Problem, Weight};
use crate::settings::Runtime;

/// Folders that every runtime or Lambda itself searches.
const ALWAYS: [&str; 3] = ["bin/", "lib/", "extensions/"];

/// Applies the rules to a layer. `facts` has no runtime; `runtimes` are those that the layer is for, `None` means all.
/// Returns errors first.
pub(crate) fn inspect_layer(survey: &Survey, facts: &Facts<'_>, runtimes: Option<&BTreeSet<String>>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rules in
        [program::rules, access::rules, nested::rules, weight::rules, secret::rules, hidden::rules, dependencies::rules]
    {
        problems.extend(rules(survey, facts));
    }
    problems.extend(for_each_runtime(survey, facts, runtimes));
    let unknown = runtimes.into_iter().flatten().filter_map(|runtime| runtimes::unknown_name(runtime));
    problems.extend(unknown);
    for problem in &mut problems {
        if matches!(problem.option.as_deref(), Some("runtime" | "architecture")) {
            problem.option = Some("layer".to_owned());
        }
    }
    sorted(problems, facts)
}

/// The problems of native files. One that only some of the runtimes have is a warning.
fn for_each_runtime(survey: &Survey, facts: &Facts<'_>, runtimes: Option<&BTreeSet<String>>) -> Vec<Problem> {
    let runtimes: Vec<_> = runtimes.into_iter().flatten().map(|name| Runtime(name.clone())).collect();
    let each: Vec<_> = if runtimes.is_empty() { vec![None] } else { runtimes.iter().map(Some).collect() };
    let mut found: BTreeMap<Problem, usize> = BTreeMap::new();
    for runtime in &each {
        let facts = Facts { runtime: *runtime, ..facts.clone() };
        let view = survey.seen_by(facts.language());
        for rules in [native::rules, libc::rules, python::rules] {
            for problem in rules(&view, &facts) {
                *found.entry(problem).or_default() += 1;
            }
        }
    }
    // The messages of one rule differ by runtime, so its files decide whether every runtime has the problem.
    let mut times: BTreeMap<(Option<&str>, Option<&str>), usize> = BTreeMap::new();
    for (problem, count) in &found {
        *times.entry((problem.rule, problem.file.as_deref())).or_default() += count;
    }
    let problems = found.keys().map(|problem| {
        let everywhere = times[&(problem.rule, problem.file.as_deref())] >= each.len();
        if everywhere { problem.clone() } else { problem.clone().weighing(Weight::Warning) }
    });
    problems.collect()
}

/// A warning about a layer without a file in a folder that its runtimes search. `None` means all runtimes.
pub(crate) fn layer_layout(
    survey: &Survey,
    runtimes: Option<&BTreeSet<String>>,
    ignore: &BTreeSet<String>,
) -> Option<Problem> {
    if ignore.contains(Rule::LayerLayout.name()) || nested::inner(survey).is_some() {
        return None;
    }
    let all = ["python/", "nodejs/", "java/", "ruby/"];
    let mut folders = Vec::new();
    let mut blind = None;
    for runtime in runtimes.into_iter().flatten() {
        let language = Language::of(runtime)?;
        let folder = match language {
            Language::Python(..) => "python/",
            Language::Node(_) => "nodejs/",
            Language::Java => "java/",
            Language::Ruby => "ruby/",
            // Their programs decide which folders they search.
            Language::Dotnet | Language::Go | Language::Provided => return None,
        };
        folders.push(folder);
        let sees = survey.seen_by(Some(language)).beginning(folder).next().is_some();
        if !sees && let Some(other) = survey.beginning(folder).next() {
            blind = blind.or(Some((runtime, other)));
        }
    }
    if let Some((runtime, other)) = blind {
        let message =
            format!("`{runtime}` does not search the folder of `{}`, which is for another version", other.name);
        let help = "install into `python/` or `nodejs/node_modules/`, which every version searches, or correct \
                   `compatible_runtimes`";
        return Some(Rule::LayerLayout.finds(Weight::Warning, "layer", message, help).on(&other.name));
    }
    let folders = if folders.is_empty() { all.to_vec() } else { folders };
    let found = |folder: &&str| survey.beginning(folder).next().is_some();
    if folders.iter().chain(&ALWAYS).any(found) {
        return None;
    }
    let mut names: Vec<_> = folders.iter().map(|folder| format!("`{folder}`")).collect();
    names.dedup();
    let message = format!("the layer has no file in {}, where runtimes look", names.join(", "));
    let help = "set `zip` to the parent folder, or install into such a folder: `pip install --target layer/python`, \
               `npm install --prefix layer/nodejs`";
    Some(Rule::LayerLayout.finds(Weight::Warning, "layer", message, help))
}

impl Survey {
    /// The files of a layer that a language searches, without those for other versions of it.
    fn seen_by(&self, language: Option<Language>) -> Self {
        let sees = |name: &str| match (language, name.split_once('/')) {
            (Some(Language::Python(major, minor)), Some(("python", rest))) => match rest.strip_prefix("lib/python") {
                Some(other) => other.starts_with(&format!("{major}.{minor}/")),
                None => true,
            },
            (Some(Language::Node(version)), Some(("nodejs", rest))) => {
                let folder = rest.split('/').next().unwrap_or_default();
                let other = folder.strip_prefix("node").and_then(|digits| digits.parse::<u32>().ok());
                other.is_none_or(|other| other == version)
            }
            (Some(_), Some(("python" | "nodejs", _))) => false,
            _ => true,
        };
        let mut view = self.clone();
        view.files.retain(|file| sees(&file.name));
        view.binaries.retain(|binary| sees(&binary.name));
        view.is_layer = true;
        view
    }

    /// The path of a file below the folder in which a runtime searches a layer; the path itself for a function.
    pub(super) fn inner<'a>(&self, name: &'a str) -> &'a str {
        let Some((folder @ ("python" | "nodejs"), rest)) = name.split_once('/').filter(|_| self.is_layer) else {
            return name;
        };
        let of_version = match folder {
            "python" => rest.split_once("/site-packages/").filter(|(before, _)| before.starts_with("lib/python")),
            _ => rest
                .split_once('/')
                .filter(|(first, _)| first.strip_prefix("node").is_some_and(|digits| digits.parse::<u32>().is_ok())),
        };
        of_version.map_or(rest, |(_, rest)| rest)
    }
}
