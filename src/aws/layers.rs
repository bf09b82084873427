//! Reads the newest versions of layers, and publishes a version exactly once.

use std::ops::{ControlFlow, Range};
use std::time::Duration;

use aws_sdk_lambda::config::{Config, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::operation::publish_layer_version::PublishLayerVersionOutput;
use aws_sdk_lambda::types::{LayerVersionContentInput, LayerVersionsListItem};

use super::Session;
use super::fault::{self, Call, Failed};
use super::package::Reported;
use super::refusals::Meaning;
use super::settle::Pace;
use super::write::Source;
use crate::apply::Done;
use crate::fault::{Fault, FaultKind};
use crate::plan::LayerChange;
use crate::remote::LayerVersion;

/// The most attempts to publish: the same number as the SDK's for calls that may be repeated.
const ATTEMPTS: u32 = 6;

/// The time of one attempt to publish. A repetition while AWS still works on the first attempt would publish twice.
const PUBLISHING: Duration = Duration::from_mins(1);

impl Session<'_> {
    /// Reads the newest version of the session's layer; `None` if there is none.
    pub(crate) async fn newest_layer(&self) -> Result<Option<LayerVersion>, Fault> {
        self.read_newest_layer().await.map_err(|failed| failed.fault)
    }

    /// The ARN of the newest version of a layer, by the layer's name or ARN; `None` if there is none.
    pub(crate) async fn newest_layer_arn(&self, layer: &str) -> Result<Option<String>, Fault> {
        let newest = self.list_newest(layer).await.map_err(|failed| match failed.fault {
            // A layer's policy can allow other accounts to read a version, but not to list versions.
            fault if fault.kind == FaultKind::Denied && layer.starts_with("arn:") => fault.help(
                "AWS lists the versions of a layer only for the layer's own account: set the version in `layers`",
            ),
            fault => fault,
        })?;
        Ok(newest.and_then(|newest| newest.layer_version_arn().map(str::to_owned)))
    }

    /// Whether a layer version exists. A denied read counts as yes: AWS decides when the function is written.
    pub(crate) async fn has_layer_version(&self, arn: &str) -> Result<bool, Fault> {
        let Some((layer, number)) = arn.rsplit_once(':').and_then(|(layer, text)| Some((layer, text.parse().ok()?)))
        else {
            return Ok(true);
        };
        let call = Call { action: "lambda:GetLayerVersion", resource: arn };
        let request = self.lambda.get_layer_version().layer_name(layer).version_number(number);
        let answer = self.bounded(call.action, request.send()).await.map_err(|failed: Failed| failed.fault)?;
        match answer.map_err(|error| fault::of(&error, &call)) {
            Ok(_) => Ok(true),
            Err(Failed { meaning: Meaning::NotFound, .. }) => Ok(false),
            Err(Failed { fault, .. }) if fault.kind == FaultKind::Denied => Ok(true),
            Err(failed) => Err(failed.fault),
        }
    }

    async fn read_newest_layer(&self) -> Result<Option<LayerVersion>, Failed> {
        let layer = &self.function;
        let Some(newest) = self.list_newest(layer).await? else { return Ok(None) };
        self.layer_version(newest.version()).await
    }

    /// Reads a version of the session's layer; `None` if there is none with this number.
    async fn layer_version(&self, number: i64) -> Result<Option<LayerVersion>, Failed> {
        let layer = &self.function;
        let call = Call { action: "lambda:GetLayerVersion", resource: &format!("{layer}:{number}") };
        let request = self.lambda.get_layer_version().layer_name(layer).version_number(number);
        let answer = match self.bounded(call.action, request.send()).await? {
            Ok(answer) => answer,
            Err(error) => match fault::of(&error, &call) {
                // Deleted since it was listed.
                Failed { meaning: Meaning::NotFound, .. } => return Ok(None),
                failed => return Err(failed),
            },
        };
        self.package_at.set(answer.content().and_then(|content| {
            let size = u64::try_from(content.code_size()).ok()?;
            Some(Reported { location: content.location()?.to_owned(), size })
        }));
        Ok(Some(LayerVersion {
            arn: answer.layer_version_arn().unwrap_or_default().to_owned(),
            number: answer.version(),
            code_sha256: answer.content().and_then(|content| content.code_sha256()).unwrap_or_default().to_owned(),
            compatible_runtimes: answer
                .compatible_runtimes()
                .iter()
                .map(|runtime| runtime.as_str().to_owned())
                .collect(),
            compatible_architectures: answer
                .compatible_architectures()
                .iter()
                .map(|architecture| architecture.as_str().to_owned())
                .collect(),
            license_info: answer.license_info().unwrap_or_default().to_owned(),
        }))
    }

    /// The version with the highest number. AWS lists the newest first. If a page is in another order, this reads all pages.
    async fn list_newest(&self, layer: &str) -> Result<Option<LayerVersionsListItem>, Failed> {
        let call = Call { action: "lambda:ListLayerVersions", resource: layer };
        let mut newest: Option<LayerVersionsListItem> = None;
        let mut pages = self.lambda.list_layer_versions().layer_name(layer).into_paginator().send();
        let looked = self.each(
            &call,
            async || pages.next().await,
            |page| {
                let versions = page.layer_versions.unwrap_or_default();
                let newest_first = versions.is_sorted_by_key(|version| std::cmp::Reverse(version.version()));
                let enough = newest_first && versions.len() > 1;
                newest = newest.take().into_iter().chain(versions).max_by_key(LayerVersionsListItem::version);
                if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        match looked.await {
            Err(Failed { meaning: Meaning::NotFound, .. }) => {}
            looked => looked?,
        }
        Ok(newest)
    }

    /// The numbers of the layer's versions in a range, lowest first.
    pub(super) async fn layer_numbers(&self, range: Range<i64>) -> Result<Vec<i64>, Failed> {
        let call = Call { action: "lambda:ListLayerVersions", resource: &self.function };
        let request = self.lambda.list_layer_versions().layer_name(&self.function);
        let mut pages = request.into_paginator().items().send();
        let versions = self.all(&call, async || pages.next().await).await?;
        let numbers = versions.iter().map(LayerVersionsListItem::version);
        let mut numbers: Vec<_> = numbers.filter(|number| range.contains(number)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Publishes a version. Each successful request creates another version, so a request is repeated only if the one before
    /// it surely published none.
    pub(super) async fn publish_layer(&mut self, change: &LayerChange) -> Result<Done, Failed> {
        let call = Call { action: "lambda:PublishLayerVersion", resource: &self.function.clone() };
        let content = match self.source(&change.code)? {
            Source::Image(_) => return Err(Fault::new(FaultKind::Failed, "a layer is never an image").into()),
            Source::Bytes(bytes) => LayerVersionContentInput::builder().zip_file(bytes),
            Source::Object { bucket, key, version } => {
                LayerVersionContentInput::builder().s3_bucket(bucket).s3_key(key).set_s3_object_version(version)
            }
        };
        let runtimes = change.compatible_runtimes.iter().map(|runtime| runtime.as_str().into()).collect::<Vec<_>>();
        let architectures = change.compatible_architectures.iter();
        let architectures = architectures.map(|architecture| architecture.as_str().into()).collect::<Vec<_>>();
        let license = Some(change.license_info.clone()).filter(|license| !license.is_empty());
        let request = self
            .lambda
            .publish_layer_version()
            .layer_name(&self.function)
            .content(content.build())
            .set_description(change.description.clone())
            .set_compatible_runtimes((!runtimes.is_empty()).then_some(runtimes))
            .set_compatible_architectures((!architectures.is_empty()).then_some(architectures))
            .set_license_info(license);
        let (mut pace, mut attempt) = (Pace::new(), 1);
        loop {
            // The SDK would repeat the request without this check.
            let once = Config::builder().retry_config(RetryConfig::disabled());
            let once = once.timeout_config(TimeoutConfig::builder().read_timeout(PUBLISHING).build());
            let sent = self.await_write(&call, request.clone().customize().config_override(once).send()).await?;
            let (failed, throttled) = match sent {
                Ok(answer) if is_about(&answer, change) => {
                    let arn = answer.layer_version_arn().unwrap_or_default().to_owned();
                    return self.without_double(change, arn, answer.version()).await;
                }
                Ok(_) => (self.unusable(&call, "it is not about this package"), false),
                Err(error) => {
                    let status = error.raw_response().map(|answer| answer.status().as_u16());
                    let throttled = status == Some(429) || error.code() == Some("TooManyRequestsException");
                    (self.refusal(&error, &call), throttled)
                }
            };
            if failed.meaning != Meaning::Lost && !throttled {
                return Err(failed);
            }
            self.pause(&mut pace, "the layer to be published").await?;
            let newest = match failed.meaning {
                Meaning::Lost => match self.read_newest_layer().await {
                    Ok(newest) => newest.filter(|newest| is_published(newest, change)),
                    Err(_) => return Err(failed),
                },
                _ => None,
            };
            if let Some(found) = newest {
                tracing::debug!(
                    "version {} is the version to publish: the answer to its request was lost",
                    found.number
                );
                return self.without_double(change, found.arn, found.number).await;
            }
            if attempt == ATTEMPTS {
                return Err(self.not_done(failed));
            }
            attempt += 1;
        }
    }

    /// The version to use after this one was published. If another run has published the same in the meantime, the version
    /// with the lowest number is used, and this one is deleted.
    async fn without_double(&self, change: &LayerChange, arn: String, number: i64) -> Result<Done, Failed> {
        let use_version =
            |arn, number: i64| Done { arn: Some(arn), version: Some(number.to_string()), ..Done::default() };
        let before = change.before.unwrap_or_default();
        let meanwhile = if number == before + 1 { Vec::new() } else { self.layer_numbers(before + 1..number).await? };
        for earlier in meanwhile {
            let found = self.layer_version(earlier).await?;
            let Some(found) = found.filter(|found| is_published(found, change)) else { continue };
            let call = Call { action: "lambda:DeleteLayerVersion", resource: &format!("{}:{number}", self.function) };
            let request = self.lambda.delete_layer_version().layer_name(&self.function).version_number(number);
            match self.write(&call, request.send()).await {
                Ok(_) => return Ok(use_version(found.arn, found.number)),
                Err(failed) if failed.fault.kind == FaultKind::Denied => {
                    tracing::debug!("version {number} stays beside its equal {earlier}: {}", failed.fault);
                    break;
                }
                Err(failed) => return Err(failed),
            }
        }
        Ok(use_version(arn, number))
    }
}

/// Whether an answer names a version with the package that was sent.
fn is_about(answer: &PublishLayerVersionOutput, change: &LayerChange) -> bool {
    let hash = answer.content().and_then(|content| content.code_sha256());
    answer.layer_version_arn().is_some() && (hash.is_none() || hash == change.code.to.as_deref())
}

/// Whether a version is newer than the one before the request, and has the contents to publish.
fn is_published(found: &LayerVersion, change: &LayerChange) -> bool {
    let LayerVersion { arn: _, number, code_sha256, compatible_runtimes, compatible_architectures, license_info } =
        found;
    change.before.is_none_or(|before| *number > before)
        && Some(code_sha256) == change.code.to.as_ref()
        && *compatible_runtimes == change.compatible_runtimes
        && *compatible_architectures == change.compatible_architectures
        && *license_info == change.license_info
}
