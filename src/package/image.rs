//! A container image, which a registry keeps: nothing of it is made or sent here.

use crate::settings::ImageUri;

/// An image, as far as its registry told about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub uri: ImageUri,
    /// What tells it from every other image; absent where the registry could not be asked.
    pub digest: Option<String>,
    /// What deserves a word: lowercase fragments.
    pub warnings: Vec<String>,
}

impl Image {
    /// The image of an address, of which nothing else is known.
    pub fn of(uri: &ImageUri) -> Self {
        Self { uri: uri.clone(), digest: uri.digest.clone(), warnings: Vec::new() }
    }

    /// The address that AWS gets: that of the digest, so that what was planned is what is deployed.
    pub fn address(&self) -> String {
        self.digest.as_ref().map_or_else(|| self.uri.to_string(), |digest| self.uri.pinned(digest))
    }
}
