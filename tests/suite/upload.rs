//! Packages that go through S3.

use std::{fs, process::Command, time::Duration};

use serde_json::json;

use crate::harness::{Aws, Fault, Kind, Outcome, Proxy, Universe, emulator, on_both};

const PYTHON: &str = "def handler(event, context):\n    return 'one'\n";

/// A universe with a Python function whose package goes through a bucket of the same name, and a proxy that counts.
fn through_bucket(kind: Kind, name: &str, more: &str) -> (Universe, Proxy, Aws) {
    let emulator = emulator(kind);
    let (proxy, aws) = (Proxy::before(&emulator.endpoint), Aws::of(&emulator.endpoint));
    aws.make_bucket(name);
    let block = format!(
        "function_name: {name}\nrole: arn:aws:iam::{}:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\ns3_bucket: {name}\n{more}",
        kind.account()
    );
    (Universe::at(&proxy.endpoint).file("dist/index.py", PYTHON).file("dpl.yml", block), proxy, aws)
}

/// Adds a file that does not get smaller, so that the package has this many megabytes at least.
fn enlarge(universe: &Universe, megabytes: usize) {
    let file = fs::File::create(universe.path("dist/random")).unwrap();
    let size = (megabytes << 20).to_string();
    assert!(Command::new("head").args(["-c", &size, "/dev/urandom"]).stdout(file).status().unwrap().success());
}

#[test]
fn the_package_goes_into_the_bucket_first_and_lambda_takes_that_version_of_it() {
    on_both(|kind| {
        let (universe, proxy, aws) = through_bucket(kind, "through-s3", "s3_prefix: packages\n");
        universe.run("").code(0).says("Uploading the package to s3://through-s3/packages/").says("Creating function");
        assert_eq!(proxy.writes(), ["PutObject", "CreateFunction"]);
        let code = proxy.bodies("CreateFunction").remove(0)["Code"].clone();
        assert_eq!(code.get("ZipFile"), None);
        assert!(code["S3ObjectVersion"].as_str().is_some_and(|version| !version.is_empty()), "{code}");
        assert!(code["S3Key"].as_str().is_some_and(|key| key.starts_with("packages/")));
        if kind == Kind::Ministack {
            assert_eq!(aws.invoke("through-s3", &json!({})), "one");
        }

        proxy.forget_calls();
        universe.run("").code(0).says("unchanged");
        assert_eq!(proxy.calls(), ["GetFunction"], "what is unchanged needs no look at the bucket");
    });
}

#[test]
fn a_function_that_reads_its_package_from_s3_goes_on_to_do_so() {
    let (universe, proxy, aws) = through_bucket(Kind::Ministack, "by-reference", "");
    universe.run("").code(0);
    universe.write("dist/index.py", PYTHON.replace("one", "two"));
    let mut live = aws.get("by-reference");
    live["Code"]["ResolvedS3Object"] = json!({ "S3Bucket": "by-reference", "S3Key": "k" });
    proxy.forget_calls();
    proxy.on("GetFunction", 1, Fault::Instead(200, live.to_string()));
    universe.run("").code(0);
    assert_eq!(proxy.bodies("UpdateFunctionCode")[0]["S3ObjectStorageMode"], "REFERENCE");
    // A package in the call itself cannot stay in S3, and the plan says so.
    let block = universe.read("dpl.yml").replace("s3_bucket: by-reference\n", "");
    universe.write("dpl.yml", block);
    universe.write("dist/index.py", PYTHON.replace("one", "three"));
    let mut live = aws.get("by-reference");
    live["Code"]["ResolvedS3Object"] = json!({ "S3Bucket": "by-reference", "S3Key": "k" });
    proxy.forget_calls();
    proxy.on("GetFunction", 1, Fault::Instead(200, live.to_string()));
    universe.run("plan").code(0).says("Lambda reads the live package from S3").says("set `s3_bucket`");
}

#[test]
fn an_object_under_its_hash_is_sent_once_and_one_under_a_given_key_always() {
    on_both(|kind| {
        let (universe, proxy, _) = through_bucket(kind, "sent-once", "");
        universe.run("").code(0);
        universe.write("dist/index.py", PYTHON.replace("one", "two"));
        universe.run("").code(0);
        universe.write("dist/index.py", PYTHON);
        proxy.forget_calls();
        universe.run("plan").code(0).says("from  s3://sent-once/").says("which exists already");
        universe.run("").code(0);
        assert_eq!(proxy.writes(), ["UpdateFunctionCode"]);
        assert!(proxy.bodies("UpdateFunctionCode")[0]["S3ObjectVersion"].is_string());

        proxy.forget_calls();
        for text in ["two", "one", "two"] {
            universe.write("dist/index.py", PYTHON.replace("one", text));
            universe.run("--s3_key f.zip").code(0);
        }
        assert_eq!(proxy.writes(), ["PutObject", "UpdateFunctionCode"].repeat(3));
    });
}

#[test]
fn an_object_that_others_put_under_a_hash_is_not_trusted() {
    on_both(|kind| {
        let (universe, proxy, aws) = through_bucket(kind, "forged", "");
        let said = universe.run("").code(0).stdout;
        let key = said.split("s3://forged/").nth(1).unwrap().split_whitespace().next().unwrap().trim_end_matches('.');
        let key = key.to_owned();
        universe.write("dist/index.py", PYTHON.replace("one", "two"));
        universe.run("").code(0);
        universe.write("dist/index.py", PYTHON);
        universe.run("package --zip dist --output f.zip").code(0);
        let forged = "x".repeat(universe.bytes("f.zip").len());
        assert_eq!(aws.call("s3", "PUT", &format!("/forged/{key}"), &forged).0, 200);
        proxy.forget_calls();
        universe.run("").code(0).says("Deployed");
        assert_eq!(proxy.writes(), ["PutObject", "UpdateFunctionCode"]);
    });
}

#[test]
fn a_ready_archive_that_changes_after_the_look_is_sent_as_it_was() {
    let (universe, proxy, aws) = through_bucket(Kind::Ministack, "snapshot", "");
    universe.run("package --zip dist --output ready.zip").code(0);
    let path = universe.path("ready.zip");
    proxy.on("HeadObject", 0, Fault::First(std::sync::Arc::new(move || fs::write(&path, "nothing").unwrap())));
    universe.run("--zip ready.zip").code(0).says("Deployed");
    assert_eq!(aws.invoke("snapshot", &json!({})), "one");
}

#[test]
fn a_large_package_goes_in_parts() {
    on_both(|kind| {
        let (universe, proxy, aws) = through_bucket(kind, "in-parts", "");
        universe.run("").code(0);
        enlarge(&universe, if kind == Kind::Ministack { 60 } else { 20 });
        proxy.forget_calls();
        universe.run("plan").code(0).says("+ package").says("s3://in-parts/");
        assert!(proxy.writes().is_empty(), "a plan sends nothing");
        universe.run("").code(0).says("Deployed");
        let writes = proxy.writes();
        assert_eq!(writes[0], "CreateMultipartUpload");
        let (parts, rest) = writes[1..].split_at(if kind == Kind::Ministack { 8 } else { 3 });
        assert!(parts.iter().all(|part| part == "UploadPart"), "{writes:?}");
        assert_eq!(rest, ["CompleteMultipartUpload", "UpdateFunctionCode"]);
        let code = proxy.bodies("UpdateFunctionCode").remove(0);
        assert!(code["S3ObjectVersion"].is_string(), "{code}");
        if kind == Kind::Ministack {
            assert_eq!(aws.invoke("in-parts", &json!({})), "one");
        }
        universe.run("").code(0).says("unchanged");
    });
}

#[test]
fn an_upload_that_fails_leaves_no_parts_and_no_change() {
    on_both(|kind| {
        let (universe, proxy, aws) = through_bucket(kind, "broken-upload", "");
        universe.run("").code(0);
        enlarge(&universe, 30);
        proxy.forget_calls();
        proxy.on("UploadPart", 3, Fault::Answer(403, "AccessDenied", "Access Denied"));
        universe
            .run("--memory_size 256")
            .code(4)
            .says("upload the package")
            .says("allow `s3:PutObject`")
            .says("done: nothing.  not done: package, configuration, code");
        let writes = proxy.writes();
        assert!(writes.contains(&"AbortMultipartUpload".to_owned()));
        assert!(!writes.iter().any(|write| write.starts_with("Update")));
        assert!(!aws.bucket("broken-upload", "uploads").contains("<UploadId>"));
        assert_eq!(aws.get("broken-upload")["Configuration"]["MemorySize"], 128);
        universe.run("--memory_size 256").code(0);
    });
}

#[test]
fn an_interrupted_upload_leaves_no_parts() {
    let (universe, proxy, aws) = through_bucket(Kind::Ministack, "interrupted-upload", "");
    universe.run("").code(0);
    enlarge(&universe, 40);
    proxy.forget_calls();
    proxy.on("UploadPart", 0, Fault::Slow(Duration::from_secs(20)));
    let child = universe.start("");
    while !proxy.calls().contains(&"UploadPart".to_owned()) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let outcome = Outcome::of(&child.wait_with_output().unwrap());
    outcome.code(143).says("interrupted by SIGTERM").says("not done: package, code");
    assert!(proxy.writes().contains(&"AbortMultipartUpload".to_owned()));
    assert!(!aws.bucket("interrupted-upload", "uploads").contains("<UploadId>"));
}

#[test]
fn a_lost_answer_to_an_upload_is_no_failure() {
    on_both(|kind| {
        let (universe, proxy, _) = through_bucket(kind, "lost-upload", "");
        universe.run("").code(0);
        enlarge(&universe, 20);
        for operation in ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"] {
            proxy.on(operation, 1, Fault::ResetAfter);
        }
        proxy.forget_calls();
        universe.run("").code(0).says("Deployed");
        universe.run("").code(0).says("unchanged");
    });
}

#[test]
fn a_bucket_that_cannot_be_used_is_told_before_anything_changes() {
    on_both(|kind| {
        let (universe, proxy, _) = through_bucket(kind, "usable", "");
        universe.run("").code(0);
        universe.write("dist/index.py", PYTHON.replace("one", "two"));
        proxy.forget_calls();
        universe
            .run("--memory_size 256 --s3_bucket nobody-made-this")
            .code(3)
            .says("there is no bucket `nobody-made-this`")
            .says("dpl-lambda creates none");
        proxy.on("HeadObject", 0, Fault::Elsewhere("eu-west-3"));
        universe
            .run("--memory_size 256")
            .code(3)
            .says("the bucket `usable` is in eu-west-3, the function in us-east-1 (dpl.yml:6:12)");
        assert!(proxy.writes().is_empty());
    });
}

#[test]
fn an_archive_that_is_in_a_bucket_already_is_deployed_from_there() {
    on_both(|kind| {
        let (universe, proxy, aws) = through_bucket(kind, "stored-code", "");
        universe.run("--s3_key builds/app.zip").code(0);
        let block = universe.read("dpl.yml").replace("zip: dist\n", "s3_key: builds/app.zip\n");
        universe.write("dpl.yml", block.replace("function_name: stored-code", "function_name: from-store"));
        proxy.forget_calls();
        universe.run("").code(0).says("Creating function from-store.").never_says("Uploading");
        assert_eq!(proxy.writes(), ["CreateFunction"]);
        let code = proxy.bodies("CreateFunction").remove(0)["Code"].clone();
        assert_eq!(code["S3Key"], "builds/app.zip");
        let version = code["S3ObjectVersion"].as_str().unwrap().to_owned();
        if kind == Kind::Ministack {
            assert_eq!(aws.invoke("from-store", &json!({})), "one");
        }
        proxy.forget_calls();
        universe.run("").code(0).says("unchanged");
        assert_eq!(proxy.calls(), ["GetObject", "GetFunction"]);
        universe.run(&format!("--s3_object_version {version}")).code(0).says("unchanged");

        universe.run("check").code(0).says("is not on this machine, so it was not checked");
        universe.run("package --list").code(3).says("s3://stored-code/builds/app.zip is already a package");
        universe.run("--s3_key no.zip").code(3).says("s3_key: s3://stored-code/no.zip does not exist (--s3_key)");
        universe.run("--runtime nodejs24.x --handler a.b").code(3).says("[handler-missing]");
        proxy.on("GetObject", 0, Fault::Elsewhere("eu-west-3"));
        universe.run("").code(3).says("the bucket `stored-code` is in eu-west-3 (dpl.yml:5:9)");
    });
}

#[test]
fn who_may_write_a_bucket_need_not_be_allowed_to_read_it() {
    let (universe, proxy, _) = through_bucket(Kind::Ministack, "write-only", "");
    proxy.on("HeadObject", 0, Fault::Answer(403, "AccessDenied", ""));
    universe.run("").code(0);
    assert_eq!(proxy.writes(), ["PutObject", "CreateFunction"]);
}

#[test]
fn options_of_a_bucket_need_one() {
    let universe = Universe::empty().file("dist/index.py", "");
    let universe = universe.file("dpl.yml", "function_name: f\nzip: dist\ns3_prefix: a\ns3_expected_owner: 12\n");
    universe.run("check").code(3).says("s3_prefix: is given without `s3_bucket` (dpl.yml:3:12)");
    universe
        .run("check --s3_bucket abc --s3_expected_owner 123456789012 --s3_object_version 3")
        .code(3)
        .says("s3_object_version: names an existing object, so it needs `s3_key` and no `zip`");
    universe
        .run("check --s3_bucket s3://x --s3_key k")
        .code(3)
        .says("`s3://x` is not the name of a bucket")
        .says("s3_prefix: is given together with `s3_key`")
        .says("s3_expected_owner: must be the 12 digits of an account");
    universe.write("dpl.yml", "function_name: f\ns3_bucket: abc\ns3_key: k\ninclude: ['*.py']\ns3_kms_key_arn: junk\n");
    universe
        .run("check")
        .code(3)
        .says("include: is for building a package, but `s3_key` without `zip` names an existing one (dpl.yml:4:10)")
        .says("s3_kms_key_arn: ");
}

#[test]
fn parts_of_an_earlier_upload_are_removed_by_the_next() {
    let (universe, proxy, aws) = through_bucket(Kind::Ministack, "left-over", "");
    enlarge(&universe, 20);
    let is_left = || aws.bucket("left-over", "uploads").contains("<UploadId>");
    proxy.on("UploadPart", 2, Fault::Slow(Duration::from_secs(20)));
    let mut child = universe.start("");
    while proxy.requests("UploadPart").len() < 2 {
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_left());
    aws.call("s3", "POST", "/left-over/other.zip?uploads", "");
    universe.run("").code(0);
    let left = aws.bucket("left-over", "uploads");
    assert_eq!(left.matches("<UploadId>").count(), 1, "{left}");
    assert!(left.contains("<Key>other.zip</Key>"), "another object's upload stays: {left}");

    let (universe, proxy, aws) = through_bucket(Kind::Ministack, "lost-id", "");
    enlarge(&universe, 20);
    proxy.on("CreateMultipartUpload", 1, Fault::ResetAfter);
    universe.run("").code(0);
    assert!(!aws.bucket("lost-id", "uploads").contains("<UploadId>"));

    let (universe, proxy, _) = through_bucket(Kind::Ministack, "may-not-list", "");
    enlarge(&universe, 20);
    proxy.on("ListMultipartUploads", 0, Fault::Answer(403, "AccessDenied", "no"));
    universe.run("").code(0).never_says("AccessDenied");
}

#[test]
fn parts_that_stay_are_told() {
    let (universe, proxy, _) = through_bucket(Kind::Ministack, "parts-stay", "");
    enlarge(&universe, 20);
    let expired = "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
    for operation in ["UploadPart", "AbortMultipartUpload"] {
        proxy.on(operation, 0, Fault::Instead(400, expired.to_owned()));
    }
    universe.run("").code(4).says("the credentials have expired").says("AWS keeps the parts").says("begun: package");
}
