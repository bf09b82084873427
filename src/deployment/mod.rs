//! The wanted state of one function or layer: settings, code, release, attachments, and access to AWS.
//!
//! All values are resolved: no later stage asks whether an option was set. Must not know where a value came from.

mod code;
mod release;
mod rules;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(crate) use code::{Code, CodeSource, ObjectKey, SourceFunction, Upload};
pub(crate) use release::{Keep, Publish, Release, RolledBack};
pub use rules::Rules;
pub(crate) use rules::{Archives, Compression, Hidden, IncludeFrom, Links, Single};
pub(crate) use target::{AssumedRole, Credentials, Proof, Target};

use crate::reference::Borrowed;
use crate::settings::{Architecture, Attachment, FunctionName, Handler, Secret, Settings, Structure};

/// A function or a layer, as a block describes it.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// A function.
    Function(Box<Deployment>),
    /// A layer.
    Layer(Box<LayerDeployment>),
}

impl Item {
    /// The function; `None` for a layer.
    pub(crate) fn function(&self) -> Option<&Deployment> {
        match self {
            Self::Function(deployment) => Some(deployment),
            Self::Layer(_) => None,
        }
    }

    /// The layer; `None` for a function.
    pub(crate) fn layer(&self) -> Option<&LayerDeployment> {
        match self {
            Self::Function(_) => None,
            Self::Layer(layer) => Some(layer),
        }
    }

    /// The bare name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Function(deployment) => &deployment.function.name,
            Self::Layer(layer) => &layer.name,
        }
    }

    /// The Region, endpoint and credentials.
    pub(crate) fn target(&self) -> &Target {
        match self {
            Self::Function(deployment) => &deployment.target,
            Self::Layer(layer) => &layer.target,
        }
    }

    /// The code and its packaging.
    pub(crate) fn code(&self) -> &Code {
        match self {
            Self::Function(deployment) => &deployment.code,
            Self::Layer(layer) => &layer.code,
        }
    }

    /// The limit for all waits together.
    pub(crate) fn wait_timeout(&self) -> Duration {
        match self {
            Self::Function(deployment) => deployment.wait_timeout,
            Self::Layer(layer) => layer.wait_timeout,
        }
    }
}

/// The wanted state of one function.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    /// The function.
    pub function: FunctionName,
    /// The half that is deployed; absent for both.
    pub only: Option<Only>,
    /// The Region, endpoint and credentials.
    pub target: Target,
    /// The wanted settings; an absent one is not managed.
    pub settings: Settings,
    /// The parts of a handler, which are joined when the runtime is known; absent when `settings.handler` has it or none is
    /// managed.
    pub handler_parts: Option<HandlerParts>,
    /// The handler for a new function if the user named none; absent when a missing handler is an error.
    pub first_handler: Option<Handler>,
    /// What happens if a new function has no role.
    pub missing_role: MissingRole,
    /// Variables to set (a value) or unset (`None`); absent when the environment is not managed.
    pub environment: Option<WantedMap<Option<Secret>>>,
    /// Tags to set; absent when tags are not managed.
    pub tags: Option<WantedMap<String>>,
    /// The code and its packaging.
    pub code: Code,
    /// The version and the alias.
    pub release: Release,
    /// The wanted attachments; an absent kind is not managed.
    pub attachments: WantedAttachments,
    /// The values that come from elsewhere, also those that were not read.
    pub borrowed: Vec<Borrowed>,
    /// The limit for all waits of this function together.
    pub wait_timeout: Duration,
}

/// One half of a function, which a deployment changes alone. It never creates the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Only {
    /// The half.
    pub half: Half,
    /// The options of the other half that the user named. They have no effect.
    pub left: Vec<&'static str>,
}

/// A half of a function. The version and the alias belong to both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// The package or image.
    Code,
    /// The settings, tags and attachments.
    Settings,
}

impl Half {
    /// The word of the option.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Settings => "settings",
        }
    }

    /// The half in messages.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Code => "only its code",
            Self::Settings => "only its settings",
        }
    }
}

/// The wanted newest version of a layer.
#[derive(Debug, Clone)]
pub(crate) struct LayerDeployment {
    /// Its name, in the account of the target.
    pub name: String,
    /// The Region, endpoint and credentials.
    pub target: Target,
    /// The code and its packaging.
    pub code: Code,
    /// The kind of the layer.
    pub kind: LayerKind,
    /// The description of the version; absent for none.
    pub description: Option<String>,
    /// The compatible runtimes; absent to keep those of the newest version.
    pub compatible_runtimes: Option<BTreeSet<String>>,
    /// The compatible instruction sets; absent to keep those of the newest version.
    pub compatible_architectures: Option<BTreeSet<Architecture>>,
    /// The licence, as an identifier, a URL or its text; absent to keep that of the newest version.
    pub license_info: Option<String>,
    /// The values that come from elsewhere, also those that were not read.
    pub borrowed: Vec<Borrowed>,
    /// The limit for all waits of this layer together.
    pub wait_timeout: Duration,
}

/// The kind of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LayerKind {
    /// Files for runtimes, such as libraries.
    Files,
    /// A Lambda extension: a program that runs beside the function or in its process.
    Extension,
}

/// What happens if a new function has no role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum MissingRole {
    /// The deployment stops with an error.
    #[default]
    Error,
    /// A role is created for the function.
    Create,
}

/// A handler in the two parts of dpl's options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HandlerParts {
    /// The file, package or class; the runtime decides which.
    pub module_name: String,
    /// The method in it.
    pub handler_name: String,
}

/// The wanted entries of a map. The live map can have other entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WantedMap<T> {
    /// The entries that the user named.
    pub entries: BTreeMap<String, T>,
    /// What happens to the other live entries; absent when the user did not say it.
    pub mode: Option<MapMode>,
}

/// The wanted attachments of a function by kind and key; `None` for one that is to be removed.
pub(crate) type WantedAttachments = BTreeMap<Attachment, WantedMap<Option<Structure>>>;

/// What happens to live entries of a map that the user did not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MapMode {
    /// They are removed.
    Replace,
    /// They stay.
    Merge,
}

impl Deployment {
    /// The values that are elsewhere and were not read: an option or a part of it is unknown.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &Borrowed> {
        self.borrowed.iter().filter(|borrowed| borrowed.value.is_none())
    }

    /// Whether an option or a part of it is unknown.
    pub(crate) fn is_unread(&self, option: &str) -> bool {
        self.unread().any(|borrowed| borrowed.option == option)
    }

    /// The keys in the map of an option whose values are unknown.
    pub(crate) fn unread_keys(&self, option: &str) -> impl Iterator<Item = &str> {
        self.unread().filter(move |borrowed| borrowed.option == option).filter_map(|borrowed| borrowed.key.as_deref())
    }
}
