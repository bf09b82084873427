//! Which files, in which order: a list, no bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, Metadata},
    io::Read,
    path::{Component, Path, PathBuf},
};

use globset::{GlobBuilder, GlobMatcher};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use walkdir::{DirEntry, WalkDir};

use super::{Error, Listed};
use crate::deployment::{Hidden, Links, Rules};

/// Names that are never packaged: version control, what interpreters and Finder leave behind.
const NEVER: &[&str] = &[".git", ".hg", ".svn", ".bzr", "CVS", "_darcs", ".jj", "__pycache__", ".DS_Store"];

/// gitignore lines of the package itself, at its root.
const IGNORE_FILE: &str = ".lambdaignore";

/// What goes into an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Sorted by name, bytewise, each name once.
    pub entries: Vec<Entry>,
    /// How many names a rule that the user did not write left out. A folder counts once.
    pub left_out: usize,
}

/// One entry of an archive to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path in the archive, with `/` between its parts.
    pub name: String,
    /// The file to read.
    pub source: PathBuf,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A file: its size in bytes, and whether it may be executed.
    File {
        /// Bytes.
        size: u64,
        /// Whether its mode is 0755.
        executable: bool,
    },
    /// A link: the path it holds.
    Link {
        /// Relative, with `/` between its parts.
        target: String,
    },
}

impl Entry {
    /// The Unix mode with its type bits: the only three there are.
    pub fn mode(&self) -> u32 {
        match self.kind {
            Kind::File { executable: false, .. } => 0o100_644,
            Kind::File { executable: true, .. } => 0o100_755,
            Kind::Link { .. } => 0o120_777,
        }
    }

    /// The entry as it will be listed.
    pub fn listed(&self) -> Listed {
        let size = match &self.kind {
            Kind::File { size, .. } => *size,
            Kind::Link { target } => target.len() as u64,
        };
        Listed { name: self.name.clone(), mode: self.mode(), size }
    }
}

/// A single file goes to the root of the archive, under its base name.
pub(super) fn single(source: &Path) -> Result<Selection, Error> {
    let name = source.file_name().and_then(|name| name.to_str()).ok_or_else(|| Error::Name(source.to_owned()))?;
    let metadata = fs::metadata(source).map_err(|error| Error::Unreadable(source.to_owned(), error))?;
    let entries =
        vec![Entry { name: name.to_owned(), source: source.to_owned(), kind: file(name, source, &metadata)? }];
    Ok(Selection { entries, left_out: 0 })
}

/// The files of a directory that the rules let in.
pub(super) fn directory(shown: &Path, root: &Path, rules: &Rules) -> Result<Selection, Error> {
    let root = fs::canonicalize(root).map_err(|error| Error::Unreadable(shown.to_owned(), error))?;
    let include = Include::new(&rules.include)?;
    let exclude = exclude(&root, &rules.exclude)?;
    let never: BTreeSet<_> = rules.never.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();

    let mut entries = BTreeMap::new();
    let mut matched = vec![false; include.globs.len()];
    let mut left_out = 0;
    let walk = WalkDir::new(&root).min_depth(1).follow_links(rules.links == Links::Follow);
    let mut walk = walk.into_iter();
    while let Some(found) = walk.next() {
        let path = match &found {
            Ok(found) => found.path().to_owned(),
            Err(error) => error.path().unwrap_or(&root).to_owned(),
        };
        // What stays out may be broken, or have a name that no archive can hold.
        let shown_name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
        let is_dir = found.as_ref().is_ok_and(|found| found.file_type().is_dir());
        let by_rule = left_out_by_default(&shown_name, rules, &include);
        let unwanted =
            never.contains(&path) || (found.is_ok() && fs::canonicalize(&path).is_ok_and(|real| never.contains(&real)));
        if by_rule || unwanted || exclude.matched(&shown_name, is_dir).is_ignore() {
            left_out += usize::from(by_rule);
            if is_dir {
                walk.skip_current_dir();
            }
            continue;
        }
        let found = found.map_err(|error| walk_error(&root, error))?;
        let name = name_in(&root, found.path())?;
        if is_dir || !include.takes(&name, &mut matched) {
            continue;
        }
        let kind = kind(&root, &found, &name)?;
        entries.insert(name.clone(), Entry { name, source: found.into_path(), kind });
    }

    if let Some(unmatched) = matched.iter().position(|matched| !matched) {
        return Err(Error::Unmatched(rules.include[unmatched].clone()));
    }
    if entries.is_empty() {
        return Err(Error::Empty(shown.to_owned(), left_out));
    }
    check_links(&root, &entries)?;
    Ok(Selection { entries: entries.into_values().collect(), left_out })
}

/// The rules that the user did not write.
fn left_out_by_default(name: &str, rules: &Rules, include: &Include) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    let hidden_at_root = base.starts_with('.') && base == name;
    NEVER.contains(&base)
        || name == IGNORE_FILE
        || (hidden_at_root && rules.hidden == Hidden::Skip && !include.spells_dot(name))
}

/// The path below the root, with `/` between its parts.
fn name_in(root: &Path, path: &Path) -> Result<String, Error> {
    let parts: Option<Vec<_>> = path
        .strip_prefix(root)
        .ok()
        .into_iter()
        .flat_map(Path::components)
        .map(|part| part.as_os_str().to_str())
        .collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| Error::Name(path.to_owned()))
}

fn walk_error(root: &Path, error: walkdir::Error) -> Error {
    let path = error.path().unwrap_or(root).to_owned();
    if error.loop_ancestor().is_some() {
        return Error::Cycle(path);
    }
    // A link that is followed to nothing is reported as an unreadable file.
    if let Ok(target) = fs::read_link(&path) {
        return Error::Dangles { link: path, target };
    }
    Error::Unreadable(path, error.into())
}

fn kind(root: &Path, found: &DirEntry, name: &str) -> Result<Kind, Error> {
    let path = found.path();
    if found.path_is_symlink() && found.file_type().is_symlink() {
        return link(root, path);
    }
    if !found.file_type().is_file() {
        return Err(Error::Special(path.to_owned()));
    }
    let metadata = found.metadata().map_err(|error| walk_error(root, error))?;
    file(name, path, &metadata)
}

/// A link is kept as it is written, unless its way leads out of the package: then it is rewritten to the same file,
/// so that it means the same wherever the archive is unpacked.
fn link(root: &Path, path: &Path) -> Result<Kind, Error> {
    let target = fs::read_link(path).map_err(|error| Error::Unreadable(path.to_owned(), error))?;
    let folder = path.parent().unwrap_or(root);
    let Ok(real) = fs::canonicalize(path) else {
        return Err(Error::Dangles { link: path.to_owned(), target });
    };
    if !real.starts_with(root) {
        return Err(Error::Escapes { link: path.to_owned(), target });
    }
    let depth = folder.strip_prefix(root).map_or(0, |inside| inside.components().count());
    let kept = if stays_inside(depth, &target) { target.clone() } else { way(folder, &real) };
    let parts: Option<Vec<_>> = kept.components().map(|part| part.as_os_str().to_str()).collect();
    let target = parts.ok_or(Error::Name(target))?.join("/");
    Ok(Kind::Link { target: if target.is_empty() { ".".to_owned() } else { target } })
}

/// Whether a relative path that begins so many folders deep never climbs above the root.
fn stays_inside(depth: usize, target: &Path) -> bool {
    let step = |depth: Option<usize>, part: Component<'_>| match part {
        Component::ParentDir => depth?.checked_sub(1),
        Component::Normal(_) => Some(depth? + 1),
        Component::CurDir => depth,
        Component::RootDir | Component::Prefix(_) => None,
    };
    target.components().fold(Some(depth), step).is_some()
}

/// The relative path from a folder to a file; both are absolute and without links.
fn way(folder: &Path, to: &Path) -> PathBuf {
    let (from, to): (Vec<_>, Vec<_>) = (folder.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[shared..].iter().map(|_| Component::ParentDir);
    up.chain(to[shared..].iter().copied()).collect()
}

/// A link whose target exists but was left out would dangle where the archive is unpacked.
fn check_links(root: &Path, entries: &BTreeMap<String, Entry>) -> Result<(), Error> {
    for entry in entries.values() {
        let Kind::Link { target } = &entry.kind else { continue };
        let dangles = || Error::Dangles { link: entry.source.clone(), target: target.into() };
        let real = fs::canonicalize(&entry.source).map_err(|_| dangles())?;
        let name = name_in(root, &real)?;
        let below = format!("{name}/");
        let inside = |(next, _): (&String, &Entry)| next.starts_with(&below);
        let there = entries.contains_key(&name) || entries.range(below.clone()..).next().is_some_and(inside);
        if !there && !name.is_empty() {
            return Err(dangles());
        }
    }
    Ok(())
}

/// A file is executable when it has an execute bit, is ELF or a script, is the root `bootstrap`, or is an extension.
fn file(name: &str, path: &Path, metadata: &Metadata) -> Result<Kind, Error> {
    let unreadable = |error| Error::Unreadable(path.to_owned(), error);
    let mut head = Vec::with_capacity(4);
    File::open(path).and_then(|file| file.take(4).read_to_end(&mut head)).map_err(unreadable)?;
    let executable = has_execute_bit(metadata)
        || head == b"\x7fELF"
        || head.starts_with(b"#!")
        || name == "bootstrap"
        || name.starts_with("extensions/");
    Ok(Kind::File { size: metadata.len(), executable })
}

#[cfg(unix)]
fn has_execute_bit(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn has_execute_bit(_: &Metadata) -> bool {
    false
}

/// What `exclude` and the package's own ignore file keep out, by git's rules.
fn exclude(root: &Path, lines: &[String]) -> Result<Gitignore, Error> {
    let mut builder = GitignoreBuilder::new(root);
    let path = root.join(IGNORE_FILE);
    if path.is_file()
        && let Some(error) = builder.add(&path)
    {
        return Err(Error::Glob { option: "zip", glob: path.display().to_string(), reason: error.to_string() });
    }
    for line in lines {
        builder
            .add_line(None, line.strip_prefix("./").map_or(line.clone(), |rest| format!("/{rest}")).as_str())
            .map_err(|error| Error::Glob { option: "exclude", glob: line.clone(), reason: error.to_string() })?;
    }
    builder.build().map_err(|error| Error::Glob {
        option: "exclude",
        glob: lines.join("\n"),
        reason: error.to_string(),
    })
}

/// The globs of what goes in.
struct Include {
    globs: Vec<(String, GlobMatcher)>,
}

impl Include {
    fn new(globs: &[String]) -> Result<Self, Error> {
        let compile = |glob: &String| {
            let pattern = match glob.trim_start_matches("./").trim_end_matches('/') {
                "" | "." => "**",
                pattern => pattern,
            };
            let matcher = GlobBuilder::new(pattern).literal_separator(true).build();
            let matcher = matcher.map_err(|error| Error::Glob {
                option: "include",
                glob: glob.clone(),
                reason: error.kind().to_string(),
            })?;
            Ok((pattern.to_owned(), matcher.compile_matcher()))
        };
        Ok(Self { globs: globs.iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// Whether a file goes in: a glob matches it or a folder above it. Notes which globs did.
    fn takes(&self, name: &str, matched: &mut [bool]) -> bool {
        let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
        let paths: Vec<_> = ends.map(|end| &name[..end]).collect();
        let mut taken = self.globs.is_empty();
        for ((_, glob), matched) in self.globs.iter().zip(matched) {
            if paths.iter().any(|path| glob.is_match(path)) {
                *matched = true;
                taken = true;
            }
        }
        taken
    }

    /// Whether a glob spells the leading dot of this root name, and so asks for it.
    fn spells_dot(&self, name: &str) -> bool {
        self.globs.iter().any(|(pattern, _)| {
            let first = pattern.split('/').next().unwrap_or_default();
            let glob = GlobBuilder::new(first).literal_separator(true).build();
            first.starts_with('.') && glob.is_ok_and(|glob| glob.compile_matcher().is_match(name))
        })
    }
}
