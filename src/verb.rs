//! The verbs, one table: name, help, what each may do. Must not know how any of it is done.

/// What the user wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Deploy,
    Plan,
    Check,
    Package,
    Render,
    Policy,
    Invoke,
    Status,
    Init,
    List,
    Delete,
    Rollback,
}

/// A verb's row in the table.
pub(crate) struct Row {
    /// The word on the command line.
    pub name: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// What the configuration is read for.
    pub purpose: Purpose,
    /// Whether anything may be changed.
    pub may: May,
    /// Whose standard output is.
    pub output: Owner,
    /// Whether later steps of a CI get results.
    pub results: Results,
    /// The flags that only this verb has.
    pub flags: &'static [Flag],
    /// The options that its help shows.
    pub options: Options,
}

/// What is going to be done with the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Deploy: conditions count.
    Deploy,
    /// Plan: conditions count, in the build of a pull request as they would after its merge.
    Plan,
    /// Only look whether everything is right: conditions do not count.
    Check,
    /// Only show it: conditions do not count.
    Render,
    /// Only package: no function is needed.
    Package,
    /// Look at what is live, or act on it: neither conditions nor the package count.
    Live,
    /// Look around in a Region: no function is needed either.
    Region,
}

/// Whether a verb may change anything in AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum May {
    Write,
    OnlyLook,
}

/// Whose standard output is in a run of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The log's.
    Log,
    /// The answer's, which is often meant for another program. The log goes to standard error.
    Answer,
}

/// Whether later steps of a CI get results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Results {
    Handed,
    None,
}

/// A flag of one verb.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flag {
    /// Its name, with underscores.
    pub name: &'static str,
    /// What stands for its value in the help; absent for a switch.
    pub value: Option<&'static str>,
    /// What it means, in one line.
    pub help: &'static str,
}

/// The options that the help of a verb shows. Every verb accepts every option: a block has them all.
pub(crate) enum Options {
    /// All of them.
    All,
    /// Those of these groups and of these lists of names.
    Of(&'static [Group], &'static [&'static [&'static str]]),
}

/// A topic of options, which the help and the manual show under one heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Who and where.
    Target,
    /// What the function is like.
    Function,
    /// What it is made of.
    Code,
    /// What is published.
    Release,
    /// What stands around the function.
    Around,
    /// How this run goes.
    Run,
}

impl Group {
    /// All groups in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Target, Self::Function, Self::Code, Self::Release, Self::Around, Self::Run];

    /// The heading over the group.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Target => "Target and credentials",
            Self::Function => "Function",
            Self::Code => "Code",
            Self::Release => "Release",
            Self::Around => "Around the function",
            Self::Run => "The run",
        }
    }
}

/// Options that count in every run.
const RUN: &[&str] = &["config", "ci", "format", "color", "quiet", "verbose", "junit", "summary_file"];

/// Options about results for later steps.
const FILES: &[&str] = &["output_file", "gitlab_annotations_file", "gitlab_codequality_file"];

impl Verb {
    /// Every verb, in the order of the help.
    pub(crate) const ALL: [Self; 12] = [
        Self::Deploy,
        Self::Plan,
        Self::Check,
        Self::Package,
        Self::Render,
        Self::Policy,
        Self::Invoke,
        Self::Status,
        Self::Init,
        Self::List,
        Self::Delete,
        Self::Rollback,
    ];

    /// The verb of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.row().name == name)
    }

    /// The word on the command line.
    pub(crate) fn name(self) -> &'static str {
        self.row().name
    }

    /// The table.
    #[expect(clippy::too_many_lines, reason = "a table, one row a verb, reads best in one piece")]
    pub(crate) const fn row(self) -> Row {
        match self {
            Self::Deploy => Row {
                name: "deploy",
                help: "Make the functions what they should be (the default)",
                purpose: Purpose::Deploy,
                may: May::Write,
                output: Owner::Log,
                results: Results::Handed,
                flags: &[],
                options: Options::All,
            },
            Self::Plan => Row {
                name: "plan",
                help: "Show what deploy would do, and change nothing",
                purpose: Purpose::Plan,
                may: May::OnlyLook,
                output: Owner::Log,
                results: Results::Handed,
                flags: &[Flag { name: "exit_code", value: None, help: "Exit with 2 when there are changes" }],
                options: Options::Of(
                    &[Group::Target],
                    &[&["function_name", "dry_run", "if_skipped", "wait_timeout"], RUN, FILES],
                ),
            },
            Self::Check => Row {
                name: "check",
                help: "Look whether configuration and package are right; needs neither AWS nor credentials",
                purpose: Purpose::Check,
                may: May::OnlyLook,
                output: Owner::Log,
                results: Results::None,
                flags: &[],
                options: Options::Of(&[Group::Code], &[&["function_name", "gitlab_codequality_file"], RUN]),
            },
            Self::Package => Row {
                name: "package",
                help: "Build the package; needs no function, Region or credentials",
                purpose: Purpose::Package,
                may: May::OnlyLook,
                output: Owner::Log,
                results: Results::None,
                flags: &[
                    Flag { name: "output", value: Some("FILE"), help: "Where to write the archive" },
                    Flag { name: "list", value: None, help: "Show the entries with mode and size" },
                ],
                options: Options::Of(&[Group::Code], &[&["function_name", "layer", "extension"], RUN]),
            },
            Self::Render => Row {
                name: "render",
                help: "Show what the configuration comes to, and where each value is from; needs no AWS",
                purpose: Purpose::Render,
                may: May::OnlyLook,
                output: Owner::Answer,
                results: Results::None,
                flags: &[],
                options: Options::Of(&[], &[&["function_name"], RUN]),
            },
            Self::Policy => Row {
                name: "policy",
                help: "Show the least IAM policy for deploying this configuration; needs no AWS",
                purpose: Purpose::Check,
                may: May::OnlyLook,
                output: Owner::Answer,
                results: Results::None,
                flags: &[],
                options: Options::Of(&[], &[&["function_name"], RUN]),
            },
            Self::Invoke => Row {
                name: "invoke",
                help: "Call the function, and show its answer and the end of its log",
                purpose: Purpose::Live,
                may: May::Write,
                output: Owner::Log,
                results: Results::None,
                flags: &[
                    Flag {
                        name: "payload",
                        value: Some("JSON"),
                        help: "JSON, `@FILE`, or `-` for standard input; without it `{}`",
                    },
                    Flag {
                        name: "qualifier",
                        value: Some("NAME"),
                        help: "Version or alias; without it the alias of the block, or `$LATEST`",
                    },
                    Flag {
                        name: "asynchronous",
                        value: None,
                        help: "Hand the call over and do not wait for its answer",
                    },
                ],
                options: Options::Of(&[Group::Target], &[&["function_name", "alias", "dry_run", "wait_timeout"], RUN]),
            },
            Self::Status => Row {
                name: "status",
                help: "Show what is live: state, code, versions, aliases, URL, concurrency",
                purpose: Purpose::Live,
                may: May::OnlyLook,
                output: Owner::Log,
                results: Results::None,
                flags: &[],
                options: Options::Of(&[Group::Target], &[&["function_name", "wait_timeout"], RUN]),
            },
            Self::Init => Row {
                name: "init",
                help: "Show the block of a function that exists, for a new dpl.yml",
                purpose: Purpose::Live,
                may: May::OnlyLook,
                output: Owner::Answer,
                results: Results::None,
                flags: &[],
                options: Options::Of(&[Group::Target], &[&["function_name", "alias", "wait_timeout"], RUN]),
            },
            Self::List => Row {
                name: "list",
                help: "Show the functions of the Region",
                purpose: Purpose::Region,
                may: May::OnlyLook,
                output: Owner::Log,
                results: Results::None,
                flags: &[],
                options: Options::Of(&[Group::Target], &[&["wait_timeout"], RUN]),
            },
            Self::Delete => Row {
                name: "delete",
                help: "Delete the function, or one version of it",
                purpose: Purpose::Live,
                may: May::Write,
                output: Owner::Log,
                results: Results::None,
                flags: &[
                    Flag { name: "qualifier", value: Some("VERSION"), help: "Delete only this version" },
                    Flag { name: "yes", value: None, help: "Do not ask" },
                ],
                options: Options::Of(&[Group::Target], &[&["function_name", "dry_run", "wait_timeout"], RUN]),
            },
            Self::Rollback => Row {
                name: "rollback",
                help: "Let the alias point where it pointed before, or at a version",
                purpose: Purpose::Live,
                may: May::Write,
                output: Owner::Log,
                results: Results::Handed,
                flags: &[Flag {
                    name: "to",
                    value: Some("VERSION"),
                    help: "The version to go back to; without it the one that the alias remembers",
                }],
                options: Options::Of(
                    &[Group::Target],
                    &[&["function_name", "alias", "dry_run", "wait_timeout"], RUN, FILES],
                ),
            },
        }
    }
}
