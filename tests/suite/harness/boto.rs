//! A third way to an emulator: boto3, which comes with moto and knows every operation of every service.

use std::process::Command;

use serde_json::Value;

use super::Kind;
use super::emulator::install;

const SCRIPT: &str = "
import json, sys, boto3, botocore.config, botocore.exceptions
endpoint, service, operation, arguments = sys.argv[1:]
config = botocore.config.Config(parameter_validation=False, retries={'max_attempts': 1})
client = boto3.client(service, endpoint_url=endpoint, region_name='us-east-1', config=config,
                      aws_access_key_id='AKIDTESTTESTTEST', aws_secret_access_key='test-secret-access-key')
answer = getattr(client, operation)(**json.loads(arguments))
print(json.dumps(answer, default=str))
";

/// What boto3 answers to an operation, by its name in Python; panics when it fails.
#[track_caller]
pub fn boto(endpoint: &str, service: &str, operation: &str, arguments: &Value) -> Value {
    let home = install(Kind::Moto.package()).unwrap();
    let mut python = Command::new("python3");
    python.args(["-c", SCRIPT, endpoint, service, operation, &arguments.to_string()]).env("PYTHONPATH", home);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{service} {operation}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
