//! Builds the package of each block: packs files, reads an archive from S3, or looks up an image.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Run, around};
use crate::aws;
use crate::config::Entry;
use crate::deployment::{Code, CodeSource, Item, Rules};
use crate::error::{About, Error};
use crate::event::{Doing, Event};
use crate::fault::{Fault, FaultKind, Signal};
use crate::package::{self, Artifact, Directory, Image, Package, Packed, Source, Tree};
use crate::place::{Places, Problem};
use crate::settings::ImageUri;

/// The time between two progress reports.
const TICK: Duration = Duration::from_millis(100);

/// The smallest tree that is compared with the live package before it is packed, in bytes. A smaller one is packed at once.
const LARGE: u64 = 4 << 20;

/// A function or a layer with its package.
pub(super) struct Built<'a> {
    pub(super) entry: &'a Entry,
    pub(super) code: BuiltCode,
}

/// The code of a block, as far as it is built without a look at the live function.
pub(super) enum BuiltCode {
    /// It is ready.
    Package(Package),
    /// A large tree, which is packed only if the live package differs.
    Local(Rc<Local>),
}

impl Built<'_> {
    /// Whether a look at the live package can spare to pack this one.
    pub(super) fn may_be_live(&self) -> bool {
        match &self.code {
            BuiltCode::Package(_) => false,
            BuiltCode::Local(local) => matches!(&local.files, Files::Tree(_, packed) if packed.get().is_none()),
        }
    }
}

/// Local files, with all that the bytes of their package depend on. Blocks with the same files and rules share it.
pub(super) struct Local {
    source: PathBuf,
    rules: Rules,
    files: Files,
}

enum Files {
    /// Files to pack, and their package once it was needed.
    Tree(Arc<Tree>, OnceCell<Arc<Artifact>>),
    /// A ready archive.
    Archive(Arc<Artifact>),
}

impl Run<'_> {
    /// Builds the package of a block, except for one of a large tree: that may be live already.
    pub(super) async fn build<'a>(&self, entry: &'a Entry) -> Result<Built<'a>, Error> {
        let code = match &entry.item.code().source {
            CodeSource::Path(source) => {
                let local = self.open(source, entry.item.code(), &entry.places, Some(&entry.item)).await?;
                match &local.files {
                    Files::Tree(tree, _) if tree.size() >= LARGE => BuiltCode::Local(local),
                    _ => BuiltCode::Package(Package::Archive(self.packed(&local, entry).await?)),
                }
            }
            _ => BuiltCode::Package(self.code_of(entry).await?),
        };
        Ok(Built { entry, code })
    }

    /// The package of a block, with its bytes unless it is the live one. `live` is absent if there is none or it is
    /// unknown.
    pub(super) async fn package_beside(
        &self,
        live: Option<(&Directory, &str)>,
        built: &Built<'_>,
    ) -> Result<Package, Error> {
        let Built { entry, code } = built;
        let local = match code {
            BuiltCode::Package(package) => return Ok(package.clone()),
            BuiltCode::Local(local) => local,
        };
        if let (Some((live, code_sha256)), Files::Tree(tree, packed)) = (live, &local.files)
            && packed.get().is_none()
        {
            let (tree, live, code_sha256) = (Arc::clone(tree), live.clone(), code_sha256.to_owned());
            let compare = move |progress: &mut dyn FnMut(Packed)| tree.is_live(&live, &code_sha256, progress);
            let (code, about) = (entry.item.code(), Some(&entry.item));
            let _others_wait = self.shared.packing.lock().await;
            if let Some(artifact) = self.on_files(compare, code, &entry.places, about).await? {
                tracing::debug!("the live package has the same files, so they are not packed");
                return Ok(Package::Archive(Arc::new(artifact)));
            }
        }
        Ok(Package::Archive(self.packed(local, entry).await?))
    }

    /// The contents of a layer, as [`Self::package_beside`].
    pub(super) async fn contents_beside(
        &self,
        live: Option<(&Directory, &str)>,
        built: &Built<'_>,
    ) -> Result<Arc<Artifact>, Error> {
        match self.package_beside(live, built).await? {
            Package::Archive(artifact) => Ok(artifact),
            Package::Image(_) | Package::Live(_) => Err(no_layer(built.entry)),
        }
    }

    /// The code of a block.
    pub(super) async fn code_of(&self, entry: &Entry) -> Result<Package, Error> {
        let code = entry.item.code();
        let artifact = match (&code.source, &entry.item) {
            (CodeSource::Path(path), _) => self.pack(path, code, &entry.places, Some(&entry.item)).await?,
            (_, Item::Layer(_)) => return Err(no_layer(entry)),
            (source @ CodeSource::Object { .. }, _) => self.fetch(source, entry).await?,
            (CodeSource::Image(uri), _) => return self.resolve(uri, entry).await.map(Package::Image),
            (CodeSource::Function(source), Item::Function(deployment)) => {
                return self.promote(source, deployment, entry).await;
            }
            (CodeSource::Live, _) => return Ok(Package::Live(None)),
            (CodeSource::Unread { option, reference }, _) => {
                let problem = Problem::new(format!("`{reference}` was not read")).of(*option);
                return Err(Error::refused(&entry.item, [problem], &entry.places));
            }
        };
        Ok(Package::Archive(artifact))
    }

    /// Packs local files.
    pub(super) async fn pack(
        &self,
        source: &Path,
        code: &Code,
        places: &Places,
        about: Option<&Item>,
    ) -> Result<Arc<Artifact>, Error> {
        let local = self.open(source, code, places, about).await?;
        self.packed_for(&local, code, places, about).await
    }

    /// Selects local files or reads a ready archive, once for all blocks with the same files and rules.
    async fn open(
        &self,
        source: &Path,
        code: &Code,
        places: &Places,
        about: Option<&Item>,
    ) -> Result<Rc<Local>, Error> {
        let others_wait = self.shared.packing.lock().await;
        let is_same = |local: &&Rc<Local>| local.source == *source && local.rules == code.rules;
        let known = self.opened.borrow().iter().find(is_same).map(Rc::clone);
        let local = if let Some(local) = known {
            local
        } else {
            let (from, by, directory) = (source.to_owned(), code.rules.clone(), self.host.directory.clone());
            let open = move |_: &mut dyn FnMut(Packed)| package::open(&from, &by, &directory);
            let files = match self.on_files(open, code, places, about).await? {
                Source::Tree(tree) => Files::Tree(Arc::new(tree), OnceCell::new()),
                Source::Ready(artifact) => Files::Archive(Arc::new(artifact)),
            };
            let local = Rc::new(Local { source: source.to_owned(), rules: code.rules.clone(), files });
            self.opened.borrow_mut().push(Rc::clone(&local));
            local
        };
        drop(others_wait);
        match &local.files {
            Files::Tree(tree, _) => self.warn_of_names(tree.warnings(), places),
            Files::Archive(artifact) => self.warn_of_names(&artifact.warnings, places),
        }
        Ok(local)
    }

    async fn packed(&self, local: &Local, entry: &Entry) -> Result<Arc<Artifact>, Error> {
        self.packed_for(local, entry.item.code(), &entry.places, Some(&entry.item)).await
    }

    /// The package of local files. Packs them the first time.
    async fn packed_for(
        &self,
        local: &Local,
        code: &Code,
        places: &Places,
        about: Option<&Item>,
    ) -> Result<Arc<Artifact>, Error> {
        let (tree, packed) = match &local.files {
            Files::Archive(artifact) => return Ok(Arc::clone(artifact)),
            Files::Tree(tree, packed) => (tree, packed),
        };
        let _others_wait = self.shared.packing.lock().await;
        if let Some(artifact) = packed.get() {
            return Ok(Arc::clone(artifact));
        }
        let tree = Arc::clone(tree);
        let artifact = self.on_files(move |progress| tree.pack(progress), code, places, about).await?;
        Ok(Arc::clone(packed.get_or_init(|| Arc::new(artifact))))
    }

    /// Works on local files in another thread, and reports its progress.
    async fn on_files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn FnMut(Packed)) -> Result<T, package::Error> + Send + 'static,
        code: &Code,
        places: &Places,
        about: Option<&Item>,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        let report = |Packed { done, all }| {
            self.report(&Event::Progress { doing: Doing::Packing, done, all, so_far: begun.elapsed() });
        };
        let done = self.beside_loop(work, report).await?;
        done.map_err(|error| Error::package(error, places, about.map(About::from), code.how_to_build.as_deref()))
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
        let (path, rules) = (PathBuf::from(&shown), entry.item.code().rules.clone());
        let artifact = self.beside_loop(move |_| package::ready(&path, file, &rules), |_| ()).await?;
        let artifact =
            artifact.map_err(|error| Error::package(error, &entry.places, Some(About::from(&entry.item)), None))?;
        self.warn_of_names(&artifact.warnings, &entry.places);
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
    pub(super) fn warn_of_names(&self, warnings: &[String], places: &Places) {
        for warning in warnings {
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

/// The error for a layer that is not made of local files.
fn no_layer(entry: &Entry) -> Error {
    let message = format!("{} is not a local package", entry.item.code().source.shown());
    let problem = Problem::new(message).of("layer").help("set `zip` to the files of the layer");
    Error::refused(&entry.item, [problem], &entry.places)
}

/// An object or image that was not found is an error of the option that names it. Other faults come from AWS.
pub(super) fn not_found(fault: Fault, entry: &Entry, option: &'static str, shown: &str) -> Error {
    match fault.kind {
        FaultKind::Misconfigured => {
            let problem = Problem { help: fault.help, ..Problem::new(fault.message).of(option) };
            Error::refused(&entry.item, [problem], &entry.places)
        }
        _ => Error::look(fault, &entry.item, shown),
    }
}
