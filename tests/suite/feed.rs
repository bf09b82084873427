//! `log: json`: the events of a run as lines of JSON on standard error.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    at_once::{Rule, Service},
    harness::{Kind, Outcome, Universe, emulator},
    overview::{EACH, service, universe},
};

/// The lines on standard error, of which each is an object with the members of every line.
fn lines(outcome: &Outcome) -> Vec<Value> {
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(line["schema_version"], 1, "{line}");
        let time = line["time"].as_str().unwrap();
        assert!(time.len() == 24 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
        assert!(line["event"].as_str().is_some_and(|event| !event.is_empty()), "{line}");
        assert!(line.as_object().unwrap().values().all(|value| !value.is_null()), "{line}");
        line
    };
    outcome.stderr.lines().map(line).collect()
}

/// The events about a function.
fn of<'l>(lines: &'l [Value], function: &str) -> Vec<&'l str> {
    let of = lines.iter().filter(|line| line["function"] == function);
    of.map(|line| line["event"].as_str().unwrap()).collect()
}

fn find<'l>(lines: &'l [Value], event: &str) -> &'l Value {
    lines.iter().find(|line| line["event"] == event).unwrap_or_else(|| panic!("no {event}: {lines:?}"))
}

#[test]
fn each_event_is_a_line_with_its_function_and_region() {
    let service = service();
    let universe = universe(&service, EACH);
    let outcome = universe.run("--parallel 1 --log json").code(4);
    let lines = lines(&outcome);
    assert_eq!((&lines[0]["event"], &lines[0]["command"]), (&json!("run_start"), &json!("deploy")));
    assert_eq!(of(&lines, "new-orders"), ["planned", "step_start", "step_complete", "deployed"]);
    assert_eq!(of(&lines, "same"), ["planned", "deployed"]);
    assert_eq!(of(&lines, "bad-mails"), ["planned", "step_start", "error"]);
    assert_eq!(of(&lines, "web"), ["planned", "not_begun"]);
    assert!(lines.iter().filter(|line| line["function"].is_string()).all(|line| line["region"] == "us-east-1"));
    let planned = lines.iter().find(|line| line["event"] == "planned" && line["function"] == "invoices").unwrap();
    assert_eq!((&planned["changed"], &planned["plan"][0]["changes"][0]["setting"]), (&json!(true), &json!("timeout")));
    assert_eq!(find(&lines, "not_begun")["reason"], "after the failure of `bad-mails`");
    let end = lines.last().unwrap();
    assert_eq!((&end["event"], &end["exit_code"], &end["totals"]["failed"]), (&json!("run_end"), &json!(4), &json!(1)));
    // The text of the log is where it was, but for the error.
    assert!(outcome.stdout.contains("plan for `new-orders`") && outcome.stdout.contains("failed     bad-mails"));
    assert!(!outcome.stdout.contains("error: "), "{}", outcome.stdout);
}

#[test]
fn standard_output_is_the_same_with_and_without_events() {
    let service = service();
    for line in ["plan", "check", "plan --format json", "policy", "plan --ci github"] {
        let universe = universe(&service, EACH);
        let text = |outcome: &Outcome| outcome.stdout.replace(|c: char| c.is_ascii_digit(), "0");
        let (with, without) = (universe.run(&format!("{line} --log json")).code(0), universe.run(line).code(0));
        assert_eq!(text(&with), text(&without), "{line}");
        assert!(lines(&with).len() >= 2, "{line}");
    }
}

#[test]
fn errors_of_every_kind_are_events() {
    let service = service();
    let wrong = universe(&service, EACH).file("dpl.yml", "function_name: a b\n");
    for (line, said) in [("check", "function_name"), ("--nonsense", "nonsense"), ("plan --config no.yml", "config")] {
        let outcome = wrong.run(&format!("{line} --log json")).code(3);
        assert!(find(&lines(&outcome), "error").to_string().contains(said), "{line}: {}", outcome.all());
        assert!(outcome.stderr.lines().count() >= 3, "{line}: {}", outcome.all());
    }
    // The option in a variable and in a file.
    lines(&wrong.with("DPL_LAMBDA_LOG", "json").run("check").code(3));
    lines(&universe(&service, &[]).file("dpl.yml", "log: json\nfunction_name: a b\n").run("check").code(3));
    universe(&service, EACH).run("check --log yaml").code(3).says("log: must be `text` or `json`");
}

#[test]
fn events_do_not_wait_for_the_blocks_before() {
    let slow = |method: &str, name: &str, _| match (method, name) {
        ("PUT", "first") => Rule::Answer(Duration::from_millis(1500)),
        _ => Rule::Answer(Duration::from_millis(1)),
    };
    let service = Service::new(slow);
    let universe = universe(&service, &[("first", ", timeout: 9"), ("second", ", timeout: 9")]);
    let outcome = universe.run("--parallel 2 --log json").code(0);
    let lines = lines(&outcome);
    let deployed: Vec<_> = lines.iter().filter(|line| line["event"] == "deployed").collect();
    assert_eq!((&deployed[0]["function"], &deployed[1]["function"]), (&json!("second"), &json!("first")));
    assert!(deployed[0]["time"].as_str() < deployed[1]["time"].as_str());
    // The text keeps the order of the blocks.
    assert!(outcome.stdout.find("function:first").unwrap() < outcome.stdout.find("function:second").unwrap());
}

#[test]
fn lines_show_no_secret_and_no_command_of_a_ci() {
    let universe = Universe::at(&emulator(Kind::Ministack).endpoint)
        .file("dist/index.py", "def handler(event, context):\n    return 1\n")
        .with("DB_PASSWORD", "correct-horse-battery")
        .file(
            "dpl.yml",
            "function_name: fed-secret\nrole: deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\nenvironment: {DB_PASSWORD: {from_env: DB_PASSWORD}}\nrun: ['echo \"##vso[task.complete] correct-horse-battery\"']\n",
        );
    for line in ["--log json", "--log json --format json --verbose", "--log json --ci github"] {
        let outcome = universe.run(line).code(0).never_says("correct-horse");
        let output = lines(&outcome);
        let output = find(&output, "command_output");
        assert!(output["line"].as_str().unwrap().contains("##vso[task.complete]"), "{output}");
        assert!(!outcome.stderr.contains("##vso["), "{}", outcome.stderr);
    }
    let outcome = universe.run("plan --log json --format json --verbose").code(0);
    assert!(!find(&lines(&outcome), "debug")["message"].as_str().unwrap().is_empty());
    let outcome = universe.run("rollback --log json --alias live").code(3);
    find(&lines(&outcome), "error");
    let outcome = universe.run("delete --log json --yes").code(0);
    assert_eq!(find(&lines(&outcome), "removed")["outcome"], "deleted");
}
