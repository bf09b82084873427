//! The tests, one binary: what the tool does as a user runs it, against real emulators.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::use_debug,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "a test may fall, and need not be fast"
)]
#![allow(unreachable_pub, reason = "one binary: nothing is reachable from outside")]

// What the tests stand on.
mod harness;

// The shape of the source.
mod layering;

// What a command line is answered with.
mod cmd;

// What a configuration means.
mod config;

// What becomes of pull requests, and what is said about blocks that are left out.
mod pull_requests;

// What goes into a package.
mod package;

// What compilers leave.
mod compiled;

// What is wrong with a package.
mod inspect;

// What a deployment does.
mod deploy;

// What is published, and what points at it.
mod release;

// The files of the live package.
mod live_package;

// What layers do.
mod layers;

// What stands around a function.
mod around;

// What many blocks share.
mod many;

// What goes through a bucket.
mod upload;

// What becomes of each setting.
mod settings;

// What a new function gets as its role.
mod role;

// What is made of a container image.
mod image;

// What may be done, and what is shown without doing anything.
mod policy;

// What the words of others can do.
mod foreign;

// What happens when something goes wrong.
mod faults;

// What a function answers.
mod invoke;

// What is live, and how it goes back or away.
mod live;

// Roles and OIDC tokens.
mod oidc;

// Whom the tool trusts, and what nobody may do with a pull request.
mod trust;

// The log of each dialect.
mod dialects;

// Colours, reports and documents.
mod report;

// What happens where the machine runs out of something.
mod scarce;

// The features of each CI.
mod cis;

// Secrets, which are never shown.
mod secrets;

// What nobody may do.
mod security;

// What the action for GitHub takes and gives.
mod action;

// What the manual says.
mod manual;
