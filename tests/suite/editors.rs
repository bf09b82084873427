//! What editors and shells get: the JSON Schema, completions, the man page.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::harness::{Kind, Universe, emulator};
use crate::manual::{Mark, blocks, manual};

/// Validates each file of the input against a schema; an answer is the list of its first errors.
const VALIDATOR: &str = "
import json, sys, jsonschema, yaml
asked = json.load(sys.stdin)
validator = jsonschema.Draft7Validator(asked['schema'])
validator.check_schema(asked['schema'])

def answer(text):
    # The keys of JSON are texts; YAML 1.1 makes a boolean of `on`.
    document = json.loads(json.dumps(yaml.safe_load(text), default=str))
    return [f'{list(error.absolute_path)}: {error.message}'[:300] for error in validator.iter_errors(document)][:3]

json.dump([answer(text) for text in asked['files']], sys.stdout)
";

/// The errors of a schema about each of these files.
fn errors(arguments: &str, files: &[String]) -> Vec<Vec<String>> {
    let schema: Value = serde_json::from_str(&Universe::empty().run(arguments).code(0).stdout).unwrap();
    let mut python = Command::new("python3");
    python.args(["-c", VALIDATOR]).env("PYTHONPATH", emulator::home(Kind::Moto).unwrap());
    let mut python = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let asked = json!({ "schema": schema, "files": files });
    python.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The files of the manual and of the examples, with their names.
fn valid(name: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for page in manual() {
        let blocks = blocks(&page);
        for (index, block) in blocks.iter().enumerate() {
            // A session that ends with 3 shows a mistake in the file.
            let session = blocks[index..].iter().find(|block| matches!(block.mark, Mark::Session { .. }));
            let is_wrong = session.is_some_and(|session| session.mark == Mark::Session { code: 3 });
            if matches!(&block.mark, Mark::File(file) if file == name) && !is_wrong {
                found.push((page.path.display().to_string(), block.body.clone()));
            }
        }
    }
    for entry in walkdir::WalkDir::new("examples") {
        let entry = entry.unwrap();
        if entry.file_name() == name {
            found.push((entry.path().display().to_string(), std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
    found
}

#[test]
fn the_schema_accepts_every_file_of_the_manual_and_the_examples() {
    for (arguments, name, least) in [("schema", "dpl.yml", 25), ("schema --travis", ".travis.yml", 2)] {
        let files = valid(name);
        assert!(files.len() >= least, "{name}: {}", files.len());
        let texts: Vec<_> = files.iter().map(|(_, text)| text.clone()).collect();
        for ((place, text), errors) in files.iter().zip(errors(arguments, &texts)) {
            assert!(errors.is_empty(), "{place}: {errors:#?}\n{text}");
        }
    }
}

/// Forms that the manual does not show, and that are valid.
const RIGHT: &str = "
memory-size: 128
Memory_Size: '256'
timeout: 1_0
architectures: [arm64]
publish: 'yes'
layers: a, b
environment: A=1
environment: [A=1, B=2]
environment: {A: 1, B: null, C: {from_env: C}}
tags: {a: b}
memory_size: {from_env: MEMORY}
memory_size: {main: {from_env: MEMORY, default: 128}, develop: {from_ssm: /memory}}
role: {from_env: ROLE}
architecture: {from_env: ARCHITECTURE}
publish: {from_env: PUBLISH}
region: [{from_env: REGION}, eu-west-1]
layers: {from_env: LAYERS}
include: [{from_env: FILES}]
layer: {name: {from_env: LAYER}}
layer: {from_env: LAYER}
vpc_config: {subnet_ids: {from_env: SUBNETS}, security_group_ids: [{from_stack: a, output: b}]}
dead_letter_config: {TargetArn: 'arn:aws:sqs:eu-west-1:123456789012:q'}
tracing_config: {Mode: Active}
logging_config: {LogFormat: JSON}
logging_config: {log-format: json}
logging_config: JSON
snap_start: {apply_on: PublishedVersions}
function_url: true
function_url: {auth_type: NONE, cors: {allow_origins: '*'}}
event_sources: [{event_source_arn: 'arn:aws:sqs:eu-west-1:123456789012:q', batch_size: '5'}]
permissions: {statement_id: a, principal: s3.amazonaws.com}
include: [a, {from: b, glob: '*'}]
layer: {name: deps}
layer: deps
on: main
on: {branch: [main, 'v*'], tags: true, python: 3.12}
description: {main: a, develop: b}
description: {from_function: g, output: version}
description: {main: {from_function: g, output: Function_URL}}
role: null
dry_run: aws
ephemeral_storage: 1024 MB
log_retention_days: 30
x: &x 1
";

/// Mistakes that an editor shows while one types. `check` refuses all of them too.
const WRONG: &str = "
funtion_name: x
memory: 128
memory_size: 64
memory_size: 99999
memory_size: lots
memory_size: [128]
memory_size: 12.5
timeout: 0
timeout: soon
timeout: 9000
ephemeral_storage: 100
architecture: sparc
architecture: x86
publish: maybe
publish: [true]
symlinks: break
environment_mode: keep
function_tags_mode: some
permissions_mode: all
dry_run: perhaps
dot_match: sometimes
create_role: [yes]
environment: 5
environment: just text
environment: {A: [1, 2]}
environment: {A: {from_environment: X}}
environment: {A: {from_env: X, defaults: y}}
tags: text
tags: {A: {from_env: X, defaults: y}}
run: [{from_env: COMMAND}]
run: {from_env: COMMAND}
smoke_test: {run: {from_env: COMMAND}}
description: {from_function: f}
description: {from_function: f, output: nothing}
description: {from_env: X, from_function: f}
memory_size: {from-ssm: /memory, key: x}
role: {main: {from_stack: s}}
logging_config: {format: JSON}
logging_config: {log_format: XML}
logging_config: {log_format: JSON, level: INFO}
snap_start: {apply_on: Always}
snap_start: Always
vpc_config: {subnets: [subnet-1]}
function_url: {auth: NONE}
function_url: {auth_type: PUBLIC}
function_url: {auth_type: NONE, cors: {origins: ['*']}}
event_sources: [{batch_size: 5, event_source: x}]
event_sources: [{event_source_arn: 'arn:aws:sqs:eu-west-1:123456789012:q', batch_size: many}]
permissions: [{principal: s3.amazonaws.com, statement: a}]
async_config: {retries: 1}
async_config: {maximum_retry_attempts: 7}
runtime_management: Sometimes
recursive_loop: Maybe
log_retention_days: 2
image_config: {cmd: [a]}
file_system_configs: [{arn: 'arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-1'}]
include: [{glob: '*'}]
include: [{from: a, to: b, as: c}]
layer: {named: deps}
layer: {name: deps, runtimes: [python3.12]}
on: {branches: main}
on: {tag: true}
on: [main]
wait_timeout: forever
role_duration: 60
trust_config: true
";

#[test]
fn the_schema_shows_mistakes_that_check_refuses() {
    let file = |line: &str| {
        format!(
            "function_name: f\nregion: eu-west-1\nrole: arn:aws:iam::123456789012:role/r\nruntime: python3.13\nhandler: index.handler\nzip: src\n{line}\n"
        )
    };
    let nested = |line: &str| {
        format!("x-shelf: {{a: 1}}\ndeploy:\n  - provider: lambda\n    zip: src\n    function_name: f\n    {line}\n")
    };
    let lines = |text: &'static str| text.lines().filter(|line| !line.is_empty() && !line.starts_with("x:"));
    let right: Vec<_> =
        lines(RIGHT).map(|line| if line.starts_with("role:") { nested(line) } else { file(line) }).collect();
    for (text, errors) in right.iter().zip(errors("schema", &right)) {
        assert!(errors.is_empty(), "{text}\n{errors:#?}");
    }
    let wrong: Vec<_> = lines(WRONG).map(file).collect();
    assert!(wrong.len() >= 50);
    let universe = Universe::empty().file("src/index.py", "def handler(event, context): pass\n");
    for (text, errors) in wrong.iter().zip(errors("schema", &wrong)) {
        assert!(!errors.is_empty(), "the schema accepts\n{text}");
        universe.write("dpl.yml", text);
        universe.run("check").code(3);
    }
    let top =
        ["deploy:\n  function_name: f\nfunctions: 1\n", "deploy: text\n", "- function_name: f\n"].map(str::to_owned);
    assert!(errors("schema", &top).iter().all(|errors| !errors.is_empty()));
}

#[test]
fn bash_completes_verbs_options_and_values() {
    let script = Universe::empty().run("completions bash").code(0).stdout;
    let completed = |words: &str| {
        let count = words.split(' ').count() - 1;
        let (last, before) = (words.split(' ').next_back().unwrap(), words.split(' ').nth(count - 1).unwrap());
        let test = format!(
            "{script}\nCOMP_WORDS=({words} ''); COMP_CWORD={count}; _dpl__lambda dpl-lambda '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let mut bash = Command::new("bash").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        bash.stdin.take().unwrap().write_all(test.as_bytes()).unwrap();
        let output = bash.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(completed("dpl-lambda rol"), ["rollback"]);
    assert_eq!(completed("dpl-lambda deploy --architec"), ["--architecture"]);
    assert_eq!(completed("dpl-lambda deploy --architecture "), ["x86_64", "arm64"]);
    assert_eq!(completed("dpl-lambda completions z"), ["zsh"]);
}

#[test]
fn every_shell_has_completions_and_the_man_page_has_every_option() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = Universe::empty().run(&format!("completions {shell}")).code(0).stdout;
        assert!(script.contains("rollback") && script.contains("function_name"), "{shell}");
    }
    let page = Universe::empty().run("man").code(0).stdout;
    assert!(page.contains(".TH dpl-lambda 1") && page.contains(r"\-\-memory_size"));
    Universe::empty().run("completions").code(3).says("names no shell").says("zsh");
    Universe::empty().run("completions tcsh").code(3).says("zsh");
    Universe::empty().run("deploy bash").code(3);
}
