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
//! - [`plan`] is a function of its arguments: it cannot fail, wait, print or ask the time. What must not be done is a
//!   problem in the plan, naming its option; here it gets its place, and is refused.
//! - Only [`aws`] names the SDK; no type of the SDK crosses its border.
//! - Only what stands in a [`plan::Plan`] is ever done, or in a [`plan::Rollback`] or a [`remote::Removal`] that was told
//!   before; and every done thing is a [`report::Event`].
//! - Nothing is written to AWS before the whole configuration and the package have been checked.
//! - Nothing about a function changes unless the user named it.
//! - A value shown to anyone was escaped for where it is shown; a secret has no `Display` and no `Debug` of its value.
//! - The same files give the same bytes on every machine.
//! - The meaning of an exit code, a JSON field or a YAML key does not change within a major version.

// What AWS calls things.
pub mod arn;

// The surroundings.
pub mod files;
pub mod host;
pub mod place;

// What is wanted.
mod cli;
pub mod config;
pub mod deployment;
pub mod package;
pub mod settings;
pub mod sources;
mod verb;

// What is live.
pub mod remote;

// What is done about it.
pub mod apply;
pub mod aws;
pub mod plan;
pub mod policy;

// What is said about it.
pub mod error;
pub mod report;

// All of it together.
mod run;

pub use run::run;
