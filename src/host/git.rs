//! Git, asked about the checkout. Every call of git is made here.
//!
//! Whoever wrote the checkout may have written the repository that git finds in it. So nothing in a repository's
//! configuration may name a program that git then starts, and git opens no connection.

use std::process::{Command, Stdio};

use super::Host;

/// Settings of a repository that would start a program, show more than was asked for, or find a repository that is only
/// a folder of the checkout. Those of the command line count before them; an older git ignores the ones it does not know.
const SETTINGS: [&str; 7] = [
    "safe.bareRepository=explicit",
    "log.showSignature=false",
    "log.mailmap=false",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "i18n.logOutputEncoding=UTF-8",
];

/// What git must not do on its own. Objects that a partial clone lacks are not fetched: an older git that fetches them
/// all the same may speak no protocol. A commit is itself, whatever a repository wants in its place.
const VARIABLES: [(&str, &str); 5] = [
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
];

impl Host {
    /// A call of git in the working directory; nothing where there is no git.
    pub fn git_command(&self, arguments: &[&str]) -> Option<Command> {
        let mut command = Command::new(self.program("git")?);
        command.arg("--no-pager");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(arguments).envs(VARIABLES).current_dir(&self.directory).stdin(Stdio::null());
        Some(command)
    }

    /// Asks git; nothing where there is no repository, no git, or no answer.
    pub fn git(&self, arguments: &[&str]) -> Option<String> {
        let output = self.git_command(arguments)?.output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    }

    /// What git's `--format` makes of a commit. What is no hash names no commit: it might be an option, or a branch.
    pub fn git_commit(&self, hash: &str, format: &str) -> Option<String> {
        let is_hash = hash.len() >= 4 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return None;
        }
        self.git(&["log", "-n1", "--no-color", &format!("--format={format}"), &format!("{hash}^{{commit}}"), "--"])
    }
}
