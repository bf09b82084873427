//! The command line: one pass over the words, then the parser. The flags become a layer of the configuration.
//!
//! Must not know what happens after parsing.

mod command;
mod grammar;
mod shells;
mod since;
mod stop;
mod task;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

pub(crate) use stop::Stop;
pub(crate) use task::{Builds, Invoke, Logs, Payload, Response, Sought, Task, Until};

use crate::config::{Form, Given, Layer, Syntax, Value, insert, unpack};
use crate::place::{Place, Problem};
use crate::settings::Secret;
use crate::verb::Verb;
use words::{Said, Words, is_list};

/// A parsed command line. A wrong one has an error as its task, and all else that could be read.
#[derive(Debug, Clone)]
pub(crate) struct CommandLine {
    /// The task, or why there is none.
    pub task: Result<Task, Stop>,
    /// The options on the command line. Of a wrong one, those that could be read.
    pub flags: Layer,
    /// Whose syntax the command line uses: ours or dpl's.
    pub syntax: Syntax,
    /// Values of secret options, which must not be shown. Read from a wrong command line too.
    pub secrets: Vec<Secret>,
    /// Values whose keys look like secrets, as in `--environment API_TOKEN=…`. They are also allowed as part of a name.
    pub values: Vec<Secret>,
}

/// Reads the command line, or else the input `command` of a step that has none.
pub(crate) fn read(called_as: &str, arguments: &[String], variables: &BTreeMap<String, String>) -> CommandLine {
    match command::arguments(arguments, variables) {
        Ok(arguments) => parse(called_as, &arguments),
        Err(problem) => CommandLine { task: Err(Stop::Wrong(problem)), ..parse(called_as, arguments) },
    }
}

/// Parses a command line. `called_as` is the name by which the program was called.
fn parse(called_as: &str, arguments: &[String]) -> CommandLine {
    let words = Words::read(called_as, arguments);
    let (flags, unreadable) = layer(&words.said);
    let Words { syntax, ref secrets, ref values, ref foreign, .. } = words;
    let task = || {
        let wrong = |problem: Option<Problem>| problem.map_or(Ok(()), |problem| Err(Stop::Wrong(problem)));
        wrong(foreign.clone())?;
        wrong(words.without_value())?;
        grammar::check(&words)?;
        wrong(words.contradiction())?;
        wrong(unreadable)?;
        Task::of(words.verb.unwrap_or(Verb::Deploy), &words)
    };
    CommandLine { task: task(), flags, syntax, secrets: secrets.clone(), values: values.clone() }
}

/// The options as a layer of the configuration, and the first value that cannot be read.
fn layer(said: &[Said]) -> (Layer, Option<Problem>) {
    let (mut layer, mut unreadable) = (Layer::new(), None);
    for said in said {
        let Said::Option { option, value: Some(value) } = said else { continue };
        let place = Place::Flag(format!("--{}", option.name));
        let given = match unpack(option, value.clone(), &place) {
            Ok(given) if given.is_absent() => continue,
            Ok(given) => given,
            Err(problem) => {
                unreadable.get_or_insert(problem);
                continue;
            }
        };
        match layer.get_mut(option.name) {
            Some(Given { value: Value::List(items), .. }) if is_list(option) => items.extend(items_of(given)),
            _ if is_list(option) => {
                let given = Given { value: Value::List(items_of(given)), place, form: Form::Text };
                insert(&mut layer, option, given);
            }
            _ => insert(&mut layer, option, given),
        }
    }
    (layer, unreadable)
}

/// The items of a list in JSON; any other value is an item itself.
fn items_of(given: Given) -> Vec<Given> {
    match given.value {
        Value::List(items) => items,
        _ => vec![given],
    }
}
