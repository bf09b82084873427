//! Container images: what they have of their own, and what is for archives only.

use super::Named::{Around, Setting};
use super::{Facts, Named, Row, error, is_set, warning};
use crate::place::Problem;
use crate::settings::{Attachment, SettingName};

pub(super) const RULES: &[Row] = &[
    (&[Named::ImageUri], image_without_architecture),
    (&[Setting(SettingName::Handler)], image_has_handler),
    (&[Setting(SettingName::Runtime)], image_has_runtime),
    (&[Setting(SettingName::Layers)], image_has_layers),
    (&[Setting(SettingName::SnapStart)], image_has_snap_start),
    (&[Around(Attachment::CodeSigning)], image_is_signed),
    (&[Setting(SettingName::ImageConfig)], package_has_image_config),
];

/// <https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html>: the default is `x86_64`, whatever the image is
/// for.
fn image_without_architecture(facts: &Facts<'_>) -> Option<Problem> {
    let new = facts.whole && facts.live.is_none();
    (new && facts.deployment.code.architecture.is_none()).then(|| {
        warning(
            "the architecture of the image is not set, so AWS assumes x86_64",
            "set `architecture` to `x86_64` or `arm64`",
        )
    })
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>: the handler and the runtime are for
/// archives.
fn image_has_handler(facts: &Facts<'_>) -> Option<Problem> {
    facts.is_image().then(|| error("is for a package: an image has its own command", OF_IMAGES))
}

const OF_IMAGES: &str = "leave it out; `image_config` overrides the image's own command";

/// The same page.
fn image_has_runtime(facts: &Facts<'_>) -> Option<Problem> {
    facts.is_image().then(|| error("is for a package: an image has its own runtime", OF_IMAGES))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html>: layers are for archives.
fn image_has_layers(facts: &Facts<'_>) -> Option<Problem> {
    let layers = facts.settings.layers.as_ref().is_some_and(|layers| !layers.0.is_empty());
    (facts.is_image() && layers)
        .then(|| error("are for a package: an image cannot have layers", "copy their files into the image"))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html>: not for container images.
fn image_has_snap_start(facts: &Facts<'_>) -> Option<Problem> {
    (facts.is_image() && facts.has_snap_start())
        .then(|| error("is for a package: SnapStart does not support images", "leave it out"))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html>: not for container images.
fn image_is_signed(facts: &Facts<'_>) -> Option<Problem> {
    facts.is_image().then(|| error("is for a package: Lambda does not check signatures of images", "leave it out"))
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_ImageConfig.html>: values that override those of an image.
fn package_has_image_config(facts: &Facts<'_>) -> Option<Problem> {
    (facts.package_type == Some("Zip") && is_set(facts.settings.image_config.as_ref()))
        .then(|| error("is for an image, and this deploys a package", "name an image with `image_uri`"))
}
