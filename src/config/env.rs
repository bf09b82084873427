//! Environment variables become layers of options.
//!
//! `DPL_LAMBDA_<OPTION>` is for this tool. `INPUT_<OPTION>` is an input of a step on GitHub, `PLUGIN_<OPTION>` a setting on
//! Drone and Woodpecker. `LAMBDA_<OPTION>` and `AWS_<OPTION>` come from dpl.

use super::{
    json::unpack,
    layer::{self, Layer},
    options::{self, Ambient, Kind, Opt, unknown},
};
use crate::host::Host;
use crate::place::{Place, Problem};
use std::collections::BTreeMap;

/// Prefixes of variables for this tool, the strongest first.
const ADDRESSED: [&str; 3] = ["DPL_LAMBDA_", "INPUT_", "PLUGIN_"];

/// Prefixes of variables that can be for other programs, the strongest first (FX6 in docs/coming-from/dpl.md).
const AMBIENT: [&str; 2] = ["LAMBDA_", "AWS_"];

/// Outputs of an earlier run, which a CI puts into variables with `DPL_LAMBDA_` before these names.
const RESULTS: [&str; 11] = [
    "changed",
    "code_sha256",
    "deployed_alias",
    "deployed_function_url",
    "function_arn",
    "functions",
    "image_digest",
    "layer_version_arn",
    "package_size",
    "plan",
    "version",
];

/// The variables with a prefix, by their names without it.
fn under(host: &Host, prefix: &str) -> BTreeMap<String, String> {
    let addressed = host
        .variables
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.trim().to_owned())));
    envy::from_iter::<_, BTreeMap<String, String>>(addressed.filter(|(_, value)| !value.is_empty())).unwrap_or_default()
}

/// Errors about variables that are not UTF-8, if they are for this tool or hold an access key. Ignoring them could deploy
/// the wrong thing.
pub(super) fn unreadable(host: &Host) -> Vec<Problem> {
    const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let means_us = |name: &&String| {
        let option =
            ADDRESSED.iter().filter_map(|prefix| name.strip_prefix(prefix)).any(|name| options::find(name).is_some());
        option || KEYS.contains(&name.as_str())
    };
    let problem = |name: &String| Problem::new("has a value that is not UTF-8").at(&Place::Variable(name.clone()));
    host.unreadable.iter().filter(means_us).map(problem).collect()
}

/// The options in variables for this tool.
pub(super) fn addressed(host: &Host, problems: &mut Vec<Problem>, warnings: &mut Vec<Problem>) -> Vec<Layer> {
    let read = |prefix: &&str| {
        let (mut layer, mut seen) = (Layer::new(), BTreeMap::new());
        for (name, value) in under(host, prefix) {
            let place = variable(host, prefix, &name);
            let Some(option) = options::find(&name) else {
                // A step on GitHub can have other inputs. The other two prefixes are only for this tool.
                let result = *prefix == "DPL_LAMBDA_" && RESULTS.contains(&name.as_str());
                let command = *prefix == "PLUGIN_" && name == "command";
                if *prefix != "INPUT_" && !result && !command {
                    warnings.push(unknown(&name).at(&place));
                }
                continue;
            };
            if undefined_in_azure(&value) {
                problems.push(
                    Problem::new(format!("`{value}` is an Azure variable that is not defined"))
                        .of(option.name)
                        .at(&place),
                );
                continue;
            }
            if *prefix == "PLUGIN_" && matches!(option.kind, Kind::Map) && joined_pairs(&value) {
                warnings.push(
                    Problem::new(
                        "has a comma before something like `KEY=`, which is read as a part of the value before it",
                    )
                    .of(option.name)
                    .at(&place)
                    .help(format!("write the setting as a map, which is passed as JSON: `{name}: {{A: 1, B: 2}}`")),
                );
            }
            if *prefix == "PLUGIN_" && joined_items(option, &value) {
                warnings.push(
                    Problem::new("has a comma, which is read as a part of an item: Drone and Woodpecker join the items of a list with commas")
                        .of(option.name)
                        .at(&place)
                        .help("write one item a line (`|`), or a JSON array in quotes"),
                );
            }
            if let Some((known, there)) = seen.insert(option.name, (value.clone(), place.clone()))
                && known != value
            {
                let message = format!("{there} and {place} have different values");
                problems.push(Problem::new(message).of(option.name).help("set only one of them"));
            }
            match unpack(option, value, &place) {
                Ok(given) => layer::insert(&mut layer, option, given),
                Err(problem) => problems.push(problem),
            }
        }
        layer
    };
    ADDRESSED.iter().map(read).collect()
}

/// The options in variables of dpl, if they cannot be for another program (FX5 in docs/coming-from/dpl.md).
pub(super) fn ambient(host: &Host, warnings: &mut Vec<Problem>) -> Vec<Layer> {
    let read = |prefix: &&str| {
        let mut layer = Layer::new();
        for (name, value) in under(host, prefix) {
            let Some(option) = options::find(&name).filter(|option| option.ambient == Ambient::Read) else {
                continue;
            };
            if name != option.name && name != "environment_variables" {
                continue;
            }
            let place = variable(host, prefix, &name);
            if matches!(option.kind, Kind::Map) && !value.contains('=') && !value.starts_with('{') {
                warnings.push(
                    Problem::new(format!(
                        "{place} is not KEY=VALUE, so it is probably for another program and is ignored"
                    ))
                    .of(option.name),
                );
                continue;
            }
            match unpack(option, value, &place) {
                Ok(given) => layer::insert(&mut layer, option, given),
                Err(problem) => warnings.push(problem),
            }
        }
        // The SDK's chain ignores a token without its keys too.
        if !layer.contains_key("access_key_id") && !layer.contains_key("secret_access_key") {
            layer.remove("session_token");
        }
        layer
    };
    AMBIENT.iter().map(read).collect()
}

/// Whether Drone or Woodpecker probably joined a list with commas. A comma inside of braces belongs to a glob.
fn joined_items(option: &Opt, value: &str) -> bool {
    let is_list = matches!(option.kind, Kind::List | Kind::Files) && option.name != "run";
    let mut depth = 0_usize;
    let outside = value.chars().any(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    is_list && outside && !value.starts_with('[')
}

/// The variable in its actual spelling.
fn variable(host: &Host, prefix: &str, name: &str) -> Place {
    let spelled = host
        .variables
        .keys()
        .find(|known| known.strip_prefix(prefix).is_some_and(|rest| rest.eq_ignore_ascii_case(name)));
    Place::Variable(spelled.cloned().unwrap_or_else(|| format!("{prefix}{}", name.to_ascii_uppercase())))
}

/// Whether the value is `$(name)`, which Azure passes on if the variable is not defined.
fn undefined_in_azure(value: &str) -> bool {
    let inner = value.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
    inner
        .is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_'))
}

/// Whether Drone or Woodpecker probably joined pairs with commas.
fn joined_pairs(value: &str) -> bool {
    let key = |text: &str| {
        let key = text.split('=').next().unwrap_or_default();
        text.contains('=') && key.len() > 1 && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    !value.starts_with('{') && value.split(',').skip(1).any(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layer::Given;

    fn read(variables: &[(&str, &str)]) -> (Layer, Vec<Problem>, Vec<Problem>) {
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let host = Host::with_variables(variables);
        let mut layers = addressed(&host, &mut problems, &mut warnings);
        layers.extend(ambient(&host, &mut warnings));
        (layer::merge(&layers), problems, warnings)
    }

    #[test]
    fn both_spellings_of_an_input_are_read() {
        for name in [
            "INPUT_FUNCTION-NAME",
            "INPUT_FUNCTION_NAME",
            "PLUGIN_FUNCTION-NAME",
            "DPL_LAMBDA_FUNCTION_NAME",
            "LAMBDA_FUNCTION_NAME",
            "AWS_FUNCTION_NAME",
        ] {
            let (layer, problems, _) = read(&[(name, " f ")]);
            assert_eq!(layer["function_name"], Given::text("f", Place::Variable(name.to_owned())));
            assert_eq!(problems, []);
        }
    }

    #[test]
    fn both_spellings_at_once_must_agree() {
        let (_, problems, _) = read(&[("INPUT_FUNCTION-NAME", "f"), ("INPUT_FUNCTION_NAME", "f")]);
        assert_eq!(problems, []);
        let (_, problems, _) = read(&[("INPUT_FUNCTION-NAME", "s3cret"), ("INPUT_FUNCTION_NAME", "other")]);
        let told = problems[0].to_string();
        assert!(
            told.contains("INPUT_FUNCTION-NAME") && told.contains("INPUT_FUNCTION_NAME") && !told.contains("s3cret"),
            "{told}"
        );
    }

    #[test]
    fn empty_and_blank_values_count_as_not_given() {
        let (layer, problems, _) = read(&[("INPUT_MEMORY-SIZE", ""), ("INPUT_ZIP", "  "), ("PLUGIN_LAYERS", "")]);
        assert!(layer.is_empty() && problems.is_empty());
    }

    #[test]
    fn the_prefix_is_taken_off_once() {
        assert!(read(&[("INPUT_INPUT_ZIP", "x")]).0.is_empty());
    }

    #[test]
    fn variables_that_mean_something_else_do_not_deploy_or_stop_a_deploy() {
        let (layer, problems, warnings) = read(&[
            ("LAMBDA_STAGE", "prod"),
            ("AWS_STAGE", "prod"),
            ("LAMBDA_HELP", "1"),
            ("AWS_RUN", "rm -rf /"),
            ("LAMBDA_RUN", "x"),
            ("LAMBDA_FOLD", "1"),
            ("AWS_EDGE", "1"),
            ("LAMBDA_BACKTRACE", "1"),
            ("AWS_ENVIRONMENT", "production"),
            ("AWS_CONFIG", "x"),
            ("AWS_DRY_RUN", "1"),
            ("LAMBDA_TASK_ROOT", "/var/task"),
            ("AWS_TAGS", "a=b"),
            ("ROLE", "x"),
            ("TIMEOUT", "9"),
        ]);
        assert_eq!((layer, problems), (Layer::new(), vec![]));
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn lambda_beats_aws_and_what_is_addressed_to_us_beats_both() {
        assert_eq!(read(&[("AWS_TIMEOUT", "1"), ("LAMBDA_TIMEOUT", "2")]).0["timeout"].as_text(), Some("2"));
        assert_eq!(
            read(&[("DPL_LAMBDA_TIMEOUT", "3"), ("LAMBDA_TIMEOUT", "2"), ("INPUT_TIMEOUT", "4")]).0["timeout"]
                .as_text(),
            Some("3")
        );
    }

    #[test]
    fn a_typo_in_a_variable_of_ours_is_told() {
        let (_, _, warnings) = read(&[("DPL_LAMBDA_MEMORY", "1"), ("INPUT_WHO-TO-GREET", "x")]);
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].help.as_deref(), Some("did you mean `memory_size`?"));
    }

    #[test]
    fn json_keeps_the_text_of_its_numbers() {
        let (layer, _, _) = read(&[("PLUGIN_ENVIRONMENT", r#"{"VERSION": 1.10, "ZIP": "007"}"#)]);
        assert_eq!(layer["environment"].get("VERSION").unwrap().as_text(), Some("1.10"));
        assert_eq!(layer["environment"].get("ZIP").unwrap().as_text(), Some("007"));
    }

    #[test]
    fn members_of_the_official_actions_structures_are_taken_out() {
        let (layer, _, _) = read(&[
            ("INPUT_DEAD-LETTER-CONFIG", r#"{"TargetArn": "arn:x"}"#),
            ("INPUT_TRACING-CONFIG", r#"{"Mode": "Active"}"#),
        ]);
        assert_eq!(layer["dead_letter_arn"].as_text(), Some("arn:x"));
        assert_eq!(layer["tracing_mode"].as_text(), Some("Active"));
    }
}
