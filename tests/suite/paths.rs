//! Paths in the configuration file are relative to that file, those of flags and variables to the working directory.

use crate::harness::{Outcome, Universe};

const BLOCK: &str = "function_name: demo\nrole: r\nruntime: python3.12\nhandler: index.handler\n";

/// A repository with the service `services/a`, whose file has these lines more.
fn with(more: &str) -> Universe {
    Universe::empty()
        .file(".git/HEAD", "ref: refs/heads/main\n")
        .file("services/a/src/index.py", "def handler(e, c): return 1\n")
        .file("services/a/dpl.yml", format!("{BLOCK}{more}"))
}

/// Runs the program in a folder of the checkout.
fn run_in(universe: &Universe, folder: &str, arguments: &str) -> Outcome {
    universe.shell(&format!("cd '{folder}' && exec \"$TOOL\" {arguments}"))
}

#[test]
fn a_file_means_the_same_from_every_folder() {
    let more = "zip: ./src\ninclude: ['**', {from: ../shared, to: lib}]\nenv_file: [prod.env, ../more.env]\n\
                output_file: out.json\nlayer: {name: deps, source: lay, include: ['**', {from: ../shared, to: x}]}\n";
    let universe = with(more)
        .file("services/shared/s.py", "")
        .file("services/a/lay/python/l.py", "")
        .file("services/a/prod.env", "STAGE=prod\n")
        .file("services/more.env", "MORE=1\n")
        .file("services/a/deep/er/x", "");
    let absolute = universe.path("services/a/dpl.yml");
    for (folder, config) in [
        (".", "--config services/a/dpl.yml"),
        (".", "--config ./services/../services/a/dpl.yml"),
        (".", &format!("--config {}", absolute.display())),
        ("services", "--config a/dpl.yml"),
        ("services/a", ""),
        ("services/a", "--config dpl.yml"),
        ("services/a/deep/er", "--config ../../dpl.yml"),
    ] {
        let outcome = run_in(&universe, folder, &format!("check {config}")).code(0);
        outcome.says("the layer `deps` is configured correctly; its package has 2 files").says("`demo` is configured");
    }
}

#[test]
fn paths_are_shown_from_where_the_user_stands() {
    let universe = with("zip: build\nenv_file: no.env\n");
    let outcome = universe.run("check --config services/a/dpl.yml").code(3);
    outcome.says("`services/a/no.env` cannot be read").says("(services/a/dpl.yml:6:11)");
    let universe = with("zip: build\n");
    run_in(&universe, "services", "check --config a/dpl.yml").code(3).says("`a/build` does not exist");
    universe.run("render --config services/a/dpl.yml").code(0).says("zip: services/a/build");
    let lines = with("zip: src\nlayer: |\n  name=deps\n  zip=lay\n");
    lines.run("check --config services/a/dpl.yml").code(3).says("`services/a/lay` does not exist");
}

#[test]
fn flags_and_variables_have_paths_from_the_working_directory() {
    let universe = with("zip: nowhere\nenv_file: nowhere\n").file("own/index.py", "def handler(e, c): return 1\n");
    let universe = universe.file("own.env", "STAGE=prod\n").with("DPL_LAMBDA_ENV_FILE", "own.env");
    universe.run("check --config services/a/dpl.yml --zip own").code(0).says("`demo` is configured correctly");
    let universe = universe.with("DPL_LAMBDA_CONFIG", "services/a/dpl.yml").with("INPUT_ZIP", "own");
    universe.run("check").code(0).says("`demo` is configured correctly");
}

#[test]
fn without_zip_the_package_is_beside_the_file() {
    let universe = with("").file("services/a/index.py", "def handler(e, c): return 1\n");
    universe.run("package --list --config services/a/dpl.yml").code(0).says(" src/index.py").never_says("dpl.yml");
    let crate_of = |more: &str| {
        Universe::empty()
            .file(".git/HEAD", "ref: refs/heads/main\n")
            .file("svc/Cargo.toml", format!("[package]\nname = \"api\"\nversion = \"0.1.0\"\n{more}"))
            .file("svc/dpl.yml", "function_name: demo\nrole: r\n")
    };
    let built = crate_of("").file("svc/target/lambda/api/bootstrap!", "#!/bin/sh\n");
    built.run("check --config svc/dpl.yml").code(0).says("`demo` is configured correctly; its package has 1 file");
    let missing = crate_of("").run("check --config svc/dpl.yml").code(3).says("svc/target/lambda/demo");
    missing.says("`cargo lambda build --release` in `svc`");
    let workspace = crate_of("").file("Cargo.toml", "[workspace]\nmembers = [\"svc\"]\n");
    let workspace = workspace.file("target/lambda/api/bootstrap!", "#!/bin/sh\n");
    workspace.run("check --config svc/dpl.yml").code(0).says("its package has 1 file");
    let go = Universe::empty().file("svc/go.mod", "module x\n").file("svc/dpl.yml", "function_name: demo\nrole: r\n");
    let go = go.run("check --config svc/dpl.yml").code(3);
    go.says("svc/bootstrap").says("-o bootstrap` in `svc`");
}

#[test]
fn a_stream_has_no_folder() {
    let universe = with("zip: src\n").file("src/index.py", "def handler(e, c): return 1\n");
    universe.shell("\"$TOOL\" check --config /dev/stdin < services/a/dpl.yml").code(0).says("`demo` is configured");
}

#[test]
fn results_that_a_file_names_are_written_beside_it() {
    let universe = with("zip: src\njunit: report.xml\nmemory_size: 1\n");
    universe.run("check --config services/a/dpl.yml").code(3);
    assert!(universe.read("services/a/report.xml").contains("memory_size"));
    assert!(!universe.path("report.xml").exists());
}

#[test]
fn a_joined_path_that_leaves_the_checkout_is_refused() {
    for (more, said) in [
        ("zip: ../../../home\n", "zip: `services/a/../../../home` lies outside of the checkout"),
        ("zip: src\nenv_file: ../../../x.env\n", "env_file: `services/a/../../../x.env` lies outside"),
        (
            "zip: src\ninclude: [{from: ../../../home, glob: '**'}]\n",
            "include: `services/a/../../../home` lies outside",
        ),
        ("zip: src\noutput_file: ../../../x.json\n", "output_file: `services/a/../../../x.json`"),
        ("zip: src\nlayer: {name: l, zip: ../../../home}\n", "zip: `services/a/../../../home` lies outside"),
    ] {
        with(more).run("check --config services/a/dpl.yml").code(3).says(said).says("services/a/dpl.yml:");
    }
    let inside = with("zip: ../../dist\n").file("dist/index.py", "def handler(e, c): return 1\n");
    inside.run("check --config services/a/dpl.yml").code(0);
}

#[test]
fn a_travis_file_elsewhere_has_its_paths_from_its_folder() {
    let block = "deploy:\n  provider: lambda\n  function_name: demo\n  role: r\n  runtime: python3.12\n  \
                 handler_name: handler\n  zip: $DIR\n  on: {all_branches: true}\n";
    let universe = with("").file("services/a/.travis.yml", block).with("DIR", "src");
    universe.run("check --config services/a/.travis.yml").code(0).says("`demo` is configured correctly");
}
