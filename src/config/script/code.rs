//! The words of a command that are read again as code. A value in such a word would become code too.

/// A word of a command, without its quotes.
#[derive(Debug, Default, Clone)]
pub(super) struct Word {
    /// The known part of its text: all but the values of variables and the output of commands.
    pub text: String,
    /// Whether a variable or a command adds to it.
    pub open: bool,
    /// Whether a part is quoted. Then it is not a keyword.
    pub quoted: bool,
}

/// A program that reads code, and its flags.
struct Interpreter {
    /// Its names, to which a version can be added.
    names: &'static [&'static str],
    /// The letters of the flags before code.
    code: &'static str,
    /// The long flags before code.
    long: &'static [&'static str],
    /// The letters of the flags before a word that is neither code nor a file.
    other: &'static str,
}

const fn interpreter(
    names: &'static [&'static str],
    code: &'static str,
    long: &'static [&'static str],
    other: &'static str,
) -> Interpreter {
    Interpreter { names, code, long, other }
}

/// Programs that read code from a flag, a file or their standard input.
const INTERPRETERS: [Interpreter; 12] = [
    interpreter(&["sh", "bash", "dash", "ash", "ksh", "mksh", "yash", "zsh", "fish"], "c", &["--command"], "oO"),
    interpreter(&["python", "pypy"], "c", &[], "WX"),
    interpreter(&["perl"], "eE", &[], ""),
    interpreter(&["ruby"], "e", &[], "rI"),
    interpreter(&["node", "nodejs", "bun", "deno"], "ep", &["--eval", "--print"], "r"),
    interpreter(&["php"], "rBRE", &["--run"], "d"),
    interpreter(&["lua", "luajit"], "e", &[], "l"),
    interpreter(&["Rscript", "R"], "e", &[], ""),
    interpreter(&["psql"], "c", &["--command"], "dhpUfv"),
    interpreter(&["mysql", "mariadb"], "e", &["--execute"], "hPuD"),
    interpreter(&["osascript"], "e", &[], "l"),
    interpreter(&["su", "runuser", "flock", "script", "sg"], "c", &["--command"], ""),
];

/// Commands that read every word again: as code, as the name of a variable, or as a program for another machine.
const READ_ALL: [&str; 40] = [
    "eval",
    "source",
    ".",
    "trap",
    "alias",
    "let",
    "unset",
    "read",
    "getopts",
    "mapfile",
    "readarray",
    "wait",
    "jobs",
    "complete",
    "bind",
    "function",
    "[[",
    "ssh",
    "autossh",
    "watch",
    "at",
    "batch",
    "parallel",
    "hyperfine",
    "entr",
    "awk",
    "gawk",
    "mawk",
    "nawk",
    "sed",
    "gsed",
    "make",
    "gmake",
    "just",
    "sqlite3",
    "pwsh",
    "powershell",
    "expect",
    "nix-shell",
    "ed",
];

/// Commands that set variables.
const DECLARE: [&str; 5] = ["export", "readonly", "local", "declare", "typeset"];

/// Variables whose value a shell or a loader runs.
const RUN_BY_NAME: [&str; 9] =
    ["PS1", "PS2", "PS4", "PROMPT_COMMAND", "ENV", "BASH_ENV", "PATH", "LD_PRELOAD", "LD_LIBRARY_PATH"];

/// Commands that start another command, which follows them.
const LAUNCH: [&str; 20] = [
    "command", "exec", "builtin", "env", "nohup", "sudo", "doas", "time", "nice", "ionice", "timeout", "xargs",
    "setsid", "stdbuf", "busybox", "npx", "chroot", "unshare", "strace", "coproc",
];

/// Their flags that take another word.
const TAKES_WORD: [&str; 10] = ["-u", "-g", "-s", "-k", "-I", "-C", "-p", "-a", "-L", "-P"];

/// Keywords before a command.
const KEYWORDS: [&str; 13] =
    ["if", "then", "else", "elif", "fi", "while", "until", "do", "done", "!", "{", "}", "esac"];

/// Whether a word is a keyword, so that a command can follow.
pub(super) fn is_keyword(word: &Word) -> bool {
    !word.quoted && !word.open && KEYWORDS.contains(&word.text.as_str())
}

/// The variable that a word like `NAME=…` sets.
pub(super) fn assigned(word: &Word) -> Option<&str> {
    let (name, _) = word.text.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let is_name = !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    (is_name && !name.starts_with(|char: char| char.is_ascii_digit())).then_some(name)
}

/// The role of a word whose value would be more than a text.
pub(super) enum Role {
    /// The program to run.
    Command,
    /// Code for the named program.
    CodeOf(String),
}

/// Help for passing a value safely to a program that reads code.
pub(super) fn instead(program: &str) -> &'static str {
    match program {
        "ssh" | "autossh" => "pipe it in, as in `printf '%s\\n' %{…} | ssh host 'read -r VALUE; ./deploy \"$VALUE\"'`",
        "sed" | "gsed" | "awk" | "gawk" | "mawk" | "nawk" => {
            "let `perl` read it from a variable, as in `VALUE=%{…} perl -pe 's/X/$ENV{VALUE}/' FILE`"
        }
        "make" | "gmake" => "set a variable, as in `VALUE=%{…} make`, and write `\"$$VALUE\"` in the recipe",
        _ => {
            "pass it as an argument, as in `sh -c 'echo \"$1\"' sh %{…}`, or in a variable, as in `VALUE=%{…} ./script.sh`"
        }
    }
}

/// The role of a word after the other words of its command. The word can be incomplete.
pub(super) fn role(words: &[Word], word: &Word) -> Option<Role> {
    if assigned(word).is_some_and(|name| RUN_BY_NAME.contains(&name)) {
        return Some(Role::CodeOf("the shell".to_owned()));
    }
    let sets_variable = assigned(word).is_some();
    let words = &words[words.iter().take_while(|word| assigned(word).is_some()).count()..];
    let Some(first) = words.first() else {
        return (!sets_variable).then_some(Role::Command);
    };
    let Some(launched) = launched(words) else {
        let splits = name(first) == "env" && words.last().is_some_and(|word| word.text.starts_with("-S"));
        return (splits || !sets_variable).then_some(Role::Command);
    };
    let command = name(&words[launched]);
    let code = |name: &str| Some(Role::CodeOf(name.to_owned()));
    if READ_ALL.contains(&command) {
        return code(command);
    }
    if matches!(command, "for" | "select") && words.len() == launched + 1 {
        return code(command);
    }
    if DECLARE.contains(&command) && (!sets_variable || words.iter().any(|word| word.text.starts_with('-'))) {
        return code(command);
    }
    if matches!(command, "test" | "[" | "printf") && words.last().is_some_and(|last| matches!(&*last.text, "-v" | "-R"))
    {
        return code(command);
    }
    words.iter().enumerate().find_map(|(at, candidate)| {
        let interpreter = interpreter_of(candidate)?;
        let place = interpreter.next(&words[at + 1..], word);
        let is_code = place == Next::Code || (place == Next::File && at == launched);
        is_code.then(|| Role::CodeOf(if candidate.open { "it".to_owned() } else { name(candidate).to_owned() }))
    })
}

/// The index of the command after the commands that start it; `None` if it was not read yet.
fn launched(words: &[Word]) -> Option<usize> {
    let mut launched = 0;
    while LAUNCH.contains(&name(&words[launched])) {
        let begin = launched + 1;
        let is_command = |at: &usize| is_plain(&words[*at]) && !TAKES_WORD.contains(&words[*at - 1].text.as_str());
        launched = (begin..words.len()).find(is_command)?;
    }
    Some(launched)
}

/// Whether a command evaluates the variables that its words name.
pub(super) fn evaluates_names(words: &[Word]) -> bool {
    words.first().is_some_and(|first| matches!(first.text.as_str(), "let" | "[["))
}

/// The program in a complete command that reads code from standard input.
pub(super) fn reads_code_from_input(words: &[Word]) -> Option<String> {
    let words = &words[words.iter().take_while(|word| assigned(word).is_some()).count()..];
    words.first()?;
    let of_database = |word: &&Word| matches!(name(word), "psql" | "mysql" | "mariadb" | "sqlite3");
    let reads_lines = |word: &&Word| matches!(name(word), "at" | "batch" | "parallel" | "dc" | "m4" | "crontab");
    let first = launched(words).and_then(|at| words.get(at));
    if let Some(first) = first.filter(|first| of_database(first) || reads_lines(first)) {
        return Some(name(first).to_owned());
    }
    let at = words.iter().position(|word| !word.open && interpreter_of(word).is_some())?;
    let interpreter = interpreter_of(&words[at])?;
    let from_input = |word: &Word| matches!(&*word.text, "-" | "/dev/stdin" | "/dev/fd/0" | "-s");
    let rest = &words[at + 1..];
    let takes_words = words[..at].iter().any(|word| matches!(name(word), "xargs" | "parallel"));
    let reads = takes_words || rest.iter().any(from_input) || interpreter.next(rest, &Word::default()) == Next::File;
    reads.then(|| name(&words[at]).to_owned())
}

/// How an interpreter reads its next word.
#[derive(PartialEq, Eq)]
enum Next {
    Code,
    /// The file that holds the code, unless it is a flag.
    File,
    Argument,
}

impl Interpreter {
    fn next(&self, before: &[Word], word: &Word) -> Next {
        let (mut code, mut skip) = (false, false);
        for word in before {
            let text = word.text.as_str();
            if text.len() > 1 && text.starts_with(['-', '+']) {
                code |= self.is_code(text);
                // This module does not know which long flags take another word.
                let long = text.starts_with("--") && text.len() > 2 && !text.contains('=');
                skip = long || text.ends_with(|char| self.other.contains(char));
                // A module counts as the file.
                if text == "-m" {
                    return Next::Argument;
                }
            } else if skip {
                skip = false;
            } else {
                return Next::Argument;
            }
        }
        if code || self.is_code(&word.text) { Next::Code } else { Next::File }
    }

    /// Whether a flag is followed by code, in the same word or in the next one.
    fn is_code(&self, flag: &str) -> bool {
        let long = self.long.iter().any(|long| flag.starts_with(long));
        let short = flag.starts_with('-') && !flag.starts_with("--");
        long || (short && flag.chars().skip(1).any(|char| self.code.contains(char)))
    }
}

/// The interpreter with the name in a word, or one that an incomplete word can become.
fn interpreter_of(word: &Word) -> Option<&'static Interpreter> {
    if word.open && word.text.is_empty() {
        return INTERPRETERS.first();
    }
    let name = name(word);
    let version = |rest: &str| rest.chars().all(|char| char.is_ascii_digit() || matches!(char, '.' | '-'));
    let named = |known: &&str| name.strip_prefix(*known).is_some_and(version);
    INTERPRETERS.iter().find(|interpreter| interpreter.names.iter().any(named))
}

/// The last part of a path.
fn name(word: &Word) -> &str {
    word.text.rsplit('/').next().unwrap_or_default()
}

/// Whether a word after a launcher is the command, and not a flag, a number or a variable.
fn is_plain(word: &Word) -> bool {
    !word.text.starts_with(|char: char| char == '-' || char.is_ascii_digit()) && assigned(word).is_none()
}
