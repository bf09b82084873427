//! Native files: which of them matter, and whether they are for the function's processor and for Linux at all.
//!
//! Packages ship builds for several platforms side by side, so files are judged by groups: the builds of one dependency.

use std::collections::BTreeMap;

use super::super::Listed;
use super::binary::{Format, Machine};
use super::path::{base, extension, stem};
use super::survey::Binary;
use super::{Facts, Rule, Survey, count, few};
use crate::place::{Problem, Weight};
use crate::settings::Architecture;

/// Words that tell the builds of one dependency apart.
const PLATFORMS: &[&str] = &[
    "aarch64",
    "android",
    "arm",
    "arm64",
    "armv6",
    "armv7",
    "armv7l",
    "darwin",
    "debian",
    "freebsd",
    "glibc",
    "gnu",
    "gnueabihf",
    "ia32",
    "linux",
    "linuxmusl",
    "msvc",
    "musl",
    "musleabihf",
    "openssl",
    "ppc64",
    "ppc64le",
    "rhel",
    "riscv64",
    "s390x",
    "universal",
    "win32",
    "windows",
    "x64",
    "x86",
];

/// Python's own tools carry starters for Windows, which harm nobody.
const STARTERS: &[&str] = &["setuptools", "pip", "distlib"];

/// Whether an entry may be native: by its name, or by its mode where the name does not say what it is.
pub(super) fn is_candidate(file: &Listed) -> bool {
    match extension(&file.name) {
        "so" | "node" | "dylib" | "pyd" | "exe" | "dll" => true,
        version if base(&file.name).contains(".so.") => begins_with_digit(version),
        _ if file.name == "bootstrap" || file.name.starts_with("extensions/") => true,
        "" | "bin" => file.mode & 0o111 != 0,
        version => file.mode & 0o111 != 0 && begins_with_digit(version),
    }
}

fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// The dependency that a file belongs to, the same for all its builds.
pub(super) fn group(name: &str) -> String {
    if let Some((_, rest)) = name.rsplit_once("node_modules/") {
        let parts = if rest.starts_with('@') { 2 } else { 1 };
        let package: Vec<_> = rest.split('/').take(parts).map(without_platform).collect();
        return format!("node_modules/{}", package.join("/"));
    }
    match name.split_once('/') {
        None => without_platform(name.split('.').next().unwrap_or(name)),
        Some(("extensions", _)) => name.to_owned(),
        Some((folder, _)) => folder.to_owned(),
    }
}

fn without_platform(name: &str) -> String {
    // The one of them that has a separator in it.
    let name = name.replace("x86_64", "x64");
    name.split(['-', '_']).filter(|word| !PLATFORMS.contains(word)).collect::<Vec<_>>().join("-")
}

/// Whether the function surely cannot do without a file, if it is there at all.
pub(super) fn matters(survey: &Survey, name: &str) -> bool {
    name == "bootstrap"
        || name.starts_with("extensions/")
        || extension(name) == "node"
        || is_python_module(survey, name)
        || is_library(name)
}

/// A library that is loaded by its name, unless something else stands in for it or it lies where nobody looks.
fn is_library(name: &str) -> bool {
    let module = base(name).contains(".cpython-") || base(name).contains(".abi3.");
    let library = extension(name) == "so" || base(name).contains(".so.");
    library && !module && !is_spare(name)
}

/// What mypyc compiles is Python that is there as well; what lies in an environment is not where Python looks.
fn is_spare(name: &str) -> bool {
    base(name).contains("__mypyc.") || name.contains("/site-packages/")
}

/// An extension module that Python finds by its name. One that stands beside its own source is only faster than that.
pub(super) fn is_python_module(survey: &Survey, name: &str) -> bool {
    let base = base(name);
    let tagged = extension(name) == "so" && (base.contains(".cpython-") || base.contains(".abi3."));
    (tagged || extension(name) == "pyd") && !is_spare(name) && !survey.has(&format!("{}.py", stem(name)))
}

/// The native files by dependency.
pub(super) fn groups(survey: &Survey) -> BTreeMap<String, Vec<&Binary>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for binary in &survey.binaries {
        groups.entry(group(&binary.name)).or_default().push(binary);
    }
    groups
}

fn machine(binary: &Binary) -> Option<Machine> {
    match &binary.format {
        Format::Elf(elf) => Some(elf.machine),
        Format::Windows | Format::MacOs => None,
    }
}

/// Whether a file is for a processor; with none given, for any that Lambda has.
pub(super) fn fits(binary: &Binary, wanted: Option<Architecture>) -> bool {
    machine(binary).is_some_and(|machine| match (machine, wanted) {
        (Machine::Known(found), Some(wanted)) => found == wanted,
        (Machine::Known(_), None) => true,
        (Machine::Other(_), _) => false,
    })
}

/// Whether the function surely cannot do without one of these builds.
///
/// A dependency that carries builds for several platforms was not installed for one of them: where it has none that
/// fits, as `bufferutil` has none for arm64, it mostly does without.
fn weighty(survey: &Survey, binaries: &[&Binary]) -> bool {
    let platform = |binary: &Binary| (machine(binary).map(Machine::name), binary.format == Format::Windows);
    let one = binaries.windows(2).all(|pair| platform(pair[0]) == platform(pair[1]));
    one && binaries.iter().any(|binary| matters(survey, &binary.name))
}

/// For each dependency that is built for one processor only, a file and that processor.
fn votes<'a>(survey: &'a Survey, heard: impl Fn(&[&Binary]) -> bool) -> Vec<(&'a str, Architecture)> {
    let vote = |binaries: Vec<&'a Binary>| {
        let of = |wanted| binaries.iter().find(|binary| fits(binary, Some(wanted))).map(|binary| binary.name.as_str());
        match (of(Architecture::X86_64), of(Architecture::Arm64)) {
            (Some(name), None) => Some((name, Architecture::X86_64)),
            (None, Some(name)) => Some((name, Architecture::Arm64)),
            _ => None,
        }
    };
    groups(survey).into_values().filter(|binaries| heard(binaries)).filter_map(vote).collect()
}

/// What the package is built for, where all that decides agrees: what matters, of the names that are heard.
pub(super) fn architecture(survey: &Survey, heard: impl Fn(&str) -> bool) -> Option<Architecture> {
    let votes =
        votes(survey, |binaries| weighty(survey, binaries) && binaries.iter().all(|binary| heard(&binary.name)));
    let (_, first) = votes.first()?;
    votes.iter().all(|(_, other)| other == first).then_some(*first)
}

/// The processor and the system of native files.
pub(super) fn rules(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    let wanted = facts.architecture.or_else(|| survey.architecture(None));
    let mut findings = wrong_architecture(survey, wanted);
    if wanted.is_none() {
        findings.extend(disagreement(survey));
    }
    findings.extend(foreign(survey));
    findings
}

fn wrong_architecture(survey: &Survey, wanted: Option<Architecture>) -> Vec<Problem> {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for binaries in groups(survey).values() {
        let native: Vec<_> = binaries.iter().filter(|binary| machine(binary).is_some()).copied().collect();
        if native.iter().any(|binary| fits(binary, wanted)) {
            continue;
        }
        if weighty(survey, binaries) { &mut errors } else { &mut warnings }.extend(native);
    }
    [(Weight::Error, errors), (Weight::Warning, warnings)]
        .into_iter()
        .filter_map(|(weight, wrong)| wrong_finding(weight, &wrong, wanted))
        .collect()
}

fn wrong_finding(weight: Weight, wrong: &[&Binary], wanted: Option<Architecture>) -> Option<Problem> {
    let first = wrong.first()?;
    let built_for = machine(first)?;
    let runs_on = wanted.map_or("x86_64 or arm64", |wanted| Machine::Known(wanted).name());
    let same = wrong.iter().all(|binary| machine(binary) == Some(built_for));
    let built = if same { built_for.name() } else { "other processors" };
    let message = match wrong {
        [one] => format!("`{}` is built for {built}, but the function runs on {runs_on}", one.name),
        _ => format!(
            "{} are built for {built}, but the function runs on {runs_on}: {}",
            count(wrong.len(), "file"),
            few(wrong.iter().map(|binary| binary.name.as_str()))
        ),
    };
    let platform = if wanted == Some(Architecture::Arm64) { "aarch64" } else { "x86_64" };
    let how = if wrong.iter().any(|binary| extension(&binary.name) == "node" || binary.name.contains("node_modules/")) {
        let cpu = if wanted == Some(Architecture::Arm64) { "arm64" } else { "x64" };
        format!("install for it (`npm install --os=linux --cpu={cpu}`)")
    } else if wrong.iter().any(|binary| extension(&binary.name) == "so") {
        format!("install for it (`pip install --platform manylinux2014_{platform} --only-binary=:all:`)")
    } else {
        format!("build for {runs_on}")
    };
    let help = match built_for {
        _ if weight == Weight::Warning => format!("{how}, if the function needs it"),
        Machine::Known(other) if same => format!("{how}, or set `architecture: {}`", Machine::Known(other).name()),
        _ => how,
    };
    Some(Rule::WrongArchitecture.finds(weight, "architecture", message, help).on(&first.name))
}

/// Where nobody said what the function runs on, the files themselves must agree.
fn disagreement(survey: &Survey) -> Option<Problem> {
    let votes = votes(survey, |binaries| weighty(survey, binaries));
    let of = |wanted| votes.iter().find(|(_, found)| *found == wanted).map(|(name, _)| *name);
    let (intel, arm) = (of(Architecture::X86_64)?, of(Architecture::Arm64)?);
    let message = format!("`{intel}` is built for x86_64 and `{arm}` for arm64, so they cannot run in one function");
    let help = "build all of them for one, and set `architecture` to it".to_owned();
    Some(Rule::WrongArchitecture.finds(Weight::Error, "architecture", message, help).on(intel))
}

/// What is built for Windows or macOS, where nothing for Linux stands beside it.
fn foreign(survey: &Survey) -> Vec<Problem> {
    let dotnet =
        survey.files.iter().any(|file| file.name.ends_with(".runtimeconfig.json") || file.name.ends_with(".deps.json"));
    let harmless = |binary: &Binary| {
        let assembly = dotnet && matches!(extension(&binary.name), "dll" | "exe");
        assembly || (extension(&binary.name) == "exe" && binary.name.split('/').any(|part| STARTERS.contains(&part)))
    };
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for binaries in groups(survey).values() {
        if binaries.iter().any(|binary| machine(binary).is_some()) {
            continue;
        }
        let foreign: Vec<_> = binaries.iter().copied().filter(|binary| !harmless(binary)).collect();
        let weighty = foreign.iter().any(|binary| binary.name == "bootstrap");
        if weighty { &mut errors } else { &mut warnings }.extend(foreign);
    }
    [(Weight::Error, errors), (Weight::Warning, warnings)]
        .into_iter()
        .filter_map(|(weight, foreign)| foreign_finding(weight, &foreign))
        .collect()
}

fn foreign_finding(weight: Weight, foreign: &[&Binary]) -> Option<Problem> {
    let first = foreign.first()?;
    let system = if first.format == Format::Windows { "Windows" } else { "macOS" };
    let same = foreign.iter().all(|binary| binary.format == first.format);
    let systems = if same { system } else { "Windows and macOS" };
    let message = match foreign {
        [one] => format!("`{}` is built for {systems}, and Lambda runs Linux", one.name),
        _ => format!(
            "{} are built for {systems}, and Lambda runs Linux: {}",
            count(foreign.len(), "file"),
            few(foreign.iter().map(|binary| binary.name.as_str()))
        ),
    };
    let help = if weight == Weight::Error {
        "build or install for Linux".to_owned()
    } else {
        "build or install for Linux, or leave it out with `exclude`".to_owned()
    };
    Some(Rule::ForeignBinary.finds(weight, "zip", message, help).on(&first.name))
}
