//! Performs the steps of a plan. A step begins with a settled function, sends that function's revision, and ends when the
//! function has settled and has the values sent.

use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::update_function_code::builders::UpdateFunctionCodeFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{self as sdk, FunctionCode, PackageType, S3ObjectStorageMode, State};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::Session;
use super::convert::{self, put_settings};
use super::fault::{self, Answer, Call, Failed};
use super::settle::{Pace, failure};
use super::store::unreadable;
use crate::apply::{Done, Executor};
use crate::fault::{Fault, FaultKind, Progress};
use crate::plan::{CodeChange, Origin, Step, TagChange, Through};
use crate::remote::{Live, Storage, Version};
use crate::settings::{Architecture, SettingName, Settings};

/// The time after a creation during which reads may not find the function.
const UNTIL_KNOWN: Duration = Duration::from_secs(20);

/// The time during which Lambda may not know a role that the user named: another program may have just created it.
const UNTIL_ASSUMABLE: Duration = Duration::from_secs(10);

impl Executor for Session<'_> {
    async fn perform(&mut self, step: &Step) -> Result<Done, Fault> {
        self.progress.set(Progress::Nothing);
        let done = match step {
            Step::UploadPackage(object) => self.upload(object).await,
            Step::CreateRole(role) => self.ensure_role(role).await,
            Step::CreateFunction { role, settings, tags, code, code_signing_config_arn, .. } => {
                let settings = self.with_layers(settings);
                self.create(*role, &settings, tags, code, code_signing_config_arn.as_deref()).await
            }
            Step::UpdateConfiguration { settings, .. } => {
                let settings = self.with_layers(settings);
                self.configure(&settings).await
            }
            Step::UpdateTags(tags) => self.tag(tags).await,
            Step::UpdateCode(code) => self.replace_code(code).await,
            Step::PublishLayer(change) => self.publish_layer(change).await,
            Step::PublishVersion { description, code_sha256 } => {
                self.publish(description.as_deref(), code_sha256.as_deref()).await
            }
            Step::PointAlias(change) => self.point_alias(change).await,
            Step::Attach(change) => self.attach(change).await,
            Step::DeleteVersions(numbers) => self.delete_versions(numbers).await,
        };
        if let (Step::PublishVersion { .. }, Ok(done)) = (step, &done) {
            self.published.clone_from(&done.version);
        }
        done.map_err(|failed| Fault { progress: self.progress.get(), ..failed.fault })
    }
}

/// The state that the function must have after a step. An absent value is not checked.
struct Expected {
    settings: Settings,
    code: Option<String>,
    architecture: Option<Architecture>,
}

impl Expected {
    /// The live state. A step replaces the values that it changes.
    fn of(live: &Live) -> Self {
        Self { settings: live.settings.clone(), code: Some(live.code().to_owned()), architecture: live.architecture }
    }

    fn is_met(&self, live: &Live) -> bool {
        self.settings.differing(&live.settings).is_empty() && self.has_code(live)
    }

    fn has_code(&self, live: &Live) -> bool {
        let code = self.code.as_deref();
        code.is_none_or(|code| code == live.code())
            && (self.architecture.is_none() || self.architecture == live.architecture)
    }
}

/// The meaning of a refused write, after the function was read again.
enum Verdict {
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
enum After {
    Creation,
    Update,
    /// Tags are no part of the function, so the state of its last update does not matter.
    Tagging,
}

impl Session<'_> {
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
        role: Origin,
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
        let expected = Expected { settings: settings.clone(), code: code.to.clone(), architecture: code.architecture };
        let mut pace = Pace::new();
        while let Err(error) = self.await_write(&call, request.clone().send()).await? {
            let failed = fault::of(&error, &call);
            if is_unknown_role(&failed, role) && (role == Origin::Made || pace.so_far() < UNTIL_ASSUMABLE) {
                self.pause_and_report(&mut pace, "the role to be known to Lambda").await?;
                continue;
            }
            if failed.answer != Answer::Busy {
                return Err(failed);
            }
            // Either the answer to our first attempt was lost, or another program created the function first.
            let settled = self.settled("the function that exists already").await?;
            if !settled.is_some_and(|live| expected.is_met(&live)) {
                let message = format!("another program created `{}` in the meantime", self.function);
                return Err(Fault::new(FaultKind::Conflict, message).help("run again to see what differs").into());
            }
            break;
        }
        self.settle_with(After::Creation, "the new function", &expected).await
    }

    async fn configure(&mut self, settings: &Settings) -> Result<Done, Failed> {
        let call = Call { action: "lambda:UpdateFunctionConfiguration", resource: &self.function.clone() };
        let mut pace = Pace::new();
        let expected = Expected { settings: settings.clone(), ..Expected::of(&self.base()?) };
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
                    break;
                }
                Err(error) => {
                    let failed = fault::of(&error, &call);
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
        let expected = Expected { code: code.to.clone(), architecture: code.architecture, ..before };
        loop {
            let base = self.base()?;
            let request = self.code_update(code)?.revision_id(&base.revision_id);
            if let Err(error) = self.await_write(&call, request.send()).await? {
                let failed = fault::of(&error, &call);
                // The function does not show whether AWS took the code if its hash is unknown or was live before.
                let visible = expected.code.is_some() && !expected.has_code(&base);
                let verdict = self.judge(failed, &base, visible.then_some(&expected), &mut pace).await?;
                if let Verdict::Again = verdict {
                    continue;
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

    async fn tag(&mut self, change: &TagChange) -> Result<Done, Failed> {
        let base = self.base()?;
        if !change.set.is_empty() {
            let call = Call { action: "lambda:TagResource", resource: &base.arn };
            let tags = change.set.clone().into_iter().collect();
            let request = self.lambda.tag_resource().resource(&base.arn).set_tags(Some(tags));
            self.until_taken(&call, &base, || request.clone().send()).await?;
        }
        if !change.remove.is_empty() {
            let call = Call { action: "lambda:UntagResource", resource: &base.arn };
            let request = self.lambda.untag_resource().resource(&base.arn).set_tag_keys(Some(change.remove.clone()));
            self.until_taken(&call, &base, || request.clone().send()).await?;
        }
        self.settle_with(After::Tagging, "the tags", &Expected::of(&base)).await
    }

    /// Repeats a write while another change is in progress. The write must be safe to repeat.
    async fn until_taken<T, E, F>(&mut self, call: &Call<'_>, base: &Live, send: impl Fn() -> F) -> Result<(), Failed>
    where
        E: ProvideErrorMetadata + Error + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let mut pace = Pace::new();
        while let Err(error) = self.await_write(call, send()).await? {
            self.judge(fault::of(&error, call), base, None, &mut pace).await?;
        }
        Ok(())
    }

    async fn publish(&mut self, description: Option<&str>, code_sha256: Option<&str>) -> Result<Done, Failed> {
        let call = Call { action: "lambda:PublishVersion", resource: &self.function.clone() };
        let mut pace = Pace::new();
        loop {
            let base = self.base()?;
            let request = self.lambda.publish_version().function_name(&self.function).revision_id(&base.revision_id);
            let request =
                request.set_code_sha256(code_sha256.map(str::to_owned)).set_description(description.map(str::to_owned));
            let failed = match self.await_write(&call, request.send()).await? {
                Ok(answer) => {
                    let number = answer.version().unwrap_or_default().to_owned();
                    let pending = answer.state() == Some(&State::Pending);
                    let warnings = if pending { self.active(&number).await? } else { Vec::new() };
                    return Ok(Done { arn: Some(base.arn), version: Some(number), warnings, ..Done::default() });
                }
                Err(error) => fault::of(&error, &call),
            };
            match failed.answer {
                Answer::Stale => {
                    // The answer to our first attempt may have been lost.
                    let newest = self.newest_version().await?;
                    let version = newest.filter(|version| is_published_from(version, &base)).map(|found| found.number);
                    let done = Done { arn: Some(base.arn), version, ..Done::default() };
                    return if done.version.is_some() { Ok(done) } else { Err(foreign_change(&failed)) };
                }
                Answer::Other if failed.fault.message.to_ascii_lowercase().contains("codesha256") => {
                    return Err(foreign_change(&failed));
                }
                Answer::Busy | Answer::NotFound | Answer::Other => {
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
                    failed => return Err(failed),
                },
            };
            match answer.configuration() {
                Some(config) if config.state() == Some(&State::Pending) => self.pause(&mut pace, &what).await?,
                config => return config.and_then(failure).map_or(Ok(Vec::new()), |fault| Err(fault.into())),
            }
        }
    }

    /// Decides after a refused write: waits if another change is in progress (409), and reads the function again. A change by
    /// another program is an error.
    ///
    /// `expected` is absent if the function does not show whether the write was done.
    async fn judge(
        &mut self,
        failed: Failed,
        base: &Live,
        expected: Option<&Expected>,
        pace: &mut Pace,
    ) -> Result<Verdict, Failed> {
        if !matches!(failed.answer, Answer::Busy | Answer::Stale) {
            return Err(failed);
        }
        let what = "another operation on the function";
        if failed.answer == Answer::Busy {
            self.pause(pace, what).await?;
        }
        let Some(live) = self.settled(what).await? else { return Err(deleted_meanwhile()) };
        let as_before =
            live.settings == base.settings && live.code() == base.code() && live.architecture == base.architecture;
        let done = expected.is_some_and(|expected| expected.is_met(&live));
        if !done && (failed.answer == Answer::Stale || !as_before) {
            return Err(foreign_change(&failed));
        }
        self.live = Some(live);
        Ok(if done { Verdict::Done } else { Verdict::Again })
    }

    /// Waits until the function has settled, and checks that it has the values sent.
    async fn settle_with(&mut self, after: After, what: &str, expected: &Expected) -> Result<Done, Failed> {
        // AWS has accepted the write here, even if its answer was lost.
        self.progress.set(Progress::Begun);
        let live = self.settled_after(after, what).await?;
        if let Some(failure) = live.failure.as_ref().filter(|_| after != After::Tagging) {
            return Err(Fault::new(FaultKind::Failed, failure.clone()).into());
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

    /// The settled function. Reads may not find a new function at first.
    async fn settled_after(&self, after: After, what: &str) -> Result<Box<Live>, Failed> {
        let mut pace = Pace::new();
        loop {
            match self.settled(what).await? {
                Some(live) => return Ok(live),
                None if after == After::Creation && pace.so_far() < UNTIL_KNOWN => self.pause(&mut pace, what).await?,
                None => return Err(deleted_meanwhile()),
            }
        }
    }
}

/// Whether Lambda does not know a role or its policies yet. IAM needs some seconds to make them known.
fn is_unknown_role(failed: &Failed, role: Origin) -> bool {
    let says = |text: &str| failed.fault.message.contains(text);
    says("cannot be assumed by Lambda") || role == Origin::Made && says("permissions to call CreateNetworkInterface")
}

/// The storage mode to send; absent for AWS' default.
fn storage(storage: Storage) -> Option<S3ObjectStorageMode> {
    (storage == Storage::Reference).then_some(S3ObjectStorageMode::Reference)
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

/// Whether a version has the live code and settings, except for the description.
fn is_published_from(version: &Version, live: &Live) -> bool {
    let differing = live.settings.differing(&version.settings);
    version.code_sha256 == live.code_sha256
        && version.architecture == live.architecture
        && differing.iter().all(|name| *name == SettingName::Description)
}

fn foreign_change(failed: &Failed) -> Failed {
    let message = format!("another program changed the function in the meantime: {}", failed.fault.message);
    Fault::new(FaultKind::Conflict, message).help("run again to see what differs").into()
}

fn deleted_meanwhile() -> Failed {
    Fault::new(FaultKind::Conflict, "another program deleted the function in the meantime").into()
}
