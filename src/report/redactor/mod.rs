//! Searches all output for secrets, all of them in one pass, and replaces them.

mod encodings;
mod forms;
#[cfg(test)]
#[expect(clippy::format_collect, reason = "a test does not have to be fast")]
mod tests;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use self::encodings::{base64_forms, encoded_around, hexadecimal};
use super::sanitise;
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

/// The texts to search for, and to replace or keep.
#[derive(Default)]
pub(super) struct Redactor {
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

impl Redactor {
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
                for encoded in base64_forms(text.as_bytes(), SHORTEST) {
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
            // The other kind, a DFA, takes quadratic time to build for a repetitive secret.
            let kind = Some(AhoCorasickKind::ContiguousNFA);
            let builder = AhoCorasick::builder().match_kind(MatchKind::Standard).kind(kind).build(self.patterns.keys());
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
        let mut encoded = 0..0;
        for hit in automaton.find_overlapping_iter(text) {
            let (plain, pattern) = (hit.range(), hit.pattern().as_usize());
            for (role, form) in &self.roles[pattern] {
                let range = match form {
                    Form::Plain => origin(&plain),
                    Form::Base64 => {
                        if !is_within(&plain, &encoded) {
                            encoded = encoded_around(text, &plain);
                        }
                        origin(&encoded)
                    }
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
        let names = Outer::of(names);
        let arns = Outer::of(if values.is_empty() { Vec::new() } else { arns(text) });
        let is_of_name = |value: &Range<usize>| {
            names.around(value).is_some() || arns.around(value).is_some_and(|arn| value.len() < arn.len())
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

fn is_within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Ranges of which none is within another, in order.
struct Outer(Vec<Range<usize>>);

impl Outer {
    fn of(mut ranges: Vec<Range<usize>>) -> Self {
        ranges.sort_by_key(|range| (range.start, Reverse(range.end)));
        let mut end = 0;
        ranges.retain(|range| {
            let is_further = range.end > end;
            end = end.max(range.end);
            is_further
        });
        Self(ranges)
    }

    /// The range with the furthest end that contains another.
    fn around(&self, inner: &Range<usize>) -> Option<&Range<usize>> {
        let begun = self.0.partition_point(|range| range.start <= inner.start);
        self.0[..begun].last().filter(|outer| is_within(inner, outer))
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
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(at) = text[from..].find("arn:aws") {
        let start = from + at;
        let ends = |c: char| !(c.is_ascii_alphanumeric() || "-_:/.+=@$*".contains(c));
        let arn = &text[start..start + text[start..].find(ends).unwrap_or(text.len() - start)];
        from = start + arn.len();
        // What follows is of the sentence.
        found.push(start..start + arn.trim_end_matches(['.', ':']).len());
    }
    found
}
