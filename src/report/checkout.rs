//! Paths of files from the root of the checkout, which CIs need for annotations.

use std::path::{Path, PathBuf};

use super::sanitise;
use crate::host::{Ci, Host};
use crate::place::{Place, Problem};

/// The root of the checkout, and the working directory in it.
pub(super) struct Checkout {
    root: PathBuf,
    /// The working directory, relative to the root.
    inside: String,
}

/// The place that an annotation points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// The path from the root of the checkout, on one line.
    pub file: String,
    /// Line and column, from 1; absent: the whole file.
    pub at: Option<(u32, u32)>,
}

impl Checkout {
    /// The checkout that the CI reports. Without one, its root is the working directory.
    pub(super) fn of(ci: Ci, host: &Host) -> Self {
        let root = ci.folder(host).unwrap_or_else(|| host.directory.clone());
        let inside = host.directory.strip_prefix(&root).ok();
        Self { inside: inside.map(slashed).unwrap_or_default(), root }
    }

    /// The place of a problem: the file that it is about, else the place of the value.
    pub(super) fn spot(&self, problem: &Problem) -> Option<Spot> {
        if let Some(file) = &problem.file {
            return Some(Spot { file: self.file(file), at: None });
        }
        let place = problem.place.as_ref().and_then(Place::in_file)?;
        Some(Spot { file: self.file(&place.path), at: Some((place.line, place.column)) })
    }

    fn file(&self, path: &str) -> String {
        let absolute = path.starts_with('/');
        let below = Path::new(path).strip_prefix(&self.root).ok().map(slashed);
        if absolute && below.is_none() {
            return sanitise::one_line(path);
        }
        let inside = if absolute { "" } else { &self.inside };
        let mut parts: Vec<_> = inside.split('/').filter(|part| !part.is_empty()).collect();
        for part in below.as_deref().unwrap_or(path).split('/') {
            match part {
                "." | "" => {}
                ".." if parts.last().is_some_and(|part| *part != "..") => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        sanitise::one_line(&parts.join("/"))
    }
}

fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_at_the_root_of_the_checkout() {
        let mut host = Host::of_process();
        host.variables = [("CI_PROJECT_DIR".to_owned(), "/builds/o/r".to_owned())].into();
        host.directory = "/builds/o/r/api".into();
        let checkout = Checkout::of(Ci::GitLab, &host);
        for (path, expected) in [
            ("dpl.yml", "api/dpl.yml"),
            ("./a//b", "api/a/b"),
            ("../dpl.yml", "dpl.yml"),
            ("../../x", "../x"),
            ("/builds/o/r/api/dpl.yml", "api/dpl.yml"),
            ("/etc/dpl.yml", "/etc/dpl.yml"),
            ("a\nb", "api/a b"),
        ] {
            assert_eq!(checkout.file(path), expected, "{path}");
        }
        let elsewhere = Checkout::of(Ci::CircleCi, &host);
        assert_eq!(
            (elsewhere.file("a.yml"), elsewhere.file("/builds/o/r/api/b")),
            ("a.yml".to_owned(), "b".to_owned())
        );
    }

    #[test]
    fn a_problem_with_a_file_is_about_the_file() {
        let checkout = Checkout { root: PathBuf::new(), inside: String::new() };
        let problem = Problem::new("x").at(&Place::file(&"dpl.yml".into(), 3, 4));
        assert_eq!(checkout.spot(&problem), Some(Spot { file: "dpl.yml".to_owned(), at: Some((3, 4)) }));
        let problem = Problem { file: Some("dist/.env".to_owned()), ..problem };
        assert_eq!(checkout.spot(&problem), Some(Spot { file: "dist/.env".to_owned(), at: None }));
        assert_eq!(checkout.spot(&Problem::new("x").at(&Place::Flag("--x".to_owned()))), None);
    }
}
