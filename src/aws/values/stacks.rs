//! Reads outputs of stacks of `CloudFormation`.

use aws_sdk_lambda::error::ProvideErrorMetadata;
use serde_json::json;

use super::Answers;
use crate::aws::Connection;
use crate::aws::fault::{self, Call};
use crate::aws::signed::{Protocol, Service};
use crate::fault::Fault;
use crate::reference::{Found, named};
use crate::settings::Secret;

const CLOUD_FORMATION: Service =
    Service { id: "CloudFormation", host: "cloudformation", protocol: Protocol::Query("2010-05-15") };

/// Reads a stack once, and takes these outputs of it.
pub(super) async fn read(connection: &Connection, stack: &str, wanted: Vec<String>) -> Answers {
    let resource = if stack.starts_with("arn:") {
        stack.to_owned()
    } else {
        connection.arn_of("cloudformation", &format!("stack/{stack}/*"))
    };
    let call = Call { action: "cloudformation:DescribeStacks", resource: &resource };
    let all = |answer: Result<Found, Fault>| vec![answer; wanted.len()];
    let answer = match connection.call(&CLOUD_FORMATION, "DescribeStacks", json!({ "StackName": stack })).await {
        Ok(answer) => answer,
        Err(error) => {
            let is_missing = error.message().is_some_and(|said| said.contains("does not exist"));
            if error.code() != Some("ValidationError") || !is_missing {
                return all(Err(fault::of(&error, &call).fault));
            }
            let message = format!("there is no stack `{stack}` in {}", connection.region);
            return all(Ok(Found::Nothing { message, help: "correct the name, or set a `default`".to_owned() }));
        }
    };
    let Some(found) = answer["DescribeStacksResult"]["Stacks"].get(0) else {
        return all(Err(fault::unusable(&call, "it has no stack").fault));
    };
    let outputs = found["Outputs"].as_array().into_iter().flatten();
    let outputs: Vec<_> =
        outputs.filter_map(|output| Some((output["OutputKey"].as_str()?, output["OutputValue"].as_str()?))).collect();
    let value = |name: &String| match outputs.iter().find(|(key, _)| key == name) {
        Some((_, value)) => Ok(Found::Plain(Secret::new(*value))),
        None => Ok(Found::Nothing {
            message: format!("the stack `{stack}` has no output `{name}`"),
            help: named("the stack", outputs.iter().map(|(key, _)| *key)),
        }),
    };
    wanted.iter().map(value).collect()
}
