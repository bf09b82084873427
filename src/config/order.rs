//! The order of blocks: which block comes after which, and that none comes after itself.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    after::{AFTER, After},
    blocks::Block,
    by_branch::matches,
    conditions::{Both, Conditions},
    loaded::{Entry, Loaded},
    options::nearest_of,
    read::Reader,
    sought::Sought,
};
use crate::place::Problem;
use crate::reference::Reference;
use crate::settings::{FunctionName, Setting, Written};

/// The most names that the error about a circle shows.
const MOST_NAMED: usize = 40;

/// The functions that a block names in `after`, and those of which it takes values. Their entries are still unknown.
pub(super) fn read(reader: &mut Reader) -> Vec<After> {
    let places = reader.places();
    let names = reader.list(AFTER).unwrap_or_default().into_iter();
    let after = |name: String| {
        let place = places.of_item(AFTER, &name).or_else(|| places.of(AFTER)).cloned();
        After { name, option: AFTER, place, entries: Vec::new() }
    };
    names.map(after).chain(reader.references.functions.iter().cloned()).collect()
}

/// Refuses `after` in the block of a layer.
pub(super) fn refuse(reader: &mut Reader) {
    if reader.list(AFTER).is_some_and(|names| !names.is_empty()) {
        let problem = reader.wrong(AFTER, "is for functions: layers are published before all of them");
        problem.help = Some("remove it, or write `after:` without a value in this block".to_owned());
    }
}

/// Sorts the entries: layers first, and each function behind those that it comes after. Apart from that, the order stays.
///
/// `all` are the blocks of the file, `of_entries` the block of each entry.
pub(super) fn arrange(all: &[Block], of_entries: &[&Block], loaded: &mut Loaded) {
    let Loaded { entries, sought, problems, .. } = loaded;
    let mut names = Names::of(all, entries);
    for index in 0..entries.len() {
        for nth in 0..entries[index].after.len() {
            let after = &entries[index].after[nth];
            match names.fitting(&bare(&after.name)).map(|fitting| before(index, after, fitting, of_entries, entries)) {
                Some(Ok(found)) => entries[index].after[nth].entries = found,
                Some(Err(problem)) => problems.push(problem),
                None if after.is_value() => {}
                None => problems.extend(names.unknown(after)),
            }
        }
    }
    let mut walk = Walk::new(entries);
    let depths: Vec<_> = (0..entries.len()).map(|index| walk.depth(index)).collect();
    problems.extend(std::mem::take(&mut walk.circles).iter().map(|circle| in_circle(circle, entries)));
    for sought in &mut *sought {
        if let Reference::Function { function, .. } = &sought.reference {
            let is_it = |after: &&After| after.name == *function && after.place.as_ref() == Some(&sought.place);
            let after = entries.get(sought.entry).and_then(|entry| entry.after.iter().find(is_it));
            sought.of = after.map(|after| after.entries.clone()).unwrap_or_default();
            sought.alias = alias_of(function, &sought.of, entries, all);
        }
    }
    sort(entries, sought, &depths);
}

/// The alias in the block of a function; `None` if it has none.
fn alias_of(function: &str, of: &[usize], entries: &[Entry], all: &[Block]) -> Option<String> {
    let deployed = of.iter().filter_map(|index| entries[*index].item.function());
    let mut aliases = deployed.filter_map(|deployment| deployment.release.alias.as_ref());
    let wanted = bare(function);
    let is_it = |block: &&Block| block.text("function_name").and_then(name_of).as_ref() == Some(&wanted);
    let written = || all.iter().filter(is_it).find_map(|block| block.text("alias"));
    aliases.next().map(|alias| alias.0.as_str()).or_else(written).map(|alias| alias.trim().to_owned())
}

/// The names of the functions in a file.
struct Names {
    /// The entries of each name; none if this run does not deploy it.
    known: BTreeMap<String, Vec<usize>>,
    /// The entries of each pattern so far; absent: it fits no name.
    fitting: BTreeMap<String, Option<Vec<usize>>>,
    /// Whether the name of some block is unknown.
    lacks_some: bool,
}

impl Names {
    fn of(all: &[Block], entries: &[Entry]) -> Self {
        let written = all.iter().filter_map(|block| name_of(block.text("function_name")?));
        let mut known: BTreeMap<String, Vec<usize>> = written.map(|name| (name, Vec::new())).collect();
        for (index, entry) in entries.iter().enumerate() {
            if let Some(deployment) = entry.item.function() {
                known.entry(deployment.function.name.clone()).or_default().push(index);
            }
        }
        let lacks_name =
            |block: &Block| block.unfilled.contains("function_name") || block.conditions.has_by_branch("function_name");
        Self { known, fitting: BTreeMap::new(), lacks_some: all.iter().any(lacks_name) }
    }

    /// The entries of a name or pattern; `None` if it fits no name.
    fn fitting(&mut self, wanted: &str) -> Option<&[usize]> {
        if !wanted.contains(['*', '?', '[']) {
            return self.known.get(wanted).map(Vec::as_slice);
        }
        let known = &self.known;
        let find = || {
            let fitting: Vec<_> = known.iter().filter(|(name, _)| matches(wanted, name)).collect();
            let mut entries: Vec<_> = fitting.iter().flat_map(|(_, entries)| entries.iter().copied()).collect();
            entries.sort_unstable();
            (!fitting.is_empty()).then_some(entries)
        };
        self.fitting.entry(wanted.to_owned()).or_insert_with(find).as_deref()
    }

    /// The error about a name that no block has; `None` if some block may have it.
    fn unknown(&self, after: &After) -> Option<Problem> {
        if self.lacks_some {
            return None;
        }
        let problem = Problem::new(format!("no block is for `{}`", after.name)).of(after.option);
        let near = nearest_of(&after.name, self.known.keys().map(String::as_str));
        let all = || {
            let all: Vec<_> = self.known.keys().map(|name| format!("`{name}`")).collect();
            format!("the blocks are for {}", all.join(", "))
        };
        let help = near.map_or_else(all, |near| format!("did you mean `{near}`?"));
        Some(Problem { place: after.place.clone(), ..problem.help(help) })
    }
}

/// The name of the function that a text names; `None` if it names none.
fn name_of(text: &str) -> Option<String> {
    FunctionName::parse(&Written::Text(text.trim().to_owned())).ok().map(|function| function.name)
}

/// The name in an ARN; another text as it is, because it may be a pattern.
fn bare(text: &str) -> String {
    name_of(text).unwrap_or_else(|| text.to_owned())
}

/// Those of the fitting entries that are meant. Of one function in several Regions, it is the one in the Region of the
/// entry at `index`, if there is one.
fn before(
    index: usize,
    after: &After,
    fitting: &[usize],
    of_entries: &[&Block],
    entries: &[Entry],
) -> Result<Vec<usize>, Problem> {
    let named = FunctionName::parse(&Written::Text(after.name.clone())).ok();
    let name = |index: usize| entries[index].item.function().map(|deployment| deployment.function.name.as_str());
    let region = |index: usize| &entries[index].item.target().region;
    // `check` sees the blocks of all builds.
    let meet = |other: usize| match (of_entries.get(index), of_entries.get(other)) {
        (Some(one), Some(other)) => Conditions::both(&one.conditions, &other.conditions) != Both::Never,
        _ => true,
    };
    let is_named = |other: usize| named.as_ref().is_none_or(|named| may_be(named, &entries[other]));
    let fits = |other: &usize| is_named(*other) && meet(*other);
    let fitting: Vec<_> = fitting.iter().copied().filter(fits).collect();
    let is_near = |other: usize| region(other) == region(index);
    let near: BTreeSet<_> = fitting.iter().filter(|other| is_near(**other)).map(|other| name(*other)).collect();
    let is_meant = |other: &usize| is_near(*other) || !near.contains(&name(*other));
    let others: Vec<_> = fitting.iter().copied().filter(is_meant).filter(|other| *other != index).collect();
    // An ARN can be that of the same name in another account.
    let is_certain = named.and_then(|named| named.account).is_none() || account_of(&entries[index]).is_some();
    if others.is_empty() && is_certain && name(index) == Some(&*bare(&after.name)) && fitting.contains(&index) {
        let problem = Problem::new(format!("`{}` is the function of this block", after.name)).of(after.option);
        let help = if after.is_value() {
            "a function cannot take a value of itself, because that is known only after its deployment"
        } else {
            "name the functions that come before it"
        };
        return Err(Problem { place: after.place.clone(), ..problem.help(help) });
    }
    Ok(others)
}

/// Whether an ARN can be that of the function of an entry. Its account may be unknown before the log-in.
fn may_be(named: &FunctionName, entry: &Entry) -> bool {
    let is_same = |one: Option<&String>, other: Option<&String>| one.zip(other).is_none_or(|(one, other)| one == other);
    is_same(named.region.as_ref(), entry.item.target().region.as_ref())
        && is_same(named.account.as_ref(), account_of(entry))
}

/// The account of an entry, as far as the configuration tells it.
fn account_of(entry: &Entry) -> Option<&String> {
    let own = entry.item.function().and_then(|deployment| deployment.function.account.as_ref());
    own.or(entry.item.target().expect_account.as_ref())
}

/// Finds how many others each entry has before it, one after another, and where that goes in circles.
struct Walk<'a> {
    entries: &'a [Entry],
    /// The entries on the way to the current one.
    path: Vec<usize>,
    /// The position of each entry on the way; absent if it is not on it.
    on_path: Vec<Option<usize>>,
    depths: Vec<Option<usize>>,
    /// The circles so far. None shares an entry with another one.
    circles: Vec<Vec<usize>>,
    /// Whether each entry is in a circle.
    in_circle: Vec<bool>,
}

impl<'a> Walk<'a> {
    fn new(entries: &'a [Entry]) -> Self {
        let (on_path, in_circle) = (vec![None; entries.len()], vec![false; entries.len()]);
        Self { entries, path: Vec::new(), depths: on_path.clone(), on_path, circles: Vec::new(), in_circle }
    }

    fn depth(&mut self, index: usize) -> usize {
        if let Some(depth) = self.depths[index] {
            return depth;
        }
        if let Some(from) = self.on_path[index] {
            let circle = &self.path[from..];
            if !circle.iter().any(|index| self.in_circle[*index]) {
                for index in circle {
                    self.in_circle[*index] = true;
                }
                self.circles.push(circle.to_vec());
            }
            return 0;
        }
        self.on_path[index] = Some(self.path.len());
        self.path.push(index);
        let before = self.entries[index].after.iter().flat_map(|after| &after.entries);
        let depth = before.map(|before| self.depth(*before) + 1).max().unwrap_or(0);
        self.path.pop();
        self.on_path[index] = None;
        self.depths[index] = Some(depth);
        depth
    }
}

/// The error about blocks of which each comes after the next one, and the last after the first.
fn in_circle(circle: &[usize], entries: &[Entry]) -> Problem {
    let first = circle.iter().enumerate().min_by_key(|(_, index)| **index).map_or(0, |(at, _)| at);
    let circle: Vec<_> = circle[first..].iter().chain(&circle[..first]).chain(circle.get(first)).collect();
    let mut names: Vec<_> = circle.iter().map(|index| format!("`{}`", entries[**index].item.name())).collect();
    if names.len() > MOST_NAMED {
        names.splice(MOST_NAMED / 2..names.len() - MOST_NAMED / 2, ["…".to_owned()]);
    }
    let problem = Problem::new(format!("comes after itself: {}", names.join(" → "))).of(AFTER);
    let link = circle
        .first()
        .zip(circle.get(1))
        .and_then(|(one, next)| entries[**one].after.iter().find(|after| after.entries.contains(next)));
    let place = link.and_then(|after| after.place.clone());
    let option = link.map(|after| after.option.to_owned());
    Problem { place, option, ..problem.help("remove one of these names or references") }
}

fn sort(entries: &mut Vec<Entry>, sought: &mut [Sought], depths: &[usize]) {
    let mut sorted: Vec<_> = std::mem::take(entries).into_iter().zip(depths).enumerate().collect();
    sorted.sort_by_key(|(_, (entry, depth))| (entry.item.layer().is_none(), **depth));
    let mut position = vec![0; sorted.len()];
    for (new, (old, _)) in sorted.iter().enumerate() {
        position[*old] = new;
    }
    entries.extend(sorted.into_iter().enumerate().map(|(number, (in_file, (mut entry, _)))| {
        (entry.number, entry.in_file) = (number, in_file);
        entry.after.iter_mut().flat_map(|after| &mut after.entries).for_each(|index| *index = position[*index]);
        entry
    }));
    for Sought { entry, of, .. } in sought {
        of.iter_mut().chain([entry]).for_each(|index| *index = position.get(*index).copied().unwrap_or_default());
        of.sort_unstable();
    }
}
