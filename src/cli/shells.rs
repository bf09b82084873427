//! The completions of shells and the man page, both from the same commands as the help.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;

use super::grammar;
use crate::config::options::{self, InFile, Kind};
use crate::verb::Verb;

/// The name of the program.
const PROGRAM: &str = "dpl-lambda";

/// What follows the options in the man page.
const MORE: &str = "\
Exit codes: 0 success, also without changes; 1 the deployment failed; 2 `plan --exit-code` found changes; 3 the \
command line, the configuration or the package is wrong; 4 credentials or a permission are missing; 5 another program \
changed the function in the meantime; 6 a deadline passed; 7 a test of the new version failed; 130 and 143 a signal \
ended the run.\n\
Each option can also be set in dpl.yml, and by a variable: DPL_LAMBDA_ and its name in capitals.";

/// The script that completes command lines in a shell.
pub(super) fn completions(shell: Shell) -> String {
    let mut written = Vec::new();
    clap_complete::generate(shell, &mut with_values(grammar::command()), PROGRAM, &mut written);
    // clap_complete 4.6 spells a program name with a dash in two ways in bash, so the script would complete only verbs.
    text(&written).replace("dpl__subcmd__lambda", "dpl__lambda")
}

/// The man page, in roff.
pub(super) fn man_page() -> String {
    let page = grammar::command().mut_args(|arg| arg.hide(false)).after_help(MORE);
    let mut written = Vec::new();
    // Writing into memory cannot fail.
    let _ = Man::new(page).render(&mut written);
    text(&written)
}

fn text(written: &[u8]) -> String {
    String::from_utf8_lossy(written).into_owned()
}

/// The commands, with the values that an option can have. The parser leaves those to the configuration.
fn with_values(command: Command) -> Command {
    command.mut_args(with_value).mut_subcommands(with_values)
}

fn with_value(arg: Arg) -> Arg {
    if arg.get_id() == grammar::WORD {
        return arg.value_parser(PossibleValuesParser::new(Verb::Completions.words()));
    }
    let Some(option) = options::find(arg.get_id().as_str()) else { return arg };
    match option.kind {
        Kind::Choice(words) => arg.value_parser(PossibleValuesParser::new(words)),
        Kind::FlagOr(words) => arg.value_parser(PossibleValuesParser::new(
            ["true", "false"].iter().chain(words).copied().collect::<Vec<_>>(),
        )),
        Kind::Flag => arg.value_parser(PossibleValuesParser::new(["true", "false"])),
        _ if option.name == "config"
            || !matches!(option.in_file, InFile::Anything | InFile::Nothing | InFile::ThisMachine | InFile::Never) =>
        {
            arg.value_hint(ValueHint::AnyPath)
        }
        _ => arg.value_hint(ValueHint::Other),
    }
}
