//! Packages of a run: built here or read from S3, and written by the verb `package`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Interrupt, Run, before_deadline, packaged, secrets};
use crate::aws;
use crate::config::{Entry, Loaded};
use crate::deployment::{CodeSource, Deployment, Rules};
use crate::error::{Error, ExitCode};
use crate::event::{Doing, Event};
use crate::fault::{Fault, FaultKind, Signal};
use crate::files;
use crate::package::{self, Artifact, Image, Package, Packed};
use crate::place::{Places, Problem};
use crate::settings::ImageUri;

/// The time between two progress reports.
const TICK: Duration = Duration::from_millis(100);

impl Run<'_> {
    /// Builds the packages of all blocks, and writes or lists them.
    pub(super) async fn package(
        &self,
        loaded: &Loaded,
        output: Option<&Path>,
        list: bool,
        interrupt: &Interrupt,
    ) -> Result<ExitCode, Error> {
        if output == Some(Path::new("-")) {
            let problem = Problem::new("`-` names no file: standard output is for what is said").of("--output");
            return Err(Error::Usage(problem.help("name a file, or a pipe")));
        }
        if loaded.packages.len() > 1 && output.is_some() {
            let problem = Problem::new("several blocks would be written to one file");
            return Err(Error::Usage(problem.help("choose one with `--function_name`")));
        }
        for (code, places) in &loaded.packages {
            let CodeSource::Path(source) = &code.source else {
                let what = if code.source.package_type() == "Image" { "an image" } else { "a package" };
                let told = format!("{} is already {what}", code.source.shown());
                let problem = Problem::new(told).of(code.source.option());
                return Err(Error::Usage(problem.help("set `--zip` to the files to package")));
            };
            let same = |output: &Path| {
                let real = |path: &Path| self.host.directory.join(path).canonicalize().ok();
                real(output).is_some_and(|output| Some(output) == real(source))
            };
            if let Some(output) = output.filter(|output| same(output)) {
                let problem = Problem::new(format!("`{}` is also the input of the package", output.display()));
                return Err(Error::Usage(problem.of("--output").help("name another file")));
            }
            let mut rules = code.rules.clone();
            rules.never.extend(output.map(|output| self.host.directory.join(output)));
            let artifact = self.pack(source.clone(), rules, interrupt).await?;
            let artifact =
                artifact.map_err(|error| Error::package(error, places, None, code.how_to_build.as_deref()))?;
            self.warn_of_names(&artifact, places);
            if let Some(output) = output {
                let to = self.host.directory.join(output);
                let written = files::put(&to, |out| artifact.archive.copy_to(out));
                written
                    .map_err(|error| Error::Refused(format!("`{}` cannot be written: {error}", output.display())))?;
            }
            self.tell(&Event::Packaged(packaged(&artifact, output, list)));
        }
        Ok(ExitCode::Success)
    }

    /// Gets the code for the function of a block: builds a package, reads one from S3, or resolves an image.
    pub(super) async fn build(&self, entry: &Entry, interrupt: &Interrupt) -> Result<Package, Error> {
        let Deployment { code, function, .. } = &entry.deployment;
        let artifact = match &code.source {
            CodeSource::Path(source) => self.pack(source.clone(), code.rules.clone(), interrupt).await?,
            source @ CodeSource::Object { .. } => self.fetch(entry, source, interrupt).await?,
            CodeSource::Image(uri) => return self.resolve(entry, uri, interrupt).await.map(Package::Image),
        };
        let how_to_build = code.how_to_build.as_deref();
        let artifact =
            artifact.map_err(|error| Error::package(error, &entry.places, Some(&function.name), how_to_build))?;
        self.warn_of_names(&artifact, &entry.places);
        Ok(Package::Archive(Box::new(artifact)))
    }

    /// Looks up the digest of an image in its registry, unless the URI has one.
    async fn resolve(&self, entry: &Entry, uri: &ImageUri, interrupt: &Interrupt) -> Result<Image, Error> {
        if uri.digest.is_some() {
            return Ok(Image::of(uri));
        }
        let Deployment { target, function, .. } = &entry.deployment;
        let resolved = async {
            let connection = aws::connect(target, secrets::hiding(&self.console)).await?;
            aws::resolve(&connection, uri).await
        };
        let resolved = before_deadline(&uri.to_string(), entry.deployment.wait_timeout, interrupt, resolved).await;
        let image = resolved.map_err(|fault| not_found(fault, entry, "image_uri", &function.name, &uri.to_string()))?;
        for warning in &image.warnings {
            let warning = Problem::warning(self.console.redact_foreign(warning)).of("image_uri");
            self.tell(&Event::Warning(entry.places.locate(warning)));
        }
        Ok(image)
    }

    pub(super) fn warn_of_names(&self, artifact: &Artifact, places: &Places) {
        for warning in &artifact.warnings {
            self.tell(&Event::Warning(places.locate(Problem::warning(warning.clone()).of("zip"))));
        }
    }

    /// Packs in another thread, so that progress is reported and an interrupt works.
    pub(super) async fn pack(
        &self,
        source: PathBuf,
        rules: Rules,
        interrupt: &Interrupt,
    ) -> Result<Result<Artifact, package::Error>, Error> {
        let directory = self.host.directory.clone();
        let begun = Instant::now();
        let tell = |Packed { done, all }| {
            self.tell(&Event::Progress { doing: Doing::Packing, done, all, so_far: begun.elapsed() });
        };
        let build = move |progress: &mut dyn FnMut(Packed)| package::build(&source, &rules, &directory, progress);
        beside_loop(build, tell, interrupt).await
    }

    /// Reads a package from S3, to check its hash and its contents.
    async fn fetch(
        &self,
        entry: &Entry,
        source: &CodeSource,
        interrupt: &Interrupt,
    ) -> Result<Result<Artifact, package::Error>, Error> {
        let Deployment { target, function, .. } = &entry.deployment;
        let fetched = async {
            let connection = aws::connect(target, secrets::hiding(&self.console)).await?;
            aws::fetch(&connection, source, &|event| self.tell(&event)).await
        };
        let fetched = before_deadline(&source.shown(), entry.deployment.wait_timeout, interrupt, fetched).await;
        let fetched = fetched.map_err(|fault| not_found(fault, entry, "s3_key", &function.name, &source.shown()));
        let (file, version_id) = fetched?;
        let shown = PathBuf::from(source.shown());
        let artifact = beside_loop(move |_| package::ready(&shown, file), |_| (), interrupt).await?;
        Ok(artifact.map(|artifact| Artifact { version_id, ..artifact }))
    }
}

/// An object or image that was not found is an error of the option that names it. Other faults come from AWS.
fn not_found(fault: Fault, entry: &Entry, option: &'static str, function: &str, shown: &str) -> Error {
    match fault.kind {
        FaultKind::Misconfigured => {
            let problem = Problem { help: fault.help, ..Problem::new(fault.message).of(option) };
            Error::refused(function, [problem], &entry.places)
        }
        _ => Error::look(fault, function, shown),
    }
}

/// Runs `work` in another thread, reports its progress, and listens for interrupts.
async fn beside_loop<T: Send + 'static>(
    work: impl FnOnce(&mut dyn FnMut(Packed)) -> T + Send + 'static,
    tell: impl Fn(Packed),
    interrupt: &Interrupt,
) -> Result<T, Error> {
    let (sender, progress) = watch::channel(None);
    let mut working = tokio::task::spawn_blocking(move || {
        work(&mut |packed| {
            sender.send_replace(Some(packed));
        })
    });
    loop {
        tokio::select! {
            done = &mut working => return done.map_err(|error| Error::Output(format!("packaging failed: {error}"))),
            () = tokio::time::sleep(TICK) => progress.borrow().into_iter().for_each(&tell),
            signal = Signal::sent(interrupt) => {
                return Err(Error::Interrupted { signal, during: "packaging".to_owned() });
            }
        }
    }
}
