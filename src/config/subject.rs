//! The subject of a verb for live functions: a function, or a Region. No option about the package is read.

use std::time::Duration;

use super::{context::Context, dry_run::DryRun, environment, read::Reader, resolve, target};
use crate::deployment::Target;
use crate::place::Places;
use crate::settings::{AliasName, FunctionName, Source, Structure};

/// A function, which may not exist.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// Its name.
    pub function: FunctionName,
    /// The alias that deployments move; absent for none.
    pub alias: Option<AliasName>,
    /// The log group that `logging_config` names; absent if it names none.
    pub log_group: Option<String>,
    /// Whether changes are made or only shown.
    pub dry_run: DryRun,
    /// How AWS is called.
    pub access: Access,
}

/// How AWS is called.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// The Region, endpoint and credentials.
    pub target: Target,
    /// The limit for all waits together.
    pub wait_timeout: Duration,
    /// Where each option was written.
    pub places: Places,
}

/// The function of a block; `None` after an error, which the reader then has.
pub(super) fn subject(reader: &mut Reader, dry_run: DryRun, context: &Context<'_>) -> Option<Subject> {
    let function = resolve::function(reader);
    let alias = reader.setting("alias");
    let errors = reader.problems.len();
    let logging: Option<Structure> = reader.setting("logging_config");
    // Only deployments need the other settings of the function.
    reader.problems.truncate(errors);
    let log_group = logging.and_then(|logging| logging.text("LogGroup"));
    let access = access(reader, function.as_ref(), context)?;
    Some(Subject { function: function?, alias, log_group, dry_run, access })
}

/// How a block calls AWS; `None` after an error, which the reader then has.
pub(super) fn access(reader: &mut Reader, function: Option<&FunctionName>, context: &Context<'_>) -> Option<Access> {
    let target = target::target(reader, function, context);
    let wait_timeout = resolve::wait_timeout(reader, resolve::WAIT_TIMEOUT);
    let errors = reader.problems.len();
    // The values of the function's variables are read only to hide them in its output, so errors in them do not matter.
    environment::environment(reader, context);
    reader.problems.truncate(errors);
    reader.problems.is_empty().then(|| Access { target, wait_timeout, places: reader.places() })
}
