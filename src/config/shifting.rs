//! `traffic_shifting` and `rollback_on_failure`: how a new version gets traffic, and what happens if it fails.

use std::time::Duration;

use super::after_failure::AfterFailure;
use super::read::Reader;
use super::run_options::ALL_OR_NOTHING;
use crate::deployment::WantedAttachments;
use crate::place::Problem;
use crate::release::{ErrorLimit, OnFailure, Percent, Schedule};
use crate::settings::{AliasName, Attachment, Source as _, Structure};

/// The option.
const OPTION: &str = "traffic_shifting";

/// The default for how long each share lasts, in seconds.
const INTERVAL: u64 = 60;

/// The default for the fewest invocations whose errors count.
const MIN_INVOCATIONS: u64 = 20;

/// The schedule; `None` if the new version gets all traffic at once.
pub(super) fn schedule(
    reader: &mut Reader,
    alias: Option<&AliasName>,
    attachments: &WantedAttachments,
) -> Option<Schedule> {
    let wanted: Structure = reader.setting(OPTION)?;
    if alias.is_none() {
        reader.wrong(OPTION, "needs an `alias`, whose traffic is shifted");
    }
    let read = read(&wanted).map_err(|message| {
        reader.wrong(OPTION, message);
    });
    let schedule = read.ok().filter(|schedule| !schedule.steps.is_empty())?;
    let provisioned = attachments.get(&Attachment::ProvisionedConcurrency);
    if provisioned.is_some_and(|wanted| wanted.entries.values().any(Option::is_some)) {
        let problem =
            reader.wrong(OPTION, "cannot be used with `provisioned_concurrency`: AWS shifts that traffic itself");
        problem.help = Some("remove one of them".to_owned());
    }
    Some(schedule)
}

/// The schedule, without a check against other options.
fn read(wanted: &Structure) -> Result<Schedule, String> {
    let number = |member: &str| wanted.get(member).and_then(serde_json::Value::as_u64);
    let mut schedule = match (wanted.text("Type"), wanted.get("Steps")) {
        (Some(_), Some(_)) => return Err("has `type` and `steps`, of which one is possible".to_owned()),
        (Some(name), None) if number("Interval").is_some() => {
            return Err(format!("has an `interval`, which `{name}` says already"));
        }
        (Some(name), None) => Schedule::named(&name).ok_or_else(|| {
            format!(
                "`{name}` is no schedule; schedules are named as in CodeDeploy: `Canary10Percent5Minutes`, `Linear10PercentEvery1Minute`, `AllAtOnce`"
            )
        })?,
        (None, Some(steps)) => {
            let steps = steps.as_array().into_iter().flatten();
            let steps: Vec<_> = steps.filter_map(|step| Percent::try_from(step.as_u64()?).ok()).collect();
            if steps.is_empty() {
                return Err("has no `steps`".to_owned());
            }
            if steps.windows(2).any(|pair| pair[0] >= pair[1]) {
                return Err("has `steps` that do not ascend".to_owned());
            }
            let interval = Duration::from_secs(number("Interval").unwrap_or(INTERVAL));
            Schedule { steps, interval, alarms: Vec::new(), errors: None }
        }
        (None, None) => return Err("needs `type` or `steps`".to_owned()),
    };
    schedule.alarms = wanted.texts("Alarms").unwrap_or_default();
    let rate = wanted.text("MaxErrorRate").and_then(|text| text.trim_end_matches([' ', '%']).parse().ok());
    if rate.is_none() && number("MinInvocations").is_some() {
        return Err("has `min_invocations` without `max_error_rate`".to_owned());
    }
    schedule.errors =
        rate.map(|rate| ErrorLimit { rate, min_invocations: number("MinInvocations").unwrap_or(MIN_INVOCATIONS) });
    if schedule.steps.is_empty() && schedule.is_watched() {
        return Err("watches nothing with `AllAtOnce`: a shift without steps is over at once".to_owned());
    }
    Ok(schedule)
}

/// What happens to the alias if the new version fails.
pub(super) fn on_failure(reader: &mut Reader, alias: Option<&AliasName>, of_run: AfterFailure) -> OnFailure {
    let goes_back = of_run == AfterFailure::GoBack;
    if reader.has(ALL_OR_NOTHING) && reader.flag(ALL_OR_NOTHING) != goes_back {
        let problem =
            reader.wrong(ALL_OR_NOTHING, "is not the same in the first block, and it counts for the whole run");
        problem.help = Some("set it under `defaults`, or as a flag or variable".to_owned());
    }
    if goes_back {
        return together(reader, alias);
    }
    if !reader.has("rollback_on_failure") {
        return OnFailure::GoBack;
    }
    let goes_back = reader.flag("rollback_on_failure");
    if goes_back && alias.is_none() {
        reader.wrong("rollback_on_failure", "needs an `alias`, which can go back");
    }
    if goes_back { OnFailure::GoBack } else { OnFailure::Stay }
}

/// What `all_or_nothing` requires of a block.
fn together(reader: &mut Reader, alias: Option<&AliasName>) -> OnFailure {
    if alias.is_none() {
        let place = reader.block.clone().or_else(|| reader.place("function_name"));
        let problem = Problem::new("is not set, and with `all_or_nothing` every function needs one").of("alias");
        let problem = problem.help("set `alias`, or deploy this function in a run of its own");
        reader.problems.push(Problem { place, ..problem });
    }
    if reader.has("rollback_on_failure") && !reader.flag("rollback_on_failure") {
        let problem = reader.wrong("rollback_on_failure", "is false, but with `all_or_nothing` every alias goes back");
        problem.help = Some("remove one of them".to_owned());
    }
    OnFailure::GoBackTogether
}
