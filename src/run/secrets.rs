//! What must be hidden, how widely, and which names stay whole.
//!
//! - A *secret* is hidden in everything: credentials, tokens, what a variable of a secret's name holds, passwords in URLs.
//! - A *value* is hidden too, but not as a part of a name that AWS shows to everybody: what came `from_env` under names that
//!   say nothing of a secret, and literals and live values whose name says so although a name has them.
//! - All other values of an environment are hidden in what others say.

use crate::aws::Hidden;
use crate::cli::CommandLine;
use crate::config::{Entry, Loaded};
use crate::deployment::{Code, CodeSource, ObjectKey, Target};
use crate::host::Host;
use crate::remote::Caller;
use crate::report::Console;
use crate::settings::{Role, Setting, passwords, sounds_secret};

/// Hides the secrets of the surroundings, also where the configuration does not use them.
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

/// Hides what stands on the command line, also where it is wrong.
pub(super) fn hide_given(CommandLine { secrets, values, .. }: &CommandLine, console: &Console) {
    for secret in secrets {
        console.hide(secret.expose());
    }
    for value in values {
        console.hide_outside_names(value.expose());
    }
}

/// Hides the passwords in the URLs of a text, also where they come by without their URL.
fn hide_passwords(text: &str, console: &Console) {
    for password in passwords(text) {
        console.hide(&password);
    }
}

/// Hides what the configuration holds, also where it has problems.
pub(super) fn hide_configured(loaded: &Loaded, console: &Console) {
    let names = names(loaded);
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

/// Hides what turns up on the way: credentials, and what is live, which AWS quotes.
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

/// Keeps the names whole that are only known once somebody is logged in.
pub(super) fn keep_names_of(caller: &Caller, console: &Console) {
    console.keep(&caller.region);
    caller.account.iter().for_each(|account| console.keep(account));
}

/// The names that AWS shows to everybody who may look at what is deployed.
fn names(loaded: &Loaded) -> Vec<String> {
    let of_functions = loaded.entries.iter().flat_map(of_function);
    let of_layers = loaded.layers.iter().flat_map(|entry| {
        let layer = &entry.deployment;
        of_target(&layer.target).chain(of_code(&layer.code)).chain([layer.name.clone()])
    });
    let of_subjects = loaded.subjects.iter().flat_map(|subject| {
        let names = [subject.function.written.clone(), subject.function.name.clone()];
        of_target(&subject.reach.target).chain(names).chain(subject.alias.iter().map(|alias| alias.0.clone()))
    });
    let of_regions = loaded.regions.iter().flat_map(|reach| of_target(&reach.target));
    of_functions.chain(of_layers).chain(of_subjects).chain(of_regions).filter(|name| !name.is_empty()).collect()
}

fn of_function(entry: &Entry) -> Vec<String> {
    let deployment = &entry.deployment;
    let settings = &deployment.settings;
    let alias = deployment.release.alias.iter().map(|alias| alias.0.clone());
    let shown = [
        settings.role.as_ref().map(Setting::shown),
        settings.handler.as_ref().map(Setting::shown),
        settings.runtime.as_ref().map(Setting::shown),
        deployment.function.account.clone(),
    ];
    let layers = settings.layers.iter().flat_map(|layers| layers.0.iter().cloned());
    let function = [deployment.function.written.clone(), deployment.function.name.clone()];
    let names = function.into_iter().chain(shown.into_iter().flatten()).chain(alias).chain(layers);
    names.chain(of_target(&deployment.target)).chain(of_code(&deployment.code)).collect()
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
        CodeSource::Path(_) | CodeSource::Image(_) => Vec::new(),
    };
    let upload = code.upload.iter().flat_map(|upload| match &upload.key {
        ObjectKey::ByHash(key) | ObjectKey::Given(key) => [upload.bucket.clone(), key.clone()],
    });
    source.into_iter().chain([code.source.shown()]).chain(upload)
}
