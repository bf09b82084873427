//! Looks up the image of a tag in ECR.

use aws_sdk_ecr::operation::batch_get_image::BatchGetImageError;
use aws_sdk_ecr::types::{ImageFailureCode, ImageIdentifier};
use aws_sdk_ecr::{Client, config};
use serde_json::Value;

use super::Connection;
use super::fault::{self, Call};
use super::wire;
use crate::fault::{Fault, FaultKind};
use crate::package::Image;
use crate::settings::ImageUri;

/// The media types of manifests that a tag can have. Without this list, ECR converts manifests to another type.
const FORMS: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// Looks up the digest of an image with a tag. An address with a digest needs no request.
///
/// Lambda requires the permission `ecr:BatchGetImage` for a deployment anyway. If it is denied, the image has no digest and
/// a warning.
pub(crate) async fn resolve(connection: &Connection, uri: &ImageUri) -> Result<Image, Fault> {
    let image = Image::of(uri);
    let (Some(tag), None) = (&uri.tag, &image.digest) else { return Ok(image) };
    let ImageUri { account, region, repository, .. } = uri;
    let resource = connection.caller().partition.arn("ecr", region, account, &format!("repository/{repository}"));
    let call = Call { action: "ecr:BatchGetImage", resource: &resource };
    let request = connection.ecr(region).batch_get_image().registry_id(account).repository_name(repository);
    let request = request.image_ids(ImageIdentifier::builder().image_tag(tag).build());
    let answer = match request.set_accepted_media_types(Some(FORMS.map(str::to_owned).to_vec())).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let missing = error.as_service_error().is_some_and(BatchGetImageError::is_repository_not_found_exception);
            return match fault::of(&error, &call).fault {
                _ if missing => {
                    let message = format!("there is no repository `{repository}` in {region} of account {account}");
                    Err(Fault::new(FaultKind::Misconfigured, message)
                        .help("correct `image_uri`; Lambda takes images from the function's own Region"))
                }
                fault if fault.kind == FaultKind::Denied => Ok(unresolved(image, &fault)),
                fault => Err(fault),
            };
        }
    };
    let Some(found) = answer.images().first() else {
        let failure = answer.failures().first();
        let reason = failure.and_then(|failure| failure.failure_reason()).unwrap_or("ECR gives no reason");
        let missing = failure.and_then(|failure| failure.failure_code()) == Some(&ImageFailureCode::ImageNotFound);
        return Err(if missing {
            let message = format!("`{repository}` has no image with the tag `{tag}`");
            Fault::new(FaultKind::Misconfigured, message)
                .help("push the image before it is deployed, or correct the tag")
        } else {
            Fault::new(FaultKind::Failed, format!("ECR did not return the image `{}`: {reason}", uri.name()))
        });
    };
    let form = found.image_manifest_media_type().unwrap_or_default();
    if let Some(problem) = several(form, found.image_manifest().unwrap_or_default()) {
        let message = format!("`{}` {problem}; Lambda takes only a single image", uri.name());
        let help = "build for one platform and without attestations: `docker buildx build --platform linux/arm64 --provenance=false`";
        return Err(Fault::new(FaultKind::Misconfigured, message).help(help));
    }
    let digest = found.image_id().and_then(|id| id.image_digest());
    let unknown = || Fault::new(FaultKind::Failed, format!("ECR did not return the digest of `{}`", uri.name()));
    Ok(Image { digest: Some(digest.ok_or_else(unknown)?.to_owned()), ..image })
}

/// The image with a warning that its tag could not be looked up. Lambda looks it up later, so the plan has no digest.
fn unresolved(image: Image, fault: &Fault) -> Image {
    let warning =
        format!("cannot look up the image of the tag, so it is deployed even if it is live already: {}", fault.message);
    Image { warnings: vec![warning], ..image }
}

/// A description of a manifest of several images; `None` for the manifest of one image.
fn several(form: &str, manifest: &str) -> Option<String> {
    let manifest: Value = serde_json::from_str(manifest).unwrap_or_default();
    let form = if form.is_empty() { manifest["mediaType"].as_str().unwrap_or_default() } else { form };
    let images = manifest["manifests"].as_array();
    if images.is_none() && !form.contains(".image.index.") && !form.contains(".manifest.list.") {
        return None;
    }
    let platform = |image: &Value| {
        let (os, architecture) = (image["platform"]["os"].as_str()?, image["platform"]["architecture"].as_str()?);
        Some(if os == "unknown" { "an attestation".to_owned() } else { format!("{os}/{architecture}") })
    };
    let platforms: Vec<_> = images.into_iter().flatten().filter_map(platform).collect();
    let of = if platforms.is_empty() { String::new() } else { format!(" ({})", platforms.join(", ")) };
    Some(format!("is an index of several images{of}"))
}

impl Connection {
    /// A client for the registry in a Region.
    fn ecr(&self, region: &str) -> Client {
        let region = config::Region::new(region.to_owned());
        let config = config::Builder::from(self.config()).region(region).retry_classifier(wire::Unreadable);
        Client::from_conf(config.build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_distinguished_from_an_image() {
        let index = r#"{"manifests": [
            {"digest": "sha256:1", "platform": {"os": "linux", "architecture": "amd64"}},
            {"digest": "sha256:2", "platform": {"os": "linux", "architecture": "arm64"}},
            {"digest": "sha256:3", "platform": {"os": "unknown", "architecture": "unknown"}}]}"#;
        let description = Some("is an index of several images (linux/amd64, linux/arm64, an attestation)");
        assert_eq!(several(FORMS[3], index).as_deref(), description);
        assert_eq!(several("", index).as_deref(), description);
        assert_eq!(several(FORMS[1], "{}").as_deref(), Some("is an index of several images"));
        for form in [FORMS[0], FORMS[2], ""] {
            assert_eq!(several(form, r#"{"config": {"size": 7}, "layers": []}"#), None, "{form}");
        }
    }
}
