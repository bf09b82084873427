//! Values of variables: `{from_env: NAME}` wherever a text may stand.

use serde_json::{Value, json};

use crate::harness::{Aws, Proxy, Universe, emulator, on_both};

const ROLE: &str = "arn:aws:iam::123456789012:role/deployed";

/// A folder with code and this file.
fn with(text: &str) -> Universe {
    Universe::empty().file("dist/index.py", "def handler(event, context):\n    return 1\n").file("dpl.yml", text)
}

/// One block with a line of its own.
fn block(line: &str) -> String {
    format!("function_name: f\nregion: eu-west-1\nrole: {ROLE}\nzip: dist\n{line}\n")
}

/// The deployments as `render` has them.
fn rendered(universe: &Universe, arguments: &str) -> Vec<Value> {
    let json = universe.run(&format!("render --format json {arguments}")).code(0).json();
    json["configuration"].as_array().cloned().unwrap_or_else(|| vec![json["configuration"].clone()])
}

/// Every form: in defaults, stages, `for_each`, lists, maps, structures, and in texts that are filled in.
const ALL: &str = r#"defaults:
  runtime: { from_env: RUNTIME, default: python3.13 }
  handler: index.handler
  role: { From-Env: ROLE }
stages:
  dev: { memory_size: { from_env: OF_DEV } }
  prod: { memory_size: { from_env: "MEMORY_%{stage}" } }
deploy:
  - for_each: { a: { timeout: { from_env: TIMEOUT_A } }, b: }
    function_name: { from_env: "NAME_%{each}" }
    region: [{ from_env: REGION_ONE }, eu-west-1]
    zip: { from_env: DIST }
    description: { from_env: "NOTE_%{stage}" }
    function_tags: { team: { from_env: TEAM }, role: "%{role}" }
    environment: { ROLE: "%{role}", HIDDEN: { from_env: HIDDEN_VALUE } }
    vpc_config: { subnet_ids: { from_env: SUBNETS }, security_group_ids: [{ from_env: GROUP }] }
    logging_config: { log_group: { from_env: LOGS } }
    layers: [{ from_env: LAYERS }]
    ephemeral_storage: { Size: { from_env: STORAGE } }
    kms_key_arn: { main: { from_env: KEY_ARN }, other: { from_env: OF_OTHER } }
    publish: { from_env: PUBLISH, default: true }
    event_sources: { event_source_arn: { from_env: QUEUE }, batch_size: { from_env: BATCH } }
    smoke_test: { payload: { user: [{ from_env: USER_NAME }] } }
    exclude: [{ from_env: LEFT_OUT }]
"#;

#[test]
fn a_variable_stands_wherever_a_text_may() {
    let mut universe = with(ALL).with("DRONE", "true").with("DRONE_BRANCH", "main");
    for (name, value) in [
        ("ROLE", ROLE),
        ("RUNTIME", ""),
        ("MEMORY_prod", "256"),
        ("TIMEOUT_A", "9"),
        ("NAME_a", "first"),
        ("NAME_b", "second"),
        ("REGION_ONE", "us-east-1"),
        ("DIST", "dist"),
        ("NOTE_prod", "on %{git_branch}  and %%{this}"),
        ("TEAM", ""),
        ("HIDDEN_VALUE", "h1dden-value"),
        ("SUBNETS", "subnet-1,subnet-2"),
        ("GROUP", "sg-1"),
        ("LOGS", "/of/team"),
        ("LAYERS", "one,two"),
        ("STORAGE", "1024"),
        ("KEY_ARN", "arn:aws:kms:eu-west-1:123456789012:key/1"),
        ("QUEUE", "arn:aws:sqs:eu-west-1:123456789012:jobs"),
        ("BATCH", "5"),
        ("USER_NAME", "tester"),
        ("LEFT_OUT", "*.txt"),
    ] {
        universe = universe.with(name, value);
    }
    let blocks = rendered(&universe, "--stage prod");
    let value = |block: usize, option: &str| blocks[block][option]["value"].clone();
    let names = (0..4).map(|block| (value(block, "function_name"), value(block, "region"))).collect::<Vec<_>>();
    let (first, second) = (json!("first"), json!("second"));
    let (there, here) = (json!("us-east-1"), json!("eu-west-1"));
    let expected =
        [(&first, &there), (&first, &here), (&second, &there), (&second, &here)].map(|(a, b)| (a.clone(), b.clone()));
    assert_eq!(names, expected);
    for (option, expected) in [
        ("runtime", json!("python3.13")),
        ("role", json!(ROLE)),
        ("memory_size", json!("256")),
        ("timeout", json!("9")),
        ("description", json!("on %{git_branch}  and %%{this}")),
        ("function_tags", json!({ "team": "", "role": ROLE })),
        ("vpc_config", json!({ "subnet_ids": "subnet-1,subnet-2", "security_group_ids": ["sg-1"] })),
        ("logging_config", json!({ "log_group": "/of/team" })),
        ("layers", json!(["one,two"])),
        ("ephemeral_storage", json!("1024")),
        ("kms_key_arn", json!("arn:aws:kms:eu-west-1:123456789012:key/1")),
        ("publish", json!("true")),
        ("zip", json!("dist")),
        ("exclude", json!(["*.txt"])),
        ("smoke_test", json!({ "payload": { "user": ["tester"] } })),
    ] {
        assert_eq!(value(0, option), expected, "{option}");
    }
    assert_eq!(value(0, "event_sources")["batch_size"], "5");
    assert_eq!(value(2, "timeout"), Value::Null);
    assert_eq!(value(0, "environment")["HIDDEN"], json!({ "from_env": "HIDDEN_VALUE" }));
    // It is written in the file, and chosen by the value.
    assert_eq!(blocks[0]["timeout"]["source"], "dpl.yml:9:31");
    let checked = universe.run("check --stage prod --function_name first --region eu-west-1").code(0);
    checked.says("`first` is configured correctly").never_says("`second`").never_says("h1dden-value");
}

#[test]
fn flags_variables_and_travis_take_variables_too() {
    let universe = with(&block("")).with("SUBNET", "subnet-7").with("LAYER_NAME", "deps").with("RATE", "5");
    let flags = r"--vpc_config '{subnet_ids: [{from_env: SUBNET}], security_group_ids: sg-1}' --event_sources '{event_source_arn: arn:aws:sqs:eu-west-1:123456789012:jobs, batch_size: {from_env: RATE}}'";
    let of_flags = &rendered(&universe.with("DPL_LAMBDA_LAYERS", r#"[{"from_env": "LAYER_NAME"}]"#), flags)[0];
    assert_eq!(of_flags["vpc_config"]["value"]["subnet_ids"], json!(["subnet-7"]));
    assert_eq!(of_flags["event_sources"]["value"]["batch_size"], "5");
    assert_eq!(of_flags["layers"]["value"], json!(["deps"]));
    let travis = "deploy:\n  provider: lambda\n  function_name: f\n  role: {from_env: ROLE}\n  function_tags: {a: {from_env: TAG}}\n  memory_size: {main: {from_env: MEM}}\n  handler: {from_env: HANDLER}\n  zip: dist\n";
    let universe = with("").file(".travis.yml", travis).with("TRAVIS", "true").with("TRAVIS_BRANCH", "main");
    let universe = universe.with("ROLE", ROLE).with("TAG", "@HOME:x").with("MEM", "512").with("HANDLER", "a$b.%{x}");
    let of_travis = &rendered(&universe, "--config .travis.yml")[0];
    assert_eq!(of_travis["role"]["value"], ROLE);
    assert_eq!(of_travis["function_tags"]["value"], json!({ "a": "@HOME:x" }));
    assert_eq!(of_travis["memory_size"]["value"], "512");
    assert_eq!(of_travis["handler"]["value"], "a$b.%{x}");
}

#[test]
fn a_variable_without_a_value_is_an_error_on_its_line() {
    for (line, place) in [
        ("memory_size: {from_env: UNSET_ONE}", "dpl.yml:5:14"),
        ("description: {from_env: UNSET_ONE}", "dpl.yml:5:14"),
        ("function_tags: {a: {from_env: UNSET_ONE}}", "dpl.yml:5:20"),
        ("layers: [a, {from_env: UNSET_ONE}]", "dpl.yml:5:13"),
        ("image_config: {command: [{from_env: UNSET_ONE}]}", "dpl.yml:5:26"),
        ("publish: {from_env: UNSET_ONE}", "dpl.yml:5:10"),
        ("alias: {from_env: UNSET_ONE}", "dpl.yml:5:8"),
        ("layer: {name: {from_env: UNSET_ONE}}", "dpl.yml:5:15"),
    ] {
        for verb in ["check", "render", "plan", "deploy"] {
            let said = with(&block(line)).run(verb).code(3).says("the variable `UNSET_ONE` is not set").all();
            assert!(said.contains(&format!("({place})")) && said.matches("dpl.yml:5:").count() == 1, "{line}: {said}");
        }
    }
    // The name of the function, and all of them at once.
    let file = "function_name: {from_env: UNSET_ONE}\nrole: {from_env: UNSET_TWO}\nzip: {from_env: UNSET_THREE}\n";
    let outcome = with(file).run("check").code(3);
    outcome.says("(dpl.yml:1:16)").says("(dpl.yml:2:7)").says("(dpl.yml:3:6)").never_says("no function is named");
    with(&block(""))
        .run("check --logging_config '{log_group: {from_env: UNSET_ONE}}'")
        .code(3)
        .says("--logging_config");
    // A default counts for a variable that is not set or empty, and an empty value is a value.
    let shown = |line: &str, value: &str| {
        let universe = with(&block(line));
        let universe = if value == "unset" { universe } else { universe.with("GIVEN_TEXT", value) };
        rendered(&universe, "")[0]["description"]["value"].clone()
    };
    for (value, expected) in [("unset", "other"), ("", "other"), ("own", "own")] {
        assert_eq!(shown("description: {from_env: GIVEN_TEXT, default: other}", value), expected);
    }
    assert_eq!(shown("description: {from_env: GIVEN_TEXT, default: ''}", "unset"), "");
    assert_eq!(shown("description: {from_env: GIVEN_TEXT}", ""), "");
    with(&block("memory_size: {from_env: EMPTY}")).with("EMPTY", "").run("check").code(3).says("(dpl.yml:5:14)");
    // What is not deployed need not have a value.
    let stages = "stages: {dev: {timeout: {from_env: UNSET_ONE}}, prod: }\ndeploy: {function_name: f, zip: dist}\n";
    with(stages).run("check --stage prod").code(0);
    with(stages).run("check --stage dev").code(3);
    with("function_name: {from_env: UNSET_ONE}\nzip: dist\n").run("render --function_name f").code(0);
}

#[test]
fn a_mistake_in_a_reference_to_a_variable_is_an_error_on_its_line() {
    for (line, column, said) in [
        ("timeout: {from_env: GIVEN, defualt: x}", 28, "has the member `defualt`"),
        ("timeout: {from_env: [GIVEN]}", 11, "needs a text as its `from_env`"),
        ("timeout: {from_env: GIVEN, default: [1]}", 28, "needs a text as its `default`"),
        ("timeout: {from_env: $GIVEN}", 10, "write the name alone"),
        ("timeout: {from_env: 'GIVEN TEXT'}", 10, "is not the name of one"),
        ("timeout: {from_env: ''}", 10, "is not the name of one"),
        ("timeout: {from_envs: GIVEN}", 11, "did you mean `from_env`?"),
        ("timeout: {from_env: GIVEN, from_ssm: /x}", 28, "comes from two sources"),
        ("function_tags: {from_env: GIVEN}", 17, "is not below a key"),
        ("environment: {from_env: GIVEN}", 15, "is not below a key"),
        ("environment: [{from_env: GIVEN}]", 16, "is not below a key"),
        ("run: {from_env: GIVEN}", 6, "is a command"),
        ("run: [echo, {from_env: GIVEN}]", 13, "is a command"),
        ("smoke_test: {run: {from_env: GIVEN}}", 19, "is a command"),
        ("smoke_test: {run: {from_ssm: /given}}", 19, "is a command"),
        ("smoke_test: [{run: {from_env: GIVEN}}]", 20, "is a command"),
        ("access_key_id: {from_env: GIVEN}", 16, "must not choose which secret is read"),
        ("region: {from_env: GIVEN}\nprofile: {from_env: GIVEN}", 0, "decides about credentials"),
    ] {
        let text = block(line).replace(if line.starts_with("region") { "region: eu-west-1\n" } else { "\n\n" }, "");
        let outcome = with(&text).with("GIVEN", "7").run("check").code(3).says(said);
        if column > 0 {
            let all = outcome.says(&format!("(dpl.yml:5:{column})")).all();
            assert_eq!(all.matches("(dpl.yml:5:").count(), 1, "{line}: {all}");
        }
    }
    let each = "deploy: {for_each: [a, {from_env: GIVEN}], function_name: 'f-%{each}', zip: dist}\n";
    with(each).with("GIVEN", "b").run("check").code(3).says("its names are written in the file").says("(dpl.yml:1:24)");
}

#[test]
fn a_file_shows_no_secret_by_a_variable() {
    let secret = "hunter2-hunter2";
    let request = |universe: Universe| {
        let universe = universe.with("DRONE", "true").with("DRONE_BUILD_EVENT", "pull_request");
        universe.with("DRONE_PULL_REQUEST", "7").with("DRONE_TARGET_BRANCH", "main").with("DRONE_BRANCH", "main")
    };
    for line in [
        "description: {from_env: CI_TOKEN}",
        "description: {from_env: DATABASE_URL}",
        "version_description: {from_env: CI_TOKEN}",
        "function_tags: {a: {from_env: CI_TOKEN}}",
        "memory_size: {from_env: CI_TOKEN}",
        "layers: [{from_env: CI_TOKEN}]",
        "alias: {from_env: CI_TOKEN}",
        "logging_config: {log_group: {from_env: CI_TOKEN}}",
        "smoke_test: {payload: {a: {from_env: CI_TOKEN}}}",
        "exclude: [{from_env: CI_TOKEN}]",
        "memory_size: {main: {from_env: CI_TOKEN}}",
        "description: {from_env: 'CI_%{$KIND}'}",
        "layer: {name: a, description: {from_env: CI_TOKEN}}",
        "endpoint_url: {from_env: CI_TOKEN}",
        "junit: {from_env: CI_TOKEN}",
    ] {
        for verb in ["check", "render --format json", "plan --trust_config --verbose", "deploy", "policy"] {
            let universe = with(&block(line)).with("CI_TOKEN", secret).with("KIND", "TOKEN");
            let universe = universe.with("DATABASE_URL", "postgres://u:hunter2-hunter2@h/d");
            let universe = request(universe);
            let universe = if verb == "deploy" { universe.without("DRONE_BUILD_EVENT") } else { universe };
            universe.run(verb).code(3).says("would show the secret in `").says("dpl.yml:5:").never_says(secret);
        }
    }
    // Neither is it shown by a path, nor by the text of another one.
    let own = with(&block("description: {from_env: AWS_SECRET_ACCESS_KEY}")).with("AWS_SECRET_ACCESS_KEY", secret);
    own.run("check").code(3).says("would hold the credentials of this job").never_says(secret);
    let twice = with(&block("description: {from_env: NOTE}")).with("NOTE", "%{$CI_TOKEN}").with("CI_TOKEN", secret);
    twice.run("render").code(0).says("%{$CI_TOKEN}").never_says(secret);
    let flag = with(&block("")).with("CI_TOKEN", secret);
    flag.run("check --logging_config '{log_group: {from_env: CI_TOKEN}}'").code(3).never_says(secret);
    // What only flags and variables may say, a file does not say by a variable.
    for (line, value, said) in [
        ("endpoint_url: {from_env: GIVEN_TEXT}", "https://evil.example", "to another machine"),
        ("env_file: {from_env: GIVEN_TEXT}", "../outside.env", "outside of the checkout"),
        ("summary_file: {from_env: GIVEN_TEXT}", "../summary.md", "may not write there"),
    ] {
        with(&block(line)).with("GIVEN_TEXT", value).run("check").code(3).says(said).says("dpl.yml:5:");
    }
}

#[test]
fn a_plan_shows_the_value_as_that_of_a_text() {
    on_both(|kind| {
        let name = "of-variables";
        let proxy = Proxy::before(&emulator(kind).endpoint);
        let role = format!("arn:aws:iam::{}:role/deployed", kind.account());
        let text = format!(
            "function_name: {name}\nrole: {{from_env: ROLE_ARN}}\nruntime: python3.12\nhandler: index.handler\nzip: dist\n\
             memory_size: {{from_env: MEMORY}}\ndescription: {{from_env: NOTE}}\nfunction_tags: {{stage: {{from_env: STAGE}}}}\n\
             environment: {{STAGE: {{from_env: HIDDEN_STAGE}}}}\n"
        );
        let universe = Universe::at(&proxy.endpoint).file("dist/index.py", "def handler(e, c): return 1\n");
        let universe = universe.file("dpl.yml", text).with("ROLE_ARN", &role).with("MEMORY", "192");
        let universe =
            universe.with("NOTE", "100% %{git_sha}").with("STAGE", "blue").with("HIDDEN_STAGE", "gr33n-value");
        let plan = universe.run("plan").code(0).says(&role).says("192 MB").says("100% %{git_sha}").says("blue");
        plan.never_says("gr33n-value").never_says("from_env");
        universe.run("deploy").code(0).never_says("gr33n-value");
        let live = Aws::of(&emulator(kind).endpoint).get(name);
        let configuration = &live["Configuration"];
        assert_eq!((&configuration["Role"], &configuration["MemorySize"]), (&json!(role), &json!(192)));
        assert_eq!(configuration["Description"], "100% %{git_sha}");
        assert_eq!(
            (&live["Tags"]["stage"], &configuration["Environment"]["Variables"]["STAGE"]),
            (&json!("blue"), &json!("gr33n-value"))
        );
        proxy.forget_calls();
        universe.run("deploy").code(0).says("unchanged");
        assert_eq!(proxy.writes(), [""; 0]);
    });
}
