//! Cuts secrets out of AWS' messages: AWS may quote the whole environment of a function, or secret members of a request.
//!
//! The search for known secrets cannot find values of a few characters, so the whole quotation goes.

/// The mark in place of a quotation.
const CUT: &str = "…";

/// Parts of the names of secret members, in small letters. AWS may quote the value of a member that it refuses.
const SENSITIVE: &[&str] = &[
    "authorization",
    "credential",
    "environment",
    "externalid",
    "password",
    "payload",
    "secret",
    "signature",
    "token",
    "variables",
    "zipfile",
];

/// The longest message that is shown, in bytes. AWS' messages have some hundred. Another server that answers for AWS may send
/// more than a log can hold.
const MOST: usize = 16 << 10;

/// A message of AWS without secret quotations.
pub(super) fn cut(said: &str) -> String {
    beginning(environment(&sources(&constraints(&measured(said)))))
}

/// The beginning of a message that is too long. It ends between words: a part of a secret would not be recognised.
fn beginning(said: String) -> String {
    if said.len() <= MOST {
        return said;
    }
    let begins = &said[..said.floor_char_boundary(MOST)];
    let words = begins.rfind(char::is_whitespace).map_or("", |end| begins[..end].trim_end());
    format!("{words} {CUT}")
}

/// Cuts `…exceeded the 4KB limit. String measured: {…}`: the rest of the message is the environment.
fn measured(said: &str) -> String {
    match find(said, "string measured:") {
        Some(at) => format!("{} {CUT}", &said[..at + "string measured:".len()]),
        None => said.to_owned(),
    }
}

/// Cuts `Value '{…}' at 'environment.variables' failed to satisfy constraint`. The value may contain quotes, and text in the
/// form of another member. So everything up to the last sensitive member goes.
fn constraints(said: &str) -> String {
    let sensitive = |(at, marker): &(usize, &str)| {
        let member = said[at + marker.len()..].split('\'').next().unwrap_or_default().to_ascii_lowercase();
        SENSITIVE.iter().any(|word| member.contains(word))
    };
    let begins = find(said, "value '").map(|at| at + "value '".len());
    let ends = said.match_indices("' at '").filter(sensitive).last();
    match (begins, ends) {
        (Some(begins), Some((ends, _))) if begins <= ends => format!("{}{CUT}{}", &said[..begins], &said[ends..]),
        _ => said.to_owned(),
    }
}

/// Cuts `[Source: (byte[])"{"FunctionName":…`: a JSON parser quotes the beginning of the request.
fn sources(said: &str) -> String {
    let Some(at) = find(said, "[source:") else { return said.to_owned() };
    let begins = at + "[source:".len();
    let rest = said[begins..].rfind("; line:").map_or("", |end| &said[begins + end..]);
    format!("{} {CUT}{rest}", &said[..begins])
}

/// Cuts any map in a message about an environment. A map that AWS cut off has no end.
fn environment(said: &str) -> String {
    if find(said, "environment").is_none() {
        return said.to_owned();
    }
    let Some(begins) = said.find('{') else { return said.to_owned() };
    let ends = said.rfind('}').filter(|ends| *ends > begins);
    let inside = &said[begins + 1..ends.unwrap_or(said.len())];
    if !inside.contains(['=', ':']) {
        return said.to_owned();
    }
    format!("{}{{{CUT}{}", &said[..begins], ends.map_or("", |ends| &said[ends..]))
}

/// The place of a part in a text, in any case; `part` is in small letters.
fn find(text: &str, part: &str) -> Option<usize> {
    text.as_bytes().windows(part.len()).position(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_of_an_environment_are_cut() {
        for (said, shown) in [
            (
                "you have provided exceeded the 4KB limit. String measured: {\"A\":\"1\",\"PIN\":\"xy\"}",
                "you have provided exceeded the 4KB limit. String measured: …",
            ),
            ("string Measured:x", "string Measured: …"),
            (
                "1 validation error detected: Value '{A=1, B='}' at 'timeout' failed}' at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
                "1 validation error detected: Value '…' at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
            ),
            (
                "2 validation errors detected: Value 'xy' at 'environment.variables.PIN.member' failed; Value '0' at 'memorySize' failed",
                "2 validation errors detected: Value '…' at 'environment.variables.PIN.member' failed; Value '0' at 'memorySize' failed",
            ),
            ("Value 'eyJ' at 'webIdentityToken' failed", "Value '…' at 'webIdentityToken' failed"),
            (
                "Could not parse request body into json: Unexpected end-of-input: at [Source: (byte[])\"{\"Environment\":{\"PIN\":\"xy\"; line: 1, column: 2]\"}}}\"; line: 1, column: 301]",
                "Could not parse request body into json: Unexpected end-of-input: at [Source: …; line: 1, column: 301]",
            ),
            ("the environment {PIN=xy, A=1} is too large", "the environment {…} is too large"),
            ("Environment variables: {\"PIN\":\"x", "Environment variables: {…"),
        ] {
            assert_eq!(cut(said), shown);
        }
    }

    #[test]
    fn a_message_without_end_is_cut_between_words() {
        for (said, most) in [("é word ".repeat(1 << 20), MOST + 5), ("secret".repeat(1 << 20), 5)] {
            let shown = cut(&said);
            assert!(shown.len() <= most && (shown.ends_with("word …") || shown.ends_with("é …") || shown == " …"));
        }
        assert_eq!(cut(&"x".repeat(MOST)).len(), MOST);
    }

    #[test]
    fn other_messages_stay_as_they_are() {
        for said in [
            "",
            "é",
            "User: arn:aws:sts::1:x is not authorized to perform: lambda:GetFunction on resource: y",
            "1 validation error detected: Value '64' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128",
            "environment variables that are reserved: AWS_REGION; see {the manual}",
            "policy {\"Version\": \"2012\"} is malformed",
        ] {
            assert_eq!(cut(said), said);
        }
    }
}
