//! From one merged layer to a `Deployment`: everything known, as meant.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use super::{
    Purpose, attachments, code, credentials, dotenv, interpolate,
    layer::Given,
    network,
    options::{self, canonical},
    read::{MOST_PAIRS, Pair, Reader},
    script::{Refusal, Script},
    trust::Trust,
};
use crate::arn::check_account;
use crate::deployment::{
    Deployment, FirstRole, HandlerParts, Keyed, Others, Publish, Release, Target, WantedAttachments,
};
use crate::files;
use crate::host::{Build, Ci, Host};
use crate::place::{Place, Problem};
use crate::settings::{
    Address, AliasName, Attachment, Description, Environment, FunctionName, Handler, Ids, Reach, Secret, Setting,
    Settings, Source, Structure, Switch, Written, check_variable_name, holds_secret, sounds_secret,
};

/// Seconds that waiting may take when the user does not say.
pub(super) const WAIT_TIMEOUT: u64 = 600;

/// The same where published versions start from snapshots, which take minutes to make.
const WAIT_TIMEOUT_WITH_SNAPSHOTS: u64 = 1800;

/// No CI runs a job for longer than a day.
const MOST_WAIT_TIMEOUT: u64 = 86_400;

/// The services that are called, by their names in `AWS_ENDPOINT_URL_<SERVICE>`.
const SERVICES: [&str; 6] = ["LAMBDA", "S3", "STS", "IAM", "ECR", "CLOUDWATCH_LOGS"];

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
    /// What files may say.
    pub trust: Trust,
    /// The Region where nothing else says one.
    pub fallback_region: Option<String>,
}

/// Everything about one function. Nothing comes back when something is wrong; the reader then has the problems.
pub(super) fn deployment(reader: &mut Reader, context: &Context<'_>) -> Option<Deployment> {
    let function = function(reader);
    let mut settings = Settings::given(reader);
    settings.role = reader.setting("role");
    settings.handler = reader.setting("handler");
    settings.description = description(reader, context);
    let handler_parts = handler_parts(reader, settings.handler.as_ref());
    let first_handler = speaks_as_the_official_action(reader).then(|| Handler("index.handler".to_owned()));
    let first_role = if reader.flag("create_role") { FirstRole::Made } else { FirstRole::None };
    let mut environment = environment(reader, context);
    let tags = tags(reader);
    vpc_config(reader, &mut settings);
    vpc_ids(reader, &settings);
    for (setting, message, most) in settings.beyond_usual() {
        let help =
            format!("lower it, or set `capacity_provider_config`: functions on Managed Instances have up to {most}");
        reader.wrong(setting.name(), message).help = Some(help);
    }
    let mut attachments = attachments::attachments(reader);
    clear(reader, &mut settings, &mut environment, &mut attachments);
    let target = target(reader, function.as_ref(), context);
    let code = code::code(reader, context);
    let release = release(reader, context);
    let wait_timeout = wait_timeout(reader, usual_wait(&settings));
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
        first_role,
        environment,
        tags,
        code,
        release,
        attachments,
        wait_timeout,
    })
}

/// The function; nothing where none is named, which the reader then knows.
pub(super) fn function(reader: &mut Reader) -> Option<FunctionName> {
    if reader.place("function_name").is_none() {
        let problem = Problem::new("no function is named").of("function_name");
        let problem = Problem { place: reader.block.clone(), ..problem };
        reader.problems.push(
            problem.help("set it in `dpl.yml`, with `--function_name`, or in the variable `DPL_LAMBDA_FUNCTION_NAME`"),
        );
    }
    reader.setting("function_name")
}

/// Versions that start from snapshots take their time.
fn usual_wait(settings: &Settings) -> u64 {
    let snapshots = settings.snap_start.as_ref().and_then(|snap_start| snap_start.text("ApplyOn"));
    if snapshots.as_deref() == Some("PublishedVersions") { WAIT_TIMEOUT_WITH_SNAPSHOTS } else { WAIT_TIMEOUT }
}

/// How long all waiting may take; the usual where nothing is said.
pub(super) fn wait_timeout(reader: &mut Reader, usual: u64) -> Duration {
    let seconds = reader.number("wait_timeout", "seconds").unwrap_or(usual);
    if !(1..=MOST_WAIT_TIMEOUT).contains(&seconds) {
        reader.wrong("wait_timeout", format!("must be between 1 and {MOST_WAIT_TIMEOUT} seconds, got {seconds}"));
    }
    Duration::from_secs(seconds)
}

pub(super) fn target(reader: &mut Reader, function: Option<&FunctionName>, context: &Context<'_>) -> Target {
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
    if let Some(Err(why)) = expect_account.as_deref().map(check_account) {
        reader.wrong("expect_account", why);
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
    let of_services =
        SERVICES.iter().any(|service| context.host.variable(&format!("AWS_ENDPOINT_URL_{service}")).is_some());
    let general = reader.place("endpoint_url") == Some(Place::Variable("AWS_ENDPOINT_URL".to_owned()));
    let endpoint_url = reader.text("endpoint_url").filter(|_| !(of_services && general));
    if let (Some(url), Some(place)) = (&endpoint_url, reader.place("endpoint_url"))
        && let Err(problem) = carries_credentials(url, &place)
    {
        reader.problems.push(problem.of("endpoint_url"));
    }
    for service in SERVICES {
        let name = format!("AWS_ENDPOINT_URL_{service}");
        if let Some(url) = context.host.variable(&name)
            && let Err(problem) = carries_credentials(url, &Place::Variable(name))
        {
            reader.problems.push(problem);
        }
    }
    let certificates = match context.purpose {
        // These call nobody.
        Purpose::Check | Purpose::Package | Purpose::Render => None,
        Purpose::Deploy | Purpose::Plan | Purpose::Live | Purpose::Region => {
            let here = endpoint_url.as_deref().and_then(Address::parse).is_some_and(|address| address.is_here());
            if !here {
                reader.problems.extend(network::proxies(context.host));
            }
            network::certificates(context.host).unwrap_or_else(|problem| {
                reader.problems.push(problem);
                None
            })
        }
    };
    Target {
        region: region.or(of_arn),
        fallback_region: context.fallback_region.clone(),
        path_style: endpoint_url.is_some() || context.host.variable("AWS_ENDPOINT_URL_S3").is_some(),
        endpoint_url,
        certificates,
        role: credentials::role(reader, &credentials, expect_account.as_deref(), account, context),
        credentials,
        expect_account,
    }
}

/// Whether an address is one, and nobody on the way to it can read what is sent.
fn carries_credentials(url: &str, place: &Place) -> Result<(), Problem> {
    let Some(address) = Address::parse(url) else {
        return Err(Problem::new("must be a URL that begins with http:// or https://").at(place));
    };
    let is_private = match address.reach() {
        Reach::Here => true,
        Reach::Near => place.in_file().is_none(),
        Reach::Far => false,
    };
    if address.is_encrypted() || is_private {
        return Ok(());
    }
    let problem = Problem::new("would send credentials over a network that others can read").at(place);
    Err(problem.help("use https://; http:// is for this machine, and from flags and variables for names without a dot and private addresses"))
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

/// Where a secret can stand.
pub(super) const HIDE_IN_ENVIRONMENT: &str = "leave it out; a function gets a secret by `environment`, with `{from_env: NAME}`; rename the variable if it holds none";

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

pub(super) fn described(
    reader: &mut Reader,
    name: &'static str,
    written: &str,
    context: &Context<'_>,
) -> Option<String> {
    const MOST: usize = 256;
    let secret = interpolate::variables(written)
        .find(|variable| context.host.variable(variable).is_some_and(|value| holds_secret(variable, value)));
    if let Some(variable) = secret {
        let problem =
            reader.wrong(name, format!("would show the secret in `{variable}` to everybody who may look at it in AWS"));
        problem.help = Some(HIDE_IN_ENVIRONMENT.to_owned());
        return None;
    }
    let filled = fill(reader, written, context);
    if filled.chars().count() <= MOST {
        return Some(filled);
    }
    if filled == written {
        reader.wrong(name, format!("is {} characters long, AWS accepts at most {MOST}", filled.chars().count()));
        return None;
    }
    let warning =
        Problem::new(format!("is longer than {MOST} characters with its variables filled in, so it is cut")).of(name);
    reader.warnings.push(Problem { place: reader.place(name), ..warning });
    Some(filled.chars().take(MOST - 1).chain(['…']).collect())
}

fn release(reader: &mut Reader, context: &Context<'_>) -> Release {
    let alias: Option<AliasName> = reader.setting("alias");
    if alias.is_some() && reader.has("publish") && !reader.flag("publish") {
        let problem = reader.wrong("publish", "is false, but `alias` points at a published version");
        problem.help = Some("leave `publish` out, or `alias`".to_owned());
    }
    let publish = if reader.flag("publish") || alias.is_some() { Publish::Version } else { Publish::No };
    let keep_versions = reader.number("keep_versions", "versions");
    if keep_versions == Some(0) {
        reader.wrong("keep_versions", "must be at least 1: the newest version is the one deployed");
    }
    let written = reader.text("version_description");
    let version_description = match written {
        Some(written) => described(reader, "version_description", &written, context),
        None => default_version_description(context.build),
    };
    Release { publish, alias, keep_versions, version_description, revision_id: reader.text("revision_id") }
}

/// Commit and build, so that `versions` answers what is live.
pub(super) fn default_version_description(build: &Build) -> Option<String> {
    let commit = build.commit.as_ref().map(|commit| format!("commit {}", commit.chars().take(12).collect::<String>()));
    let number = build.number.as_ref().map(|number| format!("build {number}"));
    let parts: Vec<_> = [commit, number].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

pub(super) fn others(reader: &mut Reader, name: &'static str) -> Option<Others> {
    reader.choice(name).map(|mode| if mode == "replace" { Others::Replace } else { Others::Merge })
}

pub(super) fn environment(reader: &mut Reader, context: &Context<'_>) -> Option<Keyed<Option<Secret>>> {
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
        reader.wrong("environment", format!("takes {size} bytes as JSON, AWS accepts at most {}", Environment::MOST));
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
    if credentials::holds_credentials(name) && !context.trust.is_free(&given.place) {
        let problem = Problem::new(format!("`{}` would get the credentials of this job, in `{name}`", pair.key));
        let help = "give the function credentials of its own, or a role; where nobody changes the file without a review, `--trust_config` allows it";
        reader.problems.push(problem.of("environment").at(&given.place).help(help));
        return None;
    }
    if found.is_none() {
        let problem = Problem::new(format!("`{}` is to come from the variable `{name}`, which is not set", pair.key));
        let problem = problem.of("environment").at(&given.place);
        // A job that only looks need not have what a deployment needs.
        let told = if matches!(context.purpose, Purpose::Deploy | Purpose::Plan) {
            &mut reader.problems
        } else {
            &mut reader.warnings
        };
        told.push(problem);
    }
    let found = found.map(|value| Secret::new(value.as_str()));
    let is_secret = sounds_secret(&pair.key) || found.as_ref().is_some_and(|value| holds_secret(name, value.expose()));
    if is_secret { &mut reader.secrets } else { &mut reader.taken }.extend(found.clone());
    found
}

fn env_file(reader: &mut Reader, file: &str, context: &Context<'_>, entries: &mut BTreeMap<String, Option<Secret>>) {
    let text = match files::text(&context.host.directory.join(file)) {
        Ok(text) => text,
        Err(error) => {
            reader.wrong("env_file", format!("`{file}` {error}"));
            return;
        }
    };
    let place = |line| Place::file(&file.into(), line, 1);
    match dotenv::parse(&text) {
        Ok(pairs) if pairs.len() > MOST_PAIRS => {
            let message = format!("has {} variables, and at most {MOST_PAIRS} are taken", pairs.len());
            reader.problems.push(Problem::new(message).of("env_file").at(&place(1)));
        }
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

/// Whether keys and values of tags may have a character: letters, digits and blanks of any script, and a few others.
fn in_a_tag(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
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
            Some(text) if !pair.key.chars().chain(text.chars()).all(in_a_tag) => {
                Some("has a character that AWS refuses: key and value may have letters, digits, blanks and `_.:/=+-@`")
            }
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            reader.problems.push(Problem::new(format!("`{}` {wrong}", pair.key)).of("function_tags").at(&pair.place));
        }
        entries.insert(pair.key, text.unwrap_or_default().to_owned());
    }
    if entries.len() > 50 {
        reader.wrong("function_tags", format!("has {} tags, AWS accepts at most 50", entries.len()));
    }
    Some(Keyed { entries, others })
}

/// Emptying a setting is wanting it empty.
fn clear(
    reader: &mut Reader,
    settings: &mut Settings,
    environment: &mut Option<Keyed<Option<Secret>>>,
    attachments: &mut WantedAttachments,
) {
    for name in reader.list("clear").unwrap_or_default() {
        let name = canonical(&name);
        let Some(name) = options::clearable().find(|clearable| *clearable == name) else {
            let names: Vec<_> = options::clearable().collect();
            let problem = reader.wrong("clear", format!("`{name}` cannot be emptied"));
            problem.help = Some(format!("what can: {}", names.join(", ")));
            continue;
        };
        if reader.has(name) || (name == "environment" && reader.has("env_file")) {
            reader.wrong("clear", format!("names `{name}`, which is also given"));
        }
        let attachment = Attachment::ALL.into_iter().find(|attachment| attachment.option() == name);
        if let Some(attachment) = attachment {
            attachments.insert(attachment, attachments::one(None));
        } else if name == "environment" {
            *environment = Some(Keyed { entries: BTreeMap::new(), others: Some(Others::Replace) });
        } else if let Ok(setting) = name.parse() {
            settings.clear(setting);
        }
    }
}

/// The API's own structure stands for three options.
fn vpc_config(reader: &mut Reader, settings: &mut Settings) {
    let Some(vpc) = reader.setting::<Structure>("vpc_config") else { return };
    for name in ["subnet_ids", "security_group_ids", "ipv6_allowed_for_dual_stack"] {
        if reader.has(name) {
            reader.wrong("vpc_config", format!("is given together with `{name}`, which it stands for"));
        }
    }
    let ids = |reader: &mut Reader, member: &str| match Ids::parse(&Written::List(vpc.texts(member)?)) {
        Ok(ids) => Some(ids),
        Err(message) => {
            reader.wrong("vpc_config", message);
            None
        }
    };
    settings.subnet_ids = ids(reader, "SubnetIds");
    settings.security_group_ids = ids(reader, "SecurityGroupIds");
    settings.ipv6_allowed_for_dual_stack = vpc.flag("Ipv6AllowedForDualStack").map(Switch);
}

/// Subnets and security groups have ids of their own, and AWS limits their numbers.
fn vpc_ids(reader: &mut Reader, settings: &Settings) {
    let both = [
        ("subnet_ids", &settings.subnet_ids, "subnet-", 16),
        ("security_group_ids", &settings.security_group_ids, "sg-", 5),
    ];
    for (name, ids, prefix, most) in both {
        let ids = ids.as_ref().map_or_else(Vec::new, |Ids(ids)| ids.iter().collect());
        let good = |id: &&&String| id.strip_prefix(prefix).is_some_and(|rest| id.len() <= 1_024 && !rest.contains('-'));
        let name = if reader.has("vpc_config") { "vpc_config" } else { name };
        if let Some(odd) = ids.iter().find(|id| !good(id)) {
            reader.wrong(name, format!("`{odd}` is not an id such as `{prefix}0a1b2c3d`"));
        }
        if ids.len() > most {
            reader.wrong(name, format!("has {} of `{prefix}…`, AWS accepts at most {most}", ids.len()));
        }
    }
}

/// Commands to run afterwards.
pub(super) fn commands(reader: &mut Reader, context: &Context<'_>) -> Vec<Script> {
    let mut scripts = Vec::new();
    let places = reader.places();
    for command in reader.list("run").unwrap_or_default() {
        let option = |name: &str| reader.raw(name);
        match Script::of(&command, |name| interpolate::value(name, &option, context.build, context.host)) {
            Ok(script) => scripts.push(script),
            Err(Refusal { message, help }) => {
                let place = places.of_item("run", &command).cloned().or_else(|| reader.place("run"));
                reader.problems.push(Problem { place, ..Problem::new(message).of("run").help(help) });
            }
        }
    }
    scripts
}
