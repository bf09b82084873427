//! Smoke tests: a version gets callers only when it has passed them.

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, emulator};

/// A universe with a function whose block has these lines more.
fn function(name: &str, more: &str) -> (Universe, Proxy, Aws) {
    let emulator = emulator(Kind::Ministack);
    let proxy = Proxy::before(&emulator.endpoint);
    let universe = Universe::at(&proxy.endpoint);
    put(&universe, name, more);
    (universe, proxy, Aws::of(&emulator.endpoint))
}

fn put(universe: &Universe, name: &str, more: &str) {
    universe.write(
        "dpl.yml",
        format!(
            "function_name: {name}\nrole: arn:aws:iam::000000000000:role/r\nruntime: python3.12\nhandler: index.handler\nzip: dist\ntimeout: 30\nregion: us-east-1\n{more}"
        ),
    );
}

fn python(universe: &Universe, body: &str) {
    universe.write("dist/index.py", format!("def handler(event, context):\n    {body}\n"));
}

const ALIAS: &str = "alias: live\n";

#[test]
fn a_version_that_passes_gets_the_alias() {
    let tests = "smoke_test:\n- payload: {echo: [1, x]}\n  expect: {got: {echo: [1, x]}, ok: true}\n- matches: '\"ok\": true'\n";
    let (universe, proxy, aws) = function("proven", &format!("{ALIAS}{tests}"));
    python(&universe, "return {'got': event, 'ok': True, 'more': 1}");
    universe
        .run("")
        .code(0)
        .says("+ smoke test      1 of the new version: a call that must give the expected members")
        .says("Smoke test 1 of version 1 passed.")
        .says("Smoke test 2 of version 1 passed.");
    let calls = proxy.calls();
    let at = |operation: &str| calls.iter().position(|call| call == operation).unwrap();
    assert!(at("PublishVersion") < at("Invoke") && at("Invoke") < at("CreateAlias"), "{calls:?}");
    assert!(proxy.requests("Invoke")[0].head.contains("Qualifier=1"));
    assert_eq!(aws.alias("proven", "live")["FunctionVersion"], "1");
    proxy.forget_calls();
    universe.run("").code(0).says("unchanged and is version 1");
    assert!(!proxy.calls().contains(&"Invoke".to_owned()));
}

#[test]
fn a_version_that_fails_never_gets_the_alias() {
    for (name, bad, test, said) in [
        ("fails-member", "return {'ok': False}", "expect: {ok: true}", "expected `ok` true, got false"),
        ("fails-status", "return {'statusCode': 503}", "status_code: 200", "expected `statusCode` 200, got 503"),
        (
            "fails-body",
            "return {'statusCode': 200, 'body': '{\"db\": \"down\"}'}",
            "expect: {body: {db: up}}",
            "expected `body.db` \"up\", got \"down\"",
        ),
        ("fails-match", "return 'bad'", "matches: '^.good'", "expected a match of `^.good`, got \"bad\""),
        ("fails-error", "raise ValueError('broken pipe to the bank')", "payload: {}", "broken pipe to the bank"),
        (
            "fails-slow",
            "import time; time.sleep(5); return {'ok': True}",
            "max_duration: 4",
            "expected an answer within 4 s",
        ),
    ] {
        let (universe, proxy, aws) = function(name, &format!("{ALIAS}smoke_test: {{{test}}}\n"));
        python(&universe, "return {'ok': True, 'statusCode': 200, 'body': '{\"db\": \"up\"}'}");
        if name == "fails-match" {
            python(&universe, "return 'good'");
        }
        universe.run("").code(0);
        python(&universe, bad);
        proxy.forget_calls();
        universe
            .run("")
            .code(7)
            .says("smoke test 1 of the new version")
            .says(said)
            .says("done: code, version.  not done: smoke test, alias")
            .says("callers of `live` still get version 1");
        assert!(!proxy.writes().contains(&"UpdateAlias".to_owned()), "{name}");
        assert_eq!(aws.alias(name, "live")["FunctionVersion"], "1", "{name}");
        // The version is there, and is tested again.
        proxy.forget_calls();
        universe.run("").code(7).says("smoke test 1 of version 2");
        assert_eq!(proxy.writes(), ["Invoke"], "{name}");
        if name == "fails-match" {
            python(&universe, "return 'good again'");
        } else {
            python(&universe, "return {'ok': True, 'statusCode': 200, 'body': '{\"db\": \"up\"}', 'v': 3}");
        }
        universe.run("").code(0).says("version 3, alias live");
        assert_eq!(aws.alias(name, "live")["FunctionVersion"], "3", "{name}");
    }
}

#[test]
fn a_new_function_that_fails_gets_no_alias() {
    let (universe, proxy, _) = function("stillborn", &format!("{ALIAS}smoke_test: {{expect: {{ok: true}}}}\n"));
    python(&universe, "return {}");
    universe.run("").code(7).says("the answer has none").says("the alias `live` was not created");
    assert!(!proxy.calls().contains(&"CreateAlias".to_owned()));
}

#[test]
fn the_end_of_the_log_is_shown_without_secrets() {
    let more = format!(
        "{ALIAS}environment: {{DB_PASSWORD: {{from_env: DB_PASSWORD}}}}\nsmoke_test: {{expect: {{ok: true}}}}\n"
    );
    let (universe, _, _) = function("logging-secret", &more);
    let universe = universe.with("DB_PASSWORD", "correct-horse-battery");
    python(
        &universe,
        "import os; print('connecting as', os.environ['DB_PASSWORD']); print('line two'); return {'ok': os.environ['DB_PASSWORD']}",
    );
    universe.run("").code(7).says("  line two").says("connecting as").never_says("correct-horse-battery");
    let (page, json) = ("--summary_file s.md --format json", "correct-horse-battery");
    universe.run(page).code(7).never_says(json);
    assert!(!universe.read("s.md").contains(json));
}

#[test]
fn a_failed_test_is_repeated_as_often_as_wanted() {
    let flaky = "import os\n    p = '/tmp/dpl-lambda-flaky-' + context.function_name\n    n = len(open(p).read()) if os.path.exists(p) else 0\n    open(p, 'a').write('x')\n    return {'n': n}";
    let (universe, proxy, aws) = function("flaky", &format!("{ALIAS}smoke_test: {{matches: '[2-9]', retries: 3}}\n"));
    let _ = std::fs::remove_file("/tmp/dpl-lambda-flaky-flaky");
    python(&universe, flaky);
    universe.run("").code(0).says("failed, and runs again").says("Smoke test 1 of version 1 passed.");
    assert_eq!(proxy.calls().iter().filter(|call| *call == "Invoke").count(), 3);
    assert_eq!(aws.alias("flaky", "live")["FunctionVersion"], "1");
    std::fs::remove_file("/tmp/dpl-lambda-flaky-flaky").unwrap();
}

#[test]
fn a_command_learns_which_version_to_test() {
    let command = "smoke_test:\n- run: |\n    test \"$(echo $LAMBDA_VERSION_ARN)\" = \"arn:aws:lambda:us-east-1:000000000000:function:told-its-version:$LAMBDA_VERSION\" &&\n    echo \"testing $LAMBDA_FUNCTION_NAME:$LAMBDA_VERSION in $LAMBDA_REGION\" && test ! -e bad\n";
    let (universe, proxy, aws) = function("told-its-version", &format!("{ALIAS}{command}"));
    python(&universe, "return 1");
    universe.run("").code(0).says("testing told-its-version:1 in us-east-1");
    assert_eq!(aws.alias("told-its-version", "live")["FunctionVersion"], "1");
    python(&universe, "return 2");
    universe.write("bad", "");
    universe
        .run("")
        .code(7)
        .says("testing told-its-version:2")
        .says("ended with exit code 1")
        .says("still get version 1");
    assert_eq!(aws.alias("told-its-version", "live")["FunctionVersion"], "1");
    // `$LATEST` is tested where there is no version.
    put(&universe, "told-its-version", "smoke_test: {run: test \"$LAMBDA_VERSION\" = '$LATEST'}\n");
    python(&universe, "return 3");
    universe.run("plan").code(0).says("a smoke test can only report");
    proxy.forget_calls();
    universe.run("").code(0).says("Smoke test 1 of $LATEST passed.");
    assert_eq!(proxy.writes(), ["UpdateFunctionCode"]);
}

#[test]
fn without_an_alias_a_failed_test_says_who_gets_the_code() {
    let (universe, proxy, _) = function("unprotected", "smoke_test: {expect: {ok: true}}\n");
    python(&universe, "return {}");
    universe.run("").code(7).says("smoke test 1 of $LATEST").says("callers get the new code");
    python(&universe, "return {'ok': True}");
    universe.run("").code(0).says("Smoke test 1 of $LATEST passed.");
    assert!(!proxy.requests("Invoke")[0].head.contains("Qualifier"));
    python(&universe, "return {'ok': True, 'v': 2}");
    universe.run("--publish").code(0).says("Smoke test 1 of version 1 passed.");
}

#[test]
fn a_plan_tests_nothing() {
    let (universe, proxy, _) =
        function("only-planned", &format!("{ALIAS}smoke_test: [{{payload: {{}}}}, {{run: 'touch ran'}}]\n"));
    python(&universe, "return 1");
    let document = universe.run("plan --format json").code(0).json();
    let steps: Vec<_> =
        document["functions"][0]["plan"].as_array().unwrap().iter().map(|step| step["step"].clone()).collect();
    assert_eq!(json!(steps), json!(["create_function", "publish_version", "smoke_test", "smoke_test", "point_alias"]));
    assert!(!universe.path("ran").exists() && proxy.writes().is_empty());
    assert!(!proxy.calls().contains(&"Invoke".to_owned()));
}

#[test]
fn results_have_the_time_of_each_test() {
    let (universe, _, _) =
        function("timed", &format!("{ALIAS}smoke_test: [{{expect: {{ok: true}}}}, {{expect: {{ok: 1}}}}]\n"));
    python(&universe, "return {'ok': True}");
    let document = universe.run("--format json --summary_file s.md").code(7).json();
    let timeline: &Value = &document["functions"][0]["timeline"];
    assert_eq!((&timeline[0]["event"], &timeline[1]["event"]), (&json!("test_passed"), &json!("test_failed")));
    assert_eq!(timeline[1]["problems"], json!(["expected `ok` 1, got true"]));
    assert_eq!((&timeline[1]["test"], &timeline[1]["version"]), (&json!(2), &json!("1")));
    assert!(timeline[1]["seconds"].as_f64().unwrap() >= timeline[0]["seconds"].as_f64().unwrap());
    assert_eq!((&document["exit_code"], &document["functions"][0]["outcome"]), (&json!(7), &json!("failed")));
    let page = universe.read("s.md");
    assert!(page.contains("smoke test 1 of version 1 passed"), "{page}");
    assert!(page.contains("smoke test 2 of version 1 failed"), "{page}");
}

#[test]
fn a_test_that_cannot_be_made_is_an_error_before_the_first_write() {
    let (universe, proxy, _) = function("untestable", ALIAS);
    python(&universe, "return 1");
    universe.write("bad.json", "{");
    for (test, said) in [
        ("{run: ./x, payload: {}}", "has `run` and `payload`"),
        ("{payload: {}, payload_file: bad.json}", "of which one is possible"),
        ("{payload_file: missing.json}", "missing.json"),
        ("{payload_file: bad.json}", "is not JSON"),
        ("{payload_file: /etc/hostname}", "lies outside of the checkout"),
        ("'{\"payload_file\": \"/etc/hostname\"}'", "lies outside of the checkout"),
        ("{matches: '('}", "is not a regular expression"),
        ("{status_code: 99}", "100 to 599"),
        ("{max_duration: soon}", "must be a number of seconds"),
        ("{max_duration: NaN}", "must be a number of seconds"),
        ("{retries: 100}", "0 to 20"),
        ("{when: later}", "before_traffic or after_traffic"),
        ("{expects: {}}", "did you mean `expect`?"),
        ("[{payload: {}}, {}, {run: ''}]", "run"),
    ] {
        put(&universe, "untestable", &format!("{ALIAS}smoke_test: {test}\n"));
        universe.run("check").code(3).says("dpl.yml:9:").says("smoke_test").says(said);
        universe.run("").code(3);
    }
    assert!(proxy.calls().is_empty());
}

#[test]
fn a_payload_can_come_from_a_file_and_from_a_variable() {
    let (universe, proxy, _) =
        function("fed", &format!("{ALIAS}smoke_test: {{payload_file: event.json, expect: {{a: 1}}}}\n"));
    universe.write("event.json", "{\"a\": 1}");
    python(&universe, "return event");
    universe.run("").code(0);
    put(&universe, "fed", ALIAS);
    python(&universe, "return dict(event, v=2)");
    universe.run("--smoke_test '{\"payload\": {\"b\": \"1\"}, \"expect\": {\"b\": \"1\"}}'").code(0);
    assert_eq!(proxy.bodies("Invoke"), [json!({ "a": 1 }), json!({ "b": "1" })]);
}

#[test]
fn a_call_that_cannot_be_made_leaves_the_alias() {
    for (name, fault, code) in [
        ("untested-denied", Fault::Answer(403, "AccessDeniedException", "not allowed to invoke"), 4),
        ("untested-broken", Fault::Answer(500, "ServiceException", "An error occurred"), 1),
        ("untested-reset", Fault::ResetAfter, 1),
    ] {
        let (universe, proxy, aws) = function(name, &format!("{ALIAS}smoke_test: {{}}\n"));
        python(&universe, "return 1");
        universe.run("").code(0);
        python(&universe, "return 2");
        proxy.forget_calls();
        proxy.on("Invoke", 1, fault);
        universe.run("").code(code).says("not done: smoke test, alias");
        assert_eq!(aws.alias(name, "live")["FunctionVersion"], "1");
        proxy.clear();
        universe.run("").code(0);
        assert_eq!(aws.alias(name, "live")["FunctionVersion"], "2");
    }
}

#[test]
fn a_function_that_is_not_ready_is_waited_for() {
    let (universe, proxy, _) = function("sleepy", &format!("{ALIAS}smoke_test: {{}}\n"));
    python(&universe, "return 1");
    proxy.on(
        "Invoke",
        1,
        Fault::Answer(
            409,
            "ResourceConflictException",
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        ),
    );
    universe.run("").code(0).says("Smoke test 1 of version 1 passed.");
}

#[test]
fn a_signal_in_a_test_leaves_the_alias() {
    let more = format!("{ALIAS}smoke_test: {{run: 'touch started; sleep 20'}}\n");
    let (universe, _, aws) = function("interrupted-test", &more);
    python(&universe, "return 1");
    universe.run("--smoke_test 'true'").code(0);
    python(&universe, "return 2");
    let child = universe.start("");
    while !universe.path("started").exists() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{output:?}");
    assert_eq!(aws.alias("interrupted-test", "live")["FunctionVersion"], "1");
}

#[test]
fn versions_of_other_runtimes_are_tested_too() {
    let bootstrap = std::fs::read_to_string("examples/custom-runtime/build/bootstrap").unwrap();
    let node = |answer: &str| format!("exports.handler = async () => ({{ ok: {answer} }});\n");
    let cases = [
        ("tested-node", "nodejs24.x", "dist/index.js", node("true"), node("false"), "expect: {ok: true}"),
        (
            "tested-provided",
            "provided.al2023",
            "dist/bootstrap!",
            bootstrap.clone(),
            "#!/bin/sh\nexit 3\n".to_owned(),
            "matches: .",
        ),
    ];
    for (name, runtime, file, good, bad, test) in cases {
        let (universe, _, aws) = function(name, &format!("{ALIAS}smoke_test: {{{test}}}\n"));
        let block = universe.read("dpl.yml").replace("python3.12", runtime);
        universe.write("dpl.yml", block);
        universe.write(file, good);
        universe.run("").code(0).says("Smoke test 1 of version 1 passed.");
        universe.write(file, bad);
        universe.run("").code(7).says("callers of `live` still get version 1");
        assert_eq!(aws.alias(name, "live")["FunctionVersion"], "1");
    }
}
