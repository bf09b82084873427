//! The command line: one pass over the words, then the parser. The flags become a layer of the configuration.
//!
//! Must not know what happens after parsing.

mod grammar;
mod words;

use std::path::PathBuf;

use self::words::{Said, Words, is_list};
use crate::config::{Form, Given, Layer, Speaks, Value, insert, structured};
use crate::place::{Place, Problem};
use crate::settings::Secret;
use crate::verb::Verb;

/// A parsed command line. A wrong one has an error as its task, and all else that could be read.
#[derive(Debug, Clone)]
pub(crate) struct CommandLine {
    /// The task, or why there is none.
    pub task: Result<Task, Stop>,
    /// The options on the command line. Of a wrong one, those that could be read.
    pub flags: Layer,
    /// Whose syntax the command line uses: ours or dpl's.
    pub speaks: Speaks,
    /// Values of secret options, which must not be shown. Read from a wrong command line too.
    pub secrets: Vec<Secret>,
    /// Values whose keys look like secrets, as in `--environment API_TOKEN=…`. They are also allowed as part of a name.
    pub values: Vec<Secret>,
}

/// A verb with the values of its flags.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::missing_docs_in_private_items, reason = "the help of each verb says what it does")]
pub(crate) enum Task {
    Deploy,
    Plan {
        /// Whether changes lead to exit code 2.
        exit_code: bool,
    },
    Check,
    Render,
    Policy,
    Package {
        /// The file for the package; absent: the package is only listed.
        output: Option<PathBuf>,
        /// Whether its entries are shown.
        list: bool,
    },
    Invoke(Invoke),
    Status,
    Init,
    List,
    Delete {
        /// The number of the version to delete; absent: the whole function is deleted.
        version: Option<String>,
        /// Whether to delete without asking.
        yes: bool,
    },
    Rollback {
        /// The number of the version; absent: the version that the alias remembers.
        to: Option<String>,
    },
}

/// How a function is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invoke {
    /// The payload of the call.
    pub payload: Payload,
    /// The version or alias; absent: the configured alias, or else `$LATEST`.
    pub qualifier: Option<String>,
    /// Whether to wait for the response.
    pub answer: Answer,
}

/// The payload of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    /// An empty object.
    Empty,
    /// This text.
    Text(String),
    /// The content of this file.
    File(PathBuf),
    /// All of standard input.
    StandardInput,
}

/// Whether the tool waits for the response of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It waits.
    Awaited,
    /// It hands the call over and does not wait.
    NotAwaited,
}

impl Task {
    /// The verb of the task.
    pub(crate) fn verb(&self) -> Verb {
        match self {
            Self::Deploy => Verb::Deploy,
            Self::Plan { .. } => Verb::Plan,
            Self::Check => Verb::Check,
            Self::Render => Verb::Render,
            Self::Policy => Verb::Policy,
            Self::Package { .. } => Verb::Package,
            Self::Invoke(_) => Verb::Invoke,
            Self::Status => Verb::Status,
            Self::Init => Verb::Init,
            Self::List => Verb::List,
            Self::Delete { .. } => Verb::Delete,
            Self::Rollback { .. } => Verb::Rollback,
        }
    }
}

/// Why a command line has no task.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// The user asked for this text: the help or the version.
    Text(String),
    /// The command line is wrong.
    Wrong(Problem),
}

/// Parses a command line. `called_as` is the name by which the program was called.
pub(crate) fn parse(called_as: &str, arguments: &[String]) -> CommandLine {
    let words = Words::read(called_as, arguments);
    let (flags, unreadable) = layer(&words.said);
    let Words { speaks, ref secrets, ref values, ref foreign, .. } = words;
    let task = || {
        let wrong = |problem: Option<Problem>| problem.map_or(Ok(()), |problem| Err(Stop::Wrong(problem)));
        wrong(foreign.clone())?;
        grammar::check(&words)?;
        wrong(words.contradiction())?;
        wrong(unreadable)?;
        task_of(words.verb.unwrap_or(Verb::Deploy), &words).map_err(Stop::Wrong)
    };
    CommandLine { task: task(), flags, speaks, secrets: secrets.clone(), values: values.clone() }
}

/// The task of a verb, with the values of its flags.
fn task_of(verb: Verb, words: &Words) -> Result<Task, Problem> {
    let given = |name: &str| {
        words.said.iter().rev().find_map(|said| match said {
            Said::Flag { flag, value } if flag.name == name => Some(value.clone()),
            _ => None,
        })
    };
    let is_set = |name: &str| given(name).is_some();
    let text = |name: &str| given(name).flatten();
    Ok(match verb {
        Verb::Deploy => Task::Deploy,
        Verb::Plan => Task::Plan { exit_code: is_set("exit_code") },
        Verb::Check => Task::Check,
        Verb::Init => Task::Init,
        Verb::Render => Task::Render,
        Verb::Policy => Task::Policy,
        Verb::Status => Task::Status,
        Verb::List => Task::List,
        Verb::Package => {
            let (output, list) = (text("output").map(PathBuf::from), is_set("list"));
            if output.is_none() && !list {
                let problem = Problem::new("`package` has no file to write to");
                return Err(problem.help("add `--output FILE` to write the archive, or `--list` to show its entries"));
            }
            Task::Package { output, list }
        }
        Verb::Invoke => Task::Invoke(Invoke {
            payload: match text("payload") {
                None => Payload::Empty,
                Some(text) if text == "-" => Payload::StandardInput,
                Some(text) => match text.strip_prefix('@') {
                    Some(file) => Payload::File(file.into()),
                    None => Payload::Text(text),
                },
            },
            qualifier: text("qualifier").map(qualifier).transpose()?,
            answer: if is_set("asynchronous") { Answer::NotAwaited } else { Answer::Awaited },
        }),
        Verb::Delete => {
            let help = "`--qualifier` deletes one version; leave it out to delete the whole function";
            let version = text("qualifier").map(|text| version(text, "--qualifier", help)).transpose()?;
            Task::Delete { version, yes: is_set("yes") }
        }
        Verb::Rollback => {
            let help = "an alias can go back to a published version; `dpl-lambda status` lists them";
            Task::Rollback { to: text("to").map(|text| version(text, "--to", help)).transpose()? }
        }
    })
}

/// The name of an alias, the number of a version, or `$LATEST`.
fn qualifier(text: String) -> Result<String, Problem> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if text == "$LATEST" || (!text.is_empty() && text.len() <= 128 && text.chars().all(good)) {
        return Ok(text);
    }
    let problem = Problem::new("is neither a version, nor an alias, nor `$LATEST`").of("--qualifier");
    Err(problem.help("in a shell, put `$LATEST` in single quotes"))
}

/// The number of a published version.
fn version(text: String, flag: &str, help: &str) -> Result<String, Problem> {
    let number = text.parse::<u64>().ok().filter(|number| *number > 0);
    if number.is_some_and(|number| number.to_string() == text) {
        return Ok(text);
    }
    let what =
        if text == "$LATEST" { "`$LATEST` is not a published version" } else { "must be the number of a version" };
    Err(Problem::new(what).of(flag).help(help))
}

/// The options as a layer of the configuration, and the first value that cannot be read.
fn layer(said: &[Said]) -> (Layer, Option<Problem>) {
    let (mut layer, mut unreadable) = (Layer::new(), None);
    for said in said {
        let Said::Option { option, member, value: Some(value) } = said else { continue };
        let place = Place::Flag(format!("--{}", option.name));
        let given = match structured(option, *member, value.clone(), &place) {
            Ok(given) if given.is_absent() => continue,
            Ok(given) => given,
            Err(problem) => {
                unreadable.get_or_insert(problem);
                continue;
            }
        };
        match layer.get_mut(option.name) {
            Some(Given { value: Value::List(items), .. }) if is_list(option) => items.push(given),
            _ if is_list(option) => {
                let given = Given { value: Value::List(vec![given]), place, form: Form::Text };
                insert(&mut layer, option, None, given);
            }
            _ => insert(&mut layer, option, *member, given),
        }
    }
    (layer, unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::options::{self, OPTIONS};
    use crate::verb::Options;

    fn parsed(line: &str) -> CommandLine {
        parse("dpl-lambda", &line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    fn task(line: &str) -> Task {
        parsed(line).task.unwrap_or_else(|stop| panic!("{line}: {stop:?}"))
    }

    fn wrong(line: &str) -> Problem {
        match parsed(line).task {
            Err(Stop::Wrong(problem)) => problem,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn text(line: &str, option: &str) -> Option<String> {
        task(line);
        parsed(line).flags.get(option).and_then(Given::as_text).map(str::to_owned)
    }

    #[test]
    fn command_lines_of_dpl_mean_the_same() {
        for line in [
            "lambda --function_name f",
            "--provider=lambda --function_name=f --fold",
            "--function-name f --provider lambda",
            "lambda --FUNCTION_NAME=f",
            "--provider=Lambda --function_n f",
        ] {
            assert_eq!(text(line, "function_name").as_deref(), Some("f"), "{line}");
            assert_eq!((task(line), parsed(line).speaks), (Task::Deploy, Speaks::Lambda), "{line}");
        }
    }

    #[test]
    fn every_spelling_of_yes_and_no_sets_a_flag() {
        for (line, expected) in [
            ("--publish", "true"),
            ("--no-publish", "false"),
            ("--no_publish", "false"),
            ("--publish=false", "false"),
            ("--publish=yes", "yes"),
            ("--publish --publish=yes", "yes"),
            ("--no-publish=false", "true"),
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
    fn json_keeps_its_own_line_breaks() {
        let flags = parsed(r#"--environment {"A":"x\ny"} --environment B=x\ny"#).flags;
        let Value::List(items) = &flags["environment"].value else { panic!() };
        let inner = items[0].get("A").and_then(Given::as_text);
        assert_eq!((inner, items[1].as_text()), (Some("x\ny"), Some("B=x\ny")));
    }

    #[test]
    fn lists_are_given_by_repetition() {
        let flags = parsed("--layers a --layers b,c --environment A=1 --environment_variables B=2").flags;
        let texts = |name: &str| match &flags[name].value {
            Value::List(items) => items.iter().filter_map(Given::as_text).map(str::to_owned).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(texts("layers"), ["a", "b,c"]);
        assert_eq!(texts("environment"), ["A=1", "B=2"]);
    }

    #[test]
    fn two_different_values_of_one_option_are_an_error() {
        for (line, named) in [
            ("--region x --region y", "as `x` and as `y`"),
            ("--region x plan --REG=y", "as `x` and as `y`"),
            ("--config a --config b", "as `a` and as `b`"),
            ("--publish --no-publish", "as `true` and as `false`"),
            ("--cleanup --skip-cleanup", "as `true` and as `false`"),
            ("--architecture arm64 --architectures x86_64", "as `arm64` and as `x86_64`"),
            ("--dead_letter_arn a --dead_letter_config b", "as `a` and as `b`"),
            ("--format json --format text", "as `json` and as `text`"),
            ("package --output a --output b", "as `a` and as `b`"),
            ("rollback --to 1 --to 2", "as `1` and as `2`"),
            ("--secret_access_key one-secret --secret_access_key other-secret", "with two values"),
            ("--endpoint_url http://u:secret@h --endpoint_url http://h", "with two values"),
            ("invoke --payload {\"a\":\"secret\"} --payload {}", "with two values"),
        ] {
            let problem = wrong(line);
            assert!(problem.message.contains(named) && !problem.message.contains("secret"), "{line}: {problem}");
        }
        for line in ["--region x --region x", "--region= --region x", "--quiet --quiet=yes", "delete --yes --yes"] {
            task(line);
        }
    }

    #[test]
    fn a_wrong_line_still_knows_its_form_and_its_secrets() {
        for line in
            ["--format json --nonsense", "--nonsense --FORM=json", "plan plan --format json", "--format=json --zip"]
        {
            wrong(line);
            assert_eq!(parsed(line).flags.get("format").and_then(Given::as_text), Some("json"), "{line}");
        }
        for line in [
            "--secret_access_key s3cret --nonsense",
            "--nonsense --SECRET-ACCESS-KEY=s3cret",
            "--secret s3cret --nonsense",
            "--acess_key_id s3cret",
            "--acess_key_id=s3cret",
            "--s s3cret",
            "--se s3cret",
            "--api-token s3cret",
            "--sesion_token=s3cret --zip",
        ] {
            wrong(line);
            assert!(parsed(line).secrets.contains(&Secret::new("s3cret")), "{line}");
        }
        assert!(parsed("--nonsense --description --secret_access_key x").secrets.is_empty());
    }

    #[test]
    fn verbs_may_stand_before_or_behind_options() {
        for line in [
            "plan --function_name f --exit-code",
            "--function_name f plan --exit_code",
            "--exit --function_name f plan",
        ] {
            assert_eq!(task(line), Task::Plan { exit_code: true });
            assert_eq!(text(line, "function_name").as_deref(), Some("f"));
        }
        let task = task("package --zip plan --output f.zip");
        assert_eq!(task, Task::Package { output: Some("f.zip".into()), list: false });
    }

    #[test]
    fn a_payload_stays_as_it_is_written() {
        for (line, expected) in [
            (r#"invoke --payload {"a":"b\nc"}"#, Payload::Text(r#"{"a":"b\nc"}"#.to_owned())),
            (r#"invoke --PAYLOAD={"a":"b\nc=d"} --quiet"#, Payload::Text(r#"{"a":"b\nc=d"}"#.to_owned())),
            (r#"invoke --pay {"a":"b\nc"}"#, Payload::Text(r#"{"a":"b\nc"}"#.to_owned())),
            ("invoke --payload -", Payload::StandardInput),
            ("invoke --payload --quiet", Payload::Text("--quiet".to_owned())),
            ("--function_name f invoke --payload @a/b.json", Payload::File("a/b.json".into())),
            ("invoke --asynchronous", Payload::Empty),
        ] {
            let Task::Invoke(Invoke { payload, answer, .. }) = task(line) else { panic!("{line}") };
            assert_eq!(payload, expected, "{line}");
            assert_eq!(answer == Answer::NotAwaited, line.contains("asynchronous"), "{line}");
        }
    }

    #[test]
    fn a_qualifier_is_a_version_an_alias_or_latest() {
        let Task::Invoke(Invoke { qualifier, .. }) = task("invoke --qualifier $LATEST") else { panic!() };
        assert_eq!(qualifier.as_deref(), Some("$LATEST"));
        assert_eq!(task("delete --qualifier 7 --yes"), Task::Delete { version: Some("7".to_owned()), yes: true });
        assert_eq!(task("rollback --to 7"), Task::Rollback { to: Some("7".to_owned()) });
        for line in [
            "invoke --qualifier a:b",
            "delete --qualifier live",
            "delete --qualifier $LATEST",
            "delete --qualifier 0",
            "rollback --to live",
            "rollback --to 07",
        ] {
            wrong(line);
        }
    }

    #[test]
    fn an_error_does_not_show_the_values_around_it() {
        for (line, part) in [
            ("--foo=s3cret", "`--foo`"),
            ("--secret_access_key s3cret --bar", "`--bar`"),
            ("deploi", "deploi"),
            ("lambda s3cret", "one of the arguments"),
            ("--provider=s3", "s3"),
            ("--function_name", "--function_name"),
            ("package", "--output"),
            ("--=s3cret", "--"),
            ("-xs3cret", "-x"),
            ("-- --secret_access_key s3cret", "--secret_access_key"),
            ("plan s3cret", "one of the arguments"),
            ("plan deploy", "`deploy` is out of place"),
            ("-- plan", "`plan` is out of place"),
            ("delete --yes=s3cret", "`--yes` takes no value"),
            ("--provider", "`--provider` has no value"),
            ("plan --payload s3cret", "it belongs to `invoke`"),
            ("--qualifier s3cret", "it belongs to `invoke` and `delete`"),
            ("--environment {s3cret", "begins like JSON"),
        ] {
            let problem = wrong(line);
            let shown = format!("{problem} {:?}", problem.help);
            assert!(shown.contains(part) && !shown.contains("s3cret"), "{line}: {shown}");
        }
        assert_eq!(wrong("--funtion_name=f").help.as_deref(), Some("did you mean `--function_name`?"));
    }

    #[test]
    fn help_is_not_an_error() {
        for line in ["--help", "help", "help lambda", "lambda --help", "--version", "plan --help", "-h", "-V", "--hel"]
        {
            assert!(matches!(parsed(line).task, Err(Stop::Text(_))), "{line}");
        }
        let help = |line: &str| match parsed(line).task {
            Err(Stop::Text(text)) => text,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(help("help rollback"), help("rollback --help"));
        for option in OPTIONS {
            assert!(help("deploy --help").contains(&format!("--{}", option.name)), "{}", option.name);
        }
    }

    #[test]
    fn the_table_of_verbs_names_only_options_that_exist() {
        for verb in Verb::ALL {
            assert_eq!(Verb::of(verb.name()), Some(verb));
            if let Options::Of(_, names) = verb.row().options {
                names.iter().flat_map(|names| names.iter()).for_each(|name| {
                    assert!(OPTIONS.iter().any(|option| option.name == *name), "{name} of {}", verb.name());
                });
            }
            for flag in verb.row().flags {
                assert!(options::find(flag.name).is_none(), "{} is an option too", flag.name);
                let same = words::flags().filter(|other| other.name == flag.name);
                assert!(same.map(|other| other.value.is_some()).all(|takes| takes == flag.value.is_some()));
            }
        }
    }
}
