//! Many blocks in one run: what they share, and what a run needs of the machine.

use std::fs;

use serde_json::json;

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

#[test]
fn two_hundred_blocks_fit_into_256_open_files() {
    let name = |number: usize| format!("many-{number}");
    let blocks: String =
        (0..200).map(|number| block(&name(number), &format!("    zip: archives/{number}.zip\n"))).collect();
    let universe = Universe::at(&emulator(Kind::Ministack).endpoint).file("dist/index.py", PYTHON);
    universe.run("package --zip dist --output one.zip").code(0);
    fs::create_dir(universe.path("archives")).unwrap();
    for number in 0..200 {
        fs::copy(universe.path("one.zip"), universe.path(&format!("archives/{number}.zip"))).unwrap();
    }
    universe.write("dpl.yml", format!("deploy:\n{blocks}"));
    let run = |line: &str| universe.shell(&format!("ulimit -n 256; exec \"$TOOL\" {line}"));
    let created = run("").code(0);
    assert_eq!(created.stdout.matches("Creating function many-").count(), 200, "{}", created.all());
    assert_eq!(created.stdout.matches("Using Access Key").count(), 1);
    let unchanged = run("").code(0);
    assert_eq!(unchanged.stdout.matches("is unchanged").count(), 200, "{}", unchanged.all());
    let changed = run("--timeout 9").code(0);
    assert_eq!(changed.stdout.matches("timeout  3 s → 9 s").count(), 200, "{}", changed.all());
    assert_eq!(run("status").code(0).stdout.matches("Using Access Key").count(), 1);
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
    assert_eq!(outcome.stdout.matches("Using Access Key").count(), 1, "{}", outcome.all());
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
    assert_eq!(outcome.stdout.matches("Using Access Key").count(), 1, "{}", outcome.all());
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
    let outcome = universe.run("").code(0);
    assert_eq!(outcome.stdout.matches("Using Access Key").count(), 2, "{}", outcome.all());
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
    let first = block("planned-again", "    zip: dist\n    environment: { FIRST: a }\n");
    let second = block("planned-again", "    zip: dist\n    environment: { SECOND: b }\n    allow_failure: true\n");
    let (universe, _) = counted(&(first + &second));
    universe.run("").code(0).says("would be dropped: FIRST").says("this failure is allowed");
    universe.write("dpl.yml", universe.read("dpl.yml").replace("    allow_failure: true\n", ""));
    universe.run("").code(3).says("would be dropped: FIRST");
}
