//! Many blocks in one run: what they share, and what a run needs of the machine.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Aws, Kind, Proxy, Universe, emulator};

const PYTHON: &str = "def handler(event, context):\n    return 1\n";

/// A block for a function in Python.
fn block(name: &str, more: &str) -> String {
    format!(
        "  - function_name: {name}\n    role: arn:aws:iam::000000000000:role/deployed\n    runtime: python3.12\n    handler: index.handler\n{more}"
    )
}

/// A universe with a proxy that counts, and a configuration of these blocks.
fn counted(blocks: &str) -> (Universe, Proxy) {
    let proxy = Proxy::before(&emulator(Kind::Ministack).endpoint);
    let universe =
        Universe::at(&proxy.endpoint).file("dist/index.py", PYTHON).file("dpl.yml", format!("deploy:\n{blocks}"));
    (universe, proxy)
}

/// How often an operation was called.
fn count(proxy: &Proxy, operation: &str) -> usize {
    proxy.calls().iter().filter(|call| *call == operation).count()
}

/// A service that keeps functions in memory and its connections open, as AWS does. Two hundred blocks take an emulator
/// minutes.
fn memory() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let functions: Arc<Mutex<BTreeMap<String, Value>>> = Arc::default();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let functions = Arc::clone(&functions);
            thread::spawn(move || {
                let mut reader = BufReader::new(&stream);
                while let Some((head, body)) = request(&mut reader) {
                    let (status, answer) = answer(&head, &body, &mut functions.lock().unwrap());
                    let answer = answer.to_string();
                    let error = if status == 404 { "X-Amzn-Errortype: ResourceNotFoundException\r\n" } else { "" };
                    let head = format!("HTTP/1.1 {status} X\r\n{error}Content-Length: {}\r\n\r\n", answer.len());
                    (&stream).write_all(format!("{head}{answer}").as_bytes()).unwrap();
                }
            });
        }
    });
    endpoint
}

/// The head and the body of the next request; nothing when the connection ends.
fn request(reader: &mut impl BufRead) -> Option<(String, Value)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.to_ascii_lowercase();
    let length = length.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, serde_json::from_slice(&body).unwrap_or_default()))
}

/// What Lambda answers to a request that reads, creates or configures a function.
fn answer(head: &str, body: &Value, functions: &mut BTreeMap<String, Value>) -> (u16, Value) {
    let mut line = head.split(' ');
    let (method, path) = (line.next().unwrap(), line.next().unwrap());
    let name = body["FunctionName"].as_str().or_else(|| path.split('/').nth(3)).unwrap_or_default().to_owned();
    match method {
        "POST" => {
            let package = STANDARD.decode(body["Code"]["ZipFile"].as_str().unwrap()).unwrap();
            let mut config = json!({
                "FunctionName": name, "FunctionArn": format!("arn:aws:lambda:us-east-1:000000000000:function:{name}"),
                "State": "Active", "LastUpdateStatus": "Successful", "RevisionId": "1", "PackageType": "Zip",
                "Timeout": 3, "MemorySize": 128, "CodeSha256": STANDARD.encode(Sha256::digest(package)),
                "Architectures": ["x86_64"], "EphemeralStorage": { "Size": 512 },
            });
            for key in ["Role", "Runtime", "Handler"] {
                config[key] = body[key].clone();
            }
            functions.insert(name, config.clone());
            (201, config)
        }
        "PUT" => {
            let config = functions.get_mut(&name).unwrap();
            config["Timeout"] = body["Timeout"].clone();
            (200, config.clone())
        }
        _ => match functions.get(&name) {
            Some(config) => (200, json!({ "Configuration": config, "Code": { "RepositoryType": "S3" } })),
            None => (404, json!({ "Type": "User", "Message": "Function not found" })),
        },
    }
}

#[test]
fn two_hundred_blocks_fit_into_256_open_files() {
    let blocks: String =
        (0..200).map(|number| block(&format!("many-{number}"), &format!("    zip: archives/{number}.zip\n"))).collect();
    let universe = Universe::at(&memory()).file("dist/index.py", PYTHON);
    universe.run("package --zip dist --output one.zip").code(0);
    fs::create_dir(universe.path("archives")).unwrap();
    for number in 0..200 {
        fs::copy(universe.path("one.zip"), universe.path(&format!("archives/{number}.zip"))).unwrap();
    }
    universe.write("dpl.yml", format!("deploy:\n{blocks}"));
    for (line, said) in [
        ("", "Creating function many-"),
        ("", "is unchanged"),
        ("--timeout 9", "timeout  3 s → 9 s"),
        ("status", "many-"),
    ] {
        let outcome = universe.shell(&format!("ulimit -n 256; exec \"$TOOL\" {line}")).code(0);
        assert!(outcome.stdout.matches(said).count() >= 200, "{}", outcome.all());
    }
}

#[test]
fn too_few_open_files_are_an_error_that_names_the_limit() {
    let (universe, _) = counted(&block("few-files", "    zip: dist\n"));
    for files in 4..40 {
        let outcome = universe.shell(&format!("ulimit -n {files}; exec \"$TOOL\" plan"));
        assert!(matches!(outcome.code, 0 | 1 | 3), "{files}: {}\n{}", outcome.code, outcome.all());
        assert!(!outcome.all().contains("defect"), "{files}: {}", outcome.all());
    }
    universe.shell("ulimit -n 20; exec \"$TOOL\" plan").code(1).says("cannot open").says("ulimit -n");
    universe.shell("ulimit -n 40; exec \"$TOOL\" plan").code(0);
}

#[test]
fn blocks_log_in_and_look_up_an_account_and_a_layer_once() {
    let more = "    zip: dist\n    layers: [looked-up-once]\n    expect_account: '000000000000'\n";
    let blocks: String = ["once-a", "once-b", "once-c"].map(|name| block(name, more)).concat();
    let (universe, proxy) = counted(&blocks);
    let aws = Aws::of(&emulator(Kind::Ministack).endpoint);
    let content =
        json!({ "LayerName": "looked-up-once", "Content": { "ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==" } });
    aws.put("POST", "/2018-10-31/layers/looked-up-once/versions", &content);
    let outcome = universe.run("").code(0);
    assert_eq!(outcome.stdout.matches("Logged in to account").count(), 1, "{}", outcome.all());
    for operation in ["GetCallerIdentity", "ListLayerVersions"] {
        assert_eq!(count(&proxy, operation), 1, "{operation}: {:?}", proxy.calls());
    }
}

#[test]
fn a_role_is_assumed_once_for_all_regions() {
    let more = "    zip: dist\n    create_role: true\n    role_to_assume: deployer\n".to_owned();
    let function = "  - function_name: in-two-regions\n    runtime: python3.12\n    handler: index.handler\n";
    let blocks = ["us-east-1", "eu-west-1"].map(|region| format!("{function}{more}    region: {region}\n")).concat();
    let (universe, proxy) = counted(&blocks);
    let outcome = universe.run("").code(0).says("plan for `in-two-regions` in eu-west-1");
    assert_eq!(outcome.stdout.matches("Logged in to account").count(), 1, "{}", outcome.all());
    assert_eq!(count(&proxy, "AssumeRole"), 1, "{:?}", proxy.calls());
    // The role of the functions is looked up once before the first write.
    let reads = proxy.calls().into_iter().take_while(|call| call != "CreateRole");
    assert_eq!(reads.filter(|call| call == "GetRole").count(), 1, "{:?}", proxy.calls());
    assert_eq!(count(&proxy, "CreateFunction"), 2);
}

#[test]
fn other_credentials_log_in_by_themselves() {
    let keys = "    zip: dist\n    access_key_id: AKIDOTHEROTHER\n    secret_access_key: other-secret\n";
    let blocks = block("own-keys", "    zip: dist\n") + &block("other-keys", keys);
    let (universe, proxy) = counted(&blocks);
    let universe = universe.with("AWS_ACCESS_KEY_ID", "AKIDAMBIENT");
    universe.run("").code(0);
    let signed = |function: &str, key: &str| {
        let calls = proxy.requests("CreateFunction");
        let call = calls.iter().find(|call| call.body.contains(function)).unwrap();
        assert!(call.head.contains(&format!("Credential={key}/")), "{}", call.head);
    };
    signed("own-keys", "AKIDAMBIENT");
    signed("other-keys", "AKIDOTHEROTHER");
}

#[test]
fn a_second_block_of_a_function_is_planned_again_and_its_failure_may_be_allowed() {
    let (universe, _) = counted(&block("planned-again", "    zip: dist\n    environment: { FIRST: a }\n"));
    universe.run("").code(0);
    let first = "  - {function_name: planned-again, only: code, zip: dist}\n";
    let second = "  - {function_name: planned-again, only: settings, environment: {SECOND: b}, allow_failure: true}\n";
    universe.write("dpl.yml", format!("deploy:\n{first}{second}"));
    universe.run("").code(0).says("would be dropped: FIRST").says("this failure is allowed");
    universe.write("dpl.yml", universe.read("dpl.yml").replace(", allow_failure: true", ""));
    universe.run("").code(3).says("would be dropped: FIRST");
}
