//! Faults: what AWS, the network or a signal did to a call. Must not know who reports them.

use std::fmt;

use tokio::sync::watch;

/// A failure of AWS, or of the connection to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The kind of failure, which decides the exit code.
    pub kind: FaultKind,
    /// What went wrong, with the message of the service if there is one.
    pub message: String,
    /// What to do about it; absent if the message says it.
    pub help: Option<String>,
    /// Whether AWS may have accepted the failed call.
    pub progress: Progress,
}

/// Whether AWS may have accepted a failed call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The call was not sent, or AWS refused it.
    #[default]
    Nothing,
    /// AWS accepted the call, or may have accepted it.
    Begun,
}

/// The kinds of failure. Each has its own exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// AWS refused the call, or failed.
    Failed,
    /// Credentials are missing or wrong, or lack a permission.
    Denied,
    /// Another program changed the function in the meantime.
    Conflict,
    /// The deadline passed.
    TimedOut,
    /// The configuration cannot be used: a Region is missing, for example.
    Misconfigured,
    /// The new version failed a test.
    Unhealthy,
    /// The process was asked to stop.
    Interrupted(Signal),
}

/// A signal that asks the process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT: ctrl-C.
    Interrupt,
    /// SIGTERM, which a CI sends first.
    Terminate,
    /// No signal of the system: another function failed, without which this one gets no traffic.
    Failure,
}

impl Signal {
    /// The name for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "ctrl-C",
            Self::Terminate => "SIGTERM",
            Self::Failure => "the failure of another function",
        }
    }

    /// Waits for the signal; waits forever if none is sent.
    pub(crate) async fn sent(interrupt: &watch::Receiver<Option<Self>>) -> Self {
        let mut interrupt = interrupt.clone();
        let sent = interrupt.wait_for(Option::is_some).await.map(|signal| *signal);
        match sent {
            Ok(Some(signal)) => signal,
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

impl Fault {
    /// A fault without help. AWS did not accept the call.
    pub(crate) fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None, progress: Progress::Nothing }
    }

    /// Adds help to the fault.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}
