//! Stands between the program and AWS' side of a test, and holds each request against AWS' model.

use std::{
    io::{self, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use super::{model, request::Request};

/// A relay on a port of its own. It passes on every byte as it comes. When it ends, it fails the test whose program sent
/// a request that AWS would refuse.
pub struct Relay {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    faults: Arc<Mutex<Vec<String>>>,
    accepting: Option<JoinHandle<Vec<JoinHandle<()>>>>,
}

impl Relay {
    /// Stands before an endpoint, `http://ADDRESS`.
    pub fn before(endpoint: &str) -> Self {
        let upstream = endpoint.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (ended, faults) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (until, found) = (Arc::clone(&ended), Arc::clone(&faults));
        let accepting = thread::spawn(move || {
            let mut connections = Vec::new();
            for stream in listener.incoming().flatten() {
                if until.load(Ordering::Relaxed) {
                    break;
                }
                let (upstream, found) = (upstream.clone(), Arc::clone(&found));
                connections.push(thread::spawn(move || pass(stream, &upstream, &found).unwrap_or_default()));
            }
            connections
        });
        Self { address, ended, faults, accepting: Some(accepting) }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        // A program of a test that has failed may still run.
        if thread::panicking() {
            return;
        }
        for connection in self.accepting.take().into_iter().flat_map(|accepting| accepting.join().unwrap()) {
            connection.join().unwrap();
        }
        let faults = self.faults.lock().unwrap();
        assert!(faults.is_empty(), "AWS would refuse what the program sent\n{}", faults.join("\n"));
    }
}

/// Passes on a connection, and checks what comes from the program.
fn pass(program: TcpStream, upstream: &str, faults: &Mutex<Vec<String>>) -> io::Result<()> {
    let aws = TcpStream::connect(upstream)?;
    program.set_nodelay(true)?;
    aws.set_nodelay(true)?;
    let (mut back_from, mut back_to) = (aws.try_clone()?, program.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut back_from, &mut back_to);
        let _ = back_to.shutdown(Shutdown::Write);
    });
    let mut passing = BufReader::with_capacity(1 << 16, Passing { from: program, to: aws });
    while let Some(request) = Request::read(&mut passing) {
        faults.lock().unwrap().extend(model::faults(&request));
    }
    passing.get_ref().to.shutdown(Shutdown::Write)
}

/// Passes on all that is read.
struct Passing {
    from: TcpStream,
    to: TcpStream,
}

impl Read for Passing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.to.write_all(&buffer[..count])?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use crate::harness::{Aws, Kind, Universe, emulator};

    /// Asks AWS by the endpoint that a program of the universe has.
    fn asks(path: &str) {
        let universe = Universe::at(&emulator(Kind::Ministack).endpoint);
        let endpoint = universe.shell("printf %s $AWS_ENDPOINT_URL").code(0).stdout;
        let (status, _) = Aws::of(&endpoint).call("lambda", "GET", path, "");
        assert_eq!(status, 200);
    }

    #[test]
    fn what_aws_accepts_is_passed_on() {
        asks("/2015-03-31/functions?MaxItems=50");
    }

    #[test]
    #[should_panic = "ListFunctions: MaxItems: has 0 as its value, fewer than 1"]
    fn a_test_fails_when_only_the_emulator_accepts_a_request() {
        asks("/2015-03-31/functions?MaxItems=0");
    }

    #[test]
    #[should_panic = "ListFunctions: Every: is no member"]
    fn a_test_fails_when_a_parameter_is_unknown() {
        asks("/2015-03-31/functions?Every=1");
    }
}
