//! YAML with places: every key and value knows its line and column, and a scalar keeps its text.

use std::{borrow::Cow, collections::BTreeSet, fmt, sync::Arc};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::budget::BudgetBreach;
use serde_yaml::{Error, Location, MessageFormatter, NonFiniteFloatPolicy, Options, Spanned, UserMessageFormatter};

use super::layer::{Form, Given, MapEntry, Value};
use crate::place::{Place, Problem};

/// The most keys, values, lists and maps that a configuration may have.
const MOST_NODES: usize = 20_000;

/// The most lists and maps inside of each other.
const MOST_DEPTH: usize = 64;

/// Reads one document. The error is about the YAML itself, and not about what it means.
pub(super) fn parse(text: &str, path: &Arc<str>) -> Result<Given, Problem> {
    let source = Source { text, path };
    if text.trim().is_empty() {
        return Ok(Given { value: Value::Null, place: Place::file(path, 1, 1), form: Form::Text });
    }
    let node: Spanned<Node> = serde_yaml::from_str_with_options(text, options()).map_err(|error| {
        let place = error.location().map_or_else(|| Place::file(path, 1, 1), |location| source.place(location));
        invalid(&what_is_wrong(&error), &place)
    })?;
    source.given(node)
}

/// Without snippets: a line of the file could hold a secret.
fn options() -> Options {
    serde_yaml::options! {
        with_snippet: false,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        budget: serde_yaml::budget! { max_nodes: MOST_NODES, max_depth: MOST_DEPTH },
    }
}

fn invalid(what: &str, place: &Place) -> Problem {
    Problem::new(format!("not valid YAML: {what}")).at(place)
}

/// The library's error in our words, on one line. It does not repeat the position, which the place has.
fn what_is_wrong(error: &Error) -> Cow<'_, str> {
    let text: Cow<'_, str> = match error {
        Error::WithSnippet { error, .. } | Error::AliasError { error, .. } => return what_is_wrong(error),
        Error::Budget { breach: BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. }, .. } => {
            "it has more than 20,000 keys and values".into()
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => "it is nested more than 64 deep".into(),
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => "it repeats itself through too many aliases".into(),
        Error::RecursiveReferencesRequireWeakTypes { .. } => "an alias stands inside of its own anchor".into(),
        Error::UnknownAnchor { .. } => "an alias has no anchor of its name before it".into(),
        Error::MultipleDocuments { .. } => {
            "it has more than one document; keep the first and move the others to files of their own".into()
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("the key `{key}` is given twice").into(),
        Error::Eof { .. } => "it ends too early".into(),
        _ => UserMessageFormatter.format_message(error),
    };
    match text.split_once('\n') {
        Some((first, _)) => first.to_owned().into(),
        None => text,
    }
}

/// A value as the parser reports it.
enum Node {
    Null,
    Text(String),
    /// A plain scalar that looks like a number or a boolean. Its text is in the source.
    Typed,
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<Self>, Spanned<Self>)>),
}

/// The document that is read.
struct Source<'s> {
    text: &'s str,
    path: &'s Arc<str>,
}

impl Source<'_> {
    fn place(&self, location: Location) -> Place {
        let number = |number: u64| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        Place::file(self.path, number(location.line()), number(location.column()))
    }

    fn given(&self, node: Spanned<Node>) -> Result<Given, Problem> {
        let form = if matches!(node.value, Node::Typed) { Form::Typed } else { Form::Text };
        let place = self.place(node.referenced);
        let value = match node.value {
            Node::Null => Value::Null,
            Node::Text(text) => Value::Text(text),
            Node::Typed => Value::Text(self.scalar(node.defined)),
            Node::List(items) => Value::List(items.into_iter().map(|item| self.given(item)).collect::<Result<_, _>>()?),
            Node::Map(entries) => Value::Map(self.entries(entries)?),
        };
        Ok(Given { value, place, form })
    }

    fn entries(&self, entries: Vec<(Spanned<Node>, Spanned<Node>)>) -> Result<Vec<MapEntry>, Problem> {
        let mut read: Vec<MapEntry> = Vec::with_capacity(entries.len());
        let mut keys = BTreeSet::new();
        for (key, value) in entries {
            let place = self.place(key.referenced);
            let Given { value: Value::Text(key), .. } = self.given(key)? else {
                return Err(invalid("a key is not a text", &place));
            };
            // The parser takes `1` and `'1'` for two keys. Here both are the same text.
            if !keys.insert(key.clone()) {
                return Err(invalid(&format!("the key `{key}` is given twice"), &place));
            }
            read.push(MapEntry { key, place, given: self.given(value)? });
        }
        Ok(read)
    }

    /// The text of a plain scalar.
    fn scalar(&self, location: Location) -> String {
        let span = location.span();
        let text = span.byte_offset().zip(span.byte_len()).and_then(|(offset, length)| {
            let start = usize::try_from(offset).ok()?;
            self.text.get(start..start + usize::try_from(length).ok()?)
        });
        text.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Typed)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Typed)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Typed)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Typed)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Typed)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Typed)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<Node, E> {
        Err(E::custom("binary values have no meaning here"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostile::on_main_stack;

    fn read(text: &str) -> Result<Given, Problem> {
        parse(text, &Arc::from("dpl.yml"))
    }

    fn show(given: &Given) -> String {
        match &given.value {
            Value::Null => "null".to_owned(),
            Value::Text(text) => format!("{text:?}@{}", given.place.to_string().trim_start_matches("dpl.yml:")),
            Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
            Value::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|entry| format!("{}: {}", entry.key, show(&entry.given))).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    #[test]
    fn scalars_keep_the_text_they_were_written_with() {
        for text in
            ["1.10", "007", "yes", "1e3", "0x1F", "1_000", ".5", "-0", "NO", "+1", "2024-01-01", "1:30", "∅", ".inf"]
        {
            let read = read(&format!("a: [x, {text}]\nb: {text} # why\n")).unwrap();
            for found in [
                read.get("b").unwrap(),
                match &read.get("a").unwrap().value {
                    Value::List(items) => &items[1],
                    _ => panic!(),
                },
            ] {
                assert_eq!(found.as_text(), Some(text));
            }
        }
    }

    #[test]
    fn anchors_and_merge_keys_keep_texts_and_places() {
        let text = "base: &base\n  v: 1.10\n  w: x\ndeploy:\n  <<: *base\n  w: y\n  z: *base\n";
        assert_eq!(
            show(read(text).unwrap().get("deploy").unwrap()),
            r#"{w: "y"@6:6, z: {v: "1.10"@7:6, w: "x"@7:6}, v: "1.10"@5:7}"#
        );
    }

    #[test]
    fn null_and_empty_differ() {
        assert_eq!(show(&read("a:\nb: ~\nc: ''\nd: null\n").unwrap()), r#"{a: null, b: null, c: ""@3:4, d: null}"#);
    }

    #[test]
    fn an_error_in_the_yaml_has_its_line_and_our_words() {
        for (text, line, part) in [
            ("a: [1\nb: 2\n", 2, ""),
            ("a: 1\nb: 2\na: 3\n", 3, "the key `a` is given twice"),
            ("1: a\n'1': b\n", 2, "the key `1` is given twice"),
            ("a: 1\n? [b]\n: c\n", 2, "a key is not a text"),
            ("a: 1\n~: c\n", 2, "a key is not a text"),
            ("a: 1\n{b: c}: d\n", 2, "a key is not a text"),
            ("a: *nowhere\n", 1, "no anchor of its name"),
            ("a: &a\n  b: *a\n", 2, "inside of its own anchor"),
            ("a: 'open\n", 1, ""),
            ("a:\n\tb: c\n", 2, ""),
            ("a: !!binary x\n", 1, ""),
            ("a: 1\n---\nb: 2\n", 3, "more than one document"),
            (&format!("a: {}{}\n", "[".repeat(100), "]".repeat(100)), 1, "nested more than 64 deep"),
            (&"- a\n".repeat(30_000), 20_000, "more than 20,000 keys and values"),
        ] {
            let problem = on_main_stack(|| read(text)).unwrap_err();
            assert!(problem.message.contains(part), "{text:?}: {}", problem.message);
            assert!(!problem.message.contains('\n') && !problem.message.contains(" at line "));
            let place = problem.place.as_ref().and_then(Place::in_file).unwrap();
            assert!(place.line.abs_diff(line) <= 1, "{text:?}: {place:?} {}", problem.message);
        }
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        let grown =
            |(name, before): (char, char)| format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(","));
        text.extend(('b'..='j').zip('a'..).map(grown));
        assert!(read(&text).is_err());
    }
}
