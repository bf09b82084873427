//! The plan: steps as data, computed from the deployment, the package and the live state.
//!
//! Planning cannot fail, wait, print or read the clock. A forbidden change becomes a problem that names its option.

mod action;
mod attachments;
mod code;
mod foreign;
mod half;
mod layers;
mod preflight;
mod release;
mod role;
mod rollback;
mod rules;
mod step;
mod tags;
mod view;
mod wanted;

pub(crate) use action::Action;
pub(crate) use code::{CodeChange, Object, Through};
pub(crate) use foreign::Foreign;
pub(crate) use layers::{check_layer, plan_layer};
pub(crate) use preflight::check;
pub(crate) use release::Part;
pub(crate) use role::{policies as role_policies, role_name};
pub(crate) use rollback::{Nothing, Rollback};
pub(crate) use step::{
    ALIAS, AliasChange, AttachmentChange, LayerChange, Origin, RoleChange, Step, TagChange, Tested, Trial, VersionRef,
};
pub(crate) use view::{Line, Sent, View, Whose};

pub(crate) use crate::deployment::Half;
use crate::deployment::{Deployment, MissingRole, Only, Publish};
use crate::package::Package;
use crate::package::inspect::Date;
use crate::place::{Problem, Weight};
use crate::reference::Borrowed;
use crate::remote::{Caller, Failure, Live, Remote, Snapshot, Storage, Stored, Version};
use crate::settings::{Architecture, Attachment, SettingName, Settings};

/// All changes to one function or layer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// The kind of thing that it changes.
    pub subject: Subject,
    /// The bare name of the function or layer.
    pub name: String,
    /// The Region.
    pub region: String,
    /// The half of the function that it changes; absent for both.
    pub only: Option<Half>,
    /// Errors and warnings. After an error, no step is done.
    pub problems: Vec<Problem>,
    /// The steps, in order; empty when nothing has to change.
    pub steps: Vec<Step>,
    /// The published version that already has this code and these settings; absent if no version has them.
    pub published: Option<String>,
    /// The values that come from elsewhere. Reports show their references.
    pub borrowed: Vec<Borrowed>,
    /// Notes for the reader, mainly about live things that stay because the configuration does not name them.
    pub notes: Vec<String>,
}

/// The kind of thing that a plan changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A function.
    Function,
    /// A layer.
    Layer,
}

impl Subject {
    /// The word for it in messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Layer => "layer",
        }
    }
}

/// Plans one deployment. `today` decides which runtimes have reached their end date.
///
/// Without the S3 object or the role in the snapshot, the plan is a draft: it assumes that they do not exist. Look up
/// what [`Plan::object`] and [`Plan::role`] name, put it into the snapshot, and plan again.
pub(crate) fn plan(deployment: &Deployment, package: &Package, snapshot: &Snapshot, today: Date) -> Plan {
    let Snapshot { function: remote, caller, layers, stored, role } = snapshot;
    let mut plan = Plan::new(Subject::Function, &deployment.function.name, caller);
    plan.narrow(deployment);
    plan.borrow(deployment);
    plan.guard(deployment, package, remote, caller);
    let mut wanted = wanted::settings(deployment, package.archive(), remote.live(), caller, &mut plan);
    wanted.layers = wanted.layers.map(|named| plan.known_layers(named, layers));
    match remote {
        Remote::Absent => plan.create(deployment, package, wanted, caller, today),
        Remote::Present(live) => plan.update(deployment, package, live, &wanted, today),
    }
    if let Some(stored) = stored {
        plan.reuse_object(stored);
    }
    if let Some(role) = role {
        plan.reuse_role(role);
    }
    plan
}

impl Plan {
    /// An empty plan.
    fn new(subject: Subject, name: &str, caller: &Caller) -> Self {
        Self {
            subject,
            name: name.to_owned(),
            region: caller.region.clone(),
            only: None,
            problems: Vec::new(),
            steps: Vec::new(),
            published: None,
            borrowed: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whether the plan has any step.
    pub(crate) fn changes(&self) -> bool {
        !self.steps.is_empty()
    }

    /// The views of all steps.
    pub(crate) fn views(&self) -> impl Iterator<Item = View<'_>> {
        self.steps.iter().map(|step| step.view().with_references(&self.borrowed))
    }

    /// Takes over the values from elsewhere, and notes those that were not read.
    fn borrow(&mut self, deployment: &Deployment) {
        self.borrowed.clone_from(&deployment.borrowed);
        for Borrowed { option, key, reference, .. } in deployment.unread() {
            let what = key.as_ref().map_or_else(|| (*option).to_owned(), |key| format!("{option} {key}"));
            self.notes.push(format!("not read in the build of a pull request: {what} {reference}"));
        }
    }

    /// Adds an error about an item in the list of an option.
    fn refuse_item(&mut self, option: &str, item: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(message).of(option).about(item).help(help));
    }

    /// Adds an error about an option.
    fn refuse(&mut self, option: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(message).of(option).help(help));
    }

    /// Whether an error stops it.
    pub(crate) fn is_refused(&self) -> bool {
        self.problems.iter().any(Problem::stops)
    }

    /// Checks that come before all others: account, package type, Region of the image, revision.
    fn guard(&mut self, deployment: &Deployment, package: &Package, remote: &Remote, caller: &Caller) {
        self.guard_account(&deployment.target, caller);
        let source = &deployment.code.source;
        if let (Remote::Present(live), Some(package_type)) = (remote, package.package_type())
            && live.package_type != package_type
        {
            let message = format!(
                "`{}` has the package type {}, which AWS never changes; this deployment has the type {package_type}",
                self.name, live.package_type,
            );
            self.refuse(source.option(), message, "deploy under another function name");
        }
        if let Package::Image(image) = package
            && image.uri.region != caller.region
        {
            let message = format!("the image is in {}, the function in {}", image.uri.region, caller.region);
            let help = "push the image to the function's Region, or let ECR replicate it there: Lambda reads from no other Region";
            self.refuse(source.option(), message, help);
        }
        if let Package::Live(Some(expected)) = package
            && remote.live().is_none_or(|live| live.code_sha256 != *expected)
        {
            let message = format!("another program changed the code of `{}` in the meantime", self.name);
            let problem = Problem::new(message).weighing(Weight::Conflict).of(source.option());
            self.problems.push(problem.help("run again"));
        }
        let live_revision = match remote {
            Remote::Absent => None,
            Remote::Present(live) => Some(live.revision_id.as_str()),
        };
        if let Some(wanted) = deployment.release.revision_id.as_deref()
            && live_revision != Some(wanted)
        {
            let found =
                live_revision.map_or_else(|| "the function does not exist".to_owned(), |id| format!("it is at {id}"));
            let message = format!("`{}` is not at revision {wanted}: {found}", self.name);
            let help = "the function has changed since then; look at the change and run again with the new revision";
            self.problems.push(Problem::new(message).weighing(Weight::Conflict).of("revision_id").help(help));
        }
    }

    fn create(
        &mut self,
        deployment: &Deployment,
        package: &Package,
        mut wanted: Settings,
        caller: &Caller,
        today: Date,
    ) {
        if let Some(Only { half, .. }) = deployment.only {
            return self.refuse_half(half);
        }
        let has_no_role = wanted.role.is_none() && !deployment.is_unread("role");
        let made = deployment.missing_role == MissingRole::Create && has_no_role;
        let role = if made { Origin::Made } else { Origin::Named };
        if let Some(role) = made.then(|| role::wanted(deployment, caller)).flatten() {
            wanted.role = Some(role.as_setting());
            self.steps.push(Step::CreateRole(role));
        }
        self.inspect(deployment, package.archive(), &wanted, None, today);
        self.check_rules(deployment, package, &wanted, None);
        let of_image = package.archive().is_none();
        for (option, missing) in [
            ("role", wanted.role.is_none()),
            ("runtime", wanted.runtime.is_none() && !of_image),
            ("handler", wanted.handler.is_none() && !of_image),
        ] {
            let may_have_it =
                deployment.unread().any(|unread| unread.option.starts_with(option) || unread.option == "module_name");
            if missing && !may_have_it {
                let message = format!("`{}` does not exist yet, and to create it AWS needs a {option}", self.name);
                let instead = if option == "role" { ", let `create_role` make one" } else { "" };
                let help = format!("set `{option}`{instead}, or correct `function_name`, `region` or the account");
                self.refuse(option, message, help);
            }
        }
        let tags = deployment.tags.as_ref().map(|tags| tags.entries.clone()).unwrap_or_default();
        let Some(code) = code::code_change(deployment, package, None) else { return };
        self.upload(&code);
        let differences = wanted.differences(&Settings::default());
        let code_signing_config_arn = attachments::code_signing(deployment);
        let differences = differences.into_iter().chain(attachments::code_signing_difference(deployment)).collect();
        let settings = Box::new(wanted);
        self.steps.push(Step::CreateFunction { role, differences, settings, tags, code, code_signing_config_arn });
        self.publish(deployment, package, None);
        self.release(deployment, None);
    }

    fn update(&mut self, deployment: &Deployment, package: &Package, live: &Live, wanted: &Settings, today: Date) {
        if let Some(failure @ Failure::Creation(_)) = &live.failure {
            let message = format!("{failure}; AWS updates no function whose creation failed");
            self.refuse(
                "function_name",
                message,
                "mend the cause, delete the function with `dpl-lambda delete`, and deploy again",
            );
        }
        let effective = wanted.or(&live.settings);
        self.inspect(deployment, package.archive(), &effective, Some(live), today);
        self.check_rules(deployment, package, &effective, Some(live));
        self.sign(deployment, live);
        let differences = wanted.differences(&live.settings);
        if !differences.is_empty() {
            let settings = Box::new(wanted::completed(wanted, &live.settings));
            self.steps.push(Step::UpdateConfiguration { settings, differences });
        }
        self.tags(deployment, live);
        let code = code::code_change(deployment, package, Some(live));
        let architecture = code.as_ref().map_or(live.architecture, |code| code.architecture);
        let differs = code.as_ref().is_some_and(|code| code.differs(live));
        // Only a new update can show whether the cause of a failed one is gone.
        let failure = live.failure.as_ref().filter(|_| self.steps.is_empty() && !differs);
        match (code, failure) {
            (Some(code), Some(failure)) => {
                self.notes.push(format!("nothing differs, but {failure}; so the code is sent again"));
                self.replace_code(deployment, code, live);
            }
            (None, Some(failure)) => {
                self.notes.push(format!("nothing differs, but {failure}; so the description is sent again"));
                self.resend(&effective);
            }
            (Some(code), None) if differs => self.replace_code(deployment, code, live),
            (_, None) => {}
        }
        let newest = live.newest_version.as_ref();
        let to = if differs || package.archive().is_some() { package.code() } else { Some(&*live.code_sha256) };
        let is_same = |version: &Version| is_published(version, &effective, to, architecture);
        self.published = newest.filter(|newest| is_same(newest)).map(|version| version.number.clone());
        self.hold(deployment, live, is_same);
        if deployment.release.publish == Publish::Always
            && let Some(number) = self.published.take()
            && !self.steps.iter().any(Step::changes_version)
        {
            self.notes.push(format!(
                "version {number} has this code and these settings already; so the description is sent again as it is: \
                 AWS then publishes another version"
            ));
            self.resend(&effective);
        }
        if self.published.is_none() {
            self.publish(deployment, package, Some(live));
            if deployment.release.publish != Publish::No {
                self.note_drift(newest, wanted, &effective);
            }
        }
        self.release(deployment, Some(live));
        self.check_shift(deployment, &effective, live);
        self.prune(deployment, live, today);
    }

    /// Notes which settings of the function another program has changed since the newest version was published.
    fn note_drift(&mut self, newest: Option<&Version>, wanted: &Settings, effective: &Settings) {
        let Some(newest) = newest else { return };
        let ours = wanted.differing(&newest.settings);
        let differing = effective.differing(&newest.settings).into_iter();
        let foreign = differing.filter(|name| *name != SettingName::Description && !ours.contains(name));
        let names: Vec<_> = foreign.map(SettingName::name).collect();
        if !names.is_empty() {
            self.notes.push(format!(
                "version {} has other values of {}, which were changed elsewhere; the new version gets those of the function",
                newest.number,
                names.join(", ")
            ));
        }
    }

    fn replace_code(&mut self, deployment: &Deployment, code: CodeChange, live: &Live) {
        if live.storage == Storage::Reference && code.storage == Storage::Copy {
            let note = "Lambda reads the live package from S3, and will keep a copy of the new one";
            self.notes.push(format!("{note}: set `s3_bucket` to go on as before"));
        }
        self.notes.extend(code::only_packed_anew(&deployment.code, &code));
        self.upload(&code);
        self.steps.push(Step::UpdateCode(code));
    }

    /// Puts the upload first: if it fails, nothing else has changed.
    fn upload(&mut self, code: &CodeChange) {
        if let Through::Upload(object) = &code.through {
            self.steps.insert(0, Step::UploadPackage(object.clone()));
        }
    }

    /// The code that replaces the function's live code; `None` if the code stays.
    pub(crate) fn replacement(&self) -> Option<&CodeChange> {
        self.steps.iter().find_map(|step| match step {
            Step::UpdateCode(code) => Some(code),
            _ => None,
        })
    }

    /// The first removal of an attachment of this kind; `None` if nothing is removed.
    pub(crate) fn removed(&self, attachment: Attachment) -> Option<&AttachmentChange> {
        self.steps.iter().find_map(|step| match step {
            Step::Attach(change) if change.attachment == attachment && change.action == Action::Remove => Some(change),
            _ => None,
        })
    }

    /// The S3 object that the plan uploads; `None` if it uploads nothing.
    pub(crate) fn object(&self) -> Option<&Object> {
        self.steps.iter().find_map(|step| match step {
            Step::UploadPackage(object) => Some(object),
            _ => None,
        })
    }

    /// Drops the upload when the bucket already has the object under its hash.
    fn reuse_object(&mut self, stored: &Stored) {
        let Some(object) = self.object().cloned() else { return };
        match stored {
            Stored::Object { size, code_sha256: Some(hash), version_id }
                if object.by_hash && *size == object.size && *hash == object.code_sha256 =>
            {
                self.steps.retain(|step| !matches!(step, Step::UploadPackage(_)));
                for step in &mut self.steps {
                    let code = match step {
                        Step::CreateFunction { code, .. } | Step::UpdateCode(code) => code,
                        Step::PublishLayer(change) => &mut change.code,
                        _ => continue,
                    };
                    code.through = Through::Found { object: object.clone(), version_id: version_id.clone() };
                }
            }
            Stored::Object { .. } | Stored::Nothing => {}
            Stored::NoBucket => {
                let message = format!("there is no bucket `{}`", object.bucket);
                self.refuse("s3_bucket", message, "create the bucket, or name another; dpl-lambda creates none");
            }
            Stored::InRegion(region) => {
                let message = format!(
                    "the bucket `{}` is in {region}, the {} in {}",
                    object.bucket,
                    self.subject.word(),
                    self.region
                );
                self.refuse(
                    "s3_bucket",
                    message,
                    "name a bucket in the function's Region: Lambda reads from no other Region",
                );
            }
        }
    }

    /// Sends the description again as it is. AWS counts every update as a change.
    fn resend(&mut self, settings: &Settings) {
        self.steps.push(Step::Resend(Box::new(settings.only(&[SettingName::Description]))));
    }

    fn publish(&mut self, deployment: &Deployment, package: &Package, live: Option<&Live>) {
        let code_sha256 = match package {
            Package::Archive(artifact) => Some(artifact.code_sha256.clone()),
            Package::Live(_) => live.filter(|live| live.image.is_none()).map(|live| live.code_sha256.clone()),
            Package::Image(_) => None,
        };
        let newest = live.and_then(|live| live.newest_version.as_ref());
        let after = match deployment.release.publish {
            Publish::No => return,
            Publish::Version => None,
            Publish::Always => newest.and_then(|newest| newest.number.parse().ok()),
        };
        let description = deployment.release.version_description.clone();
        self.steps.push(Step::PublishVersion { description, code_sha256, after });
    }
}

/// Whether the version has this code and all settings that the function is going to have, named or not. The description
/// does not count: each version has its own.
///
/// For an image, AWS reports the digest without `sha256:` as the hash of the code.
fn is_published(version: &Version, all: &Settings, code: Option<&str>, architecture: Option<Architecture>) -> bool {
    let differing = all.differing(&version.settings);
    code.is_some_and(|code| version.code_sha256 == code.strip_prefix("sha256:").unwrap_or(code))
        && (architecture.is_none() || version.architecture == architecture)
        && differing.iter().all(|name| *name == SettingName::Description)
}

#[cfg(test)]
mod tests;
