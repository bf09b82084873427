//! What configuration reads of the tree of a pull request: every reader gets hostile input.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::condition::Condition;
use super::{dotenv, interpolate, joined, layer::Form, placeholders, shell, yaml, *};
use crate::host::{Build, Ci, Host};
use crate::hostile::{each, each_text, endless, on_main_stack};
use crate::place::Place;
use crate::release::Script;
use crate::verb::Purpose;

/// What means something in YAML, in dotenv files, in texts with variables, or to whoever reads paths.
const TOKENS: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    ":",
    "- ",
    "? ",
    "&a ",
    "*a ",
    "<<: ",
    "!!binary ",
    "!!str ",
    "|\n",
    ">-\n",
    "'",
    "\"",
    "#",
    "---\n",
    "...\n",
    "%TAG ! x\n",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "\0",
    "\\x00",
    "\\",
    ",",
    "=",
    "null",
    "~",
    ".inf",
    "1e999",
    "0x",
    "-9223372036854775809",
    "2024-01-01",
    "%{",
    "%{$",
    "%%{",
    "%{git_sha}",
    "%{function_name}",
    "${",
    "$",
    "`",
    "deploy:\n",
    "on: ",
    "secure: ",
    "from_env: ",
    "environment:\n",
    "layers: ",
    "event_sources:\n",
    "function_name: ",
    "run: ",
    "include: ",
    "zip: ",
    "../",
    "/",
    "~/",
    "export ",
    "A=",
    "KEY=\"",
    "\\n",
    "**",
    "[!",
    "\u{202e}",
];

/// Configurations that use every form.
fn configurations() -> Vec<String> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let folders = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| [folder.join("dpl.yml"), folder.join(".travis.yml")]);
    let mut texts: Vec<_> = files.filter_map(|file| fs::read_to_string(file).ok()).collect();
    assert!(texts.len() >= 8);
    texts.push(EVERYTHING.to_owned());
    texts.push(MANY.to_owned());
    texts
}

const MANY: &str = r#"
defaults: { runtime: python3.13, role: "arn:aws:iam::%{account}:role/r", environment: { A1: "%{stage}", B1: "%{$STAGE:-x}" } }
stages:
  dev: { branch: [develop, "feature/*"], memory_size: 128 }
  prod: { branch: main, alias: live, expect_account: "123456789012", environment: { A1: x } }
deploy:
  - for_each: { a: { timeout: 3, stages: { prod: { timeout: 9 } } }, b: }
    function_name: "%{each}-%{stage}"
    region: [eu-west-1, us-east-1]
    stages: { dev: { memory_size: 256 } }
    environment: ["A1=%{region}", { C1: "%%{x}" }]
  - for_each: "*"
    function_name: "f-%{each}"
    zip: "%{each_path}"
    timeout:
"#;

const EVERYTHING: &str = r#"
base: &base { runtime: python3.13, timeout: 30 }
deploy:
  - <<: *base
    provider: lambda
    function_name: orders
    region: eu-west-1
    role: arn:aws:iam::123456789012:role/orders
    handler: app.handler
    memory_size: { main: 256, develop: 128 }
    environment: { STAGE: prod, KEY: { from_env: SOURCE }, GONE: null, LONG: "a\tb\u263a" }
    env_file: [common.env]
    environment_mode: replace
    function_tags: [team=orders, "cost=7"]
    layers: [arn:aws:lambda:eu-west-1:123456789012:layer:a:1, b]
    include: [src/**, { from: ../shared, glob: "**/*.py", to: lib }]
    exclude: |
      *.pyc
      !keep.pyc
    alias: live
    description: "build %{build_number} of %{git_branch} for %{$STAGE}"
    function_url: { auth_type: NONE, cors: { allow_origins: ["*"] } }
    permissions: { s3: { principal: s3.amazonaws.com, source_arn: "arn:aws:s3:::b" } }
    event_sources:
      - { source: arn:aws:sqs:eu-west-1:123456789012:q, batch_size: 10, filters: [{ body: { kind: [a] } }] }
    async_config: { maximum_retry_attempts: 1, on_failure: arn:aws:sqs:eu-west-1:123456789012:f }
    vpc_config: { subnet_ids: [subnet-1], security_group_ids: [sg-1] }
    logging_config: { log_format: JSON, application_log_level: DEBUG }
    run: [echo done]
    on: { branch: [main, "release/*"], tags: false, condition: '$STAGE =~ ^p && ( -n $SOURCE || $A -gt 5 )' }
  - layer: { name: shared, zip: layer, compatible_runtimes: [python3.13] }
  - function_name: travis
    access_key_id: { secure: "abc=" }
    skip_cleanup: true
    allow_failure: true
"#;

/// Every place of a value lies in the text, and so do those of its parts.
fn places_are_in(given: &Given, lines: u32) {
    let is_in =
        |place: &Place| assert!(place.in_file().is_none_or(|place| (1..=lines).contains(&place.line)), "{place}");
    is_in(&given.place);
    match &given.value {
        Value::Null | Value::Text(_) => {}
        Value::List(items) => items.iter().for_each(|item| places_are_in(item, lines)),
        Value::Map(entries) => {
            for entry in entries {
                is_in(&entry.place);
                places_are_in(&entry.given, lines);
            }
        }
    }
}

fn lines(text: &str) -> u32 {
    // YAML knows more line ends than `lines` does.
    u32::try_from(text.matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count()).unwrap() + 1
}

fn parse(text: &str) {
    match yaml::parse(text, &Arc::from("dpl.yml")) {
        Ok(given) => places_are_in(&given, lines(text)),
        Err(problem) => {
            assert!(!problem.message.contains('\n') && problem.message.len() < 1_000, "{}", problem.message);
            let place = problem.place.as_ref().and_then(Place::in_file).unwrap();
            assert!((1..=lines(text)).contains(&place.line), "{place:?} {}", problem.message);
        }
    }
}

#[test]
fn yaml_is_read_or_refused_on_its_line() {
    let seeds = configurations();
    on_main_stack(|| each_text(&seeds.iter().map(String::as_str).collect::<Vec<_>>(), TOKENS, 1, parse));
}

#[test]
fn endless_yaml_ends() {
    on_main_stack(|| endless(TOKENS, 16 << 10, parse));
}

/// Everything that JSON can say as texts, lists and maps.
fn document() -> impl Strategy<Value = Json> {
    let text = || {
        prop_oneof![
            any::<String>().prop_map(|text| text.replace(char::is_control, "")),
            "[ \n\t:#&*!|>'\"%@`{}\\[\\],~-]{0,6}",
            Just("<<".to_owned())
        ]
    };
    let leaf = prop_oneof![text().prop_map(Json::String), Just(Json::Null)];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let map = prop::collection::btree_map(text(), inner.clone(), 0..6);
        prop_oneof![prop::collection::vec(inner, 0..6).prop_map(Json::Array), map.prop_map(|map| json!(map))]
    })
}

fn as_json(given: &Given) -> Json {
    match &given.value {
        Value::Null => Json::Null,
        Value::Text(text) => json!(text),
        Value::List(items) => items.iter().map(as_json).collect(),
        Value::Map(entries) => Json::Object(entries.iter().map(|e| (e.key.clone(), as_json(&e.given))).collect()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What a program writes as JSON is read as it was meant, and a text stays a text.
    #[test]
    fn json_is_read_as_it_was_written(document in document()) {
        match yaml::parse(&document.to_string(), &Arc::from("dpl.yml")) {
            Ok(given) => prop_assert_eq!(as_json(&given), document),
            // What begins a merge, and what YAML has no characters for, may be refused, never misread.
            Err(problem) => prop_assert!(document.to_string().contains("<<") || !document.to_string().is_ascii(), "{}", problem.message),
        }
    }

    /// A value is what was written between the quotes.
    #[test]
    fn quoted_values_of_env_files_come_back(values in prop::collection::vec(any::<String>(), 0..8)) {
        let quoted = |value: &String| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "\\r");
        let lines = values.iter().zip(0..).map(|(value, n)| format!("export K{n} = \"{}\" # why\n", quoted(value)));
        let text = lines.collect::<Vec<_>>().concat();
        let read: Vec<_> = dotenv::parse(&text).unwrap().into_iter().map(|(_, value, _)| value).collect();
        prop_assert_eq!(read, values);
    }
}

const ENV_FILE: &str =
    "# why\nA=1\nexport B = two words # why\nC=\"x\\n\\\"y\\\"\"\nD='$A'\nE=\"a\nb\"\nF=\n\nG=a=b\r\n";

fn parse_env_file(text: &str) {
    match dotenv::parse(text) {
        Ok(pairs) => {
            // Nothing is in a pair that is not in the file, and nothing was expanded.
            let longest = pairs.iter().map(|(key, value, _)| key.len() + value.len()).sum::<usize>();
            assert!(longest <= text.len());
            let last = lines(text);
            assert!(pairs.iter().all(|(_, _, line)| (1..=last).contains(line)));
        }
        Err((line, message)) => assert!((1..=lines(text)).contains(&line) && message.len() < 100, "{line}: {message}"),
    }
}

#[test]
fn env_files_are_read_or_refused_on_their_line() {
    each_text(&[ENV_FILE], TOKENS, 1, parse_env_file);
    endless(
        &["\"", "'", "A=\"", "A='", "A=\"\\", "A=", "#", "=", "export ", "\\", "\"\n", "A=\"b\"\n"],
        256 << 10,
        parse_env_file,
    );
}

#[test]
fn only_names_between_braces_are_filled_in() {
    let host = Host { variables: [("STAGE".to_owned(), "%{$STAGE}".to_owned())].into(), ..Host::default() };
    let build = Build { branch: Some("%{git_branch}".to_owned()), ..Build::default() };
    let option = |name: &str| (name == "function_name").then(|| "%{function_name}".to_owned());
    let fill = |text: &str| {
        // Names that ask git are another matter.
        let text = text.replace("git_", "build_");
        let filled = interpolate::fill(&text, option, &build, &host);
        if !text.contains("%{") {
            assert_eq!(filled, text);
        }
        // What was filled in is not filled in again, so nothing grows without end.
        assert!(filled.len() <= 8 * text.len() + 64);
    };
    each_text(&["build %{build_number} of %{function_name} for %{$STAGE}", "100% %{x} %{}"], TOKENS, 1, fill);
    endless(&["%{", "%", "{", "}", "%{$", "%{a", "%{$STAGE}", "%%{", " "], 256 << 10, fill);
}

#[test]
fn no_command_of_a_travis_value_is_kept() {
    let variables = BTreeMap::from([("A".to_owned(), "$(x) `y` ${B}".to_owned())]);
    let expand = |text: &str| {
        if let Ok(expanded) = shell::expand(text, &variables) {
            assert!(!text.contains("$("));
            // Nothing but the variables' own values can be new.
            assert!(expanded.len() <= text.len() * 8);
        }
        for option in ["description", "memory_size"].into_iter().filter_map(options::find) {
            let _ = placeholders::found(option, text, &Place::Flag(String::new()));
        }
        let _ = joined::keys_behind(text, text);
    };
    each_text(&["a $A ${A}b \\$ `", "$A", "${A}"], TOKENS, 1, expand);
    endless(&["$", "${", "$A", "${A}", "}", "`", "$(", "\\"], 256 << 10, expand);
}

#[test]
fn structures_in_variables_are_read_or_refused() {
    let seeds = [r#"{"a": [1, "b", {"c": null}]}"#, r#"[{ "Source": "x", "Filters": [] }]"#, "a=b\nc=d", "[a, b"];
    let place = Place::Variable("DPL_LAMBDA_X".to_owned());
    let read = |text: &str| {
        for option in options::OPTIONS.iter().step_by(7) {
            match unpack(option, text.to_owned(), &place) {
                Ok(given) => assert!(given.place == place && (given.form == Form::Text || given.as_text().is_some())),
                Err(problem) => assert!(problem.message.len() < 200),
            }
        }
    };
    on_main_stack(|| each_text(&seeds, TOKENS, 2, read));
}

#[test]
fn conditions_hold_or_not_or_are_refused() {
    let variables = BTreeMap::from([("N", "a[$(x)]"), ("B", "*")]);
    let holds = |text: &str| {
        if let Err(message) = Condition::parse(text).and_then(|condition| condition.holds(&variables)) {
            assert!(!message.is_empty());
        }
    };
    let seeds = ["$N -gt 5 && ! ( -z $A || $B == r/* )", "$B =~ ^(a|b)+[0-9]{2,}$", "\"$N\" != 'x y' && $N = ${B}"];
    let tokens = [
        "(",
        ")",
        "! ",
        "&& ",
        "|| ",
        "-z ",
        "-n ",
        "-gt ",
        "== ",
        "=~ ",
        "$N ",
        "${",
        "}",
        "\"",
        "'",
        "\\",
        "*",
        "+",
        "?",
        "[",
        "]",
        "{9999}",
        "(a*)*",
        "a|",
        "@(",
        "[[:alpha:]]",
        "<",
        ">",
        "`",
        "$(",
        "\n",
        "\0",
    ];
    each_text(&seeds, &tokens, 1, holds);
    on_main_stack(|| endless(&tokens, 32 << 10, |text| drop(Condition::parse(text))));
}

#[test]
fn no_value_is_in_the_code_of_a_command() {
    const VALUE: &str = "$(the value) `x`";
    let read = |text: &str| {
        // What the user wrote may hold anything; what was filled in stands in a variable.
        if let Ok(script) = Script::of(text, |_| VALUE.to_owned()) {
            assert!(text.contains("the value") || !script.code.contains("the value"), "{}", script.code);
        }
    };
    let seeds = [
        "echo %{git_commit_msg} \"a %{$STAGE}\" # x",
        "cat <<E\n%{x}\nE\nif a; then b; fi",
        "a=$(b %{x}) && { c | d; }",
    ];
    let tokens = [
        "%{x}",
        "a %{x} ",
        "a=%{x} $a ",
        "%{",
        "$(",
        ")",
        "`",
        "\"",
        "'",
        "$'",
        "<<E\n",
        "\nE\n",
        "<<-'E'",
        "#",
        "\\",
        "\\\n",
        ";",
        "&",
        "|",
        "{ ",
        "}",
        "((",
        "))",
        "case a in ",
        "a)",
        ";;",
        "esac",
        "for ",
        "do ",
        "done",
        "eval ",
        "sh -c ",
        "$((",
        "${a:-",
        "}",
        "\n",
        ">",
        "<(",
        "a=",
        "[[ ",
        "]]",
    ];
    each_text(&seeds, &tokens, 1, read);
    on_main_stack(|| endless(&tokens, 32 << 10, |text| drop(Script::of(text, |_| VALUE.to_owned()))));
}

/// A folder with a configuration and what it names.
struct Tree(tempfile::TempDir);

/// A file with defaults, stages, names and Regions, right or wrong.
fn file_for_many() -> impl Strategy<Value = Json> {
    let text = prop::sample::select(vec![
        "a",
        "f-%{each}",
        "%{stage}-%{region}",
        "%{function_name}",
        "%{role}%{alias}",
        "%{$STAGE:-x}",
        "%{$UNSET}",
        "%%{x}",
        "%{",
        "%{x}",
        "512",
        "main",
        "*",
        "src/*",
        "A1=%{stage}\nB1=x",
    ]);
    let name = || prop::sample::select(vec!["a", "b", "prod", "dev", "A1", "x y", ""]);
    let leaf = prop_oneof![3 => text.prop_map(|text| json!(text)), 1 => Just(Json::Null)];
    let list = prop::collection::vec(leaf.clone(), 0..3).prop_map(Json::Array);
    let pairs = prop::collection::btree_map(name(), leaf.clone(), 0..3).prop_map(|map| json!(map));
    let value = prop_oneof![4 => leaf, 1 => list, 1 => pairs];
    let key = prop::sample::select(vec![
        "function_name",
        "role",
        "alias",
        "region",
        "environment",
        "function_tags",
        "layers",
        "layer",
        "memory_size",
        "zip",
        "on",
        "expect_account",
        "branch",
        "tags",
        "unknown",
    ]);
    let options = prop::collection::btree_map(key, value.clone(), 0..5).prop_map(|map| json!(map));
    let named = move |of: BoxedStrategy<Json>| prop_oneof![4 => prop::collection::btree_map(name(), of, 0..3).prop_map(|map| json!(map)), 1 => value.clone()];
    let with = |name: &'static str, block: BoxedStrategy<Json>, more: BoxedStrategy<Json>| {
        (block, proptest::option::of(more)).prop_map(move |(mut block, more)| {
            if let (Some(map), Some(more)) = (block.as_object_mut(), more) {
                map.insert(name.to_owned(), more);
            }
            block
        })
    };
    let stages = named(options.clone().boxed()).boxed();
    let item = with("stages", options.clone().boxed(), stages.clone()).boxed();
    let block = with("stages", options.clone().boxed(), stages.clone()).boxed();
    let block = with("for_each", block, named(item).boxed()).boxed();
    let deploy = prop_oneof![prop::collection::vec(block.clone(), 0..4).prop_map(Json::Array), block.clone()];
    let file = deploy.prop_map(|deploy| json!({ "deploy": deploy })).boxed();
    let file = with("defaults", file, options.boxed()).boxed();
    prop_oneof![4 => with("stages", file, stages), 1 => block]
}

#[test]
fn many_deployments_are_resolved_or_refused_on_their_line() {
    let tree = Tree::new();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let tested = runner.run(&file_for_many(), |file| {
        let text = format!("{file:#}\n");
        tree.write("dpl.yml", text.as_bytes());
        tree.load(lines(&text));
        Ok(())
    });
    tested.unwrap();
}

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for (name, text) in [
            ("common.env", ENV_FILE),
            ("src/app.py", "def handler(e, c): return 1\n"),
            ("layer/python/a.py", ""),
            ("Cargo.toml", "[package]\nname = \"orders\"\n\n[[bin]]\nname = \"worker\"\n"),
            ("go.mod", "module example.com/orders\n"),
            (".cargo/config.toml", "[build]\ntarget-dir = \"out\"\n"),
        ] {
            tree.write(name, text.as_bytes());
        }
        tree
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Loads for every purpose; each complaint is in the file, and what is rendered can be read again.
    fn load(&self, lines: u32) {
        // The CI says what git would be asked for otherwise.
        let build = [("TRAVIS_BRANCH", "main"), ("TRAVIS_COMMIT", "9f2c118a04de"), ("TRAVIS_REPO_SLUG", "o/r")];
        let own = [("SOURCE", "a"), ("STAGE", "prod"), ("AWS_REGION", "us-east-1")];
        let host = Host { directory: self.0.path().to_owned(), ..Host::with_variables(&[build, own].concat()) };
        for purpose in [Purpose::Deploy, Purpose::Render, Purpose::Package, Purpose::Live, Purpose::Region] {
            let request = Request { flags: Layer::default(), purpose, syntax: Syntax::Own };
            let loaded = load(&request, &host, Ci::Travis, None);
            for problem in loaded.problems.iter().chain(&loaded.warnings) {
                let place = problem.place.as_ref().and_then(Place::in_file);
                assert!(place.is_none_or(|place| (1..=lines).contains(&place.line)), "{problem:?}");
            }
            for rendered in &loaded.rendered {
                let text = rendered.yaml();
                let read = yaml::parse(&text, &Arc::from(""));
                assert!(read.is_ok(), "{} in {text}", read.unwrap_err().message);
            }
        }
    }
}

#[test]
fn configurations_are_resolved_or_refused_on_their_line() {
    on_main_stack(resolve_configurations);
}

fn resolve_configurations() {
    let tree = Tree::new();
    let seeds = configurations();
    for name in ["dpl.yml", ".travis.yml"] {
        each_text(&seeds.iter().map(String::as_str).collect::<Vec<_>>(), TOKENS, 4, |text| {
            tree.write(name, text.as_bytes());
            tree.load(lines(text) + lines(ENV_FILE));
        });
        fs::remove_file(tree.0.path().join(name)).unwrap();
    }
}

#[test]
fn files_beside_the_configuration_are_read_or_refused() {
    let tree = Tree::new();
    tree.write("dpl.yml", b"deploy:\n  - { function_name: a, env_file: common.env }\n  - { function_name: b, runtime: provided.al2023 }\n  - { extension: true, layer: { name: c } }\n");
    for name in ["common.env", "Cargo.toml", "go.mod", ".cargo/config.toml"] {
        let seed = fs::read(tree.0.path().join(name)).unwrap();
        each(std::slice::from_ref(&seed), TOKENS, 16, |bytes| {
            tree.write(name, bytes);
            tree.load(lines(&String::from_utf8_lossy(bytes)) + lines(ENV_FILE));
        });
        tree.write(name, &seed);
    }
}
