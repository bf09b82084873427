//! Traffic that is shifted in steps, and releases that come back by themselves.

use std::{
    process::{Child, Command},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Outcome, Proxy, Universe, boto, emulator, on_both};

/// A function with version 1 behind the alias, and code for the next.
fn released(kind: Kind, name: &str, more: &str) -> (Universe, Proxy, Aws, String) {
    let emulator = emulator(kind);
    let proxy = Proxy::before(&emulator.endpoint);
    let universe = Universe::at(&proxy.endpoint);
    put(&universe, kind, name, "");
    code(&universe, "one");
    universe.run("").code(0);
    put(&universe, kind, name, more);
    code(&universe, "two");
    proxy.forget_calls();
    (universe, proxy, Aws::of(&emulator.endpoint), emulator.endpoint.clone())
}

fn put(universe: &Universe, kind: Kind, name: &str, more: &str) {
    let account = kind.account();
    universe.write(
        "dpl.yml",
        format!("function_name: {name}\nrole: arn:aws:iam::{account}:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\nregion: us-east-1\nalias: live\n{more}"),
    );
}

fn code(universe: &Universe, answer: &str) {
    universe.write("dist/index.py", format!("def handler(event, context):\n    return {{'answer': '{answer}'}}\n"));
}

/// An alarm that is in a state.
fn alarm(endpoint: &str, name: &str, state: &str) {
    let exists = boto(endpoint, "cloudwatch", "describe_alarms", &json!({ "AlarmNames": [name] }));
    if exists["MetricAlarms"] == json!([]) {
        let alarm = json!({ "AlarmName": name, "MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold" });
        boto(endpoint, "cloudwatch", "put_metric_alarm", &alarm);
    }
    let state = json!({ "AlarmName": name, "StateValue": state, "StateReason": "the test says so" });
    boto(endpoint, "cloudwatch", "set_alarm_state", &state);
}

/// Does something when AWS has done the nth call of an operation.
fn when(proxy: &Proxy, operation: &str, nth: usize, what: impl Fn() + Send + Sync + 'static) {
    proxy.on(operation, nth, Fault::Then(Arc::new(what)));
}

/// Version and weights of the alias.
fn pointed(aws: &Aws, name: &str) -> (String, Value) {
    let alias = aws.alias(name, "live");
    let weights = alias["RoutingConfig"]["AdditionalVersionWeights"].clone();
    let weights = if weights.is_null() { json!({}) } else { weights };
    (alias["FunctionVersion"].as_str().unwrap().to_owned(), weights)
}

fn at(version: &str) -> (String, Value) {
    (version.to_owned(), json!({}))
}

fn signal(child: &Child, name: &str) {
    Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
}

/// Waits until the alias has weights.
fn until_shifting(aws: &Aws, name: &str) {
    let begun = Instant::now();
    while pointed(aws, name).1 == json!({}) {
        assert!(begun.elapsed() < Duration::from_mins(1), "{name} is never shifted");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn traffic_goes_over_in_steps() {
    on_both(|kind| {
        let more = "traffic_shifting: {steps: [10, 50], interval: 0}\n";
        let (universe, proxy, aws, _) = released(kind, "stepped", more);
        universe
            .run("")
            .code(0)
            .says("traffic  10 %, 50 % for 0 s each, then all")
            .says("if the shift fails, live gives all traffic back to version 1")
            .says("Version 2 gets 10 % of the traffic of live.")
            .says("Version 2 gets 50 % of the traffic of live.");
        let bodies = proxy.bodies("UpdateAlias");
        let sent: Vec<_> = bodies
            .iter()
            .map(|body| (body["FunctionVersion"].clone(), body["RoutingConfig"]["AdditionalVersionWeights"].clone()))
            .collect();
        let expected = [("1", json!({ "2": 0.1 })), ("1", json!({ "2": 0.5 })), ("2", json!({}))];
        assert_eq!(sent, expected.map(|(version, weights)| (json!(version), weights)));
        assert!(bodies.iter().all(|body| body["RevisionId"].is_string()));
        assert_eq!(pointed(&aws, "stepped"), at("2"));
        assert_eq!(aws.alias("stepped", "live")["Description"], "[before: 1]");
        proxy.forget_calls();
        universe.run("").code(0).says("unchanged and is version 2");
        assert!(proxy.writes().is_empty());
    });
}

#[test]
fn schedules_have_the_names_of_codedeploy() {
    let (universe, proxy, _, _) = released(Kind::Ministack, "named-schedule", "");
    for (name, said) in [
        ("Canary10Percent5Minutes", "10 % for 5 min, then all"),
        (
            "CodeDeployDefault.LambdaLinear10PercentEvery2Minutes",
            "10 %, 20 %, 30 %, 40 %, 50 %, 60 %, 70 %, 80 %, 90 % for 2 min each",
        ),
    ] {
        universe.run(&format!("plan --traffic_shifting {name}")).code(0).says(said);
    }
    universe.run("plan --traffic_shifting AllAtOnce").code(0).never_says("traffic");
    universe.run("--traffic_shifting CodeDeployDefault.LambdaAllAtOnce").code(0);
    assert_eq!(proxy.bodies("UpdateAlias").len(), 1);
}

#[test]
fn an_alarm_takes_all_traffic_back() {
    on_both(|kind| {
        let name = "alarmed";
        let more = "traffic_shifting: {steps: [10, 50], interval: 20, alarms: [alarmed-ok, alarmed]}\n";
        let (universe, proxy, aws, endpoint) = released(kind, name, more);
        alarm(&endpoint, "alarmed-ok", "OK");
        alarm(&endpoint, "alarmed", "OK");
        let before = aws.alias(name, "live");
        let at_endpoint = endpoint.clone();
        when(&proxy, "UpdateAlias", 1, move || alarm(&at_endpoint, "alarmed", "ALARM"));
        let outcome = universe.run("--format json --summary_file s.md").code(7);
        let document = outcome.json();
        assert_eq!(pointed(&aws, name), at("1"));
        let after = aws.alias(name, "live");
        assert_eq!(after["Description"], before["Description"]);
        assert_eq!(proxy.writes(), ["UpdateFunctionCode", "PublishVersion", "UpdateAlias", "UpdateAlias"]);
        let function = &document["functions"][0];
        assert_eq!((&function["outcome"], &function["changed"]), (&json!("failed"), &json!(true)));
        let events: Vec<_> =
            function["timeline"].as_array().unwrap().iter().map(|moment| moment["event"].clone()).collect();
        assert_eq!(events, ["traffic", "traffic_back"]);
        let error = &document["errors"][0];
        assert_eq!((&error["done"], &error["not_done"]), (&json!(["code", "version"]), &json!(["alias"])));
        let message = error["problems"][0]["message"].as_str().unwrap();
        assert!(message.contains("the alarm `alarmed` is in the state ALARM"), "{message}");
        assert!(message.contains("callers of `live` get version 1 again"), "{message}");
        let page = universe.read("s.md");
        assert!(page.contains("10 % of live to version 2") && page.contains("back to version 1"), "{page}");

        // An alarm before the shift leaves the alias alone.
        proxy.clear();
        proxy.forget_calls();
        universe.run("").code(7).says("the alarm `alarmed` is in the state ALARM").never_says("get version 1 again");
        assert!(proxy.writes().is_empty(), "{:?}", proxy.writes());
        alarm(&endpoint, "alarmed", "OK");
        universe.run("--traffic_shifting '{steps: [10], interval: 0, alarms: [alarmed]}'").code(0);
        assert_eq!(pointed(&aws, name), at("2"));
    });
}

#[test]
fn a_composite_alarm_counts_and_a_missing_one_is_an_error() {
    let more = "traffic_shifting: {steps: [10], interval: 20, alarms: [composed]}\n";
    let (universe, proxy, aws, endpoint) = released(Kind::Ministack, "composite", more);
    universe.run("").code(3).says("there is no alarm `composed` in us-east-1").says("dpl.yml:8:");
    universe.run("plan").code(3);
    assert!(proxy.writes().is_empty());
    alarm(&endpoint, "composed-part", "OK");
    let composite = json!({ "AlarmName": "composed", "AlarmRule": "ALARM(\"composed-part\")" });
    boto(&endpoint, "cloudwatch", "put_composite_alarm", &composite);
    let at_endpoint = endpoint.clone();
    when(&proxy, "UpdateAlias", 1, move || {
        let state = json!({ "AlarmName": "composed", "StateValue": "ALARM", "StateReason": "the test says so" });
        boto(&at_endpoint, "cloudwatch", "set_alarm_state", &state);
    });
    universe.run("").code(7).says("the alarm `composed` is in the state ALARM");
    assert_eq!(pointed(&aws, "composite"), at("1"));
}

/// Invocations and errors of a version through the alias, as Lambda counts them.
fn count(endpoint: &str, name: &str, version: &str, invocations: f64, errors: f64) {
    let dimensions = json!([
        { "Name": "FunctionName", "Value": name },
        { "Name": "Resource", "Value": format!("{name}:live") },
        { "Name": "ExecutedVersion", "Value": version },
    ]);
    let datum = |metric: &str, value: f64| json!({ "MetricName": metric, "Value": value, "Unit": "Count", "Dimensions": dimensions });
    let data = json!({ "Namespace": "AWS/Lambda", "MetricData": [datum("Invocations", invocations), datum("Errors", errors)] });
    boto(endpoint, "cloudwatch", "put_metric_data", &data);
}

#[test]
fn too_many_errors_take_all_traffic_back() {
    on_both(|kind| {
        let more = "traffic_shifting: {steps: [10], interval: 20, max_error_rate: 1 %, min_invocations: 50}\n";
        let (universe, proxy, aws, endpoint) = released(kind, "erring", more);
        // Errors of the version before, and of the function, are not those of the new version.
        count(&endpoint, "erring", "1", 100.0, 100.0);
        when(&proxy, "UpdateAlias", 1, move || count(&endpoint, "erring", "2", 100.0, 2.0));
        universe.run("").code(7).says("version 2: 2 of 100 invocations failed").says("get version 1 again");
        assert_eq!(pointed(&aws, "erring"), at("1"));
    });
}

#[test]
fn few_errors_and_few_invocations_are_no_failure() {
    on_both(|kind| {
        for (name, invocations, errors) in [("errs-rarely", 100.0, 1.0), ("invoked-rarely", 49.0, 49.0)] {
            let more = "traffic_shifting: {steps: [10], interval: 0, max_error_rate: 1, min_invocations: 50}\n";
            let (universe, proxy, aws, endpoint) = released(kind, name, more);
            let name = name.to_owned();
            let function = name.clone();
            when(&proxy, "UpdateAlias", 1, move || count(&endpoint, &function, "2", invocations, errors));
            universe.run("").code(0);
            assert_eq!(pointed(&aws, &name), at("2"));
        }
    });
}

#[test]
fn a_signal_takes_all_traffic_back_at_once() {
    for (name, sent, exit) in [("cancelled-term", "-TERM", 143), ("cancelled-int", "-INT", 130)] {
        let (universe, _, aws, _) = released(Kind::Ministack, name, "traffic_shifting: Canary10Percent10Minutes\n");
        let child = universe.start("");
        until_shifting(&aws, name);
        sleep(Duration::from_millis(300));
        let begun = Instant::now();
        signal(&child, sent);
        let outcome = Outcome::of(&child.wait_with_output().unwrap());
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        outcome
            .code(exit)
            .says("Version 1 gets all traffic of live again.")
            .says("callers of `live` get version 1 again");
        assert_eq!(pointed(&aws, name), at("1"));
    }
}

/// Begins a shift and kills the run in the middle of it.
fn killed(name: &str) -> (Universe, Proxy, Aws) {
    let (universe, proxy, aws, _) = released(Kind::Ministack, name, "traffic_shifting: Canary10Percent10Minutes\n");
    let mut child = universe.start("");
    until_shifting(&aws, name);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(pointed(&aws, name), ("1".to_owned(), json!({ "2": 0.1 })));
    proxy.forget_calls();
    (universe, proxy, aws)
}

#[test]
fn a_shift_whose_run_was_killed_goes_on() {
    let name = "killed-again";
    let (universe, proxy, aws) = killed(name);
    universe.run("status").code(0).says("1 with 10 % to 2");
    put(&universe, Kind::Ministack, name, "traffic_shifting: {steps: [5, 10, 60], interval: 1}\n");
    universe
        .run("")
        .code(0)
        .says("~ alias           live version 1, 10 % version 2 → version 2")
        .says("version 2 has 10 % of the traffic already")
        .never_says("gets 10 %")
        .says("Version 2 gets 60 % of the traffic of live.");
    assert_eq!(proxy.writes(), ["UpdateAlias", "UpdateAlias"]);
    assert_eq!(pointed(&aws, name), at("2"));
}

#[test]
fn a_shift_whose_run_was_killed_is_undone_by_another_deployment() {
    let name = "killed-other";
    let (universe, proxy, aws) = killed(name);
    put(&universe, Kind::Ministack, name, "traffic_shifting: {steps: [20], interval: 0}\n");
    code(&universe, "three");
    universe.run("").code(0);
    let weights = &proxy.bodies("UpdateAlias")[0]["RoutingConfig"]["AdditionalVersionWeights"];
    assert_eq!(weights, &json!({ "3": 0.2 }));
    assert_eq!(pointed(&aws, name), at("3"));
    assert_eq!(aws.alias(name, "live")["Description"], "[before: 1]");
}

#[test]
fn a_shift_whose_run_was_killed_is_undone_by_a_rollback() {
    let name = "killed-back";
    let (universe, _, aws) = killed(name);
    universe.run("rollback").code(0);
    assert_eq!(pointed(&aws, name), at("1"));
}

#[test]
fn what_aws_forbids_for_two_versions_is_an_error_before_the_first_write() {
    let shift = "traffic_shifting: {steps: [10], interval: 0}\n";
    let (universe, proxy, aws, endpoint) = released(Kind::Ministack, "forbidden", shift);
    universe.run("--role arn:aws:iam::000000000000:role/other").code(3).says("another execution role");
    universe
        .run("--dead_letter_arn arn:aws:sqs:us-east-1:000000000000:failed")
        .code(3)
        .says("another dead letter queue")
        .says("traffic_shifting");
    universe.run("check --provisioned_concurrency 1").code(3).says("cannot be used with `provisioned_concurrency`");
    assert!(proxy.writes().is_empty());
    let provisioned = json!({ "FunctionName": "forbidden", "Qualifier": "live", "ProvisionedConcurrentExecutions": 1 });
    boto(&endpoint, "lambda", "put_provisioned_concurrency_config", &provisioned);
    universe.run("").code(3).says("has provisioned concurrency");
    boto(
        &endpoint,
        "lambda",
        "delete_provisioned_concurrency_config",
        &json!({ "FunctionName": "forbidden", "Qualifier": "live" }),
    );
    aws.change_alias("forbidden", "live", &json!({ "FunctionVersion": "$LATEST" }));
    universe.run("").code(3).says("points at $LATEST");
    assert!(proxy.writes().is_empty());
    // All at once, the change is no problem.
    aws.change_alias("forbidden", "live", &json!({ "FunctionVersion": "1" }));
    universe.run("--role arn:aws:iam::000000000000:role/other --traffic_shifting AllAtOnce").code(0);
    universe.run("--timeout 9 --role arn:aws:iam::000000000000:role/other").code(0).says("Version 3 gets 10 %");
}

#[test]
fn a_new_alias_gets_all_traffic_at_once() {
    let emulator = emulator(Kind::Ministack);
    let universe = Universe::at(&emulator.endpoint);
    put(&universe, Kind::Ministack, "shift-new", "traffic_shifting: Canary10Percent5Minutes\n");
    code(&universe, "one");
    universe.run("").code(0).says("the alias live is new, so its version gets all traffic at once");
}

#[test]
fn a_lost_answer_in_a_shift_is_looked_up() {
    for nth in 1..=3 {
        let name = format!("lost-in-shift-{nth}");
        let (universe, proxy, aws, _) =
            released(Kind::Ministack, &name, "traffic_shifting: {steps: [10, 50], interval: 0}\n");
        proxy.on("UpdateAlias", nth, Fault::ResetAfter);
        universe.run("").code(0);
        assert_eq!(pointed(&aws, &name), at("2"));
    }
}

#[test]
fn a_shift_that_fails_at_any_write_goes_back() {
    for nth in 1..=3 {
        for (kind, fault, code) in [
            ("refused", Fault::Answer(400, "InvalidParameterValueException", "not today"), 1),
            ("denied", Fault::Answer(403, "AccessDeniedException", "not allowed"), 4),
            ("failed", Fault::Answer(500, "ServiceException", "An error occurred"), 1),
        ] {
            let name = format!("shift-{kind}-{nth}");
            let (universe, proxy, aws, _) =
                released(Kind::Ministack, &name, "traffic_shifting: {steps: [10, 50], interval: 0}\n");
            // The SDK repeats a 500: all attempts of that write fail.
            let attempts = if code == 1 && kind == "failed" { 6 } else { 1 };
            for attempt in 0..attempts {
                proxy.on("UpdateAlias", nth + attempt, fault.clone());
            }
            let outcome = universe.run("").code(code);
            assert_eq!(pointed(&aws, &name), at("1"), "{name}");
            // An alias that AWS refused to move was never away.
            assert_eq!(outcome.all().contains("get version 1 again"), nth > 1, "{name}: {}", outcome.all());
            proxy.clear();
            universe.run("").code(0);
            assert_eq!(pointed(&aws, &name), at("2"), "{name}");
        }
    }
}

#[test]
fn lost_credentials_are_said_with_the_way_back() {
    let (universe, proxy, aws, _) =
        released(Kind::Ministack, "expired-shift", "traffic_shifting: {steps: [10, 50], interval: 0}\n");
    proxy.on_from("UpdateAlias", 2, Fault::Answer(403, "ExpiredTokenException", "The security token is expired"));
    universe
        .run("")
        .code(4)
        .says("the traffic of `live` could not be taken back")
        .says("dpl-lambda rollback --function_name expired-shift --region us-east-1 --alias live --to 1");
    assert_eq!(pointed(&aws, "expired-shift"), ("1".to_owned(), json!({ "2": 0.1 })));
    proxy.clear();
    universe.run("rollback --alias live --to 1").code(0);
    assert_eq!(pointed(&aws, "expired-shift"), at("1"));
}

#[test]
fn an_alias_that_another_program_moves_is_left_alone() {
    let (universe, proxy, aws, endpoint) =
        released(Kind::Ministack, "moved-in-shift", "traffic_shifting: {steps: [10, 50], interval: 0}\n");
    when(&proxy, "UpdateAlias", 1, move || {
        let moved = json!({ "FunctionVersion": "1", "RoutingConfig": { "AdditionalVersionWeights": {} }, "Description": "mine" });
        Aws::of(&endpoint).change_alias("moved-in-shift", "live", &moved);
    });
    universe.run("").code(5).says("another program changed the alias `live`");
    assert_eq!(aws.alias("moved-in-shift", "live")["Description"], "mine");
    assert_eq!(pointed(&aws, "moved-in-shift"), at("1"));
}

#[test]
fn alarms_that_cannot_be_read_end_the_shift_unless_it_passes() {
    let more = "traffic_shifting: {steps: [10, 50], interval: 0, alarms: [unread]}\n";
    let (universe, proxy, aws, endpoint) = released(Kind::Ministack, "unread-alarm", more);
    alarm(&endpoint, "unread", "OK");
    proxy.on("DescribeAlarms", 3, Fault::Answer(403, "AccessDeniedException", "not allowed"));
    universe.run("").code(4).says("cloudwatch:DescribeAlarms").says("get version 1 again");
    assert_eq!(pointed(&aws, "unread-alarm"), at("1"));
    proxy.clear();
    for nth in 1..=12 {
        proxy.on("DescribeAlarms", nth + 2, Fault::Answer(500, "InternalServiceFault", "An error occurred"));
    }
    proxy.forget_calls();
    universe.run("").code(0);
    assert_eq!(pointed(&aws, "unread-alarm"), at("2"));
}

#[test]
fn the_time_of_a_shift_does_not_count_for_the_wait_timeout() {
    let more = "traffic_shifting: {steps: [10], interval: 6}\nwait_timeout: 3\n";
    let (universe, _, aws, _) = released(Kind::Ministack, "patient-shift", more);
    universe.run("").code(0);
    assert_eq!(pointed(&aws, "patient-shift"), at("2"));
}

#[test]
fn a_schedule_that_cannot_be_is_an_error_on_its_line() {
    let universe = Universe::empty();
    code(&universe, "one");
    for (wanted, said) in [
        ("Canary10Percent", "`Canary10Percent` is no schedule"),
        ("{steps: [50, 10]}", "do not ascend"),
        ("{steps: [10, 10]}", "do not ascend"),
        ("{steps: [0]}", "1 to 99"),
        ("{steps: [100]}", "1 to 99"),
        ("{steps: []}", "has no `steps`"),
        ("{interval: 5}", "needs `type` or `steps`"),
        ("{type: Canary10Percent5Minutes, steps: [1]}", "of which one is possible"),
        ("{type: Canary10Percent5Minutes, interval: 5}", "says already"),
        ("{type: AllAtOnce, alarms: [a]}", "over at once"),
        ("{steps: [10], max_error_rate: 100}", "from 0 to below 100"),
        ("{steps: [10], max_error_rate: NaN}", "from 0 to below 100"),
        ("{steps: [10], min_invocations: 5}", "without `max_error_rate`"),
        ("{steps: [10], alarm: x}", "did you mean `alarms`?"),
        ("{steps: [10], interval: -1}", "0 to 172800"),
    ] {
        put(&universe, Kind::Ministack, "unscheduled", &format!("traffic_shifting: {wanted}\n"));
        universe.run("check").code(3).says("dpl.yml:8:").says("traffic_shifting").says(said);
    }
    universe.write(
        "dpl.yml",
        "function_name: f\nzip: dist\ntraffic_shifting: Canary10Percent5Minutes\nrollback_on_failure: true\n",
    );
    universe
        .run("check")
        .code(3)
        .says("traffic_shifting: needs an `alias`")
        .says("rollback_on_failure: needs an `alias`");
}

#[test]
fn a_test_after_the_traffic_takes_the_alias_back() {
    let more = "smoke_test: {expect: {answer: one}, when: after_traffic}\nkeep_versions: 1\n";
    let (universe, proxy, aws, _) = released(Kind::Ministack, "tested-after", more);
    universe
        .run("")
        .code(7)
        .says("if a smoke test fails, live gives all traffic back to version 1")
        .says("expected `answer` \"one\", got \"two\"; callers of `live` get version 1 again")
        .says("done: code, version.  not done: alias, smoke test");
    assert_eq!(proxy.writes(), ["UpdateFunctionCode", "PublishVersion", "UpdateAlias", "Invoke", "UpdateAlias"]);
    assert!(proxy.requests("Invoke")[0].head.contains("Qualifier=live"));
    assert_eq!(pointed(&aws, "tested-after"), at("1"));
    universe.run("--rollback_on_failure=false").code(7).never_says("get version 1 again");
    assert_eq!(pointed(&aws, "tested-after"), at("2"));
}

#[test]
fn a_command_that_fails_after_the_deployment_takes_the_alias_back() {
    let (universe, proxy, aws, _) = released(Kind::Ministack, "run-after", "run: test -e good\n");
    let outcome = universe.run("--format json").code(7);
    let document = outcome.json();
    assert_eq!(document["functions"].as_array().unwrap().len(), 1);
    assert_eq!(document["functions"][0]["outcome"], "failed");
    assert_eq!(document["functions"][0]["timeline"][0]["event"], "traffic_back");
    assert_eq!(pointed(&aws, "run-after"), at("1"));
    universe.run("").code(7).says("ended with exit code 1").says("callers of `live` get version 1 again");
    universe.run("--rollback_on_failure=false").code(1).never_says("get version 1 again");
    assert_eq!(pointed(&aws, "run-after"), at("2"));
    // A run that moved nothing takes nothing back.
    proxy.forget_calls();
    universe.run("").code(1).says("unchanged");
    assert!(proxy.writes().is_empty());
    universe.write("good", "");
    universe.run("").code(0);
}

#[test]
fn a_signal_in_a_command_after_the_deployment_takes_the_alias_back() {
    let (universe, _, aws, _) = released(Kind::Ministack, "run-cancelled", "run: touch started; sleep 30\n");
    let child = universe.start("");
    let begun = Instant::now();
    while !universe.path("started").exists() {
        assert!(begun.elapsed() < Duration::from_mins(1), "the command never starts");
        sleep(Duration::from_millis(50));
    }
    signal(&child, "-TERM");
    Outcome::of(&child.wait_with_output().unwrap()).code(143).says("callers of `live` get version 1 again");
    assert_eq!(pointed(&aws, "run-cancelled"), at("1"));
}

#[test]
fn weights_of_somebody_come_back_too() {
    let (universe, _, aws, _) =
        released(Kind::Ministack, "weights-back", "smoke_test: {expect: {answer: x}, when: after_traffic}\n");
    universe.run("--rollback_on_failure=false").code(7);
    aws.change_alias(
        "weights-back",
        "live",
        &json!({ "FunctionVersion": "1", "RoutingConfig": { "AdditionalVersionWeights": { "2": 0.25 } } }),
    );
    code(&universe, "three");
    universe.run("").code(7).says("get version 1 again");
    assert_eq!(pointed(&aws, "weights-back"), ("1".to_owned(), json!({ "2": 0.25 })));
}

#[test]
fn of_two_releases_at_once_one_is_told_of_the_other() {
    let name = "two-shifts";
    let (universe, _, aws, endpoint) =
        released(Kind::Ministack, name, "traffic_shifting: {steps: [10, 50], interval: 4}\n");
    let child = universe.start("");
    until_shifting(&aws, name);
    let other = Universe::at(&endpoint);
    put(&other, Kind::Ministack, name, "");
    code(&other, "three");
    other.run("").code(0).says("version 3");
    let outcome = Outcome::of(&child.wait_with_output().unwrap()).code(5);
    assert!(outcome.all().contains("another program"), "{}", outcome.all());
    assert_eq!(pointed(&aws, name), at("3"));
}
