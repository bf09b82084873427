//! Calls git to read the checkout. No other module calls git.
//!
//! An attacker may have written the checkout, and with it the repository that git finds. So git must not start a
//! program that the repository's configuration names, and must not open a connection.

use std::process::{Command, Stdio};

use super::Host;

/// Overrides for a repository's settings that start a program, change git's output, or use a folder of the checkout as
/// a repository. Settings on the command line win over the repository's. An older git ignores those it does not know.
const SETTINGS: [&str; 7] = [
    "safe.bareRepository=explicit",
    "log.showSignature=false",
    "log.mailmap=false",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "i18n.logOutputEncoding=UTF-8",
];

/// Variables that keep git offline and honest. Git must not fetch the objects that a partial clone lacks; an older git,
/// which ignores that, may use no protocol. Git must not replace a commit by another one that the repository names.
const VARIABLES: [(&str, &str); 5] = [
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
];

impl Host {
    /// A call of git in the working directory; absent if git is not installed.
    pub fn git_command(&self, arguments: &[&str]) -> Option<Command> {
        let mut command = Command::new(self.program("git")?);
        command.arg("--no-pager");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(arguments).envs(VARIABLES).current_dir(&self.directory).stdin(Stdio::null());
        Some(command)
    }

    /// The output of git; absent if there is no repository, no git or no output.
    pub fn git(&self, arguments: &[&str]) -> Option<String> {
        let output = self.git_command(arguments)?.output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    }

    /// Formats a commit with git's `--format`. Absent if `hash` is no hash: git could take it for an option or branch.
    pub fn git_commit(&self, hash: &str, format: &str) -> Option<String> {
        let is_hash = hash.len() >= 4 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return None;
        }
        self.git(&["log", "-n1", "--no-color", &format!("--format={format}"), &format!("{hash}^{{commit}}"), "--"])
    }
}
