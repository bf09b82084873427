//! Reads the list of files from the end of an archive, without the rest of it.
//!
//! Follows APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16. No library reads the directory of an archive whose beginning
//! is missing. The bytes may come from anywhere, so each number in them is checked.

use super::Listed;

/// The largest end of an archive: the zip64 record and its locator, the end record and the longest comment.
pub(crate) const LONGEST_END: u64 = 56 + 20 + 22 + 65_535;

/// The largest directory that is read, in bytes. One of 200,000 files is about as large.
const LARGEST: u64 = 16 << 20;

/// The end of an archive.
pub(crate) struct Tail<'a> {
    /// The last bytes of the archive.
    pub bytes: &'a [u8],
    /// The size of the whole archive, in bytes.
    pub all: u64,
}

/// The directory of an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    /// The files, sorted by name.
    pub files: Vec<Listed>,
    /// The number of entries that are folders.
    pub folders: usize,
    /// The comment of the archive.
    pub comment: Vec<u8>,
    /// The size of the archive, in bytes.
    pub size: u64,
}

/// What the end of an archive says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The whole directory.
    Directory(Directory),
    /// The directory begins further ahead: this many bytes from the end are needed.
    Longer(u64),
    /// The bytes are not the end of an archive, or of one that is too large.
    Unknown,
}

/// Reads the directory from the end of an archive.
pub(crate) fn directory(tail: &Tail<'_>) -> Reading {
    read(tail).unwrap_or(Reading::Unknown)
}

fn read(tail: &Tail<'_>) -> Option<Reading> {
    let from = tail.all.checked_sub(tail.bytes.len() as u64)?;
    let (at, end) = end_record(tail.bytes)?;
    let (count, size, start) = match zip64(tail.bytes, at, from) {
        Some(ends) => ends,
        None => (u64::from(two(end, 10)?), u64::from(four(end, 12)?), u64::from(four(end, 16)?)),
    };
    let needed = tail.all.checked_sub(start)?;
    if size > LARGEST || needed > LARGEST + LONGEST_END {
        return None;
    }
    let Some(begin) = start.checked_sub(from) else { return Some(Reading::Longer(needed)) };
    let begin = usize::try_from(begin).ok()?;
    let records = tail.bytes.get(begin..begin.checked_add(usize::try_from(size).ok()?)?)?;
    let (files, folders) = files(records, count)?;
    let comment = end.get(22..)?.to_owned();
    Some(Reading::Directory(Directory { files, folders, comment, size: tail.all }))
}

/// The position of the end record, and the record. Its comment ends where the archive ends.
fn end_record(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let last = bytes.len().checked_sub(22)?;
    let first = last.saturating_sub(65_535);
    (first..=last).rev().find_map(|at| {
        let record = bytes.get(at..)?;
        let comment = usize::from(two(record, 20)?);
        (record.starts_with(b"PK\x05\x06") && comment == last - at).then_some((at, record))
    })
}

/// The count, size and start of the directory from the zip64 record; `None` without one.
fn zip64(bytes: &[u8], end: usize, from: u64) -> Option<(u64, u64, u64)> {
    let locator = bytes.get(end.checked_sub(20)?..end)?;
    let at = eight(locator, 8).filter(|_| locator.starts_with(b"PK\x06\x07"))?;
    let record = bytes.get(usize::try_from(at.checked_sub(from)?).ok()?..)?;
    record.starts_with(b"PK\x06\x06").then_some(())?;
    Some((eight(record, 32)?, eight(record, 40)?, eight(record, 48)?))
}

/// The files of a directory with `count` records, and the number of its folders.
fn files(mut records: &[u8], count: u64) -> Option<(Vec<Listed>, usize)> {
    let (mut files, mut folders) = (Vec::new(), 0);
    for _ in 0..count {
        records.starts_with(b"PK\x01\x02").then_some(())?;
        let lengths = [two(records, 28)?, two(records, 30)?, two(records, 32)?].map(usize::from);
        let name = records.get(46..46 + lengths[0])?;
        let file = Listed {
            name: String::from_utf8_lossy(name).into_owned(),
            mode: four(records, 38)? >> 16,
            crc32: four(records, 16)?,
            size: four(records, 24)?.into(),
            packed: four(records, 20)?.into(),
        };
        if file.name.ends_with('/') {
            folders += 1;
        } else {
            files.push(file);
        }
        records = records.get(46 + lengths.iter().sum::<usize>()..)?;
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Some((files, folders))
}

fn two(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn four(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn eight(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use proptest::prelude::*;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn archive(names: &[&str], comment: &str) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            writer.start_file(*name, SimpleFileOptions::default().unix_permissions(0o644)).unwrap();
            writer.write_all(name.as_bytes()).unwrap();
        }
        writer.add_directory("empty", SimpleFileOptions::default()).unwrap();
        writer.set_comment(comment).unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn of_last(archive: &[u8], bytes: usize) -> Reading {
        directory(&Tail { bytes: &archive[archive.len() - bytes..], all: archive.len() as u64 })
    }

    fn names(reading: &Reading) -> Vec<&str> {
        let Reading::Directory(read) = reading else { panic!("no files: {reading:?}") };
        read.files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn files_are_read_from_the_end_alone() {
        let archive = archive(&["b.py", "a/b.py", "ü.txt"], "PK\x05\x06 in a comment");
        let Reading::Longer(needed) = of_last(&archive, 60) else { panic!("60 bytes hold the whole directory") };
        let needed = usize::try_from(needed).unwrap();
        let read = of_last(&archive, needed);
        assert_eq!(names(&read), ["a/b.py", "b.py", "ü.txt"]);
        assert_eq!(names(&of_last(&archive, archive.len())), names(&read));
        assert!(matches!(of_last(&archive, needed - 1), Reading::Longer(_)));
        let Reading::Directory(Directory { files, folders, comment, size }) = read else { unreachable!() };
        assert_eq!((folders, &*comment, size), (1, &b"PK\x05\x06 in a comment"[..], archive.len() as u64));
        assert_eq!((files[1].size, files[1].crc32, files[1].mode & 0o777), (4, crc32fast::hash(b"b.py"), 0o644));
    }

    #[test]
    fn an_end_that_is_none_is_unknown() {
        for bytes in [&b""[..], b"PK\x05\x06", &[0; 100], b"<html>Forbidden</html>, which is longer than a record"] {
            assert_eq!(directory(&Tail { bytes, all: bytes.len() as u64 }), Reading::Unknown);
        }
        let whole = archive(&["a"], "");
        assert_eq!(directory(&Tail { bytes: &whole, all: 3 }), Reading::Unknown, "shorter than its end");
    }

    proptest! {
        #[test]
        fn damaged_archives_are_read_or_unknown(at in 0_usize..400, byte in any::<u8>(), cut in 0_usize..200) {
            let mut bytes = archive(&["index.py", "lib/one.py"], "x");
            let at = at % bytes.len();
            bytes[at] = byte;
            let tail = &bytes[cut.min(bytes.len())..];
            let _ = directory(&Tail { bytes: tail, all: bytes.len() as u64 });
            let _ = directory(&Tail { bytes: tail, all: u64::MAX });
        }
    }
}
