//! The sanitiser: makes sure that no CI reads text from elsewhere as a command.
//!
//! Names of functions and files, messages of AWS and commits may hold commands of a CI. The sanitiser removes escape
//! sequences, breaks markers visibly, and puts a bar before a marker at the beginning of a line.

/// The text, harmless in the log of every CI. Keeps line breaks: each line is harmless on its own.
pub(super) fn inert(text: &str) -> String {
    clean(text).split('\n').map(|line| behind_a_bar(broken(line))).collect::<Vec<_>>().join("\n")
}

/// The text on one line, to use inside another line.
pub(super) fn one_line(text: &str) -> String {
    broken(&clean(text).replace('\n', " "))
}

/// The forms of a text after sanitising: on one line, line by line, and before a `[` that completes a marker. A search
/// for the text must include these forms.
pub(super) fn looks(text: &str) -> Vec<String> {
    let lines = clean(text);
    let before_a_marker = broken(&format!("{}[", lines.replace('\n', " ")));
    let before_a_marker = before_a_marker.strip_suffix('[').map(str::to_owned);
    lines.split('\n').map(broken).chain([one_line(text)]).chain(before_a_marker).collect()
}

/// Equal JSON that is harmless too: characters that are not allowed in a log or page become `\\u…`.
pub(super) fn json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // GitHub and Azure read `##[…]` and `##vso[…]` anywhere in a line.
        if c == '#' || (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{2029}') || is_invisible(c) {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    TRAVIS.iter().fold(out, |text, (marker, _)| text.replace(marker, &marker.replace(':', "\\u003a")))
}

/// Cuts a text that has more UTF-16 units than its reader accepts.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let mut units = 1;
    let fits = |c: &char| {
        units += c.len_utf16();
        units <= most
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// The text without escape sequences, control characters and invisible characters. Every kind of line break becomes
/// `\n`.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\u{1b}' | '\u{9b}' | '\u{9d}' => {
                let kind = if c == '\u{1b}' {
                    characters.next()
                } else if c == '\u{9b}' {
                    Some('[')
                } else {
                    Some(']')
                };
                match kind {
                    Some('[') => while characters.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
                    Some(']' | 'P' | 'X' | '^' | '_') => {
                        while let Some(c) = characters.next() {
                            if c == '\u{7}'
                                || c == '\u{9c}'
                                || (c == '\u{1b}' && characters.next_if_eq(&'\\').is_some())
                            {
                                break;
                            }
                        }
                    }
                    Some(_) | None => {}
                }
            }
            '\r' => {
                characters.next_if_eq(&'\n');
                out.push('\n');
            }
            '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\t' => out.push('\t'),
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// Format characters: zero width, bidirectional controls, tags. They are invisible, and a parser may skip them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The markers that Travis reads (`/fold:(start|end):/`, `/time:(start|end):/`, with or without `travis_`), and their
/// broken forms.
const TRAVIS: &[(&str, &str)] = &[
    ("travis_fold:", "travis fold:"),
    ("travis_time:", "travis time:"),
    ("fold:start", "fold: start"),
    ("fold:end", "fold: end"),
    ("time:start", "time: start"),
    ("time:end", "time: end"),
];

/// Breaks the markers that a CI reads anywhere in a line: `##[`, `##vso[`, `##teamcity[`, and those of Travis.
fn broken(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let opens = characters.peek().is_some_and(|next| *next == '[' || next.is_ascii_alphabetic());
        if c == '#' && opens && out.ends_with('#') {
            out.push(' ');
        }
        out.push(c);
    }
    TRAVIS.iter().fold(out, |text, (marker, broken)| text.replace(marker, broken))
}

/// Puts a bar before a line that begins with a marker. Buildkite's headers are `^(---|\+\+\+|~~~)\s` and
/// `^\^\^\^\s+\+\+\+`.
fn behind_a_bar(line: String) -> String {
    let begins = line.trim_start();
    let header =
        |marker| begins.strip_prefix(marker).is_some_and(|rest: &str| !rest.starts_with(|c: char| !c.is_whitespace()));
    let marked = begins.starts_with("::") || ["---", "+++", "~~~", "^^^"].into_iter().any(header);
    if marked { format!("| {line}") } else { line }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::oracles;

    /// Whether any CI would read the line as a command.
    fn is_command(line: &str) -> bool {
        let section = ["\u{1b}", "\r", "##["].iter().any(|marker| line.contains(marker));
        section
            || oracles::github(line).is_some()
            || oracles::azure(line).is_some()
            || oracles::teamcity(line).is_some()
            || oracles::buildkite(line).is_some()
            || !oracles::travis(line).is_empty()
            || !oracles::gitlab_sections(line).is_empty()
    }

    #[test]
    fn commands_of_every_ci_become_text() {
        let hostile = [
            "::add-mask::a",
            "   ::error::x",
            "::set-env name=A::b",
            "foo ##[add-mask]e",
            "##[group]x",
            "##vso[task.setvariable variable=A]b",
            "x ##vso[task.complete result=Failed]",
            "##teamcity[buildProblem description='x']",
            "--- a",
            "+++ b",
            "^^^ +++",
            "~~~ x",
            "\u{1b}[0Ksection_start:1:x\r\u{1b}[0K",
            "travis_fold:start:x",
            "ok\r::add-mask::a",
            "\u{1b}]1339;url='javascript:…'\u{7}",
            "\u{200b}::add-mask::a",
            "#\u{200b}#[group]x",
            "\u{1b}[1m##\u{1b}[0m[group]x",
            "a\u{2028}::error::b",
            "###[group]",
            "##VSO[task.complete]",
            "x fold:start:y",
            "time:end:1:start=1",
            "---\tx",
            "^^^\t+++",
        ];
        for text in hostile {
            for line in inert(text).split('\n') {
                assert!(!is_command(line), "{text:?} became {line:?}");
            }
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "plan for `f` in eu-west-1",
            "128 MB → 256 MB",
            "a::b",
            "\tindented",
            "ünïcode 😀",
            "# heading",
            "## heading",
            "a#b fold:ed time:out",
            "---x",
        ] {
            assert_eq!(inert(text), text);
        }
    }

    #[test]
    fn long_texts_are_cut_in_the_units_of_their_reader() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("😀😀", 3), "😀…");
        assert_eq!(cut("😀😀", 4), "😀😀");
    }

    proptest! {
        #[test]
        fn no_text_is_a_command(parts in proptest::collection::vec(prop_oneof![
            Just("::"), Just("##["), Just("#"), Just("\u{1b}"), Just("["), Just("\r"), Just("\n"), Just(" "), Just("--- "), Just("vso["), Just("error"),
            Just("\u{200b}"), Just("travis_fold:"), Just("]"), Just("\u{9b}"), Just("\u{7}"), Just("travis_"), Just("fold:"), Just("start:"), Just("\t"), Just("---"), Just("VSO["), Just("é"),
        ], 0..24)) {
            let text = parts.concat();
            for line in inert(&text).split('\n') {
                prop_assert!(!is_command(line), "{:?} became {:?}", text, line);
            }
        }

        #[test]
        fn json_says_the_same_without_what_must_not_be_seen(text in "[ -~\u{0}-\u{a0}\u{ad}\u{200b}-\u{206f}\u{e0001}é😀]{0,40}(travis_fold:start:x|##vso\\[a]b)?") {
            let written = json(&serde_json::to_string_pretty(&serde_json::json!({ &text: [&text] })).unwrap());
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), serde_json::json!({ &text: [&text] }));
            prop_assert!(!written.contains(|c: char| (c.is_control() && c != '\n') || is_invisible(c) || c == '\u{2028}'), "{:?}", written);
            for line in written.split('\n') {
                prop_assert!(!is_command(line), "{:?}", line);
            }
        }

        #[test]
        fn any_text_survives_on_one_line(text in ".*") {
            prop_assert!(!one_line(&text).contains('\n'));
        }
    }
}
