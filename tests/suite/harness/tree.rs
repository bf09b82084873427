//! Requests in XML and in forms, read as the JSON that they stand for.

use serde_json::{Map, Value, json};

use super::model::{Kind, Member, Service};

/// An element of XML, or a name of a form with the names below it.
#[derive(Default)]
pub(super) struct Node {
    pub name: String,
    text: String,
    children: Vec<Self>,
}

impl Node {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The root of an XML document; none when it is not one.
    pub fn of_xml(document: &str) -> Option<Self> {
        let mut open = vec![Self::default()];
        let mut parts = document.trim().split('<');
        parts.next().filter(|before| before.is_empty())?;
        for part in parts {
            let (tag, text) = part.split_once('>')?;
            if tag.starts_with('?') {
                continue;
            }
            if !tag.starts_with('/') {
                open.push(Self::named(tag.split([' ', '/']).next()?));
            }
            if tag.starts_with('/') || tag.ends_with('/') {
                let done = open.pop()?;
                if tag.starts_with('/') && tag[1..] != done.name {
                    return None;
                }
                open.last_mut()?.children.push(done);
            }
            open.last_mut()?.text.push_str(&unescape(text));
        }
        let mut root = open.pop().filter(|_| open.is_empty())?;
        root.children.pop().filter(|_| root.children.is_empty())
    }

    /// The members of a form: `A.member.1.B=x` is a list, as in XML.
    pub fn of_form(pairs: &[(String, String)]) -> Self {
        let mut root = Self::default();
        for (name, value) in pairs {
            let mut node = &mut root;
            for part in name.split('.') {
                let index = node.children.iter().position(|child| child.name == part);
                let index = index.unwrap_or_else(|| {
                    node.children.push(Self::named(part));
                    node.children.len() - 1
                });
                node = &mut node.children[index];
            }
            node.text.clone_from(value);
        }
        root.repeat_numbered();
        root
    }

    /// Turns `member` with `1` and `2` below it into two of `member`.
    fn repeat_numbered(&mut self) {
        let number = |node: &Self| node.name.bytes().all(|byte| byte.is_ascii_digit());
        for mut child in std::mem::take(&mut self.children) {
            child.repeat_numbered();
            if !child.children.is_empty() && child.children.iter().all(number) {
                let name = &child.name;
                self.children.extend(child.children.into_iter().map(|node| Self { name: name.clone(), ..node }));
            } else {
                self.children.push(child);
            }
        }
    }

    /// What the node stands for, by the names that are sent. What the model does not know stays as it is.
    pub fn value(&self, service: &Service, member: &Member) -> Value {
        let shape = service.shape(&member.shape);
        match shape.kind {
            Kind::Structure => {
                let mut all = Map::new();
                for child in &self.children {
                    let known = shape.members.iter().find(|(name, member)| member.sent(name) == child.name);
                    let Some((_, member)) = known else {
                        all.insert(child.name.clone(), Value::Null);
                        continue;
                    };
                    let inner = service.shape(&member.shape);
                    if inner.kind == Kind::List && (inner.flattened || member.flattened) {
                        let value = child.value(service, inner.member.as_ref().unwrap());
                        let list = all.entry(&child.name).or_insert(json!([]));
                        list.as_array_mut().unwrap().push(value);
                    } else {
                        all.insert(child.name.clone(), child.value(service, member));
                    }
                }
                all.into()
            }
            Kind::List => {
                let inner = shape.member.as_ref().unwrap();
                self.children.iter().map(|child| child.value(service, inner)).collect()
            }
            Kind::Map => {
                let (key, value) = (shape.key.as_ref().unwrap(), shape.value.as_ref().unwrap());
                let of = |entry: &Self, member: &Member, name: &str| {
                    let node = entry.children.iter().find(|child| child.name == member.sent(name));
                    node.map_or(Value::Null, |node| node.value(service, member))
                };
                let entries = self.children.iter().map(|entry| (of(entry, key, "key"), of(entry, value, "value")));
                entries.map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), value)).collect()
            }
            kind => scalar(kind, &self.text),
        }
    }
}

/// What a text stands for; the text itself when it is not of this kind.
pub(super) fn scalar(kind: Kind, text: &str) -> Value {
    let number = match kind {
        Kind::Integer | Kind::Long => text.parse::<i64>().map(Value::from).ok(),
        Kind::Float | Kind::Double => text.parse::<f64>().map(Value::from).ok(),
        Kind::Boolean => text.parse::<bool>().map(Value::from).ok(),
        // A date is never sent as a text in JSON, where a number is expected.
        Kind::Timestamp => text.contains(':').then(|| json!(0)),
        _ => None,
    };
    number.unwrap_or_else(|| text.into())
}

fn unescape(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
