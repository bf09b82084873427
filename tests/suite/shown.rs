//! Which values of a function's variables a plan shows: those that stand in clear in the file and look like no secret.

use serde_json::json;

use crate::harness::{Aws, Kind, Universe, emulator, oracles};

/// A universe with a function whose live variables are these.
fn world(name: &str, live: &serde_json::Value) -> Universe {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let universe = Universe::at(endpoint).file("dist/index.py", "def handler(e, c): return 1\n");
    universe.write("dpl.yml", block(name, "zip: dist\n"));
    universe.run("").code(0);
    Aws::of(endpoint).configure(name, &json!({ "Environment": { "Variables": live } }));
    universe
}

fn block(name: &str, more: &str) -> String {
    format!(
        "function_name: {name}\nrole: deployed\nruntime: python3.12\nhandler: index.handler\nregion: us-east-1\n{more}"
    )
}

#[test]
fn a_value_in_clear_is_shown_and_every_other_is_hidden_everywhere() {
    let live = json!({
        "STAGE": "develop", "LEVEL": "hunter2", "API_TOKEN": "live", "GIVEN": "live", "RANDOM": "live", "GONE": "livegone",
    });
    let universe = world("shown-values", &live).with("A_SECRET_OF_CI", "zebra-crossing").with("CI", "true");
    let environment = "zip: dist\nenvironment_mode: replace\nenvironment:\n  STAGE: production\n  LEVEL: info\n  API_TOKEN: tokentext\n  GIVEN: {from_env: A_SECRET_OF_CI}\n  RANDOM: ghp_16C7e42F292c6912E7710c838347\n  DEBUG: 'true'\n";
    universe.write("dpl.yml", block("shown-values", environment));
    let universe = universe.with("GITHUB_ACTIONS", "true");
    let path = universe.path("output").display().to_string();
    let universe = universe.with("GITHUB_OUTPUT", &path);
    let text = universe.run("plan --summary_file summary.md").code(0);
    let json = universe.run("plan --format json").code(0);
    let (outputs, _) = oracles::github_outputs(&universe.read("output"));
    let everything = [text.all(), json.all(), universe.read("summary.md"), outputs["plan"].clone()].join("\n");
    // The CI gets secrets to mask them; it shows no line with such a command.
    let everything: String = everything.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    for hidden in ["hunter2", "tokentext", "zebra-crossing", "ghp_16C7", "livegone"] {
        assert!(!everything.contains(hidden), "{hidden}: {everything}");
    }
    text.says("environment.STAGE      develop → production")
        .says("environment.DEBUG      true")
        .says("→ info")
        .says("environment.API_TOKEN  changed (values hidden, #")
        .says("environment.GIVEN      changed (values hidden, #")
        .says("environment.GONE       removed");
    assert!(universe.read("summary.md").contains("| environment STAGE | develop | production |"));
    let changes = json.json()["functions"][0]["plan"][0]["changes"].clone();
    let of = |key: &str| changes.as_array().unwrap().iter().find(|change| change["key"] == key).unwrap().clone();
    assert_eq!((of("STAGE")["from"].clone(), of("STAGE")["to"].clone()), (json!("develop"), json!("production")));
    assert_eq!((of("LEVEL")["from"].clone(), of("LEVEL")["to"].clone()), (json!("(hidden)"), json!("info")));
    assert_eq!(of("GIVEN")["to"], json!("(hidden)"));
    // Equal values have equal marks in one run, and other marks in the next.
    assert_eq!(of("GIVEN")["from_mark"], of("RANDOM")["from_mark"]);
    assert_ne!(of("GIVEN")["from_mark"], of("GIVEN")["to_mark"]);
    let again = universe.run("plan --format json").code(0).json();
    let marks = |change: &serde_json::Value| change["from_mark"].as_str().unwrap().to_owned();
    let again = again["functions"][0]["plan"][0]["changes"].as_array().unwrap().clone();
    assert_ne!(marks(again.iter().find(|change| change["key"] == "GIVEN").unwrap()), marks(&of("GIVEN")));
}

#[test]
fn a_value_that_a_flag_a_variable_or_a_file_of_variables_gives_is_hidden() {
    let universe = world("hidden-values", &json!({ "STAGE": "develop" })).with("WORD_OF_CI", "zebracrossing");
    let hidden = |universe: &Universe, line: &str| {
        let outcome = universe.run(&format!("plan --environment_mode merge {line}")).code(0);
        let outcome = outcome.says("environment.STAGE  changed (values hidden, #");
        outcome.never_says("develop").never_says("zebra");
    };
    hidden(&universe, "--environment STAGE=zebra");
    universe.write("stage.env", "STAGE=zebra\n");
    hidden(&universe, "--env_file stage.env");
    // The file names the value of a variable: whoever sees the log may not see the variables of the job.
    universe.write("dpl.yml", block("hidden-values", "zip: dist\nenvironment: {STAGE: zebracrossing}\n"));
    hidden(&universe, "");
    let travis = block("hidden-values", "zip: dist\nenvironment: [STAGE=$WORD_OF_CI]\n").replace('\n', "\n  ");
    universe.write(
        ".travis.yml",
        format!("deploy:\n  provider: lambda\n  on: {{all_branches: true}}\n  {}\n", travis.trim_end()),
    );
    hidden(&universe, "--config .travis.yml");
    let universe = universe.with("DPL_LAMBDA_ENVIRONMENT", "STAGE=zebra");
    hidden(&universe, "");
}
