//! Functions in Rust and Go: a program becomes what the runtime starts, and what was built is found by itself.

use serde_json::Value;

use crate::harness::{Aws, Kind, Proxy, Universe, emulator, on_both};
use crate::inspect::{arm, intel};

const SCRIPT: &str = "#!/bin/sh\nexec true\n";

const MAC: &[u8] = b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0";

/// The entries of the package as `MODE NAME`.
fn entries(universe: &Universe, options: &str) -> Vec<String> {
    let document = universe.run(&format!("package --list --format json {options}")).code(0).json();
    let entry = |entry: &Value| {
        format!("{} {}", entry["mode"].as_str().unwrap().trim_start_matches("10"), entry["name"].as_str().unwrap())
    };
    document["packages"][0]["entries"].as_array().unwrap().iter().map(entry).collect()
}

/// A crate with programs that were built for Lambda.
fn rust(programs: &[&str]) -> Universe {
    let universe = Universe::empty()
        .file("Cargo.toml", "[package]\nname = \"thumbnails\"\nversion = \"0.1.0\"\n")
        .file("src/main.rs", "fn main() {}\n");
    programs.iter().fold(universe, |universe, name| universe.file(&format!("target/lambda/{name}/bootstrap"), intel()))
}

#[test]
fn a_single_program_goes_in_as_what_the_runtime_starts() {
    let universe = Universe::empty()
        .file("bin/main", intel())
        .file("bin/lib.so", intel())
        .file("bin/lib.so.6", intel())
        .file("run.sh", SCRIPT)
        .file("notes", "text");
    for (options, expected) in [
        ("--zip bin/main", "0755 bootstrap"),
        ("--zip bin/main --runtime provided.al2023", "0755 bootstrap"),
        ("--zip bin/main --runtime python3.13", "0755 main"),
        ("--zip bin/lib.so", "0755 lib.so"),
        ("--zip bin/lib.so.6 --runtime provided.al2023", "0755 lib.so.6"),
        ("--zip run.sh", "0755 run.sh"),
        ("--zip run.sh --runtime provided.al2", "0755 bootstrap"),
        ("--zip run.sh --runtime python3.13", "0755 run.sh"),
        ("--zip notes --runtime provided.al2", "0644 notes"),
    ] {
        assert_eq!(entries(&universe, options), [expected], "{options}");
    }
}

#[test]
fn what_cargo_lambda_built_is_found_by_the_functions_name() {
    let universe = rust(&["orders", "thumbnails"]);
    universe.write("target/lambda/extensions/agent/bootstrap", intel());
    universe.write("target/lambda/orders/bootstrap.zip", "made of the program");
    universe.write("target/lambda/orders/data.json", "{}");
    assert_eq!(entries(&universe, "--function_name orders"), ["0755 bootstrap", "0644 data.json"]);
    assert_eq!(entries(&universe, "--zip target/lambda/orders"), ["0755 bootstrap", "0644 data.json"]);
    assert_eq!(entries(&universe, "--function_name arn:aws:lambda:eu-west-1:123456789012:function:orders").len(), 2);
    assert_eq!(entries(&universe, "--function_name prod-images"), ["0755 bootstrap"], "the crate's own");
    assert_eq!(entries(&rust(&["only"]), "--function_name f"), ["0755 bootstrap"]);
    // Nothing else speaks for a compiled program.
    assert!(entries(&universe, "--function_name orders --runtime nodejs22.x").contains(&"0644 Cargo.toml".to_owned()));
    assert!(entries(&universe, "--function_name orders --handler app.run").contains(&"0644 Cargo.toml".to_owned()));
    assert!(entries(&universe, "--function_name orders --zip .").contains(&"0644 Cargo.toml".to_owned()));
    rust(&["a", "b"])
        .run("package --function_name f --list")
        .code(3)
        .says("no program in `target/lambda` has the name of the function")
        .says("such as `target/lambda/a`; the folder has `a`, `b`");
}

#[test]
fn an_archive_that_cargo_lambda_made_is_sent_as_it_is() {
    let universe = rust(&[]).file("made/bootstrap", intel());
    universe.run("package --zip made --output target-f.zip").code(0);
    universe.write("target/lambda/f/bootstrap.zip", universe.bytes("target-f.zip"));
    universe.run("package --function_name f --list").code(0).says("bootstrap").never_says("bootstrap.zip");
    universe.run("package --zip target/lambda/f --list").code(0).never_says("bootstrap.zip");
}

#[test]
fn other_target_folders_are_looked_into() {
    let universe = Universe::empty()
        .file("Cargo.toml", "[package]\nname = \"x\"\n")
        .file("../built/lambda/f/bootstrap", intel())
        .with("CARGO_TARGET_DIR", "../built");
    assert_eq!(entries(&universe, "--function_name f"), ["0755 bootstrap"]);
    // A crate of a workspace, whose target folder is beside the workspace's manifest.
    let member = Universe::empty()
        .file("../Cargo.toml", "[workspace]\nmembers = [\"checkout\"]\n")
        .file("Cargo.toml", "[package]\nname = \"f\"\n")
        .file("../target/lambda/f/bootstrap", intel());
    assert_eq!(entries(&member, "--function_name prod-f"), ["0755 bootstrap"]);
    let other = Universe::empty()
        .file("../Cargo.toml", "[workspace]\nmembers = [\"checkout\"]\n")
        .file("Cargo.toml", "[package]\nname = \"f\"\n")
        .file("../target/lambda/of-somebody-else/bootstrap", intel());
    other.run("package --function_name f --list").code(3).says("no program in `../target/lambda`");
}

#[test]
fn what_was_not_built_is_told_with_how_to_build_it() {
    let universe = rust(&[]);
    universe
        .run("package --function_name f --list")
        .code(3)
        .says("`target/lambda/f` does not exist")
        .says("build it with `cargo lambda build --release`; `zip: .` packages the working directory instead");
    universe
        .run("package --zip target/lambda/g --architecture arm64 --list")
        .code(3)
        .says("`target/lambda/g` does not exist")
        .says("build it with `cargo lambda build --release --arm64`")
        .never_says("instead");
    let go = Universe::empty().file("go.mod", "module f\n").file("main.go", "package main\n");
    go.run("package --list --architecture arm64").code(3).says("`bootstrap` does not exist").says(
        "build it with `GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -tags lambda.norpc -o bootstrap`; `zip: .` packages",
    );
    go.run("package --list --zip bin/f").code(3).says("GOARCH=amd64").says("-o bin/f`").never_says("instead");
    go.run("package --list --zip f.zip").code(3).says("`f.zip` does not exist").never_says("go build");
    go.run("package --list --runtime python3.13").code(0).says("main.go");
    go.run("check --zip . --function_name f --runtime provided.al2023").code(3).says("CGO_ENABLED=0 go build");
    go.write("bootstrap", intel());
    go.run("package --list").code(0).says("main.go");
    assert_eq!(entries(&go, "--zip bootstrap"), ["0755 bootstrap"]);
}

#[test]
fn a_program_for_another_system_is_told_by_its_name() {
    let universe = Universe::empty().file("bin/main", MAC).file("bin/main.exe", b"MZ\x90\0");
    for (file, system) in [("bin/main", "macOS"), ("bin/main.exe", "Windows")] {
        for runtime in ["", "--runtime provided.al2023"] {
            universe
                .run(&format!("check --function_name f --zip {file} {runtime}"))
                .code(3)
                .says(&format!("`bootstrap` is built for {system}, but Lambda runs Linux [foreign-binary]"));
        }
    }
}

#[test]
fn a_program_is_all_that_a_new_function_needs() {
    on_both(|kind| {
        let endpoint = &emulator(kind).endpoint;
        let proxy = Proxy::before(endpoint);
        let universe = Universe::at(&proxy.endpoint)
            .file("Cargo.toml", "[package]\nname = \"compiled\"\n")
            .file("target/lambda/compiled/bootstrap", arm());
        let role = format!("arn:aws:iam::{}:role/deployed", kind.account());
        let options = format!("--function_name compiled --role {role}");
        universe
            .run(&format!("plan {options}"))
            .code(0)
            .says("runtime       provided.al2023")
            .says("handler       bootstrap")
            .says("architecture  arm64");
        universe.run(&options).code(0);
        let aws = Aws::of(endpoint);
        let live = aws.get("compiled")["Configuration"].clone();
        assert_eq!(
            (&live["Runtime"], &live["Handler"], &live["Architectures"][0]),
            (&"provided.al2023".into(), &"bootstrap".into(), &"arm64".into())
        );
        universe.run(&options).code(0).says("is unchanged");

        // A program for the other processor takes the function with it; its runtime is nobody's business any more.
        aws.configure("compiled", &serde_json::json!({ "Handler": "mine", "Runtime": "provided.al2" }));
        universe.write("target/lambda/compiled/bootstrap", intel());
        proxy.forget_calls();
        universe.run(&options).code(0).says("architecture  arm64 → x86_64").never_says("handler");
        assert_eq!(proxy.writes(), ["UpdateFunctionCode"]);
        assert_eq!(proxy.bodies("UpdateFunctionCode")[0]["Architectures"][0], "x86_64");
        assert_eq!(aws.get("compiled")["Configuration"]["Handler"], "mine");
        // moto takes the new architecture and never shows it.
        if kind == Kind::Ministack {
            universe.run(&options).code(0).says("is unchanged");
        }
    });
}

#[test]
fn what_does_not_start_by_itself_still_needs_to_be_told() {
    let universe = Universe::at(&emulator(Kind::Ministack).endpoint).file("dist/index.py", "x = 1\n");
    let role = "arn:aws:iam::000000000000:role/deployed";
    universe.run(&format!("--function_name untold --zip dist --role {role}")).code(3).says("AWS needs a runtime");
    let own = universe.file("own/bootstrap", SCRIPT);
    own.run(&format!("plan --function_name untold --zip own --role {role} --runtime provided.al2023"))
        .code(0)
        .says("runtime  provided.al2023")
        .says("handler  bootstrap");
    own.run(&format!("plan --function_name untold --zip own --role {role} --handler mine"))
        .code(3)
        .says("AWS needs a runtime");
}

#[test]
fn cargo_toml_is_read_as_cargo_reads_it() {
    for manifest in [
        "package.name = 'orders'\n",
        "package = { version = \"0.1.0\", name = \"orders\" }\n",
        "# [package]\n# name = \"wrong\"\n[package]\nname = \"\"\"orders\"\"\" # name = \"wrong\"\n",
        "[package.metadata]\nname = \"wrong\"\n[package]\nname=\"orders\"\n",
        "[dependencies]\ntext = \"[package]\"\nname = \"wrong\"\n[ package ]\n\"name\" = \"ord\\u0065rs\"\n",
    ] {
        let universe = rust(&["orders", "wrong"]).file("Cargo.toml", manifest);
        assert_eq!(entries(&universe, ""), ["0755 bootstrap"], "{manifest}");
    }
    // What only looks like a workspace has no target folder for the crates below it.
    for (above, is_workspace) in [
        ("[workspace]\n", true),
        ("workspace.members = ['checkout']\n", true),
        ("[package]\nname = \"above\"\ndescription = \"[workspace]\"\n", false),
        ("# [workspace]\n", false),
    ] {
        let universe = rust(&[]).file("../Cargo.toml", above).file("../target/lambda/thumbnails/bootstrap", intel());
        let outcome = universe.run("package --list");
        outcome.code(if is_workspace { 0 } else { 3 });
    }
}

/// A crate whose program was built, with this in its manifest.
fn with_metadata(metadata: &str) -> Universe {
    let manifest = format!("[package]\nname = \"thumbnails\"\nversion = \"0.1.0\"\n{metadata}");
    rust(&["thumbnails"]).file("Cargo.toml", manifest)
}

/// The options with their sources, as `VALUE SOURCE`.
fn rendered(universe: &Universe, arguments: &str) -> Value {
    let document = universe.run(&format!("render --format json {arguments}")).code(0).json();
    document["configuration"][0].clone()
}

const METADATA: &str = "
[package.metadata.lambda.deploy]
memory = 512
timeout = 60
tracing = \"active\"
role = \"arn:aws:iam::123456789012:role/thumbnails\"
env = { VAR1 = \"VAL1\", NUMBER = \"1.10\" }
env_file = \".env.production\"
merge_env = true
layers = [\"arn:aws:lambda:eu-west-1:123456789012:layer:one:1\"]
tags = { team = \"lambda\" }
include = [\"README.md\", \"in/data:data\", \"other.md:README.md\"]
runtime = \"provided.al2\"
log_retention = 7
enable_function_url = true
retry_attempts = 3
vpc = { subnet_ids = [\"subnet-1\"], security_group_ids = [\"sg-1\"] }
profile = \"dev\"
";

#[test]
fn what_cargo_lambda_deploys_with_is_read_beneath_the_block() {
    let universe = with_metadata(METADATA)
        .file(".env.production", "MODE=fast\n")
        .file("README.md", "read me")
        .file("data/one.json", "{}")
        .file("dpl.yml", "function_name: thumbnails\ntimeout: 5\n");
    let options = rendered(&universe, "");
    for (name, value, source) in [
        ("timeout", "5", "dpl.yml:2:10"),
        ("memory_size", "512", "Cargo.toml:6:10"),
        ("tracing_mode", "active", "Cargo.toml:8:11"),
        ("runtime", "provided.al2", "Cargo.toml:16:11"),
        ("log_retention_days", "7", "Cargo.toml:17:17"),
        ("function_url", "NONE", "Cargo.toml:18:23"),
        ("environment_mode", "merge", "Cargo.toml:12:13"),
        ("env_file", ".env.production", "Cargo.toml:11:12"),
    ] {
        assert_eq!(options[name]["value"].to_string().trim_matches('"'), value, "{name}");
        assert_eq!(options[name]["source"], source, "{name}");
    }
    assert_eq!(options["layers"]["value"][0], "arn:aws:lambda:eu-west-1:123456789012:layer:one:1");
    assert_eq!(options["subnet_ids"]["value"][0], "subnet-1");
    assert_eq!(options["function_tags"]["value"]["team"], "lambda");
    assert_eq!(options.get("profile"), None);
    let check = universe.run("check").code(0);
    check
        .says("Cargo.toml:15:41")
        .says("`include other.md:README.md`, `retry_attempts`, `profile`")
        .says("has no effect here");
    assert_eq!(entries(&universe, ""), ["0644 README.md", "0755 bootstrap", "0644 in/data/one.json"]);
}

#[test]
fn a_program_has_its_own_table_and_the_workspace_is_beneath() {
    let universe = Universe::empty()
        .file("../Cargo.toml", "[workspace]\nmembers = [\"checkout\"]\n[workspace.metadata.lambda]\nenv = { AA = \"1\", BB = \"1\" }\n[workspace.metadata.lambda.deploy]\nmemory = 128\ntimeout = 9\n")
        .file("Cargo.toml", "[package]\nname = \"f\"\n[package.metadata.lambda.deploy]\nmemory = 256\n[package.metadata.lambda.bin.g.deploy]\nmemory = 1024\nenv_var = [\"BB=2\"]\n")
        .file("target/lambda/f/bootstrap", intel())
        .file("target/lambda/g/bootstrap", intel());
    let memory = |universe: &Universe, arguments: &str| rendered(universe, arguments)["memory_size"]["value"].clone();
    assert_eq!(memory(&universe, "--function_name f"), "256");
    assert_eq!(memory(&universe, "--function_name prod --zip target/lambda/g"), "1024");
    assert_eq!(memory(&universe, "--function_name prod --zip target/lambda/g/bootstrap --memory_size 300"), "300");
    // Outside of the checkout, where the file is of others.
    assert_eq!(rendered(&universe, "--function_name f").get("timeout"), None);
    let own = Universe::empty()
        .file("Cargo.toml", "[workspace]\n[workspace.metadata.lambda]\nenv = { AA = \"1\", BB = \"1\" }\n[workspace.metadata.lambda.deploy]\nmemory = 128\ntimeout = 9\n[package]\nname = \"f\"\n[package.metadata.lambda.deploy]\nmemory = 256\nenv_var = [\"BB=2\"]\n")
        .file("target/lambda/f/bootstrap", intel());
    let options = rendered(&own, "--function_name f");
    assert_eq!((&options["memory_size"]["value"], &options["timeout"]["value"]), (&"256".into(), &"9".into()));
    let names: Vec<_> = options["environment"]["value"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["AA", "BB"]);
}

#[test]
fn a_manifest_says_nothing_about_code_that_cargo_lambda_did_not_build() {
    let universe = with_metadata(METADATA).file("dist/index.py", "def handler(e, c): return 1\n");
    for options in [
        "--zip dist --runtime python3.13",
        "--runtime nodejs22.x",
        "--image_uri 123456789012.dkr.ecr.eu-west-1.amazonaws.com/f:1",
    ] {
        let options = rendered(&universe, &format!("--function_name f {options}"));
        assert_eq!(options.get("memory_size"), None, "{options}");
    }
}

#[test]
fn a_wrong_value_of_a_manifest_is_an_error_at_its_place() {
    for (line, place, said) in [
        ("memory = 64", "Cargo.toml:5:10", "between 128 and"),
        ("timeout = \"long\"", "Cargo.toml:5:11", "timeout"),
        ("role = [\"a\", \"b\"]", "Cargo.toml:5:8", "role"),
        ("env_file = \"../../../../etc/passwd\"", "Cargo.toml:5:12", "outside of the checkout"),
        ("include = [\"/etc\"]", "Cargo.toml:5:12", "outside of the checkout"),
        ("tags = [\"a\"]", "Cargo.toml:5:9", "KEY=VALUE"),
    ] {
        let universe = with_metadata(&format!("[package.metadata.lambda.deploy]\n{line}\n"));
        universe.run("check --function_name f").code(3).says(place).says(said);
    }
    for broken in [
        "[package.metadata.lambda.deploy\n",
        "[package.metadata]\nlambda = 7\n",
        "[package.metadata.lambda]\ndeploy = [1]\n",
    ] {
        with_metadata(broken).run("render --function_name f").code(0);
    }
}

#[test]
fn the_key_of_a_manifest_is_where_the_program_goes() {
    let metadata = "[package.metadata.lambda.deploy]\ns3_bucket = \"packages\"\ns3_key = \"a/b.zip\"\n";
    let universe = with_metadata(metadata);
    assert_eq!(rendered(&universe, "--function_name f")["zip"]["value"], "target/lambda/thumbnails");
    let own = rendered(&universe, "--function_name f --s3_bucket mine --s3_prefix x");
    assert_eq!((own.get("s3_key"), &own["s3_bucket"]["value"]), (None, &"mine".into()));
}
