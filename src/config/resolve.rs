//! From one merged layer to a `Deployment`: everything known, as meant.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    time::Duration,
};

use super::{
    Purpose, credentials, dotenv, interpolate,
    layer::{Entry, Given, Value},
    options::canonical,
    read::{Pair, Reader},
};
use crate::deployment::{
    Bring, Code, CodeSource, Deployment, HandlerParts, Hidden, Keyed, Links, ObjectKey, Others, Publish, Release,
    Rules, Target, Upload,
};
use crate::host::{Build, Ci, Host};
use crate::package::inspect::Rule;
use crate::place::{Place, Problem};
use crate::settings::{
    Arn, Description, Environment, FunctionName, Handler, Ids, Layers, Secret, Setting, Settings, Source, Written,
    check_variable_name,
};

/// Seconds that waiting may take when the user does not say.
const WAIT_TIMEOUT: u64 = 600;

/// The longest prefix or key of an object, in bytes: S3 takes 1024, of which a hash and `.zip` need some.
const MOST_KEY: usize = 900;

/// No CI runs a job for longer than a day.
const MOST_WAIT_TIMEOUT: u64 = 86_400;

/// What resolving needs besides the options.
pub(super) struct Context<'a> {
    /// The surroundings.
    pub host: &'a Host,
    /// The CI that runs us.
    pub ci: Ci,
    /// What is being built.
    pub build: &'a Build,
    /// What is going to be done.
    pub purpose: Purpose,
    /// Files that were read and never go into a package.
    pub never: BTreeSet<PathBuf>,
    /// The Region where nothing else says one.
    pub fallback_region: Option<String>,
}

/// Everything about one function. Nothing comes back when something is wrong; the reader then has the problems.
pub(super) fn deployment(reader: &mut Reader, context: &Context<'_>) -> Option<Deployment> {
    let function: Option<FunctionName> = reader.setting("function_name");
    if reader.place("function_name").is_none() {
        let problem = Problem::new("no function is named").of("function_name");
        let problem = Problem { place: reader.block.clone(), ..problem };
        reader.problems.push(
            problem.help("set it in `dpl.yml`, with `--function_name`, or in the variable `DPL_LAMBDA_FUNCTION_NAME`"),
        );
    }
    let mut settings = Settings::given(reader);
    settings.role = reader.setting("role");
    settings.handler = reader.setting("handler");
    settings.description = description(reader, context);
    let handler_parts = handler_parts(reader, settings.handler.as_ref());
    let first_handler = speaks_as_the_official_action(reader).then(|| Handler("index.handler".to_owned()));
    let mut environment = environment(reader, context);
    let tags = tags(reader);
    clear(reader, &mut settings, &mut environment);
    let target = target(reader, function.as_ref(), context);
    let code = code(reader, context);
    let release = release(reader, context);
    let wait_timeout = reader.number("wait_timeout", "seconds").unwrap_or(WAIT_TIMEOUT);
    if !(1..=MOST_WAIT_TIMEOUT).contains(&wait_timeout) {
        reader.wrong("wait_timeout", format!("must be between 1 and {MOST_WAIT_TIMEOUT} seconds, got {wait_timeout}"));
    }
    if !reader.problems.is_empty() {
        return None;
    }
    let function = function?;
    Some(Deployment {
        function,
        target,
        settings,
        handler_parts,
        first_handler,
        environment,
        tags,
        code,
        release,
        wait_timeout: Duration::from_secs(wait_timeout),
    })
}

/// Only what a package is made of.
pub(super) fn code(reader: &mut Reader, context: &Context<'_>) -> Code {
    let (include, bring) = include(reader);
    let (source, upload) = source(reader);
    Code {
        source,
        rules: Rules {
            include,
            bring,
            exclude: reader.list("exclude").unwrap_or_default(),
            hidden: if reader.flag("dot_match") { Hidden::Take } else { Hidden::Skip },
            links: if reader.choice("symlinks") == Some("follow") { Links::Follow } else { Links::Keep },
            never: context.never.iter().cloned().chain(files(reader, context)).collect(),
        },
        architecture: reader.setting("architecture"),
        upload,
        ignore: ignored(reader),
        source_kms_key_arn: reader.setting::<Arn>("source_kms_key_arn").map(|arn| arn.0),
    }
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
fn source(reader: &mut Reader) -> (CodeSource, Option<Upload>) {
    let path = reader.path("zip");
    let bucket = reader.text("s3_bucket");
    let (prefix, key) = (reader.text("s3_prefix"), reader.text("s3_key"));
    let version_id = reader.text("s3_object_version");
    let expected_owner = reader.text("s3_expected_owner");
    let kms_key_arn = reader.setting::<Arn>("s3_kms_key_arn").map(|arn| arn.0);
    let Some(bucket) = bucket else {
        for name in ["s3_prefix", "s3_key", "s3_object_version", "s3_expected_owner", "s3_kms_key_arn"] {
            if reader.place(name).is_some() {
                reader.wrong(name, "is given without `s3_bucket`");
            }
        }
        return (CodeSource::Path(path.unwrap_or_else(|| PathBuf::from("."))), None);
    };
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(known) {
        let message = format!("`{bucket}` is not the name of a bucket: 3 to 63 letters, digits, `.` and `-`");
        reader.wrong("s3_bucket", message).help = Some("give the name alone, without `s3://`".to_owned());
    }
    if let Some(owner) = &expected_owner
        && !is_account(owner)
    {
        reader.wrong("s3_expected_owner", format!("must be the 12 digits of an account, got `{owner}`"));
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
            let path = path.unwrap_or_else(|| PathBuf::from("."));
            (CodeSource::Path(path), Some(Upload { bucket, key, expected_owner, kms_key_arn }))
        }
    }
}

pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

/// Globs choose among the files of the directory; maps bring others.
fn include(reader: &mut Reader) -> (Vec<String>, Vec<Bring>) {
    let Some(items) = reader.mixed("include") else { return Default::default() };
    let (mut globs, mut brought) = (Vec::new(), Vec::new());
    for item in items {
        match item.value {
            Value::Text(glob) => globs.push(glob),
            Value::Map(entries) => brought.extend(bring(reader, &entries, &item.place)),
            Value::Null | Value::List(_) => {}
        }
    }
    (globs, brought)
}

fn bring(reader: &mut Reader, entries: &[Entry], place: &Place) -> Option<Bring> {
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
    Some(Bring { from: from.into(), glob: glob.unwrap_or_else(|| "**".to_owned()), to: parts.join("/") })
}

/// Files that are read or written beside the package.
fn files(reader: &mut Reader, context: &Context<'_>) -> Vec<PathBuf> {
    let read = reader.list("env_file").unwrap_or_default();
    let written = super::RESULT_FILES.into_iter().filter_map(|name| reader.raw(name));
    read.into_iter().chain(written).map(|file| context.host.directory.join(file)).collect()
}

fn target(reader: &mut Reader, function: Option<&FunctionName>, context: &Context<'_>) -> Target {
    let of_arn = function.and_then(|function| function.region.clone());
    // A job's own AWS_REGION is no contradiction to an ARN that somebody wrote down.
    let ambient = matches!(reader.place("region"), Some(Place::Variable(name)) if name.starts_with("AWS_") || name.starts_with("LAMBDA_"));
    let region = reader.text("region").filter(|_| !(ambient && of_arn.is_some()));
    let region =
        region.or_else(|| context.host.variable("AWS_DEFAULT_REGION").filter(|_| of_arn.is_none()).map(str::to_owned));
    let like_a_region = |region: &str| {
        let outside = region.starts_with('-') || region.ends_with('-') || region.is_empty();
        !outside && region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if let Some(region) = &region
        && !like_a_region(region)
    {
        reader.wrong("region", format!("`{region}` is not a Region; one looks like `eu-west-1`"));
    }
    if let (Some(region), Some(of_arn)) = (&region, &of_arn)
        && region != of_arn
    {
        reader.wrong("region", format!("is {region}, but the ARN in `function_name` is of {of_arn}"));
    }
    let expect_account = reader.text("expect_account");
    if let Some(account) = &expect_account
        && !is_account(account)
    {
        reader.wrong("expect_account", format!("must be the 12 digits of an account, got `{account}`"));
    }
    let account = function.and_then(|function| function.account.clone());
    if let (Some(expected), Some(account)) = (&expect_account, &account)
        && expected != account
    {
        reader.wrong("expect_account", format!("is {expected}, but the ARN in `function_name` is of {account}"));
    }
    let account = expect_account.clone().or(account);
    let credentials = credentials::credentials(reader);
    // With endpoints for single services in the environment, the SDK is left to choose among them.
    let of_services = ["LAMBDA", "S3", "STS"]
        .iter()
        .any(|service| context.host.variable(&format!("AWS_ENDPOINT_URL_{service}")).is_some());
    let general = reader.place("endpoint_url") == Some(Place::Variable("AWS_ENDPOINT_URL".to_owned()));
    let endpoint_url = reader.text("endpoint_url").filter(|_| !(of_services && general));
    if let Some(url) = &endpoint_url
        && !is_url(url)
    {
        reader.wrong("endpoint_url", "must be a URL that begins with http:// or https://");
    }
    Target {
        region: region.or(of_arn),
        fallback_region: context.fallback_region.clone(),
        path_style: endpoint_url.is_some() || context.host.variable("AWS_ENDPOINT_URL_S3").is_some(),
        endpoint_url,
        role: credentials::role(reader, &credentials, expect_account.as_deref(), account, context),
        credentials,
        expect_account,
    }
}

fn is_url(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', ':', '?']).next()).unwrap_or_default();
    !host.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Whether the package was named in the words of `aws-actions/aws-lambda-deploy`, which has a default for the handler.
fn speaks_as_the_official_action(reader: &Reader) -> bool {
    matches!(reader.place("zip"), Some(Place::Variable(name)) if canonical(&name) == "input_code_artifacts_dir")
}

fn handler_parts(reader: &mut Reader, handler: Option<&Handler>) -> Option<HandlerParts> {
    let module = reader.text("module_name");
    let handler_name = reader.text("handler_name");
    if module.is_some() && handler_name.is_none() && handler.is_none() {
        reader.wrong("module_name", "needs `handler_name`, the method in it");
    }
    if handler.is_some() {
        return None;
    }
    Some(HandlerParts { module_name: module.unwrap_or_else(|| "index".to_owned()), handler_name: handler_name? })
}

fn fill(reader: &Reader, text: &str, context: &Context<'_>) -> String {
    interpolate::fill(text, |name| reader.raw(name), context.build, context.host)
}

/// A description is cut to AWS' limit only where something was filled in that nobody could foresee.
fn description(reader: &mut Reader, context: &Context<'_>) -> Option<Description> {
    let written = reader.text("description")?;
    let filled = described(reader, "description", &written, context)?;
    match Description::parse(&Written::Text(filled)) {
        Ok(description) => Some(description),
        Err(message) => {
            reader.wrong("description", message);
            None
        }
    }
}

fn described(reader: &mut Reader, name: &'static str, written: &str, context: &Context<'_>) -> Option<String> {
    const MOST: usize = 256;
    let filled = fill(reader, written, context);
    if filled.chars().count() <= MOST {
        return Some(filled);
    }
    if filled == written {
        reader.wrong(name, format!("is {} characters long, AWS takes at most {MOST}", filled.chars().count()));
        return None;
    }
    let warning =
        Problem::new(format!("is longer than {MOST} characters with its variables filled in, so it is cut")).of(name);
    reader.warnings.push(Problem { place: reader.place(name), ..warning });
    Some(filled.chars().take(MOST - 1).chain(['…']).collect())
}

fn release(reader: &mut Reader, context: &Context<'_>) -> Release {
    let publish = if reader.flag("publish") { Publish::Version } else { Publish::No };
    let written = reader.text("version_description");
    let version_description = match written {
        Some(written) => described(reader, "version_description", &written, context),
        None => default_version_description(context.build),
    };
    Release { publish, version_description, revision_id: reader.text("revision_id") }
}

/// Commit and build, so that `versions` answers what is live.
fn default_version_description(build: &Build) -> Option<String> {
    let commit = build.commit.as_ref().map(|commit| format!("commit {}", commit.chars().take(12).collect::<String>()));
    let number = build.number.as_ref().map(|number| format!("build {number}"));
    let parts: Vec<_> = [commit, number].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn others(reader: &mut Reader, name: &'static str) -> Option<Others> {
    reader.choice(name).map(|mode| if mode == "replace" { Others::Replace } else { Others::Merge })
}

fn environment(reader: &mut Reader, context: &Context<'_>) -> Option<Keyed<Option<Secret>>> {
    let others = others(reader, "environment_mode");
    let files = reader.list("env_file");
    let pairs = reader.map("environment");
    if files.is_none() && pairs.is_none() {
        if others.is_some() {
            reader.wrong("environment_mode", "is given without `environment` or `env_file`");
        }
        return None;
    }
    let mut entries = BTreeMap::new();
    for file in files.unwrap_or_default() {
        env_file(reader, &file, context, &mut entries);
    }
    for pair in pairs.unwrap_or_default() {
        if let Err(message) = check_variable_name(&pair.key) {
            reader.problems.push(Problem::new(message).of("environment").at(&pair.place));
        }
        let value = value(reader, &pair, context);
        reader.values.extend(value.clone().map(|value| (pair.key.clone(), value)));
        entries.insert(pair.key, value);
    }
    let size =
        Environment(entries.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()).size();
    if size > Environment::MOST {
        reader.wrong(
            "environment",
            format!("takes {size} bytes with all names and values, AWS allows {}", Environment::MOST),
        );
    }
    Some(Keyed { entries, others })
}

/// The value of a variable: its text, or that of a variable of ours. A null unsets.
fn value(reader: &mut Reader, pair: &Pair, context: &Context<'_>) -> Option<Secret> {
    let given = pair.value.as_ref()?;
    if let Some(text) = given.as_text() {
        return Some(Secret::new(text));
    }
    let Some(name) = given.get("from_env").and_then(Given::as_text) else {
        let problem = Problem::new(format!("`{}` must be a text or `{{from_env: NAME}}`", pair.key));
        reader.problems.push(problem.of("environment").at(&given.place));
        return None;
    };
    let found = context.host.variables.get(name);
    if found.is_none() {
        let problem = Problem::new(format!("`{}` is to come from the variable `{name}`, which is not set", pair.key));
        reader.problems.push(problem.of("environment").at(&given.place));
    }
    let found = found.map(|value| Secret::new(value.as_str()));
    reader.secrets.extend(found.clone());
    found
}

fn env_file(reader: &mut Reader, file: &str, context: &Context<'_>, entries: &mut BTreeMap<String, Option<Secret>>) {
    let text = match fs::read_to_string(context.host.directory.join(file)) {
        Ok(text) => text,
        Err(error) => {
            reader.wrong("env_file", format!("`{file}` cannot be read: {error}"));
            return;
        }
    };
    let place = |line| Place::file(&file.into(), line, 1);
    match dotenv::parse(&text) {
        Ok(pairs) => {
            for (key, value, line) in pairs {
                reader.values.push((key.clone(), Secret::new(value.as_str())));
                if let Err(message) = check_variable_name(&key) {
                    reader.problems.push(Problem::new(message).of("env_file").at(&place(line)));
                }
                entries.insert(key, Some(Secret::new(value)));
            }
        }
        Err((line, message)) => reader.problems.push(Problem::new(message).of("env_file").at(&place(line))),
    }
}

fn tags(reader: &mut Reader) -> Option<Keyed<String>> {
    let others = others(reader, "function_tags_mode");
    let Some(pairs) = reader.map("function_tags") else {
        if others.is_some() {
            reader.wrong("function_tags_mode", "is given without `function_tags`");
        }
        return None;
    };
    let mut entries = BTreeMap::new();
    for pair in pairs {
        let text = pair.value.as_ref().map_or(Some(""), Given::as_text);
        let wrong = match text {
            None => Some("must have a text as its value"),
            Some(_) if pair.key.is_empty() => Some("is no key: a tag needs one"),
            Some(_) if pair.key.starts_with("aws:") => Some("begins with `aws:`, which AWS keeps for itself"),
            Some(text) if pair.key.chars().count() > 128 || text.chars().count() > 256 => {
                Some("is too long: AWS takes 128 characters for a key and 256 for a value")
            }
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            reader.problems.push(Problem::new(format!("`{}` {wrong}", pair.key)).of("function_tags").at(&pair.place));
        }
        entries.insert(pair.key, text.unwrap_or_default().to_owned());
    }
    if entries.len() > 50 {
        reader.wrong("function_tags", format!("has {} tags, AWS takes at most 50", entries.len()));
    }
    Some(Keyed { entries, others })
}

/// Emptying a setting is wanting it empty.
fn clear(reader: &mut Reader, settings: &mut Settings, environment: &mut Option<Keyed<Option<Secret>>>) {
    for name in reader.list("clear").unwrap_or_default() {
        let name = canonical(&name);
        let given = reader.place(&name).is_some() || (name == "environment" && reader.place("env_file").is_some());
        match name.as_str() {
            "description" => settings.description = Some(Description(String::new())),
            "kms_key_arn" => settings.kms_key_arn = Some(Arn(String::new())),
            "dead_letter_arn" => settings.dead_letter_arn = Some(Arn(String::new())),
            "layers" => settings.layers = Some(Layers::default()),
            "subnet_ids" => settings.subnet_ids = Some(Ids::default()),
            "security_group_ids" => settings.security_group_ids = Some(Ids::default()),
            "environment" => *environment = Some(Keyed { entries: BTreeMap::new(), others: Some(Others::Replace) }),
            other => {
                let problem = reader.wrong("clear", format!("`{other}` cannot be emptied"));
                problem.help = Some(
                    "what can: description, kms_key_arn, dead_letter_arn, layers, environment, subnet_ids, security_group_ids".to_owned(),
                );
                continue;
            }
        }
        if given {
            reader.wrong("clear", format!("names `{name}`, which is also given"));
        }
    }
}

/// Commands to run afterwards, with `%{…}` filled in.
pub(super) fn commands(reader: &mut Reader, context: &Context<'_>) -> Vec<String> {
    let commands = reader.list("run").unwrap_or_default();
    commands.iter().map(|command| fill(reader, command, context)).collect()
}
