//! Tables that are made from the source, or held against it.

use dpl_lambda::internals::options::{Clear, Group, Kind, OPTIONS};
use dpl_lambda::internals::package::inspect::Rule;

use super::{Page, must_be};

/// The table of options as Markdown.
fn options() -> String {
    let mut out = String::new();
    for group in Group::ALL {
        out += &format!("\n## {}\n\n| option | example | meaning |\n| --- | --- | --- |\n", group.heading());
        for option in OPTIONS.iter().filter(|option| option.group == group) {
            let aliases: Vec<_> = option.aliases.iter().map(|alias| format!("`{alias}`")).collect();
            let also = if aliases.is_empty() { String::new() } else { format!(" Also {}.", aliases.join(", ")) };
            let clear = if option.clear == Clear::Yes { " Emptied by `clear`." } else { "" };
            let example = if matches!(option.kind, Kind::Flag) { "true".to_owned() } else { option.example.to_owned() };
            out +=
                &format!("| `{}` | `{example}` | {}{also}{clear} |\n", option.name, option.meaning.replace('|', "\\|"));
        }
    }
    out + "\n"
}

#[test]
fn the_table_of_options_is_complete() {
    const BEGIN: &str = "<!-- options -->\n";
    const END: &str = "<!-- end of options -->\n";
    let page = Page::at("docs/options.md");
    let (_, rest) = page.text.split_once(BEGIN).unwrap();
    let (shown, _) = rest.split_once(END).unwrap();
    must_be(&page.path, &format!("{BEGIN}{shown}{END}"), &format!("{BEGIN}{}{END}", options()));
}

#[test]
fn the_table_of_rules_is_complete() {
    let page = Page::at("docs/package.md");
    for rule in Rule::ALL {
        let row = format!("| `{}` | ", rule.name());
        assert!(page.text.contains(&row), "{} has no row for {}", page.path.display(), rule.name());
    }
}
