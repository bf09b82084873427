//! Says what a file is that should be an archive and is none.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// How many bytes at the start of a file are read.
const HEAD: u64 = 1024;

/// What the file is, and what to do about it; `None` if that is unknown.
pub(super) fn of(mut file: &File) -> Option<&'static str> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(HEAD).read_to_end(&mut head).ok()?;
    of_head(&head)
}

fn of_head(head: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(head).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    let begins = |magics: &[&[u8]]| magics.iter().any(|magic| head.starts_with(magic));
    Some(match () {
        () if head.is_empty() => "it is empty; build it again, and see whether the step that makes it failed",
        () if text.starts_with("version https://git-lfs.github.com/spec/") => {
            "it is a pointer of Git LFS; run `git lfs pull`, or check out with LFS (`lfs: true`)"
        }
        () if begins(&[b"PK\x03\x04", b"PK\x07\x08", b"PK00"]) => {
            "it begins as an archive, but its end is missing: it was cut off, as by a download that did not finish; \
             make or fetch it again"
        }
        () if begins(&[b"\x1f\x8b"]) => {
            "it is a gzip file, such as a `.tar.gz`; unpack it, and set `zip` to the folder"
        }
        () if head.get(257..262) == Some(b"ustar") => "it is a tar archive; unpack it, and set `zip` to the folder",
        () if begins(&[b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd"]) => {
            "it is compressed in another format; unpack it, and set `zip` to the folder"
        }
        () if text.starts_with("<!doctype html") || text.starts_with("<html") => {
            "it is a web page, such as the page of a log-in or of an error; fetch the archive again, with credentials \
             if the server asks for them"
        }
        () if text.starts_with("<?xml") || text.starts_with("<error") || text.starts_with('{') => {
            "it is a text, such as the error of a server in XML or JSON; look into it, and fetch the archive again"
        }
        () if begins(&[b"\x7fELF", b"MZ", b"#!"]) => {
            "it is a program; give it another name than that of an archive, and it is packaged"
        }
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_recognised_by_its_first_bytes() {
        let tar: Vec<u8> = [vec![b'x'; 257], b"ustar\0".to_vec()].concat();
        for (head, says) in [
            (&b""[..], Some("empty")),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", Some("Git LFS")),
            (b"PK\x03\x04\x14\0", Some("cut off")),
            (b"\x1f\x8b\x08\0", Some("gzip")),
            (&tar, Some("tar archive")),
            (b"7z\xbc\xaf\x27\x1c", Some("another format")),
            (b"\n<!DOCTYPE html><html>", Some("web page")),
            (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>", Some("error of a server")),
            (b"{\"message\": \"Not Found\"}", Some("error of a server")),
            (b"#!/bin/sh\n", Some("program")),
            (b"hello", None),
        ] {
            let found = of_head(head);
            assert_eq!(found.is_some(), says.is_some(), "{head:?}");
            assert!(found.unwrap_or_default().contains(says.unwrap_or_default()), "{head:?}: {found:?}");
        }
    }
}
