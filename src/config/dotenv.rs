//! `KEY=VALUE` lines of an `env_file`.
//!
//! The common ground of Docker's and Node's dotenv files. Nothing is expanded: `$` in a value is a `$`, since these are
//! often passwords, and the libraries at hand replace it from the process' own environment.

/// A key, its value, and the line it stands on.
type Pair = (String, String, u32);

/// The pairs of a file, in order. The error names the line.
pub(super) fn parse(text: &str) -> Result<Vec<Pair>, (u32, String)> {
    let mut pairs = Vec::new();
    let mut lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((key, value)) = line.split_once('=') else {
            return Err((number, "is not KEY=VALUE".to_owned()));
        };
        let value = value.trim();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = match quote {
            None => value.split(" #").next().unwrap_or_default().trim_end().to_owned(),
            Some(quote) => {
                let mut inner = value[1..].to_owned();
                while closing(&inner, quote).is_none() {
                    let Some((next, _)) = lines.next() else {
                        return Err((number, format!("has no closing {quote}")));
                    };
                    inner = format!("{inner}\n{next}");
                }
                let end = closing(&inner, quote).unwrap_or(inner.len());
                let rest = inner[end..].trim_start_matches(quote).trim_start();
                if !rest.is_empty() && !rest.starts_with('#') {
                    return Err((number, format!("has text behind the closing {quote}")));
                }
                if quote == '"' { unescaped(&inner[..end]) } else { inner[..end].to_owned() }
            }
        };
        pairs.push((key.trim().to_owned(), value, number));
    }
    Ok(pairs)
}

/// Where the quoted value ends; a backslash keeps a double quote inside.
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
    }

    #[test]
    fn a_bad_line_is_named() {
        assert_eq!(parse("A=1\nB\n").unwrap_err().0, 2);
        assert_eq!(parse("A='open\n").unwrap_err().0, 1);
        assert_eq!(parse("A=1\nB=\"b\"tail\n").unwrap_err(), (2, "has text behind the closing \"".to_owned()));
    }
}
