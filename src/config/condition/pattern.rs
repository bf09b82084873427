//! Translates patterns of the shell and regular expressions of POSIX for `regex_lite`.
//!
//! Its time grows only in proportion to pattern and text. Anything that POSIX and `regex_lite` read differently is an
//! error.

use regex_lite::{Regex, RegexBuilder};

/// The most bytes of a compiled pattern. Repetitions multiply them.
const MOST_SIZE: usize = 1 << 16;

/// The most characters of a pattern. The values of variables can be long.
const MOST_LENGTH: usize = 2000;

/// The most groups inside of each other.
const MOST_DEPTH: usize = 20;

/// The language of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// For `==`: `*`, `?`, `[…]`, and extended patterns such as `@(a|b)`. The whole text must match.
    Pattern,
    /// For `=~`. A part of the text must match.
    Regex,
}

/// A character of a word. A quoted one has no special meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbol {
    pub char: char,
    pub quoted: bool,
}

impl Symbol {
    fn is(self, char: char) -> bool {
        self.char == char && !self.quoted
    }
}

/// Translates and compiles a word.
pub(super) fn compile(language: Language, symbols: &[Symbol]) -> Result<Regex, String> {
    const TOO_LARGE: &str = "has a pattern that is too long, or repeats too often";
    if symbols.len() > MOST_LENGTH {
        return Err(TOO_LARGE.to_owned());
    }
    let mut reader = Translator { symbols, at: 0, out: String::from("(?s)") };
    match language {
        Language::Pattern => {
            reader.out.push('^');
            reader.pattern(0)?;
            reader.out.push('$');
        }
        Language::Regex => {
            let alternatives = reader.alternatives(0)?;
            if reader.at < symbols.len() {
                return Err("has a `)` without its `(` in a regular expression".to_owned());
            }
            reader.out.push_str(&alternatives);
        }
    }
    let compiled = RegexBuilder::new(&reader.out).size_limit(MOST_SIZE).build();
    compiled.map_err(|_| TOO_LARGE.to_owned())
}

struct Translator<'a> {
    symbols: &'a [Symbol],
    at: usize,
    out: String,
}

impl Translator<'_> {
    fn next(&mut self) -> Option<Symbol> {
        let symbol = self.symbols.get(self.at).copied();
        self.at += usize::from(symbol.is_some());
        symbol
    }

    fn is_next(&self, char: char) -> bool {
        self.symbols.get(self.at).is_some_and(|symbol| symbol.is(char))
    }

    /// A pattern of the shell, inside of a group up to `|` or `)`.
    fn pattern(&mut self, depth: usize) -> Result<(), String> {
        if depth > MOST_DEPTH {
            return Err(TOO_DEEP.to_owned());
        }
        while let Some(symbol) = self.symbols.get(self.at).copied() {
            if depth > 0 && (symbol.is('|') || symbol.is(')')) {
                return Ok(());
            }
            self.at += 1;
            let kind = Some(symbol.char).filter(|char| !symbol.quoted && "?*+@!".contains(*char));
            if let Some(kind) = kind.filter(|_| self.is_next('(') && self.closes()) {
                self.group(kind, depth)?;
                continue;
            }
            match symbol {
                Symbol { quoted: true, char } => self.out.push_str(&literal(char)),
                Symbol { char: '*', .. } => self.out.push_str(".*"),
                Symbol { char: '?', .. } => self.out.push('.'),
                Symbol { char: '[', .. } => match self.bracket(Language::Pattern)? {
                    Some(class) => self.out.push_str(&class),
                    None => self.out.push_str(&literal('[')),
                },
                // In a value: the next character means itself.
                Symbol { char: '\\', .. } => {
                    let char = self.next().map_or('\\', |next| next.char);
                    self.out.push_str(&literal(char));
                }
                Symbol { char, .. } => self.out.push_str(&literal(char)),
            }
        }
        Ok(())
    }

    /// Whether the next `(` is closed. Only then it opens a group.
    fn closes(&self) -> bool {
        let mut depth = 0_usize;
        for symbol in &self.symbols[self.at..] {
            if symbol.is('(') {
                depth += 1;
            } else if symbol.is(')') {
                depth -= 1;
            }
            if depth == 0 {
                return true;
            }
        }
        false
    }

    /// An extended pattern, such as `@(a|b)`.
    fn group(&mut self, kind: char, depth: usize) -> Result<(), String> {
        if kind == '!' {
            return Err("has `!(…)`, which is not supported; write `!=`, or `!` before the expression".to_owned());
        }
        self.out.push_str("(?:");
        loop {
            self.at += 1;
            self.pattern(depth + 1)?;
            if !self.is_next('|') {
                break;
            }
            self.out.push('|');
        }
        self.at += 1;
        self.out.push(')');
        if kind != '@' {
            self.out.push(kind);
        }
        Ok(())
    }

    /// A regular expression up to its end or to the `)` of its group.
    fn alternatives(&mut self, depth: usize) -> Result<String, String> {
        if depth > MOST_DEPTH {
            return Err(TOO_DEEP.to_owned());
        }
        let mut out = String::new();
        loop {
            let mut repeatable: Option<String> = None;
            let mut empty = true;
            while let Some(symbol) = self.symbols.get(self.at).copied() {
                if symbol.is('|') || symbol.is(')') {
                    break;
                }
                self.at += 1;
                empty = false;
                if !symbol.quoted && "*+?{".contains(symbol.char) {
                    let repetition = self.repetition(symbol.char)?;
                    let repeated = repeatable.take().ok_or("has a regular expression with nothing to repeat")?;
                    out.extend(["(?:", &repeated, ")", &repetition]);
                    continue;
                }
                out.push_str(&repeatable.take().unwrap_or_default());
                if symbol.is('^') || symbol.is('$') {
                    out.push(symbol.char);
                } else {
                    repeatable = Some(self.atom(symbol, depth)?);
                }
            }
            out.push_str(&repeatable.unwrap_or_default());
            if empty {
                return Err("has an empty alternative or group in a regular expression".to_owned());
            }
            if !self.is_next('|') {
                return Ok(out);
            }
            self.at += 1;
            out.push('|');
        }
    }

    fn atom(&mut self, symbol: Symbol, depth: usize) -> Result<String, String> {
        match symbol {
            Symbol { quoted: true, char } => Ok(literal(char)),
            Symbol { char: '.', .. } => Ok(".".to_owned()),
            Symbol { char: '(', .. } => {
                let inner = self.alternatives(depth + 1)?;
                match self.next() {
                    Some(_) => Ok(format!("(?:{inner})")),
                    None => Err("has a `(` without its `)` in a regular expression".to_owned()),
                }
            }
            Symbol { char: '[', .. } => {
                self.bracket(Language::Regex)?.ok_or_else(|| "has a `[` without its `]`".to_owned())
            }
            Symbol { char: '\\', .. } => match self.next() {
                Some(next) if next.char.is_ascii_punctuation() && !"<>`'".contains(next.char) => Ok(literal(next.char)),
                _ => Err(ESCAPE.to_owned()),
            },
            Symbol { char, .. } => Ok(literal(char)),
        }
    }

    /// A repetition after its first character. A repetition of a repetition is an error: libraries differ.
    fn repetition(&mut self, begin: char) -> Result<String, String> {
        let mut repetition = String::from(begin);
        if begin == '{' {
            while let Some(symbol) = self.next() {
                repetition.push(symbol.char);
                if symbol.char == '}' {
                    break;
                }
            }
            let inner = repetition.trim_start_matches('{').trim_end_matches('}');
            let (least, most) = inner.split_once(',').unwrap_or((inner, inner));
            let numbers: Option<(u32, Option<u32>)> = least.parse().ok().and_then(|least| match most {
                "" => Some((least, None)),
                most => Some((least, Some(most.parse().ok()?))),
            });
            let digits = inner.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
            if !digits || !numbers.is_some_and(|(least, most)| most.is_none_or(|most| (least..=255).contains(&most))) {
                return Err("has a `{` in a regular expression that is no repetition as `{2,3}`".to_owned());
            }
        }
        Ok(repetition)
    }

    /// A set of characters, after its `[`; `None` if the set is not closed. Then `[` is an ordinary character.
    fn bracket(&mut self, language: Language) -> Result<Option<String>, String> {
        let begin = self.at;
        let negated = self.is_next('^') || (language == Language::Pattern && self.is_next('!'));
        self.at += usize::from(negated);
        let first = self.at;
        let mut out = String::from(if negated { "[^" } else { "[" });
        loop {
            if self.is_next(']') && self.at > first {
                self.at += 1;
                out.push(']');
                return Ok(Some(out));
            }
            let Some(symbol) = self.next() else {
                self.at = begin;
                return Ok(None);
            };
            if symbol.is('[') && [':', '.', '='].iter().any(|char| self.is_next(*char)) {
                out.push_str(&self.class()?);
                continue;
            }
            let begin = self.member(symbol, language)?;
            let is_range = self.is_next('-') && self.symbols.get(self.at + 1).is_some_and(|symbol| !symbol.is(']'));
            if !is_range {
                out.push_str(&literal(begin));
                continue;
            }
            self.at += 1;
            let Some(symbol) = self.next() else { return Err(RANGE.to_owned()) };
            let end = self.member(symbol, language)?;
            // For other characters, the range depends on the language of the machine.
            let kinds: [fn(&char) -> bool; 3] =
                [char::is_ascii_digit, char::is_ascii_lowercase, char::is_ascii_uppercase];
            if begin > end || symbol.is('[') || !kinds.iter().any(|kind| kind(&begin) && kind(&end)) {
                return Err(RANGE.to_owned());
            }
            out.extend([begin, '-', end]);
        }
    }

    /// A character of a set.
    fn member(&mut self, symbol: Symbol, language: Language) -> Result<char, String> {
        let odd = |char: char| !char.is_alphanumeric() && "[]\\^-!".contains(char);
        match language {
            Language::Pattern if symbol.is('\\') => Ok(self.next().map_or('\\', |next| next.char)),
            Language::Regex if symbol.quoted && odd(symbol.char) || symbol.is('\\') => {
                Err("has a backslash or a quoted character between `[` and `]`, which libraries read differently"
                    .to_owned())
            }
            Language::Pattern | Language::Regex => Ok(symbol.char),
        }
    }

    /// `[:alpha:]`, after its `[`.
    fn class(&mut self) -> Result<String, String> {
        const CLASSES: [&str; 12] = [
            "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "xdigit",
        ];
        let rest: String = self.symbols[self.at..].iter().take(8).map(|symbol| symbol.char).collect();
        let name = CLASSES.iter().find(|name| rest.starts_with(&format!(":{name}:]")));
        let name = name.ok_or("has a `[:…:]`, `[.….]` or `[=…=]` that is not supported")?;
        self.at += name.len() + 3;
        Ok(format!("[:{name}:]"))
    }
}

const TOO_DEEP: &str = "has a pattern with too many groups inside of each other";

const ESCAPE: &str = "has a backslash in a regular expression before what is no sign, which libraries read differently; write a set as `[0-9]`";

const RANGE: &str = "has a range that is not one of digits, of small or of large letters";

/// An ordinary character.
fn literal(char: char) -> String {
    if char.is_ascii_alphanumeric() { char.into() } else { format!("\\x{{{:X}}}", u32::from(char)) }
}
