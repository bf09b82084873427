//! Calling a function: what it answers, what it logs, how it fails, and what nobody can know.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Aws, Fault, Kind, Outcome, Proxy, Universe, emulator};

const PYTHON: &str = "
import os, time
def handler(event, context):
    print('working on', event, os.environ.get('API_TOKEN'))
    if event.get('fail'):
        raise ValueError('no such picture')
    time.sleep(event.get('sleep', 0))
    return {'said': 'VERSION', 'got': event}
";

/// A function with two versions, of which the first is what `live` points at.
fn world(function: &str, more: &str) -> (Universe, Proxy, Aws) {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let (proxy, aws) = (Proxy::before(endpoint), Aws::of(endpoint));
    let block = format!(
        "function_name: {function}\nrole: deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\npublish: true\n{more}"
    );
    let universe =
        Universe::at(&proxy.endpoint).file("dist/index.py", PYTHON.replace("VERSION", "one")).file("dpl.yml", block);
    universe.run("--quiet").code(0);
    universe.write("dist/index.py", PYTHON.replace("VERSION", "two"));
    universe.run("--quiet").code(0);
    aws.make_alias(function, &json!({ "Name": "live", "FunctionVersion": "1" }));
    proxy.forget_calls();
    (universe, proxy, aws)
}

#[test]
fn a_function_is_called_and_its_answer_and_its_log_are_told() {
    let (universe, proxy, _) = world("called", "");
    let outcome = universe.run("invoke --payload '{\"n\": 1.50, \"text\": \"a\\nb\"}'").code(0);
    let outcome = outcome
        .says("Invoking called.\n")
        .says("  working on {'n': 1.5")
        .says("`called`, version $LATEST, answered in");
    outcome.says("{\n  \"said\": \"two\",\n  \"got\": {\n    \"n\": 1.5,\n    \"text\": \"a\\nb\"\n  }\n}\n");
    assert_eq!(proxy.calls(), ["GetFunction", "Invoke"]);
    assert_eq!(proxy.requests("Invoke")[0].body, "{\"n\": 1.50, \"text\": \"a\\nb\"}", "it is sent as it is written");
    assert!(proxy.requests("Invoke")[0].head.to_ascii_lowercase().contains("x-amz-log-type: tail"));

    universe.run("invoke --quiet --qualifier 1").code(0).never_says("working").never_says("Invoking").says("\"one\"");
    let document = universe.run("invoke --format json --qualifier live").code(0).json();
    let invocation = &document["invocation"];
    assert_eq!(invocation["executed_version"], "1");
    assert_eq!(invocation["qualifier"], "live");
    assert_eq!(invocation["payload"], json!({ "said": "one", "got": {} }));
    assert_eq!(invocation["log"], json!(["working on {} None"]));
    assert_eq!(document["changed"], false);
}

#[test]
fn the_alias_of_the_block_is_called_where_no_other_is_named() {
    let (universe, proxy, _) = world("called-alias", "");
    universe.run("invoke --alias live").code(0).says("Invoking called-alias:live.").says("version 1,").says("\"one\"");
    universe.run("invoke --alias live --qualifier '$LATEST'").code(0).says("\"two\"");
    universe
        .run("invoke --qualifier nobody")
        .code(1)
        .says("cannot invoke `called-alias:nobody`")
        .says("`dpl-lambda status` shows the versions and aliases");
    assert_eq!(proxy.requests("Invoke").len(), 3);
}

#[test]
fn a_payload_comes_from_a_file_or_from_standard_input() {
    let (universe, proxy, _) = world("fed", "");
    universe.write("event.json", "{\"from\": \"file\"}");
    universe.run("invoke --payload @event.json").code(0).says("\"from\": \"file\"");
    universe.run_fed("[1, 2]", "invoke --payload -").code(1).says("'list' object has no attribute 'get'");
    universe.run_fed("{\"from\": \"input\"}", "invoke --payload=-").code(0).says("\"from\": \"input\"");
    proxy.forget_calls();
    universe.run("invoke --payload s3cret").code(3).says("--payload: is not JSON").never_says("s3cret");
    universe.run("invoke --payload @nowhere.json").code(3).says("`nowhere.json` cannot be read");
    universe.run_fed("", "invoke --payload -").code(3).says("is not JSON");
    assert_eq!(proxy.calls(), Vec::<String>::new());
}

#[test]
fn a_function_that_fails_says_why_in_its_own_words() {
    let (universe, ..) = world("failing", "");
    let outcome = universe.run("invoke --payload '{\"fail\": true}'").code(1);
    let outcome = outcome.says("  ValueError: no such picture").says("failed in").says("(Unhandled)");
    outcome.says("error: `failing` failed when it was invoked (Unhandled)\n  Runtime.HandlerError: no such picture");
    let document = universe.run("invoke --format json --payload '{\"fail\": true}'").code(1).json();
    assert_eq!(document["invocation"]["function_error"], "Unhandled");
    assert_eq!(document["invocation"]["payload"]["errorMessage"], "no such picture");
    assert_eq!(document["errors"][0]["problems"][0]["message"], "Runtime.HandlerError: no such picture");
    universe.run("invoke --quiet --payload '{\"fail\": true}'").code(1).says("ValueError: no such picture");
    universe
        .run("invoke --ci github --payload '{\"fail\": true}'")
        .code(1)
        .says("::error title=dpl-lambda::`failing` failed when it was invoked (Unhandled): Runtime.HandlerError");
}

#[test]
fn an_asynchronous_call_does_not_wait() {
    let (universe, proxy, _) = world("accepted", "");
    universe.run("invoke --asynchronous").code(0).says("accepted the call of `accepted` (202)");
    assert!(proxy.requests("Invoke")[0].head.to_ascii_lowercase().contains("x-amz-invocation-type: event"));
    let document = universe.run("invoke --asynchronous --format json").code(0).json();
    assert_eq!(document["invocation"]["status_code"], 202);
    assert_eq!(document["invocation"]["payload"], json!(null));
    universe
        .run("invoke --dry_run")
        .code(0)
        .says("AWS would accept a call of `accepted`, version $LATEST, without `--dry_run`.");
    assert!(proxy.requests("Invoke")[2].head.to_ascii_lowercase().contains("x-amz-invocation-type: dryrun"));
}

#[test]
fn what_a_function_says_is_neither_a_secret_nor_a_command() {
    let (universe, ..) = world("talking", "environment:\n  API_TOKEN: live-token-value\n");
    universe.run("invoke").code(0).says("working on {} ***").never_says("live-token-value");
    universe.write("dpl.yml", "function_name: talking\n");
    universe.run("invoke").code(0).never_says("live-token-value");
    universe.run("invoke --format json").code(0).never_says("live-token-value");
    let hostile = "invoke --ci github --payload '{\"a\": \"##[add-mask]e\"}'";
    let outcome = universe.run(hostile).code(0);
    assert!(!outcome.stdout.contains("##["), "{}", outcome.stdout);
}

#[test]
fn an_answer_and_its_log_show_no_value_of_the_environment() {
    const ECHO: &str = "
import os
def handler(event, context):
    mine = {name: os.environ.get(name) for name in ('HARM', 'CODE', 'PORT', 'DEBUG')}
    print('mine', mine)
    if event.get('fail'):
        raise ValueError('it was ' + mine['HARM'])
    return {'mine': mine, 'port': int(mine['PORT']), 'ok': True, mine['CODE']: 1}
";
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let block = "function_name: reticent\nrole: deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\n\
        publish: true\nenvironment: {HARM: {from_env: HARM}, CODE: {from_env: CODE}, PORT: 54321, DEBUG: 'true'}\n";
    let universe = Universe::at(endpoint).file("dist/index.py", ECHO).file("dpl.yml", block);
    let universe = universe.with("HARM", "harmless-first").with("CODE", "zq7x");
    universe.run("--quiet").code(0);
    let universe = universe.with("HARM", "harmless-later").with("CODE", "zq8x");
    universe.run("--quiet").code(0);
    // Another job has none of these variables, and version 1 had others.
    universe.write("dpl.yml", "function_name: reticent\n");
    let universe = universe.with("HARM", "").with("CODE", "");
    let secrets = ["harmless", "zq7x", "zq8x", "54321"];
    for verb in ["invoke", "invoke --format json", "invoke --log json", "invoke --qualifier 1"] {
        for payload in ["{}", "{\"fail\": 1}"] {
            let outcome =
                universe.run(&format!("{verb} --payload '{payload}' --junit report.xml --summary_file page.md"));
            let outcome = outcome.code(i32::from(payload != "{}")).says("***");
            let files = universe.read("report.xml") + &universe.read("page.md");
            for secret in secrets {
                assert!(!(outcome.all() + &files).contains(secret), "{verb}: {secret} in\n{}", outcome.all());
            }
        }
    }
    let payload = &universe.run("invoke --format json").code(0).json()["invocation"]["payload"];
    let mine = json!({ "HARM": "***", "CODE": "***", "PORT": "***", "DEBUG": "***" });
    assert_eq!(payload, &json!({ "mine": mine, "port": "***", "ok": true, "***": 1 }));
}

#[test]
fn a_function_that_is_not_ready_is_waited_for() {
    let (universe, proxy, aws) = world("not-ready", "");
    let mut pending = aws.get("not-ready");
    pending["Configuration"]["State"] = json!("Pending");
    proxy.on("GetFunction", 1, Fault::Instead(200, pending.to_string()));
    let busy =
        "The operation cannot be performed at this time. The function is currently in the following state: Pending";
    proxy.on("Invoke", 1, Fault::Answer(409, "ResourceConflictException", busy));
    proxy.on("Invoke", 2, Fault::Answer(429, "TooManyRequestsException", "Rate Exceeded."));
    proxy.on("Invoke", 3, Fault::Answer(502, "ResourceNotReadyException", "Wait for the VPC connection"));
    universe.run("invoke").code(0).says("answered in");
    assert_eq!(proxy.calls(), ["GetFunction", "GetFunction", "Invoke", "Invoke", "Invoke", "Invoke"]);

    proxy.on("Invoke", 0, Fault::Answer(409, "ResourceConflictException", busy));
    universe.run("invoke --wait_timeout 2").code(6).says("gave up after 2 s waiting for the function to be ready");
}

#[test]
fn who_may_not_read_a_function_may_still_call_it() {
    let (universe, proxy, _) = world("unreadable", "");
    proxy.on("GetFunction", 0, Fault::Answer(403, "AccessDeniedException", "no"));
    universe.run("invoke").code(0).says("answered in");
    proxy.on("Invoke", 0, Fault::Answer(403, "AccessDeniedException", "no"));
    universe.run("invoke").code(4).says("AWS denied `lambda:InvokeFunction`");
}

#[test]
fn a_call_that_may_have_run_is_never_sent_again() {
    let (universe, proxy, _) = world("once", "");
    proxy.on("Invoke", 1, Fault::ResetAfter);
    universe
        .run("invoke")
        .code(1)
        .says("the function may or may not have run")
        .says("look at the log of the function before you call it again");
    assert_eq!(proxy.requests("Invoke").len(), 1);
    proxy.on("Invoke", 2, Fault::Answer(500, "ServiceException", "we are unwell"));
    universe.run("invoke").code(1).says("we are unwell; the function may or may not have run");
    assert_eq!(proxy.requests("Invoke").len(), 2);
    proxy.on("Invoke", 3, Fault::Slow(Duration::from_secs(20)));
    universe.run("invoke --wait_timeout 1").code(6).says("the function may or may not have run");
    let nowhere = universe.with("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    nowhere.run("invoke").code(1).says("AWS could not be reached").never_says("whether the function ran");
}

#[test]
fn a_call_is_given_up_when_the_job_ends() {
    let (universe, proxy, _) = world("given-up", "");
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        proxy.forget_calls();
        let child = universe.start("invoke --payload {\"sleep\":8}");
        while !proxy.calls().contains(&"Invoke".to_owned()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let begun = Instant::now();
        Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        let outcome = Outcome::of(&child.wait_with_output().unwrap());
        outcome.code(code).says("interrupted by").says("the function may or may not have run");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn one_function_is_called_in_the_expected_account_only() {
    let (universe, proxy, _) = world("one-of", "");
    universe.run("invoke --expect_account 123456789012").code(3).says("belong to account 000000000000");
    assert_eq!(proxy.writes(), Vec::<String>::new());
    universe.write(
        "dpl.yml",
        "deploy:\n  - function_name: one-of\n    on: {branch: other}\n  - function_name: two-of\n    memory_size: 1\n",
    );
    universe
        .run("invoke")
        .code(3)
        .says("`invoke` acts on one function, and the configuration has several")
        .says("`one-of`, `two-of`");
    universe.run("invoke --function_name one-of").code(0).says("answered in");
    universe.run("invoke --function_name two-of").code(1).says("there is no function `two-of`");
}
