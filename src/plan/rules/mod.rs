//! Rules between settings: combinations that AWS refuses, or accepts without effect.
//!
//! Each rule is one short function with the AWS page that it comes from. A rule applies only if the user named one of
//! its options: live settings that the configuration does not name are never an error.

mod concurrency;
mod creation;
mod image;
mod layers;
mod network;
mod runtime;
mod snap_start;
mod targets;
#[cfg(test)]
mod tests;

use super::{Plan, wanted};
use crate::arn::Arn;
use crate::deployment::{CodeSource, Deployment};
use crate::package::Package;
use crate::place::Problem;
use crate::remote::Live;
use crate::settings::{Attachment, Ids, SettingName, Settings, Structure};

/// The function as it will be after the deployment.
struct Facts<'a> {
    deployment: &'a Deployment,
    /// The named settings, over the live ones.
    settings: &'a Settings,
    /// The live function; absent if it does not exist, or was not read.
    live: Option<&'a Live>,
    /// AWS' package type of the function; absent if it is unknown.
    package_type: Option<&'a str>,
    /// Whether an absent setting has AWS' default. Otherwise it is unknown.
    whole: bool,
    /// The Region of the function; absent if it is unknown.
    region: Option<&'a str>,
}

fn error(message: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem::new(message).help(help)
}

fn warning(message: impl Into<String>, help: &'static str) -> Problem {
    Problem::warning(message).help(help)
}

type Rule = fn(&Facts<'_>) -> Option<Problem>;

/// An option that a rule is about.
#[derive(Clone, Copy)]
enum Named {
    Setting(SettingName),
    Around(Attachment),
    ImageUri,
    /// The key that encrypts the package inside Lambda.
    PackageKey,
    /// The key that encrypts the package in its bucket.
    ObjectKey,
}

use Named::{Around, Setting};

impl Named {
    const fn option(self) -> &'static str {
        match self {
            Setting(setting) => setting.name(),
            Around(attachment) => attachment.option(),
            Self::ImageUri => "image_uri",
            Self::PackageKey => "source_kms_key_arn",
            Self::ObjectKey => "s3_kms_key_arn",
        }
    }
}

/// A rule with its options. Its problem belongs to the first of them that the user named.
type Row = (&'static [Named], Rule);

/// Every rule, by subject.
const RULES: [&[Row]; 8] = [
    image::RULES,
    snap_start::RULES,
    network::RULES,
    layers::RULES,
    runtime::RULES,
    concurrency::RULES,
    creation::RULES,
    targets::RULES,
];

/// The problems that are certain without the live function.
pub(super) fn check_named(deployment: &Deployment) -> Vec<Problem> {
    let settings = wanted::named(deployment);
    let region = deployment.function.region.as_deref().or(deployment.target.region.as_deref());
    let package_type = deployment.code.source.package_type();
    check(&Facts { deployment, settings: &settings, live: None, package_type, whole: false, region })
}

impl Plan {
    /// Checks the rules against the settings that the function will have.
    pub(super) fn check_rules(
        &mut self,
        deployment: &Deployment,
        package: &Package,
        settings: &Settings,
        live: Option<&Live>,
    ) {
        let region = Some(self.region.as_str());
        let package_type = package.package_type().or_else(|| live.map(|live| live.package_type.as_str()));
        let whole = deployment.unread().next().is_none();
        let problems = check(&Facts { deployment, settings, live, package_type, whole, region });
        self.problems.extend(problems);
    }
}

fn check(facts: &Facts<'_>) -> Vec<Problem> {
    let found = |(options, rule): &Row| {
        if options.iter().any(|option| facts.deployment.is_unread(option.option())) {
            return None;
        }
        let option = options.iter().find(|option| facts.names(**option))?;
        Some(rule(facts)?.of(option.option()))
    };
    RULES.into_iter().flatten().filter_map(found).collect()
}

impl Facts<'_> {
    /// Whether the user named this option, and not only to clear it.
    fn names(&self, option: Named) -> bool {
        let Deployment { settings, attachments, code, .. } = self.deployment;
        match option {
            Setting(setting) => settings.has(setting),
            Around(attachment) => {
                attachments.get(&attachment).is_some_and(|managed| managed.entries.values().any(Option::is_some))
            }
            Named::ImageUri => matches!(code.source, CodeSource::Image(_)),
            Named::PackageKey => code.source_kms_key_arn.is_some(),
            Named::ObjectKey => code.upload.as_ref().is_some_and(|upload| upload.kms_key_arn.is_some()),
        }
    }

    fn is_image(&self) -> bool {
        self.package_type == Some("Image")
    }

    /// The only attachment of a kind: the wanted one, or else the live one if it was read.
    fn attached(&self, attachment: Attachment) -> Option<&Structure> {
        match self.deployment.attachments.get(&attachment) {
            Some(managed) => managed.entries.values().flatten().next(),
            None => Some(&self.live?.attachments.get(&attachment)?.values().next()?.document),
        }
    }

    fn has_snap_start(&self) -> bool {
        text(self.settings.snap_start.as_ref(), "ApplyOn").as_deref() == Some("PublishedVersions")
    }

    fn is_tenanted(&self) -> bool {
        text(self.settings.tenancy_config.as_ref(), "TenantIsolationMode").is_some()
    }

    /// Whether the list is certainly empty.
    fn lacks(&self, ids: Option<&Ids>) -> bool {
        ids.map_or(self.whole, |ids| ids.0.is_empty())
    }
}

fn text(structure: Option<&Structure>, member: &str) -> Option<String> {
    structure?.text(member)
}

fn is_set(structure: Option<&Structure>) -> bool {
    structure.is_some_and(|structure| !structure.is_empty())
}

fn has_ids(ids: Option<&Ids>) -> bool {
    ids.is_some_and(|ids| !ids.0.is_empty())
}

/// The service that an ARN belongs to.
fn service(arn: &str) -> &str {
    Arn::of(arn).map_or("", |arn| arn.service)
}
