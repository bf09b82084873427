//! The verb `package`: builds the packages of all blocks, and writes or lists them.

use std::path::Path;
use std::sync::Arc;

use super::{Run, packaged};
use crate::config::{Loaded, Title};
use crate::deployment::CodeSource;
use crate::error::{Error, ExitCode};
use crate::event::{Event, Packaged};
use crate::files;
use crate::package::Packed;
use crate::place::Problem;

impl Run<'_> {
    /// Builds the packages of all blocks, and writes or lists them.
    pub(super) async fn package(&self, loaded: &Loaded, output: Option<&Path>, list: bool) -> Result<ExitCode, Error> {
        if let Some(output) = output.filter(|output| *output == Path::new("-") || files::is_own_output(output)) {
            let message =
                format!("`{}` names no file: standard output and standard error are for messages", output.display());
            return Err(Error::Usage(Problem::new(message).of("--output").help("name a file, or a pipe")));
        }
        if loaded.packages.len() > 1 && output.is_some() {
            let problem = Problem::new("several blocks would be written to one file");
            return Err(Error::Usage(problem.help("choose one with `--function_name`")));
        }
        let several = loaded.packages.len() > 1;
        let titles: Vec<_> = loaded.packages.iter().map(|(title, ..)| title).collect();
        for (title, code, places) in &loaded.packages {
            let CodeSource::Path(source) = &code.source else {
                let what = if code.source.package_type() == Some("Image") { "an image" } else { "a package" };
                let problem = Problem::new(format!("{} is already {what}", code.source.shown()));
                let problem = problem.of(code.source.option());
                return Err(Error::Usage(problem.help("set `--zip` to the files to package")));
            };
            let mut code = code.clone();
            if let Some(output) = output {
                self.never_over_input(output, source)?;
                code.rules.never.insert(self.host.directory.join(output));
            }
            let artifact = self.pack(source, &code, places, None).await?;
            if let Some(output) = output {
                let (to, artifact) = (self.host.directory.join(output), Arc::clone(&artifact));
                // A pipe waits for its reader.
                let write = move |_: &mut dyn FnMut(Packed)| files::put(&to, |out| artifact.archive.copy_to(out));
                let written = self.beside_loop(write, |_| ()).await?;
                written
                    .map_err(|error| Error::Refused(format!("`{}` cannot be written: {error}", output.display())))?;
            }
            let heading = title.as_ref().filter(|_| several).map(|title| {
                let is_twin = |other: &&Title| other.name == title.name && other.region != title.region;
                let has_twin = titles.iter().filter_map(|other| other.as_ref()).any(|other| is_twin(&other));
                match title.region.as_ref().filter(|_| has_twin) {
                    Some(region) => format!("{} in {region}", title.name),
                    None => title.name.clone(),
                }
            });
            self.report(&Event::Packaged(Packaged { heading, ..packaged(&artifact, output, list) }));
        }
        Ok(ExitCode::Success)
    }

    /// Refuses an output that is the input too.
    fn never_over_input(&self, output: &Path, source: &Path) -> Result<(), Error> {
        let real = |path: &Path| self.host.directory.join(path).canonicalize().ok();
        if real(output).is_none_or(|output| Some(output) != real(source)) {
            return Ok(());
        }
        let problem = Problem::new(format!("`{}` is also the input of the package", output.display()));
        Err(Error::Usage(problem.of("--output").help("name another file")))
    }
}
