//! The log in the dialects of GitHub, Travis and others, byte for byte where a parser reads it.

use std::{collections::BTreeMap, fs};

use serde_json::json;

use crate::harness::{Aws, Fault, Kind, Outcome, Proxy, Universe, emulator, has};

const SECRET: &str = "s3cret-of-the-ci";

fn github(function: &str) -> (Universe, Proxy) {
    let proxy = Proxy::before(&emulator(Kind::Ministack).endpoint);
    let universe = Universe::at(&proxy.endpoint)
        .with("GITHUB_ACTIONS", "true")
        .with("CI", "true")
        .with("CI_SECRET", SECRET)
        .file("dist/index.py", "def handler(e, c): return 1\n")
        .file("dpl.yml", format!("deploy:\n  provider: lambda\n  function_name: {function}\n  role: deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n  publish: true\n  environment:\n    TOKEN: {{from_env: CI_SECRET}}\n"));
    let (output, summary) = (universe.path("output"), universe.path("summary"));
    let universe =
        universe.with("GITHUB_OUTPUT", output.to_str().unwrap()).with("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    let workspace = universe.path("").to_string_lossy().trim_end_matches('/').to_owned();
    (universe.with("GITHUB_WORKSPACE", &workspace), proxy)
}

/// Parses `GITHUB_OUTPUT` as the runner does.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line.split_once("<<").unwrap();
        let value: Vec<_> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        found.insert(name.to_owned(), value.join("\n"));
    }
    found
}

#[test]
fn github_gets_masks_groups_outputs_and_a_summary() {
    let (universe, _) = github("on-github");
    let outcome = universe.run("").code(0);
    let lines: Vec<_> = outcome.stdout.lines().collect();
    let at = |text: &str| {
        lines.iter().position(|line| line.starts_with(text)).unwrap_or_else(|| panic!("{text}: {}", outcome.stdout))
    };
    assert!(!outcome.stdout.contains(SECRET), "standard output is kept and passed on");
    assert!(outcome.stderr.lines().all(|line| line.starts_with("::add-mask::")), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.matches(&format!("::add-mask::{SECRET}\n")).count(), 1, "{}", outcome.stderr);
    assert!(at("plan for `on-github`") < at("::group::Run deployment"));
    assert!(at("::group::Run deployment") < at("::endgroup::"));

    let found = outputs(&universe.read("output"));
    assert_eq!(found["function-arn"], "arn:aws:lambda:us-east-1:000000000000:function:on-github");
    assert_eq!((found["version"].as_str(), found["changed"].as_str()), ("1", "true"));
    assert!(found["plan"].starts_with(r#"[{"step":"create_function""#));
    assert!(found["package-size"].parse::<u64>().is_ok() && found["code-sha256"].len() == 44);
    let summary = universe.read("summary");
    // For `tests/page/render`, which shows it in a browser.
    fs::create_dir_all("target/page").unwrap();
    fs::write("target/page/summary.md", &summary).unwrap();
    assert!(
        summary.contains("### ✔ on-github deployed") && summary.contains("| runtime | – | python3.12 |"),
        "{summary}"
    );
    assert!(!summary.contains(SECRET) && !universe.read("output").contains(SECRET));

    universe.run("").code(0);
    let found = outputs(&universe.read("output"));
    assert_eq!((found["version"].as_str(), found["changed"].as_str()), ("1", "false"));
}

#[test]
fn github_shows_errors_on_their_lines() {
    let (universe, _) = github("annotated");
    universe.write("dpl.yml", "deploy:\n  function_name: annotated\n  zip: nowhere\n  memory_size: 64\n");
    let outcome = universe.run("--timeout 901").code(3);
    assert!(outcome.stdout.contains("::error title=dpl-lambda%3A memory_size,file=dpl.yml,line=4,col=16::must be between 128 and 10240 MB, got 64\n"), "{}", outcome.stdout);
    assert!(
        outcome
            .stdout
            .contains("::error title=dpl-lambda%3A timeout::must be between 1 and 900 s, got 901 (--timeout)%0Ahelp: ")
    );
    assert!(outcome.stderr.lines().all(|line| line.starts_with("::add-mask::")), "{}", outcome.stderr);
    universe.write("dpl.yml", "deploy:\n  function_name: annotated\n  zip: nowhere\n");
    universe.run("").code(3).says("file=dpl.yml,line=3,col=8::cannot package `annotated`: `nowhere` does not exist");
    assert!(universe.read("summary").contains("### ✘ cannot package"));
}

#[test]
fn messages_of_aws_cannot_contain_ci_commands() {
    let (universe, proxy) = github("hostile");
    let said = "line\n::set-output name=x::y\n##[group]x\n\u{1b}[31m::error::z ##vso[task.complete]";
    proxy.on("CreateFunction", 0, Fault::Answer(400, "InvalidParameterValueException", said));
    let outcome = universe.run("").code(1);
    for line in outcome.stdout.lines().filter(|line| !line.starts_with("::")) {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line}");
    }
    let commands: Vec<_> = outcome.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert!(
        commands.iter().all(|line| ["::group::", "::endgroup::", "::error title=dpl-lambda::"]
            .iter()
            .any(|known| line.starts_with(known))),
        "{commands:?}"
    );
    assert!(outcome.stdout.contains("done: nothing.  not done: function, version"));
}

#[test]
fn answers_of_aws_cannot_become_code_in_a_later_step() {
    let (universe, proxy) = github("spliced");
    universe.run("").code(0);
    let mut live = Aws::of(&proxy.endpoint).get("spliced");
    for hostile in ["$(touch x)", "`touch x`", "%env.SECRET%", "${{ x }}", "'; touch x; '", "\nPATH=x"] {
        let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:spliced{hostile}");
        live["Configuration"]["FunctionArn"] = json!(arn);
        proxy.on("GetFunction", 0, Fault::Instead(200, live.to_string()));
        let _ = fs::remove_file(universe.path("output"));
        universe.run("--output_file results.json").code(0).says("is left out");
        let found = outputs(&universe.read("output"));
        assert!(!found.contains_key("function-arn") && found["changed"] == "false", "{found:?}");
        assert!(!universe.read("results.json").contains("function-arn"));
        for ci in ["teamcity", "azure", "circleci"] {
            let outcome = universe.run(&format!("--ci {ci}")).code(0);
            assert!(!outcome.stdout.contains("DPL_LAMBDA_FUNCTION_ARN"), "{ci}: {}", outcome.stdout);
        }
        proxy.clear();
    }
    let _ = fs::remove_file(universe.path("output"));
    universe.run("").code(0).never_says("is left out");
    assert!(outputs(&universe.read("output")).contains_key("function-arn"));
}

#[test]
fn travis_gets_the_folds_of_dpl() {
    let (universe, _) = github("on-travis");
    let universe = universe.without("GITHUB_ACTIONS").with("TRAVIS", "true");
    let outcome = universe.run("").code(0);
    let mut opened = Vec::new();
    for (number, title) in [(1, "Authenticate deployment"), (2, "Setup deployment"), (3, "Run deployment")] {
        let start = format!("travis_fold:start:dpl.{number}\r\x1b[Ktravis_time:start:");
        let rest = outcome.stdout.split_once(&start).unwrap_or_else(|| panic!("{number}: {:?}", outcome.stdout)).1;
        let (timer, rest) = rest.split_once("\r\x1b[K\x1b[33m").unwrap();
        assert!(timer.len() == 8 && timer.chars().all(|c| c.is_ascii_hexdigit()));
        assert!(rest.starts_with(&format!("{title}\x1b[0m\n")), "{rest:?}");
        assert!(
            rest.contains(&format!("\ntravis_time:end:{timer}:start="))
                && rest.contains(&format!("\ntravis_fold:end:dpl.{number}\r\x1b[K\n"))
        );
        opened.push(timer.to_owned());
    }
    assert!(outcome.stdout.contains("\nSetting the build environment up for the deployment\n"));
    opened.dedup();
    assert_eq!(opened.len(), 3);
}

#[test]
fn folds_appear_where_dpl_prints_them() {
    let (universe, _) = github("folded");
    let universe = universe.without("GITHUB_ACTIONS").without("CI");
    universe.run("plan").code(0).never_says("travis_fold");
    universe.run("plan --fold").code(0).says("travis_fold:start:dpl.1");
    universe.run("plan --ci github").code(0).never_says("travis_fold");
}

#[test]
fn errors_go_to_the_stream_that_the_ci_reads() {
    let (universe, _) = github("erring");
    universe.write("dpl.yml", "function_name: e\nmemory_size: 64\n");
    let stderr = |outcome: Outcome| outcome.code(3).stderr;
    let universe = universe.without("GITHUB_ACTIONS").without("CI");
    assert!(stderr(universe.run("")).starts_with("error: "));
    let universe = universe.with("TRAVIS", "true");
    assert!(stderr(universe.run("")).starts_with("error: "));
}

#[test]
fn standard_output_holds_only_the_json_document() {
    let (universe, proxy) = github("documented");
    let outcome = universe.run("--format json --run 'echo said by a command'").code(0);
    let document = outcome.json();
    assert_eq!(document["functions"][0]["outcome"], "deployed");
    assert_eq!(document["functions"][0]["plan"][0]["step"], "create_function");
    assert!(outcome.stderr.contains("said by a command") && outcome.stderr.contains("Creating function documented."));
    assert!(!outcome.all().contains(SECRET), "no mask command where GitHub does not read it first");
    universe.write("dist/index.py", "def handler(e, c): return 2\n");
    proxy.on("UpdateFunctionCode", 0, Fault::Answer(403, "AccessDeniedException", "no"));
    let document = universe.run("--format json --memory_size 256").code(4).json();
    assert_eq!(document["errors"][0]["done"], serde_json::json!(["configuration"]));
    assert_eq!(
        (&document["exit_code"], &document["functions"][0]["outcome"]),
        (&serde_json::json!(4), &serde_json::json!("failed"))
    );
    universe.run("--frmat json").code(3).says("did you mean `--format`?");
    let usage = universe.run("--format json --nonsense").code(3).json();
    assert_eq!(usage["errors"][0]["exit_code"], 3);
    let verbose = universe.run("plan --format json --verbose").code(0);
    assert_eq!(verbose.json()["functions"][0]["changed"], true);
}

#[test]
fn a_wrong_command_line_is_reported_in_the_format_of_the_run() {
    let (universe, _) = github("wrong-line");
    let named = |outcome: Outcome| outcome.code(3).stdout;
    assert!(
        named(universe.run("--region x --region y")).contains("::error title=dpl-lambda%3A --region::is given twice")
    );
    assert!(named(universe.run("--nonsense --ci none")).is_empty(), "errors go to standard error there");
    let document = universe.run("plan --nonsense --FORM=json").code(3).json();
    assert_eq!((&document["command"], &document["exit_code"]), (&serde_json::json!("usage"), &serde_json::json!(3)));
    let universe = universe.with("DPL_LAMBDA_FORMAT", "json");
    assert_eq!(universe.run("--nonsense").code(3).json()["exit_code"], 3);
    universe.run("--nonsense --quiet --junit report.xml").code(3);
    assert!(universe.read("report.xml").contains("is not an option"));
}

#[test]
fn no_secret_is_shown_at_any_level() {
    let (universe, proxy) = github("secretive");
    let universe =
        universe.with("AWS_SESSION_TOKEN", "session-token-value").file("vars.env", "FROM_FILE=value-of-the-file\n");
    let quoting = format!(
        "cannot use {SECRET} nor test-secret-access-key nor session-token-value nor value-of-the-file nor AKIDTESTTESTTEST"
    );
    proxy.on(
        "CreateFunction",
        1,
        Fault::Answer(400, "InvalidParameterValueException", Box::leak(quoting.into_boxed_str())),
    );
    let universe = universe.without("GITHUB_ACTIONS").with("RUST_LOG", "trace");
    for arguments in [
        "--verbose --env_file vars.env",
        "plan --verbose --env_file vars.env",
        "--verbose --format json --env_file vars.env",
        "package --list --verbose",
        "--nonsense",
        "check --timeout 0",
    ] {
        let mut outcome = universe.run(arguments);
        for secret in [SECRET, "test-secret-access-key", "session-token-value", "value-of-the-file", "AKIDTESTTESTTEST"]
        {
            outcome = outcome.never_says(secret);
        }
    }
}

#[test]
fn verbose_shows_decisions() {
    let (universe, _) = github("decided");
    let universe = universe.without("GITHUB_ACTIONS").without("CI").with("LAMBDA_TIMEOUT", "9");
    let outcome = universe.run("plan --verbose").code(0);
    for said in [
        "`zip` of `decided` comes from dpl.yml:7:8",
        "`timeout` of `decided` comes from LAMBDA_TIMEOUT",
        "calling us-east-1 because the configuration names it",
    ] {
        assert!(outcome.stdout.contains(said), "{said}\n{}", outcome.stdout);
    }
}

#[test]
fn commands_run_after_success_and_stop_at_the_first_failure() {
    let (universe, _) = github("commands");
    let universe = universe.without("GITHUB_ACTIONS");
    universe
        .run("--run 'echo one' --run 'exit 3' --run 'echo three'")
        .code(1)
        .says("$ echo one\none\n")
        .says("error: the command `exit 3` ended with exit code 3")
        .never_says("three\nthree");
    universe.run("--run 'echo of %{function_name} $TOKEN' --memory_size 64").code(3).never_says("of commands");
    universe.run("--run 'echo of %{function_name}'").code(0).says("of commands");
}

#[test]
fn cleanup_restores_only_its_own_stash() {
    if !has("git") {
        return;
    }
    let (universe, _) = github("cleaned");
    let universe = universe
        .without("GITHUB_ACTIONS")
        .with("GIT_CONFIG_GLOBAL", "/dev/null")
        .with("GIT_AUTHOR_NAME", "a")
        .with("GIT_AUTHOR_EMAIL", "a@b")
        .with("GIT_COMMITTER_NAME", "a")
        .with("GIT_COMMITTER_EMAIL", "a@b");
    let git = |line: &str| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let status = std::process::Command::new("git")
            .args(identity)
            .args(line.split(' '))
            .current_dir(universe.path(""))
            .output()
            .unwrap();
        assert!(status.status.success(), "{line}: {status:?}");
        String::from_utf8_lossy(&status.stdout).into_owned()
    };
    git("init -q");
    git("add -A");
    git("commit -qm x");
    universe.write("dist/stray.py", "x = 1\n");
    git("stash -u");
    universe.write("dist/uncommitted.py", "x = 1\n");
    let listed = universe.run("--cleanup --verbose").code(0).says("$ git stash --all").says("$ git stash pop");
    assert!(listed.stdout.contains("1 file"), "{}", listed.stdout);
    assert!(universe.path("dist/uncommitted.py").exists());
    assert_eq!(git("stash list").lines().count(), 1, "the user's own stash stays");
}

#[test]
fn masks_appear_only_where_a_runner_reads_them() {
    let (universe, _) = github("unmasked");
    let universe = universe.without("GITHUB_ACTIONS");
    universe.run("plan --ci github").code(0).never_says("::add-mask::").never_says(SECRET);
}

#[test]
fn escaped_secrets_are_hidden_too() {
    let (universe, _) = github("escaped");
    let universe = universe.with("CI_SECRET", "sk_live_51*abc[def]");
    universe.run("--description 'with sk_live_51*abc[def]'").code(0);
    let summary = universe.read("summary");
    assert!(summary.contains("\\*\\*\\*") || summary.contains("***"), "{summary}");
    assert!(!summary.contains("live"), "{summary}");
}

#[test]
fn names_of_files_cannot_contain_ci_commands() {
    if !has("git") {
        return;
    }
    let (universe, _) = github("stashing");
    let git = |line: &str| {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(line.split(' ')).current_dir(universe.path(""));
        assert!(git.output().unwrap().status.success());
    };
    git("init -q");
    git("add -A");
    git("commit -qm x");
    universe.write("::error::by a file name", "");
    let universe =
        universe.with("GIT_CONFIG_COUNT", "2").with("GIT_CONFIG_KEY_0", "user.name").with("GIT_CONFIG_VALUE_0", "a");
    let universe = universe.with("GIT_CONFIG_KEY_1", "user.email").with("GIT_CONFIG_VALUE_1", "a@b");
    let outcome = universe.run("--cleanup").code(0).says("by a file name");
    let commands = outcome.stdout.lines().filter(|line| line.trim_start().starts_with("::error"));
    assert_eq!(commands.count(), 0, "{}", outcome.stdout);
}

#[test]
fn plans_and_failures_have_outputs_too() {
    let (universe, proxy) = github("outputs");
    universe.run("plan").code(0);
    let found = outputs(&universe.read("output"));
    assert_eq!(found["changed"], "true");
    assert!(found["plan"].contains("create_function"));
    universe.run("").code(0);
    universe.write("dist/index.py", "def handler(e, c): return 2\n");
    proxy.on("UpdateFunctionCode", 0, Fault::Answer(400, "InvalidParameterValueException", "no"));
    universe.run("--memory_size 256").code(1);
    assert_eq!(outputs(&universe.read("output"))["changed"], "true", "the configuration was");
    universe.run("--memory_size 256 --on").code(3);
    universe.write("dpl.yml", "deploy:\n  function_name: outputs\n  on: other\n");
    universe.run("").code(0);
    assert_eq!(outputs(&universe.read("output"))["changed"], "false");
}
