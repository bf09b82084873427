//! What the configuration file may set. Anybody who opens a pull request can write this file.
//!
//! The row of each option says what a file may set. This module enforces it, for all verbs.

use std::fs;
use std::path::{Path, PathBuf};

use super::{
    layer::{Given, Layer, yes_or_no},
    options::{self, InFile, Kind, OPTIONS, Opt},
    paths::paths,
};
use crate::files::{self, Destination};
use crate::host::{Ci, Host};
use crate::place::{Place, Problem};
use crate::settings::Address;

/// What the configuration file may set.
pub(super) struct Trust {
    /// The folder of the checkout, as a real path.
    pub checkout: PathBuf,
    directory: PathBuf,
    trusted: bool,
}

impl Trust {
    /// The trust that flags and variables give to the file.
    pub(super) fn of(strongest: &Layer, host: &Host, ci: Ci) -> Self {
        let trusted = strongest.get("trust_config").and_then(Given::as_text).and_then(yes_or_no) == Some(true);
        let checkout = ci.checkout(host);
        Self { checkout: fs::canonicalize(&checkout).unwrap_or(checkout), directory: host.directory.clone(), trusted }
    }

    /// Whether a file, by its path from the working directory, is in the checkout.
    pub(super) fn holds(&self, file: &Path) -> bool {
        fs::canonicalize(self.directory.join(file)).is_ok_and(|real| real.starts_with(&self.checkout))
    }

    /// Whether a value at this place needs no check.
    pub(super) fn is_free(&self, place: &Place) -> bool {
        self.trusted || place.in_file().is_none()
    }

    /// Removes the options that the file may not set, with an error for each.
    pub(super) fn screen(&self, options: &mut Layer) -> Vec<Problem> {
        let mut problems = Vec::new();
        for option in OPTIONS {
            let Some(given) = options.get(option.name) else { continue };
            let objections = self.objections(option, given);
            if !objections.is_empty() {
                problems.extend(objections);
                options.remove(option.name);
            }
        }
        problems
    }

    /// The file that an option names for a result.
    pub(super) fn destination(&self, path: PathBuf, place: Option<&Place>) -> Destination {
        let within = place.filter(|place| !self.is_free(place)).map(|_| self.checkout.clone());
        Destination { path, within }
    }

    /// Why a file may not name this path in a member of an option; `None` if it may.
    pub(super) fn refusal(&self, option: &'static str, path: &str, place: &Place) -> Option<Problem> {
        let option = options::find(option)?;
        let message = self.objection(option, path).filter(|_| !self.is_free(place))?;
        let help = "if every change of the file is reviewed, `--trust_config` allows it";
        Some(Problem::new(message).of(option.name).at(place).help(help))
    }

    fn objections(&self, option: &Opt, given: &Given) -> Vec<Problem> {
        let mut written = Vec::new();
        match option.in_file {
            // The paths in a structure are checked where it is read.
            _ if matches!(option.kind, Kind::Structure(_)) => {}
            InFile::Anything => {}
            InFile::ThisMachine | InFile::Nothing | InFile::Never => written.push(("", &given.place)),
            InFile::Reads | InFile::Packs | InFile::Writes(_) => paths(option, given, &mut written),
        }
        if let (InFile::ThisMachine, Some(text)) = (option.in_file, given.as_text()) {
            written = vec![(text.trim(), &given.place)];
        }
        let objection = |(text, place): (&str, &Place)| {
            if place.in_file().is_none() || (self.trusted && option.in_file != InFile::Never) {
                return None;
            }
            let message = self.objection(option, text)?;
            let problem = Problem::new(message).of(option.name).at(place);
            Some(if option.in_file == InFile::Never {
                problem.help(format!(
                    "use `--{0}`, or set the variable `DPL_LAMBDA_{1}`",
                    option.name,
                    option.name.to_ascii_uppercase()
                ))
            } else {
                problem.help(format!(
                    "use `--{0}`, or set the variable `DPL_LAMBDA_{1}`; if every change of the file is reviewed, `--trust_config` allows it in the file",
                    option.name,
                    option.name.to_ascii_uppercase()
                ))
            })
        };
        written.into_iter().filter_map(objection).collect()
    }

    /// Why a file may not set an option to this text; `None` if it may.
    fn objection(&self, option: &Opt, text: &str) -> Option<String> {
        let path = self.directory.join(text);
        let is_inside = |path: &Path| path.starts_with(&self.checkout);
        let real = fs::canonicalize(&path);
        match option.in_file {
            InFile::Anything => None,
            InFile::ThisMachine => {
                let elsewhere = Address::parse(text).is_some_and(|address| !address.is_here());
                elsewhere.then(|| "sends credentials to another machine, which a file may not do".to_owned())
            }
            InFile::Nothing => Some("decides about credentials, which a file may not do".to_owned()),
            InFile::Never => Some("cannot be in the file that it is about".to_owned()),
            InFile::Reads => self.unreadable(&path, text),
            // For a link to another place, `symlinks` decides.
            InFile::Packs => {
                let inside = is_inside(&files::plain(&path)) || real.is_ok_and(|real| is_inside(&real));
                let message = "lies outside of the checkout, where a file may name only a `.zip` or `.jar`";
                (!inside && !crate::package::is_archive(&path)).then(|| format!("`{text}` {message}"))
            }
            InFile::Writes(ends) => {
                if let Err(outside) = files::inside(&path, &self.checkout) {
                    return Some(format!("`{text}` {outside}, and a file may not write there"));
                }
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
                let known = ends.iter().any(|end| name.ends_with(&format!(".{end}")));
                let ends: Vec<_> = ends.iter().map(|end| format!("`.{end}`")).collect();
                let message = || format!("`{text}` must end with {} if a file names it", ends.join(" or "));
                (!known).then(message)
            }
        }
    }
}

impl Trust {
    /// Whether a file that is written as `text` at this place may be read.
    pub(super) fn may_read(&self, path: &Path, text: &str, place: &Place) -> Result<(), Problem> {
        let objection = self.unreadable(&self.directory.join(path), text).filter(|_| !self.is_free(place));
        let help = "name a file of the checkout; if every change of the configuration is reviewed, `--trust_config` allows others";
        objection.map_or(Ok(()), |message| Err(Problem::new(message).at(place).help(help)))
    }

    /// Why a file may not name a path to read; `None` if it may. A missing file is another kind of error.
    fn unreadable(&self, path: &Path, text: &str) -> Option<String> {
        let is_inside = |path: &Path| path.starts_with(&self.checkout);
        let outside = fs::canonicalize(path).map_or_else(|_| !is_inside(&files::plain(path)), |real| !is_inside(&real));
        outside.then(|| format!("`{text}` lies outside of the checkout, where a file may not read"))
    }
}
