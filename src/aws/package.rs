//! Reads which files the live package has, by range requests for the end of the archive.
//!
//! `GetFunction` returns an address of the package in a bucket of AWS that is valid for ten minutes. Where it cannot be
//! read, for example from a network without a way to S3, the files are unknown, which is no error.

use std::time::Duration;

use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::Session;
use super::fault;
use super::wire;
use crate::package::{self, Directory, LONGEST_END, Reading, Tail};
use crate::settings::Address;

/// The time for a request.
const PATIENCE: Duration = Duration::from_secs(2);

/// The end that is read first, in bytes. It holds the directory of an archive with some hundred files.
const FIRST: u64 = LONGEST_END;

/// The live package, as AWS last reported it.
#[derive(PartialEq, Eq)]
pub(super) struct Reported {
    /// Its address, which is valid for ten minutes, for everybody.
    pub(super) location: String,
    /// Its size, in bytes.
    pub(super) size: u64,
}

impl Reported {
    /// The package of a function or a version; `None` for an image.
    pub(super) fn of(answer: &GetFunctionOutput) -> Option<Self> {
        let (code, config) = (answer.code()?, answer.configuration()?);
        let size = u64::try_from(config.code_size()).ok()?;
        Some(Self { location: code.location()?.to_owned(), size })
    }
}

/// The end of the live package, as far as it was read.
struct End {
    bytes: Vec<u8>,
    /// The size of the whole package.
    all: u64,
}

impl Session<'_> {
    /// The directory of the live package; `None` if it cannot be read, or was read before.
    pub(crate) async fn live_files(&self) -> Option<Directory> {
        self.files_at(self.package_at.take()).await
    }

    /// The directory of a package that AWS reported; `None` if it cannot be read.
    pub(super) async fn files_at(&self, reported: Option<Reported>) -> Option<Directory> {
        // An emulator may return an address in a bucket of AWS, which it does not have.
        let reachable = |at: &Reported| !self.emulated || Address::parse(&at.location).is_some_and(|at| at.is_here());
        let reported = reported.filter(reachable)?;
        let read =
            self.bounded("the files of the live package", files(&reported, self.connection.certificates.as_deref()));
        read.await
            .ok()?
            .inspect_err(|why| tracing::debug!("the files of the live package are unknown because {why}"))
            .ok()
    }
}

/// The directory of the reported archive.
async fn files(reported: &Reported, certificates: Option<&[u8]>) -> Result<Directory, String> {
    let Reported { location, size } = reported;
    let connector = wire::plain(location, certificates, None, None);
    let mut needed = FIRST;
    loop {
        let end = tokio::time::timeout(PATIENCE, last(&connector, location, needed)).await;
        let End { bytes, all } = end.map_err(|_| format!("there was no answer in {} s", PATIENCE.as_secs()))??;
        if all != *size {
            return Err(format!("it has {all} bytes at its address, but {size} as AWS reports"));
        }
        match package::directory(&Tail { bytes: &bytes, all }) {
            Reading::Directory(directory) => return Ok(directory),
            Reading::Longer(longer) if longer > needed => needed = longer,
            Reading::Longer(_) | Reading::Unknown => return Err("it is not the end of an archive".to_owned()),
        }
    }
}

/// The last bytes at an address: at most `needed`, or all if there are not more.
async fn last(connector: &impl HttpConnector, location: &str, needed: u64) -> Result<End, String> {
    let mut request = HttpRequest::get(location).map_err(|_| "its address cannot be used")?;
    let range = format!("bytes=-{needed}");
    request.headers_mut().try_insert("range", range).map_err(|_| "a range cannot be asked for")?;
    let answer = connector.call(request).await.map_err(|error| fault::chain(&error))?;
    let length = answer.headers().get("content-length").and_then(|length| length.parse::<u64>().ok());
    let all = match answer.status().as_u16() {
        206 => answer.headers().get("content-range").and_then(whole),
        // A server without ranges sends everything. A small package is read whole.
        200 => length.filter(|length| *length <= needed),
        status => return Err(format!("the bucket answered {status}")),
    };
    let all = all.ok_or("the bucket does not send a part of it")?;
    let mut body = ByteStream::new(answer.into_body());
    let mut bytes = Vec::new();
    while let Some(piece) = body.try_next().await.map_err(|error| fault::chain(&error))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > needed.min(all) {
            return Err("the bucket sends more than was asked for".to_owned());
        }
    }
    Ok(End { bytes, all })
}

/// The size of the whole in `bytes 0-499/1234`.
fn whole(content_range: &str) -> Option<u64> {
    content_range.strip_prefix("bytes ")?.rsplit_once('/')?.1.parse().ok()
}
