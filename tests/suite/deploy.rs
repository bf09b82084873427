//! Create, update, unchanged: what is called, and what the function is afterwards.

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, emulator, on_both};

const PYTHON: &str = "def handler(event, context):\n    return {'said': 'one', 'got': event}\n";

/// A universe with a Python function in `dist`, its block, and a proxy that counts.
fn python(kind: Kind, function: &str, more: &str) -> (Universe, Proxy, Aws) {
    let emulator = emulator(kind);
    let proxy = Proxy::before(&emulator.endpoint);
    let universe =
        Universe::at(&proxy.endpoint).file("dist/index.py", PYTHON).file("dpl.yml", block(kind, function, more));
    (universe, proxy, Aws::of(&emulator.endpoint))
}

fn block(kind: Kind, function: &str, more: &str) -> String {
    let account = kind.account();
    format!(
        "deploy:\n  provider: lambda\n  function_name: {function}\n  role: arn:aws:iam::{account}:role/deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n{more}"
    )
}

#[test]
fn a_function_is_created_once_and_then_left_alone() {
    on_both(|kind| {
        let (universe, proxy, aws) = python(kind, "created", "");
        universe.run("").code(0).says("Creating function created.").says("Deployed arn:aws:lambda:us-east-1:");
        assert_eq!(proxy.writes(), ["CreateFunction"]);
        let body = &proxy.bodies("CreateFunction")[0];
        assert_eq!(body.get("Description"), None, "nothing is made up");
        assert_eq!(body.get("MemorySize"), None, "AWS has defaults of its own");
        assert_eq!(body.get("VpcConfig"), None);

        proxy.forget_calls();
        let again = universe.run("").code(0).says("`created` in us-east-1 is unchanged: nothing to do.");
        assert_eq!(proxy.calls(), ["GetFunction"], "{}", again.stdout);
        assert_eq!(aws.get("created")["Configuration"]["Runtime"], "python3.12");
    });
}

#[test]
fn only_what_differs_is_sent() {
    on_both(|kind| {
        let (universe, proxy, aws) = python(kind, "settings-only", "");
        universe.run("").code(0);
        aws.configure("settings-only", &json!({ "Description": "by hand", "Timeout": 7 }));
        proxy.forget_calls();

        universe
            .run("--memory_size 256")
            .code(0)
            .says("memory_size  128 MB → 256 MB")
            .says("Updating existing function settings-only.");
        assert_eq!(proxy.writes(), ["UpdateFunctionConfiguration"]);
        let body = proxy.bodies("UpdateFunctionConfiguration").remove(0);
        let mut keys: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        assert_eq!(keys, ["MemorySize", "RevisionId"]);
        let live = &aws.get("settings-only")["Configuration"];
        assert_eq!(
            (&live["Description"], &live["Timeout"], &live["MemorySize"]),
            (&json!("by hand"), &json!(7), &json!(256))
        );
    });
}

#[test]
fn new_code_alone_leaves_the_configuration_alone() {
    on_both(|kind| {
        let (universe, proxy, _) = python(kind, "code-only", "");
        universe.run("").code(0);
        universe.write("dist/index.py", PYTHON.replace("one", "two"));
        proxy.forget_calls();
        universe.run("").code(0).says("Updating code.");
        assert_eq!(proxy.writes(), ["UpdateFunctionCode"]);
        let body = proxy.bodies("UpdateFunctionCode").remove(0);
        assert_eq!(body["Architectures"], json!(["x86_64"]), "AWS would take x86_64 where nothing is said");
    });
}

#[test]
fn the_configuration_is_sent_before_the_code() {
    let (universe, proxy, aws) = python(Kind::Ministack, "both", "");
    universe.run("").code(0);
    universe.write("dist/index.py", PYTHON.replace("one", "two"));
    proxy.forget_calls();
    universe.run("--timeout 9 --function_tags team=media").code(0).says("Updating tags.");
    assert_eq!(proxy.writes(), ["UpdateFunctionConfiguration", "TagResource", "UpdateFunctionCode"]);
    let calls = proxy.calls();
    let between = calls.iter().skip_while(|call| *call != "UpdateFunctionConfiguration").nth(1);
    assert_eq!(between.unwrap(), "GetFunction", "{calls:?}");
    assert_eq!(aws.get("both")["Tags"], json!({ "team": "media" }));
    assert_eq!(aws.invoke("both", &json!({ "n": 1 })), json!({ "said": "two", "got": { "n": 1 } }));
}

#[test]
fn deployed_functions_answer_from_the_new_code() {
    let emulator = emulator(Kind::Ministack);
    let aws = Aws::of(&emulator.endpoint);
    let role = "--role arn:aws:iam::000000000000:role/deployed --zip dist";
    for (name, runtime, handler, file, one, two) in [
        (
            "answers-python",
            "python3.12",
            "index.handler",
            "dist/index.py",
            "def handler(e, c): return 'one'\n",
            "def handler(e, c): return 'two'\n",
        ),
        (
            "answers-node",
            "nodejs24.x",
            "index.handler",
            "dist/index.js",
            "exports.handler = async () => 'one'\n",
            "exports.handler = async () => 'two'\n",
        ),
        ("answers-shell", "provided.al2023", "bootstrap", "dist/bootstrap", &bootstrap("one"), &bootstrap("two")),
    ] {
        let universe = Universe::at(&emulator.endpoint).file(file, one);
        let line = format!("--function_name {name} --runtime {runtime} --handler {handler} {role}");
        universe.run(&line).code(0);
        assert_eq!(aws.invoke(name, &json!({})), json!("one"), "{name}");
        universe.write(file, two);
        universe.run(&line).code(0).says("Updating code.");
        assert_eq!(aws.invoke(name, &json!({})), json!("two"), "{name}");
    }
}

/// A runtime of its own: asks for the next event, answers it, and asks again. HTTP is Python's, which is always there.
fn bootstrap(answer: &str) -> String {
    format!(
        "#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while true; do
  id=$(python3 -c \"import urllib.request as u; print(u.urlopen('$api/next').headers['Lambda-Runtime-Aws-Request-Id'])\") || exit 1
  python3 -c \"import urllib.request as u; u.urlopen('$api/$id/response', b'\\x22{answer}\\x22')\"
done
"
    )
}

#[test]
fn variables_are_never_dropped_silently() {
    on_both(|kind| {
        let (universe, proxy, aws) = python(kind, "variables", "  environment:\n    NAMED: \"1\"\n");
        universe.run("").code(0);
        aws.configure(
            "variables",
            &json!({ "Environment": { "Variables": { "NAMED": "1", "BY_HAND": "kept-value" } } }),
        );
        proxy.forget_calls();

        universe
            .run("--timeout 9")
            .code(3)
            .says("would be dropped: BY_HAND")
            .says("dpl.yml:9:5")
            .never_says("kept-value");
        assert_eq!(proxy.writes(), Vec::<String>::new());

        universe.run("--environment_mode merge").code(0).says("left alone: variables that are not named: BY_HAND");
        assert_eq!(proxy.writes(), Vec::<String>::new());

        universe
            .run("--environment NAMED=2 --environment_mode merge")
            .code(0)
            .says("environment.NAMED  changed (values hidden, #");
        assert_eq!(
            aws.get("variables")["Configuration"]["Environment"]["Variables"],
            json!({ "NAMED": "2", "BY_HAND": "kept-value" })
        );

        universe.run("--environment_mode replace").code(0).says("environment.BY_HAND  removed");
        assert_eq!(aws.get("variables")["Configuration"]["Environment"]["Variables"], json!({ "NAMED": "1" }));
    });
}

#[test]
fn a_null_unsets_a_variable_and_an_empty_value_sets_it() {
    let (universe, _, aws) = python(Kind::Ministack, "unset", "  environment:\n    GONE: x\n    EMPTY: x\n");
    universe.run("").code(0);
    universe.write("dpl.yml", block(Kind::Ministack, "unset", "  environment:\n    GONE:\n    EMPTY: ''\n"));
    universe.run("").code(0).says("environment.GONE   removed");
    assert_eq!(aws.get("unset")["Configuration"]["Environment"]["Variables"], json!({ "EMPTY": "" }));
}

#[test]
fn values_keep_the_text_they_were_written_with() {
    let more = "  environment:\n    VERSION: 1.10\n    ZIP: 007\n    ANSWER: yes\n    SECRET: {from_env: CI_SECRET}\n  function_tags:\n    build: 0x1F\n";
    let (universe, _, aws) = python(Kind::Ministack, "texts", more);
    universe.run("").code(3).says("`SECRET` is read from the variable `CI_SECRET`, which is not set (dpl.yml:12:13)");
    let universe = universe.with("CI_SECRET", "$e'cr\"et,=");
    universe.run("").code(0).never_says("$e'cr");
    let variables = &aws.get("texts")["Configuration"]["Environment"]["Variables"];
    assert_eq!(*variables, json!({ "VERSION": "1.10", "ZIP": "007", "ANSWER": "yes", "SECRET": "$e'cr\"et,=" }));
    assert_eq!(aws.get("texts")["Tags"], json!({ "build": "0x1F" }));
    universe.run("").code(0).says("unchanged");
}

#[test]
fn tags_are_added_and_only_removed_when_asked() {
    on_both(|kind| {
        let (universe, proxy, aws) = python(kind, "tagged", "  function_tags:\n    team: media\n");
        universe.run("").code(0);
        aws.tag("tagged", &json!({ "by": "hand" }));
        proxy.forget_calls();
        universe.run("").code(0).says("left alone: tags that are not named: by");
        assert_eq!(proxy.writes(), Vec::<String>::new());
        universe.run("--function_tags_mode replace").code(0);
        assert_eq!(proxy.writes(), ["UntagResource"]);
        assert_eq!(aws.get("tagged")["Tags"], json!({ "team": "media" }));
    });
}

#[test]
fn settings_are_emptied_by_name() {
    let more = "  description: something\n  dead_letter_arn: arn:aws:sqs:us-east-1:000000000000:failed\n  environment:\n    AA: '1'\n";
    let (universe, _, aws) = python(Kind::Ministack, "cleared", more);
    universe.run("").code(0);
    universe.write("dpl.yml", block(Kind::Ministack, "cleared", "  clear: [description, environment]\n"));
    universe.run("").code(0).says("description     something → none").says("environment.AA  removed");
    let live = &aws.get("cleared")["Configuration"];
    assert_eq!((&live["Description"], &live["Environment"]["Variables"]), (&json!(""), &json!({})));
    assert_eq!(live["DeadLetterConfig"]["TargetArn"], "arn:aws:sqs:us-east-1:000000000000:failed");
    universe.run("").code(0).says("unchanged");
    universe.run("--clear timeout").code(3).says("`timeout` cannot be emptied");
    universe.run("--clear description --description x").code(3).says("names `description`, which is also given");
}

#[test]
fn a_vpc_is_sent_whole_and_detached_by_empty_lists() {
    let (universe, proxy, _) =
        python(Kind::Ministack, "vpc", "  subnet_ids: [subnet-2, subnet-1]\n  security_group_ids: sg-1\n");
    universe.run("").code(0);
    universe.run("").code(0).says("unchanged");
    proxy.forget_calls();
    universe.run("--security_group_ids sg-2").code(0);
    assert_eq!(
        proxy.bodies("UpdateFunctionConfiguration")[0]["VpcConfig"],
        json!({ "SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-2"], "Ipv6AllowedForDualStack": false })
    );
    universe.write("dpl.yml", block(Kind::Ministack, "vpc", "  subnet_ids: []\n  security_group_ids: []\n"));
    universe.run("").code(0).says("subnet_ids          subnet-1, subnet-2 → none");
    universe.run("").code(0).says("unchanged");
}

#[test]
fn one_version_is_published_for_each_state() {
    on_both(|kind| {
        let (universe, proxy, aws) = python(kind, "published", "  publish: true\n");
        universe.run("").code(0).says("Published version 1.");
        proxy.forget_calls();
        universe.run("").code(0).says("unchanged and is version 1");
        assert_eq!(proxy.writes(), Vec::<String>::new());
        universe.run("--memory_size 256").code(0).says("Published version 2.");
        universe.run("--memory_size 256 --description new").code(0).says("version 2").never_says("Published version");
        assert_eq!(aws.versions("published"), ["1", "2"]);
    });
}

#[test]
fn a_missing_version_is_published_by_the_next_run() {
    let (universe, _, aws) = python(Kind::Ministack, "late", "");
    universe.run("").code(0);
    universe.run("--publish").code(0).says("Published version 1.");
    universe.run("--memory_size 512").code(0);
    universe.run("--memory_size 512 --publish").code(0).says("Published version 2.");
    assert_eq!(aws.versions("late"), ["1", "2"]);
}

#[test]
fn a_version_names_its_commit_and_build() {
    let (universe, proxy, _) = python(Kind::Ministack, "described", "  publish: true\n");
    let universe =
        universe.with("TRAVIS", "true").with("TRAVIS_COMMIT", "0123456789abcdef").with("TRAVIS_BUILD_NUMBER", "42");
    universe.run("").code(0);
    assert_eq!(proxy.bodies("PublishVersion")[0]["Description"], "commit 0123456789ab, build 42");
    universe.run("--memory_size 256 --version_description 'build %{build_number}'").code(0);
    assert_eq!(proxy.bodies("PublishVersion")[1]["Description"], "build 42");
}

#[test]
fn a_plan_shows_everything_and_writes_nothing() {
    on_both(|kind| {
        let (universe, proxy, aws) = python(kind, "planned", "  environment:\n    AA: '1'\n");
        universe.run("plan --exit-code").code(2).says("+ function        created with");
        assert!(!aws.exists("planned"));
        universe.run("").code(0);
        universe.run("plan --exit-code").code(0).says("`planned` in us-east-1 is unchanged: nothing to do.");
        universe.write("dist/index.py", "def handler(e, c): return 2\n");
        proxy.forget_calls();
        let plan = universe.run("plan --environment AA=2 --publish").code(0);
        for line in ["~ configuration", "environment.AA  changed (values hidden, #", "~ code", "+ version"] {
            assert!(plan.stdout.contains(line), "{line}: {}", plan.stdout);
        }
        universe.run("--dry_run --memory_size 1024").code(0).says("memory_size  128 MB → 1024 MB");
        universe.run("plan --exit-code --memory_size 1024").code(2);
        assert_eq!(proxy.writes(), Vec::<String>::new());
    });
}

#[test]
fn a_bare_role_name_is_completed() {
    on_both(|kind| {
        let (universe, proxy, aws) = python(kind, "role-name", "");
        universe.run("--role deployed").code(0);
        let arn = format!("arn:aws:iam::{}:role/deployed", kind.account());
        assert_eq!(aws.get("role-name")["Configuration"]["Role"], json!(arn));
        proxy.forget_calls();
        universe.run("--role deployed").code(0).says("unchanged");
        assert_eq!(proxy.calls(), ["GetFunction"], "the account is in the function's ARN");
    });
}

#[test]
fn another_account_is_refused_before_anything_is_read() {
    let (universe, proxy, _) = python(Kind::Ministack, "elsewhere", "  expect_account: '123456789012'\n");
    universe.run("").code(3).says("the credentials belong to account 000000000000, not to 123456789012 (dpl.yml:8:19)");
    assert_eq!(proxy.writes(), Vec::<String>::new());
    universe.run("--expect_account 000000000000").code(0);
}

#[test]
fn an_image_function_is_refused() {
    let aws = Aws::of(&emulator(Kind::Ministack).endpoint);
    let image = json!({ "FunctionName": "an-image", "PackageType": "Image", "Role": "arn:aws:iam::000000000000:role/r", "Code": { "ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/r:1" } });
    assert_eq!(aws.call("lambda", "POST", "/2015-03-31/functions", &image.to_string()).0, 201);
    let (universe, proxy, _) = python(Kind::Ministack, "an-image", "");
    universe.run("").code(3).says("has the package type Image").says("dpl.yml:7:8");
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn all_settings_that_a_new_function_lacks_are_named() {
    let (universe, proxy, _) = python(Kind::Ministack, "incomplete", "");
    universe.write("dpl.yml", "function_name: incomplete\nzip: dist\n");
    universe.run("").code(3).says("AWS needs a role").says("AWS needs a runtime").says("AWS needs a handler");
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn a_handler_in_parts_takes_the_live_runtimes_separator() {
    let (universe, _, aws) = python(Kind::Ministack, "separator", "");
    universe.write("dist/a/B.class", "");
    universe.run("--runtime java21 --handler a.B::c").code(0);
    universe.write("dpl.yml", "function_name: separator\nzip: dist\nmodule_name: a.B\nhandler_name: d\n");
    universe.run("").code(0).says("a.B::c → a.B::d");
    assert_eq!(aws.get("separator")["Configuration"]["Handler"], "a.B::d");
}

#[test]
fn a_revision_is_a_condition_for_the_first_write() {
    let (universe, proxy, aws) = python(Kind::Ministack, "revised", "");
    universe.run("").code(0);
    let revision = aws.get("revised")["Configuration"]["RevisionId"].as_str().unwrap().to_owned();
    proxy.forget_calls();
    universe.run("--timeout 9 --revision_id 00000000-0000").code(5).says("is not at revision 00000000-0000");
    assert_eq!(proxy.writes(), Vec::<String>::new());
    universe.run(&format!("--timeout 9 --revision_id {revision}")).code(0);
}

#[test]
fn several_blocks_are_deployed_in_order_and_chosen_by_name() {
    let emulator = emulator(Kind::Ministack);
    let proxy = Proxy::before(&emulator.endpoint);
    let one = |name: &str| {
        format!(
            "  - provider: lambda\n    function_name: {name}\n    role: deployed\n    runtime: python3.12\n    handler: index.handler\n    zip: dist\n"
        )
    };
    let text = format!("deploy:\n  - provider: heroku\n    app: x\n{}{}", one("several-a"), one("several-b"));
    let universe = Universe::at(&proxy.endpoint).file("dist/index.py", PYTHON).file("dpl.yml", text);
    universe.run("--function_name several-b --memory_size 256").code(0).never_says("several-a");
    let both = universe.run("").code(0);
    assert!(both.stdout.find("several-a").unwrap() < both.stdout.find("several-b").unwrap());
    universe.run("--function_name several-c").code(3).says("the blocks are for `several-a`, `several-b`");
}

#[test]
fn an_arn_names_the_function_and_its_region() {
    let (universe, _, aws) = python(Kind::Ministack, "by-arn", "");
    universe.run("").code(0);
    let universe = universe.without("AWS_REGION");
    universe.write(
        "dpl.yml",
        "function_name: arn:aws:lambda:us-east-1:000000000000:function:by-arn\nzip: dist\ntimeout: 8\n",
    );
    universe.run("").code(0);
    assert_eq!(aws.get("by-arn")["Configuration"]["Timeout"], 8);
    universe.run("--region eu-west-1").code(3).says("the ARN in `function_name` has us-east-1");
}

#[test]
fn each_block_has_its_own_dry_run_and_commands() {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let one = |name: &str, more: &str| {
        format!(
            "  - provider: lambda\n    function_name: {name}\n    role: deployed\n    runtime: python3.12\n    handler: index.handler\n    zip: dist\n{more}"
        )
    };
    let first = one("own-run-a", "    on: {branch: other}\n    run: echo ran a\n");
    let text = format!(
        "deploy:\n{first}{}{}",
        one("own-run-b", "    run: echo ran b\n"),
        one("own-run-c", "    dry_run: true\n    run: echo ran c\n")
    );
    let universe = Universe::at(endpoint).file("dist/index.py", PYTHON).file("dpl.yml", text);
    universe.run("").code(0).says("ran b").never_says("\nran a").never_says("\nran c");
    let aws = Aws::of(endpoint);
    assert!(aws.exists("own-run-b") && !aws.exists("own-run-a") && !aws.exists("own-run-c"));
}

#[test]
fn nothing_is_written_before_every_block_is_checked() {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let one = "  - provider: lambda\n    function_name: looked-a\n    role: deployed\n    runtime: python3.12\n    handler: index.handler\n    zip: dist\n";
    let text = format!("deploy:\n{one}  - provider: lambda\n    function_name: looked-b\n    zip: dist\n");
    let universe = Universe::at(endpoint).file("dist/index.py", PYTHON).file("dpl.yml", &text);
    universe.run("").code(3).says("AWS needs a role");
    assert!(!Aws::of(endpoint).exists("looked-a"));
    universe.write("dpl.yml", format!("{text}    allow_failure: true\n"));
    universe.run("").code(0).says("AWS needs a role").says("this failure is allowed");
    assert!(Aws::of(endpoint).exists("looked-a"));
}

#[test]
fn other_partitions_have_arns_of_their_own() {
    let (universe, ..) = python(Kind::Ministack, "elsewhere", "");
    for (region, partition) in [
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("eusc-de-east-1", "aws-eusc"),
        ("eu-west-1", "aws"),
    ] {
        let said = format!("arn:{partition}:iam::000000000000:role/path/deployed");
        universe.run(&format!("plan --region {region} --role path/deployed")).code(0).says(&said);
    }
}

#[test]
fn a_list_is_only_emptied_by_an_empty_list() {
    let (universe, proxy, _) =
        python(Kind::Ministack, "never-emptied", "  subnet_ids: [subnet-1]\n  security_group_ids: [sg-1]\n");
    universe.run("--environment AA=1").code(0);
    proxy.forget_calls();
    for more in [
        "  subnet_ids: [{secure: abc}]\n  security_group_ids: [{secure: def}]\n",
        "  subnet_ids: ['']\n  security_group_ids: [null]\n",
        "  environment: [{secure: abc}]\n",
    ] {
        universe.write("dpl.yml", block(Kind::Ministack, "never-emptied", more));
        universe.run("").code(0).says("is unchanged");
    }
    universe.write(
        "dpl.yml",
        block(Kind::Ministack, "never-emptied", "  environment: [{secure: abc}, BB=2]\n  environment_mode: replace\n"),
    );
    universe.run("").code(3).says("would remove the variables whose encrypted values cannot be read");
    universe.write("dpl.yml", block(Kind::Ministack, "never-emptied", ""));
    let universe = universe.with("INPUT_SUBNET-IDS", "[\"\"]");
    universe.run("").code(0).says("is unchanged");
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn values_of_several_lines_and_with_blanks_at_the_end_arrive_whole() {
    let (universe, _, aws) = python(
        Kind::Ministack,
        "whole-values",
        "  environment:\n    - \"PEM=-----BEGIN\\nBODY+1==\\n\"\n    - 'BLANK=x '\n  run:\n    - |\n      if true; then\n        echo ran a script\n      fi\n",
    );
    universe.run("").code(0).says("ran a script");
    let variables = &aws.get("whole-values")["Configuration"]["Environment"]["Variables"];
    assert_eq!(*variables, json!({ "PEM": "-----BEGIN\nBODY+1==\n", "BLANK": "x " }));
}

#[test]
fn the_dry_run_of_aws_changes_nothing() {
    let (universe, proxy, aws) = python(Kind::Ministack, "rehearsed", "");
    universe.run("").code(0);
    let before = aws.get("rehearsed")["Configuration"]["CodeSha256"].clone();
    universe.write("dist/index.py", PYTHON.replace("one", "two"));
    proxy.forget_calls();
    proxy.on("UpdateFunctionCode", 1, Fault::Answer(200, "", "this is what would be"));
    universe.run("--dry_run=aws --timeout 9").code(0).says("AWS' own dry run of the code update succeeded.");
    assert_eq!(proxy.writes(), ["UpdateFunctionCode"]);
    assert_eq!(proxy.bodies("UpdateFunctionCode")[0]["DryRun"], true);
    assert_eq!(aws.get("rehearsed")["Configuration"]["CodeSha256"], before);
    proxy.on("UpdateFunctionCode", 2, Fault::Answer(403, "AccessDeniedException", "no"));
    universe.run("--dry_run=aws").code(4).says("AWS' dry run of the code update of `rehearsed` failed");
    proxy.forget_calls();
    universe.run("--dry_run=true").code(0);
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn a_plan_is_also_data() {
    let more = "  memory_size: 128\n  environment: {TOKEN: s3cret}\n  function_tags: {team: media, old: gone}\n  alias: live\n  function_tags_mode: replace\n";
    let (universe, ..) = python(Kind::Ministack, "as-data", more);
    let plan = |universe: &Universe| {
        let document = universe.run("plan --format json").code(0).never_says("s3cret").json();
        assert_eq!(document["schema_version"], 2);
        let steps = document["functions"][0]["plan"].as_array().unwrap().clone();
        steps.into_iter().map(|step| (step["step"].as_str().unwrap().to_owned(), step["changes"].clone())).collect()
    };
    let created: Vec<(String, Value)> = plan(&universe);
    let names: Vec<_> = created.iter().map(|(step, _)| step.as_str()).collect();
    assert_eq!(names, ["create_function", "publish_version", "point_alias"]);
    let changes = created[0].1.as_array().unwrap();
    for expected in [
        json!({ "setting": "memory_size", "from": null, "to": 128, "unit": "MB" }),
        json!({ "setting": "environment", "key": "TOKEN", "from": null, "to": "(hidden)" }),
        json!({ "setting": "function_tags", "key": "team", "from": null, "to": "media" }),
    ] {
        assert!(changes.contains(&expected), "{expected}\n{changes:#?}");
    }
    assert_eq!(created[1].1, json!([{ "setting": "version", "from": null, "to": "new" }]));
    assert_eq!(created[2].1, json!([{ "setting": "alias", "key": "live", "from": null, "to": "new" }]));
    universe.run("").code(0);

    let more = "  memory_size: 256\n  timeout: 10\n  layers: []\n  subnet_ids: []\n  environment: {TOKEN: two}\n  function_tags: {team: audio}\n  function_tags_mode: replace\n  alias: live\n  logging_config: {log_format: JSON}\n  function_url: {auth_type: NONE, cors: {max_age: 5, allow_methods: [GET, PUT]}}\n  reserved_concurrency: 3\n  log_retention_days: 7\n";
    universe.write("dpl.yml", block(Kind::Ministack, "as-data", more));
    let after: Vec<(String, Value)> = plan(&universe);
    let all: Vec<_> = after.iter().flat_map(|(_, changes)| changes.as_array().unwrap().clone()).collect();
    for expected in [
        json!({ "setting": "memory_size", "from": 128, "to": 256, "unit": "MB" }),
        json!({ "setting": "timeout", "from": 3, "to": 10, "unit": "s" }),
        json!({ "setting": "logging_config", "member": "log_format", "from": "Text", "to": "JSON" }),
        json!({ "setting": "function_tags", "key": "team", "from": "media", "to": "audio" }),
        json!({ "setting": "function_tags", "key": "old", "from": "gone", "to": null }),
        json!({ "setting": "alias", "key": "live", "from": "1", "to": "new" }),
        json!({ "setting": "reserved_concurrency", "from": null, "to": 3 }),
        json!({ "setting": "log_retention_days", "from": null, "to": 7 }),
        json!({ "setting": "function_url", "member": "cors.max_age", "from": null, "to": 5 }),
        json!({ "setting": "function_url", "member": "cors.allow_methods", "from": null, "to": ["GET", "PUT"] }),
        json!({ "setting": "permissions", "key": "dpl-lambda-url", "member": "principal", "from": null, "to": "*" }),
    ] {
        assert!(all.contains(&expected), "{expected}\n{all:#?}");
    }
    let token = all.iter().find(|change| change["key"] == "TOKEN").unwrap();
    assert_eq!((&token["from"], &token["to"]), (&json!("(hidden)"), &json!("(hidden)")));
    assert!(after.iter().any(|(step, _)| step == "create_function_url"), "{after:#?}");
}
