//! Checks the programs of a package that Lambda starts: `bootstrap`, extensions, and scripts that start a function.
//!
//! Lambda starts them as Linux does (execve(2)). A missing `bootstrap` is found by `handler`.

use super::contents::Origin;
use super::handler::TASK_ROOT;
use super::language::Language;
use super::path::extension;
use super::rule::{Facts, OtherCode, Rule, Subject, few};
use super::runtimes::{System, system};
use super::survey::{Survey, is_link};
use super::wrapper::{self, EXEC_WRAPPER};
use crate::place::{Problem, Weight};

/// A program that Lambda, or a program in a layer, starts.
struct Program<'a> {
    name: &'a str,
    /// The weight of a problem: an error if nothing could run.
    weight: Weight,
    /// Whether the kernel starts it, and not a shell. A shell also runs a script without `#!`.
    by_kernel: bool,
}

/// Reasons why Linux could not start a program.
pub(super) fn rules(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    let programs = programs(survey, facts);
    let mut problems: Vec<_> = programs.iter().flat_map(|program| problems(survey, facts, program)).collect();
    let ends_wrongly = |(name, head): &(&String, &Vec<u8>)| {
        has_carriage_return(head) && programs.iter().all(|program| program.name != name.as_str())
    };
    let others: Vec<_> = survey.heads.iter().filter(ends_wrongly).map(|(name, _)| name.as_str()).collect();
    if let Some(first) = others.first() {
        let (the, end) = if others.len() == 1 { ("the first line of", "ends") } else { ("the first lines of", "end") };
        let message = format!(
            "{the} {} {end} with a carriage return, as on Windows, so Linux would not find the interpreter",
            few(others.iter().copied())
        );
        problems.push(Rule::ProgramCrlf.finds(Weight::Warning, "zip", message, unix_lines(first)).on(*first));
    }
    problems
}

fn programs<'a>(survey: &'a Survey, facts: &Facts<'a>) -> Vec<Program<'a>> {
    let mut programs = Vec::new();
    let provided = facts.language() == Some(Language::Provided);
    if provided || facts.subject == Subject::Layer {
        programs.push(Program { name: "bootstrap", weight: Weight::Error, by_kernel: true });
    }
    if facts.subject == Subject::Layer {
        let extensions = survey.beginning("extensions/").map(|file| file.name.as_str());
        let extensions = extensions.filter(|name| name.matches('/').count() == 1);
        programs.extend(extensions.map(|name| Program { name, weight: Weight::Error, by_kernel: true }));
    }
    let handler = facts.handler.map(|handler| handler.0.trim_start_matches("./"));
    if wrapper::starts_web_server(facts) {
        programs.extend(handler.map(|name| Program { name, weight: Weight::Error, by_kernel: false }));
    } else if provided {
        // The program in `bootstrap` may also read the script, and not start it.
        let script = handler.filter(|name| extension(name) == "sh" && *name != "bootstrap");
        programs.extend(script.map(|name| Program { name, weight: Weight::Warning, by_kernel: false }));
    }
    let own = facts.variables.get(EXEC_WRAPPER).and_then(|path| path.strip_prefix(TASK_ROOT));
    programs.extend(own.map(|name| Program { name, weight: Weight::Error, by_kernel: true }));
    programs.retain(|program| survey.file(program.name).is_some_and(|file| !is_link(file)));
    programs
}

fn problems(survey: &Survey, facts: &Facts<'_>, program: &Program<'_>) -> Vec<Problem> {
    let name = program.name;
    let is_bootstrap = name == "bootstrap";
    let rule = |of_bootstrap, of_others| if is_bootstrap { of_bootstrap } else { of_others };
    let find = |rule: Rule, message: String, help: String| rule.finds(program.weight, "zip", message, help).on(name);
    let mut problems = Vec::new();
    // Lambda runs it as a user who does not own the file, so the execute bit for others counts.
    if survey.file(name).is_some_and(|file| file.mode & 0o001 == 0) {
        let fails = if is_bootstrap { " (`Runtime.InvalidEntrypoint`)" } else { "" };
        let message = format!("`{name}` has no execute permission, so Lambda could not start it{fails}");
        let help = match survey.origin {
            Origin::Archive => {
                format!("run `chmod 755 {name}` on Linux or macOS before you make the archive, or set `repack: true`")
            }
            Origin::Files => format!(
                "run `chmod 755 {name}`; in git, `git update-index --chmod=+x {name}` keeps it; a script that begins with `#!` needs neither"
            ),
        };
        problems.push(find(rule(Rule::BootstrapNotExecutable, Rule::ProgramNotExecutable), message, help));
    }
    let Some(head) = survey.heads.get(name) else { return problems };
    let native = survey.binaries.iter().any(|binary| binary.name == name);
    if has_carriage_return(head) {
        let message = format!(
            "the first line of `{name}` ends with a carriage return, as on Windows, so Linux would not find its interpreter"
        );
        problems.push(find(rule(Rule::BootstrapCrlf, Rule::ProgramCrlf), message, unix_lines(name)));
    } else if head.starts_with(b"#!") {
        problems.extend(missing_interpreter(survey, facts, head).map(|(interpreter, help)| {
            let message = format!("`{name}` needs `{interpreter}`, which {} does not have", facts.system_name());
            find(Rule::ProgramInterpreter, message, help)
        }));
    } else if program.by_kernel && !native && !head.starts_with(b"\x7fELF") {
        let message = if head.starts_with(b"\xef\xbb\xbf#!") {
            format!("`{name}` has a byte order mark before its `#!`, so Linux could not start it")
        } else {
            format!(
                "`{name}` is neither a program for Linux nor a script that begins with `#!`, so Linux could not start it"
            )
        };
        let help = "begin the script with its interpreter, such as `#!/bin/sh`".to_owned();
        problems.push(find(rule(Rule::BootstrapNoShebang, Rule::ProgramNoShebang), message, help));
    }
    problems
}

fn has_carriage_return(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    head.starts_with(b"#!") && line.ends_with(b"\r")
}

fn unix_lines(name: &str) -> String {
    format!("use Unix line endings: run `dos2unix {name}`, and add `{name} text eol=lf` to `.gitattributes`")
}

/// The interpreter of a script, if the function's system surely does not have it, and what to do.
fn missing_interpreter(survey: &Survey, facts: &Facts<'_>, head: &[u8]) -> Option<(String, String)> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8(line.get(2..)?.to_vec()).ok()?;
    let mut words = line.split_whitespace();
    let path = words.next()?;
    let help = "use `#!/bin/sh` or `#!/bin/bash`, which every runtime has, or bring the interpreter in a layer";
    if let Some(own) = path.strip_prefix(TASK_ROOT) {
        let missing = facts.subject == Subject::Function && !survey.has(own);
        return missing.then(|| (path.to_owned(), "package the interpreter, or correct its path".to_owned()));
    }
    if path == "/usr/bin/env" {
        let command = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
        // A layer can bring commands in `/opt/bin`.
        let missing = facts.other_code == OtherCode::No && lacks(facts, command);
        return missing.then(|| (command.to_owned(), help.to_owned()));
    }
    let (folder, command) = path.rsplit_once('/')?;
    let missing = match folder {
        "/bin" | "/usr/bin" | "/sbin" | "/usr/sbin" => lacks_as_file(facts, command),
        "/opt/bin" | "/opt" => false,
        // Nothing is installed there, and no layer can add to it.
        _ => ["/usr/local/", "/home/", "/Users/", "/root/", "/opt/homebrew/", "/nix/"]
            .iter()
            .any(|place| path.starts_with(place)),
    };
    let by_path = || format!("use `#!/usr/bin/env {command}` if the runtime or a layer brings it; else {help}");
    missing.then(|| (path.to_owned(), by_path()))
}

/// Whether the search path of a function surely has no command of this name, if no layer brings one.
fn lacks(facts: &Facts<'_>, command: &str) -> bool {
    let of_runtime = match facts.language() {
        Some(Language::Node(_)) => command == "node",
        Some(Language::Python(..)) => command.starts_with("python"),
        Some(Language::Ruby) => command == "ruby",
        Some(Language::Java) => command == "java",
        Some(Language::Dotnet) => command == "dotnet",
        Some(Language::Go | Language::Provided) => false,
        None => return false,
    };
    !of_runtime && lacks_as_file(facts, command)
}

/// Whether the system of a runtime surely has no such file in `/bin` and `/usr/bin`. A runtime's own interpreter is in
/// `/var/lang/bin`. Amazon Linux 2 has Python 2, and Amazon Linux 2023 as Lambda has it, without `dnf`, has no Python.
fn lacks_as_file(facts: &Facts<'_>, command: &str) -> bool {
    match command {
        "node" | "nodejs" | "ruby" | "php" | "deno" | "bun" | "tsx" | "ts-node" | "zsh" | "fish" | "java"
        | "dotnet" | "pwsh" | "Rscript" | "julia" | "lua" => true,
        _ if command.starts_with("python") => facts.system() == Some(System::Al2023),
        _ => false,
    }
}

impl Facts<'_> {
    fn system(&self) -> Option<System> {
        system(&self.runtime?.0)
    }

    fn system_name(&self) -> String {
        self.runtime.map_or_else(|| "Lambda".to_owned(), |runtime| format!("`{}`", runtime.0))
    }
}
