//! The names of a Python module.
//!
//! A name counts as defined if it stands anywhere in a statement of the module itself, in whatever role. Only the bodies of
//! functions and classes do not count. So a name that is missing here is certainly not defined.

use std::collections::BTreeSet;

use super::Source;

/// Words of code that can define names without spelling them.
const DYNAMIC: &[&str] =
    &["globals", "locals", "vars", "exec", "execfile", "setattr", "modules", "__dict__", "__getattr__", "__builtins__"];

/// The width of a tab in an indentation.
const TAB: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Other(char),
}

/// A statement or the head of a block.
struct Line<'a> {
    indent: usize,
    tokens: Vec<Token<'a>>,
}

/// Reads a module.
pub(super) fn read(text: &str) -> Source {
    let Some(lines) = lines(text) else { return Source::default() };
    let (mut names, mut functions) = (BTreeSet::new(), Vec::new());
    // The indentation of the function or class whose body is being read.
    let mut outer: Option<usize> = None;
    let mut is_open = false;
    for Line { indent, tokens } in &lines {
        is_open |= tokens.iter().any(|token| matches!(token, Token::Word(word) if DYNAMIC.contains(word)));
        if outer.is_some_and(|outer| *indent <= outer) {
            outer = None;
        }
        let words: Vec<_> = tokens.iter().filter_map(Token::word).collect();
        if outer.is_some() {
            if words.first() == Some(&"global") {
                names.extend(words.iter().map(|word| (*word).to_owned()));
            }
            continue;
        }
        let head = if words.first() == Some(&"async") { &words[1..] } else { &words[..] };
        if let [kind @ ("def" | "class"), name, ..] = head {
            names.insert((*name).to_owned());
            if *kind == "def" && !name.starts_with('_') {
                functions.push((*name).to_owned());
            }
            outer = Some(*indent);
            continue;
        }
        is_open |= tokens.windows(2).any(|pair| pair == [Token::Word("import"), Token::Other('*')]);
        let mut before = Token::Other(' ');
        for token in tokens {
            if let (Token::Word(word), true) = (token, before != Token::Other('.')) {
                names.insert((*word).to_owned());
            }
            before = *token;
        }
    }
    Source { names: (!is_open).then_some(names), functions, ..Source::default() }
}

impl<'a> Token<'a> {
    fn word(&self) -> Option<&'a str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Other(_) => None,
        }
    }
}

/// The logical lines of a module, without comments and texts; `None` if a text or a bracket does not end.
fn lines(text: &str) -> Option<Vec<Line<'_>>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut line = Line { indent: 0, tokens: Vec::new() };
    let (mut depth, mut begins) = (0_usize, true);
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let next = at + c.len_utf8();
        if begins {
            match c {
                ' ' => line.indent += 1,
                '\t' => line.indent = (line.indent / TAB + 1) * TAB,
                '\x0c' => line.indent = 0,
                _ => begins = false,
            }
            if begins {
                at = next;
                continue;
            }
        }
        match c {
            '\n' | '\r' if depth == 0 => {
                if !line.tokens.is_empty() {
                    lines.push(line);
                }
                (line, begins) = (Line { indent: 0, tokens: Vec::new() }, true);
                at = next;
            }
            '\\' if text[next..].starts_with(['\n', '\r']) => {
                at = next + if text[next..].starts_with("\r\n") { 2 } else { 1 };
            }
            '#' => at += text[at..].find(['\n', '\r']).unwrap_or(text.len() - at),
            '"' | '\'' => {
                at = after_text(text, at, c)?;
                line.tokens.push(Token::Other('"'));
            }
            _ if c.is_alphanumeric() || c == '_' => {
                let end = text[at..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len() - at);
                line.tokens.push(Token::Word(&text[at..at + end]));
                at += end;
            }
            _ => {
                match c {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth = depth.checked_sub(1)?,
                    _ => {}
                }
                if !c.is_whitespace() {
                    line.tokens.push(Token::Other(c));
                }
                at = next;
            }
        }
    }
    if !line.tokens.is_empty() {
        lines.push(line);
    }
    (depth == 0).then_some(lines)
}

/// The position after a text that begins at `at`.
fn after_text(text: &str, at: usize, quote: char) -> Option<usize> {
    let triple: String = [quote; 3].iter().collect();
    let (end, from) = if text[at..].starts_with(&triple) { (triple, at + 3) } else { (quote.to_string(), at + 1) };
    let mut rest = text[from..].char_indices();
    while let Some((index, c)) = rest.next() {
        match c {
            '\\' => drop(rest.next()),
            '\n' | '\r' if end.len() == 1 => return None,
            _ if text[from + index..].starts_with(&end) => return Some(from + index + end.len()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacks(text: &str) -> bool {
        read(text).names.is_some_and(|names| !names.contains("handler"))
    }

    #[test]
    fn a_name_is_missing_only_if_nothing_at_the_level_of_the_module_can_define_it() {
        for text in [
            "",
            "x = 1\n",
            "def main(event, context):\n    return handler\n",
            "def lambda_handler(event, context): pass\n",
            "class App:\n    def handler(self, event, context):\n        pass\n",
            "class App:\n    handler = 1\n\nx = App()\n",
            "# handler = 1\n\"\"\"handler\"\"\"\n",
            "def f():\n    handler = 1\n",
            "def f(\n    handler=None,\n):\n    pass\nx = f()\n",
            "async def run(event, context):\n    def handler(): pass\n",
            "import a.handler\n",
            "text = 'it\\'s the handler'\n",
            "x = f\"{y} handler\"\nif x:\n    def other(): pass\n",
            "def f():\n  return '''\nhandler = 1\n'''\n",
            "\u{feff}x = 1",
        ] {
            assert!(lacks(text), "{text}");
        }
        for text in [
            "def handler(event, context):\n    pass\n",
            "async def handler(event, context): ...\n",
            "handler = lambda event, context: None\n",
            "a, handler = f()\n",
            "handler: Callable = main\n",
            "from app import handler\n",
            "from app import main as handler\n",
            "from app import (\n    main,\n    handler,\n)\n",
            "from app import *\n",
            "import handler\n",
            "class handler:\n    def __new__(cls, event, context): ...\n",
            "if True:\n    def handler(event, context): pass\nelse:\n    handler = None\n",
            "try:\n    from fast import handler\nexcept ImportError:\n    pass\n",
            "globals()['handler'] = main\n",
            "def setup():\n    global handler\n    handler = 1\nsetup()\n",
            "def __getattr__(name):\n    return main\n",
            "exec(open('x').read())\n",
            "import sys\nsetattr(sys.modules[__name__], 'handler', main)\n",
            "x = 1; handler = 2\n",
            "for handler in [main]: pass\n",
            "with f() as handler: pass\n",
            "(handler := main)\n",
            "x = 1 + \\\n  2\nhandler = 1\n",
            "print('unfinished\nhandler",
            "x = (1\n",
            "x = 1)\n",
            "match x:\n    case handler: pass\n",
        ] {
            assert!(!lacks(text), "{text}");
        }
        assert_eq!(read("def main(): pass\ndef _x(): pass\ndef run(): pass\n").functions, ["main", "run"]);
    }
}
