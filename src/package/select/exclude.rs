//! Files that stay out of a package: by the user's lines, and by the rules that always hold.

use std::fs;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::super::glob::{self, MOST_GLOBS};
use super::super::{Error, installed};
use super::include::Include;
use crate::deployment::{Hidden, Rules};
use crate::files;

/// Names that are never packaged: version control, caches of interpreters, and files of Finder.
const NEVER: &[&str] = &[".git", ".hg", ".svn", ".bzr", "CVS", "_darcs", ".jj", "__pycache__", ".DS_Store"];

/// The package's own lines, at its root, in the form of `.gitignore`.
const IGNORE_FILE: &str = ".lambdaignore";

/// The lines of `exclude` and of the package's own ignore file, with git's rules.
pub(super) fn exclude(root: &Path, lines: &[String]) -> Result<Gitignore, Error> {
    let mut builder = GitignoreBuilder::new(root);
    let mut globs = 0;
    let path = root.join(IGNORE_FILE);
    let own = match fs::symlink_metadata(&path) {
        Ok(_) => files::text(&path).map_err(|error| Error::Ignored(path, error))?,
        Err(_) => String::new(),
    };
    let own = own.trim_start_matches('\u{feff}').lines().map(|line| ("zip", line.to_owned()));
    // A leading `./` anchors a line, as it does for a path.
    let given = lines
        .iter()
        .map(|line| ("exclude", line.strip_prefix("./").map_or_else(|| line.clone(), |rest| format!("/{rest}"))));
    for (option, line) in own.chain(given) {
        // Git ignores a `!` without a pattern.
        if line.trim_start_matches('!').trim().is_empty() {
            continue;
        }
        let wrong = |reason: String| Error::Glob { option, glob: line.clone(), reason };
        globs += usize::from(!line.starts_with('#'));
        if globs > MOST_GLOBS {
            return Err(wrong(format!("`exclude` and `{IGNORE_FILE}` have at most {MOST_GLOBS} lines together")));
        }
        glob::check(&line).map_err(wrong)?;
        builder.add_line(None, &line).map_err(|error| wrong(error.to_string()))?;
    }
    builder.build().map_err(|error| Error::Glob {
        option: "exclude",
        glob: lines.join("\n"),
        reason: error.to_string(),
    })
}

/// Whether a default rule leaves a file out. `name` is its path in the archive, `inside` its path below the root of the
/// walk.
pub(super) fn left_out_by_default(name: &str, inside: &str, rules: &Rules, include: &Include) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    let hidden_at_root = base.starts_with('.') && base == name;
    NEVER.contains(&base)
        || name == IGNORE_FILE
        || installed::is_for_installers(name)
        || (hidden_at_root && rules.hidden == Hidden::Skip && !include.spells_dot(inside))
}
