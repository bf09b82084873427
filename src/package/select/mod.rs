//! Lists the files of a package in their order. Reads no contents.

mod entry;
mod exclude;
mod include;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read},
    path::{MAIN_SEPARATOR, Path, PathBuf},
};

use ignore::gitignore::Gitignore;
use walkdir::{DirEntry, WalkDir};

use super::links::{self, Ends, Places, Step};
use super::{Error, inspect};
use crate::deployment::{Hidden, IncludeFrom, Links, Rules, Single};
use crate::files;
use entry::{base_name, file, kind, name_in, walk_error};
use exclude::{exclude, left_out_by_default};
use include::Include;

pub(super) use entry::{Entry, Kind, modified};

/// The longest path on Linux, in bytes.
const LONGEST_NAME: usize = 4095;

/// The most links that are followed. Links to folders full of links could lead on without end.
const MOST_LINKS: usize = 10_000;

/// The most names behind links.
const MOST_BEHIND: usize = 100_000;

/// The contents of an archive, before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    /// The entries, sorted by the bytes of their names; each name once.
    pub(super) entries: Vec<Entry>,
    /// The names that default rules left out. A folder ends in `/` and stands for all that is in it.
    pub(super) left_out: Vec<String>,
}

impl Selection {
    /// Moves all entries into a folder of the archive. Links between them stay valid.
    pub(super) fn move_into(&mut self, folder: &str) {
        if !folder.is_empty() {
            self.entries.iter_mut().for_each(|entry| entry.name = format!("{folder}/{}", entry.name));
        }
    }
}

/// Packs a single file. It gets its own name, or the one that the runtime starts.
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
    Ok(Selection { entries, left_out: Vec::new() })
}

/// Whether a file can be started: a program for any system, or a script; not a library.
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

/// Lists the files of a directory, and the files that `include` adds from other places.
///
/// `shown` is the directory as the user wrote it. `base` is the folder that relative paths start from.
pub(super) fn directory(shown: &Path, base: &Path, rules: &Rules) -> Result<Selection, Error> {
    let root = real(shown, base, Error::Missing)?;
    let exclude = exclude(&root, &rules.exclude)?;
    let never = rules.never.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    let mut collector =
        Collector { rules, exclude, never, entries: BTreeMap::new(), left_out: Vec::new(), followed: 0, behind: 0 };

    if let Some(unmatched) = collector.walk(&root, "", &Include::new(&rules.include, "include", rules.hidden)?)? {
        return Err(Error::Unmatched(rules.include[unmatched].clone(), None));
    }
    for from in &rules.include_from {
        collector.include_from(from, base)?;
    }
    if collector.entries.is_empty() {
        return Err(Error::Empty(shown.to_owned(), collector.left_out.len()));
    }
    collector.check_folders()?;
    collector.check_links()?;
    // Names that the package may need come first.
    collector.left_out.sort_by_cached_key(|name| (inspect::is_usual(name), name.clone()));
    Ok(Selection { entries: collector.entries.into_values().collect(), left_out: collector.left_out })
}

fn real(shown: &Path, base: &Path, missing: impl Fn(PathBuf) -> Error) -> Result<PathBuf, Error> {
    fs::canonicalize(base.join(shown)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(shown.to_owned()),
        _ => Error::Unreadable(shown.to_owned(), error),
    })
}

/// Refuses a path in the checkout that leads out of it by a link, unless links are to be followed.
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
    left_out: Vec<String>,
    /// The number of links that were followed.
    followed: usize,
    /// The number of names behind them.
    behind: usize,
}

impl Collector<'_> {
    /// Adds files from another place.
    fn include_from(&mut self, include: &IncludeFrom, base: &Path) -> Result<(), Error> {
        let from = real(&include.from, base, Error::NoSource)?;
        stays(&include.from, base, &from, self.rules, "include")?;
        let unmatched = || Error::Unmatched(include.glob.clone(), Some(include.from.clone()));
        let prefix = if include.to.is_empty() { String::new() } else { format!("{}/", include.to) };
        let metadata = fs::metadata(&from).map_err(|error| Error::Unreadable(include.from.clone(), error))?;
        if metadata.is_file() {
            // The user named it, so no rule about names applies.
            let name = format!("{prefix}{}", base_name(&include.from)?);
            return self.add(Entry { name, source: from, kind: file(&metadata) });
        }
        // Hidden names are left out at the root of the package only.
        let hidden = if prefix.is_empty() { self.rules.hidden } else { Hidden::Take };
        let include = Include::new(std::slice::from_ref(&include.glob), "include", hidden)?;
        if self.walk(&from, &prefix, &include)?.is_some() { Err(unmatched()) } else { Ok(()) }
    }

    /// Adds the files below a root, with `prefix` before their names. Returns the index of the first glob that matched
    /// nothing.
    fn walk(&mut self, root: &Path, prefix: &str, include: &Include) -> Result<Option<usize>, Error> {
        let mut matched = vec![false; include.globs.len()];
        let walk = WalkDir::new(root).min_depth(1).follow_links(self.rules.links == Links::Follow);
        let mut walk = walk.into_iter();
        // The depths of the links above the current name.
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
            // A file that stays out may be broken, or have a name that no archive can hold.
            let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace(MAIN_SEPARATOR, "/");
            let shown = format!("{prefix}{inside}");
            let is_dir = found.as_ref().map_or_else(|_| path.is_dir(), |found| found.file_type().is_dir());
            let by_rule = left_out_by_default(&shown, &inside, self.rules, include);
            let unwanted = if is_dir { !include.may_take_below(&inside) } else { !include.takes(&inside) };
            if by_rule || unwanted || self.is_never(&path) || self.excludes(&shown, is_dir, prefix) {
                if by_rule {
                    self.left_out.push(if is_dir { shown + "/" } else { shown });
                }
                if is_dir && found.is_ok() {
                    walk.skip_current_dir();
                }
                continue;
            }
            if let Some(target) = self.in_lambda(root, &path, &shown) {
                include.note(&inside, &mut matched);
                self.add(Entry { kind: Kind::Link { target }, name: shown, source: path })?;
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

    /// The target of a link that leads to a folder of Lambda, and not to a file of the checkout or beside the package.
    fn in_lambda(&self, root: &Path, path: &Path, name: &str) -> Option<String> {
        let target = fs::read_link(path).ok()?;
        let text = target.to_str()?.replace(MAIN_SEPARATOR, "/");
        let checkout = Some(&self.rules.checkout).filter(|checkout| checkout.is_absolute());
        let own = |path: &Path| path.starts_with(root) || checkout.is_some_and(|checkout| path.starts_with(checkout));
        let beside = fs::canonicalize(path).is_ok_and(|real| target.is_relative() || own(&real));
        (!beside && !own(&target) && self.places().has(name, &text)).then_some(text)
    }

    /// The folders that the package can see on Lambda.
    fn places(&self) -> Places<'_> {
        Places { mounts: &self.rules.mounts }
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

    /// Whether `exclude` matches. The walk of another root starts below the folders of the prefix, so these count too.
    fn excludes(&self, name: &str, is_dir: bool, prefix: &str) -> bool {
        let found = if prefix.is_empty() {
            self.exclude.matched(name, is_dir)
        } else {
            self.exclude.matched_path_or_any_parents(name, is_dir)
        };
        found.is_ignore()
    }

    /// Whether the file must never be packaged, whatever its name.
    fn is_never(&self, path: &Path) -> bool {
        let same_name = |never: &PathBuf| never.file_name() == path.file_name();
        self.never.contains(path)
            || (self.never.iter().any(same_name) && fs::canonicalize(path).is_ok_and(|real| self.never.contains(&real)))
    }

    /// Refuses a name that is both a file, or a link, and a folder.
    fn check_folders(&self) -> Result<(), Error> {
        for name in self.entries.keys() {
            if let Some(inside) = self.first_below(name) {
                return Err(Error::Nested { name: name.clone(), inside: inside.to_owned() });
            }
        }
        Ok(())
    }

    /// The first entry in a folder of the archive; `None` without such a folder.
    fn first_below(&self, folder: &str) -> Option<&str> {
        let below = format!("{folder}/");
        let (next, _) = self.entries.range(below.clone()..).next()?;
        next.starts_with(&below).then_some(next)
    }

    /// Refuses links that lead nowhere in the archive, because their target was left out.
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
        matches!(links::follow(link, target, self.places(), look), Ends::Somewhere | Ends::Lambda)
    }
}
