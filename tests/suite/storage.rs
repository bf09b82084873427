//! The account's storage for code is full: what takes the room, and the way out.

use serde_json::{Value, json};

use crate::harness::{Canned, Fault, Universe};

fn full() -> Fault {
    Fault::Answer(400, "CodeStorageExceededException", "Code storage limit exceeded.")
}

/// A function with three versions, in an account with little room.
fn crowded() -> (Universe, Canned) {
    let canned = Canned::function("f", &json!({ "CodeSize": 40 << 20 }));
    (1..=3).for_each(|_| drop(canned.world().publish()));
    canned.world().around.insert(
        "GetAccountSettings",
        json!({ "AccountLimit": { "TotalCodeSize": 80_530_636_800_u64 }, "AccountUsage": { "TotalCodeSize": 80_500_000_000_u64 } }),
    );
    let universe = Universe::at(&canned.proxy.endpoint)
        .file("dist/index.py", "def handler(e, c): return 1\n")
        .file("dpl.yml", "function_name: f\nzip: dist\npublish: true\n");
    (universe, canned)
}

#[test]
fn a_full_storage_names_what_takes_the_room_and_how_to_make_some() {
    for step in ["UpdateFunctionCode", "PublishVersion"] {
        let (universe, canned) = crowded();
        canned.proxy.on(step, 1, full());
        universe
            .run("")
            .code(1)
            .says("Code storage limit exceeded.; the account uses 76770 of 76800 MB in us-east-1")
            .says("`f` has 3 published versions with 120 MB")
            .says("`dpl-lambda delete --function_name f --qualifier N`")
            .says("`keep_versions: 5`")
            .says("`lambda:DeleteFunction`")
            .never_says("to see what takes the room");
    }
}

#[test]
fn a_full_storage_names_the_rights_to_look_at_it() {
    let denied = |action: &str| {
        let said = format!(
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: lambda:{action} because no identity-based policy allows it"
        );
        Fault::Answer(403, "AccessDeniedException", said.leak())
    };
    let (universe, canned) = crowded();
    canned.proxy.on("UpdateFunctionCode", 1, full());
    canned.proxy.on("GetAccountSettings", 1, denied("GetAccountSettings"));
    universe.write("dpl.yml", "function_name: f\nzip: dist\n");
    canned.proxy.on("ListVersionsByFunction", 1, denied("ListVersionsByFunction"));
    universe
        .run("")
        .code(1)
        .says("Code storage limit exceeded.")
        .says("allow `lambda:GetAccountSettings` and `lambda:ListVersionsByFunction`")
        .says("keep_versions");
    // A read that fails in another way hides nothing of the refusal.
    let (universe, canned) = crowded();
    universe.write("dpl.yml", "function_name: f\nzip: dist\n");
    canned.proxy.on("UpdateFunctionCode", 1, full());
    canned.proxy.on("GetAccountSettings", 1, Fault::Answer(400, "InvalidRequestContentException", "no"));
    universe.run("").code(1).says("Code storage limit exceeded.").says("3 published versions").never_says("allow `");
}

#[test]
fn a_full_storage_of_layers_names_the_layer() {
    let canned = Canned::function("unused", &json!({}));
    let layers = json!({ "LayerVersions": [{ "Version": 2, "LayerVersionArn": "arn:aws:lambda:us-east-1:123456789012:layer:deps:2" }, { "Version": 1, "LayerVersionArn": "arn:aws:lambda:us-east-1:123456789012:layer:deps:1" }] });
    let version: Value = json!({ "Version": 2, "LayerVersionArn": "arn:aws:lambda:us-east-1:123456789012:layer:deps:2", "Content": { "CodeSha256": "old" } });
    canned.world().around.extend([("ListLayerVersions", layers), ("GetLayerVersion", version)]);
    canned.proxy.on("PublishLayerVersion", 1, full());
    let universe =
        Universe::at(&canned.proxy.endpoint).file("layer/python/x.py", "x = 1\n").file("dpl.yml", "layer: deps\n");
    universe
        .run("")
        .code(1)
        .says("Code storage limit exceeded.")
        .says("the layer `deps` has 2 versions")
        .says("delete-layer-version --layer-name deps")
        .says("`lambda:DeleteLayerVersion`");
}
