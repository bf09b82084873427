//! Blocks that come after others, and values of functions that other blocks deploy.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, boto, emulator, on_both};

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
        let outcome = outcome
            .says("not deployed after the failure: ")
            .says(&format!("comes after `{test}-worker`, which is n"))
            .says(&format!("comes after `{test}-api`, which is n"))
            .never_says(&format!("error: `{test}-api`"));
        // Only what comes after nothing could be deployed.
        if others == 0 {
            outcome.says("set `keep_going: true`").says(&format!("after the failure of `{test}-worker`"));
        } else {
            outcome.never_says("set `keep_going: true`").says("1 failed, 2 not begun");
        }
    }
}

#[test]
fn what_comes_after_a_failure_is_no_failure_in_any_report() {
    let kind = Kind::Ministack;
    let blocks = "  - {function_name: reported-web, after: reported-api}
  - {function_name: reported-api, after: reported-worker}
  - {function_name: reported-worker, run: 'exit 4'}
  - {function_name: reported-page, after: reported-worker, run: 'true'}
";
    for line in ["", "--keep_going"] {
        let universe = universe(&emulator(kind).endpoint, kind, blocks);
        let outcome = universe.run(&format!("deploy {line} --junit r.xml --format json --summary_file s.md")).code(1);
        let outcome = outcome.never_says("keep_going: true");
        let document = outcome.json();
        let found: Vec<_> = ["outcome", "reason"]
            .map(|member| document["functions"].as_array().unwrap().iter().map(|one| one[member].clone()).collect())
            .into_iter()
            .collect::<Vec<Vec<Value>>>();
        assert_eq!(found[0], ["not_begun", "not_begun", "failed", "not_begun"], "{line}");
        let after = |name: &str| json!(format!("comes after `reported-{name}`, which is not deployed"));
        assert_eq!(found[1], [after("api"), after("worker"), Value::Null, after("worker")], "{line}");
        assert_eq!((&document["totals"]["failed"], &document["totals"]["not_begun"]), (&json!(1), &json!(3)));
        let errors = document["errors"].as_array().unwrap();
        assert!(errors.len() == 1 && errors[0]["function_name"] == "reported-worker", "{errors:?}");
        let report = universe.read("r.xml");
        let counts =
            ["failures=\"1\"", "<failure", "<skipped", "is not deployed"].map(|part| report.matches(part).count());
        assert_eq!(counts, [2, 1, 3, 3], "{report}");
        assert_eq!(universe.read("s.md").matches("✘ **failed**").count(), 1);
    }
}

#[test]
fn the_reason_after_an_allowed_failure_is_what_the_function_needs() {
    let kind = Kind::Ministack;
    let blocks = "  - {function_name: needed-a, allow_failure: true, run: 'exit 4'}
  - {function_name: needed-b, after: needed-a}
  - {function_name: needed-c, after: needed-b}
  - {function_name: needed-d, publish: true, description: {from_function: needed-c, output: function-arn}}
";
    let other = "  - {function_name: needed-e, allow_failure: true, after: needed-b}\n";
    for blocks in [blocks.to_owned(), format!("{blocks}{other}")] {
        let outcome = universe(&emulator(kind).endpoint, kind, &blocks).run("deploy --parallel 1").code(1);
        outcome
            .says("comes after `needed-a`, which is not deployed")
            .says("comes after `needed-b`, which is not deployed")
            .says("takes a value of `needed-c`, which is not deployed")
            .never_says("after the failure of")
            .never_says("keep_going");
    }
}

#[test]
fn reports_have_the_order_of_the_file() {
    let kind = Kind::Ministack;
    let blocks = "  - {function_name: filed-web, after: filed-api}
  - {function_name: filed-api, after: filed-worker}
  - {function_name: filed-worker}
";
    let of = |line: &str| {
        let universe = universe(&emulator(kind).endpoint, kind, blocks);
        let outcome = universe.run(line).code(0);
        (outcome.stdout.clone(), universe)
    };
    let in_order = |text: &str| {
        let at = ["filed-web", "filed-api", "filed-worker"].map(|name| text.find(name).unwrap());
        assert!(at.is_sorted(), "{text}");
    };
    for line in ["plan", "deploy"] {
        let (text, universe) = of(&format!("{line} --summary_file s.md"));
        let table: Vec<_> = text.lines().rev().take(4).collect();
        in_order(&table.into_iter().rev().collect::<Vec<_>>().join("\n"));
        if line == "deploy" {
            in_order(&universe.read("s.md"));
        }
    }
    let (text, _) = of("plan --format json");
    let document: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<_> = document["functions"].as_array().unwrap().iter().map(|one| &one["function_name"]).collect();
    assert_eq!(names, ["filed-web", "filed-api", "filed-worker"]);
}

#[test]
fn a_failed_plan_hinders_those_behind_it() {
    let kind = Kind::Ministack;
    let proxy = Proxy::before(&emulator(kind).endpoint);
    let blocks = "  - {function_name: unplanned-api, after: unplanned-worker}
  - {function_name: unplanned-worker, runtime: null, allow_failure: true}
";
    let outcome = universe(&proxy.endpoint, kind, blocks).run("deploy").code(1);
    outcome.says("comes after `unplanned-worker`");
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
        (two("after: [worker]", "after: [api]"), "dpl.yml:5:13", "comes after itself: `api` → `worker` → `api`"),
        (two("after: '*'", "after: '*'"), "dpl.yml:5:12", "comes after itself: `api` → `worker` → `api`"),
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
            "comes after itself: `web` → `api` → `web`",
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

/// The variables of a live function.
fn variables(kind: Kind, function: &str) -> Value {
    Aws::of(&emulator(kind).endpoint).get(function)["Configuration"]["Environment"]["Variables"].clone()
}

fn url_of(kind: Kind, function: &str, qualifier: Option<&str>) -> Value {
    let mut asked = json!({ "FunctionName": function });
    asked.as_object_mut().unwrap().extend(qualifier.map(|name| ("Qualifier".to_owned(), name.into())));
    boto(&emulator(kind).endpoint, "lambda", "get_function_url_config", &asked)["FunctionUrl"].clone()
}

/// A worker, an API with a URL, and a page that knows the URL: `test` begins all names.
fn chain(test: &str, of_worker: &str, of_api: &str) -> String {
    format!(
        "  - function_name: {test}-web
    environment:
      API: {{from_function: {test}-api, output: function-url}}
      API_ARN: {{from_function: {test}-api, output: function-arn}}
  - function_name: {test}-api
    function_url: true
    environment:
      WORKER: {{from_function: {test}-worker, output: version}}
      WORKER_ARN: {{from_function: {test}-worker, output: qualified_arn}}
{of_api}  - function_name: {test}-worker
    publish: true
{of_worker}"
    )
}

#[test]
fn a_chain_of_functions_hands_its_values_on() {
    on_both(|kind| {
        for (test, parallel) in [("handing-one", "--parallel 1"), ("handing-all", "")] {
            let proxy = Proxy::before(&emulator(kind).endpoint);
            let [web, api, worker] = ["web", "api", "worker"].map(|name| format!("{test}-{name}"));
            let universe = universe(&proxy.endpoint, kind, &chain(test, "", ""));
            let arn = |name: &str| format!("arn:aws:lambda:us-east-1:{}:function:{name}", kind.account());
            universe
                .run("plan")
                .code(0)
                .says(&format!("{{from_function: {api}, output: function-url}} (known after `{api}`)"))
                .says(&format!("{{from_function: {api}, output: function-arn}}\n"))
                .says(&format!("{{from_function: {worker}, output: version}} (known after `{worker}`)"))
                .says(&format!("{{from_function: {worker}, output: qualified-arn}} (known after `{worker}`)"))
                .never_says("known-after");
            assert_eq!(proxy.writes(), Vec::<String>::new());
            universe.run(&format!("deploy --dry_run {parallel}")).code(0).says("3 to create");
            universe.run(&format!("deploy {parallel}")).code(0).says("3 created");
            assert_eq!(created(&proxy), [&worker, &api, &web].map(String::clone));
            let url = url_of(kind, &api, None);
            assert!(url.as_str().unwrap().starts_with("http"), "{url}");
            assert_eq!(variables(kind, &web), json!({ "API": url, "API_ARN": arn(&api) }));
            let of_worker =
                |version: &str| json!({ "WORKER": version, "WORKER_ARN": format!("{}:{version}", arn(&worker)) });
            assert_eq!(variables(kind, &api), of_worker("1"));

            proxy.forget_calls();
            universe.run("plan --exit-code").code(0).never_says("known after");
            universe.run(&format!("deploy {parallel}")).code(0).says("3 unchanged");
            assert_eq!(proxy.writes(), Vec::<String>::new());

            // A new version of the worker changes the API, and nothing else.
            universe
                .write("dpl.yml", universe.read("dpl.yml").replace("publish: true", "publish: true\n    timeout: 9"));
            let plan = universe.run("plan --format json").code(0).json();
            assert!(plan.to_string().contains(&format!("(known after `{worker}`)")), "{plan}");
            assert!(!plan.to_string().contains(&format!("(known after `{api}`)")), "{plan}");
            universe.run(&format!("deploy {parallel}")).code(0).says("2 updated, 1 unchanged");
            assert_eq!(variables(kind, &api), of_worker("2"));
            // Each by itself finds the same.
            for name in [&web, &api] {
                universe.run(&format!("deploy --function_name {name}")).code(0).says("unchanged");
            }
        }
    });
}

#[test]
fn a_value_is_that_of_the_alias_of_the_block() {
    on_both(|kind| {
        let endpoint = &emulator(kind).endpoint;
        let blocks = "  - function_name: aliased-web
    environment:
      URL: {from_function: aliased-api, output: function-url}
      ARN: {from_function: aliased-api, output: qualified-arn}
      VERSION: {from_function: aliased-api, output: version}
  - {function_name: aliased-api, alias: live, function_url: true}
";
        let universe = universe(endpoint, kind, blocks);
        universe.run("deploy").code(0).says("2 created");
        let wanted = json!({
            "URL": url_of(kind, "aliased-api", Some("live")),
            "ARN": format!("arn:aws:lambda:us-east-1:{}:function:aliased-api:live", kind.account()),
            "VERSION": "1",
        });
        assert_eq!(variables(kind, "aliased-web"), wanted);
        universe.run("deploy").code(0).says("2 unchanged");
        // The block says which alias, also when it is not deployed.
        universe.run("deploy --function_name aliased-web").code(0).says("unchanged");
        let skipped = blocks.replace("function_url: true}", "function_url: true, on: {branch: none}}");
        universe.write("dpl.yml", format!("{}deploy:\n{skipped}", defaults(kind)));
        universe.run("deploy").code(0).says("`aliased-web`");
        assert_eq!(variables(kind, "aliased-web"), wanted);
    });
}

#[test]
fn values_of_functions_outside_of_the_run_are_read() {
    on_both(|kind| {
        let endpoint = &emulator(kind).endpoint;
        let block = |more: &str| format!("  - {{function_name: outside-api, alias: live{more}}}\n");
        universe(endpoint, kind, &block("")).run("deploy").code(0);
        let arn = format!("arn:aws:lambda:us-east-1:{}:function:outside-api", kind.account());
        let taker = |values: &str| format!("  - function_name: outside-web\n    environment:\n{values}");
        let values = format!(
            "      AA: {{from_function: outside-api, output: function-arn}}
      BB: {{from_function: '{arn}', output: function_arn}}
      CC: {{from_function: 'outside-api:live', output: version}}
      DD: {{from_function: outside-api, qualifier: live, output: qualified-arn}}
      EE: {{from_function: outside-api, output: qualified-arn}}
      FF: {{from_function: '{arn}', qualifier: 1, output: version}}
      GG: {{from_function: outside-none, output: version, default: none}}
      HH: {{from_function: outside-api, output: function-url, default: ''}}
"
        );
        universe(endpoint, kind, &taker(&values)).run("deploy").code(0).says("`outside-web`");
        assert_eq!(
            variables(kind, "outside-web"),
            json!({
                "AA": arn, "BB": arn, "CC": "1", "DD": format!("{arn}:live"), "EE": format!("{arn}:1"), "FF": "1",
                "GG": "none", "HH": "",
            })
        );
        for (value, told) in [
            ("{from_function: outside-none, output: version}", "there is no function `outside-none` in us-east-1"),
            ("{from_function: outside-api, output: function-url}", "`outside-api` has no function URL"),
            ("{from_function: outside-api, qualifier: gone, output: version}", "no alias or version `gone`"),
            ("{from_function: 'arn:aws:lambda:eu-west-1:123456789012:function:f', output: version}", "is in eu-west-1"),
            ("{from_function: outside-web, output: version}", "is the function of this block"),
        ] {
            let outcome = universe(endpoint, kind, &taker(&format!("      AA: {value}\n"))).run("deploy").code(3);
            outcome.says(told).says("(dpl.yml:5:11)");
        }
        let unpublished = "  - {function_name: outside-plain}\n";
        universe(endpoint, kind, unpublished).run("deploy").code(0);
        let value = "      AA: {from_function: outside-plain, output: version}\n";
        // Also if the run deploys it, but publishes no version.
        for blocks in [taker(value), format!("{}{unpublished}", taker(value))] {
            universe(endpoint, kind, &blocks).run("deploy").code(3).says("`outside-plain` has no published version");
        }
    });
}

#[test]
fn a_failure_hinders_those_that_take_a_value() {
    let kind = Kind::Ministack;
    let proxy = Proxy::before(&emulator(kind).endpoint);
    let no = || Fault::Answer(400, "InvalidParameterValueException", "{\"message\": \"no\"}");
    proxy.on("CreateFunction", 1, no());
    let universe = universe(&proxy.endpoint, kind, &chain("failing", "", ""));
    let outcome = universe.run("deploy --keep_going").code(1).says("1 failed, 2 not begun");
    outcome.says("takes a value of `failing-worker`").says("takes a value of `failing-api`");
    assert_eq!(created(&proxy), ["failing-worker"]);
    // The next run goes on where this one stopped, also after the second one fails.
    proxy.forget_calls();
    proxy.clear();
    proxy.on("CreateFunctionUrlConfig", 1, no());
    universe.run("deploy").code(1);
    assert_eq!(created(&proxy), ["failing-worker", "failing-api"]);
    universe.run("deploy").code(0).says("1 created, 1 updated, 1 unchanged");
    assert_eq!(variables(kind, "failing-web")["API"], url_of(kind, "failing-api", None));
}

#[test]
fn a_value_that_a_deployment_takes_away_is_missed_before_the_first_write() {
    let kind = Kind::Ministack;
    let proxy = Proxy::before(&emulator(kind).endpoint);
    let blocks = chain("losing", "", "");
    let universe = universe(&proxy.endpoint, kind, &blocks);
    universe.run("deploy").code(0);
    proxy.forget_calls();
    universe.write("dpl.yml", universe.read("dpl.yml").replace("function_url: true", "function_url: false"));
    universe.run("deploy").code(3).says("`losing-api` has no function URL").says("(dpl.yml:5:12)");
    assert_eq!(proxy.writes(), Vec::<String>::new());
    let text = universe.read("dpl.yml").replace("output: function-url}", "output: function-url, default: none}");
    universe.write("dpl.yml", text);
    universe.run("deploy").code(0).says("2 updated, 1 unchanged");
    assert_eq!(variables(kind, "losing-web")["API"], "none");
}

#[test]
fn a_mistake_beside_a_value_that_is_not_known_is_found_before_the_first_write() {
    let kind = Kind::Ministack;
    let proxy = Proxy::before(&emulator(kind).endpoint);
    for (of_web, told) in [
        ("memory_size: {from_function: early-worker, output: function-url}", "memory_size"),
        ("timeout: 2000", "timeout"),
        ("runtime: nodejs6.10", "runtime"),
        ("layers: ['arn:aws:lambda:us-east-1:000000000000:layer:early-none:1']", "early-none"),
        ("cleanup: true", "cleanup"),
        ("kms_key_arn: {from_function: early-worker, output: qualified-arn}", "kms_key_arn"),
    ] {
        let blocks = format!("{}    function_url: true\n", chain("early", "", "")).replacen(
            "    environment:",
            &format!("    {of_web}\n    environment:"),
            1,
        );
        universe(&proxy.endpoint, kind, &blocks).run("deploy").code(3).says(told);
        assert_eq!(proxy.writes(), Vec::<String>::new(), "{of_web}");
    }
}

#[test]
fn a_reference_to_a_function_is_checked_without_aws() {
    let block = |value: &str| {
        format!(
            "  - function_name: web\n    environment:\n      AA: {value}\n  - {{function_name: api, publish: true}}\n"
        )
    };
    for (value, at, told) in [
        ("{from_function: api}", "{", "needs `output`"),
        ("{from_function: api, output: arn}", "arn}", "is not a value of a function"),
        ("{from_function: api, output: functionurl}", "functionurl", "did you mean `function-url`?"),
        ("{from_function: 'a b', output: version}", "'a b'", "is not a function's name"),
        ("{from_function: 'api-*', output: version}", "'api-*'", "is not a function's name"),
        ("{from_function: 'api:live', qualifier: live, output: version}", "live, output", "is given twice"),
        ("{from_function: api, qualifier: live, output: function-arn}", "live, output", "has no qualifier"),
        ("{from_function: api, qualifier: 3, output: function-url}", "3, output", "has no URL of its own"),
        ("{from_function: api, qualifier: a b, output: version}", "a b", "neither an alias nor a version"),
        ("{from_function: api, qualifer: live, output: version}", "qualifer", "did you mean `qualifier`?"),
        ("{from_function: web, output: function-url}", "{", "is the function of this block"),
    ] {
        let blocks = block(value);
        let column = 11 + value.find(at).unwrap();
        check(&blocks).run("check --stage prod").code(3).says(told).says(&format!("dpl.yml:6:{column}"));
    }
    let circle = "  - function_name: web
    environment: {AA: {from_function: api, output: version}}
  - function_name: api
    after: worker
  - function_name: worker
    description: {from_function: web, output: version}
";
    let outcome = check(circle).run("check --stage prod").code(3);
    outcome.says("comes after itself: `web` → `api` → `worker` → `web`").says("environment: ").says("dpl.yml:5:23");
    let code = "  - {function_name: web, s3_bucket: {from_function: api, output: version}}\n";
    check(code).run("check --stage prod").code(3).says("is needed to build the package").says("dpl.yml:4:37");
    let good = block("{from_function: api, output: version, default: x}");
    check(&good).run("check --stage prod").code(0);
    let rendered = check(&good).run("render --stage prod").code(0).says("from_function: api").says("output: version");
    rendered.says("default: (hidden)");
    let policy = check(&good.replace("default: x", "default: ''")).run("policy --stage prod").code(0);
    policy.says("function:api:*").says("lambda:GetFunction").says("lambda:ListVersionsByFunction");
}

#[test]
fn a_value_comes_from_the_region_of_its_block() {
    let kind = Kind::Ministack;
    let proxy = Proxy::before(&emulator(kind).endpoint);
    let blocks = "  - function_name: near-web
    region: [eu-west-1, us-east-1]
    environment: {ARN: {from_function: near-api, output: qualified-arn}}
  - {function_name: near-api, publish: true, region: [eu-west-1, us-east-1]}
";
    universe(&proxy.endpoint, kind, blocks).run("deploy").code(0).says("4 created");
    let of_web = proxy.bodies("CreateFunction").into_iter().filter(|body| body["FunctionName"] == "near-web");
    let mut arns: Vec<_> = of_web.map(|body| body["Environment"]["Variables"]["ARN"].clone()).collect();
    arns.sort_by_key(Value::to_string);
    let arn = |region: &str| format!("arn:aws:lambda:{region}:{}:function:near-api:1", kind.account());
    assert_eq!(arns, [arn("eu-west-1"), arn("us-east-1")]);
}

#[test]
fn a_function_of_the_run_can_be_named_by_its_arn() {
    on_both(|kind| {
        let endpoint = &emulator(kind).endpoint;
        let arn = |name: &str| format!("arn:aws:lambda:us-east-1:{}:function:{name}", kind.account());
        let other = arn("named-api").replace(kind.account(), "999999999999");
        let blocks = format!(
            "  - function_name: named-web
    environment:
      VERSION: {{from_function: '{}', output: version}}
      OTHER: {{from_function: '{other}', output: version, default: none}}
  - {{function_name: named-api, publish: true}}
",
            arn("named-api")
        );
        let universe = universe(endpoint, kind, &blocks);
        universe
            .run("plan")
            .code(0)
            .says("output: version} (known after `arn:")
            .never_says("999999999999:function:named-api, output: version} (known");
        universe.run("deploy").code(0).says("2 created");
        assert_eq!(variables(kind, "named-web")["VERSION"], "1");
        universe.run("deploy").code(0).says("2 unchanged");
    });
}

#[test]
fn no_function_is_read_for_a_pull_request() {
    let kind = Kind::Ministack;
    let proxy = Proxy::before(&emulator(kind).endpoint);
    let universe = universe(&proxy.endpoint, kind, &chain("proposed", "", ""));
    let universe = universe.with("DRONE", "true").with("DRONE_PULL_REQUEST", "7").with("DRONE_BRANCH", "main");
    let outcome = universe.run("plan").code(0);
    outcome.says(
        "not read in the build of a pull request: environment API {from_function: proposed-api, output: function-url}",
    );
    assert!(!proxy.calls().contains(&"GetFunctionUrlConfig".to_owned()));
}

#[test]
fn with_all_or_nothing_a_version_is_handed_on_and_a_new_url_is_not() {
    on_both(|kind| {
        let proxy = Proxy::before(&emulator(kind).endpoint);
        let blocks = "  - function_name: united-web
    alias: live
    environment: {VERSION: {from_function: united-api, output: version}}
  - {function_name: united-api, alias: live, timeout: 3}
";
        let universe = universe(&proxy.endpoint, kind, blocks);
        universe.run("deploy --all_or_nothing").code(0).says("2 created");
        assert_eq!(variables(kind, "united-web")["VERSION"], "1");
        universe.write("dpl.yml", universe.read("dpl.yml").replace("timeout: 3", "timeout: 4"));
        universe.run("deploy --all_or_nothing").code(0).says("2 updated");
        assert_eq!(variables(kind, "united-web")["VERSION"], "2");
        proxy.forget_calls();
        let with_url = universe
            .read("dpl.yml")
            .replace("timeout: 4", "function_url: true")
            .replace("output: version", "output: function-url");
        universe.write("dpl.yml", with_url);
        universe.run("deploy --all_or_nothing").code(3).says("all_or_nothing").says("(dpl.yml:5:28)");
        assert_eq!(proxy.writes(), Vec::<String>::new());
        universe.run("deploy").code(0).says("2 updated");
        universe.run("deploy --all_or_nothing").code(0).says("2 unchanged");
    });
}

#[test]
fn a_thousand_blocks_are_put_into_order_at_once() {
    let blocks = |after: &dyn Fn(u32) -> String| -> String {
        (0..999).map(|number| format!("  - {{function_name: c-{number}, after: [{}]}}\n", after(number))).collect()
    };
    let begun = Instant::now();
    let chain = blocks(&|number| if number < 998 { format!("c-{}", number + 1) } else { String::new() });
    check(&chain).run("check --stage prod").code(0).says("999 checked");
    let outcome = check(&blocks(&|_| "'c-*'".to_owned())).run("check --stage prod").code(3);
    outcome.says("comes after itself: `c-0` → `c-1` → `c-0`");
    let ring = blocks(&|number| format!("c-{}", (number + 1) % 999));
    check(&ring).run("check --stage prod").code(3).says("`c-19` → … → `c-980`").says("`c-998` → `c-0`");
    assert!(begun.elapsed() < Duration::from_mins(2), "{:?}", begun.elapsed());
}
