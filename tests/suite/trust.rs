//! Whom the tool trusts: a file of the checkout may be the work of whoever wrote a pull request.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::harness::{Kind, Outcome, Relay, Universe, emulator};

/// The verbs that read the block of a function.
const VERBS: [&str; 9] =
    ["check", "plan", "render", "policy", "", "status", "package --list", "list", "rollback --alias live"];

/// A universe with a block of ours, in a checkout with a file to package.
fn with(block: &str) -> Universe {
    Universe::empty()
        .with("AWS_ACCESS_KEY_ID", "AKIDTESTTESTTEST")
        .with("AWS_SECRET_ACCESS_KEY", "test-secret-access-key")
        .with("AWS_REGION", "us-east-1")
        .file("dist/index.py", "x = 1\n")
        .file("dpl.yml", format!("function_name: f\nzip: dist\n{block}"))
}

/// A machine on the network: it counts who comes, and keeps what they say.
struct Stranger {
    address: String,
    said: Arc<Mutex<String>>,
    came: Arc<AtomicUsize>,
}

impl Stranger {
    fn listening() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stranger = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            said: Arc::default(),
            came: Arc::default(),
        };
        let (said, came) = (Arc::clone(&stranger.said), Arc::clone(&stranger.came));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                came.fetch_add(1, Ordering::SeqCst);
                stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
                let mut bytes = [0; 4096];
                let length = stream.read(&mut bytes).unwrap_or(0);
                said.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
        });
        stranger
    }

    /// Everything that leaves a universe goes through it.
    fn before(&self, universe: Universe) -> Universe {
        universe.with("HTTP_PROXY", &self.address).with("HTTPS_PROXY", &self.address)
    }

    fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

fn jwt() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(r#"{"iss":"https://i","sub":"s"}"#), part("signature"))
}

/// Expects that a run ends soon.
#[track_caller]
fn soon(run: impl FnOnce() -> Outcome) -> Outcome {
    let begun = Instant::now();
    let outcome = run();
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    outcome
}

#[test]
fn a_file_does_not_decide_where_credentials_go() {
    let stranger = Stranger::listening();
    for (block, said) in [
        (
            "endpoint_url: http://evil.example\n",
            "endpoint_url: sends credentials to another machine, which a file may not do (dpl.yml:3:15)",
        ),
        ("endpoint_url: https://127.0.0.1@evil.example\n", "endpoint_url: sends credentials to another machine"),
        ("endpoint-url: https://127.evil.example\n", "endpoint_url: sends credentials to another machine"),
        ("endpoint_url: http://localstack:4566\n", "endpoint_url: sends credentials to another machine"),
        ("endpoint_url: http://10.0.0.1\n", "endpoint_url: sends credentials to another machine"),
        ("profile: other\n", "profile: decides about credentials, which a file may not do (dpl.yml:3:10)"),
        (
            "role_to_assume: arn:aws:iam::123456789012:role/ci\nweb_identity_token_env: AWS_SECRET_ACCESS_KEY\n",
            "web_identity_token_env: decides about credentials, which a file may not do (dpl.yml:4:25)",
        ),
    ] {
        for verb in VERBS {
            let outcome = stranger.before(with(block)).run(verb).code(3).says(said);
            outcome.says("--trust_config").never_says("test-secret-access-key");
        }
        let elsewhere = with("").file("other/block.yml", format!("function_name: f\nzip: dist\n{block}"));
        stranger.before(elsewhere).run("check --config other/block.yml").code(3).says("other/block.yml:");
    }
    assert_eq!(stranger.came(), 0);

    let travis = Universe::empty().file("x.py", "").file(
        ".travis.yml",
        "deploy:\n  provider: lambda\n  function_name: f\n  profile: other\n  on: {all_branches: true}\n",
    );
    travis.run("check").code(3).says("profile: decides about credentials, which a file may not do (.travis.yml:4:12)");
    with("endpoint_url: http://127.0.0.1:1\n").run("check").code(0);
    with("endpoint_url: http://[::1]:1\n").run("check").code(0);
    // What counts is what the operator said.
    with("endpoint_url: https://evil.example\n").run("check --endpoint_url http://localhost:1").code(0);
}

#[test]
fn flags_and_variables_decide_or_trust_the_file() {
    let block = "endpoint_url: https://aws.example.com\n";
    with("").with("DPL_LAMBDA_ENDPOINT_URL", "https://aws.example.com").run("check --profile p").code(0);
    with("").with("AWS_ENDPOINT_URL", "https://aws.example.com").with("AWS_PROFILE", "p").run("check").code(0);
    with(block).run("check --trust_config").code(0);
    for name in ["DPL_LAMBDA_TRUST_CONFIG", "INPUT_TRUST-CONFIG", "PLUGIN_TRUST_CONFIG"] {
        with(block).with(name, "true").run("check").code(0);
        with(block).with(name, "false").run("check").code(3).says("endpoint_url");
    }
    for name in ["LAMBDA_TRUST_CONFIG", "AWS_TRUST_CONFIG", "TRUST_CONFIG"] {
        with(block).with(name, "true").run("check").code(3).says("endpoint_url");
    }
    with(block).with("DPL_LAMBDA_TRUST_CONFIG", "perhaps").run("check").code(3).says("trust_config: must be true");

    let itself = with(&format!("{block}trust_config: true\n"));
    itself.run("check").code(3).says("trust_config: cannot be in the file that it is about (dpl.yml:4:15)");
    itself.run("check").code(3).says("endpoint_url: sends credentials");
    with("trust_config: false\n").run("check").code(3).says("trust_config: cannot be in the file");
    with("trust_config: true\n").run("check --trust_config=false").code(0);
}

#[test]
fn credentials_are_not_sent_in_clear() {
    const SAID: &str = "would send credentials over a network that others can read";
    for url in [
        "http://aws.example.com",
        "http://127.0.0.1.example.com",
        "http://8.8.8.8",
        "http://169.254.1.1",
        "http://2130706433",
    ] {
        with("").run(&format!("check --endpoint_url {url}")).code(3).says(SAID).says("use https://");
        with("").with("AWS_ENDPOINT_URL", url).run("check").code(3).says(SAID).says("(AWS_ENDPOINT_URL)");
        for service in ["S3", "STS", "IAM", "LAMBDA"] {
            let name = format!("AWS_ENDPOINT_URL_{service}");
            with("").with(&name, url).run("check").code(3).says(SAID).says(&format!("({name})"));
        }
        with(&format!("endpoint_url: {url}\n")).run("check --trust_config").code(3).says(SAID);
    }
    for url in ["http://localstack:4566", "http://192.168.7.1:4566", "http://[fd00::7]:1", "https://aws.example.com"] {
        with("").run(&format!("check --endpoint_url {url}")).code(0);
        with("").with("AWS_ENDPOINT_URL_S3", url).run("check").code(0);
    }
    with("endpoint_url: http://localstack:4566\n").run("check --trust_config").code(3).says(SAID);
    with("endpoint_url: https://aws.example.com\n").run("check --trust_config").code(0);
}

#[test]
fn only_a_token_is_sent_and_only_to_sts() {
    let role = "role_to_assume: arn:aws:iam::123456789012:role/ci\n";
    let no_keys = |universe: Universe| universe.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    let stranger = Stranger::listening();
    let universe = || stranger.before(no_keys(with(role)));
    for value in ["wJalrXUtnFEMI/K7MDENG", "a.b.c", "eyJhbGciOiJub25lIn0.c2VjcmV0.x"] {
        for (name, arguments) in [("MINE", "plan --web_identity_token_env MINE"), ("AWS_ID_TOKEN", "plan")] {
            let outcome = universe().with(name, value).run(arguments).code(3);
            outcome.says("does not hold an OIDC token").says(&format!("({name})")).never_says(value);
        }
    }
    for url in [
        "https://evil.example",
        "https://sts.amazonaws.com.evil.example",
        "https://lambda.us-east-1.amazonaws.com",
        "http://localstack:4566",
    ] {
        for (name, arguments) in [
            ("AWS_ENDPOINT_URL", String::new()),
            ("X", format!("--endpoint_url {url}")),
            ("AWS_ENDPOINT_URL_STS", String::new()),
        ] {
            let universe = universe().with("AWS_ID_TOKEN", &jwt()).with(name, url);
            let outcome = universe.run(&format!("plan {arguments}")).code(3);
            outcome.says("which is neither STS of AWS nor this machine").never_says(&jwt());
        }
    }
    for url in
        ["http://evil.example/t", "http://127.evil.example/t", "http://localhost@evil.example/t", "file:///t", "no url"]
    {
        let github =
            universe().with("GITHUB_ACTIONS", "true").with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer-of-the-job");
        let outcome = github.with("ACTIONS_ID_TOKEN_REQUEST_URL", url).run("plan --ci none").code(3);
        outcome.says("ACTIONS_ID_TOKEN_REQUEST_URL").says("is not an https:// address").never_says("bearer-of-the-job");
    }
    assert_eq!(stranger.came(), 0, "{}", stranger.said.lock().unwrap());
    // The real one is asked, through the proxy.
    universe().with("AWS_ID_TOKEN", &jwt()).run("plan --wait_timeout 3");
    assert!(stranger.said.lock().unwrap().contains("CONNECT sts.us-east-1.amazonaws.com:443"));
}

#[test]
fn a_function_does_not_get_the_credentials_of_the_job_from_a_file() {
    for name in [
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "DPL_LAMBDA_SECRET_ACCESS_KEY",
        "AWS_ID_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    ] {
        let universe = with(&format!("environment: {{AB: {{from_env: {name}}}}}\n")).with(name, "the-secret-itself");
        for verb in ["check", "render", "plan --endpoint_url http://localhost:1"] {
            let outcome =
                universe.run(verb).code(3).says(&format!("would get the credentials of this job, in `{name}`"));
            outcome.says("(dpl.yml:3:").never_says("the-secret-itself");
        }
        universe.run("check --trust_config").never_says("the-secret-itself").never_says("would get the credentials");
    }
    with("environment: {AB: {from_env: API_TOKEN}}\n").with("API_TOKEN", "the-secret-itself").run("check").code(0);
}

#[test]
fn a_file_reads_nothing_outside_of_the_checkout() {
    let universe = |block: &str| {
        with(block)
            .file("../home/.aws/credentials", "[default]\naws_secret_access_key=the-secret-itself\n")
            .file("../home/lib/a.py", "")
            .file("own.env", "AB=1\n")
            .link("link.env", "../home/.aws/credentials")
            .link("out", "../home")
            .link("proc.env", "/proc/self/environ")
    };
    for path in [
        "../home/.aws/credentials",
        "link.env",
        "out/.aws/credentials",
        "/proc/self/environ",
        "proc.env",
        "/dev/stdin",
        "dist/../../nothing",
    ] {
        for block in [format!("env_file: {path}\n"), format!("env_file:\n  - own.env\n  - {path}\n")] {
            let outcome = universe(&block).run("check").code(3);
            outcome.says(&format!("env_file: `{path}` lies outside of the checkout")).never_says("the-secret");
        }
    }
    universe("env_file: dist/../own.env\n").run("check").code(0);
    universe("env_file: ../home/.aws/credentials\n")
        .run("check --trust_config")
        .code(3)
        .never_says("lies outside")
        .never_says("the-secret");
    universe("").run("check --env_file ../checkout/own.env").code(0);

    for path in ["../home", "../home/.aws/credentials", "/root", "/proc/self", "dist/../../home"] {
        let outcome = with("").file("dpl.yml", format!("function_name: f\nzip: {path}\n")).run("check").code(3);
        outcome.says(&format!("zip: `{path}` lies outside of the checkout")).says("(dpl.yml:2:6)");
        let bring =
            universe(&format!("include:\n  - '**'\n  - {{from: {path}, to: x}}\n")).run("package --list").code(3);
        bring.says(&format!("include: `{path}` lies outside of the checkout")).says("(dpl.yml:5:");
        for key in ["From", "FROM", "fr_om"] {
            let outcome = universe(&format!("include: [{{{key}: {path}}}]\n")).run("package --list").code(3);
            outcome.says(&format!("include: `{path}` lies outside of the checkout"));
        }
        let other_key = universe(&format!("layer: {{name: l, Source: {path}}}\n")).run("check").code(3);
        other_key.says(&format!("`{path}` lies outside of the checkout"));
        let layer = universe(&format!("layer: {{name: l, zip: {path}}}\n")).run("check").code(3);
        layer.says(&format!("`{path}` lies outside of the checkout"));
    }
    let home = with("").file("../home/lib/a.py", "").file("dpl.yml", "function_name: f\nzip: ../home/lib\n");
    home.run("package --list --trust_config").code(0).says("a.py");
    home.run("package --list --zip ../home/lib").code(0).says("a.py");
    home.run("package --zip ../home/lib --output ../built.zip").code(0);
    home.write("dpl.yml", "function_name: f\nzip: ../built.zip\n");
    home.run("package --list").code(0).says("a.py");
}

#[test]
fn a_package_that_is_a_link_out_of_the_checkout_is_refused() {
    let universe = Universe::empty()
        .file("dist/a.py", "")
        .file("../elsewhere/secret.py", "")
        .link("src", "../elsewhere")
        .link("inside", "dist")
        .link("deep/link", "../../elsewhere/secret.py");
    for arguments in ["--zip src", "--zip ./src/", "--zip src/secret.py", "--zip deep/link"] {
        let outcome = universe.run(&format!("package --list {arguments}")).code(3);
        outcome.says("outside of the checkout; set `symlinks: follow`").says("elsewhere");
        universe.run(&format!("package --list {arguments} --symlinks follow")).code(0);
    }
    universe.run("package --list --zip inside").code(0).says("a.py");
    universe.run("package --list --zip ../elsewhere").code(0);
    let brought =
        |from: &str| universe.write("dpl.yml", format!("zip: dist\ninclude:\n  - '**'\n  - {{from: {from}}}\n"));
    for from in ["src", "deep/link", "src/secret.py"] {
        brought(from);
        universe.run("package --list").code(3).says("outside of the checkout").says("(dpl.yml:4:");
    }
    brought("inside");
    universe.run("package --list --include none").code(3);
    universe.write("layer/x", "");
    universe.write("dpl.yml", "layer: {name: l, zip: src}\n");
    universe.run("check").code(3).says("outside of the checkout");
}

#[test]
fn results_that_a_file_names_stay_in_the_checkout() {
    let options = ["output_file", "summary_file", "junit", "gitlab_annotations_file", "gitlab_codequality_file"];
    let universe = |block: &str| {
        with(block)
            .file("../outside/keep.md", "kept")
            .file(".git/config", "kept")
            .file("own.md", "kept")
            .file("sub/x", "")
            .link("link.md", "own.md")
            .link("dangling.md", "../outside/new.md")
            .link("out", "../outside")
            .link("git", ".git")
    };
    let kept = |universe: &Universe| {
        for file in ["../outside/keep.md", ".git/config", "own.md"] {
            assert_eq!(universe.read(file), "kept", "{file}");
        }
        for (folder, entries) in [("../outside", 1), (".git", 1), ("sub", 1)] {
            assert_eq!(fs::read_dir(universe.path(folder)).unwrap().count(), entries, "{folder}");
        }
    };
    for path in [
        "/tmp/dpl-lambda-test-of-trust.md",
        "/dev/stdout",
        "../outside/new.md",
        "../outside/keep.md",
        "sub/../../outside/x.md",
        "link.md",
        "dangling.md",
        "out/x.md",
        "out/keep.md",
        "git/x.md",
        ".git/x.md",
        ".GIT/x.md",
        "sub/.git/hooks/x.md",
        ".git/hooks/post-checkout",
        ".gitattributes",
        "Makefile",
        "sub",
        "run.sh",
    ] {
        for option in options {
            // Each ends as it should, so that it is the way that is refused.
            let end = match option {
                "summary_file" => ".md",
                "output_file" => ".env",
                "junit" => ".xml",
                _ => ".json",
            };
            let path = path.replace("x.md", &format!("x{end}"));
            let universe = universe(&format!("{option}: {path}\n"));
            for verb in ["check", "render", "status"] {
                universe
                    .run(verb)
                    .code(3)
                    .says(&format!("{option}: `{path}` "))
                    .says(&format!("(dpl.yml:3:{})", option.len() + 3));
            }
            kept(&universe);
        }
    }
    for (option, name) in [
        ("summary_file", "bash.env"),
        ("output_file", "a.sh"),
        ("junit", "a.md"),
        ("summary_file", "a"),
        ("junit", "axml"),
    ] {
        with(&format!("{option}: {name}\n")).run("check").code(3).says(&format!("{option}: `{name}` must end with `."));
    }
    // Neither is it written where something else is wrong.
    let universe = universe("junit: out/x.md\nmemory_size: 1\n");
    universe.run("check").code(3).says("memory_size");
    kept(&universe);
    with("summary_file: dpl.yml\n").run("check").code(3).says("summary_file: ");
    with("env_file: a.env\noutput_file: ./a.env\n")
        .file("a.env", "AB=1\n")
        .run("check")
        .code(3)
        .says("is a file that is read");

    let good = with(
        "junit: reports/new/junit.xml\nsummary_file: inside/summary.md\ngitlab_codequality_file: q.json\noutput_file: out.env\n",
    );
    let good = good.file("real/x", "").link("inside", "real");
    good.run("check").code(0);
    for file in ["reports/new/junit.xml", "q.json"] {
        assert!(good.path(file).is_file(), "{file}");
    }
    good.run("check").code(0);
}

#[test]
fn flags_and_variables_can_name_any_file_for_results() {
    let universe = with("").file("real.xml", "").link("link.xml", "real.xml");
    universe.run("check --junit ../anywhere.xml").code(0);
    assert!(universe.read("../anywhere.xml").contains("<testsuites"));
    universe.run("check --junit link.xml").code(0);
    assert!(universe.read("real.xml").contains("<testsuites") && universe.path("link.xml").is_symlink());
    universe.run("check --junit /dev/stdout").code(0).says("<testsuites").says("is configured correctly");
    universe.run("check --junit Makefile").code(0);
    with("junit: ../trusted.xml\n").run("check --trust_config").code(0);
    // The repository is larger than the folder that the tool runs in.
    let deep =
        with("").file("app/dpl.yml", "function_name: f\nzip: ../dist\nenv_file: ../own.env\njunit: ../junit.xml\n");
    let deep = deep.file(".git/HEAD", "ref: refs/heads/main\n").file("own.env", "AB=1\n");
    let run = |universe: &Universe| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dpl-lambda"));
        let output = command.arg("check").current_dir(universe.path("app")).env_clear().output().unwrap();
        Outcome::of(&output)
    };
    run(&deep).code(0);
    assert!(deep.path("junit.xml").is_file());
    fs::remove_dir_all(deep.path(".git")).unwrap();
    run(&deep).code(3).says("lies outside of the checkout");
}

#[test]
fn an_archive_is_written_into_devices_and_pipes_and_never_replaces_them() {
    let universe = Universe::empty()
        .file("dist/a.py", "x\n")
        .file("real.zip", "old")
        .link("link.zip", "real.zip")
        .link("gone.zip", "nowhere/x.zip");
    universe.run("package --zip dist --output /dev/null").code(0);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    universe.run("package --zip dist --output link.zip").code(0);
    assert!(universe.path("link.zip").is_symlink() && universe.bytes("real.zip").starts_with(b"PK"));
    universe.run("package --zip dist --output gone.zip").code(3).says("is a link that leads nowhere");
    universe.run("package --zip dist --output ../checkout").code(3).says("cannot be written");
    universe.run("package --zip dist --output -").code(3).says("`-` names no file");
    assert!(!universe.path("-").exists());
    universe.run("package --zip dist --output /dev/stdout").code(3).says("`/dev/stdout` names no file");
    universe.run("package --zip dist --output nowhere/a.zip").code(3).says("its folder does not exist");
    let socket = std::os::unix::net::UnixListener::bind(universe.path("socket")).unwrap();
    universe.run("package --zip dist --output socket").code(3).says("`socket` cannot be written");
    assert!(fs::metadata(universe.path("socket")).unwrap().file_type().is_socket());
    drop(socket);
    // A regular file is replaced as a whole, wherever it is.
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let archive = memory.path().join("a.zip");
    fs::write(&archive, vec![b'x'; 100_000]).unwrap();
    universe.run(&format!("package --zip dist --output {}", archive.display())).code(0);
    assert_eq!(fs::read(&archive).unwrap(), universe.bytes("real.zip"));

    Command::new("mkfifo").arg(universe.path("pipe")).status().unwrap();
    let reader = Command::new("cat").arg(universe.path("pipe")).stdout(std::process::Stdio::piped()).spawn().unwrap();
    universe.run("package --zip dist --output pipe").code(0);
    assert!(reader.wait_with_output().unwrap().stdout == universe.bytes("real.zip"));
    assert!(fs::metadata(universe.path("pipe")).unwrap().file_type().is_fifo());

    universe.write("usual", "");
    let mode = |name: &str| fs::metadata(universe.path(name)).unwrap().mode();
    universe.run("package --zip dist --output new.zip").code(0);
    assert_eq!(mode("new.zip"), mode("usual"));
    universe.run("package --zip dist --output /dev/full").code(3).says("cannot be written");
    let left = fs::read_dir(universe.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with(".dpl-lambda-")));
}

#[test]
fn no_file_of_the_checkout_makes_a_check_slow() {
    let variables = |count: usize| (0..count).map(|number| format!("A{number}=x\n")).collect::<String>();
    let universe = || {
        let universe = with("").link("zero", "/dev/zero").file("large", vec![b'#'; (1 << 20) + 1]);
        Command::new("mkfifo").arg(universe.path("fifo")).status().unwrap();
        universe.link("to-fifo", "fifo")
    };
    for name in ["zero", "fifo", "to-fifo"] {
        soon(|| universe().run(&format!("check --env_file {name}"))).code(3).says("only a regular file is read");
        soon(|| universe().run(&format!("check --config {name}"))).code(3).says("only a regular file is read");
        soon(|| universe().run(&format!("invoke --payload @{name}"))).code(3).says("only a regular file is read");
        let ignored = universe().link("dist/.lambdaignore", &format!("../{name}"));
        soon(|| ignored.run("check")).code(3).says(".lambdaignore").says("only a regular file is read");
        let rust = universe().link("Cargo.toml", name).file("dpl.yml", "function_name: f\n");
        soon(|| rust.run("check")).code(3).says("cannot package `f`");
    }
    soon(|| universe().run("check --env_file large")).code(3).says("more than 1 MB is not read");
    soon(|| universe().run("check --env_file /dev/zero")).code(3).says("more than 1 MB is not read");
    let ignored = universe().file("dist/.lambdaignore", "a\n".repeat(2000));
    soon(|| ignored.run("check")).code(3).says("at most 1000 lines");

    let many = with("env_file: many.env\n").file("many.env", variables(60_000));
    soon(|| many.run("check")).code(3).says("has 60000 variables, and at most 4096 are taken (many.env:1:1)");
    let text: String = variables(40_000).lines().map(|line| format!("  {line}\n")).collect();
    soon(|| with(&format!("environment: |\n{text}")).run("check")).code(3).says("has more than 4096 entries");
    soon(|| with(&format!("include: |\n{text}")).run("check")).code(3).says("at most 1000 are taken");
    for (count, line) in [(60_000, "A: x\n"), (9_000, "k: 1\n"), (60_000, "k: 1\n")] {
        let (key, _) = line.split_at(1);
        let lines: String = (0..count).map(|number| format!("{key}{number}: x\n")).collect();
        let map: String = lines.lines().map(|line| format!("  {line}\n")).collect();
        for file in ["dpl.yml", ".travis.yml"] {
            let blocks = format!("deploy:\n  provider: lambda\n  function_name: f\n{map}");
            let universe = Universe::empty().file("x.py", "").file(file, blocks);
            let outcome = soon(|| universe.run("check"));
            if count > 10_000 {
                outcome.code(3).says("more than 20,000 keys and values");
            } else if file == "dpl.yml" {
                outcome.code(3).says("is not an option");
            }
        }
        let outcome = soon(|| with(&format!("environment:\n{map}")).run("check")).code(3);
        outcome.says(if count > 10_000 { "more than 20,000 keys" } else { "more than 4096 entries" });
        soon(|| with(&format!("logging_config:\n{map}")).run("check")).code(3);
        soon(|| with(&format!("layer:\n{map}")).run("check")).code(3);
        soon(|| with(&format!("on:\n{map}")).run("check")).code(3);
    }
    let blocks = format!("deploy:\n{}", "- function_name: f\n".repeat(4000));
    soon(|| with("").file("dpl.yml", blocks).run("check")).code(3).says("has 4000 blocks, and at most 1000 are taken");
    for deep in [
        format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000)),
        (0..400).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(),
    ] {
        soon(|| with("").file("dpl.yml", deep).run("check")).code(3).says("not valid YAML");
    }
}

#[test]
fn no_glob_is_slow() {
    let nested = format!("{}a{}", "{".repeat(300), "}".repeat(300));
    let deep = "{".repeat(200_000);
    for glob in [&nested, &deep] {
        for option in ["include", "exclude"] {
            let outcome = soon(|| with(&format!("{option}: ['{glob}']\n")).run("check")).code(3);
            outcome.says("is not a glob").never_says("defect").never_says("panicked");
        }
        let bring = format!("include: [{{from: dist, glob: '{glob}'}}]\n");
        soon(|| with(&bring).run("check")).code(3).says("is not a glob").never_says("defect");
        let ignored = with("").file("dist/.lambdaignore", glob);
        soon(|| ignored.run("check")).code(3).says("is not a glob").never_says("defect");
        let branch = with(&format!("on: {{branch: '{glob}'}}\n"));
        soon(|| branch.run("plan")).code(0).says("Skipped `f`");
        soon(|| with(&format!("on: {{branch: '{}'}}\n", "[".repeat(5000))).run("plan")).code(0);
    }
}

#[test]
fn links_to_folders_of_links_end() {
    let mut universe =
        Universe::empty().file("dist/z/x", "").file("dpl.yml", "function_name: f\nzip: dist\nsymlinks: follow\n");
    let names: Vec<_> = ('a'..='y').map(|name| name.to_string()).collect();
    for (index, name) in names.iter().enumerate() {
        let next = names.get(index + 1).map_or("z", String::as_str);
        universe = universe
            .link(&format!("dist/{name}/l"), &format!("../{next}"))
            .link(&format!("dist/{name}/r"), &format!("../{next}"));
    }
    soon(|| universe.run("check")).code(3).says("follows more than 10000 links");
}

/// Makes an archive of entries: name, mode, content.
fn archive(universe: &Universe, name: &str, entries: &[(&str, u32, &str)]) {
    const BY_PYTHON: &str = "
import json, sys, warnings, zipfile
warnings.simplefilter('ignore')
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as archive:
    for name, mode, content in json.loads(sys.argv[2]):
        info = zipfile.ZipInfo('x')
        info.filename, info.external_attr, info.create_system = name, mode << 16, 3
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, content)
";
    let entries = serde_json::to_string(entries).unwrap();
    let status = Command::new("python3").args(["-c", BY_PYTHON]).arg(universe.path(name)).arg(entries).status();
    assert!(status.unwrap().success());
}

#[test]
fn a_ready_archive_cannot_have_unsafe_names_or_links() {
    const FILE: u32 = 0o100_644;
    const LINK: u32 = 0o120_777;
    let universe = with("");
    let good = ("index.py", FILE, "x = 1");
    for (entry, said) in [
        (("/etc/passwd", FILE, "x"), "leads out of the package"),
        (("a/../../x", FILE, "x"), "leads out of the package"),
        (("..", FILE, "x"), "leads out of the package"),
        (("C:/x", FILE, "x"), "leads out of the package"),
        (("c:x", FILE, "x"), "leads out of the package"),
        (("C:\\x", FILE, "x"), "in its name"),
        (("..\\x", FILE, "x"), "leads out of the package"),
        (("lib\\x.py", FILE, "x"), "in its name"),
        (("a\nb", FILE, "x"), "a control character"),
        (("a\u{1b}[2Jb", FILE, "x"), "a control character"),
        (("a\u{0}b", FILE, "x"), "a control character"),
        (("index.py", FILE, "y"), "two entries"),
        (("./index.py", FILE, "y"), "two entries"),
        (("index.py/x", FILE, "y"), "both a file and a folder"),
        (("device", 0o020_644, ""), "neither a file, a folder nor a link"),
        (("pipe", 0o010_644, ""), "neither a file, a folder nor a link"),
        (("l", LINK, "/etc/passwd"), "out of the package"),
        (("l", LINK, "../x"), "out of the package"),
        (("lib/l", LINK, "../../x"), "out of the package"),
        (("./lib/l", LINK, "../../x"), "out of the package"),
        (("l", LINK, "nothing/../../x"), "out of the package"),
        (("l", LINK, "l"), "out of the package"),
        (("l", LINK, "C:\\x"), "no path of a package"),
        (("l", LINK, ""), "no path of a package"),
    ] {
        archive(&universe, "f.zip", &[good, entry]);
        let outcome = universe.run("check --zip f.zip").code(3);
        outcome.says("cannot be deployed").says(said);
        if !entry.0.contains("index.py") {
            archive(&universe, "layer.zip", &[("python/x.py", FILE, "x"), entry]);
            let layer = with("layer: {name: l, zip: layer.zip}\n").file("layer.zip", universe.bytes("layer.zip"));
            layer.run("check").code(3).says("cannot be deployed");
        }
    }
    archive(&universe, "f.zip", &[good, ("./d/up", LINK, ".."), ("./l", LINK, "d/up/../x")]);
    universe.run("check --zip f.zip").code(3).says("out of the package");
    archive(&universe, "f.zip", &[good, ("lib/l", LINK, "../index.py"), ("lib/m", LINK, "l"), ("lib/", 0o040_755, "")]);
    universe.run("check --zip f.zip").code(0);
}

#[test]
fn bombs_in_archives_are_not_unpacked() {
    const BOMB: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as archive:
    archive.writestr('index.py', 'x')
    block = bytes(1 << 20)
    for number in range(12):
        with archive.open(f'lib{number}.so', 'w') as entry:
            for _ in range(100):
                entry.write(block)
";
    let universe = with("");
    let status = Command::new("python3").args(["-c", BOMB]).arg(universe.path("bomb.zip")).status().unwrap();
    assert!(status.success());
    soon(|| universe.run("check --zip bomb.zip")).code(3).says("too-large-unzipped");
    soon(|| universe.run("check --zip bomb.zip --ignore too-large-unzipped")).code(0);
    fs::File::create(universe.path("sparse.zip")).unwrap().set_len(1 << 40).unwrap();
    soon(|| universe.run("check --zip sparse.zip")).code(3).says("AWS accepts at most 262144000");
}

#[test]
fn the_examples_need_no_trust() {
    for example in fs::read_dir("examples").unwrap().map(|entry| entry.unwrap().path()) {
        for name in ["dpl.yml", ".travis.yml"] {
            let text = fs::read_to_string(example.join(name)).unwrap_or_default();
            for forbidden in ["endpoint_url", "profile", "web_identity_token_env", "trust_config"] {
                assert!(!text.contains(&format!("{forbidden}:")), "{}/{name} has {forbidden}", example.display());
            }
        }
    }
    let relay = Relay::before(&emulator(Kind::Ministack).endpoint);
    let endpoint = relay.endpoint();
    let block = format!(
        "endpoint_url: {endpoint}\nruntime: python3.12\nhandler: index.handler\nrole: arn:aws:iam::000000000000:role/deployed\n"
    );
    with(&block).run("plan").code(0).says("created");
}
