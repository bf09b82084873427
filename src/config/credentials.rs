//! The credentials for AWS: keys, a profile or the SDK's chain, and the role that they or an OIDC token can assume.

use std::time::Duration;

use super::{
    context::Context,
    options::{self, Kind},
    read::Reader,
};
use crate::arn::Arn;
use crate::deployment::{AssumedRole, Credentials, Proof};
use crate::host::Ci;
use crate::place::{Place, Problem};
use crate::settings::{Address, Jwt, Role, Secret, Source};
use crate::verb::Purpose;

/// The variables that are searched for an OIDC token. GitLab lets the user choose a name: these are the names in its
/// manual.
const TOKENS: [&str; 5] =
    ["AWS_ID_TOKEN", "GITLAB_OIDC_TOKEN", "BITBUCKET_STEP_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"];

/// The variables of a GitHub job with the URL for requesting a token, and the secret for the request.
const REQUEST: [&str; 2] = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];

/// The default name of a session.
const SESSION: &str = env!("CARGO_PKG_NAME");

/// The longest name of a session.
const MOST_SESSION: usize = 64;

/// The credentials, which can also assume a role.
pub(super) fn credentials(reader: &mut Reader) -> Credentials {
    let mut secret = |name: &'static str| reader.text(name).map(Secret::new);
    let (id, key, token) = (secret("access_key_id"), secret("secret_access_key"), secret("session_token"));
    match (id, key) {
        (Some(access_key_id), Some(secret_access_key)) => {
            Credentials::Keys { access_key_id, secret_access_key, session_token: token }
        }
        (None, None) => {
            if token.is_some() {
                reader.wrong("session_token", "is given without `access_key_id` and `secret_access_key`");
            }
            reader.text("profile").map_or(Credentials::Chain, Credentials::Profile)
        }
        (id, _) => {
            let (given, missing) = if id.is_some() {
                ("access_key_id", "secret_access_key")
            } else {
                ("secret_access_key", "access_key_id")
            };
            let problem = reader.wrong(given, format!("is given without `{missing}`"));
            problem.help = Some("give both in the same place: keys from two places are never combined".to_owned());
            Credentials::Chain
        }
    }
}

/// The role to assume, and the proof for it: the given credentials, else the token of the CI, else the SDK's chain.
/// `account` completes a bare name.
///
/// Source of the limits: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>.
pub(super) fn role(
    reader: &mut Reader,
    credentials: &Credentials,
    expected: Option<&str>,
    account: Option<String>,
    context: &Context<'_>,
) -> Option<AssumedRole> {
    let role = reader.setting::<Role>("role_to_assume");
    if reader.place("role_to_assume").is_none() {
        for name in ["role_session_name", "role_duration", "external_id", "web_identity_token_env"] {
            if reader.place(name).is_some() {
                reader.wrong(name, "is given without `role_to_assume`");
            }
        }
    }
    let role = role?;
    let session_name = session_name(reader, context);
    let duration = reader.number("role_duration", "seconds").map(u64::from);
    let proof = proof(reader, credentials, context);
    match &role {
        Role::Arn(arn) if expected.is_some() && Arn::of(arn).map(|arn| arn.account) != expected => {
            reader.wrong("role_to_assume", format!("`{arn}` is not in the account of `expect_account`"));
        }
        Role::Name(name) if account.is_none() && !matches!(proof, Proof::Credentials { .. }) => {
            let message = format!("`{name}` has no account, and an OIDC token has none either");
            let help = format!("give the ARN, `arn:aws:iam::ACCOUNT:role/{name}`, or set `expect_account`");
            reader.wrong("role_to_assume", message).help = Some(help);
        }
        _ => {}
    }
    Some(AssumedRole { role, account, session_name, duration: duration.map(Duration::from_secs), proof })
}

/// The name of the sessions of assumed roles.
pub(super) fn session_name(reader: &mut Reader, context: &Context<'_>) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let Some(given) = reader.text("role_session_name") else {
        let number = context.build.number.iter().flat_map(|number| ["-", number.as_str()]);
        let name: String = std::iter::once(SESSION).chain(number).collect();
        return name.chars().map(|c| if good(c) { c } else { '-' }).take(MOST_SESSION).collect();
    };
    if !(2..=MOST_SESSION).contains(&given.len()) || !given.chars().all(good) {
        let message = format!("must be 2 to {MOST_SESSION} letters, digits and `_+=,.@-`, got `{given}`");
        reader.wrong("role_session_name", message);
    }
    given
}

fn proof(reader: &mut Reader, credentials: &Credentials, context: &Context<'_>) -> Proof {
    let external_id = reader.text("external_id");
    let good = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    if external_id.as_ref().is_some_and(|id| !(2..=1224).contains(&id.len()) || !id.chars().all(good)) {
        reader.wrong("external_id", "must be 2 to 1224 letters, digits and `_+=,.@:/-`");
    }
    if !matches!(credentials, Credentials::Chain) {
        return Proof::Credentials { external_id, no_token: None };
    }
    let Some(proof) = token(reader, context) else {
        return Proof::Credentials { external_id, no_token: no_token(context.ci) };
    };
    if let Some(place) = reader.place("external_id") {
        let message = "is not sent: with an OIDC token, AWS accepts no external id; the trust policy can check the token's `sub` instead";
        reader.warnings.push(Problem::new(message).of("external_id").at(&place));
    }
    proof
}

/// The token of the CI: from the named variable, else from GitHub, else from a known variable.
fn token(reader: &mut Reader, context: &Context<'_>) -> Option<Proof> {
    let host = context.host;
    if let Some(name) = reader.text("web_identity_token_env") {
        let token = host.variable(&name).map(Secret::new);
        reader.secrets.extend(token.clone());
        if token.is_none() && context.purpose != Purpose::Check {
            let help = no_token(context.ci).map_or_else(
                || "let the CI put its OIDC token there, or leave the option out".to_owned(),
                str::to_owned,
            );
            let problem =
                reader.wrong("web_identity_token_env", format!("names the variable `{name}`, which is not set"));
            problem.help = Some(help);
        }
        return shaped(reader, &name, &token?);
    }
    if let [Some(url), Some(bearer)] = REQUEST.map(|name| host.variable(name)) {
        let bearer = Secret::new(bearer);
        reader.secrets.push(bearer.clone());
        if !Address::parse(url).is_some_and(|address| address.is_encrypted() || address.is_here()) {
            let problem = Problem::new("is not an https:// address, and the job's own token would be sent there");
            reader.problems.push(problem.at(&Place::Variable(REQUEST[0].to_owned())));
        }
        return Some(Proof::RequestedToken { url: url.to_owned(), bearer });
    }
    let (name, token) = TOKENS.iter().find_map(|name| Some((name, Secret::new(host.variable(name)?))))?;
    reader.secrets.push(token.clone());
    shaped(reader, name, &token)
}

/// The token in a variable. A value that is not a token is never sent.
fn shaped(reader: &mut Reader, variable: &str, token: &Secret) -> Option<Proof> {
    let token = Jwt::parse(token.expose());
    if token.is_none() {
        let problem = Problem::new(
            "does not hold an OIDC token: a token has three parts with dots between them, and two of the parts are JSON in base64url",
        );
        reader.problems.push(problem.at(&Place::Variable(variable.to_owned())));
    }
    token.map(Proof::Token)
}

/// Whether a variable holds credentials of this job, or a secret for getting them.
pub(super) fn holds_credentials(variable: &str) -> bool {
    const PREFIXES: [&str; 5] = ["DPL_LAMBDA_", "INPUT_", "PLUGIN_", "LAMBDA_", "AWS_"];
    let is_secret = |name: &str| options::find(name).is_some_and(|option| matches!(option.kind, Kind::Secret));
    PREFIXES.iter().filter_map(|prefix| variable.strip_prefix(prefix)).any(is_secret)
        || TOKENS.contains(&variable)
        || REQUEST.contains(&variable)
        || variable == "ACTIONS_RUNTIME_TOKEN"
}

/// How a job of this CI gets a token, or keys from a connection of the CI; `None` if the CI has neither.
fn no_token(ci: Ci) -> Option<&'static str> {
    match ci {
        Ci::GitHub => Some(
            "the job has no OIDC token: give it `permissions: {id-token: write, contents: read}`; a pull request from a fork never gets one",
        ),
        Ci::GitLab => Some("the job has no OIDC token: give it `id_tokens: {AWS_ID_TOKEN: {aud: …}}`"),
        Ci::Bitbucket => Some("the step has no OIDC token: give it `oidc: true`"),
        Ci::CircleCi => Some(
            "the job has no OIDC token: give it a context; builds of forks get one only with \"pass secrets to builds from forked pull requests\"",
        ),
        Ci::Buildkite => Some(
            "the job has no OIDC token: set `AWS_ID_TOKEN` to what `buildkite-agent oidc request-token --audience sts.amazonaws.com` prints",
        ),
        Ci::Azure => Some(
            "the step has no credentials: run it in the task `AWSShellScript@1` with a service connection for AWS, or name the keys in `env` of the step",
        ),
        Ci::Woodpecker
        | Ci::Gitea
        | Ci::Travis
        | Ci::TeamCity
        | Ci::Drone
        | Ci::AppVeyor
        | Ci::CodeBuild
        | Ci::Jenkins
        | Ci::Generic
        | Ci::None => None,
    }
}
