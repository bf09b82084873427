//! Secret values: the type that hides them, and the rules that find them by variable name or in URLs.

use std::ops::Range;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// A secret text. It has no `Display`, and its `Debug` hides it.
#[derive(Clone)]
pub(crate) struct Secret {
    text: SecretString,
    /// Whether it stands in clear in the configuration and looks like no secret.
    is_public: bool,
}

impl Secret {
    /// Makes a text secret.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: SecretString::from(text.into()), is_public: false }
    }

    /// A text that stands in clear in the configuration. It is shown if neither its `name` nor itself looks like a secret.
    pub(crate) fn in_clear(name: &str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { is_public: !holds_secret(name, &text) && looks_harmless(&text), text: SecretString::from(text) }
    }

    /// The text, if it may be shown.
    pub(crate) fn public(&self) -> Option<&str> {
        self.is_public.then(|| self.expose())
    }

    /// The text itself, to send it, to compare it or to redact it.
    pub(crate) fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("***")
    }
}

/// Words that mark a secret anywhere in a name, even at the end of a longer word (`DBPASSWORD`).
const SECRETS: &[&str] = &[
    "ACCESSKEY",
    "APIKEY",
    "AUTHORIZATION",
    "BEARER",
    "CONNECTIONSTRING",
    "CONNSTR",
    "COOKIE",
    "CREDENTIAL",
    "DSN",
    "HMAC",
    "JWT",
    "MNEMONIC",
    "PASSCODE",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PRIVATEKEY",
    "SECRET",
    "SECRETKEY",
    "SEEDPHRASE",
    "SIGNATURE",
    "SIGNINGKEY",
    "SSHKEY",
    "TOKEN",
    "TOTP",
    "WEBHOOK",
];

/// Words that mark a secret only as whole words, because harmless words end in them too.
const WHOLE: &[&str] = &["CRED", "KEY", "OTP", "PASS", "PAT", "PEM", "PEPPER", "PIN", "PRIVKEY", "PWD", "SALT"];

/// Words before a `KEY` that is not secret: a key for look-ups, or a public one.
const OTHER_KEYS: &[&str] =
    &["CACHE", "FOREIGN", "HASH", "INDEX", "KMS", "OBJECT", "PARTITION", "PRIMARY", "PUBLIC", "RANGE", "S3", "SORT"];

/// Last words of names that describe a secret but do not hold it, such as its path or length.
const ABOUT: &[&str] = &[
    "ALGORITHM",
    "ARN",
    "AUDIENCE",
    "BUCKET",
    "COUNT",
    "DIR",
    "DISABLED",
    "DOMAIN",
    "ENABLED",
    "ENDPOINT",
    "ENV",
    "EXPIRATION",
    "EXPIRES",
    "EXPIRY",
    "FILE",
    "HOST",
    "ISSUER",
    "LENGTH",
    "LIMIT",
    "METHOD",
    "MODE",
    "NAME",
    "PATH",
    "PORT",
    "PREFIX",
    "REGION",
    "SECONDS",
    "SIZE",
    "SOCK",
    "TABLE",
    "TIMEOUT",
    "TTL",
    "TYPE",
    "URI",
    "URL",
    "VERSION",
];

/// Whether a variable of this name likely holds a secret.
///
/// Names are read word by word, in any case and spelling (`DB_PASSWORD`, `dbPassword`, `db-password2`), so `KEYBOARD`
/// is not a key and `TOKENIZER` is not a token.
pub(crate) fn sounds_secret(name: &str) -> bool {
    // A shell keeps its working directories in these.
    if matches!(name, "PWD" | "OLDPWD") {
        return false;
    }
    let words: Vec<_> = words(name).iter().map(|word| singular(word).to_owned()).collect();
    // Whoever knows the URL of a webhook can call it.
    let is_webhook =
        words.iter().any(|word| word.ends_with("WEBHOOK")) || words.windows(2).any(|two| two == ["WEB", "HOOK"]);
    if is_webhook {
        return true;
    }
    let last = words.last().map(String::as_str).unwrap_or_default();
    let how_many = matches!(words.first().map(String::as_str), Some("MAX" | "MIN" | "NUM"));
    if ABOUT.iter().any(|about| singular(about) == last) || (how_many && last == "TOKEN") {
        return false;
    }
    let is_secret = |word: &str| SECRETS.iter().any(|secret| word.ends_with(secret));
    let key_of = |at: usize| at.checked_sub(1).map_or("", |before| words[before].as_str());
    let is_whole = |(at, word): (usize, &String)| {
        WHOLE.contains(&word.as_str()) && !(word == "KEY" && OTHER_KEYS.contains(&key_of(at)))
    };
    words.iter().any(|word| is_secret(word))
        || words.windows(2).any(|two| SECRETS.contains(&two.concat().as_str()))
        || words.iter().enumerate().any(is_whole)
        || matches!(last, "AUTH" | "DBPASS" | "SMTPPASS" | "USERPASS")
        || words
            .windows(2)
            .any(|two| two[0] == "AUTH" && matches!(two[1].as_str(), "CONFIG" | "HEADER" | "STRING" | "VALUE"))
}

/// A word without its plural `S`.
fn singular(word: &str) -> &str {
    word.strip_suffix('S').filter(|one| one.len() > 2 && !one.ends_with('S')).unwrap_or(word)
}

/// The words of a name in capitals, without trailing numbers.
fn words(name: &str) -> Vec<String> {
    let characters: Vec<_> = name.chars().collect();
    let (mut words, mut word) = (Vec::new(), String::new());
    for (at, c) in characters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(at + 1);
        // `dbPassword`, and `DBPassword`.
        let begins = c.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if begins || !c.is_alphanumeric() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_uppercase());
        }
    }
    words.push(word);
    let bare = |word: &String| match word.as_str() {
        "S3" => word.clone(),
        word => word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned(),
    };
    words.iter().map(bare).filter(|word| !word.is_empty() && word != "V").collect()
}

/// Whether a variable holds a secret, by its name or as the password of a URL.
pub(crate) fn holds_secret(name: &str, value: &str) -> bool {
    sounds_secret(name) || !passwords(value).is_empty()
}

/// The most characters of a value that is shown.
const MOST_SHOWN: usize = 120;

/// Whether a text looks like a setting and not like a key, a token or a password. In doubt, it does not.
///
/// Words of letters and numbers of up to 12 digits are harmless, and so are words with a few digits at one end, such as
/// `v2`, `x86` or `60s`. All longer mixtures may be random.
fn looks_harmless(text: &str) -> bool {
    let of = |word: &str, is: fn(&char) -> bool| word.chars().filter(is).count();
    let harmless = |word: &str| {
        let (digits, letters) = (of(word, char::is_ascii_digit), of(word, |c| c.is_alphabetic()));
        let at_one_end = {
            let bare = word.trim_matches(|c: char| c.is_ascii_digit());
            bare.chars().all(char::is_alphabetic) && (word.starts_with(bare) || word.ends_with(bare))
        };
        match (letters, digits) {
            (0, _) => digits <= 12,
            (_, 0) => letters <= 20,
            (_, _) => digits <= 3 && letters <= 12 && at_one_end,
        }
    };
    text.chars().count() <= MOST_SHOWN
        && text.chars().all(|c| c.is_alphanumeric() || " -_./:,@#".contains(c))
        && text.split(|c: char| !c.is_alphanumeric()).all(harmless)
}

/// Whether a live text that nobody wrote into the configuration may be shown beside one that is public: it is a number, or
/// a few short words without a blank.
pub(crate) fn looks_plain(name: &str, text: &str) -> bool {
    let plain = |word: &str| match word.chars().count() {
        0..=6 if word.chars().all(|c| c.is_ascii_digit()) => true,
        0..=12 => word.chars().all(|c| c.is_ascii_lowercase()) || word.chars().all(|c| c.is_ascii_uppercase()),
        _ => false,
    };
    let words: Vec<_> = text.split(['-', '_', '.', '/', ':']).collect();
    words.len() <= 4 && words.iter().all(|word| plain(word)) && !holds_secret(name, text)
}

/// The ranges of user names and passwords in all URLs of a text.
///
/// A name alone, as in `ssh://git@host` or `postgres://name@host`, counts only in HTTP, where it is a token.
pub(crate) fn logins(text: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    // The end of a token and its last `@`, which several URLs in it share.
    let (mut end_of_token, mut at_of_token) = (0, None);
    while let Some(at) = find(&text[from..], b"://") {
        let begin = from + at + 3;
        let ends = |c: &u8| c.is_ascii_whitespace() || c.is_ascii_control() || matches!(c, b'"' | b'<' | b'>' | b'`');
        let last_at = |part: &[u8]| part.iter().rposition(|c| *c == b'@');
        if begin > end_of_token {
            end_of_token = begin + text[begin..].iter().position(ends).unwrap_or(text.len() - begin);
            at_of_token = last_at(&text[begin..end_of_token]).map(|at| begin + at);
        }
        let token = &text[begin..end_of_token];
        let host = &token[..token.iter().position(|c| matches!(c, b'/' | b'?' | b'#')).unwrap_or(token.len())];
        // Some passwords are not escaped as they should be. Then the text after the colon is not a port.
        let colon = host.iter().position(|c| *c == b':');
        let no_port = colon.is_some_and(|colon| !host[colon + 1..].iter().all(u8::is_ascii_digit));
        let end = last_at(host).or_else(|| at_of_token.and_then(|at| at.checked_sub(begin)).filter(|_| no_port));
        let scheme = text[..from + at].rsplit(|c| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let is_http = [&b"http"[..], b"https"].iter().any(|http| scheme.eq_ignore_ascii_case(http));
        if let Some(end) = end.filter(|end| *end > 0 && (is_http || token[..*end].contains(&b':'))) {
            found.push(begin..begin + end);
        }
        from = begin + end.unwrap_or(0);
    }
    found
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// The passwords and tokens in all URLs of a text: as written, and percent-decoded.
pub(crate) fn passwords(text: &str) -> Vec<String> {
    let password = |range: Range<usize>| {
        let login = text.get(range).unwrap_or_default();
        match login.split_once(':') {
            Some((token, "" | "x-oauth-basic")) => token,
            Some((_, password)) => password,
            None => login,
        }
    };
    let both = |password: &str| {
        let meant = percent_decode_str(password).decode_utf8_lossy().into_owned();
        [Some(password.to_owned()), Some(meant).filter(|meant| meant != password)].into_iter().flatten()
    };
    logins(text.as_bytes()).into_iter().map(password).flat_map(both).collect()
}

/// The parts of a secret that are secret on their own: its lines, the passwords in its URLs, the values under secret
/// names in JSON, and the credentials after `Bearer`, `Basic` or `token`.
pub(crate) fn parts(secret: &str) -> Vec<String> {
    let mut parts = vec![secret.to_owned()];
    parts.extend(secret.lines().map(str::to_owned));
    parts.extend(passwords(secret));
    if let Ok(json) = serde_json::from_str(secret) {
        texts(&json, false, &mut parts);
    }
    let header = ["Bearer ", "Basic ", "bearer ", "basic ", "token "];
    parts.extend(header.iter().filter_map(|word| secret.strip_prefix(word)).map(str::to_owned));
    parts
}

/// Collects the texts under secret names.
fn texts(json: &Value, under_secret: bool, found: &mut Vec<String>) {
    match json {
        Value::String(text) if under_secret => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, under_secret, found)),
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| texts(value, under_secret || sounds_secret(name), found));
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_word_by_word() {
        const SECRET: &str = "PASSWORD DB_PASSWORD dbPassword DBPassword db-password PGPASSWORD PASSWORD2 PASS_WORD PASSPHRASE \
            SSH_PASSPHRASE DB_PWD MYSQL_PWD SMTP_PASS DBPASS BASIC_AUTH NPM_AUTH _auth DOCKER_AUTH_CONFIG \
            AUTH_HEADER HTTP_AUTHORIZATION BEARER SESSION_COOKIE COOKIES SIGNATURE PASSWORD_SALT SLACK_WEBHOOK \
            SLACK_WEBHOOK_URL WEB_HOOK_URL CREDENTIALS AWS_CREDS PRIVATE_KEY privateKey PRIVATEKEY API_KEY \
            apiKey APIKEY STRIPE_KEYS AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN GITHUB_TOKEN \
            SYSTEM_ACCESSTOKEN CIRCLE_OIDC_TOKEN_V2 TOKENS CLIENT_SECRET VAULT_SECRET_ID INPUT_SECRET-ACCESS-KEY \
            SENTRY_DSN CONNECTION_STRING ConnectionString TOTP USER_PIN TLS_PEM SIGNING_HMAC GH_PAT \
            encrypted_1a2b_key";
        const NONE: &str = "PWD OLDPWD HOME PATH KEYBOARD MONKEY TOKENIZER_PATH TOKENIZERS_PARALLELISM MAX_TOKENS SECRETARY \
            COMPASS BYPASS GIT_ASKPASS GIT_AUTHOR_NAME AUTHOR AUTHORITY SSH_AUTH_SOCK \
            AWS_WEB_IDENTITY_TOKEN_FILE SECRET_NAME SECRET_ARN TOKEN_TABLE TOKEN_URL KMS_KEY_ARN KMS_KEY_ID \
            PUBLIC_KEY SORT_KEY S3_KEY DPL_LAMBDA_S3_KEY INPUT_S3-KEY PASSWORD_FILE COOKIE_DOMAIN AUTH_MODE \
            PASSWORD_LENGTH INPUT_WEB_IDENTITY_TOKEN_ENV STAGE LOG_LEVEL HOTKEY SPIN CREDIT PATTERN";
        for name in SECRET.split(' ') {
            assert!(sounds_secret(name), "{name}");
        }
        for name in NONE.split(' ').chain(["", "_"]) {
            assert!(!sounds_secret(name), "{name}");
        }
    }

    #[test]
    fn a_value_is_shown_only_if_neither_its_name_nor_itself_looks_like_a_secret() {
        for text in ["production", "eu-west-1", "true", "0.25", "v2", "60s", "x86", "", "https://api.example.com/v2/"] {
            assert!(Secret::in_clear("STAGE", text).public().is_some(), "{text}");
            assert!(Secret::in_clear("API_TOKEN", text).public().is_none(), "{text}");
            assert!(Secret::new(text).public().is_none(), "{text}");
        }
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "xoxb-2444333222111-abc",
            "eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG_HACGpVUMN_a9IV7pAx_Zmeo",
            "-----BEGIN PRIVATE KEY-----\nMII",
            "postgres://u:p@h/db",
            "Server=h;Pwd=hunter",
            "S3cr3t!",
            "pa55word",
            "correct$horse",
            "https://hooks.example.com/?sig=abc",
            "{\"password\": \"x\"}",
            "0123456789abcdef",
        ] {
            assert!(Secret::in_clear("STAGE", text).public().is_none(), "{text}");
            assert!(!looks_plain("STAGE", text), "{text}");
        }
        for (text, plain) in [
            ("info", true),
            ("eu-west-1", true),
            ("512", true),
            ("1.2.3", true),
            ("", true),
            ("hunter2", false),
            ("two words", false),
            ("Summer", false),
            ("123456789", false),
            ("a-b-c-d-e", false),
        ] {
            assert_eq!(looks_plain("STAGE", text), plain, "{text}");
            assert!(!looks_plain("DB_PASSWORD", text), "{text}");
        }
    }

    #[test]
    fn passwords_and_tokens_in_urls_are_found() {
        for (text, expected) in [
            ("http://user:PASSWORD@host/x", &["PASSWORD"][..]),
            ("see https://ghp_token@github.com/o/r.git.", &["ghp_token"]),
            ("https://ghp_token:x-oauth-basic@github.com", &["ghp_token"]),
            ("https://ghp_token:@github.com", &["ghp_token"]),
            ("https://x-access-token:ghs_1@github.com", &["ghs_1"]),
            ("postgres://u:p%40s@h:5432/db?x=1, redis://:secret@h", &["p%40s", "p@s", "secret"]),
            ("postgres://u:p@ss@h/db", &["p@ss"]),
            ("postgres://u:p/s#s@h/db", &["p/s#s"]),
            ("HTTPS://u:p@h", &["p"]),
            ("http://u:p@[::1]:80/", &["p"]),
            ("ssh://git@github.com/o/r git@github.com:o/r", &[]),
            ("postgres://name@host/db", &[]),
            ("http://host:8080/a@b https://h/actions/checkout@v4 https://h/?to=a@b", &[]),
            ("http:// :// x://", &[]),
        ] {
            assert_eq!(passwords(text), expected, "{text}");
        }
    }

    #[test]
    fn parts_of_a_secret_are_secret_too() {
        let found = parts("{\"user\": \"me\", \"password\": \"hunter2\", \"tokens\": [\"a\"]}");
        assert_eq!(found[2..], ["hunter2", "a"]);
        assert!(parts("Bearer abc").contains(&"abc".to_owned()));
        assert!(parts("amqp://u:p%40s@h").contains(&"p@s".to_owned()));
        assert!(parts("one\ntwo").contains(&"two".to_owned()));
    }
}
