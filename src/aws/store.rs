//! Packages in S3: whether one is there already, and putting it there.
//!
//! What is sent carries its SHA-256, so that S3 itself refuses what was damaged on the way.

use std::fs::File;
use std::io::Write;
use std::time::Instant;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::operation::upload_part::UploadPartError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::task::JoinSet;

use super::fault::{self, Call, Failed};
use super::settle::{GRACE, interrupted};
use super::{Connection, Session};
use crate::apply::{Done, Fault, FaultKind, Meanwhile, Progress, Signal};
use crate::deployment::CodeSource;
use crate::package::code_sha256;
use crate::plan::Object;
use crate::remote::Stored;

/// Metadata of an object that was sent as a whole: the hash of what it holds.
const HASH: &str = "code-sha256";

/// Packages up to this size go in one request.
const WHOLE: u64 = 16 << 20;

/// The size of the parts of a larger one. S3 wants at least 5 MiB and takes 10,000 of them.
const PART: u64 = 8 << 20;

/// How many parts are on their way at once.
const AT_ONCE: usize = 4;

/// Parts on their way, each with its size.
type Sending = JoinSet<Result<(CompletedPart, u64), SdkError<UploadPartError, HttpResponse>>>;

/// Reads an archive that is in S3 already into a file without a name, and tells its version.
///
/// `tell` is told how far it has come.
pub async fn fetch(
    connection: &Connection,
    source: &CodeSource,
    tell: &dyn Fn(Meanwhile),
) -> Result<(File, Option<String>), Fault> {
    let CodeSource::Object { bucket, key, version_id, expected_owner } = source else {
        return Err(Fault::new(FaultKind::Misconfigured, format!("`{}` is not in S3", source.shown())));
    };
    let url = source.shown();
    let call = Call { action: "s3:GetObject", resource: &url };
    let request = connection.s3.get_object().bucket(bucket).key(key).set_version_id(version_id.clone());
    let answer = request.set_expected_bucket_owner(expected_owner.clone()).send().await;
    let mut object = answer.map_err(|error| match (region_elsewhere(&connection.s3, &error), status(&error)) {
        (Some(region), _) => Fault::new(FaultKind::Misconfigured, format!("the bucket `{bucket}` is in {region}"))
            .help("name a bucket in the function's Region: Lambda takes from no other"),
        (None, Some(404)) => Fault::new(FaultKind::Misconfigured, format!("there is no {url}"))
            .help("correct `s3_bucket`, `s3_key` or `s3_object_version`; to send a package there, set `zip`"),
        (None, _) => fault::of(&error, &call).fault,
    })?;
    let (begun, all) = (Instant::now(), object.content_length().unwrap_or_default().unsigned_abs());
    let broke_off =
        |error: &dyn std::error::Error| Fault::new(FaultKind::Failed, format!("reading {url} broke off: {error}"));
    let mut file = tempfile::tempfile().map_err(|error| broke_off(&error))?;
    let mut done = 0;
    while let Some(bytes) = object.body.try_next().await.map_err(|error| broke_off(&error))? {
        file.write_all(&bytes).map_err(|error| broke_off(&error))?;
        done += bytes.len() as u64;
        tell(Meanwhile::Fetching { done, all, so_far: begun.elapsed() });
    }
    Ok((file, version(object.version_id())))
}

impl Session<'_> {
    /// Looks what is in the bucket where a package is to go. Nothing is written.
    pub async fn find(&self, object: &Object) -> Result<Stored, Fault> {
        self.look(object).await.map_err(|failed| failed.fault)
    }

    async fn look(&self, object: &Object) -> Result<Stored, Failed> {
        let call = Call { action: "s3:GetObject", resource: &object.url() };
        let request = self.s3.head_object().bucket(&object.bucket).key(&object.key);
        let request = request.set_expected_bucket_owner(object.expected_owner.clone());
        match self.bounded(call.action, request.send()).await? {
            Ok(found) => Ok(Stored::Object {
                code_sha256: found.metadata().and_then(|metadata| metadata.get(HASH)).cloned(),
                size: found.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or_default(),
                version_id: version(found.version_id()),
            }),
            Err(error) => match (region_elsewhere(&self.s3, &error), status(&error)) {
                (Some(region), _) => Ok(Stored::InRegion(region)),
                (None, Some(404)) => self.look_at_bucket(object).await,
                // Who may write need not be allowed to read.
                (None, Some(403)) => Ok(Stored::Nothing),
                (None, _) => Err(fault::of(&error, &call)),
            },
        }
    }

    /// The answer about an object does not tell a missing bucket from a missing object.
    async fn look_at_bucket(&self, object: &Object) -> Result<Stored, Failed> {
        let request = self.s3.head_bucket().bucket(&object.bucket);
        let request = request.set_expected_bucket_owner(object.expected_owner.clone());
        match self.bounded("s3:ListBucket", request.send()).await? {
            Ok(_) => Ok(Stored::Nothing),
            Err(error) => match (region_elsewhere(&self.s3, &error), status(&error)) {
                (Some(region), _) => Ok(Stored::InRegion(region)),
                (None, Some(404)) => Ok(Stored::NoBucket),
                (None, _) => Ok(Stored::Nothing),
            },
        }
    }

    /// Puts the package into its bucket. However long that takes, AWS has all the time for what comes after it.
    pub(super) async fn upload(&mut self, object: &Object) -> Result<Done, Failed> {
        self.uploaded =
            if object.size > WHOLE { self.send_parts(object).await? } else { self.send_whole(object).await? };
        self.restart_deadline();
        Ok(Done::default())
    }

    async fn send_whole(&self, object: &Object) -> Result<Option<String>, Failed> {
        let call = Call { action: "s3:PutObject", resource: &object.url() };
        let bytes = self.archive()?.part(0, object.size).map_err(|error| unreadable(&error))?;
        let request = self.put(object).checksum_sha256(&object.code_sha256).body(ByteStream::from(bytes));
        let sent = self.written(&call, request.send()).await?;
        let sent = sent.map_err(|error| refused(fault::of(&error, &call), object))?;
        Ok(version(sent.version_id()))
    }

    fn put(&self, object: &Object) -> PutObjectFluentBuilder {
        self.s3
            .put_object()
            .bucket(&object.bucket)
            .key(&object.key)
            .content_type("application/zip")
            .metadata(HASH, &object.code_sha256)
            .set_expected_bucket_owner(object.expected_owner.clone())
            .set_server_side_encryption(object.kms_key_arn.as_ref().map(|_| ServerSideEncryption::AwsKms))
            .set_ssekms_key_id(object.kms_key_arn.clone())
    }

    async fn send_parts(&self, object: &Object) -> Result<Option<String>, Failed> {
        let url = object.url();
        let call = Call { action: "s3:PutObject", resource: &url };
        let request = self.s3.create_multipart_upload().bucket(&object.bucket).key(&object.key);
        let request = request
            .content_type("application/zip")
            .metadata(HASH, &object.code_sha256)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .set_expected_bucket_owner(object.expected_owner.clone())
            .set_server_side_encryption(object.kms_key_arn.as_ref().map(|_| ServerSideEncryption::AwsKms))
            .set_ssekms_key_id(object.kms_key_arn.clone());
        let begun = self.written(&call, request.send()).await?;
        let begun = begun.map_err(|error| refused(fault::of(&error, &call), object))?;
        let upload_id = begun.upload_id().unwrap_or_default().to_owned();
        let mut sending = JoinSet::new();
        let parts = tokio::select! {
            parts = self.parts(object, &upload_id, &mut sending) => parts,
            signal = Signal::sent(&self.interrupt) => Err(interrupted(signal, "the upload of the package").into()),
        };
        let result = match parts {
            Ok(parts) => self.complete(object, &upload_id, parts).await,
            Err(failed) => Err(failed),
        };
        if result.is_err() {
            // Parts that nobody completes are paid for until somebody deletes them; one that is still on its way would
            // arrive after that.
            sending.shutdown().await;
            let abort = self.s3.abort_multipart_upload().bucket(&object.bucket).key(&object.key);
            let abort = abort.set_expected_bucket_owner(object.expected_owner.clone()).upload_id(&upload_id);
            let aborted = tokio::time::timeout(GRACE, abort.send()).await;
            let gone = matches!(aborted, Ok(Ok(_)));
            self.progress.set(if gone { Progress::Nothing } else { Progress::Begun });
        }
        result
    }

    /// Sends all parts, some at once.
    async fn parts(
        &self,
        object: &Object,
        upload_id: &str,
        sending: &mut Sending,
    ) -> Result<Vec<CompletedPart>, Failed> {
        let (begun, mut done) = (Instant::now(), 0);
        let mut completed = Vec::new();
        let starts = (0..object.size).step_by(usize::try_from(PART).unwrap_or(usize::MAX));
        let mut waiting = (1..).zip(starts);
        loop {
            while sending.len() < AT_ONCE
                && let Some((number, offset)) = waiting.next()
            {
                let bytes = self.archive()?.part(offset, PART).map_err(|error| unreadable(&error))?;
                let (size, checksum) = (bytes.len() as u64, code_sha256(&bytes));
                let part = CompletedPart::builder().part_number(number).checksum_sha256(&checksum);
                let request = self.s3.upload_part().bucket(&object.bucket).key(&object.key).upload_id(upload_id);
                let request = request.part_number(number).checksum_sha256(checksum);
                let request = request.set_expected_bucket_owner(object.expected_owner.clone());
                let sent = request.body(ByteStream::from(bytes)).send();
                sending.spawn(async move { sent.await.map(|sent| (part.set_e_tag(sent.e_tag).build(), size)) });
            }
            let Some(sent) = sending.join_next().await else { break };
            let call = Call { action: "s3:PutObject", resource: &object.url() };
            let broke_off = |error| Fault::new(FaultKind::Failed, format!("the upload broke off: {error}"));
            let (part, size) = sent.map_err(broke_off)?.map_err(|error| refused(fault::of(&error, &call), object))?;
            completed.push(part);
            done += size;
            (self.tell)(Meanwhile::Sending { done, all: object.size, so_far: begun.elapsed() });
        }
        completed.sort_by_key(CompletedPart::part_number);
        Ok(completed)
    }

    async fn complete(
        &self,
        object: &Object,
        upload_id: &str,
        parts: Vec<CompletedPart>,
    ) -> Result<Option<String>, Failed> {
        let call = Call { action: "s3:PutObject", resource: &object.url() };
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.s3.complete_multipart_upload().bucket(&object.bucket).key(&object.key);
        let request = request.upload_id(upload_id).multipart_upload(parts);
        let request = request.set_expected_bucket_owner(object.expected_owner.clone());
        match self.written(&call, request.send()).await? {
            Ok(sent) => Ok(version(sent.version_id())),
            // A first answer may have been lost; there is no such upload then any more.
            Err(error) => match (error.code(), self.look(object).await?) {
                (Some("NoSuchUpload"), Stored::Object { size, version_id, .. }) if size == object.size => {
                    Ok(version_id)
                }
                _ => Err(refused(fault::of(&error, &call), object)),
            },
        }
    }
}

/// The Region that S3 names when it was asked in another one.
fn region_elsewhere<E>(s3: &Client, error: &SdkError<E, HttpResponse>) -> Option<String> {
    let region = error.raw_response()?.headers().get("x-amz-bucket-region")?;
    let ours = s3.config().region().map(AsRef::as_ref);
    (Some(region) != ours).then(|| region.to_owned())
}

/// A bucket that keeps no versions says nothing, or `null`.
fn version(id: Option<&str>) -> Option<String> {
    id.filter(|id| *id != "null").map(str::to_owned)
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

/// What S3 denies is often a bucket of somebody else's.
fn refused(failed: Failed, object: &Object) -> Failed {
    if failed.fault.kind != FaultKind::Denied {
        return failed;
    }
    let owner = object.expected_owner.as_ref().map_or_else(String::new, |owner| format!(" of account {owner}"));
    let help = format!("allow `s3:PutObject` on `{}`, and look whether the bucket is yours{owner}", object.url());
    Failed { fault: failed.fault.help(help), ..failed }
}

/// The package is in a file of ours that cannot be read any more.
pub(super) fn unreadable(error: &std::io::Error) -> Failed {
    Fault::new(FaultKind::Failed, format!("the package cannot be read: {error}")).into()
}
