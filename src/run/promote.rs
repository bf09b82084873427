//! Deploys the code of another function: the same bytes, or the same image.

use std::path::PathBuf;
use std::sync::Arc;

use super::Run;
use super::build::not_found;
use crate::aws::{self, Origin};
use crate::config::Entry;
use crate::deployment::{Deployment, SourceFunction};
use crate::error::{About, Error};
use crate::fault::{Fault, FaultKind};
use crate::package::{self, Artifact, Image, Package};
use crate::remote::{Caller, Remote};
use crate::settings::{ImageUri, Setting, Written};

impl Run<'_> {
    /// The code of another function. A package that the deployed function already has is not downloaded.
    pub(super) async fn promote(
        &self,
        source: &SourceFunction,
        deployment: &Deployment,
        entry: &Entry,
    ) -> Result<Package, Error> {
        let (limit, shown) = (entry.item.wait_timeout(), deployment.code.source.shown());
        let failed = |fault| not_found(fault, entry, "code_from", &shown);
        let login = self.connect(&source.target(&deployment.target), limit).await.map_err(failed)?;
        let SourceFunction { function, .. } = source;
        let Caller { partition, region, .. } = login.connection.caller();
        // Not every emulator knows an account and a name together with a version.
        let arn = |account| partition.arn("lambda", &region, account, &format!("function:{}", function.name));
        let name = function.account.as_deref().map_or_else(|| function.name.clone(), arn);
        let session = self.session(&login, &name, None, limit);
        let qualifier = source.qualifier.as_deref();
        let origin = session.origin(qualifier, &shown).await.map_err(failed)?;
        if let Some(address) = &origin.image {
            let uri = ImageUri::parse(&Written::Text(address.clone()));
            let uri =
                uri.map_err(|why| failed(Fault::new(FaultKind::Failed, format!("the image of {shown}: {why}"))))?;
            let image = self.within(limit, &shown, aws::resolve(&login.connection, &uri)).await.map_err(failed)?;
            return Ok(Package::Image(Image { architecture: origin.architecture, ..image }));
        }
        if self.has_code(deployment, entry, &origin).await? {
            return Ok(Package::Live(Some(origin.code_sha256)));
        }
        let file = session.download(&origin, qualifier, &shown).await.map_err(failed)?;
        let (path, rules) = (PathBuf::from(&shown), deployment.code.rules.clone());
        let sha256 = origin.code_sha256.clone();
        let artifact = self.beside_loop(move |_| package::copied(&path, file, &rules, &sha256), |_| ()).await?;
        let artifact =
            artifact.map_err(|error| Error::package(error, &entry.places, Some(About::from(&entry.item)), None))?;
        self.warn_of_names(&artifact.warnings, &entry.places);
        Ok(Package::Archive(Arc::new(Artifact { architecture: origin.architecture, ..artifact })))
    }

    /// Whether the deployed function already has this package, and nothing requires to send it again.
    async fn has_code(&self, deployment: &Deployment, entry: &Entry, origin: &Origin) -> Result<bool, Error> {
        let unread = |fault| Error::read(fault, &entry.item);
        let limit = entry.item.wait_timeout();
        let login = self.connect(entry.item.target(), limit).await.map_err(unread)?;
        let mut session = self.session(&login, &deployment.function.written, None, limit);
        let Remote::Present(live) = session.read_alone().await.map_err(unread)? else { return Ok(false) };
        let code = &deployment.code;
        let (architecture, key) = (code.architecture.is_some(), code.source_kms_key_arn.is_some());
        Ok(live.image.is_none()
            && live.code_sha256 == origin.code_sha256
            && live.failure.is_none()
            && (!architecture || code.architecture == live.architecture)
            && (!key || code.source_kms_key_arn == live.source_kms_key_arn))
    }
}
