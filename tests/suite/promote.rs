//! The code of another function: the same bytes, the same image, and what is refused.

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, emulator, on_both};
use crate::live_package::{Bucket, Manner};

/// A staging function with code of its own, and the block of a production function that gets this code.
struct World {
    universe: Universe,
    proxy: Proxy,
    aws: Aws,
    kind: Kind,
    staging: String,
    production: String,
}

impl World {
    fn new(kind: Kind, name: &str) -> Self {
        let emulator = emulator(kind);
        let proxy = Proxy::before(&emulator.endpoint);
        let (staging, production) = (format!("{name}-staging"), format!("{name}-production"));
        let universe = Universe::at(&proxy.endpoint).file("dist/index.py", "def handler(e, c):\n    return 'one'\n");
        let world = Self { universe, proxy, aws: Aws::of(&emulator.endpoint), kind, staging, production };
        world.universe.write("staging.yml", world.block(&world.staging, "zip: dist\nalias: live\n"));
        world.from(&world.staging);
        world.stage("one");
        world
    }

    fn block(&self, function: &str, more: &str) -> String {
        let account = self.kind.account();
        format!(
            "function_name: {function}\nrole: arn:aws:iam::{account}:role/deployed\nruntime: python3.12\nhandler: index.handler\n{more}"
        )
    }

    /// Lets the production function have the code of this one.
    fn from(&self, source: &str) {
        self.universe.write("dpl.yml", self.block(&self.production, &format!("code_from: {source}\n")));
    }

    /// Deploys other code to staging, and keeps its archive.
    fn stage(&self, which: &str) {
        self.universe.write("dist/index.py", format!("def handler(e, c):\n    return '{which}'\n"));
        self.universe.run("--quiet --config staging.yml").code(0);
        self.universe.run("package --config staging.yml --output staging.zip").code(0);
        self.proxy.forget_calls();
    }

    /// A bucket with the package of staging, or with other bytes.
    fn bucket(&self, manner: Manner) -> Bucket {
        Bucket::with(self.universe.bytes("staging.zip"), manner)
    }

    /// Makes the nth read of a function an answer about staging that leads to this bucket.
    fn leads_to(&self, nth: usize, bucket: &Bucket) {
        let mut answer = self.aws.get(&self.staging);
        answer["Code"]["Location"] = json!(bucket.url);
        self.proxy.on("GetFunction", nth, Fault::Instead(200, answer.to_string()));
    }

    fn hash(&self, function: &str) -> Value {
        self.aws.get(function)["Configuration"]["CodeSha256"].clone()
    }
}

#[test]
fn a_function_gets_the_very_bytes_of_another() {
    on_both(|kind| {
        let world = World::new(kind, "bytes");
        let World { universe, proxy, staging, production, .. } = &world;
        let bucket = world.bucket(Manner::NoRanges);
        world.leads_to(1, &bucket);
        universe.run("").code(0).says("Creating function").never_says("X-Amz").never_says("warning");
        assert_eq!(proxy.writes(), ["CreateFunction"]);
        assert_eq!(world.hash(production), world.hash(staging));

        // The same code is not downloaded again.
        proxy.clear();
        proxy.forget_calls();
        world.leads_to(1, &bucket);
        universe.run("--format json").code(0).says("unchanged");
        universe.run("--timeout 9").code(0).says("timeout").never_says("~ code");
        assert_eq!(*bucket.requests.lock().unwrap(), 1);
        assert_eq!(proxy.writes(), ["UpdateFunctionConfiguration"]);

        // Other code is a change like any other.
        proxy.clear();
        world.stage("two");
        let bucket = world.bucket(Manner::NoRanges);
        world.leads_to(1, &bucket);
        universe.run("plan").code(0).says("~ code").never_says("X-Amz");
        proxy.forget_calls();
        universe.run("").code(0).says("Updating code.");
        assert_eq!(proxy.writes(), ["UpdateFunctionCode"]);
        assert_eq!(world.hash(production), world.hash(staging));
    });
}

#[test]
fn a_version_an_alias_and_an_arn_name_the_source() {
    let world = World::new(Kind::Ministack, "named");
    let World { universe, proxy, staging, production, .. } = &world;
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{staging}");
    for (source, qualifier) in [
        (format!("{staging}:live"), "Qualifier=live"),
        (format!("{staging}:1"), "Qualifier=1"),
        (format!("'{staging}:$LATEST'"), "Qualifier=%24LATEST"),
        (format!("000000000000:function:{staging}:live"), "Qualifier=live"),
        (format!("{arn}:live"), "Qualifier=live"),
        (arn, ""),
    ] {
        world.from(&source);
        proxy.forget_calls();
        universe.run("").code(0);
        let (path, query) =
            (proxy.requests("GetFunction")[0].address().0.to_owned(), proxy.requests("GetFunction")[0].clone());
        assert!(path.contains(staging.as_str()) && query.address().1 == qualifier, "{source}: {path} {qualifier}");
    }
    assert_eq!(world.hash(production), world.hash(staging));
    universe.run("--code_from nobody").code(3).says("code_from").says("nobody does not exist");
    universe.run(&format!("--code_from {staging}:9")).code(3).says("does not exist");
}

#[test]
fn a_package_that_does_not_arrive_whole_is_never_deployed() {
    let world = World::new(Kind::Ministack, "broken");
    let World { universe, proxy, production, .. } = &world;
    for (manner, told, requests) in [
        (Manner::Expired, "the bucket answered 403", 3),
        (Manner::Cut, "cannot read the package", 3),
        (Manner::Page, "does not have the hash", 1),
    ] {
        let bucket = world.bucket(manner);
        proxy.clear();
        proxy.forget_calls();
        world.leads_to(1, &bucket);
        // The production function does not exist, and each further attempt has another address.
        world.leads_to(3, &bucket);
        world.leads_to(4, &bucket);
        universe.run("--verbose").code(1).says(told).never_says("X-Amz").never_says("0123456789abcdef");
        assert_eq!(*bucket.requests.lock().unwrap(), requests, "{told}");
        assert_eq!(proxy.writes(), Vec::<String>::new());
        assert!(!world.aws.exists(production));
    }
    // An address that has expired is asked for again.
    let (expired, good) = (world.bucket(Manner::Expired), world.bucket(Manner::NoRanges));
    proxy.clear();
    proxy.forget_calls();
    world.leads_to(1, &expired);
    world.leads_to(3, &good);
    universe.run("").code(0);
    assert_eq!(world.hash(production), world.hash(&world.staging));
}

#[test]
fn a_source_that_changes_in_the_meantime_is_a_conflict() {
    let world = World::new(Kind::Ministack, "moving");
    let World { universe, proxy, staging, .. } = &world;
    let bucket = world.bucket(Manner::Expired);
    world.leads_to(1, &bucket);
    let mut other = world.aws.get(staging);
    other["Configuration"]["CodeSha256"] = json!("of other code");
    proxy.on("GetFunction", 3, Fault::Instead(200, other.to_string()));
    universe.run("").code(5).says("another program changed the code").says(staging);
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn a_target_that_changes_in_the_meantime_is_a_conflict() {
    let world = World::new(Kind::Ministack, "overtaken");
    let World { universe, proxy, production, .. } = &world;
    universe.run("").code(0);
    proxy.forget_calls();
    let mut other = world.aws.get(production);
    other["Configuration"]["CodeSha256"] = json!("of other code");
    proxy.on("GetFunction", 3, Fault::Instead(200, other.to_string()));
    universe.run("").code(5).says("another program changed the code").says("code_from");
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn a_denied_source_names_the_right() {
    let world = World::new(Kind::Ministack, "denied-source");
    world.proxy.on("GetFunction", 1, Fault::Answer(403, "AccessDeniedException", "no"));
    world.universe.run("").code(4).says("AWS denied `lambda:GetFunction`").says(&world.staging);
    assert_eq!(world.proxy.writes(), Vec::<String>::new());
}

#[test]
fn the_source_can_be_in_another_region_and_account() {
    let world = World::new(Kind::Ministack, "abroad");
    let World { universe, proxy, staging, .. } = &world;
    universe.run("--quiet --config staging.yml --region eu-west-1").code(0);
    let role = "arn:aws:iam::000000000000:role/reader";
    world.from(&format!("{{function: {staging}, region: eu-west-1, role_to_assume: '{role}', external_id: ours-1}}"));
    proxy.forget_calls();
    universe.run("").code(0);
    let assumed = proxy.requests("AssumeRole");
    assert_eq!(assumed.len(), 1);
    assert!(assumed[0].body.contains("role%2Freader") && assumed[0].body.contains("ExternalId=ours-1"));
    let regions: Vec<_> = proxy.requests("GetFunction").iter().map(|call| call.head.contains("/eu-west-1/")).collect();
    assert_eq!(regions[..2], [true, false]);
    // The Region of an ARN counts too.
    world.from(&format!("arn:aws:lambda:eu-west-1:000000000000:function:{staging}"));
    proxy.forget_calls();
    universe.run("").code(0).says("unchanged");
    assert!(proxy.requests("GetFunction")[0].head.contains("/eu-west-1/"));
}

#[test]
fn an_image_is_promoted_by_its_digest() {
    on_both(|kind| {
        let world = World::new(kind, "imaged");
        let digest = format!("sha256:{}", "ab".repeat(32));
        let repository = format!("{}.dkr.ecr.us-east-1.amazonaws.com/orders", kind.account());
        let mut answer = world.aws.get(&world.staging);
        answer["Configuration"]["PackageType"] = json!("Image");
        answer["Configuration"]["Architectures"] = json!(["arm64"]);
        answer["Code"] = json!({
            "RepositoryType": "ECR",
            "ImageUri": format!("{repository}:live"),
            "ResolvedImageUri": format!("{repository}@{digest}"),
        });
        world.proxy.on("GetFunction", 1, Fault::Instead(200, answer.to_string()));
        world.proxy.on("CreateFunction", 1, Fault::Answer(400, "InvalidParameterValueException", "no such image"));
        let role = format!("arn:aws:iam::{}:role/deployed", kind.account());
        let block = format!("function_name: {}\nrole: {role}\ncode_from: {}\n", world.production, world.staging);
        world.universe.write("dpl.yml", &block);
        world.universe.run("").code(1);
        let sent = &world.proxy.bodies("CreateFunction")[0];
        assert_eq!(sent["Code"]["ImageUri"], format!("{repository}@{digest}"));
        assert_eq!((&sent["PackageType"], &sent["Architectures"]), (&json!("Image"), &json!(["arm64"])));

        // What is for packages only is refused, and so is an image of another Region.
        world.universe.write("dpl.yml", format!("{block}handler: index.handler\n"));
        world.proxy.forget_calls();
        world.universe.run("").code(3).says("handler: is for a package");
        world.universe.write("dpl.yml", &block);
        world.proxy.forget_calls();
        world.universe.run("--region eu-west-1").code(3).says("the image is in us-east-1, the function in eu-west-1");
    });
}

#[test]
fn a_named_architecture_is_sent_with_the_code() {
    let world = World::new(Kind::Ministack, "other-processor");
    world.universe.run("").code(0);
    world.proxy.forget_calls();
    world.universe.run("--architecture arm64").code(0).says("architecture");
    assert_eq!(world.proxy.bodies("UpdateFunctionCode")[0]["Architectures"], json!(["arm64"]));
    world.universe.run("--architecture arm64").code(0).says("unchanged");
}

#[test]
fn a_source_excludes_other_sources() {
    let world = World::new(Kind::Ministack, "exclusive");
    for (more, option) in [
        ("zip: dist", "zip"),
        ("image_uri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/a:b", "image_uri"),
        ("s3_bucket: packages\ns3_key: a.zip", "s3_key"),
        ("include: ['*.py']", "include"),
        ("package_type: Zip", "package_type"),
    ] {
        world.from(&format!("{}\n{more}", world.staging));
        let told = format!("{option}: cannot be combined with `code_from`");
        world.universe.run("check").code(3).says(&told).says("(dpl.yml:");
    }
    for (wrong, told) in [
        ("a b", "is not a function's name"),
        ("f:live:7", "is neither a version, nor an alias"),
        ("{region: eu-west-1}", "`function`"),
        ("{function: f, region: europe}", "is not a Region"),
        ("{function: f, role_to_assume: reader}", "must be the ARN of a role"),
        ("{function: f, external_id: ours}", "without `role_to_assume`"),
        ("{function: 'arn:aws:lambda:eu-west-1:123456789012:function:f', region: us-east-1}", "the ARN in `function`"),
        ("[f]", "must be a map"),
    ] {
        world.from(wrong);
        world.universe.run("check").code(3).says(told).says("dpl.yml:5");
    }
    world.from(&world.staging);
    world.universe.run("check").code(0);
    world.universe.run("package --list").code(3).says("code_from");
    assert_eq!(world.proxy.calls(), Vec::<String>::new());
}

#[test]
fn a_policy_allows_to_read_the_source() {
    let world = World::new(Kind::Ministack, "allowed");
    world.from(&format!("arn:aws:lambda:eu-west-1:123456789012:function:{}:live", world.staging));
    let policy = world.universe.run("policy").code(0).json();
    let source = format!("arn:aws:lambda:eu-west-1:123456789012:function:{}:live", world.staging);
    let statement = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .find(|statement| statement["Resource"] == json!(source) || statement["Resource"] == json!([source]));
    let actions = &statement.unwrap_or_else(|| panic!("{policy:#}"))["Action"];
    assert!(*actions == json!("lambda:GetFunction") || *actions == json!(["lambda:GetFunction"]), "{policy:#}");
}

#[test]
fn a_large_package_goes_through_a_bucket() {
    let world = World::new(Kind::Ministack, "by-bucket");
    world.aws.make_bucket("promoted-packages");
    world.universe.run("--s3_bucket promoted-packages --s3_prefix p").code(0);
    assert!(world.proxy.calls().contains(&"PutObject".to_owned()), "{:?}", world.proxy.calls());
    assert_eq!(world.hash(&world.production), world.hash(&world.staging));
}
