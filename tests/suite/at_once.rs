//! Many functions at once: the budget of calls, the order of the lines, failures and signals.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{Aws, Proxy, Universe, emulator, on_both};

const PYTHON: &str = "def handler(event, context):\n    return 1\n";

/// What the service does with a call.
#[derive(Clone, Copy)]
pub enum Rule {
    Answer(Duration),
    Refuse(u16, &'static str),
}

const AFTER: Rule = Rule::Answer(Duration::from_millis(50));

/// What the service has seen.
#[derive(Default)]
struct Seen {
    functions: BTreeMap<String, Value>,
    /// Each call with its time.
    calls: Vec<(Instant, String)>,
    now: usize,
    most_at_once: usize,
}

/// A service that keeps functions in memory. All exist at the beginning, except for those with `new` in their name.
pub struct Service {
    pub endpoint: String,
    seen: Arc<Mutex<Seen>>,
}

impl Service {
    pub fn new(rule: impl Fn(&str, &str, usize) -> Rule + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Seen>>::default();
        let (shared, rule) = (Arc::clone(&seen), Arc::new(rule));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, rule) = (Arc::clone(&shared), Arc::clone(&rule));
                thread::spawn(move || {
                    stream.set_nodelay(true).unwrap();
                    let mut reader = BufReader::new(&stream);
                    while let Some((method, path, body)) = request(&mut reader) {
                        let name = body["FunctionName"].as_str().or_else(|| path.split('/').nth(3));
                        let name = name.unwrap_or_default().to_owned();
                        let nth = {
                            let mut seen = seen.lock().unwrap();
                            seen.calls.push((Instant::now(), format!("{method} {path}")));
                            seen.now += 1;
                            seen.most_at_once = seen.most_at_once.max(seen.now);
                            seen.calls.len()
                        };
                        let (status, error, answer) = match rule(&method, &name, nth) {
                            Rule::Refuse(status, error) => (status, error, json!({ "message": "no" })),
                            Rule::Answer(delay) => {
                                thread::sleep(delay);
                                answer(&method, &name, &body, &mut seen.lock().unwrap().functions)
                            }
                        };
                        seen.lock().unwrap().now -= 1;
                        let answer = answer.to_string();
                        let error =
                            if error.is_empty() { String::new() } else { format!("X-Amzn-Errortype: {error}\r\n") };
                        let head = format!("HTTP/1.1 {status} X\r\n{error}Content-Length: {}\r\n\r\n", answer.len());
                        if (&stream).write_all(format!("{head}{answer}").as_bytes()).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { endpoint, seen }
    }

    fn most_at_once(&self) -> usize {
        self.seen.lock().unwrap().most_at_once
    }

    /// The times of the calls of a kind, and then no more of them.
    pub fn take(&self, method: &str) -> Vec<Instant> {
        let calls = std::mem::take(&mut self.seen.lock().unwrap().calls);
        calls.into_iter().filter(|(_, call)| call.starts_with(method)).map(|(at, _)| at).collect()
    }
}

fn request(reader: &mut impl BufRead) -> Option<(String, String, Value)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut line = head.split(' ').map(str::to_owned);
    Some((line.next()?, line.next()?, serde_json::from_slice(&body).unwrap_or_default()))
}

fn answer(
    method: &str,
    name: &str,
    body: &Value,
    functions: &mut BTreeMap<String, Value>,
) -> (u16, &'static str, Value) {
    let function = || {
        json!({
            "FunctionName": name, "FunctionArn": format!("arn:aws:lambda:us-east-1:000000000000:function:{name}"),
            "Role": "arn:aws:iam::000000000000:role/r", "Runtime": "python3.12", "Handler": "index.handler",
            "State": "Active", "LastUpdateStatus": "Successful", "RevisionId": "1", "PackageType": "Zip",
            "Timeout": 3, "MemorySize": 128, "CodeSha256": "old", "Architectures": ["x86_64"],
        })
    };
    if method == "POST" || !name.contains("new") {
        functions.entry(name.to_owned()).or_insert_with(function);
    }
    match (method, functions.get_mut(name)) {
        (_, None) => (404, "ResourceNotFoundException", json!({ "Type": "User", "Message": "Function not found" })),
        ("POST", Some(config)) => {
            config["CodeSha256"] = sha_of(body["Code"]["ZipFile"].as_str().unwrap_or_default());
            (201, "", config.clone())
        }
        ("PUT", Some(config)) => {
            for key in ["Timeout", "MemorySize"] {
                if !body[key].is_null() {
                    config[key] = body[key].clone();
                }
            }
            (200, "", config.clone())
        }
        (_, Some(config)) => (200, "", json!({ "Configuration": config, "Code": { "RepositoryType": "S3" } })),
    }
}

fn sha_of(zip: &str) -> Value {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};
    STANDARD.encode(Sha256::digest(STANDARD.decode(zip).unwrap_or_default())).into()
}

/// A universe with blocks for the settings of functions that exist.
fn settings(service: &Service, names: &[String], more: &str) -> Universe {
    let blocks: String =
        names.iter().map(|name| format!("  - {{function_name: {name}, only: settings{more}}}\n")).collect();
    Universe::at(&service.endpoint).file("dpl.yml", format!("deploy:\n{blocks}"))
}

fn names(number: usize) -> Vec<String> {
    (0..number).map(|number| format!("fn-{number:03}")).collect()
}

#[test]
fn two_hundred_unchanged_functions_take_one_call_each_and_many_at_once() {
    let service = Service::new(|_, _, _| AFTER);
    let universe = settings(&service, &names(200), ", timeout: 3");
    let begun = Instant::now();
    universe.run("--parallel 16").code(0).says("200 unchanged in");
    let took = begun.elapsed();
    assert_eq!(service.take("").len(), 200);
    assert!((2..=16).contains(&service.most_at_once()), "{}", service.most_at_once());
    // One after another they take ten seconds.
    assert!(took < Duration::from_secs(9), "{took:?}");
    service.seen.lock().unwrap().most_at_once = 0;
    settings(&service, &names(5), ", timeout: 3, parallel: 1").run("").code(0).says("5 unchanged");
    assert_eq!(service.most_at_once(), 1);
}

#[test]
fn the_lines_are_those_of_a_run_one_after_another() {
    // The first functions take longest.
    let slow = |_: &str, name: &str, _| {
        let number: u64 = name.trim_start_matches("fn-").parse().unwrap_or(0);
        Rule::Answer(Duration::from_millis(200 / (number + 1)))
    };
    let blocks =
        |universe: &Universe| universe.read("dpl.yml").replace("fn-003,", "fn-003, run: ['echo after three'],");
    for line in ["plan", "--ci github", "--ci travis", "--ci gitlab", "--format json"] {
        let [one, many] = ["--parallel 1", "--parallel 8"].map(|parallel| {
            let service = Service::new(slow);
            let universe = settings(&service, &names(12), ", timeout: 9");
            universe.write("dpl.yml", blocks(&universe));
            let outcome = universe.run(&format!("{line} {parallel}")).code(0);
            assert_eq!(service.most_at_once() > 1, parallel.ends_with('8'));
            // Times differ from run to run, and are no part of the order.
            let digits = |text: &str| text.replace(|c: char| c.is_ascii_digit() || c == '.', "");
            let text = outcome.stdout.lines().filter(|line| !line.contains("travis_time")).map(|line| {
                let (before, after) =
                    line.split_once(" in ").or_else(|| line.split_once("section_")).unwrap_or((line, ""));
                if line.contains(" s") || line.contains("seconds") || line.contains("section_") {
                    digits(before)
                } else {
                    format!("{before}{after}")
                }
            });
            text.collect::<Vec<_>>().join("\n")
        });
        assert_eq!(one, many, "{line}");
        assert!(one.find("fn-").is_some(), "{one}");
    }
}

#[test]
fn after_a_failure_no_other_function_begins_unless_the_run_keeps_going() {
    let rule = |method: &str, name: &str, _| match (method, name) {
        ("PUT", "fn-002") => Rule::Refuse(400, "InvalidParameterValueException"),
        ("PUT", "fn-004") => Rule::Refuse(403, "AccessDeniedException"),
        _ => AFTER,
    };
    let service = Service::new(rule);
    let universe = settings(&service, &names(30), ", timeout: 9");
    let outcome =
        universe.run("--parallel 2").code(1).says("not deployed after the failure: ").says("keep_going: true");
    outcome.says("1 failed");
    let puts = service.take("PUT").len();
    assert!((3..=4).contains(&puts), "{puts}");
    let outcome = universe.run("--keep_going --parallel 4").code(4).says("2 failed");
    assert!(!outcome.all().contains("not deployed after"), "{}", outcome.all());
    assert!(outcome.all().find("fn-002").unwrap() < outcome.all().find("fn-004").unwrap());
    // What ended before is unchanged now.
    assert_eq!(service.take("PUT").len(), 30 - (puts - 1));
    universe.run("--parallel 33").code(3).says("parallel: must be between 1 and 32 functions, got 33");
}

#[test]
fn an_allowed_failure_stops_no_other_function() {
    let rule = |method: &str, name: &str, _| match (method, name) {
        ("GET", "fn-001") => Rule::Refuse(403, "AccessDeniedException"),
        _ => AFTER,
    };
    let service = Service::new(rule);
    let universe = settings(&service, &names(6), ", timeout: 9");
    universe.write("dpl.yml", universe.read("dpl.yml").replace("fn-001,", "fn-001, allow_failure: true,"));
    universe.run("").code(0).says("this failure is allowed").says("5 updated");
    assert_eq!(service.take("PUT").len(), 5);
}

#[test]
fn no_second_has_more_writes_than_aws_takes() {
    let service = Service::new(|_, _, _| Rule::Answer(Duration::from_millis(5)));
    let names: Vec<_> = (0..40).map(|number| format!("new-{number:03}")).collect();
    let more = "role: arn:aws:iam::000000000000:role/r, runtime: python3.12, handler: index.handler, zip: dist";
    let blocks: String = names.iter().map(|name| format!("  - {{function_name: {name}, {more}}}\n")).collect();
    let universe = Universe::at(&service.endpoint).file("dist/index.py", "x = 1\n");
    let universe = universe.file("dpl.yml", format!("deploy:\n{blocks}"));
    universe.run("--parallel 32").code(0).says("40 created");
    let times = service.take("POST");
    assert_eq!(times.len(), 40);
    for (index, time) in times.iter().enumerate() {
        let within = times[index..].iter().filter(|other| **other < *time + Duration::from_secs(1)).count();
        // Calls of a busy machine arrive closer together than they began.
        assert!(within <= 20, "{within} calls in a second");
    }
}

#[test]
fn functions_wait_out_a_storm_of_refusals_together() {
    // Other users of the account leave four writes a second.
    let taken = Mutex::new(Vec::<Instant>::new());
    let rule = move |method: &str, _: &str, _| {
        let mut taken = taken.lock().unwrap();
        taken.retain(|at| at.elapsed() < Duration::from_secs(1));
        if method == "PUT" && taken.len() >= 4 {
            return Rule::Refuse(429, "TooManyRequestsException");
        }
        taken.extend((method == "PUT").then(Instant::now));
        Rule::Answer(Duration::from_millis(5))
    };
    let service = Service::new(rule);
    let universe = settings(&service, &names(24), ", timeout: 9");
    universe.run("--parallel 12").code(0).says("24 updated");
    assert!(service.take("PUT").len() < 24 * 3);
}

#[test]
fn a_signal_ends_those_in_progress_and_begins_no_other() {
    let service =
        Service::new(|method, _, _| Rule::Answer(Duration::from_millis(if method == "PUT" { 700 } else { 5 })));
    let universe = settings(&service, &names(40), ", timeout: 9, keep_going: true");
    let child = universe.start("--parallel 4");
    while !service.seen.lock().unwrap().calls.iter().any(|(_, call)| call.starts_with("PUT")) {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(200));
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(143), "{text}");
    assert!(text.contains("not deployed after the failure: "), "{text}");
    assert!(!text.contains("keep_going"), "{text}");
    assert!(service.take("PUT").len() <= 8, "{text}");
}

#[test]
fn a_package_is_sent_to_its_bucket_once() {
    on_both(|kind| {
        let proxy = Proxy::before(&emulator(kind).endpoint);
        Aws::of(&emulator(kind).endpoint).make_bucket("sent-at-once");
        let more = format!(
            "role: 'arn:aws:iam::{}:role/deployed', runtime: python3.12, handler: index.handler, s3_bucket: sent-at-once",
            kind.account()
        );
        let block = |name: &str, more_still: &str| format!("  - {{function_name: {name}, {more}, {more_still}}}\n");
        let blocks: String = (0..6).map(|number| block(&format!("sent-at-once-{number}"), "zip: dist")).collect();
        let universe =
            Universe::at(&proxy.endpoint).file("dist/index.py", PYTHON).file("other/index.py", "OTHER = 1\n");
        universe.write("dpl.yml", format!("deploy:\n{blocks}"));
        universe.run("").code(0).says("6 created");
        let calls = proxy.calls();
        for operation in ["PutObject", "HeadObject"] {
            assert_eq!(calls.iter().filter(|call| *call == operation).count(), 1, "{calls:?}");
        }
        universe.run("").code(0).says("6 unchanged");
        // A key that two packages share holds each of them until Lambda has taken it.
        let shared: String = ["a", "b", "c", "d"]
            .map(|name| {
                let zip = if name < "c" { "dist" } else { "other" };
                block(&format!("shared-key-{name}"), &format!("zip: {zip}, s3_key: shared.zip"))
            })
            .concat();
        universe.write("dpl.yml", format!("deploy:\n{shared}"));
        universe.run("").code(0).says("4 created");
        universe.run("").code(0).says("4 unchanged");
    });
}

#[test]
fn the_commands_of_one_function_run_without_those_of_another() {
    let service = Service::new(|_, _, _| AFTER);
    // A folder can be made once only, until it is removed.
    let universe = settings(&service, &names(6), ", timeout: 9, run: ['mkdir taken', 'sleep 0.2', 'rmdir taken']");
    let outcome = universe.run("--parallel 6").code(0).says("6 updated");
    assert!(service.most_at_once() > 1, "{}", outcome.all());
    assert!(!universe.path("taken").exists());
}

#[test]
fn large_packages_are_sent_one_after_another_and_small_ones_at_once() {
    /// The bytes of the large packages. More than one of them would not fit into the memory for packages.
    const LARGE: usize = 20 << 20;
    const ANSWER: Duration = Duration::from_secs(3);
    let sent = |bytes: usize| {
        let of_method = |method: &str| if method == "POST" { ANSWER } else { Duration::from_millis(5) };
        let service = Service::new(move |method, _, _| Rule::Answer(of_method(method)));
        let universe = Universe::at(&service.endpoint);
        let mut blocks = String::from("deploy:\n");
        for number in 1..=3_u64 {
            let mut random = number;
            let mut next = || {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random
            };
            let data: Vec<u8> = std::iter::from_fn(|| Some(next().to_le_bytes())).flatten().take(bytes).collect();
            universe.write(&format!("zip-{number}/index.py"), PYTHON);
            universe.write(&format!("zip-{number}/data.bin"), data);
            blocks += &format!(
                "  - {{function_name: new-{number}, zip: zip-{number}, role: 'arn:aws:iam::000000000000:role/r', runtime: python3.12, handler: index.handler}}\n"
            );
        }
        universe.write("dpl.yml", blocks);
        universe.run("--parallel 3").code(0).says("3 created");
        service.take("POST")
    };
    let pauses = |times: &[Instant]| times.windows(2).map(|two| two[1] - two[0]).collect::<Vec<_>>();
    let large = pauses(&sent(LARGE));
    assert!(large.len() == 2 && large.iter().all(|pause| *pause >= ANSWER), "{large:?}");
    let small = pauses(&sent(1 << 10));
    assert!(small.len() == 2 && small.iter().all(|pause| *pause < ANSWER), "{small:?}");
}
