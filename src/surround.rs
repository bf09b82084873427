//! What happens around the deployments of a run: signals, logs, dpl's `cleanup` and `run`.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use tokio::sync::watch;

use crate::apply::Signal;
use crate::config::Loaded;
use crate::error::Error;
use crate::host::Host;
use crate::report::{Console, Event, Stage};

/// Hides the credentials of the environment, also where the configuration does not use them.
pub(crate) fn hide_credentials(host: &Host, console: &Console) {
    for (name, value) in &host.variables {
        let name = name.to_ascii_uppercase().replace('-', "_");
        if ["SECRET_ACCESS_KEY", "SESSION_TOKEN", "ACCESS_KEY_ID", "ID_TOKEN_REQUEST_TOKEN"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            console.hide(value);
        }
    }
    let mut arguments = host.arguments.iter();
    while let Some(argument) = arguments.next() {
        let name = argument.split('=').next().unwrap_or_default().replace('-', "_").to_ascii_lowercase();
        if matches!(name.as_str(), "__secret_access_key" | "__session_token" | "__access_key_id") {
            let value =
                argument.split_once('=').map(|(_, value)| value).or_else(|| arguments.next().map(String::as_str));
            console.hide(value.unwrap_or_default());
        }
    }
}

/// Whether a variable of this name likely holds a secret.
pub(crate) fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    [
        "SECRET",
        "TOKEN",
        "PASSWORD",
        "PASSWD",
        "CREDENTIAL",
        "PRIVATE",
        "API_KEY",
        "APIKEY",
        "ACCESS_KEY",
        "CONNECTION_STRING",
        "DSN",
        "_KEY",
    ]
    .iter()
    .any(|part| name.contains(part))
}

/// Tells decisions where that is wanted. The SDK's own logs stay out: they quote whole requests.
pub(crate) fn log_decisions(loaded: &Loaded, console: &Console) {
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
        for (option, place) in &entry.places {
            tracing::debug!("`{option}` of `{}` comes from {place}", entry.deployment.function.name);
        }
    }
}

/// Listens for requests to stop. From here on they no longer kill the process.
pub(crate) fn interrupts() -> watch::Receiver<Option<Signal>> {
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let signal = next_signal().await;
        sender.send_replace(Some(signal));
        // Keeps the channel open; a second request ends the process at once.
        next_signal().await;
        std::process::abort();
    });
    receiver
}

#[cfg(unix)]
async fn next_signal() -> Signal {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate());
    let terminated = async {
        match &mut terminate {
            Ok(stream) => stream.recv().await.map_or_else(|| (), |()| ()),
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

/// The signal, once there is one.
pub(crate) async fn signal(interrupt: &watch::Receiver<Option<Signal>>) -> Signal {
    let mut interrupt = interrupt.clone();
    match interrupt.wait_for(Option::is_some).await.map(|signal| *signal) {
        Ok(Some(signal)) => signal,
        _ => std::future::pending().await,
    }
}

/// Stashes uncommitted files, as dpl's `cleanup` does. Says whether there is anything to bring back.
pub(crate) fn stash(host: &Host, tell: &mut dyn FnMut(Event), relay: &dyn Fn(&str)) -> Result<bool, Error> {
    tell(Event::Stage(Stage::Prepare));
    let before = host.git(&["rev-parse", "--verify", "--quiet", "refs/stash"]);
    shell("git stash --all", host, tell, relay)?;
    Ok(host.git(&["rev-parse", "--verify", "--quiet", "refs/stash"]) != before)
}

/// Brings stashed files back. dpl ignores a failure here too; what git says is told.
pub(crate) fn unstash(host: &Host, tell: &mut dyn FnMut(Event), relay: &dyn Fn(&str)) {
    let _ = shell("git stash pop", host, tell, relay);
}

/// Runs the user's commands in order; the first that fails ends it.
pub(crate) fn run_commands(
    commands: &[String],
    host: &Host,
    tell: &mut dyn FnMut(Event),
    relay: &dyn Fn(&str),
) -> Result<(), Error> {
    commands.iter().try_for_each(|command| shell(command, host, tell, relay))
}

/// One command, by `/bin/sh`. What it prints on either stream is passed on line by line.
fn shell(command: &str, host: &Host, tell: &mut dyn FnMut(Event), relay: &dyn Fn(&str)) -> Result<(), Error> {
    tell(Event::Command(command.to_owned()));
    let failed = || Error::Command(command.to_owned());
    let script = format!("exec 2>&1\n{command}");
    let mut child = Command::new("/bin/sh");
    let child = child.args(["-c", &script]).current_dir(&host.directory).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = child.spawn().map_err(|_| failed())?;
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            relay(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
            line.clear();
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(failed()),
    }
}
