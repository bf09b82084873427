//! What the action takes and gives: its inputs are the options, and it runs as GitHub's runner runs a container.

use std::fs;

use dpl_lambda::internals::options::{self, OPTIONS, Opt};

use crate::harness::{Kind, Universe, emulator};

/// The action that runs the image, and the one for runners without Docker.
const ACTIONS: [&str; 2] = ["action.yml", ".github/actions/native/action.yml"];

/// Every name under which a `with:` has an effect, with what it means.
fn inputs() -> Vec<(String, String)> {
    let mut inputs = Vec::new();
    for option in OPTIONS {
        inputs.push((dashed(option.name), described(option)));
        for alias in option.aliases {
            let same = format!("The same as `{}`", dashed(option.name));
            let form = option.member.map(|member| format!(", or JSON with `{member}`"));
            inputs.push((dashed(alias), format!("{same}{}.", form.unwrap_or_default())));
        }
    }
    inputs
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

fn described(option: &Opt) -> String {
    option.meaning.replace('\'', "''")
}

/// The part between two comments, which belongs to the table.
struct Part {
    begin: &'static str,
    end: &'static str,
    text: String,
}

fn parts(file: &str) -> Vec<Part> {
    let declared =
        inputs().iter().map(|(name, meaning)| format!("  {name}:\n    description: '{meaning}'\n")).collect();
    let declared = Part { begin: "  # Inputs: the table of options\n", end: "  # End of inputs\n", text: declared };
    if file == ACTIONS[0] {
        return vec![declared];
    }
    // A composite action has to hand over its inputs itself.
    let name = |name: &str| name.replace('-', "_").to_ascii_uppercase();
    let handed =
        inputs().into_iter().map(|(input, _)| format!("        INPUT_{}: ${{{{ inputs.{input} }}}}\n", name(&input)));
    let handed =
        Part { begin: "        # Inputs handed over\n", end: "        # End of inputs\n", text: handed.collect() };
    vec![declared, handed]
}

#[test]
fn the_inputs_of_the_action_are_the_options() {
    for file in ACTIONS {
        let mut text = fs::read_to_string(file).unwrap();
        for Part { begin, end, text: wanted } in parts(file) {
            let (before, rest) = text.split_once(begin).unwrap_or_else(|| panic!("{file} has no `{begin}`"));
            let (shown, after) = rest.split_once(end).unwrap_or_else(|| panic!("{file} has no `{end}`"));
            if std::env::var_os("UPDATE").is_some() {
                text = format!("{before}{begin}{wanted}{end}{after}");
                fs::write(file, &text).unwrap();
            } else {
                assert_eq!(shown, wanted, "run `UPDATE=1 cargo test --test suite action` to rewrite {file}");
            }
        }
    }
}

/// What a commit names decides what runs: nobody who can move a tag of the image can change it.
#[test]
fn the_action_runs_its_own_source_or_an_image_by_digest() {
    let text = fs::read_to_string(ACTIONS[0]).unwrap();
    let image = text.lines().find_map(|line| line.strip_prefix("  image: ")).unwrap();
    let digest = image.strip_prefix("docker://ghcr.io/dpl-lambda/dpl-lambda@sha256:");
    let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    assert!(image == "Dockerfile" || digest.is_some_and(is_hash), "{image}");
}

#[test]
fn nothing_that_is_not_written_is_set() {
    for file in ACTIONS {
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.contains("\n    default:"), "{file} has a default, which would overwrite what is live");
    }
}

/// The environment that GitHub's runner gives to a container: every declared input, also those without a value.
fn in_a_container(function: &str, with: &[(&str, &str)]) -> Universe {
    let mut universe =
        Universe::at(&emulator(Kind::Ministack).endpoint).file("dist/index.js", "exports.handler = async () => 1;\n");
    for (input, _) in inputs() {
        universe = universe.with(&format!("INPUT_{}", input.to_ascii_uppercase()), "");
    }
    for (input, value) in [("function-name", function)].iter().chain(with) {
        assert!(options::find(input).is_some(), "{input}");
        universe = universe.with(&format!("INPUT_{}", input.to_ascii_uppercase()), value);
    }
    // The home is the runner's, and there is nothing in it.
    for (name, value) in [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "o/r"),
        ("GITHUB_SHA", "08c6903cd8c0fde910a37f88322edcfb5dd907a8"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_EVENT_NAME", "push"),
        ("HOME", "/github/home"),
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ] {
        universe = universe.with(name, value);
    }
    let files = [("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary"), ("GITHUB_WORKSPACE", "")];
    files.into_iter().fold(universe, |universe, (name, file)| {
        let path = universe.path(file).to_string_lossy().trim_end_matches('/').to_owned();
        universe.with(name, &path)
    })
}

/// What a workflow for `aws-actions/aws-lambda-deploy` says, in that action's forms.
const OFFICIAL: &[(&str, &str)] = &[
    ("code-artifacts-dir", "dist"),
    ("package-type", "Zip"),
    ("runtime", "nodejs24.x"),
    ("role", "arn:aws:iam::000000000000:role/deployed"),
    ("function-description", "made in a workflow"),
    ("memory-size", "512"),
    ("timeout", "60"),
    ("architectures", "arm64"),
    ("environment", r#"{"STAGE":"production","DEBUG":"true","RETRIES":3}"#),
    ("tags", r#"{"Environment":"Production","Team":"DevOps"}"#),
    ("layers", r#"["arn:aws:lambda:us-east-1:123456789012:layer:deps:3"]"#),
    ("tracing-config", r#"{"Mode":"Active"}"#),
    ("dead-letter-config", r#"{"TargetArn":"arn:aws:sqs:us-east-1:000000000000:failed"}"#),
    ("ephemeral-storage", "1024"),
    ("publish", "false"),
    ("dry-run", "false"),
];

#[test]
fn a_workflow_of_the_official_action_works_as_it_is() {
    let universe = in_a_container("migrated", OFFICIAL);
    let outcome = universe.run("").code(0);
    outcome.says("handler                    index.handler").never_says("version         published");
    let output = universe.read("output");
    for name in ["function-arn", "code-sha256", "changed", "package-size", "plan"] {
        assert!(output.contains(&format!("{name}<<")), "{output}");
    }
    assert!(!output.contains("version<<"));
    universe.run("").code(0).says("`migrated` in us-east-1 is unchanged");

    // Its defaults are for the beginning: a handler set by other means stays.
    in_a_container("migrated", &[("zip", "dist"), ("handler", "index.other")]).run("").code(0).says("index.other");
    universe.run("").code(0).says("`migrated` in us-east-1 is unchanged");
}

#[test]
fn the_input_command_runs_any_verb() {
    let with: Vec<_> = OFFICIAL.iter().copied().chain([("publish", "true"), ("alias", "live")]).collect();
    let with: Vec<_> = with.into_iter().filter(|pair| *pair != ("publish", "false")).collect();
    let universe = |command: &str| in_a_container("commanded", &with).with("INPUT_COMMAND", command);
    universe("plan --exit-code").run("").code(2).says("+ function        created");
    universe("deploy").run("").code(0).says("Published version 1.");
    universe("").with("INPUT_TIMEOUT", "50").run("").code(0).says("Published version 2.");
    let back = universe("rollback");
    back.run("").code(0).says("Rolled back live of commanded to version 1.");
    assert!(back.read("output").contains("version<<"), "{}", back.read("output"));
    universe("rollback --to '2'").run("").code(0).says("to version 2.");
    universe("status").run("").code(0).says("`commanded` in us-east-1");
    universe("ruin").run("").code(3).says("is neither a verb nor an option");
    universe("invoke --payload '{").run("").code(3).says("INPUT_COMMAND").says("quote");
    // A command line counts more, and dpl has no such input.
    universe("rollback").run("plan").code(0).says("commanded");
    let drone = universe("").with("PLUGIN_COMMAND", "status");
    drone.run("").code(0).says("`commanded` in us-east-1").never_says("PLUGIN_COMMAND");
}

#[test]
fn a_dry_run_of_the_action_changes_nothing() {
    let with: Vec<_> = OFFICIAL.iter().copied().chain([("dry-run", "true"), ("publish", "true")]).collect();
    let universe = in_a_container("not-yet", &with);
    for _ in 0..2 {
        universe.run("").code(0).says("+ function        created").says("+ version");
    }
}

#[test]
fn structures_of_the_official_action_are_taken_as_they_are() {
    let with: Vec<_> = OFFICIAL
        .iter()
        .copied()
        .chain([("vpc-config", r#"{"SubnetIds":["subnet-1"],"SecurityGroupIds":["sg-1"]}"#)])
        .collect();
    in_a_container("in-a-vpc", &with).run("plan").code(0).says("subnet_ids").says("subnet-1").says("sg-1");
}
