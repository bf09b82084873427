//! A proxy between the tool and an emulator: counts calls, and makes chosen ones go wrong.

use std::{
    io::{BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use super::{model, request::Request};

/// What happens to a call.
#[derive(Clone)]
pub enum Fault {
    /// It is answered like this and never reaches AWS.
    Answer(u16, &'static str, &'static str),
    /// AWS answers, but these headers and this body arrive instead.
    Instead(u16, String),
    /// S3 answers that the bucket is in this Region.
    Elsewhere(&'static str),
    /// The connection breaks before AWS hears of it.
    ResetBefore,
    /// AWS does it, but the answer is lost.
    ResetAfter,
    /// AWS answers, but a web page arrives instead.
    PageAfter,
    /// AWS hears of it this much later.
    Slow(Duration),
    /// The request is read, and nobody ever answers.
    Silent,
    /// Nobody reads the body of the request, at every call. Works for operations that the head names.
    Deaf,
    /// AWS answers, but only half of the answer arrives.
    Half,
    /// AWS answers, but one byte a second arrives.
    Trickle,
    /// A web page arrives instead of an answer, and AWS never hears of the call.
    Page,
    /// This happens first, then AWS hears of it.
    First(Arc<dyn Fn() + Send + Sync>),
    /// AWS answers, this happens, then the answer arrives.
    Then(Arc<dyn Fn() + Send + Sync>),
}

struct Rule {
    which: Which,
    fault: Fault,
}

/// The calls that go wrong.
enum Which {
    /// The nth call of an operation, counted from 1; 0 is every one. `*` is any operation.
    Call(String, usize),
    /// This call of an operation, and every later one.
    From(String, usize),
    /// The nth call of an operation about a function; 0 is every one.
    Of(String, String, usize),
    /// The nth call that changes something.
    Write(usize),
}

impl Which {
    /// Whether calls of this operation are meant.
    fn is_of(&self, operation: &str) -> bool {
        matches!(self, Self::Call(name, _) | Self::From(name, _) if name == operation)
    }

    /// Whether the newest of the calls is meant.
    fn is_hit(&self, calls: &[Call]) -> bool {
        let Some(newest) = calls.last().map(|call| &call.operation) else { return false };
        let nth = || calls.iter().filter(|call| call.operation == *newest).count();
        match self {
            Self::Call(operation, number) => {
                (operation == newest || operation == "*") && (*number == 0 || *number == nth())
            }
            Self::From(operation, number) => operation == newest && nth() >= *number,
            Self::Of(operation, function, number) => {
                let about = |call: &&Call| call.operation == *operation && call.is_about(function);
                let nth = calls.iter().filter(about).count();
                calls.last().as_ref().is_some_and(about) && (*number == 0 || *number == nth)
            }
            Self::Write(number) => {
                changes(newest) && calls.iter().filter(|call| changes(&call.operation)).count() == *number
            }
        }
    }
}

/// Whether an operation changes something.
fn changes(operation: &str) -> bool {
    !["Get", "List", "Head", "Assume", "Describe", "BatchGet", "Filter", "Simulate"]
        .iter()
        .any(|read| operation.starts_with(read))
}

/// A request as it arrived.
#[derive(Clone)]
pub struct Call {
    pub operation: String,
    pub head: String,
    pub body: String,
}

impl Call {
    /// The path and the query.
    pub fn address(&self) -> (&str, &str) {
        let address = self.head.split(' ').nth(1).unwrap_or_default();
        address.split_once('?').unwrap_or((address, ""))
    }

    /// Whether the path names this function.
    fn is_about(&self, function: &str) -> bool {
        self.address().0.split('/').any(|part| part == function)
    }
}

/// A played answer: the status, the code of an error, the body.
pub type Played = (u16, &'static str, serde_json::Value);

/// Answers the calls.
pub type Player = Arc<dyn Fn(&Call) -> Played + Send + Sync>;

/// What a proxy stands before.
#[derive(Clone)]
enum Upstream {
    /// The control plane of an emulator, by its address.
    Emulator(String),
    /// Played answers.
    Played(Player),
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    calls: Vec<Call>,
}

/// A proxy on a port of its own.
#[derive(Clone)]
pub struct Proxy {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// Stands before the control plane at an endpoint.
    pub fn before(endpoint: &str) -> Self {
        Self::onto(Upstream::Emulator(endpoint.trim_start_matches("http://").to_owned()))
    }

    /// Stands before nothing: answers are played.
    pub fn playing(player: Player) -> Self {
        Self::onto(Upstream::Played(player))
    }

    fn onto(upstream: Upstream) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { endpoint: format!("http://{}", listener.local_addr().unwrap()), state: Arc::default() };
        let state = Arc::clone(&proxy.state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, upstream) = (Arc::clone(&state), upstream.clone());
                thread::spawn(move || serve(&stream, &upstream, &state));
            }
        });
        proxy
    }

    /// Makes the nth call of an operation go wrong; 0 is every call.
    pub fn on(&self, operation: &str, nth: usize, fault: Fault) -> &Self {
        self.rule(Which::Call(operation.to_owned(), nth), fault)
    }

    /// Makes the nth call of an operation and all later ones go wrong.
    pub fn on_from(&self, operation: &str, nth: usize, fault: Fault) -> &Self {
        self.rule(Which::From(operation.to_owned(), nth), fault)
    }

    /// Makes the nth call of an operation about a function go wrong; 0 is every call.
    pub fn on_of(&self, operation: &str, function: &str, nth: usize, fault: Fault) -> &Self {
        self.rule(Which::Of(operation.to_owned(), function.to_owned(), nth), fault)
    }

    /// Makes the nth call that changes something go wrong.
    pub fn on_write(&self, nth: usize, fault: Fault) -> &Self {
        self.rule(Which::Write(nth), fault)
    }

    fn rule(&self, which: Which, fault: Fault) -> &Self {
        self.state.lock().unwrap().rules.push(Rule { which, fault });
        self
    }

    /// The operations called so far, in order.
    pub fn calls(&self) -> Vec<String> {
        self.state.lock().unwrap().calls.iter().map(|call| call.operation.clone()).collect()
    }

    /// The operations called so far that change something.
    pub fn writes(&self) -> Vec<String> {
        self.calls().into_iter().filter(|operation| changes(operation)).collect()
    }

    /// Bodies of all calls of an operation.
    pub fn bodies(&self, operation: &str) -> Vec<serde_json::Value> {
        self.requests(operation).iter().map(|call| serde_json::from_str(&call.body).unwrap_or_default()).collect()
    }

    /// All calls of an operation, as they arrived.
    pub fn requests(&self, operation: &str) -> Vec<Call> {
        let calls = &self.state.lock().unwrap().calls;
        calls.iter().filter(|call| call.operation == operation).cloned().collect()
    }

    /// Makes nothing go wrong any more.
    pub fn clear(&self) {
        self.state.lock().unwrap().rules.clear();
    }

    pub fn forget_calls(&self) {
        self.state.lock().unwrap().calls.clear();
    }
}

/// The operation of a request; for one that AWS does not have, method and path.
fn operation(request: &Request) -> String {
    match model::operation(request) {
        Some(name) => name.to_owned(),
        None => format!("{} {}", request.method(), request.path()),
    }
}

/// Keeps a connection open and says nothing, until the other side closes it.
fn hang(mut stream: &TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

fn serve(stream: &TcpStream, upstream: &Upstream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let Some(mut request) = Request::read_head(&mut reader) else { return };
    {
        let (mut state, operation) = (state.lock().unwrap(), operation(&request));
        if state.rules.iter().any(|rule| matches!(rule.fault, Fault::Deaf) && rule.which.is_of(&operation)) {
            state.calls.push(Call { operation, head: request.head, body: String::new() });
            drop(state);
            return thread::sleep(Duration::from_mins(5));
        }
    }
    if request.read_body(&mut reader).is_none() {
        return;
    }
    let name = operation(&request);
    let Request { head, body } = request;
    let text = String::from_utf8_lossy(&body).into_owned();
    let call = Call { operation: name.clone(), head: head.clone(), body: text };
    let faults: Vec<_> = {
        let mut state = state.lock().unwrap();
        state.calls.push(call.clone());
        let hit = |rule: &&Rule| rule.which.is_hit(&state.calls);
        state.rules.iter().filter(hit).map(|rule| rule.fault.clone()).collect()
    };
    let mut after = Vec::new();
    for fault in faults {
        match fault {
            Fault::Answer(status, code, message) => {
                return refuse(stream, &head, status, code, message);
            }
            Fault::Elsewhere(region) => {
                return answer(stream, 301, &format!("x-amz-bucket-region: {region}"), "");
            }
            Fault::ResetBefore => return reset(stream),
            Fault::Silent => return hang(stream),
            Fault::Page => return send(stream, 200, "text/html; charset=utf-8", "x-by: portal", PAGE),
            Fault::Slow(delay) => thread::sleep(delay),
            Fault::First(action) => action(),
            later => after.push(later),
        }
    }
    let result = match upstream {
        Upstream::Emulator(address) => forward(address, &head, &body),
        Upstream::Played(player) => Some(played(player(&call))),
    };
    let Some(result) = result else { return reset(stream) };
    for fault in after {
        match fault {
            Fault::ResetAfter => return reset(stream),
            Fault::Then(action) => action(),
            Fault::Half => {
                let _ = (&mut { stream }).write_all(&result[..result.len() - 1 - result.len() / 8]);
                return hang(stream);
            }
            Fault::Trickle => {
                let trickled = |byte: &u8| {
                    thread::sleep(Duration::from_secs(1));
                    (&mut { stream }).write_all(&[*byte]).is_ok()
                };
                result.iter().all(trickled);
                return;
            }
            Fault::Instead(status, body) => return answer(stream, status, "x-by: proxy", &body),
            Fault::PageAfter => return send(stream, 200, "text/html; charset=utf-8", "x-by: portal", PAGE),
            _ => {}
        }
    }
    let mut stream = stream;
    let _ = stream.write_all(&result);
    let _ = stream.shutdown(Shutdown::Both);
}

fn forward(upstream: &str, head: &str, body: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(upstream).ok()?;
    let head: String = head
        .lines()
        .filter(|line| !line.is_empty() && !line.to_ascii_lowercase().starts_with("connection:"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut result = Vec::new();
    stream.read_to_end(&mut result).ok()?;
    Some(result)
}

/// The page that a network shows to those who have not logged in.
const PAGE: &str = "<!DOCTYPE html><html><body>Please log in</body></html>";

fn played((status, code, body): Played) -> Vec<u8> {
    let header = if code.is_empty() { "x-by: record".to_owned() } else { format!("x-amzn-errortype: {code}") };
    response(status, "application/json", &header, &body.to_string())
}

fn answer(stream: &TcpStream, status: u16, header: &str, body: &str) {
    send(stream, status, "application/json", header, body);
}

fn send(mut stream: &TcpStream, status: u16, kind: &str, header: &str, body: &str) {
    let _ = stream.write_all(&response(status, kind, header, body));
    let _ = stream.shutdown(Shutdown::Both);
}

/// Refuses a call in the form of its service.
fn refuse(stream: &TcpStream, head: &str, status: u16, code: &str, message: &str) {
    let of = |service: &str| head.contains(&format!("/{service}/aws4_request"));
    let words = format!("<Code>{code}</Code><Message>{message}</Message>");
    if of("s3") {
        send(stream, status, "application/xml", "x-by: proxy", &format!("<Error>{words}</Error>"));
    } else if ["iam", "sts", "cloudformation"].into_iter().any(of) {
        let body = format!("<ErrorResponse><Error><Type>Sender</Type>{words}</Error></ErrorResponse>");
        send(stream, status, "text/xml", "x-by: proxy", &body);
    } else {
        let body = serde_json::json!({ "Type": "User", "message": message, "Message": message }).to_string();
        answer(stream, status, &format!("x-amzn-errortype: {code}"), &body);
    }
}

fn response(status: u16, kind: &str, header: &str, body: &str) -> Vec<u8> {
    let text = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{header}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    text.into_bytes()
}

fn reset(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Both);
}
