//! Writing results: nobody sees half of one, and only what was named is written.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Component, Path, PathBuf},
};

use super::names_a_stream;

/// What the names of files begin with that are not finished.
const UNFINISHED: &str = ".dpl-lambda-";

/// Where a result goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The file, as it was written.
    pub path: PathBuf,
    /// The folder that it must not leave; absent where it may lie anywhere.
    pub within: Option<PathBuf>,
}

/// Why a file would not be one of a folder's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Outside {
    /// Its way leads out of the folder.
    #[error("lies outside of the checkout")]
    Elsewhere,
    /// It is a link itself.
    #[error("is a link")]
    Link,
    /// It is one that git keeps or reads.
    #[error("belongs to git")]
    OfGit,
    /// It is a folder, a device, a pipe or a socket.
    #[error("is not a regular file")]
    Special,
}

impl From<PathBuf> for Destination {
    fn from(path: PathBuf) -> Self {
        Self { path, within: None }
    }
}

impl From<&Path> for Destination {
    fn from(path: &Path) -> Self {
        path.to_owned().into()
    }
}

impl From<&str> for Destination {
    fn from(path: &str) -> Self {
        PathBuf::from(path).into()
    }
}

impl Destination {
    /// The same file, whose path begins in `directory` where it is relative.
    #[must_use]
    pub(crate) fn under(&self, directory: &Path) -> Self {
        Self { path: directory.join(&self.path), within: self.within.clone() }
    }

    /// Writes the file; its folders are made where there are none.
    pub(crate) fn put(&self, text: &str) -> io::Result<()> {
        let path = self.path.clone();
        let write = |out: &mut dyn Write| out.write_all(text.as_bytes());
        let Some(root) = &self.within else {
            fs::create_dir_all(folder_of(&path))?;
            return put(&path, write);
        };
        let real = inside(&path, root).map_err(io::Error::other)?;
        let folder = folder_of(&real);
        fs::create_dir_all(folder)?;
        // A link that was put there meanwhile is not followed either.
        if inside(&path, root).as_ref() != Ok(&real) || fs::canonicalize(folder)? != folder {
            return Err(io::Error::other(Outside::Elsewhere));
        }
        replace(&real, write)
    }
}

/// The real path of a file that is, or is going to be, a regular one in a folder and none of git's.
///
/// Links on its way are followed as the system would; the file itself must not be one. `path` is absolute.
pub(crate) fn inside(path: &Path, root: &Path) -> Result<PathBuf, Outside> {
    let root = fs::canonicalize(root).map_err(|_| Outside::Elsewhere)?;
    let mut real = PathBuf::new();
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(real.pop()),
            Component::Prefix(_) | Component::RootDir => real.push(part),
            Component::Normal(name) => {
                let is_last = parts.peek().is_none();
                real.push(name);
                let found = fs::symlink_metadata(&real);
                match found {
                    Ok(found) if found.is_symlink() && is_last => return Err(Outside::Link),
                    Ok(found) if found.is_symlink() => {
                        real = fs::canonicalize(&real).map_err(|_| Outside::Elsewhere)?;
                    }
                    Ok(found) if is_last && !found.is_file() => return Err(Outside::Special),
                    _ => {}
                }
            }
        }
    }
    let below = real.strip_prefix(&root).map_err(|_| Outside::Elsewhere)?;
    // File systems that do not tell capitals apart, or have short names, know `.git` by other names too.
    let of_git = |part: Component<'_>| {
        let name = part.as_os_str().to_string_lossy().to_ascii_lowercase();
        name.starts_with(".git") || name.starts_with("git~")
    };
    match () {
        () if below.as_os_str().is_empty() => Err(Outside::Special),
        () if below.components().any(of_git) => Err(Outside::OfGit),
        () => Ok(real),
    }
}

/// Writes a file so that nobody ever sees half of it, and nobody else may read it before it is whole.
///
/// A device or a pipe is written to. A link stays, and the file that it leads to is written.
pub(crate) fn put(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_dir() && (!found.is_file() || names_a_stream(path)) => {
            // What a shell's `>` has opened is not cut.
            let mut stream = OpenOptions::new().append(true).open(path)?;
            write(&mut stream)?;
            stream.flush()
        }
        Ok(_) => replace(&fs::canonicalize(path)?, write),
        Err(_) if fs::symlink_metadata(path).is_ok() => {
            Err(io::Error::new(io::ErrorKind::NotFound, "it is a link that leads nowhere"))
        }
        Err(_) => replace(path, write),
    }
}

/// Writes beside the place of a file, and moves it there when it is whole.
fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(path);
    let mut unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    write(unfinished.as_file_mut())?;
    unfinished.as_file_mut().flush()?;
    as_others_are(unfinished.as_file(), folder)?;
    unfinished.persist(path).map(drop).map_err(|error| error.error)
}

/// Gives a file the mode that the process' umask gives to new ones, which an empty file shows.
#[cfg(unix)]
fn as_others_are(file: &File, folder: &Path) -> io::Result<()> {
    let usual = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    let empty = tempfile::Builder::new().prefix(UNFINISHED).permissions(usual).tempfile_in(folder)?;
    file.set_permissions(empty.as_file().metadata()?.permissions())
}

#[cfg(not(unix))]
fn as_others_are(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    #[test]
    fn files_of_a_folder_are_told_from_others() {
        let directory = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(directory.path()).unwrap();
        let root = base.join("checkout");
        fs::create_dir_all(root.join("sub/.GIT")).unwrap();
        fs::create_dir(base.join("out")).unwrap();
        fs::write(root.join("there.md"), "").unwrap();
        Command::new("mkfifo").arg(root.join("pipe")).status().unwrap();
        for (link, target) in [
            ("link.md", "there.md"),
            ("dangling.md", "nowhere.md"),
            ("out", "../out"),
            ("folder", "sub"),
            ("git", ".git"),
            ("loop", "loop"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        for (path, expected) in [
            ("new.md", Ok("new.md")),
            ("there.md", Ok("there.md")),
            ("./a/../new.md", Ok("new.md")),
            ("no/such/folder.md", Ok("no/such/folder.md")),
            ("folder/x.md", Ok("sub/x.md")),
            ("folder/../x.md", Ok("x.md")),
            ("../checkout/x.md", Ok("x.md")),
            ("..data.md", Ok("..data.md")),
            ("../x.md", Err(Outside::Elsewhere)),
            ("no/../../x.md", Err(Outside::Elsewhere)),
            ("../checkout-2/x.md", Err(Outside::Elsewhere)),
            ("/etc/x.md", Err(Outside::Elsewhere)),
            ("/dev/stdout", Err(Outside::Link)),
            ("out/x.md", Err(Outside::Elsewhere)),
            ("out/../x.md", Err(Outside::Elsewhere)),
            ("loop/x.md", Err(Outside::Elsewhere)),
            ("git/x.md", Err(Outside::Elsewhere)),
            ("link.md", Err(Outside::Link)),
            ("dangling.md", Err(Outside::Link)),
            (".git/hooks/post-checkout", Err(Outside::OfGit)),
            ("sub/.GIT/config", Err(Outside::OfGit)),
            ("GIT~1/config", Err(Outside::OfGit)),
            (".gitattributes", Err(Outside::OfGit)),
            ("pipe", Err(Outside::Special)),
            ("sub", Err(Outside::Special)),
            ("", Err(Outside::Special)),
            ("..", Err(Outside::Elsewhere)),
        ] {
            assert_eq!(inside(&root.join(path), &root), expected.map(|path| root.join(path)), "{path}");
        }
    }

    #[test]
    fn what_is_written_to_is_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let write = |out: &mut dyn Write| out.write_all(b"whole");
        fs::write(path("file"), "old").unwrap();
        symlink("file", path("link")).unwrap();
        symlink("nowhere", path("dangling")).unwrap();
        symlink("/dev/null", path("null")).unwrap();
        put(&path("link"), write).unwrap();
        assert_eq!(fs::read_to_string(path("file")).unwrap(), "whole");
        put(&path("null"), write).unwrap();
        put(Path::new("/dev/null"), write).unwrap();
        for link in ["link", "null"] {
            assert!(fs::symlink_metadata(path(link)).unwrap().is_symlink());
        }
        assert!(put(&path("dangling"), write).unwrap_err().to_string().contains("leads nowhere"));
        assert!(put(directory.path(), write).is_err());
        Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        let reader = Command::new("cat").arg(path("pipe")).stdout(std::process::Stdio::piped()).spawn().unwrap();
        put(&path("pipe"), write).unwrap();
        assert_eq!(reader.wait_with_output().unwrap().stdout, b"whole");
    }

    #[test]
    fn nobody_else_reads_what_is_not_finished_and_nothing_of_it_stays() {
        let directory = tempfile::tempdir().unwrap();
        let names =
            || -> Vec<_> { fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect() };
        let path = directory.path().join("file");
        put(&path, |out| {
            let [unfinished] = &names()[..] else { panic!("{:?}", names()) };
            assert_eq!(fs::metadata(unfinished).unwrap().permissions().mode() & 0o777, 0o600);
            out.write_all(b"whole")
        })
        .unwrap();
        fs::write(directory.path().join("usual"), "").unwrap();
        let mode = |name: &str| fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("file"), mode("usual"));
        fs::remove_file(directory.path().join("usual")).unwrap();
        put(&path, |_| Err(io::Error::other("full"))).unwrap_err();
        assert_eq!((names(), fs::read_to_string(&path).unwrap()), (vec![path.clone()], "whole".to_owned()));
    }
}
