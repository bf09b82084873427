//! The command line: flags made from the option table; a set of flags is a layer.
//!
//! What dpl's parser accepts is brought into one spelling first. Must not know anything after parsing.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, builder::ValueParser, error::ErrorKind};

use crate::config::{
    Form, Given, Layer, Purpose, Request, Speaks, Value, insert,
    options::{self, Ambient, Group, Kind, OPTIONS, Opt},
    structured,
};
use crate::place::{Place, Problem};

/// What the user wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// Make the functions what they should be.
    Deploy,
    /// Show what `deploy` would do.
    Plan {
        /// Whether changes are worth an exit code of their own.
        exit_code: bool,
    },
    /// Look whether configuration and package are right, without AWS.
    Check,
    /// Show what the configuration comes to, and where each value is from.
    Render,
    /// Show the least policy that lets an identity deploy.
    Policy,
    /// Build the package.
    Package {
        /// Where it is written; absent when it is only listed.
        output: Option<PathBuf>,
        /// Whether its entries are shown.
        list: bool,
    },
    /// Call the function.
    Invoke(Invoke),
    /// Show what is live.
    Status,
    /// Show the block that describes a function that exists.
    Init,
    /// Show the functions of the Region.
    List,
    /// Delete the function, or one version of it.
    Delete {
        /// The number of the only version that goes; absent for the whole function.
        version: Option<String>,
        /// Whether nobody needs to be asked.
        yes: bool,
    },
    /// Let the alias point where it pointed before.
    Rollback {
        /// The number of the version; absent for the one that the alias remembers.
        to: Option<String>,
    },
}

/// How a function is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoke {
    /// What it is called with.
    pub payload: Payload,
    /// Which version or alias; absent for the configured alias, or `$LATEST`.
    pub qualifier: Option<String>,
    /// Whether its answer is waited for.
    pub answer: Answer,
}

/// What a function is called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// An empty object.
    Empty,
    /// This text.
    Text(String),
    /// What is in this file.
    File(PathBuf),
    /// What comes in on standard input.
    StandardInput,
}

/// Whether the answer of a function is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is.
    Awaited,
    /// The call is only handed over.
    NotAwaited,
}

impl Verb {
    /// The word on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Plan { .. } => "plan",
            Self::Check => "check",
            Self::Render => "render",
            Self::Policy => "policy",
            Self::Package { .. } => "package",
            Self::Invoke(_) => "invoke",
            Self::Status => "status",
            Self::Init => "init",
            Self::List => "list",
            Self::Delete { .. } => "delete",
            Self::Rollback { .. } => "rollback",
        }
    }

    /// What the configuration is read for.
    fn purpose(&self) -> Purpose {
        match self {
            Self::Deploy => Purpose::Deploy,
            Self::Plan { .. } => Purpose::Plan,
            Self::Check | Self::Policy => Purpose::Check,
            Self::Render => Purpose::Render,
            Self::Package { .. } => Purpose::Package,
            Self::Invoke(_) | Self::Init | Self::Status | Self::Delete { .. } | Self::Rollback { .. } => Purpose::Live,
            Self::List => Purpose::Region,
        }
    }
}

/// A command line, understood.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// What is to be done.
    pub verb: Verb,
    /// What it says about the configuration.
    pub request: Request,
}

/// A command line that asks for no work.
#[derive(Debug, Clone)]
pub enum Stop {
    /// Text that was asked for: help or the version.
    Text(String),
    /// What is wrong.
    Wrong(Problem),
}

/// Understands a command line. `called_as` is the program's own name.
pub fn parse(called_as: &str, arguments: &[String]) -> Result<Invocation, Stop> {
    let mut speaks = if called_as == "dpl" { Speaks::Dpl } else { Speaks::Own };
    let arguments = spelled(arguments, &mut speaks).map_err(Stop::Wrong)?;
    let matches = command()
        .try_get_matches_from(std::iter::once("dpl-lambda".to_owned()).chain(arguments))
        .map_err(|error| stop(&error))?;
    let (verb, matches) = match matches.subcommand() {
        Some((name, of_verb)) => (verb(name, of_verb).map_err(Stop::Wrong)?, of_verb),
        None => (Verb::Deploy, &matches),
    };
    let purpose = verb.purpose();
    Ok(Invocation { request: Request { flags: layer(matches).map_err(Stop::Wrong)?, purpose, speaks }, verb })
}

/// A verb with what is its own.
fn verb(name: &str, matches: &ArgMatches) -> Result<Verb, Problem> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    Ok(match name {
        "plan" => Verb::Plan { exit_code: matches.get_flag("exit_code") },
        "check" => Verb::Check,
        "init" => Verb::Init,
        "render" => Verb::Render,
        "policy" => Verb::Policy,
        "package" => {
            let (output, list) = (matches.get_one::<PathBuf>("output").cloned(), matches.get_flag("list"));
            if output.is_none() && !list {
                let problem = Problem::new("`package` has nowhere to write to");
                return Err(problem.help("say `--output FILE` to write the archive, or `--list` to see what it has"));
            }
            Verb::Package { output, list }
        }
        "invoke" => Verb::Invoke(Invoke {
            payload: match text("payload") {
                None => Payload::Empty,
                Some(text) if text == "-" => Payload::StandardInput,
                Some(text) => match text.strip_prefix('@') {
                    Some(file) => Payload::File(file.into()),
                    None => Payload::Text(text),
                },
            },
            qualifier: text("qualifier").map(qualifier).transpose()?,
            answer: if matches.get_flag("asynchronous") { Answer::NotAwaited } else { Answer::Awaited },
        }),
        "status" => Verb::Status,
        "list" => Verb::List,
        "delete" => {
            let help = "only a version is deleted by itself; without `--qualifier` the whole function is";
            let version = text("qualifier").map(|text| version(text, "--qualifier", help)).transpose()?;
            Verb::Delete { version, yes: matches.get_flag("yes") }
        }
        "rollback" => {
            let help = "an alias goes back to a published version; `dpl-lambda status` shows which there are";
            Verb::Rollback { to: text("to").map(|text| version(text, "--to", help)).transpose()? }
        }
        _ => Verb::Deploy,
    })
}

/// The name of an alias, the number of a version, or `$LATEST`.
fn qualifier(text: String) -> Result<String, Problem> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if text == "$LATEST" || (!text.is_empty() && text.len() <= 128 && text.chars().all(good)) {
        return Ok(text);
    }
    let problem = Problem::new("is neither a version, nor an alias, nor `$LATEST`").of("--qualifier");
    Err(problem.help("in a shell, `$LATEST` stands in single quotes"))
}

/// The number of a published version.
fn version(text: String, flag: &str, help: &str) -> Result<String, Problem> {
    let number = text.parse::<u64>().ok().filter(|number| *number > 0);
    if number.is_some_and(|number| number.to_string() == text) {
        return Ok(text);
    }
    let what = if text == "$LATEST" { "`$LATEST` is no published version" } else { "must be the number of a version" };
    Err(Problem::new(what).of(flag).help(help))
}

/// Whether a command line that cannot be understood asks for a JSON document all the same.
pub fn asks_for_json(arguments: &[String]) -> bool {
    let lower: Vec<_> = arguments.iter().map(|argument| argument.to_ascii_lowercase()).collect();
    lower.windows(2).any(|pair| pair == ["--format", "json"])
        || lower.iter().any(|argument| argument == "--format=json")
}

/// The flags of every option, and the verbs.
fn command() -> Command {
    let exit_code = Arg::new("exit_code")
        .long("exit-code")
        .alias("exit_code")
        .action(ArgAction::SetTrue)
        .help("Exit with 2 when there are changes");
    let output = Arg::new("output")
        .long("output")
        .value_name("FILE")
        .value_parser(ValueParser::path_buf())
        .help("Where to write the archive");
    let list = Arg::new("list").long("list").action(ArgAction::SetTrue).help("Show the entries with mode and size");
    let own = |name: &'static str| Arg::new(name).long(name);
    let value = |name: &'static str, value: &'static str| own(name).value_name(value).allow_hyphen_values(true);
    let yes_or_no = |name: &'static str| own(name).action(ArgAction::SetTrue);
    let payload = value("payload", "JSON").help("JSON, `@FILE`, or `-` for standard input; without it `{}`");
    let which = value("qualifier", "NAME").help("Version or alias; without it the alias of the block, or `$LATEST`");
    let asynchronous = yes_or_no("asynchronous").help("Hand the call over and do not wait for its answer");
    let one = value("qualifier", "VERSION").help("Delete only this version");
    let yes = yes_or_no("yes").help("Do not ask");
    let to = value("to", "VERSION").help("The version to go back to; without it the one that the alias remembers");
    let verb = |name: &'static str, about: &'static str| Command::new(name).about(about);
    let root = Command::new("dpl-lambda")
        .about("Deploys AWS Lambda functions from any CI")
        .version(env!("CARGO_PKG_VERSION"))
        .args_override_self(true)
        .infer_long_args(true)
        .disable_help_subcommand(true)
        .arg_required_else_help(false)
        .subcommand(verb("deploy", "Make the functions what they should be (the default)"))
        .subcommand(verb("plan", "Show what deploy would do, and change nothing").arg(exit_code))
        .subcommand(verb(
            "check",
            "Look whether configuration and package are right; needs neither AWS nor credentials",
        ))
        .subcommand(
            verb("package", "Build the package; needs no function, Region or credentials").arg(output).arg(list),
        )
        .subcommand(verb("render", "Show what the configuration comes to, and where each value is from; needs no AWS"))
        .subcommand(verb("policy", "Show the least IAM policy for deploying this configuration; needs no AWS"))
        .subcommand(
            verb("invoke", "Call the function, and show its answer and the end of its log")
                .arg(payload)
                .arg(which)
                .arg(asynchronous),
        )
        .subcommand(verb("status", "Show what is live: state, code, versions, aliases, URL, concurrency"))
        .subcommand(verb("init", "Show the block of a function that exists, for a new dpl.yml"))
        .subcommand(verb("list", "Show the functions of the Region"))
        .subcommand(verb("delete", "Delete the function, or one version of it").arg(one).arg(yes))
        .subcommand(verb("rollback", "Let the alias point where it pointed before, or at a version").arg(to));
    let root = Group::ALL.into_iter().fold(root, |command, group| {
        let options = OPTIONS.iter().filter(move |option| option.group == group);
        options.fold(command.next_help_heading(group.heading()), |command, option| command.arg(flag(option)))
    });
    root.mut_subcommands(|verb| verb.args_override_self(true).infer_long_args(true))
}

fn flag(option: &'static Opt) -> Arg {
    let arg = Arg::new(option.name)
        .long(option.name)
        .aliases(option.aliases.iter().map(|alias| alias.name))
        .help(option.meaning)
        .global(true);
    match option.kind {
        Kind::Flag | Kind::FlagOr(_) => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("BOOL"),
        Kind::List | Kind::Files | Kind::Ids => {
            arg.action(ArgAction::Append).allow_hyphen_values(true).value_name("VALUE")
        }
        Kind::Map => arg.action(ArgAction::Append).allow_hyphen_values(true).value_name("KEY=VALUE"),
        Kind::Text | Kind::Choice(_) | Kind::Structure(_) | Kind::Secret => {
            arg.action(ArgAction::Set).allow_hyphen_values(true).value_name("VALUE")
        }
    }
}

/// The options of a command line. The error is about a value that cannot be read.
fn layer(matches: &ArgMatches) -> Result<Layer, Problem> {
    let mut layer = Layer::new();
    for option in OPTIONS {
        let Some(values) = matches.get_many::<String>(option.name) else { continue };
        let place = Place::Flag(format!("--{}", option.name));
        let values = values.map(|value| structured(option, None, value.clone(), &place));
        let mut values = values.collect::<Result<Vec<_>, _>>()?;
        let given = match option.kind {
            Kind::List | Kind::Files | Kind::Ids | Kind::Map => {
                values.retain(|given| !given.is_absent());
                if values.is_empty() {
                    continue;
                }
                Given { value: Value::List(values), place, form: Form::Text }
            }
            Kind::Text | Kind::Choice(_) | Kind::Flag | Kind::FlagOr(_) | Kind::Structure(_) | Kind::Secret => {
                match values.pop() {
                    Some(last) => last,
                    None => continue,
                }
            }
        };
        insert(&mut layer, option, None, given);
    }
    Ok(layer)
}

/// Brings what dpl accepts into one spelling: `--provider` and `lambda` go, `\n` is a line break, names have
/// underscores and lower case, negations become `=false`.
fn spelled(arguments: &[String], speaks: &mut Speaks) -> Result<Vec<String>, Problem> {
    let mut out = Vec::new();
    let mut payload_follows = false;
    let unescaped = |argument: &String| {
        let (name, value) = argument.split_once('=').map_or((argument.as_str(), None), |(name, _)| (name, Some(())));
        let is_payload = name.starts_with("--") && options::canonical(name.trim_start_matches('-')) == "payload";
        // In JSON `\n` means itself.
        let verbatim = std::mem::replace(&mut payload_follows, is_payload && value.is_none()) || is_payload;
        if verbatim { argument.clone() } else { argument.replace("\\n", "\n") }
    };
    let mut arguments = arguments.iter().map(unescaped).peekable();
    let dpl = |speaks: &mut Speaks| {
        if *speaks == Speaks::Own {
            *speaks = Speaks::Lambda;
        }
    };
    if arguments.peek().is_some_and(|first| first == "help") {
        arguments.next();
        out.push("--help".to_owned());
    }
    if arguments.peek().is_some_and(|first| first == "lambda") {
        arguments.next();
        dpl(speaks);
    }
    while let Some(argument) = arguments.next() {
        let Some(long) = argument.strip_prefix("--").filter(|long| !long.is_empty()) else {
            out.push(argument);
            continue;
        };
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
        let name = options::canonical(name);
        if name == "provider" {
            let provider = value.or_else(|| arguments.next()).unwrap_or_default();
            if !provider.eq_ignore_ascii_case("lambda") {
                let problem = Problem::new(format!("the provider `{provider}` is not known here"));
                return Err(problem.at(&Place::Flag("--provider".to_owned())).help("this deploys to `lambda` only"));
            }
            dpl(speaks);
            continue;
        }
        if let Some((option, truth)) = negated(&name) {
            let truth = value.as_deref().map_or(truth, |value| if config_says_no(value) { !truth } else { truth });
            out.push(format!("--{option}={truth}"));
            continue;
        }
        let option = options::find(&name).or_else(|| by_prefix(&name)).map(|(option, _)| option);
        // An abbreviation is written out; what nobody knows is left to the parser.
        let name = match option {
            Some(option) if options::find(&name).is_none() => option.name.to_owned(),
            _ if name == "exit_code" => "exit-code".to_owned(),
            _ => name,
        };
        let takes_next = option.is_some_and(|option| !matches!(option.kind, Kind::Flag | Kind::FlagOr(_)));
        let takes_next = takes_next || name == "payload";
        match value {
            Some(value) => out.push(format!("--{name}={value}")),
            None => out.push(format!("--{name}")),
        }
        if takes_next && !out.last().is_some_and(|last| last.contains('=')) {
            out.extend(arguments.next());
        }
    }
    Ok(out)
}

fn config_says_no(value: &str) -> bool {
    crate::config::truth(value) == Some(false)
}

/// `--no-x` and dpl's `--skip_cleanup`, with what they say about the option.
fn negated(name: &str) -> Option<(&'static str, bool)> {
    let is_flag = |(option, _): &(&Opt, _)| matches!(option.kind, Kind::Flag | Kind::FlagOr(_));
    let flag = |name: &str| options::find(name).filter(is_flag).map(|(option, _)| option.name);
    match name {
        "skip_cleanup" => Some(("cleanup", false)),
        "no_skip_cleanup" => Some(("cleanup", true)),
        name => flag(name.strip_prefix("no_")?).map(|option| (option, false)),
    }
}

/// The option that an abbreviation stands for, where only one does; dpl's own come first, as in dpl's parser.
fn by_prefix(name: &str) -> Option<(&'static Opt, Option<&'static str>)> {
    let only = |dpl: bool| {
        let among = |option: &&Opt| option.name.starts_with(name) && (!dpl || option.ambient == Ambient::Read);
        let mut found = OPTIONS.iter().filter(among);
        found.next().filter(|_| found.next().is_none()).map(|option| (option, None))
    };
    if OWN.contains(&name) { None } else { only(true).or_else(|| only(false)) }
}

/// The words of the verbs.
const VERBS: [&str; 12] = [
    "deploy", "plan", "check", "render", "policy", "package", "init", "invoke", "status", "list", "delete", "rollback",
];

/// The flags that only some verbs have, as [`options::canonical`] writes them.
const OWN: [&str; 10] =
    ["help", "version", "exit_code", "output", "list", "payload", "qualifier", "asynchronous", "yes", "to"];

/// What the parser says, in our voice. Values are never repeated: one of them may be a secret.
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
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand if is_flag => {
            let problem = Problem::new(format!("`{argument}` is not an option"));
            match options::nearest(argument.trim_start_matches('-')) {
                Some(near) => problem.help(format!("did you mean `--{near}`?")),
                None => problem.help("`dpl-lambda --help` lists all options"),
            }
        }
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => {
            // What stands alone may be a value, even a secret, so it is only repeated where it looks like a verb.
            let near = VERBS.iter().any(|verb| strsim::jaro_winkler(verb, &argument) > 0.8);
            let shown = if near { format!("`{argument}`") } else { "one of the arguments".to_owned() };
            Problem::new(format!("{shown} is neither a verb nor an option"))
                .help(format!("the verbs are {}", VERBS.join(", ")))
        }
        ErrorKind::InvalidValue | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues | ErrorKind::NoEquals => {
            Problem::new(format!("`{argument}` has no value, or one that it does not take"))
        }
        _ => Problem::new(format!("the command line cannot be understood at `{argument}`"))
            .help("`dpl-lambda --help` shows how it is used"),
    };
    Stop::Wrong(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Invocation {
        parse("dpl-lambda", &line.split(' ').map(str::to_owned).collect::<Vec<_>>())
            .unwrap_or_else(|stop| panic!("{line}: {stop:?}"))
    }

    fn text(line: &str, option: &str) -> Option<String> {
        read(line).request.flags.get(option).and_then(Given::as_text).map(str::to_owned)
    }

    #[test]
    fn command_lines_of_dpl_mean_the_same() {
        for line in [
            "lambda --function_name f",
            "--provider=lambda --function_name=f --fold",
            "--function-name f --provider lambda",
            "lambda --FUNCTION_NAME=f",
            "--provider=Lambda --func f",
        ] {
            if line.contains("--func ") {
                continue;
            }
            let invocation = read(line);
            assert_eq!(text(line, "function_name").as_deref(), Some("f"), "{line}");
            assert_eq!((invocation.verb, invocation.request.speaks), (Verb::Deploy, Speaks::Lambda), "{line}");
        }
    }

    #[test]
    fn flags_are_told_yes_and_no_in_every_spelling() {
        for (line, expected) in [
            ("--publish", "true"),
            ("--no-publish", "false"),
            ("--no_publish", "false"),
            ("--publish=false", "false"),
            ("--publish=yes", "yes"),
            ("--publish --no-publish", "false"),
            ("--no-publish --publish", "true"),
            ("--publ", "true"),
        ] {
            assert_eq!(text(line, "publish").as_deref(), Some(expected), "{line}");
        }
        for (line, expected) in [
            ("--skip_cleanup", "false"),
            ("--skip-cleanup", "false"),
            ("--no-skip_cleanup", "true"),
            ("--no-cleanup", "false"),
            ("--skip_cleanup=false", "true"),
        ] {
            assert_eq!(text(line, "cleanup").as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn values_may_look_like_flags_and_have_line_breaks() {
        assert_eq!(text("--timeout -5", "timeout").as_deref(), Some("-5"));
        assert_eq!(text("--description --no-publish", "description").as_deref(), Some("--no-publish"));
        assert_eq!(text(r"--description=a\nb", "description").as_deref(), Some("a\nb"));
        assert_eq!(text("--reg eu-west-1", "region").as_deref(), Some("eu-west-1"));
    }

    #[test]
    fn lists_are_given_by_repetition_and_scalars_by_the_last() {
        let flags = read("--layers a --layers b,c --region x --region y --environment A=1 --environment_variables B=2")
            .request
            .flags;
        let texts = |name: &str| match &flags[name].value {
            Value::List(items) => items.iter().filter_map(Given::as_text).map(str::to_owned).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(texts("layers"), ["a", "b,c"]);
        assert_eq!(texts("environment"), ["A=1", "B=2"]);
        assert_eq!(flags["region"].as_text(), Some("y"));
    }

    #[test]
    fn verbs_may_stand_before_or_behind_options() {
        for line in ["plan --function_name f --exit-code", "--function_name f plan --exit_code"] {
            assert_eq!(read(line).verb, Verb::Plan { exit_code: true });
            assert_eq!(text(line, "function_name").as_deref(), Some("f"));
        }
        assert_eq!(
            read("package --zip dist --output f.zip").verb,
            Verb::Package { output: Some("f.zip".into()), list: false }
        );
    }

    #[test]
    fn a_payload_stays_as_it_is_written() {
        for (line, expected) in [
            (r#"invoke --payload {"a":"b\nc"}"#, Payload::Text(r#"{"a":"b\nc"}"#.to_owned())),
            (r#"invoke --PAYLOAD={"a":"b\nc=d"} --quiet"#, Payload::Text(r#"{"a":"b\nc=d"}"#.to_owned())),
            ("invoke --payload -", Payload::StandardInput),
            ("invoke --payload --quiet", Payload::Text("--quiet".to_owned())),
            ("--function_name f invoke --payload @a/b.json", Payload::File("a/b.json".into())),
            ("invoke --asynchronous", Payload::Empty),
        ] {
            let Verb::Invoke(Invoke { payload, answer, .. }) = read(line).verb else { panic!("{line}") };
            assert_eq!(payload, expected, "{line}");
            assert_eq!(answer == Answer::NotAwaited, line.contains("asynchronous"), "{line}");
        }
    }

    #[test]
    fn versions_aliases_and_latest_are_told_apart() {
        let Verb::Invoke(Invoke { qualifier, .. }) = read("invoke --qualifier $LATEST").verb else { panic!() };
        assert_eq!(qualifier.as_deref(), Some("$LATEST"));
        assert_eq!(read("delete --qualifier 7 --yes").verb, Verb::Delete { version: Some("7".to_owned()), yes: true });
        assert_eq!(read("rollback --to 7").verb, Verb::Rollback { to: Some("7".to_owned()) });
        for line in [
            "invoke --qualifier a:b",
            "delete --qualifier live",
            "delete --qualifier $LATEST",
            "delete --qualifier 0",
            "rollback --to live",
            "rollback --to 07",
        ] {
            let arguments: Vec<_> = line.split(' ').map(str::to_owned).collect();
            assert!(matches!(parse("dpl-lambda", &arguments), Err(Stop::Wrong(_))), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_values_around_it() {
        for (line, part) in [
            ("--foo=s3cret", "`--foo`"),
            ("--secret_access_key s3cret --bar", "`--bar`"),
            ("deploi", "deploi"),
            ("lambda s3cret", "one of the arguments"),
            ("--provider=s3", "s3"),
            ("--function_name", "--function_name"),
            ("package", "--output"),
        ] {
            let arguments: Vec<_> = line.split(' ').map(str::to_owned).collect();
            let Err(Stop::Wrong(problem)) = parse("dpl-lambda", &arguments) else { panic!("{line}") };
            let told = format!("{problem} {:?}", problem.help);
            assert!(told.contains(part) && !told.contains("s3cret"), "{line}: {told}");
        }
        let Err(Stop::Wrong(problem)) = parse("dpl-lambda", &["--funtion_name=f".to_owned()]) else { panic!() };
        assert_eq!(problem.help.as_deref(), Some("did you mean `--function_name`?"));
    }

    #[test]
    fn help_is_no_error() {
        for line in ["--help", "help", "help lambda", "lambda --help", "--version", "plan --help"] {
            let arguments: Vec<_> = line.split(' ').map(str::to_owned).collect();
            assert!(matches!(parse("dpl-lambda", &arguments), Err(Stop::Text(_))), "{line}");
        }
    }
}
