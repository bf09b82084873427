//! What stands around a function: made once, changed where it differs, left alone where it is not named, removed when
//! that is said. Read back with AWS' own client for Python.
//!
//! Of the emulators, moto knows no aliases of URLs, no provisioned concurrency, no recursive loops, no runtime
//! management
//! and no code signing that can be changed; ministack knows no runtime management. Neither knows sources other than
//! SQS,
//! Kinesis and `DynamoDB`. What neither knows is answered by the proxy, and the request is looked at.

use serde_json::{Value, json};

use crate::harness::{Boto, Fault, Kind, Proxy, Universe, emulator, on_both};

fn block(kind: Kind, name: &str, more: &str) -> String {
    let account = kind.account();
    format!(
        "deploy:\n  function_name: {name}\n  role: arn:aws:iam::{account}:role/deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n{more}"
    )
}

/// A universe with a function whose block has these lines more, and a proxy that counts.
fn function(kind: Kind, name: &str, more: &str) -> (Universe, Proxy, Boto) {
    let emulator = emulator(kind);
    let proxy = Proxy::before(&emulator.endpoint);
    let universe = Universe::at(&proxy.endpoint)
        .file("dist/index.py", "def handler(event, context):\n    return 'one'\n")
        .file("dpl.yml", block(kind, name, more));
    (universe, proxy, Boto::of(&emulator.endpoint))
}

/// A universe whose function exists already.
fn live(kind: Kind, name: &str, more: &str) -> (Universe, Proxy, Boto) {
    let (universe, proxy, boto) = function(kind, name, more);
    universe.run("").code(0);
    proxy.forget_calls();
    (universe, proxy, boto)
}

/// Deploys with these lines, and says what was written; a second run must find nothing to do.
#[track_caller]
fn deployed(kind: Kind, name: &str, universe: &Universe, proxy: &Proxy, more: &str) -> Vec<String> {
    universe.write("dpl.yml", block(kind, name, more));
    proxy.forget_calls();
    universe.run("").code(0);
    let writes = proxy.writes();
    let before = proxy.calls().len();
    universe.run("").code(0).says("unchanged");
    assert_eq!(proxy.writes(), writes, "the second run of\n{more}");
    assert!(proxy.calls().len() > before);
    writes
}

/// The same, of each text to deploy in turn.
#[track_caller]
fn lives(kind: Kind, name: &str, turns: &[(&str, &[&str])]) {
    let (universe, proxy, _) = live(kind, name, "");
    for (more, writes) in turns {
        assert_eq!(deployed(kind, name, &universe, &proxy, more), *writes, "{kind:?}: {more}");
    }
}

#[test]
fn single_things_are_made_changed_left_alone_and_removed() {
    lives(
        Kind::Ministack,
        "single-things",
        &[
            ("  reserved_concurrency: 5\n", &["PutFunctionConcurrency"]),
            ("  reserved_concurrency: 0\n", &["PutFunctionConcurrency"]),
            ("", &[]),
            ("  clear: reserved_concurrency\n", &["DeleteFunctionConcurrency"]),
            ("  log_retention_days: 14\n", &["PutRetentionPolicy", "CreateLogGroup", "PutRetentionPolicy"]),
            ("  log_retention_days: 30\n", &["PutRetentionPolicy"]),
            ("", &[]),
            ("  clear: log_retention_days\n", &["DeleteRetentionPolicy"]),
            ("  log_retention_days: 1\n", &["PutRetentionPolicy"]),
            ("  recursive_loop: allow\n", &["PutFunctionRecursionConfig"]),
            ("", &[]),
            ("  recursive_loop: Terminate\n", &["PutFunctionRecursionConfig"]),
            ("  async_config: {maximum_retry_attempts: 1}\n", &["PutFunctionEventInvokeConfig"]),
            ("  async_config: {maximum_event_age_in_seconds: 60}\n", &["PutFunctionEventInvokeConfig"]),
            ("", &[]),
            ("  clear: async_config\n", &["DeleteFunctionEventInvokeConfig"]),
            (
                "  code_signing_config_arn: arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0\n",
                &["PutFunctionCodeSigningConfig"],
            ),
            ("", &[]),
            ("  clear: code_signing_config_arn\n", &["DeleteFunctionCodeSigningConfig"]),
        ],
    );
}

#[test]
fn single_things_are_the_same_to_another_emulator() {
    lives(
        Kind::Moto,
        "single-things",
        &[
            ("  reserved_concurrency: 5\n", &["PutFunctionConcurrency"]),
            ("  reserved_concurrency: 6\n", &["PutFunctionConcurrency"]),
            ("", &[]),
            ("  clear: reserved_concurrency\n", &["DeleteFunctionConcurrency"]),
            ("  log_retention_days: 14\n", &["PutRetentionPolicy", "CreateLogGroup", "PutRetentionPolicy"]),
            ("  log_retention_days: 30\n", &["PutRetentionPolicy"]),
            ("  clear: log_retention_days\n", &["DeleteRetentionPolicy"]),
            // It keeps the first that is put, whatever is put after it.
            ("  async_config: {maximum_retry_attempts: 1}\n", &["PutFunctionEventInvokeConfig"]),
            ("", &[]),
            ("  clear: async_config\n", &["DeleteFunctionEventInvokeConfig"]),
        ],
    );
}

#[test]
fn a_new_function_gets_all_of_it_at_once() {
    let more = "  alias: live\n  reserved_concurrency: 5\n  provisioned_concurrency: 2\n  log_retention_days: 7\n  recursive_loop: Allow\n  async_config: {maximum_retry_attempts: 0}\n  function_url: true\n  permissions: {statement_id: s3, principal: s3}\n  event_sources: {event_source_arn: arn:aws:sqs:us-east-1:000000000000:all-at-once}\n";
    let (universe, proxy, boto) = function(Kind::Ministack, "all-at-once", more);
    boto.make_queue("all-at-once");
    universe.run("").code(0);
    assert_eq!(
        proxy.writes(),
        [
            "CreateFunction",
            "PublishVersion",
            "CreateAlias",
            "PutFunctionRecursionConfig",
            "PutRetentionPolicy",
            "CreateLogGroup",
            "PutRetentionPolicy",
            "PutFunctionConcurrency",
            "PutProvisionedConcurrencyConfig",
            "PutFunctionEventInvokeConfig",
            "CreateFunctionUrlConfig",
            "AddPermission",
            "CreateEventSourceMapping"
        ]
    );
    universe.run("").code(0).says("unchanged and is version 1");
    let on_alias = json!({ "FunctionName": "all-at-once", "Qualifier": "live" });
    let url = boto.call("lambda", "get_function_url_config", &on_alias).unwrap();
    assert_eq!(url["AuthType"], "AWS_IAM");
    let ready = boto.call("lambda", "get_provisioned_concurrency_config", &on_alias).unwrap();
    assert_eq!(ready["RequestedProvisionedConcurrentExecutions"], 2);
    let invoke = boto.call("lambda", "get_function_event_invoke_config", &on_alias).unwrap();
    assert_eq!(invoke["MaximumRetryAttempts"], 0);
    let policy = boto.call("lambda", "get_policy", &on_alias).unwrap();
    assert!(policy["Policy"].as_str().unwrap().contains("s3.amazonaws.com"), "{policy}");
    assert!(boto.mappings("all-at-once")[0]["FunctionArn"].as_str().unwrap().ends_with(":live"));
    let groups = json!({ "logGroupNamePrefix": "/aws/lambda/all-at-once" });
    let groups = boto.call("logs", "describe_log_groups", &groups).unwrap();
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 7);
}

#[test]
fn provisioned_concurrency_belongs_to_the_alias() {
    lives(
        Kind::Ministack,
        "provisioned",
        &[
            (
                "  alias: live\n  provisioned_concurrency: 2\n",
                &["PublishVersion", "CreateAlias", "PutProvisionedConcurrencyConfig"],
            ),
            ("  alias: live\n  provisioned_concurrency: 3\n", &["PutProvisionedConcurrencyConfig"]),
            ("  alias: live\n", &[]),
            ("  alias: live\n  clear: provisioned_concurrency\n", &["DeleteProvisionedConcurrencyConfig"]),
        ],
    );
}

#[test]
fn the_group_that_is_wanted_keeps_its_log_for_so_many_days() {
    let more = "  log_retention_days: 3\n  logging_config: {log_group: /team/other-group}\n";
    let (universe, proxy, boto) = live(Kind::Ministack, "other-group", "");
    let writes = deployed(Kind::Ministack, "other-group", &universe, &proxy, more);
    assert_eq!(writes, ["UpdateFunctionConfiguration", "PutRetentionPolicy", "CreateLogGroup", "PutRetentionPolicy"]);
    let groups = boto.call("logs", "describe_log_groups", &json!({ "logGroupNamePrefix": "/team/other" })).unwrap();
    assert_eq!(groups["logGroups"][0]["logGroupName"], "/team/other-group");
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 3);
}

#[test]
fn a_destination_that_is_written_empty_goes() {
    // The other emulator keeps the first that is put.
    let (kind, name) = (Kind::Ministack, "destinations");
    let arn = queue(kind, "failed");
    let failed =
        format!("  async_config: {{maximum_retry_attempts: 1, destination_config: {{on_failure: '{arn}'}}}}\n");
    let (universe, proxy, boto) = live(kind, name, &failed);
    deployed(kind, name, &universe, &proxy, "  async_config: {maximum_event_age_in_seconds: 60}\n");
    let put = proxy.bodies("PutFunctionEventInvokeConfig").remove(0);
    let kept = json!({ "OnFailure": { "Destination": arn } });
    assert_eq!((&put["MaximumRetryAttempts"], &put["DestinationConfig"]), (&json!(1), &kept), "all of it is put");
    deployed(kind, name, &universe, &proxy, "  async_config: {destination_config: {on_failure: {}}}\n");
    let config = boto.call("lambda", "get_function_event_invoke_config", &json!({ "FunctionName": name }));
    assert_eq!(config.unwrap()["DestinationConfig"].get("OnFailure").and_then(|to| to.get("Destination")), None);
}

#[test]
fn a_url_is_made_changed_left_alone_and_removed() {
    on_both(|kind| {
        let (universe, proxy, boto) = live(kind, "addressed", "");
        let turn = |more: &str| deployed(kind, "addressed", &universe, &proxy, more);
        let read = || boto.call("lambda", "get_function_url_config", &json!({ "FunctionName": "addressed" }));
        assert_eq!(turn("  function_url: true\n"), ["CreateFunctionUrlConfig"]);
        assert_eq!(read().unwrap()["AuthType"], "AWS_IAM");
        let cors = "  function_url: {cors: {allow_origins: ['https://a.example'], max_age: 5}}\n";
        assert_eq!(turn(cors), ["UpdateFunctionUrlConfig"]);
        let sent = proxy.bodies("UpdateFunctionUrlConfig").remove(0);
        assert_eq!(sent, json!({ "Cors": { "AllowOrigins": ["https://a.example"], "MaxAge": 5 } }));
        assert_eq!(turn("  function_url: {cors: {max_age: 6}}\n"), ["UpdateFunctionUrlConfig"]);
        let now = read().unwrap();
        assert_eq!(now["Cors"], json!({ "AllowOrigins": ["https://a.example"], "MaxAge": 6 }), "Cors is sent whole");
        assert_eq!(turn(""), [""; 0]);
        universe.write("dpl.yml", block(kind, "addressed", "  function_url: false\n"));
        let address = now["FunctionUrl"].as_str().unwrap();
        universe.run("plan").code(0).says(&format!("deleting {address} is final"));
        assert_eq!(turn("  function_url: false\n"), ["DeleteFunctionUrlConfig"]);
        assert_eq!(read(), Err("ResourceNotFoundException".to_owned()));
    });
}

/// Statement ids of a policy, and the ids of those that are public.
fn statements(boto: &Boto, name: &str, alias: Option<&str>) -> Vec<String> {
    let mut asked = json!({ "FunctionName": name });
    if let Some(alias) = alias {
        asked["Qualifier"] = json!(alias);
    }
    let Ok(answer) = boto.call("lambda", "get_policy", &asked) else { return Vec::new() };
    let policy: Value = serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap();
    let ids = policy["Statement"].as_array().unwrap().iter().map(|one| one["Sid"].as_str().unwrap().to_owned());
    ids.collect()
}

#[test]
fn a_public_url_has_both_its_permissions_and_no_other_touches_them() {
    for alias in [None, Some("live")] {
        let name = if alias.is_some() { "public-alias" } else { "public" };
        let lines = alias.map(|alias| format!("  alias: {alias}\n")).unwrap_or_default();
        let (universe, proxy, boto) = live(Kind::Ministack, name, &lines);
        let turn = |more: &str| deployed(Kind::Ministack, name, &universe, &proxy, &format!("{lines}{more}"));
        let ids = || statements(&boto, name, alias);
        assert_eq!(turn("  function_url: NONE\n"), ["CreateFunctionUrlConfig", "AddPermission", "AddPermission"]);
        assert_eq!(ids(), ["dpl-lambda-url", "dpl-lambda-url-invoke"]);
        let added = proxy.bodies("AddPermission");
        assert_eq!(
            added,
            [
                json!({ "StatementId": "dpl-lambda-url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE" }),
                json!({ "StatementId": "dpl-lambda-url-invoke", "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": true }),
            ]
        );
        // Permissions that are replaced are the user's own.
        let own = "  permissions: [{statement_id: s3, principal: s3}]\n  permissions_mode: replace\n";
        assert_eq!(turn(own), ["AddPermission"]);
        assert_eq!(turn("  permissions: []\n  permissions_mode: replace\n"), ["RemovePermission"]);
        assert_eq!(ids(), ["dpl-lambda-url", "dpl-lambda-url-invoke"]);
        assert_eq!(turn(own), ["AddPermission"]);
        // Any other URL needs ours gone, and nothing else.
        let writes = turn("  function_url: AWS_IAM\n");
        assert_eq!(writes, ["UpdateFunctionUrlConfig", "RemovePermission", "RemovePermission"]);
        assert_eq!(ids(), ["s3"]);
        turn("  function_url: NONE\n");
        let writes = turn("  function_url: false\n");
        assert_eq!(writes, ["DeleteFunctionUrlConfig", "RemovePermission", "RemovePermission"]);
        assert_eq!(ids(), ["s3"]);
    }
}

#[test]
fn a_statement_of_others_that_says_the_same_suffices() {
    let (universe, proxy, boto) = live(Kind::Ministack, "said-already", "");
    let add = |arguments: Value| boto.call("lambda", "add_permission", &arguments).unwrap();
    add(
        json!({ "FunctionName": "said-already", "StatementId": "console", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE" }),
    );
    // This one lets in less, so it does not suffice.
    add(
        json!({ "FunctionName": "said-already", "StatementId": "less", "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": true, "SourceAccount": "000000000000" }),
    );
    let writes = deployed(Kind::Ministack, "said-already", &universe, &proxy, "  function_url: NONE\n");
    assert_eq!(writes, ["CreateFunctionUrlConfig", "AddPermission"]);
    assert_eq!(statements(&boto, "said-already", None), ["console", "less", "dpl-lambda-url-invoke"]);
    let writes = deployed(Kind::Ministack, "said-already", &universe, &proxy, "  function_url: AWS_IAM\n");
    assert_eq!(writes, ["UpdateFunctionUrlConfig", "RemovePermission"]);
    assert_eq!(statements(&boto, "said-already", None), ["console", "less"]);
}

#[test]
fn a_url_of_the_function_itself_is_told_and_not_moved() {
    let (universe, proxy, boto) = live(Kind::Ministack, "latest-url", "  function_url: true\n");
    let first = boto.call("lambda", "get_function_url_config", &json!({ "FunctionName": "latest-url" })).unwrap();
    let address = first["FunctionUrl"].as_str().unwrap();
    universe.write("dpl.yml", block(Kind::Ministack, "latest-url", "  alias: live\n  function_url: true\n"));
    let told = format!("left alone: the function URL {address}, which belongs to $LATEST");
    universe.run("").code(0).says(&told);
    universe.run("").code(0).says("unchanged").says(&told);
    assert_eq!(proxy.writes(), ["PublishVersion", "CreateAlias", "CreateFunctionUrlConfig"]);
    let again = boto.call("lambda", "get_function_url_config", &json!({ "FunctionName": "latest-url" })).unwrap();
    assert_eq!(again["FunctionUrl"], first["FunctionUrl"]);
}

#[test]
fn statements_are_made_replaced_left_alone_and_removed() {
    on_both(|kind| {
        let account = kind.account();
        let (universe, proxy, boto) = live(kind, "statements", "");
        let turn = |more: &str| deployed(kind, "statements", &universe, &proxy, more);
        let ids = || statements(&boto, "statements", None);
        let all = format!(
            "  permissions:\n    - {{statement_id: s3, principal: s3, source_arn: 'arn:aws:s3:::uploads', source_account: '{account}'}}\n    - {{statement_id: api, principal: apigateway.amazonaws.com, source_arn: 'arn:aws:execute-api:us-east-1:{account}:abc/*/GET/*'}}\n    - {{statement_id: root, principal: 'arn:aws:iam::{account}:root', action: lambda:GetFunction}}\n    - {{StatementId: short, Principal: '{account}'}}\n    - {{statement-id: org, principal: '*', principal-org-id: o-a1b2c3d4e5}}\n"
        );
        assert_eq!(turn(&all), ["AddPermission"; 5]);
        assert_eq!(ids().len(), 5);
        // Without its condition a statement is another one.
        let writes = turn("  permissions: [{statement_id: s3, principal: s3}]\n");
        assert_eq!(writes, ["RemovePermission", "AddPermission"]);
        universe.run("").code(0).says("left alone: permissions that are not named: api, org, root, short");
        universe.write("dpl.yml", block(kind, "statements", "  permissions: []\n"));
        universe
            .run("")
            .code(0)
            .says("unchanged")
            .says("left alone: permissions that are not named: api, org, root, s3, short");
        assert_eq!(turn(""), [""; 0]);
        let writes = turn("  permissions: [{statement_id: s3, principal: s3}]\n  permissions_mode: replace\n");
        assert_eq!(writes, ["RemovePermission"; 4]);
        assert_eq!(ids(), ["s3"]);
        assert_eq!(turn("  permissions: []\n  permissions_mode: replace\n"), ["RemovePermission"]);
        assert_eq!(ids(), [""; 0]);
    });
}

#[test]
fn an_alias_has_a_policy_of_its_own() {
    let (universe, proxy, boto) =
        live(Kind::Ministack, "own-policy", "  permissions: [{statement_id: all, principal: sns}]\n");
    let more = "  alias: live\n  permissions: [{statement_id: one, principal: events}]\n  permissions_mode: replace\n";
    let writes = deployed(Kind::Ministack, "own-policy", &universe, &proxy, more);
    assert_eq!(writes, ["PublishVersion", "CreateAlias", "AddPermission"]);
    assert_eq!(statements(&boto, "own-policy", Some("live")), ["one"]);
    assert!(statements(&boto, "own-policy", None).contains(&"all".to_owned()));
}

fn queue(kind: Kind, name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{}:{name}", kind.account())
}

#[test]
fn a_queue_is_mapped_changed_left_alone_and_unmapped() {
    on_both(|kind| {
        let (universe, proxy, boto) = live(kind, "mapped", "");
        let arn = boto.make_queue("mapped");
        assert_eq!(arn, queue(kind, "mapped"));
        let turn = |more: &str| deployed(kind, "mapped", &universe, &proxy, more);
        let one = |members: &str| format!("  event_sources:\n    - event_source_arn: {arn}\n{members}");
        let first = one(
            "      batch_size: 5\n      function_response_types: ReportBatchItemFailures\n      filter_criteria: {filters: [{pattern: {body: {kind: [order], n: [{numeric: ['>', 1]}]}}}]}\n      scaling_config: 5\n",
        );
        assert_eq!(turn(&first), ["CreateEventSourceMapping"]);
        assert_eq!(
            proxy.bodies("CreateEventSourceMapping"),
            [json!({
                "EventSourceArn": arn,
                "FunctionName": "mapped",
                "BatchSize": 5,
                "FilterCriteria": { "Filters": [{ "Pattern": r#"{"body":{"kind":["order"],"n":[{"numeric":[">",1]}]}}"# }] },
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": { "MaximumConcurrency": 5 },
            })]
        );
        // What AWS has by itself need not be sent.
        let defaults = one("      enabled: true\n      maximum_batching_window_in_seconds: 0\n");
        assert_eq!(turn(&defaults), [""; 0]);
        assert_eq!(
            turn(&one("      batch_size: 6\n      function_response_types: ReportBatchItemFailures\n")),
            ["UpdateEventSourceMapping"]
        );
        assert_eq!(proxy.bodies("UpdateEventSourceMapping"), [json!({ "FunctionName": "mapped", "BatchSize": 6 })]);
        assert_eq!(turn(&one("      enabled: false\n")), ["UpdateEventSourceMapping"]);
        assert_eq!(boto.mappings("mapped")[0]["State"], "Disabled");
        assert_eq!(turn(&one("")), [""; 0], "who switched it off may have had a reason");
        assert_eq!(
            turn(&one("      filter_criteria: {filters: []}\n      scaling_config: {}\n")),
            ["UpdateEventSourceMapping"]
        );
        assert_eq!(turn(""), [""; 0]);
        assert_eq!(boto.mappings("mapped").len(), 1);

        universe.write("dpl.yml", block(kind, "mapped", "  event_sources: []\n"));
        universe
            .run("")
            .code(0)
            .says("unchanged")
            .says(&format!("left alone: event sources that are not named: {arn}"));
        assert_eq!(turn("  event_sources: []\n  event_sources_mode: replace\n"), ["DeleteEventSourceMapping"]);
        assert_eq!(boto.mappings("mapped"), [json!(null); 0]);
    });
}

#[test]
fn only_mappings_that_are_not_named_are_replaced_away() {
    on_both(|kind| {
        let (universe, proxy, boto) = live(kind, "replaced", "");
        let (a, b) = (boto.make_queue("replaced-a"), boto.make_queue("replaced-b"));
        let turn = |more: &str| deployed(kind, "replaced", &universe, &proxy, more);
        let two = format!("  event_sources: [{{event_source_arn: {a}}}, {{event_source_arn: {b}}}]\n");
        assert_eq!(turn(&two), ["CreateEventSourceMapping", "CreateEventSourceMapping"]);
        let second = format!("  event_sources: [{{event_source_arn: {b}}}]\n  event_sources_mode: replace\n");
        assert_eq!(turn(&second), ["DeleteEventSourceMapping"]);
        assert_eq!(boto.mappings("replaced")[0]["EventSourceArn"], json!(b));
    });
}

#[test]
fn a_mapping_of_the_function_itself_is_moved_to_the_alias() {
    let name = "moved";
    let (universe, proxy, boto) = live(Kind::Ministack, name, "");
    let arn = boto.make_queue(name);
    let source = format!("  event_sources: {{event_source_arn: {arn}}}\n");
    deployed(Kind::Ministack, name, &universe, &proxy, &source);
    let uuid = boto.mappings(name)[0]["UUID"].clone();
    universe.write("dpl.yml", block(Kind::Ministack, name, &format!("  alias: live\n{source}")));
    universe.run("plan").code(0).says("invokes  $LATEST → live");
    let writes = deployed(Kind::Ministack, name, &universe, &proxy, &format!("  alias: live\n{source}"));
    assert_eq!(writes, ["PublishVersion", "CreateAlias", "UpdateEventSourceMapping"]);
    assert_eq!(proxy.bodies("UpdateEventSourceMapping"), [json!({ "FunctionName": "moved:live" })]);
    let found = boto.mappings(name);
    assert_eq!((found.len(), &found[0]["UUID"]), (1, &uuid));
    assert!(found[0]["FunctionArn"].as_str().unwrap().ends_with(":moved:live"));

    // A second one of the function itself is told.
    let again = json!({ "FunctionName": name, "EventSourceArn": arn });
    boto.call("lambda", "create_event_source_mapping", &again).unwrap();
    let said = format!("left alone: event sources that invoke $LATEST and not the alias: {arn}, mapping");
    universe.run("").code(0).says("unchanged").says(&said);
}

#[test]
fn mappings_of_other_functions_and_aliases_are_none_of_ours() {
    let (universe, proxy, boto) = live(Kind::Ministack, "ours", "  alias: live\n");
    let arn = boto.make_queue("ours");
    boto.call("lambda", "create_alias", &json!({ "FunctionName": "ours", "Name": "other", "FunctionVersion": "1" }))
        .unwrap();
    live(Kind::Ministack, "ours-not", "");
    for function in ["ours:other", "ours-not"] {
        let mapping = json!({ "FunctionName": function, "EventSourceArn": arn });
        boto.call("lambda", "create_event_source_mapping", &mapping).unwrap();
    }
    let more = "  alias: live\n  event_sources: []\n  event_sources_mode: replace\n";
    assert_eq!(deployed(Kind::Ministack, "ours", &universe, &proxy, more), [""; 0]);
}

#[test]
fn streams_have_a_place_to_begin_at() {
    on_both(|kind| {
        let account = kind.account();
        let (universe, proxy, boto) = live(kind, "streams", "");
        let kinesis = format!("arn:aws:kinesis:us-east-1:{account}:stream/clicks");
        let table = format!("arn:aws:dynamodb:us-east-1:{account}:table/t/stream/2026-01-01T00:00:00.000");
        if kind == Kind::Moto {
            boto.call("kinesis", "create_stream", &json!({ "StreamName": "clicks", "ShardCount": 1 })).unwrap();
        }
        universe.write("dpl.yml", block(kind, "streams", &format!("  event_sources:\n    - {{event_source_arn: {table}, starting_position: LATEST}}\n    - {{event_source_arn: {kinesis}}}\n")));
        universe.run("").code(3).says("needs a `starting_position`, because the mapping is new (dpl.yml:9:7)");
        let of = |arn: &str, members: &str| {
            format!("  event_sources: {{event_source_arn: {arn}, starting_position: trim_horizon{members}}}\n")
        };
        let destination = format!(", destination_config: {{on_failure: {}}}", queue(kind, "failed"));
        let first = of(
            &kinesis,
            &format!(
                ", maximum_retry_attempts: -1, bisect_batch_on_function_error: false, parallelization_factor: 1, batch_size: 10{destination}"
            ),
        );
        assert_eq!(deployed(kind, "streams", &universe, &proxy, &first), ["CreateEventSourceMapping"]);
        let changed = of(&kinesis, ", maximum_retry_attempts: 3, maximum_record_age_in_seconds: 3600");
        assert_eq!(deployed(kind, "streams", &universe, &proxy, &changed), ["UpdateEventSourceMapping"]);
        assert_eq!(
            proxy.bodies("UpdateEventSourceMapping"),
            [json!({ "FunctionName": "streams", "MaximumRetryAttempts": 3, "MaximumRecordAgeInSeconds": 3600 })]
        );
        universe.write("dpl.yml", block(kind, "streams", &changed.replace("trim_horizon", "LATEST")));
        universe.run("").code(3).says("has a different `starting_position`, which AWS never changes");
    });
}

/// A mapping as AWS would list it.
fn listed(state: &str, more: &Value) -> Fault {
    let mut mapping = json!({
        "UUID": "11111111-2222-3333-4444-555555555555",
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:canned",
        "State": state,
        "StateTransitionReason": "USER_INITIATED",
    });
    mapping.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Fault::Instead(200, json!({ "EventSourceMappings": [mapping] }).to_string())
}

fn none_listed() -> Fault {
    Fault::Instead(200, json!({ "EventSourceMappings": [] }).to_string())
}

#[test]
fn sources_that_no_emulator_knows_are_asked_for_exactly() {
    let broker = "arn:aws:mq:us-east-1:000000000000:broker:b:b-1234";
    let cluster = "arn:aws:kafka:us-east-1:000000000000:cluster/c/1234";
    let documents = "arn:aws:rds:us-east-1:000000000000:cluster:docs";
    let secret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:s";
    for (written, sent) in [
        (
            format!("{{event_source_arn: '{cluster}', topics: orders, starting_position: AT_TIMESTAMP, starting_position_timestamp: 1700000000, amazon_managed_kafka_event_source_config: {{consumer_group_id: group, schema_registry_config: {{schema_registry_uri: 'https://r.example', event_record_format: json, access_configs: {{type: BASIC_AUTH, uri: '{secret}'}}, schema_validation_configs: value}}}}, provisioned_poller_config: {{minimum_pollers: 1, maximum_pollers: 3}}, destination_config: {{on_failure: 'kafka://failed'}}, source_access_configurations: {{type: SASL_SCRAM_512_AUTH, uri: '{secret}'}}}}"),
            json!({
                "EventSourceArn": cluster, "Topics": ["orders"], "StartingPosition": "AT_TIMESTAMP",
                "StartingPositionTimestamp": 1_700_000_000,
                "AmazonManagedKafkaEventSourceConfig": { "ConsumerGroupId": "group", "SchemaRegistryConfig": {
                    "SchemaRegistryURI": "https://r.example", "EventRecordFormat": "JSON",
                    "AccessConfigs": [{ "Type": "BASIC_AUTH", "URI": secret }],
                    "SchemaValidationConfigs": [{ "Attribute": "VALUE" }],
                } },
                "ProvisionedPollerConfig": { "MinimumPollers": 1, "MaximumPollers": 3 },
                "DestinationConfig": { "OnFailure": { "Destination": "kafka://failed" } },
                "SourceAccessConfigurations": [{ "Type": "SASL_SCRAM_512_AUTH", "URI": secret }],
            }),
        ),
        (
            "{self_managed_event_source: {endpoints: {KAFKA_BOOTSTRAP_SERVERS: ['b.example:9092', 'a.example:9092']}}, topics: [orders], starting_position: latest, self_managed_kafka_event_source_config: {consumption_mode: stream}, logging_config: {system_log_level: warn}}".to_owned(),
            json!({
                "SelfManagedEventSource": { "Endpoints": { "KAFKA_BOOTSTRAP_SERVERS": ["b.example:9092", "a.example:9092"] } },
                "Topics": ["orders"], "StartingPosition": "LATEST",
                "SelfManagedKafkaEventSourceConfig": { "ConsumptionMode": "Stream" },
                "LoggingConfig": { "SystemLogLevel": "WARN" },
            }),
        ),
        (
            format!("{{event_source_arn: '{broker}', queues: jobs, source_access_configurations: [{{type: BASIC_AUTH, uri: '{secret}'}}, {{type: virtual_host, uri: /}}]}}"),
            json!({
                "EventSourceArn": broker, "Queues": ["jobs"],
                "SourceAccessConfigurations": [{ "Type": "BASIC_AUTH", "URI": secret }, { "Type": "VIRTUAL_HOST", "URI": "/" }],
            }),
        ),
        (
            format!("{{event_source_arn: '{documents}', starting_position: LATEST, DocumentDBEventSourceConfig: {{database_name: d, collection_name: c, full_document: updatelookup}}, metrics_config: {{metrics: EventCount}}, kms_key_arn: arn:aws:kms:us-east-1:000000000000:key/k, filter_criteria: {{filters: '{{\"a\": [1]}}'}}}}"),
            json!({
                "EventSourceArn": documents, "StartingPosition": "LATEST",
                "DocumentDBEventSourceConfig": { "DatabaseName": "d", "CollectionName": "c", "FullDocument": "UpdateLookup" },
                "MetricsConfig": { "Metrics": ["EventCount"] },
                "KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k",
                "FilterCriteria": { "Filters": [{ "Pattern": "{\"a\": [1]}" }] },
            }),
        ),
    ] {
        let (universe, proxy, _) = live(Kind::Ministack, "canned", "");
        universe.write("dpl.yml", block(Kind::Ministack, "canned", &format!("  event_sources:\n    - {written}\n")));
        // One list for the plan and two before it is created; then it exists.
        let before = proxy.clone();
        for nth in 1..=3 {
            before.on("ListEventSourceMappings", nth, none_listed());
        }
        let encrypted = sent.get("KMSKeyArn").is_some();
        let mut told = sent.clone();
        if encrypted {
            told.as_object_mut().unwrap().remove("FilterCriteria");
        }
        for nth in 4..=12 {
            before.on("ListEventSourceMappings", nth, listed(if nth <= 5 { "Creating" } else { "Enabled" }, &told));
        }
        if encrypted {
            before.on("GetEventSourceMapping", 0, Fault::Instead(200, sent.to_string()));
        }
        before.on("CreateEventSourceMapping", 1, Fault::Instead(202, json!({ "State": "Creating" }).to_string()));
        universe.run("").code(0);
        let mut expected = sent.clone();
        expected["FunctionName"] = json!("canned");
        assert_eq!(proxy.bodies("CreateEventSourceMapping"), [expected]);
        let out = universe.run("").code(0).says("unchanged");
        assert_eq!(proxy.writes(), ["CreateEventSourceMapping"], "{}", out.stdout);
        let used = proxy.calls().iter().filter(|call| *call == "GetEventSourceMapping").count();
        assert_eq!(used > 0, encrypted, "a list does not tell filters that are encrypted");
    }
}

#[test]
fn runtime_management_is_asked_for_exactly() {
    // Neither emulator knows it.
    let arn = "arn:aws:lambda:us-east-1::runtime:0123456789abcdef";
    let live_is = |proxy: &Proxy, document: Value| {
        proxy.on("GetRuntimeManagementConfig", 1, Fault::Instead(200, document.to_string()));
    };
    let auto = json!({ "UpdateRuntimeOn": "Auto", "FunctionArn": "arn" });
    let manual = json!({ "UpdateRuntimeOn": "Manual", "RuntimeVersionArn": arn, "FunctionArn": "arn" });
    for (written, there, sent) in [
        ("Auto", &auto, None),
        ("FunctionUpdate", &auto, Some(json!({ "UpdateRuntimeOn": "FunctionUpdate" }))),
        (
            "{update_runtime_on: manual, runtime_version_arn: ARN}",
            &auto,
            Some(json!({ "UpdateRuntimeOn": "Manual", "RuntimeVersionArn": arn })),
        ),
        ("{update_runtime_on: manual, runtime_version_arn: ARN}", &manual, None),
        ("auto", &manual, Some(json!({ "UpdateRuntimeOn": "Auto" }))),
    ] {
        let (universe, proxy, _) = live(Kind::Ministack, "managed", "");
        let written = written.replace("ARN", &format!("'{arn}'"));
        universe.write("dpl.yml", block(Kind::Ministack, "managed", &format!("  runtime_management: {written}\n")));
        live_is(&proxy, there.clone());
        if let Some(sent) = &sent {
            proxy.on("GetRuntimeManagementConfig", 2, Fault::Instead(200, there.to_string()));
            proxy.on_from("GetRuntimeManagementConfig", 3, Fault::Instead(200, sent.to_string()));
        }
        proxy.on("PutRuntimeManagementConfig", 1, Fault::Instead(200, sent.clone().unwrap_or_default().to_string()));
        universe.run("").code(0);
        assert_eq!(proxy.bodies("PutRuntimeManagementConfig"), sent.into_iter().collect::<Vec<_>>(), "{written}");
    }
}

#[test]
fn a_lost_answer_leaves_one_thing_of_each() {
    for (operation, first, second) in [
        ("CreateEventSourceMapping", "", "  event_sources: {event_source_arn: QUEUE, batch_size: 3}\n"),
        (
            "UpdateEventSourceMapping",
            "  event_sources: {event_source_arn: QUEUE}\n",
            "  event_sources: {event_source_arn: QUEUE, batch_size: 3}\n",
        ),
        (
            "DeleteEventSourceMapping",
            "  event_sources: {event_source_arn: QUEUE}\n",
            "  event_sources: []\n  event_sources_mode: replace\n",
        ),
        ("AddPermission", "", "  permissions: {statement_id: a, principal: s3}\n"),
        (
            "AddPermission",
            "  permissions: {statement_id: a, principal: s3}\n",
            "  permissions: {statement_id: a, principal: sns}\n",
        ),
        (
            "RemovePermission",
            "  permissions: {statement_id: a, principal: s3}\n",
            "  permissions: {statement_id: a, principal: sns}\n",
        ),
        (
            "RemovePermission",
            "  permissions: {statement_id: a, principal: s3}\n",
            "  permissions: []\n  permissions_mode: replace\n",
        ),
        ("CreateFunctionUrlConfig", "", "  function_url: {cors: {max_age: 3}}\n"),
        ("UpdateFunctionUrlConfig", "  function_url: true\n", "  function_url: {cors: {max_age: 3}}\n"),
        ("DeleteFunctionUrlConfig", "  function_url: true\n", "  function_url: false\n"),
        ("PutFunctionEventInvokeConfig", "", "  async_config: {maximum_retry_attempts: 1}\n"),
        ("DeleteFunctionEventInvokeConfig", "  async_config: {maximum_retry_attempts: 1}\n", "  clear: async_config\n"),
        ("PutFunctionConcurrency", "", "  reserved_concurrency: 1\n"),
        ("DeleteFunctionConcurrency", "  reserved_concurrency: 1\n", "  clear: reserved_concurrency\n"),
        ("PutFunctionRecursionConfig", "", "  recursive_loop: Allow\n"),
        ("PutProvisionedConcurrencyConfig", "  alias: a\n", "  alias: a\n  provisioned_concurrency: 1\n"),
        (
            "DeleteProvisionedConcurrencyConfig",
            "  alias: a\n  provisioned_concurrency: 1\n",
            "  alias: a\n  clear: provisioned_concurrency\n",
        ),
        ("CreateLogGroup", "", "  log_retention_days: 1\n"),
        ("PutRetentionPolicy", "  log_retention_days: 1\n", "  log_retention_days: 3\n"),
        ("DeleteRetentionPolicy", "  log_retention_days: 1\n", "  clear: log_retention_days\n"),
    ] {
        let faults = [
            ("after", Fault::ResetAfter),
            ("before", Fault::ResetBefore),
            ("unwell", Fault::Instead(500, "{}".to_owned())),
        ];
        // What is made by a call of its own is made twice most easily.
        let tried = if operation.starts_with("CreateE") || operation.starts_with("Add") { 3 } else { 1 };
        for (when, fault) in faults.into_iter().take(tried) {
            let name = format!("lost-{}-{}-{when}", operation.to_ascii_lowercase(), second.len() + first.len());
            let boto = Boto::of(&emulator(Kind::Ministack).endpoint);
            let queue = if second.contains("QUEUE") || first.contains("QUEUE") {
                boto.make_queue(&name)
            } else {
                String::new()
            };
            let (universe, proxy, _) = live(Kind::Ministack, &name, &first.replace("QUEUE", &queue));
            universe.write("dpl.yml", block(Kind::Ministack, &name, &second.replace("QUEUE", &queue)));
            proxy.on(operation, 1, fault);
            universe.run("").code(0);
            assert!(proxy.calls().iter().any(|call| call == operation), "{operation} is never called");
            universe.run("").code(0).says("unchanged");
            assert!(boto.mappings(&name).len() <= 1, "{name}");
        }
    }
}

#[test]
fn what_is_in_use_is_waited_for() {
    let name = "in-use";
    let (universe, proxy, boto) = live(Kind::Ministack, name, "");
    let arn = boto.make_queue(name);
    let block_of = |members: &str| {
        block(Kind::Ministack, name, &format!("  event_sources: {{event_source_arn: {arn}{members}}}\n"))
    };
    universe.write("dpl.yml", block_of(""));
    // An old mapping of the same queue is still being deleted.
    let deleting = json!({ "EventSourceArn": arn, "FunctionArn": format!("arn:aws:lambda:us-east-1:000000000000:function:{name}") });
    for nth in 1..=3 {
        proxy.on("ListEventSourceMappings", nth, listed("Deleting", &deleting));
    }
    universe.run("").code(0);
    assert_eq!(proxy.writes(), ["CreateEventSourceMapping"]);
    universe.write("dpl.yml", block_of(", batch_size: 3"));
    let in_use =
        Fault::Answer(400, "ResourceInUseException", "Cannot update the event source mapping because it is in use.");
    proxy.on("UpdateEventSourceMapping", 1, in_use.clone()).on("DeleteEventSourceMapping", 1, in_use);
    universe.run("").code(0);
    universe.write("dpl.yml", block(Kind::Ministack, name, "  event_sources: []\n  event_sources_mode: replace\n"));
    universe.run("").code(0);
    assert_eq!(boto.mappings(name).len(), 0);
    let busy = Fault::Answer(409, "ResourceConflictException", "The operation cannot be performed at this time.");
    proxy.on("AddPermission", 1, busy.clone()).on("CreateFunctionUrlConfig", 1, busy.clone());
    let more = "  permissions: {statement_id: a, principal: s3}\n  function_url: true\n  async_config: {maximum_retry_attempts: 1}\n";
    proxy.on("PutFunctionEventInvokeConfig", 1, busy);
    assert_eq!(deployed(Kind::Ministack, name, &universe, &proxy, more).len(), 6);
}

#[test]
fn what_came_in_between_is_a_conflict() {
    let name = "in-between";
    let (universe, proxy, boto) = live(Kind::Ministack, name, "");
    let arn = boto.make_queue(name);
    let endpoint = emulator(Kind::Ministack).endpoint.clone();
    let other = |service: &'static str, operation: &'static str, arguments: Value| {
        let boto = Boto::of(&endpoint);
        Fault::First(std::sync::Arc::new(move || drop(boto.call(service, operation, &arguments))))
    };
    let statement = json!({ "FunctionName": name, "StatementId": "a", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com" });
    proxy.on("AddPermission", 1, other("lambda", "add_permission", statement));
    universe.write("dpl.yml", block(Kind::Ministack, name, "  permissions: {statement_id: a, principal: s3}\n"));
    universe.run("").code(5).says("create the permission `a`").says("another program created the permission");
    let mapping = json!({ "FunctionName": name, "EventSourceArn": arn, "BatchSize": 7 });
    // The third list is the one just before it is created.
    proxy.on("ListEventSourceMappings", 3, other("lambda", "create_event_source_mapping", mapping));
    let source = format!("  event_sources: {{event_source_arn: {arn}, batch_size: 3}}\n");
    universe.write("dpl.yml", block(Kind::Ministack, name, &source));
    universe.run("").code(5).says("another program created the event source").says("run again to see what differs");
    universe.run("").code(0).says("7 → 3");
    assert_eq!(boto.mappings(name).len(), 1);
}

#[test]
fn what_is_gone_already_is_removed() {
    let name = "gone-already";
    let (universe, proxy, boto) = live(Kind::Ministack, name, "");
    let queue = boto.make_queue(name);
    let all = format!(
        "  function_url: NONE\n  permissions: {{statement_id: a, principal: s3}}\n  event_sources: {{event_source_arn: {queue}}}\n  async_config: {{maximum_retry_attempts: 1}}\n  log_retention_days: 1\n"
    );
    deployed(Kind::Ministack, name, &universe, &proxy, &all);
    let gone = || {
        Fault::Instead(
            404,
            json!({ "Type": "User", "message": "no such thing", "__type": "ResourceNotFoundException" }).to_string(),
        )
    };
    for operation in [
        "DeleteFunctionUrlConfig",
        "RemovePermission",
        "DeleteEventSourceMapping",
        "DeleteFunctionEventInvokeConfig",
        "DeleteRetentionPolicy",
    ] {
        proxy.on(operation, 0, gone());
    }
    let none = "  function_url: false\n  permissions: []\n  permissions_mode: replace\n  event_sources: []\n  event_sources_mode: replace\n  clear: [async_config, log_retention_days]\n";
    assert_eq!(deployed(Kind::Ministack, name, &universe, &proxy, none).len(), 7);
}

#[test]
fn a_role_that_may_not_read_the_queue_is_told_what_it_needs() {
    let (universe, proxy, _) = live(Kind::Ministack, "no-rights", "");
    for (arn, more, said, help) in [
        (
            "arn:aws:sqs:us-east-1:000000000000:q",
            "",
            "The provided execution role does not have permissions to call ReceiveMessage on SQS",
            "as the policy `AWSLambdaSQSQueueExecutionRole` does",
        ),
        (
            "arn:aws:kinesis:us-east-1:000000000000:stream/s",
            ", starting_position: LATEST",
            "Cannot access stream s. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.",
            "as the policy `AWSLambdaKinesisExecutionRole` does",
        ),
        (
            "arn:aws:mq:us-east-1:000000000000:broker:b:b-1",
            ", queues: q",
            "The provided execution role does not have permissions to call DescribeBroker on MQ",
            "the secret that it is opened with",
        ),
    ] {
        let source = format!("  event_sources: {{event_source_arn: '{arn}'{more}}}\n");
        universe.write("dpl.yml", block(Kind::Ministack, "no-rights", &source));
        proxy.on("CreateEventSourceMapping", 0, Fault::Answer(400, "InvalidParameterValueException", said));
        proxy.forget_calls();
        let outcome = universe.run("--wait_timeout 2").code(6).says(&format!("create the event source `{arn}"));
        if help.contains("SQS") {
            outcome.says(said).says(help);
        }
    }
}

#[test]
fn a_mapping_that_does_not_come_to_life_fails_with_its_reason() {
    let name = "lifeless";
    let (universe, proxy, boto) = live(Kind::Ministack, name, "");
    let arn = boto.make_queue(name);
    universe.write("dpl.yml", block(Kind::Ministack, name, &format!("  event_sources: {{event_source_arn: {arn}}}\n")));
    let function = format!("arn:aws:lambda:us-east-1:000000000000:function:{name}");
    let lifeless = json!({ "EventSourceArn": arn, "FunctionArn": function, "StateTransitionReason": "KMS key is disabled", "LastProcessingResult": "PROBLEM: none" });
    // After one list for the plan, two before it is created and one for a second mapping.
    proxy.on("ListEventSourceMappings", 5, listed("Disabled", &lifeless));
    universe.run("").code(1).says(&format!("the event source `{arn}` is Disabled: KMS key is disabled; PROBLEM: none"));
    universe.run("").code(0).says("unchanged");
}

#[test]
fn a_run_that_is_killed_in_the_middle_is_made_up_for_by_the_next() {
    let name = "killed-around";
    let (universe, proxy, boto) = live(Kind::Ministack, name, "  permissions: {statement_id: a, principal: s3}\n");
    let queue = boto.make_queue(name);
    let more = format!(
        "  function_url: NONE\n  permissions: {{statement_id: a, principal: sns}}\n  event_sources: {{event_source_arn: {queue}}}\n"
    );
    universe.write("dpl.yml", block(Kind::Ministack, name, &more));
    for (nth, operation) in ["CreateFunctionUrlConfig", "AddPermission", "AddPermission", "CreateEventSourceMapping"]
        .into_iter()
        .enumerate()
    {
        proxy.forget_calls();
        let (sender, receiver) = std::sync::mpsc::channel();
        let sender = std::sync::Mutex::new(sender);
        proxy.on(
            operation,
            1,
            Fault::Then(std::sync::Arc::new(move || {
                let _ = sender.lock().unwrap().send(());
                std::thread::sleep(std::time::Duration::from_secs(1));
            })),
        );
        let mut child = universe.start("");
        receiver.recv_timeout(std::time::Duration::from_secs(20)).unwrap_or_else(|_| panic!("{nth}: {operation}"));
        child.kill().unwrap();
        child.wait().unwrap();
        proxy.clear();
    }
    proxy.forget_calls();
    universe.run("").code(0).says("unchanged");
    assert_eq!(proxy.writes(), [""; 0], "each of them was done");
    assert_eq!(boto.mappings(name).len(), 1);
    let mut ids = statements(&boto, name, None);
    ids.sort();
    assert_eq!(ids, ["a", "dpl-lambda-url", "dpl-lambda-url-invoke"]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn mistakes_are_told_with_their_places() {
    let universe = Universe::empty().file("dist/index.py", "def handler(e, c): return 1\n");
    let mut unsaid = String::new();
    for (written, said) in [
        // Shapes.
        ("function_url: [NONE]", "function_url: must be a map, not a list (dpl.yml:7:17)"),
        ("function_url: {cors: '*'}", "function_url: `cors` must be a map, got `*` (dpl.yml:7:24)"),
        (
            "function_url: {cors: {max_age: 86401}}",
            "function_url: `cors.max_age` must be a whole number of 0 to 86400 s, got `86401` (dpl.yml:7:34)",
        ),
        ("function_url: maybe", "function_url: must be AWS_IAM or NONE, got `maybe` (dpl.yml:7:17)"),
        (
            "function_url: {auth: NONE}",
            "function_url: has no member `auth` (dpl.yml:7:18)\n    help: did you mean `auth_type`?",
        ),
        ("function_url: {cors: {nonsense: 1}}", "help: its members are allow_credentials, allow_headers"),
        ("function_url: {auth_type: NONE, AuthType: NONE}", "function_url: `auth_type` is given twice (dpl.yml:7:35)"),
        (
            "reserved_concurrency: -1",
            "reserved_concurrency: must be a whole number of at least 0, got `-1` (dpl.yml:7:25)",
        ),
        ("reserved_concurrency: many", "reserved_concurrency: must be a whole number"),
        (
            "log_retention_days: 8",
            "log_retention_days: must be a number of days that CloudWatch Logs allows, such as 1, 7, 14, 30, 90 or 365, got `8` (dpl.yml:7:23)",
        ),
        ("recursive_loop: maybe", "recursive_loop: must be Allow or Terminate, got `maybe`"),
        ("runtime_management: Manual", "runtime_management: `Manual` needs a `runtime_version_arn`"),
        (
            "runtime_management: {update_runtime_on: Auto, runtime_version_arn: 'arn:aws:lambda:us-east-1::runtime:x'}",
            "has an effect only with `update_runtime_on: Manual`",
        ),
        ("code_signing_config_arn: arn:aws:s3:::b", "is not the ARN of a code signing config"),
        (
            "async_config: {maximum_retry_attempts: 3}",
            "async_config: `maximum_retry_attempts` must be a whole number of 0 to 2, got `3`",
        ),
        (
            "async_config: {destination_config: {on_failure: queue}}",
            "async_config: `destination_config.on_failure` `queue` is not an ARN",
        ),
        // Statements.
        ("permissions: [{principal: s3}]", "permissions: `1.statement_id` is missing (dpl.yml:7:17)"),
        ("permissions: {statement_id: a}", "permissions: `principal` is missing"),
        ("permissions: [s3]", "permissions: `1` must be a map, got `s3`"),
        (
            "permissions: [{statement_id: a, principal: s3}, {statement_id: a, principal: sns}]",
            "permissions: `a` is given twice (dpl.yml:7:51)",
        ),
        (
            "permissions: [{statement_id: 'a b', principal: s3}]",
            "permissions: `1.statement_id` `a b` is not the id of a statement",
        ),
        (
            "permissions: [{statement_id: a, principal: '*'}]",
            "permissions: `a` lets everybody invoke the function; name an account",
        ),
        (
            "permissions: [{statement_id: a, principal: s3, source_account: '1'}]",
            "permissions: `1.source_account` must be the 12 digits of an account, got `1`",
        ),
        (
            "permissions: [{statement_id: a, principal: s3, action: invoke}]",
            "permissions: `1.action` `invoke` is not an action of Lambda",
        ),
        ("permissions: [{statement_id: a, principal: '*', principal_org_id: x}]", "is not the id of an organisation"),
        ("permissions_mode: replace", "permissions_mode: is given without `permissions`"),
        ("event_sources_mode: all\n  event_sources: []", "event_sources_mode: must be `replace` or `merge`, got `all`"),
        // Sources.
        (
            "event_sources: [{batch_size: 1}]",
            "event_sources: has an item with neither `event_source_arn` nor `self_managed_event_source` (dpl.yml:7:19)",
        ),
        ("event_sources: [{event_source_arn: jobs}]", "event_sources: `1.event_source_arn` `jobs` is not an ARN"),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q', batch_sice: 1}]",
            "event_sources: `1` has no member `batch_sice` (dpl.yml:7:78)\n    help: did you mean `batch_size`?",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q', batch_size: 10001}]",
            "`1.batch_size` must be a whole number of 1 to 10000, got `10001`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q.fifo', batch_size: 11}]",
            "is a FIFO queue, whose `batch_size` is at most 10",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q', starting_position: LATEST}]",
            "is a queue of SQS, which has no `starting_position`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q', scaling_config: 1}]",
            "`1.scaling_config` must be a whole number of 2 to 1000, got `1`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/s', scaling_config: 2}]",
            "is a stream of Kinesis, which has no `scaling_config`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:dynamodb:us-east-1:123456789012:table/t'}]",
            "is a table, but Lambda reads its stream",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:kafka:us-east-1:123456789012:cluster/c/1'}]",
            "needs exactly one name in `topics`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:mq:us-east-1:123456789012:broker:b', queues: [a, b]}]",
            "needs exactly one name in `queues`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:mq:us-east-1:123456789012:broker:b', queues: a, tumbling_window_in_seconds: 1}]",
            "is a queue of Amazon MQ, which has no `tumbling_window_in_seconds`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:kafka:us-east-1:123456789012:cluster/c/1', topics: orders, parallelization_factor: 2}]",
            "is a topic of MSK, which has no `parallelization_factor`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/x', starting_position: AT_TIMESTAMP, starting_position_timestamp: 1}]",
            "is a stream of DynamoDB, which has no `starting_position_timestamp`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q', topics: orders}]",
            "is a queue of SQS, which has no `topics`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/s', starting_position: AT_TIMESTAMP}]",
            "`starting_position: AT_TIMESTAMP` needs `starting_position_timestamp`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/s', starting_position_timestamp: 1}]",
            "`starting_position_timestamp` needs `starting_position: AT_TIMESTAMP`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q', filter_criteria: {filters: [{pattern: 'not json'}]}}]",
            "`1.filter_criteria.filters.pattern` must be a map, or a JSON object as text",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q'}, {EventSourceArn: 'arn:aws:sqs:us-east-1:123456789012:q'}]",
            "event_sources: `arn:aws:sqs:us-east-1:123456789012:q` is given twice (dpl.yml:7:79)",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q', provisioned_poller_config: {minimum_pollers: 1}}]",
            "is a queue of SQS, which has 2 to 10000 pollers",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:kafka:us-east-1:123456789012:cluster/c/1', topics: t1, provisioned_poller_config: {maximum_pollers: 2001}}]",
            "is a topic of MSK, which has 1 to 2000 pollers",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q', provisioned_poller_config: {minimum_pollers: 9, maximum_pollers: 3}}]",
            "has more `minimum_pollers` than `maximum_pollers`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q', provisioned_poller_config: {poller_group_name: g}}]",
            "is a queue of SQS, which has no `poller_group_name`",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:sqs:us-east-1:123456789012:q', scaling_config: 2, provisioned_poller_config: {minimum_pollers: 2}}]",
            "of which AWS accepts one",
        ),
        (
            "event_sources: [{event_source_arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/s', provisioned_poller_config: {minimum_pollers: 2}}]",
            "is a stream of Kinesis, which has no `provisioned_poller_config`",
        ),
        (
            "event_sources: [{self_managed_event_source: {endpoints: {kafka_bootstrap_servers: [broker]}}, topics: t1}]",
            "`broker` is not a broker",
        ),
        ("function_url: {cors: {allow_methods: [GET, OPTIONS]}}", "`OPTIONS` is not one of GET"),
        (
            "function_url: {cors: {allow_methods: [GET, PUT, POST, HEAD, PATCH, DELETE, '*']}}",
            "has 7 items, AWS accepts at most 6",
        ),
        ("permissions: [{statement_id: a, principal: 's3 sns'}]", "has a blank"),
        ("file_system_configs: [{}, {}]", "has 2 items, AWS accepts at most 1"),
        (
            "capacity_provider_config: {lambda_managed_instances_capacity_provider_config: arn:aws:s3:::b}",
            "is not the ARN of a capacity provider",
        ),
        ("function_url: '{AuthType'", "function_url: begins like JSON but is not valid JSON (dpl.yml:7:17)"),
        // Emptying.
        ("clear: function_url", "`function_url` cannot be emptied"),
        ("clear: recursive_loop", "`recursive_loop` cannot be emptied"),
        ("clear: log_retention_days\n  log_retention_days: 1", "names `log_retention_days`, which is also given"),
    ] {
        universe.write("dpl.yml", format!("deploy:\n  function_name: f\n  role: r\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n  {written}\n"));
        let outcome = universe.run("check");
        if outcome.code != 3 || !outcome.all().contains(said) {
            unsaid += &format!("{written}\n  should say {said}\n{}\n", outcome.all());
        }
    }
    assert_eq!(unsaid, "");
}

#[test]
fn one_thing_may_be_written_in_many_ways() {
    let universe = Universe::empty().file("dist/index.py", "def handler(e, c): return 1\n");
    let rendered = |written: &str| {
        universe.write(
            "dpl.yml",
            format!("function_name: f\nrole: r\nruntime: python3.12\nhandler: index.handler\nzip: dist\n{written}\n"),
        );
        universe.run("check").code(0);
    };
    for written in [
        "function_url: {auth_type: none, cors: {allow_origins: '*', allow-methods: [GET, PUT], MaxAge: 5, allowHeaders: 'a, b'}}",
        "function_url: '{\"AuthType\": \"NONE\"}'",
        "function_url: on",
        "permissions: ['{\"StatementId\": \"a\", \"Principal\": \"s3\"}']",
        "async_config: '{\"MaximumRetryAttempts\": 1}'",
        "permissions: '[{\"StatementId\": \"a\", \"Principal\": \"s3.amazonaws.com\"}]'",
        "permissions: {statement_id: a, principal: s3}",
        "event_sources: '[{\"EventSourceArn\": \"arn:aws:sqs:us-east-1:123456789012:q\", \"FilterCriteria\": {\"Filters\": [{\"Pattern\": \"{}\"}]}}]'",
        "event_sources: {EventSourceArn: 'arn:aws:sqs:us-east-1:123456789012:q', batch-size: 1_000, maximumBatchingWindowInSeconds: 1}",
        "reserved_concurrency: '5'",
        "log_retention_days: 14",
        "runtime_management: functionupdate",
    ] {
        rendered(written);
    }
    let universe = Universe::empty()
        .file("dist/index.py", "def handler(e, c): return 1\n")
        .file("dpl.yml", "function_name: f\nrole: r\nruntime: python3.12\nhandler: index.handler\nzip: dist\n")
        .with("INPUT_FUNCTION-URL", "{\"AuthType\": \"NOONE\"}")
        .with("DPL_LAMBDA_EVENT_SOURCES", "[{\"EventSourceArn\": \"x\"}]");
    universe
        .run("check")
        .code(3)
        .says("function_url: `auth_type` must be AWS_IAM or NONE, got `NOONE`")
        .says("event_sources: `1.event_source_arn` `x` is not an ARN");
}

#[test]
fn what_is_wrong_with_a_signature_is_explained() {
    for (name, code, said, told) in [
        (
            "signed-otherwise",
            "CodeVerificationFailedException",
            "The code signature failed",
            "sign the package with AWS Signer",
        ),
        (
            "signed-and-altered",
            "InvalidCodeSignatureException",
            "The integrity check failed",
            "sign the package with AWS Signer",
        ),
        (
            "signed-for-nobody",
            "CodeSigningConfigNotFoundException",
            "The config does not exist",
            "look at `code_signing_config_arn`",
        ),
    ] {
        let (universe, proxy, _) = live(Kind::Ministack, name, "");
        universe.write("dist/index.py", "def handler(e, c): return 'another'\n");
        proxy.on("UpdateFunctionCode", 1, Fault::Answer(400, code, said));
        universe.run("").code(1).says(said).says(told);
    }
}

#[test]
fn what_stands_in_quotes_in_a_filter_stays_a_text() {
    let emulator = emulator(Kind::Ministack);
    let queue = Boto::of(&emulator.endpoint).make_queue("quoted");
    let more = format!(
        "  event_sources:\n  - event_source_arn: {queue}\n    filter_criteria:\n      filters:\n      - pattern: {{body: {{version: [\"1\", '2', 3, 1.10], ok: [\"true\", true], none: [null]}}}}\n"
    );
    let (universe, proxy, _) = live(Kind::Ministack, "quoted", "");
    universe.write("dpl.yml", block(Kind::Ministack, "quoted", &more));
    universe.run("").code(0);
    let sent = &proxy.bodies("CreateEventSourceMapping")[0]["FilterCriteria"]["Filters"][0]["Pattern"];
    let pattern: Value = serde_json::from_str(sent.as_str().unwrap()).unwrap();
    assert_eq!(pattern, json!({ "body": { "version": ["1", "2", 3, 1.10], "ok": ["true", true], "none": [null] } }));
    universe.run("").code(0).says("unchanged");
}

#[test]
fn what_is_always_there_is_waited_for_also_on_a_new_function() {
    let (universe, proxy, _) = function(Kind::Ministack, "always-there", "  recursive_loop: Allow\n");
    proxy.on(
        "PutFunctionRecursionConfig",
        1,
        Fault::Answer(409, "ResourceConflictException", "An update is in progress"),
    );
    universe.run("").code(0).says("+ recursive loop");
    universe.run("").code(0).says("unchanged");
}

#[test]
fn nothing_in_a_list_removes_nothing() {
    let (universe, proxy, _) = live(Kind::Ministack, "empty-item", "");
    for (more, told) in [
        ("  permissions:\n  -\n  permissions_mode: replace\n", "permissions: has an empty item (dpl.yml:"),
        ("  event_sources: [null]\n  event_sources_mode: replace\n", "event_sources: has an empty item"),
        ("  layers: [{name: deps}]\n", "layers: must be a list of texts, not of maps (dpl.yml:"),
        (
            "  permissions: {statement_id: dpl-lambda-url, principal: s3}\n",
            "is a reserved id, for the statements of a public URL",
        ),
    ] {
        universe.write("dpl.yml", block(Kind::Ministack, "empty-item", more));
        universe.run("").code(3).says(told);
    }
    assert_eq!(proxy.calls(), Vec::<String>::new());
    let by_branch = "  reserved_concurrency: {main: 3}\n  recursive_loop: {main: Allow, other: Terminate}\n";
    universe.write("dpl.yml", block(Kind::Ministack, "empty-item", by_branch));
    universe
        .with("CIRCLECI", "true")
        .with("CIRCLE_BRANCH", "main")
        .run("plan")
        .code(0)
        .says("+ reserved concurrency 3");
}
