//! Reads parameters of Systems Manager.

use aws_sdk_lambda::error::ProvideErrorMetadata;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::Answers;
use crate::aws::Connection;
use crate::aws::fault::{self, Call};
use crate::aws::signed::{Protocol, Service};
use crate::fault::Fault;
use crate::reference::Found;
use crate::settings::Secret;

const SSM: Service = Service { id: "SSM", host: "ssm", protocol: Protocol::Json("AmazonSSM") };

/// The most parameters of a request.
const MOST: usize = 10;

/// A parameter, with its version or label.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub name: String,
    pub selector: Option<String>,
}

impl Parameter {
    /// Whether one request can read it together with these. It can read only one version of a parameter.
    pub(super) fn fits(&self, batch: &[Self]) -> bool {
        batch.len() < MOST && batch.iter().all(|other| other.name != self.name)
    }

    fn full_name(&self) -> String {
        match &self.selector {
            Some(selector) => format!("{}:{selector}", self.name),
            None => self.name.clone(),
        }
    }

    fn resource(&self, connection: &Connection) -> String {
        if self.name.starts_with("arn:") {
            return self.name.clone();
        }
        connection.arn_of("ssm", &format!("parameter/{}", self.name.trim_start_matches('/')))
    }

    /// Whether it is this parameter of an answer.
    fn is(&self, parameter: &Value) -> bool {
        let named = |text: &str| ["Name", "ARN"].iter().any(|member| parameter[*member].as_str() == Some(text));
        let selected = match (&self.selector, parameter["Selector"].as_str()) {
            (Some(selector), Some(found)) => found.trim_start_matches(':') == selector,
            (None, _) | (_, None) => true,
        };
        named(&self.full_name()) || (named(&self.name) && selected)
    }
}

/// Reads a batch. If AWS refuses it because of one parameter, each is read by itself.
pub(super) async fn read(connection: &Connection, batch: Vec<Parameter>) -> Answers {
    match request(connection, &batch).await {
        Ok(answers) => answers,
        Err((_, true)) if batch.len() > 1 => {
            let each = batch
                .chunks(1)
                .map(async |one| request(connection, one).await.unwrap_or_else(|(fault, _)| vec![Err(fault)]));
            join_all(each).await.into_iter().flatten().collect()
        }
        Err((fault, _)) => vec![Err(fault); batch.len()],
    }
}

/// Reads parameters with one request. The error says whether a part of them could be read.
async fn request(connection: &Connection, batch: &[Parameter]) -> Result<Answers, (Fault, bool)> {
    let names: Vec<_> = batch.iter().map(Parameter::full_name).collect();
    let resource = batch.iter().map(|parameter| parameter.resource(connection)).collect::<Vec<_>>().join(", ");
    let call = Call { action: "ssm:GetParameters", resource: &resource };
    let input = json!({ "Names": names, "WithDecryption": true });
    let answer = connection.call(&SSM, "GetParameters", input).await.map_err(|error| {
        let of_one = ["AccessDeniedException", "ValidationException", "InvalidKeyId"];
        let is_of_one = error.code().is_some_and(|code| of_one.contains(&code));
        (fault::of(&error, &call).fault, is_of_one)
    })?;
    let found = answer["Parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let invalid = answer["InvalidParameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let value = |parameter: &Parameter| {
        if let Some(found) = found.iter().find(|found| parameter.is(found)).and_then(of_answer) {
            return Ok(found);
        }
        let name = parameter.full_name();
        if invalid.iter().any(|invalid| invalid.as_str() == Some(&name)) {
            return Ok(Found::Nothing {
                message: format!("there is no parameter `{name}` in {}", connection.region),
                help: "correct the name, the version or the label, or set a `default`".to_owned(),
            });
        }
        Err(fault::unusable(&call, &format!("it does not have `{name}`")).fault)
    };
    Ok(batch.iter().map(value).collect())
}

/// The value of a parameter in an answer; `None` if it has none.
fn of_answer(parameter: &Value) -> Option<Found> {
    let value = Secret::new(parameter["Value"].as_str()?);
    // A type that is not known may be a secret.
    Some(match parameter["Type"].as_str() {
        Some("String" | "StringList") => Found::Plain(value),
        _ => Found::Secret(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_by_name_or_arn_and_by_its_selector() {
        let parameter = |name: &str, selector: Option<&str>| Parameter {
            name: name.to_owned(),
            selector: selector.map(str::to_owned),
        };
        let found = json!({ "Name": "/a", "ARN": "arn:aws:ssm:eu-west-1:1:parameter/a", "Selector": ":3" });
        for (wanted, is) in [
            (parameter("/a", Some("3")), true),
            (parameter("arn:aws:ssm:eu-west-1:1:parameter/a", Some("3")), true),
            (parameter("/a", Some("2")), false),
            (parameter("/b", Some("3")), false),
        ] {
            assert_eq!(wanted.is(&found), is, "{}", wanted.full_name());
        }
        let batch: Vec<_> = (0..9).map(|number| parameter(&format!("/p{number}"), None)).collect();
        assert!(parameter("/a", None).fits(&batch) && !parameter("/p0", Some("1")).fits(&batch));
        assert!(!parameter("/a", None).fits(&[batch, vec![parameter("/b", None)]].concat()));
    }
}
