//! How a member of a structure gets into the SDK's types and out of them: one row a member, read both ways.
//!
//! A row is the member's name in the API, the SDK's getter and setter, and where AWS leaves out its default, that.

use std::collections::HashMap;

use aws_sdk_lambda::error::BuildError;
use aws_sdk_lambda::primitives::DateTime;
use aws_sdk_lambda::types::EndPointType;
use serde_json::{Map, Value, json};

/// A value that the SDK hands out.
pub(in crate::aws) trait Told {
    /// It as data; null where there is nothing in it.
    fn told(self) -> Value;
}

/// A value that the SDK takes.
pub(in crate::aws) trait Taken: Sized {
    /// Makes it of data; nothing where the data is of another kind, or lacks what the SDK needs.
    fn taken(value: &Value) -> Option<Self>;
}

/// The value of a member; nothing where it is absent.
pub(in crate::aws) fn member<T: Taken>(document: &Value, name: &str) -> Option<T> {
    T::taken(document.get(name)?)
}

/// Members with their values, as data; null where there are none.
pub(in crate::aws) fn members<const N: usize>(members: [(&str, Value); N]) -> Value {
    let there = members.into_iter().filter(|(_, value)| !value.is_null());
    let members: Map<_, _> = there.map(|(name, value)| (name.to_owned(), value)).collect();
    if members.is_empty() { Value::Null } else { Value::Object(members) }
}

/// What a type of the SDK tells, by rows of members.
macro_rules! told {
    ($told:expr; $( $name:literal: $get:ident, $set:ident $(or $default:literal)?; )*) => {
        $crate::aws::convert::members::members([ $( ($name, {
            let value = $crate::aws::convert::members::Told::told($told.$get());
            $( let value = if value.is_null() { serde_json::json!($default) } else { value }; )?
            value
        }) ),* ])
    };
}
pub(in crate::aws) use told;

/// Puts the members of a document into a builder of the SDK, by rows.
macro_rules! put {
    ($builder:expr, $document:expr; $( $name:literal: $get:ident, $set:ident $(or $default:literal)?; )*) => {
        $builder $( .$set($crate::aws::convert::members::member($document, $name)) )*
    };
}
pub(in crate::aws) use put;

/// Types of the SDK that are structures, by the rows of their members.
macro_rules! structures {
    ($( $type:ident { $($rows:tt)* } )*) => { $(
        impl $crate::aws::convert::members::Told for &aws_sdk_lambda::types::$type {
            fn told(self) -> serde_json::Value {
                $crate::aws::convert::members::told!(self; $($rows)*)
            }
        }

        impl $crate::aws::convert::members::Taken for aws_sdk_lambda::types::$type {
            fn taken(value: &serde_json::Value) -> Option<Self> {
                let builder = $crate::aws::convert::members::put!(Self::builder(), value; $($rows)*);
                $crate::aws::convert::members::Built::built(builder.build())
            }
        }
    )* };
}
pub(in crate::aws) use structures;

/// Types of the SDK that are words.
macro_rules! words {
    ($( $type:ident )*) => { $(
        impl Told for &aws_sdk_lambda::types::$type {
            fn told(self) -> Value {
                self.as_str().into()
            }
        }

        impl Taken for aws_sdk_lambda::types::$type {
            fn taken(value: &Value) -> Option<Self> {
                value.as_str().map(Self::from)
            }
        }
    )* };
}

words! {
    ApplicationLogLevel
    EventSourceMappingMetric
    EventSourceMappingSystemLogLevel
    EventSourcePosition
    FullDocument
    FunctionResponseType
    FunctionUrlAuthType
    InvokeMode
    KafkaEventSourceMappingConsumptionMode
    KafkaSchemaRegistryAuthType
    KafkaSchemaValidationAttribute
    LogFormat
    SchemaRegistryEventRecordFormat
    SnapStartApplyOn
    SourceAccessType
    SystemLogLevel
    TenantIsolationMode
    UpdateRuntimeOn
}

/// What a builder of the SDK makes: some builders can fail.
pub(in crate::aws) trait Built<T> {
    /// The value; nothing where the builder lacks something.
    fn built(self) -> Option<T>;
}

impl<T> Built<T> for T {
    fn built(self) -> Option<T> {
        Some(self)
    }
}

impl<T> Built<T> for Result<T, BuildError> {
    fn built(self) -> Option<T> {
        self.ok()
    }
}

impl<T: Told> Told for Option<T> {
    fn told(self) -> Value {
        self.map_or(Value::Null, Told::told)
    }
}

impl<'a, T> Told for &'a [T]
where
    &'a T: Told,
{
    fn told(self) -> Value {
        if self.is_empty() { Value::Null } else { self.iter().map(Told::told).collect() }
    }
}

impl<T: Taken> Taken for Vec<T> {
    fn taken(value: &Value) -> Option<Self> {
        Some(value.as_array().into_iter().flatten().filter_map(T::taken).collect())
    }
}

impl Told for &str {
    fn told(self) -> Value {
        self.into()
    }
}

impl Told for &String {
    fn told(self) -> Value {
        self.as_str().into()
    }
}

impl Taken for String {
    fn taken(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl Told for i32 {
    fn told(self) -> Value {
        self.into()
    }
}

impl Taken for i32 {
    fn taken(value: &Value) -> Option<Self> {
        value.as_i64()?.try_into().ok()
    }
}

impl Told for bool {
    fn told(self) -> Value {
        self.into()
    }
}

impl Taken for bool {
    fn taken(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Told for &DateTime {
    fn told(self) -> Value {
        self.secs().into()
    }
}

impl Taken for DateTime {
    fn taken(value: &Value) -> Option<Self> {
        value.as_i64().map(Self::from_secs)
    }
}

/// Servers by the kind of their addresses.
type Endpoints = HashMap<EndPointType, Vec<String>>;

impl Told for &Endpoints {
    fn told(self) -> Value {
        let endpoints = self.iter().map(|(kind, servers)| (kind.as_str().to_owned(), json!(servers)));
        Value::Object(endpoints.collect())
    }
}

impl Taken for Endpoints {
    fn taken(value: &Value) -> Option<Self> {
        let servers = |(kind, servers): (&String, &Value)| Some((kind.as_str().into(), Taken::taken(servers)?));
        value.as_object()?.iter().map(servers).collect()
    }
}
