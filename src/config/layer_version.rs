//! The layer that a block publishes: the map `layer`, or a program as an `extension`.
//!
//! What is in the map has the names of the block's own options where it means the same, so it is read by the same code.

use std::collections::BTreeSet;

use super::{
    code, compiled,
    layer::{self, Given, Value},
    options::{self, Group, OPTIONS, canonical},
    read::{Pair, Reader},
    resolve::{self, Context},
};
use crate::deployment::{CodeSource, LayerDeployment, LayerKind, Single};
use crate::place::{Place, Places, Problem};
use crate::settings::{Architecture, FunctionName, Runtime, Setting, Source, Written, is_layer_name};

/// Options of the map that mean the same as in the block.
const SHARED: [&str; 5] = ["zip", "include", "exclude", "symlinks", "dot_match"];

/// Options of the block that count for its layer too.
const OF_BLOCK: [&str; 5] = ["s3_bucket", "s3_prefix", "s3_expected_owner", "s3_kms_key_arn", "ignore"];

/// Members of the map that the block has no option for.
const OWN: [&str; 5] = ["name", "description", "compatible_runtimes", "compatible_architectures", "license_info"];

/// Where a layer's files are when nobody says it.
const FOLDER: &str = "layer";

/// What extensions are for when nobody says it, as cargo-lambda has it.
const RUNTIMES_OF_EXTENSIONS: [&str; 2] = ["provided.al2", "provided.al2023"];

/// AWS' limits for a layer version. Source: the page of `PublishLayerVersion`.
const MOST_RUNTIMES: usize = 15;
const MOST_LICENSE: usize = 512;

/// How an extension runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extension {
    /// As a process of its own.
    External,
    /// In the process of the function.
    Internal,
}

/// A layer of a block, with the places of what it was made of.
pub(super) struct OfBlock {
    pub layer: LayerDeployment,
    pub places: Places,
}

/// Whether the block publishes a layer at all.
pub(super) fn is_wanted(reader: &mut Reader) -> bool {
    let refused = reader.only_text("layer").and_then(|text| super::blocks::truth(&text)) == Some(false);
    (reader.place("layer").is_some() && !refused) || extension(reader).is_some()
}

/// Whether the block publishes a layer and has no function.
pub(super) fn stands_alone(reader: &mut Reader) -> bool {
    extension(reader).is_some() || (is_wanted(reader) && reader.place("function_name").is_none())
}

fn extension(reader: &mut Reader) -> Option<Extension> {
    let text = reader.raw("extension")?;
    let internal = match super::blocks::truth(&text) {
        Some(false) => return None,
        Some(true) => false,
        None => reader.choice("extension")? == "internal",
    };
    Some(if internal { Extension::Internal } else { Extension::External })
}

/// The layer of a block; nothing where something is wrong with it, which the reader then knows.
pub(super) fn layer(reader: &mut Reader, context: &Context<'_>) -> Option<OfBlock> {
    let extension = extension(reader);
    let alone = stands_alone(reader);
    if alone {
        refuse_what_is_for_functions(reader);
    }
    let written = Map::read(reader);
    let name = written.name(reader, extension)?;
    let mut given = Reader::new(written.options(reader, alone));
    context.trust.screen(&mut given);
    reader.problems.append(&mut given.problems);
    let mut options = given.layer().clone();
    if !options.contains_key("zip")
        && let Some((option, _)) = options::find("zip")
    {
        let path = match extension {
            Some(_) => compiled::extension(&name, context.host).display().to_string(),
            None => FOLDER.to_owned(),
        };
        layer::insert(&mut options, option, None, Given::text(path, written.place.clone()));
    }
    let mut below = Reader::new(options);
    below.block.clone_from(&reader.block);
    let mut code = code::code(&mut below, context);
    code.rules.single = Single::Itself;
    code.how_to_build = None;
    let architectures = written.architectures(reader);
    if let (Some(extension), CodeSource::Path(path)) = (extension, &code.source) {
        code.how_to_build = Some(compiled::how_to_build_extension(
            extension == Extension::Internal,
            architectures.as_ref().is_some_and(|wanted| wanted.len() == 1 && wanted.contains(&Architecture::Arm64)),
        ));
        // The Extensions API wants the file's name to be the one that the program registers.
        if path.ends_with("bootstrap") {
            code.rules.single = Single::Called(name.clone());
        }
        if extension == Extension::External {
            "extensions".clone_into(&mut code.rules.into);
        }
    }
    let function: Option<FunctionName> = if alone { None } else { reader.setting("function_name") };
    let runtimes = written.runtimes(reader);
    let of_extensions = || extension.map(|_| RUNTIMES_OF_EXTENSIONS.into_iter().map(str::to_owned).collect());
    let layer = LayerDeployment {
        name,
        target: resolve::target(reader, function.as_ref(), context),
        code,
        kind: if extension.is_some() { LayerKind::Extension } else { LayerKind::Files },
        description: match written.text("description", reader) {
            Some(text) => resolve::described(reader, "layer", &text, context),
            None => resolve::default_version_description(context.build),
        },
        compatible_runtimes: runtimes.or_else(of_extensions),
        compatible_architectures: architectures,
        license_info: written.license(reader),
        wait_timeout: resolve::wait_timeout(reader, resolve::WAIT_TIMEOUT),
    };
    let mut places = reader.places();
    places.extend(below.places());
    // What names no option of its own is about the layer.
    if places.of("function_name").is_none() {
        places.note("function_name", written.place);
    }
    reader.problems.append(&mut below.problems);
    reader.warnings.append(&mut below.warnings);
    reader.problems.is_empty().then_some(OfBlock { layer, places })
}

/// Nothing would come of an option that is for a function, where the block has none.
fn refuse_what_is_for_functions(reader: &mut Reader) {
    // A flag beside several blocks is meant for those that have a function.
    let alone = reader.block.is_none();
    let is_meant = |place: &Place| place.in_file().is_some() || (alone && matches!(place, Place::Flag(_)));
    for option in OPTIONS.iter().filter(|option| matches!(option.group, Group::Function | Group::Release)) {
        let here = reader.place(option.name).is_some_and(|place| is_meant(&place));
        if here && !matches!(option.name, "function_name" | "layer" | "extension") {
            let problem = reader.wrong(option.name, "is for a function, and this block publishes a layer alone");
            problem.help = Some("what the layer is for stands in the map `layer`".to_owned());
        }
    }
}

/// The map as it was written.
struct Map {
    pairs: Vec<Pair>,
    place: Place,
}

impl Map {
    /// A text alone is the layer's name.
    fn read(reader: &mut Reader) -> Self {
        let name = reader.only_text("layer").filter(|text| is_layer_name(text));
        let place = reader.place("layer").or_else(|| reader.place("extension"));
        let place = place.unwrap_or_else(|| Place::Flag("--layer".to_owned()));
        let pairs = match name {
            Some(name) => {
                let value = Some(Given::text(name, place.clone()));
                vec![Pair { key: "name".to_owned(), value, place: place.clone() }]
            }
            None => reader.map("layer").unwrap_or_default(),
        };
        let mut known = Vec::new();
        for pair in pairs {
            if let Some(key) = key(&pair.key) {
                known.push(Pair { key: key.to_owned(), ..pair });
            } else {
                reader.problems.push(unknown(&pair));
            }
        }
        Self { pairs: known, place }
    }

    fn pair(&self, key: &str) -> Option<&Pair> {
        self.pairs.iter().rfind(|pair| pair.key == key && pair.value.is_some())
    }

    fn wrong(&self, reader: &mut Reader, key: &str, message: impl std::fmt::Display) {
        let place = self.pair(key).map_or(&self.place, |pair| &pair.place);
        reader.problems.push(Problem::new(format!("`{key}` {message}")).of("layer").at(place));
    }

    fn text(&self, key: &str, reader: &mut Reader) -> Option<String> {
        let given = self.pair(key)?.value.clone()?;
        let text = given.as_text().map(|text| text.trim().to_owned());
        if text.is_none() {
            self.wrong(reader, key, "must be one value, not a list or a map");
        }
        text.filter(|text| !text.is_empty())
    }

    /// A list; a text is split at commas and line ends.
    fn list(&self, key: &str, reader: &mut Reader) -> Option<Vec<String>> {
        let given = self.pair(key)?.value.clone()?;
        let items = match &given.value {
            Value::List(items) => items.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
            Value::Text(text) => Some(text.split([',', '\n']).map(str::to_owned).collect()),
            Value::Null | Value::Map(_) => None,
        };
        let Some(items): Option<Vec<String>> = items else {
            self.wrong(reader, key, "must be a list of texts");
            return None;
        };
        Some(items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
    }

    fn name(&self, reader: &mut Reader, extension: Option<Extension>) -> Option<String> {
        let of_function = |reader: &mut Reader| {
            let function: FunctionName = reader.setting("function_name").filter(|_| extension.is_some())?;
            Some(function.name)
        };
        let Some(name) = self.text("name", reader).or_else(|| of_function(reader)) else {
            let problem = Problem::new("the layer has no name").of("layer").at(&self.place);
            reader.problems.push(problem.help("set it in the map: `layer: {name: deps, zip: layer}`"));
            return None;
        };
        if !is_layer_name(&name) {
            let message = format!("is `{name}`, and a layer's name has up to 140 letters, digits, `-` and `_`");
            self.wrong(reader, "name", message);
        }
        Some(name)
    }

    /// What the code of the layer is read from: what stands in the map over what the block has for it.
    fn options(&self, reader: &Reader, alone: bool) -> layer::Layer {
        let inherited = OF_BLOCK.iter().chain(SHARED.iter().chain(&["s3_key"]).filter(|_| alone));
        let mut below: layer::Layer =
            inherited.filter_map(|name| Some((*name, reader.layer().get(*name)?.clone()))).collect();
        for name in SHARED {
            if let (Some(pair), Some((option, _))) = (self.pair(name), options::find(name))
                && let Some(given) = &pair.value
            {
                layer::insert(&mut below, option, None, given.clone());
            }
        }
        below
    }

    fn runtimes(&self, reader: &mut Reader) -> Option<BTreeSet<String>> {
        let names = self.list("compatible_runtimes", reader)?;
        for name in &names {
            if let Err(message) = Runtime::parse(&Written::Text(name.clone())) {
                self.wrong(reader, "compatible_runtimes", format!("has a mistake: {message}"));
            }
        }
        if names.len() > MOST_RUNTIMES {
            self.wrong(reader, "compatible_runtimes", format!("has {} items, AWS accepts at most 15", names.len()));
        }
        Some(names.into_iter().collect())
    }

    fn architectures(&self, reader: &mut Reader) -> Option<BTreeSet<Architecture>> {
        let mut known = BTreeSet::new();
        for name in self.list("compatible_architectures", reader)? {
            match Architecture::parse(&Written::Text(name)) {
                Ok(architecture) => drop(known.insert(architecture)),
                Err(message) => self.wrong(reader, "compatible_architectures", message),
            }
        }
        Some(known)
    }

    fn license(&self, reader: &mut Reader) -> Option<String> {
        let text = self.text("license_info", reader)?;
        if text.chars().count() > MOST_LICENSE {
            self.wrong(reader, "license_info", format!("is longer than the {MOST_LICENSE} characters that AWS takes"));
        }
        Some(text)
    }
}

/// A key that nobody knows, with the one that is probably meant.
fn unknown(pair: &Pair) -> Problem {
    let nearness = |key: &str| strsim::jaro_winkler(key, &canonical(&pair.key));
    let keys: Vec<_> = OWN.into_iter().chain(SHARED).collect();
    let near = keys.iter().filter(|key| nearness(key) > 0.8).max_by(|a, b| nearness(a).total_cmp(&nearness(b)));
    let problem = Problem::new(format!("has no key `{}`", pair.key)).of("layer").at(&pair.place);
    problem.help(
        near.map_or_else(|| format!("its keys are {}", keys.join(", ")), |near| format!("did you mean `{near}`?")),
    )
}

/// The key that is meant; the API's own names are known too.
fn key(written: &str) -> Option<&'static str> {
    let plain = |text: &str| canonical(text).replace('_', "");
    let written = plain(written);
    let mut keys = OWN.into_iter().chain(SHARED);
    match written.as_str() {
        "layername" => Some("name"),
        "source" | "content" => Some("zip"),
        _ => keys.find(|key| plain(key) == written),
    }
}
