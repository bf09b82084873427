//! Reads secrets of Secrets Manager.

use serde_json::{Value, json};

use super::Answers;
use crate::aws::Connection;
use crate::aws::fault::{self, Call};
use crate::aws::refusals::Meaning;
use crate::aws::signed::{Protocol, Service};
use crate::fault::{Fault, FaultKind};
use crate::reference::{Found, scalar};
use crate::settings::Secret;

const SECRETS_MANAGER: Service =
    Service { id: "Secrets Manager", host: "secretsmanager", protocol: Protocol::Json("secretsmanager") };

/// Reads a secret once, and takes these keys of it; `None` is the whole secret.
pub(super) async fn read(connection: &Connection, id: &str, stage: Option<&str>, keys: Vec<Option<String>>) -> Answers {
    let resource = if id.starts_with("arn:") {
        id.to_owned()
    } else {
        // AWS adds six characters to the name.
        connection.arn_of("secretsmanager", &format!("secret:{id}-??????"))
    };
    let call = Call { action: "secretsmanager:GetSecretValue", resource: &resource };
    let mut input = json!({ "SecretId": id });
    if let Some(stage) = stage {
        input["VersionStage"] = json!(stage);
    }
    let all = |answer: Result<Found, Fault>| vec![answer; keys.len()];
    let answer = match connection.call(&SECRETS_MANAGER, "GetSecretValue", input).await {
        Ok(answer) => answer,
        Err(error) => {
            let failed = fault::of(&error, &call);
            if failed.meaning != Meaning::NotFound {
                return all(Err(failed.fault));
            }
            let message = match stage {
                Some(stage) => format!(
                    "there is no secret `{id}` in {}, or it has no version with the stage `{stage}`",
                    connection.region
                ),
                None => format!("there is no secret `{id}` in {}, or it has no value yet", connection.region),
            };
            return all(Ok(Found::Nothing { message, help: "correct the name, or set a `default`".to_owned() }));
        }
    };
    match answer["SecretString"].as_str() {
        Some(text) => keys.iter().map(|key| of_secret(id, text, key.as_deref())).collect(),
        None if answer["SecretBinary"].is_null() => all(Err(fault::unusable(&call, "it has no value").fault)),
        None => {
            let fault =
                Fault::new(FaultKind::Misconfigured, format!("the secret `{id}` is binary, and a text is needed"));
            all(Err(fault.help("store it as a text, for example in Base64")))
        }
    }
}

/// The value under a key of a secret. No message repeats a part of the secret.
fn of_secret(id: &str, text: &str, key: Option<&str>) -> Result<Found, Fault> {
    let Some(key) = key else { return Ok(Found::Secret(Secret::new(text))) };
    let wrong = |message: String, help: &str| Err(Fault::new(FaultKind::Misconfigured, message).help(help));
    let Ok(Value::Object(members)) = serde_json::from_str(text) else {
        return wrong(format!("the secret `{id}` is no JSON object, so it has no keys"), "leave `key` out");
    };
    match members.get(key).map(scalar) {
        Some(Some(value)) => Ok(Found::Secret(Secret::new(value))),
        Some(None) => wrong(
            format!("the key `{key}` of the secret `{id}` holds no text"),
            "only texts, numbers and booleans can be taken",
        ),
        None => Ok(Found::Nothing {
            message: format!("the secret `{id}` has no key `{key}`"),
            help: "correct `key`, or set a `default`".to_owned(),
        }),
    }
}
