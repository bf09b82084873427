//! The document of `--format json`. It has a version; field names are frozen; times are in seconds.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

use super::console::Console;
use super::delivery::Delivery;
use super::members::Members;
use super::observer::Observer;
use super::outcome::Verdict;
use super::release::{self, seconds};
use super::sanitise;
use super::{ends, overview::Totals, plan, variables};
use crate::event::{Block, Deployed, DeployedCode, Event, Failure, Happened, Held, LayerDeployed, Packaged, Traffic};
use crate::package::{self, FileChange, FileChanges, Listed};
use crate::place::{FilePlace, Place, Problem, Skip};
use crate::plan::{ALIAS, Half, Plan, Subject, View};

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
    functions: Vec<Function>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<Layer>,
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

#[derive(Serialize, Default)]
struct Function {
    /// The number of its block; absent: the verb has none.
    #[serde(skip)]
    number: Option<usize>,
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
    /// The number of its block; absent: the verb has none.
    #[serde(skip)]
    number: Option<usize>,
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
pub(super) struct Planned {
    step: String,
    changes: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Files>,
    /// The names that built-in rules left out of the package.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
}

/// The files that differ between two packages.
#[derive(Serialize)]
pub(super) struct Files {
    added: usize,
    changed: usize,
    removed: usize,
    /// The first of them.
    first: Vec<ChangedFile>,
}

#[derive(Serialize)]
struct ChangedFile {
    name: String,
    from: Option<u64>,
    to: Option<u64>,
    unit: &'static str,
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

#[derive(Serialize)]
pub(super) struct Complaint {
    message: String,
    #[serde(flatten)]
    about: About,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Where>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// The function or layer that something is about.
#[derive(Serialize, Default)]
pub(super) struct About {
    #[serde(skip_serializing_if = "Option::is_none")]
    function_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

impl About {
    pub(super) fn of(block: Option<&Block>) -> Self {
        let Some(Block { number: _, subject, name, region }) = block.cloned() else { return Self::default() };
        match subject {
            Subject::Function => Self { function_name: Some(name), layer_name: None, region },
            Subject::Layer => Self { function_name: None, layer_name: Some(name), region },
        }
    }
}

/// A skipped block.
#[derive(Serialize)]
pub(super) struct Skipped {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    option: String,
    wanted: Vec<String>,
    found: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Where>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Where {
    File { path: String, line: u32, column: u32 },
    Variable(String),
    Flag(String),
}

#[derive(Serialize)]
pub(super) struct Failed {
    message: String,
    #[serde(flatten)]
    about: About,
    problems: Vec<Complaint>,
    done: Vec<&'static str>,
    begun: Vec<&'static str>,
    not_done: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    exit_code: u8,
}

impl Document {
    pub(super) fn new(command: &'static str, console: &Console) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            command,
            exit_code: 0,
            changed: false,
            functions: Vec::new(),
            layers: Vec::new(),
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
            Event::Warning(problem) => self.warnings.push(complaint(problem, about)),
            Event::Skipped(skip) => self.skipped.push(skipped(skip)),
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

    /// The function that an event is about. A run can have several of one name.
    fn function(&mut self, name: &str, about: Option<&Block>) -> &mut Function {
        let number = about.map(|block| block.number);
        let is_meant = |function: &Function| function.number == number && function.function_name == name;
        let at = self.functions.iter().position(is_meant).unwrap_or_else(|| {
            let region = about.and_then(|block| block.region.clone()).unwrap_or_default();
            self.functions.push(Function { number, function_name: name.to_owned(), region, ..Function::default() });
            self.functions.len() - 1
        });
        &mut self.functions[at]
    }

    /// The layer that an event is about.
    fn layer(&mut self, name: &str, about: Option<&Block>) -> &mut Layer {
        let number = about.map(|block| block.number);
        let is_meant = |layer: &Layer| layer.number == number && layer.layer_name == name;
        let at = self.layers.iter().position(is_meant).unwrap_or_else(|| {
            let region = about.and_then(|block| block.region.clone()).unwrap_or_default();
            self.layers.push(Layer { number, layer_name: name.to_owned(), region, ..Layer::default() });
            self.layers.len() - 1
        });
        &mut self.layers[at]
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
        let failed = failed(failure, about);
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
            || self.functions.iter().any(|function| function.changed)
            || self.layers.iter().any(|layer| layer.changed);
        self.functions.sort_by_key(|function| function.number);
        self.layers.sort_by_key(|layer| layer.number);
        self.totals = verdict.overview.totals();
        vec![Delivery::Document(self.text())]
    }
}

/// The plan on one line, for a step's output.
pub(super) fn plan_text(plan: &Plan) -> String {
    serde_json::to_string(&steps(plan)).unwrap_or_default()
}

/// The outputs of each function on one line, by the function's name; in several Regions by `NAME@REGION`.
pub(super) fn functions_text(functions: &[Deployed]) -> String {
    let document = |deployed: &Deployed| {
        let outputs = deployed.outputs().into_iter().filter(|(name, _)| !variables::is_json(name));
        let changed = ("changed", Value::Bool(deployed.changed()));
        let region = ("region", Value::String(deployed.region.clone()));
        let outputs = outputs.map(|(name, value)| match value.parse::<u64>() {
            Ok(size) if name == "package-size" => (name, size.into()),
            _ => (name, Value::String(value)),
        });
        let members = outputs.chain([region, changed]).map(|(name, value)| (name.replace('-', "_"), value));
        Value::Object(members.collect())
    };
    let key = |deployed: &Deployed| {
        let is_elsewhere = |other: &Deployed| other.function == deployed.function && other.region != deployed.region;
        if functions.iter().any(is_elsewhere) {
            format!("{}@{}", deployed.function, deployed.region)
        } else {
            deployed.function.clone()
        }
    };
    let all: BTreeMap<_, _> = functions.iter().map(|deployed| (key(deployed), document(deployed))).collect();
    serde_json::to_string(&all).unwrap_or_default()
}

/// The same JSON, with escapes for characters that are invisible or that a shell or CI interprets. Users splice a value
/// into a script (`${{ … }}`) or print it where `##[…]` is a command. `TeamCity` replaces `%name%` in a variable, Azure
/// `$(name)`.
pub(super) fn unspliceable(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in sanitise::json(json).chars() {
        match c {
            '$' => out.push_str("\\u0024"),
            '%' => out.push_str("\\u0025"),
            '\'' => out.push_str("\\u0027"),
            '`' => out.push_str("\\u0060"),
            c => out.push(c),
        }
    }
    out
}

pub(super) fn steps(plan: &Plan) -> Vec<Planned> {
    let step = |view: View<'_>| Planned {
        changes: view.changes.iter().map(ends::document).collect(),
        files: view.files().map(files),
        left_out: view.left_out().to_vec(),
        step: view.id.into_owned(),
    };
    plan.views().map(step).collect()
}

/// The files that differ between two packages.
pub(super) fn files(differing: &FileChanges) -> Files {
    let [added, changed, removed] = differing.counts();
    let file = |change: &FileChange| ChangedFile {
        name: change.name.clone(),
        from: change.from,
        to: change.to,
        unit: "bytes",
    };
    Files { added, changed, removed, first: differing.0.iter().take(plan::SHOWN_FILES).map(file).collect() }
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

pub(super) fn complaint(problem: &Problem, about: Option<&Block>) -> Complaint {
    let (about, place) = (About::of(about), problem.place.as_ref().map(place));
    Complaint { message: problem.text(), about, option: problem.option.clone(), place, help: problem.help.clone() }
}

pub(super) fn place(place: &Place) -> Where {
    match place {
        Place::File(FilePlace { path, line, column }) => {
            Where::File { path: path.to_string(), line: *line, column: *column }
        }
        Place::Variable(name) => Where::Variable(name.clone()),
        Place::Flag(flag) => Where::Flag(flag.clone()),
    }
}

pub(super) fn skipped(skip: &Skip) -> Skipped {
    Skipped {
        message: skip.to_string(),
        function_name: skip.function.clone(),
        layer_name: skip.layer.clone(),
        region: skip.region.clone(),
        option: skip.option.clone(),
        wanted: skip.wanted.clone(),
        found: skip.found.clone(),
        place: skip.place.as_ref().map(place),
    }
}

pub(super) fn failed(failure: &Failure, about: Option<&Block>) -> Failed {
    let about = match about {
        Some(_) => About::of(about),
        None => About { function_name: failure.function.clone(), layer_name: failure.layer.clone(), region: None },
    };
    Failed {
        message: failure.headline.clone(),
        about,
        problems: failure.problems.iter().map(|problem| complaint(problem, None)).collect(),
        done: failure.done.clone(),
        begun: failure.begun.clone(),
        not_done: failure.not_done.clone(),
        help: failure.help.clone(),
        exit_code: failure.exit_code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_the_same_without_what_a_script_would_read() {
        let json = r#"["$(secret) %secret% `id` 'x' ##[add-mask]é"]"#;
        let out = unspliceable(json);
        assert!(!out.contains(['#', '$', '%', '`', '\'']), "{out}");
        assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), serde_json::from_str::<Value>(json).unwrap());
    }
}
