//! Pull requests: nothing of a file is deployed from them unless the file says so, and `plan` shows what merging would
//! do.

use serde_json::json;

use crate::harness::{Kind, Outcome, Proxy, Universe, emulator};

type Variables = &'static [(&'static str, &'static str)];

/// A build of a pull request into `main`, as each CI has it.
const PULL_REQUESTS: &[Variables] = &[
    &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_BASE_REF", "main")],
    &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "pull_request_target"), ("GITHUB_BASE_REF", "main")],
    &[("GITEA_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_BASE_REF", "main")],
    &[("GITLAB_CI", "true"), ("CI_MERGE_REQUEST_IID", "7"), ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")],
    &[
        ("GITLAB_CI", "true"),
        ("CI_EXTERNAL_PULL_REQUEST_IID", "7"),
        ("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME", "main"),
    ],
    &[("CI", "woodpecker"), ("CI_PIPELINE_EVENT", "pull_request"), ("CI_COMMIT_TARGET_BRANCH", "main")],
    &[("TRAVIS", "true"), ("TRAVIS_PULL_REQUEST", "7"), ("TRAVIS_BRANCH", "main")],
    &[("TF_BUILD", "True"), ("BUILD_REASON", "PullRequest"), ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main")],
    &[("BUILDKITE", "true"), ("BUILDKITE_PULL_REQUEST", "7"), ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main")],
    &[("BITBUCKET_COMMIT", "abc"), ("BITBUCKET_PR_ID", "7"), ("BITBUCKET_PR_DESTINATION_BRANCH", "main")],
    &[("DRONE", "true"), ("DRONE_BUILD_EVENT", "pull_request"), ("DRONE_BRANCH", "main")],
    &[("APPVEYOR", "True"), ("APPVEYOR_PULL_REQUEST_NUMBER", "7"), ("APPVEYOR_REPO_BRANCH", "main")],
    &[
        ("CODEBUILD_BUILD_ARN", "arn:x"),
        ("CODEBUILD_SOURCE_VERSION", "pr/7"),
        ("CODEBUILD_WEBHOOK_EVENT", "PULL_REQUEST_UPDATED"),
        ("CODEBUILD_WEBHOOK_BASE_REF", "refs/heads/main"),
    ],
    &[("JENKINS_URL", "http://x/"), ("BUILD_ID", "1"), ("CHANGE_ID", "7"), ("CHANGE_TARGET", "main")],
    &[("JENKINS_URL", "http://x/"), ("BUILD_ID", "1"), ("ghprbPullId", "7"), ("ghprbTargetBranch", "main")],
    &[("CI", "true"), ("CIRRUS_PR", "7"), ("CIRRUS_BASE_BRANCH", "main")],
    // Who switches the dialect off does not make a push of it.
    &[("CI", "false"), ("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_BASE_REF", "main")],
];

/// The same where the CI does not say which branch it goes to.
const WITHOUT_BASE: &[Variables] = &[
    &[("CIRCLECI", "true"), ("CIRCLE_PULL_REQUEST", "https://github.com/o/r/pull/7"), ("CIRCLE_BRANCH", "main")],
    &[("CIRCLECI", "true"), ("CIRCLE_BRANCH", "pull/7")],
    &[("TEAMCITY_VERSION", "2026.1"), ("teamcity.pullRequest.number", "7")],
    &[("CODEBUILD_BUILD_ARN", "arn:x"), ("CODEBUILD_SOURCE_VERSION", "pr/7")],
];

const PUSH: Variables = &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/heads/main")];

/// Every form of a block and of a layer, each of which a push to `main` deploys.
const FORMS: &[&str] = &[
    "function_name: f\nzip: dist\n",
    "deploy:\n  function_name: f\n  zip: dist\n",
    "deploy:\n  - function_name: f\n    zip: dist\n",
    "deploy:\n  - function_name: f\n    zip: dist\n  - function_name: g\n    zip: dist\n",
    "function_name: {main: prod, develop: staging}\nzip: dist\n",
    "function_name: {main: prod}\nzip: dist\n",
    "function_name: f\nmemory_size: {main: 512}\nzip: dist\n",
    "function_name: f\nzip: dist\nlayers: {main: [deps]}\n",
    "deploy:\n  function_name: f\n  zip: dist\n  on: main\n",
    "deploy:\n  function_name: f\n  zip: dist\n  on: {branch: [main, 'release/*']}\n",
    "deploy:\n  function_name: f\n  zip: dist\n  on: {all_branches: true}\n",
    "deploy:\n  function_name: f\n  zip: dist\n  on: {branch: main, pull_request: false}\n",
    "deploy:\n  function_name: f\n  zip: dist\n  on:\n",
    "deploy:\n  function_name: f\n  zip: dist\n  true: {all_branches: true}\n",
    "layer: {name: deps, zip: dist}\n",
    "deploy:\n  - layer: {name: deps, zip: dist}\n",
    "deploy:\n  - layer: {name: deps, zip: dist}\n    on: main\n",
    "deploy:\n  - layer: {name: deps, zip: dist}\n  - function_name: f\n    zip: dist\n    layers: [deps]\n",
    "function_name: f\nzip: dist\nlayer: {name: deps, zip: dist}\n",
    "extension: true\nlayer: ext\nzip: dist/index.py\n",
    "function_name: f\nzip: dist\nallow_failure: true\n",
    "function_name: f\nzip: dist\ndry_run: false\n",
];

/// A folder with something to deploy, and nothing that says where to.
fn universe(file: &str, text: &str, variables: &[(&str, &str)]) -> Universe {
    let universe = Universe::empty().file("dist/index.py", "def handler(e, c): return 1\n").file(file, text);
    variables.iter().fold(universe, |universe, (name, value)| universe.with(name, value))
}

/// Whether a run went on to deploy something, which shows by its looking for AWS.
#[track_caller]
fn deploys(outcome: &Outcome) -> bool {
    let all = outcome.all();
    match all.contains("cannot read the live function") || all.contains("cannot read the layer") {
        true => true,
        false if outcome.code == 0 && outcome.all().contains("nothing was deployed") => false,
        false => panic!("{}: {}", outcome.code, outcome.all()),
    }
}

#[test]
fn no_form_of_a_block_is_deployed_from_a_pull_request_of_any_ci() {
    for form in FORMS {
        assert!(deploys(&universe("dpl.yml", form, PUSH).run("")), "a push deploys {form}");
    }
    for variables in PULL_REQUESTS.iter().chain(WITHOUT_BASE) {
        for form in FORMS {
            let outcome = universe("dpl.yml", form, variables).run("");
            assert!(!deploys(&outcome), "{variables:?}\n{form}\n{}", outcome.all());
        }
    }
    for (file, arguments) in
        [(".dpl.yml", ""), ("deploy/x.yml", "--config deploy/x.yml"), ("x.yml", "lambda --config x.yml")]
    {
        for form in FORMS {
            assert!(!deploys(&universe(file, form, PULL_REQUESTS[0]).run(arguments)), "{file}\n{form}");
        }
    }
    let by_name = universe("dpl.yml", FORMS[3], PULL_REQUESTS[3]);
    assert!(!deploys(&by_name.run("--function_name g --memory_size 256")), "flags over a block are about the block");
    let variable = by_name.with("DPL_LAMBDA_FUNCTION_NAME", "g");
    assert!(!deploys(&variable.run("deploy")));
}

#[test]
fn a_block_with_pull_request_true_is_deployed_from_pull_requests() {
    let takes = "deploy:\n  function_name: f\n  zip: dist\n  on: {branch: main, pull_request: true}\n";
    let elsewhere = takes.replace("main", "develop");
    for variables in PULL_REQUESTS {
        assert!(deploys(&universe("dpl.yml", takes, variables).run("")), "{variables:?}");
        assert!(!deploys(&universe("dpl.yml", &elsewhere, variables).run("")), "{variables:?}");
    }
    for variables in WITHOUT_BASE {
        // The head of a pull request may have any name, also `main`.
        let outcome = universe("dpl.yml", takes, variables).run("");
        assert!(!deploys(&outcome), "{variables:?}");
        outcome.says("the CI does not say which branch the pull request goes to");
    }
    let travis = takes.replace("function_name", "provider: lambda\n  function_name");
    for variables in PULL_REQUESTS {
        let outcome = universe(".travis.yml", &travis, variables).run("");
        assert!(!deploys(&outcome), "never from a .travis.yml: {variables:?}");
        outcome.says("because the current build is a pull request.").says("does not count in a `.travis.yml`");
    }
}

#[test]
fn flags_without_a_file_deploy_from_a_pull_request() {
    for variables in PULL_REQUESTS.iter().chain(WITHOUT_BASE) {
        let universe = universe("other.yml", "", variables);
        assert!(deploys(&universe.run("--function_name f --zip dist")), "{variables:?}");
        assert!(deploys(&universe.run("lambda --function_name f --zip dist")), "{variables:?}");
        let universe = universe.with("DPL_LAMBDA_FUNCTION_NAME", "f").with("DPL_LAMBDA_ZIP", "dist");
        assert!(deploys(&universe.run("")), "{variables:?}");
    }
}

/// A run under GitHub's event of this name, with this file about it.
fn on_event(event: &str, file: &str) -> Outcome {
    let universe = universe("dpl.yml", FORMS[0], &[("GITHUB_ACTIONS", "true"), ("GITHUB_REF", "refs/heads/main")]);
    universe.file("event.json", file).with("GITHUB_EVENT_NAME", event).with("GITHUB_EVENT_PATH", "event.json").run("")
}

#[test]
fn the_event_file_of_github_names_the_pull_request() {
    let of_pull_request = [
        ("workflow_run", r#"{"workflow_run": {"event": "pull_request", "pull_requests": []}}"#),
        (
            "workflow_run",
            r#"{"workflow_run": {"event": "pull_request_target", "pull_requests": [{"number": 7, "base": {"ref": "main"}}]}}"#,
        ),
        ("workflow_run", r#"{"workflow_run": {"event": "issue_comment"}}"#),
        ("workflow_run", r#"{"workflow_run": {"event": "workflow_run", "pull_requests": [{"number": 7}]}}"#),
        (
            "workflow_run",
            r#"{"workflow_run": {"event": "push", "head_repository": {"full_name": "fork/r"}}, "repository": {"full_name": "o/r"}}"#,
        ),
        ("workflow_run", r#"{"workflow_run": {"event": "push", "head_branch": "gh-readonly-queue/main/pr-7-abc"}}"#),
        ("issue_comment", r#"{"issue": {"number": 7, "pull_request": {"url": "x"}}}"#),
        ("check_run", r#"{"check_run": {"pull_requests": [{"number": 7}]}}"#),
        ("check_suite", r#"{"check_suite": {"pull_requests": [{"number": 7}]}}"#),
        ("repository_dispatch", r#"{"client_payload": {"pull_request": {"number": 7}}}"#),
        ("deployment", r#"{"deployment": {"ref": "refs/pull/7/head"}}"#),
        ("pull_request_review", r#"{"pull_request": {"number": 7, "base": {"ref": "main"}}}"#),
        ("pull_request_review_comment", "{}"),
        ("merge_group", r#"{"merge_group": {"base_ref": "refs/heads/main"}}"#),
        // What cannot be read may be of one.
        ("workflow_run", "not JSON"),
        ("issue_comment", ""),
    ];
    for (event, file) in of_pull_request {
        assert!(!deploys(&on_event(event, file)), "{event} {file}");
    }
    let of_others = [
        (
            "workflow_run",
            r#"{"workflow_run": {"event": "push", "head_branch": "main", "pull_requests": [{"number": 7}], "head_repository": {"full_name": "o/r"}}, "repository": {"full_name": "o/r"}}"#,
        ),
        ("workflow_run", r#"{"workflow_run": {"event": "schedule"}}"#),
        ("issue_comment", r#"{"issue": {"number": 7}}"#),
        ("check_run", r#"{"check_run": {"pull_requests": []}}"#),
        ("workflow_dispatch", "{}"),
        ("push", "not JSON"),
    ];
    for (event, file) in of_others {
        assert!(deploys(&on_event(event, file)), "{event} {file}");
    }
    let universe = universe("dpl.yml", FORMS[0], &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "workflow_run")]);
    let without = universe.run("");
    assert!(!deploys(&without));
    without.says("GITHUB_EVENT_PATH");
    for device in ["/dev/zero", "/dev/stdin", "."] {
        assert!(!deploys(&universe.run_with("GITHUB_EVENT_PATH", device.as_ref(), "")), "{device}");
    }
}

#[test]
fn the_properties_files_of_team_city_name_the_build() {
    let teamcity: Variables = &[("TEAMCITY_VERSION", "2026.1"), ("TEAMCITY_BUILD_PROPERTIES_FILE", "build.properties")];
    let run = |configuration: &str| {
        let universe = universe("dpl.yml", FORMS[0], teamcity);
        let universe = universe.file("build.properties", "#x\nteamcity.configuration.properties.file=conf\\:1\n");
        universe.file("conf:1", configuration).run("")
    };
    assert!(!deploys(&run("teamcity.pullRequest.number=7\nteamcity.pullRequest.target.branch=main\n")));
    assert!(!deploys(&run("teamcity.build.branch=pull/7\n")));
    assert!(!deploys(&run("vcsroot.branch=refs/merge-requests/7/head\n")));
    assert!(deploys(&run("teamcity.build.branch=<default>\nvcsroot.branch=refs/heads/main\n")));
    assert!(deploys(&run("")));
}

/// A function and a layer with a file for both emulated and real pull requests.
fn deployable(text: &str, variables: &[(&str, &str)]) -> (Universe, Proxy) {
    let proxy = Proxy::before(&emulator(Kind::Ministack).endpoint);
    let universe =
        Universe::at(&proxy.endpoint).file("dist/index.py", "def handler(e, c): return 1\n").file("dpl.yml", text);
    (variables.iter().fold(universe, |universe, (name, value)| universe.with(name, value)), proxy)
}

const CODE: &str = "    role: arn:aws:iam::000000000000:role/deployed\n    runtime: python3.12\n    handler: index.handler\n    zip: dist\n";

#[test]
fn a_plan_of_a_pull_request_shows_the_effect_of_its_merge() {
    let text = format!(
        "deploy:\n  - layer: {{name: preview-deps, zip: dist}}\n  - function_name: preview-main\n{CODE}    layers: [preview-deps]\n    on: main\n  \
         - function_name: {{main: preview-prod, develop: preview-dev}}\n{CODE}  - function_name: preview-always\n{CODE}  \
         - function_name: preview-repo\n{CODE}    on: {{repo: o/r, branch: 'm*'}}\n  \
         - function_name: preview-develop\n{CODE}    on: develop\n  - function_name: preview-tagged\n{CODE}    on: {{tags: true}}\n"
    );
    let shown = ["the layer `preview-deps`", "`preview-main`", "`preview-prod`", "`preview-always`", "`preview-repo`"];
    for variables in PULL_REQUESTS.iter().filter(|variables| variables[0] != ("CI", "false")) {
        let (universe, proxy) = deployable(&text, variables);
        let repositories =
            ["GITHUB_REPOSITORY", "CI_PROJECT_PATH", "CI_REPO", "TRAVIS_REPO_SLUG", "BUILD_REPOSITORY_NAME"];
        let more = ["BITBUCKET_REPO_FULL_NAME", "DRONE_REPO", "APPVEYOR_REPO_NAME"];
        let urls = ["BUILDKITE_REPO", "CODEBUILD_SOURCE_REPO_URL", "GIT_URL"];
        let universe = repositories.iter().chain(&more).fold(universe, |universe, name| universe.with(name, "o/r"));
        let universe = urls.iter().fold(universe, |universe, name| universe.with(name, "https://example.com/o/r.git"));
        let for_all = variables[0] == ("CI", "true");
        let universe = if for_all { universe.file("dpl.yml", text.replace("repo: o/r, ", "")) } else { universe };
        for arguments in ["plan --exit-code", "--dry_run"] {
            let outcome = universe.run(arguments).code(if arguments == "--dry_run" { 0 } else { 2 });
            let all = outcome.all();
            assert!(all.contains("Preview: what the merge of ") && all.contains("into `main`"), "{variables:?} {all}");
            for name in shown {
                assert!(all.contains(&format!("plan for {name}")), "{variables:?} {name}\n{all}");
            }
            outcome
                .says("Skipped `preview-develop`: `on.branch` wants `develop`, and the pull request goes to `main`")
                .says("Skipped `preview-tagged`: `on.tags` wants a tag")
                .never_says("preview-dev`")
                .never_says("`on.pull_request`");
        }
        assert_eq!(proxy.writes(), Vec::<String>::new(), "{variables:?}");
    }
    let (universe, proxy) = deployable(&text, PULL_REQUESTS[3]);
    let document = universe.run("plan --format json").code(0).json();
    assert_eq!(document["preview"], json!({"pull_request": "7", "base": "main"}));
    universe.run("plan --summary_file s.md").code(0);
    assert!(universe.read("s.md").contains("merge of pull request 7"), "{}", universe.read("s.md"));
    assert_eq!(proxy.writes(), Vec::<String>::new());
    let (universe, _) = deployable(&text, PUSH);
    let push = universe.with("GITHUB_REPOSITORY", "o/r").run("plan --format json").code(0);
    assert!(push.json().get("preview").is_none());
}

#[test]
fn a_preview_checks_conditions_for_the_push_after_the_merge() {
    let block = |condition: &str| {
        format!("deploy:\n  function_name: f\n  zip: dist\n  on: {{all_branches: true, condition: '{condition}'}}\n")
    };
    let fork: Variables = &[
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_PROJECT_PATH", "fork/r"),
        ("CI_MERGE_REQUEST_PROJECT_PATH", "o/r"),
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
    ];
    for (variables, condition) in [
        (PULL_REQUESTS[6], "$TRAVIS_PULL_REQUEST = false && $TRAVIS_BRANCH = main"),
        (PULL_REQUESTS[0], "$GITHUB_EVENT_NAME = push && $GITHUB_REF = refs/heads/main"),
        (fork, "$CI_COMMIT_BRANCH = main && -z $CI_MERGE_REQUEST_IID && $CI_PIPELINE_SOURCE = push"),
    ] {
        let universe = universe("dpl.yml", &block(condition), variables);
        universe.run("plan").code(3).says("cannot read the live function");
        assert!(!deploys(&universe.run("")));
    }
    let of_repository = "deploy:\n  function_name: f\n  zip: dist\n  on: {repo: o/r, branch: main}\n";
    universe("dpl.yml", of_repository, fork).run("plan").code(3).says("cannot read the live function");
    let taking = of_repository.replace("branch: main", "branch: main, pull_request: true");
    universe("dpl.yml", &taking, fork).run("").code(0).says("wants `o/r`, and this repository is `fork/r`");
}

#[test]
fn a_dry_run_of_one_block_does_not_deploy_another() {
    let text = format!(
        "deploy:\n  - function_name: dry-a\n{CODE}    dry_run: true\n  - function_name: dry-b\n{CODE}    dry_run: false\n"
    );
    let (universe, proxy) = deployable(&text, PULL_REQUESTS[0]);
    universe
        .run("")
        .code(0)
        .says("plan for `dry-a`")
        .says("Skipped `dry-b`: `on.pull_request`")
        .never_says("plan for `dry-b`");
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn an_unknown_base_is_the_default_branch_if_nothing_changes() {
    let text = "deploy:\n  function_name: f\n  zip: dist\n  on: main\n";
    let universe = universe("dpl.yml", text, WITHOUT_BASE[0]);
    universe.run("plan").code(0).says("the CI does not say which branch the pull request goes to");
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git").args(arguments).current_dir(universe.path("")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "-q"]);
    git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"]);
    git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    universe.run("plan").code(3).says("`main` is assumed").says("into `main`").says("cannot read the live function");
    assert!(!deploys(&universe.run("")));
    universe.write("dpl.yml", text.replace("on: main", "on: {branch: main, pull_request: true}"));
    assert!(!deploys(&universe.run("")), "a guess is no base to deploy to");
}

#[test]
fn a_layer_without_a_condition_is_published_with_its_functions() {
    let dev: Variables = &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/heads/dev")];
    let tag: Variables = &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/tags/v1")];
    let layer = "deploy:\n  - layer: {name: deps, zip: dist}\n";
    let by_branch = "  - function_name: {main: prod, develop: staging}\n    zip: dist\n    layers: [deps]\n";
    let on_main = "  - function_name: f\n    zip: dist\n    on: main\n";
    let always = "  - function_name: g\n    zip: dist\n";
    for (blocks, follows) in [
        (by_branch.to_owned(), true),
        (
            by_branch
                .replace("[deps]", "{main: [deps], develop: ['arn:aws:lambda:us-east-1:123456789012:layer:deps']}"),
            true,
        ),
        (on_main.to_owned(), true),
        (format!("{on_main}    layers: [deps]\n{always}"), true),
        (
            format!(
                "{on_main}    layers: [other]\n{always}    layers: ['arn:aws:lambda:us-east-1:123456789012:layer:deps:3']\n"
            ),
            false,
        ),
        (format!("{on_main}    layers: [deps-2]\n{always}    layers: [deps]\n"), false),
        (format!("{on_main}{always}"), false),
        (always.to_owned(), false),
        (String::new(), false),
    ] {
        let text = format!("{layer}{blocks}");
        for build in [dev, tag] {
            let outcome = universe("dpl.yml", &text, build).run("plan");
            let skipped = outcome.all().contains("Skipped the layer `deps`: `on` is not set");
            assert_eq!(skipped, follows, "{text}\n{}", outcome.all());
        }
        assert!(deploys(&universe("dpl.yml", &text, PUSH).run("")), "{text}");
    }
    let own = format!("deploy:\n  - layer: {{name: deps, zip: dist}}\n    on: {{all_branches: true}}\n{by_branch}");
    assert!(deploys(&universe("dpl.yml", &own, dev).run("")), "it has a condition of its own");
}

#[test]
fn a_skip_has_option_place_wanted_and_found_value_once() {
    let main: Variables = &[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_REPOSITORY", "o/r"),
    ];
    let tag: Variables = &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/tags/v1")];
    for (on, build, said, data) in [
        (
            "{node: '4'}",
            main,
            "`on.node` wants `4`, and TRAVIS_NODE_VERSION is not set (dpl.yml:4:14)",
            json!({"option": "on.node", "wanted": ["4"], "found": null}),
        ),
        (
            "{branch: [develop, release/*]}",
            main,
            "`on.branch` wants `develop` or `release/*`, and this branch is `main` (dpl.yml:4:16)",
            json!({"option": "on.branch", "wanted": ["develop", "release/*"], "found": "main"}),
        ),
        (
            "develop",
            tag,
            "`on.branch` wants `develop`, and this is a build of the tag `v1`; `tags: true` takes every tag (dpl.yml:4:7)",
            json!({"option": "on.branch", "wanted": ["develop"], "found": "v1"}),
        ),
        (
            "{repo: o/other}",
            main,
            "`on.repo` wants `o/other`, and this repository is `o/r` (dpl.yml:4:14)",
            json!({"option": "on.repo", "wanted": ["o/other"], "found": "o/r"}),
        ),
        (
            "{tags: true}",
            main,
            "`on.tags` wants a tag, and this build has none (dpl.yml:4:14)",
            json!({"option": "on.tags", "wanted": ["true"], "found": null}),
        ),
        (
            "{tags: false, all_branches: true}",
            tag,
            "`on.tags` wants no tag, and this is a build of the tag `v1` (dpl.yml:4:14)",
            json!({"option": "on.tags", "wanted": ["false"], "found": "v1"}),
        ),
        (
            "{condition: '$A = b'}",
            main,
            "`on.condition` wants `$A = b`, which does not hold (dpl.yml:4:19)",
            json!({"option": "on.condition", "wanted": ["$A = b"], "found": null}),
        ),
    ] {
        let universe = universe("dpl.yml", &format!("deploy:\n  function_name: f\n  zip: dist\n  on: {on}\n"), build);
        let outcome = universe.run("").code(0).says(&format!("Skipped `f`: {said}"));
        assert_eq!(outcome.all().matches("`on.").count(), 1, "{}", outcome.all());
        let skip = &universe.run("--format json").code(0).json()["skipped"][0];
        for (name, value) in data.as_object().unwrap() {
            assert_eq!(&skip[name], value, "{on} {name}");
        }
        assert_eq!((&skip["function_name"], &skip["place"]["file"]["line"]), (&json!("f"), &json!(4)));
    }
    let node = "deploy:\n  function_name: f\n  zip: dist\n  on: {node: [18, 20]}\n";
    universe("dpl.yml", node, main)
        .with("TRAVIS_NODE_VERSION", "22")
        .run("")
        .code(0)
        .says("and TRAVIS_NODE_VERSION is `22`");
    let by_branch = "function_name: {main: prod, develop: staging}\nmemory_size: {main: 512, develop: 128}\ntimeout: {develop: 9}\nzip: dist\n";
    let outcome = universe("dpl.yml", by_branch, tag).run("").code(0);
    outcome.says("Skipped a block: `function_name` is given by branch, for `develop`, `main`, and this is a build of the tag `v1`");
    let pull_request = universe("dpl.yml", FORMS[0], PULL_REQUESTS[3]).run("--format json").code(0).json();
    assert_eq!(pull_request["skipped"][0]["option"], "on.pull_request");
    assert_eq!(pull_request["skipped"][0]["found"], "pull request 7");
    universe("dpl.yml", FORMS[0], PULL_REQUESTS[3])
        .run("")
        .code(0)
        .says("a build of pull request 7 (CI_MERGE_REQUEST_IID)");
    universe("dpl.yml", FORMS[0], PULL_REQUESTS[0])
        .run("")
        .code(0)
        .says("a build of a pull request (GITHUB_EVENT_NAME)");
    // A name is a name, also where it would be a command.
    let hostile = "function_name: \"f\\n::error::x\"\nzip: dist\non: {branch: \"a\\n::error::x\"}\n";
    let outcome = universe("dpl.yml", hostile, main).run("--junit report.xml").code(0);
    assert!(!outcome.stdout.lines().any(|line| line.starts_with("::error")), "{}", outcome.stdout);
}

#[test]
fn a_run_without_deployed_blocks_ends_with_that_message() {
    let text = "deploy:\n  - function_name: f\n    zip: dist\n    on: main\n  - function_name: g\n    zip: dist\n    on: main\n";
    let dev: Variables = &[("CI", "true"), ("GITLAB_CI", "true"), ("CI_COMMIT_BRANCH", "dev")];
    let of_gitlab = universe("dpl.yml", text, dev);
    for arguments in ["", "--quiet", "plan", "plan --exit-code --quiet"] {
        let outcome = of_gitlab.run(arguments).code(0);
        let verb = if arguments.starts_with("plan") { "nothing would be deployed" } else { "nothing was deployed" };
        assert_eq!(outcome.stdout.lines().last().unwrap(), format!("notice: {verb}: all 2 blocks were skipped"));
    }
    of_gitlab.run("--if_skipped error").code(3).says("error: nothing was deployed: all 2 blocks were skipped");
    of_gitlab.run("plan --if_skipped error").code(3).says("nothing would be deployed");
    of_gitlab.run("--if_skipped warning --quiet").code(0).says("warning: if_skipped: nothing was deployed");
    of_gitlab.run("--if_skipped maybe").code(3).says("if_skipped: ");
    let in_file = universe("dpl.yml", &text.replace("    on: main", "    on: main\n    if_skipped: error"), dev);
    in_file.run("").code(3).says("all 2 blocks were skipped");
    let document = of_gitlab.run("--format json --if_skipped error").code(3).json();
    assert_eq!((&document["exit_code"], document["skipped"].as_array().unwrap().len()), (&json!(3), 2));
    // One that is left makes it no such run.
    let one = text.replacen("    on: main\n", "", 1);
    universe("dpl.yml", &one, dev)
        .run("--if_skipped error")
        .code(3)
        .says("cannot read the live function")
        .never_says("were skipped");

    let github: Variables =
        &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/heads/dev")];
    let of_github = universe("dpl.yml", text, github).file("summary", "");
    let outcome = of_github.run_with("GITHUB_STEP_SUMMARY", of_github.path("summary").as_os_str(), "--quiet").code(0);
    let last = outcome.stdout.trim().lines().last();
    assert_eq!(last, Some("::notice title=dpl-lambda::nothing was deployed: all 2 blocks were skipped"));
    assert!(of_github.read("summary").contains("nothing was deployed"));
    let azure: Variables = &[("TF_BUILD", "True"), ("BUILD_SOURCEBRANCH", "refs/heads/dev")];
    universe("dpl.yml", text, azure)
        .run("--quiet")
        .code(0)
        .says("notice: nothing was deployed")
        .never_says("task.logissue");
    let teamcity: Variables = &[("TEAMCITY_VERSION", "2026.1"), ("BUILD_VCS_NUMBER", "a")];
    universe("dpl.yml", text, teamcity).run("").code(0).says("##teamcity[message text='nothing was deployed");
}

#[test]
fn read_only_verbs_say_once_that_no_block_is_for_the_branch() {
    let text = "deploy:\n  - function_name: {main: a}\n    zip: dist\n  - function_name: {main: b}\n    zip: dist\n";
    let dev: Variables = &[("GITLAB_CI", "true"), ("CI_COMMIT_BRANCH", "dev")];
    let of_dev = universe("dpl.yml", text, dev);
    let outcome = of_dev.run("status").code(0).never_says("no function is named");
    assert_eq!(outcome.all().matches("is given by branch").count(), 2, "{}", outcome.all());
    assert!(outcome.stdout.trim_end().ends_with("notice: nothing was done: all 2 blocks were skipped"));
    of_dev.run("check").code(0).says("nothing was done");
    of_dev.run("rollback").code(3).says("all blocks are skipped in this build").never_says("no function is named");
    // What else is by branch keeps no function from being shown.
    let universe = universe("dpl.yml", "function_name: f\nmemory_size: {main: 512}\nzip: dist\n", dev);
    universe.run("status").code(3).says("cannot read the live function `f`");
}

#[test]
fn unknown_keys_at_the_top_of_a_file_are_errors_on_their_line() {
    let block = "deploy:\n  function_name: f\n  zip: dist\n";
    for (key, said) in [
        ("defautls: {timeout: 3}\n", "`defautls` is not a key beside `deploy:`"),
        ("after_deplyo: make\n", "did you mean `after_deploy`?"),
        ("language: python\n", "`language` is not a key beside `deploy:`"),
        ("on: main\n", "`on` is not a key beside `deploy:`"),
    ] {
        universe("dpl.yml", &format!("{block}{key}"), &[]).run("check").code(3).says(said).says("dpl.yml:4:1");
        universe(".dpl.yml", &format!("{key}{block}"), &[]).run("").code(3).says(".dpl.yml:1:1");
    }
    for shelf in [".shared: &s {timeout: 3}\n", "x-shared: &s {timeout: 3}\n"] {
        universe("dpl.yml", &format!("{shelf}{block}  <<: *s\n"), &[]).run("check").code(0).never_says("is not known");
    }
    let travis = "language: python\nstages: [test]\ndeploy:\n  provider: lambda\n  function_name: f\n  zip: dist\n";
    universe(".travis.yml", travis, &[]).run("check").code(0).never_says("not known");
}
