//! Tests the inspection of packages by `check`, with real wheels and programs.

use std::{fs, path::Path, sync::OnceLock};

use crate::harness::{Outcome, Universe, emulator::wheel};

const ROLE: &str = "arn:aws:iam::123456789012:role/deployed";

/// Runs `check` on the package `dist` for a runtime.
fn check(universe: &Universe, runtime: &str, handler: &str, options: &str) -> Outcome {
    universe.run(&format!(
        "check --zip dist --function_name f --role {ROLE} --runtime {runtime} --handler {handler} {options}"
    ))
}

/// A folder with a Python handler and the files of a wheel, for a platform and a version of Python.
fn with_wheel(requirement: &str, platform: &str, python: &str) -> Universe {
    let universe = Universe::empty().file("dist/index.py", "def handler(event, context): pass\n");
    copy(&wheel(requirement, platform, python).unwrap(), &universe.path("dist"));
    universe
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// A program that is built for a platform.
fn program(platform: &str) -> Vec<u8> {
    fs::read(wheel("ninja==1.11.1.4", platform, "3.12").unwrap().join("bin/ninja")).unwrap()
}

pub fn intel() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| program("manylinux2014_x86_64"))
}

pub fn arm() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| program("manylinux2014_aarch64"))
}

#[test]
fn a_missing_handler_stops_the_deployment() {
    let universe = Universe::empty().file("dist/index.py", "x = 1\n");
    check(&universe, "python3.13", "index.handler", "").code(0);
    check(&universe, "python3.13", "app.handler", "")
        .code(3)
        .says("`app.handler` is not in the package: there is no `app.py` [handler-missing]");
    let deep = Universe::empty().file("dist/app/index.js", "").file("dist/app/lib/x.js", "");
    check(&deep, "nodejs22.x", "index.handler", "").code(3).says("are in `app`").says("[root-too-deep]");
    check(&Universe::empty().file("dist/app.py", ""), "provided.al2023", "x", "").code(3).says("[handler-missing]");
}

#[test]
fn bootstrap_must_be_a_program_that_linux_can_start() {
    let script = |text: &str| Universe::empty().file("dist/bootstrap!", text);
    check(&script("#!/bin/sh\n"), "provided.al2023", "x", "").code(0);
    check(&script("#!/bin/sh\r\n"), "provided.al2023", "x", "").code(3).says("[bootstrap-crlf]");
    check(&script("echo\n"), "provided.al2023", "x", "").code(3).says("[bootstrap-no-shebang]");
    let program = Universe::empty().file("dist/bootstrap!", arm());
    check(&program, "provided.al2023", "x", "--architecture arm64").code(0);
    check(&program, "provided.al2023", "x", "").code(0);
    check(&program, "provided.al2023", "x", "--architecture x86_64")
        .code(3)
        .says("`bootstrap` is built for arm64, but the function runs on x86_64 [wrong-architecture]");
    check(&Universe::empty().file("dist/bootstrap!", intel()), "provided.al2023", "x", "--architecture arm64")
        .code(3)
        .says("[wrong-architecture]");
}

#[test]
fn programs_for_different_processors_are_an_error() {
    let universe = Universe::empty().file("dist/bootstrap!", intel()).file("dist/a.node", arm());
    check(&universe, "provided.al2023", "x", "").code(3).says("[wrong-architecture]");
}

#[test]
fn wheels_must_fit_the_runtime_and_the_architecture() {
    const MARKUPSAFE: &str = "markupsafe==3.0.2";
    let right = with_wheel(MARKUPSAFE, "manylinux2014_x86_64", "3.12");
    check(&right, "python3.12", "index.handler", "--architecture x86_64").code(0);
    check(&right, "python3.12", "index.handler", "--architecture arm64")
        .code(3)
        .says("is built for x86_64, but the function runs on arm64 [wrong-architecture]");
    check(&right, "python3.13", "index.handler", "")
        .code(3)
        .says("is built for Python 3.12, but the runtime is python3.13 [python-version]");
    let arm = with_wheel(MARKUPSAFE, "manylinux2014_aarch64", "3.12");
    check(&arm, "python3.12", "index.handler", "--architecture arm64").code(0);
    let alpine = with_wheel(MARKUPSAFE, "musllinux_1_2_x86_64", "3.12");
    check(&alpine, "python3.12", "index.handler", "").code(3).says("[wrong-libc]");
    let mac = with_wheel(MARKUPSAFE, "macosx_11_0_arm64", "3.12");
    check(&mac, "python3.12", "index.handler", "").code(0).says("is built for macOS").says("[foreign-binary]");
}

#[test]
fn wheels_must_fit_the_glibc_of_the_runtime() {
    let new = with_wheel("cryptography==44.0.2", "manylinux_2_34_x86_64", "3.11");
    check(&new, "python3.11", "index.handler", "")
        .code(3)
        .says("needs glibc 2.34, but the runtime's Amazon Linux 2 has 2.26 [glibc-too-new]");
    check(&new, "python3.13", "index.handler", "").code(0);
}

#[test]
fn secrets_give_a_warning_that_does_not_show_them() {
    let universe = Universe::empty()
        .file("dist/index.py", "x = 1\n")
        .file("dist/config/.env", "TOKEN=s3cret-value\n")
        .file("dist/config/.env.example", "TOKEN=\n");
    check(&universe, "python3.13", "index.handler", "")
        .code(0)
        .says("`config/.env` holds values of variables")
        .says("[secret-file]")
        .never_says("s3cret-value");
}

#[test]
fn deprecated_and_unknown_runtimes_give_a_warning() {
    let universe = Universe::empty().file("dist/index.py", "x = 1\n");
    check(&universe, "python3.8", "index.handler", "").code(0).says("since 2025-11-01").says("[runtime-deprecated]");
    check(&universe, "python3.99", "index.handler", "")
        .code(0)
        .says("is newer than this release")
        .says("[runtime-unknown]");
    check(&universe, "pyton3.13", "index.handler", "").code(0).says("did you mean `python3.13`?");
}
