//! What surrounds the deployments of a run: signals, logs, and dpl's options `cleanup` and `run`.

use std::process::{Command, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;
use tokio::task::JoinError;

use super::Run;
use crate::aws;
use crate::config::Loaded;
use crate::error::Error;
use crate::event::{Author, Event, Stage};
use crate::fault::Signal;
use crate::host::Host;
use crate::place::Problem;
use crate::release::Script;
use crate::report::Console;

/// Starts the debug log if the user wants it. Leaves out the SDK's own log, because it quotes whole requests.
pub(super) fn log_decisions(loaded: &Loaded, console: &Console) {
    if !loaded.run.verbose {
        return;
    }
    let console = console.clone();
    let filter = tracing_subscriber::EnvFilter::new("dpl_lambda=debug");
    let logger = tracing_subscriber::fmt().with_env_filter(filter).without_time().with_target(false).with_ansi(false);
    // A second run in the same process keeps the logger of the first.
    let _ = logger.with_writer(move || console.clone()).try_init();
    tracing::debug!("speaking the dialect of {}", loaded.run.ci.name());
    for entry in &loaded.entries {
        for (option, place) in entry.places.iter() {
            tracing::debug!("`{option}` of `{}` comes from {place}", entry.item.name());
        }
    }
}

/// The result of work in another thread. Passes a panic on, because its message may show a value.
pub(super) fn joined<T>(result: Result<T, JoinError>) -> Result<T, Error> {
    result.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Error::Machine(Problem::new("the work in another thread was cancelled")),
    })
}

/// Listens for signals. From then on a signal does not kill the process: the run stops at a safe point.
pub(super) fn listen(sender: watch::Sender<Option<Signal>>) {
    tokio::spawn(async move {
        sender.send_replace(Some(next_signal().await));
        // Keeps the channel open while there are receivers.
        sender.closed().await;
    });
}

#[cfg(unix)]
async fn next_signal() -> Signal {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate());
    let terminated = async {
        match &mut terminate {
            Ok(stream) => stream.recv().await.unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => Signal::Interrupt,
        () = terminated => Signal::Terminate,
    }
}

#[cfg(not(unix))]
async fn next_signal() -> Signal {
    let _ = tokio::signal::ctrl_c().await;
    Signal::Interrupt
}

impl Run<'_> {
    /// Stashes uncommitted files, as dpl's `cleanup` does. Returns whether there is a stash to restore.
    pub(super) async fn stash(&self) -> Result<bool, Error> {
        self.report(&Event::Stage(Stage::Prepare));
        let newest = |host: &Host| host.git(&["rev-parse", "--verify", "--quiet", "refs/stash"]);
        let before = newest(self.host);
        self.git(&["stash", "--all"], OnSignal::Stop).await?;
        Ok(newest(self.host) != before)
    }

    /// Restores stashed files. Ignores a failure, as dpl does; git's own message is printed.
    pub(super) async fn unstash(&self) {
        let _ = self.git(&["stash", "pop"], OnSignal::Finish).await;
    }

    async fn git(&self, arguments: &[&str], on_signal: OnSignal) -> Result<(), Error> {
        let text = format!("git {}", arguments.join(" "));
        let Some(command) = self.host.git_command(arguments) else {
            let message = format!("the command `{text}` could not be started: git is in no folder of PATH");
            return Err(Error::Command(message));
        };
        self.relay(command, &text, Author::Git, on_signal).await
    }

    /// Runs the user's commands in order, and stops at the first failure.
    pub(super) async fn run_commands(&self, commands: &[Script]) -> Result<(), Error> {
        let others = self.shared.commands.lock();
        let _others_wait = aws::patiently("the commands of another block", &|event| self.report(&event), others).await;
        for command in commands {
            self.run_command(command, []).await?;
        }
        Ok(())
    }

    /// Runs a command of the user with further variables.
    pub(super) async fn run_command<const N: usize>(
        &self,
        command: &Script,
        further: [(&str, &str); N],
    ) -> Result<(), Error> {
        let Script { written, code, variables } = command;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(format!("exec 2>&1\n{code}")).envs(variables).envs(further);
        shell.current_dir(&self.host.directory).stdin(Stdio::null());
        self.relay(shell, written, Author::User, OnSignal::Stop).await
    }

    /// Runs a command, shown as `text`, and prints its output line by line.
    async fn relay(&self, command: Command, text: &str, author: Author, on_signal: OnSignal) -> Result<(), Error> {
        self.report(&Event::Command(text.to_owned()));
        let mut command = tokio::process::Command::from(command);
        let command = command.kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| Error::Command(format!("the command `{text}` could not be started: {error}")))?;
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let ended = async {
            tokio::join!(self.relay_lines(output, author), self.relay_lines(errors, author));
            child.wait().await
        };
        let status = tokio::select! {
            status = ended => status,
            signal = Signal::sent(&self.interrupt), if on_signal == OnSignal::Stop => {
                return Err(Error::Interrupted { signal, during: format!("`{text}`") });
            }
        };
        let status = status.map_err(|error| Error::Command(format!("cannot wait for `{text}`: {error}")))?;
        let how = match status.code() {
            Some(0) => return Ok(()),
            Some(code) => format!("exit code {code}"),
            None => status.to_string(),
        };
        Err(Error::Command(format!("the command `{text}` ended with {how}")))
    }

    async fn relay_lines(&self, stream: Option<impl AsyncRead + Unpin>, author: Author) {
        let Some(stream) = stream else { return };
        let (mut stream, mut line) = (BufReader::new(stream), Vec::new());
        while stream.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            self.report(&Event::CommandOutput { line: text, author });
            line.clear();
        }
    }
}

/// Whether a signal stops a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnSignal {
    Stop,
    Finish,
}
