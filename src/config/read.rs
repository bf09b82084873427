//! Reads typed values from options. Each error has its place.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    interpolate::{ACCOUNT, Names, Reference},
    joined,
    layer::{Given, Layer, Value, yes_or_no},
    options::{self, Kind, Opt},
    references,
    sought::References,
    structure,
};
use crate::deployment::MapMode;
use crate::place::{Place, Places, Problem};
use crate::settings::{Secret, Setting, Source, Written};

/// The most entries of a map. All variables of a function together have at most 4096 bytes.
pub(super) const MOST_PAIRS: usize = 4096;

/// The most items of a list.
const MOST_ITEMS: usize = 1000;

/// Reads typed values from merged options, and collects the errors.
pub(super) struct Reader {
    layer: Layer,
    /// The values from elsewhere.
    pub references: References,
    /// What `%{stage}` and such stand for.
    pub names: Names,
    /// The place of the block, for errors about a missing option; absent if there is no block.
    pub block: Option<Place>,
    /// The errors.
    pub problems: Vec<Problem>,
    /// Secrets, which are never shown.
    pub secrets: Vec<Secret>,
    /// Values of `from_env` whose names do not look like secrets. They are never shown, except as part of a name.
    pub taken: Vec<Secret>,
    /// Variables of the function with their values. Their names decide which values are hidden.
    pub values: Vec<(String, Secret)>,
    /// The items of lists with keys: option, key, and place.
    pub items: Vec<(String, String, Place)>,
    /// The warnings.
    pub warnings: Vec<Problem>,
}

/// An entry of a map option.
pub(super) struct Pair {
    /// The key.
    pub key: String,
    /// The value; absent for null.
    pub value: Option<Given>,
    /// The place of the entry.
    pub place: Place,
}

impl Pair {
    /// Whether the value is elsewhere and was not read.
    pub(super) fn is_open(&self) -> bool {
        self.value.as_ref().is_some_and(references::is_open)
    }
}

impl Reader {
    /// A reader of these options.
    pub(super) fn new(layer: Layer) -> Self {
        Self {
            layer,
            references: References::default(),
            names: Names::default(),
            block: None,
            problems: Vec::new(),
            secrets: Vec::new(),
            taken: Vec::new(),
            values: Vec::new(),
            items: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Puts values from elsewhere into the options.
    pub(super) fn fill(&mut self, fill: impl FnOnce(&mut Layer, &mut Vec<Problem>) -> References) {
        self.references = fill(&mut self.layer, &mut self.problems);
    }

    /// Where an option was written; `None` if it was not.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        self.layer.get(name).map(|given| given.place.clone())
    }

    /// The places of all options.
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

    /// Adds an error about an option, at its place.
    pub(super) fn wrong(&mut self, name: &str, message: impl Into<String>) -> &mut Problem {
        let place = self.place(name);
        self.problems.push(Problem { place, ..Problem::new(message).of(name) });
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    /// A written option whose value is known.
    fn known(&self, name: &str) -> Option<&Given> {
        self.layer.get(name).filter(|given| !references::is_open(given))
    }

    /// Whether the value of an option, or a part of it, is elsewhere and was not read. The option then has no value, but it
    /// counts as written.
    pub(super) fn is_open(&self, name: &str) -> bool {
        self.layer.get(name).is_some_and(references::is_open)
    }

    /// The text of an option; `None` if it is absent or not a text.
    pub(super) fn raw(&self, name: &str) -> Option<String> {
        self.layer.get(name).and_then(Given::as_text).map(|text| text.trim().to_owned())
    }

    /// What a name in `%{…}` stands for: an option, or what this deployment is for. An unknown account stays a name.
    pub(super) fn named(&self, name: &str) -> Option<String> {
        let unknown = || (name == ACCOUNT).then(|| Reference::Known(ACCOUNT).to_string());
        self.names.get(name).map(str::to_owned).or_else(unknown).or_else(|| self.raw(name))
    }

    /// The text of an option. A list or a map is an error.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let given = self.known(name)?;
        let text = given.as_text().map(|text| text.trim().to_owned());
        if text.is_none() {
            self.wrong(name, "must be one value, not a list or a map");
        }
        text
    }

    /// The text of an option, also if it is the only item of a list.
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

    /// All options.
    pub(super) fn layer(&self) -> &Layer {
        &self.layer
    }

    /// Drops options, and returns the names of those that were written.
    pub(super) fn without(&mut self, is_dropped: impl Fn(&Opt) -> bool) -> Vec<&'static str> {
        let dropped = options::OPTIONS.iter().filter(|option| is_dropped(option));
        dropped.filter_map(|option| self.layer.remove(option.name).map(|_| option.name)).collect()
    }

    /// Whether an option was written. An empty list counts.
    pub(super) fn has(&self, name: &str) -> bool {
        self.layer.contains_key(name)
    }

    /// A path. A `~` is not replaced.
    pub(super) fn path(&mut self, name: &'static str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// A whole number within the limits in the row of the option.
    pub(super) fn number(&mut self, name: &'static str, meaning: &str) -> Option<u32> {
        let text = self.text(name)?;
        let (least, most) = match options::find(name).map(|option| option.kind) {
            Some(Kind::Number { least, most }) => (least, most),
            _ => (0, u32::MAX),
        };
        match text.replace('_', "").parse::<u64>() {
            Ok(number) if (u64::from(least)..=u64::from(most)).contains(&number) => number.try_into().ok(),
            Ok(number) => {
                self.wrong(name, format!("must be between {least} and {most} {meaning}, got {number}"));
                None
            }
            Err(_) => {
                self.wrong(name, format!("must be a whole number of {meaning}, got `{text}`"));
                None
            }
        }
    }

    /// A boolean; false if it is absent.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        let Some(text) = self.text(name) else { return false };
        yes_or_no(&text).unwrap_or_else(|| {
            self.wrong(name, format!("must be true or false (or yes, no, on, off), got `{text}`"));
            false
        })
    }

    /// One of the words in the row of the option, in any case.
    pub(super) fn choice(&mut self, name: &'static str) -> Option<&'static str> {
        let text = self.text(name)?;
        let (before, words) = match options::find(name).map(|option| option.kind) {
            Some(Kind::Choice(words)) => ("", words),
            Some(Kind::FlagOr(words)) => ("true, false or ", words),
            _ => ("", [].as_slice()),
        };
        let word = words.iter().find(|word| word.eq_ignore_ascii_case(&text)).copied();
        if word.is_none() {
            let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            self.wrong(name, format!("must be {before}{}, got `{text}`", words.join(" or ")));
        }
        word
    }

    /// What happens to live entries of a map that the user did not name.
    pub(super) fn map_mode(&mut self, name: &'static str) -> Option<MapMode> {
        self.choice(name).map(|word| if word == "replace" { MapMode::Replace } else { MapMode::Merge })
    }

    /// A list. Items are trimmed, and empty items dropped. An empty list differs from an absent one.
    pub(super) fn list(&mut self, name: &'static str) -> Option<Vec<String>> {
        let option = options::find(name)?;
        let given = self.known(name)?.clone();
        match items(option, &given) {
            Ok(items) => items,
            Err(problem) => {
                self.problems.push(problem.of(name));
                None
            }
        }
    }

    /// A list of texts and maps. A map alone is a list of one.
    pub(super) fn mixed(&mut self, name: &'static str) -> Option<Vec<Given>> {
        let given = self.known(name)?.clone();
        match &given.value {
            Value::Map(_) => Some(vec![given]),
            // A flag that is given several times is a list with the value of each.
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

    /// The entries of a map, in their written order. A key can occur twice: the later entry replaces the earlier one.
    pub(super) fn map(&mut self, name: &'static str) -> Option<Vec<Pair>> {
        let given = self.layer.get(name)?.clone();
        if lines(&given) > MOST_PAIRS {
            self.wrong(name, format!("has more than {MOST_PAIRS} entries"));
            return None;
        }
        let mut pairs = Vec::new();
        self.pairs(name, &given, &mut pairs);
        self.refuse_repeated(name, &given);
        let written_empty = match &given.value {
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
            Value::Null | Value::Text(_) => false,
        };
        (!pairs.is_empty() || written_empty).then_some(pairs)
    }

    /// Adds the pairs of a value. A text alone has a pair in each line. A text in a list is one pair, also with line breaks.
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

    /// Refuses a key with two values in texts. Maps in a list are merged instead: the later one wins.
    fn refuse_repeated(&mut self, name: &'static str, given: &Given) {
        let mut texts = Vec::new();
        pair_texts(given, &mut texts);
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (text, place) in texts {
            let Some((key, value)) = text.split_once('=') else { continue };
            if seen.insert(key.trim(), value).is_some_and(|before| before != value) {
                let problem = Problem::new(format!("`{}` is given twice, with two values", key.trim()));
                self.problems.push(problem.of(name).at(place).help("give it once"));
            }
        }
    }

    fn pair(&mut self, name: &'static str, text: &str, given: &Given, pairs: &mut Vec<Pair>) {
        let place = given.place.clone();
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                if name == "environment" {
                    self.warnings.extend(joined::warning(name, key.trim(), value, &place));
                }
                let value = Given { form: given.form, ..Given::text(value, place.clone()) };
                pairs.push(Pair { key: key.trim().to_owned(), value: Some(value), place });
            }
            _ => {
                let problem = Problem::new("has an entry that is not KEY=VALUE").of(name).at(&place);
                self.problems.push(problem.help("write `KEY=VALUE`, a line each, or a map"));
            }
        }
    }
}

/// The texts of a map that are `KEY=VALUE`, each with its place.
fn pair_texts<'g>(given: &'g Given, found: &mut Vec<(&'g str, &'g Place)>) {
    match &given.value {
        Value::Null | Value::Map(_) => {}
        Value::Text(text) => found.extend(text.lines().map(|line| (line, &given.place))),
        Value::List(items) => {
            for item in items {
                match item.as_text() {
                    Some(text) => found.push((text, &item.place)),
                    None => pair_texts(item, found),
                }
            }
        }
    }
}

/// The most entries that a map can have.
fn lines(given: &Given) -> usize {
    match &given.value {
        Value::Null => 0,
        Value::Text(text) => text.lines().count(),
        Value::List(items) => items.iter().map(lines).sum(),
        Value::Map(entries) => entries.len(),
    }
}

/// The items of a list. `None` if all its items are empty: only a list that is written empty empties a setting.
fn items(option: &Opt, given: &Given) -> Result<Option<Vec<String>>, Problem> {
    let parts = |text: &str, separators: &[char]| -> Vec<String> {
        let parts = text.split(|c| separators.contains(&c));
        parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let commas: &[char] = if matches!(option.kind, Kind::Ids) { &[',', '\n'] } else { &[] };
    // In the YAML block, a text is one command. In a variable, each line is one.
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
        let row = options::find(option)?;
        let written = match row.kind {
            Kind::Structure(shape) => {
                let given = self.layer.get(option)?.clone();
                let before = self.problems.len();
                let value = structure::read(option, &given, shape, &mut self.problems)?;
                if self.problems.len() > before || references::is_open(&given) {
                    return None;
                }
                Written::Structure(value)
            }
            Kind::List | Kind::Files | Kind::Ids => Written::List(self.list(option)?),
            _ => match self.known(option)?.clone().value {
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
