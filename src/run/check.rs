//! The verbs that need no AWS: `check`, `render` and `policy`.

use super::{Run, packaged};
use crate::config::{Entry, Loaded, Rendered};
use crate::deployment::{CodeSource, Item};
use crate::error::{Error, ExitCode};
use crate::event::{Answer, Event};
use crate::host::Host;
use crate::package::Package;
use crate::package::inspect::day_of;
use crate::plan;

impl Run<'_> {
    /// Checks the configuration and the package of each block. A failed block does not keep the others from being checked.
    pub(super) async fn check(&self, entries: &[Entry]) -> Result<ExitCode, Error> {
        let mut failed = None;
        for entry in entries {
            let Err(error) = self.check_one(entry).await else { continue };
            if self.interrupt.borrow().is_some() {
                return Err(error);
            }
            if let Some(earlier) = failed.replace(error) {
                self.fail(&earlier);
            }
        }
        failed.map_or(Ok(ExitCode::Success), Err)
    }

    async fn check_one(&self, entry: &Entry) -> Result<(), Error> {
        let (name, today) = (entry.item.name().to_owned(), day_of(Host::now()));
        let (problems, checked) = match &entry.item {
            Item::Function(deployment) => {
                let package = match deployment.code.source {
                    CodeSource::Path(_) => Some(self.code_of(entry).await?),
                    // `check` works without AWS, so it cannot read a package in S3 or in a registry.
                    CodeSource::Object { .. } | CodeSource::Image(_) | CodeSource::Live => None,
                };
                let artifact = package.as_ref().and_then(Package::archive);
                let package = artifact.map(|artifact| packaged(artifact, None, false));
                let only = deployment.only.as_ref().map(|only| only.half);
                (plan::check(deployment, artifact, today), Event::Checked { function: name, package, only })
            }
            Item::Layer(layer) => {
                let package = self.code_of(entry).await?;
                let Some(artifact) = package.archive() else { return Ok(()) };
                let package = packaged(artifact, None, false);
                (plan::check_layer(layer, artifact, None, today), Event::LayerChecked { layer: name, package })
            }
        };
        self.report_problems(entry, &problems)?;
        self.report(&checked);
        Ok(())
    }

    /// Shows each block after resolving it.
    pub(super) fn render(&self, loaded: &Loaded) -> ExitCode {
        let blocks: Vec<_> = loaded.rendered.iter().map(Rendered::yaml).collect();
        let json = loaded.rendered.iter().map(Rendered::json).collect();
        self.report(&Event::Answer(Answer { name: "configuration", text: blocks.join("---\n"), json }));
        ExitCode::Success
    }

    /// Shows the smallest policy for all blocks together.
    pub(super) fn policy(&self, entries: &[Entry]) -> ExitCode {
        let layers = entries.iter().filter_map(|entry| entry.item.layer());
        let json = crate::policy::policy(layers, entries.iter().filter_map(|entry| entry.item.function()));
        let text = format!("{json:#}\n");
        self.report(&Event::Answer(Answer { name: "policy", text, json }));
        ExitCode::Success
    }
}
