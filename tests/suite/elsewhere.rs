//! Values that the configuration keeps elsewhere: parameters, secrets, outputs of stacks and of Terraform.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use std::time::{Duration, Instant};

use crate::harness::{Aws, Fault, Kind, Outcome, Proxy, Universe, boto, emulator, on_both};

/// What is elsewhere: no report may have a text with this in it.
const MARK: &str = "v4lue-from-elsewhere";

/// The value of this name.
fn value(name: &str) -> String {
    format!("{name}-{MARK}")
}

/// An account with values, before a proxy. All names begin with `name`.
struct World {
    proxy: Proxy,
    role: String,
}

impl World {
    fn of(kind: Kind, name: &str) -> Self {
        let endpoint = &emulator(kind).endpoint;
        let role = format!("arn:aws:iam::{}:role/deployed", kind.account());
        let parameter = |path: &str, kind: &str, value: &str| {
            let asked = json!({ "Name": format!("/{name}/{path}"), "Type": kind, "Value": value, "Overwrite": true });
            boto(endpoint, "ssm", "put_parameter", &asked);
        };
        for (path, kind, text) in [
            ("text", "String", value("text")),
            ("role", "String", role.clone()),
            ("memory", "String", "192".to_owned()),
            ("note", "String", format!("%{{$STAGE}} %{{git_sha}} {}", value("note"))),
            ("queue", "String", format!("arn:aws:sqs:us-east-1:{}:{}", kind.account(), value("queue"))),
            ("secure", "SecureString", value("secure")),
            ("list", "StringList", format!("{},{}", value("one"), value("two"))),
            ("versions", "String", value("old")),
            ("versions", "String", value("new")),
        ] {
            parameter(path, kind, &text);
        }
        let label = json!({ "Name": format!("/{name}/versions"), "ParameterVersion": 1, "Labels": ["first"] });
        boto(endpoint, "ssm", "label_parameter_version", &label);
        let secret = json!({ "password": value("password"), "port": 5432, "inner": { "a": 1 } });
        for (id, text) in [("secret", secret.to_string()), ("whole", value("whole"))] {
            boto(
                endpoint,
                "secretsmanager",
                "create_secret",
                &json!({ "Name": format!("{name}/{id}"), "SecretString": text }),
            );
        }
        boto(endpoint, "sqs", "create_queue", &json!({ "QueueName": value("queue") }));
        let template = json!({
            "Resources": { "Bucket": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": format!("{name}-of-stack") } } },
            "Outputs": { "Topic": { "Value": value("topic<&>") }, "Other": { "Value": "other" } },
        });
        boto(
            endpoint,
            "cloudformation",
            "create_stack",
            &json!({ "StackName": name, "TemplateBody": template.to_string() }),
        );
        boto(endpoint, "s3", "create_bucket", &json!({ "Bucket": format!("{name}-states") }));
        let state = state(&json!({ "table": { "value": value("table") } })).to_string();
        boto(
            endpoint,
            "s3",
            "put_object",
            &json!({ "Bucket": format!("{name}-states"), "Key": "env/prod.tfstate", "Body": state }),
        );
        Self { proxy: Proxy::before(endpoint), role }
    }

    fn universe(&self, block: &str) -> Universe {
        let state = state(&json!({
            "plain": { "value": value("plain") },
            "sensitive": { "value": value("sensitive"), "sensitive": true },
            "subnets": { "value": ["a", "b"] },
            "map": { "value": { "a": "b" } },
        }));
        Universe::at(&self.proxy.endpoint)
            .file("dist/index.py", "import os\ndef handler(event, context): return dict(os.environ)\n")
            .file("infra/terraform.tfstate", state.to_string())
            .file("dpl.yml", block)
    }

    fn block(&self, name: &str, more: &str) -> String {
        format!(
            "function_name: {name}\nrole: {}\nruntime: python3.12\nhandler: index.handler\nzip: dist\n{more}",
            self.role
        )
    }
}

/// A state of Terraform with these outputs.
fn state(outputs: &Value) -> Value {
    json!({ "version": 4, "terraform_version": "1.9.0", "serial": 7, "lineage": "x", "outputs": outputs, "resources": [] })
}

/// Every kind of reference.
fn all(name: &str) -> String {
    format!(
        "memory_size: {{from_ssm: /{name}/memory}}
description: {{from_stack: {name}, output: Topic}}
event_sources:
  - event_source_arn: {{from_ssm: /{name}/queue}}
function_tags:
  table: {{from_terraform: \"s3://{name}-states/env/prod.tfstate\", output: table}}
environment:
  TEXT: {{from_ssm: /{name}/text}}
  SECURE: {{from_ssm: /{name}/secure}}
  LIST: {{From-SSM: /{name}/list}}
  FIRST: {{from_ssm: '/{name}/versions:1'}}
  LABEL: {{from_ssm: '/{name}/versions:first'}}
  NEWEST: {{from_ssm: /{name}/versions}}
  PASSWORD: {{from_secret: {name}/secret, key: password}}
  PORT: {{from_secret: {name}/secret, key: port}}
  WHOLE: {{from_secret: {name}/whole, version_stage: AWSCURRENT}}
  TOPIC: {{from_stack: {name}, output: Topic}}
  PLAIN: {{from_terraform: infra/terraform.tfstate, output: plain}}
  SENSITIVE: {{from_terraform: infra/terraform.tfstate, output: sensitive}}
  SUBNETS: {{from_terraform: infra/terraform.tfstate, output: subnets}}
  DEFAULT: {{from_ssm: /{name}/gone, default: used}}
  NO_KEY: {{from_secret: {name}/secret, key: gone, default: ''}}
  NO_FILE: {{from_terraform: gone.tfstate, output: x, default: x}}
"
    )
}

/// Expects no value in any form.
#[track_caller]
fn hides(outcome: Outcome) -> Outcome {
    for form in
        [MARK.to_owned(), MARK.to_uppercase(), STANDARD.encode(format!("xx{MARK}")).get(4..16).unwrap().to_owned()]
    {
        assert!(!outcome.all().contains(&form), "{form} is shown in\n{}", outcome.all());
    }
    outcome
}

#[test]
fn values_reach_the_function_and_are_shown_nowhere() {
    on_both(|kind| {
        let name = "borrowing";
        let world = World::of(kind, name);
        let role = format!("role: {{from_ssm: /{name}/role}}");
        let block = world.block(name, &all(name)).replace(&format!("role: {}", world.role), &role);
        let universe = world.universe(&block);
        let summary = "deploy --summary_file summary.md --output_file out.json --junit report.xml --verbose";
        let plan = hides(universe.run("plan").code(0));
        assert!(!plan.all().contains(&world.role) && !plan.all().contains("192"), "{}", plan.all());
        let plan = plan.says(&format!("{{from_ssm: /{name}/role}}")).says(&format!("{{from_ssm: /{name}/memory}}"));
        plan.says(&format!("{{from_stack: {name}, output: Topic}}"))
            .says(&format!("{{from_secret: {name}/secret, key: password}}"))
            .says("env/prod.tfstate, output: table}")
            .says(&format!("+ event source    {{from_ssm: /{name}/queue}}"));
        assert!(
            world.proxy.writes().iter().all(|write| ["GetParameters"].contains(&write.as_str())),
            "{:?}",
            world.proxy.writes()
        );
        hides(universe.run(summary).code(0));
        for file in ["summary.md", "out.json", "report.xml"] {
            let text = universe.read(file);
            assert!(!text.contains(MARK) && !text.contains(&world.role), "{file}: {text}");
        }
        let live = Aws::of(&emulator(kind).endpoint).get(name);
        let configuration = &live["Configuration"];
        assert_eq!(configuration["Role"], world.role);
        assert_eq!(configuration["MemorySize"], 192);
        assert_eq!(configuration["Description"], value("topic<&>"));
        assert_eq!(live["Tags"]["table"], value("table"));
        assert_eq!(
            configuration["Environment"]["Variables"],
            json!({
                "TEXT": value("text"), "SECURE": value("secure"), "LIST": format!("{},{}", value("one"), value("two")),
                "FIRST": value("old"), "LABEL": value("old"), "NEWEST": value("new"), "PASSWORD": value("password"),
                "PORT": "5432", "WHOLE": value("whole"), "TOPIC": value("topic<&>"), "PLAIN": value("plain"),
                "SENSITIVE": value("sensitive"), "SUBNETS": "a,b", "DEFAULT": "used", "NO_KEY": "", "NO_FILE": "x",
            })
        );
        world.proxy.forget_calls();
        hides(universe.run("deploy --format json").code(0).says("\"changed\": false"));
        let calls = world.proxy.calls();
        let count = |operation: &str| calls.iter().filter(|call| *call == operation).count();
        assert_eq!((count("GetSecretValue"), count("DescribeStacks"), count("GetObject")), (2, 1, 1), "{calls:?}");
        assert_eq!(count("GetParameters"), 3, "one for each version of a parameter: {calls:?}");
    });
}

#[test]
fn nothing_is_filled_in_in_a_value_from_elsewhere() {
    let name = "as-it-is";
    let world = World::of(Kind::Ministack, name);
    let block = world.block(name, &format!("description: {{from_ssm: '/{name}/%{{$NOTE_NAME}}'}}\n"));
    let universe = world.universe(&block).with("NOTE_NAME", "note").with("STAGE", "blue");
    hides(universe.run("deploy").code(0));
    let live = Aws::of(&emulator(Kind::Ministack).endpoint).get(name);
    assert_eq!(live["Configuration"]["Description"], format!("%{{$STAGE}} %{{git_sha}} {}", value("note")));
}

#[test]
fn all_that_is_missing_is_reported_at_once_on_its_line() {
    on_both(|kind| {
        let name = "lacking";
        let world = World::of(kind, name);
        let block = world.block(
            name,
            &format!(
                "description: {{from_stack: {name}, output: Gone}}
environment:
  AA: {{from_ssm: /{name}/gone}}
  BB: {{from_ssm: '/{name}/versions:9'}}
  CC: {{from_secret: {name}/gone}}
  DD: {{from_secret: {name}/secret, key: gone}}
  EE: {{from_secret: {name}/secret, key: inner}}
  FF: {{from_secret: {name}/whole, key: x}}
  GG: {{from_secret: {name}/whole, version_stage: GONE}}
  HH: {{from_stack: gone-{name}, output: Topic}}
  II: {{from_terraform: gone.tfstate, output: x}}
  JJ: {{from_terraform: infra/terraform.tfstate, output: gone}}
  KK: {{from_terraform: infra/terraform.tfstate, output: map}}
  LL: {{from_terraform: 's3://{name}-states/gone', output: x}}
  MM: {{from_terraform: 's3://gone-{name}/gone', output: x}}
  NN: {{from_terraform: 's3://{name}-states/env/prod.tfstate', output: gone}}
  OO: {{from_ssm: /{name}/text}}
"
            ),
        );
        let outcome = hides(world.universe(&block).run("deploy").code(3));
        for (line, column, told) in [
            (6, 14, "no output `Gone`"),
            (8, 7, "there is no parameter"),
            (9, 7, "there is no parameter"),
            (10, 7, "there is no secret"),
            (11, 7, "no key `gone`"),
            (12, 7, "holds no text"),
            (13, 7, "is no JSON object"),
            (14, 7, "the stage `GONE`"),
            (15, 7, "there is no stack"),
            (16, 7, "`gone.tfstate` does not exist"),
            (17, 7, "no output `gone`"),
            (18, 7, "no text in the output `map`"),
            (19, 7, "does not exist"),
            (20, 7, "there is no bucket"),
            (21, 7, "no output `gone`"),
        ] {
            let place = format!("dpl.yml:{line}:{column}");
            let said = outcome.all();
            let line = said.lines().find(|line| line.contains(&place));
            assert!(line.is_some_and(|line| line.contains(told)), "{place}: {told}\n{said}");
        }
        outcome.never_says("dpl.yml:22:").says("its outputs are");
        assert!(!Aws::of(&emulator(kind).endpoint).exists(name));
    });
}

#[test]
fn a_secret_is_taken_only_where_nobody_sees_it() {
    let name = "exposing";
    let world = World::of(Kind::Ministack, name);
    for (more, place) in [
        (format!("description: {{from_secret: {name}/whole}}\n"), "dpl.yml:6:14"),
        (format!("description: {{from_ssm: /{name}/secure}}\n"), "dpl.yml:6:14"),
        (format!("function_tags:\n  a: {{from_ssm: /{name}/secure}}\n"), "dpl.yml:7:6"),
        (
            "version_description: {from_terraform: infra/terraform.tfstate, output: sensitive}\n".to_owned(),
            "dpl.yml:6:22",
        ),
        (format!("logging_config:\n  log_group: {{from_ssm: /{name}/secure}}\n"), "dpl.yml:7:14"),
        (format!("s3_bucket: {{from_ssm: /{name}/secure}}\n"), "dpl.yml:6:12"),
    ] {
        let outcome = world.universe(&world.block(name, &more)).run("deploy --verbose");
        hides(outcome.code(3)).says(place).says("is a secret, and only `environment` may hold one");
    }
    assert!(!Aws::of(&emulator(Kind::Ministack).endpoint).exists(name));
    // Without a look into AWS where the kind of the reference says it.
    let offline = Universe::empty().file("dist/index.py", "def handler(a, b): pass\n");
    let block = world.block(name, "description: {from_secret: app}\n");
    offline.file("dpl.yml", block).run("check").code(3).says("is a secret");
}

#[test]
fn a_value_of_the_wrong_form_is_refused_without_being_shown() {
    let name = "misshapen";
    let world = World::of(Kind::Ministack, name);
    let endpoint = &emulator(Kind::Ministack).endpoint;
    for (option, found) in [
        ("memory_size", "zq7"),
        ("memory_size", "77"),
        ("timeout", "9zq"),
        ("role", "zq 7"),
        ("kms_key_arn", "zq:7"),
        ("subnet_ids", "subnet-1,zq7"),
        ("layers", "zq/7"),
        ("log_retention_days", "zq7"),
        ("image_uri", "zq7"),
        ("s3_bucket", "z7"),
        ("version_description", &"zq7".repeat(100)),
    ] {
        let asked = json!({ "Name": format!("/{name}/odd"), "Type": "String", "Value": found, "Overwrite": true });
        boto(endpoint, "ssm", "put_parameter", &asked);
        let role = format!("role: {}\n", world.role);
        let block = world.block(name, &format!("{option}: {{from_ssm: /{name}/odd}}\n"));
        let block = if option == "role" { block.replace(&role, "") } else { block };
        let block = if option == "image_uri" { block.replace("zip: dist\n", "") } else { block };
        let outcome = world.universe(&block).run("deploy").code(3);
        let place = format!("(dpl.yml:{}:{})", block.lines().count(), option.len() + 3);
        let outcome = outcome.says(&place).says(option);
        for item in found.split(',').filter(|item| item.contains('q') || item.contains('7')) {
            assert!(!outcome.all().contains(item), "{option} {item}: {}", outcome.all());
        }
    }
}

#[test]
fn verbs_without_aws_show_the_reference() {
    let name = "offline";
    let block = format!(
        "function_name: {name}
region: eu-west-1
role: {{from_ssm: '/{name}/role:3'}}
runtime: python3.12
handler: index.handler
zip: dist
memory_size: {{from_ssm: /{name}/memory}}
layers: [{{from_stack: {name}, output: Layer}}]
subnet_ids: {{from_terraform: 's3://{name}-states/prod', output: subnets}}
security_group_ids: [{{from_terraform: infra/terraform.tfstate, output: group}}]
file_system_configs:
  arn: {{from_stack: {name}, output: Files}}
  local_mount_path: /mnt/data
s3_bucket: {{from_ssm: /{name}/bucket}}
event_sources:
  - event_source_arn: {{from_stack: {name}, output: Queue}}
    batch_size: 5
provisioned_concurrency: {{from_ssm: /{name}/provisioned}}
environment:
  API_TOKEN: {{from_secret: {name}/token, key: token, default: f4llback-of-the-file}}
  PATH_OF: {{from_ssm: /{name}/text, default: ''}}
environment_mode: replace
"
    );
    let universe = Universe::empty().file("dist/index.py", "def handler(a, b): pass\n").file("dpl.yml", &block);
    universe.run("check").code(0).says("is configured correctly");
    let rendered = universe.run("render").code(0).never_says("f4llback");
    let rendered = rendered.says("from_secret: offline/token").says("from_ssm: /offline/memory");
    rendered.says("dpl.yml:8:10").says("from_stack: offline");
    universe.run("render --format json").code(0).never_says("f4llback");
    let policy = universe.run("policy").code(0).json();
    let allows = |action: &str, resource: &str| {
        policy["Statement"].as_array().unwrap().iter().any(|statement| {
            let has = |member: &str, text: &str| match &statement[member] {
                Value::String(one) => one == text,
                many => many.as_array().unwrap().iter().any(|one| one == text),
            };
            has("Action", action) && has("Resource", resource)
        })
    };
    for (action, resource) in [
        ("ssm:GetParameters", "arn:aws:ssm:eu-west-1:*:parameter/offline/role"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:*:secret:offline/token-??????"),
        ("cloudformation:DescribeStacks", "arn:aws:cloudformation:eu-west-1:*:stack/offline/*"),
        ("s3:GetObject", "arn:aws:s3:::offline-states/prod"),
        ("iam:PassRole", "arn:aws:iam::*:role/*"),
        ("lambda:GetLayerVersion", "arn:aws:lambda:eu-west-1:*:layer:*:*"),
        ("ec2:DescribeSubnets", "*"),
        ("lambda:UpdateFunctionConfiguration", "arn:aws:lambda:eu-west-1:*:function:offline"),
        ("lambda:CreateEventSourceMapping", "*"),
        ("s3:PutObject", "arn:aws:s3:::*/*"),
    ] {
        assert!(allows(action, resource), "{action} on {resource}: {policy:#}");
    }
    // What surrounds a value from elsewhere is checked nevertheless.
    let wrong = block.replace("batch_size: 5", "batch_sise: 5").replace("local_mount_path: /mnt/data", "");
    universe.file("dpl.yml", wrong).run("check").code(3).says("dpl.yml:17:5").says("local_mount_path` is missing");
}

#[test]
fn a_mistake_in_a_reference_is_an_error_on_its_line() {
    for (value, wrong, told) in [
        ("{from_ssm: /a, defualt: x}", "defualt", "did you mean `default`"),
        ("{from_ssm: }", "from_ssm", "must be a text"),
        ("{from_ssm: [/a]}", "from_ssm", "must be a text"),
        ("{from_ssm: /a b}", "/a b", "is not the name of a parameter"),
        ("{from_ssm: '/a:'}", "'/a", "is not the name of a parameter"),
        ("{from_ssm: '/a:b:c'}", "'/a", "is not the name of a parameter"),
        ("{from_ssm: 'arn:aws:s3:::bucket'}", "'arn", "is an ARN of s3"),
        ("{from_ssm: /a, from_secret: b}", "from_secret", "comes from two sources"),
        ("{from_secret: a, keys: b}", "keys", "did you mean `key`"),
        ("{from_secret: 'arn:aws:ssm:eu-west-1:123456789012:parameter/a'}", "'arn", "is an ARN of ssm"),
        ("{from_stack: a}", "{", "needs `output`"),
        ("{from_stack: a, ouput: b}", "ouput", "did you mean `output`"),
        ("{from_terraform: a.tfstate}", "{", "needs `output`"),
        ("{from_terraform: 's3://bucket', output: a}", "'s3", "s3://BUCKET/KEY"),
        ("{from_terraform: 'https://host/state', output: a}", "'https", "s3://BUCKET/KEY"),
        ("{from_terraform: ../a.tfstate, output: a}", "../a", "outside of the checkout"),
        ("{from_terraform: /etc/passwd, output: a}", "/etc", "outside of the checkout"),
        ("{from_smm: /a}", "from_smm", "`from_ssm`"),
    ] {
        let block = format!(
            "function_name: f\nregion: eu-west-1\nrole: arn:aws:iam::123456789012:role/r\nzip: dist\nenvironment:\n  AA: {value}\n"
        );
        let universe = Universe::empty().file("dist/index.py", "def handler(a, b): pass\n").file("dpl.yml", block);
        let column = 7 + value.find(wrong).unwrap();
        for verb in ["check", "deploy"] {
            universe.run(verb).code(3).says(&format!("(dpl.yml:6:{column})")).says(told);
        }
    }
}

#[test]
fn options_that_are_needed_before_cannot_be_elsewhere() {
    for option in [
        "region",
        "access_key_id",
        "secret_access_key",
        "profile",
        "role_to_assume",
        "external_id",
        "endpoint_url",
        "expect_account",
        "function_name",
        "alias",
        "layer",
        "zip",
        "include",
        "exclude",
        "run",
        "wait_timeout",
        "ci",
        "format",
        "output_file",
        "dry_run",
        "architecture",
        "publish",
        "create_role",
        "environment_mode",
        "clear",
        "env_file",
    ] {
        let block: String = [("function_name", "f"), ("region", "eu-west-1"), ("zip", "dist")]
            .iter()
            .filter(|(name, _)| *name != option)
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect();
        let line = block.lines().count() + 1;
        let block = format!("{block}{option}: {{from_ssm: /a}}\n");
        let universe = Universe::empty().file("dist/index.py", "def handler(a, b): pass\n").file("dpl.yml", block);
        let outcome = universe.run("check").code(3);
        let said = outcome.all();
        let place = format!("(dpl.yml:{line}:{})", option.len() + 3);
        assert_eq!(said.matches(&place).count(), 1, "{option} {place}: {said}");
        assert!(said.contains(&format!("`DPL_LAMBDA_{}`", option.to_uppercase())), "{said}");
    }
    for option in ["environment", "function_tags"] {
        let block = format!("function_name: f\nregion: eu-west-1\nzip: dist\n{option}: {{from_secret: all}}\n");
        let universe = Universe::empty().file("dist/index.py", "def handler(a, b): pass\n").file("dpl.yml", block);
        universe.run("check").code(3).says("(dpl.yml:4:").says("KEY: {from_secret: …}");
    }
}

#[test]
fn no_value_of_a_file_is_read_in_a_pull_request() {
    let name = "requested";
    let world = World::of(Kind::Ministack, name);
    let role = format!("role: {{from_ssm: /{name}/role}}");
    let block = world.block(name, &all(name)).replace(&format!("role: {}", world.role), &role);
    let in_request = |block: &str| {
        let universe = world.universe(block).with("DRONE", "true").with("DRONE_BUILD_EVENT", "pull_request");
        universe.with("DRONE_PULL_REQUEST", "7").with("DRONE_TARGET_BRANCH", "main").with("DRONE_BRANCH", "main")
    };
    in_request(&block).run("deploy").code(0).says("Skipped");
    let reads = || world.proxy.calls().iter().filter(|call| !call.ends_with("Function")).count();
    let plan = hides(in_request(&block).run("plan").code(0));
    plan.says("not read in the build of a pull request: environment PASSWORD").says("role {from_ssm").says("created");
    in_request(&block).run("deploy --dry_run").code(0);
    assert_eq!(reads(), 0, "{:?}", world.proxy.calls());
    // Of a function that exists, a variable that is not read stays as it is.
    world.universe(&block).run("deploy").code(0);
    world.proxy.forget_calls();
    let replacing = format!("{block}environment_mode: replace\n");
    in_request(&replacing).run("plan").code(0).never_says("removed").never_says("PASSWORD added");
    let deployed = format!("{block}on:\n  pull_request: true\n  all_branches: true\n");
    in_request(&deployed).run("deploy").code(3).says("is not read in the build of a pull request").says("dpl.yml:2:7");
    assert_eq!(reads(), 0, "{:?}", world.proxy.calls());
    let image = format!("function_name: {name}-image\nrole: {}\nimage_uri: {{from_ssm: /{name}/image}}\n", world.role);
    in_request(&image).run("plan").code(0).says("Skipped").says("dpl.yml:3:12");
    assert_eq!(reads(), 0, "{:?}", world.proxy.calls());
    hides(in_request(&block).run("plan --trust_config").code(0)).never_says("not read in the build");
    assert!(reads() > 0);
    // What a variable names is the command of whoever runs the job.
    world.proxy.forget_calls();
    let own = in_request(&world.block(name, "environment_mode: merge\n"));
    let own = own.with("DPL_LAMBDA_ENVIRONMENT", &format!("{{\"TEXT\": {{\"from_ssm\": \"/{name}/text\"}}}}"));
    hides(own.run("plan").code(0));
    assert_eq!(reads(), 1, "{:?}", world.proxy.calls());
}

#[test]
fn many_references_take_few_requests() {
    let name = "many-values";
    let world = World::of(Kind::Ministack, name);
    let mut block = String::from("deploy:\n");
    for function in ["a", "b"] {
        block += &format!(
            "  - function_name: {name}-{function}\n    role: {}\n    runtime: python3.12\n    handler: index.handler\n    zip: dist\n    environment:\n",
            world.role
        );
        for number in 0..23 {
            let asked = json!({ "Name": format!("/{name}/p{number}"), "Type": "String", "Value": value(&number.to_string()), "Overwrite": true });
            if function == "a" {
                boto(&emulator(Kind::Ministack).endpoint, "ssm", "put_parameter", &asked);
            }
            block += &format!(
                "      P{number}: {{from_ssm: /{name}/p{number}}}\n      S{number}: {{from_secret: {name}/secret, key: password}}\n      O{number}: {{from_stack: {name}, output: Topic}}\n"
            );
        }
    }
    hides(world.universe(&block).run("plan").code(0));
    let calls = world.proxy.calls();
    let count = |operation: &str| calls.iter().filter(|call| *call == operation).count();
    assert_eq!((count("GetParameters"), count("GetSecretValue"), count("DescribeStacks")), (3, 1, 1), "{calls:?}");
}

#[test]
fn faults_of_aws_are_waited_out_or_reported() {
    let name = "faulty";
    let world = World::of(Kind::Ministack, name);
    let block = world.block(name, &format!("environment:\n  AA: {{from_ssm: /{name}/text}}\n  BB: {{from_secret: {name}/whole}}\n  CC: {{from_stack: {name}, output: Topic}}\n  DD: {{from_terraform: 's3://{name}-states/env/prod.tfstate', output: table}}\n"));
    let universe = world.universe(&block);
    let operations = ["GetParameters", "GetSecretValue", "DescribeStacks", "GetObject"];
    for operation in operations {
        for fault in [
            Fault::Answer(429, "TooManyRequestsException", "Rate exceeded"),
            Fault::Answer(400, "ThrottlingException", "Rate exceeded"),
            Fault::Answer(503, "ServiceUnavailable", "later"),
            Fault::ResetBefore,
            Fault::ResetAfter,
            Fault::Half,
            Fault::PageAfter,
        ] {
            world.proxy.clear();
            world.proxy.on(operation, 1, fault);
            hides(universe.run("plan").code(0));
        }
        for (fault, code, told) in [
            (
                Fault::Answer(
                    400,
                    "AccessDeniedException",
                    "User: arn:aws:sts::000000000000:assumed-role/ci/s is not authorized to perform: x:Read on resource: arn:x because no identity-based policy allows the x:Read action",
                ),
                4,
                "allow `x:Read` in the policy of the role `ci`",
            ),
            (
                Fault::Answer(400, "ExpiredTokenException", "The security token included in the request is expired"),
                4,
                "the credentials have expired",
            ),
            (Fault::Answer(500, "InternalError", "no"), 1, "AWS failed at"),
        ] {
            world.proxy.clear();
            world.proxy.on(operation, 0, fault);
            let line = 7 + operations.iter().position(|other| *other == operation).unwrap();
            hides(universe.run("deploy").code(code)).says(told).says(&format!("dpl.yml:{line}:7"));
        }
        let begun = Instant::now();
        world.proxy.clear();
        world.proxy.on(operation, 1, Fault::Silent);
        hides(universe.run("plan").code(0));
        assert!(begun.elapsed() < Duration::from_secs(40));
    }
    world.proxy.clear();
    for operation in operations {
        world.proxy.on(operation, 0, Fault::Answer(400, "ExpiredTokenException", "The security token is expired"));
    }
    let said = universe.run("deploy").code(4).all();
    assert_eq!(said.matches("have expired").count(), 1, "{said}");
    assert!(!Aws::of(&emulator(Kind::Ministack).endpoint).exists(name));
}

#[test]
fn a_denied_parameter_is_found_among_others() {
    let name = "denied-one";
    let world = World::of(Kind::Ministack, name);
    let block = world
        .block(name, &format!("environment:\n  AA: {{from_ssm: /{name}/text}}\n  BB: {{from_ssm: /{name}/secure}}\n"));
    let denied = Fault::Answer(
        400,
        "AccessDeniedException",
        "User: arn:aws:iam::000000000000:user/ci is not authorized to perform: ssm:GetParameters on resource: arn:aws:ssm:us-east-1:000000000000:parameter/x because no identity-based policy allows the ssm:GetParameters action",
    );
    world.proxy.on("GetParameters", 1, denied.clone());
    hides(world.universe(&block).run("plan").code(0));
    world.proxy.on("GetParameters", 3, denied);
    world.proxy.forget_calls();
    let said = world.universe(&block).run("plan").code(4).says("ssm:GetParameters").says("the user `ci`").all();
    assert_eq!(said.matches("dpl.yml:").count(), 1, "{said}");
}

#[test]
fn a_policy_allows_all_references() {
    let endpoint = &emulator(Kind::MinistackWithIam).endpoint;
    let name = "allowed-values";
    let world = World::of(Kind::MinistackWithIam, name);
    let block = world.block(name, &all(name)) + "region: us-east-1\nexpect_account: '000000000000'\n";
    let universe = world.universe(&block);
    let mut policy = universe.run("policy").code(0).json();
    // The emulator does not know on which parameters, secrets and stacks these are called.
    let statements = policy["Statement"].as_array_mut().unwrap();
    for statement in statements {
        let actions = statement["Action"].to_string();
        if ["ssm:", "secretsmanager:", "cloudformation:"].iter().any(|service| actions.contains(service)) {
            assert!(statement["Resource"].to_string().contains(name), "{statement}");
            statement["Resource"] = json!("*");
        }
    }
    let (id, secret) = Aws::of(endpoint).user(name, &policy);
    let universe = universe.with("AWS_ACCESS_KEY_ID", &id).with("AWS_SECRET_ACCESS_KEY", &secret);
    hides(universe.run("plan").code(0));
    let only_lambda = json!({ "Effect": "Allow", "Action": "lambda:*", "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [only_lambda] });
    let (id, secret) = Aws::of(endpoint).user("without-values", &policy);
    let universe = universe.with("AWS_ACCESS_KEY_ID", &id).with("AWS_SECRET_ACCESS_KEY", &secret);
    let outcome = hides(universe.run("deploy").code(4)).says("dpl.yml:7:14").says("`dpl-lambda policy` shows all");
    outcome.says("ssm:GetParameters").says("secretsmanager:GetSecretValue").says("cloudformation:DescribeStacks");
}

#[test]
fn a_state_that_cannot_be_taken_is_refused() {
    let world = World::of(Kind::Ministack, "states");
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let padding = "x".repeat(17 << 20);
    for (state, told) in [
        (String::new(), "is not a state of Terraform"),
        (format!("{}{MARK}", "[".repeat(100_000)), "is not a state of Terraform"),
        (json!({ "version": 5, "outputs": { "x": { "value": MARK } } }).to_string(), "update `dpl-lambda`"),
        (json!({ "version": 3, "modules": [] }).to_string(), "only version 4 is known"),
        (json!({ "encrypted_data": MARK, "meta": {} }).to_string(), "is encrypted"),
        (json!({ "version": 4, "padding": padding }).to_string(), "more than 16 MB"),
    ] {
        boto(endpoint, "s3", "put_object", &json!({ "Bucket": "states-states", "Key": "bad", "Body": state }));
        for at in ["infra/bad", "s3://states-states/bad"] {
            let block = world.block("states", &format!("environment:\n  AA: {{from_terraform: '{at}', output: x}}\n"));
            let universe = world.universe(&block).file("infra/bad", &state);
            hides(universe.run("plan").code(3)).says(told).says("dpl.yml:7:7").says(at);
        }
    }
    // A link may not lead out of the checkout, and neither may a pipe hold the run.
    let block = world.block("states", "environment:\n  A: {from_terraform: link, output: x}\n");
    world.universe(&block).link("link", "/etc/hostname").run("plan").code(3).says("outside of the checkout");
}

#[test]
fn results_have_every_block_if_a_value_could_not_be_read() {
    let block = |name: &str| {
        format!(
            "  - {{function_name: {name}, region: eu-west-1, role: arn:aws:iam::123456789012:role/r, zip: dist, description: {{from_terraform: gone.tfstate, output: x}}}}\n"
        )
    };
    let universe = Universe::at("http://127.0.0.1:9")
        .file("dist/index.py", "def handler(a, b): pass\n")
        .file("dpl.yml", format!("deploy:\n{}{}", block("unread-a"), block("unread-b")));
    let document = universe.run("deploy --format json").code(3).json();
    let functions: Vec<_> = document["functions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|function| (function["function_name"].as_str().unwrap(), function["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(functions, [("unread-a", "not_begun"), ("unread-b", "not_begun")]);
    assert_eq!((&document["totals"]["not_begun"], document["functions"][0]["reason"].is_string()), (&2.into(), true));
}
