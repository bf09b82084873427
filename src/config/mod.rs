//! Layers in, deployments out.
//!
//! Flags, variables and the YAML block each yield a [`Layer`]; merged, they are resolved into what was meant. Knows
//! where every value came from. Must not know flag syntax, nor AWS.

mod attachments;
mod blocks;
mod code;
mod compiled;
mod condition;
mod conditions;
mod credentials;
mod dotenv;
mod env;
#[cfg(test)]
mod hostile;
mod import;
mod interpolate;
mod layer;
mod layer_version;
mod network;
mod occasion;
pub mod options;
mod read;
mod render;
mod resolve;
mod script;
mod shell;
mod structure;
mod subject;
mod trust;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(crate) use blocks::truth;
pub(crate) use env::structured;
pub(crate) use import::imported;
pub(crate) use layer::{Form, Given, Layer, Value, insert};
pub(crate) use render::Rendered;
pub(crate) use script::Script;
pub(crate) use subject::{Reach, Subject};

use self::{layer_version::OfBlock, occasion::Occasion, read::Reader, resolve::Context, trust::Trust};
use crate::deployment::{Code, Item};
use crate::files::Destination;
use crate::host::{Build, Ci, Host};
use crate::place::{Places, Problem, Skip};
use crate::settings::Secret;
pub(crate) use crate::verb::Purpose;

/// What the command line says besides options.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Options given as flags.
    pub flags: Layer,
    /// What is going to be done with the configuration.
    pub purpose: Purpose,
    /// Whether the command line is dpl's, complete in itself: no YAML is looked for.
    pub speaks: Speaks,
}

/// Whose command line this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Ours.
    Own,
    /// dpl's, told by the word `lambda` or `--provider`.
    Lambda,
    /// dpl's, called by its name: its default Region holds too.
    Dpl,
}

/// How the run as a whole goes.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunOptions {
    /// The CI whose dialect is spoken: the one asked for, else the one detected.
    pub ci: Ci,
    /// Whether one JSON document is wanted on standard output.
    pub json: bool,
    /// Whether decisions are told.
    pub verbose: bool,
    /// The file for a JUnit report; absent for none.
    pub junit: Option<Destination>,
    /// `auto`, `always` or `never`; empty before it was read.
    pub color: &'static str,
    /// Whether only results and mistakes are told.
    pub quiet: bool,
    /// What becomes of the run when every block was skipped.
    pub if_skipped: IfSkipped,
    /// Where the outputs go, besides where the CI wants them.
    pub output_file: Option<Destination>,
    /// Where the summary goes, besides where the CI wants it.
    pub summary_file: Option<Destination>,
    /// Where links go in the form of GitLab's report.
    pub gitlab_annotations_file: Option<Destination>,
    /// Where problems go in the form of GitLab's report.
    pub gitlab_codequality_file: Option<Destination>,
}

impl RunOptions {
    /// The options of a run whose command line is wrong: what could be read of its flags and of variables addressed to
    /// this tool. What is wrong with those is not looked at.
    pub(crate) fn of_wrong_line(flags: &Layer, host: &Host, ci: Ci) -> Self {
        let mut loaded = Loaded { run: Self { ci, ..Self::default() }, ..Loaded::default() };
        let addressed = env::addressed(host, &mut Vec::new(), &mut Vec::new());
        let layers: Vec<_> = std::iter::once(flags.clone()).chain(addressed).collect();
        let build = Build::default();
        let purpose = Purpose::Deploy;
        let strongest = layer::merge(&layers);
        let trust = Trust::of(&strongest, host, ci);
        let never = BTreeSet::new();
        let context = Context { host, ci, build: &build, purpose, never, fallback_region: None, trust };
        run_options(&mut Reader::new(strongest), &context, &mut loaded);
        loaded.run
    }
}

/// The merge whose deployment is shown in the build of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preview {
    /// The number of the pull request; absent where the CI does not say it.
    pub number: Option<String>,
    /// The branch that it goes to; absent where nobody says it.
    pub base: Option<String>,
}

/// What becomes of a run in which every block was skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum IfSkipped {
    /// It is said.
    #[default]
    Ok,
    /// It is a warning.
    Warning,
    /// The run fails.
    Error,
}

/// How much is only shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum DryRun {
    /// The plan is done.
    #[default]
    No,
    /// The plan is shown.
    Plan,
    /// The plan is shown, and AWS checks the code update.
    Aws,
}

/// A function or a layer to deploy, and how the run treats it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The function or layer.
    pub item: Item,
    /// Where each option was written.
    pub places: Places,
    /// Whether its failure fails the run.
    pub allow_failure: bool,
    /// How much of it is only shown.
    pub dry_run: DryRun,
    /// Whether uncommitted files are stashed meanwhile.
    pub cleanup: bool,
    /// Commands to run after its success.
    pub commands: Vec<Script>,
}

/// What a configuration says.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// The layers and functions to deploy, layers first, because functions of the run may use them; filled only with
    /// [`Purpose::Deploy`], [`Purpose::Plan`] and [`Purpose::Check`].
    pub entries: Vec<Entry>,
    /// What to package; filled only with [`Purpose::Package`].
    pub packages: Vec<(Code, Places)>,
    /// What to look at or act on, in order; filled only with [`Purpose::Live`].
    pub subjects: Vec<Subject>,
    /// Where to look around, in order; filled only with [`Purpose::Region`].
    pub regions: Vec<Reach>,
    /// Why blocks are left out in this build.
    pub skipped: Vec<Skip>,
    /// Of what the plans are a preview; absent where they are of this build.
    pub preview: Option<Preview>,
    /// What each block comes to; filled only with [`Purpose::Render`].
    pub rendered: Vec<Rendered>,
    /// What the CI says it builds.
    pub build: Build,
    /// How the run goes. Filled as far as possible also when there are problems.
    pub run: RunOptions,
    /// What must be corrected; when there is any, nothing is done.
    pub problems: Vec<Problem>,
    /// What deserves a word.
    pub warnings: Vec<Problem>,
    /// What must never be shown.
    pub secrets: Vec<Secret>,
    /// What came from variables whose names say nothing of a secret: hidden, but not in names.
    pub taken: Vec<Secret>,
    /// Variables of functions with their values, also of blocks that have problems.
    pub values: Vec<(String, Secret)>,
}

impl Loaded {
    /// Whether nothing is left because every block was skipped.
    pub(crate) fn is_skipped(&self) -> bool {
        let left = [self.entries.len(), self.packages.len(), self.subjects.len()];
        let rest = [self.regions.len(), self.rendered.len()];
        !self.skipped.is_empty() && left.iter().chain(&rest).all(|count| *count == 0)
    }
}

/// Reads every layer and resolves it.
pub(crate) fn load(request: &Request, host: &Host, ci: Ci) -> Loaded {
    let mut loaded = Loaded { run: RunOptions { ci, ..RunOptions::default() }, ..Loaded::default() };
    let mut build = Build::of(host, ci);
    loaded.problems.extend(env::unreadable(host));
    let addressed = env::addressed(host, &mut loaded.problems, &mut loaded.warnings);
    let ambient = env::ambient(host, &mut loaded.warnings);
    let above: Vec<_> = std::iter::once(request.flags.clone()).chain(addressed).collect();

    let strongest = layer::merge(&above);
    let config = strongest.get("config");
    let occasion = Occasion::of(&mut build, request, &strongest, host, &mut loaded.warnings);
    let mut blocks = match (request.speaks, config) {
        (Speaks::Lambda | Speaks::Dpl, None) => blocks::Blocks::default(),
        _ => blocks::read(config, host, build.branch.as_deref()),
    };
    loaded.problems.append(&mut blocks.problems);
    loaded.warnings.append(&mut blocks.warnings);
    let context = Context {
        host,
        ci,
        build: &build,
        purpose: request.purpose,
        never: blocks.file.iter().map(|file| host.directory.join(file)).collect(),
        trust: Trust::of(&strongest, host, ci),
        fallback_region: (request.speaks == Speaks::Dpl).then(|| "us-east-1".to_owned()),
    };

    let layers = |block: Option<&Layer>| {
        let layers: Vec<_> = above.iter().chain(block).chain(&ambient).cloned().collect();
        layer::merge(&layers)
    };
    if blocks.blocks.is_empty() {
        let alone = layers(None);
        let broken = !loaded.problems.is_empty() && blocks.file.is_some();
        let needs_no_function = matches!(request.purpose, Purpose::Package | Purpose::Region);
        let complete = blocks.file.is_none() || names_something(&alone) || needs_no_function;
        match &blocks.file {
            Some(file) if !complete && !broken => loaded.problems.push(nothing_for_us(file)),
            _ if broken && !names_something(&alone) => {}
            _ => entry(Reader::new(alone), false, request, &context, &mut loaded),
        }
    }
    let chosen = choose(&blocks.blocks, &strongest, &mut loaded.problems);
    let mut reasons = Vec::new();
    for block in &chosen {
        let merged = layers(Some(&block.layer));
        let reason = occasion.reason_to_skip(block, &merged, request.purpose, &mut loaded.preview);
        reasons.push(reason.unwrap_or_else(|problem| {
            loaded.problems.push(problem);
            None
        }));
    }
    if matches!(request.purpose, Purpose::Deploy | Purpose::Plan) {
        layers_follow(&chosen, &mut reasons);
    }
    let deployed = chosen.iter().zip(&reasons).find(|(_, reason)| reason.is_none()).map(|(block, _)| *block);
    let of_run = deployed.or(chosen.first().copied()).map(|block| &block.layer);
    run_options(&mut Reader::new(layers(of_run)), &context, &mut loaded);
    let several = chosen.len() > 1;
    for (block, reason) in chosen.into_iter().zip(reasons) {
        if let Some(reason) = reason {
            loaded.skipped.push(named(reason, block));
            continue;
        }
        let mut layer = layers(Some(&block.layer));
        if several && block.layer.contains_key("layer") && !block.layer.contains_key("function_name") {
            only_of_layer(&mut layer, &block.layer);
        }
        let mut reader = Reader::new(layer);
        reader.block = Some(block.place.clone());
        entry(reader, block.allow_failure, request, &context, &mut loaded);
    }
    loaded.entries.sort_by_key(|entry| entry.item.layer().is_none());
    loaded.problems.sort();
    loaded.problems.dedup();
    loaded.warnings.sort();
    loaded.warnings.dedup();
    loaded.build = build;
    loaded
}

/// Whether the options say what to deploy.
fn names_something(layer: &Layer) -> bool {
    ["function_name", "layer", "extension"].iter().any(|name| layer.contains_key(name))
}

/// Beside blocks with functions, flags and variables about code and settings are meant for those, not for a layer.
fn only_of_layer(layer: &mut Layer, own: &Layer) {
    for option in options::OPTIONS {
        if !matches!(option.group, options::Group::Target | options::Group::Run) {
            layer.remove(option.name);
            layer.extend(own.get(option.name).map(|given| (option.name, given.clone())));
        }
    }
}

/// A file is there, but nothing in it is for us.
fn nothing_for_us(file: &Path) -> Problem {
    let problem =
        Problem::new(format!("`{}` has no deployment for the provider `lambda`", file.display())).of("deploy");
    problem.help("add a `deploy:` block with `provider: lambda`, or name the function with `--function_name`")
}

/// With several blocks, a function named from outside selects; with one, it names.
fn choose<'a>(all: &'a [blocks::Block], strongest: &Layer, problems: &mut Vec<Problem>) -> Vec<&'a blocks::Block> {
    let Some(wanted) = strongest.get("function_name").filter(|_| all.len() > 1) else {
        return all.iter().collect();
    };
    let name = |block: &blocks::Block| block.layer.get("function_name").and_then(Given::as_text).map(str::to_owned);
    let chosen: Vec<_> = all.iter().filter(|block| name(block).as_deref() == wanted.as_text()).collect();
    if chosen.is_empty() {
        let names: Vec<_> = all.iter().filter_map(name).map(|name| format!("`{name}`")).collect();
        let message = format!("no block is for `{}`", wanted.as_text().unwrap_or_default());
        let problem = Problem::new(message).of("function_name").at(&wanted.place);
        problems.push(problem.help(format!("the blocks are for {}", names.join(", "))));
    }
    chosen
}

/// A reason with the names of its block.
fn named(reason: Skip, block: &blocks::Block) -> Skip {
    let layer = block.layer_alone().map(str::to_owned);
    let function = block.text("function_name").filter(|_| layer.is_none()).map(str::to_owned);
    Skip { function, layer, place: reason.place.or_else(|| Some(block.place.clone())), ..reason }
}

/// A layer that says nothing itself of when it is published goes with the functions of the file that use it; where none
/// names it, with all of them.
fn layers_follow(blocks: &[&blocks::Block], reasons: &mut [Option<Skip>]) {
    // Whether any function is left that has the layer of a name; under no name, whether any is left at all.
    let mut left: BTreeMap<Option<&str>, bool> = BTreeMap::new();
    for (block, reason) in blocks.iter().zip(&*reasons).filter(|(block, _)| block.layer_alone().is_none()) {
        for name in block.names_of_layers().map(Some).chain([None]) {
            *left.entry(name).or_default() |= reason.is_none();
        }
    }
    for (block, reason) in blocks.iter().zip(reasons) {
        let Some(layer) = block.layer_alone().filter(|_| !block.conditions.are_own()) else { continue };
        if reason.is_none() && left.get(&Some(layer)).or_else(|| left.get(&None)) == Some(&false) {
            let message = "is not set, so the layer goes with the functions of the file, and those that it is for are \
                           skipped; `on: {all_branches: true}` publishes it by itself";
            *reason = Some(Skip {
                function: None,
                layer: None,
                option: "on".to_owned(),
                wanted: Vec::new(),
                found: None,
                message: message.to_owned(),
                place: None,
                in_travis_words: None,
            });
        }
    }
}

fn entry(mut reader: Reader, allow_failure: bool, request: &Request, context: &Context<'_>, loaded: &mut Loaded) {
    context.trust.screen(&mut reader);
    for name in ["access_key_id", "secret_access_key", "session_token"] {
        loaded.secrets.extend(reader.raw(name).map(Secret::new));
    }
    let dry_run = dry_run(&mut reader);
    let cleanup = reader.flag("cleanup");
    let alone = layer_version::stands_alone(&mut reader);
    match request.purpose {
        Purpose::Package if alone => {
            let found = layer_version::layer(&mut reader, context);
            loaded.packages.extend(found.map(|found| (found.layer.code, found.places)));
        }
        Purpose::Package => {
            let code = code::code(&mut reader, context);
            loaded.packages.push((code, reader.places()));
        }
        Purpose::Render => {
            loaded.rendered.push(Rendered::of(reader.layer(), context));
            if layer_version::is_wanted(&mut reader) {
                layer_version::layer(&mut reader, context);
            }
            if !alone {
                resolve::deployment(&mut reader, context);
            }
            resolve::commands(&mut reader, context);
        }
        // What can be looked at or acted on is a function.
        Purpose::Live if alone => {}
        Purpose::Live => loaded.subjects.extend(subject::subject(&mut reader, dry_run, context)),
        Purpose::Region => loaded.regions.extend(subject::reach(&mut reader, None, context)),
        Purpose::Deploy | Purpose::Plan | Purpose::Check => {
            let commands = resolve::commands(&mut reader, context);
            if layer_version::is_wanted(&mut reader)
                && let Some(OfBlock { layer, places }) = layer_version::layer(&mut reader, context)
            {
                let commands = if alone { commands.clone() } else { Vec::new() };
                let item = Item::Layer(Box::new(layer));
                loaded.entries.push(Entry { item, places, allow_failure, dry_run, cleanup, commands });
            }
            if !alone && let Some(deployment) = resolve::deployment(&mut reader, context) {
                let places = reader.places();
                let item = Item::Function(Box::new(deployment));
                loaded.entries.push(Entry { item, places, allow_failure, dry_run, cleanup, commands });
            }
        }
    }
    loaded.secrets.append(&mut reader.secrets);
    loaded.taken.append(&mut reader.taken);
    loaded.values.append(&mut reader.values);
    loaded.problems.append(&mut reader.problems);
    loaded.warnings.append(&mut reader.warnings);
}

fn dry_run(reader: &mut Reader) -> DryRun {
    match reader.text("dry_run").map(|text| (truth(&text), text.eq_ignore_ascii_case("aws"), text)) {
        None | Some((Some(false), ..)) => DryRun::No,
        Some((Some(true), ..)) => DryRun::Plan,
        Some((None, true, _)) => DryRun::Aws,
        Some((None, false, text)) => {
            reader.wrong("dry_run", format!("must be true, false or aws, got `{text}`"));
            DryRun::Plan
        }
    }
}

/// A path without `.` parts, with its links followed where it is there.
fn whole(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.components().collect())
}

fn run_options(reader: &mut Reader, context: &Context<'_>, loaded: &mut Loaded) {
    let run = &mut loaded.run;
    context.trust.screen(reader);
    // What it means is known already; here it is only looked whether it can be read.
    reader.flag("trust_config");
    if reader.flag("fold") && run.ci == Ci::None {
        run.ci = Ci::Travis;
    }
    if let Some(name) = reader.text("ci") {
        if let Some((_, ci)) = Ci::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            run.ci = *ci;
        } else {
            let names: Vec<_> = Ci::NAMES.iter().map(|(name, _)| *name).collect();
            reader.wrong("ci", format!("must be one of {}, got `{name}`", names.join(", ")));
        }
    }
    run.json = reader.choice("format") == Some("json");
    run.color = reader.choice("color").unwrap_or("auto");
    run.quiet = reader.flag("quiet");
    run.if_skipped = match reader.choice("if_skipped") {
        Some("warning") => IfSkipped::Warning,
        Some("error") => IfSkipped::Error,
        _ => IfSkipped::Ok,
    };
    let mut file = |name: &'static str| {
        let path = reader.path(name).filter(|path| !path.as_os_str().is_empty())?;
        Some(context.trust.destination(path, reader.place(name).as_ref()))
    };
    run.junit = file("junit");
    run.output_file = file("output_file");
    run.summary_file = file("summary_file");
    run.gitlab_annotations_file = file("gitlab_annotations_file");
    run.gitlab_codequality_file = file("gitlab_codequality_file");
    let results = [
        ("junit", &mut run.junit),
        ("output_file", &mut run.output_file),
        ("summary_file", &mut run.summary_file),
        ("gitlab_annotations_file", &mut run.gitlab_annotations_file),
        ("gitlab_codequality_file", &mut run.gitlab_codequality_file),
    ];
    let read = reader.list("env_file").unwrap_or_default();
    let read = read.iter().map(|file| context.host.directory.join(file)).chain(context.never.iter().cloned());
    let mut taken: Vec<_> = read.map(|path| whole(&path)).collect();
    for (name, file) in results {
        let Some(path) = file.as_ref().map(|file| whole(&context.host.directory.join(&file.path))) else { continue };
        let is_device = path.metadata().is_ok_and(|there| !there.is_file());
        if !is_device && taken.contains(&path) {
            reader.wrong(name, "is a file that is read, or that another result goes to");
            // Not even the account of this mistake goes there.
            *file = None;
        }
        taken.push(path);
    }
    run.verbose = reader.flag("verbose") || context.host.flag("RUNNER_DEBUG");
    loaded.problems.append(&mut reader.problems);
}
