//! The settings to send, once the live function is known: composes handlers, completes names, merges maps.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Plan;
use crate::arn::Arn;
use crate::deployment::{Deployment, MapMode, WantedMap};
use crate::package::Artifact;
use crate::package::inspect::Survey;
use crate::remote::{Caller, Live};
use crate::settings::{Environment, Handler, Ids, Role, Runtime, Secret, SettingName, Settings, Switch};

/// Settings that AWS accepts only together.
const TOGETHER: &[&[SettingName]] =
    &[&[SettingName::SubnetIds, SettingName::SecurityGroupIds, SettingName::Ipv6AllowedForDualStack]];

/// The default runtime of a package with its own `bootstrap`.
const OWN_RUNTIME: &str = "provided.al2023";

/// The settings that the function should have. A forbidden change becomes a problem of the plan.
pub(super) fn settings(
    deployment: &Deployment,
    artifact: Option<&Artifact>,
    live: Option<&Live>,
    caller: &Caller,
    plan: &mut Plan,
) -> Settings {
    let mut wanted = with_handler(deployment, live.and_then(|live| live.settings.runtime.as_ref()));
    if live.is_none() {
        // An image brings its own runtime.
        if let Some(artifact) = artifact {
            start_bootstrap(&mut wanted, &artifact.survey);
        }
        wanted.handler = wanted.handler.or_else(|| deployment.first_handler.clone());
    }
    wanted.role = wanted.role.map(|role| completed_role(role, live, caller));
    if let Some(managed) = &deployment.environment {
        wanted.environment = Some(environment(deployment, managed, live, plan));
    }
    // AWS refuses to detach a function from its VPC while IPv6 is on.
    let empty = |ids: &Option<Ids>| ids.as_ref().is_some_and(|ids| ids.0.is_empty());
    let keeps = live.is_some_and(|live| live.settings.ipv6_allowed_for_dual_stack == Some(Switch(true)));
    if keeps && empty(&wanted.subnet_ids) && empty(&wanted.security_group_ids) {
        wanted.ipv6_allowed_for_dual_stack.get_or_insert(Switch(false));
    }
    wanted
}

/// Sets runtime and handler for a package with a `bootstrap`: AWS requires both for a new function.
fn start_bootstrap(wanted: &mut Settings, survey: &Survey) {
    if wanted.runtime.is_none() && wanted.handler.is_none() && survey.has_bootstrap() {
        wanted.runtime = Some(Runtime(OWN_RUNTIME.to_owned()));
    }
    if wanted.runtime.as_ref().is_some_and(Runtime::starts_bootstrap) {
        wanted.handler.get_or_insert_with(|| Handler("bootstrap".to_owned()));
    }
}

/// The settings that the configuration names, before the live function is known.
pub(super) fn named(deployment: &Deployment) -> Settings {
    with_handler(deployment, None)
}

/// The named settings, with the handler composed for the runtime: the named runtime, or else the live one.
fn with_handler(deployment: &Deployment, live: Option<&Runtime>) -> Settings {
    let mut wanted = deployment.settings.clone();
    if let Some(parts) = &deployment.handler_parts {
        let runtime = wanted.runtime.as_ref().or(live);
        let separator = runtime.map_or(Some("."), separator);
        wanted.handler = Some(Handler(match separator {
            Some(separator) => format!("{}{separator}{}", parts.module_name, parts.handler_name),
            None => parts.handler_name.clone(),
        }));
    }
    wanted
}

/// The separator between module and method; `None` if the handler is the method alone. dpl's rule, by the prefix of the
/// runtime.
fn separator(runtime: &Runtime) -> Option<&'static str> {
    match runtime.0.as_str() {
        name if name.starts_with("java") || name.starts_with("dotnet") => Some("::"),
        name if name.starts_with("go") => None,
        _ => Some("."),
    }
}

/// Turns the name of a role into an ARN in the account of the function.
fn completed_role(role: Role, live: Option<&Live>, caller: &Caller) -> Role {
    let Role::Name(name) = role else { return role };
    let of_function = live.and_then(|live| Some(Arn::of(&live.arn)?.account.to_owned()));
    match of_function.or_else(|| caller.account.clone()) {
        Some(account) => Role::Arn(caller.partition.role(&account, &name)),
        None => Role::Name(name),
    }
}

fn environment(
    deployment: &Deployment,
    managed: &WantedMap<Option<Secret>>,
    live: Option<&Live>,
    plan: &mut Plan,
) -> Environment {
    let mut named: BTreeMap<_, _> =
        managed.entries.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect();
    // A value that was not read may be the live one. Such a plan is only shown.
    for key in deployment.unread_keys("environment") {
        let known = live.and_then(|live| live.settings.environment.as_ref()?.0.get(key));
        named.insert(key.to_owned(), known.cloned().unwrap_or_else(|| Secret::new("")));
    }
    let Some(live) = live else { return Environment(named) };
    let Some(known) = &live.settings.environment else {
        if managed.mode != Some(MapMode::Replace) {
            let help =
                "allow the use of the KMS key, or set `environment_mode: replace` to set exactly the variables named";
            plan.refuse(
                "environment",
                "the function's variables could not be read, so it is unknown which to keep",
                help,
            );
        }
        return Environment(named);
    };
    let is_named = |key: &String| managed.entries.contains_key(key) || named.contains_key(key);
    let others: Vec<_> = known.0.iter().filter(|(key, _)| !is_named(key)).collect();
    let rest = others.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", ");
    let mut wanted = named;
    match managed.mode {
        Some(MapMode::Replace) => {}
        Some(MapMode::Merge) => {
            if !others.is_empty() {
                plan.notes.push(format!("left alone: variables that are not named: {rest}"));
            }
            wanted.extend(others.into_iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        None if others.is_empty() => {}
        None => {
            let message = format!("the function has variables that are not named and would be dropped: {rest}");
            let help =
                "name them, or set `environment_mode: merge` to keep them, `environment_mode: replace` to drop them";
            plan.refuse("environment", message, help);
        }
    }
    let environment = Environment(wanted);
    if environment.size() > Environment::MOST {
        let message = format!(
            "takes {} bytes as JSON together with the live variables, AWS accepts at most {}",
            environment.size(),
            Environment::MOST
        );
        plan.refuse("environment", message, "shorten or drop variables");
    }
    environment
}

/// The settings that differ, and those that AWS accepts only together with them.
pub(super) fn completed(wanted: &Settings, live: &Settings) -> Settings {
    let mut names = wanted.differing(live);
    for group in TOGETHER {
        if group.iter().any(|name| names.contains(name)) {
            names.extend_from_slice(group);
        }
    }
    let mut sent = wanted.or(live).only(&names);
    // AWS accepts log levels only with the format JSON, so those of the live function are left out.
    if let Some(Json::Object(members)) = sent.logging_config.as_mut().map(|config| &mut config.0)
        && members.get("LogFormat").and_then(Json::as_str) == Some("Text")
    {
        members.retain(|name, _| !name.ends_with("LogLevel"));
    }
    sent
}
