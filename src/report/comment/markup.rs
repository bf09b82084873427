//! The Markdown of the services: how each hides a line, and shows a text that notifies nobody.

/// A kind of Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    /// With HTML: comments hide a text, and `<details>` collapses a table.
    Html,
    /// Without: shows HTML and entities as text, and knows fewer escapes
    /// (<https://support.atlassian.com/bitbucket-cloud/docs/markup-comments/>).
    Plain,
}

/// A character without width that connects two words, so that no name begins after an `@`.
const JOINER: &str = "@\u{2060}";

impl Markup {
    /// A line that is not shown. The text has no `--`, parenthesis or line break.
    pub(super) fn hidden(self, text: &str) -> String {
        match self {
            Self::Html => format!("<!-- {text} -->"),
            // The definition of a link that nothing uses. It ends at an empty line.
            Self::Plain => format!("[//]: # ({text})\n"),
        }
    }

    /// The text of such a line; `None` for any other line.
    pub(super) fn of_hidden(line: &str) -> Option<&str> {
        let forms = [("<!-- ", " -->"), ("[//]: # (", ")")];
        forms.iter().find_map(|(begin, end)| line.strip_prefix(begin)?.strip_suffix(end))
    }

    /// A text of the summary so that it notifies nobody: the services read `@` and `#` also after a backslash.
    pub(super) fn quiet(self, text: &str) -> String {
        match self {
            Self::Html => text.replace("\\@", "\\@<!-- -->").replace("\\#", "\\#<!-- -->"),
            Self::Plain => [("<sub>", ""), ("</sub>", ""), ("\\@", JOINER), ("\\~", "~")]
                .into_iter()
                // What an entity stands for is text here, and comes last.
                .chain([("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")])
                .fold(text.to_owned(), |text, (from, to)| text.replace(from, to)),
        }
    }

    /// Whether a table can be collapsed.
    pub(super) fn collapses(self) -> bool {
        self == Self::Html
    }
}
