//! `KEY=VALUE` lines of an `env_file`.
//!
//! Accepts what both Docker and Node accept. A `$` is not expanded, because it is often a part of a password. The crates
//! for such files would replace it from the environment of the process.

/// A key, its value, and its line.
type Pair = (String, String, u32);

/// The pairs of a file, in order. The error names the line.
pub(super) fn parse(text: &str) -> Result<Vec<Pair>, (u32, String)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let beginning = rest;
        rest = after;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let pair = line.strip_prefix("export ").unwrap_or(line);
        let Some((key, value)) = pair.split_once('=') else {
            return Err((number, "is not KEY=VALUE".to_owned()));
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let first = number;
        let value = match quote {
            None => value.split(" #").next().unwrap_or_default().trim_end().to_owned(),
            Some(quote) => {
                // A quoted value can have several lines.
                let start = beginning.len() - beginning.trim_start().len() + line.len() - value.len() + 1;
                let open = &beginning[start..];
                let end = closing(open, quote).ok_or_else(|| (number, format!("has no closing {quote}")))?;
                let (inner, behind) = (&open[..end], &open[end + 1..]);
                let (tail, after) = behind.split_once('\n').unwrap_or((behind, ""));
                let tail = tail.trim();
                if !tail.is_empty() && !tail.starts_with('#') {
                    return Err((number, format!("has text after the closing {quote}")));
                }
                number += u32::try_from(inner.matches('\n').count()).unwrap_or(u32::MAX);
                rest = after;
                let inner = inner.replace("\r\n", "\n");
                if quote == '"' { unescaped(&inner) } else { inner }
            }
        };
        pairs.push((key.trim().to_owned(), value, first));
    }
    Ok(pairs)
}

/// The position of the closing quote. A double quote after a backslash is a part of the value.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == quote && !escaped;
        escaped = quote == '"' && c == '\\' && !escaped;
        closes.then_some(at)
    })
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (c, c == '\\') {
            (_, true) => match characters.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some(other @ ('"' | '\\' | '$')) => out.push(other),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read_and_nothing_is_expanded() {
        let text = "# comment\n\nA=1\nexport B = two words # why\nC=\"x\\n\\\"y\\\" # kept\"\nD='$A \\n'\nE=pa$$word#1\nF=\nG=\"a\nb\"\nH=a=b,c\r\n";
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "x\n\"y\" # kept"),
            ("D", "$A \\n"),
            ("E", "pa$$word#1"),
            ("F", ""),
            ("G", "a\nb"),
            ("H", "a=b,c"),
        ];
        let found: Vec<_> = parse(text).unwrap().into_iter().map(|(key, value, _)| (key, value)).collect();
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(parse("\n# x\nA=1\n").unwrap()[0].2, 3);
        assert_eq!(
            parse("A='1\r\n2'\n\nB=1").unwrap(),
            [("A".to_owned(), "1\n2".to_owned(), 1), ("B".to_owned(), "1".to_owned(), 4)]
        );
    }

    #[test]
    fn a_quote_over_half_a_million_lines_is_read_at_once() {
        let begun = std::time::Instant::now();
        let text = format!("A=\"{}", "\n".repeat(500_000));
        assert!(parse(&text).is_err());
        assert_eq!(parse(&format!("{text}\"")).unwrap()[0].1.len(), 500_000);
        assert!(begun.elapsed().as_secs() < 5);
    }

    #[test]
    fn a_bad_line_is_named() {
        assert_eq!(parse("A=1\nB\n").unwrap_err().0, 2);
        assert_eq!(parse("A='open\n").unwrap_err().0, 1);
        assert_eq!(parse("A=1\nB=\"b\"tail\n").unwrap_err(), (2, "has text after the closing \"".to_owned()));
    }
}
