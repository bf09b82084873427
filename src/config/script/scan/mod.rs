//! The scanner follows the shell's quoting through a command, and replaces each `%{…}` by a reference to a variable.
//!
//! A reference is never code by itself. If the scanner misreads a script, the worst result is a value that is split into
//! words. The scanner still refuses a value wherever it cannot follow the shell.

mod documents;
mod expansions;

use std::collections::{BTreeSet, VecDeque};

use super::code::{self, Role, Word};
use super::refusal::Refusal;
use crate::config::interpolate::{self, Reference};

/// Returns the script with references to variables, and these references.
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
        // Functions, loops and traps can use a variable before the line that sets it, so a new variable needs another pass.
        if scanner.tainted == tainted {
            return Ok((scanner.out, scanner.references));
        }
        tainted = scanner.tainted;
    }
}

/// The most words of a command before a value. The scanner looks through them for each value.
const MOST_WORDS: usize = 200;

/// The most parts of a command inside of each other.
const MOST_NESTED: usize = 100;

const EVALUATED: &str = "stands in `${…}`, which the shell evaluates";

const CALCULATE: &str = "let a program calculate, as in `expr \"%{…}\" + 1`";

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    out: String,
    references: BTreeSet<Reference<'t>>,
    /// The current position: first the script, then each part inside of the one before it.
    frames: Vec<Frame>,
    /// The innermost commands.
    commands: Commands,
    /// The commands around them.
    outer: Vec<Commands>,
    /// The here-documents that begin in the next line: the last line of each, and whether tabs before it are dropped.
    documents: VecDeque<(String, bool)>,
    /// The syntax that the scanner cannot follow. References after it are refused.
    lost: Option<&'static str>,
    /// The variables that contain a value.
    tainted: BTreeSet<String>,
    /// Whether a command of this line reads code from a here-document.
    code_follows: bool,
    /// Whether the script has a group or a loop. A pipe can feed all commands in it.
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

/// The current command.
#[derive(Default)]
struct Commands {
    /// Why no value is allowed in it: its output is read again as code.
    refused: Option<Refusal>,
    /// Its complete words.
    words: Vec<Word>,
    /// The incomplete word.
    word: Option<Word>,
    /// Whether it contains a value.
    filled: bool,
    /// Whether the next word is the file of a redirection.
    redirected: bool,
    /// Whether it reads the output of another command.
    piped: bool,
}

impl<'t> Scanner<'t> {
    fn run(&mut self) -> Result<(), Refusal> {
        while let Some(char) = self.text[self.at..].chars().next() {
            // `%%{name}` is a literal `%{name}`. Its first character is dropped, and its second is read as any other.
            if char == '%' && interpolate::reference(&self.text[self.at + 1..]).is_some() {
                self.at += 1;
                self.copy('%');
                self.word().text.push('%');
                continue;
            }
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

    /// Copies the script up to this position.
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

    /// Why a value is not allowed here; `None` if it is allowed.
    fn refusal(&self) -> Option<Refusal> {
        if let Some(lost) = self.lost {
            return Some(Refusal::new(
                format!("stands behind {lost}, where dpl-lambda cannot follow the shell"),
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
        let variable = reference.variable();
        let quote = if in_quotes { "" } else { "\"" };
        self.out.extend([quote, "${", &variable, "}", quote]);
        self.references.insert(reference);
        self.fill();
        Ok(())
    }

    /// Records that the current word contains a value, and also the words around it.
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

    /// A character with the same meaning inside and outside of double quotes.
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
                // The operator and the shell decide whether this is a quote.
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
        // One look at the rest is enough: after `((`, all references are refused.
        if self.rest().starts_with("((") && self.lost != Some(LOST) {
            self.refuse_tainted_in(self.rest(), "stands behind `((`, where the shell evaluates it", CALCULATE)?;
            self.lost = Some(LOST);
        }
        self.copy('(');
        // After `name()` comes a command. The words in `name=(…)` are not commands, but values in them are refused too.
        let refused = self.commands.refused.clone();
        self.end_command()?;
        self.enter(refused);
        Ok(())
    }

    fn close_parenthesis(&mut self) -> Result<(), Refusal> {
        self.copy(')');
        self.end_command()?;
        // Without an opening parenthesis, it ends the pattern of a `case`.
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
        // `read` gets the output of another command, which can contain values.
        if has_values && let Some(read) = words.iter().position(|word| word.text == "read") {
            self.tainted.extend(words[read..].iter().map(|word| word.text.clone()));
        }
        let reader = code::reads_code_from_input(&words);
        // In a group, the pipe can be before the group.
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

    /// Refuses a variable with a value in a part of the script.
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
