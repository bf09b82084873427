use std::process::Command;

use proptest::prelude::*;

use super::*;

/// What the shell is given.
fn code(written: &str) -> Result<String, String> {
    Script::of(written, |_| "value".to_owned()).map(|script| script.code).map_err(|refusal| refusal.message)
}

#[test]
fn a_value_becomes_a_quoted_variable() {
    for (written, expected) in [
        ("echo hi", "echo hi"),
        ("echo %{git_sha}", r#"echo "${DPL_VALUE_git_sha}""#),
        ("echo %{$STAGE}", r#"echo "${DPL_VARIABLE_STAGE}""#),
        ("echo \"at %{git_sha}!\"", r#"echo "at ${DPL_VALUE_git_sha}!""#),
        ("echo a%{git_sha}b'c'", r#"echo a"${DPL_VALUE_git_sha}"b'c'"#),
        ("echo 'one'; echo %{git_sha}", r#"echo 'one'; echo "${DPL_VALUE_git_sha}""#),
        ("echo \"$(curl %{git_sha})\"", r#"echo "$(curl "${DPL_VALUE_git_sha}")""#),
        (
            "echo \"$(curl \"a %{git_sha}\")\" \"%{git_sha}\"",
            r#"echo "$(curl "a ${DPL_VALUE_git_sha}")" "${DPL_VALUE_git_sha}""#,
        ),
        ("# it's %{git_sha}\necho \"%{git_sha}\"", "# it's %{git_sha}\necho \"${DPL_VALUE_git_sha}\""),
        ("echo $# a#%{git_sha}", r#"echo $# a#"${DPL_VALUE_git_sha}""#),
        ("MSG=%{git_sha} ./notify.sh", r#"MSG="${DPL_VALUE_git_sha}" ./notify.sh"#),
        ("export MSG=%{git_sha}", r#"export MSG="${DPL_VALUE_git_sha}""#),
        (
            "if [ %{git_sha} = x ]; then echo %{git_sha}; fi",
            r#"if [ "${DPL_VALUE_git_sha}" = x ]; then echo "${DPL_VALUE_git_sha}"; fi"#,
        ),
        ("a && b %{git_sha} || c %{git_sha} | d", r#"a && b "${DPL_VALUE_git_sha}" || c "${DPL_VALUE_git_sha}" | d"#),
        ("sh -c 'echo \"$1\"' sh %{git_sha}", r#"sh -c 'echo "$1"' sh "${DPL_VALUE_git_sha}""#),
        ("bash -eu notify.sh %{git_sha}", r#"bash -eu notify.sh "${DPL_VALUE_git_sha}""#),
        ("python3 -m notify %{git_sha}", r#"python3 -m notify "${DPL_VALUE_git_sha}""#),
        ("python3 notify.py -c %{git_sha}", r#"python3 notify.py -c "${DPL_VALUE_git_sha}""#),
        ("echo > %{git_sha}.txt", r#"echo > "${DPL_VALUE_git_sha}".txt"#),
        (
            "case %{git_sha} in a) echo %{git_sha};; esac",
            r#"case "${DPL_VALUE_git_sha}" in a) echo "${DPL_VALUE_git_sha}";; esac"#,
        ),
        ("for i in %{git_sha} b; do echo $i; done", r#"for i in "${DPL_VALUE_git_sha}" b; do echo $i; done"#),
        ("(cd x && echo %{git_sha}) 2>&1", r#"(cd x && echo "${DPL_VALUE_git_sha}") 2>&1"#),
        ("cat <<EOF\n$A 'b\nEOF\necho %{git_sha}", "cat <<EOF\n$A 'b\nEOF\necho \"${DPL_VALUE_git_sha}\""),
        ("cat <<-'E F'; echo %{git_sha}", "refused"),
        ("jq --arg text %{git_sha} '{text: $text}'", r#"jq --arg text "${DPL_VALUE_git_sha}" '{text: $text}'"#),
        ("sudo -E ./deploy %{git_sha}", r#"sudo -E ./deploy "${DPL_VALUE_git_sha}""#),
        ("timeout 5 ./check %{git_sha}", r#"timeout 5 ./check "${DPL_VALUE_git_sha}""#),
        ("echo %{git_sha} | python3 -c 'print(1)'", r#"echo "${DPL_VALUE_git_sha}" | python3 -c 'print(1)'"#),
        ("V=%{git_sha}; echo \"$V\" $((1 + 2))", r#"V="${DPL_VALUE_git_sha}"; echo "$V" $((1 + 2))"#),
        ("echo \"${A:-x}\" %{git_sha}", r#"echo "${A:-x}" "${DPL_VALUE_git_sha}""#),
        ("echo 100% %{ x } %{a-b} %{open", "echo 100% %{ x } %{a-b} %{open"),
        ("echo \\'%{git_sha}\\'", r#"echo \'"${DPL_VALUE_git_sha}"\'"#),
    ] {
        match code(written) {
            Ok(found) => assert_eq!(found, expected),
            Err(message) => assert_eq!(expected, "refused", "{written}: {message}"),
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, read best in one piece")]
fn a_value_never_becomes_code() {
    for (written, said) in [
        ("echo '%{git_sha}'", "in single quotes"),
        ("echo a'b c %{git_sha}'", "in single quotes"),
        ("sh -c 'echo %{git_sha}'", "in single quotes"),
        ("echo `echo %{git_sha}`", "between backticks"),
        ("echo \"`echo %{git_sha}`\"", "between backticks"),
        ("echo \\%{git_sha}", "behind a backslash"),
        ("echo \"\\%{git_sha}\"", "behind a backslash"),
        ("echo $%{git_sha}", "behind a `$`"),
        ("echo ${%{git_sha}}", "in `${…}`"),
        ("echo ${A:-%{git_sha}}", "in `${…}`"),
        ("echo \"${A:-\"%{git_sha}\"}\"", "in `${…}`"),
        ("echo \"${A:-$(echo %{git_sha})}\"", "in `${…}`"),
        ("echo $((%{git_sha} + 1))", "in `$((…))`"),
        ("echo $[%{git_sha} + 1]", "behind `$[`"),
        ("((%{git_sha}))", "behind `((`"),
        ("cat <<EOF\n%{git_sha}\nEOF", "in a here-document"),
        ("cat <<'EOF'\n%{git_sha}\nEOF", "in a here-document"),
        ("cat <<-EOF | sh\n\techo %{git_sha}\n\tEOF", "in a here-document"),
        ("(cat <<A; cat <<B)\n1\nA\n%{git_sha}\nB", "in a here-document"),
        ("cat <<%{git_sha}\nx", "ends a here-document"),
        ("cat <<< %{git_sha}", "behind `<<<`"),
        ("sh <(echo %{git_sha})", "behind `<(`"),
        ("echo $'a' %{git_sha}", "behind `$["),
        ("%{git_sha}", "looks for the command"),
        ("\"%{git_sha}\" a", "looks for the command"),
        ("./%{git_sha}.sh", "looks for the command"),
        ("echo a; %{git_sha}", "looks for the command"),
        ("echo a | %{git_sha}", "looks for the command"),
        ("if %{git_sha}; then a; fi", "looks for the command"),
        ("A=b %{git_sha}", "looks for the command"),
        ("$(echo %{git_sha})", "looks for the command"),
        ("exec %{git_sha}", "looks for the command"),
        ("env A=b %{git_sha}", "looks for the command"),
        ("env -S %{git_sha}", "looks for the command"),
        ("sudo -E %{git_sha}", "looks for the command"),
        ("timeout 5 %{git_sha}", "looks for the command"),
        ("a[%{git_sha}]=1", "looks for the command"),
        ("eval echo %{git_sha}", "what `eval` reads"),
        ("eval \"echo %{git_sha}\"", "what `eval` reads"),
        ("e\\val echo %{git_sha}", "what `eval` reads"),
        ("'eval' echo %{git_sha}", "what `eval` reads"),
        ("command eval echo %{git_sha}", "what `eval` reads"),
        ("eval \"$(echo %{git_sha})\"", "what `eval` reads"),
        ("{ eval %{git_sha}; }", "what `eval` reads"),
        ("f() { eval %{git_sha}; }; f", "what `eval` reads"),
        ("sh -c \"echo %{git_sha}\"", "what `sh` reads"),
        ("/bin/bash -euxc \"echo %{git_sha}\"", "what `bash` reads"),
        ("bash --rcfile x -c \"echo %{git_sha}\"", "what `bash` reads"),
        ("sudo -u root env A=b %{git_sha}", "looks for the command"),
        ("time -p %{git_sha}", "looks for the command"),
        ("echo %{git_sha} |& sh", "pipes into `sh`"),
        ("bash -o pipefail -c \"echo %{git_sha}\"", "what `bash` reads"),
        ("sh 2>&1 -c \"echo %{git_sha}\"", "what `sh` reads"),
        ("sh > log -c \"echo %{git_sha}\"", "what `sh` reads"),
        ("$SHELL -c \"echo %{git_sha}\"", "what `it` reads"),
        ("sudo -u app bash -c \"echo %{git_sha}\"", "what `bash` reads"),
        ("docker exec app sh -c \"echo %{git_sha}\"", "what `sh` reads"),
        ("xargs -I{} sh -c \"echo %{git_sha}\"", "what `sh` reads"),
        ("sh -c \"$(echo %{git_sha})\"", "what `sh` reads"),
        ("sh %{git_sha}", "what `sh` reads"),
        (". %{git_sha}", "what `.` reads"),
        ("trap \"echo %{git_sha}\" EXIT", "what `trap` reads"),
        ("alias a=%{git_sha}", "what `alias` reads"),
        ("unset %{git_sha}", "what `unset` reads"),
        ("export %{git_sha}", "what `export` reads"),
        ("declare -i n=%{git_sha}", "what `declare` reads"),
        ("printf -v %{git_sha} x", "what `printf` reads"),
        ("test -v %{git_sha}", "what `test` reads"),
        ("[[ %{git_sha} -eq 1 ]]", "what `[[` reads"),
        ("ssh host \"echo %{git_sha}\"", "what `ssh` reads"),
        ("make TAG=%{git_sha}", "what `make` reads"),
        ("sed \"s/x/%{git_sha}/\" f", "what `sed` reads"),
        ("awk \"{print \\\"%{git_sha}\\\"}\"", "what `awk` reads"),
        ("python3 -c \"print('%{git_sha}')\"", "what `python3` reads"),
        ("python3.12 -Xutf8 -c \"%{git_sha}\"", "what `python3.12` reads"),
        ("node --eval=\"%{git_sha}\"", "what `node` reads"),
        ("perl -we\"%{git_sha}\"", "what `perl` reads"),
        ("echo \"%{git_sha}\" | sh", "pipes into `sh`"),
        ("echo \"%{git_sha}\" | sudo bash -s", "pipes into `bash`"),
        ("{ echo %{git_sha}; } | python3", "pipes into `python3`"),
        ("echo %{git_sha} | psql app", "pipes into `psql`"),
        ("echo %{git_sha} | sudo at now", "pipes into `at`"),
        ("echo %{git_sha} | { cd x; sh; }", "pipes into `sh`"),
        ("echo %{git_sha} | (cd x; sh)", "pipes into `sh`"),
        ("echo %{git_sha} | while read -r l; do eval \"$l\"; done", "what `eval` reads"),
        ("echo %{git_sha} | xargs -I{} sh -c 'echo {}'", "pipes into `sh`"),
        ("V=%{git_sha}; eval echo $V", "what `eval` reads"),
        ("export V=%{git_sha}; sh -c \"echo ${V}\"", "what `sh` reads"),
        ("V=%{git_sha}\necho $((V + 1))", "in `$((…))`"),
        ("V=%{git_sha}; echo ${!V}", "in `${…}`"),
        ("V=%{git_sha}; echo \"${A:V}\"", "in `${…}`"),
        ("V=%{git_sha}; echo \"${V@P}\"", "in `${…}`"),
        ("f() { eval \"$V\"; }; V=%{git_sha}; f", "what `eval` reads"),
        ("trap \"$V\" EXIT; V=%{git_sha}", "what `trap` reads"),
        ("PS4=%{git_sha}; set -x; true", "what `the shell` reads"),
        ("env BASH_ENV=%{git_sha} bash x", "what `the shell` reads"),
        ("V=%{git_sha}; let W=V", "evaluates it"),
        ("V=%{git_sha}; ((V > 1))", "evaluates it"),
        ("V=%{git_sha}; W=$V; $W", "looks for the command"),
        ("V=%{git_sha}; sh <<EOF\necho $V\nEOF", "in a here-document"),
        ("for v in %{git_sha}; do eval $v; done", "what `eval` reads"),
        ("echo \"$(case a in a) eval %{git_sha};; esac)\"", "behind a `case`"),
    ] {
        match code(written) {
            Err(message) => assert!(message.contains(said), "{written}: {message}"),
            Ok(code) => panic!("{written} became {code}"),
        }
    }
}

#[test]
fn the_form_that_is_proposed_is_accepted() {
    for written in [
        "sh -c \"echo %{git_sha}\"",
        "ssh host \"deploy %{git_sha}\"",
        "sed \"s/X/%{git_sha}/\" f",
        "make T=%{git_sha}",
    ] {
        let help = Script::of(written, |_| String::new()).unwrap_err().help;
        let (_, proposed) = help.split_once("as in `").unwrap();
        let proposed = proposed.split_once("`,").map_or(proposed.trim_end_matches('`'), |(proposed, _)| proposed);
        assert!(proposed.contains("%{git_sha}"), "{help}");
        assert!(code(proposed).is_ok(), "{proposed}: {:?}", code(proposed));
    }
}

#[test]
fn what_no_process_can_hold_is_refused() {
    assert!(code("echo a\0").unwrap_err().contains("NUL"));
    let filled = |value: String| Script::of("echo %{zip}", |_| value.clone()).map_err(|refusal| refusal.message);
    assert!(filled("a\0b".to_owned()).unwrap_err().contains("`%{zip}` has a NUL"));
    assert!(filled("a".repeat(200_000)).unwrap_err().contains("too long for a shell"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands around it: what is not refused prints the value as it is.
    #[test]
    fn a_shell_sees_the_value_as_it_is(
        value in "[ -~\n'\"$`\\\\é]{0,30}",
        before in "(echo '\\)' \"\\(\" ;|: \\$\\{A:-x\\} \"\\$\\(echo \"a b\"\\)\";|# it's\n|if true; then |\\( |\\{ )?",
        quotes in "[\"]?",
    ) {
        let after = match before.trim() {
            "if true; then" => "; fi",
            "(" => ")",
            "{" => "; }",
            _ => "",
        };
        let written = format!("{before}printf '<%s>' {quotes}%{{git_sha}}{quotes}{after}");
        let script = Script::of(&written, |_| value.clone()).unwrap();
        for shell in ["sh", "bash"] {
            let output = Command::new(shell).args(["-c", &script.code]).envs(&script.variables).output();
            let Ok(output) = output else { continue };
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            prop_assert!(printed.ends_with(&format!("<{value}>")), "{shell}: {}: {printed}", script.code);
        }
    }

    #[test]
    fn no_command_confuses_the_scanner(written in "([ \n'\"$`\\\\(){}<>|&;#]|%\\{x\\}|<<E|case|sh -c|\\$\\(|\\$\\{|é|a=){0,25}") {
        if let Ok(script) = Script::of(&written, |_| String::new()) {
            prop_assert!(script.code.len() >= written.len() || !script.variables.is_empty());
        }
    }
}
