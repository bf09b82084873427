//! Tests failures: refusals of AWS, lost answers, and changes by other programs.

use std::{
    process::{Child, Command},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Outcome, Proxy, Universe, emulator};

const BLOCK: &str = "  role: deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n";

/// A universe before ministack, with the block of one function.
fn world(function: &str, more: &str) -> (Universe, Proxy, Aws) {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let proxy = Proxy::before(endpoint);
    let universe = Universe::at(&proxy.endpoint)
        .file("dist/index.py", "def handler(e, c): return 'one'\n")
        .file("dpl.yml", format!("deploy:\n  provider: lambda\n  function_name: {function}\n{BLOCK}{more}"));
    (universe, proxy, Aws::of(endpoint))
}

/// A world in which the function exists, and both code and configuration are going to change.
fn changing(function: &str, more: &str) -> (Universe, Proxy, Aws) {
    let (universe, proxy, aws) = world(function, more);
    universe.run("").code(0);
    universe.write("dist/index.py", "def handler(e, c): return 'two'\n");
    universe.write("dpl.yml", format!("deploy:\n  function_name: {function}\n{BLOCK}  timeout: 9\n{more}"));
    proxy.forget_calls();
    (universe, proxy, aws)
}

/// What has to be the same however a deployment came about.
fn state(aws: &Aws, function: &str) -> Value {
    let found = aws.get(function);
    let config = &found["Configuration"];
    json!({ "code": config["CodeSha256"], "timeout": config["Timeout"], "tags": found["Tags"], "versions": aws.versions(function).len() })
}

fn busy() -> Fault {
    Fault::Answer(
        409,
        "ResourceConflictException",
        "The operation cannot be performed at this time. An update is in progress for resource",
    )
}

#[test]
fn an_operation_in_progress_is_waited_out() {
    for (name, operation) in [
        ("busy-config", "UpdateFunctionConfiguration"),
        ("busy-code", "UpdateFunctionCode"),
        ("busy-publish", "PublishVersion"),
    ] {
        let (universe, proxy, aws) = changing(name, "  publish: true\n");
        proxy.on(operation, 1, busy()).on(operation, 2, busy());
        universe.run("").code(0);
        assert_eq!(proxy.writes().iter().filter(|write| *write == operation).count(), 3);
        assert_eq!(aws.get(name)["Configuration"]["Timeout"], 9);
        universe.run("").code(0).says("unchanged");
    }
}

#[test]
fn a_deploy_waits_for_an_update_that_somebody_else_began() {
    let (universe, proxy, aws) = changing("begun", "");
    aws.call("lambda", "PUT", "/2015-03-31/functions/begun/configuration", r#"{"MemorySize": 512}"#);
    universe.run("").code(0);
    let calls = proxy.calls();
    assert!(calls.iter().take_while(|call| *call == "GetFunction").count() > 1, "{calls:?}");
    assert_eq!(aws.get("begun")["Configuration"]["MemorySize"], 512);
}

#[test]
fn waiting_ends_at_the_deadline() {
    let (universe, proxy, _) = changing("deadline", "  wait_timeout: 2\n");
    proxy.on("UpdateFunctionConfiguration", 0, busy());
    let begun = Instant::now();
    universe.run("").code(6).says("gave up after 2 s waiting for").says("not done: configuration, code");
    assert!(begun.elapsed() < Duration::from_secs(10));

    let (universe, proxy, _) = changing("deadline-2", "  wait_timeout: 1\n");
    proxy.on("UpdateFunctionConfiguration", 1, Fault::Slow(Duration::from_secs(20)));
    universe.run("").code(6).says("AWS may or may not have done it");
}

#[test]
fn throttling_and_service_errors_are_backed_off() {
    for (name, status, code) in [
        ("throttled", 429, "TooManyRequestsException"),
        ("unwell", 500, "ServiceException"),
        ("away", 503, "ServiceUnavailable"),
    ] {
        let (universe, proxy, aws) = changing(name, "");
        for operation in ["GetFunction", "UpdateFunctionConfiguration", "UpdateFunctionCode"] {
            proxy.on(operation, 1, Fault::Answer(status, code, "Rate exceeded")).on(
                operation,
                2,
                Fault::Answer(status, code, "Rate exceeded"),
            );
        }
        universe.run("").code(0);
        assert_eq!(aws.get(name)["Configuration"]["Timeout"], 9);
    }
}

#[test]
fn a_call_that_is_throttled_for_good_is_an_error_with_the_services_words() {
    let (universe, proxy, _) = changing("throttled-for-good", "");
    proxy.on("UpdateFunctionCode", 0, Fault::Answer(429, "TooManyRequestsException", "Rate exceeded"));
    let outcome =
        universe.run("").says("stopped at step 2 of 2: update the code").says("done: configuration.  not done: code");
    assert!([1, 6].contains(&outcome.code), "{}", outcome.code);
}

#[test]
fn lost_answers_and_broken_connections_are_mended() {
    for (name, operation) in [
        ("lost-create", "CreateFunction"),
        ("lost-config", "UpdateFunctionConfiguration"),
        ("lost-code", "UpdateFunctionCode"),
        ("lost-publish", "PublishVersion"),
        ("lost-tag", "TagResource"),
    ] {
        for (kind, fault) in [("after", Fault::ResetAfter), ("before", Fault::ResetBefore)] {
            let name = format!("{name}-{kind}");
            let more = "  publish: true\n  function_tags:\n    a: b\n";
            let (universe, proxy, aws) =
                if operation == "CreateFunction" { world(&name, more) } else { changing(&name, more) };
            if operation == "TagResource" {
                aws.tag(&name, &json!({ "a": "other" }));
            }
            proxy.on(operation, 1, fault);
            universe.run("").code(0);
            universe.run("").code(0).says("unchanged");
            let versions = if operation == "CreateFunction" { 1 } else { 2 };
            assert_eq!(aws.versions(&name).len(), versions, "{name}");
        }
    }
}

#[test]
fn a_change_by_somebody_else_in_between_is_a_conflict() {
    let (universe, proxy, aws) = changing("foreign", "");
    let other = Arc::new(move || aws.configure("foreign", &json!({ "MemorySize": 1024 })));
    proxy.on("UpdateFunctionConfiguration", 1, Fault::First(other));
    universe.run("").code(5).says("another program changed the function").says("not done: configuration, code");
    assert_eq!(proxy.writes(), ["UpdateFunctionConfiguration"]);
}

#[test]
fn a_change_by_somebody_else_after_our_own_is_a_conflict() {
    let (universe, proxy, aws) = changing("foreign-after", "");
    let other = Arc::new(move || {
        aws.wait("foreign-after");
        aws.configure("foreign-after", &json!({ "Timeout": 33 }));
    });
    proxy.on("UpdateFunctionConfiguration", 1, Fault::Then(other));
    universe.run("").code(5).says("timeout differs from the value sent");
    assert_eq!(proxy.writes(), ["UpdateFunctionConfiguration"], "no code goes onto a configuration that is not ours");
}

#[test]
fn a_stale_revision_is_a_conflict() {
    for (name, operation) in [
        ("stale-config", "UpdateFunctionConfiguration"),
        ("stale-code", "UpdateFunctionCode"),
        ("stale-publish", "PublishVersion"),
    ] {
        let (universe, proxy, _) = changing(name, "  publish: true\n");
        proxy.on(
            operation,
            1,
            Fault::Answer(
                412,
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id.",
            ),
        );
        universe.run("").code(5).says("another program changed the function");
    }
}

#[test]
fn somebody_elses_function_of_the_same_name_is_a_conflict() {
    let (universe, proxy, aws) = world("raced", "");
    let other = Arc::new(move || {
        let body = json!({ "FunctionName": "raced", "Runtime": "python3.12", "Role": "arn:aws:iam::000000000000:role/r", "Handler": "a.b", "Code": { "ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==" } });
        assert_eq!(aws.call("lambda", "POST", "/2015-03-31/functions", &body.to_string()).0, 201);
    });
    proxy.on("CreateFunction", 1, Fault::First(other));
    universe.run("").code(5).says("another program created `");
}

#[test]
fn every_write_carries_the_revision_of_a_settled_function() {
    let (universe, proxy, _) = changing("revisions", "  publish: true\n");
    universe.run("").code(0);
    for operation in ["UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion"] {
        let body = proxy.bodies(operation).remove(0);
        assert!(body["RevisionId"].as_str().is_some_and(|id| !id.is_empty()), "{operation}");
    }
    assert_eq!(proxy.bodies("PublishVersion")[0]["CodeSha256"], proxy_hash(&universe));
}

fn proxy_hash(universe: &Universe) -> Value {
    universe.run("package --list --format json").json()["packages"][0]["code_sha256"].clone()
}

/// Rewrites the state of a function in what AWS answers.
fn with_state(aws: &Aws, function: &str, state: &Value) -> Fault {
    let mut found = aws.get(function);
    let config = found["Configuration"].as_object_mut().unwrap();
    config.extend(state.as_object().unwrap().clone());
    Fault::Instead(200, found.to_string())
}

#[test]
fn a_failed_update_is_told_with_the_services_reason() {
    let (universe, proxy, aws) = changing("failed", "");
    let state = json!({ "State": "Active", "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "The role cannot pull the key", "LastUpdateStatusReasonCode": "KMSKeyAccessDenied", "RevisionId": "after" });
    proxy.on("GetFunction", 2, with_state(&aws, "failed", &state));
    universe
        .run("")
        .code(1)
        .says("the update failed: The role cannot pull the key (KMSKeyAccessDenied)")
        .says("done: nothing.  begun: configuration.  not done: code");
}

#[test]
fn a_function_whose_last_update_failed_or_that_is_inactive_can_be_deployed() {
    for (name, state) in [
        ("was-failed", json!({ "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "x" })),
        ("inactive", json!({ "State": "Inactive", "StateReasonCode": "Idle" })),
        ("unheard-of", json!({ "State": "ActiveNonInvocable" })),
    ] {
        let (universe, proxy, aws) = changing(name, "");
        proxy.on("GetFunction", 1, with_state(&aws, name, &state));
        universe.run("").code(0);
        assert_eq!(aws.get(name)["Configuration"]["Timeout"], 9, "{name}");
    }
}

#[test]
fn an_error_inside_of_a_success_is_an_error() {
    let (universe, proxy, _) = changing("within", "  environment:\n    AA: secret-value\n");
    let body = json!({ "FunctionName": "within", "Environment": { "Error": { "ErrorCode": "KMSAccessDeniedException", "Message": "Lambda cannot use the key for secret-value" } } });
    universe.run("--environment AA=secret-value-2 --kms_key_arn arn:aws:kms:us-east-1:000000000000:key/k").code(0);
    universe.write("dist/index.py", "def handler(e, c): return 'three'\n");
    proxy.on("UpdateFunctionConfiguration", 2, Fault::Instead(200, body.to_string()));
    universe
        .run("--environment AA=secret-value")
        .code(1)
        .says("AWS could not apply the environment: Lambda cannot use the key")
        .never_says("secret-value");
}

#[test]
fn an_environment_that_cannot_be_read_is_unknown_not_empty() {
    let (universe, proxy, aws) = changing("unknown", "");
    let unknown = json!({ "Environment": { "Error": { "ErrorCode": "AccessDeniedException", "Message": "no access to the key" } } });
    proxy.on("GetFunction", 1, with_state(&aws, "unknown", &unknown));
    universe.run("plan").code(0).says("no access to the key").never_says("environment.");
    proxy.forget_calls();
    proxy.on("GetFunction", 1, with_state(&aws, "unknown", &unknown));
    universe.run("plan --environment AA=1").code(3).says("the function's variables could not be read");
}

#[test]
fn what_is_denied_is_named_with_action_and_resource() {
    for (name, operation, action, code) in [
        ("denied-read", "GetFunction", "lambda:GetFunction", 4),
        ("denied-config", "UpdateFunctionConfiguration", "lambda:UpdateFunctionConfiguration", 4),
        ("denied-list", "ListVersionsByFunction", "lambda:ListVersionsByFunction", 4),
        ("denied-publish", "PublishVersion", "lambda:PublishVersion", 4),
        ("denied-tag", "TagResource", "lambda:TagResource", 4),
    ] {
        let (universe, proxy, _) = changing(name, "  publish: true\n");
        proxy.on(operation, 0, Fault::Answer(403, "AccessDeniedException", "no"));
        universe
            .run("--function_tags a=b")
            .code(code)
            .says(&format!("AWS denied `{action}`"))
            .says(&format!("allow `{action}`"));
    }
    let (universe, proxy, _) = world("denied-pass", "");
    let said = "User: arn:aws:iam::1:user/ci is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/r because no identity-based policy allows it";
    proxy.on("CreateFunction", 0, Fault::Answer(403, "AccessDeniedException", said));
    universe.run("").code(4).says("AWS denied `iam:PassRole` on `arn:aws:iam::1:role/r`").says("allow `iam:PassRole`");
}

#[test]
fn credentials_that_are_not_accepted_are_told_apart() {
    for (name, code, said) in [
        ("unknown-key", "UnrecognizedClientException", "does not accept the credentials"),
        ("expired", "ExpiredTokenException", "have expired"),
    ] {
        let (universe, proxy, _) = world(name, "");
        proxy.on("GetFunction", 0, Fault::Answer(403, code, "The security token included in the request is invalid"));
        universe.run("").code(4).says(said);
    }
}

#[test]
fn missing_credentials_and_regions_are_told_before_anything_is_called() {
    let (universe, proxy, _) = world("nobody", "");
    let universe = universe.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    universe.run("").code(4).says("there are no usable AWS credentials");
    let universe = universe
        .with("AWS_ACCESS_KEY_ID", "AKIDTESTTESTTEST")
        .with("AWS_SECRET_ACCESS_KEY", "test-secret-access-key")
        .without("AWS_REGION");
    universe.run("").code(3).says("no Region is set");
    let universe = universe.without("AWS_SECRET_ACCESS_KEY");
    universe.run("").code(3).says("access_key_id: is given without `secret_access_key` (AWS_ACCESS_KEY_ID)");
    assert_eq!(proxy.calls(), Vec::<String>::new());
}

#[test]
fn an_endpoint_that_is_not_there_is_told_as_such() {
    let (universe, ..) = world("unreachable", "");
    let universe = universe.with("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    universe
        .run("")
        .code(1)
        .says("AWS could not be reached for `lambda:GetFunction`")
        .says("look at `region`, `endpoint_url`");
}

/// Starts a run that is killed by the proxy before a given call, or runs to its end.
fn killed_before(universe: &Universe, proxy: &Proxy, call: usize) -> bool {
    let child: Arc<Mutex<Option<Child>>> = Arc::default();
    let (victim, counted) = (Arc::clone(&child), Arc::new(Mutex::new(0)));
    let kill = Arc::new(move || {
        let mut count = counted.lock().unwrap();
        *count += 1;
        if *count == call + 1
            && let Some(child) = victim.lock().unwrap().as_mut()
        {
            child.kill().unwrap();
        }
    });
    proxy.on("*", 0, Fault::First(kill));
    *child.lock().unwrap() = Some(universe.start(""));
    loop {
        if let Some(status) = child.lock().unwrap().as_mut().unwrap().try_wait().unwrap() {
            return !status.success();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_run_killed_between_any_two_calls_is_finished_by_the_next() {
    let more = "  publish: true\n  function_tags:\n    a: b\n";
    let (whole, _, aws) = changing("uncut", more);
    whole.run("").code(0);
    let expected = state(&aws, "uncut");
    let mut call = 0;
    loop {
        let name = format!("cut-{call}");
        let (universe, _, aws) = changing(&name, more);
        let proxy = Proxy::before(&emulator(Kind::Ministack).endpoint);
        let universe = universe.toward("AWS_ENDPOINT_URL", &proxy.endpoint);
        let killed = killed_before(&universe, &proxy, call);
        let direct = universe.toward("AWS_ENDPOINT_URL", &emulator(Kind::Ministack).endpoint);
        direct.run("").code(0);
        assert_eq!(state(&aws, &name), expected, "killed before call {call}");
        direct.run("").code(0).says("unchanged");
        if !killed {
            break;
        }
        call += 1;
    }
    assert!(call > 6, "only {call} calls were cut");
}

#[test]
fn a_run_that_is_asked_to_stop_says_what_is_done() {
    for (name, signal, code) in [("terminated", "TERM", 143), ("ctrl-c", "INT", 130)] {
        let (universe, proxy, aws) = changing(name, "");
        let endless = with_state(&aws, name, &json!({ "LastUpdateStatus": "InProgress" }));
        proxy.on("GetFunction", 2, endless.clone());
        for nth in 3..200 {
            proxy.on("GetFunction", nth, endless.clone());
        }
        let child = universe.start("");
        while !proxy.calls().contains(&"UpdateFunctionConfiguration".to_owned()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(200));
        Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        let outcome = Outcome::of(&child.wait_with_output().unwrap());
        outcome.code(code).says("interrupted by").says("done: nothing.  begun: configuration.  not done: code");
        assert_eq!(proxy.writes(), ["UpdateFunctionConfiguration"]);
    }
}

#[test]
fn travis_documented_policy_suffices_for_a_plain_deploy() {
    let emulator = emulator(Kind::MinistackWithIam);
    let aws = Aws::of(&emulator.endpoint);
    aws.make_role("deployed");
    let statement = |action: &str, resource: &str| json!({ "Effect": "Allow", "Action": action, "Resource": resource });
    let own = "arn:aws:lambda:us-east-1:000000000000:function:by-policy";
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        statement("lambda:CreateFunction", "*"), statement("lambda:ListFunctions", "*"), statement("lambda:GetFunction", own),
        statement("lambda:UpdateFunctionCode", own), statement("lambda:UpdateFunctionConfiguration", own),
        statement("iam:PassRole", "arn:aws:iam::000000000000:role/deployed"),
    ] });
    let (id, secret) = aws.user("ci", &policy);
    let universe = Universe::at(&emulator.endpoint)
        .with("AWS_ACCESS_KEY_ID", &id)
        .with("AWS_SECRET_ACCESS_KEY", &secret)
        .file("dist/index.py", "def handler(e, c): return 'one'\n")
        .file("dpl.yml", "function_name: by-policy\nrole: arn:aws:iam::000000000000:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\n");
    universe.run("").code(0).says("Deployed");
    universe.write("dist/index.py", "def handler(e, c): return 'two'\n");
    universe.run("--timeout 9").code(0).says("configuration, code");
    universe.run("--timeout 9").code(0).says("unchanged");
    universe.run("--timeout 9 --publish").code(4).says("lambda:ListVersionsByFunction");
}

#[test]
fn another_architecture_is_sent_also_when_the_first_attempt_was_refused() {
    let (universe, proxy, aws) = world("architecture", "");
    universe.run("").code(0);
    proxy.on("UpdateFunctionCode", 1, busy());
    universe.run("--architecture arm64").code(0).says("architecture  x86_64 → arm64");
    assert_eq!(aws.get("architecture")["Configuration"]["Architectures"], json!(["arm64"]));
    universe.run("--architecture arm64").code(0).says("unchanged");
}

#[test]
fn a_function_that_failed_is_tried_again_although_nothing_differs() {
    let (universe, proxy, aws) = world("tried-again", "");
    universe.run("").code(0);
    proxy.forget_calls();
    let state = json!({ "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no such subnet" });
    proxy.on("GetFunction", 1, with_state(&aws, "tried-again", &state));
    universe.run("").code(0).says("nothing differs, but the update failed: no such subnet");
    assert_eq!(proxy.writes(), ["UpdateFunctionCode"]);
}

#[test]
fn tagging_waits_out_other_operations_and_is_not_blamed_for_an_older_failure() {
    let (universe, proxy, aws) = world("tagging", "");
    universe.run("").code(0);
    let state = json!({ "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "an older one" });
    proxy.forget_calls();
    let failed = with_state(&aws, "tagging", &state);
    proxy.on("TagResource", 1, busy()).on("GetFunction", 0, failed);
    let (later, live) = (proxy.clone(), Aws::of(&emulator(Kind::Ministack).endpoint));
    let tagged = Arc::new(move || {
        later.clear();
        later.on("GetFunction", 0, with_state(&live, "tagging", &state));
    });
    proxy.on("TagResource", 2, Fault::Then(tagged));
    universe.run("--function_tags a=b").code(0).never_says("the update failed");
    assert_eq!(aws.get("tagging")["Tags"], json!({ "a": "b" }));
}

#[test]
fn a_function_that_was_just_created_may_be_unknown_for_a_moment() {
    let (universe, proxy, _) = world("just-created", "");
    proxy.on("GetFunction", 2, Fault::Answer(404, "ResourceNotFoundException", "not yet"));
    universe.run("").code(0).says("Deployed");
}

#[test]
fn the_key_of_the_live_package_is_sent_along() {
    let (universe, proxy, aws) = changing("with-key", "");
    let mut found = aws.get("with-key");
    found["Code"]["SourceKMSKeyArn"] = json!("arn:aws:kms:us-east-1:000000000000:key/k");
    proxy.on("GetFunction", 0, Fault::Instead(200, found.to_string()));
    universe.run("--timeout 3");
    assert_eq!(proxy.bodies("UpdateFunctionCode")[0]["SourceKMSKeyArn"], "arn:aws:kms:us-east-1:000000000000:key/k");
}

#[test]
fn live_values_that_aws_quotes_are_hidden() {
    let (universe, proxy, aws) = changing("quoted", "");
    aws.configure("quoted", &json!({ "Environment": { "Variables": { "LIVE": "value-that-is-live" } } }));
    let said = "Your environment variables exceed the 4KB limit. String measured: {\"LIVE\":\"value-that-is-live\"}";
    proxy.on("UpdateFunctionConfiguration", 0, Fault::Answer(400, "InvalidParameterValueException", said));
    let outcome = universe.run("--environment NEW=1 --environment_mode merge").code(1);
    outcome.says("exceed the 4KB limit").never_says("value-that-is-live");
}

#[test]
fn a_profile_that_was_asked_for_beats_keys_of_the_environment() {
    let (universe, proxy, _) = world("profiled", "");
    universe.write(
        "../home/.aws/credentials",
        "[deploy]\naws_access_key_id = PROFILEKEYPROFILEKEY\naws_secret_access_key = profile-secret-key\n",
    );
    universe.write("../home/.aws/config", "[profile deploy]\nregion = eu-west-1\n");
    universe.run("plan --profile deploy --ci travis").code(0).says("Using Access Key: PR").says("in us-east-1");
    let universe = universe.without("AWS_REGION").with("AWS_DEFAULT_REGION", "");
    universe.run("plan --profile deploy").code(0).says("in eu-west-1");
    universe
        .run("plan --profile nowhere --region us-east-1")
        .code(4)
        .says("the profile `nowhere` gives no credentials");
    proxy.forget_calls();
    let universe = universe.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY").with("AWS_PROFILE", "deploy");
    universe.run("plan --ci travis").code(0).says("Using Access Key: PR");
    universe
        .with("AWS_PROFILE", "")
        .with("AWS_REGION", "us-east-1")
        .run("plan")
        .code(4)
        .says("there are no usable AWS credentials");
}

#[test]
fn a_region_of_the_job_is_no_contradiction_to_an_arn() {
    let (universe, ..) = world("by-arn-elsewhere", "");
    universe.write("dpl.yml", "function_name: arn:aws:lambda:eu-west-1:000000000000:function:by-arn-elsewhere\nrole: deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\n");
    universe.run("plan").code(0).says("in eu-west-1");
    universe.run("plan --region us-east-1").code(3);
    universe.run("plan --expect_account 123456789012").code(3).says("but the ARN in `function_name` has 000000000000");
}

#[test]
fn a_proxy_is_used_for_aws_but_not_for_an_emulator_on_this_machine() {
    let (universe, ..) = world("proxied", "");
    let universe = universe.with("HTTP_PROXY", "http://127.0.0.1:9").with("HTTPS_PROXY", "http://127.0.0.1:9");
    universe.run("plan").code(0);
    let universe = universe.with("AWS_ENDPOINT_URL", "https://lambda.invalid");
    universe.run("plan").code(1).says("AWS could not be reached");
}

#[test]
fn an_endpoint_for_lambda_alone_beats_the_general_one() {
    let (universe, proxy, _) = world("own-endpoint", "");
    let universe =
        universe.with("AWS_ENDPOINT_URL", "http://127.0.0.1:9").toward("AWS_ENDPOINT_URL_LAMBDA", &proxy.endpoint);
    universe.run("plan --role arn:aws:iam::000000000000:role/deployed").code(0);
    assert_eq!(proxy.calls(), ["GetFunction"]);
}

/// A world in which every kind of write is going to happen to a function that exists.
fn changing_all(name: &str) -> (Universe, Proxy, Aws) {
    let (universe, proxy, aws) = world(name, "");
    aws.make_bucket(name);
    universe.run("").code(0);
    universe.write("dist/index.py", "def handler(e, c): return 'two'\n");
    let more = format!(
        "  timeout: 9\n  publish: true\n  alias: live\n  function_tags:\n    a: b\n  s3_bucket: {name}\n  reserved_concurrency: 3\n  function_url:\n    auth_type: NONE\n  async_config:\n    maximum_retry_attempts: 1\n"
    );
    universe.write("dpl.yml", format!("deploy:\n  function_name: {name}\n{BLOCK}{more}"));
    proxy.forget_calls();
    (universe, proxy, aws)
}

/// The writes of [`changing_all`].
const ALL_WRITES: [&str; 10] = [
    "PutObject",
    "UpdateFunctionConfiguration",
    "TagResource",
    "UpdateFunctionCode",
    "PublishVersion",
    "CreateAlias",
    "PutFunctionConcurrency",
    "CreateFunctionUrlConfig",
    "AddPermission",
    "PutFunctionEventInvokeConfig",
];

#[test]
fn what_aws_did_is_done_although_no_answer_ever_arrives() {
    std::thread::scope(|scope| {
        for (kind, lost) in [("reset", Fault::ResetAfter), ("junk", Fault::Instead(200, "{junk".to_owned()))] {
            for operation in ALL_WRITES {
                // These have no answer that could be read, or its ETag is in a header.
                if kind == "junk" && ["PutObject", "TagResource", "PutFunctionConcurrency"].contains(&operation) {
                    continue;
                }
                let lost = lost.clone();
                scope.spawn(move || {
                    let (universe, proxy, aws) = changing_all(&format!("{}-{kind}", operation.to_lowercase()));
                    proxy.on(operation, 0, lost);
                    let outcome = universe.run("");
                    assert!(proxy.calls().contains(&operation.to_owned()), "{operation}: {:?}", proxy.calls());
                    assert_eq!(outcome.code, 0, "{operation} {kind}: {}", outcome.all());
                    proxy.clear();
                    universe.run("").code(0).says("unchanged");
                    assert_eq!(aws.versions(&format!("{}-{kind}", operation.to_lowercase())).len(), 1);
                });
            }
        }
    });
}

#[test]
fn what_aws_did_not_do_is_not_done_although_the_connection_broke() {
    std::thread::scope(|scope| {
        for operation in ALL_WRITES {
            scope.spawn(move || {
                let name = format!("{}-before", operation.to_lowercase());
                let (universe, proxy, _) = changing_all(&name);
                proxy.on(operation, 0, Fault::ResetBefore);
                let outcome = universe.run("");
                assert_eq!(outcome.code, 1, "{operation}: {}", outcome.all());
                // A public URL has two statements, and each of them is a step.
                assert!(!outcome.all().contains("begun:"), "{operation}: {}", outcome.all());
                outcome.says("not done: ").never_says("may or may not");
                proxy.clear();
                universe.run("").code(0);
            });
        }
    });
}

#[test]
fn a_write_that_nobody_can_look_at_is_begun() {
    let (universe, proxy, aws) = changing("unseen", "");
    let broken = Fault::Answer(400, "ValidationException", "not now");
    proxy.on("UpdateFunctionConfiguration", 0, Fault::ResetAfter);
    for nth in 2..40 {
        proxy.on("GetFunction", nth, broken.clone());
    }
    universe
        .run("")
        .code(1)
        .says("AWS may or may not have done it")
        .says("done: nothing.  begun: configuration.  not done: code");
    assert_eq!(aws.get("unseen")["Configuration"]["Timeout"], 9);
}

#[test]
fn a_refusal_after_a_lost_answer_is_looked_at() {
    let denied = Fault::Answer(403, "AccessDeniedException", "no");
    let (universe, proxy, aws) = changing("refused-after", "");
    proxy.on("UpdateFunctionConfiguration", 1, Fault::ResetAfter).on("UpdateFunctionConfiguration", 2, denied.clone());
    universe.run("").code(0);
    assert_eq!(aws.get("refused-after")["Configuration"]["Timeout"], 9);

    let (universe, proxy, aws) = changing("refused-before", "");
    proxy.on("UpdateFunctionConfiguration", 1, Fault::ResetBefore).on("UpdateFunctionConfiguration", 2, denied);
    universe.run("").code(4).says("done: nothing.  not done: configuration, code");
    assert_eq!(aws.get("refused-before")["Configuration"]["Timeout"], 3);
}

#[test]
fn credentials_that_expire_are_named_wherever_they_do() {
    let expired = |status| Fault::Answer(status, "ExpiredTokenException", "The security token is expired");
    let (universe, proxy, aws) = world("expired-role", "");
    universe.write(
        "dpl.yml",
        "function_name: expired-role\ncreate_role: true\nruntime: python3.12\nhandler: index.handler\nzip: dist\n",
    );
    proxy.on("CreateRole", 0, Fault::Instead(403, "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security token is expired</Message></Error></ErrorResponse>".to_owned()));
    universe.run("").code(4).says("the credentials have expired").never_says("allow `iam:");
    aws.make_bucket("expired-bucket");
    for status in [400, 403] {
        let (universe, proxy, _) = world("expired-head", "  s3_bucket: expired-bucket\n");
        universe.write("dist/index.py", format!("def handler(e, c): return {status}\n"));
        let told = "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
        proxy.on("HeadObject", 0, expired(status)).on("GetObject", 0, Fault::Instead(400, told.to_owned()));
        universe.run("").code(4).says("the credentials have expired").never_says("allow `s3:");
        assert!(proxy.writes().is_empty());
        proxy.clear();
        proxy.on("PutObject", 0, Fault::Instead(400, told.to_owned()));
        universe.run("").code(4).says("the credentials have expired").never_says("allow `s3:");
    }
}
