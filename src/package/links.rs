//! Follows links between the entries of an archive, as they will be after unpacking.

/// The most links that lead to each other; Linux has the same limit.
const MOST_LINKS: usize = 40;

/// The most parts of a path, with those of all links.
const MOST_PARTS: usize = 1000;

/// The entry with a name.
pub(super) enum Step {
    /// A link, with its target.
    Link(String),
    /// A file.
    File,
    /// A folder.
    Folder,
    /// There is none.
    Nothing,
}

/// The end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// A file or a folder.
    Somewhere,
    /// A name without an entry.
    Nowhere,
    /// None: the links lead in a circle, or there are too many of them.
    Endless,
    /// A place outside of the archive.
    Outside,
}

/// Follows a link to its end. `look` returns the entry with a name.
pub(super) fn follow(link: &str, target: &str, look: impl Fn(&str) -> Step) -> Ends {
    let folder = link.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut way: Vec<String> = folder.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect();
    let mut ahead: Vec<String> = Vec::new();
    let (mut followed, mut parts, mut ends) = (0, 0, Ends::Somewhere);
    let mut next = Some(target.to_owned());
    loop {
        if let Some(target) = next.take() {
            if target.starts_with('/') {
                return Ends::Outside;
            }
            ahead.extend(target.split('/').rev().map(str::to_owned));
        }
        let Some(part) = ahead.pop() else { return ends };
        parts += 1;
        if parts > MOST_PARTS || followed > MOST_LINKS {
            return Ends::Endless;
        }
        match part.as_str() {
            ".." if way.pop().is_none() => return Ends::Outside,
            "" | "." | ".." => continue,
            _ => way.push(part),
        }
        match look(&way.join("/")) {
            Step::Link(target) => {
                followed += 1;
                way.pop();
                next = Some(target);
            }
            Step::File if ahead.is_empty() => {}
            Step::Folder => {}
            // The rest of the path counts too: it may lead out when an entry appears here.
            Step::File | Step::Nothing => ends = Ends::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_out_is_seen() {
        let look = |name: &str| match name {
            "lib" | "lib/deep" => Step::Folder,
            "lib/file" | "file" => Step::File,
            "up" => Step::Link(".".to_owned()),
            "lib/up" => Step::Link("..".to_owned()),
            "circle" => Step::Link("circle".to_owned()),
            "out" => Step::Link("/etc".to_owned()),
            _ => Step::Nothing,
        };
        for (link, target, ends) in [
            ("a", "file", Ends::Somewhere),
            ("a", "lib/deep", Ends::Somewhere),
            ("lib/a", "../file", Ends::Somewhere),
            ("lib/a", "./up/lib/file", Ends::Somewhere),
            ("a", ".", Ends::Somewhere),
            ("a", "nothing", Ends::Nowhere),
            ("a", "file/below", Ends::Nowhere),
            ("a", "circle", Ends::Endless),
            ("a", "/etc/passwd", Ends::Outside),
            ("a", "..", Ends::Outside),
            ("lib/a", "../../x", Ends::Outside),
            ("a", "up/../x", Ends::Outside),
            ("a", "lib/up/../x", Ends::Outside),
            ("a", "out/passwd", Ends::Outside),
            ("a", "nothing/../../x", Ends::Outside),
            ("a", "file/../../x", Ends::Outside),
        ] {
            assert_eq!(follow(link, target, look), ends, "{link} -> {target}");
        }
    }
}
