//! One type for a function's settings, wanted or live.
//!
//! In what is wanted an absent field means "not managed"; in what was read every field that AWS told is present.
//! Knows what a valid value is and how it is shown. Must not know where a value came from, nor which end it is.
//!
//! A setting has its whole life in three places: its field in `settings!` below (with its type in `values`, or its shape
//! in `shapes`), its row in `config::options`, and its lines in `aws::convert`, one each way. What stands around a
//! function has a row in `attachment`, a row in `config::options`, and a `read` and a `write` in `aws::attachments`.

mod address;
mod attachment;
mod difference;
mod image;
mod jwt;
mod layer;
mod names;
mod secret;
pub mod shapes;
mod structure;
mod values;

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

pub use address::{Address, Reach};
pub use attachment::{Attachment, Belongs, Count};
pub use difference::{Aspect, Difference, End};

pub use image::ImageUri;
pub use jwt::Jwt;
pub use layer::{LayerRef, is_layer_name};
pub use names::{AliasName, FunctionName, Role, check_variable_name};
pub use secret::{Secret, holds_secret, logins, parts, passwords, sounds_secret};
pub use structure::{Member, Need, Shape, Structure, shown, snake};
pub use values::{
    Architecture, ArnOrNone, Description, Environment, EphemeralStorage, Handler, Ids, Layers, MemorySize, Runtime,
    Switch, Timeout, TracingMode,
};

/// How a value was written, before it has a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// One scalar, with the text it was written with.
    Text(String),
    /// A sequence of scalars; an empty one was written as such.
    List(Vec<String>),
    /// A value in the API's shape, which it was checked against.
    Structure(Value),
}

/// The value of one setting.
pub trait Setting: Clone + PartialEq {
    /// Reads what a user wrote.
    ///
    /// The error is a fragment that says what is wrong with the value and what would be right.
    fn parse(written: &Written) -> Result<Self, String>;

    /// The value as data. Never a secret.
    fn data(&self) -> Value;

    /// What a number counts; absent where it says it all.
    fn unit() -> Option<&'static str> {
        None
    }

    /// The value for people, with its unit. Never a secret.
    fn shown(&self) -> String {
        shown(&self.data(), Self::unit())
    }

    /// The value as a user would write it, which `parse` reads again.
    fn written(&self) -> Written {
        match self.data() {
            Value::String(text) => Written::Text(text),
            Value::Array(items) => Written::List(items.iter().map(|item| shown(item, None)).collect()),
            other => Written::Text(other.to_string()),
        }
    }

    /// The value that empties the setting; nothing where it always has one.
    fn emptied() -> Option<Self> {
        None
    }

    /// What is sent where `live` is there: by default the value as a whole.
    #[must_use]
    fn over(&self, _live: &Self) -> Self {
        self.clone()
    }

    /// What is different from `live`; by default the value as a whole.
    fn differences(&self, about: Aspect, live: Option<&Self>) -> Vec<Difference> {
        if live == Some(self) {
            return Vec::new();
        }
        let whole = Difference::whole(about, live.map(Self::data), Some(self.data()));
        vec![Difference { unit: Self::unit(), ..whole }]
    }
}

/// Declares [`Settings`] once: `given` settings are read from their option as they stand, `composed` ones are put
/// together from several options or need the live function.
macro_rules! settings {
    (
        given { $( $(#[$given_doc:meta])* $given:ident $given_name:ident: $given_type:ty, )* }
        composed { $( $(#[$composed_doc:meta])* $composed:ident $composed_name:ident: $composed_type:ty, )* }
    ) => {
        /// A function's settings. Each field has the name of its option.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Settings {
            $( $(#[$composed_doc])* pub $composed: Option<$composed_type>, )*
            $( $(#[$given_doc])* pub $given: Option<$given_type>, )*
        }

        /// The name of a setting, which is that of its option.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum SettingName {
            $( $(#[$composed_doc])* $composed_name, )*
            $( $(#[$given_doc])* $given_name, )*
        }

        impl SettingName {
            /// All of them.
            pub const ALL: &[Self] = &[$( Self::$composed_name, )* $( Self::$given_name, )*];

            /// The name as it is written.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$composed_name => stringify!($composed), )*
                    $( Self::$given_name => stringify!($given), )*
                }
            }
        }

        impl Settings {
            /// Reads every setting that stands in one option of its own.
            pub fn given(source: &mut impl Source) -> Self {
                Self { $( $composed: None, )* $( $given: source.setting(stringify!($given)), )* }
            }

            /// The settings of `self` that `live` does not have already, with both ends.
            pub fn differences(&self, live: &Self) -> Vec<Difference> {
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

            /// These settings over those of `other`: what is absent here is taken from there, also within a structure.
            #[must_use]
            pub fn or(&self, other: &Self) -> Self {
                Self {
                    $( $composed: laid(self.$composed.as_ref(), other.$composed.as_ref()), )*
                    $( $given: laid(self.$given.as_ref(), other.$given.as_ref()), )*
                }
            }

            /// Every setting that is present, as a user would write it.
            pub fn written(&self) -> Vec<(SettingName, Written)> {
                let mut written = Vec::new();
                $( written.extend(self.$composed.as_ref().map(|value| (SettingName::$composed_name, value.written()))); )*
                $( written.extend(self.$given.as_ref().map(|value| (SettingName::$given_name, value.written()))); )*
                written
            }

            /// Empties a setting; false where that cannot be emptied.
            pub fn clear(&mut self, name: SettingName) -> bool {
                match name {
                    $( SettingName::$composed_name => self.$composed = <$composed_type as Setting>::emptied(), )*
                    $( SettingName::$given_name => self.$given = <$given_type as Setting>::emptied(), )*
                }
                self.has(name)
            }

            /// Whether this setting is present.
            pub fn has(&self, name: SettingName) -> bool {
                match name {
                    $( SettingName::$composed_name => self.$composed.is_some(), )*
                    $( SettingName::$given_name => self.$given.is_some(), )*
                }
            }

            /// Whether nothing is set.
            pub fn is_empty(&self) -> bool {
                $( self.$composed.is_none() && )* $( self.$given.is_none() && )* true
            }

            /// Only the settings of these names.
            #[must_use]
            pub fn only(&self, names: &[SettingName]) -> Self {
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
        /// How long one invocation may take. AWS: 1 to 900 seconds.
        timeout Timeout: Timeout,
        /// Memory of the function, which also scales its CPU. AWS: 128 to 10240 MB.
        memory_size MemorySize: MemorySize,
        /// Size of `/tmp`. AWS: 512 to 10240 MB.
        ephemeral_storage EphemeralStorage: EphemeralStorage,
        /// Layers, in the order in which they are merged. What is live has versions.
        layers Layers: Layers,
        /// Subnets of the VPC; an empty set is detached.
        subnet_ids SubnetIds: Ids,
        /// Security groups in the VPC; an empty set is detached.
        security_group_ids SecurityGroupIds: Ids,
        /// Whether functions in subnets with IPv6 use it.
        ipv6_allowed_for_dual_stack Ipv6AllowedForDualStack: Switch,
        /// The queue or topic for failed asynchronous events; empty when there is none.
        dead_letter_arn DeadLetterArn: ArnOrNone,
        /// The customer managed key for the environment; empty for the key AWS owns.
        kms_key_arn KmsKeyArn: ArnOrNone,
        /// Whether invocations are sampled for X-Ray.
        tracing_mode TracingMode: TracingMode,
        /// Access points of EFS and where they are mounted; empty when there are none.
        file_system_configs FileSystemConfigs: Structure,
        /// What overrides the settings of a container image; empty when nothing does.
        image_config ImageConfig: Structure,
        /// Whether published versions start from a snapshot.
        snap_start SnapStart: Structure,
        /// Where the log goes and what it looks like.
        logging_config LoggingConfig: Structure,
        /// How long durable executions may take and are kept.
        durable_config DurableConfig: Structure,
        /// Whether each tenant has environments of its own; only at creation.
        tenancy_config TenancyConfig: Structure,
    }
    composed {
        /// The execution role.
        role Role: Role,
        /// The method that Lambda calls.
        handler Handler: Handler,
        /// What people read about the function; empty when there is none.
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
    /// The names of the settings that `live` does not have already.
    pub fn differing(&self, live: &Self) -> Vec<SettingName> {
        let setting = |difference: Difference| match difference.about {
            Aspect::Setting(name) => Some(name),
            _ => None,
        };
        let mut names: Vec<_> = self.differences(live).into_iter().filter_map(setting).collect();
        names.dedup();
        names
    }
}

/// A setting over another one.
fn laid<T: Setting>(over: Option<&T>, under: Option<&T>) -> Option<T> {
    match (over, under) {
        (Some(over), Some(under)) => Some(over.over(under)),
        (over, under) => over.or(under).cloned(),
    }
}

/// Something that settings can be read from.
pub trait Source {
    /// The value of the option of this name, or nothing where it is absent or wrong.
    fn setting<T: Setting>(&mut self, option: &'static str) -> Option<T>;
}
