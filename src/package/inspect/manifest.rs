//! The files in which a project declares its dependencies.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The dependencies that one file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The path of the file.
    pub(super) file: String,
    /// The language of the dependencies.
    pub(super) tool: Tool,
    /// The names of the dependencies that the code needs.
    pub(super) needed: BTreeSet<String>,
    /// The names of those that only building and testing need.
    pub(super) development: BTreeSet<String>,
}

/// The kind of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// `requirements.txt`.
    Pip,
    /// `pyproject.toml` with the standard's table.
    Project,
    /// `pyproject.toml` with the table of Poetry.
    Poetry,
    /// `Pipfile`.
    Pipenv,
    /// `package.json`.
    Npm,
}

/// The folders in which a package has a manifest: the root, and those of layers.
const FOLDERS: [&str; 3] = ["", "python", "nodejs"];

/// Whether a file declares the dependencies of the package.
pub(super) fn is_manifest(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    FOLDERS.contains(&folder) && matches!(name, "requirements.txt" | "pyproject.toml" | "Pipfile" | "package.json")
}

/// Whether a file is npm's list of everything that it installed.
pub(super) fn is_lock(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    FOLDERS.contains(&folder) && matches!(name, "package-lock.json" | "npm-shrinkwrap.json")
}

/// Reads a manifest; `None` if it declares nothing or cannot be read.
pub(super) fn read(file: &str, text: &str) -> Option<Manifest> {
    let (tool, needed, development) = match file.rsplit('/').next()? {
        "requirements.txt" => (Tool::Pip, text.lines().filter_map(requirement).collect(), BTreeSet::new()),
        "package.json" => {
            let package: Map<String, Value> = serde_json::from_str(text).ok()?;
            let names = |key: &str| keys(package.get(key));
            let needed = &(&names("dependencies") | &names("peerDependencies")) | &names("optionalDependencies");
            let development = &names("devDependencies") - &needed;
            (Tool::Npm, names("dependencies"), development)
        }
        "Pipfile" => (Tool::Pipenv, tables(text, &["packages"])?, BTreeSet::new()),
        _ => {
            let document: toml_edit::Document<String> = text.to_owned().parse().ok()?;
            let project = document.get("project").and_then(|project| project.get("dependencies")?.as_array());
            match project {
                Some(list) => {
                    let lines = list.iter().filter_map(toml_edit::Value::as_str);
                    (Tool::Project, lines.filter_map(requirement).collect(), BTreeSet::new())
                }
                None => (Tool::Poetry, tables(text, &["tool", "poetry", "dependencies"])?, BTreeSet::new()),
            }
        }
    };
    let manifest = Manifest { file: file.to_owned(), tool, needed, development };
    (!manifest.needed.is_empty() || !manifest.development.is_empty()).then_some(manifest)
}

/// The keys of a table of a TOML file, without that for Python itself.
fn tables(text: &str, path: &[&str]) -> Option<BTreeSet<String>> {
    let document: toml_edit::Document<String> = text.to_owned().parse().ok()?;
    let mut item = document.as_item();
    for part in path {
        item = item.get(part)?;
    }
    let table = item.as_table_like()?;
    Some(table.iter().map(|(name, _)| normal(name)).filter(|name| name != "python").collect())
}

fn keys(value: Option<&Value>) -> BTreeSet<String> {
    value.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// The name in a line of `requirements.txt` (PEP 508); `None` for options, paths and comments, and for what only other
/// systems need.
fn requirement(line: &str) -> Option<String> {
    let line = line.split(" #").next()?.trim();
    let (line, marker) = line.split_once(';').unwrap_or((line, ""));
    if line.starts_with(['#', '-', '.', '/']) || marker.contains("win32") || marker.contains("Darwin") {
        return None;
    }
    let name = match line.rsplit_once("#egg=") {
        Some((_, name)) => name,
        None if line.contains("://") && !line.contains('@') => return None,
        None => line,
    };
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')).unwrap_or(name.len());
    Some(normal(&name[..end])).filter(|name| !name.is_empty())
}

/// The normal form of a Python distribution's name (PEP 503), with `_` as in names of folders.
pub(super) fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '.'], "_")
}

/// npm's list of installed packages.
#[derive(Deserialize)]
struct Lock {
    packages: std::collections::BTreeMap<String, Locked>,
}

#[derive(Deserialize)]
struct Locked {
    #[serde(default)]
    dev: bool,
}

/// The folders of packages that are installed for development alone, such as `node_modules/typescript`.
pub(super) fn development(lock: &[u8]) -> BTreeSet<String> {
    let lock: Option<Lock> = serde_json::from_slice(lock).ok();
    let packages = lock.into_iter().flat_map(|lock| lock.packages);
    packages.filter(|(_, locked)| locked.dev).map(|(folder, _)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_dependencies_are_read_from_every_kind_of_file() {
        for (file, text, needed) in [
            (
                "requirements.txt",
                "# x\nrequests==2.32\n-r other.txt\n-e .\n./local\nPyYAML>=6 ; python_version > '3.8'\npywin32; sys_platform == 'win32'\ngit+https://x/y.git#egg=My.Name\nflask[async] # web\nhttps://x/y.whl\nname @ https://x/y.whl\n",
                &["flask", "my_name", "name", "pyyaml", "requests"][..],
            ),
            ("pyproject.toml", "[project]\ndependencies = [\"httpx>=1\"]\n", &["httpx"]),
            ("pyproject.toml", "[tool.poetry.dependencies]\npython = \"^3.12\"\nhttpx = \"*\"\n", &["httpx"]),
            ("Pipfile", "[packages]\nhttpx = \"*\"\n", &["httpx"]),
            ("nodejs/package.json", "{\"dependencies\": {\"axios\": \"1\", \"@a/b\": \"1\"}}", &["@a/b", "axios"]),
        ] {
            assert_eq!(read(file, text).unwrap().needed.iter().collect::<Vec<_>>(), needed, "{file}");
        }
        let package = "{\"dependencies\": {\"a\": \"1\"}, \"devDependencies\": {\"a\": \"1\", \"typescript\": \"5\"}}";
        assert_eq!(read("package.json", package).unwrap().development.iter().collect::<Vec<_>>(), ["typescript"]);
        for (file, text) in [
            ("requirements.txt", "# nothing\n"),
            ("package.json", "{"),
            ("package.json", "[]"),
            ("package.json", "{\"dependencies\": 1}"),
            ("pyproject.toml", "["),
            ("pyproject.toml", "[tool.ruff]\nline-length = 1\n"),
        ] {
            assert_eq!(read(file, text), None, "{text}");
        }
        let lock =
            br#"{"lockfileVersion": 3, "packages": {"": {}, "node_modules/a": {"dev": true}, "node_modules/b": {}}}"#;
        assert_eq!(development(lock).into_iter().collect::<Vec<_>>(), ["node_modules/a"]);
        assert_eq!(development(b"{"), BTreeSet::new());
    }
}
