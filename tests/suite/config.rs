//! Configuration as users write it: every layer, every shape of the block, every mistake.

use serde_json::json;

use crate::harness::{Outcome, Universe};

/// A universe that needs no AWS: `check` is enough to see what a configuration means.
fn with(file: &str, text: impl AsRef<[u8]>) -> Universe {
    Universe::empty().file("dist/index.py", "x = 1\n").file(file, text)
}

/// What `check` says of a block of ours.
fn check(block: &str) -> Outcome {
    with("dpl.yml", format!("function_name: f\nzip: dist\n{block}")).run("check")
}

#[test]
fn errors_in_yaml_have_their_place() {
    for (text, place, said) in [
        (&b"deploy: [\n"[..], "dpl.yml:", "not valid YAML"),
        (b"deploy:\n  function_name: f\n  function_name: g\n", "dpl.yml:3:3", "the key `function_name` is given twice"),
        (b"deploy:\n  funtion_name: f\n", "dpl.yml:2:3", "did you mean `function_name`?"),
        (b"deploy:\n  function_name: f\n  timeout: [1, 2]\n", "dpl.yml:3:12", "timeout: "),
        (b"deploy:\n  function_name: f\n  zip: *nothing\n", "dpl.yml:3:8", "anchor"),
        (b"deploy:\n  function_name: f\xff\n", "dpl.yml", "not UTF-8 (line 2)"),
        (b"just text\n", "dpl.yml:1:1", "must be a map"),
        (b"- a\n- b\n", "dpl.yml:1:1", "must be a map"),
        (b"deploy:\n  function_name: f\nregion: x\n", "dpl.yml:3:1", "is beside `deploy:`"),
        (b"", "dpl.yml", "has no deployment for the provider `lambda`"),
        (b"deploy:\n  provider: heroku\n", "dpl.yml", "has no deployment for the provider `lambda`"),
        (b"deploy:\n  function_name: f\n  environment: {A B: 1}\n", "dpl.yml:3:17", "not a variable's name"),
    ] {
        let text_shown = String::from_utf8_lossy(text).into_owned();
        let outcome = with("dpl.yml", text).run("check").code(3).says(place).says(said);
        assert!(!outcome.all().contains("has a defect"), "{text_shown}");
    }
    with("dpl.yml", vec![b'#'; 10 << 20]).run("check").code(3).says("more than 1 MB is not read");
}

#[test]
fn an_alias_bomb_ends_quickly() {
    let mut text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (name, before) in ('b'..='i').zip('a'..) {
        text.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(",")));
    }
    with("dpl.yml", text).run("check").code(3).says("not valid YAML");
}

#[test]
fn a_check_reports_the_errors_of_every_block() {
    let block = |function: &str, folder: &str| {
        format!(
            "  - {{function_name: {function}, region: us-east-1, role: r, runtime: python3.12, handler: index.handler, zip: {folder}}}\n"
        )
    };
    let blocks = [block("a", "missing"), block("b", "dist"), block("c", "absent")].concat();
    let universe = Universe::empty().file("dist/index.py", "def handler(e, c): return 1\n");
    let universe = universe.file("dpl.yml", format!("deploy:\n{blocks}"));
    let outcome = universe.run("check").code(3).says("cannot package `a`").says("`b` is configured correctly");
    outcome.says("cannot package `c`").says("missing").says("absent");
}

#[test]
fn one_run_reports_all_errors() {
    let text = "deploy:\n  - function_name: a\n    memory_size: 64\n    timeout: 901\n  - function_name: b b\n    layers: ['x:y']\n    handler: 'a b'\n";
    let universe = with("dpl.yml", text).with("INPUT_PUBLISH", "maybe");
    let outcome = universe.run("check --role 'not a role'").code(3);
    for said in [
        "memory_size: must be between 128 and 10240 MB, got 64 (dpl.yml:3:18)",
        "timeout: must be between 1 and 900 s, got 901 (dpl.yml:4:14)",
        "function_name: `b b`",
        "layers: `x:y` is neither a layer's name nor its ARN",
        "handler: `a b` has a blank",
        "publish: must be true, false or `always`, got `maybe` (INPUT_PUBLISH)",
        "role: `not a role` is neither a role's name nor its ARN (--role)",
    ] {
        assert!(outcome.stderr.contains(said), "{said}\n{}", outcome.stderr);
    }
}

#[test]
fn functions_on_managed_instances_have_larger_limits() {
    let sizes = "timeout: 5400\nmemory_size: 32768\nephemeral_storage: 10240\n";
    let universe = Universe::empty().file("dist/index.py", "def handler(e, c): return 1\n");
    let block =
        |more: &str| format!("function_name: f\nruntime: python3.13\nhandler: index.handler\nzip: dist\n{more}");
    universe.write("dpl.yml", block(sizes));
    let told = universe.run("check").code(3);
    let told = told.says("timeout: must be between 1 and 900 s, got 5400 (dpl.yml:5:10)");
    told.says("memory_size: must be between 128 and 10240 MB, got 32768 (dpl.yml:6:14)")
        .says("`capacity_provider_config`");
    let provider = "arn:aws:lambda:us-east-1:123456789012:capacity-provider:large";
    let config =
        format!("capacity_provider_config: {{lambda_managed_instances_capacity_provider_config: {provider}}}\n");
    universe.write("dpl.yml", block(&format!("{sizes}{config}")));
    universe.run("check").code(0);
    universe.run("check --timeout 5401").code(3).says("must be between 1 and 900 s, got 5401 (--timeout)");
}

#[test]
fn values_beyond_the_limits_of_aws_are_refused() {
    let long = "x".repeat(65);
    for (block, said) in [
        (&*format!("description: {}\n", "d".repeat(257)), "is 257 characters long, AWS accepts at most 256"),
        (
            &format!("environment: {{BIG: {}}}\n", "v".repeat(4087)),
            "takes 4097 bytes as JSON, AWS accepts at most 4096",
        ),
        ("environment: {AWS_REGION: x}\n", "`AWS_REGION` is reserved by Lambda"),
        ("dead_letter_arn: queue\n", "is not an ARN"),
        ("kms_key_arn: arn:aws\n", "is not an ARN"),
        ("tracing_mode: sometimes\n", "must be Active or PassThrough"),
        ("architecture: mips\n", "must be x86_64 or arm64"),
        ("expect_account: 12\n", "must be the 12 digits of an account"),
        ("endpoint_url: localhost\n", "must be a URL that begins with http"),
        ("function_tags: {'aws:x': y}\n", "begins with `aws:`"),
        ("environment_mode: replace\n", "is given without `environment`"),
        ("module_name: index\n", "needs `handler_name`"),
        ("session_token: x\n", "is given without `access_key_id`"),
        ("wait_timeout: soon\n", "must be a whole number of seconds"),
        ("ci: hudson\n", "must be one of woodpecker"),
        ("description: $(date)\n", "`$(…)`, which is not run"),
    ] {
        check(block).code(3).says(said);
    }
    with("dpl.yml", "zip: dist\n")
        .run(&format!("check --function_name {long}"))
        .code(3)
        .says("is 65 characters long, AWS accepts at most 64");
    with("other.yml", "zip: dist\n").run("check").code(3).says("no function is named").says("DPL_LAMBDA_FUNCTION_NAME");
    with("dpl.yml", "")
        .run("check --config nowhere.yml")
        .code(3)
        .says("`nowhere.yml` cannot be read")
        .says("(--config)");
}

#[test]
fn an_account_with_too_many_digits_is_counted() {
    for (option, value) in [
        ("role", "arn:aws:iam::0123456789012:role/deploy"),
        ("role_to_assume", "arn:aws:iam::0123456789012:role/ci"),
        ("layers", "arn:aws:lambda:eu-west-1:0123456789012:layer:deps:3"),
        ("dead_letter_arn", "arn:aws:sqs:eu-west-1:0123456789012:failed"),
        ("kms_key_arn", "arn:aws:kms:eu-west-1:0123456789012:key/k"),
        ("code_signing_config_arn", "arn:aws:lambda:eu-west-1:0123456789012:code-signing-config:csc-1"),
        ("async_config", "{destination_config: {on_failure: 'arn:aws:sqs:eu-west-1:0123456789012:q'}}"),
        ("permissions", "{statement_id: a, principal: s3, source_account: '0123456789012'}"),
        ("event_sources", "{event_source_arn: 'arn:aws:sqs:eu-west-1:0123456789012:q'}"),
        ("expect_account", "'0123456789012'"),
    ] {
        let outcome = check(&format!("{option}: {value}\n")).code(3);
        outcome.says("dpl.yml:3:").says("of 13 digits");
    }
    for name in ["arn:aws:lambda:eu-west-1:0123456789012:function:f", "'0123456789012:function:f'"] {
        let outcome = with("dpl.yml", format!("function_name: {name}\nzip: dist\n")).run("check");
        outcome.code(3).says("dpl.yml:1:").says("of 13 digits");
    }
    let image = "function_name: f\nimage_uri: 0123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:v3\n";
    with("dpl.yml", image).run("check").code(3).says("dpl.yml:2:").says("of 13 digits");
}

#[test]
fn stronger_sources_override_weaker_ones() {
    let universe = with("dpl.yml", "function_name: f\nzip: dist\nmemory_size: 300\ntimeout: 1000\n");
    universe.run("check").code(3).says("got 1000 (dpl.yml:4:10)");
    let universe = universe.with("LAMBDA_TIMEOUT", "2000");
    universe.run("check").code(3).says("got 1000 (dpl.yml:4:10)");
    let universe = universe.with("INPUT_TIMEOUT", "3000");
    universe.run("check").code(3).says("got 3000 (INPUT_TIMEOUT)");
    let universe = universe.with("DPL_LAMBDA_TIMEOUT", "4000");
    universe.run("check").code(3).says("got 4000 (DPL_LAMBDA_TIMEOUT)");
    universe.run("check --timeout 5000").code(3).says("got 5000 (--timeout)");
    universe.run("check --timeout 5").code(0);
}

#[test]
fn the_first_of_the_usual_files_is_read() {
    let universe = Universe::empty()
        .file("dist/i.py", "")
        .file(".travis.yml", "deploy: {provider: lambda, function_name: travis, zip: dist, on: {all_branches: true}}");
    universe.run("check").code(0).says("`travis`");
    universe.write(".dpl.yml", "function_name: hidden\nzip: dist\n");
    universe.run("check").code(0).says("`hidden`");
    universe.write("dpl.yml", "function_name: own\nzip: dist\n");
    universe.run("check").code(0).says("`own`");
    universe.run("check --config .travis.yml").code(0).says("`travis`");
}

#[test]
fn unknown_keys_are_warnings_in_a_travis_file() {
    let text = "deploy:\n  provider: lambda\n  function_name: f\n  zip: dist\n  nonsense: 1\n  skip_cleanup: true\n  edge: true\n";
    with(".travis.yml", text).run("check").code(0).says("warning: `nonsense` is not an option (.travis.yml:5:3)");
}

/// Whether a Travis block is deployed in a build with these variables; the messages are Travis'.
fn skips(file: &str, on: &str, variables: &[(&str, &str)]) -> Option<String> {
    let universe = Universe::empty()
        .file("dist/i.py", "")
        .file(file, format!("deploy:\n  provider: lambda\n  function_name: f\n  zip: dist\n{on}"));
    let universe = variables.iter().fold(universe, |universe, (name, value)| universe.with(name, value));
    let outcome = universe.run("");
    match outcome.code {
        0 => {
            let first = outcome.stdout.lines().next().unwrap();
            Some(first.trim_start_matches("Skipping a deployment with the lambda provider because ").to_owned())
        }
        // It would be deployed, and stops for want of a Region or credentials.
        3 | 4 if outcome.all().contains("cannot read the live function") => None,
        other => panic!("{other}: {}", outcome.all()),
    }
}

#[test]
fn conditions_mean_the_same_as_on_travis() {
    let main = &[
        ("TRAVIS", "true"),
        ("TRAVIS_BRANCH", "main"),
        ("TRAVIS_REPO_SLUG", "o/r"),
        ("TRAVIS_PULL_REQUEST", "false"),
        ("TRAVIS_NODE_VERSION", "22"),
    ][..];
    let dev = &[("TRAVIS", "true"), ("TRAVIS_BRANCH", "release/1"), ("TRAVIS_PULL_REQUEST", "false")][..];
    let tag =
        &[("TRAVIS", "true"), ("TRAVIS_BRANCH", "v1"), ("TRAVIS_TAG", "v1"), ("TRAVIS_PULL_REQUEST", "false")][..];
    let pull = &[("TRAVIS", "true"), ("TRAVIS_BRANCH", "main"), ("TRAVIS_PULL_REQUEST", "7")][..];
    let not_permitted = |branch: &str| Some(format!("this branch is not permitted: {branch}"));
    let a_pull = Some("the current build is a pull request.".to_owned());
    let untagged = Some("this is not a tagged commit".to_owned());
    for (on, build, expected) in [
        ("", main, None),
        ("", dev, not_permitted("release/1")),
        ("", pull, a_pull.clone()),
        ("  on: main\n", dev, not_permitted("release/1")),
        ("  on: {branch: [main, release/*]}\n", dev, None),
        ("  true: {branch: release/*}\n", dev, None),
        ("  if: {branch: other}\n", dev, not_permitted("release/1")),
        ("  on: {all_branches: true}\n", dev, None),
        ("  on: {tags: true}\n", tag, None),
        ("  on: {tags: true}\n", main, untagged.clone()),
        ("  on: {tags: false, all_branches: true}\n", tag, untagged),
        ("  on: {repo: o/r}\n", main, None),
        (
            "  on: {repo: o/other}\n",
            main,
            Some("this repo's name does not match one specified in .travis.yml's deploy.on.repo: o/other".to_owned()),
        ),
        ("  on: {node: 22}\n", main, None),
        ("  on: {node_js: 20}\n", main, Some("this is not on the required runtime".to_owned())),
        ("  on: {condition: '$TRAVIS_BRANCH =~ ^m'}\n", main, None),
        (
            "  on: {condition: ['$TRAVIS_BRANCH = main', '$TRAVIS_BRANCH != main']}\n",
            main,
            Some("a custom condition was not met".to_owned()),
        ),
        ("  on: {all_branches: true}\n", pull, a_pull.clone()),
    ] {
        assert_eq!(skips(".travis.yml", on, build), expected, "{on} {build:?}");
    }
    assert_eq!(skips("dpl.yml", "", dev), None, "the CI's own rules decide");
    for on in ["", "  on: {all_branches: true}\n"] {
        assert!(skips("dpl.yml", on, pull).unwrap().starts_with("Skipped `f`: `on.pull_request` is not set to true"));
    }
    assert_eq!(skips("dpl.yml", "  on: {all_branches: true, pull_request: true}\n", pull), None);
    for (on, said) in [
        ("  on: [a, b]\n", "must be a map of conditions"),
        ("  on: {brnach: x}\n", "`brnach` is not a condition"),
        ("  on: {condition: '= ='}\n", "`condition` has its end behind `=`, where a word is expected (dpl.yml:4:19)"),
    ] {
        let universe = with("dpl.yml", format!("deploy:\n  function_name: f\n  zip: dist\n{on}"));
        universe.run("").code(3).says(said);
    }
}

#[test]
fn conditions_work_outside_of_travis() {
    let github = &[("GITHUB_ACTIONS", "true"), ("GITHUB_REF", "refs/heads/main"), ("GITHUB_REPOSITORY", "o/r")][..];
    let gitlab = &[("GITLAB_CI", "true"), ("CI_COMMIT_BRANCH", "main"), ("CI_PROJECT_PATH", "o/r")][..];
    for build in [github, gitlab] {
        assert_eq!(skips(".travis.yml", "  on: {branch: main, repo: o/r}\n", build), None);
        assert!(skips(".travis.yml", "  on: {branch: other}\n", build).is_some());
    }
}

#[test]
fn options_can_have_values_by_branch() {
    let text = "deploy:\n  provider: lambda\n  function_name: {main: prod, develop: staging}\n  memory_size: {main: 512}\n  zip: dist\n";
    let universe = with(".travis.yml", text).with("TRAVIS", "true").with("TRAVIS_PULL_REQUEST", "false");
    let universe = universe.with("TRAVIS_BRANCH", "develop");
    universe.run("check").code(0).says("`staging`");
    let universe = universe.with("TRAVIS_BRANCH", "other");
    universe.run("").code(0).says("this branch is not permitted: other");
    universe.run("check").code(0).says("for `develop`, `main`, and this branch is `other`");
}

#[test]
fn shell_variables_are_replaced_in_a_travis_file_only() {
    let text =
        "deploy:\n  provider: lambda\n  function_name: $NAME-${STAGE}\n  zip: dist\n  on: {all_branches: true}\n";
    let universe = with(".travis.yml", text).with("NAME", "f").with("STAGE", "prod");
    universe.run("check").code(0).says("`f-prod`");
    let universe = with("dpl.yml", text).with("NAME", "f");
    universe.run("check").code(3).says("`$NAME-${STAGE}` is not a function's name");
}

#[test]
fn values_that_only_travis_can_read_are_ignored() {
    let text = "deploy:\n  provider: lambda\n  function_name: f\n  zip: dist\n  access_key_id: AKIA-IN-THE-FILE\n  secret_access_key: {secure: abc=}\n  environment:\n    - secure: def=\n    - A1=b\n  on: {all_branches: true}\n";
    let outcome = with(".travis.yml", text).run("check").code(0);
    assert_eq!(outcome.stdout.matches("is encrypted for Travis").count(), 2, "{}", outcome.stdout);
    let keys = with(".travis.yml", text).with("AWS_REGION", "us-east-1").with("AWS_EC2_METADATA_DISABLED", "true");
    keys.run("").code(4).says("there are no usable AWS credentials");
}

#[test]
fn commands_around_a_deploy_get_a_warning() {
    let text = "before_deploy: make\ndeploy:\n  provider: lambda\n  function_name: f\n  zip: dist\n  on: {all_branches: true}\n";
    with(".travis.yml", text).run("check").code(0).says("`before_deploy` is not supported").says(".travis.yml:1:1");
}

#[test]
fn a_command_line_of_dpl_reads_no_file() {
    let universe = with("dpl.yml", "function_name: from-yaml\nzip: dist\n")
        .with("AWS_ACCESS_KEY_ID", "AKIDTESTTESTTEST")
        .with("AWS_SECRET_ACCESS_KEY", "x-secret-key-x");
    universe.run("lambda").code(3).says("no function is named");
    universe.run("--provider=lambda").code(3).says("no function is named");
    universe.run("lambda --config dpl.yml").code(3).says("no Region is set");
    let universe = universe.called("dpl").with("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    universe
        .run("lambda --function_name f --zip dist --fold --edge --skip_cleanup")
        .code(1)
        .says("could not be reached");
}

#[test]
fn every_spelling_of_dry_run_is_read() {
    for word in ["maybe", "1"] {
        check(&format!("dry_run: {word}\n")).code(3).says("dry_run: must be");
    }
    for word in ["true", "false", "aws", "yes"] {
        check(&format!("dry_run: {word}\n")).code(0);
    }
}

#[test]
fn json_has_the_problems() {
    let outcome = with("dpl.yml", "function_name: f\nzip: dist\nmemory_size: 64\n")
        .run("check --format json --timeout 0")
        .code(3);
    let document = outcome.json();
    assert_eq!(document["exit_code"], 3);
    let problems = &document["errors"][0]["problems"];
    assert_eq!(problems[0]["place"], json!({ "file": { "path": "dpl.yml", "line": 3, "column": 14 } }));
    assert_eq!(problems[1]["place"], json!({ "flag": "--timeout" }));
}

#[test]
fn a_wrong_condition_never_deploys() {
    for (on, said) in [
        ("{repo: [o/r]}", "`repo` must be one `OWNER/NAME`"),
        ("{repo: {x: o/r}}", "`repo` must be one"),
        ("{node: {a: b}}", "`node` must be a version"),
        ("{brnch: main}", "did you mean `branch`?"),
    ] {
        with("dpl.yml", format!("deploy:\n  function_name: f\n  zip: dist\n  on: {on}\n")).run("").code(3).says(said);
    }
    let twice = "deploy:\n  function_name: f\n  zip: dist\n  on: {branch: main}\n  true: {branch: other}\n";
    with("dpl.yml", twice).run("").code(3).says("is given twice");
    let versions = &[("TRAVIS_NODE_VERSION", "20"), ("TRAVIS_BRANCH", "main"), ("TRAVIS", "true")][..];
    assert_eq!(skips("dpl.yml", "  on: {node: [18, 20]}\n", versions), None);
}

#[test]
fn a_misplaced_map_is_an_error() {
    check("secret_access_key: {from_env: X}\naccess_key_id: AKIDTEST\n").code(3).says("takes no `from_env`");
    check("tracing_config: {mode: Active}\n").code(0);
    check("dead_letter_config: {target_arn: nonsense}\n").code(3).says("`nonsense` is not an ARN");
    check("dry_run: [true]\n").code(3).says("dry_run: must be one value");
    let provider = "deploy:\n  - provider: lamda\n    function_name: f\n    zip: dist\n";
    with("dpl.yml", provider).run("check").code(0).says("`lamda` is read as `lambda`");
    with("dpl.yml", "deploy:\n  provder: lambda\n  function_name: f\n")
        .run("check")
        .code(3)
        .says("did you mean `provider`?");
}

#[test]
fn variables_can_have_json_lines_and_brackets() {
    let universe = with("dpl.yml", "function_name: f\nzip: dist\n");
    for (name, value, code) in [
        ("DPL_LAMBDA_DESCRIPTION", "[wip]", 0),
        ("DPL_LAMBDA_RUN", "[ -n \"$HOME\" ]", 0),
        ("DPL_LAMBDA_EXCLUDE", "[ab]", 0),
        ("INPUT_LAYERS", "[\"arn:aws:lambda:eu-west-1:123456789012:layer:deps:3\"]", 0),
        ("INPUT_ENVIRONMENT", "{\"API_TOKEN\": \"ZZSECRET=\", \"B\": 1", 3),
        ("DPL_LAMBDA_ENVIRONMENT", "API_TOKEN: ZZSECRET=x", 3),
    ] {
        let universe = with("dpl.yml", "function_name: f\nzip: dist\n").with(name, value);
        universe.run("check").code(code).never_says("ZZSECRET");
    }
    let both = universe.with("INPUT_SUBNET-IDS", "[\"subnet-1\"]").with("INPUT_SUBNET_IDS", "[\"subnet-1\"]");
    both.run("check").code(0);
    both.with("AWS_SESSION_TOKEN", "a-token-without-its-keys").run("check").code(0);
}

#[test]
fn secrets_stay_hidden_in_a_configuration_with_errors() {
    let text = "function_name: f\nzip: dist\ntimeout: ZZSECRETZZ\nenvironment:\n  API_TOKEN: ZZSECRETZZ\n";
    with("dpl.yml", text).run("check").code(3).never_says("ZZSECRETZZ");
    let universe = with("dpl.yml", "function_name: f\nzip: dist\ntimeout: ZZ%SECRET%99\n");
    let universe = universe.with("AWS_SECRET_ACCESS_KEY", "ZZ%SECRET%99").with("AWS_ACCESS_KEY_ID", "AKIDTESTTESTTEST");
    universe.run("check").code(3).never_says("SECRET%");
    let on_github = universe.with("GITHUB_ACTIONS", "true").run("check").code(3).says("got `***`");
    assert!(!on_github.stdout.contains("SECRET%"), "{}", on_github.stdout);
    assert_eq!(on_github.stderr.matches("ZZ%25SECRET").count(), 1, "only the mask command: {}", on_github.stderr);
}

#[test]
fn a_variable_that_is_not_replaced_is_named() {
    let outcome = check("environment:\n  BUCKET: $BUCKET\n  PRICE: 5$\nfunction_tags: ['stage=${STAGE}']\n").code(3);
    assert!(outcome.stdout.contains("(dpl.yml:4:11)"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("$BUCKET"), "it may be a password: {}", outcome.stdout);
    assert!(
        outcome.stderr.contains("function_tags: has a value with `${…}`, which is not replaced"),
        "{}",
        outcome.stderr
    );
    check("description: Uses `foo` and `bar`\n").code(0);
}

#[test]
fn a_list_that_a_ci_joined_with_commas_gets_a_warning() {
    let drone =
        |value: &str| with("dpl.yml", "function_name: f\nzip: dist\n").with("PLUGIN_EXCLUDE", value).run("check");
    drone("*.md,*.txt")
        .code(0)
        .says("exclude: has a comma, which is read as a part of an item")
        .says("(PLUGIN_EXCLUDE)");
    for whole in ["*.{md,txt}", "*.md\n*.txt", r#"["*.md", "*.txt"]"#] {
        drone(whole).code(0).never_says("comma");
    }
}

#[test]
fn a_variable_that_is_not_utf8_is_an_error() {
    let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"true\xff");
    for (name, code) in
        [("DPL_LAMBDA_DRY_RUN", 3), ("INPUT_FUNCTION-NAME", 3), ("AWS_SECRET_ACCESS_KEY", 3), ("OTHER", 0)]
    {
        let universe = with("dpl.yml", "function_name: f\nzip: dist\n");
        let outcome = universe.run_with(name, odd, "check").code(code);
        if code == 3 {
            outcome.says(&format!("has a value that is not UTF-8 ({name})"));
        }
    }
}
