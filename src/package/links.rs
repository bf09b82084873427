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
    /// A folder that Lambda or the function's settings bring.
    Lambda,
    /// Any other place outside of the archive.
    Outside,
}

/// The folders that a package can see on Lambda beside its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    /// The paths at which the function mounts file systems.
    pub(super) mounts: &'a [String],
}

impl Places<'_> {
    /// Folders of every function: layers, the package, the runtime, and the one that can be written.
    const ALWAYS: [&'static str; 4] = ["/opt", "/var/task", "/var/runtime", "/tmp"];

    /// Whether a link leads to one of them. `link` is its name in the archive.
    ///
    /// A package is unpacked into the folder of functions or into that of layers; a relative target may start at either.
    pub(super) fn has(self, link: &str, target: &str) -> bool {
        let folder = link.rsplit_once('/').map_or("", |(folder, _)| folder);
        if target.starts_with('/') {
            return self.holds(&absolute(target));
        }
        ["/var/task", "/opt"].into_iter().any(|home| {
            let path = absolute(&format!("{home}/{folder}/{target}"));
            self.holds(&path) && !is_below(&path, home)
        })
    }

    fn holds(self, path: &str) -> bool {
        let mounts = self.mounts.iter().map(String::as_str);
        Self::ALWAYS.into_iter().chain(mounts).any(|place| is_below(path, place.trim_end_matches('/')))
    }
}

/// Whether an absolute path is that of a folder or of something in it.
fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// An absolute path without `.`, `..` and empty parts.
fn absolute(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Follows a link to its end. `look` returns the entry with a name.
pub(super) fn follow(link: &str, target: &str, places: Places<'_>, look: impl Fn(&str) -> Step) -> Ends {
    let folder = link.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut way: Vec<String> = folder.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect();
    let mut ahead: Vec<String> = Vec::new();
    let (mut followed, mut parts, mut ends) = (0, 0, Ends::Somewhere);
    let mut next = Some(target.to_owned());
    loop {
        if let Some(target) = next.take() {
            if target.starts_with('/') {
                let rest = ahead.iter().rev().fold(target, |path, part| format!("{path}/{part}"));
                return if places.has("", &rest) { Ends::Lambda } else { Ends::Outside };
            }
            ahead.extend(target.split('/').rev().map(str::to_owned));
        }
        let Some(part) = ahead.pop() else { return ends };
        parts += 1;
        if parts > MOST_PARTS || followed > MOST_LINKS {
            return Ends::Endless;
        }
        match part.as_str() {
            ".." if way.pop().is_none() => {
                let rest = ahead.iter().rev().fold("..".to_owned(), |path, part| format!("{path}/{part}"));
                return if places.has("", &rest) { Ends::Lambda } else { Ends::Outside };
            }
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
            "layer" => Step::Link("/opt/lib".to_owned()),
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
            ("a", "/opt/nodejs/node_modules", Ends::Lambda),
            ("a", "/opt", Ends::Lambda),
            ("a", "/opt/../etc/passwd", Ends::Outside),
            ("a", "/optional", Ends::Outside),
            ("a", "//var//task/./x", Ends::Lambda),
            ("a", "/mnt/data/x", Ends::Lambda),
            ("a", "/mnt/other", Ends::Outside),
            ("a", "../../opt/x", Ends::Lambda),
            ("lib/a", "../../../opt/x", Ends::Lambda),
            ("lib/a", "../../var/task/x", Ends::Lambda),
            ("a", "../../etc/passwd", Ends::Outside),
            ("a", "layer/x", Ends::Lambda),
            ("a", "layer/../../etc/passwd", Ends::Outside),
            ("a", "lib/up/../../opt/x", Ends::Lambda),
        ] {
            let places = Places { mounts: &["/mnt/data".to_owned()] };
            assert_eq!(follow(link, target, places, look), ends, "{link} -> {target}");
        }
    }
}
