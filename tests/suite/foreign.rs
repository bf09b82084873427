//! What those can do who write commits, branches, tags, authors, variables and the files of a checkout: be shown as text.

use std::{fs, path::Path, process::Command};

use crate::harness::{Kind, Proxy, Universe, emulator, has};

/// Runs something in every way that a shell knows, if a shell reads it.
const HOSTILE: &str = "Fix $(touch pwned1) `touch pwned2` \"; touch pwned3; \" ' ; touch pwned4 ; ' && touch pwned5 | touch pwned6 & #\ntouch pwned7\n-n %{git_sha} ${HOME} \\ * é";

/// The same without blanks, for names of branches and tags.
const HOSTILE_NAME: &str = "x$(touch${IFS}pwned8)`touch${IFS}pwned9`\";touch${IFS}pwned10;'&&touch${IFS}pwned11|(y)";

fn block(function: &str, more: &str) -> String {
    format!(
        "deploy:\n  function_name: {function}\n  role: deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n{more}"
    )
}

fn world(function: &str, more: &str) -> (Universe, Proxy) {
    let proxy = Proxy::before(&emulator(Kind::Ministack).endpoint);
    let universe = Universe::at(&proxy.endpoint)
        .file("dist/index.py", "def handler(event, context):\n    return 1\n")
        .file("dpl.yml", block(function, more))
        .with("GIT_CONFIG_NOSYSTEM", "1");
    (universe, proxy)
}

/// Calls git as a person does, and says what it printed.
fn git(universe: &Universe, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=A", "-c", "user.email=a@b"]).args(arguments).current_dir(universe.path(""));
    let output = git.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Makes a commit of these bytes the newest one of a branch.
fn commit(universe: &Universe, branch: &str, author: &str, signature: &str, message: &str) -> String {
    let tree = git(universe, &["write-tree"]);
    let text = format!(
        "tree {tree}\nauthor {author} 1700000000 +0000\ncommitter {author} 1700000000 +0000\n{signature}\n{message}\n"
    );
    universe.write("../commit", text);
    let hash = git(universe, &["hash-object", "-t", "commit", "-w", "../commit"]);
    git(universe, &["update-ref", &format!("refs/heads/{branch}"), &hash]);
    git(universe, &["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")]);
    hash
}

fn names(folder: &Path, word: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries.filter(|name| name.contains(word)).collect()
}

#[test]
fn no_foreign_text_runs_a_command() {
    if !has("git") {
        return;
    }
    let sources = [
        "git_commit_msg",
        "git_author_name",
        "git_commit_author",
        "git_author_email",
        "git_branch",
        "git_tag",
        "$FOREIGN",
        "build_number",
        "git_sha",
        "function_name",
    ];
    let mut run = String::from("  run:\n");
    for source in sources {
        for way in [
            "printf '<%s>' %{X} >> out",
            "printf \"<%s>\" \"%{X}\" >> out",
            "value=%{X}; printf '<%s>' \"$value\" >> out",
            "if true; then printf '<%s>' \"$(printf %s%s. \"\" \"%{X}\")\" | sed 's/[.]>$/>/' >> out; fi",
            "sh -c 'printf \"<%s>\" \"$1\" >> out' sh %{X}",
        ] {
            run.push_str(&format!("    - {}\n", serde_json::json!(way.replace('X', source))));
        }
    }
    let (universe, _) = world("foreign", &run);
    git(&universe, &["init", "-q"]);
    let author = "A $(touch pwned12) `touch pwned13` \"q'; touch pwned14 |x <$(touch${IFS}pwned15)`id`@b>";
    let sha = commit(&universe, HOSTILE_NAME, author, "", HOSTILE);
    git(&universe, &["update-ref", &format!("refs/tags/{HOSTILE_NAME}"), "HEAD"]);
    let universe = universe.with("FOREIGN", HOSTILE).with("TRAVIS", "true").with("TRAVIS_BUILD_NUMBER", HOSTILE);
    let universe = universe.with("TRAVIS_BRANCH", HOSTILE_NAME);
    let outcome = universe.run("").code(0).says("$ printf '<%s>' %{git_commit_msg} >> out");

    let email = "$(touch${IFS}pwned15)`id`@b";
    let name = "A $(touch pwned12) `touch pwned13` \"q'; touch pwned14 |x";
    let values = [HOSTILE, name, name, email, HOSTILE_NAME, HOSTILE_NAME, HOSTILE, HOSTILE, &sha, "foreign"];
    let expected: String = values.iter().map(|value| format!("<{value}>").repeat(5)).collect();
    assert_eq!(universe.read("out"), expected, "{}", outcome.stdout);
    for folder in ["", ".."] {
        assert_eq!(names(&universe.path(folder), "pwned"), [""; 0]);
    }
}

#[test]
fn a_command_that_would_read_a_value_as_code_is_refused_on_its_line() {
    let (universe, proxy) = world("refused-run", "");
    let universe = universe.with("FOREIGN", "s3cr3t$(touch pwned)");
    for (command, said) in [
        ("echo '%{git_commit_msg}'", "`%{git_commit_msg}` stands in single quotes"),
        ("sh -c \"echo %{git_commit_msg}\"", "stands in what `sh` reads as code"),
        ("eval echo %{git_branch}", "stands in what `eval` reads as code"),
        ("echo `echo %{git_tag}`", "stands between backticks"),
        ("%{$FOREIGN}", "`%{$FOREIGN}` stands where the shell looks for the command"),
        ("echo %{$FOREIGN} | sh", "pipes into `sh`"),
        ("cat <<EOF\n%{build_number}\nEOF", "stands in a here-document"),
    ] {
        let more = format!("  run:\n    - echo fine\n    - {}\n", serde_json::json!(command));
        universe.write("dpl.yml", block("refused-run", &more));
        for verb in ["", "plan", "check", "render", "policy"] {
            universe.run(verb).code(3).says(said).says("(dpl.yml:9:7)").says("help: ").never_says("s3cr3t");
        }
    }
    assert_eq!((proxy.writes(), names(&universe.path(""), "pwned")), (Vec::new(), Vec::new()));
    let flag = universe.run("check --run 'echo $((%{$FOREIGN}))'").code(3);
    flag.says("stands in `$((…))`").says("(--run)").never_says("s3cr3t");
    let universe =
        universe.with("DPL_LAMBDA_RUN", "echo a\neval %{$FOREIGN}").file("dpl.yml", block("refused-run", ""));
    universe.run("check").code(3).says("(DPL_LAMBDA_RUN)");
    universe
        .without("DPL_LAMBDA_RUN")
        .with("LONG", &"x".repeat(120_000))
        .run("check --run 'echo %{$LONG} %{git_sha}%{$LONG}'")
        .code(0);
    let (universe, _) = world("refused-run", "  module_name: \"a\\0b\"\n  run: echo %{module_name}\n");
    universe.run("check").code(3).says("`%{module_name}` has a NUL character");
}

#[test]
fn the_log_has_commands_as_written_without_values() {
    let travis = "deploy:\n  provider: lambda\n  function_name: shown-run\n  role: deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n  on: {all_branches: true}\n  run:\n    - 'printf \"<%s>\" \"$FOREIGN\" %{$FOREIGN} \"%{$UNSET}\" > out'\n    - '# %{$FOREIGN}'\n    - exit %{$CODE}\n";
    let (universe, _) = world("shown-run", "");
    fs::remove_file(universe.path("dpl.yml")).unwrap();
    let universe = universe.file(".travis.yml", travis).with("FOREIGN", "s3cr3t $(touch pwned)").with("CODE", "3");
    let outcome = universe.run("").code(1).says("> out").says("$ # %{$FOREIGN}").never_says("s3cr3t");
    outcome.says("the command `exit %{$CODE}` ended with exit code 3");
    assert_eq!(universe.read("out"), "<s3cr3t $(touch pwned)><s3cr3t $(touch pwned)><>");
    assert_eq!(names(&universe.path(""), "pwned"), [""; 0]);
    universe.run("render").code(0).says("%{$FOREIGN}").never_says("s3cr3t");
}

/// Programs of the checkout and of `PATH` that leave a file where they are started.
struct Traps {
    universe: Universe,
    path: String,
}

impl Traps {
    fn set(universe: Universe) -> Self {
        let marks = universe.path("../marks");
        fs::create_dir_all(&marks).unwrap();
        let script = |name: &str| format!("#!/bin/sh\n: > '{}/{name}'\nexit 0\n", marks.display());
        let names = [
            "bash",
            "sh",
            "dash",
            "gpg",
            "gpg2",
            "ssh",
            "less",
            "more",
            "cat",
            "vi",
            "editor",
            "python3",
            "buildkite-agent",
            "git-remote-ext",
            "git-lfs",
            "ssh-keygen",
            "gpgsm",
            "touch",
            "sed",
        ];
        for name in names {
            universe.write(&format!("../traps/{name}!"), script(name));
        }
        universe.write("x.sh!", script("x.sh"));
        for name in ["git", "buildkite-agent", "bash"] {
            universe.write(&format!("{name}!"), script(&format!("{name} of the checkout")));
        }
        let path = std::env::var_os("PATH").unwrap();
        let git = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|git| git.is_file()).unwrap();
        let universe = universe.link("../only-git/git", &git.to_string_lossy());
        let absolute = |name: &str| universe.path(name).to_string_lossy().into_owned();
        let path = format!("{}:{}", absolute("../traps"), absolute("../only-git"));
        Self { universe, path }
    }

    fn sprung(&self) -> Vec<String> {
        names(&self.universe.path("../marks"), "")
    }

    /// Every verb that only looks, in several dialects.
    fn look(self) -> Self {
        let universe = self.universe.with("PATH", &self.path).with("BUILDKITE_AGENT_ACCESS_TOKEN", "t");
        let verbs =
            ["check", "render", "policy", "package --list", "plan", "status", "list", "init", "check --ci gitlab"];
        for verb in verbs {
            let outcome = universe.run(verb);
            assert!(matches!(outcome.code, 0 | 1), "{verb}: {}", outcome.all());
        }
        let looked = Self { universe, path: self.path };
        assert_eq!(looked.sprung(), [""; 0]);
        looked
    }
}

const SIGNATURE: &str = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEzBAABCAAdFiEE\n -----END PGP SIGNATURE-----\n";

/// A configuration that starts `x.sh` wherever git lets one.
fn hostile_config(script: &str) -> String {
    format!(
        "[core]\n\trepositoryformatversion = 1\n\tbare = false\n\tfsmonitor = {script}\n\tpager = {script}\n\tsshCommand = {script}\n\thooksPath = hooks\n\teditor = {script}\n\taskPass = {script}\n\tgitProxy = {script}\n\talternateRefsCommand = {script}\n\tattributesFile = attributes\n[extensions]\n\tpartialClone = evil\n\tworktreeConfig = true\n[remote \"evil\"]\n\turl = ext::{script}\n\tpromisor = true\n\tpartialclonefilter = blob:none\n\tuploadpack = {script}\n[protocol]\n\tallow = always\n[protocol \"ext\"]\n\tallow = always\n[log]\n\tshowSignature = true\n[pager]\n\tlog = {script}\n[gpg]\n\tprogram = {script}\n[gpg \"openpgp\"]\n\tprogram = {script}\n[diff]\n\texternal = {script}\n[filter \"x\"]\n\tclean = {script}\n\tsmudge = {script}\n\tprocess = {script}\n[alias]\n\tlog = !{script}\n\tdescribe = !{script}\n[credential]\n\thelper = !{script}\n"
    )
}

const LOOKS: &str = "  description: '%{git_commit_msg} by %{git_author_name} %{git_author_email} %{git_tag} %{git_branch} %{git_sha}'\n  on: {condition: '$A != b'}\n  run: echo %{git_commit_msg}\n";

#[test]
fn read_only_verbs_start_no_program_of_the_repository() {
    if !has("git") {
        return;
    }
    let (universe, _) = world("looked-at", LOOKS);
    git(&universe, &["init", "-q"]);
    commit(&universe, "main", "A <a@b>", SIGNATURE, "Signed");
    let traps = Traps::set(universe);
    let script = traps.universe.path("x.sh").to_string_lossy().into_owned();
    traps.universe.write(".git/config", hostile_config(&script));
    traps.universe.write(".gitattributes", "* filter=x diff=x\n");
    for hook in ["post-checkout", "post-index-change", "reference-transaction"] {
        traps.universe.write(&format!("hooks/{hook}!"), format!("#!/bin/sh\nexec {script}\n"));
    }
    // The trap is one.
    git(&traps.universe, &["log", "-n1"]);
    assert_eq!(traps.sprung(), ["x.sh"]);
    fs::remove_file(traps.universe.path("../marks/x.sh")).unwrap();
    let traps = traps.look();

    // A commit that is not there is not fetched.
    let missing = "1".repeat(40);
    let fetching = Command::new("git").args(["log", "-n1", &missing]).current_dir(traps.universe.path("")).output();
    assert!(!fetching.unwrap().status.success());
    assert_eq!(traps.sprung(), ["x.sh"], "git would fetch it");
    fs::remove_file(traps.universe.path("../marks/x.sh")).unwrap();
    let universe = traps.universe.with("GITHUB_ACTIONS", "true").with("GITHUB_SHA", &missing);
    Traps { universe, path: traps.path }.look();
}

#[test]
fn a_folder_of_the_checkout_is_not_a_repository() {
    if !has("git") {
        return;
    }
    let (universe, _) = world("bare", LOOKS);
    git(&universe, &["init", "-q"]);
    commit(&universe, "main", "A <a@b>", SIGNATURE, "Signed");
    for part in ["HEAD", "objects", "refs"] {
        fs::rename(universe.path(".git").join(part), universe.path(part)).unwrap();
    }
    fs::remove_dir_all(universe.path(".git")).unwrap();
    let traps = Traps::set(universe);
    let script = traps.universe.path("x.sh").to_string_lossy().into_owned();
    let config =
        hostile_config(&script).replace("bare = false", "bare = true").replace("\tworktreeConfig = true\n", "");
    traps.universe.write("config", config);
    git(&traps.universe, &["log", "-n1"]);
    assert_eq!(traps.sprung(), ["x.sh"], "git takes it for one");
    fs::remove_file(traps.universe.path("../marks/x.sh")).unwrap();
    traps.look().universe.run("render").code(0).never_says("Signed");
}

#[test]
fn programs_in_the_checkout_are_never_started() {
    let (universe, _) = world("own-programs", LOOKS);
    let traps = Traps::set(universe);
    let here = traps.universe.path("").to_string_lossy().trim_end_matches('/').to_owned();
    for path in [
        String::new(),
        ".".to_owned(),
        ":".to_owned(),
        "./:../checkout".to_owned(),
        here.clone(),
        format!("{here}/../checkout"),
    ] {
        let universe = Universe::empty().with("PATH", &path).with("BUILDKITE", "true").with("AWS_REGION", "us-east-1");
        for name in ["git!", "buildkite-agent!", "bash!"] {
            universe.write(name, traps.universe.read(name.trim_end_matches('!')));
        }
        let path = path.replace(&here, universe.path("").to_str().unwrap().trim_end_matches('/'));
        let universe =
            universe.with("PATH", &path).file("dist/index.py", "").file("dpl.yml", block("own-programs", LOOKS));
        universe.run("check").code(0);
        universe.run("check --cleanup").code(0);
        assert_eq!(traps.sprung(), [""; 0], "{path}");
    }
}

#[test]
fn git_works_in_a_normal_repository() {
    if !has("git") {
        return;
    }
    let (universe, _) = world("well", LOOKS);
    git(&universe, &["init", "-q"]);
    let first = commit(&universe, "feature/x", "Ann Ö <ann@example.com>", SIGNATURE, "Signed: ünïcode");
    git(&universe, &["tag", "v1"]);
    let universe = universe.with("GIT_CONFIG_COUNT", "1").with("GIT_CONFIG_KEY_0", "log.showSignature");
    let universe = universe.with("GIT_CONFIG_VALUE_0", "true");
    let said = format!("Signed: ünïcode by Ann Ö ann@example.com v1 feature/x {first}");
    universe.run("render").code(0).says(&said);
    // Whatever a CI says, it names a commit or nothing.
    let out = universe.path("written-by-git");
    let universe = universe.with("GITHUB_ACTIONS", "true").with("GITHUB_REF", "refs/heads/feature/x");
    for odd in [
        format!("--output={}", out.display()),
        "--all".to_owned(),
        "feature/x".to_owned(),
        "HEAD@{1}".to_owned(),
        "-1".to_owned(),
    ] {
        let universe = Universe::empty().with("GITHUB_ACTIONS", "true").with("GITHUB_SHA", &odd);
        git(&universe, &["init", "-q"]);
        commit(&universe, "main", "A <a@b>", "", "Another");
        universe.write("dist/index.py", "");
        universe.write("dpl.yml", block("well", LOOKS));
        universe.run("render").code(0).never_says("Another");
        assert!(!out.exists());
    }
    // A commit is itself, also where another one replaces it.
    let second = commit(&universe, "feature/y", "B <b@c>", "", "Replacement");
    git(&universe, &["replace", &first, &second]);
    let universe = universe.with("GITHUB_SHA", &first);
    universe.run("render").code(0).says("Signed: ünïcode").never_says("Replacement");
    let universe = universe.with("PATH", "/nonexistent");
    universe.run("render").code(0).says(&format!("feature/x {first}"));
}

#[test]
fn a_condition_is_never_given_to_a_shell() {
    let (universe, proxy) = world("conditioned", "");
    let universe = universe.with("N", "a[$(touch pwned)]").with("BRANCH", "$(touch pwned)");
    for (condition, said) in [
        ("$(touch pwned)", "`condition` has a command, which is not run"),
        ("-n `touch pwned`", "`condition` has a command"),
        ("a = a ]]; touch pwned; [[ a", "`condition` has a `]]`"),
        ("-v a[$(touch pwned)]", "`condition` has a command"),
        ("${N:-$(touch pwned)}", "`condition` has `${N:-$(touch pwned)}`, which is not supported"),
        ("$((N)) = 1", "`condition` has a command"),
        ("-f dist/index.py", "`condition` has `-f`, which is not supported"),
    ] {
        let more = format!("  on:\n    condition:\n      - $A != b\n      - {}\n", serde_json::json!(condition));
        universe.write("dpl.yml", block("conditioned", &more));
        for verb in ["", "plan", "check", "render", "policy", "package --list", "status", "list"] {
            universe.run(verb).code(3).says(said).says("(dpl.yml:10:9)");
        }
    }
    for (condition, code, said) in [
        ("$N -gt 5", 3, "`$N` is compared as a number"),
        ("5 -gt $UNSET", 3, "`$UNSET` is compared as a number, but its value is empty"),
        ("$N = a* && $BRANCH != main", 0, "plan for `conditioned`"),
        ("$BRANCH =~ ^main$", 0, "which does not hold"),
    ] {
        universe.write(
            "dpl.yml",
            block("conditioned", &format!("  on:\n    condition: {}\n", serde_json::json!(condition))),
        );
        universe.run("plan").code(code).says(said).never_says("pwned");
        universe.run("check").code(0);
    }
    assert_eq!((proxy.writes(), names(&universe.path(""), "pwned")), (Vec::new(), Vec::new()));
    let on = "  on:\n    condition: ['$TRAVIS_BRANCH = main && -z $TRAVIS_TAG', '$TRAVIS_PULL_REQUEST = false']\n";
    let (universe, _) = world("conditioned", on);
    let universe = universe.with("GITHUB_ACTIONS", "true").with("GITHUB_REF", "refs/heads/main");
    universe.run("plan").code(0).says("plan for `conditioned`");
    universe.with("TRAVIS_BRANCH", "other").run("plan").code(0).says("which does not hold");
}
