//! The entry point: reads the environment, runs, and returns the exit code.

use std::process::ExitCode;

use dpl_lambda::Host;

fn main() -> ExitCode {
    // The message of a panic could contain a secret, so only its place is printed.
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write;
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(
            std::io::stderr(),
            "error: dpl-lambda has a defect at {place}\nhelp: please report it with the command you ran"
        );
    }));
    ExitCode::from(dpl_lambda::run(&Host::of_process()) as u8)
}
