//! The command of a step that has no command line: the input `command` of an action or plugin.

use std::collections::BTreeMap;

use crate::place::{Place, Problem};

/// The variables of the input, on GitHub and in Drone and Woodpecker.
const INPUTS: [&str; 2] = ["INPUT_COMMAND", "PLUGIN_COMMAND"];

/// The arguments: those of the command line, or else those of the input.
pub(super) fn arguments(given: &[String], variables: &BTreeMap<String, String>) -> Result<Vec<String>, Problem> {
    let input =
        INPUTS.iter().find_map(|name| Some((*name, variables.get(*name)?)).filter(|(_, text)| !text.trim().is_empty()));
    match input.filter(|_| given.is_empty()) {
        None => Ok(given.to_vec()),
        Some((name, text)) => split(text).ok_or_else(|| {
            let problem = Problem::new("has a quote without its end").at(&Place::Variable(name.to_owned()));
            problem.help("write it as on a command line, for example `rollback --to 7`")
        }),
    }
}

/// The words of a text. Blanks in single or double quotes belong to a word. Nothing else is special, because no shell
/// reads the text. `None` if a quote has no end.
fn split(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_split_into_words_and_the_command_line_counts_more() {
        for (text, words) in [
            ("plan --exit-code", Some(&["plan", "--exit-code"][..])),
            ("  invoke\n --payload '{\"a\": \"b c\"}' ", Some(&["invoke", "--payload", "{\"a\": \"b c\"}"])),
            ("a \"\" b'c d'e", Some(&["a", "", "bc de"])),
            ("$(id) `id` ; rm *", Some(&["$(id)", "`id`", ";", "rm", "*"])),
            ("it's", None),
        ] {
            let variables = BTreeMap::from([("INPUT_COMMAND".to_owned(), text.to_owned())]);
            let found = arguments(&[], &variables).ok();
            assert_eq!(found, words.map(|words| words.iter().map(|word| (*word).to_owned()).collect()), "{text}");
            assert_eq!(arguments(&["check".to_owned()], &variables).unwrap(), ["check"]);
        }
        let blank = BTreeMap::from([("INPUT_COMMAND".to_owned(), " ".to_owned())]);
        assert!(arguments(&[], &blank).unwrap().is_empty());
    }
}
