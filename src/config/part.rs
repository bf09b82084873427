//! Reads the options of one part of a file: a block, or what lies over or beneath blocks.

use super::{
    blocks::{FileReader, Level},
    by_branch::ByBranch,
    by_branch::key_for,
    conditions::FileFormat,
    each::FOR_EACH,
    exposed::{self, SEEN_IN_AWS},
    from_env,
    layer::{self, Given, Layer, MapEntry, Value, yes_or_no},
    one_value::{is_by_branch, unwrapped},
    options::{self, Kind, Opt, canonical, unknown},
    overlay::Part,
    placeholders, references, shell,
    stages::BRANCH,
};
use crate::place::{Place, Problem};
use crate::settings::holds_secret;

impl FileReader<'_> {
    /// Reads the options of one part of the file.
    pub(super) fn part(&mut self, given: &Given, level: Level) -> Part {
        let mut part = Part::default();
        let entries = match &given.value {
            Value::Map(entries) => entries.as_slice(),
            // `provider` alone.
            Value::Text(_) if level == Level::Block => &[],
            Value::Null => &[],
            Value::Text(_) | Value::List(_) => {
                self.problem(Problem::new("must be a map of options"), &given.place);
                &[]
            }
        };
        let mut lacks_secret = false;
        for entry in entries {
            if self.format == FileFormat::Own && self.is_of_structure(entry, level) {
                continue;
            }
            match entry.key.as_str() {
                "provider" if matches!(level, Level::Block | Level::File) => {}
                "dpl_version" | "edge" => {}
                "on" | "true" | "if" if part.on.is_some() => {
                    self.problem(Problem::new("is given twice, once as `true:` or `if:`").of("on"), &entry.place);
                }
                "on" | "true" | "if" => part.on = Some(entry.given.clone()),
                "allow_failure" => match entry.given.as_text().and_then(yes_or_no) {
                    Some(yes) => part.allow_failure = Some(yes),
                    None => self.problem(Problem::new("must be true or false").of("allow_failure"), &entry.given.place),
                },
                "before_deploy" | "after_deploy" => self.not_run(entry),
                "skip_cleanup" => self.skip_cleanup(&mut part.layer, entry),
                key => match options::find(key) {
                    Some(option) => {
                        if part.layer.contains_key(option.name) {
                            let message = format!("`{}` is given twice, here as `{key}`", option.name);
                            self.problem(Problem::new(message), &entry.place);
                        }
                        if option.name == "layers" {
                            all_texts(&entry.given, &mut part.layers);
                        }
                        if entry.given.value == Value::Null {
                            part.emptied.insert(option.name);
                        }
                        let Some(given) = self.value(option, &entry.given, &mut part.by_branch) else {
                            lacks_secret |= matches!(option.kind, Kind::Secret);
                            continue;
                        };
                        layer::insert(&mut part.layer, option, given);
                    }
                    None if self.format == FileFormat::Travis && matches!(key, FOR_EACH | "stages" | "defaults") => {
                        self.warning(Problem::new(format!("`{key}` works in a `dpl.yml` only")), &entry.place);
                    }
                    None if self.format == FileFormat::Travis => self.warning(unknown(key), &entry.place),
                    None => self.problem(unknown(key), &entry.place),
                },
            }
        }
        part.has_secure_variables =
            given.get("environment").or_else(|| given.get("environment_variables")).is_some_and(has_secure);
        // If a part of an access key is encrypted, the whole key must come from another source.
        if lacks_secret {
            part.layer.retain(|name, _| !matches!(*name, "access_key_id" | "secret_access_key" | "session_token"));
        }
        part
    }

    /// Whether a key says how the parts of the file belong together. Where it has no meaning, it is an error.
    fn is_of_structure(&mut self, entry: &MapEntry, level: Level) -> bool {
        let key = canonical(&entry.key);
        let (has_meaning, belongs) = match key.as_str() {
            FOR_EACH => (matches!(level, Level::Block | Level::File), "belongs into a block under `deploy:`"),
            "stages" => (
                matches!(level, Level::Block | Level::File | Level::Item),
                "belongs beside `deploy:`, into a block, or into a name of `for_each`",
            ),
            // The error about it is there already.
            "defaults" if level == Level::File => (true, ""),
            "defaults" => (false, "belongs beside `deploy:`"),
            BRANCH if level == Level::Stage => (true, ""),
            BRANCH if level == Level::OwnStage => (false, "belongs into the `stages` beside `deploy:`"),
            _ => return false,
        };
        if !has_meaning {
            self.problem(Problem::new(format!("`{key}` {belongs}")), &entry.place);
        }
        true
    }

    fn skip_cleanup(&mut self, layer: &mut Layer, entry: &MapEntry) {
        let Some(option) = options::find("cleanup") else { return };
        match entry.given.as_text().and_then(yes_or_no) {
            Some(skip) => {
                layer::insert(layer, option, Given::text((!skip).to_string(), entry.given.place.clone()));
            }
            None => self.problem(Problem::new("must be true or false").of("skip_cleanup"), &entry.given.place),
        }
    }

    /// The value of an option, without its encrypted parts, with the value for the current branch, and with its variables
    /// replaced.
    fn value(&mut self, option: &'static Opt, given: &Given, by_branch: &mut Vec<ByBranch>) -> Option<Given> {
        let takes_map = matches!(option.kind, Kind::Map | Kind::Structure(_) | Kind::Files);
        if let Some(problem) = references::misspelt(given).filter(|_| !takes_map) {
            self.found.problems.push(problem.of(option.name));
            return None;
        }
        if let Some(problem) = references::of_two_sources(given) {
            self.found.problems.push(problem.of(option.name));
            return None;
        }
        let is_reference = |given: &Given| references::is_reference(given) || from_env::is_one(given);
        if is_reference(given) {
            // It is read when its place in the options is known.
            return Some(given.clone());
        }
        let given = match unwrapped(option, given.clone()) {
            Ok(given) if is_reference(&given) => return Some(given),
            Ok(given) => given,
            Err(problem) => {
                self.found.problems.push(problem);
                return None;
            }
        };
        match &given.value {
            Value::Map(_) if given.get("secure").is_some() => {
                let problem = Problem::new("is encrypted for Travis, so it is ignored here").of(option.name);
                self.warning(problem.help("pass the value in a variable of the CI"), &given.place);
                None
            }
            Value::Map(entries) if is_by_branch(option) => {
                let only_value = entries.first().filter(|_| entries.len() == 1).and_then(|entry| entry.given.as_text());
                by_branch.push(ByBranch {
                    option: option.name,
                    branches: entries.iter().map(|entry| entry.key.clone()).collect(),
                    only_value: only_value.map(str::to_owned),
                    place: given.place.clone(),
                });
                let key = key_for(self.branch, entries.iter().map(|entry| entry.key.as_str()))?;
                self.value(option, given.get(key)?, by_branch)
            }
            Value::Map(entries) => {
                if self.format == FileFormat::Own && matches!(option.kind, Kind::Map) {
                    let keys = entries.iter();
                    let found = keys.filter_map(|entry| placeholders::found_in_key(option, &entry.key, &entry.place));
                    self.found.problems.extend(found);
                }
                let value = |entry: &MapEntry| {
                    Some(MapEntry { given: self.value(option, &entry.given, &mut Vec::new())?, ..entry.clone() })
                };
                Some(Given {
                    value: Value::Map(entries.iter().filter_map(value).collect()),
                    place: given.place.clone(),
                    form: given.form,
                })
            }
            Value::List(written) => {
                let branches = |item: &&Given| {
                    matches!(item.value, Value::Map(_))
                        && item.get("secure").is_none()
                        && !is_reference(item)
                        && is_by_branch(option)
                };
                if let Some(item) = written.iter().find(branches) {
                    self.problem(Problem::new("must be a list of texts, not of maps").of(option.name), &item.place);
                    return None;
                }
                let items: Vec<_> = written.iter().filter_map(|item| self.value(option, item, by_branch)).collect();
                // Only a list that is written empty empties a setting.
                if items.is_empty() && !written.is_empty() {
                    return None;
                }
                Some(Given { value: Value::List(items), place: given.place.clone(), form: given.form })
            }
            Value::Text(text) => {
                let expanded = self.expanded(option, text, &given.place)?;
                Some(Given { form: given.form, ..expanded })
            }
            Value::Null => Some(given.clone()),
        }
    }

    /// Whether a text that AWS shows contains the value of a variable with a secret.
    fn shows_secret(&self, option: &Opt, written: &str, expanded: &str) -> bool {
        let harmless = || {
            let variables = self.host.variables.iter().filter(|(name, value)| !holds_secret(name, value));
            shell::expand(written, &variables.map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        SEEN_IN_AWS.contains(&option.name) && harmless().as_deref() != Ok(expanded)
    }

    /// The text with its variables replaced. Only in `.travis.yml` are they replaced: there a shell does it for dpl.
    fn expanded(&mut self, option: &'static Opt, text: &str, place: &Place) -> Option<Given> {
        let shell_reads_it = placeholders::SHELL.contains(&option.name);
        if self.format == FileFormat::Own {
            self.placeholders(option, text, place);
        }
        if shell_reads_it || self.format == FileFormat::Own {
            return Some(Given::text(text, place.clone()));
        }
        match shell::expand(text, &self.host.variables) {
            Ok(read) if self.shows_secret(option, text, &read) => {
                self.problem(exposed::error(option.name, "the secret in a variable"), place);
                None
            }
            Ok(read) => Some(Given::text(read, place.clone())),
            Err(message) => {
                self.problem(Problem::new(message).of(option.name), place);
                None
            }
        }
    }

    /// Reports a placeholder in a text. A text of a map has `KEY=VALUE` in each line.
    fn placeholders(&mut self, option: &'static Opt, text: &str, place: &Place) {
        let of_line = |line: &str| {
            let value = line.split_once('=').filter(|_| matches!(option.kind, Kind::Map)).map(|(_, value)| value);
            value.and_then(|value| placeholders::found(option, value, place))
        };
        let problem = placeholders::found(option, text, place).or_else(|| text.lines().find_map(of_line));
        match problem {
            Some(problem) if problem.stops() => self.found.problems.push(problem),
            Some(problem) => self.found.warnings.push(problem),
            None => {}
        }
    }
}

/// All texts in a value, except those of references.
pub(super) fn all_texts(given: &Given, texts: &mut Vec<String>) {
    match &given.value {
        Value::Map(_) if references::is_unknown(given) => {}
        Value::Null => {}
        Value::Text(text) => texts.extend(text.split(',').map(|text| text.trim().to_owned())),
        Value::List(items) => items.iter().for_each(|item| all_texts(item, texts)),
        Value::Map(entries) => entries.iter().for_each(|entry| all_texts(&entry.given, texts)),
    }
}

/// Whether a value, or a part of it, is encrypted for Travis.
fn has_secure(given: &Given) -> bool {
    given.get("secure").is_some()
        || match &given.value {
            Value::List(items) => items.iter().any(has_secure),
            Value::Map(entries) => entries.iter().any(|entry| has_secure(&entry.given)),
            Value::Null | Value::Text(_) => false,
        }
}
