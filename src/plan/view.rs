//! What a step is about, for whoever tells of it: the only match over steps besides that of whoever does them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::step::{
    Action, AliasChange, AttachmentChange, CodeChange, LayerChange, Object, RoleChange, Step, TagChange, Through,
    VersionRef,
};
use crate::remote::Alias;
use crate::settings::{AliasName, Aspect, Difference, End, Setting};

/// A step as it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct View<'a> {
    /// What happens.
    pub action: Action,
    /// What it happens to, in a word or two.
    pub subject: &'static str,
    /// Its name in documents, which never changes.
    pub id: Cow<'static, str>,
    /// What it does, as the rest of a sentence: "stopped at: …".
    pub title: String,
    /// What the log says when it begins: the beginning of a sentence; absent where it says nothing.
    pub begins: Option<String>,
    /// Whose step it is.
    pub whose: Whose,
    /// The step in one line.
    pub line: Line<'a>,
    /// Both ends of all that changes.
    pub changes: Vec<Difference>,
}

/// Whose step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The function's, which does not exist yet.
    NewFunction,
    /// The function's, which exists.
    Function,
    /// That of something the function needs, or of a layer.
    Other,
}

/// A step in one line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line<'a> {
    /// The words that it begins with; may be empty.
    pub words: String,
    /// How many of the changes it tells, from the first on. The others stand below it.
    pub told: usize,
    /// Whether both ends of the first change follow the words.
    pub ends: bool,
    /// Whether it tells the setting of the changes below it, and their key where they have members: what is left of
    /// their names says enough.
    pub tells_setting: bool,
    /// The alias that it belongs to; absent for the function itself.
    pub alias: Option<&'a AliasName>,
    /// What is sent; absent for nothing.
    pub sent: Option<Sent<'a>>,
}

/// What is sent with a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sent<'a> {
    /// A package into a bucket.
    Object(&'a Object),
    /// What something new is made of.
    New(&'a CodeChange),
    /// What something that exists is made of from then on.
    Replacement(&'a CodeChange),
}

impl Line<'_> {
    fn of(words: impl Into<String>) -> Self {
        Self { words: words.into(), ..Self::default() }
    }
}

impl<'a> View<'a> {
    fn of(action: Action, subject: &'static str, title: &str, line: Line<'a>, changes: Vec<Difference>) -> Self {
        let id = Cow::Owned(format!("{}_{subject}", verb(action)));
        let (title, whose) = (title.to_owned(), Whose::Function);
        Self { action, subject, id, title, begins: None, whose, line, changes }
    }

    fn begins(self, begins: impl Into<String>) -> Self {
        Self { begins: Some(begins.into()), ..self }
    }

    fn known_as(self, id: &'static str) -> Self {
        Self { id: Cow::Borrowed(id), ..self }
    }

    fn belonging_to(self, whose: Whose) -> Self {
        Self { whose, ..self }
    }
}

const fn verb(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Remove => "remove",
    }
}

impl Step {
    /// The step as it is told.
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
