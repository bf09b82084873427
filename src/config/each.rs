//! `for_each`: the names for which a block is repeated: a list of them, folders, or a map from name to options.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{
    from_env,
    layer::{Given, MapEntry, Value},
    references,
    trust::Trust,
};
use crate::package::glob::{self, Stars};
use crate::place::{Place, Problem};

/// The key of a block.
pub(super) const FOR_EACH: &str = "for_each";

/// The most names of one block.
const MOST_ITEMS: usize = 1000;

/// The most entries of all folders that a glob looks at.
const MOST_ENTRIES: usize = 20_000;

/// One of the names.
#[derive(Debug, Clone)]
pub(super) struct Item<'g> {
    /// The name: `%{each}`.
    pub name: String,
    /// The folder that a glob found, from the folder of the file: `%{each_path}`; absent for a name that is written.
    pub path: Option<String>,
    /// Where the name or the glob is written.
    pub place: &'g Place,
    /// Its own options; absent for none.
    pub options: Option<&'g Given>,
}

/// The error about a reference.
const TOO_EARLY: &str = "takes no value of a variable or from elsewhere: its names are written in the file";

/// Where folders are looked for.
pub(super) struct Folders<'a> {
    /// The working directory.
    pub directory: &'a Path,
    /// The folder of the file, from the working directory.
    pub folder: &'a Path,
    pub trust: &'a Trust,
}

/// The names of a block, in order. Errors go to `problems`.
pub(super) fn items<'g>(given: &'g Given, folders: &Folders<'_>, problems: &mut Vec<Problem>) -> Vec<Item<'g>> {
    let mut items = Vec::new();
    let before = problems.len();
    let mut wrong = |message: String, place: &Place| problems.push(Problem::new(message).of(FOR_EACH).at(place));
    match &given.value {
        Value::Map(entries) => {
            if is_elsewhere(given) {
                wrong(TOO_EARLY.to_owned(), &given.place);
                return items;
            }
            for MapEntry { key, place, given } in entries {
                match given.value {
                    Value::Map(_) | Value::Null => {}
                    Value::Text(_) | Value::List(_) => wrong(format!("`{key}` must be a map of options"), &given.place),
                }
                let options = Some(given).filter(|given| matches!(given.value, Value::Map(_)));
                items.push(Item { name: key.clone(), path: None, place, options });
            }
        }
        Value::Text(_) => add(given, folders, &mut items, &mut wrong),
        Value::List(list) => list.iter().for_each(|item| add(item, folders, &mut items, &mut wrong)),
        Value::Null => {}
    }
    let mut seen = BTreeSet::new();
    items.retain(|item| {
        let is_new = seen.insert(item.name.clone());
        if item.name.trim().is_empty() {
            wrong("has an empty name".to_owned(), item.place);
        } else if !is_new {
            wrong(format!("has `{}` twice", item.name), item.place);
        }
        is_new
    });
    if items.len() > MOST_ITEMS {
        wrong(format!("has {} names, and at most {MOST_ITEMS} are taken", items.len()), &given.place);
        items.clear();
    }
    if items.is_empty() && problems.len() == before {
        let problem = Problem::new("has no name, so the block would deploy nothing").of(FOR_EACH).at(&given.place);
        problems.push(problem.help("write a list of names, a glob of folders such as `functions/*`, or a map"));
    }
    items
}

/// Adds a name, or the folders of a glob.
fn add<'g>(given: &'g Given, folders: &Folders<'_>, items: &mut Vec<Item<'g>>, wrong: &mut dyn FnMut(String, &Place)) {
    let place = &given.place;
    if is_elsewhere(given) {
        return wrong(TOO_EARLY.to_owned(), place);
    }
    let Some(text) = given.as_text().map(str::trim) else {
        return wrong("must be a list of names, a glob of folders, or a map from name to options".to_owned(), place);
    };
    if text.contains("%{") {
        return wrong("takes no `%{…}`: it is read before anything else is known".to_owned(), place);
    }
    if !is_glob(text) {
        return items.push(Item { name: text.to_owned(), path: None, place, options: None });
    }
    let found = match find(text, folders, place) {
        Ok(found) => found,
        Err(message) => return wrong(message, place),
    };
    if found.is_empty() {
        wrong(format!("`{text}` matches no folder"), place);
    }
    for path in found {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let path = Some(path.to_string_lossy().into_owned());
        items.push(Item { name, path, place, options: None });
    }
}

/// Whether a value is written as a reference. A name of `for_each` may begin with `from_` too, but has a map of options.
fn is_elsewhere(given: &Given) -> bool {
    let Value::Map(entries) = &given.value else { return false };
    let is_reference = references::is_reference(given) || from_env::is_one(given);
    is_reference && !entries.iter().all(|entry| matches!(entry.given.value, Value::Map(_) | Value::Null))
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// The folders that a glob matches, from the folder of the file, in order. Hidden ones are found only by a `.`.
fn find(glob: &str, folders: &Folders<'_>, place: &Place) -> Result<Vec<PathBuf>, String> {
    let parts: Vec<&str> = glob.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"**") {
        return Err(format!("`{glob}` has `**`; `*` stands for the folders of one level"));
    }
    if glob.starts_with('/') {
        return Err(format!("`{glob}` must be relative to the folder of the file"));
    }
    let mut found = vec![PathBuf::new()];
    let mut looked_at = 0;
    for part in parts {
        if !is_glob(part) {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        let pattern = glob::compile(part, Stars::InNames).map_err(|why| format!("`{glob}` is not a glob: {why}"))?;
        let mut next = Vec::new();
        for path in found {
            let inside = folders.folder.join(&path);
            let real = folders.directory.join(&inside);
            // A missing folder has no folders in it.
            if !real.is_dir() {
                continue;
            }
            if !folders.trust.is_free(place) && !folders.trust.holds(&inside) {
                return Err(format!("`{glob}` lies outside of the checkout, where a file may not read"));
            }
            let entries =
                fs::read_dir(&real).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
            let mut names = Vec::new();
            for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
                looked_at += 1;
                if looked_at > MOST_ENTRIES {
                    return Err(format!("`{glob}` looks at more than {MOST_ENTRIES} files and folders"));
                }
                let is_shown = !name.starts_with('.') || part.starts_with('.');
                if is_shown && pattern.is_match(&name) && real.join(&name).is_dir() {
                    names.push(name);
                }
            }
            names.sort();
            next.extend(names.into_iter().map(|name| path.join(name)));
        }
        found = next;
    }
    found.retain(|path| folders.directory.join(folders.folder).join(path).is_dir());
    Ok(found)
}
