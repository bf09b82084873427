//! Secrets in every form that a log may contain.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::*;
use crate::report::dialects::{azure, github, teamcity};
use crate::report::markdown;

fn hiding(secrets: &[&str]) -> Redactor {
    let mut redactor = Redactor::default();
    for secret in secrets {
        redactor.add(secret, Role::Secret);
    }
    redactor
}

/// A text in every form that a log may contain.
fn every_form(text: &str) -> Vec<(&'static str, String)> {
    const OF_QUERY: &AsciiSet =
        &CONTROLS.add(b' ').add(b'%').add(b'"').add(b'#').add(b'<').add(b'>').add(b'+').add(b'&');
    let json = serde_json::to_string(text).unwrap();
    let units = |before: &str, after: &str| {
        text.encode_utf16().map(|unit| format!("{before}{unit:04x}{after}")).collect::<String>()
    };
    let numbers = |shown: fn(u32) -> String| text.chars().map(|c| shown(u32::from(c))).collect::<String>();
    let percent = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let lower = percent.chars().scan(0, |left, c| {
        *left = if c == '%' { 3 } else { i32::max(*left - 1, 0) };
        Some(if *left > 0 { c.to_ascii_lowercase() } else { c })
    });
    let html = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    let base64 = |before: &str, after: &str| STANDARD.encode(format!("{before}{text}{after}"));
    vec![
        ("plain", text.to_owned()),
        ("JSON", json.clone()),
        ("JSON with slashes", json.replace('/', "\\/")),
        ("JSON by units", units("\\u", "")),
        ("JSON in JSON", serde_json::to_string(&json).unwrap()),
        ("percent", percent.clone()),
        ("percent in lower case", lower.collect()),
        ("percent of a query", utf8_percent_encode(text, OF_QUERY).to_string()),
        ("percent twice", utf8_percent_encode(&percent, NON_ALPHANUMERIC).to_string()),
        ("form", percent.replace("%20", "+")),
        ("percent in JSON", serde_json::to_string(&utf8_percent_encode(text, OF_QUERY).to_string()).unwrap()),
        ("HTML", html.clone()),
        ("HTML by decimals", numbers(|c| format!("&#{c};"))),
        ("HTML by hexadecimals", numbers(|c| format!("&#x{c:X};"))),
        ("JSON in HTML", json.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")),
        ("shell", format!("'{}'", text.replace('\'', "'\\''"))),
        (
            "shell, backslashes",
            text.chars()
                .map(|c| if c.is_ascii_alphanumeric() || !c.is_ascii() { c.to_string() } else { format!("\\{c}") })
                .collect(),
        ),
        (
            "shell, octal",
            text.bytes()
                .map(
                    |byte| {
                        if byte.is_ascii_alphanumeric() {
                            char::from(byte).to_string()
                        } else {
                            format!("\\{byte:03o}")
                        }
                    },
                )
                .collect(),
        ),
        ("shell, hexadecimal", text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()),
        ("YAML", format!("'{}'", text.replace('\'', "''"))),
        ("GitHub, data", github::data(text)),
        ("GitHub, property", github::property(text)),
        ("Azure", azure::escaped(text)),
        ("TeamCity", teamcity::escaped(text)),
        ("Markdown", markdown::text(text)),
        ("Markdown of HTML", markdown::text(&html)),
        ("colours", text.chars().map(|c| format!("\u{1b}[1;31m{c}\u{1b}[0m")).collect()),
        ("zero width", text.chars().map(|c| format!("{c}\u{200b}")).collect()),
        ("hexadecimal", hexadecimal(text)),
        ("HEXADECIMAL", hexadecimal(text).to_ascii_uppercase()),
        ("base64", base64("", "")),
        ("base64 behind one", base64("a", "z")),
        ("base64 behind two", base64("ab", "yz")),
        ("base64 of a login", format!("Authorization: Basic {}", base64("user:", ""))),
        ("base64 of a URL", URL_SAFE.encode(format!("x{text}"))),
        ("base64 in a URL", utf8_percent_encode(&base64("", "!"), NON_ALPHANUMERIC).to_string()),
    ]
}

/// Whether the middle of a secret is left in any form.
fn shows(text: &str, secret: &str) -> bool {
    text.contains(secret) || text.chars().filter(|c| c.is_alphanumeric()).count() > 30
}

#[test]
fn every_form_of_a_secret_is_hidden() {
    for secret in
        ["s3cret/of+x=y z", "it's <\"&amp;\"> 100%", "p\\a\u{e9}\u{1f600}|[x]%20'", "sk_live_51*abc[def]", "1234567é"]
    {
        let mut redactor = hiding(&[secret]);
        for (form, text) in every_form(secret) {
            let shown = redactor.replaced(&text, Whose::Ours).into_owned();
            assert!(
                shown.contains("***") && shown.len() < 40 && !shows(&shown, secret),
                "{secret} as {form}: {text} is shown as {shown}"
            );
            let around = format!("before {text} after");
            let shown = redactor.replaced(&around, Whose::Ours).into_owned();
            assert!(
                shown.starts_with("before ") && shown.ends_with(" after") && shown.contains("***"),
                "{form}: {shown}"
            );
        }
    }
}

#[test]
fn a_secret_is_hidden_also_where_the_sanitiser_has_altered_it() {
    for secret in [
        "pa##word-1234567",
        "token-1234567##",
        "abtime:start-98765",
        "travis_fold:abcd",
        "abcd\u{7}efgh-1234",
        "abcd\u{200b}efgh-1234",
        "ab\u{1b}[1mcdefgh-987",
        "abcdefgh\u{85}ijklmnop",
        "abcdefgh\rijklmnop",
        "abcdefgh\u{2028}ijklmnop",
        "::add-mask::abcdefgh",
    ] {
        let mut redactor = hiding(&[secret]);
        let texts = [secret.to_owned(), format!("x {secret} y"), format!("x {secret}[y]"), format!("{secret}abc")];
        for text in texts {
            for harmless in [sanitise::inert(&text), sanitise::one_line(&text), markdown::text(&text)] {
                let shown = redactor.replaced(&harmless, Whose::Ours);
                let left = shown.replace("add-mask", "");
                assert!(shown.contains("***") && left.len() < 18, "{secret:?}: {harmless:?} is shown as {shown:?}");
            }
        }
    }
}

#[test]
fn base64_that_is_broken_into_lines_is_hidden() {
    let secret: String = (0..200).map(|number| char::from(b'a' + number % 26)).collect();
    let encoded = STANDARD.encode(&secret);
    for width in [64, 76] {
        let lines: Vec<_> = encoded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        for line in &lines[..lines.len() - 1] {
            assert_eq!(hiding(&[&secret]).replaced(line, Whose::Ours), "***");
        }
    }
}

#[test]
fn secrets_of_several_lines_are_hidden_line_by_line() {
    let mut redactor = hiding(&[
        "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nshort\n-----END KEY-----\n",
        "two words\nand \"quotes\"",
        "short",
    ]);
    for (text, shown) in [
        ("MIIEvQIBADANBgkq", "***"),
        ("x two words y and \"quotes\"", "x *** y ***"),
        (r#"{"a":"two words\nand \"quotes\""}"#, r#"{"a":"***"}"#),
        ("short", "short"),
    ] {
        assert_eq!(redactor.replaced(text, Whose::Ours), shown);
    }
}

#[test]
fn of_secrets_that_overlap_nothing_is_left() {
    let mut redactor = hiding(&["password1", "password12345", "345-and-more"]);
    assert_eq!(redactor.replaced("password12345 password1 password12345-and-more", Whose::Ours), "*** *** ***");
}

#[test]
fn names_stay_whole_but_for_secrets() {
    let mut redactor = hiding(&["hunter22"]);
    redactor.add("production", Role::Value);
    redactor.add("123456789012", Role::Value);
    redactor.add("my-production-api", Role::Name);
    redactor.add("my-hunter22-api", Role::Name);
    redactor.add("orders", Role::Foreign);
    for (text, ours, foreign) in [
        ("my-production-api", "my-production-api", "my-production-api"),
        ("in production, my-production-api", "in ***, my-production-api", "in ***, my-production-api"),
        (
            "my-production-apis and my-production-ap",
            "my-production-apis and my-***-ap",
            "my-production-apis and my-***-ap",
        ),
        ("my-hunter22-api", "my-***-api", "my-***-api"),
        (
            "arn:aws:lambda:eu-west-1:123456789012:function:orders",
            "arn:aws:lambda:eu-west-1:123456789012:function:orders",
            "arn:aws:lambda:eu-west-1:123456789012:function:orders",
        ),
        ("arn:aws:x:123456789012:hunter22", "arn:aws:x:123456789012:***", "arn:aws:x:123456789012:***"),
        ("123456789012 has orders", "*** has orders", "*** has ***"),
        ("my\\-production\\-api", "my\\-production\\-api", "my\\-production\\-api"),
    ] {
        assert_eq!(redactor.replaced(text, Whose::Ours), ours);
        assert_eq!(redactor.replaced(text, Whose::Foreign), foreign);
    }
}

#[test]
fn logins_of_urls_are_hidden_without_being_known() {
    let mut redactor = Redactor::default();
    for (text, shown) in [
        ("proxy http://user:pw@host:3128/", "proxy http://***@host:3128/"),
        (r"http:\/\/user:pw@host", r"http:\/\/***@host"),
        ("http%3A%2F%2Fuser%3Apw%40host%2F", "http%3A%2F%2F***%40host%2F"),
        ("ssh://git@host/x", "ssh://git@host/x"),
    ] {
        assert_eq!(redactor.replaced(text, Whose::Ours), shown);
    }
}

#[test]
fn ordinary_text_stays_as_it_is() {
    let mut redactor = hiding(&["s3cret-of-the-ci"]);
    for text in
        ["", "plan for `f` in eu-west-1", "100% \\ & | '' \"\" +", "\\u12 %zz &x; |0xzz \u{1b}", "é\u{1f600}\\é"]
    {
        assert!(matches!(redactor.replaced(text, Whose::Ours), Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn many_secrets_and_long_lines_take_no_time() {
    let secrets: Vec<_> = (0..300).map(|number| format!("secret-number-{number:08}")).collect();
    let mut redactor = hiding(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
    let lines = "a line of a log, 100% plain & \"quoted\" 'text' \\ with | everything\n".repeat(1000);
    let begun = std::time::Instant::now();
    redactor.replaced(&lines, Whose::Ours);
    redactor.replaced(&lines.replace('\n', " "), Whose::Ours);
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// Time that grows with the square of these lengths would never end.
#[test]
fn a_repetitive_secret_or_text_takes_no_time() {
    for unit in ["a", "ab", "pass", "{\"token\": \"aaaaaaaa\"},"] {
        let secret = unit.repeat(20_000 / unit.len());
        let mut redactor = hiding(&[&secret]);
        assert_eq!(redactor.replaced(&format!("<{secret}>"), Whose::Ours).split(['<', '>']).nth(1), Some("***"));
    }
    let items = format!("[{}]", vec!["{\"password\": \"aaaaaaaaaaaa\"}"; 1000].join(","));
    assert_eq!(hiding(&[&items]).replaced(&items, Whose::Ours), "***");

    let mut redactor = hiding(&["aaaaaaaa"]);
    redactor.add("production", Role::Value);
    redactor.add("my-production-api", Role::Name);
    for (unit, shown) in [
        (STANDARD.encode("aaaaaaaa").trim_end_matches('='), "***"),
        ("my-production-api ", "my-production-api "),
        ("arn:aws:lambda:production", "arn:aws:lambda:production"),
        ("http://host/,", "http://host/,"),
        ("x://y", "x://y"),
    ] {
        let text = unit.repeat(300_000 / unit.len());
        let expected = if shown == unit { text.as_str() } else { shown };
        assert!(redactor.replaced(&text, Whose::Ours) == expected, "{unit}");
    }
}

#[test]
fn a_value_inside_any_of_several_names_is_kept() {
    let mut redactor = Redactor::default();
    redactor.add("production", Role::Value);
    for name in ["my-production", "my-production-api", "production-api", "a-my"] {
        redactor.add(name, Role::Name);
    }
    let text = "production my-production a-my-production-api production-api";
    assert_eq!(redactor.replaced(text, Whose::Ours), "*** my-production a-my-production-api production-api");
}

proptest! {
    #[test]
    fn no_form_of_any_secret_is_shown(secret in "[!-~][ -~é😀]{8,40}[!-~]") {
        let mut redactor = hiding(&[&secret]);
        for (form, text) in every_form(&secret) {
            let shown = redactor.replaced(&text, Whose::Ours).into_owned();
            prop_assert!(shown.contains("***") && !shown.contains(&secret) && shown.len() <= 40, "{} as {} is shown as {}", secret, form, shown);
        }
    }

    #[test]
    fn any_text_survives(text in "[ -~\u{1b}é\u{200b}😀\n]{0,80}", secret in "[ -~é]{8,12}") {
        let mut redactor = hiding(&[&secret]);
        let shown = redactor.replaced(&text, Whose::Ours).into_owned();
        if !text.contains(&secret) && !text.contains("://") && !shown.contains("***") {
            prop_assert_eq!(shown, text);
        }
    }
}
