//! Full disks, readers that leave, and machines with few descriptors or threads.

use std::process::Command;

use crate::harness::{Kind, Outcome, Universe, emulator, has};

/// A function that can be deployed, and the function's own folder.
fn deployable(function: &str) -> Universe {
    let role = format!("arn:aws:iam::{}:role/deployed", Kind::Ministack.account());
    let block =
        format!("function_name: {function}\nrole: {role}\nruntime: python3.13\nhandler: index.handler\nzip: dist\n");
    let universe = Universe::at(&emulator(Kind::Ministack).endpoint);
    universe.file("dist/index.py", "def handler(e, c): return 1\n").file("dpl.yml", block)
}

/// Runs a command whose standard output is a full device.
fn full(universe: &Universe, arguments: &str) -> Outcome {
    universe.shell(&format!("$TOOL {arguments} >/dev/full"))
}

/// The errors on standard error.
fn errors(outcome: &Outcome) -> Vec<&str> {
    outcome.stderr.lines().filter(|line| line.starts_with("error: ")).collect()
}

#[test]
fn a_full_standard_output_is_an_error_of_every_command_that_only_shows_something() {
    let universe = deployable("shown-nowhere");
    universe.run("--publish").code(0);
    for command in [
        "--help",
        "plan --help",
        "--version",
        "plan",
        "plan --memory_size 512",
        "plan --exit-code --memory_size 512",
        "deploy --dry_run --memory_size 512",
        "check",
        "package --list",
        "render",
        "policy",
        "init",
        "status",
        "list",
        "invoke",
        "--format json",
        "plan --format json",
        "status --format json",
        "check --ci github",
        "list --ci teamcity",
    ] {
        let outcome = full(&universe, command).code(1);
        let [error] = errors(&outcome)[..] else { panic!("{command}: {}", outcome.stderr) };
        assert!(error.starts_with("error: standard output cannot be written: No space left"), "{command}: {error}");
        assert!(outcome.stderr.contains("help: free some space"), "{command}: {}", outcome.stderr);
    }
}

#[test]
fn a_full_log_does_not_stop_a_deployment() {
    let universe = deployable("logged-nowhere");
    let warning = "warning: the log is not complete: standard output cannot be written: No space left";
    let outcome = full(&universe, "--publish --alias live").code(0).says(warning);
    assert_eq!(errors(&outcome), [""; 0]);
    universe.run("plan --publish --alias live --exit-code").code(0);
    universe.write("dist/index.py", "def handler(e, c): return 2\n");
    universe.run("--publish --alias live").code(0);
    full(&universe, "rollback --alias live").code(0).says(warning).says("the exit code 0 is that of the run");
    full(&universe, "delete --yes --ci buildkite").code(0).says(warning);
    universe.run("status").code(1).says("there is no function");
}

#[test]
fn a_run_that_fails_says_why_also_if_standard_output_is_full() {
    let universe = deployable("failed-nowhere");
    for (ci, errors_go_to_output) in [("none", false), ("travis", false), ("github", true), ("gitlab", true)] {
        let outcome = full(&universe, &format!("--timeout 0 --ci {ci}")).code(3);
        let [error] = errors(&outcome)[..] else { panic!("{ci}: {}", outcome.stderr) };
        assert!(error.starts_with("error: the configuration is not right"), "{ci}: {error}");
        assert_eq!(error.contains("timeout: must be"), errors_go_to_output, "{ci}: {error}");
        assert!(outcome.stderr.contains("timeout: must be"), "{ci}: {}", outcome.stderr);
    }
    full(&universe, "--timeout 0 --format json").code(3).says("timeout: must be");
    full(&universe, "plan --no_such_flag").code(3).says("no_such_flag");
    universe.shell("$TOOL plan >/dev/full 2>&1").code(1);
    universe.shell("$TOOL --timeout 0 2>/dev/full").code(3);
}

#[test]
fn a_reader_that_has_enough_ends_no_run() {
    let universe = deployable("read-by-head");
    for command in ["--help", "list", "render", "plan --format json", "--publish"] {
        let outcome = universe.shell(&format!("{{ $TOOL {command}; echo $? >code; }} | :")).code(0);
        assert_eq!((errors(&outcome), universe.read("code").trim()), (vec![], "0"), "{command}: {}", outcome.stderr);
    }
    universe.run("plan --publish --exit-code").code(0);
    universe.shell("$TOOL list >&-").code(0);
}

/// Whoever starts a process can give it a stream that does not wait for its reader.
#[test]
fn a_stream_that_does_not_wait_gets_all_of_the_text() {
    const START: &str = "
import os, subprocess, sys, time
reader, writer = os.pipe()
os.set_blocking(writer, False)
child = subprocess.Popen(sys.argv[1:], stdout=writer)
os.close(writer)
time.sleep(1)
with os.fdopen(reader, 'rb') as reader:
    text = reader.read()
print(len(text.splitlines()), child.wait())
";
    let universe = Universe::empty();
    for number in 0..3000 {
        universe.write(&format!("dist/a-rather-long-name-of-a-file-{number}.txt"), "");
    }
    let mut command = Command::new("python3");
    command.args(["-c", START, env!("CARGO_BIN_EXE_dpl-lambda"), "package", "--zip", "dist", "--list"]);
    let output = command.current_dir(universe.path("")).env_clear().env("PATH", std::env::var("PATH").unwrap());
    let output = output.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let (lines, code) = text.trim().split_once(' ').unwrap();
    assert!(code == "0" && lines.parse::<usize>().unwrap() > 3000, "{text}");
}

#[test]
fn a_file_for_results_that_cannot_be_written_is_a_warning() {
    let universe = deployable("written-nowhere");
    for (option, ci) in [
        ("junit", "none"),
        ("output_file", "none"),
        ("summary_file", "none"),
        ("gitlab_annotations_file", "gitlab"),
        ("gitlab_codequality_file", "gitlab"),
    ] {
        for file in ["/dev/full", "dist/index.py/x"] {
            let outcome = universe.run(&format!("--ci {ci} --{option} {file}")).code(0);
            let all = outcome.all();
            let warnings: Vec<_> = all.lines().filter(|line| line.contains("could not be written")).collect();
            assert_eq!(warnings.len(), 1, "{option} {file}: {all}");
        }
    }
    for (ci, variable) in [
        ("github", "GITHUB_OUTPUT"),
        ("github", "GITHUB_STEP_SUMMARY"),
        ("gitea", "GITHUB_OUTPUT"),
        ("circleci", "BASH_ENV"),
        ("drone", "DRONE_OUTPUT"),
        ("bitbucket", "BITBUCKET_PIPELINES_VARIABLES_PATH"),
    ] {
        for file in ["/dev/full", "/no/such/folder/x", "/"] {
            let outcome = universe.shell(&format!("{variable}={file} $TOOL --ci {ci}")).code(0);
            let all = outcome.all();
            let warnings: Vec<_> = all.lines().filter(|line| line.contains("could not be written to")).collect();
            assert!(matches!(warnings[..], [only] if only.contains(variable)), "{ci} {variable} {file}: {all}");
        }
    }
    let outcome = universe.shell("AGENT_TEMPDIRECTORY=/dev/full $TOOL --ci azure").code(0);
    assert_eq!(outcome.all().matches("could not be written to AGENT_TEMPDIRECTORY").count(), 1, "{}", outcome.all());
}

#[test]
fn few_descriptors_are_one_error_and_never_a_defect() {
    let universe =
        deployable("few-descriptors").file("env", "STAGE=b\n").with("APPVEYOR_API_URL", "http://127.0.0.1:1");
    universe.write("deep/a/b/c/d/e/f/g/h/i/j/k/l/m/n.py", "");
    let mut least = None;
    for n in (4..=12).chain([16, 20, 24, 26, 28, 32, 40]) {
        for arguments in
            ["--publish --env_file env", "plan --ci appveyor", "check --junit a.xml", "package --zip deep --list"]
        {
            let outcome = universe.shell(&format!("ulimit -n {n}; exec $TOOL {arguments}"));
            assert!(outcome.code == 0 || outcome.code == 1, "{n} {arguments}: {}: {}", outcome.code, outcome.all());
            assert!(!outcome.all().contains("defect") && !outcome.all().contains("panic"), "{n}: {}", outcome.all());
            if outcome.code == 1 {
                let text = outcome.all();
                assert_eq!(text.matches("error: ").count(), 1, "{n} {arguments}: {text}");
                assert!(text.contains("Too many open files") && text.contains("ulimit -n"), "{n} {arguments}: {text}");
                least = None;
            } else {
                least = least.or(Some(n));
            }
        }
    }
    assert!(least.is_some_and(|least| least <= 32), "{least:?}");
}

/// Runs the tool as a user who may have this many threads. `None` where the machine cannot limit them.
fn with_threads(universe: &Universe, n: u32, arguments: &str) -> Option<Outcome> {
    if !has("prlimit") || !has("setpriv") {
        return None;
    }
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    // The limit does not count for root. Nobody else is this user.
    let user = if is_root { "setpriv --reuid 61234 --clear-groups" } else { "" };
    let script = format!(
        "cp $TOOL tool && chmod 755 tool && chmod -R a+rwX .. && \
         exec {user} prlimit --nproc={n} ./tool {arguments}"
    );
    Some(universe.shell(&script))
}

#[test]
fn few_threads_are_one_error_and_never_a_defect() {
    let universe = deployable("few-threads");
    let endpoint = emulator(Kind::Ministack).endpoint.replace("127.0.0.1", "localhost");
    let universe = universe.with("AWS_ENDPOINT_URL", &endpoint);
    for n in 1..=6 {
        let Some(outcome) = with_threads(&universe, n, "--publish") else { return };
        assert!(!outcome.all().contains("defect") && !outcome.all().contains("panic"), "{n}: {}", outcome.all());
        if n <= 2 {
            let text = outcome.code(1).all();
            assert!(text.matches("error: ").count() == 1 && text.contains("ulimit -u"), "{n}: {text}");
        } else {
            outcome.code(0);
        }
    }
    with_threads(&universe, 1, "--help").unwrap().code(0).says("deploy");
    with_threads(&universe, 3, "invoke").unwrap().code(0);
    with_threads(&universe, 3, "delete --yes --ci buildkite").unwrap().code(0);
}
