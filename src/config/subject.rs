//! What is looked at or acted on by itself: a function, or a Region. Nothing about a package is asked for.

use std::time::Duration;

use super::{
    DryRun,
    read::Reader,
    resolve::{self, Context},
};
use crate::deployment::Target;
use crate::place::Places;
use crate::settings::{AliasName, FunctionName, Source};

/// A function that is there already, or is not.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The function.
    pub function: FunctionName,
    /// The alias that goes with deployments; absent where none does.
    pub alias: Option<AliasName>,
    /// How much is only shown.
    pub dry_run: DryRun,
    /// How to get there.
    pub reach: Reach,
}

/// How to get to a Region, and how long that may take.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    /// How AWS is reached, and as whom.
    pub target: Target,
    /// The longest that all waiting may take.
    pub wait_timeout: Duration,
    /// Where each option was written.
    pub places: Places,
}

/// The function of a block. Nothing comes back when something is wrong; the reader then has the problems.
pub(super) fn subject(reader: &mut Reader, dry_run: DryRun, context: &Context<'_>) -> Option<Subject> {
    let function = resolve::function(reader);
    let alias = reader.setting("alias");
    let reach = reach(reader, function.as_ref(), context)?;
    Some(Subject { function: function?, alias, dry_run, reach })
}

/// The Region of a block.
pub(super) fn reach(reader: &mut Reader, function: Option<&FunctionName>, context: &Context<'_>) -> Option<Reach> {
    let target = resolve::target(reader, function, context);
    let wait_timeout = resolve::wait_timeout(reader, resolve::WAIT_TIMEOUT);
    let wrong = reader.problems.len();
    // What the function was given is hidden when it speaks, as far as it is known here.
    resolve::environment(reader, context);
    reader.problems.truncate(wrong);
    reader.problems.is_empty().then(|| Reach { target, wait_timeout, places: reader.places() })
}
