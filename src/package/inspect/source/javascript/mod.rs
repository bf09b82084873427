//! The names that a JavaScript module exports, as `CommonJS` or ES module, and the packages that it loads.
//!
//! Whatever uses `exports` in another way than naming a member leaves the names unknown, as bundlers' code does.

use std::collections::BTreeSet;

use super::Source;

/// Marks that bundlers leave in their code.
const OF_BUNDLERS: &[&str] = &[
    "__webpack_require__",
    "__webpack_modules__",
    "__commonJS",
    "__toCommonJS",
    "__toESM",
    "__esm(",
    "__getOwnPropNames",
    "__nccwpck_require__",
    "parcelRequire",
    "node_modules/",
];

/// A line that is longer was written by a program.
const LONGEST_LINE: usize = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// A text in quotes, with its escapes.
    Text(&'a str),
    /// A number, a regular expression or a piece of a template.
    Value,
    Sign(char),
}

/// The tokens of a script.
struct Tokens<'a> {
    all: Vec<Token<'a>>,
    /// Whether a `/` may have been a division or the start of a regular expression.
    is_ambiguous: bool,
}

/// Reads a module.
pub(super) fn read(text: &str) -> Source {
    let bundled =
        OF_BUNDLERS.iter().any(|mark| text.contains(mark)) || text.lines().any(|line| line.len() > LONGEST_LINE);
    let Some(tokens) = tokens(text) else { return Source { bundled, ..Source::default() } };
    let mut exports = Exports::default();
    exports.read(&tokens.all);
    let functions = exports.names.iter().filter(|name| !name.starts_with('_')).cloned().collect();
    if tokens.is_ambiguous {
        exports.names.extend(words(text));
    }
    let imports = imports(&tokens.all);
    Source { names: (!exports.is_open).then_some(exports.names), functions, imports, bundled }
}

/// All words of a text, in code, comments and texts alike.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()).map(str::to_owned)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// The texts after `import`, `from` and `require(`.
fn imports(tokens: &[Token<'_>]) -> BTreeSet<String> {
    let mut imports = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Text(text) = token else { continue };
        let before = |back: usize| at.checked_sub(back).map(|at| tokens[at]);
        let loads = match before(1) {
            Some(Token::Word("from" | "import")) => true,
            Some(Token::Sign('(')) => matches!(before(2), Some(Token::Word("require" | "import"))),
            _ => false,
        };
        if loads {
            imports.insert((*text).to_owned());
        }
    }
    imports
}

/// The exports of a module.
#[derive(Default)]
struct Exports {
    names: BTreeSet<String>,
    /// Whether there may be other names.
    is_open: bool,
}

impl Exports {
    fn read(&mut self, tokens: &[Token<'_>]) {
        let at = |index: usize| tokens.get(index).copied();
        let mut depth = 0_usize;
        for (index, token) in tokens.iter().enumerate() {
            let before = |back: usize| index.checked_sub(back).and_then(at);
            let is_member = before(1) == Some(Token::Sign('.')) && before(2) != Some(Token::Sign('.'));
            match token {
                Token::Sign('{') => depth += 1,
                Token::Sign('}') => depth = depth.saturating_sub(1),
                Token::Word("export") if !is_member && at(index + 1) != Some(Token::Sign(':')) => {
                    self.statement(&tokens[index + 1..]);
                }
                Token::Word("exports") if !is_member => self.object(tokens, index, index),
                Token::Word("module") if !is_member => match (at(index + 1), at(index + 2)) {
                    (Some(Token::Sign('.')), Some(Token::Word("exports"))) => self.object(tokens, index, index + 2),
                    // `module.id`, a key, and `module === require.main`
                    (Some(Token::Sign('.' | ':')), _) | (Some(Token::Sign('=')), Some(Token::Sign('='))) => {}
                    _ => {
                        // `require.main === module`
                        let compares = before(1) == Some(Token::Sign('=')) && before(2) == Some(Token::Sign('='));
                        self.is_open |= !compares && before(1) != Some(Token::Word("typeof"));
                    }
                },
                // At the level of the module, `this` is its `exports`.
                Token::Word("this") if !is_member => match at(index + 1) {
                    Some(Token::Sign('.')) => self.name(at(index + 2)),
                    Some(Token::Sign('&')) => {}
                    _ if depth == 0 => self.is_open = true,
                    _ => {}
                },
                Token::Word("eval") if !is_member => self.is_open = true,
                _ => {}
            }
        }
    }

    fn name(&mut self, token: Option<Token<'_>>) {
        match token {
            Some(Token::Word(name)) => drop(self.names.insert(name.to_owned())),
            Some(Token::Text(name)) if !name.contains('\\') => drop(self.names.insert(name.to_owned())),
            _ => self.is_open = true,
        }
    }

    /// A use of `exports` or `module.exports`, which begins at `first` and ends at `last`.
    fn object(&mut self, tokens: &[Token<'_>], first: usize, last: usize) {
        let at = |index: usize| tokens.get(index).copied();
        let before = |back: usize| first.checked_sub(back).and_then(at);
        match (at(last + 1), at(last + 2), at(last + 3)) {
            (Some(Token::Sign('.')), name, _)
            | (Some(Token::Sign('[')), name @ Some(Token::Text(_)), Some(Token::Sign(']'))) => self.name(name),
            (Some(Token::Sign('=')), Some(Token::Sign('{')), _) if last > first => self.literal(&tokens[last + 3..]),
            (Some(Token::Sign(',')), name @ Some(Token::Text(_)), _)
                if before(1) == Some(Token::Sign('(')) && before(2) == Some(Token::Word("defineProperty")) =>
            {
                self.name(name);
            }
            _ if before(1) == Some(Token::Word("typeof")) => {}
            _ => self.is_open = true,
        }
    }

    /// The keys of an object, after its `{`. Every word before the value of a key counts.
    fn literal(&mut self, tokens: &[Token<'_>]) {
        let (mut depth, mut is_key) = (0_usize, true);
        for token in tokens {
            match token {
                Token::Sign('}') if depth == 0 => return,
                Token::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
                Token::Sign('.' | '[') if depth == 0 && is_key => self.is_open = true,
                Token::Sign('(' | '[' | '{') => (depth, is_key) = (depth + 1, is_key && depth > 0),
                Token::Sign(':') if depth == 0 => is_key = false,
                Token::Sign(',') if depth == 0 => is_key = true,
                token @ (Token::Word(_) | Token::Text(_)) if depth == 0 && is_key => self.name(Some(*token)),
                _ => {}
            }
        }
        self.is_open = true;
    }

    /// An `export` statement, after its first word.
    fn statement(&mut self, tokens: &[Token<'_>]) {
        match tokens {
            [Token::Word("default"), ..] => drop(self.names.insert("default".to_owned())),
            [Token::Sign('*'), Token::Word("as"), name, ..] => self.name(Some(*name)),
            [Token::Sign('{'), rest @ ..] => self.list(rest),
            [Token::Word("const" | "let" | "var"), rest @ ..] => self.variables(rest),
            [Token::Word("async"), Token::Word("function"), rest @ ..]
            | [Token::Word("function" | "class"), rest @ ..] => {
                self.name(rest.iter().find(|token| **token != Token::Sign('*')).copied());
            }
            _ => self.is_open = true,
        }
    }

    /// The list `a, b as c }`: the last name of each item.
    fn list(&mut self, tokens: &[Token<'_>]) {
        let mut last = None;
        for token in tokens {
            match token {
                Token::Sign(sign @ (',' | '}')) => {
                    if let Some(name) = last.take() {
                        self.name(Some(name));
                    }
                    if *sign == '}' {
                        return;
                    }
                }
                token => last = Some(*token),
            }
        }
        self.is_open = true;
    }

    /// The names of `export const`. Every word before the first `=` counts, and every word after a comma.
    fn variables(&mut self, tokens: &[Token<'_>]) {
        let (mut depth, mut is_name) = (0_usize, true);
        for token in tokens {
            match token {
                Token::Sign(';') | Token::Word("export" | "import") if depth == 0 => return,
                Token::Sign('=') if depth == 0 => is_name = false,
                Token::Sign(',') if depth == 0 => is_name = true,
                Token::Sign('(' | '[' | '{') => depth += 1,
                Token::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
                Token::Word(name) if is_name => drop(self.names.insert((*name).to_owned())),
                _ => {}
            }
        }
    }
}

/// Splits a script into tokens, without comments; `None` if a text, template or expression does not end.
fn tokens(text: &str) -> Option<Tokens<'_>> {
    let mut tokens = Tokens { all: Vec::new(), is_ambiguous: false };
    // For each open template: the number of braces that are open in its current expression.
    let mut templates: Vec<usize> = Vec::new();
    let text = text.trim_start_matches('\u{feff}');
    let mut at = if text.starts_with("#!") { text.find('\n').unwrap_or(text.len()) } else { 0 };
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        match c {
            '/' if rest.starts_with("//") => at += rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => at += rest.find("*/")? + 2,
            '/' => match tokens.slash() {
                Slash::Expression => {
                    at = after_expression(text, at)?;
                    tokens.all.push(Token::Value);
                }
                slash => {
                    tokens.is_ambiguous |= slash == Slash::Unknown;
                    tokens.all.push(Token::Sign('/'));
                    at += 1;
                }
            },
            '"' | '\'' => {
                let end = after_text(text, at, c)?;
                tokens.all.push(Token::Text(&text[at + 1..end - 1]));
                at = end;
            }
            '`' => at = tokens.template(text, at + 1, &mut templates)?,
            '}' if templates.last() == Some(&0) => {
                templates.pop();
                tokens.all.push(Token::Sign('}'));
                at = tokens.template(text, at + 1, &mut templates)?;
            }
            '\\' => return None,
            _ if is_word(c) => {
                let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                let word = &rest[..end];
                tokens.all.push(if c.is_ascii_digit() { Token::Value } else { Token::Word(word) });
                at += end;
            }
            _ => {
                if let Some(open) = templates.last_mut() {
                    match c {
                        '{' => *open += 1,
                        '}' => *open -= 1,
                        _ => {}
                    }
                }
                if !c.is_whitespace() {
                    tokens.all.push(Token::Sign(c));
                }
                at += c.len_utf8();
            }
        }
    }
    templates.is_empty().then_some(tokens)
}

/// The meaning of a `/`.
#[derive(PartialEq, Eq)]
enum Slash {
    Division,
    Expression,
    Unknown,
}

impl Tokens<'_> {
    /// What a `/` means after the tokens so far.
    fn slash(&self) -> Slash {
        match self.all[..] {
            [.., Token::Sign('+'), Token::Sign('+')]
            | [.., Token::Sign('-'), Token::Sign('-')]
            | [.., Token::Sign(')' | '}')] => Slash::Unknown,
            [.., Token::Word(word)] => match word {
                "return" | "typeof" | "instanceof" | "in" | "of" | "new" | "delete" | "void" | "throw" | "case"
                | "do" | "else" | "yield" | "await" => Slash::Expression,
                _ => Slash::Division,
            },
            [.., Token::Text(_) | Token::Value | Token::Sign(']')] => Slash::Division,
            [] | [.., Token::Sign(_)] => Slash::Expression,
        }
    }

    /// Reads a template from `at` to its end or to its next expression. Returns the position after it.
    fn template(&mut self, text: &str, at: usize, templates: &mut Vec<usize>) -> Option<usize> {
        self.all.push(Token::Value);
        let mut rest = text[at..].char_indices();
        while let Some((index, c)) = rest.next() {
            match c {
                '\\' => drop(rest.next()),
                '`' => return Some(at + index + 1),
                '$' if text[at + index..].starts_with("${") => {
                    templates.push(0);
                    self.all.push(Token::Sign('{'));
                    return Some(at + index + 2);
                }
                _ => {}
            }
        }
        None
    }
}

/// The position after a text that begins at `at`.
fn after_text(text: &str, at: usize, quote: char) -> Option<usize> {
    let mut rest = text[at + 1..].char_indices();
    while let Some((index, c)) = rest.next() {
        match c {
            '\\' => drop(rest.next()),
            '\n' | '\r' => return None,
            _ if c == quote => return Some(at + index + 2),
            _ => {}
        }
    }
    None
}

/// The position after a regular expression that begins at `at`. Its flags become a word.
fn after_expression(text: &str, at: usize) -> Option<usize> {
    let mut in_class = false;
    let mut rest = text[at + 1..].char_indices();
    while let Some((index, c)) = rest.next() {
        match c {
            '\\' => drop(rest.next()),
            '\n' | '\r' => return None,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return Some(at + index + 2),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
