//! Tests the inspection of packages by `check`, with real wheels and programs.

use std::{fs, path::Path, sync::OnceLock};

use crate::harness::{Outcome, Universe, emulator, emulator::wheel, on_both};

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
    check(&universe, "python3.13", "app.handler", "--clear layers")
        .code(3)
        .says("`app.handler` is not in the package: there is no `app.py` [handler-missing]");
    let deep = Universe::empty().file("dist/app/index.js", "").file("dist/app/lib/x.js", "");
    check(&deep, "nodejs22.x", "index.handler", "").code(3).says("are in `app`").says("[root-too-deep]");
    check(&Universe::empty().file("dist/app.py", ""), "provided.al2023", "x", "--clear layers")
        .code(3)
        .says("[handler-missing]");
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

/// Makes an archive by Python: each entry with its mode in octal and its content.
fn archive(universe: &Universe, name: &str, entries: &[(&str, u32, &str)]) {
    let mut script = format!("import zipfile\nout = zipfile.ZipFile('{name}', 'w')\n");
    for (entry, mode, content) in entries {
        script += &format!(
            "info = zipfile.ZipInfo({entry:?}); info.create_system = 3; info.external_attr = 0o{mode:o} << 16\nout.writestr(info, {content:?})\n"
        );
    }
    script += "out.close()\n";
    let made = std::process::Command::new("python3").args(["-c", &script]).current_dir(universe.path("")).status();
    assert!(made.unwrap().success());
}

/// Runs `check` on a block.
fn check_block(universe: Universe, block: &str) -> Outcome {
    let role = if block.starts_with("layer") { String::new() } else { format!("role: {ROLE}\n") };
    universe.file("dpl.yml", role + block).run("check")
}

const NODE: &str = "function_name: f\nruntime: nodejs22.x\nzip: dist\n";
const PYTHON: &str = "function_name: f\nruntime: python3.13\nzip: dist\n";
const HANDLER: &str = "exports.handler = async () => {}\n";

#[test]
fn hidden_names_that_stay_out_are_named_and_folders_and_libraries_give_a_warning() {
    let universe = Universe::empty()
        .file("dist/index.js", HANDLER)
        .file("dist/.next/BUILD_ID", "x")
        .file("dist/.libs_cffi/libffi.so", "x")
        .file("dist/.gitignore", "")
        .file("dist/.github/x.yml", "")
        .file("dist/.venv/x.py", "");
    check(&universe, "nodejs22.x", "index.handler", "")
        .code(0)
        .says("`.libs_cffi/`, `.next/` are not in the package")
        .says("[hidden-left-out]")
        .says("`dot_match: true`")
        .never_says("`.github/`, ");
    universe
        .run("package --zip dist --list")
        .code(0)
        .says("left out by default:\n  .libs_cffi/\n  .next/\n  .github/\n  .gitignore\n  .venv/\n");
    universe
        .run("package --zip dist --output f.zip")
        .code(0)
        .says("left out by default: `.libs_cffi/`, `.next/`, `.github/`, `.gitignore`, `.venv/`.");
    let json = universe.run("package --zip dist --list --format json").code(0).json();
    assert_eq!(json["packages"][0]["left_out"].as_array().unwrap().len(), 5);
    for options in
        ["--dot_match", "--include '**' --include '.next/**' --include '.libs_cffi/**'", "--ignore hidden-left-out"]
    {
        check(&universe, "nodejs22.x", "index.handler", options).code(0).never_says("[hidden-left-out]");
    }
    let quiet = Universe::empty().file("dist/index.js", HANDLER).file("dist/.git/x", "").file("dist/.env", "A=1");
    check(&quiet, "nodejs22.x", "index.handler", "").code(0).never_says("[hidden-left-out]");
    let layer = Universe::empty().file("layer/python/x.py", "").file("layer/.libs/x.so", "");
    layer.file("dpl.yml", "layer: deps\n").run("check").code(0).says("`.libs/` is not in the package");
}

#[test]
fn links_into_the_folders_of_lambda_stay_links() {
    let mounted = "file_system_configs: {arn: arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0123456789abcdef0, local_mount_path: /mnt/data}\nvpc_config: {subnet_ids: [subnet-1], security_group_ids: [sg-1]}\n";
    for (name, target) in [
        ("node_modules", "/opt/nodejs/node_modules"),
        ("cache", "/tmp/no-such-folder-of-this-machine"),
        ("current", "/var/task/releases/1"),
        ("runtime", "/var/runtime/x"),
        ("models", "/mnt/data/models"),
        ("relative", "../../opt/lib"),
        ("deep/relative", "../../../opt/lib"),
    ] {
        for symlinks in ["keep", "follow"] {
            let universe = Universe::empty().file("dist/index.js", HANDLER).link(&format!("dist/{name}"), target);
            let block = format!("{NODE}handler: index.handler\nsymlinks: {symlinks}\n{mounted}");
            check_block(universe, &block).code(0).never_says("symlinks");
        }
    }
    for (target, symlinks) in [
        ("/etc/passwd", "keep"),
        ("/opt/../etc/passwd", "keep"),
        ("/opt/../no-such-file", "follow"),
        ("/optional/x", "keep"),
        ("/mnt/other/x", "follow"),
        ("../../../../../../etc/passwd", "keep"),
        ("../../no-such-folder/x", "follow"),
    ] {
        let universe = Universe::empty().file("dist/index.js", HANDLER).link("dist/link", target);
        check_block(universe, &format!("{NODE}handler: index.handler\nsymlinks: {symlinks}\n{mounted}")).code(3);
    }
    let layer = Universe::empty().file("layer/python/x.py", "").link("layer/python/data", "/mnt/no-such-mount");
    layer.file("dpl.yml", "layer: deps\n").run("check").code(3);
    let layer = Universe::empty().file("layer/python/x.py", "").link("layer/python/data", "/var/task/data");
    layer.file("dpl.yml", "layer: deps\n").run("check").code(0);
    let ready = Universe::empty();
    archive(
        &ready,
        "good.zip",
        &[("index.js", 0o100_644, HANDLER), ("node_modules", 0o120_777, "/opt/nodejs/node_modules")],
    );
    archive(&ready, "bad.zip", &[("index.js", 0o100_644, HANDLER), ("link", 0o120_777, "/etc/passwd")]);
    ready.run("package --zip good.zip --list").code(0).says("120777");
    ready.run("package --zip bad.zip --list").code(3).says("out of the package");
}

#[test]
fn files_of_an_archive_must_be_readable_for_everyone() {
    let universe = Universe::empty();
    for (name, entries, says) in [
        ("handler.zip", &[("index.js", 0o100_600, HANDLER)][..], "only the owner may read `index.js` (mode 0600)"),
        (
            "other.zip",
            &[("index.js", 0o100_644, HANDLER), ("lib/a.js", 0o100_640, "")],
            "only the owner may read `lib/a.js`",
        ),
        (
            "folder.zip",
            &[("index.js", 0o100_644, HANDLER), ("lib/", 0o040_700, ""), ("lib/a.js", 0o100_644, "")],
            "only the owner may read the folder `lib` (mode 0700)",
        ),
    ] {
        archive(&universe, name, entries);
        let options =
            format!("check --zip {name} --function_name f --role {ROLE} --runtime nodejs22.x --handler index.handler");
        universe.run(&options).code(0).says(says).says("[not-readable]").says("chmod -R a+rX .");
    }
    archive(&universe, "good.zip", &[("index.js", 0o100_644, HANDLER), ("lib/", 0o040_755, ""), ("x", 0o100_444, "")]);
    let options =
        format!("check --zip good.zip --function_name f --role {ROLE} --runtime nodejs22.x --handler index.handler");
    universe.run(&options).code(0).never_says("[not-readable]");
    archive(&universe, "layer.zip", &[("python/a.py", 0o100_600, "")]);
    universe.file("dpl.yml", "layer: {name: deps, zip: layer.zip}\n").run("check").code(0).says("[not-readable]");
}

#[test]
fn programs_that_must_run_can_be_started() {
    const ADAPTER: &str = "function_name: f\nruntime: nodejs22.x\nhandler: run.sh\nenvironment: {AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap}\nlayers: ['arn:aws:lambda:eu-west-1:753240598075:layer:LambdaAdapterLayerX86:26']\n";
    let ready = |entries: &[(&str, u32, &str)], block: &str| {
        let universe = Universe::empty();
        archive(&universe, "f.zip", entries);
        check_block(universe, block)
    };
    let adapter = format!("{ADAPTER}zip: f.zip\n");
    ready(&[("run.sh", 0o100_755, "#!/bin/sh\nnode server.js\n")], &adapter).code(0).never_says("run.sh");
    ready(&[("run.sh", 0o100_644, "#!/bin/sh\n")], &adapter)
        .code(3)
        .says("[program-not-executable]")
        .says("chmod 755 run.sh")
        .says("`repack: true`");
    ready(&[("run.sh", 0o100_755, "#!/bin/sh\r\nnode server.js\r\n")], &adapter).code(3).says("[program-crlf]");
    ready(&[("run.sh", 0o100_755, "#!/usr/local/bin/node\n")], &adapter).code(3).says("[program-interpreter]");
    ready(&[("server.js", 0o100_755, "x")], &adapter).code(0).says("the web adapter starts it");
    let tree =
        |content: &str| check_block(Universe::empty().file("dist/run.sh", content), &format!("{ADAPTER}zip: dist\n"));
    tree("#!/bin/sh\n").code(0).never_says("run.sh");
    tree("exec node server.js\n").code(3).says("[program-not-executable]").says("git update-index");

    let layer = "layer: {name: deps, zip: f.zip}\n";
    ready(&[("extensions/x", 0o100_755, "#!/bin/sh\n")], layer).code(0).never_says("extensions/x");
    ready(&[("extensions/x", 0o100_644, "#!/bin/sh\n")], layer).code(3).says("[program-not-executable]");
    ready(&[("extensions/x", 0o100_755, "#!/bin/sh\r\n")], layer).code(3).says("[program-crlf]");
    ready(&[("extensions/x", 0o100_755, "echo\n")], layer).code(3).says("[program-no-shebang]");
    ready(&[("bootstrap", 0o100_644, "#!/bin/sh\n")], layer).code(3).says("[bootstrap-not-executable]");

    let own = "function_name: f\nruntime: provided.al2023\nhandler: run.sh\nzip: f.zip\n";
    let bootstrap = ("bootstrap", 0o100_755, "#!/bin/sh\n");
    ready(&[bootstrap, ("run.sh", 0o100_644, "#!/bin/sh\n")], own).code(0).says("[program-not-executable]");
    ready(&[("bootstrap", 0o100_755, "#!/usr/bin/python3\n"), ("run.sh", 0o100_755, "")], own)
        .code(3)
        .says("`bootstrap` needs `/usr/bin/python3`, which `provided.al2023` does not have [program-interpreter]");
    for interpreter in ["/bin/bash", "/usr/bin/env bash", "/usr/bin/env -S sh -e", "/opt/bin/php"] {
        ready(&[("bootstrap", 0o100_755, &format!("#!{interpreter}\n")), ("run.sh", 0o100_755, "")], own).code(0);
    }
    let wrapper = "function_name: f\nruntime: python3.13\nhandler: index.handler\nenvironment: {AWS_LAMBDA_EXEC_WRAPPER: /var/task/wrap.sh}\nzip: f.zip\n";
    ready(&[("index.py", 0o100_644, "handler = 1\n"), ("wrap.sh", 0o100_644, "#!/bin/bash\n")], wrapper)
        .code(3)
        .says("`wrap.sh` has no execute permission");
}

#[test]
fn a_backslash_in_any_name_of_an_archive_is_an_error() {
    let universe = Universe::empty();
    archive(&universe, "f.zip", &[("index.js", 0o100_644, HANDLER), ("lib\\a.js", 0o100_644, "")]);
    let says = "has a `\\` in its name";
    check_block(universe, "function_name: f\nruntime: nodejs22.x\nhandler: index.handler\nzip: f.zip\n")
        .code(3)
        .says(says)
        .says("PowerShell 7");
    let universe = Universe::empty();
    archive(&universe, "f.zip", &[("python\\a.py", 0o100_644, "")]);
    check_block(universe, "layer: {name: deps, zip: f.zip}\n").code(3).says(says);
}

#[test]
fn what_only_aws_knows_is_a_warning_in_a_check() {
    let universe = || Universe::empty().file("dist/other.js", HANDLER);
    let block = format!("{NODE}handler: index.handler\n");
    check_block(universe(), &block).code(0).says("unless the live function has a layer with it");
    check_block(universe(), &format!("{block}clear: layers\n")).code(3).says("[handler-missing]");
    let elsewhere = Universe::empty().file("dist/build/index.js", HANDLER).file("dist/a.js", "");
    check_block(elsewhere, &block).code(3).says("it is in `build`");
}

#[test]
fn handlers_of_known_wrappers_give_way_to_the_function_s_own() {
    let layer = "layers: ['arn:aws:lambda:eu-west-1:464622532012:layer:Datadog:1']\n";
    for (base, handler, variable) in [
        (PYTHON, "datadog_lambda.handler.handler", "DD_LAMBDA_HANDLER"),
        (NODE, "/opt/nodejs/node_modules/datadog-lambda-js/handler.handler", "DD_LAMBDA_HANDLER"),
        (PYTHON, "newrelic_lambda_wrapper.handler", "NEW_RELIC_LAMBDA_HANDLER"),
        (NODE, "newrelic-lambda-wrapper.handler", "NEW_RELIC_LAMBDA_HANDLER"),
        (PYTHON, "sentry_sdk.integrations.init_serverless_sdk.sentry_lambda_handler", "SENTRY_INITIAL_HANDLER"),
        (NODE, "lumigo-auto-instrument.handler", "LUMIGO_ORIGINAL_HANDLER"),
        (PYTHON, "/opt/python/lumigo_tracer._handler", "LUMIGO_ORIGINAL_HANDLER"),
    ] {
        let universe =
            || Universe::empty().file("dist/index.js", HANDLER).file("dist/index.py", "def handler(e, c): ...\n");
        for layers in [layer, ""] {
            let block = |own: &str| format!("{base}handler: {handler}\n{layers}{own}");
            check_block(universe(), &block("")).code(0).never_says("handler-");
            check_block(universe(), &block(&format!("environment: {{{variable}: index.handler}}\n")))
                .code(0)
                .never_says("handler-");
            check_block(universe(), &block(&format!("environment: {{{variable}: app.handler}}\n")))
                .code(0)
                .says(&format!("which `{variable}` names, is not in the package"));
            check_block(universe(), &block(&format!("environment: {{{variable}: index.main}}\n")))
                .code(0)
                .says("[handler-undefined]");
        }
    }
    for wrapper in ["/opt/otel-handler", "/opt/otel-instrument", "/opt/datadog_wrapper", "/opt/lumigo_wrapper"] {
        let block =
            format!("{NODE}handler: index.handler\nenvironment: {{AWS_LAMBDA_EXEC_WRAPPER: {wrapper}}}\n{layer}");
        check_block(Universe::empty().file("dist/index.js", HANDLER), &block).code(0).never_says("handler-");
    }
}

#[test]
fn a_handler_s_file_must_define_its_function() {
    for (base, file, content, says) in [
        (PYTHON, "index.py", "def main(event, context): ...\n", "`index.py` defines no `handler`"),
        (NODE, "index.js", "exports.main = 1\n", "`index.js` exports no `handler`"),
        (NODE, "index.mjs", "export const main = 1\n", "set `handler` to `index.main`"),
        (NODE, "index.js", "function handler() {}\n", "`index.js` exports no `handler`"),
    ] {
        let block = format!("{base}handler: index.handler\n");
        check_block(Universe::empty().file(&format!("dist/{file}"), content), &block)
            .code(0)
            .says(says)
            .says("[handler-undefined]");
    }
    for (base, file, content) in [
        (PYTHON, "index.py", "from app import *\n"),
        (NODE, "index.js", "module.exports = require('./app')\n"),
        (NODE, "index.mjs", "export { a as handler }\n"),
    ] {
        let block = format!("{base}handler: index.handler\n");
        check_block(Universe::empty().file(&format!("dist/{file}"), content), &block).code(0).never_says("handler-");
    }
}

#[test]
fn declared_dependencies_that_are_not_installed_give_a_warning() {
    let python = || Universe::empty().file("dist/index.py", "import requests\ndef handler(e, c): ...\n");
    let node = |text: &str| Universe::empty().file("dist/index.js", format!("{text}\n{HANDLER}"));
    let package = "{\"dependencies\": {\"axios\": \"1\"}}";
    let block = |base: &str| format!("{base}handler: index.handler\n");
    for (universe, base, says) in [
        (python().file("dist/requirements.txt", "requests==2\n"), PYTHON, "pip install --target . -r requirements.txt"),
        (python().file("dist/pyproject.toml", "[project]\ndependencies = [\"requests\"]\n"), PYTHON, "uv pip install"),
        (node("").file("dist/package.json", package), NODE, "npm install --omit=dev"),
        (
            node("const a = require('axios')").file("dist/package.json", package).file("dist/package-lock.json", "{}"),
            NODE,
            "npm ci --omit=dev",
        ),
    ] {
        check_block(universe, &block(base)).code(0).says("[dependencies-missing]").says(says);
    }
    let layers = "layers: ['arn:aws:lambda:eu-west-1:123456789012:layer:deps:1']\n";
    for (universe, base, more) in [
        (python().file("dist/requirements.txt", "requests\n"), PYTHON, layers),
        (python().file("dist/requirements.txt", "boto3\n# x\n"), PYTHON, ""),
        (python().file("dist/requirements.txt", "requests\n").file("dist/requests/__init__.py", ""), PYTHON, ""),
        (python().file("dist/requirements.txt", "PyYAML\n").file("dist/pyyaml-6.dist-info/METADATA", ""), PYTHON, ""),
        (python().file("dist/package.json", package), PYTHON, ""),
        (node("").file("dist/package.json", package).file("dist/node_modules/axios/index.js", ""), NODE, ""),
        (node("// node_modules/axios/index.js").file("dist/package.json", package), NODE, ""),
        (node("").file("dist/package.json", "{\"dependencies\": {\"@aws-sdk/client-s3\": \"3\"}}"), NODE, ""),
        (node("").file("dist/package.json", "{\"devDependencies\": {\"typescript\": \"5\"}}"), NODE, ""),
    ] {
        check_block(universe, &format!("{}{more}", block(base))).code(0).never_says("[dependencies-missing]");
    }
}

#[test]
fn dependencies_for_development_are_named_with_their_sizes() {
    let package =
        "{\"dependencies\": {\"axios\": \"1\"}, \"devDependencies\": {\"typescript\": \"5\", \"@swc/core\": \"1\"}}";
    let lock = "{\"packages\": {\"node_modules/esbuild\": {\"dev\": true}, \"node_modules/axios\": {}}}";
    let universe = Universe::empty()
        .file("dist/index.js", HANDLER)
        .file("dist/package.json", package)
        .file("dist/package-lock.json", lock)
        .file("dist/node_modules/typescript/lib/tsc.js", vec![b'x'; 3 << 20])
        .file("dist/node_modules/@swc/core/swc.txt", vec![b'x'; 2 << 20])
        .file("dist/node_modules/esbuild/esbuild.txt", vec![b'x'; 1 << 20])
        .file("dist/node_modules/axios/a.js", vec![b'x'; 4 << 20]);
    check(&universe, "nodejs22.x", "index.handler", "")
        .code(0)
        .says("6.0 MB of the package are dependencies for development: `typescript` 3.0 MB, `@swc/core` 2.0 MB, `esbuild` 1.0 MB")
        .says("[dev-dependencies]")
        .says("`npm ci --omit=dev`")
        .never_says("`axios`");
}

#[test]
fn a_layer_is_checked_for_each_of_its_runtimes() {
    let layer = |folder: &str, platform: &str| {
        let universe = Universe::empty();
        copy(&wheel("markupsafe==3.0.2", platform, "3.12").unwrap(), &universe.path(&format!("layer/{folder}")));
        universe
    };
    let check =
        |universe: Universe, more: &str| universe.file("dpl.yml", format!("layer:\n  name: deps\n{more}")).run("check");
    let (python, intel) = ("python", "manylinux2014_x86_64");
    check(layer(python, intel), "  compatible_runtimes: [python3.12]\n").code(0).never_says("[python-version]");
    check(layer(python, intel), "  compatible_runtimes: [python3.13]\n").code(3).says("[python-version]");
    check(layer(python, intel), "  compatible_runtimes: [python3.12, python3.13]\n").code(0).says("[python-version]");
    let of_version = "python/lib/python3.12/site-packages";
    check(layer(of_version, intel), "  compatible_runtimes: [python3.12]\n").code(0).never_says("[");
    check(layer(of_version, intel), "  compatible_runtimes: [python3.13]\n").code(0).says("[layer-layout]");
    check(layer(python, intel), "  compatible_architectures: [arm64]\n").code(3).says("[wrong-architecture]");
    check(layer(of_version, intel), "  compatible_architectures: [arm64]\n").code(3).says("[wrong-architecture]");
    check(layer(python, "musllinux_1_2_x86_64"), "").code(3).says("[wrong-libc]");
    check(layer(python, intel), "  compatible_runtimes: [pyton3.12]\n").code(0).says("[runtime-unknown]");
}

#[test]
fn an_archive_in_an_archive_and_files_that_are_no_archives_are_explained() {
    let universe = Universe::empty();
    archive(&universe, "inner.zip", &[("index.js", 0o100_644, HANDLER)]);
    archive(&universe, "outer.zip", &[("inner.zip", 0o100_644, "PK")]);
    let check = |zip: &str| {
        universe.run(&format!(
            "check --zip {zip} --function_name f --role {ROLE} --runtime nodejs22.x --handler index.handler"
        ))
    };
    check("inner.zip").code(0);
    check("outer.zip")
        .code(3)
        .says("is the archive `inner.zip`")
        .says("[nested-archive]")
        .never_says("handler-missing");
    let inner = universe.bytes("inner.zip");
    for (content, says) in [
        (&b""[..], "it is empty"),
        (b"<!DOCTYPE html><html></html>", "it is a web page"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "it is a gzip file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "pointer of Git LFS"),
        (&inner[..inner.len() - 30], "its end is missing"),
    ] {
        universe.write("no.zip", content);
        check("no.zip").code(3).says("`no.zip` is not a zip archive").says(says).never_says("EOCD");
    }
}

#[test]
fn a_plan_names_what_stays_out() {
    on_both(|kind| {
        let universe = Universe::at(&emulator(kind).endpoint)
            .file("dist/index.js", HANDLER)
            .file("dist/.next/BUILD_ID", "x")
            .file("dpl.yml", format!("{NODE}handler: index.handler\nrole: {ROLE}\n"));
        universe.run("plan").code(0).says("1 file, left out by default: `.next/`").says("[hidden-left-out]");
        let json = universe.run("plan --format json").code(0).json();
        assert_eq!(json["functions"][0]["plan"][0]["left_out"][0], ".next/");
    });
}
