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
//!   Every change that was made is a [`event::Event`].
//! - Nothing is written to AWS before all of the configuration and the packages have been checked.
//! - A deployment changes only what the user named.
//! - Every printed value is escaped for its output format. A secret has no `Display`, and its `Debug` hides the value.
//! - The same files give the same package, byte for byte, on every machine.
//! - The meaning of an exit code, a JSON field or a YAML key does not change within a major version.

#![warn(missing_docs, clippy::missing_docs_in_private_items)] // what more than one module sees says what it is

// The names of AWS.
mod arn;

// The surroundings.
mod files;
mod host;
mod place;

// The wanted state.
mod cli;
mod config;
mod deployment;
mod package;
mod reference;
mod release;
mod settings;
mod sources;
mod verb;

// The live state.
mod fault;
mod remote;

// The changes.
mod apply;
mod aws;
mod plan;
mod policy;

// The output.
mod error;
mod event;
mod report;

// Hostile input, for the tests of whatever reads foreign bytes.
#[cfg(test)]
mod hostile;

// The run, which connects all of these.
mod run;

pub use error::ExitCode;
pub use host::Host;
pub use run::run;

/// What the project's own tests and benchmarks use. It may change in any version.
#[doc(hidden)]
pub mod internals {
    pub use crate::config::options;
    pub use crate::deployment::Rules;
    pub use crate::host::Ci;
    /// The packages.
    pub mod package {
        pub use crate::package::{Artifact, Error, Listed, build, ready};
        /// The look into a package.
        pub mod inspect {
            pub use crate::package::inspect::{Contents, ReadSeek, Rule, survey};
        }
    }
}
