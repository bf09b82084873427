//! Variables and tags of the function, from maps and files.

use std::collections::BTreeMap;

use super::{
    context::Context,
    credentials, dotenv,
    from_env::{self, FromEnv},
    joined,
    layer::{Given, yes_or_no},
    read::{MOST_PAIRS, Pair, Reader},
    references,
};
use crate::deployment::WantedMap;
use crate::files;
use crate::place::{Place, Problem};
use crate::settings::{Environment, Secret, check_variable_name, holds_secret, sounds_secret};
use crate::verb::Purpose;

/// The variables to set or to remove.
pub(super) fn environment(reader: &mut Reader, context: &Context<'_>) -> Option<WantedMap<Option<Secret>>> {
    let mode = reader.map_mode("environment_mode");
    let files = reader.list("env_file");
    let pairs = reader.map("environment");
    if files.is_none() && pairs.is_none() {
        if mode.is_some() {
            reader.wrong("environment_mode", "is given without `environment` or `env_file`");
        }
        return None;
    }
    let mut entries = BTreeMap::new();
    for file in files.unwrap_or_default() {
        env_file(reader, &file, context, &mut entries);
    }
    for pair in pairs.unwrap_or_default() {
        if let Err(message) = check_variable_name(&pair.key) {
            reader.problems.push(Problem::new(message).of("environment").at(&pair.place));
        }
        // The value of a variable is read here, so that it is hidden.
        if pair.is_open() && !pair.value.as_ref().is_some_and(from_env::is_one) {
            continue;
        }
        let value = value(reader, &pair, context);
        reader.values.extend(value.clone().map(|value| (pair.key.clone(), value)));
        entries.insert(pair.key, value);
    }
    let size =
        Environment(entries.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()).size();
    if size > Environment::MOST {
        reader.wrong("environment", format!("takes {size} bytes as JSON, AWS accepts at most {}", Environment::MOST));
    }
    Some(WantedMap { entries, mode })
}

/// The least length of a variable's value that is looked for in the texts of the file.
const LEAST_OF_VARIABLE: usize = 4;

/// The value of a variable: the text itself, or the value of a variable of this process. `None` removes the variable.
fn value(reader: &mut Reader, pair: &Pair, context: &Context<'_>) -> Option<Secret> {
    let given = pair.value.as_ref()?;
    if let Some(text) = given.as_text() {
        // A value that a variable gave, wholly or in part, does not stand in clear in the file.
        let of_variable = |value: &String| {
            value.len() >= LEAST_OF_VARIABLE && yes_or_no(value).is_none() && text.contains(value.as_str())
        };
        let is_written = given.place.in_file().is_some() && !reader.references.has("environment", &pair.key);
        let in_clear = is_written && !context.host.variables.values().any(of_variable);
        return Some(if in_clear { Secret::in_clear(&pair.key, text) } else { Secret::new(text) });
    }
    if let Some(problem) = references::misspelt(given) {
        reader.problems.push(problem.of("environment"));
        return None;
    }
    let FromEnv { name, default } = match FromEnv::read(given) {
        Ok(reference) => reference,
        Err(problem) => {
            let message = format!("`{}` {}", pair.key, problem.message);
            reader.problems.push(Problem { message, ..problem.of("environment") });
            return None;
        }
    };
    let found = context.host.variables.get(name);
    if credentials::holds_credentials(name) && !context.trust.is_free(&given.place) {
        let problem = Problem::new(format!("`{}` would get the credentials of this job, in `{name}`", pair.key));
        let help = "give the function credentials of its own, or a role; if every change of the file is reviewed, `--trust_config` allows it";
        reader.problems.push(problem.of("environment").at(&given.place).help(help));
        return None;
    }
    // As with a shell's `:-`, an empty variable counts as not set if there is a default.
    if let (None | Some(""), Some(default)) = (found.map(String::as_str), default) {
        return Some(Secret::new(default));
    }
    if found.is_none() {
        let problem = Problem::new(format!("`{}` is read from the variable `{name}`, which is not set", pair.key));
        let problem = problem.of("environment").at(&given.place);
        // A job that only checks the configuration may lack the secrets of the deployment.
        let found_so_far = if matches!(context.purpose, Purpose::Deploy | Purpose::Plan) {
            &mut reader.problems
        } else {
            &mut reader.warnings
        };
        found_so_far.push(problem);
    }
    let found = found.map(|value| Secret::new(value.as_str()));
    let is_secret = sounds_secret(&pair.key) || found.as_ref().is_some_and(|value| holds_secret(name, value.expose()));
    if is_secret { &mut reader.secrets } else { &mut reader.taken }.extend(found.clone());
    found
}

/// Adds the variables of a file.
fn env_file(reader: &mut Reader, file: &str, context: &Context<'_>, entries: &mut BTreeMap<String, Option<Secret>>) {
    let text = match files::text(&context.host.directory.join(file)) {
        Ok(text) => text,
        Err(error) => {
            reader.wrong("env_file", format!("`{file}` {error}"));
            return;
        }
    };
    let place = |line| Place::file(&file.into(), line, 1);
    match dotenv::parse(&text) {
        Ok(pairs) if pairs.len() > MOST_PAIRS => {
            let message = format!("has {} variables, and at most {MOST_PAIRS} are taken", pairs.len());
            reader.problems.push(Problem::new(message).of("env_file").at(&place(1)));
        }
        Ok(pairs) => {
            for (key, value, line) in pairs {
                reader.values.push((key.clone(), Secret::new(value.as_str())));
                if let Err(message) = check_variable_name(&key) {
                    reader.problems.push(Problem::new(message).of("env_file").at(&place(line)));
                }
                entries.insert(key, Some(Secret::new(value)));
            }
        }
        Err((line, message)) => reader.problems.push(Problem::new(message).of("env_file").at(&place(line))),
    }
}

/// Whether keys and values of tags may have a character: letters, digits and blanks of any script, and a few others.
fn in_a_tag(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

/// The tags to set.
pub(super) fn tags(reader: &mut Reader) -> Option<WantedMap<String>> {
    let mode = reader.map_mode("function_tags_mode");
    let Some(pairs) = reader.map("function_tags") else {
        if mode.is_some() {
            reader.wrong("function_tags_mode", "is given without `function_tags`");
        }
        return None;
    };
    let mut entries = BTreeMap::new();
    for pair in pairs {
        let text = pair.value.as_ref().filter(|_| !pair.is_open()).map_or(Some(""), Given::as_text);
        let wrong = match text {
            None => Some("must have a text as its value"),
            Some(_) if pair.key.is_empty() => Some("is not a key: a tag needs one"),
            Some(_) if pair.key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) => {
                Some("begins with `aws:`, which AWS reserves")
            }
            Some(text) if pair.key.chars().count() > 128 || text.chars().count() > 256 => {
                Some("is too long: AWS accepts 128 characters in a key and 256 in a value")
            }
            Some(text) if !pair.key.chars().chain(text.chars()).all(in_a_tag) => {
                Some("has a character that AWS refuses: key and value may have letters, digits, blanks and `_.:/=+-@`")
            }
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            let problem = Problem::new(format!("`{}` {wrong}", pair.key)).of("function_tags").at(&pair.place);
            let joined = text.and_then(|text| joined::warning("function_tags", &pair.key, text, &pair.place));
            reader.problems.push(joined.unwrap_or(problem));
        }
        if !pair.is_open() {
            entries.insert(pair.key, text.unwrap_or_default().to_owned());
        }
    }
    if entries.len() > 50 {
        reader.wrong("function_tags", format!("has {} tags, AWS accepts at most 50", entries.len()));
    }
    Some(WantedMap { entries, mode })
}
