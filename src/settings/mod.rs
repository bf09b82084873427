//! The settings of a function: one type for wanted and for live settings.
//!
//! In wanted settings, an absent field is not managed. In live settings, AWS did not report an absent field.
//! Knows which values are valid and how they are shown. Must not know where a value was written, or whether it is
//! wanted or live.
//!
//! A setting is defined in three places: its field in `settings!` below (with its type in `values`, or its shape in
//! `shapes`), its row in `config::options`, and its conversion in `aws::convert`. An attachment has a row in
//! `attachment`, a row in `config::options`, and a `read` and a `write` in `aws::attachments`.

mod address;
mod attachment;
mod compare;
mod difference;
mod image;
mod jwt;
mod layer;
mod names;
mod qualified;
mod runtime;
mod secret;
pub(crate) mod shapes;
mod structure;
mod values;

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

pub(crate) use address::{Address, Reach};
pub(crate) use attachment::{Attachment, Belongs, Count};
pub(crate) use difference::{Aspect, Difference, End};

pub(crate) use image::ImageUri;
pub(crate) use jwt::Jwt;
pub(crate) use layer::{LayerRef, Layers, is_layer_name, without_version};
pub(crate) use names::{AliasName, FunctionName, Role, check_variable_name};
pub(crate) use qualified::QualifiedFunction;
pub(crate) use secret::{Secret, holds_secret, logins, parts, passwords, sounds_secret};
pub(crate) use structure::{Member, Need, Shape, Structure, shown, snake};
pub(crate) use values::{
    Architecture, ArnOrNone, Description, Environment, EphemeralStorage, Handler, Ids, MemorySize, Runtime, Switch,
    Timeout, TracingMode,
};

/// How a value was written, before it has a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// One scalar, with the text it was written with.
    Text(String),
    /// A sequence of scalars; an empty one was written as such.
    List(Vec<String>),
    /// A value in the API's shape, already checked against it.
    Structure(Value),
}

/// The value of one setting.
pub(crate) trait Setting: Clone + PartialEq {
    /// Reads a value that a user wrote.
    ///
    /// The error is a fragment that says what is wrong and which values are valid.
    fn parse(written: &Written) -> Result<Self, String>;

    /// The value as data, without secrets.
    fn data(&self) -> Value;

    /// The unit of a number; `None` for a plain number and for other values.
    fn unit() -> Option<&'static str> {
        None
    }

    /// The value as text with its unit, without secrets.
    fn shown(&self) -> String {
        shown(&self.data(), Self::unit())
    }

    /// The value as a user would write it; `parse` reads it back.
    fn written(&self) -> Written {
        match self.data() {
            Value::String(text) => Written::Text(text),
            Value::Array(items) => Written::List(items.iter().map(|item| shown(item, None)).collect()),
            other => Written::Text(other.to_string()),
        }
    }

    /// The value that clears the setting; `None` if the setting cannot be cleared.
    fn emptied() -> Option<Self> {
        None
    }

    /// The value to send when `live` is the current value; by default the value itself.
    #[must_use]
    fn over(&self, _live: &Self) -> Self {
        self.clone()
    }

    /// The differences from `live`; by default one for the whole value.
    fn differences(&self, about: Aspect, live: Option<&Self>) -> Vec<Difference> {
        if live == Some(self) {
            return Vec::new();
        }
        let whole = Difference::whole(about, live.map(Self::data), Some(self.data()));
        vec![Difference { unit: Self::unit(), ..whole }]
    }
}

/// Declares [`Settings`]. A `given` setting is read from one option. A `composed` setting is built from several
/// options, or needs the live function.
macro_rules! settings {
    (
        given { $( $(#[$given_doc:meta])* $given:ident $given_name:ident: $given_type:ty, )* }
        composed { $( $(#[$composed_doc:meta])* $composed:ident $composed_name:ident: $composed_type:ty, )* }
    ) => {
        /// The settings of a function. Each field has the name of its option.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub(crate) struct Settings {
            $( $(#[$composed_doc])* pub $composed: Option<$composed_type>, )*
            $( $(#[$given_doc])* pub $given: Option<$given_type>, )*
        }

        /// The name of a setting, which is also the name of its option.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum SettingName {
            $( $(#[$composed_doc])* $composed_name, )*
            $( $(#[$given_doc])* $given_name, )*
        }

        impl SettingName {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$( Self::$composed_name, )* $( Self::$given_name, )*];

            /// The name as users write it.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $( Self::$composed_name => stringify!($composed), )*
                    $( Self::$given_name => stringify!($given), )*
                }
            }
        }

        impl Settings {
            /// Reads every setting that has one option of its own.
            pub(crate) fn given(source: &mut impl Source) -> Self {
                Self { $( $composed: None, )* $( $given: source.setting(stringify!($given)), )* }
            }

            /// The differences between these settings and `live`. Absent settings do not count.
            pub(crate) fn differences(&self, live: &Self) -> Vec<Difference> {
                let mut found = Vec::new();
                $( if let Some(wanted) = &self.$composed {
                    let about = Aspect::Setting(SettingName::$composed_name);
                    found.extend(wanted.differences(about, live.$composed.as_ref()));
                } )*
                $( if let Some(wanted) = &self.$given {
                    let about = Aspect::Setting(SettingName::$given_name);
                    found.extend(wanted.differences(about, live.$given.as_ref()));
                } )*
                found
            }

            /// These settings, completed from `other`: a setting or a member of a structure that is absent here has the
            /// value of `other`.
            #[must_use]
            pub(crate) fn or(&self, other: &Self) -> Self {
                Self {
                    $( $composed: laid(self.$composed.as_ref(), other.$composed.as_ref()), )*
                    $( $given: laid(self.$given.as_ref(), other.$given.as_ref()), )*
                }
            }

            /// Every present setting, as a user would write it.
            pub(crate) fn written(&self) -> Vec<(SettingName, Written)> {
                let mut written = Vec::new();
                $( written.extend(self.$composed.as_ref().map(|value| (SettingName::$composed_name, value.written()))); )*
                $( written.extend(self.$given.as_ref().map(|value| (SettingName::$given_name, value.written()))); )*
                written
            }

            /// Clears a setting. Returns `false` if the setting cannot be cleared.
            pub(crate) fn clear(&mut self, name: SettingName) -> bool {
                match name {
                    $( SettingName::$composed_name => self.$composed = <$composed_type as Setting>::emptied(), )*
                    $( SettingName::$given_name => self.$given = <$given_type as Setting>::emptied(), )*
                }
                self.has(name)
            }

            /// Whether this setting is present.
            pub(crate) fn has(&self, name: SettingName) -> bool {
                match name {
                    $( SettingName::$composed_name => self.$composed.is_some(), )*
                    $( SettingName::$given_name => self.$given.is_some(), )*
                }
            }

            /// The settings with these names, without the others.
            #[must_use]
            pub(crate) fn only(&self, names: &[SettingName]) -> Self {
                Self {
                    $( $composed: self.$composed.clone().filter(|_| names.contains(&SettingName::$composed_name)), )*
                    $( $given: self.$given.clone().filter(|_| names.contains(&SettingName::$given_name)), )*
                }
            }
        }
    };
}

settings! {
    // The field, its name as a value, and its type.
    given {
        /// The identifier of the runtime, such as `python3.13`.
        runtime Runtime: Runtime,
        /// How long one invocation may take. AWS: 1 to 900 seconds; on Managed Instances to 5400.
        timeout Timeout: Timeout,
        /// Memory of the function, which also scales its CPU. AWS: 128 to 10240 MB; on Managed Instances to
        /// 32768.
        memory_size MemorySize: MemorySize,
        /// Size of `/tmp`. AWS: 512 to 10240 MB; on Managed Instances to 32768.
        ephemeral_storage EphemeralStorage: EphemeralStorage,
        /// Layers, in the order in which AWS merges them. Live layers always have a version.
        layers Layers: Layers,
        /// Subnets of the VPC; an empty set detaches the function.
        subnet_ids SubnetIds: Ids,
        /// Security groups in the VPC; an empty set detaches the function.
        security_group_ids SecurityGroupIds: Ids,
        /// Whether the function may use IPv6 in subnets that have it.
        ipv6_allowed_for_dual_stack Ipv6AllowedForDualStack: Switch,
        /// The ARN of the queue or topic for failed asynchronous events; empty for none.
        dead_letter_arn DeadLetterArn: ArnOrNone,
        /// The ARN of the KMS key for the environment; empty for a key that AWS owns.
        kms_key_arn KmsKeyArn: ArnOrNone,
        /// Whether X-Ray samples invocations.
        tracing_mode TracingMode: TracingMode,
        /// Access points of file systems, with their mount paths; empty for none.
        file_system_configs FileSystemConfigs: Structure,
        /// Overrides of the settings of a container image; empty for none.
        image_config ImageConfig: Structure,
        /// Whether published versions start from a snapshot.
        snap_start SnapStart: Structure,
        /// The log group, format and levels.
        logging_config LoggingConfig: Structure,
        /// The time limit and retention of durable executions.
        durable_config DurableConfig: Structure,
        /// Whether each tenant has its own execution environments. Cannot change after creation.
        tenancy_config TenancyConfig: Structure,
        /// The capacity provider of a function on Managed Instances.
        capacity_provider_config CapacityProviderConfig: Structure,
    }
    composed {
        /// The execution role.
        role Role: Role,
        /// The method that Lambda calls.
        handler Handler: Handler,
        /// The description; empty for none.
        description Description: Description,
        /// All variables of the function.
        environment Environment: Environment,
    }
}

impl FromStr for SettingName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|name| name.name() == text).ok_or(())
    }
}

impl fmt::Display for SettingName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl Settings {
    /// The errors for values that only functions on Managed Instances may have, each with the largest value there.
    /// Such a function has a capacity provider.
    pub(crate) fn beyond_usual(&self) -> Vec<(SettingName, String, String)> {
        if self.capacity_provider_config.as_ref().is_some_and(|config| !config.is_empty()) {
            return Vec::new();
        }
        let timeout = self.timeout.and_then(Timeout::beyond_usual);
        let memory_size = self.memory_size.and_then(MemorySize::beyond_usual);
        let storage = self.ephemeral_storage.and_then(EphemeralStorage::beyond_usual);
        let all = [
            (SettingName::Timeout, timeout, Timeout::most()),
            (SettingName::MemorySize, memory_size, MemorySize::most()),
            (SettingName::EphemeralStorage, storage, EphemeralStorage::most()),
        ];
        all.into_iter().filter_map(|(name, message, most)| Some((name, message?, most))).collect()
    }

    /// The names of the settings that differ from `live`.
    pub(crate) fn differing(&self, live: &Self) -> Vec<SettingName> {
        let setting = |difference: Difference| match difference.about {
            Aspect::Setting(name) => Some(name),
            _ => None,
        };
        let mut names: Vec<_> = self.differences(live).into_iter().filter_map(setting).collect();
        names.dedup();
        names
    }
}

/// `over`, completed from `under`.
fn laid<T: Setting>(over: Option<&T>, under: Option<&T>) -> Option<T> {
    match (over, under) {
        (Some(over), Some(under)) => Some(over.over(under)),
        (over, under) => over.or(under).cloned(),
    }
}

/// A source of settings.
pub(crate) trait Source {
    /// The value of the option with this name; `None` if it is absent or wrong.
    fn setting<T: Setting>(&mut self, option: &'static str) -> Option<T>;
}
