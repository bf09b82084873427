//! The folders of `examples/` that have a configuration are deployed, and deployed again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::harness::{Kind, Universe, emulator};
use crate::inspect::arm;

#[test]
fn every_example_is_deployable_as_it_stands() {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let mut tried = 0;
    // The files of CI systems and hooks are tried by `tests/integrations/check.py`.
    let deployable = |path: &PathBuf| path.join("dpl.yml").is_file() || path.join(".travis.yml").is_file();
    for example in fs::read_dir("examples").unwrap().map(|entry| entry.unwrap().path()).filter(deployable) {
        let universe = Universe::at(endpoint)
            .with("AWS_ACCESS_KEY_ID", "111111111111")
            .with("TRAVIS_BRANCH", "main")
            .with("TRAVIS", "true")
            .with("BUCKET", "pictures");
        copy(&example, &universe.path(""));
        // What a compiler makes is not in the repository.
        for (source, program) in [("Cargo.toml", "target/lambda/greeter/bootstrap"), ("go.mod", "bin/counter")] {
            if universe.path(source).is_file() {
                universe.write(program, arm());
            }
        }
        universe.run("check").code(0);
        universe.run("").code(0).says("Deployed arn:aws:lambda:");
        universe.run("").code(0).says("is unchanged").never_says("Updating");
        tried += 1;
    }
    assert!(tried >= 8);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
