//! Inspecting a package before anything is sent: what would surely break, and what is probably a mistake.
//!
//! [`survey`] looks once at a package and keeps what the rules need; [`inspect`] is a function of that and of what is
//! known about the function. An error blocks a deploy, so a rule is an error only where the function could not run.

mod binary;
mod bootstrap;
mod handler;
mod layout;
mod libc;
mod native;
mod path;
mod python;
mod runtimes;
mod secret;
mod survey;
mod weight;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;

pub use layout::layer_layout;
pub use runtimes::Date;
pub(super) use survey::is_link;
pub use survey::{Contents, ReadSeek, Survey, survey};

use crate::place::{Problem, Weight};
use crate::settings::{Architecture, Handler, Runtime};

/// What is known about the function that the package is for.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Named, else live; absent when unknown, and then the rules that need it stay silent.
    pub runtime: Option<&'a Runtime>,
    /// Named, else live; absent when unknown.
    pub handler: Option<&'a Handler>,
    /// Named, else live; absent when unknown, and then what the package is built for is taken.
    pub architecture: Option<Architecture>,
    /// Whether the function has layers or search paths of its own, where what the package lacks may be.
    pub elsewhere: bool,
    /// For the dates on which runtimes end.
    pub today: Date,
    /// Names of rules that the user does not want to hear of.
    pub ignore: &'a BTreeSet<String>,
}

/// Declares the rules with their names, so that none can be forgotten in a list.
macro_rules! rules {
    ($( $(#[$doc:meta])* $rule:ident: $name:literal, )*) => {
        /// What a package is looked at for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule { $( $(#[$doc])* $rule, )* }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$( Self::$rule, )*];

            /// The name by which users know it.
            pub fn name(self) -> &'static str {
                match self { $( Self::$rule => $name, )* }
            }

            /// The rule of a name, or what is wrong with it.
            pub fn parse(text: &str) -> Result<Self, String> {
                match text.trim() { $( $name => Ok(Self::$rule), )* other => Err(unknown_rule(other)) }
            }
        }
    };
}

rules! {
    /// The handler's file is not in the package. Source: how each runtime's interface client resolves `_HANDLER`
    /// (github.com/aws/aws-lambda-{nodejs,python,ruby}-runtime-interface-client, aws-lambda-java-libs), and for
    /// `provided*` the guide's "Building a custom runtime".
    HandlerMissing: "handler-missing",
    /// Everything lies one folder too deep. Source: the guide's "Working with .zip file archives": the handler is at the
    /// root of the archive.
    RootTooDeep: "root-too-deep",
    /// `bootstrap` may not be executed. Source: the guide's "Building a custom runtime", `Runtime.InvalidEntrypoint`.
    BootstrapNotExecutable: "bootstrap-not-executable",
    /// The first line of the script `bootstrap` ends like on Windows, so its interpreter is not found. Source: execve(2).
    BootstrapCrlf: "bootstrap-crlf",
    /// `bootstrap` is neither a program nor a script with `#!`. Source: execve(2), `ENOEXEC`.
    BootstrapNoShebang: "bootstrap-no-shebang",
    /// Native code for another processor. Source: the guide's "Selecting and configuring an instruction set architecture".
    WrongArchitecture: "wrong-architecture",
    /// Native code that needs a newer C library than the runtime's system has. Source: the guide's "Lambda runtimes" for
    /// the system; Amazon Linux 2 has glibc 2.26, Amazon Linux 2023 has 2.34.
    GlibcTooNew: "glibc-too-new",
    /// Native code for musl, while every managed system has glibc. Source: PEP 656.
    WrongLibc: "wrong-libc",
    /// Extension modules of another Python. Source: PEP 3149, and PEP 384 for `abi3`.
    PythonVersion: "python-version",
    /// A program or library for Windows or macOS.
    ForeignBinary: "foreign-binary",
    /// More than AWS unpacks. Source: the guide's "Lambda quotas", and `CodeSizeUnzipped` of `GetAccountSettings`.
    TooLargeUnzipped: "too-large-unzipped",
    /// A runtime at the end of its life. Source: the guide's "Lambda runtimes", deprecation dates.
    RuntimeDeprecated: "runtime-deprecated",
    /// A runtime that the table does not have. Source: the same page.
    RuntimeUnknown: "runtime-unknown",
    /// A layer whose files no runtime looks for. Source: the guide's "Packaging your layer content", the paths of each runtime.
    LayerLayout: "layer-layout",
    /// Something that is probably a secret.
    SecretFile: "secret-file",
    /// Files that no function reads, where they weigh something. Source: the guide's "Best practices": a small package
    /// starts faster.
    Waste: "waste",
    /// What interpreters and tools keep for themselves.
    InterpreterCache: "interpreter-cache",
}

fn unknown_rule(text: &str) -> String {
    let nearest = Rule::ALL.iter().min_by_key(|rule| strsim::osa_distance(text, rule.name()));
    let hint = nearest.map(|rule| format!("; the nearest is `{}`", rule.name())).unwrap_or_default();
    format!("there is no rule `{text}`{hint}")
}

/// Whether a file is a program or a library of Linux, Windows or macOS.
pub(super) fn is_native(file: File) -> bool {
    binary::read(Box::new(file)).is_some()
}

/// All that the rules find, errors first.
pub fn inspect(survey: &Survey, facts: &Facts<'_>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for rules in [
        handler::rules,
        bootstrap::rules,
        native::rules,
        libc::rules,
        python::rules,
        weight::rules,
        runtimes::rules,
        secret::rules,
    ] {
        problems.extend(rules(survey, facts));
    }
    problems.retain(|problem| !problem.rule.is_some_and(|rule| facts.ignore.contains(rule)));
    problems.sort_by_key(|problem| problem.weight);
    problems
}

impl Rule {
    /// What this rule found wrong with an option. Never has a secret in it.
    fn finds(self, weight: Weight, option: &str, message: impl Into<String>, help: impl Into<String>) -> Problem {
        let problem = Problem::new(message).weighing(weight).of(option).help(help);
        Problem { rule: Some(self.name()), ..problem }
    }
}

/// The first names of a list, and how many are left.
fn few<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

/// A count with its noun.
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
