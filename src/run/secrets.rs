//! What must be hidden, and how widely.
//!
//! Credentials and what came `from_env` are hidden in everything. A literal whose name sounds secret is hidden too,
//! unless it stands in what everybody sees anyway. All other values of an environment are hidden in what others say.

use crate::config::{Entry, Loaded};
use crate::host::Host;
use crate::remote::Live;
use crate::report::{Console, Reporter};
use crate::settings::{Setting, sounds_secret};

/// How the names of variables end that hold credentials: AWS' own, and the OIDC tokens of CIs.
const SURROUNDING: [&str; 7] = [
    "SECRET_ACCESS_KEY",
    "SESSION_TOKEN",
    "ACCESS_KEY_ID",
    "ID_TOKEN_REQUEST_TOKEN",
    "ID_TOKEN",
    "OIDC_TOKEN",
    "OIDC_TOKEN_V2",
];

/// Hides the credentials of the surroundings, also where the configuration does not use them.
pub(super) fn hide_surroundings(host: &Host, console: &Console) {
    for (name, value) in &host.variables {
        let name = name.to_ascii_uppercase().replace('-', "_");
        if SURROUNDING.iter().any(|end| name.ends_with(end)) {
            console.hide(value);
        }
    }
}

/// Hides what the configuration holds, also where it has problems.
pub(super) fn hide_configured(loaded: &Loaded, reporter: &mut Reporter) {
    loaded.secrets.iter().for_each(|secret| reporter.hide(secret));
    let subjects = loaded.subjects.iter().map(|subject| subject.function.written.clone());
    let regions = loaded.subjects.iter().filter_map(|subject| subject.reach.target.region.clone());
    let public = loaded.entries.iter().map(public).chain(subjects).chain(regions).collect::<Vec<_>>().join("\n");
    for (name, value) in &loaded.values {
        if sounds_secret(name) && !public.contains(value.expose()) {
            reporter.hide(value);
        }
        reporter.hide_in_foreign(value);
    }
}

/// Hides what is live: AWS quotes a whole environment when it is too large.
pub(super) fn hide_live(live: &Live, reporter: &mut Reporter) {
    let environment = live.settings.environment.iter().flat_map(|environment| environment.0.values());
    environment.for_each(|value| reporter.hide_in_foreign(value));
}

/// Hides what is live and has a name of a secret, before the function speaks for itself.
pub(super) fn hide_live_secrets(live: &Live, reporter: &mut Reporter) {
    let environment = live.settings.environment.iter().flat_map(|environment| &environment.0);
    environment.filter(|(name, _)| sounds_secret(name)).for_each(|(_, value)| reporter.hide(value));
}

/// What everybody sees of a deployment.
fn public(entry: &Entry) -> String {
    let deployment = &entry.deployment;
    let settings = &deployment.settings;
    let shown = [
        Some(deployment.function.written.clone()),
        deployment.target.region.clone(),
        settings.role.as_ref().map(Setting::shown),
        settings.handler.as_ref().map(Setting::shown),
        settings.runtime.as_ref().map(Setting::shown),
        Some(deployment.code.source.shown()),
    ];
    shown.into_iter().flatten().collect::<Vec<_>>().join("\n")
}
