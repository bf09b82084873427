//! Checks whether the runtime's system has the C library that native files need.

use std::collections::{BTreeMap, BTreeSet};

use super::binary::{Elf, Format};
use super::native::{fits, group, is_essential, is_python_module};
use super::path::{extension, stem};
use super::python;
use super::rule::{Facts, Rule, count, few};
use super::runtimes::{self, System};
use super::survey::{Binary, Survey};
use crate::place::{Problem, Weight};

/// The reason why the system cannot load a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    /// It needs a newer glibc than the system's.
    Glibc,
    /// It needs musl.
    Musl,
}

/// Dependencies without a build that the runtime's system can load.
pub(super) fn rules(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    let system = facts.runtime.and_then(|runtime| runtimes::system(&runtime.0));
    let wanted = facts.architecture.or_else(|| survey.architecture(None));
    let version = facts.runtime.and_then(|runtime| python::version(&runtime.0));
    let candidates: Vec<_> = survey
        .binaries
        .iter()
        .filter(|binary| fits(binary, wanted))
        .filter(|binary| version.is_none_or(|version| python::fits(&binary.name, version)))
        .collect();
    let (essential, other): (Vec<_>, Vec<_>) = candidates.iter().partition(|binary| is_essential(survey, &binary.name));
    let group = |name: &str| group(survey, name);
    let unit = |name: &str| if is_python_module(survey, name) { stem(name).to_owned() } else { group(name) };
    let errors = unloadable(&essential, unit, system);
    // If a file of the same dependency can be loaded, the others are probably builds for other systems.
    let lost: BTreeSet<_> =
        unloadable(&candidates, group, system).iter().map(|(binary, _)| group(&binary.name)).collect();
    let mut warnings = unloadable(&other, str::to_owned, system);
    warnings.retain(|(binary, _)| lost.contains(&group(&binary.name)));
    [(Weight::Error, errors), (Weight::Warning, warnings)]
        .into_iter()
        .flat_map(|(weight, files)| [too_new(weight, &files, system), wrong_libc(weight, &files)].into_iter().flatten())
        .collect()
}

/// The files of all units that have no loadable file. `unit` gives the unit of a file by its name.
fn unloadable<'a>(
    binaries: &[&'a Binary],
    unit: impl Fn(&str) -> String,
    system: Option<System>,
) -> Vec<(&'a Binary, Lack)> {
    let mut units: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for binary in binaries {
        units.entry(unit(&binary.name)).or_default().push((*binary, lack(binary, system)));
    }
    let lost = units.into_values().filter(|unit| unit.iter().all(|(_, lack)| lack.is_some()));
    lost.flatten().filter_map(|(binary, lack)| Some((binary, lack?))).collect()
}

fn elf(binary: &Binary) -> Option<&Elf> {
    match &binary.format {
        Format::Elf(elf) => Some(elf),
        Format::Windows | Format::MacOs => None,
    }
}

fn lack(binary: &Binary, system: Option<System>) -> Option<Lack> {
    let elf = elf(binary)?;
    if elf.musl {
        return Some(Lack::Musl);
    }
    (elf.glibc? > system?.glibc()).then_some(Lack::Glibc)
}

fn too_new(weight: Weight, unloadable: &[(&Binary, Lack)], system: Option<System>) -> Option<Problem> {
    let files: Vec<_> = unloadable.iter().filter(|(_, lack)| *lack == Lack::Glibc).map(|(binary, _)| *binary).collect();
    let (first, system) = (files.first()?, system?);
    let (major, minor) = files.iter().filter_map(|binary| elf(binary)?.glibc).max()?;
    let (has_major, has_minor) = system.glibc();
    let who = match files[..] {
        [one] => format!("`{}` needs", one.name),
        _ => format!("{} need", count(files.len(), "file")),
    };
    let which = if files.len() == 1 { String::new() } else { format!(": {}", few(names(&files))) };
    let message =
        format!("{who} glibc {major}.{minor}, but the runtime's {} has {has_major}.{has_minor}{which}", system.name());
    let python = files.iter().any(|binary| extension(&binary.name) == "so");
    let how = if python {
        format!("install wheels for an older system (`pip install --platform manylinux2014_{}`)", machine(first))
    } else {
        format!("build on {}, or link the program statically", system.name())
    };
    let newer = if system == System::Al2023 { "" } else { ", or move to a runtime on Amazon Linux 2023" };
    Some(Rule::GlibcTooNew.finds(weight, "zip", message, format!("{how}{newer}")).on(&first.name))
}

fn wrong_libc(weight: Weight, unloadable: &[(&Binary, Lack)]) -> Option<Problem> {
    let files: Vec<_> = unloadable.iter().filter(|(_, lack)| *lack == Lack::Musl).map(|(binary, _)| *binary).collect();
    let first = files.first()?;
    let message = match files[..] {
        [one] => format!("`{}` is built for musl (Alpine Linux), but Lambda has glibc", one.name),
        _ => format!(
            "{} are built for musl (Alpine Linux), but Lambda has glibc: {}",
            count(files.len(), "file"),
            few(names(&files))
        ),
    };
    let help =
        "build or install on a system with glibc, such as Amazon Linux or Debian, or link the program statically"
            .to_owned();
    Some(Rule::WrongLibc.finds(weight, "zip", message, help).on(&first.name))
}

fn names<'a>(files: &'a [&Binary]) -> impl Iterator<Item = &'a str> {
    files.iter().map(|binary| binary.name.as_str())
}

/// The processor, in the form of the names of Python wheels.
fn machine(binary: &Binary) -> &'static str {
    match elf(binary).map(|elf| elf.machine.name()) {
        Some("arm64") => "aarch64",
        _ => "x86_64",
    }
}
