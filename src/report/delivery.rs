//! Deliveries: the output of the observers, as data. [`deliver`](super::deliver) makes them.

use serde_json::Value;

use super::comment::renewal::Renewal;
use crate::files::Destination;

/// An output for people, the CI or other programs. Its texts are already redacted and escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Delivery {
    /// Text for the log.
    Line(Stream, String),
    /// Commands for the CI that reads the log. Left out if standard output is a document.
    Command(String),
    /// A line of JSON about an event, for standard error.
    Event(String),
    /// The result that standard output is for.
    Document(String),
    /// Text to append to a file. Other programs append to it too.
    Append(Written),
    /// The whole text of a file.
    Replace(Written),
    /// A call of the CI's program. Values go to standard input, because every process of the machine can see arguments.
    Run { program: &'static str, arguments: Vec<String>, input: String },
    /// A call of the CI's service.
    Send { service: Service, method: &'static str, path: String, body: Value },
    /// The comment on the pull request.
    Comment(Renewal),
    /// Deliveries to make one after the other.
    InOrder(Vec<Self>),
    /// A warning that something cannot be delivered.
    Warn(String),
}

/// A text and the file it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub file: Destination,
    pub text: String,
    /// The beginning of the warning if the write fails: "the outputs could not be written to …".
    pub failed: String,
}

/// Standard output or standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Output,
    Error,
}

/// A service of the CI, on the same machine, by plain HTTP.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Service {
    /// The URL that paths are appended to.
    pub url: String,
    /// The proxy to use; absent: none.
    pub proxy: Option<String>,
}
