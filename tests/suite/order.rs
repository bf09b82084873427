//! Blocks that come after others, and values of functions that other blocks deploy.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, emulator, on_both};

const PYTHON: &str = "import os\ndef handler(event, context):\n    return dict(os.environ)\n";

/// What each function has.
fn defaults(kind: Kind) -> String {
    let role = format!("arn:aws:iam::{}:role/deployed", kind.account());
    format!("defaults: {{role: '{role}', runtime: python3.12, handler: index.handler, zip: dist}}\n")
}

/// A universe with these blocks.
fn universe(endpoint: &str, kind: Kind, blocks: &str) -> Universe {
    let universe = Universe::at(endpoint).file("dist/index.py", PYTHON);
    universe.file("dpl.yml", format!("{}deploy:\n{blocks}", defaults(kind)))
}

/// The names of the functions that were created, in order.
fn created(proxy: &Proxy) -> Vec<String> {
    let name = |body: &Value| body["FunctionName"].as_str().unwrap_or_default().to_owned();
    proxy.bodies("CreateFunction").iter().map(name).collect()
}

/// Blocks, of which nothing is deployed.
fn check(blocks: &str) -> Universe {
    let universe = Universe::empty().file("dist/index.py", PYTHON);
    let defaults = defaults(Kind::Ministack);
    universe.file("dpl.yml", format!("{defaults}stages: {{prod: {{branch: main}}}}\ndeploy:\n{blocks}"))
}

#[test]
fn each_function_is_applied_after_those_that_it_names() {
    on_both(|kind| {
        for (run, more) in ["--parallel 1", "", "--parallel 3"].into_iter().zip(["one", "all", "few"]) {
            let proxy = Proxy::before(&emulator(kind).endpoint);
            let name = |which: &str| format!("in-order-{more}-{which}");
            let blocks = format!(
                "  - {{function_name: {}, after: ['in-order-{more}-a*', {}]}}
  - {{function_name: {}, after: {}}}
  - {{function_name: {}, run: [sleep 0.3]}}
  - {{function_name: {}, after: []}}
",
                name("web"),
                name("worker"),
                name("api"),
                name("worker"),
                name("worker"),
                name("other"),
            );
            proxy.on("CreateFunction", 1, Fault::Slow(Duration::from_millis(300)));
            let universe = universe(&proxy.endpoint, kind, &blocks);
            universe.run(&format!("deploy {run}")).code(0).says("4 created");
            let order: Vec<_> = created(&proxy).into_iter().filter(|known| *known != name("other")).collect();
            assert_eq!(order, ["worker", "api", "web"].map(name), "{run}");
            proxy.forget_calls();
            universe.run(&format!("deploy {run}")).code(0).says("4 unchanged");
            assert_eq!(proxy.writes(), Vec::<String>::new());
        }
    });
}

#[test]
fn what_comes_after_a_failure_does_not_begin() {
    let kind = Kind::Ministack;
    let blocks = |test: &str, of_first: &str, of_last: &str| {
        format!(
            "  - {{function_name: {test}-web, after: {test}-api{of_last}}}
  - {{function_name: {test}-api, after: {test}-worker{of_last}}}
  - {{function_name: {test}-worker{of_first}}}
  - {{function_name: {test}-other}}
"
        )
    };
    let no = || Fault::Answer(400, "InvalidParameterValueException", "{\"message\": \"no\"}");
    // Each is applied alone, so the first call is for the worker.
    for (test, first, last, line, code, others) in [
        ("stopping", "", "", "--parallel 1", 1, 0),
        ("going-on", "", "", "--parallel 1 --keep_going", 1, 1),
        ("allowing", ", allow_failure: true", "", "--parallel 1 --keep_going", 1, 1),
        ("allowing-all", ", allow_failure: true", ", allow_failure: true", "--parallel 1", 0, 1),
    ] {
        let proxy = Proxy::before(&emulator(kind).endpoint);
        proxy.on("CreateFunction", 1, no());
        let universe = universe(&proxy.endpoint, kind, &blocks(test, first, last));
        let outcome = universe.run(&format!("deploy {line}")).code(code);
        assert_eq!(created(&proxy).len(), 1 + others, "{test}: {}", outcome.all());
        let names = Aws::of(&emulator(kind).endpoint);
        assert!(!names.exists(&format!("{test}-web")) && !names.exists(&format!("{test}-api")), "{test}");
        if others == 0 {
            outcome.says("not deployed after the failure: ").says(&format!("`{test}-web`"));
            continue;
        }
        outcome
            .says(&format!("`{test}-api` is not deployed"))
            .says(&format!("after: comes after `{test}-worker`, which was not deployed (dpl.yml:4:"))
            .says(&format!("after: comes after `{test}-api`, which was not deployed (dpl.yml:3:"))
            .says("1 failed, 2 not begun");
    }
}

#[test]
fn a_failed_plan_hinders_those_behind_it() {
    let kind = Kind::Ministack;
    let proxy = Proxy::before(&emulator(kind).endpoint);
    let blocks = "  - {function_name: unplanned-api, after: unplanned-worker}
  - {function_name: unplanned-worker, runtime: null, allow_failure: true}
";
    let outcome = universe(&proxy.endpoint, kind, blocks).run("deploy").code(1);
    outcome.says("comes after `unplanned-worker`, which was not deployed");
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn functions_that_are_not_deployed_hinder_nobody() {
    on_both(|kind| {
        let endpoint = &emulator(kind).endpoint;
        let blocks = "  - {function_name: alone-web, after: [alone-api, alone-db, alone-dry]}
  - {function_name: alone-api, on: {branch: no-such-branch}}
  - {function_name: alone-db, after: alone-web, on: {branch: no-such-branch}}
  - {function_name: alone-dry, dry_run: true}
";
        universe(endpoint, kind, blocks).run("deploy").code(0).says("1 created");
        universe(endpoint, kind, blocks).run("deploy --function_name alone-web").code(0).says("`alone-web`");
        universe(endpoint, kind, blocks).run("plan").code(0).says("alone-dry");
    });
}

#[test]
fn names_are_compared_after_they_are_filled_in() {
    for blocks in [
        "  - {for_each: [a, b], function_name: '%{each}-%{stage}', after: 'migrate-%{stage}'}
  - {function_name: 'migrate-%{stage}'}
",
        "  - {for_each: {a: {}, b: {after: a-prod}}, function_name: '%{each}-%{stage}'}\n",
        "  - {function_name: web, after: 'arn:aws:lambda:eu-west-1:123456789012:function:api'}
  - {function_name: 'arn:aws:lambda:eu-west-1:123456789012:function:api', region: eu-west-1}
",
        "  - {function_name: web, after: '123456789012:function:api, db'}\n  - {function_name: api}\n  - {function_name: db}\n",
        "  - {function_name: web, only: settings, after: web}\n  - {function_name: web, only: code}\n",
        "  - {function_name: web, region: [eu-west-1, us-east-1], after: api}
  - {function_name: api, region: [eu-west-1, us-east-1]}
",
    ] {
        check(blocks).run("check --stage prod").code(0);
        check(blocks).run("render --stage prod").code(0).says("after");
    }
}

#[test]
fn a_name_that_no_block_has_and_a_circle_are_errors_on_their_line() {
    let two = |first: &str, second: &str| {
        format!("  - function_name: api\n    {first}\n  - function_name: worker\n    {second}\n")
    };
    for (blocks, place, told) in [
        (two("after: wroker", "timeout: 3"), "dpl.yml:5:12", "no block is for `wroker`"),
        (two("after: wroker", "timeout: 3"), "dpl.yml:5:12", "did you mean `worker`?"),
        (two("after: [worker, x9]", "timeout: 3"), "dpl.yml:5:21", "the blocks are for `api`, `worker`"),
        (two("after: 'x*'", "timeout: 3"), "dpl.yml:5:12", "no block is for `x*`"),
        (two("after: api", "timeout: 3"), "dpl.yml:5:12", "`api` is the function of this block"),
        (two("after: [worker]", "after: [api]"), "dpl.yml:5:13", "comes after itself: `api → worker → api`"),
        (two("after: '*'", "after: '*'"), "dpl.yml:5:12", "comes after itself: `api → worker → api`"),
        (two("after: [{a: b}]", "timeout: 3"), "dpl.yml:5:13", "must be a list of texts"),
        (two("after: {from_ssm: /x}", "timeout: 3"), "dpl.yml:5:12", "decides how the run works"),
        (
            format!("{}  - layer: deps\n    zip: dist\n    after: api\n", two("timeout: 3", "timeout: 3")),
            "dpl.yml:10:12",
            "layers are published before all of them",
        ),
        (
            "  - function_name: web\n    region: [eu-west-1, us-east-1]\n    after: web\n".to_owned(),
            "dpl.yml:6:12",
            "`web` is the function of this block",
        ),
        (
            "  - function_name: web\n    region: [eu-west-1, us-east-1]\n    after: api\n  - {function_name: api, region: [eu-west-1, us-east-1], after: web}\n".to_owned(),
            "dpl.yml:6:12",
            "comes after itself: `web → api → web`",
        ),
    ] {
        let outcome = check(&blocks).run("check --stage prod").code(3).says(place).says(told);
        assert_eq!(outcome.all().matches("comes after itself").count(), usize::from(told.contains("itself")), "{}", outcome.all());
    }
    // Blocks of which no build deploys both.
    let exclusive = "  - {function_name: api, after: worker, on: {branch: a}}
  - {function_name: worker, after: api, on: {branch: b}}
";
    check(exclusive).run("check --stage prod").code(0);
}

#[test]
fn a_function_in_several_regions_waits_for_the_one_of_its_region() {
    let kind = Kind::Ministack;
    let proxy = Proxy::before(&emulator(kind).endpoint);
    // The first call is for the worker in eu-west-1. All others can go on.
    let blocks = "  - {function_name: regional-api, region: [eu-west-1, us-east-1], after: regional-worker}
  - {function_name: regional-worker, region: [eu-west-1, us-east-1]}
  - {function_name: regional-web, region: ap-south-1, after: regional-worker}
";
    proxy.on("CreateFunction", 1, Fault::Answer(400, "InvalidParameterValueException", "{\"message\": \"no\"}"));
    let outcome = universe(&proxy.endpoint, kind, blocks).run("deploy --parallel 1 --keep_going").code(1);
    outcome.says("2 created, 1 failed, 2 not begun");
    assert_eq!(created(&proxy), ["regional-worker", "regional-worker", "regional-api"]);
}
