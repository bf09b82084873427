//! The rights for verbs about live functions.

use super::LiveVerb;
use super::attachments::{READ_AFTER_WRITE, actions};
use super::place::Place;
use super::statements::{Statements, any};
use crate::deployment::Target;
use crate::settings::{Attachment, FunctionName};

/// Allows a verb about a live function.
pub(super) fn of_verb(statements: &mut Statements, verb: LiveVerb, function: &FunctionName, target: &Target) {
    let place = Place::of_named(function, target);
    let arn = place.arn("lambda", &format!("function:{}", function.name));
    let both = vec![arn.clone(), format!("{arn}:*")];
    // AWS checks the ARN of a version or alias for a call that names one.
    let looks_at_versions = matches!(verb, LiveVerb::Invoke | LiveVerb::Rollback | LiveVerb::Delete);
    statements.read(&["lambda:GetFunction"], if looks_at_versions { both.clone() } else { vec![arn] });
    match verb {
        LiveVerb::Invoke => statements.write(&["lambda:InvokeFunction"], both),
        LiveVerb::Status => statements.read(STATUS, both),
        LiveVerb::Rollback => {
            statements.read(&["lambda:GetAlias"], both.clone());
            // For the errors that name what exists.
            statements.read(&["lambda:ListAliases", "lambda:ListVersionsByFunction"], both.clone());
            statements.write(&["lambda:UpdateAlias"], both);
        }
        LiveVerb::Delete => {
            statements.read(STATUS, both.clone());
            statements.read(&["lambda:ListEventSourceMappings"], any());
            statements.write(&["lambda:DeleteFunction"], both);
        }
        LiveVerb::Init => {
            statements.read(&["lambda:ListAliases", "lambda:ListTags"], both.clone());
            for attachment in Attachment::ALL {
                let global =
                    |action: &&str| matches!(*action, "lambda:ListEventSourceMappings" | "logs:DescribeLogGroups");
                let read = actions(attachment).read.iter().copied().filter(|action| *action != READ_AFTER_WRITE);
                let (everywhere, here): (Vec<_>, Vec<_>) = read.partition(global);
                statements.read(&everywhere, any());
                statements.read(&here, both.clone());
            }
        }
    }
}

/// Allows to read the log of a function.
pub(super) fn of_logs(statements: &mut Statements, function: &FunctionName, target: &Target, group: Option<&str>) {
    let place = Place::of_named(function, target);
    let arn = place.arn("lambda", &format!("function:{}", function.name));
    statements.read(&["lambda:GetFunction"], vec![arn.clone()]);
    statements.read(&["lambda:GetAlias"], vec![arn.clone(), format!("{arn}:*")]);
    let group = group.map_or_else(|| format!("/aws/lambda/{}", function.name), str::to_owned);
    let group = place.arn("logs", &format!("log-group:{group}"));
    statements.read(&["logs:FilterLogEvents"], vec![group.clone(), format!("{group}:*")]);
}

/// The reads of `status` beside `GetFunction`.
const STATUS: &[&str] = &[
    "lambda:ListAliases",
    "lambda:ListFunctionUrlConfigs",
    "lambda:ListProvisionedConcurrencyConfigs",
    "lambda:ListVersionsByFunction",
];
