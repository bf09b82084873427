//! Searches all output for secrets, all of them in one pass, and replaces them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::{forms, sanitise};
use crate::settings::{logins, parts};

/// Replaces a secret.
pub(super) const REDACTED: &str = "***";

/// The length of the shortest secret that is replaced. Shorter ones would also replace ordinary words, as in dpl (FX8
/// in docs/coming-from/dpl.md).
pub(super) const SHORTEST: usize = 8;

/// The length of the shortest value that is replaced in text from elsewhere.
const SHORTEST_FOREIGN: usize = 4;

/// What to do with a text that is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// A secret: always replace it.
    Secret,
    /// A value: replace it, except inside a name.
    Value,
    /// A value that is replaced only in text from elsewhere, except inside a name.
    Foreign,
    /// A public name: keep it.
    Name,
}

/// Who wrote a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Ours,
    Foreign,
}

/// How a pattern represents its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    /// The text itself.
    Plain,
    /// The text in base64, at any offset, without the characters that it shares with its neighbours.
    Base64,
}

/// The texts to search for.
#[derive(Default)]
pub(super) struct Needles {
    patterns: BTreeMap<Vec<u8>, BTreeSet<(Role, Form)>>,
    /// Built by the first search after a change.
    automaton: Option<AhoCorasick>,
    /// The roles of each pattern, in the order of the automaton.
    roles: Vec<BTreeSet<(Role, Form)>>,
}

/// The matches in a text.
#[derive(Default)]
struct Found {
    /// Parts to replace.
    hidden: Vec<Hit>,
    /// Parts to replace, except inside a name.
    values: Vec<Hit>,
    /// Public names.
    names: Vec<Range<usize>>,
    /// Logins in URLs: the part before the host.
    logins: Vec<Range<usize>>,
}

/// A match, with the number of its pattern and the number of escapes that were undone to find it.
struct Hit {
    range: Range<usize>,
    pattern: usize,
    depth: usize,
}

impl Needles {
    /// Adds a text to search for.
    pub(super) fn add(&mut self, text: &str, role: Role) {
        let shortest = if matches!(role, Role::Secret | Role::Value) { SHORTEST } else { SHORTEST_FOREIGN };
        let texts = if role == Role::Name { vec![text.to_owned()] } else { parts(text) };
        let looks: Vec<_> = texts.iter().flat_map(|text| sanitise::looks(text)).collect();
        let texts = if role == Role::Name { texts } else { [texts, looks].concat() };
        for text in texts.iter().map(|text| text.trim()).filter(|text| text.chars().count() >= shortest) {
            self.insert(text.as_bytes().to_vec(), role, Form::Plain);
            if matches!(role, Role::Secret | Role::Value) {
                self.insert(hexadecimal(text).into_bytes(), role, Form::Plain);
                self.insert(hexadecimal(text).to_ascii_uppercase().into_bytes(), role, Form::Plain);
                for encoded in base64_forms(text.as_bytes()) {
                    self.insert(encoded.into_bytes(), role, Form::Base64);
                }
            }
        }
    }

    fn insert(&mut self, pattern: Vec<u8>, role: Role, form: Form) {
        if self.patterns.entry(pattern).or_default().insert((role, form)) {
            self.automaton = None;
        }
    }

    /// The text with its secrets replaced.
    pub(super) fn replaced<'a>(&mut self, text: &'a str, whose: Whose) -> Cow<'a, str> {
        self.build();
        let mut found = Found::default();
        self.search(text.as_bytes(), 0, whose, &|range| range.clone(), &mut found);
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            forms::views(line, &mut |view| {
                let origin = |range: &Range<usize>| {
                    let within = view.origin(range);
                    start + within.start..start + within.end
                };
                self.search(&view.bytes, view.depth, whose, &origin, &mut found);
            });
            start += line.len();
        }
        let ranges = found.hidden_ranges(text);
        if ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut out, mut shown) = (String::with_capacity(text.len()), 0);
        for range in ranges {
            out.push_str(&text[shown..range.start]);
            out.push_str(REDACTED);
            shown = range.end;
        }
        out.push_str(&text[shown..]);
        Cow::Owned(out)
    }

    fn build(&mut self) {
        if self.automaton.is_none() {
            self.roles = self.patterns.values().cloned().collect();
            let builder = AhoCorasick::builder().match_kind(MatchKind::Standard).build(self.patterns.keys());
            // This fails only with more patterns than fit into memory.
            self.automaton = builder.ok();
        }
    }

    fn search(
        &self,
        text: &[u8],
        depth: usize,
        whose: Whose,
        origin: &dyn Fn(&Range<usize>) -> Range<usize>,
        found: &mut Found,
    ) {
        found.logins.extend(logins(text).iter().map(origin));
        let Some(automaton) = &self.automaton else { return };
        for hit in automaton.find_overlapping_iter(text) {
            let (plain, pattern) = (hit.range(), hit.pattern().as_usize());
            for (role, form) in &self.roles[pattern] {
                let range = match form {
                    Form::Plain => origin(&plain),
                    Form::Base64 => origin(&encoded_around(text, &plain)),
                };
                match role {
                    Role::Secret => found.hidden.push(Hit { range, pattern, depth }),
                    Role::Value => found.values.push(Hit { range, pattern, depth }),
                    Role::Foreign if whose == Whose::Foreign => found.values.push(Hit { range, pattern, depth }),
                    Role::Foreign => {}
                    Role::Name => found.names.push(range),
                }
            }
        }
    }
}

impl Found {
    /// The parts to replace, in order and without overlaps.
    fn hidden_ranges(self, text: &str) -> Vec<Range<usize>> {
        let Self { mut hidden, values, names, logins } = self;
        let arns = if values.is_empty() { Vec::new() } else { arns(text) };
        let is_within =
            |inner: &Range<usize>, outer: &Range<usize>| outer.start <= inner.start && inner.end <= outer.end;
        let is_of_name = |value: &Range<usize>| {
            names.iter().any(|name| is_within(value, name))
                || arns.iter().any(|arn| is_within(value, arn) && value.len() < arn.len())
        };
        hidden.extend(values.into_iter().filter(|value| !is_of_name(&value.range)));
        let mut hidden: Vec<_> = plainest(hidden).chain(logins).collect();
        hidden.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<usize>> = Vec::new();
        for Range { mut start, mut end } in hidden {
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            while !text.is_char_boundary(end) {
                end += 1;
            }
            match merged.last_mut() {
                Some(last) if start < last.end => last.end = last.end.max(end),
                _ => merged.push(start..end),
            }
        }
        merged
    }
}

/// Each match once. Undoing something that is not an escape finds a match again, together with the quote beside it.
fn plainest(mut hits: Vec<Hit>) -> impl Iterator<Item = Range<usize>> {
    let (mut starts, mut ends) = (BTreeSet::new(), BTreeSet::new());
    hits.sort_by_key(|hit| hit.depth);
    hits.into_iter().filter_map(move |Hit { range, pattern, .. }| {
        let is_new = [starts.insert((pattern, range.start)), ends.insert((pattern, range.end))];
        (is_new == [true, true]).then_some(range)
    })
}

/// ARNs, which are public names.
fn arns(text: &str) -> Vec<Range<usize>> {
    let arn = |(start, _)| {
        let ends = |c: char| !(c.is_ascii_alphanumeric() || "-_:/.+=@$*".contains(c));
        start..start + text[start..].find(ends).unwrap_or(text.len() - start)
    };
    text.match_indices("arn:aws").map(arn).collect()
}

fn hexadecimal(text: &str) -> String {
    let digit = |four: u8| char::from_digit(u32::from(four), 16);
    text.bytes().flat_map(|byte| [byte >> 4, byte & 0xf]).filter_map(digit).collect()
}

/// The base64 forms of a text: both alphabets and each offset, without the characters that the text shares with its
/// neighbours. Encoders may break a long text into lines.
fn base64_forms(text: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for engine in [&STANDARD, &URL_SAFE] {
        for before in 0..3 {
            let padded = [&[0; 2][..before], text].concat();
            let encoded = engine.encode(&padded);
            // A character has six bits.
            let (first, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
            forms.push(encoded[first..end].to_owned());
            for width in [64, 76] {
                let lines = encoded.as_bytes()[..end].chunks(width).filter(|line| before == 0 && line.len() > SHORTEST);
                forms.extend(lines.map(|line| String::from_utf8_lossy(line).into_owned()));
            }
        }
    }
    forms
}

/// Extends a match to the whole base64 text around it, because the rest may show neighbouring secrets.
fn encoded_around(text: &[u8], part: &Range<usize>) -> Range<usize> {
    let is_encoded = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'-' | b'_');
    let before = text[..part.start].iter().rev().take_while(|c| is_encoded(c)).count();
    let after = text[part.end..].iter().take_while(|c| is_encoded(c) || **c == b'=').count();
    part.start - before..part.end + after
}

#[cfg(test)]
#[expect(clippy::format_collect, reason = "a test does not have to be fast")]
mod tests {
    use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;
    use crate::report::{azure, github, summary, teamcity};

    fn hiding(secrets: &[&str]) -> Needles {
        let mut needles = Needles::default();
        for secret in secrets {
            needles.add(secret, Role::Secret);
        }
        needles
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
                    .map(|byte| {
                        if byte.is_ascii_alphanumeric() {
                            char::from(byte).to_string()
                        } else {
                            format!("\\{byte:03o}")
                        }
                    })
                    .collect(),
            ),
            ("shell, hexadecimal", text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()),
            ("YAML", format!("'{}'", text.replace('\'', "''"))),
            ("GitHub, data", github::data(text)),
            ("GitHub, property", github::property(text)),
            ("Azure", azure::escaped(text)),
            ("TeamCity", teamcity::escaped(text)),
            ("Markdown", summary::text(text)),
            ("Markdown of HTML", summary::text(&html)),
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
        for secret in [
            "s3cret/of+x=y z",
            "it's <\"&amp;\"> 100%",
            "p\\a\u{e9}\u{1f600}|[x]%20'",
            "sk_live_51*abc[def]",
            "1234567é",
        ] {
            let mut needles = hiding(&[secret]);
            for (form, text) in every_form(secret) {
                let shown = needles.replaced(&text, Whose::Ours).into_owned();
                assert!(
                    shown.contains("***") && shown.len() < 40 && !shows(&shown, secret),
                    "{secret} as {form}: {text} is shown as {shown}"
                );
                let around = format!("before {text} after");
                let shown = needles.replaced(&around, Whose::Ours).into_owned();
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
            let mut needles = hiding(&[secret]);
            let texts = [secret.to_owned(), format!("x {secret} y"), format!("x {secret}[y]"), format!("{secret}abc")];
            for text in texts {
                for harmless in [sanitise::inert(&text), sanitise::one_line(&text), summary::text(&text)] {
                    let shown = needles.replaced(&harmless, Whose::Ours);
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
            let lines: Vec<_> =
                encoded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
            for line in &lines[..lines.len() - 1] {
                assert_eq!(hiding(&[&secret]).replaced(line, Whose::Ours), "***");
            }
        }
    }

    #[test]
    fn secrets_of_several_lines_are_hidden_line_by_line() {
        let mut needles = hiding(&[
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
            assert_eq!(needles.replaced(text, Whose::Ours), shown);
        }
    }

    #[test]
    fn of_secrets_that_overlap_nothing_is_left() {
        let mut needles = hiding(&["password1", "password12345", "345-and-more"]);
        assert_eq!(needles.replaced("password12345 password1 password12345-and-more", Whose::Ours), "*** *** ***");
    }

    #[test]
    fn names_stay_whole_but_for_secrets() {
        let mut needles = hiding(&["hunter22"]);
        needles.add("production", Role::Value);
        needles.add("123456789012", Role::Value);
        needles.add("my-production-api", Role::Name);
        needles.add("my-hunter22-api", Role::Name);
        needles.add("orders", Role::Foreign);
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
            assert_eq!(needles.replaced(text, Whose::Ours), ours);
            assert_eq!(needles.replaced(text, Whose::Foreign), foreign);
        }
    }

    #[test]
    fn logins_of_urls_are_hidden_without_being_known() {
        let mut needles = Needles::default();
        for (text, shown) in [
            ("proxy http://user:pw@host:3128/", "proxy http://***@host:3128/"),
            (r"http:\/\/user:pw@host", r"http:\/\/***@host"),
            ("http%3A%2F%2Fuser%3Apw%40host%2F", "http%3A%2F%2F***%40host%2F"),
            ("ssh://git@host/x", "ssh://git@host/x"),
        ] {
            assert_eq!(needles.replaced(text, Whose::Ours), shown);
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        let mut needles = hiding(&["s3cret-of-the-ci"]);
        for text in
            ["", "plan for `f` in eu-west-1", "100% \\ & | '' \"\" +", "\\u12 %zz &x; |0xzz \u{1b}", "é\u{1f600}\\é"]
        {
            assert!(matches!(needles.replaced(text, Whose::Ours), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn many_secrets_and_long_lines_take_no_time() {
        let secrets: Vec<_> = (0..300).map(|number| format!("secret-number-{number:08}")).collect();
        let mut needles = hiding(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
        let lines = "a line of a log, 100% plain & \"quoted\" 'text' \\ with | everything\n".repeat(1000);
        let begun = std::time::Instant::now();
        needles.replaced(&lines, Whose::Ours);
        needles.replaced(&lines.replace('\n', " "), Whose::Ours);
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    proptest! {
        #[test]
        fn no_form_of_any_secret_is_shown(secret in "[!-~][ -~é😀]{8,40}[!-~]") {
            let mut needles = hiding(&[&secret]);
            for (form, text) in every_form(&secret) {
                let shown = needles.replaced(&text, Whose::Ours).into_owned();
                prop_assert!(shown.contains("***") && !shown.contains(&secret) && shown.len() <= 40, "{} as {} is shown as {}", secret, form, shown);
            }
        }

        #[test]
        fn any_text_survives(text in "[ -~\u{1b}é\u{200b}😀\n]{0,80}", secret in "[ -~é]{8,12}") {
            let mut needles = hiding(&[&secret]);
            let shown = needles.replaced(&text, Whose::Ours).into_owned();
            if !text.contains(&secret) && !text.contains("://") && !shown.contains("***") {
                prop_assert_eq!(shown, text);
            }
        }
    }
}
