//! The import table of `lib.rs`, enforced.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A module and the modules it may name. A row may only point upwards, so there is no circle.
const LAYERS: &[(&str, &[&str])] = &[
    ("arn", &[]),
    ("verb", &[]),
    ("files", &[]),
    ("fault", &[]),
    ("host", &[]),
    ("place", &[]),
    ("settings", &["arn"]),
    ("sources", &["arn", "settings"]),
    ("reference", &["fault", "settings"]),
    ("release", &[]),
    ("deployment", &["reference", "release", "settings"]),
    ("package", &["deployment", "files", "place", "settings"]),
    ("remote", &["arn", "package", "settings"]),
    (
        "config",
        &[
            "sources",
            "arn",
            "reference",
            "settings",
            "release",
            "deployment",
            "files",
            "host",
            "package",
            "place",
            "remote",
            "verb",
        ],
    ),
    ("plan", &["sources", "arn", "reference", "settings", "release", "deployment", "package", "place", "remote"]),
    ("policy", &["arn", "release", "deployment", "package", "plan", "reference", "settings"]),
    ("event", &["package", "place", "plan", "remote"]),
    (
        "report",
        &["event", "arn", "settings", "deployment", "files", "host", "place", "package", "plan", "remote", "verb"],
    ),
    ("apply", &["event", "fault", "place", "plan", "remote"]),
    (
        "aws",
        &[
            "sources",
            "arn",
            "reference",
            "fault",
            "event",
            "apply",
            "settings",
            "release",
            "deployment",
            "package",
            "plan",
            "remote",
        ],
    ),
    ("cli", &["config", "place", "settings", "verb"]),
    ("error", &["apply", "deployment", "event", "fault", "host", "package", "place", "report", "settings"]),
    (
        "run",
        &[
            "apply",
            "aws",
            "cli",
            "config",
            "error",
            "event",
            "fault",
            "files",
            "host",
            "deployment",
            "package",
            "place",
            "plan",
            "policy",
            "reference",
            "release",
            "remote",
            "report",
            "settings",
            "verb",
        ],
    ),
];

/// What reaches out of the process, and the only rooms that may name it, however they import it. Whatever is not a folder
/// is one file.
const WORLD: &[(&str, &[&str])] = &[
    ("aws_sdk_", &["aws/"]),
    ("aws_config", &["aws/"]),
    ("clap", &["cli/"]),
    // The environment and the streams of the process.
    ("std::env", &["host/"]),
    ("std::io::stdin", &["host/"]),
    ("std::io::stdout", &["host/", "report/console.rs"]),
    ("std::io::stderr", &["host/", "main.rs", "report/console.rs"]),
    ("println!", &[]),
    ("print!", &[]),
    // The clock.
    ("std::time::SystemTime", &["aws/clock.rs", "host/"]),
    ("std::time::Instant", &["apply.rs", "aws/", "report/deliver.rs", "run/build.rs"]),
    ("tokio::time", &["aws/", "report/deliver.rs", "run/"]),
    // Programs.
    ("std::process", &["host/", "main.rs", "report/deliver.rs", "run/around.rs"]),
    ("tokio::process", &["run/around.rs"]),
    // Files.
    ("std::fs", &["aws/store.rs", "config/", "files/", "host/", "package/", "report/deliver.rs"]),
    ("tokio::fs", &[]),
    ("tempfile", &["aws/store.rs", "files/", "package/"]),
    ("walkdir", &["package/"]),
    // The network.
    ("std::net::Tcp", &[]),
    ("std::net::Udp", &[]),
    ("std::net::ToSocketAddrs", &[]),
    ("tokio::net", &[]),
    ("aws_smithy_http_client", &["aws/wire.rs", "report/deliver.rs"]),
];

#[test]
fn every_row_points_upwards() {
    for (row, (module, imports)) in LAYERS.iter().enumerate() {
        for import in *imports {
            let above = LAYERS[..row].iter().any(|(name, _)| name == import);
            assert!(above, "`{module}` may not sit above `{import}`");
        }
    }
}

#[test]
fn source_respects_the_tables() {
    let mut faults = Vec::new();
    visit(Path::new("src"), &mut |path, code| {
        let inside = path.strip_prefix("src").unwrap();
        let first = inside.iter().next().unwrap().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        let room = inside.to_str().unwrap();
        for path in named(code) {
            for (outside, homes) in WORLD {
                let is_home =
                    |home: &&&str| if home.ends_with('/') { room.starts_with(**home) } else { room == **home };
                if path.starts_with(outside) && homes.iter().find(is_home).is_none() {
                    faults.push(format!("{room}: `{path}` belongs in {homes:?}"));
                }
            }
        }
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            if module == "lib" || module == "main" {
                continue;
            }
            let allowed = LAYERS.iter().find(|(name, _)| *name == module).map_or(&[][..], |row| row.1);
            for tail in line.split("crate::").skip(1) {
                let name: String = tail.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if !name.is_empty() && name != module && !allowed.contains(&name.as_str()) {
                    faults.push(format!("{}: `{module}` may not import `{name}`", path.display()));
                }
                if tail.starts_with('{') {
                    faults.push(format!("{}: a braced import hides what it depends on", path.display()));
                }
            }
        }
    });
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut files = BTreeMap::new();
    visit(Path::new("src"), &mut |path, code| {
        let inside = path.strip_prefix("src").unwrap().with_extension("");
        let parts: Vec<_> = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        let module = parts.strip_suffix(&["mod".to_owned()]).unwrap_or(&parts);
        // The top file of a module hands on what its other files have.
        if module.len() > 1 {
            files.insert(module.join("::"), named(code));
        }
    });
    let circles = circles(&files);
    assert!(circles.is_empty(), "these files import each other in a circle:\n{}", circles.join("\n"));
}

/// The file of what a file names by a path; `None`: it is in none of these.
fn home(file: &str, path: &str, files: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let is_relative = |part: &&str| matches!(*part, "crate" | "self" | "super");
    let (ways, names): (Vec<_>, Vec<_>) = path.split("::").partition(is_relative);
    let mut module: Vec<_> = if ways.first()? == &"crate" { Vec::new() } else { file.split("::").collect() };
    for _ in ways.iter().filter(|way| **way == "super") {
        module.pop()?;
    }
    // The word alone is how far something is seen, as in `pub(super)`.
    module.push(names.first()?);
    module.extend(&names[1..]);
    (1..=module.len()).rev().map(|length| module[..length].join("::")).find(|module| files.contains_key(module))
}

/// The files that are in a circle, or between two circles. Takes the paths that each file names. A file and those in its
/// folder may use each other.
fn circles(files: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut imports = files.clone();
    for (file, paths) in &mut imports {
        let is_around = |one: &str, other: &str| format!("{other}::").starts_with(&format!("{one}::"));
        let is_apart = |other: &String| !is_around(file, other) && !is_around(other, file);
        *paths = paths.iter().filter_map(|path| home(file, path, files)).filter(is_apart).collect();
    }
    loop {
        let before: BTreeSet<_> = imports.keys().cloned().collect();
        let imported: BTreeSet<_> = imports.values().flatten().cloned().collect();
        imports.retain(|file, others| imported.contains(file) && !others.is_disjoint(&before));
        if imports.len() == before.len() {
            return before.into_iter().collect();
        }
    }
}

#[test]
fn a_circle_is_found_however_it_is_imported() {
    let circles = |sources: &[(&str, &str)]| {
        circles(&sources.iter().map(|(file, code)| ((*file).to_owned(), named(code))).collect())
    };
    for [one, other] in [
        ["use super::b::B;", "use super::a::A;"],
        ["use super::{b::B, c};", "fn f() { super::a::f() }"],
        ["fn f() { super::b::f() }", "pub(super) fn f() { crate::m::a::f() }"],
        ["use super::b;\nfn f() { b::f() }", "use crate::m::a as first;\nfn f() { first::f() }"],
    ] {
        assert_eq!(circles(&[("m::a", one), ("m::b", other), ("m::c", "")]), ["m::a", "m::b"], "{one} {other}");
    }
    let inside = [("m::a::x", "use super::super::b::B;"), ("m::b", "use super::a::x::X;")];
    assert_eq!(circles(&inside), ["m::a::x", "m::b"]);
    assert!(circles(&[("m::a", "use self::x::X;"), ("m::a::x", "use super::A;")]).is_empty());
    assert!(circles(&[("m::a", "use super::b;\nuse super::c;"), ("m::b", "use super::c;"), ("m::c", "")]).is_empty());
}

/// The code of a file without its tests, which may import anything.
fn without_tests(text: &str) -> String {
    let (mut code, mut lines) = (String::new(), text.lines());
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            let indent = &line[..line.len() - line.trim_start().len()];
            let is_attribute = |line: &&str| line.trim_start().starts_with("#[");
            let item = lines.by_ref().find(|line| !is_attribute(line)).unwrap_or_default();
            if item.ends_with('{') {
                lines.by_ref().find(|line| line.strip_prefix(indent) == Some("}"));
            }
        } else {
            code.extend([line, "\n"]);
        }
    }
    code
}

#[test]
fn only_tests_are_left_out() {
    let text = "use a;\n#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;\nuse b;\n#[cfg(test)]\nmod tests {\n    use c;\n}\nuse d;\n";
    assert_eq!(without_tests(text), "use a;\nuse b;\nuse d;\n");
}

/// Every path that the code names, with what its imports stand for put in, as `std::fs::read` for a `read` of its own.
fn named(code: &str) -> BTreeSet<String> {
    let code: String =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect();
    let (mut paths, mut imported) = (BTreeSet::new(), Vec::new());
    for import in code.split("use ").skip(1) {
        if let Some((tree, _)) = import.split_once(';') {
            spread("", &tree.split_whitespace().collect::<Vec<_>>().join(" "), &mut imported);
        }
    }
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '!');
    for path in code.split(|c| !is_path(c)).map(|path| path.trim_matches(':')).filter(|path| !path.is_empty()) {
        let (first, rest) = path.split_once("::").unwrap_or((path, ""));
        let stands_for = imported.iter().find(|(name, _)| name == first).map(|(_, whole)| whole.as_str());
        let whole = stands_for.filter(|_| !rest.is_empty()).map(|whole| format!("{whole}::{rest}"));
        paths.insert(whole.unwrap_or_else(|| path.to_owned()));
    }
    paths.extend(imported.into_iter().map(|(_, whole)| whole));
    paths
}

/// The names that a tree of imports brings in, each with its whole path.
fn spread(prefix: &str, tree: &str, found: &mut Vec<(String, String)>) {
    let tree = tree.trim();
    if let Some((outer, inner)) = tree.split_once('{') {
        let prefix = format!("{prefix}{}", outer.trim());
        let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
        let (mut depth, mut from) = (0_usize, 0);
        for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    spread(&prefix, &inner[from..at], found);
                    from = at + 1;
                }
                _ => {}
            }
        }
    } else if !tree.is_empty() {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, tree.rsplit("::").next().unwrap_or_default()));
        let whole = format!("{prefix}{path}");
        let whole = whole.strip_suffix("::self").unwrap_or(&whole).to_owned();
        let name = if name == "self" { whole.rsplit("::").next().unwrap_or_default() } else { name };
        found.push((name.to_owned(), whole));
    }
}

#[test]
fn a_way_out_is_found_however_it_is_imported() {
    for code in [
        "use std::fs;\nfn f() { fs::read(x) }",
        "use std::{io, fs::{self, File}};",
        "fn f() { std::fs::read(x); }",
        "use std::fs as files;\nfn f() { files::read(x) }",
        "use std::{\n    path::Path,\n    fs::File,\n};",
    ] {
        assert!(named(code).iter().any(|path| path.starts_with("std::fs")), "{code}");
    }
    assert!(!named("// std::fs\nfn fs() {}").iter().any(|path| path.starts_with("std::fs")));
}

/// Shows the code of each file, without tests.
fn visit(dir: &Path, see: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, see);
        } else if path.extension().is_some_and(|ext| ext == "rs")
            && !path.ends_with("tests.rs")
            && !path.ends_with("hostile.rs")
        {
            see(&path, &without_tests(&fs::read_to_string(&path).unwrap()));
        }
    }
}
