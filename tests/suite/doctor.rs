//! `doctor`: whether a deployment from here can work.

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Outcome, Proxy, Universe, emulator};

/// A universe with the block of a function, whose user may do what the policy says, without `left_out`.
fn world(name: &str, left_out: &[&str]) -> (Universe, Proxy, Aws) {
    let endpoint = &emulator(Kind::MinistackWithIam).endpoint;
    let (proxy, aws) = (Proxy::before(endpoint), Aws::of(endpoint));
    let block = format!(
        "function_name: {name}\nrole: arn:aws:iam::000000000000:role/{name}\nruntime: python3.12\nhandler: index.handler\nzip: dist\nregion: us-east-1\n"
    );
    let universe = Universe::at(&proxy.endpoint)
        .file("dist/index.py", "def handler(e, c): return 1\n")
        .file("dpl.yml", format!("{block}expect_account: '000000000000'\n"));
    let mut policy: Value = serde_json::from_str(&universe.run("policy").code(0).stdout).unwrap();
    let own = json!({ "Effect": "Allow", "Action": ["iam:SimulatePrincipalPolicy", "lambda:GetAccountSettings"], "Resource": "*" });
    policy["Statement"].as_array_mut().unwrap().push(own);
    for statement in policy["Statement"].as_array_mut().unwrap() {
        // The simulation of the emulator does not know the context of a call.
        statement.as_object_mut().unwrap().remove("Condition");
        statement["Action"].as_array_mut().unwrap().retain(|action| !left_out.contains(&action.as_str().unwrap()));
    }
    let (id, secret) = aws.user(name, &policy);
    (universe.with("AWS_ACCESS_KEY_ID", &id).with("AWS_SECRET_ACCESS_KEY", &secret), proxy, aws)
}

/// The result of each check by its name.
fn results(outcome: &Outcome) -> Vec<(String, String)> {
    let document = outcome.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    document["checks"].as_array().unwrap().iter().map(|check| (text(&check["name"]), text(&check["result"]))).collect()
}

fn result<'r>(results: &'r [(String, String)], name: &str) -> &'r str {
    &results.iter().find(|(of, _)| of == name).unwrap_or_else(|| panic!("{name}: {results:?}")).1
}

const ALL: [&str; 9] = ["proxy", "certificates", "ci", "identity", "clock", "region", "account", "function", "rights"];

#[test]
fn all_is_well_where_a_deployment_works_and_nothing_is_changed() {
    let (universe, proxy, _) = world("healthy", &[]);
    let outcome = universe.run("doctor --format json").code(0);
    let found = results(&outcome);
    assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ALL);
    assert!(found.iter().all(|(_, result)| result == "ok"), "{}", outcome.stdout);
    let text = universe.run("doctor").code(0).says("ok       function      `healthy` does not exist");
    text.says("user healthy of account 000000000000")
        .says("by the keys (AWS_ACCESS_KEY_ID)")
        .says("us-east-1, by dpl.yml:");
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn a_right_that_is_missing_is_named_and_the_rest_is_still_shown() {
    let (universe, ..) = world("ailing", &["lambda:UpdateFunctionCode"]);
    let outcome = universe.run("doctor --format json").code(4);
    let found = results(&outcome);
    assert_eq!((found.len(), result(&found, "rights")), (ALL.len(), "error"));
    let said = outcome.says("`lambda:UpdateFunctionCode` on `arn:aws:lambda:us-east-1:000000000000:function:ailing`");
    said.never_says("`lambda:GetFunction` on");
}

#[test]
fn what_only_the_doctor_may_not_read_is_a_warning() {
    let (universe, proxy, _) = world("reserved", &[]);
    proxy.on("SimulatePrincipalPolicy", 0, Fault::Answer(403, "AccessDenied", "no"));
    proxy.on("GetAccountSettings", 0, Fault::Answer(403, "AccessDeniedException", "no"));
    let outcome = universe.run("doctor --format json").code(0);
    let found = results(&outcome);
    assert_eq!((result(&found, "rights"), result(&found, "account")), ("warning", "warning"));
    outcome.says("AWS denied `iam:SimulatePrincipalPolicy`").says("AWS denied `lambda:GetAccountSettings`");
}

#[test]
fn each_failure_is_one_line_with_its_code() {
    let (universe, proxy, _) = world("failing-doctor", &[]);
    let without = universe.run("doctor --format json --profile none-such").code(4);
    let found = results(&without);
    assert_eq!((found.len(), result(&found, "credentials"), result(&found, "proxy")), (4, "error", "ok"));
    let other = universe.run("doctor --format json --expect_account 123456789012").code(3);
    assert_eq!(result(&results(&other), "identity"), "error");
    other.says("`expect_account` is 123456789012");
    proxy.on("GetFunction", 0, Fault::Answer(403, "AccessDeniedException", "no"));
    let outcome = universe.run("doctor --format json").code(4);
    let found = results(&outcome);
    assert_eq!((result(&found, "function"), result(&found, "rights")), ("error", "ok"));
    proxy.clear();
    proxy.on("GetCallerIdentity", 0, Fault::Answer(403, "ExpiredToken", "it has expired"));
    universe.run("doctor").code(4).says("error    identity      the credentials have expired").says("function");
    universe.run("doctor").code(4).says("the identity is unknown").never_says("IAM cannot tell");
    universe.write("dpl.yml", "function_name: f\nmemory_size: 1\nzip: dist\n");
    universe.run("doctor").code(3).says("memory_size: must be between");
}

#[test]
fn what_a_job_lacks_of_its_ci_is_a_warning() {
    let (universe, ..) = world("in-ci", &[]);
    let universe = universe.with("GITHUB_ACTIONS", "true").with("CI", "true");
    universe.run("doctor").code(0).says("warning  ci").says("without GITHUB_STEP_SUMMARY and GITHUB_OUTPUT,");
    let universe = universe.with("GITHUB_STEP_SUMMARY", "/tmp/s").with("GITHUB_OUTPUT", "/tmp/o");
    universe.run("doctor").code(0).says("ok       ci            github");
}

#[test]
fn each_ci_has_its_own_needs() {
    let (universe, ..) = world("in-each-ci", &[]);
    let mut universe = universe.with("CI", "true");
    for (ci, lacking, file) in [
        ("BITBUCKET_COMMIT", "BITBUCKET_PIPELINES_VARIABLES_PATH, later steps", "BITBUCKET_PIPELINES_VARIABLES_PATH"),
        ("CIRCLECI", "without BASH_ENV, later steps", "BASH_ENV"),
        ("GITEA_ACTIONS", "without GITHUB_STEP_SUMMARY and GITHUB_OUTPUT,", "GITHUB_STEP_SUMMARY"),
    ] {
        universe = universe.with(ci, "true");
        universe.run("doctor").code(0).says("warning  ci").says(lacking);
        universe = universe.with(file, "/tmp/x").with("GITHUB_OUTPUT", "/tmp/o");
        universe.run("doctor").code(0).says("ok       ci ");
        universe = universe.without(ci).without(file).without("GITHUB_OUTPUT");
    }
    universe = universe.with("BUILDKITE", "true");
    universe.run("doctor").code(0).says("warning  ci").says("`buildkite-agent`").says("mount-buildkite-agent");
    universe = universe.without("BUILDKITE");
    for ci in ["GITLAB_CI", "TF_BUILD", "DRONE"] {
        universe = universe.with(ci, "true");
        universe.run("doctor").code(0).says("ok       ci ");
        universe = universe.without(ci);
    }
}

#[test]
fn a_job_without_credentials_learns_how_its_ci_gives_them() {
    let (universe, ..) = world("unarmed", &[]);
    let mut bare = universe.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY").with("CI", "true");
    for (variable, said) in [
        ("GITHUB_ACTIONS", "id-token: write"),
        ("GITLAB_CI", "id_tokens: {AWS_ID_TOKEN:"),
        ("BITBUCKET_COMMIT", "`oidc: true`"),
        ("CIRCLECI", "give it a context"),
        ("BUILDKITE", "buildkite-agent oidc request-token"),
        ("TF_BUILD", "`AWSShellScript@1`"),
    ] {
        let role = "arn:aws:iam::000000000000:role/ci";
        bare = bare.with(variable, "true");
        let outcome = bare.run(&format!("doctor --format json --role_to_assume {role}")).code(4);
        bare = bare.without(variable);
        assert_eq!(result(&results(&outcome), "credentials"), "error", "{variable}");
        outcome.says(said);
    }
}
