//! Reads states of Terraform in buckets.

use aws_sdk_s3::config::{Config, Region};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectOutput;

use super::Answers;
use crate::aws::Connection;
use crate::aws::fault::{self, Call};
use crate::aws::store::region_elsewhere;
use crate::aws::wire::{self, Silence};
use crate::fault::{Fault, FaultKind};
use crate::reference::{Found, MOST_STATE, of_state};

/// Reads a state once, and takes these outputs of it. The bucket may be in any Region.
pub(super) async fn read(connection: &Connection, bucket: &str, key: &str, outputs: Vec<String>) -> Answers {
    let url = format!("s3://{bucket}/{key}");
    let resource = connection.caller().partition.arn("s3", "", "", &format!("{bucket}/{key}"));
    let call = Call { action: "s3:GetObject", resource: &resource };
    let all = |answer: Result<Found, Fault>| vec![answer; outputs.len()];
    let request = connection.s3.get_object().bucket(bucket).key(key);
    let mut answer = request.clone().send().await;
    if let Err(error) = &answer
        && let Some(region) = region_elsewhere(&connection.s3, error)
    {
        tracing::debug!("the bucket `{bucket}` is in {region}");
        let there = Config::builder().region(Region::new(region));
        answer = request.customize().config_override(there).send().await;
    }
    let object = match answer {
        Ok(object) => object,
        Err(error) => {
            let message = match error.code() {
                Some("NoSuchBucket") => format!("there is no bucket `{bucket}`"),
                Some("NoSuchKey") => format!("`{url}` does not exist"),
                _ => return all(Err(fault::of(&error, &call).fault)),
            };
            let help = "correct the bucket and the key, or set a `default`".to_owned();
            return all(Ok(Found::Nothing { message, help }));
        }
    };
    let state = match body(object, &url).await {
        Ok(state) => state,
        Err(fault) => return all(Err(fault)),
    };
    outputs.iter().map(|name| of_state(&state, &url, name)).collect()
}

/// The bytes of an object.
async fn body(mut object: GetObjectOutput, url: &str) -> Result<Vec<u8>, Fault> {
    let failed = |why: String| Fault::new(FaultKind::Failed, format!("cannot read {url}: {why}"));
    let mut bytes = Vec::new();
    loop {
        let next = tokio::time::timeout(wire::ATTEMPT, object.body.try_next()).await;
        let next = next.map_err(|_| failed(Silence::Late(wire::ATTEMPT).to_string()).help("run again later"))?;
        let Some(part) = next.map_err(|error| failed(fault::chain(&error)).help("run again later"))? else {
            return Ok(bytes);
        };
        if (bytes.len() + part.len()) as u64 > MOST_STATE {
            let message = format!("{url} is too large: more than {} MB is not read", MOST_STATE >> 20);
            return Err(Fault::new(FaultKind::Misconfigured, message).help("name the state of a smaller configuration"));
        }
        bytes.extend_from_slice(&part);
    }
}
