//! One half of a block (`only`), and a version in each deployment (`publish: always`).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::canned::ACCOUNT;
use crate::harness::{Aws, Canned, Fault, Kind, Proxy, Universe, emulator, on_both};

/// Code that says which it is.
fn code(which: &str) -> String {
    format!("def handler(event, context):\n    return '{which}'\n")
}

/// The block of a function.
fn block(kind: Kind, name: &str, more: &str) -> String {
    format!(
        "function_name: {name}\nrole: arn:aws:iam::{}:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\n{more}",
        kind.account()
    )
}

/// A deployed function, and a proxy that counts.
fn deployed(kind: Kind, name: &str, more: &str) -> (Universe, Proxy, Aws) {
    let emulator = emulator(kind);
    let proxy = Proxy::before(&emulator.endpoint);
    let universe = Universe::at(&proxy.endpoint).file("dist/index.py", code("one"));
    universe.write("dpl.yml", block(kind, name, more));
    universe.run("").code(0);
    proxy.forget_calls();
    (universe, proxy, Aws::of(&emulator.endpoint))
}

#[test]
fn only_the_code_is_sent_and_the_settings_of_others_stay() {
    on_both(|kind| {
        let name = "half-code";
        let (universe, proxy, aws) = deployed(kind, name, "memory_size: 256\nalias: live\n");
        aws.configure(name, &json!({ "MemorySize": 512, "Timeout": 9 }));
        universe.write("dist/index.py", code("two"));
        let more = "memory_size: 256\nalias: live\nenvironment: {TOKEN: {from_env: UNSET}}\nfunction_tags: {a: b}\ntimeout: {from_env: UNSET}\ndescription: {from_env: UNSET}\nlayers: ['%{$UNSET}']\nreserved_concurrency: 5\nonly: code\n";
        universe.write("dpl.yml", block(kind, name, more));
        let said = "no effect here: role, runtime, handler, description, timeout, memory_size, environment, layers, function_tags, reserved_concurrency";
        universe.run("plan").code(0).says("`only: code`").says(said);
        universe.run("").code(0).says("version 2, alias live");
        assert_eq!(proxy.writes(), ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"]);
        let config = &aws.get(name)["Configuration"];
        assert_eq!((&config["MemorySize"], &config["Timeout"]), (&json!(512), &json!(9)));
        let document = universe.run("--format json").code(0).json();
        assert_eq!((&document["functions"][0]["only"], &document["changed"]), (&json!("code"), &json!(false)));
    });
}

#[test]
fn only_the_settings_are_sent_and_no_package_is_needed() {
    on_both(|kind| {
        let name = "half-settings";
        let (_, proxy, aws) = deployed(kind, name, "alias: live\n");
        let sha256 = aws.get(name)["Configuration"]["CodeSha256"].clone();
        let universe = Universe::at(&proxy.endpoint).file("dpl.yml", block(kind, name, "alias: live\ntimeout: 7\n"));
        universe.run("").code(3).says("`dist` does not exist");
        universe.run("check --only settings").code(0).says("only its settings").says("stays as it is");
        universe.run("plan --only settings").code(0).says("`only: settings`").says("no effect here: zip");
        let summary = universe.path("summary.md");
        let document =
            universe.run(&format!("--only settings --format json --summary_file {}", summary.display())).code(0).json();
        let function = &document["functions"][0];
        assert_eq!((&function["only"], &function["code_sha256"]), (&json!("settings"), &sha256));
        assert_eq!((&function["version"], function.get("package_size")), (&json!("2"), None));
        assert!(String::from_utf8(universe.bytes("summary.md")).unwrap().contains("(only its settings)"));
        assert_eq!(proxy.writes(), ["UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"]);
        assert_eq!(proxy.bodies("PublishVersion")[0]["CodeSha256"], sha256);
        universe.run("--only settings").code(0).says("unchanged and is version 2");
    });
}

#[test]
fn one_half_creates_no_function() {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let proxy = Proxy::before(endpoint);
    let universe = Universe::at(&proxy.endpoint).file("dist/index.py", code("one"));
    universe.write("dpl.yml", block(Kind::Ministack, "half-new", ""));
    for half in ["code", "settings"] {
        let run = universe.run(&format!("--only {half}")).code(3);
        run.says(&format!("`half-new` does not exist yet, and `only: {half}` creates no function (--only)"));
    }
    assert_eq!(proxy.writes(), [""; 0]);
}

#[test]
fn the_two_halves_of_a_file_are_deployed_one_after_the_other() {
    let (universe, proxy, aws) = deployed(Kind::Ministack, "two-halves", "");
    let entry = |more: &str| {
        let entry = block(Kind::Ministack, "two-halves", more);
        format!("  - {}", entry.trim_end().replace('\n', "\n    "))
    };
    universe.write("dist/index.py", code("two"));
    let (code, settings) = (entry("only: code\n"), entry("only: settings\ntimeout: 8\n"));
    universe.write("dpl.yml", format!("deploy:\n{code}\n{settings}\n"));
    universe.run("").code(0);
    assert_eq!(proxy.writes(), ["UpdateFunctionCode", "UpdateFunctionConfiguration"]);
    assert_eq!(aws.get("two-halves")["Configuration"]["Timeout"], 8);
    universe.run("plan --exit-code").code(0);
}

#[test]
fn one_half_of_an_image_needs_no_registry() {
    let canned = Canned::function("f", &json!({ "PackageType": "Image", "ImageConfigResponse": {} }));
    let address = format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/f");
    canned.world().function["Code"] = json!({ "RepositoryType": "ECR", "ImageUri": format!("{address}:v1"), "ResolvedImageUri": format!("{address}@sha256:{}", "a".repeat(64)) });
    let block = "function_name: f\ntimeout: 9\nimage_config: {command: [app.run]}\npublish: true\nonly: settings\n";
    let universe = Universe::at(&canned.proxy.endpoint).file("dpl.yml", format!("{block}image_uri: {address}:v2\n"));
    universe.run("check").code(0);
    universe.run("").code(0).says("no effect here: image_uri");
    assert_eq!(canned.proxy.writes(), ["UpdateFunctionConfiguration", "PublishVersion"]);
    assert_eq!(canned.proxy.bodies("PublishVersion")[0].get("CodeSha256"), None);
    // What is for packages alone is known from the live function.
    universe.run("plan --handler index.handler").code(3).says("handler: is for a package");
    let package = Canned::function("f", &json!({}));
    let universe = Universe::at(&package.proxy.endpoint).file("dpl.yml", block);
    universe.run("plan").code(3).says("image_config: is for an image");
}

#[test]
fn a_word_that_publish_does_not_know_is_an_error() {
    for word in ["1", "never"] {
        let universe = Universe::empty().file("dpl.yml", format!("function_name: f\nzip: .\npublish: {word}\n"));
        universe.run("check").code(3).says(&format!("must be true, false or `always`, got `{word}` (dpl.yml:3:10)"));
    }
    Universe::empty().file("dpl.yml", "function_name: f\nonly: [code]\n").run("check").code(3).says("dpl.yml:2:7");
}

#[test]
fn a_layer_has_no_settings() {
    let universe = Universe::at(&emulator(Kind::Moto).endpoint).file("layer/python/x.py", "");
    universe.write("dpl.yml", "layer: half-layer\nonly: settings\n");
    universe.run("check").code(3).says("dpl.yml:2:7").says("is for a function");
    let (other, _, _) = deployed(Kind::Moto, "half-of-layers", "");
    let entry = block(Kind::Moto, "half-of-layers", "timeout: 5\n");
    let function = format!("  - {}", entry.trim_end().replace('\n', "\n    "));
    other.write("dpl.yml", format!("deploy:\n  - layer: half-layer\n{function}\n"));
    other.run("--only settings").code(0).says("the layer `half-layer`: `only` is `settings`").says("Deployed");
    assert_eq!(Aws::of(&emulator(Kind::Moto).endpoint).layer_versions("half-layer"), [Value::Null; 0]);
}

#[test]
fn the_policy_of_one_half_is_smaller() {
    let more = "memory_size: 256\nfunction_tags: {a: b}\n";
    let universe = Universe::empty().file("dpl.yml", block(Kind::Moto, "f", more));
    let policy = |half: &str| universe.run(&format!("policy --only {half}")).code(0);
    let of_settings = ["CreateFunction", "UpdateFunctionConfiguration", "PassRole", "TagResource"];
    let code = policy("code").says("lambda:UpdateFunctionCode");
    of_settings.into_iter().fold(code, |policy, action| policy.never_says(action));
    let settings = policy("settings").never_says("UpdateFunctionCode").never_says("CreateFunction");
    of_settings[1..].iter().fold(settings, |policy, action| policy.says(action));
}

#[test]
fn every_run_publishes_a_version_if_it_always_does() {
    on_both(|kind| {
        let name = "forced";
        let (universe, proxy, aws) = deployed(kind, name, "publish: always\nalias: live\ndescription: mine\n");
        universe.run("plan --exit-code").code(2).says("version 1 has this code and these settings already");
        for number in ["2", "3"] {
            proxy.forget_calls();
            universe.run("").code(0).says(&format!("version {number}, alias live"));
            assert_eq!(proxy.writes(), ["UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"]);
        }
        let sent = &proxy.bodies("UpdateFunctionConfiguration")[0];
        assert_eq!(sent["Description"], "mine");
        assert_eq!(sent.get("Environment"), None);
        assert_eq!(aws.get(name)["Configuration"]["Description"], "mine");
        // A changed deployment needs no second update.
        universe.write("dist/index.py", code("two"));
        proxy.forget_calls();
        universe.run("").code(0).says("version 4, alias live");
        assert_eq!(proxy.writes(), ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"]);
        assert_eq!(aws.versions(name), ["1", "2", "3", "4"]);
    });
}

#[test]
fn a_forced_version_whose_answer_was_lost_is_found_again_and_no_older_one() {
    let (universe, proxy, aws) = deployed(Kind::Ministack, "forced-lost", "publish: always\n");
    proxy.on("PublishVersion", 1, Fault::ResetAfter);
    universe.run("").code(0).says("version 2");
    assert_eq!(aws.versions("forced-lost"), ["1", "2"]);
    proxy.clear();
    proxy.forget_calls();
    proxy.on("PublishVersion", 1, Fault::Answer(412, "PreconditionFailedException", "The Revision Id does not match"));
    universe.run("").code(5).never_says("version 2.");
    assert_eq!(aws.versions("forced-lost"), ["1", "2"]);
}

#[test]
fn a_forced_version_that_aws_does_not_make_is_an_error() {
    let canned = Canned::function("f", &json!({}));
    let universe = Universe::at(&canned.proxy.endpoint)
        .file("dist/index.py", code("one"))
        .file("dpl.yml", "function_name: f\nzip: dist\npublish: always\n");
    universe.run("").code(0).says("version 1");
    universe.run("").code(0).says("version 2");
    let world = canned.clone();
    canned.proxy.forget_calls();
    canned.proxy.on("PublishVersion", 1, Fault::First(Arc::new(move || world.world().updated = false)));
    universe.run("").code(1).says("AWS published no version: version 2 is still the newest");
}

#[test]
fn a_runtime_that_aws_blocks_is_an_error_for_a_new_function_alone() {
    let endpoint = &emulator(Kind::Moto).endpoint;
    let proxy = Proxy::before(endpoint);
    let universe = Universe::at(&proxy.endpoint).file("dist/index.js", "exports.handler = async () => 1\n");
    let block = block(Kind::Moto, "blocked", "").replace("python3.12", "nodejs4.3");
    universe.write("dpl.yml", &block);
    universe.run("check").code(0).says("runtime-deprecated");
    universe.run("").code(3).says("AWS has blocked new functions with `nodejs4.3`").says("ignore: runtime-deprecated");
    assert_eq!(proxy.writes(), [""; 0]);
    universe.run("--ignore runtime-deprecated").code(0);
    universe.write("dist/index.js", "exports.handler = async () => 2\n");
    universe.run("").code(0).says("AWS has blocked updates of functions with `nodejs4.3`").says("Deployed");
}
