//! The layer that a block publishes: the map `layer`, or a program as an `extension`.
//!
//! Some keys of the map are options of their own, such as `zip`. They are read by the code of these options.

use std::collections::BTreeSet;

use super::{
    code, compiled,
    context::Context,
    description,
    extension::{Extension, extension, stands_alone},
    layer::{self, Form, Given, Layer, MapEntry, Value},
    options::{self, Group, OPTIONS, canonical, same_key},
    read::{Pair, Reader},
    resolve, structure, target,
};
use crate::deployment::{Code, CodeSource, LayerDeployment, LayerKind, Single};
use crate::place::{Place, Places, Problem};
use crate::settings::{Architecture, FunctionName, Setting, Source, Structure, Written, is_layer_name, shapes};

/// Keys of the map that are options of a block too.
const SHARED: [&str; 7] = ["zip", "include", "exclude", "symlinks", "dot_match", "repack", "compression"];

/// Options of the block that its layer uses too.
const OF_BLOCK: [&str; 5] = ["s3_bucket", "s3_prefix", "s3_expected_owner", "s3_kms_key_arn", "ignore"];

/// The default folder of a layer's files.
const FOLDER: &str = "layer";

/// The default runtimes of an extension, as in cargo-lambda.
const RUNTIMES_OF_EXTENSIONS: [&str; 2] = ["provided.al2", "provided.al2023"];

/// The layer of a block, with the places of its options.
pub(super) struct OfBlock {
    pub layer: LayerDeployment,
    pub places: Places,
}

/// The layer of a block; `None` after an error, which the reader then has.
pub(super) fn layer(reader: &mut Reader, context: &Context<'_>) -> Option<OfBlock> {
    let extension = extension(reader);
    let alone = stands_alone(reader);
    if alone {
        refuse_options_of_functions(reader);
    }
    let written = written(reader);
    let map = structure::read("layer", &written, &shapes::LAYER, &mut reader.problems);
    let map = Structure(map.unwrap_or_default());
    let name = name(reader, &map, extension, &written.place)?;
    let architectures = architectures(&map);
    let arm = architectures.as_ref().is_some_and(|wanted| wanted.len() == 1 && wanted.contains(&Architecture::Arm64));
    let mut options = options_of_code(reader, &written, alone);
    reader.problems.extend(context.trust.screen(&mut options));
    if let Some(option) = options::find("zip").filter(|option| !options.contains_key(option.name)) {
        let path = match extension {
            Some(_) => compiled::extension(&name, context),
            None => context.folder.join(FOLDER),
        };
        layer::insert(&mut options, option, Given::text(path.display().to_string(), written.place.clone()));
    }
    let mut options = Reader::new(options);
    options.block.clone_from(&reader.block);
    let code = code(&mut options, &name, extension, arm, context);
    let function: Option<FunctionName> = if alone { None } else { reader.setting("function_name") };
    let layer = LayerDeployment {
        target: target::target(reader, function.as_ref(), context),
        code,
        kind: if extension.is_some() { LayerKind::Extension } else { LayerKind::Files },
        description: match map.text("Description") {
            Some(text) => description::filled(reader, "layer", &text, context),
            None => description::of_build(context.build),
        },
        compatible_runtimes: runtimes(&map, extension),
        compatible_architectures: architectures,
        license_info: map.text("LicenseInfo"),
        borrowed: reader.references.borrowed.clone(),
        wait_timeout: resolve::wait_timeout(reader, resolve::WAIT_TIMEOUT),
        name,
    };
    let mut places = reader.places();
    places.extend(options.places());
    // A problem without an option of its own is about the layer.
    if places.of("function_name").is_none() {
        places.note("function_name", written.place);
    }
    reader.problems.append(&mut options.problems);
    reader.warnings.append(&mut options.warnings);
    reader.problems.is_empty().then_some(OfBlock { layer, places })
}

/// Whether an option has no meaning for a layer.
pub(super) fn is_for_functions(name: &str) -> bool {
    let group = options::find(name).map(|option| option.group);
    matches!(group, Some(Group::Function | Group::Release)) && !matches!(name, "function_name" | "layer" | "extension")
}

/// Options for functions have no effect in a block without a function.
fn refuse_options_of_functions(reader: &mut Reader) {
    // With several blocks, a flag is for those with a function.
    let is_only_deployment = reader.block.is_none();
    let is_for_block =
        |place: &Place| place.in_file().is_some() || (is_only_deployment && matches!(place, Place::Flag(_)));
    for option in OPTIONS.iter().filter(|option| is_for_functions(option.name)) {
        if reader.place(option.name).is_some_and(|place| is_for_block(&place)) {
            let problem = reader.wrong(option.name, "is for a function, and this block publishes only a layer");
            problem.help = Some("write the options of the layer into the map `layer`".to_owned());
        }
    }
}

/// The map as it was written, with one name for each key. A text alone is the name of the layer.
fn written(reader: &mut Reader) -> Given {
    let place = reader.place("layer").or_else(|| reader.place("extension"));
    let place = place.unwrap_or_else(|| Place::Flag("--layer".to_owned()));
    if let Some(name) = reader.only_text("layer").filter(|text| is_layer_name(text)) {
        return Given::text(name, place);
    }
    let pairs = reader.map("layer").unwrap_or_default();
    let entry = |Pair { key, value, place }| {
        let key = match canonical(&key).replace('_', "").as_str() {
            "layername" => "name".to_owned(),
            "source" | "content" => "zip".to_owned(),
            _ => key,
        };
        let given = value.filter(|given: &Given| !given.is_absent());
        let nothing = || Given { value: Value::Null, place: place.clone(), form: Form::Text };
        MapEntry { key, given: given.unwrap_or_else(nothing), place }
    };
    Given { value: Value::Map(pairs.into_iter().map(entry).collect()), place, form: Form::Text }
}

fn name(reader: &mut Reader, map: &Structure, extension: Option<Extension>, place: &Place) -> Option<String> {
    let of_function = |reader: &mut Reader| {
        let function: FunctionName = reader.setting("function_name").filter(|_| extension.is_some())?;
        Some(function.name)
    };
    let name = map.text("Name").or_else(|| of_function(reader));
    if name.is_none() {
        let problem = Problem::new("the layer has no name").of("layer").at(place);
        reader.problems.push(problem.help("set it in the map: `layer: {name: deps, zip: layer}`"));
    }
    name
}

/// The options about the layer's code: those of the map, and some of the block.
fn options_of_code(reader: &Reader, written: &Given, alone: bool) -> Layer {
    let of_block = OF_BLOCK.iter().chain(SHARED.iter().chain(&["s3_key"]).filter(|_| alone));
    let mut options: Layer = of_block.filter_map(|name| Some((*name, reader.layer().get(*name)?.clone()))).collect();
    let Value::Map(entries) = &written.value else { return options };
    for option in SHARED.into_iter().filter_map(options::find) {
        if let Some(entry) = entries.iter().find(|entry| same_key(&entry.key, option.name)) {
            layer::insert(&mut options, option, entry.given.clone());
        }
    }
    options
}

fn code(options: &mut Reader, name: &str, extension: Option<Extension>, arm: bool, context: &Context<'_>) -> Code {
    let mut code = code::code(options, context);
    code.rules.single = Single::Itself;
    code.how_to_build = None;
    if let (Some(extension), CodeSource::Path(path)) = (extension, &code.source) {
        code.how_to_build = Some(compiled::how_to_build_extension(extension == Extension::Internal, arm));
        // The Extensions API requires that the program registers under the name of its file.
        if path.ends_with("bootstrap") {
            code.rules.single = Single::Called(name.to_owned());
        }
        if extension == Extension::External {
            "extensions".clone_into(&mut code.rules.into);
        }
    }
    code
}

fn runtimes(map: &Structure, extension: Option<Extension>) -> Option<BTreeSet<String>> {
    let of_extension = || extension.map(|_| RUNTIMES_OF_EXTENSIONS.map(str::to_owned).to_vec());
    let names = map.texts("CompatibleRuntimes").or_else(of_extension)?;
    Some(names.into_iter().collect())
}

fn architectures(map: &Structure) -> Option<BTreeSet<Architecture>> {
    let names = map.texts("CompatibleArchitectures")?;
    Some(names.into_iter().filter_map(|name| Architecture::parse(&Written::Text(name)).ok()).collect())
}
