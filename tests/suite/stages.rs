//! Many deployments from one file: defaults, stages, `for_each`, Regions, and `%{…}` in every text.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Kind, Outcome, Universe, emulator};

/// Three functions, in two stages.
const SHOP: &str = r#"defaults:
  runtime: python3.13
  handler: app.handler
  region: eu-west-1
  role: arn:aws:iam::123456789012:role/shop-%{stage}
  environment: { LOG: info, STAGE: "%{stage}" }
stages:
  dev: { branch: [develop, 'feature/*'], memory_size: 128 }
  prod:
    branch: main
    alias: live
    environment: { LOG: warn }
deploy:
  - for_each: functions/*
    function_name: "%{each}-%{stage}"
    zip: "%{each_path}"
  - function_name: web-%{stage}
    zip: web
    region: [eu-west-1, us-east-1]
    environment: { LOG: debug }
    stages:
      prod: { memory_size: 1024, environment: { ONLY: "%{region}" } }
"#;

fn with(text: &str) -> Universe {
    let universe = Universe::empty().file("dpl.yml", text);
    for name in ["functions/orders", "functions/mails", "web"] {
        universe.write(&format!("{name}/app.py"), "def handler(event, context):\n    return 1\n");
    }
    universe.write("functions/README.md", "no folder");
    universe.write("functions/.hidden/app.py", "");
    universe
}

/// The deployments as `render` has them, each option with its value.
fn rendered(universe: &Universe, arguments: &str) -> Vec<Value> {
    let json = universe.run(&format!("render --format json {arguments}")).code(0).json();
    json["configuration"].as_array().unwrap_or_else(|| panic!("{json:#}")).clone()
}

fn values(blocks: &[Value], option: &str) -> Vec<Value> {
    blocks.iter().map(|block| block[option]["value"].clone()).collect()
}

fn refused(text: &str, arguments: &str) -> Outcome {
    with(text).run(&format!("check {arguments}")).code(3)
}

/// A file with a single mistake: it is reported once, at the place where this is written.
fn mistake(text: &str, said: &str, written: &str) {
    let outcome = refused(text, "--stage prod");
    let lines = outcome.stderr.lines().filter(|line| line.contains(said)).collect::<Vec<_>>();
    assert!(lines.len() == 1, "{text}\nwants {said} in\n{}", outcome.stderr);
    let place = lines[0].rsplit_once("(dpl.yml:").and_then(|(_, place)| place.trim_end_matches(')').split_once(':'));
    let (line, column) = place.unwrap_or_else(|| panic!("{text}\n{}", lines[0]));
    let (line, column): (usize, usize) = (line.parse().unwrap(), column.parse().unwrap());
    let there: String = text.lines().nth(line - 1).unwrap().chars().skip(column - 1).collect();
    assert!(there.starts_with(written), "{text}\n{}\nis at {there}, not at {written}", lines[0]);
}

#[test]
fn each_name_and_each_region_is_a_deployment_of_its_own() {
    let blocks = rendered(&with(SHOP), "--stage prod");
    assert_eq!(values(&blocks, "function_name"), ["mails-prod", "orders-prod", "web-prod", "web-prod"]);
    assert_eq!(values(&blocks, "region"), ["eu-west-1", "eu-west-1", "eu-west-1", "us-east-1"]);
    assert_eq!(values(&blocks, "zip"), ["functions/mails", "functions/orders", "web", "web"]);
    assert_eq!(values(&blocks, "role")[3], "arn:aws:iam::123456789012:role/shop-prod");
    assert_eq!(values(&blocks, "alias"), ["live"; 4]);
}

#[test]
fn the_narrower_part_of_the_file_wins_and_maps_are_merged_by_key() {
    let blocks = rendered(&with(SHOP), "--stage prod");
    assert_eq!(values(&blocks, "memory_size"), [json!(null), json!(null), json!("1024"), json!("1024")]);
    // Values of variables are hidden, so the plan tells which key won.
    let text = "defaults:\n  function_tags: {a: defaults, b: defaults, c: defaults, d: defaults, e: defaults, f: defaults}\n\
                stages:\n  prod:\n    function_tags: {b: stage, c: stage, d: stage, e: stage, f: stage}\n\
                deploy:\n  - function_name: f-%{each}\n    region: eu-west-1\n    zip: web\n    function_tags: {c: block, d: block, e: block, f: block}\n    \
                stages: {prod: {function_tags: {d: of block, e: of block, f: of block}}}\n    \
                for_each: {x: {function_tags: {e: each, f: each}, stages: {prod: {function_tags: {f: of each}}}}}\n";
    let tags = &rendered(&with(text), "--stage prod")[0]["function_tags"]["value"];
    let wanted = json!({"a": "defaults", "b": "stage", "c": "block", "d": "of block", "e": "each", "f": "of each"});
    assert_eq!(tags, &wanted);
    // A flag wins over all, and a value that is left empty takes away the one below.
    let text = text
        .replace("    zip: web\n", "    zip: web\n    timeout:\n")
        .replace("defaults:\n", "defaults:\n  timeout: 9\n");
    assert_eq!(values(&rendered(&with(&text), "--stage prod"), "timeout"), [json!(null)]);
    assert_eq!(values(&rendered(&with(&text), "--stage prod --timeout 3"), "timeout"), ["3"]);
    // Pairs in other forms are merged too.
    let lines = "defaults:\n  function_tags: |\n    a=1\n    b=1\nstages: {prod: {}}\ndeploy:\n  function_name: f\n  function_tags: [b=2, {c: 3}]\n  zip: web\n";
    let shown = with(lines).run("render --stage prod").code(0);
    shown.says("a=1").says("b=2").never_says("b=1");
}

#[test]
fn a_render_names_the_part_of_the_file_that_each_value_comes_from() {
    let shown = with(SHOP).run("render --stage prod --function_name web-prod").code(0);
    for (value, part) in [
        ("region: eu-west-1", "# dpl.yml:19:14"),
        ("runtime: python3.13", "# dpl.yml:2:12 (defaults)"),
        ("alias: live", "(stages.prod)"),
        ("memory_size: 1024", "# dpl.yml:22:28 (stages.prod)"),
        ("STAGE:", "# dpl.yml:6:36 (defaults)"),
        ("LOG:", "# dpl.yml:20:25"),
        ("stage: prod", "# --stage"),
    ] {
        let line = shown.stdout.lines().find(|line| line.trim_start().starts_with(value)).unwrap_or_default();
        assert!(line.ends_with(part), "{value} {part}\n{}", shown.stdout);
    }
    let text = "deploy:\n  function_name: f-%{each}\n  for_each: {a: {timeout: 4}, b: }\n  zip: web\n";
    with(text).run("render").code(0).says("timeout: 4").says("(for_each.a)");
}

#[test]
fn a_stage_is_chosen_by_flag_by_variable_or_by_branch() {
    let names =
        |universe: &Universe, arguments: &str| values(&rendered(universe, arguments), "function_name")[2].clone();
    let on = |branch: &str| with(SHOP).with("DRONE", "true").with("DRONE_BRANCH", branch);
    assert_eq!(names(&on("main"), ""), "web-prod");
    assert_eq!(names(&on("develop"), ""), "web-dev");
    assert_eq!(names(&on("feature/x"), ""), "web-dev");
    assert_eq!(names(&on("main"), "--stage dev"), "web-dev");
    assert_eq!(names(&on("main").with("DPL_LAMBDA_STAGE", "dev"), ""), "web-dev");
    assert_eq!(names(&on("main").with("DPL_LAMBDA_STAGE", "dev"), "--stage prod"), "web-prod");
    // A name counts more than a pattern; two that are equal are no choice.
    let two = SHOP.replace("branch: main", "branch: [main, feature/exact]");
    let exact = with(&two).with("DRONE", "true").with("DRONE_BRANCH", "feature/exact");
    assert_eq!(names(&exact, ""), "web-prod");
    let both = SHOP.replace("branch: main", "branch: 'feature/x*'");
    let both = with(&both).with("DRONE", "true").with("DRONE_BRANCH", "feature/x1");
    both.run("check").code(3).says("`dev` and `prod` both fit the branch `feature/x1`");
}

#[test]
fn no_stage_is_guessed() {
    let on = |text: &str, branch: &str| with(text).with("DRONE", "true").with("DRONE_BRANCH", branch);
    for verb in ["check", "plan", "", "render", "status", "package --list", "policy", "list"] {
        let outcome = on(SHOP, "topic").run(verb).code(3);
        outcome.says("this run chooses none: no `branch` fits `topic` (dpl.yml:7:1)").says("`prod` (branch main)");
    }
    with(SHOP).run("check").code(3).says("nothing says which branch this is").says("--stage");
    let bare = "stages: {dev: , prod: }\ndeploy: {function_name: f, zip: web}\n";
    on(bare, "main").run("check").code(3).says("none of them has a `branch`");
    on(bare, "main").run("check --stage prdo").code(3).says("did you mean `prod`?").says("(--stage)");
    // A stage without stages is a mistake too.
    with("function_name: f\nzip: web\n").run("check --stage prod").code(3).says("`dpl.yml` has no `stages`");
    Universe::empty().run("check --stage prod --function_name f").code(3).says("there is no file with `stages`");
}

#[test]
fn a_file_that_is_one_block_can_have_stages() {
    let text = "function_name: f-%{stage}\nregion: eu-west-1\nzip: web\nmemory_size: 128\nstages:\n  dev: {branch: develop}\n  prod: {branch: main, memory_size: 1024}\n";
    let blocks = rendered(&with(text).with("DRONE", "true").with("DRONE_BRANCH", "main"), "");
    assert_eq!(
        (&blocks[0]["function_name"]["value"], &blocks[0]["memory_size"]["value"]),
        (&json!("f-prod"), &json!("1024"))
    );
    mistake(&format!("{text}defaults: {{timeout: 3}}\n"), "`defaults` is for the blocks under `deploy:`", "defaults");
}

#[test]
fn the_build_of_a_pull_request_shows_the_stage_of_its_base_and_deploys_nothing() {
    let universe = || {
        let universe = Universe::at(&emulator(Kind::Ministack).endpoint).file("dpl.yml", SHOP);
        for name in ["functions/orders", "functions/mails", "web"] {
            universe.write(&format!("{name}/app.py"), "def handler(event, context):\n    return 1\n");
        }
        let ci = [("DRONE", "true"), ("DRONE_BRANCH", "main"), ("DRONE_PULL_REQUEST", "7"), ("CI", "drone")];
        ci.into_iter().fold(universe, |universe, (name, value)| universe.with(name, value))
    };
    universe().run("plan").code(0).says("web-prod").never_says("web-dev");
    universe().run("").code(0).says("Skipped `web-prod`").says("nothing was deployed").never_says("Created");
}

#[test]
fn functions_are_chosen_by_globs_of_their_names() {
    let names = |arguments: &str| {
        let names = values(&rendered(&with(SHOP), &format!("--stage dev {arguments}")), "function_name");
        names.into_iter().map(|name| name.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("--function_name orders-dev"), ["orders-dev"]);
    assert_eq!(names("--function_name '*s-dev'"), ["mails-dev", "orders-dev"]);
    assert_eq!(names("--function_name 'web-*'"), ["web-dev", "web-dev"]);
    assert_eq!(names("--function_name 'web-*' --region us-east-1"), ["web-dev"]);
    // The names of the others are still their own.
    let role = SHOP.replace("shop-%{stage}", "%{function_name}");
    let roles = values(&rendered(&with(&role), "--stage dev --function_name '*s-dev'"), "role");
    assert_eq!(roles[1], "arn:aws:iam::123456789012:role/orders-dev");
    let outcome = with(SHOP).run("check --stage dev --function_name 'orders-p*'").code(3);
    outcome.says("no block is for `orders-p*` (--function_name)").says("`mails-dev`, `orders-dev`, `web-dev`");
    // A verb for one function says how to choose between Regions.
    let outcome = with(SHOP).run("invoke --stage dev --function_name web-dev").code(3);
    outcome.says("`web-dev` with `--region eu-west-1`, `web-dev` with `--region us-east-1`");
    // A name of `for_each` is chosen, and never renamed, also where it is the only one.
    let one = "deploy: {for_each: [a], function_name: 'f-%{each}', zip: web}\n";
    with(one).run("check --function_name g").code(3).says("no block is for `g`");
    // The only block of a file gets the name, as before.
    with("deploy: {function_name: f, zip: web}\n").run("render --function_name g").code(0).says("function_name: g");
    with("deploy: {function_name: f, zip: web}\n")
        .run("check --function_name 'g*'")
        .code(3)
        .says("no block is for `g*`");
}

#[test]
fn a_flag_for_the_region_counts_instead_of_all_of_them() {
    let blocks = rendered(&with(SHOP), "--stage dev --region ap-south-1");
    assert_eq!(values(&blocks, "region"), ["ap-south-1"; 3]);
    let in_variable = with(SHOP).with("DPL_LAMBDA_REGION", "ap-south-1");
    assert_eq!(values(&rendered(&in_variable, "--stage dev"), "region"), ["ap-south-1"; 3]);
    mistake("stages: {prod: }\ndeploy: {function_name: f, zip: web, region: []}\n", "has no Region", "[]");
    mistake(
        "stages: {prod: }\ndeploy: {function_name: f, zip: web, region: [eu-west-1, EU-WEST-1]}\n",
        "[`region` = EU-WEST-1]",
        "EU-WEST-1",
    );
}

/// A block with one more line, behind a file with stages.
fn block(line: &str) -> String {
    format!("stages: {{prod: , dev: }}\ndeploy:\n  function_name: f\n  zip: web\n  {line}\n")
}

#[test]
fn every_text_is_filled_in() {
    let text = block(
        "region: eu-west-1\n  expect_account: '123456789012'\n  description: \"%{stage} %{function_name} %{nothing} %%{stage}\"\n  \
         role: \"arn:aws:iam::%{account}:role/%{function_name}-%{$TEAM:-none}\"\n  \
         layers: [\"deps-%{stage}\", \"arn:aws:lambda:%{region}:%{account}:layer:x:1\"]\n  \
         environment: {URL: \"https://%{$HOST_NAME}/%{git_branch}\", FORM: \"%%{literal}\"}\n  \
         function_tags: [\"stage=%{stage}\"]\n  \
         event_sources: {event_source_arn: \"arn:aws:sqs:%{region}:%{account}:jobs-%{stage}\", batch_size: 5}",
    );
    let universe = with(&text).with("DRONE", "true").with("DRONE_BRANCH", "main").with("HOST_NAME", "example.com");
    let blocks = rendered(&universe, "--stage prod");
    let value = |option: &str| blocks[0][option]["value"].clone();
    assert_eq!(value("description"), "prod f [unknown variable: nothing] %{stage}");
    assert_eq!(value("role"), "arn:aws:iam::123456789012:role/f-none");
    assert_eq!(value("layers"), json!(["deps-prod", "arn:aws:lambda:eu-west-1:123456789012:layer:x:1"]));
    assert_eq!(value("function_tags"), json!(["stage=prod"]));
    assert_eq!(value("event_sources")["event_source_arn"], "arn:aws:sqs:eu-west-1:123456789012:jobs-prod");
    universe.run("check --stage prod").code(0);
    let role = rendered(&universe.with("TEAM", "red"), "--stage prod")[0]["role"]["value"].clone();
    assert_eq!(role, "arn:aws:iam::123456789012:role/f-red");
    // What a flag replaces need not have a value.
    let unset = "deploy: {function_name: '%{$UNSET}', zip: web, region: '%{$UNSET}'}\n";
    with(unset).run("render --function_name f --region eu-west-1").code(0).says("function_name: f");
    // The value of a flag is taken as it is, and others are filled in with it.
    let text = "deploy: {function_name: f, zip: web, role: 'arn:aws:iam::123456789012:role/%{region}'}\n";
    let shown = with(text).run("render --region eu-west-3 --handler 'a.%{x}'").code(0);
    shown.says("role/eu-west-3").says("a.%{x}");
}

#[test]
fn a_name_without_a_value_is_an_error_at_its_place() {
    for (line, said, place) in [
        ("handler: \"%{stge}\"", "`%{stge}` is not a name that is filled in; did you mean `%{stage}`?", "\"%{stge}\""),
        ("handler: \"%{a-b}\"", "`%{a-b}` is not a name", "\"%{a-b}\""),
        ("handler: \"%{each}\"", "`%{each}` has a value only in a block with `for_each`", "\"%{each}\""),
        ("alias: \"%{account}\"", "`%{account}` is not known before the log-in", "\"%{account}\""),
        ("handler: \"%{region}\"", "`%{region}` has no value: `region` is not set", "\"%{region}\""),
        ("handler: \"%{alias}\"", "`%{alias}` has no value", "\"%{alias}\""),
        ("handler: \"%{$UNSET}\"", "the variable `UNSET` is not set", "\"%{$UNSET}\""),
        ("handler: \"%{build_number}\"", "`%{build_number}` has no value in this build", "\"%{build_number}\""),
        ("handler: \"%{secret_access_key}\"", "is not a name that is filled in", "\"%{secret_access_key}\""),
        ("handler: \"%{layers}\"", "is not a name that is filled in", "\"%{layers}\""),
        ("handler: \"a.%{handler}\"", "`handler` needs `handler`", "\"a.%{handler}\""),
        ("handler: \"a.%{alias}\"\n  alias: \"%{role}\"\n  role: \"%{handler}\"", "needs `handler`", "\"a.%{alias}"),
        ("environment: {\"%{stage}\": x}", "is a key", "\"%{stage}"),
        ("environment: [\"%{stage}=x\"]", "is a key", "\"%{stage}=x"),
        ("secret_access_key: \"%{$KEY}\"", "takes no `%{…}`", "\"%{$KEY}"),
        ("function_url: '{\"auth_type\": \"%{stage}\"}'", "JSON in a text", "'{"),
    ] {
        mistake(&block(line), said, place);
    }
    // Outside of stages and `for_each` too.
    mistake("stages: {prod: }\ndeploy: {function_name: f, zip: '%{eich}'}\n", "is not a name", "'%{eich}'");
    refused("deploy: {function_name: 'f-%{stage}', zip: web}\n", "").says("the file has no `stages`");
}

#[test]
fn no_value_becomes_more_than_one() {
    let lines = "first\nAWS_LAMBDA_EXEC_WRAPPER=/tmp/x";
    let universe = with(&block("environment: |\n    AA=%{$LINES}\n    BB=2")).with("LINES", lines);
    universe.run("check --stage prod").code(0);
    let shown = rendered(&universe, "--stage prod")[0]["environment"]["value"].clone();
    assert!(!shown.to_string().contains("EXEC_WRAPPER"), "{shown}");
    for (line, value, said) in [
        ("layers: [\"%{$LINES}\"]", "a,b", "has a comma"),
        ("handler: \"%{$LINES}\"", "a\nb", "has a line break"),
        ("exclude: \"%{$LINES}\"", "a\nb", "has a line break"),
        ("function_tags: \"a=%{$LINES}\"", "a\nb=c", "has a line break"),
    ] {
        with(&block(line)).with("LINES", value).run("check --stage prod").code(3).says(said).says("dpl.yml:5:");
    }
}

#[test]
fn secrets_are_filled_in_only_where_they_are_hidden() {
    let secret = "hunter2-hunter2";
    for line in ["handler: \"%{$DB_PASSWORD}\"", "function_tags: {a: \"%{$DB_PASSWORD}\"}", "zip: \"%{$DB_PASSWORD}\""]
    {
        let line = line.replace("zip:", "s3_bucket:");
        let outcome = with(&block(&line)).with("DB_PASSWORD", secret).run("check --stage prod").code(3);
        outcome.says("would show the secret in `DB_PASSWORD`").never_says(secret);
    }
    // A default is no secret.
    let default = block("function_url: {auth_type: \"%{$AUTH:-NONE}\"}");
    with(&default).run("render --stage prod").code(0).says("auth_type: NONE");
    with(&default).with("AUTH", "AWS_IAM").run("render --stage prod").code(3).never_says("AWS_IAM");
    let url = block("environment: {URL: \"postgres://app:%{$DB_PASSWORD}@db/%{stage}\"}");
    with(&url).with("DB_PASSWORD", secret).run("render --stage prod").code(0).never_says(secret);
    let own = block("environment: {KEY: \"%{$AWS_SECRET_ACCESS_KEY}\"}");
    let outcome = with(&own).with("AWS_SECRET_ACCESS_KEY", secret).run("check --stage prod").code(3);
    outcome.says("would hold the credentials of this job").never_says(secret);
}

#[test]
fn the_trust_in_a_file_counts_for_every_part_of_it() {
    for text in [
        "defaults: {profile: x}\ndeploy: {function_name: f, zip: web}\n",
        "deploy: {function_name: 'f-%{each}', zip: web, for_each: {a: {profile: x}}}\n",
        "deploy: {function_name: f, zip: web, profile: '%{function_name}'}\n",
        "deploy: {function_name: f, zip: '%{$ELSEWHERE}'}\n",
        "deploy: {function_name: 'f-%{each}', zip: web, for_each: [a], env_file: '../%{each}.env'}\n",
        "deploy: {function_name: 'f-%{each}', zip: '%{each_path}', for_each: '../../*'}\n",
        "deploy: {function_name: f, zip: web, stage: prod}\n",
    ] {
        let outcome = with(text).with("ELSEWHERE", "/etc").run("check").code(3);
        let said = ["a file may not", "outside of the checkout", "cannot be in the file"];
        assert!(said.iter().any(|said| outcome.all().contains(said)), "{text}\n{}", outcome.all());
    }
}

#[test]
fn mistakes_are_reported_once_on_the_line_that_made_them() {
    let many = |more: &str| {
        format!(
            "defaults:\n  zip: web\n{more}stages: {{dev: {{branch: develop}}, prod: {{branch: main}}}}\ndeploy:\n  - function_name: 'a-%{{each}}'\n    for_each: [x, y, z]\n  - function_name: b\n"
        )
    };
    for (more, said, place) in [
        ("  memory_size: 64\n", "must be between 128 and 10240 MB, got 64", "64"),
        ("  memori_size: 64\n", "`memori_size` is not an option", "memori_size"),
        ("  timeout: [1, 2]\n", "timeout: ", "[1, 2]"),
        ("  environment: {A B: 1}\n", "not a variable's name", "A B: 1"),
        ("  role: '%{stagee}'\n", "is not a name that is filled in", "'%{stagee}"),
        ("  for_each: [a]\n", "`for_each` belongs into a block", "for_each"),
        ("  stages: {prod: }\n", "`stages` belongs beside `deploy:`", "stages"),
        ("  provider: s3\n", "`provider` is not an option", "provider"),
    ] {
        mistake(&many(more), said, place);
    }
    // What differs by deployment names the deployments that it is about.
    let differing = many("").replace("for_each: [x, y, z]", "for_each: [x, 'b b', z]");
    mistake(&differing, "[`each` = b b]", "'a-%{each}");
    let of_one = many("").replace("for_each: [x, y, z]", "for_each: {x: , y: {memory_size: 1}, z: {memory_size: 2}}");
    mistake(&of_one, "got 1 [`each` = y]", "1}");
    mistake(&of_one, "got 2 [`each` = z]", "2}");
}

#[test]
fn stages_and_names_that_do_not_fit_are_refused() {
    let file =
        |stages: &str, block: &str| format!("stages: {stages}\ndeploy:\n  zip: web\n  function_name: f\n  {block}\n");
    for (stages, block, said, place) in [
        ("{prod: }", "stages: {pord: {timeout: 3}}", "`pord` is not a stage of the file; did you mean `prod`?", "pord"),
        ("{prod: , dev: {timout: 3}}", "timeout: 3", "`timout` is not an option", "timout"),
        ("{prod: }", "stages: {prod: {timout: 3}}", "`timout` is not an option", "timout"),
        ("{prod: }", "stages: {prod: {branch: main}}", "`branch` belongs into the `stages` beside", "branch"),
        ("{prod: }", "stages: {prod: {stages: {prod: }}}", "`stages` belongs", "stages"),
        ("{prod: }", "stages: [prod]", "must be a map from the name of a stage", "[prod]"),
        ("{prod: }", "stages: {prod: 3}", "must be a map of options", "3}"),
        ("{prod: {for_each: [a]}}", "timeout: 3", "`for_each` belongs into a block", "for_each"),
        ("{prod: {branch: {a: b}}}", "timeout: 3", "`branch` must be a name, a pattern, or a list", "{a: b}"),
        ("[prod]", "timeout: 3", "must be a map from the name of a stage", "[prod]"),
        ("{prod: 3}", "timeout: 3", "`prod` must be a map of options", "3}"),
        ("{}", "timeout: 3", "has no stage", "{}"),
        ("{prod: }", "branch: main", "`branch` is not an option", "branch"),
        ("{prod: }", "for_each: []", "has no name", "[]"),
        ("{prod: }", "for_each: {}", "has no name", "{}"),
        ("{prod: }", "for_each: [a, a]", "has `a` twice", "a]"),
        ("{prod: }", "for_each: ['']", "has an empty name", "''"),
        ("{prod: }", "for_each: [[a]]", "must be a list of names", "[a]"),
        ("{prod: }", "for_each: [{a: b}]", "must be a list of names", "{a: b}"),
        ("{prod: }", "for_each: {a: 3}", "`a` must be a map of options", "3}"),
        ("{prod: }", "for_each: {a: {timout: 3}}", "`timout` is not an option", "timout"),
        ("{prod: }", "for_each: {a: {for_each: [b]}}", "`for_each` belongs", "for_each"),
        ("{prod: }", "for_each: 'nothing/*'", "`nothing/*` matches no folder", "'nothing"),
        ("{prod: }", "for_each: 'web/*'", "`web/*` matches no folder", "'web"),
        ("{prod: }", "for_each: '**/web'", "has `**`", "'**"),
        ("{prod: }", "for_each: '[a'", "is not a glob", "'[a"),
        ("{prod: }", "for_each: ['%{stage}']", "takes no `%{…}`", "'%{stage}"),
    ] {
        mistake(&file(stages, block), said, place);
    }
    mistake("deploy: {function_name: f, zip: web, stages: {prod: }}\n", "the file has no `stages`", "prod");
}

#[test]
fn two_deployments_of_one_function_are_refused_by_both_names() {
    let file = |block: &str| format!("stages: {{prod: }}\ndeploy:\n  zip: web\n  region: eu-west-1\n  {block}\n");
    mistake(&file("for_each: [a, b]\n  function_name: f"), "is `f` for `each` = a and for `each` = b", "f");
    let twice = "deploy: {zip: web, function_name: f, region: [eu-west-1, eu-west-1]}\n";
    refused(twice, "").says("is `f` for `region` = eu-west-1 and for `region` = eu-west-1");
    let blocks = "deploy:\n  - {zip: web, region: eu-west-1, function_name: 'f-%{each}', for_each: [a, b]}\n  - {zip: web, region: eu-west-1, function_name: f-b}\n";
    refused(blocks, "").says("the block at dpl.yml:2:5 (`each` = b) is for `f-b` too");
}

#[test]
fn a_travis_file_knows_nothing_of_this() {
    let text = "stages: [test, deploy]\ndefaults: {runtime: x}\ndeploy:\n  provider: lambda\n  function_name: f\n  description: a %%{x}\n  handler: f-%{stage}\n  for_each: [a]\n  zip: web\n";
    let universe = Universe::empty().file("web/app.py", "").file(".travis.yml", text);
    let shown = universe.run("render").code(0);
    shown.says("`for_each` works in a `dpl.yml` only").says("f-%{stage}").never_says("runtime");
    universe.run("check --stage prod").code(3).says("`.travis.yml` has no `stages`");
}

#[test]
fn paths_are_relative_to_the_file_also_when_they_are_filled_in() {
    let text = "stages: {prod: }\ndeploy:\n  for_each: '../functions/*'\n  function_name: '%{each}'\n  zip: '%{each_path}'\n  \
                env_file: '%{stage}.env'\n  include: ['*.py', {from: '../%{$WEB}', to: lib}]\n";
    let universe = with("").file("deploy/dpl.yml", text).file("deploy/prod.env", "AB=1\n").with("WEB", "web");
    let blocks = rendered(&universe, "--config deploy/dpl.yml --stage prod");
    assert_eq!(values(&blocks, "zip"), ["deploy/../functions/mails", "deploy/../functions/orders"]);
    let shown = universe.run("package --list --config deploy/dpl.yml --stage prod --function_name mails").code(0);
    shown.says("lib/app.py").says("app.py");
    // A variable may hold a whole path.
    let text = "deploy: {function_name: f, zip: '%{$FOLDER}'}\n";
    let universe = with("").file("deploy/dpl.yml", text);
    let folder = universe.path("web").to_string_lossy().into_owned();
    universe.with("FOLDER", &folder).run("package --list --config deploy/dpl.yml").code(0).says("app.py");
}

#[test]
fn layers_and_conditions_can_be_filled_in_and_shared() {
    let text = "defaults: {region: eu-west-1, role: 'arn:aws:iam::123456789012:role/r', on: {branch: main}}\n\
                stages: {prod: {branch: '*'}}\ndeploy:\n  - layer: {name: 'deps-%{stage}', zip: web}\n    for_each: [x]\n  - function_name: a\n    zip: web\n    layers: ['deps-%{stage}']\n    on: {branch: other}\n    runtime: python3.13\n    handler: app.handler\n";
    let told = with(text).with("DRONE", "true").with("DRONE_BRANCH", "topic").run("plan").code(0);
    told.says("Skipped `a`: `on.branch` wants `other`").says("`on.branch` wants `main`").says("(dpl.yml:1:");
}

#[test]
fn a_small_file_cannot_fill_the_memory() {
    // Names for which every one has all of the defaults.
    let names = (0..900).map(|n| format!("n{n}")).collect::<Vec<_>>().join(", ");
    let big = "x".repeat(300_000);
    let text = format!(
        "defaults: {{description: {big}}}\ndeploy: {{function_name: '%{{each}}', zip: web, for_each: [{names}]}}\n"
    );
    refused(&text, "").says("more than 64 MB of options");
    let text =
        format!("deploy: {{function_name: '%{{each}}', zip: web, region: [a-b-1, c-d-1], for_each: [{names}]}}\n");
    refused(&text, "").says("describes more than 1000 deployments");
    let names = (0..1001).map(|n| format!("n{n}")).collect::<Vec<_>>().join(", ");
    let text = format!("deploy: {{function_name: '%{{each}}', zip: web, for_each: [{names}]}}\n");
    refused(&text, "").says("has 1001 names, and at most 1000 are taken");
    // Texts that double each other.
    let options =
        ["handler", "alias", "role", "description", "runtime", "s3_bucket", "s3_key", "s3_prefix", "kms_key_arn"];
    let grown = options.windows(2).map(|pair| format!("{}: '{}'", pair[0], format!("%{{{}}}", pair[1]).repeat(100)));
    let text = format!(
        "deploy: {{function_name: f, zip: web, {}, kms_key_arn: xxxxxxxx}}\n",
        grown.collect::<Vec<_>>().join(", ")
    );
    refused(&text, "").says("is longer than 65536 bytes with its values");
}

#[test]
fn three_stages_and_two_regions_are_deployed_as_planned() {
    let text = SHOP.replace("role/shop-%{stage}", "role/shop").replace("123456789012", "000000000000");
    let universe = Universe::at(&emulator(Kind::Ministack).endpoint).file("dpl.yml", text);
    for name in ["functions/orders", "functions/mails", "web"] {
        universe.write(&format!("{name}/app.py"), "def handler(event, context):\n    return 1\n");
    }
    universe.run("--stage prod").code(0).says("orders-prod").says("web-prod");
    let again = universe.run("--stage prod").code(0);
    assert_eq!(again.stdout.matches("is unchanged").count(), 4, "{}", again.stdout);
    universe.run("--stage dev --function_name 'orders-*'").code(0).says("orders-dev").never_says("mails-dev");
    let shown = universe.run("status --stage dev --function_name 'orders-*'").code(0);
    shown.says("orders-dev");
    fs::remove_dir_all(universe.path("functions/mails")).unwrap();
    assert_eq!(values(&rendered(&universe, "--stage dev"), "function_name").len(), 3);
}
