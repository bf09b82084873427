//! The output of compilers: where the program of a function in Rust or Go is, and how to build a missing one.
//!
//! `cargo lambda build` puts each program into `target/lambda/NAME`, as `bootstrap` or in `bootstrap.zip`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use toml_edit::DocumentMut;

use super::{context::Context, extension, read::Reader};
use crate::deployment::Single;
use crate::files;
use crate::place::Problem;
use crate::settings::{Architecture, FunctionName, Runtime, Setting, Written};

/// The program that a runtime for compiled languages starts, and the archive that can hold it instead.
const PROGRAM: &str = "bootstrap";
const ARCHIVE: &str = "bootstrap.zip";

/// The folder for Lambda in a target folder, and the folder in it that is for extensions.
const LAMBDA: &str = "lambda";
const EXTENSIONS: &str = "extensions";

/// The name of a single file in the package. It depends on the runtime.
pub(super) fn single(reader: &Reader) -> Single {
    match reader.raw("runtime") {
        Some(runtime) if Runtime(runtime.clone()).starts_bootstrap() => Single::Program { script: true },
        Some(_) => Single::Itself,
        None => Single::Program { script: false },
    }
}

/// Whether the function can be a compiled program: no option needs another kind of runtime.
fn may_be_compiled(reader: &Reader) -> bool {
    let handler = ["handler", "handler_name", "module_name"].into_iter().find_map(|name| reader.raw(name));
    match reader.raw("runtime") {
        Some(runtime) => Runtime(runtime).starts_bootstrap(),
        None => handler.is_none_or(|handler| handler == PROGRAM),
    }
}

/// The default of `zip`: the built program in a project of Rust or Go, else the folder of the project.
pub(super) fn package(reader: &mut Reader, context: &Context<'_>) -> PathBuf {
    let here = |name: &str| context.project().join(name).is_file();
    let project = || match &context.folder {
        folder if folder.as_os_str().is_empty() => PathBuf::from("."),
        folder => folder.clone(),
    };
    if here(PROGRAM) || !may_be_compiled(reader) {
        return project();
    }
    let target = Target::of(context);
    if here("Cargo.toml") && (target.is_there(context) || !here("go.mod")) {
        return target.package(reader, context);
    }
    if here("go.mod") { context.folder.join(PROGRAM) } else { project() }
}

/// The program that cargo-lambda built for the function of a block; `None` if the code is something else.
pub(super) fn program(reader: &mut Reader, context: &Context<'_>) -> Option<String> {
    let is_rust = context.project().join("Cargo.toml").is_file();
    if !is_rust || reader.has("image_uri") || extension::stands_alone(reader) {
        return None;
    }
    let path = match reader.raw("zip") {
        Some(zip) => PathBuf::from(zip),
        None if reader.has("s3_key") => return None,
        None => package(reader, context),
    };
    let is_built = Target::of(context).has(&path);
    let is_file = path.file_name().is_some_and(|name| name == PROGRAM || name == ARCHIVE);
    let folder = if is_file { path.parent()? } else { &path };
    is_built.then(|| folder.file_name()?.to_str().map(str::to_owned)).flatten()
}

/// The manifest of the workspace that the project is in; `None` if there is none.
pub(super) fn workspace(context: &Context<'_>) -> Option<PathBuf> {
    let steps = context.project().ancestors().position(is_workspace)?;
    Some(above_project(steps, context).join("Cargo.toml"))
}

/// The folder that is so many steps above the project, from the working directory.
fn above_project(steps: usize, context: &Context<'_>) -> PathBuf {
    let project = context.project();
    let folder = project.ancestors().nth(steps).and_then(|folder| folder.strip_prefix(&context.host.directory).ok());
    folder.map_or_else(|| context.folder.join("../".repeat(steps)), Path::to_owned)
}

fn is_workspace(folder: &Path) -> bool {
    manifest(folder).is_some_and(|manifest| manifest.contains_key("workspace"))
}

/// The source that a path below `target/lambda` stands for, and the file in it that never goes into the package.
pub(super) fn settled(path: PathBuf, context: &Context<'_>) -> (PathBuf, Option<PathBuf>) {
    let directory = &context.host.directory;
    let is_file = |name: &str| directory.join(&path).join(name).is_file();
    let below = Target::of(context).has(&path);
    match (is_file(PROGRAM), is_file(ARCHIVE)) {
        (false, true) if below => (path.join(ARCHIVE), None),
        // `cargo lambda deploy` leaves an archive of the program beside the program.
        (true, true) if below => {
            let archive = directory.join(&path).join(ARCHIVE);
            (path, Some(archive))
        }
        _ => (path, None),
    }
}

/// How to build the missing file at a path; `None` if that is unknown.
pub(super) fn how_to_build(
    reader: &Reader,
    path: &Path,
    architecture: Option<Architecture>,
    context: &Context<'_>,
) -> Option<String> {
    let here = |name: &str| context.project().join(name).is_file();
    let within = match &context.folder {
        folder if folder.as_os_str().is_empty() => String::new(),
        folder => format!(" in `{}`", folder.display()),
    };
    let instead = if reader.place("zip").is_none() { "; `zip: .` packages the working directory instead" } else { "" };
    let arm = architecture == Some(Architecture::Arm64);
    if Target::of(context).has(path) {
        let flag = if arm { " --arm64" } else { "" };
        return Some(format!("build it with `cargo lambda build --release{flag}`{within}{instead}"));
    }
    (here("go.mod") && may_be_compiled(reader) && !is_archive(path)).then(|| {
        let processor = if arm { "arm64" } else { "amd64" };
        let path = path.strip_prefix(&context.folder).unwrap_or(path).display();
        format!(
            "build it with `GOOS=linux GOARCH={processor} CGO_ENABLED=0 go build -tags lambda.norpc -o {path}`{within}{instead}"
        )
    })
}

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
}

/// The program of `cargo lambda build --extension`: the one with the layer's name, else the crate's name, else the only one.
pub(super) fn extension(name: &str, context: &Context<'_>) -> PathBuf {
    let directory = &context.host.directory;
    let folder = Target::of(context).folder.join(EXTENSIONS);
    let is_file = |name: &String| directory.join(&folder).join(name).is_file();
    let files = fs::read_dir(directory.join(&folder)).into_iter().flatten().flatten();
    let mut files: Vec<_> = files.filter_map(|file| file.file_name().into_string().ok()).filter(&is_file).collect();
    // `cargo lambda deploy` leaves an archive beside each program.
    let programs: Vec<_> = files.iter().filter(|name| !is_archive(Path::new(name))).cloned().collect();
    if !programs.is_empty() {
        files = programs;
    }
    let names = [Some(name.to_owned()), crate_name(context)].into_iter().flatten();
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
        "build it with `cargo lambda build --release --extension{internal}{arm}`, or set `zip` to the program or its folder"
    )
}

/// The folder where `cargo lambda build` puts programs.
struct Target {
    /// Its path from the working directory.
    folder: PathBuf,
    /// Whether it belongs to a workspace around the project. Then it has programs of other crates too.
    shared: bool,
}

impl Target {
    /// The folder in cargo's variables, else in the project, else in the workspace.
    fn of(context: &Context<'_>) -> Self {
        let host = context.host;
        let folder = host.variable("CARGO_TARGET_DIR").or_else(|| host.variable("CARGO_BUILD_TARGET_DIR"));
        if let Some(folder) = folder {
            return Self { folder: Path::new(folder).join(LAMBDA), shared: false };
        }
        let built = Path::new("target").join(LAMBDA);
        let (project, own) = (context.project(), context.folder.join(&built));
        if host.directory.join(&own).is_dir() {
            return Self { folder: own, shared: false };
        }
        let above = project.ancestors().enumerate().skip(1).find(|(_, folder)| is_workspace(folder));
        match above.filter(|_| project.join("Cargo.toml").is_file()) {
            Some((steps, _)) => Self { folder: above_project(steps, context).join(built), shared: true },
            None => Self { folder: own, shared: false },
        }
    }

    fn is_there(&self, context: &Context<'_>) -> bool {
        context.host.directory.join(&self.folder).is_dir()
    }

    /// Whether a path is inside of it, or inside of another folder `target/lambda`.
    fn has(&self, path: &Path) -> bool {
        let parts: Vec<_> = path.iter().collect();
        path.starts_with(&self.folder) || parts.windows(2).any(|pair| pair == ["target", LAMBDA])
    }

    /// The program with the function's name, else the crate's name, else the only one.
    fn package(&self, reader: &mut Reader, context: &Context<'_>) -> PathBuf {
        let programs = self.programs(context);
        let function = reader.raw("function_name").and_then(|text| FunctionName::parse(&Written::Text(text)).ok());
        let function = function.map(|function| function.name);
        let names = [function.clone(), crate_name(context)].into_iter().flatten();
        if let Some(name) = names.into_iter().find(|name| programs.contains(name)) {
            return self.folder.join(name);
        }
        match (programs.as_slice(), self.shared) {
            ([], _) => self.folder.join(function.or_else(|| crate_name(context)).unwrap_or_default()),
            ([only], false) => self.folder.join(only),
            (programs, _) => {
                let shown: Vec<_> = programs.iter().map(|name| format!("`{name}`")).collect();
                let folder = self.folder.display();
                let message = format!("is not given, and no program in `{folder}` has the name of the function");
                let problem = Problem::new(message).of("zip");
                let place = reader.place("function_name").or_else(|| reader.block.clone());
                let help = format!(
                    "set `zip` to one of them, such as `{folder}/{}`; the folder has {}",
                    programs[0],
                    shown.join(", ")
                );
                reader.problems.push(Problem { place, ..problem }.help(help));
                self.folder.clone()
            }
        }
    }

    /// The names of the programs that are built for Lambda.
    fn programs(&self, context: &Context<'_>) -> Vec<String> {
        let has_program = |folder: &Path| folder.join(PROGRAM).is_file() || folder.join(ARCHIVE).is_file();
        let folders = fs::read_dir(context.host.directory.join(&self.folder)).into_iter().flatten().flatten();
        let names = folders.filter(|folder| has_program(&folder.path()));
        let mut names: Vec<_> = names.filter_map(|folder| folder.file_name().into_string().ok()).collect();
        names.retain(|name| name != EXTENSIONS);
        names.sort();
        names
    }
}

/// The manifest in a folder; `None` if it is missing or not valid.
fn manifest(folder: &Path) -> Option<DocumentMut> {
    files::text(&folder.join("Cargo.toml")).ok()?.parse().ok()
}

/// The name of the project's crate, which is the default name of its program.
fn crate_name(context: &Context<'_>) -> Option<String> {
    Some(manifest(&context.project())?.get("package")?.get("name")?.as_str()?.to_owned())
}
