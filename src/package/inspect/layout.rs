//! Checks whether runtimes find the files of a layer. Each runtime searches its own folders below `/opt`.

use std::collections::BTreeSet;

use super::rule::Rule;
use super::runtimes::Language;
use super::survey::Survey;
use crate::place::{Problem, Weight};

/// Folders that every runtime or Lambda itself searches.
const ALWAYS: [&str; 3] = ["bin/", "lib/", "extensions/"];

/// A warning about a layer without a file in a folder that runtimes search. `runtimes` are those that the layer is for;
/// `None` means all.
pub(crate) fn layer_layout(
    survey: &Survey,
    runtimes: Option<&BTreeSet<String>>,
    ignore: &BTreeSet<String>,
) -> Option<Problem> {
    let all = ["python/", "nodejs/", "java/", "ruby/"];
    let mut folders = Vec::new();
    for runtime in runtimes.into_iter().flatten() {
        folders.push(match Language::of(runtime)? {
            Language::Python(..) => "python/",
            Language::Node(_) => "nodejs/",
            Language::Java => "java/",
            Language::Ruby => "ruby/",
            // Their programs decide which folders they search.
            Language::Dotnet | Language::Go | Language::Provided => return None,
        });
    }
    let folders = if folders.is_empty() { all.to_vec() } else { folders };
    let found = |folder: &&str| survey.beginning(folder).next().is_some();
    if ignore.contains(Rule::LayerLayout.name()) || folders.iter().chain(&ALWAYS).any(found) {
        return None;
    }
    let mut names: Vec<_> = folders.iter().map(|folder| format!("`{folder}`")).collect();
    names.dedup();
    let message = format!("the layer has no file in {}, where runtimes look", names.join(", "));
    let help = "set `zip` to the parent folder, or install into such a folder: `pip install --target layer/python`, \
               `npm install --prefix layer/nodejs`";
    Some(Rule::LayerLayout.finds(Weight::Warning, "layer", message, help))
}
