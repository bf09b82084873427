//! From options as written to typed values, each complaint with its place.

use std::{path::PathBuf, str::FromStr};

use super::{
    blocks::truth,
    layer::{Given, Layer, Value},
    options::{self, Kind, Opt},
    structure,
};
use crate::place::{Place, Places, Problem};
use crate::settings::{Secret, Setting, Source, Written};

/// How many entries a map may have: variables of a function have 4096 bytes together.
pub(super) const MOST_PAIRS: usize = 4096;

/// How many items a list may have.
const MOST_ITEMS: usize = 1000;

/// Reads typed values out of a merged layer and collects what is wrong with them.
pub(super) struct Reader {
    layer: Layer,
    /// Where the block stands, for what is missing in it; absent where there is no block.
    pub block: Option<Place>,
    /// What must be corrected.
    pub problems: Vec<Problem>,
    /// Values that must never be shown.
    pub secrets: Vec<Secret>,
    /// Values of variables of ours whose names say nothing of a secret: hidden, but not in names.
    pub taken: Vec<Secret>,
    /// Variables of the function with their values, which are hidden by what their names say.
    pub values: Vec<(String, Secret)>,
    /// Items of lists that are known by a key: option, key, and place.
    pub items: Vec<(String, String, Place)>,
    /// What deserves a word.
    pub warnings: Vec<Problem>,
}

/// An entry of a map option.
pub(super) struct Pair {
    /// The key.
    pub key: String,
    /// The value, with where it was written; absent where it was written as null.
    pub value: Option<Given>,
    /// Where the pair was written.
    pub place: Place,
}

impl Reader {
    /// A reader of this layer.
    pub(super) fn new(layer: Layer) -> Self {
        Self {
            layer,
            block: None,
            problems: Vec::new(),
            secrets: Vec::new(),
            taken: Vec::new(),
            values: Vec::new(),
            items: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Where an option was written; nothing where it was not.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        self.layer.get(name).map(|given| given.place.clone())
    }

    /// Places of all options that were written.
    pub(super) fn places(&self) -> Places {
        let mut places = Places::default();
        for (name, given) in &self.layer {
            places.note(*name, given.place.clone());
            let items = match &given.value {
                Value::List(items) => items.as_slice(),
                Value::Null | Value::Text(_) | Value::Map(_) => &[],
            };
            for item in items {
                if let Some(text) = item.as_text().or_else(|| item.get("from").and_then(Given::as_text)) {
                    places.note_item(*name, text.trim(), item.place.clone());
                }
            }
        }
        for (option, item, place) in &self.items {
            places.note_item(option, item, place.clone());
        }
        places
    }

    /// Notes what is wrong with an option, at its place.
    pub(super) fn wrong(&mut self, name: &str, message: impl Into<String>) -> &mut Problem {
        let place = self.place(name);
        self.problems.push(Problem { place, ..Problem::new(message).of(name) });
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    /// The text of an option as it was written; nothing where it is absent or no text.
    pub(super) fn raw(&self, name: &str) -> Option<String> {
        self.layer.get(name).and_then(Given::as_text).map(|text| text.trim().to_owned())
    }

    /// A text.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let given = self.layer.get(name)?;
        let text = given.as_text().map(|text| text.trim().to_owned());
        if text.is_none() {
            self.wrong(name, "must be one value, not a list or a map");
        }
        text
    }

    /// The text of an option that has only one, also where it is the only item of a list.
    pub(super) fn only_text(&self, name: &str) -> Option<String> {
        let text = match self.layer.get(name).map(|given| &given.value) {
            Some(Value::List(items)) => match &items[..] {
                [only] => only.as_text(),
                _ => None,
            },
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        text.map(|text| text.trim().to_owned())
    }

    /// All that was written.
    pub(super) fn layer(&self) -> &Layer {
        &self.layer
    }

    /// Takes an option out, as if it had not been written.
    pub(super) fn take_out(&mut self, name: &str) {
        self.layer.remove(name);
    }

    /// Whether an option was written; an empty list is.
    pub(super) fn has(&self, name: &str) -> bool {
        self.layer.contains_key(name)
    }

    /// A path, with `~` left to the shell.
    pub(super) fn path(&mut self, name: &'static str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// A whole number.
    pub(super) fn number<T: FromStr>(&mut self, name: &'static str, meaning: &str) -> Option<T> {
        let text = self.text(name)?;
        let number = text.replace('_', "").parse().ok();
        if number.is_none() {
            self.wrong(name, format!("must be a whole number of {meaning}, got `{text}`"));
        }
        number
    }

    /// Yes or no; absent is no.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        let Some(text) = self.text(name) else { return false };
        truth(&text).unwrap_or_else(|| {
            self.wrong(name, format!("must be true or false (or yes, no, on, off), got `{text}`"));
            false
        })
    }

    /// One of the words that the option's row lists, in any case.
    pub(super) fn choice(&mut self, name: &'static str) -> Option<&'static str> {
        let text = self.text(name)?;
        let words = match options::find(name).map(|(option, _)| option.kind) {
            Some(Kind::Choice(words) | Kind::FlagOr(words)) => words,
            _ => &[],
        };
        let word = words.iter().find(|word| word.eq_ignore_ascii_case(&text)).copied();
        if word.is_none() {
            let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            self.wrong(name, format!("must be {}, got `{text}`", words.join(" or ")));
        }
        word
    }

    /// A list; absent and empty differ. Items are trimmed, empty ones dropped.
    pub(super) fn list(&mut self, name: &'static str) -> Option<Vec<String>> {
        let (option, _) = options::find(name)?;
        let given = self.layer.get(name)?.clone();
        match items(option, &given) {
            Ok(items) => items,
            Err(problem) => {
                self.problems.push(problem.of(name));
                None
            }
        }
    }

    /// A list whose items are texts or maps; a map alone is a list of one.
    pub(super) fn mixed(&mut self, name: &'static str) -> Option<Vec<Given>> {
        let given = self.layer.get(name)?.clone();
        match &given.value {
            Value::Map(_) => Some(vec![given]),
            // A flag that is given several times is a list of what each of them says.
            Value::List(items) if items.iter().any(|item| !matches!(item.value, Value::Text(_))) => {
                let inner = |item: &Given| match &item.value {
                    Value::List(items) => items.clone(),
                    _ => vec![item.clone()],
                };
                Some(items.iter().flat_map(inner).collect())
            }
            _ => {
                let items = self.list(name)?;
                Some(items.into_iter().map(|item| Given::text(item, given.place.clone())).collect())
            }
        }
    }

    /// The entries of a map, in the order they were written; a later key replaces an earlier one.
    pub(super) fn map(&mut self, name: &'static str) -> Option<Vec<Pair>> {
        let given = self.layer.get(name)?.clone();
        if lines(&given) > MOST_PAIRS {
            self.wrong(name, format!("has more than {MOST_PAIRS} entries, which is more than is taken"));
            return None;
        }
        let mut pairs = Vec::new();
        self.pairs(name, &given, &mut pairs);
        let written_empty = match &given.value {
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
            Value::Null | Value::Text(_) => false,
        };
        (!pairs.is_empty() || written_empty).then_some(pairs)
    }

    /// Only a text that stands alone is read by lines; an item of a list is one pair, whatever its value holds.
    fn pairs(&mut self, name: &'static str, given: &Given, pairs: &mut Vec<Pair>) {
        match &given.value {
            Value::Null => {}
            Value::Text(text) => {
                text.lines()
                    .filter(|line| !line.trim().is_empty())
                    .for_each(|line| self.pair(name, line, given, pairs));
            }
            Value::List(items) => {
                for item in items {
                    match item.as_text() {
                        Some(text) if !text.trim().is_empty() => self.pair(name, text, item, pairs),
                        Some(_) => {}
                        None => self.pairs(name, item, pairs),
                    }
                }
            }
            Value::Map(entries) => pairs.extend(entries.iter().map(|entry| Pair {
                key: entry.key.trim().to_owned(),
                value: Some(entry.given.clone()).filter(|given| given.value != Value::Null),
                place: entry.place.clone(),
            })),
        }
    }

    fn pair(&mut self, name: &'static str, text: &str, given: &Given, pairs: &mut Vec<Pair>) {
        let place = given.place.clone();
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                pairs.push(Pair { key: key.trim().to_owned(), value: Some(Given::text(value, place.clone())), place });
            }
            _ => {
                let problem = Problem::new("has an entry that is not KEY=VALUE").of(name).at(&place);
                self.problems.push(problem.help("write `KEY=VALUE`, a line each, or a map"));
            }
        }
    }
}

/// How many entries a map may come to.
fn lines(given: &Given) -> usize {
    match &given.value {
        Value::Null => 0,
        Value::Text(text) => text.lines().count(),
        Value::List(items) => items.iter().map(lines).sum(),
        Value::Map(entries) => entries.len(),
    }
}

/// The items of a list, however it arrived. Nothing where it was written with items of which none counts as given:
/// only an empty list that was written as such empties a setting.
fn items(option: &Opt, given: &Given) -> Result<Option<Vec<String>>, Problem> {
    let parts = |text: &str, separators: &[char]| -> Vec<String> {
        let parts = text.split(|c| separators.contains(&c));
        parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let commas: &[char] = if matches!(option.kind, Kind::Ids) { &[',', '\n'] } else { &[] };
    // A script in the YAML block is one command; in a variable a line is one.
    let script = option.name == "run" && given.place.in_file().is_some();
    let lines: &[char] = if script { &[] } else { &['\n'] };
    let found = match &given.value {
        Value::Null => return Ok(None),
        Value::Text(text) => parts(text, &[lines, commas].concat()),
        Value::List(items) if items.is_empty() => return Ok(Some(Vec::new())),
        Value::List(items) => {
            let mut texts = Vec::new();
            for item in items {
                match &item.value {
                    Value::Text(text) => texts.extend(parts(text, commas)),
                    Value::Null => {}
                    Value::List(_) | Value::Map(_) => {
                        return Err(Problem::new("must be a list of texts").at(&item.place));
                    }
                }
            }
            texts
        }
        Value::Map(_) => return Err(Problem::new("must be a list, not a map").at(&given.place)),
    };
    if found.len() > MOST_ITEMS {
        let message = format!("has {} items, and at most {MOST_ITEMS} are taken", found.len());
        return Err(Problem::new(message).at(&given.place));
    }
    Ok((!found.is_empty()).then_some(found))
}

impl Source for Reader {
    fn setting<T: Setting>(&mut self, option: &'static str) -> Option<T> {
        let (row, _) = options::find(option)?;
        let written = match row.kind {
            Kind::Structure(shape) => {
                let given = self.layer.get(option)?.clone();
                Written::Structure(structure::read(self, option, &given, shape)?)
            }
            Kind::List | Kind::Files | Kind::Ids => Written::List(self.list(option)?),
            _ => match self.layer.get(option)?.clone().value {
                Value::Text(text) => Written::Text(text),
                Value::List(_) => Written::List(self.list(option)?),
                Value::Null => return None,
                Value::Map(_) => {
                    self.wrong(option, "must be one value, not a map");
                    return None;
                }
            },
        };
        match T::parse(&written) {
            Ok(value) => Some(value),
            Err(message) => {
                self.wrong(option, message);
                None
            }
        }
    }
}
