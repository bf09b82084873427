//! The YAML file: which file it is, which of its blocks are for this tool, and the keys of a block that are not options.
//!
//! Accepts the same forms of `deploy:` as Travis.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use super::{
    by_branch::ByBranch,
    conditions::{Conditions, FileFormat},
    each::{self, FOR_EACH, Folders, Item},
    interpolate::Names,
    layer::{Given, Layer, MapEntry, Value, yes_or_no},
    one_value::{is_branch, not_branches},
    options::{self, canonical},
    overlay::{Origins, Part},
    paths, shallow,
    stages::Stages,
    trust::Trust,
    yaml,
};
use crate::files;
use crate::host::Host;
use crate::place::{ChosenStage, Place, Problem};

/// The names of the file, in the order in which they are tried.
const FILES: [&str; 3] = ["dpl.yml", ".dpl.yml", ".travis.yml"];

/// The most blocks of a file, with each name of `for_each` and each Region as a block of its own.
const MOST_BLOCKS: usize = 1000;

/// The most bytes of all blocks together, roughly.
const MOST_BYTES: usize = 64 << 20;

/// The valid keys at the top of a file with `deploy:`, except for `.travis.yml`.
const BESIDE_DEPLOY: [&str; 5] = ["deploy", "defaults", "stages", "before_deploy", "after_deploy"];

/// A block: one deployment, as it is written.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// Its place.
    pub place: Place,
    /// Its options, with the values for the current branch.
    pub layer: Layer,
    /// The options that only `defaults` or a stage of the file sets.
    pub shared: BTreeSet<&'static str>,
    /// The conditions for its deployment.
    pub conditions: Conditions,
    /// Whether the run succeeds even if this block fails.
    pub allow_failure: bool,
    /// All texts in `layers`, of all branches.
    pub layers: Vec<String>,
    /// What the names in its texts stand for.
    pub names: Names,
    /// The options whose texts could not be filled in, after an error.
    pub unfilled: BTreeSet<&'static str>,
    /// Which of several deployments of one block in the file this is; empty if it is the only one.
    pub which: String,
    /// The parts of the file that its values come from.
    pub origins: Origins,
}

impl Block {
    /// The text of an option; `None` if it is absent or not a text.
    pub(super) fn text(&self, option: &str) -> Option<&str> {
        self.layer.get(option).and_then(Given::as_text)
    }

    /// The name of the layer, for a block that publishes a layer and has no function. It is empty if the layer has no name.
    pub(super) fn layer_alone(&self) -> Option<&str> {
        let is_extension = self.text("extension").is_some_and(|text| yes_or_no(text) != Some(false));
        let has_function = self.layer.contains_key("function_name") || self.conditions.has_by_branch("function_name");
        let layer = self.layer.get("layer");
        if !is_extension && (layer.is_none() || has_function) {
            return None;
        }
        let name = layer.and_then(|layer| layer.get("name").unwrap_or(layer).as_text());
        Some(name.or_else(|| self.text("function_name")).unwrap_or_default())
    }

    /// The names of its function's layers. An ARN yields two names: itself, and the name in it.
    pub(super) fn names_of_layers(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().flat_map(|text| {
            let in_arn = text.split_once(":layer:").map(|(_, rest)| rest.split(':').next().unwrap_or(rest));
            [Some(text.as_str()), in_arn].into_iter().flatten()
        })
    }
}

/// The content of a file.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// The blocks for `lambda`, in the order of the file.
    pub blocks: Vec<Block>,
    /// The path of the file; absent if there is no file.
    pub path: Option<PathBuf>,
    /// Its folder, from the working directory.
    pub folder: PathBuf,
    /// Whether texts are filled in: the file is one of ours.
    pub is_own: bool,
    /// The chosen stage; absent in a file without stages.
    pub stage: Option<ChosenStage>,
    /// The errors.
    pub problems: Vec<Problem>,
    /// The warnings.
    pub warnings: Vec<Problem>,
}

/// Whether a key at the top is only there to hold anchors.
fn is_shelf(key: &str) -> bool {
    key.starts_with('.') || key.starts_with("x-")
}

fn unknown_at_top(key: &str) -> Problem {
    let near = options::nearest_of(key, BESIDE_DEPLOY.into_iter()).or_else(|| options::nearest_key(key));
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let help = format!(
        "the valid keys are {}; a key that only holds anchors begins with `.` or `x-`",
        BESIDE_DEPLOY.map(|key| format!("`{key}`")).join(", ")
    );
    Problem::new(format!("`{key}` is not a key beside `deploy:`{near}")).help(help)
}

/// Reads the file of `config`, or else the first of the usual files that exists. `strongest` are the options above it.
pub(super) fn read(strongest: &Layer, host: &Host, branch: Option<&str>, trust: &Trust) -> Blocks {
    let mut found = Blocks::default();
    let path = match strongest.get("config") {
        Some(given) => Some((PathBuf::from(given.as_text().unwrap_or_default()), Some(given.place.clone()))),
        None => {
            FILES.iter().map(PathBuf::from).find(|file| host.directory.join(file).is_file()).map(|file| (file, None))
        }
    };
    let Some((path, asked_for)) = path else { return found };
    match files::text(&host.directory.join(&path)) {
        Ok(text) => {
            let format = if path.ends_with(".travis.yml") { FileFormat::Travis } else { FileFormat::Own };
            let shown: Arc<str> = Arc::from(path.to_string_lossy());
            found.folder = paths::folder_of(&path, &host.directory);
            found.is_own = format == FileFormat::Own;
            match yaml::parse(&text, &shown) {
                Ok(document) => {
                    found.warnings.extend(shallow::warnings(&text, &shown));
                    let size = 0;
                    FileReader { found: &mut found, format, host, branch, strongest, trust, size }.document(&document);
                }
                Err(problem) => found.problems.push(problem),
            }
        }
        Err(error) => {
            let problem = Problem::new(format!("`{}` {error}", path.display())).of("config");
            found.problems.push(Problem { place: asked_for, ..problem });
        }
    }
    let problems = not_branches_in(&found.blocks, branch, host);
    found.problems.extend(problems);
    found.path = Some(path);
    found
}

/// The errors about maps by branch whose keys are no branches.
fn not_branches_in(blocks: &[Block], branch: Option<&str>, host: &Host) -> Vec<Problem> {
    let maps = blocks.iter().filter(|block| !block.conditions.are_of_travis());
    let maps = maps.flat_map(|block| block.conditions.by_branch());
    let is_wrong = |map: &&ByBranch| {
        let named = || blocks.iter().flat_map(|block| block.conditions.named_branches(&map.place)).chain(branch);
        !map.branches.iter().any(|key| is_branch(key, named(), host))
    };
    maps.filter(is_wrong).filter_map(|map| Some(not_branches(options::find(map.option)?, map))).collect()
}

/// Reads the blocks of a file.
pub(super) struct FileReader<'a> {
    pub(super) found: &'a mut Blocks,
    pub(super) format: FileFormat,
    pub(super) host: &'a Host,
    pub(super) branch: Option<&'a str>,
    /// The flags and variables above the file.
    strongest: &'a Layer,
    trust: &'a Trust,
    /// The bytes of the blocks so far, roughly.
    size: usize,
}

/// What a file says about all of its blocks.
#[derive(Default)]
struct Shared<'g> {
    defaults: Part,
    /// What the chosen stage says.
    stage: Part,
    stages: Option<Stages<'g>>,
    /// The name of the chosen stage.
    chosen: Option<&'g str>,
}

/// Where options are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Defaults,
    /// A stage of the file.
    Stage,
    /// A stage of a block or of an item.
    OwnStage,
    Block,
    /// A file that is one block.
    File,
    /// A name of `for_each`.
    Item,
}

impl FileReader<'_> {
    pub(super) fn problem(&mut self, problem: Problem, place: &Place) {
        self.found.problems.push(problem.at(place));
    }

    pub(super) fn warning(&mut self, problem: Problem, place: &Place) {
        self.found.warnings.push(problem.at(place));
    }

    fn document(&mut self, document: &Given) {
        let Value::Map(entries) = &document.value else {
            if document.value != Value::Null {
                self.problem(Problem::new("must be a map with `deploy:` or the options themselves"), &document.place);
            }
            return;
        };
        let Some(deploy) = document.get("deploy") else {
            if self.format == FileFormat::Own {
                self.file_as_block(document);
            }
            return;
        };
        for entry in entries {
            let ours = options::find(&entry.key).is_some();
            if matches!(entry.key.as_str(), "before_deploy" | "after_deploy") {
                self.not_run(entry);
            } else if ours && self.format == FileFormat::Own {
                let problem = Problem::new(format!("`{}` is beside `deploy:`, where it has no effect", entry.key));
                self.problem(problem.help("move it into the block under `deploy:`"), &entry.place);
            } else if self.format == FileFormat::Own
                && !BESIDE_DEPLOY.contains(&entry.key.as_str())
                && !is_shelf(&entry.key)
            {
                self.problem(unknown_at_top(&entry.key), &entry.place);
            }
        }
        let shared = if self.format == FileFormat::Own { self.shared(document) } else { Shared::default() };
        match &deploy.value {
            Value::List(items) if items.len() > MOST_BLOCKS => {
                let message = format!("has {} blocks, and at most {MOST_BLOCKS} are taken", items.len());
                self.problem(Problem::new(message).of("deploy"), &deploy.place);
            }
            Value::List(items) => items.iter().for_each(|item| self.block(item, Level::Block, &shared)),
            Value::Null => {}
            Value::Map(_) | Value::Text(_) => self.block(deploy, Level::Block, &shared),
        }
        self.check_size(&deploy.place);
    }

    /// Reads a file without `deploy`: all of it is one block. Its stages are those of the block.
    fn file_as_block(&mut self, document: &Given) {
        let mut shared = Shared::default();
        if let Some(entry) = entry(document, "defaults") {
            let problem = Problem::new("`defaults` is for the blocks under `deploy:`, and this file has no `deploy:`");
            self.problem(problem.help("move the options of the function into `deploy:`"), &entry.place);
        }
        self.stages(document, &mut shared);
        self.block(document, Level::File, &shared);
        self.check_size(&document.place);
    }

    /// What is beside `deploy:` for all blocks.
    fn shared<'g>(&mut self, document: &'g Given) -> Shared<'g> {
        let mut shared = Shared::default();
        if let Some(entry) = entry(document, "defaults") {
            shared.defaults = self.part(&entry.given, Level::Defaults).named("defaults").shared();
        }
        self.stages(document, &mut shared);
        for (name, given) in shared.stages.iter().flat_map(Stages::given) {
            // A mistake in another stage would be found when that is deployed.
            let part = self.part(given, Level::Stage).named(&format!("stages.{name}")).shared();
            if shared.chosen == Some(name) {
                shared.stage = part;
            }
        }
        shared
    }

    /// Reads which stages there are, and chooses one.
    fn stages<'g>(&mut self, document: &'g Given, shared: &mut Shared<'g>) {
        let Some(entry) = entry(document, "stages") else { return };
        let before = self.found.problems.len();
        let stages = Stages::read(entry, &mut self.found.problems);
        if self.found.problems.len() == before {
            match stages.choose(self.strongest.get("stage"), self.branch) {
                Ok((name, by)) => {
                    shared.chosen = Some(name);
                    self.found.stage = Some(ChosenStage { name: name.to_owned(), by });
                }
                Err(problem) => self.found.problems.push(problem),
            }
        }
        shared.stages = Some(stages);
    }

    /// Whether there are too many blocks, or too large ones. Without this limit, a small file could fill the memory.
    fn is_too_large(&self) -> bool {
        self.found.blocks.len() > MOST_BLOCKS || self.size > MOST_BYTES
    }

    fn check_size(&mut self, place: &Place) {
        if !self.is_too_large() {
            return;
        }
        let message = if self.size > MOST_BYTES {
            format!("describes deployments with more than {} MB of options in all", MOST_BYTES >> 20)
        } else {
            format!("describes more than {MOST_BLOCKS} deployments")
        };
        self.found.blocks.clear();
        self.problem(
            Problem::new(message).of("deploy").help("split the file, and choose a part with `--config`"),
            place,
        );
    }

    pub(super) fn not_run(&mut self, entry: &MapEntry) {
        let problem = Problem::new(format!(
            "`{}` is not supported, so its commands do not run; move them into steps of the CI",
            entry.key
        ));
        self.warning(problem, &entry.place);
    }

    /// The entries of a block for `lambda`; `None` for another provider, or after an error.
    fn entries_for_lambda<'g>(&mut self, given: &'g Given) -> Option<&'g [MapEntry]> {
        let entries = match &given.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Text(provider) if is_lambda(provider) => &[],
            Value::Text(provider)
                if self.format == FileFormat::Travis
                    && provider.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    && provider != "true" =>
            {
                return None;
            }
            _ => {
                self.problem(Problem::new("must be a map of options").of("deploy"), &given.place);
                return None;
            }
        };
        let Some(provider) = given.get("provider").filter(|provider| !provider.is_absent()) else {
            return Some(entries);
        };
        let name = provider.as_text().unwrap_or_default();
        if !is_lambda(name) {
            if strsim::jaro_winkler(&name.to_ascii_lowercase(), "lambda") < 0.9 {
                return None;
            }
            self.warning(Problem::new(format!("`{name}` is read as `lambda`")).of("provider"), &provider.place);
        }
        Some(entries)
    }

    /// Reads a block, and adds its deployments: one for each name of `for_each` and each Region.
    fn block(&mut self, given: &Given, level: Level, shared: &Shared<'_>) {
        if self.entries_for_lambda(given).is_none() {
            return;
        }
        let is_own = self.format == FileFormat::Own;
        let own = self.part(given, level);
        let stages = entry(given, "stages").filter(|_| is_own);
        let level_of_stages = if level == Level::File { Level::Stage } else { Level::OwnStage };
        let of_stage = self.stage_of(stages, shared, level_of_stages, "");
        let block = of_stage.over(own).over(shared.stage.clone()).over(shared.defaults.clone());
        let Some(for_each) = entry(given, FOR_EACH).filter(|_| is_own) else {
            return self.deployments(&block, given, None, shared);
        };
        let folders = Folders { directory: &self.host.directory, folder: &self.found.folder, trust: self.trust };
        let mut problems = Vec::new();
        let items = each::items(&for_each.given, &folders, &mut problems);
        self.found.problems.append(&mut problems);
        for item in items {
            let name = format!("for_each.{}", item.name);
            let own = item.options.map(|options| self.part(options, Level::Item).named(&name)).unwrap_or_default();
            let stages = item.options.and_then(|options| entry(options, "stages"));
            let of_stage = self.stage_of(stages, shared, Level::OwnStage, &format!("{name}."));
            self.deployments(&of_stage.over(own).over(block.clone()), given, Some(&item), shared);
        }
    }

    /// What the chosen stage says in the `stages` of a block or of an item. `within` is the name of the part around it.
    fn stage_of(&mut self, stages: Option<&MapEntry>, shared: &Shared<'_>, level: Level, within: &str) -> Part {
        let mut chosen = Part::default();
        let Some(stages) = stages else { return chosen };
        let Value::Map(entries) = &stages.given.value else {
            if level != Level::Stage {
                let problem = Problem::new("must be a map from the name of a stage to options").of("stages");
                self.problem(problem, &stages.given.place);
            }
            return chosen;
        };
        for MapEntry { key, place, given } in entries {
            match &shared.stages {
                None => {
                    let problem = Problem::new(format!("`{key}` is not a stage: the file has no `stages`"));
                    let help = "write `stages:` beside `deploy:`, with a `branch` for each stage";
                    self.problem(problem.of("stages").help(help), place);
                }
                Some(known) => {
                    if let Some(problem) = known.unknown(key) {
                        self.problem(problem.of("stages"), place);
                    }
                }
            }
            let part = self.part(given, level).named(&format!("{within}stages.{key}"));
            if shared.chosen == Some(key) {
                chosen = part;
            }
        }
        chosen
    }

    /// Adds the deployments of a block: one for each Region in a list.
    fn deployments(&mut self, part: &Part, given: &Given, item: Option<&Item<'_>>, shared: &Shared<'_>) {
        // Without a stage, nobody knows what is deployed. That is reported already.
        if shared.stages.is_some() && shared.chosen.is_none() {
            return;
        }
        let regions = part.layer.get("region").filter(|_| self.format == FileFormat::Own);
        let regions = match regions.map(|given| (&given.value, given.place.clone())) {
            Some((Value::List(items), place)) if items.is_empty() => {
                return self.problem(Problem::new("has no Region").of("region"), &place);
            }
            // The Region of a flag or variable counts instead of all of them.
            Some((Value::List(items), _)) if !self.strongest.contains_key("region") => items.clone(),
            Some((Value::List(items), _)) => items[..1].to_vec(),
            _ => Vec::new(),
        };
        let several = regions.len() > 1;
        let mut regions: Vec<_> = regions.into_iter().map(Some).collect();
        if regions.is_empty() {
            regions.push(None);
        }
        for region in regions {
            let name = region.as_ref().filter(|_| several).and_then(Given::as_text);
            let each = item.map(|item| format!("`each` = {}", item.name));
            let region_name = name.map(|name| format!("`region` = {name}"));
            let which = [each, region_name].into_iter().flatten().collect::<Vec<_>>().join(", ");
            let mut part = part.clone();
            part.layer.extend(region.map(|region| ("region", region)));
            self.deployment(part, given, item, which, shared.chosen);
        }
    }

    fn deployment(&mut self, part: Part, given: &Given, item: Option<&Item<'_>>, which: String, stage: Option<&str>) {
        if self.is_too_large() {
            return;
        }
        self.size += part.layer.values().map(size).sum::<usize>();
        let Part { layer, shared, on, allow_failure, by_branch, layers, has_secure_variables, origins, emptied: _ } =
            part;
        if has_secure_variables && layer.get("environment_mode").and_then(Given::as_text) == Some("replace") {
            let problem = Problem::new("would remove the variables whose encrypted values cannot be read here");
            self.problem(problem.of("environment_mode"), &layer["environment_mode"].place.clone());
        }
        let conditions = Conditions::read(on.as_ref(), self.format, by_branch).unwrap_or_else(|problems| {
            self.found.problems.extend(problems);
            Conditions::always(self.format)
        });
        let names = Names {
            stage: stage.map(str::to_owned),
            each: item.map(|item| item.name.clone()),
            each_path: item.and_then(|item| item.path.clone()),
            account: None,
        };
        self.found.blocks.push(Block {
            place: given.place.clone(),
            layer,
            shared,
            conditions,
            allow_failure: allow_failure.unwrap_or_default(),
            layers,
            names,
            unfilled: BTreeSet::new(),
            which,
            origins,
        });
    }
}

/// Whether a block is for `lambda`, perhaps with a slip of the pen. One without a provider is.
pub(super) fn names_lambda(block: &Given) -> bool {
    let provider = block.get("provider").filter(|provider| !provider.is_absent());
    let Some(name) = provider.map(|provider| provider.as_text().unwrap_or_default()) else { return true };
    is_lambda(name) || strsim::jaro_winkler(&name.to_ascii_lowercase(), "lambda") >= 0.9
}

/// The entry of a key, with dashes or underscores.
fn entry<'g>(given: &'g Given, key: &str) -> Option<&'g MapEntry> {
    match &given.value {
        Value::Map(entries) => entries.iter().find(|entry| canonical(&entry.key) == key),
        Value::Null | Value::Text(_) | Value::List(_) => None,
    }
}

/// The bytes of a value in memory, roughly.
fn size(given: &Given) -> usize {
    const OF_ITSELF: usize = 100;
    OF_ITSELF
        + match &given.value {
            Value::Null => 0,
            Value::Text(text) => text.len(),
            Value::List(items) => items.iter().map(size).sum(),
            Value::Map(entries) => entries.iter().map(|entry| OF_ITSELF + entry.key.len() + size(&entry.given)).sum(),
        }
}

/// Whether a text is the name of the provider.
pub(super) fn is_lambda(provider: &str) -> bool {
    provider.trim().eq_ignore_ascii_case("lambda")
}
