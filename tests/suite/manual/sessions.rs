//! The sessions of the manual, run as they stand.

use std::fs;

use super::{
    Page, manual,
    marks::{Block, Mark, blocks},
    must_be, picture,
};
use crate::harness::{Aws, Kind, Universe, emulator};

/// A folder and an account where a page is tried. No two pages deploy a function of one name.
fn place() -> Universe {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let keys = Aws::of(endpoint).assume("arn:aws:iam::123456789012:role/deploy");
    Universe::at(endpoint)
        .with("AWS_ACCESS_KEY_ID", &keys[0])
        .with("AWS_SECRET_ACCESS_KEY", &keys[1])
        .with("AWS_SESSION_TOKEN", &keys[2])
        .with("AWS_REGION", "eu-west-1")
}

#[test]
fn files_and_sessions_work_as_shown() {
    let mut sessions = 0;
    for page in manual() {
        let universe = place();
        for block in blocks(&page) {
            match &block.mark {
                Mark::File(name) => universe.write(name, &block.body),
                Mark::Session { code } => {
                    session(&page, &universe, &block, *code);
                    sessions += 1;
                }
                Mark::Hidden => {
                    commands(&block.body).for_each(|(command, _)| drop(universe.terminal(command).code(0)));
                }
                Mark::Picture(path) => {
                    let shown = commands(&block.body).map(|(command, _)| {
                        let outcome = universe.terminal(&format!("export DPL_LAMBDA_COLOR=always; {command}")).code(0);
                        (command, timeless(&outcome.stdout))
                    });
                    let drawn = picture::of(&shown.collect::<Vec<_>>());
                    must_be(path, &fs::read_to_string(path).unwrap_or_default(), &drawn);
                }
                Mark::Example(path) => {
                    let file = Page::at(path);
                    if !file.text.contains(&block.body) {
                        must_be(&page.path, &block.body, &part(&file, &block.body));
                    }
                }
                Mark::None | Mark::Part | Mark::Install => {}
            }
        }
    }
    assert!(sessions >= 30, "only {sessions}");
}

#[test]
fn no_block_is_left_untried_by_oversight() {
    for page in manual() {
        for block in blocks(&page) {
            let tried = !matches!(block.language.as_str(), "yaml" | "console") || block.mark != Mark::None;
            assert!(tried, "{}: say what this block is:\n{}", page.path.display(), block.body);
            let right = block.language != "console" || matches!(block.mark, Mark::Session { .. });
            assert!(right, "{}: this is a session:\n{}", page.path.display(), block.body);
        }
    }
}

/// What a file has from the first line of a block to its last.
fn part(file: &Page, block: &str) -> String {
    let whole = |line: &str| format!("\n{line}\n");
    let text = format!("\n{}", file.text);
    let ends = block.lines().next().zip(block.lines().next_back());
    let found = ends.and_then(|(first, last)| {
        let begin = text.find(&whole(first))? + 1;
        let end = begin - 1 + text[begin - 1..].rfind(&whole(last))? + whole(last).len();
        Some(text[begin..end].to_owned())
    });
    found.unwrap_or_else(|| panic!("{} has not these lines:\n{block}", file.path.display()))
}

/// Commands with what is printed below them. A command goes on behind a `\`.
fn commands(body: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = body.strip_prefix("$ ");
    std::iter::from_fn(move || {
        let one = rest?;
        let (one, next) = one.split_once("\n$ ").map_or((one, None), |(one, next)| (one, Some(next)));
        rest = next;
        let end = one.match_indices('\n').map(|(at, _)| at).find(|at| !one[..*at].ends_with('\\'));
        let (command, printed) = one.split_at(end.unwrap_or(one.len()));
        Some((command, printed.trim()))
    })
}

/// Runs each command of a session and compares what it prints.
fn session(page: &Page, universe: &Universe, block: &Block, code: i32) {
    let mut found = Vec::new();
    let mut alike = true;
    for (command, expected) in commands(&block.body) {
        eprintln!("{}: {command}", page.path.display());
        let said = timeless(universe.terminal(command).code(code).stdout.trim_end());
        let compared = snapbox::Assert::new().try_eq(None, said.clone().into(), timeless(expected).into());
        match compared {
            Ok(()) => found.push(format!("$ {command}\n{expected}").trim_end().to_owned()),
            Err(error) if std::env::var_os("UPDATE").is_none() => panic!("{}: {command}\n{error}", page.path.display()),
            Err(_) => {
                alike = false;
                found.push(format!("$ {command}\n{said}").trim_end().to_owned());
            }
        }
    }
    if !alike {
        let fenced = |body: &str| format!("```console\n{}\n```", body.trim_end());
        must_be(&page.path, &fenced(&block.body), &fenced(&found.join("\n\n")));
    }
}

/// The text with the same duration everywhere: `in 0.4 s`.
fn timeless(text: &str) -> String {
    let mut parts = text.split(" in ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let duration = rest.len() < part.len() && rest.starts_with(" s");
        out += " in ";
        out += if duration { "0.4" } else { "" };
        out += if duration { rest } else { part };
    }
    out
}
