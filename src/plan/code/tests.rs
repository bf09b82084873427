//! Code: packages in buckets, and images in registries.

use insta::assert_snapshot;

use super::*;
use crate::deployment::Publish;
use crate::plan::tests::{ROLE, live, planned, planned_with, version, wanted};
use crate::remote::{Failure, Remote, Stored};
use crate::settings::{Handler, Layers, MemorySize, Role, Runtime, Setting, Written};

/// A deployment of `new` through a bucket.
fn through_bucket(key: ObjectKey) -> Deployment {
    wanted(|deployment| {
        let upload = Upload { bucket: "packages".to_owned(), key, expected_owner: None, kms_key_arn: None };
        deployment.code.upload = Some(upload);
        deployment.settings.memory_size = Some(MemorySize(256));
    })
}

#[test]
fn a_package_goes_into_its_bucket_before_anything_else_changes() {
    let by_hash = through_bucket(ObjectKey::ByHash("lambda/".to_owned()));
    // The hash of the package in hexadecimal digits; `bmV3` is base64 for `new`.
    assert_snapshot!(planned(&by_hash, "bmV3", &live(|_| ())), @r#"
    upload s3://packages/lambda/6e6577.zip of 100 bytes
    configure memory_size: 128 MB → 256 MB; sends memory_size: - → 256 MB
    code Some("old") → bmV3 as Some(Arm64)
    "#);
    assert_snapshot!(planned(&by_hash, "old", &live(|_| ())), @"configure memory_size: 128 MB → 256 MB; sends memory_size: - → 256 MB");
}

#[test]
fn an_object_under_its_hash_is_not_sent_again_but_one_under_a_given_key_is() {
    let by_hash = through_bucket(ObjectKey::ByHash(String::new()));
    let sent = |hash: &str, size| Stored::Object {
        size,
        code_sha256: Some(hash.to_owned()),
        version_id: Some("v7".to_owned()),
    };
    let object = |size| sent("bmV3", size);
    assert_snapshot!(planned_with(&by_hash, "bmV3", &live(|_| ()), object(100)), @r#"
    configure memory_size: 128 MB → 256 MB; sends memory_size: - → 256 MB
    code Some("old") → bmV3 as Some(Arm64) found with version Some("v7")
    "#);
    assert!(planned_with(&by_hash, "bmV3", &live(|_| ()), object(99)).starts_with("upload"));
    assert!(planned_with(&by_hash, "bmV3", &live(|_| ()), sent("b2xk", 100)).starts_with("upload"));
    let given = through_bucket(ObjectKey::Given("f.zip".to_owned()));
    assert!(planned_with(&given, "bmV3", &live(|_| ()), object(100)).starts_with("upload s3://packages/f.zip"));
}

#[test]
fn a_bucket_that_lambda_cannot_read_is_an_error() {
    let by_hash = through_bucket(ObjectKey::ByHash(String::new()));
    let obstacle = |stored| planned_with(&by_hash, "bmV3", &live(|_| ()), stored).lines().next().unwrap().to_owned();
    assert_snapshot!(obstacle(Stored::NoBucket), @"Error s3_bucket: there is no bucket `packages`");
    assert_snapshot!(obstacle(Stored::InRegion("us-east-1".to_owned())), @"Error s3_bucket: the bucket `packages` is in us-east-1, the function in eu-west-1");
}

#[test]
fn a_key_for_the_package_is_a_change_of_the_code() {
    let with_key =
        wanted(|deployment| deployment.code.source_kms_key_arn = Some("arn:aws:kms:eu-west-1:1:key/k".to_owned()));
    assert_snapshot!(planned(&with_key, "old", &live(|_| ())), @r#"code Some("old") → old as Some(Arm64)"#);
    assert_snapshot!(planned(&with_key, "old", &live(|live| live.source_kms_key_arn = Some("arn:aws:kms:eu-west-1:1:key/k".to_owned()))), @"");
}

const REPOSITORY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/api";

/// A deployment of an image with this digest, or with a tag whose digest is unknown.
pub(in crate::plan) fn of_image(digest: Option<&str>) -> Deployment {
    let text = digest.map_or_else(|| format!("{REPOSITORY}:v3"), |digit| format!("{REPOSITORY}:v3@{}", sha256(digit)));
    let uri = crate::settings::ImageUri::parse(&Written::Text(text)).unwrap();
    wanted(|deployment| {
        deployment.code.source = CodeSource::Image(uri);
        deployment.settings.role = Some(Role::Arn(ROLE.to_owned()));
    })
}

fn sha256(digit: &str) -> String {
    format!("sha256:{}", digit.repeat(64))
}

/// A live function that is made of the image of this digest.
fn live_image(digit: &str, change: impl FnOnce(&mut Live)) -> Remote {
    live(|live| {
        live.package_type = "Image".to_owned();
        live.image = Some(format!("{REPOSITORY}@{}", sha256(digit)));
        live.code_sha256 = digit.repeat(64);
        live.settings.runtime = Some(Runtime(String::new()));
        live.settings.handler = Some(Handler(String::new()));
        live.settings.layers = Some(Layers(Vec::new()));
        change(live);
    })
}

#[test]
fn an_image_is_identified_by_its_digest_and_needs_no_runtime_or_handler() {
    let shown = |text: String| text.replace(&sha256("a"), "SHA-A").replace(&sha256("b"), "SHA-B");
    let (a, unknown) = (of_image(Some("a")), of_image(None));
    assert_snapshot!(shown(planned(&a, "", &Remote::Absent)), @r"
    create SHA-A {} role: - → arn:aws:iam::123456789012:role/deployed
    warning image_uri: the architecture of the image is not set, so AWS assumes x86_64
    ");
    assert_snapshot!(shown(planned(&a, "", &live_image("a", |_| ()))), @"");
    assert_snapshot!(shown(planned(&a, "", &live_image("b", |_| ()))), @r#"code Some("SHA-B") → SHA-A as Some(Arm64) by 123456789012.dkr.ecr.eu-west-1.amazonaws.com/api@SHA-A"#);
    assert_snapshot!(shown(planned(&unknown, "", &live_image("b", |_| ()))), @r#"code Some("SHA-B") → what AWS finds as Some(Arm64) by 123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:v3"#);
    let failed = live_image("a", |live| live.failure = Some(Failure::Update("access".to_owned())));
    assert!(planned(&a, "", &failed).contains("so the code is sent again"));
}

#[test]
fn a_version_of_an_image_is_identified_by_the_hash_that_aws_reports() {
    let mut publish = of_image(Some("a"));
    publish.release.publish = Publish::Version;
    let with = |live_digit: &str, version_digit: &str| {
        let remote = live_image(live_digit, |_| ());
        let newest = version("7", &version_digit.repeat(64), &remote);
        live_image(live_digit, |live| live.newest_version = Some(newest))
    };
    assert_snapshot!(planned(&publish, "", &with("a", "a")), @"is version 7");
    assert_snapshot!(planned(&publish, "", &with("a", "b")), @"publish any code");
    assert!(planned(&publish, "", &with("b", "b")).ends_with("publish any code\n"));
    assert!(planned(&publish, "", &with("b", "a")).ends_with("is version 7\n"));
}

#[test]
fn an_image_must_be_in_the_region_of_the_function() {
    let mut elsewhere = of_image(Some("a"));
    let CodeSource::Image(uri) = &mut elsewhere.code.source else { panic!("no image") };
    uri.region = "us-east-1".to_owned();
    assert!(planned(&elsewhere, "", &Remote::Absent).starts_with("Error image_uri: the image is in us-east-1"));
}
