//! Layers: published once for each content, used by the functions of the same run, never twice.

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, emulator, on_both};
use crate::inspect::{arm, intel};

const PYTHON: &str = "import greeting\ndef handler(event, context):\n    return greeting.TEXT\n";

/// A block for a function in Python, from `dist`.
fn function(kind: Kind, name: &str, more: &str) -> String {
    let account = kind.account();
    format!(
        "  - function_name: {name}\n    role: arn:aws:iam::{account}:role/deployed\n    runtime: python3.12\n    handler: index.handler\n    zip: dist\n{more}"
    )
}

/// A universe with files for a layer and a function, and a proxy that counts.
fn universe(kind: Kind, blocks: &str) -> (Universe, Proxy, Aws) {
    let emulator = emulator(kind);
    let proxy = Proxy::before(&emulator.endpoint);
    let universe = Universe::at(&proxy.endpoint)
        .file("dist/index.py", PYTHON)
        .file("layer/python/greeting.py", "TEXT = 'hello'\n")
        .file("dpl.yml", format!("deploy:\n{blocks}"));
    (universe, proxy, Aws::of(&emulator.endpoint))
}

fn numbers(aws: &Aws, layer: &str) -> Vec<i64> {
    aws.layer_versions(layer).iter().map(|version| version["Version"].as_i64().unwrap()).collect()
}

#[test]
fn a_layer_is_published_once_for_each_content() {
    on_both(|kind| {
        let block = "  - layer:\n      name: once\n      compatible_runtimes: [python3.12, python3.13]\n      license_info: MIT\n      description: Greets\n";
        let (universe, proxy, aws) = universe(kind, block);
        universe
            .run("plan --exit-code")
            .code(2)
            .says("plan for the layer `once` in us-east-1\n  + layer           first version, with")
            .says("compatible_runtimes  python3.12, python3.13");
        assert_eq!(proxy.writes(), Vec::<String>::new());
        let arn = format!("arn:aws:lambda:us-east-1:{}:layer:once:1", kind.account());
        universe.run("").code(0).says("Publishing the layer once.").says("Published version 1.").says(&arn);
        let live = aws.layer_version("once", 1);
        assert_eq!(live["CompatibleRuntimes"], json!(["python3.12", "python3.13"]));
        assert_eq!((&live["LicenseInfo"], &live["Description"]), (&json!("MIT"), &json!("Greets")));

        proxy.forget_calls();
        universe.run("").code(0).says("the layer `once` in us-east-1 is unchanged and is version 1: nothing to do.");
        assert_eq!(proxy.calls(), ["ListLayerVersions", "GetLayerVersion"]);

        // A description alone is no reason; what was not named is taken over.
        universe.write("dpl.yml", "deploy:\n  - layer: {name: once, description: Other}\n");
        universe.run("").code(0).says("is unchanged");
        universe.write("layer/python/greeting.py", "TEXT = 'bye'\n");
        universe.run("").code(0).says("new version after 1, with").says("content  ").never_says("compatible_runtimes");
        let live = aws.layer_version("once", 2);
        assert_eq!(live["CompatibleRuntimes"], json!(["python3.12", "python3.13"]));
        assert_eq!((&live["LicenseInfo"], &live["Description"]), (&json!("MIT"), &json!("Other")));

        universe.write("dpl.yml", "deploy:\n  - layer: {name: once, compatible_architectures: [arm64]}\n");
        universe.run("").code(0).says("compatible_architectures  arm64").never_says("content");
        assert_eq!(numbers(&aws, "once"), [3, 2, 1]);
    });
}

#[test]
fn a_function_uses_the_layer_version_of_the_same_run() {
    on_both(|kind| {
        let blocks = function(kind, "uses-layer", "    layers: [used]\n") + "  - layer: used\n";
        let (universe, proxy, aws) = universe(kind, &blocks);
        let outcome = universe.run("plan").code(0).says("layers   used (new version)");
        assert!(outcome.stdout.find("the layer `used`") < outcome.stdout.find("plan for `uses-layer`"));
        universe.run("").code(0);
        let arn = |number: u32| format!("arn:aws:lambda:us-east-1:{}:layer:used:{number}", kind.account());
        let live = || aws.get("uses-layer")["Configuration"]["Layers"][0]["Arn"].clone();
        assert_eq!(live(), arn(1));
        assert_eq!(proxy.writes(), ["PublishLayerVersion", "CreateFunction"]);
        if kind == Kind::Ministack {
            assert_eq!(aws.invoke("uses-layer", &json!({})), "hello");
        }
        universe.run("").code(0).says("`uses-layer` in us-east-1 is unchanged");

        universe.write("layer/python/greeting.py", "TEXT = 'bye'\n");
        proxy.forget_calls();
        universe.run("").code(0).says(&format!("layers  {} → used (new version)", arn(1)));
        assert_eq!(proxy.writes(), ["PublishLayerVersion", "UpdateFunctionConfiguration"]);
        assert_eq!(live(), arn(2));
        let document = universe.run("--format json").code(0).json();
        assert_eq!(document["layers"][0]["layer_version_arn"], arn(2));
        assert_eq!((&document["changed"], &document["functions"][0]["outcome"]), (&json!(false), &json!("unchanged")));
    });
}

#[test]
fn a_layer_without_a_block_means_its_newest_version() {
    on_both(|kind| {
        let (universe, proxy, aws) = universe(kind, "  - layer: looked-up\n");
        universe.run("").code(0);
        universe.write("layer/python/greeting.py", "TEXT = 'bye'\n");
        universe.run("").code(0);
        universe
            .write("dpl.yml", format!("deploy:\n{}", function(kind, "looks-up", "    layers:\n      - looked-up\n")));
        let arn = |number: u32| format!("arn:aws:lambda:us-east-1:{}:layer:looked-up:{number}", kind.account());
        universe.run("").code(0).says(&format!("layers   {}", arn(2)));
        assert_eq!(aws.get("looks-up")["Configuration"]["Layers"][0]["Arn"], arn(2));

        // By an ARN without a version, which may be of another account. The emulators do not know such a name.
        let list = json!({ "LayerVersions": [{ "LayerVersionArn": arn(1), "Version": 1 }] }).to_string();
        proxy.on("ListLayerVersions", 0, Fault::Instead(200, list));
        let named = format!("arn:aws:lambda:us-east-1:{}:layer:looked-up", kind.account());
        proxy.forget_calls();
        universe.run(&format!("--layers {named}")).code(0).says(&format!("layers  {} → {}", arn(2), arn(1)));
        let asked = proxy.requests("ListLayerVersions")[0].head.clone();
        assert!(asked.contains("layer%3Alooked-up/versions"), "{asked}");
    });
}

#[test]
fn the_order_of_layers_is_kept_in_every_form_of_a_list() {
    let blocks = function(Kind::Ministack, "ordered", "    layers: [second, first]\n")
        + "  - layer: {name: first}\n  - layer: {name: second, zip: other}\n";
    let (universe, _, aws) = universe(Kind::Ministack, &blocks);
    universe.write("other/python/other.py", "x = 1\n");
    universe.run("").code(0);
    let layers = aws.get("ordered")["Configuration"]["Layers"].clone();
    let names: Vec<_> = layers.as_array().unwrap().iter().map(|layer| layer["Arn"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["arn:aws:lambda:us-east-1:000000000000:layer:second:1", "arn:aws:lambda:us-east-1:000000000000:layer:first:1"]
    );
    universe.run("").code(0).says("`ordered` in us-east-1 is unchanged");
    universe
        .run("--function_name ordered --layers first --layers arn:aws:lambda:us-east-1:000000000000:layer:second:1")
        .code(0)
        .says("first:1, arn:aws:lambda:us-east-1:000000000000:layer:second:1");
}

#[test]
fn one_block_may_have_a_function_and_its_layer() {
    let more = "    layers: [beside]\n    layer:\n      name: beside\n      zip: vendor\n      exclude: ['*.txt']\n";
    let (universe, proxy, aws) = universe(Kind::Ministack, &function(Kind::Ministack, "has-layer", more));
    universe.write("vendor/python/greeting.py", "TEXT = 'vendored'\n");
    universe.write("vendor/python/notes.txt", "x");
    universe.run("check").code(0).says("the layer `beside` is configured correctly; its package has 1 file");
    universe.run("").code(0);
    assert_eq!(proxy.writes(), ["PublishLayerVersion", "CreateFunction"]);
    assert_eq!(aws.invoke("has-layer", &json!({})), "vendored");
    universe.run("package --list").code(0).says("index.py").never_says("greeting.py");
    universe.write("dpl.yml", "deploy:\n  layer: {name: beside, zip: vendor}\n");
    universe.run("package --list").code(0).says("python/notes.txt");
}

#[test]
fn a_layer_that_is_not_published_leaves_the_function_alone() {
    let blocks = function(Kind::Ministack, "left-alone", "    layers: [never]\n") + "  - layer: never\n";
    let (universe, proxy, aws) = universe(Kind::Ministack, &blocks);
    proxy.on("PublishLayerVersion", 0, Fault::Answer(400, "InvalidParameterValueException", "no such thing"));
    let document = universe.run("--format json").code(1).json();
    assert_eq!(proxy.writes(), ["PublishLayerVersion"], "what is refused is not tried again");
    assert!(!aws.exists("left-alone"));
    assert_eq!(
        (&document["layers"][0]["outcome"], &document["errors"][0]["layer_name"]),
        (&json!("failed"), &json!("never"))
    );
    universe.write("dpl.yml", format!("deploy:\n{blocks}    allow_failure: true\n"));
    universe
        .run("")
        .code(3)
        .says("stopped at step 1 of 1: publish a version of the layer of `never`")
        .says("this failure is allowed")
        .says("the layer `never` was not published (dpl.yml:");
    assert!(!aws.exists("left-alone"));
}

#[test]
fn a_version_whose_answer_was_lost_is_found_and_not_published_again() {
    on_both(|kind| {
        let (universe, proxy, aws) = universe(kind, "  - layer: answer-lost\n");
        proxy.on("PublishLayerVersion", 1, Fault::ResetAfter);
        universe.run("").code(0).says("Published version 1.");
        assert_eq!(proxy.writes(), ["PublishLayerVersion"]);
        assert_eq!(numbers(&aws, "answer-lost"), [1]);

        universe.write("layer/python/greeting.py", "TEXT = 'again'\n");
        proxy.forget_calls();
        proxy.on("PublishLayerVersion", 1, Fault::ResetBefore);
        universe.run("").code(0).says("Published version 2.");
        assert_eq!(proxy.writes(), ["PublishLayerVersion", "PublishLayerVersion"]);
        assert_eq!(numbers(&aws, "answer-lost"), [2, 1]);
    });
}

#[test]
fn a_layer_that_aws_did_not_publish_is_sent_again() {
    for (name, status, code) in
        [("throttled", 429, "TooManyRequestsException"), ("failed-once", 500, "ServiceException")]
    {
        let (universe, proxy, aws) = universe(Kind::Ministack, &format!("  - layer: {name}\n"));
        proxy.on("PublishLayerVersion", 1, Fault::Answer(status, code, "later"));
        universe.run("").code(0).says("Published version 1.");
        assert_eq!(numbers(&aws, name), [1]);
    }
    let (universe, proxy, _) = universe(Kind::Ministack, "  - layer: never-there\n");
    proxy.on("PublishLayerVersion", 0, Fault::Answer(500, "ServiceException", "broken"));
    universe.run("").code(1).says("AWS failed at `lambda:PublishLayerVersion`").says("begun: layer.");
    assert_eq!(proxy.writes().len(), 6);
}

#[test]
fn layers_go_through_a_bucket_too() {
    let (universe, proxy, aws) =
        universe(Kind::Ministack, "  - layer: {name: by-bucket}\n    s3_bucket: layers-of-mine\n    s3_prefix: deps\n");
    aws.make_bucket("layers-of-mine");
    universe.run("").code(0).says("Uploading the package to s3://layers-of-mine/deps/");
    assert_eq!(proxy.writes(), ["PutObject", "PublishLayerVersion"]);
    let content = proxy.bodies("PublishLayerVersion")[0]["Content"].clone();
    assert_eq!(content["S3Bucket"], "layers-of-mine");
    assert!(content["S3ObjectVersion"].is_string(), "{content}");
    universe.run("").code(0).says("is unchanged");
    universe.write("dpl.yml", "deploy:\n  - layer: by-bucket\n    s3_bucket: nobody-has-this\n");
    universe.write("layer/python/more.py", "");
    universe.run("").code(3).says("there is no bucket `nobody-has-this`");
}

#[test]
fn extensions_are_layers_with_a_program() {
    let (universe, _, aws) =
        universe(Kind::Ministack, "  - layer: agent\n    extension: true\n    zip: bin/collector\n");
    universe.write("bin/collector", arm());
    universe.run("check").code(0).never_says("warning");
    universe.run("package --list").code(0).says("100755").says("extensions/collector");
    universe
        .run("")
        .code(0)
        .says("compatible_runtimes       provided.al2, provided.al2023")
        .says("compatible_architectures  arm64");
    assert_eq!(aws.layer_version("agent", 1)["CompatibleArchitectures"], json!(["arm64"]));
    universe.run("").code(0).says("is unchanged");
    universe.run("package --list --extension=internal").code(0).says(" collector").never_says("extensions/");
    // A folder goes there as a whole, and another file gets the layer's name.
    universe.write("bin/other!", "#!/bin/sh\n");
    universe.run("package --list --zip bin").code(0).says("extensions/collector").says("extensions/other");
    universe.write("target/lambda/agent/bootstrap", intel());
    universe.run("package --list --zip target/lambda/agent/bootstrap").code(0).says("extensions/agent");
}

#[test]
fn an_extension_that_cargo_lambda_built_is_found() {
    let universe = Universe::empty()
        .file("Cargo.toml", "[package]\nname = \"collector\"\n")
        .file("target/lambda/extensions/collector", intel())
        .file("target/lambda/extensions/collector.zip", "made of it")
        .file("target/lambda/extensions/other", intel())
        .file("dpl.yml", "extension: true\nfunction_name: company-collector\n");
    universe.run("package --list").code(0).says("extensions/collector").never_says("other").never_says(".zip");
    universe.run("package --list --function_name other").code(0).says("extensions/other");
    std::fs::remove_dir_all(universe.path("target")).unwrap();
    universe
        .run("package --list --layer name=collector --layer compatible_architectures=arm64 --extension=internal")
        .code(3)
        .says("`target/lambda/extensions/collector` does not exist")
        .says("cargo lambda build --release --extension --internal --arm64");
}

#[test]
fn errors_of_layers_name_their_places() {
    let (universe, proxy, _) = universe(
        Kind::Ministack,
        "  - layer:\n      nme: deps\n      compatible_architectures: [sparc]\n      license_info: [a]\n    memory_size: 128\n",
    );
    let outcome = universe.run("").code(3);
    for said in [
        "layer: has no member `nme` (dpl.yml:3:7)",
        "did you mean `name`?",
        "layer: the layer has no name (dpl.yml:3:7)",
    ] {
        assert!(outcome.all().contains(said), "{said}: {}", outcome.all());
    }
    universe.write(
        "dpl.yml",
        "deploy:\n  - layer:\n      name: a b\n      compatible_architectures: [sparc]\n      license_info: [a]\n    memory_size: 128\n",
    );
    universe
        .run("")
        .code(3)
        .says("layer: `name` `a b` is not the name of a layer")
        .says("(dpl.yml:3:13)")
        .says("`compatible_architectures` must be x86_64 or arm64, got `sparc` (dpl.yml:4:34)")
        .says("`license_info` must be one value")
        .says("memory_size: is for a function, and this block publishes only a layer (dpl.yml:6:18)");
    universe.write("dpl.yml", "deploy:\n  - layer: {name: deps, zip: nowhere}\n");
    universe.run("").code(3).says("cannot package `deps`").says("`nowhere` does not exist");
    universe.write("dpl.yml", "deploy:\n  - layer: twice\n  - layer: {name: twice}\n");
    universe.run("").code(3).says("another block of this run publishes");
    assert_eq!(proxy.writes(), Vec::<String>::new());
    let block = function(Kind::Ministack, "wants-layer", "    layers:\n      - nobody-has-it\n");
    universe.write("dpl.yml", format!("deploy:\n{block}"));
    universe
        .run("")
        .code(3)
        .says("layers: there is no layer `nobody-has-it` in us-east-1, and no block of this run publishes it (dpl.yml:")
        .says("publish it with a block of its own");
    universe.run("--layers deps:3").code(3).says("`deps:3` is neither a layer's name nor its ARN");
}

#[test]
fn layers_that_aws_refuses_together_are_found_by_check() {
    let with = |layers: &str| {
        let (universe, proxy, _) = universe(
            Kind::Ministack,
            &function(Kind::Ministack, "refused-layers", &format!("    layers: [{layers}]\n")),
        );
        (universe, proxy)
    };
    let arn = "arn:aws:lambda:us-east-1:000000000000:layer:deps";
    for (layers, said) in [
        ("deps, other, deps".to_owned(), "layers: `deps` stands twice"),
        (format!("'{arn}:1', '{arn}:2'"), "layers: `arn:aws:lambda:us-east-1:000000000000:layer:deps` stands twice"),
        (format!("'{arn}', '{arn}:2'"), "stands twice; AWS accepts one version of a layer in a function (dpl.yml:"),
        (arn.replace("us-east-1", "eu-west-1") + ":1", "is in eu-west-1, the function in us-east-1 (dpl.yml:"),
    ] {
        let (universe, proxy) = with(&layers);
        universe.run("check --region us-east-1").code(3).says(said);
        universe.run("--region us-east-1").code(3).says(said);
        assert_eq!(proxy.writes(), [""; 0]);
    }
}

#[test]
fn a_layer_version_that_does_not_exist_stops_before_the_first_write() {
    on_both(|kind| {
        let missing = format!("arn:aws:lambda:us-east-1:{}:layer:no-such:7", kind.account());
        let block = function(kind, "wants-version", &format!("    layers: ['{missing}']\n"));
        let (universe, proxy, aws) = universe(kind, &(block + "  - layer: beside-no-such\n"));
        universe.run("").code(3).says(&format!("layers: there is no layer version `{missing}` (dpl.yml:"));
        assert_eq!(proxy.writes(), [""; 0]);
        assert!(!aws.exists("wants-version"));
        // A version that may not be read may still be used.
        proxy.on("GetLayerVersion", 0, Fault::Answer(403, "AccessDeniedException", "no"));
        universe.run("plan").code(0).says(&missing);
    });
}

#[test]
fn a_layer_of_another_account_needs_its_version() {
    let layers = "    layers: ['arn:aws:lambda:us-east-1:580247275435:layer:insights']\n";
    let (universe, proxy, _) = universe(Kind::Ministack, &function(Kind::Ministack, "wants-others", layers));
    proxy.on("ListLayerVersions", 0, Fault::Answer(403, "AccessDeniedException", "no"));
    universe.run("").code(4).says("AWS denied `lambda:ListLayerVersions`").says("set the version in `layers`");
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn a_deployed_function_cannot_use_a_layer_that_is_only_planned() {
    let blocks = function(Kind::Ministack, "no-plan", "    layers: [planned-only]\n")
        + "  - layer: planned-only\n    dry_run: true\n";
    let (universe, proxy, aws) = universe(Kind::Ministack, &blocks);
    universe.run("").code(3).says("there is no layer `planned-only`");
    universe.run("plan").code(0).says("planned-only (new version)");
    assert_eq!(proxy.writes(), Vec::<String>::new());
    assert!(!aws.exists("no-plan"));
}

#[test]
fn files_that_no_runtime_finds_give_a_warning() {
    let universe = Universe::empty()
        .file("layer/requests/__init__.py", "")
        .file("dpl.yml", "layer: {name: flat, compatible_runtimes: [python3.13]}\n");
    universe
        .run("check")
        .code(0)
        .says("the layer has no file in `python/`, where runtimes look [layer-layout]")
        .says("pip install --target layer/python");
    universe.write("layer/python/x.py", "");
    universe.run("check").code(0).never_says("warning");
}

#[test]
fn results_name_the_layer() {
    let (universe, ..) = universe(Kind::Ministack, "  - layer: in-results\n");
    let universe =
        universe.with("GITHUB_ACTIONS", "true").with("GITHUB_OUTPUT", "output").with("GITHUB_STEP_SUMMARY", "summary");
    universe.write("output", "");
    universe.write("summary", "");
    universe.run("--junit report.xml").code(0);
    let arn = "arn:aws:lambda:us-east-1:000000000000:layer:in-results:1";
    assert!(universe.read("output").contains(arn), "{}", universe.read("output"));
    assert!(
        universe.read("summary").contains("✔ Layer in-results version 1 published"),
        "{}",
        universe.read("summary")
    );
    assert!(universe.read("report.xml").contains("publish a version of the layer"), "{}", universe.read("report.xml"));
    let document: Value = universe.run("--format json").code(0).json();
    assert_eq!(document["layers"][0]["outcome"], "unchanged");
}

#[test]
fn flags_apply_to_the_function_and_not_to_its_layer() {
    let blocks = format!(
        "  - layer: {{name: flags-beside}}\n{}",
        function(Kind::Ministack, "beside-it", "    layers: [flags-beside]\n")
    );
    let (universe, proxy, aws) = universe(Kind::Ministack, &blocks);
    universe.run("").code(0);
    proxy.forget_calls();
    universe.run("--zip dist --timeout 7").code(0).says("timeout  3 s → 7 s").never_says("new version");
    assert_eq!(
        (proxy.writes(), numbers(&aws, "flags-beside")),
        (vec!["UpdateFunctionConfiguration".to_owned()], vec![1])
    );
    universe.run("--zip dist --layer false --function_name beside-it").code(0).never_says("`false`");
}

#[test]
fn a_layer_may_be_named_by_its_flag() {
    let (universe, _, aws) = universe(Kind::Ministack, "");
    std::fs::remove_file(universe.path("dpl.yml")).unwrap();
    universe.run("--layer by-flag").code(0).says("Published version 1.");
    assert_eq!(numbers(&aws, "by-flag"), [1]);
}

#[test]
fn a_layer_that_is_new_may_be_named_by_its_arn() {
    let arn = "arn:aws:lambda:us-east-1:000000000000:layer:by-arn-first";
    let layers = format!("    layers: ['{arn}']\n");
    let blocks = format!("  - layer: {{name: by-arn-first}}\n{}", function(Kind::Ministack, "fed-by-arn", &layers));
    let (universe, _, aws) = universe(Kind::Ministack, &blocks);
    universe.run("").code(0).says("by-arn-first (new version)");
    assert_eq!(aws.get("fed-by-arn")["Configuration"]["Layers"][0]["Arn"], format!("{arn}:1"));
}
