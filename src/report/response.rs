//! The response of a function, without values that nobody may see. JSON stays JSON.

use serde::de::IgnoredAny;

/// The response with its values hidden. In JSON, a number that holds such a value becomes a text, and `true`, `false`
/// and `null` stay, because they show nothing.
pub(super) fn hidden(response: &str, hide: impl Fn(&str) -> String) -> String {
    if serde_json::from_str::<IgnoredAny>(response).is_err() {
        return hide(response);
    }
    let (mut out, mut rest) = (String::with_capacity(response.len()), response);
    while let Some(c) = rest.chars().next() {
        let (token, after) = rest.split_at(length(c, rest));
        match c {
            '"' => {
                let text = &token[1..token.len() - 1];
                out.extend(["\"", &hide(text), "\""]);
            }
            '-' | '0'..='9' if hide(token) != token => out.extend(["\"", &hide(token), "\""]),
            _ => out.push_str(token),
        }
        rest = after;
    }
    out
}

/// The length of the token of JSON that begins with this character.
fn length(first: char, json: &str) -> usize {
    let mut escaped = false;
    let ends_text = |c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    };
    match first {
        '"' => json[1..].find(ends_text).map_or(json.len(), |at| at + 2),
        '-' | '0'..='9' => json.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(json.len()),
        other => other.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_without_values_is_json_and_keeps_all_else() {
        let hide =
            |text: &str| ["true", "1234", "s3cret", "a\"b"].iter().fold(text.to_owned(), |t, v| t.replace(v, "***"));
        for (response, shown) in [
            (r#"{"ok": true, "n": 1.50, "s": "true"}"#, r#"{"ok": true, "n": 1.50, "s": "***"}"#),
            (
                r#"[1234, -12345.0e1, {"s3cret": "x\\"}, "\"s3cret\\\""]"#,
                r#"["***", "-***5.0e1", {"***": "x\\"}, "\"***\\\""]"#,
            ),
            ("12345678900000000000", "\"***5678900000000000\""),
            ("45678901234567890", "\"4567890***567890\""),
            ("true", "true"),
            ("\"s3cret\"", "\"***\""),
            ("a s3cret, true", "a ***, ***"),
            ("", ""),
        ] {
            assert_eq!(hidden(response, hide), shown);
        }
    }
}
