//! What has to be done, as data: a function of what is wanted, the package, and what is live.
//!
//! Cannot fail, wait, print or ask the time. What must not be done is a problem that names its option.

mod attachments;
mod layers;
mod preflight;
mod release;
mod role;
mod rollback;
mod rules;
mod step;
mod view;
mod wanted;

use std::collections::BTreeMap;

pub use layers::{check_layer, plan_layer};
pub use preflight::check;
pub use role::{policies as role_policies, role_name};
pub use rollback::Rollback;
pub use step::{
    Action, AliasChange, AttachmentChange, CodeChange, LayerChange, Object, Origin, RoleChange, Step, TagChange,
    Through, VersionRef,
};
pub use view::{Line, Sent, View, Whose};

use crate::deployment::{Code, CodeSource, Deployment, FirstRole, ObjectKey, Others, Publish, Upload};
use crate::package::inspect::Date;
use crate::package::{Artifact, DIRECT_LIMIT, Image, Package};
use crate::place::{Problem, Weight};
use crate::remote::{Caller, Live, Remote, Snapshot, Stored, Version};
use crate::settings::{Architecture, Attachment, SettingName, Settings};

/// Everything that is going to be done about one function or layer, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it is about.
    pub subject: Subject,
    /// The bare name of the function or layer.
    pub function: String,
    /// Where it is.
    pub region: String,
    /// What is wrong or doubtful about it; when any of it stops the run, nothing is done.
    pub problems: Vec<Problem>,
    /// The steps; none when everything is as it should be.
    pub steps: Vec<Step>,
    /// The version that is this code and these settings already; absent where none is, or none is asked for.
    pub published: Option<String>,
    /// What people should know besides: above all what is live and not named, so it stays.
    pub notes: Vec<String>,
}

/// What a plan is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A function.
    Function,
    /// A layer.
    Layer,
}

impl Subject {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Layer => "layer",
        }
    }
}

/// Plans one deployment. The day is for what ends on a date.
///
/// Where the snapshot does not say whether the object or the role is there, the plan takes it that they are not: it is a
/// draft, and [`Plan::object`] and [`Plan::role`] say what has to be looked at.
pub fn plan(deployment: &Deployment, package: &Package, snapshot: &Snapshot, today: Date) -> Plan {
    let Snapshot { function: remote, caller, layers, stored, role } = snapshot;
    let mut plan = Plan::new(Subject::Function, &deployment.function.name, caller);
    plan.guard(deployment, remote, caller);
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

/// Why a package cannot be sent; nothing where it can.
fn too_large(code: &Code, artifact: &Artifact) -> Option<Problem> {
    let size = artifact.archive.size();
    (size > DIRECT_LIMIT && object_of(code, artifact) == Through::Call).then(|| {
        let message = format!("the package has {size} bytes, AWS takes at most {DIRECT_LIMIT} in a call");
        let help = "set `s3_bucket` to send it through S3, or leave files out with `exclude`";
        Problem::new(message).of("zip").help(help)
    })
}

impl Plan {
    /// A plan without anything in it yet.
    fn new(subject: Subject, name: &str, caller: &Caller) -> Self {
        Self {
            subject,
            function: name.to_owned(),
            region: caller.region.clone(),
            problems: Vec::new(),
            steps: Vec::new(),
            published: None,
            notes: Vec::new(),
        }
    }

    /// Whether anything is going to change.
    pub fn changes(&self) -> bool {
        !self.steps.is_empty()
    }

    /// Notes what must not be done about an item of an option's list.
    fn refuse_item(&mut self, option: &str, item: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(message).of(option).about(item).help(help));
    }

    fn refuse(&mut self, option: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(message).of(option).help(help));
    }

    /// Whether something stands in its way.
    pub fn is_refused(&self) -> bool {
        self.problems.iter().any(Problem::stops)
    }

    /// What is asked about before anything else.
    fn guard(&mut self, deployment: &Deployment, remote: &Remote, caller: &Caller) {
        self.guard_account(&deployment.target, caller);
        let source = &deployment.code.source;
        if let Remote::Present(live) = remote
            && live.package_type != source.package_type()
        {
            let message = format!(
                "`{}` has the package type {}, which AWS never changes; this deploys the type {}",
                self.function,
                live.package_type,
                source.package_type()
            );
            self.refuse(source.option(), message, "deploy under another function name");
        }
        if let CodeSource::Image(uri) = source
            && uri.region != caller.region
        {
            let message = format!("the image is in {}, the function in {}", uri.region, caller.region);
            let help = "push the image to the function's Region, or let ECR replicate it: Lambda takes from no other";
            self.refuse("image_uri", message, help);
        }
        let live_revision = match remote {
            Remote::Absent => None,
            Remote::Present(live) => Some(live.revision_id.as_str()),
        };
        if let Some(wanted) = deployment.release.revision_id.as_deref()
            && live_revision != Some(wanted)
        {
            let found =
                live_revision.map_or_else(|| "there is no such function".to_owned(), |id| format!("it is at {id}"));
            let message = format!("`{}` is not at revision {wanted}: {found}", self.function);
            let help = "somebody changed the function; look at the change and run with its new revision";
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
        let made = deployment.first_role == FirstRole::Made && wanted.role.is_none();
        let role = if made { Origin::Made } else { Origin::Named };
        if let Some(role) = made.then(|| role::wanted(deployment, caller)).flatten() {
            wanted.role = Some(role.as_setting());
            self.steps.push(Step::CreateRole(role));
        }
        self.inspect(deployment, package.archive(), &wanted, None, today);
        self.ask_rules(deployment, &wanted, None);
        let of_image = package.archive().is_none();
        for (option, missing) in [
            ("role", wanted.role.is_none()),
            ("runtime", wanted.runtime.is_none() && !of_image),
            ("handler", wanted.handler.is_none() && !of_image),
        ] {
            if missing {
                let message = format!("`{}` does not exist yet, and to create it AWS needs a {option}", self.function);
                let instead = if option == "role" { ", let `create_role` make one" } else { "" };
                let help = format!("set `{option}`{instead}, or correct `function_name`, `region` or the account");
                self.refuse(option, message, help);
            }
        }
        let tags = deployment.tags.as_ref().map(|tags| tags.entries.clone()).unwrap_or_default();
        let code = code_change(deployment, package, None);
        self.upload(&code);
        let differences = wanted.differences(&Settings::default());
        let code_signing_config_arn = attachments::code_signing(deployment);
        let differences = differences.into_iter().chain(attachments::code_signing_difference(deployment)).collect();
        let settings = Box::new(wanted);
        self.steps.push(Step::CreateFunction { role, differences, settings, tags, code, code_signing_config_arn });
        self.publish(deployment, package);
        self.point_alias(deployment, None);
        self.attach(deployment, None);
    }

    fn update(&mut self, deployment: &Deployment, package: &Package, live: &Live, wanted: &Settings, today: Date) {
        let effective = wanted.or(&live.settings);
        self.inspect(deployment, package.archive(), &effective, live.architecture, today);
        self.ask_rules(deployment, &effective, Some(live));
        self.sign(deployment, live);
        let differences = wanted.differences(&live.settings);
        if !differences.is_empty() {
            let settings = Box::new(wanted::completed(wanted, &live.settings));
            self.steps.push(Step::UpdateConfiguration { settings, differences });
        }
        self.tags(deployment, live);
        let code = code_change(deployment, package, Some(live));
        let architecture = code.architecture;
        let differs = code.to != code.from
            || architecture != live.architecture
            || code.source_kms_key_arn != live.source_kms_key_arn;
        if differs {
            self.replace_code(code);
        } else if let (Some(failure), true) = (&live.failure, self.steps.is_empty()) {
            // Nothing differs, but nothing works either: only a new attempt can tell whether it does now.
            self.notes.push(format!("nothing differs, but {failure}; so the code is sent again"));
            self.replace_code(code);
        }
        let newest = live.newest_version.as_ref();
        self.published = newest
            .filter(|version| {
                let code =
                    if differs || package.archive().is_some() { package.code() } else { Some(&*live.code_sha256) };
                is_published(version, wanted, code, architecture)
            })
            .map(|version| version.number.clone());
        if self.published.is_none() {
            self.publish(deployment, package);
        }
        self.point_alias(deployment, live.alias.as_ref());
        self.attach(deployment, Some(live));
        self.prune(deployment, live);
    }

    fn replace_code(&mut self, code: CodeChange) {
        self.upload(&code);
        self.steps.push(Step::UpdateCode(code));
    }

    /// Comes first of all: what cannot be stored must not leave anything half done.
    fn upload(&mut self, code: &CodeChange) {
        if let Through::Upload(object) = &code.through {
            self.steps.insert(0, Step::UploadPackage(object.clone()));
        }
    }

    /// The code that is going to replace that of a function, if any is.
    pub fn replacement(&self) -> Option<&CodeChange> {
        self.steps.iter().find_map(|step| match step {
            Step::UpdateCode(code) => Some(code),
            _ => None,
        })
    }

    /// What is going to be removed of a kind, if anything is.
    pub fn removed(&self, attachment: Attachment) -> Option<&AttachmentChange> {
        self.steps.iter().find_map(|step| match step {
            Step::Attach(change) if change.attachment == attachment && change.action == Action::Remove => Some(change),
            _ => None,
        })
    }

    /// The object that is going to be uploaded, if any is.
    pub fn object(&self) -> Option<&Object> {
        self.steps.iter().find_map(|step| match step {
            Step::UploadPackage(object) => Some(object),
            _ => None,
        })
    }

    /// An object that is in the bucket under its hash is not sent again.
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
                self.refuse("s3_bucket", message, "create the bucket, or name another; none is created unasked");
            }
            Stored::InRegion(region) => {
                let message = format!(
                    "the bucket `{}` is in {region}, the {} in {}",
                    object.bucket,
                    self.subject.word(),
                    self.region
                );
                self.refuse("s3_bucket", message, "name a bucket in the function's Region: Lambda takes from no other");
            }
        }
    }

    fn publish(&mut self, deployment: &Deployment, package: &Package) {
        if deployment.release.publish == Publish::Version {
            self.steps.push(Step::PublishVersion {
                description: deployment.release.version_description.clone(),
                code_sha256: package.archive().map(|artifact| artifact.code_sha256.clone()),
            });
        }
    }

    fn tags(&mut self, deployment: &Deployment, live: &Live) {
        let Some(wanted) = &deployment.tags else { return };
        let Some(known) = &live.tags else {
            if wanted.others == Some(Others::Replace) {
                let help = "allow `lambda:ListTags`, or leave `function_tags_mode` out";
                self.refuse(
                    "function_tags_mode",
                    "the function's tags could not be read, so which to remove is unknown",
                    help,
                );
            }
            // Setting a tag that is there already changes nothing, so all are set.
            self.push_tags(wanted.entries.clone(), Vec::new(), &BTreeMap::new());
            return;
        };
        let set = wanted.entries.iter().filter(|(key, value)| known.get(*key) != Some(*value));
        let set: BTreeMap<_, _> = set.map(|(key, value)| (key.clone(), value.clone())).collect();
        let others = known.keys().filter(|key| !wanted.entries.contains_key(*key) && !key.starts_with("aws:"));
        let others: Vec<_> = others.cloned().collect();
        let remove = if wanted.others == Some(Others::Replace) {
            others
        } else {
            if !others.is_empty() {
                self.notes.push(format!("left alone: tags that are not named: {}", others.join(", ")));
            }
            Vec::new()
        };
        self.push_tags(set, remove, known);
    }

    fn push_tags(&mut self, set: BTreeMap<String, String>, remove: Vec<String>, known: &BTreeMap<String, String>) {
        if set.is_empty() && remove.is_empty() {
            return;
        }
        let before = set.keys().chain(&remove).filter_map(|key| Some((key.clone(), known.get(key)?.clone()))).collect();
        self.steps.push(Step::UpdateTags(TagChange { set, remove, before }));
    }
}

/// Whether the newest version is this code and these settings already. Its description is its own.
///
/// AWS has the digits of an image's digest as the hash of its code.
fn is_published(version: &Version, wanted: &Settings, code: Option<&str>, architecture: Option<Architecture>) -> bool {
    let differing = wanted.differing(&version.settings);
    code.is_some_and(|code| version.code_sha256 == code.strip_prefix("sha256:").unwrap_or(code))
        && (architecture.is_none() || version.architecture == architecture)
        && differing.iter().all(|name| *name == SettingName::Description)
}

/// The code as it is sent, in which way, and what is live before it.
fn code_change(deployment: &Deployment, package: &Package, live: Option<&Live>) -> CodeChange {
    match package {
        Package::Archive(artifact) => archive_change(deployment, artifact, live),
        Package::Image(image) => image_change(deployment, image, live),
    }
}

fn image_change(deployment: &Deployment, image: &Image, live: Option<&Live>) -> CodeChange {
    let from_architecture = live.and_then(|live| live.architecture);
    CodeChange {
        from: live.map(|live| live.code().to_owned()),
        to: image.digest.clone(),
        size: 0,
        files: 0,
        left_out: 0,
        architecture: deployment.code.architecture.or(from_architecture),
        from_architecture,
        source_kms_key_arn: None,
        through: Through::Image(image.clone()),
    }
}

fn archive_change(deployment: &Deployment, artifact: &Artifact, live: Option<&Live>) -> CodeChange {
    let from_architecture = live.and_then(|live| live.architecture);
    let key = deployment.code.source_kms_key_arn.clone();
    CodeChange {
        from: live.map(|live| live.code().to_owned()),
        to: Some(artifact.code_sha256.clone()),
        size: artifact.archive.size(),
        files: artifact.entries.len(),
        left_out: artifact.left_out,
        architecture: deployment.code.architecture.or_else(|| artifact.survey.architecture(from_architecture)),
        from_architecture,
        // A package without a key of its own would lose the one that the live package has.
        source_kms_key_arn: key.or_else(|| live.and_then(|live| live.source_kms_key_arn.clone())),
        through: object_of(&deployment.code, artifact),
    }
}

/// How AWS gets a package.
fn object_of(code: &Code, artifact: &Artifact) -> Through {
    let (size, code_sha256) = (artifact.archive.size(), artifact.code_sha256.clone());
    match (code.source.clone(), code.upload.clone()) {
        (CodeSource::Object { bucket, key, expected_owner, .. }, _) => {
            let object = Object { bucket, key, size, code_sha256, by_hash: false, expected_owner, kms_key_arn: None };
            Through::Found { object, version_id: artifact.version_id.clone() }
        }
        (CodeSource::Path(_) | CodeSource::Image(_), Some(Upload { bucket, key, expected_owner, kms_key_arn })) => {
            let (key, by_hash) = match key {
                ObjectKey::ByHash(prefix) => (format!("{prefix}{}.zip", artifact.hex_sha256()), true),
                ObjectKey::Given(key) => (key, false),
            };
            Through::Upload(Object { bucket, key, size, code_sha256, by_hash, expected_owner, kms_key_arn })
        }
        (CodeSource::Path(_) | CodeSource::Image(_), None) => Through::Call,
    }
}

#[cfg(test)]
mod tests;
