//! The page of the step summary: its parts in order, within the largest size, and its end.

use super::markdown::{folded, link, paragraph, text};
use super::overview::Overview;
use super::plan::count;
use crate::host::Build;

/// A part of the page.
pub(super) enum Part {
    /// A line about the run.
    Line(String),
    /// A line about something that did not change. With several functions, only their number is shown.
    Unchanged(String),
    /// A part that is always visible.
    Open(String),
    /// A part with a title, which is collapsed if there are several.
    Fold {
        /// The title, as plain text.
        title: String,
        /// The rest, in Markdown.
        body: String,
    },
}

/// The longest page about several functions, in bytes. GitHub and Buildkite take four times as much for all runs of a step.
const MOST_PAGE: usize = 256 << 10;

/// The page of a run: all parts, or for several functions first the result of each.
pub(super) fn page(parts: &[Part], overview: &Overview, footer: &str) -> String {
    let Some(line) = overview.line() else {
        let whole = |part: &Part| match part {
            Part::Line(text) | Part::Unchanged(text) | Part::Open(text) => text.clone(),
            Part::Fold { title, body } => format!("### {}\n\n{body}\n\n", text(title)),
        };
        let page: String = parts.iter().map(whole).collect();
        return if page.is_empty() { page } else { page + footer };
    };
    let mut page = Page { text: String::new(), left_out: 0 };
    for part in parts {
        page.add(if let Part::Line(line) = part { line } else { "" });
    }
    page.add_table(&overview.markdown());
    page.add(&paragraph(&format!("{line}.")));
    for part in parts {
        page.add(if let Part::Open(text) = part { text } else { "" });
    }
    for part in parts {
        page.add(&if let Part::Fold { title, body } = part { folded(title, body) } else { String::new() });
    }
    let unchanged: Vec<_> = overview.unchanged().iter().map(|name| text(name)).collect();
    if !unchanged.is_empty() {
        page.add(&folded(&format!("{} unchanged", unchanged.len()), &unchanged.join(", ")));
    }
    let Page { text, left_out } = page;
    let more = (left_out > 0).then(|| format!("… {} in the log of the run.\n\n", count(left_out, "more part")));
    text + &more.unwrap_or_default() + footer
}

/// A page that takes as much as it has room for.
struct Page {
    text: String,
    /// The number of parts that it has no room for.
    left_out: usize,
}

impl Page {
    fn fits(&self, more: usize) -> bool {
        self.text.len() + more <= MOST_PAGE
    }

    fn add(&mut self, part: &str) {
        if self.fits(part.len()) { self.text.push_str(part) } else { self.left_out += 1 }
    }

    /// Adds a table, or as many of its rows as there is room for.
    fn add_table(&mut self, lines: &[String]) {
        for line in lines {
            if self.fits(line.len() + 1) { self.text.extend([line, "\n"]) } else { self.left_out += 1 }
        }
        self.text.push('\n');
    }
}

/// The end of the summary: the commit and the run.
pub(super) fn footer(build: &Build) -> String {
    let commit = build.commit.as_ref().map(|commit| {
        let short: String = commit.chars().take(12).collect();
        format!("commit {}", text(&short))
    });
    let run = build.url.as_ref().map(|url| {
        let number = build.number.as_ref().map(|number| format!(" {number}")).unwrap_or_default();
        link(&format!("run{number}"), url)
    });
    let parts: Vec<_> = [commit, run].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("<sub>{}</sub>\n", parts.join(" · ")) }
}
