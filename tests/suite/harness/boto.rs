//! What AWS' own client for Python reads: it comes with one of the emulators.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::emulator;

const SCRIPT: &str = "
import json, sys, boto3, botocore.config, botocore.exceptions
asked = json.load(sys.stdin)
config = botocore.config.Config(parameter_validation=False, retries={'max_attempts': 1})
client = boto3.client(asked['service'], endpoint_url=asked['endpoint'], region_name='us-east-1', config=config,
    aws_access_key_id='AKIDTESTTESTTEST', aws_secret_access_key='test-secret-access-key')
try:
    answer = getattr(client, asked['operation'])(**asked['arguments'])
    answer.pop('ResponseMetadata', None)
    print(json.dumps({'Ok': answer}, default=str))
except botocore.exceptions.ClientError as error:
    print(json.dumps({'Err': error.response['Error']['Code']}))
";

/// The control plane at an endpoint.
pub struct Boto {
    endpoint: String,
}

impl Boto {
    pub fn of(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned() }
    }

    /// Calls an operation by its name in Python; the error is AWS' code for it.
    pub fn call(&self, service: &str, operation: &str, arguments: &Value) -> Result<Value, String> {
        let mut python = Command::new("python3");
        let home = emulator::home(emulator::Kind::Moto).unwrap();
        let mut child = python
            .args(["-c", SCRIPT])
            .env("PYTHONPATH", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let asked =
            json!({ "service": service, "operation": operation, "arguments": arguments, "endpoint": self.endpoint });
        child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let mut answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        match answer["Err"].take() {
            Value::String(code) => Err(code),
            _ => Ok(answer["Ok"].take()),
        }
    }

    /// The ARN of a queue that is made.
    pub fn make_queue(&self, name: &str) -> String {
        let queue = self.call("sqs", "create_queue", &json!({ "QueueName": name })).unwrap();
        let asked = json!({ "QueueUrl": queue["QueueUrl"], "AttributeNames": ["QueueArn"] });
        let told = self.call("sqs", "get_queue_attributes", &asked).unwrap();
        told["Attributes"]["QueueArn"].as_str().unwrap().to_owned()
    }

    /// The event source mappings of a function, also those of its aliases.
    pub fn mappings(&self, function: &str) -> Vec<Value> {
        let all = self.call("lambda", "list_event_source_mappings", &json!({})).unwrap();
        let ends = |arn: &str| arn.split(':').nth(6) == Some(function);
        let all = all["EventSourceMappings"].as_array().unwrap().clone();
        all.into_iter().filter(|mapping| ends(mapping["FunctionArn"].as_str().unwrap())).collect()
    }
}

/// What boto3 answers to an operation, by its name in Python; panics when it fails.
#[track_caller]
pub fn boto(endpoint: &str, service: &str, operation: &str, arguments: &Value) -> Value {
    let answer = Boto::of(endpoint).call(service, operation, arguments);
    answer.unwrap_or_else(|code| panic!("{service} {operation}: {code}"))
}
