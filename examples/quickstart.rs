//! The main job, end to end, on a local AWS: `cargo run --example quickstart`.
//!
//! Installs the emulator under `target/`, deploys `examples/hello`, invokes it, deploys again to show that nothing
//! changes, changes a setting and the code, shows the plan, deploys it, and stops what it started.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "the harness of the tests is shared")]
#![expect(clippy::print_stdout, reason = "a demonstration speaks")]

#[path = "../tests/suite/harness/emulator.rs"]
mod emulator;
#[path = "../tests/suite/harness/http.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod http;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};
use dpl_lambda::{ExitCode, Host};
use emulator::{Emulator, Kind};
use serde_json::json;

fn main() -> Result<()> {
    say("Starting a local AWS (the first time it is installed, which takes a moment)");
    let emulator = Emulator::start(Kind::Ministack)?;
    let aws = http::Aws::of(&emulator.endpoint);
    let hello = copied()?;
    let run = |arguments: &[&str]| deploy(&hello, &emulator, arguments);

    say("Deploying examples/hello");
    run(&[])?;

    say("Invoking it");
    println!("{}", aws.invoke("hello", &json!({ "name": "Lambda" })));

    say("Deploying it again: nothing has changed, so nothing is done");
    run(&[])?;

    say("Changing a setting and the code, and looking at the plan");
    edit(&hello.join("dpl.yml"), "memory_size: 128", "memory_size: 256")?;
    edit(&hello.join("src/index.py"), "Hello", "Good morning")?;
    run(&["plan"])?;

    say("Doing it");
    run(&[])?;
    println!("{}", aws.invoke("hello", &json!({ "name": "Lambda" })));

    say("Stopping the local AWS");
    Ok(())
}

fn say(step: &str) {
    println!("\n== {step}");
}

/// A copy of `examples/hello`, so that it can be edited.
fn copied() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let hello = root.join("target/quickstart/hello");
    fs::create_dir_all(hello.join("src"))?;
    for file in ["dpl.yml", "src/index.py"] {
        fs::copy(root.join("examples/hello").join(file), hello.join(file))?;
    }
    Ok(hello)
}

fn edit(file: &Path, from: &str, to: &str) -> Result<()> {
    let text = fs::read_to_string(file)?;
    ensure!(text.contains(from), "{} has no `{from}`", file.display());
    Ok(fs::write(file, text.replace(from, to))?)
}

/// Runs the tool as on a machine that has nothing but credentials for the emulator.
fn deploy(directory: &Path, emulator: &Emulator, arguments: &[&str]) -> Result<()> {
    println!("$ dpl-lambda {}", arguments.join(" "));
    let mut host = Host::of_process();
    directory.clone_into(&mut host.directory);
    host.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    host.variables =
        [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_ENDPOINT_URL", &emulator.endpoint)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    let code = dpl_lambda::run(&host);
    ensure!(code == ExitCode::Success, "dpl-lambda ended with exit code {}", code as u8);
    Ok(())
}
