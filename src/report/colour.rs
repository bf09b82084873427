//! Colours of the log. A colour never carries information that the text lacks.

use crate::host::{Ci, Host};

/// The option `color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Colour {
    /// On terminals, and in CIs that show colours.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colour {
    /// Whether to colour a stream. Reads the usual variables, and knows which CIs show colours.
    ///
    /// <https://no-color.org>, <https://force-color.org>, <https://bixense.com/clicolors>
    pub(super) fn for_stream(self, host: &Host, ci: Ci, is_terminal: bool) -> bool {
        let on = |name: &str| host.variable(name).map(|value| !matches!(value, "0" | "false"));
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if host.variable("NO_COLOR").is_some() => false,
            Self::Auto => match (on("FORCE_COLOR"), on("CLICOLOR_FORCE"), on("CLICOLOR")) {
                (Some(forced), _, _) => forced,
                (None, Some(true), _) => true,
                (None, _, Some(false)) => false,
                _ if host.variable("TERM") == Some("dumb") => false,
                _ => renders(ci) || (is_terminal && host.variable("TERM").is_some()),
            },
        }
    }
}

/// Whether the log of a CI shows colours. Jenkins needs a plugin for that, so it is not one of them.
fn renders(ci: Ci) -> bool {
    !matches!(ci, Ci::Jenkins | Ci::AppVeyor | Ci::CodeBuild | Ci::Generic | Ci::None)
}

/// Colours a line by its beginning. Each line resets its colour, because some logs reset it at the end of a line.
pub(super) fn paint(line: &str) -> String {
    const BEGINNINGS: &[(&str, &str)] = &[
        ("error:", "1;31"),
        ("warning:", "33"),
        ("help:", "36"),
        ("    help:", "36"),
        ("  + ", "32"),
        ("  ~ ", "33"),
        ("  - ", "31"),
        ("  = ", "2"),
        ("Deployed ", "1;32"),
        ("failed  ", "1;31"),
        ("not begun  ", "33"),
        ("held  ", "33"),
    ];
    match BEGINNINGS.iter().find(|(beginning, _)| line.starts_with(beginning)) {
        Some((_, colour)) => format!("\u{1b}[{colour}m{line}\u{1b}[0m"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_beat_variables_and_variables_beat_terminals() {
        let terminal = ("TERM", "xterm");
        for (colour, variables, ci, is_terminal, expected) in [
            (Colour::Auto, &[terminal][..], Ci::None, true, true),
            (Colour::Auto, &[terminal], Ci::None, false, false),
            (Colour::Auto, &[], Ci::None, true, false),
            (Colour::Auto, &[("TERM", "dumb")], Ci::None, true, false),
            (Colour::Auto, &[], Ci::GitHub, false, true),
            (Colour::Auto, &[], Ci::Jenkins, false, false),
            (Colour::Auto, &[("NO_COLOR", "1")], Ci::GitHub, true, false),
            (Colour::Auto, &[("NO_COLOR", "")], Ci::GitHub, false, true),
            (Colour::Auto, &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], Ci::None, true, false),
            (Colour::Auto, &[("FORCE_COLOR", "1")], Ci::None, false, true),
            (Colour::Auto, &[("FORCE_COLOR", "0"), terminal], Ci::None, true, false),
            (Colour::Auto, &[("CLICOLOR_FORCE", "1")], Ci::None, false, true),
            (Colour::Auto, &[("CLICOLOR_FORCE", "0"), terminal], Ci::None, true, true),
            (Colour::Auto, &[("CLICOLOR", "0"), terminal], Ci::None, true, false),
            (Colour::Always, &[("NO_COLOR", "1")], Ci::None, false, true),
            (Colour::Never, &[("FORCE_COLOR", "1")], Ci::GitHub, true, false),
        ] {
            let found = colour.for_stream(&Host::with_variables(variables), ci, is_terminal);
            assert_eq!(found, expected, "{colour:?} {variables:?} {ci:?} {is_terminal}");
        }
    }

    #[test]
    fn colour_is_closed_on_its_line_and_changes_no_text() {
        assert_eq!(paint("error: no"), "\u{1b}[1;31merror: no\u{1b}[0m");
        assert_eq!(paint("plan for `f`"), "plan for `f`");
    }
}
