//! The page "Security" is true: what it says nobody may do has a test.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::harness::Universe;

/// The source of every test, as it is compiled or run.
fn sources() -> String {
    fn below(folder: &Path, out: &mut String) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => below(&path, out),
                Some("rs" | "py") => *out += &fs::read_to_string(path).unwrap(),
                _ => {}
            }
        }
    }
    let mut out = String::new();
    below(Path::new("src"), &mut out);
    below(Path::new("tests"), &mut out);
    out
}

#[test]
fn every_row_of_the_threat_model_has_its_tests() {
    let (page, sources) = (fs::read_to_string("docs/security.md").unwrap(), sources());
    let table = page.split("| who | may | may not |\n| --- | --- | --- |\n").nth(1).unwrap();
    let rows: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 7);
    for row in rows {
        let tests = row.split_once(" <!-- ").and_then(|(_, rest)| rest.strip_suffix(" --> |"));
        for test in tests.unwrap_or_else(|| panic!("no test holds {row}")).split(", ") {
            let is_there = [format!("fn {test}("), format!("\ndef {test}(")].iter().any(|text| sources.contains(text));
            assert!(is_there, "there is no test `{test}`");
        }
    }
}

/// Answers every request alike, and counts the connections.
fn answering(answer: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (endpoint, count) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let head = BufReader::new(&stream).lines().map_while(Result::ok);
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (endpoint, count)
}

/// A job of GitHub with everything that leads to a connection.
fn job(endpoint: &str) -> Universe {
    Universe::at(endpoint)
        .with("GITHUB_ACTIONS", "true")
        .with("CI", "true")
        .with("ACTIONS_ID_TOKEN_REQUEST_URL", &format!("{endpoint}/token?x=y"))
        .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "a-bearer")
        .file("dist/index.py", "def handler(e, c): return 1\n")
        .file("dpl.yml", "deploy:\n  function_name: quiet\n  role: arn:aws:iam::000000000000:role/r\n  runtime: python3.13\n  handler: index.handler\n  zip: dist\n  alias: live\n")
}

#[test]
fn looking_at_files_alone_connects_to_nothing() {
    let (endpoint, count) = answering(String::new());
    let universe = job(&endpoint).with("DPL_LAMBDA_ROLE_TO_ASSUME", "arn:aws:iam::000000000000:role/ci");
    for verb in ["check", "render", "package --output a.zip", "package --list", "policy", "--help", "--version"] {
        universe.run(verb).code(0);
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let _ = universe.run("plan --wait_timeout 1");
    assert!(count.load(Ordering::SeqCst) > 0, "the test sees connections");
}

#[test]
fn a_redirect_is_never_followed() {
    let (elsewhere, followed) = answering(String::new());
    for status in [301, 302, 303, 307, 308] {
        let answer =
            format!("HTTP/1.1 {status} X\r\nLocation: {elsewhere}/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let (endpoint, asked) = answering(answer);
        for role in ["", "arn:aws:iam::000000000000:role/ci"] {
            let universe = job(&endpoint).with("DPL_LAMBDA_ROLE_TO_ASSUME", role);
            let universe = if role.is_empty() {
                universe
            } else {
                universe.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY")
            };
            assert_ne!(universe.run("plan --wait_timeout 3").code, 0);
        }
        assert!(asked.load(Ordering::SeqCst) > 1);
    }
    assert_eq!(followed.load(Ordering::SeqCst), 0);
}
