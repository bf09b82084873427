//! Checks whether the handler is in the package, at a place where its runtime looks for it.
//!
//! Node.js: `UserFunction.js` of aws-lambda-nodejs-runtime-interface-client. Python: `bootstrap.py` of
//! awslambdaric. Ruby: `lambda_handler.rb` of aws-lambda-ruby-runtime-interface-client. Java: `HandlerInfo` and
//! `CustomerClassLoader` of aws-lambda-java-libs. .NET: "Define Lambda function handler in C#" in the guide.

use super::language::Language;
use super::path::extension;
use super::rule::{Facts, OtherCode, Rule, few};
use super::survey::Survey;
use super::{nested, wrapper};
use crate::place::{Problem, Weight};

/// The folder into which Lambda unpacks a package.
pub(super) const TASK_ROOT: &str = "/var/task/";

/// The folder into which Lambda unpacks layers.
const LAYERS: &str = "/opt/";

/// The place that a handler refers to.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    /// One of these files, the most likely first.
    Files(Vec<String>),
    /// A class, as a path without its extension, in the package or in one of its libraries.
    Class(String),
    /// A program, by its path in the package.
    Program(String),
    /// A file outside of the package.
    OutsidePackage,
    /// Nothing: the handler has not the expected form, which this text describes.
    Malformed(&'static str),
}

/// What has to be in the package.
struct Wanted<'a> {
    language: Language,
    /// What messages call it.
    shown: &'a str,
    meaning: Meaning,
    /// The option that names it.
    option: &'static str,
    /// The variable that names it instead of the function's handler; absent for that handler.
    variable: Option<&'static str>,
}

/// What the runtime, or a wrapper of it, is going to start; `None` if that is unknown.
fn wanted<'a>(survey: &Survey, facts: &Facts<'a>) -> Option<Wanted<'a>> {
    let language = facts.language()?;
    let of_function = |shown, meaning| Wanted { language, shown, meaning, option: "handler", variable: None };
    if language == Language::Provided {
        return Some(of_function("bootstrap", Meaning::Files(vec!["bootstrap".to_owned()])));
    }
    let handler = facts.handler?.0.as_str();
    if wrapper::starts_web_server(facts) {
        return Some(of_function(handler, Meaning::Program(handler.trim_start_matches("./").to_owned())));
    }
    let own = meaning(survey, language, handler);
    let Some(variable) = wrapper::variable(handler) else { return Some(of_function(handler, own)) };
    // Only a package that surely has no layers must contain the wrapper.
    if facts.other_code == OtherCode::No && !found(survey, &own, "") {
        return Some(of_function(handler, own));
    }
    let shown = *facts.variables.get(variable)?;
    let meaning = meaning(survey, language, shown);
    Some(Wanted { language, shown, meaning, option: "environment", variable: Some(variable) })
}

/// The files of the package that the runtime may load for the handler.
pub(super) fn files(survey: &Survey, facts: &Facts<'_>) -> Vec<String> {
    match wanted(survey, facts).map(|wanted| wanted.meaning) {
        Some(Meaning::Files(files)) => files.into_iter().filter(|file| survey.file(file).is_some()).collect(),
        Some(Meaning::Program(file)) => vec![file],
        _ => Vec::new(),
    }
}

/// The name in the handler's file that the runtime calls, the handler, and the option that sets it; `None` if it is unknown,
/// or the language has no such rule here.
pub(super) fn function<'a>(survey: &Survey, facts: &Facts<'a>) -> Option<(&'a str, &'a str, &'static str)> {
    let Wanted { language, shown, option, meaning: Meaning::Files(_), .. } = wanted(survey, facts)? else {
        return None;
    };
    let name = match language {
        Language::Python(..) => shown.rsplit_once('.')?.1,
        Language::Node(_) => shown.rsplit('/').next()?.split('.').nth(1)?,
        _ => return None,
    };
    Some((name, shown, option))
}

/// A problem if the runtime could not find the handler.
pub(super) fn rules(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    if nested::inner(survey).is_some() {
        return Vec::new();
    }
    let Some(wanted) = wanted(survey, facts) else { return Vec::new() };
    let Wanted { shown, meaning, .. } = &wanted;
    let in_layer = facts.other_code == OtherCode::Yes && wanted.language == Language::Provided;
    if found(survey, meaning, "") || in_layer {
        return Vec::new();
    }
    if let Meaning::Malformed(form) = meaning {
        let message = format!("`{shown}` is not a handler of this runtime");
        let help = format!("{form}, where the file has no extension");
        return vec![finding(Rule::HandlerMissing, facts, Certainty::Sure, &wanted, &message, help)];
    }
    if let Some(folder) = shared_folder(survey).into_iter().find(|folder| found(survey, meaning, folder)) {
        let folder = folder.trim_end_matches('/');
        let message = format!("all files of the package are in `{folder}`, so `{shown}` is not at the root");
        let help = format!(
            "set `zip` to the folder `{folder}`; make an archive inside of the folder (`cd {folder} && zip -r ../f.zip .`)"
        );
        let problem = finding(Rule::RootTooDeep, facts, Certainty::Sure, &wanted, &message, help);
        return vec![Problem { option: Some("zip".to_owned()), ..problem }];
    }
    vec![missing(survey, facts, &wanted)]
}

fn meaning(survey: &Survey, language: Language, handler: &str) -> Meaning {
    if handler.starts_with(LAYERS) {
        return Meaning::OutsidePackage;
    }
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
        Meaning::Program(file) => survey.has(&format!("{folder}{file}")),
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

fn missing(survey: &Survey, facts: &Facts<'_>, wanted: &Wanted<'_>) -> Problem {
    let Wanted { language, shown, meaning, variable, .. } = wanted;
    let mut files = match meaning {
        Meaning::Files(files) => files.clone(),
        Meaning::Class(class) => vec![format!("{class}.class")],
        Meaning::Program(file) => vec![file.clone()],
        Meaning::OutsidePackage | Meaning::Malformed(_) => Vec::new(),
    };
    let likely = if matches!((language, meaning), (Language::Node(_), Meaning::Files(_))) { 3 } else { 1 };
    let looked = files.get(..likely).unwrap_or(&files).to_vec();
    let names = variable.map(|variable| format!(", which `{variable}` names,")).unwrap_or_default();
    let message = if *language == Language::Provided {
        "`bootstrap` is not in the package, so the runtime cannot start".to_owned()
    } else if matches!(meaning, Meaning::Program(_)) {
        format!("`{shown}` is not in the package, but the web adapter starts it")
    } else {
        format!("`{shown}`{names} is not in the package: there is no {}", few(looked.iter().map(String::as_str)))
    };
    if let (Language::Node(_), Some(script)) = (language, looked.first()) {
        let module = script.trim_end_matches(".js");
        files.extend(["ts", "tsx", "mts"].map(|extension| format!("{module}.{extension}")));
    }
    let (certainty, help) = advice(survey, wanted, &files);
    finding(Rule::HandlerMissing, facts, certainty, wanted, &message, help)
}

/// Whether the package itself shows that the handler was meant to be in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    /// It has the file under another name, or in another folder.
    Sure,
    /// A layer may have it.
    Unsure,
}

/// What to do, by the files that the package has instead.
fn advice(survey: &Survey, wanted: &Wanted<'_>, files: &[String]) -> (Certainty, String) {
    let Wanted { language, shown, option, .. } = wanted;
    let names = || survey.files.iter().map(|file| file.name.as_str());
    let other_case = |name: &&str| files.iter().any(|file| file.eq_ignore_ascii_case(name) && file != name);
    if let Some(name) = names().find(other_case) {
        return (Certainty::Sure, format!("there is `{name}`: upper and lower case are different on Lambda"));
    }
    if let Some(name) = files.iter().find(|file| is_typescript(file) && survey.has(file)) {
        return (Certainty::Sure, format!("`{name}` is TypeScript: compile it first, and package the result"));
    }
    if *language == Language::Provided {
        return program_advice(survey);
    }
    let below = |file: &String| {
        let end = format!("/{file}");
        let own = |name: &&str| name.ends_with(&end) && !name.contains("node_modules/");
        names().filter(own).min_by_key(|name| name.len()).map(|name| name[..name.len() - end.len()].to_owned())
    };
    if let Some(folder) = files.iter().take(3).find_map(below) {
        let handler =
            if *language == Language::Java { String::new() } else { format!(", or `{option}` to `{folder}/{shown}`") };
        return (Certainty::Sure, format!("it is in `{folder}`: set `zip` to that folder{handler}"));
    }
    let help = if names().any(|name| name.contains('/')) {
        format!("correct `{option}`, or set `zip` to the folder with the built code")
    } else {
        format!("correct `{option}`; the package has {}", few(names()))
    };
    (Certainty::Unsure, help)
}

/// What to do about a missing `bootstrap`.
fn program_advice(survey: &Survey) -> (Certainty, String) {
    let program =
        ["bootstrap.exe", "bootstrap.sh", "main", "target/lambda/bootstrap"].into_iter().find(|name| survey.has(name));
    let sources = "this is source code: build it with";
    match program {
        Some(name) => {
            let help = format!("name the program `bootstrap`, at the root of the package; there is `{name}`");
            (Certainty::Sure, help)
        }
        None if survey.has("Cargo.toml") => {
            let help =
                format!("{sources} `cargo lambda build --release`, and set `zip` to the folder below `target/lambda`");
            (Certainty::Sure, help)
        }
        None if survey.has("go.mod") => {
            let help = format!(
                "{sources} `GOOS=linux CGO_ENABLED=0 go build -tags lambda.norpc -o bootstrap`, and set `zip` to `bootstrap`"
            );
            (Certainty::Sure, help)
        }
        None => (Certainty::Unsure, "name the program `bootstrap`, at the root of the package".to_owned()),
    }
}

fn is_typescript(name: &str) -> bool {
    matches!(extension(name), "ts" | "tsx" | "mts")
}

fn finding(
    rule: Rule,
    facts: &Facts<'_>,
    certainty: Certainty,
    wanted: &Wanted<'_>,
    message: &str,
    help: String,
) -> Problem {
    // A layer may have the missing file.
    let (weight, unless) = match (facts.other_code, certainty) {
        (OtherCode::Yes, _) if rule == Rule::HandlerMissing => (Weight::Warning, ", unless a layer has it"),
        (OtherCode::Yes, _) => (Weight::Warning, ""),
        (OtherCode::Unknown, Certainty::Unsure) => {
            (Weight::Warning, ", unless the live function has a layer with it, which only `plan` can see")
        }
        (OtherCode::No, _) | (OtherCode::Unknown, Certainty::Sure) => (Weight::Error, ""),
    };
    rule.finds(weight, wanted.option, format!("{message}{unless}"), help)
}
