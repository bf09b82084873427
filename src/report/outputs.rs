//! The outputs for later steps of a build, and those of them that are JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{sanitise, steps, variables};
use crate::event::{Deployed, DeployedCode};
use crate::plan::Plan;

impl Deployed {
    /// The outputs, with the names that every CI gets.
    pub(super) fn outputs(&self) -> Vec<(&'static str, String)> {
        let mut outputs = vec![("function-arn", self.arn.clone())];
        match &self.code {
            DeployedCode::Archive { code_sha256, size, .. } => {
                outputs.push(("code-sha256", code_sha256.clone()));
                outputs.push(("package-size", size.to_string()));
            }
            DeployedCode::Image { address } => {
                outputs.extend(address.rsplit_once('@').map(|(_, digest)| ("image-digest", digest.to_owned())));
            }
            DeployedCode::Kept { code_sha256 } => outputs.push(("code-sha256", code_sha256.clone())),
        }
        outputs.push(("plan", plan(&self.plan)));
        outputs.extend(self.version.clone().map(|version| ("version", version)));
        outputs.extend(self.alias.clone().map(|alias| ("alias", alias)));
        outputs.extend(self.url.clone().map(|url| ("function-url", url)));
        outputs
    }
}

/// The plan on one line, for a step's output.
pub(super) fn plan(plan: &Plan) -> String {
    serde_json::to_string(&steps::steps(plan)).unwrap_or_default()
}

/// The outputs of each function on one line, by the function's name; in several Regions by `NAME@REGION`.
pub(super) fn functions(functions: &[Deployed]) -> String {
    let document = |deployed: &Deployed| {
        let outputs = deployed.outputs().into_iter().filter(|(name, _)| !variables::is_json(name));
        let changed = ("changed", Value::Bool(deployed.changed()));
        let region = ("region", Value::String(deployed.region.clone()));
        let outputs = outputs.map(|(name, value)| match value.parse::<u64>() {
            Ok(size) if name == "package-size" => (name, size.into()),
            _ => (name, Value::String(value)),
        });
        let members = outputs.chain([region, changed]).map(|(name, value)| (name.replace('-', "_"), value));
        Value::Object(members.collect())
    };
    let key = |deployed: &Deployed| {
        let is_elsewhere = |other: &Deployed| other.function == deployed.function && other.region != deployed.region;
        if functions.iter().any(is_elsewhere) {
            format!("{}@{}", deployed.function, deployed.region)
        } else {
            deployed.function.clone()
        }
    };
    let all: BTreeMap<_, _> = functions.iter().map(|deployed| (key(deployed), document(deployed))).collect();
    serde_json::to_string(&all).unwrap_or_default()
}

/// The same JSON, with escapes for characters that are invisible or that a shell or CI interprets. Users splice a value
/// into a script (`${{ … }}`) or print it where `##[…]` is a command. `TeamCity` replaces `%name%` in a variable, Azure
/// `$(name)`.
pub(super) fn unspliceable(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in sanitise::json(json).chars() {
        match c {
            '$' => out.push_str("\\u0024"),
            '%' => out.push_str("\\u0025"),
            '\'' => out.push_str("\\u0027"),
            '`' => out.push_str("\\u0060"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_the_same_without_what_a_script_would_read() {
        let json = r#"["$(secret) %secret% `id` 'x' ##[add-mask]é"]"#;
        let out = unspliceable(json);
        assert!(!out.contains(['#', '$', '%', '`', '\'']), "{out}");
        assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), serde_json::from_str::<Value>(json).unwrap());
    }
}
