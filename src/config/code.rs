//! What a package is made of and how it travels: `zip`, what goes in, and S3.

use std::{collections::BTreeSet, path::PathBuf};

use super::{
    compiled,
    layer::{Entry, Value},
    options::{InFile, OPTIONS},
    read::Reader,
    resolve::Context,
};
use crate::arn::check_account;
use crate::deployment::{Code, CodeSource, Hidden, IncludeFrom, Links, ObjectKey, Rules, Upload};
use crate::package::inspect::Rule;
use crate::place::{Place, Problem};
use crate::settings::{ArnOrNone, Source};

/// The longest prefix or key of an object, in bytes: S3 takes 1024, of which a hash and `.zip` need some.
const MOST_KEY: usize = 900;

/// Only what a package is made of.
pub(super) fn code(reader: &mut Reader, context: &Context<'_>) -> Code {
    let (include, include_from) = include(reader);
    let (source, upload) = image(reader).map_or_else(|| source(reader, context), |image| (image, None));
    let architecture = reader.setting("architecture");
    let (source, how_to_build, archive) = match source {
        CodeSource::Path(path) => {
            let help = compiled::how_to_build(reader, &path, architecture, context.host);
            let (path, archive) = compiled::settled(path, context.host);
            (CodeSource::Path(path), help, archive)
        }
        source @ (CodeSource::Object { .. } | CodeSource::Image(_)) => (source, None, None),
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
            never: context.never.iter().cloned().chain(files(reader, context)).chain(archive).collect(),
            single: compiled::single(reader),
            into: String::new(),
            checkout: context.trust.checkout.clone(),
        },
        architecture,
        upload,
        ignore: ignored(reader),
        source_kms_key_arn: reader.setting::<ArnOrNone>("source_kms_key_arn").map(|arn| arn.0),
    }
}

/// The image that a function is made of; nothing where it is made of a package.
fn image(reader: &mut Reader) -> Option<CodeSource> {
    const OF_PACKAGES: [&str; 14] = [
        "zip",
        "include",
        "exclude",
        "dot_match",
        "symlinks",
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
    for name in OF_PACKAGES.into_iter().filter(|name| reader.has(name)).collect::<Vec<_>>() {
        reader.wrong(name, "is for a package, and `image_uri` names an image instead of one");
    }
    reader.setting("image_uri").map(CodeSource::Image)
}

fn ignored(reader: &mut Reader) -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for name in reader.list("ignore").unwrap_or_default() {
        match Rule::parse(&name) {
            Ok(rule) => drop(rules.insert(rule.name().to_owned())),
            Err(message) => drop(reader.wrong("ignore", message)),
        }
    }
    rules
}

/// Where the package comes from, and where in S3 it goes: a key without `zip` is that of a package that is there already.
///
/// The rules for buckets are those of <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
/// that hold for all of them.
fn source(reader: &mut Reader, context: &Context<'_>) -> (CodeSource, Option<Upload>) {
    let path = reader.path("zip");
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
        return (CodeSource::Path(path.unwrap_or_else(|| compiled::package(reader, context))), None);
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
        reader.wrong(name, format!("is longer than {MOST_KEY} bytes, which leaves no room for a name in S3"));
    }
    if key.is_some() && prefix.is_some() {
        reader.wrong("s3_prefix", "is given together with `s3_key`, which is the whole key");
    }
    match (path, key) {
        (None, Some(key)) => {
            for name in ["s3_kms_key_arn", "include", "exclude"] {
                if reader.place(name).is_some() {
                    reader.wrong(name, "is for making a package, and `s3_key` without `zip` names one that is there");
                }
            }
            (CodeSource::Object { bucket, key, version_id, expected_owner }, None)
        }
        (path, key) => {
            if version_id.is_some() {
                let message = "names an object that is there already: give its `s3_key`, and no `zip`";
                reader.wrong("s3_object_version", message);
            }
            let key = match (key, prefix) {
                (Some(key), _) => ObjectKey::Given(key),
                (None, None) => ObjectKey::ByHash(String::new()),
                (None, Some(prefix)) if prefix.ends_with('/') => ObjectKey::ByHash(prefix),
                (None, Some(prefix)) => ObjectKey::ByHash(format!("{prefix}/")),
            };
            let path = path.unwrap_or_else(|| compiled::package(reader, context));
            (CodeSource::Path(path), Some(Upload { bucket, key, expected_owner, kms_key_arn }))
        }
    }
}

/// Globs choose among the files of the directory; maps add files from elsewhere.
fn include(reader: &mut Reader) -> (Vec<String>, Vec<IncludeFrom>) {
    let Some(items) = reader.mixed("include") else { return Default::default() };
    let (mut globs, mut added) = (Vec::new(), Vec::new());
    for item in items {
        match item.value {
            Value::Text(glob) => globs.push(glob),
            Value::Map(entries) => added.extend(include_from(reader, &entries, &item.place)),
            Value::Null | Value::List(_) => {}
        }
    }
    (globs, added)
}

fn include_from(reader: &mut Reader, entries: &[Entry], place: &Place) -> Option<IncludeFrom> {
    let (mut from, mut glob, mut to) = (None, None, None);
    let mut wrong = |message: String, place: &Place| {
        let problem = Problem::new(message).of("include").at(place);
        reader.problems.push(problem.help("write `{from: FOLDER, glob: '**/*.py', to: FOLDER}`"));
    };
    for entry in entries {
        let field = match entry.key.as_str() {
            "from" => &mut from,
            "glob" => &mut glob,
            "to" => &mut to,
            other => {
                wrong(format!("has no key `{other}`"), &entry.place);
                continue;
            }
        };
        match entry.given.as_text() {
            Some(text) => *field = Some(text.trim().to_owned()),
            None => wrong(format!("`{}` must be a text", entry.key), &entry.place),
        }
    }
    let Some(from) = from.filter(|from| !from.is_empty()) else {
        wrong("has a map without `from`".to_owned(), place);
        return None;
    };
    let to = to.unwrap_or_default();
    let parts: Vec<_> = to.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if to.starts_with('/') || parts.contains(&"..") {
        wrong(format!("`{to}` is not a folder of the package"), place);
    }
    Some(IncludeFrom { from: from.into(), glob: glob.unwrap_or_else(|| "**".to_owned()), to: parts.join("/") })
}

/// Files that are read or written beside the package.
fn files(reader: &mut Reader, context: &Context<'_>) -> Vec<PathBuf> {
    let read = reader.list("env_file").unwrap_or_default();
    let written = OPTIONS.iter().filter(|option| matches!(option.in_file, InFile::Writes(_)));
    let written = written.filter_map(|option| reader.raw(option.name));
    read.into_iter().chain(written).map(|file| context.host.directory.join(file)).collect()
}
