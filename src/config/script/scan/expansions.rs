//! Quotes, backslashes, backticks, and expansions with `$`.

use super::{CALCULATE, EVALUATED, Frame, Scanner};
use crate::config::script::refusal::Refusal;

impl Scanner<'_> {
    pub(super) fn single_quotes(&mut self) -> Result<(), Refusal> {
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

    pub(super) fn backticks(&mut self) -> Result<(), Refusal> {
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

    pub(super) fn backslash(&mut self) -> Result<(), Refusal> {
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

    pub(super) fn dollar(&mut self) -> Result<(), Refusal> {
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
            // `${NAME@P}` is a prompt, so bash runs the commands in its value.
            let part = if evaluated.starts_with('@') { inner } else { evaluated };
            self.refuse_tainted_in(part, EVALUATED, "choose between the two with `if`")?;
            self.word().open = true;
            self.copy_to(self.at + 2);
            self.frames.push(Frame::Parameter);
        } else {
            self.word().open |= !name.is_empty() || next.starts_with(['@', '*', '#', '?', '$', '!', '-']);
            self.copy_to(self.at + 1 + name.len());
            if name.is_empty() {
                // The `#` of `$#` does not begin a comment.
                let special = self.rest().starts_with(['#', '@', '*', '?', '$', '!', '-']);
                self.copy_to(self.at + usize::from(special));
            }
        }
        Ok(())
    }

    /// `$((…))`, in which the shell evaluates values.
    fn arithmetic(&mut self) -> Result<(), Refusal> {
        let (mut depth, mut length) = (0_usize, 0);
        for char in self.rest().chars() {
            length += char.len_utf8();
            match char {
                '(' => depth += 1,
                ')' if depth == 1 => break,
                ')' => depth -= 1,
                // This can still be a command in parentheses.
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
}
