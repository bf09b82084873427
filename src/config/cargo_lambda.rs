//! What `cargo lambda deploy` reads from `Cargo.toml`, for functions that cargo-lambda built: a layer beneath the block.
//!
//! Source: `crates/cargo-lambda-metadata` in cargo-lambda/cargo-lambda. A program's own table, in
//! `metadata.lambda.bin.NAME`, replaces that of its package. Both replace single values of the workspace, and those the
//! values of `CargoLambda.toml`.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml_edit::{Document, Item, TableLike, Value as Toml};

use super::{
    compiled,
    context::Context,
    layer::{self, Form, Given, Layer, MapEntry, Value},
    options, paths,
    read::Reader,
};
use crate::files;
use crate::place::{Place, Problem};

/// Names of cargo-lambda with the options that mean the same.
const SAME: &[(&str, &str)] = &[
    ("name", "function_name"),
    ("region", "region"),
    ("alias", "alias"),
    ("memory", "memory_size"),
    ("timeout", "timeout"),
    ("tracing", "tracing_mode"),
    ("role", "role"),
    ("iam_role", "role"),
    ("runtime", "runtime"),
    ("description", "version_description"),
    ("log_retention", "log_retention_days"),
    ("layer", "layers"),
    ("layers", "layers"),
    ("tag", "function_tags"),
    ("tags", "function_tags"),
    ("env_file", "env_file"),
    ("s3_bucket", "s3_bucket"),
    ("s3_key", "s3_key"),
];

/// Names in the table `vpc`, which are names of options too.
const OF_VPC: [&str; 3] = ["subnet_ids", "security_group_ids", "ipv6_allowed_for_dual_stack"];

/// Options of which a block that has one gets no other from `Cargo.toml`: they belong together.
const TOGETHER: [&[&str]; 2] = [
    &["s3_bucket", "s3_prefix", "s3_key"],
    &["vpc_config", "subnet_ids", "security_group_ids", "ipv6_allowed_for_dual_stack"],
];

/// The options beneath those of a block; empty for a function that cargo-lambda did not build.
pub(super) fn beneath(block: &Layer, context: &Context<'_>, warnings: &mut Vec<Problem>) -> Layer {
    let Some(program) = compiled::program(&mut Reader::new(block.clone()), context) else { return Layer::new() };
    let folder = &context.folder;
    let mut found = Found { directory: &context.host.directory, folder, layer: Layer::new(), others: Vec::new() };
    found.read(&folder.join("CargoLambda.toml"), |root| Some(root));
    if let Some(workspace) = compiled::workspace(context).filter(|path| context.trust.holds(path)) {
        found.read(&workspace, |root| table(root, "workspace", &program));
    }
    found.read(&folder.join("Cargo.toml"), |root| table(root, "package", &program));
    warnings.extend(found.warning());
    let mut layer = found.layer;
    for group in TOGETHER {
        if group.iter().any(|name| block.contains_key(name)) {
            layer.retain(|name, _| !group.contains(name));
        }
    }
    // Without `zip`, `s3_key` would name an archive that is in the bucket already.
    if let (Some(key), false) = (layer.get("s3_key"), block.contains_key("zip")) {
        let place = key.place.clone();
        let path = compiled::package(&mut Reader::new(block.clone()), context);
        layer.insert("zip", Given::text(path.display().to_string(), place));
    }
    layer
}

/// The table for the program, or else for its package.
fn table<'a>(root: &'a dyn TableLike, owner: &str, program: &str) -> Option<&'a dyn TableLike> {
    let lambda = inner(root, &[owner, "metadata", "lambda"])?;
    Some(inner(lambda, &["bin", program]).unwrap_or(lambda))
}

/// The table at the end of a path of keys.
fn inner<'a>(table: &'a dyn TableLike, path: &[&str]) -> Option<&'a dyn TableLike> {
    path.iter().try_fold(table, |table, key| table.get(key)?.as_table_like())
}

/// What the manifests say.
struct Found<'a> {
    /// The working directory.
    directory: &'a Path,
    /// The folder of the project, from the working directory.
    folder: &'a Path,
    layer: Layer,
    /// The names without an option here, with their places.
    others: Vec<(String, Place)>,
}

impl Found<'_> {
    /// Reads a manifest. Its values replace those read before. One that is missing or not valid has none: cargo reports it.
    fn read(&mut self, path: &Path, choose: impl Fn(&dyn TableLike) -> Option<&dyn TableLike>) {
        let Ok(text) = files::text(&self.directory.join(path)) else { return };
        let Ok(document) = Document::parse(text.as_str()) else { return };
        let manifest = Manifest { path: path.display().to_string().into(), text: &text };
        let Some(table) = choose(document.as_table()) else { return };
        if let Some(env) = table.get("env") {
            self.take("env", env, &manifest);
        }
        for (name, item) in table.get("deploy").and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter) {
            self.take(name, item, &manifest);
        }
    }

    fn take(&mut self, name: &str, item: &Item, manifest: &Manifest<'_>) {
        let given = manifest.given(item);
        let switch = |text: &str| Some(Given::text(text, manifest.place(item.span())));
        let same = SAME.iter().find(|(theirs, _)| *theirs == name);
        match (name, item.as_bool()) {
            ("env" | "env_var", _) => {
                self.set("environment", given.map(|given| merged(self.layer.get("environment"), given)));
            }
            _ if same.is_some() => same.into_iter().for_each(|(_, option)| self.set(option, given.clone())),
            ("include", _) => self.include(given),
            ("vpc", _) => {
                for (name, item) in item.as_table_like().into_iter().flat_map(TableLike::iter) {
                    match OF_VPC.iter().find(|option| **option == name) {
                        Some(option) => self.set(option, manifest.given(item)),
                        None => self.others.push((format!("vpc.{name}"), manifest.place(item.span()))),
                    }
                }
            }
            ("merge_env", Some(true)) => self.set("environment_mode", switch("merge")),
            ("enable_function_url", Some(true)) => self.set("function_url", switch("NONE")),
            ("disable_function_url", Some(true)) => self.set("function_url", switch("false")),
            (
                "merge_env" | "enable_function_url" | "disable_function_url" | "extension" | "internal" | "dry",
                Some(false),
            ) => {}
            _ => self.others.push((name.to_owned(), manifest.place(item.span()))),
        }
    }

    fn include(&mut self, given: Option<Given>) {
        let Some(Given { value: Value::List(items), place, form }) = given else { return self.set("include", given) };
        let mut files = Vec::new();
        for item in items {
            match added(&item, &self.directory.join(self.folder)) {
                Some(file) => files.push(file),
                None => self.others.push((format!("include {}", item.as_text().unwrap_or_default()), item.place)),
            }
        }
        self.set("include", Some(Given { value: Value::List(files), place, form }));
    }

    fn set(&mut self, option: &str, given: Option<Given>) {
        if let (Some(option), Some(given)) = (options::find(option), given) {
            layer::insert(&mut self.layer, option, paths::from_here(option, given, self.folder));
        }
    }

    /// The warning about all names that are not read.
    fn warning(&self) -> Option<Problem> {
        let (_, place) = self.others.first()?;
        let names: Vec<_> = self.others.iter().map(|(name, _)| format!("`{name}`")).collect();
        let message = format!("has no effect here, unlike with `cargo lambda deploy`: {}", names.join(", "));
        let help = "set the option of dpl-lambda instead; docs/coming-from/cargo-lambda.md has a table";
        Some(Problem::warning(message).of("metadata.lambda.deploy").at(place).help(help))
    }
}

/// A manifest, for the places of its values.
struct Manifest<'a> {
    path: Arc<str>,
    text: &'a str,
}

impl Manifest<'_> {
    fn place(&self, span: Option<Range<usize>>) -> Place {
        let before = span.and_then(|span| self.text.get(..span.start)).unwrap_or_default();
        let (line, column) = (before.lines().count(), before.rsplit('\n').next().unwrap_or_default().chars().count());
        let line = if before.is_empty() || before.ends_with('\n') { line + 1 } else { line };
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Place::file(&self.path, number(line), number(column + 1))
    }

    /// A value with its place; `None` for what has no value.
    fn given(&self, item: &Item) -> Option<Given> {
        match item {
            Item::None | Item::ArrayOfTables(_) => None,
            Item::Value(value) => Some(self.value(value)),
            Item::Table(table) => Some(self.table(table, item.span())),
        }
    }

    fn value(&self, value: &Toml) -> Given {
        let place = self.place(value.span());
        let typed = |text: String| Given { form: Form::Typed, ..Given::text(text, place.clone()) };
        match value {
            Toml::String(text) => Given::text(text.value(), place),
            Toml::Integer(number) => typed(number.value().to_string()),
            Toml::Float(number) => typed(number.value().to_string()),
            Toml::Boolean(word) => typed(word.value().to_string()),
            Toml::Datetime(time) => Given::text(time.value().to_string(), place),
            Toml::Array(items) => {
                let items = items.iter().map(|item| self.value(item)).collect();
                Given { value: Value::List(items), place, form: Form::Text }
            }
            Toml::InlineTable(table) => self.table(table, value.span()),
        }
    }

    fn table(&self, table: &dyn TableLike, span: Option<Range<usize>>) -> Given {
        let entry = |(key, item): (&str, &Item)| {
            let given = self.given(item)?;
            Some(MapEntry { key: key.to_owned(), place: given.place.clone(), given })
        };
        let entries = table.iter().filter_map(entry).collect();
        Given { value: Value::Map(entries), place: self.place(span), form: Form::Text }
    }
}

/// Entries beneath and over them. A list of `KEY=VALUE` has entries too.
fn merged(beneath: Option<&Given>, over: Given) -> Given {
    let entries = |given: &Given| match &given.value {
        Value::Map(entries) => entries.clone(),
        Value::List(items) => items.iter().filter_map(pair).collect(),
        Value::Null | Value::Text(_) => Vec::new(),
    };
    let (Some(beneath), Value::Map(_) | Value::List(_)) = (beneath, &over.value) else { return over };
    let value = Value::Map(entries(beneath).into_iter().chain(entries(&over)).collect());
    Given { value, ..over }
}

fn pair(item: &Given) -> Option<MapEntry> {
    let (key, value) = item.as_text()?.split_once('=')?;
    let place = item.place.clone();
    Some(MapEntry { key: key.to_owned(), given: Given::text(value, place.clone()), place })
}

/// A file or folder to add: `PATH`, or `NAME:PATH` with the name in the package. A file cannot get another name here.
fn added(text: &Given, directory: &Path) -> Option<Given> {
    let (name, from) = text.as_text().map(|text| text.split_once(':').unwrap_or((text, text)))?;
    let to = if directory.join(from).is_dir() {
        Path::new(name)
    } else if Path::new(name).file_name() == Path::new(from).file_name() {
        Path::new(name).parent()?
    } else {
        return None;
    };
    let entry = |key: &str, value: &str| {
        let given = Given::text(value, text.place.clone());
        MapEntry { key: key.to_owned(), place: text.place.clone(), given }
    };
    let entries = vec![entry("from", from), entry("to", &to.display().to_string())];
    Some(Given { value: Value::Map(entries), ..text.clone() })
}
