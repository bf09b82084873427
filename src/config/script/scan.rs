//! The scanner: it follows the shell's quoting through a command, and puts a reference to a variable wherever a `%{…}`
//! stands.
//!
//! A reference is never code by itself. So a script that the scanner takes for another can at worst have a value split
//! into words; still, where it cannot follow it refuses.

use std::collections::{BTreeSet, VecDeque};

use super::Refusal;
use super::code::{self, Role, Word};
use super::variable;
use crate::config::interpolate::{self, Reference};

/// The script with its references, in the order of their names.
pub(super) fn scan(text: &str) -> Result<(String, BTreeSet<Reference<'_>>), Refusal> {
    let mut tainted = BTreeSet::new();
    loop {
        let mut scanner = Scanner {
            text,
            at: 0,
            out: String::with_capacity(text.len()),
            references: BTreeSet::new(),
            frames: vec![Frame::Script],
            commands: Commands::default(),
            outer: Vec::new(),
            documents: VecDeque::new(),
            lost: None,
            tainted: tainted.clone(),
            code_follows: false,
            grouped: false,
        };
        scanner.run()?;
        // Functions, loops and traps use a variable before the line that sets it.
        if scanner.tainted == tainted {
            return Ok((scanner.out, scanner.references));
        }
        tainted = scanner.tainted;
    }
}

/// How many words of a command are looked through for what it does with a value behind them.
const MOST_WORDS: usize = 200;

/// How deep parts of a command may stand in each other.
const MOST_NESTED: usize = 100;

const EVALUATED: &str = "stands in `${…}`, which the shell evaluates";

const CALCULATE: &str = "let a program calculate, as in `expr \"%{…}\" + 1`";

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    out: String,
    references: BTreeSet<Reference<'t>>,
    /// Where the scanner is: the first is the script, each other stands in the one before it.
    frames: Vec<Frame>,
    /// The innermost commands, and those around them.
    commands: Commands,
    outer: Vec<Commands>,
    /// Here-documents that begin with the next line: the last line of each, and whether tabs before it are dropped.
    documents: VecDeque<(String, bool)>,
    /// What could not be followed; references behind it are refused.
    lost: Option<&'static str>,
    /// Variables that a value was put into.
    tainted: BTreeSet<String>,
    /// Whether a command of this line reads code from a here-document.
    code_follows: bool,
    /// Whether commands stand in a group or a loop, which may be piped into as a whole.
    grouped: bool,
}

enum Frame {
    /// Commands: the script, `(…)` or `$(…)`.
    Script,
    /// `"…"`
    Double,
    /// `${…}`
    Parameter,
}

/// The command that is being read.
#[derive(Default)]
struct Commands {
    /// Why a value may not stand anywhere in them, since their output is read again.
    refused: Option<Refusal>,
    /// The words of the command, complete ones.
    words: Vec<Word>,
    /// The word that is being read.
    word: Option<Word>,
    /// Whether a value stands in it.
    filled: bool,
    /// Whether the next word is the file of a redirection.
    redirected: bool,
    /// Whether the command reads what another one writes.
    piped: bool,
}

impl<'t> Scanner<'t> {
    fn run(&mut self) -> Result<(), Refusal> {
        while let Some(char) = self.text[self.at..].chars().next() {
            if let Some((reference, length)) = interpolate::reference(&self.text[self.at..]) {
                self.reference(reference)?;
                self.at += length;
                continue;
            }
            if self.frames.len() > MOST_NESTED {
                let message = format!("has quotes, parentheses and braces more than {MOST_NESTED} deep in each other");
                return Err(Refusal::new(message, "put the command into a script"));
            }
            match self.frames.last() {
                Some(Frame::Double) => self.in_quotes(char)?,
                Some(Frame::Parameter) => self.in_parameter(char)?,
                Some(Frame::Script) | None => self.in_script(char)?,
            }
        }
        self.end_command()
    }

    /// Copies characters of the script, which end at this place.
    fn copy_to(&mut self, end: usize) {
        self.out.push_str(&self.text[self.at..end]);
        self.at = end;
    }

    fn copy(&mut self, char: char) {
        self.copy_to(self.at + char.len_utf8());
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn enter(&mut self, refused: Option<Refusal>) {
        let commands = Commands { refused, ..Commands::default() };
        self.outer.push(std::mem::replace(&mut self.commands, commands));
        self.frames.push(Frame::Script);
    }

    fn word(&mut self) -> &mut Word {
        self.commands.word.get_or_insert_default()
    }

    /// Why a value may not stand here; nothing where it may.
    fn refusal(&self) -> Option<Refusal> {
        if let Some(lost) = self.lost {
            return Some(Refusal::new(
                format!("stands behind {lost}, through which dpl-lambda cannot follow the shell"),
                "write it before that, or in a command of its own",
            ));
        }
        let around = self.frames.iter().rev().find(|frame| !matches!(frame, Frame::Double));
        if matches!(around, Some(Frame::Parameter)) {
            return Some(Refusal::new(EVALUATED, "choose between the two with `if`"));
        }
        let commands = &self.commands;
        if commands.refused.is_some() {
            return commands.refused.clone();
        }
        if commands.redirected {
            return None;
        }
        if commands.words.len() > MOST_WORDS {
            return Some(Refusal::new(
                format!("stands behind more than {MOST_WORDS} words of its command"),
                "put the command into a script, and the value before it, as in `VALUE=%{…} ./script.sh`",
            ));
        }
        match code::role(&commands.words, commands.word.as_ref().unwrap_or(&Word::default()))? {
            Role::Command => Some(Refusal::new(
                "stands where the shell looks for the command to run",
                "write the command there, and the value behind it as an argument",
            )),
            Role::CodeOf(program) => {
                Some(Refusal::new(format!("stands in what `{program}` reads as code"), code::instead(&program)))
            }
        }
    }

    fn refused(name: &str, refusal: &Refusal) -> Refusal {
        Refusal::new(format!("`{name}` {}", refusal.message), refusal.help.replace("%{…}", name))
    }

    fn reference(&mut self, reference: Reference<'t>) -> Result<(), Refusal> {
        let name = reference.to_string();
        if let Some(refusal) = self.refusal() {
            return Err(Self::refused(&name, &refusal));
        }
        let in_quotes = matches!(self.frames.last(), Some(Frame::Double));
        let variable = variable(reference);
        let quote = if in_quotes { "" } else { "\"" };
        self.out.extend([quote, "${", &variable, "}", quote]);
        self.references.insert(reference);
        self.fill();
        Ok(())
    }

    /// Notes that a value stands in the word, and in the words that this one stands in.
    fn fill(&mut self) {
        for commands in self.outer.iter_mut().chain([&mut self.commands]) {
            commands.filled = true;
            commands.word.get_or_insert_default().open = true;
        }
    }

    fn in_script(&mut self, char: char) -> Result<(), Refusal> {
        match char {
            '\n' => {
                self.copy(char);
                self.end_command()?;
                return self.documents();
            }
            char if char.is_whitespace() => {
                self.copy(char);
                self.end_word();
            }
            ';' => {
                self.copy(char);
                self.end_command()?;
            }
            '&' => {
                let redirects = self.out.ends_with(['>', '<']) || self.rest().starts_with("&>");
                self.copy(char);
                if !redirects {
                    self.end_command()?;
                }
            }
            '|' => {
                let clobbers = self.out.ends_with('>');
                let or = self.rest().starts_with("||");
                let both = or || self.rest().starts_with("|&");
                self.copy_to(self.at + if both { 2 } else { 1 });
                if !clobbers {
                    self.end_command()?;
                    self.commands.piped = !or;
                }
            }
            '(' => self.open_parenthesis()?,
            ')' => self.close_parenthesis()?,
            '<' | '>' => self.redirection(char)?,
            '#' if self.commands.word.is_none() => {
                let length = self.rest().find('\n').unwrap_or(self.rest().len());
                self.copy_to(self.at + length);
            }
            '\'' => self.single_quotes()?,
            '"' => {
                self.copy(char);
                self.word().quoted = true;
                self.frames.push(Frame::Double);
            }
            char => return self.in_word(char),
        }
        Ok(())
    }

    /// A character that means the same in and outside of double quotes.
    fn in_word(&mut self, char: char) -> Result<(), Refusal> {
        match char {
            '\\' => self.backslash()?,
            '`' => self.backticks()?,
            '$' => self.dollar()?,
            char => {
                self.copy(char);
                self.word().text.push(char);
            }
        }
        Ok(())
    }

    fn in_quotes(&mut self, char: char) -> Result<(), Refusal> {
        match char {
            '"' => {
                self.copy(char);
                self.frames.pop();
            }
            char => return self.in_word(char),
        }
        Ok(())
    }

    fn in_parameter(&mut self, char: char) -> Result<(), Refusal> {
        match char {
            '}' => {
                self.copy(char);
                self.frames.pop();
            }
            '"' => {
                self.copy(char);
                self.frames.push(Frame::Double);
            }
            '\'' if self.frames.iter().any(|frame| matches!(frame, Frame::Double)) => {
                // Whether it is a quote there depends on the operator, and on the shell.
                self.copy(char);
                self.lost = Some("a single quote in `${…}`");
            }
            '\'' => self.single_quotes()?,
            '\\' => self.backslash()?,
            '`' => self.backticks()?,
            '$' => self.dollar()?,
            char => self.copy(char),
        }
        Ok(())
    }

    fn open_parenthesis(&mut self) -> Result<(), Refusal> {
        const LOST: &str = "`((`";
        // All that follows is looked through once: behind it no variable gets a value any more.
        if self.rest().starts_with("((") && self.lost != Some(LOST) {
            self.refuse_tainted_in(self.rest(), "stands behind `((`, where the shell evaluates it", CALCULATE)?;
            self.lost = Some(LOST);
        }
        self.copy('(');
        // Of `name()` a command follows; of `name=(…)` the words are no commands, but none of them may be a value either.
        let refused = self.commands.refused.clone();
        self.end_command()?;
        self.enter(refused);
        Ok(())
    }

    fn close_parenthesis(&mut self) -> Result<(), Refusal> {
        self.copy(')');
        self.end_command()?;
        // Without a parenthesis before it, it ends the pattern of a `case`.
        if let Some(outer) = self.outer.pop() {
            self.commands = outer;
            self.frames.pop();
        }
        Ok(())
    }

    fn redirection(&mut self, char: char) -> Result<(), Refusal> {
        let rest = self.rest();
        let number = |word: &Word| !word.open && !word.quoted && word.text.chars().all(|char| char.is_ascii_digit());
        if self.commands.word.as_ref().is_some_and(number) {
            self.commands.word = None;
        }
        self.end_word();
        if rest.starts_with("<<<") {
            self.lost = Some("`<<<`");
            self.copy_to(self.at + 2);
        } else if rest.starts_with("<<") {
            return self.begin_document();
        } else if rest[1..].starts_with('(') {
            self.lost = Some("`<(` or `>(`");
        }
        self.copy(char);
        self.commands.redirected = true;
        Ok(())
    }

    fn single_quotes(&mut self) -> Result<(), Refusal> {
        let inner = &self.rest()[1..];
        let length = inner.find('\'').unwrap_or(inner.len());
        let help = "end the single quotes before it, or write double quotes";
        Self::refuse_in(&inner[..length], "stands in single quotes, where the shell fills nothing in", help)?;
        let word = self.word();
        word.quoted = true;
        word.text.push_str(&inner[..length]);
        self.copy_to(self.text.len().min(self.at + length + 2));
        Ok(())
    }

    fn backticks(&mut self) -> Result<(), Refusal> {
        let (mut length, mut escaped) = (1, false);
        for char in self.rest()[1..].chars() {
            length += char.len_utf8();
            if char == '`' && !escaped {
                break;
            }
            escaped = char == '\\' && !escaped;
        }
        let inner = &self.rest()[..length];
        let message = "stands between backticks, in which quotes do not count";
        let help = "write `$(…)` instead of backticks";
        Self::refuse_in(inner, message, help)?;
        self.refuse_tainted_in(inner, message, help)?;
        self.word().open = true;
        self.copy_to(self.at + length);
        Ok(())
    }

    fn backslash(&mut self) -> Result<(), Refusal> {
        let next = &self.rest()[1..];
        Self::refuse_at(next, "stands behind a backslash", "remove the backslash")?;
        let Some(char) = next.chars().next() else {
            self.copy('\\');
            return Ok(());
        };
        if char != '\n' {
            let word = self.word();
            word.quoted = true;
            word.text.push(char);
        }
        self.copy_to(self.at + 1 + char.len_utf8());
        Ok(())
    }

    fn dollar(&mut self) -> Result<(), Refusal> {
        let next = &self.rest()[1..];
        Self::refuse_at(next, "stands behind a `$`", "remove the `$`, or write a backslash before it")?;
        let in_quotes = matches!(self.frames.last(), Some(Frame::Double));
        if next.starts_with("((") {
            self.word().open = true;
            return self.arithmetic();
        }
        if next.starts_with('(') {
            let refused = self.refusal();
            self.word().open = true;
            self.copy_to(self.at + 2);
            self.enter(refused);
            return Ok(());
        }
        if next.starts_with('[') || (next.starts_with(['\'', '"']) && !in_quotes) {
            self.lost = Some("`$[`, `$'` or `$\"`");
        }
        let name: String = next
            .trim_start_matches('{')
            .chars()
            .take_while(|char| char.is_ascii_alphanumeric() || *char == '_')
            .collect();
        if self.tainted.contains(&name) {
            if let Some(refusal) = self.refusal() {
                return Err(Self::refused(&format!("${name}"), &refusal));
            }
            self.fill();
        }
        if let Some(inner) = next.strip_prefix('{') {
            let inner = inner.split('}').next().unwrap_or_default();
            let evaluated = inner.strip_prefix(name.as_str()).unwrap_or(inner);
            // `${NAME@P}` is a prompt: bash runs what stands in its value.
            let part = if evaluated.starts_with('@') { inner } else { evaluated };
            self.refuse_tainted_in(part, EVALUATED, "choose between the two with `if`")?;
            self.word().open = true;
            self.copy_to(self.at + 2);
            self.frames.push(Frame::Parameter);
        } else {
            self.word().open |= !name.is_empty() || next.starts_with(['@', '*', '#', '?', '$', '!', '-']);
            self.copy_to(self.at + 1 + name.len());
            if name.is_empty() {
                // `$#` begins no comment.
                let special = self.rest().starts_with(['#', '@', '*', '?', '$', '!', '-']);
                self.copy_to(self.at + usize::from(special));
            }
        }
        Ok(())
    }

    /// `$((…))`, where values are evaluated.
    fn arithmetic(&mut self) -> Result<(), Refusal> {
        let (mut depth, mut length) = (0_usize, 0);
        for char in self.rest().chars() {
            length += char.len_utf8();
            match char {
                '(' => depth += 1,
                ')' if depth == 1 => break,
                ')' => depth -= 1,
                // It may be a command in parentheses after all.
                '\'' | '"' | '`' | '\\' | '#' | ';' | '\n' => self.lost = Some("`$((`"),
                _ => {}
            }
        }
        let inner = &self.rest()[..length];
        let message = "stands in `$((…))`, which the shell evaluates";
        Self::refuse_in(inner, message, CALCULATE)?;
        self.refuse_tainted_in(inner, message, CALCULATE)?;
        self.copy_to(self.at + length);
        Ok(())
    }

    /// `<<WORD`: its text begins with the next line.
    fn begin_document(&mut self) -> Result<(), Refusal> {
        self.copy_to(self.at + 2);
        let tabs = self.rest().starts_with('-');
        self.copy_to(self.at + usize::from(tabs));
        let blanks = self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        self.copy_to(self.at + blanks);
        let length =
            self.rest().find([' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')']).unwrap_or(self.rest().len());
        let word = &self.rest()[..length];
        Self::refuse_in(word, "stands in the word that ends a here-document", "write a fixed word")?;
        let end = word.replace(['\'', '"', '\\'], "");
        if end.is_empty() || word.contains(['$', '`']) || word.matches(['\'', '"']).count() % 2 == 1 {
            self.lost = Some("a here-document");
        }
        self.documents.push_back((end, tabs));
        self.copy_to(self.at + length);
        Ok(())
    }

    /// The texts of here-documents, which begin here.
    fn documents(&mut self) -> Result<(), Refusal> {
        while let Some((end, tabs)) = self.documents.pop_front() {
            while !self.rest().is_empty() {
                let length = self.rest().find('\n').map_or(self.rest().len(), |at| at + 1);
                let line = &self.rest()[..length];
                let message = "stands in a here-document, which may be code for the program that reads it";
                let help = "print it with `printf '%s\\n' \"%{…}\"`";
                Self::refuse_in(line, message, help)?;
                if self.code_follows {
                    self.refuse_tainted_in(line, message, help)?;
                }
                self.copy_to(self.at + length);
                let line = line.trim_end_matches('\n');
                if (if tabs { line.trim_start_matches('\t') } else { line }) == end {
                    break;
                }
            }
        }
        self.code_follows = false;
        Ok(())
    }

    fn end_word(&mut self) {
        let commands = &mut self.commands;
        let Some(word) = commands.word.take() else { return };
        if std::mem::take(&mut commands.redirected) {
            return;
        }
        let begins = commands.words.is_empty();
        let filled = commands.filled;
        if begins && !word.quoted && word.text == "case" && !self.outer.is_empty() {
            self.lost = Some("a `case` in parentheses");
            return;
        }
        if begins && code::is_keyword(&word) {
            self.grouped = true;
            return;
        }
        let assigned = code::assigned(&word).filter(|_| filled).map(str::to_owned);
        let looped = commands.words.get(1).filter(|_| filled && commands.words[0].text == "for");
        let looped = looped.map(|word| word.text.clone());
        commands.words.push(word);
        self.tainted.extend(assigned.into_iter().chain(looped));
    }

    fn end_command(&mut self) -> Result<(), Refusal> {
        self.end_word();
        let has_values = !self.references.is_empty();
        let commands = &mut self.commands;
        let piped = std::mem::take(&mut commands.piped);
        let words = std::mem::take(&mut commands.words);
        (commands.filled, commands.redirected) = (false, false);
        if code::evaluates_names(&words) {
            for word in &words {
                self.refuse_tainted_in(&word.text, "stands where the shell evaluates it", CALCULATE)?;
            }
        }
        // A loop reads values that another command writes.
        if has_values && let Some(read) = words.iter().position(|word| word.text == "read") {
            self.tainted.extend(words[read..].iter().map(|word| word.text.clone()));
        }
        let reader = code::reads_code_from_input(&words);
        // In a group, the pipe may stand before another command of it.
        let piped = piped || (!self.outer.is_empty() || self.grouped) && self.documents.is_empty();
        self.code_follows |= reader.is_some() && !self.documents.is_empty();
        match reader.filter(|_| piped && has_values) {
            Some(program) => Err(Refusal::new(
                format!("pipes into `{program}`, which would read a value as code"),
                "write the command with the value on its own, not in one `run` with the pipe",
            )),
            None => Ok(()),
        }
    }

    /// Refuses a reference anywhere in a part of the script.
    fn refuse_in(part: &str, message: &str, help: &str) -> Result<(), Refusal> {
        part.match_indices("%{").try_for_each(|(at, _)| Self::refuse_at(&part[at..], message, help))
    }

    /// Refuses a variable that a value was put into.
    fn refuse_tainted_in(&self, part: &str, message: &str, help: &str) -> Result<(), Refusal> {
        let mut names = part.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
        match names.find(|name| self.tainted.contains(*name)) {
            Some(name) => Err(Self::refused(&format!("${name}"), &Refusal::new(message, help))),
            None => Ok(()),
        }
    }

    /// Refuses a reference at the beginning of a part of the script.
    fn refuse_at(part: &str, message: &str, help: &str) -> Result<(), Refusal> {
        match interpolate::reference(part) {
            Some((reference, _)) => Err(Self::refused(&reference.to_string(), &Refusal::new(message, help))),
            None => Ok(()),
        }
    }
}
