//! The JSON Schema of the file, for editors: draft-07, which the YAML language server knows best.
//!
//! It accepts every valid file. It cannot find every mistake: what depends on two options, or on AWS, is for `check`.

use serde_json::{Map, Value as Json, json};

use super::conditions::{self, FileFormat};
use super::from_env::FROM_ENV;
use super::options::{InFile, Kind, OPTIONS, Opt};
use super::references::may_be_elsewhere;
use crate::reference::FunctionOutput;
use crate::settings::{Attachment, Member, Need, Shape, shapes, snake};

/// The schema of a file of this tool, as text.
pub(crate) fn own() -> String {
    let block = json!({ "$ref": "#/definitions/block" });
    let file = json!({
        "type": "object",
        "required": ["deploy"],
        "properties": {
            "deploy": {
                "description": "One block, or a list of blocks. Each is one deployment.",
                "anyOf": [block, { "type": "array", "items": block }]
            },
            "defaults": described("What every block has unless it says otherwise.", &json!({ "$ref": "#/definitions/part" })),
            "stages": stages("The stages, of which each run deploys one."),
            "before_deploy": anything(),
            "after_deploy": anything(),
        },
        // Keys that only hold anchors.
        "patternProperties": { r"^(\.|x-)": true },
        "additionalProperties": false,
    });
    let either = json!({ "if": { "required": ["deploy"] }, "then": file, "else": block });
    document("dpl.yml", "dpl.schema.json", &either, FileFormat::Own)
}

/// The schema of a `.travis.yml`: only of its `deploy:`, as text.
pub(crate) fn travis() -> String {
    let is_ours = json!({ "required": ["provider"], "properties": { "provider": { "const": "lambda" } } });
    let block = json!({ "if": is_ours, "then": { "$ref": "#/definitions/block" } });
    let file = json!({
        "type": "object",
        "properties": { "deploy": { "anyOf": [{ "type": "array", "items": block }, block] } },
    });
    document("deploy: in .travis.yml", "travis.schema.json", &file, FileFormat::Travis)
}

fn document(title: &str, file: &str, root: &Json, format: FileFormat) -> String {
    let head = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": format!("{}/releases/latest/download/{file}", env!("CARGO_PKG_REPOSITORY")),
        "title": title,
        "description": env!("CARGO_PKG_DESCRIPTION"),
        "definitions": definitions(format),
    });
    format!("{:#}\n", with(head, root))
}

fn definitions(format: FileFormat) -> Json {
    let mut definitions = Definitions(Map::new());
    let shared = [("block", block(format)), ("scalar", scalar()), ("variable", variable()), ("reference", reference())];
    for (name, schema) in shared.into_iter().chain([("on", on())]) {
        definitions.add(name, schema);
    }
    if format == FileFormat::Own {
        definitions.add("part", part());
    }
    for option in options() {
        let schema = definitions.option(option);
        definitions.add(option.name, schema);
    }
    Json::Object(definitions.0)
}

/// Named schemas, so that each stands once in the document.
struct Definitions(Map<String, Json>);

/// The options that a file may have.
fn options() -> impl Iterator<Item = &'static Opt> {
    OPTIONS.iter().filter(|option| option.in_file != InFile::Never)
}

/// The members of both objects.
fn with(mut object: Json, more: &Json) -> Json {
    if let (Json::Object(members), Json::Object(more)) = (&mut object, more) {
        members.extend(more.clone());
    }
    object
}

fn anything() -> Json {
    json!(true)
}

/// A text, or what YAML reads as another scalar.
fn scalar() -> Json {
    json!({ "type": ["string", "number", "boolean", "null"] })
}

fn a_scalar() -> Json {
    json!({ "$ref": "#/definitions/scalar" })
}

/// A schema with a text for editors. Beside `$ref`, draft-07 ignores every other key.
fn described(text: &str, schema: &Json) -> Json {
    json!({ "description": text, "allOf": [schema] })
}

/// Options by the name of a stage.
fn stages(text: &str) -> Json {
    let of_stage = json!({ "anyOf": [{ "type": "null" }, { "$ref": "#/definitions/part" }] });
    json!({ "description": text, "type": "object", "additionalProperties": of_stage })
}

/// The names for which a block is repeated.
fn for_each() -> Json {
    let options = json!({ "anyOf": [{ "type": "null" }, { "$ref": "#/definitions/part" }] });
    json!({
        "description": "Names for which this block is repeated, as `%{each}`: a list, a glob of folders, or a map from name to options.",
        "anyOf": [a_scalar(), { "type": "array", "items": a_scalar() }, { "type": "object", "additionalProperties": options }],
    })
}

/// Options that lie over or beneath those of a block.
fn part() -> Json {
    let mut part = block(FileFormat::Own);
    if let Some(properties) = part["properties"].as_object_mut() {
        properties.remove("provider");
        properties.remove("for_each");
        let branch = described("Of a stage of the file: the branches that choose it.", &texts());
        properties.insert("branch".to_owned(), branch);
    }
    part
}

/// A block: its options, and the keys that are none.
fn block(format: FileFormat) -> Json {
    let (mut properties, mut patterns) = (Map::new(), Map::new());
    if format == FileFormat::Own {
        properties.insert("for_each".to_owned(), for_each());
        properties.insert("stages".to_owned(), stages("What differs in a stage."));
    }
    properties.insert(
        "provider".to_owned(),
        json!({ "description": "`lambda`, which is also the default.", "type": "string" }),
    );
    properties.insert("on".to_owned(), json!({ "$ref": "#/definitions/on" }));
    properties.insert(
        "allow_failure".to_owned(),
        json!({ "description": "Whether the run goes on if this block fails.", "$ref": "#/definitions/scalar" }),
    );
    patterns.insert("^(true|if)$".to_owned(), json!({ "$ref": "#/definitions/on" }));
    for key in ["dpl_version", "edge", "skip_cleanup", "before_deploy", "after_deploy"] {
        patterns.insert(format!("^{key}$"), anything());
    }
    for option in options() {
        let value = json!({ "$ref": format!("#/definitions/{}", option.name) });
        for name in std::iter::once(option.name).chain(option.aliases.iter().copied()) {
            patterns.insert(any_spelling(name), value.clone());
        }
        properties.insert(option.name.to_owned(), value);
    }
    // Only the canonical names are properties: editors offer those.
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": patterns,
        // Travis' own file may have keys that other tools read.
        "additionalProperties": format == FileFormat::Travis,
    })
}

/// A pattern for a name in any case, with dashes or underscores.
fn any_spelling(name: &str) -> String {
    let letter = |c: char| match c {
        '_' => "[-_.]".to_owned(),
        c if c.is_ascii_alphabetic() => format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase()),
        c => c.to_string(),
    };
    format!("^{}$", name.chars().map(letter).collect::<String>())
}

/// A pattern for the name of a member: as AWS writes it, or in words with dashes or underscores.
fn any_spelling_of_member(name: &str) -> String {
    any_spelling(&snake(name)).replace("[-_.]", "[-_]?")
}

/// The value, or a map of branches to such values, or AWS' own form with one member.
fn by_branch(value: &Json) -> Json {
    // What begins with `from_` is a reference, or a mistake in one.
    let branch = json!({ "not": { "pattern": "^[Ff][Rr][Oo][Mm][-_.]" } });
    json!({ "anyOf": [value, { "type": "object", "propertyNames": branch, "additionalProperties": value }] })
}

fn texts() -> Json {
    json!({ "anyOf": [a_scalar(), { "type": "array", "items": or_elsewhere(&a_scalar()) }] })
}

/// Texts by key: a map, or a list or lines of `KEY=VALUE`.
fn pairs() -> Json {
    let value = or_elsewhere(&a_scalar());
    json!({ "anyOf": [
        { "type": "object", "additionalProperties": value },
        { "type": "string", "pattern": "=|^\\s*$|^\\{" },
        { "type": "array", "items": { "anyOf": [
            { "type": "string", "pattern": "=" },
            { "type": "object", "additionalProperties": value },
        ] } },
        { "type": "null" },
    ] })
}

/// The value, or a reference to one that is elsewhere.
fn or_elsewhere(value: &Json) -> Json {
    json!({ "anyOf": [value, { "$ref": "#/definitions/reference" }] })
}

/// The value, or a reference to a variable.
fn or_variable(value: &Json) -> Json {
    json!({ "anyOf": [value, { "$ref": "#/definitions/variable" }] })
}

/// The value of a variable.
fn variable() -> Json {
    one_reference(FROM_ENV, "Variable of the CI that holds the value.", &[], &[])
}

/// A value from elsewhere, or of a variable.
fn reference() -> Json {
    const SOURCES: [(&str, &str, &[&str], &[&str]); 5] = [
        ("from_ssm", "Parameter of Systems Manager, perhaps with `:` and a version or label.", &[], &[]),
        ("from_secret", "Secret of Secrets Manager, by name or ARN.", &[], &["key", "version_stage"]),
        ("from_stack", "Stack of CloudFormation, by name or ARN.", &["output"], &[]),
        ("from_terraform", "State of Terraform: a file, or `s3://BUCKET/KEY`.", &["output"], &[]),
        (
            "from_function",
            "Function, by name or ARN, perhaps with `:` and an alias or version.",
            &["output"],
            &["qualifier"],
        ),
    ];
    let elsewhere = SOURCES.map(|(source, meaning, required, optional)| {
        let mut reference = one_reference(source, meaning, required, optional);
        if source == "from_function" {
            let names = FunctionOutput::ALL.map(|(name, _)| name);
            let spelled = names.map(|name| any_spelling(&name.replace('-', "_")));
            let pattern = format!("{}|%\\{{", spelled.join("|"));
            reference["properties"]["output"] =
                json!({ "anyOf": [{ "enum": names }, { "type": "string", "pattern": pattern }] });
        }
        reference
    });
    let variable = json!({ "$ref": "#/definitions/variable" });
    json!({ "anyOf": std::iter::once(variable).chain(elsewhere).collect::<Vec<_>>() })
}

fn one_reference(source: &str, meaning: &str, required: &[&str], optional: &[&str]) -> Json {
    let text = json!({ "type": "string", "description": meaning });
    let members = required.iter().chain(optional).chain(&["default"]).map(|name| ((*name).to_owned(), a_scalar()));
    let properties: Map<_, _> = std::iter::once((source.to_owned(), text)).chain(members).collect();
    let required: Vec<_> = std::iter::once(&source).chain(required).collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

fn number(least: i64, most: i64) -> Json {
    json!({ "anyOf": [
        { "type": "integer", "minimum": least, "maximum": most },
        { "type": "string", "pattern": "^\\s*[0-9_]+\\s*[A-Za-z]*\\s*$|%\\{|\\$" },
        { "type": "null" },
    ] })
}

/// One of these words, alone or as a list of one, as AWS writes `Architectures`.
fn one_of(words: &[&str]) -> Json {
    let word = words_of(words);
    json!({ "anyOf": [word, { "type": "array", "items": word, "maxItems": 1 }] })
}

fn words_of(words: &[&str]) -> Json {
    let patterns: Vec<_> = words.iter().map(|word| any_spelling(word)).collect();
    let pattern = format!("{}|%\\{{", patterns.join("|"));
    json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": pattern }, { "type": "null" }] })
}

fn flag(words: &[&str]) -> Json {
    let strings: Vec<_> = ["true", "false", "yes", "no", "on", "off", "1", "0"]
        .iter()
        .chain(words)
        .map(|word| any_spelling(word))
        .collect();
    json!({ "anyOf": [{ "type": "boolean" }, { "enum": words }, { "enum": [0, 1, null] }, { "type": "string", "pattern": format!("{}|%\\{{", strings.join("|")) }] })
}

impl Definitions {
    /// Adds a schema, and refers to it.
    fn add(&mut self, name: &str, schema: Json) -> Json {
        self.0.insert(name.to_owned(), schema);
        json!({ "$ref": format!("#/definitions/{name}") })
    }

    fn option(&mut self, option: &Opt) -> Json {
        let value = self.of_kind(option);
        let mut described = Map::new();
        described.insert("description".to_owned(), option.meaning.into());
        if !option.example.is_empty() && !matches!(option.kind, Kind::Secret) {
            described.insert("examples".to_owned(), json!([option.example]));
        }
        match value {
            // Beside `$ref`, draft-07 ignores every other key.
            value if value.get("$ref").is_some() => with(Json::Object(described), &json!({ "allOf": [value] })),
            value => with(Json::Object(described), &value),
        }
    }

    fn of_kind(&mut self, option: &Opt) -> Json {
        // A value by branch can be a reference too.
        let one = |value: &Json| match may_be_elsewhere(option) {
            Ok(()) => by_branch(&or_elsewhere(value)),
            Err(_) => by_branch(&or_variable(value)),
        };
        match option.kind {
            Kind::Secret => by_branch(&a_scalar()),
            // Commands are written in the file.
            Kind::List if option.name == "run" => {
                by_branch(&json!({ "anyOf": [a_scalar(), { "type": "array", "items": a_scalar() }] }))
            }
            // One deployment for each Region.
            Kind::Text if option.name == "region" => one(&texts()),
            Kind::Text => one(&a_scalar()),
            Kind::Number { least, most } => one(&number(i64::from(least), i64::from(most))),
            Kind::Choice(words) => one(&one_of(words)),
            Kind::Flag => one(&flag(&[])),
            Kind::FlagOr(words) => one(&flag(words)),
            Kind::List | Kind::Ids => one(&texts()),
            Kind::Files => {
                let added = self.shape(&shapes::ADDED_FILES, "include");
                let one = or_variable(&json!({ "anyOf": [a_scalar(), added] }));
                json!({ "anyOf": [one, { "type": "array", "items": one }] })
            }
            Kind::Map if option.name == "layer" => or_variable(&self.shape(&shapes::LAYER, "layer")),
            Kind::Map => pairs(),
            // `true` stands for a URL with the defaults, `false` for none.
            Kind::Structure(of) if option.name == Attachment::FunctionUrl.option() => {
                or_elsewhere(&json!({ "anyOf": [self.shape(of, option.name), flag(&[])] }))
            }
            Kind::Structure(of) => match of {
                Shape::Members { .. } | Shape::List { .. } | Shape::Json { .. } => {
                    or_elsewhere(&self.shape(of, option.name))
                }
                of => one(&self.shape(of, option.name)),
            },
        }
    }

    /// The schema of values in AWS' shape.
    fn shape(&mut self, of: &Shape, path: &str) -> Json {
        match of {
            Shape::Text(_) => a_scalar(),
            Shape::Word(words) => words_of(words),
            Shape::Number { least, most, .. } => number(*least, *most),
            Shape::OneOf { numbers, .. } => {
                let texts: Vec<_> = numbers.iter().map(ToString::to_string).collect();
                json!({ "anyOf": [{ "enum": numbers }, { "enum": texts }, { "type": "null" }] })
            }
            Shape::Flag => flag(&[]),
            Shape::Any => anything(),
            Shape::Json { .. } => json!({ "type": ["object", "string", "null"] }),
            Shape::List { of, .. } => {
                let item = self.shape(of, path);
                let item = self.add(&format!("{path}.item"), or_elsewhere(&item));
                json!({ "anyOf": [{ "type": "array", "items": item }, item, { "type": "string" }] })
            }
            Shape::Members { members, short } => self.structure(members, short, path),
        }
    }

    fn structure(&mut self, members: &[Member], short: &str, path: &str) -> Json {
        let (mut properties, mut patterns, mut required) = (Map::new(), Map::new(), Vec::new());
        for member in members {
            let path = format!("{path}.{}", snake(member.name));
            let value = self.shape(&member.shape, &path);
            // Commands are written in the file.
            let value = if path == "smoke_test.run" { value } else { or_elsewhere(&value) };
            let value = if is_small(&value) { value } else { self.add(&path, value) };
            patterns.insert(any_spelling_of_member(member.name), value.clone());
            properties.insert(snake(member.name), value);
            if member.need == Need::Required {
                let spelled = [snake(member.name), member.name.to_owned(), snake(member.name).replace('_', "-")];
                required.push(json!({ "anyOf": spelled.map(|name| json!({ "required": [name] })) }));
            }
        }
        let mut map = json!({
            "type": "object",
            "properties": properties,
            "patternProperties": patterns,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            map["allOf"] = required.into();
        }
        // A whole structure can be one JSON text.
        let packed = json!({ "type": "string", "pattern": "^\\s*[\\[{]" });
        let short = members.iter().find(|member| member.name == short);
        let short = short.map(|member| self.shape(&member.shape, &format!("{path}.{}", snake(member.name))));
        json!({ "anyOf": std::iter::once(map).chain(short).chain([packed, json!({ "type": "null" })]).collect::<Vec<_>>() })
    }
}

/// Whether a schema is no longer than a reference to it.
fn is_small(schema: &Json) -> bool {
    schema.get("$ref").is_some() || schema.is_boolean()
}

/// The conditions of a block.
fn on() -> Json {
    let text_or_texts = texts();
    let flags = ["all_branches", "tags", "pull_request"];
    let mut properties = Map::new();
    for key in conditions::keys() {
        properties.insert(key.to_owned(), if flags.contains(&key) { flag(&[]) } else { text_or_texts.clone() });
    }
    json!({
        "description": "When the block is deployed: all of the conditions must hold. One text is a branch.",
        "anyOf": [
            { "type": "object", "properties": properties, "additionalProperties": false },
            { "type": ["string", "null"] },
        ],
    })
}
