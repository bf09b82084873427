//! Functions that are made of container images: what a tag names, what is sent, and what is refused.
//!
//! ministack tells no `CodeSha256` of an image; moto does, as AWS does.

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, boto, emulator, on_both};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A repository of an emulator, in which images are pushed as any tool does.
struct Registry {
    kind: Kind,
    name: &'static str,
}

impl Registry {
    fn new(kind: Kind, name: &'static str) -> Self {
        let registry = Self { kind, name };
        registry.ecr("create_repository", &json!({ "repositoryName": name }));
        registry
    }

    fn ecr(&self, operation: &str, arguments: &Value) -> Value {
        boto(&emulator(self.kind).endpoint, "ecr", operation, arguments)
    }

    /// The digest of an image that has this in it.
    fn push(&self, tag: &str, content: &str) -> String {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": "application/vnd.docker.container.image.v1+json", "size": 7 },
            "layers": [{ "digest": content }],
        });
        self.push_manifest(tag, MANIFEST, &manifest)
    }

    fn push_manifest(&self, tag: &str, form: &str, manifest: &Value) -> String {
        let pushed = self.ecr(
            "put_image",
            &json!({ "repositoryName": self.name, "imageTag": tag, "imageManifest": manifest.to_string(), "imageManifestMediaType": form }),
        );
        pushed["image"]["imageId"]["imageDigest"].as_str().unwrap().to_owned()
    }

    fn repository(&self) -> String {
        format!("{}.dkr.ecr.us-east-1.amazonaws.com/{}", self.kind.account(), self.name)
    }

    fn universe(&self, more: &str) -> (Universe, Proxy, Aws) {
        let emulator = emulator(self.kind);
        let proxy = Proxy::before(&emulator.endpoint);
        (Universe::at(&proxy.endpoint).file("dpl.yml", self.block(more)), proxy, Aws::of(&emulator.endpoint))
    }

    fn block(&self, more: &str) -> String {
        let (name, account, repository) = (self.name, self.kind.account(), self.repository());
        format!(
            "function_name: {name}\nrole: arn:aws:iam::{account}:role/deployed\nimage_uri: {repository}:live\n{more}"
        )
    }
}

/// What the function is made of, as AWS tells it.
fn deployed(aws: &Aws, function: &str) -> (String, String) {
    let live = aws.get(function);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&live["Configuration"]["PackageType"]), text(&live["Code"]["ImageUri"]))
}

#[test]
fn a_tag_is_looked_up_and_its_digest_is_deployed() {
    on_both(|kind| {
        let registry = Registry::new(kind, "image-tagged");
        let (one, repository) = (registry.push("live", "one"), registry.repository());
        let (universe, proxy, aws) = registry.universe("architecture: arm64\nmemory_size: 256\n");
        universe.run("plan").code(0).says("created with image-tagged:live").says(&format!("{repository}@{one}"));
        assert_eq!(proxy.writes(), [""; 0]);

        universe.run("").code(0).says("Creating function image-tagged.");
        assert_eq!(proxy.writes(), ["CreateFunction"]);
        let body = proxy.bodies("CreateFunction").remove(0);
        assert_eq!(body["Code"], json!({ "ImageUri": format!("{repository}@{one}") }));
        assert_eq!((&body["PackageType"], &body["Architectures"]), (&json!("Image"), &json!(["arm64"])));
        assert_eq!((body.get("Runtime"), body.get("Handler")), (None, None));
        assert_eq!(deployed(&aws, "image-tagged"), ("Image".to_owned(), format!("{repository}@{one}")));
        let told = boto(&emulator(kind).endpoint, "lambda", "get_function", &json!({ "FunctionName": "image-tagged" }));
        assert_eq!(told["Configuration"]["MemorySize"], 256);

        proxy.forget_calls();
        universe.run("").code(0).says("`image-tagged` in us-east-1 is unchanged: nothing to do.");
        assert_eq!(proxy.calls(), ["BatchGetImage", "GetFunction"]);

        // The tag names another image now; nothing else in the block has changed.
        let two = registry.push("live", "two");
        assert_ne!(one, two);
        proxy.forget_calls();
        let short = |digest: &str| digest[..17].to_owned();
        let line = format!("~ code            {}… → {}… (image-tagged:live)", short(&one), short(&two));
        universe.run("plan --exit-code").code(2).says(&line);
        universe.run("").code(0).says(&line).says("Updating code.");
        assert_eq!(proxy.writes(), ["UpdateFunctionCode"]);
        let body = proxy.bodies("UpdateFunctionCode").remove(0);
        assert_eq!(body["ImageUri"], format!("{repository}@{two}"));
        assert_eq!(body["Architectures"], json!(["arm64"]), "AWS would take x86_64 where nothing is said");
        assert!(body["RevisionId"].is_string());
        assert_eq!(deployed(&aws, "image-tagged").1, format!("{repository}@{two}"));
        universe.run("").code(0).says("unchanged");
    });
}

#[test]
fn a_digest_needs_nobody_to_look_it_up() {
    on_both(|kind| {
        let registry = Registry::new(kind, "pinned");
        let digest = registry.push("live", "one");
        let address = format!("{}@{digest}", registry.repository());
        let (universe, proxy, aws) = registry.universe("");
        universe.run(&format!("--image_uri {address}")).code(0);
        assert_eq!(deployed(&aws, "pinned").1, address);
        universe.run(&format!("--image_uri {}:whatever@{digest}", registry.repository())).code(0).says("unchanged");
        assert!(!proxy.calls().contains(&"BatchGetImage".to_owned()));
    });
}

#[test]
fn versions_and_aliases_of_images_are_published_once_each() {
    on_both(|kind| {
        let registry = Registry::new(kind, "image-released");
        registry.push("live", "one");
        let (universe, proxy, aws) = registry.universe("alias: live\n");
        universe.run("").code(0).says("version 1");
        proxy.forget_calls();
        universe.run("").code(0).says("is unchanged and is version 1");
        registry.push("live", "two");
        universe.run("").code(0).says("version 2");
        assert_eq!(proxy.writes()[..2], ["UpdateFunctionCode", "PublishVersion"]);
        let guard = proxy.bodies("PublishVersion").remove(0);
        assert!(guard["RevisionId"].is_string() && guard.get("CodeSha256").is_none(), "{guard}");
        assert_eq!(aws.versions("image-released"), ["1", "2"]);
        if kind == Kind::Moto {
            // The newest version is of the image before: what was published then is not what is live now.
            let one = registry.push("other", "one");
            let uri = format!("{}@{one}", registry.repository());
            boto(
                &emulator(kind).endpoint,
                "lambda",
                "update_function_code",
                &json!({ "FunctionName": "image-released", "ImageUri": uri }),
            );
            universe.run(&format!("--image_uri {uri}")).code(0).says("version 3");
        }
    });
}

#[test]
fn what_overrides_the_image_is_written_changed_and_cleared() {
    let registry = Registry::new(Kind::Ministack, "image-overridden");
    registry.push("live", "one");
    let config = "image_config: {command: [app.handler], working_directory: /srv}\n";
    let (universe, proxy, aws) = registry.universe(config);
    universe.run("").code(0).says("image_config");
    let live = || aws.get("image-overridden")["Configuration"]["ImageConfigResponse"]["ImageConfig"].clone();
    assert_eq!(live(), json!({ "Command": ["app.handler"], "WorkingDirectory": "/srv" }));
    universe.run("").code(0).says("unchanged");

    // What is not named stays, and is sent with what is: AWS takes the structure as a whole.
    universe.write("dpl.yml", registry.block("image_config: {command: [app.other]}\n"));
    universe.run("plan").code(0).says("app.handler → app.other");
    proxy.forget_calls();
    universe.run("").code(0);
    let sent = proxy.bodies("UpdateFunctionConfiguration").remove(0)["ImageConfig"].clone();
    assert_eq!(sent, json!({ "Command": ["app.other"], "WorkingDirectory": "/srv" }));
}

#[test]
fn an_image_that_is_not_there_stops_the_run_before_its_first_write() {
    on_both(|kind| {
        let registry = Registry::new(kind, "image-missing");
        let (universe, proxy, _) = registry.universe("");
        let told = universe.run("").code(3);
        told.says("image_uri: `image-missing` has no image with the tag `live` (dpl.yml:3:12)").says("push the image");
        let elsewhere = format!("--image_uri {}-not:v1", registry.repository());
        universe.run(&elsewhere).code(3).says("there is no repository `image-missing-not` in us-east-1 of account");
        let elsewhere = registry.repository().replace("us-east-1", "eu-west-1");
        let digest = format!("sha256:{}", "0a".repeat(32));
        let told = universe.run(&format!("--image_uri {elsewhere}@{digest}")).code(3);
        told.says("the image is in eu-west-1, the function in us-east-1");
        assert_eq!(proxy.writes(), [""; 0]);
    });
}

#[test]
fn an_index_of_several_images_is_refused_with_what_to_build_instead() {
    on_both(|kind| {
        let registry = Registry::new(kind, "several");
        let platform = |os: &str, architecture: &str, digit: &str| {
            let digest = format!("sha256:{}", digit.repeat(64));
            json!({ "mediaType": MANIFEST, "digest": digest, "size": 7, "platform": { "os": os, "architecture": architecture } })
        };
        let manifests = [platform("linux", "amd64", "1"), platform("unknown", "unknown", "2")];
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        registry.push_manifest("live", INDEX, &index);
        let (universe, proxy, _) = registry.universe("");
        let told = universe.run("").code(3);
        told.says("is an index of several images (linux/amd64, an attestation)").says("--provenance=false");
        assert_eq!(proxy.writes(), [""; 0]);
    });
}

const DENIED: &str = "User: arn:aws:sts::1:assumed-role/ci/x is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:1:repository/x because no identity-based policy allows the ecr:BatchGetImage action";

#[test]
fn where_the_registry_must_not_be_asked_the_tag_is_sent_and_that_is_said() {
    let registry = Registry::new(Kind::Moto, "image-unasked");
    registry.push("live", "one");
    let (universe, proxy, aws) = registry.universe("");
    proxy.on("BatchGetImage", 0, Fault::Answer(400, "AccessDeniedException", DENIED));
    let told = universe.run("").code(0);
    told.says("image_uri: cannot look up the image of the tag").says("ecr:BatchGetImage");
    assert_eq!(deployed(&aws, "image-unasked").1, format!("{}:live", registry.repository()));
    // Whether it is the same image is not known, so it is sent again.
    let told = universe.run("--publish").code(0);
    told.says("→ the image of its tag (image-unasked:live)").says("version 1");
}

#[test]
fn a_registry_that_fails_is_asked_again_and_then_told() {
    let registry = Registry::new(Kind::Ministack, "image-flaky");
    registry.push("live", "one");
    let (universe, proxy, aws) = registry.universe("");
    proxy.on("BatchGetImage", 1, Fault::Answer(500, "ServerException", "try later"));
    proxy.on("BatchGetImage", 2, Fault::ResetBefore);
    universe.run("plan").code(0);
    proxy.on("BatchGetImage", 0, Fault::Answer(400, "InvalidParameterException", "no such thing"));
    let told = universe.run("").code(1);
    told.says("cannot read the code of `image-flaky`").says("no such thing");
    assert!(!aws.exists("image-flaky"));
}

#[test]
fn the_registry_of_another_account_is_asked_by_its_number() {
    let registry = Registry::new(Kind::Ministack, "lent");
    registry.push("live", "one");
    let (universe, proxy, _) = registry.universe("");
    let lent = registry.repository().replace("000000000000", "210987654321");
    universe.run(&format!("plan --image_uri {lent}:live")).code(0).says(&lent);
    assert_eq!(proxy.bodies("BatchGetImage")[0]["registryId"], "210987654321");
}

#[test]
fn answers_that_are_lost_are_healed() {
    let registry = Registry::new(Kind::Ministack, "image-lost");
    registry.push("live", "one");
    let (universe, proxy, aws) = registry.universe("publish: true\n");
    proxy.on("CreateFunction", 1, Fault::ResetAfter);
    universe.run("").code(0).says("version 1");
    let two = registry.push("live", "two");
    proxy.on("UpdateFunctionCode", 1, Fault::ResetAfter);
    universe.run("").code(0).says("version 2");
    assert_eq!(deployed(&aws, "image-lost").1, format!("{}@{two}", registry.repository()));
    assert_eq!(aws.versions("image-lost"), ["1", "2"]);
}

#[test]
fn a_function_never_changes_between_package_and_image() {
    let registry = Registry::new(Kind::Ministack, "image-either");
    registry.push("live", "one");
    let (universe, proxy, _) = registry.universe("");
    universe.run("").code(0);
    let package = "function_name: image-either\nrole: arn:aws:iam::000000000000:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\n";
    universe.write("dist/index.py", "def handler(e, c): return 1\n");
    universe.write("dpl.yml", package);
    proxy.forget_calls();
    universe
        .run("")
        .code(3)
        .says("has the package type Image, which AWS never changes; this deployment has the type Zip");
    universe.write("dpl.yml", package.replace("image-either", "image-either-zip"));
    universe.run("").code(0);
    proxy.forget_calls();
    universe
        .write("dpl.yml", registry.block("").replace("function_name: image-either", "function_name: image-either-zip"));
    universe.run("").code(3).says("image_uri: `image-either-zip` has the package type Zip").says("the type Image");
    assert_eq!(proxy.writes(), [""; 0]);
}

#[test]
fn what_is_for_packages_is_refused_beside_an_image_all_at_once_and_without_aws() {
    let block = "function_name: f\nimage_uri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/f:1\n";
    let universe = Universe::empty().file("dpl.yml", format!("{block}zip: dist\ninclude: '*.py'\npackage_type: Zip\n"));
    let told = universe.run("check").code(3);
    told.says("zip: is for a package")
        .says("include: is for a package")
        .says("package_type: is Zip, but `image_uri` names an image (dpl.yml:5:15");
    let settings = "handler: index.handler\nruntime: python3.13\nlayers: arn:aws:lambda:us-east-1:123456789012:layer:deps:3\nsnap_start: PublishedVersions\ncode_signing_config_arn: arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789abcdef0\n";
    universe.write("dpl.yml", format!("{block}{settings}"));
    let told = universe.run("check").code(3);
    let told = told.says("handler: is for a package: an image has its own command (dpl.yml:3:10)");
    told.says("runtime: is").says("layers: are").says("snap_start: is").says("code_signing_config_arn: is");
    universe.write("dpl.yml", format!("{block}package_type: Image\narchitecture: arm64\nmemory_size: 512\n"));
    universe.run("check").code(0);
    universe
        .run("package --output f.zip")
        .code(3)
        .says("123456789012.dkr.ecr.us-east-1.amazonaws.com/f:1 is already an image");
    universe.write("dpl.yml", "function_name: f\nzip: .\npackage_type: Image\n");
    universe.run("check").code(3).says("package_type: is Image, but no image is named").says("`image_uri`");
    universe.write("dpl.yml", "function_name: f\nimage_uri: python:3.13\n");
    universe.run("check").code(3).says("not an image in a private registry of ECR");
}

#[test]
fn results_name_the_image() {
    let registry = Registry::new(Kind::Moto, "results");
    let digest = registry.push("live", "one");
    let (universe, _, _) = registry.universe("output_file: out.json\nsummary_file: summary.md\n");
    let document = universe.run("--format json").code(0).json();
    let function = &document["functions"][0];
    assert_eq!(function["image_uri"], format!("{}@{digest}", registry.repository()));
    assert_eq!((function.get("code_sha256"), function.get("package_size")), (None, None));
    let changes = function["plan"][0]["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["setting"] == "image_uri" && change["to"] == function["image_uri"]));
    let outputs: Value = serde_json::from_str(&universe.read("out.json")).unwrap();
    assert_eq!(outputs["image-digest"], digest);
    assert!(universe.read("summary.md").contains("**Image** "));
}

#[test]
fn the_policy_of_an_image_is_about_its_repository() {
    let block =
        "function_name: f\nregion: eu-west-1\nimage_uri: 210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/f:1\n";
    let policy: Value =
        serde_json::from_str(&Universe::empty().file("dpl.yml", block).run("policy").code(0).stdout).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let of_ecr: Vec<_> = statements.iter().filter(|statement| statement.to_string().contains("ecr:")).collect();
    assert_eq!(of_ecr.len(), 1, "{policy}");
    assert_eq!(of_ecr[0]["Resource"], "arn:aws:ecr:eu-west-1:210987654321:repository/team/f");
    assert!(of_ecr[0]["Action"].as_array().unwrap().contains(&json!("ecr:BatchGetImage")));
}
