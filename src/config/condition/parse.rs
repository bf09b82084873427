//! The parser of conditions. It reports an error wherever bash reports a syntax error.

use super::expression::{Comparison, Otherwise, Part, Term, Variable, Variables, Word};
use super::pattern::{self, Language};

/// The most characters of an expression. Nobody writes a longer condition.
const MOST_LENGTH: usize = 10_000;

/// The most parentheses and `!` inside of each other.
const MOST_DEPTH: usize = 100;

/// The most variables in an expression. Each value can be as long as the whole environment.
const MOST_VARIABLES: usize = 100;

/// The supported operators, for an error.
const SUPPORTED: &str = "`=`, `==`, `!=`, `=~`, `-z`, `-n`, `-v`, `-eq`, `-ne`, `-lt`, `-le`, `-gt` and `-ge`";

/// The letters of bash's tests of one word.
const UNARY: &str = "abcdefghknoprstuvwxzGLNORS";

/// Variables that bash sets itself. Only bash knows their values.
const OF_BASH: [&str; 27] = [
    "BASHOPTS",
    "BASHPID",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "HOSTNAME",
    "HOSTTYPE",
    "IFS",
    "LINENO",
    "MACHTYPE",
    "OLDPWD",
    "OPTERR",
    "OPTIND",
    "OSTYPE",
    "PIPESTATUS",
    "PPID",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SHLVL",
    "SRANDOM",
    "UID",
    "_",
];

pub(super) fn expression(text: &str) -> Result<Term, String> {
    // A block of YAML ends with a line break.
    let text = text.trim_end();
    if text.chars().count() > MOST_LENGTH {
        return Err(format!("is longer than {MOST_LENGTH} characters"));
    }
    if text.matches('$').count() > MOST_VARIABLES {
        return Err(format!("names more than {MOST_VARIABLES} variables"));
    }
    if text.contains('\0') {
        return Err("contains a NUL character".to_owned());
    }
    let mut parser = Parser { text: text.chars().collect(), at: 0, depth: 0 };
    let term = parser.any()?;
    match parser.token()? {
        Token::End => Ok(term),
        token => Err(format!("has {} where `&&`, `||` or its end is expected", token.name())),
    }
}

enum Token {
    /// A word, and its text in the expression.
    Word(Word, String),
    And,
    Or,
    Open,
    Close,
    Newline,
    /// `<`, `>`, `&`, `|` or `;`
    Other(char),
    End,
}

impl Token {
    fn name(&self) -> String {
        match self {
            Self::Word(_, written) => format!("`{written}`"),
            Self::And => "`&&`".to_owned(),
            Self::Or => "`||`".to_owned(),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::Newline => "a line break".to_owned(),
            Self::Other(char) => format!("`{char}`"),
            Self::End => "its end".to_owned(),
        }
    }
}

struct Parser {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

/// How a word is read. Patterns can have characters that end a plain word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Plain,
    Pattern,
    Regex,
}

impl Parser {
    fn any(&mut self) -> Result<Term, String> {
        let mut terms = vec![self.all()?];
        while self.next_is("||") {
            terms.push(self.all()?);
        }
        Ok(alone(terms, Term::Any))
    }

    fn all(&mut self) -> Result<Term, String> {
        let mut terms = vec![self.term()?];
        while self.next_is("&&") {
            terms.push(self.term()?);
        }
        Ok(alone(terms, Term::All))
    }

    fn term(&mut self) -> Result<Term, String> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(format!("has more than {MOST_DEPTH} parentheses or `!` inside of each other"));
        }
        self.skip(char::is_whitespace);
        let term = match self.token()? {
            Token::Open => {
                let inner = self.any()?;
                match self.token()? {
                    Token::Close => inner,
                    token => return Err(format!("has {} where `)` is expected", token.name())),
                }
            }
            Token::Word(_, written) if written == "!" => Term::Not(Box::new(self.term()?)),
            Token::Word(_, written) if is_unary(&written) => self.unary(&written)?,
            Token::Word(left, written) => self.binary(left, &written)?,
            token => return Err(format!("has {} where an expression is expected", token.name())),
        };
        self.depth -= 1;
        self.skip(char::is_whitespace);
        Ok(term)
    }

    fn unary(&mut self, test: &str) -> Result<Term, String> {
        let (word, written) = self.operand(test, Reading::Plain)?;
        match test {
            "-n" => Ok(Term::Filled(word)),
            "-z" => Ok(Term::Empty(word)),
            "-v" if is_name(&written) && !OF_BASH.contains(&written.as_str()) => Ok(Term::Set(written)),
            "-v" => Err("has a `-v` that is not followed by the name of a variable".to_owned()),
            _ => Err(format!("has `{test}`, which is not supported; {SUPPORTED} are")),
        }
    }

    fn binary(&mut self, left: Word, written: &str) -> Result<Term, String> {
        let before = self.at;
        let operator = match self.token()? {
            Token::And | Token::Or | Token::Close | Token::End => {
                self.at = before;
                return Ok(Term::Filled(left));
            }
            Token::Word(_, operator) => operator,
            Token::Other(char @ ('<' | '>')) => {
                return Err(format!(
                    "has `{char}`, which depends on the language of the machine; use `-lt` or `-gt` for numbers"
                ));
            }
            token => return Err(format!("has {} behind `{written}`, where an operator is expected", token.name())),
        };
        let comparison = match operator.as_str() {
            "=" | "==" | "!=" => {
                let (pattern, _) = self.operand(&operator, Reading::Pattern)?;
                check(Language::Pattern, &pattern)?;
                let like = Term::Like(left, pattern);
                return Ok(if operator == "!=" { Term::Not(Box::new(like)) } else { like });
            }
            "=~" => {
                let (regex, _) = self.operand(&operator, Reading::Regex)?;
                check(Language::Regex, &regex)?;
                return Ok(Term::Matches(left, regex));
            }
            "-eq" => Comparison::Equal,
            "-ne" => Comparison::NotEqual,
            "-lt" => Comparison::Less,
            "-le" => Comparison::LessOrEqual,
            "-gt" => Comparison::Greater,
            "-ge" => Comparison::GreaterOrEqual,
            _ => {
                return Err(format!("has `{operator}` behind `{written}`, where an operator is expected: {SUPPORTED}"));
            }
        };
        let (right, _) = self.operand(&operator, Reading::Plain)?;
        for word in [&left, &right] {
            if word.is_literal() {
                word.number(&Nothing)?;
            }
        }
        Ok(Term::Compare(left, comparison, right))
    }

    fn operand(&mut self, operator: &str, reading: Reading) -> Result<(Word, String), String> {
        match self.token_of(reading)? {
            Token::Word(word, written) => Ok((word, written)),
            token => Err(format!("has {} behind `{operator}`, where a word is expected", token.name())),
        }
    }

    /// Skips an operator of two characters. Returns whether it came next.
    fn next_is(&mut self, operator: &str) -> bool {
        let found = self.text[self.at..].iter().take(2).copied().eq(operator.chars());
        self.at += if found { 2 } else { 0 };
        found
    }

    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        while self.text.get(self.at).is_some_and(|char| is_skipped(*char)) {
            self.at += 1;
        }
    }

    fn token(&mut self) -> Result<Token, String> {
        self.token_of(Reading::Plain)
    }

    fn token_of(&mut self, reading: Reading) -> Result<Token, String> {
        self.skip(|char| char != '\n' && char.is_whitespace());
        let begins_word = |char: char| match char {
            '(' | '|' => reading == Reading::Regex,
            ')' | '&' | ';' | '<' | '>' | '\n' => false,
            _ => true,
        };
        match self.text.get(self.at) {
            None => Ok(Token::End),
            Some('#') => Err("has a word that begins with `#`, a comment; write it in quotes".to_owned()),
            Some('~') => Err("has a word that begins with `~`, which is not replaced; write it in quotes".to_owned()),
            Some(char) if begins_word(*char) => {
                let begin = self.at;
                let word = self.word(reading)?;
                let written: String = self.text[begin..self.at].iter().collect();
                if written == "]]" {
                    return Err("has a `]]`; leave bash's brackets out".to_owned());
                }
                Ok(Token::Word(word, written))
            }
            Some(char) => {
                let char = *char;
                let double = matches!(char, '&' | '|') && self.text.get(self.at + 1) == Some(&char);
                self.at += if double { 2 } else { 1 };
                Ok(match char {
                    '&' if double => Token::And,
                    '|' if double => Token::Or,
                    '(' => Token::Open,
                    ')' => Token::Close,
                    '\n' => Token::Newline,
                    char => Token::Other(char),
                })
            }
        }
    }

    fn word(&mut self, reading: Reading) -> Result<Word, String> {
        let (mut word, mut inside) = (Word::default(), 0_usize);
        while let Some(char) = self.text.get(self.at).copied() {
            match char {
                '\'' => {
                    let text = self.until_quote()?;
                    word.push_text(&text, true);
                    continue;
                }
                '"' => {
                    self.at += 1;
                    self.double_quotes(&mut word)?;
                    continue;
                }
                '\\' => {
                    match self.text.get(self.at + 1) {
                        Some('\n') | None => return Err(LAST.to_owned()),
                        Some(char) => word.push(*char, true),
                    }
                    self.at += 2;
                    continue;
                }
                '$' => {
                    let part = self.dollar(false)?;
                    word.0.push(part);
                    continue;
                }
                '`' => return Err(COMMAND.to_owned()),
                '(' => {
                    let extended = word.last().is_some_and(|char| "?*+@!".contains(char));
                    let opens = inside > 0 || reading == Reading::Regex || (reading == Reading::Pattern && extended);
                    if !opens {
                        break;
                    }
                    inside += 1;
                }
                ')' if inside > 0 => inside -= 1,
                '|' if reading == Reading::Regex => {}
                ')' | '|' | '&' | ';' | '<' | '>' if inside == 0 => break,
                char if char.is_whitespace() && inside == 0 => break,
                _ => {}
            }
            word.push(char, false);
            self.at += 1;
        }
        if inside > 0 {
            return Err("has a `(` without its `)`".to_owned());
        }
        Ok(word)
    }

    /// The text between single quotes.
    fn until_quote(&mut self) -> Result<String, String> {
        let inner = &self.text[self.at + 1..];
        let length = inner.iter().position(|char| *char == '\'').ok_or(UNCLOSED)?;
        let text = inner[..length].iter().collect();
        self.at += length + 2;
        Ok(text)
    }

    fn double_quotes(&mut self, word: &mut Word) -> Result<(), String> {
        // Empty quotes are a word too.
        word.push_text("", true);
        loop {
            match self.text.get(self.at).copied().ok_or(UNCLOSED)? {
                '"' => {
                    self.at += 1;
                    return Ok(());
                }
                '\\' => {
                    let char = *self.text.get(self.at + 1).ok_or(UNCLOSED)?;
                    self.at += 2;
                    match char {
                        '\n' => return Err(LAST.to_owned()),
                        '$' | '`' | '"' | '\\' => word.push(char, true),
                        char => {
                            word.push('\\', true);
                            word.push(char, true);
                        }
                    }
                }
                '$' => {
                    let part = self.dollar(true)?;
                    word.0.push(part);
                }
                '`' => return Err(COMMAND.to_owned()),
                char => {
                    word.push(char, true);
                    self.at += 1;
                }
            }
        }
    }

    /// A variable, or the character `$` itself.
    fn dollar(&mut self, quoted: bool) -> Result<Part, String> {
        self.at += 1;
        let next = self.text.get(self.at).copied();
        match next {
            Some('(') => Err(COMMAND.to_owned()),
            Some('{') => {
                self.at += 1;
                let length = self.text[self.at..].iter().position(|char| *char == '}');
                let length = length.ok_or("has a `${` without its `}`")?;
                let inner: String = self.text[self.at..self.at + length].iter().collect();
                self.at += length + 1;
                Ok(Part::Variable { variable: braced(&inner)?, quoted })
            }
            Some(char) if char.is_ascii_alphabetic() || char == '_' => {
                let begin = self.at;
                self.skip(|char| char.is_ascii_alphanumeric() || char == '_');
                let name = self.text[begin..self.at].iter().collect();
                Ok(Part::Variable { variable: known(name, None)?, quoted })
            }
            Some(char) if char.is_ascii_digit() || "@*#?-$!".contains(char) => {
                Err(format!("has `${char}`, which is not supported: only `$NAME` and `${{NAME}}` are"))
            }
            Some('[') => Err("has `$[`, bash's old arithmetic, which is not supported".to_owned()),
            Some('\'' | '"') if !quoted => {
                Err("has a `$` before a quote, which is not supported; leave the `$` out".to_owned())
            }
            _ => Ok(Part::Text { text: "$".to_owned(), quoted }),
        }
    }
}

const COMMAND: &str = "has a command, which is not run; put its result into a variable of the CI and use the variable";

const UNCLOSED: &str = "has a quote that is not closed";

const LAST: &str = "has a backslash at the end of a line; leave it out";

/// The variable between `${` and `}`.
fn braced(inner: &str) -> Result<Variable, String> {
    let length = inner.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(length);
    let refused = || {
        format!(
            "has `${{{inner}}}`, which is not supported: only `${{NAME}}`, and with a plain text `${{NAME:-text}}`, are"
        )
    };
    if !is_name(name) {
        return Err(refused());
    }
    if rest.is_empty() {
        return known(name.to_owned(), None);
    }
    let or_empty = rest.starts_with(':');
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let where_set = rest.starts_with('+');
    let text = rest.strip_prefix(['-', '+']).ok_or_else(refused)?;
    if !text.chars().all(|char| char.is_ascii_alphanumeric() || "_./:-@,+=%".contains(char)) {
        return Err(refused());
    }
    known(name.to_owned(), Some(Otherwise { or_empty, where_set, text: text.to_owned() }))
}

fn known(name: String, otherwise: Option<Otherwise>) -> Result<Variable, String> {
    if OF_BASH.contains(&name.as_str()) || name.starts_with("BASH_") || name == "BASH" {
        return Err(format!("has `${name}`, which bash sets itself; use a variable of the CI"));
    }
    Ok(Variable { name, otherwise })
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|char: char| char.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}

fn is_unary(written: &str) -> bool {
    written.strip_prefix('-').is_some_and(|test| test.len() == 1 && UNARY.contains(test))
}

fn alone(mut terms: Vec<Term>, several: impl FnOnce(Vec<Term>) -> Term) -> Term {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        last => several(terms.into_iter().chain(last).collect()),
    }
}

/// Finds errors in a pattern without variables.
fn check(language: Language, word: &Word) -> Result<(), String> {
    if word.is_literal() {
        pattern::compile(language, &word.symbols(&Nothing))?;
    }
    Ok(())
}

/// No variables.
struct Nothing;

impl Variables for Nothing {
    fn value(&self, _: &str) -> Option<std::borrow::Cow<'_, str>> {
        None
    }
}

impl Word {
    fn push(&mut self, char: char, quoted: bool) {
        self.push_text(char.encode_utf8(&mut [0; 4]), quoted);
    }

    fn push_text(&mut self, more: &str, quoted: bool) {
        match self.0.last_mut() {
            Some(Part::Text { text, quoted: last }) if *last == quoted => text.push_str(more),
            _ => self.0.push(Part::Text { text: more.to_owned(), quoted }),
        }
    }

    /// The last character, if it is not quoted.
    fn last(&self) -> Option<char> {
        match self.0.last() {
            Some(Part::Text { text, quoted: false }) => text.chars().last(),
            _ => None,
        }
    }
}
