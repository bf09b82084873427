//! The entry point: reads the environment, runs, and returns the exit code.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Once;

use dpl_lambda::Host;

fn main() -> ExitCode {
    let first = Once::new();
    // The message of a panic could contain a secret, so only its place is printed.
    std::panic::set_hook(Box::new(move |panic| {
        first.call_once(|| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(
                std::io::stderr(),
                "error: dpl-lambda has a defect at {place}\nhelp: please report it with the command you ran"
            );
        });
    }));
    let run = || dpl_lambda::run(&Host::of_process()) as u8;
    std::panic::catch_unwind(run).map_or(ExitCode::FAILURE, ExitCode::from)
}
