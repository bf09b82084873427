//! The configuration: flags, variables and the YAML file become deployments.
//!
//! Each source yields a [`Layer`]. The layers are merged, and the result is resolved. Each value keeps its place. Must not
//! know the syntax of flags, or AWS.

// The sources.
mod blocks;
mod by_branch;
mod condition;
mod conditions;
mod dotenv;
mod each;
mod env;
mod json;
mod layer;
pub mod options;
mod overlay;
mod part;
mod request;
mod shallow;
mod shell;
mod stages;
mod yaml;

// The merged options, and what may be in them.
mod after;
mod after_failure;
mod context;
mod elsewhere;
mod exposed;
mod fill;
mod from_env;
mod from_function;
mod interpolate;
mod joined;
mod one_value;
mod paths;
mod placeholders;
mod read;
mod references;
mod sought;
mod structure;
mod trust;

// What they mean.
mod attachments;
mod cargo_lambda;
mod code;
mod code_from;
mod compiled;
mod credentials;
mod description;
mod dry_run;
mod environment;
mod extension;
mod half;
mod layer_version;
mod network;
mod resolve;
mod run_options;
mod script;
mod shifting;
mod smoke;
mod subject;
mod target;

// All of it together.
mod import;
mod load;
mod loaded;
mod occasion;
mod order;
mod render;
mod reports;
pub(crate) mod schema;
mod travis;
mod twice;

#[cfg(test)]
mod hostile;

pub(crate) use after::After;
pub(crate) use after_failure::AfterFailure;
pub(crate) use dry_run::DryRun;
pub(crate) use import::imported;
pub(crate) use json::unpack;
pub(crate) use layer::{Form, Given, Layer, Value, insert, yes_or_no};
pub(crate) use load::load;
pub(crate) use loaded::{Entry, Loaded, Preview, Title};
pub(crate) use render::Rendered;
pub(crate) use request::{Request, Syntax};
pub(crate) use run_options::{IfSkipped, RunOptions};
pub(crate) use sought::{Sought, Values};
pub(crate) use subject::{Access, Subject};
pub(crate) use travis::{Converted, converted};
