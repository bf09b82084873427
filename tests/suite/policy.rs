//! What `policy` and `render` show, held against what a deployment really does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, emulator};

fn block(name: &str, more: &str) -> String {
    format!(
        "function_name: {name}\nrole: arn:aws:iam::000000000000:role/{name}\nruntime: python3.12\nhandler: index.handler\nzip: dist\nregion: us-east-1\nexpect_account: '000000000000'\n{more}"
    )
}

/// All actions that a policy allows.
fn actions(policy: &Value) -> BTreeSet<String> {
    let texts = |value: &Value| match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().map(|item| item.as_str().unwrap().to_owned()).collect(),
        other => panic!("{other}"),
    };
    policy["Statement"].as_array().unwrap().iter().flat_map(|statement| texts(&statement["Action"])).collect()
}

/// Calls that need no permission, or have another name as an action.
fn action(call: &str) -> Option<String> {
    match call {
        "GetCallerIdentity" => None,
        "SimulatePrincipalPolicy" => Some(format!("iam:{call}")),
        "Invoke" => Some("lambda:InvokeFunction".to_owned()),
        "HeadBucket" => Some("s3:ListBucket".to_owned()),
        "HeadObject" | "GetObject" => Some("s3:GetObject".to_owned()),
        "PutObject" | "UploadPart" | "CreateMultipartUpload" | "CompleteMultipartUpload" => {
            Some("s3:PutObject".to_owned())
        }
        "DescribeLogGroups" | "FilterLogEvents" | "CreateLogGroup" | "PutRetentionPolicy" | "DeleteRetentionPolicy" => {
            Some(format!("logs:{call}"))
        }
        lambda => Some(format!("lambda:{lambda}")),
    }
}

/// Actions that a call needs beside the one it is named after, or that only a failure needs.
const BESIDE: [&str; 10] = [
    "lambda:GetEventSourceMapping",
    "iam:PassRole",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "s3:GetObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:ListBucketMultipartUploads",
    "lambda:ListTags",
    "lambda:GetLayerVersion",
];

/// Calls that the emulator takes for others, or whose resource it does not know. Which calls are made is checked apart.
const MISTAKEN: [&str; 10] = [
    "CreateFunction",
    "ListAliases",
    "DeleteFunction",
    "CreateEventSourceMapping",
    "GetEventSourceMapping",
    "UpdateEventSourceMapping",
    "DeleteEventSourceMapping",
    "PutFunctionConcurrency",
    "CreateFunctionUrlConfig",
    "ListLayers",
];

/// A universe whose user may do what the policy for a verb allows, and what the policy allows.
fn allowed(universe: Universe, aws: &Aws, name: &str, verb: &str) -> (Universe, BTreeSet<String>) {
    let policy: Value = serde_json::from_str(&universe.run(&format!("policy --for {verb}")).code(0).stdout).unwrap();
    let mut enforced = policy.clone();
    let mistaken = MISTAKEN.map(|action| format!("lambda:{action}"));
    let more = json!({ "Effect": "Allow", "Action": mistaken, "Resource": "*" });
    enforced["Statement"].as_array_mut().unwrap().push(more);
    let (id, secret) = aws.user(&format!("{name}-{verb}"), &enforced);
    (universe.with("AWS_ACCESS_KEY_ID", &id).with("AWS_SECRET_ACCESS_KEY", &secret), actions(&policy))
}

/// The actions of the calls since the last time.
fn called(proxy: &Proxy) -> BTreeSet<String> {
    let calls = proxy.calls().iter().filter_map(|call| action(call)).collect();
    proxy.forget_calls();
    calls
}

/// Plans and deploys one configuration after the other with nothing but what their policies allow, and shows that none of
/// it is too much.
fn suffices(name: &str, lives: &[&str]) {
    let emulator = emulator(Kind::MinistackWithIam);
    let aws = Aws::of(&emulator.endpoint);
    let proxy = Proxy::before(&emulator.endpoint);
    aws.make_role(name);
    let mut unused = [BTreeSet::new(), BTreeSet::new()];
    let mut used = [BTreeSet::new(), BTreeSet::new()];
    for (number, more) in lives.iter().enumerate() {
        for (at, verb) in ["plan", "deploy"].into_iter().enumerate() {
            let universe = Universe::at(&proxy.endpoint)
                .file("dist/index.py", format!("def handler(e, c): return {number}\n"))
                .file("dpl.yml", block(name, more));
            let (universe, may) = allowed(universe, &aws, &format!("{name}-{number}"), verb);
            universe.run(verb).code(0);
            let calls = called(&proxy);
            let missing: Vec<_> = calls.difference(&may).collect();
            assert!(missing.is_empty(), "{verb} {more}: called without being allowed: {missing:?}");
            unused[at].extend(may);
            used[at].extend(calls);
        }
    }
    for (verb, (may, used)) in ["plan", "deploy"].into_iter().zip(unused.iter().zip(&used)) {
        let unused: Vec<_> = may.difference(used).filter(|action| !BESIDE.contains(&action.as_str())).collect();
        assert!(unused.is_empty(), "{verb}: allowed and never called: {unused:?}");
    }
    let writes = ["Create", "Update", "Put", "Delete", "Add", "Remove", "Publish", "Tag", "Untag", "Pass", "Set"];
    let writes = |action: &&String| writes.iter().any(|verb| action.split(':').nth(1).unwrap().starts_with(verb));
    assert_eq!(unused[0].iter().find(writes), None, "a plan needs no right to write");
}

#[test]
fn the_policy_of_each_verb_about_a_live_function_is_what_it_calls() {
    let emulator = emulator(Kind::MinistackWithIam);
    let aws = Aws::of(&emulator.endpoint);
    let proxy = Proxy::before(&emulator.endpoint);
    aws.make_role("policy-verbs");
    let universe = || {
        Universe::at(&proxy.endpoint)
            .file("dist/index.py", "def handler(e, c): return 1\n")
            .file("dpl.yml", block("policy-verbs", "alias: live\n"))
    };
    let (deploys, _) = allowed(universe(), &aws, "policy-verbs", "deploy");
    deploys.run("").code(0);
    deploys.run("--timeout 9").code(0);
    proxy.forget_calls();
    for (verb, lines) in [
        ("status", &[("", 0)][..]),
        ("list", &[("", 0)]),
        ("doctor", &[("", 4)]),
        ("logs", &[("--qualifier live", 0)]),
        ("init", &[("", 0)]),
        ("invoke", &[("", 0)]),
        ("rollback", &[("", 0), ("--alias none", 3), ("--to 99", 3)]),
        ("delete", &[("--yes --qualifier 2", 0), ("--yes", 0)]),
    ] {
        let (universe, may) = allowed(universe(), &aws, "policy-verbs", verb);
        // The emulator does not know the right to call an alias.
        proxy.on("Invoke", 0, Fault::Instead(200, "1".to_owned()));
        for (line, code) in lines {
            let outcome = universe.run(&format!("{verb} {line}"));
            assert!(!outcome.all().contains("denied"), "{verb} {line}: {}", outcome.all());
            assert_eq!(outcome.code, *code, "{verb} {line}: {}", outcome.all());
        }
        let calls = called(&proxy);
        let missing: Vec<_> = calls.difference(&may).collect();
        assert!(missing.is_empty(), "{verb}: called without being allowed: {missing:?}");
        let unused: Vec<_> = may.difference(&calls).filter(|action| !BESIDE.contains(&action.as_str())).collect();
        assert!(unused.is_empty(), "{verb}: allowed and never called: {unused:?}");
    }
}

#[test]
fn a_policy_for_several_verbs_has_the_rights_of_each_and_a_verb_without_calls_is_an_error() {
    let universe = Universe::empty().file("dpl.yml", "function_name: f\nzip: dist\nalias: live\n");
    let of = |verbs: &str| {
        let outcome = universe.run(&format!("policy --for {verbs}")).code(0);
        actions(&serde_json::from_str(&outcome.stdout).unwrap())
    };
    let union: BTreeSet<_> = of("plan").union(&of("rollback")).cloned().collect();
    assert_eq!(of("rollback,plan"), union);
    assert_eq!(of("deploy"), actions(&serde_json::from_str(&universe.run("policy").code(0).stdout).unwrap()));
    for (verbs, said) in [
        ("check", "`check` needs no rights"),
        ("plan,render", "`render` needs no rights"),
        ("ploy", "`ploy` is not a verb"),
        ("''", "is not a verb"),
        ("plan,", "is not a verb"),
    ] {
        let outcome = universe.run(&format!("policy --for {verbs}")).code(3);
        assert_eq!(outcome.stdout, "", "{verbs}");
        outcome.says(said).says("--for");
    }
    // As the verbs themselves, these need no package, and `list` no function.
    universe.write("dpl.yml", "function_name: f\nruntime: [wrong]\n");
    universe.run("policy --for status").code(0).says("lambda:ListAliases");
    Universe::empty().run("policy --for list").code(0).says("lambda:ListFunctions");
    universe.write("dpl.yml", "layer: {name: l, zip: dist}\n");
    universe.run("policy --for status").code(3).says("no block is for a function");
}

#[test]
fn the_policy_of_a_plain_function_is_what_its_deployments_need() {
    suffices("policy-plain", &["", "timeout: 9\n"]);
}

#[test]
fn the_policy_of_a_release_is_what_its_deployments_need() {
    let release = "alias: live\nkeep_versions: 1\nsmoke_test: {}\n";
    suffices("policy-release", &[release, release, &format!("{release}timeout: 9\n"), release]);
}

#[test]
fn the_policy_of_one_half_is_what_its_deployments_need() {
    suffices(
        "policy-halves",
        &["", "only: code\n", "only: code\npublish: always\n", "only: settings\ntimeout: 9\npublish: always\n"],
    );
}

#[test]
fn the_policy_of_tags_is_what_their_changes_need() {
    suffices(
        "policy-tags",
        &[
            "function_tags: {a: b}\n",
            "function_tags: {a: c}\nfunction_tags_mode: replace\ntimeout: 9\n",
            "function_tags: {d: e}\nfunction_tags_mode: replace\n",
        ],
    );
}

#[test]
fn the_policy_of_a_package_in_s3_is_what_sending_it_needs() {
    let aws = Aws::of(&emulator(Kind::MinistackWithIam).endpoint);
    aws.make_bucket("policy-bucket");
    suffices("policy-s3", &["s3_bucket: policy-bucket\ns3_prefix: lambda\n", "s3_bucket: policy-bucket\ntimeout: 9\n"]);
}

#[test]
fn the_policy_of_a_layer_and_its_function_is_what_their_changes_need() {
    let layer = |text: &str| format!("layers: [policy-layer]\nlayer: {{name: policy-layer, zip: dist, {text}}}\n");
    suffices("policy-layers", &[&layer("license_info: MIT"), &layer("license_info: GPL"), "layers: [policy-layer]\n"]);
}

#[test]
fn the_policy_of_what_stands_around_a_function_is_what_it_needs() {
    let all = "alias: live\nreserved_concurrency: 5\nprovisioned_concurrency: 2\nlog_retention_days: 7\nrecursive_loop: Allow\nasync_config: {maximum_retry_attempts: 0}\nfunction_url: NONE\npermissions: {statement_id: s3, principal: s3}\nevent_sources: {event_source_arn: 'arn:aws:sqs:us-east-1:000000000000:policy-around'}\ncode_signing_config_arn: arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0\n";
    let changed = all
        .replace(": NONE", ": {cors: {max_age: 3}}")
        .replace("principal: s3", "principal: sns")
        .replace("policy-around'", "policy-around', batch_size: 3");
    let none = "alias: live\nclear: [reserved_concurrency, provisioned_concurrency, log_retention_days, async_config, code_signing_config_arn]\nfunction_url: false\npermissions: []\npermissions_mode: replace\nevent_sources: []\nevent_sources_mode: replace\n";
    let attached = all.replace("-0123456789abcdef0", "-0123456789abcdef1") + "timeout: 9\n";
    suffices("policy-around", &[all, &changed, &attached, none]);
}

#[test]
fn a_policy_names_what_the_configuration_names_and_stars_for_the_rest() {
    let universe = Universe::empty().file("dpl.yml", "function_name: f\nzip: dist\n");
    let policy: Value = serde_json::from_str(&universe.run("policy").code(0).stdout).unwrap();
    assert_eq!(
        policy,
        json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Action": ["lambda:CreateFunction", "lambda:GetFunction", "lambda:UpdateFunctionCode"],
            "Resource": "arn:aws:lambda:*:*:function:f",
        }] })
    );
    universe.write(
        "dpl.yml",
        "- {function_name: f, region: cn-north-1, role: deploy, zip: dist}\n".replacen("- ", "deploy:\n- ", 1)
            + "- {function_name: 'arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:g', zip: dist}\n",
    );
    let policy = universe.run("policy --format json").code(0).json()["policy"].to_string();
    for part in [
        "arn:aws-cn:lambda:cn-north-1:*:function:f",
        "arn:aws-cn:iam::*:role/deploy",
        "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:g",
    ] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
}

/// What a policy allows: action, resource and condition, each alone.
fn rights(policy: &Value) -> BTreeSet<(String, String, String)> {
    let texts = |value: &Value| match value {
        Value::Array(items) => items.iter().map(|item| item.as_str().unwrap().to_owned()).collect(),
        other => vec![other.as_str().unwrap().to_owned()],
    };
    let mut rights = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        let conditions: Vec<String> = match &statement["Condition"] {
            Value::Null => vec![String::new()],
            condition => {
                let (operator, test) = condition.as_object().unwrap().iter().next().unwrap();
                let (key, values) = test.as_object().unwrap().iter().next().unwrap();
                texts(values).into_iter().map(|value| format!("{operator} {key} {value}")).collect()
            }
        };
        for action in texts(&statement["Action"]) {
            for resource in texts(&statement["Resource"]) {
                for condition in &conditions {
                    let is_new = rights.insert((action.clone(), resource.clone(), condition.clone()));
                    assert!(is_new, "{action} {resource} {condition} is allowed twice");
                }
            }
        }
    }
    rights
}

/// The characters that IAM counts.
fn size(policy: &Value) -> usize {
    policy.to_string().chars().filter(|c| !c.is_whitespace()).count()
}

/// A file of this many functions in a stage.
fn many(count: usize, more: &str) -> Universe {
    let names: Vec<_> = (0..count).map(|number| format!("shop-{number:03}")).collect();
    let text = format!(
        "deploy:\n  for_each: [{}]\n  function_name: '%{{each}}-prod'\n  region: eu-west-1\n  expect_account: '123456789012'\n  role: arn:aws:iam::123456789012:role/%{{each}}\n  zip: dist\n{more}",
        names.join(", ")
    );
    Universe::empty().file("dist/index.py", "def handler(a, b): pass\n").file("dpl.yml", text)
}

const ALL: &str = "  alias: live\n  log_retention_days: 7\n  function_tags: {a: b}\n  event_sources: {event_source_arn: 'arn:aws:sqs:eu-west-1:123456789012:%{each}'}\n";

#[test]
fn rights_that_are_alike_stand_in_one_statement() {
    let policy = many(5, ALL).run("policy").code(0).json();
    let statements = policy["Statement"].as_array().unwrap();
    let heads: BTreeSet<_> = statements.iter().map(|statement| statement["Action"].to_string()).collect();
    assert_eq!(heads.len(), statements.len(), "{policy:#}");
    assert!(statements.len() <= 6, "{policy:#}");
    for statement in statements {
        for list in [&statement["Action"], &statement["Resource"]] {
            let items: Vec<_> = list.as_array().into_iter().flatten().collect();
            assert!(items.is_sorted_by_key(|item| item.as_str().unwrap()), "{list}");
        }
    }
    // Together they allow what those of single functions allow.
    let mut single = BTreeSet::new();
    for number in 0..5 {
        let one = many(5, ALL).run(&format!("policy --function_name shop-{number:03}-prod")).code(0).json();
        single.extend(rights(&one));
    }
    assert_eq!(rights(&policy), single);
    assert_eq!(many(5, ALL).run("policy").stdout, many(5, ALL).run("policy").stdout);
}

#[test]
fn iam_takes_the_policies_of_two_hundred_functions() {
    let universe = many(200, ALL);
    let outcome = universe.run("policy").code(0).says("6144 characters").says("`--like 'NAME-*'`");
    let policies: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let policies = policies.as_array().unwrap();
    let total: usize = policies.iter().map(|policy| size(&policy["policy"])).sum();
    assert!(policies.len() <= total / 6144 + 2, "{} of {total}", policies.len());
    let mut all = BTreeSet::new();
    for policy in policies {
        assert_eq!(policy["account"], "123456789012");
        let policy = &policy["policy"];
        assert!(size(policy) <= 6144, "{}", size(policy));
        assert_eq!(policy["Version"], "2012-10-17");
        all.extend(rights(policy));
    }
    let of_each = |text: &str| all.iter().filter(|(action, ..)| action == text).count();
    assert_eq!((of_each("lambda:CreateFunction"), of_each("iam:PassRole")), (400, 200));
    assert_eq!((of_each("lambda:CreateEventSourceMapping"), of_each("lambda:ListEventSourceMappings")), (400, 1));
    let document = universe.run("policy --format json").code(0).json();
    assert_eq!(document["policies"].as_array().unwrap().len(), policies.len());
    assert_eq!(document.get("policy"), None);
    // A pattern stands for all names that fit it, and nothing else is wider.
    let short = universe.run("policy --like 'shop-*,*-test'");
    short.code(3).says("`*-test` fits no function").says("--like");
    let plain = many(200, "  alias: live\n");
    let short = plain.run("policy --like 'shop-*-prod'").code(0).stdout;
    assert!(serde_json::from_str::<Value>(&short).unwrap().is_array(), "the roles alone are too many: {short}");
    let short = many(20, ALL).run("policy --like shop-*").code(0).json();
    assert!(size(&short) < 3000, "{short:#}");
    let functions = |policy: &Value| -> BTreeSet<String> {
        rights(policy).into_iter().map(|(_, resource, _)| resource).filter(|arn| arn.contains(":lambda:")).collect()
    };
    assert_eq!(functions(&short), BTreeSet::from(["arn:aws:lambda:eu-west-1:123456789012:function:shop-*".to_owned()]));
    for wrong in ["''", "a,,b", "'shop:*'", "'[a]'"] {
        universe.run(&format!("policy --like {wrong}")).code(3).says("--like");
    }
}

#[test]
fn each_account_has_a_policy_of_its_own() {
    let text = "deploy:
- {function_name: f, region: eu-west-1, expect_account: '111111111111', zip: dist}
- {function_name: g, region: [eu-west-1, us-east-1], role_to_assume: 'arn:aws:iam::222222222222:role/ci', zip: dist}
- {function_name: 'arn:aws:lambda:eu-west-1:111111111111:function:h', zip: dist}
- {function_name: i, region: eu-west-1, zip: dist}
";
    let universe = Universe::empty().file("dist/index.py", "").file("dpl.yml", text);
    let outcome = universe.run("policy --for plan,list").code(0).says("each of 3 accounts");
    let policies: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let names = |account: Value| -> BTreeSet<String> {
        let policy = policies.as_array().unwrap().iter().find(|policy| policy["account"] == account).unwrap();
        rights(&policy["policy"]).into_iter().map(|(_, resource, _)| resource.replace("arn:aws:lambda:", "")).collect()
    };
    let expected = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        names(json!("111111111111")),
        expected(&["*", "eu-west-1:111111111111:function:f", "eu-west-1:111111111111:function:h"])
    );
    assert_eq!(
        names(json!("222222222222")),
        expected(&["*", "eu-west-1:222222222222:function:g", "us-east-1:222222222222:function:g"])
    );
    assert_eq!(names(Value::Null), expected(&["*", "eu-west-1:*:function:i"]));
    // With one known account, the rest can be in it.
    let one = universe.run("policy --function_name [fi]").code(0).json();
    assert_eq!(one["Statement"].as_array().unwrap().len(), 1, "{one:#}");
}

#[test]
fn a_policy_is_of_the_partition_of_its_region() {
    for (region, partition) in [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
    ] {
        let text = format!(
            "deploy:\n- {{function_name: f, region: {region}, create_role: true, layers: deps, s3_bucket: packages, zip: dist}}\n- {{function_name: g, region: {region}, role: deploy, image_uri: '123456789012.dkr.ecr.{region}.example.com/api:v3'}}\n- {{layer: {{name: deps, zip: deps}}, region: {region}}}\n"
        );
        let policy = Universe::empty().file("dpl.yml", text).run("policy").code(0).stdout;
        let arns: Vec<_> = policy.split('"').filter(|text| text.starts_with("arn:")).collect();
        assert!(arns.len() >= 10, "{policy}");
        for arn in arns {
            assert!(arn.starts_with(&format!("arn:{partition}:")), "{region}: {arn}");
        }
    }
    // Where the function is, is not known; where its image is, is.
    let image = "function_name: g\nimage_uri: 123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/api:v3\n";
    let policy = Universe::empty().file("dpl.yml", image).run("policy").code(0).stdout;
    assert!(policy.contains("arn:aws-cn:ecr:cn-north-1:123456789012:repository/api"), "{policy}");
}

#[test]
fn a_policy_lets_nobody_give_a_role_other_rights_nor_touch_mappings_of_others() {
    let block = "function_name: f\nregion: eu-west-1\nexpect_account: '123456789012'\nzip: dist\ncreate_role: true\nevent_sources: {event_source_arn: 'arn:aws:sqs:eu-west-1:123456789012:jobs'}\n";
    let universe = Universe::empty().file("dpl.yml", block);
    let policy: Value = serde_json::from_str(&universe.run("policy").code(0).stdout).unwrap();
    let condition = |action: &str| {
        let has = |statement: &&Value| statement["Action"].as_array().unwrap().contains(&json!(action));
        policy["Statement"].as_array().unwrap().iter().find(has).unwrap()["Condition"].clone()
    };
    let aws = "arn:aws:iam::aws:policy/service-role/AWSLambda";
    assert_eq!(
        condition("iam:AttachRolePolicy"),
        json!({ "ArnEquals": { "iam:PolicyARN": [format!("{aws}BasicExecutionRole"), format!("{aws}SQSQueueExecutionRole")] } })
    );
    assert_eq!(
        condition("lambda:CreateEventSourceMapping"),
        json!({ "ArnLike": { "lambda:FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:f" } })
    );
    assert_eq!(condition("lambda:ListEventSourceMappings"), Value::Null, "it cannot be confined");
}

#[test]
fn a_rendered_configuration_names_the_source_of_each_value_and_no_secret() {
    let universe = Universe::empty()
        .with("AWS_ACCESS_KEY_ID", "AKIDVERYSECRET")
        .with("AWS_SECRET_ACCESS_KEY", "s3cret-key")
        .with("DPL_LAMBDA_TIMEOUT", "9")
        .with("LAMBDA_MEMORY_SIZE", "256")
        .with("TRAVIS", "true")
        .with("TRAVIS_BUILD_NUMBER", "42")
        .with("CI_TOKEN", "s3cret-token")
        .file(
            "dpl.yml",
            "deploy:\n  provider: lambda\n  function_name: f\n  description: Build %{build_number}\n  memory_size: 512\n  environment:\n    STAGE: s3cret-stage\n    TOKEN: {from_env: CI_TOKEN}\n  layers: []\n  logging_config: {log_format: JSON}\n  on: {branch: never}\n",
        );
    let rendered = universe.run("render --region eu-west-1").code(0);
    let rendered = rendered.never_says("s3cret").never_says("AKID");
    for (option, source) in [
        ("access_key_id: (hidden)", "AWS_ACCESS_KEY_ID"),
        ("region: eu-west-1", "--region"),
        ("timeout: 9", "DPL_LAMBDA_TIMEOUT"),
        ("memory_size: 512", "dpl.yml:5:16"),
        ("description: Build 42", "dpl.yml:4:16"),
        ("  STAGE: (hidden)", "dpl.yml:7:12"),
        ("    from_env: CI_TOKEN", "dpl.yml:8:23"),
        ("layers: []", "dpl.yml:9:11"),
        ("  log_format: JSON", "dpl.yml:10:32"),
    ] {
        let line = rendered.stdout.lines().find(|line| line.starts_with(option));
        let line = line.unwrap_or_else(|| panic!("{option} is not in\n{}", rendered.stdout));
        assert!(line.ends_with(&format!("# {source}")), "{line}");
    }
    let json = universe.run("render --format json").code(0).never_says("s3cret").json();
    assert_eq!(json["configuration"][0]["timeout"], json!({ "value": "9", "source": "DPL_LAMBDA_TIMEOUT" }));
}

#[test]
fn what_is_rendered_reads_as_the_same_configuration() {
    let odd = "'yes'";
    let block = format!(
        "function_name: f\nzip: {odd}\ndescription: 'a: b # c'\nfunction_tags: {{'1': '007', on: 'x '}}\nversion_description: \"two\\nlines\"\nexclude: ['*.py', '- x', '#y']\n"
    );
    let universe = Universe::empty().file("dpl.yml", block);
    let first = universe.run("render --format json").code(0).json()["configuration"].clone();
    let rendered = universe.run("render").code(0).stdout;
    universe.write("dpl.yml", &rendered);
    let second = universe.run("render --format json").code(0).json()["configuration"].clone();
    let values = |configuration: &Value| {
        let options = configuration[0].as_object().unwrap();
        options.iter().map(|(name, option)| (name.clone(), option["value"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(values(&first), values(&second), "{rendered}");
}

#[test]
fn mistakes_are_told_instead_of_shown() {
    let universe = Universe::empty().file("dpl.yml", "function_name: f\ntimeout: never\n");
    for verb in ["render", "policy"] {
        let outcome = universe.run(verb).code(3).says("timeout: must be a whole number");
        assert_eq!(outcome.stdout, "", "{verb}");
    }
}
