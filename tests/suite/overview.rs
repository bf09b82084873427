//! The overview of a run of several functions: a table in the log and in summaries, and every block in the JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    at_once::{Rule, Service},
    harness::{Outcome, Universe},
};

const AT_ONCE: Rule = Rule::Answer(Duration::from_millis(1));

/// A service that refuses the changes of functions with `bad` in their name.
pub fn service() -> Service {
    Service::new(|method, name, _| match method {
        "PUT" if name.contains("bad") => Rule::Refuse(403, "AccessDeniedException"),
        _ => AT_ONCE,
    })
}

/// A universe with these blocks. Functions with `new` in their name are created, those with `lost` have no files, and the
/// others have a timeout of 3 s before.
pub fn universe(service: &Service, blocks: &[(&str, &str)]) -> Universe {
    let line = |(name, more): &(&str, &str)| {
        let new = "role: arn:aws:iam::000000000000:role/r, runtime: python3.12, handler: index.handler, zip: ";
        let kind = match *name {
            name if name.contains("lost") => format!("{new}lost"),
            name if name.contains("new") => format!("{new}dist"),
            _ => "only: settings".to_owned(),
        };
        format!("  - {{function_name: {name}, {kind}{more}}}\n")
    };
    let blocks: String = blocks.iter().map(line).collect();
    Universe::at(&service.endpoint)
        .file("dist/index.py", "def handler(event, context):\n    return 1\n")
        .file("dpl.yml", format!("deploy:\n{blocks}"))
}

/// A function of each kind.
pub const EACH: &[(&str, &str)] = &[
    ("same", ", timeout: 3"),
    ("new-orders", ""),
    ("invoices", ", timeout: 9, memory_size: 256"),
    ("bad-mails", ", timeout: 9"),
    ("web", ", timeout: 9"),
];

/// The lines of the table, without times.
fn table(outcome: &Outcome) -> Vec<String> {
    const WORDS: [&str; 7] =
        ["created  ", "updated  ", "failed  ", "not begun  ", "to create  ", "to update  ", "unchanged  "];
    let rows = outcome.stdout.lines().filter(|line| WORDS.iter().any(|word| line.starts_with(word)));
    let rows: Vec<_> = rows.map(|line| line.replace(|c: char| c.is_ascii_digit(), "0")).collect();
    assert!(rows.iter().all(|row| row.chars().count() <= 80), "{rows:?}");
    rows
}

#[test]
fn the_log_ends_with_a_table_in_the_order_of_the_blocks() {
    let service = service();
    let outcome = universe(&service, EACH).run("--parallel 1").code(4);
    insta::assert_snapshot!(table(&outcome).join("\n"), @"
    created    new-orders  in 0.0 s
    updated    invoices    in 0.0 s: timeout, memory_size
    failed     bad-mails   AWS denied `lambda:UpdateFunctionConfiguration` on `bad-…
    not begun  web         after the failure of `bad-mails`
    ");
    let last = outcome.stdout.lines().last().unwrap();
    assert!(last.starts_with("1 created, 1 updated, 1 unchanged, 1 failed, 1 not begun in "), "{last}");
    // Quiet logs have it too, and verbose ones every function.
    let all = universe(&service, EACH).run("--parallel 1 --verbose").code(4);
    assert!(table(&all).iter().any(|row| row.starts_with("unchanged  same")), "{}", all.all());
    assert_eq!(table(&universe(&service, EACH).run("--parallel 1 --quiet").code(4)).len(), 2);
    let plan = universe(&service, EACH).run("plan").code(0);
    insta::assert_snapshot!(table(&plan).join("\n"), @"
    to update  bad-mails  timeout
    to update  web        timeout
    ");
    let one = universe(&service, &EACH[2..3]).run("--timeout 8").code(0);
    assert_eq!(table(&one).len(), 0, "{}", one.all());
}

#[test]
fn what_failed_before_the_plans_leaves_the_others_not_begun() {
    let blocks = [("new-a", ""), ("new-lost", ""), ("new-c", "")];
    let service = service();
    let universe = universe(&service, &blocks);
    for (line, word) in [("--parallel 1", "deployed"), ("plan --parallel 1", "planned")] {
        let outcome = universe.run(line).code(3).says(&format!("not {word} after the failure: "));
        let rows = table(&outcome);
        assert!(rows.iter().any(|row| row.starts_with("failed     new-lost  ")), "{rows:?}");
        assert!(rows.iter().any(|row| row == "not begun  new-c     after the failure of `new-lost`"), "{rows:?}");
    }
    assert!(service.take("POST").is_empty());
}

#[test]
fn the_document_has_every_block_in_order() {
    let service = service();
    let document = universe(&service, EACH).run("--parallel 1 --format json").code(4).json();
    let outcomes: Vec<_> = document["functions"].as_array().unwrap().iter().map(|one| &one["outcome"]).collect();
    assert_eq!(outcomes, ["unchanged", "deployed", "deployed", "failed", "not_begun"]);
    let last = &document["functions"][4];
    assert_eq!((&last["reason"], &last["changed"]), (&json!("after the failure of `bad-mails`"), &json!(false)));
    let totals = &document["totals"];
    assert_eq!((&totals["failed"], &totals["not_begun"], &totals["created"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(document["errors"][0]["region"], "us-east-1");
    // A failure before the plans has its Region too, and the later ones their reason.
    let universe = universe(&service, &[("new-lost", ""), ("new-b", ""), ("new-lost", ", region: eu-west-1")]);
    let document = universe.run("plan --parallel 1 --format json").code(3).json();
    let found: Vec<_> = document["functions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["function_name"].as_str().unwrap(), one["region"].as_str().unwrap(), one["outcome"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        found,
        [
            ("new-lost", "us-east-1", "failed"),
            ("new-b", "us-east-1", "not_begun"),
            ("new-lost", "eu-west-1", "not_begun")
        ]
    );
}

#[test]
fn a_failure_in_one_region_is_not_that_of_another() {
    let service = Service::new(|_, _, _| AT_ONCE);
    let universe = universe(&service, &[("new-both", "")]);
    let blocks = "deploy:\n  - {function_name: new-both, region: [us-east-1, eu-west-1], zip: dist, runtime: python3.12, handler: index.handler, role: arn:aws:iam::000000000000:role/r}\n";
    universe.write("dpl.yml", blocks);
    let outcome = universe.run("plan").code(0);
    let rows = table(&outcome);
    assert!(rows[0].contains("us-east-0") && rows[1].contains("eu-west-0"), "{rows:?}");
    let document = universe.run("plan --format json").code(0).json();
    assert_eq!(document["functions"][1]["region"], "eu-west-1");
}

#[test]
fn two_hundred_unchanged_functions_are_one_line() {
    let names: Vec<_> = (0..200).map(|number| format!("fn-{number:03}")).collect();
    let mut blocks: Vec<_> = names.iter().map(|name| (name.as_str(), ", timeout: 3")).collect();
    blocks[100].1 = ", timeout: 9";
    let service = service();
    let universe = universe(&service, &blocks).with("CI", "true").with("GITHUB_ACTIONS", "true");
    let path = universe.path("page.md").display().to_string();
    let outcome = universe.with("GITHUB_STEP_SUMMARY", &path);
    let (universe, outcome) = (&outcome, outcome.run("").code(0));
    assert_eq!(table(&outcome).len(), 1, "{}", outcome.all());
    assert!(outcome.stdout.lines().last().unwrap().starts_with("1 updated, 199 unchanged in "));
    let page = universe.read("page.md");
    assert!(page.len() < 8_000 && page.contains("<summary>199 unchanged</summary>"), "{}", page.len());
    assert!(page.starts_with("| result | name | version | time | |\n"), "{page}");
    let document = universe.run("--format json").code(0).json();
    assert_eq!(document["functions"].as_array().map(Vec::len), Some(200));
}

#[test]
fn the_page_of_many_changes_is_cut_and_says_so() {
    let names: Vec<_> = (0..120).map(|number| format!("fn-{number:03}")).collect();
    let variables: String = (0..60).map(|number| format!("VARIABLE_NUMBER_{number}: some-value-{number}, ")).collect();
    let more = format!(", environment_mode: merge, environment: {{{variables}}}");
    let blocks: Vec<_> = names.iter().map(|name| (name.as_str(), more.as_str())).collect();
    let service = service();
    let universe = universe(&service, &blocks);
    universe.run("plan --quiet --summary_file page.md").code(0);
    let page = universe.read("page.md");
    assert!(page.len() < 300_000, "{}", page.len());
    assert_eq!(page.matches("| ✔ to update | fn-").count(), 120, "the table has all of them");
    let shown = page.matches("<details>").count();
    let left: usize = page.split("… ").last().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(page.contains("more parts in the log of the run.") && shown + left == 120, "{shown} {left}");
}

#[test]
fn every_summary_begins_with_the_table() {
    let service = service();
    let agent = "#!/bin/sh\n[ \"$1\" = annotate ] && cat > \"$TOLD\"\nexit 0\n";
    for (ci, variables) in [
        ("github", &[("GITHUB_STEP_SUMMARY", "page.md")][..]),
        ("buildkite", &[("TOLD", "page.md")]),
        ("azure", &[("AGENT_TEMPDIRECTORY", "temp")]),
        ("gitlab", &[]),
    ] {
        let mut universe = universe(&service, EACH).file("../bin/buildkite-agent!", agent).file("temp/empty", "");
        let path = format!("{}:{}", universe.path("../bin").display(), std::env::var("PATH").unwrap());
        universe = universe.with("PATH", &path);
        for (name, path) in variables {
            let path = universe.path(path).display().to_string();
            universe = universe.with(name, &path);
        }
        let more = if ci == "gitlab" { "--summary_file page.md" } else { "" };
        universe.run(&format!("plan --ci {ci} {more}")).code(0);
        let page = match ci {
            "azure" => {
                let files = std::fs::read_dir(universe.path("temp")).unwrap();
                let mut files = files.map(|file| file.unwrap().path());
                std::fs::read_to_string(files.find(|file| file.extension().is_some()).unwrap()).unwrap()
            }
            _ => universe.read("page.md"),
        };
        assert!(page.starts_with("| result | name | version | time | |\n"), "{ci}: {page}");
        let rest = page.split_once("to update, ").map(|(_, rest)| rest).unwrap_or_default();
        assert!(rest.contains("<details><summary>Plan for "), "{ci}: {page}");
    }
    let failed = universe(&service, EACH);
    failed.run("--parallel 1 --summary_file page.md").code(4);
    let page = failed.read("page.md");
    assert!(page.contains("| ✘ **failed** | bad-mails |"), "{page}");
    assert!(page.find("### ✘ ").unwrap() < page.find("<details>").unwrap(), "{page}");
}

#[test]
fn a_report_of_cases_has_the_blocks_that_did_not_begin() {
    let service = service();
    let universe = universe(&service, EACH);
    universe.run("--parallel 1 --junit report.xml").code(4);
    let report = universe.read("report.xml");
    assert!(report.contains("failures=\"1\""), "{report}");
    let web = report.split("<testsuite ").find(|suite| suite.contains("web in us-east-1")).unwrap();
    assert_eq!(web.matches("<testcase").count(), 1, "{web}");
    assert!(web.contains("<skipped message=\"after the failure of `bad-mails`\""), "{web}");
}

#[test]
fn a_check_of_several_blocks_counts_them() {
    let service = service();
    let universe = universe(&service, &[("new-a", ""), ("new-lost", ""), ("new-c", "")]);
    let outcome = universe.run("check").code(3);
    let rows = table(&outcome);
    assert!(rows.len() == 1 && rows[0].starts_with("failed  new-lost"), "{rows:?}");
    assert!(outcome.stdout.lines().last().unwrap().starts_with("2 checked, 1 failed in "), "{}", outcome.all());
    let document: Value = universe.run("check --format json").code(3).json();
    assert_eq!((&document["totals"]["checked"], &document["functions"][1]["outcome"]), (&json!(2), &json!("failed")));
}

/// A file with two stages.
fn staged(service: &Service) -> Universe {
    universe(service, &[("web", ", timeout: 3"), ("api", ", timeout: 9")])
        .file("stages.yml", "stages: {dev: {branch: develop}, prod: {branch: main}}\n")
}

#[test]
fn the_stage_and_what_chose_it_are_named_once() {
    let service = service();
    let universe = staged(&service);
    universe.write("dpl.yml", universe.read("stages.yml") + &universe.read("dpl.yml"));
    let outcome = universe.run("plan --stage prod").code(0).says("Stage prod (--stage).\n");
    assert_eq!(outcome.all().matches("Stage prod").count(), 1);
    universe.run("plan --quiet --stage prod").code(0).never_says("Stage prod");
    let document = universe.run("plan --stage dev --format json").code(0).json();
    assert_eq!(document["stage"], json!({ "name": "dev", "place": { "flag": "--stage" } }));
    let universe = universe.with("DPL_LAMBDA_STAGE", "dev");
    universe.run("check").code(0).says("Stage dev (DPL_LAMBDA_STAGE).\n");
    let universe = universe.without("DPL_LAMBDA_STAGE").with("DRONE", "true").with("DRONE_BRANCH", "main");
    universe.run("plan --summary_file page.md").code(0).says("Stage prod (branch main).\n");
    assert!(universe.read("page.md").starts_with("Stage prod (branch main)."), "{}", universe.read("page.md"));
    let document = universe.run("plan --format json").code(0).json();
    assert_eq!(document["stage"], json!({ "name": "prod", "branch": "main" }));
}

#[test]
fn lines_about_one_function_in_two_regions_name_the_region() {
    let service = service();
    let both = ", region: [us-east-1, eu-west-1]";
    let universe = universe(&service, &[("new-both", both), ("new-lost", both), ("new-one", "")]);
    let outcome = universe.run("check").code(3);
    for region in ["us-east-1", "eu-west-1"] {
        for line in ["`new-both` in REGION is configured correctly", "cannot package `new-lost` in REGION\n"] {
            let line = line.replace("REGION", region);
            assert_eq!(outcome.all().matches(&line).count(), 1, "{line}: {}", outcome.all());
        }
    }
    outcome.says("`new-one` is configured correctly");
    universe.run("plan --parallel 1").code(3).says("`new-lost` in eu-west-1").says("`new-one`, ");
    universe
        .write("dpl.yml", universe.read("dpl.yml").replace("new-lost", "new-found").replace("zip: lost", "zip: dist"));
    let outcome = universe.run("package --list").code(0).says("new-both in us-east-1:\n").says("new-one:\n");
    assert_eq!(outcome.stdout.matches("new-found in eu-west-1:\n").count(), 1, "{}", outcome.all());
    let skipped = universe.read("dpl.yml").replace("region: [", "on: {branch: main}, region: [");
    universe.write("dpl.yml", skipped);
    let outcome = universe.with("DRONE", "true").with("DRONE_BRANCH", "topic").run("plan").code(0);
    outcome.says("Skipped `new-both` in eu-west-1: ").says("Skipped `new-both` in us-east-1: ");
}
