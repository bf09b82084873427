//! What compilers leave: where the program of a function in Rust or Go is, and how to build it where it is not.
//!
//! `cargo lambda build` puts each program into `target/lambda/NAME`, as `bootstrap` or in `bootstrap.zip`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{read::Reader, resolve::Context};
use crate::deployment::Single;
use crate::files;
use crate::host::Host;
use crate::place::Problem;
use crate::settings::{Architecture, FunctionName, Runtime, Setting, Written};

/// The program that a runtime for compiled languages starts, and the archive that may have it instead.
const PROGRAM: &str = "bootstrap";
const ARCHIVE: &str = "bootstrap.zip";

/// The folder of target folders that is for Lambda, and the one in it that is no function's.
const LAMBDA: &str = "lambda";
const EXTENSIONS: &str = "extensions";

/// What a single file is called in the package, by what is known about the runtime.
pub(super) fn single(reader: &Reader) -> Single {
    match reader.raw("runtime") {
        Some(runtime) if Runtime(runtime.clone()).starts_bootstrap() => Single::Program { script: true },
        Some(_) => Single::Itself,
        None => Single::Program { script: false },
    }
}

/// Whether the function may be a program that the user compiled: nothing speaks for another runtime.
fn may_be_compiled(reader: &Reader) -> bool {
    let handler = ["handler", "handler_name", "module_name"].into_iter().find_map(|name| reader.raw(name));
    match reader.raw("runtime") {
        Some(runtime) => Runtime(runtime).starts_bootstrap(),
        None => handler.is_none_or(|handler| handler == PROGRAM),
    }
}

/// The package where none is named: what was built, in a project of Rust or Go, else the working directory.
pub(super) fn package(reader: &mut Reader, context: &Context<'_>) -> PathBuf {
    let here = |name: &str| context.host.directory.join(name).is_file();
    let working_directory = PathBuf::from(".");
    if here(PROGRAM) || !may_be_compiled(reader) {
        return working_directory;
    }
    let target = Target::of(context.host);
    if here("Cargo.toml") && (target.is_there(context.host) || !here("go.mod")) {
        return target.package(reader, context.host);
    }
    if here("go.mod") { PathBuf::from(PROGRAM) } else { working_directory }
}

/// What is meant by a path below `target/lambda`, and the file in it that must not go in.
pub(super) fn settled(path: PathBuf, host: &Host) -> (PathBuf, Option<PathBuf>) {
    let is_file = |name: &str| host.directory.join(&path).join(name).is_file();
    let below = Target::of(host).has(&path);
    match (is_file(PROGRAM), is_file(ARCHIVE)) {
        (false, true) if below => (path.join(ARCHIVE), None),
        // `cargo lambda deploy` leaves the archive beside the program that it was made of.
        (true, true) if below => {
            let archive = host.directory.join(&path).join(ARCHIVE);
            (path, Some(archive))
        }
        _ => (path, None),
    }
}

/// How to build what should be at a path; absent where nobody knows.
pub(super) fn how_to_build(
    reader: &Reader,
    path: &Path,
    architecture: Option<Architecture>,
    host: &Host,
) -> Option<String> {
    let here = |name: &str| host.directory.join(name).is_file();
    let instead = if reader.place("zip").is_none() { "; `zip: .` packages the working directory instead" } else { "" };
    let arm = architecture == Some(Architecture::Arm64);
    if Target::of(host).has(path) {
        let flag = if arm { " --arm64" } else { "" };
        return Some(format!("build it with `cargo lambda build --release{flag}`{instead}"));
    }
    (here("go.mod") && may_be_compiled(reader) && !is_archive(path)).then(|| {
        let processor = if arm { "arm64" } else { "amd64" };
        let path = path.display();
        format!(
            "build it with `GOOS=linux GOARCH={processor} CGO_ENABLED=0 go build -tags lambda.norpc -o {path}`{instead}"
        )
    })
}

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
}

/// Where `cargo lambda build --extension` puts a program: that of the layer's name, else of the crate's, else the only one.
pub(super) fn extension(name: &str, host: &Host) -> PathBuf {
    let folder = Target::of(host).folder.join(EXTENSIONS);
    let is_file = |name: &String| host.directory.join(&folder).join(name).is_file();
    let files = fs::read_dir(host.directory.join(&folder)).into_iter().flatten().flatten();
    let mut files: Vec<_> = files.filter_map(|file| file.file_name().into_string().ok()).filter(&is_file).collect();
    // `cargo lambda deploy` leaves an archive beside each program.
    let programs: Vec<_> = files.iter().filter(|name| !is_archive(Path::new(name))).cloned().collect();
    if !programs.is_empty() {
        files = programs;
    }
    let names = [Some(name.to_owned()), crate_name(host)].into_iter().flatten();
    let mut candidates = names.flat_map(|name| [name.clone(), format!("{name}.zip")]);
    let found = candidates.find(|name| files.contains(name));
    let only = files.first().filter(|_| files.len() == 1);
    folder.join(found.as_ref().or(only).map_or(name, String::as_str))
}

/// How to build an extension.
pub(super) fn how_to_build_extension(internal: bool, arm: bool) -> String {
    let internal = if internal { " --internal" } else { "" };
    let arm = if arm { " --arm64" } else { "" };
    format!(
        "build it with `cargo lambda build --release --extension{internal}{arm}`, or let `zip` name the program or its folder"
    )
}

/// The folder where `cargo lambda build` puts programs.
struct Target {
    /// As it is seen from the working directory.
    folder: PathBuf,
    /// Whether it is that of a workspace around the working directory, which has programs of others too.
    shared: bool,
}

impl Target {
    /// The one that cargo is told of, else that of the workspace, else that of the working directory.
    fn of(host: &Host) -> Self {
        let told = host.variable("CARGO_TARGET_DIR").or_else(|| host.variable("CARGO_BUILD_TARGET_DIR"));
        if let Some(told) = told {
            return Self { folder: Path::new(told).join(LAMBDA), shared: false };
        }
        let own = Path::new("target").join(LAMBDA);
        if host.directory.join(&own).is_dir() {
            return Self { folder: own, shared: false };
        }
        let is_workspace = |folder: &Path| {
            files::text(&folder.join("Cargo.toml")).is_ok_and(|manifest| manifest.contains("[workspace"))
        };
        let above = host.directory.ancestors().enumerate().skip(1).find(|(_, folder)| is_workspace(folder));
        match above.filter(|_| host.directory.join("Cargo.toml").is_file()) {
            Some((steps, _)) => Self { folder: PathBuf::from("../".repeat(steps)).join(own), shared: true },
            None => Self { folder: own, shared: false },
        }
    }

    fn is_there(&self, host: &Host) -> bool {
        host.directory.join(&self.folder).is_dir()
    }

    /// Whether a path lies in it, or in one of the usual name elsewhere.
    fn has(&self, path: &Path) -> bool {
        let parts: Vec<_> = path.iter().collect();
        path.starts_with(&self.folder) || parts.windows(2).any(|pair| pair == ["target", LAMBDA])
    }

    /// The program of the function's name, else the one of the crate's, else the only one that is there.
    fn package(&self, reader: &mut Reader, host: &Host) -> PathBuf {
        let programs = self.programs(host);
        let function = reader.raw("function_name").and_then(|text| FunctionName::parse(&Written::Text(text)).ok());
        let function = function.map(|function| function.name);
        let names = [function.clone(), crate_name(host)].into_iter().flatten();
        if let Some(name) = names.into_iter().find(|name| programs.contains(name)) {
            return self.folder.join(name);
        }
        match (programs.as_slice(), self.shared) {
            ([], _) => self.folder.join(function.or_else(|| crate_name(host)).unwrap_or_default()),
            ([only], false) => self.folder.join(only),
            (programs, _) => {
                let shown: Vec<_> = programs.iter().map(|name| format!("`{name}`")).collect();
                let folder = self.folder.display();
                let message = format!("is not given, and no program in `{folder}` has the function's name");
                let problem = Problem::new(message).of("zip");
                let place = reader.place("function_name").or_else(|| reader.block.clone());
                let help = format!("let `zip` name one, as `{folder}/{}`; there is {}", programs[0], shown.join(", "));
                reader.problems.push(Problem { place, ..problem }.help(help));
                self.folder.clone()
            }
        }
    }

    /// The names of the programs that were built for Lambda.
    fn programs(&self, host: &Host) -> Vec<String> {
        let has_program = |folder: &Path| folder.join(PROGRAM).is_file() || folder.join(ARCHIVE).is_file();
        let folders = fs::read_dir(host.directory.join(&self.folder)).into_iter().flatten().flatten();
        let names = folders.filter(|folder| has_program(&folder.path()));
        let mut names: Vec<_> = names.filter_map(|folder| folder.file_name().into_string().ok()).collect();
        names.retain(|name| name != EXTENSIONS);
        names.sort();
        names
    }
}

/// The name of the crate in the working directory, which its program has too where nothing else is said.
fn crate_name(host: &Host) -> Option<String> {
    let manifest = files::text(&host.directory.join("Cargo.toml")).ok()?;
    let (_, package) = manifest.split_once("[package]")?;
    let lines = package.lines().take_while(|line| !line.trim_start().starts_with('['));
    let value = lines.filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "name")?.1;
    Some(value.split('"').nth(1)?.to_owned())
}
