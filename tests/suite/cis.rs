//! The features of every CI, read by parsers that follow the CI's own grammar.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::oracles::{self, Command};
use crate::harness::{Fault, Kind, Outcome, Proxy, Universe, emulator};

const SECRET: &str = "s3cret;of]the|c%i'";

const GITHUB: &[(&str, &str)] = &[("CI", "true"), ("GITHUB_ACTIONS", "true")];
const GITLAB: &[(&str, &str)] = &[("CI", "true"), ("GITLAB_CI", "true")];
const TRAVIS: &[(&str, &str)] = &[("CI", "true"), ("TRAVIS", "true")];
const AZURE: &[(&str, &str)] = &[("TF_BUILD", "True")];
const BUILDKITE: &[(&str, &str)] = &[("CI", "true"), ("BUILDKITE", "true"), ("BUILDKITE_JOB_ID", "0190-ab")];
const CIRCLECI: &[(&str, &str)] = &[("CI", "true"), ("CIRCLECI", "true")];
const TEAMCITY: &[(&str, &str)] = &[("TEAMCITY_VERSION", "2026.1")];
const BITBUCKET: &[(&str, &str)] = &[("CI", "true"), ("BITBUCKET_COMMIT", "abc")];
const DRONE: &[(&str, &str)] = &[("CI", "true"), ("DRONE", "true")];

/// CI systems whose only feature is the log.
const PLAIN: &[&[(&str, &str)]] = &[
    &[("CI", "woodpecker")],
    &[("APPVEYOR", "True"), ("CI", "True"), ("APPVEYOR_API_URL", "http://localhost:1/")],
    &[("CODEBUILD_BUILD_ARN", "arn:aws:codebuild:x")],
    &[("JENKINS_URL", "http://x/"), ("BUILD_ID", "1")],
    &[("CI", "true")],
];

/// A folder to deploy from, in the environment of a CI.
fn on(ci: &[(&str, &str)], function: &str) -> (Universe, Proxy) {
    let proxy = Proxy::before(&emulator(Kind::Ministack).endpoint);
    let universe = Universe::at(&proxy.endpoint)
        .with("CI_SECRET", SECRET)
        .file("dist/index.py", "def handler(e, c): return 1\n")
        .file("dpl.yml", format!("deploy:\n  provider: lambda\n  function_name: {function}\n  role: deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n  publish: true\n  environment:\n    TOKEN: {{from_env: CI_SECRET}}\n"));
    (ci.iter().fold(universe, |universe, (name, value)| universe.with(name, value)), proxy)
}

/// The same with an error in line 3, and another in a flag.
fn mistaken(universe: &Universe) -> Outcome {
    universe.write("dpl.yml", "deploy:\n  function_name: f\n  memory_size: 64\n");
    let outcome = universe.run("--timeout 901").code(3);
    let masks = |line: &str| line.starts_with("::add-mask::");
    assert!(outcome.stderr.lines().all(masks), "the log has one stream: {}", outcome.stderr);
    outcome
}

fn commands(outcome: &Outcome, read: impl Fn(&str) -> Option<Command>) -> Vec<Command> {
    oracles::lines(&outcome.stdout).iter().filter_map(|line| read(line)).collect()
}

fn named<'a>(commands: &'a [Command], name: &str) -> Vec<&'a Command> {
    commands.iter().filter(|command| command.name == name).collect()
}

/// Checks the outputs of a first deployment, by the names of their variables.
#[track_caller]
fn assert_outputs(found: &BTreeMap<String, String>, function: &str) {
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{function}");
    assert_eq!(found["DPL_LAMBDA_FUNCTION_ARN"], arn);
    assert_eq!((found["DPL_LAMBDA_VERSION"].as_str(), found["DPL_LAMBDA_CHANGED"].as_str()), ("1", "true"));
    assert!(found["DPL_LAMBDA_PACKAGE_SIZE"].parse::<u64>().is_ok() && found["DPL_LAMBDA_CODE_SHA256"].len() == 44);
    assert!(found.values().all(|value| !value.contains(SECRET)));
}

#[test]
fn gitlab_gets_sections_and_the_files_of_its_reports() {
    let (universe, _) = on(GITLAB, "on-gitlab");
    let files = "--output_file deploy.env --gitlab_annotations_file links.json --gitlab_codequality_file quality.json";
    let outcome = universe.run(files).code(0).never_says(SECRET);
    let sections = oracles::gitlab_sections(&outcome.stdout);
    assert_eq!(sections.iter().map(|section| section.starts).collect::<Vec<_>>(), [true, false]);
    let folded = outcome.stdout.split("\u{1b}[0Ksection_").nth(1).unwrap();
    assert!(folded.contains("Run deployment\nCreating function on-gitlab.\n") && !folded.contains("plan for"));
    let found = oracles::gitlab_dotenv(&universe.read("deploy.env")).unwrap();
    assert_outputs(&found, "on-gitlab");
    assert!(!found.contains_key("DPL_LAMBDA_PLAN"));
    let links: Value = serde_json::from_str(&universe.read("links.json")).unwrap();
    let url = "https://us-east-1.console.aws.amazon.com/lambda/home?region=us-east-1#/functions/on-gitlab/versions/1";
    let link = json!({"external_link": {"label": "on-gitlab in us-east-1, version 1", "url": url}});
    assert_eq!(links, json!({"Lambda": [link]}));
    assert_eq!(universe.read("quality.json"), "[]");

    let universe = found.iter().fold(universe, |universe, (name, value)| universe.with(name, value));
    universe.run("").code(0).says("is unchanged").never_says("warning");

    let project = universe.path("").to_string_lossy().trim_end_matches("/checkout/").to_owned();
    let universe = universe.with("CI_PROJECT_DIR", &project).with("DPL_LAMBDA_GITLAB_CODEQUALITY_FILE", "quality.json");
    mistaken(&universe);
    let problems: Value = serde_json::from_str(&universe.read("quality.json")).unwrap();
    assert_eq!(problems[0]["location"], json!({"path": "checkout/dpl.yml", "lines": {"begin": 3}}));
    assert_eq!(problems[0]["description"], "memory_size: must be between 128 and 10240 MB, got 64");
    assert_eq!(problems.as_array().unwrap().len(), 1, "a flag has no line");
}

#[test]
fn azure_gets_groups_issues_variables_and_a_summary() {
    let (universe, _) = on(AZURE, "on-azure");
    std::fs::create_dir(universe.path("temp")).unwrap();
    let temporary = universe.path("temp").to_string_lossy().into_owned();
    let universe = universe.with("AGENT_TEMPDIRECTORY", &temporary);
    let outcome = universe.run("").code(0).never_says(SECRET);
    let said = commands(&outcome, oracles::azure);
    assert!(named(&said, "task.setsecret").is_empty() && outcome.stderr.is_empty(), "a step may have `failOnStderr`");
    assert_eq!(named(&said, "group")[0].data, "Run deployment");
    assert_eq!(named(&said, "endgroup").len(), 1);
    let set = named(&said, "task.setvariable");
    assert!(set.iter().all(|command| command.properties["isoutput"] == "true"));
    let found = set.iter().map(|command| (command.properties["variable"].clone(), command.data.clone())).collect();
    assert_outputs(&found, "on-azure");
    assert!(found["DPL_LAMBDA_PLAN"].starts_with(r#"[{"step":"create_function""#));
    let page = std::fs::read_to_string(&named(&said, "task.uploadsummary")[0].data).unwrap();
    assert!(page.contains("### ✔ on-azure deployed"), "{page}");

    let outcome = universe.run("--summary_file page.md").code(0);
    let said = commands(&outcome, oracles::azure);
    assert_eq!(named(&said, "task.uploadsummary")[0].data, universe.path("page.md").to_string_lossy());
    assert!(universe.read("page.md").contains("is unchanged"));

    let said = commands(&mistaken(&universe), oracles::azure);
    let issues = named(&said, "task.logissue");
    assert_eq!(issues.len(), 2);
    let of = |key: &str| issues[0].properties[key].as_str();
    assert_eq!((of("type"), of("sourcepath"), of("linenumber")), ("error", "dpl.yml", "3"));
    assert_eq!(issues[0].data, "memory_size: must be between 128 and 10240 MB, got 64");
    assert!(
        issues[1].data.starts_with("timeout: must be between 1 and 900 s, got 901 (--timeout)\n"),
        "{}",
        issues[1].data
    );
}

#[test]
fn problems_over_the_limit_share_the_last_annotation() {
    for (ci, read, error) in
        [(GITHUB, oracles::github as fn(&str) -> Option<Command>, "error"), (AZURE, oracles::azure, "task.logissue")]
    {
        let (universe, _) = on(ci, "many");
        let keys: String = (0..12).map(|number| format!("  wrong_{number:02}: x\n")).collect();
        universe.write("dpl.yml", format!("deploy:\n  function_name: f\n{keys}"));
        let outcome = universe.run("").code(3);
        let said = commands(&outcome, read);
        let errors = named(&said, error);
        assert_eq!(errors.len(), 10, "{}", outcome.stdout);
        assert!(errors[8].data.contains("`wrong_08`"));
        assert!(errors[9].data.starts_with("3 more errors:\n") && errors[9].data.contains("`wrong_11`"));
        assert!(outcome.stdout.contains(": `wrong_10` is not an option (dpl.yml:13:3)\n"), "{}", outcome.stdout);
        universe.write("dpl.yml", format!("deploy:\n  function_name: f\n{}", &keys[..10 * "  wrong_00: x\n".len()]));
        let said = commands(&universe.run("").code(3), read);
        assert!(named(&said, error)[9].data.contains("`wrong_09` is not an option"), "one alone stands for itself");
    }
}

/// Replaces Buildkite's program by one that records the arguments and input of each call.
fn with_agent(universe: Universe) -> Universe {
    let script = "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$AGENT_LOG\"\nsed 's/^/  /' >> \"$AGENT_LOG\"\necho >> \"$AGENT_LOG\"\necho noise\n";
    let path = format!("{}:{}", universe.path("../bin").display(), std::env::var("PATH").unwrap());
    let log = universe.path("agent.log").to_string_lossy().into_owned();
    universe.file("../bin/buildkite-agent!", script).with("PATH", &path).with("AGENT_LOG", &log)
}

#[test]
fn buildkite_gets_headers_and_calls_of_its_agent() {
    let (universe, _) = on(BUILDKITE, "on-buildkite");
    universe.run("--verbose").code(0).says("cannot run `buildkite-agent redactor add -`").never_says(SECRET);
    universe.write("dist/index.py", "def handler(e, c): return 2\n");

    let universe = with_agent(universe);
    let outcome = universe.run("").code(0).never_says(SECRET).never_says("noise");
    let headers: Vec<_> = outcome.stdout.lines().filter_map(oracles::buildkite).collect();
    let url =
        "https://us-east-1.console.aws.amazon.com/lambda/home?region=us-east-1#/functions/on-buildkite/versions/2";
    let link = format!("\u{1b}]1339;url='{url}';content='on-buildkite in us-east-1, version 2'\u{7}");
    assert_eq!(headers, ["+++ Authenticate deployment", "+++ Run deployment", link.as_str()]);
    let log = universe.read("agent.log");
    assert!(log.contains(&format!("redactor add -\n  {SECRET}\n")), "{log}");
    assert!(log.contains("\nmeta-data set dpl-lambda:version\n  2\n"), "{log}");
    assert!(
        log.contains(
            "annotate --append --style success --context dpl-lambda-success-0190-ab\n  ### ✔ on-buildkite deployed\n"
        ),
        "{log}"
    );
    let arguments: Vec<_> = log.lines().filter(|line| !line.starts_with("  ")).collect();
    assert!(arguments.iter().all(|line| !line.contains(SECRET) && !line.contains("arn:")), "{arguments:?}");

    let outcome = mistaken(&universe).says("memory_size: must be between 128 and 10240 MB, got 64 (dpl.yml:3:16)");
    assert_eq!(outcome.stdout.lines().filter_map(oracles::buildkite).collect::<Vec<_>>(), ["^^^ +++"]);
    assert!(universe.read("agent.log").contains("--style error --context dpl-lambda-error-0190-ab\n"));
}

#[test]
fn a_program_or_service_of_the_ci_that_fails_is_one_warning() {
    let (universe, _) = on(BUILDKITE, "agent-fails");
    let path = format!("{}:{}", universe.path("../bin").display(), std::env::var("PATH").unwrap());
    let script = "#!/bin/sh\ncat > /dev/null\ncase $1 in redactor) exit 7;; esac\necho \"$1\" >> calls\n";
    let universe = universe.file("../bin/buildkite-agent!", script).with("PATH", &path);
    let outcome = universe.run("plan").code(0).never_says(SECRET);
    let warnings: Vec<_> = outcome.stdout.lines().filter(|line| line.starts_with("warning:")).collect();
    assert_eq!(warnings, ["warning: `buildkite-agent redactor add -` failed: exit status: 7"]);
    assert!(universe.read("calls").contains("meta-data\n"), "the other calls are made all the same");

    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    drop(silent);
    let (universe, _) = on(&[("APPVEYOR", "True"), ("APPVEYOR_API_URL", &url)], "service-fails");
    let outcome = universe.run("plan").code(0);
    let warnings: Vec<_> = outcome.stdout.lines().filter(|line| line.starts_with("warning:")).collect();
    assert!(matches!(&warnings[..], [only] if only.contains("nothing more is sent to")), "{}", outcome.stdout);
    let document = universe.run("plan --format json --output_file /dev/full").code(0).json();
    let messages: Vec<_> = document["warnings"].as_array().unwrap().iter().map(|warning| &warning["message"]).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
}

#[test]
fn circleci_gets_exports_for_later_steps() {
    let (universe, _) = on(CIRCLECI, "on-circleci");
    universe.write("bash_env", "export BEFORE=1");
    let bash_env = universe.path("bash_env").to_string_lossy().into_owned();
    let universe = universe.with("BASH_ENV", &bash_env);
    universe.run("").code(0).never_says(SECRET);
    let mut shell = std::process::Command::new("/bin/sh");
    let output = shell.args(["-c", ". ./bash_env && env"]).current_dir(universe.path("")).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let found = output.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned()));
    let found: BTreeMap<_, _> = found.collect();
    assert_outputs(&found, "on-circleci");
    assert!(found["BEFORE"] == "1" && found["DPL_LAMBDA_PLAN"].contains("create_function"));
    mistaken(&universe).says("(dpl.yml:3:16)");
}

#[test]
fn teamcity_gets_blocks_messages_parameters_and_a_status() {
    let (universe, _) = on(TEAMCITY, "on-teamcity");
    let outcome = universe.run("").code(0).never_says(SECRET);
    let said = commands(&outcome, oracles::teamcity);
    assert!(outcome.stdout.is_ascii() || !said.iter().any(|command| command.name == "malformed"));
    assert_eq!(named(&said, "blockOpened")[0].properties["name"], "Run deployment");
    assert_eq!(named(&said, "blockClosed")[0].properties["name"], "Run deployment");
    let parameter = |command: &&Command| {
        let name = command.properties["name"].strip_prefix("env.").unwrap();
        (name.to_owned(), command.properties["value"].clone())
    };
    let found = named(&said, "setParameter").iter().map(parameter).collect();
    assert_outputs(&found, "on-teamcity");
    let status = "{build.status.text}; on-teamcity deployed, version 1";
    assert_eq!(named(&said, "buildStatus")[0].properties["text"], status);
    assert!(named(&said, "buildProblem").is_empty() && outcome.stderr.is_empty());

    let said = commands(&mistaken(&universe), oracles::teamcity);
    let messages = named(&said, "message");
    assert!(messages.iter().all(|message| message.properties["status"] == "ERROR") && messages.len() == 2);
    assert!(messages[0].properties["text"].ends_with("(dpl.yml:3:16)"));
    let inspection = named(&said, "inspection");
    assert_eq!((inspection.len(), inspection[0].properties["line"].as_str()), (1, "3"));
    let problems = named(&said, "buildProblem");
    assert_eq!(problems.len(), 1, "a build fails for one reason");
    assert!(
        problems[0].properties["description"]
            .starts_with("the configuration is not right: memory_size: must be between")
    );

    universe.write("dpl.yml", "deploy:\n  function_name: f\n  zip: nowhere\n  allow_failure: true\n");
    let said = commands(&universe.run("").code(0), oracles::teamcity);
    assert!(named(&said, "buildProblem").is_empty(), "an allowed failure fails no build");
    assert_eq!(commands(&universe.run("--format json").code(0), oracles::teamcity), [], "nobody reads commands there");
}

#[test]
fn bitbucket_and_harness_get_lines_in_their_files() {
    for (ci, variable, function) in
        [(BITBUCKET, "BITBUCKET_PIPELINES_VARIABLES_PATH", "on-bitbucket"), (DRONE, "DRONE_OUTPUT", "on-drone")]
    {
        let (universe, _) = on(ci, function);
        universe.run("plan").code(0).never_says("warning");
        let universe = universe.file("variables", "BEFORE=1\n");
        let path = universe.path("variables").to_string_lossy().into_owned();
        let universe = universe.with(variable, &path);
        universe.run("").code(0).never_says(SECRET).never_says("warning");
        let found = oracles::gitlab_dotenv(&universe.read("variables")).unwrap();
        assert_outputs(&found, function);
        assert!(found["BEFORE"] == "1" && !found.contains_key("DPL_LAMBDA_PLAN"));
        mistaken(&universe).says("(dpl.yml:3:16)");
        let universe = universe.with(variable, "/nowhere/file");
        universe.run("").code(3).says(&format!("warning: the outputs could not be written to {variable}"));
    }
}

#[test]
fn other_cis_get_plain_text_on_one_stream_and_the_named_files() {
    for (number, ci) in PLAIN.iter().enumerate() {
        let function = format!("on-plain-{number}");
        let (universe, _) = on(ci, &function);
        let outcome =
            universe.run("--output-file out/outputs.json --summary-file summary.md").code(0).never_says(SECRET);
        assert!(outcome.stderr.is_empty() && outcome.stdout.contains("Published version 1."));
        let found: Value = serde_json::from_str(&universe.read("out/outputs.json")).unwrap();
        assert_eq!((&found["version"], &found["changed"]), (&json!("1"), &json!(true)));
        assert_eq!(found["plan"][0]["step"], "create_function");
        assert!(
            found["package-size"].is_u64() && found["function-arn"].is_string() && found["code-sha256"].is_string()
        );
        assert!(universe.read("summary.md").contains(&format!("### ✔ {function} deployed")));
        assert!(!universe.read("out/outputs.json").contains(SECRET) && !universe.read("summary.md").contains(SECRET));
        mistaken(&universe).says("memory_size: must be between 128 and 10240 MB, got 64 (dpl.yml:3:16)");
    }
}

#[test]
fn appveyor_gets_messages_and_variables_from_its_own_service() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut request) = (stream.unwrap(), String::new());
            while request.split_once("\r\n\r\n").is_none_or(|(_, body)| serde_json::from_str::<Value>(body).is_err()) {
                let mut bytes = [0; 4096];
                let read = std::io::Read::read(&mut stream, &mut bytes).unwrap();
                request += &String::from_utf8_lossy(&bytes[..read]);
            }
            std::io::Write::write_all(&mut stream, b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            let path = head.split(' ').nth(1).unwrap().to_owned();
            sender.send((path, serde_json::from_str::<Value>(body).unwrap())).unwrap();
        }
    });
    let (universe, _) = on(&[("APPVEYOR", "True"), ("APPVEYOR_API_URL", &url)], "on-appveyor");
    universe.run("").code(0).never_says(SECRET);
    let set: Vec<_> = asked.try_iter().collect();
    assert!(set.iter().all(|(path, _)| path == "/api/build/variables"), "{set:?}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert_outputs(&set.iter().map(|(_, body)| (text(&body["name"]), text(&body["value"]))).collect(), "on-appveyor");
    mistaken(&universe).says("(dpl.yml:3:16)");
    let (path, body) = &asked.try_iter().next().unwrap();
    assert_eq!(path, "/api/build/compilationmessages");
    assert_eq!((&body["fileName"], &body["line"], &body["category"]), (&json!("dpl.yml"), &json!(3), &json!("error")));
}

#[test]
fn escaped_secrets_are_hidden_in_every_ci() {
    for (ci, read) in [
        (GITHUB, oracles::github as fn(&str) -> Option<Command>),
        (AZURE, oracles::azure),
        (TEAMCITY, oracles::teamcity),
    ] {
        let (universe, _) = on(ci, "escaped");
        let universe = universe.with("DPL_LAMBDA_TIMEOUT", SECRET).with("DPL_LAMBDA_MODULE_NAME", "x");
        let outcome = universe.run("--gitlab_codequality_file q.json").code(3).says("got `***`");
        let masks = ["add-mask", "task.setsecret"];
        for command in commands(&outcome, read).iter().filter(|command| !masks.contains(&command.name.as_str())) {
            let shown = command.properties.values().chain([&command.data]).any(|text| text.contains(SECRET));
            assert!(!shown, "{command:?}");
        }
        assert!(!universe.read("q.json").contains("s3cret"));
    }
}

#[test]
fn files_of_results_never_go_into_the_package() {
    let (universe, _) = on(GITLAB, "in-the-root");
    universe.write("index.py", "def handler(e, c): return 1\n");
    let files = "--zip . --output_file deploy.env --summary_file sub/summary.md --gitlab_annotations_file links.json --gitlab_codequality_file q.json";
    universe.run(files).code(0);
    assert!(universe.path("deploy.env").exists() && universe.path("sub/summary.md").exists());
    universe.run(files).code(0).says("is unchanged");
    universe
        .run(&format!("package --list {files}"))
        .code(0)
        .says("index.py")
        .never_says("deploy.env")
        .never_says("q.json");
}

#[test]
fn a_problem_of_a_package_is_annotated_on_its_file() {
    let (universe, _) = on(GITHUB, "of-a-file");
    let universe = universe.file("dist/conf/.env", "KEY=x\n");
    universe.run("check").code(0).says("::warning title=dpl-lambda%3A zip,file=dist/conf/.env::");
    let universe = universe.link("dist/out", "/etc/hostname");
    universe.run("check").code(3).says("::error title=dpl-lambda,file=dist/out::cannot package `of-a-file`: the link");
}

#[test]
fn text_from_elsewhere_cannot_contain_ci_commands() {
    let said = "a\n::set-output name=x::y\n##[group]x\r##vso[task.complete result=Failed]\n##teamcity[buildStop comment='x']\n--- a\n^^^ +++\n\u{1b}[0Ksection_start:1:x\r\u{1b}[0K\ntravis_fold:start:x\rfold:end:y";
    for (ci, function) in [(GITHUB, "h-github"), (GITLAB, "h-gitlab"), (TRAVIS, "h-travis"), (AZURE, "h-azure")]
        .into_iter()
        .chain([(BUILDKITE, "h-buildkite"), (TEAMCITY, "h-teamcity"), (CIRCLECI, "h-circleci")])
    {
        let (universe, proxy) = on(ci, function);
        let before = ours(&universe.run("plan").code(0));
        proxy.on("CreateFunction", 0, Fault::Answer(400, "InvalidParameterValueException", said));
        let outcome = universe.with("DPL_LAMBDA_DESCRIPTION", said).run("").code(1);
        let known = ["group", "endgroup", "error", "blockOpened", "blockClosed", "message", "buildProblem"];
        let known =
            known.iter().chain(&["task.logissue", "+++ Run deployment", "^^^ +++"]).map(|name| (*name).to_owned());
        let known: BTreeSet<_> = known.chain(before).collect();
        let strange: Vec<_> = ours(&outcome).difference(&known).cloned().collect();
        let folds = ["Run_deployment", "run_deployment", "fold:start:dpl.3", "fold:end:dpl.3", "time:"];
        let strange: Vec<_> = strange.iter().filter(|name| !folds.iter().any(|fold| name.starts_with(fold))).collect();
        assert!(strange.is_empty(), "{function}: {strange:?}\n{}", outcome.stdout);
        assert!(outcome.all().contains("set-output"), "it is told all the same");
    }
}

/// The names of all commands that any CI finds in a log.
fn ours(outcome: &Outcome) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let log = outcome.all();
    for line in oracles::lines(&log) {
        let parsed = [oracles::github(&line), oracles::azure(&line), oracles::teamcity(&line)];
        found.extend(parsed.into_iter().flatten().map(|command| command.name));
        found.extend(oracles::buildkite(&line).map(str::to_owned));
        found.extend(oracles::travis(&line));
    }
    found.extend(oracles::gitlab_sections(&log).into_iter().map(|section| section.name));
    found
}

#[test]
fn the_parsers_find_the_commands_of_each_ci() {
    let hostile = "::add-mask::a\n   ::error::x\n::set-env name=A::b\nfoo ##[add-mask]e\n##[group]x\nx ##vso[task.setvariable variable=A]b\n##VSO[task.complete result=Failed]\n##teamcity[buildProblem description='x']\n--- a\n+++ b\n~~~ c\n^^^ +++\ntravis_fold:start:x\n\u{1b}]1339;url='javascript:…'\u{7}";
    for line in hostile.lines() {
        let outcome = Outcome { code: 0, stdout: line.to_owned(), stderr: String::new() };
        assert!(!ours(&outcome).is_empty(), "{line}");
    }
    assert_eq!(
        oracles::gitlab_sections("\u{1b}[0Ksection_start:1700000000:upload_1[collapsed=true]\r\u{1b}[0KUpload code\n")
            .len(),
        1
    );
    assert_eq!(oracles::lines("ok\r::add-mask::a"), ["ok", "::add-mask::a"]);
}

#[test]
fn the_parser_of_file_commands_reads_as_the_runner_does() {
    for (written, value, fails) in [
        ("a=1\n", Some("1"), false),
        ("a= 1 \n", Some(" 1 "), false),
        ("a=b<<c\n", Some("b<<c"), false),
        ("a<<E\nx\n\ny\nE\n", Some("x\n\ny"), false),
        ("a<<E\nE", Some(""), false),
        ("a<<E\nx\n", None, true),
        ("a<<E\r\nx\r\nE\r\n", Some("x\r"), false),
        ("a<<E\nx\nE\r\n", None, true),
        ("novalue\n", None, true),
        ("=x\n", None, true),
        ("a=1\r\n\r\nb=2\n", Some("1\r"), true),
        ("a=1\nbad\n", Some("1"), true),
        ("\u{feff}a=1\n", Some("1"), false),
    ] {
        let (found, fail) = oracles::github_outputs(written);
        assert_eq!((found.get("a").map(String::as_str), fail), (value, fails), "{written:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    /// The error about a wrong value quotes it, in every dialect.
    #[test]
    fn no_value_becomes_a_ci_command(parts in proptest::collection::vec(prop_oneof![
        Just("::"), Just("##["), Just("#"), Just("\u{1b}[0K"), Just("\r"), Just("\n"), Just(" "), Just("--- "), Just("##vso["), Just("error"),
        Just("add-mask"), Just("]"), Just("%0A"), Just("%AZP25"), Just("'"), Just("|"), Just("##teamcity["), Just("fold:start:x"), Just("\u{200b}"),
        Just("section_start:1:x"), Just("task.complete "), Just("^^^ +++"), Just("é"), Just("|n"), Just("%5D"),
    ], 1..12)) {
        let value = parts.concat();
        for ci in ["github", "gitlab", "travis", "azure", "buildkite", "teamcity", "circleci", "jenkins"] {
            let universe = Universe::empty().with("DPL_LAMBDA_FUNCTION_NAME", "f").with("DPL_LAMBDA_TIMEOUT", &value);
            let universe = universe.with("DPL_LAMBDA_REGION", &value);
            let outcome = universe.run(&format!("check --ci {ci}")).code(3);
            let known = match ci {
                "github" => &["error"][..],
                "azure" => &["task.logissue"],
                "buildkite" => &["^^^ +++"],
                "teamcity" => &["message", "buildProblem"],
                _ => &[],
            };
            let found = ours(&outcome);
            prop_assert!(found.iter().all(|name| known.contains(&name.as_str())), "{ci}: {:?}\n{}", found, outcome.all());
        }
    }
}
