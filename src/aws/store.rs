//! Reads and sends packages in S3.
//!
//! Each request carries the SHA-256 of its bytes, so that S3 refuses data that was damaged on the way.

use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::time::Instant;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::operation::upload_part::UploadPartError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use tokio::task::JoinSet;

use super::fault::{self, Call, Failed};
use super::origin::Origin;
use super::refusals::Meaning;
use super::settle::{GRACE, interrupted};
use super::wire::{self, Silence};
use super::{Connection, Session};
use crate::apply::Done;
use crate::deployment::CodeSource;
use crate::event::{Doing, Event};
use crate::fault::{Fault, FaultKind, Progress, Signal};
use crate::package::code_sha256;
use crate::plan::Object;
use crate::remote::Stored;
use crate::settings::Address;

/// The name of an object's metadata that holds the hash of the package.
const HASH: &str = "code-sha256";

/// The largest package that is sent in one request, in bytes.
const WHOLE: u64 = 16 << 20;

/// The size of the parts of a larger package, in bytes. S3 requires at least 5 MiB and takes up to 10,000 parts.
const PART: u64 = 8 << 20;

/// The largest archive that is read from a bucket, in bytes. Lambda allows 250 MB unpacked.
const LARGEST: u64 = 512 << 20;

/// The most attempts to read an archive.
const ATTEMPTS: u32 = 3;

/// The number of parts that are sent at the same time.
const AT_ONCE: usize = 4;

/// The requests of the parts in progress. Each returns the part and its size.
type Sending = JoinSet<Result<(CompletedPart, u64), SdkError<UploadPartError, HttpResponse>>>;

/// Downloads an archive from S3 into an unnamed temporary file. Returns the file and the object's version.
///
/// Calls `report` with the progress.
pub(crate) async fn fetch(
    connection: &Connection,
    source: &CodeSource,
    report: &dyn Fn(Event),
) -> Result<(File, Option<String>), Fault> {
    let CodeSource::Object { bucket, key, version_id, expected_owner } = source else {
        return Err(Fault::new(FaultKind::Misconfigured, format!("`{}` is not in S3", source.shown())));
    };
    let url = source.shown();
    let call = Call { action: "s3:GetObject", resource: &url };
    let mut attempt = 1;
    loop {
        let request = connection.s3.get_object().bucket(bucket).key(key).set_version_id(version_id.clone());
        let answer = request.set_expected_bucket_owner(expected_owner.clone()).send().await;
        let object = answer.map_err(|error| match (region_elsewhere(&connection.s3, &error), status(&error)) {
            (Some(region), _) => Fault::new(FaultKind::Misconfigured, format!("the bucket `{bucket}` is in {region}"))
                .help("set a bucket in the function's Region: Lambda cannot read from another Region"),
            (None, Some(404)) => Fault::new(FaultKind::Misconfigured, format!("{url} does not exist"))
                .help("correct `s3_bucket`, `s3_key` or `s3_object_version`; to send a package there, set `zip`"),
            (None, _) => fault::of(&error, &call).fault,
        })?;
        let version_id = version(object.version_id());
        let all = object.content_length().unwrap_or_default().unsigned_abs();
        match download(object.body, all, &url, report).await {
            Ok(file) => return Ok((file, version_id)),
            Err(Broken::Here(fault)) => return Err(fault),
            Err(Broken::OnTheWay(fault)) if attempt == ATTEMPTS => return Err(fault),
            Err(Broken::OnTheWay(fault)) => tracing::debug!("reading {url} again: {}", fault.message),
        }
        attempt += 1;
    }
}

/// Why a download ended early.
enum Broken {
    /// The connection failed or fell silent: another attempt may succeed.
    OnTheWay(Fault),
    /// This machine cannot keep the archive, or Lambda cannot use one of this size.
    Here(Fault),
}

/// Downloads an archive from an address that needs no credentials. The address is a secret; `shown` names the archive.
async fn fetch_address(
    address: &str,
    certificates: Option<&[u8]>,
    shown: &str,
    report: &dyn Fn(Event),
) -> Result<File, Broken> {
    let failed = |why: &str| {
        let message = format!("cannot read {shown}: {why}");
        Broken::OnTheWay(Fault::new(FaultKind::Failed, message))
    };
    let request = HttpRequest::get(address).map_err(|_| failed("its address cannot be used"))?;
    let connector = wire::plain(address, certificates, None, None);
    let answer = tokio::time::timeout(wire::ATTEMPT, connector.call(request)).await;
    let answer = answer.map_err(|_| failed(&Silence::Late(wire::ATTEMPT).to_string()))?;
    let answer = answer.map_err(|error| failed(&fault::chain(&error)))?;
    if answer.status().as_u16() != 200 {
        return Err(failed(&format!("the bucket answered {}", answer.status().as_u16())));
    }
    let all = answer.headers().get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    download(ByteStream::new(answer.into_body()), all, shown, report).await
}

/// Reads a body into an unnamed temporary file. `all` is its announced size; 0 if it was not announced.
async fn download(mut body: ByteStream, all: u64, url: &str, report: &dyn Fn(Event)) -> Result<File, Broken> {
    let failed = |why: &str| Fault::new(FaultKind::Failed, format!("cannot read {url}: {why}"));
    let here = |error: std::io::Error| Broken::Here(failed(&error.to_string()));
    let too_large = || {
        let message = format!("{url} is larger than {} MB", LARGEST >> 20);
        Broken::Here(Fault::new(FaultKind::Misconfigured, message).help("Lambda takes no package of this size"))
    };
    let begun = Instant::now();
    let mut file = tempfile::tempfile().map_err(here)?;
    let mut done = 0;
    loop {
        let next = tokio::time::timeout(wire::ATTEMPT, body.try_next()).await;
        let next = next.map_err(|_| Broken::OnTheWay(failed(&Silence::Late(wire::ATTEMPT).to_string())))?;
        let Some(bytes) = next.map_err(|error| Broken::OnTheWay(failed(&fault::chain(&error))))? else { break };
        done += bytes.len() as u64;
        if done.max(all) > LARGEST {
            return Err(too_large());
        }
        file.write_all(&bytes).map_err(here)?;
        report(Event::Progress { doing: Doing::Fetching, done, all, so_far: begun.elapsed() });
    }
    Ok(file)
}

impl Session<'_> {
    /// Downloads the package into an unnamed temporary file. The address may expire, and the connection may break: then it
    /// asks for another address.
    pub(crate) async fn download(&self, origin: &Origin, qualifier: Option<&str>, shown: &str) -> Result<File, Fault> {
        let what = format!("the package of {shown}");
        let failed = |why: &str| Fault::new(FaultKind::Failed, format!("cannot read {what}: {why}"));
        let mut location = origin.location.clone();
        let mut attempt = 1;
        loop {
            // An emulator may return an address in a bucket of AWS, which it does not have.
            let reachable =
                |location: &String| !self.emulated || Address::parse(location).is_some_and(|at| at.is_here());
            let address = location.filter(reachable).ok_or_else(|| failed("AWS returned no usable address of it"))?;
            let got = fetch_address(&address, self.connection.certificates.as_deref(), &what, &self.report);
            let why = match self.bounded(&what, got).await.map_err(|failed| failed.fault)? {
                Ok(file) => return Ok(file),
                Err(Broken::Here(fault)) => return Err(fault),
                Err(Broken::OnTheWay(fault)) if attempt == ATTEMPTS => return Err(fault),
                Err(Broken::OnTheWay(fault)) => fault.message,
            };
            tracing::debug!("reading {what} again: {why}");
            attempt += 1;
            let again = self.origin(qualifier, shown).await?;
            if again.code_sha256 != origin.code_sha256 {
                let message = format!("another program changed the code of {shown} in the meantime");
                return Err(Fault::new(FaultKind::Conflict, message).help("run again"));
            }
            location = again.location;
        }
    }

    /// Reads the state of the object that a package is sent to. Writes nothing.
    pub(crate) async fn find(&self, object: &Object) -> Result<Stored, Fault> {
        self.head(object).await.map_err(|failed| failed.fault)
    }

    async fn head(&self, object: &Object) -> Result<Stored, Failed> {
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
                (None, Some(404)) => self.head_bucket(object).await,
                (None, Some(400 | 403)) => self.why_unread(object, &call).await,
                (None, _) => Err(fault::of(&error, &call)),
            },
        }
    }

    /// Asks why S3 refused to describe the object. An answer to `HeadObject` has no body, so it gives no reason.
    async fn why_unread(&self, object: &Object, call: &Call<'_>) -> Result<Stored, Failed> {
        let request = self.s3.get_object().bucket(&object.bucket).key(&object.key).range("bytes=0-0");
        let request = request.set_expected_bucket_owner(object.expected_owner.clone());
        let Err(error) = self.bounded(call.action, request.send()).await? else { return Ok(Stored::Nothing) };
        match fault::of(&error, call) {
            // The credentials may allow writing only.
            _ if error.code() == Some("AccessDenied") => Ok(Stored::Nothing),
            Failed { meaning: Meaning::Forbidden | Meaning::NotFound, .. } => Ok(Stored::Nothing),
            failed => Err(failed),
        }
    }

    /// Reads whether the bucket exists: S3 gives the same answer for a missing bucket and a missing object.
    async fn head_bucket(&self, object: &Object) -> Result<Stored, Failed> {
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

    /// Sends the package to its bucket. Then restarts the deadline: the upload does not use up the time of later waits.
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
        let failed = match self.await_write(&call, request.send()).await? {
            // S3 gives each object an ETag.
            Ok(sent) if sent.e_tag().is_some() => return Ok(version(sent.version_id())),
            Ok(_) => self.unusable(&call, "it has no ETag"),
            Err(error) => refused(self.refusal(&error, &call), object),
        };
        self.or_stored(failed, object).await
    }

    /// Decides about a failed write of the object by a look: whether the bucket has the package.
    async fn or_stored(&self, failed: Failed, object: &Object) -> Result<Option<String>, Failed> {
        let stored = Cell::new(None);
        let look = async {
            let Stored::Object { code_sha256, size, version_id } = self.head(object).await? else { return Ok(false) };
            stored.set(version_id);
            Ok(size == object.size && code_sha256.as_ref() == Some(&object.code_sha256))
        };
        self.unless_done(failed, look).await.map(|()| stored.take())
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
        let begun = self.await_write(&call, request.send()).await?;
        let begun = begun.map_err(|error| refused(self.refusal(&error, &call), object))?;
        let no_id = || self.unusable(&call, "it has no id of the upload");
        let upload_id = begun.upload_id().ok_or_else(no_id)?.to_owned();
        let mut sending = JoinSet::new();
        let parts = tokio::select! {
            parts = self.parts(object, &upload_id, &mut sending) => parts,
            signal = Signal::sent(&self.interrupt) => Err(interrupted(signal, "the upload of the package").into()),
        };
        let result = match parts {
            Ok(parts) => self.complete(object, &upload_id, parts).await,
            Err(failed) => Err(failed),
        };
        match result {
            Ok(version_id) => {
                // Earlier runs may have left some: they were killed, or the answer with the id was lost.
                let _ = tokio::time::timeout(GRACE, self.end_uploads(object)).await;
                Ok(version_id)
            }
            Err(failed) => {
                // AWS charges for the parts of an upload that is neither completed nor aborted. The parts in progress are
                // stopped first, since a part can arrive after the abort.
                sending.shutdown().await;
                if matches!(tokio::time::timeout(GRACE, self.abort(object, &upload_id)).await, Ok(true)) {
                    self.progress.set(Progress::Nothing);
                    return Err(failed);
                }
                self.progress.set(Progress::Begun);
                let stay = "AWS keeps the parts that were sent, and charges for them, until the next run that uploads this package";
                let help = failed.fault.help.as_ref().map_or_else(|| stay.to_owned(), |help| format!("{help}; {stay}"));
                Err(Failed { fault: failed.fault.help(help), ..failed })
            }
        }
    }

    /// Aborts an upload. Returns whether it no longer exists.
    async fn abort(&self, object: &Object, upload_id: &str) -> bool {
        let request = self.s3.abort_multipart_upload().bucket(&object.bucket).key(&object.key).upload_id(upload_id);
        let aborted = request.set_expected_bucket_owner(object.expected_owner.clone()).send().await;
        aborted.map_or_else(|error| error.code() == Some("NoSuchUpload"), |_| true)
    }

    /// Aborts the unfinished uploads of an object that is complete. If AWS denies that, they stay.
    ///
    /// Another run that sends the same package at this moment finds the complete object.
    async fn end_uploads(&self, object: &Object) {
        let request = self.s3.list_multipart_uploads().bucket(&object.bucket).prefix(&object.key);
        let Ok(found) = request.set_expected_bucket_owner(object.expected_owner.clone()).send().await else { return };
        for upload in found.uploads().iter().filter(|upload| upload.key() == Some(&object.key)) {
            let upload_id = upload.upload_id().unwrap_or_default();
            let ended = self.abort(object, upload_id).await;
            tracing::debug!("an earlier run left an unfinished upload of {}; ended: {ended}", object.url());
        }
    }

    /// Sends all parts, [`AT_ONCE`] at the same time. Each part that arrives restarts the deadline.
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
        let url = object.url();
        let call = Call { action: "s3:PutObject", resource: &url };
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
            let next = self.bounded("a part of the package to arrive", sending.join_next());
            let Some(sent) = next.await? else { break };
            // The text of a panic may show a value, so it is left out.
            let stopped = |_| Fault::new(FaultKind::Failed, "the upload stopped without an answer");
            let (part, size) = sent.map_err(stopped)?.map_err(|error| refused(fault::of(&error, &call), object))?;
            if part.e_tag().is_none() {
                return Err(fault::unusable(&call, "it has no ETag"));
            }
            completed.push(part);
            done += size;
            self.extend_deadline();
            (self.report)(Event::Progress { doing: Doing::Sending, done, all: object.size, so_far: begun.elapsed() });
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
        let failed = match self.await_write(&call, request.send()).await? {
            Ok(sent) if sent.e_tag().is_some() => return Ok(version(sent.version_id())),
            Ok(_) => self.unusable(&call, "it has no ETag"),
            // The answer to a first attempt was lost, or another run that sent the same package was faster.
            Err(error) if error.code() == Some("NoSuchUpload") => {
                Failed { meaning: Meaning::Lost, ..self.refusal(&error, &call) }
            }
            Err(error) => refused(self.refusal(&error, &call), object),
        };
        self.or_stored(failed, object).await
    }
}

/// The bucket's Region, if S3 answers that it is not the Region of the request.
pub(super) fn region_elsewhere<E>(s3: &Client, error: &SdkError<E, HttpResponse>) -> Option<String> {
    let region = error.raw_response()?.headers().get("x-amz-bucket-region")?;
    let ours = s3.config().region().map(AsRef::as_ref);
    (Some(region) != ours).then(|| region.to_owned())
}

/// The version of an object; `None` in a bucket without versions, where S3 returns no version or `null`.
fn version(id: Option<&str>) -> Option<String> {
    id.filter(|id| *id != "null").map(str::to_owned)
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

/// Adds help to a denied write. The bucket often belongs to another account.
fn refused(failed: Failed, object: &Object) -> Failed {
    if failed.meaning != Meaning::Forbidden {
        return failed;
    }
    let owner = object.expected_owner.as_ref().map_or_else(String::new, |owner| format!(" of account {owner}"));
    let help = format!("allow `s3:PutObject` on `{}`, and check that the bucket is yours{owner}", object.url());
    Failed { fault: failed.fault.help(help), ..failed }
}

/// The error for a package whose temporary file cannot be read.
pub(super) fn unreadable(error: &std::io::Error) -> Failed {
    Fault::new(FaultKind::Failed, format!("cannot read the package: {error}")).into()
}
