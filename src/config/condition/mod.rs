//! `condition`: an expression in the language of bash's `[[ … ]]`, read and evaluated here.
//!
//! No shell reads it, so nothing in it is ever run. What bash would understand otherwise than this module is an error.

mod parse;
mod pattern;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use pattern::{Language, Symbol};

/// An expression that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition(Term);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// One of them holds.
    Any(Vec<Self>),
    /// All of them hold.
    All(Vec<Self>),
    Not(Box<Self>),
    /// `-n`, or a word alone: it is not empty.
    Filled(Word),
    /// `-z`
    Empty(Word),
    /// `-v`: the variable is set.
    Set(String),
    /// `==`: the second is a pattern.
    Like(Word, Word),
    /// `=~`: the second is a regular expression.
    Matches(Word, Word),
    /// `-eq` and its kin.
    Compare(Word, Comparison, Word),
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A word: its parts in order, which are not separated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Word(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text { text: String, quoted: bool },
    Variable { variable: Variable, quoted: bool },
}

/// `$NAME`, or `${NAME…}` with what stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    name: String,
    otherwise: Option<Otherwise>,
}

/// `:-`, `-`, `:+` or `+` with the text behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Otherwise {
    /// Whether an empty variable counts as unset.
    or_empty: bool,
    /// Whether the text stands for a variable that is set, instead of one that is not.
    where_set: bool,
    text: String,
}

/// Where the values of variables come from: nothing for one that is not set.
pub(super) trait Variables {
    /// The value of a variable.
    fn value(&self, name: &str) -> Option<Cow<'_, str>>;
}

impl Condition {
    /// Reads an expression. The message says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        parse::expression(text).map(Self)
    }

    /// Whether it holds. An error is about a value that cannot be compared, and never repeats it.
    pub(super) fn holds(&self, variables: &dyn Variables) -> Result<bool, String> {
        self.0.holds(variables)
    }
}

impl Term {
    fn holds(&self, variables: &dyn Variables) -> Result<bool, String> {
        match self {
            Self::Any(terms) => {
                for term in terms {
                    if term.holds(variables)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::All(terms) => {
                for term in terms {
                    if !term.holds(variables)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Not(term) => Ok(!term.holds(variables)?),
            Self::Filled(word) => Ok(!word.text(variables).is_empty()),
            Self::Empty(word) => Ok(word.text(variables).is_empty()),
            Self::Set(name) => Ok(variables.value(name).is_some()),
            Self::Like(word, pattern) => pattern.matches(Language::Pattern, &word.text(variables), variables),
            Self::Matches(word, regex) => regex.matches(Language::Regex, &word.text(variables), variables),
            Self::Compare(left, comparison, right) => {
                let (left, right) = (left.number(variables)?, right.number(variables)?);
                Ok(match comparison {
                    Comparison::Equal => left == right,
                    Comparison::NotEqual => left != right,
                    Comparison::Less => left < right,
                    Comparison::LessOrEqual => left <= right,
                    Comparison::Greater => left > right,
                    Comparison::GreaterOrEqual => left >= right,
                })
            }
        }
    }
}

impl Word {
    fn text(&self, variables: &dyn Variables) -> String {
        self.0.iter().map(|part| part.text(variables)).collect()
    }

    /// Whether no variable stands in it, so that its mistakes can be found without values.
    fn is_literal(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Text { .. }))
    }

    fn symbols(&self, variables: &dyn Variables) -> Vec<Symbol> {
        let symbols = self.0.iter().flat_map(|part| {
            let (Part::Text { quoted, .. } | Part::Variable { quoted, .. }) = part;
            let symbol = |char| Symbol { char, quoted: *quoted };
            part.text(variables).chars().map(symbol).collect::<Vec<_>>()
        });
        symbols.collect()
    }

    fn matches(&self, language: Language, text: &str, variables: &dyn Variables) -> Result<bool, String> {
        let regex = pattern::compile(language, &self.symbols(variables)).map_err(|message| self.with_names(message))?;
        Ok(regex.is_match(text))
    }

    /// A whole number in decimal digits, and nothing that would have to be evaluated.
    fn number(&self, variables: &dyn Variables) -> Result<i64, String> {
        let text = self.text(variables);
        let digits = text.strip_prefix(['-', '+']).unwrap_or(&text);
        let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // bash reads a number that begins with 0 as octal.
        let is_octal = digits.len() > 1 && digits.starts_with('0');
        let number = text.parse().ok().filter(|_| is_plain && !is_octal);
        number.ok_or_else(|| match self.0.as_slice() {
            _ if !self.is_literal() && text.is_empty() => {
                self.with_names("is compared as a number, but the value is empty; write `${NAME:-0}`".to_owned())
            }
            _ if !self.is_literal() => self.with_names(
                "is compared as a number, but the value is no whole number in decimal digits; compare texts with `=`"
                    .to_owned(),
            ),
            _ => format!("`{text}` is no whole number in decimal digits; compare texts with `=`"),
        })
    }

    /// A message about the variables of this word, whose values may be secrets.
    fn with_names(&self, message: String) -> String {
        let names: Vec<_> = self
            .0
            .iter()
            .filter_map(|part| match part {
                Part::Variable { variable, .. } => Some(format!("`${}`", variable.name)),
                Part::Text { .. } => None,
            })
            .collect();
        if names.is_empty() { message } else { format!("{} {message}", names.join(" and ")) }
    }
}

impl Part {
    fn text(&self, variables: &dyn Variables) -> String {
        match self {
            Self::Text { text, .. } => text.clone(),
            Self::Variable { variable: Variable { name, otherwise }, .. } => {
                let value = variables.value(name);
                let Some(Otherwise { or_empty, where_set, text }) = otherwise else {
                    return value.unwrap_or_default().into_owned();
                };
                let counts = value.filter(|value| !(*or_empty && value.is_empty()));
                match (counts, where_set) {
                    (Some(_), true) | (None, false) => text.clone(),
                    (Some(value), false) => value.into_owned(),
                    (None, true) => String::new(),
                }
            }
        }
    }
}
