//! From merged options to a `Deployment`.

use std::{collections::BTreeMap, time::Duration};

use super::{
    attachments,
    context::Context,
    description, environment, half, interpolate,
    layer::yes_or_no,
    options::{self, canonical},
    read::Reader,
    script::Refusal,
    shifting, smoke, target,
};
use crate::deployment::{
    Deployment, HandlerParts, Keep, MapMode, MissingRole, Publish, Release, RolledBack, WantedAttachments, WantedMap,
};
use crate::place::{Place, Problem};
use crate::release::Script;
use crate::settings::{
    AliasName, Attachment, FunctionName, Handler, Ids, Secret, Setting, Settings, Source, Structure, Switch, Written,
};

/// The default of `wait_timeout`, in seconds.
pub(super) const WAIT_TIMEOUT: u64 = 600;

/// The default if published versions start from snapshots: AWS needs minutes to make one.
const WAIT_TIMEOUT_WITH_SNAPSHOTS: u64 = 1800;

/// The deployment of a function; `None` after an error, which the reader then has.
pub(super) fn deployment(reader: &mut Reader, context: &Context<'_>) -> Option<Deployment> {
    let function = function(reader);
    let default_wait = default_wait(reader);
    let (mut code, only) = half::narrowed(reader, context);
    let mut settings = Settings::given(reader);
    settings.role = reader.setting("role");
    settings.handler = reader.setting("handler");
    settings.description = description::of_function(reader, context);
    let handler_parts = handler_parts(reader, settings.handler.as_ref());
    let first_handler = has_input_of_official_action(reader).then(|| Handler("index.handler".to_owned()));
    let missing_role = if reader.flag("create_role") { MissingRole::Create } else { MissingRole::Error };
    let mut environment = environment::environment(reader, context);
    let tags = environment::tags(reader);
    vpc_config(reader, &mut settings);
    vpc_ids(reader, &settings);
    for (setting, message, most) in settings.beyond_usual() {
        let help =
            format!("lower it, or set `capacity_provider_config`: functions on Managed Instances have up to {most}");
        reader.wrong(setting.name(), message).help = Some(help);
    }
    let mut attachments = attachments::attachments(reader);
    clear(reader, &mut settings, &mut environment, &mut attachments);
    let target = target::target(reader, function.as_ref(), context);
    code.rules.mounts = mounts(&settings);
    let release = release(reader, &attachments, context);
    let wait_timeout = wait_timeout(reader, default_wait);
    if !reader.problems.is_empty() {
        return None;
    }
    let function = function?;
    Some(Deployment {
        function,
        only,
        target,
        settings,
        handler_parts,
        first_handler,
        missing_role,
        environment,
        tags,
        code,
        release,
        attachments,
        borrowed: reader.references.borrowed.clone(),
        wait_timeout,
    })
}

/// The name of the function; `None` after an error, which the reader then has.
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

/// The default for the limit of all waits, in seconds.
fn default_wait(reader: &mut Reader) -> u64 {
    let snap_start: Option<Structure> = reader.setting("snap_start");
    let snapshots = snap_start.and_then(|snap_start| snap_start.text("ApplyOn"));
    if snapshots.as_deref() == Some("PublishedVersions") { WAIT_TIMEOUT_WITH_SNAPSHOTS } else { WAIT_TIMEOUT }
}

/// The limit of all waits. `default` is in seconds.
pub(super) fn wait_timeout(reader: &mut Reader, default: u64) -> Duration {
    Duration::from_secs(reader.number("wait_timeout", "seconds").map_or(default, u64::from))
}

/// Whether the package has its name from the input of `aws-actions/aws-lambda-deploy`. That action has a default handler.
fn has_input_of_official_action(reader: &Reader) -> bool {
    matches!(reader.place("zip"), Some(Place::Variable(name)) if canonical(&name) == "input_code_artifacts_dir")
}

fn handler_parts(reader: &mut Reader, handler: Option<&Handler>) -> Option<HandlerParts> {
    let module = reader.text("module_name");
    let handler_name = reader.text("handler_name");
    if module.is_some() && handler_name.is_none() && handler.is_none() {
        reader.wrong("module_name", "needs `handler_name`, the method in the module");
    }
    if handler.is_some() {
        return None;
    }
    Some(HandlerParts { module_name: module.unwrap_or_else(|| "index".to_owned()), handler_name: handler_name? })
}

fn release(reader: &mut Reader, attachments: &WantedAttachments, context: &Context<'_>) -> Release {
    let alias: Option<AliasName> = reader.setting("alias");
    let publish = match reader.text("publish").as_deref().map(yes_or_no) {
        Some(Some(false)) => Some(Publish::No),
        Some(Some(true)) => Some(Publish::Version),
        Some(None) => reader.choice("publish").map(|_| Publish::Always),
        None => None,
    };
    if alias.is_some() && publish == Some(Publish::No) {
        let problem = reader.wrong("publish", "is false, but `alias` needs a published version");
        problem.help = Some("remove `publish` or `alias`".to_owned());
    }
    let publish = publish.unwrap_or(if alias.is_some() { Publish::Version } else { Publish::No });
    let keep_versions = keep_versions(reader);
    let rolled_back = if reader.flag("redeploy") { RolledBack::Redeployed } else { RolledBack::Held };
    let version_description = description::of_version(reader, context);
    let tests = smoke::tests(reader, context);
    let shifting = shifting::schedule(reader, alias.as_ref(), attachments);
    let on_failure = shifting::on_failure(reader, alias.as_ref(), context.after_failure);
    let commands = reader.list("run").map_or(0, |commands| commands.len());
    Release {
        publish,
        alias,
        keep_versions,
        rolled_back,
        build: context.build.id.clone(),
        version_description,
        revision_id: reader.text("revision_id"),
        tests,
        shifting,
        on_failure,
        commands,
    }
}

/// The old versions to keep. With `days` alone, at least the newest is kept.
fn keep_versions(reader: &mut Reader) -> Option<Keep> {
    let keep = reader.setting::<Structure>("keep_versions")?;
    let number = |member: &str| keep.number(member).map(i32::unsigned_abs);
    let (count, days) = (number("Count"), number("Days"));
    if count.is_none() && days.is_none() {
        reader.wrong("keep_versions", "needs `count`, `days` or both");
    }
    Some(Keep { count: count.and_then(|count| count.try_into().ok()).unwrap_or(1), days })
}

/// Adds the settings of `clear`: each is wanted empty.
fn clear(
    reader: &mut Reader,
    settings: &mut Settings,
    environment: &mut Option<WantedMap<Option<Secret>>>,
    attachments: &mut WantedAttachments,
) {
    for name in reader.list("clear").unwrap_or_default() {
        let name = canonical(&name);
        let Some(name) = options::clearable().find(|clearable| *clearable == name) else {
            let names: Vec<_> = options::clearable().collect();
            let problem = reader.wrong("clear", format!("`{name}` cannot be emptied"));
            problem.help = Some(format!("these can: {}", names.join(", ")));
            continue;
        };
        if reader.has(name) || (name == "environment" && reader.has("env_file")) {
            reader.wrong("clear", format!("names `{name}`, which is also given"));
        }
        let attachment = Attachment::ALL.into_iter().find(|attachment| attachment.option() == name);
        if let Some(attachment) = attachment {
            attachments.insert(attachment, attachments::one(None));
        } else if name == "environment" {
            *environment = Some(WantedMap { entries: BTreeMap::new(), mode: Some(MapMode::Replace) });
        } else if let Ok(setting) = name.parse() {
            settings.clear(setting);
        }
    }
}

/// Reads the three options that `vpc_config` has as one map.
/// The paths at which the function mounts file systems.
fn mounts(settings: &Settings) -> Vec<String> {
    let configs = settings.file_system_configs.iter().filter_map(|configs| configs.0.as_array()).flatten();
    configs.filter_map(|config| config.get("LocalMountPath")?.as_str().map(str::to_owned)).collect()
}

fn vpc_config(reader: &mut Reader, settings: &mut Settings) {
    let Some(vpc) = reader.setting::<Structure>("vpc_config") else { return };
    for name in ["subnet_ids", "security_group_ids", "ipv6_allowed_for_dual_stack"] {
        if reader.has(name) {
            reader.wrong("vpc_config", format!("is given together with `{name}`, which is a part of it"));
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

/// The commands of `run`.
pub(super) fn commands(reader: &mut Reader, context: &Context<'_>) -> Vec<Script> {
    let mut scripts = Vec::new();
    let places = reader.places();
    for command in reader.list("run").unwrap_or_default() {
        let named = |name: &str| reader.named(name);
        match Script::of(&command, |name| interpolate::value(name, &named, context.build, context.host)) {
            Ok(script) => scripts.push(script),
            Err(Refusal { message, help }) => {
                let place = places.of_item("run", &command).cloned().or_else(|| reader.place("run"));
                reader.problems.push(Problem { place, ..Problem::new(message).of("run").help(help) });
            }
        }
    }
    scripts
}
