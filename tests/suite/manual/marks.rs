//! How a page says what its blocks are: by a comment on the line before, which nobody sees who reads the page.

use std::path::PathBuf;

use super::Page;

/// A fenced block, or a block that stands in a comment.
pub struct Block {
    pub mark: Mark,
    pub language: String,
    pub body: String,
}

/// What a block is.
#[derive(Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nothing is claimed about it.
    None,
    /// `file: NAME`: it is written to that file before the next session.
    File(String),
    /// `session`, `session: exit code N`: its commands are run, and print what stands below them.
    Session { code: i32 },
    /// `$ COMMAND` in the comment: run where the page does not show it.
    Hidden,
    /// `picture: FILE`, commands in the comment: run, and what they print is drawn.
    Picture(PathBuf),
    /// `example: FILE`: it stands in that file word for word, and the file is tried elsewhere.
    Example(PathBuf),
    /// `part of a file`: cannot be tried as it stands.
    Part,
    /// `install`: `tests/integrations/check.py` runs it.
    Install,
}

/// Comments that are no mark of a block: they enclose what is made.
const ENCLOSING: [&str; 4] = ["contents", "end of contents", "options", "end of options"];

impl Mark {
    fn of(comment: &str) -> Option<Self> {
        let (word, rest) = comment.split_once(": ").unwrap_or((comment, ""));
        Some(match (word, rest) {
            ("file", name) => Self::File(name.to_owned()),
            ("picture", path) => Self::Picture(path.into()),
            ("example", path) => Self::Example(path.into()),
            ("session", "") => Self::Session { code: 0 },
            ("session", rest) => Self::Session { code: rest.strip_prefix("exit code ")?.parse().ok()? },
            ("part of a file", "") => Self::Part,
            ("install", "") => Self::Install,
            _ => return None,
        })
    }
}

/// The blocks of a page in their order.
pub fn blocks(page: &Page) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = page.text.lines();
    let mut mark = Mark::None;
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body = until(&mut lines, "```");
            found.push(Block { mark: std::mem::replace(&mut mark, Mark::None), language: language.to_owned(), body });
            continue;
        }
        mark = Mark::None;
        let Some(comment) = line.strip_prefix("<!-- ") else { continue };
        let read = |comment: &str| {
            Mark::of(comment).unwrap_or_else(|| panic!("{}: `{comment}` is not a mark", page.path.display()))
        };
        match comment.strip_suffix(" -->") {
            Some(comment) if ENCLOSING.contains(&comment) => {}
            Some(command) if command.starts_with("$ ") => found.push(hidden(format!("{command}\n"))),
            Some(comment) => mark = read(comment),
            None if comment.starts_with("$ ") => {
                found.push(hidden(format!("{comment}\n{}", until(&mut lines, "-->"))));
            }
            None => {
                let body = until(&mut lines, "-->");
                found.push(Block { mark: read(comment), language: String::new(), body });
            }
        }
    }
    found
}

fn hidden(body: String) -> Block {
    Block { mark: Mark::Hidden, language: String::new(), body }
}

fn until<'a>(lines: &mut impl Iterator<Item = &'a str>, end: &str) -> String {
    lines.by_ref().take_while(|line| *line != end).map(|line| format!("{line}\n")).collect()
}

/// The lines of a page that are prose: neither in a block nor in a comment. With each its number.
pub fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut inside = "";
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if inside.is_empty() {
            if line.starts_with("```") {
                inside = "```";
            } else if line.starts_with("<!-- ") && !line.ends_with(" -->") {
                inside = "-->";
            } else {
                found.push((index + 1, line));
            }
        } else if line == inside {
            inside = "";
        }
    }
    found
}
