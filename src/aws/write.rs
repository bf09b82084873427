//! The steps, each quiet–do–quiet: it begins on a settled function, carries that function's revision, and ends when
//! the function has settled with what was sent.

use aws_sdk_lambda::{
    primitives::Blob,
    types::{FunctionCode, State},
};

use super::{
    Session,
    convert::{self, put_settings},
    fault::{self, Answer, Call, Failed},
    read::Settled,
    settle::{Pace, failure},
};
use crate::apply::{Control, Done, Fault, FaultKind};
use crate::package::Artifact;
use crate::plan::{CodeChange, Step, TagChange};
use crate::remote::{Live, Version};
use crate::settings::{Architecture, Settings};

impl Control for Session<'_> {
    async fn perform(&mut self, step: &Step) -> Result<Done, Fault> {
        let done = match step {
            Step::CreateFunction { settings, tags, code, .. } => self.create(settings, tags, code).await,
            Step::UpdateConfiguration { settings, .. } => self.configure(settings).await,
            Step::UpdateTags(tags) => self.tag(tags).await,
            Step::UpdateCode(code) => self.replace_code(code).await,
            Step::PublishVersion { description, code_sha256 } => {
                self.publish(description.as_deref(), code_sha256).await
            }
        };
        done.map_err(|failed| failed.fault)
    }
}

/// What a failed write means once the function has been looked at again.
enum Verdict {
    /// The function is as the write would have made it: an answer was lost on the way.
    Done,
    /// It is as it was before: what was in progress is over.
    Again,
}

impl Session<'_> {
    /// Lets AWS try a code update without doing it.
    pub async fn rehearse(&self, code: &CodeChange) -> Result<(), Fault> {
        let call = Call { action: "lambda:UpdateFunctionCode", resource: &self.function };
        let request = self.lambda.update_function_code().function_name(&self.function).dry_run(true);
        let request = request
            .zip_file(Blob::new(self.artifact.bytes.clone()))
            .set_architectures(architectures(code.architecture));
        let answer =
            self.bounded("`lambda:UpdateFunctionCode`", request.send()).await.map_err(|failed| failed.fault)?;
        answer.map(|_| ()).map_err(|error| fault::of(&error, &call).fault)
    }

    fn base(&self) -> Result<&Live, Failed> {
        self.live.as_deref().ok_or_else(|| {
            Fault::new(FaultKind::Conflict, "the function is gone: somebody deleted it meanwhile").into()
        })
    }

    async fn create(
        &mut self,
        settings: &Settings,
        tags: &std::collections::BTreeMap<String, String>,
        code: &CodeChange,
    ) -> Result<Done, Failed> {
        let call = Call { action: "lambda:CreateFunction", resource: &self.function.clone() };
        let package = FunctionCode::builder().zip_file(Blob::new(self.artifact.bytes.clone())).build();
        let request =
            put_settings!(self.lambda.create_function().function_name(&self.function).code(package), settings);
        let request = request.set_architectures(architectures(code.architecture));
        let request = request.set_tags((!tags.is_empty()).then(|| tags.clone().into_iter().collect()));
        if let Err(error) = self.written(&call, request.send()).await? {
            let failed = fault::of(&error, &call);
            if failed.answer != Answer::Busy {
                return Err(failed);
            }
            // Either the answer to our own first attempt was lost, or somebody else was faster.
            let settled = self.settled("the function that exists already").await?;
            let ours = settled.is_some_and(|settled| is_as_sent(&settled.live, settings, Some(self.artifact)));
            if !ours {
                let message = format!("`{}` was created by somebody else meanwhile", self.function);
                return Err(Fault::new(FaultKind::Conflict, message).help("run again to see what differs").into());
            }
        }
        self.quiet("the new function", settings, Some(self.artifact)).await
    }

    async fn configure(&mut self, settings: &Settings) -> Result<Done, Failed> {
        let call = Call { action: "lambda:UpdateFunctionConfiguration", resource: &self.function.clone() };
        let mut pace = Pace::new();
        loop {
            let base = self.base()?.clone();
            let request = self
                .lambda
                .update_function_configuration()
                .function_name(&self.function)
                .revision_id(&base.revision_id);
            let request = put_settings!(request, settings);
            match self.written(&call, request.send()).await? {
                Ok(answer) => {
                    if let Some(error) = answer.environment().and_then(|environment| environment.error()) {
                        let message =
                            format!("AWS could not apply the environment: {}", error.message().unwrap_or_default());
                        return Err(Fault::new(FaultKind::Failed, message).into());
                    }
                    break;
                }
                Err(error) => match self.judge(fault::of(&error, &call), &base, settings, None, &mut pace).await? {
                    Verdict::Done => break,
                    Verdict::Again => {}
                },
            }
        }
        self.quiet("the configuration update", settings, None).await
    }

    async fn replace_code(&mut self, code: &CodeChange) -> Result<Done, Failed> {
        let call = Call { action: "lambda:UpdateFunctionCode", resource: &self.function.clone() };
        let mut pace = Pace::new();
        let unchanged = self.base()?.settings.clone();
        loop {
            let base = self.base()?.clone();
            let request =
                self.lambda.update_function_code().function_name(&self.function).revision_id(&base.revision_id);
            let request = request
                .zip_file(Blob::new(self.artifact.bytes.clone()))
                .set_architectures(architectures(code.architecture));
            match self.written(&call, request.send()).await? {
                Ok(_) => break,
                Err(error) => match self
                    .judge(fault::of(&error, &call), &base, &Settings::default(), Some(self.artifact), &mut pace)
                    .await?
                {
                    Verdict::Done => break,
                    Verdict::Again => {}
                },
            }
        }
        self.quiet("the code update", &unchanged, Some(self.artifact)).await
    }

    async fn tag(&mut self, change: &TagChange) -> Result<Done, Failed> {
        let base = self.base()?.clone();
        if !change.set.is_empty() {
            let call = Call { action: "lambda:TagResource", resource: &base.arn };
            let request =
                self.lambda.tag_resource().resource(&base.arn).set_tags(Some(change.set.clone().into_iter().collect()));
            self.written(&call, request.send()).await?.map_err(|error| fault::of(&error, &call))?;
        }
        if !change.remove.is_empty() {
            let call = Call { action: "lambda:UntagResource", resource: &base.arn };
            let request = self.lambda.untag_resource().resource(&base.arn).set_tag_keys(Some(change.remove.clone()));
            self.written(&call, request.send()).await?.map_err(|error| fault::of(&error, &call))?;
        }
        self.quiet("the tags", &base.settings, None).await
    }

    async fn publish(&mut self, description: Option<&str>, code_sha256: &str) -> Result<Done, Failed> {
        let call = Call { action: "lambda:PublishVersion", resource: &self.function.clone() };
        let mut pace = Pace::new();
        loop {
            let base = self.base()?.clone();
            let request = self.lambda.publish_version().function_name(&self.function).revision_id(&base.revision_id);
            let request = request.code_sha256(code_sha256).set_description(description.map(str::to_owned));
            let failed = match self.written(&call, request.send()).await? {
                Ok(answer) => {
                    let number = answer.version().unwrap_or_default().to_owned();
                    if answer.state() == Some(&State::Pending) {
                        self.active(&number).await?;
                    }
                    return Ok(Done { arn: Some(base.arn), version: Some(number), warnings: Vec::new() });
                }
                Err(error) => fault::of(&error, &call),
            };
            match failed.answer {
                Answer::Stale => {
                    // The answer to our own first attempt may have been lost.
                    let newest = self.newest_version().await?;
                    return match newest.filter(|version| is_published_from(version, &base)) {
                        Some(version) => {
                            Ok(Done { arn: Some(base.arn), version: Some(version.number), warnings: Vec::new() })
                        }
                        None => Err(foreign_change(&failed)),
                    };
                }
                Answer::Other if failed.fault.message.to_ascii_lowercase().contains("codesha256") => {
                    return Err(foreign_change(&failed));
                }
                _ => {
                    self.judge(failed, &base, &Settings::default(), None, &mut pace).await?;
                }
            }
        }
    }

    /// Waits until a published version can be invoked, which with `SnapStart` takes minutes.
    async fn active(&self, number: &str) -> Result<(), Failed> {
        let what = format!("version {number}");
        let call = Call { action: "lambda:GetFunction", resource: &format!("{}:{number}", self.function) };
        let mut pace = Pace::new();
        loop {
            let request = self.lambda.get_function().function_name(&self.function).qualifier(number);
            let answer = self.bounded(&what, request.send()).await?.map_err(|error| fault::of(&error, &call))?;
            match answer.configuration() {
                Some(config) if config.state() == Some(&State::Pending) => self.pause(&mut pace, &what).await?,
                config => return config.and_then(failure).map_or(Ok(()), |fault| Err(fault.into())),
            }
        }
    }

    /// Decides after a refused write. 409 is waited out; everything else that is not our own doing is an error.
    async fn judge(
        &mut self,
        failed: Failed,
        base: &Live,
        sent: &Settings,
        code: Option<&Artifact>,
        pace: &mut Pace,
    ) -> Result<Verdict, Failed> {
        if !matches!(failed.answer, Answer::Busy | Answer::Stale) {
            return Err(failed);
        }
        tracing::debug!(message = %failed.fault.message, "looking at the function again");
        let what = "another operation on the function";
        if failed.answer == Answer::Busy {
            self.pause(pace, what).await?;
        }
        let Some(Settled { live, .. }) = self.settled(what).await? else {
            self.live = None;
            return self.base().map(|_| Verdict::Again);
        };
        let asked = sent != &Settings::default() || code.is_some();
        if asked && is_as_sent(&live, sent, code) {
            self.live = Some(live);
            return Ok(Verdict::Done);
        }
        let as_before = live.settings == base.settings
            && live.code_sha256 == base.code_sha256
            && live.architecture == base.architecture;
        if failed.answer == Answer::Stale || !as_before {
            return Err(foreign_change(&failed));
        }
        self.live = Some(live);
        Ok(Verdict::Again)
    }

    /// Waits until the function has settled, and looks whether it has what was sent.
    async fn quiet(&mut self, what: &str, sent: &Settings, code: Option<&Artifact>) -> Result<Done, Failed> {
        let before = self.live.take();
        let Some(Settled { live, failure }) = self.settled(what).await? else {
            return Err(Fault::new(FaultKind::Conflict, "the function is gone: somebody deleted it meanwhile").into());
        };
        if let Some(fault) = failure {
            return Err(fault.into());
        }
        if sent.environment.is_some() && live.settings.environment.is_none() {
            let message = live.warnings.join("; ");
            return Err(Fault::new(FaultKind::Failed, format!("AWS could not apply the environment: {message}")).into());
        }
        let code_sha256 = code
            .map(|artifact| artifact.code_sha256.as_str())
            .or(before.as_ref().map(|before| before.code_sha256.as_str()));
        let known = before.as_ref().map_or_else(convert::default_settings, |before| before.settings.clone());
        let (ignored, mut foreign) = unlike(sent, &live.settings, &known);
        if code_sha256.is_some_and(|expected| expected != live.code_sha256) {
            foreign.push("code");
        }
        let arn = Some(live.arn.clone());
        self.live = Some(live);
        if foreign.is_empty() {
            let warning = |setting| format!("AWS accepted {what} but still reports the old {setting}");
            return Ok(Done { arn, version: None, warnings: ignored.into_iter().map(warning).collect() });
        }
        let message = format!(
            "after {what} the function has another {} than was sent: somebody else changed it meanwhile",
            foreign.join(", ")
        );
        Err(Fault::new(FaultKind::Conflict, message).help("run again to see what differs").into())
    }
}

/// Settings that are not as sent: first those that are as before, so AWS ignored them, then those that others changed.
fn unlike<'a>(sent: &'a Settings, live: &Settings, before: &Settings) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut names: Vec<_> = sent.differences(live).into_iter().map(|difference| difference.setting).collect();
    names.dedup();
    names.into_iter().partition(|name| live.only(&[name]) == before.only(&[name]))
}

fn architectures(architecture: Option<Architecture>) -> Option<Vec<aws_sdk_lambda::types::Architecture>> {
    architecture.map(|architecture| vec![convert::architecture(architecture)])
}

fn is_as_sent(live: &Live, sent: &Settings, code: Option<&Artifact>) -> bool {
    sent.differences(&live.settings).is_empty() && code.is_none_or(|artifact| artifact.code_sha256 == live.code_sha256)
}

/// Whether a version holds what is live. Its description is its own.
fn is_published_from(version: &Version, live: &Live) -> bool {
    let differences = live.settings.differences(&version.settings);
    version.code_sha256 == live.code_sha256 && differences.iter().all(|difference| difference.setting == "description")
}

fn foreign_change(failed: &Failed) -> Failed {
    let message = format!("somebody else changed the function meanwhile: {}", failed.fault.message);
    Fault::new(FaultKind::Conflict, message).help("run again to see what differs").into()
}
