//! The document of `--format json`. It has a version; field names are frozen; times are in seconds.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::console::Console;
use super::delivery::Delivery;
use super::members::Members;
use super::observer::Observer;
use super::outcome::Verdict;
use super::overview::Totals;
use super::problems::{Complaint, Failed, Skipped};
use super::release::{self, seconds};
use super::sanitise;
use super::steps::{Planned, steps};
use crate::event::{Block, Deployed, DeployedCode, Event, Failure, Happened, Held, LayerDeployed, Packaged, Traffic};
use crate::package::{self, Listed};
use crate::plan::{ALIAS, Half, Plan, Subject};

/// The version of the document. It grows when a field changes its meaning, not when a field is added.
const SCHEMA_VERSION: u32 = 2;

/// What became of an alias: it was moved, was not, is back, is not back, or may be moved.
const MOVED: &str = "moved";
const STAYED: &str = "stayed";
const BACK: &str = "back";
const NOT_BACK: &str = "not_back";
const UNKNOWN: &str = "unknown";

/// The name of the step that moves an alias.
const POINT_ALIAS: &str = "point_alias";

#[derive(Serialize)]
pub(super) struct Document {
    schema_version: u32,
    tool: Tool,
    command: &'static str,
    exit_code: u8,
    changed: bool,
    functions: Blocks<Function>,
    #[serde(skip_serializing_if = "Blocks::is_empty")]
    layers: Blocks<Layer>,
    packages: Vec<Package>,
    #[serde(flatten)]
    members: Members,
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<Totals>,
    skipped: Vec<Skipped>,
    warnings: Vec<Complaint>,
    errors: Vec<Failed>,
    /// The result of the verb, with the verb's own key.
    #[serde(flatten)]
    answers: BTreeMap<&'static str, Value>,
    #[serde(skip)]
    console: Console,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// The functions of a run, or its layers, in the order of their blocks. A run can have several of one name. The number is
/// absent if the verb has no blocks.
struct Blocks<T>(BTreeMap<(Option<usize>, String), T>);

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Blocks<T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one that an event is about. `new` makes it from its name and Region.
    fn find(&mut self, name: &str, about: Option<&Block>, new: impl FnOnce(String, String) -> T) -> &mut T {
        let key = (about.map(|block| block.number), name.to_owned());
        let region = || about.and_then(|block| block.region.clone()).unwrap_or_default();
        self.0.entry(key).or_insert_with(|| new(name.to_owned(), region()))
    }
}

impl<T: Serialize> Serialize for Blocks<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.values())
    }
}

#[derive(Serialize, Default)]
struct Function {
    function_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    region: String,
    outcome: &'static str,
    /// Why it has not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    /// What became of the alias in this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    alias_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    only: Option<&'static str>,
    changed: bool,
    plan: Vec<Planned>,
    notes: Vec<String>,
    /// What the release tested and moved, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    timeline: Vec<Value>,
}

impl Function {
    /// Whether its plan creates or moves an alias.
    fn moves_alias(&self) -> bool {
        self.plan.iter().any(|step| step.step == POINT_ALIAS)
    }
}

#[derive(Serialize, Default)]
struct Layer {
    layer_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    region: String,
    outcome: &'static str,
    /// Why it has not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer_version_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    changed: bool,
    plan: Vec<Planned>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Package {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    size: u64,
    code_sha256: String,
    unpacked_size: u64,
    entries: Vec<Entry>,
    largest_folders: Vec<Folder>,
    left_out: Vec<String>,
}

#[derive(Serialize)]
struct Folder {
    name: String,
    size: u64,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    mode: String,
    size: u64,
}

impl Document {
    pub(super) fn new(command: &'static str, console: &Console) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            command,
            exit_code: 0,
            changed: false,
            functions: Blocks::default(),
            layers: Blocks::default(),
            packages: Vec::new(),
            members: Members::default(),
            totals: None,
            skipped: Vec::new(),
            warnings: Vec::new(),
            errors: Vec::new(),
            answers: BTreeMap::new(),
            console: console.clone(),
        }
    }

    fn note(&mut self, event: &Event, about: Option<&Block>) {
        self.members.note(event);
        match event {
            Event::Planned(plan) => self.planned(plan, about),
            Event::Deployed(deployed) => self.deployed(deployed, about),
            Event::Held(held) => self.held(held, about),
            Event::LayerDeployed(deployed) => self.layer_deployed(deployed, about),
            Event::Checked { function: name, region: _, package, only } => {
                let function = self.function(name, about);
                function.outcome = "checked";
                function.only = only.map(Half::word);
                function.code_sha256 = package.as_ref().map(|package| package.code_sha256.clone());
                function.package_size = package.as_ref().map(|package| package.size);
            }
            Event::LayerChecked { layer: name, region: _, package } => {
                let layer = self.layer(name, about);
                layer.outcome = "checked";
                layer.code_sha256 = Some(package.code_sha256.clone());
                layer.package_size = Some(package.size);
            }
            Event::Packaged(packaged) => self.packages.push(package(packaged)),
            Event::Warning(problem) => self.warnings.push(Complaint::of(problem, about)),
            Event::Skipped(skip) => self.skipped.push(Skipped::of(skip)),
            Event::NotBegun { because } => self.not_begun(because, about),
            Event::Failed(failure) => self.failed(failure, about),
            Event::Moment(moment) => {
                let function = self.function(&moment.function, about);
                if let Happened::TakenBack { problem, .. } = &moment.what {
                    function.alias_state = Some(if problem.is_none() { BACK } else { NOT_BACK });
                }
                function.timeline.push(release::document(moment));
            }
            Event::Answer(answer) => drop(self.answers.insert(answer.name, answer.json.clone())),
            _ => {}
        }
    }

    /// The function that an event is about.
    fn function(&mut self, name: &str, about: Option<&Block>) -> &mut Function {
        let new = |function_name, region| Function { function_name, region, ..Function::default() };
        self.functions.find(name, about, new)
    }

    /// The layer that an event is about.
    fn layer(&mut self, name: &str, about: Option<&Block>) -> &mut Layer {
        self.layers.find(name, about, |layer_name, region| Layer { layer_name, region, ..Layer::default() })
    }

    fn planned(&mut self, plan: &Plan, about: Option<&Block>) {
        let (region, changed, steps, notes) = (plan.region.clone(), plan.changes(), steps(plan), plan.notes.clone());
        match plan.subject {
            Subject::Function => {
                let function = self.function(&plan.name, about);
                (function.region, function.outcome, function.changed) = (region, "planned", changed);
                function.only = plan.only.map(Half::word);
                (function.plan, function.notes) = (steps, notes);
            }
            Subject::Layer => {
                let layer = self.layer(&plan.name, about);
                (layer.region, layer.outcome, layer.changed) = (region, "planned", changed);
                layer.version.clone_from(&plan.published);
                (layer.plan, layer.notes) = (steps, notes);
            }
        }
    }

    fn not_begun(&mut self, because: &str, about: Option<&Block>) {
        let Some(block) = about else { return };
        let (outcome, reason) = ("not_begun", Some(because.to_owned()).filter(|because| !because.is_empty()));
        match block.subject {
            Subject::Function => {
                let function = self.function(&block.name, about);
                (function.outcome, function.reason, function.changed) = (outcome, reason, false);
                function.alias_state = function.moves_alias().then_some(STAYED);
            }
            Subject::Layer => {
                let layer = self.layer(&block.name, about);
                (layer.outcome, layer.reason, layer.changed) = (outcome, reason, false);
            }
        }
    }

    fn deployed(&mut self, deployed: &Deployed, about: Option<&Block>) {
        let function = self.function(&deployed.function, about);
        function.outcome = if deployed.changed() { "deployed" } else { "unchanged" };
        function.changed = deployed.changed();
        function.function_arn = Some(deployed.arn.clone());
        function.version.clone_from(&deployed.version);
        function.alias.clone_from(&deployed.alias);
        let moves = |plan: &Plan| plan.views().any(|view| view.subject == ALIAS);
        function.alias_state = deployed.alias.as_ref().map(|_| if moves(&deployed.plan) { MOVED } else { STAYED });
        function.function_url.clone_from(&deployed.url);
        match &deployed.code {
            DeployedCode::Archive { code_sha256, size, .. } => {
                function.code_sha256 = Some(code_sha256.clone());
                function.package_size = Some(*size);
            }
            DeployedCode::Image { address } => function.image_uri = Some(address.clone()),
            DeployedCode::Kept { code_sha256 } => function.code_sha256 = Some(code_sha256.clone()),
        }
        function.seconds = Some(seconds(deployed.took));
    }

    fn held(&mut self, held: &Held, about: Option<&Block>) {
        let function = self.function(&held.function, about);
        (function.outcome, function.changed) = ("held", held.changed());
        function.version.clone_from(&held.version);
        function.alias = Some(held.alias.clone());
        function.alias_state = Some(match &held.traffic {
            Traffic::Stayed(_) => STAYED,
            Traffic::Back(_) => BACK,
            Traffic::New => MOVED,
        });
    }

    fn layer_deployed(&mut self, deployed: &LayerDeployed, about: Option<&Block>) {
        let layer = self.layer(&deployed.layer, about);
        layer.outcome = if deployed.changed() { "published" } else { "unchanged" };
        layer.changed = deployed.changed();
        layer.layer_version_arn = Some(deployed.arn.clone());
        layer.version = Some(deployed.version.clone());
        layer.code_sha256 = Some(deployed.code_sha256.clone());
        layer.package_size = Some(deployed.package_size);
        layer.seconds = Some(seconds(deployed.took));
    }

    fn failed(&mut self, failure: &Failure, about: Option<&Block>) {
        let failed = Failed::of(failure, about);
        // A command after a deployment can fail.
        let changed = |outcome: &str, changed: bool| {
            if matches!(outcome, "deployed" | "published") { changed } else { failure.changed() }
        };
        if let Some(name) = &failed.about.function_name {
            let function = self.function(name, about);
            (function.changed, function.outcome) = (changed(function.outcome, function.changed), "failed");
            if function.alias_state.is_none() && function.moves_alias() {
                function.alias_state = Some(match (failure.done.contains(&ALIAS), failure.begun.contains(&ALIAS)) {
                    (true, _) => MOVED,
                    (_, true) => UNKNOWN,
                    (false, false) => STAYED,
                });
            }
        }
        if let Some(name) = &failed.about.layer_name {
            let layer = self.layer(name, about);
            (layer.changed, layer.outcome) = (changed(layer.outcome, layer.changed), "failed");
        }
        self.errors.push(failed);
    }

    /// The document as text. Redacts values, but never keys.
    fn text(&self) -> String {
        let mut document = serde_json::to_value(self).unwrap_or_default();
        self.console.redact_values(&mut document);
        sanitise::json(&serde_json::to_string_pretty(&document).unwrap_or_default())
    }
}

impl Observer for Document {
    fn receive(&mut self, event: &Event, about: Option<&Block>) -> Vec<Delivery> {
        self.note(event, about);
        Vec::new()
    }

    fn finish(&mut self, verdict: &Verdict) -> Vec<Delivery> {
        self.exit_code = verdict.exit_code;
        self.changed = self.members.changed()
            || self.functions.0.values().any(|function| function.changed)
            || self.layers.0.values().any(|layer| layer.changed);
        self.totals = verdict.overview.totals();
        vec![Delivery::Document(self.text())]
    }
}

fn package(packaged: &Packaged) -> Package {
    Package {
        name: packaged.heading.clone(),
        path: packaged.path.clone(),
        size: packaged.size,
        code_sha256: packaged.code_sha256.clone(),
        unpacked_size: package::unpacked(&packaged.entries),
        entries: packaged.entries.iter().map(entry).collect(),
        largest_folders: folders(&packaged.entries),
        left_out: packaged.left_out.clone(),
    }
}

fn entry(listed: &Listed) -> Entry {
    Entry { name: listed.name.clone(), mode: format!("{:06o}", listed.mode), size: listed.size }
}

fn folders(entries: &[Listed]) -> Vec<Folder> {
    let folders = package::largest_folders(entries, usize::MAX);
    folders.into_iter().map(|(name, size)| Folder { name, size }).collect()
}
