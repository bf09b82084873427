//! Writes results: each appears complete or not at all, and only under the name that was given.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Component, Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::plain;

/// The first characters of the names of unfinished files.
const UNFINISHED: &str = ".dpl-lambda-";

/// How long a pipe may have no reader.
const PATIENCE: Duration = Duration::from_mins(1);

/// The place of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The file, as the user wrote it.
    pub path: PathBuf,
    /// The folder that the file must stay in; absent for any place.
    pub within: Option<PathBuf>,
}

/// The reason why a file may not be written in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Outside {
    /// Its path leads out of the folder.
    #[error("lies outside of the checkout")]
    Elsewhere,
    /// It is a link.
    #[error("is a link")]
    Link,
    /// Git keeps or reads it.
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
    /// The same file; a relative path is taken from `directory`.
    #[must_use]
    pub(crate) fn under(&self, directory: &Path) -> Self {
        Self { path: directory.join(&self.path), within: self.within.clone() }
    }

    /// Writes the file. Creates missing folders.
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
        // A link that appeared meanwhile is not followed either.
        if inside(&path, root).as_ref() != Ok(&real) || fs::canonicalize(folder)? != folder {
            return Err(io::Error::other(Outside::Elsewhere));
        }
        replace(&real, write)
    }
}

/// The real path of a regular file in a folder, which may not exist yet. Refuses the files of git.
///
/// Links to folders are followed as the system would follow them; the file itself must not be a link. `path` is
/// absolute.
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
    // Some file systems ignore case or have short names, so `.git` has other names there.
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

/// Writes a file that appears only when it is complete. Until then, no other user can read it.
///
/// Writes into a device or a pipe. A link stays, and the file that it leads to is written.
pub(crate) fn put(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() || names_a_descriptor(path) => {
            let mut stream = open(path.to_owned(), PATIENCE)?;
            write(&mut stream)?;
            stream.flush()
        }
        Ok(_) => replace(&fs::canonicalize(path)?, write),
        Err(_) if fs::symlink_metadata(path).is_ok() => Err(missing("it is a link that leads nowhere")),
        Err(_) if path.parent() == Some(Path::new("/dev")) => Err(missing("there is no such device")),
        Err(_) => replace(path, write),
    }
}

fn missing(why: &str) -> io::Error {
    io::Error::new(ErrorKind::NotFound, why)
}

/// Whether the path names a file that this process has open. Such a file is appended to, never replaced.
fn names_a_descriptor(path: &Path) -> bool {
    let path = plain(path);
    let own = ["/dev/stdin", "/dev/stdout", "/dev/stderr"].iter().any(|name| path == Path::new(name));
    own || path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd")
}

/// Whether the path names standard output or standard error, also by links.
pub(crate) fn is_own_output(path: &Path) -> bool {
    const OWN: [&str; 6] =
        ["/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2", "/proc/self/fd/1", "/proc/self/fd/2"];
    // As many links as Linux follows.
    let links = std::iter::successors(Some(plain(path)), |path| {
        let target = fs::read_link(path).ok()?;
        Some(plain(&folder_of(path).join(target)))
    });
    links.take(40).any(|path| OWN.iter().any(|own| path == Path::new(own)))
}

/// Opens a device or a pipe. Opening a pipe waits for its reader, so this waits in another thread.
fn open(path: PathBuf, patience: Duration) -> io::Result<File> {
    let (sender, opened) = mpsc::channel();
    thread::spawn(move || sender.send(OpenOptions::new().append(true).open(path)));
    let nobody = || io::Error::new(ErrorKind::TimedOut, format!("nothing reads from it for {} s", patience.as_secs()));
    opened.recv_timeout(patience).map_err(|_| nobody())?
}

/// Writes an unfinished file beside the place of a file, and moves it there when it is complete.
fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(path);
    // The error of `tempfile` names the unfinished file, which nobody knows.
    let create = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => missing("its folder does not exist"),
        kind => io::Error::new(kind, format!("no file can be created in its folder: {kind}")),
    };
    let mut unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder).map_err(create)?;
    write(unfinished.as_file_mut())?;
    unfinished.as_file_mut().flush()?;
    as_others_are(unfinished.as_file(), folder)?;
    unfinished.persist(path).map(drop).map_err(|error| error.error)
}

/// Gives a file the usual mode of new files under this umask, which a new empty file shows.
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
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    #[test]
    fn only_regular_files_inside_of_the_folder_are_accepted() {
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
    fn devices_pipes_and_links_are_never_replaced() {
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
        assert!(put(&path("no/file"), write).unwrap_err().to_string().contains("its folder does not exist"));
        assert!(put(Path::new("/dev/no-such-device"), write).unwrap_err().to_string().contains("no such device"));
        assert_eq!(put(Path::new("/dev/full"), write).unwrap_err().kind(), ErrorKind::StorageFull);
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        assert!(put(&path("socket"), write).is_err());
        assert!(fs::metadata(path("socket")).unwrap().file_type().is_socket());
        Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        let reader = Command::new("cat").arg(path("pipe")).stdout(std::process::Stdio::piped()).spawn().unwrap();
        put(&path("pipe"), write).unwrap();
        assert_eq!(reader.wait_with_output().unwrap().stdout, b"whole");
        let alone = open(path("pipe"), Duration::from_millis(50)).unwrap_err();
        assert!(alone.to_string().contains("nothing reads from it"), "{alone}");
    }

    #[test]
    fn a_regular_file_in_shared_memory_is_replaced() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = directory.path().join("file");
        for text in ["a longer text", "short"] {
            put(&path, |out| out.write_all(text.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn standard_output_is_known_by_each_of_its_names() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        symlink("/dev/stdout", &link).unwrap();
        for (path, is) in [
            ("/dev/stdout", true),
            ("/dev/../dev/fd/1", true),
            ("/dev/stderr", true),
            (link.to_str().unwrap(), true),
            ("/dev/fd/3", false),
            ("/dev/null", false),
            ("stdout", false),
        ] {
            assert_eq!(is_own_output(Path::new(path)), is, "{path}");
        }
    }

    #[test]
    fn an_unfinished_file_is_private_and_never_stays() {
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
