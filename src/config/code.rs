//! The code: the source of the package or image, the files in the package, and the way through S3.

use std::{collections::BTreeSet, path::PathBuf};

use super::{
    code_from::code_from,
    compiled,
    context::Context,
    layer::{Given, Value},
    options::{InFile, OPTIONS},
    read::Reader,
    structure,
};
use crate::arn::check_account;
use crate::deployment::{
    Archives, Code, CodeSource, Compression, Hidden, IncludeFrom, Links, ObjectKey, Rules, Upload,
};
use crate::package::inspect::Rule;
use crate::settings::{ArnOrNone, Source, Structure, shapes};

/// The longest prefix or key of an object, in bytes. S3 takes 1024, and the hash and `.zip` need some of them.
const MOST_KEY: usize = 900;

/// The code of a function or layer.
pub(super) fn code(reader: &mut Reader, context: &Context<'_>) -> Code {
    let (include, include_from) = include(reader);
    let other = code_from(reader, context);
    let (source, upload) = match if other.is_none() { image(reader) } else { None } {
        Some(image) => (image, None),
        None => source(reader, other, context),
    };
    let architecture = reader.setting("architecture");
    let (source, how_to_build, archive) = match source {
        CodeSource::Path(path) => {
            let help = compiled::how_to_build(reader, &path, architecture, context);
            let (path, archive) = compiled::settled(path, context);
            (CodeSource::Path(path), help, archive)
        }
        source => (source, None, None),
    };
    Code {
        source,
        how_to_build,
        rules: Rules {
            include,
            include_from,
            exclude: reader.list("exclude").unwrap_or_default(),
            hidden: if reader.flag("dot_match") { Hidden::Take } else { Hidden::Skip },
            links: if reader.choice("symlinks") == Some("follow") { Links::Follow } else { Links::Keep },
            archives: if reader.flag("repack") { Archives::Repack } else { Archives::Keep },
            compression: match reader.choice("compression") {
                Some("fast") => Compression::Fast,
                Some("best") => Compression::Best,
                _ => Compression::Default,
            },
            never: context.never.iter().cloned().chain(files(reader, context)).chain(archive).collect(),
            single: compiled::single(reader),
            into: String::new(),
            mounts: Vec::new(),
            checkout: context.trust.checkout.clone(),
        },
        architecture,
        upload,
        ignore: ignored(reader),
        source_kms_key_arn: reader.setting::<ArnOrNone>("source_kms_key_arn").map(|arn| arn.0),
    }
}

/// The image of the function; `None` for a function with a package.
fn image(reader: &mut Reader) -> Option<CodeSource> {
    const OF_PACKAGES: [&str; 16] = [
        "zip",
        "include",
        "exclude",
        "dot_match",
        "symlinks",
        "repack",
        "compression",
        "s3_bucket",
        "s3_prefix",
        "s3_key",
        "s3_object_version",
        "s3_expected_owner",
        "s3_kms_key_arn",
        "source_kms_key_arn",
        "handler_name",
        "module_name",
    ];
    let package_type = reader.choice("package_type");
    if !reader.has("image_uri") {
        if package_type == Some("Image") {
            let problem = reader.wrong("package_type", "is Image, but no image is named");
            problem.help = Some("name it with `image_uri`".to_owned());
        }
        return None;
    }
    if package_type == Some("Zip") {
        reader.wrong("package_type", "is Zip, but `image_uri` names an image");
    }
    let mut conflicts: Vec<_> = OF_PACKAGES.into_iter().filter(|name| reader.has(name)).collect();
    if !conflicts.is_empty() {
        // The rules for settings would report these only after the others are mended.
        let of_rules = ["runtime", "handler", "layers", "snap_start", "code_signing_config_arn"].into_iter();
        conflicts.extend(of_rules.filter(|name| reader.has(name) && reader.raw(name).as_deref() != Some("None")));
    }
    for name in conflicts {
        reader.wrong(name, "is for a package, but `image_uri` names an image");
    }
    unread(reader, "image_uri").or_else(|| reader.setting("image_uri").map(CodeSource::Image))
}

/// The source if the value of its option is elsewhere and was not read.
fn unread(reader: &Reader, option: &'static str) -> Option<CodeSource> {
    let mut borrowed = reader.references.borrowed.iter().filter(|_| reader.is_open(option));
    let reference = borrowed.find(|borrowed| borrowed.option == option)?.reference.clone();
    Some(CodeSource::Unread { option, reference })
}

/// The package checks that the user turned off.
pub(super) fn ignored(reader: &mut Reader) -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for name in reader.list("ignore").unwrap_or_default() {
        match Rule::parse(&name) {
            Ok(rule) => drop(rules.insert(rule.name().to_owned())),
            Err(message) => drop(reader.wrong("ignore", message)),
        }
    }
    rules
}

/// The source of the package, and its place in S3. `other` is the source if no package is built. `s3_key` without `zip` names an archive that is already in S3.
///
/// Checks only the rules that hold for all buckets. Source:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn source(reader: &mut Reader, other: Option<CodeSource>, context: &Context<'_>) -> (CodeSource, Option<Upload>) {
    let is_built = other.is_none();
    let path = reader.path("zip");
    let open = ["s3_bucket", "s3_key"].into_iter().find_map(|option| unread(reader, option));
    if let (Some(source), true) = (open, is_built && path.is_none() && reader.has("s3_key")) {
        return (source, None);
    }
    if reader.is_open("s3_bucket") {
        return (other.unwrap_or_else(|| built(path, reader, context)), None);
    }
    let bucket = reader.text("s3_bucket");
    let (prefix, key) = (reader.text("s3_prefix"), reader.text("s3_key"));
    let version_id = reader.text("s3_object_version");
    let expected_owner = reader.text("s3_expected_owner");
    let kms_key_arn = reader.setting::<ArnOrNone>("s3_kms_key_arn").map(|arn| arn.0);
    let Some(bucket) = bucket else {
        for name in ["s3_prefix", "s3_key", "s3_object_version", "s3_expected_owner", "s3_kms_key_arn"] {
            if reader.place(name).is_some() {
                reader.wrong(name, "is given without `s3_bucket`");
            }
        }
        return (other.unwrap_or_else(|| built(path, reader, context)), None);
    };
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(known) {
        let message = format!("`{bucket}` is not the name of a bucket: 3 to 63 letters, digits, `.` and `-`");
        reader.wrong("s3_bucket", message).help = Some("give the name alone, without `s3://`".to_owned());
    }
    if let Some(Err(why)) = expected_owner.as_deref().map(check_account) {
        reader.wrong("s3_expected_owner", why);
    }
    if [&prefix, &key].into_iter().flatten().any(|text| text.len() > MOST_KEY) {
        let name = if key.is_some() { "s3_key" } else { "s3_prefix" };
        reader.wrong(name, format!("is longer than {MOST_KEY} bytes, which leaves no room for the hash"));
    }
    if key.is_some() && prefix.is_some() {
        reader.wrong("s3_prefix", "is given together with `s3_key`, which has the whole key");
    }
    match (path, key) {
        (None, Some(key)) if is_built => {
            for name in ["s3_kms_key_arn", "include", "exclude", "repack", "compression"] {
                if reader.place(name).is_some() {
                    reader.wrong(name, "is for building a package, but `s3_key` without `zip` names an existing one");
                }
            }
            (CodeSource::Object { bucket, key, version_id, expected_owner }, None)
        }
        (path, key) => {
            if version_id.is_some() {
                let message = "names an existing object, so it needs `s3_key` and no `zip`";
                reader.wrong("s3_object_version", message);
            }
            let key = match (key, prefix) {
                (Some(key), _) => ObjectKey::Given(key),
                (None, None) => ObjectKey::ByHash(String::new()),
                (None, Some(prefix)) if prefix.ends_with('/') => ObjectKey::ByHash(prefix),
                (None, Some(prefix)) => ObjectKey::ByHash(format!("{prefix}/")),
            };
            let source = other.unwrap_or_else(|| built(path, reader, context));
            (source, Some(Upload { bucket, key, expected_owner, kms_key_arn }))
        }
    }
}

/// The files that are packed: the named ones, or those that a build has left.
fn built(path: Option<PathBuf>, reader: &mut Reader, context: &Context<'_>) -> CodeSource {
    CodeSource::Path(path.unwrap_or_else(|| compiled::package(reader, context)))
}

/// The items of `include`: texts are globs for the files of the package root, maps add files from other folders.
fn include(reader: &mut Reader) -> (Vec<String>, Vec<IncludeFrom>) {
    let (mut globs, mut include_from) = (Vec::new(), Vec::new());
    for item in reader.mixed("include").unwrap_or_default() {
        match &item.value {
            Value::Text(glob) => globs.push(glob.clone()),
            Value::Map(_) => include_from.extend(added_files(reader, &item)),
            Value::Null | Value::List(_) => {}
        }
    }
    (globs, include_from)
}

fn added_files(reader: &mut Reader, item: &Given) -> Option<IncludeFrom> {
    let map = Structure(structure::read("include", item, &shapes::ADDED_FILES, &mut reader.problems)?);
    let to = map.text("To").unwrap_or_default();
    let to: Vec<_> = to.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Some(IncludeFrom { from: map.text("From")?.into(), glob: map.text("Glob")?, to: to.join("/") })
}

/// Files that the run reads or writes. They never go into the package.
fn files(reader: &mut Reader, context: &Context<'_>) -> Vec<PathBuf> {
    let read = reader.list("env_file").unwrap_or_default();
    let written = OPTIONS.iter().filter(|option| matches!(option.in_file, InFile::Writes(_)));
    let written = written.filter_map(|option| reader.raw(option.name));
    read.into_iter().chain(written).map(|file| context.host.directory.join(file)).collect()
}
