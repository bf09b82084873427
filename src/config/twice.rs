//! Two blocks for one function: in each run, one would undo what the other did.

use super::{
    after_failure::AfterFailure,
    blocks::Block,
    conditions::{Both, Conditions},
};
use crate::deployment::Deployment;
use crate::place::{Problem, Weight};
use crate::verb::Purpose;

/// The errors about functions that two blocks deploy. Two halves are no error, unless `all_or_nothing` holds: the second
/// half is planned when the first one is deployed, and then nothing is deployed before all is ready. `check` sees the blocks of all builds. There it is a warning if the
/// blocks have conditions, and nothing if these exclude each other.
pub(super) fn problems(
    deployed: &[(&Block, &Deployment)],
    purpose: Purpose,
    after_failure: AfterFailure,
) -> Vec<Problem> {
    let mut found = Vec::new();
    for (index, (second, deployment)) in deployed.iter().enumerate() {
        let is_together = after_failure == AfterFailure::GoBack;
        let is_same = |(_, earlier): &&(&Block, &Deployment)| {
            is_one_function(earlier, deployment) && (is_together || !are_halves(earlier, deployment))
        };
        let Some((first, _)) = deployed[..index].iter().find(is_same) else { continue };
        let weight = match (purpose, Conditions::both(&first.conditions, &second.conditions)) {
            (Purpose::Check, Both::Never) => continue,
            (Purpose::Check, Both::Perhaps) => Weight::Warning,
            (_, Both::Never | Both::Perhaps | Both::Always) => Weight::Error,
        };
        let name = &deployment.function.name;
        let (message, help) = if first.place == second.place {
            let message = format!("is `{name}` for {} and for {}", first.which, second.which);
            (message, "make the names differ, as with `%{each}`")
        } else {
            let which = if first.which.is_empty() { String::new() } else { format!(" ({})", first.which) };
            let message = format!("the block at {}{which} is for `{name}` too", first.place);
            (
                message,
                if is_together {
                    "join the blocks: with `all_or_nothing`, a function has one"
                } else {
                    "join the blocks, let their conditions exclude each other, or give one `only: code` and the other `only: settings`"
                },
            )
        };
        // The name says more than the block about a name that several deployments share.
        let written = second.layer.get("function_name").filter(|_| first.place == second.place);
        let place = written.map_or(&second.place, |given| &given.place);
        found.push(Problem::new(message).of("function_name").at(place).weighing(weight).help(help));
    }
    found
}

/// Whether two deployments change different halves.
fn are_halves(one: &Deployment, other: &Deployment) -> bool {
    let half = |deployment: &Deployment| deployment.only.as_ref().map(|only| only.half);
    half(one).zip(half(other)).is_some_and(|(one, other)| one != other)
}

/// Whether two deployments change the same function.
fn is_one_function(one: &Deployment, other: &Deployment) -> bool {
    let account = |deployment: &Deployment| {
        deployment.target.expect_account.clone().or_else(|| deployment.function.account.clone())
    };
    let role = |deployment: &Deployment| deployment.target.role.as_ref().map(|role| role.role.clone());
    let is_same_account = match (account(one), account(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one.target.credentials == other.target.credentials && role(one) == role(other),
    };
    let is_same_place =
        one.target.region == other.target.region && one.target.endpoint_url == other.target.endpoint_url;
    one.function.name == other.function.name && is_same_place && is_same_account
}
