//! The effects of reporting: writes to streams and files, calls of programs and services. In `report`, only the
//! progress bar has effects besides these.
//!
//! Each effect has a short deadline, and each kind of failure is warned about once.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use aws_smithy_http_client::{
    Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::comment::renewal::Renewal;
use super::comment::thread::{Answer, Request};
use super::console::Console;
use super::delivery::{Delivery, Service, Stream, Written};
use super::manner::Format;
use crate::host::Host;
use crate::settings::{Address, Secret};

/// The deadline of a call of a program.
const PROGRAM: Duration = Duration::from_secs(10);

/// The deadline of a call of a service.
const SERVICE: Duration = Duration::from_secs(3);

/// The deadline of all calls for a comment.
const COMMENT: Duration = Duration::from_secs(20);

/// The largest answer of a service that is read: a hundred comments of the longest kind.
const LARGEST: usize = 32 << 20;

/// The interval at which a running program is polled.
const TICK: Duration = Duration::from_millis(10);

/// Makes deliveries, and remembers which programs and services do not respond.
#[derive(Clone)]
pub(super) struct Courier {
    format: Format,
    /// The environment, to find programs.
    host: Host,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    services: BTreeMap<Service, Client>,
    /// The first failure of each program and service.
    troubles: BTreeMap<String, Trouble>,
}

/// A failure of a program or service.
struct Trouble {
    kind: Kind,
    why: String,
    /// Whether a warning about it was already given.
    warned: bool,
}

/// The kind of a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The program is not installed. That is not an error, and the program is not called again.
    Missing,
    /// It does not respond, and is not called again.
    Silent,
    /// It refused a call. Other calls may succeed.
    Refused,
}

impl Kind {
    fn because(self, why: String) -> Trouble {
        Trouble { kind: self, why, warned: false }
    }
}

/// An HTTP client with its own event loop.
struct Client {
    runtime: Runtime,
    connector: Connector,
}

impl Courier {
    /// A courier. With JSON, standard output holds only the document.
    pub(super) fn new(format: Format, host: &Host) -> Self {
        Self { format, host: host.clone(), state: Arc::default() }
    }

    fn state<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes deliveries. Returns a warning for each failure.
    pub(super) fn deliver(&self, deliveries: Vec<Delivery>, console: &Console) -> Vec<String> {
        let failed = |delivery| self.deliver_one(delivery, console).err();
        let warnings: Vec<_> = deliveries.into_iter().filter_map(failed).collect();
        warnings.into_iter().chain(self.troubles()).collect()
    }

    fn deliver_one(&self, delivery: Delivery, console: &Console) -> Result<(), String> {
        match delivery {
            Delivery::Line(stream, text) => console.print(stream, &text),
            Delivery::Command(text) if self.format == Format::Text && !text.is_empty() => {
                console.print(Stream::Output, &text);
            }
            Delivery::Command(_) => {}
            Delivery::Event(line) => Console::event(&line),
            Delivery::Document(text) => console.document(&text),
            Delivery::Append(Written { file, text, failed }) => {
                return append(&file.path, &text).map_err(|error| format!("{failed}: {error}"));
            }
            Delivery::Replace(Written { file, text, failed }) => {
                return file.put(&text).map_err(|error| format!("{failed}: {error}"));
            }
            Delivery::Run { program, arguments, input } => self.run(program, &arguments, &input),
            Delivery::Send { service, method, path, body } => self.send(&service, method, &path, &body),
            Delivery::Comment(renewal) => return renew(&renewal),
            Delivery::InOrder(deliveries) => {
                return deliveries.into_iter().try_for_each(|delivery| self.deliver_one(delivery, console));
            }
            Delivery::Warn(message) => return Err(message),
        }
        Ok(())
    }

    /// Delivers a mask. Returns the CI's command if there is one, because that text must not be redacted.
    pub(super) fn hide(&self, delivery: Delivery) -> Option<String> {
        match delivery {
            Delivery::Command(command) => return Some(command),
            Delivery::Run { program, arguments, input } => self.run(program, &arguments, &input),
            _ => {}
        }
        None
    }

    /// A warning for each new failure of a program or service.
    fn troubles(&self) -> Vec<String> {
        let warning = |(who, trouble): (&String, &mut Trouble)| {
            if std::mem::replace(&mut trouble.warned, true) {
                return None;
            }
            let Trouble { kind, why, .. } = trouble;
            match kind {
                Kind::Missing => {
                    tracing::debug!("skipped calls of `{who}`: {why}");
                    None
                }
                Kind::Silent => Some(format!("{why}, so nothing more is sent to `{who}`")),
                Kind::Refused => Some(why.clone()),
            }
        };
        self.state(|state| state.troubles.iter_mut().filter_map(warning).collect())
    }

    /// Calls a program, unless it failed to respond before.
    fn run(&self, program: &str, arguments: &[String], input: &str) {
        let called = format!("`{program} {}`", arguments.join(" "));
        self.ask(program, |_| {
            let missing = || Kind::Missing.because(format!("cannot run {called}: no folder of PATH has it"));
            match call(&self.host.program(program).ok_or_else(missing)?, arguments, input, PROGRAM) {
                Ok(status) if status.success() => Ok(()),
                Ok(status) => Err(Kind::Refused.because(format!("{called} failed: {status}"))),
                Err(error) => Err(Kind::Silent.because(format!("{called} failed: {error}"))),
            }
        });
    }

    /// Sends JSON to a service, unless it failed to respond before.
    fn send(&self, service: &Service, method: &str, path: &str, body: &Value) {
        self.ask(&service.url, |state| {
            if !state.services.contains_key(service) {
                let failed = |error| Kind::Silent.because(format!("cannot call `{}`: {error}", service.url));
                state.services.insert(service.clone(), Client::of(service).map_err(failed)?);
            }
            let url = format!("{}{path}", service.url);
            let called = format!("`{method} {url}`");
            match state.services.get(service).map(|client| client.send(method, &url, body.to_string(), SERVICE)) {
                Some(Ok(200..=299)) | None => Ok(()),
                Some(Ok(status)) => Err(Kind::Refused.because(format!("{called} returned {status}"))),
                Some(Err(error)) => Err(Kind::Silent.because(format!("{called} failed: {error}"))),
            }
        });
    }

    /// Calls a program or service, unless it failed to respond before. Keeps its first failure.
    fn ask(&self, who: &str, ask: impl FnOnce(&mut State) -> Result<(), Trouble>) {
        self.state(|state| {
            if state.troubles.get(who).is_some_and(|trouble| trouble.kind != Kind::Refused) {
                return;
            }
            if let Err(Trouble { kind, why, .. }) = ask(state) {
                let trouble = state.troubles.entry(who.to_owned()).or_insert_with(|| kind.because(why));
                trouble.kind = kind;
            }
        });
    }
}

impl Client {
    fn of(service: &Service) -> Result<Self, String> {
        Self::by(match &service.proxy {
            Some(proxy) => ProxyConfig::http(proxy.as_str()).map_err(|error| error.to_string())?,
            None => ProxyConfig::disabled(),
        })
    }

    fn by(proxy: ProxyConfig) -> Result<Self, String> {
        let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).proxy_config(proxy);
        // Comes last, because an event loop must not be dropped inside of another one.
        let runtime = Host::event_loop().map_err(|lack| lack.to_string())?;
        Ok(Self { connector: connector.build(), runtime })
    }

    /// One call; returns the status of the response.
    fn send(&self, method: &str, url: &str, body: String, patience: Duration) -> Result<u16, String> {
        let request = with_json(method, url, body)?;
        self.within(patience, async {
            let answer = self.connector.call(request).await.map_err(|error| chain(&error))?;
            Ok(answer.status().as_u16())
        })
    }

    /// One call with a token; returns the whole answer.
    fn exchange(&self, asked: &Request, authorization: &Secret, patience: Duration) -> Result<Answer, String> {
        let body = asked.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut request = with_json(asked.method, &asked.url, body)?;
        let headers = request.headers_mut();
        headers.insert("accept", "application/json");
        headers.insert("user-agent", env!("CARGO_PKG_NAME"));
        // An error would quote the token.
        headers
            .try_insert("authorization", authorization.expose().to_owned())
            .map_err(|_| "the token has characters that no token has".to_owned())?;
        self.within(patience, async {
            let mut answer = self.connector.call(request).await.map_err(|error| chain(&error))?;
            let mut pieces = ByteStream::new(answer.take_body());
            let mut body = Vec::new();
            while let Some(piece) = pieces.try_next().await.map_err(|error| chain(&error))? {
                if body.len() + piece.len() > LARGEST {
                    return Err(format!("the answer is larger than {} MiB", LARGEST >> 20));
                }
                body.extend_from_slice(&piece);
            }
            Ok(answered(&answer, &body))
        })
    }

    /// Waits for a call. Has its own thread, as the caller may be inside an event loop.
    fn within<T: Send>(
        &self,
        patience: Duration,
        call: impl Future<Output = Result<T, String>> + Send,
    ) -> Result<T, String> {
        let answer = || self.runtime.block_on(async { tokio::time::timeout(patience, call).await });
        let answer = thread::scope(|scope| {
            let started = thread::Builder::new().spawn_scoped(scope, answer).map_err(|error| error.to_string())?;
            started.join().map_err(|_| "it stopped without an answer".to_owned())
        });
        answer?.unwrap_or_else(|_| Err(format!("no response within {} s", patience.as_secs())))
    }
}

/// A request with JSON.
fn with_json(method: &str, url: &str, body: String) -> Result<HttpRequest, String> {
    let mut request = HttpRequest::new(body.into());
    request.set_method(method).map_err(|error| error.to_string())?;
    request.set_uri(url).map_err(|error| error.to_string())?;
    request.headers_mut().insert("content-type", "application/json");
    Ok(request)
}

/// What the services of pull requests say in an answer.
fn answered(answer: &HttpResponse, body: &[u8]) -> Answer {
    let header = |name: &str| answer.headers().get(name).unwrap_or_default();
    Answer {
        status: answer.status().as_u16(),
        // The address of the page is not used: the token would go to wherever it leads.
        has_next: header("link").split(',').any(|link| link.contains("rel=\"next\"")),
        is_limited: !header("retry-after").is_empty() || header("x-ratelimit-remaining") == "0",
        body: serde_json::from_slice(body).unwrap_or_default(),
    }
}

/// Renews a comment within its deadline.
fn renew(renewal: &Renewal) -> Result<(), String> {
    let begun = Instant::now();
    let is_here = Address::parse(renewal.api()).is_some_and(|address| address.is_here());
    let client = Client::by(if is_here { ProxyConfig::disabled() } else { ProxyConfig::from_env() });
    renewal.carry_out(|request| {
        let client = client.as_ref().map_err(Clone::clone)?;
        let patience = COMMENT.saturating_sub(begun.elapsed());
        let url = request.url.split('?').next().unwrap_or_default();
        let failed = |error| format!("`{} {url}` failed: {error}", request.method);
        client.exchange(request, renewal.authorization(), patience).map_err(failed)
    })
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Runs a program until it ends, or kills it at the deadline.
fn call(program: &Path, arguments: &[String], input: &str, patience: Duration) -> io::Result<ExitStatus> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    // A thread writes, because a program that does not read would block us.
    let (stdin, input) = (child.stdin.take(), input.to_owned());
    let write = move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes()));
    if let Err(error) = thread::Builder::new().spawn(write) {
        end(&mut child);
        return Err(error);
    }
    let begun = Instant::now();
    while begun.elapsed() < patience {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::sleep(TICK);
    }
    end(&mut child);
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("still running after {} s", patience.as_secs())))
}

/// Ends a program. `kill` fails if it has just ended by itself.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Appends to a file. Starts a new line first if the last one has no line break.
fn append(file: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(file)?;
    let mut last = [b'\n'];
    if file.metadata()?.is_file() && file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let break_line = if last == [b'\n'] { "" } else { "\n" };
    file.write_all(format!("{break_line}{text}").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use std::net::TcpListener;

    use super::*;

    fn console() -> Console {
        Console::default()
    }

    fn courier() -> Courier {
        Courier::new(Format::Text, &Host::of_process())
    }

    fn run(program: &'static str) -> Delivery {
        Delivery::Run { program, arguments: vec!["x".to_owned()], input: String::new() }
    }

    #[test]
    fn a_program_that_hangs_holds_nobody_up() {
        let begun = Instant::now();
        let long = "more than fits into a pipe".repeat(10_000);
        let error = call(Path::new("sleep"), &["60".to_owned()], &long, Duration::from_millis(50)).unwrap_err();
        assert!(error.kind() == io::ErrorKind::TimedOut && begun.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn a_program_that_fails_is_a_warning_and_one_that_is_missing_is_none() {
        for (program, expected) in [("false", 1), ("no-such-program-anywhere", 0), ("true", 0)] {
            let courier = courier();
            let warnings = courier.deliver(vec![run(program), run(program)], &console());
            assert_eq!(warnings.len(), expected, "{program}");
        }
    }

    #[test]
    fn a_service_that_never_answers_is_asked_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Service { url: format!("http://{}", listener.local_addr().unwrap()), proxy: None };
        let send = || Delivery::Send { service: service.clone(), method: "POST", path: "/x".into(), body: Value::Null };
        let (courier, begun) = (courier(), Instant::now());
        let troubles = courier.deliver((0..20).map(|_| send()).collect(), &console());
        assert!(begun.elapsed() < 2 * SERVICE);
        assert!(
            matches!(&troubles[..], [only] if only.contains("/x` failed: no response within 3 s, so nothing more is sent")),
            "{troubles:?}"
        );
    }

    #[test]
    fn a_service_is_asked_by_a_proxy_also_from_within_an_event_loop() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Some(format!("http://{}", listener.local_addr().unwrap()));
        let answering = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            while !request.ends_with("{\"a\":1}") {
                let mut bytes = [0; 4096];
                let read = stream.read(&mut bytes).unwrap();
                request += &String::from_utf8_lossy(&bytes[..read]);
            }
            stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
            request.to_ascii_lowercase()
        });
        let service = Service { url: "http://api.example.org/2.0".to_owned(), proxy };
        let body = serde_json::json!({"a": 1});
        let send = Delivery::Send { service, method: "PUT", path: "/x".into(), body };
        let courier = courier();
        let within = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let troubles = within.block_on(async { courier.deliver(vec![send], &console()) });
        let request = answering.join().unwrap();
        assert!(request.starts_with("put http://api.example.org/2.0/x http/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nhost: api.example.org\r\n") && request.contains("application/json"), "{request}");
        assert!(troubles[0].ends_with("`PUT http://api.example.org/2.0/x` returned 403"), "{troubles:?}");
    }

    #[test]
    fn what_is_appended_begins_on_a_line_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("outputs");
        for (before, after) in [("", "b=2\n"), ("a=1\n", "a=1\nb=2\n"), ("a=1", "a=1\nb=2\n")] {
            fs::write(&file, before).unwrap();
            append(&file, "b=2\n").unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), after);
        }
        append(Path::new("/dev/null"), "x").unwrap();
    }

    #[test]
    fn what_comes_after_a_failure_is_not_delivered() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str| Written {
            file: directory.path().join(name).into(),
            text: "x".to_owned(),
            failed: "it could not be written".to_owned(),
        };
        let in_order = vec![Delivery::Append(write("no/b")), Delivery::Replace(write("c"))];
        let deliveries = vec![Delivery::InOrder(in_order), Delivery::Replace(write("new/a"))];
        let warnings = courier().deliver(deliveries, &console());
        assert!(matches!(&warnings[..], [only] if only.starts_with("it could not be written: ")), "{warnings:?}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(directory.path().join("new/a")).unwrap(), "x");
    }
}
