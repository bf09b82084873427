//! Command lines, and the tasks and options that they stand for.

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
        assert_eq!((task(line), parsed(line).syntax), (Task::Deploy, Syntax::DplArguments), "{line}");
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
    for line in ["--format json --nonsense", "--nonsense --FORM=json", "plan plan --format json", "--format=json --zip"]
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
    assert!(parsed("--nonsense --description=--secret_access_key x").secrets.is_empty());
    assert!(parsed("--nonsense --description --secret_access_key x").secrets.contains(&Secret::new("x")));
}

#[test]
fn verbs_may_stand_before_or_behind_options() {
    for line in
        ["plan --function_name f --exit-code", "--function_name f plan --exit_code", "--exit --function_name f plan"]
    {
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
        ("invoke --payload=--quiet", Payload::Text("--quiet".to_owned())),
        ("--function_name f invoke --payload @a/b.json", Payload::File("a/b.json".into())),
        ("invoke --asynchronous", Payload::Empty),
    ] {
        let Task::Invoke(Invoke { payload, response, .. }) = task(line) else { panic!("{line}") };
        assert_eq!(payload, expected, "{line}");
        assert_eq!(response == Response::NotAwaited, line.contains("asynchronous"), "{line}");
    }
}

#[test]
fn a_qualifier_is_a_version_an_alias_or_latest() {
    let Task::Invoke(Invoke { qualifier, .. }) = task("invoke --qualifier $LATEST") else { panic!() };
    assert_eq!(qualifier.as_deref(), Some("$LATEST"));
    assert_eq!(task("delete --qualifier 7 --yes"), Task::Delete { version: Some("7".to_owned()), yes: true });
    assert_eq!(task("rollback --to 7"), Task::Rollback { to: Some("7".to_owned()), of: Builds::ThisOne });
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
        ("--qualifier s3cret", "it belongs to `invoke` and `logs` and `delete`"),
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
    for line in ["--help", "help", "help lambda", "lambda --help", "--version", "plan --help", "-h", "-V", "--hel"] {
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
