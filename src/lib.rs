//! `dpl-lambda` deploys AWS Lambda functions from any CI.
//!
//! # How the data flows
//!
//! ```text
//! flags ┐
//! step inputs ├─► config ─► Deployment ─► package ─► Artifact ┐
//! YAML block │                                                ├─► plan ─► Plan ─► apply ─► Outcome
//! environment ┘                          aws::read ─► Remote ─┘                    │
//!                                                 every step ─► Event ─► report ─► the CI's dialect
//! ```
//!
//! # Invariants
//!
//! - [`plan`] is a function of its arguments: it cannot fail, wait, print or read the clock. A forbidden change becomes
//!   a problem in the plan that names its option; the run adds the place and stops.
//! - Only [`aws`] uses the SDK; no other module sees a type of the SDK.
//! - Every change is part of a [`plan::Plan`], a [`plan::Rollback`] or a [`remote::Removal`] that was shown before.
//!   Every change that was made is a [`report::Event`].
//! - Nothing is written to AWS before all of the configuration and the packages have been checked.
//! - A deployment changes only what the user named.
//! - Every printed value is escaped for its output format. A secret has no `Display`, and its `Debug` hides the value.
//! - The same files give the same package, byte for byte, on every machine.
//! - The meaning of an exit code, a JSON field or a YAML key does not change within a major version.

// The names of AWS.
pub mod arn;

// The surroundings.
pub mod files;
pub mod host;
pub mod place;

// The wanted state.
mod cli;
pub mod config;
pub mod deployment;
pub mod package;
pub mod settings;
pub mod sources;
mod verb;

// The live state.
pub mod remote;

// The changes.
pub mod apply;
pub mod aws;
pub mod plan;
pub mod policy;

// The output.
pub mod error;
pub mod report;

// Hostile input, for the tests of whatever reads foreign bytes.
#[cfg(test)]
mod hostile;

// The run, which connects all of these.
mod run;

pub use run::run;
