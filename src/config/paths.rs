//! Paths in the configuration file. There they are relative to the file; everywhere else in this tool they are relative to
//! the working directory.

use std::path::{Path, PathBuf};

use super::{
    layer::{Given, MapEntry, Value},
    options::same_key,
    options::{InFile, Kind, Opt},
};
use crate::files;
use crate::place::Place;

/// The folder of a file, from the working directory; empty if that is the folder, or if the file is a stream.
pub(super) fn folder_of(file: &Path, working_directory: &Path) -> PathBuf {
    if files::names_a_stream(file) {
        return PathBuf::new();
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    tidy(folder.strip_prefix(working_directory).unwrap_or(folder))
}

/// Whether the texts of an option are paths. Those in a structure are joined where it is read.
fn is_path(option: &Opt) -> bool {
    !matches!(option.kind, Kind::Structure(_))
        && matches!(option.in_file, InFile::Reads | InFile::Packs | InFile::Writes(_))
}

/// The paths in the value of an option, each with its place. A map has its path in `from`.
pub(super) fn paths<'a>(option: &Opt, given: &'a Given, found: &mut Vec<(&'a str, &'a Place)>) {
    match &given.value {
        Value::Null => {}
        // Texts in `include` are globs, and not paths.
        Value::Text(_) if option.name == "include" => {}
        Value::Text(text) => {
            found.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| (line, &given.place)));
        }
        Value::List(items) => items.iter().for_each(|item| paths(option, item, found)),
        Value::Map(entries) => {
            let from = entries.iter().filter(|entry| same_key(&entry.key, "From"));
            found.extend(from.filter_map(|entry| Some((entry.given.as_text()?.trim(), &entry.given.place))));
        }
    }
}

/// The value of an option in a file, with its paths from the working directory. `folder` is the folder of the file.
pub(super) fn from_here(option: &Opt, given: Given, folder: &Path) -> Given {
    match option.name {
        _ if folder.as_os_str().is_empty() => given,
        "layer" => of_layer(given, folder),
        "include" => of_maps(given, folder),
        _ if is_path(option) => of_texts(given, folder),
        _ => given,
    }
}

/// With each line of each text as a path.
fn of_texts(given: Given, folder: &Path) -> Given {
    let value = match given.value {
        Value::Text(text) => Value::Text(text.lines().map(|line| joined(folder, line)).collect::<Vec<_>>().join("\n")),
        Value::List(items) => Value::List(items.into_iter().map(|item| of_texts(item, folder)).collect()),
        other @ (Value::Map(_) | Value::Null) => other,
    };
    Given { value, ..given }
}

/// With the path in the `from` of each map.
fn of_maps(given: Given, folder: &Path) -> Given {
    let value = match given.value {
        Value::List(items) => Value::List(items.into_iter().map(|item| of_maps(item, folder)).collect()),
        Value::Map(entries) => {
            with_members(entries, |key, given| if same_key(key, "From") { of_texts(given, folder) } else { given })
        }
        other @ (Value::Text(_) | Value::Null) => other,
    };
    Given { value, ..given }
}

/// With the paths of a layer: its source, and its files from other folders.
fn of_layer(given: Given, folder: &Path) -> Given {
    let is_source = |key: &str| ["zip", "source", "content"].iter().any(|name| same_key(key, name));
    let line = |line: &str| match line.split_once('=') {
        Some((key, path)) if is_source(key.trim()) => format!("{key}={}", joined(folder, path)),
        _ => line.to_owned(),
    };
    let value = match given.value {
        Value::Text(text) => Value::Text(text.lines().map(line).collect::<Vec<_>>().join("\n")),
        Value::List(items) => Value::List(items.into_iter().map(|item| of_layer(item, folder)).collect()),
        Value::Map(entries) => with_members(entries, |key, given| match key {
            key if is_source(key) => of_texts(given, folder),
            key if same_key(key, "include") => of_maps(given, folder),
            _ => given,
        }),
        Value::Null => Value::Null,
    };
    Given { value, ..given }
}

fn with_members(entries: Vec<MapEntry>, change: impl Fn(&str, Given) -> Given) -> Value {
    let changed = |entry: MapEntry| MapEntry { given: change(&entry.key, entry.given), ..entry };
    Value::Map(entries.into_iter().map(changed).collect())
}

/// A path in a file, from the working directory.
pub(super) fn joined(folder: &Path, path: &str) -> String {
    match path.trim() {
        "" => String::new(),
        path => tidy(&folder.join(path)).to_string_lossy().into_owned(),
    }
}

/// The same path without its `.` parts.
fn tidy(path: &Path) -> PathBuf {
    path.components().filter(|part| part.as_os_str() != ".").collect()
}
