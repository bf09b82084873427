//! The steps of a plan. Each step holds the data to send and every change with its old and new value.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::action::Action;
use super::code::{CodeChange, Object, Through};
use super::view::{Line, Sent, View, Whose};
use crate::release::{OnFailure, Schedule, SmokeTest, When};
use crate::remote::Alias;
use crate::settings::{AliasName, Aspect, Attachment, Difference, End, Setting, Settings, Structure};

/// The subject of the step that points an alias.
pub(crate) const ALIAS: &str = "alias";

/// One change. The next step starts only when the function has settled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Put the package into a bucket.
    UploadPackage(Object),
    /// Create an execution role, or attach missing policies to it.
    CreateRole(RoleChange),
    /// Create the function, unpublished.
    CreateFunction {
        /// Whether its role was named or created.
        role: Origin,
        /// What is sent.
        settings: Box<Settings>,
        /// The first tags.
        tags: BTreeMap<String, String>,
        /// The package.
        code: CodeChange,
        /// The code signing config; absent for none.
        code_signing_config_arn: Option<String>,
        /// The settings that are sent, as differences.
        differences: Vec<Difference>,
    },
    /// Change settings of `$LATEST`.
    UpdateConfiguration {
        /// The settings to send: those that differ, and those that AWS requires together with them.
        settings: Box<Settings>,
        /// Both ends of each change.
        differences: Vec<Difference>,
    },
    /// Send these settings again with the values that they have.
    Resend(Box<Settings>),
    /// Add, overwrite and remove tags.
    UpdateTags(TagChange),
    /// Replace the package of `$LATEST`, and its instruction set with it.
    UpdateCode(CodeChange),
    /// Publish a version of a layer, whose number AWS chooses.
    PublishLayer(Box<LayerChange>),
    /// Publish `$LATEST`, which has this package by then, as a version whose number AWS chooses.
    PublishVersion {
        /// The version's description; absent for none.
        description: Option<String>,
        /// The hash of the package that `$LATEST` must have; absent for an image, where the revision id is checked
        /// instead.
        code_sha256: Option<String>,
        /// The number that the version must exceed; absent if an existing version is good too.
        after: Option<u64>,
    },
    /// Test a version, or `$LATEST`.
    SmokeTest(Box<Trial>),
    /// Create an alias, or point it at another version.
    PointAlias(AliasChange),
    /// Create, change or remove an attachment.
    Attach(AttachmentChange),
    /// Delete the versions with these numbers.
    DeleteVersions(Vec<String>),
}

/// Where a role comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The user named it.
    Named,
    /// A deployment created it, perhaps moments ago, so that IAM may not know it everywhere yet.
    Made,
}

/// An execution role to create or to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleChange {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The function that uses it.
    pub function: String,
    /// `Create` for a new role, `Update` for an existing one.
    pub action: Action,
    /// ARNs of the policies to attach.
    pub policies: Vec<String>,
}

/// A change of an alias.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AliasChange {
    /// Its name.
    pub name: AliasName,
    /// The alias as it is now; absent if it is new.
    pub from: Option<Alias>,
    /// The version that gets all of its traffic.
    pub to: VersionRef,
    /// The id of the build that moves it; absent outside of a CI.
    pub build: Option<String>,
    /// The schedule by which it gets the traffic; absent: all at once.
    pub schedule: Option<Schedule>,
    /// What happens if the version fails.
    pub on_failure: OnFailure,
}

/// A version: an existing one, or the one that this plan publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VersionRef {
    /// The existing version with this number.
    Number(String),
    /// The version that an earlier step publishes.
    Published,
}

/// A smoke test, and what it tests.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trial {
    /// The test.
    pub test: SmokeTest,
    /// What is tested.
    pub on: Tested,
}

/// What a smoke test tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tested {
    /// `$LATEST`.
    Latest,
    /// A version that no alias of this deployment points at.
    Version(VersionRef),
    /// The version that is to get the traffic of an alias, before it does.
    Candidate(AliasName, VersionRef),
    /// The version that an alias points at, through the alias.
    Alias(AliasName, VersionRef),
}

impl Tested {
    /// The version; `None` for `$LATEST`.
    pub(crate) fn version(&self) -> Option<&VersionRef> {
        match self {
            Self::Latest => None,
            Self::Version(version) | Self::Candidate(_, version) | Self::Alias(_, version) => Some(version),
        }
    }
}

/// A change of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttachmentChange {
    /// The kind.
    pub attachment: Attachment,
    /// The key within the kind; empty for a kind that has at most one.
    pub key: String,
    /// The alias that it belongs to; absent for the function itself.
    pub alias: Option<AliasName>,
    /// The kind of change.
    pub action: Action,
    /// The members to send; for a removal, the members that it had.
    pub document: Structure,
    /// The id that AWS gave it; absent for a new attachment, or if the key is enough.
    pub handle: Option<String>,
    /// Both ends of each change.
    pub differences: Vec<Difference>,
}

impl AttachmentChange {
    /// The attachment as messages name it.
    pub(crate) fn shown(&self) -> String {
        let key = if self.key.is_empty() { String::new() } else { format!(" `{}`", self.key) };
        format!("{}{key}", self.attachment.name())
    }
}

/// A layer version to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LayerChange {
    /// The layer.
    pub name: String,
    /// The number of the newest version; absent if the layer has none.
    pub before: Option<i64>,
    /// Its contents.
    pub code: CodeChange,
    /// The description; absent for none.
    pub description: Option<String>,
    /// Compatible runtimes; empty for any.
    pub compatible_runtimes: BTreeSet<String>,
    /// Compatible architectures, by AWS' names; empty for any.
    pub compatible_architectures: BTreeSet<String>,
    /// The licence; empty for none.
    pub license_info: String,
    /// Every change except that of the contents.
    pub differences: Vec<Difference>,
}

/// A change of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TagChange {
    /// Tags to add or overwrite.
    pub set: BTreeMap<String, String>,
    /// Keys to remove.
    pub remove: Vec<String>,
    /// The current values of tags that are overwritten or removed.
    pub before: BTreeMap<String, String>,
}

impl Step {
    /// Whether AWS counts it as a change of what a version holds.
    pub(super) fn changes_version(&self) -> bool {
        matches!(self, Self::UpdateConfiguration { .. } | Self::Resend(_) | Self::UpdateCode(_))
    }

    /// Whether the step shows if the new version is good.
    pub(crate) fn proves(&self) -> bool {
        matches!(self, Self::SmokeTest(_) | Self::PointAlias(AliasChange { schedule: Some(_), .. }))
    }

    /// Whether callers may notice the step.
    pub(super) fn reaches_callers(&self) -> bool {
        match self {
            Self::PointAlias(_) => true,
            Self::Attach(change) => change.attachment != Attachment::CodeSigning,
            Self::SmokeTest(trial) => trial.test.when == When::AfterTraffic,
            _ => false,
        }
    }

    /// How reports show the step. Reports use this and never match on steps.
    pub(crate) fn view(&self) -> View<'_> {
        match self {
            Self::UploadPackage(object) => uploaded(object),
            Self::CreateRole(change) => role(change),
            Self::CreateFunction { differences, tags, code, .. } => created(differences, tags, code),
            Self::UpdateConfiguration { differences, .. } => {
                let (line, changes) = (Line::default(), differences.clone());
                View::of(Action::Update, "configuration", "update the configuration", line, changes)
            }
            Self::Resend(_) => {
                let line = Line::of("description sent again as it is");
                let view = View::of(Action::Update, "configuration", "send the description again", line, Vec::new());
                view.known_as("resend_configuration").begins("Sending the description again")
            }
            Self::UpdateTags(change) => tagged(change),
            Self::UpdateCode(code) => replaced(code),
            Self::PublishLayer(change) => published_layer(change),
            Self::PublishVersion { description, .. } => published(description.as_deref()),
            Self::SmokeTest(trial) => tried(trial),
            Self::PointAlias(change) => pointed(change),
            Self::Attach(change) => attached(change),
            Self::DeleteVersions(versions) => deleted(versions),
        }
    }
}

fn uploaded(object: &Object) -> View<'_> {
    let url = object.url();
    let line = Line { shown: 1, sent: Some(Sent::Object(object)), ..Line::of(format!("sent to {url}")) };
    let begins = format!("Uploading the package to {url}");
    let changes = vec![Difference::whole(Aspect::Object, None, Some(url.into()))];
    let view = View::of(Action::Create, "package", "upload the package", line, changes);
    view.known_as("upload_package").begins(begins).belonging_to(Whose::Other)
}

fn role(change: &RoleChange) -> View<'_> {
    let RoleChange { name, arn, action, policies, .. } = change;
    let whole = |about, arn: &String| Difference::whole(about, None, Some(arn.as_str().into()));
    let policies = policies.iter().map(|policy| whole(Aspect::Policy, policy));
    let made = (*action == Action::Create).then(|| whole(Aspect::Role, arn));
    let (title, words) = match action {
        Action::Create => ("create the role", format!("{name} created")),
        Action::Update | Action::Remove => ("attach policies to the role", format!("{name} gets missing policies")),
    };
    let line = Line { shown: usize::from(made.is_some()), ..Line::of(words) };
    let view = View::of(*action, "role", title, line, made.into_iter().chain(policies).collect());
    let view = view.known_as("create_role").belonging_to(Whose::Other);
    view.begins(format!("{} the role {name}", action.doing()))
}

fn tagged(change: &TagChange) -> View<'_> {
    let TagChange { set, remove, before } = change;
    let ends = |key: &String, to: Option<Value>| {
        let from = before.get(key).map(|value| value.as_str().into());
        Difference::whole(Aspect::Tag, from, to).of_key(key)
    };
    let set = set.iter().map(|(key, value)| ends(key, Some(value.as_str().into())));
    let changes = set.chain(remove.iter().map(|key| ends(key, None))).collect();
    let line = Line { shows_setting: true, ..Line::default() };
    View::of(Action::Update, "tags", "update the tags", line, changes).begins("Updating tags")
}

fn replaced(code: &CodeChange) -> View<'_> {
    let (from, to) = (code.from_architecture, code.architecture);
    let architecture = (from != to).then(|| Difference::whole(Aspect::Architecture, data(from), data(to)));
    let line = Line { shown: 1, ends: true, sent: Some(Sent::Replacement(code)), ..Line::default() };
    let changes = std::iter::once(code_ends(code)).chain(architecture).collect();
    View::of(Action::Update, "code", "update the code", line, changes).begins("Updating code")
}

fn published(description: Option<&str>) -> View<'_> {
    let version = Difference::between(Aspect::Version, None, Some(End::NewVersion));
    let description = description.map(|text| Difference::whole(Aspect::VersionDescription, None, Some(text.into())));
    let changes: Vec<_> = std::iter::once(version).chain(description).collect();
    let line = Line { shown: changes.len(), ..Line::of("published from this code and these settings") };
    let view = View::of(Action::Create, "version", "publish a version", line, changes);
    view.known_as("publish_version").begins("Publishing a version")
}

fn tried(trial: &Trial) -> View<'_> {
    let Trial { test, on } = trial;
    let version = match on.version() {
        None => "$LATEST".to_owned(),
        Some(VersionRef::Number(number)) => format!("version {number}"),
        Some(VersionRef::Published) => "the new version".to_owned(),
    };
    let target = match on {
        Tested::Alias(alias, _) => format!("{version} through {}", alias.0),
        Tested::Latest | Tested::Version(_) | Tested::Candidate(..) => version,
    };
    let number = test.number.to_string();
    let words = test.words();
    let line = Line { shown: 1, ..Line::of(format!("{number} of {target}: {words}")) };
    let change = Difference::whole(Aspect::SmokeTest, None, Some(words.into())).of_key(&number);
    let view = View::of(Action::Create, "smoke test", &format!("smoke test {number} of {target}"), line, vec![change]);
    view.known_as("smoke_test").begins(format!("Testing {target}, smoke test {number}"))
}

fn deleted(numbers: &[String]) -> View<'_> {
    let gone = |number: &String| Difference::between(Aspect::Version, Some(End::version(number)), None);
    let line = Line { shown: numbers.len(), ..Line::of(numbers.join(", ")) };
    let changes = numbers.iter().map(gone).collect();
    let view = View::of(Action::Remove, "old versions", "delete old versions", line, changes);
    view.known_as("delete_versions").begins(format!("Deleting versions {}", numbers.join(", ")))
}

fn created<'a>(differences: &[Difference], tags: &BTreeMap<String, String>, code: &'a CodeChange) -> View<'a> {
    let tags =
        tags.iter().map(|(key, value)| Difference::whole(Aspect::Tag, None, Some(value.as_str().into())).of_key(key));
    let architecture = code.architecture.map(|to| Difference::whole(Aspect::Architecture, None, Some(to.data())));
    // The line shows a package completely; an image also has an address, which is listed below.
    let shown = usize::from(!matches!(code.through, Through::Image(_)));
    let (before, after) = (code_ends(code), architecture.into_iter().chain(tags));
    let changes: Vec<_> = if shown == 1 {
        std::iter::once(before).chain(differences.iter().cloned()).chain(after).collect()
    } else {
        differences.iter().cloned().chain([before]).chain(after).collect()
    };
    let line = Line { shown, sent: Some(Sent::New(code)), ..Line::of("created") };
    View::of(Action::Create, "function", "create the function", line, changes).belonging_to(Whose::NewFunction)
}

fn published_layer(change: &LayerChange) -> View<'_> {
    let LayerChange { name, before, code, differences, .. } = change;
    let words = match before {
        Some(before) => format!("new version after {before},"),
        None => "first version,".to_owned(),
    };
    let shown = usize::from(code.from.is_none() || code.from == code.to);
    let line = Line { shown, sent: Some(Sent::New(code)), ..Line::of(words) };
    let changes = std::iter::once(code_ends(code)).chain(differences.iter().cloned()).collect();
    let view = View::of(Action::Create, "layer", "publish a version of the layer", line, changes);
    view.known_as("publish_layer").begins(format!("Publishing the layer {name}")).belonging_to(Whose::Other)
}

fn pointed(change: &AliasChange) -> View<'_> {
    let AliasChange { name, from, to, build: _, schedule, on_failure: _ } = change;
    let (to, target) = match to {
        VersionRef::Number(number) => (End::version(number), format!("version {number}")),
        VersionRef::Published => (End::NewVersion, "the new version".to_owned()),
    };
    let (action, title, words) = match from {
        None => (Action::Create, "create the alias", format!("{} created for", name.0)),
        Some(_) => (Action::Update, "move the alias", name.0.clone()),
    };
    let line = Line { shown: 1, ends: true, shows_setting: true, ..Line::of(words) };
    let from = from.as_ref().map(traffic);
    let moved = Difference::between(Aspect::Alias, from, Some(to)).of_key(&name.0);
    let traffic = schedule.as_ref().map(|schedule| {
        Difference::whole(Aspect::Alias, None, Some(schedule.to_string().into())).of_key(&name.0).of_member("traffic")
    });
    let changes = std::iter::once(moved).chain(traffic).collect();
    let view = View::of(action, ALIAS, title, line, changes).known_as("point_alias");
    view.begins(match schedule {
        None => format!("Pointing the alias {} at {target}", name.0),
        Some(_) => format!("Shifting the traffic of the alias {} to {target}", name.0),
    })
}

fn attached(change: &AttachmentChange) -> View<'_> {
    let AttachmentChange { attachment, key, alias, action, document, differences, .. } = change;
    let name = attachment.name();
    let title = format!("{} the {}", action.verb(), change.shown());
    let mut line = Line { shows_setting: true, alias: alias.as_ref(), ..Line::of(key.as_str()) };
    let changes = match action {
        Action::Create | Action::Update => {
            // A value without members fits into the line itself.
            if let [only] = &differences[..]
                && only.member.is_none()
            {
                (line.shown, line.ends) = (1, true);
            }
            differences.clone()
        }
        Action::Remove => {
            line.shown = 1;
            let about = Aspect::Attachment(*attachment);
            vec![Difference::whole(about, Some(document.0.clone()), None).of_key(key)]
        }
    };
    let id = format!("{}_{}", action.verb(), name.to_ascii_lowercase().replace(' ', "_"));
    let begins = format!("{} {name} {key}", action.doing()).trim_end().to_owned();
    View { id: Cow::Owned(id), ..View::of(*action, name, &title, line, changes) }.begins(begins)
}

fn data<T: Setting>(value: Option<T>) -> Option<Value> {
    value.map(|value| value.data())
}

/// The old and the new code.
fn code_ends(code: &CodeChange) -> Difference {
    let (from, to) = match &code.through {
        Through::Image(image) => (
            code.from.clone().map(|digest| End::Image { digest: Some(digest), address: None }),
            Some(End::Image { digest: code.to.clone(), address: Some(image.address()) }),
        ),
        Through::Call | Through::Upload(_) | Through::Found { .. } => {
            let package = |sha256: &Option<String>| sha256.clone().map(|sha256| End::Package { sha256 });
            (package(&code.from), package(&code.to))
        }
    };
    Difference::between(Aspect::Code, from, to)
}

/// The versions that get the traffic of an alias.
fn traffic(alias: &Alias) -> End {
    End::Version { number: alias.version.clone(), shares: alias.shares() }
}
