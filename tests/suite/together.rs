//! `all_or_nothing`: the aliases of all functions of a run move, or none of them.

use std::{
    process::{Child, Command},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::release::try_cases;
use crate::harness::{Aws, Call, Fault, Kind, Outcome, Proxy, Universe, emulator};

/// Three functions with version 1 behind their aliases, and code for the next version.
struct Trio {
    universe: Universe,
    proxy: Proxy,
    aws: Aws,
    name: String,
}

const REFUSED: Fault = Fault::Answer(400, "InvalidParameterValueException", "not today");
const DENIED: Fault = Fault::Answer(403, "AccessDeniedException", "not allowed");

impl Trio {
    /// What each block has besides stands in `more`.
    fn released(name: &str, more: [&str; 3]) -> Self {
        let emulator = emulator(Kind::Ministack);
        let proxy = Proxy::before(&emulator.endpoint);
        let universe = Universe::at(&proxy.endpoint);
        let trio = Self { universe, proxy, aws: Aws::of(&emulator.endpoint), name: name.to_owned() };
        trio.put([""; 3]);
        trio.code("one");
        trio.universe.run("").code(0).says("3 created");
        trio.put(more);
        trio.code("two");
        trio.proxy.forget_calls();
        trio
    }

    fn put(&self, more: [&str; 3]) {
        let names = self.names();
        let block = |index: usize| format!("  - {{function_name: {}{}}}\n", names[index], more[index]);
        let blocks: String = (0..3).map(block).collect();
        let defaults = "role: arn:aws:iam::000000000000:role/deployed, runtime: python3.12, handler: index.handler, \
                        zip: dist, region: us-east-1, alias: live, all_or_nothing: true";
        self.universe.write("dpl.yml", format!("defaults: {{{defaults}}}\ndeploy:\n{blocks}"));
    }

    fn code(&self, answer: &str) {
        let text = format!("def handler(event, context):\n    return {{'answer': '{answer}'}}\n");
        self.universe.write("dist/index.py", text);
    }

    fn names(&self) -> [String; 3] {
        ["a", "b", "c"].map(|which| format!("{}-{which}", self.name))
    }

    /// The versions of the aliases. One that shares its traffic has a `+`.
    fn aliases(&self) -> [String; 3] {
        self.names().map(|name| {
            let alias = self.aws.alias(&name, "live");
            let weights =
                alias["RoutingConfig"]["AdditionalVersionWeights"].as_object().map_or(0, serde_json::Map::len);
            format!("{}{}", alias["FunctionVersion"].as_str().unwrap_or("none"), if weights > 0 { "+" } else { "" })
        })
    }

    /// A run without faults gets everywhere, and the next one has nothing to do.
    fn heals(&self, version: &str) {
        self.proxy.clear();
        self.universe.run("").code(0);
        assert_eq!(self.aliases(), [version; 3], "{}", self.name);
        self.proxy.forget_calls();
        self.universe.run("").code(0).says("3 unchanged");
        assert!(self.proxy.writes().is_empty());
    }
}

fn terminate(child: &Child) {
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
}

/// What the document says of each function: outcome, state of the alias, whether it changed.
fn states(document: &Value) -> Vec<[Value; 3]> {
    let functions = document["functions"].as_array().unwrap();
    functions.iter().map(|one| ["outcome", "alias_state", "changed"].map(|key| one[key].clone())).collect()
}

#[test]
fn aliases_move_when_every_function_is_ready() {
    let test = ", smoke_test: {payload: {}, expect: {answer: two}}, function_url: true, keep_versions: 1";
    let trio = Trio::released("together-well", [test, "", test]);
    trio.universe.run("plan").code(0).says("all_or_nothing: live moves when every function of the run is ready");
    let document = trio.universe.run("--format json").code(0).json();
    assert_eq!(states(&document), vec![[json!("deployed"), json!("moved"), json!(true)]; 3]);
    let writes = trio.proxy.writes();
    let first = writes.iter().position(|call| call == "UpdateAlias").unwrap();
    let before = |operation: &str| writes[..first].iter().filter(|call| *call == operation).count();
    assert_eq!(
        (before("PublishVersion"), before("Invoke"), before("CreateFunctionUrlConfig")),
        (3, 2, 0),
        "{writes:?}"
    );
    let last = writes.iter().rposition(|call| call == "UpdateAlias").unwrap();
    assert!(!writes[..last].contains(&"DeleteFunction".to_owned()), "{writes:?}");
    assert_eq!(trio.aliases(), ["2"; 3]);
    trio.heals("2");
    let document = trio.universe.run("--format json").code(0).json();
    assert_eq!(states(&document), vec![[json!("unchanged"), json!("stayed"), json!(false)]; 3]);
}

#[test]
fn no_alias_moves_if_a_function_does_not_get_ready() {
    let test = ", smoke_test: {run: 'test \"$LAMBDA_FUNCTION_NAME\" != \"$(cat bad)\"'}";
    for (index, which) in ["a", "b", "c"].into_iter().enumerate() {
        for (what, fault, code) in
            [("UpdateFunctionCode", REFUSED, 1), ("PublishVersion", DENIED, 4), ("test", REFUSED, 7)]
        {
            let name = format!("unready-{}-{which}", what.to_lowercase());
            let trio = Trio::released(&name, [test; 3]);
            let bad = format!("{name}-{which}");
            trio.universe.write("bad", if what == "test" { bad.clone() } else { String::new() });
            trio.proxy.on_of(what, &bad, 0, fault);
            let outcome = trio.universe.run("--parallel 3 --format json --summary_file s.md").code(code);
            assert_eq!(trio.aliases(), ["1"; 3], "{name}");
            assert!(!trio.proxy.calls().contains(&"UpdateAlias".to_owned()));
            let document = outcome.json();
            for (at, state) in states(&document).into_iter().enumerate() {
                let ended = if at == index { json!("failed") } else { json!("held") };
                assert_eq!((&state[0], &state[1]), (&ended, &json!("stayed")), "{name}: {document}");
            }
            assert_eq!(trio.universe.read("s.md").matches("↩ Held back").count(), 2);
            trio.universe.write("bad", "");
            trio.heals("2");
        }
    }
}

#[test]
fn functions_that_were_ready_say_what_they_have() {
    let trio = Trio::released("held-words", ["", ", timeout: 9", ""]);
    trio.proxy.on_of("PublishVersion", "held-words-c", 0, REFUSED);
    trio.universe
        .run("--parallel 3")
        .code(1)
        .says("Held back held-words-a: live stays at version 1; version 2 is published and gets no traffic; $LATEST has the new code.")
        .says("$LATEST has the new configuration and code.")
        .says("done: configuration, code, version.  not done: alias");
}

#[test]
fn steps_that_are_done_in_two_parts_belong_to_their_function() {
    let trio = Trio::released("parts", [""; 3]);
    trio.proxy.on_of("UpdateAlias", "parts-c", 0, REFUSED);
    trio.universe.run("--parallel 1 --junit r.xml").code(1);
    let report = trio.universe.read("r.xml");
    for (name, failures, skipped) in [("parts-a", 0, 0), ("parts-b", 0, 0), ("parts-c", 1, 0)] {
        let suite =
            report.split("<testsuite ").find(|suite| suite.contains(&format!("\"{name} in us-east-1\""))).unwrap();
        let numbers = ["<failure", "<skipped"].map(|mark| suite.matches(mark).count());
        assert_eq!(numbers, [failures, skipped], "{suite}");
    }
}

#[test]
fn the_log_and_the_summary_have_the_moments_of_each_function_beside_it() {
    let test = ", smoke_test: {when: after_traffic, run: 'test \"$LAMBDA_FUNCTION_NAME\" != beside-b'}";
    let trio = Trio::released("beside", [test; 3]);
    let line = "--parallel 1 --summary_file s.md --ci github";
    let outcome = trio.universe.run(line).code(7);
    let page = trio.universe.read("s.md");
    let part = |title: &str| {
        page.split("###").flat_map(|part| part.split("<details>")).find(|part| part.contains(title)).unwrap()
    };
    assert_eq!(part("Took back beside-a").matches("smoke test 1 of version 2 passed").count(), 1, "{page}");
    assert_eq!(part("Took back beside-a").matches("all of live back to version 1").count(), 1, "{page}");
    assert_eq!(part("of \\`beside-b\\`").matches("smoke test 1 of version 2 failed").count(), 1, "{page}");
    assert_eq!(part("of \\`beside-b\\`").matches("all of live back to version 1").count(), 1, "{page}");
    assert!(!part("Held back beside-c").contains("back to version"), "{page}");
    // What became of a function is outside of the groups, which the CI folds.
    let mut is_open = false;
    for line in outcome.stdout.lines() {
        is_open = (is_open || line.starts_with("::group::")) && line != "::endgroup::";
        assert!(!(is_open && (line.starts_with("Took back") || line.starts_with("Held back"))), "{}", outcome.all());
    }
}

#[test]
fn one_function_in_two_regions_moves_in_both_or_in_none() {
    let emulator = emulator(Kind::Ministack);
    let proxies = [Proxy::before(&emulator.endpoint), Proxy::before(&emulator.endpoint)];
    let universe = Universe::at(&emulator.endpoint);
    let blocks: String = ["us-east-1", "eu-west-1"]
        .iter()
        .zip(&proxies)
        .map(|(region, proxy)| {
            format!("  - {{function_name: two-regions, region: {region}, endpoint_url: '{}'}}\n", proxy.endpoint)
        })
        .collect();
    let defaults = "role: 'arn:aws:iam::000000000000:role/deployed', runtime: python3.12, handler: index.handler, \
                    zip: dist, alias: live, all_or_nothing: true";
    universe.write("dpl.yml", format!("defaults: {{{defaults}}}\ndeploy:\n{blocks}"));
    universe.write("dist/index.py", "ONE = 1\n");
    universe.run("").code(0).says("2 created");
    universe.write("dist/index.py", "TWO = 2\n");
    proxies[1].on("UpdateAlias", 0, DENIED);
    let outcome = universe.run("--parallel 1 --format json").code(4);
    let document = outcome.json();
    assert_eq!(
        states(&document),
        [[json!("held"), json!("back"), json!(true)], [json!("failed"), json!("stayed"), json!(true)]]
    );
    let versions = |proxy: &Proxy| {
        proxy.bodies("UpdateAlias").iter().map(|body| body["FunctionVersion"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(versions(&proxies[0]), ["2", "1"]);
    assert_eq!(versions(&proxies[1]), ["2"]);
}

#[test]
fn all_aliases_go_back_if_one_does_not_move() {
    let url = ", function_url: true";
    for (what, operation, fault, code) in
        [("move", "UpdateAlias", DENIED, 4), ("url", "CreateFunctionUrlConfig", REFUSED, 1)]
    {
        for (which, parallel) in [("a", "3"), ("b", "1"), ("c", "3")] {
            let name = format!("back-{what}-{which}{parallel}");
            let trio = Trio::released(&name, [url; 3]);
            trio.proxy.on_of(operation, &format!("{name}-{which}"), 0, fault.clone());
            let outcome = trio.universe.run(&format!("--parallel {parallel} --format json")).code(code);
            assert_eq!(trio.aliases(), ["1"; 3], "{name}: {}", outcome.all());
            let document = outcome.json();
            for function in document["functions"].as_array().unwrap() {
                let state = function["alias_state"].as_str().unwrap();
                let failed = function["function_name"].as_str().unwrap().ends_with(which);
                assert_eq!(function["outcome"] == "failed", failed, "{document}");
                assert!(["stayed", "back"].contains(&state), "{document}");
                // An alias that AWS refused to move was never away.
                assert!(!failed || (state == "back") == (what == "url"), "{document}");
            }
            assert!(!outcome.all().contains("could not be taken back"), "{}", outcome.all());
            for name in trio.names() {
                let description = trio.aws.alias(&name, "live")["Description"].clone();
                assert!(description.is_null() || description == "", "{name}: {description}");
            }
            trio.heals("2");
        }
    }
}

#[test]
fn a_failed_test_or_command_after_the_move_takes_all_back() {
    let test = ", smoke_test: {when: after_traffic, run: 'test \"$LAMBDA_FUNCTION_NAME\" != \"$(cat bad)\"'}";
    let command = ", run: ['test \"$(cat bad)\" = \"\"']";
    for (name, more) in [("test-after", [test; 3]), ("command-after", ["", command, ""])] {
        for which in ["a", "b", "c"] {
            let name = format!("{name}-{which}");
            let trio = Trio::released(&name, more);
            trio.universe.write("bad", format!("{name}-{which}"));
            let outcome = trio.universe.run("").code(7);
            assert_eq!(trio.aliases(), ["1"; 3], "{name}: {}", outcome.all());
            let all = outcome.all();
            assert_eq!(all.matches("Took back ").count() + all.matches("Held back ").count(), 2, "{all}");
            trio.universe.write("bad", "");
            trio.heals("2");
        }
    }
}

#[test]
fn the_row_of_a_failed_command_has_the_command_and_what_became_of_the_alias_once() {
    let trio = Trio::released("command-row", ["", "", ", run: ['exit 9']"]);
    let outcome = trio.universe.run("--summary_file s.md").code(7);
    let page = trio.universe.read("s.md");
    for (text, start) in [(&outcome.stdout, "failed "), (&page, "| ✘ ")] {
        let row = text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{text}"));
        assert!(row.contains("the command") && row.contains("exit 9"), "{row}");
        assert_eq!(row.matches("version 1 again").count(), usize::from(start != "failed "), "{row}");
    }
}

#[test]
fn the_row_of_an_alias_that_is_not_back_says_so_once() {
    let trio = Trio::released("stuck-row", ["", "", ", run: ['false']"]);
    trio.proxy.on_of("UpdateAlias", "stuck-row-a", 2, DENIED);
    trio.proxy.on_of("UpdateAlias", "stuck-row-c", 2, DENIED);
    trio.universe.run("--summary_file s.md").code(7);
    let page = trio.universe.read("s.md");
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| ✘ ")).collect();
    assert_eq!(rows.len(), 2, "{page}");
    for row in rows {
        assert_eq!(row.matches("could not be taken back").count(), 1, "{row}");
    }
}

#[test]
fn a_moment_of_one_of_several_functions_names_it() {
    let shift = ", traffic_shifting: {steps: [50], interval: 0}";
    let test = ", smoke_test: {run: 'test ! -e bad'}";
    let trio = Trio::released("named", [shift, test, ", run: [touch bad, 'false']"]);
    let all = trio.universe.run("--quiet").code(7).all();
    for line in [
        "Version 2 of named-a gets 50 % of the traffic of live.",
        "Smoke test 1 of version 2 of named-b passed.",
        "Version 1 of named-a gets all traffic of live again.",
        "Version 1 of named-b gets all traffic of live again.",
        "Version 1 of named-c gets all traffic of live again.",
    ] {
        assert_eq!(all.matches(line).count(), 1, "{line}: {all}");
    }
    trio.code("three");
    let all = trio.universe.run("--quiet").code(7).all();
    assert_eq!(all.matches("Smoke test 1 of version 3 of named-b failed.").count(), 1, "{all}");
    // A run of one function does not repeat its name.
    let all = trio.universe.run("--quiet --function_name named-a").code(0).all();
    assert!(all.contains("Version 3 gets 50 % of the traffic of live."), "{all}");
}

#[test]
fn a_failed_command_of_an_unchanged_function_takes_the_others_back() {
    let trio = Trio::released("command-unchanged", ["", "", ", only: settings, run: [test -e good]"]);
    let outcome = trio.universe.run("--format json").code(7);
    assert_eq!(trio.aliases(), ["1"; 3], "{}", outcome.all());
    let document = outcome.json();
    assert_eq!(states(&document)[2][0], "failed", "{document}");
    assert_eq!([0, 1].map(|at| states(&document)[at][1].clone()), ["back", "back"]);
    trio.universe.write("good", "");
    trio.universe.run("").code(0);
    assert_eq!(trio.aliases(), ["2", "2", "1"]);
}

#[test]
fn a_shift_ends_when_another_function_fails() {
    let slow = ", traffic_shifting: Canary10Percent10Minutes";
    let fails = ", smoke_test: {when: after_traffic, run: 'sleep 1; false'}";
    let trio = Trio::released("shift-others", [slow, fails, slow]);
    let begun = Instant::now();
    let outcome = trio.universe.run("--parallel 3 --format json").code(7);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(trio.aliases(), ["1"; 3], "{}", outcome.all());
    let document = outcome.json();
    assert_eq!([0, 1, 2].map(|at| states(&document)[at][0].clone()), ["held", "failed", "held"], "{document}");
    assert_eq!(states(&document).iter().filter(|state| state[1] == "back").count(), 3, "{document}");
    assert_eq!(document["errors"].as_array().unwrap().len(), 1, "{document}");
    trio.put(["", "", ""]);
    trio.heals("2");
}

#[test]
fn a_refused_step_of_a_shift_takes_all_back() {
    let shift = ", traffic_shifting: {steps: [10, 50], interval: 0}";
    for nth in 1..=3 {
        let name = format!("shift-refused-{nth}");
        let trio = Trio::released(&name, [shift; 3]);
        trio.proxy.on_of("UpdateAlias", &format!("{name}-b"), nth, DENIED);
        let outcome = trio.universe.run("").code(4);
        assert_eq!(trio.aliases(), ["1"; 3], "{name}: {}", outcome.all());
        trio.heals("2");
    }
}

#[test]
fn a_signal_before_the_move_leaves_all_aliases_alone() {
    let trio = Trio::released("signal-early", ["", "", ", smoke_test: {run: 'touch started; sleep 30'}"]);
    let child = trio.universe.start("--parallel 3");
    while !trio.universe.path("started").exists() {
        sleep(Duration::from_millis(20));
    }
    terminate(&child);
    let outcome = Outcome::of(&child.wait_with_output().unwrap()).code(143).says("interrupted by SIGTERM");
    assert_eq!(trio.aliases(), ["1"; 3], "{}", outcome.all());
    assert!(!trio.proxy.calls().contains(&"UpdateAlias".to_owned()));
    trio.put([""; 3]);
    trio.heals("2");
}

#[test]
fn a_signal_during_the_move_takes_all_back() {
    for (name, more, parallel) in [
        ("signal-shift", ["", ", traffic_shifting: Canary10Percent10Minutes", ""], 3),
        ("signal-first", [", smoke_test: {when: after_traffic, run: 'touch started; sleep 30'}", "", ""], 1),
        ("signal-command", ["", ", run: ['touch started; sleep 30']", ""], 3),
    ] {
        let trio = Trio::released(name, more);
        let child = trio.universe.start(&format!("--parallel {parallel}"));
        if name == "signal-shift" {
            while !trio.aliases().iter().any(|alias| alias.ends_with('+')) {
                sleep(Duration::from_millis(20));
            }
        } else {
            while !trio.universe.path("started").exists() {
                sleep(Duration::from_millis(20));
            }
        }
        sleep(Duration::from_millis(500));
        let begun = Instant::now();
        terminate(&child);
        let outcome = Outcome::of(&child.wait_with_output().unwrap()).code(143);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(trio.aliases(), ["1"; 3], "{name}: {}", outcome.all());
        trio.put([""; 3]);
        trio.heals("2");
    }
}

#[test]
fn lost_answers_are_looked_up() {
    let trio = Trio::released("lost-answers", [""; 3]);
    for operation in ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"] {
        for name in trio.names() {
            trio.proxy.on_of(operation, &name, 1, Fault::ResetAfter);
        }
    }
    trio.universe.run("").code(0);
    assert_eq!(trio.aliases(), ["2"; 3]);
}

#[test]
fn an_alias_that_cannot_go_back_is_an_error_with_the_way_out() {
    let trio = Trio::released("expired", ["", "", ", smoke_test: {when: after_traffic, run: 'sleep 2; false'}"]);
    for name in trio.names() {
        trio.proxy.on_of("UpdateAlias", &name, 2, Fault::Answer(403, "ExpiredTokenException", "The token is expired"));
    }
    let outcome = trio.universe.run("--parallel 3 --format json").code(7);
    assert_eq!(trio.aliases(), ["2"; 3], "{}", outcome.all());
    let document = outcome.json();
    assert_eq!(states(&document).iter().filter(|state| state[1] == "not_back").count(), 3, "{document}");
    let helps: Vec<_> =
        document["errors"].as_array().unwrap().iter().map(|error| error["help"].as_str().unwrap().to_owned()).collect();
    trio.proxy.clear();
    for name in trio.names() {
        let way_out = format!("rollback --function_name {name} --region us-east-1 --alias live --to 1");
        assert!(helps.iter().any(|help| help.contains(&way_out)), "{helps:?}");
        trio.universe.run(&way_out).code(0);
    }
    assert_eq!(trio.aliases(), ["1"; 3]);
}

#[test]
fn an_alias_that_another_program_moves_is_left_alone() {
    let name = "foreign-b";
    let trio = Trio::released("foreign", ["", ", smoke_test: {when: after_traffic, run: 'sleep 1'}", ""]);
    let endpoint = emulator(Kind::Ministack).endpoint.clone();
    let moved = move || {
        Aws::of(&endpoint).change_alias(name, "live", &json!({ "FunctionVersion": "1", "Description": "mine" }));
    };
    trio.proxy.on_of("UpdateAlias", name, 1, Fault::Then(Arc::new(moved)));
    let outcome = trio.universe.run("").code(5).says("another program");
    assert_eq!(trio.aliases(), ["1"; 3], "{}", outcome.all());
    assert_eq!(trio.aws.alias(name, "live")["Description"], "mine");
}

#[test]
fn an_alias_that_another_program_changes_late_is_left_alone_and_the_others_go_back() {
    let waits = ", keep_versions: 1, run: ['touch started; sleep 3']";
    let shifts = ", traffic_shifting: {steps: [10, 50], interval: 3}";
    let moved = json!({ "FunctionVersion": "2", "Description": "mine" });
    let shared = json!({ "RoutingConfig": { "AdditionalVersionWeights": { "2": 0.5 } }, "Description": "mine" });
    for (name, more, change, left) in [
        ("late-move", ["", "", waits], &moved, "2"),
        ("late-share", ["", "", waits], &shared, "3+"),
        ("late-shift", [shifts, ", keep_versions: 1", ""], &moved, "2"),
    ] {
        let trio = Trio::released(name, [""; 3]);
        trio.universe.run("").code(0);
        trio.put(more);
        trio.code("three");
        trio.proxy.forget_calls();
        let child = trio.universe.start("--parallel 3 --format json");
        let has_begun = || match name {
            "late-shift" => trio.aliases() == ["2+", "3", "3"],
            _ => trio.universe.path("started").exists(),
        };
        while !has_begun() {
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_millis(300));
        trio.aws.change_alias(&format!("{name}-b"), "live", change);
        let outcome = Outcome::of(&child.wait_with_output().unwrap()).code(5).says("another program");
        assert_eq!(trio.aliases(), ["2", left, "2"], "{name}: {}", outcome.all());
        assert_eq!(trio.aws.alias(&format!("{name}-b"), "live")["Description"], "mine");
        assert!(!trio.proxy.calls().contains(&"DeleteFunction".to_owned()), "{name}");
        let document = outcome.json();
        let outcomes = [0, 1, 2].map(|at| states(&document)[at][0].clone());
        assert_eq!(outcomes, ["held", "failed", "held"], "{name}: {document}");
        assert_eq!(document["errors"].as_array().unwrap().len(), 1, "{document}");
    }
}

#[test]
fn a_change_by_another_program_takes_all_back() {
    let name = "contested-b";
    let trio = Trio::released("contested", ["", ", function_tags: {a: b}", ""]);
    let endpoint = emulator(Kind::Ministack).endpoint.clone();
    let changed = move || Aws::of(&endpoint).configure(name, &json!({ "Timeout": 77 }));
    trio.proxy.on_of("UpdateAlias", name, 1, Fault::Then(Arc::new(changed)));
    trio.put(["", ", timeout: 5", ""]);
    let outcome = trio.universe.run("").code(5).says("another program").says("callers of `live` get version 1 again");
    assert_eq!(trio.aliases(), ["1"; 3], "{}", outcome.all());
    outcome.says("done: configuration, code, version.  not done: alias");
}

#[test]
fn a_lost_connection_takes_back_what_it_can_and_names_the_rest() {
    let trio = Trio::released(
        "lost-network",
        ["", ", smoke_test: {when: after_traffic, run: 'touch cut; sleep 2; false'}", ""],
    );
    let cut = trio.universe.path("cut");
    let (state, when) = (trio.proxy.clone(), cut.clone());
    std::thread::spawn(move || {
        while !when.exists() {
            sleep(Duration::from_millis(20));
        }
        state.on("*", 0, Fault::ResetBefore);
    });
    let begun = Instant::now();
    let outcome = trio.universe.run("--parallel 3").code(7);
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    let all = outcome.all();
    for (name, alias) in trio.names().iter().zip(trio.aliases()) {
        let named = all.contains(&format!("rollback --function_name {name} --region us-east-1 --alias live --to 1"));
        assert_eq!(named, alias == "2", "{name}: {all}");
    }
    trio.put([""; 3]);
    trio.heals("2");
}

/// A fault at a write of the run.
#[derive(Debug)]
struct Case {
    nth: usize,
    which: &'static str,
    parallel: usize,
}

#[test]
fn whatever_write_fails_all_aliases_are_at_one_version() {
    // Three functions: code, version, alias, URL and its statement.
    let faults = ["refused", "denied", "conflict", "lost before", "lost after", "slow"];
    let cases: Vec<_> = (1..=15)
        .flat_map(|nth| faults.map(|which| Case { nth, which, parallel: if nth % 2 == 0 { 1 } else { 3 } }))
        .collect();
    try_cases("all or nothing", &cases, 12, |Case { nth, which, parallel }: &Case| {
        let name = format!("write-{nth}-{}", which.replace(' ', "-"));
        let trio = Trio::released(&name, [", function_url: true"; 3]);
        let fault = match *which {
            "refused" => REFUSED,
            "denied" => DENIED,
            "conflict" => Fault::Answer(
                409,
                "ResourceConflictException",
                "The operation cannot be performed at this time. An update is in progress",
            ),
            "lost before" => Fault::ResetBefore,
            "lost after" => Fault::ResetAfter,
            _ => Fault::Slow(Duration::from_secs(2)),
        };
        trio.proxy.on_write(*nth, fault);
        let outcome = trio.universe.run(&format!("--parallel {parallel} --format json"));
        let ended = if outcome.code == 0 { "2" } else { "1" };
        if trio.aliases() != [ended; 3] {
            return Err(format!("{name}: {:?} {}", trio.aliases(), outcome.all()));
        }
        let state = if ended == "2" { &["moved"][..] } else { &["stayed", "back"] };
        let states = states(&outcome.json());
        if !states.iter().all(|of| state.contains(&of[1].as_str().unwrap_or_default())) {
            return Err(format!("{name}: {states:?}"));
        }
        trio.heals("2");
        Ok(())
    });
}

#[test]
fn the_time_that_other_functions_take_does_not_count() {
    let trio = Trio::released("patient", [", wait_timeout: 4", ", smoke_test: {run: sleep 6}", ", wait_timeout: 4"]);
    trio.universe.run("--parallel 3").code(0);
    assert_eq!(trio.aliases(), ["2"; 3]);
}

#[test]
fn a_function_that_another_program_deletes_takes_the_others_back() {
    let name = "deleted-b";
    let trio = Trio::released("deleted", [""; 3]);
    let endpoint = emulator(Kind::Ministack).endpoint.clone();
    let gone = move || drop(Aws::of(&endpoint).call("lambda", "DELETE", &format!("/2015-03-31/functions/{name}"), ""));
    trio.proxy.on_of("UpdateAlias", name, 1, Fault::First(Arc::new(gone)));
    let outcome = trio.universe.run("--parallel 1").code(5).says("deleted");
    for name in ["deleted-a", "deleted-c"] {
        assert_eq!(trio.aws.alias(name, "live")["FunctionVersion"], "1", "{}", outcome.all());
    }
}

#[test]
fn no_alias_goes_back_once_old_versions_are_deleted() {
    let keep = ", keep_versions: 1";
    let trio = Trio::released("too-late", [keep; 3]);
    trio.universe.run("").code(0);
    trio.code("three");
    trio.proxy.on_of("DeleteFunction", "too-late-b", 0, Fault::Slow(Duration::from_secs(20)));
    trio.proxy.forget_calls();
    let child = trio.universe.start("--parallel 1 --format json");
    while !trio.proxy.calls().contains(&"DeleteFunction".to_owned()) {
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_millis(500));
    terminate(&child);
    let outcome = Outcome::of(&child.wait_with_output().unwrap()).code(143);
    assert_eq!(trio.aliases(), ["3"; 3], "{}", outcome.all());
    let document = outcome.json();
    assert!(states(&document).iter().all(|state| state[1] == "moved"), "{document}");
    trio.proxy.clear();
    trio.universe.run("").code(0);
    assert_eq!(trio.aliases(), ["3"; 3]);
}

#[test]
fn a_run_that_was_killed_is_finished_by_the_next() {
    let shift = ", traffic_shifting: Canary10Percent10Minutes";
    let trio = Trio::released("killed-all", ["", shift, ""]);
    let mut child = trio.universe.start("--parallel 1");
    while trio.aliases()[1] != "1+" {
        sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(trio.aliases(), ["2", "1+", "1"]);
    trio.put([""; 3]);
    trio.heals("2");
}

#[test]
fn a_new_alias_stays_because_nothing_was_there_before() {
    let trio = Trio::released("new-alias", [""; 3]);
    trio.put([", alias: fresh", "", ", smoke_test: {when: after_traffic, run: 'sleep 1; false'}"]);
    let outcome = trio.universe.run("--format json").code(7);
    assert_eq!(trio.aliases(), ["1"; 3], "{}", outcome.all());
    assert_eq!(trio.aws.alias("new-alias-a", "fresh")["FunctionVersion"], "2");
    assert_eq!(states(&outcome.json())[0][1], "moved");
    trio.universe.run("--function_name new-alias-b").code(0);
    trio.put([", alias: fresh", "", ""]);
    trio.universe.run("").code(0);
    assert_eq!(trio.aliases(), ["1", "2", "2"]);
}

#[test]
fn a_failure_that_may_happen_holds_no_other_function() {
    let may_fail = ", allow_failure: true, smoke_test: {run: 'false'}";
    let trio = Trio::released("allowed", ["", may_fail, ""]);
    trio.universe.run("").code(0).says("this failure is allowed");
    assert_eq!(trio.aliases(), ["2", "1", "2"]);
    trio.code("three");
    trio.put(["", ", allow_failure: true, smoke_test: {run: 'false', when: after_traffic}", ""]);
    trio.universe.run("").code(0).says("callers of `live` get version 1 again");
    assert_eq!(trio.aliases(), ["3", "1", "3"]);
}

#[test]
fn the_order_of_the_blocks_holds_before_and_during_the_move() {
    let trio = Trio::released("in-order", [", after: in-order-b", ", after: in-order-c", ""]);
    trio.universe.run("--parallel 3").code(0);
    let of = |operation: &str| {
        let path =
            |call: &Call| call.address().0.split('/').find(|part| part.starts_with("in-order")).map(str::to_owned);
        trio.proxy.requests(operation).iter().filter_map(path).collect::<Vec<_>>()
    };
    for operation in ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"] {
        assert_eq!(of(operation), ["in-order-c", "in-order-b", "in-order-a"], "{operation}");
    }
    trio.code("three");
    trio.proxy.forget_calls();
    trio.proxy.on_of("UpdateAlias", "in-order-b", 0, DENIED);
    trio.universe.run("--parallel 3").code(4);
    assert_eq!(trio.aliases(), ["2"; 3]);
    // The first one moved and went back; the last one never moved.
    assert_eq!(of("UpdateAlias"), ["in-order-c", "in-order-b", "in-order-c"]);
    trio.heals("3");
}

#[test]
fn a_deployment_that_is_only_shown_holds_no_other_function() {
    let trio = Trio::released("shown-only", ["", ", dry_run: true", ""]);
    trio.universe.run("").code(0);
    assert_eq!(trio.aliases(), ["2", "1", "2"]);
}

#[test]
fn what_cannot_move_together_is_an_error_on_its_line() {
    let universe = Universe::empty().file("dist/index.py", "def handler(e, c): return 1\n");
    let block = |more: &str| format!("  - {{function_name: f{more}}}\n");
    for (blocks, said) in [
        ([", alias: live", ""], "dpl.yml:4:5"),
        ([", alias: live", ", alias: live, rollback_on_failure: false"], "rollback_on_failure: is false"),
        (
            [", alias: live", ", alias: live, all_or_nothing: false"],
            "all_or_nothing: is not the same in the first block",
        ),
        ([", alias: live, keep_going: true", ", alias: live"], "all_or_nothing: cannot be used with `keep_going`"),
        ([", alias: live, only: code", ", alias: live, only: settings"], "with `all_or_nothing`, a function has one"),
    ] {
        let halves = blocks[0].contains("only");
        let [first, second] = blocks.map(block);
        let second = if halves { second } else { second.replace("name: f", "name: g") };
        universe.write("dpl.yml", format!("defaults: {{zip: dist, all_or_nothing: true}}\ndeploy:\n{first}{second}"));
        for verb in ["check", "plan", "deploy"] {
            universe.run(verb).code(3).says(said).says("dpl.yml:");
        }
    }
    // No build deploys both of these.
    let [staging, production] = [", on: {branch: develop}", ", alias: l, all_or_nothing: true, on: {branch: main}"];
    let both = format!("{}{}", block(staging), block(production).replace(": f", ": g"));
    universe.write("dpl.yml", format!("defaults: {{zip: dist}}\ndeploy:\n{both}"));
    universe.run("check").code(0);
    universe.run("render").code(0);
    universe
        .write("dpl.yml", format!("defaults: {{zip: dist}}\ndeploy:\n{}", both.replace(", on: {branch: develop}", "")));
    universe.run("plan --region us-east-1").code(4).says("Skipped `g`");
    universe.write("dpl.yml", universe.read("dpl.yml").replace(", alias: l", ""));
    universe.run("check").code(3).says("alias: is not set, and with `all_or_nothing` every function needs one");
    universe.write("dpl.yml", format!("deploy:\n{}{}", block(", alias: l"), block(", alias: l").replace(": f", ": g")));
    universe.run("check").code(0);
    universe.run("check --all_or_nothing --keep_going").code(3).says("--all_or_nothing");
    universe.run("check --all_or_nothing").code(0);
}
