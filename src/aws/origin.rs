//! The code of another function: what it is, and its bytes.
//!
//! `GetFunction` returns an address of the package in a bucket of AWS that is valid for ten minutes. Whoever knows the
//! address can read the package, so it is never shown.

use super::fault::Failed;
use super::hide::Hidden;
use super::{Session, convert};
use crate::fault::{Fault, FaultKind};
use crate::settings::Architecture;

/// The code of a function, or of a version of it.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// Base64 SHA-256 of the package; for an image, the hash that AWS returns.
    pub code_sha256: String,
    /// The instruction set; absent for a value that this version does not know.
    pub architecture: Option<Architecture>,
    /// The address of the image, if possible with its digest; absent for a package.
    pub image: Option<String>,
    /// The address of the package; absent for an image.
    pub(super) location: Option<String>,
}

impl Session<'_> {
    /// The code of the function of this session, or of its version or alias. Waits until it is settled. `shown` names the
    /// function in messages.
    pub(crate) async fn origin(&self, qualifier: Option<&str>, shown: &str) -> Result<Origin, Fault> {
        let answer = self.ready(qualifier, shown).await.map_err(|failed: Failed| failed.fault)?;
        let answer = answer.ok_or_else(|| {
            Fault::new(FaultKind::Misconfigured, format!("{shown} does not exist"))
                .help("correct the name, the Region or the credentials; the right `lambda:GetFunction` is needed there")
        })?;
        let location = answer.code().and_then(|code| code.location()).map(str::to_owned);
        if let Some(location) = &location {
            (self.hide)(Hidden::Credential(location));
            location.split('?').skip(1).for_each(|query| (self.hide)(Hidden::Credential(query)));
        }
        let unread = || Fault::new(FaultKind::Failed, "`lambda:GetFunction` answered without a configuration");
        let live = convert::live(&answer).ok_or_else(unread)?;
        Ok(Origin { code_sha256: live.code_sha256, architecture: live.architecture, image: live.image, location })
    }
}
