//! Checks whether the handler is in the package, at a place where its runtime looks for it.
//!
//! Node.js: `UserFunction.js` of aws-lambda-nodejs-runtime-interface-client. Python: `bootstrap.py` of
//! awslambdaric. Ruby: `lambda_handler.rb` of aws-lambda-ruby-runtime-interface-client. Java: `HandlerInfo` and
//! `CustomerClassLoader` of aws-lambda-java-libs. .NET: "Define Lambda function handler in C#" in the guide.

use super::path::extension;
use super::rule::{Facts, Rule, few};
use super::runtimes::Language;
use super::survey::Survey;
use crate::place::{Problem, Weight};

/// The folder into which Lambda unpacks a package.
const TASK_ROOT: &str = "/var/task/";

/// The place that a handler refers to.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    /// One of these files, the most likely first.
    Files(Vec<String>),
    /// A class, as a path without its extension, in the package or in one of its libraries.
    Class(String),
    /// A file outside of the package.
    OutsidePackage,
    /// Nothing: the handler has not the expected form, which this text describes.
    Malformed(&'static str),
}

/// A problem if the runtime could not find the handler.
pub(super) fn rules(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    let Some(language) = facts.runtime.and_then(|runtime| Language::of(&runtime.0)) else { return Vec::new() };
    let handler = facts.handler.map(|handler| handler.0.as_str());
    let (shown, meaning) = match (language, handler) {
        (Language::Provided, _) => ("bootstrap", Meaning::Files(vec!["bootstrap".to_owned()])),
        (_, Some(handler)) => (handler, meaning(survey, language, handler)),
        (_, None) => return Vec::new(),
    };
    if found(survey, &meaning, "") || (facts.has_other_code && language == Language::Provided) {
        return Vec::new();
    }
    if let Meaning::Malformed(form) = meaning {
        let help = format!("{form}, where the file has no extension");
        return vec![finding(
            Rule::HandlerMissing,
            facts,
            "handler",
            format!("`{shown}` is not a handler of this runtime"),
            help,
        )];
    }
    if let Some(folder) = shared_folder(survey).into_iter().find(|folder| found(survey, &meaning, folder)) {
        let folder = folder.trim_end_matches('/');
        let message = format!("all files of the package are in `{folder}`, so `{shown}` is not at the root");
        let help = format!(
            "set `zip` to the folder `{folder}`; make an archive inside of the folder (`cd {folder} && zip -r ../f.zip .`)"
        );
        return vec![finding(Rule::RootTooDeep, facts, "zip", message, help)];
    }
    vec![missing(survey, facts, language, shown, &meaning)]
}

fn meaning(survey: &Survey, language: Language, handler: &str) -> Meaning {
    match language {
        Language::Node(version) => node(version, handler),
        Language::Python(..) => python(survey, handler),
        Language::Ruby => match handler.split_once('.') {
            Some((file, method)) if !file.is_empty() && !method.is_empty() => {
                Meaning::Files(vec![format!("{file}.rb"), format!("{file}.so")])
            }
            _ => Meaning::Malformed("one looks like `file.method` or `file.Class.method`"),
        },
        Language::Java => match handler.rsplit_once("::") {
            Some(("", _) | (_, "")) => Meaning::Malformed("one looks like `package.Class::method`"),
            Some((class, _)) => Meaning::Class(class.replace('.', "/")),
            None => Meaning::Class(handler.replace('.', "/")),
        },
        Language::Dotnet => match handler.split("::").collect::<Vec<_>>()[..] {
            // A handler of one part names a program: AWS' `bootstrap-al2023.sh` starts it.
            [program] if !program.is_empty() => Meaning::Files(vec![format!("{program}.dll"), program.to_owned()]),
            [assembly, _, _] if !assembly.is_empty() => Meaning::Files(vec![format!("{assembly}.dll")]),
            _ => Meaning::Malformed("one looks like `Assembly::Namespace.Class::Method`"),
        },
        Language::Go => Meaning::Files(vec![handler.to_owned()]),
        Language::Provided => Meaning::Files(vec!["bootstrap".to_owned()]),
    }
}

/// The module ends at the first dot of the last part. The text after this dot is the function.
fn node(version: u32, handler: &str) -> Meaning {
    const FORM: &str = "one looks like `file.function` or `folder/file.function`";
    let path = handler.strip_prefix(TASK_ROOT).or_else(|| handler.strip_prefix("./")).unwrap_or(handler);
    if path.starts_with('/') {
        return Meaning::OutsidePackage;
    }
    let (folder, last) = path.rsplit_once('/').map_or(("", path), |(folder, last)| (folder, last));
    let Some((name, function)) = last.split_once('.') else { return Meaning::Malformed(FORM) };
    if name.is_empty() || function.is_empty() || path.contains("..") {
        return Meaning::Malformed(FORM);
    }
    let module = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    // The runtime runs TypeScript from version 24 on.
    let extensions = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];
    let extensions = if version >= 24 { &extensions[..] } else { &extensions[..3] };
    let mut files: Vec<_> = extensions.iter().map(|extension| format!("{module}{extension}")).collect();
    files.push(module.clone());
    for package in [module, format!("node_modules/{name}")] {
        files.extend(["index.js", "package.json"].map(|file| format!("{package}/{file}")));
    }
    files.push(format!("node_modules/{name}.js"));
    Meaning::Files(files)
}

/// The module ends at the last dot. Slashes count as dots.
fn python(survey: &Survey, handler: &str) -> Meaning {
    let Some((module, function)) = handler.rsplit_once('.') else {
        return Meaning::Malformed("one looks like `module.function` or `package.module.function`");
    };
    let module = module.replace('.', "/");
    if function.is_empty() || module.split('/').any(str::is_empty) {
        return Meaning::Malformed("one looks like `module.function` or `package.module.function`");
    }
    let sources = ["py", "pyc"].map(|extension| format!("{module}.{extension}"));
    let packages = ["py", "pyc"].map(|extension| format!("{module}/__init__.{extension}"));
    // Compiled modules have tags in their names.
    let start = format!("{module}.");
    let compiled = survey.beginning(&start).filter(|file| extension(&file.name) == "so").map(|file| file.name.clone());
    Meaning::Files(sources.into_iter().chain(packages).chain(compiled).collect())
}

/// Whether the package has the place, below `folder`, which is empty or ends in `/`.
fn found(survey: &Survey, meaning: &Meaning, folder: &str) -> bool {
    match meaning {
        Meaning::Files(files) => files.iter().any(|file| survey.has(&format!("{folder}{file}"))),
        Meaning::Class(class) => {
            let library = survey.classes.as_ref().is_none_or(|classes| classes.contains(class));
            (folder.is_empty() && library) || survey.has(&format!("{folder}{class}.class"))
        }
        Meaning::OutsidePackage => true,
        Meaning::Malformed(_) => false,
    }
}

/// The folders that contain all files, each ending in `/`: `a/`, then `a/b/`. `__MACOSX`, which macOS adds to archives, does
/// not count.
fn shared_folder(survey: &Survey) -> Vec<&str> {
    let mut names = survey.files.iter().map(|file| file.name.as_str()).filter(|name| !name.starts_with("__MACOSX/"));
    let Some(first) = names.next() else { return Vec::new() };
    let last = names.next_back().unwrap_or(first);
    let ends = first.match_indices('/').map(|(end, _)| &first[..=end]);
    // The files are sorted, so the folders of the first and the last file contain all files between.
    ends.take_while(|folder| last.starts_with(*folder)).collect()
}

fn missing(survey: &Survey, facts: &Facts<'_>, language: Language, shown: &str, meaning: &Meaning) -> Problem {
    let mut files = match meaning {
        Meaning::Files(files) => files.clone(),
        Meaning::Class(class) => vec![format!("{class}.class")],
        Meaning::OutsidePackage | Meaning::Malformed(_) => Vec::new(),
    };
    let likely = if matches!(language, Language::Node(_)) { 3 } else { 1 };
    let looked = files.get(..likely).unwrap_or(&files).to_vec();
    let message = if language == Language::Provided {
        "`bootstrap` is not in the package, so the runtime cannot start".to_owned()
    } else {
        format!("`{shown}` is not in the package: there is no {}", few(looked.iter().map(String::as_str)))
    };
    if let (Language::Node(_), Some(script)) = (language, looked.first()) {
        let module = script.trim_end_matches(".js");
        files.extend(["ts", "tsx", "mts"].map(|extension| format!("{module}.{extension}")));
    }
    let help = advice(survey, language, shown, &files);
    let layers = if facts.has_other_code { ", unless a layer has it" } else { "" };
    finding(Rule::HandlerMissing, facts, "handler", format!("{message}{layers}"), help)
}

/// What to do, by the files that the package has instead.
fn advice(survey: &Survey, language: Language, shown: &str, files: &[String]) -> String {
    let names = || survey.files.iter().map(|file| file.name.as_str());
    let other_case = |name: &&str| files.iter().any(|file| file.eq_ignore_ascii_case(name) && file != name);
    if let Some(name) = names().find(other_case) {
        return format!("there is `{name}`: upper and lower case are different on Lambda");
    }
    if let Some(name) = files.iter().find(|file| is_typescript(file) && survey.has(file)) {
        return format!("`{name}` is TypeScript: compile it first, and package the result");
    }
    if language == Language::Provided {
        let program = ["bootstrap.exe", "bootstrap.sh", "main", "target/lambda/bootstrap"]
            .into_iter()
            .find(|name| survey.has(name));
        if survey.has("Cargo.toml") && program.is_none() {
            return "this is source code: build it with `cargo lambda build --release`, and set `zip` to the folder \
                    below `target/lambda`"
                .to_owned();
        }
        if survey.has("go.mod") && program.is_none() {
            return "this is source code: build it with `GOOS=linux CGO_ENABLED=0 go build -tags lambda.norpc -o \
                    bootstrap`, and set `zip` to `bootstrap`"
                .to_owned();
        }
        let hint = program.map(|name| format!("; there is `{name}`")).unwrap_or_default();
        return format!("name the program `bootstrap`, at the root of the package{hint}");
    }
    let below = |file: &String| {
        let end = format!("/{file}");
        let own = |name: &&str| name.ends_with(&end) && !name.contains("node_modules/");
        names().filter(own).min_by_key(|name| name.len()).map(|name| name[..name.len() - end.len()].to_owned())
    };
    if let Some(folder) = files.iter().take(3).find_map(below) {
        let handler =
            if language == Language::Java { String::new() } else { format!(", or `handler` to `{folder}/{shown}`") };
        return format!("it is in `{folder}`: set `zip` to that folder{handler}");
    }
    if names().any(|name| name.contains('\\')) {
        return "the archive separates folders by `\\`; make it with a tool that writes `/`".to_owned();
    }
    if names().any(|name| name.contains('/')) {
        return "correct `handler`, or set `zip` to the folder with the built code".to_owned();
    }
    format!("correct `handler`; the package has {}", few(names()))
}

fn is_typescript(name: &str) -> bool {
    matches!(extension(name), "ts" | "tsx" | "mts")
}

fn finding(rule: Rule, facts: &Facts<'_>, option: &'static str, message: String, help: String) -> Problem {
    // A layer may have the missing file.
    let weight = if facts.has_other_code { Weight::Warning } else { Weight::Error };
    rule.finds(weight, option, message, help)
}
