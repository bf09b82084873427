//! The parser: the verbs, their flags, the help, and the errors of a wrong command line.

use clap::{Arg, ArgAction, Command, error::ErrorKind};

use super::stop::Stop;
use super::words::{Said, Words, flags};
use crate::config::options::{self, Kind, OPTIONS, Opt};
use crate::place::Problem;
use crate::verb::{Flag, Group, Options, Row, Verb};

/// The argument for the word that follows a verb.
pub(super) const WORD: &str = "word";

/// Names the help that shows every option.
const ALL_OPTIONS: &str = "`dpl-lambda deploy --help` shows all options";

/// Refuses a wrong command line, and answers one that asks for help.
pub(super) fn check(words: &Words) -> Result<(), Stop> {
    let verb = words.verb.map(|verb| verb.name().to_owned());
    let said = words.said.iter().map(Said::spelled);
    let arguments = std::iter::once("dpl-lambda".to_owned()).chain(verb).chain(said);
    command().try_get_matches_from(arguments).map(drop).map_err(|error| stop(&error))
}

/// The verbs, and every option for each of them.
pub(super) fn command() -> Command {
    let root = Command::new("dpl-lambda")
        .about("Deploys AWS Lambda functions from any CI")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .args_override_self(true)
        .override_usage("dpl-lambda [VERB] [OPTIONS]")
        .subcommand_help_heading("Verbs")
        .args(OPTIONS.iter().map(|option| argument(option).hide(true)))
        .after_help(format!(
            "`dpl-lambda VERB --help` shows the options that matter to a verb.\n{ALL_OPTIONS}; every verb takes them."
        ));
    root.subcommands(Verb::ALL.map(subcommand))
}

fn subcommand(verb: Verb) -> Command {
    let row = verb.row();
    let word = (!verb.words().is_empty()).then(|| Arg::new(WORD).value_name("SHELL"));
    let command = Command::new(row.name).about(row.help).args_override_self(true).args(word);
    let command = command.args(row.flags.iter().map(own));
    let command = match row.options {
        Options::All | Options::None => command,
        Options::Of(..) => command.after_help(format!("{ALL_OPTIONS}; `{}` takes them too.", row.name)),
    };
    Group::ALL.into_iter().fold(command, |command, group| {
        let options = OPTIONS.iter().filter(|option| option.group == group);
        let options = options.map(|option| argument(option).hide(!shows(&row, option)));
        command.next_help_heading(group.heading()).args(options)
    })
}

/// Whether the help of a verb shows an option.
fn shows(row: &Row, option: &Opt) -> bool {
    match row.options {
        Options::All => true,
        Options::None => false,
        Options::Of(groups, names) => {
            groups.contains(&option.group) || names.iter().any(|names| names.contains(&option.name))
        }
    }
}

/// A flag of one verb.
fn own(flag: &'static Flag) -> Arg {
    let arg = Arg::new(flag.name).long(flag.name.replace('_', "-")).help(flag.help);
    match flag.value {
        Some(value) => arg.value_name(value).allow_hyphen_values(true).action(ArgAction::Append),
        None => arg.action(ArgAction::SetTrue),
    }
}

/// An option. `Words` has already reduced each option to one spelling and refused contradictions.
fn argument(option: &'static Opt) -> Arg {
    let arg = Arg::new(option.name).long(option.name).help(option.meaning).action(ArgAction::Append);
    match option.kind {
        Kind::Flag | Kind::FlagOr(_) => arg.num_args(0..=1).require_equals(true).value_name("BOOL"),
        Kind::Map => arg.value_name("KEY=VALUE").allow_hyphen_values(true),
        Kind::List
        | Kind::Files
        | Kind::Ids
        | Kind::Text
        | Kind::Number { .. }
        | Kind::Choice(_)
        | Kind::Structure(_)
        | Kind::Secret => arg.value_name("VALUE").allow_hyphen_values(true),
    }
}

/// The parser's error in our own words. It never repeats a value, because a value may be a secret.
fn stop(error: &clap::Error) -> Stop {
    use clap::error::ContextKind;
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Stop::Text(error.to_string());
    }
    let named = error
        .get(ContextKind::InvalidArg)
        .or_else(|| error.get(ContextKind::InvalidSubcommand))
        .map(ToString::to_string);
    let argument = named.unwrap_or_default();
    let argument = argument.split([' ', '=']).next().unwrap_or_default().to_owned();
    let is_flag = argument.starts_with('-');
    let problem = match error.kind() {
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand if is_flag => unknown_flag(&argument),
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => unknown_word(&argument),
        ErrorKind::InvalidValue | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues | ErrorKind::NoEquals => {
            Problem::new(format!("`{argument}` has no value, or a wrong one"))
        }
        ErrorKind::TooManyValues => Problem::new(format!("`{argument}` takes no value")),
        _ => Problem::new(format!("cannot parse the command line at `{argument}`"))
            .help("`dpl-lambda --help` shows how to use it"),
    };
    Stop::Wrong(problem)
}

fn unknown_flag(argument: &str) -> Problem {
    let name = options::canonical(argument.trim_start_matches('-'));
    if flags().any(|flag| flag.name == name) {
        let has_it = |verb: &Verb| verb.row().flags.iter().any(|flag| flag.name == name);
        let verbs: Vec<_> = Verb::ALL.into_iter().filter(has_it).map(|verb| format!("`{}`", verb.name())).collect();
        let problem = Problem::new(format!("`{argument}` is not an option of this verb"));
        return problem.help(format!("it belongs to {}", verbs.join(" and ")));
    }
    let problem = Problem::new(format!("`{argument}` is not an option"));
    match options::nearest(&name) {
        Some(near) => problem.help(format!("did you mean `--{near}`?")),
        None => problem.help(ALL_OPTIONS),
    }
}

/// A single word may be a value, even a secret. So the error repeats it only if it looks like a verb.
fn unknown_word(argument: &str) -> Problem {
    if Verb::of(argument).is_some() {
        return Problem::new(format!("the verb `{argument}` is out of place"))
            .help("give one verb, and not after `--`");
    }
    let verbs = Verb::ALL.map(Verb::name);
    let near = verbs.iter().any(|verb| strsim::jaro_winkler(verb, argument) > 0.8);
    let shown = if near { format!("`{argument}`") } else { "one of the arguments".to_owned() };
    Problem::new(format!("{shown} is neither a verb nor an option")).help(format!("the verbs are {}", verbs.join(", ")))
}
