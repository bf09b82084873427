//! Compares the files of two archives.

use std::cmp::Ordering;

use super::Listed;

/// The files that differ between two archives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FileChanges(pub Vec<FileChange>);

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileChange {
    /// Its path in the archive.
    pub name: String,
    /// Its size before, in bytes; absent if it is new.
    pub from: Option<u64>,
    /// Its size afterwards, in bytes; absent if it goes away.
    pub to: Option<u64>,
    /// Whether only its mode differs.
    pub only_mode: bool,
}

impl FileChanges {
    /// The numbers of files that are added, changed and removed.
    pub(crate) fn counts(&self) -> [usize; 3] {
        let count = |kind: fn(&FileChange) -> bool| self.0.iter().filter(|change| kind(change)).count();
        [
            count(|change| change.from.is_none()),
            count(|change| change.from.is_some() && change.to.is_some()),
            count(|change| change.to.is_none()),
        ]
    }
}

/// The files that differ, sorted by name. Both lists are sorted by name.
///
/// Two files are the same if size, CRC-32 and the execute bit are. Folders do not count, and neither do modes of
/// archives that were made without any.
pub(crate) fn changes(live: &[Listed], new: &[Listed]) -> FileChanges {
    let is_file = |file: &&Listed| !file.name.ends_with('/');
    let (mut live, mut new) = (live.iter().filter(is_file).peekable(), new.iter().filter(is_file).peekable());
    let mut found = Vec::new();
    loop {
        let order = match (live.peek(), new.peek()) {
            (None, None) => return FileChanges(found),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(live), Some(new)) => live.name.cmp(&new.name),
        };
        let from = if order.is_le() { live.next() } else { None };
        let to = if order.is_ge() { new.next() } else { None };
        found.extend(change(from, to));
    }
}

/// The difference between two files of one name; `None` if they are the same.
fn change(from: Option<&Listed>, to: Option<&Listed>) -> Option<FileChange> {
    let name = from.or(to)?.name.clone();
    let same_contents = from.map(|file| (file.size, file.crc32)) == to.map(|file| (file.size, file.crc32));
    let modes = from.zip(to).filter(|(from, to)| from.mode != 0 && to.mode != 0);
    let same_mode = modes.is_none_or(|(from, to)| (from.mode ^ to.mode) & 0o100 == 0);
    let size = |file: Option<&Listed>| file.map(|file| file.size);
    (!(same_contents && same_mode)).then(|| FileChange {
        name,
        from: size(from),
        to: size(to),
        only_mode: same_contents,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, contents: &str, mode: u32) -> Listed {
        let size = contents.len() as u64;
        Listed { name: name.to_owned(), mode, crc32: crc32fast::hash(contents.as_bytes()), size, packed: size }
    }

    fn told(live: &[Listed], new: &[Listed]) -> Vec<String> {
        let shown = |change: &FileChange| {
            let mode = if change.only_mode { " mode" } else { "" };
            format!("{} {:?} {:?}{mode}", change.name, change.from, change.to)
        };
        changes(live, new).0.iter().map(shown).collect()
    }

    #[test]
    fn files_are_compared_by_name_contents_and_execute_bit() {
        let live = [
            file("a", "one", 0o100_644),
            file("b", "two", 0o100_644),
            file("d/", "", 0o040_755),
            file("e", "same", 0o100_600),
            file("run", "x", 0o100_644),
            file("unknown", "x", 0),
        ];
        let new = [
            file("b", "2", 0o100_644),
            file("c", "new", 0o100_644),
            file("e", "same", 0o100_644),
            file("run", "x", 0o100_755),
            file("unknown", "x", 0o100_755),
        ];
        assert_eq!(
            told(&live, &new),
            ["a Some(3) None", "b Some(3) Some(1)", "c None Some(3)", "run Some(1) Some(1) mode"]
        );
        assert_eq!(changes(&live, &new).counts(), [1, 2, 1]);
        assert_eq!(changes(&live, &live), FileChanges::default());
    }
}
