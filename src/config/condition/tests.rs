use std::{collections::BTreeMap, process::Command};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use std::borrow::Cow;

use super::*;

impl Variables for BTreeMap<&str, &str> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(|value| Cow::Borrowed(*value))
    }
}

fn variables() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("BRANCH", "release/1.2"),
        ("EMPTY", ""),
        ("TAG", "v1.20.3"),
        ("N", "7"),
        ("TEXT", "a b*c"),
        ("GLOB", "rel*"),
        ("REGEX", "^v[0-9]+\\."),
        ("OCTAL", "010"),
        ("HOSTILE", "a[$(touch /tmp/never-made)]"),
        ("SLASH", "a\\*"),
        ("LINES", "one\ntwo"),
        ("HUGE", "99999999999999999999"),
    ])
}

fn answer(expression: &str) -> Result<bool, String> {
    Condition::parse(expression)?.holds(&variables())
}

#[test]
fn expressions_mean_what_they_mean_to_bash() {
    for (expression, holds) in [
        ("$BRANCH = release/1.2", true),
        ("$BRANCH == release/*", true),
        ("$BRANCH == \"release/*\"", false),
        ("$BRANCH == 'release/'*", true),
        ("$BRANCH == release/\\*", false),
        ("$BRANCH != main", true),
        ("$BRANCH == $GLOB", true),
        ("$BRANCH == \"$GLOB\"", false),
        ("$BRANCH == @(main|release/*)", true),
        ("$BRANCH == +([a-z])/[0-9].?", true),
        ("$TAG =~ ^v[0-9]+\\.[0-9]+\\.[0-9]+$", true),
        ("$TAG =~ ^v[0-9]+\\.2\\.", false),
        ("$TAG =~ $REGEX", true),
        ("$TAG =~ \"$REGEX\"", false),
        ("$TAG =~ ^(v|release-)1", true),
        ("$TAG =~ 1.2", true),
        ("$TAG =~ \"1.2\"", true),
        ("$TAG =~ v1\".\"20", true),
        ("$TAG =~ v1\"2\"20", false),
        ("$TAG =~ ^v1.*[[:digit:]]$", true),
        ("$TEXT =~ (a b)", true),
        ("$LINES =~ ^one.two$", true),
        ("-z $EMPTY", true),
        ("-z $UNSET", true),
        ("-n $UNSET", false),
        ("$N", true),
        ("$UNSET", false),
        ("\"\"", false),
        ("-v EMPTY", true),
        ("-v UNSET", false),
        ("$N -gt 5", true),
        ("$N -le -5", false),
        ("+7 -eq $N", true),
        ("${UNSET:-7} -eq $N", true),
        ("${EMPTY-x} = ''", true),
        ("${EMPTY:-x} = x", true),
        ("${N:+set} = set", true),
        ("${UNSET+set} = ''", true),
        ("! $N = 7", false),
        ("! $N = 8 && $N = 7", true),
        ("$N = 8 || $N = 7 && $N = 6", false),
        ("$N = 7 || $N = 7 && $N = 6", true),
        ("($N = 7 || $N = 7) && $N = 6", false),
        ("!($N = 7)", false),
        ("$TEXT = 'a b*c'", true),
        ("$TEXT = $TEXT", true),
        ("$SLASH = $SLASH", false),
        ("$SLASH = \"$SLASH\"", true),
        ("-n $HOSTILE", true),
        ("$HOSTILE != x", true),
        ("$N = 7 &&\n  $BRANCH = *1.2\n", true),
        ("$UNSET -gt 5 || $N = 7", true),
    ] {
        if expression.starts_with("$UNSET -gt") {
            answer(expression).unwrap_err();
            continue;
        }
        assert_eq!(answer(expression), Ok(holds), "{expression}");
    }
}

#[test]
fn what_is_not_understood_is_an_error() {
    let deep = "(".repeat(100_000);
    let negated = "! ".repeat(4_000);
    let many = "$A".repeat(101);
    let long = format!("$N = {}", "1".repeat(20_000));
    let groups = format!("a == {}a{}", "@(".repeat(600), ")".repeat(600));
    let regex = format!("a =~ {}a{}", "(".repeat(600), ")".repeat(600));
    for (expression, said) in [
        ("", "an expression is expected"),
        ("= =", "has its end behind `=`"),
        ("$(touch /tmp/x)", "has a command, which is not run"),
        ("\"$(touch /tmp/x)\" = a", "has a command"),
        ("`touch /tmp/x`", "has a command"),
        ("\"`touch /tmp/x`\"", "has a command"),
        ("a = $(touch x)", "has a command"),
        ("a =~ $(touch x)", "has a command"),
        ("a =~ (`touch x`)", "has a command"),
        ("$((1+1)) -eq 2", "has a command"),
        ("$[1+1] -eq 2", "old arithmetic"),
        ("<(id)", "an expression is expected"),
        ("a = <(id)", "a word is expected"),
        ("${!N}", "is not supported"),
        ("${N:=7}", "is not supported"),
        ("${N:-$(id)}", "is not supported"),
        ("${N:-$N}", "is not supported"),
        ("${N:?x}", "is not supported"),
        ("${#N} -eq 1", "is not supported"),
        ("${N%x}", "is not supported"),
        ("${N[0]}", "is not supported"),
        ("${N@P}", "is not supported"),
        ("${N", "without its `}`"),
        ("$1 = a", "only `$NAME`"),
        ("$? -eq 0", "only `$NAME`"),
        ("$'a' = a", "before a quote"),
        ("$\"a\" = a", "before a quote"),
        ("-f dist/x", "has `-f`, which is not supported"),
        ("-o errexit", "has `-o`"),
        ("a -nt b", "an operator is expected"),
        ("-v N[0]", "name of a variable"),
        ("-v HOSTILE[$(id)]", "has a command"),
        ("-v $N", "name of a variable"),
        ("-z", "a word is expected"),
        ("a < b", "use `-lt`"),
        ("a > b", "use `-lt`"),
        ("$N -gt abc", "`abc` is not a whole number"),
        ("$N -gt 010", "`010` is not a whole number"),
        ("$N -gt 0x7", "not a whole number"),
        ("$N -gt 1+1", "not a whole number"),
        ("$N -gt ''", "not a whole number"),
        ("$N -gt 99999999999999999999", "not a whole number"),
        ("$HUGE -gt 5", "$HUGE` is compared as a number"),
        ("$HOSTILE -gt 5", "$HOSTILE` is compared as a number"),
        ("$OCTAL -eq 8", "$OCTAL` is compared as a number"),
        ("$UNSET -gt 5", "its value is empty"),
        ("a && ", "an expression is expected"),
        ("&& a", "an expression is expected"),
        ("a || || b", "an expression is expected"),
        ("a & b", "has `&` behind"),
        ("a | b", "has `|` behind"),
        ("a; touch /tmp/x", "has `;` behind"),
        ("a ]]; touch /tmp/x; [[ b", "has a `]]`"),
        ("]]", "has a `]]`"),
        ("a = b c", "has `c` where"),
        ("a b", "an operator is expected"),
        ("(a", "where `)` is expected"),
        ("a)", "has `)` where"),
        ("()", "an expression is expected"),
        ("a\n= b", "line break"),
        ("'a", "a quote that is not closed"),
        ("\"a", "a quote that is not closed"),
        ("a\\", "a backslash at the end"),
        ("a = ~", "begins with `~`"),
        ("# a", "begins with `#`"),
        ("$RANDOM -gt 5", "which bash sets itself"),
        ("$BASH_VERSION = 5*", "which bash sets itself"),
        ("a == !(b)", "`!(…)`, which is not supported"),
        ("a == @(b", "without its `)`"),
        ("a =~ (b", "without its `)`"),
        ("a =~ *", "nothing to repeat"),
        ("a =~ a**", "nothing to repeat"),
        ("a =~ a{x}", "no repetition"),
        ("a =~ a{2,1}", "no repetition"),
        ("a =~ [a", "without its `]`"),
        ("a =~ [[.a.]]", "not supported"),
        ("a =~ [a-Z]", "a range"),
        ("a == [a-Z]", "a range"),
        ("a =~ (a{255}){255}", "repeats too often"),
        ("a =~ a||b", "empty alternative"),
        ("a\0", "NUL"),
        (&deep, "longer than"),
        (&deep[..5_000], "more than 100"),
        (&negated, "more than 100"),
        (&many, "more than 100 variables"),
        (&long, "longer than"),
        (&groups, "too many groups"),
        (&regex, "too many groups"),
    ] {
        let shown = expression.chars().take(50).collect::<String>();
        let error = answer(expression).expect_err(&shown);
        assert!(error.contains(said), "{shown}: {error}");
    }
}

#[test]
fn no_error_repeats_a_value() {
    for hidden in ["$HOSTILE -gt 5", "$HUGE -eq 1"] {
        let error = answer(hidden).unwrap_err();
        assert!(!error.contains("touch") && !error.contains("9999"), "a value may be a secret: {error}");
    }
}

/// What bash says to each; nothing where there is no bash.
fn by_bash(expressions: &[String]) -> Option<Vec<Option<bool>>> {
    const SCRIPT: &str =
        r#"for e in "$@"; do eval "if [[ $e ]]; then echo yes; else echo no; fi" || :; echo end; done"#;
    let mut bash = Command::new("bash");
    bash.args(["-c", SCRIPT, "bash"]).args(expressions).env_clear().env("LC_ALL", "C.UTF-8").envs(variables());
    let Ok(output) = bash.output() else {
        eprintln!("there is no bash on this machine, so nothing is compared with it");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let answer = |answer| match answer {
        "yes\n" => Some(true),
        "no\n" => Some(false),
        _ => None,
    };
    let answers: Vec<_> = text.split("end\n").take(expressions.len()).map(answer).collect();
    assert_eq!(answers.len(), expressions.len(), "{text}");
    Some(answers)
}

/// Expressions, of which those that are taken must mean the same to bash. Says how many were.
fn compare(expressions: Vec<String>) -> usize {
    let ours = |expression: String| answer(&expression).ok().map(|ours| (expression.trim_end().to_owned(), ours));
    let taken: Vec<_> = expressions.into_iter().filter_map(ours).collect();
    let texts: Vec<_> = taken.iter().map(|(expression, _)| expression.clone()).collect();
    if let Some(answers) = by_bash(&texts) {
        for ((expression, ours), bash) in taken.iter().zip(answers) {
            assert_eq!(bash, Some(*ours), "{expression}");
        }
    }
    taken.len()
}

fn sample<T>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::default();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn bash_agrees_about_honest_expressions() {
    let word = prop_oneof![
        "[a-z0-9./-]{1,5}",
        "\\$(BRANCH|EMPTY|TAG|N|TEXT|UNSET|GLOB|LINES)",
        "\"\\$(BRANCH|EMPTY|TAG|N|TEXT|UNSET|GLOB|SLASH)\"",
        "\\$\\{(EMPTY|N|UNSET)(:?[-+][a-z0-9]{0,2})?\\}",
        "'[a-z *$]{0,4}'",
        "v[0-9]\\$N\"[a-z]\"",
    ];
    let pattern = prop_oneof![
        word.clone(),
        "(rel\\*|\\*[a-z0-9]|v\\?\\.\\*|\\[a-v\\]\\*|\\[!a-f]\\*|\\*\\[\\[:digit:\\]\\]|\\*\\\\\\*\\*)",
        "(@|\\+|\\*|\\?)\\((v1|rel\\*|\\[0-9\\]|a b\\*c)(\\|7|\\|v\\*)?\\)(\\*)?",
        "\\$(GLOB|SLASH|REGEX)",
    ];
    let regex = prop_oneof![
        "\\^?(v|rel|[a-z])[.*+?]?\\[0-9/.]\\{0,3\\}\\$?",
        "\\(v\\|r\\)[a-z0-9.]{1,2}",
        "\\^?\\[\\^a-f\\]\\+(\\\\\\.|\"\\.\")\\[\\[:digit:\\]\\]\\*",
        "\\$(REGEX|N|TAG)",
        "\\^\\(\\(a\\|b\\) \\)\\+",
    ];
    let number = prop_oneof!["-?(0|[1-9][0-9]{0,3})", "\\$N", "\\$\\{UNSET:-[1-9]\\}"];
    let term = prop_oneof![
        (word.clone(), "(=|==|!=)", pattern).prop_map(|(a, b, c)| format!("{a} {b} {c}")),
        (word.clone(), regex).prop_map(|(a, b)| format!("{a} =~ {b}")),
        ("-[nz]", word.clone()).prop_map(|(a, b)| format!("{a} {b}")),
        "-v (N|EMPTY|UNSET)",
        word.prop_filter("a test of one word", |word| !word.starts_with('-')),
        (number.clone(), "-(eq|ne|lt|le|gt|ge)", number).prop_map(|(a, b, c)| format!("{a} {b} {c}")),
    ];
    let expression = term.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| format!("! {inner}")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            (inner.clone(), "( && |&&| \\|\\| |\\|\\||\n&&\n)", inner).prop_map(|(a, b, c)| format!("{a}{b}{c}")),
        ]
    });
    let taken = compare(sample(&expression, 2_000));
    assert!(taken > 1_000, "only {taken} of 2000 were taken");
}

#[test]
fn bash_agrees_about_whatever_is_taken() {
    let piece = prop_oneof![
        "[ab\"'\\\\$(){}|&!=~*+?\\[\\]:;<>.^#0-9 \n-]{1,6}",
        "( |\\$N|\\$BRANCH|\\$UNSET|-eq|-n|-z|==|=~|=|!=|&&|\\|\\||\\(|\\)|!|@\\(|\\[\\[:alpha:]])",
    ];
    let expression = proptest::collection::vec(piece, 1..7).prop_map(|pieces| pieces.concat());
    let spaced = "(\\$N|a|\\$TAG|'') ?(==|=~|!=|=|-eq|-lt) ?[7av.*?+^$\\[\\](){}|\\\\\"'0-9-]{1,7}";
    let taken = compare(sample(&expression, 4_000)) + compare(sample(&spaced, 2_000));
    assert!(taken > 200, "only {taken} were taken");
}
