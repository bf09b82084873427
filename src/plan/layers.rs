//! Plans of layers, and the layer versions for a function that names layers without a version.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{object_of, only_packed_anew, too_large};
use super::{CodeChange, LayerChange, Plan, Step, Subject};
use crate::deployment::{LayerDeployment, LayerKind, Target};
use crate::package::inspect::{self, Date, Existence, Facts, OtherCode, Rule, inspect_layer, layer_layout};
use crate::package::{self, Artifact, Directory};
use crate::place::Problem;
use crate::remote::{Caller, KnownLayers, LayerSnapshot, LayerVersion, Storage};
use crate::settings::{Architecture, Aspect, Difference, LayerRef, Layers, Setting};

/// Plans one layer: publishes a version when the newest one has other contents, runtimes, architectures or licence.
///
/// Members that are not named keep the value of the newest version. A new description alone publishes nothing.
pub(crate) fn plan_layer(layer: &LayerDeployment, artifact: &Artifact, snapshot: &LayerSnapshot, today: Date) -> Plan {
    let LayerSnapshot { newest, caller, stored, files } = snapshot;
    let newest = newest.as_ref();
    let mut plan = Plan::new(Subject::Layer, &layer.name, caller);
    plan.guard_account(&layer.target, caller);
    plan.problems.extend(check_layer(layer, artifact, newest, today));
    let change = change(layer, artifact, newest, files.as_ref());
    match newest {
        Some(newest) if change.differences.is_empty() && newest.code_sha256 == artifact.code_sha256 => {
            plan.published = Some(newest.number.to_string());
        }
        _ => {
            plan.notes.extend(only_packed_anew(&layer.code, &change.code));
            plan.upload(&change.code);
            plan.steps.push(Step::PublishLayer(Box::new(change)));
        }
    }
    if let Some(stored) = stored {
        plan.reuse_object(stored);
    }
    plan
}

/// Errors and warnings about a layer's package. `newest` is the newest version; `None` if there is none or AWS was not asked.
pub(crate) fn check_layer(
    layer: &LayerDeployment,
    artifact: &Artifact,
    newest: Option<&LayerVersion>,
    today: Date,
) -> Vec<Problem> {
    let live = newest.map(|newest| &newest.compatible_runtimes).filter(|runtimes| !runtimes.is_empty());
    let runtimes = layer.compatible_runtimes.as_ref().or(live);
    let architectures = wanted_architectures(layer, artifact);
    let only = architectures.iter().flatten().copied().next().filter(|_| count(architectures.as_ref()) == 1);
    let facts = Facts {
        runtime: None,
        handler: None,
        architecture: only.or_else(|| artifact.survey.architecture(None)),
        subject: inspect::Subject::Layer,
        other_code: OtherCode::Yes,
        variables: BTreeMap::new(),
        existence: Existence::Unknown,
        today,
        ignore: &layer.code.ignore,
    };
    let mut problems = inspect_layer(&artifact.survey, &facts, runtimes);
    // A layer for both architectures may have files for each.
    let wrong_architecture = Some(Rule::WrongArchitecture.name());
    problems.retain(|problem| problem.rule != wrong_architecture || count(architectures.as_ref()) < 2);
    if layer.kind == LayerKind::Files {
        problems.extend(layer_layout(&artifact.survey, runtimes, &layer.code.ignore));
    }
    too_large(&layer.code, artifact).into_iter().chain(problems).collect()
}

fn count(architectures: Option<&BTreeSet<Architecture>>) -> usize {
    architectures.map_or(0, BTreeSet::len)
}

/// The named architectures; for an extension without any, the one that its program was built for.
fn wanted_architectures(layer: &LayerDeployment, artifact: &Artifact) -> Option<BTreeSet<Architecture>> {
    let of_program = || artifact.survey.architecture(None).filter(|_| layer.kind == LayerKind::Extension);
    layer.compatible_architectures.clone().or_else(|| Some(BTreeSet::from([of_program()?])))
}

/// The version to publish.
fn change(
    layer: &LayerDeployment,
    artifact: &Artifact,
    newest: Option<&LayerVersion>,
    files: Option<&Directory>,
) -> LayerChange {
    let architectures = wanted_architectures(layer, artifact);
    let architectures: Option<BTreeSet<_>> = architectures.map(|set| set.iter().map(Setting::shown).collect());
    let mut differences = Vec::new();
    let empty = BTreeSet::new();
    let set = |wanted: &Option<BTreeSet<String>>, live: Option<&BTreeSet<String>>| {
        wanted.clone().unwrap_or_else(|| live.cloned().unwrap_or_default())
    };
    let mut compare = |about, wanted: &BTreeSet<String>, live: Option<&BTreeSet<String>>| {
        let data = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect();
        if wanted != live.unwrap_or(&empty) {
            let from = live.filter(|live| !live.is_empty()).map(data);
            differences.push(Difference::whole(about, from, Some(data(wanted))));
        }
    };
    let live = newest.map(|newest| &newest.compatible_runtimes);
    let compatible_runtimes = set(&layer.compatible_runtimes, live);
    compare(Aspect::CompatibleRuntimes, &compatible_runtimes, live);
    let live = newest.map(|newest| &newest.compatible_architectures);
    let compatible_architectures = set(&architectures, live);
    compare(Aspect::CompatibleArchitectures, &compatible_architectures, live);
    let live = newest.map(|newest| newest.license_info.as_str()).unwrap_or_default();
    let license_info = layer.license_info.clone().unwrap_or_else(|| live.to_owned());
    if license_info != live {
        let from = Some(live).filter(|live| !live.is_empty()).map(Into::into);
        differences.push(Difference::whole(Aspect::LicenseInfo, from, Some(license_info.as_str().into())));
    }
    let code = CodeChange {
        changes: files
            .filter(|_| newest.is_some_and(|newest| newest.code_sha256 != artifact.code_sha256))
            .map(|files| package::changes(&files.files, &artifact.entries)),
        from: newest.map(|newest| newest.code_sha256.clone()),
        to: Some(artifact.code_sha256.clone()),
        size: artifact.archive.size(),
        files: artifact.entries.len(),
        left_out: artifact.left_out.clone(),
        architecture: None,
        from_architecture: None,
        source_kms_key_arn: None,
        storage: Storage::Copy,
        through: object_of(&layer.code, artifact),
    };
    LayerChange {
        name: layer.name.clone(),
        before: newest.map(|newest| newest.number),
        code,
        description: layer.description.clone(),
        compatible_runtimes,
        compatible_architectures,
        license_info,
        differences,
    }
}

impl Plan {
    /// Refuses credentials of any account but the expected one.
    pub(super) fn guard_account(&mut self, target: &Target, caller: &Caller) {
        if let (Some(expected), Some(account)) = (&target.expect_account, &caller.account)
            && expected != account
        {
            let message = format!("the credentials belong to account {account}, not to {expected}");
            self.refuse("expect_account", message, "use credentials of the expected account");
        }
    }

    /// Replaces each layer without a version by the version that was found.
    pub(super) fn known_layers(&mut self, layers: Layers, known: &KnownLayers) -> Layers {
        let mut found = Vec::new();
        for layer in layers.0 {
            match (known.get(&layer), &layer) {
                (Some(Some(version)), _) => found.push(version.clone()),
                (None, LayerRef::Version(_) | LayerRef::Coming(_)) => found.push(layer),
                (Some(None), _) | (None, LayerRef::Newest(_)) => {
                    self.refuse_layer(&layer);
                    found.push(layer);
                }
            }
        }
        Layers(found)
    }

    fn refuse_layer(&mut self, layer: &LayerRef) {
        let (message, help) = match layer {
            LayerRef::Version(arn) => (
                format!("there is no layer version `{arn}`"),
                "set a version that exists, or leave `:VERSION` out to take the newest one",
            ),
            LayerRef::Newest(name) | LayerRef::Coming(name) => (
                format!("there is no layer `{name}` in {}, and no block of this run publishes it", self.region),
                "correct its name, or publish it with a block of its own: `layer: {name: …, zip: …}`",
            ),
        };
        self.refuse_item("layers", &layer.to_string(), message, help);
    }

    /// The names of layers that this run must publish before it changes the function.
    pub(crate) fn awaited_layers(&self) -> Vec<&str> {
        let settings = self.steps.iter().filter_map(|step| match step {
            Step::CreateFunction { settings, .. } | Step::UpdateConfiguration { settings, .. } => Some(settings),
            _ => None,
        });
        let layers = settings.flat_map(|settings| settings.layers.iter().flat_map(|layers| &layers.0));
        let awaited = layers.filter_map(|layer| match layer {
            LayerRef::Coming(name) => Some(name.as_str()),
            LayerRef::Version(_) | LayerRef::Newest(_) => None,
        });
        awaited.collect()
    }
}
