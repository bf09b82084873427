//! A service of the CI on the same machine: plain HTTP, JSON, and never long. What fails is left out.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

/// How long each part of one call may take: connecting, sending, answering.
const PATIENCE: Duration = Duration::from_secs(3);

/// The service. One that does not answer is not asked again.
pub(super) struct Service {
    /// `HOST:PORT` to connect to.
    address: String,
    gone: bool,
}

impl Service {
    pub(super) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), gone: false }
    }

    /// Sends JSON. The target is a path, or a whole URL where the service is a proxy.
    pub(super) fn send(&mut self, method: &str, target: &str, body: &Value) {
        if self.gone {
            return;
        }
        match self.answer(method, target, &body.to_string()) {
            Ok(status) if status.split(' ').nth(1).is_some_and(|code| code.starts_with('2')) => {}
            Ok(status) => tracing::debug!("{method} {target} by {} was answered `{}`", self.address, status.trim()),
            Err(error) => {
                tracing::debug!("{method} {target} by {} failed, and nothing more is sent: {error}", self.address);
                self.gone = true;
            }
        }
    }

    fn answer(&self, method: &str, target: &str, body: &str) -> std::io::Result<String> {
        let mut addresses =
            self.address.to_socket_addrs()?.map(|address| TcpStream::connect_timeout(&address, PATIENCE));
        let first = addresses.next().unwrap_or_else(|| Err(std::io::ErrorKind::NotFound.into()));
        let mut stream = first.or_else(|error| addresses.find_map(Result::ok).ok_or(error))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let host =
            target.split_once("://").map_or(self.address.as_str(), |(_, rest)| rest.split('/').next().unwrap_or(rest));
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes())?;
        let mut status = String::new();
        BufReader::new(stream).read_line(&mut status)?;
        Ok(status)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_service_that_never_answers_is_asked_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut service = Service::new(&listener.local_addr().unwrap().to_string());
        let begun = Instant::now();
        for _ in 0..20 {
            service.send("POST", "/x", &Value::Null);
        }
        assert!(service.gone && begun.elapsed() < 3 * PATIENCE);
    }
}
