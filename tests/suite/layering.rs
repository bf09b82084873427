//! The import table of `lib.rs`, enforced.

use std::{fs, path::Path};

/// A module and the modules it may name. A row may only point upwards, so there is no circle.
const LAYERS: &[(&str, &[&str])] = &[
    ("arn", &[]),
    ("host", &[]),
    ("place", &[]),
    ("settings", &["arn"]),
    ("sources", &["arn", "settings"]),
    ("deployment", &["settings"]),
    ("remote", &["arn", "settings"]),
    ("package", &["deployment", "place", "settings"]),
    ("config", &["sources", "arn", "settings", "deployment", "host", "package", "place", "remote"]),
    ("plan", &["sources", "arn", "settings", "deployment", "package", "place", "remote"]),
    ("policy", &["arn", "deployment", "plan", "settings"]),
    ("report", &["arn", "settings", "deployment", "host", "place", "package", "plan", "remote"]),
    ("apply", &["place", "plan", "report"]),
    ("aws", &["sources", "arn", "apply", "settings", "deployment", "package", "plan", "remote"]),
    ("cli", &["config", "place", "report"]),
    ("error", &["apply", "aws", "config", "package", "place", "plan", "report"]),
    (
        "run",
        &[
            "apply",
            "aws",
            "cli",
            "config",
            "error",
            "host",
            "deployment",
            "package",
            "place",
            "plan",
            "policy",
            "remote",
            "report",
            "settings",
        ],
    ),
];

/// A token of the outside world, and the only modules that may contain it.
const CONFINED: &[(&str, &[&str])] = &[
    ("aws_sdk_", &["aws"]),
    ("aws_config", &["aws"]),
    ("clap::", &["cli", "main"]),
    ("std::env", &["host"]),
    ("SystemTime", &["host"]),
    ("println!", &[]),
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
    visit(Path::new("src"), &mut |path, text| {
        let inside = path.strip_prefix("src").unwrap();
        let first = inside.iter().next().unwrap().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        if path.ends_with("tests.rs") {
            return;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for (token, homes) in CONFINED {
                if line.contains(token) && !homes.contains(&module) {
                    faults.push(format!("{}: `{token}` belongs in {homes:?}", path.display()));
                }
            }
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

fn visit(dir: &Path, see: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, see);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            see(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
