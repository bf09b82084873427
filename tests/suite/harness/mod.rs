//! What every test stands on: emulators, a fault proxy, and a universe with a scrubbed environment.

pub mod emulator;
pub mod http;
pub mod proxy;
pub mod universe;

use std::sync::OnceLock;

pub use emulator::{Emulator, Kind};
pub use http::Aws;
pub use proxy::{Fault, Proxy};
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
