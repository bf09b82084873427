//! The rules of inspection: their names, the facts that they need, and the words of their messages.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use time::Date;

use super::language::Language;
use crate::place::{Problem, Weight};
use crate::settings::{Architecture, Handler, Runtime};

/// What is known about the function of the package. "Named" means: set by the user.
#[derive(Debug, Clone)]
pub(crate) struct Facts<'a> {
    /// Named, else live; absent when unknown. Rules that need it then find nothing.
    pub runtime: Option<&'a Runtime>,
    /// Named, else live; absent when unknown.
    pub handler: Option<&'a Handler>,
    /// Named, else live; absent when unknown. The rules then take the architecture that the package is built for.
    pub architecture: Option<Architecture>,
    /// Whether the package is that of a function or of a layer.
    pub subject: Subject,
    /// Whether the function may load code from outside of the package: it has layers, or sets a search path.
    pub other_code: OtherCode,
    /// The variables of [`variables`](super::variables) that the function has, as far as they are known.
    pub variables: BTreeMap<&'a str, &'a str>,
    /// Whether the function exists.
    pub existence: Existence,
    /// The current day, compared with the dates on which runtimes end.
    pub today: Date,
    /// Names of the rules that the user turned off.
    pub ignore: &'a BTreeSet<String>,
}

/// Whether a function exists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Existence {
    /// It was not looked up.
    #[default]
    Unknown,
    /// The deployment creates it.
    New,
    /// It exists.
    Existing,
}

/// The use of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The code of a function.
    Function,
    /// The contents of a layer.
    Layer,
}

/// Whether a function may load code from outside of its package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OtherCode {
    /// It has no layers.
    No,
    /// The live function may have layers, but AWS was not asked.
    Unknown,
    /// It has layers or a search path of its own.
    Yes,
}

impl Facts<'_> {
    /// The language of the runtime; `None` when unknown.
    pub(super) fn language(&self) -> Option<Language> {
        Language::of(&self.runtime?.0)
    }
}

/// Declares the rules with their names, so that no list can miss one.
macro_rules! rules {
    ($( $(#[$doc:meta])* $rule:ident: $name:literal, )*) => {
        /// A rule of inspection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule { $( $(#[$doc])* $rule, )* }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$( Self::$rule, )*];

            /// The name that users see and that `ignore` takes.
            pub fn name(self) -> &'static str {
                match self { $( Self::$rule => $name, )* }
            }

            /// The rule of a name. The error names the nearest rule.
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
    /// All files are in a folder, and the handler is not at the root. Source: the guide's "Working with .zip file
    /// archives": the handler is at the root of the archive.
    RootTooDeep: "root-too-deep",
    /// `bootstrap` has no execute permission. Source: the guide's "Building a custom runtime", `Runtime.InvalidEntrypoint`.
    BootstrapNotExecutable: "bootstrap-not-executable",
    /// The first line of the script `bootstrap` ends with a carriage return, so Linux does not find its interpreter.
    /// Source: execve(2).
    BootstrapCrlf: "bootstrap-crlf",
    /// `bootstrap` is neither a program nor a script with `#!`. Source: execve(2), `ENOEXEC`.
    BootstrapNoShebang: "bootstrap-no-shebang",
    /// A program that must run has no execute permission: an extension, or the script that starts the function. Source:
    /// execve(2), `EACCES`.
    ProgramNotExecutable: "program-not-executable",
    /// The first line of a script ends with a carriage return. Source: execve(2).
    ProgramCrlf: "program-crlf",
    /// An extension is neither a program nor a script with `#!`. Source: execve(2), `ENOEXEC`.
    ProgramNoShebang: "program-no-shebang",
    /// The interpreter of a script that must run is not on the runtime's system.
    ProgramInterpreter: "program-interpreter",
    /// Files that only their owner may read. Source: the guide's "Working with .zip file archives": Lambda needs to read
    /// the files, so modes are 644 and 755.
    NotReadable: "not-readable",
    /// An archive whose only file is another archive.
    NestedArchive: "nested-archive",
    /// The handler's file does not define its function.
    HandlerUndefined: "handler-undefined",
    /// Dependencies that are declared but not in the package.
    DependenciesMissing: "dependencies-missing",
    /// Dependencies for development in the package.
    DevDependencies: "dev-dependencies",
    /// Hidden folders or libraries at the root that stayed out of the package.
    HiddenLeftOut: "hidden-left-out",
    /// Native code for another processor. Source: the guide's "Selecting and configuring an instruction set architecture".
    WrongArchitecture: "wrong-architecture",
    /// Native code that needs a newer glibc than the runtime's system has: 2.26 on Amazon Linux 2, 2.34 on Amazon Linux
    /// 2023. Source for the system: the guide's "Lambda runtimes".
    GlibcTooNew: "glibc-too-new",
    /// Native code for musl: every system of Lambda has glibc. Source: PEP 656.
    WrongLibc: "wrong-libc",
    /// Python extension modules for another version of Python. Source: PEP 3149, and PEP 384 for `abi3`.
    PythonVersion: "python-version",
    /// A program or library for Windows or macOS.
    ForeignBinary: "foreign-binary",
    /// A package whose unpacked size is above AWS' limit. Source: the guide's "Lambda quotas", and `CodeSizeUnzipped` of `GetAccountSettings`.
    TooLargeUnzipped: "too-large-unzipped",
    /// A runtime that is deprecated, or will be soon. Source: the guide's "Lambda runtimes", deprecation dates.
    RuntimeDeprecated: "runtime-deprecated",
    /// A runtime that is not in the table. Source: the same page.
    RuntimeUnknown: "runtime-unknown",
    /// A layer without a file in the folders that runtimes search. Source: the guide's "Packaging your layer content", the paths of each runtime.
    LayerLayout: "layer-layout",
    /// A file that is probably a secret.
    SecretFile: "secret-file",
    /// Files that a function seldom reads, if they take much space. Source: the guide's "Best practices": a small package
    /// starts faster.
    Waste: "waste",
    /// Caches of interpreters and tools.
    InterpreterCache: "interpreter-cache",
}

fn unknown_rule(text: &str) -> String {
    let nearest = Rule::ALL.iter().min_by_key(|rule| strsim::osa_distance(text, rule.name()));
    let hint = nearest.map(|rule| format!("; the nearest is `{}`", rule.name())).unwrap_or_default();
    format!("there is no rule `{text}`{hint}")
}

impl Rule {
    /// A problem that this rule found, about an option. The texts must not contain a secret.
    pub(super) fn finds(
        self,
        weight: Weight,
        option: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Problem {
        let problem = Problem::new(message).weighing(weight).of(option).help(help);
        Problem { rule: Some(self.name()), ..problem }
    }
}

/// The first three names of a list, and the number of the others.
pub(super) fn few<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

/// A count with its noun.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
