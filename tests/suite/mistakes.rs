//! Mistakes in the configuration that public reports show: each has one message that names the way out.

use crate::harness::{Outcome, Universe};

const BLOCK: &str = "function_name: demo\nrole: r\nruntime: python3.12\nhandler: index.handler\nzip: src\n";

/// A universe with the common block and these lines more, which begin in line 6.
fn with(more: &str) -> Universe {
    Universe::empty().file("src/index.py", "def handler(e, c): return 1\n").file("dpl.yml", format!("{BLOCK}{more}"))
}

fn on(branch: &str, more: &str) -> Universe {
    with(more).with("DRONE", "true").with("DRONE_BRANCH", branch)
}

fn check(more: &str) -> Outcome {
    with(more).run("check")
}

#[test]
fn a_map_where_one_value_belongs_is_refused() {
    for (more, right) in [
        ("ephemeral_storage: {size: 1024}\n", "`ephemeral_storage: 1024` or `ephemeral_storage: {Size: 1024}`"),
        ("ephemeral_storage: {size: 1024}\non: {branch: main}\n", "`ephemeral_storage: 1024`"),
        ("timeout: {seconds: 30}\n", "`timeout: 30`"),
        ("memory_size: {value: 512, unit: MB}\n", "`memory_size: 256`"),
        ("memory_size: {}\n", "`memory_size: 256`"),
        ("region: {Ref: AWS::Region}\n", "`region: AWS::Region`"),
        ("publish: {enabled: true}\n", "`publish: true`"),
        ("layers: {Arn: 'arn:x'}\n", "`layers: arn:x`"),
        ("tracing_mode: {enabled: Active}\n", "`tracing_mode: Active`"),
        ("log_retention_days: {days: 30}\n", "`log_retention_days: 30`"),
    ] {
        for universe in [with(more), on("main", more)] {
            for verb in ["check", "plan", "", "render"] {
                universe.run(verb).code(3).says("takes one value").says("(dpl.yml:6:").says(right);
            }
        }
    }
    let secret = "access_key_id: {value: AKIAQ7LIVEKEY7LIVEKE}\n";
    check(secret).code(3).says("takes one value").never_says("AKIAQ7LIVEKEY7LIVEKE");
}

#[test]
fn the_apis_own_form_of_one_value_is_taken() {
    for (more, rendered) in [
        ("ephemeral_storage: {Size: 1024}\n", "ephemeral_storage: 1024 "),
        ("ephemeral_storage: {main: {Size: 1024}}\n", "ephemeral_storage: 1024 "),
        ("tracing_mode: {Mode: Active}\n", "tracing_mode: Active "),
        ("tracing_config: {mode: Active}\n", "tracing_mode: Active "),
        ("dead_letter_arn: {TargetArn: 'arn:aws:sqs:eu-west-1:123456789012:q'}\n", "dead_letter_arn: arn:aws:sqs:"),
        ("snap_start: {ApplyOn: None}\n", "ApplyOn: None"),
        ("reserved_concurrency: {ReservedConcurrentExecutions: 5}\n", "reserved_concurrency: 5 "),
        ("alias: live\nprovisioned_concurrency: {ProvisionedConcurrentExecutions: 2}\n", "provisioned_concurrency: 2 "),
        ("log_retention_days: {RetentionInDays: 30}\n", "log_retention_days: 30 "),
        ("recursive_loop: {RecursiveLoop: Allow}\n", "recursive_loop: Allow "),
        ("environment: {Variables: {AB: 1}}\n", "\n  AB: (hidden)"),
        ("environment: {Variables: {from_env: HOME}}\n", "\n  Variables:"),
    ] {
        on("main", more).run("render").code(0).says(rendered);
        on("main", more).run("check").code(0);
    }
    let flags = "--ephemeral_storage '{\"Size\": 1024}' --tracing_mode '{\"Mode\": \"Active\"}' \
                 --log_retention_days '{\"RetentionInDays\": 30}' --environment '{\"Variables\": {\"AB\": \"c\"}}'";
    let outcome = with("").run(&format!("render {flags}")).code(0);
    outcome.says("ephemeral_storage: 1024").says("log_retention_days: 30").says("AB: (hidden)");
    for more in ["ephemeral_storage: {Size: 1024, Unit: MB}\n", "environment: {Variables: {AB: 1}, CD: 2}\n"] {
        check(more).code(3).says("where it has no meaning (dpl.yml:6:");
    }
}

#[test]
fn maps_by_branch_stay_what_they_are_in_dpl() {
    for (branch, more, found) in [
        ("main", "memory_size: {main: 512, develop: 256}\n", Some("512")),
        ("feature-1", "memory_size: {feature-1: 512}\n", Some("512")),
        ("topic", "memory_size: {main: 512}\n", None),
        ("topic", "memory_size: {acme: 512}\ntimeout: {acme: 3}\n", None),
        ("topic", "memory_size: {acme: 512}\non: {branch: [acme, topic]}\n", None),
        ("release/7", "memory_size: {'release/*': 512, main: 256}\n", Some("512")),
        ("main", "memory_size: {'m*': 512, main: 256}\n", Some("256")),
        ("topic", "memory_size: {feature/x: 512}\n", None),
    ] {
        let universe = on(branch, more);
        match found {
            Some(found) => universe.run("render").code(0).says(&format!("memory_size: {found}")),
            None => universe.run("render").code(0).says("`memory_size` is given by branch").says("dpl.yml:6:"),
        };
    }
    let known_to_git = on("topic", "memory_size: {acme: 512}\n");
    known_to_git
        .shell("git init -q . && git -c user.name=a -c user.email=b commit -q --allow-empty -m x && git branch acme")
        .code(0);
    known_to_git.run("render").code(0).says("`memory_size` is given by branch");
    let travis = "deploy: {provider: lambda, function_name: {acme: demo}, zip: src}\n";
    let travis = Universe::empty().file(".travis.yml", travis).with("TRAVIS", "true").with("TRAVIS_BRANCH", "main");
    travis.run("").code(0).says("this branch is not permitted: main");
}

#[test]
fn an_option_without_a_value_for_this_branch_is_reported() {
    let more = "memory_size: {develop: 512}\non: {branch: [main, develop]}\n";
    let outcome = on("main", more).run("plan");
    outcome.says("warning: memory_size: has no value in this build").says("for `develop`, and this branch is `main`");
    on("develop", more).run("plan").never_says("has no value in this build");
    on("main", more).run("plan --memory_size 128").never_says("has no value in this build");
}

#[test]
fn a_skip_is_shown_once_for_a_block_and_never_hidden() {
    let block = "  - {function_name: {main: a}, role: {main: r}, timeout: {main: 3}, zip: src}\n";
    let universe = Universe::empty().file("dpl.yml", format!("deploy:\n{block}{block}"));
    let universe = universe.with("DRONE", "true").with("DRONE_BRANCH", "topic");
    for arguments in ["", "--quiet", "plan", "plan --quiet", "check", "check --quiet", "status", "status --quiet"] {
        let outcome = universe.run(arguments).code(0);
        assert_eq!(outcome.all().matches("by branch").count(), 2, "{arguments}: {}", outcome.all());
        let outcome = outcome.says("`function_name` is given by branch, for `main`, and this branch is `topic`");
        let last = outcome.says("(dpl.yml:3:21)").all();
        assert!(last.trim_end().lines().last().unwrap().contains("all 2 blocks were skipped"), "{last}");
    }
    let tagged = universe.with("DRONE_TAG", "v1").with("DRONE_BRANCH", "v1");
    tagged.run("plan --exit-code").code(0).says("this is a build of the tag `v1`").says("all 2 blocks were skipped");
}
