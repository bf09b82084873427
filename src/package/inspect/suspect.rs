//! Files that may be secrets, by their names, and the checks of their text. Keeps the reason, never the text.

use super::path::{base, extension};

/// Checks a file's text: returns the reason why it is a secret, or `None`.
pub(super) type Check = fn(&str) -> Option<&'static str>;

/// Folders with files of other authors or for tests.
const IGNORED_FOLDERS: &[&str] =
    &["node_modules", "site-packages", "dist-packages", "vendor", "test", "tests", "testdata", "fixtures", "__tests__"];

/// Extensions of example files.
const EXAMPLES: &[&str] = &["example", "sample", "template", "dist", "defaults", "schema", "tpl"];

/// Words in the names of JSON files that may hold a key.
const KEYS: &[&str] = &[
    "credential",
    "service-account",
    "service_account",
    "serviceaccount",
    "key",
    "secret",
    "firebase",
    "gcp",
    "google",
];

/// The check for a file of this name; `None` if the name is not suspicious.
pub(super) fn suspicion(name: &str) -> Option<Check> {
    let mut folders = name.split('/').rev().skip(1);
    if folders.clone().any(|folder| IGNORED_FOLDERS.contains(&folder)) {
        return None;
    }
    let base = base(name).to_ascii_lowercase();
    let extension = extension(&base);
    let folder = folders.next().unwrap_or_default();
    match base.as_str() {
        ".env" => Some(variables),
        ".npmrc" | ".yarnrc.yml" => Some(registry),
        ".pypirc" | ".netrc" | "_netrc" => Some(password),
        ".git-credentials" => Some(git),
        ".dockercfg" | ".dockerconfigjson" => Some(docker),
        "config.json" if folder == ".docker" => Some(docker),
        "credentials" if folder == ".aws" => Some(aws),
        "id_rsa" | "id_dsa" | "id_ecdsa" | "id_ed25519" => Some(private_key),
        _ if base.starts_with(".env.") => (!EXAMPLES.contains(&extension)).then_some(variables),
        _ => match extension {
            "pem" | "key" | "p8" | "ppk" => Some(private_key),
            "json" if KEYS.iter().any(|word| base.contains(word)) => Some(service_account),
            _ => None,
        },
    }
}

fn variables(text: &str) -> Option<&'static str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let mut values =
        lines.filter_map(|line| line.split_once('=')).map(|(_, value)| value.trim().trim_matches(['"', '\'']));
    values.any(|value| !value.is_empty()).then_some("holds values of variables")
}

fn private_key(text: &str) -> Option<&'static str> {
    let pem = text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----");
    (pem || text.starts_with("PuTTY-User-Key-File")).then_some("holds a private key")
}

fn service_account(text: &str) -> Option<&'static str> {
    (text.contains("\"private_key\"") && text.contains("PRIVATE KEY-----"))
        .then_some("holds the key of a service account")
}

/// Tokens in the settings of a package registry. A reference to a variable is no secret.
fn registry(text: &str) -> Option<&'static str> {
    const NAMES: &[&str] = &["_authToken", "_auth", "_password", "npmAuthToken", "npmAuthIdent"];
    let secret = |line: &str| {
        let (name, value) = line.split_once(['=']).or_else(|| line.split_once(": "))?;
        let value = value.trim().trim_matches(['"', '\'']);
        let named = NAMES.iter().any(|ending| name.trim().ends_with(ending));
        (named && !value.is_empty() && !value.starts_with("${")).then_some("holds a token of a package registry")
    };
    text.lines().find_map(secret)
}

fn password(text: &str) -> Option<&'static str> {
    text.contains("password").then_some("holds a password")
}

fn git(text: &str) -> Option<&'static str> {
    text.contains("://").then_some("holds credentials of git")
}

fn docker(text: &str) -> Option<&'static str> {
    text.contains("\"auth\"").then_some("holds credentials of a container registry")
}

fn aws(text: &str) -> Option<&'static str> {
    text.contains("aws_secret_access_key").then_some("holds credentials of AWS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognised_by_the_file_name_and_text() {
        const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\n";
        const PUBLIC: &str = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
        for (name, text, secret) in [
            (".env", "A=1\n", true),
            ("config/.env.production", "export A=\"1\"\n", true),
            (".env", "# A=1\nA=\nB=''\n", false),
            (".env.example", "A=1\n", false),
            (".environment", "A=1\n", false),
            ("server.key", KEY, true),
            ("certs/server.pem", KEY, true),
            ("certs/ca.pem", PUBLIC, false),
            ("keys/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----", true),
            ("id_rsa.pub", "ssh-rsa AAAA", false),
            ("app/key.ppk", "PuTTY-User-Key-File-2: ssh-rsa", true),
            ("node_modules/http-server/test/server.key", KEY, false),
            ("tornado/test/test.key", KEY, false),
            ("gcp-service-account.json", "{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\n\"}", true),
            ("google.json", "{\"client_id\": 1}", false),
            ("package.json", "{\"private_key\": \"-----BEGIN PRIVATE KEY-----\"}", false),
            (".npmrc", "//registry.npmjs.org/:_authToken=npm_x\n", true),
            (".npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\nalways-auth=true\n", false),
            (".yarnrc.yml", "npmAuthToken: \"x\"\n", true),
            (".pypirc", "[pypi]\nusername = a\npassword = b\n", true),
            (".netrc", "machine x login y password z", true),
            (".git-credentials", "https://u:p@github.com", true),
            (".aws/credentials", "[default]\naws_secret_access_key = x\n", true),
            ("app/credentials", "aws_secret_access_key = x\n", false),
            (".docker/config.json", "{\"auths\": {\"x\": {\"auth\": \"y\"}}}", true),
        ] {
            assert_eq!(suspicion(name).and_then(|check| check(text)).is_some(), secret, "{name}");
        }
    }
}
