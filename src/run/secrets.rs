//! The values to redact, where to redact them, and the names that are never redacted.
//!
//! - A *secret* is hidden everywhere: credentials, tokens, values of variables with secret names, passwords in URLs.
//! - A *value* is hidden too, but not inside of a name that AWS shows to everyone. Values are those that came
//!   `from_env` under names that are not secret, and literal and live values under secret names that are also part of a
//!   name.
//! - All other values of an environment are hidden only in text that AWS or a command wrote.

use crate::aws::Hidden;
use crate::cli::CommandLine;
use crate::config::Loaded;
use crate::deployment::{Code, CodeSource, Deployment, Item, ObjectKey, SourceFunction, Target};
use crate::host::Host;
use crate::reference::Found;
use crate::remote::Caller;
use crate::report::Console;
use crate::settings::{Role, Setting, passwords, sounds_secret};

/// Hides the secrets in the environment of the process, even those that the configuration does not use.
pub(super) fn hide_surroundings(host: &Host, console: &Console) {
    for (name, value) in &host.variables {
        if sounds_secret(name) {
            console.hide(value);
        }
        hide_passwords(value, console);
        // A proxy may be named without its scheme.
        if name.to_ascii_uppercase().ends_with("PROXY") && !value.contains("://") {
            hide_passwords(&format!("http://{value}"), console);
        }
    }
}

/// Hides secrets on the command line, even on a wrong one.
pub(super) fn hide_given(CommandLine { secrets, values, .. }: &CommandLine, console: &Console) {
    for secret in secrets {
        console.hide(secret.expose());
    }
    for value in values {
        console.hide_outside_names(value.expose());
    }
}

/// Hides the passwords in the URLs of a text, even when they appear without the URL.
fn hide_passwords(text: &str, console: &Console) {
    for password in passwords(text) {
        console.hide(&password);
    }
}

/// Hides the secrets of the configuration, even if it has errors.
pub(super) fn hide_configured(loaded: &Loaded, console: &Console) {
    let borrowed = || loaded.entries.iter().filter_map(|entry| entry.item.function()).flat_map(|of| &of.borrowed);
    let is_borrowed = |name: &String| {
        let mut values = borrowed().filter_map(|borrowed| borrowed.value.as_ref());
        values.any(|value| value.expose() == name || value.expose().split(',').any(|item| item.trim() == name))
    };
    let mut names = names(loaded);
    // The reference is shown, and not the value.
    names.retain(|name| !is_borrowed(name));
    for name in &names {
        console.keep(name);
    }
    loaded.secrets.iter().for_each(|secret| console.hide_everywhere(secret.expose()));
    loaded.taken.iter().for_each(|value| console.hide_outside_names(value.expose()));
    for (name, value) in &loaded.values {
        let value = value.expose();
        match sounds_secret(name) {
            true if names.iter().any(|name| name.contains(value)) => console.hide_outside_names(value),
            true => console.hide_everywhere(value),
            false => hide_passwords(value, console),
        }
        console.hide_in_foreign(value);
    }
}

/// Hides a value from elsewhere as soon as it is known.
pub(super) fn hide_found(found: &Found, console: &Console) {
    match found {
        Found::Secret(value) => console.hide_everywhere(value.expose()),
        Found::Plain(value) => console.hide_outside_names(value.expose()),
        Found::Coming { .. } | Found::Nothing { .. } => {}
    }
}

/// Hides secrets that appear during the run: credentials, and live variables, which AWS may quote.
pub(super) fn hiding(console: &Console) -> impl Fn(Hidden<'_>) + Send + Sync + 'static {
    let console = console.clone();
    move |hidden| match hidden {
        Hidden::Credential(secret) => console.hide_everywhere(secret),
        Hidden::Variable { name, value } => {
            if sounds_secret(name) {
                console.hide_outside_names(value);
            }
            hide_passwords(value, &console);
            console.hide_in_foreign(value);
        }
    }
}

/// Keeps Region and account readable, which are known only after the login.
pub(super) fn keep_names_of(caller: &Caller, console: &Console) {
    console.keep(&caller.region);
    caller.account.iter().for_each(|account| console.keep(account));
}

/// The names that AWS shows to everyone who may read the deployment.
fn names(loaded: &Loaded) -> Vec<String> {
    let of_entries = loaded.entries.iter().flat_map(|entry| of_item(&entry.item));
    let of_subjects = loaded.subjects.iter().flat_map(|subject| {
        let names = [subject.function.written.clone(), subject.function.name.clone()];
        of_target(&subject.access.target).chain(names).chain(subject.alias.iter().map(|alias| alias.0.clone()))
    });
    let of_regions = loaded.regions.iter().flat_map(|access| of_target(&access.target));
    of_entries.chain(of_subjects).chain(of_regions).filter(|name| !name.is_empty()).collect()
}

fn of_item(item: &Item) -> Vec<String> {
    let own = item.function().map(of_function).unwrap_or_default();
    let names = own.into_iter().chain([item.name().to_owned()]);
    names.chain(of_target(item.target())).chain(of_code(item.code())).collect()
}

fn of_function(deployment: &Deployment) -> Vec<String> {
    let settings = &deployment.settings;
    let alias = deployment.release.alias.iter().map(|alias| alias.0.clone());
    let shown = [
        settings.role.as_ref().map(Setting::shown),
        settings.handler.as_ref().map(Setting::shown),
        settings.runtime.as_ref().map(Setting::shown),
        deployment.function.account.clone(),
        Some(deployment.function.written.clone()),
    ];
    let layers = settings.layers.iter().flat_map(|layers| layers.0.iter().map(ToString::to_string));
    shown.into_iter().flatten().chain(alias).chain(layers).collect()
}

fn of_target(target: &Target) -> impl Iterator<Item = String> {
    let Target { region, fallback_region, expect_account, role, .. } = target;
    let role = role.iter().flat_map(|assumed| {
        let name = match &assumed.role {
            Role::Name(name) => name.clone(),
            Role::Arn(arn) => arn.clone(),
        };
        [Some(name), assumed.account.clone()].into_iter().flatten()
    });
    [region, fallback_region, expect_account].into_iter().flatten().cloned().chain(role)
}

fn of_code(code: &Code) -> impl Iterator<Item = String> {
    let source = match &code.source {
        CodeSource::Object { bucket, .. } => vec![bucket.clone()],
        CodeSource::Function(source) => {
            let SourceFunction { function, region, role, .. } = &**source;
            let role = role.as_ref().map(Setting::shown);
            let names = [Some(function.written.clone()), function.account.clone(), region.clone(), role];
            names.into_iter().flatten().collect()
        }
        CodeSource::Path(_) | CodeSource::Image(_) | CodeSource::Live | CodeSource::Unread { .. } => Vec::new(),
    };
    let upload = code.upload.iter().flat_map(|upload| match &upload.key {
        ObjectKey::ByHash(key) | ObjectKey::Given(key) => [upload.bucket.clone(), key.clone()],
    });
    source.into_iter().chain([code.source.shown()]).chain(upload)
}
