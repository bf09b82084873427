//! What is live: how it is shown, how an alias goes back, how a function goes away.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Aws, Fault, Kind, Outcome, Proxy, Universe, emulator, on_both};

const PYTHON: &str = "def handler(event, context): return 'hello'\n";

/// A function with so many versions, and an alias that points at the newest.
fn world(kind: Kind, function: &str, versions: u32, alias: &str) -> (Universe, Proxy, Aws) {
    let endpoint = &emulator(kind).endpoint;
    let (proxy, aws) = (Proxy::before(endpoint), Aws::of(endpoint));
    let block = format!(
        "function_name: {function}\nrole: arn:aws:iam::{}:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\npublish: true\n",
        kind.account()
    );
    let universe = Universe::at(&proxy.endpoint).file("dist/index.py", PYTHON).file("dpl.yml", block);
    for version in 1..=versions {
        let line = format!("--quiet --memory_size {} --version_description 'the one of {version}'", 128 + version);
        universe.run(&line).code(0);
    }
    let newest = versions.to_string();
    aws.make_alias(
        function,
        &json!({ "Name": "live", "FunctionVersion": newest, "Description": alias, "RoutingConfig": { "AdditionalVersionWeights": {} } }),
    );
    proxy.forget_calls();
    (universe, proxy, aws)
}

fn stale() -> Fault {
    Fault::Answer(412, "PreconditionFailedException", "The RevisionId provided does not match the latest RevisionId")
}

fn denied() -> Fault {
    Fault::Answer(403, "AccessDeniedException", "no")
}

#[test]
fn a_status_has_all_that_stands_around_a_function() {
    let (universe, proxy, aws) = world(Kind::Ministack, "shown", 7, "what customers call [before: 6]");
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:shown";
    aws.put("PUT", "/2017-10-31/functions/shown/concurrency", &json!({ "ReservedConcurrentExecutions": 5 }));
    aws.put(
        "PUT",
        "/2015-03-31/functions/shown/aliases/live",
        &json!({ "RoutingConfig": { "AdditionalVersionWeights": { "3": 0.125 } } }),
    );
    let url = |arn: String, auth: &str| json!({ "FunctionUrl": format!("https://{auth}.on.aws/"), "FunctionArn": arn, "AuthType": auth, "CreationTime": "x", "LastModifiedTime": "x" });
    let urls = json!({ "FunctionUrlConfigs": [url(format!("{arn}:live"), "NONE"), url(arn.to_owned(), "AWS_IAM")] });
    proxy.on("ListFunctionUrlConfigs", 0, Fault::Instead(200, urls.to_string()));
    let warm = json!({ "ProvisionedConcurrencyConfigs": [{ "FunctionArn": format!("{arn}:live"), "RequestedProvisionedConcurrentExecutions": 4, "AvailableProvisionedConcurrentExecutions": 1, "Status": "FAILED", "StatusReason": "no room" }] });
    proxy.on("ListProvisionedConcurrencyConfigs", 0, Fault::Instead(200, warm.to_string()));

    let outcome = universe.run("status").code(0);
    let outcome = outcome.says("`shown` in us-east-1\n").says(arn).says("  state        Active\n");
    let outcome = outcome.says("  runtime      python3.12 on x86_64\n").says("  memory       135 MB, timeout 3 s\n");
    let outcome = outcome.says("  concurrency  5 reserved\n").says("1 of 4 for `live`, FAILED: no room\n");
    let outcome =
        outcome.says("https://AWS_IAM.on.aws/ of $LATEST (AWS_IAM)\n").says("https://NONE.on.aws/ of `live` (NONE)\n");
    let outcome = outcome.says("  alias        `live` → 7 with 12.5 % to 3 (before: 6)\n");
    let outcome =
        outcome.says("  versions     7, of which the newest are\n").says("the one of 3\n").never_says("the one of 2\n");
    assert!(outcome.stdout.find("the one of 7") < outcome.stdout.find("the one of 6"));

    let document = universe.run("status --format json").code(0).json();
    let status = &document["status"][0];
    assert_eq!(status["versions"].as_array().unwrap().len(), 7);
    assert_eq!(status["versions"][0]["description"], "the one of 7");
    assert_eq!(
        status["aliases"],
        json!([{ "name": "live", "version": "7", "weights": { "3": 0.125 }, "previous_version": "6", "rolled_back_version": null, "build": null, "description": "what customers call [before: 6]" }])
    );
    assert_eq!(status["function_urls"][0]["qualifier"], "$LATEST");
    assert_eq!(
        (&status["reserved_concurrency"], &status["code_size"]),
        (&json!(5), &aws.get("shown")["Configuration"]["CodeSize"])
    );
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn a_status_says_whether_a_release_changed_the_function_last() {
    on_both(|kind| {
        let (universe, ..) = world(kind, "released-last", 2, "");
        universe.run("status").code(0).says(" UTC, by the release of version 2: the one of 2\n").never_says("by hand");
    });
    let (universe, proxy, aws) = world(Kind::Ministack, "changed-last", 2, "");
    let outcome = universe.run("status").code(0);
    outcome.says(" UTC, by the release of version 2: the one of 2\n").never_says("by hand");
    let changed = |expected: serde_json::Value| {
        let document = universe.run("status --format json").code(0).json();
        assert_eq!(document["status"][0]["changed_since_release"], expected, "{document}");
    };
    changed(json!(false));

    let mut found = aws.get("changed-last");
    let mut finds = |member: &str, value: &str| {
        found["Configuration"][member] = json!(value);
        proxy.clear();
        proxy.on("GetFunction", 0, Fault::Instead(200, found.to_string()));
    };
    // Somebody changes a setting later.
    finds("LastModified", "2999-01-01T00:00:00.000+0000");
    universe.run("status").code(0).says("2999-01-01 00:00 UTC, after the release of version 2: by hand");
    changed(json!(true));
    // Or the code, at a time that cannot be compared.
    finds("LastModified", "just now");
    universe.run("status").code(0).says("  modified     just now, by the release of version 2: the one of 2\n");
    finds("CodeSha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    universe.run("status").code(0).says("just now, after the release of version 2: by hand");

    proxy.on("ListVersionsByFunction", 0, denied());
    universe.run("status").code(0).says("  modified     just now\n").never_says("release");
    changed(json!(null));
}

#[test]
fn a_status_has_what_the_last_move_of_an_alias_recorded() {
    let description = "ours [before: 1, rolled back: 3, build: 0a1b2c]";
    let (universe, ..) = world(Kind::Ministack, "moved-last", 2, description);
    universe.run("status").code(0).says("  alias        `live` → 2 (before: 1, rolled back: 3)\n");
    let document = universe.run("status --format json").code(0).json();
    let alias = &document["status"][0]["aliases"][0];
    assert_eq!((&alias["rolled_back_version"], &alias["build"]), (&json!("3"), &json!("0a1b2c")), "{alias}");
}

#[test]
fn what_may_not_be_read_is_unknown_and_no_failure() {
    on_both(|kind| {
        let (universe, proxy, _) = world(kind, "half-shown", 1, "");
        for operation in
            ["ListVersionsByFunction", "ListAliases", "ListFunctionUrlConfigs", "ListProvisionedConcurrencyConfigs"]
        {
            proxy.on(operation, 0, denied());
        }
        let outcome =
            universe.run("status").code(0).says("warning: AWS denied `lambda:ListAliases` on `half-shown`: no");
        outcome.says("  alias        unknown\n").says("  versions     unknown\n").says("  URL          unknown\n");
        let document = universe.run("status --format json").code(0).json();
        assert_eq!(document["status"][0]["aliases"], json!(null));
        assert_eq!(document["warnings"].as_array().unwrap().len(), 4);
        proxy.on("GetFunction", 0, denied());
        universe.run("status").code(4).says("AWS denied `lambda:GetFunction`");
    });
}

#[test]
fn a_status_says_what_is_in_progress_or_went_wrong_without_waiting() {
    let (universe, proxy, aws) = world(Kind::Ministack, "in-progress", 1, "");
    let mut found = aws.get("in-progress");
    let config = found["Configuration"].as_object_mut().unwrap();
    config.insert("State".to_owned(), json!("Pending"));
    config.insert("StateReasonCode".to_owned(), json!("Creating"));
    config.insert("LastUpdateStatus".to_owned(), json!("Failed"));
    config.insert("LastUpdateStatusReason".to_owned(), json!("no such ##[image]"));
    config.insert("LastUpdateStatusReasonCode".to_owned(), json!("InvalidImage"));
    config.insert("PackageType".to_owned(), json!("Image"));
    found["Code"]["ImageUri"] = json!("000000000000.dkr.ecr.us-east-1.amazonaws.com/r:1");
    proxy.on("GetFunction", 0, Fault::Instead(200, found.to_string()));
    let outcome = universe.run("status").code(0).says("  state        Pending: Creating\n").says("(InvalidImage)\n");
    outcome.says("  image        000000000000.dkr.ecr.us-east-1.amazonaws.com/r:1 on x86_64").never_says("##[image]");
}

#[test]
fn a_function_that_is_not_there_has_no_status() {
    on_both(|kind| {
        let proxy = Proxy::before(&emulator(kind).endpoint);
        let universe = Universe::at(&proxy.endpoint);
        universe
            .run("status --function_name nobody")
            .code(1)
            .says("there is no function `nobody`")
            .says("AWS has no function of this name in us-east-1");
        universe.run("status").code(3).says("no function is named");
        assert_eq!(proxy.calls(), ["GetFunction"]);
    });
}

#[test]
fn conditions_and_packages_hold_no_look_back() {
    let (universe, ..) = world(Kind::Ministack, "unconditional", 1, "");
    universe.write(
        "dpl.yml",
        "deploy:\n  - function_name: unconditional\n    memory_size: 1\n    zip: nowhere\n    environment: {A: {from_env: UNSET}}\n    on: {branch: other}\n  - function_name: unconditional\n",
    );
    let outcome = universe.run("status").code(0);
    assert_eq!(outcome.stdout.matches("`unconditional` in us-east-1").count(), 2);
    universe.write("dpl.yml", "deploy:\n  - function_name: nobody\n  - function_name: unconditional\n");
    universe.run("status").code(1).says("there is no function `nobody`").says("`unconditional` in us-east-1");
}

#[test]
fn a_list_has_all_functions_of_a_region_in_columns() {
    on_both(|kind| {
        let (universe, proxy, _) = world(kind, "listed", 1, "");
        universe.run("list").code(0).says("listed");
        // A Region of its own, where no other test is.
        let universe = universe.with("AWS_REGION", "ca-central-1");
        universe.run("list").code(0).says("There are no functions in ca-central-1.");
        universe.run("--quiet").code(0);
        universe.run("--quiet --function_name listed-longer --memory_size 1024 --timeout 30").code(0);
        universe.write("dpl.yml", "");
        let outcome = universe.run("list").code(0);
        let outcome = outcome.says("listed         python3.12   128 MB   3 s  20");
        outcome.says("listed-longer  python3.12  1024 MB  30 s  20");
        let document = universe.run("list --format json").code(0).json();
        assert_eq!(document["regions"][0]["region"], "ca-central-1");
        assert_eq!(document["regions"][0]["functions"][1]["function_name"], "listed-longer");
        proxy.on("ListFunctions", 0, denied());
        universe.run("list").code(4).says("cannot list the functions").says("AWS denied `lambda:ListFunctions` on `*`");
    });
}

#[test]
fn a_list_goes_on_where_a_page_ends() {
    let (universe, proxy, _) = world(Kind::Ministack, "paged", 1, "");
    let function = |name: &str| json!({ "FunctionName": name, "PackageType": "Image", "MemorySize": 512, "Timeout": 9, "LastModified": "2026-01-02T03:04:05.678+0000" });
    let page = |names: &[&str], marker: &str| {
        let functions: Vec<_> = names.iter().map(|name| function(name)).collect();
        Fault::Instead(200, json!({ "Functions": functions, "NextMarker": marker }).to_string())
    };
    proxy.on("ListFunctions", 1, page(&["b", "c"], "c")).on("ListFunctions", 2, page(&["a"], ""));
    let outcome = universe.run("list").code(0);
    let line = "image  512 MB  9 s  2026-01-02 03:04 UTC\n";
    outcome.says(&format!("a  {line}b  {line}c  {line}"));
    assert!(proxy.requests("ListFunctions")[1].head.contains("Marker=c"));
    universe.run("list --region eu-north-1").code(0).says("There are no functions in eu-north-1.");
}

#[test]
fn an_alias_goes_back_to_where_it_pointed_and_forth_again() {
    on_both(|kind| {
        let (universe, proxy, aws) = world(kind, "back", 3, "what customers call [before: 2]");
        universe
            .run("rollback --alias live --dry_run")
            .code(0)
            .says("rollback of `back` in us-east-1\n  ~ alias           `live`: 3 → 2");
        assert_eq!(proxy.writes(), Vec::<String>::new());
        universe.run("rollback --alias live").code(0).says("Rolled back live of back to version 2.");
        let body = proxy.bodies("UpdateAlias").remove(0);
        assert_eq!(
            (&body["FunctionVersion"], &body["Description"]),
            (&json!("2"), &json!("what customers call [rolled back: 3]"))
        );
        assert_eq!(body.get("RoutingConfig"), None, "the alias has no weights to take away");
        assert!(body["RevisionId"].as_str().is_some_and(|revision| !revision.is_empty()));
        assert_eq!(aws.alias("back", "live")["FunctionVersion"], "2");
        proxy.forget_calls();
        universe.run("rollback --alias live").code(3).says("version 3 is rolled back already").says("`--to 3`");
        assert_eq!(proxy.writes(), Vec::<String>::new());
        universe.run("rollback --alias live --to 3").code(0).says("`live`: 2 → 3");
        assert_eq!(aws.alias("back", "live")["Description"], "what customers call [before: 2]");

        let document = universe.run("rollback --alias live --to 1 --format json --output_file out.json").code(0).json();
        let rollback = json!({ "function_name": "back", "region": "us-east-1", "alias": "live", "from": "3", "to": "1", "weights_before": {}, "outcome": "rolled_back", "changes": [
            { "setting": "description", "from": "the one of 3", "to": "the one of 1" },
            { "setting": "memory_size", "from": 131, "to": 129, "unit": "MB" },
        ] });
        assert_eq!((&document["rollback"], &document["changed"]), (&rollback, &json!(true)));
        let outputs: serde_json::Value = serde_json::from_str(&universe.read("out.json")).unwrap();
        assert_eq!(outputs, json!({ "version": "1", "changed": true }));

        proxy.forget_calls();
        universe
            .run("rollback --alias live --to 1")
            .code(0)
            .says("`live` of `back` in us-east-1 points at version 1 already: nothing to do.");
        let document = universe.run("rollback --alias live --to 1 --format json").code(0).json();
        assert_eq!((&document["rollback"]["outcome"], &document["changed"]), (&json!("unchanged"), &json!(false)));
        assert_eq!(proxy.writes(), Vec::<String>::new());
    });
}

#[test]
fn a_shift_of_traffic_is_undone() {
    on_both(|kind| {
        let (universe, _, aws) = world(kind, "shifting", 3, "[before: 1]");
        let shift = json!({ "FunctionVersion": "2", "Description": "[before: 1]", "RoutingConfig": { "AdditionalVersionWeights": { "3": 0.1 } } });
        aws.put("PUT", "/2015-03-31/functions/shifting/aliases/live", &shift);
        universe.run("rollback --alias live").code(0).says("`live`: 2 with 10 % to 3 → 2");
        let alias = aws.alias("shifting", "live");
        assert_eq!((&alias["FunctionVersion"], &alias["Description"]), (&json!("2"), &json!("[rolled back: 3]")));
        let weights = &alias["RoutingConfig"]["AdditionalVersionWeights"];
        assert!(weights.is_null() || weights == &json!({}), "{alias}");
    });
}

#[test]
fn a_rollback_without_a_way_back_names_the_versions() {
    let (universe, proxy, _) = world(Kind::Ministack, "no-way-back", 2, "by hand");
    universe
        .run("rollback --alias live")
        .code(3)
        .says("the alias has no record of the version before 2")
        .says("name one with `--to`; the versions are 2, 1");
    universe.run("rollback --alias live --to 9").code(3).says("there is no version 9").says("the versions are 2, 1");
    universe.run("rollback --alias stage").code(3).says("there is no alias `stage`").says("the function has `live`");
    universe.run("rollback").code(3).says("alias: no alias is set, so there is nothing to roll back");
    universe.run("rollback --alias live --to live").code(3).says("--to: must be the number of a version");
    universe.run("rollback --alias live --function_name nobody").code(1).says("there is no function `nobody`");
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn a_version_is_ready_before_the_alias_moves() {
    let (universe, proxy, aws) = world(Kind::Ministack, "ready-first", 2, "[before: 1]");
    let version = |state: &str, reason: &str| {
        let mut found = aws.get("ready-first");
        found["Configuration"]["State"] = json!(state);
        found["Configuration"]["StateReason"] = json!(reason);
        Fault::Instead(200, found.to_string())
    };
    proxy.on("GetFunction", 1, version("Failed", "the image is gone"));
    universe.run("rollback --alias live").code(1).says("version 1: the creation failed: the image is gone");
    assert_eq!(proxy.writes(), Vec::<String>::new());
    proxy.on("GetFunction", 2, version("Pending", "")).on("GetFunction", 3, version("Inactive", ""));
    universe.run("rollback --alias live").code(0).says("Rolled back");
    assert_eq!(
        proxy.calls(),
        ["GetAlias", "GetFunction", "GetAlias", "GetFunction", "GetFunction", "GetFunction", "UpdateAlias", "GetAlias"]
    );
}

#[test]
fn a_lost_answer_of_a_rollback_is_made_up_for() {
    for (name, faults) in [
        ("lost-after", vec![Fault::ResetAfter]),
        ("lost-before", vec![Fault::ResetBefore]),
        ("lost-for-good", vec![Fault::ResetAfter; 6]),
        ("busy-alias", vec![Fault::Answer(409, "ResourceConflictException", "an update is in progress")]),
    ] {
        let (universe, proxy, aws) = world(Kind::Ministack, name, 2, "[before: 1]");
        for (index, fault) in faults.into_iter().enumerate() {
            proxy.on("UpdateAlias", index + 1, fault);
        }
        universe.run("rollback --alias live").code(0).says("Rolled back");
        assert_eq!(aws.alias(name, "live")["FunctionVersion"], "1");
    }
}

#[test]
fn an_alias_that_another_program_moves_in_the_meantime_is_a_conflict() {
    let (universe, proxy, aws) = world(Kind::Ministack, "moved-by-others", 3, "[before: 2]");
    let other = Arc::new(move || {
        aws.put("PUT", "/2015-03-31/functions/moved-by-others/aliases/live", &json!({ "FunctionVersion": "1" }));
    });
    proxy.on("UpdateAlias", 1, Fault::First(other));
    universe
        .run("rollback --alias live")
        .code(5)
        .says("another program changed the alias `live` in the meantime: it points at version 1 now");
    proxy.on("UpdateAlias", 2, stale());
    universe.run("rollback --alias live --to 2").code(5);
    let document = universe.run("rollback --alias live --to 7 --format json").code(3).json();
    assert_eq!(document["rollback"], json!(null));
    proxy.on("UpdateAlias", 3, denied());
    let document = universe.run("rollback --alias live --to 2 --format json").code(4).json();
    assert_eq!(document["rollback"]["outcome"], "failed");
}

#[test]
fn deleting_says_first_what_goes_and_what_stays() {
    on_both(|kind| {
        let (universe, proxy, aws) = world(kind, "going", 2, "");
        universe.run("delete").code(3).says("cannot ask here whether to delete").says("pass `--yes`");
        universe.run("delete --format json --dry_run").code(0).says("\"outcome\": \"planned\"");
        assert_eq!(proxy.writes(), Vec::<String>::new());
        let outcome =
            universe.run("delete --yes").code(0).says("deletion of `going` in us-east-1\n  - function  arn:aws:lambda");
        let outcome = outcome.says("  - versions  2, 1\n").says("  - alias     `live` → 2\n");
        outcome.says("  = stays: the log group /aws/lambda/going\n").says("Deleted going in us-east-1.");
        assert!(!aws.exists("going"));
        proxy.forget_calls();
        universe.run("delete --yes").code(0).says("going does not exist in us-east-1: nothing to delete.");
        assert_eq!(proxy.writes(), Vec::<String>::new());
    });
}

#[test]
fn what_stands_around_a_function_is_told_before_it_goes() {
    let (universe, _, aws) = world(Kind::Ministack, "surrounded", 1, "");
    let url = aws.put("POST", "/2021-10-31/functions/surrounded/url", &json!({ "AuthType": "NONE" }));
    let source = "arn:aws:sqs:us-east-1:000000000000:feeding";
    let mapping = json!({ "FunctionName": "surrounded", "EventSourceArn": source });
    let uuid = aws.put("POST", "/2015-03-31/event-source-mappings", &mapping)["UUID"].clone();
    let outcome = universe
        .run("delete --dry_run")
        .code(0)
        .says(&format!("  - URL       {}\n", url["FunctionUrl"].as_str().unwrap()));
    outcome.says(&format!("  = stays: the event source mapping of {source} ({})\n", uuid.as_str().unwrap()));
    let document = universe.run("delete --yes --format json").code(0).json();
    let deletion = &document["deletion"];
    assert_eq!((&deletion["outcome"], &document["changed"]), (&json!("deleted"), &json!(true)));
    assert_eq!(deletion["goes"]["versions"], json!(["1"]));
    assert_eq!(deletion["stays"]["log_group"], "/aws/lambda/surrounded");
    aws.call("lambda", "DELETE", &format!("/2015-03-31/event-source-mappings/{}", uuid.as_str().unwrap()), "");
}

#[test]
fn on_a_terminal_the_name_is_typed() {
    let (universe, proxy, aws) = world(Kind::Ministack, "typed", 1, "");
    let asked = "This cannot be undone. Type `typed` to delete `typed`:";
    universe.run_typing("y\n", "delete").code(3).says(asked).says("`typed` was not typed, so nothing is deleted");
    assert_eq!(proxy.writes(), Vec::<String>::new());
    universe.run_typing("typed\n", "delete --quiet").code(0).says(asked).says("Deleted typed in us-east-1.");
    assert!(!aws.exists("typed"));
    universe.run_typing("", "delete").code(0).says("nothing to delete");
    universe.with("CI", "true").run_typing("typed\n", "delete").code(3).says("cannot ask here whether to delete");
}

#[test]
fn one_version_goes_by_itself_unless_an_alias_points_at_it() {
    on_both(|kind| {
        let (universe, proxy, aws) = world(kind, "one-goes", 3, "");
        let shift = json!({ "FunctionVersion": "3", "Description": "", "RoutingConfig": { "AdditionalVersionWeights": { "2": 0.5 } } });
        aws.put("PUT", "/2015-03-31/functions/one-goes/aliases/live", &shift);
        for number in ["2", "3"] {
            let line = format!("delete --yes --qualifier {number}");
            universe.run(&line).code(3).says(&format!("the alias `live` points at version {number}"));
        }
        universe.run("delete --yes --qualifier live").code(3).says("--qualifier: must be the number of a version");
        universe.run("delete --yes --qualifier '$LATEST'").code(3).says("`$LATEST` is not a published version");
        assert_eq!(proxy.writes(), Vec::<String>::new());
        universe.run("delete --yes --qualifier 1").code(0).says("Deleted version 1 of one-goes in us-east-1.");
        assert_eq!(aws.versions("one-goes"), ["2", "3"]);
        universe.run("delete --yes --qualifier 1").code(0).says("version 1 of one-goes does not exist in us-east-1");
        universe.run("delete --yes --qualifier 1 --function_name nobody").code(0).says("nothing to delete");
    });
}

#[test]
fn a_version_that_aws_holds_is_told_with_its_alias() {
    let (universe, proxy, _) = world(Kind::Ministack, "held", 2, "");
    proxy.on("ListAliases", 1, denied());
    universe.run("delete --yes --qualifier 2").code(3).says("the alias `live` points at version 2");
    assert_eq!(proxy.writes(), ["DeleteFunction"]);
    proxy.on("ListAliases", 0, denied());
    universe.run("delete --yes --qualifier 2").code(1).says("cannot be deleted because it is referenced by an alias");
}

#[test]
fn a_deletion_waits_for_others_and_survives_a_lost_answer() {
    for (name, fault) in [
        ("gone-busy", Fault::Answer(409, "ResourceConflictException", "an update is in progress")),
        ("gone-after", Fault::ResetAfter),
        ("gone-before", Fault::ResetBefore),
    ] {
        let (universe, proxy, aws) = world(Kind::Ministack, name, 1, "");
        proxy.on("DeleteFunction", 1, fault);
        universe.run("delete --yes").code(0).says("Deleted");
        assert!(!aws.exists(name));
    }
    let (universe, proxy, aws) = world(Kind::Ministack, "not-gone", 1, "");
    proxy.on("DeleteFunction", 0, denied());
    let document = universe.run("delete --yes --format json").code(4).json();
    assert_eq!((&document["deletion"]["outcome"], &document["changed"]), (&json!("failed"), &json!(false)));
    assert!(aws.exists("not-gone"));
}

#[test]
fn nothing_goes_in_another_account_or_among_several_functions() {
    let (universe, proxy, _) = world(Kind::Ministack, "kept", 2, "[before: 1]");
    for verb in ["delete --yes", "rollback --alias live"] {
        let line = format!("{verb} --expect_account 123456789012");
        universe.run(&line).code(3).says("belong to account 000000000000, not to 123456789012 (--expect_account)");
        universe.write("dpl.yml", "deploy:\n  - function_name: kept\n  - function_name: other\n");
        universe
            .run(verb)
            .code(3)
            .says("acts on one function, and the configuration has several")
            .says("`kept`, `other`");
        universe.write("dpl.yml", "function_name: kept\n");
    }
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn what_was_done_stands_in_the_summary_and_in_a_report() {
    let (universe, ..) = world(Kind::Ministack, "told", 2, "[before: 1]");
    universe.run("rollback --alias live --summary_file back.md --junit back.xml").code(0);
    let summary = universe.read("back.md");
    assert!(summary.contains("### ✔ told rolled back") && summary.contains("| alias live | 2 | 1 |"), "{summary}");
    assert!(universe.read("back.xml").contains("rollback"));
    universe.run("delete --yes --summary_file gone.md").code(0);
    assert!(universe.read("gone.md").contains("### ✔ told in us-east-1 deleted"));
}

#[test]
fn a_look_ends_with_the_job() {
    let (universe, proxy, _) = world(Kind::Ministack, "ended", 2, "[before: 1]");
    proxy.on("GetFunction", 0, Fault::Slow(Duration::from_secs(20)));
    for line in ["status", "rollback --alias live", "delete --yes"] {
        proxy.forget_calls();
        let child = universe.start(line);
        while !proxy.calls().contains(&"GetFunction".to_owned()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        Outcome::of(&child.wait_with_output().unwrap()).code(143).says("interrupted by SIGTERM");
        assert_eq!(proxy.writes(), Vec::<String>::new());
    }
}
