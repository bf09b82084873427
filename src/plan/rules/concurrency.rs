//! Provisioned and reserved concurrency.

use super::Named::Around;
use super::{Facts, Row, error, warning};
use crate::place::Problem;
use crate::settings::Attachment;

pub(super) const RULES: &[Row] = &[
    (&[Around(Attachment::ProvisionedConcurrency)], provisioned_concurrency_of_nothing),
    (
        &[Around(Attachment::ProvisionedConcurrency), Around(Attachment::ReservedConcurrency)],
        more_provisioned_than_reserved,
    ),
];

/// <https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html>: not for `$LATEST`.
fn provisioned_concurrency_of_nothing(facts: &Facts<'_>) -> Option<Problem> {
    facts
        .deployment
        .release
        .alias
        .is_none()
        .then(|| error("needs an alias: $LATEST cannot have provisioned concurrency", "set `alias`"))
}

/// The same page: it counts against what is reserved.
fn more_provisioned_than_reserved(facts: &Facts<'_>) -> Option<Problem> {
    let number = |attachment| facts.attached(attachment)?.0.as_i64();
    let provisioned = number(Attachment::ProvisionedConcurrency)?;
    let reserved = number(Attachment::ReservedConcurrency)?;
    if provisioned > reserved {
        let message = format!("provisioned concurrency is {provisioned}, but only {reserved} is reserved");
        return Some(error(message, "raise `reserved_concurrency`, or lower `provisioned_concurrency`"));
    }
    (provisioned == reserved).then(|| {
        let message = format!("the alias uses all of the reserved concurrency ({reserved}), so $LATEST cannot run");
        warning(message, "raise `reserved_concurrency`, or lower `provisioned_concurrency`")
    })
}
