//! Which files, in which order: a list, no bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Metadata},
    io::{self, Read},
    path::{Component, MAIN_SEPARATOR, Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use globset::GlobSet;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use walkdir::{DirEntry, WalkDir};

use super::glob::{self, MOST_GLOBS, Stars};
use super::links::{self, Ends, Step};
use super::{Error, inspect, installed};
use crate::deployment::{Bring, Hidden, Links, Rules, Single};
use crate::files;

/// Names that are never packaged: version control, what interpreters and Finder leave behind.
const NEVER: &[&str] = &[".git", ".hg", ".svn", ".bzr", "CVS", "_darcs", ".jj", "__pycache__", ".DS_Store"];

/// The longest path that Linux takes, in bytes.
const LONGEST_NAME: usize = 4095;

/// How many links are followed, and how many names are looked at behind them: links to folders full of links could lead
/// to endlessly many.
const MOST_LINKS: usize = 10_000;
const MOST_BEHIND: usize = 100_000;

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

impl Selection {
    /// Moves everything into a folder of the archive; links between the entries stay what they are.
    pub(super) fn move_into(&mut self, folder: &str) {
        if !folder.is_empty() {
            self.entries.iter_mut().for_each(|entry| entry.name = format!("{folder}/{}", entry.name));
        }
    }
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

/// A single file goes to the root of the archive, under its base name or as what the runtime starts.
pub(super) fn single(source: &Path, called: &Single) -> Result<Selection, Error> {
    let unreadable = |error| Error::Unreadable(source.to_owned(), error);
    let metadata = fs::metadata(source).map_err(unreadable)?;
    let own = base_name(source)?;
    let name = match called {
        Single::Program { script } if is_program(&own, source, *script).map_err(unreadable)? => "bootstrap".to_owned(),
        Single::Called(name) => name.clone(),
        Single::Program { .. } | Single::Itself => own,
    };
    let entries = vec![Entry { name, source: source.to_owned(), kind: file(&metadata) }];
    Ok(Selection { entries, left_out: 0 })
}

/// Whether a file is something to start: a program for whatever system, and not a library; or a script.
fn is_program(name: &str, source: &Path, script: bool) -> io::Result<bool> {
    const LIBRARIES: [&str; 6] = ["so", "node", "dylib", "dll", "pyd", "a"];
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if LIBRARIES.contains(&extension) || name.contains(".so.") {
        return Ok(false);
    }
    let mut head = Vec::new();
    fs::File::open(source)?.take(2).read_to_end(&mut head)?;
    Ok(inspect::is_native(fs::File::open(source)?) || (script && head == b"#!"))
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
    let mut collector =
        Collector { rules, exclude, never, entries: BTreeMap::new(), left_out: 0, followed: 0, behind: 0 };

    if let Some(unmatched) = collector.walk(&root, "", &Include::new(&rules.include, "include", rules.hidden)?)? {
        return Err(Error::Unmatched(rules.include[unmatched].clone(), None));
    }
    for bring in &rules.bring {
        collector.bring(bring, base)?;
    }
    if collector.entries.is_empty() {
        return Err(Error::Empty(shown.to_owned(), collector.left_out));
    }
    collector.check_folders()?;
    collector.check_links()?;
    Ok(Selection { entries: collector.entries.into_values().collect(), left_out: collector.left_out })
}

fn real(shown: &Path, base: &Path, missing: impl Fn(PathBuf) -> Error) -> Result<PathBuf, Error> {
    fs::canonicalize(base.join(shown)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(shown.to_owned()),
        _ => Error::Unreadable(shown.to_owned(), error),
    })
}

/// Refuses what seems to lie in the checkout and is elsewhere by a link, unless links are to be followed.
pub(super) fn stays(shown: &Path, base: &Path, real: &Path, rules: &Rules, option: &'static str) -> Result<(), Error> {
    let seems = files::plain(&base.join(shown)).starts_with(&rules.checkout);
    if rules.links == Links::Follow || !seems || real.starts_with(&rules.checkout) {
        return Ok(());
    }
    Err(Error::Leaves { option, path: shown.to_owned(), real: real.to_owned() })
}

/// Collects entries from one folder after another.
struct Collector<'a> {
    rules: &'a Rules,
    exclude: Gitignore,
    never: BTreeSet<PathBuf>,
    entries: BTreeMap<String, Entry>,
    left_out: usize,
    /// How many links were followed.
    followed: usize,
    /// How many names were looked at behind them.
    behind: usize,
}

impl Collector<'_> {
    /// Takes what stands elsewhere.
    fn bring(&mut self, bring: &Bring, base: &Path) -> Result<(), Error> {
        let from = real(&bring.from, base, Error::NothingToBring)?;
        stays(&bring.from, base, &from, self.rules, "include")?;
        let unmatched = || Error::Unmatched(bring.glob.clone(), Some(bring.from.clone()));
        let prefix = if bring.to.is_empty() { String::new() } else { format!("{}/", bring.to) };
        let metadata = fs::metadata(&from).map_err(|error| Error::Unreadable(bring.from.clone(), error))?;
        if metadata.is_file() {
            // It was named, so no rule about names keeps it out.
            let name = format!("{prefix}{}", base_name(&bring.from)?);
            return self.add(Entry { name, source: from, kind: file(&metadata) });
        }
        // Only what is hidden in the package's own root stays out of it.
        let hidden = if prefix.is_empty() { self.rules.hidden } else { Hidden::Take };
        let include = Include::new(std::slice::from_ref(&bring.glob), "include", hidden)?;
        if self.walk(&from, &prefix, &include)?.is_some() { Err(unmatched()) } else { Ok(()) }
    }

    /// Takes the files below a root; their names in the archive begin with the prefix. Returns the index of the first
    /// glob that matched nothing.
    fn walk(&mut self, root: &Path, prefix: &str, include: &Include) -> Result<Option<usize>, Error> {
        let mut matched = vec![false; include.globs.len()];
        let walk = WalkDir::new(root).min_depth(1).follow_links(self.rules.links == Links::Follow);
        let mut walk = walk.into_iter();
        // The depths of the links that led to where the walk is.
        let mut behind: Vec<usize> = Vec::new();
        while let Some(found) = walk.next() {
            let depth = found.as_ref().map_or_else(walkdir::Error::depth, DirEntry::depth);
            behind.retain(|link| *link < depth);
            if self.rules.links == Links::Follow {
                let is_link = found.as_ref().is_ok_and(DirEntry::path_is_symlink);
                behind.extend(is_link.then_some(depth));
                self.followed += usize::from(is_link);
                self.behind += usize::from(!behind.is_empty());
                if self.followed > MOST_LINKS || self.behind > MOST_BEHIND {
                    return Err(Error::TooManyLinks { links: MOST_LINKS, names: MOST_BEHIND });
                }
            }
            let path = match &found {
                Ok(found) => found.path().to_owned(),
                Err(error) => error.path().unwrap_or(root).to_owned(),
            };
            // What stays out may be broken, or have a name that no archive can hold.
            let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace(MAIN_SEPARATOR, "/");
            let shown = format!("{prefix}{inside}");
            let is_dir = found.as_ref().map_or_else(|_| path.is_dir(), |found| found.file_type().is_dir());
            let by_rule = left_out_by_default(&shown, &inside, self.rules, include);
            let unwanted = if is_dir { !include.may_take_below(&inside) } else { !include.takes(&inside) };
            if by_rule || unwanted || self.is_never(&path) || self.excludes(&shown, is_dir, prefix) {
                self.left_out += usize::from(by_rule);
                if is_dir && found.is_ok() {
                    walk.skip_current_dir();
                }
                continue;
            }
            let found = found.map_err(|error| walk_error(root, error))?;
            let name = name_in(root, found.path())?;
            if is_dir {
                continue;
            }
            include.note(&name, &mut matched);
            let entry = Entry { kind: kind(root, &found)?, name: format!("{prefix}{name}"), source: found.into_path() };
            self.add(entry)?;
        }
        Ok(matched.iter().position(|matched| !matched))
    }

    fn add(&mut self, entry: Entry) -> Result<(), Error> {
        if entry.name.len() > LONGEST_NAME || entry.name.contains('\0') {
            return Err(Error::BadName(entry.name.chars().take(60).collect::<String>() + "…"));
        }
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

    /// Nothing can be both a file and a folder, nor lie below a link.
    fn check_folders(&self) -> Result<(), Error> {
        for name in self.entries.keys() {
            if let Some(inside) = self.first_below(name) {
                return Err(Error::Nested { name: name.clone(), inside: inside.to_owned() });
            }
        }
        Ok(())
    }

    /// The first entry in a folder of the archive, where there is such a folder.
    fn first_below(&self, folder: &str) -> Option<&str> {
        let below = format!("{folder}/");
        let (next, _) = self.entries.range(below.clone()..).next()?;
        next.starts_with(&below).then_some(next)
    }

    /// A link that can be followed here may lead nowhere in the archive, where something on its way was left out.
    fn check_links(&self) -> Result<(), Error> {
        for entry in self.entries.values() {
            if let Kind::Link { target } = &entry.kind
                && !self.leads_somewhere(&entry.name, target)
            {
                return Err(Error::Dangles { link: entry.source.clone(), target: target.into() });
            }
        }
        Ok(())
    }

    /// Follows a link as it will be when the archive is unpacked.
    fn leads_somewhere(&self, link: &str, target: &str) -> bool {
        let look = |name: &str| match self.entries.get(name).map(|entry| &entry.kind) {
            Some(Kind::Link { target }) => Step::Link(target.clone()),
            Some(Kind::File { .. }) => Step::File,
            None if self.first_below(name).is_some() => Step::Folder,
            None => Step::Nothing,
        };
        links::follow(link, target, look) == Ends::Somewhere
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
    let mut globs = 0;
    let path = root.join(IGNORE_FILE);
    let own = match fs::symlink_metadata(&path) {
        Ok(_) => files::text(&path).map_err(|error| Error::Ignored(path, error))?,
        Err(_) => String::new(),
    };
    let own = own.trim_start_matches('\u{feff}').lines().map(|line| ("zip", line.to_owned()));
    // What begins with `./` is anchored, as a path would be.
    let given = lines
        .iter()
        .map(|line| ("exclude", line.strip_prefix("./").map_or_else(|| line.clone(), |rest| format!("/{rest}"))));
    for (option, line) in own.chain(given) {
        // To git, a line that takes back nothing is none.
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

/// The globs of what goes in.
struct Include {
    globs: Vec<Glob>,
}

/// A glob, and one for each of its parts between slashes.
struct Glob {
    whole: GlobSet,
    parts: Vec<(String, GlobSet)>,
    hidden: Hidden,
}

impl Include {
    fn new(globs: &[String], option: &'static str, hidden: Hidden) -> Result<Self, Error> {
        let compile = |glob: &String| {
            let pattern = match glob.trim_start_matches("./").trim_end_matches('/') {
                "" | "." => "**",
                pattern => pattern,
            };
            let matcher = |pattern: &str| {
                let wrong = |reason| Error::Glob { option, glob: glob.clone(), reason };
                glob::compile(pattern, Stars::InNames).map_err(wrong)
            };
            // A slash in braces or in a class is none between parts; such a glob is tried on whole names alone.
            let whole = matcher(pattern)?;
            let parts = pattern.split('/').map(|part| Ok((part.to_owned(), matcher(part)?)));
            let parts: Result<Vec<_>, Error> = parts.collect();
            let parts = parts.unwrap_or_else(|_| vec![("**".to_owned(), whole.clone())]);
            Ok(Glob { whole, parts, hidden })
        };
        Ok(Self { globs: globs.iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// Whether a file goes in: a glob matches it or a folder above it.
    fn takes(&self, name: &str) -> bool {
        self.globs.is_empty() || self.globs.iter().any(|glob| glob.takes(name))
    }

    /// Notes which globs take a file.
    fn note(&self, name: &str, matched: &mut [bool]) {
        for (glob, matched) in self.globs.iter().zip(matched) {
            *matched = *matched || glob.takes(name);
        }
    }

    /// Whether anything in a folder may go in, so that it is worth a walk.
    fn may_take_below(&self, folder: &str) -> bool {
        self.globs.is_empty() || self.globs.iter().any(|glob| glob.may_take_below(folder))
    }

    /// Whether a glob spells the leading dot of this root name, and so asks for it.
    fn spells_dot(&self, name: &str) -> bool {
        self.globs.iter().any(|glob| glob.spells_dot(name))
    }
}

impl Glob {
    /// Whether it matches a file or a folder above it. What is hidden at the root must be spelled.
    fn takes(&self, name: &str) -> bool {
        let mut ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
        ends.any(|end| self.whole.is_match(&name[..end])) && self.reaches(name)
    }

    fn may_take_below(&self, folder: &str) -> bool {
        let mut parts = self.parts.iter();
        for name in folder.split('/') {
            match parts.next() {
                // It matched a folder above, or may match any depth.
                None => return self.reaches(folder),
                Some((part, _)) if part.contains("**") => return self.reaches(folder),
                Some((_, part)) if part.is_match(name) => {}
                Some(_) => return false,
            }
        }
        self.reaches(folder)
    }

    /// Whether it may go into the root folder of a name: what only another glob asked for is not for this one.
    fn reaches(&self, name: &str) -> bool {
        let first = name.split('/').next().unwrap_or_default();
        !first.starts_with('.') || self.hidden == Hidden::Take || self.spells_dot(first)
    }

    fn spells_dot(&self, root_name: &str) -> bool {
        self.parts.first().is_some_and(|(first, matcher)| first.starts_with('.') && matcher.is_match(root_name))
    }
}
