//! Files that installers write beside the code: its origin, the time and the tool of the installation.
//!
//! No function reads these files, and they differ between two installations of the same locked dependencies. They stay
//! out, so the same dependencies give the same package on every machine and at any time.

use std::collections::BTreeSet;

/// Files of a Python distribution that only `pip` and `uv` read. They are beside `METADATA`. PEP 610 defines the first,
/// PEP 376 the second and third.
const OF_DISTRIBUTIONS: &[&str] = &["direct_url.json", "INSTALLER", "REQUESTED", "uv_build.json", "uv_cache.json"];

/// Entries of `node_modules` that only npm, pnpm and build tools read. The last is a folder.
const OF_NODE_MODULES: &[&str] = &[".modules.yaml", ".package-lock.json", ".yarn-integrity", ".cache"];

/// Whether only an installer reads the file or folder of this name.
pub(super) fn is_for_installers(name: &str) -> bool {
    let Some((folder, base)) = name.rsplit_once('/') else { return name == ".yarn-integrity" };
    let parent = folder.rsplit('/').next().unwrap_or(folder);
    match parent {
        "node_modules" => OF_NODE_MODULES.contains(&base) || base.starts_with(".pnpm-workspace-state"),
        _ => parent.ends_with(".dist-info") && OF_DISTRIBUTIONS.contains(&base),
    }
}

/// Whether a name is that of a Python distribution's file list, which code can read with `importlib.metadata`.
pub(super) fn is_record(name: &str) -> bool {
    name.ends_with(".dist-info/RECORD")
}

/// Removes from a distribution's file list (`RECORD`) the files that are not in the package, such as compiled Python files.
///
/// `record` is the name of the list, `text` its contents, `names` are all names in the package. A line has a path, relative
/// to the folder of the distribution, a hash and a size, separated by commas (PEP 376, PEP 627).
pub(super) fn record_of_present(record: &str, text: &str, names: &BTreeSet<&str>) -> String {
    let folder = record.rsplitn(3, '/').nth(2).map(|folder| format!("{folder}/")).unwrap_or_default();
    let is_present = |line: &&str| match path(line) {
        // The list has scripts in `../../bin`, but `pip install --target` puts `bin` beside the distributions.
        Some(path) => names.contains(format!("{folder}{}", path.trim_start_matches("../")).as_str()),
        None => true,
    };
    text.split_inclusive('\n').filter(is_present).collect()
}

/// The path in a line; `None` for a quoted path, which has a comma or a quotation mark in it.
fn path(line: &str) -> Option<&str> {
    line.split(',').next().filter(|path| !path.starts_with('"') && !path.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_installers_are_recognised_by_name_and_folder() {
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
    fn a_record_names_only_files_of_the_package() {
        let record = "../../bin/six,sha256=a,1\nsix.py,sha256=b,2\n__pycache__/six.cpython-312.pyc,,\nsix-1.dist-info/INSTALLER,sha256=c,4\nsix-1.dist-info/RECORD,,\n\"a,b.py\",sha256=d,3\n";
        let names = BTreeSet::from(["lib/six.py", "lib/six-1.dist-info/RECORD", "lib/bin/six"]);
        let kept = "../../bin/six,sha256=a,1\nsix.py,sha256=b,2\nsix-1.dist-info/RECORD,,\n\"a,b.py\",sha256=d,3\n";
        assert_eq!(record_of_present("lib/six-1.dist-info/RECORD", record, &names), kept);
        let names = BTreeSet::from(["six.py"]);
        let root = record_of_present("six-1.dist-info/RECORD", "six.py,,\r\nx.py,,\r\n", &names);
        assert_eq!(root, "six.py,,\r\n");
    }
}
