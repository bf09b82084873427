//! Text about live functions, and about changes outside of a deployment.

use serde_json::Value;

use super::{ends, plan, sanitise};
use crate::plan::Rollback;
use crate::remote::{
    Alias, Condition, Invocation, Known, LiveCode, Provisioned, Published, Record, Removal, Status, Summary,
};

/// How many versions to show.
const SHOWN_VERSIONS: usize = 5;

/// The lines about a function and its resources.
pub(super) fn status(status: &Status) -> Vec<String> {
    let Status {
        function,
        region,
        arn,
        description,
        state,
        last_update,
        code,
        architecture,
        memory_size,
        timeout,
        last_modified,
        code_sha256,
        code_size,
        log_group: _,
        reserved_concurrency,
        versions,
        aliases,
        urls,
        provisioned,
    } = status;
    let mut rows = Rows::default();
    rows.add("arn", arn);
    rows.add_if("description", description);
    rows.add_if("state", &condition(state));
    rows.add_if("last update", &condition(last_update));
    match code {
        LiveCode::Runtime(runtime) => rows.add("runtime", &format!("{runtime} on {architecture}")),
        LiveCode::Image(uri) => {
            let uri = uri.as_deref().unwrap_or("unknown");
            rows.add("image", &format!("{uri} on {architecture}"));
        }
    }
    rows.add("memory", &format!("{memory_size} MB, timeout {timeout} s"));
    let size = if *code_size == 0 { String::new() } else { format!(", {}", plan::size(*code_size)) };
    rows.add("code", &format!("{code_sha256}{size}"));
    rows.add("modified", &format!("{}{}", moment(last_modified), by_release(status)));
    rows.add_if("concurrency", &reserved_concurrency.map(|number| format!("{number} reserved")).unwrap_or_default());
    rows.add_each("warm", provisioned, warm);
    let of = |alias: &Option<String>| alias.as_ref().map_or_else(|| "$LATEST".to_owned(), |alias| format!("`{alias}`"));
    rows.add_each("URL", urls, |url| format!("{} of {} ({})", url.url, of(&url.alias), url.auth_type));
    rows.add_each("alias", aliases, |alias| format!("`{}` → {}", alias.name, target(alias)));
    match versions {
        Ok(versions) if versions.is_empty() => rows.add("versions", "none"),
        Ok(versions) => {
            let of = if versions.len() > SHOWN_VERSIONS { ", of which the newest are" } else { "" };
            rows.add("versions", &format!("{}{of}", versions.len()));
            for version in versions.iter().take(SHOWN_VERSIONS) {
                let about =
                    format!("{:>4}  {}  {}", version.number, moment(&version.last_modified), version.description);
                rows.add("", &about);
            }
        }
        Err(_) => rows.add("versions", "unknown"),
    }
    std::iter::once(format!("`{function}` in {region}")).chain(rows.lines()).collect()
}

/// Whether the last change of a function was a release; empty if no version is known.
fn by_release(status: &Status) -> String {
    match status.last_release() {
        Some((Published { number, description, .. }, false)) => {
            let about = if description.is_empty() { String::new() } else { format!(": {description}") };
            format!(", by the release of version {number}{about}")
        }
        Some((Published { number, .. }, true)) => format!(
            ", after the release of version {number}: by hand, by another program, or by a run that published nothing"
        ),
        None => String::new(),
    }
}

/// The functions of a Region, in columns.
pub(super) fn list(region: &str, functions: &[Summary]) -> Vec<String> {
    if functions.is_empty() {
        return vec![format!("There are no functions in {region}.")];
    }
    let row = |function: &Summary| {
        let Summary { function, code, memory_size, timeout, last_modified } = function;
        [
            sanitise::one_line(function),
            sanitise::one_line(kind(code)),
            format!("{memory_size} MB"),
            format!("{timeout} s"),
            moment(last_modified),
        ]
    };
    let rows: Vec<_> = functions.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3].map(width);
    let line = |[function, code, memory, timeout, moment]: &[String; 5]| {
        let [first, second, third, fourth] = widths;
        format!("{function:<first$}  {code:<second$}  {memory:>third$}  {timeout:>fourth$}  {moment}")
    };
    rows.iter().map(line).collect()
}

/// The lines about an invocation: the end of the log, then the response's head.
pub(super) fn invoked(invocation: &Invocation) -> Vec<String> {
    let Invocation { function, qualifier: _, status, executed_version, payload: _, function_error, log, took } =
        invocation;
    let version = executed_version.as_ref().map(|version| format!(", version {version},")).unwrap_or_default();
    let seconds = took.as_secs_f64();
    let head = match (status, function_error) {
        (204, _) => format!("AWS would accept a call of `{function}`{version} without `--dry_run`."),
        (202, _) => {
            format!("AWS accepted the call of `{function}` ({status}). This run does not wait for the response.")
        }
        (_, None) => format!("`{function}`{version} answered in {seconds:.1} s:"),
        (_, Some(kind)) => format!("`{function}`{version} failed in {seconds:.1} s ({kind}):"),
    };
    log.iter().map(|line| format!("  {line}")).chain([head]).collect()
}

/// The response. If it is JSON, it gets line breaks.
pub(super) fn payload(invocation: &Invocation) -> Option<String> {
    let payload = invocation.payload.as_deref()?;
    let is_json = serde_json::from_str::<Value>(payload).is_ok();
    Some(if is_json { pretty(payload) } else { payload.to_owned() })
}

/// JSON with line breaks and indentation. `serde_json` would round a long number (an id of 20 digits), shorten `1.50`
/// and drop a repeated key; users compare the response with what their function returned.
fn pretty(json: &str) -> String {
    let (mut out, mut depth, mut in_text, mut escaped) = (String::with_capacity(json.len()), 0, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        if in_text {
            out.push(c);
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = rest.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => {
                in_text = c == '"';
                out.push(c);
            }
        }
    }
    out
}

/// The lines about a deletion: the parts to delete, and the parts that stay.
pub(super) fn removal(removal: &Removal) -> Vec<String> {
    let Removal { function, region, version, status, mappings } = removal;
    if let Some(number) = version {
        return vec![format!("deletion in {region}"), format!("  - version {number} of `{function}`")];
    }
    let mut rows = Rows { sign: "- ", ..Rows::default() };
    rows.add("function", &status.arn);
    let numbers = |versions: &Vec<_>| versions.iter().map(|v: &Published| v.number.to_string()).collect::<Vec<_>>();
    match status.versions.as_ref().map(numbers) {
        Ok(numbers) if numbers.is_empty() => {}
        Ok(numbers) => rows.add("versions", &numbers.join(", ")),
        Err(_) => rows.add("versions", "unknown"),
    }
    rows.add_each("alias", &status.aliases, |alias| format!("`{}` → {}", alias.name, target(alias)));
    rows.add_each("URL", &status.urls, |url| url.url.clone());
    let mut stays = vec![format!("  = stays: the log group {}", status.log_group)];
    match mappings {
        Ok(mappings) => {
            stays.extend(mappings.iter().map(|mapping| format!("  = stays: the event source mapping of {mapping}")));
        }
        Err(_) => stays.push("  = stays: event source mappings, if any exist".to_owned()),
    }
    let head = format!("deletion of `{function}` in {region}");
    std::iter::once(head).chain(rows.lines()).chain(stays).collect()
}

/// The lines about a rollback, or that the alias points there already.
pub(super) fn rollback(function: &str, region: &str, rollback: &Rollback) -> Vec<String> {
    let Rollback { alias, to, description: _, differences, files } = rollback;
    if !rollback.changes() {
        return vec![format!(
            "`{}` of `{function}` in {region} points at version {to} already: nothing to do.",
            alias.name
        )];
    }
    let head = [
        format!("rollback of `{function}` in {region}"),
        format!("  ~ alias           `{}`: {} → {to}", alias.name, shares(alias)),
    ];
    let changes = plan::changes(differences, |difference| ends::name(difference, "."));
    head.into_iter().chain(changes).chain(files.iter().flat_map(plan::files)).collect()
}

/// The version of an alias, with the shares of other versions.
pub(super) fn shares(alias: &Alias) -> String {
    let share = |(version, share): (&String, &u32)| format!("{} to {version}", ends::percent(*share));
    let shares: Vec<_> = alias.shares().iter().map(share).collect();
    if shares.is_empty() { alias.version.clone() } else { format!("{} with {}", alias.version, shares.join(", ")) }
}

/// The version that an alias points at, the one before, and the one that was rolled back.
fn target(alias: &Alias) -> String {
    let Record { before, rolled_back, build: _ } = alias.record();
    let parts =
        [before.map(|number| format!("before: {number}")), rolled_back.map(|number| format!("rolled back: {number}"))];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    format!("{}{parts}", shares(alias))
}

fn warm(provisioned: &Provisioned) -> String {
    let Provisioned { qualifier, requested, available, status } = provisioned;
    format!("{available} of {requested} for `{qualifier}`, {}", condition(status))
}

fn condition(condition: &Condition) -> String {
    let Condition { word, reason } = condition;
    match reason {
        Some(reason) => format!("{word}: {reason}"),
        None => word.clone(),
    }
}

fn kind(code: &LiveCode) -> &str {
    match code {
        LiveCode::Runtime(runtime) => runtime,
        LiveCode::Image(_) => "image",
    }
}

/// A time from AWS, to the minute.
fn moment(written: &str) -> String {
    match (written.get(..10), written.get(10..11), written.get(11..16)) {
        (Some(day), Some("T"), Some(time)) if written.ends_with("+0000") || written.ends_with('Z') => {
            format!("{day} {time} UTC")
        }
        _ => sanitise::one_line(written),
    }
}

/// Rows of a name and a text.
#[derive(Default)]
struct Rows {
    rows: Vec<(String, String)>,
    sign: &'static str,
}

impl Rows {
    fn add(&mut self, name: &str, text: &str) {
        self.rows.push((name.to_owned(), sanitise::one_line(text).trim_end().to_owned()));
    }

    fn add_if(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.add(name, text);
        }
    }

    /// A row for each item, or one row that says they are unknown.
    fn add_each<T>(&mut self, name: &str, items: &Known<Vec<T>>, shown: impl Fn(&T) -> String) {
        match items {
            Ok(items) => items.iter().for_each(|item| self.add(name, &shown(item))),
            Err(_) => self.add(name, "unknown"),
        }
    }

    fn lines(self) -> Vec<String> {
        let Self { rows, sign } = self;
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        rows.iter().map(|(name, text)| format!("  {sign}{name:<width$}  {text}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_gets_lines_and_keeps_its_numbers_texts_and_keys() {
        for (json, shown) in [
            (
                r#"{"a": [1.50,{ }], "b{":"\"],\\"}"#,
                "{\n  \"a\": [\n    1.50,\n    {}\n  ],\n  \"b{\": \"\\\"],\\\\\"\n}",
            ),
            ("12345678901234567890123", "12345678901234567890123"),
            (r#""a  b""#, r#""a  b""#),
            (r#"{"a":1,"a":2}"#, "{\n  \"a\": 1,\n  \"a\": 2\n}"),
            ("[ ]", "[]"),
        ] {
            assert_eq!(pretty(json), shown);
        }
    }

    #[test]
    fn times_are_shown_to_the_minute() {
        assert_eq!(moment("2026-11-21T12:00:31.123+0000"), "2026-11-21 12:00 UTC");
        assert_eq!(moment("2026-11-21T12:00:31+02:00"), "2026-11-21T12:00:31+02:00");
        assert_eq!(moment("é"), "é");
    }
}
