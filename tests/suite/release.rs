//! Versions and aliases: what is published, what points at it, and what goes.

use serde_json::json;

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, emulator, on_both};

/// Code that says which it is.
fn code(which: &str) -> String {
    format!("def handler(event, context):\n    return '{which}'\n")
}

/// A universe with a function whose block has these lines more, and a proxy that counts.
fn function(kind: Kind, name: &str, more: &str) -> (Universe, Proxy, Aws) {
    let emulator = emulator(kind);
    let proxy = Proxy::before(&emulator.endpoint);
    let universe = Universe::at(&proxy.endpoint).file("dist/index.py", code("one"));
    let account = kind.account();
    universe.write(
        "dpl.yml",
        format!(
            "deploy:\n  function_name: {name}\n  role: arn:aws:iam::{account}:role/deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n{more}"
        ),
    );
    (universe, proxy, Aws::of(&emulator.endpoint))
}

#[test]
fn an_alias_points_at_the_published_version() {
    on_both(|kind| {
        let (universe, proxy, aws) = function(kind, "aliased", "  alias: live\n");
        universe
            .run("")
            .code(0)
            .says("+ alias           live created for the new version")
            .says("Published version 1.");
        assert_eq!(proxy.writes(), ["CreateFunction", "PublishVersion", "CreateAlias"]);
        assert_eq!(aws.alias("aliased", "live")["FunctionVersion"], "1");

        proxy.forget_calls();
        universe.run("").code(0).says("unchanged and is version 1");
        let mut calls = proxy.calls();
        calls[1..].sort();
        assert_eq!(calls, ["GetFunction", "GetAlias", "ListVersionsByFunction"]);

        universe.write("dist/index.py", code("two"));
        universe
            .run("")
            .code(0)
            .says("~ alias           live version 1 → the new version")
            .says("version 2, alias live");
        let alias = aws.alias("aliased", "live");
        assert_eq!((&alias["FunctionVersion"], &alias["Description"]), (&json!("2"), &json!("[before: 1]")));
    });
}

#[test]
fn a_setting_that_was_changed_elsewhere_gets_into_a_new_version() {
    on_both(|kind| {
        let (universe, proxy, aws) = function(kind, "drifted", "  alias: live\n");
        universe.run("").code(0);
        aws.configure("drifted", &json!({ "MemorySize": 512 }));
        proxy.forget_calls();
        universe.run("").code(0).says("version 1 has other values of memory_size").says("version 2, alias live");
        assert_eq!(proxy.writes(), ["PublishVersion", "UpdateAlias"]);
        assert_eq!(aws.alias("drifted", "live")["FunctionVersion"], "2");
        universe.run("").code(0).says("unchanged and is version 2");
    });
}

#[test]
fn traffic_through_the_alias_comes_from_the_new_code() {
    let (universe, _, aws) = function(Kind::Ministack, "served", "  alias: live\n");
    universe.run("").code(0);
    assert_eq!(aws.invoke("served:live", &json!({})), json!("one"));
    universe.write("dist/index.py", code("two"));
    universe.run("").code(0);
    assert_eq!(aws.invoke("served:live", &json!({})), json!("two"));
    assert_eq!(aws.invoke("served:1", &json!({})), json!("one"));
}

#[test]
fn all_traffic_goes_to_the_version_of_the_deployment() {
    let (universe, proxy, aws) = function(Kind::Ministack, "weighted", "  alias: live\n");
    universe.run("").code(0);
    universe.write("dist/index.py", code("two"));
    universe.run("").code(0);
    aws.change_alias("weighted", "live", &json!({ "RoutingConfig": { "AdditionalVersionWeights": { "1": 0.25 } } }));
    proxy.forget_calls();
    universe.run("").code(0).says("~ alias           live version 2, 25 % version 1 → version 2");
    assert_eq!(proxy.writes(), ["UpdateAlias"]);
    let body = &proxy.bodies("UpdateAlias")[0];
    assert_eq!(body["RoutingConfig"], json!({ "AdditionalVersionWeights": {} }));
    assert_eq!(body["Description"], json!(null), "it was nowhere else before");
    assert_eq!(aws.alias("weighted", "live")["Description"], "[before: 1]");
    universe.run("").code(0).says("unchanged");
}

#[test]
fn a_moved_alias_keeps_its_description() {
    let (universe, proxy, aws) = function(Kind::Ministack, "described-alias", "  publish: true\n");
    universe.run("").code(0);
    aws.make_alias(
        "described-alias",
        &json!({ "Name": "live", "FunctionVersion": "1", "Description": "what customers call" }),
    );
    let revision = aws.alias("described-alias", "live")["RevisionId"].clone();
    universe.write("dist/index.py", code("two"));
    universe.run("--alias live").code(0);
    assert_eq!(proxy.bodies("UpdateAlias")[0]["RevisionId"], revision);
    assert_eq!(aws.alias("described-alias", "live")["Description"], "what customers call [before: 1]");
}

#[test]
fn a_run_that_stopped_before_the_alias_is_finished_by_the_next() {
    on_both(|kind| {
        let (universe, proxy, aws) = function(kind, "half-released", "  alias: live\n");
        universe.run("").code(0);
        universe.write("dist/index.py", code("two"));
        proxy.forget_calls();
        proxy.on("UpdateAlias", 1, Fault::Answer(400, "InvalidParameterValueException", "not today"));
        universe
            .run("")
            .code(1)
            .says("stopped at step 3 of 3: move the alias of `half-released`")
            .says("done: code, version.  not done: alias");
        assert_eq!(aws.alias("half-released", "live")["FunctionVersion"], "1");
        universe.run("").code(0).says("~ alias           live version 1 → version 2");
        assert_eq!(proxy.writes(), ["UpdateFunctionCode", "PublishVersion", "UpdateAlias", "UpdateAlias"]);
        assert_eq!(aws.alias("half-released", "live")["FunctionVersion"], "2");
    });
}

#[test]
fn a_deployment_that_fails_leaves_the_alias_where_it_was() {
    for step in ["UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion"] {
        let name = format!("safe-{}", step.to_ascii_lowercase());
        let (universe, proxy, aws) = function(Kind::Ministack, &name, "  alias: live\n");
        universe.run("").code(0);
        universe.write("dist/index.py", code("two"));
        proxy.forget_calls();
        proxy.on(step, 1, Fault::Answer(400, "InvalidParameterValueException", "not today"));
        universe.run("--timeout 9").code(1).says("alias");
        assert_eq!(aws.alias(&name, "live")["FunctionVersion"], "1", "{step}");
        assert_eq!(aws.invoke(&format!("{name}:live"), &json!({})), json!("one"), "{step}");
        universe.run("--timeout 9").code(0);
        assert_eq!(aws.invoke(&format!("{name}:live"), &json!({})), json!("two"), "{step}");
    }
}

#[test]
fn a_lost_answer_about_an_alias_is_looked_up() {
    for (name, code_again, operation) in
        [("lost-create-alias", false, "CreateAlias"), ("lost-update-alias", true, "UpdateAlias")]
    {
        let (universe, proxy, aws) = function(Kind::Ministack, name, "  alias: live\n");
        if code_again {
            universe.run("").code(0);
            universe.write("dist/index.py", code("two"));
        }
        proxy.on(operation, 1, Fault::ResetAfter);
        universe.run("").code(0).says("alias live");
        let expected = if code_again { "2" } else { "1" };
        assert_eq!(aws.alias(name, "live")["FunctionVersion"], expected);
    }
}

#[test]
fn a_foreign_move_of_the_alias_is_a_conflict() {
    let (universe, proxy, aws) = function(Kind::Ministack, "contested", "  alias: live\n");
    universe.run("").code(0);
    universe.write("dist/index.py", code("two"));
    proxy.on("UpdateAlias", 1, Fault::Answer(412, "PreconditionFailedException", "the revision is another"));
    universe.run("").code(5).says("another program changed the alias `live`");
    assert_eq!(aws.alias("contested", "live")["FunctionVersion"], "1");
}

#[test]
fn only_versions_that_nothing_points_at_are_deleted() {
    let (universe, proxy, aws) = function(Kind::Ministack, "pruned", "  alias: live\n");
    for number in 1..=5 {
        universe.write("dist/index.py", code(&number.to_string()));
        universe.run("").code(0);
        if number == 1 {
            aws.make_alias("pruned", &json!({ "Name": "archive", "FunctionVersion": "1" }));
        }
    }
    proxy.forget_calls();
    universe.write("dist/index.py", code("6"));
    universe.run("--keep_versions 2").code(0).says("- old versions    2, 3, 4").says("Deleting versions 2, 3, 4.");
    assert_eq!(aws.versions("pruned"), ["1", "5", "6"], "1 has an alias, 5 is what a rollback goes to");
    let path = proxy.requests("DeleteFunction")[0].head.clone();
    assert!(path.contains("?Qualifier=2"), "{path}");
    universe.run("--keep_versions 2").code(0).says("unchanged and is version 6");
    universe.run("--keep_versions 1").code(0).says("unchanged and is version 6");
}

#[test]
fn a_version_that_cannot_be_deleted_is_no_failure() {
    let (universe, proxy, aws) = function(Kind::Ministack, "stubborn", "  publish: true\n  keep_versions: 1\n");
    universe.run("").code(0);
    universe.write("dist/index.py", code("two"));
    let replicated = "Lambda was unable to delete the function because it is a replicated function";
    proxy.on("DeleteFunction", 0, Fault::Answer(400, "InvalidParameterValueException", replicated));
    universe
        .run("--summary_file summary.md")
        .code(0)
        .says("warning: version 1 could not be deleted")
        .says("replicated function");
    assert!(universe.read("summary.md").contains("| version 1 | there | could not be deleted |"));
    assert_eq!(aws.versions("stubborn"), ["1", "2"]);
}

#[test]
fn options_of_an_alias_must_fit_together() {
    let (universe, proxy, _) = function(Kind::Ministack, "unfit", "");
    for (line, told) in [
        ("--alias 42", "`42` is a number, which AWS reads as a version"),
        ("--alias live --no-publish", "publish: is false, but `alias` needs a published version"),
        ("--keep_versions 0", "keep_versions: must be a whole number of 1 to"),
        ("--keep_versions some", "keep_versions: must be a whole number"),
    ] {
        universe.run(line).code(3).says(told);
    }
    assert_eq!(proxy.calls(), Vec::<String>::new());
}

#[test]
fn results_never_become_options_of_the_next_run() {
    let (universe, proxy, _) = function(Kind::Ministack, "told-alias", "  alias: live\n  output_file: out.env\n");
    universe.run("").code(0);
    let results = universe.read("out.env");
    assert!(results.contains("DPL_LAMBDA_DEPLOYED_ALIAS=live\n"), "{results}");
    let mut next = function(Kind::Ministack, "told-nothing", "").0;
    for line in results.lines() {
        let (name, value) = line.split_once('=').unwrap();
        next = next.with(name, value);
    }
    let proxied = next.toward("AWS_ENDPOINT_URL", &proxy.endpoint);
    proxied.run("").code(0).never_says("alias").never_says("warning");
}

#[test]
fn init_describes_a_live_function() {
    let (universe, proxy, _) = function(
        Kind::Ministack,
        "imported",
        "  alias: live\n  timeout: 9\n  memory_size: 256\n  environment: {STAGE: s3cret, TOKEN: s3cret-2}\n  function_tags: {team: media}\n  logging_config: {log_format: JSON, application_log_level: WARN}\n  reserved_concurrency: 5\n  async_config: {maximum_retry_attempts: 1}\n  function_url: {auth_type: NONE, cors: {allow_origins: ['https://example.com'], max_age: 5}}\n  permissions:\n  - {statement_id: from-s3, principal: s3, source_arn: 'arn:aws:s3:::uploads'}\n  description: 'what: it # does'\n",
    );
    universe.run("").code(0);
    let block = universe.run("init").code(0).never_says("s3cret").stdout;
    for line in ["timeout: 9", "  log_format: JSON", "    from_env: STAGE", "  auth_type: NONE", "alias: live"] {
        assert!(block.lines().any(|there| there == line), "{line} is not in\n{block}");
    }
    assert!(!block.contains("dpl-lambda-url") && !block.contains("PassThrough"), "{block}");

    assert!(block.ends_with("# zip: where the code is\n"), "{block}");
    let aws = Aws::of(&emulator(Kind::Ministack).endpoint);
    aws.make_alias("imported", &json!({ "Name": "beta", "FunctionVersion": "1" }));
    universe.run("init").code(0).says("  auth_type: NONE").never_says("warning");

    universe.write("dpl.yml", format!("{block}zip: dist\n"));
    proxy.forget_calls();
    let universe = universe.with("STAGE", "s3cret").with("TOKEN", "s3cret-2");
    universe.run("plan --exit-code").code(0).says("unchanged and is version 1");

    let elsewhere = Universe::at(&proxy.endpoint);
    elsewhere
        .run("init --function_name imported")
        .code(0)
        .never_says("auth_type")
        .says("settings of aliases are left out; choose an alias with `--alias`: beta, live");
    elsewhere.run("init --function_name imported --alias live").code(0).says("  auth_type: NONE").says("alias: live");
    elsewhere.run("init --function_name nowhere").code(1).says("there is no function `nowhere`");
    elsewhere.run("init").code(3).says("no function is named");
    let json = elsewhere.run("init --function_name imported --format json").code(0).json();
    assert_eq!(json["configuration"]["timeout"], "9");
    assert_eq!(proxy.writes(), Vec::<String>::new());
}
