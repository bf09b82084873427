//! From all sources to what the configuration says: which blocks count, and what each of them means.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{
    after_failure::AfterFailure,
    blocks::{self, Block, Blocks},
    by_branch::matches,
    cargo_lambda, code,
    context::Context,
    dry_run::DryRun,
    env, extension,
    fill::{self, Texts},
    half,
    layer::{self, Given, Layer},
    layer_version::{self, OfBlock},
    loaded::{Entry, Loaded, Title},
    network::Certificates,
    occasion::Occasion,
    options, order,
    part::all_texts,
    paths,
    read::Reader,
    render::Rendered,
    reports::Reports,
    request::{Request, Syntax},
    resolve,
    run_options::{self, RunOptions},
    sought::Values,
    subject,
    trust::Trust,
    twice,
};
use crate::deployment::{CodeSource, Deployment, Half, Item};
use crate::host::{Build, Ci, Host};
use crate::place::{Problem, Skip};
use crate::settings::Secret;
use crate::verb::Purpose;

/// Reads all sources and resolves them. `values` are those of the references that the first load found.
pub(crate) fn load(request: &Request, host: &Host, ci: Ci, values: Option<&Values>) -> Loaded {
    let mut loaded = Loaded::default();
    let mut build = Build::of(host, ci);
    let layers = Layers::read(&request.flags, host, &mut loaded);
    let strongest = layer::merge(&layers.above_file);
    let occasion = Occasion::of(&mut build, request, &strongest, host, &mut loaded.warnings);
    let trust = Trust::of(&strongest, host, ci);
    let mut file = match request.syntax {
        Syntax::DplArguments | Syntax::DplProgram if !strongest.contains_key("config") => Blocks::default(),
        Syntax::Own | Syntax::DplArguments | Syntax::DplProgram => {
            blocks::read(&strongest, host, build.branch.as_deref(), &trust)
        }
    };
    loaded.problems.append(&mut file.problems);
    loaded.warnings.append(&mut file.warnings);
    loaded.problems.extend(stage_without_stages(&file, &strongest, &loaded.problems));
    let mut context = Context {
        host,
        ci,
        build: &build,
        purpose: request.purpose,
        folder: if file.blocks.is_empty() { PathBuf::new() } else { file.folder.clone() },
        never: file.path.iter().map(|path| host.directory.join(path)).collect(),
        trust,
        values,
        fallback_region: (request.syntax == Syntax::DplProgram).then(|| "us-east-1".to_owned()),
        certificates: Certificates::default(),
        after_failure: AfterFailure::default(),
    };

    let mut found = Reports::default();
    let layers = layers.with_variables(&context, &mut loaded);
    let (wanted, layers) = choice(&file.blocks, layers);
    for block in &mut file.blocks {
        settle(block, file.is_own, &file.folder, &layers, &context, &mut found, &mut loaded);
    }
    let chosen = choose(&file.blocks, wanted.as_ref(), &mut loaded.problems);
    let reasons = reasons_to_skip(&chosen, &layers, &occasion, &context, &mut loaded);
    let of_run = chosen.iter().zip(&reasons).find(|(_, reason)| reason.is_none()).map(|(block, _)| *block);
    let of_run = of_run.or(chosen.first().copied()).map(|block| &block.layer);
    let has_errors = !loaded.problems.is_empty();
    loaded.run = RunOptions::read(layers.with(of_run), &context, &mut loaded.problems);
    context.after_failure = loaded.run.after_failure;
    if file.blocks.is_empty() {
        let options = layers.with_manifest(None, &context, &mut loaded.warnings);
        without_blocks(file.path.as_deref(), has_errors, options, &context, &mut loaded);
    }
    let several = chosen.len() > 1;
    let mut of_entries = Vec::new();
    for (block, reason) in chosen.into_iter().zip(reasons) {
        if let Some(reason) = reason {
            loaded.skipped.push(named(reason, block));
            continue;
        }
        let mut options = layers.with_manifest(Some(&block.layer), &context, &mut loaded.warnings);
        if let Some(reason) = no_layer_for_settings(block, &options) {
            loaded.skipped.push(named(reason, block));
            continue;
        }
        let is_given = |option: &str| options.contains_key(option);
        if matches!(context.purpose, Purpose::Deploy | Purpose::Plan | Purpose::Check | Purpose::Render) {
            loaded.warnings.extend(block.conditions.without_value(context.build, is_given));
        }
        if several && block.layer.contains_key("layer") && !block.layer.contains_key("function_name") {
            drop_options_of_functions(&mut options, &block.layer);
        }
        // These verbs see blocks together that no build deploys together.
        let may_be_alone = matches!(context.purpose, Purpose::Check | Purpose::Render) && block.conditions.are_own();
        let own = may_be_alone.then(|| run_options::after_failure_of(&options, &context));
        context.after_failure = own.unwrap_or(loaded.run.after_failure);
        found.of_block(block, &mut loaded, |loaded| resolve_block(options, Some(block), &context, loaded));
        of_entries.resize(loaded.entries.len(), block);
    }
    let functions = of_entries.iter().zip(&loaded.entries);
    let functions: Vec<_> = functions.filter_map(|(block, entry)| Some((*block, entry.item.function()?))).collect();
    let (errors, warnings) =
        twice::problems(&functions, request.purpose, loaded.run.after_failure).into_iter().partition(Problem::stops);
    loaded.problems.extend::<Vec<_>>(errors);
    loaded.warnings.extend::<Vec<_>>(warnings);
    found.report(&mut loaded);
    order::arrange(&file.blocks, &of_entries, &mut loaded);
    loaded.problems.sort();
    loaded.problems.dedup();
    loaded.warnings.sort();
    loaded.warnings.dedup();
    mark_twins(&mut loaded.entries);
    name_regions(&mut loaded.skipped);
    loaded.stage = file.stage;
    loaded.build = build;
    loaded
}

/// Marks the entries whose name another one has in another Region.
fn mark_twins(entries: &mut [Entry]) {
    let name = |entry: &Entry| (entry.item.layer().is_some(), entry.item.name().to_owned());
    let names: Vec<_> = entries.iter().map(|entry| (name(entry), entry.item.target().region.clone())).collect();
    for (entry, (own, here)) in entries.iter_mut().zip(&names) {
        entry.has_twin = names.iter().any(|(name, region)| name == own && region != here);
    }
}

/// Leaves the Region of a skipped block only if another one has the same name in another Region.
fn name_regions(skipped: &mut [Skip]) {
    let name = |skip: &Skip| (skip.function.clone(), skip.layer.clone());
    let names: Vec<_> = skipped.iter().map(|skip| (name(skip), skip.region.clone())).collect();
    for (skip, (own, here)) in skipped.iter_mut().zip(&names) {
        skip.region.take_if(|_| !names.iter().any(|(name, region)| name == own && region != here));
    }
}

/// The sources of options besides the file.
struct Layers {
    /// Those that override the file, the strongest first.
    above_file: Vec<Layer>,
    /// Those that the file overrides, the strongest first.
    below_file: Vec<Layer>,
}

impl Layers {
    fn read(flags: &Layer, host: &Host, loaded: &mut Loaded) -> Self {
        loaded.problems.extend(env::unreadable(host));
        let own_variables = env::addressed(host, &mut loaded.problems, &mut loaded.warnings);
        Self {
            above_file: std::iter::once(flags.clone()).chain(own_variables).collect(),
            below_file: env::ambient(host, &mut loaded.warnings),
        }
    }

    /// The same sources with the values of variables that they name.
    fn with_variables(mut self, context: &Context<'_>, loaded: &mut Loaded) -> Self {
        for layer in self.above_file.iter_mut().chain(&mut self.below_file) {
            let mut found = fill::variables(layer, context);
            loaded.problems.append(&mut found.problems);
            loaded.secrets.append(&mut found.secrets);
        }
        self
    }

    /// The same sources, of which none above the file has this option.
    fn without(mut self, option: &str) -> Self {
        self.above_file.iter_mut().for_each(|layer| drop(layer.remove(option)));
        self
    }

    /// The options that count with those of a block in their place.
    fn with(&self, block: Option<&Layer>) -> Layer {
        self.with_both(block, None)
    }

    /// The same, with the options of cargo-lambda beneath the block.
    fn with_manifest(&self, block: Option<&Layer>, context: &Context<'_>, warnings: &mut Vec<Problem>) -> Layer {
        let options = self.with(block);
        let beneath = cargo_lambda::beneath(&options, context, warnings);
        if beneath.is_empty() { options } else { self.with_both(block, Some(&beneath)) }
    }

    fn with_both(&self, block: Option<&Layer>, beneath: Option<&Layer>) -> Layer {
        let layers = self.above_file.iter().chain(block).chain(beneath).chain(&self.below_file);
        layer::merge(&layers.cloned().collect::<Vec<_>>())
    }
}

/// Flags and variables can describe the one deployment of a run. A file without blocks is then no error.
fn without_blocks(file: Option<&Path>, has_errors: bool, options: Layer, context: &Context<'_>, loaded: &mut Loaded) {
    let names_something = ["function_name", "layer", "extension"].iter().any(|name| options.contains_key(name));
    let needs_no_name = matches!(context.purpose, Purpose::Package | Purpose::Region);
    match file {
        // After an error in the file, nobody knows whether a name is missing.
        Some(_) if !names_something && has_errors => {}
        Some(file) if !names_something && !needs_no_name => {
            let message = format!("`{}` has no deployment for the provider `lambda`", file.display());
            loaded.problems.push(
                Problem::new(message)
                    .of("deploy")
                    .help("add a `deploy:` block with `provider: lambda`, or name the function with `--function_name`"),
            );
        }
        _ => resolve_block(options, None, context, loaded),
    }
}

/// The error about a stage for a file that has no stages.
fn stage_without_stages(file: &Blocks, strongest: &Layer, problems: &[Problem]) -> Option<Problem> {
    let stage = strongest.get("stage")?;
    // After an error in the file, nobody knows its stages.
    if file.stage.is_some() || !problems.is_empty() {
        return None;
    }
    let message = match &file.path {
        Some(path) => format!("chooses a stage, and `{}` has no `stages`", path.display()),
        None => "chooses a stage, and there is no file with `stages`".to_owned(),
    };
    Some(Problem::new(message).of("stage").at(&stage.place))
}

/// Fills in the texts of a block and the values of variables, and makes its paths relative to the working directory.
fn settle(
    block: &mut Block,
    is_own: bool,
    folder: &Path,
    layers: &Layers,
    context: &Context<'_>,
    found: &mut Reports,
    loaded: &mut Loaded,
) {
    let mut merged = layers.with(Some(&block.layer));
    if extension::stands_alone(&mut Reader::new(merged.clone())) {
        // `defaults` are also for the functions of the file.
        let is_left = |name: &str| !block.shared.contains(name) || !layer_version::is_for_functions(name);
        block.layer.retain(|name, _| is_left(name));
        merged = layers.with(Some(&block.layer));
    }
    let texts = if is_own { Texts::Filled } else { Texts::Taken };
    let mut filled = fill::block(&mut block.layer, &merged, &mut block.names, texts, context);
    loaded.secrets.append(&mut filled.secrets);
    block.layers.retain(|text| !text.contains("%{"));
    block.layer.get("layers").into_iter().for_each(|given| all_texts(given, &mut block.layers));
    found.of_block(block, loaded, |loaded| loaded.problems.append(&mut filled.problems));
    block.unfilled = filled.failed;
    for (name, given) in &mut block.layer {
        if let Some(option) = options::find(name) {
            *given = paths::from_here(option, given.clone(), folder);
        }
    }
}

/// The name or glob of names that chooses among the blocks, and the sources without it: each block has a name of its own.
/// `None` if a flag or variable names no function, or if the only block gets the name.
fn choice(all: &[Block], layers: Layers) -> (Option<Given>, Layers) {
    let wanted = layers.above_file.iter().find_map(|layer| layer.get("function_name")).cloned();
    let is_choice = |wanted: &Given| {
        let is_glob = wanted.as_text().is_some_and(|text| text.contains(['*', '?', '[']));
        all.len() > 1 || all.iter().any(|block| block.names.each.is_some()) || (is_glob && !all.is_empty())
    };
    match wanted.filter(is_choice) {
        Some(wanted) => (Some(wanted), layers.without("function_name")),
        None => (None, layers),
    }
}

/// The blocks that count.
fn choose<'a>(all: &'a [Block], wanted: Option<&Given>, problems: &mut Vec<Problem>) -> Vec<&'a Block> {
    let Some(wanted) = wanted else { return all.iter().collect() };
    let text = wanted.as_text().unwrap_or_default().trim();
    let name = |block: &Block| block.text("function_name").map(str::trim).map(str::to_owned);
    let fits = |block: &&Block| name(block).is_some_and(|name| matches(text, &name));
    let chosen: Vec<_> = all.iter().filter(fits).collect();
    // A name that could not be filled in may be the one.
    if chosen.is_empty() && !all.iter().any(|block| block.unfilled.contains("function_name")) {
        let mut names: Vec<_> = all.iter().filter_map(name).map(|name| format!("`{name}`")).collect();
        names.dedup();
        let problem = Problem::new(format!("no block is for `{text}`")).of("function_name").at(&wanted.place);
        problems.push(problem.help(format!("the blocks are for {}", names.join(", "))));
    }
    chosen
}

/// For each block, why this build skips it; `None` if it does not.
fn reasons_to_skip(
    blocks: &[&Block],
    layers: &Layers,
    occasion: &Occasion<'_>,
    context: &Context<'_>,
    loaded: &mut Loaded,
) -> Vec<Option<Skip>> {
    let mut reasons = Vec::new();
    for block in blocks {
        let options = layers.with(Some(&block.layer));
        let reason = occasion.reason_to_skip(block, &options, context.purpose, &mut loaded.preview);
        reasons.push(reason.unwrap_or_else(|problem| {
            loaded.problems.push(problem);
            None
        }));
    }
    if matches!(context.purpose, Purpose::Deploy | Purpose::Plan) {
        skip_layers_without_functions(blocks, &mut reasons);
    }
    reasons
}

/// A layer without conditions of its own is published if one of its functions is deployed. If no block uses the layer by
/// name, all functions of the file count as its functions.
fn skip_layers_without_functions(blocks: &[&Block], reasons: &mut [Option<Skip>]) {
    // By layer, whether a function with it is deployed. Under `None`, whether any function is.
    let mut is_deployed: BTreeMap<Option<&str>, bool> = BTreeMap::new();
    for (block, reason) in blocks.iter().zip(&*reasons).filter(|(block, _)| block.layer_alone().is_none()) {
        for name in block.names_of_layers().map(Some).chain([None]) {
            *is_deployed.entry(name).or_default() |= reason.is_none();
        }
    }
    for (block, reason) in blocks.iter().zip(reasons) {
        let Some(layer) = block.layer_alone().filter(|_| !block.conditions.are_own()) else { continue };
        if reason.is_none() && is_deployed.get(&Some(layer)).or_else(|| is_deployed.get(&None)) == Some(&false) {
            let message = "is not set, so the layer is published with its functions, and all of them are skipped; \
                           `on: {all_branches: true}` publishes it by itself";
            *reason = Some(Skip {
                function: None,
                layer: None,
                region: None,
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

/// With `only: settings` outside of the block, a run publishes no layer.
fn no_layer_for_settings(block: &Block, options: &Layer) -> Option<Skip> {
    let only = options.get("only").filter(|_| block.layer_alone().is_some() && !block.layer.contains_key("only"))?;
    let word = only.as_text()?.trim().to_ascii_lowercase();
    (word == "settings").then(|| Skip {
        function: None,
        layer: None,
        region: None,
        option: "only".to_owned(),
        wanted: vec!["code".to_owned()],
        found: Some(word),
        message: "is `settings`, and a layer has none".to_owned(),
        place: Some(only.place.clone()),
        in_travis_words: None,
    })
}

/// A reason to skip with the names of its block.
fn named(reason: Skip, block: &Block) -> Skip {
    let layer = block.layer_alone().map(str::to_owned);
    let function = block.text("function_name").filter(|_| layer.is_none()).map(str::to_owned);
    let region = block.text("region").map(str::to_owned);
    Skip { function, layer, region, place: reason.place.or_else(|| Some(block.place.clone())), ..reason }
}

/// With several blocks, flags and variables about code and settings are for the functions. The block of a layer has only
/// its own.
fn drop_options_of_functions(options: &mut Layer, own: &Layer) {
    for option in options::OPTIONS {
        if !matches!(option.group, options::Group::Target | options::Group::Run) {
            options.remove(option.name);
            options.extend(own.get(option.name).map(|given| (option.name, given.clone())));
        }
    }
}

/// Resolves the options of a block as far as the verb needs it.
fn resolve_block(options: Layer, block: Option<&Block>, context: &Context<'_>, loaded: &mut Loaded) {
    let names = block.map(|block| block.names.clone()).unwrap_or_default();
    let mut reader = context.reader_of_deployment(options, names);
    reader.block = block.map(|block| block.place.clone());
    for name in ["access_key_id", "secret_access_key", "session_token", "comment_token"] {
        loaded.secrets.extend(reader.raw(name).map(Secret::new));
    }
    let dry_run = DryRun::read(&mut reader);
    let cleanup = reader.flag("cleanup");
    let alone = extension::stands_alone(&mut reader);
    match context.purpose {
        Purpose::Package if alone => {
            let layer = layer_version::layer(&mut reader, context);
            let titled = |OfBlock { layer, places }: OfBlock| {
                let title = Title { name: format!("layer {}", layer.name), region: layer.target.region };
                (Some(title), layer.code, places)
            };
            loaded.packages.extend(layer.map(titled));
        }
        Purpose::Package => {
            let code = code::code(&mut reader, context);
            let region = reader.raw("region");
            let title = reader.raw("function_name").map(|name| Title { name, region });
            loaded.packages.push((title, code, reader.places()));
        }
        Purpose::Render => {
            let origins = block.map(|block| block.origins.clone()).unwrap_or_default();
            loaded.rendered.push(Rendered::of(&reader, origins, context));
            if extension::is_wanted(&mut reader) {
                layer_version::layer(&mut reader, context);
            }
            if !alone {
                resolve::deployment(&mut reader, context);
            }
            resolve::commands(&mut reader, context);
        }
        // The verbs for live functions have nothing to do with layers.
        Purpose::Live if alone => {}
        Purpose::Live => loaded.subjects.extend(subject::subject(&mut reader, dry_run, context)),
        Purpose::Region => loaded.regions.extend(subject::access(&mut reader, None, context)),
        Purpose::Deploy | Purpose::Plan | Purpose::Check => {
            let allow_failure = block.is_some_and(|block| block.allow_failure);
            let commands = resolve::commands(&mut reader, context);
            let before = loaded.entries.len();
            let entry = |item, places, after, commands| Entry {
                item,
                number: 0,
                in_file: 0,
                has_twin: false,
                after,
                places,
                allow_failure,
                dry_run,
                cleanup,
                commands,
            };
            if alone {
                order::refuse(&mut reader);
            }
            if extension::is_wanted(&mut reader)
                && (alone || half::of(&mut reader) != Some(Half::Settings))
                && let Some(OfBlock { layer, places }) = layer_version::layer(&mut reader, context)
            {
                let commands = if alone { commands.clone() } else { Vec::new() };
                let item = Item::Layer(Box::new(layer));
                loaded.entries.push(entry(item, places, Vec::new(), commands));
            }
            if !alone && let Some(deployment) = resolve::deployment(&mut reader, context) {
                let places = reader.places();
                if let Some(skip) = unread_code(&deployment, &reader).filter(|_| context.purpose != Purpose::Check) {
                    loaded.skipped.push(skip);
                } else {
                    let item = Item::Function(Box::new(deployment));
                    let mut after = order::read(&mut reader);
                    // A text that was not filled in has an error already, and names nothing.
                    after.retain(|after| block.is_none_or(|block| !block.unfilled.contains(after.option)));
                    loaded.entries.push(entry(item, places, after, commands));
                }
            }
            let last = loaded.entries.len().saturating_sub(1);
            let item = loaded.entries.get(before).map(|entry| &entry.item);
            loaded.sought.extend(item.into_iter().flat_map(|item| reader.references.sought(item, last)));
        }
    }
    loaded.secrets.append(&mut reader.secrets);
    loaded.taken.append(&mut reader.taken);
    loaded.values.append(&mut reader.values);
    loaded.problems.append(&mut reader.problems);
    loaded.warnings.append(&mut reader.warnings);
}

/// Why a block is skipped whose code is elsewhere and is not read in this build; `None` if it is not.
fn unread_code(deployment: &Deployment, reader: &Reader) -> Option<Skip> {
    let CodeSource::Unread { option, reference } = &deployment.code.source else { return None };
    (!reader.references.seeks(option)).then(|| Skip {
        function: Some(deployment.function.name.clone()),
        layer: None,
        region: None,
        option: (*option).to_owned(),
        wanted: Vec::new(),
        found: None,
        message: format!("is `{reference}`, which is not read in the build of a pull request"),
        place: reader.place(option),
        in_travis_words: None,
    })
}
