//! Layers: combinations that AWS refuses.

use std::collections::BTreeSet;

use super::Named::Setting;
use super::{Facts, Row, error};
use crate::place::Problem;
use crate::settings::SettingName;

pub(super) const RULES: &[Row] =
    &[(&[Setting(SettingName::Layers)], layer_twice), (&[Setting(SettingName::Layers)], layer_of_another_region)];

/// AWS: "Two different versions of the same layer are not allowed to be referenced in the same function."
fn layer_twice(facts: &Facts<'_>) -> Option<Problem> {
    let mut seen = BTreeSet::new();
    let twice = facts.settings.layers.as_ref()?.0.iter().find(|layer| !seen.insert(layer.layer()))?;
    let message = format!("`{}` stands twice; AWS accepts one version of a layer in a function", twice.layer());
    Some(error(message, "name one version").about(twice.to_string()))
}

/// AWS: "Layers are not in the same region as the function."
fn layer_of_another_region(facts: &Facts<'_>) -> Option<Problem> {
    let region = facts.region?;
    let layers = &facts.settings.layers.as_ref()?.0;
    let (layer, other) =
        layers.iter().find_map(|layer| Some((layer, layer.region().filter(|other| *other != region)?)))?;
    let message = format!("`{layer}` is in {other}, the function in {region}");
    Some(error(message, "name a layer in the function's Region").about(layer.to_string()))
}
