//! The log of a function: which events it shows, how they look, and how it is followed.

use std::{
    io::{BufRead, BufReader},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::harness::{Aws, Boto, Fault, Kind, Outcome, Proxy, Universe, boto, emulator, on_both};

const PYTHON: &str = "
import os
def handler(event, context):
    print('working on', event.get('n'), os.environ.get('API_TOKEN'))
";

/// A function with one version, to which `live` points.
fn world(kind: Kind, function: &str, more: &str) -> (Universe, Proxy, Aws) {
    let endpoint = &emulator(kind).endpoint;
    let (proxy, aws) = (Proxy::before(endpoint), Aws::of(endpoint));
    let block = format!(
        "function_name: {function}\nrole: arn:aws:iam::{}:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\n{more}",
        kind.account()
    );
    let universe = Universe::at(&proxy.endpoint).file("dist/index.py", PYTHON).file("dpl.yml", block);
    universe.run("--quiet --alias live").code(0);
    proxy.forget_calls();
    (universe, proxy, aws)
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Writes events into a stream, each so many seconds ago.
fn log(kind: Kind, group: &str, stream: &str, events: &[(i64, &str)]) {
    let control = Boto::of(&emulator(kind).endpoint);
    let _ = control.call("logs", "create_log_group", &json!({ "logGroupName": group }));
    let place = json!({ "logGroupName": group, "logStreamName": stream });
    let _ = control.call("logs", "create_log_stream", &place);
    let events = events.iter().map(|(ago, message)| json!({ "timestamp": now() - ago * 1000, "message": message }));
    let all = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": events.collect::<Vec<_>>() });
    boto(&emulator(kind).endpoint, "logs", "put_log_events", &all);
}

/// The messages of a log in JSON.
fn messages(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_log_shows_the_events_of_all_streams_in_order_and_of_a_version_alone() {
    on_both(|kind| {
        let (universe, proxy, _) = world(kind, "logged", "");
        let group = "/aws/lambda/logged";
        log(kind, group, "2026/11/26/[1]0a", &[(7200, "hours ago"), (30, "first\nof two lines"), (10, "third")]);
        let json = r#"{"timestamp":"2026-11-26T17:42:30Z","level":"WARN","message":"second","order":7}"#;
        log(kind, group, "2026/11/26/[$LATEST]0b", &[(20, json), (5, "::error::fourth")]);
        let outcome = universe.run("logs").code(0).never_says("hours ago");
        let lines: Vec<_> = outcome.stdout.lines().map(|line| line.get(24..).unwrap_or(line)).collect();
        let of_event =
            ["[1] first", "  of two lines", "[$LATEST] WARN second order=7", "[1] third", "[$LATEST] ::error::fourth"];
        assert_eq!(lines[0], of_event[0]);
        assert_eq!(outcome.stdout.lines().nth(1), Some(of_event[1]));
        assert_eq!(lines[2..], of_event[2..]);
        assert_eq!(proxy.calls(), ["GetFunction", "FilterLogEvents"]);

        for (line, expected) in [
            ("--qualifier 1", vec!["first\nof two lines", "third"]),
            ("--qualifier live", vec!["first\nof two lines", "third"]),
            ("--qualifier $LATEST", vec![json, "::error::fourth"]),
            ("--since 15s", vec!["third", "::error::fourth"]),
            ("--since 3h --qualifier 1", vec!["hours ago", "first\nof two lines", "third"]),
            ("--filter third", vec!["third"]),
            ("--filter ''", vec!["first\nof two lines", json, "third", "::error::fourth"]),
        ] {
            assert_eq!(messages(&universe.run(&format!("logs --format json {line}")).code(0)), expected, "{line}");
        }
        let line = universe.run("logs --format json --qualifier 1 --since 15s").code(0).json();
        assert_eq!((&line["version"], &line["log_stream"]), (&json!("1"), &json!("2026/11/26/[1]0a")));
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(proxy.writes(), Vec::<String>::new());
    });
}

#[test]
fn a_group_for_several_functions_shows_those_of_the_function() {
    let kind = Kind::Ministack;
    let (universe, proxy, _) = world(kind, "shares", "logging_config: {log_group: /team/shared}\n");
    log(kind, "/team/shared", "2026/11/26/shares[1]0a", &[(9, "of this one")]);
    log(kind, "/team/shared", "2026/11/26/shares-too[1]0b", &[(8, "of another")]);
    assert_eq!(messages(&universe.run("logs --format json").code(0)), ["of this one"]);
    // Without the right to read the function, the configuration says where it logs.
    proxy.on("GetFunction", 0, Fault::Answer(403, "AccessDeniedException", "no"));
    assert_eq!(messages(&universe.run("logs --format json").code(0)), ["of this one"]);
    let policy = universe.run("policy --for logs").code(0);
    policy.says(":log-group:/team/shared").says("logs:FilterLogEvents").never_says("/aws/lambda");
}

#[test]
fn an_invocation_is_found_by_its_id_with_all_that_it_printed() {
    let (universe, _, aws) = world(Kind::Ministack, "requested", "");
    aws.invoke("requested", &json!({ "n": "one" }));
    aws.invoke("requested", &json!({ "n": "two" }));
    let all = messages(&universe.run("logs --format json").code(0));
    let start = all.iter().position(|message| message.contains("working on two")).unwrap() - 1;
    let id = all[start].strip_prefix("START RequestId: ").unwrap().split(' ').next().unwrap();
    let outcome = universe.run(&format!("logs --request-id {id}")).code(0).never_says("working on one");
    assert_eq!(outcome.says("working on two").stdout.lines().count(), 4);
    universe.run("logs --request-id none-such").code(0).says("has no such events since 20");
}

#[test]
fn pages_are_read_to_the_end_and_throttling_is_waited_out() {
    let (universe, proxy, _) = world(Kind::Ministack, "paged-log", "");
    let page = |events: &[(i64, &str)], token: &str| {
        let events: Vec<_> = events
            .iter()
            .map(|(ago, message)| {
                let id = format!("{ago}");
                json!({ "eventId": id, "logStreamName": "2026/11/26/[1]0a", "timestamp": now() - ago * 1000, "message": message })
            })
            .collect();
        let token = if token.is_empty() { Value::Null } else { json!(token) };
        Fault::Instead(200, json!({ "events": events, "nextToken": token }).to_string())
    };
    proxy
        .on("FilterLogEvents", 1, Fault::Answer(400, "ThrottlingException", "Rate exceeded"))
        .on("FilterLogEvents", 2, page(&[(30, "b"), (40, "a")], "more"))
        .on("FilterLogEvents", 3, page(&[], "still more"))
        .on("FilterLogEvents", 4, page(&[(20, "c"), (30, "b")], ""));
    let outcome = universe.run("logs --format json").code(0);
    assert_eq!(messages(&outcome), ["a", "b", "c"], "each once, in order");
    let tokens: Vec<_> = proxy.bodies("FilterLogEvents").iter().map(|body| body["nextToken"].clone()).collect();
    assert_eq!(tokens[2..], [json!("more"), json!("still more")]);
}

#[test]
fn what_there_is_no_log_of_is_said() {
    on_both(|kind| {
        let (universe, proxy, _) = world(kind, "unlogged", "");
        let absent = universe.run("logs").code(0).says("the log group `/aws/lambda/unlogged` does not exist");
        assert_eq!(absent.stdout, "", "only events go to standard output");
        universe.run("logs --qualifier nobody").code(1).says("there is no alias `nobody`");
        universe.run("logs --function_name nobody").code(1).says("there is no function `nobody`");
        proxy.on("FilterLogEvents", 0, Fault::Answer(400, "AccessDeniedException", "not authorized"));
        universe
            .run("logs")
            .code(4)
            .says("cannot read the log of `unlogged`")
            .says("AWS denied `logs:FilterLogEvents`");
        let json = universe.run("logs --format json").code(4).says("AWS denied `logs:FilterLogEvents`");
        assert_eq!(json.stdout, "");
    });
}

#[test]
fn a_wrong_flag_is_an_error_before_anything_is_called() {
    let (universe, proxy, _) = world(Kind::Ministack, "flagged-log", "");
    for (line, said) in [
        ("--since soon", "--since: is neither a duration nor a date"),
        ("--since 2026-02-30", "--since: is neither"),
        ("--since 2999-01-01", "--since: is in the future"),
        ("--request-id ''", "--request-id: is empty"),
        ("--request-id a --filter b", "--request-id: cannot be combined with `--filter`"),
        ("--qualifier 'a b'", "--qualifier: is neither a version, nor an alias"),
    ] {
        universe.run(&format!("logs {line}")).code(3).says(said);
    }
    universe.run("status --follow").code(3).says("belongs to `logs`");
    assert_eq!(proxy.calls(), Vec::<String>::new());
}

#[test]
fn a_value_of_a_variable_is_hidden_in_a_log() {
    let (universe, _, aws) = world(Kind::Ministack, "secretive-log", "environment: {API_TOKEN: tokentoken}\n");
    aws.invoke("secretive-log", &json!({ "n": 1 }));
    for line in ["logs", "logs --format json", "logs --filter working", "logs --verbose"] {
        universe.run(line).code(0).says("working on 1").never_says("tokentoken");
    }
    universe.write("dpl.yml", "");
    universe.run("logs --function_name secretive-log").code(0).says("working on 1").never_says("tokentoken");
}

#[test]
fn a_log_is_followed_until_ctrl_c_and_shows_each_event_once() {
    let (universe, _, aws) = world(Kind::Ministack, "followed", "");
    let mut child = universe.start("logs --follow --format json --qualifier $LATEST");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut prints = || {
        let printed = lines.by_ref().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let mut printed = printed.map(|line| line["message"].as_str().unwrap().to_owned());
        let found = printed.by_ref().find(|message| message.contains("working on")).unwrap();
        // END and REPORT.
        assert_eq!(printed.take(2).count(), 2);
        found
    };
    for n in 1..=3 {
        thread::sleep(Duration::from_millis(300));
        aws.invoke("followed", &json!({ "n": n }));
        assert!(prints().contains(&format!("working on {n}")));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(lines.count(), 0);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn following_ends_when_nobody_reads_any_more() {
    let (universe, _, aws) = world(Kind::Ministack, "abandoned", "");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                aws.invoke("abandoned", &json!({ "n": 1 }));
                thread::sleep(Duration::from_millis(500));
            }
        });
        // Its own code is 124 if it has to be ended.
        let line = "{ timeout 60 \"$TOOL\" logs --follow; echo \"ended with $?\" >&2; } | head -n 1";
        let outcome = universe.shell(line);
        done.store(true, Ordering::Relaxed);
        outcome.code(0).says("[$LATEST] ").says("ended with 0");
    });
}
