//! As whom AWS is called: keys, a profile, the chain, and the role that is assumed with them or with a CI's token.

use std::time::Duration;

use super::{
    Purpose,
    options::{self, Kind},
    read::Reader,
    resolve::Context,
};
use crate::arn::Arn;
use crate::deployment::{AssumedRole, Credentials, Grounds};
use crate::host::Ci;
use crate::place::{Place, Problem};
use crate::settings::{Address, Jwt, Role, Secret, Source};

/// Variables in which jobs find their OIDC token where nobody says so: the names of GitLab's manual (there the user
/// chooses), Bitbucket's and `CircleCI`'s.
const TOKENS: [&str; 5] =
    ["AWS_ID_TOKEN", "GITLAB_OIDC_TOKEN", "BITBUCKET_STEP_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"];

/// Where a job of GitHub gets a token, and what it shows to get it.
const REQUEST: [&str; 2] = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];

/// What STS calls a session where the user does not say.
const SESSION: &str = env!("CARGO_PKG_NAME");

/// The longest name of a session.
const MOST_SESSION: usize = 64;

/// As whom AWS is called, or who assumes the role.
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
            problem.help = Some("give both in the same place: keys from two places are never mixed".to_owned());
            Credentials::Chain
        }
    }
}

/// The role to assume, and on what grounds: credentials that somebody gave, else the token of the CI, else whatever the
/// SDK's chain finds. `account` completes a bare name.
///
/// The limits are those of <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>.
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
    let duration: Option<u64> = reader.number("role_duration", "seconds");
    if let Some(seconds) = duration.filter(|seconds| !(900..=43_200).contains(seconds)) {
        reader.wrong("role_duration", format!("must be between 900 and 43200 seconds, got {seconds}"));
    }
    let grounds = grounds(reader, credentials, context);
    match &role {
        Role::Arn(arn) if expected.is_some() && Arn::of(arn).map(|arn| arn.account) != expected => {
            reader.wrong("role_to_assume", format!("`{arn}` is not of the account that `expect_account` names"));
        }
        Role::Name(name) if account.is_none() && !matches!(grounds, Grounds::Credentials { .. }) => {
            let message = format!("`{name}` is a bare name, and an OIDC token does not tell the account");
            let help = format!("give the ARN, `arn:aws:iam::ACCOUNT:role/{name}`, or set `expect_account`");
            reader.wrong("role_to_assume", message).help = Some(help);
        }
        _ => {}
    }
    Some(AssumedRole { role, account, session_name, duration: duration.map(Duration::from_secs), grounds })
}

fn session_name(reader: &mut Reader, context: &Context<'_>) -> String {
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

fn grounds(reader: &mut Reader, credentials: &Credentials, context: &Context<'_>) -> Grounds {
    let external_id = reader.text("external_id");
    let good = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    if external_id.as_ref().is_some_and(|id| !(2..=1224).contains(&id.len()) || !id.chars().all(good)) {
        reader.wrong("external_id", "must be 2 to 1224 letters, digits and `_+=,.@:/-`");
    }
    if !matches!(credentials, Credentials::Chain) {
        return Grounds::Credentials { external_id, no_token: None };
    }
    let Some(grounds) = token(reader, context) else {
        return Grounds::Credentials { external_id, no_token: no_token(context.ci) };
    };
    if let Some(place) = reader.place("external_id") {
        let told = "is not sent: AWS takes none with an OIDC token, whose `sub` the trust policy checks instead";
        reader.warnings.push(Problem::new(told).of("external_id").at(&place));
    }
    grounds
}

/// The token of the CI: in the variable that was named, else from GitHub, else in a variable of a name that is known.
fn token(reader: &mut Reader, context: &Context<'_>) -> Option<Grounds> {
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
            let problem = Problem::new("is no https:// address, and the job's own token would be sent there");
            reader.problems.push(problem.at(&Place::Variable(REQUEST[0].to_owned())));
        }
        return Some(Grounds::Fetched { url: url.to_owned(), bearer });
    }
    let (name, token) = TOKENS.iter().find_map(|name| Some((name, Secret::new(host.variable(name)?))))?;
    reader.secrets.push(token.clone());
    shaped(reader, name, &token)
}

/// The token that a variable holds. Nothing else is sent as one.
fn shaped(reader: &mut Reader, variable: &str, token: &Secret) -> Option<Grounds> {
    let token = Jwt::parse(token.expose());
    if token.is_none() {
        let problem =
            Problem::new("holds no OIDC token: one has three parts between dots, of which two are JSON in base64url");
        reader.problems.push(problem.at(&Place::Variable(variable.to_owned())));
    }
    token.map(Grounds::Token)
}

/// Whether a variable holds what this job calls AWS with, or gets that with.
pub(super) fn holds_credentials(variable: &str) -> bool {
    const PREFIXES: [&str; 5] = ["DPL_LAMBDA_", "INPUT_", "PLUGIN_", "LAMBDA_", "AWS_"];
    let is_secret = |name: &str| options::find(name).is_some_and(|(option, _)| matches!(option.kind, Kind::Secret));
    PREFIXES.iter().filter_map(|prefix| variable.strip_prefix(prefix)).any(is_secret)
        || TOKENS.contains(&variable)
        || REQUEST.contains(&variable)
        || variable == "ACTIONS_RUNTIME_TOKEN"
}

/// What gives a job of this CI a token.
fn no_token(ci: Ci) -> Option<&'static str> {
    match ci {
        Ci::GitHub => Some(
            "the job has no OIDC token: give it `permissions: {id-token: write, contents: read}`; a pull request from a fork never gets one",
        ),
        Ci::GitLab => Some("the job has no OIDC token: give it `id_tokens: {AWS_ID_TOKEN: {aud: …}}`"),
        Ci::Bitbucket => Some("the step has no OIDC token: give it `oidc: true`"),
        Ci::CircleCi => Some(
            "the job has no OIDC token: builds of forks get one only with \"pass secrets to builds from forked pull requests\"",
        ),
        _ => None,
    }
}
