//! Checks whether Lambda's user may read the files. It runs functions as a user who does not own them.

use std::collections::BTreeSet;

use super::contents::Origin;
use super::rule::{Facts, Rule, count, few};
use super::survey::{Survey, is_link};
use crate::place::{Problem, Weight};

/// Files and folders that only their owner may read. The packer of this program sets modes that everyone may read.
pub(super) fn rules(survey: &Survey, _: &Facts<'_>) -> Vec<Problem> {
    if survey.origin == Origin::Files {
        return Vec::new();
    }
    let closed: BTreeSet<&str> = survey.closed.iter().map(|(folder, _)| folder.as_str()).collect();
    let in_closed = |name: &str| name.match_indices('/').any(|(end, _)| closed.contains(&name[..end]));
    let unreadable = |name: &str, mode: u32| (mode != 0 && mode & 0o004 == 0) || in_closed(name);
    let files: Vec<_> =
        survey.files.iter().filter(|file| !is_link(file) && unreadable(&file.name, file.mode)).collect();
    let Some(first) = files.first() else { return Vec::new() };
    let folder = survey.closed.iter().find(|(folder, _)| first.name.starts_with(&format!("{folder}/")));
    let (what, mode) = match folder {
        Some((folder, mode)) => (format!("the folder `{folder}`"), *mode),
        None => (format!("`{}`", first.name), first.mode),
    };
    let message = if files.len() == 1 {
        format!(
            "only the owner may read {what} (mode {:04o}), but Lambda runs the function as another user",
            mode & 0o7777
        )
    } else {
        format!(
            "only the owner may read {}, but Lambda runs the function as another user: {}",
            count(files.len(), "file"),
            few(files.iter().map(|file| file.name.as_str()))
        )
    };
    let help = "run `chmod -R a+rX .` in its folder before you make the archive, or set `repack: true`";
    vec![Rule::NotReadable.finds(Weight::Warning, "zip", message, help).on(&first.name)]
}
