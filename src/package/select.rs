//! Which files, in which order: a list, no bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Metadata},
    io,
    path::{Component, MAIN_SEPARATOR, Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use globset::{GlobBuilder, GlobMatcher};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use walkdir::{DirEntry, WalkDir};

use super::{Error, installed};
use crate::deployment::{Bring, Hidden, Links, Rules};

/// Names that are never packaged: version control, what interpreters and Finder leave behind.
const NEVER: &[&str] = &[".git", ".hg", ".svn", ".bzr", "CVS", "_darcs", ".jj", "__pycache__", ".DS_Store"];

/// gitignore lines of the package itself, at its root.
const IGNORE_FILE: &str = ".lambdaignore";

/// What goes into an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    /// Sorted by name, bytewise, each name once.
    pub(super) entries: Vec<Entry>,
    /// How many names a rule that the user did not write left out. A folder counts once.
    pub(super) left_out: usize,
}

/// One entry of an archive to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The path in the archive, with `/` between its parts.
    pub(super) name: String,
    /// The file to read.
    pub(super) source: PathBuf,
    /// What it is.
    pub(super) kind: Kind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file.
    File {
        /// Bytes.
        size: u64,
        /// When it was last written, since 1970; absent where the file system does not tell.
        modified: Option<Duration>,
        /// Whether anybody may execute it.
        executable: bool,
    },
    /// A link: the path it holds, relative, with `/` between its parts.
    Link { target: String },
}

impl Entry {
    /// Bytes when unpacked.
    pub(super) fn size(&self) -> u64 {
        match &self.kind {
            Kind::File { size, .. } => *size,
            Kind::Link { target } => target.len() as u64,
        }
    }
}

/// A single file goes to the root of the archive, under its base name.
pub(super) fn single(source: &Path) -> Result<Selection, Error> {
    let metadata = fs::metadata(source).map_err(|error| Error::Unreadable(source.to_owned(), error))?;
    let entries = vec![Entry { name: base_name(source)?, source: source.to_owned(), kind: file(&metadata) }];
    Ok(Selection { entries, left_out: 0 })
}

fn base_name(path: &Path) -> Result<String, Error> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| Error::Name(path.to_owned()))
}

/// The files of a directory that the rules let in, and those that are brought from elsewhere.
///
/// `shown` is the directory as the user wrote it, `base` where relative paths begin.
pub(super) fn directory(shown: &Path, base: &Path, rules: &Rules) -> Result<Selection, Error> {
    let root = real(shown, base, Error::Missing)?;
    let exclude = exclude(&root, &rules.exclude)?;
    let never = rules.never.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    let mut collector = Collector { rules, exclude, never, entries: BTreeMap::new(), left_out: 0 };

    if let Some(unmatched) = collector.walk(&root, "", &Include::new(&rules.include, "include")?)? {
        return Err(Error::Unmatched(rules.include[unmatched].clone()));
    }
    for bring in &rules.bring {
        collector.bring(bring, base)?;
    }
    if collector.entries.is_empty() {
        return Err(Error::Empty(shown.to_owned(), collector.left_out));
    }
    Ok(Selection { entries: collector.entries.into_values().collect(), left_out: collector.left_out })
}

fn real(shown: &Path, base: &Path, missing: impl Fn(PathBuf) -> Error) -> Result<PathBuf, Error> {
    fs::canonicalize(base.join(shown)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(shown.to_owned()),
        _ => Error::Unreadable(shown.to_owned(), error),
    })
}

/// Collects entries from one folder after another.
struct Collector<'a> {
    rules: &'a Rules,
    exclude: Gitignore,
    never: BTreeSet<PathBuf>,
    entries: BTreeMap<String, Entry>,
    left_out: usize,
}

impl Collector<'_> {
    /// Takes what stands elsewhere.
    fn bring(&mut self, bring: &Bring, base: &Path) -> Result<(), Error> {
        let from = real(&bring.from, base, Error::NothingToBring)?;
        let unmatched = || Error::Unmatched(format!("{} from {}", bring.glob, bring.from.display()));
        let prefix = if bring.to.is_empty() { String::new() } else { format!("{}/", bring.to) };
        let metadata = fs::metadata(&from).map_err(|error| Error::Unreadable(bring.from.clone(), error))?;
        if metadata.is_file() {
            // It was named, so no rule about names keeps it out.
            let name = format!("{prefix}{}", base_name(&bring.from)?);
            return self.add(Entry { name, source: from, kind: file(&metadata) });
        }
        let include = Include::new(std::slice::from_ref(&bring.glob), "include")?;
        if self.walk(&from, &prefix, &include)?.is_some() { Err(unmatched()) } else { Ok(()) }
    }

    /// Takes the files below a root; their names in the archive begin with the prefix. Returns the index of the first
    /// glob that matched nothing.
    fn walk(&mut self, root: &Path, prefix: &str, include: &Include) -> Result<Option<usize>, Error> {
        let mut matched = vec![false; include.globs.len()];
        let mut links = Vec::new();
        let walk = WalkDir::new(root).min_depth(1).follow_links(self.rules.links == Links::Follow);
        let mut walk = walk.into_iter();
        while let Some(found) = walk.next() {
            let path = match &found {
                Ok(found) => found.path().to_owned(),
                Err(error) => error.path().unwrap_or(root).to_owned(),
            };
            // What stays out may be broken, or have a name that no archive can hold.
            let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
            let shown = format!("{prefix}{}", inside.replace(MAIN_SEPARATOR, "/"));
            let is_dir = found.as_ref().is_ok_and(|found| found.file_type().is_dir());
            let by_rule = left_out_by_default(&shown, &inside, self.rules, include);
            if by_rule || self.is_never(&path) || self.excludes(&shown, is_dir, prefix) {
                self.left_out += usize::from(by_rule);
                if is_dir {
                    walk.skip_current_dir();
                }
                continue;
            }
            let found = found.map_err(|error| walk_error(root, error))?;
            let name = name_in(root, found.path())?;
            if is_dir || !include.takes(&name, &mut matched) {
                continue;
            }
            let entry = Entry { kind: kind(root, &found)?, name: format!("{prefix}{name}"), source: found.into_path() };
            if let Kind::Link { .. } = entry.kind {
                links.push(entry.clone());
            }
            self.add(entry)?;
        }
        self.check_links(root, prefix, &links)?;
        Ok(matched.iter().position(|matched| !matched))
    }

    fn add(&mut self, entry: Entry) -> Result<(), Error> {
        match self.entries.insert(entry.name.clone(), entry) {
            Some(other) if self.entries[&other.name].source != other.source => {
                let second = self.entries[&other.name].source.clone();
                Err(Error::Twice { name: other.name, first: other.source, second })
            }
            _ => Ok(()),
        }
    }

    /// What is brought may lie below an excluded folder that nobody walks through.
    fn excludes(&self, name: &str, is_dir: bool, prefix: &str) -> bool {
        let found = if prefix.is_empty() {
            self.exclude.matched(name, is_dir)
        } else {
            self.exclude.matched_path_or_any_parents(name, is_dir)
        };
        found.is_ignore()
    }

    /// Whether it is a file that must never go in, under whatever name it is found.
    fn is_never(&self, path: &Path) -> bool {
        let same_name = |never: &PathBuf| never.file_name() == path.file_name();
        self.never.contains(path)
            || (self.never.iter().any(same_name) && fs::canonicalize(path).is_ok_and(|real| self.never.contains(&real)))
    }

    /// A link whose target exists but was left out would dangle where the archive is unpacked.
    fn check_links(&self, root: &Path, prefix: &str, links: &[Entry]) -> Result<(), Error> {
        for entry in links {
            let Kind::Link { target } = &entry.kind else { continue };
            let dangles = || Error::Dangles { link: entry.source.clone(), target: target.into() };
            let real = fs::canonicalize(&entry.source).map_err(|_| dangles())?;
            let inside = name_in(root, &real)?;
            let name = format!("{prefix}{inside}");
            let below = format!("{name}/");
            let is_below = |(next, _): (&String, &Entry)| next.starts_with(&below);
            let there =
                self.entries.contains_key(&name) || self.entries.range(below.clone()..).next().is_some_and(is_below);
            if !there && !inside.is_empty() {
                return Err(dangles());
            }
        }
        Ok(())
    }
}

/// The rules that the user did not write. `name` is the path in the archive, `inside` the one below the walk's root.
fn left_out_by_default(name: &str, inside: &str, rules: &Rules, include: &Include) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    let hidden_at_root = base.starts_with('.') && base == name;
    NEVER.contains(&base)
        || name == IGNORE_FILE
        || installed::is_for_installers(name)
        || (hidden_at_root && rules.hidden == Hidden::Skip && !include.spells_dot(inside))
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

fn kind(root: &Path, found: &DirEntry) -> Result<Kind, Error> {
    let path = found.path();
    if found.path_is_symlink() && found.file_type().is_symlink() {
        return link(root, path);
    }
    if !found.file_type().is_file() {
        return Err(Error::Special(path.to_owned()));
    }
    found.metadata().map(|metadata| file(&metadata)).map_err(|error| walk_error(root, error))
}

fn file(metadata: &Metadata) -> Kind {
    Kind::File { size: metadata.len(), modified: modified(metadata), executable: has_execute_bit(metadata) }
}

/// When a file was last written, since 1970.
pub(super) fn modified(metadata: &Metadata) -> Option<Duration> {
    metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()
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
    fn new(globs: &[String], option: &'static str) -> Result<Self, Error> {
        let compile = |glob: &String| {
            let pattern = match glob.trim_start_matches("./").trim_end_matches('/') {
                "" | "." => "**",
                pattern => pattern,
            };
            let matcher = GlobBuilder::new(pattern).literal_separator(true).build();
            let matcher = matcher.map_err(|error| Error::Glob {
                option,
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
