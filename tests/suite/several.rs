//! What a run of several blocks shows: who it is, what became of all of them, and the outputs of each.

use serde_json::{Value, json};

use crate::harness::{Kind, Universe, emulator, oracles};

/// Two functions and a layer.
fn world(name: &str, more: &str) -> Universe {
    let function = |which: &str| {
        format!(
            "  - {{function_name: {name}-{which}, role: deployed, runtime: python3.12, handler: index.handler, zip: dist, region: us-east-1{more}}}\n"
        )
    };
    let layer = format!("  - {{layer: {{name: {name}-layer, zip: layer}}, region: us-east-1}}\n");
    Universe::at(&emulator(Kind::Ministack).endpoint)
        .file("dist/index.py", "def handler(e, c): return 1\n")
        .file("layer/python/m.py", "")
        .file("dpl.yml", format!("deploy:\n{}{}{layer}", function("a"), function("b")))
}

#[test]
fn the_last_line_says_what_became_of_all_blocks() {
    let universe = world("tallied", "");
    universe.run("plan").code(0).says("\n2 to create, 1 layer to publish in ");
    let outcome = universe.with("GITHUB_STEP_SUMMARY", "summary.md").run("--summary_file summary.md").code(0);
    assert!(
        outcome.stdout.lines().last().unwrap().starts_with("2 created, 1 layer published in "),
        "{}",
        outcome.all()
    );
    let universe = world("tallied", "");
    let outcome = universe.run("--function_name tallied-a --timeout 9").code(0);
    assert!(!outcome.all().contains("updated in"), "one block has no tally: {}", outcome.all());
    let document = universe.run("--format json --summary_file summary.md").code(0).json();
    let totals = &document["totals"];
    assert_eq!(
        (&totals["unchanged"], &totals["layers_unchanged"], &totals["created"]),
        (&json!(2), &json!(1), &json!(0))
    );
    assert!(totals["seconds"].is_f64(), "{totals}");
    assert!(universe.read("summary.md").contains("2 unchanged, 1 layer unchanged in "));
    universe.run("--quiet --timeout 8").code(0).says("2 updated, 1 layer unchanged in ");
}

#[test]
fn a_failure_and_what_was_skipped_are_counted() {
    let universe = world("counted", ", on: {branch: main}").with("DRONE", "true").with("DRONE_BRANCH", "topic");
    let outcome = universe.run("").code(0);
    assert!(!outcome.all().contains("skipped in"), "nothing was deployed: {}", outcome.all());
    let text = universe.read("dpl.yml").replacen(", on: {branch: main}", "", 1);
    universe.write("dpl.yml", text);
    universe.run("").code(0).says("1 created, 1 layer published, 1 skipped in ");
}

#[test]
fn later_steps_get_the_outputs_of_each_function() {
    let universe = world("outputs", ", publish: true").with("CI", "true").with("GITHUB_ACTIONS", "true");
    let path = universe.path("output").display().to_string();
    let universe = universe.with("GITHUB_OUTPUT", &path);
    universe.run("").code(0);
    let (outputs, fails) = oracles::github_outputs(&universe.read("output"));
    assert!(!fails);
    let functions: Value = serde_json::from_str(&outputs["functions"]).unwrap();
    for which in ["outputs-a", "outputs-b"] {
        let one = &functions[which];
        assert_eq!(
            (&one["version"], &one["changed"], &one["region"]),
            (&json!("1"), &json!(true), &json!("us-east-1"))
        );
        assert!(one["function_arn"].as_str().unwrap().ends_with(&format!(":function:{which}")), "{one}");
        assert!(one["package_size"].is_u64() && one["code_sha256"].is_string(), "{one}");
    }
    assert_eq!(outputs["version"], "1", "the plain names are those of the last function");
    universe.run("--output_file all.json").code(0);
    let all: Value = serde_json::from_str(&universe.read("all.json")).unwrap();
    assert_eq!(all["functions"]["outputs-b"]["changed"], json!(false));
    universe.run("--output_file one.env").code(0);
    assert!(!universe.read("one.env").contains("FUNCTIONS"));
}

#[test]
fn the_packages_of_several_blocks_have_headings() {
    let universe = world("listed", "");
    let outcome = universe.run("package --list").code(0);
    for heading in ["listed-a:\n", "listed-b:\n", "layer listed-layer:\n"] {
        assert!(outcome.stdout.contains(heading), "{}", outcome.all());
    }
    assert_eq!(
        universe.run("package --list --format json").code(0).json()["packages"][0]["name"],
        "listed-layer".replace("listed-layer", "listed-a")
    );
    let one = universe.run("package --list --function_name listed-a").code(0);
    assert!(!one.stdout.contains("listed-a:"), "{}", one.all());
}

#[test]
fn the_words_of_dpl_are_for_dpl_and_others_get_account_and_identity() {
    let universe = world("who", ", expect_account: '000000000000'");
    let outcome = universe.run("plan").code(0).never_says("Using Access Key");
    assert_eq!(outcome.stdout.matches("Logged in to account 000000000000 as ").count(), 1, "{}", outcome.all());
    universe.run("plan --ci travis").code(0).says("Using Access Key: AK***").never_says("Logged in");
    let line = "--function_name who-c --role deployed --runtime python3.12 --handler index.handler --zip dist";
    universe.run(&format!("lambda {line} --dry_run")).code(0).says("Using Access Key: AK***").never_says("Logged in");
    universe.run(&format!("--provider lambda {line} --dry_run")).code(0).says("Using Access Key: AK***");
}
