//! A condition that was read: its terms, and how they are evaluated.

use std::borrow::Cow;

use super::pattern::{self, Language, Symbol};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Term {
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
    /// `==`: the second word is a pattern.
    Like(Word, Word),
    /// `=~`: the second word is a regular expression.
    Matches(Word, Word),
    /// `-eq` and the other comparisons of numbers.
    Compare(Word, Comparison, Word),
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A word: its parts, joined without separators.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word(pub Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text { text: String, quoted: bool },
    Variable { variable: Variable, quoted: bool },
}

/// `$NAME`, or `${NAME…}` with a text that can replace it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    pub name: String,
    pub otherwise: Option<Otherwise>,
}

/// The operator `:-`, `-`, `:+` or `+`, with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Otherwise {
    /// Whether an empty variable counts as unset.
    pub or_empty: bool,
    /// Whether the text replaces a variable that is set (`+`), and not one that is unset (`-`).
    pub where_set: bool,
    pub text: String,
}

/// The variables that a condition can read.
pub(in crate::config) trait Variables {
    /// The value of a variable; `None` if it is not set.
    fn value(&self, name: &str) -> Option<Cow<'_, str>>;
}

impl Term {
    /// Whether it holds.
    pub(super) fn holds(&self, variables: &dyn Variables) -> Result<bool, String> {
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

    /// Whether it has no variables. Then its errors can be found before there are values.
    pub(super) fn is_literal(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Text { .. }))
    }

    pub(super) fn symbols(&self, variables: &dyn Variables) -> Vec<Symbol> {
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

    /// Its value as a whole number. Only decimal digits are allowed: bash would evaluate anything else.
    pub(super) fn number(&self, variables: &dyn Variables) -> Result<i64, String> {
        let text = self.text(variables);
        let digits = text.strip_prefix(['-', '+']).unwrap_or(&text);
        let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // bash reads a number that begins with 0 as octal.
        let is_octal = digits.len() > 1 && digits.starts_with('0');
        let number = text.parse().ok().filter(|_| is_plain && !is_octal);
        number.ok_or_else(|| match self.0.as_slice() {
            _ if !self.is_literal() && text.is_empty() => {
                self.with_names("is compared as a number, but its value is empty; write `${NAME:-0}`".to_owned())
            }
            _ if !self.is_literal() => self.with_names(
                "is compared as a number, but its value is not a whole number in decimal digits; use `=` to compare texts"
                    .to_owned(),
            ),
            _ => format!("`{text}` is not a whole number in decimal digits; use `=` to compare texts"),
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
