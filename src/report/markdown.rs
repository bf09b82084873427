//! Markdown as GitHub has it, of texts that may hold some themselves.

use super::sanitise;

/// Escapes a text for a table's cell or a paragraph, so that it has no Markdown or HTML.
pub(super) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitise::one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' | '!' | '@' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// A paragraph of its own.
pub(super) fn paragraph(message: &str) -> String {
    format!("{}\n\n", text(message))
}

/// A collapsed part of a page.
pub(super) fn folded(title: &str, body: &str) -> String {
    let title = sanitise::one_line(title).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<details><summary>{title}</summary>\n\n{body}\n\n</details>\n\n")
}

/// A link, or only its text if the URL cannot be used in a link.
pub(super) fn link(label: &str, url: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '(' | ')' | '<' | '>' | '\\' | '"' | '`');
    if url.starts_with("https://") && url.chars().all(plain) {
        format!("[{}]({url})", text(label))
    } else {
        text(label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_no_markup_or_html() {
        let hostile = "<img src=x> | [a](javascript:b) `c` **d** @team";
        assert_eq!(text(hostile), r"&lt;img src=x&gt; \| \[a\](javascript:b) \`c\` \*\*d\*\* \@team");
        assert_eq!(text("a\nb"), "a b");
    }
}
