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
    own.run(&format!("plan --function_name untold --zip own --role {role} --runtime provided.al2"))
        .code(0)
        .says("runtime  provided.al2")
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
