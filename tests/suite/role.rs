//! Execution roles that are made for new functions: once, with what they need, and waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, boto, emulator, on_both};

const UNKNOWN: &str = "The role defined for the function cannot be assumed by Lambda.";

fn block(function: &str, more: &str) -> String {
    format!(
        "function_name: {function}\ncreate_role: true\nruntime: python3.12\nhandler: index.handler\nzip: dist\n{more}"
    )
}

fn universe(kind: Kind, function: &str, more: &str) -> (Universe, Proxy, Aws) {
    let emulator = emulator(kind);
    let proxy = Proxy::before(&emulator.endpoint);
    let universe = Universe::at(&proxy.endpoint)
        .file("dist/index.py", "def handler(e, c): return 'one'\n")
        .file("dpl.yml", block(function, more));
    (universe, proxy, Aws::of(&emulator.endpoint))
}

fn iam(kind: Kind, operation: &str, arguments: &Value) -> Value {
    boto(&emulator(kind).endpoint, "iam", operation, arguments)
}

/// Names of the policies that a role has, in order.
fn policies(kind: Kind, role: &str) -> Vec<String> {
    let attached = iam(kind, "list_attached_role_policies", &json!({ "RoleName": role }));
    let mut names: Vec<_> = attached["AttachedPolicies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| policy["PolicyArn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_new_function_gets_a_role_that_is_made_once_and_left_alone() {
    on_both(|kind| {
        let (universe, proxy, aws) = universe(kind, "roled", "");
        let plan = universe.run("plan").code(0);
        plan.says("+ role            dpl-lambda-roled created").says("service-role/AWSLambdaBasicExecutionRole");
        assert_eq!(proxy.writes(), [""; 0]);
        universe.run("").code(0).says("Creating the role dpl-lambda-roled.").says("Creating function roled.");
        assert_eq!(proxy.writes(), ["CreateRole", "AttachRolePolicy", "CreateFunction"]);
        let account = kind.account();
        let arn = format!("arn:aws:iam::{account}:role/dpl-lambda-roled");
        assert_eq!(aws.get("roled")["Configuration"]["Role"], arn);
        assert_eq!(policies(kind, "dpl-lambda-roled"), ["AWSLambdaBasicExecutionRole"]);
        let role = iam(kind, "get_role", &json!({ "RoleName": "dpl-lambda-roled" }));
        let trust = &role["Role"]["AssumeRolePolicyDocument"]["Statement"][0];
        assert_eq!(trust["Principal"], json!({ "Service": "lambda.amazonaws.com" }));
        if kind == Kind::Ministack {
            assert_eq!(aws.invoke("roled", &json!({})), "one");
        }

        // There is a function now, and what its role is like is nobody's business any more.
        proxy.forget_calls();
        universe.run("").code(0).says("unchanged");
        assert_eq!(proxy.calls(), ["GetFunction"]);
    });
}

#[test]
fn a_function_in_a_vpc_gets_the_right_to_be_there() {
    let (universe, _, _) =
        universe(Kind::Moto, "roled-vpc", "subnet_ids: subnet-1\nsecurity_group_ids: sg-1\narchitecture: arm64\n");
    universe.run("").code(0);
    let both = ["AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole"];
    assert_eq!(policies(Kind::Moto, "dpl-lambda-roled-vpc"), both);
}

#[test]
fn what_a_run_that_was_cut_off_has_made_is_found_and_completed() {
    on_both(|kind| {
        let (universe, proxy, aws) = universe(kind, "roled-half", "");
        proxy.on("AttachRolePolicy", 0, Fault::Answer(500, "ServiceFailure", "try later"));
        let told = universe.run("").code(1).says("stopped at step 1 of 2: create the role");
        told.says("begun: role.  not done: function");
        assert!(!aws.exists("roled-half"));

        let (again, proxy, _) = self::universe(kind, "roled-half", "");
        again.run("plan").code(0).says("~ role            dpl-lambda-roled-half gets missing policies");
        proxy.on("CreateFunction", 1, Fault::Answer(400, "InvalidParameterValueException", "something is wrong"));
        again.run("").code(1).says("something is wrong").says("done: role.");
        assert_eq!(proxy.writes(), ["AttachRolePolicy", "CreateFunction"]);
        assert_eq!(policies(kind, "dpl-lambda-roled-half"), ["AWSLambdaBasicExecutionRole"]);

        // The role is whole: only the function is missing.
        let (last, proxy, _) = self::universe(kind, "roled-half", "");
        last.run("").code(0).never_says(" the role dpl-lambda");
        assert_eq!(proxy.writes(), ["CreateFunction"]);
    });
}

#[test]
fn answers_that_are_lost_make_no_second_role() {
    on_both(|kind| {
        let (universe, proxy, aws) = universe(kind, "roled-lost", "");
        proxy.on("CreateRole", 1, Fault::ResetAfter);
        proxy.on("AttachRolePolicy", 1, Fault::ResetAfter);
        proxy.on("CreateFunction", 1, Fault::ResetAfter);
        universe.run("").code(0).says("Deployed arn:aws:lambda");
        assert!(aws.exists("roled-lost"));
        assert_eq!(policies(kind, "dpl-lambda-roled-lost"), ["AWSLambdaBasicExecutionRole"]);
    });
}

#[test]
fn a_role_that_is_new_to_lambda_is_waited_for_and_that_is_said() {
    on_both(|kind| {
        let (universe, proxy, aws) = universe(kind, "roled-soon", "");
        for nth in 1..=4 {
            proxy.on("CreateFunction", nth, Fault::Answer(400, "InvalidParameterValueException", UNKNOWN));
        }
        universe.run("").code(0).says("waiting for the role to be known to Lambda").says("Deployed arn:aws:lambda");
        assert_eq!(proxy.requests("CreateFunction").len(), 5);
        assert!(aws.exists("roled-soon"));
    });
}

#[test]
fn a_role_that_stays_unknown_ends_with_the_deadline() {
    let (universe, proxy, _) = universe(Kind::Ministack, "roled-never", "wait_timeout: 3\n");
    proxy.on("CreateFunction", 0, Fault::Answer(400, "InvalidParameterValueException", UNKNOWN));
    let told = universe.run("").code(6).says("gave up after 3 s waiting for the role to be known to Lambda");
    told.says("done: role.").says("run again");
}

#[test]
fn a_role_of_the_users_is_waited_for_a_minute() {
    let (universe, proxy, _) =
        universe(Kind::Ministack, "roled-named", "role: arn:aws:iam::000000000000:role/deployed\n");
    proxy.on("CreateFunction", 0, Fault::Answer(400, "InvalidParameterValueException", UNKNOWN));
    let begun = Instant::now();
    let told = universe.run("").code(1).says(UNKNOWN).says("the role's trust policy must allow `sts:AssumeRole`");
    assert!((Duration::from_secs(55)..Duration::from_secs(110)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    told.never_says("dpl-lambda-roled-named");
    assert!(!proxy.calls().iter().any(|call| call.ends_with("Role")), "{:?}", proxy.calls());
}

/// Makes a role that Lambda cannot assume.
fn make_for_ec2(kind: Kind, role: &str) {
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" }] });
    iam(kind, "create_role", &json!({ "RoleName": role, "AssumeRolePolicyDocument": trust.to_string() }));
}

#[test]
fn a_role_of_that_name_that_is_for_somebody_else_is_not_touched() {
    on_both(|kind| {
        make_for_ec2(kind, "dpl-lambda-roled-taken");
        let (universe, proxy, _) = universe(kind, "roled-taken", "");
        let told = universe.run("").code(3);
        told.says("create_role: the role `dpl-lambda-roled-taken` exists already, and it is not for Lambda")
            .says("(dpl.yml:2:14)");
        assert_eq!(proxy.writes(), [""; 0]);
    });
}

#[test]
fn somebody_who_makes_the_role_at_the_same_time_for_something_else_is_a_conflict() {
    let (universe, proxy, _) = universe(Kind::Ministack, "roled-raced", "");
    let other = Arc::new(|| make_for_ec2(Kind::Ministack, "dpl-lambda-roled-raced"));
    proxy.on("CreateRole", 1, Fault::First(other));
    let told = universe.run("").code(5);
    told.says("another program created the role `dpl-lambda-roled-raced`");
}

#[test]
fn what_iam_denies_is_told_with_all_that_is_needed() {
    const DENIED: &str = "User: arn:aws:iam::1:user/ci is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::1:role/x because no identity-based policy allows the iam:CreateRole action";
    for operation in ["GetRole", "CreateRole", "AttachRolePolicy"] {
        let function = format!("roled-denied-{}", operation.to_lowercase());
        let (universe, proxy, aws) = universe(Kind::Ministack, &function, "");
        proxy.on(operation, 0, Fault::Instead(403, format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{DENIED}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        )));
        let told = universe.run("").code(4);
        let told = told.says("AWS denied `iam:CreateRole`").says("`iam:AttachRolePolicy` and `iam:PassRole`");
        told.says(&format!("arn:aws:iam::000000000000:role/dpl-lambda-{function}")).says("`role`");
        assert!(!aws.exists(&function));
    }
}

#[test]
fn a_deployment_with_the_rights_of_its_own_policy_makes_the_role() {
    let emulator = emulator(Kind::MinistackWithIam);
    let aws = Aws::of(&emulator.endpoint);
    let universe = Universe::at(&emulator.endpoint)
        .file("dist/index.py", "def handler(e, c): return 'one'\n")
        .file("dpl.yml", block("roled-allowed", "region: us-east-1\nexpect_account: '000000000000'\n"));
    let mut policy: Value = serde_json::from_str(&universe.run("policy").code(0).stdout).unwrap();
    assert!(policy.to_string().contains("arn:aws:iam::000000000000:role/dpl-lambda-roled-allowed"));
    // The emulator does not know on which function `CreateFunction` is called, nor which policy is attached; AWS does.
    let both = ["lambda:CreateFunction", "iam:AttachRolePolicy"];
    let create = json!({ "Effect": "Allow", "Action": both, "Resource": "*" });
    policy["Statement"].as_array_mut().unwrap().push(create);
    let (id, secret) = aws.user("roled-allowed", &policy);
    let universe = universe.with("AWS_ACCESS_KEY_ID", &id).with("AWS_SECRET_ACCESS_KEY", &secret);
    universe.run("").code(0).says("Deployed arn:aws:lambda");

    let (id, secret) = aws.user(
        "roled-not-allowed",
        &json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "lambda:*", "Resource": "*" }] }),
    );
    let other = Universe::at(&emulator.endpoint)
        .file("dist/index.py", "def handler(e, c): return 'one'\n")
        .file("dpl.yml", block("roled-not-allowed", ""))
        .with("AWS_ACCESS_KEY_ID", &id)
        .with("AWS_SECRET_ACCESS_KEY", &secret);
    other.run("").code(4).says("cannot read the role").says("`iam:GetRole`");
}

#[test]
fn without_the_option_a_new_function_needs_a_role_and_the_option_is_named() {
    let (universe, proxy, _) = universe(Kind::Ministack, "roleless", "");
    universe.write("dpl.yml", block("roleless", "").replace("create_role: true\n", ""));
    universe.run("").code(3).says("to create it AWS needs a role").says("let `create_role` make one");
    assert_eq!(proxy.writes(), [""; 0]);
}

#[test]
fn the_document_has_the_role() {
    let (universe, _, _) = universe(Kind::Moto, "roled-json", "");
    let document = universe.run("--format json").code(0).json();
    let step = &document["functions"][0]["plan"][0];
    assert_eq!(step["step"], "create_role");
    assert_eq!(step["changes"][0]["to"], "arn:aws:iam::123456789012:role/dpl-lambda-roled-json");
    assert_eq!(step["changes"][1]["setting"], "policy");
}

#[test]
fn a_function_that_is_fed_gets_the_right_to_read_what_feeds_it() {
    let emulator = emulator(Kind::Ministack);
    let queue = crate::harness::Boto::of(&emulator.endpoint).make_queue("role-jobs");
    let universe = Universe::at(&emulator.endpoint)
        .file("dist/index.py", "def handler(e, c): return 'one'\n")
        .file("dpl.yml", block("roled-fed", &format!("event_sources:\n- event_source_arn: {queue}\n")));
    universe.run("").code(0).says("policy/service-role/AWSLambdaSQSQueueExecutionRole").says("event source");
    universe.run("").code(0).says("unchanged");
}
