//! Tests servers that fall silent, and answers that are not those of AWS.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::harness::{Aws, Fault, Kind, Outcome, Proxy, Universe, emulator};

const BLOCK: &str =
    "  role: arn:aws:iam::000000000000:role/deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n";

/// A universe before ministack with the block of a function, whose code can be changed.
fn world(function: &str, more: &str) -> (Universe, Proxy, Aws) {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let proxy = Proxy::before(endpoint);
    let universe = Universe::at(&proxy.endpoint)
        .file("dist/index.py", "def handler(e, c): return 'one'\n")
        .file("dpl.yml", format!("deploy:\n  provider: lambda\n  function_name: {function}\n{BLOCK}{more}"));
    (universe, proxy, Aws::of(endpoint))
}

/// Adds a file that does not get smaller.
fn enlarge(universe: &Universe, megabytes: usize) {
    let file = fs::File::create(universe.path("dist/random")).unwrap();
    let size = (megabytes << 20).to_string();
    assert!(Command::new("head").args(["-c", &size, "/dev/urandom"]).stdout(file).status().unwrap().success());
}

/// The work of one test on many cases, as these mostly wait.
fn at_once<T: Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| test(case));
        }
    });
}

fn timed(run: impl FnOnce() -> Outcome) -> (Outcome, Duration) {
    let begun = Instant::now();
    let outcome = run();
    (outcome, begun.elapsed())
}

/// A name that no other case has.
fn fresh(name: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{}-{}", name.to_ascii_lowercase(), NEXT.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn no_verb_waits_without_an_end() {
    let deploys = ["GetFunction", "UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion"];
    let deploys = deploys.into_iter().chain(["ListVersionsByFunction", "GetAlias", "CreateAlias", "TagResource"]);
    let deploys = deploys.map(|operation| ("--timeout 9 --publish --alias live --function_tags a=b", operation));
    let others = [
        ("status", "GetFunction"),
        ("status", "ListAliases"),
        ("list", "ListFunctions"),
        ("invoke", "Invoke"),
        ("init", "GetPolicy"),
        ("delete --yes", "DeleteFunction"),
        ("delete --yes", "ListEventSourceMappings"),
        ("rollback --alias live", "GetAlias"),
        ("plan --expect_account 000000000000", "GetCallerIdentity"),
        ("plan --zip '' --layers made", "ListLayerVersions"),
    ];
    at_once(deploys.chain(others), |(arguments, operation)| {
        let name = fresh("endless");
        let (universe, proxy, _) = world(&name, "");
        universe.run("").code(0);
        universe.write("dist/index.py", "def handler(e, c): return 'two'\n");
        proxy.on(operation, 0, Fault::Silent);
        let arguments = arguments.replace("--zip '' ", "");
        let (outcome, took) = timed(|| universe.run(&format!("{arguments} --wait_timeout 3")));
        outcome.code(6).says("gave up after 3 s");
        assert!(took < Duration::from_secs(20), "{arguments} {operation}: {took:?}");
        assert!(proxy.calls().contains(&operation.to_owned()), "{:?}", proxy.calls());
    });
}

#[test]
fn no_upload_waits_without_an_end() {
    let cases = ["HeadObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"];
    let cases = cases.map(|operation| (operation, 17, Fault::Silent));
    let more = [("PutObject", 1, Fault::Silent), ("PutObject", 12, Fault::Deaf), ("UploadPart", 17, Fault::Deaf)];
    at_once(cases.into_iter().chain(more), |(operation, megabytes, fault)| {
        let name = fresh("endless-upload");
        let (universe, proxy, aws) = world(&name, &format!("  s3_bucket: {name}\n"));
        aws.make_bucket(&name);
        enlarge(&universe, megabytes);
        // Straight to the proxy: nothing between may wait for an end that does not read.
        let universe = universe.with("AWS_ENDPOINT_URL", &proxy.endpoint);
        proxy.on(operation, 0, fault);
        let (outcome, took) = timed(|| universe.run("--wait_timeout 3"));
        outcome.code(6).says("gave up after 3 s");
        assert!(took < Duration::from_secs(30), "{operation}: {took:?}");
        assert!(!aws.exists(&name));
    });
}

#[test]
fn a_call_that_falls_silent_once_is_made_again_and_people_hear_of_it() {
    let write = "--timeout 9 --publish --alias live --function_tags a=b";
    let cases = [
        (write, "GetFunction", Fault::Silent),
        (write, "UpdateFunctionConfiguration", Fault::Silent),
        (write, "UpdateFunctionCode", Fault::Silent),
        (write, "PublishVersion", Fault::Silent),
        (write, "CreateAlias", Fault::Silent),
        (write, "TagResource", Fault::Silent),
        (write, "GetFunction", Fault::Half),
        (write, "UpdateFunctionCode", Fault::Half),
        (write, "PublishVersion", Fault::Half),
        (write, "CreateAlias", Fault::Trickle),
        ("status", "GetFunction", Fault::Trickle),
        ("list", "ListFunctions", Fault::Silent),
        ("delete --yes", "DeleteFunction", Fault::Half),
        ("plan --expect_account 000000000000", "GetCallerIdentity", Fault::Silent),
    ];
    at_once(cases, |(arguments, operation, fault)| {
        let name = fresh("silent-once");
        let (universe, proxy, aws) = world(&name, "");
        universe.run("").code(0);
        universe.write("dist/index.py", "def handler(e, c): return 'two'\n");
        proxy.forget_calls();
        proxy.on(operation, 1, fault);
        let (outcome, took) = timed(|| universe.run(arguments));
        outcome.code(0).says("Still waiting for ").says("(5 s)");
        assert!(took < Duration::from_secs(40), "{arguments} {operation}: {took:?}");
        if arguments == write {
            universe.run(write).code(0).says("unchanged");
            assert_eq!(aws.versions(&name).len(), 1);
        }
    });
}

#[test]
fn a_function_may_take_longer_than_other_calls() {
    let (universe, proxy, _) = world("takes-long", "  timeout: 60\n");
    universe.run("").code(0);
    proxy.on("Invoke", 1, Fault::Slow(Duration::from_secs(13)));
    universe.run("invoke").code(0).says("Still waiting for ");
    assert_eq!(proxy.requests("Invoke").len(), 1);
}

/// A service that takes connections and never answers.
fn silent_service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

#[test]
fn no_way_to_log_in_waits_without_an_end() {
    let silent = silent_service();
    let nobody = || {
        let (universe, ..) = world("log-in", "");
        universe.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY")
    };
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln";
    let role = "--role_to_assume arn:aws:iam::000000000000:role/ci";
    let profile = |text: String| {
        let universe = nobody();
        universe.write("../home/.aws/config", text);
        universe
    };
    let cases = vec![
        ("container", "", nobody().with("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{silent}/keys"))),
        (
            "machine",
            "",
            nobody().without("AWS_EC2_METADATA_DISABLED").with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &silent),
        ),
        ("process", "", profile("[default]\ncredential_process = sleep 60\n".to_owned())),
        (
            "role of a profile",
            "",
            profile(
                "[default]\nrole_arn = arn:aws:iam::000000000000:role/ci\nsource_profile = base\n[profile base]\naws_access_key_id = AKIDBASEBASEBASE\naws_secret_access_key = base-secret-key\n"
                    .to_owned(),
            )
            .with("AWS_ENDPOINT_URL", &silent),
        ),
        ("token", role, nobody().with("AWS_ID_TOKEN", token).with("AWS_ENDPOINT_URL", &silent)),
        (
            "GitHub",
            role,
            nobody()
                .with("GITHUB_ACTIONS", "true")
                .with("ACTIONS_ID_TOKEN_REQUEST_URL", &format!("{silent}/t?x=1"))
                .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer"),
        ),
        ("role by keys", role, world("log-in", "").0.with("AWS_ENDPOINT_URL", &silent)),
    ];
    at_once(cases, |(way, arguments, universe)| {
        let (outcome, took) = timed(|| universe.run(&format!("plan --ci none --wait_timeout 7 {arguments}")));
        assert!([4, 6].contains(&outcome.code), "{way}: {} {}", outcome.code, outcome.all());
        assert!(took < Duration::from_secs(25), "{way}: {took:?}");
        outcome.says("credentials");
    });
}

#[test]
fn an_archive_that_arrives_only_in_part_is_read_again() {
    let (universe, proxy, aws) = world("fetched", "");
    aws.make_bucket("fetched");
    universe.run("--s3_bucket fetched --s3_key app.zip").code(0);
    universe.write(
        "dpl.yml",
        format!("deploy:\n  function_name: fetched\n{BLOCK}  s3_bucket: fetched\n  s3_key: app.zip\n")
            .replace("  zip: dist\n", ""),
    );
    proxy.on("GetObject", 1, Fault::Half);
    universe.run("plan").code(0).says("Still waiting for ");
    assert_eq!(proxy.requests("GetObject").len(), 2);
    proxy.clear();
    proxy.on("GetObject", 0, Fault::Half);
    universe.run("plan --wait_timeout 3").code(6);
}

#[test]
fn a_web_page_is_not_taken_for_an_answer() {
    let more = "  publish: true\n  alias: live\n  function_tags:\n    a: b\n";
    let cases =
        ["TagResource", "UpdateFunctionConfiguration", "PublishVersion", "CreateAlias", "GetFunction", "PutObject"];
    at_once(cases, |operation| {
        let name = fresh("page");
        let (universe, proxy, aws) = world(&name, "");
        aws.make_bucket(&name);
        universe.run("").code(0);
        universe.write("dist/index.py", "def handler(e, c): return 'two'\n");
        universe.write(
            "dpl.yml",
            format!("deploy:\n  function_name: {name}\n{BLOCK}{more}  s3_bucket: {name}\n  timeout: 9\n"),
        );
        proxy.on(operation, 1, Fault::Page).on(operation, 2, Fault::Page);
        universe.run("").code(0);
        universe.run("").code(0).says("unchanged");
        assert_eq!(aws.get(&name)["Tags"], json!({ "a": "b" }), "{operation}");

        universe.run("--memory_size 256").code(0);
        if ["UpdateFunctionConfiguration", "GetFunction"].contains(&operation) {
            proxy.on(operation, 0, Fault::Page);
            universe.run("--memory_size 512").code(1).says("the answer is a web page");
            assert_eq!(aws.get(&name)["Configuration"]["MemorySize"], 256);
        }
    });
}

#[test]
fn a_role_is_complete_although_web_pages_came_in_between() {
    for operation in ["CreateRole", "AttachRolePolicy"] {
        let name = fresh("paged-role");
        let (universe, proxy, _) = world(&name, "");
        universe.write(
            "dpl.yml",
            format!("deploy:\n  function_name: {name}\n{BLOCK}  create_role: true\n")
                .replace("  role: arn:aws:iam::000000000000:role/deployed\n", ""),
        );
        proxy.on(operation, 1, Fault::Page);
        universe.run("").code(0);
        assert!(proxy.requests(operation).len() > 1, "{:?}", proxy.calls());
    }
}

#[test]
fn an_answer_of_many_megabytes_is_refused_at_once() {
    let (universe, proxy, aws) = world("enormous", "");
    universe.run("").code(0);
    let mut found = aws.get("enormous");
    found["Configuration"]["Description"] = json!("x".repeat(30 << 20));
    proxy.on("GetFunction", 0, Fault::Instead(200, found.to_string()));
    for verb in ["plan", "status", "init"] {
        let (outcome, took) = timed(|| universe.run(verb));
        outcome.code(1).says("`lambda:GetFunction`").says("the answer is larger than 5 MiB");
        assert!(took < Duration::from_secs(15), "{verb}: {took:?}");
    }
    proxy.clear();
    proxy.on("Invoke", 0, Fault::Instead(200, "x".repeat(30 << 20)));
    universe
        .run("invoke")
        .code(1)
        .says("`lambda:InvokeFunction`")
        .says("larger than 8 MiB")
        .says("may or may not have run");
}

/// A service that gives every request the same answer.
fn answering(head: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut vec![0; 65_536]);
            let length = body.len();
            let _ = write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        }
    });
    address
}

#[test]
fn a_clock_that_is_wrong_is_explained() {
    let expired = r#"{"message":"Signature expired: 20250101T000000Z is now earlier than 20260101T000000Z"}"#;
    let head = "403 X\r\nDate: Thu, 01 Jan 2015 00:00:00 GMT\r\nx-amzn-errortype: InvalidSignatureException";
    let (universe, ..) = world("clock", "");
    let universe = universe.with("AWS_ENDPOINT_URL", &answering(head, expired));
    universe.run("plan").code(4).says("set the clock of this machine: it is ").says("days ahead of the clock of AWS");
}

#[test]
fn certificates_and_proxies_that_cannot_be_used_are_named_by_their_variable() {
    let (universe, proxy, _) = world("network", "");
    universe.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    universe.write("empty.pem", "nothing\n");
    for file in ["broken.pem", "empty.pem", "missing.pem", "."] {
        let universe = Universe::at(&proxy.endpoint).with("AWS_CA_BUNDLE", universe.path(file).to_str().unwrap());
        let universe = universe.file("dist/index.py", "def handler(e, c): return 1\n");
        universe.run("plan --function_name f --zip dist").code(3).says("AWS_CA_BUNDLE").says("cannot be used");
        universe.run("status --function_name f").code(3).says("AWS_CA_BUNDLE");
        universe.run("package --list --zip dist").code(0);
    }
    let (universe, ..) = world("network", "");
    let universe = universe.with("AWS_ENDPOINT_URL", "https://lambda.invalid");
    for value in ["not a url", "http://:secret-word@", "socks5://user:secret-word@proxy:1080"] {
        for name in ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"] {
            let (universe, ..) = world("network", "");
            let universe = universe.with("AWS_ENDPOINT_URL", "https://lambda.invalid").with(name, value);
            universe.run("plan").code(3).says(name).says("is not the URL of a proxy").never_says("secret-word");
        }
    }
    universe.with("HTTPS_PROXY", "127.0.0.1:9").run("plan").code(1).says("AWS could not be reached");
}

#[test]
fn a_page_of_a_proxy_is_no_refusal_of_aws() {
    let (universe, ..) = world("refusing-proxy", "");
    for head in ["403 Forbidden", "302 Found\r\nLocation: http://portal.example.org/"] {
        let page = answering(head, "<html><body>Access to this site is blocked</body></html>");
        let universe = Universe::at(&page).file("dist/index.py", "").file("dpl.yml", universe.read("dpl.yml"));
        universe.run("plan").code(1).says("the answer is a web page").never_says("AWS denied");
    }
}

/// Answers every request over TLS with "not found", under the certificate `cert.pem`.
const TLS_SERVICE: &str = r#"
import http.server, ssl, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), __import__("os")._exit(0)), daemon=True).start()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404)
        self.send_header("x-amzn-errortype", "ResourceNotFoundException")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
"#;

#[test]
fn certificates_of_a_file_are_trusted() {
    let universe = Universe::empty().file("serve.py", TLS_SERVICE);
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "9"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .current_dir(universe.path(""))
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        return eprintln!("there is no openssl on this machine, so this is not tried");
    }
    let mut service = Command::new("python3")
        .arg("serve.py")
        .current_dir(universe.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let trusting = |name: &str, value: &str| {
        // Nothing checks the requests on the way: they are encrypted.
        let endpoint = format!("https://localhost:{}", port.trim());
        let universe = Universe::empty().with("AWS_ACCESS_KEY_ID", "AKID").with("AWS_SECRET_ACCESS_KEY", "secret-key");
        universe
            .with("AWS_ENDPOINT_URL", &endpoint)
            .with(name, value)
            .run("status --function_name f --region us-east-1")
    };
    let file = universe.path("cert.pem").to_str().unwrap().to_owned();
    trusting("AWS_CA_BUNDLE", &file).code(1).says("there is no function `f`");
    trusting("SSL_CERT_FILE", &file).code(1).says("there is no function `f`");
    trusting("AWS_PAGER", "").code(1).says("certificate").says("AWS_CA_BUNDLE").says("SSL_CERT_FILE");
    service.kill().unwrap();
    service.wait().unwrap();
}
