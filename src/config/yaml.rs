//! YAML with places: every key and value knows its line and column, and a scalar keeps the text it was written with.

use std::{fmt, sync::Arc};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Error, Location, NonFiniteFloatPolicy, Options, Spanned};

use super::layer::{Entry, Form, Given, Value};
use crate::place::{Place, Problem};

/// How many keys, values, lists and maps a configuration may have.
const MOST_NODES: usize = 20_000;

/// Reads one document.
///
/// The error is about the text itself: broken, a duplicate key, an unknown alias, an alias bomb.
pub(super) fn parse(text: &str, path: &Arc<str>) -> Result<Given, Problem> {
    let place = |location: Location| {
        let number = |number: u64| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        Place::file(path, number(location.line()), number(location.column()))
    };
    if text.trim().is_empty() {
        return Ok(Given { value: Value::Null, place: Place::file(path, 1, 1), form: Form::Text });
    }
    let node: Spanned<Node> = serde_yaml::from_str_with_options(text, options()).map_err(|error| {
        let problem = Problem::new(message(&error));
        let at = error.location().map_or_else(|| Place::file(path, 1, 1), place);
        problem.at(&at)
    })?;
    Ok(given(node, text, &place))
}

/// Without snippets: a line of the file could hold a secret.
fn options() -> Options {
    serde_yaml::options! {
        with_snippet: false,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        budget: serde_yaml::budget! { max_nodes: MOST_NODES },
    }
}

/// The library's message in one line, without its own copy of the position and its advice for programmers.
fn message(error: &Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.split('\n').next().unwrap_or_default();
    let text = text.split(" at line ").next().unwrap_or_default();
    let text = text.split_once(": ").filter(|(head, _)| head.starts_with("line ")).map_or(text, |(_, rest)| rest);
    let known = [
        (
            "budget",
            "it has more than 20,000 keys and values, is nested more than 64 deep, or repeats itself through too many aliases",
        ),
        ("alias replay", "it repeats itself through too many aliases"),
        (
            "multiple YAML documents",
            "it has more than one document; keep the first and move the others to files of their own",
        ),
        ("weak recursion", "an alias stands inside of its own anchor"),
        ("into string", "a key is not a text"),
        ("expected string scalar", "a key is not a text"),
    ];
    let ours = known.iter().find(|(sign, _)| text.to_ascii_lowercase().contains(&sign.to_ascii_lowercase()));
    let text = ours.map_or(text, |(_, ours)| ours);
    let text = text.split(", set ").next().unwrap_or_default();
    let text = text.split("; use ").next().unwrap_or_default();
    format!("not valid YAML: {}", text.trim_end_matches([',', '.', ':']))
}

/// A value as the parser tells it.
enum Node {
    Null,
    Text(String),
    /// A plain scalar that looked like a number or a boolean: its text stands in the source.
    Typed,
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

fn given(node: Spanned<Node>, text: &str, place: &impl Fn(Location) -> Place) -> Given {
    let form = if matches!(node.value, Node::Typed) { Form::Typed } else { Form::Text };
    let value = match node.value {
        Node::Null => Value::Null,
        Node::Text(text) => Value::Text(text),
        Node::Typed => Value::Text(source(text, node.defined)),
        Node::List(items) => Value::List(items.into_iter().map(|item| given(item, text, place)).collect()),
        Node::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    place: place(key.referenced),
                    key: key.value,
                    given: given(value, text, place),
                })
                .collect(),
        ),
    };
    Given { value, place: place(node.referenced), form }
}

/// The characters of a plain scalar.
fn source(text: &str, at: Location) -> String {
    let span = at.span();
    let bytes = span.byte_offset().zip(span.byte_len()).and_then(|(offset, len)| {
        let start = usize::try_from(offset).ok()?;
        text.get(start..start + usize::try_from(len).ok()?)
    });
    bytes.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
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
        let mut map: Vec<(Spanned<String>, Spanned<Node>)> = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            if map.iter().any(|(known, _)| known.value == key.value) {
                return Err(A::Error::custom(format!("the key `{}` stands twice", key.value)));
            }
            map.push((key, entries.next_value()?));
        }
        Ok(Node::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn broken_documents_are_told_with_their_line() {
        for (text, line, part) in [
            ("a: [1\nb: 2\n", 2, ""),
            ("a: 1\nb: 2\na: 3\n", 3, "duplicate"),
            ("a: *nowhere\n", 1, "anchor"),
            ("a: 'open\n", 1, ""),
            ("a: 1\n---\nb: 2\n", 2, ""),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.message.contains(part), "{text:?}: {}", problem.message);
            assert!(!problem.message.contains('\n'));
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
