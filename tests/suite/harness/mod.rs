//! What every test stands on: emulators, a fault proxy, and a universe with a scrubbed environment.

pub mod boto;
pub mod canned;
pub mod emulator;
pub mod http;
pub mod model;
pub mod oracles;
pub mod proxy;
mod relay;
pub mod release;
pub mod request;
mod tree;
pub mod universe;

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

pub use boto::{Boto, boto};
pub use canned::Canned;
pub use emulator::{Emulator, Kind};
pub use http::Aws;
pub use proxy::{Call, Fault, Proxy};
pub use relay::Relay;
pub use universe::{Outcome, Universe};

/// The one emulator of a kind that all tests of this process share.
pub fn emulator(kind: Kind) -> &'static Emulator {
    static MINISTACK: OnceLock<Emulator> = OnceLock::new();
    static WITH_IAM: OnceLock<Emulator> = OnceLock::new();
    static MOTO: OnceLock<Emulator> = OnceLock::new();
    let cell = match kind {
        Kind::Ministack => &MINISTACK,
        Kind::MinistackWithIam => &WITH_IAM,
        Kind::Moto => &MOTO,
    };
    cell.get_or_init(|| {
        let emulator = Emulator::start(kind).unwrap();
        if kind == Kind::Moto {
            Aws::of(&emulator.endpoint).make_role("deployed");
        }
        emulator
    })
}

/// Runs a test on both emulators; what they call the account differs.
pub fn on_both(test: impl Fn(Kind)) {
    for kind in [Kind::Ministack, Kind::Moto] {
        eprintln!("on {kind:?}");
        test(kind);
    }
}

/// Unpacks an archive with its modes and links: by `unzip`, or where the machine has none by Python.
pub fn unpack(archive: &Path, into: &Path) {
    const BY_PYTHON: &str = "
import os, stat, sys, zipfile
archive, root = zipfile.ZipFile(sys.argv[1]), sys.argv[2]
for entry in archive.infolist():
    path, mode = os.path.join(root, entry.filename), entry.external_attr >> 16
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if stat.S_ISLNK(mode):
        os.symlink(archive.read(entry), path)
    else:
        open(path, 'wb').write(archive.read(entry))
        os.chmod(path, stat.S_IMODE(mode))
";
    let unzip = Command::new("unzip").arg("-q").arg(archive).arg("-d").arg(into).status();
    let status = unzip.or_else(|_| Command::new("python3").args(["-c", BY_PYTHON]).arg(archive).arg(into).status());
    assert!(status.unwrap().success());
}

/// Whether the machine has a tool. What needs one that it lacks cannot be tried there.
pub fn has(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").output().is_ok();
    if !there {
        eprintln!("there is no {tool} on this machine, so this is not tried");
    }
    there
}
