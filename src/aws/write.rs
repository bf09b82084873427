//! Performs the steps of a plan. A step begins with a settled function, sends that function's revision, and ends when the
//! function has settled and has the values sent.

use std::collections::BTreeMap;

use aws_sdk_lambda::operation::update_function_code::builders::UpdateFunctionCodeFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{self as sdk, FunctionCode, PackageType, S3ObjectStorageMode};

use super::Session;
use super::convert::{self, put_settings};
use super::expected::{Expected, UNTIL_SHOWN};
use super::fault::{self, Call, Failed};
use super::refusals::Meaning;
use super::settle::{PATIENCE, Pace, is_settled};
use super::store::unreadable;
use crate::apply::Done;
use crate::fault::{Fault, FaultKind, Progress};
use crate::plan::{CodeChange, Origin, Step, Through};
use crate::remote::{Failure, Live, Storage};
use crate::settings::{Architecture, SettingName, Settings};

impl Session<'_> {
    /// Performs the step and waits until the function has settled.
    pub(crate) async fn perform(&mut self, step: &Step) -> Result<Done, Fault> {
        self.progress.set(Progress::Nothing);
        self.forget();
        let done = match step {
            Step::UploadPackage(object) => self.upload(object).await,
            Step::CreateRole(role) => self.ensure_role(role).await,
            Step::CreateFunction { role, settings, tags, code, code_signing_config_arn, .. } => {
                self.made.role |= *role == Origin::Made;
                let settings = self.with_layers(settings);
                self.create(&settings, tags, code, code_signing_config_arn.as_deref()).await
            }
            Step::UpdateConfiguration { settings, .. } => {
                let settings = self.with_layers(settings);
                self.configure(&settings).await
            }
            Step::Resend(settings) => self.configure(settings).await,
            Step::UpdateTags(tags) => self.tag(tags).await,
            Step::UpdateCode(code) => self.replace_code(code).await,
            Step::PublishLayer(change) => self.publish_layer(change).await,
            Step::PublishVersion { description, code_sha256, after } => {
                self.publish(description.as_deref(), code_sha256.as_deref(), *after).await
            }
            Step::SmokeTest(_) => Err(Fault::new(FaultKind::Failed, "a smoke test is no call of AWS").into()),
            Step::PointAlias(change) => self.point_alias(change).await,
            Step::Attach(change) => self.attach(change).await,
            Step::DeleteVersions(numbers) => self.delete_versions(numbers).await,
        };
        let done = match done {
            Err(failed) if failed.meaning == Meaning::StorageFull => Err(self.with_storage(step, failed).await),
            done => done,
        };
        match &done {
            Ok(done) => self.note(step, done),
            Err(failed) if self.is_gone(failed).await => {
                return Err(Fault { progress: self.progress.get(), ..deleted_meanwhile().fault });
            }
            Err(_) => {}
        }
        done.map_err(|failed| self.ended(failed))
    }
}

/// The meaning of a refused write, after the function was read again.
pub(super) enum Verdict {
    /// The function has the values sent: the answer to an earlier attempt was lost.
    Done,
    /// The function is unchanged, so the write can be sent again.
    Again,
}

/// The place from which AWS takes the code.
pub(super) enum Source {
    Image(String),
    Bytes(Blob),
    Object { bucket: String, key: String, version: Option<String> },
}

/// The kind of write after which a function settles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Creation,
    Update,
    /// Tags are no part of the function, so the state of its last update does not matter.
    Tagging,
}

impl Session<'_> {
    /// Remembers what the next steps need to know of a finished step.
    fn note(&mut self, step: &Step, done: &Done) {
        self.is_fresh = matches!(
            step,
            Step::CreateFunction { .. }
                | Step::UpdateConfiguration { .. }
                | Step::Resend(_)
                | Step::UpdateTags(_)
                | Step::UpdateCode(_)
        );
        match step {
            Step::PublishVersion { .. } => self.published.clone_from(&done.version),
            Step::CreateRole(_) => self.made.role = true,
            Step::CreateFunction { .. } => self.made.function = true,
            Step::PointAlias(change) => self.made.alias |= change.from.is_none(),
            Step::Attach(change) => self.attached.push(change.shown()),
            _ => {}
        }
    }

    /// Whether a step failed because another program deleted the function.
    async fn is_gone(&self, failed: &Failed) -> bool {
        failed.meaning == Meaning::NotFound
            && self.live.is_some()
            && self.get_function(None).await.is_ok_and(|found| found.is_none())
    }

    /// Asks AWS to check a code update without performing it.
    pub(crate) async fn rehearse(&self, code: &CodeChange) -> Result<(), Fault> {
        let call = Call { action: "lambda:UpdateFunctionCode", resource: &self.function };
        let request = self.code_update(code).map_err(|failed| failed.fault)?.dry_run(true);
        let answer =
            self.bounded("`lambda:UpdateFunctionCode`", request.send()).await.map_err(|failed| failed.fault)?;
        answer.map(|_| ()).map_err(|error| fault::of(&error, &call).fault)
    }

    pub(super) fn base(&self) -> Result<Live, Failed> {
        self.live.as_deref().cloned().ok_or_else(deleted_meanwhile)
    }

    async fn create(
        &mut self,
        settings: &Settings,
        tags: &BTreeMap<String, String>,
        code: &CodeChange,
        code_signing_config_arn: Option<&str>,
    ) -> Result<Done, Failed> {
        let call = Call { action: "lambda:CreateFunction", resource: &self.function.clone() };
        let package = FunctionCode::builder().set_source_kms_key_arn(code.source_kms_key_arn.clone());
        let (package, package_type) = match self.source(code)? {
            Source::Image(address) => (package.image_uri(address), Some(PackageType::Image)),
            Source::Bytes(bytes) => (package.zip_file(bytes), None),
            Source::Object { bucket, key, version } => {
                let mode = storage(code.storage);
                let package = package.s3_bucket(bucket).s3_key(key).set_s3_object_version(version);
                (package.set_s3_object_storage_mode(mode), None)
            }
        };
        let request = self.lambda.create_function().function_name(&self.function).code(package.build());
        let request = request.set_package_type(package_type);
        let request = put_settings!(request, settings)
            .set_code_signing_config_arn(code_signing_config_arn.map(str::to_owned))
            .set_tenancy_config(settings.tenancy_config.as_ref().and_then(convert::structures::from_setting))
            .set_architectures(architectures(code.architecture))
            .set_tags((!tags.is_empty()).then(|| tags.clone().into_iter().collect()));
        let expected = Expected {
            settings: settings.clone(),
            code: code.to.clone(),
            architecture: code.architecture,
            outdated: None,
            tags: None,
        };
        let mut pace = Pace::new();
        while let Err(error) = self.await_write(&call, request.clone().send()).await? {
            let failed = self.refusal(&error, &call);
            match failed.meaning {
                Meaning::InProgress => {
                    self.hear(failed.fault.message);
                    self.pause(&mut pace, "another operation on the function").await?;
                    continue;
                }
                // Either an earlier attempt has created the function, or another program.
                Meaning::Exists | Meaning::Lost => {}
                _ => {
                    self.wait_out(failed, &mut pace).await?;
                    continue;
                }
            }
            let settled = match (self.settled("the function that may exist already").await, failed.meaning) {
                (Ok(None), Meaning::Lost) => return Err(self.not_done(failed)),
                (Err(_), Meaning::Lost) => return Err(failed),
                (settled, _) => settled?,
            };
            match settled {
                Some(live) if expected.is_met(&live) => break,
                Some(_) => {
                    let message = format!("another program created `{}` in the meantime", self.function);
                    let conflict = Fault::new(FaultKind::Conflict, message).help("run again to see what differs");
                    return Err(self.not_done(conflict.into()));
                }
                None if pace.so_far() < PATIENCE => {
                    self.hear(failed.fault.message);
                    self.pause(&mut pace, "the function to be known").await?;
                }
                None => return Err(failed),
            }
        }
        self.settle_with(After::Creation, "the new function", &expected).await
    }

    async fn configure(&mut self, settings: &Settings) -> Result<Done, Failed> {
        let call = Call { action: "lambda:UpdateFunctionConfiguration", resource: &self.function.clone() };
        let mut pace = Pace::new();
        let mut expected = Expected { settings: settings.clone(), ..Expected::of(&self.base()?) };
        loop {
            let base = self.base()?;
            let request = self.lambda.update_function_configuration().function_name(&self.function);
            let request = put_settings!(request.revision_id(&base.revision_id), settings);
            match self.await_write(&call, request.send()).await? {
                Ok(answer) => {
                    let error = answer.environment().and_then(|environment| environment.error());
                    if let Some(error) = error.filter(|_| base.settings.environment.is_some()) {
                        let reason = error.message().unwrap_or_default();
                        let message = format!("AWS could not apply the environment: {reason}");
                        return Err(Fault::new(FaultKind::Failed, message).into());
                    }
                    expected.since(&base, answer.revision_id());
                    break;
                }
                Err(error) => {
                    let failed = self.refusal(&error, &call);
                    if let Verdict::Done = self.judge(failed, &base, Some(&expected), &mut pace).await? {
                        break;
                    }
                }
            }
        }
        self.settle_with(After::Update, "the configuration update", &expected).await
    }

    async fn replace_code(&mut self, code: &CodeChange) -> Result<Done, Failed> {
        let call = Call { action: "lambda:UpdateFunctionCode", resource: &self.function.clone() };
        let mut pace = Pace::new();
        let before = Expected::of(&self.base()?);
        let mut expected = Expected { code: code.to.clone(), architecture: code.architecture, ..before };
        loop {
            let base = self.base()?;
            let request = self.code_update(code)?.revision_id(&base.revision_id);
            match self.await_write(&call, request.send()).await? {
                Ok(answer) => expected.since(&base, answer.revision_id()),
                Err(error) => {
                    let failed = self.refusal(&error, &call);
                    // The function does not show whether AWS took the code if its hash is unknown or was live before.
                    let visible = expected.code.is_some() && !expected.has_code(&base);
                    let verdict = self.judge(failed, &base, visible.then_some(&expected), &mut pace).await?;
                    if let Verdict::Again = verdict {
                        continue;
                    }
                }
            }
            return self.settle_with(After::Update, "the code update", &expected).await;
        }
    }

    fn code_update(&self, code: &CodeChange) -> Result<UpdateFunctionCodeFluentBuilder, Failed> {
        let request = self.lambda.update_function_code().function_name(&self.function);
        let request = request.set_architectures(architectures(code.architecture));
        let request = request.set_source_kms_key_arn(code.source_kms_key_arn.clone());
        Ok(match self.source(code)? {
            Source::Image(address) => request.image_uri(address),
            Source::Bytes(bytes) => request.zip_file(bytes),
            Source::Object { bucket, key, version } => {
                let mode = storage(code.storage);
                let request = request.s3_bucket(bucket).s3_key(key).set_s3_object_version(version);
                request.set_s3_object_storage_mode(mode)
            }
        })
    }

    /// The place from which AWS takes the code.
    pub(super) fn source(&self, code: &CodeChange) -> Result<Source, Failed> {
        let (object, version) = match &code.through {
            Through::Image(image) => return Ok(Source::Image(image.address())),
            Through::Call => {
                let archive = self.archive()?;
                let bytes = archive.part(0, archive.size());
                return Ok(Source::Bytes(Blob::new(bytes.map_err(|error| unreadable(&error))?)));
            }
            Through::Upload(object) => (object, &self.uploaded),
            Through::Found { object, version_id } => (object, version_id),
        };
        Ok(Source::Object { bucket: object.bucket.clone(), key: object.key.clone(), version: version.clone() })
    }

    /// Decides after a refused write: waits if another change is in progress (409), and reads the function again. A change by
    /// another program is an error. After a lost answer, the function shows whether AWS has done the write.
    ///
    /// `expected` is absent if the function does not show whether the write was done.
    pub(super) async fn judge(
        &mut self,
        failed: Failed,
        base: &Live,
        expected: Option<&Expected>,
        pace: &mut Pace,
    ) -> Result<Verdict, Failed> {
        if failed.meaning == Meaning::Lost {
            let unseen = || Fault::new(FaultKind::Failed, "the function does not show the write");
            let look = async {
                let Some(live) = self.settled("the function").await? else { return Ok(false) };
                match expected {
                    Some(expected) => Ok(expected.is_met(&live)),
                    // A new revision shows that there was a write.
                    None if live.revision_id != base.revision_id && is_as(base, &live) => Ok(true),
                    None => Err(unseen().into()),
                }
            };
            return self.unless_done(failed, look).await.map(|()| Verdict::Done);
        }
        let what = "another operation on the function";
        match failed.meaning {
            Meaning::Stale => {}
            Meaning::Conflict if !self.is_busy().await? => return Err(failed),
            Meaning::InProgress | Meaning::Conflict => {
                self.hear(&*failed.fault.message);
                self.pause(pace, what).await?;
            }
            Meaning::Passing(_) => {
                self.wait_out(failed.clone(), pace).await?;
            }
            _ => return Err(failed),
        }
        let Some(live) = self.settled(what).await? else { return Err(deleted_meanwhile()) };
        let done = expected.is_some_and(|expected| expected.is_met(&live));
        if !done && (failed.meaning == Meaning::Stale || !is_as(base, &live)) {
            return Err(self.not_done(foreign_change(&failed)));
        }
        self.live = Some(live);
        Ok(if done { Verdict::Done } else { Verdict::Again })
    }

    /// Whether another change of the function is in progress.
    async fn is_busy(&self) -> Result<bool, Failed> {
        let answer = self.get_function(None).await?;
        Ok(answer.as_ref().and_then(|answer| answer.configuration()).is_some_and(|config| !is_settled(config)))
    }

    /// Waits until the function has settled, and checks that it has the values sent.
    pub(super) async fn settle_with(&mut self, after: After, what: &str, expected: &Expected) -> Result<Done, Failed> {
        self.taken();
        let live = self.settled_after(after, what, expected).await?;
        match live.failure.as_ref().filter(|_| after != After::Tagging) {
            None => {}
            Some(failure @ Failure::Creation(_)) => {
                let help = "mend the cause, delete the function with `dpl-lambda delete`, and deploy again: AWS updates no function whose creation failed";
                return Err(Fault::new(FaultKind::Failed, failure.to_string()).help(help).into());
            }
            Some(failure) => return Err(Fault::new(FaultKind::Failed, failure.to_string()).into()),
        }
        let before = self.live.take();
        let architecture_before = before.as_ref().map_or(Some(Architecture::X86_64), |before| before.architecture);
        let before = before.map_or_else(|| convert::default_settings(live.name()), |before| before.settings);
        let sent_and_lost = expected.settings.environment.is_some() && live.settings.environment.is_none();
        if sent_and_lost && before.environment.is_some() {
            let message = format!("AWS could not apply the environment: {}", live.warnings.join("; "));
            return Err(Fault::new(FaultKind::Failed, message).into());
        }
        let (mut ignored, mut foreign) = mismatches(&expected.settings, &live.settings, &before);
        if expected.code.as_deref().is_some_and(|code| code != live.code()) {
            foreign.push("code");
        } else if !expected.has_code(&live) {
            let as_before = live.architecture == architecture_before;
            if as_before { ignored.push("architecture") } else { foreign.push("architecture") }
        }
        if !expected.has_tags(&live) {
            ignored.push("tags");
        }
        let arn = Some(live.arn.clone());
        self.live = Some(live);
        if foreign.is_empty() {
            let warning = |setting| format!("AWS accepted {what} but does not show the new {setting}");
            return Ok(Done { arn, warnings: ignored.into_iter().map(warning).collect(), ..Done::default() });
        }
        let foreign = foreign.join(", ");
        let message = format!(
            "after {what} the function's {foreign} differs from the value sent: another program changed it in the meantime"
        );
        Err(Fault::new(FaultKind::Conflict, message).help("run again to see what differs").into())
    }

    /// The settled function. Reads may not find a new function at first, and show the state before an update.
    async fn settled_after(&self, after: After, what: &str, expected: &Expected) -> Result<Box<Live>, Failed> {
        let mut pace = Pace::new();
        loop {
            match self.settled(what).await? {
                Some(live) if expected.is_stale(&live) && pace.so_far() < UNTIL_SHOWN => {}
                Some(live) => return Ok(live),
                None if after == After::Creation => self.hear("there is no such function yet"),
                None => return Err(deleted_meanwhile()),
            }
            self.pause(&mut pace, what).await?;
        }
    }
}

/// The storage mode to send; absent for AWS' default.
fn storage(storage: Storage) -> Option<S3ObjectStorageMode> {
    (storage == Storage::Reference).then_some(S3ObjectStorageMode::Reference)
}

/// Whether the function has the settings and code that it had before.
fn is_as(before: &Live, live: &Live) -> bool {
    live.settings == before.settings && live.code() == before.code() && live.architecture == before.architecture
}

fn architectures(architecture: Option<Architecture>) -> Option<Vec<sdk::Architecture>> {
    architecture.map(|architecture| vec![convert::architecture(architecture)])
}

/// The settings that differ from the values sent: first those that AWS ignored, since they have their former values, then
/// those that another program changed.
fn mismatches(sent: &Settings, live: &Settings, before: &Settings) -> (Vec<&'static str>, Vec<&'static str>) {
    let as_before = |name: &SettingName| live.only(&[*name]) == before.only(&[*name]);
    let (ignored, foreign): (Vec<_>, Vec<_>) = sent.differing(live).into_iter().partition(as_before);
    let names = |settings: Vec<SettingName>| settings.into_iter().map(SettingName::name).collect();
    (names(ignored), names(foreign))
}

/// The error for a change by another program that a refused write shows.
pub(super) fn foreign_change(failed: &Failed) -> Failed {
    let message = format!("another program changed the function in the meantime: {}", failed.fault.message);
    Fault::new(FaultKind::Conflict, message).help("run again to see what differs").into()
}

/// The error for a function that another program has deleted.
pub(super) fn deleted_meanwhile() -> Failed {
    let fault = Fault::new(FaultKind::Conflict, "another program deleted the function in the meantime");
    fault.help("run again to create the function again").into()
}
