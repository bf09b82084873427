//! What each page must have: one title, a contents, headings that differ, links that lead somewhere, lines that fit.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{Page, manual, marks::prose, must_be};

/// What is written for people and is no page of the manual.
const BESIDE: [&str; 3] = ["CHANGELOG.md", ".github/CONTRIBUTING.md", "tests/README.md"];

const MOST_LINES: usize = 350;
const LONGEST_LINE: usize = 120;

/// Level and text of each heading.
fn headings(text: &str) -> Vec<(usize, &str)> {
    let heading = |(_, line)| {
        let text = str::trim_start_matches(line, '#');
        let level = line.len() - text.len();
        (level > 0 && text.starts_with(' ')).then(|| (level, text.trim()))
    };
    prose(text).into_iter().filter_map(heading).collect()
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// What the links of a page lead to.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, line) in prose(text) {
        for rest in line.split("](").skip(1) {
            found.push(rest.split(')').next().unwrap().to_owned());
        }
    }
    found
}

#[test]
fn the_readme_can_be_read_in_one_go() {
    let lines = Page::at("README.md").text.lines().count();
    assert!(lines <= MOST_LINES, "README.md has {lines} lines; the manual is in docs/");
}

#[test]
fn every_page_has_one_title_and_no_heading_twice() {
    for page in manual() {
        let place = page.path.display();
        let headings = headings(&page.text);
        assert_eq!(headings.iter().filter(|(level, _)| *level == 1).count(), 1, "{place}: titles");
        let mut seen = BTreeSet::new();
        for (_, heading) in headings {
            assert!(seen.insert(anchor(heading)), "{place}: `{heading}` stands twice");
        }
    }
}

#[test]
fn every_page_of_docs_begins_with_its_contents() {
    const BEGIN: &str = "<!-- contents -->\n";
    const END: &str = "<!-- end of contents -->\n";
    for page in manual().iter().filter(|page| page.path.starts_with("docs")) {
        let place = page.path.display();
        let (_, rest) = page.text.split_once(BEGIN).unwrap_or_else(|| panic!("{place} has no `{BEGIN}`"));
        let (shown, _) = rest.split_once(END).unwrap_or_else(|| panic!("{place} has no `{END}`"));
        let wanted: String = headings(&page.text)
            .iter()
            .filter(|(level, _)| matches!(level, 2 | 3))
            .map(|(level, heading)| format!("{}- [{heading}](#{})\n", "  ".repeat(level - 2), anchor(heading)))
            .collect();
        must_be(&page.path, &format!("{BEGIN}{shown}{END}"), &format!("{BEGIN}{wanted}{END}"));
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut dead = Vec::new();
    for page in manual().into_iter().chain(BESIDE.map(Page::at)) {
        for link in links(&page.text).iter().filter(|link| !link.contains("://")) {
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(file) };
            let there = target.exists()
                && (place.is_empty()
                    || headings(&Page::at(&target).text).iter().any(|(_, heading)| anchor(heading) == place));
            if !there {
                dead.push(format!("{}: {link}", page.path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "\n{}", dead.join("\n"));
}

#[test]
fn the_index_names_every_page_and_the_readme_every_example() {
    let index = links(&Page::at("docs/README.md").text);
    for page in manual().iter().filter(|page| page.path.starts_with("docs") && !page.path.ends_with("README.md")) {
        let name = page.path.strip_prefix("docs").unwrap().to_string_lossy();
        assert!(index.iter().any(|link| *link == name), "docs/README.md does not lead to {name}");
    }
    let readme = links(&Page::at("README.md").text);
    for example in fs::read_dir("examples").unwrap().map(|entry| entry.unwrap().path()) {
        assert!(
            readme.iter().any(|link| Path::new(link) == example),
            "README.md does not lead to {}",
            example.display()
        );
    }
}

#[test]
fn lines_fit_on_a_screen() {
    let mut long = Vec::new();
    for page in manual() {
        for (number, line) in prose(&page.text) {
            if !line.starts_with('|') && line.chars().count() > LONGEST_LINE {
                long.push(format!("{}:{number}: {}", page.path.display(), line.chars().count()));
            }
        }
    }
    assert!(long.is_empty(), "\n{}", long.join("\n"));
}

#[test]
fn the_source_leads_to_pages_that_are_there() {
    let mut files = vec![PathBuf::from("action.yml")];
    sources(Path::new("src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let apart = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '/' | '.'));
        for word in text.split(apart).map(|word| word.trim_end_matches('.')) {
            let page = Path::new(word);
            if page.starts_with("docs") && page.extension().is_some_and(|extension| extension == "md") {
                assert!(page.exists(), "{}: {word} is not there", file.display());
            }
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { sources(&path, found) } else { found.push(path) }
    }
}
