//! Checks whether native files are for Linux and for the function's processor.
//!
//! A dependency can ship builds for several platforms side by side. So the rules judge groups: all builds of one dependency.

#[cfg(test)]
pub(super) mod tests;

use std::collections::BTreeMap;

use super::binary::{Format, Machine};
use super::path::{base, extension, stem};
use super::rule::{Facts, Rule, count, few};
use super::survey::{Binary, Survey};
use crate::place::{Problem, Weight};
use crate::settings::Architecture;

/// Words in a name that stand for a platform. The builds of one dependency differ only in them.
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

/// Python packages that contain launchers for Windows, which do no harm.
const WITH_LAUNCHERS: &[&str] = &["setuptools", "pip", "distlib"];

/// The dependency that a file belongs to. All its builds have the same one.
pub(super) fn group(survey: &Survey, name: &str) -> String {
    let name = survey.inner(name);
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
    // `x86_64` contains a separator of words.
    let name = name.replace("x86_64", "x64");
    name.split(['-', '_']).filter(|word| !PLATFORMS.contains(word)).collect::<Vec<_>>().join("-")
}

/// Whether the function surely needs a file.
pub(super) fn is_essential(survey: &Survey, name: &str) -> bool {
    name == "bootstrap"
        || name.starts_with("extensions/")
        || extension(name) == "node"
        || is_python_module(survey, name)
        || is_library(survey.inner(name))
}

/// Whether a file is a shared library that a program loads by its name. Modules of Python and spare files do not count.
fn is_library(name: &str) -> bool {
    let module = base(name).contains(".cpython-") || base(name).contains(".abi3.");
    let library = extension(name) == "so" || base(name).contains(".so.");
    library && !module && !is_spare(name)
}

/// Whether the function can do without a file: mypyc compiles sources that are in the package too, and Python on Lambda
/// does not search `site-packages`.
fn is_spare(name: &str) -> bool {
    base(name).contains("__mypyc.") || name.contains("/site-packages/")
}

/// Whether a file is an extension module that Python finds by its name. A module beside its own source does not count: it
/// only makes that source faster.
pub(super) fn is_python_module(survey: &Survey, name: &str) -> bool {
    let base = base(name);
    let tagged = extension(name) == "so" && (base.contains(".cpython-") || base.contains(".abi3."));
    (tagged || extension(name) == "pyd") && !is_spare(survey.inner(name)) && !survey.has(&format!("{}.py", stem(name)))
}

/// The native files by dependency.
pub(super) fn groups(survey: &Survey) -> BTreeMap<String, Vec<&Binary>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for binary in &survey.binaries {
        groups.entry(group(survey, &binary.name)).or_default().push(binary);
    }
    groups
}

fn machine(binary: &Binary) -> Option<Machine> {
    match &binary.format {
        Format::Elf(elf) => Some(elf.machine),
        Format::Windows | Format::MacOs => None,
    }
}

/// Whether a file is for the processor `wanted`, or, if that is `None`, for any processor of Lambda.
pub(super) fn fits(binary: &Binary, wanted: Option<Architecture>) -> bool {
    machine(binary).is_some_and(|machine| match (machine, wanted) {
        (Machine::Known(found), Some(wanted)) => found == wanted,
        (Machine::Known(_), None) => true,
        (Machine::Other(_), _) => false,
    })
}

/// Whether the function surely needs one of these builds of a dependency.
///
/// A dependency with builds for several platforms ships all its builds. If none fits, as `bufferutil` has none for arm64,
/// the dependency usually works without native code.
fn has_essential(survey: &Survey, binaries: &[&Binary]) -> bool {
    let platform = |binary: &Binary| (machine(binary).map(Machine::name), binary.format == Format::Windows);
    let one = binaries.windows(2).all(|pair| platform(pair[0]) == platform(pair[1]));
    one && binaries.iter().any(|binary| is_essential(survey, &binary.name))
}

/// For each dependency that `counts` and is built for one processor only: a file and that processor.
fn votes<'a>(survey: &'a Survey, counts: impl Fn(&[&Binary]) -> bool) -> Vec<(&'a str, Architecture)> {
    let vote = |binaries: Vec<&'a Binary>| {
        let of = |wanted| binaries.iter().find(|binary| fits(binary, Some(wanted))).map(|binary| binary.name.as_str());
        match (of(Architecture::X86_64), of(Architecture::Arm64)) {
            (Some(name), None) => Some((name, Architecture::X86_64)),
            (None, Some(name)) => Some((name, Architecture::Arm64)),
            _ => None,
        }
    };
    groups(survey).into_values().filter(|binaries| counts(binaries)).filter_map(vote).collect()
}

impl Survey {
    /// The function's architecture, if the user did not name it: that of the package's essential files if they agree, else
    /// the live one.
    ///
    /// A live function changes its architecture only for `bootstrap` and Python modules, which surely run. Native files of
    /// Node.js packages may belong to tools that only built the package.
    pub fn architecture(&self, live: Option<Architecture>) -> Option<Architecture> {
        let counts = |name: &str| live.is_none() || name == "bootstrap" || is_python_module(self, name);
        architecture(self, counts).or(live)
    }
}

/// The processor that the essential files are built for, of those whose names `counts` accepts; `None` if they disagree or
/// there are none.
fn architecture(survey: &Survey, counts: impl Fn(&str) -> bool) -> Option<Architecture> {
    let votes =
        votes(survey, |binaries| has_essential(survey, binaries) && binaries.iter().all(|binary| counts(&binary.name)));
    let (_, first) = votes.first()?;
    votes.iter().all(|(_, other)| other == first).then_some(*first)
}

/// Native files for another processor or another system.
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
        if has_essential(survey, binaries) { &mut errors } else { &mut warnings }.extend(native);
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

/// Files for different processors. Used when the function's processor is unknown.
fn disagreement(survey: &Survey) -> Option<Problem> {
    let votes = votes(survey, |binaries| has_essential(survey, binaries));
    let of = |wanted| votes.iter().find(|(_, found)| *found == wanted).map(|(name, _)| *name);
    let (intel, arm) = (of(Architecture::X86_64)?, of(Architecture::Arm64)?);
    let message = format!("`{intel}` is built for x86_64 and `{arm}` for arm64, so they cannot run in one function");
    let help = "build all files for one architecture, and set `architecture` to it".to_owned();
    Some(Rule::WrongArchitecture.finds(Weight::Error, "architecture", message, help).on(intel))
}

/// Files for Windows or macOS of dependencies that have no build for Linux.
fn foreign(survey: &Survey) -> Vec<Problem> {
    let dotnet =
        survey.files.iter().any(|file| file.name.ends_with(".runtimeconfig.json") || file.name.ends_with(".deps.json"));
    let harmless = |binary: &Binary| {
        let assembly = dotnet && matches!(extension(&binary.name), "dll" | "exe");
        assembly
            || (extension(&binary.name) == "exe" && binary.name.split('/').any(|part| WITH_LAUNCHERS.contains(&part)))
    };
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for binaries in groups(survey).values() {
        if binaries.iter().any(|binary| machine(binary).is_some()) {
            continue;
        }
        let foreign: Vec<_> = binaries.iter().copied().filter(|binary| !harmless(binary)).collect();
        let is_bootstrap = foreign.iter().any(|binary| binary.name == "bootstrap");
        if is_bootstrap { &mut errors } else { &mut warnings }.extend(foreign);
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
        [one] => format!("`{}` is built for {systems}, but Lambda runs Linux", one.name),
        _ => format!(
            "{} are built for {systems}, but Lambda runs Linux: {}",
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
