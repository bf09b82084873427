//! Reads text up to a limit. Reads a device or a pipe only if the path itself names it.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// The most bytes of a text file.
pub(crate) const MOST_TEXT: u64 = 1 << 20;

/// The reason why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The system denied it.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is a directory.
    #[error("is a directory, not a file")]
    Directory,
    /// It is a device, a pipe or a socket.
    #[error("is a device, a pipe or a socket, and only a regular file is read here")]
    Special,
    /// It has more than this many bytes.
    #[error("is too large: more than {} MB is not read", .0 >> 20)]
    TooLarge(u64),
    /// This line is not UTF-8.
    #[error("is not UTF-8 (line {0}); save it as UTF-8")]
    NotUtf8(usize),
}

/// The text of a file of at most [`MOST_TEXT`] bytes.
pub(crate) fn text(path: &Path) -> Result<String, Unreadable> {
    String::from_utf8(bytes(path, MOST_TEXT)?).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Unreadable::NotUtf8(before.iter().filter(|byte| **byte == b'\n').count() + 1)
    })
}

/// Whether the path itself names a stream, such as `/dev/stdin` or the `/dev/fd/63` of a shell's `<(…)`.
pub(crate) fn names_a_stream(path: &Path) -> bool {
    path.starts_with("/dev") || path.starts_with("/proc/self/fd")
}

/// The bytes of a regular file, or of a stream that the path itself names. More than `most` bytes are an error.
pub(crate) fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    let check = |metadata: &fs::Metadata| match () {
        () if metadata.is_dir() => Err(Unreadable::Directory),
        () if metadata.len() > most => Err(Unreadable::TooLarge(most)),
        () if metadata.is_file() || names_a_stream(path) => Ok(()),
        () => Err(Unreadable::Special),
    };
    // Opening a pipe waits for its other end, so this looks at it first.
    check(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    check(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(Unreadable::TooLarge(most)) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    #[test]
    fn only_regular_files_with_an_end_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("text"), "héllo").unwrap();
        fs::write(path("bytes"), b"one\ntwo\xff").unwrap();
        File::create(path("most")).unwrap().set_len(MOST_TEXT).unwrap();
        File::create(path("large")).unwrap().set_len(MOST_TEXT + 1).unwrap();
        Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        for (link, target) in [("zero", "/dev/zero"), ("link", "text"), ("to-pipe", "pipe"), ("gone", "nowhere")] {
            symlink(target, path(link)).unwrap();
        }
        assert_eq!(text(&path("text")).unwrap(), "héllo");
        assert_eq!(text(&path("link")).unwrap(), "héllo");
        assert_eq!(text(&path("most")).unwrap().len(), 1 << 20);
        for (name, said) in [
            ("", "is a directory"),
            ("bytes", "is not UTF-8 (line 2)"),
            ("large", "more than 1 MB is not read"),
            ("pipe", "is a device, a pipe"),
            ("to-pipe", "is a device, a pipe"),
            ("zero", "is a device, a pipe"),
            ("gone", "cannot be read"),
            ("text/below", "cannot be read"),
        ] {
            let told = text(&path(name)).unwrap_err().to_string();
            assert!(told.contains(said), "{name}: {told}");
        }
        assert!(matches!(text(Path::new("/dev/zero")), Err(Unreadable::TooLarge(_))));
        assert_eq!(text(Path::new("/dev/null")).unwrap(), "");
    }
}
