//! Draws what a terminal shows, as an SVG: the commands, and what they print in its colours.

const FONT: usize = 14;
const LINE: usize = 20;
const MARGIN: usize = 16;
const TITLE: usize = 36;
/// Where a line goes on in the next, as in a terminal.
const COLUMNS: usize = 100;

/// A picture of commands and of what each printed.
pub fn of(shown: &[(&str, String)]) -> String {
    let mut lines = Vec::new();
    for (command, printed) in shown {
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        lines.push(spans(&format!("\u{1b}[1m$ {command}\u{1b}[0m")));
        lines.extend(printed.trim_end().lines().flat_map(|line| wrapped(spans(line))));
    }
    let width = 2 * MARGIN + COLUMNS * FONT * 61 / 100;
    let height = TITLE + lines.len() * LINE + MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1c2128\"/>\n"
    );
    for (index, colour) in ["#f47067", "#daaa3f", "#57ab5a"].iter().enumerate() {
        svg += &format!("<circle cx=\"{}\" cy=\"18\" r=\"6\" fill=\"{colour}\"/>\n", MARGIN + 6 + index * 20);
    }
    svg += &format!(
        "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
         font-size=\"{FONT}\" fill=\"#adbac7\">\n"
    );
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        svg += &format!("<text x=\"{MARGIN}\" y=\"{}\">", TITLE + FONT + index * LINE);
        for (style, text) in line {
            svg += &format!("<tspan{}>{}</tspan>", attributes(style), escaped(text));
        }
        svg += "</text>\n";
    }
    svg + "</g>\n</svg>\n"
}

/// A part of a line: the codes of its style, and its text.
type Span = (String, String);

/// A line as a terminal shows it: in as many as it needs.
fn wrapped(line: Vec<Span>) -> Vec<Vec<Span>> {
    let mut lines = vec![Vec::<Span>::new()];
    let mut column = 0;
    for (style, text) in line {
        for c in text.chars() {
            if column == COLUMNS {
                lines.push(Vec::new());
                column = 0;
            }
            column += 1;
            let last = lines.last_mut().unwrap();
            match last.last_mut() {
                Some((same, text)) if *same == style => text.push(c),
                _ => last.push((style.clone(), c.to_string())),
            }
        }
    }
    lines
}

/// The parts of a line.
fn spans(line: &str) -> Vec<Span> {
    let mut parts = line.split("\u{1b}[");
    let mut found = vec![(String::new(), parts.next().unwrap_or_default().to_owned())];
    for part in parts {
        let (style, text) = part.split_once('m').unwrap_or_else(|| panic!("no colour: {part}"));
        found.push((style.to_owned(), text.to_owned()));
    }
    found.retain(|(_, text)| !text.is_empty());
    found
}

/// What a style is in SVG. A code that the program does not use yet is a fault of this table.
fn attributes(style: &str) -> String {
    let of = |code: &str| match code {
        "" | "0" => "",
        "1" => " font-weight=\"bold\"",
        "2" => " opacity=\"0.6\"",
        "31" => " fill=\"#f47067\"",
        "32" => " fill=\"#57ab5a\"",
        "33" => " fill=\"#daaa3f\"",
        "36" => " fill=\"#39c5cf\"",
        other => panic!("no colour for {other}"),
    };
    style.split(';').map(of).collect()
}

/// Blanks are hard ones: browsers would join them.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(' ', "\u{a0}")
}
