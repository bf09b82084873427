//! Whom a layer may trust: a file of the checkout may be the work of whoever wrote a pull request.
//!
//! What each option's row lets a file say is kept here, for every verb alike.

use std::fs;
use std::path::{Path, PathBuf};

use super::{
    blocks::truth,
    layer::{Given, Layer, Value},
    options::{InFile, OPTIONS, Opt},
    read::Reader,
};
use crate::files::{self, Destination};
use crate::host::{Ci, Host};
use crate::place::{Place, Problem};
use crate::settings::Address;

/// What the file with the block may say.
pub(super) struct Trust {
    /// The folder of the checkout, as a real path.
    pub checkout: PathBuf,
    directory: PathBuf,
    trusted: bool,
}

impl Trust {
    /// What flags and variables say of the file.
    pub(super) fn of(strongest: &Layer, host: &Host, ci: Ci) -> Self {
        let trusted = strongest.get("trust_config").and_then(Given::as_text).and_then(truth) == Some(true);
        let checkout = ci.checkout(host);
        Self { checkout: fs::canonicalize(&checkout).unwrap_or(checkout), directory: host.directory.clone(), trusted }
    }

    /// Whether what stands at a place may be anything.
    pub(super) fn is_free(&self, place: &Place) -> bool {
        self.trusted || place.in_file().is_none()
    }

    /// Takes out of a reader what the file may not say, with a problem for each.
    pub(super) fn screen(&self, reader: &mut Reader) {
        for option in OPTIONS {
            let Some(given) = reader.layer().get(option.name) else { continue };
            let problems = self.objections(option, given);
            if !problems.is_empty() {
                reader.problems.extend(problems);
                reader.take_out(option.name);
            }
        }
    }

    /// Where results go that an option names.
    pub(super) fn destination(&self, path: PathBuf, place: Option<&Place>) -> Destination {
        let within = place.filter(|place| !self.is_free(place)).map(|_| self.checkout.clone());
        Destination { path, within }
    }

    fn objections(&self, option: &Opt, given: &Given) -> Vec<Problem> {
        let mut written = Vec::new();
        match option.in_file {
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
                problem.help("say `--trust_config`, or set the variable `DPL_LAMBDA_TRUST_CONFIG`")
            } else {
                problem.help(format!(
                    "say `--{0}`, or set the variable `DPL_LAMBDA_{1}`; where nobody changes the file without a review, `--trust_config` lets it say so",
                    option.name,
                    option.name.to_ascii_uppercase()
                ))
            })
        };
        written.into_iter().filter_map(objection).collect()
    }

    /// Why a file may not say this; nothing where it may.
    fn objection(&self, option: &Opt, text: &str) -> Option<String> {
        let path = self.directory.join(text);
        let is_inside = |path: &Path| path.starts_with(&self.checkout);
        let real = fs::canonicalize(&path);
        match option.in_file {
            InFile::Anything => None,
            InFile::ThisMachine => {
                let elsewhere = Address::parse(text).is_some_and(|address| !address.is_here());
                elsewhere.then(|| "sends credentials to another machine, which a file may not".to_owned())
            }
            InFile::Nothing => Some("decides about credentials, which a file may not".to_owned()),
            InFile::Never => Some("cannot stand in the file that it is about".to_owned()),
            // What is not there is a mistake of another kind.
            InFile::Reads => {
                let outside = real.map_or_else(|_| !is_inside(&files::plain(&path)), |real| !is_inside(&real));
                outside.then(|| format!("`{text}` lies outside of the checkout, where a file may not read"))
            }
            // A link that leads elsewhere is a matter of `symlinks`.
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
                let message = || format!("`{text}` must end with {} where a file names it", ends.join(" or "));
                (!known).then(message)
            }
        }
    }
}

/// The paths of an option, each with its place; the places of maps are those of `from`.
fn paths<'a>(option: &Opt, given: &'a Given, found: &mut Vec<(&'a str, &'a Place)>) {
    match &given.value {
        Value::Null => {}
        // Texts of `include` are globs of what is in the package.
        Value::Text(_) if option.name == "include" => {}
        Value::Text(text) => {
            found.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| (line, &given.place)));
        }
        Value::List(items) => items.iter().for_each(|item| paths(option, item, found)),
        Value::Map(entries) => {
            let from = entries.iter().filter(|entry| entry.key == "from");
            found.extend(from.filter_map(|entry| Some((entry.given.as_text()?.trim(), &entry.given.place))));
        }
    }
}
