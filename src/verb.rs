//! The table of verbs: name, help, and what each may do. Must not know how a verb does it.

/// A verb of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::missing_docs_in_private_items, reason = "the help in the table says what each does")]
pub(crate) enum Verb {
    Deploy,
    Plan,
    Check,
    Doctor,
    Package,
    Render,
    Policy,
    Invoke,
    Status,
    Logs,
    Init,
    List,
    Delete,
    Rollback,
    Schema,
    Completions,
    Man,
}

/// A verb's row in the table.
pub(crate) struct Row {
    /// The word on the command line.
    pub name: &'static str,
    /// The line in the help.
    pub help: &'static str,
    /// How the configuration is read.
    pub purpose: Purpose,
    /// Whether the verb may change anything in AWS.
    pub may: May,
    /// What standard output is for.
    pub output: StandardOutput,
    /// Whether the verb has outputs for later steps of a CI.
    pub outputs: Outputs,
    /// The flags of this verb.
    pub flags: &'static [Flag],
    /// The options that the verb's help shows.
    pub options: Options,
}

/// How the configuration is read. A condition is a key under `on:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// For a deployment: conditions count.
    Deploy,
    /// For a plan: conditions count. In the build of a pull request, they count as they would after its merge.
    Plan,
    /// For a check: conditions do not count.
    Check,
    /// To show it: conditions do not count.
    Render,
    /// For a package: `function_name` is not required.
    Package,
    /// To show a live function or to act on it: conditions and the package do not count.
    Live,
    /// To show a Region: `function_name` is not required, and conditions and the package do not count.
    Region,
}

impl Purpose {
    /// Whether the configuration is read as for a deployment.
    pub(crate) fn deploys(self) -> bool {
        matches!(self, Self::Deploy | Self::Plan | Self::Check)
    }
}

/// Whether a verb may change anything in AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum May {
    /// It may, if there is something to change.
    Write,
    /// It never does.
    OnlyRead,
}

/// What standard output is for, without `--format json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StandardOutput {
    /// The log.
    Log,
    /// The result, which is often meant for another program. The log goes to standard error.
    Result,
}

/// Whether the verb has outputs for later steps of a CI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outputs {
    /// It has outputs.
    Written,
    /// It has none.
    None,
}

/// A flag of one verb.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flag {
    /// Its name, with underscores.
    pub name: &'static str,
    /// The placeholder of its value in the help; absent: the flag takes no value.
    pub value: Option<&'static str>,
    /// The line in the help.
    pub help: &'static str,
}

/// The options that the help of a verb shows. Every verb accepts every option, because all verbs read the same blocks.
pub(crate) enum Options {
    /// All options.
    All,
    /// No options: the verb reads no configuration.
    None,
    /// The options of these groups, and the options in these lists.
    Of(&'static [Group], &'static [&'static [&'static str]]),
}

/// A group of options, which the help and the manual show under one heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Account, Region and credentials.
    Target,
    /// Settings of the function.
    Function,
    /// The package or image.
    Code,
    /// Versions, aliases and layers.
    Release,
    /// Resources that belong to the function.
    Around,
    /// How this run behaves.
    Run,
}

impl Group {
    /// All groups, in the order of the help.
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

/// Options that every verb uses.
const RUN: &[&str] = &["config", "ci", "format", "log", "color", "quiet", "verbose", "junit", "summary_file"];

/// Options about results.
const FILES: &[&str] = &["output_file", "gitlab_annotations_file", "gitlab_codequality_file"];

impl Verb {
    /// Every verb, in the order of the help.
    pub(crate) const ALL: [Self; 17] = [
        Self::Deploy,
        Self::Plan,
        Self::Check,
        Self::Doctor,
        Self::Package,
        Self::Render,
        Self::Policy,
        Self::Invoke,
        Self::Status,
        Self::Logs,
        Self::Init,
        Self::List,
        Self::Delete,
        Self::Rollback,
        Self::Schema,
        Self::Completions,
        Self::Man,
    ];

    /// The verb of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.row().name == name)
    }

    /// The word on the command line.
    pub(crate) fn name(self) -> &'static str {
        self.row().name
    }

    /// The words of which one must follow the verb; empty if none may.
    pub(crate) const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Completions => &["bash", "elvish", "fish", "powershell", "zsh"],
            _ => &[],
        }
    }

    /// The table.
    #[expect(clippy::too_many_lines, reason = "a table, one row a verb, reads best in one piece")]
    pub(crate) const fn row(self) -> Row {
        match self {
            Self::Deploy => Row {
                name: "deploy",
                help: "Deploy the functions (the default verb)",
                purpose: Purpose::Deploy,
                may: May::Write,
                output: StandardOutput::Log,
                outputs: Outputs::Written,
                flags: &[],
                options: Options::All,
            },
            Self::Plan => Row {
                name: "plan",
                help: "Show what `deploy` would do, and change nothing",
                purpose: Purpose::Plan,
                may: May::OnlyRead,
                output: StandardOutput::Log,
                outputs: Outputs::Written,
                flags: &[Flag { name: "exit_code", value: None, help: "Exit with 2 when there are changes" }],
                options: Options::Of(
                    &[Group::Target],
                    &[
                        &[
                            "function_name",
                            "dry_run",
                            "if_skipped",
                            "keep_going",
                            "all_or_nothing",
                            "parallel",
                            "wait_timeout",
                        ],
                        &["comment", "comment_token"],
                        RUN,
                        FILES,
                    ],
                ),
            },
            Self::Check => Row {
                name: "check",
                help: "Check the configuration and the package; needs neither AWS nor credentials",
                purpose: Purpose::Check,
                may: May::OnlyRead,
                output: StandardOutput::Log,
                outputs: Outputs::None,
                flags: &[],
                options: Options::Of(&[Group::Code], &[&["function_name", "gitlab_codequality_file"], RUN]),
            },
            Self::Doctor => Row {
                name: "doctor",
                help: "Show whether a deployment from here can work: identity, Region, rights, quotas",
                purpose: Purpose::Check,
                may: May::OnlyRead,
                output: StandardOutput::Result,
                outputs: Outputs::None,
                flags: &[],
                options: Options::Of(&[Group::Target], &[&["function_name", "wait_timeout"], RUN]),
            },
            Self::Package => Row {
                name: "package",
                help: "Build the package; needs no function, Region or credentials",
                purpose: Purpose::Package,
                may: May::OnlyRead,
                output: StandardOutput::Log,
                outputs: Outputs::None,
                flags: &[
                    Flag { name: "output", value: Some("FILE"), help: "Where to write the archive" },
                    Flag { name: "list", value: None, help: "Show the entries with mode and size" },
                ],
                options: Options::Of(&[Group::Code], &[&["function_name", "layer", "extension"], RUN]),
            },
            Self::Render => Row {
                name: "render",
                help: "Show the resolved configuration, and where each value comes from; needs no AWS",
                purpose: Purpose::Render,
                may: May::OnlyRead,
                output: StandardOutput::Result,
                outputs: Outputs::None,
                flags: &[],
                options: Options::Of(&[], &[&["function_name"], RUN]),
            },
            Self::Policy => Row {
                name: "policy",
                help: "Show the least IAM policy for a verb and this configuration; needs no AWS",
                purpose: Purpose::Check,
                may: May::OnlyRead,
                output: StandardOutput::Result,
                outputs: Outputs::None,
                flags: &[
                    Flag {
                        name: "for",
                        value: Some("VERBS"),
                        help: "The verbs to allow, with commas between them. Default: `deploy`",
                    },
                    Flag {
                        name: "like",
                        value: Some("PATTERNS"),
                        help: "Patterns that stand for the names they fit, such as `shop-*`, with commas between them",
                    },
                ],
                options: Options::Of(&[], &[&["function_name"], RUN]),
            },
            Self::Invoke => Row {
                name: "invoke",
                help: "Invoke the function, and show its response and the end of its log",
                purpose: Purpose::Live,
                may: May::Write,
                output: StandardOutput::Log,
                outputs: Outputs::None,
                flags: &[
                    Flag {
                        name: "payload",
                        value: Some("JSON"),
                        help: "JSON, `@FILE`, or `-` for standard input. Default: `{}`",
                    },
                    Flag {
                        name: "qualifier",
                        value: Some("NAME"),
                        help: "Version or alias. Default: the alias of the block, else `$LATEST`",
                    },
                    Flag { name: "asynchronous", value: None, help: "Invoke without waiting for the response" },
                ],
                options: Options::Of(&[Group::Target], &[&["function_name", "alias", "dry_run", "wait_timeout"], RUN]),
            },
            Self::Status => Row {
                name: "status",
                help: "Show the live function: state, code, versions, aliases, URL, concurrency",
                purpose: Purpose::Live,
                may: May::OnlyRead,
                output: StandardOutput::Log,
                outputs: Outputs::None,
                flags: &[],
                options: Options::Of(&[Group::Target], &[&["function_name", "wait_timeout"], RUN]),
            },
            Self::Logs => Row {
                name: "logs",
                help: "Show the log of the function, and follow it",
                purpose: Purpose::Live,
                may: May::OnlyRead,
                output: StandardOutput::Result,
                outputs: Outputs::None,
                flags: &[
                    Flag {
                        name: "since",
                        value: Some("TIME"),
                        help: "Where to begin: `10m`, `2h`, `1d`, or a date in UTC. Default: `1h`",
                    },
                    Flag { name: "follow", value: None, help: "Wait for new events until ctrl-C" },
                    Flag {
                        name: "qualifier",
                        value: Some("NAME"),
                        help: "Show only this version, or the versions of this alias",
                    },
                    Flag {
                        name: "filter",
                        value: Some("PATTERN"),
                        help: "Show only the events that fit this pattern of CloudWatch",
                    },
                    Flag { name: "request_id", value: Some("ID"), help: "Show only the events of this invocation" },
                ],
                options: Options::Of(&[Group::Target], &[&["function_name", "wait_timeout"], RUN]),
            },
            Self::Init => Row {
                name: "init",
                help: "Write a dpl.yml: the block of an existing function, or those of a .travis.yml",
                purpose: Purpose::Live,
                may: May::OnlyRead,
                output: StandardOutput::Result,
                outputs: Outputs::None,
                flags: &[Flag {
                    name: "from",
                    value: Some("FILE"),
                    help: "Convert the deployments of this `.travis.yml`; needs no AWS",
                }],
                options: Options::Of(&[Group::Target], &[&["function_name", "alias", "wait_timeout"], RUN]),
            },
            Self::List => Row {
                name: "list",
                help: "List the functions of the Region",
                purpose: Purpose::Region,
                may: May::OnlyRead,
                output: StandardOutput::Log,
                outputs: Outputs::None,
                flags: &[],
                options: Options::Of(&[Group::Target], &[&["wait_timeout"], RUN]),
            },
            Self::Delete => Row {
                name: "delete",
                help: "Delete the function, or one version of it",
                purpose: Purpose::Live,
                may: May::Write,
                output: StandardOutput::Log,
                outputs: Outputs::None,
                flags: &[
                    Flag { name: "qualifier", value: Some("VERSION"), help: "Delete only this version" },
                    Flag { name: "yes", value: None, help: "Do not ask" },
                ],
                options: Options::Of(&[Group::Target], &[&["function_name", "dry_run", "wait_timeout"], RUN]),
            },
            Self::Rollback => Row {
                name: "rollback",
                help: "Undo the last deployment of the alias, or move it to the version you name",
                purpose: Purpose::Live,
                may: May::Write,
                output: StandardOutput::Log,
                outputs: Outputs::Written,
                flags: &[
                    Flag {
                        name: "to",
                        value: Some("VERSION"),
                        help: "The version to go to. Default: the one before the last deployment",
                    },
                    Flag { name: "any_build", value: None, help: "In a CI, also undo the deployment of another build" },
                ],
                options: Options::Of(
                    &[Group::Target],
                    &[&["function_name", "alias", "dry_run", "wait_timeout"], RUN, FILES],
                ),
            },
            Self::Schema => Row {
                name: "schema",
                help: "Print the JSON Schema of dpl.yml, for editors",
                purpose: Purpose::Render,
                may: May::OnlyRead,
                output: StandardOutput::Result,
                outputs: Outputs::None,
                flags: &[Flag {
                    name: "travis",
                    value: None,
                    help: "Print the schema of a block in .travis.yml instead",
                }],
                options: Options::None,
            },
            Self::Completions => Row {
                name: "completions",
                help: "Print the completions for a shell: bash, elvish, fish, powershell or zsh",
                purpose: Purpose::Render,
                may: May::OnlyRead,
                output: StandardOutput::Result,
                outputs: Outputs::None,
                flags: &[],
                options: Options::None,
            },
            Self::Man => Row {
                name: "man",
                help: "Print the man page",
                purpose: Purpose::Render,
                may: May::OnlyRead,
                output: StandardOutput::Result,
                outputs: Outputs::None,
                flags: &[],
                options: Options::None,
            },
        }
    }
}
