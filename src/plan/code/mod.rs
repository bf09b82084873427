//! The code of a function or layer: what is sent, and how AWS gets it.

#[cfg(test)]
pub(super) mod tests;

use crate::deployment::{Archives, Code, CodeSource, Deployment, ObjectKey, Upload};
use crate::package::{self, Artifact, DIRECT_LIMIT, FileChanges, Image, Package};
use crate::place::Problem;
use crate::remote::{Live, Storage};
use crate::settings::Architecture;

/// A change of the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeChange {
    /// Base64 SHA-256 of the live package, or the digest of the live image; absent for a new function or layer.
    pub from: Option<String>,
    /// The same for the new code; absent for an image whose digest is unknown before the update.
    pub to: Option<String>,
    /// Size of the package in bytes; 0 for an image.
    pub size: u64,
    /// Number of files in the package.
    pub files: usize,
    /// The files that differ from the live package; absent for a new function or layer, for an image, and if the files
    /// of the live package are unknown.
    pub changes: Option<FileChanges>,
    /// The names that the built-in rules left out of the package; a folder ends in `/`.
    pub left_out: Vec<String>,
    /// The architecture that is sent; absent for AWS' default.
    pub architecture: Option<Architecture>,
    /// The live architecture.
    pub from_architecture: Option<Architecture>,
    /// The key that encrypts it at rest; absent for one that AWS owns.
    pub source_kms_key_arn: Option<String>,
    /// Where Lambda keeps a package from S3.
    pub storage: Storage,
    /// The way to send it.
    pub through: Through,
}

/// The way to send code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Through {
    /// In the call itself.
    Call,
    /// From the object that an earlier step uploads.
    Upload(Object),
    /// From an existing object.
    Found {
        /// The object.
        object: Object,
        /// Its version id; absent if the bucket has no versions.
        version_id: Option<String>,
    },
    /// From a container registry.
    Image(Image),
}

/// A package in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// The bucket.
    pub bucket: String,
    /// The key in it.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// Base64 SHA-256 of the package.
    pub code_sha256: String,
    /// Whether the key contains the hash of the contents.
    pub by_hash: bool,
    /// The account that must own the bucket; absent for any.
    pub expected_owner: Option<String>,
    /// The key that encrypts the object; absent for the bucket's default.
    pub kms_key_arn: Option<String>,
}

impl Object {
    /// The `s3://` URL.
    pub(crate) fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

impl CodeChange {
    /// Whether the live code is another.
    pub(super) fn differs(&self, live: &Live) -> bool {
        self.to != self.from
            || self.architecture != live.architecture
            || self.source_kms_key_arn != live.source_kms_key_arn
    }
}

/// The code to send, the way to send it, and the live code; `None` if the live code stays.
pub(super) fn code_change(deployment: &Deployment, package: &Package, live: Option<&Live>) -> Option<CodeChange> {
    match package {
        Package::Archive(artifact) => Some(archive_change(deployment, artifact, live)),
        Package::Image(image) => Some(image_change(deployment, image, live)),
        Package::Live(_) => None,
    }
}

fn image_change(deployment: &Deployment, image: &Image, live: Option<&Live>) -> CodeChange {
    let from_architecture = live.and_then(|live| live.architecture);
    CodeChange {
        from: live.map(|live| live.code().to_owned()),
        to: image.digest.clone(),
        size: 0,
        files: 0,
        changes: None,
        left_out: Vec::new(),
        architecture: deployment.code.architecture.or(image.architecture).or(from_architecture),
        from_architecture,
        source_kms_key_arn: None,
        storage: Storage::Copy,
        through: Through::Image(image.clone()),
    }
}

fn archive_change(deployment: &Deployment, artifact: &Artifact, live: Option<&Live>) -> CodeChange {
    let from_architecture = live.and_then(|live| live.architecture);
    let key = deployment.code.source_kms_key_arn.clone();
    let through = object_of(&deployment.code, artifact);
    let files = live.filter(|live| live.code_sha256 != artifact.code_sha256).and_then(|live| live.files.as_ref());
    CodeChange {
        from: live.map(|live| live.code().to_owned()),
        to: Some(artifact.code_sha256.clone()),
        size: artifact.archive.size(),
        files: artifact.entries.len(),
        changes: files.map(|files| package::changes(&files.files, &artifact.entries)),
        left_out: artifact.left_out.clone(),
        architecture: deployment.code.architecture.or_else(|| artifact.built_for(from_architecture)),
        from_architecture,
        // A package without a key of its own would lose the one that the live package has.
        source_kms_key_arn: key.or_else(|| live.and_then(|live| live.source_kms_key_arn.clone())),
        storage: live.filter(|_| through != Through::Call).map(|live| live.storage).unwrap_or_default(),
        through,
    }
}

/// How AWS gets a package.
pub(super) fn object_of(code: &Code, artifact: &Artifact) -> Through {
    let (size, code_sha256) = (artifact.archive.size(), artifact.code_sha256.clone());
    match (code.source.clone(), code.upload.clone()) {
        (CodeSource::Object { bucket, key, expected_owner, .. }, _) => {
            let object = Object { bucket, key, size, code_sha256, by_hash: false, expected_owner, kms_key_arn: None };
            Through::Found { object, version_id: artifact.version_id.clone() }
        }
        (
            CodeSource::Path(_)
            | CodeSource::Image(_)
            | CodeSource::Function(_)
            | CodeSource::Live
            | CodeSource::Unread { .. },
            Some(Upload { bucket, key, expected_owner, kms_key_arn }),
        ) => {
            let (key, by_hash) = match key {
                ObjectKey::ByHash(prefix) => (format!("{prefix}{}.zip", artifact.hex_sha256()), true),
                ObjectKey::Given(key) => (key, false),
            };
            Through::Upload(Object { bucket, key, size, code_sha256, by_hash, expected_owner, kms_key_arn })
        }
        (_, None) => Through::Call,
    }
}

/// The note on an archive of another tool that has the files of the live package; `None` for any other change.
pub(super) fn only_packed_anew(code: &Code, change: &CodeChange) -> Option<String> {
    if !change.changes.as_ref().is_some_and(|changes| changes.0.is_empty()) {
        return None;
    }
    let way_out = match &code.source {
        CodeSource::Path(path) if package::is_archive(path) && code.rules.archives == Archives::Keep => {
            "with `repack: true`, the same files always give the same package"
        }
        CodeSource::Object { .. } => "set `zip` to the files, and the same files always give the same package",
        _ => return None,
    };
    Some(format!("only times, order or compression differ from the live package: {way_out}"))
}

/// The error for a package that is too large to send; `None` if it fits.
pub(super) fn too_large(code: &Code, artifact: &Artifact) -> Option<Problem> {
    let size = artifact.archive.size();
    (size > DIRECT_LIMIT && object_of(code, artifact) == Through::Call).then(|| {
        let message = format!("the package has {size} bytes, AWS accepts at most {DIRECT_LIMIT} in one request");
        let help = "set `s3_bucket` to send it through S3, or leave files out with `exclude`";
        Problem::new(message).of("zip").help(help)
    })
}
