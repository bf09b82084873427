//! A container image in a registry. This program neither builds nor sends it.

use crate::settings::{Architecture, ImageUri};

/// A container image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// The address in the registry.
    pub uri: ImageUri,
    /// The digest, which identifies the image; absent when the registry was not asked or denied the read.
    pub digest: Option<String>,
    /// The instruction set; absent if it is unknown.
    pub architecture: Option<Architecture>,
    /// Warnings: lowercase fragments.
    pub warnings: Vec<String>,
}

impl Image {
    /// The image of an address, without a request to the registry.
    pub(crate) fn of(uri: &ImageUri) -> Self {
        Self { uri: uri.clone(), digest: uri.digest.clone(), architecture: None, warnings: Vec::new() }
    }

    /// The address that is sent to AWS. It holds the digest, if known, so that a moved tag cannot change the planned image.
    pub(crate) fn address(&self) -> String {
        self.digest.as_ref().map_or_else(|| self.uri.to_string(), |digest| self.uri.pinned(digest))
    }
}
