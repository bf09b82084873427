//! `init --from .travis.yml`: the file that it writes is valid, and means the same.

use serde_json::{Value, json};

use crate::harness::Universe;

/// A universe with this `.travis.yml`, and the sources that its blocks name.
fn world(travis: &str) -> Universe {
    Universe::empty().file("src/index.js", "exports.handler = async () => 1;\n").file(".travis.yml", travis)
}

/// The converted file. It passes `check` in a CI that sets the named variables.
fn converted(universe: Universe, variables: &[(&str, &str)]) -> (Universe, String) {
    let text = universe.run("init --from .travis.yml").code(0).stdout;
    let universe = universe.file("dpl.yml", &text);
    let universe = variables.iter().fold(universe, |universe, (name, value)| universe.with(name, value));
    universe.run("check").code(0);
    (universe, text)
}

/// The value of an option of the only block, as `render` shows it.
fn rendered(universe: &Universe) -> Value {
    universe.run("render --format json").code(0).json()["configuration"].clone()
}

const V2: &str = r#"
language: node_js
deploy:
  - provider: lambda
    edge: true
    access_key_id: AKIAIOSFODNN7EXAMPLE
    secret_access_key: {secure: "c2VjcmV0"}
    region: eu-west-1
    function_name: pictures
    role: arn:aws:iam::123456789012:role/pictures
    runtime: nodejs24.x
    module_name: index
    handler_name: handler
    zip: src
    description: Build $TRAVIS_BUILD_NUMBER of ${TRAVIS_BRANCH}
    environment:
      - STAGE=prod
      - DB_PASSWORD=hunter-two
      - API=$API_ADDRESS
      - secure: "c2VjcmV0"
    timeout: 30
    publish: yes
    nonsense: 1
    on: {branch: release/*, node: '4', condition: "$TRAVIS_OS_NAME = linux", repo: o/r}
  - provider: pages
    token: x
  - provider: lambda
    region: eu-west-1
    function_name: {main: thumbs-prod, develop: thumbs-dev}
    zip: src
  - provider: lambda
    region: eu-west-1
    function_name: tagged
    zip: src
    allow_failure: true
    skip_cleanup: true
    on: {tags: true}
after_deploy: echo done
"#;

#[test]
fn all_blocks_of_dpl_v2_are_carried_over_and_what_cannot_be_is_said() {
    let universe = world(V2);
    let outcome = universe.run("init --from .travis.yml").code(0);
    for secret in ["AKIAIOSFODNN7EXAMPLE", "hunter-two", "c2VjcmV0"] {
        assert!(!outcome.all().contains(secret), "{}", outcome.all());
    }
    for (warned, place) in [
        ("access_key_id: is a secret, so it is left out; set `AWS_ACCESS_KEY_ID`", ":6:20"),
        ("secret_access_key: is a secret, so it is left out; set `AWS_SECRET_ACCESS_KEY`", ":7:24"),
        ("environment.DB_PASSWORD: holds a secret; set `DB_PASSWORD`", ":18:9"),
        ("environment.API: has a value that is not written in clear; set `API_ADDRESS`", ":19:9"),
        ("environment: is encrypted with its name", ":20:9"),
        ("nonsense: is not an option", ":23:15"),
        ("on.node: is left out; only Travis sets the version", ":24:35"),
        ("on.condition: uses a variable that only Travis sets", ""),
        ("after_deploy: is not carried over", ""),
    ] {
        assert!(outcome.stderr.contains(&format!("warning: {warned}")), "{warned}\n{}", outcome.stderr);
        assert!(outcome.stdout.contains(&format!("# {warned}")), "{warned}\n{}", outcome.stdout);
        assert!(outcome.stderr.contains(&format!(".travis.yml{place}")), "{place}\n{}", outcome.stderr);
    }
    let variables =
        [("DB_PASSWORD", "x"), ("API_ADDRESS", "y"), ("TRAVIS_BUILD_NUMBER", "7"), ("TRAVIS_BRANCH", "main")];
    let (universe, text) = converted(universe, &variables);
    assert!(text.contains("STAGE: prod") && !text.contains("pages"), "{text}");
    let pictures = &rendered(&universe)[0];
    for (option, value) in [
        ("function_name", json!("pictures")),
        ("description", json!("Build 7 of main")),
        ("timeout", json!("30")),
        ("publish", json!("yes")),
        ("module_name", json!("index")),
    ] {
        assert_eq!(pictures[option]["value"], value, "{option}");
    }
    assert_eq!(pictures["environment"]["value"]["DB_PASSWORD"], json!({ "from_env": "DB_PASSWORD" }));
    assert_eq!(pictures["environment"]["value"]["API"], json!({ "from_env": "API_ADDRESS" }));
}

/// What Travis takes for granted is written down, so that the same builds deploy.
#[test]
fn the_same_builds_deploy_as_in_travis() {
    let (universe, _) = converted(
        world(V2),
        &[("DB_PASSWORD", "x"), ("API_ADDRESS", "y"), ("DRONE", "true"), ("DRONE_BUILD_EVENT", "push")],
    );
    let skipped = |variables: &[(&str, &str)]| {
        let text = universe.read("dpl.yml");
        let universe = world(V2).file("dpl.yml", text).with("DRONE", "true");
        let universe = universe.with("DB_PASSWORD", "x").with("API_ADDRESS", "y");
        let universe = variables.iter().fold(universe, |universe, (name, value)| universe.with(name, value));
        let document = universe.run("plan --format json --wait_timeout 2 --endpoint_url http://127.0.0.1:1").json();
        let names = document["skipped"].as_array().unwrap().iter().map(|skip| skip["function_name"].to_string());
        names.collect::<Vec<_>>().join(" ")
    };
    let on_main = skipped(&[("DRONE_BRANCH", "main")]);
    assert!(on_main.contains("pictures") && on_main.contains("tagged"), "{on_main}");
    let elsewhere = skipped(&[("DRONE_BRANCH", "topic")]);
    assert_eq!(elsewhere.split(' ').count(), 3, "{elsewhere}");
}

#[test]
fn a_block_without_conditions_keeps_the_branches_that_travis_takes_for_granted() {
    let (_, text) =
        converted(world("deploy: {provider: lambda, function_name: f, region: eu-west-1, zip: src}\n"), &[]);
    assert!(text.contains("on:\n  branch:\n    - main\n    - master\n"), "{text}");
    let pull_requests = "deploy: {provider: lambda, function_name: f, region: eu-west-1, zip: src, on: {all_branches: true, pull_request: true}}\n";
    let (_, text) = converted(world(pull_requests), &[]);
    assert!(text.contains("all_branches: true") && !text.contains("pull_request"), "{text}");
}

#[test]
fn forms_of_dpl_v1_and_of_jobs_are_read() {
    let v1 = "deploy:\n  provider: lambda\n  function_name: old\n  region: eu-west-1\n  zip: src\n  runtime: nodejs24.x\n  environment_variables:\n    - AA=1.10\n    - BB=x y\n  security_group_ids: sg-1\n  subnet_ids: [subnet-1, subnet-2]\n  skip_cleanup: true\n  dead_letter_arn: arn:aws:sqs:eu-west-1:123456789012:q\n  tracing_mode: PassThrough\n  \"true\": {branch: master}\n";
    let (universe, text) = converted(world(v1), &[]);
    assert_eq!(rendered(&universe)[0]["subnet_ids"]["value"], json!(["subnet-1", "subnet-2"]));
    assert!(text.contains("AA: \"1.10\"") && text.contains("branch: master") && !text.contains("cleanup"), "{text}");
    let jobs = "jobs:\n  include:\n    - stage: test\n      script: make\n    - stage: deploy\n      deploy: &d {provider: lambda, function_name: of-a-job, region: eu-west-1, zip: src}\n    - deploy: [{provider: s3}, {<<: *d, function_name: another}]\n";
    let (universe, _) = converted(world(jobs), &[]);
    let blocks = rendered(&universe);
    assert_eq!(blocks[0]["function_name"]["value"], "of-a-job");
    assert_eq!(blocks[1]["function_name"]["value"], "another");
}

#[test]
fn odd_forms_neither_lose_a_branch_nor_show_a_key() {
    let travis = "deploy:\n  provider: lambda\n  function_name: odd\n  region: eu-west-1\n  zip: src\n  role: {main: 'arn:aws:iam::123456789012:role/$ROLE', dev: plain}\n  dead_letter_config: {TargetArn: 'arn:aws:sqs:eu-west-1:123456789012:q'}\n  dead_letter_arn: 'arn:aws:sqs:eu-west-1:123456789012:other'\n  environment:\n    CERT: |\n      -----BEGIN PRIVATE KEY-----\n      MIIabc\n    URL: postgres://u:secretword@h/db\n    NOW: $(date)\n    KEPT: {from_env: OTHER}\n    NUMBER: 007\n    NOTHING: null\n";
    let variables =
        [("CERT", "a"), ("URL", "b"), ("NOW", "c"), ("OTHER", "d"), ("DRONE", "true"), ("DRONE_BRANCH", "dev")];
    let outcome = world(travis).run("init --from .travis.yml").code(0);
    assert!(!outcome.all().contains("MIIabc") && !outcome.all().contains("secretword"), "{}", outcome.all());
    outcome.says("dead_letter_arn: `dead_letter_arn` is given twice").says("set `DPL_LAMBDA_ROLE`");
    let (universe, text) = converted(world(travis), &variables);
    assert!(text.contains("on:\n  branch:\n    - dev\n    - main\n"), "{text}");
    let odd = &rendered(&universe)[0];
    assert_eq!(odd["dead_letter_arn"]["value"], "arn:aws:sqs:eu-west-1:123456789012:q");
    let environment = &odd["environment"]["value"];
    for (name, from) in [("CERT", "CERT"), ("URL", "URL"), ("NOW", "NOW"), ("KEPT", "OTHER")] {
        assert_eq!(environment[name], json!({ "from_env": from }), "{name}");
    }
    assert!(text.contains("NUMBER: \"007\"") && text.contains("NOTHING: null"), "{text}");
}

#[test]
fn a_name_that_only_a_variable_knows_is_left_to_the_ci() {
    let travis = "deploy: {provider: lambda, function_name: $NAME-prod, region: eu-west-1, zip: src}\n";
    let (_, text) = converted(world(travis), &[("DPL_LAMBDA_FUNCTION_NAME", "f")]);
    assert!(text.contains("DPL_LAMBDA_FUNCTION_NAME: ${{ secrets.DPL_LAMBDA_FUNCTION_NAME }}"), "{text}");
}

#[test]
fn the_lines_for_the_ci_at_hand_are_shown() {
    let travis = "deploy: {provider: lambda, function_name: f, region: eu-west-1, secret_access_key: {secure: x}}\n";
    let of = |universe: Universe| universe.run("init --from .travis.yml").code(0).stdout;
    let github = of(world(travis));
    assert!(github.contains("#         - uses: dpl-lambda/dpl-lambda@v0\n"), "{github}");
    assert!(github.contains("AWS_SECRET_ACCESS_KEY: ${{ secrets.AWS_SECRET_ACCESS_KEY }}"), "{github}");
    for gitlab in [world(travis).file(".gitlab-ci.yml", ""), world(travis).with("GITLAB_CI", "true")] {
        let gitlab = of(gitlab);
        assert!(gitlab.contains("#     script: [dpl-lambda]\n") && !gitlab.contains("uses:"), "{gitlab}");
    }
}

#[test]
fn a_file_that_cannot_be_converted_is_an_error_and_nothing_is_written() {
    for (travis, said) in [
        ("deploy: {provider: pages}\n", "has no deployment with `provider: lambda`"),
        ("language: go\n", "has no deployment"),
        ("deploy: [\n", ".travis.yml:"),
        ("", "has no deployment"),
    ] {
        let outcome = world(travis).run("init --from .travis.yml").code(3);
        assert_eq!(outcome.stdout, "", "{travis}");
        outcome.says(said);
    }
    Universe::empty().run("init --from .travis.yml").code(3).says("--from").says(".travis.yml");
}
