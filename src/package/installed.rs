//! What installers write beside the code they install: where it came from, when, and by which tool.
//!
//! No function reads it, and it differs between two installations of the same locked dependencies. So it stays out, and
//! the same dependencies give the same package, wherever and whenever they were installed.

use std::collections::BTreeSet;

/// Files of a Python distribution that `pip` and `uv` keep for themselves, beside its `METADATA`: PEP 610 for the first,
/// PEP 376 for the second and third.
const OF_DISTRIBUTIONS: &[&str] = &["direct_url.json", "INSTALLER", "REQUESTED", "uv_build.json", "uv_cache.json"];

/// What npm, pnpm and build tools keep for themselves in `node_modules`; the last is a folder.
const OF_NODE_MODULES: &[&str] = &[".modules.yaml", ".package-lock.json", ".yarn-integrity", ".cache"];

/// Whether a name is that of something that only an installer reads.
pub(super) fn is_for_installers(name: &str) -> bool {
    let Some((folder, base)) = name.rsplit_once('/') else { return name == ".yarn-integrity" };
    let parent = folder.rsplit('/').next().unwrap_or(folder);
    match parent {
        "node_modules" => OF_NODE_MODULES.contains(&base) || base.starts_with(".pnpm-workspace-state"),
        _ => parent.ends_with(".dist-info") && OF_DISTRIBUTIONS.contains(&base),
    }
}

/// Whether a name is that of the list of a distribution's files, which code reads through `importlib.metadata`.
pub(super) fn is_record(name: &str) -> bool {
    name.ends_with(".dist-info/RECORD")
}

/// The list of a distribution's files without those that are not in the package: a RECORD also names what Python compiled
/// and what stays out. `names` are those in the package, sorted.
///
/// One line a file: its path, relative to the folder that the distribution is in, its hash and its size, separated by
/// commas (PEP 376, PEP 627).
pub(super) fn record_of_present(record: &str, text: &str, names: &BTreeSet<&str>) -> String {
    let folder = record.rsplitn(3, '/').nth(2).map(|folder| format!("{folder}/")).unwrap_or_default();
    let is_present = |line: &&str| match path(line) {
        // Scripts are named as if they were installed beside the interpreter; they lie beside the distributions.
        Some(path) => names.contains(format!("{folder}{}", path.trim_start_matches("../")).as_str()),
        None => true,
    };
    text.split_inclusive('\n').filter(is_present).collect()
}

/// The path in a line; nothing where it is quoted, which a comma or quotation mark in it makes necessary.
fn path(line: &str) -> Option<&str> {
    line.split(',').next().filter(|path| !path.starts_with('"') && !path.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_installers_keep_for_themselves_is_told_by_name_and_place() {
        for (name, out) in [
            ("six-1.17.0.dist-info/INSTALLER", true),
            ("python/six-1.17.0.dist-info/direct_url.json", true),
            ("six-1.17.0.dist-info/METADATA", false),
            ("six-1.17.0.dist-info/entry_points.txt", false),
            ("six-1.17.0.dist-info/licenses/REQUESTED", false),
            ("INSTALLER", false),
            ("node_modules/.package-lock.json", true),
            ("app/node_modules/.pnpm-workspace-state-v1.json", true),
            ("node_modules/.cache", true),
            ("node_modules/x/.cache", false),
            ("node_modules/.bin", false),
            ("package-lock.json", false),
            (".yarn-integrity", true),
        ] {
            assert_eq!(is_for_installers(name), out, "{name}");
        }
    }

    #[test]
    fn a_record_names_what_is_there() {
        let record = "../../bin/six,sha256=a,1\nsix.py,sha256=b,2\n__pycache__/six.cpython-312.pyc,,\nsix-1.dist-info/INSTALLER,sha256=c,4\nsix-1.dist-info/RECORD,,\n\"a,b.py\",sha256=d,3\n";
        let names = BTreeSet::from(["lib/six.py", "lib/six-1.dist-info/RECORD", "lib/bin/six"]);
        let kept = "../../bin/six,sha256=a,1\nsix.py,sha256=b,2\nsix-1.dist-info/RECORD,,\n\"a,b.py\",sha256=d,3\n";
        assert_eq!(record_of_present("lib/six-1.dist-info/RECORD", record, &names), kept);
        let names = BTreeSet::from(["six.py"]);
        let root = record_of_present("six-1.dist-info/RECORD", "six.py,,\r\nx.py,,\r\n", &names);
        assert_eq!(root, "six.py,,\r\n");
    }
}
