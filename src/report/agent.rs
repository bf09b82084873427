//! A CI's own program beside us. It is optional, and never holds up a deployment.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::host::Host;

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is asked whether it is done.
const TICK: Duration = Duration::from_millis(10);

/// The program. One that is missing or hangs is not called again.
pub(super) struct Agent {
    name: &'static str,
    /// Where it is; absent where `PATH` does not lead to it.
    program: Option<PathBuf>,
    patience: Duration,
    gone: Option<String>,
}

impl Agent {
    pub(super) fn new(name: &'static str, host: &Host) -> Self {
        Self { name, program: host.program(name), patience: PATIENCE, gone: None }
    }

    /// Why it is not called any more; nothing where it is.
    pub(super) fn gone(&self) -> Option<&str> {
        self.gone.as_deref()
    }

    /// Calls it. Values go by standard input: arguments are seen by every process of the machine.
    pub(super) fn call(&mut self, arguments: &[&str], input: &str) {
        if self.gone.is_some() {
            return;
        }
        let shown = format!("{} {}", self.name, arguments.join(" "));
        let Some(program) = &self.program else {
            self.gone = Some(format!("`{shown}` cannot be run: the program is in no folder of PATH"));
            return;
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                self.gone = Some(format!("`{shown}` cannot be run: {error}"));
                return;
            }
        };
        // Written beside, since a program that reads nothing would hold us up.
        let (stdin, input) = (child.stdin.take(), input.to_owned());
        thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let begun = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return,
                Ok(Some(status)) => return tracing::debug!("`{shown}` failed: {status}"),
                Ok(None) if begun.elapsed() < self.patience => thread::sleep(TICK),
                Ok(None) | Err(_) => break,
            }
        }
        self.gone = Some(format!("`{shown}` takes too long"));
        // It may have ended meanwhile.
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_called_once_and_holds_nobody_up() {
        let mut agent = Agent { patience: Duration::from_millis(50), ..Agent::new("sleep", &Host::of_process()) };
        let begun = Instant::now();
        for _ in 0..100 {
            agent.call(&["60"], &"more than fits into a pipe".repeat(10_000));
        }
        assert!(agent.gone().is_some() && begun.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn a_program_that_fails_is_called_again_and_one_that_is_missing_is_not() {
        for (program, gone) in [("false", false), ("no-such-program-anywhere", true)] {
            let mut agent = Agent::new(program, &Host::of_process());
            agent.call(&[], "x");
            assert_eq!(agent.gone().is_some(), gone, "{program}");
        }
    }
}
