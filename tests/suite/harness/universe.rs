//! A place to run the binary as a user does: a folder of its own, and nothing in the environment but what is put there.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use super::relay::Relay;

/// A folder and an environment.
pub struct Universe {
    relays: Vec<Relay>,
    directory: TempDir,
    variables: BTreeMap<String, String>,
    program: PathBuf,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Universe {
    /// An empty folder and an empty environment, but for what every process has.
    pub fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        fs::create_dir_all(directory.path().join("checkout")).unwrap();
        fs::create_dir_all(&home).unwrap();
        let mut variables = BTreeMap::new();
        variables.insert("PATH".to_owned(), std::env::var("PATH").unwrap());
        variables.insert("HOME".to_owned(), home.to_string_lossy().into_owned());
        variables.insert("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned());
        variables.insert("NO_COLOR".to_owned(), "1".to_owned());
        Self { relays: Vec::new(), directory, variables, program: PathBuf::from(env!("CARGO_BIN_EXE_dpl-lambda")) }
    }

    /// With credentials and Region for the control plane at an endpoint.
    pub fn at(endpoint: &str) -> Self {
        Self::empty()
            .with("AWS_ACCESS_KEY_ID", "AKIDTESTTESTTEST")
            .with("AWS_SECRET_ACCESS_KEY", "test-secret-access-key")
            .with("AWS_REGION", "us-east-1")
            .toward("AWS_ENDPOINT_URL", endpoint)
    }

    /// Sets a variable to an endpoint of AWS. What the program sends there is held against AWS' model.
    pub fn toward(mut self, variable: &str, endpoint: &str) -> Self {
        let relay = Relay::before(endpoint);
        self = self.with(variable, &relay.endpoint());
        self.relays.push(relay);
        self
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// Calls the program by another name.
    pub fn called(mut self, name: &str) -> Self {
        let link = self.directory.path().join(name);
        symlink(env!("CARGO_BIN_EXE_dpl-lambda"), &link).unwrap();
        self.program = link;
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("checkout").join(name)
    }

    /// Writes a file; a name that ends in `!` gets the execute bit.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(name, content);
        self
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let (name, mode) = name.strip_suffix('!').map_or((name, 0o644), |name| (name, 0o755));
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn link(self, name: &str, target: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(words(arguments))
            .current_dir(self.path(""))
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null());
        command
    }

    /// Runs the program with arguments as in a shell: blanks separate, single quotes keep together.
    pub fn run(&self, arguments: &str) -> Outcome {
        Outcome::of(&self.command(arguments).output().unwrap())
    }

    /// Runs the program with a variable that need not be text.
    pub fn run_with(&self, name: &str, value: &std::ffi::OsStr, arguments: &str) -> Outcome {
        Outcome::of(&self.command(arguments).env(name, value).output().unwrap())
    }

    /// Runs the program with something on its standard input.
    pub fn run_fed(&self, input: &str, arguments: &str) -> Outcome {
        fed(self.command(arguments), input)
    }

    /// Runs the program on a terminal, where somebody types something.
    pub fn run_typing(&self, typed: &str, arguments: &str) -> Outcome {
        const ON_TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
        let mut command = Command::new("python3");
        command.args(["-c", ON_TERMINAL]).arg(&self.program).args(words(arguments));
        command.current_dir(self.path("")).env_clear().envs(&self.variables);
        fed(command, typed)
    }

    /// Runs a script of the shell, in which `$TOOL` is the program.
    pub fn shell(&self, script: &str) -> Outcome {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).current_dir(self.path("")).env_clear().envs(&self.variables);
        Outcome::of(&command.env("TOOL", &self.program).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs a line in a shell that finds the program. Both streams are one, in their order.
    pub fn terminal(&self, line: &str) -> Outcome {
        let path = format!("{}:{}", self.program.parent().unwrap().display(), self.variables["PATH"]);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec 2>&1\n{line}")]).current_dir(self.path("")).env_clear();
        command.envs(&self.variables).env("PATH", path).stdin(Stdio::null());
        Outcome::of(&command.output().unwrap())
    }

    /// Starts the program and leaves it running.
    pub fn start(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
}

fn fed(mut command: Command, input: &str) -> Outcome {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Outcome::of(&child.wait_with_output().unwrap())
}

fn words(arguments: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in arguments.split('\'').enumerate() {
        if index % 2 == 1 {
            match words.last_mut() {
                Some(last) if arguments.contains(&format!("{last}'{part}'")) => *last = format!("{last}{part}"),
                _ => words.push(part.to_owned()),
            }
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

impl Outcome {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Expects an exit code, and shows everything when it is another.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Expects that a text was said on either stream.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.all().contains(text), "`{text}` is not said in\n{}", self.all());
        self
    }

    /// Expects that a text was said on neither stream.
    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        assert!(!self.all().contains(text), "`{text}` is said in\n{}", self.all());
        self
    }

    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Standard output as the one JSON document it must be.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.all()))
    }
}
