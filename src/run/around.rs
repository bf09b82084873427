//! What happens around the deployments of a run: signals, logs, dpl's `cleanup` and `run`.

use std::process::{Command, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;

use super::{Interrupt, Run};
use crate::apply::Signal;
use crate::config::{Loaded, Script};
use crate::error::Error;
use crate::host::Host;
use crate::report::{Console, Event, Speaker, Stage};

/// Tells decisions where that is wanted. The SDK's own logs stay out: they quote whole requests.
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
            tracing::debug!("`{option}` of `{}` comes from {place}", entry.deployment.function.name);
        }
    }
}

/// Listens for requests to stop. From here on they no longer kill the process, which ends by itself soon after.
pub(super) fn interrupts() -> Interrupt {
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        sender.send_replace(Some(next_signal().await));
        // The channel stays open as long as somebody may still ask.
        sender.closed().await;
    });
    receiver
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
        _ = tokio::signal::ctrl_c() => Signal::Interrupt,
        () = terminated => Signal::Terminate,
    }
}

#[cfg(not(unix))]
async fn next_signal() -> Signal {
    let _ = tokio::signal::ctrl_c().await;
    Signal::Interrupt
}

/// Stashes uncommitted files, as dpl's `cleanup` does. Says whether there is anything to bring back.
pub(super) async fn stash(run: &Run<'_>, interrupt: &Interrupt) -> Result<bool, Error> {
    run.tell(&Event::Stage(Stage::Prepare));
    let newest = |host: &Host| host.git(&["rev-parse", "--verify", "--quiet", "refs/stash"]);
    let before = newest(run.host);
    git(run, &["stash", "--all"], Some(interrupt)).await?;
    Ok(newest(run.host) != before)
}

/// Brings stashed files back. dpl ignores a failure here too; what git says is told.
pub(super) async fn unstash(run: &Run<'_>) {
    let _ = git(run, &["stash", "pop"], None).await;
}

async fn git(run: &Run<'_>, arguments: &[&str], interrupt: Option<&Interrupt>) -> Result<(), Error> {
    let told = format!("git {}", arguments.join(" "));
    let Some(command) = run.host.git_command(arguments) else {
        return Err(Error::Command(format!("the command `{told}` could not be started: git is in no folder of PATH")));
    };
    relayed(run, command, &told, Speaker::Git, interrupt).await
}

/// Runs the user's commands in order; the first that fails ends it.
pub(super) async fn run_commands(run: &Run<'_>, commands: &[Script], interrupt: &Interrupt) -> Result<(), Error> {
    for Script { written, code, variables } in commands {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(format!("exec 2>&1\n{code}")).envs(variables);
        shell.current_dir(&run.host.directory).stdin(Stdio::null());
        relayed(run, shell, written, Speaker::User, Some(interrupt)).await?;
    }
    Ok(())
}

/// One command, by the text that people know it by. What it prints is passed on line by line. An interrupt ends it.
async fn relayed(
    run: &Run<'_>,
    command: Command,
    told: &str,
    speaker: Speaker,
    interrupt: Option<&Interrupt>,
) -> Result<(), Error> {
    run.tell(&Event::Command(told.to_owned()));
    let failed = |error| Error::Command(format!("the command `{told}` could not be started: {error}"));
    let mut command = tokio::process::Command::from(command);
    let command = command.kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let ended = async {
        tokio::join!(lines(run, output, speaker), lines(run, errors, speaker));
        child.wait().await
    };
    let status = match interrupt {
        None => ended.await,
        Some(interrupt) => tokio::select! {
            status = ended => status,
            signal = Signal::sent(interrupt) => return Err(Error::Interrupted { signal, during: format!("`{told}`") }),
        },
    };
    let status = status.map_err(|error| Error::Command(format!("`{told}` could not be waited for: {error}")))?;
    let how = match status.code() {
        Some(0) => return Ok(()),
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    };
    Err(Error::Command(format!("the command `{told}` ended with {how}")))
}

async fn lines(run: &Run<'_>, stream: Option<impl AsyncRead + Unpin>, speaker: Speaker) {
    let Some(stream) = stream else { return };
    let (mut stream, mut line) = (BufReader::new(stream), Vec::new());
    while stream.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        run.relay(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']), speaker);
        line.clear();
    }
}
