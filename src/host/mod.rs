//! The environment of the process as a value: variables, directory, terminal, clock, CI and build.
//!
//! Read once and passed down, so that tests can pass another. Must not know our configuration.

mod build;
mod build_id;
mod ci;
mod git;
mod limits;
mod pull_request;

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(crate) use build::Build;
pub use ci::Ci;
pub(crate) use limits::{Lack, MORE_FILES, is_limit_on_files};
pub(crate) use pull_request::PullRequest;

/// The environment of the process.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// The environment variables, without those that are not UTF-8.
    pub variables: BTreeMap<String, String>,
    /// Names of variables whose values are not UTF-8.
    pub unreadable: Vec<String>,
    /// The working directory. Relative paths start here.
    pub directory: PathBuf,
    /// The name by which the program was called, without folder and extension.
    pub called_as: String,
    /// The arguments. Bytes that are not UTF-8 are replaced.
    pub arguments: Vec<String>,
    /// Whether standard output is a terminal.
    pub terminal: bool,
    /// Whether standard error is a terminal.
    pub error_terminal: bool,
    /// Whether standard input is a terminal.
    pub input_terminal: bool,
}

impl Host {
    /// A host with nothing but these variables, in the root folder.
    #[cfg(test)]
    pub(crate) fn with_variables(variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { variables, directory: "/".into(), ..Self::default() }
    }

    /// Reads the environment of this process.
    pub fn of_process() -> Self {
        let utf8 = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let unreadable =
            |(name, value): (OsString, OsString)| value.to_str().is_none().then(|| name.into_string().ok());
        let mut arguments = env::args_os().map(|argument| argument.to_string_lossy().into_owned());
        let called_as = arguments.next().map(PathBuf::from);
        Self {
            variables: env::vars_os().filter_map(utf8).collect(),
            unreadable: env::vars_os().filter_map(unreadable).flatten().collect(),
            directory: env::current_dir().unwrap_or_default(),
            called_as: called_as
                .as_deref()
                .and_then(|path| path.file_stem())
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            arguments: arguments.collect(),
            terminal: io::stdout().is_terminal(),
            error_terminal: io::stderr().is_terminal(),
            input_terminal: io::stdin().is_terminal(),
        }
    }

    /// The value of a variable. An empty one counts as absent, because CIs export unset variables as empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether the variable is `true` (in any case) or `1`.
    pub fn flag(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// This environment with the variables that the build of a push to `base` would have.
    #[must_use]
    pub fn as_pushed(&self, base: &str) -> Self {
        pull_request::as_pushed(self, base)
    }

    /// The default branch of the repository; absent if git does not know it.
    pub fn default_branch(&self) -> Option<String> {
        let head = self.git(&["symbolic-ref", "--short", "refs/remotes/origin/HEAD"])?;
        head.strip_prefix("origin/").map(str::to_owned)
    }

    /// Whether git knows a branch of this name, here or at `origin`.
    pub fn has_branch(&self, name: &str) -> bool {
        let knows = |folder: &str| self.git(&["show-ref", "--verify", &format!("{folder}/{name}")]).is_some();
        knows("refs/heads") || knows("refs/remotes/origin")
    }

    /// Whether standard error is a pipe that standard output does not share. Then no file or program that receives
    /// standard output also receives standard error.
    #[cfg(unix)]
    pub fn errors_go_alone() -> bool {
        use std::fs::{File, Metadata};
        use std::os::{
            fd::{AsFd, BorrowedFd},
            unix::fs::{FileTypeExt, MetadataExt},
        };
        let of = |stream: BorrowedFd<'_>| File::from(stream.try_clone_to_owned().ok()?).metadata().ok();
        let (output, error) = (of(io::stdout().as_fd()), of(io::stderr().as_fd()));
        let what = |stream: &Metadata| (stream.dev(), stream.ino());
        error.is_some_and(|error| {
            error.file_type().is_fifo() && output.is_some_and(|output| what(&output) != what(&error))
        })
    }

    /// Always false: this platform gives no way to compare the two.
    #[cfg(not(unix))]
    pub fn errors_go_alone() -> bool {
        false
    }

    /// Time since the Unix epoch.
    pub fn now() -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    /// One line of standard input, without its line break; empty at the end of input.
    pub fn line() -> io::Result<String> {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// All of standard input.
    pub fn input() -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The path of a program in `PATH`.
    ///
    /// Skips relative folders and folders in the working directory: the author of the checkout could have put a program
    /// there.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let here = self.directory.canonicalize().ok().filter(|here| here.parent().is_some());
        let of_checkout = |folder: &Path| match (&here, folder.canonicalize()) {
            (Some(here), Ok(folder)) => folder.starts_with(here),
            _ => false,
        };
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        env::split_paths(self.variable("PATH")?)
            .filter(|folder| folder.is_absolute() && !of_checkout(folder))
            .map(|folder| folder.join(&file))
            .find(|path| is_executable(path))
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|there| there.is_file() && there.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
