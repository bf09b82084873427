//! The steps of a plan. Each names what is sent, carries both ends of every change, and says how it is told.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::view::{Line, Sent, View, Whose, verb};
use crate::package::Image;
use crate::remote::Alias;
use crate::settings::{AliasName, Architecture, Aspect, Attachment, Difference, End, Setting, Settings, Structure};

/// One thing to do. After it the function has settled.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Put the package into a bucket.
    UploadPackage(Object),
    /// Make an execution role, or attach to it what it lacks.
    CreateRole(RoleChange),
    /// Create the function, unpublished.
    CreateFunction {
        /// Where its role comes from.
        role: Origin,
        /// What is sent.
        settings: Box<Settings>,
        /// Tags from the beginning.
        tags: BTreeMap<String, String>,
        /// The package.
        code: CodeChange,
        /// Whose signatures the package must have; absent for nobody's.
        code_signing_config_arn: Option<String>,
        /// What is sent, for people.
        differences: Vec<Difference>,
    },
    /// Change settings of `$LATEST`.
    UpdateConfiguration {
        /// What is sent: what differs, and what AWS wants together with it.
        settings: Box<Settings>,
        /// Both ends of each change.
        differences: Vec<Difference>,
    },
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
        /// The package that `$LATEST` must have; absent for an image, which the revision tells.
        code_sha256: Option<String>,
    },
    /// Create an alias, or let it point at another version.
    PointAlias(AliasChange),
    /// Create, change or remove something around the function.
    Attach(AttachmentChange),
    /// Delete versions that nothing points at, by their numbers.
    DeleteVersions(Vec<String>),
}

/// Where a role comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The user named it.
    Named,
    /// A deployment made it, perhaps a moment ago.
    Made,
}

/// An execution role, made for a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleChange {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The function that it is for.
    pub function: String,
    /// Whether it is made, or is there already.
    pub action: Action,
    /// ARNs of the policies that are attached to it.
    pub policies: Vec<String>,
}

/// An alias that points at a version.
#[derive(Debug, Clone, PartialEq)]
pub struct AliasChange {
    /// Its name.
    pub name: AliasName,
    /// What it is now; absent where it is created.
    pub from: Option<Alias>,
    /// Where all of its traffic goes.
    pub to: VersionRef,
}

/// A version, known by its number or about to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionRef {
    /// This one.
    Number(String),
    /// The one that a step before publishes.
    Published,
}

/// A change of something around the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentChange {
    /// Of which kind it is.
    pub attachment: Attachment,
    /// Its key among those of its kind; empty where there is only one.
    pub key: String,
    /// The alias that it belongs to; absent for the function itself.
    pub alias: Option<AliasName>,
    /// What happens to it.
    pub action: Action,
    /// All that it is going to be; what it was where it is removed.
    pub document: Structure,
    /// What AWS calls it; absent where it is created or its key says it.
    pub handle: Option<String>,
    /// Both ends of each change.
    pub differences: Vec<Difference>,
}

/// What happens to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It goes.
    Remove,
}

/// A layer version that is going to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerChange {
    /// The layer.
    pub name: String,
    /// The number of the newest version; absent where there is none.
    pub before: Option<i64>,
    /// Its contents.
    pub code: CodeChange,
    /// What people read about it; absent for nothing.
    pub description: Option<String>,
    /// Runtimes that it is for.
    pub compatible_runtimes: BTreeSet<String>,
    /// Instruction sets that it is for, as AWS calls them.
    pub compatible_architectures: BTreeSet<String>,
    /// The licence; empty for none.
    pub license_info: String,
    /// Both ends of each change besides the contents.
    pub differences: Vec<Difference>,
}

/// A change of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChange {
    /// Tags to add or overwrite.
    pub set: BTreeMap<String, String>,
    /// Keys to remove.
    pub remove: Vec<String>,
    /// What tags that are overwritten or removed have now.
    pub before: BTreeMap<String, String>,
}

/// A change of the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChange {
    /// Base64 SHA-256 of the live package, or the digest of the live image; absent for a function that does not exist yet.
    pub from: Option<String>,
    /// The same of what is sent; absent for an image whose digest only AWS will know.
    pub to: Option<String>,
    /// Bytes of the package; none for an image.
    pub size: u64,
    /// How many files it has.
    pub files: usize,
    /// How many names a rule that the user did not write left out of it.
    pub left_out: usize,
    /// The instruction set sent with it; absent for AWS' default.
    pub architecture: Option<Architecture>,
    /// The live instruction set.
    pub from_architecture: Option<Architecture>,
    /// The key that encrypts it at rest; absent for one that AWS owns.
    pub source_kms_key_arn: Option<String>,
    /// How AWS gets it.
    pub through: Through,
}

/// How AWS gets a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Through {
    /// In the call itself.
    Call,
    /// From the object that the step before puts into a bucket.
    Upload(Object),
    /// From an object that is there already.
    Found {
        /// The object.
        object: Object,
        /// Its version; absent where the bucket has none.
        version_id: Option<String>,
    },
    /// From the registry that has it.
    Image(Image),
}

/// A package in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The bucket.
    pub bucket: String,
    /// The key in it.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Base64 SHA-256 of it.
    pub code_sha256: String,
    /// Whether the key follows from the contents.
    pub by_hash: bool,
    /// The account that the bucket must belong to; absent for any.
    pub expected_owner: Option<String>,
    /// The key that encrypts the object; absent for the bucket's default.
    pub kms_key_arn: Option<String>,
}

impl Object {
    /// Its address, as people write it.
    pub fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

impl Step {
    /// The step as it is told: the only match over steps, besides that of whoever plans or does them.
    pub fn view(&self) -> View<'_> {
        use Action::{Create, Remove, Update};
        match self {
            Self::UploadPackage(object) => {
                let url = object.url();
                let words = format!("sent to {url}");
                let line = Line { told: 1, sent: Some(Sent::Object(object)), ..Line::of(words) };
                let begins = format!("Uploading the package to {url}");
                let changes = vec![Difference::whole(Aspect::Object, None, Some(url.into()))];
                let view = View::of(Create, "package", "upload the package", line, changes);
                view.known_as("upload_package").begins(begins).belonging_to(Whose::Other)
            }
            Self::CreateRole(RoleChange { name, arn, action, policies, .. }) => {
                let whole = |about, arn: &String| Difference::whole(about, None, Some(arn.as_str().into()));
                let policies = policies.iter().map(|policy| whole(Aspect::Policy, policy));
                let made = (*action == Create).then(|| whole(Aspect::Role, arn));
                let (title, words) = match action {
                    Create => ("create the role", format!("{name} created")),
                    Update | Remove => ("attach policies to the role", format!("{name} gets what it lacks")),
                };
                let line = Line { told: usize::from(made.is_some()), ..Line::of(words) };
                let view = View::of(*action, "role", title, line, made.into_iter().chain(policies).collect());
                let view = view.known_as("create_role").belonging_to(Whose::Other);
                view.begins(format!("Bringing about the role {name}"))
            }
            Self::CreateFunction { differences, tags, code, .. } => created(differences, tags, code),
            Self::UpdateConfiguration { differences, .. } => {
                let (line, changes) = (Line::default(), differences.clone());
                View::of(Update, "configuration", "update the configuration", line, changes)
            }
            Self::UpdateTags(TagChange { set, remove, before }) => {
                let ends = |key: &String, to: Option<Value>| {
                    let from = before.get(key).map(|value| value.as_str().into());
                    Difference::whole(Aspect::Tag, from, to).of_key(key)
                };
                let set = set.iter().map(|(key, value)| ends(key, Some(value.as_str().into())));
                let changes = set.chain(remove.iter().map(|key| ends(key, None))).collect();
                let line = Line { tells_setting: true, ..Line::default() };
                View::of(Update, "tags", "update the tags", line, changes).begins("Updating tags")
            }
            Self::UpdateCode(code) => {
                let (from, to) = (code.from_architecture, code.architecture);
                let architecture = (from != to).then(|| Difference::whole(Aspect::Architecture, data(from), data(to)));
                let line = Line { told: 1, ends: true, sent: Some(Sent::Replacement(code)), ..Line::default() };
                let changes = std::iter::once(code_ends(code)).chain(architecture).collect();
                View::of(Update, "code", "update the code", line, changes).begins("Updating code")
            }
            Self::PublishLayer(change) => published_layer(change),
            Self::PublishVersion { description, .. } => {
                let version = Difference::between(Aspect::Version, None, Some(End::NewVersion));
                let description = description.as_deref();
                let description =
                    description.map(|text| Difference::whole(Aspect::VersionDescription, None, Some(text.into())));
                let changes: Vec<_> = std::iter::once(version).chain(description).collect();
                let line = Line { told: changes.len(), ..Line::of("published from this code and these settings") };
                let view = View::of(Create, "version", "publish a version", line, changes);
                view.known_as("publish_version").begins("Publishing a version")
            }
            Self::PointAlias(change) => pointed(change),
            Self::Attach(change) => attached(change),
            Self::DeleteVersions(numbers) => {
                let gone = |number: &String| Difference::between(Aspect::Version, Some(End::version(number)), None);
                let line = Line { told: numbers.len(), ..Line::of(numbers.join(", ")) };
                let changes = numbers.iter().map(gone).collect();
                let view = View::of(Remove, "old versions", "delete old versions", line, changes);
                view.known_as("delete_versions").begins(format!("Deleting versions {}", numbers.join(", ")))
            }
        }
    }
}

fn created<'a>(differences: &[Difference], tags: &BTreeMap<String, String>, code: &'a CodeChange) -> View<'a> {
    let tags =
        tags.iter().map(|(key, value)| Difference::whole(Aspect::Tag, None, Some(value.as_str().into())).of_key(key));
    let architecture = code.architecture.map(|to| Difference::whole(Aspect::Architecture, None, Some(to.data())));
    // What a package is, the line tells; an image has an address besides.
    let told = usize::from(!matches!(code.through, Through::Image(_)));
    let (before, after) = (code_ends(code), architecture.into_iter().chain(tags));
    let changes: Vec<_> = if told == 1 {
        std::iter::once(before).chain(differences.iter().cloned()).chain(after).collect()
    } else {
        differences.iter().cloned().chain([before]).chain(after).collect()
    };
    let line = Line { told, sent: Some(Sent::New(code)), ..Line::of("created") };
    View::of(Action::Create, "function", "create the function", line, changes).belonging_to(Whose::NewFunction)
}

fn published_layer(change: &LayerChange) -> View<'_> {
    let LayerChange { name, before, code, differences, .. } = change;
    let words = match before {
        Some(before) => format!("new version after {before},"),
        None => "first version,".to_owned(),
    };
    let told = usize::from(code.from.is_none() || code.from == code.to);
    let line = Line { told, sent: Some(Sent::New(code)), ..Line::of(words) };
    let changes = std::iter::once(code_ends(code)).chain(differences.iter().cloned()).collect();
    let view = View::of(Action::Create, "layer", "publish a version of the layer", line, changes);
    view.known_as("publish_layer").begins(format!("Publishing the layer {name}")).belonging_to(Whose::Other)
}

fn pointed(change: &AliasChange) -> View<'_> {
    let AliasChange { name, from, to } = change;
    let (to, target) = match to {
        VersionRef::Number(number) => (End::version(number), format!("version {number}")),
        VersionRef::Published => (End::NewVersion, "the new version".to_owned()),
    };
    let (action, title, words) = match from {
        None => (Action::Create, "create the alias", format!("{} created for", name.0)),
        Some(_) => (Action::Update, "move the alias", name.0.clone()),
    };
    let line = Line { told: 1, ends: true, ..Line::of(words) };
    let from = from.as_ref().map(traffic);
    let changes = vec![Difference::between(Aspect::Alias, from, Some(to)).of_key(&name.0)];
    let view = View::of(action, "alias", title, line, changes).known_as("point_alias");
    view.begins(format!("Pointing the alias {} at {target}", name.0))
}

fn attached(change: &AttachmentChange) -> View<'_> {
    let AttachmentChange { attachment, key, alias, action, document, differences, .. } = change;
    let name = attachment.name();
    let of = if key.is_empty() { String::new() } else { format!(" `{key}`") };
    let title = format!("{} the {name}{of}", verb(*action));
    let mut line = Line { tells_setting: true, alias: alias.as_ref(), ..Line::of(key.as_str()) };
    let changes = match action {
        Action::Create | Action::Update => {
            // A value without members is told in the line itself.
            if let [only] = &differences[..]
                && only.member.is_none()
            {
                (line.told, line.ends) = (1, true);
            }
            differences.clone()
        }
        Action::Remove => {
            line.told = 1;
            let about = Aspect::Attachment(*attachment);
            vec![Difference::whole(about, Some(document.0.clone()), None).of_key(key)]
        }
    };
    let doing = match action {
        Action::Create => "Creating",
        Action::Update => "Updating",
        Action::Remove => "Removing",
    };
    let id = format!("{}_{}", verb(*action), name.to_ascii_lowercase().replace(' ', "_"));
    let begins = format!("{doing} {name} {key}").trim_end().to_owned();
    View { id: Cow::Owned(id), ..View::of(*action, name, &title, line, changes) }.begins(begins)
}

fn data<T: Setting>(value: Option<T>) -> Option<Value> {
    value.map(|value| value.data())
}

/// Both ends of what something is made of.
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

/// Where the traffic of an alias goes.
fn traffic(alias: &Alias) -> End {
    End::Version { number: alias.version.clone(), shares: alias.shares() }
}
