//! Keys, tokens, passwords and the values of variables with such names appear in no form and in no output.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dpl_lambda::internals::Ci;
use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Outcome, Proxy, Universe, emulator};

const SECRET_KEY: &str = "test-secret-access-key";
const KEY_ID: &str = "AKIDTESTTESTTEST";
const FROM_ENV: &str = "fr0m/env+of the 'ci'&more";
const UNUSED: &str = "unu5ed-secret-of-the-job";
const PASSWORD: &str = "pr0xy-passw0rd";
const SESSION: &str = "session-t0ken/with+signs==";
const LITERAL: &str = "l1teral-of-the-block";

const ALL: [&str; 7] = [SECRET_KEY, KEY_ID, FROM_ENV, UNUSED, PASSWORD, SESSION, LITERAL];

/// The variables by which each CI is detected, and those that let it read commands.
fn signs(ci: &str) -> &'static [(&'static str, &'static str)] {
    match ci {
        "woodpecker" => &[("CI", "woodpecker")],
        "gitea" => &[("CI", "true"), ("GITEA_ACTIONS", "true"), ("GITHUB_ACTIONS", "true")],
        "github" => &[("CI", "true"), ("GITHUB_ACTIONS", "true")],
        "gitlab" => &[("CI", "true"), ("GITLAB_CI", "true")],
        "travis" => &[("CI", "true"), ("TRAVIS", "true")],
        "azure" => &[("TF_BUILD", "True")],
        "buildkite" => &[("CI", "true"), ("BUILDKITE", "true")],
        "circleci" => &[("CI", "true"), ("CIRCLECI", "true")],
        "teamcity" => &[("TEAMCITY_VERSION", "2026.1")],
        "bitbucket" => &[("CI", "true"), ("BITBUCKET_COMMIT", "abc")],
        "drone" => &[("CI", "true"), ("DRONE", "true")],
        "appveyor" => &[("APPVEYOR", "True"), ("CI", "True")],
        "codebuild" => &[("CODEBUILD_BUILD_ARN", "arn:aws:codebuild:x")],
        "jenkins" => &[("JENKINS_URL", "http://x/"), ("BUILD_ID", "1")],
        "generic" => &[("CI", "true")],
        "none" => &[],
        other => panic!("{other} is new: what makes it known?"),
    }
}

fn block(function: &str, more: &str) -> String {
    format!(
        "function_name: {function}\nrole: arn:aws:iam::000000000000:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\n{more}"
    )
}

/// A function that returns its environment.
const TALKING: &str = "
import base64, json, os, urllib.parse
def handler(event, context):
    token = os.environ.get('API_TOKEN', 'none')
    print('plain', token)
    print('encoded', base64.b64encode(('user:' + token).encode()).decode(), urllib.parse.quote(token), urllib.parse.quote_plus(token))
    if event.get('fail'):
        raise ValueError('x' * event['fail'] + token)
    return {'token': token, 'hex': token.encode().hex(), 'json': json.dumps({'t': token})}
";

/// A folder to deploy from, full of secrets.
fn world(function: &str, more: &str) -> (Universe, Proxy, Aws) {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let (proxy, aws) = (Proxy::before(endpoint), Aws::of(endpoint));
    let universe = Universe::at(&proxy.endpoint)
        .with("AWS_SESSION_TOKEN", SESSION)
        .with("CI_TOKEN", FROM_ENV)
        .with("NPM_AUTH", UNUSED)
        .with("HTTPS_PROXY", &format!("http://user:{PASSWORD}@127.0.0.1:1"))
        .file("dist/index.py", TALKING)
        .file("dpl.yml", block(function, more));
    (universe, proxy, aws)
}

/// A text in the forms in which it may appear.
fn forms(text: &str) -> Vec<String> {
    let json = serde_json::to_string(text).unwrap();
    let percent: String = text
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    // What it is anywhere in base64, without the characters at both ends.
    let base64 = |before: &str| {
        let encoded = STANDARD.encode(format!("{before}{text}"));
        encoded[4..encoded.len() - 4].to_owned()
    };
    vec![
        text.to_owned(),
        json.trim_matches('"').to_owned(),
        percent.replace("%20", "+"),
        percent,
        base64(""),
        base64("a"),
        base64("ab"),
        text.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ]
}

#[track_caller]
fn keeps(text: &str, secrets: &[&str], about: &str) {
    for secret in secrets {
        for form in forms(secret) {
            assert!(!text.contains(&form), "{about}: `{secret}` is shown as `{form}` in\n{text}");
        }
    }
}

#[test]
fn no_verb_shows_a_secret_on_standard_output_of_any_ci() {
    let more = format!(
        "alias: live\nenvironment:\n  API_TOKEN: {{from_env: CI_TOKEN}}\n  DB_PASSWORD: {LITERAL}\nrun: 'echo $CI_TOKEN $AWS_SECRET_ACCESS_KEY $NPM_AUTH; printf %s \"$CI_TOKEN\" | base64'\n"
    );
    let (universe, proxy, _) = world("hushed", &more);
    let verbs = [
        "--verbose",
        "plan --verbose",
        "check",
        "render",
        "policy",
        "package --list",
        "invoke --payload '{\"fail\": 0}'",
        "status",
        "list",
        "init",
        "rollback --to 1 --dry_run",
        "delete --dry_run --yes",
        "plan --format json",
        "--timeout 0",
        "plan --role_to_assume nobody",
    ];
    for (name, _) in Ci::NAMES {
        let mut on_ci = Universe::at(&proxy.endpoint);
        for (name, value) in signs(name) {
            on_ci = on_ci.with(name, value);
        }
        for (name, value) in [("AWS_SESSION_TOKEN", SESSION), ("CI_TOKEN", FROM_ENV), ("NPM_AUTH", UNUSED)] {
            on_ci = on_ci.with(name, value);
        }
        let on_ci = on_ci
            .with("HTTPS_PROXY", &format!("http://user:{PASSWORD}@127.0.0.1:1"))
            .file("dist/index.py", TALKING)
            .file("dpl.yml", universe.read("dpl.yml"));
        for verb in verbs {
            let outcome = on_ci.run(verb);
            keeps(&outcome.stdout, &ALL, &format!("`{verb}` in {name}"));
            let said: String = outcome.stderr.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
            keeps(&said, &ALL, &format!("`{verb}` in {name}, standard error"));
            let is_github = matches!(*name, "github" | "gitea");
            assert!(
                is_github || said.len() + outcome.stderr.lines().count() == outcome.stderr.len(),
                "{name}: {}",
                outcome.stderr
            );
            if !verb.contains("--timeout") && !verb.contains("nobody") {
                outcome.code(0);
            }
        }
    }
}

#[test]
fn masks_go_only_to_a_pipe_of_the_runner() {
    let (universe, ..) = world("masked", "environment:\n  API_TOKEN: {from_env: CI_TOKEN}\n");
    let universe = universe.with("GITHUB_ACTIONS", "true");
    let apart = universe.shell("$TOOL plan > plan.txt").code(0);
    for secret in [SECRET_KEY, KEY_ID, SESSION, "fr0m/env+of the 'ci'&more"] {
        assert!(apart.stderr.contains(&format!("::add-mask::{secret}\n")), "{secret}: {}", apart.stderr);
    }
    assert!(!apart.stderr.contains(UNUSED) && !apart.stderr.contains(PASSWORD), "only what is used: {}", apart.stderr);
    keeps(&universe.read("plan.txt"), &ALL, "a file");
    for script in [
        "$TOOL plan 2>&1 | tee all.txt",
        "$TOOL plan > all.txt 2>&1; cat all.txt",
        "$TOOL plan 2> errors.txt; cat errors.txt",
        "echo \"$($TOOL plan 2>&1)\"",
        "$TOOL plan --format json",
    ] {
        keeps(&universe.shell(script).code(0).all(), &ALL, script);
    }
    let unread = universe.without("GITHUB_ACTIONS");
    keeps(&unread.run("plan --ci github").code(0).all(), &ALL, "no runner");
    keeps(&unread.with("TF_BUILD", "True").run("plan").code(0).all(), &ALL, "Azure");
}

#[test]
fn no_secret_gets_into_descriptions_and_tags() {
    for more in [
        "description: built with %{$CI_TOKEN}\n",
        "publish: true\nversion_description: '%{$USER_PIN}'\n",
        "description: see %{$DATABASE_URL}\n",
    ] {
        let (universe, proxy, _) = world("stored", more);
        let universe = universe.with("USER_PIN", "12x").with("DATABASE_URL", "postgres://u:sw0rdfish@h/d");
        for verb in ["", "plan", "check", "render"] {
            let outcome = universe.run(verb).code(3).never_says("12x").never_says("sw0rdfish");
            let outcome = outcome.says("would show the secret in `").says("{from_env: NAME}").says("(dpl.yml:");
            keeps(&outcome.all(), &ALL, more);
        }
        assert_eq!(proxy.calls(), Vec::<String>::new());
    }
    let (universe, ..) = world("stored-harmless", "description: on %{$STAGE} in %{$SOME_URL}\n");
    let universe = universe.with("STAGE", "test").with("SOME_URL", "https://example.com:8443/a@b");
    universe.run("plan").code(0).says("on test in https://example.com:8443/a@b");
    universe
        .run("plan --description 'by %{$CI_TOKEN}'")
        .code(3)
        .says("would show the secret in `CI_TOKEN`")
        .says("(--description)");
}

#[test]
fn a_travis_file_shows_no_secret_of_a_shell_variable() {
    let travis = |more: &str| {
        let text = format!(
            "deploy:\n  provider: lambda\n  function_name: f\n  role: arn:aws:iam::000000000000:role/r\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n{more}"
        );
        let universe = Universe::empty().file("dist/index.py", TALKING).file(".travis.yml", text);
        universe.with("CI_TOKEN", UNUSED).with("USER_PIN", "12x").with("STAGE", "test")
    };
    for more in [
        "  description: with $CI_TOKEN\n",
        "  description: ${USER_PIN}\n",
        "  function_tags:\n    - owner=$CI_TOKEN\n",
        "  function_tags: {owner: $USER_PIN}\n",
    ] {
        for verb in ["check", "render"] {
            let outcome = travis(more).run(verb).code(3).says("would show the secret").says("(.travis.yml:");
            outcome.never_says(UNUSED).never_says("12x");
        }
    }
    travis("  description: on $STAGE\n  environment:\n    - VALUE=$CI_TOKEN\n").run("check").code(0).never_says(UNUSED);
    travis("  handler: $CI_TOKEN.x\n").run("render").never_says(UNUSED);
    let usage = Universe::empty().run("check --environmnt API_TOKEN=ZZSECRETZZ --environment=DB_PASSWORD=ZZ2SECRET");
    usage.code(3).never_says("ZZSECRETZZ").never_says("ZZ2SECRET");
    travis("  timeout: $CI_TOKEN\n").run("check").code(3).says("got `***`").never_says(UNUSED);
}

#[test]
fn passwords_in_urls_are_hidden_everywhere() {
    let (universe, ..) = world("urls", "environment:\n  DATABASE_URL: postgres://app:sw0rdfish%40home@db/x\n");
    universe.write(
        "dpl.yml",
        universe.read("dpl.yml") + "description: see https://x-access-token:ghs_ab@github.com/o/r\nendpoint_url: http://me:sw0rdfish2@127.0.0.1:9/\nrun: git push https://ghp_0123@github.com/o/r\n",
    );
    for verb in
        ["check", "render", "render --format json", "plan --verbose", "plan --format json --wait_timeout 3", "package"]
    {
        let mut outcome = universe.run(verb);
        for secret in ["sw0rdfish", "ghs_ab", "ghp_0123", PASSWORD, "sw0rdfish@home"] {
            outcome = outcome.never_says(secret);
        }
    }
    universe.run("render").code(0).says("http://***@127.0.0.1:9/").says("https://***@github.com/o/r");
}

/// The answer of AWS about a function, changed.
fn altered(aws: &Aws, function: &str, change: impl Fn(&mut Value)) -> Fault {
    let mut found = aws.get(function);
    change(&mut found["Configuration"]);
    Fault::Instead(200, found.to_string())
}

#[test]
fn an_environment_that_aws_quotes_is_cut_off() {
    let (universe, proxy, aws) =
        world("quoting", "environment:\n  PIN: q7\n  API_TOKEN: {from_env: CI_TOKEN}\n  LEVEL: some-level\n");
    universe.run("").code(0);
    // What is live is known although no configuration says it.
    universe.write("dpl.yml", block("quoting", "memory_size: 256\n"));
    let universe = universe.without("CI_TOKEN");
    let reason = format!("cannot use {FROM_ENV} at some-level: Environment {{PIN=q7, API_TOKEN={FROM_ENV}}} is wrong");
    let failed = |config: &mut Value| {
        config["State"] = json!("Failed");
        config["StateReason"] = json!(reason);
        config["StateReasonCode"] = json!("InvalidConfiguration");
        config["LastUpdateStatus"] = json!("Failed");
        config["LastUpdateStatusReason"] = json!(reason);
    };
    proxy.on("GetFunction", 0, altered(&aws, "quoting", failed));
    let warm = json!({ "ProvisionedConcurrencyConfigs": [{ "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:quoting:live", "RequestedProvisionedConcurrentExecutions": 4, "Status": "FAILED", "StatusReason": reason }] });
    proxy.on("ListProvisionedConcurrencyConfigs", 0, Fault::Instead(200, warm.to_string()));
    proxy.on(
        "ListAliases",
        0,
        Fault::Answer(400, "InvalidParameterValueException", "some-level in the environment {PIN=q7}"),
    );
    for verb in
        ["status", "status --format json", "plan", "plan --format json", "init", "list", "delete --dry_run --yes", ""]
    {
        let outcome = universe.run(verb).never_says("q7").never_says("some-level");
        keeps(&outcome.all(), &[FROM_ENV], verb);
    }
    universe.run("status").code(0).says("cannot use *** at ***: Environment {…} is wrong (InvalidConfiguration)");
    proxy.clear();

    for said in [
        "exceeded the 4KB limit. String measured: {\"PIN\":\"q7\",\"LEVEL\":\"some-level\"}",
        "1 validation error detected: Value '{PIN=q7, LEVEL='some-level'}' at 'environment.variables' failed to satisfy constraint: Member must satisfy regular expression pattern",
        "Could not parse request body into json: at [Source: (byte[])\"{\"Environment\":{\"PIN\":\"q7\"; line: 1, column: 30]",
    ] {
        proxy.on("UpdateFunctionConfiguration", 0, Fault::Answer(400, "InvalidParameterValueException", said));
        universe.run("--memory_size 320").code(1).never_says("q7").never_says("some-level").says("…");
        proxy.clear();
    }
}

#[test]
fn a_response_shows_a_secret_in_no_form() {
    let (universe, ..) = world("saying", "environment:\n  API_TOKEN: {from_env: CI_TOKEN}\n");
    universe.run("").code(0);
    for file in [universe.read("dpl.yml"), "function_name: saying\n".to_owned()] {
        universe.write("dpl.yml", file);
        for verb in ["invoke", "invoke --format json", "invoke --ci github"] {
            let outcome = universe.run(verb).code(0).says("***");
            keeps(&outcome.all(), &[FROM_ENV], verb);
        }
        // The message is cut in the middle of the secret.
        for length in 170..200 {
            if length % 5 == 0 {
                let outcome =
                    universe.run(&format!("invoke --payload '{{\"fail\": {length}}}' --junit report.xml")).code(1);
                let all = outcome.all() + &universe.read("report.xml");
                assert!(!all.contains(&FROM_ENV[..8]), "{length}: {all}");
            }
        }
    }
    let shown = universe.run("invoke").code(0);
    assert!(shown.stdout.contains("plain ***") && shown.stdout.contains("\"token\": \"***\""), "{}", shown.stdout);
}

#[test]
fn a_secret_that_looks_like_a_command_is_hidden_after_sanitising() {
    for (number, token) in ["pa##word-1234567", "time:start-98765", "abcd\u{200b}efgh-1234", "abcdefgh\u{85}ijklmnop"]
        .into_iter()
        .enumerate()
    {
        let function = format!("marked-{number}");
        let (universe, ..) = world(&function, "environment:\n  API_TOKEN: {from_env: CI_TOKEN}\n");
        let universe = universe.with("CI_TOKEN", token);
        universe.run("").code(0);
        for verb in ["invoke", "invoke --ci github", "invoke --payload '{\"fail\": 1}' --summary_file page.md"] {
            let outcome = universe.run(verb).says("***");
            let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
            let all = outcome.all() + &fs::read_to_string(universe.path("page.md")).unwrap_or_default();
            assert!(!letters(&all).contains(&letters(token)), "{verb}: {token} is shown in\n{all}");
        }
    }
}

#[test]
fn commands_of_the_user_show_a_secret_in_no_form() {
    let pem =
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----";
    let (universe, ..) = world("commanding", "");
    let universe = universe.with("SIGNING_KEY", pem);
    universe.write("say.sh", "echo \"$SIGNING_KEY\"; echo \"$SIGNING_KEY\" | base64; printf '%s' \"x:$CI_TOKEN\" | base64; printf '%s' \"$CI_TOKEN\" | od -An -tx1 | tr -d ' \\n'; echo; printf '\\033[1m%s\\033[0m\\n' \"$CI_TOKEN\"; env; set\n");
    let outcome = universe.run("--run 'sh say.sh'").code(0).says("***");
    keeps(
        &outcome.all(),
        &[FROM_ENV, UNUSED, SECRET_KEY, SESSION, "MIIEvQIBADANBgkqhkiG9w0B", "AQEFAASCBKcwggSjAgEAAoIB"],
        "say.sh",
    );
}

#[test]
fn public_names_stay_whole_in_results() {
    let more = "alias: production\nenvironment:\n  STAGE: {from_env: STAGE}\n  ACCOUNT: {from_env: ACCOUNT}\n  REGION: {from_env: REGION}\n";
    let (universe, ..) = world("my-production-api", more);
    let universe = universe
        .with("STAGE", "production")
        .with("ACCOUNT", "000000000000")
        .with("REGION", "us-east-1")
        .with("GITHUB_ACTIONS", "true");
    let outputs = universe.path("outputs").to_string_lossy().into_owned();
    let universe = universe.with("GITHUB_OUTPUT", &outputs);
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:my-production-api";
    let outcome = universe
        .run("--output_file results.json --junit junit.xml --summary_file page.md")
        .code(0)
        .says(&format!("Deployed {arn}"));
    let results: Value = serde_json::from_str(&universe.read("results.json")).unwrap();
    assert_eq!((results["function-arn"].as_str(), results["alias"].as_str()), (Some(arn), Some("production")));
    assert!(universe.read("outputs").contains(arn) && universe.read("page.md").contains(&arn.replace('_', "\\_")));
    assert!(universe.read("junit.xml").contains("my-production-api in us-east-1"));
    assert!(!outcome.stderr.contains("production"), "a mask would make GitHub drop the outputs: {}", outcome.stderr);
    let document = universe.run("--format json").code(0).json();
    assert_eq!(document["functions"][0]["function_arn"], arn);
    universe.run("--run 'echo in $STAGE now'").code(0).says("in production now");

    // A secret is one also where somebody made a name of it.
    let universe = universe.with("DEPLOY_TOKEN", "production");
    universe.run("plan").code(0).says("my-***-api").never_says("production");
}

#[test]
fn no_output_contains_invisible_characters() {
    let hostile = "a\u{85}b\u{9b}31mc\u{202e}d\u{2028}e\u{200b}f travis_fold:start:x ##vso[task.complete]g";
    let (universe, proxy, aws) = world("unseen", "");
    universe.run("").code(0);
    universe.write("dpl.yml", block("unseen", "description: new\n"));
    proxy.on(
        "GetFunction",
        0,
        altered(&aws, "unseen", |config| {
            config["Description"] = json!(hostile);
            config["FunctionArn"] = json!(format!("arn:aws:lambda:us-east-1:000000000000:function:unseen{hostile}"));
        }),
    );
    let universe = universe.with("GITHUB_ACTIONS", "true");
    let outputs = universe.path("outputs").to_string_lossy().into_owned();
    let universe = universe.with("GITHUB_OUTPUT", &outputs);
    let files = "--junit junit.xml --summary_file page.md --gitlab_annotations_file links.json --gitlab_codequality_file quality.json";
    let mut channels = Vec::new();
    for (verb, results) in [
        ("plan", "results.json"),
        ("plan --verbose", "results.env"),
        ("plan --format json", "more.json"),
        ("--env_file missing.env", "failed.json"),
        ("status --format json", "x.json"),
        ("status", "x.json"),
        ("init", "x.json"),
        ("init --format json", "x.json"),
        ("invoke --format json", "x.json"),
        ("", "deployed.json"),
    ] {
        let outcome = universe.run(&format!("{verb} --output_file {results} {files}"));
        channels.push((verb.to_owned(), outcome.stdout));
        for file in ["junit.xml", "page.md", "links.json", "quality.json", "outputs", results] {
            if let Ok(text) = fs::read_to_string(universe.path(file)) {
                channels.push((format!("{file} of `{verb}`"), text));
            }
        }
    }
    assert!(channels.len() > 40, "{}", channels.len());
    for (channel, text) in &channels {
        let unseen = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2028}\u{200b}".contains(c);
        assert!(!text.contains(unseen), "{channel}: {text:?}");
        assert!(!text.contains("fold:start:x") && !text.contains("##vso["), "{channel}: {text}");
    }
    let document = universe.run("status --format json").code(0).json();
    assert_eq!(document["status"][0]["description"], hostile, "JSON says the same");
}

#[test]
fn short_secrets_stay_in_our_messages_and_are_cut_from_those_of_aws() {
    let (universe, ..) = world("short", "environment:\n  PIN: {from_env: USER_PIN}\n");
    let outcome: Outcome = universe.with("USER_PIN", "in").run("plan").code(0);
    outcome.says("plan for `short` in us-east-1").says("added (value hidden)");
}
