//! The layers of a run, which its functions may name before they are published.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::config::Entry;
use crate::deployment::Target;
use crate::error::Error;
use crate::place::Problem;
use crate::plan::Plan;
use crate::settings::LayerRef;

/// The layers of a run that were planned.
#[derive(Default)]
pub(super) struct RunLayers(Vec<RunLayer>);

/// The facts about a layer of the run that its functions need.
pub(super) struct RunLayer {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) target: Target,
    /// The ARN without a version; absent for a new layer.
    pub(super) arn: Option<String>,
    /// The ARN of the version to use; absent until it is published.
    pub(super) version: RefCell<Option<String>>,
    /// Whether the run shows the plan of the layer, but does not publish it.
    pub(super) only_plans: bool,
}

impl RunLayer {
    /// Whether a name, or an ARN without a version, refers to this layer.
    fn is_meant(&self, layer: &str, target: &Target, region: &str) -> bool {
        let by_name = self.name == layer && self.region == region && self.target.is_same_account(target);
        by_name || self.arn.as_deref() == Some(layer)
    }

    /// The version for the plan of a function.
    pub(super) fn version(&self) -> LayerRef {
        self.version.borrow().clone().map_or_else(|| LayerRef::Coming(self.name.clone()), LayerRef::Version)
    }

    /// Whether a function can use it. A layer that is only planned does not exist for a function that is deployed.
    pub(super) fn is_usable(&self, function_only_plans: bool) -> bool {
        self.version.borrow().is_some() || !self.only_plans || function_only_plans
    }
}

impl RunLayers {
    /// Adds a planned layer.
    pub(super) fn extend(&mut self, layer: Option<RunLayer>) {
        self.0.extend(layer);
    }

    /// Records the version of a layer to use.
    pub(super) fn publish(&self, name: &str, target: &Target, region: &str, version: &str) {
        let layer = self.0.iter().find(|known| known.is_meant(name, target, region));
        if let Some(layer) = layer {
            layer.version.replace(Some(version.to_owned()));
        }
    }

    /// The layer that a name, or an ARN without a version, refers to.
    pub(super) fn find(&self, layer: &str, target: &Target, region: &str) -> Option<&RunLayer> {
        self.0.iter().find(|known| known.is_meant(layer, target, region))
    }

    /// The new layer that an ARN refers to. Its account may be unknown, so only Region and name are compared.
    pub(super) fn find_new(&self, arn: &str, region: &str) -> Option<&RunLayer> {
        let in_region = arn.contains(&format!(":{region}:"));
        self.0.iter().find(|known| in_region && arn.ends_with(&format!(":layer:{}", known.name)))
    }

    /// The published versions of the layers that the plan of a function waits for, by the name of the layer.
    pub(super) fn awaited(&self, plan: &Plan, entry: &Entry) -> Result<BTreeMap<String, String>, Error> {
        let mut versions = BTreeMap::new();
        for name in plan.awaited_layers() {
            // A layer that was named by its ARN may belong to another account.
            let layer = self.find(name, entry.item.target(), &plan.region);
            let layer = layer.or_else(|| self.0.iter().find(|layer| layer.name == name));
            let version = layer.and_then(|layer| layer.version.borrow().clone()).ok_or_else(|| {
                let problem = Problem::new(format!("the layer `{name}` was not published")).of("layers").about(name);
                let problem = problem.help("see the error above; the function was not changed");
                Error::refused(&entry.item, [problem], &entry.places)
            })?;
            versions.insert(name.to_owned(), version);
        }
        Ok(versions)
    }
}
