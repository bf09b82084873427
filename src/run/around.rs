//! What happens around the deployments of a run: signals, logs, dpl's `cleanup` and `run`.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::watch;

use super::{Interrupt, Run};
use crate::apply::Signal;
use crate::config::Loaded;
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
    shell(run, "git stash --all", Speaker::Git, Some(interrupt)).await?;
    Ok(newest(run.host) != before)
}

/// Brings stashed files back. dpl ignores a failure here too; what git says is told.
pub(super) async fn unstash(run: &Run<'_>) {
    let _ = shell(run, "git stash pop", Speaker::Git, None).await;
}

/// Runs the user's commands in order; the first that fails ends it.
pub(super) async fn run_commands(run: &Run<'_>, commands: &[String], interrupt: &Interrupt) -> Result<(), Error> {
    for command in commands {
        shell(run, command, Speaker::User, Some(interrupt)).await?;
    }
    Ok(())
}

/// One command, by `/bin/sh`. What it prints on either stream is passed on line by line. An interrupt ends it.
async fn shell(run: &Run<'_>, command: &str, speaker: Speaker, interrupt: Option<&Interrupt>) -> Result<(), Error> {
    run.tell(&Event::Command(command.to_owned()));
    let failed = |error| Error::Command(format!("the command `{command}` could not be started: {error}"));
    let script = format!("exec 2>&1\n{command}");
    let mut child = Command::new("/bin/sh");
    let child = child.args(["-c", &script]).current_dir(&run.host.directory).kill_on_drop(true);
    let mut child = child.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let output = child.stdout.take();
    let relayed = async {
        let Some(output) = output else { return };
        let (mut output, mut line) = (BufReader::new(output), Vec::new());
        while output.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            run.relay(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']), speaker);
            line.clear();
        }
    };
    let ended = async {
        relayed.await;
        child.wait().await
    };
    let status = match interrupt {
        None => ended.await,
        Some(interrupt) => tokio::select! {
            status = ended => status,
            signal = Signal::sent(interrupt) => return Err(Error::Interrupted { signal, during: format!("`{command}`") }),
        },
    };
    let status = status.map_err(|error| Error::Command(format!("`{command}` could not be waited for: {error}")))?;
    let how = match status.code() {
        Some(0) => return Ok(()),
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    };
    Err(Error::Command(format!("the command `{command}` ended with {how}")))
}
