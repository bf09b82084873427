//! Publishes a version exactly once, and waits until it can be invoked.

use aws_sdk_lambda::types::State;

use super::Session;
use super::fault::{self, Call, Failed};
use super::refusals::Meaning;
use super::settle::{Pace, failure, state};
use super::write::foreign_change;
use crate::apply::Done;
use crate::fault::{Fault, FaultKind};
use crate::remote::{Live, Version};
use crate::settings::SettingName;

impl Session<'_> {
    /// Publishes the function as it is. A version whose answer was lost is found again. The number of the version must
    /// exceed `after`.
    pub(super) async fn publish(
        &mut self,
        description: Option<&str>,
        code_sha256: Option<&str>,
        after: Option<u64>,
    ) -> Result<Done, Failed> {
        let call = Call { action: "lambda:PublishVersion", resource: &self.function.clone() };
        let mut pace = Pace::new();
        loop {
            let base = self.base()?;
            let request = self.lambda.publish_version().function_name(&self.function).revision_id(&base.revision_id);
            let request =
                request.set_code_sha256(code_sha256.map(str::to_owned)).set_description(description.map(str::to_owned));
            let failed = match self.await_write(&call, request.send()).await? {
                Ok(answer) if answer.version().is_none_or(str::is_empty) => self.unusable(&call, "it has no version"),
                Ok(answer) if answer.code_sha256().is_some_and(|published| published != base.code_sha256) => {
                    let number = answer.version().unwrap_or_default();
                    let message = format!(
                        "version {number} has another code: another program changed the function in the meantime"
                    );
                    return Err(Fault::new(FaultKind::Conflict, message).help("run again to see what differs").into());
                }
                Ok(answer) if !is_later(answer.version().unwrap_or_default(), after) => {
                    let message = format!(
                        "AWS published no version: version {} is still the newest",
                        answer.version().unwrap_or_default()
                    );
                    let help = "AWS did not count the update before as a change: set `publish: true`, and change the \
                                code or a setting";
                    return Err(Fault::new(FaultKind::Failed, message).help(help).into());
                }
                Ok(answer) => {
                    let number = answer.version().unwrap_or_default().to_owned();
                    let pending = answer.state() == Some(&State::Pending);
                    let warnings = if pending { self.active(&number).await? } else { Vec::new() };
                    return Ok(Done { arn: Some(base.arn), version: Some(number), warnings, ..Done::default() });
                }
                Err(error) => self.refusal(&error, &call),
            };
            match failed.meaning {
                Meaning::Stale | Meaning::Lost => {
                    // An earlier attempt may have published the version, and its answer was lost.
                    let is_lost = failed.meaning == Meaning::Lost;
                    let newest = match self.newest_version().await {
                        Err(_) if is_lost => return Err(failed),
                        newest => newest?,
                    };
                    let Some(version) =
                        newest.filter(|version| is_later(&version.number, after) && is_published_from(version, &base))
                    else {
                        return Err(self.not_done(if is_lost { failed } else { foreign_change(&failed) }));
                    };
                    self.taken();
                    let warnings = self.active(&version.number).await?;
                    let (arn, version) = (Some(base.arn), Some(version.number));
                    return Ok(Done { arn, version, warnings, ..Done::default() });
                }
                Meaning::Other if failed.fault.message.to_ascii_lowercase().contains("codesha256") => {
                    return Err(foreign_change(&failed));
                }
                _ => {
                    self.judge(failed, &base, None, &mut pace).await?;
                }
            }
        }
    }

    /// Waits until a published version can be invoked, which takes minutes with `SnapStart`.
    ///
    /// A policy may allow reading the function but not its versions. This gives a warning, not an error.
    async fn active(&self, number: &str) -> Result<Vec<String>, Failed> {
        let what = format!("version {number}");
        let call = Call { action: "lambda:GetFunction", resource: &format!("{}:{number}", self.function) };
        let mut pace = Pace::new();
        loop {
            let request = self.lambda.get_function().function_name(&self.function).qualifier(number);
            let answer = match self.bounded(&what, request.send()).await? {
                Ok(answer) => answer,
                Err(error) => match fault::of(&error, &call) {
                    Failed { fault, .. } if fault.kind == FaultKind::Denied => {
                        return Ok(vec![format!("{what} may not be ready yet: {}", fault.message)]);
                    }
                    // A version that was just published may not be known yet.
                    Failed { fault, meaning: Meaning::NotFound } => {
                        self.hear(fault.message);
                        self.pause_and_report(&mut pace, &what).await?;
                        continue;
                    }
                    failed => return Err(failed),
                },
            };
            match answer.configuration() {
                Some(config) if config.state() == Some(&State::Pending) => {
                    self.hear(state(config));
                    self.pause(&mut pace, &what).await?;
                }
                config => {
                    let Some(failure) = config.and_then(failure) else { return Ok(Vec::new()) };
                    return Err(Fault::new(FaultKind::Failed, format!("{what}: {failure}")).into());
                }
            }
        }
    }
}

/// Whether the number of a version exceeds another.
fn is_later(number: &str, after: Option<u64>) -> bool {
    after.is_none_or(|after| number.parse().is_ok_and(|number: u64| number > after))
}

/// Whether a version has the live code and settings, except for the description.
fn is_published_from(version: &Version, live: &Live) -> bool {
    let differing = live.settings.differing(&version.settings);
    version.code_sha256 == live.code_sha256
        && version.architecture == live.architecture
        && differing.iter().all(|name| *name == SettingName::Description)
}
