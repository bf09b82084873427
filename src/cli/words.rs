//! The one pass over the arguments: it classifies each word, and reduces every spelling that dpl accepts to one.
//!
//! Knows the names of options and flags. Does not check whether they suit the verb, or what their values mean.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::config::{
    Syntax,
    options::{self, Ambient, Kind, OPTIONS, Opt},
    yes_or_no,
};
use crate::place::{Place, Problem};
use crate::settings::{Secret, passwords, sounds_secret};
use crate::verb::{Flag, Verb};

/// Flags that every verb has; the parser answers them.
const QUESTIONS: [&str; 2] = ["help", "version"];

/// The classified arguments.
pub(super) struct Words {
    /// The first word that is a verb.
    pub verb: Option<Verb>,
    /// Everything else, in order.
    pub said: Vec<Said>,
    /// Whose syntax the command line uses: ours or dpl's.
    pub syntax: Syntax,
    /// Values of secret options, which must not be shown.
    pub secrets: Vec<Secret>,
    /// Values whose keys look like secrets, as in `--environment API_TOKEN=…`. They are also allowed as part of a name.
    pub values: Vec<Secret>,
    /// The error about a provider other than `lambda`.
    pub foreign: Option<Problem>,
}

/// A classified argument, with its value if it has one.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// An option.
    Option { option: &'static Opt, value: Option<String> },
    /// A flag of a verb.
    Flag { flag: &'static Flag, value: Option<String> },
    /// `--help` or `--version`.
    Question(&'static str),
    /// The word that follows the verb.
    Word(&'static str),
    /// An unknown argument, as written.
    Other(String),
}

impl Said {
    /// The argument in its canonical spelling.
    pub(super) fn spelled(&self) -> String {
        let (name, value) = match self {
            Self::Option { option, value, .. } => (option.name.to_owned(), value),
            Self::Flag { flag, value } => (flag.name.replace('_', "-"), value),
            Self::Question(name) => ((*name).to_owned(), &None),
            Self::Word(word) => return (*word).to_owned(),
            Self::Other(argument) => return argument.clone(),
        };
        value.as_ref().map_or_else(|| format!("--{name}"), |value| format!("--{name}={value}"))
    }
}

impl Words {
    /// Classifies the arguments. `called_as` is the name by which the program was called.
    pub(super) fn read(called_as: &str, arguments: &[String]) -> Self {
        let syntax = if called_as == "dpl" { Syntax::DplProgram } else { Syntax::Own };
        let (said, secrets, values) = (Vec::new(), Vec::new(), Vec::new());
        let mut words = Self { verb: None, said, syntax, secrets, values, foreign: None };
        let mut rest = arguments.iter().cloned().peekable();
        if rest.next_if(|first| first == "help").is_some() {
            words.said.push(Said::Question("help"));
        }
        if rest.next_if(|first| first == "lambda").is_some() {
            words.is_of_dpl();
        }
        for argument in arguments {
            words.secrets.extend(passwords(argument).into_iter().map(Secret::new));
            words.values.extend(values_of_secret_names(argument).map(Secret::new));
        }
        while let Some(argument) = rest.next() {
            let Some(long) = argument.strip_prefix("--") else {
                words.stands_alone(argument);
                continue;
            };
            if long.is_empty() {
                words.said.push(Said::Other(argument));
                words.said.extend(rest.by_ref().map(Said::Other));
                continue;
            }
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (options::canonical(name), Some(value.to_owned())),
                None => (options::canonical(long), None),
            };
            if name == "provider" {
                words.provider(&value.or_else(|| rest.next()).unwrap_or_default());
            } else if let Some(known) = Known::by(&name) {
                words.said.push(known.said(value, || rest.next_if(|next| !names_an_option(next))));
            } else {
                if looks_secret(&name) {
                    let next = rest.peek().filter(|next| !next.starts_with("--"));
                    words.secrets.extend(value.as_ref().or(next).map(|value| Secret::new(value.as_str())));
                }
                let value = value.map(|value| format!("={value}")).unwrap_or_default();
                words.said.push(Said::Other(format!("--{name}{value}")));
            }
        }
        let secret = |said: &Said| match said {
            Said::Option { option: Opt { kind: Kind::Secret, .. }, value, .. } => value.clone().map(Secret::new),
            _ => None,
        };
        words.secrets.extend(words.said.iter().filter_map(secret));
        words
    }

    /// The error about an option or flag without the value that it needs; `None` if the command line asks for help.
    pub(super) fn without_value(&self) -> Option<Problem> {
        if self.said.iter().any(|said| matches!(said, Said::Question(_))) {
            return None;
        }
        let name = self.said.iter().find_map(|said| match said {
            Said::Option { option, value: None } => Some(option.name.to_owned()),
            Said::Flag { flag, value: None } => flag.value.map(|_| flag.name.replace('_', "-")),
            _ => None,
        })?;
        let help = format!("write `--{name}=VALUE`");
        Some(Problem::new("needs a value").of(format!("--{name}")).help(help))
    }

    /// The error about an option or flag that takes one value and has two.
    pub(super) fn contradiction(&self) -> Option<Problem> {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for said in &self.said {
            let (name, value, is_shown) = match said {
                Said::Option { option, value: Some(value), .. } if !is_list(option) && !value.trim().is_empty() => {
                    (option.name, value, !matches!(option.kind, Kind::Secret | Kind::Structure(_)))
                }
                Said::Flag { flag, value: Some(value) } => (flag.name, value, flag.name != "payload"),
                _ => continue,
            };
            let Some(before) = seen.insert(name, value) else { continue };
            if before == value || yes_or_no(before).is_some_and(|before| yes_or_no(value) == Some(before)) {
                continue;
            }
            // A URL may hold a password.
            let is_shown = is_shown && !before.contains("://") && !value.contains("://");
            let values =
                if is_shown { format!("as `{before}` and as `{value}`") } else { "with two values".to_owned() };
            return Some(
                Problem::new(format!("is given twice, {values}")).of(format!("--{name}")).help("give it once"),
            );
        }
        None
    }

    fn is_of_dpl(&mut self) {
        if self.syntax == Syntax::Own {
            self.syntax = Syntax::DplArguments;
        }
    }

    fn stands_alone(&mut self, argument: String) {
        let words = self.verb.map_or(&[][..], Verb::words);
        match (Verb::of(&argument), words.iter().find(|word| **word == argument)) {
            (Some(verb), _) if self.verb.is_none() => self.verb = Some(verb),
            (_, Some(word)) => self.said.push(Said::Word(word)),
            _ => self.said.push(Said::Other(argument)),
        }
    }

    fn provider(&mut self, provider: &str) {
        if provider.eq_ignore_ascii_case("lambda") {
            return self.is_of_dpl();
        }
        let problem = match provider {
            "" => Problem::new("`--provider` has no value"),
            provider => Problem::new(format!("the provider `{provider}` is unknown")),
        };
        let problem = problem.at(&Place::Flag("--provider".to_owned())).help("this tool deploys to `lambda` only");
        self.foreign.get_or_insert(problem);
    }
}

/// A known name.
#[derive(Clone, Copy)]
enum Known {
    /// An option.
    Option(&'static Opt),
    /// `--no-x`, or dpl's `--skip_cleanup`, with the value that it sets.
    Negated(&'static Opt, bool),
    Flag(&'static Flag),
    Question(&'static str),
}

impl Known {
    /// Looks a name up: as it is, else as a negation, else as an abbreviation of exactly one name.
    fn by(name: &str) -> Option<Self> {
        let option = options::find(name).map(Self::Option);
        let flag = || flags().find(|flag| flag.name == name).map(Self::Flag);
        let question = || QUESTIONS.into_iter().find(|question| *question == name).map(Self::Question);
        option.or_else(flag).or_else(question).or_else(|| negated(name)).or_else(|| abbreviated(name))
    }

    /// The argument with its value, which may be the next argument.
    fn said(self, value: Option<String>, next: impl FnOnce() -> Option<String>) -> Said {
        match self {
            Self::Option(option) if is_switch(option) => {
                Said::Option { option, value: Some(value.unwrap_or_else(|| "true".to_owned())) }
            }
            Self::Option(option) => {
                let unescaped =
                    |value: String| if has_members(option) && is_json(&value) { value } else { broken(&value) };
                Said::Option { option, value: value.or_else(next).map(unescaped) }
            }
            Self::Negated(option, says) => {
                let says_no = value.as_deref().and_then(yes_or_no) == Some(false);
                Said::Option { option, value: Some((says != says_no).to_string()) }
            }
            Self::Flag(flag) if flag.value.is_none() => Said::Flag { flag, value },
            Self::Flag(flag) => {
                let unescaped = |value: String| if flag.name == "payload" { value } else { broken(&value) };
                Said::Flag { flag, value: value.or_else(next).map(unescaped) }
            }
            Self::Question(name) => Said::Question(name),
        }
    }
}

/// Whether an argument is a known option with its whole name, so that it is not the value of the option before it.
fn names_an_option(argument: &str) -> bool {
    let Some(long) = argument.strip_prefix("--") else { return false };
    let name = options::canonical(long.split_once('=').map_or(long, |(name, _)| name));
    options::find(&name).is_some() || flags().any(|flag| flag.name == name) || QUESTIONS.contains(&name.as_str())
}

/// The flags of all verbs.
pub(super) fn flags() -> impl Iterator<Item = &'static Flag> {
    Verb::ALL.into_iter().flat_map(|verb| verb.row().flags)
}

/// Replaces `\n` by a line break, as dpl does.
fn broken(value: &str) -> String {
    value.replace("\\n", "\n")
}

/// JSON has its own `\n`, which must stay.
fn is_json(value: &str) -> bool {
    value.trim_start().starts_with(['[', '{']) && serde_json::from_str::<IgnoredAny>(value).is_ok()
}

fn is_switch(option: &Opt) -> bool {
    matches!(option.kind, Kind::Flag | Kind::FlagOr(_))
}

/// Whether an option may be given several times.
pub(super) fn is_list(option: &Opt) -> bool {
    matches!(option.kind, Kind::List | Kind::Files | Kind::Ids | Kind::Map)
}

fn has_members(option: &Opt) -> bool {
    is_list(option) || matches!(option.kind, Kind::Structure(_))
}

fn negated(name: &str) -> Option<Known> {
    let switch = |name: &str| options::find(name).filter(|option| is_switch(option));
    match name {
        "skip_cleanup" => switch("cleanup").map(|option| Known::Negated(option, false)),
        "no_skip_cleanup" => switch("cleanup").map(|option| Known::Negated(option, true)),
        name => switch(name.strip_prefix("no_")?).map(|option| Known::Negated(option, false)),
    }
}

/// The only name that begins with this text. dpl's own options come first, as in dpl's parser.
fn abbreviated(name: &str) -> Option<Known> {
    let of_dpl = OPTIONS.iter().filter(|option| option.ambient == Ambient::Read && option.name.starts_with(name));
    let begins =
        |option: &&Opt| option.name.starts_with(name) || option.aliases.iter().any(|alias| alias.starts_with(name));
    let any = OPTIONS.iter().filter(begins).map(|option| (option.name, Known::Option(option)));
    let flags = flags().filter(|flag| flag.name.starts_with(name)).map(|flag| (flag.name, Known::Flag(flag)));
    let questions = QUESTIONS.into_iter().filter(|question| question.starts_with(name));
    let questions = questions.map(|question| (question, Known::Question(question)));
    let of_dpl = of_dpl.map(|option| (option.name, Known::Option(option)));
    // A text that begins several options stands for none of them, and for no flag either: its value may be a secret.
    let mut any = any.peekable();
    only(of_dpl).or_else(|| if any.peek().is_some() { only(any) } else { only(flags.chain(questions)) })
}

/// The item, if all items found have the same name.
fn only(mut found: impl Iterator<Item = (&'static str, Known)>) -> Option<Known> {
    let (name, known) = found.next()?;
    found.all(|(other, _)| other == name).then_some(known)
}

/// The values after a key that looks like a secret and `=`.
fn values_of_secret_names(argument: &str) -> impl Iterator<Item = &str> {
    let pairs = std::iter::successors(argument.split_once('='), |(_, value)| value.split_once('='));
    pairs.filter(|(name, _)| sounds_secret(name)).map(|(_, value)| value)
}

/// Whether an unknown name looks like a misspelt secret option.
fn looks_secret(name: &str) -> bool {
    let meant = options::nearest(name).and_then(options::find).map(|option| option.kind);
    let begins =
        |option: &Opt| matches!(option.kind, Kind::Secret) && !name.is_empty() && option.name.starts_with(name);
    sounds_secret(name) || matches!(meant, Some(Kind::Secret)) || OPTIONS.iter().any(begins)
}
