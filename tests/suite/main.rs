//! The tests, one binary: what the tool does as a user runs it, against real emulators.
#![expect(clippy::unwrap_used, reason = "a test may fall")]
#![allow(unreachable_pub, reason = "one binary: nothing is reachable from outside")]

// What the tests stand on.
mod harness;

// The shape of the source.
mod layering;

// What a deployment does.
mod deploy;

// What happens when something goes wrong.
mod faults;

// What the manual says.
mod readme;
