//! The README is true: its table is the option table, its blocks are read, its sessions are run.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dpl_lambda::config::options::{Clear, Group, Kind, OPTIONS};
use dpl_lambda::package::inspect::Rule;

use serde_json::json;

use crate::harness::{Aws, Proxy, Universe, emulator};
use crate::inspect::arm;

fn readme() -> String {
    fs::read_to_string("README.md").unwrap()
}

/// The table of options as Markdown.
fn table() -> String {
    let mut out = String::new();
    for group in Group::ALL {
        out += &format!("\n#### {}\n\n| option | example | meaning |\n| --- | --- | --- |\n", group.heading());
        for option in OPTIONS.iter().filter(|option| option.group == group) {
            let aliases: Vec<_> = option.aliases.iter().map(|alias| format!("`{}`", alias.name)).collect();
            let also = if aliases.is_empty() { String::new() } else { format!(" Also {}.", aliases.join(", ")) };
            let clear = if option.clear == Clear::Yes { " Emptied by `clear`." } else { "" };
            let example = if matches!(option.kind, Kind::Flag) { "true".to_owned() } else { option.example.to_owned() };
            out +=
                &format!("| `{}` | `{example}` | {}{also}{clear} |\n", option.name, option.meaning.replace('|', "\\|"));
        }
    }
    out + "\n"
}

#[test]
fn the_table_of_options_is_complete() {
    const BEGIN: &str = "<!-- options -->\n";
    const END: &str = "<!-- end of options -->";
    let text = readme();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        fs::write("README.md", format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
    } else {
        assert_eq!(shown, table(), "run `UPDATE=1 cargo test --test suite readme` to rewrite it");
    }
}

#[test]
fn the_table_of_rules_is_complete() {
    for rule in Rule::ALL {
        assert!(readme().contains(&format!("| `{}` | ", rule.name())), "the README does not tell of {}", rule.name());
    }
}

/// Fenced blocks with the comment before them.
fn fences(text: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    let mut before = String::new();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push((before.clone(), language.to_owned(), body.join("\n") + "\n"));
        }
        line.clone_into(&mut before);
    }
    found
}

#[test]
fn its_blocks_and_sessions_work_as_shown() {
    let endpoint = &Proxy::before(&emulator(crate::harness::Kind::Ministack).endpoint).endpoint;
    let universe = Universe::at(endpoint).with("CI_API_TOKEN", "a-token-of-the-ci");
    let universe =
        universe.file("src/index.py", "def handler(e, c):\n    print('called with', e)\n    return 'hello'\n");
    let universe = universe
        .file("dist/bootstrap", "#!/bin/sh\nexec ./lib/run\n")
        .file("dist/lib/rules.json", "{\"limit\": 10}\n".repeat(20_000))
        .file("dist/lib/vendor/parser.js", "exports.parse = (text) => JSON.parse(text);\n".repeat(20_000));
    let mut sessions = 0;
    let mut first = None;
    for (before, language, body) in fences(&readme()) {
        match (before.as_str(), language.as_str()) {
            ("<!-- file: dpl.yml -->", "yaml") => {
                universe.write("dpl.yml", &body);
                first.get_or_insert(body.clone());
            }
            ("<!-- session -->", "console") => {
                if body.contains("--format json") {
                    universe.write("dpl.yml", first.as_deref().unwrap());
                }
                if body.contains("package --zip") {
                    fs::remove_file(universe.path("dpl.yml")).unwrap();
                }
                if body.contains("dpl-lambda invoke") {
                    make_live(&universe, first.as_deref().unwrap());
                }
                session(&universe, &body);
                sessions += 1;
            }
            ("<!-- session -->" | "<!-- file: dpl.yml -->", other) => panic!("a {other} block is marked"),
            _ => {}
        }
        if body.contains("orders-api") {
            universe.write("src/index.js", "exports.handler = async () => 1;\n");
            universe.write("src/lib/x.js", "");
            universe.run("check").code(0).says("`orders-api` is configured correctly");
            fs::remove_dir_all(universe.path("src/lib")).unwrap();
            fs::remove_file(universe.path("src/index.js")).unwrap();
        }
    }
    assert!(sessions >= 12);
}

/// Makes what the sessions of the other commands show: versions, an alias and a URL, and functions elsewhere.
fn make_live(universe: &Universe, block: &str) {
    let own = universe.read("dpl.yml");
    universe.write("dpl.yml", block);
    universe.run("--publish --version_description 'commit 9f2c118a04de, build 41'").code(0);
    universe.run("--publish --version_description 'commit 5d1e0a7b93c4, build 42' --memory_size 256").code(0);
    universe.run("--function_name thumbnails --region eu-central-1 --memory_size 1024 --publish").code(0);
    universe.run("--function_name invoices --region eu-central-1 --memory_size 256 --timeout 30").code(0);
    universe.write("dpl.yml", own);
    let aws = Aws::of(&emulator(crate::harness::Kind::Ministack).endpoint);
    aws.make_alias("hello", &json!({ "Name": "live", "FunctionVersion": "2", "Description": "[before: 1]" }));
    aws.put("POST", "/2021-10-31/functions/hello/url", &json!({ "AuthType": "AWS_IAM" }));
}

/// Runs each `$` line and compares what it prints; `?` names the exit code.
fn session(universe: &Universe, body: &str) {
    for step in format!("\n{body}").split("\n$ dpl-lambda").skip(1) {
        let (line, expected) = step.split_once('\n').unwrap();
        let (code, expected) = match expected.split_once('\n') {
            Some(("? 3", expected)) => (3, expected),
            Some(("? success", expected)) => (0, expected),
            _ => (0, expected),
        };
        let outcome = universe.run(line).code(code);
        let said = if line.contains("json") { outcome.stdout } else { outcome.all() };
        snapbox::assert_data_eq!(said.trim(), expected.trim().to_owned());
    }
}

#[test]
fn every_example_is_deployable_as_it_stands() {
    let endpoint = &emulator(crate::harness::Kind::Ministack).endpoint;
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
