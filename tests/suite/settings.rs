//! Every setting of a function through its life: written, found unchanged, changed, left alone, emptied; and what AWS
//! would refuse, before it is asked.
//!
//! ministack keeps all of them. moto changes only VPC, environment, layers and the plain values; of the others it is
//! looked at what is sent.

use serde_json::{Value, json};

use crate::harness::{Aws, Kind, Proxy, Universe, boto, emulator, on_both};

const EFS: &str = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0";
const OTHER_EFS: &str = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef1";
const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:failed";
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:failed";
const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000001";
const OTHER_KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000002";
const PROVIDER: &str = "arn:aws:lambda:us-east-1:123456789012:capacity-provider:large";
const VPC: &str = "subnet_ids: [subnet-1, subnet-2]\nsecurity_group_ids: sg-1\n";

struct Function {
    kind: Kind,
    name: &'static str,
    universe: Universe,
    proxy: Proxy,
}

impl Function {
    fn new(kind: Kind, name: &'static str) -> Self {
        let proxy = Proxy::before(&emulator(kind).endpoint);
        let universe = Universe::at(&proxy.endpoint).file("dist/index.py", "def handler(e, c): return 'one'\n");
        Self { kind, name, universe, proxy }
    }

    /// The block says this of the function.
    fn say(&self, more: &str) {
        let (name, account) = (self.name, self.kind.account());
        let block = format!(
            "function_name: {name}\nrole: arn:aws:iam::{account}:role/deployed\nruntime: python3.13\nhandler: index.handler\nzip: dist\n{more}"
        );
        self.universe.write("dpl.yml", block);
    }

    #[track_caller]
    fn deploy(&self, more: &str) {
        self.say(more);
        self.proxy.forget_calls();
        self.universe.run("").code(0).never_says("does not show");
        self.universe.run("").code(0).says("is unchanged");
    }

    /// What another client reads at a place of the function.
    fn at(&self, pointer: &str) -> Value {
        let endpoint = &emulator(self.kind).endpoint;
        let live = boto(endpoint, "lambda", "get_function", &json!({ "FunctionName": self.name }));
        live.pointer(pointer).cloned().unwrap_or_default()
    }
}

/// A setting through its life on ministack: two values, and emptied by `clear`; what each is there at the end.
#[track_caller]
fn lives(name: &'static str, pointer: &str, values: [(&str, Value); 2], emptied: Option<(&str, Value)>) {
    let function = Function::new(Kind::Ministack, name);
    let [(first, there), (second, then)] = values;
    function.deploy(first);
    assert_eq!(function.at(pointer), there, "{name}: written");
    function.deploy(second);
    assert_eq!(function.proxy.writes(), ["UpdateFunctionConfiguration"], "{name}: only what differs");
    assert_eq!(function.at(pointer), then, "{name}: changed");
    function.say("");
    function.universe.run("").code(0).says("is unchanged");
    function.universe.run("--timeout 9").code(0).says("timeout");
    assert_eq!(function.at(pointer), then, "{name}: left alone");
    if let Some((clear, nothing)) = emptied {
        function.deploy(clear);
        assert_eq!(function.at(pointer), nothing, "{name}: emptied");
    }
}

#[test]
fn a_dead_letter_queue() {
    lives(
        "life-dead-letter",
        "/Configuration/DeadLetterConfig/TargetArn",
        [
            (&format!("dead_letter_arn: {QUEUE}\n"), json!(QUEUE)),
            (&format!("dead_letter_arn: {TOPIC}\n"), json!(TOPIC)),
        ],
        Some(("clear: dead_letter_arn\n", json!(""))),
    );
}

#[test]
fn a_key_for_the_environment() {
    lives(
        "life-kms",
        "/Configuration/KMSKeyArn",
        [(&format!("kms_key_arn: {KEY}\n"), json!(KEY)), (&format!("kms_key_arn: {OTHER_KEY}\n"), json!(OTHER_KEY))],
        Some(("clear: kms_key_arn\n", json!(""))),
    );
}

#[test]
fn tracing() {
    lives(
        "life-tracing",
        "/Configuration/TracingConfig/Mode",
        [("tracing_mode: Active\n", json!("Active")), ("tracing_mode: PassThrough\n", json!("PassThrough"))],
        None,
    );
}

#[test]
fn ephemeral_storage() {
    lives(
        "life-storage",
        "/Configuration/EphemeralStorage/Size",
        [("ephemeral_storage: 1024\n", json!(1024)), ("ephemeral_storage: 2048\n", json!(2048))],
        None,
    );
}

#[test]
fn file_systems() {
    let mount = |arn: &str| format!("{VPC}file_system_configs: {{arn: '{arn}', local_mount_path: /mnt/data}}\n");
    let there = |arn: &str| json!([{ "Arn": arn, "LocalMountPath": "/mnt/data" }]);
    lives(
        "life-efs",
        "/Configuration/FileSystemConfigs",
        [(&mount(EFS), there(EFS)), (&mount(OTHER_EFS), there(OTHER_EFS))],
        Some(("clear: file_system_configs\n", json!([]))),
    );
}

#[test]
fn snap_start() {
    lives(
        "life-snap-start",
        "/Configuration/SnapStart/ApplyOn",
        [("snap_start: PublishedVersions\n", json!("PublishedVersions")), ("snap_start: None\n", json!("None"))],
        None,
    );
    let function = Function::new(Kind::Ministack, "life-snap-start");
    function.say("snap_start: PublishedVersions\n");
    function.universe.run("plan").code(0).says("snap_start: has no effect here").says("`publish`");
    function.say("snap_start: PublishedVersions\npublish: true\n");
    function.universe.run("").code(0).never_says("has no effect").says("version 1");
}

#[test]
fn durable_executions_are_enabled_only_at_creation() {
    lives(
        "life-durable",
        "/Configuration/DurableConfig",
        [
            (
                "durable_config: {execution_timeout: 3600, retention_period_in_days: 7}\n",
                json!({ "ExecutionTimeout": 3600, "RetentionPeriodInDays": 7 }),
            ),
            // What is not named stays, and is sent with what is.
            (
                "durable_config: {execution_timeout: 60}\n",
                json!({ "ExecutionTimeout": 60, "RetentionPeriodInDays": 7 }),
            ),
        ],
        None,
    );
    let plain = Function::new(Kind::Ministack, "life-not-durable");
    plain.deploy("");
    plain.say("durable_config: {execution_timeout: 60}\n");
    let told = plain.universe.run("").code(3);
    told.says(
        "durable_config: must be set when the function is created, and this function exists without it (dpl.yml:6:17)",
    );
}

#[test]
fn tenants_are_isolated_only_at_creation() {
    let function = Function::new(Kind::Ministack, "life-tenants");
    function.deploy("tenancy_config: PER_TENANT\n");
    assert_eq!(function.at("/Configuration/TenancyConfig/TenantIsolationMode"), "PER_TENANT");
    function.say("tenancy_config: PER_TENANT\nfunction_url: true\n");
    function.universe.run("").code(3).says("isolated tenants and function URL cannot be used together");
    let plain = Function::new(Kind::Ministack, "life-no-tenants");
    plain.deploy("");
    plain.say("tenancy_config: PER_TENANT\n");
    plain.universe.run("").code(3).says("tenancy_config: cannot change after creation, and the function has none");
}

#[test]
fn logging_goes_to_json_and_back() {
    let function = Function::new(Kind::Ministack, "life-logging");
    let logging = || function.at("/Configuration/LoggingConfig");
    function.deploy("logging_config: {log_format: JSON, application_log_level: WARN, log_group: /team/media}\n");
    let there = json!({ "LogFormat": "JSON", "ApplicationLogLevel": "WARN", "LogGroup": "/team/media" });
    assert_eq!(logging(), there);

    // A member that is not named stays, and AWS gets all of them: it takes the structure as a whole.
    function.deploy("logging_config: {system_log_level: DEBUG}\n");
    let sent = &function.proxy.bodies("UpdateFunctionConfiguration")[0]["LoggingConfig"];
    assert_eq!(sent["ApplicationLogLevel"], "WARN");
    assert_eq!(logging()["SystemLogLevel"], "DEBUG");
    assert_eq!(logging()["LogGroup"], "/team/media");

    // Levels are of JSON: with them AWS would refuse the way back.
    function.deploy("logging_config: {log_format: Text}\n");
    assert_eq!(logging(), json!({ "LogFormat": "Text", "LogGroup": "/team/media" }));
    function.say("logging_config: {system_log_level: DEBUG}\n");
    function.universe.run("").code(3).says("logging_config: log levels need the log format JSON");
}

#[test]
fn a_vpc_is_entered_changed_left_alone_and_left() {
    on_both(|kind| {
        let function = Function::new(kind, "life-vpc");
        let vpc = |member: &str| {
            let mut ids = function.at(&format!("/Configuration/VpcConfig/{member}"));
            ids.as_array_mut().unwrap_or(&mut Vec::new()).sort_by_key(Value::to_string);
            ids
        };
        function.deploy("");
        function.deploy(VPC);
        assert_eq!((vpc("SubnetIds"), vpc("SecurityGroupIds")), (json!(["subnet-1", "subnet-2"]), json!(["sg-1"])));
        // The same in the API's shape.
        function.say("vpc_config: {subnet_ids: [subnet-2, subnet-1], security_group_ids: [sg-1]}\n");
        function.universe.run("").code(0).says("is unchanged");
        function.deploy("security_group_ids: [sg-2, sg-3]\n");
        assert_eq!(
            (vpc("SubnetIds"), vpc("SecurityGroupIds")),
            (json!(["subnet-1", "subnet-2"]), json!(["sg-2", "sg-3"]))
        );
        function.deploy(&format!("{VPC}ipv6_allowed_for_dual_stack: true\n"));
        assert_eq!(function.at("/Configuration/VpcConfig/Ipv6AllowedForDualStack"), true);
        function.say("");
        function.universe.run("--memory_size 256").code(0).never_says("subnet");
        assert_eq!(vpc("SecurityGroupIds"), json!(["sg-1"]));

        function.say("clear: [subnet_ids, security_group_ids]\n");
        function.universe.run("plan").code(0).says("ipv6_allowed_for_dual_stack  true → false");
        function.deploy("clear: [subnet_ids, security_group_ids]\n");
        let sent = &function.proxy.bodies("UpdateFunctionConfiguration")[0]["VpcConfig"];
        let nothing = json!({ "SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": false });
        assert_eq!(sent, &nothing, "AWS lets nobody out who keeps IPv6");
        assert_eq!((vpc("SubnetIds"), vpc("SecurityGroupIds")), (json!([]), json!([])));
    });
}

#[test]
fn architecture_and_key_belong_to_the_code() {
    let function = Function::new(Kind::Ministack, "life-code");
    function.deploy(&format!("architecture: arm64\nsource_kms_key_arn: {KEY}\n"));
    assert_eq!(function.at("/Configuration/Architectures"), json!(["arm64"]));
    assert_eq!(function.at("/Code/SourceKMSKeyArn"), KEY);
    function.deploy(&format!("architecture: x86_64\nsource_kms_key_arn: {OTHER_KEY}\n"));
    assert_eq!(function.proxy.writes(), ["UpdateFunctionCode"]);
    assert_eq!(function.at("/Configuration/Architectures"), json!(["x86_64"]));
    assert_eq!(function.at("/Code/SourceKMSKeyArn"), OTHER_KEY);
    // What is not named is sent as it is: AWS would take its default.
    function.universe.write("dist/index.py", "def handler(e, c): return 'two'\n");
    function.deploy("");
    let sent = &function.proxy.bodies("UpdateFunctionCode")[0];
    assert_eq!((&sent["Architectures"], &sent["SourceKMSKeyArn"]), (&json!(["x86_64"]), &json!(OTHER_KEY)));
    assert_eq!(function.at("/Code/SourceKMSKeyArn"), OTHER_KEY);
}

/// moto takes these and shows nothing of them, so it is looked at what AWS would get; and that it is told when AWS does
/// not
/// show what was sent.
#[test]
fn settings_that_an_emulator_does_not_return_are_sent() {
    let function = Function::new(Kind::Moto, "life-on-moto");
    function.deploy("");
    let queue = QUEUE.replace("000000000000", "123456789012");
    for (option, written, member, sent) in [
        ("dead_letter_arn", queue.clone(), "DeadLetterConfig", json!({ "TargetArn": queue })),
        ("kms_key_arn", KEY.to_owned(), "KMSKeyArn", json!(KEY)),
        ("tracing_mode", "Active".to_owned(), "TracingConfig", json!({ "Mode": "Active" })),
        ("ephemeral_storage", "1024".to_owned(), "EphemeralStorage", json!({ "Size": 1024 })),
        ("snap_start", "PublishedVersions".to_owned(), "SnapStart", json!({ "ApplyOn": "PublishedVersions" })),
        (
            "capacity_provider_config",
            format!("{{lambda_managed_instances_capacity_provider_config: {PROVIDER}}}\nmemory_size: 20_480"),
            "CapacityProviderConfig",
            json!({ "LambdaManagedInstancesCapacityProviderConfig": { "CapacityProviderArn": PROVIDER } }),
        ),
        (
            "logging_config",
            "{log_format: JSON, system_log_level: WARN}".to_owned(),
            "LoggingConfig",
            json!({ "LogFormat": "JSON", "SystemLogLevel": "WARN", "LogGroup": "/aws/lambda/life-on-moto" }),
        ),
    ] {
        function.say(&format!("{option}: {written}\n"));
        function.proxy.forget_calls();
        function.universe.run("").code(0).says(&format!("does not show the new {option}"));
        let body = function.proxy.bodies("UpdateFunctionConfiguration").remove(0);
        assert_eq!(body[member], sent, "{option}");
        let members: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        let only = [member, "MemorySize", "RevisionId"];
        assert!(members.iter().all(|member| only.contains(&member.as_str())), "{members:?}");
    }
}

#[test]
fn overrides_of_an_image_are_emptied() {
    let kind = Kind::Ministack;
    let endpoint = &emulator(kind).endpoint;
    let digest = format!("sha256:{}", "0a".repeat(32));
    let block = format!(
        "function_name: life-image\nrole: arn:aws:iam::000000000000:role/deployed\nimage_uri: 000000000000.dkr.ecr.us-east-1.amazonaws.com/life@{digest}\n"
    );
    let config = "image_config: {entry_point: [/bin/a], command: [app.handler], working_directory: /srv}\n";
    let universe = Universe::at(endpoint).file("dpl.yml", format!("{block}{config}"));
    universe.run("").code(0);
    let live = || Aws::of(endpoint).get("life-image")["Configuration"]["ImageConfigResponse"]["ImageConfig"].clone();
    assert_eq!(live(), json!({ "EntryPoint": ["/bin/a"], "Command": ["app.handler"], "WorkingDirectory": "/srv" }));
    universe.write("dpl.yml", format!("{block}clear: image_config\n"));
    universe.run("").code(0).never_says("does not show");
    assert_eq!(live(), json!({}));
    universe.run("").code(0).says("is unchanged");
}

#[test]
fn all_broken_rules_are_reported_together_with_their_lines() {
    let function = Function::new(Kind::Ministack, "life-rules");
    function.say(&format!(
        "snap_start: PublishedVersions\nephemeral_storage: 1024\nsubnet_ids: subnet-1\ndead_letter_arn: {KEY}\nprovisioned_concurrency: 2\n"
    ));
    let told = function.universe.run("").code(3);
    let told = told.says("snap_start: SnapStart and provisioned concurrency cannot be used together (dpl.yml:6:13)");
    let told =
        told.says("snap_start: SnapStart supports at most 512 MB").says("subnet_ids: subnets need security groups");
    let told = told.says("is neither a queue of SQS nor a topic of SNS (dpl.yml:9:18)");
    told.says("provisioned_concurrency: needs an alias");
    assert_eq!(function.proxy.writes(), [""; 0]);
    function.universe.run("check").code(3).says("dead_letter_arn").never_says("subnets need");
}
