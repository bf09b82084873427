//! Builds the package of each block: packs files, reads an archive from S3, or looks up an image.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Run, around};
use crate::aws;
use crate::config::Entry;
use crate::deployment::{Code, CodeSource, Deployment, Item, LayerDeployment, Rules};
use crate::error::{About, Error};
use crate::event::{Doing, Event};
use crate::fault::{Fault, FaultKind, Signal};
use crate::package::{self, Artifact, Image, Package, Packed};
use crate::place::{Places, Problem};
use crate::settings::ImageUri;

/// The time between two progress reports.
const TICK: Duration = Duration::from_millis(100);

/// A function or a layer with its package.
pub(super) struct Built<'a> {
    pub(super) entry: &'a Entry,
    pub(super) made: Made<'a>,
}

/// What was built for a block.
pub(super) enum Made<'a> {
    Function(&'a Deployment, Package),
    Layer(&'a LayerDeployment, Arc<Artifact>),
}

impl Made<'_> {
    /// The archive; `None` for an image.
    pub(super) fn artifact(&self) -> Option<&Artifact> {
        match self {
            Self::Function(_, package) => package.archive(),
            Self::Layer(_, artifact) => Some(artifact),
        }
    }
}

/// A package that was packed from local files, with all that its bytes depend on.
pub(super) struct PackedOnce {
    source: PathBuf,
    rules: Rules,
    artifact: Arc<Artifact>,
}

impl Run<'_> {
    /// Builds the package of a block.
    pub(super) async fn build<'a>(&self, entry: &'a Entry) -> Result<Built<'a>, Error> {
        let made = match &entry.item {
            Item::Function(deployment) => Made::Function(deployment, self.code_of(deployment, entry).await?),
            Item::Layer(layer) => Made::Layer(layer, self.contents_of(layer, entry).await?),
        };
        Ok(Built { entry, made })
    }

    /// The code of a function.
    pub(super) async fn code_of(&self, deployment: &Deployment, entry: &Entry) -> Result<Package, Error> {
        let artifact = match &deployment.code.source {
            CodeSource::Path(source) => self.pack(source, &deployment.code, &entry.places, Some(&entry.item)).await?,
            source @ CodeSource::Object { .. } => self.fetch(source, entry).await?,
            CodeSource::Image(uri) => return self.resolve(uri, entry).await.map(Package::Image),
            CodeSource::Live => return Ok(Package::Live),
        };
        Ok(Package::Archive(artifact))
    }

    /// The contents of a layer.
    pub(super) async fn contents_of(&self, layer: &LayerDeployment, entry: &Entry) -> Result<Arc<Artifact>, Error> {
        let CodeSource::Path(source) = &layer.code.source else {
            let message = format!("{} is not a local package", layer.code.source.shown());
            let problem = Problem::new(message).of("layer").help("set `zip` to the files of the layer");
            return Err(Error::refused(&entry.item, [problem], &entry.places));
        };
        self.pack(source, &layer.code, &entry.places, Some(&entry.item)).await
    }

    /// Packs local files, once for all blocks with the same files and rules.
    pub(super) async fn pack(
        &self,
        source: &Path,
        code: &Code,
        places: &Places,
        about: Option<&Item>,
    ) -> Result<Arc<Artifact>, Error> {
        let is_same = |packed: &&PackedOnce| packed.source == *source && packed.rules == code.rules;
        let packed = self.packed.borrow().iter().find(is_same).map(|packed| Arc::clone(&packed.artifact));
        let artifact = match packed {
            Some(artifact) => artifact,
            None => self.pack_anew(source, code, places, about).await?,
        };
        self.warn_of_names(&artifact, places);
        Ok(artifact)
    }

    async fn pack_anew(
        &self,
        source: &Path,
        code: &Code,
        places: &Places,
        about: Option<&Item>,
    ) -> Result<Arc<Artifact>, Error> {
        let (source, rules) = (source.to_owned(), code.rules.clone());
        let begun = Instant::now();
        let report = |Packed { done, all }| {
            self.report(&Event::Progress { doing: Doing::Packing, done, all, so_far: begun.elapsed() });
        };
        let (from, by, directory) = (source.clone(), rules.clone(), self.host.directory.clone());
        let build = move |progress: &mut dyn FnMut(Packed)| package::build(&from, &by, &directory, progress);
        let artifact = self.beside_loop(build, report).await?;
        let artifact = artifact
            .map_err(|error| Error::package(error, places, about.map(About::from), code.how_to_build.as_deref()))?;
        let artifact = Arc::new(artifact);
        self.packed.borrow_mut().push(PackedOnce { source, rules, artifact: Arc::clone(&artifact) });
        Ok(artifact)
    }

    /// Reads a package from S3, to check its hash and its contents.
    async fn fetch(&self, source: &CodeSource, entry: &Entry) -> Result<Arc<Artifact>, Error> {
        let limit = entry.item.wait_timeout();
        let shown = source.shown();
        let failed = |fault| not_found(fault, entry, "s3_key", &shown);
        let login = self.connect(entry.item.target(), limit).await.map_err(failed)?;
        let report = |event| self.report(&event);
        let fetched = aws::fetch(&login.connection, source, &report);
        let (file, version_id) = self.within(limit, &shown, fetched).await.map_err(failed)?;
        let path = PathBuf::from(&shown);
        let artifact = self.beside_loop(move |_| package::ready(&path, file), |_| ()).await?;
        let artifact =
            artifact.map_err(|error| Error::package(error, &entry.places, Some(About::from(&entry.item)), None))?;
        self.warn_of_names(&artifact, &entry.places);
        Ok(Arc::new(Artifact { version_id, ..artifact }))
    }

    /// Looks up the digest of an image in its registry, unless the URI has one.
    async fn resolve(&self, uri: &ImageUri, entry: &Entry) -> Result<Image, Error> {
        if uri.digest.is_some() {
            return Ok(Image::of(uri));
        }
        let (limit, shown) = (entry.item.wait_timeout(), uri.to_string());
        let failed = |fault| not_found(fault, entry, "image_uri", &shown);
        let login = self.connect(entry.item.target(), limit).await.map_err(failed)?;
        let image = self.within(limit, &shown, aws::resolve(&login.connection, uri)).await.map_err(failed)?;
        for warning in &image.warnings {
            let warning = Problem::warning(self.console.redact_foreign(warning)).of("image_uri");
            self.report(&Event::Warning(entry.places.locate(warning)));
        }
        Ok(image)
    }

    /// Warns about names that not every system can hold.
    fn warn_of_names(&self, artifact: &Artifact, places: &Places) {
        for warning in &artifact.warnings {
            self.report(&Event::Warning(places.locate(Problem::warning(warning.clone()).of("zip"))));
        }
    }

    /// Runs `work` in another thread, so that its progress is reported and a signal ends the run.
    pub(super) async fn beside_loop<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn FnMut(Packed)) -> T + Send + 'static,
        report: impl Fn(Packed),
    ) -> Result<T, Error> {
        let (sender, progress) = watch::channel(None);
        let mut working = tokio::task::spawn_blocking(move || {
            work(&mut |packed| {
                sender.send_replace(Some(packed));
            })
        });
        loop {
            tokio::select! {
                done = &mut working => return around::joined(done),
                () = tokio::time::sleep(TICK) => progress.borrow().into_iter().for_each(&report),
                signal = Signal::sent(&self.interrupt) => {
                    return Err(Error::Interrupted { signal, during: "packaging".to_owned() });
                }
            }
        }
    }
}

/// An object or image that was not found is an error of the option that names it. Other faults come from AWS.
fn not_found(fault: Fault, entry: &Entry, option: &'static str, shown: &str) -> Error {
    match fault.kind {
        FaultKind::Misconfigured => {
            let problem = Problem { help: fault.help, ..Problem::new(fault.message).of(option) };
            Error::refused(&entry.item, [problem], &entry.places)
        }
        _ => Error::look(fault, &entry.item, shown),
    }
}
