//! What a rollback undoes, what it shows before, and which versions stay rolled back.

use serde_json::json;

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, emulator, on_both};
use crate::live_package::{Bucket, Manner};

/// Code that says which it is.
fn code(which: &str) -> String {
    format!("def handler(event, context):\n    return '{which}'\n")
}

/// A universe with a function that has an alias, and a proxy that counts.
fn released(kind: Kind, name: &str) -> (Universe, Proxy, Aws) {
    let emulator = emulator(kind);
    let proxy = Proxy::before(&emulator.endpoint);
    let account = kind.account();
    let block = format!(
        "function_name: {name}\nrole: arn:aws:iam::{account}:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\nalias: live\n"
    );
    (Universe::at(&proxy.endpoint).file("dpl.yml", block), proxy, Aws::of(&emulator.endpoint))
}

fn deploy(universe: &Universe, which: &str) {
    universe.write("dist/index.py", code(which));
    universe.run("").code(0);
}

/// The version of the alias, and the record of its last move.
fn live(aws: &Aws, function: &str) -> (String, String) {
    let alias = aws.alias(function, "live");
    let text = |member: &str| alias[member].as_str().unwrap_or_default().to_owned();
    (text("FunctionVersion"), text("Description"))
}

/// The universe as a job of this build.
fn build(universe: Universe, run: &str) -> Universe {
    let universe = universe.with("CI", "true").with("GITHUB_ACTIONS", "true").with("GITHUB_REPOSITORY", "o/r");
    universe.with("GITHUB_RUN_ID", run).with("GITHUB_REF", "refs/heads/main")
}

#[test]
fn a_refused_deployment_and_a_rollback_change_nothing() {
    on_both(|kind| {
        let (universe, proxy, aws) = released(kind, "refused");
        deploy(&universe, "good");
        deploy(&universe, "bad");
        universe.run("rollback").code(0).says("`live`: 2 → 1");
        assert_eq!(live(&aws, "refused"), ("1".to_owned(), "[rolled back: 2]".to_owned()));
        proxy.forget_calls();
        universe.shell("$TOOL --memory_size 1 || $TOOL rollback").code(3).says("version 2 is rolled back already");
        assert_eq!(proxy.writes(), Vec::<String>::new());
        assert_eq!(live(&aws, "refused").0, "1");
    });
}

#[test]
fn a_build_undoes_its_own_deployment_and_no_other() {
    on_both(|kind| {
        let (universe, proxy, aws) = released(kind, "of-builds");
        let universe = build(universe, "100");
        deploy(&universe, "one");
        deploy(&universe, "two");
        let universe = build(universe, "101");
        proxy.forget_calls();
        universe
            .shell("$TOOL --memory_size 1 || $TOOL rollback")
            .code(3)
            .says("this build did not move the alias: version 2 was deployed by another build")
            .says("`--any-build` or `--to 1`");
        assert_eq!(proxy.writes(), Vec::<String>::new());
        deploy(&universe, "three");
        universe.run("rollback").code(0).says("`live`: 3 → 2");
        universe.run("rollback").code(3).says("version 3 is rolled back already");
        deploy(&universe, "four");
        let universe = build(universe, "102");
        universe.run("rollback").code(3);
        universe.run("rollback --any-build --dry_run").code(0).says("`live`: 4 → 2");
        universe.run("rollback --to 3").code(0).says("`live`: 4 → 3");
        universe.run("rollback --to 4").code(0);
        universe.run("rollback").code(0).says("`live`: 4 → 3");
        assert_eq!(live(&aws, "of-builds"), ("3".to_owned(), "[rolled back: 4]".to_owned()));
    });
}

#[test]
fn outside_of_a_ci_the_last_deployment_of_any_build_is_undone() {
    let (universe, _, aws) = released(Kind::Ministack, "from-a-desk");
    let universe = build(universe, "7");
    deploy(&universe, "one");
    deploy(&universe, "two");
    let description = live(&aws, "from-a-desk").1;
    assert!(description.starts_with("[before: 1, build: "), "{description}");
    let desk = universe.without("CI").without("GITHUB_ACTIONS");
    desk.run("rollback").code(0).says("`live`: 2 → 1");
}

#[test]
fn records_of_earlier_versions_are_read() {
    let (universe, proxy, aws) = released(Kind::Ministack, "old-records");
    deploy(&universe, "one");
    deploy(&universe, "two");
    // So an earlier version left the alias after a rollback from 2 to 1.
    aws.change_alias("old-records", "live", &json!({ "FunctionVersion": "1", "Description": "ours [before: 2]" }));
    proxy.forget_calls();
    universe.run("rollback").code(3).says("version 2 is rolled back already");
    universe.run("").code(3).says("are version 2, which was rolled back to version 1");
    assert_eq!(proxy.writes(), Vec::<String>::new());
    // And so after a deployment.
    aws.change_alias("old-records", "live", &json!({ "FunctionVersion": "2", "Description": "ours [before: 1]" }));
    universe.run("rollback").code(0).says("`live`: 2 → 1");
    assert_eq!(live(&aws, "old-records").1, "ours [rolled back: 2]");
}

#[test]
fn a_version_that_was_rolled_back_is_not_made_live_by_the_next_push() {
    on_both(|kind| {
        let (universe, proxy, aws) = released(kind, "held-back");
        deploy(&universe, "good");
        deploy(&universe, "bad");
        universe.run("rollback").code(0);
        proxy.forget_calls();
        for verb in ["", "plan"] {
            let held = universe.run(verb).code(3).says("this code and these settings are version 2");
            held.says("was rolled back to version 1").says("`--redeploy`").says("dpl.yml:6");
        }
        assert_eq!(proxy.writes(), Vec::<String>::new());

        // Versions that were published since then, but never live, do not let it through.
        universe.write("dist/index.py", code("worse"));
        proxy.on("UpdateAlias", 1, Fault::Answer(400, "InvalidParameterValueException", "not today"));
        universe.run("").code(1);
        universe.write("dist/index.py", code("bad"));
        universe.run("").code(3).says("are version 2, which was rolled back");
        universe.run("plan --redeploy").code(0).says("~ alias");
        assert_eq!(live(&aws, "held-back").0, "1");

        // Other settings are another deployment.
        universe.run("--memory_size 256").code(0).says("version 4, alias live");
        let (version, record) = live(&aws, "held-back");
        assert_eq!((version.as_str(), record.as_str()), ("4", "[before: 1]"));
    });
}

#[test]
fn a_version_that_was_rolled_back_goes_live_if_somebody_says_so() {
    let (universe, _, aws) = released(Kind::Ministack, "again");
    deploy(&universe, "good");
    deploy(&universe, "bad");
    universe.run("rollback").code(0);
    universe.run("--redeploy").code(0).says("version 1 → version 2");
    assert_eq!(live(&aws, "again"), ("2".to_owned(), "[before: 1]".to_owned()));
    universe.run("").code(0).says("unchanged and is version 2");
    // Further back than one version: all of those between are held.
    deploy(&universe, "third");
    universe.run("rollback --to 1").code(0);
    for which in ["bad", "third"] {
        universe.write("dist/index.py", code(which));
        universe.run("").code(3).says("was rolled back to version 1");
    }
    universe.run("rollback --to 2").code(0);
    assert_eq!(live(&aws, "again").1, "[before: 1, rolled back: 3]");
    universe.run("").code(3).says("are version 3");
    deploy(&universe, "fourth");
    assert_eq!(live(&aws, "again"), ("4".to_owned(), "[before: 2]".to_owned()));
}

#[test]
fn a_rollback_shows_what_differs_before_it_moves() {
    on_both(|kind| {
        let (universe, proxy, _) = released(kind, "compared");
        universe.write("dist/old.py", "old = 1\n");
        universe.write("dist/index.py", code("one"));
        universe.run("--environment TOKEN=s3cret-one").code(0);
        std::fs::remove_file(universe.path("dist/old.py")).unwrap();
        universe.write("dist/index.py", code("three"));
        universe.run("--environment TOKEN=s3cret-two --memory_size 256").code(0);
        let lines = ["rollback --dry_run", "rollback"].map(|line| {
            proxy.forget_calls();
            let shown = universe.run(line).code(0).never_says("s3cret").never_says("X-Amz");
            shown.stdout.lines().filter(|line| line.starts_with("  ")).collect::<Vec<_>>().join("\n")
        });
        for told in ["memory_size        256 MB → 128 MB", "environment.TOKEN  changed (values hidden", "code "] {
            assert!(lines.iter().all(|shown| shown.contains(told)), "{}", lines.join("\n"));
        }
        assert_eq!(proxy.writes(), ["UpdateAlias"]);
    });
}

#[test]
fn a_rollback_names_the_files_that_differ() {
    let (universe, proxy, aws) = released(Kind::Ministack, "compared-files");
    universe.write("dist/old.py", "old = 1\n");
    let mut answers = ["one", "three"].map(|which| {
        deploy(&universe, which);
        universe.run(&format!("package --output {which}.zip")).code(0);
        let _ = std::fs::remove_file(universe.path("dist/old.py"));
        let bucket = Bucket::with(universe.bytes(&format!("{which}.zip")), Manner::Ranges);
        let mut answer = aws.get("compared-files");
        answer["Code"]["Location"] = json!(bucket.url);
        (answer, bucket)
    });
    for (index, (answer, _)) in answers.iter_mut().enumerate() {
        proxy.on("GetFunction", index + 1, Fault::Instead(200, answer.to_string()));
    }
    proxy.forget_calls();
    let shown = universe.run("rollback --dry_run --format json").code(0).never_says("X-Amz").json();
    let file = |name: &str, from: Option<u32>, to: Option<u32>| json!({ "name": name, "from": from, "to": to, "unit": "bytes" });
    let first = [file("index.py", Some(48), Some(46)), file("old.py", None, Some(8))];
    assert_eq!(shown["rollback"]["files"], json!({ "added": 1, "changed": 1, "removed": 0, "first": first }));
    proxy.forget_calls();
    universe.run("rollback").code(0).says("files    1 added, 1 changed").says("+ old.py").never_says("X-Amz");
}

#[test]
fn what_cannot_be_compared_does_not_keep_an_alias_from_going_back() {
    let (universe, proxy, _) = released(Kind::Ministack, "uncompared");
    deploy(&universe, "one");
    deploy(&universe, "two");
    proxy.forget_calls();
    proxy.on("GetFunction", 2, Fault::Answer(403, "AccessDeniedException", "no"));
    universe.run("rollback").code(0).never_says("warning").says("Rolled back live of uncompared to version 1.");
}

#[test]
fn versions_that_a_rollback_left_stay_while_they_are_held() {
    let (universe, _, aws) = released(Kind::Ministack, "held-and-kept");
    for which in ["1", "2", "3"] {
        deploy(&universe, which);
    }
    universe.run("rollback --to 1").code(0);
    universe.run("--keep_versions 1").code(3);
    deploy(&universe, "4");
    universe.run("rollback").code(0);
    assert_eq!(aws.versions("held-and-kept"), ["1", "2", "3", "4"]);
    universe.write("dist/index.py", code("5"));
    universe.run("--keep_versions 1").code(0).says("Deleting versions 2, 3, 4.");
    assert_eq!(aws.versions("held-and-kept"), ["1", "5"]);
}

/// The versions of a function as AWS lists them, each published on a day.
fn listed(aws: &Aws, function: &str, days: &[&str]) -> Fault {
    let configuration = aws.get(function)["Configuration"].clone();
    let version = |number: usize, day: &str| {
        let mut version = configuration.clone();
        version["Version"] = json!(number.to_string());
        version["LastModified"] = json!(day);
        version["CodeSha256"] = json!(format!("of {number}"));
        version
    };
    let versions: Vec<_> = days.iter().enumerate().map(|(index, day)| version(index + 1, day)).collect();
    Fault::Instead(200, json!({ "Versions": versions }).to_string())
}

#[test]
fn versions_are_kept_by_number_and_by_age() {
    const OLD: &str = "2020-01-02T03:04:05.678+0000";
    const YOUNG: &str = "2999-01-02T03:04:05.678+0000";
    let (universe, proxy, aws) = released(Kind::Ministack, "aged");
    for which in ["1", "2", "3"] {
        deploy(&universe, which);
    }
    proxy.on("ListVersionsByFunction", 0, listed(&aws, "aged", &[OLD, YOUNG, "no day", OLD, OLD, OLD]));
    universe.write("dist/index.py", code("4"));
    for (keep, deleted) in [
        ("{count: 2, days: 30}", "- old versions    1, 4, 5\n"),
        ("{count: 4, days: 30}", "- old versions    1\n"),
        ("{days: 30}", "- old versions    1, 4, 5, 6\n"),
        ("{count: 2}", "- old versions    1, 2, 4, 5\n"),
        ("2", "- old versions    1, 2, 4, 5\n"),
    ] {
        universe.write("keep.yml", format!("{}keep_versions: {keep}\n", universe.read("dpl.yml")));
        universe.run("plan --config keep.yml").code(0).says(deleted);
    }
    for (wrong, told) in [
        ("{}", "needs `count`, `days` or both"),
        ("{days: 0}", "`days` must be a whole number of 1"),
        ("{age: 3}", "age"),
        ("[1]", "must be a map"),
    ] {
        universe.write("keep.yml", format!("{}keep_versions: {wrong}\n", universe.read("dpl.yml")));
        universe.run("check --config keep.yml").code(3).says(told).says("keep.yml:7");
    }
}
