//! How each CI reads what is printed: parsers written from the consumers' own grammars, not from ours.
#![allow(dead_code, unreachable_pub, reason = "two test binaries share them, and each asks some")]

use std::collections::BTreeMap;

/// A command that a CI found in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub name: String,
    pub properties: BTreeMap<String, String>,
    pub data: String,
}

impl Command {
    fn new(name: &str, pairs: impl Iterator<Item = (String, String)>, data: String) -> Self {
        Self { name: name.to_owned(), properties: pairs.collect(), data }
    }
}

fn unescaped(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// What ends a line for .NET, in which the runners of GitHub and Azure are written.
pub fn lines(log: &str) -> Vec<String> {
    log.replace("\r\n", "\n").split(['\n', '\r']).map(str::to_owned).collect()
}

/// GitHub's runner: `ActionCommand.TryParseV2`, then `TryParse`, which finds the old form anywhere in the line.
pub fn github(line: &str) -> Option<Command> {
    const REGISTERED: &[&str] = &[
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "internal-set-repo-path",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    ];
    let registered = |name: &str| REGISTERED.contains(&name.to_ascii_lowercase().as_str());
    let v2 = || {
        let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let value = |text| unescaped(text, &[("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")]);
        let pairs = properties.trim().split(',').filter_map(|pair| pair.split_once('=')).filter(|(_, v)| !v.is_empty());
        let pairs = pairs.map(|(key, text)| (key.to_owned(), value(text)));
        registered(name)
            .then(|| Command::new(name, pairs, unescaped(data, &[("%0D", "\r"), ("%0A", "\n"), ("%25", "%")])))
    };
    let v1 = || {
        let (head, data) = line.split_once("##[")?.1.split_once(']')?;
        let name = head.split(' ').next()?;
        registered(name).then(|| Command::new(name, std::iter::empty(), data.to_owned()))
    };
    v2().or_else(v1)
}

/// GitHub's reader of `GITHUB_OUTPUT` on Linux (`FileCommandManager.cs`): the pairs, and whether the step fails.
pub fn github_outputs(text: &str) -> (BTreeMap<String, String>, bool) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut found = BTreeMap::new();
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        match (equals, heredoc) {
            (Some(0), _) | (None, None | Some(0)) => return (found, true),
            (Some(at), later) if later.is_none_or(|later| at < later) => {
                found.insert(line[..at].to_owned(), line[at + 1..].to_owned());
            }
            (_, Some(at)) => {
                let (name, delimiter) = (&line[..at], &line[at + 2..]);
                let mut value = Vec::new();
                loop {
                    match lines.next() {
                        None => return (found, true),
                        Some(line) if line == delimiter => break,
                        Some(line) => value.push(line),
                    }
                }
                found.insert(name.to_owned(), value.join("\n"));
            }
            (Some(_), None) => return (found, true),
        }
    }
    (found, false)
}

/// A section marker of GitLab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub starts: bool,
    pub seconds: u64,
    pub name: String,
    pub options: String,
}

/// GitLab: `section_(start|end):(\d+):([a-zA-Z0-9_.-]+)(\[\w+=\w+(, ?\w+=\w+)*\])?\r\e\[0K`.
pub fn gitlab_sections(log: &str) -> Vec<Section> {
    let section = |(at, _): (usize, &str)| {
        let rest = &log[at + "section_".len()..];
        let (starts, rest) = match rest.strip_prefix("start:") {
            Some(rest) => (true, rest),
            None => (false, rest.strip_prefix("end:")?),
        };
        let (seconds, rest) = rest.split_once(':')?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_.-".contains(c))?;
        let (name, mut rest) = rest.split_at(end);
        let mut options = "";
        if let Some(inner) = rest.strip_prefix('[') {
            (options, rest) = inner.split_once(']')?;
        }
        rest.strip_prefix("\r\u{1b}[0K")?;
        let seconds = seconds.parse().ok()?;
        (!name.is_empty()).then(|| Section { starts, seconds, name: name.to_owned(), options: options.to_owned() })
    };
    log.match_indices("section_").filter_map(section).collect()
}

/// GitLab's reader of a dotenv report (`Ci::ParseDotenvArtifactService`): nothing where it refuses the file.
pub fn gitlab_dotenv(text: &str) -> Option<BTreeMap<String, String>> {
    if text.len() >= 5 * 1024 {
        return None;
    }
    let pair = |line: &str| {
        let (key, value) = line.split_once('=')?;
        let known = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        known.then(|| (key.to_owned(), value.trim().to_owned()))
    };
    text.strip_suffix('\n').unwrap_or(text).split('\n').map(pair).collect()
}

/// Travis' log: `/fold:(start|end):([\w_\-\.]+)/` and `/time:(start|end):([\w_\-\.]+)/`, anywhere.
pub fn travis(line: &str) -> Vec<String> {
    let named = |marker: &str| {
        let name = |(at, _): (usize, &str)| {
            let name: String = line[at + marker.len()..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c))
                .collect();
            (!name.is_empty()).then(|| format!("{marker}{name}"))
        };
        line.match_indices(marker).filter_map(name).collect::<Vec<_>>()
    };
    ["fold:start:", "fold:end:", "time:start:", "time:end:"].into_iter().flat_map(named).collect()
}

/// Azure's agent (`Command.TryParse`): anywhere in the line; `##[…]` only colours and folds, at its beginning.
pub fn azure(line: &str) -> Option<Command> {
    let value =
        |text: &str| unescaped(text, &[("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%AZP25", "%")]);
    if let Some(at) = line.to_ascii_lowercase().find("##vso[") {
        let (head, data) = line[at + "##vso[".len()..].split_once(']')?;
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let pairs = properties.split(';').filter_map(|pair| pair.split_once('='));
        return Some(Command::new(name, pairs.map(|(key, text)| (key.to_owned(), value(text))), value(data)));
    }
    let (name, data) = line.strip_prefix("##[")?.split_once(']')?;
    Some(Command::new(name, std::iter::empty(), data.to_owned()))
}

/// `TeamCity`: one message a line, single quotes, escapes with `|`. What cannot be read is a command with a bad name.
pub fn teamcity(line: &str) -> Option<Command> {
    let rest = line.trim_start().strip_prefix("##teamcity[")?;
    Some(teamcity_message(rest).unwrap_or_else(|| Command::new("malformed", std::iter::empty(), line.to_owned())))
}

fn teamcity_message(text: &str) -> Option<Command> {
    let (name, rest) = text.split_once(' ')?;
    let (mut values, mut characters) = (Vec::new(), rest.chars().peekable());
    while characters.next_if_eq(&']').is_none() {
        let key: String = characters.by_ref().take_while(|c| *c != '=').collect();
        characters.next_if_eq(&'\'')?;
        let mut units = Vec::new();
        loop {
            match characters.next()? {
                '\'' => break,
                '[' | ']' | '\n' | '\r' => return None,
                '|' => match characters.next()? {
                    'n' => units.push(u16::from(b'\n')),
                    'r' => units.push(u16::from(b'\r')),
                    '0' => {
                        characters.next_if_eq(&'x')?;
                        let digits: String = characters.by_ref().take(4).collect();
                        units.push(u16::from_str_radix(&digits, 16).ok()?);
                    }
                    c @ ('|' | '\'' | '[' | ']') => units.push(u16::try_from(c).ok()?),
                    _ => return None,
                },
                c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
            }
        }
        values.push((key.trim().to_owned(), String::from_utf16(&units).ok()?));
        characters.next_if_eq(&' ');
    }
    characters.next().is_none().then(|| Command::new(name, values.into_iter(), String::new()))
}

/// Buildkite: `^(?:---|\+\+\+|~~~)\s` and `^\^\^\^\s+\+\+\+` open groups, `\e]1339;…\a` is a link.
pub fn buildkite(line: &str) -> Option<&str> {
    let header = |marker| line.strip_prefix(marker).is_some_and(|rest: &str| rest.starts_with(char::is_whitespace));
    let expands = line
        .strip_prefix("^^^")
        .is_some_and(|rest| rest.starts_with(char::is_whitespace) && rest.trim_start().starts_with("+++"));
    let image_or_address = line.contains("\u{1b}]133");
    (["---", "+++", "~~~"].into_iter().any(header) || expands || image_or_address).then_some(line)
}
