//! What AWS' own client for Python reads: it comes with one of the emulators.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock},
};

use serde_json::{Value, json};

use super::emulator;

/// Answers one call on each line, until its input ends. To start Python and to import boto3 takes most of a second.
const SCRIPT: &str = "
import functools, json, sys, boto3, botocore.config, botocore.exceptions
config = botocore.config.Config(parameter_validation=False, retries={'max_attempts': 1})

@functools.cache
def client(service, endpoint):
    return boto3.client(service, endpoint_url=endpoint, region_name='us-east-1', config=config,
        aws_access_key_id='test', aws_secret_access_key='test-secret-access-key')

for line in sys.stdin:
    asked = json.loads(line)
    try:
        call = getattr(client(asked['service'], asked['endpoint']), asked['operation'])
        answer = call(**asked['arguments'])
        answer.pop('ResponseMetadata', None)
        answer = {'Ok': answer}
    except botocore.exceptions.ClientError as error:
        answer = {'Err': error.response['Error']['Code']}
    print(json.dumps(answer, default=str), flush=True)
";

/// The one Python of this process; it ends with it.
fn python() -> &'static Mutex<Child> {
    static PYTHON: OnceLock<Mutex<Child>> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let mut python = Command::new("python3");
        python.args(["-c", SCRIPT]).env("PYTHONPATH", emulator::home(emulator::Kind::Moto).unwrap());
        Mutex::new(python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    })
}

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
        let asked =
            json!({ "service": service, "operation": operation, "arguments": arguments, "endpoint": self.endpoint });
        let mut line = String::new();
        {
            let mut python = python().lock().unwrap();
            writeln!(python.stdin.as_mut().unwrap(), "{asked}").unwrap();
            BufReader::new(python.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        }
        let mut answer: Value = serde_json::from_str(&line).unwrap();
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
