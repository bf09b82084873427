//! `TeamCity`: service messages on standard output
//! (<https://www.jetbrains.com/help/teamcity/service-messages.html>).

use std::time::Duration;

use crate::event::Stage;
use crate::place::Problem;
use crate::report::checkout::{Checkout, Spot};
use crate::report::delivery::Delivery;
use crate::report::dialect::{self, Ending, Level, Output};
use crate::report::{sanitise, variables};

/// The longest description of a problem.
const MOST_DESCRIPTION: usize = 4000;

pub(super) struct Voice {
    checkout: Checkout,
    open: &'static str,
    has_type: bool,
}

impl Voice {
    pub(super) fn new(checkout: Checkout) -> Self {
        Self { checkout, open: "", has_type: false }
    }
}

pub(super) struct Board;

/// Escapes a value. Also escapes every character that is not ASCII, because the encoding of the log is unknown.
pub(in crate::report) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\'' | '[' | ']' => out.extend(['|', c]),
            '\n' => out.push_str("|n"),
            '\r' => out.push_str("|r"),
            c if c.is_ascii() => out.push(c),
            c => {
                let mut units = [0; 2];
                out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("|0x{unit:04X}")));
            }
        }
    }
    out
}

/// A service message with its attributes.
fn message(name: &str, values: &[(&str, &str)]) -> String {
    let values: Vec<_> = values.iter().map(|(key, value)| format!("{key}='{}'", escaped(value))).collect();
    format!("##teamcity[{name} {}]", values.join(" "))
}

impl dialect::Voice for Voice {
    fn open(&mut self, stage: Stage, _: Duration) -> Option<String> {
        self.open = stage.title();
        stage.is_long().then(|| message("blockOpened", &[("name", self.open)]))
    }

    fn close(&mut self, _: Duration) -> Option<String> {
        Some(message("blockClosed", &[("name", self.open)]))
    }

    fn most_annotations(&self) -> usize {
        usize::MAX
    }

    /// A message in the log, and an inspection if the problem has a file.
    fn annotate(&mut self, level: Level, problem: &Problem) -> Option<String> {
        let (status, severity) = match level {
            Level::Error => ("ERROR", "ERROR"),
            Level::Warning => ("WARNING", "WARNING"),
            Level::Notice => ("NORMAL", "INFO"),
        };
        let text = sanitise::inert(&problem.to_string());
        let help = problem.help.as_deref().map(sanitise::inert).unwrap_or_default();
        let mut lines = Vec::new();
        if level == Level::Error && !help.is_empty() {
            lines.push(message("message", &[("text", &text), ("status", status), ("errorDetails", &help)]));
        } else {
            let text = if help.is_empty() { text } else { format!("{text}\nhelp: {help}") };
            lines.push(message("message", &[("text", &text), ("status", status)]));
        }
        if let Some(Spot { file, at }) = self.checkout.spot(problem) {
            if !std::mem::replace(&mut self.has_type, true) {
                let about = [("id", "dpl-lambda"), ("name", "dpl-lambda"), ("category", "Deployment")];
                lines.push(message(
                    "inspectionType",
                    &[&about[..], &[("description", "Mistakes in a deployment")]].concat(),
                ));
            }
            let text = sanitise::cut(&dialect::annotation_text(problem), MOST_DESCRIPTION);
            let line = at.map_or(1, |(line, _)| line).to_string();
            let values = [
                ("typeId", "dpl-lambda"),
                ("message", &text),
                ("file", &file),
                ("line", &line),
                ("SEVERITY", severity),
            ];
            lines.push(message("inspection", &values));
        }
        Some(lines.join("\n"))
    }

    /// The status in the list of builds. A `buildProblem` fails the build, so it is sent once and only if the run fails.
    fn end(&mut self, ending: Ending<'_>) -> Option<String> {
        match ending {
            Ok("") => None,
            Ok(done) => {
                let text = format!("{{build.status.text}}; {}", sanitise::one_line(done));
                Some(message("buildStatus", &[("text", &text)]))
            }
            Err(why) => {
                let why = sanitise::cut(&sanitise::one_line(why), MOST_DESCRIPTION);
                Some(message("buildProblem", &[("description", &why), ("identity", "dpl_lambda")]))
            }
        }
    }
}

impl dialect::Board for Board {
    fn outputs(&self, outputs: &[Output]) -> Vec<Delivery> {
        let set = |(name, value): &Output| {
            message("setParameter", &[("name", &format!("env.{}", variables::name(name))), ("value", value)])
        };
        vec![Delivery::Command(variables::fitting(outputs).map(set).collect::<Vec<_>>().join("\n"))]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::dialect::Voice as _;
    use super::*;
    use crate::host::{Ci, Host};
    use crate::place::Place;
    use crate::report::oracles;

    fn teamcity() -> Voice {
        Voice::new(Checkout::of(Ci::TeamCity, &Host::default()))
    }

    #[test]
    fn escaping_follows_the_manual() {
        for (text, expected) in [
            ("a%b", "a%b"),
            ("100%\nok", "100%|nok"),
            ("a;b]c[d|e'f", "a;b|]c|[d||e|'f"),
            ("é", "|0x00E9"),
            ("\u{2028}", "|0x2028"),
            ("😀", "|0xD83D|0xDE00"),
            ("1\r\n2", "1|r|n2"),
        ] {
            assert_eq!(escaped(text), expected);
        }
        let line = message("message", &[("text", "it's [x]\n2"), ("status", "ERROR")]);
        assert_eq!(line, "##teamcity[message text='it|'s |[x|]|n2' status='ERROR']");
    }

    #[test]
    fn problems_with_a_file_are_inspections_too() {
        let mut teamcity = teamcity();
        let problem = Problem::new("x").of("timeout").at(&Place::file(&"dpl.yml".into(), 3, 4)).help("y");
        let log = teamcity.annotate(Level::Error, &problem).unwrap();
        let lines: Vec<_> = log.lines().map(|line| oracles::teamcity(line).unwrap()).collect();
        let names: Vec<_> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["message", "inspectionType", "inspection"]);
        assert_eq!(lines[0].properties["text"], "timeout: x (dpl.yml:3:4)");
        assert_eq!(lines[0].properties["errorDetails"], "y");
        assert_eq!((lines[2].properties["file"].as_str(), lines[2].properties["line"].as_str()), ("dpl.yml", "3"));
        let log = teamcity.annotate(Level::Warning, &problem).unwrap();
        assert_eq!(log.lines().count(), 2, "the type is sent once");
    }

    proptest! {
        #[test]
        fn values_are_read_as_they_were_meant(value in "[ -~\r\n|'\\[\\]é😀]{0,60}") {
            let line = message("setParameter", &[("name", "env.X"), ("value", &value)]);
            prop_assert!(!line.contains(['\n', '\r']));
            let read = oracles::teamcity(&line).unwrap();
            prop_assert_eq!(read.name, "setParameter");
            prop_assert_eq!(&read.properties["value"], &value);
        }
    }
}
