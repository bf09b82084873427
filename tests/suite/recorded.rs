//! Tests how AWS' own answers are understood: every kind of function, refusals that pass, refusals that are final.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::canned::{ACCOUNT, World};
use crate::harness::{Canned, Fault, Outcome, Universe};

/// A universe before a recorded AWS, with the block of one function.
fn before(canned: &Canned, more: &str) -> Universe {
    let block = format!(
        "function_name: f\nrole: arn:aws:iam::{ACCOUNT}:role/deployed\nruntime: python3.13\nhandler: index.handler\nzip: dist\nwait_timeout: 60\n{more}"
    );
    Universe::at(&canned.proxy.endpoint)
        .file("dist/index.py", "def handler(e, c): return 'one'\n")
        .file("dpl.yml", block)
}

/// A function that is deployed as its block says.
fn deployed(more: &str) -> (Universe, Canned) {
    let canned = Canned::function("f", &json!({}));
    let universe = before(&canned, more);
    canned.world().function["Configuration"]["CodeSha256"] = hash(&universe);
    (universe, canned)
}

/// A deployed function whose version 1 has an alias, and new code.
fn released(more: &str) -> (Universe, Canned) {
    let (universe, canned) = deployed(&format!("alias: live\n{more}"));
    canned.world().publish();
    canned.world().point("live", "1");
    universe.write("dist/index.py", "def handler(e, c): return 'two'\n");
    (universe, canned)
}

fn hash(universe: &Universe) -> Value {
    universe.run("package --list --format json").code(0).json()["packages"][0]["code_sha256"].clone()
}

fn invalid(said: &'static str) -> Fault {
    Fault::Answer(400, "InvalidParameterValueException", said)
}

fn conflict(said: &'static str) -> Fault {
    Fault::Answer(409, "ResourceConflictException", said)
}

/// Runs, and expects an end within some seconds.
fn soon(universe: &Universe, arguments: &str) -> Outcome {
    let begun = Instant::now();
    let outcome = universe.run(arguments);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}\n{}", begun.elapsed(), outcome.all());
    outcome
}

#[test]
fn every_kind_of_function_is_read_and_updated() {
    let vpc = json!({ "SubnetIds": [], "SecurityGroupIds": [], "VpcId": "", "Ipv6AllowedForDualStack": false });
    for (kind, more) in [
        ("fresh", json!({})),
        ("inactive", json!({ "State": "Inactive", "StateReason": "The function is idle", "StateReasonCode": "Idle" })),
        ("not invocable", json!({ "State": "ActiveNonInvocable" })),
        ("of a later state", json!({ "State": "Hibernating", "LastUpdateStatus": "Unheard" })),
        (
            "with empty members",
            json!({ "Environment": { "Variables": {} }, "VpcConfig": vpc, "Layers": [], "FileSystemConfigs": [], "DeadLetterConfig": {}, "KMSKeyArn": "" }),
        ),
        (
            "with null members",
            json!({ "Environment": null, "VpcConfig": null, "Layers": null, "TracingConfig": null, "SnapStart": null, "LoggingConfig": null, "EphemeralStorage": null, "Architectures": null, "LastUpdateStatus": null, "StateReason": null, "RuntimeVersionConfig": null }),
        ),
        (
            "that was updated without success",
            json!({ "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no subnet", "LastUpdateStatusReasonCode": "InvalidSubnet" }),
        ),
        ("of SnapStart", json!({ "SnapStart": { "ApplyOn": "PublishedVersions", "OptimizationStatus": "Off" } })),
        (
            "with JSON logs",
            json!({ "LoggingConfig": { "LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", "LogGroup": "/aws/lambda/f" } }),
        ),
        ("durable", json!({ "DurableConfig": { "RetentionPeriodInDays": 14, "ExecutionTimeout": 3600 } })),
        (
            "of Managed Instances",
            json!({ "MemorySize": 4096, "CapacityProviderConfig": { "LambdaManagedInstancesCapacityProviderConfig": { "CapacityProviderArn": "arn:aws:lambda:us-east-1:123456789012:capacity-provider:c", "PerExecutionEnvironmentMaxConcurrency": 16, "ExecutionEnvironmentMemoryGiBPerVCpu": 2.0 } }, "ConfigSha256": "x" }),
        ),
        (
            "with a key that is denied",
            json!({ "KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k", "Environment": { "Error": { "ErrorCode": "AccessDeniedException", "Message": "no key" } } }),
        ),
    ] {
        eprintln!("a function {kind}");
        let canned = Canned::function("f", &more);
        let universe = before(&canned, "");
        canned.world().function["Configuration"]["CodeSha256"] = hash(&universe);
        universe.run("status").code(0).says("python3.13");
        let written = universe.run("init --function_name f").code(0).stdout;
        universe.write("read.yml", &written);
        universe.run("check --config read.yml --zip dist").code(0);
        if kind.contains("without success") {
            universe.run("plan").code(0).says("nothing differs, but the update failed: no subnet (InvalidSubnet)");
        } else {
            universe.run("plan").code(0).says("unchanged");
        }
        canned.world().settling = 2;
        universe.run("--timeout 9").code(0).says("Deployed");
        assert_eq!(canned.world().function["Configuration"]["Timeout"], 9);
        canned.proxy.forget_calls();
        if !kind.contains("without success") {
            universe.run("--timeout 9").code(0).says("unchanged");
            assert!(canned.proxy.writes().is_empty(), "{:?}", canned.proxy.writes());
        }
    }
}

#[test]
fn nothing_asks_for_the_code_signing_of_an_image() {
    let digest = "a".repeat(64);
    let canned =
        Canned::function("f", &json!({ "PackageType": "Image", "CodeSha256": digest, "ImageConfigResponse": {} }));
    let repository = format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/f");
    {
        let mut world = canned.world();
        let config = world.function["Configuration"].as_object_mut().unwrap();
        for member in ["Runtime", "Handler", "RuntimeVersionConfig"] {
            config.remove(member);
        }
        world.function["Code"] = json!({ "RepositoryType": "ECR", "ImageUri": format!("{repository}:v1"), "ResolvedImageUri": format!("{repository}@sha256:{digest}") });
    }
    let universe = Universe::at(&canned.proxy.endpoint).file(
        "dpl.yml",
        format!("function_name: f\nimage_uri: {repository}@sha256:{digest}\nclear: [code_signing_config_arn]\n"),
    );
    universe.run("init --function_name f").code(0).never_says("code signing");
    universe.run("plan").code(0).says("unchanged").never_says("code signing");
    universe.run("status").code(0);
    assert!(canned.proxy.requests("GetFunctionCodeSigningConfig").is_empty());
    universe.write(
        "dpl.yml",
        format!("function_name: f\nimage_uri: {repository}@sha256:{digest}\ncode_signing_config_arn: arn:aws:lambda:us-east-1:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0\n"),
    );
    universe.run("plan").code(3).says("code_signing_config_arn");
}

#[test]
fn a_function_whose_creation_failed_is_not_updated() {
    let state = json!({ "State": "Failed", "StateReason": "The subnet has no room", "StateReasonCode": "SubnetOutOfIPAddresses" });
    let canned = Canned::function("f", &state);
    let universe = before(&canned, "timeout: 9\n");
    for verb in ["plan", "deploy"] {
        soon(&universe, verb)
            .code(3)
            .says("the creation failed: The subnet has no room (SubnetOutOfIPAddresses)")
            .says("dpl-lambda delete");
    }
    assert!(canned.proxy.writes().is_empty(), "{:?}", canned.proxy.writes());
    universe.run("status").code(0).says("The subnet has no room");

    let canned = Canned::nothing("f");
    let universe = before(&canned, "");
    let mut failed = Canned::function("f", &state).world().function.clone();
    failed["Configuration"]["CodeSha256"] = hash(&universe);
    canned.proxy.on("GetFunction", 2, Fault::Instead(200, failed.to_string()));
    universe.run("").code(1).says("the creation failed: The subnet has no room").says("dpl-lambda delete");
}

#[test]
fn a_refusal_that_says_it_is_final_ends_the_run_at_once() {
    for (operation, said, tokens) in [
        (
            "UpdateFunctionConfiguration",
            "The operation cannot be performed at this time. The function is currently in the following state: Failed",
            "dpl-lambda delete",
        ),
        ("UpdateFunctionCode", "The code of this function is managed elsewhere.", "managed elsewhere"),
        ("PublishVersion", "A version cannot be made of this function.", "cannot be made"),
        (
            "UpdateAlias",
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
            "provisioned concurrency of the other",
        ),
        (
            "PutProvisionedConcurrencyConfig",
            "Version is pointed by a Provisioned Concurrency alias",
            "provisioned concurrency of the other",
        ),
        ("PutFunctionConcurrency", "This function takes no concurrency.", "takes no concurrency"),
    ] {
        eprintln!("{operation}");
        let (universe, canned) = released("timeout: 9\nreserved_concurrency: 5\nprovisioned_concurrency: 1\n");
        canned.proxy.on(operation, 0, conflict(said));
        soon(&universe, "").code(1).says(said).says(tokens);
        assert_eq!(canned.proxy.requests(operation).len(), 1, "{operation}");
    }
    for code in [
        "CodeArtifactUserFailedException",
        "SnapStartRegenerationFailureException",
        "DurableExecutionAlreadyStartedException",
    ] {
        let (universe, canned) = deployed("");
        canned.proxy.on("Invoke", 0, Fault::Answer(409, code, "not this time"));
        soon(&universe, "invoke").code(1).says("not this time");
        assert_eq!(canned.proxy.requests("Invoke").len(), 1, "{code}");
    }
}

#[test]
fn a_refusal_because_of_another_change_is_waited_out() {
    for said in [
        "The operation cannot be performed at this time. An update is in progress for resource: arn",
        "The operation cannot be performed at this time. The function is currently in the following state: 'Pending'",
        "The function could not be updated due to a concurrent update operation. Please try again later.",
        "",
    ] {
        let (universe, canned) = released("timeout: 9\nprovisioned_concurrency: 1\nfunction_url: {auth_type: NONE}\n");
        for operation in [
            "UpdateFunctionConfiguration",
            "UpdateFunctionCode",
            "PublishVersion",
            "UpdateAlias",
            "PutProvisionedConcurrencyConfig",
            "AddPermission",
        ] {
            canned.proxy.on(operation, 1, conflict(said)).on(operation, 2, conflict(said));
        }
        universe.run("").code(0).says("Deployed");
        assert_eq!(canned.proxy.requests("UpdateAlias").len(), 3, "{said}");
    }
    // The words are unknown, but the function shows that an update is in progress.
    let (universe, canned) = deployed("timeout: 9\n");
    let world = canned.clone();
    canned.proxy.on(
        "UpdateFunctionConfiguration",
        1,
        Fault::First(std::sync::Arc::new(move || {
            let function = &mut world.world().function;
            function["Configuration"]["LastUpdateStatus"] = json!("InProgress");
        })),
    );
    canned.proxy.on("UpdateFunctionConfiguration", 1, conflict("Not now."));
    let world = canned.clone();
    canned.proxy.on(
        "GetFunction",
        3,
        Fault::First(std::sync::Arc::new(move || {
            world.world().function["Configuration"]["LastUpdateStatus"] = json!("Successful");
        })),
    );
    universe.run("").code(0).says("Deployed");
}

#[test]
fn what_passes_by_itself_is_tried_again_and_reported() {
    for (said, awaited) in [
        ("The role defined for the function cannot be assumed by Lambda.", "the role to be known to Lambda"),
        (
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
            "the permissions of the function's role",
        ),
        (
            "The provided execution role does not have permissions to call SendMessage on SQS",
            "the permissions of the function's role",
        ),
        (
            "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant. Please check your KMS key settings.",
            "the permissions of the function's role",
        ),
        (
            "Your request has been throttled by EC2, please make sure you have enough API rate limit. EC2 Error Code: RequestLimitExceeded.",
            "EC2 to stop throttling Lambda",
        ),
        (
            "Source image 123456789012.dkr.ecr.us-east-1.amazonaws.com/f:v1 does not exist. Provide a valid source image.",
            "the image to be known to Lambda",
        ),
    ] {
        let (universe, canned) = deployed("timeout: 9\n");
        universe.write("dist/index.py", "def handler(e, c): return 'two'\n");
        for operation in ["UpdateFunctionConfiguration", "UpdateFunctionCode"] {
            canned.proxy.on(operation, 1, invalid(said)).on(operation, 2, invalid(said));
        }
        universe.run("").code(0).says(&format!("waiting for {awaited}"));
        assert_eq!(canned.world().function["Configuration"]["Timeout"], 9);

        let canned = Canned::nothing("f");
        canned.proxy.on("CreateFunction", 1, invalid(said)).on("CreateFunction", 2, invalid(said));
        before(&canned, "").run("").code(0).says(&format!("waiting for {awaited}"));
    }
    for (operation, said, awaited) in [
        (
            "PutFunctionEventInvokeConfig",
            "The destination ARN arn:aws:sqs:us-east-1:123456789012:q is invalid.",
            "the destination to be known",
        ),
        (
            "PutFunctionEventInvokeConfig",
            "The function's execution role does not have permissions to call SendMessage on arn:aws:sqs:us-east-1:123456789012:q",
            "the permissions of the function's role",
        ),
        (
            "CreateEventSourceMapping",
            "Cannot access stream arn. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams Actions on your stream in IAM.",
            "the permissions of the function's role",
        ),
        (
            "CreateEventSourceMapping",
            "The function execution role does not have permissions to call ReceiveMessage on SQS",
            "the permissions of the function's role",
        ),
    ] {
        let queue = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:q");
        let (universe, canned) = deployed(&format!(
            "async_config: {{destination_config: {{on_failure: '{queue}'}}}}\nevent_sources: {{event_source_arn: '{queue}'}}\n"
        ));
        let mapping = json!({ "UUID": "u", "EventSourceArn": queue, "State": "Enabled", "FunctionArn": format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"), "BatchSize": 10 });
        let listed = json!({ "EventSourceMappings": [mapping] });
        let world = canned.clone();
        let nth = if operation == "CreateEventSourceMapping" { 3 } else { 1 };
        canned.proxy.on(
            "CreateEventSourceMapping",
            nth,
            Fault::Then(std::sync::Arc::new(move || {
                world.world().around.insert("ListEventSourceMappings", listed.clone());
            })),
        );
        canned.proxy.on(operation, 1, invalid(said)).on(operation, 2, invalid(said));
        universe.run("").code(0).says(&format!("waiting for {awaited}"));
        assert_eq!(canned.proxy.requests(operation).len(), 3, "{said}");
    }
}

#[test]
fn the_last_words_of_aws_are_shown_when_a_wait_ends() {
    let (universe, canned) = deployed("timeout: 9\n");
    canned.proxy.on("UpdateFunctionConfiguration", 0, conflict("An update is in progress for resource: arn-of-it"));
    universe
        .run("--wait_timeout 2")
        .code(6)
        .says("gave up after 2 s")
        .says("An update is in progress for resource: arn-of-it");

    let (universe, canned) = deployed("timeout: 9\n");
    canned.world().settling = 1000;
    universe
        .run("--wait_timeout 2")
        .code(6)
        .says("gave up after 2 s")
        .says("The function is being created. (Creating)");

    let (universe, canned) = deployed("timeout: 9\n");
    canned.proxy.on(
        "UpdateFunctionConfiguration",
        0,
        invalid("The role defined for the function cannot be assumed by Lambda."),
    );
    universe.run("--wait_timeout 2").code(6).says("cannot be assumed by Lambda");

    let (universe, canned) = released("");
    canned.world().unknown = 1000;
    canned.world().settling = 1;
    universe.run("--wait_timeout 3").code(6).says("Function not found");
}

#[test]
fn what_was_just_made_need_not_be_known_yet() {
    let (universe, canned) = released("");
    canned.world().settling = 2;
    canned.proxy.on(
        "PublishVersion",
        1,
        Fault::Then({
            let canned = canned.clone();
            std::sync::Arc::new(move || canned.world().unknown = 3)
        }),
    );
    universe.run("").code(0).says("waiting for version 2");
    assert_eq!(canned.world().aliases["live"]["FunctionVersion"], "2");

    let (universe, canned) = deployed(
        "alias: live\nfunction_url: {auth_type: NONE}\nasync_config: {maximum_retry_attempts: 1}\npermissions: [{statement_id: s, action: lambda:InvokeFunction, principal: s3.amazonaws.com}]\n",
    );
    canned.world().unknown = 4;
    universe.run("").code(0).says("waiting for the new alias to be known");
    assert_eq!(canned.world().unknown, 0);
    // Of an alias that was there before, the same answer means that somebody deleted it.
    let (universe, canned) = released("async_config: {maximum_retry_attempts: 1}\n");
    canned.world().unknown = 1000;
    soon(&universe, "").code(1).says("Cannot find alias arn");
}

#[test]
fn a_read_of_the_state_before_an_update_is_not_a_change_by_another_program() {
    let (universe, canned) = released("timeout: 9\n");
    {
        let mut world = canned.world();
        (world.stale, world.settling) = (3, 2);
    }
    universe.run("").code(0).says("Deployed").never_says("another program").never_says("does not show");
    let world = canned.world();
    assert_eq!((&world.function["Configuration"]["Timeout"], world.versions.len()), (&json!(9), 2));
}

#[test]
fn an_alias_with_provisioned_concurrency_is_deployed_once_aws_has_moved_its_traffic() {
    let (universe, canned) = released("provisioned_concurrency: 2\n");
    {
        let mut world = canned.world();
        world.provision("live", "READY");
        world.moving = 4;
    }
    universe.run("").code(0).says("waiting for the alias `live` to move from version 1 to 2").says("Deployed");
    assert!(canned.world().aliases["live"].get("RoutingConfig").is_none());
    assert!(canned.proxy.bodies("UpdateAlias")[0].get("RoutingConfig").is_none(), "AWS moves the traffic itself");
    assert_eq!(canned.proxy.requests("PutProvisionedConcurrencyConfig").len(), 1);
    canned.proxy.forget_calls();
    universe.run("").code(0).says("unchanged");
    assert!(canned.proxy.writes().is_empty());
}

/// AWS is still moving an alias from version 1 to 2.
fn moving(world: &mut World) {
    world.publish();
    world.point("live", "2");
    world.provision("live", "IN_PROGRESS");
    world.aliases.get_mut("live").unwrap()["RoutingConfig"] = json!({ "AdditionalVersionWeights": { "1": 1.0 } });
    world.moving = 4;
}

#[test]
fn weights_that_aws_itself_set_are_no_difference() {
    let (universe, canned) = deployed("alias: live\n");
    canned.world().publish();
    moving(&mut canned.world());
    canned.world().moving = 1000;
    universe.run("plan --exit-code").code(0).says("AWS still gives all traffic of the alias live to version 1");
    universe.run("init --function_name f").code(0);
    universe
        .run("--wait_timeout 3")
        .code(6)
        .says("the alias `live` to move from version 1 to 2")
        .says("environments are ready");
    canned.world().moving = 3;
    universe.run("").code(0).says("unchanged");
    assert!(canned.proxy.writes().is_empty(), "{:?}", canned.proxy.writes());

    // New code waits for the end of the move.
    let (universe, canned) = released("");
    moving(&mut canned.world());
    universe.run("").code(0).says("Deployed");
    assert_eq!(canned.world().aliases["live"]["FunctionVersion"], "3");

    // The environments cannot be made: callers keep the version before, and that is an error.
    let (universe, canned) = deployed("alias: live\n");
    canned.world().publish();
    moving(&mut canned.world());
    canned.world().provision("live", "FAILED");
    canned.world().moving = 1000;
    soon(&universe, "").code(1).says("version 1 still gets all traffic of the alias `live`").says("no capacity");

    // Without provisioned concurrency, a person has set the weights.
    let (universe, canned) = deployed("alias: live\n");
    canned.world().publish();
    moving(&mut canned.world());
    canned.world().provisioned.clear();
    universe.run("").code(0).says("100 % version 1");
    assert_eq!(canned.proxy.bodies("UpdateAlias")[0]["RoutingConfig"], json!({ "AdditionalVersionWeights": {} }));
}

#[test]
fn a_denial_names_what_has_to_change() {
    let denied = "User: arn:aws:sts::123456789012:assumed-role/ci-deploy/s is not authorized to perform: lambda:UpdateFunctionCode on resource: arn:aws:lambda:us-east-1:123456789012:function:f";
    for (status, code, said, exit, tokens) in [
        (403, "AccessDeniedException", format!("{denied} because no identity-based policy allows the lambda:UpdateFunctionCode action"), 4, "in the policy of the role `ci-deploy`"),
        (403, "AccessDeniedException", format!("{denied} with an explicit deny in a service control policy"), 4, "the organization"),
        (403, "AccessDeniedException", format!("{denied} because no permissions boundary allows the lambda:UpdateFunctionCode action"), 4, "the permissions boundary of the role `ci-deploy`"),
        (403, "AccessDeniedException", format!("{denied} because no VPC endpoint policy allows the lambda:UpdateFunctionCode action"), 4, "the policy of the VPC endpoint"),
        (403, "AccessDeniedException", "Lambda does not have permission to access the ECR image. Check the ECR permissions.".to_owned(), 4, "`ecr:BatchGetImage`"),
        (403, "AccessDeniedException", "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for b/a.zip. S3 Error Code: AccessDenied. S3 Error Message: Access Denied".to_owned(), 4, "allow `s3:GetObject`"),
        (400, "CodeStorageExceededException", "Code storage limit exceeded.".to_owned(), 1, "keep_versions"),
    ] {
        let (universe, canned) = deployed("");
        universe.write("dist/index.py", "def handler(e, c): return 'two'\n");
        let said: &'static str = said.leak();
        canned.proxy.on("UpdateFunctionCode", 0, Fault::Answer(status, code, said));
        let outcome = soon(&universe, "").code(exit).says(said).says(tokens);
        if !tokens.contains("in the policy of the role") && exit == 4 {
            outcome.never_says("allow `lambda:UpdateFunctionCode` in the policy");
        }
    }
    let (universe, canned) = deployed("");
    let said = "The function couldn't mount the Amazon EFS file system arn with access point arn due to insufficient permissions.";
    canned.proxy.on("Invoke", 0, Fault::Answer(403, "EFSMountFailureException", said));
    universe.run("invoke").code(1).says("the file system").never_says("allow `lambda:InvokeFunction`");
}

#[test]
fn a_success_that_cannot_be_read_is_looked_at() {
    for operation in [
        "CreateFunction",
        "UpdateFunctionConfiguration",
        "UpdateFunctionCode",
        "PublishVersion",
        "UpdateAlias",
        "AddPermission",
    ] {
        for body in ["<html>welcome</html>", "", "{\"a\":"] {
            let more = "permissions: [{statement_id: s, action: lambda:InvokeFunction, principal: s3.amazonaws.com}]\ntimeout: 9\n";
            let (universe, canned) = if operation == "CreateFunction" {
                let canned = Canned::nothing("f");
                (before(&canned, more), canned)
            } else {
                released(more)
            };
            if operation == "AddPermission" {
                let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "s", "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" }, "Action": "lambda:InvokeFunction", "Resource": format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f:live") }] });
                let world = canned.clone();
                canned.proxy.on(
                    operation,
                    1,
                    Fault::Then(std::sync::Arc::new(move || {
                        world.world().around.insert("GetPolicy", json!({ "Policy": policy.to_string() }));
                    })),
                );
            }
            canned.proxy.on(operation, 1, Fault::Instead(200, body.to_owned()));
            let outcome = soon(&universe, "").code(0).says("Deployed");
            outcome.never_says("AWS refused");
            if operation != "CreateFunction" {
                assert_eq!(canned.world().versions.len(), 2, "{operation} {body}");
            }
        }
    }
    let (universe, canned) = deployed("");
    for (body, told) in [("<html>welcome</html>", "the answer is a web page"), ("{\"a\":", "cannot be read")] {
        canned.proxy.clear();
        canned.proxy.on("GetFunction", 0, Fault::Instead(200, body.to_owned()));
        universe.run("plan").code(1).says("the answer to `lambda:GetFunction`").says(told).never_says("refused");
    }
}

#[test]
fn a_deletion_that_aws_refuses_is_explained() {
    let (universe, canned) = released("");
    canned.proxy.on(
        "DeleteFunction",
        0,
        conflict("Unable to delete version because the following aliases reference it: [live]"),
    );
    canned.proxy.on("ListAliases", 0, Fault::Answer(403, "AccessDeniedException", "no"));
    soon(&universe, "delete --qualifier 1 --yes")
        .code(1)
        .says("aliases reference it: [live]")
        .says("point the aliases at another version");
    assert_eq!(canned.proxy.requests("DeleteFunction").len(), 1);

    let (universe, canned) = deployed("");
    let said = "Lambda was unable to delete arn:aws:lambda:us-east-1:123456789012:function:f:1 because it is a replicated function. Please see our documentation for Deleting Lambda@Edge Functions and Replicas.";
    canned.proxy.on("DeleteFunction", 0, invalid(said));
    soon(&universe, "delete --yes").code(1).says("replicated function").says("CloudFront");
}
