//! Rules, each with a deployment that breaks it and one that keeps it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::snap_start::may_snap_start;
use super::*;
use crate::deployment::{Publish, Release, Upload, WantedMap};
use crate::plan::code::tests::of_image;
use crate::plan::tests::{ids, live, planned, wanted};
use crate::remote::Remote;
use crate::settings::{
    AliasName, Architecture, ArnOrNone, EphemeralStorage, Handler, LayerRef, Layers, Runtime, Switch,
};

fn attach(deployment: &mut Deployment, attachment: Attachment, document: Value) {
    let entries = BTreeMap::from([(String::new(), Some(Structure(document)))]);
    deployment.attachments.insert(attachment, WantedMap { entries, mode: None });
}

fn publish(deployment: &mut Deployment) {
    let alias = Some(AliasName("live".to_owned()));
    deployment.release = Release { publish: Publish::Version, alias, ..Release::default() };
}

fn snap_start(deployment: &mut Deployment) {
    publish(deployment);
    deployment.settings.snap_start = Some(Structure(json!({ "ApplyOn": "PublishedVersions" })));
    deployment.settings.runtime = Some(Runtime("python3.13".to_owned()));
}

fn file_system(deployment: &mut Deployment, arn: &str) {
    let mounted = json!([{ "Arn": arn, "LocalMountPath": "/mnt/data" }]);
    deployment.settings.file_system_configs = Some(Structure(mounted));
}

/// Versions of layers, by the rest of their ARNs.
fn layers(rests: &[&str]) -> Layers {
    Layers(rests.iter().map(|rest| LayerRef::Version(format!("arn:aws:lambda:{rest}"))).collect())
}

const ACCESS_POINT: &str = "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0123456789abcdef0";

/// The problems of a deployment to the live function of the other tests.
fn problems(change: impl FnOnce(&mut Deployment)) -> Vec<String> {
    problems_of(&wanted(change), &live(|_| ()))
}

fn problems_of(deployment: &Deployment, remote: &Remote) -> Vec<String> {
    let lines = planned(deployment, "old", remote);
    let problems = lines.lines().filter(|line| line.starts_with("Error") || line.starts_with("warning"));
    problems.filter(|line| !line.contains("AWS needs a ")).map(str::to_owned).collect()
}

/// The number of problems that are certain without the live function.
fn certain(change: impl FnOnce(&mut Deployment)) -> usize {
    check_named(&wanted(change)).len()
}

type Change = fn(&mut Deployment);

#[test]
fn combinations_that_aws_refuses_are_errors_of_their_option() {
    let table: &[(&str, Change)] = &[
        ("snap_start: SnapStart and provisioned", |d| {
            snap_start(d);
            attach(d, Attachment::ProvisionedConcurrency, json!(2));
        }),
        ("snap_start: SnapStart and a file system", |d| {
            snap_start(d);
            file_system(d, ACCESS_POINT);
        }),
        ("snap_start: SnapStart supports at most 512 MB", |d| {
            snap_start(d);
            d.settings.ephemeral_storage = Some(EphemeralStorage(1024));
        }),
        ("snap_start: SnapStart does not support nodejs22.x", |d| {
            snap_start(d);
            d.settings.runtime = None;
        }),
        ("file_system_configs: `arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1` is not", |d| {
            file_system(d, "arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1");
        }),
        ("file_system_configs: a file system needs a VPC", |d| {
            file_system(d, ACCESS_POINT);
            (d.settings.subnet_ids, d.settings.security_group_ids) = (Some(ids(&[])), Some(ids(&[])));
        }),
        ("security_group_ids: subnets need", |d| d.settings.security_group_ids = Some(ids(&[]))),
        ("subnet_ids: security groups need", |d| d.settings.subnet_ids = Some(ids(&[]))),
        ("ipv6_allowed_for_dual_stack: needs a VPC", |d| {
            d.settings.ipv6_allowed_for_dual_stack = Some(Switch(true));
            (d.settings.subnet_ids, d.settings.security_group_ids) = (Some(ids(&[])), Some(ids(&[])));
        }),
        ("logging_config: log levels need", |d| {
            d.settings.logging_config = Some(Structure(json!({ "SystemLogLevel": "WARN" })));
        }),
        ("layers: `arn:aws:lambda:eu-west-1:1:layer:deps` stands twice", |d| {
            d.settings.layers = Some(layers(&["eu-west-1:1:layer:deps:1", "eu-west-1:1:layer:deps:2"]));
        }),
        ("layers: `arn:aws:lambda:us-east-1:1:layer:deps:1` is in us-east-1, the function in eu-west-1", |d| {
            d.settings.layers = Some(layers(&["us-east-1:1:layer:deps:1"]));
        }),
        ("provisioned_concurrency: needs an alias", |d| {
            attach(d, Attachment::ProvisionedConcurrency, json!(2));
        }),
        ("provisioned_concurrency: provisioned concurrency is 3", |d| {
            publish(d);
            attach(d, Attachment::ProvisionedConcurrency, json!(3));
            attach(d, Attachment::ReservedConcurrency, json!(2));
        }),
        ("runtime_management: `Manual` needs", |d| {
            attach(d, Attachment::RuntimeManagement, json!({ "UpdateRuntimeOn": "Manual" }));
        }),
        ("runtime_management: a runtime version is for", |d| {
            let version =
                json!({ "UpdateRuntimeOn": "Auto", "RuntimeVersionArn": "arn:aws:lambda:eu-west-1::runtime:1" });
            attach(d, Attachment::RuntimeManagement, version);
        }),
        ("tenancy_config: cannot change after creation, and the function has none", |d| {
            d.settings.tenancy_config = Some(Structure(json!({ "TenantIsolationMode": "PER_TENANT" })));
        }),
        ("durable_config: must be set when the function is created", |d| {
            d.settings.durable_config = Some(Structure(json!({ "ExecutionTimeout": 60 })));
        }),
        ("dead_letter_arn: `arn:aws:lambda:", |d| {
            d.settings.dead_letter_arn = Some(ArnOrNone("arn:aws:lambda:eu-west-1:1:function:f".to_owned()));
        }),
        ("kms_key_arn: `arn:aws:sqs:", |d| {
            d.settings.kms_key_arn = Some(ArnOrNone("arn:aws:sqs:eu-west-1:1:q".to_owned()));
        }),
        ("source_kms_key_arn: `arn:aws:sqs:", |d| {
            d.code.source_kms_key_arn = Some("arn:aws:sqs:eu-west-1:1:q".to_owned());
        }),
        ("s3_kms_key_arn: `arn:aws:sqs:", |d| {
            let key = crate::deployment::ObjectKey::Given("k".to_owned());
            let kms_key_arn = Some("arn:aws:sqs:eu-west-1:1:q".to_owned());
            d.code.upload = Some(Upload { bucket: "b-b".to_owned(), key, expected_owner: None, kms_key_arn });
        }),
        ("image_config: is for an image", |d| {
            d.settings.image_config = Some(Structure(json!({ "Command": ["a"] })));
        }),
    ];
    for (expected, change) in table {
        let found = problems(change);
        assert!(found.len() == 1 && found[0].starts_with(&format!("Error {expected}")), "{expected}: {found:?}");
    }
}

#[test]
fn combinations_that_aws_accepts_are_no_errors() {
    let table: &[Change] = &[
        snap_start,
        |d| file_system(d, ACCESS_POINT),
        |d| file_system(d, "arn:aws:s3files:eu-west-1:1:file-system/fs-1/access-point/fsap-1"),
        |d| d.settings.subnet_ids = Some(ids(&["subnet-9"])),
        |d| d.settings.layers = Some(layers(&["eu-west-1:1:layer:deps:1", "eu-west-1:2:layer:deps:1"])),
        |d| d.settings.layers = Some(layers(&[":awslayer:AmazonLinux1803"])),
        |d| (d.settings.subnet_ids, d.settings.security_group_ids) = (Some(ids(&[])), Some(ids(&[]))),
        |d| d.settings.ipv6_allowed_for_dual_stack = Some(Switch(true)),
        |d| d.settings.logging_config = Some(Structure(json!({ "LogFormat": "JSON", "SystemLogLevel": "WARN" }))),
        |d| d.settings.dead_letter_arn = Some(ArnOrNone(String::new())),
        |d| d.settings.dead_letter_arn = Some(ArnOrNone("arn:aws-cn:sns:cn-north-1:1:t".to_owned())),
        |d| d.settings.kms_key_arn = Some(ArnOrNone("arn:aws:kms:eu-west-1:1:key/k".to_owned())),
        |d| d.settings.snap_start = Some(Structure(json!({ "ApplyOn": "None" }))),
        |d| attach(d, Attachment::FunctionUrl, json!({ "InvokeMode": "RESPONSE_STREAM" })),
        |d| attach(d, Attachment::RuntimeManagement, json!({ "UpdateRuntimeOn": "Auto" })),
        |d| d.settings.image_config = Some(Structure::default()),
    ];
    for change in table {
        assert_eq!(problems(change), [""; 0]);
    }
}

#[test]
fn live_settings_that_are_not_named_are_no_errors() {
    let odd = live(|live| {
        live.settings.snap_start = Some(Structure(json!({ "ApplyOn": "PublishedVersions" })));
        live.settings.ephemeral_storage = Some(EphemeralStorage(2048));
        live.settings.subnet_ids = Some(ids(&[]));
    });
    assert_eq!(problems_of(&wanted(|_| ()), &odd), [""; 0]);
    let named = wanted(|d| d.settings.ephemeral_storage = Some(EphemeralStorage(1024)));
    assert!(problems_of(&named, &odd)[0].starts_with("Error ephemeral_storage"));
}

#[test]
fn settings_without_effect_are_warnings() {
    let lonely = problems(|d| {
        snap_start(d);
        d.release = Release::default();
    });
    assert_eq!(lonely, ["warning snap_start: has no effect here: only published versions start from a snapshot"]);
    let all = problems(|d| {
        publish(d);
        attach(d, Attachment::ProvisionedConcurrency, json!(2));
        attach(d, Attachment::ReservedConcurrency, json!(2));
    });
    assert!(all.len() == 1 && all[0].starts_with("warning provisioned_concurrency: the alias uses all"), "{all:?}");
}

#[test]
fn tenants_and_durability_are_decided_at_creation() {
    let tenants = |d: &mut Deployment| {
        d.settings.tenancy_config = Some(Structure(json!({ "TenantIsolationMode": "PER_TENANT" })));
    };
    assert_eq!(problems_of(&wanted(tenants), &Remote::Absent), [""; 0]);
    let tenanted = live(|live| {
        live.settings.tenancy_config = Some(Structure(json!({ "TenantIsolationMode": "PER_TENANT" })));
        live.settings.durable_config = Some(Structure(json!({ "ExecutionTimeout": 60 })));
    });
    assert_eq!(problems_of(&wanted(tenants), &tenanted), [""; 0]);
    let excluded = wanted(|d| attach(d, Attachment::FunctionUrl, json!({})));
    assert_eq!(
        problems_of(&excluded, &tenanted),
        ["Error function_url: isolated tenants and function URL cannot be used together"]
    );
    let durable = |document: Value| wanted(|d| d.settings.durable_config = Some(Structure(document)));
    assert_eq!(problems_of(&durable(json!({ "RetentionPeriodInDays": 3 })), &tenanted), [""; 0]);
    assert_eq!(problems_of(&durable(json!({ "ExecutionTimeout": 3 })), &Remote::Absent), [""; 0]);
    let limitless = problems_of(&durable(json!({ "RetentionPeriodInDays": 3 })), &Remote::Absent);
    assert!(limitless[0].starts_with("Error durable_config: needs a time limit"));
}

#[test]
fn an_image_has_its_own_handler_runtime_and_libraries() {
    let mut image = of_image(Some("a"));
    let found = problems_of(&image, &Remote::Absent);
    assert_eq!(found, ["warning image_uri: the architecture of the image is not set, so AWS assumes x86_64"]);
    image.settings.image_config = Some(Structure(json!({ "Command": ["a"] })));
    image.code.architecture = Some(Architecture::Arm64);
    assert_eq!(problems_of(&image, &Remote::Absent), [""; 0]);
    image.settings.handler = Some(Handler("a.b".to_owned()));
    image.settings.runtime = Some(Runtime("python3.13".to_owned()));
    image.settings.layers = Some(layers(&["eu-west-1:1:layer:deps:1"]));
    image.settings.snap_start = Some(Structure(json!({ "ApplyOn": "PublishedVersions" })));
    attach(&mut image, Attachment::CodeSigning, json!("arn"));
    let found = problems_of(&image, &Remote::Absent);
    for option in ["handler", "runtime", "layers", "snap_start", "code_signing_config_arn"] {
        let here = |line: &&String| line.starts_with(&format!("Error {option}"));
        assert_eq!(found.iter().filter(here).count(), 1, "{option}: {found:?}");
    }
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn without_the_live_function_only_certain_problems_are_found() {
    let far = |d: &mut Deployment| d.settings.layers = Some(layers(&["us-east-1:1:layer:deps:1"]));
    assert_eq!(certain(far), 0, "the Region is unknown");
    let in_ireland = |d: &mut Deployment| d.target.region = Some("eu-west-1".to_owned());
    assert_eq!(certain(|d| [far, in_ireland].into_iter().for_each(|change| change(d))), 1);
    assert_eq!(certain(|d| d.settings.layers = Some(Layers(vec![LayerRef::Newest("a".to_owned()); 2]))), 1);
    assert_eq!(certain(|d| file_system(d, ACCESS_POINT)), 0, "the live function may be in a VPC");
    assert_eq!(certain(|d| d.settings.subnet_ids = Some(ids(&["subnet-1"]))), 0);
    assert_eq!(certain(|d| d.settings.logging_config = Some(Structure(json!({ "SystemLogLevel": "WARN" })))), 0);
    assert_eq!(certain(|d| d.settings.durable_config = Some(Structure(json!({ "RetentionPeriodInDays": 1 })))), 0);
    assert_eq!(certain(|d| d.settings.dead_letter_arn = Some(ArnOrNone("arn:aws:s3:::b".to_owned()))), 1);
    let text = json!({ "LogFormat": "Text", "SystemLogLevel": "WARN" });
    assert_eq!(certain(|d| d.settings.logging_config = Some(Structure(text))), 1);
    assert_eq!(certain(|d| attach(d, Attachment::ProvisionedConcurrency, json!(1))), 1);
}

#[test]
fn newer_runtimes_support_snap_start() {
    for (runtime, may) in [
        ("java8.al2", false),
        ("java11", true),
        ("java99", true),
        ("python3.9", false),
        ("python3.12", true),
        ("python3.15", true),
        ("dotnetcore3.1", false),
        ("dotnet6", false),
        ("dotnet8", true),
        ("dotnet10", true),
        ("nodejs24.x", false),
        ("ruby3.4", false),
        ("provided.al2023", false),
        ("cobol1", true),
    ] {
        assert_eq!(may_snap_start(&Runtime(runtime.to_owned())), may, "{runtime}");
    }
}
