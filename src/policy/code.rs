//! The rights for the code: to read it, or to put it into a bucket.

use super::place::Place;
use super::statements::Statements;
use super::values::pattern;
use crate::arn::Partition;
use crate::deployment::{Code, CodeSource, ObjectKey, Upload};
use crate::reference::Borrowed;
use crate::settings::ImageUri;

/// Allows to put packages into a bucket, and to look whether they are there.
fn upload(statements: &mut Statements, bucket: String, objects: String) {
    statements.read(&["s3:GetObject"], vec![objects.clone()]);
    statements.write(&["s3:PutObject", "s3:GetObjectVersion", "s3:AbortMultipartUpload"], vec![objects]);
    // Without it, S3 answers 403 instead of 404 for a missing object.
    statements.read(&["s3:ListBucket"], vec![bucket.clone()]);
    statements.write(&["s3:ListBucketMultipartUploads"], vec![bucket]);
}

/// Allows to read an image, which Lambda does with the rights of the deploying identity. It adds itself to the policy of
/// the repository.
fn image(statements: &mut Statements, repository: String) {
    statements.read(&["ecr:BatchGetImage"], vec![repository.clone()]);
    let rights = ["ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy", "ecr:GetDownloadUrlForLayer"];
    statements.write(&rights, vec![repository]);
}

/// Allows to read or upload the code.
pub(super) fn code(statements: &mut Statements, place: &Place, code: &Code, borrowed: &[Borrowed]) {
    let named = |bucket: &str| place.partition.arn("s3", "", "", bucket);
    match (&code.source, &code.upload) {
        (CodeSource::Object { bucket, key, version_id, .. }, _) => {
            let object = format!("{}/{key}", named(bucket));
            let versions = version_id.is_some().then_some("s3:GetObjectVersion");
            let actions: Vec<_> = ["s3:GetObject"].into_iter().chain(versions).collect();
            statements.read(&actions, vec![object]);
        }
        (CodeSource::Path(_) | CodeSource::Function(_), Some(Upload { bucket, key, kms_key_arn, .. })) => {
            let objects = match key {
                ObjectKey::ByHash(prefix) => format!("{}/{prefix}*", named(bucket)),
                ObjectKey::Given(key) => format!("{}/{key}", named(bucket)),
            };
            upload(statements, named(bucket), objects);
            if let Some(key) = kms_key_arn.clone() {
                statements.write(&["kms:GenerateDataKey", "kms:Decrypt"], vec![key]);
            }
        }
        (CodeSource::Image(uri), _) => {
            let ImageUri { region, account, repository, .. } = uri;
            let repository =
                Partition::of_region(region).arn("ecr", region, account, &format!("repository/{repository}"));
            image(statements, repository);
        }
        (CodeSource::Path(_), None) if borrowed.iter().any(|borrowed| borrowed.option == "s3_bucket") => {
            let bucket = pattern(borrowed, "s3_bucket");
            upload(statements, named(&bucket), named(&format!("{bucket}/*")));
        }
        (CodeSource::Unread { option: "image_uri", .. }, _) => image(statements, place.arn("ecr", "repository/*")),
        (CodeSource::Unread { .. }, _) => {
            statements.read(&["s3:GetObject", "s3:GetObjectVersion"], vec![named("*/*")]);
        }
        (CodeSource::Path(_) | CodeSource::Function(_), None) | (CodeSource::Live, _) => {}
    }
    if let CodeSource::Function(source) = &code.source {
        statements.read(&["lambda:GetFunction"], vec![place.function(source)]);
    }
    if let Some(key) = code.source_kms_key_arn.clone() {
        // Without it, AWS does not show where the live package is.
        statements.read(&["kms:Decrypt"], vec![key.clone()]);
        statements.write(&["kms:GenerateDataKey"], vec![key]);
    }
}
